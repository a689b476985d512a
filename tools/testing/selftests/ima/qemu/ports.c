// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's output, byte for byte and as it comes, and init's reports.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

/* For the guest to power off, once it has reported. */
#define POWER_OFF_MS	20000

#define MAX_PARENTS	16

enum { SIGNALS = VM_PORTS, PARENTS, MAX_POLLED = PARENTS + MAX_PARENTS };

static unsigned long long bytes[VM_PORTS];
static unsigned long long base[VM_PORTS];	/* of bytes, at the last boot */

/* What init said last; see init.c. */
static struct {
	char line[512];
	size_t len;
	bool waiting;		/* init waits for us to have all output */
	bool last;		/* it will power off then */
	unsigned long long bytes[VM_STATUS];
} report;

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EPIPE)
			vm_die_of(SIGPIPE);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			err(VM_FAILED, "cannot pass on the output");
		if (n > 0) {
			buf += n;
			len -= n;
		}
	}
}

static void parse_report(struct vm_result *result)
{
	unsigned long long *n = report.bytes;
	char *line = report.line;
	int status;

	if (!strcmp(line, "boot")) {
		memcpy(base, bytes, sizeof(base));
		result->booted = true;
	} else if (sscanf(line, "exit %d %llu %llu", &status, &n[VM_OUT], &n[VM_ERR]) == 3) {
		result->status = status;
		report.waiting = true;
		report.last = true;
	} else if (sscanf(line, "kexec %llu %llu", &n[VM_OUT], &n[VM_ERR]) == 2) {
		report.waiting = true;
	} else if (sscanf(line, "failed %llu %llu %255[^\n]", &n[VM_OUT], &n[VM_ERR],
			  result->why) == 3) {
		report.waiting = true;
		report.last = true;
	} else {
		errx(VM_FAILED, "init said: %s", line);
	}
}

static void take_report(const char *buf, size_t len, struct vm_result *result)
{
	for (size_t i = 0; i < len; i++) {
		if (buf[i] != '\n') {
			if (report.len < sizeof(report.line) - 1)
				report.line[report.len++] = buf[i];
			continue;
		}
		report.line[report.len] = '\0';
		report.len = 0;
		parse_report(result);
	}
}

static void take(int ports[VM_PORTS], int i, struct vm_result *result)
{
	static char buf[65536];
	ssize_t n = read(ports[i], buf, sizeof(buf));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close(ports[i]);
		ports[i] = -1;
		return;
	}
	bytes[i] += n;
	if (i == VM_STATUS)
		take_report(buf, n, result);
	else
		write_all(i == VM_OUT ? STDOUT_FILENO : STDERR_FILENO, buf, n);
}

/* Returns true if init has just been let go to power off. */
static bool answer_if_complete(const int ports[VM_PORTS])
{
	if (!report.waiting)
		return false;
	for (int i = 0; i < VM_STATUS; i++)
		if (bytes[i] - base[i] < report.bytes[i])
			return false;
	report.waiting = false;
	/* It may be gone, but then it does not wait either. */
	send(ports[VM_STATUS], "k", 1, MSG_NOSIGNAL);
	return report.last;
}

static void check_signals(const struct pollfd *fds, int nr)
{
	struct signalfd_siginfo info;

	if (fds[SIGNALS].revents &&
	    read(fds[SIGNALS].fd, &info, sizeof(info)) == sizeof(info))
		vm_die_of(info.ssi_signo);
	for (int i = PARENTS; i < nr; i++)
		if (fds[i].revents)
			vm_die_of(SIGTERM);
}

static int poll_set_up(struct pollfd *fds, const int ports[VM_PORTS], int signals)
{
	int parents[MAX_PARENTS];
	int n = vm_parents_watch(parents, MAX_PARENTS);

	for (int i = 0; i < PARENTS + n; i++) {
		fds[i].fd = i < VM_PORTS ? ports[i] :
			    i == SIGNALS ? signals : parents[i - PARENTS];
		fds[i].events = POLLIN;
		fds[i].revents = 0;
	}
	return PARENTS + n;
}

/**
 * vm_ports_relay() - pass on the output until QEMU has ended
 * @ports:	from vm_machine_start(); all closed when QEMU has ended
 * @signals:	from vm_signals_block()
 * @config:	how long this may take
 * @result:	what came out
 */
void vm_ports_relay(int ports[VM_PORTS], int signals, const struct vm_config *config,
		    struct vm_result *result)
{
	struct pollfd fds[MAX_POLLED];
	int nr = poll_set_up(fds, ports, signals);
	long long begin = now_ms();
	long long end = begin + config->timeout * 1000LL;
	bool powering_off = false;

	result->status = -1;
	result->why[0] = '\0';
	result->booted = false;
	result->timed_out = false;
	while (ports[VM_OUT] >= 0 || ports[VM_ERR] >= 0 || ports[VM_STATUS] >= 0) {
		long long left = (result->booted ? end : begin + config->boot * 1000LL) -
				 now_ms();

		if (left <= 0) {
			result->timed_out = !powering_off;
			return;
		}
		if (poll(fds, nr, left) < 0 && errno != EINTR)
			err(VM_FAILED, "poll");
		check_signals(fds, nr);
		/* "boot" first: it says which output is of which kernel. */
		for (int i = VM_PORTS - 1; i >= 0; i--) {
			if (fds[i].revents)
				take(ports, i, result);
			fds[i].fd = ports[i];
		}
		if (answer_if_complete(ports)) {
			powering_off = true;
			end = now_ms() + POWER_OFF_MS;
		}
	}
}
