// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way to the next kernel: it is the same one again, and a file with all that the
 * test has to know there goes along.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kexec_again.h"
#include "kexec_test.h"

#define BZIMAGE		"/boot/bzImage"
#define INITRD		"/boot/initrd"
/* The root is ramfs, which the rule of the tests does not measure. */
#define STATE_FILE	"kexec_test.state"	/* in the root */
#define STATE_MAGIC	"ima-kexec-test"

#define CMDLINE_LONG	4096	/* more than a kernel takes */

static void write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		CHECK(n > 0);
		p += n;
		len -= n;
	}
}

/**
 * next_load() - load the kernel again, with the state of the test as it is now
 * @t: the test
 */
void next_load(struct test *t)
{
	struct state next = t->state;
	int fd = open("/" STATE_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	next.kernel++;
	next.archive_len = t->archive.len;
	next.log_len = t->log.len;
	write_all(fd, &next, sizeof(next));
	write_all(fd, t->archive.data, t->archive.len);
	write_all(fd, t->log.data, t->log.len);
	CHECK_EQ(0, close(fd));
	CHECK_EQ(0, kexec_load_again("echo " STATE_FILE, next.kernel));
}

/**
 * next_load_in_vain() - load a kernel that is refused late
 * @t: the test
 *
 * With this command line it is refused by the loader of its format, which comes
 * after IMA has reserved its segment. What was loaded before stays.
 */
void next_load_in_vain(struct test *t)
{
	char cmdline[CMDLINE_LONG];

	memset(cmdline, 'x', sizeof(cmdline) - 1);
	cmdline[sizeof(cmdline) - 1] = '\0';
	CHECK_EQ(-1, syscall(SYS_kexec_file_load, t->bzimage, -1, sizeof(cmdline),
			     cmdline, (unsigned long)KEXEC_FILE_NO_INITRAMFS));
	CHECK_EQ(EINVAL, errno);
}

/**
 * next_ask() - ask process 1 to execute what is loaded
 */
void next_ask(void)
{
	CHECK_EQ(0, kexec_ask());
}

/**
 * next_await() - wait for the end of this kernel
 */
void __noreturn next_await(void)
{
	CHECK_EQ(0, kexec_await());
	exit(KSFT_FAIL);
}

/**
 * next_execute() - go to the kernel that is loaded
 */
void __noreturn next_execute(void)
{
	next_ask();
	next_await();
}

static void read_exactly(int fd, void *data, size_t len)
{
	char *p = data;
	ssize_t n;

	while (len) {
		n = read(fd, p, len);
		CHECK(n > 0);
		p += n;
		len -= n;
	}
}

static void read_buf(int fd, struct buf *buf, size_t len)
{
	buf->data = malloc(len + 1);
	CHECK(buf->data);
	read_exactly(fd, buf->data, len);
	buf->len = len;
}

/**
 * next_read_state() - what the former kernel's next_load() remembered
 * @t: the test
 * @kernel: how many kexecs there were
 */
void next_read_state(struct test *t, unsigned int kernel)
{
	int fd = open("/" STATE_FILE, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	read_exactly(fd, &t->state, sizeof(t->state));
	CHECK_EQ(0, strcmp(t->state.magic, STATE_MAGIC));
	CHECK_EQ(kernel, t->state.kernel);
	read_buf(fd, &t->archive, t->state.archive_len);
	read_buf(fd, &t->log, t->state.log_len);
	close(fd);
}

/**
 * next_init() - begin the state, in the first kernel
 * @t: the test
 */
void next_init(struct test *t)
{
	memcpy(t->state.magic, STATE_MAGIC, sizeof(STATE_MAGIC));
}

/**
 * next_unavailable() - open what there is to execute
 * @t: the test
 *
 * Return: NULL, or what is missing.
 */
const char *next_unavailable(struct test *t)
{
	t->bzimage = open(BZIMAGE, O_RDONLY | O_CLOEXEC);
	if (t->bzimage < 0 || access(INITRD, R_OK))
		return "no " BZIMAGE " or no " INITRD " to execute";
	return NULL;
}
