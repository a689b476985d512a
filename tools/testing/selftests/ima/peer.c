// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening and reading the files of the measurement list, in this process and
 * in others.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ima_state.h"
#include "ima_test.h"
#include "peer.h"

struct peer_request {
	enum peer_op op;
	int fd, flags;
	long arg;
	char name[IMA_NAME_MAX];	/* the file's, or a command */
};

struct peer_answer {
	long ret;		/* what the call returned, or -errno */
};

static ssize_t sock_send(int sock, void *data, size_t len, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL);
}

static ssize_t sock_receive(int sock, void *data, size_t len, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t ret = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);

	*fd = -1;
	cmsg = ret < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(int));
	return ret;
}

static void *open_thread(void *arg)
{
	struct peer_request *request = arg;

	request->arg = ima_open(request->name, request->flags);
	return NULL;
}

static void *close_thread(void *arg)
{
	struct peer_request *request = arg;

	request->arg = ima_minus_errno(close(request->fd));
	return NULL;
}

static void *wait_thread(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int close_task(void *arg)
{
	return close(*(int *)arg) ? errno : 0;
}

static long in_thread(void *(*function)(void *), struct peer_request *request)
{
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, function, request);

	if (ret)
		return -ret;
	pthread_join(thread, NULL);
	return request->arg;
}

static long start_threads(long n)
{
	pthread_t thread;
	int ret = 0;

	while (n-- && !ret)
		ret = -pthread_create(&thread, NULL, wait_thread, NULL);
	return ret;
}

/* A process of its own (CLONE_FILES is all that it shares). */
static long close_in_task(int fd)
{
	const size_t size = 64 * 1024;
	char *stack = malloc(size);
	long ret = ENOMEM;

	if (stack)
		ret = ima_wait_exit(clone(close_task, stack + size, CLONE_FILES | SIGCHLD, &fd));
	free(stack);
	return ret > 0 ? -ret : ret;
}

static long fork_waiting_child(struct peer *peer)
{
	peer->child = fork();
	if (!peer->child) {
		close(peer->sock);
		wait_thread(NULL);
	}
	return ima_minus_errno(peer->child);
}

static long carry_out(struct peer *peer, struct peer_request *request, int fd)
{
	switch (request->op) {
	case PEER_OPEN:
		return ima_open(request->name, request->flags);
	case PEER_OPEN_THREAD:
		return in_thread(open_thread, request);
	case PEER_CLOSE:
		return ima_minus_errno(close(request->fd));
	case PEER_CLOSE_THREAD:
		return in_thread(close_thread, request);
	case PEER_CLOSE_TASK:
		return close_in_task(request->fd);
	case PEER_DUP:
		return ima_minus_errno(dup(request->fd));
	case PEER_READ:
		return ima_read_full(request->fd, peer->data, request->arg);
	case PEER_PREAD:
		return ima_minus_errno(pread(request->fd, peer->data, 1, request->arg));
	case PEER_LSEEK:
		return ima_minus_errno(lseek(request->fd, request->arg, SEEK_SET));
	case PEER_COMMAND:
		return ima_minus_errno(write(request->fd, request->name, strlen(request->name)));
	case PEER_FORK:
		return fork_waiting_child(peer);
	case PEER_FORK_END:
		kill(peer->child, SIGKILL);
		return ima_minus_errno(waitpid(peer->child, NULL, 0));
	case PEER_THREADS:
		return start_threads(request->arg);
	case PEER_BECOME_NOBODY:
		return ima_minus_errno(become_nobody());
	case PEER_UNSHARE:
		return ima_minus_errno(unshare(request->arg));
	case PEER_SEND:
		return request->fd;
	case PEER_RECEIVE:
		return fd;
	}
	return -EINVAL;
}

static void peer_main(struct peer *peer)
{
	struct peer_request request;
	struct peer_answer answer;
	int fd;

	while (sock_receive(peer->sock, &request, sizeof(request), &fd) == sizeof(request)) {
		answer.ret = carry_out(peer, &request, fd);
		fd = request.op == PEER_SEND ? request.fd : -1;
		sock_send(peer->sock, &answer, sizeof(answer), fd);
	}
	_exit(0);
}

