// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a record costs while it is in the measurement list, and what it keeps
 * after it was deleted: what kmalloc() and vmalloc() take, in bytes per record.
 *
 *	live-10000...	in the list, as so many records
 *	kept-10000...	these deleted; not with -l, for a kernel that cannot delete
 *
 * With a TPM each record takes milliseconds, and has a digest for each bank.
 */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "ima_test.h"

#define WARM_UP 5000

/* Linux 7.2 does not know N if it was booted with ima_flush_htable. */
static void delete_all(void)
{
	int ret = ima_delete(ima_count());

	if (ret == -EINVAL)
		ret = ima_stage() ?: ima_delete_staged();
	if (ret || ima_count())
		errx(1, "deleting all records: %s", ret ? strerror(-ret) : "some are left");
}

static void take_and_give_back(long records, bool only_list)
{
	long start = bench_settled_memory();

	bench_fill(ima_count() + records);
	bench_figure((double)(bench_settled_memory() - start) / records, "live-%ld", records);
	if (only_list)
		return;
	delete_all();
	bench_figure((double)(bench_settled_memory() - start) / records, "kept-%ld", records);
}

int main(int argc, char **argv)
{
	bool only_list = false;
	int c;

	while ((c = getopt(argc, argv, "l")) == 'l')
		only_list = true;
	if (c != -1 || optind == argc)
		errx(1, "usage: mem_bench [-l] RECORDS...");
	bench_start(only_list ? ima_measure_unavailable() : ima_test_unavailable());

	/* The caches that every file needs have their size after this. */
	bench_fill(ima_count() + WARM_UP);
	if (!only_list)
		delete_all();
	for (; optind < argc; optind++) {
		if (atol(argv[optind]) <= 0)
			errx(1, "not a number of records: %s", argv[optind]);
		take_and_give_back(atol(argv[optind]), only_list);
	}
	return 0;
}
