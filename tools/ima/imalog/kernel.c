// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's measurement list; Documentation/ABI/testing/securityfs-ima-measurements
 * has its files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"
#include "options.h"

#define BINARY		KERNEL_BINARY
#define STAGED		BINARY "_staged"
#define COUNT		"runtime_measurements_count"
#define REMOVED		"runtime_measurements_removed"
#define BOOT_ID		"/proc/sys/kernel/random/boot_id"
#define BUSY_TRIES	12	/* 2 s in all */

/**
 * kernel_back_off() - wait, a bit longer each time
 * @tries: how often
 *
 * Return: whether to try again.
 */
bool kernel_back_off(unsigned int *tries)
{
	struct timespec ts = { .tv_nsec = (*tries + 1) * 25000000L };

	nanosleep(&ts, NULL);
	return ++*tries < BUSY_TRIES;
}

/**
 * kernel_try_open() - open a file, wait a bit if another has it
 * @k: kernel
 * @name: name of the file
 * @flags: as for open(2)
 *
 * Return: file descriptor, or -1 with errno.
 */
int kernel_try_open(const struct kernel *k, const char *name, int flags)
{
	unsigned int tries = 0;
	int fd;

	do {
		fd = openat(k->dir, name, flags | O_CLOEXEC);
	} while (fd < 0 && errno == EBUSY && kernel_back_off(&tries));
	return fd;
}

static int read_text(int dir, const char *name, char *text, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC), err = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		err = -errno;
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err;
}

static enum status read_number(const struct kernel *k, const char *name, __u64 *n)
{
	char text[KERNEL_TEXT];
	int err = read_text(k->dir, name, text, sizeof(text));

	if (!err && !options_number(text, n))
		err = -EINVAL;
	errno = -err;
	return err ? say_errno("%s/%s", k->path, name) : DONE;
}

static enum kernel_way find_way(const struct kernel *k)
{
	struct stat st;

	if (!faccessat(k->dir, REMOVED, F_OK, 0))
		return KERNEL_COUNTED;
	if (!fstatat(k->dir, KERNEL_COMMANDS, &st, 0) && st.st_mode & 0200)
		return KERNEL_HELD;
	return KERNEL_NONE;
}

/**
 * kernel_open() - find the kernel's files
 * @k: kernel, to be closed with kernel_close() whatever is returned
 * @path: folder of the files
 *
 * Return: DONE or IO.
 */
enum status kernel_open(struct kernel *k, const char *path)
{
	struct utsname names;
	int err;

	memset(k, 0, sizeof(*k));
	k->held = -1;
	k->path = path;
	k->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (k->dir < 0)
		return say_errno("%s: is securityfs mounted, and IMA in the kernel?", path);
	err = read_text(AT_FDCWD, BOOT_ID, k->boot_id, sizeof(k->boot_id));
	errno = -err;
	if (err)
		return say_errno(BOOT_ID);
	uname(&names);
	snprintf(k->release, sizeof(k->release), "%.*s", KERNEL_TEXT, names.release);
	k->way = find_way(k);
	return DONE;
}

/**
 * kernel_close() - release all
 * @k: kernel
 */
void kernel_close(struct kernel *k)
{
	kernel_release(k);
	if (k->dir >= 0)
		close(k->dir);
	k->dir = -1;
}

/* Linux 7.2 has no readers beside one who deletes. @fd is -1 if there is no such list. */
static enum status open_list(const struct kernel *k, const char *name, int *fd)
{
	*fd = kernel_try_open(k, name, O_RDONLY);
	if (*fd >= 0 || errno == ENOENT)
		return DONE;
	if (errno == EBUSY)
		return say(BUSY, "%s: another process has a list open to delete", k->path);
	return say_errno("%s/%s", k->path, name);
}

static enum status count_staged(const struct kernel *k, __u64 *n)
{
	struct stream s = { .num = 0 };
	struct ima_log_record rec;
	enum status status;
	bool end = false;
	int fd;

	*n = 0;
	if (k->held >= 0)
		return DONE;	/* there was nothing before, and nobody else can stage */
	status = open_list(k, STAGED, &fd);
	if (status || fd < 0)
		return status;
	status = stream_init(&s, ima_log_alg_size(ima_log_alg_by_name("sha1")), 0);
	stream_add(&s, fd, STAGED);
	while (!status && !end)
		status = stream_next(&s, &rec, &end);
	*n = s.parser.records;
	stream_close(&s);
	return status;
}

/**
 * kernel_numbers() - how many records are in the list, how many have left it?
 * @k: kernel; @k->removed and @count are set, of one moment
 *
 * Return: DONE or IO.
 */
enum status kernel_numbers(struct kernel *k)
{
	enum status status;
	__u64 before;

	k->removed = 0;
	if (k->way != KERNEL_COUNTED)
		return read_number(k, COUNT, &k->count);
	do {
		status = read_number(k, REMOVED, &before);
		if (!status)
			status = read_number(k, COUNT, &k->count);
		if (!status)
			status = read_number(k, REMOVED, &k->removed);
	} while (!status && before != k->removed);
	return status;
}

/**
 * kernel_state() - how many records are there?
 * @k: kernel; @k->removed, @count and @staged are set
 *
 * Return: DONE, REFUSED, IO, or AGAIN: they changed meanwhile.
 */
enum status kernel_state(struct kernel *k)
{
	enum status status = kernel_numbers(k);

