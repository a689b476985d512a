/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Add a shard to the archive, and drop old chains.
 */
#ifndef _ARCHIVE_WRITE_H
#define _ARCHIVE_WRITE_H

#include "archive.h"

#define NEW_SHARD_BUF	(64u << 10)

/**
 * struct new_shard - a shard that is not in the archive yet
 * @archive: the archive
 * @chain: number of its chain
 * @min_free: bytes that must be free on the archive's disk
 * @chain_fd: folder of the chain
 * @fd: folder of the shard, ARCHIVE_NEW
 * @file: its files, open for read and write; -1: not made yet
 * @len: bytes in @buf
 * @buf: records that are not written yet
 */
struct new_shard {
	const struct archive *archive;
	__u64 chain;
	__u64 min_free;
	int chain_fd;
	int fd;
	int file[SHARD_FILES];
	size_t len;
	__u8 buf[NEW_SHARD_BUF];
};

enum status archive_free(const struct archive *a, __u64 *left);
enum status archive_room(const struct archive *a, __u64 min_free, size_t len);
enum status archive_would_have_room(const char *path, __u64 min_free, __u64 len);
enum status archive_drop_new(const struct archive *a);
enum status new_shard_begin(struct new_shard *n, const struct archive *a, __u64 chain,
			    __u64 min_free);
enum status new_shard_write(struct new_shard *n, const void *data, size_t len);
enum status new_shard_restart(struct new_shard *n);
enum status new_shard_cut(struct new_shard *n, __u64 bytes, __u8 hash[HASH_SIZE]);
enum status new_shard_blob(struct new_shard *n, enum shard_file file,
			   const struct ima_quote_blob *blob, __u8 hash[HASH_SIZE]);
enum status new_shard_manifest(struct new_shard *n, const struct manifest *m);
enum status new_shard_open(const struct new_shard *n, struct shard *s);
enum status new_shard_commit(struct new_shard *n, __u64 first);
enum status new_shard_end(struct new_shard *n);
enum status archive_keep(struct archive *a, __u64 current, __u64 keep, __u64 below);

#endif /* _ARCHIVE_WRITE_H */
