// SPDX-License-Identifier: GPL-2.0-only
/*
 * The complete log since the TPM was reset: what the archive has, then what the kernel
 * has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "log.h"
#include "log_place.h"

#define TRIES	100

/* ---- the archive ------------------------------------------------------ */

static enum status add_shard(struct log *l, __u64 first)
{
	struct log_shard *more = realloc(l->shard, (l->num + 1) * sizeof(*more));
	enum status status;
	struct shard s;

	if (!more)
		return say_errno("archive");
	l->shard = more;
	status = shard_open(&l->archive, l->chain, first, &s);
	if (status)
		return status;
	shard_close(&s);
	if (first != l->end.number)
		return say(REFUSED, "%s: shard.json: the shard before it ends at record %llu",
			   s.name, l->end.number);
	more[l->num++] = (struct log_shard) { .at = l->end, .count = s.m.count };
	l->end.number += s.m.count;
	l->end.bytes += s.m.bytes;
	return DONE;
}

static bool have_chain(const struct archive *a, __u64 chain)
{
	size_t i;

	for (i = 0; i < a->num_chains; i++)
		if (a->chain[i] == chain)
			return true;
	return false;
}

/* Shards that were added since the last time. */
static enum status look(struct log *l)
{
	enum status status;
	__u64 *first;
	size_t num, i;

	status = log_find_archive(l);
	if (status || l->archive.fd < 0 || !have_chain(&l->archive, l->chain))
		return status;
	status = archive_shards(&l->archive, l->chain, &first, &num);
	for (i = l->num; i < num && !status; i++)
		status = add_shard(l, first[i]);
	free(first);
	return status;
}

/* The shard that has a record, or NULL. */
static struct log_shard *find_shard(const struct log *l, __u64 number)
{
	size_t low = 0, high = l->num, mid;

	if (number >= l->end.number)
		return NULL;
	while (high - low > 1) {
		mid = (low + high) / 2;
		if (l->shard[mid].at.number <= number)
			low = mid;
		else
			high = mid;
	}
	return &l->shard[low];
}

/* Records of a shard from a place on. */
static enum status open_shard(struct log *l, struct log_shard *ls,
			      const struct log_place *from, struct shard *s,
			      struct stream *stream)
{
	__u64 skip = from->bytes - ls->at.bytes;
	enum status status;

	status = shard_open(&l->archive, l->chain, ls->at.number, s);
	if (status)
		return status;
	if (!ls->checked)
		status = shard_check_records(s);
	ls->checked = !status;
	if (!status)
		status = shard_records(s, stream);
	if (!status)
		status = stream_skip(stream, from->number, skip);
	return status;
}

static enum status walk_shard(struct log *l, struct log_shard *ls, struct log_place *place,
			      log_visit *visit, void *context, bool *enough)
{
	struct stream stream = { .num = 0 };
	struct ima_log_record rec;
	struct shard s = { .fd = -1 };
	enum status status;
	bool end = false;

	status = open_shard(l, ls, place, &s, &stream);
	while (!status && !*enough) {
		status = stream_next(&stream, &rec, &end);
		if (status || end)
			break;
		status = visit(context, &rec, place, enough);
		place->bytes += !status ? rec.len : 0;
		place->number += !status;
	}
	if (end && place->number != ls->at.number + ls->count)
		status = say(REFUSED, "%s: records: ends before record %llu", s.name,
			     place->number);
	stream_close(&stream);
	shard_close(&s);
	return status;
}

/* ---- the kernel ------------------------------------------------------- */

static enum status pass(void *context, const struct ima_log_record *rec,
			const struct log_place *at, bool *enough)
{
	const __u64 *number = context;

	(void)rec;
	*enough = at->number + 1 == *number;
	return DONE;
}

/* Where the kernel's list begins: AGAIN if the archive does not get there. */
static enum status find_start(struct log *l)
{
	__u64 left = l->kernel.removed - l->kernel.staged;
	enum status status = DONE;
	__u64 number = l->base + left;
	struct log_shard *ls;
	bool enough;

	if (l->started == left + 1)
		return DONE;
	if (number > l->end.number)
		return AGAIN;
	ls = find_shard(l, number);
	l->start = ls ? ls->at : l->end;
	enough = l->start.number == number;
	if (!enough)
		status = walk_shard(l, ls, &l->start, pass, &number, &enough);
	l->started = status ? 0 : left + 1;
	return status;
}

