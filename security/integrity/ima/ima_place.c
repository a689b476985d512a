// SPDX-License-Identifier: GPL-2.0-only
/*
 * File: ima_place.c
 *	The place of an open measurement file in the list that it shows.
 *
 *	It is kept by record, so that reading on takes the same time anywhere
 *	in the list, and by the record's number, which tells whether the
 *	record is still there: records leave a list at its head only, and
 *	their numbers are not used again.
 */

#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>

#include "ima.h"

/**
 * ima_place_open - make an open file known to its log
 * @place: the place of the file, zeroed but for @f_pos
 * @log: the log
 * @list: the list of @log that the file shows
 * @owner: the process that opens the file; keeps a reference until
 *	   ima_place_close()
 * @writable: whether the file is open for write
 *
 * One process at a time may have files open for write. They are counted, not
 * its threads, so the count is right whoever closes the last one.
 *
 * Return: 0, or -EBUSY if another process has a file open for write.
 */
int ima_place_open(struct ima_place *place, struct ima_log *log,
		   struct ima_list *list, struct pid *owner, bool writable)
{
	int ret = 0;

	mutex_init(&place->lock);
	place->log = log;
	place->list = list;
	place->writable = writable;

	down_write(&log->reading);
	if (writable && log->writers && log->writer != owner) {
		ret = -EBUSY;
		goto out;
	}

	/* This reference keeps @writer from being another process's. */
	place->owner = get_pid(owner);
	if (writable) {
		log->writer = owner;
		log->writers++;
	}
	list_add_tail(&place->node, &log->places);
out:
	up_write(&log->reading);
	return ret;
}

/**
 * ima_place_close - undo ima_place_open()
 * @place: the place of the file
 */
void ima_place_close(struct ima_place *place)
{
	struct ima_log *log = place->log;

	down_write(&log->reading);
	list_del(&place->node);
	if (place->writable && !--log->writers)
		log->writer = NULL;
	up_write(&log->reading);

	put_pid(place->owner);
}

/* Has the file shown some, not all, of the records from @first to before @end? */
static bool ima_place_splits(const struct ima_place *place, u64 first, u64 end)
{
	const struct ima_mark *mark = &place->after;
	loff_t own = READ_ONCE(*place->f_pos);

	if (!place->begun || !own)
		return false;
	/* a pread() there, or a read() that is about to return */
	if (own != mark->offset && own == place->before.offset)
		mark = &place->before;
	if (mark->end)
		return false;
	return mark->number < end &&
	       mark->number + (mark->begin != mark->offset) > first;
}

/**
 * ima_place_in_middle - is an open file in the middle of these records?
 * @log: the log
 * @first: number of the first record
 * @end: number of the first record after it that is none of them
 * @except: process whose files do not matter
 *
 * It is the file's own offset that counts, which pread(2) does not move. A file
 * that showed none of them, or that was at the end of the list when it was last
 * read, is not.
 *
 * Return: true if a file showed some of the records, and some of them not.
 */
bool ima_place_in_middle(struct ima_log *log, u64 first, u64 end,
			 const struct pid *except)
{
	const struct ima_place *place;

	lockdep_assert_held_write(&log->reading);

	list_for_each_entry(place, &log->places, node)
		if (place->owner != except &&
		    ima_place_splits(place, first, end))
			return true;
	return false;
}

/**
 * ima_place_restart - have byte 0 be the first record there is
 * @place: the place of an open file
 */
void ima_place_restart(struct ima_place *place)
{
	down_read(&place->log->reading);
	place->started = false;
	place->begun = false;
	place->origin = 0;
	up_read(&place->log->reading);
}

/* Where seq_file is. */
static struct ima_mark ima_place_here(const struct ima_place *place,
				      const struct seq_file *m)
{
	struct ima_mark here = {
		.offset = place->origin + m->read_pos,
		.number = place->origin_number + m->index,
	};

	here.begin = here.offset;
	here.end = place->at_end && !m->count;
	if (!m->count)
		return here;

	here.number--;
	/* After a failed copy, it can be in a record before the last one. */
	if (m->from < place->shown_at)
		here.begin = -1;
	else
		here.begin -= m->from - place->shown_at;
	return here;
}

/* A mark that tells which record is at an offset, or NULL */
static const struct ima_mark *ima_place_find(const struct ima_place *place,
					     loff_t offset)
{
	if (place->after.offset == offset && place->after.begin >= 0)
		return &place->after;
	if (place->before.offset == offset && place->before.begin >= 0)
		return &place->before;
	return NULL;
}

