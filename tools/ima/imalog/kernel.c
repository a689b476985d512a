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

#define BINARY		"binary_runtime_measurements"
#define STAGED		BINARY "_staged"
#define COMMANDS	"ascii_runtime_measurements"
#define COUNT		"runtime_measurements_count"
#define REMOVED		"runtime_measurements_removed"
#define BOOT_ID		"/proc/sys/kernel/random/boot_id"
#define COMMAND_MAX	48
#define BUSY_TRIES	12	/* 2 s in all */

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
	if (!fstatat(k->dir, COMMANDS, &st, 0) && st.st_mode & 0200)
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

static enum status count_staged(const struct kernel *k, __u64 *n)
{
	struct stream s = { .num = 0 };
	struct ima_log_record rec;
	enum status status;
	bool end = false;
	int fd;

	*n = 0;
	fd = openat(k->dir, STAGED, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? DONE : say_errno("%s/" STAGED, k->path);
	status = stream_init(&s, ima_log_alg_size(ima_log_alg_by_name("sha1")), 0);
	stream_add(&s, fd, STAGED);
	while (!status && !end)
		status = stream_next(&s, &rec, &end);
	*n = s.parser.records;
	stream_close(&s);
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
	enum status status = DONE;

	k->removed = 0;
	if (k->way == KERNEL_COUNTED)
		status = read_number(k, REMOVED, &k->removed);
	if (!status)
		status = read_number(k, COUNT, &k->count);
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

/**
 * kernel_stream() - read all records that the kernel has: those staged, then the list
 * @k: kernel, whose state was taken
 * @s: the records, to be closed with stream_close() whatever is returned
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
	if (k->staged) {
		fd = openat(k->dir, STAGED, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return say_errno("%s/" STAGED, k->path);
		stream_add(s, fd, STAGED);
	}
	fd = openat(k->dir, BINARY, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return say_errno("%s/" BINARY, k->path);
	stream_add(s, fd, BINARY);
	return DONE;
}

/* Does the kernel know this hash? Any record but a violation tells. */
static enum status detect(struct ima_log_bank *bank, int fd, const char *name)
{
	struct stream s = { .num = 0 };
	struct ima_log_record rec;
	enum status status;
	bool end = false;
	int ret = 0;

	status = stream_init(&s, bank->size, 0);
	stream_add(&s, fd, name);
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

/**
 * kernel_add_bank() - add a bank, to be extended as the kernel does
 * @k: kernel
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
	snprintf(name, sizeof(name), BINARY "_%s", alg_name);
	fd = openat(k->dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return say_errno("%s/%s", k->path, name);
	status = banks_add(b, alg, fd < 0 ? IMA_LOG_UNMAPPED : IMA_LOG_OWN_HASH);
	if (fd < 0)
		return status;
	if (status) {
		close(fd);
		return status;
	}
	return detect(&b->bank[b->num - 1], fd, name);
}

static void back_off(unsigned int *tries)
{
	struct timespec ts = { .tv_nsec = (*tries + 1) * 25000000L };

	++*tries;
	nanosleep(&ts, NULL);
}

static int open_commands(const struct kernel *k, int flags)
{
	unsigned int tries = 0;
	int fd;

	do {
		fd = openat(k->dir, COMMANDS, flags | O_CLOEXEC);
		if (fd >= 0 || errno != EBUSY)
			break;
		back_off(&tries);
	} while (tries < BUSY_TRIES);
	return fd;
}

static enum status open_failed(const struct kernel *k)
{
	if (errno == EBUSY)
		return say(BUSY, "%s: another process has " COMMANDS " open to delete",
			   k->path);
	return say_errno("%s/" COMMANDS, k->path);
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
	if (k->way == KERNEL_COUNTED || k->held >= 0)
		return DONE;
	k->held = open_commands(k, O_RDWR);
	return k->held < 0 ? open_failed(k) : DONE;
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
		if (n == (ssize_t)len)
			return 0;
		if (n >= 0)
			return -EIO;
		if (errno != EBUSY)
			return -errno;
		back_off(&tries);
	} while (tries < BUSY_TRIES);
	return -EBUSY;
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
		return say(BUSY, "%s: another program has staged records, and has to delete them",
			   k->path);
	case -ESTALE:
	case -EACCES:
		return say(BUSY, "%s: kexec takes the records along to the next kernel",
			   k->path);
	default:
		errno = -err;
		return say_errno("%s/" COMMANDS ": delete", k->path);
	}
}

/**
 * kernel_delete() - delete the first records of the list
 * @k: kernel, whose state was taken
 * @n: how many
 *
 * Return: DONE; AGAIN: others deleted meanwhile; BUSY or IO.
 */
enum status kernel_delete(struct kernel *k, __u64 n)
{
	char text[COMMAND_MAX];
	int fd = k->held, err;

	if (k->way == KERNEL_COUNTED) {
		snprintf(text, sizeof(text), "%llu:%llu\n", k->removed, n);
		fd = open_commands(k, O_WRONLY);
		if (fd < 0)
			return open_failed(k);
	} else {
		snprintf(text, sizeof(text), "%llu\n", n);
	}
	err = write_command(fd, text);
	if (fd != k->held)
		close(fd);
	return err ? delete_failed(k, err) : DONE;
}
