// SPDX-License-Identifier: GPL-2.0-only
/*
 * Add a shard to the archive, and drop old chains.
 *
 * A shard is written aside, in ARCHIVE_NEW in the folder of its chain. Its files and
 * that folder are synced before it is renamed, and the folder of the chain after, so
 * it is in the archive whole or not at all. Nothing in it is opened for write again.
 * A round that was ended between the two has not synced that folder: the next one does.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "archive_write.h"

/* No blocks at all: a file system that does not tell, such as ramfs. */
static __u64 count_free(const struct statvfs *st)
{
	return st->f_blocks ? (__u64)st->f_bavail * st->f_frsize : UINT64_MAX;
}

static enum status check_room(__u64 left, const char *path, __u64 min_free, __u64 len)
{
	left = left > len ? left - len : 0;
	if (left >= min_free)
		return DONE;
	return say(IO,
		   "%s: leaves %llu bytes free, fewer than --min-free %llu: nothing archived, nothing deleted",
		   path, left, min_free);
}

/**
 * archive_free() - how much of the archive's disk is free
 * @a: archive
 * @left: bytes; UINT64_MAX if it does not tell
 *
 * Return: DONE or IO.
 */
enum status archive_free(const struct archive *a, __u64 *left)
{
	struct statvfs st;

	if (fstatvfs(a->fd, &st))
		return say_errno("%s: free space", a->path);
	*left = count_free(&st);
	return DONE;
}

/**
 * archive_room() - is there room to write?
 * @a: archive
 * @min_free: bytes that must be free
 * @len: once so many were written
 *
 * Return: DONE or IO: there is not.
 */
enum status archive_room(const struct archive *a, __u64 min_free, size_t len)
{
	enum status status;
	__u64 left = 0;

	status = archive_free(a, &left);
	return status ?: check_room(left, a->path, min_free, len);
}

/* The folder that is above, to be named in place of @path: false, there is none. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!strcmp(path, ".") || !strcmp(path, "/"))
		return false;
	if (!slash)
		memcpy(path, ".", sizeof("."));
	else
		slash[slash == path] = '\0';
	return true;
}

/**
 * archive_would_have_room() - would there be room to write?
 * @path: archive, which need not be there: it would be on the disk of the folder above
 * @min_free: bytes that must be free
 * @len: once so many were written
 *
 * Return: DONE or IO: there would not.
 */
enum status archive_would_have_room(const char *path, __u64 min_free, __u64 len)
{
	char above[PATH_MAX];
	struct statvfs st;

	snprintf(above, sizeof(above), "%s", path);
	while (statvfs(above, &st))
		if (errno != ENOENT || !go_up(above))
			return say_errno("%s: free space", path);
	return check_room(count_free(&st), path, min_free, len);
}

static enum status remove_all(int parent, const char *path, const char *name);

/* Remove what is in a folder; @path says where it is. */
static enum status empty(int parent, const char *path, const char *name)
{
	enum status status = DONE;
	struct dirent *entry;
	char inner[PATH_MAX];
	DIR *dir;
	int fd;

	snprintf(inner, sizeof(inner), "%s/%s", path, name);
	fd = openat(parent, name, ARCHIVE_DIR);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		status = say_errno("%s: remove", inner);
		if (fd >= 0)
			close(fd);
		return status;
	}
	while (!status && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			status = remove_all(fd, inner, entry->d_name);
	closedir(dir);
	return status;
}

/* Remove a file, or a folder and what is in it. It may be missing. */
static enum status remove_all(int parent, const char *path, const char *name)
{
	enum status status;

	/* first: where nothing can be written, unlinkat() does not say that it is missing */
	if (faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? DONE : say_errno("%s/%s", path, name);
	if (!unlinkat(parent, name, 0))
		return DONE;
	if (errno != EISDIR)
		return say_errno("%s/%s: remove", path, name);
	status = empty(parent, path, name);
	if (!status && unlinkat(parent, name, AT_REMOVEDIR))
		status = say_errno("%s/%s: remove", path, name);
	return status;
}

static enum status remove_new(int chain_fd, const struct archive *a, __u64 chain)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%0*llu", a->path, ARCHIVE_CHAIN_DIGITS, chain);
	return remove_all(chain_fd, path, ARCHIVE_NEW);
}

static int make_chain(const struct archive *a, __u64 chain)
{
	char name[ARCHIVE_NAME_MAX];

	archive_chain_name(name, chain);
	if (mkdirat(a->fd, name, 0750) && errno != EEXIST)
		return -1;
	return archive_open_chain(a, chain);
}

static enum status bad(const struct new_shard *n, const char *what)
{
	return say_errno("%s/%0*llu/%s: %s", n->archive->path, ARCHIVE_CHAIN_DIGITS,
			 n->chain, ARCHIVE_NEW, what);
}

