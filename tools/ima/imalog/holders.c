// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has the kernel's measurement files open? /proc tells, see proc_pid_fd(5).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holders.h"
#include "say.h"

static void read_comm(int proc, struct holder *h)
{
	int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, h->comm, HOLDER_COMM_MAX);

	if (fd >= 0)
		close(fd);
	h->comm[n > 0 ? n : 0] = '\0';
	h->comm[strcspn(h->comm, "\n")] = '\0';
	say_printable(h->comm);
}

static bool opened_for_write(int proc, const char *fd_name)
{
	char name[64], text[256];
	unsigned int flags = 0;
	const char *p;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "fdinfo/%.20s", fd_name);
	fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	p = strstr(text, "flags:");
	if (!p || sscanf(p, "flags: %o", &flags) != 1)
		return false;
	return (flags & O_ACCMODE) != O_RDONLY;
}

/* Nothing that another program would have to answer, such as imalog mount. */
static bool same_device(int dir, const char *name, const struct statx *as)
{
	struct statx st;

	return !statx(dir, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &st) &&
	       st.stx_dev_major == as->stx_dev_major && st.stx_dev_minor == as->stx_dev_minor;
}

/* A file of the kernel's list, wherever securityfs is mounted. */
static const char *list_name(const char *path)
{
	const char *name = strrchr(path, '/');

	if (!name || !strstr(path, "/ima/") || !strstr(name, "_runtime_measurements"))
		return NULL;
	return name + 1;
}

static struct holder *add(struct holder **list, size_t *num)
{
	struct holder *more = realloc(*list, (*num + 1) * sizeof(*more));

	if (!more)
		return NULL;
	*list = more;
	more += (*num)++;
	memset(more, 0, sizeof(*more));
	return more;
}

static void look_at(pid_t pid, int proc, const struct statx *as, struct holder **list,
		    size_t *num)
{
	char path[PATH_MAX];
	struct dirent *entry;
	struct holder *h;
	const char *name;
	ssize_t len;
	DIR *dir;
	int fd;

	fd = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && (entry = readdir(dir))) {
		len = readlinkat(fd, entry->d_name, path, sizeof(path) - 1);
		path[len > 0 ? len : 0] = '\0';
		name = len > 0 ? list_name(path) : NULL;
		h = name && same_device(fd, entry->d_name, as) ? add(list, num) : NULL;
		if (!h)
			continue;
		h->pid = pid;
		read_comm(proc, h);
		snprintf(h->file, sizeof(h->file), "%.*s", HOLDER_FILE_MAX, name);
		say_printable(h->file);
		h->writes = opened_for_write(proc, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

/**
 * holders_find() - find the processes that have a measurement file open
 * @dir: folder of the kernel's files
 * @list: an entry for each open file but our own, to be released with free()
 *
 * Return: how many.
 */
size_t holders_find(int dir, struct holder **list)
{
	DIR *procs = opendir("/proc");
	struct dirent *entry;
	struct statx as;
	size_t num = 0;
	pid_t pid;
	int proc;

	*list = NULL;
	if (statx(dir, "", AT_EMPTY_PATH, 0, &as))
		goto out;
	while (procs && (entry = readdir(procs))) {
		pid = atoi(entry->d_name);
		if (pid <= 0 || pid == getpid())
			continue;
		proc = openat(dirfd(procs), entry->d_name,
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc < 0)
			continue;
		look_at(pid, proc, &as, list, &num);
		close(proc);
	}
out:
	if (procs)
		closedir(procs);
	return num;
}
