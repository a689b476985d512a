/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records from files, one after the other, in memory that does not grow with them.
 */
#ifndef _STREAM_H
#define _STREAM_H

#include "ima_log.h"
#include "say.h"

#define STREAM_FILES	2

/**
 * struct stream - records from up to two files
 * @parser: the place
 * @buf: the bytes at hand
 * @size: room in @buf
 * @fd: files that are read, in this order
 * @name: what to call them
 * @file: the one that is read now
 * @num: how many there are
 * @first: number of the first record, for messages
 * @begun: asked once the first bytes of each file were read: are they to be believed?
 * @of: is given to it
 * @asked: how many files it was asked about
 */
struct stream {
	struct ima_log_parser parser;
	__u8 *buf;
	size_t size;
	int fd[STREAM_FILES];
	const char *name[STREAM_FILES];
	unsigned int file;
	unsigned int num;
	__u64 first;
	enum status (*begun)(const void *of);
	const void *of;
	unsigned int asked;
};

enum status stream_init(struct stream *s, size_t digest_size, __u64 first);
void stream_add(struct stream *s, int fd, const char *name);
enum status stream_skip(struct stream *s, __u64 number, __u64 bytes);
enum status stream_next(struct stream *s, struct ima_log_record *rec, bool *end);
enum status stream_bad(const struct stream *s, const struct ima_log_record *rec,
		       const char *why);
__u64 stream_number(const struct stream *s);
void stream_close(struct stream *s);

#endif /* _STREAM_H */
