// SPDX-License-Identifier: GPL-2.0-only
/*
 * Staging the list (A), deleting what is staged (D), and N and T:N beside
 * them: what the commands do, every errno, and that a refused one changes
 * nothing. Then the rules for opening and reading, on the staged files.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "ima_test.h"

#define NR_RECORDS 10
#define CMD_MAX 42
#define ASCII "ascii_runtime_measurements_sha1"
#define BINARY "binary_runtime_measurements_sha1"
#define ASCII_STAGED ASCII "_staged"
#define BINARY_STAGED BINARY "_staged"

#define U64_MAX_STR "18446744073709551615"
#define U64_MAX_PLUS_1_STR "18446744073709551616"

/* Every staged file and link. */
struct names {
	char list[IMA_FILES_MAX][IMA_NAME_MAX];
	char staged[IMA_FILES_MAX][IMA_NAME_MAX];
	int nr;
};

/* What the kernel holds: the list with all that belongs to it, and what is staged. */
struct log {
	struct ima_state list;
	struct ima_file staged[IMA_FILES_MAX];
};

static void staged_name(char name[IMA_NAME_MAX], const char *list)
{
	snprintf(name, IMA_NAME_MAX, "%.48s_staged", list);
}

/* Return: NULL, or why not */
static const char *names_init(struct names *names)
{
	const char *why = ima_test_unavailable();
	struct stat st;
	int i;

	if (why)
		return why;
	if (stat(IMA_DIR "/" ASCII_STAGED, &st))
		return "no " ASCII_STAGED " in " IMA_DIR;
	names->nr = ima_list_names(names->list, true);
	if (names->nr < 0)
		return "the list files cannot be enumerated";
	for (i = 0; i < names->nr; i++)
		staged_name(names->staged[i], names->list[i]);
	return NULL;
}

static void log_free(struct log *log)
{
	unsigned int i;

	for (i = 0; i < IMA_FILES_MAX; i++)
		free(log->staged[i].data);
	ima_state_free(&log->list);
	memset(log, 0, sizeof(*log));
}

/* Return: 0 or -errno */
static int log_take(struct log *log)
{
	struct ima_file *file;
	unsigned int i;
	int ret;

	memset(log, 0, sizeof(*log));
	ret = ima_state_take(&log->list);
	for (i = 0; !ret && i < log->list.nr_files; i++) {
		file = &log->staged[i];
		staged_name(file->name, log->list.file[i].name);
		file->digest_len = log->list.file[i].digest_len;
		file->data = ima_read_all(file->name, &file->len);
		if (!file->data)
			ret = -errno;
	}
	return ret;
}

enum change {
	SAME,
	STAGED,			/* A: the list is staged */
	DELETED,		/* D: what was staged is gone */
};

/* NULL if exactly this has happened since, or the name of what is different */
static const char *log_differs(const struct log *before, enum change change)
{
	static char differs[IMA_NAME_MAX];
	const struct ima_file *expected;
	const char *what = ima_state_differs(&before->list,
					     change == STAGED ? before->list.count : 0);
	unsigned int i;
	size_t len, wanted;
	char *data;

	for (i = 0; !what && i < before->list.nr_files; i++) {
		expected = change == STAGED ? &before->list.file[i] : &before->staged[i];
		wanted = change == DELETED ? 0 : expected->len;
		data = ima_read_all(before->staged[i].name, &len);
		if (!data || len != wanted || memcmp(data, expected->data, len)) {
			snprintf(differs, sizeof(differs), "%s", before->staged[i].name);
			what = differs;
		}
		free(data);
	}
	return what;
}

#define EXPECT_LOG(_change) EXPECT_STREQ("", log_differs(&self->log, _change) ?: "")
#define EXPECT_DELETED_N(_n) EXPECT_STREQ("", ima_state_differs(&self->log.list, _n) ?: "")

static int log_retake(struct log *log)
{
	log_free(log);
	return log_take(log);
}

static long minus_errno(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* Open, write(2) as it is, close; Return: what write returned, or -errno */
static ssize_t command(const char *name, const void *cmd, size_t len)
{
	int fd = ima_open(name, O_WRONLY);
	ssize_t ret;

	if (fd < 0)
		return fd;
	ret = minus_errno(write(fd, cmd, len));
	close(fd);
	return ret;
}

static int stage(void)
{
	return ima_command(ASCII_STAGED, "A\n");
}

static int delete_staged(void)
{
	return ima_command(ASCII_STAGED, "D\n");
}

static int delete_if_on(const char *name, long removed, long n)
{
	char cmd[CMD_MAX + 1];

	snprintf(cmd, sizeof(cmd), "%ld:%ld\n", removed, n);
	return ima_command(name, cmd);
}

static int delete_if(long removed, long n)
{
	return delete_if_on(ASCII, removed, n);
}

static size_t size_of(const char *name)
{
	size_t len = SIZE_MAX;

	free(ima_read_all(name, &len));
	return len;
}

/*
 * A and D: each row of the table
 */
FIXTURE(cmd) {
	struct names names;
	struct log log;
	const void *null;
};

FIXTURE_SETUP(cmd)
{
	const char *why = names_init(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, log_take(&self->log));
}

FIXTURE_TEARDOWN(cmd)
{
	log_free(&self->log);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

TEST_F(cmd, stage_on_every_file_returns_length)
{
	int i;

	for (i = 0; i < self->names.nr; i++) {
		EXPECT_EQ(2, command(self->names.staged[i], "A\n", 2)) {
			TH_LOG("file %s", self->names.staged[i]);
		}
		EXPECT_LOG(STAGED);
		ASSERT_EQ(0, delete_staged());
		ASSERT_EQ(0, ima_measure_files(2));
		ASSERT_EQ(0, log_retake(&self->log));
	}
}

TEST_F(cmd, delete_staged_on_every_file_returns_length)
{
	int i;

	for (i = 0; i < self->names.nr; i++) {
		ASSERT_EQ(0, stage());
		ASSERT_EQ(0, ima_measure_files(2));
		ASSERT_EQ(0, log_retake(&self->log));
		EXPECT_EQ(2, command(self->names.staged[i], "D\n", 2)) {
			TH_LOG("file %s", self->names.staged[i]);
		}
		EXPECT_LOG(DELETED);
	}
}

TEST_F(cmd, stage_moves_the_whole_list)
{
	ASSERT_EQ(0, stage());
	EXPECT_LOG(STAGED);
	EXPECT_EQ(0, ima_count());
}

TEST_F(cmd, stage_of_one_record)
{
	ASSERT_EQ(0, ima_delete(self->log.list.count - 1));
	ASSERT_EQ(0, log_retake(&self->log));
	ASSERT_EQ(0, stage());
	EXPECT_LOG(STAGED);
}

TEST_F(cmd, stage_staged_EEXIST)
{
	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, ima_measure_files(2));
	ASSERT_EQ(0, log_retake(&self->log));
	EXPECT_EQ(-EEXIST, stage());
	EXPECT_LOG(SAME);
}

TEST_F(cmd, stage_staged_and_empty_list_EEXIST_before_ENOENT)
{
	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, log_retake(&self->log));
	EXPECT_EQ(-EEXIST, stage());
	EXPECT_LOG(SAME);
}

TEST_F(cmd, stage_empty_ENOENT)
{
	ASSERT_EQ(0, ima_delete(self->log.list.count));
	ASSERT_EQ(0, log_retake(&self->log));
	EXPECT_EQ(-ENOENT, stage());
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_staged_nothing_ENOENT)
{
	EXPECT_EQ(-ENOENT, delete_staged());
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_staged_twice_ENOENT)
{
	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, delete_staged());
	ASSERT_EQ(0, log_retake(&self->log));
	EXPECT_EQ(-ENOENT, delete_staged());
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_staged_leaves_the_list)
{
	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, log_retake(&self->log));
	ASSERT_EQ(0, delete_staged());
	EXPECT_LOG(DELETED);
	EXPECT_EQ(3, ima_count());
}

