// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the commands hold the locks that others wait for, by the number of
 * records that they take away:
 *
 *	list	ima_extend_list_mutex, that each measurement takes
 *	reading	the rwsem that each read takes, held for write
 *	command	the mutex held for the whole command: only another one waits
 *
 * The time is from the return of the lock's function to the entry of the
 * unlock's, by kprobes, with what these take themselves. Fails if the first two
 * grow with the records, or if the third does not: then the probes see nothing.
 *
 * Give the machine no TPM, or it takes a while. -w: judge write(2) as if the
 * list was locked for all of it, to see that this can fail.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "ima_test.h"

#define LIST "ascii_runtime_measurements"
#define TRACING "/sys/kernel/tracing"
#define GROUP TRACING "/events/ima_lock"

/* Most that the median may grow from the fewest records to the most. */
#define GROWTH_MAX 1.5
/* The least that what is done record by record must, for 100 times the records. */
#define GROWTH_MIN 10.0

#define SIZES_MAX 16
#define ROUNDS_MAX 5
/* Filling the list takes nearly all the time: more records, fewer rounds. */
#define ROUNDS_RECORDS 50000

enum lock { LOCK_LIST, LOCK_READING, LOCK_COMMAND, LOCKS };
enum command { CMD_DELETE, CMD_STAGE, CMD_DELETE_STAGED, COMMANDS };

static const char * const lock_names[LOCKS] = { "list", "reading", "command" };
static const char * const command_names[COMMANDS] = { "N", "A", "D" };

/* Of each lock: taken, dropped. */
#define EVENTS (2 * LOCKS)

static const struct {
	const char *name;
	const char *probe;
} events[EVENTS] = {
	{ "list_taken", "r:ima_lock/list_taken mutex_lock" },
	{ "list_dropped", "p:ima_lock/list_dropped mutex_unlock" },
	{ "reading_taken", "r:ima_lock/reading_taken down_write" },
	{ "reading_dropped", "p:ima_lock/reading_dropped up_write" },
	{ "command_taken", "r:ima_lock/command_taken mutex_lock" },
	{ "command_dropped", "p:ima_lock/command_dropped mutex_unlock" },
};

static int event_ids[EVENTS];

/* All in nanoseconds; a lock that was not taken: 0. */
struct sample {
	long long held[LOCKS];
	long long written;
};

struct result {
	long records;
	int rounds;
	struct sample sample[COMMANDS][ROUNDS_MAX];
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

static void add_probe(int i, const unsigned long range[2])
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
	int i;

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
		add_probe(i, i / 2 == LOCK_LIST ? list : log);
}

/* One line of the trace: "PID CPU NANOSECONDS type: EVENT". */
static void take_event(const char *line, long long taken[LOCKS], struct sample *sample)
{
	enum lock lock;
	long long ns;
	int i, id;

	if (line[0] == '#' || line[0] == '\n')
		return;
	if (sscanf(line, "%*d %*d %lld type: %d", &ns, &id) != 2)
		errx(1, "not understood in the trace: %s", line);
	for (i = 0; i < EVENTS && event_ids[i] != id; i++)
		;
	if (i == EVENTS)
		errx(1, "an event of somebody else's in the trace: %s", line);
	lock = i / 2;
	if (i % 2 == !taken[lock])
		errx(1, "%s: not taken and dropped in turn", lock_names[lock]);
	if (i % 2)
		sample->held[lock] += ns - taken[lock];
	taken[lock] = i % 2 ? 0 : ns;
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
		if (taken[i])
			errx(1, "%s: taken and not dropped", lock_names[i]);
}

