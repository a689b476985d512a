// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long an event takes that gets a record, as the list grows. Also runs on
 * a kernel without CONFIG_IMA_STAGING, and without this series, for comparison.
 *
 * Each event is a new file that is made, opened for read, and removed. It is
 * the open(2) that measures it; "event" is all three. The events are the same
 * in each run. "mean" is of all events since the line before, "best" of the
 * best round of them, for a machine that is not idle. "again": a file that was
 * measured before is made anew, and gets no record.
 *
 * Give the machine no TPM: it would take most of the time.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ima_test.h"

#define RECORDS 50000
#define ROUND 500

#define DIR_PATH "/tmp/add_bench"

/* Nanoseconds, of a number of events. */
struct cost {
	long long open;
	long long event;
	long events;
};

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void make_event(int dir, unsigned long number, struct cost *cost)
{
	unsigned long data[2] = { 0, number };
	char name[2 * sizeof(data) + 1];
	long long start, opened;
	int fd;

	start = now_ns();
	snprintf(name, sizeof(name), "%032lx", number);
	fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, sizeof(data)) != sizeof(data) || close(fd))
		err(1, DIR_PATH "/%s", name);
	opened = now_ns();
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	cost->open += now_ns() - opened;
	if (fd < 0 || close(fd) || unlinkat(dir, name, 0))
		err(1, DIR_PATH "/%s", name);
	cost->event += now_ns() - start;
	cost->events++;
}

static void add(struct cost *sum, const struct cost *cost)
{
	sum->open += cost->open;
	sum->event += cost->event;
	sum->events += cost->events;
}

static void keep_best(struct cost *best, const struct cost *cost)
{
	if (!best->events || cost->open < best->open)
		best->open = cost->open;
	if (!best->events || cost->event < best->event)
		best->event = cost->event;
	best->events = cost->events;
}

static void print_cost(const char *what, long records, const struct cost *mean,
		       const struct cost *best)
{
	printf("%-6s %8ld %12.1f %12.1f %12.1f %12.1f\n", what, records,
	       (double)mean->open / mean->events, (double)best->open / best->events,
	       (double)mean->event / mean->events, (double)best->event / best->events);
	fflush(stdout);
}

/* Events that get a record, until the list has grown by so many in all. */
static void grow(int dir, long *have, long records, struct cost *all)
{
	struct cost mean = { .events = 0 }, best = { .events = 0 };
	long before = ima_count() - *have;

	while (*have < records) {
		struct cost round = { .events = 0 };

		while (round.events < ROUND)
			make_event(dir, ++*have, &round);
		add(&mean, &round);
		keep_best(&best, &round);
	}
	if (ima_count() - before != records)
		errx(1, "%ld events made %ld records: does anything else measure?",
		     records, ima_count() - before);
	print_cost("new", records, &mean, &best);
	add(all, &mean);
}

static void again(int dir, long records)
{
	struct cost mean = { .events = 0 }, best = { .events = 0 };
	long before = ima_count();
	long i, j;

	for (i = 0; i < 10; i++) {
		struct cost round = { .events = 0 };

		for (j = 0; j < ROUND; j++)
			make_event(dir, 1 + (i * ROUND + j) % records, &round);
		add(&mean, &round);
		keep_best(&best, &round);
	}
	if (ima_count() != before)
		errx(1, "events that are known made %ld records", ima_count() - before);
	print_cost("again", records, &mean, &best);
}

int main(int argc, char **argv)
{
	long lengths[] = { 1000, 10000, argc > 1 ? atol(argv[1]) : RECORDS };
	const char *why = ima_measure_unavailable();
	struct cost all = { .events = 0 };
	long have = 0;
	int dir, i;

	if (lengths[2] <= lengths[1] || lengths[2] % ROUND)
		errx(1, "usage: add_bench [RECORDS], a multiple of %d over %ld", ROUND,
		     lengths[1]);
	if (why)
		errx(1, "%s", why);
	dir = mkdir(DIR_PATH, 0700) ? -1 : open(DIR_PATH, O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		err(1, DIR_PATH);

	printf("%-6s %8s %12s %12s %12s %12s\n", "ns per", "records", "open: mean", "best",
	       "event: mean", "best");
	for (i = 0; i < 3; i++)
		grow(dir, &have, lengths[i], &all);
	again(dir, have);
	print_cost("all", have, &all, &all);
	rmdir(DIR_PATH);
	return 0;
}
