// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: scale [RECORDS [CARRIED]]
 *
 * A long list, in a VM of qemu/ with KEXEC=1 and TPM=0: RECORDS are added, read and
 * deleted but for ten; CARRIED are added and carried over kexec, and deleted there. The
 * kernel looks for lockups, stalls and tasks that hang, at the time-outs it comes with;
 * the launcher finds what it says.
 *
 * Prints a line for each step, and how many milliseconds it took.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "ima_test.h"
#include "kexec_again.h"

#define LEFT	10
#define CHUNK	0x10000

/* The VM has a longer one: kexec_file_load() can hash for so long there. */
#define STALL_TIMEOUT	"/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout"
#define STALL_SECONDS	21
#define STALL_AT_LOAD	300

static const struct {
	const char *path;
	long value;
} time_outs[] = {
	{ "/proc/sys/kernel/soft_watchdog", 1 },
	{ "/proc/sys/kernel/watchdog_thresh", 10 },
	{ "/proc/sys/kernel/hung_task_timeout_secs", 120 },
	{ "/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress", 0 },
	{ STALL_TIMEOUT, STALL_SECONDS },
};

static long long last_ms;

static void took(const char *what, long records)
{
	long long now = ima_now_ms();

	printf("%s %ld: %lld ms\n", what, records, now - last_ms);
	last_ms = ima_now_ms();
}

static void set_stall_timeout(int seconds)
{
	FILE *f = fopen(STALL_TIMEOUT, "w");

	if (!f || fprintf(f, "%d", seconds) < 0 || fclose(f))
		err(1, STALL_TIMEOUT);
}

static void check_time_outs(void)
{
	unsigned int i;
	long value;
	FILE *f;

	for (i = 0; i < ARRAY_SIZE(time_outs); i++) {
		f = fopen(time_outs[i].path, "r");
		if (!f || fscanf(f, "%ld", &value) != 1 || value != time_outs[i].value)
			errx(1, "%s is not %ld", time_outs[i].path, time_outs[i].value);
		fclose(f);
	}
}

/* No name here has a newline. */
static long count_lines(const char *name)
{
	static char buf[CHUNK];
	int fd = ima_open(name, O_RDONLY);
	long lines = 0;
	ssize_t n;

	if (fd < 0)
		errx(1, "%s: %s", name, strerror(-fd));
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; (p = memchr(p, '\n', buf + n - p)); p++)
			lines++;
	if (n)
		err(1, "%s", name);
	close(fd);
	return lines;
}

static void delete_all_but_ten(const char *what)
{
	long count = ima_count(), removed = ima_removed();
	int ret = ima_delete(count - LEFT);

	took(what, count - LEFT);
	if (ret)
		errx(1, "N: %s", strerror(-ret));
	if (ima_count() != LEFT || ima_removed() != removed + count - LEFT ||
	    count_lines(IMA_ASCII) != LEFT)
		errx(1, "%ld records are left, %ld went, not %d and %ld", ima_count(),
		     ima_removed() - removed, LEFT, count - LEFT);
}

static void here(long records)
{
	long before, full, kept;

	before = bench_settled_memory();
	last_ms = ima_now_ms();
	bench_fill(records);
	took("added", records);
	if (count_lines(IMA_ASCII) != records)
		errx(1, "the list has not %ld lines", records);
	took("read", records);
	full = bench_settled_memory();
	last_ms = ima_now_ms();
	delete_all_but_ten("deleted");
	kept = bench_settled_memory() - before;
	printf("memory of a record, and kept when deleted: %.1f and %.1f bytes\n",
	       (double)(full - before) / records, (double)kept / records);
	if (kept > (full - before) / 2)
		errx(1, "more than half of the memory is kept");
}

static void leave(long records)
{
	int ret;

	last_ms = ima_now_ms();
	bench_fill(records);
	took("added", records);
	set_stall_timeout(STALL_AT_LOAD);
	ret = kexec_load_again("echo root", 1) ?: kexec_ask() ?: kexec_await();
	errx(1, "kexec: %s", strerror(-ret));
}

static void arrive(long carried)
{
	long count = ima_count();

	/* its own boot_aggregate */
	if (count < carried + 1 || count_lines(IMA_ASCII) != count)
		errx(1, "%ld records in the list after kexec, not %ld and more", count, carried);
	printf("carried %ld\n", count);
	last_ms = ima_now_ms();
	delete_all_but_ten("deleted of those");
	printf("ok\n");
}

int main(int argc, char **argv)
{
	long records = argc > 1 ? atol(argv[1]) : 1000000;
	long carried = argc > 2 ? atol(argv[2]) : 100000;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!getenv("IMA_KEXEC_TEST") || records <= LEFT || carried <= LEFT)
		errx(1, "usage: scale [RECORDS [CARRIED]], in a VM with KEXEC=1 TPM=0");
	bench_start(ima_test_unavailable());
	set_stall_timeout(STALL_SECONDS);
	check_time_outs();
	if (getenv("IMA_KEXEC_BOOT")) {
		arrive(carried);
		return 0;
	}
	here(records);
	leave(carried);
	return 1;
}
