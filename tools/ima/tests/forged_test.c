// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whoever writes to an archive, but has no attestation key, can make each manifest say
 * something else, and say it consistently. And a key can sign what is no quote, or be
 * no attestation key: verify tells.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <tss2/tss2_tpm2_types.h>

#include "../kselftest_harness.h"

#include "archive_maker.h"

#define PCR	10		/* that the records are of */
#define SECONDS	600		/* ASan on a busy machine */

static const char first[] = "000000/000000000000", second[] = "000000/000000000003";

FIXTURE(forged)
{
	struct maker *m;
};

FIXTURE_SETUP(forged)
{
	self->m = malloc(sizeof(*self->m));
	ASSERT_NE(NULL, self->m);
	ASSERT_EQ(0, maker_two_shards(self->m));
}

FIXTURE_TEARDOWN(forged)
{
	maker_end(self->m);
	free(self->m);
}

/* Have the manifest of a shard say what @forge makes of it; @was: what it said */
static int forge(struct maker *m, const char *shard, void (*forge)(struct manifest *m),
		 struct manifest *was)
{
	char path[256];

	maker_path(m, shard, "shard.json", path);
	return maker_rewrite(path, forge, was);
}

#define FORGE(name, what) static void forge_##name(struct manifest *m) { what; }

FORGE(nothing, (void)m)
FORGE(chain, m->chain++)
FORGE(first, m->first++)
FORGE(more, m->count++)
FORGE(fewer, m->count--)
FORGE(bytes, m->bytes++)
FORGE(unproven, m->unproven++)
FORGE(records, m->records[0] ^= 1)
FORGE(quote, m->quote[0] ^= 1)
FORGE(signature, m->signature[0] ^= 1)
FORGE(ak, m->ak[0] ^= 1)
FORGE(previous, m->previous[0] ^= 1)
FORGE(random, m->random[0] ^= 1)
FORGE(place, m->random[HASH_SIZE - 1] ^= 1)
FORGE(verifier, m->verifier_len = 8)
FORGE(clock, m->info.clock++)
FORGE(resets, m->info.resets++)
FORGE(restarts, m->info.restarts++)
FORGE(safe, m->info.safe = !m->info.safe)
FORGE(pcrs, m->pcrs |= 1 << 11)
FORGE(banks, m->num_banks--)
FORGE(before, m->bank[1].before[PCR][0] ^= 1)
FORGE(after, m->bank[1].after[PCR][0] ^= 1)
FORGE(time, m->time[3]++)
FORGE(kernel, m->kernel[0]++)
FORGE(boot_id, m->boot_id[0]++)
FORGE(base, m->base++)
FORGE(counted, m->counted = !m->counted)
FORGE(removed, m->removed++)

static const struct forgery {
	const char *name;
	void (*forge)(struct manifest *m);
	const char *why;		/* NULL: nobody vouches for it in the newest shard */
} forgeries[] = {
	{ "chain", forge_chain, "it is the manifest of another shard" },
	{ "first", forge_first, "it is the manifest of another shard" },
	{ "count, one more", forge_more, "ends before record 5, shard.json: count: 3" },
	{ "count, one less", forge_fewer, "more records than shard.json says" },
	{ "bytes", forge_bytes, "bytes, shard.json says" },
	{ "unproven", forge_unproven, "unproven: there are 0" },
	{ "records", forge_records, "records: altered" },
	{ "quote", forge_quote, "quote: altered" },
	{ "signature", forge_signature, "signature: altered" },
	{ "ak", forge_ak, "ak: altered" },
	{ "previous", forge_previous, "previous: is not the hash of the manifest before" },
	{ "random", forge_random, "nonce is not the one asked with" },
	{ "random, its place", forge_place, "nonce is not the one asked with" },
	{ "verifier", forge_verifier, "nonce is not the one asked with" },
	{ "clock", forge_clock, "clock: the quote says" },
	{ "resets", forge_resets, "resets: 2, but 1 in the same chain before" },
	{ "restarts", forge_restarts, "restarts: the quote says 0" },
	{ "safe", forge_safe, "safe: the quote differs" },
	{ "pcrs", forge_pcrs, "PCRs are not those asked for" },
	{ "banks", forge_banks, "banks: not those of the last shard" },
	{ "before", forge_before, "before: the PCR values are not those after" },
	{ "after", forge_after, "after: the records do not lead to PCR 10" },
	{ "time", forge_time, NULL },
	{ "kernel", forge_kernel, NULL },
	{ "boot_id", forge_boot_id, NULL },
	{ "base", forge_base, NULL },
	{ "counted", forge_counted, NULL },
	{ "removed", forge_removed, NULL },
};

static struct manifest was, other;

static void mend(struct manifest *m)
{
	*m = was;
}

