// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test of the parser and replayer of the measurement list (tools/ima/ima_log.c)
 * with built-in records, good and bad. It needs neither IMA nor root;
 * `make -C tools/ima check` runs it under ASan and UBSan.
 *
 * The expected digests were made without the code under test, by printf(1) and
 * openssl(1). For a record:
 *	printf '<data>' | openssl dgst -sha256
 * and for template "ima", whose name is filled up with zeros,
 *	{ printf '<20 bytes>'; printf '<name>'; head -c <256 - length> /dev/zero; } |
 *		openssl dgst -sha256
 * and for the PCRs, from zero, for each record that extends it
 *	cat pcr digest | openssl dgst -sha256 -binary >new && mv new pcr
 * where a violation has 0xff as its digest.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kselftest_harness.h"
#include "ima_log.h"
#include "ima_test.h"

#define ALG_SHA1	0x0004
#define ALG_SHA256	0x000b
#define ALG_SHA384	0x000c
#define ALG_SHA512	0x000d
#define ALG_SHA3_256	0x0027
#define NUM_BANKS	4

#define D20	"0123456789abcdefghij"
#define D32	"0123456789abcdefghijklmnopqrstuv"
#define Z8	"\000\000\000\000\000\000\000\000"
#define NG	"\050\000\000\000sha256:\000"
#define NGV2	"\054\000\000\000ima:sha256:\000"
#define DATA(s)	((struct bytes){ s, sizeof(s) - 1 })
#define NO_SHA1	"0000000000000000000000000000000000000000"
#define NO_SHA256 \
	"0000000000000000000000000000000000000000000000000000000000000000"

struct bytes {
	const char *data;
	size_t len;
};

static const struct vector {
	__u32 pcr;
	const char *name;
	unsigned int fields;
	struct bytes data;
	const char *sha1;
	const char *sha256;
} vectors[] = {
	{ 10, "ima-ng", 2, DATA(NG D32 "\017\000\000\000boot_aggregate\000"),
	  "8a72a841d6a0c8c97622161daa94f250d39d84ff",
	  "19a85dbf2f51a91f7ed7a2831f2841c83f3004508df1fc4f7a7d8bbdfc67b2a6" },
	{ 10, "ima-ng", 2, DATA(NG Z8 Z8 Z8 Z8 "\012\000\000\000/tmp/file\000"),
	  NO_SHA1, NO_SHA256 },
	{ 10, "ima", 2, DATA(D20 "\010\000\000\000/bin/cat"),
	  "8388f31f4e1874de63c49a8ccae2ea0349e8442c",
	  "a577fe754f96d0c941dae4a9d50e34907b5cfe217ccedf39eb7d98f498e75f8a" },
	{ 11, "ima-buf", 3,
	  DATA(NG D32 "\010\000\000\000cmdline\000\004\000\000\000ro_s"),
	  "105bbca7de92f89f6da776790ebdbe7575fe2ef8",
	  "bc3934a24d6a886509959af7a80a3721abad2162bb16efefb5b5dff48407149b" },
	{ 10, "ima-sig", 3,
	  DATA(NG D32 "\006\000\000\000/init\000\000\000\000\000"),
	  "5eea96a6c7e15e1109863a7a469088df1c999348",
	  "7fbae800f03f62399049b43c3a2d8acf9da71090db06e854f50736660bab87bd" },
	{ 10, "ima-ngv2", 2, DATA(NGV2 D32 "\006\000\000\000/lib1\000"),
	  "9f7b1152cf6717bf2c29fd950028e662010071a2",
	  "7340e36db2b21fcb459fb3aaf2e915cda7531ef8b39163d2f8bf9cdb75e3065a" },
	{ 0, "ima-sigv2", 3,
	  DATA(NGV2 D32 "\006\000\000\000/lib2\000\003\000\000\000\003\002\004"),
	  "3153c3dc516d7d956c6a28df62eeca1223f19ec7",
	  "edbe5585aa9d35f384a7e2053daa4da99151b99bbed2e5668ff27ee74e563136" },
	{ 10, "ima-modsig", 5,
	  DATA(NG D32 "\006\000\000\000/mod1\000\000\000\000\000"
	       "\033\000\000\000sha1:\000" D20 "A\002\000\000\0000\202"),
	  "bf1930efb452827c429887b69c9f61125f25ddd2",
	  "1f25676f4b22a5d50052d2024da7f3bb9ffac7de2b7bd3bcfa3a6d02d14a8cb5" },
	{ 10, "evm-sig", 9,
	  DATA(NG D32 "\006\000\000\000/evm1\000\003\000\000\000\005\002\004"
	       "\015\000\000\000security.ima\000\004\000\000\000\041\000\000\000"
	       "\002\000\000\000\004\004\004\000\000\000\350\003\000\000"
	       "\004\000\000\000\144\000\000\000\002\000\000\000\244\201"),
	  "c1ddbc51d7bb2195cb3bcddeed58a6bf2f982775",
	  "4faaf32ce2399f1365bd03e6e06e9bb203a32c2fc37bb1b34264ea7b9571b948" },
	{ 23, "d-ng|n-ng|imode", 3,
	  DATA(NG D32 "\006\000\000\000/cust\000\002\000\000\000\244\201"),
	  "2fda3fd21f9f85c594f4080de0ef2928e03656bf",
	  "d275f7605e99118aec3681b6f2e4b1ccb99cffc9555c337503caeae4c7475baa" },
	{ 10, "ima", 2, DATA(D20 "\000\000\000\000"), NO_SHA1, NO_SHA256 },
	{ 10, "ima", 2, DATA("AAAAAAAAAAAAAAAAAAAA\000\000\000\000"),
	  "570df40255a896a805399a8597890c570ffe7094",
	  "15fffcf395e77c33c0a5a005a7bbc40c36250991d867587008f73a0193edc3c4" },
};

