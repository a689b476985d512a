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

#include "ima.h"

/**
 * ima_place_open - make an open file known to its log
 * @place: the place of the file, zeroed
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
	enum ima_place_rest rest = READ_ONCE(place->rest);
	u64 unread = place->next - (rest != IMA_PLACE_REST_NONE);
	u64 shown = place->next - (rest == IMA_PLACE_REST_WHOLE);

	if (!place->started)
		return false;
	if (place->at_end && rest == IMA_PLACE_REST_NONE)
		return false;
	return unread < end && shown > first;
}

/**
 * ima_place_in_middle - is an open file in the middle of these records?
 * @log: the log
 * @list: the list of @log that the records are in
 * @end: number of the first record that is none of them, from the list's head
 * @except: process whose files do not matter
 *
 * A file that showed none of them, or that was at the end of the list when it
 * was last read, is not.
 *
 * Return: true if a file showed some of the records, and some of them not.
 */
bool ima_place_in_middle(struct ima_log *log, const struct ima_list *list,
			 u64 end, const struct pid *except)
{
	const struct ima_place *place;

	lockdep_assert_held_write(&log->reading);

	list_for_each_entry(place, &log->places, node)
		if (place->list == list && place->owner != except &&
		    ima_place_splits(place, list->first, end))
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
	up_read(&place->log->reading);
}

/**
 * ima_place_prepare - get ready to read at an offset, or to seek to it
 * @place: the place of an open file
 * @offset: byte offset in the file
 * @reached: byte offset that the file was read up to
 *
 * An offset that was not just reached is found by counting bytes from the
 * first record shown, which takes every record before it. Checked here, as
 * seq_file loses its state over an error.
 *
 * Return: 0, or -ESTALE if a record before @offset left the list.
 */
int ima_place_prepare(struct ima_place *place, loff_t offset, loff_t reached)
{
	int ret = 0;

	down_read(&place->log->reading);
	if (offset != reached && place->started &&
	    place->base != place->list->first)
		ret = -ESTALE;
	up_read(&place->log->reading);
	return ret;
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
 * @pos: index of the record in the file
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
		place->next = list->first;
	}

	wanted = place->base + pos;
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
 * @pos: index in the file of the record to show next
 */
void ima_place_stop(struct ima_place *place, loff_t pos)
{
	place->next = place->base + pos;
	up_read(&place->log->reading);
}
