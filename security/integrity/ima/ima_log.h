/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of what was measured: its records, the open files that show them,
 * and the commands that take them away.
 */
#ifndef __SECURITY_INTEGRITY_IMA_LOG_H
#define __SECURITY_INTEGRITY_IMA_LOG_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/rhashtable-types.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/types.h>
#include <linux/uio.h>

#include "ima.h"

struct ima_digest;

/* A record, allocated with room for its digests. */
struct ima_queue_entry {
	struct list_head later;		/* place in its list */
	struct ima_template_entry *entry;
	struct ima_digest *digest;	/* in its log's digests, or NULL */
	u8 digests[];			/* for ima_queue_digest() */
};

/* A list of records, numbered in the order in which they were measured. */
struct ima_list {
	struct list_head head;
	u64 first;		/* number of the record at the head */
	unsigned long count;	/* records */
	unsigned long size;	/* bytes that they take in a kexec segment */
};

/*
 * All that is kept of the events measured so far. The staged list and the list
 * are one piece of it: staged.first + staged.count is list.first.
 *
 * Lock order: command, ima_extend_list_mutex, reading, files. Only who takes
 * records away holds ima_extend_list_mutex with one of those after it: it can
 * be held for as long as a TPM takes.
 */
struct ima_log {
	struct ima_list list;
	struct ima_list staged;		/* what user space is about to delete */
	struct mutex command;		/* for a command: no other one runs */
	struct rhashtable digests;
	bool flush;			/* a digest goes with its record */
	bool suspended;			/* carried over: changes no more */
	struct rw_semaphore reading;	/* read: no record leaves */
	struct mutex files;		/* for what follows */
	struct list_head places;	/* of open files */
	const struct pid *writer;	/* process with files open for write */
	unsigned int writers;		/* number of these files */
};

extern struct ima_log ima_log;

int ima_queue_init(void);
void ima_log_init(struct ima_log *log);
unsigned long ima_log_size(struct ima_log *log);
u64 ima_log_removed(struct ima_log *log);
void ima_log_lock(struct ima_log *log);
void ima_log_unlock(struct ima_log *log);
u8 *ima_queue_digest(struct ima_queue_entry *qe, int idx);
int ima_add_template_entry(struct ima_log *log,
			   struct ima_template_entry *entry, int violation,
			   const char *op, struct inode *inode,
			   const unsigned char *filename);
int ima_restore_measurement_entry(struct ima_log *log,
				  struct ima_template_entry *entry);
int ima_restore_measurement_list(struct ima_log *log, loff_t bufsize,
				 void *buf);
int ima_pcr_extend(struct tpm_digest *digests, int pcr);

/* digests of the events measured so far */
int ima_digest_cache_init(void);
int ima_digest_table_init(struct rhashtable *table);
bool ima_digest_known(struct rhashtable *table, const u8 *digest, int pcr);
struct ima_digest *ima_digest_add(struct rhashtable *table, const u8 *digest,
				  int pcr);
void ima_digest_remove(struct rhashtable *table, struct ima_digest *digest);
void ima_digest_free(struct ima_digest *digest);

/* Marks are at most 1/64 of what was read apart: 2 / IMA_MARKS. */
#define IMA_MARKS	128
#define IMA_ENDS	64

/* Where a record begins in an open file, or will begin. */
struct ima_mark {
	loff_t offset;
	u64 number;			/* of the record */
	struct ima_queue_entry *before;	/* there if @number is past the first */
};

/* Where reading stopped. */
struct ima_stop {
	u64 number;			/* of the record that it stopped at */
	bool within;			/* some of that record was read */
	bool rest;			/* not begun, or at the end of the list */
};

/* An open file, and where it is in the list that it shows. */
struct ima_place {
	struct list_head node;		/* in @log->places */
	struct mutex lock;		/* one read at a time */
	struct ima_log *log;
	struct ima_list *list;
	struct pid *owner;		/* process that opened the file */
	bool writable;			/* counted in @log->writers */
	int (*show)(struct seq_file *m, void *qe);
	struct seq_file record;		/* a buffer for the record shown last */
	struct ima_mark next;		/* where that one ends */
	bool at_end;			/* of the list, when last copied from */
	struct ima_stop reached;	/* by what was copied */
	struct ima_stop stopped;	/* the same, under @log->reading */
	struct ima_stop stop;		/* or will be; likewise */
	unsigned int nr_marks;		/* 0: byte 0 is yet to be a record */
	unsigned int nr_ends;		/* that were ever seen */
	loff_t step;			/* least distance of marks, in bytes */
	struct ima_mark marks[IMA_MARKS];	/* of what was read, by offset */
	struct ima_mark ends[IMA_ENDS];	/* of the list, that were seen last */
};

int ima_place_open(struct ima_place *place, struct pid *owner);
void ima_place_close(struct ima_place *place);
ssize_t ima_place_read(struct ima_place *place, loff_t *offset,
		       struct iov_iter *to);
int ima_place_restart(struct ima_place *place);
bool ima_place_in_middle(struct ima_log *log, u64 first, u64 end,
			 const struct pid *except);

int ima_measurements_show(struct seq_file *m, void *v);

#if IS_ENABLED(CONFIG_KUNIT)
extern struct mutex ima_extend_list_mutex;
ssize_t ima_list_read(struct kiocb *iocb, struct iov_iter *to);
loff_t ima_list_llseek(struct file *file, loff_t offset, int whence);
#endif

#ifdef CONFIG_IMA_STAGING
int ima_queue_stage(struct ima_log *log, const struct pid *writer);
int ima_queue_delete_staged(struct ima_log *log, const struct pid *writer);
int ima_queue_delete_partial(struct ima_log *log, unsigned long n,
			     const struct pid *writer);
ssize_t ima_command_write(struct kiocb *iocb, struct iov_iter *from);
#else
#define ima_command_write NULL
#endif

#ifdef CONFIG_IMA_KEXEC
void ima_kexec_set_buf(struct seq_file *file, void *buf, size_t segment_size);
unsigned long ima_dump_log(struct ima_log *log, struct seq_file *file,
			   u64 *count);
unsigned long ima_kexec_segment_size(unsigned long log_size);
#endif

#endif /* __SECURITY_INTEGRITY_IMA_LOG_H */