#define NUM_VECTORS	ARRAY_SIZE(vectors)

static const struct {
	unsigned int bank, pcr;
	const char *value;
} pcr_values[] = {
	{ 0, 0, "4acd11b733edad9380c4c3a824025b5a747f8025" },
	{ 1, 0,
	  "a79916ed23ae95c7d93e2aa04cfdc50e821ff1c10e02122cd029ee066eb6ef78" },
	{ 2, 0,
	  "9671139d522eb5b8a43b1ea16cc8bcb355e2f918e2863c86e0f3fb60b3ba9e8b601c2a8e9dcd8422dcb50f08e5fef2bc"
	},
	{ 3, 0,
	  "7d71e7ae566e3fb8d64924ad69507f5678ac648ace7c38c6d24368fc5baa0dd02500e0d72ffecb987d6d6358dea68be5be0e3246e6c5568096095b06f6686bc3"
	},
	{ 0, 10, "784b3ed57a4207e7d4133f9ffb17ce83b4d83bdb" },
	{ 1, 10,
	  "211ef01922e13e07e080ddab91c97d155198e9922279e8cf1d1c1196ea768048" },
	{ 2, 10,
	  "f0f1b647ce46034d6c5aa39c966e7287465590955fcd212a4ac57c8db4e75306aa326667eb9b268be8ef92af40112960"
	},
	{ 3, 10,
	  "02fa00bc3fe145eea8e3165260eabf3e2b8cad9c58c32327486b9667c61ce48ebbe52d4e93f4dff55714a3c2f5d87137f6516a7169bfe9dad4e1890c3005a644"
	},
	{ 0, 11, "a74ff12d22807e37aea10deec10ea427e06c97a5" },
	{ 1, 11,
	  "92fe25e21207ec5f983f35bff6f18aaba22a925310f3e8ebe32e618feb02194f" },
	{ 2, 11,
	  "440d34335c9b81c3e2dd21fae232f7416606e76f4f0dd7a1fefe035cfe99d90b14e313e7c3db79248d36ca0550f30f39"
	},
	{ 3, 11,
	  "624f6ac1096db05b86dc6e859131b6d757f3cca18c1600b0db3360b7b0079f96d764939d380bbe65dc3b3776814a0a9037153dd9b1e98668ab6f780a66b836b4"
	},
	{ 0, 23, "abdc63e5b89ae9bd66e7ee85951d1774fa360649" },
	{ 1, 23,
	  "759c0db847bd53747006391a2badc315100696f204fe3c7fc3ea3d914035f317" },
	{ 2, 23,
	  "37cd7d94b81ff9fd475afcd496a8d04b59a08e3be0f1866519a7b0bf905d124cabb7ab439c144c4c9b49a0412fb43a6f"
	},
	{ 3, 23,
	  "e320e9a987a5dfda3bed35cddc92b07d5e27c5a95cab3dca0102525a9574e7ad0216c5819b8e2b5f15175e716abb78257a80c50d716930757ed8d61a9a0595b1"
	},
};

static size_t unhex(const char *hex, __u8 *out)
{
	size_t n;

	for (n = 0; hex[2 * n]; n++)
		if (sscanf(hex + 2 * n, "%2hhx", &out[n]) != 1)
			abort();
	return n;
}

/* A list under construction. @start: where each record begins, and the end. */
struct list {
	size_t len;
	size_t start[NUM_VECTORS + 1];
	__u8 data[4096];
};

static void put(struct list *l, const void *data, size_t len)
{
	memcpy(l->data + l->len, data, len);
	l->len += len;
}

static void put_u32(struct list *l, __u32 v)
{
	__u8 le[] = { v, v >> 8, v >> 16, v >> 24 };

	put(l, le, sizeof(le));
}

static void put_vector(struct list *l, const struct vector *v, bool sha1)
{
	__u8 digest[IMA_LOG_DIGEST_MAX];

	put_u32(l, v->pcr);
	put(l, digest, unhex(sha1 ? v->sha1 : v->sha256, digest));
	put_u32(l, strlen(v->name));
	put(l, v->name, strlen(v->name));
	if (strcmp(v->name, "ima"))
		put_u32(l, v->data.len);
	put(l, v->data.data, v->data.len);
}

/* All vectors but @skip, as the sha1 or the sha256 list has them. */
static void make_list(struct list *l, bool sha1, size_t skip)
{
	size_t i;

	memset(l, 0, sizeof(*l));
	for (i = 0; i < NUM_VECTORS; i++) {
		l->start[i] = l->len;
		if (i != skip)
			put_vector(l, &vectors[i], sha1);
	}
	l->start[i] = l->len;
}

static const __u16 bank_algs[NUM_BANKS] = {
	ALG_SHA1, ALG_SHA256, ALG_SHA384, ALG_SHA512
};

struct state {
	struct list list;		/* of sha256 */
	struct ima_log_bank banks[NUM_BANKS];
	struct ima_log_replay replay;
	struct ima_log_target target;	/* PCRs after the whole list */
};

