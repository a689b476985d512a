// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was done to an archive, verify tells, and where: each byte of a small archive is
 * flipped, each file removed, shortened, exchanged, each shard dropped or moved. The
 * one thing it cannot see is that the newest shards are missing.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../kselftest_harness.h"

#include <openssl/evp.h>

#include "archive_maker.h"

#define SHARDS		4
#define FILES		5
#define SECONDS		600	/* ASan on a busy machine */

static const char * const shards[SHARDS] = {
	"000000/000000000000", "000000/000000000003", "000000/000000000005",
	"000001/000000000000",
};

static const char * const files[FILES] = {
	"records", "quote", "signature", "ak", "shard.json",
};

FIXTURE(tamper)
{
	struct maker *m;
};

FIXTURE_SETUP(tamper)
{
	self->m = malloc(sizeof(*self->m));
	ASSERT_NE(NULL, self->m);
	ASSERT_EQ(0, maker_two_shards(self->m));
	ASSERT_EQ(0, maker_add_files(self->m, 2, 5));
	ASSERT_EQ(0, maker_shard(self->m));
	maker_reset(self->m);
	ASSERT_EQ(0, maker_add_files(self->m, 2, 7));
	ASSERT_EQ(0, maker_shard(self->m));
	/* what is refused is said on stderr; it is looked at with say_last() */
	ASSERT_NE(NULL, freopen("/dev/null", "w", stderr));
}

FIXTURE_TEARDOWN(tamper)
{
	maker_end(self->m);
	free(self->m);
}

static bool says(const char *shard)
{
	return strstr(say_last(), shard);
}

TEST_F_TIMEOUT(tamper, untouched_archive_verifies, SECONDS)
{
	EXPECT_EQ(DONE, maker_verify(self->m));
}

/* Flip one bit of each byte: how many were noticed, and named the shard. */
static long flip_all(struct maker *m, const char *shard, const char *file, long *bytes)
{
	char path[256];
	long noticed = 0, n;
	struct stat st;
	__u8 byte;
	int fd;

	maker_path(m, shard, file, path);
	fd = open(path, O_RDWR);
	if (fd < 0 || fstat(fd, &st))
		return -1;
	for (n = 0; n < st.st_size; n++) {
		if (pread(fd, &byte, 1, n) != 1)
			break;
		byte ^= 1 << n % 8;
		if (pwrite(fd, &byte, 1, n) != 1)
			break;
		noticed += maker_verify(m) == REFUSED && says(shard);
		byte ^= 1 << n % 8;
		if (pwrite(fd, &byte, 1, n) != 1)
			break;
	}
	close(fd);
	*bytes += n;
	return n == st.st_size ? noticed : -1;
}

TEST_F_TIMEOUT(tamper, each_flipped_byte_is_noticed, SECONDS)
{
	long bytes = 0, noticed = 0, n;
	unsigned int i, j;

	for (i = 0; i < SHARDS; i++) {
		for (j = 0; j < FILES; j++) {
			n = flip_all(self->m, shards[i], files[j], &bytes);
			ASSERT_LE(0, n);
			noticed += n;
		}
	}
	EXPECT_LT(5000, bytes);
	EXPECT_EQ(bytes, noticed);
	EXPECT_EQ(DONE, maker_verify(self->m));
	printf("# figure: flipped bytes, each noticed: %ld\n", noticed);
}

TEST_F_TIMEOUT(tamper, each_missing_file_is_noticed, SECONDS)
{
	char path[256], away[256];
	unsigned int i, j;

	snprintf(away, sizeof(away), "%s.away", self->m->path);
	for (i = 0; i < SHARDS; i++) {
		for (j = 0; j < FILES; j++) {
			maker_path(self->m, shards[i], files[j], path);
			ASSERT_EQ(0, rename(path, away));
			EXPECT_NE(DONE, maker_verify(self->m));
			EXPECT_TRUE(says(shards[i]));
			EXPECT_TRUE(says(files[j]));
			ASSERT_EQ(0, rename(away, path));
		}
	}
	EXPECT_EQ(DONE, maker_verify(self->m));
}

