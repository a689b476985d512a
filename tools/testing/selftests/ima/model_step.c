// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps of the model test: each is done, held against the model, and noted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../kselftest.h"
#include "model_step.h"

static const char * const result_names[] = {
	[READ_DATA] = "read: data", [READ_NOTHING] = "read: 0",
	[READ_ESTALE] = "read: ESTALE", [READ_EFAULT] = "read: EFAULT",
	[OPEN_DONE] = "open", [OPEN_EBUSY] = "open: EBUSY",
	[LIST_DONE] = "N or T:N", [LIST_EINVAL] = "N: EINVAL", [LIST_ERANGE] = "N: ERANGE",
	[LIST_EAGAIN] = "T:N: EAGAIN", [LIST_EEXIST] = "N: EEXIST",
	[LIST_ENOENT] = "N: ENOENT", [LIST_EBUSY] = "N: EBUSY",
	[STAGED_A_DONE] = "A", [STAGED_D_DONE] = "D", [STAGED_EINVAL] = "A, D: EINVAL",
	[STAGED_EEXIST] = "A: EEXIST", [STAGED_ENOENT] = "A, D: ENOENT",
	[STAGED_EBUSY] = "A, D: EBUSY",
	[MEASURED] = "measured", [MEASURED_AGAIN] = "measured again",
	[OLD_END] = "read: data at an end that 32 other ends came after",
};

static const char * const op_names[] = {
	[MODEL_OPEN] = "open", [MODEL_CLOSE] = "close", [MODEL_LSEEK] = "lseek",
	[MODEL_READ] = "read", [MODEL_READV] = "readv", [MODEL_PREAD] = "pread",
	[MODEL_PREADV] = "preadv", [MODEL_PREADV2] = "preadv2(-1)", [MODEL_SPLICE] = "splice",
	[MODEL_WRITE] = "write", [MODEL_WRITEV] = "writev", [MODEL_PWRITE] = "pwrite",
};

/**
 * step_moves() - does a call read at the file's offset and move it?
 * @op: which call
 *
 * Return: whether it does.
 */
bool step_moves(enum model_op op)
{
	return op == MODEL_READ || op == MODEL_READV || op == MODEL_PREADV2 ||
	       op == MODEL_SPLICE;
}

static long number_in(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return -1;
	text[n] = '\0';
	return strtol(text, NULL, 10);
}

static const char *counters_wrong(const struct run *run)
{
	static char message[96];
	long count = number_in(run->count), removed = number_in(run->removed);
	long want = model_count(&run->model, MODEL_LIST), gone = model_removed(&run->model);

	if (count == want && removed == gone)
		return NULL;
	snprintf(message, sizeof(message), "count %ld, expected %ld; removed %ld, expected %ld",
		 count, want, removed, gone);
	return message;
}

static const char *do_measure(struct run *run, struct step *step)
{
	struct model *model = &run->model;
	struct model_event *event;

	if (!step->again) {
		step->number = model->events++;
		event = &model->event[step->number % MODEL_EVENTS];
		event->known = false;
		snprintf(event->name, sizeof(event->name), "%016llx%0*lu", model->salt,
			 (int)step->call.len[0] - 16, step->number);
	}
	event = &model->event[step->number % MODEL_EVENTS];
	run->results[event->known ? MEASURED_AGAIN : MEASURED]++;
	step->ret = ima_measure_file(event->name, event->name, strlen(event->name));
	if (step->ret)
		return "expected 0";
	return model_add(model, step->number) ? "(no memory for the model)" :
						counters_wrong(run);
}

/* All files of a process that is killed are closed. */
static const char *do_kill(struct run *run, struct step *step)
{
	struct model_process *process = &run->process[step->process];
	int i;

	model_process_end(process);
	for (i = 0; i < FILES; i++)
		if (run->file[i].open && run->file[i].process == step->process)
			model_closed(&run->file[i]);
	step->ret = model_process_start(process, false);
	return step->ret ? "expected a new process" : NULL;
}