TEST_F(cmd, delete_n_staged_EEXIST)
{
	int i;

	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, log_retake(&self->log));
	for (i = 0; i < self->names.nr; i++) {
		EXPECT_EQ(-EEXIST, ima_command(self->names.list[i], "1\n")) {
			TH_LOG("file %s", self->names.list[i]);
		}
	}
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_n_staged_EEXIST_before_ENOENT)
{
	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, log_retake(&self->log));
	EXPECT_EQ(-EEXIST, ima_delete(1));
	EXPECT_EQ(-EEXIST, ima_delete(ULONG_MAX));
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_n_staged_EINVAL_before_EEXIST)
{
	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, log_retake(&self->log));
	EXPECT_EQ(-EINVAL, ima_delete(0));
	EXPECT_EQ(-EINVAL, ima_command(ASCII, "x\n"));
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_n_staged_ERANGE_before_EEXIST)
{
	ASSERT_EQ(0, stage());
	EXPECT_EQ(-ERANGE, ima_command(ASCII, U64_MAX_PLUS_1_STR "\n"));
}

TEST_F(cmd, delete_t_n_staged_EEXIST)
{
	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, log_retake(&self->log));
	EXPECT_EQ(-EEXIST, delete_if(ima_removed(), 1));
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_n_after_d_works)
{
	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, delete_staged());
	ASSERT_EQ(0, log_retake(&self->log));
	EXPECT_EQ(0, ima_delete(2));
	EXPECT_DELETED_N(2);
}

TEST_F(cmd, stage_after_n_stages_the_rest)
{
	ASSERT_EQ(0, ima_delete(4));
	ASSERT_EQ(0, log_retake(&self->log));
	ASSERT_EQ(0, stage());
	EXPECT_LOG(STAGED);
}

TEST_F(cmd, stage_and_delete_staged_many_rounds)
{
	int round;

	for (round = 0; round < 20; round++) {
		ASSERT_EQ(0, stage());
		EXPECT_LOG(STAGED);
		ASSERT_EQ(0, delete_staged());
		EXPECT_EQ((size_t)0, size_of(ASCII_STAGED));
		ASSERT_EQ(0, ima_measure_files(1 + round));
		ASSERT_EQ(0, log_retake(&self->log));
	}
}

TEST_F(cmd, stage_with_violations_and_delete_staged)
{
	ASSERT_EQ(0, ima_measure_violation());
	ASSERT_EQ(0, ima_measure_files(1));
	ASSERT_EQ(0, ima_measure_violation());
	ASSERT_EQ(0, log_retake(&self->log));
	ASSERT_EQ(0, stage());
	EXPECT_LOG(STAGED);
	ASSERT_EQ(0, log_retake(&self->log));
	ASSERT_EQ(0, delete_staged());
	EXPECT_LOG(DELETED);
}

/* Staged, then the list, in each file: the log that it was, and what came later. */
TEST_F(cmd, staged_and_list_are_the_log_without_a_hole)
{
	struct ima_file *list, *staged, *later;
	struct log after;
	unsigned int i;

	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, log_take(&after));
	ASSERT_EQ(self->log.list.nr_files, after.list.nr_files);
	for (i = 0; i < after.list.nr_files; i++) {
		list = &self->log.list.file[i];
		staged = &after.staged[i];
		later = &after.list.file[i];
		ASSERT_EQ(list->len, staged->len);
		EXPECT_EQ(0, memcmp(list->data, staged->data, list->len)) {
			TH_LOG("file %s", staged->name);
		}
		EXPECT_EQ(later->len, ima_skip_records(later, 5)) {
			TH_LOG("file %s", later->name);
		}
	}
	log_free(&after);
}

TEST_F(cmd, link_shows_the_staged_list)
{
	const char * const name[] = { "ascii_runtime_measurements", "binary_runtime_measurements" };
	const struct ima_file *file;
	char other[IMA_NAME_MAX];
	unsigned int i;
	size_t len;
	char *data;

	ASSERT_EQ(0, stage());
	for (i = 0; i < ARRAY_SIZE(name); i++) {
		snprintf(other, sizeof(other), "%s_sha1", name[i]);
		file = ima_state_file(&self->log.list, other);
		ASSERT_NE(NULL, file);
		staged_name(other, name[i]);
		data = ima_read_all(other, &len);
		ASSERT_NE(NULL, data);
		EXPECT_EQ(file->len, len);
		EXPECT_EQ(0, memcmp(file->data, data, len));
		free(data);
	}
}

TEST_F(cmd, count_excludes_staged)
{
	ASSERT_EQ(0, stage());
	EXPECT_EQ(0, ima_count());
	ASSERT_EQ(0, ima_measure_files(4));
	EXPECT_EQ(4, ima_count());
	ASSERT_EQ(0, delete_staged());
	EXPECT_EQ(4, ima_count());
}

TEST_F(cmd, removed_grows_with_a_by_the_number_staged)
{
	long removed = ima_removed();

	ASSERT_EQ(0, stage());
	EXPECT_EQ(removed + self->log.list.count, ima_removed());
}

TEST_F(cmd, removed_does_not_grow_with_d)
{
	long removed;

	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, ima_measure_files(2));
	removed = ima_removed();
	ASSERT_EQ(0, delete_staged());
	EXPECT_EQ(removed, ima_removed());
}

TEST_F(cmd, removed_grows_with_n_by_n)
{
	long removed = ima_removed();

	ASSERT_EQ(0, ima_delete(3));
	EXPECT_EQ(removed + 3, ima_removed());
	ASSERT_EQ(0, ima_delete(4));
	EXPECT_EQ(removed + 7, ima_removed());
}

TEST_F(cmd, removed_and_count_are_all_that_was_measured)
{
	long sum = ima_removed() + ima_count();

	ASSERT_EQ(0, ima_delete(3));
	EXPECT_EQ(sum, ima_removed() + ima_count());
	ASSERT_EQ(0, stage());
	EXPECT_EQ(sum, ima_removed() + ima_count());
	ASSERT_EQ(0, ima_measure_files(5));
	EXPECT_EQ(sum + 5, ima_removed() + ima_count());
	ASSERT_EQ(0, delete_staged());
	EXPECT_EQ(sum + 5, ima_removed() + ima_count());
}

static int mode_of(const char *name)
{
	char path[sizeof(IMA_DIR) + IMA_NAME_MAX];
	struct stat st;

	snprintf(path, sizeof(path), IMA_DIR "/%s", name);
	return stat(path, &st) ? -errno : (int)st.st_mode & 07777;
}

TEST_F(cmd, mode_of_staged_files_is_0660)
{
	int i;

	ASSERT_LE(4, self->names.nr);
	for (i = 0; i < self->names.nr; i++) {
		EXPECT_EQ(0660, mode_of(self->names.staged[i])) {
			TH_LOG("file %s", self->names.staged[i]);
		}
	}
}

TEST_F(cmd, mode_of_removed_is_0440)
{
	EXPECT_EQ(0440, mode_of("runtime_measurements_removed"));
}

TEST_F(cmd, link_leads_to_sha1_staged)
{
	const char * const kind[] = { "ascii", "binary" };
	char path[sizeof(IMA_DIR) + IMA_NAME_MAX], expected[IMA_NAME_MAX], to[IMA_NAME_MAX];
	unsigned int i;
	ssize_t len;

	for (i = 0; i < ARRAY_SIZE(kind); i++) {
		snprintf(path, sizeof(path), IMA_DIR "/%s_runtime_measurements_staged", kind[i]);
		snprintf(expected, sizeof(expected), "%s_runtime_measurements_sha1_staged",
			 kind[i]);
		len = readlink(path, to, sizeof(to) - 1);
		ASSERT_LE(0, len);
		to[len] = '\0';
		EXPECT_STREQ(expected, to);
	}
}