FIXTURE(log)
{
	struct state s;
};

static void banks_reset(struct state *s)
{
	unsigned int i;

	for (i = 0; i < NUM_BANKS; i++)
		ima_log_bank_reset(&s->banks[i]);
}

/* Set the target to the expected values, not to what the replay makes. */
static int make_target(struct state *s)
{
	unsigned int i;
	int err;

	s->target.alg = ALG_SHA256;
	s->target.select.num = NUM_BANKS;
	for (i = 0; i < NUM_BANKS; i++) {
		s->target.select.bank[i].alg = bank_algs[i];
		s->target.select.bank[i].pcrs = 1 | 1 << 10 | 1 << 11 | 1 << 23;
	}
	for (i = 0; i < ARRAY_SIZE(pcr_values); i++)
		unhex(pcr_values[i].value,
		      s->banks[pcr_values[i].bank].value[pcr_values[i].pcr]);
	err = ima_log_pcr_digest(&s->replay, &s->target.select, ALG_SHA256,
				 s->target.digest);
	banks_reset(s);
	return err;
}

FIXTURE_SETUP(log)
{
	unsigned int i;

	make_list(&self->s.list, false, NUM_VECTORS);
	for (i = 0; i < NUM_BANKS; i++)
		ASSERT_EQ(0, ima_log_bank_init(&self->s.banks[i], bank_algs[i],
					       IMA_LOG_OWN_HASH));
	self->s.replay.banks = self->s.banks;
	self->s.replay.num_banks = NUM_BANKS;
	self->s.replay.source = &self->s.banks[1];
	ASSERT_EQ(0, make_target(&self->s));
}

FIXTURE_TEARDOWN(log)
{
	unsigned int i;

	for (i = 0; i < NUM_BANKS; i++)
		ima_log_bank_free(&self->s.banks[i]);
}

/* Replay a changed list: does it lead to the target? */
static int matches(struct state *s, const struct list *l)
{
	struct ima_log_parser p;
	__u8 *copy = malloc(l->len);	/* so that ASan knows the end */
	int ret;

	memcpy(copy, l->data, l->len);
	banks_reset(s);
	ima_log_init(&p, copy, l->len, 32, IMA_LOG_LITTLE);
	ret = ima_log_find_quote(&s->replay, &p, &s->target);
	free(copy);
	return ret;
}

TEST_F(log, parse)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	__u8 digest[IMA_LOG_DIGEST_MAX];
	unsigned int i;

	ima_log_init(&p, self->s.list.data, self->s.list.len, 32, IMA_LOG_LITTLE);
	for (i = 0; i < NUM_VECTORS; i++) {
		const struct vector *v = &vectors[i];

		ASSERT_EQ(1, ima_log_next(&p, &rec));
		EXPECT_EQ(i + 1, p.records);
		EXPECT_EQ(self->s.list.start[i], rec.offset);
		EXPECT_EQ(self->s.list.start[i + 1], rec.offset + rec.len);
		EXPECT_EQ(v->pcr, rec.pcr);
		EXPECT_STREQ(v->name, rec.template_name);
		EXPECT_EQ(v->fields, rec.num_fields);
		ASSERT_EQ(v->data.len, rec.data_len);
		EXPECT_EQ(0, memcmp(v->data.data, rec.data, v->data.len));
		EXPECT_EQ(!strcmp(v->sha256, NO_SHA256), rec.violation);
		unhex(v->sha256, digest);
		EXPECT_EQ(0, memcmp(digest, rec.digest, 32));
		EXPECT_EQ(1, ima_log_check(&self->s.banks[1], &rec));
	}
	EXPECT_EQ(0, ima_log_next(&p, &rec));
	EXPECT_EQ(NULL, p.error);
}

TEST_F(log, fields)
{
	struct ima_log_record rec;
	struct ima_log_parser p;

	ima_log_init(&p, self->s.list.data, self->s.list.len, 32, IMA_LOG_LITTLE);
	ASSERT_EQ(1, ima_log_next(&p, &rec));
	EXPECT_STREQ("d-ng|n-ng", rec.template_fmt);
	ASSERT_EQ(15U, rec.fields[1].len);
	EXPECT_EQ(0, memcmp(rec.fields[1].data, "boot_aggregate", 15));
	ASSERT_EQ(1, ima_log_next(&p, &rec));
	ASSERT_EQ(1, ima_log_next(&p, &rec));
	EXPECT_STREQ("d|n", rec.template_fmt);
	ASSERT_EQ(20U, rec.fields[0].len);
	EXPECT_EQ(0, memcmp(rec.fields[0].data, D20, 20));
	ASSERT_EQ(8U, rec.fields[1].len);
	EXPECT_EQ(0, memcmp(rec.fields[1].data, "/bin/cat", 8));
}

TEST_F(log, replay)
{
	struct ima_log_parser p;
	__u8 value[IMA_LOG_DIGEST_MAX];
	unsigned int i, bank, pcr;
	size_t len;

	ima_log_init(&p, self->s.list.data, self->s.list.len, 32, IMA_LOG_LITTLE);
	ASSERT_EQ(0, ima_log_replay(&self->s.replay, &p, ULONG_MAX));
	EXPECT_EQ(NUM_VECTORS, p.records);
	for (i = 0; i < ARRAY_SIZE(pcr_values); i++) {
		bank = pcr_values[i].bank;
		pcr = pcr_values[i].pcr;
		len = unhex(pcr_values[i].value, value);
		ASSERT_EQ(self->s.banks[bank].size, len);
		EXPECT_EQ(0, memcmp(value, self->s.banks[bank].value[pcr], len))
			TH_LOG("%s PCR %u", self->s.banks[bank].name, pcr);
	}
}