static const char *has_opened(struct run *run, struct step *step)
{
	struct model_file *file = &run->file[step->file];

	file->process = step->process;
	file->which = step->which;
	file->format = step->format;
	file->flags = step->call.flags;
	run->fd[step->file] = step->ret;
	run->results[step->ret < 0 ? OPEN_EBUSY : OPEN_DONE]++;
	return model_opened(&run->model, file, step->ret);
}

/* Is an offset at an end of the list that the file saw long ago? */
static bool at_old_end(const struct model_file *file, off_t offset)
{
	unsigned long i, n = file->ends < MODEL_ENDS ? file->ends : MODEL_ENDS;

	for (i = ENDS_LATER; i < n; i++)
		if (file->end[(file->ends - 1 - i) % MODEL_ENDS] - file->zero == offset)
			return file->begun;
	return false;
}

static const char *has_read(struct run *run, struct step *step)
{
	struct model_file *file = &run->file[step->file];
	bool moves = step_moves(step->call.op);
	struct model_read read = {
		.offset = moves ? file->offset : step->call.offset,
		.fault = step->bad,
		.ret = step->ret,
		.data = model_buffer(&run->process[step->process]) + step->call.from,
	};
	const char *wrong;
	int i;

	for (i = 0; i < step->call.iovs; i++)
		read.room += step->call.len[i];
	read.room -= step->bad;
	run->results[OLD_END] += step->ret > 0 && at_old_end(file, read.offset);
	wrong = model_has_read(&run->model, file, &read);
	if (moves && step->ret > 0)
		file->offset += step->ret;
	run->results[step->ret > 0 ? READ_DATA : !step->ret ? READ_NOTHING :
		     step->ret == -EFAULT ? READ_EFAULT : READ_ESTALE]++;
	return wrong;
}

static enum result command_result(const struct step *step)
{
	bool staged = step->which == MODEL_STAGED;

	switch (step->ret) {
	case -EINVAL:
		return staged ? STAGED_EINVAL : LIST_EINVAL;
	case -ERANGE:
		return LIST_ERANGE;
	case -EAGAIN:
		return LIST_EAGAIN;
	case -EEXIST:
		return staged ? STAGED_EEXIST : LIST_EEXIST;
	case -ENOENT:
		return staged ? STAGED_ENOENT : LIST_ENOENT;
	case -EBUSY:
		return staged ? STAGED_EBUSY : LIST_EBUSY;
	}
	if (!staged)
		return LIST_DONE;
	return step->command.verb == MODEL_A ? STAGED_A_DONE : STAGED_D_DONE;
}

static const char *has_written(struct run *run, struct step *step)
{
	const char *wrong = model_commanded(&run->model, &run->file[step->file],
					    &step->command, step->text_len, step->ret);

	run->results[command_result(step)]++;
	return wrong ?: counters_wrong(run);
}

static const char *do_call(struct run *run, struct step *step)
{
	struct model_file *file = &run->file[step->file];
	struct model_call *call = &step->call;
	struct model_process *process;

	if (call->op == MODEL_OPEN) {
		memcpy(call->name, run->model.format[step->format].name[step->which], IMA_NAME_MAX);
	} else {
		step->process = file->process;
		step->which = file->which;
		step->format = file->format;
		call->fd = run->fd[step->file];
	}
	process = &run->process[step->process];
	memcpy(model_buffer(process), step->text, step->text_len);
	step->ret = model_do(process, call);

	switch (call->op) {
	case MODEL_OPEN:
		return has_opened(run, step);
	case MODEL_CLOSE:
		model_closed(file);
		return step->ret ? "expected 0" : NULL;
	case MODEL_LSEEK:
		return model_seeked(file, call->offset, call->flags, step->ret);
	case MODEL_WRITE:
	case MODEL_WRITEV:
	case MODEL_PWRITE:
		return has_written(run, step);
	default:
		return has_read(run, step);
	}
}

/**
 * step_do() - do a step
 * @run: the test
 * @step: what to do; its result is put here
 *
 * Return: NULL if it ended as the model says, or what is wrong.
 */
const char *step_do(struct run *run, struct step *step)
{
	const char *wrong;

	switch (step->kind) {
	case STEP_MEASURE:
		wrong = do_measure(run, step);
		break;
	case STEP_KILL:
		wrong = do_kill(run, step);
		break;
	default:
		wrong = do_call(run, step);
	}
	run->history[run->calls++ % HISTORY] = *step;
	return wrong;
}

