// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that make one system call at a time for the model test. A call and
 * its data are in shared memory; a byte through a socket says that it is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"

#define PAGE 4096
#define FDS_MAX 256

struct model_shared {
	struct model_call call;
	long ret;
};

#define SHARED_SIZE (PAGE + MODEL_BUFFER + PAGE)

/**
 * model_buffer() - what a process reads to and writes from
 * @process: the process
 *
 * Return: MODEL_BUFFER bytes, behind which there is no memory.
 */
char *model_buffer(const struct model_process *process)
{
	return (char *)process->shared + PAGE;
}

/* What the file gives goes through the pipe to the buffer. */
static long do_splice(const struct model_process *process, const struct model_call *call)
{
	ssize_t n = splice(call->fd, NULL, process->pipe[1], NULL, call->len[0], 0);

	if (n > 0 && read(process->pipe[0], model_buffer(process) + call->from, n) != n)
		return -EIO;
	return ima_minus_errno(n);
}

static int make_iov(const struct model_process *process, const struct model_call *call,
		    struct iovec *iov)
{
	char *next = model_buffer(process) + call->from;
	int i;

	for (i = 0; i < call->iovs; i++) {
		iov[i].iov_base = next;
		iov[i].iov_len = call->len[i];
		next += call->len[i];
	}
	return i;
}

static long do_call(const struct model_process *process, const struct model_call *call)
{
	struct iovec iov[MODEL_IOVS];
	int n = make_iov(process, call, iov), fd = call->fd;

	switch (call->op) {
	case MODEL_OPEN:
		return ima_open(call->name, call->flags);
	case MODEL_CLOSE:
		return ima_minus_errno(close(fd));
	case MODEL_LSEEK:
		return ima_minus_errno(lseek(fd, call->offset, call->flags));
	case MODEL_READ:
		return ima_minus_errno(read(fd, iov[0].iov_base, iov[0].iov_len));
	case MODEL_PREAD:
		return ima_minus_errno(pread(fd, iov[0].iov_base, iov[0].iov_len, call->offset));
	case MODEL_READV:
		return ima_minus_errno(readv(fd, iov, n));
	case MODEL_PREADV:
		return ima_minus_errno(preadv(fd, iov, n, call->offset));
	case MODEL_PREADV2:
		return ima_minus_errno(preadv2(fd, iov, n, -1, 0));
	case MODEL_SPLICE:
		return do_splice(process, call);
	case MODEL_WRITE:
		return ima_minus_errno(write(fd, iov[0].iov_base, iov[0].iov_len));
	case MODEL_PWRITE:
		return ima_minus_errno(pwrite(fd, iov[0].iov_base, iov[0].iov_len, call->offset));
	case MODEL_WRITEV:
		return ima_minus_errno(writev(fd, iov, n));
	}
	return -EINVAL;
}

/* The files of the process that made this one are not to be open here, too. */
static void close_others(const struct model_process *process)
{
	int fd, last = sysconf(_SC_OPEN_MAX);

	if (last > FDS_MAX)
		last = FDS_MAX;
	for (fd = STDERR_FILENO + 1; fd < last; fd++)
		if (fd != process->sock && fd != process->pipe[0] && fd != process->pipe[1])
			close(fd);
}

static void process_main(struct model_process *process)
{
	char wake = 0;

	close_others(process);
	if (write(process->sock, &wake, 1) != 1)
		_exit(1);
	while (read(process->sock, &wake, 1) == 1) {
		process->shared->ret = do_call(process, &process->shared->call);
		if (write(process->sock, &wake, 1) != 1)
			break;
	}
	_exit(0);
}

static int process_fork(struct model_process *process)
{
	int sock[2];
	char ready;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return -errno;
	process->pid = fork();
	if (!process->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(sock[0]);
		process->sock = sock[1];
		process_main(process);
	}
	close(sock[1]);
	process->sock = sock[0];
	if (process->pid < 0)
		return -errno;
	return read(process->sock, &ready, 1) == 1 ? 0 : -EPIPE;
}

/**
 * model_process_start() - get a process that makes calls
 * @process: put here
 * @here: it is this process itself
 *
 * Return: 0 or -errno.
 */
int model_process_start(struct model_process *process, bool here)
{
	char *shared = mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED || pipe2(process->pipe, O_CLOEXEC) ||
	    mprotect(shared + PAGE + MODEL_BUFFER, PAGE, PROT_NONE))
		return -errno;
	process->shared = (struct model_shared *)shared;
	process->pid = 0;
	return here ? 0 : process_fork(process);
}

/**
 * model_process_end() - SIGKILL, unless it is this one, and forget it
 * @process: the process; all its files are closed when this returns
 */
void model_process_end(struct model_process *process)
{
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
		close(process->sock);
	}
	close(process->pipe[0]);
	close(process->pipe[1]);
	munmap(process->shared, SHARED_SIZE);
	process->pid = 0;
}

/**
 * model_do() - have a process make a system call
 * @process: the process
 * @call: the call
 *
 * Return: what it returned, or -errno; -EPIPE if the process is gone.
 */
long model_do(struct model_process *process, const struct model_call *call)
{
	char wake = 0;

	if (!process->pid)
		return do_call(process, call);
	process->shared->call = *call;
	if (write(process->sock, &wake, 1) != 1 || read(process->sock, &wake, 1) != 1)
		return -EPIPE;
	return process->shared->ret;
}
