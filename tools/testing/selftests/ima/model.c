// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lists, and what the rules say of the commands.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

/**
 * model_expected() - what should have been
 * @what: in words
 * @number: and as a number
 *
 * Return: both, until the next call.
 */
const char *model_expected(const char *what, long number)
{
	static char message[160];

	snprintf(message, sizeof(message), "%s %ld", what, number);
	return message;
}

/**
 * model_expect() - is a result what it should be?
 * @ret: the result
 * @wanted: what it should be
 *
 * Return: NULL if it is, or what it should be.
 */
const char *model_expect(long ret, long wanted)
{
	return ret == wanted ? NULL : model_expected("expected", wanted);
}

static int list_grow(const struct model *model, struct model_list *list)
{
	unsigned long room = list->room ? 2 * list->room : 1024;
	void *bigger = realloc(list->record, room * sizeof(*list->record));
	int i;

	if (!bigger)
		return -ENOMEM;
	list->record = bigger;
	for (i = 0; i < model->formats; i++) {
		bigger = realloc(list->start[i], (room + 1) * sizeof(off_t));
		if (!bigger)
			return -ENOMEM;
		list->start[i] = bigger;
		if (!list->room)
			list->start[i][0] = 0;
	}
	list->room = room;
	return 0;
}

/**
 * model_init() - both lists are empty
 * @model: the model, with its formats
 *
 * Return: 0 or -errno.
 */
int model_init(struct model *model)
{
	int ret = list_grow(model, &model->list[MODEL_LIST]);

	return ret ?: list_grow(model, &model->list[MODEL_STAGED]);
}

static int list_append(const struct model *model, struct model_list *list,
		       struct model_record *record)
{
	unsigned long n = list->end;
	int i;

	if (n == list->room && list_grow(model, list))
		return -ENOMEM;
	for (i = 0; i < model->formats; i++)
		list->start[i][n + 1] = list->start[i][n] + record->at[i + 1] - record->at[i];
	list->record[n] = record;
	list->end++;
	return 0;
}

/**
 * model_add() - an event was measured
 * @model: the model
 * @event: its number
 *
 * An event that is known already makes no record.
 *
 * Return: 0 or -errno.
 */
int model_add(struct model *model, unsigned long event)
{
	struct model_record *record;

	if (model->event[event % MODEL_EVENTS].known)
		return 0;
	record = model_record(model, event);
	if (!record || list_append(model, &model->list[MODEL_LIST], record))
		return -ENOMEM;
	model->event[event % MODEL_EVENTS].known = true;
	return 0;
}

/**
 * model_count() - how long a list is
 * @model: the model
 * @which: which list
 *
 * Return: number of records.
 */
unsigned long model_count(const struct model *model, enum model_which which)
{
	return model->list[which].end - model->list[which].first;
}

/**
 * model_removed() - what runtime_measurements_removed must say
 * @model: the model
 *
 * Return: the number.
 */
unsigned long model_removed(const struct model *model)
{
	return model->removed + model->list[MODEL_LIST].first;
}

enum verdict { NO, PERHAPS, YES };

/* R2: is a file in the middle of the records from @from to @to? */
static enum verdict file_blocks(const struct model_file *file, off_t from, off_t to)
{
	int i, in = 0;

	for (i = 0; i < file->places; i++)
		in += from < file->place[i] && file->place[i] < to;
	if (file->vague)
		return PERHAPS;
	if (!in)
		return NO;
	return file->rest || in < file->places ? PERHAPS : YES;
}

/* R2: is another process in the middle of the records from @from to before @to? */
static enum verdict blocked(const struct model *model, int process, enum model_which which,
			    unsigned long from, unsigned long to)
{
	const struct model_list *list = &model->list[which];
	const struct model_file *file;
	enum verdict all = NO, one;

	for (file = model->file; file < model->file + model->files; file++) {
		if (!file->open || file->process == process || file->which != which)
			continue;
		one = file_blocks(file, list->start[file->format][from],
				  list->start[file->format][to]);
		if (one > all)
			all = one;
	}
	return all;
}

static enum verdict command_blocked(const struct model *model, int process,
				    const struct model_command *command)
{
	const struct model_list *list = &model->list[MODEL_LIST];
	const struct model_list *staged = &model->list[MODEL_STAGED];
	enum verdict in_list, in_staged;

	if (command->verb == MODEL_A)
		return blocked(model, process, MODEL_LIST, list->first, list->end);
	if (command->verb != MODEL_D)
		return blocked(model, process, MODEL_LIST, list->first,
			       list->first + command->n);
	in_staged = blocked(model, process, MODEL_STAGED, staged->first, staged->end);
	in_list = blocked(model, process, MODEL_LIST, model->batch,
			  model->batch + staged->end - staged->first);
	return in_list > in_staged ? in_list : in_staged;
}

/* All that comes before R2, in the order of the table. */
static int command_errno(const struct model *model, const struct model_command *command)
{
	bool staged = model_count(model, MODEL_STAGED);
	unsigned long count = model_count(model, MODEL_LIST);

	switch (command->verb) {
	case MODEL_WRONG:
		return -EINVAL;
	case MODEL_TOO_BIG:
		return -ERANGE;
	case MODEL_A:
		return staged ? -EEXIST : count ? 0 : -ENOENT;
	case MODEL_D:
		return staged ? 0 : -ENOENT;
	case MODEL_TN:
	case MODEL_N:
		break;
	}
	if (!command->n)
		return -EINVAL;
	if (command->verb == MODEL_TN && command->t != model_removed(model))
		return -EAGAIN;
	if (staged)
		return -EEXIST;
	return count < command->n ? -ENOENT : 0;
}

static void forget(struct model *model, struct model_record *record)
{
	if (model->flush && model->events - record->event <= MODEL_EVENTS)
		model->event[record->event % MODEL_EVENTS].known = false;
	model_record_put(record);
}

static int command_done(struct model *model, const struct model_command *command)
{
	struct model_list *list = &model->list[MODEL_LIST];
	struct model_list *staged = &model->list[MODEL_STAGED];
	unsigned long n;
	int ret = 0;

	switch (command->verb) {
	case MODEL_A:
		model->batch = list->first;
		for (; list->first < list->end && !ret; list->first++)
			ret = list_append(model, staged, list->record[list->first]);
		break;
	case MODEL_D:
		while (staged->first < staged->end)
			forget(model, staged->record[staged->first++]);
		break;
	default:
		/* Nothing is staged, so these would have been next there. */
		for (n = 0; n < command->n && !ret; n++) {
			ret = list_append(model, staged, list->record[list->first]);
			staged->first++;
			forget(model, list->record[list->first++]);
		}
	}
	return ret;
}

/**
 * model_commanded() - W2, R2: a command was written, or has failed
 * @model: the model
 * @file: written to
 * @command: the command
 * @len: its length
 * @ret: what write(2) returned
 *
 * Return: NULL if that is right, or what is right.
 */
const char *model_commanded(struct model *model, const struct model_file *file,
			    const struct model_command *command, size_t len, long ret)
{
	int err = command_errno(model, command);
	enum verdict busy = err ? NO : command_blocked(model, file->process, command);

	if (err)
		return model_expect(ret, err);
	model->free_commands += busy == PERHAPS;
	if (busy == YES || (busy == PERHAPS && ret == -EBUSY))
		return model_expect(ret, -EBUSY);
	if (ret != (long)len)
		return model_expected("expected", len);
	return command_done(model, command) ? "(no memory for the model)" : NULL;
}