TEST_F_TIMEOUT(tamper, each_shortened_file_is_noticed, SECONDS)
{
	char path[256], copy[8192];
	unsigned int i, j;
	ssize_t len;
	int fd;

	for (i = 0; i < SHARDS; i++) {
		for (j = 0; j < FILES; j++) {
			maker_path(self->m, shards[i], files[j], path);
			fd = open(path, O_RDWR);
			ASSERT_LE(0, fd);
			len = read(fd, copy, sizeof(copy));
			ASSERT_LT(1, len);
			ASSERT_EQ(0, ftruncate(fd, len - 1));
			EXPECT_EQ(REFUSED, maker_verify(self->m));
			EXPECT_TRUE(says(shards[i]));
			EXPECT_TRUE(says(files[j]));
			ASSERT_EQ(0, ftruncate(fd, 0));
			EXPECT_EQ(REFUSED, maker_verify(self->m));
			ASSERT_EQ(len, pwrite(fd, copy, len, 0));
			close(fd);
		}
	}
	EXPECT_EQ(DONE, maker_verify(self->m));
}

TEST_F_TIMEOUT(tamper, each_lengthened_file_is_noticed, SECONDS)
{
	unsigned int i, j;
	char path[256];
	struct stat st;
	int fd;

	for (i = 0; i < SHARDS; i++) {
		for (j = 0; j < FILES; j++) {
			maker_path(self->m, shards[i], files[j], path);
			fd = open(path, O_RDWR | O_APPEND);
			ASSERT_LE(0, fd);
			ASSERT_EQ(0, fstat(fd, &st));
			ASSERT_EQ(1, write(fd, "\n", 1));
			EXPECT_EQ(REFUSED, maker_verify(self->m));
			EXPECT_TRUE(says(shards[i]));
			ASSERT_EQ(0, ftruncate(fd, st.st_size));
			close(fd);
		}
	}
	EXPECT_EQ(DONE, maker_verify(self->m));
}

static int exchange(struct maker *m, const char *a, const char *b, const char *file)
{
	char from[256], to[256];

	maker_path(m, a, file, from);
	maker_path(m, b, file, to);
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE);
}

TEST_F_TIMEOUT(tamper, each_file_of_another_shard_is_noticed, SECONDS)
{
	unsigned int i, j, k;

	for (i = 0; i < SHARDS; i++) {
		for (j = i + 1; j < SHARDS; j++) {
			for (k = 0; k < FILES; k++) {
				if (!strcmp(files[k], "ak"))
					continue; /* the same in all */
				ASSERT_EQ(0, exchange(self->m, shards[i], shards[j],
						      files[k]));
				EXPECT_EQ(REFUSED, maker_verify(self->m));
				EXPECT_TRUE(says(shards[i]));
				ASSERT_EQ(0, exchange(self->m, shards[i], shards[j],
						      files[k]));
			}
		}
	}
	EXPECT_EQ(DONE, maker_verify(self->m));
}

TEST_F_TIMEOUT(tamper, exchanged_shards_are_noticed, SECONDS)
{
	unsigned int i, j;

	for (i = 0; i < SHARDS; i++) {
		for (j = i + 1; j < SHARDS; j++) {
			ASSERT_EQ(0, exchange(self->m, shards[i], shards[j], NULL));
			EXPECT_EQ(REFUSED, maker_verify(self->m));
			EXPECT_TRUE(says(shards[i]));
			ASSERT_EQ(0, exchange(self->m, shards[i], shards[j], NULL));
		}
	}
}

