/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records of a chain, from any record on.
 */
#ifndef _READER_H
#define _READER_H

#include "archive.h"

/**
 * struct reader - a place in a chain
 * @archive: the archive
 * @chain: number of the chain
 * @next: number of the next record
 * @open: whether a shard is open
 * @shard: the shard
 * @stream: its records
 */
struct reader {
	const struct archive *archive;
	__u64 chain;
	__u64 next;
	bool open;
	struct shard shard;
	struct stream stream;
};

void reader_init(struct reader *r, const struct archive *a, __u64 chain, __u64 from);
enum status reader_next(struct reader *r, struct ima_log_record *rec, bool *end);
void reader_close(struct reader *r);

#endif /* _READER_H */
