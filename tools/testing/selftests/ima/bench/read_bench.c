// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a full read of the measurement list takes, for a short and a long
 * list: nanoseconds for each record, as ascii-64k-100000, by the file, the size
 * of each read(2) and the length of the list. Also runs on a kernel without
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

#define SHORT_LIST 10000
#define LONG_LIST 100000

static void read_all(const char *name, const char *form, int kib, long records)
{
	static char buf[64 * 1024];
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

int main(int argc, char **argv)
{
	long lengths[] = {
		argc > 1 ? atol(argv[1]) : SHORT_LIST,
		argc > 2 ? atol(argv[2]) : LONG_LIST,
	};
	int i, kib;

	if (lengths[0] <= 0 || lengths[1] <= lengths[0])
		errx(1, "usage: read_bench [RECORDS [MORE RECORDS]]");
	bench_start(ima_measure_unavailable());

	for (i = 0; i < 2; i++) {
		bench_fill(lengths[i]);
		for (kib = 4; kib <= 64; kib *= 16) {
			read_all(BENCH_ASCII, "ascii", kib, lengths[i]);
			read_all(BENCH_BINARY, "binary", kib, lengths[i]);
		}
	}
	return 0;
}
