/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Make an archive without a TPM: a key of OpenSSL signs what a TPM would.
 */
#ifndef _ARCHIVE_MAKER_H
#define _ARCHIVE_MAKER_H

#include "archive_write.h"

/* With ASan on a busy machine: the harness has 30 seconds. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600

#define MAKER_BANKS	2

/* A record as it stands in a list, and its parts. */
struct maker_record {
	size_t len;
	__u8 raw[8192];
	__u8 sha1[20];
	size_t data_len;
	const __u8 *data;
};

struct maker_field {
	const void *data;
	size_t len;
};

struct maker {
	char path[64];		/* of the archive, made anew in /tmp */
	struct evp_pkey_st *key;
	struct ima_quote_blob ak;
	__u8 print[IMA_QUOTE_PRINT_SIZE];
	__u32 attributes;	/* of the next key, TPMA_OBJECT */
	__u32 magic;		/* of what is signed */
	__u32 quoted;		/* PCRs that are quoted, beside those of the banks */
	struct archive archive;
	struct banks before;
	struct banks banks;
	struct manifest last;
	__u64 chain;
	__u64 clock;
	__u32 resets;
	__u64 count;
	size_t len;
	size_t room;
	__u8 *records;
};

int maker_begin(struct maker *m);
void maker_end(struct maker *m);
int maker_new_key(struct maker *m);
void maker_write(struct maker_record *r, __u32 pcr, const char *template,
		 const struct maker_field *fields, unsigned int num);
void maker_violate(struct maker_record *r);
int maker_add(struct maker *m, const struct maker_record *r);
int maker_add_files(struct maker *m, unsigned int num, unsigned int first);
int maker_shard(struct maker *m);
void maker_reset(struct maker *m);
int maker_remove(const char *path);
void maker_path(const struct maker *m, const char *shard, const char *file,
		char path[256]);
int maker_two_shards(struct maker *m);
int maker_rewrite(const char *path, void (*change)(struct manifest *m),
		  struct manifest *was);
enum status maker_verify(const struct maker *m);

#endif /* _ARCHIVE_MAKER_H */