/* All but the last of a chain: what follows does not follow. */
TEST_F_TIMEOUT(tamper, dropped_shard_is_noticed, SECONDS)
{
	char path[256], away[256];
	unsigned int i;

	snprintf(away, sizeof(away), "%s.away", self->m->path);
	for (i = 0; i < SHARDS - 1; i++) {
		maker_path(self->m, shards[i], NULL, path);
		ASSERT_EQ(0, rename(path, away));
		EXPECT_EQ(REFUSED, maker_verify(self->m));
		EXPECT_TRUE(says(shards[i + 1]));
		ASSERT_EQ(0, rename(away, path));
	}
}

TEST_F_TIMEOUT(tamper, newest_shard_cut_off_is_not_seen_without_the_host, SECONDS)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/000001", self->m->path);
	ASSERT_EQ(0, maker_remove(path));
	EXPECT_EQ(DONE, maker_verify(self->m));
}

/* A shard of the same records and key, which follows another manifest. */
TEST_F_TIMEOUT(tamper, manifest_of_another_chain_is_noticed, SECONDS)
{
	struct maker *other = malloc(sizeof(*other));
	char from[256], to[256];

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, maker_begin(other));
	EVP_PKEY_free(other->key);
	other->key = self->m->key;
	other->ak = self->m->ak;
	ASSERT_EQ(0, maker_add_files(other, 3, 0));
	other->clock -= 1;
	ASSERT_EQ(0, maker_shard(other));
	ASSERT_EQ(0, maker_add_files(other, 2, 3));
	ASSERT_EQ(0, maker_shard(other));
	maker_path(other, shards[1], NULL, from);
	maker_path(self->m, shards[1], NULL, to);
	ASSERT_EQ(0, renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE));
	EXPECT_EQ(REFUSED, maker_verify(self->m));
	EXPECT_TRUE(says(shards[1]));
	EXPECT_TRUE(says("previous"));
	other->key = NULL;
	maker_end(other);
	free(other);
}

TEST_F_TIMEOUT(tamper, another_key_is_noticed, SECONDS)
{
	ASSERT_EQ(0, maker_new_key(self->m));
	EXPECT_EQ(REFUSED, maker_verify(self->m));
	EXPECT_TRUE(says("another attestation key"));
}

/* Whoever has no key can rewrite all hashes, but not the quote. */
TEST_F_TIMEOUT(tamper, rewritten_shard_is_noticed, SECONDS)
{
	__u8 print[IMA_QUOTE_PRINT_SIZE];
	struct maker *m = self->m;
	struct ima_quote_blob ak;
	char path[256];

	memcpy(print, m->print, sizeof(print));
	ak = m->ak;
	snprintf(path, sizeof(path), "%s/000001", m->path);
	ASSERT_EQ(0, maker_remove(path));
	ASSERT_EQ(0, maker_new_key(m));
	maker_reset(m);
	m->chain--;
	ASSERT_EQ(0, maker_add_files(m, 2, 9));
	/* claims to be signed by the archive's key */
	m->ak = ak;
	memcpy(m->print, print, sizeof(print));
	m->last.info.resets = 0;
	ASSERT_EQ(0, maker_shard(m));
	EXPECT_EQ(REFUSED, maker_verify(m));
	EXPECT_TRUE(says("000001/000000000000"));
}

/* Signed by the key, but the clock goes back, or the same reset has two chains. */
TEST_F_TIMEOUT(tamper, time_that_goes_back_is_noticed, SECONDS)
{
	self->m->clock = 1;
	ASSERT_EQ(0, maker_add_files(self->m, 2, 20));
	ASSERT_EQ(0, maker_shard(self->m));
	EXPECT_EQ(REFUSED, maker_verify(self->m));
	EXPECT_TRUE(says("clock"));
}

/* The key signs whatever it is given here: the next chain is of the same reset. */
TEST_F_TIMEOUT(tamper, chain_without_a_reset_is_noticed, SECONDS)
{
	struct maker *m = self->m;

	maker_reset(m);
	m->resets--;
	m->last.count = 0;	/* so it begins with record 0 */
	ASSERT_EQ(0, maker_add_files(m, 2, 20));
	ASSERT_EQ(0, maker_shard(m));
	EXPECT_EQ(REFUSED, maker_verify(m));
	EXPECT_TRUE(says("no more restarts than in the chain before"));
}

