// SPDX-License-Identifier: GPL-2.0-only
/*
 * What remains of a deletion: the audit record of each command, and the
 * critical data record of each deletion if a policy rule asks for it.
 *
 * The audit records are read from audit's multicast group: unlike the kernel
 * log it has no rate limit, and a running auditd does not mind.
 */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "peer.h"

#define NR_RECORDS 10
#define CRITICAL_RULE "measure func=CRITICAL_DATA label=ima_log\n"

/* The audit record of a command. */
struct record {
	char op[64];
	unsigned long long count, removed;
};

FIXTURE(audit) {
	int sock;
	long count, removed;
};

/* Return: a socket that gets every audit record from now on, or -errno */
static int audit_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = AUDIT_NLGRP_READLOG };
	struct timeval deadline = { .tv_sec = IMA_DEADLINE_MS / 1000 };
	int size = 8 * 1024 * 1024;
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

	if (sock < 0)
		return -errno;
	if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) ||
	    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline))) {
		close(sock);
		return -errno;
	}
	return sock;
}

static bool no_audit(int sock)
{
	return sock == -EPROTONOSUPPORT || sock == -ECONNREFUSED;
}

#define NO_AUDIT "no audit in the kernel (CONFIG_AUDIT)"

/* "key=value" or "key="value"" as one word of the record; false: not there */
static bool field(const char *text, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);
	const char *at = text;

	while ((at = strstr(at, key)) && ((at > text && at[-1] != ' ') || at[len] != '='))
		at += len;
	if (!at)
		return false;
	at += len + 1;
	at += *at == '"';
	len = strcspn(at, "\" ");
	snprintf(value, size, "%.*s", (int)len, at);
	return true;
}

static bool number(const char *text, const char *key, unsigned long long *value)
{
	char word[64], *end;

	if (!field(text, key, word, sizeof(word)))
		return false;
	*value = strtoull(word, &end, 10);
	return end != word && !*end;
}

/*
 * The next integrity record, of whatever kind.
 * Return: 0, or -errno (-EAGAIN: none in time, -EBADMSG: no command's record)
 */
static int next_record(int sock, struct record *record)
{
	struct {
		struct nlmsghdr header;
		char text[9000];
	} msg;
	ssize_t n;

	do {
		n = recv(sock, &msg, sizeof(msg) - 1, 0);
		if (n < (ssize_t)sizeof(msg.header))
			return n < 0 ? -errno : -EIO;
	} while (msg.header.nlmsg_type < 1800 || msg.header.nlmsg_type > 1899);

	((char *)&msg)[n] = '\0';
	if (field(msg.text, "op", record->op, sizeof(record->op)) &&
	    number(msg.text, "count", &record->count) &&
	    number(msg.text, "removed", &record->removed))
		return 0;
	fprintf(stderr, "# no command's record: type=%d %s\n", msg.header.nlmsg_type, msg.text);
	return -EBADMSG;
}

/*
 * What was written before comes late: read it, up to the record of a command
 * that is given now. Return: 0 or -errno
 */
static int drain(int sock)
{
	struct record record = {};
	int ret = ima_measure_files(1) ?: ima_delete(1);
	unsigned long long removed = ima_removed();

	while (!ret && record.removed != removed) {
		ret = next_record(sock, &record);
		if (ret == -EBADMSG)
			ret = 0;
	}
	return ret;
}

FIXTURE_SETUP(audit)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	self->sock = audit_open();
	if (no_audit(self->sock))
		SKIP(return, NO_AUDIT);
	ASSERT_LE(0, self->sock);
	ASSERT_EQ(0, drain(self->sock));
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	self->count = ima_count();
	self->removed = ima_removed();
	ASSERT_LE(0, self->removed);
}