TEST_F(cmd, stage_ignores_the_offset)
{
	int fd = ima_open(BINARY_STAGED, O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(2, pwrite(fd, "A\n", 2, 4096));
	EXPECT_LOG(STAGED);
	EXPECT_EQ(2, pwrite(fd, "D\n", 2, 1));
	EXPECT_EQ((size_t)0, size_of(BINARY_STAGED));
	close(fd);
}

TEST_F(cmd, stage_by_shell_redirection)
{
	int fd = ima_open("ascii_runtime_measurements_staged", O_WRONLY | O_CREAT | O_TRUNC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(2, write(fd, "A\n", 2));
	EXPECT_LOG(STAGED);
	close(fd);
}

/* In a child without CAP_SYS_ADMIN; Return: the errno of each open, if all agree, or -1 */
static int open_all_without_cap(const struct names *names, int flags)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	int i, fd, err = 0, status;
	pid_t pid = fork();

	if (!pid) {
		if (syscall(SYS_capget, &header, data))
			_exit(255);
		data[0].effective &= ~(1U << CAP_SYS_ADMIN);
		if (syscall(SYS_capset, &header, data))
			_exit(255);
		for (i = 0; i < names->nr; i++) {
			fd = ima_open(names->staged[i], flags);
			if (i && err != (fd < 0 ? -fd : 0))
				_exit(254);
			err = fd < 0 ? -fd : 0;
			if (fd >= 0)
				close(fd);
		}
		_exit(err);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(cmd, open_staged_for_write_without_cap_sys_admin_EPERM)
{
	EXPECT_EQ(EPERM, open_all_without_cap(&self->names, O_WRONLY));
	EXPECT_EQ(EPERM, open_all_without_cap(&self->names, O_RDWR));
}

TEST_F(cmd, open_staged_for_read_without_cap_sys_admin_works)
{
	EXPECT_EQ(0, open_all_without_cap(&self->names, O_RDONLY));
}

TEST_F(cmd, null_buffer_of_2_to_42_EFAULT)
{
	size_t len;

	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, log_retake(&self->log));
	for (len = 2; len <= CMD_MAX; len++) {
		EXPECT_EQ(-EFAULT, command(ASCII_STAGED, self->null, len)) {
			TH_LOG("length %zu", len);
		}
	}
	EXPECT_EQ(-EINVAL, command(ASCII_STAGED, self->null, 1));
	EXPECT_EQ(-EINVAL, command(ASCII_STAGED, self->null, CMD_MAX + 1));
	EXPECT_LOG(SAME);
}

/*
 * Bad input on every staged file, with nothing staged and with something.
 */
FIXTURE(refused) {
	struct names names;
	struct log log;
};

FIXTURE_VARIANT(refused) {
	const char *cmd;
	size_t len;
};

FIXTURE_SETUP(refused)
{
	const char *why = names_init(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(2));
	ASSERT_EQ(0, log_take(&self->log));
}

FIXTURE_TEARDOWN(refused)
{
	log_free(&self->log);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

#define ROW(_bytes) {			\
	.cmd = _bytes,			\
	.len = sizeof(_bytes) - 1,	\
}

#define BLANKS_40 "                                        "

/* length */
FIXTURE_VARIANT_ADD(refused, length_0_EINVAL) ROW("");
FIXTURE_VARIANT_ADD(refused, length_1_newline_EINVAL) ROW("\n");
FIXTURE_VARIANT_ADD(refused, length_1_a_EINVAL) ROW("A");
FIXTURE_VARIANT_ADD(refused, length_1_d_EINVAL) ROW("D");
FIXTURE_VARIANT_ADD(refused, length_42_EINVAL) ROW(BLANKS_40 "A\n");
FIXTURE_VARIANT_ADD(refused, length_43_EINVAL) ROW(BLANKS_40 " D\n");
FIXTURE_VARIANT_ADD(refused, length_82_EINVAL) ROW(BLANKS_40 BLANKS_40 "A\n");
/* no newline, or not at the end */
FIXTURE_VARIANT_ADD(refused, no_newline_a_EINVAL) ROW("AA");
FIXTURE_VARIANT_ADD(refused, no_newline_d_EINVAL) ROW("DD");
FIXTURE_VARIANT_ADD(refused, text_behind_newline_EINVAL) ROW("A\nA");
FIXTURE_VARIANT_ADD(refused, two_lines_EINVAL) ROW("A\nD\n");
FIXTURE_VARIANT_ADD(refused, two_newlines_a_EINVAL) ROW("A\n\n");
FIXTURE_VARIANT_ADD(refused, two_newlines_d_EINVAL) ROW("D\n\n");
FIXTURE_VARIANT_ADD(refused, newlines_only_EINVAL) ROW("\n\n");
FIXTURE_VARIANT_ADD(refused, newline_before_EINVAL) ROW("\nA");
FIXTURE_VARIANT_ADD(refused, carriage_return_a_EINVAL) ROW("A\r\n");
FIXTURE_VARIANT_ADD(refused, carriage_return_d_EINVAL) ROW("D\r\n");
/* a NUL inside */
FIXTURE_VARIANT_ADD(refused, nul_for_newline_a_EINVAL) ROW("A\0");
FIXTURE_VARIANT_ADD(refused, nul_for_newline_d_EINVAL) ROW("D\0");
FIXTURE_VARIANT_ADD(refused, nul_before_EINVAL) ROW("\0A\n");
FIXTURE_VARIANT_ADD(refused, nul_before_newline_a_EINVAL) ROW("A\0\n");
FIXTURE_VARIANT_ADD(refused, nul_before_newline_d_EINVAL) ROW("D\0\n");
FIXTURE_VARIANT_ADD(refused, nul_behind_newline_a_EINVAL) ROW("A\n\0");
FIXTURE_VARIANT_ADD(refused, nul_behind_newline_d_EINVAL) ROW("D\n\0");
FIXTURE_VARIANT_ADD(refused, newline_nul_newline_a_EINVAL) ROW("A\n\0\n");
FIXTURE_VARIANT_ADD(refused, newline_nul_newline_d_EINVAL) ROW("D\n\0\n");
FIXTURE_VARIANT_ADD(refused, nul_and_text_EINVAL) ROW("A\0B\n");
FIXTURE_VARIANT_ADD(refused, nul_and_newline_EINVAL) ROW("\0\n");
/* blank, sign, hex */
FIXTURE_VARIANT_ADD(refused, blank_only_EINVAL) ROW("\040\n");
FIXTURE_VARIANT_ADD(refused, blank_before_EINVAL) ROW(" A\n");
FIXTURE_VARIANT_ADD(refused, blank_behind_a_EINVAL) ROW("A\040\n");
FIXTURE_VARIANT_ADD(refused, blank_behind_d_EINVAL) ROW("D\040\n");
FIXTURE_VARIANT_ADD(refused, tab_before_EINVAL) ROW("\tD\n");
FIXTURE_VARIANT_ADD(refused, tab_behind_EINVAL) ROW("D\t\n");
FIXTURE_VARIANT_ADD(refused, minus_EINVAL) ROW("-A\n");
FIXTURE_VARIANT_ADD(refused, plus_EINVAL) ROW("+D\n");
FIXTURE_VARIANT_ADD(refused, hex_EINVAL) ROW("0x41\n");
/* not a command of this file */
FIXTURE_VARIANT_ADD(refused, lower_a_EINVAL) ROW("a\n");
FIXTURE_VARIANT_ADD(refused, lower_d_EINVAL) ROW("d\n");
FIXTURE_VARIANT_ADD(refused, twice_a_EINVAL) ROW("AA\n");
FIXTURE_VARIANT_ADD(refused, twice_d_EINVAL) ROW("DD\n");
FIXTURE_VARIANT_ADD(refused, both_EINVAL) ROW("AD\n");
FIXTURE_VARIANT_ADD(refused, word_EINVAL) ROW("DELETE\n");
FIXTURE_VARIANT_ADD(refused, other_letter_EINVAL) ROW("B\n");
FIXTURE_VARIANT_ADD(refused, high_bit_EINVAL) ROW("\xc1\n");
FIXTURE_VARIANT_ADD(refused, n_EINVAL) ROW("1\n");
FIXTURE_VARIANT_ADD(refused, n_zero_EINVAL) ROW("0\n");
FIXTURE_VARIANT_ADD(refused, n_too_big_EINVAL) ROW(U64_MAX_PLUS_1_STR "\n");
FIXTURE_VARIANT_ADD(refused, t_n_EINVAL) ROW("1:1\n");
FIXTURE_VARIANT_ADD(refused, t_and_a_EINVAL) ROW("0:A\n");
FIXTURE_VARIANT_ADD(refused, a_and_number_EINVAL) ROW("A:1\n");
FIXTURE_VARIANT_ADD(refused, d_number_EINVAL) ROW("D1\n");

TEST_F(refused, nothing_staged)
{
	int i;

	for (i = 0; i < self->names.nr; i++) {
		EXPECT_EQ(-EINVAL, command(self->names.staged[i], variant->cmd, variant->len)) {
			TH_LOG("file %s", self->names.staged[i]);
		}
	}
	EXPECT_LOG(SAME);
}

TEST_F(refused, staged)
{
	int i;

	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, ima_measure_files(1));
	ASSERT_EQ(0, log_retake(&self->log));
	for (i = 0; i < self->names.nr; i++) {
		EXPECT_EQ(-EINVAL, command(self->names.staged[i], variant->cmd, variant->len)) {
			TH_LOG("file %s", self->names.staged[i]);
		}
	}
	EXPECT_LOG(SAME);
}

/*
 * T:N
 */
FIXTURE(tn) {
	struct names names;
	struct log log;
	long removed, count;
};

FIXTURE_SETUP(tn)
{
	const char *why = names_init(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_delete(1));	/* so that T is not 0 */
	ASSERT_EQ(0, log_take(&self->log));
	self->removed = self->log.list.removed;
	self->count = self->log.list.count;
	ASSERT_LT(0, self->removed);
}

FIXTURE_TEARDOWN(tn)
{
	log_free(&self->log);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

TEST_F(tn, right_t_on_every_file_deletes_n)
{
	int i;

	for (i = 0; i < self->names.nr; i++) {
		ASSERT_EQ(0, ima_measure_files(3));
		ASSERT_EQ(0, log_retake(&self->log));
		EXPECT_EQ(0, delete_if_on(self->names.list[i], self->log.list.removed, 3)) {
			TH_LOG("file %s", self->names.list[i]);
		}
		EXPECT_DELETED_N(3);
	}
}

TEST_F(tn, right_t_returns_length)
{
	char cmd[CMD_MAX + 1];
	int len = snprintf(cmd, sizeof(cmd), "%ld:2\n", self->removed);

	EXPECT_EQ(len, command(ASCII, cmd, len));
	EXPECT_DELETED_N(2);
}

TEST_F(tn, right_t_deletes_all)
{
	EXPECT_EQ(0, delete_if(self->removed, self->count));
	EXPECT_DELETED_N(self->count);
}

TEST_F(tn, leading_zeros_42_bytes_works)
{
	char cmd[64];
	int len = snprintf(cmd, sizeof(cmd), "%020ld:%020d\n", self->removed, 2);

	ASSERT_EQ(CMD_MAX, len);
	EXPECT_EQ(CMD_MAX, command(ASCII, cmd, len));
	EXPECT_DELETED_N(2);
}

TEST_F(tn, leading_zeros_43_bytes_EINVAL)
{
	char cmd[64];
	int len = snprintf(cmd, sizeof(cmd), "%021ld:%020d\n", self->removed, 2);

	ASSERT_EQ(CMD_MAX + 1, len);
	EXPECT_EQ(-EINVAL, command(ASCII, cmd, len));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_too_small_EAGAIN)
{
	EXPECT_EQ(-EAGAIN, delete_if(self->removed - 1, 1));
	EXPECT_EQ(-EAGAIN, delete_if(0, 1));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_too_big_EAGAIN)
{
	EXPECT_EQ(-EAGAIN, delete_if(self->removed + 1, 1));
	EXPECT_EQ(-EAGAIN, delete_if(LONG_MAX, 1));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_u64_max_EAGAIN)
{
	EXPECT_EQ(-EAGAIN, ima_command(ASCII, U64_MAX_STR ":1\n"));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_over_u64_max_ERANGE)
{
	EXPECT_EQ(-ERANGE, ima_command(ASCII, U64_MAX_PLUS_1_STR ":1\n"));
	EXPECT_EQ(-ERANGE, ima_command(ASCII, "99999999999999999999999:1\n"));
	EXPECT_DELETED_N(0);
}

/* 2^64 + T, which is T if it wraps */
TEST_F(tn, t_wraps_to_the_right_one_ERANGE)
{
	char cmd[CMD_MAX + 1];

	snprintf(cmd, sizeof(cmd), "18446744073%09llu:1\n", 709551616ULL + self->removed);
	EXPECT_EQ(-ERANGE, ima_command(ASCII, cmd));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_is_decimal_not_octal)
{
	char cmd[CMD_MAX + 1];

	snprintf(cmd, sizeof(cmd), "0%ld:1\n", self->removed);
	EXPECT_EQ(0, ima_command(ASCII, cmd));
	EXPECT_DELETED_N(1);
}

TEST_F(tn, n_zero_EINVAL)
{
	EXPECT_EQ(-EINVAL, delete_if(self->removed, 0));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, n_zero_and_stale_t_EINVAL_before_EAGAIN)
{
	EXPECT_EQ(-EINVAL, delete_if(self->removed + 1, 0));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, n_over_ulong_max_ERANGE)
{
	char cmd[CMD_MAX + 1];

	snprintf(cmd, sizeof(cmd), "%ld:" U64_MAX_PLUS_1_STR "\n", self->removed);
	EXPECT_EQ(-ERANGE, ima_command(ASCII, cmd));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, n_over_ulong_max_and_stale_t_ERANGE_before_EAGAIN)
{
	char cmd[CMD_MAX + 1];

	snprintf(cmd, sizeof(cmd), "%ld:" U64_MAX_PLUS_1_STR "\n", self->removed + 1);
	EXPECT_EQ(-ERANGE, ima_command(ASCII, cmd));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, n_count_plus_1_ENOENT)
{
	EXPECT_EQ(-ENOENT, delete_if(self->removed, self->count + 1));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, empty_list_ENOENT)
{
	ASSERT_EQ(0, ima_delete(self->count));
	EXPECT_EQ(-ENOENT, delete_if(self->removed + self->count, 1));
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
	char cmd[CMD_MAX + 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(format); i++) {
		snprintf(cmd, sizeof(cmd), format[i], self->removed);
		EXPECT_EQ(-EINVAL, command(ASCII, cmd, strlen(cmd))) {
			TH_LOG("command %s", cmd);
		}
	}
	EXPECT_DELETED_N(0);
}

TEST_F(tn, nul_inside_EINVAL)
{
	char cmd[CMD_MAX + 1];
	int len = snprintf(cmd, sizeof(cmd), "%ld:1\n", self->removed);
	int i;

	for (i = 0; i < len; i++) {
		snprintf(cmd, sizeof(cmd), "%ld:1\n", self->removed);
		cmd[i] = '\0';
		EXPECT_EQ(-EINVAL, command(ASCII, cmd, len)) {
			TH_LOG("NUL at %d", i);
		}
	}
	snprintf(cmd, sizeof(cmd), "%ld:1\n", self->removed);
	EXPECT_EQ(-EINVAL, command(ASCII, cmd, len + 1));
	EXPECT_DELETED_N(0);
}

TEST_F(tn, t_of_before_n_EAGAIN)
{
	ASSERT_EQ(0, ima_delete(1));
	EXPECT_EQ(-EAGAIN, delete_if(self->removed, 1));
	EXPECT_DELETED_N(1);
}

TEST_F(tn, t_of_before_t_n_EAGAIN)
{
	ASSERT_EQ(0, delete_if(self->removed, 2));
	EXPECT_EQ(-EAGAIN, delete_if(self->removed, 2));
	EXPECT_EQ(0, delete_if(self->removed + 2, 2));
	EXPECT_DELETED_N(4);
}

TEST_F(tn, t_of_before_a_and_d_EAGAIN)
{
	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, delete_staged());
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, log_retake(&self->log));
	EXPECT_EQ(-EAGAIN, delete_if(self->removed, 1));
	EXPECT_DELETED_N(0);
	EXPECT_EQ(0, delete_if(self->removed + self->count, 1));
	EXPECT_DELETED_N(1);
}

