// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long an event takes that gets a record, as the list grows: nanoseconds
 * of the open(2) that measures the file.
 *
 *	new-1000, new-10000...	up to this length, from the one before
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
#define AGAIN 5000

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

int main(int argc, char **argv)
{
	long lengths[] = { 1000, 10000, argc > 1 ? atol(argv[1]) : RECORDS };
	struct cost all = { .events = 0 }, cost;
	long have = 0;
	int dir, i;

	if (lengths[2] <= lengths[1])
		errx(1, "usage: add_bench [RECORDS], over %ld", lengths[1]);
	bench_start(ima_measure_unavailable());
	dir = mkdir(DIR_PATH, 0700) ? -1 : open(DIR_PATH, O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		err(1, DIR_PATH);

	for (i = 0; i < 3; i++) {
		cost = make_events(dir, have + 1, lengths[i], lengths[i] - have);
		have = lengths[i];
		bench_figure((double)cost.open / cost.events, "new-%ld", have);
		all.open += cost.open;
		all.event += cost.event;
		all.events += cost.events;
	}
	bench_figure((double)all.open / all.events, "new");
	bench_figure((double)all.event / all.events, "new-event");
	cost = make_events(dir, 1, AGAIN, 0);
	bench_figure((double)cost.open / cost.events, "again");
	rmdir(DIR_PATH);
	return 0;
}
