// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long an event takes that gets a record, as the list grows: nanoseconds
 * of the open(2) that measures the file.
 *
 *	new-1000, new-10000...	up to this length, from the one before
 *	last-1000...		the last thousand of these
 *	new			all of these
 *	new-event		a file made, opened and removed, all of these
 *	again			a file that was measured before: it gets no record
 *
 * The events are the same in each run. Also runs on a kernel without
 * CONFIG_IMA_STAGING, and without this series.
 *
 * Give the machine no TPM: it would take most of the time.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "ima_test.h"

#define RECORDS 50000
#define LAST 1000

#define DIR_PATH "/tmp/add_bench"

/* Nanoseconds, of a number of events. */
struct cost {
	long long open;
	long long event;
	long events;
};

static void make_event(int dir, unsigned long number, struct cost *cost)
{
	unsigned long data[2] = { 0, number };
	char name[2 * sizeof(data) + 1];
	long long start, opened;
	int fd;

	start = bench_now_ns();
	snprintf(name, sizeof(name), "%032lx", number);
	fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, sizeof(data)) != sizeof(data) || close(fd))
		err(1, DIR_PATH "/%s", name);
	opened = bench_now_ns();
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	cost->open += bench_now_ns() - opened;
	if (fd < 0 || close(fd) || unlinkat(dir, name, 0))
		err(1, DIR_PATH "/%s", name);
	cost->event += bench_now_ns() - start;
	cost->events++;
}

/* Events of these numbers, which add so many records */
static struct cost make_events(int dir, long first, long last, long records)
{
	struct cost cost = { .events = 0 };
	long before = ima_count(), i;

	for (i = first; i <= last; i++)
		make_event(dir, i, &cost);
	if (ima_count() - before != records)
		errx(1, "%ld events made %ld records: does anything else measure?",
		     cost.events, ima_count() - before);
	return cost;
}

static void add(struct cost *sum, const struct cost *cost)
{
	sum->open += cost->open;
	sum->event += cost->event;
	sum->events += cost->events;
}

/* Up to so many records; the last thousand are looked at alone, too. */
static void grow(int dir, long from, long to, struct cost *all)
{
	struct cost cost = make_events(dir, from + 1, to - LAST, to - LAST - from);
	struct cost last = make_events(dir, to - LAST + 1, to, LAST);

	bench_figure((double)last.open / LAST, "last-%ld", to);
	add(&cost, &last);
	bench_figure((double)cost.open / cost.events, "new-%ld", to);
	add(all, &cost);
}

int main(int argc, char **argv)
{
	static const long lengths[] = { 1000, 10000, 50000, 100000, 500000 };
	long most = argc > 1 ? atol(argv[1]) : RECORDS, have = 0;
	struct cost all = { .events = 0 }, cost;
	size_t i;
	int dir;

	if (most < lengths[0])
		errx(1, "usage: add_bench [RECORDS], %ld at least", lengths[0]);
	bench_start(ima_measure_unavailable());
	dir = mkdir(DIR_PATH, 0700) ? -1 : open(DIR_PATH, O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		err(1, DIR_PATH);

	for (i = 0; i < ARRAY_SIZE(lengths) && lengths[i] <= most; i++) {
		grow(dir, have, lengths[i], &all);
		have = lengths[i];
	}
	bench_figure((double)all.open / all.events, "new");
	bench_figure((double)all.event / all.events, "new-event");
	cost = make_events(dir, 1, lengths[0], 0);
	bench_figure((double)cost.open / cost.events, "again");
	rmdir(DIR_PATH);
	return 0;
}
