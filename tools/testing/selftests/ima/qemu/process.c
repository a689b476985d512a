// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that cannot outlive the launcher, and files that cannot either.
 *
 * Whatever we start gets SIGKILL when we die. A guardian removes the temporary
 * folder once all of us are gone, however that came about: it waits for the end
 * of a pipe that all of us hold open.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm.h"

#define MAX_CHILDREN 4

static char tmp[PATH_MAX];
static int life = -1;		/* the guardian's pipe */
static pid_t guardian;
static pid_t children[MAX_CHILDREN];

/**
 * vm_command_add() - add a word
 * @command:	the command line
 * @fmt:	the word, as for printf
 */
void vm_command_add(struct vm_command *command, const char *fmt, ...)
{
	va_list args;

	/* The last place stays NULL. */
	if (command->argc == ARRAY_SIZE(command->argv) - 1)
		errx(VM_FAILED, "command line too long");
	va_start(args, fmt);
	if (vasprintf(&command->argv[command->argc++], fmt, args) < 0)
		err(VM_FAILED, "command line");
	va_end(args);
}

/**
 * vm_command_keep() - let the command inherit a descriptor
 * @command:	the command line
 * @fd:		the descriptor; vm_spawn() closes it on our side
 *
 * Return: @fd
 */
int vm_command_keep(struct vm_command *command, int fd)
{
	if (command->nr_keep == ARRAY_SIZE(command->keep))
		errx(VM_FAILED, "too many descriptors");
	command->keep[command->nr_keep++] = fd;
	return fd;
}

/**
 * vm_tmp_path() - name a file in the temporary folder
 * @name:	its name
 *
 * Return: its path; never NULL, never freed.
 */
char *vm_tmp_path(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", tmp, name) < 0)
		err(VM_FAILED, "%s", name);
	return path;
}

static int log_open(int flags)
{
	int fd = open(vm_tmp_path("log"), O_APPEND | O_CREAT | O_CLOEXEC | flags, 0600);

	if (fd < 0)
		err(VM_FAILED, "%s", vm_tmp_path("log"));
	return fd;
}

/**
 * vm_log_show() - show on stderr what QEMU and swtpm had to say
 */
void vm_log_show(void)
{
	FILE *f = fdopen(log_open(O_RDONLY), "r");
	char *line = NULL;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0)
		fprintf(stderr, "  | %s", line);
	free(line);
	if (f)
		fclose(f);
}

/**
 * vm_end_all() - end the processes that vm_spawn() started
 */
void vm_end_all(void)
{
	for (int i = 0; i < MAX_CHILDREN; i++) {
		if (!children[i])
			continue;
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
		children[i] = 0;
	}
}

static void clean_up(void)
{
	vm_end_all();
	close(life);
	waitpid(guardian, NULL, 0);
}

/**
 * vm_guardian_start() - make the temporary folder, and see that it goes
 */
void vm_guardian_start(void)
{
	const char *dir = getenv("TMPDIR") ?: "/tmp";
	int fds[2];
	char c;

	if (snprintf(tmp, sizeof(tmp), "%s/ima-vm.XXXXXX", dir) >= (int)sizeof(tmp) ||
	    !mkdtemp(tmp))
		err(VM_FAILED, "%s", tmp);
	if (pipe2(fds, O_CLOEXEC))
		err(VM_FAILED, "pipe");
	guardian = fork();
	if (guardian < 0)
		err(VM_FAILED, "fork");
	if (guardian) {
		close(fds[0]);
		life = fds[1];
		if (atexit(clean_up))
			err(VM_FAILED, "atexit");
		return;
	}
	/* Signals are blocked. Nobody shall wait for files that we have open. */
	setsid();
	dup2(fds[0], STDIN_FILENO);
	close_range(STDOUT_FILENO, ~0U, 0);
	while (read(STDIN_FILENO, &c, 1) < 0)
		;
	execlp("rm", "rm", "-rf", "--", tmp, NULL);
	_exit(1);
}

static void __noreturn run_child(struct vm_command *command, int out)
{
	sigset_t none;
	int log = log_open(O_WRONLY);

	setsid();
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
	dup2(out < 0 ? log : out, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	fcntl(life, F_SETFD, 0);
	for (int i = 0; i < command->nr_keep; i++)
		fcntl(command->keep[i], F_SETFD, 0);
	execvp(command->argv[0], command->argv);
	dprintf(STDERR_FILENO, "%s: %s\n", command->argv[0], strerror(errno));
	_exit(127);
}

/**
 * vm_spawn() - start a process that cannot outlive us
 * @command:	its command line, and the descriptors that it inherits
 * @out:	its stdout, or -1 for the log
 *
 * Return: its process id; does not return on error.
 */
pid_t vm_spawn(struct vm_command *command, int out)
{
	pid_t parent = getpid(), pid;
	int slot = 0;

	while (children[slot])
		if (++slot == MAX_CHILDREN)
			errx(VM_FAILED, "too many processes");
	pid = fork();
	if (pid < 0)
		err(VM_FAILED, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		run_child(command, out);
	}
	children[slot] = pid;
	while (command->nr_keep)
		close(command->keep[--command->nr_keep]);
	return pid;
}

/**
 * vm_wait() - wait for a process that has to succeed
 * @pid:	from vm_spawn()
 * @what:	its name, for an error; does not return then
 */
void vm_wait(pid_t pid, const char *what)
{
	int status = -1;

	waitpid(pid, &status, 0);
	for (int i = 0; i < MAX_CHILDREN; i++)
		if (children[i] == pid)
			children[i] = 0;
	if (status) {
		vm_log_show();
		errx(VM_FAILED, "%s failed", what);
	}
}

static pid_t parent_of(pid_t pid, char *comm, size_t size)
{
	char path[64], line[512], *start, *end;
	pid_t parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	start = strchr(line, '(');
	end = strrchr(line, ')');
	if (!start || !end || sscanf(end + 1, " %*c %d", &parent) != 1)
		return 0;
	*end = '\0';
	snprintf(comm, size, "%s", start + 1);
	return parent;
}

/**
 * vm_parents_watch() - notice when nobody is left to take the result
 * @fds:	filled with pidfds of our parent, and of every make above us
 * @max:	room in @fds
 *
 * Return: how many there are.
 */
int vm_parents_watch(int *fds, int max)
{
	pid_t pid = getppid();
	bool first = true;
	int n = 0;

	while (pid > 1 && n < max) {
		char comm[64] = "";
		pid_t parent = parent_of(pid, comm, sizeof(comm));

		if (first || !strcmp(comm, "make")) {
			fds[n] = syscall(SYS_pidfd_open, pid, 0);
			if (fds[n] >= 0)
				n++;
		}
		first = false;
		pid = parent;
	}
	return n;
}

/**
 * vm_signals_block() - take the signals that end us from a descriptor
 *
 * Return: a signalfd.
 */
int vm_signals_block(void)
{
	sigset_t mask;
	int fd;

	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGQUIT);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &mask, SFD_CLOEXEC);
	if (fd < 0)
		err(VM_FAILED, "signalfd");
	return fd;
}

/**
 * vm_die_of() - clean up, and end as a signal's default action does
 * @sig:	the signal
 */
void vm_die_of(int sig)
{
	sigset_t mask;

	clean_up();
	signal(sig, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	_exit(128 + sig);
}
