/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The complete log as the text or bytes of one list of the kernel, from any offset.
 */
#ifndef _LIST_H
#define _LIST_H

#include <stdio.h>

#include "log.h"

/**
 * struct list_place - a place in a list
 * @offset: offset in the list
 * @at: the record that begins there
 */
struct list_place {
	__u64 offset;
	struct log_place at;
};

/**
 * struct list - a list
 * @log: the log
 * @ascii: as text
 * @banks: bank of the list
 * @out: writes to @text
 * @text: a record as the list has it
 * @room: size of @text
 * @mark: known places, in order, at least LIST_MARKS bytes apart
 * @num: how many
 * @end: place where the log ended when list_size() last looked
 */
struct list {
	struct log *log;
	bool ascii;
	struct banks banks;
	FILE *out;
	char *text;
	size_t room;
	struct list_place *mark;
	size_t num;
	struct list_place end;
};

enum status list_init(struct list *list, struct log *log, __u16 alg, bool ascii);
void list_free(struct list *list);
enum status list_read(struct list *list, struct list_place *last, __u64 offset,
		      void *buf, size_t size, size_t *got);
enum status list_size(struct list *list, __u64 *size);

#endif /* _LIST_H */
