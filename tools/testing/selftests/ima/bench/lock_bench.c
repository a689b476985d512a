// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the commands hold the locks that others wait for: nanoseconds, as
 * N-list-100000 by command, lock and the number of records taken away. The
 * longest that a process waits beside the command is this.
 *
 *	list	ima_extend_list_mutex, that each measurement takes
 *	reading	the rwsem that each read takes, held for write
 *	command	the mutex held for the whole command: only another one waits
 *
 * The time is from the return of the lock's function to the entry of the
 * unlock's, by kprobes, with what these take themselves, and now and then an
 * interrupt. D holds no list: no figure.
 *
 * Give the machine no TPM, or it takes a while.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "bench.h"
#include "ima_test.h"

#define TRACING "/sys/kernel/tracing"
#define GROUP TRACING "/events/ima_lock"

enum lock { LOCK_LIST, LOCK_READING, LOCK_COMMAND, LOCKS };

static const char * const lock_names[LOCKS] = { "list", "reading", "command" };

static const struct event {
	const char *name;
	enum lock lock;
	bool dropped;
	const char *probe;
} events[] = {
	{ "list_taken", LOCK_LIST, false, "r:ima_lock/list_taken mutex_lock_killable" },
	{ "list_dropped", LOCK_LIST, true, "p:ima_lock/list_dropped mutex_unlock" },
	{ "reading_tried", LOCK_READING, false, "r:ima_lock/reading_tried down_write_trylock" },
	{ "reading_taken", LOCK_READING, false, "r:ima_lock/reading_taken down_write_killable" },
	{ "reading_dropped", LOCK_READING, true, "p:ima_lock/reading_dropped up_write" },
	{ "command_taken", LOCK_COMMAND, false, "r:ima_lock/command_taken mutex_lock_killable" },
	{ "command_dropped", LOCK_COMMAND, true, "p:ima_lock/command_dropped mutex_unlock" },
};

#define EVENTS ARRAY_SIZE(events)

static int event_ids[EVENTS];

/* All in nanoseconds; a lock that was not taken: 0. */
struct sample {
	long long held[LOCKS];
};

/* ---- tracing ---- */

static void put(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(1, "%s: %s", path, text);
	close(fd);
}

static int get_id(const char *event)
{
	char path[128];
	FILE *file;
	int id;

	snprintf(path, sizeof(path), GROUP "/%s/id", event);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%d", &id) != 1)
		err(1, "%s", path);
	fclose(file);
	return id;
}

/* Where a variable of the kernel begins, and where the next one does. */
static void find_symbol(const char *name, unsigned long range[2])
{
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long address;
	char symbol[256];

	if (!file)
		err(1, "/proc/kallsyms");
	range[0] = 0;
	range[1] = -1UL;
	while (fscanf(file, "%lx %*c %255s%*[^\n]", &address, symbol) == 2)
		if (!strcmp(symbol, name))
			range[0] = address;
	rewind(file);
	while (fscanf(file, "%lx %*c %255s%*[^\n]", &address, symbol) == 2)
		if (address > range[0] && address < range[1])
			range[1] = address;
	fclose(file);
	if (!range[0])
		errx(1, "/proc/kallsyms does not say where %s is (KALLSYMS_ALL? root?)", name);
}

static void add_probe(size_t i, const unsigned long range[2])
{
	char line[256], path[128];

	snprintf(line, sizeof(line), "%s lock=$arg1:x64\n", events[i].probe);
	put(TRACING "/kprobe_events", O_APPEND, line);
	event_ids[i] = get_id(events[i].name);

	snprintf(path, sizeof(path), GROUP "/%s/filter", events[i].name);
	snprintf(line, sizeof(line), "lock >= 0x%lx && lock < 0x%lx && common_pid == %d\n",
		 range[0], range[1], getpid());
	put(path, 0, line);
}

static void tracing_set_up(void)
{
	unsigned long list[2], log[2];
	size_t i;

	if (access(TRACING "/kprobe_events", W_OK) &&
	    mount("tracefs", TRACING, "tracefs", 0, NULL))
		err(1, "mounting tracefs at " TRACING " (CONFIG_KPROBE_EVENTS?)");
	/* A probe that turns into a jump in between would take another time. */
	if (!access("/proc/sys/debug/kprobes-optimization", W_OK))
		put("/proc/sys/debug/kprobes-optimization", 0, "0\n");
	put(TRACING "/trace_clock", 0, "mono\n");
	put(TRACING "/options/raw", 0, "1\n");

	find_symbol("ima_extend_list_mutex", list);
	find_symbol("ima_log", log);
	for (i = 0; i < EVENTS; i++)
		add_probe(i, events[i].lock == LOCK_LIST ? list : log);
}