/*
 * Open for read as well, to read it back. With mask=^MAY_READ, as in the policy tcb,
 * IMA measures a file when it is opened for that: while it is empty, always the same.
 */
static enum status make_file(struct new_shard *n, enum shard_file file)
{
	n->file[file] = openat(n->fd, archive_names[file], O_RDWR | O_CREAT | O_EXCL |
			       O_NOFOLLOW | O_CLOEXEC, 0640);
	return n->file[file] < 0 ? bad(n, archive_names[file]) : DONE;
}

/**
 * new_shard_begin() - begin to write a shard
 * @n: shard, to be ended with new_shard_end() whatever is returned
 * @a: archive
 * @chain: number of the chain, which is made if need be
 * @min_free: bytes that must be free on the archive's disk, or no records are written
 *
 * Return: DONE or IO.
 */
enum status new_shard_begin(struct new_shard *n, const struct archive *a, __u64 chain,
			    __u64 min_free)
{
	enum status status;

	n->archive = a;
	n->chain = chain;
	n->min_free = min_free;
	n->len = 0;
	n->fd = -1;
	memset(n->file, 0xff, sizeof(n->file));
	n->chain_fd = make_chain(a, chain);
	if (n->chain_fd < 0 || fsync(a->fd) || fsync(n->chain_fd))
		return bad(n, "make the folder of the chain");
	status = remove_new(n->chain_fd, a, chain);
	if (status)
		return status;
	if (mkdirat(n->chain_fd, ARCHIVE_NEW, 0750))
		return bad(n, "make the folder");
	n->fd = openat(n->chain_fd, ARCHIVE_NEW, ARCHIVE_DIR);
	return n->fd < 0 ? bad(n, "open the folder") : make_file(n, SHARD_RECORDS);
}

/**
 * new_shard_end() - release all, and remove what is not committed
 * @n: shard
 *
 * Return: DONE or IO: it is still there, until archive_drop_new().
 */
enum status new_shard_end(struct new_shard *n)
{
	enum status status = DONE;
	unsigned int i;

	for (i = 0; i < SHARD_FILES; i++)
		if (n->file[i] >= 0)
			close(n->file[i]);
	if (n->fd >= 0)
		close(n->fd);
	if (n->chain_fd >= 0) {
		status = remove_new(n->chain_fd, n->archive, n->chain);
		close(n->chain_fd);
	}
	return status;
}

static bool write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static enum status write_records(struct new_shard *n, const void *data, size_t len)
{
	enum status status = archive_room(n->archive, n->min_free, len);

	if (!status && !write_all(n->file[SHARD_RECORDS], data, len))
		status = bad(n, "records: write");
	return status;
}

static enum status flush(struct new_shard *n)
{
	enum status status = write_records(n, n->buf, n->len);

	if (!status)
		n->len = 0;
	return status;
}

/**
 * new_shard_write() - append records
 * @n: shard
 * @data: records
 * @len: bytes of @data
 *
 * Return: DONE or IO.
 */
enum status new_shard_write(struct new_shard *n, const void *data, size_t len)
{
	enum status status = DONE;

	if (len > sizeof(n->buf) - n->len)
		status = flush(n);
	if (status)
		return status;
	if (len > sizeof(n->buf))
		return write_records(n, data, len);
	memcpy(n->buf + n->len, data, len);
	n->len += len;
	return DONE;
}

/**
 * new_shard_restart() - forget the records that were appended
 * @n: shard
 *
 * Return: DONE or IO.
 */
enum status new_shard_restart(struct new_shard *n)
{
	n->len = 0;
	if (ftruncate(n->file[SHARD_RECORDS], 0) || lseek(n->file[SHARD_RECORDS], 0, SEEK_SET))
		return bad(n, "records: empty");
	return DONE;
}

/**
 * new_shard_cut() - the records are complete
 * @n: shard
 * @bytes: keep so many bytes of what was written
 * @hash: SHA-256 of what is kept, read back
 *
 * Return: DONE or IO.
 */
enum status new_shard_cut(struct new_shard *n, __u64 bytes, __u8 hash[HASH_SIZE])
{
	enum status status = flush(n);
	int fd = n->file[SHARD_RECORDS];
	__u64 size;

	if (status)
		return status;
	if (ftruncate(fd, bytes) || fsync(fd))
		return bad(n, "records: sync");
	/* from disk, not from the page cache; to open it anew would have IMA measure it */
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (lseek(fd, 0, SEEK_SET) || shard_hash_fd(fd, hash, &size))
		return bad(n, "records: read back");
	return DONE;
}

static enum status write_file(struct new_shard *n, enum shard_file file,
			      const void *data, size_t len)
{
	enum status status = make_file(n, file);

	if (!status && (!write_all(n->file[file], data, len) || fsync(n->file[file])))
		status = bad(n, archive_names[file]);
	if (!status)
		posix_fadvise(n->file[file], 0, 0, POSIX_FADV_DONTNEED);
	return status;
}

