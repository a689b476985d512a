// SPDX-License-Identifier: GPL-2.0-only
/*
 * Logs made from the description of the format (IMA-templates.rst): what imalog shows
 * of each template, as text and in other banks, was written down here by hand.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "../kselftest_harness.h"

#include "archive_maker.h"
#include "hex.h"
#include "show.h"

#define XATTRS		"security.ima|security.selinux"
#define FIFTEEN		"n|n|n|n|n|n|n|n|n|n|n|n|n|n|n"
#define LONG_NAME	3700
#define D32		"4444444444444444444444444444444444444444444444444444444444444444"
#define Z32		"0000000000000000000000000000000000000000000000000000000000000000"
#define A32		"DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD"	/* 32 bytes of 0x44 */
#define A20		"DDDDDDDDDDDDDDDDDDDD"
#define D20		"4444444444444444444444444444444444444444"
#define F(text)		{ text, sizeof(text) - 1 }
#define FZ(text)	{ text, sizeof(text) }

static struct ima_log_bank sha1, sha256;

static void __attribute__((constructor)) make_banks(void)
{
	if (ima_log_bank_init(&sha1, ima_log_alg_by_name("sha1"), IMA_LOG_OWN_HASH) ||
	    ima_log_bank_init(&sha256, ima_log_alg_by_name("sha256"), IMA_LOG_OWN_HASH))
		abort();
}

static int parse(const struct maker_record *r, struct ima_log_record *rec)
{
	struct ima_log_parser p;

	ima_log_init(&p, r->raw, r->len, 20, IMA_LOG_HOST);
	return ima_log_next(&p, rec);
}

/* What is shown of a record; released with free(). */
static char *show(const struct maker_record *r, struct ima_log_bank *bank, bool ascii,
		  size_t *len)
{
	struct ima_log_record rec;
	char *text = NULL;
	FILE *out;
	int err;

	if (parse(r, &rec) != 1)
		return NULL;
	out = open_memstream(&text, len);
	err = ascii ? show_ascii(out, bank, &rec) : show_binary(out, bank, &rec);
	fclose(out);
	return err ? NULL : text;
}

/* "10 <digest> " and what follows is expected. */
static bool shows(const struct maker_record *r, const char *after)
{
	char digest[41], *text, *want;
	bool same;
	size_t len;

	hex_from(digest, r->sha1, 20);
	text = show(r, &sha1, true, &len);
	if (!text || asprintf(&want, "10 %s %s\n", digest, after) < 0)
		return false;
	same = len == strlen(want) && !memcmp(text, want, len);
	if (!same)
		printf("# shown: %.*s# wanted: %s", (int)len, text, want);
	free(text);
	free(want);
	return same;
}

static void make(struct maker_record *r, const char *template,
		 const struct maker_field *fields, unsigned int num)
{
	maker_write(r, 10, template, fields, num);
}

#define MAKE(r, template, ...) do {					\
	const struct maker_field fields[] = { __VA_ARGS__ };		\
	make(r, template, fields, ARRAY_SIZE(fields));			\
} while (0)

