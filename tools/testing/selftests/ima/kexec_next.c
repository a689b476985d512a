// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way to the next kernel: it is the same one again, with the same initramfs,
 * and a file appended to that with all that the test has to know there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kexec_test.h"

#define BZIMAGE		"/boot/bzImage"
#define INITRD		"/boot/initrd"
/* The root is ramfs, which the rule of the tests does not measure. */
#define NEXT_INITRD	"/boot/initrd.next"
#define STATE_FILE	"kexec_test.state"	/* in the root */
#define STATE_MAGIC	"ima-kexec-test"

#define MIB		(1024 * 1024)
#define JUMP_SECONDS	120	/* to the end of this kernel */
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

/* The initramfs that this kernel was booted with, without our own file. */
static void copy_initrd(struct test *t, int to)
{
	size_t limit = t->state.initrd_len ?: SIZE_MAX;
	size_t done = 0, want;
	__u8 *chunk = malloc(MIB);
	ssize_t n;

	CHECK(chunk);
	while (done < limit) {
		want = limit - done < MIB ? limit - done : MIB;
		n = pread(t->initrd, chunk, want, done);
		CHECK(n >= 0);
		if (!n)
			break;
		write_all(to, chunk, n);
		done += n;
	}
	free(chunk);
	CHECK(done);
	CHECK(!t->state.initrd_len || t->state.initrd_len == done);
	t->state.initrd_len = done;
}

/* The next member of an archive begins at a multiple of @align. */
static void write_padding(int fd, size_t align)
{
	static const char zeros[512];
	off_t pos = lseek(fd, 0, SEEK_CUR);

	CHECK(pos >= 0 && align <= sizeof(zeros));
	write_all(fd, zeros, (align - pos % align) % align);
}

static void write_cpio_header(int fd, const char *name, unsigned int mode, size_t len)
{
	char header[6 + 13 * 8 + 1];

	/* magic, ino, mode, uid, gid, nlink, mtime, size, dev, rdev, name, sum */
	snprintf(header, sizeof(header),
		 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		 0, mode, 0, 0, 1, 0, (unsigned int)len, 0, 0, 0, 0,
		 (unsigned int)strlen(name) + 1, 0);
	write_all(fd, header, sizeof(header) - 1);
	write_all(fd, name, strlen(name) + 1);
	write_padding(fd, 4);
}

/* An initramfs can be several archives, one behind the other. */
static void append_state(struct test *t, int fd)
{
	struct state next = t->state;

	next.kernel++;
	next.archive_len = t->archive.len;
	next.log_len = t->log.len;
	write_padding(fd, 512);
	write_cpio_header(fd, STATE_FILE, S_IFREG | 0600,
			  sizeof(next) + t->archive.len + t->log.len);
	write_all(fd, &next, sizeof(next));
	write_all(fd, t->archive.data, t->archive.len);
	write_all(fd, t->log.data, t->log.len);
	write_padding(fd, 4);
	write_cpio_header(fd, "TRAILER!!!", 0, 0);
	write_padding(fd, 512);
}

/**
 * next_load() - load the kernel again, with the state of the test as it is now
 * @t: the test
 */
void next_load(struct test *t)
{
	char cmdline[sizeof(t->state.cmdline) + 32];
	int fd, len;

	fd = open(NEXT_INITRD, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	copy_initrd(t, fd);
	append_state(t, fd);
	CHECK_EQ(0, close(fd));

	/* The kernel takes no file that is open for write. */
	fd = open(NEXT_INITRD, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	len = snprintf(cmdline, sizeof(cmdline), "%s ima_kexec_boot=%u",
		       t->state.cmdline, t->state.kernel + 1);
	if (syscall(SYS_kexec_file_load, t->bzimage, fd, len + 1, cmdline, 0UL)) {
		ksft_print_msg("kexec_file_load: %s\n", strerror(errno));
		CHECK(!"kexec_file_load");
	}
	close(fd);
	unlink(NEXT_INITRD);
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
	fflush(stdout);
	CHECK_EQ(0, kill(1, SIGUSR1));
}

/**
 * next_await() - wait for the end of this kernel
 */
void __noreturn next_await(void)
{
	unsigned int left = JUMP_SECONDS;

	while (left)
		left = sleep(left);
	CHECK(!"executing the next kernel");
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
 * next_init() - remember how this kernel was booted, the first one
 * @t: the test
 */
void next_init(struct test *t)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, t->state.cmdline, sizeof(t->state.cmdline) - 1);
	CHECK(n > 0 && t->state.cmdline[n - 1] == '\n');
	t->state.cmdline[n - 1] = '\0';
	close(fd);
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
	t->initrd = open(INITRD, O_RDONLY | O_CLOEXEC);
	if (t->bzimage < 0 || t->initrd < 0)
		return "no " BZIMAGE " or no " INITRD " to execute";
	return NULL;
}