	if (!status)
		status = count_staged(k, &k->staged);
	return status ?: kernel_unchanged(k);
}

/**
 * kernel_unchanged() - has no record left since kernel_state()?
 * @k: kernel; if it does not tell, it is held (kernel_hold()), or nobody knows
 *
 * Return: DONE, IO, or AGAIN: one has, or was staged.
 */
enum status kernel_unchanged(const struct kernel *k)
{
	enum status status;
	__u64 removed, staged;

	if (k->way != KERNEL_COUNTED)
		return DONE;
	status = read_number(k, REMOVED, &removed);
	if (!status && removed == k->removed && k->staged) {
		status = count_staged(k, &staged);
		if (!status && staged != k->staged)
			return AGAIN;
	}
	if (status)
		return status;
	return removed == k->removed ? DONE : AGAIN;
}

static enum status unchanged(const void *of)
{
	return kernel_unchanged(of);
}

/**
 * kernel_stream() - read all records that the kernel has: those staged, then the list
 * @k: kernel, whose state was taken, and that must stay
 * @s: the records, to be closed with stream_close() whatever is returned; AGAIN if one
 * left before the first was read
 * @first: number of the first, for messages
 *
 * Return: DONE or IO.
 */
enum status kernel_stream(const struct kernel *k, struct stream *s, __u64 first)
{
	enum status status;
	int fd;

	status = stream_init(s, ima_log_alg_size(ima_log_alg_by_name("sha1")), first);
	if (status)
		return status;
	s->begun = unchanged;
	s->of = k;
	if (k->staged) {
		status = open_list(k, STAGED, &fd);
		if (status || fd < 0)
			return status ?: say_errno("%s/" STAGED, k->path);
		stream_add(s, fd, STAGED);
	}
	if (k->held < 0)
		status = open_list(k, BINARY, &fd);
	else
		fd = lseek(k->held, 0, SEEK_SET) ? -1 : dup(k->held);
	if (status || fd < 0)
		return status ?: say_errno("%s/" BINARY, k->path);
	stream_add(s, fd, BINARY);
	return DONE;
}

/* All records of a bank: those staged, if there are, then the list, which @fd is. */
static enum status open_bank(const struct kernel *k, struct stream *s, size_t digest_size,
			     int fd, const char *name, const char *staged)
{
	enum status status = stream_init(s, digest_size, 0), opened = DONE;
	int staged_fd = -1;

	if (k->staged)
		opened = open_list(k, staged, &staged_fd);
	if (staged_fd >= 0)
		stream_add(s, staged_fd, staged);
	stream_add(s, fd, name);
	return status ?: opened;
}

/* Does the kernel know this hash? Any record but a violation tells. */
static enum status detect(const struct kernel *k, struct ima_log_bank *bank, int fd,
			  const char *name)
{
	char staged[KERNEL_TEXT + sizeof("_staged")];
	struct ima_log_record rec;
	enum status status;
	bool end = false;
	struct stream s;
	int ret = 0;

	snprintf(staged, sizeof(staged), "%s_staged", name);
	status = open_bank(k, &s, bank->size, fd, name, staged);
	while (!status && !ret) {
		status = stream_next(&s, &rec, &end);
		if (status || end)
			break;
		ret = ima_log_bank_detect(bank, &rec);
		if (ret < 0)
			status = stream_bad(&s, &rec, "template digest is not that of the data");
	}
	stream_close(&s);
	return status;
}

/* As was seen before the lists were held; one without a list is not known there. */
static enum ima_log_fill known_fill(const struct kernel *k, __u16 alg)
{
	unsigned int i;

	for (i = 0; i < k->num_known; i++)
		if (k->known[i].alg == alg)
			return k->known[i].fill;
	return IMA_LOG_UNMAPPED;
}

/**
 * kernel_add_bank() - add a bank, to be extended as the kernel does
 * @k: kernel, whose state was taken if something can be staged
 * @b: banks
 * @alg: TPM_ALG_ID
 *
 * Return: DONE, IO, REFUSED, or AGAIN.
 */
enum status kernel_add_bank(const struct kernel *k, struct banks *b, __u16 alg)
{
	const char *alg_name = ima_log_alg_name(alg);
	char name[KERNEL_TEXT];
	enum status status;
	int fd;

	if (!alg_name)
		return say(REFUSED, "TPM: bank 0x%x: unknown algorithm", alg);
	if (k->held >= 0)
		return banks_add(b, alg, known_fill(k, alg));
	snprintf(name, sizeof(name), BINARY "_%s", alg_name);
	status = open_list(k, name, &fd);
	if (status)
		return status;
	status = banks_add(b, alg, fd < 0 ? IMA_LOG_UNMAPPED : IMA_LOG_OWN_HASH);
	if (fd < 0)
		return status;
	if (status) {
		close(fd);
		return status;
	}
	return detect(k, &b->bank[b->num - 1], fd, name);
}

/**
 * kernel_has_unmapped() - is there a list of this bank, of an algorithm that the kernel
 *	does not know?
 * @k: kernel
 * @alg: TPM_ALG_ID
 *
 * Return: whether there is.
 */
bool kernel_has_unmapped(const struct kernel *k, __u16 alg)
{
	char name[KERNEL_TEXT];

	snprintf(name, sizeof(name), BINARY "_" KERNEL_UNMAPPED, alg);
	return !faccessat(k->dir, name, F_OK, 0);
}
