// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is seen of the log between its copy for the next kernel and the jump.
 *
 * That time is made long: having called the reboot notifiers, the kernel waits up
 * to 5 s for user mode helpers that are being started, before it shuts down its
 * devices. The program that is to take a core dump is one, and is not started
 * while its file has a lease.
 *
 * All that is seen then goes with this kernel, but for what is in the TPM.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kexec_test.h"

#define HELPER		"/boot/helper"	/* not on tmpfs, which is measured */
#define CORE_PATTERN	"/proc/sys/kernel/core_pattern"

/* TPM 2.0 Library, parts 2 and 3 */
#define TPM_WITH_SESSIONS	0x8002
#define TPM_NV_UNDEFINE_SPACE	0x122
#define TPM_NV_DEFINE_SPACE	0x12a
#define TPM_NV_WRITE		0x137
#define TPM_NV_READ		0x14e
#define TPM_OWNER		0x40000001
#define TPM_PASSWORD		0x40000009
#define TPM_SHA256		0x000b
#define TPM_NV_OWNER_WRITES	0x2
#define TPM_NV_OWNER_READS	0x20000
#define TPM_HEADER		10
#define TPM_ANSWER_MAX		256

#define NV_INDEX	0x01800010	/* one that is the owner's to define */

#define COMMANDS_MAX	3
#define RECORDS		6
#define REFUSED_MIN	100	/* before the list is copied */
#define ASKED_MS	60000	/* process 1 executes the kernel within this */
#define ANSWERS_MS	3000	/* after the first one: the kernel waits 5 s */
#define AUDIT_MS	1000
#define LATE_FILE	"measured-too-late"

/* A command that goes on being given, by a thread of its own. */
struct command {
	const char *what;
	const char *name;
	const char *text;
	int after;		/* errno, once the log is suspended */
	int fd;
	unsigned int refused;	/* with EBUSY, which comes after that */
	int result;		/* of the first one that was not */
};

struct note {
	__s32 result[COMMANDS_MAX];
	__s32 readable;		/* the log is still what is to arrive */
	__s32 measured;		/* records of new files, and of a violation */
	__s32 audited;
};

/* ---- a note that outlives the kernel ---------------------------------- */

static __u8 *put(__u8 *to, size_t size, __u64 value)
{
	while (size--)
		*to++ = value >> 8 * size;
	return to;
}

/*
 * Gives the TPM a command about NV_INDEX that the owner authorises, with an empty
 * password. Return: the TPM's response code; its answer is put into @response.
 */
static long tpm_command(__u32 code, const void *params, size_t len,
			__u8 response[TPM_ANSWER_MAX])
{
	__u8 command[TPM_ANSWER_MAX], *p = command + TPM_HEADER;
	int fd = open("/dev/tpmrm0", O_RDWR | O_CLOEXEC);
	bool answered;
	__u32 rc;

	p = put(p, 4, TPM_OWNER);
	if (code != TPM_NV_DEFINE_SPACE)
		p = put(p, 4, NV_INDEX);
	p = put(p, 4, 9);	/* bytes of the authorisation, ... */
	p = put(p, 4, TPM_PASSWORD);
	p = put(p, 2 + 1 + 2, 0);	/* no nonce, no attributes, no password */
	memcpy(p, params, len);
	p += len;
	put(command, 2, TPM_WITH_SESSIONS);
	put(command + 2, 4, p - command);
	put(command + 6, 4, code);

	answered = fd >= 0 && write(fd, command, p - command) == p - command &&
		   read(fd, response, TPM_ANSWER_MAX) >= TPM_HEADER;
	if (fd >= 0)
		close(fd);
	if (!answered)
		return -EIO;
	memcpy(&rc, response + 6, sizeof(rc));
	return be32toh(rc);
}

static void note_create(void)
{
	__u8 params[2 + 2 + 4 + 2 + 4 + 2 + 2], response[TPM_ANSWER_MAX], *p = params;

	p = put(p, 2, 0);	/* no password; the size of what follows */
	p = put(p, 2, sizeof(params) - 4);
	p = put(p, 4, NV_INDEX);
	p = put(p, 2, TPM_SHA256);
	p = put(p, 4, TPM_NV_OWNER_WRITES | TPM_NV_OWNER_READS);
	p = put(p, 2, 0);	/* no policy */
	put(p, 2, sizeof(struct note));
	CHECK_EQ(0, tpm_command(TPM_NV_DEFINE_SPACE, params, sizeof(params), response));
}

static long note_write(const struct note *note)
{
	__u8 params[2 + sizeof(*note) + 2], response[TPM_ANSWER_MAX];

	put(params, 2, sizeof(*note));
	memcpy(params + 2, note, sizeof(*note));
	put(params + 2 + sizeof(*note), 2, 0);	/* offset */
	return tpm_command(TPM_NV_WRITE, params, sizeof(params), response);
}

