// SPDX-License-Identifier: GPL-2.0-only
/*
 * File: ima_command.c
 *	The commands that user space writes to the measurement files.
 */

#include <linux/audit.h>
#include <linux/ima.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/string.h>

#include "ima.h"

/* One integrity audit record per command that did something. */
static void ima_command_audit(struct ima_log *log, const char *op,
			      unsigned long count)
{
	struct audit_buffer *ab;
	char comm[TASK_COMM_LEN];

	ab = integrity_audit_log_start(audit_context(), GFP_KERNEL,
				       AUDIT_INTEGRITY_STATUS);
	if (!ab)
		return;

	audit_log_format(ab, "pid=%d uid=%u auid=%u ses=%u",
			 task_pid_nr(current),
			 from_kuid(&init_user_ns, current_uid()),
			 from_kuid(&init_user_ns, audit_get_loginuid(current)),
			 audit_get_sessionid(current));
	audit_log_task_context(ab);
	audit_log_format(ab, " op=%s cause=completed comm=", op);
	audit_log_untrustedstring(ab, get_task_comm(comm, current));
	audit_log_format(ab, " count=%lu removed=%llu res=1", count,
			 log->list.first);
	audit_log_end(ab);
}

/* Off unless a policy rule asks for it: this adds to the list again. */
static void ima_command_measure(struct ima_log *log, unsigned long count)
{
	char data[64];	/* enough for two numbers of 20 digits */
	int len;

	if (log != &ima_log)
		return;
	len = scnprintf(data, sizeof(data), "removed=%llu;count=%lu;",
			log->list.first, count);
	ima_measure_critical_data("ima_log", "records_deleted", data, len,
				  false, NULL, 0);
}

/* Tell of records that are gone for good. */
static void ima_command_deleted(struct ima_log *log, const char *op,
				unsigned long count)
{
	ima_command_audit(log, op, count);
	ima_command_measure(log, count);
}

static int ima_command_staged(struct ima_place *place, const char *command)
{
	struct ima_log *log = place->log;
	unsigned long count;
	int ret;

	if (!strcmp(command, "A")) {
		ret = ima_queue_stage(log, place->owner);
		if (!ret)
			ima_command_audit(log, "stage_records",
					  log->staged.count);
		return ret;
	}

	if (!strcmp(command, "D")) {
		count = log->staged.count;
		ret = ima_queue_delete_staged(log, place->owner);
		if (!ret)
			ima_command_deleted(log, "delete_staged_records",
					    count);
		return ret;
	}

	return -EINVAL;
}

/* Decimal digits and nothing else, which kstrtou64() is not as strict about. */
static bool ima_command_is_number(const char *number)
{
	return *number && !number[strspn(number, "0123456789")];
}

/* "N", or "T:N", which is for a list that T records have left so far */
static int ima_command_list(struct ima_place *place, char *command)
{
	struct ima_log *log = place->log;
	char *removed = NULL, *n = command;
	u64 removed_val, n_val;
	int ret;

	if (strchr(command, ':'))
		removed = strsep(&n, ":");
	if (!ima_command_is_number(n) ||
	    (removed && !ima_command_is_number(removed)))
		return -EINVAL;

	if (kstrtou64(n, 10, &n_val) || n_val > ULONG_MAX ||
	    (removed && kstrtou64(removed, 10, &removed_val)))
		return -ERANGE;
	if (!n_val)
		return -EINVAL;

	if (removed && removed_val != log->list.first)
		return -EAGAIN;

	ret = ima_queue_delete_partial(log, n_val, place->owner);
	if (!ret)
		ima_command_deleted(log, "delete_records", n_val);
	return ret;
}

/**
 * ima_command_run - run a command that was written to a measurement file
 * @place: the place of the file
 * @command: the command with its closing newline, which is overwritten
 * @len: length of @command in bytes
 *
 * One command runs at a time, over all files of the log.
 *
 * Return: 0; -EINVAL if this is not a command of the file; -ERANGE if a number
 * is too large; -EAGAIN if the number of records that left the list is not the
 * one given; or an error of ima_queue_stage(), ima_queue_delete_staged() or
 * ima_queue_delete_partial().
 */
int ima_command_run(struct ima_place *place, char *command, size_t len)
{
	struct ima_log *log = place->log;
	int ret;

	if (len < 2 || memchr(command, '\0', len) || command[len - 1] != '\n')
		return -EINVAL;
	command[len - 1] = '\0';

	mutex_lock(&log->command);
	if (place->list == &log->staged)
		ret = ima_command_staged(place, command);
	else
		ret = ima_command_list(place, command);
	mutex_unlock(&log->command);
	return ret;
}