TEST_F_TIMEOUT(forged, newest_manifest, SECONDS)
{
	static struct manifest forged;
	const struct forgery *f;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forgeries); i++) {
		f = &forgeries[i];
		ASSERT_EQ(0, forge(self->m, second, f->forge, &was));
		EXPECT_EQ(f->why ? REFUSED : DONE, maker_verify(self->m)) TH_LOG("%s", f->name);
		if (f->why)
			EXPECT_NE(NULL, strstr(say_last(), f->why))
				TH_LOG("%s: %s", f->name, say_last());
		ASSERT_EQ(0, forge(self->m, second, mend, &forged));
		ASSERT_EQ(DONE, maker_verify(self->m));
	}
}

/* The nonce of the next quote vouches for all of it. */
TEST_F_TIMEOUT(forged, older_manifest, SECONDS)
{
	static struct manifest forged;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forgeries); i++) {
		ASSERT_EQ(0, forge(self->m, first, forgeries[i].forge, &was));
		EXPECT_EQ(REFUSED, maker_verify(self->m)) TH_LOG("%s", forgeries[i].name);
		ASSERT_EQ(0, forge(self->m, first, mend, &forged));
	}
	EXPECT_EQ(DONE, maker_verify(self->m));
}

static void begin_at_0(struct manifest *m)
{
	m->first = 0;
}

static void begin_after_a_reset(struct manifest *m)
{
	unsigned int i;

	for (i = 0; i < m->num_banks; i++)
		memset(m->bank[i].before, 0, sizeof(m->bank[i].before));
}

/* The newest shard takes the place of the first. */
static int leave_the_newest(const struct maker *m)
{
	char from[256], to[256];

	maker_path(m, second, NULL, from);
	maker_path(m, first, NULL, to);
	return maker_remove(to) ?: rename(from, to);
}

/* Of all shards the newest is left, and its manifest says that it is the first. */
TEST_F_TIMEOUT(forged, newest_shard_as_the_first, SECONDS)
{
	ASSERT_EQ(0, leave_the_newest(self->m));
	ASSERT_EQ(0, forge(self->m, first, begin_at_0, &was));
	EXPECT_EQ(REFUSED, maker_verify(self->m));
	EXPECT_NE(NULL, strstr(say_last(), "before: the PCR values are not those after"));
	ASSERT_EQ(0, forge(self->m, first, begin_after_a_reset, &was));
	EXPECT_EQ(REFUSED, maker_verify(self->m));
	EXPECT_NE(NULL, strstr(say_last(), "random: the quote is of another place in the log"));
}

/* The files "records" of both in the place of the first's, with a hash that fits. */
static void take_both(struct manifest *m)
{
	unsigned int i;

	m->first = 0;
	m->count += other.count;
	m->bytes += other.bytes;
	memcpy(m->records, other.records, HASH_SIZE);
	for (i = 0; i < m->num_banks; i++)
		memcpy(m->bank[i].before, other.bank[i].before,
		       sizeof(m->bank[i].before));
}

/* @append: records in a file; its SHA-256 goes to other.records */
static int append(const char *path, const char *append)
{
	char data[4096];
	size_t len = 0;
	FILE *f;

	f = fopen(append, "r");
	if (f) {
		len = fread(data, 1, sizeof(data), f);
		fclose(f);
	}
	f = fopen(path, "r+");
	if (!f || !len || fseek(f, 0, SEEK_END) || fwrite(data, len, 1, f) != 1)
		return -1;
	rewind(f);
	len = fread(data, 1, sizeof(data), f);
	EVP_Digest(data, len, other.records, NULL, EVP_sha256(), NULL);
	return fclose(f);
}

/* All records lead to the newest quote, but no older manifest vouches for them. */
TEST_F_TIMEOUT(forged, all_shards_in_one, SECONDS)
{
	char records[256], more[256];

	ASSERT_EQ(0, forge(self->m, first, forge_nothing, &other));
	maker_path(self->m, first, "records", records);
	maker_path(self->m, second, "records", more);
	ASSERT_EQ(0, append(records, more));
	ASSERT_EQ(0, rename(records, more));
	ASSERT_EQ(0, leave_the_newest(self->m));
	ASSERT_EQ(0, forge(self->m, first, take_both, &was));
	EXPECT_EQ(REFUSED, maker_verify(self->m));
	EXPECT_NE(NULL, strstr(say_last(), "random: the quote is of another place in the log"))
		TH_LOG("%s", say_last());
}

static size_t more_bytes;

static void take_one_more(struct manifest *m)
{
	m->count++;
	m->unproven++;
	m->bytes += more_bytes;
	memcpy(m->records, other.records, HASH_SIZE);
}

