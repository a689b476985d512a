// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run imalog, fail or end it where it changes something, and see that nothing of the
 * log is lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ima_log.h"
#include "ima_test.h"
#include "imalog_durable.h"
#include "imalog_run.h"

#define PROGRAM		"/usr/local/bin/imalog"
#define OUTPUT_MAX	(256u << 10)
#define COMMAND_MAX	4096
#define ELSEWHERE	IMALOG_WHOLE

static char output[OUTPUT_MAX];

/**
 * imalog_unavailable() - why can imalog not be tested here?
 *
 * Return: why, or NULL: it can, and events can be made.
 */
const char *imalog_unavailable(void)
{
	if (access(PROGRAM, X_OK))
		return "no " PROGRAM;
	if (access("/dev/tpmrm0", F_OK))
		return "no TPM";
	if (mkdir("/var", 0755) && errno != EEXIST)
		return "no /var";
	if (mkdir("/var/lib", 0755) && errno != EEXIST)
		return "no /var/lib";
	if (mkdir(ELSEWHERE, 0755) && errno != EEXIST)
		return "no " ELSEWHERE;
	return ima_test_unavailable();
}

static int run_shell(const char *command)
{
	FILE *f = popen(command, "r");
	size_t len;
	int ret;

	if (!f)
		return -errno;
	len = fread(output, 1, sizeof(output) - 1, f);
	output[len] = '\0';
	ret = pclose(f);
	return WIFEXITED(ret) ? WEXITSTATUS(ret) : -WTERMSIG(ret);
}

/**
 * imalog_shell() - run a command of the shell
 * @fmt: the command; what it prints can be asked for
 *
 * Return: its exit status, or the negative number of a signal.
 */
int imalog_shell(const char *fmt, ...)
{
	char command[COMMAND_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	return run_shell(command);
}

/**
 * imalog() - run imalog
 * @fmt: its arguments; what it prints, errors included, can be asked for
 *
 * Return: its exit status, or the negative number of a signal.
 */
int imalog(const char *fmt, ...)
{
	char command[COMMAND_MAX];
	va_list args;
	int n;

	n = snprintf(command, sizeof(command), PROGRAM " ");
	va_start(args, fmt);
	n += vsnprintf(command + n, sizeof(command) - n, fmt, args);
	va_end(args);
	snprintf(command + n, sizeof(command) - n, "%s",
		 strchr(fmt, '>') ? "" : " 2>&1");
	return run_shell(command);
}

/**
 * imalog_output() - what the last run printed
 *
 * Return: the text.
 */
const char *imalog_output(void)
{
	return output;
}

/**
 * imalog_said() - did the last run print this?
 * @text: what to look for
 *
 * Return: whether it did.
 */
bool imalog_said(const char *text)
{
	return strstr(output, text);
}

/**
 * imalog_says() - the same, where it should have
 * @text: what to look for
 *
 * Return: whether it did; if not, what it printed goes to the test's output.
 */
bool imalog_says(const char *text)
{
	if (imalog_said(text))
		return true;
	printf("# not in what imalog printed: %s\n", text);
	for (char *p = output, *end; *p; p = end + !!*end) {
		end = p + strcspn(p, "\n");
		printf("# | %.*s\n", (int)(end - p), p);
	}
	return false;
}

/**
 * imalog_number() - a number in the JSON object that was printed last
 * @key: its key
 *
 * Return: the number, or -1.
 */
long imalog_number(const char *key)
{
	char wanted[64];
	const char *p;

	snprintf(wanted, sizeof(wanted), "\"%s\":", key);
	p = strstr(output, wanted);
	return p ? atol(p + strlen(wanted)) : -1;
}

/*
 * The calls that can change something: at these alone is the program stopped, and at
 * what imalog_durable_call() has to know besides.
 */
static const int stops[] = {
	SYS_write, SYS_pwrite64, SYS_openat, SYS_mkdir, SYS_mkdirat, SYS_rename, SYS_renameat,
	SYS_renameat2, SYS_unlink, SYS_unlinkat, SYS_rmdir, SYS_ftruncate, SYS_fsync,
	SYS_fdatasync, SYS_fadvise64,
};

#define STOPS	ARRAY_SIZE(stops)

static int stop_at_calls(void)
{
	struct sock_filter filter[STOPS + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		[STOPS + 1] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		[STOPS + 2] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
	};
	struct sock_fprog program = { STOPS + 3, filter };
	unsigned int i;

	for (i = 0; i < STOPS; i++)
		filter[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, stops[i],
							     STOPS - i, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Its terminal, opening to read, and advice, which may fail, do not count. */
static bool changes(const struct __ptrace_syscall_info *info)
{
	const uint64_t *args = info->seccomp.args;

	switch (info->seccomp.nr) {
	case SYS_write:
	case SYS_pwrite64:
		return args[0] > STDERR_FILENO;
	case SYS_openat:
		return args[2] & (O_WRONLY | O_RDWR | O_CREAT);
	case SYS_fadvise64:
		return false;
	}
	return true;
}

/* Make it no call, with a result. */
static void fail_call(pid_t pid, int err)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, 1 /* NT_PRSTATUS */, &iov))
		return;
	regs.orig_rax = -1;
	regs.rax = -err;
	ptrace(PTRACE_SETREGSET, pid, 1, &iov);
}

