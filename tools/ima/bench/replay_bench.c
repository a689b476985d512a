// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast a list is parsed and replayed, beside what OpenSSL takes just to hash the
 * same bytes.
 *
 *	replay_bench RECORDS FILE	FILE: the list is written there as well
 *
 * Prints figures for scripts/bench: a name and a value in each line, nanoseconds for
 * each record, the best of some runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "ima_log.h"

#define RUNS		5
#define RECORD_MAX	256
#define DIGEST_SIZE	20

static const char * const algs[] = { "sha256", "sha1", "sha384", "sha512" };

static __u8 *list;
static size_t len;
static size_t data_len;	/* of all records, template data only */

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "replay_bench: %s\n", what);
	exit(1);
}

static __u8 *put(__u8 *p, const void *data, size_t n)
{
	memcpy(p, data, n);
	return p + n;
}

static __u8 *put_u32(__u8 *p, __u32 v)
{
	return put(p, &v, sizeof(v));
}

/* Records as of a distribution: template ima-ng, SHA-256, paths of 30 to 60 bytes. */
static void make_list(unsigned long records)
{
	__u8 digest[8 + 32] = "sha256:", *p, *claimed, *data;
	char name[80];
	unsigned long i;
	int n;

	list = malloc(records * RECORD_MAX);
	if (!list)
		die("out of memory");
	p = list;
	for (i = 0; i < records; i++) {
		memcpy(digest + 8, &i, sizeof(i));
		n = snprintf(name, sizeof(name), "/usr/lib/x86_64-linux-gnu/%.*slib-%lu.so",
			     (int)(i % 24), "a/directory/of/some/name", i);
		p = put_u32(p, 10);
		claimed = p;
		p = put_u32(p + DIGEST_SIZE, 6);
		p = put(p, "ima-ng", 6);
		p = put_u32(p, 8 + sizeof(digest) + n + 1);
		data = p;
		p = put(put_u32(p, sizeof(digest)), digest, sizeof(digest));
		p = put(put_u32(p, n + 1), name, n + 1);
		EVP_Digest(data, p - data, claimed, NULL, EVP_sha1(), NULL);
		data_len += p - data;
	}
	len = p - list;
}

/* Parse all, and replay it in so many banks. */
static long long replay_once(unsigned int banks)
{
	struct ima_log_bank bank[ARRAY_SIZE(algs)];
	struct ima_log_replay replay = { .banks = bank, .num_banks = banks };
	struct ima_log_parser p;
	long long start, end;
	unsigned int i;

	for (i = 0; i < banks; i++)
		if (ima_log_bank_init(&bank[i], ima_log_alg_by_name(algs[i]),
				      IMA_LOG_OWN_HASH))
			die("bank");
	start = now_ns();
	ima_log_init(&p, list, len, DIGEST_SIZE, IMA_LOG_HOST);
	if (ima_log_replay(&replay, &p, -1UL))
		die(p.error);
	end = now_ns();
	for (i = 0; i < banks; i++)
		ima_log_bank_free(&bank[i]);
	return end - start;
}

/* What `openssl speed -evp` does, with the bytes of the average record. */
static long long hash_once(unsigned int banks, unsigned long records)
{
	size_t size = data_len / records;
	__u8 digest[EVP_MAX_MD_SIZE];
	long long total = 0, start;
	unsigned long n;
	unsigned int i;
	EVP_MD *md;

	for (i = 0; i < banks; i++) {
		md = EVP_MD_fetch(NULL, algs[i], NULL);
		start = now_ns();
		for (n = 0; n < records; n++) {
			EVP_Digest(list + n % 1000, size, digest, NULL, md, NULL);
			EVP_Digest(list + n % 1000, 2 * EVP_MD_get_size(md), digest,
				   NULL, md, NULL);
		}
		total += now_ns() - start;
		EVP_MD_free(md);
	}
	return total;
}

static void measure(unsigned int banks, unsigned long records)
{
	long long replay = 0, hash = 0, ns;
	int i;

	for (i = 0; i < RUNS; i++) {
		ns = replay_once(banks);
		replay = !i || ns < replay ? ns : replay;
		ns = hash_once(banks, records);
		hash = !i || ns < hash ? ns : hash;
	}
	printf("replay-%u %.1f\n", banks, (double)replay / records);
	printf("hash-%u %.1f\n", banks, (double)hash / records);
}

int main(int argc, char **argv)
{
	unsigned long records = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	FILE *f;

	if (argc != 3 || !records)
		die("usage: replay_bench RECORDS FILE");
	make_list(records);
	f = fopen(argv[2], "w");
	if (!f || fwrite(list, len, 1, f) != 1 || fclose(f))
		die(argv[2]);
	measure(1, records);
	measure(4, records);
	return 0;
}
