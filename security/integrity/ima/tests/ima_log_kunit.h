/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit suites of the measurement log share: a log of their own, and
 * records for it.
 */

#ifndef __IMA_LOG_KUNIT_H
#define __IMA_LOG_KUNIT_H

#include <kunit/test.h>
#include <linux/seq_file.h>

#include "../ima_log.h"

#define IMA_KUNIT_PLACES 3
#define IMA_KUNIT_BYTES 10	/* of each record, when it is read */

/*
 * Events are numbered. In a log that never had a violation or a second record
 * of an event, an event's number is its record's.
 */
struct ima_kunit {
	struct kunit *test;
	struct ima_log log;
	struct ima_place place[IMA_KUNIT_PLACES];
	struct file file[IMA_KUNIT_PLACES];
	bool open[IMA_KUNIT_PLACES];
};

/* two processes */
#define IMA_KUNIT_SELF	task_tgid(current)
#define IMA_KUNIT_OTHER	(&init_struct_pid)

int ima_kunit_init(struct kunit *test);
void ima_kunit_exit(struct kunit *test);

unsigned long ima_kunit_extends(void);
int ima_kunit_measure_pcr(struct ima_kunit *ctx, u32 event, bool violation,
			  int pcr);
int ima_kunit_measure(struct ima_kunit *ctx, u32 event);
int ima_kunit_restore(struct ima_kunit *ctx, u32 event);
void ima_kunit_fill(struct kunit *test, u32 first, u32 count);
u32 ima_kunit_event(const struct ima_queue_entry *qe);

int ima_kunit_open(struct ima_kunit *ctx, int i, struct ima_list *list,
		   struct pid *owner, bool writable);
void ima_kunit_close(struct ima_kunit *ctx, int i);
long ima_kunit_read_bytes(struct kunit *test, int i, loff_t pos, size_t len,
			  u32 expect);
long ima_kunit_read(struct kunit *test, int i, loff_t pos, int n, u32 expect);
loff_t ima_kunit_lseek(struct ima_kunit *ctx, int i, loff_t offset, int whence);
void ima_kunit_rewind(struct ima_kunit *ctx, int i);
long ima_kunit_write(struct ima_kunit *ctx, int i, const char *text,
		     size_t len);

int ima_kunit_stage(struct ima_kunit *ctx);
int ima_kunit_delete_staged(struct ima_kunit *ctx);
int ima_kunit_delete(struct ima_kunit *ctx, unsigned long n);

void ima_kunit_check(struct kunit *test, u64 removed, unsigned long staged,
		     unsigned long count);

#endif /* __IMA_LOG_KUNIT_H */
