// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much room for the log is in a kernel that is loaded for kexec. Nothing is
 * executed here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kexec.h>
#include <pthread.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "ima_test.h"

#ifndef KEXEC_FILE_DEBUG	/* since Linux 6.8 */
#define KEXEC_FILE_DEBUG 8
#endif

#define LIST		"binary_runtime_measurements_sha1"
#define STAGED		LIST "_staged"
#define BZIMAGE		"/boot/bzImage"
#define SMALL_KERNEL	"/boot/kexec_load_test"	/* not on tmpfs, which is measured */
#define SMALL_SIZE	65536
#define INIT_SIZE_AT	0x260	/* Documentation/arch/x86/boot.rst */

#define CONSOLE_LEVEL	8	/* of syslog(2) */
#define WARNINGS_ONLY	5	/* ... and what is worse: no lines about each load */

#define KEXEC_HDR	24	/* struct ima_kexec_hdr */
#define RECORDS		14
#define ROUNDS		400
#define STEPS		40	/* from the begin of a load to its end, again and again */
#define ROUNDS_MIN	20	/* however long it takes */
#define ROUNDS_MS	60000
#define TRACING		"/sys/kernel/tracing"
#define PROBE_ARGS	40	/* of 64 bytes, read one by one */

/* ---- loading ---------------------------------------------------------- */

/* The head of a kernel loads faster than a whole one, and could not be executed. */
static int small_kernel(void)
{
	unsigned int init_size = SMALL_SIZE;
	static char head[SMALL_SIZE];
	int from = open(BZIMAGE, O_RDONLY | O_CLOEXEC);
	int to = open(SMALL_KERNEL, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool made = read(from, head, sizeof(head)) == sizeof(head);

	memcpy(head + INIT_SIZE_AT, &init_size, sizeof(init_size));
	made = made && write(to, head, sizeof(head)) == sizeof(head);
	close(from);
	close(to);
	from = open(SMALL_KERNEL, O_RDONLY | O_CLOEXEC);
	unlink(SMALL_KERNEL);
	return made ? from : -1;
}

/*
 * The segment of the log is told by its address, in a line of its own before the
 * lines of all segments. Return: its size, or -errno
 */
static long logged_size(int kmsg)
{
	unsigned long address = 0, at, size;
	char record[2048], *text;
	ssize_t n;

	while ((n = read(kmsg, record, sizeof(record) - 1)) > 0) {
		record[n] = '\0';
		text = strstr(record, "kexec measurement buffer for the loaded kernel at ");
		if (text)
			sscanf(strrchr(text, ' '), " %lx", &address);
		text = strstr(record, "segment[");
		if (text && sscanf(text, "segment[%*d]: buf=%*s bufsz=%*s mem=%lx memsz=%lx",
				   &at, &size) == 2 && at == address)
			return size;
	}
	return n && errno != EAGAIN ? -errno : -ENOMSG;
}

/* Return: bytes for the log in a kernel that is loaded now, or -errno */
static long load(int kernel)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	long ret;

	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0)
		return -errno;
	ret = syscall(SYS_kexec_file_load, kernel, -1, sizeof(""), "",
		      (unsigned long)(KEXEC_FILE_NO_INITRAMFS | KEXEC_FILE_DEBUG));
	ret = ret ? -errno : logged_size(kmsg);
	close(kmsg);
	return ret;
}

/* ---- the log ---------------------------------------------------------- */

/* New files with the longest names there are, all of one length: few make a page. */
static int measure(unsigned int n)
{
	char name[NAME_MAX + 1];
	unsigned long long id;
	int ret = 0;

	while (n-- && !ret) {
		if (getrandom(&id, sizeof(id), 0) != sizeof(id))
			return -EIO;
		snprintf(name, sizeof(name), "%0*llx", NAME_MAX, id);
		ret = ima_measure_file(name, name, strlen(name));
	}
	return ret;
}

static long file_size(const char *name)
{
	size_t size;
	void *data = ima_read_all(name, &size);

	free(data);
	return data ? (long)size : -errno;
}

/* What the next kernel would get now */
static long log_size(void)
{
	return KEXEC_HDR + file_size(STAGED) + file_size(LIST);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static void fast_again(void)
{
	write_file(TRACING "/events/ima_slow/enable", "0");
	write_file(TRACING "/kprobe_events", "-:ima_slow/");
}

FIXTURE(load) {
	int kernel;
	int console;
	int staged;
};

static int console_level(void)
{
	FILE *f = fopen("/proc/sys/kernel/printk", "re");
	int level = -1;

	if (f && fscanf(f, "%d", &level) != 1)
		level = -1;
	if (f)
		fclose(f);
	return level;
}

FIXTURE_SETUP(load)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	if (!getenv("IMA_KEXEC_TEST"))
		SKIP(return, "this replaces the loaded kernel: run it in the VM (qemu/, KEXEC=1)");
	self->console = console_level();
	ASSERT_LT(0, self->console);
	ASSERT_EQ(0, klogctl(CONSOLE_LEVEL, NULL, WARNINGS_ONLY));
	self->kernel = small_kernel();
	ASSERT_LE(0, self->kernel);
	ASSERT_EQ(0, ima_other_process_deletes_all());
	self->staged = ima_open(STAGED, O_WRONLY);
	ASSERT_LE(0, self->staged);
}

