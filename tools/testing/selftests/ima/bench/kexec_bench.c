// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long it takes from kexec to the first event that the next kernel measures, with
 * so many records carried over: milliseconds of the CPU's time stamp counter, which
 * goes on meanwhile; in a VM that counts them, it is one for each instruction.
 *
 *	first-100000	from asking process 1 for it to the event
 *
 * Give the VM --kexec, --no-tpm and --icount.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "ima_test.h"
#include "kexec_again.h"

#define BEGAN "root/kexec_bench.began"

static unsigned long long ticks(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	errx(1, "no clock that goes on over kexec");
#endif
}

static void load(void)
{
	int ret = kexec_load_again("echo root; echo " BEGAN, 1);

	if (ret)
		errx(1, "loading the next kernel: %s", strerror(-ret));
}

static void write_began(unsigned long long ticks)
{
	FILE *f = fopen("/" BEGAN, "w");

	if (!f || fprintf(f, "%llu\n", ticks) < 0 || fclose(f))
		err(1, "/" BEGAN);
}

/* What is loaded has the time at which loading it will be done: as long as before. */
static void leave(long records)
{
	unsigned long long start;
	int ret;

	bench_fill(records);
	write_began(0);
	start = ticks();
	load();
	write_began(2 * ticks() - start);
	load();
	ret = kexec_ask() ?: kexec_await();
	errx(1, "kexec: %s", strerror(-ret));
}

static void arrive(long records)
{
	unsigned long long began, now;
	FILE *f = fopen("/" BEGAN, "r");
	int ret = ima_measure_files(1);

	now = ticks();
	if (!f || fscanf(f, "%llu", &began) != 1)
		err(1, "/" BEGAN);
	/* its own boot_aggregate, and this event */
	if (ret || ima_count() < records + 2 || now < began)
		errx(1, "not %ld records were carried over", records);
	bench_figure((now - began) / 1e6, "first-%ld", records);
}

int main(int argc, char **argv)
{
	long records = argc > 1 ? atol(argv[1]) : 0;

	if (!getenv("IMA_KEXEC_TEST") || records <= 0)
		errx(1, "usage: kexec_bench RECORDS, in a VM with --kexec");
	bench_start(ima_measure_unavailable());
	if (getenv("IMA_KEXEC_BOOT"))
		arrive(records);
	else
		leave(records);
	return 0;
}
