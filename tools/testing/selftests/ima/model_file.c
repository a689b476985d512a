// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the rules say of opening, seeking and reading. Places in a list are bytes
 * from its first record ever, in the format that a file shows: a record that
 * left was at less than where the first one begins.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "model.h"

static void file_restart(struct model_file *file)
{
	model_record_put(file->hand);
	file->hand = NULL;
	file->begun = false;
	file->near_known = false;
	file->places = 0;
	file->rest = true;
	file->vague = false;
	file->ends = 0;
}

/**
 * model_opened() - W1, R1: a process has opened a file, or has failed to
 * @model: the model
 * @file: all but ->open is set
 * @ret: what open(2) returned
 *
 * Return: NULL if that is right, or what is right.
 */
const char *model_opened(struct model *model, struct model_file *file, long ret)
{
	const struct model_file *other;

	for (other = model->file; other < model->file + model->files; other++)
		if (other->open && other->process != file->process &&
		    file->flags != O_RDONLY && other->flags != O_RDONLY)
			return model_expect(ret, -EBUSY);
	if (ret < 0)
		return "expected to be opened";
	file->open = true;
	file->offset = 0;
	file->hand = NULL;
	file_restart(file);
	return NULL;
}

/**
 * model_closed() - a file was closed
 * @file: the file
 */
void model_closed(struct model_file *file)
{
	model_record_put(file->hand);
	file->open = false;
}

/**
 * model_seeked() - lseek(2) has been called
 * @file: the file
 * @offset: its argument
 * @whence: its argument
 * @ret: what it returned
 *
 * Return: NULL if that is right, or what is right.
 */
const char *model_seeked(struct model_file *file, off_t offset, int whence, long ret)
{
	if (whence == SEEK_END && file->flags != O_WRONLY)
		return model_expect(ret, -EINVAL);
	if (whence == SEEK_CUR)
		offset += file->offset;
	if (offset < 0)
		return model_expect(ret, -EINVAL);
	if (ret == offset) {
		file->offset = offset;
		if (!offset)
			file_restart(file);
	}
	return model_expect(ret, offset);
}

/* Does the file remember a place for sure that is not gone, and not behind @pos? */
static bool leads_to(const struct model_file *file, off_t first, off_t pos)
{
	unsigned long i;

	if (!file->begun || (file->zero >= first && file->zero <= pos))
		return true;
	if (file->near_known && file->near >= first && file->near <= pos)
		return true;
	for (i = 0; i < MODEL_ENDS && i < file->ends; i++)
		if (file->end_sure[i] && file->end[i] >= first && file->end[i] <= pos)
			return true;
	return false;
}

/* The end of the list is at @end. @sure: the file has seen that it is. */
static void file_saw_end(struct model_file *file, off_t end, bool sure)
{
	unsigned long i = file->ends % MODEL_ENDS;
	unsigned long last = (file->ends + MODEL_ENDS - 1) % MODEL_ENDS;

	if (file->ends && file->end[last] == end) {
		file->end_sure[last] |= sure;
		return;
	}
	file->end[i] = end;
	file->end_sure[i] = sure;
	file->ends++;
}

/* A read failed: nothing says if the file is where it was, or nowhere. */
static void file_lost(struct model_file *file, off_t pos, long ret)
{
	if (!file->begun)
		return;
	if (file->near != pos)
		file->near_known = false;
	if (ret == -ESTALE)
		file->rest = true;
	else if (file->places == MODEL_PLACES)
		file->vague = true;
	else
		file->place[file->places++] = pos;
}

/* A read ended at @stop, the list at @end; @over: there was room for more. */
static void file_stopped(struct model_file *file, off_t stop, off_t end, bool over)
{
	file->near = stop;
	file->near_known = stop <= end;
	file->vague = false;
	file->rest = stop >= end;
	file->places = !file->rest;
	file->place[0] = stop;
	if (file->rest && file->begun)
		file_saw_end(file, end, over && stop == end);
}

