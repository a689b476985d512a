// SPDX-License-Identifier: GPL-2.0-only
/*
 * What would be gone if power were lost: what was written, and the names that were made,
 * since the file or folder was synced. When records are deleted, nothing of the archive
 * may be among it, whichever run of imalog wrote it. Nor may it have been read back from
 * the page cache: a file that was written must have been dropped from there.
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

#define FILES_MAX	1000
#define SECURITYFS	"/sys/kernel/security/"	/* the folder ima there can be a link */

struct files {
	size_t num;
	struct {
		dev_t dev;
		ino_t ino;
	} file[FILES_MAX];
};

static struct files unsynced, cached;
static long deletions;
static char lost[PATH_MAX];

static size_t find(const struct files *f, const struct stat *st)
{
	size_t i;

	for (i = 0; i < f->num; i++)
		if (f->file[i].dev == st->st_dev && f->file[i].ino == st->st_ino)
			break;
	return i;
}

static void changed(struct files *f, const char *path)
{
	struct stat st;

	if (stat(path, &st) || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return;
	if (find(f, &st) < f->num)
		return;
	if (f->num == FILES_MAX) {
		snprintf(lost, sizeof(lost), "more than can be kept in mind");
		return;
	}
	f->file[f->num].dev = st.st_dev;
	f->file[f->num++].ino = st.st_ino;
}

/* It was synced, or dropped from the page cache. */
static void settled(struct files *f, pid_t pid, int fd)
{
	char link[64];
	struct stat st;
	size_t i;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
	if (stat(link, &st))
		return;
	i = find(f, &st);
	if (i < f->num)
		f->file[i] = f->file[--f->num];
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
		changed(&unsynced, dirname(path));
}

static int look(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	if ((find(&unsynced, st) < unsynced.num || find(&cached, st) < cached.num) && !*lost)
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
	if (!strncmp(path, SECURITYFS, strlen(SECURITYFS))) {
		deletes();
		return;
	}
	changed(&unsynced, link);
	changed(&cached, link);
}

/**
 * imalog_durable_call() - a call is about to be done
 * @pid: process
 * @nr: number of the system call
 * @args: its arguments
 */
void imalog_durable_call(pid_t pid, uint64_t nr, const uint64_t *args)
{
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
		settled(&unsynced, pid, args[0]);
		break;
	case SYS_fadvise64:
		if (args[3] == POSIX_FADV_DONTNEED)
			settled(&cached, pid, args[0]);
		break;
	}
}

/**
 * imalog_durable_lost() - what was not synced, or read back from the page cache, when
 *	records were deleted
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
