// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of what the log rests on: sizes of digests, and records that a
 * former kernel carried over and that cannot be restored.
 */

#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "ima_log_kunit.h"

static void ima_digest_size_test(struct kunit *test)
{
	struct tpm_bank_info bank = { .digest_size = 48 };

	KUNIT_EXPECT_EQ(test, ima_digest_size(HASH_ALGO_SHA1, NULL),
			SHA1_DIGEST_SIZE);
	KUNIT_EXPECT_EQ(test, ima_digest_size(HASH_ALGO_SHA256, &bank), 32);
	KUNIT_EXPECT_EQ(test, ima_digest_size(HASH_ALGO__LAST, &bank), 48);
	bank.digest_size = 2 * TPM2_MAX_DIGEST_SIZE;
	KUNIT_EXPECT_EQ(test, ima_digest_size(HASH_ALGO__LAST, &bank),
			TPM2_MAX_DIGEST_SIZE);
}

/* Digests of a record do not overlap. */
static void ima_digest_place_test(struct kunit *test)
{
	int n = NR_BANKS(ima_tpm_chip) + ima_extra_slots;
	struct ima_kunit *ctx = test->priv;
	struct ima_queue_entry *qe;
	u8 *end;

	ima_kunit_fill(test, 0, 1);
	qe = list_first_entry(&ctx->log.list.head, struct ima_queue_entry,
			      later);
	end = qe->digests;
	for (int i = 0; i < n; i++) {
		KUNIT_EXPECT_PTR_EQ(test, ima_queue_digest(qe, i), end);
		end += ima_algo_array[i].digest_size;
	}
	KUNIT_EXPECT_NULL(test, qe->entry->digests);
}

struct ima_restore_buf {
	u8 *start, *end;
};

static void ima_restore_put(struct ima_restore_buf *buf, const void *data,
			    u32 len)
{
	memcpy(buf->end, data, len);
	buf->end += len;
}

static void ima_restore_put_u32(struct ima_restore_buf *buf, u32 val)
{
	if (ima_canonical_fmt)
		val = (__force u32)cpu_to_le32(val);
	ima_restore_put(buf, &val, sizeof(val));
}

/* A log with one record, of two fields of these sizes. */
static void ima_restore_record(struct ima_restore_buf *buf, const char *name,
			       u32 first, u32 second)
{
	struct ima_kexec_hdr *khdr = (void *)buf->start;
	u8 digest[TPM_DIGEST_SIZE] = {};

	buf->end = buf->start + sizeof(*khdr);
	ima_restore_put_u32(buf, CONFIG_IMA_MEASURE_PCR_IDX);
	ima_restore_put(buf, digest, sizeof(digest));
	ima_restore_put_u32(buf, strlen(name));
	ima_restore_put(buf, name, strlen(name));
	ima_restore_put_u32(buf, 2 * sizeof(u32) + first + second);
	ima_restore_put_u32(buf, first);
	buf->end += first;
	ima_restore_put_u32(buf, second);
	buf->end += second;

	memset(khdr, 0, sizeof(*khdr));
	khdr->version = 1;
	khdr->count = 1;
	khdr->buffer_size = buf->end - buf->start;
	if (ima_canonical_fmt) {
		khdr->version = (__force u16)cpu_to_le16(khdr->version);
		khdr->count = (__force u64)cpu_to_le64(khdr->count);
		khdr->buffer_size = (__force u64)cpu_to_le64(khdr->buffer_size);
	}
}

/* What fails half-way frees what it allocated, and nothing else. */
static void ima_restore_fail_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	u32 large = KMALLOC_MAX_SIZE + SZ_4K;
	struct ima_restore_buf buf;
	size_t size;

	buf.start = vzalloc(large + SZ_4K);
	KUNIT_ASSERT_NOT_NULL(test, buf.start);
	ima_restore_record(&buf, "ima-ng", 40, large);
	size = buf.end - buf.start;
	KUNIT_EXPECT_EQ(test, ima_restore_measurement_list(&ctx->log, size,
							   buf.start), -ENOMEM);
	ima_restore_record(&buf, "ima-ng", large, 40);
	KUNIT_EXPECT_EQ(test, ima_restore_measurement_list(&ctx->log, size,
							   buf.start), -ENOMEM);
	ima_kunit_check(test, 0, 0, 0);

	ima_restore_record(&buf, "no-such|format", 40, 10);
	KUNIT_EXPECT_EQ(test, ima_restore_measurement_list(&ctx->log,
							   buf.end - buf.start,
							   buf.start), -EINVAL);
	ima_restore_record(&buf, "ima-ng", 40, 10);
	KUNIT_EXPECT_EQ(test, ima_restore_measurement_list(&ctx->log,
							   buf.end - buf.start,
							   buf.start), 0);
	KUNIT_EXPECT_EQ(test, ctx->log.list.count, 1);
	vfree(buf.start);
}

