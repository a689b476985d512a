// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a reader of the mount waits, for so many archived records.
 *
 *	mount_bench RECORDS IMALOG
 *
 * A plain file of the same bytes is beside it. Prints figures for scripts/bench, in
 * milliseconds: the first byte that is ever read, all, and of TIMES readers that seek to
 * the end and read the last bytes the one in the middle.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "archive_maker.h"

#define SHARD	5000
#define TIMES	9
#define LAST	1000
#define WAIT_MS	60000

static char buf[128 << 10];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	return fd;
}

/* All that can be read: bytes. Written to @out, if that is a file. */
static off_t read_all(int fd, int out)
{
	off_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (out >= 0 && write(out, buf, n) != n)
			die("write");
		len += n;
	}
	if (n)
		die("read");
	return len;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void measure(const char *name, const char *path, const char *copy)
{
	double start = now_ms(), took[TIMES];
	int fd = open_file(path), out = -1, i;
	off_t len;

	if (read(fd, buf, 1) != 1)
		die(path);
	printf("%s-first-ms %.3f\n", name, now_ms() - start);
	close(fd);
	start = now_ms();
	fd = open_file(path);
	len = read_all(fd, -1);
	printf("%s-all-ms %.1f\n", name, now_ms() - start);
	close(fd);
	for (i = 0; i < TIMES; i++) {
		start = now_ms();
		fd = open_file(path);
		if (lseek(fd, len - LAST, SEEK_SET) < 0 || read_all(fd, -1) != LAST)
			die(path);
		took[i] = now_ms() - start;
		close(fd);
	}
	qsort(took, TIMES, sizeof(*took), compare);
	printf("%s-end-ms %.3f\n", name, took[TIMES / 2]);
	if (!copy)
		return;
	fd = open_file(path);
	out = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (out < 0 || read_all(fd, out) != len)
		die(copy);
	close(fd);
	close(out);
}

int main(int argc, char **argv)
{
	unsigned long records = argc == 3 ? strtoul(argv[1], NULL, 10) : 0, i;
	struct maker *m = malloc(sizeof(*m));
	char dir[80], path[160], copy[80];
	double start = now_ms();
	int status;
	pid_t pid;

	if (records < SHARD || !m || maker_begin(m))
		return 2;
	for (i = 0; i < records / SHARD; i++)
		if (maker_add_files(m, SHARD, i * SHARD) || maker_shard(m))
			die("archive");
	snprintf(dir, sizeof(dir), "%s.mnt", m->path);
	snprintf(copy, sizeof(copy), "%s.copy", m->path);
	if (mkdir(dir, 0700))
		die(dir);
	pid = fork();
	if (!pid) {
		execl(argv[2], "imalog", "mount", "--boot", "0", "--archive", m->path, dir,
		      NULL);
		_exit(127);
	}
	snprintf(path, sizeof(path), "%s/binary_runtime_measurements", dir);
	for (start = now_ms(); access(path, F_OK) && now_ms() - start < WAIT_MS;)
		usleep(10000);
	measure("binary", path, copy);
	measure("plain", copy, NULL);
	snprintf(path, sizeof(path), "%s/ascii_runtime_measurements_sha256", dir);
	measure("ascii", path, NULL);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	rmdir(dir);
	unlink(copy);
	maker_end(m);
	free(m);
	return status != 0;
}
