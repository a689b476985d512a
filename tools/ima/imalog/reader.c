// SPDX-License-Identifier: GPL-2.0-only
/*
 * The records of a chain, from any record on.
 */
#include <stdlib.h>
#include <string.h>

#include "reader.h"

/**
 * reader_init() - begin at a record
 * @r: reader, to be closed with reader_close()
 * @a: archive, which must stay
 * @chain: number of the chain
 * @from: number of the record
 */
void reader_init(struct reader *r, const struct archive *a, __u64 chain, __u64 from)
{
	memset(r, 0, sizeof(*r));
	r->archive = a;
	r->chain = chain;
	r->next = from;
}

/**
 * reader_close() - release all
 * @r: reader
 */
void reader_close(struct reader *r)
{
	if (!r->open)
		return;
	stream_close(&r->stream);
	shard_close(&r->shard);
	r->open = false;
}

/* The shard that has the next record; shards that were added meanwhile are seen. */
static enum status find_shard(struct reader *r, bool *end)
{
	enum status status;
	__u64 *first;
	size_t num;

	*end = true;
	status = archive_shards(r->archive, r->chain, &first, &num);
	if (status)
		return status;
	while (num && first[num - 1] > r->next)
		num--;
	if (num) {
		status = shard_open(r->archive, r->chain, first[num - 1], &r->shard);
		if (!status)
			*end = r->next >= r->shard.m.first + r->shard.m.count;
		if (!status && *end)
			shard_close(&r->shard);
	}
	free(first);
	return status;
}

static enum status open_shard(struct reader *r, bool *end)
{
	struct ima_log_record rec;
	enum status status;

	status = find_shard(r, end);
	if (status || *end)
		return status;
	r->open = true;
	memset(&r->stream, 0, sizeof(r->stream));
	status = shard_records(&r->shard, &r->stream);
	while (!status && stream_number(&r->stream) < r->next && !*end)
		status = stream_next(&r->stream, &rec, end);
	return status;
}

/**
 * reader_next() - get the next record
 * @r: reader
 * @rec: the record, valid until the next call
 * @end: the archive has no more; call again when it may have
 *
 * Return: DONE, IO, or REFUSED: damaged.
 */
enum status reader_next(struct reader *r, struct ima_log_record *rec, bool *end)
{
	enum status status;

	*end = false;
	for (;;) {
		if (!r->open) {
			status = open_shard(r, end);
			if (status || *end)
				return status;
		}
		status = stream_next(&r->stream, rec, end);
		if (status || !*end)
			break;
		if (r->next < r->shard.m.first + r->shard.m.count)
			return say(REFUSED, "%s: records: ends before record %llu",
				   r->shard.name, r->next);
		reader_close(r);
	}
	r->next += !status;
	return status;
}