/* What the header claims: not more than there is. */
static void ima_restore_claims_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	struct ima_kexec_hdr *khdr;
	struct ima_restore_buf buf;
	size_t size;

	khdr = vzalloc(SZ_4K);
	KUNIT_ASSERT_NOT_NULL(test, khdr);
	buf.start = (u8 *)khdr;
	ima_restore_record(&buf, "ima-ng", 40, 10);
	size = buf.end - buf.start;
	KUNIT_EXPECT_EQ(test, ima_restore_measurement_list(&ctx->log, size - 1,
							   khdr), -EINVAL);
	ima_kunit_check(test, 0, 0, 0);

	/* one record more */
	ima_restore_record(&buf, "ima-ng", 40, 10);
	khdr->count = ima_canonical_fmt ? (__force u64)cpu_to_le64(2) : 2;
	KUNIT_EXPECT_EQ(test, ima_restore_measurement_list(&ctx->log, size,
							   khdr), -EINVAL);
	KUNIT_EXPECT_EQ(test, ctx->log.list.count, 1);
	vfree(khdr);
}

/* The name of a custom template is its format, counted and shown as any name. */
static void ima_custom_template_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	struct ima_restore_buf buf;
	size_t size;

	buf.start = vzalloc(SZ_4K);
	KUNIT_ASSERT_NOT_NULL(test, buf.start);
	ima_restore_record(&buf, "n-ng|d-ng", 10, 40);
	size = buf.end - buf.start;
	KUNIT_EXPECT_EQ(test, ima_restore_measurement_list(&ctx->log, size,
							   buf.start), 0);
	KUNIT_EXPECT_EQ(test, ctx->log.list.size,
			size - sizeof(struct ima_kexec_hdr));
	ima_kunit_check(test, 0, 0, 1);
	vfree(buf.start);
}

static const struct ima_template_desc *ima_last_template(struct ima_kunit *ctx)
{
	return list_last_entry(&ctx->log.list.head, struct ima_queue_entry,
			       later)->entry->template_desc;
}

/*
 * "ima" has the fields of "d|n", and room for 256 bytes of a name. A rule of
 * the policy and ima_template= find it by these fields, whatever was restored.
 */
static void ima_restore_format_of_ima_test(struct kunit *test)
{
	const struct ima_template_desc *ima = lookup_template_desc("ima");
	const struct ima_template_desc *first = NULL;
	struct ima_kunit *ctx = test->priv;
	struct ima_restore_buf buf;

	KUNIT_ASSERT_NOT_NULL(test, ima);
	KUNIT_EXPECT_PTR_EQ(test, lookup_template_desc("d|n"), ima);
	buf.start = vzalloc(SZ_4K);
	KUNIT_ASSERT_NOT_NULL(test, buf.start);
	for (int i = 0; i < 2; i++) {
		const struct ima_template_desc *desc;
		int ret;

		ima_restore_record(&buf, "d|n", SHA1_DIGEST_SIZE, 400);
		/* no violation: its digests are calculated */
		buf.start[sizeof(struct ima_kexec_hdr) + sizeof(u32)] = 1;
		ret = ima_restore_measurement_list(&ctx->log,
						   buf.end - buf.start,
						   buf.start);
		KUNIT_EXPECT_EQ(test, ret, 0);
		if (ctx->log.list.count != i + 1)
			break;
		desc = ima_last_template(ctx);
		KUNIT_EXPECT_STREQ(test, desc->fmt, "d|n");
		KUNIT_EXPECT_STREQ(test, desc->name, "");
		/* the second one has the descriptor of the first */
		KUNIT_EXPECT_PTR_EQ(test, desc, first ?: desc);
		first = desc;
	}
	vfree(buf.start);
	KUNIT_EXPECT_EQ(test, ctx->log.list.count, 2);
	KUNIT_EXPECT_PTR_EQ(test, lookup_template_desc("d|n"), ima);
}

/* Digest fields that no kernel makes: nothing is shown that is not theirs. */
static void ima_show_digest_field_test(struct kunit *test)
{
	static const struct {
		const char *data, *shown;
		u32 len;
	} fields[] = {
		{ "", "", 0 },
		{ "sha256", "", 6 },
		{ "sha256:", "", 7 },
		{ ":", "", 1 },
		{ "sha256:\0", "sha256:", 8 },
		{ "sha256:\0\x0a\xbc", "sha256:0abc", 10 },
	};
	struct ima_template_desc *desc = lookup_template_desc("ima-ng");
	struct seq_file m = { .size = 64 };

	KUNIT_ASSERT_EQ(test, template_desc_init_fields(desc->fmt,
							&desc->fields,
							&desc->num_fields), 0);
	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	for (int i = 0; i < ARRAY_SIZE(fields); i++) {
		struct ima_field_data field = {
			.data = (u8 *)fields[i].data, .len = fields[i].len,
		};

		memset(m.buf, 0, m.size);
		m.count = 0;
		desc->fields[0]->field_show(&m, IMA_SHOW_ASCII, &field);
		KUNIT_EXPECT_STREQ(test, m.buf, fields[i].shown);
		KUNIT_EXPECT_EQ(test, m.count, strlen(fields[i].shown));
	}
}

static struct kunit_case ima_base_cases[] = {
	KUNIT_CASE(ima_digest_size_test),
	KUNIT_CASE(ima_digest_place_test),
	KUNIT_CASE(ima_restore_fail_test),
	KUNIT_CASE(ima_restore_claims_test),
	KUNIT_CASE(ima_custom_template_test),
	KUNIT_CASE(ima_restore_format_of_ima_test),
	KUNIT_CASE(ima_show_digest_field_test),
	{}
};

static struct kunit_suite ima_base_suite = {
	.name = "ima_base",
	.init = ima_kunit_init,
	.exit = ima_kunit_exit,
	.test_cases = ima_base_cases,
};

kunit_test_suite(ima_base_suite);
