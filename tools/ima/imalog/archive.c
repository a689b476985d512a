// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open an archive and list what is in it. No link is followed below its folder.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"

static enum status archive_lock(struct archive *a)
{
	if (!flock(a->fd, LOCK_EX | LOCK_NB))
		return DONE;
	if (errno == EWOULDBLOCK)
		return say(BUSY, "%s: another imalog writes to this archive", a->path);
	return say_errno("%s: lock", a->path);
}

/*
 * What is in a folder stays when power is lost, if the folder itself does: its name is in
 * the one above. That one may be another's, or be on what cannot be written to.
 */
static int sync_above(const char *path)
{
	char above[PATH_MAX];
	int fd, ret = 0;

	if (snprintf(above, sizeof(above), "%s/..", path) >= (int)sizeof(above)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES ? 0 : -1;
	if (fsync(fd) && errno != EINVAL && errno != EROFS)
		ret = -1;
	close(fd);
	return ret;
}

/* One that is there is left as it is, but whoever made it may have been ended then. */
static int make_folder(const char *path, mode_t mode)
{
	return mkdir(path, mode) && errno != EEXIST ? -1 : sync_above(path);
}

/* The folder and what leads to it. */
static int make_folders(const char *path)
{
	size_t i, len = strlen(path);
	char part[PATH_MAX];

	while (len && path[len - 1] == '/')
		len--;
	for (i = 1; i < len && i < sizeof(part); i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (make_folder(part, 0755))
			return -1;
	}
	return make_folder(path, 0750);
}

/**
 * archive_open() - open an archive
 * @a: archive, to be closed with archive_close() whatever is returned
 * @path: its folder
 * @writer: make it if it is not there, and be the only writer
 *
 * Return: DONE, IO, or BUSY: there is a writer.
 */
enum status archive_open(struct archive *a, const char *path, bool writer)
{
	enum status status = DONE;

	memset(a, 0, sizeof(*a));
	a->path = path;
	if (writer && make_folders(path)) {
		a->fd = -1;
		return say_errno("%s: make the archive", path);
	}
	/* where the archive is, whoever names it says: that may be a link */
	a->fd = open(path, ARCHIVE_DIR & ~O_NOFOLLOW);
	if (a->fd < 0)
		return say_errno("%s: archive", path);
	if (writer)
		status = archive_lock(a);
	return status ?: archive_list(a);
}

/**
 * archive_close() - release all
 * @a: archive
 */
void archive_close(struct archive *a)
{
	if (a->fd >= 0)
		close(a->fd);
	free(a->chain);
	a->fd = -1;
	a->chain = NULL;
}

static int compare(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static bool all_digits(const char *name, size_t digits)
{
	return strlen(name) == digits && strspn(name, "0123456789") == digits;
}

static enum status list_add(__u64 **list, size_t *num, __u64 number)
{
	__u64 *more = *list;

	if (!(*num & (*num - 1))) {
		more = realloc(*list, (*num ? 2 * *num : 1) * sizeof(**list));
		if (!more)
			return say_errno("archive");
		*list = more;
	}
	more[(*num)++] = number;
	return DONE;
}

/* The numbers that are names in a folder, in order. Other names are refused. */
static enum status list_folder(int fd, const char *path, size_t digits,
			       __u64 **list, size_t *num)
{
	enum status status = DONE;
	struct dirent *entry;
	int copy = openat(fd, ".", ARCHIVE_DIR);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	*list = NULL;
	*num = 0;
	if (!dir)
		return say_errno("%s", path);
	while (!status) {
		errno = 0;
		entry = readdir(dir);
		if (!entry && errno)
			status = say_errno("%s", path);
		if (!entry)
			break;
		if (all_digits(entry->d_name, digits))
			status = list_add(list, num, strtoull(entry->d_name, NULL, 10));
		else if (*entry->d_name != '.' && strcmp(entry->d_name, "lost+found"))
			status = say(REFUSED, "%s/%s: does not belong in an archive",
				     path, entry->d_name);
	}
	closedir(dir);
	if (!status && *num)
		qsort(*list, *num, sizeof(**list), compare);
	return status;
}

/**
 * archive_list() - list the chains (anew)
 * @a: archive
 *
 * Return: DONE, IO, or REFUSED: there is something else in its folder.
 */
enum status archive_list(struct archive *a)
{
	free(a->chain);
	return list_folder(a->fd, a->path, ARCHIVE_CHAIN_DIGITS, &a->chain,
			   &a->num_chains);
}

/**
 * archive_chain_name() - the name of a chain's folder
 * @name: the name
 * @chain: number of the chain
 */
void archive_chain_name(char name[ARCHIVE_NAME_MAX], __u64 chain)
{
	snprintf(name, ARCHIVE_NAME_MAX, "%0*llu", ARCHIVE_CHAIN_DIGITS, chain);
}

/**
 * archive_shard_name() - the name of a shard's folder, from that of the archive
 * @name: the name
 * @chain: number of the chain
 * @first: number of its first record
 */
void archive_shard_name(char name[ARCHIVE_NAME_MAX], __u64 chain, __u64 first)
{
	snprintf(name, ARCHIVE_NAME_MAX, "%0*llu/%0*llu", ARCHIVE_CHAIN_DIGITS, chain,
		 ARCHIVE_SHARD_DIGITS, first);
}

/**
 * archive_open_chain() - open the folder of a chain
 * @a: archive
 * @chain: number of the chain
 *
 * Return: a file descriptor, or -1.
 */
int archive_open_chain(const struct archive *a, __u64 chain)
{
	char name[ARCHIVE_NAME_MAX];

	archive_chain_name(name, chain);
	return openat(a->fd, name, ARCHIVE_DIR);
}

/**
 * archive_dropped() - was a chain dropped since they were listed?
 * @a: archive
 *
 * Return: whether it is so.
 */
bool archive_dropped(const struct archive *a)
{
	char name[ARCHIVE_NAME_MAX];
	size_t i;

	for (i = 0; i < a->num_chains; i++) {
		archive_chain_name(name, a->chain[i]);
		if (faccessat(a->fd, name, F_OK, 0) && errno == ENOENT)
			return true;
	}
	return false;
}

/**
 * archive_shards() - list the shards of a chain
 * @a: archive
 * @chain: number of the chain
 * @first: numbers of their first records, in order; to be released with free()
 * @num: how many
 *
 * Return: DONE, IO, or REFUSED: there is something else in its folder.
 */
enum status archive_shards(const struct archive *a, __u64 chain, __u64 **first,
			   size_t *num)
{
	char name[ARCHIVE_NAME_MAX];
	enum status status;
	int fd;

	*first = NULL;
	archive_chain_name(name, chain);
	fd = archive_open_chain(a, chain);
	if (fd < 0)
		return say_errno("%s/%s", a->path, name);
	status = list_folder(fd, name, ARCHIVE_SHARD_DIGITS, first, num);
	close(fd);
	return status;
}

/**
 * archive_last() - open the newest shard
 * @a: archive
 * @s: shard, to be closed with shard_close() if it is @found
 * @found: whether there is one
 *
 * Return: DONE, IO, or REFUSED: it is damaged.
 */
enum status archive_last(struct archive *a, struct shard *s, bool *found)
{
	enum status status = DONE;
	size_t i = a->num_chains, num;
	__u64 *first;

	*found = false;
	while (i-- && !status && !*found) {
		status = archive_shards(a, a->chain[i], &first, &num);
		if (!status && num) {
			status = shard_open(a, a->chain[i], first[num - 1], s);
			*found = !status;
		}
		free(first);
	}
	return status;
}
