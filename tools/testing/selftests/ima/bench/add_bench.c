// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many events a second get a record, with lists of several lengths. Also
 * runs on a kernel without CONFIG_IMA_STAGING, for comparison.
 *
 * Each event is a new file that is made, opened, and removed. The same file
 * again gets no record; the difference is what the record costs. Each figure
 * is the best of some rounds.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ima_test.h"

#define EVENTS 5000
#define ROUNDS 10

/* 0: the end */
static const long lengths[] = { 1000, 10000, 50000, 100000, 0 };

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void measure(unsigned int n)
{
	int ret = ima_measure_files(n);

	if (ret)
		errx(1, "measuring files: %s", strerror(-ret));
}

static double time_events(long n)
{
	long before = ima_count();
	double start = seconds();

	measure(n);
	start = seconds() - start;
	if (ima_count() != before + n)
		errx(1, "%ld events made %ld records: does anything else measure?",
		     n, ima_count() - before);
	return start;
}

static double time_known_events(long n)
{
	/* as long as the names that ima_measure_files() makes */
	const char *name = "0123456789abcdef0123456789abcdef";
	double start = seconds();
	int ret = 0;

	while (n-- && !ret)
		ret = ima_measure_file(name, name, 16);
	if (ret)
		errx(1, "measuring a file again: %s", strerror(-ret));
	return seconds() - start;
}

static void bench(long length, long events)
{
	double known = 1e9, added = 1e9, t;
	long n = events / ROUNDS;
	int i;

	if (ima_count() < length)
		measure(length - ima_count());
	length = ima_count();
	time_known_events(1);
	for (i = 0; i < ROUNDS; i++) {
		t = time_known_events(n);
		known = t < known ? t : known;
		t = time_events(n);
		added = t < added ? t : added;
	}
	printf("%10ld %12.0f %14.1f %14.1f %14.1f\n", length, n / added,
	       added / n * 1e6, known / n * 1e6, (added - known) / n * 1e6);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	long events = argc > 1 ? atol(argv[1]) : EVENTS;
	const char *why = ima_measure_unavailable();
	int i;

	if (events < ROUNDS)
		errx(1, "usage: add_bench [EVENTS], at least %d", ROUNDS);
	if (why)
		errx(1, "%s", why);

	printf("%10s %12s %14s %14s %14s\n", "records", "events/s", "us/new event",
	       "us/known event", "us/record");
	for (i = 0; lengths[i]; i++)
		bench(lengths[i], events);
	return 0;
}