static int print_text(char *to, const struct step *step)
{
	size_t i;
	int n = 0;

	for (i = 0; i < step->text_len; i++)
		n += step->text[i] >= ' ' ? sprintf(to + n, "%c", step->text[i]) :
		     sprintf(to + n, "\\%o", step->text[i]);
	return n;
}

/* "{7,100} at 50, the last 20 bad" */
static int print_call(char *to, const struct step *step)
{
	static const char * const whence[] = { "SET", "CUR", "END" };
	static const char * const modes[] = { "r", "w", "rw" };
	const struct model_call *call = &step->call;
	int i, n = sprintf(to, "%s ", op_names[call->op]);

	if (call->op == MODEL_OPEN)
		return n + sprintf(to + n, "%s %s", call->name, modes[call->flags]);
	if (call->op == MODEL_LSEEK)
		return n + sprintf(to + n, "%s %lld", whence[call->flags], (long long)call->offset);
	n += print_text(to + n, step);
	for (i = 0; i < call->iovs; i++)
		n += sprintf(to + n, "%s%zu%s", i ? "," : "{", call->len[i],
			     i == call->iovs - 1 ? "}" : "");
	if (call->op == MODEL_PREAD || call->op == MODEL_PREADV || call->op == MODEL_PWRITE)
		n += sprintf(to + n, " at %lld", (long long)call->offset);
	if (step->bad)
		n += sprintf(to + n, ", the last %zu bad", step->bad);
	return n;
}

static void print_step(unsigned long nr, const struct step *step)
{
	char text[512] = "", ret[64];

	if (step->ret < 0)
		snprintf(ret, sizeof(ret), "%s", strerror(-step->ret));
	else
		snprintf(ret, sizeof(ret), "%ld", step->ret);
	if (step->kind == STEP_CALL)
		print_call(text, step);
	else if (step->kind == STEP_KILL)
		sprintf(text, "is killed, and started anew");
	else
		sprintf(text, "measure %s%lu", step->again ? "again " : "", step->number);
	if (step->kind == STEP_CALL)
		ksft_print_msg("%lu: P%d file %d %s: %s\n", nr, step->process, step->file, text,
			       ret);
	else
		ksft_print_msg("%lu: P%d %s: %s\n", nr, step->process, text, ret);
}

static void print_file(const struct run *run, int nr)
{
	const struct model_file *file = &run->file[nr];
	const off_t *start = run->model.list[file->which].start[file->format];
	const struct model_list *list = &run->model.list[file->which];
	off_t zero = file->begun ? file->zero : start[list->first];

	ksft_print_msg("file %d of P%d, %s: offset %lld; the list is %lld to %lld\n",
		       nr, file->process, run->model.format[file->format].name[file->which],
		       (long long)file->offset, (long long)(start[list->first] - zero),
		       (long long)(start[list->end] - zero));
	ksft_print_msg("  %s, near %lld (%d), places %d: %lld, rest %d, ends %lu\n",
		       file->begun ? "begun" : "not begun", (long long)(file->near - zero),
		       file->near_known, file->places, (long long)(file->place[0] - zero),
		       file->rest, file->ends);
}

/* Where the steps of the last one's file begin that are still known. */
static unsigned long history_of_file(const struct run *run)
{
	unsigned long oldest = run->calls > HISTORY ? run->calls - HISTORY : 0;
	unsigned long i = run->calls - 1;
	int file = run->history[i % HISTORY].file;
	const struct step *step = &run->history[i % HISTORY];

	while (i > oldest && !(step->kind == STEP_CALL && step->call.op == MODEL_OPEN &&
			       step->file == file))
		step = &run->history[--i % HISTORY];
	return i;
}

/* Is a step of interest that was long before @last? */
static bool concerns(const struct step *step, const struct step *last)
{
	if (step->kind != STEP_CALL || last->kind != STEP_CALL)
		return false;
	return step->file == last->file || (step->text_len && step->ret > 0);
}

/**
 * step_print_history() - the last steps, and what was wrong with the very last
 * @run: the test
 * @wrong: what was wrong
 */
