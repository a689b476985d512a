// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of what kexec carries over: order, whole records, sizes.
 */

#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "ima_log_kunit.h"

static unsigned long ima_kexec_dump(struct kunit *test, struct seq_file *file,
				    size_t size, u64 *count)
{
	void *buf = kunit_kzalloc(test, size + 1, GFP_KERNEL);
	struct ima_kunit *ctx = test->priv;
	unsigned long left;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	ima_kexec_set_buf(file, buf, size);
	ima_log_lock(&ctx->log);
	left = ima_dump_log(&ctx->log, file, count);
	ima_log_unlock(&ctx->log);
	return left;
}

/* Staged, then the list; a segment that is just full holds all of it. */
static void ima_kexec_order_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	struct seq_file file, expect = { .size = SZ_64K };
	struct ima_queue_entry *qe;
	size_t size;
	u64 count;

	ima_kunit_fill(test, 0, 5);
	expect.buf = kunit_kzalloc(test, expect.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, expect.buf);
	list_for_each_entry(qe, &ctx->log.list.head, later)
		ima_measurements_show(&expect, qe);

	KUNIT_ASSERT_EQ(test, ima_kunit_delete(ctx, 1), 0);
	KUNIT_ASSERT_EQ(test, ima_kunit_stage(ctx), 0);
	ima_kunit_fill(test, 5, 3);
	list_for_each_entry(qe, &ctx->log.list.head, later)
		ima_measurements_show(&expect, qe);

	size = ima_log_size(&ctx->log) - sizeof(struct ima_kexec_hdr);
	KUNIT_EXPECT_EQ(test, ima_kexec_dump(test, &file, size, &count), 0);
	KUNIT_EXPECT_EQ(test, count, 7);
	KUNIT_ASSERT_EQ(test, file.count, size);
	KUNIT_EXPECT_MEMEQ(test, file.buf, expect.buf + expect.count - size,
			   size);
}

/* Nothing takes no room but the header's. */
static void ima_kexec_empty_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	struct seq_file file;
	u64 count = 1;

	KUNIT_EXPECT_EQ(test, ima_log_size(&ctx->log),
			sizeof(struct ima_kexec_hdr));
	KUNIT_EXPECT_EQ(test, ima_kexec_dump(test, &file, 0, &count), 0);
	KUNIT_EXPECT_EQ(test, count, 0);
	KUNIT_EXPECT_EQ(test, file.count, 0);
}

/* Four records from @first on: do they grow, or does a hole fit a later one? */
static const struct ima_kexec_records {
	const char *name;
	u32 first;
} ima_kexec_records[] = {
	{ "growing", 0 },
	{ "smaller in the list than staged", 5 },
	{ "smaller in the staged list", 6 },
	{ "smaller in the list", 4 },
};

KUNIT_ARRAY_PARAM_DESC(ima_kexec_records, ima_kexec_records, name);

/* Whatever room there is, it ends with a whole record, and has no hole. */
static void ima_kexec_whole_test(struct kunit *test)
{
	const struct ima_kexec_records *records = test->param_value;
	struct ima_kunit *ctx = test->priv;
	struct seq_file full, file;
	size_t size;
	u64 count;

	ima_kunit_fill(test, records->first, 2);
	KUNIT_ASSERT_EQ(test, ima_kunit_stage(ctx), 0);
	ima_kunit_fill(test, records->first + 2, 2);
	size = ima_log_size(&ctx->log) - sizeof(struct ima_kexec_hdr);
	KUNIT_ASSERT_EQ(test, ima_kexec_dump(test, &full, size, &count), 0);

	for (size_t room = 0; room < size; room++) {
		unsigned long left = ima_kexec_dump(test, &file, room, &count);
		struct seq_file again;
		u64 same;

		KUNIT_EXPECT_GT(test, left, 0);
		KUNIT_EXPECT_EQ(test, left + count, 4);
		KUNIT_EXPECT_LE(test, file.count, room);
		KUNIT_EXPECT_MEMEQ(test, file.buf, full.buf, file.count);
		/* just so much room takes the same records */
		ima_kexec_dump(test, &again, file.count, &same);
		KUNIT_EXPECT_EQ(test, same, count);
		KUNIT_EXPECT_EQ(test, again.count, file.count);
		kunit_kfree(test, again.buf);
		kunit_kfree(test, file.buf);
	}
}

/* A size that is not known gives no segment, rather than one of a page. */
static void ima_kexec_size_test(struct kunit *test)
{
	unsigned long spare = max_t(unsigned long, PAGE_SIZE / 2,
				    CONFIG_IMA_KEXEC_EXTRA_MEMORY_KB * SZ_1K);
	struct ima_kunit *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ima_kexec_segment_size(ULONG_MAX), ULONG_MAX);
	for (unsigned long i = 1; i < 3 * PAGE_SIZE; i++) {
		unsigned long size = ima_kexec_segment_size(ULONG_MAX - i);

		if (size >= ULONG_MAX - i)
			continue;
		KUNIT_FAIL(test, "%lu bytes for ULONG_MAX - %lu", size, i);
		break;
	}
	KUNIT_EXPECT_GE(test, ima_kexec_segment_size(1), 1 + PAGE_SIZE / 2);
	KUNIT_EXPECT_GE(test, ima_kexec_segment_size(2 * PAGE_SIZE),
			2 * PAGE_SIZE + spare);
	KUNIT_EXPECT_LE(test, ima_kexec_segment_size(2 * PAGE_SIZE),
			3 * PAGE_SIZE + spare);
	KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(ima_kexec_segment_size(5000)));

	ctx->log.staged.size = ULONG_MAX / 2;
	ctx->log.list.size = ULONG_MAX / 2;
	KUNIT_EXPECT_EQ(test, ima_log_size(&ctx->log), ULONG_MAX);
	ctx->log.list.size += 2;	/* their sum alone is 0, if it wraps */
	KUNIT_EXPECT_EQ(test, ima_log_size(&ctx->log), ULONG_MAX);
}

static struct kunit_case ima_kexec_cases[] = {
	KUNIT_CASE(ima_kexec_order_test),
	KUNIT_CASE(ima_kexec_empty_test),
	KUNIT_CASE_PARAM(ima_kexec_whole_test, ima_kexec_records_gen_params),
	KUNIT_CASE(ima_kexec_size_test),
	{}
};

static struct kunit_suite ima_kexec_suite = {
	.name = "ima_kexec",
	.init = ima_kunit_init,
	.exit = ima_kunit_exit,
	.test_cases = ima_kexec_cases,
};

kunit_test_suite(ima_kexec_suite);
