// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an open file takes that was read to the end: slab and vmalloc, in
 * bytes, as ascii-50000 by its form and the length of the list.
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

/* The slab of files that are closed would be used again: they stay open. */
#define FILES 64

static void read_all(int fd, const char *name)
{
	static char buf[64 * 1024];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	if (n < 0)
		err(1, "%s", name);
}

static void open_files(const char *name, const char *form, long records)
{
	long start = bench_settled_memory();
	int fd, i;

	for (i = 0; i < FILES; i++) {
		fd = ima_open(name, O_RDONLY);
		if (fd < 0)
			errx(1, "%s: %s", name, strerror(-fd));
		read_all(fd, name);
	}
	bench_figure((double)(bench_settled_memory() - start) / FILES, "%s-%ld", form,
		     records);
}

int main(int argc, char **argv)
{
	long lengths[] = { 500, argc > 1 ? atol(argv[1]) : 50000 };
	int i;

	if (lengths[1] <= lengths[0])
		errx(1, "usage: file_bench [RECORDS], more than %ld", lengths[0]);
	bench_start(ima_measure_unavailable());
	for (i = 0; i < 2; i++) {
		bench_fill(lengths[i]);
		open_files(BENCH_ASCII, "ascii", lengths[i]);
		open_files(BENCH_BINARY, "binary", lengths[i]);
	}
	return 0;
}