TEST_F(log, replay_from_sha1_list)
{
	struct ima_log_parser p;
	struct list l;

	make_list(&l, true, NUM_VECTORS);
	self->s.replay.source = &self->s.banks[0];
	ima_log_init(&p, l.data, l.len, 20, IMA_LOG_LITTLE);
	EXPECT_EQ(1, ima_log_find_quote(&self->s.replay, &p, &self->s.target));
	EXPECT_EQ(NUM_VECTORS, p.records);
}

TEST_F(log, replay_in_two_parts)
{
	struct ima_log_parser p;
	struct ima_log_record rec;
	unsigned int i;
	size_t cut;

	for (i = 0; i <= NUM_VECTORS; i++) {
		banks_reset(&self->s);
		cut = self->s.list.start[i];
		ima_log_init(&p, self->s.list.data, cut, 32, IMA_LOG_LITTLE);
		ASSERT_EQ(0, ima_log_replay(&self->s.replay, &p, ULONG_MAX));
		ASSERT_EQ(i, p.records);
		ima_log_init(&p, self->s.list.data + cut, self->s.list.len - cut, 32,
			     IMA_LOG_LITTLE);
		ASSERT_EQ(1, ima_log_find_quote(&self->s.replay, &p, &self->s.target));
		ASSERT_EQ(NUM_VECTORS - i, p.records);
		ASSERT_EQ(0, ima_log_next(&p, &rec));
	}
}

TEST_F(log, find_quote_after_each_record)
{
	struct ima_log_target target = self->s.target;
	struct ima_log_parser p;
	unsigned int k;

	for (k = 0; k <= NUM_VECTORS; k++) {
		banks_reset(&self->s);
		ima_log_init(&p, self->s.list.data, self->s.list.len, 32,
			     IMA_LOG_LITTLE);
		ASSERT_EQ(0, ima_log_replay(&self->s.replay, &p, k));
		ASSERT_EQ(0, ima_log_pcr_digest(&self->s.replay, &target.select,
						ALG_SHA256, target.digest));
		banks_reset(&self->s);
		ima_log_init(&p, self->s.list.data, self->s.list.len, 32,
			     IMA_LOG_LITTLE);
		ASSERT_EQ(1, ima_log_find_quote(&self->s.replay, &p, &target));
		ASSERT_EQ(k, p.records);
	}
}

TEST_F(log, find_quote_refuses)
{
	struct ima_log_target target = self->s.target;
	struct ima_log_parser p;
	unsigned int i;

	/* no such PCR values */
	target.digest[0] ^= 1;
	ima_log_init(&p, self->s.list.data, self->s.list.len, 32, IMA_LOG_LITTLE);
	EXPECT_EQ(0, ima_log_find_quote(&self->s.replay, &p, &target));
	EXPECT_EQ(NUM_VECTORS, p.records);

	/* the fourth record's PCR 11 is not quoted, in one bank, then in all */
	for (i = NUM_BANKS; i-- > 0;) {
		target.select.bank[i].pcrs &= ~(1u << 11);
		banks_reset(&self->s);
		ima_log_init(&p, self->s.list.data, self->s.list.len, 32,
			     IMA_LOG_LITTLE);
		EXPECT_EQ(-EXDEV, ima_log_find_quote(&self->s.replay, &p, &target));
		EXPECT_EQ(self->s.list.start[3], p.error_offset);
	}

	/* a bank that is not replayed */
	target = self->s.target;
	target.select.bank[2].alg = ALG_SHA3_256;
	ima_log_init(&p, self->s.list.data, self->s.list.len, 32, IMA_LOG_LITTLE);
	EXPECT_EQ(-EINVAL, ima_log_find_quote(&self->s.replay, &p, &target));
	/* a PCR that does not exist */
	target = self->s.target;
	target.select.bank[0].pcrs |= 1u << 24;
	EXPECT_EQ(-EINVAL, ima_log_find_quote(&self->s.replay, &p, &target));
	/* an unknown hash */
	target = self->s.target;
	target.alg = 0x0010;
	EXPECT_EQ(-EOPNOTSUPP, ima_log_find_quote(&self->s.replay, &p, &target));
	EXPECT_NE(NULL, p.error);
}

/* The list, and behind each record the same for a PCR that no TPM has. */
static void make_list_with_strays(struct list *l, __u32 pcr)
{
	struct vector stray;
	size_t i;

	memset(l, 0, sizeof(*l));
	for (i = 0; i < NUM_VECTORS; i++) {
		put_vector(l, &vectors[i], false);
		l->start[i] = l->len;
		stray = vectors[i];
		stray.pcr = pcr;
		put_vector(l, &stray, false);
	}
	l->start[i] = l->len;
}

