// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run imalog as a service: what it tells systemd, and how it ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ima_test.h"
#include "imalog_run.h"
#include "imalog_service.h"

#define SOCKET		"/root/notify"
#define TOLD_MS		120000

static int make_socket(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	unlink(SOCKET);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		return -errno;
	return fd;
}

/**
 * imalog_start() - run imalog in the background
 * @s: service, to be ended with imalog_stop() if this succeeds
 * @fmt: its arguments
 *
 * Return: 0 or -errno.
 */
int imalog_start(struct imalog_service *s, const char *fmt, ...)
{
	char command[1024] = "exec imalog ";
	size_t len = strlen(command);
	va_list args;
	int fd;

	memset(s, 0, sizeof(*s));
	s->socket = make_socket();
	if (s->socket < 0)
		return s->socket;
	va_start(args, fmt);
	vsnprintf(command + len, sizeof(command) - len, fmt, args);
	va_end(args);
	fflush(stdout);
	s->pid = fork();
	if (s->pid)
		return s->pid < 0 ? -errno : 0;
	fd = open(IMALOG_PRINTED, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	setenv("NOTIFY_SOCKET", SOCKET, 1);
	setenv("WATCHDOG_USEC", "600000000", 0);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

/**
 * imalog_told() - wait until the service has told systemd something
 * @s: service
 * @text: what
 *
 * Return: whether it has, before the deadline.
 */
bool imalog_told(struct imalog_service *s, const char *text)
{
	struct pollfd p = { .fd = s->socket, .events = POLLIN };
	long long end = ima_now_ms() + TOLD_MS;
	ssize_t n;

	while (ima_now_ms() < end) {
		if (poll(&p, 1, 1000) > 0) {
			n = recv(s->socket, s->said, sizeof(s->said) - 1, 0);
			s->said[n > 0 ? n : 0] = '\0';
			if (strstr(s->said, text))
				return true;
		}
		if (waitpid(s->pid, NULL, WNOHANG | WNOWAIT) == s->pid && poll(&p, 1, 0) <= 0)
			break;
	}
	imalog_shell("cat " IMALOG_PRINTED);
	printf("# the service did not tell %s\n", text);
	imalog_says("no error");
	return false;
}

/**
 * imalog_halt() - have the service stand still, if it runs
 * @s: service
 *
 * Return: 0 or -ECHILD.
 */
int imalog_halt(struct imalog_service *s)
{
	int status;

	if (!s->pid)
		return 0;
	kill(s->pid, SIGSTOP);
	if (waitpid(s->pid, &status, WUNTRACED) == s->pid && WIFSTOPPED(status))
		return 0;
	s->pid = 0;
	return -ECHILD;
}

/**
 * imalog_go_on() - have the service go on, if it stands still
 * @s: service; what it told so far is forgotten
 *
 * Return: 0 or -errno.
 */
int imalog_go_on(struct imalog_service *s)
{
	if (!s->pid)
		return 0;
	while (recv(s->socket, s->said, sizeof(s->said), MSG_DONTWAIT) >= 0)
		;
	return kill(s->pid, SIGCONT) ? -errno : 0;
}

/**
 * imalog_stop() - end the service, what it printed can be asked for
 * @s: service
 * @sig: signal to end it with
 *
 * Return: its exit status, or the negative number of the signal that ended it.
 */
int imalog_stop(struct imalog_service *s, int sig)
{
	int status = 0;

	kill(s->pid, sig);
	if (waitpid(s->pid, &status, 0) != s->pid)
		return -ECHILD;
	s->pid = 0;
	close(s->socket);
	imalog_shell("cat " IMALOG_PRINTED);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/**
 * imalog_start_mount() - have the complete log in IMALOG_MOUNT
 * @s: service
 * @options: of imalog mount
 *
 * Return: 0, -errno, or -ETIME: it cannot be used yet.
 */
int imalog_start_mount(struct imalog_service *s, const char *options)
{
	int err;

	if (mkdir(IMALOG_MOUNT, 0755) && errno != EEXIST)
		return -errno;
	err = imalog_start(s, "mount %s " IMALOG_MOUNT, options);
	if (err)
		return err;
	return imalog_told(s, "READY=1") ? 0 : -ETIME;
}

/**
 * imalog_mount_is_whole() - are the lists there as the kernel showed them?
 *
 * What the kernel has more than imalog_remember() kept is kept first.
 *
 * Return: 0; -EUCLEAN: one differs; -EIO.
 */
int imalog_mount_is_whole(void)
{
	char names[IMA_FILES_MAX][IMA_NAME_MAX];
	int n = ima_list_names(names, false), i;

	if (!n || imalog_remember())
		return -EIO;
	for (i = 0; i < n; i++)
		if (imalog_shell("cmp " IMALOG_MOUNT "/%s " IMALOG_WHOLE "/%s 2>&1", names[i],
				 names[i])) {
			imalog_says("no error");
			return -EUCLEAN;
		}
	return 0;
}
