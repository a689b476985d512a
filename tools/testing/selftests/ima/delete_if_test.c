// SPDX-License-Identifier: GPL-2.0-only
/*
 * T:N, which deletes only if T records have left the list so far: what it does,
 * every errno of it, and that a refused command changes nothing.
 */
#include <limits.h>
#include <sched.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "staged.h"

#define NR_RECORDS 10

#define U64_MAX_STR "18446744073709551615"
#define U64_MAX_PLUS_1_STR "18446744073709551616"

FIXTURE(tn) {
	struct staged_names names;
	struct staged_log log;
	long removed, count;
};

FIXTURE_SETUP(tn)
{
	const char *why = staged_unavailable(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_delete(1));	/* so that T is not 0 */
	ASSERT_EQ(0, staged_log_take(&self->log));
	self->removed = self->log.list.removed;
	self->count = self->log.list.count;
	ASSERT_LT(0, self->removed);
}

FIXTURE_TEARDOWN(tn)
{
	staged_log_free(&self->log);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

TEST_F(tn, right_t_on_every_file_deletes_n)
{
	int i;

	for (i = 0; i < self->names.nr; i++) {
		ASSERT_EQ(0, ima_measure_files(3));
		ASSERT_EQ(0, staged_log_retake(&self->log));
		EXPECT_EQ(0, ima_delete_if(self->names.list[i], self->log.list.removed, 3)) {
			TH_LOG("file %s", self->names.list[i]);
		}
		EXPECT_DELETED_N(3);
	}
}

TEST_F(tn, right_t_returns_length)
{
	char cmd[IMA_CMD_MAX + 1];
	int len = snprintf(cmd, sizeof(cmd), "%ld:2\n", self->removed);

	EXPECT_EQ(len, ima_write(IMA_ASCII, cmd, len));
	EXPECT_DELETED_N(2);
}

TEST_F(tn, right_t_deletes_all)
{
	EXPECT_EQ(0, ima_delete_if(IMA_ASCII, self->removed, self->count));
	EXPECT_DELETED_N(self->count);
}

/* How many lines the ascii list has, as wc -l says, or -errno. */
static long count_lines(void)
{
	size_t len, i;
	long lines = 0;
	char *text = ima_read_all(IMA_ASCII, &len);

	if (!text)
		return -ENOMEM;
	for (i = 0; i < len; i++)
		lines += text[i] == '\n';
	free(text);
	return lines;
}

/* One record, three lines */
static int measure_name_with_newlines(long number)
{
	char name[64];

	snprintf(name, sizeof(name), "new\nline\n%ld", number);
	return ima_measure_file(name, name, strlen(name));
}

TEST_F(tn, n_is_records_not_lines)
{
	long count, lines;

	ASSERT_EQ(0, measure_name_with_newlines(self->removed));
	count = ima_count();
	ASSERT_EQ(self->count + 1, count);
	lines = count_lines();
	EXPECT_EQ(count + 2, lines);
	EXPECT_EQ(-ENOENT, ima_delete_if(IMA_ASCII, self->removed, lines));
	EXPECT_EQ(count, ima_count());
	EXPECT_EQ(0, ima_delete_if(IMA_ASCII, self->removed, count));
	EXPECT_EQ(0, ima_count());
	EXPECT_EQ(self->removed + count, ima_removed());
}

/* What the documentation warns of: the lines reach to records that came later. */
TEST_F(tn, n_of_lines_deletes_what_was_never_read)
{
	long count, lines;

	ASSERT_EQ(0, measure_name_with_newlines(self->removed));
	count = ima_count();
	lines = count_lines();
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_EQ(0, ima_delete_if(IMA_ASCII, self->removed, lines));
	EXPECT_EQ(self->removed + count + 2, ima_removed());
	EXPECT_EQ(1, ima_count());
}

TEST_F(tn, leading_zeros_42_bytes_works)
{
	char cmd[64];
	int len = snprintf(cmd, sizeof(cmd), "%020ld:%020d\n", self->removed, 2);

	ASSERT_EQ(IMA_CMD_MAX, len);
	EXPECT_EQ(IMA_CMD_MAX, ima_write(IMA_ASCII, cmd, len));
	EXPECT_DELETED_N(2);
}

TEST_F(tn, leading_zeros_43_bytes_EINVAL)
{
	char cmd[64];
	int len = snprintf(cmd, sizeof(cmd), "%021ld:%020d\n", self->removed, 2);

	ASSERT_EQ(IMA_CMD_MAX + 1, len);
	EXPECT_EQ(-EINVAL, ima_write(IMA_ASCII, cmd, len));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_too_small_EAGAIN)
{
	EXPECT_EQ(-EAGAIN, ima_delete_if(IMA_ASCII, self->removed - 1, 1));
	EXPECT_EQ(-EAGAIN, ima_delete_if(IMA_ASCII, 0, 1));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_too_big_EAGAIN)
{
	EXPECT_EQ(-EAGAIN, ima_delete_if(IMA_ASCII, self->removed + 1, 1));
	EXPECT_EQ(-EAGAIN, ima_delete_if(IMA_ASCII, LONG_MAX, 1));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_u64_max_EAGAIN)
{
	EXPECT_EQ(-EAGAIN, ima_command(IMA_ASCII, U64_MAX_STR ":1\n"));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_over_u64_max_ERANGE)
{
	EXPECT_EQ(-ERANGE, ima_command(IMA_ASCII, U64_MAX_PLUS_1_STR ":1\n"));
	EXPECT_EQ(-ERANGE, ima_command(IMA_ASCII, "99999999999999999999999:1\n"));
	EXPECT_DELETED_N(0);
}

/* 2^64 + T, which is T if it wraps */
TEST_F(tn, t_wraps_to_the_right_one_ERANGE)
{
	char cmd[IMA_CMD_MAX + 1];

	snprintf(cmd, sizeof(cmd), "18446744073%09llu:1\n", 709551616ULL + self->removed);
	EXPECT_EQ(-ERANGE, ima_command(IMA_ASCII, cmd));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_is_decimal_not_octal)
{
	char cmd[IMA_CMD_MAX + 1];

	snprintf(cmd, sizeof(cmd), "0%ld:1\n", self->removed);
	EXPECT_EQ(0, ima_command(IMA_ASCII, cmd));
	EXPECT_DELETED_N(1);
}

TEST_F(tn, n_zero_EINVAL)
{
	EXPECT_EQ(-EINVAL, ima_delete_if(IMA_ASCII, self->removed, 0));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, n_zero_and_stale_t_EINVAL_before_EAGAIN)
{
	EXPECT_EQ(-EINVAL, ima_delete_if(IMA_ASCII, self->removed + 1, 0));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, n_over_ulong_max_ERANGE)
{
	char cmd[IMA_CMD_MAX + 1];

	snprintf(cmd, sizeof(cmd), "%ld:" U64_MAX_PLUS_1_STR "\n", self->removed);
	EXPECT_EQ(-ERANGE, ima_command(IMA_ASCII, cmd));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, n_over_ulong_max_and_stale_t_ERANGE_before_EAGAIN)
{
	char cmd[IMA_CMD_MAX + 1];

	snprintf(cmd, sizeof(cmd), "%ld:" U64_MAX_PLUS_1_STR "\n", self->removed + 1);
	EXPECT_EQ(-ERANGE, ima_command(IMA_ASCII, cmd));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, n_count_plus_1_ENOENT)
{
	EXPECT_EQ(-ENOENT, ima_delete_if(IMA_ASCII, self->removed, self->count + 1));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, empty_list_ENOENT)
{
	ASSERT_EQ(0, ima_delete(self->count));
	EXPECT_EQ(-ENOENT, ima_delete_if(IMA_ASCII, self->removed + self->count, 1));
	EXPECT_DELETED_N(self->count);
}

TEST_F(tn, bad_input_EINVAL)
{
	const char * const format[] = {
		"-%ld:1\n", "+%ld:1\n", " %ld:1\n", "%ld :1\n", "%ld: 1\n", "%ld:1\040\n",
		"%ld:-1\n", "%ld:+1\n", "%ld:0x1\n", "0x%lx:1\n", "%ld::1\n", "%ld:1:\n",
		"%ld:1:1\n", "%ld:\n", ":%ld\n", "%ld:1", "%ld:1\n\n", "%ld:A\n", "%ld;1\n",
		"%ld,1\n", "%ld:1a\n", "%lda:1\n", "%ld\n:1\n", "%ld:\n1\n",
	};
	char cmd[IMA_CMD_MAX + 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(format); i++) {
		snprintf(cmd, sizeof(cmd), format[i], self->removed);
		EXPECT_EQ(-EINVAL, ima_write(IMA_ASCII, cmd, strlen(cmd))) {
			TH_LOG("command %s", cmd);
		}
	}
	EXPECT_DELETED_N(0);
}

TEST_F(tn, nul_inside_EINVAL)
{
	char cmd[IMA_CMD_MAX + 1];
	int len = snprintf(cmd, sizeof(cmd), "%ld:1\n", self->removed);
	int i;

	for (i = 0; i < len; i++) {
		snprintf(cmd, sizeof(cmd), "%ld:1\n", self->removed);
		cmd[i] = '\0';
		EXPECT_EQ(-EINVAL, ima_write(IMA_ASCII, cmd, len)) {
			TH_LOG("NUL at %d", i);
		}
	}
	snprintf(cmd, sizeof(cmd), "%ld:1\n", self->removed);
	EXPECT_EQ(-EINVAL, ima_write(IMA_ASCII, cmd, len + 1));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_of_before_n_EAGAIN)
{
	ASSERT_EQ(0, ima_delete(1));
	EXPECT_EQ(-EAGAIN, ima_delete_if(IMA_ASCII, self->removed, 1));
	EXPECT_DELETED_N(1);
}

TEST_F(tn, t_of_before_t_n_EAGAIN)
{
	ASSERT_EQ(0, ima_delete_if(IMA_ASCII, self->removed, 2));
	EXPECT_EQ(-EAGAIN, ima_delete_if(IMA_ASCII, self->removed, 2));
	EXPECT_EQ(0, ima_delete_if(IMA_ASCII, self->removed + 2, 2));
	EXPECT_DELETED_N(4);
}

TEST_F(tn, t_of_before_a_and_d_EAGAIN)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_delete_staged());
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(-EAGAIN, ima_delete_if(IMA_ASCII, self->removed, 1));
	EXPECT_DELETED_N(0);
	EXPECT_EQ(0, ima_delete_if(IMA_ASCII, self->removed + self->count, 1));
	EXPECT_DELETED_N(1);
}