TEST_F(tn, t_does_not_move_with_new_records)
{
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, log_retake(&self->log));
	EXPECT_EQ(0, delete_if(self->removed, self->count));
	EXPECT_DELETED_N(self->count);
}

/* A child gives the command; Return: its errno, 0, or -1 */
static pid_t start_delete_if(long removed, long n)
{
	pid_t pid = fork();
	int ret;

	if (!pid) {
		do
			ret = delete_if(removed, n);
		while (ret == -EBUSY && !sched_yield());
		_exit(-ret);
	}
	return pid;
}

static int end_delete_if(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(tn, second_process_with_n_of_the_same_list_EAGAIN)
{
	EXPECT_EQ(0, end_delete_if(start_delete_if(self->removed, 3)));
	EXPECT_EQ(EAGAIN, end_delete_if(start_delete_if(self->removed, 3)));
	EXPECT_DELETED_N(3);
}

TEST_F(tn, second_process_with_all_of_the_same_list_EAGAIN_not_ENOENT)
{
	EXPECT_EQ(0, end_delete_if(start_delete_if(self->removed, self->count)));
	EXPECT_EQ(EAGAIN, end_delete_if(start_delete_if(self->removed, self->count)));
	EXPECT_DELETED_N(self->count);
}

TEST_F_TIMEOUT(tn, of_two_processes_at_once_exactly_one_succeeds, 60)
{
	int round, a, b;
	long removed;
	pid_t pid[2];

	for (round = 0; round < 30; round++) {
		ASSERT_EQ(0, ima_measure_files(2));
		ASSERT_EQ(0, log_retake(&self->log));
		removed = self->log.list.removed;
		pid[0] = start_delete_if(removed, 2);
		pid[1] = start_delete_if(removed, 2);
		a = end_delete_if(pid[0]);
		b = end_delete_if(pid[1]);
		EXPECT_TRUE((a == 0 && b == EAGAIN) || (a == EAGAIN && b == 0)) {
			TH_LOG("errnos %d and %d", a, b);
		}
		EXPECT_DELETED_N(2);
	}
}

/*
 * A peer is another process with one open file, that does one thing at a time.
 */
#define PEER_DATA_MAX (1024 * 1024)

struct request {
	enum { OPEN, CLOSE, READ, REWIND, WRITE } op;
	long arg;		/* flags, or length */
	char text[IMA_NAME_MAX];
};

struct peer {
	pid_t pid;
	int sock;
	char *data;		/* shared: what was read */
};

/* Until @len bytes or the end; Return: bytes, or -errno if there are none */
static long read_full(int fd, char *data, size_t len)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < len && n > 0) {
		n = read(fd, data + done, len - done);
		if (n > 0)
			done += n;
	}
	return n < 0 && !done ? -errno : (long)done;
}