/* Have seq_file count from a record on, to find its offset anew. */
static void ima_place_count_from(struct ima_place *place, struct seq_file *m,
				 loff_t begin, u64 number)
{
	place->origin = begin;
	place->origin_number = number;
	m->read_pos = -1;
}

/**
 * ima_place_prepare - get ready to read at an offset, or to seek to it
 * @place: the place of an open file
 * @m: its seq_file, for which byte 0 is at @place->origin
 * @offset: byte offset in the file
 * @own: whether that is the file's own offset, where read(2) goes on
 *
 * seq_file goes on where it is. The file's own offset, if pread(2) led away
 * from it, is found by its record. Any other one is found by counting bytes
 * from byte 0, which takes every record from there on.
 *
 * Return: 0, or -ESTALE if a record that it takes left the list.
 */
int ima_place_prepare(struct ima_place *place, struct seq_file *m,
		      loff_t offset, bool own)
{
	struct ima_list *list = place->list;
	struct ima_mark here, to;
	const struct ima_mark *mark;
	int ret = -ESTALE;

	down_read(&place->log->reading);
	if (!place->started)
		goto ready;

	here = ima_place_here(place, m);
	mark = own ? ima_place_find(place, offset) : NULL;
	to = mark ? *mark : (struct ima_mark){ offset, -1, place->base };
	if (offset == here.offset) {
		/* The rest of a record comes from the buffer. */
		if (here.begin == offset && here.number < list->first)
			goto out;
		to = here;
	} else if (mark) {
		if (mark->number < list->first)
			goto out;
		ima_place_count_from(place, m, to.begin, to.number);
	} else {
		if (place->base != list->first)
			goto out;
		ima_place_count_from(place, m, 0, place->base);
	}
	if (own)
		place->before = to;
ready:
	ret = 0;
out:
	up_read(&place->log->reading);
	return ret;
}

/**
 * ima_place_note - note where read(2) or lseek(2) has led
 * @place: the place of an open file
 * @m: its seq_file
 * @got: whether something was read
 */
void ima_place_note(struct ima_place *place, const struct seq_file *m,
		    bool got)
{
	down_read(&place->log->reading);
	place->after = ima_place_here(place, m);
	place->begun |= got;
	up_read(&place->log->reading);
}

/* The last record shown, if that is not yet past @wanted, or the first. */
static struct ima_queue_entry *ima_place_nearest(struct ima_place *place,
						 u64 wanted, u64 *number)
{
	struct ima_list *list = place->list;

	if (place->qe && place->number >= list->first &&
	    place->number <= wanted) {
		*number = place->number;
		return place->qe;
	}

	*number = list->first;
	return list_first_or_null_rcu(&list->head, struct ima_queue_entry,
				      later);
}

/**
 * ima_place_start - begin a read section and go to a record
 * @place: the place of an open file
 * @pos: index of the record, from @place->origin_number
 *
 * No record leaves the log until ima_place_stop(). Records can be added.
 *
 * Return: the record, NULL at the end of the list, or -ESTALE if the record
 * left the list.
 */
struct ima_queue_entry *ima_place_start(struct ima_place *place, loff_t pos)
{
	struct ima_list *list = place->list;
	struct ima_queue_entry *qe;
	u64 number, wanted;

	down_read(&place->log->reading);
	if (!place->started) {
		place->started = true;
		place->base = list->first;
		place->origin_number = list->first;
		place->before = (struct ima_mark){ .number = list->first };
		place->after = place->before;
	}

	wanted = place->origin_number + pos;
	if (wanted < list->first)
		return ERR_PTR(-ESTALE);

	qe = ima_place_nearest(place, wanted, &number);
	for (; qe && number < wanted; number++)
		qe = list_next_or_null_rcu(&list->head, &qe->later,
					   struct ima_queue_entry, later);
	place->at_end = !qe;
	if (qe) {
		place->qe = qe;
		place->number = wanted;
	}
	return qe;
}

/**
 * ima_place_next - go to the next record
 * @place: a place at a record, in a read section
 *
 * Return: the record, or NULL at the end of the list.
 */
struct ima_queue_entry *ima_place_next(struct ima_place *place)
{
	struct ima_queue_entry *qe;

	lockdep_assert_held_read(&place->log->reading);

	qe = list_next_or_null_rcu(&place->list->head, &place->qe->later,
				   struct ima_queue_entry, later);
	place->at_end = !qe;
	if (qe) {
		place->qe = qe;
		place->number++;
	}
	return qe;
}

/**
 * ima_place_stop - end a read section
 * @place: the place of an open file
 */
void ima_place_stop(struct ima_place *place)
{
	up_read(&place->log->reading);
}
