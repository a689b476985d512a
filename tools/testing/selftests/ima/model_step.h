/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Steps of the model test: what is done, and what came of the last ones.
 */
#ifndef IMA_MODEL_STEP_H
#define IMA_MODEL_STEP_H

#include "model.h"

#define PROCESSES 3
#define FILES 14		/* the first is for checks */
#define HISTORY 4096
#define HISTORY_ALL 40		/* the last ones of these are all printed */
#define TEXT_MAX 48
#define ENDS_LATER 32		/* ends of the list seen after one of OLD_END */

enum step_kind { STEP_MEASURE, STEP_CALL, STEP_KILL };

/**
 * struct step - one thing that is done
 * @kind: what
 * @process: which process, for an open file its own
 * @file: which of the open files
 * @which: to open: the list
 * @format: to open: how it is shown
 * @call: the system call; for STEP_MEASURE, len[0] is that of the file's name
 * @bad: so many bytes at the end of a read have no memory
 * @command: what @text is, for a write
 * @text: what is written
 * @text_len: so many bytes
 * @again: STEP_MEASURE of an event that was there before
 * @number: of the event, or of the step
 * @ret: what the call returned
 */
struct step {
	enum step_kind kind;
	int process, file;
	enum model_which which;
	int format;
	struct model_call call;
	size_t bad;
	struct model_command command;
	char text[TEXT_MAX];
	size_t text_len;
	bool again;
	unsigned long number;
	long ret;
};

/* What the results of calls are counted as. */
enum result {
	READ_DATA, READ_NOTHING, READ_ESTALE, READ_EFAULT,
	OPEN_DONE, OPEN_EBUSY,
	LIST_DONE, LIST_EINVAL, LIST_ERANGE, LIST_EAGAIN, LIST_EEXIST, LIST_ENOENT, LIST_EBUSY,
	STAGED_A_DONE, STAGED_D_DONE, STAGED_EINVAL, STAGED_EEXIST, STAGED_ENOENT, STAGED_EBUSY,
	MEASURED, MEASURED_AGAIN,
	OLD_END,
	RESULTS,
};

/**
 * struct run - the test
 * @seed: to do the same again
 * @random: the random number
 * @model: what should be
 * @process: processes that make calls; the first is this one
 * @file: the model's open files
 * @fd: and their numbers
 * @count: runtime_measurements_count, open
 * @removed: runtime_measurements_removed, open
 * @steps: how many were done
 * @calls: how many are in @history
 * @length: of the list, for now
 * @history: the last ones
 * @results: how often each kind was seen
 */
struct run {
	unsigned long long seed, random;
	struct model model;
	struct model_process process[PROCESSES];
	struct model_file file[FILES];
	int fd[FILES];
	int count, removed;
	unsigned long steps, calls, length;
	struct step history[HISTORY];
	unsigned long results[RESULTS];
};

/* xorshift64* */
static inline unsigned long random_below(struct run *run, unsigned long n)
{
	run->random ^= run->random >> 12;
	run->random ^= run->random << 25;
	run->random ^= run->random >> 27;
	return (run->random * 0x2545f4914f6cdd1dULL >> 16) % n;
}

static inline bool one_in(struct run *run, unsigned long n)
{
	return !random_below(run, n);
}

/* Is the list shorter than it is to be now? */
static inline bool step_growing(const struct run *run)
{
	return model_count(&run->model, MODEL_LIST) < run->length;
}

const char *run_start(struct run *run);
void run_end(struct run *run);

void step_choose_command(struct run *run, struct step *step);
bool step_moves(enum model_op op);
const char *step_do(struct run *run, struct step *step);
void step_print_history(const struct run *run, const char *wrong);
void step_print_results(const struct run *run);
bool step_saw_all(const struct run *run, bool say);

#endif /* IMA_MODEL_STEP_H */
