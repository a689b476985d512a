// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the benchmarks share.
 */
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "ima_test.h"

#define SETTLE_STEP_MS 100
#define SETTLE_STEPS 15
#define SETTLE_BYTES (64 * 1024)
#define SETTLE_DEADLINE_MS 60000

/**
 * bench_start() - end here if the machine cannot run the benchmark
 * @unavailable: why not, or NULL
 */
void bench_start(const char *unavailable)
{
	if (unavailable)
		errx(1, "%s", unavailable);
}

/**
 * bench_figure() - print a figure
 * @value: the figure
 * @name: its name, a word, as for printf()
 */
void bench_figure(double value, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	vprintf(name, args);
	va_end(args);
	printf(" %.1f\n", value);
}

/**
 * bench_now_ns() - the clock; in a VM that counts them, instructions
 *
 * Return: nanoseconds of CLOCK_MONOTONIC.
 */
long long bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/**
 * bench_sort() - the smallest first
 * @values: figures of some rounds
 * @num: how many
 */
void bench_sort(double *values, size_t num)
{
	qsort(values, num, sizeof(*values), compare);
}

/**
 * bench_fill() - measure files until the list is so long
 * @records: the length
 */
void bench_fill(long records)
{
	long count = ima_count();
	int ret;

	if (count > records)
		errx(1, "the list has %ld records already, more than %ld: reboot", count,
		     records);
	ret = ima_measure_files(records - count);
	if (ret)
		errx(1, "measuring files: %s", strerror(-ret));
	if (ima_count() != records)
		errx(1, "%ld records in the list, not %ld: does anything else measure?",
		     ima_count(), records);
}

/* Once frees have arrived: RCU and the caches of each CPU hold memory back for a while. */
static long settled(long (*memory)(void))
{
	const struct timespec step = { .tv_nsec = SETTLE_STEP_MS * 1000000L };
	long long end = ima_now_ms() + SETTLE_DEADLINE_MS;
	long last = memory(), now;
	int quiet = 0;

	while (quiet < SETTLE_STEPS) {
		if (ima_now_ms() > end)
			errx(1, "the kernel's memory does not settle: is the machine idle?");
		nanosleep(&step, NULL);
		now = memory();
		if (now < 0)
			errx(1, "/proc/meminfo: %s", strerror(-now));
		quiet = labs(now - last) < SETTLE_BYTES ? quiet + 1 : 0;
		if (!quiet)
			last = now;
	}
	return now;
}

/**
 * bench_settled_slab() - unreclaimable slab, once frees have arrived
 *
 * Return: bytes.
 */
long bench_settled_slab(void)
{
	return settled(ima_slab_unreclaimable);
}

/**
 * bench_settled_memory() - the same, and what vmalloc() took
 *
 * Return: bytes.
 */
long bench_settled_memory(void)
{
	return settled(ima_kernel_memory);
}