TEST(templates_as_text)
{
	static struct maker_record r;

	MAKE(&r, "ima-ng", F("sha256:\0" A32), FZ("/bin/a"));
	EXPECT_TRUE(shows(&r, "ima-ng sha256:" D32 " /bin/a"));
	MAKE(&r, "ima-sig", F("sha256:\0" A32), FZ("/bin/a"), F("\x03\x02\x04"));
	EXPECT_TRUE(shows(&r, "ima-sig sha256:" D32 " /bin/a 030204"));
	MAKE(&r, "ima-sig", F("sha256:\0" A32), FZ("/bin/a"), F(""));
	EXPECT_TRUE(shows(&r, "ima-sig sha256:" D32 " /bin/a "));
	MAKE(&r, "ima-ngv2", F("verity:sha256:\0" A32), FZ("/bin/a"));
	EXPECT_TRUE(shows(&r, "ima-ngv2 verity:sha256:" D32 " /bin/a"));
	MAKE(&r, "ima-sigv2", F("ima:sha256:\0" A32), FZ("/bin/a"), F("\x03"));
	EXPECT_TRUE(shows(&r, "ima-sigv2 ima:sha256:" D32 " /bin/a 03"));
	MAKE(&r, "ima-buf", F("sha256:\0" A32), FZ("kexec-cmdline"), F("ro\n"));
	EXPECT_TRUE(shows(&r, "ima-buf sha256:" D32 " kexec-cmdline 726f0a"));
	MAKE(&r, "ima-modsig", F("sha256:\0" A32), FZ("/bin/a"), F(""),
	     F("sha256:\0" A32), F("\x30\x82"));
	EXPECT_TRUE(shows(&r, "ima-modsig sha256:" D32 " /bin/a  sha256:" D32 " 3082"));
	MAKE(&r, "d-ng|n-ng", F("sha1:\0" A20), FZ("x"));
	EXPECT_TRUE(shows(&r, "d-ng|n-ng sha1:4444444444444444444444444444444444444444 x"));
	MAKE(&r, "d|n", F(A20), F("x"));
	EXPECT_TRUE(shows(&r, "d|n 4444444444444444444444444444444444444444 x"));
}

TEST(evm_template_as_text)
{
	static struct maker_record r;
	const __u32 uid = 1000, gid = 100;
	const __u16 mode = 0100755;
	const struct maker_field fields[] = {
		F("sha256:\0" A32), FZ("/bin/a"), F("\x05\x02"),
		FZ(XATTRS), F("\x01\x00\x00\x00"), F("ab"),
		{ &uid, 4 }, { &gid, 4 }, { &mode, 2 },
	};

	make(&r, "evm-sig", fields, ARRAY_SIZE(fields));
	EXPECT_TRUE(shows(&r, "evm-sig sha256:" D32 " /bin/a 0502 " XATTRS
			  " 01000000 6162 1000 100 33261"));
}

/* Digest, length and text of the name without a NUL; the hash pads the name. */
TEST(old_template)
{
	static const char name[] = "/sbin/init";
	__u8 padded[20 + 256] = { 0 }, digest[20];
	static struct maker_record r;
	struct ima_log_record rec;
	char want[200], hex[41];
	char *text;
	size_t len;
	__u8 *p = r.raw;
	__u32 n;

	memset(padded, 0x44, 20);
	memcpy(padded + 20, name, strlen(name));
	EVP_Digest(padded, sizeof(padded), digest, NULL, EVP_sha1(), NULL);
	n = 10;
	p = mempcpy(p, &n, 4);
	p = mempcpy(p, digest, 20);
	n = 3;
	p = mempcpy(p, &n, 4);
	p = mempcpy(p, "ima", 3);
	p = mempcpy(p, padded, 20);
	n = strlen(name);
	p = mempcpy(p, &n, 4);
	p = mempcpy(p, name, n);
	r.len = p - r.raw;
	ASSERT_EQ(1, parse(&r, &rec));
	EXPECT_EQ(1, ima_log_check(&sha1, &rec));
	hex_from(hex, digest, 20);
	snprintf(want, sizeof(want),
		 "10 %s ima 4444444444444444444444444444444444444444 %s\n", hex, name);
	text = show(&r, &sha1, true, &len);
	ASSERT_NE(NULL, text);
	EXPECT_STREQ(want, text);
	free(text);
}

