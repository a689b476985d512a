// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a process that measures waits while another deletes the list with N, of
 * 100,000 records: microseconds for a file that is made, measured and removed.
 *
 *	alone-longest, alone-999	nothing is deleted; the 99.9th percentile
 *	beside-longest, beside-999	from when N is asked for to its return, all rounds
 *	beside-events			how many these were
 *
 * These are times: give the machine two CPUs, no TPM, and nothing else to do.
 */
#include <err.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "ima_test.h"

#define RECORDS	100000
#define ROUNDS	3
#define ALONE	5000
#define EVENTS_MAX 200000

enum { WAIT, DELETE, DONE };

struct waits {
	double us[EVENTS_MAX];
	long events;
};

static struct waits alone, beside;

/* Measure until so many, or until *@state is DONE. */
static void measure(struct waits *waits, long events, atomic_int *state)
{
	long long start;
	int ret = 0;

	while (!ret && waits->events < events && atomic_load(state) != DONE) {
		start = bench_now_ns();
		ret = ima_measure_files(1);
		waits->us[waits->events++] = (bench_now_ns() - start) / 1e3;
	}
	if (ret)
		errx(1, "measuring: %s", strerror(-ret));
}

static void delete_when_told(atomic_int *state)
{
	int ret;

	while (atomic_load(state) != DELETE)
		usleep(1000);
	ret = ima_delete(RECORDS);
	atomic_store(state, DONE);
	_exit(ret != 0);
}

static void round_beside(atomic_int *state)
{
	int status;
	pid_t pid;

	bench_fill(ima_count() < RECORDS ? RECORDS : ima_count());
	atomic_store(state, WAIT);
	pid = fork();
	if (!pid)
		delete_when_told(state);
	atomic_store(state, DELETE);
	measure(&beside, EVENTS_MAX, state);
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "N failed");
}

static void figures(struct waits *waits, const char *name)
{
	bench_sort(waits->us, waits->events);
	bench_figure(waits->us[waits->events - 1], "%s-longest", name);
	bench_figure(waits->us[waits->events * 999 / 1000], "%s-999", name);
}

int main(void)
{
	atomic_int *state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i;

	bench_start(ima_test_unavailable());
	if (state == MAP_FAILED)
		err(1, "mmap");
	measure(&alone, ALONE, state);
	for (i = 0; i < ROUNDS; i++)
		round_beside(state);
	if (!beside.events)
		errx(1, "nothing was measured beside N");
	figures(&alone, "alone");
	figures(&beside, "beside");
	bench_figure(beside.events, "beside-events");
	return 0;
}