static pid_t start_traced(const char *command)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open("/root/traced.out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	if (!stop_at_calls())
		execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

static void read_traced_output(void)
{
	int fd = open("/root/traced.out", O_RDONLY);
	ssize_t n = read(fd, output, sizeof(output) - 1);

	output[n > 0 ? n : 0] = '\0';
	close(fd);
}

/* Go on to the end: the calls that change something. */
static long trace(pid_t pid, long at, int err, int *status)
{
	struct __ptrace_syscall_info info;
	long seen = 0;
	int sig = 0;

	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC);
	for (;;) {
		ptrace(PTRACE_CONT, pid, NULL, sig);
		if (waitpid(pid, status, 0) != pid || !WIFSTOPPED(*status))
			return seen;
		sig = WSTOPSIG(*status) == SIGTRAP ? 0 : WSTOPSIG(*status);
		if (*status >> 8 != (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
			continue;
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
		if (!changes(&info) || ++seen != at) {
			imalog_durable_call(pid, info.seccomp.nr, info.seccomp.args);
			continue;
		}
		if (err)
			fail_call(pid, err);
		else
			kill(pid, SIGKILL);
	}
}

static long run_traced(long at, int err, const char *command, int *status)
{
	char line[COMMAND_MAX];
	long seen;
	pid_t pid;

	snprintf(line, sizeof(line), "exec " PROGRAM " %s", command);
	pid = start_traced(line);
	if (pid < 0 || waitpid(pid, status, 0) != pid || !WIFSTOPPED(*status))
		return -1;
	seen = trace(pid, at, err, status);
	read_traced_output();
	return seen;
}

/**
 * imalog_traced() - run imalog, and note what it syncs
 * @command: imalog's arguments
 *
 * imalog_durable_lost() tells if records were deleted too early. What it prints can be
 * asked for.
 *
 * Return: its exit status, or the negative number of a signal.
 */
int imalog_traced(const char *command)
{
	int status = 0;

	if (run_traced(0, 0, command, &status) < 0)
		return -SIGCHLD;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/**
 * imalog_fault() - run imalog, and have a call fail that changes something
 * @at: which of these calls, counted from 1; 0: none
 * @err: errno that it fails with; 0: imalog is killed before it
 * @command: imalog's arguments
 *
 * What it prints can be asked for.
 *
 * Return: its exit status, or, if there were fewer such calls than @at or @at is 0,
 * minus their number less 1000; 137 if it was killed.
 */
long imalog_fault(long at, int err, const char *command)
{
	int status = 0;
	long seen;

	seen = run_traced(at, err, command, &status);
	if (!at || seen < at)
		return seen < 0 ? seen : -1000 - seen;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- the whole log ---------------------------------------------------- */

/* Skip @n records of a list: bytes, or -1. */
static long skip_records(const char *list, const void *data, size_t len, long n)
{
	const char *alg = strrchr(list, '_') + 1;
	struct ima_log_record rec;
	struct ima_log_parser p;

	ima_log_init(&p, data, len, ima_log_alg_size(ima_log_alg_by_name(alg)),
		     IMA_LOG_HOST);
	while (n-- > 0)
		if (ima_log_next(&p, &rec) != 1)
			return -1;
	return p.pos;
}

/* The same in a text list: names in these tests have no newline. */
static long skip_lines(const void *data, size_t len, long n)
{
	const char *p = data, *end = p + len;

	while (n-- > 0) {
		p = memchr(p, '\n', end - p);
		if (!p)
			return -1;
		p++;
	}
	return p - (const char *)data;
}

/* A number that is kept: each test is a process, and kexec_test is in several kernels. */
static long get_kept(const char *name)
{
	char path[128];
	long n = 0;
	FILE *f;

	snprintf(path, sizeof(path), ELSEWHERE "/%s", name);
	f = fopen(path, "r");
	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static int keep(const char *name, long n)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), ELSEWHERE "/%s", name);
	f = fopen(path, "w");
	if (!f)
		return -EIO;
	fprintf(f, "%ld", n);
	return fclose(f) ? -EIO : 0;
}

/* Records that have left the list, in this kernel and in those before. */
static long removed_in_all(void)
{
	long n = ima_removed();

	return get_kept("base") + (n == -ENOENT ? get_kept("deleted") : n);
}

/**
 * imalog_deleted() - so many records were deleted, if the kernel does not tell
 * @n: how many
 *
 * Return: 0 or -EIO.
 */
int imalog_deleted(long n)
{
	return keep("deleted", get_kept("deleted") + n);
}

/**
 * imalog_before_kexec() - the next kernel counts from 0 again
 *
 * Return: 0 or -EIO.
 */
int imalog_before_kexec(void)
{
	return keep("base", removed_in_all());
}

static int append(const char *list, long skip)
{
	char path[128];
	size_t len;
	char *data = ima_read_all(list, &len);
	long pos = -1;
	FILE *f;

	if (data)
		pos = !strncmp(list, "ascii", 5) ? skip_lines(data, len, skip) :
						   skip_records(list, data, len, skip);
	snprintf(path, sizeof(path), ELSEWHERE "/%.*s", IMA_NAME_MAX, list);
	f = pos < 0 ? NULL : fopen(path, "a");
	if (f) {
		fwrite(data + pos, len - pos, 1, f);
		fclose(f);
	}
	free(data);
	return f ? 0 : -EIO;
}

/**
 * imalog_remember() - keep what the kernel shows now, as if nothing were deleted
 *
 * To be called before records are deleted. Nothing may be staged.
 *
 * Return: 0 or -EIO.
 */
int imalog_remember(void)
{
	char names[IMA_FILES_MAX][IMA_NAME_MAX];
	long skip = get_kept("records") - removed_in_all();
	int n = ima_list_names(names, false), i;

	for (i = 0; i < n; i++)
		if (skip < 0 || append(names[i], skip))
			return -EIO;
	return n ? keep("records", removed_in_all() + ima_count()) : -EIO;
}

/**
 * imalog_shown() - does imalog show a list as the kernel did?
 * @list: its name
 * @dir: folder of the kernel's files
 *
 * Return: 0, or -EUCLEAN: it is not what imalog_remember() kept.
 */
int imalog_shown(const char *list, const char *dir)
{
	if (imalog("cat --ima-dir %s --hash %s %s >/root/cat && cmp /root/cat " ELSEWHERE "/%s",
		   dir, strrchr(list, '_') + 1,
		   !strncmp(list, "ascii", 5) ? "--ascii" : "", list))
		return -EUCLEAN;
	return 0;
}

/**
 * imalog_before_faults() - an archive that IMALOG_FAULT_TRIM is to go on with
 *
 * Return: 0, -EIO, or the exit status of imalog.
 */
int imalog_before_faults(void)
{
	return imalog_remember() ?: imalog_traced(IMALOG_FAULT_TRIM);
}

/**
 * imalog_whole() - is the log whole, in each list as the kernel showed it?
 * @dir: folder of the kernel's files
 *
 * The archive and the kernel's list must verify, and what imalog shows must be what
 * imalog_remember() kept and what is in the kernel.
 *
 * Return: 0; -EBADMSG: imalog does not verify the log; -EUCLEAN: it shows another.
 */
int imalog_whole(const char *dir)
{
	char names[IMA_FILES_MAX][IMA_NAME_MAX];
	int n = ima_list_names(names, false), i, err;

	if (imalog("verify --json --ima-dir %s", dir))
		return -EBADMSG;
	err = imalog_remember();
	for (i = 0; i < n && !err; i++)
		err = imalog_shown(names[i], dir);
	return err;
}