/* What the kernel has. */
static enum status walk_kernel(struct log *l, struct log_place *place, log_visit *visit,
			       void *context, bool *enough)
{
	struct stream s = { .num = 0 };
	struct ima_log_record rec;
	enum status status;
	bool end = false;

	status = kernel_state(&l->kernel);
	if (!status)
		status = find_start(l);
	if (status)
		return status;
	status = kernel_stream(&l->kernel, &s, l->start.number);
	/* what is staged is in a file of its own */
	if (!status && !l->kernel.staged)
		status = stream_skip(&s, place->number, place->bytes - l->start.bytes);
	while (!status && !*enough) {
		status = stream_next(&s, &rec, &end);
		if (status || end)
			break;
		if (stream_number(&s) <= place->number)
			continue;
		status = visit(context, &rec, place, enough);
		place->bytes += !status ? rec.len : 0;
		place->number += !status;
	}
	*enough |= end && !status;
	stream_close(&s);
	return status;
}

static enum status walk_once(struct log *l, struct log_place *place, log_visit *visit,
			     void *context, bool *enough)
{
	struct log_shard *ls = find_shard(l, place->number);
	enum status status;

	if (ls)
		return walk_shard(l, ls, place, visit, context, enough);
	if (l->kernel.dir >= 0) {
		status = walk_kernel(l, place, visit, context, enough);
		return status == AGAIN ? look(l) ?: AGAIN : status;
	}
	*enough = true;
	return DONE;
}

/**
 * log_walk() - go from record to record, up to the end of the log
 * @l: log
 * @place: where to begin, and then where it ended
 * @visit: is called with each record
 * @context: is given to it
 *
 * Return: DONE, what @visit returned, REFUSED: something is missing or damaged, IO, or
 * BUSY: others delete all the time.
 */
enum status log_walk(struct log *l, struct log_place *place, log_visit *visit,
		     void *context)
{
	unsigned int tries = 0;
	bool enough = false;
	enum status status;
	__u64 start;

	do {
		status = walk_once(l, place, visit, context, &enough);
	} while ((!status && !enough) || (status == AGAIN && ++tries < TRIES));
	if (status != AGAIN)
		return status;
	start = l->base + l->kernel.removed - l->kernel.staged;
	if (start > place->number)
		return say(REFUSED,
			   "records %llu to %llu are neither in the archive nor in the kernel",
			   place->number, start - 1);
	return say(BUSY, "kernel's list: other programs delete records all the time");
}

/**
 * log_near() - a place that is known, at a record or before it
 * @l: log
 * @number: number of the record
 * @place: the place
 */
void log_near(const struct log *l, __u64 number, struct log_place *place)
{
	struct log_shard *ls = find_shard(l, number);

	*place = ls ? ls->at : l->end;
}

/**
 * log_count() - how many records were measured since the TPM was reset?
 * @l: log
 * @count: the number
 *
 * Return: DONE or IO.
 */
enum status log_count(struct log *l, __u64 *count)
{
	enum status status;

	*count = l->end.number;
	if (l->kernel.dir < 0)
		return DONE;
	status = kernel_numbers(&l->kernel);
	*count = l->base + l->kernel.removed + l->kernel.count;
	return status;
}

/**
 * log_open() - open the log
 * @l: log, to be closed with log_close() whatever is returned
 * @opt: options
 *
 * Return: DONE; REFUSED: its place is not to be found, or the archive is damaged; TPM,
 * IO, BUSY.
 */
enum status log_open(struct log *l, const struct options *opt)
{
	enum status status;

	memset(l, 0, sizeof(*l));
	l->opt = opt;
	l->archive.fd = -1;
	l->kernel.dir = -1;
	l->kernel.held = -1;
	status = opt->boot >= 0 ? log_find_chain(l) : log_find_current(l);
	return status ?: look(l);
}

/**
 * log_close() - release all
 * @l: log
 */
void log_close(struct log *l)
{
	free(l->shard);
	l->shard = NULL;
	if (l->kernel.dir >= 0)
		kernel_close(&l->kernel);
	archive_close(&l->archive);
}