TEST_F(tn, t_does_not_move_with_new_records)
{
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(0, ima_delete_if(IMA_ASCII, self->removed, self->count));
	EXPECT_DELETED_N(self->count);
}

/* A child gives the command, and exits with its errno. */
static pid_t start_delete_if(long removed, long n)
{
	pid_t pid = fork();
	int ret;

	if (!pid) {
		do
			ret = ima_delete_if(IMA_ASCII, removed, n);
		while (ret == -EBUSY && !sched_yield());
		_exit(-ret);
	}
	return pid;
}

TEST_F(tn, second_process_with_n_of_the_same_list_EAGAIN)
{
	EXPECT_EQ(0, ima_wait_exit(start_delete_if(self->removed, 3)));
	EXPECT_EQ(EAGAIN, ima_wait_exit(start_delete_if(self->removed, 3)));
	EXPECT_DELETED_N(3);
}

TEST_F(tn, second_process_with_all_of_the_same_list_EAGAIN_not_ENOENT)
{
	EXPECT_EQ(0, ima_wait_exit(start_delete_if(self->removed, self->count)));
	EXPECT_EQ(EAGAIN, ima_wait_exit(start_delete_if(self->removed, self->count)));
	EXPECT_DELETED_N(self->count);
}

TEST_F_TIMEOUT(tn, of_two_processes_at_once_exactly_one_succeeds, IMA_TIMEOUT)
{
	int round, a, b;
	long removed;
	pid_t pid[2];

	for (round = 0; round < 30; round++) {
		ASSERT_EQ(0, ima_measure_files(2));
		ASSERT_EQ(0, staged_log_retake(&self->log));
		removed = self->log.list.removed;
		pid[0] = start_delete_if(removed, 2);
		pid[1] = start_delete_if(removed, 2);
		a = ima_wait_exit(pid[0]);
		b = ima_wait_exit(pid[1]);
		EXPECT_TRUE((a == 0 && b == EAGAIN) || (a == EAGAIN && b == 0)) {
			TH_LOG("errnos %d and %d", a, b);
		}
		EXPECT_DELETED_N(2);
	}
}

TEST_HARNESS_MAIN