FIXTURE_TEARDOWN(load)
{
	fast_again();
	EXPECT_EQ(0, syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL,
			     (unsigned long)KEXEC_FILE_UNLOAD));
	EXPECT_EQ(0, klogctl(CONSOLE_LEVEL, NULL, self->console));
	close(self->kernel);
	close(self->staged);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

TEST_F(load, room_for_staged_and_list)
{
	long one, both;

	ASSERT_EQ(0, measure(RECORDS));
	one = load(self->kernel);
	EXPECT_LE(log_size(), one);

	ASSERT_EQ(0, ima_command(STAGED, "A\n"));
	EXPECT_EQ(one, load(self->kernel));

	ASSERT_EQ(0, measure(3 * RECORDS));
	both = load(self->kernel);
	EXPECT_LE(log_size(), both);
	EXPECT_LT(one, both);
}

TEST_F(load, deleted_records_take_no_room)
{
	long one, more;

	ASSERT_EQ(0, measure(RECORDS));
	one = load(self->kernel);
	ASSERT_EQ(0, measure(3 * RECORDS));
	more = load(self->kernel);
	ASSERT_LT(one, more);

	ASSERT_EQ(0, ima_delete(3 * RECORDS));
	EXPECT_EQ(one, load(self->kernel));

	ASSERT_EQ(0, ima_command(STAGED, "A\n"));
	ASSERT_EQ(0, measure(3 * RECORDS));
	ASSERT_EQ(more, load(self->kernel));
	ASSERT_EQ(0, ima_command(STAGED, "D\n"));
	EXPECT_GT(more, load(self->kernel));
	EXPECT_LE(log_size(), load(self->kernel));
}

/* ---- A while the size is read ----------------------------------------- */

static unsigned long function_size(const char *name)
{
	unsigned long long address, here = 0, next = ULLONG_MAX;
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256];
	int pass;

	for (pass = 0; f && pass < 2; pass++) {
		rewind(f);
		while (fgets(line, sizeof(line), f)) {
			if (sscanf(line, "%llx %*c %255s", &address, symbol) != 2)
				continue;
			if (!pass && !strcmp(symbol, name))
				here = address;
			if (pass && address > here && address < next)
				next = address;
		}
	}
	if (f)
		fclose(f);
	return here ? next - here : 0;
}

/*
 * It takes some nanoseconds to read the size. With a probe that fetches a lot on
 * every instruction there it takes so long that a command can come between two.
 * Return: the number of instructions, or -errno
 */
static int slow_down(const char *function)
{
	unsigned long at, size = function_size(function);
	char event[1024];
	int len, done = 0;

	if (!size)
		return -ENOENT;
	if (mount("tracefs", TRACING, "tracefs", 0, NULL) && errno != EBUSY)
		return -errno;
	for (at = 0; at < size; at++) {
		len = snprintf(event, sizeof(event), "p:ima_slow/at_%lu %s+%lu", at,
			       function, at);
		for (int arg = 0; arg < PROBE_ARGS; arg++)
			len += snprintf(event + len, sizeof(event) - len,
					" +0($stack):u8[64]");
		/* refused in the middle of an instruction */
		done += !write_file(TRACING "/kprobe_events", event);
	}
	return write_file(TRACING "/events/ima_slow/enable", "1") ?: done;
}

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

struct stager {
	int fd;
	long long at;		/* when to give the command */
	int result;
};

static void *stage(void *arg)
{
	struct stager *stager = arg;

	while (now_ns() < stager->at)
		;
	stager->result = write(stager->fd, "A\n", 2) == 2 ? 0 : -errno;
	return NULL;
}

/* Return: bytes for the log in a kernel, with A @delay ns after loading began */
static long load_and_stage(int kernel, int fd, long long delay)
{
	struct stager stager = { .fd = fd, .at = now_ns() + delay };
	pthread_t thread;
	long size;

	if (pthread_create(&thread, NULL, stage, &stager))
		return -EAGAIN;
	size = load(kernel);
	pthread_join(thread, NULL);
	return stager.result ?: size;
}

/* The whole log is in the list before A, and staged after it: never half of it. */
TEST_F_TIMEOUT(load, room_while_records_are_staged, IMA_TIMEOUT)
{
	int round, probed = slow_down("ima_log_size");
	long long begin, took, end;
	long size, wrong = 0;

	if (probed < 0)
		SKIP(return, "cannot set probes in the kernel (CONFIG_KPROBE_EVENTS): %s",
		     strerror(-probed));
	ASSERT_LT(1, probed);
	ASSERT_EQ(0, measure(RECORDS));
	size = load(self->kernel);
	EXPECT_LE(log_size(), size);
	begin = now_ns();
	ASSERT_EQ(size, load(self->kernel));
	took = now_ns() - begin;

	end = ima_now_ms() + ROUNDS_MS;
	for (round = 0; round < ROUNDS && (ima_now_ms() < end || round < ROUNDS_MIN); round++) {
		long is = load_and_stage(self->kernel, self->staged,
					 took * (round % STEPS) / STEPS);

		ASSERT_LT(0, is);
		wrong += is != size;
		ASSERT_EQ(0, ima_command(STAGED, "D\n"));
		ASSERT_EQ(0, measure(RECORDS));
	}
	TH_LOG("%d instructions probed, %d loads of %lld us: %ld wrong", probed, round,
	       took / 1000, wrong);
	EXPECT_LE(ROUNDS_MIN, round);
	EXPECT_EQ(0, wrong);
}

TEST_HARNESS_MAIN
