/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The complete log since the TPM was reset: what the archive has, then what the kernel
 * has. A trim meanwhile moves records from the kernel to the archive; they are then
 * found there.
 */
#ifndef _LOG_H
#define _LOG_H

#include "archive.h"
#include "kernel.h"

/**
 * struct log_place - a place in the log
 * @number: number of the record that begins there
 * @bytes: size of all before it, as records of the archive
 */
struct log_place {
	__u64 number;
	__u64 bytes;
};

/**
 * struct log_shard - a shard of the log
 * @at: where it begins
 * @count: how many records it has
 * @checked: its records were compared with their hash
 */
struct log_shard {
	struct log_place at;
	__u64 count;
	bool checked;
};

/**
 * struct log - the log
 * @opt: options
 * @archive: archive; @archive.fd is -1 if there is none yet
 * @kernel: kernel; @kernel.dir is -1 if only a chain of the archive is wanted
 * @chain: number of the chain
 * @base: number of the kernel's first record at boot
 * @shard: shards of the chain, in order
 * @num: how many
 * @end: where they end
 * @start: where the kernel's list begins
 * @started: @start is that of a kernel that had so many records removed, less staged
 *	ones, and one more
 */
struct log {
	const struct options *opt;
	struct archive archive;
	struct kernel kernel;
	__u64 chain;
	__u64 base;
	struct log_shard *shard;
	size_t num;
	struct log_place end;
	struct log_place start;
	__u64 started;
};

/**
 * typedef log_visit - called with each record
 * @context: what was given along
 * @rec: the record
 * @at: where it begins
 * @enough: set to end the walk; the next one begins behind @rec
 *
 * Return: DONE, or what is to end the walk.
 */
typedef enum status log_visit(void *context, const struct ima_log_record *rec,
			      const struct log_place *at, bool *enough);

enum status log_open(struct log *l, const struct options *opt);
void log_close(struct log *l);
enum status log_banks(struct log *l, struct banks *b, __u16 alg);
void log_near(const struct log *l, __u64 number, struct log_place *place);
enum status log_walk(struct log *l, struct log_place *place, log_visit *visit,
		     void *context);
enum status log_count(struct log *l, __u64 *count);

#endif /* _LOG_H */