FIXTURE_TEARDOWN(audit)
{
	close(self->sock);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

#define EXPECT_RECORD(_op, _count, _removed)					\
do {										\
	struct record _record = {};						\
										\
	ASSERT_EQ(0, next_record(self->sock, &_record));			\
	EXPECT_STREQ(_op, _record.op);						\
	EXPECT_EQ((unsigned long long)(_count), _record.count);			\
	EXPECT_EQ((unsigned long long)(_removed), _record.removed);		\
} while (0)

/*
 * No more than what was expected so far: the records come in order, so that
 * of one more command must be the next.
 */
#define EXPECT_NO_MORE_RECORDS()						\
do {										\
	int _staged = ima_delete_staged();						\
										\
	ASSERT_TRUE(!_staged || _staged == -ENOENT);				\
	if (!_staged)								\
		EXPECT_RECORD("delete_staged_records", self->count, ima_removed());	\
	ASSERT_EQ(0, ima_measure_files(1));					\
	ASSERT_EQ(0, ima_delete(1));						\
	EXPECT_RECORD("delete_records", 1, ima_removed());			\
} while (0)

TEST_F(audit, n_writes_one_record)
{
	ASSERT_EQ(0, ima_delete(3));
	EXPECT_RECORD("delete_records", 3, self->removed + 3);
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, n_of_all_writes_one_record)
{
	ASSERT_EQ(0, ima_delete(self->count));
	EXPECT_RECORD("delete_records", self->count, self->removed + self->count);
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, t_n_writes_one_record)
{
	ASSERT_EQ(0, ima_delete_if(IMA_ASCII, self->removed, 4));
	EXPECT_RECORD("delete_records", 4, self->removed + 4);
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, a_writes_one_record)
{
	ASSERT_EQ(0, ima_stage());
	EXPECT_RECORD("stage_records", self->count, self->removed + self->count);
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, d_writes_one_record)
{
	ASSERT_EQ(0, ima_stage());
	EXPECT_RECORD("stage_records", self->count, self->removed + self->count);
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_RECORD("delete_staged_records", self->count, self->removed + self->count);
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, d_counts_what_was_staged_not_what_came_later)
{
	ASSERT_EQ(0, ima_stage());
	EXPECT_RECORD("stage_records", self->count, self->removed + self->count);
	ASSERT_EQ(0, ima_measure_files(4));
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_RECORD("delete_staged_records", self->count, self->removed + self->count);
}

TEST_F(audit, many_commands_write_one_record_each)
{
	int i;

	for (i = 1; i <= 50; i++) {
		ASSERT_EQ(0, ima_measure_files(1));
		ASSERT_EQ(0, ima_delete(1));
	}
	for (i = 1; i <= 50; i++)
		EXPECT_RECORD("delete_records", 1, self->removed + i);
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, refused_n_writes_none)
{
	EXPECT_EQ(-EINVAL, ima_command(IMA_ASCII, "0\n"));
	EXPECT_EQ(-EINVAL, ima_command(IMA_ASCII, "x\n"));
	EXPECT_EQ(-ERANGE, ima_command(IMA_ASCII, "99999999999999999999\n"));
	EXPECT_EQ(-ENOENT, ima_delete(self->count + 1));
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, refused_t_n_writes_none)
{
	EXPECT_EQ(-EAGAIN, ima_delete_if(IMA_ASCII, self->removed + 1, 1));
	EXPECT_EQ(-ENOENT, ima_delete_if(IMA_ASCII, self->removed, self->count + 1));
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, refused_a_of_empty_list_writes_none)
{
	ASSERT_EQ(0, ima_delete(self->count));
	EXPECT_RECORD("delete_records", self->count, self->removed + self->count);
	EXPECT_EQ(-ENOENT, ima_stage());
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, refused_d_of_nothing_writes_none)
{
	EXPECT_EQ(-ENOENT, ima_delete_staged());
	EXPECT_EQ(-EINVAL, ima_command(IMA_ASCII_STAGED, "1\n"));
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, refused_while_staged_writes_none)
{
	ASSERT_EQ(0, ima_stage());
	EXPECT_RECORD("stage_records", self->count, self->removed + self->count);
	EXPECT_EQ(-EEXIST, ima_stage());
	EXPECT_EQ(-EEXIST, ima_delete(1));
	EXPECT_EQ(-EEXIST, ima_delete_if(IMA_ASCII, ima_removed(), 1));
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, refused_by_a_reader_EBUSY_writes_none)
{
	struct peer peer = {};
	int fd;

	ASSERT_EQ(0, peer_start(&peer));
	fd = peer_open(&peer, IMA_ASCII, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, peer_do(&peer, PEER_READ, fd, 1));
	EXPECT_EQ(-EBUSY, ima_delete(2));
	EXPECT_EQ(-EBUSY, ima_stage());
	peer_end(&peer);
	EXPECT_NO_MORE_RECORDS();
}

TEST_F(audit, reading_and_opening_write_none)
{
	size_t len;
	int fd = ima_open(IMA_ASCII, O_RDWR);

	ASSERT_LE(0, fd);
	close(fd);
	free(ima_read_all(IMA_ASCII, &len));
	free(ima_read_all(IMA_ASCII_STAGED, &len));
	EXPECT_NO_MORE_RECORDS();
}

/* Critical data. The tests without the rule are first: a rule stays. */
FIXTURE(no_rule) {
	long count;
};

FIXTURE_SETUP(no_rule)
{
	const char *why = ima_test_unavailable();

	if (!why && ima_log_rule_is_loaded())
		why = "the policy has the rule label=ima_log: reboot";
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	self->count = ima_count();
}

FIXTURE_TEARDOWN(no_rule)
{
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

TEST_F(no_rule, n_adds_nothing)
{
	ASSERT_EQ(0, ima_delete(3));
	EXPECT_EQ(self->count - 3, ima_count());
}

TEST_F(no_rule, t_n_adds_nothing)
{
	ASSERT_EQ(0, ima_delete_if(IMA_ASCII, ima_removed(), 3));
	EXPECT_EQ(self->count - 3, ima_count());
}

TEST_F(no_rule, a_and_d_add_nothing)
{
	ASSERT_EQ(0, ima_stage());
	EXPECT_EQ(0, ima_count());
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_EQ(0, ima_count());
}

FIXTURE(rule) {
	long count, removed;
};

FIXTURE_SETUP(rule)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	if (!ima_log_rule_is_loaded())
		ASSERT_EQ(0, ima_command("policy", CRITICAL_RULE));
	ASSERT_TRUE(ima_log_rule_is_loaded());
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	self->count = ima_count();
	self->removed = ima_removed();
}

FIXTURE_TEARDOWN(rule)
{
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* The list's last line, without its newline; to be freed */
static char *last_line(void)
{
	size_t len;
	char *data = ima_read_all(IMA_ASCII, &len), *start, *line;

	if (!data || !len) {
		free(data);
		return strdup("(the list is empty)");
	}
	data[len - 1] = '\0';
	start = strrchr(data, '\n');
	line = strdup(start ? start + 1 : data);
	free(data);
	return line;
}

/* How the line of a deletion ends: " name hex of data" */
static size_t deletion_text(char *text, size_t size, long removed, long count)
{
	char data[64];
	size_t i, used;

	snprintf(data, sizeof(data), "removed=%ld;count=%ld;", removed, count);
	used = snprintf(text, size, " records_deleted ");
	for (i = 0; data[i]; i++)
		used += snprintf(text + used, size - used, "%02x", (unsigned char)data[i]);
	return used;
}

/* Is it "PCR digest ima-buf hash:digest name hex of data"? Else say so. */
static bool last_is(long removed, long count)
{
	char expected[256], *line = last_line();
	size_t used = deletion_text(expected, sizeof(expected), removed, count);
	bool is = strlen(line) > used && strstr(line, " ima-buf ") &&
		  !strcmp(line + strlen(line) - used, expected);

	if (!is)
		fprintf(stderr, "# expected ima-buf%s, got %s\n", expected, line);
	free(line);
	return is;
}

static bool is_listed(long removed, long count)
{
	char expected[256], *list;
	size_t len;
	bool is;

	deletion_text(expected, sizeof(expected), removed, count);
	list = ima_read_all(IMA_ASCII, &len);
	is = list && memmem(list, len, expected, strlen(expected));
	free(list);
	return is;
}

TEST_F(rule, n_adds_one_record)
{
	ASSERT_EQ(0, ima_delete(3));
	EXPECT_EQ(self->count - 3 + 1, ima_count());
	EXPECT_TRUE(last_is(self->removed + 3, 3));
}

TEST_F(rule, n_of_all_leaves_only_that_record)
{
	ASSERT_EQ(0, ima_delete(self->count));
	EXPECT_EQ(1, ima_count());
	EXPECT_TRUE(last_is(self->removed + self->count, self->count));
}

TEST_F(rule, t_n_adds_one_record)
{
	ASSERT_EQ(0, ima_delete_if(IMA_ASCII, self->removed, 4));
	EXPECT_EQ(self->count - 4 + 1, ima_count());
	EXPECT_TRUE(last_is(self->removed + 4, 4));
}

TEST_F(rule, a_adds_nothing)
{
	ASSERT_EQ(0, ima_stage());
	EXPECT_EQ(0, ima_count());
}

TEST_F(rule, d_adds_one_record)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_EQ(1, ima_count());
	EXPECT_TRUE(last_is(self->removed + self->count, self->count));
}

TEST_F(rule, d_with_a_list_adds_one_record_to_its_end)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(4));
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_EQ(5, ima_count());
	EXPECT_TRUE(last_is(self->removed + self->count, self->count));
}

