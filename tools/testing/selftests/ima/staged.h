/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list together with the staged list: their files, and all that is in
 * them before and after a command.
 */
#ifndef IMA_STAGED_H
#define IMA_STAGED_H

#include "ima_state.h"

/**
 * struct staged_names - every file and link that shows the list
 * @list: the list's
 * @staged: at the same index, that of what is staged
 * @nr: how many of each
 */
struct staged_names {
	char list[IMA_FILES_MAX][IMA_NAME_MAX];
	char staged[IMA_FILES_MAX][IMA_NAME_MAX];
	int nr;
};

/**
 * struct staged_log - what the kernel holds
 * @list: the list with all that belongs to it
 * @staged: what is staged, at the index of the same file of the list
 */
struct staged_log {
	struct ima_state list;
	struct ima_file staged[IMA_FILES_MAX];
};

/* What has happened between two logs. */
enum staged_change {
	SAME,
	STAGED,			/* A: the list is staged */
	DELETED,		/* D: what was staged is gone */
};

const char *staged_unavailable(struct staged_names *names);
void staged_name(char name[IMA_NAME_MAX], const char *list);

int staged_log_take(struct staged_log *log);
void staged_log_free(struct staged_log *log);
int staged_log_retake(struct staged_log *log);
const char *staged_log_differs(const struct staged_log *before, enum staged_change change);

/* For a fixture that has the log before in "log". */
#define EXPECT_LOG(_change) EXPECT_STREQ("", staged_log_differs(&self->log, _change) ?: "")
#define EXPECT_DELETED_N(_n) EXPECT_STREQ("", ima_state_differs(&self->log.list, _n) ?: "")

#endif /* IMA_STAGED_H */
