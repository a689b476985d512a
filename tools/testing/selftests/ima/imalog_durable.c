// SPDX-License-Identifier: GPL-2.0-only
/*
 * What would be gone if power were lost: what was written, and the names that were made,
 * since the file or folder was synced. When records are deleted, nothing of the archive
 * may be among it, whichever run of imalog wrote it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ima_test.h"
#include "imalog_durable.h"
#include "imalog_run.h"

#define UNSYNCED_MAX	1000
#define SECURITYFS	"/sys/kernel/security/"	/* the folder ima there can be a link */

static struct {
	dev_t dev;
	ino_t ino;
} unsynced[UNSYNCED_MAX];

static size_t num_unsynced;
static long deletions;
static char lost[PATH_MAX];

static size_t find(const struct stat *st)
{
	size_t i;

	for (i = 0; i < num_unsynced; i++)
		if (unsynced[i].dev == st->st_dev && unsynced[i].ino == st->st_ino)
			break;
	return i;
}

static void changed(const char *path)
{
	struct stat st;

	if (stat(path, &st) || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return;
	if (find(&st) < num_unsynced)
		return;
	if (num_unsynced == UNSYNCED_MAX) {
		snprintf(lost, sizeof(lost), "more than can be kept in mind");
		return;
	}
	unsynced[num_unsynced].dev = st.st_dev;
	unsynced[num_unsynced++].ino = st.st_ino;
}

static void synced(const char *path)
{
	struct stat st;
	size_t i;

	if (stat(path, &st))
		return;
	i = find(&st);
	if (i < num_unsynced)
		unsynced[i] = unsynced[--num_unsynced];
}

/* Where that process's name leads, for this one. */
static void resolve(char path[PATH_MAX], pid_t pid, int dirfd, uint64_t name)
{
	char text[PATH_MAX / 2] = "";
	int fd;

	snprintf(path, PATH_MAX, "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pread(fd, text, sizeof(text) - 1, name) <= 0)
		snprintf(lost, sizeof(lost), "cannot read a name: %s", strerror(errno));
	close(fd);
	if (*text == '/')
		snprintf(path, PATH_MAX, "%s", text);
	else if (dirfd == AT_FDCWD)
		snprintf(path, PATH_MAX, "/proc/%d/cwd/%s", pid, text);
	else
		snprintf(path, PATH_MAX, "/proc/%d/fd/%d/%s", pid, dirfd, text);
}

/*
 * A name that is made: the folder that it is in has changed. One that begins with a dot
 * is not of the archive.
 */
static void made(pid_t pid, int dirfd, uint64_t name)
{
	char path[PATH_MAX];
	struct stat st;

	resolve(path, pid, dirfd, name);
	if (lstat(path, &st) && strrchr(path, '/')[1] != '.')
		changed(dirname(path));
}

static int look(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	if (find(st) < num_unsynced && !*lost)
		snprintf(lost, sizeof(lost), "%s", path);
	return 0;
}

static void deletes(void)
{
	char above[] = IMALOG_ARCHIVE;
	struct stat st;

	deletions++;
	nftw(IMALOG_ARCHIVE, look, 10, FTW_PHYS);
	for (char *path = dirname(above); path[1]; path = dirname(path))
		if (!stat(path, &st))
			look(path, &st, FTW_D, NULL);
}

static void writes(pid_t pid, int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	if (strncmp(path, SECURITYFS, strlen(SECURITYFS)))
		changed(link);
	else
		deletes();
}

/**
 * imalog_durable_call() - a call that changes something is about to be done
 * @pid: process
 * @nr: number of the system call
 * @args: its arguments
 */
void imalog_durable_call(pid_t pid, uint64_t nr, const uint64_t *args)
{
	char link[64];

	switch (nr) {
	case SYS_write:
	case SYS_pwrite64:
	case SYS_ftruncate:
		writes(pid, args[0]);
		break;
	case SYS_openat:
		if (args[2] & O_CREAT)
			made(pid, args[0], args[1]);
		break;
	case SYS_mkdir:
		made(pid, AT_FDCWD, args[0]);
		break;
	case SYS_mkdirat:
		made(pid, args[0], args[1]);
		break;
	case SYS_rename:
		made(pid, AT_FDCWD, args[1]);
		break;
	case SYS_renameat:
	case SYS_renameat2:
		made(pid, args[2], args[3]);
		break;
	case SYS_fsync:
	case SYS_fdatasync:
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, (int)args[0]);
		synced(link);
		break;
	}
}

/**
 * imalog_durable_lost() - what was not synced when records were deleted
 *
 * Return: its path, or NULL.
 */
const char *imalog_durable_lost(void)
{
	return *lost ? lost : NULL;
}

/**
 * imalog_durable_deletions() - how often that was looked at
 *
 * Return: the number.
 */
long imalog_durable_deletions(void)
{
	return deletions;
}
