// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a record costs while it is in the measurement list, and what it keeps
 * after it was deleted: unreclaimable slab, in bytes per record.
 *
 *	live	in the list
 *	kept	deleted; not with -l, for a kernel that cannot delete
 *
 * With a TPM each record takes milliseconds, and has a digest for each bank.
 */
#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "ima_test.h"

#define RECORDS 50000
#define WARM_UP 5000

static void delete_all(void)
{
	int ret = ima_delete(ima_count());

	if (ret || ima_count())
		errx(1, "deleting all records: %s", ret ? strerror(-ret) : "some are left");
}

int main(int argc, char **argv)
{
	bool only_list = false;
	long records, start;
	int c;

	while ((c = getopt(argc, argv, "l")) == 'l')
		only_list = true;
	records = optind < argc ? atol(argv[optind]) : RECORDS;
	if (c != -1 || records <= 0)
		errx(1, "usage: mem_bench [-l] [RECORDS]");
	bench_start(only_list ? ima_measure_unavailable() : ima_test_unavailable());

	/* The caches that every file needs have their size after this. */
	bench_fill(ima_count() + WARM_UP);
	if (!only_list)
		delete_all();
	start = bench_settled_slab();

	bench_fill(ima_count() + records);
	bench_figure((double)(bench_settled_slab() - start) / records, "live");
	if (only_list)
		return 0;
	delete_all();
	bench_figure((double)(bench_settled_slab() - start) / records, "kept");
	return 0;
}
