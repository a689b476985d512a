/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where can the kernel's first record be in the archive?
 */
#ifndef _ALIGN_H
#define _ALIGN_H

#include "kernel.h"
#include "reader.h"

/**
 * struct align - places in a chain that have the kernel's first record
 * @archive: the archive
 * @chain: number of the chain
 * @raw: the record, NULL if the kernel has none
 * @len: bytes of @raw
 * @shard: first records of the shards
 * @num_shards: those that were not looked at yet
 * @place: places found in one shard
 * @num: those that were not taken yet
 */
struct align {
	const struct archive *archive;
	__u64 chain;
	__u8 *raw;
	size_t len;
	__u64 *shard;
	size_t num_shards;
	__u64 *place;
	size_t num;
};

enum status align_init(struct align *al, const struct archive *a, __u64 chain,
		       const struct kernel *k);
enum status align_next(struct align *al, __u64 *place, bool *end);
void align_end(struct align *al);

#endif /* _ALIGN_H */
