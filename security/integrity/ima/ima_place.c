// SPDX-License-Identifier: GPL-2.0-only
/*
 * File: ima_place.c
 *	An open measurement file, and its place in the list that it shows.
 *
 *	A record is formatted when it is read, one at a time. Where the next one
 *	begins is kept as its offset and its number: numbers are not used again,
 *	and records leave a list at its head only, so the number tells whether
 *	the record is still there.
 */

#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "ima_log.h"

/**
 * ima_place_open - make an open file known to its log
 * @place: the place of the file, zeroed, with log, list, show and writable set
 * @owner: the process that opens the file; keeps a reference until
 *	   ima_place_close()
 *
 * One process at a time may have files open for write. They are counted, not
 * its threads, so the count is right whoever closes the last one.
 *
 * Return: 0, or -EBUSY if another process has a file open for write.
 */
int ima_place_open(struct ima_place *place, struct pid *owner)
{
	struct ima_log *log = place->log;
	int ret = 0;

	mutex_init(&place->lock);
	place->reached.rest = true;
	place->stopped = place->reached;
	place->stop = place->reached;

	mutex_lock(&log->files);
	if (place->writable && log->writers && log->writer != owner) {
		ret = -EBUSY;
		goto out;
	}

	/* This reference keeps @writer from being another process's. */
	place->owner = get_pid(owner);
	if (place->writable) {
		log->writer = owner;
		log->writers++;
	}
	list_add_tail(&place->node, &log->places);
out:
	mutex_unlock(&log->files);
	return ret;
}

/**
 * ima_place_close - undo ima_place_open()
 * @place: the place of the file
 */
void ima_place_close(struct ima_place *place)
{
	struct ima_log *log = place->log;

	mutex_lock(&log->files);
	list_del(&place->node);
	if (place->writable && !--log->writers)
		log->writer = NULL;
	mutex_unlock(&log->files);

	put_pid(place->owner);
	kvfree(place->record.buf);
}

static bool ima_stop_in_middle(const struct ima_stop *stop, u64 first, u64 end)
{
	return !stop->rest && stop->number < end &&
	       stop->number + stop->within > first;
}

/**
 * ima_place_in_middle - is an open file in the middle of these records?
 * @log: the log
 * @first: number of the first record
 * @end: number of the first record after it that is none of them
 * @except: process whose files do not matter
 *
 * It is where the last read stopped that counts, and of one that goes on where
 * it would stop, too, as it may not get there. A file that showed none of the
 * records, or that was at the end of the list then, is not.
 *
 * Return: true if a file showed some of the records, and some of them not.
 */
bool ima_place_in_middle(struct ima_log *log, u64 first, u64 end,
			 const struct pid *except)
{
	const struct ima_place *place;
	bool found = false;

	lockdep_assert_held_write(&log->reading);

	mutex_lock(&log->files);
	list_for_each_entry(place, &log->places, node) {
		if (place->owner != except &&
		    (ima_stop_in_middle(&place->stopped, first, end) ||
		     ima_stop_in_middle(&place->stop, first, end))) {
			found = true;
			break;
		}
	}
	mutex_unlock(&log->files);
	return found;
}

/* Go to a mark: no record is in the buffer. */
static void ima_place_set(struct ima_place *place, struct ima_mark mark)
{
	place->next = mark;
	place->record.count = 0;
}

/* Have byte 0 be what is first when the file is read next. */
static void ima_place_forget(struct ima_place *place)
{
	ima_place_set(place, (struct ima_mark){});
	place->nr_marks = 0;
	place->nr_ends = 0;
	place->step = 0;
}

/* Let commands know where reading has stopped. */
static void ima_place_commit(struct ima_place *place)
{
	down_read(&place->log->reading);
	place->stopped = place->reached;
	place->stop = place->reached;
	up_read(&place->log->reading);
}

/**
 * ima_place_restart - have byte 0 be the first record there is
 * @place: the place of an open file
 *
 * Return: 0, or -EINTR if the process is killed while another read goes on.
 */
int ima_place_restart(struct ima_place *place)
{
	if (mutex_lock_killable(&place->lock))
		return -EINTR;
	ima_place_forget(place);
	place->reached = (struct ima_stop){ .rest = true };
	ima_place_commit(place);
	mutex_unlock(&place->lock);
	return 0;
}