static void note_take(struct note *note)
{
	__u8 params[2 + 2], response[TPM_ANSWER_MAX];

	put(params, 2, sizeof(*note));
	put(params + 2, 2, 0);	/* offset */
	CHECK_EQ(0, tpm_command(TPM_NV_READ, params, sizeof(params), response));
	/* the size of the parameters, then that of the data, come first */
	memcpy(note, response + TPM_HEADER + 4 + 2, sizeof(*note));
	CHECK_EQ(0, tpm_command(TPM_NV_UNDEFINE_SPACE, "", 0, response));
}

/* ---- holding the kernel up -------------------------------------------- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	CHECK(fd >= 0);
	CHECK_EQ(strlen(text), write(fd, text, strlen(text)));
	close(fd);
}

/* Return: a file; the kernel waits until its lease is given back. */
static int hold_kernel(void)
{
	long long end = ima_now_ms() + IMA_DEADLINE_MS;
	int fd;

	write_file(HELPER, "");
	write_file(CORE_PATTERN, "|" HELPER);
	signal(SIGIO, SIG_IGN);	/* what a lease's owner gets */
	fd = open(HELPER, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(0, fcntl(fd, F_SETLEASE, F_WRLCK));
	if (!fork())
		abort();
	while (fcntl(fd, F_GETLEASE) == F_WRLCK && ima_now_ms() < end)
		usleep(1000);
	CHECK_EQ(F_RDLCK, fcntl(fd, F_GETLEASE));
	return fd;
}

static void let_kernel_go(int fd)
{
	fcntl(fd, F_SETLEASE, F_UNLCK);
}

/* ---- what is seen ----------------------------------------------------- */

/*
 * Another process's file in the middle of a list: a command that would delete
 * from there is refused, so the log stays what it is until it is suspended.
 */
static void hold_list(const char *list)
{
	int ready[2];
	char c;

	CHECK_EQ(0, pipe(ready));
	if (!fork()) {
		int fd = ima_open(list, O_RDONLY);

		if (read(fd, &c, 1) == 1 && write(ready[1], &c, 1) == 1)
			pause();
		_exit(KSFT_FAIL);
	}
	close(ready[1]);
	CHECK_EQ(1, read(ready[0], &c, 1));
	close(ready[0]);
}

static void *give(void *arg)
{
	struct command *command = arg;
	size_t len = strlen(command->text);
	int ret;

	do {
		ret = write(command->fd, command->text, len) < 0 ? -errno : 0;
		__atomic_add_fetch(&command->refused, ret == -EBUSY, __ATOMIC_RELAXED);
	} while (ret == -EBUSY);
	__atomic_store_n(&command->result, ret, __ATOMIC_RELEASE);
	return NULL;
}

static void start_giving(struct command *command)
{
	long long end = ima_now_ms() + IMA_DEADLINE_MS;
	pthread_t thread;

	command->fd = ima_open(command->name, O_WRONLY);
	CHECK(command->fd >= 0);
	command->result = -EBUSY;
	CHECK_EQ(0, pthread_create(&thread, NULL, give, command));
	while (__atomic_load_n(&command->refused, __ATOMIC_RELAXED) < REFUSED_MIN &&
	       ima_now_ms() < end)
		usleep(1000);
	CHECK(__atomic_load_n(&command->refused, __ATOMIC_RELAXED) >= REFUSED_MIN);
	CHECK_EQ(-EBUSY, __atomic_load_n(&command->result, __ATOMIC_ACQUIRE));
}

static int audit_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = AUDIT_NLGRP_READLOG };
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

	CHECK(sock >= 0);
	CHECK_EQ(0, bind(sock, (struct sockaddr *)&addr, sizeof(addr)));
	return sock;
}

/* Does the kernel say that it did not measure LATE_FILE, and why (ENODEV)? */
static bool audited(int sock, long long end)
{
	struct pollfd poll_fd = { .fd = sock, .events = POLLIN };
	struct {
		struct nlmsghdr header;
		char text[9000];
	} msg;
	ssize_t n;

	while (ima_now_ms() < end) {
		if (poll(&poll_fd, 1, 100) <= 0)
			continue;
		n = recv(sock, &msg, sizeof(msg) - 1, 0);
		if (n < (ssize_t)sizeof(msg.header))
			continue;
		((char *)&msg)[n] = '\0';
		if (msg.header.nlmsg_type == AUDIT_INTEGRITY_PCR &&
		    strstr(msg.text, " cause=log_carried_over ") &&
		    strstr(msg.text, LATE_FILE) && strstr(msg.text, " res=0 errno=-19"))
			return true;
	}
	return false;
}