/* A policy may name them: they are records, but extend nothing. */
TEST_F(log, pcrs_24_to_63_are_counted_not_replayed)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	struct list l;
	__u32 pcr;

	for (pcr = 24; pcr <= 63; pcr++) {
		make_list_with_strays(&l, pcr);
		banks_reset(&self->s);
		ima_log_init(&p, l.data, l.len, 32, IMA_LOG_LITTLE);
		ASSERT_EQ(1, ima_log_find_quote(&self->s.replay, &p, &self->s.target))
			TH_LOG("PCR %u: %s", pcr, p.error);
		EXPECT_EQ(2 * NUM_VECTORS - 1, p.records);
		EXPECT_EQ(NUM_VECTORS - 1, p.unproven);
		ASSERT_EQ(1, ima_log_next(&p, &rec));
		EXPECT_EQ(pcr, rec.pcr);
		EXPECT_EQ(l.start[NUM_VECTORS - 1], rec.offset);
		EXPECT_EQ(NUM_VECTORS, p.unproven);
		EXPECT_EQ(0, ima_log_next(&p, &rec));
	}
}

/* Its digest is still to be that of its data. */
TEST_F(log, altered_digest_for_pcr_24_is_named)
{
	struct ima_log_parser p;
	struct list l;

	make_list_with_strays(&l, 24);
	l.data[l.start[2] + 4 + 7] ^= 0x10;
	ima_log_init(&p, l.data, l.len, 32, IMA_LOG_LITTLE);
	EXPECT_EQ(-EBADMSG, ima_log_replay(&self->s.replay, &p, ULONG_MAX));
	EXPECT_EQ(5U, p.records);
	EXPECT_EQ(2U, p.unproven);
	EXPECT_EQ(6U, p.error_record);
	EXPECT_EQ(l.start[2], p.error_offset);
}

/*
 * Every bit counts, but those of a violation's data: the kernel extends 0xff
 * whatever they are.
 */
TEST_F_TIMEOUT(log, every_bit_flipped, IMA_TIMEOUT)
{
	unsigned int bit, rec = 0, undetected = 0;
	struct list l;
	size_t pos;

	ASSERT_EQ(1, matches(&self->s, &self->s.list));
	for (pos = 0; pos < self->s.list.len; pos++) {
		if (pos == self->s.list.start[rec + 1])
			rec++;
		if (!strcmp(vectors[rec].sha256, NO_SHA256) &&
		    pos >= self->s.list.start[rec + 1] - vectors[rec].data.len)
			continue;
		for (bit = 0; bit < 8; bit++) {
			l = self->s.list;
			l.data[pos] ^= 1 << bit;
			if (matches(&self->s, &l) == 1) {
				TH_LOG("byte %zu bit %u", pos, bit);
				undetected++;
			}
		}
	}
	EXPECT_EQ(0U, undetected);
}

TEST_F(log, every_record_left_out)
{
	struct list l;
	size_t i;

	for (i = 0; i < NUM_VECTORS; i++) {
		make_list(&l, false, i);
		EXPECT_EQ(0, matches(&self->s, &l)) TH_LOG("record %zu", i);
	}
}

TEST_F(log, records_swapped)
{
	struct list l = { 0 };
	size_t i;

	for (i = 0; i < NUM_VECTORS; i++)
		put_vector(&l, &vectors[i == 4 ? 5 : i == 5 ? 4 : i], false);
	EXPECT_EQ(0, matches(&self->s, &l));
}

TEST_F(log, altered_digest_is_named)
{
	struct ima_log_parser p;
	struct list l = self->s.list;

	l.data[l.start[2] + 4 + 7] ^= 0x10;
	ima_log_init(&p, l.data, l.len, 32, IMA_LOG_LITTLE);
	EXPECT_EQ(-EBADMSG, ima_log_replay(&self->s.replay, &p, ULONG_MAX));
	EXPECT_EQ(2U, p.records);
	EXPECT_EQ(3U, p.error_record);
	EXPECT_EQ(l.start[2], p.error_offset);
	EXPECT_NE(NULL, p.error);
}

TEST_F(log, cut_short_at_every_byte)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	unsigned int whole = 0, n;
	size_t len;
	__u8 *copy;
	int ret;

	for (len = 0; len <= self->s.list.len; len++) {
		if (whole < NUM_VECTORS && len == self->s.list.start[whole + 1])
			whole++;
		copy = malloc(len ? len : 1);
		memcpy(copy, self->s.list.data, len);
		ima_log_init(&p, copy, len, 32, IMA_LOG_LITTLE);
		for (n = 0; (ret = ima_log_next(&p, &rec)) == 1; n++)
			;
		ASSERT_EQ(whole, n);
		if (len == self->s.list.start[whole]) {
			ASSERT_EQ(0, ret);
		} else {
			ASSERT_EQ(-ENODATA, ret);
			ASSERT_EQ(whole + 1, p.error_record);
			ASSERT_LE(self->s.list.start[whole], p.error_offset);
			ASSERT_GE(len, p.error_offset);
			ASSERT_NE(NULL, p.error);
		}
		free(copy);
	}
}

/* As from read(2): the rest of the last part in front of the next. */
TEST_F(log, fed_in_parts)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	size_t part, begin, end;
	unsigned int n;
	int ret;

	for (part = 1; part <= self->s.list.len; part++) {
		ima_log_init(&p, NULL, 0, 32, IMA_LOG_LITTLE);
		begin = 0;
		end = 0;
		n = 0;
		do {
			begin += p.pos;
			end = end + part < self->s.list.len ? end + part :
							    self->s.list.len;
			ima_log_feed(&p, self->s.list.data + begin, end - begin);
			while ((ret = ima_log_next(&p, &rec)) == 1)
				ASSERT_EQ(self->s.list.start[n++], rec.offset);
			ASSERT_TRUE(!ret || ret == -ENODATA);
		} while (end < self->s.list.len);
		ASSERT_EQ(0, ret);
		ASSERT_EQ(NUM_VECTORS, n);
	}
}