static void peer_main(struct peer *peer)
{
	struct request request;
	int fd = -1;
	long ret = 0;

	while (recv(peer->sock, &request, sizeof(request), 0) == sizeof(request)) {
		switch (request.op) {
		case OPEN:
			fd = ima_open(request.text, request.arg);
			ret = fd < 0 ? fd : 0;
			break;
		case CLOSE:
			ret = minus_errno(close(fd));
			break;
		case READ:
			ret = read_full(fd, peer->data, request.arg);
			break;
		case REWIND:
			ret = minus_errno(lseek(fd, 0, SEEK_SET));
			break;
		case WRITE:
			ret = minus_errno(write(fd, request.text, strlen(request.text)));
			break;
		}
		send(peer->sock, &ret, sizeof(ret), MSG_NOSIGNAL);
	}
	_exit(0);
}

/* Return: 0 or -1; it ends with the test, whatever happens. */
static int peer_start(struct peer *peer)
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

static void peer_kill(struct peer *peer)
{
	if (peer->pid <= 0)
		return;
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
	close(peer->sock);
	peer->pid = 0;
}

static long peer_call(struct peer *peer, int op, long arg, const char *text)
{
	struct request request = { .op = op, .arg = arg };
	long ret;

	snprintf(request.text, sizeof(request.text), "%s", text);
	if (send(peer->sock, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request) ||
	    recv(peer->sock, &ret, sizeof(ret), 0) != sizeof(ret))
		return -EPIPE;
	return ret;
}

