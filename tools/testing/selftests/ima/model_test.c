// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: model_test [SEED [STEPS [SECONDS]]]
 *
 * Random calls by several processes on several files, against a model that is
 * made of the rules for opening and reading alone (model.c). It stops at the
 * first call that ends otherwise than the rules say. The same seed gives the
 * same calls again. Without arguments: a new seed, for 100 seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../kselftest.h"
#include "model.h"
#include "model_step.h"

#define SECONDS 100
#define LONGER 6			/* times this, if some kind of result was not seen yet */
#define LONGEST 200		/* the list, unless readers prevent deletion */
#define STEADY 4		/* files that remember many ends */
#define PHASE 2000		/* steps for which it is to have one length */

/* A file of those that @wanted fits, or -1. */
static int random_file(struct run *run, bool (*wanted)(const struct model_file *file))
{
	int i, nr = 0, slot[FILES];

	for (i = 1; i < FILES; i++)
		if (run->file[i].open && wanted(&run->file[i]))
			slot[nr++] = i;
	return nr ? slot[random_below(run, nr)] : -1;
}

static bool any(const struct model_file *file)
{
	return true;
}

static bool readable(const struct model_file *file)
{
	return file->flags != O_WRONLY;
}

static bool writable(const struct model_file *file)
{
	return file->flags != O_RDONLY;
}

/* Some files are read on for long, as by an agent that keeps its file open. */
static bool steady(int file)
{
	return file >= FILES - STEADY;
}

static const char *random_measure(struct run *run)
{
	struct step step = { .kind = STEP_MEASURE, .again = one_in(run, 8) };

	if (step.again && run->model.events)
		step.number = run->model.events - 1 -
			      random_below(run, run->model.events < MODEL_EVENTS ?
					   run->model.events : MODEL_EVENTS);
	else
		step.again = false;
	step.call.len[0] = 24 + random_below(run, one_in(run, 4) ? MODEL_NAME_MAX - 24 : 20);
	return step_do(run, &step);
}

static const char *random_open(struct run *run)
{
	static const int flags[] = { O_RDONLY, O_RDONLY, O_RDWR, O_WRONLY };
	struct step step = { .kind = STEP_CALL, .call.op = MODEL_OPEN };
	int i, nr = 0, slot[FILES];

	for (i = 1; i < FILES; i++)
		if (!run->file[i].open)
			slot[nr++] = i;
	if (!nr)
		return NULL;
	step.file = slot[random_below(run, nr)];
	step.process = random_below(run, PROCESSES);
	step.which = random_below(run, 5) < 2 ? MODEL_STAGED : MODEL_LIST;
	step.format = random_below(run, run->model.formats);
	step.call.flags = flags[random_below(run, ARRAY_SIZE(flags))];
	if (steady(step.file))
		step.call.flags = O_RDONLY;
	if (steady(step.file) && !one_in(run, 4))
		step.which = MODEL_LIST;
	return step_do(run, &step);
}

static const char *close_file(struct run *run, int file)
{
	struct step step = { .kind = STEP_CALL, .call.op = MODEL_CLOSE, .file = file };

	return file < 0 ? NULL : step_do(run, &step);
}

/* Let another process be the writer. */
static const char *random_close(struct run *run)
{
	const char *wrong = NULL;
	int i;

	if (!one_in(run, 4)) {
		i = random_file(run, any);
		return steady(i) && !one_in(run, 20) ? NULL : close_file(run, i);
	}
	for (i = 1; i < FILES && !wrong; i++)
		if (run->file[i].open && writable(&run->file[i]))
			wrong = close_file(run, i);
	return wrong;
}

static const char *random_kill(struct run *run)
{
	struct step step = {
		.kind = STEP_KILL,
		.process = 1 + random_below(run, PROCESSES - 1),
	};

	return step_do(run, &step);
}

/* Somewhere in a list: where a record begins, or close to that. */
static off_t random_place(struct run *run, const struct model_file *file)
{
	const struct model_list *list = &run->model.list[file->which];
	unsigned long first = list->first > 3 ? list->first - 3 : 0;
	unsigned long n = first + random_below(run, list->end - first + 1);
	off_t place = list->start[file->format][n];

	return one_in(run, 3) ? place + (long)random_below(run, 5) - 2 : place;
}

/* An end that many others came after, but so lately that its record may be there still. */
static off_t old_end(struct run *run, const struct model_file *file, unsigned long ends)
{
	unsigned long n = ends - ENDS_LATER < 8 ? ends - ENDS_LATER : 8;

	return file->end[(file->ends - 1 - ENDS_LATER - random_below(run, n)) % MODEL_ENDS];
}