/* A wrong length is refused, or leads the replay astray; never past the end. */
TEST_F_TIMEOUT(log, every_number_replaced, IMA_TIMEOUT)
{
	static const __u32 bad[] = {
		UINT32_MAX, UINT32_MAX - 3, 0x80000000, 0x7fffffff, 0x10000, 256,
		255, 0
	};
	struct list l;
	unsigned int i;
	size_t pos, rec = 0;

	for (pos = 0; pos + 4 <= self->s.list.len; pos++) {
		if (pos == self->s.list.start[rec + 1])
			rec++;
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			l = self->s.list;
			l.len = pos;
			put_u32(&l, bad[i]);
			l.len = self->s.list.len;
			if (!memcmp(l.data, self->s.list.data, l.len))
				continue;
			if (!strcmp(vectors[rec].sha256, NO_SHA256))
				matches(&self->s, &l);	/* for ASan alone */
			else
				ASSERT_NE(1, matches(&self->s, &l))
					TH_LOG("%#x at %zu", bad[i], pos);
		}
	}
}

static int parse_one(const struct list *l, bool any_template, const char **why)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	int ret;

	ima_log_init(&p, l->data, l->len, 32, IMA_LOG_LITTLE);
	p.any_template = any_template;
	ret = ima_log_next(&p, &rec);
	*why = p.error;
	return ret;
}

static void one_record(struct list *l, __u32 pcr, __u32 name_len, const char *name,
		       __u32 data_len, struct bytes data)
{
	memset(l, 0, sizeof(*l));
	put_u32(l, pcr);
	put(l, D32, 32);
	put_u32(l, name_len);
	put(l, name, strlen(name));
	put_u32(l, data_len);
	put(l, data.data, data.len);
}

/* Each is refused at once: no more input could make it right. */
TEST(bad_numbers)
{
	static const struct {
		__u32 pcr, name_len;
		const char *name;
		__u32 data_len;
		struct bytes data;
		const char *why;
	} bad[] = {
		{ 64, 6, "ima-ng", 8, DATA(Z8), "bad PCR" },
		{ UINT32_MAX, 6, "ima-ng", 8, DATA(Z8), "bad PCR" },
		{ 10, 0, "", 8, DATA(Z8), "bad length of the template name" },
		{ 10, 255, "ima-ng", 8, DATA(Z8), "bad length of the template name" },
		{ 10, UINT32_MAX, "", 8, DATA(Z8),
		  "bad length of the template name" },
		{ 10, 6, "ima-ng", UINT32_MAX, DATA(Z8),
		  "bad length of the template data" },
		{ 10, 6, "ima-ng", IMA_LOG_DATA_MAX + 1, DATA(Z8),
		  "bad length of the template data" },
		{ 10, 6, "ima-ng", 8, DATA("\377\377\377\377\000\000\000\000"),
		  "bad length of a field" },
		{ 10, 6, "ima-ng", 8, DATA("\005\000\000\000\000\000\000\000"),
		  "bad length of a field" },
		{ 10, 6, "ima-ng", 7, DATA("\000\000\000\000\000\000\000"),
		  "field is cut short" },
		{ 10, 6, "ima-ng", 4, DATA("\000\000\000\000"),
		  "number of fields does not fit the template" },
		{ 10, 6, "ima-ng", 0, DATA(""),
		  "number of fields does not fit the template" },
		{ 10, 7, "ima-sig", 8, DATA(Z8),
		  "number of fields does not fit the template" },
		{ 10, 6, "ima-ng", 64, DATA(Z8 Z8 Z8 Z8 Z8 Z8 Z8 Z8),
		  "too many fields" },
	};
	const char *why;
	struct list l;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		one_record(&l, bad[i].pcr, bad[i].name_len, bad[i].name,
			   bad[i].data_len, bad[i].data);
		EXPECT_EQ(-EINVAL, parse_one(&l, false, &why));
		EXPECT_STREQ(bad[i].why, why);
	}
	/* the positive control of the above */
	one_record(&l, 63, 6, "ima-ng", 8, DATA(Z8));
	EXPECT_EQ(1, parse_one(&l, false, &why));
}

TEST(bad_length_in_old_template)
{
	const char *why;
	struct list l;

	one_record(&l, 10, 3, "ima", 0, DATA(Z8 Z8 "\000\001\000\000"));
	EXPECT_EQ(-EINVAL, parse_one(&l, false, &why));
	EXPECT_STREQ("bad length of the event name", why);
	one_record(&l, 10, 3, "ima", 0, DATA(Z8 Z8 "\377\377\377\377"));
	EXPECT_EQ(-EINVAL, parse_one(&l, false, &why));
	one_record(&l, 10, 3, "ima", 0, DATA(Z8 Z8 "\001\000\000\000/"));
	EXPECT_EQ(1, parse_one(&l, false, &why));
}