void step_print_history(const struct run *run, const char *wrong)
{
	unsigned long i = history_of_file(run);
	const struct step *last = &run->history[(run->calls - 1) % HISTORY], *step;
	int nr;

	if (i + HISTORY_ALL > run->calls)
		i = run->calls > HISTORY_ALL ? run->calls - HISTORY_ALL : 0;
	ksft_print_msg("commands and calls on the same file, then the last %d of all:\n",
		       HISTORY_ALL);
	for (; i < run->calls; i++) {
		step = &run->history[i % HISTORY];
		if (i + HISTORY_ALL >= run->calls || concerns(step, last))
			print_step(i, step);
	}
	ksft_print_msg("^ WRONG: %s\n", wrong);
	ksft_print_msg("list: records %lu to %lu, staged: %lu to %lu, batch from %lu\n",
		       run->model.list[MODEL_LIST].first, run->model.list[MODEL_LIST].end,
		       run->model.list[MODEL_STAGED].first, run->model.list[MODEL_STAGED].end,
		       run->model.batch);
	for (nr = 0; nr < FILES; nr++)
		if (run->file[nr].open)
			print_file(run, nr);
}

/**
 * step_print_results() - how often was what seen
 * @run: the test
 */
void step_print_results(const struct run *run)
{
	int i;

	for (i = 0; i < RESULTS; i++)
		ksft_print_msg("%8lu %s\n", run->results[i], result_names[i]);
	ksft_print_msg("%8lu read: the rest of a record at hand that is gone\n",
		       run->model.hand_reads);
	ksft_print_msg("%8lu reads and %lu commands for which the rules allow two results\n",
		       run->model.free_reads, run->model.free_commands);
}

/**
 * step_saw_all() - was there each kind of result?
 * @run: the test
 * @say: print those that were not
 *
 * Return: true if there was.
 */
bool step_saw_all(const struct run *run, bool say)
{
	bool all = true;
	int i;

	for (i = 0; i < RESULTS; i++) {
		if (run->results[i])
			continue;
		if (say)
			ksft_print_msg("not seen: %s\n", result_names[i]);
		all = false;
	}
	return all;
}

/* Is a slash before the name of a file in a tmpfs that is mounted nowhere? */
static const char *find_prefix(struct run *run)
{
	const char *event = "event-to-find-its-name";
	size_t len;
	char *list;
	int ret;

	ret = ima_measure_file(event, &run->model.salt, sizeof(run->model.salt));
	list = ret ? NULL : ima_read_all(IMA_ASCII, &len);
	if (!list)
		return NULL;
	ret = !!memmem(list, len, " /event", 7);
	free(list);
	return ret ? "/" : "";
}

/**
 * run_start() - empty the list, start the processes
 * @run: ->seed is set
 *
 * Return: NULL, or why not.
 */
const char *run_start(struct run *run)
{
	struct model *model = &run->model;
	int i;

	for (i = PROCESSES - 1; i >= 0; i--)
		if (model_process_start(&run->process[i], !i))
			return "a process cannot be started";
	model->file = run->file;
	model->files = FILES;
	model->flush = ima_booted_with_flush();
	if (getrandom(&model->salt, sizeof(model->salt), 0) != sizeof(model->salt))
		return "no random number";
	model->prefix = find_prefix(run);
	if (!model->prefix || ima_other_process_deletes_all())
		return "the list cannot be emptied";
	run->count = ima_open("runtime_measurements_count", O_RDONLY);
	run->removed = ima_open("runtime_measurements_removed", O_RDONLY);
	if (run->count < 0 || run->removed < 0 || number_in(run->count))
		return "no counters, or they are not what they should be";
	model->removed = number_in(run->removed);
	if (model_formats(model) || !model->formats)
		return "no files to read";
	return model_init(model) ? "no memory" : NULL;
}

/**
 * run_end() - end the processes, empty the list
 * @run: the test
 */
void run_end(struct run *run)
{
	int i;

	for (i = 0; i < FILES; i++)
		if (run->file[i].open && !run->file[i].process)
			close(run->fd[i]);
	for (i = 0; i < PROCESSES; i++)
		model_process_end(&run->process[i]);
	ima_other_process_deletes_all();
}
