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

#include "ima_log.h"

#define IMA_COMMAND_MAX	42	/* bytes, with the newline */

struct ima_command {
	enum { IMA_STAGE, IMA_DELETE_STAGED, IMA_DELETE } type;
	unsigned long n;	/* records to delete */
	bool conditional;	/* only if @removed left the list so far */
	u64 removed;
};

/* What a command has done, to tell of when the next one may run. */
struct ima_done {
	unsigned long count;	/* records staged or deleted */
	u64 removed;		/* records that have left the list in all */
};

/* Decimal digits and nothing else, which kstrtou64() is not as strict about. */
static bool ima_command_is_number(const char *number)
{
	return *number && !number[strspn(number, "0123456789")];
}

/* "N", or "T:N", which is for a list that T records have left so far */
static int ima_command_parse_list(struct ima_command *command, char *text)
{
	char *removed = NULL, *n = text;
	u64 val;

	if (strchr(text, ':'))
		removed = strsep(&n, ":");
	if (!ima_command_is_number(n) ||
	    (removed && !ima_command_is_number(removed)))
		return -EINVAL;

	if (kstrtou64(n, 10, &val) || val > ULONG_MAX ||
	    (removed && kstrtou64(removed, 10, &command->removed)))
		return -ERANGE;
	if (!val)
		return -EINVAL;
	command->type = IMA_DELETE;
	command->n = val;
	command->conditional = removed;
	return 0;
}

static int ima_command_parse_staged(struct ima_command *command,
				    const char *text)
{
	if (!strcmp(text, "A"))
		command->type = IMA_STAGE;
	else if (!strcmp(text, "D"))
		command->type = IMA_DELETE_STAGED;
	else
		return -EINVAL;
	return 0;
}

static int ima_command_run(struct ima_place *place,
			   const struct ima_command *command,
			   struct ima_done *done)
{
	struct ima_log *log = place->log;
	int ret;

	lockdep_assert_held(&log->command);

	switch (command->type) {
	case IMA_STAGE:
		ret = ima_queue_stage(log, place->owner);
		done->count = log->staged.count;
		break;
	case IMA_DELETE_STAGED:
		done->count = log->staged.count;
		ret = ima_queue_delete_staged(log, place->owner);
		break;
	default:
		if (command->conditional && command->removed != log->list.first)
			return -EAGAIN;
		done->count = command->n;
		ret = ima_queue_delete_partial(log, command->n, place->owner);
	}
	done->removed = log->list.first;
	return ret;
}

/* One integrity audit record per command that did something. */
static void ima_command_audit(const struct ima_command *command,
			      const struct ima_done *done)
{
	static const char * const ops[] = {
		[IMA_STAGE] = "stage_records",
		[IMA_DELETE_STAGED] = "delete_staged_records",
		[IMA_DELETE] = "delete_records",
	};
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
	audit_log_format(ab, " op=%s cause=completed comm=", ops[command->type]);
	audit_log_untrustedstring(ab, get_task_comm(comm, current));
	audit_log_format(ab, " count=%lu removed=%llu res=1 errno=0",
			 done->count, done->removed);
	audit_log_end(ab);
}

/* Off unless a policy rule asks for it: this adds to the list again. */
static void ima_command_measure(const struct ima_done *done)
{
	char data[64];	/* enough for two numbers of 20 digits */
	int len;

	len = scnprintf(data, sizeof(data), "removed=%llu;count=%lu;",
			done->removed, done->count);
	ima_measure_critical_data("ima_log", "records_deleted", data, len,
				  false, NULL, 0);
}

/* Have @text, of @len bytes with its newline, as a command for the file. */
static int ima_command_parse(struct ima_place *place, char *text, size_t len,
			     struct ima_command *command)
{
	if (memchr(text, '\0', len) || text[len - 1] != '\n')
		return -EINVAL;
	text[len - 1] = '\0';
	if (place->list == &place->log->staged)
		return ima_command_parse_staged(command, text);
	return ima_command_parse_list(command, text);
}

/**
 * ima_command_write - run what is written to a measurement file
 * @iocb: the write; where in the file it is does not matter
 * @from: the command, with its closing newline
 *
 * One command runs at a time, over all files of the log. What tells of it comes
 * after that: audit can block for long.
 *
 * Return: the length of the command; -EINVAL if this is not a command of the
 * file; -EFAULT if it cannot be read; -ERANGE if a number is too large; -EAGAIN
 * if the number of records that left the list is not the one given; -EINTR if
 * the process is killed before anything is changed; or an error of
 * ima_queue_stage(), ima_queue_delete_staged() or ima_queue_delete_partial().
 */
ssize_t ima_command_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct ima_place *place = iocb->ki_filp->private_data;
	size_t len = iov_iter_count(from);
	struct ima_command command = {};
	char text[IMA_COMMAND_MAX];
	struct ima_done done = {};
	int ret;

	if (len < 2 || len > sizeof(text))
		return -EINVAL;
	if (!copy_from_iter_full(text, len, from))
		return -EFAULT;
	ret = ima_command_parse(place, text, len, &command);
	if (ret)
		return ret;

	if (mutex_lock_killable(&place->log->command))
		return -EINTR;
	ret = ima_command_run(place, &command, &done);
	mutex_unlock(&place->log->command);
	if (ret)
		return ret;

	if (place->log != &ima_log)	/* a KUnit test's */
		return len;
	if (command.type != IMA_STAGE)	/* first: audit can block for long */
		ima_command_measure(&done);
	ima_command_audit(&command, &done);
	return len;
}