/**
 * new_shard_blob() - write a TPM structure
 * @n: shard
 * @file: SHARD_QUOTE, SHARD_SIGNATURE or SHARD_AK
 * @blob: the structure
 * @hash: its SHA-256
 *
 * Return: DONE or IO.
 */
enum status new_shard_blob(struct new_shard *n, enum shard_file file,
			   const struct ima_quote_blob *blob, __u8 hash[HASH_SIZE])
{
	if (!EVP_Digest(blob->data, blob->size, hash, NULL, EVP_sha256(), NULL))
		return say(IO, "OpenSSL: no SHA-256");
	return write_file(n, file, blob->data, blob->size);
}

/**
 * new_shard_manifest() - write shard.json, the last file
 * @n: shard
 * @m: manifest
 *
 * Return: DONE or IO.
 */
enum status new_shard_manifest(struct new_shard *n, const struct manifest *m)
{
	char *text = manifest_write(m);
	enum status status;

	if (!text)
		return bad(n, "shard.json");
	status = write_file(n, SHARD_JSON, text, strlen(text));
	free(text);
	if (!status && fsync(n->fd))
		status = bad(n, "sync");
	return status;
}

/**
 * new_shard_open() - read back what was written
 * @n: shard
 * @s: the same, as a reader sees it
 *
 * Return: DONE, IO, or REFUSED: it does not read as it was written.
 */
enum status new_shard_open(const struct new_shard *n, struct shard *s)
{
	s->chain = n->chain;
	s->fd = -1;
	s->file = n->file;
	snprintf(s->name, sizeof(s->name), "%0*llu/%s", ARCHIVE_CHAIN_DIGITS, n->chain,
		 ARCHIVE_NEW);
	return shard_read_manifest(s);
}

/* NFS, for one, has no RENAME_NOREPLACE. The archive is locked: there is none meanwhile. */
static int rename_new(int chain_fd, const char *name)
{
	if (!renameat2(chain_fd, ARCHIVE_NEW, chain_fd, name, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL)
		return -1;
	if (!faccessat(chain_fd, name, F_OK, AT_SYMLINK_NOFOLLOW))
		errno = EEXIST;
	return errno == ENOENT ? renameat(chain_fd, ARCHIVE_NEW, chain_fd, name) : -1;
}

/**
 * new_shard_commit() - the shard is good: it belongs to the archive
 * @n: shard
 * @first: number of its first record
 *
 * Return: DONE or IO.
 */
enum status new_shard_commit(struct new_shard *n, __u64 first)
{
	char name[ARCHIVE_NAME_MAX];

	snprintf(name, sizeof(name), "%0*llu", ARCHIVE_SHARD_DIGITS, first);
	if (rename_new(n->chain_fd, name))
		return bad(n, "rename");
	return fsync(n->chain_fd) ? bad(n, "sync the folder of the chain") : DONE;
}

/**
 * archive_keep() - drop chains that are finished and old
 * @a: archive
 * @current: number of the chain that goes on; one after it was begun for nothing
 * @keep: how many chains to keep, that one and the newest before it; 0: all
 * @below: drop none with this number or a higher one
 *
 * A chain is moved out of the way before it is removed, so it is in the archive
 * whole or not at all.
 *
 * Return: DONE or IO.
 */
enum status archive_keep(struct archive *a, __u64 current, __u64 keep, __u64 below)
{
	char name[ARCHIVE_NAME_MAX];
	enum status status;
	size_t i, num = 0;

	status = archive_list(a);
	while (!status && num < a->num_chains && a->chain[num] <= current)
		num++;
	for (i = 0; keep && !status && i + keep < num && a->chain[i] < below; i++) {
		archive_chain_name(name, a->chain[i]);
		if (renameat(a->fd, name, a->fd, ARCHIVE_OLD) || fsync(a->fd))
			return say_errno("%s/%s: remove", a->path, name);
		status = remove_all(a->fd, a->path, ARCHIVE_OLD);
	}
	return status;
}

/**
 * archive_drop_new() - remove what a round that was ended by force has left
 * @a: archive
 *
 * Return: DONE or IO.
 */
enum status archive_drop_new(const struct archive *a)
{
	enum status status = remove_all(a->fd, a->path, ARCHIVE_OLD);
	size_t i;
	int fd;

	for (i = 0; i < a->num_chains && !status; i++) {
		fd = archive_open_chain(a, a->chain[i]);
		if (fd < 0)
			return say_errno("%s: chain %llu", a->path, a->chain[i]);
		status = remove_new(fd, a, a->chain[i]);
		close(fd);
	}
	return status;
}
