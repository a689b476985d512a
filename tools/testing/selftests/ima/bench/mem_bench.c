// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a record costs while it is in the measurement list, and what it keeps
 * after it was deleted: unreclaimable slab, in bytes per record.
 *
 *	-l	only what it costs in the list: for a kernel that cannot delete
 *	-m MAX	fail if it keeps more bytes than MAX
 *
 * Give the machine no TPM, or it takes a while.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ima_test.h"

#define LIST "binary_runtime_measurements"
#define RECORDS 50000
#define WARM_UP 5000

#define SETTLE_STEP_MS 100
#define SETTLE_STEPS 15
#define SETTLE_BYTES (64 * 1024)
#define SETTLE_DEADLINE_MS 60000

/* Wait until frees that are under way (RCU, per-CPU caches) have arrived. */
static long settled_slab(void)
{
	const struct timespec step = { .tv_nsec = SETTLE_STEP_MS * 1000000L };
	long long end = ima_now_ms() + SETTLE_DEADLINE_MS;
	long last = ima_slab_unreclaimable(), now;
	int quiet = 0;

	while (quiet < SETTLE_STEPS) {
		if (ima_now_ms() > end)
			errx(1, "SUnreclaim does not settle: is the machine idle?");
		nanosleep(&step, NULL);
		now = ima_slab_unreclaimable();
		if (now < 0)
			errx(1, "/proc/meminfo: %s", strerror(-now));
		quiet = labs(now - last) < SETTLE_BYTES ? quiet + 1 : 0;
		if (!quiet)
			last = now;
	}
	return now;
}

static void measure(unsigned int n)
{
	int ret = ima_measure_files(n);

	if (ret)
		errx(1, "measuring files: %s", strerror(-ret));
}

static void delete_all(void)
{
	long count = ima_count();
	char cmd[32];
	int ret;

	if (!count)
		return;
	snprintf(cmd, sizeof(cmd), "%ld\n", count);
	ret = ima_command(LIST, cmd);
	if (ret || ima_count())
		errx(1, "deleting %ld records: %s", count,
		     ret ? strerror(-ret) : "some are still there");
}

static void print(const char *what, long bytes, long n)
{
	printf("%-28s %12ld %12.1f\n", what, bytes / 1024, (double)bytes / n);
}

/* Returns the bytes that the deleted records keep. */
static long bench(long n, bool only_list)
{
	long start, full, end, before;

	/* The caches that every file needs have their size after this. */
	measure(WARM_UP);
	if (!only_list)
		delete_all();
	start = settled_slab();
	before = ima_count();

	measure(n);
	if (ima_count() != before + n)
		errx(1, "%ld records in the list, not %ld: does anything else measure?",
		     ima_count(), before + n);
	full = settled_slab();

	printf("%-28s %12s %12s\n", "unreclaimable slab", "KiB", "bytes/record");
	printf("%-28s %12ld\n", "at the start", start / 1024);
	print("records in the list: more", full - start, n);
	if (only_list)
		return 0;

	delete_all();
	end = settled_slab();
	print("records deleted: still more", end - start, n);
	if (full > start)
		printf("%ld records; given back: %.1f %%\n", n,
		       100.0 * (full - end) / (full - start));
	return end - start;
}

int main(int argc, char **argv)
{
	const char *why;
	bool only_list = false;
	double max = -1;
	long n, kept;
	int c;

	while ((c = getopt(argc, argv, "lm:")) != -1) {
		if (c == 'l')
			only_list = true;
		else if (c == 'm')
			max = atof(optarg);
		else
			return 2;
	}
	n = optind < argc ? atol(argv[optind]) : RECORDS;
	if (n <= 0 || (only_list && max >= 0))
		errx(1, "usage: mem_bench [-l | -m MAX] [RECORDS]");
	why = only_list ? ima_measure_unavailable() : ima_test_unavailable();
	if (why)
		errx(1, "%s", why);

	kept = bench(n, only_list);
	if (max >= 0 && (double)kept / n > max) {
		printf("FAIL: a deleted record keeps more than %g bytes\n", max);
		return 1;
	}
	return 0;
}
