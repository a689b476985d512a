// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long it takes to go back in a file that was read to the end, and to read
 * on from there: nanoseconds.
 *
 *	ascii-all, binary-all	reading the whole list
 *	ascii-end, binary-end	lseek(2) to the last byte, the last KiB or the last
 *				10 KiB, and reading to the end: whichever takes longest
 *
 * Also runs on a kernel without CONFIG_IMA_STAGING, and without this series.
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

#define RECORDS 50000

static off_t read_on(int fd, const char *name)
{
	static char buf[64 * 1024];
	off_t bytes = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		bytes += n;
	if (n < 0)
		err(1, "%s", name);
	return bytes;
}

static void seek(const char *name, const char *form)
{
	static const off_t backs[] = { 1, 1024, 10 * 1024 };
	long long start, longest = 0;
	int fd = ima_open(name, O_RDONLY);
	off_t size;
	size_t i;

	if (fd < 0)
		errx(1, "%s: %s", name, strerror(-fd));
	start = bench_now_ns();
	size = read_on(fd, name);
	bench_figure(bench_now_ns() - start, "%s-all", form);

	for (i = 0; i < ARRAY_SIZE(backs); i++) {
		start = bench_now_ns();
		if (lseek(fd, size - backs[i], SEEK_SET) < 0)
			err(1, "%s: lseek", name);
		if (read_on(fd, name) != backs[i])
			errx(1, "%s: not %ld bytes from there to the end", name,
			     (long)backs[i]);
		start = bench_now_ns() - start;
		if (start > longest)
			longest = start;
	}
	bench_figure(longest, "%s-end", form);
	close(fd);
}

int main(int argc, char **argv)
{
	long records = argc > 1 ? atol(argv[1]) : RECORDS;

	if (records < 10000)
		errx(1, "usage: seek_bench [RECORDS], 10000 at least");
	bench_start(ima_measure_unavailable());
	bench_fill(records);
	seek(BENCH_ASCII, "ascii");
	seek(BENCH_BINARY, "binary");
	return 0;
}
