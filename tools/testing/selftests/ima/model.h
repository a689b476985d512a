/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the measurement list: what the rules W1, W2 and R1 to R4 say of
 * each call, to compare the kernel with. It is made of the rules alone.
 */
#ifndef IMA_MODEL_H
#define IMA_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "ima_test.h"

#define MODEL_FORMATS 10
#define MODEL_NAME_MAX 250	/* of a measured file; tmpfs allows 255 */
#define MODEL_ENDS 64		/* so many ends of the list a file remembers */
#define MODEL_PLACES 4
#define MODEL_EVENTS 64		/* the latest, to be measured again */

enum model_which { MODEL_LIST, MODEL_STAGED, MODEL_LISTS };

/**
 * struct model_format - one of the files that show a list
 * @name: the name of each list's
 * @alg: name of the algorithm
 * @ascii: as opposed to binary
 */
struct model_format {
	char name[MODEL_LISTS][IMA_NAME_MAX];
	char alg[16];
	bool ascii;
};

/**
 * struct model_event - a file that is measured
 * @name: its name, and its content
 * @known: to be measured again it must be forgotten first
 */
struct model_event {
	char name[MODEL_NAME_MAX + 1];
	bool known;
};

/**
 * struct model_record - what is in a list
 * @event: number of the event
 * @users: the list that it is in, and the files that have it at hand
 * @at: in @data, where it begins in each format; the last is where all end
 * @data: its bytes in one format after the other
 */
struct model_record {
	unsigned long event;
	unsigned int users;
	unsigned int at[MODEL_FORMATS + 1];
	char data[];
};

/**
 * struct model_list - the list, or the records that left it, the staged ones last
 * @first: number of its first record; the numbers go on for ever
 * @end: number that the next record will have
 * @room: how many numbers the arrays have room for
 * @record: by number, NULL if it left
 * @start: by format and number, where it begins if the first one ever is at 0
 */
struct model_list {
	unsigned long first, end, room;
	struct model_record **record;
	off_t *start[MODEL_FORMATS];
};

/**
 * struct model_file - an open file
 * @open: is it?
 * @process: whose it is
 * @which: the list that it shows
 * @format: and how
 * @flags: O_RDONLY, O_WRONLY, O_RDWR
 * @offset: what lseek() moves
 * @begun: it has a byte 0 (R3)
 * @zero: where that is in @start of the list, as all that follow
 * @near: where the last read ended
 * @near_known: if it is sure that the file remembers it
 * @place: where its last read may have stopped in the middle (R2)
 * @places: so many possibilities
 * @rest: it may be at rest
 * @vague: it may be anywhere
 * @hand: the record that the last read ended with, also one that got nothing
 * @hand_at: where that begins
 * @end: the latest ends of the list that it may have seen
 * @end_sure: and has for sure
 * @ends: how many there ever were
 */
struct model_file {
	bool open;
	int process;
	enum model_which which;
	int format, flags;
	off_t offset;
	bool begun;
	off_t zero, near;
	bool near_known;
	off_t place[MODEL_PLACES];
	int places;
	bool rest, vague;
	struct model_record *hand;
	off_t hand_at;
	off_t end[MODEL_ENDS];
	bool end_sure[MODEL_ENDS];
	unsigned long ends;
};

enum model_verb { MODEL_N, MODEL_TN, MODEL_A, MODEL_D, MODEL_WRONG, MODEL_TOO_BIG };

/**
 * struct model_command - what is written
 * @verb: the command; @MODEL_WRONG is EINVAL, @MODEL_TOO_BIG is ERANGE
 * @t: T of T:N
 * @n: N
 */
struct model_command {
	enum model_verb verb;
	unsigned long t, n;
};

/**
 * struct model - all that there is
 * @format: the files that show a list
 * @formats: how many
 * @prefix: of the name of a measured file in its record
 * @salt: in the name of each file of this run
 * @flush: the kernel forgets deleted records
 * @removed: what runtime_measurements_removed was when @list was empty and new
 * @list: both lists
 * @batch: number in the list of the first record that is staged
 * @event: the latest events
 * @events: how many there ever were
 * @file: open files
 * @files: how many places @file has
 * @free_reads: reads that the rules let end in two ways
 * @hand_reads: those that got the rest of a record at hand that is gone
 * @free_commands: commands that do
 */
struct model {
	struct model_format format[MODEL_FORMATS];
	int formats;
	const char *prefix;
	unsigned long long salt;
	bool flush;
	unsigned long removed;
	struct model_list list[MODEL_LISTS];
	unsigned long batch;
	struct model_event event[MODEL_EVENTS];
	unsigned long events;
	struct model_file *file;
	int files;
	unsigned long free_reads, hand_reads, free_commands;
};

/**
 * struct model_read - a read and what came of it
 * @offset: where
 * @room: how many bytes the caller has memory for
 * @fault: after these it has bad memory
 * @ret: bytes, or -errno
 * @data: what was read
 */
struct model_read {
	off_t offset;
	size_t room;
	bool fault;
	long ret;
	const char *data;
};

int model_formats(struct model *model);
struct model_record *model_record(const struct model *model, unsigned long event);
void model_record_put(struct model_record *record);

int model_init(struct model *model);
int model_add(struct model *model, unsigned long event);
unsigned long model_count(const struct model *model, enum model_which which);
unsigned long model_removed(const struct model *model);
const char *model_expected(const char *what, long number);
const char *model_expect(long ret, long wanted);

/* These return NULL if the kernel is right, or what it should have done. */
const char *model_opened(struct model *model, struct model_file *file, long ret);
void model_closed(struct model_file *file);
const char *model_seeked(struct model_file *file, off_t offset, int whence, long ret);
const char *model_has_read(struct model *model, struct model_file *file,
			   const struct model_read *read);
const char *model_commanded(struct model *model, const struct model_file *file,
			    const struct model_command *command, size_t len, long ret);

/*
 * Processes that open, read and write the files, for R2 and W1.
 */
#define MODEL_BUFFER (128 * 1024)
#define MODEL_IOVS 4

enum model_op {
	MODEL_OPEN, MODEL_CLOSE, MODEL_LSEEK,
	MODEL_READ, MODEL_READV, MODEL_PREAD, MODEL_PREADV, MODEL_PREADV2, MODEL_SPLICE,
	MODEL_WRITE, MODEL_WRITEV, MODEL_PWRITE,
};

/**
 * struct model_call - a system call that one of the processes makes
 * @op: which; MODEL_PREADV2 is at the offset -1
 * @fd: file descriptor of that process
 * @flags: to open, or whence
 * @offset: as it says
 * @iovs: how many of @len there are, at least one for a read or write
 * @len: lengths; each piece of memory follows the one before
 * @from: where the memory begins in the process's buffer, behind which is none
 * @name: file to open
 */
struct model_call {
	enum model_op op;
	int fd, flags;
	off_t offset;
	int iovs;
	size_t len[MODEL_IOVS];
	size_t from;
	char name[IMA_NAME_MAX];
};

/**
 * struct model_process - one of the processes
 * @pid: 0: it is this one
 * @sock: wakes it, and tells that it is done
 * @pipe: for splice
 * @shared: what it shares with this one
 */
struct model_process {
	pid_t pid;
	int sock, pipe[2];
	struct model_shared *shared;
};

int model_process_start(struct model_process *process, bool here);
void model_process_end(struct model_process *process);
char *model_buffer(const struct model_process *process);
long model_do(struct model_process *process, const struct model_call *call);

#endif /* IMA_MODEL_H */