/*
 * One line of the trace: "PID CPU NANOSECONDS type: EVENT". A lock is held from
 * when it was first taken to when it was last dropped: the log has one more
 * mutex, which is dropped under the command's.
 */
static void take_event(const char *line, long long taken[LOCKS], struct sample *sample)
{
	enum lock lock;
	long long ns;
	size_t i;
	int id;

	if (line[0] == '#' || line[0] == '\n')
		return;
	if (sscanf(line, "%*d %*d %lld type: %d", &ns, &id) != 2)
		errx(1, "not understood in the trace: %s", line);
	for (i = 0; i < EVENTS && event_ids[i] != id; i++)
		;
	if (i == EVENTS)
		errx(1, "an event of somebody else's in the trace: %s", line);
	lock = events[i].lock;
	if (!taken[lock] && events[i].dropped)
		errx(1, "%s: dropped and not taken", lock_names[lock]);
	if (events[i].dropped)
		sample->held[lock] = ns - taken[lock];
	else if (!taken[lock])
		taken[lock] = ns;
}

static void read_trace(struct sample *sample)
{
	FILE *file = fopen(TRACING "/trace", "r");
	long long taken[LOCKS] = { 0 };
	char line[256];
	int i;

	if (!file)
		err(1, TRACING "/trace");
	while (fgets(line, sizeof(line), file))
		take_event(line, taken, sample);
	fclose(file);
	for (i = 0; i < LOCKS; i++)
		if (taken[i] && !sample->held[i])
			errx(1, "%s: taken and not dropped", lock_names[i]);
}

/* ---- measuring ---- */

static void command(const char *name, const char *text, struct sample *sample)
{
	int fd = ima_open(name, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		errx(1, "%s: %s", name, strerror(-fd));
	put(TRACING "/trace", O_TRUNC, "");
	put(GROUP "/enable", 0, "1\n");
	n = write(fd, text, strlen(text));
	if (n < 0)
		err(1, "%s: %s", name, text);
	put(GROUP "/enable", 0, "0\n");
	close(fd);
	*sample = (struct sample){};
	read_trace(sample);
	if (!sample->held[LOCK_COMMAND] || !sample->held[LOCK_READING])
		errx(1, "%s: the probes saw no lock taken", name);
}

static void report(const char *name, long records, const struct sample *sample)
{
	int lock;

	for (lock = 0; lock < LOCKS; lock++)
		if (sample->held[lock])
			bench_figure(sample->held[lock], "%s-%s-%ld", name,
				     lock_names[lock], records);
}

static void measure(long records)
{
	struct sample sample;
	char n[32];

	snprintf(n, sizeof(n), "%ld\n", records);
	bench_fill(records);
	command(IMA_ASCII, n, &sample);
	report("N", records, &sample);

	bench_fill(records);
	command(IMA_ASCII_STAGED, "A\n", &sample);
	report("A", records, &sample);
	command(IMA_ASCII_STAGED, "D\n", &sample);
	report("D", records, &sample);
	if (ima_count())
		errx(1, "%ld records are still there", ima_count());
}

/* A probe's first hit costs more than the others. */
static void warm_up(void)
{
	struct sample sample;
	char n[32];

	bench_fill(ima_count() + 1);
	command(IMA_ASCII_STAGED, "A\n", &sample);
	command(IMA_ASCII_STAGED, "D\n", &sample);
	bench_fill(1);
	snprintf(n, sizeof(n), "%ld\n", ima_count());
	command(IMA_ASCII, n, &sample);
}

int main(int argc, char **argv)
{
	long few = argc > 1 ? atol(argv[1]) : 100;
	long many = argc > 2 ? atol(argv[2]) : 100000;

	if (few <= 0 || many <= few)
		errx(1, "usage: lock_bench [RECORDS [MORE RECORDS]]");
	bench_start(ima_test_unavailable());
	tracing_set_up();
	warm_up();
	measure(few);
	measure(many);
	return 0;
}