/* An offset at which to read; a file's byte 0 is anywhere in the list. */
static off_t random_offset(struct run *run, const struct model_file *file)
{
	const struct model_list *list = &run->model.list[file->which];
	const off_t *start = list->start[file->format];
	off_t zero = file->begun ? file->zero : start[list->first];
	off_t all = start[list->end] - zero, offset;
	unsigned long ends = file->ends < MODEL_ENDS ? file->ends : MODEL_ENDS;

	if (ends > ENDS_LATER && steady(file - run->file) && one_in(run, 2))
		return old_end(run, file, ends) - zero;
	if (ends && steady(file - run->file) && !one_in(run, 3))
		return file->end[random_below(run, ends)] - zero;
	switch (random_below(run, 10)) {
	case 0:
		return 0;
	case 1:
		return random_below(run, all + 1);
	case 2:
		return all + random_below(run, 300);
	case 3:
		return all;
	case 4:
		return one_in(run, 20) ? 1LL << (40 + random_below(run, 22)) : file->offset;
	case 5:
	case 6:
		if (ends)
			return file->end[random_below(run, ends)] - zero;
		return file->offset;
	default:
		offset = random_place(run, file) - zero;
		return offset < 0 ? 0 : offset;
	}
}

/* Is the record gone at which a file would be read, and that at its last end? */
static bool is_stale(const struct run *run, const struct model_file *file)
{
	const struct model_list *list = &run->model.list[file->which];
	off_t first = list->start[file->format][list->first];

	if (!file->begun || file->zero + file->offset >= first)
		return false;
	return !file->ends || file->end[(file->ends - 1) % MODEL_ENDS] < first;
}

static const char *random_seek(struct run *run)
{
	struct step step = {
		.kind = STEP_CALL,
		.call.op = MODEL_LSEEK,
		.file = random_file(run, any),
	};
	const struct model_file *file = &run->file[step.file];

	if (step.file < 0)
		return NULL;
	step.call.flags = SEEK_SET;
	if (one_in(run, 20)) {
		step.call.flags = SEEK_END;
		step.call.offset = 0;
	} else if (one_in(run, 30)) {
		step.call.offset = -1 - (off_t)random_below(run, 100);
	} else if (one_in(run, is_stale(run, file) ? 3 : steady(step.file) ? 100 : 6)) {
		step.call.offset = 0;
	} else {
		step.call.offset = random_offset(run, file);
		/* Whether a relative seek to 0 starts over, no rule says. */
		if (one_in(run, 4) && step.call.offset) {
			step.call.flags = SEEK_CUR;
			step.call.offset -= file->offset;
		}
	}
	return step_do(run, &step);
}

static size_t random_length(struct run *run, const struct model_file *file, off_t offset)
{
	const struct model_list *list = &run->model.list[file->which];
	const off_t *start = list->start[file->format];
	off_t pos = (file->begun ? file->zero : start[list->first]) + offset;
	off_t to;

	if (steady(file - run->file) && !one_in(run, 3))
		return 65536;
	switch (random_below(run, 8)) {
	case 0:
		return 1 + random_below(run, 8);
	case 1:
	case 2:
		return 1 + random_below(run, 400);
	case 3:
		return 4096;
	case 4:
		return 1 + random_below(run, 65536);
	case 5:
		to = start[list->end];
		break;
	default:
		to = random_place(run, file);
	}
	return to > pos && to - pos < 65536 ? to - pos : 100;
}

/* Memory in pieces, some of them empty. */
static void split(struct run *run, struct model_call *call, size_t len)
{
	int i, pieces = 1 + random_below(run, MODEL_IOVS);

	for (i = 0; i < pieces - 1; i++) {
		call->len[i] = random_below(run, (len < 100 || one_in(run, 2) ? len : 100) + 1);
		len -= call->len[i];
	}
	call->len[i] = len;
	call->iovs = pieces;
}

static const char *random_read(struct run *run)
{
	static const enum model_op ops[] = {
		MODEL_READ, MODEL_READ, MODEL_READ, MODEL_READV, MODEL_PREADV2,
		MODEL_PREAD, MODEL_PREADV, MODEL_SPLICE,
	};
	struct step step = { .kind = STEP_CALL, .file = random_file(run, readable) };
	const struct model_file *file;
	struct model_call *call = &step.call;
	off_t offset;

	if (step.file < 0)
		return NULL;
	if (!steady(step.file) && one_in(run, 2))
		step.file = random_file(run, readable);
	file = &run->file[step.file];
	call->op = ops[random_below(run, ARRAY_SIZE(ops))];
	offset = step_moves(call->op) ? file->offset : random_offset(run, file);
	call->offset = offset;
	call->len[0] = random_length(run, file, offset);
	call->iovs = 1;
	if (call->op == MODEL_SPLICE && call->len[0] > 16384)
		call->len[0] = 16384;
	if (call->op == MODEL_READV || call->op == MODEL_PREADV || call->op == MODEL_PREADV2)
		split(run, call, call->len[0]);
	if ((call->op == MODEL_READ || call->op == MODEL_PREAD) && one_in(run, 16)) {
		step.bad = call->len[0];
		if (!one_in(run, 3))
			step.bad = 1 + random_below(run, step.bad);
		call->from = MODEL_BUFFER - (call->len[0] - step.bad);
	}
	return step_do(run, &step);
}