/* PCR 11 can be quoted: records for it are proven, or are none. */
TEST_F_TIMEOUT(forged, record_of_a_pcr_that_was_not_quoted, SECONDS)
{
	static const __u8 digest[8 + 32] = "sha256:";
	static struct maker_record r;
	char records[256], more[256];
	FILE *f;

	maker_write(&r, 11, "ima-ng", (struct maker_field[]) {
		{ digest, sizeof(digest) }, { "/bin/x", 7 } }, 2);
	more_bytes = r.len;
	snprintf(more, sizeof(more), "%s/.more", self->m->path);
	f = fopen(more, "w");
	ASSERT_NE(NULL, f);
	ASSERT_EQ(1, fwrite(r.raw, r.len, 1, f));
	ASSERT_EQ(0, fclose(f));
	maker_path(self->m, second, "records", records);
	ASSERT_EQ(0, append(records, more));
	ASSERT_EQ(0, forge(self->m, second, take_one_more, &was));
	EXPECT_EQ(REFUSED, maker_verify(self->m));
	EXPECT_NE(NULL, strstr(say_last(), "its PCR was not quoted")) TH_LOG("%s", say_last());
}

static void take_signature(struct manifest *m)
{
	memcpy(m->signature, other.signature, HASH_SIZE);
}

static void take_records(struct manifest *m)
{
	unsigned int i;

	m->bytes = other.bytes;
	memcpy(m->records, other.records, HASH_SIZE);
	for (i = 0; i < m->num_banks; i++)
		memcpy(m->bank[i].after, other.bank[i].after, sizeof(m->bank[i].after));
}

/* A file of a shard in @from takes the place of one in @to. */
static int replace(struct maker *from, const char *shard, struct maker *to, const char *by,
		   const char *file)
{
	char path[256], old[256];

	maker_path(from, shard, file, path);
	maker_path(to, by, file, old);
	return unlink(old) || link(path, old);
}

TEST_F_TIMEOUT(forged, signature_of_another_quote, SECONDS)
{
	ASSERT_EQ(0, forge(self->m, first, forge_nothing, &other));
	ASSERT_EQ(0, replace(self->m, first, self->m, second, "signature"));
	ASSERT_EQ(0, forge(self->m, second, take_signature, &was));
	EXPECT_EQ(REFUSED, maker_verify(self->m));
	EXPECT_NE(NULL, strstr(say_last(), "quote: signature is not the key's"));
}

/* Other records, with all that the manifest says of them. */
TEST_F_TIMEOUT(forged, records_that_were_not_quoted, SECONDS)
{
	struct maker *m = malloc(sizeof(*m));

	ASSERT_NE(NULL, m);
	ASSERT_EQ(0, maker_begin(m));
	ASSERT_EQ(0, maker_add_files(m, 3, 0));
	ASSERT_EQ(0, maker_shard(m));
	ASSERT_EQ(0, maker_add_files(m, 2, 30));
	ASSERT_EQ(0, maker_shard(m));
	other = m->last;
	EXPECT_EQ(0, replace(m, second, self->m, second, "records"));
	EXPECT_EQ(0, forge(self->m, second, take_records, &was));
	EXPECT_EQ(REFUSED, maker_verify(self->m));
	EXPECT_NE(NULL, strstr(say_last(), "records: do not lead to the PCRs that were quoted"));
	maker_end(m);
	free(m);
}

/* Add a shard with what the maker is told to do otherwise: why verify refuses it */
static const char *refused(struct maker *m)
{
	if (maker_add_files(m, 2, 20) || maker_shard(m))
		return "no shard";
	return maker_verify(m) == REFUSED ? say_last() : "verified";
}

TEST_F_TIMEOUT(forged, key_that_signs_anything, SECONDS)
{
	self->m->attributes &= ~TPMA_OBJECT_RESTRICTED;
	maker_new_key(self->m);
	EXPECT_NE(NULL, strstr(refused(self->m), "not a TPM's restricted signing key"))
		TH_LOG("%s", say_last());
}

TEST_F_TIMEOUT(forged, data_that_a_tpm_did_not_make, SECONDS)
{
	const char *why;

	self->m->magic++;
	why = refused(self->m);
	/* tpm2-tss 4.1 does not take it for a TPMS_ATTEST */
	EXPECT_TRUE(strstr(why, "quote was not made by a TPM") ||
		    strstr(why, "quote is not a TPMS_ATTEST")) TH_LOG("%s", why);
}

TEST_F_TIMEOUT(forged, quote_of_other_pcrs, SECONDS)
{
	self->m->quoted = 1 << 11;
	EXPECT_NE(NULL, strstr(refused(self->m), "PCRs are not those asked for"))
		TH_LOG("%s", say_last());
}

TEST_HARNESS_MAIN