TEST(template_names)
{
	static const struct {
		const char *name;
		int strict, any;
	} names[] = {
		{ "ima-ng", 1, 1 }, { "d-ng|n-ng", 1, 1 }, { "iuid|igid", 1, 1 },
		{ "ima-new", -EINVAL, 1 }, { "d-ng|n-new", -EINVAL, 1 },
		{ "ima-n", -EINVAL, 1 }, { "ima-ngg", -EINVAL, 1 },
		{ "IMA-NG", -EINVAL, 1 }, { "d-ng|", -EINVAL, 1 },
		{ "|d-ng", -EINVAL, 1 }, { "d-ng||n-ng", -EINVAL, 1 },
		{ "|", -EINVAL, 1 }, { "../../etc", -EINVAL, 1 },
		{ "ima ng", -EINVAL, -EINVAL }, { "ima\nng", -EINVAL, -EINVAL },
		{ "ima\033[2J", -EINVAL, -EINVAL }, { "\377", -EINVAL, -EINVAL },
	};
	const char *why;
	struct list l;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		one_record(&l, 10, strlen(names[i].name), names[i].name, 8, DATA(Z8));
		EXPECT_EQ(names[i].strict, parse_one(&l, false, &why))
			TH_LOG("'%s'", names[i].name);
		EXPECT_EQ(names[i].any, parse_one(&l, true, &why))
			TH_LOG("'%s'", names[i].name);
	}
	/* a NUL inside must not end the name */
	one_record(&l, 10, 7, "ima-ngX", 8, DATA(Z8));
	l.data[4 + 32 + 4 + 6] = '\0';
	EXPECT_EQ(-EINVAL, parse_one(&l, true, &why));
}

TEST(bad_digest_size)
{
	struct ima_log_record rec;
	struct ima_log_parser p;

	ima_log_init(&p, Z8, 8, 0, IMA_LOG_HOST);
	EXPECT_EQ(-EINVAL, ima_log_next(&p, &rec));
	ima_log_init(&p, Z8, 8, IMA_LOG_DIGEST_MAX + 1, IMA_LOG_HOST);
	EXPECT_EQ(-EINVAL, ima_log_next(&p, &rec));
}

/* A list from a big-endian kernel; the hash is over its bytes as they are. */
TEST(big_endian)
{
	static const char list[] =
		"\000\000\000\012"
		"\210\265\164\025\360\104\332\102\322\140\213\222\120\347\342\323"
		"\201\067\327\250\317\047\273\331\070\227\315\176\335\133\064\126"
		"\000\000\000\006ima-ng\000\000\000\066"
		"\000\000\000\050sha256:\000" D32 "\000\000\000\006/be01\000";
	struct ima_log_bank bank;
	struct ima_log_record rec;
	struct ima_log_parser p;

	ASSERT_EQ(0, ima_log_bank_init(&bank, ALG_SHA256, IMA_LOG_OWN_HASH));
	ima_log_init(&p, list, sizeof(list) - 1, 32, IMA_LOG_BIG);
	ASSERT_EQ(1, ima_log_next(&p, &rec));
	EXPECT_EQ(10U, rec.pcr);
	EXPECT_EQ(6U, rec.fields[1].len);
	EXPECT_EQ(1, ima_log_check(&bank, &rec));
	EXPECT_EQ(0, ima_log_next(&p, &rec));
	ima_log_init(&p, list, sizeof(list) - 1, 32, IMA_LOG_LITTLE);
	EXPECT_EQ(-EINVAL, ima_log_next(&p, &rec));
	ima_log_bank_free(&bank);
}

TEST(host_order)
{
	const __u32 one = 1;
	const bool little = *(const __u8 *)&one;
	struct ima_log_record rec;
	struct ima_log_parser p;
	struct list l;

	one_record(&l, 10, 6, "ima-ng", 8, DATA(Z8));
	ima_log_init(&p, l.data, l.len, 32, IMA_LOG_HOST);
	EXPECT_EQ(little ? 1 : -EINVAL, ima_log_next(&p, &rec));
}

/* Banks that the kernel cannot hash for; expected values again by openssl(1). */
TEST(padded_banks)
{
	static const struct {
		__u16 alg;
		enum ima_log_fill fill;
		const char *value;
	} banks[] = {
		{ ALG_SHA512, IMA_LOG_PADDED,
		  "93d7f32cd8bf4129c2dfa549ba16a4bcdfbb51f028df38fb87e88aa098ce79d16119a6830e9ae8bfe318ccda02cfdba4b4622c4cd71708b8fdad8e8bb75a676e"
	},
		{ ALG_SHA3_256, IMA_LOG_UNMAPPED,
		  "21ff6ec2197b0687da085862c640a27286d0c96b347f3c92c222ca17b6e35a7c" },
	};
	__u8 value[IMA_LOG_DIGEST_MAX];
	struct ima_log_replay replay = { .num_banks = 1 };
	struct ima_log_bank bank;
	struct ima_log_parser p;
	struct list l = { 0 };
	unsigned int i;

	put_vector(&l, &vectors[0], false);
	put_vector(&l, &vectors[1], false);
	for (i = 0; i < ARRAY_SIZE(banks); i++) {
		ASSERT_EQ(0, ima_log_bank_init(&bank, banks[i].alg, banks[i].fill));
		replay.banks = &bank;
		ima_log_init(&p, l.data, l.len, 32, IMA_LOG_LITTLE);
		ASSERT_EQ(0, ima_log_replay(&replay, &p, ULONG_MAX));
		ASSERT_EQ(bank.size, unhex(banks[i].value, value));
		EXPECT_EQ(0, memcmp(value, bank.value[10], bank.size));
		ima_log_bank_free(&bank);
	}
}