/* What manifest_read() says of a manifest like this, or nothing */
static const char *read_again(const struct manifest *m)
{
	struct manifest *again = malloc(sizeof(*again));
	char *text = manifest_write(m);
	const char *why = "no memory";

	if (again && text)
		why = manifest_read(again, text, strlen(text));
	free(again);
	free(text);
	return why ?: "";
}

static void set_text(char *to, const char *text)
{
	snprintf(to, MANIFEST_TEXT + 1, "%s", text);
}

/* json-c 0.18 does not even parse what is not ASCII. */
static bool refused(const char *why, const char *field, const char *text)
{
	return !strcmp(why, field) ||
	       (text[0] & 0x80 && !strcmp(why, "not a JSON object"));
}

/*
 * No key vouches for the texts of the newest manifest, and a report, gnuplot and the
 * terminal get them.
 */
TEST_F_TIMEOUT(tamper, texts_that_imalog_does_not_write_are_refused, SECONDS)
{
	static const char * const times[] = {
		"", "now", "0\nEND\nsystem 'id'\n$a << END\n0", "2026-01-02T03:04:05Z\n",
		"<b>2026-01-02T03:04:05Z</b>", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z",
		"2026-1-2T3:4:5Z", " 2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z ",
	};
	static const char * const texts[] = {
		"6.12\n", "6.12\033[2J", "<script>", "6.12&", "\"", "'", "\\", "\xc3\xa4",
	};
	struct manifest *m = &self->m->last;
	char good[MANIFEST_TEXT + 1];
	size_t i;

	ASSERT_STREQ("", read_again(m));
	set_text(good, m->time);
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		set_text(m->time, times[i]);
		EXPECT_STREQ("time", read_again(m)) TH_LOG("time %zu", i);
	}
	set_text(m->time, good);
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		set_text(m->kernel, texts[i]);
		EXPECT_TRUE(refused(read_again(m), "kernel", texts[i])) TH_LOG("kernel %zu", i);
		set_text(m->kernel, "6.12.0");
		set_text(m->boot_id, texts[i]);
		EXPECT_TRUE(refused(read_again(m), "boot_id", texts[i])) TH_LOG("boot_id %zu", i);
		set_text(m->boot_id, "0dc9a1f2");
	}
	EXPECT_STREQ("", read_again(m));
}

TEST_F_TIMEOUT(tamper, bank_that_comes_twice_is_refused, SECONDS)
{
	struct manifest *m = &self->m->last;

	ASSERT_LE(2, m->num_banks);
	m->bank[1] = m->bank[0];
	EXPECT_STREQ("banks", read_again(m));
}

TEST_F_TIMEOUT(tamper, foreign_file_is_noticed, SECONDS)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/notes", self->m->path);
	ASSERT_EQ(0, mkdir(path, 0700));
	EXPECT_EQ(REFUSED, maker_verify(self->m));
	EXPECT_TRUE(says("notes"));
}

TEST_F_TIMEOUT(tamper, link_is_not_followed, SECONDS)
{
	char path[256], away[256];

	maker_path(self->m, shards[0], "records", path);
	snprintf(away, sizeof(away), "%s.away", self->m->path);
	ASSERT_EQ(0, rename(path, away));
	ASSERT_EQ(0, symlink(away, path));
	EXPECT_EQ(IO, maker_verify(self->m));
	EXPECT_TRUE(says(shards[0]));
	ASSERT_EQ(0, unlink(path));
	ASSERT_EQ(0, mkfifo(path, 0600));
	EXPECT_EQ(IO, maker_verify(self->m));
	ASSERT_EQ(0, unlink(away));
}

TEST_HARNESS_MAIN
