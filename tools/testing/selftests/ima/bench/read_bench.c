// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a full read of the measurement list takes, at each of some lengths:
 * nanoseconds for each record, as ascii-64k-100000, by the file, the size of each
 * read(2) and the length of the list. Also runs on a kernel without
 * CONFIG_IMA_STAGING, and without this series.
 *
 * Give the machine no TPM, or filling the list takes a while.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "ima_test.h"

static const int sizes[] = { 4, 64, 1024 };	/* KiB */

static void read_all(const char *name, const char *form, int kib, long records)
{
	static char buf[1 << 20];
	int fd = ima_open(name, O_RDONLY);
	long long start;
	ssize_t n;

	if (fd < 0)
		errx(1, "%s: %s", name, strerror(-fd));
	start = bench_now_ns();
	while ((n = read(fd, buf, kib * 1024)) > 0)
		;
	if (n < 0)
		err(1, "%s", name);
	bench_figure((double)(bench_now_ns() - start) / records, "%s-%dk-%ld", form, kib,
		     records);
	close(fd);
}

static void read_each_way(long records)
{
	size_t i;

	bench_fill(records);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		read_all(BENCH_ASCII, "ascii", sizes[i], records);
		read_all(BENCH_BINARY, "binary", sizes[i], records);
	}
}

int main(int argc, char **argv)
{
	int i;

	bench_start(ima_measure_unavailable());
	for (i = 1; i < argc; i++) {
		if (atol(argv[i]) <= ima_count())
			errx(1, "usage: read_bench RECORDS [MORE RECORDS]...");
		read_each_way(atol(argv[i]));
	}
	return 0;
}
