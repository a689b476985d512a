// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delete records in the kernel; keep others from it, where nothing else tells of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"

#define COMMAND_MAX	48

static bool have_list(const struct kernel *k, const char *alg)
{
	char name[KERNEL_TEXT];

	snprintf(name, sizeof(name), KERNEL_BINARY "_%s", alg);
	return !faccessat(k->dir, name, F_OK, 0);
}

/* Which banks there are, and that nothing is staged: what cannot be seen later. */
static enum status look_before_hold(struct kernel *k)
{
	const char *alg_name;
	enum status status;
	struct banks b;
	__u32 alg;

	k->num_known = 0;
	status = banks_init(&b);
	for (alg = 1; alg <= UINT16_MAX && !status; alg++) {
		alg_name = ima_log_alg_name(alg);
		if (!alg_name || !have_list(k, alg_name))
			continue;
		status = kernel_add_bank(k, &b, alg);
		if (status)
			break;
		k->known[k->num_known].alg = alg;
		k->known[k->num_known++].fill = b.bank[b.num - 1].fill;
	}
	banks_free(&b);
	return status ?: kernel_state(k);
}

/*
 * N would count these too, and what has left the list stays the same when they are
 * deleted: then T:N would take as many records that nobody has archived. Linux 7.2
 * takes them at once.
 */
static enum status staged_by_another(const struct kernel *k)
{
	return say(BUSY, "%s: another program has staged records, and has to delete them",
		   k->path);
}

static enum status hold(struct kernel *k)
{
	unsigned int tries = 0;
	enum status status;

	do {
		status = look_before_hold(k);
	} while (status == AGAIN && kernel_back_off(&tries));
	if (status == AGAIN)
		return say(BUSY, "%s: the list changes all the time", k->path);
	if (status)
		return status;
	if (k->staged)
		return staged_by_another(k);
	k->held = kernel_try_open(k, KERNEL_BINARY, O_RDWR);
	if (k->held >= 0)
		return DONE;
	if (errno == EBUSY)
		return say(BUSY,
			   "%s: another process has a list open, and this kernel deletes only if nobody has",
			   k->path);
	return say_errno("%s/" KERNEL_BINARY, k->path);
}

/**
 * kernel_hold() - keep others from deleting, if nothing else tells of it
 * @k: kernel
 *
 * Return: DONE, BUSY: another holds it, IO, or REFUSED: this kernel cannot delete.
 */
enum status kernel_hold(struct kernel *k)
{
	if (k->way == KERNEL_NONE)
		return say(REFUSED,
			   "%s: this kernel cannot delete records: it needs CONFIG_IMA_STAGING",
			   k->path);
	return k->way == KERNEL_COUNTED || k->held >= 0 ? DONE : hold(k);
}

/**
 * kernel_release() - let others delete again
 * @k: kernel
 */
void kernel_release(struct kernel *k)
{
	if (k->held >= 0)
		close(k->held);
	k->held = -1;
}

static int write_command(int fd, const char *text)
{
	unsigned int tries = 0;
	size_t len = strlen(text);
	ssize_t n;

	do {
		n = write(fd, text, len);
	} while (n < 0 && errno == EBUSY && kernel_back_off(&tries));
	if (n < 0)
		return -errno;
	return n == (ssize_t)len ? 0 : -EIO;
}

static enum status delete_failed(const struct kernel *k, int err)
{
	switch (err) {
	case -EAGAIN:
	case -ENOENT:
		return AGAIN;
	case -EBUSY:
		return say(BUSY, "%s: a process reads the records that would be deleted",
			   k->path);
	case -EEXIST:
		return staged_by_another(k);
	case -ESTALE:
	case -EACCES:
		return say(BUSY, "%s: kexec takes the records along to the next kernel",
			   k->path);
	default:
		errno = -err;
		return say_errno("%s/" KERNEL_COMMANDS ": delete", k->path);
	}
}

/**
 * kernel_may_delete() - would kernel_delete() be refused, as far as can be told?
 * @k: kernel, whose state was taken
 *
 * Return: DONE, or BUSY: others had staged records.
 */
enum status kernel_may_delete(const struct kernel *k)
{
	return k->staged ? staged_by_another(k) : DONE;
}

/**
 * kernel_delete() - delete the first records of the list
 * @k: kernel, whose state was taken
 * @n: how many
 *
 * Return: DONE; AGAIN: others deleted meanwhile; BUSY: others had staged records, or
 * are in the way; IO.
 */
enum status kernel_delete(struct kernel *k, __u64 n)
{
	char text[COMMAND_MAX];
	int fd = k->held, err;

	if (k->staged)
		return staged_by_another(k);
	if (k->way == KERNEL_COUNTED) {
		snprintf(text, sizeof(text), "%llu:%llu\n", k->removed, n);
		fd = kernel_try_open(k, KERNEL_COMMANDS, O_WRONLY);
		if (fd < 0 && errno == EBUSY)
			return say(BUSY,
				   "%s: another process has " KERNEL_COMMANDS " open to delete",
				   k->path);
		if (fd < 0)
			return say_errno("%s/" KERNEL_COMMANDS, k->path);
	} else {
		snprintf(text, sizeof(text), "%llu\n", n);
	}
	err = write_command(fd, text);
	if (fd != k->held)
		close(fd);
	return err ? delete_failed(k, err) : DONE;
}
