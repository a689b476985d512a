// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open a shard of the archive, and read what is in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "archive.h"

#define HASH_CHUNK	(64u << 10)

const char * const archive_names[SHARD_FILES] = {
	"records", "quote", "signature", "ak", "shard.json",
};

/*
 * Open a file to read it from its beginning. One that was just written is not opened
 * again: IMA would measure it.
 */
static int open_file(const struct shard *s, enum shard_file file)
{
	struct stat st;
	int fd;

	if (s->file)
		return lseek(s->file[file], 0, SEEK_SET) ? -1 : dup(s->file[file]);
	fd = openat(s->fd, archive_names[file],
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

/* Read a file up to @max bytes: bytes, or -1 with errno. */
static ssize_t read_file(const struct shard *s, enum shard_file file, void *data,
			 size_t max)
{
	int fd = open_file(s, file);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	do {
		n = read(fd, (char *)data + len, max - len);
		if (n > 0)
			len += n;
	} while ((n > 0 && len < max) || (n < 0 && errno == EINTR));
	close(fd);
	return n < 0 ? -1 : (ssize_t)len;
}

static enum status of_another(const struct shard *s)
{
	return say(REFUSED, "%s: shard.json: it is the manifest of another shard", s->name);
}

/**
 * shard_read_manifest() - read the manifest of a shard
 * @s: shard, its chain, name and folder or files set
 *
 * Return: DONE, IO, or REFUSED: the manifest is not as it must be.
 */
enum status shard_read_manifest(struct shard *s)
{
	char *text = malloc(MANIFEST_MAX);
	enum status status = DONE;
	const char *why;
	ssize_t len;

	snprintf(s->records, sizeof(s->records), "%s/records", s->name);
	len = text ? read_file(s, SHARD_JSON, text, MANIFEST_MAX) : -1;
	if (len < 0) {
		status = say_errno("%s: shard.json", s->name);
	} else {
		why = manifest_read(&s->m, text, len);
		if (why)
			status = say(REFUSED, "%s: shard.json: %s", s->name, why);
		else if (s->m.chain != s->chain)
			status = of_another(s);
	}
	free(text);
	return status;
}

/**
 * shard_open() - open a shard and read its manifest
 * @a: archive
 * @chain: number of its chain
 * @first: number of its first record
 * @s: shard, to be closed with shard_close() if this succeeds
 *
 * Return: DONE, IO, or REFUSED: the manifest is not as it must be.
 */
enum status shard_open(const struct archive *a, __u64 chain, __u64 first,
		       struct shard *s)
{
	int chain_fd = archive_open_chain(a, chain);
	enum status status = DONE;

	s->chain = chain;
	s->file = NULL;
	archive_shard_name(s->name, chain, first);
	/* one after the other: O_NOFOLLOW is about the last name in a path */
	s->fd = chain_fd < 0 ? -1 : openat(chain_fd, strchr(s->name, '/') + 1, ARCHIVE_DIR);
	if (s->fd < 0)
		status = say_errno("%s", s->name);
	if (chain_fd >= 0)
		close(chain_fd);
	if (status)
		return status;
	status = shard_read_manifest(s);
	if (!status && s->m.first != first)
		status = of_another(s);
	if (status)
		shard_close(s);
	return status;
}

/**
 * shard_close() - release all
 * @s: shard
 */
void shard_close(struct shard *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/**
 * shard_blob() - read a TPM structure
 * @s: shard
 * @file: SHARD_QUOTE, SHARD_SIGNATURE or SHARD_AK
 * @blob: the structure
 *
 * Return: DONE, IO, or REFUSED: it is too large.
 */
enum status shard_blob(const struct shard *s, enum shard_file file,
		       struct ima_quote_blob *blob)
{
	__u8 data[IMA_QUOTE_BLOB_MAX + 1];
	ssize_t len = read_file(s, file, data, sizeof(data));

	if (len < 0)
		return say_errno("%s: %s", s->name, archive_names[file]);
	if (len > IMA_QUOTE_BLOB_MAX)
		return say(REFUSED, "%s: %s: too long", s->name, archive_names[file]);
	memcpy(blob->data, data, len);
	blob->size = len;
	return DONE;
}

/**
 * shard_hash_fd() - SHA-256 of what is left of a file
 * @fd: file
 * @hash: the hash
 * @bytes: how many there were
 *
 * Return: DONE, or IO with errno; nothing is said.
 */
enum status shard_hash_fd(int fd, __u8 hash[HASH_SIZE], __u64 *bytes)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	__u8 *buf = malloc(HASH_CHUNK);
	ssize_t n = -1;

	*bytes = 0;
	errno = ENOMEM;
	if (buf && ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)) {
		while ((n = read(fd, buf, HASH_CHUNK)) > 0 &&
		       EVP_DigestUpdate(ctx, buf, n)) {
			*bytes += n;
			progress_alive();
		}
		if (!n && !EVP_DigestFinal_ex(ctx, hash, NULL))
			n = -1;
	}
	free(buf);
	EVP_MD_CTX_free(ctx);
	return n ? IO : DONE;
}

static enum status check_hash(const struct shard *s, enum shard_file file,
			      const __u8 want[HASH_SIZE], const __u64 *size)
{
	const char *name = archive_names[file];
	int fd = open_file(s, file);
	__u8 hash[HASH_SIZE];
	enum status status;
	__u64 bytes;

	if (fd < 0)
		return say_errno("%s: %s", s->name, name);
	status = shard_hash_fd(fd, hash, &bytes);
	if (status)
		say_errno("%s: %s", s->name, name);
	else if (size && *size != bytes)
		status = say(REFUSED, "%s: %s: has %llu bytes, shard.json says %llu",
			     s->name, name, bytes, *size);
	else if (memcmp(hash, want, HASH_SIZE))
		status = say(REFUSED, "%s: %s: altered, its SHA-256 is not that in shard.json",
			     s->name, name);
	close(fd);
	return status;
}

/**
 * shard_check_quote() - compare the files of the quote with their hashes
 * @s: shard
 *
 * Return: DONE, IO, or REFUSED: one is altered.
 */
enum status shard_check_quote(const struct shard *s)
{
	enum status status;

	status = check_hash(s, SHARD_QUOTE, s->m.quote, NULL);
	if (!status)
		status = check_hash(s, SHARD_SIGNATURE, s->m.signature, NULL);
	if (!status)
		status = check_hash(s, SHARD_AK, s->m.ak, NULL);
	return status;
}

/**
 * shard_check_records() - compare the records with their hash
 * @s: shard
 *
 * Return: DONE, IO, or REFUSED: they are altered.
 */
enum status shard_check_records(const struct shard *s)
{
	return check_hash(s, SHARD_RECORDS, s->m.records, &s->m.bytes);
}

/**
 * shard_records() - read the records of a shard
 * @s: shard, which must stay as long as @stream
 * @stream: the records, to be closed with stream_close() whatever is returned
 *
 * Return: DONE or IO.
 */
enum status shard_records(const struct shard *s, struct stream *stream)
{
	enum status status;
	int fd;

	status = stream_init(stream, ima_log_alg_size(ima_log_alg_by_name("sha1")),
			     s->m.first);
	if (status)
		return status;
	fd = open_file(s, SHARD_RECORDS);
	if (fd < 0)
		return say_errno("%s: records", s->name);
	stream_add(stream, fd, s->records);
	return DONE;
}
