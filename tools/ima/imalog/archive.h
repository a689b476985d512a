/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The archive: a folder per TPM reset (a chain), in it a folder per shard. What is
 * in it is described in imalog-archive(5).
 */
#ifndef _ARCHIVE_H
#define _ARCHIVE_H

#include <fcntl.h>

#include "manifest.h"
#include "options.h"
#include "stream.h"

#define ARCHIVE_CHAIN_DIGITS	6
#define ARCHIVE_SHARD_DIGITS	12
#define ARCHIVE_NEW		".new"		/* a shard that is not committed */
#define ARCHIVE_OLD		".old"		/* a chain that is being removed */
#define ARCHIVE_ACCEPTED	".accepted"	/* the last shard that --before-delete accepted */
#define ARCHIVE_NAME_MAX	32
#define ARCHIVE_DIR		(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/**
 * struct archive - an open archive
 * @fd: its folder
 * @path: name of it
 * @chain: numbers of the chains, in order
 * @num_chains: how many
 */
struct archive {
	int fd;
	const char *path;
	__u64 *chain;
	size_t num_chains;
};

/**
 * enum shard_file - the files of a shard, see archive_names
 * @SHARD_RECORDS: the records
 * @SHARD_QUOTE: TPMS_ATTEST
 * @SHARD_SIGNATURE: TPMT_SIGNATURE
 * @SHARD_AK: TPM2B_PUBLIC
 * @SHARD_JSON: the manifest
 * @SHARD_FILES: how many there are
 */
enum shard_file {
	SHARD_RECORDS, SHARD_QUOTE, SHARD_SIGNATURE, SHARD_AK, SHARD_JSON, SHARD_FILES
};

extern const char * const archive_names[SHARD_FILES];

/**
 * struct shard - an open shard
 * @fd: its folder
 * @file: its files if they are open already, or NULL
 * @name: chain and shard, for messages
 * @records: the same, and the file
 * @chain: number of its chain
 * @m: its manifest
 */
struct shard {
	int fd;
	const int *file;
	char name[ARCHIVE_NAME_MAX];
	char records[ARCHIVE_NAME_MAX + sizeof("/records")];
	__u64 chain;
	struct manifest m;
};

enum status archive_open(struct archive *a, const char *path, bool writer);
enum status archive_list(struct archive *a);
enum status archive_shards(const struct archive *a, __u64 chain, __u64 **first,
			   size_t *num);
enum status archive_last(struct archive *a, struct shard *s, bool *found);
bool archive_dropped(const struct archive *a);
void archive_chain_name(char name[ARCHIVE_NAME_MAX], __u64 chain);
void archive_shard_name(char name[ARCHIVE_NAME_MAX], __u64 chain, __u64 first);
int archive_open_chain(const struct archive *a, __u64 chain);
void archive_close(struct archive *a);

enum status shard_open(const struct archive *a, __u64 chain, __u64 first,
		       struct shard *s);
enum status shard_read_manifest(struct shard *s);
enum status shard_blob(const struct shard *s, enum shard_file file,
		       struct ima_quote_blob *blob);
enum status shard_hash_fd(int fd, __u8 hash[HASH_SIZE], __u64 *bytes);
enum status shard_check_quote(const struct shard *s);
enum status shard_check_records(const struct shard *s);
enum status shard_records(const struct shard *s, struct stream *stream);
void shard_close(struct shard *s);

#endif /* _ARCHIVE_H */
