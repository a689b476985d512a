/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening and reading the files of the measurement list, in this process and
 * in others.
 */
#ifndef IMA_PEER_H
#define IMA_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ima_file;

#define PEER_DATA_MAX (1024 * 1024)

/**
 * struct peer - another process that does one thing at a time for the test
 * @pid: the process; 0: not started, or killed
 * @sock: for requests and answers
 * @data: shared with it: what PEER_READ read
 * @child: the child that PEER_FORK made; known to the peer and to the test
 *
 * It never fails by itself: the result of each call comes back, and the test
 * judges it. It ends with the test, whatever happens.
 */
struct peer {
	pid_t pid;
	int sock;
	char *data;
	pid_t child;
};

/* What peer_do() can ask for, with a file and a number. */
enum peer_op {
	PEER_CLOSE,
	PEER_CLOSE_THREAD,	/* in another thread */
	PEER_CLOSE_TASK,	/* in another process with the same files */
	PEER_DUP,
	PEER_READ,		/* read up to arg bytes, less at the end of the list */
	PEER_PREAD,		/* one byte at arg */
	PEER_LSEEK,		/* SEEK_SET to arg */
	PEER_FORK,		/* a child that has the same files and only waits */
	PEER_FORK_END,		/* that child exits */
	PEER_THREADS,		/* start arg threads that wait for ever */
	PEER_BECOME_NOBODY,	/* for good */
	PEER_UNSHARE,		/* the namespaces arg (CLONE_NEW...) */
	/* these have functions of their own */
	PEER_OPEN,
	PEER_OPEN_THREAD,
	PEER_COMMAND,
	PEER_SEND,
	PEER_RECEIVE,
};

int peer_start(struct peer *peer);
void peer_kill(struct peer *peer);
void peer_end(struct peer *peer);

long peer_do(struct peer *peer, enum peer_op op, int fd, long arg);
long peer_open(struct peer *peer, const char *name, int flags);
long peer_open_thread(struct peer *peer, const char *name, int flags);
long peer_command(struct peer *peer, int fd, const char *cmd);
long peer_fork(struct peer *peer);
long peer_fork_end(struct peer *peer);
long peer_pass_file(struct peer *from, int fd, struct peer *to);
bool peer_reads_all_of(struct peer *peer, int fd, const char *name);

int ima_try_write(const char *name);
int ima_poll_write(const char *name);
long ima_read_chunks(int fd, char *data, size_t len, size_t chunk);
long ima_read_one(int fd);
bool ima_reads_exactly(int fd, const struct ima_file *file, size_t from, size_t to);
bool ima_reads_all_of(int fd, const char *name);

/**
 * ima_read_full() - as ima_read_chunks(), with the largest reads there are
 * @fd: the file
 * @data: put here
 * @len: how many bytes are enough
 *
 * Return: bytes, or -errno if there are none.
 */
static inline long ima_read_full(int fd, char *data, size_t len)
{
	return ima_read_chunks(fd, data, len, SIZE_MAX);
}

#endif /* IMA_PEER_H */
