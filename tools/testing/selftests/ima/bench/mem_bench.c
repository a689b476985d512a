// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a record costs while it is in the measurement list, and what it keeps
 * after it was deleted: unreclaimable slab, in bytes per record.
 *
 * Give the machine no TPM, or it takes a while. Exits with 0 when it has got
 * its figures, whatever they are.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : RECORDS;
	const char *why = ima_test_unavailable();
	long start, full, end, live, kept;

	if (n <= 0)
		errx(1, "usage: mem_bench [RECORDS]");
	if (why)
		errx(1, "%s", why);

	/* The caches that every file needs have their size after this. */
	measure(WARM_UP);
	delete_all();
	start = settled_slab();

	measure(n);
	if (ima_count() != n)
		errx(1, "%ld records in the list, not %ld: does anything else measure?",
		     ima_count(), n);
	full = settled_slab();
	delete_all();
	end = settled_slab();

	live = full - start;
	kept = end - start;
	printf("%-28s %12s %12s\n", "unreclaimable slab", "KiB", "bytes/record");
	printf("%-28s %12ld\n", "at the start", start / 1024);
	printf("%-28s %12ld %12.1f\n", "records in the list: more", live / 1024, (double)live / n);
	printf("%-28s %12ld %12.1f\n", "records deleted: still more", kept / 1024,
	       (double)kept / n);
	if (live > 0)
		printf("%ld records; given back: %.1f %%\n", n, 100.0 * (live - kept) / live);
	return 0;
}