static unsigned long number_at(const struct model_list *list, const off_t *start, off_t pos)
{
	unsigned long low = list->first, high = list->end, mid;

	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (start[mid] <= pos)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static const char *differs(const struct model_list *list, int format, off_t pos,
			   const char *data, size_t len)
{
	const off_t *start = list->start[format];
	const struct model_record *record;
	size_t done = 0, skip, part;
	unsigned long n;

	for (n = number_at(list, start, pos); done < len; n++) {
		record = list->record[n];
		skip = pos + done - start[n];
		part = start[n + 1] - start[n] - skip;
		if (part > len - done)
			part = len - done;
		if (memcmp(data + done, record->data + record->at[format] + skip, part))
			return model_expected("wrong bytes, expected those of record", n);
		done += part;
	}
	return NULL;
}

/* The record at @pos is at hand from now on. */
static void file_take(struct model_file *file, const struct model_list *list, off_t pos)
{
	const off_t *start = list->start[file->format];
	unsigned long n = number_at(list, start, pos);

	if (pos < start[list->first])
		return;
	model_record_put(file->hand);
	file->hand = list->record[n];
	file->hand->users++;
	file->hand_at = start[n];
}

/*
 * A reader may have a copy of the record that its last read ended with. The rules
 * leave open if it gets the rest of that when the record has left the list, and
 * what follows in the list if that has not, or ESTALE at once.
 */
static bool got_rest_at_hand(struct model *model, struct model_file *file,
			     const struct model_read *read, off_t pos)
{
	const struct model_list *list = &model->list[file->which];
	const off_t *start = list->start[file->format];
	const struct model_record *hand = file->hand;
	const unsigned int *at = hand ? &hand->at[file->format] : NULL;
	off_t hand_end = hand ? file->hand_at + at[1] - at[0] : 0;
	off_t end = hand_end < start[list->first] ? hand_end : start[list->end];
	size_t part;

	if (!hand || pos < file->hand_at || pos >= hand_end)
		return false;
	if (!read->room)
		return read->fault && read->ret == -EFAULT;
	if (end - pos > (off_t)read->room)
		end = pos + read->room;
	part = (end < hand_end ? end : hand_end) - pos;
	if (read->ret != end - pos ||
	    memcmp(read->data, hand->data + at[0] + pos - file->hand_at, part) ||
	    (end > hand_end && differs(list, file->format, hand_end, read->data + part,
				       end - hand_end)))
		return false;
	model->hand_reads++;
	file_take(file, list, end - 1);
	file_stopped(file, end, start[list->end], (size_t)(end - pos) < read->room);
	return true;
}

/**
 * model_has_read() - R2, R3, R4: a file was read, or that has failed
 * @model: the model
 * @file: the file, whose ->offset is the caller's to move
 * @read: what was asked for and what came
 *
 * Return: NULL if that is right, or what is right.
 */
const char *model_has_read(struct model *model, struct model_file *file,
			   const struct model_read *read)
{
	const struct model_list *list = &model->list[file->which];
	const off_t *start = list->start[file->format];
	off_t zero = file->begun ? file->zero : start[list->first];
	off_t pos = zero + read->offset, end = start[list->end];
	size_t left = pos < end ? end - pos : 0;
	long want = left < read->room ? left : read->room;
	const char *wrong = NULL;
	bool leads;

	if (read->fault && !want && left)
		want = -EFAULT;
	if (pos < start[list->first])
		want = -ESTALE;
	if (want == -ESTALE && got_rest_at_hand(model, file, read, pos))
		return NULL;
	leads = want == -ESTALE || leads_to(file, start[list->first], pos);
	model->free_reads += !leads;
	if (read->ret != want && (read->ret != -ESTALE || leads))
		return model_expected("expected", want);
	if (read->ret < 0) {
		if (read->ret == -EFAULT && file->begun)
			file_take(file, list, pos);
		file_lost(file, pos, read->ret);
		return NULL;
	}
	if (want)
		wrong = differs(list, file->format, pos, read->data, want);
	if (want && !file->begun) {
		file->begun = true;
		file->zero = zero;
	}
	if (want)
		file_take(file, list, pos + want - 1);
	else if (file->begun && list->end > list->first)
		file_take(file, list, end - 1);
	file_stopped(file, pos + want, end, (size_t)want < read->room);
	return wrong;
}
