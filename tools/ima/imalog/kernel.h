/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's measurement list.
 */
#ifndef _KERNEL_H
#define _KERNEL_H

#include "banks.h"
#include "stream.h"

#define KERNEL_TEXT	64
#define KERNEL_BINARY	"binary_runtime_measurements"
#define KERNEL_COMMANDS	"ascii_runtime_measurements"
#define KERNEL_UNMAPPED	"tpm_alg_%x"	/* an algorithm that it does not know */

/**
 * enum kernel_way - how records are deleted
 * @KERNEL_NONE: not at all
 * @KERNEL_HELD: with N, one file held open for write meanwhile: Linux 7.2
 * @KERNEL_COUNTED: with T:N, which is refused if others deleted meanwhile
 */
enum kernel_way { KERNEL_NONE, KERNEL_HELD, KERNEL_COUNTED };

/**
 * struct kernel - the running kernel
 * @dir: folder of its files
 * @path: name of it
 * @way: how it deletes records
 * @held: list that is held open to read and write, or -1: meanwhile Linux 7.2 lets
 *	nobody open another one, nor us
 * @known: banks, and how they are extended, as was seen before that
 * @num_known: how many
 * @boot_id: of this boot
 * @release: of this kernel
 * @removed: records that have left the list, staged ones included, 0 if not told
 * @count: records in the list
 * @staged: records that are staged
 */
struct kernel {
	int dir;
	const char *path;
	enum kernel_way way;
	int held;
	struct {
		__u16 alg;
		enum ima_log_fill fill;
	} known[IMA_LOG_BANKS_MAX];
	unsigned int num_known;
	char boot_id[KERNEL_TEXT + 1];
	char release[KERNEL_TEXT + 1];
	__u64 removed;
	__u64 count;
	__u64 staged;
};

enum status kernel_open(struct kernel *k, const char *path);
void kernel_close(struct kernel *k);
enum status kernel_numbers(struct kernel *k);
enum status kernel_state(struct kernel *k);
enum status kernel_unchanged(const struct kernel *k);
enum status kernel_stream(const struct kernel *k, struct stream *s, __u64 first);
enum status kernel_add_bank(const struct kernel *k, struct banks *b, __u16 alg);
bool kernel_has_unmapped(const struct kernel *k, __u16 alg);
bool kernel_back_off(unsigned int *tries);
int kernel_try_open(const struct kernel *k, const char *name, int flags);

enum status kernel_hold(struct kernel *k);
void kernel_release(struct kernel *k);
enum status kernel_may_delete(const struct kernel *k);
enum status kernel_delete(struct kernel *k, __u64 n);

#endif /* _KERNEL_H */
