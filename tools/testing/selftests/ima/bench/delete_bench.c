// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long deleting takes: nanoseconds of write(2) for each record deleted.
 *
 *	N	the command N
 *	D	the command D, after A
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

#define RECORDS 100000

static void command(const char *name, const char *text, long records, const char *figure)
{
	int fd = ima_open(name, O_WRONLY);
	long long start;
	ssize_t n;

	if (fd < 0)
		errx(1, "%s: %s", name, strerror(-fd));
	start = bench_now_ns();
	n = write(fd, text, strlen(text));
	bench_figure((double)(bench_now_ns() - start) / records, "%s", figure);
	if (n < 0)
		err(1, "%s: %s", name, text);
	close(fd);
	if (ima_count())
		errx(1, "%ld records are still there", ima_count());
}

int main(int argc, char **argv)
{
	long records = argc > 1 ? atol(argv[1]) : RECORDS;
	char n[32];
	int ret;

	if (records <= 0)
		errx(1, "usage: delete_bench [RECORDS]");
	bench_start(ima_test_unavailable());
	snprintf(n, sizeof(n), "%ld\n", records);

	bench_fill(records);
	command(IMA_ASCII, n, records, "N");

	bench_fill(records);
	ret = ima_stage();
	if (ret)
		errx(1, "A: %s", strerror(-ret));
	command(IMA_ASCII_STAGED, "D\n", records, "D");
	return 0;
}
