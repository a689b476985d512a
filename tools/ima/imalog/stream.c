// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records from files, one after the other, in memory that does not grow with them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

#define FIRST_SIZE	(256u << 10)
#define LAST_SIZE	(2 * IMA_LOG_DATA_MAX)

/**
 * stream_init() - begin
 * @s: stream, to be closed with stream_close() whatever is returned
 * @digest_size: bytes of a template digest in the files
 * @first: number of the first record, for messages
 *
 * Return: DONE or IO: no memory.
 */
enum status stream_init(struct stream *s, size_t digest_size, __u64 first)
{
	memset(s, 0, sizeof(*s));
	s->first = first;
	s->size = FIRST_SIZE;
	s->buf = malloc(s->size);
	if (!s->buf)
		return say_errno("records");
	ima_log_init(&s->parser, "", 0, digest_size, IMA_LOG_HOST);
	return DONE;
}

/**
 * stream_add() - read this file after those that there are
 * @s: stream
 * @fd: file, which is closed with the stream
 * @name: what to call it in messages
 */
void stream_add(struct stream *s, int fd, const char *name)
{
	s->fd[s->num] = fd;
	s->name[s->num++] = name;
}

/**
 * stream_skip() - begin further on in the first file
 * @s: stream, from which nothing was read yet
 * @number: number of the record there
 * @bytes: bytes before it
 *
 * Return: DONE or IO.
 */
enum status stream_skip(struct stream *s, __u64 number, __u64 bytes)
{
	if (bytes && lseek(s->fd[0], bytes, SEEK_SET) < 0)
		return say_errno("%s: offset %llu", s->name[0], bytes);
	s->first = number;
	s->parser.base = bytes;
	return DONE;
}

/**
 * stream_number() - number of the next record
 * @s: stream
 *
 * Return: it.
 */
__u64 stream_number(const struct stream *s)
{
	return s->first + s->parser.records;
}

/* Move what is not consumed to the front, and read on: bytes, 0 at the end, -1. */
static ssize_t fill(struct stream *s)
{
	size_t left = s->parser.len - s->parser.pos;
	ssize_t n = 0;
	__u8 *buf;

	progress_alive();
	memmove(s->buf, s->buf + s->parser.pos, left);
	ima_log_feed(&s->parser, s->buf, left);
	if (left == s->size) {
		buf = s->size < LAST_SIZE ? realloc(s->buf, 2 * s->size) : NULL;
		if (!buf) {
			errno = ENOMEM;
			return -1;
		}
		s->buf = buf;
		s->size *= 2;
	}
	while (s->file < s->num) {
		do {
			n = read(s->fd[s->file], s->buf + left, s->size - left);
		} while (n < 0 && errno == EINTR);
		if (n || left)
			break;
		s->file++;
	}
	if (n >= 0)
		ima_log_feed(&s->parser, s->buf, left + n);
	return n;
}

/* Before anything in it is called malformed. */
static enum status ask(struct stream *s)
{
	if (!s->begun || s->asked > s->file || s->asked == s->num)
		return DONE;
	s->asked = s->file < s->num ? s->file + 1 : s->num;
	return s->begun(s->of);
}

static const char *file_name(const struct stream *s)
{
	return s->name[s->file < s->num ? s->file : s->num - 1];
}

/**
 * stream_bad() - say what is wrong with a record
 * @s: stream
 * @rec: the record that was returned last; NULL: the one that cannot be read
 * @why: what is wrong with it
 *
 * Return: REFUSED.
 */
enum status stream_bad(const struct stream *s, const struct ima_log_record *rec,
		       const char *why)
{
	return say(REFUSED, "%s: record %llu at offset %llu: %s", file_name(s),
		   stream_number(s) - !!rec,
		   rec ? rec->offset : s->parser.error_offset, why);
}

/**
 * stream_next() - get the next record
 * @s: stream
 * @rec: the record, valid until the next call
 * @end: there is none
 *
 * Return: DONE; REFUSED: malformed, IO, or AGAIN: the kernel deleted it meanwhile.
 */
enum status stream_next(struct stream *s, struct ima_log_record *rec, bool *end)
{
	enum status status;
	ssize_t n;
	int ret;

	*end = false;
	for (;;) {
		ret = s->parser.pos < s->parser.len ?
		      ima_log_next(&s->parser, rec) : -ENODATA;
		if (ret == 1)
			return DONE;
		if (ret != -ENODATA)
			return stream_bad(s, NULL, s->parser.error);
		n = fill(s);
		if (n < 0 && errno == ESTALE)
			return AGAIN;
		if (n < 0)
			return say_errno("%s: record %llu", file_name(s),
					 stream_number(s));
		status = ask(s);
		if (status)
			return status;
		if (n)
			continue;
		*end = s->parser.pos == s->parser.len;
		if (*end)
			return DONE;
		ima_log_next(&s->parser, rec);
		return stream_bad(s, NULL, s->parser.error);
	}
}

/**
 * stream_close() - release all
 * @s: stream
 */
void stream_close(struct stream *s)
{
	unsigned int i;

	for (i = 0; i < s->num; i++)
		close(s->fd[i]);
	free(s->buf);
	s->buf = NULL;
	s->num = 0;
}