TEST(other_bank_has_its_own_digest)
{
	static struct maker_record r;
	__u8 digest[32];
	char hex[65], want[300], *text;
	size_t len;

	MAKE(&r, "ima-ng", F("sha256:\0" A32), FZ("/bin/a"));
	EVP_Digest(r.data, r.data_len, digest, NULL, EVP_sha256(), NULL);
	hex_from(hex, digest, 32);
	snprintf(want, sizeof(want), "10 %s ima-ng sha256:" D32 " /bin/a\n", hex);
	text = show(&r, &sha256, true, &len);
	ASSERT_NE(NULL, text);
	EXPECT_STREQ(want, text);
	free(text);
	text = show(&r, &sha256, false, &len);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(r.len + 12, len);
	EXPECT_EQ(0, memcmp(text, r.raw, 4));
	EXPECT_EQ(0, memcmp(text + 4, digest, 32));
	EXPECT_EQ(0, memcmp(text + 36, r.raw + 24, r.len - 24));
	free(text);
}

TEST(odd_names)
{
	static struct maker_record r;
	static char name[LONG_NAME + 1];
	char *want;

	MAKE(&r, "ima-ng", F("sha256:\0" A32), FZ("a\nb\xff\x01 c"));
	EXPECT_TRUE(shows(&r, "ima-ng sha256:" D32 " a\nb\xff\x01 c"));
	memset(name, 'n', LONG_NAME);
	MAKE(&r, "ima-ng", F("sha256:\0" A32), { name, LONG_NAME + 1 });
	ASSERT_LT(0, asprintf(&want, "ima-ng sha256:" D32 " %s", name));
	EXPECT_TRUE(shows(&r, want));
	free(want);
}

TEST(fifteen_fields_and_empty_ones)
{
	static const char template[] = FIFTEEN;
	struct maker_field fields[16];
	static struct maker_record r;
	struct ima_log_record rec;
	unsigned int i;

	for (i = 0; i < 16; i++)
		fields[i] = (struct maker_field) { "xy", i % 3 };
	make(&r, template, fields, 15);
	EXPECT_TRUE(shows(&r, FIFTEEN "  x xy  x xy  x xy  x xy  x xy"));
	make(&r, template, fields, 16);
	EXPECT_GT(0, parse(&r, &rec));
	make(&r, template, fields, 14);
	EXPECT_GT(0, parse(&r, &rec));
}

/* Zeros are shown, ones are extended. */
TEST(violation)
{
	__u8 data[64] = { 0 }, value[32];
	static struct maker_record r;
	struct ima_log_record rec;
	struct banks b;
	char *text;
	size_t len;

	MAKE(&r, "ima-ng", F("sha256:\0"), FZ("/tmp/v"));
	maker_violate(&r);
	text = show(&r, &sha256, true, &len);
	ASSERT_NE(NULL, text);
	EXPECT_STREQ("10 " Z32 " ima-ng sha256: /tmp/v\n",
		     text);
	free(text);
	ASSERT_EQ(DONE, banks_init(&b));
	ASSERT_EQ(DONE, banks_add(&b, ima_log_alg_by_name("sha256"), IMA_LOG_OWN_HASH));
	ASSERT_EQ(1, parse(&r, &rec));
	EXPECT_EQ(NULL, banks_extend(&b, &rec));
	memset(data + 32, 0xff, 32);
	EVP_Digest(data, 64, value, NULL, EVP_sha256(), NULL);
	EXPECT_EQ(0, memcmp(value, b.bank[0].value[10], 32));
	banks_free(&b);
}

/* Each bank: hash of the value before and the digest in the bank's own hash. */
TEST(all_banks)
{
	static const struct {
		const char *name;
		const char *md;
		size_t size;
	} all[] = {
		{ "sha1", "SHA1", 20 }, { "sha256", "SHA256", 32 },
		{ "sha384", "SHA384", 48 }, { "sha512", "SHA512", 64 },
		{ "sha3-256", "SHA3-256", 32 }, { "sm3", "SM3", 32 },
	};
	__u8 data[128] = { 0 }, value[64];
	static struct maker_record r;
	struct ima_log_record rec;
	struct banks b;
	unsigned int i;

	MAKE(&r, "ima-ng", F("sha256:\0" A32), FZ("/bin/a"));
	ASSERT_EQ(DONE, banks_init(&b));
	for (i = 0; i < ARRAY_SIZE(all); i++)
		ASSERT_EQ(DONE, banks_add(&b, ima_log_alg_by_name(all[i].name),
					  IMA_LOG_OWN_HASH));
	ASSERT_EQ(1, parse(&r, &rec));
	EXPECT_EQ(NULL, banks_extend(&b, &rec));
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		EVP_MD *md = EVP_MD_fetch(NULL, all[i].md, NULL);
		size_t size = all[i].size;

		memset(data, 0, size);
		EVP_Digest(r.data, r.data_len, data + size, NULL, md, NULL);
		EVP_Digest(data, 2 * size, value, NULL, md, NULL);
		EXPECT_EQ(0, memcmp(value, b.bank[i].value[10], size));
		EVP_MD_free(md);
	}
	banks_free(&b);
}