/* ---- measuring ---- */

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void command(const char *name, const char *text, struct sample *sample)
{
	int fd = ima_open(name, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		errx(1, "%s: %s", name, strerror(-fd));
	put(TRACING "/trace", O_TRUNC, "");
	put(GROUP "/enable", 0, "1\n");
	sample->written = now_ns();
	n = write(fd, text, strlen(text));
	sample->written = now_ns() - sample->written;
	if (n < 0)
		err(1, "%s: %s", name, text);
	put(GROUP "/enable", 0, "0\n");
	close(fd);
	read_trace(sample);
	if (!sample->held[LOCK_COMMAND] || !sample->held[LOCK_READING])
		errx(1, "%s: the probes saw no lock taken", name);
}

static void fill(long records)
{
	int ret = ima_measure_files(records - ima_count());

	if (ret || ima_count() != records)
		errx(1, "measuring files: %s", ret ? strerror(-ret) : "not that many records");
}

static void measure(struct result *result, int rounds)
{
	char n[32];
	int i;

	snprintf(n, sizeof(n), "%ld\n", result->records);
	for (; rounds; rounds--) {
		i = result->rounds++;
		fill(result->records);
		command(LIST, n, &result->sample[CMD_DELETE][i]);
		fill(result->records);
		command(LIST "_staged", "A\n", &result->sample[CMD_STAGE][i]);
		command(LIST "_staged", "D\n", &result->sample[CMD_DELETE_STAGED][i]);
		if (ima_count())
			errx(1, "%ld records are still there", ima_count());
	}
}

/* ---- report ---- */

static int compare(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return x < y ? -1 : x > y;
}

/* Of a lock, or if there is no such one, of write(2). */
static long long median(const struct result *result, enum command cmd, enum lock lock,
			long long *min)
{
	const struct sample *sample = result->sample[cmd];
	long long value[ROUNDS_MAX];
	int i;

	for (i = 0; i < result->rounds; i++)
		value[i] = lock < LOCKS ? sample[i].held[lock] : sample[i].written;
	qsort(value, result->rounds, sizeof(value[0]), compare);
	if (min)
		*min = value[0];
	return value[result->rounds / 2];
}

static void report(const struct result *results, int n)
{
	const struct result *r;
	long long list, list_min, reading, reading_min;
	int cmd;

	printf("%-8s %8s %7s %10s %10s %12s %12s %13s %13s\n", "command", "records", "rounds",
	       "list: min", "median", "reading: min", "median", "command: med.",
	       "write(2): med.");
	for (cmd = 0; cmd < COMMANDS; cmd++) {
		for (r = results; r < results + n; r++) {
			list = median(r, cmd, LOCK_LIST, &list_min);
			reading = median(r, cmd, LOCK_READING, &reading_min);
			printf("%-8s %8ld %7d %10lld %10lld %12lld %12lld %13lld %13lld\n",
			       command_names[cmd], r->records, r->rounds, list_min, list,
			       reading_min, reading, median(r, cmd, LOCK_COMMAND, NULL),
			       median(r, cmd, LOCKS, NULL));
		}
	}
}

static bool judge(const struct result *first, const struct result *last,
		  enum command cmd, enum lock lock, bool must_grow, const char *what)
{
	long long few = median(first, cmd, lock, NULL);
	long long many = median(last, cmd, lock, NULL);
	double growth = few ? (double)many / few : 0;
	const char *why = "";

	if (cmd == CMD_DELETE_STAGED && lock == LOCK_LIST && !few && !many) {
		printf("%s: %s not held\n", command_names[cmd], what);
		return true;
	}
	if (!few || !many)
		why = ": FAIL, the probes did not see it";
	else if (must_grow && growth < GROWTH_MIN)
		why = ": FAIL, what goes on in there grows more: the probes are wrong";
	else if (!must_grow && growth > GROWTH_MAX)
		why = ": FAIL, it must not grow";
	printf("%s: %s held %.3f times as long for %.0f times the records%s\n",
	       command_names[cmd], what, growth, (double)last->records / first->records, why);
	return !*why;
}

static bool judge_all(const struct result *first, const struct result *last, bool whole_write)
{
	enum lock list = whole_write ? LOCKS : LOCK_LIST;
	bool good = true;
	int cmd;

	for (cmd = 0; cmd < COMMANDS; cmd++) {
		good &= judge(first, last, cmd, list, false, "list");
		good &= judge(first, last, cmd, LOCK_READING, false, "reading");
	}
	good &= judge(first, last, CMD_DELETE, LOCK_COMMAND, true, "command");
	good &= judge(first, last, CMD_DELETE_STAGED, LOCK_COMMAND, true, "command");
	return good;
}

static struct result results[SIZES_MAX] = {
	{ .records = 100 }, { .records = 1000 }, { .records = 10000 }, { .records = 100000 },
};

static int parse(int argc, char **argv, bool *whole_write)
{
	int n;

	while ((n = getopt(argc, argv, "w")) != -1) {
		if (n != 'w')
			errx(1, "usage: lock_bench [-w] [RECORDS MORE...]");
		*whole_write = true;
	}
	for (n = 0; optind + n < argc && n < SIZES_MAX; n++)
		results[n].records = atol(argv[optind + n]);
	n = n ?: 4;
	if (n < 2 || results[0].records <= 0 || results[n - 1].records < 100 * results[0].records)
		errx(1, "the last number of records must be at least 100 times the first");
	return n;
}

/* A probe's first hit costs more than the others. */
static void warm_up(void)
{
	struct sample sample = { .written = 0 };
	char n[32];

	fill(ima_count() + 1);
	command(LIST "_staged", "A\n", &sample);
	command(LIST "_staged", "D\n", &sample);
	fill(1);
	snprintf(n, sizeof(n), "%ld\n", ima_count());
	command(LIST, n, &sample);
}

int main(int argc, char **argv)
{
	const char *why = ima_test_unavailable();
	struct result *first = &results[0], *last;
	bool whole_write = false, good;
	int i, n = parse(argc, argv, &whole_write);

	if (why)
		errx(1, "%s", why);
	tracing_set_up();
	warm_up();
	for (i = 0; i < n; i++)
		measure(&results[i], results[i].records * ROUNDS_MAX <= ROUNDS_RECORDS ?
			ROUNDS_MAX : 1);
	report(results, n);
	last = &results[n - 1];
	good = judge_all(first, last, whole_write);
	if (!good && last->rounds == 1) {
		printf("Again, for an interrupt can come in between:\n");
		measure(last, 2);
		report(last, 1);
		good = judge_all(first, last, whole_write);
	}
	return good ? 0 : 1;
}