/**
 * peer_start() - start a peer
 * @peer: put here; to be ended with peer_end()
 *
 * Return: 0 or -1.
 */
int peer_start(struct peer *peer)
{
	int sock[2];

	peer->data = mmap(NULL, PEER_DATA_MAX, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (peer->data == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return -1;
	peer->pid = fork();
	if (!peer->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(sock[0]);
		peer->sock = sock[1];
		peer_main(peer);
	}
	close(sock[1]);
	peer->sock = sock[0];
	return peer->pid < 0 ? -1 : 0;
}

/**
 * peer_kill() - SIGKILL, and wait until it is gone
 * @peer: the peer; its child, if any, lives on
 */
void peer_kill(struct peer *peer)
{
	if (peer->pid <= 0)
		return;
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
	close(peer->sock);
	peer->pid = 0;
}

/**
 * peer_end() - kill a peer and its child
 * @peer: the peer; one that is killed already, or was not started, is fine
 */
void peer_end(struct peer *peer)
{
	peer_kill(peer);
	if (peer->child > 0)
		kill(peer->child, SIGKILL);
	peer->child = 0;
}

static long peer_call_fd(struct peer *peer, struct peer_request request, int send, int *received)
{
	struct peer_answer answer;

	if (sock_send(peer->sock, &request, sizeof(request), send) != sizeof(request) ||
	    sock_receive(peer->sock, &answer, sizeof(answer), received) != sizeof(answer))
		return -EPIPE;
	return answer.ret;
}

static long peer_call(struct peer *peer, struct peer_request request, const char *name)
{
	int fd;

	snprintf(request.name, sizeof(request.name), "%s", name);
	return peer_call_fd(peer, request, -1, &fd);
}

/**
 * peer_do() - have a peer make a call
 * @peer: the peer
 * @op: which call
 * @fd: its file, a number of the peer's
 * @arg: its number
 *
 * Return: what the call returned, -errno, or -EPIPE if the peer is gone.
 */
long peer_do(struct peer *peer, enum peer_op op, int fd, long arg)
{
	return peer_call(peer, (struct peer_request){ .op = op, .fd = fd, .arg = arg }, "");
}

/**
 * peer_open() - have a peer open one of the files in IMA_DIR
 * @peer: the peer
 * @name: the file's name
 * @flags: as for open(2)
 *
 * Return: the peer's file descriptor, or -errno.
 */
long peer_open(struct peer *peer, const char *name, int flags)
{
	return peer_call(peer, (struct peer_request){ .op = PEER_OPEN, .flags = flags }, name);
}

/**
 * peer_open_thread() - the same in a new thread of the peer, that ends
 * @peer: the peer
 * @name: the file's name
 * @flags: as for open(2)
 *
 * Return: the peer's file descriptor, or -errno.
 */
long peer_open_thread(struct peer *peer, const char *name, int flags)
{
	return peer_call(peer, (struct peer_request){ .op = PEER_OPEN_THREAD, .flags = flags },
			 name);
}

/**
 * peer_command() - have a peer write a command
 * @peer: the peer
 * @fd: its file
 * @cmd: the command with its newline
 *
 * Return: what write(2) returned, or -errno.
 */
long peer_command(struct peer *peer, int fd, const char *cmd)
{
	return peer_call(peer, (struct peer_request){ .op = PEER_COMMAND, .fd = fd }, cmd);
}

/**
 * peer_fork() - have a peer make a child that has the same files and only waits
 * @peer: the peer; its child outlives it, but not peer_end()
 *
 * Return: the child's pid, or -errno.
 */
long peer_fork(struct peer *peer)
{
	peer->child = peer_do(peer, PEER_FORK, 0, 0);
	return peer->child;
}

/**
 * peer_fork_end() - have a peer end its child
 * @peer: the peer
 *
 * Return: the child's pid, or -errno.
 */
long peer_fork_end(struct peer *peer)
{
	peer->child = 0;
	return peer_do(peer, PEER_FORK_END, 0, 0);
}

/**
 * peer_pass_file() - a file goes from one peer to another (SCM_RIGHTS)
 * @from: the peer that has it, and keeps it
 * @fd: its file
 * @to: the peer that gets it
 *
 * Nobody else keeps it.
 *
 * Return: the receiver's file descriptor, or -EBADF.
 */
long peer_pass_file(struct peer *from, int fd, struct peer *to)
{
	long ret;
	int received, none;

	ret = peer_call_fd(from, (struct peer_request){ .op = PEER_SEND, .fd = fd },
			   -1, &received);
	if (ret < 0 || received < 0)
		return -EBADF;
	ret = peer_call_fd(to, (struct peer_request){ .op = PEER_RECEIVE }, received, &none);
	close(received);
	return ret;
}

/**
 * peer_reads_all_of() - does a peer read the whole of a file, as it is now?
 * @peer: the peer
 * @fd: its file: what it reads from where it is
 * @name: the file's name; an empty one would prove nothing
 *
 * Return: true if it reads exactly this, to the end.
 */
bool peer_reads_all_of(struct peer *peer, int fd, const char *name)
{
	size_t len;
	char *data = ima_read_all(name, &len);
	bool same = data && len && peer_do(peer, PEER_READ, fd, PEER_DATA_MAX) == (long)len &&
		    !memcmp(data, peer->data, len);

	free(data);
	return same;
}

/**
 * ima_try_write() - open for write, close
 * @name: the file's name
 *
 * Return: 0 or -errno.
 */
int ima_try_write(const char *name)
{
	int fd = ima_open(name, O_WRONLY);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/**
 * ima_poll_write() - the same until it is not busy, or the time is up
 * @name: the file's name
 *
 * Return: 0 or -errno.
 */
int ima_poll_write(const char *name)
{
	long long end = ima_now_ms() + IMA_DEADLINE_MS;
	int ret = ima_try_write(name);

	while (ret == -EBUSY && ima_now_ms() < end) {
		sched_yield();
		ret = ima_try_write(name);
	}
	return ret;
}

/**
 * ima_read_chunks() - read until there are enough bytes, or to the end
 * @fd: the file
 * @data: put here
 * @len: how many are enough
 * @chunk: how many to read at a time
 *
 * Return: bytes, or -errno if there are none.
 */
long ima_read_chunks(int fd, char *data, size_t len, size_t chunk)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < len && n > 0) {
		n = read(fd, data + done, len - done < chunk ? len - done : chunk);
		if (n > 0)
			done += n;
	}
	return n < 0 && !done ? -errno : (long)done;
}

/**
 * ima_read_one() - read one byte
 * @fd: the file
 *
 * Return: 1, 0 at the end, or -errno.
 */
long ima_read_one(int fd)
{
	char c;

	return ima_minus_errno(read(fd, &c, 1));
}

/**
 * ima_reads_exactly() - are the next bytes those of a list as it was?
 * @fd: the file that is read
 * @file: the list
 * @from: where they begin in @file
 * @to: where they end
 *
 * Return: true if they are, and none is missing.
 */
bool ima_reads_exactly(int fd, const struct ima_file *file, size_t from, size_t to)
{
	char *got = malloc(to - from + 1);
	bool same = got && ima_read_full(fd, got, to - from) == (long)(to - from) &&
		    !memcmp(file->data + from, got, to - from);

	free(got);
	return same;
}

/**
 * ima_reads_all_of() - is what a file reads now the whole of a file?
 * @fd: the file that is read, from where it is
 * @name: the file's name; an empty one would prove nothing
 *
 * Return: true if it reads exactly this, to the end.
 */
bool ima_reads_all_of(int fd, const char *name)
{
	size_t len;
	char *data = ima_read_all(name, &len);
	char *got = data ? malloc(len + 1) : NULL;
	bool same = got && len && ima_read_full(fd, got, len + 1) == (long)len &&
		    !memcmp(data, got, len);

	free(got);
	free(data);
	return same;
}