/* The list of a sha512 bank, as a kernel without SHA-512 shows it. */
TEST(padding_detected)
{
	struct ima_log_bank bank;
	struct ima_log_record rec;
	struct ima_log_parser p;
	struct list l = { 0 };
	__u8 digest[IMA_LOG_DIGEST_MAX] = { 0 };

	put_u32(&l, 10);
	put(&l, digest, 64);
	put_u32(&l, 6);
	put(&l, "ima-ng", 6);
	put_u32(&l, vectors[0].data.len);
	put(&l, vectors[0].data.data, vectors[0].data.len);

	ASSERT_EQ(0, ima_log_bank_init(&bank, ALG_SHA512, IMA_LOG_OWN_HASH));
	ima_log_init(&p, l.data, l.len, 64, IMA_LOG_LITTLE);
	ASSERT_EQ(1, ima_log_next(&p, &rec));
	EXPECT_EQ(0, ima_log_bank_detect(&bank, &rec));

	unhex(vectors[0].sha1, digest);
	memcpy(l.data + 4, digest, 64);
	rec.violation = false;
	EXPECT_EQ(1, ima_log_bank_detect(&bank, &rec));
	EXPECT_TRUE(bank.fill == IMA_LOG_PADDED);

	l.data[4 + 63] = 1;
	EXPECT_EQ(-EBADMSG, ima_log_bank_detect(&bank, &rec));
	ima_log_bank_free(&bank);

	ASSERT_EQ(0, ima_log_bank_init(&bank, ALG_SHA256, IMA_LOG_OWN_HASH));
	EXPECT_EQ(-EINVAL, ima_log_bank_detect(&bank, &rec));
	ima_log_bank_free(&bank);
}

TEST(reset_values)
{
	static const __u8 zero[IMA_LOG_DIGEST_MAX];
	__u8 ones[IMA_LOG_DIGEST_MAX];
	struct ima_log_bank bank;
	unsigned int pcr;

	memset(ones, 0xff, sizeof(ones));
	ASSERT_EQ(0, ima_log_bank_init(&bank, ALG_SHA256, IMA_LOG_OWN_HASH));
	for (pcr = 0; pcr < IMA_LOG_PCRS; pcr++)
		EXPECT_EQ(0, memcmp(bank.value[pcr],
				    pcr >= 17 && pcr <= 22 ? ones : zero, 32));
	ima_log_bank_free(&bank);
}

TEST(algorithms)
{
	struct ima_log_bank bank;

	EXPECT_EQ(ALG_SHA1, ima_log_alg_by_name("sha1"));
	EXPECT_EQ(ALG_SHA512, ima_log_alg_by_name("sha512"));
	EXPECT_EQ(ALG_SHA3_256, ima_log_alg_by_name("tpm_alg_27"));
	EXPECT_EQ(0, ima_log_alg_by_name("tpm_alg_27x"));
	EXPECT_EQ(0, ima_log_alg_by_name("md5"));
	EXPECT_EQ(0, ima_log_alg_by_name(""));
	EXPECT_STREQ("sha384", ima_log_alg_name(ALG_SHA384));
	EXPECT_EQ(48U, ima_log_alg_size(ALG_SHA384));
	EXPECT_EQ(NULL, ima_log_alg_name(0));
	EXPECT_EQ(0U, ima_log_alg_size(0xffff));
	EXPECT_EQ(-EOPNOTSUPP, ima_log_bank_init(&bank, 0x10, IMA_LOG_OWN_HASH));
	ima_log_bank_free(&bank);
}

/* What a record says of itself stays within the buffer, whatever is in it. */
static bool record_sane(const struct ima_log_parser *p,
			const struct ima_log_record *rec)
{
	const __u8 *end = p->data + p->len;
	unsigned int i;

	if (!rec->len || rec->raw < p->data || rec->raw + rec->len > end ||
	    rec->data < p->data || rec->data + rec->data_len > end ||
	    rec->pcr > IMA_LOG_PCR_LAST || rec->num_fields > IMA_LOG_FIELDS_MAX)
		return false;
	for (i = 0; i < rec->num_fields; i++)
		if (rec->fields[i].data < rec->data ||
		    rec->fields[i].data + rec->fields[i].len >
		    rec->data + rec->data_len)
			return false;
	return true;
}

/* Several bytes changed at a time; always the same ones, so it can be repeated. */
TEST_F(log, random_changes)
{
	unsigned int round, n, seed = 1;
	struct ima_log_record rec;
	struct ima_log_parser p;
	size_t len;
	__u8 *copy;

	for (round = 0; round < 20000; round++) {
		len = rand_r(&seed) % (self->s.list.len + 1);
		copy = malloc(len + 1);
		memcpy(copy, self->s.list.data, len);
		for (n = 1 + rand_r(&seed) % 4; len && n; n--)
			copy[rand_r(&seed) % len] = rand_r(&seed);
		ima_log_init(&p, copy, len, 32, IMA_LOG_LITTLE);
		p.any_template = round & 1;
		while (ima_log_next(&p, &rec) == 1)
			ASSERT_TRUE(record_sane(&p, &rec));
		ASSERT_TRUE(p.error || p.pos == len);
		free(copy);
	}
}

TEST_HARNESS_MAIN