TEST_F(rule, each_deletion_adds_one_record)
{
	int i;

	for (i = 1; i <= 20; i++) {
		ASSERT_EQ(0, ima_delete(1));
		EXPECT_EQ(self->count, ima_count());
		EXPECT_TRUE(last_is(self->removed + i, 1));
	}
}

struct beside {
	atomic_bool stop;
	int ret;
};

/* What is measured takes its turn with this, and a TPM takes its time. */
static void *measure_beside(void *arg)
{
	struct beside *beside = arg;

	while (!beside->ret && !atomic_load(&beside->stop))
		beside->ret = ima_measure_files(1);
	return NULL;
}

static void *delete_one(void *arg)
{
	struct beside *beside = arg;

	beside->ret = ima_delete(1);
	return NULL;
}

/* Audit can take a minute, and what was deleted must not go unmeasured meanwhile. */
TEST_F(rule, n_is_measured_before_audit_tells)
{
	struct beside measure = {}, delete = {};
	pthread_t measurer, deleter;
	int i, sock = audit_open();
	struct record record;

	if (no_audit(sock))
		SKIP(return, NO_AUDIT);
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, drain(sock));
	ASSERT_EQ(0, pthread_create(&measurer, NULL, measure_beside, &measure));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, pthread_create(&deleter, NULL, delete_one, &delete));
		EXPECT_EQ(0, next_record(sock, &record));
		EXPECT_TRUE(is_listed(record.removed, 1));
		ASSERT_EQ(0, pthread_join(deleter, NULL));
		ASSERT_EQ(0, delete.ret);
	}
	atomic_store(&measure.stop, true);
	ASSERT_EQ(0, pthread_join(measurer, NULL));
	EXPECT_EQ(0, measure.ret);
	close(sock);
}

TEST_F(rule, refused_commands_add_nothing)
{
	EXPECT_EQ(-EINVAL, ima_command(IMA_ASCII, "0\n"));
	EXPECT_EQ(-ENOENT, ima_delete(self->count + 1));
	EXPECT_EQ(-EAGAIN, ima_delete_if(IMA_ASCII, self->removed + 1, 1));
	EXPECT_EQ(-ENOENT, ima_delete_staged());
	EXPECT_EQ(self->count, ima_count());
	ASSERT_EQ(0, ima_stage());
	EXPECT_EQ(-EEXIST, ima_stage());
	EXPECT_EQ(-EEXIST, ima_delete(1));
	EXPECT_EQ(0, ima_count());
}

TEST_HARNESS_MAIN
