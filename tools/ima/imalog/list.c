// SPDX-License-Identifier: GPL-2.0-only
/*
 * The complete log as the text or bytes of one list of the kernel, from any offset.
 * How long a record is in a list, only showing it tells; so that no read has to begin
 * at the first record, places are kept on the way.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "show.h"

#define MARKS	(64u << 10)	/* bytes from one mark to the next, at least */

/**
 * struct copy - a read
 * @list: the list
 * @place: place of the next record
 * @done: place behind the last record that was copied whole
 * @offset: offset of the first byte that is wanted
 * @buf: where it goes
 * @size: how many are wanted
 * @got: how many there are by now
 */
struct copy {
	struct list *list;
	struct list_place place;
	struct list_place done;
	__u64 offset;
	char *buf;
	size_t size;
	size_t got;
};

/**
 * list_init() - begin
 * @list: list, to be released with list_free() whatever is returned
 * @log: log, which must stay
 * @alg: TPM_ALG_ID of its bank
 * @ascii: as text
 *
 * Return: DONE, IO, REFUSED, or AGAIN.
 */
enum status list_init(struct list *list, struct log *log, __u16 alg, bool ascii)
{
	memset(list, 0, sizeof(*list));
	list->log = log;
	list->ascii = ascii;
	list->out = open_memstream(&list->text, &list->room);
	if (!list->out)
		return say_errno("list");
	return log_banks(log, &list->banks, alg);
}

/**
 * list_free() - release all
 * @list: list
 */
void list_free(struct list *list)
{
	if (list->out)
		fclose(list->out);
	free(list->text);
	free(list->mark);
	banks_free(&list->banks);
	memset(list, 0, sizeof(*list));
}

static enum status add_mark(struct list *list, const struct list_place *place)
{
	__u64 last = list->num ? list->mark[list->num - 1].offset : 0;
	struct list_place *more = list->mark;

	if (place->offset < last + MARKS)
		return DONE;
	if (!(list->num & (list->num - 1))) {
		more = realloc(more, (list->num ? 2 * list->num : 1) * sizeof(*more));
		if (!more)
			return say_errno("list");
		list->mark = more;
	}
	more[list->num++] = *place;
	return DONE;
}

/* The last place that is known at or before an offset. */
static void find_mark(const struct list *list, __u64 offset, struct list_place *place)
{
	size_t low = 0, high = list->num, mid;

	memset(place, 0, sizeof(*place));
	while (low < high) {
		mid = (low + high) / 2;
		if (list->mark[mid].offset > offset)
			high = mid;
		else
			low = mid + 1;
	}
	if (low)
		*place = list->mark[low - 1];
}

/* A record as this list has it: its length, or a negative errno. */
static long format(struct list *list, const struct ima_log_record *rec)
{
	struct ima_log_bank *bank = &list->banks.bank[0];
	int err;

	rewind(list->out);
	err = list->ascii ? show_ascii(list->out, bank, rec) :
			    show_binary(list->out, bank, rec);
	if (!err && fflush(list->out))
		err = -ENOMEM;
	return err ?: ftell(list->out);
}

static enum status copy_record(void *context, const struct ima_log_record *rec,
			       const struct log_place *at, bool *enough)
{
	struct copy *c = context;
	long len = format(c->list, rec);
	size_t skip, n;
	enum status status;

	if (len < 0) {
		errno = -len;
		return say_errno("record %llu", at->number);
	}
	c->place.at = *at;
	status = add_mark(c->list, &c->place);
	if (status)
		return status;
	if (c->place.offset + len > c->offset) {
		skip = c->got ? 0 : c->offset - c->place.offset;
		n = len - skip < c->size - c->got ? len - skip : c->size - c->got;
		memcpy(c->buf + c->got, c->list->text + skip, n);
		c->got += n;
		*enough = c->got == c->size;
		/* the next read begins within this record */
		if (skip + n < (size_t)len)
			return DONE;
	}
	c->place.offset += len;
	c->done.offset = c->place.offset;
	c->done.at.number = at->number + 1;
	c->done.at.bytes = at->bytes + rec->len;
	return DONE;
}

/**
 * list_read() - read some of a list
 * @list: list
 * @last: where the last read of the same reader ended, zeros at first; set anew
 * @offset: where to read
 * @buf: the bytes
 * @size: how many are wanted
 * @got: how many there are; fewer only at the end of the log, or before a fault
 *
 * Return: DONE, or what log_walk() returned if there are none.
 */
enum status list_read(struct list *list, struct list_place *last, __u64 offset,
		      void *buf, size_t size, size_t *got)
{
	struct copy c = { .list = list, .offset = offset, .buf = buf, .size = size };
	struct log_place at;
	enum status status;

	*got = 0;
	if (!size)
		return DONE;
	find_mark(list, offset, &c.place);
	if (last->offset <= offset && last->offset > c.place.offset)
		c.place = *last;
	c.done = c.place;
	at = c.place.at;
	status = log_walk(list->log, &at, copy_record, &c);
	*last = c.done;
	*got = c.got;
	return c.got ? DONE : status;
}

/**
 * list_size() - how long is the list now?
 * @list: list
 * @size: its bytes
 *
 * Return: DONE, or what log_walk() returned.
 */
enum status list_size(struct list *list, __u64 *size)
{
	enum status status;
	size_t got;
	char byte;

	/* behind the end of any list: all that is new is gone through */
	status = list_read(list, &list->end, LLONG_MAX, &byte, sizeof(byte), &got);
	*size = list->end.offset;
	return status;
}
