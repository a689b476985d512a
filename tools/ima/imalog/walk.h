/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Go from shard to shard, and see that none is missing.
 */
#ifndef _WALK_H
#define _WALK_H

#include "archive.h"

/**
 * struct walk - a place in the archive
 * @archive: the archive
 * @shard: the shard at hand
 * @open: whether there is one
 * @begun: a shard was seen
 * @last: manifest of the one before
 * @chain: place in the archive's chains
 * @list: the shards of this chain
 * @num: how many
 * @next: the next of them
 */
struct walk {
	struct archive *archive;
	struct shard shard;
	bool open;
	bool begun;
	struct manifest last;
	size_t chain;
	__u64 *list;
	size_t num;
	size_t next;
};

void walk_init(struct walk *w, struct archive *a);
enum status walk_next(struct walk *w, bool *end);
void walk_end(struct walk *w);

#endif /* _WALK_H */
