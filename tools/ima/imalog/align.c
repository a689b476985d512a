// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where can the kernel's first record be in the archive?
 *
 * A kernel that was booted by kexec, and Linux 7.2, do not tell how many records
 * left before. Their first record is looked for in the archive, from its end. The
 * same record can be there twice; which place is right, a replay to a quote tells.
 */
#include <stdlib.h>
#include <string.h>

#include "align.h"

static enum status keep_first(struct align *al, const struct kernel *k)
{
	struct stream s = { .num = 0 };
	struct ima_log_record rec;
	enum status status;
	bool end;

	status = kernel_stream(k, &s, 0);
	if (!status)
		status = stream_next(&s, &rec, &end);
	if (!status && !end) {
		al->raw = malloc(rec.len);
		al->len = rec.len;
		if (al->raw)
			memcpy(al->raw, rec.raw, rec.len);
		else
			status = say_errno("records");
	}
	stream_close(&s);
	return status;
}

/**
 * align_init() - begin to look
 * @al: what is looked for, to be ended with align_end() whatever is returned
 * @a: archive
 * @chain: number of the chain
 * @k: kernel, whose state was taken
 *
 * Return: DONE, IO, REFUSED or AGAIN.
 */
enum status align_init(struct align *al, const struct archive *a, __u64 chain,
		       const struct kernel *k)
{
	enum status status;

	memset(al, 0, sizeof(*al));
	al->archive = a;
	al->chain = chain;
	status = keep_first(al, k);
	if (!status && al->raw)
		status = archive_shards(a, chain, &al->shard, &al->num_shards);
	return status;
}

static enum status add_place(struct align *al, __u64 number)
{
	__u64 *more = realloc(al->place, (al->num + 1) * sizeof(*more));

	if (!more)
		return say_errno("records");
	al->place = more;
	more[al->num++] = number;
	return DONE;
}

/* All places in one shard. */
static enum status search(struct align *al, __u64 first)
{
	struct stream s = { .num = 0 };
	struct ima_log_record rec;
	enum status status;
	struct shard shard;
	bool end = false;

	status = shard_open(al->archive, al->chain, first, &shard);
	if (status)
		return status;
	status = shard_records(&shard, &s);
	while (!status && !end) {
		status = stream_next(&s, &rec, &end);
		if (!status && !end && rec.len == al->len &&
		    !memcmp(rec.raw, al->raw, al->len))
			status = add_place(al, stream_number(&s) - 1);
	}
	stream_close(&s);
	shard_close(&shard);
	return status;
}

/**
 * align_next() - get the next place, each nearer to the archive's beginning
 * @al: what is looked for
 * @place: number of a record in the archive that is the same as the kernel's first
 * @end: there are no more
 *
 * Return: DONE, IO or REFUSED.
 */
enum status align_next(struct align *al, __u64 *place, bool *end)
{
	enum status status = DONE;

	*end = false;
	while (!al->num && al->num_shards && !status)
		status = search(al, al->shard[--al->num_shards]);
	if (status)
		return status;
	*end = !al->num;
	if (al->num)
		*place = al->place[--al->num];
	return DONE;
}

/**
 * align_end() - release all
 * @al: what was looked for
 */
void align_end(struct align *al)
{
	free(al->raw);
	free(al->shard);
	free(al->place);
}