static const char *random_command(struct run *run)
{
	static const enum model_op ops[] = { MODEL_WRITE, MODEL_WRITEV, MODEL_PWRITE };
	struct step step = { .kind = STEP_CALL, .file = random_file(run, writable) };

	if (step.file < 0)
		return NULL;
	step.which = run->file[step.file].which;
	step_choose_command(run, &step);
	step.call.op = ops[random_below(run, ARRAY_SIZE(ops))];
	step.call.offset = random_below(run, 10000);
	step.call.iovs = 1;
	step.call.len[0] = step.text_len;
	if (step.call.op == MODEL_WRITEV)
		split(run, &step.call, step.text_len);
	return step_do(run, &step);
}

/* All that a file shows, by a reader that is new. */
static const char *check_file(struct run *run, enum model_which which, int format)
{
	struct step step = {
		.kind = STEP_CALL,
		.call = { .op = MODEL_OPEN, .flags = O_RDONLY },
		.which = which,
		.format = format,
	};
	const char *wrong = step_do(run, &step);

	step.call = (struct model_call){ .op = MODEL_READ, .iovs = 1, .len = { 65536 } };
	while (!wrong && (wrong = step_do(run, &step), step.ret > 0))
		;
	return wrong ?: close_file(run, 0);
}

static const char *check_all(struct run *run)
{
	const char *wrong = NULL;
	int i;

	for (i = 0; i < run->model.formats && !wrong; i++) {
		wrong = check_file(run, MODEL_LIST, i);
		if (!wrong)
			wrong = check_file(run, MODEL_STAGED, i);
	}
	return wrong;
}

static const char *random_step(struct run *run)
{
	unsigned long count = model_count(&run->model, MODEL_LIST);
	unsigned long dice = random_below(run, 1000);

	if (run->steps % PHASE == 0)
		run->length = one_in(run, 3) || !run->results[OLD_END] ?
			      LONGEST : 1 + random_below(run, LONGEST / 2);
	if (dice < 170)
		return step_growing(run) || (one_in(run, 8) && count < 2 * LONGEST) ?
		       random_measure(run) : random_command(run);
	if (dice < 200)
		return random_open(run);
	if (dice < 220)
		return random_close(run);
	if (dice < 221)
		return one_in(run, 4) ? random_kill(run) : NULL;
	if (dice < 700)
		return random_read(run);
	if (dice < 820)
		return random_seek(run);
	if (dice < 999)
		return step_growing(run) && !one_in(run, 10) ? random_measure(run) :
								random_command(run);
	return check_all(run);
}

static void say_ready(const struct run *run, long long began)
{
	long long ms = ima_now_ms() - began + 1;

	ksft_print_msg("seed 0x%llx: %lu steps in %lld.%03lld s, %lld per second\n",
		       run->seed, run->steps, ms / 1000, ms % 1000, run->steps * 1000LL / ms);
	step_print_results(run);
}

/* On a slow machine it takes longer until each kind of result was seen. */
static bool time_is_up(const struct run *run, long long began, long seconds)
{
	long long ms = ima_now_ms() - began;

	if (ms < seconds * 1000LL)
		return false;
	return ms > seconds * 1000LL * LONGER || step_saw_all(run, false);
}

static bool run_steps(struct run *run, unsigned long steps, long seconds)
{
	long long began = ima_now_ms(), said = began;
	const char *wrong = NULL;

	while (!wrong && run->steps < steps) {
		wrong = random_step(run);
		if (++run->steps % 16)
			continue;
		if (time_is_up(run, began, seconds))
			break;
		if (ima_now_ms() > said + 60000) {
			said = ima_now_ms();
			ksft_print_msg("%lu steps\n", run->steps);
		}
	}
	if (!wrong)
		wrong = check_all(run);
	if (wrong)
		step_print_history(run, wrong);
	say_ready(run, began);
	return !wrong;
}

int main(int argc, char **argv)
{
	static struct run run;
	unsigned long steps = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	long seconds = argc > 3 ? strtol(argv[3], NULL, 0) : argc > 2 ? 1000000 : SECONDS;
	const char *why = ima_test_unavailable();
	bool ok;

	ksft_print_header();
	ksft_set_plan(2);
	if (why)
		ksft_exit_skip("%s\n", why);
	if (argc > 1)
		run.seed = strtoull(argv[1], NULL, 0);
	else if (getrandom(&run.seed, sizeof(run.seed), 0) != sizeof(run.seed))
		ksft_exit_fail_msg("no random number\n");
	ksft_print_msg("seed 0x%llx\n", run.seed);
	run.random = run.seed ?: 1;

	why = run_start(&run);
	if (why)
		ksft_exit_fail_msg("%s\n", why);
	ok = run_steps(&run, steps ?: -1UL, seconds);
	ksft_test_result(ok, "each call ends as the rules say\n");
	ksft_test_result(step_saw_all(&run, true), "each kind of result was seen\n");
	run_end(&run);
	ksft_finished();
}