/*
 * Keep where the next record begins. The last mark is the farthest point
 * reached; it moves on until it is a step away from the one before it. Marks
 * are as dense as they fit: when they are too many, those of records that left
 * go first.
 */
static void ima_place_mark(struct ima_place *place)
{
	struct ima_mark *marks = place->marks, *next = &place->next;
	unsigned int n = place->nr_marks, i = 0, kept = 0;

	if (n && next->offset <= marks[n - 1].offset)
		return;
	if (n > 1 && next->offset - marks[n - 2].offset < place->step)
		n--;
	if (n == IMA_MARKS) {
		while (i < n - 1 && marks[i].number < place->list->first)
			i++;
		place->step = (next->offset - marks[i].offset) * 2 / IMA_MARKS;
		for (; i < n; i++)
			if (!kept || marks[i].offset - marks[kept - 1].offset >=
				     place->step)
				marks[kept++] = marks[i];
		n = kept;
	}
	marks[n] = *next;
	place->nr_marks = n + 1;
}

/* Keep an end of the list, in place of the one that was seen first. */
static void ima_place_mark_end(struct ima_place *place)
{
	unsigned int n = min(place->nr_ends, IMA_ENDS);

	for (unsigned int i = 0; i < n; i++)
		if (place->ends[i].offset == place->next.offset)
			return;
	place->ends[place->nr_ends++ % IMA_ENDS] = place->next;
}

/* The last mark or end up to @offset, or NULL */
static const struct ima_mark *ima_place_nearest(const struct ima_place *place,
						loff_t offset)
{
	const struct ima_mark *mark = NULL, *end;

	for (unsigned int i = 0; i < place->nr_marks; i++)
		if (place->marks[i].offset <= offset)
			mark = &place->marks[i];
	for (unsigned int i = 0; i < min(place->nr_ends, IMA_ENDS); i++) {
		end = &place->ends[i];
		if (end->offset <= offset &&
		    (!mark || end->offset > mark->offset))
			mark = end;
	}
	return mark;
}

/*
 * The record at a mark that is not before the list, or NULL: the first one, if
 * that before it left.
 */
static struct ima_queue_entry *ima_place_at(struct ima_list *list,
					    const struct ima_mark *mark)
{
	struct list_head *before = &list->head;

	/* pairs with ima_queue_add(): a record is there once it counts */
	if (mark->number - list->first >= smp_load_acquire(&list->count))
		return NULL;
	if (mark->number > list->first)
		before = &mark->before->later;
	return list_next_or_null_rcu(&list->head, before,
				     struct ima_queue_entry, later);
}

/* Where reading stops that ends at @offset: in the buffer, or at its end */
static struct ima_stop ima_place_stop(const struct ima_place *place,
				      loff_t offset)
{
	bool within = offset < place->next.offset;

	return (struct ima_stop){
		.number = place->next.number - within,
		.within = within,
		.rest = !within && place->at_end,
	};
}

/*
 * The byte at @offset is in the buffer, and up to @room bytes are copied from
 * there. Commands are to know where that leads before they can come in between.
 */
static void ima_place_take(struct ima_place *place, loff_t offset, size_t room)
{
	struct ima_list *list = place->list;
	struct ima_mark *next = &place->next;

	place->at_end = next->number >= list->first &&
			!ima_place_at(list, next);
	place->stopped = place->reached;
	place->stop = ima_place_stop(place,
				     min_t(loff_t, offset + room, next->offset));
}

/* Is the byte at @offset in the buffer? If it is the first, it can be gone. */
static bool ima_place_at_hand(const struct ima_place *place, loff_t offset)
{
	loff_t end = place->next.offset, begin = end - place->record.count;

	return offset < end && (offset > begin ||
	       (offset == begin && place->next.number > place->list->first));
}

/* Go to the last mark up to @offset, unless it is nearer from here. */
static int ima_place_jump(struct ima_place *place, loff_t offset, size_t room)
{
	loff_t end = place->next.offset;
	const struct ima_mark *mark;
	int ret = 0;

	if (offset == end)
		return 0;

	down_read(&place->log->reading);
	if (ima_place_at_hand(place, offset)) {
		ima_place_take(place, offset, room);
		goto out;
	}
	mark = ima_place_nearest(place, offset);
	if (offset > end && (!mark || mark->offset <= end))
		goto out;
	if (mark && mark->number >= place->list->first)
		ima_place_set(place, *mark);
	else
		ret = -ESTALE;
out:
	up_read(&place->log->reading);
	return ret;
}

