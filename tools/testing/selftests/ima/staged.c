// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list together with the staged list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "staged.h"

/**
 * staged_name() - the file that shows what was staged of a list
 * @name: put here
 * @list: the list's file
 */
void staged_name(char name[IMA_NAME_MAX], const char *list)
{
	snprintf(name, IMA_NAME_MAX, "%.48s_staged", list);
}

/**
 * staged_unavailable() - can the tests of the staged list run here?
 * @names: the files, put here
 *
 * Return: NULL, or the reason why the tests must be skipped.
 */
const char *staged_unavailable(struct staged_names *names)
{
	const char *why = ima_test_unavailable();
	struct stat st;
	int i;

	if (why)
		return why;
	if (stat(IMA_DIR "/" IMA_ASCII_STAGED, &st))
		return "no " IMA_ASCII_STAGED " in " IMA_DIR;
	names->nr = ima_list_names(names->list, true);
	if (names->nr < 0)
		return "the list files cannot be enumerated";
	for (i = 0; i < names->nr; i++)
		staged_name(names->staged[i], names->list[i]);
	return NULL;
}

/**
 * staged_log_free() - free what staged_log_take() allocated
 * @log: the log
 */
void staged_log_free(struct staged_log *log)
{
	unsigned int i;

	for (i = 0; i < IMA_FILES_MAX; i++)
		free(log->staged[i].data);
	ima_state_free(&log->list);
	memset(log, 0, sizeof(*log));
}

/**
 * staged_log_take() - remember the list and what is staged
 * @log: to be freed with staged_log_free(), also after a failure
 *
 * Return: 0 or -errno.
 */
int staged_log_take(struct staged_log *log)
{
	struct ima_file *file;
	unsigned int i;
	int ret;

	memset(log, 0, sizeof(*log));
	ret = ima_state_take(&log->list);
	for (i = 0; !ret && i < log->list.nr_files; i++) {
		file = &log->staged[i];
		staged_name(file->name, log->list.file[i].name);
		file->digest_len = log->list.file[i].digest_len;
		file->data = ima_read_all(file->name, &file->len);
		if (!file->data)
			ret = -errno;
	}
	return ret;
}

/**
 * staged_log_retake() - forget a log, remember what is so now
 * @log: the log
 *
 * Return: 0 or -errno.
 */
int staged_log_retake(struct staged_log *log)
{
	staged_log_free(log);
	return staged_log_take(log);
}

/**
 * staged_log_differs() - compare the log now with an earlier one
 * @before: the earlier log
 * @change: what has happened since
 *
 * Return: NULL if exactly this has, or the name of what is different.
 */
const char *staged_log_differs(const struct staged_log *before, enum staged_change change)
{
	static char differs[IMA_NAME_MAX];
	const struct ima_file *expected;
	const char *what = ima_state_differs(&before->list,
					     change == STAGED ? before->list.count : 0);
	unsigned int i;
	size_t len, wanted;
	char *data;

	for (i = 0; !what && i < before->list.nr_files; i++) {
		expected = change == STAGED ? &before->list.file[i] : &before->staged[i];
		wanted = change == DELETED ? 0 : expected->len;
		data = ima_read_all(before->staged[i].name, &len);
		if (!data || len != wanted || memcmp(data, expected->data, len)) {
			snprintf(differs, sizeof(differs), "%s", before->staged[i].name);
			what = differs;
		}
		free(data);
	}
	return what;
}
