// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog watch beside load: how long the kernel's list gets, and what the service takes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "ima_test.h"

#define EVENTS	100000
#define AT_ONCE	100
#define OUTPUT	"/root/watch.out"

static pid_t start_watch(void)
{
	pid_t pid = fork();

	if (!pid) {
		if (!freopen(OUTPUT, "w", stdout))
			_exit(126);
		execlp("imalog", "imalog", "watch", "--records", "1500", "--interval", "1d", NULL);
		_exit(127);
	}
	return pid;
}

/* The service prints a line for each round that did something. */
static long count_rounds(void)
{
	FILE *f = fopen(OUTPUT, "r");
	char line[512];
	long n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += !!strstr(line, " deleted, ");
	if (f)
		fclose(f);
	return n;
}

int main(void)
{
	long most = 0, rounds, i, n;
	struct rusage usage;
	pid_t pid;
	int status;

	bench_start(ima_test_unavailable());
	if (system("mkdir -p /var/lib"))
		return 1;
	pid = start_watch();
	for (i = 0; i < EVENTS; i += AT_ONCE) {
		if (ima_measure_files(AT_ONCE))
			return 1;
		n = ima_count();
		most = n > most ? n : most;
	}
	kill(pid, SIGTERM);
	if (wait4(pid, &status, 0, &usage) != pid || status)
		return 1;
	rounds = count_rounds();
	if (!rounds || ima_count() || system("imalog verify >/dev/null"))
		return 1;
	bench_figure(rounds, "rounds");
	bench_figure(most, "list-most");
	bench_figure(usage.ru_maxrss, "kib");
	bench_figure((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
		      (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6) * 1e3 / rounds,
		     "cpu-ms");
	return 0;
}
