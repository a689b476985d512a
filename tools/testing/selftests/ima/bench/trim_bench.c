// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a process that measures waits at most beside imalog trim, whose quote has the
 * TPM that each event needs.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "ima_test.h"

#define EVENTS	500

static double longest(void)
{
	long long start, ns, most = 0;
	int i;

	for (i = 0; i < EVENTS; i++) {
		start = bench_now_ns();
		if (ima_measure_files(1))
			exit(1);
		ns = bench_now_ns() - start;
		if (ns > most)
			most = ns;
	}
	return most / 1e6;
}

int main(void)
{
	atomic_bool *over = mmap(NULL, sizeof(*over), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int status;

	bench_start(ima_test_unavailable());
	if (over == MAP_FAILED || system("mkdir -p /var/lib"))
		return 1;
	bench_figure(longest(), "alone-ms");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		while (!*over)
			if (system("imalog trim >/dev/null"))
				_exit(1);
		_exit(0);
	}
	bench_figure(longest(), "beside-trim-ms");
	*over = true;
	return waitpid(pid, &status, 0) != pid || status;
}