/* Open for write, close; Return: 0 or -errno */
static int try_write(const char *name)
{
	int fd = ima_open(name, O_WRONLY);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/*
 * W1
 */
FIXTURE(writer) {
	struct names names;
	struct peer peer;
};

FIXTURE_SETUP(writer)
{
	const char *why = names_init(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, peer_start(&self->peer));
}

FIXTURE_TEARDOWN(writer)
{
	peer_kill(&self->peer);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* Return: how many of all files can be opened for write, or fail not with EBUSY */
static int opens_that_work(const struct names *names)
{
	int i, nr = 0;

	for (i = 0; i < names->nr; i++) {
		nr += try_write(names->list[i]) != -EBUSY;
		nr += try_write(names->staged[i]) != -EBUSY;
	}
	return nr;
}

TEST_F(writer, w1_staged_file_open_every_file_of_second_process_EBUSY)
{
	int i;

	for (i = 0; i < self->names.nr; i++) {
		ASSERT_EQ(0, peer_call(&self->peer, OPEN, O_WRONLY, self->names.staged[i]));
		EXPECT_EQ(0, opens_that_work(&self->names)) {
			TH_LOG("beside %s", self->names.staged[i]);
		}
		ASSERT_EQ(0, peer_call(&self->peer, CLOSE, 0, ""));
		EXPECT_EQ(2 * self->names.nr, opens_that_work(&self->names));
	}
}

TEST_F(writer, w1_list_file_open_every_file_of_second_process_EBUSY)
{
	int i;

	for (i = 0; i < self->names.nr; i++) {
		ASSERT_EQ(0, peer_call(&self->peer, OPEN, O_RDWR, self->names.list[i]));
		EXPECT_EQ(0, opens_that_work(&self->names)) {
			TH_LOG("beside %s", self->names.list[i]);
		}
		ASSERT_EQ(0, peer_call(&self->peer, CLOSE, 0, ""));
	}
}

TEST_F(writer, w1_list_and_staged_files_of_one_process_work)
{
	int fd[2 * IMA_FILES_MAX], i, nr = 0;

	for (i = 0; i < 2 * self->names.nr; i++) {
		fd[nr] = ima_open(i & 1 ? self->names.staged[i / 2] : self->names.list[i / 2],
				  O_RDWR);
		ASSERT_LE(0, fd[nr]);
		nr++;
	}
	EXPECT_EQ(-EBUSY, peer_call(&self->peer, OPEN, O_WRONLY, ASCII_STAGED));
	while (nr--)
		close(fd[nr]);
	EXPECT_EQ(0, peer_call(&self->peer, OPEN, O_WRONLY, ASCII_STAGED));
}

TEST_F(writer, w1_sigkill_with_a_staged_file_works)
{
	ASSERT_EQ(0, peer_call(&self->peer, OPEN, O_RDWR, ASCII_STAGED));
	ASSERT_EQ(-EBUSY, try_write(ASCII));
	peer_kill(&self->peer);
	EXPECT_EQ(0, try_write(ASCII));
}

TEST_F(writer, r1_staged_files_are_read_beside_a_writer)
{
	int i;

	ASSERT_EQ(0, peer_call(&self->peer, OPEN, O_RDWR, ASCII_STAGED));
	for (i = 0; i < self->names.nr; i++) {
		EXPECT_NE(SIZE_MAX, size_of(self->names.staged[i])) {
			TH_LOG("file %s", self->names.staged[i]);
		}
	}
}

/*
 * R1, R2: a reader in another process, of the list and of what is staged
 */
FIXTURE(reader) {
	struct names names;
	struct log log;
	const struct ima_file *file;
	struct peer peer;
	char staged[IMA_NAME_MAX];
};

FIXTURE_VARIANT(reader) {
	const char *name;
};

FIXTURE_VARIANT_ADD(reader, ascii) { .name = ASCII };
FIXTURE_VARIANT_ADD(reader, binary) { .name = BINARY };

FIXTURE_SETUP(reader)
{
	const char *why = names_init(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, log_take(&self->log));
	self->file = ima_state_file(&self->log.list, variant->name);
	ASSERT_NE(NULL, self->file);
	staged_name(self->staged, variant->name);
	ASSERT_EQ(0, peer_start(&self->peer));
}

FIXTURE_TEARDOWN(reader)
{
	peer_kill(&self->peer);
	log_free(&self->log);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

#define PEER_OPENS_LIST() ASSERT_EQ(0, peer_call(&self->peer, OPEN, O_RDONLY, variant->name))
#define PEER_OPENS_STAGED() ASSERT_EQ(0, peer_call(&self->peer, OPEN, O_RDONLY, self->staged))

static long peer_read(struct peer *peer, long len)
{
	return peer_call(peer, READ, len, "");
}

/* Does it read the whole of a file, as it is now? */
static bool peer_reads_all_of(struct peer *peer, const char *name)
{
	size_t len;
	char *data = ima_read_all(name, &len);
	bool same = data && peer_read(peer, PEER_DATA_MAX) == (long)len &&
		    !memcmp(data, peer->data, len);

	free(data);
	return same;
}

static long start_of(const struct ima_file *file, long n)
{
	return ima_skip_records(file, n);
}

TEST_F(reader, r2_stage_list_reader_in_middle_EBUSY)
{
	long len = start_of(self->file, 4);

	PEER_OPENS_LIST();
	ASSERT_EQ(len, peer_read(&self->peer, len));
	EXPECT_EQ(-EBUSY, stage());
	EXPECT_LOG(SAME);
}

TEST_F(reader, r2_stage_list_reader_within_last_record_EBUSY)
{
	PEER_OPENS_LIST();
	ASSERT_EQ((long)self->file->len - 1, peer_read(&self->peer, self->file->len - 1));
	EXPECT_EQ(-EBUSY, stage());
	EXPECT_LOG(SAME);
}

TEST_F(reader, r2_stage_list_reader_in_middle_after_end_of_reading_works)
{
	PEER_OPENS_LIST();
	ASSERT_EQ(5, peer_read(&self->peer, 5));
	ASSERT_EQ(-EBUSY, stage());
	ASSERT_EQ((long)self->file->len - 5, peer_read(&self->peer, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(self->file->data + 5, self->peer.data, self->file->len - 5));
	EXPECT_EQ(0, stage());
}

TEST_F(reader, r2_t_n_list_reader_in_middle_EBUSY_then_works)
{
	PEER_OPENS_LIST();
	ASSERT_EQ(5, peer_read(&self->peer, 5));
	EXPECT_EQ(-EBUSY, delete_if(self->log.list.removed, 3));
	EXPECT_LOG(SAME);
	ASSERT_EQ(0, peer_call(&self->peer, REWIND, 0, ""));
	EXPECT_EQ(0, delete_if(self->log.list.removed, 3));
	EXPECT_DELETED_N(3);
}

TEST_F(reader, r1_stage_list_reader_not_begun_works)
{
	PEER_OPENS_LIST();
	EXPECT_EQ(0, stage());
	EXPECT_LOG(STAGED);
	EXPECT_EQ(0, peer_read(&self->peer, 100));
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_TRUE(peer_reads_all_of(&self->peer, variant->name));
}

TEST_F(reader, r1_stage_list_reader_at_end_works)
{
	PEER_OPENS_LIST();
	ASSERT_EQ((long)self->file->len, peer_read(&self->peer, PEER_DATA_MAX));
	EXPECT_EQ(0, stage());
	EXPECT_LOG(STAGED);
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_TRUE(peer_reads_all_of(&self->peer, variant->name));
}

TEST_F(reader, r2_stage_list_reader_rewound_works)
{
	PEER_OPENS_LIST();
	ASSERT_EQ(5, peer_read(&self->peer, 5));
	ASSERT_EQ(0, peer_call(&self->peer, REWIND, 0, ""));
	EXPECT_EQ(0, stage());
}

TEST_F(reader, r2_stage_EEXIST_before_EBUSY)
{
	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, ima_measure_files(3));
	PEER_OPENS_LIST();
	ASSERT_EQ(5, peer_read(&self->peer, 5));
	EXPECT_EQ(-EEXIST, stage());
}

TEST_F(reader, r2_stage_staged_reader_at_former_batch_works)
{
	ASSERT_EQ(0, stage());
	PEER_OPENS_STAGED();
	ASSERT_EQ((long)self->file->len, peer_read(&self->peer, PEER_DATA_MAX));
	ASSERT_EQ(0, delete_staged());
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_EQ(0, stage());
	EXPECT_TRUE(peer_reads_all_of(&self->peer, self->staged));
}

TEST_F(reader, r2_delete_staged_staged_reader_in_middle_EBUSY)
{
	long len = start_of(self->file, 4) + 7;

	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, log_retake(&self->log));
	PEER_OPENS_STAGED();
	ASSERT_EQ(len, peer_read(&self->peer, len));
	EXPECT_EQ(-EBUSY, delete_staged());
	EXPECT_LOG(SAME);
}

TEST_F(reader, r2_delete_staged_one_byte_read_EBUSY)
{
	ASSERT_EQ(0, stage());
	PEER_OPENS_STAGED();
	ASSERT_EQ(1, peer_read(&self->peer, 1));
	EXPECT_EQ(-EBUSY, delete_staged());
}

TEST_F(reader, r2_delete_staged_reader_reads_on_then_works)
{
	ASSERT_EQ(0, stage());
	PEER_OPENS_STAGED();
	ASSERT_EQ(5, peer_read(&self->peer, 5));
	ASSERT_EQ(-EBUSY, delete_staged());
	ASSERT_EQ((long)self->file->len - 5, peer_read(&self->peer, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(self->file->data + 5, self->peer.data, self->file->len - 5));
	EXPECT_EQ(0, delete_staged());
}

TEST_F(reader, r2_delete_staged_reader_killed_works)
{
	ASSERT_EQ(0, stage());
	PEER_OPENS_STAGED();
	ASSERT_EQ(5, peer_read(&self->peer, 5));
	ASSERT_EQ(-EBUSY, delete_staged());
	peer_kill(&self->peer);
	EXPECT_EQ(0, delete_staged());
}

TEST_F(reader, r1_delete_staged_reader_not_begun_works)
{
	ASSERT_EQ(0, stage());
	PEER_OPENS_STAGED();
	EXPECT_EQ(0, delete_staged());
	EXPECT_EQ(0, peer_read(&self->peer, 100));
}

TEST_F(reader, r1_delete_staged_reader_at_end_works)
{
	ASSERT_EQ(0, stage());
	PEER_OPENS_STAGED();
	ASSERT_EQ((long)self->file->len, peer_read(&self->peer, PEER_DATA_MAX));
	EXPECT_EQ(0, delete_staged());
	EXPECT_EQ(0, peer_read(&self->peer, 100));
}

TEST_F(reader, r2_delete_staged_list_reader_in_middle_works)
{
	ASSERT_EQ(0, stage());
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, log_retake(&self->log));
	PEER_OPENS_LIST();
	ASSERT_EQ(5, peer_read(&self->peer, 5));
	EXPECT_EQ(0, delete_staged());
	EXPECT_LOG(DELETED);
}

/* It reads every batch, and only looks when one is there. */
TEST_F(reader, r1_staged_reader_for_life_gets_every_batch)
{
	int round;

	PEER_OPENS_STAGED();
	for (round = 0; round < 5; round++) {
		EXPECT_EQ(0, peer_read(&self->peer, 100));
		ASSERT_EQ(0, stage());
		EXPECT_TRUE(peer_reads_all_of(&self->peer, self->staged));
		ASSERT_EQ(0, delete_staged());
		ASSERT_EQ(0, ima_measure_files(3));
	}
}

TEST_F(reader, r1_list_reader_for_life_beside_batches)
{
	int round;

	PEER_OPENS_LIST();
	for (round = 0; round < 5; round++) {
		EXPECT_TRUE(peer_reads_all_of(&self->peer, variant->name));
		ASSERT_EQ(0, stage());
		EXPECT_EQ(0, peer_read(&self->peer, 100));
		ASSERT_EQ(0, delete_staged());
		ASSERT_EQ(0, ima_measure_files(3));
	}
}

/*
 * R3: files of the process that gives the commands, both opened O_RDWR
 */
FIXTURE(own) {
	struct names names;
	struct log log;
	const struct ima_file *file;
	char staged_name[IMA_NAME_MAX];
	int list, staged;
	char *got;
};

FIXTURE_VARIANT(own) {
	const char *name;
};

FIXTURE_VARIANT_ADD(own, ascii) { .name = ASCII };
FIXTURE_VARIANT_ADD(own, binary) { .name = BINARY };

FIXTURE_SETUP(own)
{
	const char *why = names_init(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, log_take(&self->log));
	self->file = ima_state_file(&self->log.list, variant->name);
	ASSERT_NE(NULL, self->file);
	staged_name(self->staged_name, variant->name);
	self->list = ima_open(variant->name, O_RDWR);
	ASSERT_LE(0, self->list);
	self->staged = ima_open(self->staged_name, O_RDWR);
	ASSERT_LE(0, self->staged);
	self->got = malloc(PEER_DATA_MAX);
	ASSERT_NE(NULL, self->got);
}

FIXTURE_TEARDOWN(own)
{
	close(self->list);
	close(self->staged);
	free(self->got);
	log_free(&self->log);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* Does @fd read all of a file, as it is now, from where it is? */
static bool reads_all_of(struct _test_data_own *self, int fd, const char *name)
{
	size_t len;
	char *data = ima_read_all(name, &len);
	bool same = data && len && read_full(fd, self->got, PEER_DATA_MAX) == (long)len &&
		    !memcmp(data, self->got, len);

	free(data);
	return same;
}

static bool reads_exactly(struct _test_data_own *self, int fd, size_t from, size_t to)
{
	return read_full(fd, self->got, to - from) == (long)(to - from) &&
	       !memcmp(self->file->data + from, self->got, to - from);
}

static long read_1(int fd)
{
	char c;

	return minus_errno(read(fd, &c, 1));
}

#define STAGE() ASSERT_EQ(2, write(self->staged, "A\n", 2))
#define DELETE_STAGED() ASSERT_EQ(2, write(self->staged, "D\n", 2))

TEST_F(own, r3_one_file_a_read_d_a_read_gives_the_second_batch)
{
	int round;

	for (round = 0; round < 5; round++) {
		STAGE();
		EXPECT_TRUE(reads_all_of(self, self->staged, self->staged_name));
		EXPECT_EQ(0, read_1(self->staged));
		DELETE_STAGED();
		ASSERT_EQ(0, ima_measure_files(3 + round));
	}
}

TEST_F(own, r3_one_file_eof_between_batches)
{
	EXPECT_EQ(0, read_1(self->staged));
	STAGE();
	EXPECT_TRUE(reads_all_of(self, self->staged, self->staged_name));
	DELETE_STAGED();
	EXPECT_EQ(0, read_1(self->staged));
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_EQ(0, read_1(self->staged));
	STAGE();
	EXPECT_TRUE(reads_all_of(self, self->staged, self->staged_name));
}

TEST_F(own, r3_batch_deleted_unread_is_noticed_ESTALE)
{
	STAGE();
	ASSERT_TRUE(reads_all_of(self, self->staged, self->staged_name));
	DELETE_STAGED();
	ASSERT_EQ(0, ima_measure_files(3));
	STAGE();
	DELETE_STAGED();
	ASSERT_EQ(0, ima_measure_files(3));
	STAGE();
	EXPECT_EQ(-ESTALE, read_1(self->staged));
	EXPECT_EQ(-ESTALE, read_1(self->staged));
	EXPECT_EQ(0, lseek(self->staged, 0, SEEK_SET));
	EXPECT_TRUE(reads_all_of(self, self->staged, self->staged_name));
}

TEST_F(own, r3_records_deleted_by_n_between_batches_are_noticed_ESTALE)
{
	STAGE();
	ASSERT_TRUE(reads_all_of(self, self->staged, self->staged_name));
	DELETE_STAGED();
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, ima_delete(2));
	STAGE();
	EXPECT_EQ(-ESTALE, read_1(self->staged));
	EXPECT_EQ(0, lseek(self->staged, 0, SEEK_SET));
	EXPECT_TRUE(reads_all_of(self, self->staged, self->staged_name));
}

TEST_F(own, r3_half_read_batch_deleted_ESTALE_until_lseek_0)
{
	STAGE();
	ASSERT_TRUE(reads_exactly(self, self->staged, 0, start_of(self->file, 4)));
	DELETE_STAGED();
	EXPECT_EQ(-ESTALE, read_1(self->staged));
	ASSERT_EQ(0, ima_measure_files(3));
	STAGE();
	EXPECT_EQ(-ESTALE, read_1(self->staged));
	EXPECT_EQ(0, lseek(self->staged, 0, SEEK_SET));
	EXPECT_TRUE(reads_all_of(self, self->staged, self->staged_name));
}

TEST_F(own, r3_half_read_batch_reads_on_beside_new_records)
{
	size_t half = start_of(self->file, 4) + 5;

	STAGE();
	ASSERT_TRUE(reads_exactly(self, self->staged, 0, half));
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_TRUE(reads_exactly(self, self->staged, half, self->file->len));
	EXPECT_EQ(0, read_1(self->staged));
}

/* The writer's own files are not counted, but what they lose they notice. */
TEST_F(own, r2_own_half_read_list_file_does_not_hold_up_a)
{
	ASSERT_EQ(1, read_1(self->list));
	STAGE();
	EXPECT_LOG(STAGED);
}

TEST_F(own, r2_own_half_read_staged_file_does_not_hold_up_d)
{
	STAGE();
	ASSERT_EQ(0, log_retake(&self->log));
	ASSERT_EQ(1, read_1(self->staged));
	DELETE_STAGED();
	EXPECT_LOG(DELETED);
}

TEST_F(own, r3_half_read_list_file_after_a_ESTALE_until_lseek_0)
{
	ASSERT_TRUE(reads_exactly(self, self->list, 0, start_of(self->file, 4)));
	STAGE();
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_EQ(-ESTALE, read_1(self->list));
	EXPECT_EQ(-ESTALE, read_1(self->list));
	EXPECT_EQ(0, lseek(self->list, 0, SEEK_SET));
	EXPECT_TRUE(reads_all_of(self, self->list, variant->name));
}

TEST_F(own, r3_list_file_at_end_reads_on_across_a_and_d)
{
	ASSERT_TRUE(reads_exactly(self, self->list, 0, self->file->len));
	ASSERT_EQ(0, read_1(self->list));
	STAGE();
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_TRUE(reads_all_of(self, self->list, variant->name));
	DELETE_STAGED();
	EXPECT_EQ(0, read_1(self->list));
}

TEST_F(own, r3_half_read_list_file_reads_on_across_d)
{
	size_t half, len;
	char *data;

	STAGE();
	ASSERT_EQ(0, ima_measure_files(6));
	data = ima_read_all(variant->name, &len);
	ASSERT_NE(NULL, data);
	half = len / 2;
	ASSERT_EQ((long)half, read_full(self->list, self->got, half));
	DELETE_STAGED();
	EXPECT_EQ((long)(len - half), read_full(self->list, self->got + half, PEER_DATA_MAX / 2));
	EXPECT_EQ(0, memcmp(data, self->got, len));
	free(data);
}

TEST_F(own, r3_pread_of_the_staged_file_works_and_after_d_ESTALE)
{
	size_t at = start_of(self->file, 3) + 9;

	STAGE();
	ASSERT_TRUE(reads_exactly(self, self->staged, 0, start_of(self->file, 5)));
	EXPECT_EQ(50, pread(self->staged, self->got, 50, at));
	EXPECT_EQ(0, memcmp(self->file->data + at, self->got, 50));
	EXPECT_TRUE(reads_exactly(self, self->staged, start_of(self->file, 5), self->file->len));
	DELETE_STAGED();
	EXPECT_EQ(-ESTALE, minus_errno(pread(self->staged, self->got, 50, at)));
}

/*
 * Races on the files of one process, for a bounded time, while two threads
 * measure.
 */
#define RACE_MS 4000
#define MEASURERS 2

FIXTURE(race) {
	struct names names;
	long count, removed;
	int list, staged[2];
	atomic_bool stop;
	atomic_long measured, deleted, staged_nr, rounds, wrong;
	atomic_int number;
	char *archive;
	size_t archived;
};

FIXTURE_SETUP(race)
{
	const char *why = names_init(&self->names);
	int i;

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	self->count = ima_count();
	self->removed = ima_removed();
	self->list = ima_open(ASCII, O_RDWR);
	ASSERT_LE(0, self->list);
	for (i = 0; i < 2; i++) {
		self->staged[i] = ima_open(i ? BINARY_STAGED : ASCII_STAGED, O_RDWR);
		ASSERT_LE(0, self->staged[i]);
	}
}

FIXTURE_TEARDOWN(race)
{
	close(self->list);
	close(self->staged[0]);
	close(self->staged[1]);
	free(self->archive);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

static void race_wrong(struct _test_data_race *self, const char *what, int err)
{
	if (!atomic_fetch_add(&self->wrong, 1))
		fprintf(stderr, "# %s: %s\n", what, strerror(err));
}

/* Each thread's events are numbered: "batch-THREAD-NUMBER". */
static void *race_measure(void *arg)
{
	struct _test_data_race *self = arg;
	int me = atomic_fetch_add(&self->number, 1), i, ret;
	char name[32], data[64];

	for (i = 0; !atomic_load(&self->stop); i++) {
		snprintf(name, sizeof(name), "batch-%d-%06d", me, i);
		snprintf(data, sizeof(data), "%s %d", name, getpid());
		ret = ima_measure_file(name, data, strlen(data));
		if (ret)
			race_wrong(self, "measure", -ret);
		else
			atomic_fetch_add(&self->measured, 1);
	}
	return NULL;
}

static void *race_n(void *arg)
{
	struct _test_data_race *self = arg;

	while (!atomic_load(&self->stop)) {
		if (write(self->list, "2\n", 2) == 2)
			atomic_fetch_add(&self->deleted, 2);
		else if (errno != ENOENT && errno != EEXIST)
			race_wrong(self, "N", errno);
		else
			sched_yield();
	}
	return NULL;
}

static void *race_tn(void *arg)
{
	struct _test_data_race *self = arg;
	char cmd[CMD_MAX + 1];
	int len;

	while (!atomic_load(&self->stop)) {
		len = snprintf(cmd, sizeof(cmd), "%ld:2\n", ima_removed());
		if (write(self->list, cmd, len) == len)
			atomic_fetch_add(&self->deleted, 2);
		else if (errno != ENOENT && errno != EEXIST && errno != EAGAIN)
			race_wrong(self, "T:N", errno);
		else
			sched_yield();
	}
	return NULL;
}

/* Only one thread stages: what it has staged, it can count and delete. */
static void *race_a_d(void *arg)
{
	struct _test_data_race *self = arg;
	size_t len, i;
	char *data;

	while (!atomic_load(&self->stop)) {
		if (write(self->staged[0], "A\n", 2) != 2) {
			if (errno != ENOENT)
				race_wrong(self, "A", errno);
			sched_yield();
			continue;
		}
		data = ima_read_all(ASCII_STAGED, &len);
		for (i = 0; data && i < len; i++)
			atomic_fetch_add(&self->staged_nr, data[i] == '\n');
		free(data);
		if (!data || !len)
			race_wrong(self, "read", errno);
		if (write(self->staged[0], "D\n", 2) != 2)
			race_wrong(self, "D", errno);
		atomic_fetch_add(&self->rounds, 1);
	}
	return NULL;
}

/* More than one thread stages and deletes. */
static void race_either(struct _test_data_race *self, int fd)
{
	while (!atomic_load(&self->stop)) {
		if (write(fd, "A\n", 2) != 2 && errno != EEXIST && errno != ENOENT)
			race_wrong(self, "A", errno);
		if (write(fd, "D\n", 2) == 2)
			atomic_fetch_add(&self->rounds, 1);
		else if (errno != ENOENT)
			race_wrong(self, "D", errno);
	}
}

static void *race_either_0(void *arg)
{
	struct _test_data_race *self = arg;

	race_either(self, self->staged[0]);
	return NULL;
}

static void *race_either_1(void *arg)
{
	struct _test_data_race *self = arg;

	race_either(self, self->staged[1]);
	return NULL;
}

static void *race_pread(void *arg)
{
	struct _test_data_race *self = arg;
	unsigned int seed = 1;
	char buf[4096];

	while (!atomic_load(&self->stop)) {
		if (pread(self->staged[1], buf, 1 + rand_r(&seed) % sizeof(buf),
			  rand_r(&seed) % 2000) < 0 && errno != ESTALE)
			race_wrong(self, "pread", errno);
		if (pread(self->list, buf, sizeof(buf), 0) < 0 && errno != ESTALE)
			race_wrong(self, "pread", errno);
	}
	return NULL;
}

/* Run all of @thread (to a NULL) beside each other; Return: 0 or an errno */
static int race_run(struct _test_data_race *self, void *(*const thread[])(void *))
{
	long long end = ima_now_ms() + RACE_MS;
	struct timespec step = { .tv_nsec = 20000000 };
	pthread_t id[8];
	int n = 0, ret = 0;

	for (; thread[n] && !ret; n += !ret)
		ret = pthread_create(&id[n], NULL, thread[n], self);
	while (!ret && ima_now_ms() < end)
		nanosleep(&step, NULL);
	atomic_store(&self->stop, true);
	while (n--)
		pthread_join(id[n], NULL);
	return ret;
}

#define RACE(...)									\
do {											\
	void *(*const _thread[])(void *) = { race_measure, race_measure,		\
					     ##__VA_ARGS__, NULL };			\
											\
	ASSERT_EQ(0, race_run(self, _thread));						\
	EXPECT_EQ(0, atomic_load(&self->wrong));					\
	EXPECT_LT(0, atomic_load(&self->rounds));					\
	EXPECT_LT(0, atomic_load(&self->measured));					\
	EXPECT_EQ(self->count + atomic_load(&self->measured) -				\
		  (ima_removed() - self->removed), ima_count());			\
} while (0)

/* Every file has as many whole records as the count says. */
static bool list_is_whole(void)
{
	struct ima_state now;
	bool whole = !ima_measure_files(1) && !ima_state_take(&now);
	unsigned int i;

	for (i = 0; whole && i < now.nr_files; i++)
		whole = ima_skip_records(&now.file[i], now.count) == now.file[i].len;
	ima_state_free(&now);
	return whole;
}

TEST_F_TIMEOUT(race, a_d_beside_n_on_two_files_counts_add_up, 60)
{
	RACE(race_a_d, race_n);
	EXPECT_EQ(self->removed + atomic_load(&self->deleted) + atomic_load(&self->staged_nr),
		  ima_removed());
	EXPECT_TRUE(list_is_whole());
}

TEST_F_TIMEOUT(race, a_d_beside_t_n_on_two_files_counts_add_up, 60)
{
	RACE(race_a_d, race_tn);
	EXPECT_EQ(self->removed + atomic_load(&self->deleted) + atomic_load(&self->staged_nr),
		  ima_removed());
	EXPECT_TRUE(list_is_whole());
}

TEST_F_TIMEOUT(race, a_d_beside_a_d_on_two_files_counts_add_up, 60)
{
	RACE(race_either_0, race_either_1);
	EXPECT_TRUE(list_is_whole());
}

TEST_F_TIMEOUT(race, a_d_beside_n_and_pread_counts_add_up, 60)
{
	RACE(race_either_0, race_either_1, race_n, race_pread);
	EXPECT_TRUE(list_is_whole());
}

/* Keep what a file reads from where it is to the end; Return: 0 or -errno */
static int archive(struct _test_data_race *self, int fd)
{
	char *bigger;
	long n;

	do {
		bigger = realloc(self->archive, self->archived + PEER_DATA_MAX);
		if (!bigger)
			return -ENOMEM;
		self->archive = bigger;
		n = read_full(fd, self->archive + self->archived, PEER_DATA_MAX);
		if (n > 0)
			self->archived += n;
	} while (n > 0);
	return n;
}

/* What an agent does, with one file: A, read on to the end, D. */
static void race_archive(struct _test_data_race *self, int fd)
{
	int ret = 0;

	while (!ret && !atomic_load(&self->stop)) {
		if (write(fd, "A\n", 2) != 2) {
			ret = errno == ENOENT ? 0 : errno;
			sched_yield();
			continue;
		}
		ret = -archive(self, fd);
		if (!ret && write(fd, "D\n", 2) != 2)
			ret = errno;
		atomic_fetch_add(&self->rounds, 1);
	}
	if (ret)
		race_wrong(self, "A, read, D", ret);
}

static void *race_archive_ascii(void *arg)
{
	struct _test_data_race *self = arg;

	race_archive(self, self->staged[0]);
	return NULL;
}

static void *race_archive_binary(void *arg)
{
	struct _test_data_race *self = arg;

	race_archive(self, self->staged[1]);
	return NULL;
}

/* Return: how many numbered events there are, each once and in order; or -1 */
static long numbered_events(const char *data, size_t len)
{
	const char *at = data, *end = data + len;
	int expected[MEASURERS] = {}, me, seq;
	char tag[32];

	while ((at = memmem(at, end - at, "batch-", 6)) && end - at >= 14) {
		memcpy(tag, at, 14);
		tag[14] = '\0';
		if (sscanf(tag, "batch-%d-%d", &me, &seq) != 2 || me < 0 ||
		    me >= MEASURERS || seq != expected[me]++)
			return -1;
		at += 14;
	}
	return expected[0] + expected[1];
}

TEST_F_TIMEOUT(race, ascii_batches_and_list_have_each_event_once, 60)
{
	RACE(race_archive_ascii);
	ASSERT_EQ(0, archive(self, self->list));
	EXPECT_EQ(atomic_load(&self->measured),
		  numbered_events(self->archive, self->archived));
}

TEST_F_TIMEOUT(race, binary_batches_and_list_have_each_event_once, 60)
{
	int fd;

	RACE(race_archive_binary);
	fd = ima_open(BINARY, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, archive(self, fd));
	EXPECT_EQ(atomic_load(&self->measured),
		  numbered_events(self->archive, self->archived));
	close(fd);
}

TEST_HARNESS_MAIN