/* Format the record at @place->next into the buffer, and go on to its end. */
static int ima_place_show(struct ima_place *place, struct ima_queue_entry *qe)
{
	struct seq_file *m = &place->record;

	m->count = 0;
	place->show(m, qe);
	if (seq_has_overflowed(m)) {
		m->count = 0;
		return -EOVERFLOW;
	}
	ima_place_mark(place);	/* byte 0, the first time */
	place->next.offset += m->count;
	place->next.number++;
	place->next.before = qe;
	ima_place_mark(place);
	return 1;
}

/*
 * Have the next record in the buffer, on the way to @offset. Records can be
 * added meanwhile, but none leaves the log. Return 1; 0 at the end of the list;
 * -EOVERFLOW if the buffer is too small; or -ESTALE.
 */
static int ima_place_step(struct ima_place *place, loff_t offset, size_t room)
{
	struct ima_list *list = place->list;
	struct ima_mark *next = &place->next;
	struct ima_queue_entry *qe;
	int ret = 0;

	down_read(&place->log->reading);
	place->stopped = place->reached;
	place->stop = place->reached;
	if (!place->nr_marks)
		next->number = list->first;
	if (next->number < list->first) {
		ret = -ESTALE;
		goto out;
	}

	qe = ima_place_at(list, next);
	if (qe)
		ret = ima_place_show(place, qe);
	if (ret > 0 && offset < next->offset)
		ima_place_take(place, offset, room);
out:
	up_read(&place->log->reading);
	return ret;
}

/* A larger buffer. Nobody waits for this: @log->reading is not held. */
static int ima_place_grow(struct ima_place *place)
{
	struct seq_file *m = &place->record;
	size_t size = m->size ? m->size * 2 : PAGE_SIZE;
	char *buf = kvmalloc(size, GFP_KERNEL_ACCOUNT);

	if (!buf)
		return -ENOMEM;
	kvfree(m->buf);
	m->buf = buf;
	m->size = size;
	return 0;
}

/*
 * Have the byte at @offset in the buffer, to copy up to @room from there. Return
 * 1; 0 if that is the end of the list, or beyond; or an error.
 */
static int ima_place_go(struct ima_place *place, loff_t offset, size_t room)
{
	int ret = ima_place_jump(place, offset, room);

	if (ret)
		return ret;
	while (offset >= place->next.offset) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = ima_place_step(place, offset, room);
		if (ret == -EOVERFLOW)
			ret = ima_place_grow(place) ?: 1;
		if (ret <= 0)
			return ret;
		cond_resched();
	}
	return 1;
}

/* Copy from @offset on what is in the buffer. No lock but this file's is held. */
static int ima_place_copy(struct ima_place *place, loff_t *offset,
			  struct iov_iter *to)
{
	const struct seq_file *m = &place->record;
	size_t left = place->next.offset - *offset, n;

	n = copy_to_iter(m->buf + m->count - left, left, to);
	if (!n)
		return -EFAULT;
	*offset += n;
	place->reached = ima_place_stop(place, *offset);
	return 0;
}

/**
 * ima_place_read - read an open file
 * @place: the place of the file
 * @offset: byte offset in the file, moves on
 * @to: where to
 *
 * The first read that gets something decides which record is at byte 0.
 *
 * Return: the number of bytes; 0 at the end of the list; -ESTALE if the record
 * at @offset left the list, or the last one before it that is remembered did;
 * -ENOMEM if there is no memory for a record; -EFAULT; -EINTR if the process is
 * killed.
 */
ssize_t ima_place_read(struct ima_place *place, loff_t *offset,
		       struct iov_iter *to)
{
	loff_t begin = *offset;
	bool fresh;
	int ret = 0;

	if (!iov_iter_count(to))
		return 0;
	if (mutex_lock_killable(&place->lock))
		return -EINTR;

	fresh = !place->nr_marks;
	while (!ret && iov_iter_count(to)) {
		ret = ima_place_go(place, *offset, iov_iter_count(to));
		if (ret > 0) {
			ret = ima_place_copy(place, offset, to);
		} else if (!ret) {
			place->reached.rest = true;
			break;
		}
	}
	if (fresh && *offset == begin)
		ima_place_forget(place);
	else if (!ret && place->reached.rest)
		ima_place_mark_end(place);
	ima_place_commit(place);
	mutex_unlock(&place->lock);
	return *offset - begin ?: ret;
}
