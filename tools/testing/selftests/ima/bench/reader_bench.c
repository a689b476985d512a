// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long one who reads what stays and one who deletes what was before it hold up each
 * other: N of 100,000 records of 200,000, microseconds, the median of some rounds.
 *
 *	N-alone, N-beside		the write(2) of N, without and beside the reader
 *	read-alone, read-beside		the longest read(2) of 4096 bytes in that time
 *
 * These are times: give the machine two CPUs, no TPM, and nothing else to do.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "ima_test.h"

#define RECORDS 100000
#define ROUNDS 3

struct reader {
	int fd;
	off_t from;		/* an end of the list that it saw */
	atomic_bool stop;
	atomic_long reads;
	double longest;		/* microseconds */
};

/* Read from there to the end of the list, over and over again. */
static void *read_on(void *arg)
{
	struct reader *reader = arg;
	off_t at = reader->from;
	long long start;
	char buf[4096];
	ssize_t n;
	double us;

	while (!atomic_load(&reader->stop)) {
		start = bench_now_ns();
		n = pread(reader->fd, buf, sizeof(buf), at);
		us = (bench_now_ns() - start) / 1e3;
		if (n < 0)
			err(1, "reading");
		reader->longest = us > reader->longest ? us : reader->longest;
		at = n ? at + n : reader->from;
		atomic_fetch_add(&reader->reads, 1);
	}
	return NULL;
}

/* A file that saw where the first RECORDS end */
static void reader_open(struct reader *reader)
{
	char buf[4096];
	ssize_t n;

	bench_fill(RECORDS);
	reader->fd = ima_open(IMA_BINARY, O_RDONLY);
	while ((n = read(reader->fd, buf, sizeof(buf))) > 0)
		;
	reader->from = lseek(reader->fd, 0, SEEK_CUR);
	if (n || reader->from <= 0)
		err(1, "reading to the end");
	bench_fill(2 * RECORDS);
}

static double delete_us(void)
{
	long long start = bench_now_ns();
	int ret = ima_delete(RECORDS);

	if (ret)
		errx(1, "N: %s", strerror(-ret));
	return (bench_now_ns() - start) / 1e3;
}

/* Read for as long as deleting takes, which is done if @deletes; Return: for how long */
static double read_beside(struct reader *reader, double alone_us, bool deletes)
{
	pthread_t thread;
	double us = alone_us;

	atomic_store(&reader->stop, false);
	atomic_store(&reader->reads, 0);
	reader->longest = 0;
	if (pthread_create(&thread, NULL, read_on, reader))
		errx(1, "no thread");
	while (!atomic_load(&reader->reads))
		usleep(100);
	if (deletes)
		us = delete_us();
	else
		usleep(alone_us);
	atomic_store(&reader->stop, true);
	pthread_join(thread, NULL);
	return us;
}

static void median(double us[ROUNDS], const char *name)
{
	bench_sort(us, ROUNDS);
	bench_figure(us[ROUNDS / 2], "%s", name);
}

int main(void)
{
	double n_alone[ROUNDS], n_beside[ROUNDS], read_alone[ROUNDS], read_beside_n[ROUNDS];
	struct reader reader = { .longest = 0 };
	int i;

	bench_start(ima_test_unavailable());
	for (i = 0; i < ROUNDS; i++) {
		bench_fill(RECORDS);
		n_alone[i] = delete_us();
	}
	median(n_alone, "N-alone");
	for (i = 0; i < ROUNDS; i++) {
		reader_open(&reader);
		read_beside(&reader, n_alone[ROUNDS / 2], false);
		read_alone[i] = reader.longest;
		n_beside[i] = read_beside(&reader, 0, true);
		read_beside_n[i] = reader.longest;
		close(reader.fd);
	}
	median(n_beside, "N-beside");
	median(read_alone, "read-alone");
	median(read_beside_n, "read-beside");
	return 0;
}