/* Is what can be read what was remembered: staged, then the list? */
static bool readable(const struct test *t)
{
	struct buf staged, list;
	bool same;

	staged.data = ima_read_all(STAGED, &staged.len);
	list.data = ima_read_all(LIST, &list.len);
	same = staged.data && list.data && staged.len + list.len == t->log.len &&
	       !memcmp(staged.data, t->log.data, staged.len) &&
	       !memcmp(list.data, t->log.data + staged.len, list.len);
	free(staged.data);
	free(list.data);
	return same;
}

/*
 * The log is suspended, if it ever is, once a command has had another answer than
 * it had before: then the others have to have theirs soon.
 */
static void await_answers(const struct command *commands, unsigned int n,
			  struct note *note)
{
	long long end = ima_now_ms() + ASKED_MS;
	unsigned int i, before, answers = 0;

	do {
		usleep(1000);
		before = answers;
		for (answers = 0, i = 0; i < n; i++) {
			note->result[i] = __atomic_load_n(&commands[i].result,
							  __ATOMIC_ACQUIRE);
			answers += note->result[i] != -EBUSY;
		}
		if (answers && !before)
			end = ima_now_ms() + ANSWERS_MS;
	} while (answers < n && ima_now_ms() < end);
}

/* No check once process 1 was asked: nobody would hear of it. */
static void __noreturn witness(const struct test *t, const struct command *commands,
			       unsigned int n, int sock, int lease)
{
	struct note note = { .result = { -EBUSY, -EBUSY, -EBUSY }, .measured = -1 };
	long count;

	CHECK_EQ(0, note_write(&note));	/* of what was not seen, if it stays so */
	next_ask();
	await_answers(commands, n, &note);
	count = ima_count();
	if (!ima_measure_file(LATE_FILE, LATE_FILE, strlen(LATE_FILE)) &&
	    !ima_measure_files(2) && !ima_measure_violation())
		note.measured = ima_count() - count;
	note.readable = readable(t);
	note.audited = audited(sock, ima_now_ms() + AUDIT_MS);
	note_write(&note);
	let_kernel_go(lease);
	next_await();
}

/* ---- the steps -------------------------------------------------------- */

static void leave_suspended(struct test *t, struct command *commands, unsigned int n)
{
	int sock, lease;
	unsigned int i;

	note_create();
	remember_log(t);
	next_load(t);
	hold_list(commands[0].name);
	for (i = 0; i < n; i++)
		start_giving(&commands[i]);
	sock = audit_open();
	lease = hold_kernel();
	witness(t, commands, n, sock, lease);
}

static void arrive_suspended(struct test *t, const struct command *commands, unsigned int n)
{
	struct note note;
	unsigned int i;

	note_take(&note);
	for (i = 0; i < n; i++) {
		ksft_print_msg("carried over, then %s: %s\n", commands[i].what,
			       strerror(-note.result[i]));
		CHECK_EQ(commands[i].after, note.result[i]);
	}
	CHECK_EQ(0, note.measured);
	CHECK_EQ(1, note.audited);
	CHECK_EQ(1, note.readable);
	arrive_whole(t);
}

static char delete_if[32];

static struct command on_list[] = {
	{ .what = "N", .name = LIST, .text = "2\n", .after = -ESTALE },
	{ .what = "T:N", .name = LIST, .text = delete_if, .after = -ESTALE },
	{ .what = "A", .name = STAGED, .text = "A\n", .after = -EACCES },
};

static struct command on_staged[] = {
	{ .what = "D", .name = STAGED, .text = "D\n", .after = -ESTALE },
};

/**
 * leave_suspended_list() - give N, T:N and A until this kernel ends
 * @t: the test
 */
void leave_suspended_list(struct test *t)
{
	archive_first(t, ima_count());
	CHECK_EQ(0, ima_measure_files(RECORDS));
	snprintf(delete_if, sizeof(delete_if), "%ld:2\n", ima_removed());
	leave_suspended(t, on_list, ARRAY_SIZE(on_list));
}

/**
 * arrive_suspended_list() - they were refused, and nothing was measured
 * @t: the test
 */
void arrive_suspended_list(struct test *t)
{
	arrive_suspended(t, on_list, ARRAY_SIZE(on_list));
}

/**
 * leave_suspended_staged() - give D until this kernel ends
 * @t: the test
 */
void leave_suspended_staged(struct test *t)
{
	CHECK_EQ(0, ima_measure_files(RECORDS));
	CHECK_EQ(0, ima_command(STAGED, "A\n"));
	CHECK_EQ(0, ima_measure_files(RECORDS));
	leave_suspended(t, on_staged, ARRAY_SIZE(on_staged));
}

/**
 * arrive_suspended_staged() - it was refused, and nothing was measured
 * @t: the test
 */
void arrive_suspended_staged(struct test *t)
{
	arrive_suspended(t, on_staged, ARRAY_SIZE(on_staged));
}
