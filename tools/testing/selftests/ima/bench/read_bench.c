// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a full read of the measurement list takes, for a short and a long
 * list: fails if it grows faster than the list. Also runs on a kernel without
 * CONFIG_IMA_STAGING, for comparison.
 *
 * Give the machine no TPM, or filling the list takes a while.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ima_test.h"

#define SHORT_LIST 10000
#define LONG_LIST 80000
#define ROUNDS 3

/* How much faster than the list the time may grow: no two runs are the same. */
#define MARGIN 1.5

static const char * const names[] = {
	"ascii_runtime_measurements",
	"binary_runtime_measurements",
};

static const size_t chunks[] = { 64 * 1024, 4 * 1024 };

#define CASES 4

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static double read_once(const char *name, size_t chunk, size_t *bytes)
{
	static char buf[64 * 1024];
	int fd = ima_open(name, O_RDONLY);
	double start = seconds();
	ssize_t n;

	if (fd < 0)
		errx(1, "%s: %s", name, strerror(-fd));
	*bytes = 0;
	while ((n = read(fd, buf, chunk)) > 0)
		*bytes += n;
	if (n < 0)
		err(1, "%s", name);
	close(fd);
	return seconds() - start;
}

static double read_best(const char *name, size_t chunk, size_t *bytes)
{
	double best = read_once(name, chunk, bytes), t;
	int i;

	for (i = 1; i < ROUNDS; i++) {
		t = read_once(name, chunk, bytes);
		if (t < best)
			best = t;
	}
	return best;
}

static void fill(long records)
{
	long count = ima_count();
	int ret;

	if (count > records)
		errx(1, "the list has %ld records already, more than %ld: reboot", count, records);
	ret = ima_measure_files(records - count);
	if (ret)
		errx(1, "measuring files: %s", strerror(-ret));
}

static void read_all_ways(double time[CASES])
{
	const char *name;
	size_t bytes;
	int i;

	for (i = 0; i < CASES; i++) {
		name = names[i / 2];
		time[i] = read_best(name, chunks[i % 2], &bytes);
		printf("%-28s %8ld %8zu %12zu %10.1f\n", name, ima_count(), chunks[i % 2],
		       bytes, time[i] * 1e3);
	}
}

int main(int argc, char **argv)
{
	long shorter = argc > 1 ? atol(argv[1]) : SHORT_LIST;
	long longer = argc > 2 ? atol(argv[2]) : LONG_LIST;
	const char *why = ima_measure_unavailable();
	double few[CASES], many[CASES], growth, list_growth;
	bool good = true;
	int i;

	if (shorter <= 0 || longer <= shorter)
		errx(1, "usage: read_bench [RECORDS [MORE RECORDS]]");
	if (why)
		errx(1, "%s", why);

	printf("%-28s %8s %8s %12s %10s\n", "file", "records", "read(2)", "bytes", "ms");
	fill(shorter);
	read_all_ways(few);
	fill(longer);
	read_all_ways(many);

	list_growth = (double)longer / shorter;
	for (i = 0; i < CASES; i++) {
		growth = many[i] / few[i];
		printf("%s, reads of %zu: %.1f times as long for %.1f times the records%s\n",
		       names[i / 2], chunks[i % 2], growth, list_growth,
		       growth > MARGIN * list_growth ? ": FAIL" : "");
		good &= growth <= MARGIN * list_growth;
	}
	return good ? 0 : 1;
}