/* Kept and counted, but no quote vouches for them: firmware's, resettable, none. */
TEST(pcrs_that_no_quote_vouches_for)
{
	static const __u32 pcrs[] = { 0, 7, 16, 17, 22, 23, 24, 63 };
	static struct maker_record r;
	struct ima_log_record rec;
	struct banks b, before;
	unsigned int i;

	ASSERT_EQ(DONE, banks_init(&b));
	ASSERT_EQ(DONE, banks_add(&b, ima_log_alg_by_name("sha1"), IMA_LOG_OWN_HASH));
	before = b;
	for (i = 0; i < ARRAY_SIZE(pcrs); i++) {
		MAKE(&r, "ima-ng", F("sha256:\0" A32), FZ("/bin/a"));
		memcpy(r.raw, &pcrs[i], 4);
		ASSERT_EQ(1, parse(&r, &rec));
		EXPECT_FALSE(banks_quoted(&b, &rec));
		EXPECT_EQ(NULL, banks_extend(&b, &rec));
		EXPECT_EQ(i + 1, b.unproven);
	}
	EXPECT_EQ(0, memcmp(before.bank[0].value, b.bank[0].value,
			    sizeof(b.bank[0].value)));
	/* their digests are checked all the same */
	r.raw[r.len - 2] ^= 1;
	ASSERT_EQ(1, parse(&r, &rec));
	EXPECT_NE(NULL, banks_extend(&b, &rec));
	i = 64;
	memcpy(r.raw, &i, 4);
	EXPECT_GT(0, parse(&r, &rec));
	banks_free(&b);
}

static void swap_at(__u8 *p)
{
	__u32 v;

	memcpy(&v, p, 4);
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

/* The same record of a big-endian machine; and ima_canonical_fmt is little-endian. */
TEST(byte_orders)
{
	static const size_t numbers[] = { 0, 24, 34, 38, 82 };
	static struct maker_record r;
	struct ima_log_record rec;
	struct ima_log_parser p;
	unsigned int i;

	MAKE(&r, "ima-ng", F("sha256:\0" A32), FZ("/bin/a"));
	if (htobe32(1) == 1)
		for (i = 0; i < ARRAY_SIZE(numbers); i++)
			swap_at(r.raw + numbers[i]);
	ima_log_init(&p, r.raw, r.len, 20, IMA_LOG_LITTLE);
	ASSERT_EQ(1, ima_log_next(&p, &rec));
	EXPECT_EQ(2, rec.num_fields);
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		swap_at(r.raw + numbers[i]);
	ima_log_init(&p, r.raw, r.len, 20, IMA_LOG_LITTLE);
	EXPECT_GT(0, ima_log_next(&p, &rec));
	ima_log_init(&p, r.raw, r.len, 20, IMA_LOG_BIG);
	ASSERT_EQ(1, ima_log_next(&p, &rec));
	EXPECT_EQ(10, rec.pcr);
	EXPECT_EQ(2, rec.num_fields);
	EXPECT_EQ(7, rec.fields[1].len);
	EXPECT_STREQ("/bin/a", (const char *)rec.fields[1].data);
}

TEST_HARNESS_MAIN
