// SPDX-License-Identifier: GPL-2.0-only
/*
 * io_uring, one request at a time, by the system calls themselves: liburing is
 * not needed.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring.h"

struct uring {
	struct io_uring_params params;
	char *rings;		/* submissions and completions */
	size_t len;
	struct io_uring_sqe *sqe;
	int fd;
};

static void uring_close(struct uring *ring)
{
	if (ring->rings != MAP_FAILED)
		munmap(ring->rings, ring->len);
	if (ring->sqe != MAP_FAILED)
		munmap(ring->sqe, sizeof(*ring->sqe));
	close(ring->fd);
}

/* Room for one request; Return: 0 or -errno */
static int uring_open(struct uring *ring)
{
	struct io_uring_params *p = &ring->params;
	size_t completions;
	int ret;

	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(__NR_io_uring_setup, 1, p);
	if (ring->fd < 0)
		return -errno;

	/* One mapping has both rings since Linux 5.4. */
	ring->len = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	completions = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	if (ring->len < completions)
		ring->len = completions;
	ring->rings = mmap(NULL, ring->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			   ring->fd, IORING_OFF_SQ_RING);
	ring->sqe = mmap(NULL, sizeof(*ring->sqe), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	if (ring->rings != MAP_FAILED && ring->sqe != MAP_FAILED)
		return 0;
	ret = -errno;
	uring_close(ring);
	return ret;
}

static uint32_t *uring_word(const struct uring *ring, uint32_t offset)
{
	return (uint32_t *)(ring->rings + offset);
}

/* Submit what is in @ring->sqe and wait; Return: its result, or -errno */
static long uring_run(struct uring *ring)
{
	const struct io_uring_params *p = &ring->params;
	const struct io_uring_cqe *cqe = (struct io_uring_cqe *)(ring->rings + p->cq_off.cqes);

	*uring_word(ring, p->sq_off.array) = 0;
	__atomic_store_n(uring_word(ring, p->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(__NR_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	if (__atomic_load_n(uring_word(ring, p->cq_off.tail), __ATOMIC_ACQUIRE) != 1)
		return -EAGAIN;
	return cqe->res;
}

/**
 * uring_unavailable() - can there be requests?
 *
 * Return: NULL, or the reason why not.
 */
const char *uring_unavailable(void)
{
	struct uring ring;
	int ret = uring_open(&ring);

	if (ret)
		return "no io_uring (CONFIG_IO_URING, kernel.io_uring_disabled)";
	uring_close(&ring);
	return NULL;
}

/**
 * uring_call() - one request, at the file's own offset
 * @op: IORING_OP_READV or IORING_OP_WRITEV
 * @fd: the file
 * @iov: what to read into, or to write
 * @nr: how many parts it has
 *
 * Return: bytes, or -errno.
 */
long uring_call(enum io_uring_op op, int fd, const struct iovec *iov, int nr)
{
	struct uring ring;
	long ret = uring_open(&ring);

	if (ret)
		return ret;
	*ring.sqe = (struct io_uring_sqe){
		.opcode = op,
		.fd = fd,
		.addr = (uintptr_t)iov,
		.len = nr,
		.off = -1,
	};
	ret = uring_run(&ring);
	uring_close(&ring);
	return ret;
}
