/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * io_uring, one request at a time.
 */
#ifndef IMA_URING_H
#define IMA_URING_H

#include <linux/io_uring.h>
#include <sys/uio.h>

const char *uring_unavailable(void);
long uring_call(enum io_uring_op op, int fd, const struct iovec *iov, int nr);

#endif /* IMA_URING_H */
