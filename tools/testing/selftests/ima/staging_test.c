// SPDX-License-Identifier: GPL-2.0-only
/*
 * Staging the list (A), deleting what is staged (D), and N beside them: what
 * the commands do, every errno, and that a refused one changes nothing.
 */
#include <fcntl.h>
#include <limits.h>

#include "../kselftest_harness.h"
#include "ima_state.h"
#include "ima_test.h"
#include "refused.h"
#include "staged.h"

#define NR_RECORDS 10

#define U64_MAX_PLUS_1_STR "18446744073709551616"

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
	struct staged_names names;
	struct staged_log log;
	const void *null;
};

FIXTURE_SETUP(cmd)
{
	const char *why = staged_unavailable(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, staged_log_take(&self->log));
}

FIXTURE_TEARDOWN(cmd)
{
	staged_log_free(&self->log);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

TEST_F(cmd, stage_on_every_file_returns_length)
{
	int i;

	for (i = 0; i < self->names.nr; i++) {
		EXPECT_EQ(2, ima_write(self->names.staged[i], "A\n", 2)) {
			TH_LOG("file %s", self->names.staged[i]);
		}
		EXPECT_LOG(STAGED);
		ASSERT_EQ(0, ima_delete_staged());
		ASSERT_EQ(0, ima_measure_files(2));
		ASSERT_EQ(0, staged_log_retake(&self->log));
	}
}

TEST_F(cmd, delete_staged_on_every_file_returns_length)
{
	int i;

	for (i = 0; i < self->names.nr; i++) {
		ASSERT_EQ(0, ima_stage());
		ASSERT_EQ(0, ima_measure_files(2));
		ASSERT_EQ(0, staged_log_retake(&self->log));
		EXPECT_EQ(2, ima_write(self->names.staged[i], "D\n", 2)) {
			TH_LOG("file %s", self->names.staged[i]);
		}
		EXPECT_LOG(DELETED);
	}
}

TEST_F(cmd, stage_moves_the_whole_list)
{
	ASSERT_EQ(0, ima_stage());
	EXPECT_LOG(STAGED);
	EXPECT_EQ(0, ima_count());
}

TEST_F(cmd, stage_of_one_record)
{
	ASSERT_EQ(0, ima_delete(self->log.list.count - 1));
	ASSERT_EQ(0, staged_log_retake(&self->log));
	ASSERT_EQ(0, ima_stage());
	EXPECT_LOG(STAGED);
}

TEST_F(cmd, stage_staged_EEXIST)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(2));
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(-EEXIST, ima_stage());
	EXPECT_LOG(SAME);
}

TEST_F(cmd, stage_staged_and_empty_list_EEXIST_before_ENOENT)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(-EEXIST, ima_stage());
	EXPECT_LOG(SAME);
}

TEST_F(cmd, stage_empty_ENOENT)
{
	ASSERT_EQ(0, ima_delete(self->log.list.count));
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(-ENOENT, ima_stage());
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_staged_nothing_ENOENT)
{
	EXPECT_EQ(-ENOENT, ima_delete_staged());
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_staged_twice_ENOENT)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_delete_staged());
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(-ENOENT, ima_delete_staged());
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_staged_leaves_the_list)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, staged_log_retake(&self->log));
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_LOG(DELETED);
	EXPECT_EQ(3, ima_count());
}

TEST_F(cmd, delete_n_staged_EEXIST)
{
	int i;

	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, staged_log_retake(&self->log));
	for (i = 0; i < self->names.nr; i++) {
		EXPECT_EQ(-EEXIST, ima_command(self->names.list[i], "1\n")) {
			TH_LOG("file %s", self->names.list[i]);
		}
	}
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_n_staged_EEXIST_before_ENOENT)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(-EEXIST, ima_delete(1));
	EXPECT_EQ(-EEXIST, ima_delete(ULONG_MAX));
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_n_staged_EINVAL_before_EEXIST)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(-EINVAL, ima_delete(0));
	EXPECT_EQ(-EINVAL, ima_command(IMA_ASCII, "x\n"));
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_n_staged_ERANGE_before_EEXIST)
{
	ASSERT_EQ(0, ima_stage());
	EXPECT_EQ(-ERANGE, ima_command(IMA_ASCII, U64_MAX_PLUS_1_STR "\n"));
}

TEST_F(cmd, delete_t_n_staged_EEXIST)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(-EEXIST, ima_delete_if(IMA_ASCII, ima_removed(), 1));
	EXPECT_LOG(SAME);
}

TEST_F(cmd, delete_n_after_d_works)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, ima_delete_staged());
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(0, ima_delete(2));
	EXPECT_DELETED_N(2);
}

TEST_F(cmd, stage_after_n_stages_the_rest)
{
	ASSERT_EQ(0, ima_delete(4));
	ASSERT_EQ(0, staged_log_retake(&self->log));
	ASSERT_EQ(0, ima_stage());
	EXPECT_LOG(STAGED);
}

TEST_F_TIMEOUT(cmd, stage_and_delete_staged_many_rounds, IMA_TIMEOUT)
{
	int round;

	for (round = 0; round < 20; round++) {
		ASSERT_EQ(0, ima_stage());
		EXPECT_LOG(STAGED);
		ASSERT_EQ(0, ima_delete_staged());
		EXPECT_EQ((size_t)0, size_of(IMA_ASCII_STAGED));
		ASSERT_EQ(0, ima_measure_files(1 + round));
		ASSERT_EQ(0, staged_log_retake(&self->log));
	}
}

TEST_F(cmd, stage_with_violations_and_delete_staged)
{
	ASSERT_EQ(0, ima_measure_violation());
	ASSERT_EQ(0, ima_measure_files(1));
	ASSERT_EQ(0, ima_measure_violation());
	ASSERT_EQ(0, staged_log_retake(&self->log));
	ASSERT_EQ(0, ima_stage());
	EXPECT_LOG(STAGED);
	ASSERT_EQ(0, staged_log_retake(&self->log));
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_LOG(DELETED);
}

/* Staged, then the list, in each file: the log that it was, and what came later. */
TEST_F(cmd, staged_and_list_are_the_log_without_a_hole)
{
	struct ima_file *list, *staged, *later;
	struct staged_log after;
	unsigned int i;

	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, staged_log_take(&after));
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
	staged_log_free(&after);
}

TEST_F(cmd, link_shows_the_staged_list)
{
	const char * const name[] = { "ascii_runtime_measurements", "binary_runtime_measurements" };
	const struct ima_file *file;
	char other[IMA_NAME_MAX];
	unsigned int i;
	size_t len;
	char *data;

	ASSERT_EQ(0, ima_stage());
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
	ASSERT_EQ(0, ima_stage());
	EXPECT_EQ(0, ima_count());
	ASSERT_EQ(0, ima_measure_files(4));
	EXPECT_EQ(4, ima_count());
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_EQ(4, ima_count());
}

TEST_F(cmd, removed_grows_with_a_by_the_number_staged)
{
	long removed = ima_removed();

	ASSERT_EQ(0, ima_stage());
	EXPECT_EQ(removed + self->log.list.count, ima_removed());
}

TEST_F(cmd, removed_does_not_grow_with_d)
{
	long removed;

	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(2));
	removed = ima_removed();
	ASSERT_LE(0, removed);
	ASSERT_EQ(0, ima_delete_staged());
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
	ASSERT_EQ(0, ima_stage());
	EXPECT_EQ(sum, ima_removed() + ima_count());
	ASSERT_EQ(0, ima_measure_files(5));
	EXPECT_EQ(sum + 5, ima_removed() + ima_count());
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_EQ(sum + 5, ima_removed() + ima_count());
}

TEST_F(cmd, mode_of_staged_files_is_0660)
{
	int i;

	ASSERT_LE(4, self->names.nr);
	for (i = 0; i < self->names.nr; i++) {
		EXPECT_EQ(0660, ima_mode(self->names.staged[i])) {
			TH_LOG("file %s", self->names.staged[i]);
		}
	}
}

TEST_F(cmd, mode_of_removed_is_0440)
{
	EXPECT_EQ(0440, ima_mode("runtime_measurements_removed"));
}

TEST_F(cmd, link_leads_to_sha1_staged)
{
	char to[IMA_NAME_MAX];

	ASSERT_EQ(0, ima_link_to("ascii_runtime_measurements_staged", to));
	EXPECT_STREQ(IMA_ASCII_STAGED, to);
	ASSERT_EQ(0, ima_link_to("binary_runtime_measurements_staged", to));
	EXPECT_STREQ(IMA_BINARY_STAGED, to);
}

TEST_F(cmd, stage_ignores_the_offset)
{
	int fd = ima_open(IMA_BINARY_STAGED, O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(2, pwrite(fd, "A\n", 2, 4096));
	close(fd);
	EXPECT_LOG(STAGED);
	fd = ima_open(IMA_BINARY_STAGED, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(2, pwrite(fd, "D\n", 2, 1));
	close(fd);
	EXPECT_EQ((size_t)0, size_of(IMA_BINARY_STAGED));
}

TEST_F(cmd, stage_by_shell_redirection)
{
	int fd = ima_open("ascii_runtime_measurements_staged", O_WRONLY | O_CREAT | O_TRUNC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(2, write(fd, "A\n", 2));
	close(fd);
	EXPECT_LOG(STAGED);
}

/* The errno of each file, opened without CAP_SYS_ADMIN. */
static int open_without_cap(struct staged_names *names, int flags)
{
	return refused_open(names->staged, names->nr, flags, drop_sys_admin);
}

TEST_F(cmd, open_staged_for_write_without_cap_sys_admin_EPERM)
{
	EXPECT_EQ(EPERM, open_without_cap(&self->names, O_WRONLY));
	EXPECT_EQ(EPERM, open_without_cap(&self->names, O_RDWR));
}

TEST_F(cmd, open_staged_for_read_without_cap_sys_admin_works)
{
	EXPECT_EQ(0, open_without_cap(&self->names, O_RDONLY));
}

TEST_F(cmd, null_buffer_of_2_to_42_EFAULT)
{
	size_t len;

	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, staged_log_retake(&self->log));
	for (len = 2; len <= IMA_CMD_MAX; len++) {
		EXPECT_EQ(-EFAULT, ima_write(IMA_ASCII_STAGED, self->null, len)) {
			TH_LOG("length %zu", len);
		}
	}
	EXPECT_EQ(-EINVAL, ima_write(IMA_ASCII_STAGED, self->null, 1));
	EXPECT_EQ(-EINVAL, ima_write(IMA_ASCII_STAGED, self->null, IMA_CMD_MAX + 1));
	EXPECT_LOG(SAME);
}

/*
 * Bad input on every staged file, with nothing staged and with something.
 */
FIXTURE(refused) {
	struct staged_names names;
	struct staged_log log;
};

FIXTURE_VARIANT(refused) {
	const char *cmd;
	size_t len;
	int err;
};

FIXTURE_SETUP(refused)
{
	const char *why = staged_unavailable(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(2));
	ASSERT_EQ(0, staged_log_take(&self->log));
}

FIXTURE_TEARDOWN(refused)
{
	staged_log_free(&self->log);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

#define BLANKS_40 "                                        "

#define CMD "A"
#define OTHER "D"
#define NAME(_row) _row##_a_EINVAL
#include "refused_rows.h"
#define CMD "D"
#define OTHER "A"
#define NAME(_row) _row##_d_EINVAL
#include "refused_rows.h"
/* length */
FIXTURE_VARIANT_ADD(refused, length_1_a_EINVAL) BYTES("A", EINVAL);
FIXTURE_VARIANT_ADD(refused, length_1_d_EINVAL) BYTES("D", EINVAL);
FIXTURE_VARIANT_ADD(refused, length_42_EINVAL) BYTES(BLANKS_40 "A\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, length_43_EINVAL) BYTES(BLANKS_40 " D\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, length_82_EINVAL) BYTES(BLANKS_40 BLANKS_40 "A\n", EINVAL);
/* newlines, NUL, hex */
FIXTURE_VARIANT_ADD(refused, two_lines_EINVAL) BYTES("A\nD\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, newline_before_EINVAL) BYTES("\nA", EINVAL);
FIXTURE_VARIANT_ADD(refused, nul_and_text_EINVAL) BYTES("A\0B\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, hex_EINVAL) BYTES("0x41\n", EINVAL);
/* not a command of this file */
FIXTURE_VARIANT_ADD(refused, lower_a_EINVAL) BYTES("a\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, lower_d_EINVAL) BYTES("d\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, twice_a_EINVAL) BYTES("AA\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, twice_d_EINVAL) BYTES("DD\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, both_EINVAL) BYTES("AD\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, word_EINVAL) BYTES("DELETE\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, other_letter_EINVAL) BYTES("B\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, high_bit_EINVAL) BYTES("\xc1\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, n_EINVAL) BYTES("1\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, n_zero_EINVAL) BYTES("0\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, n_too_big_EINVAL) BYTES(U64_MAX_PLUS_1_STR "\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, t_n_EINVAL) BYTES("1:1\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, t_and_a_EINVAL) BYTES("0:A\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, a_and_number_EINVAL) BYTES("A:1\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, d_number_EINVAL) BYTES("D1\n", EINVAL);

/* Return: "", or the staged file that does not refuse a command with @err, and what it does */
static const char *not_refused(const struct staged_names *names, const char *cmd, size_t len,
			       int err)
{
	static char what[IMA_NAME_MAX + 32];
	ssize_t ret;
	int i;

	for (i = 0; i < names->nr; i++) {
		ret = ima_write(names->staged[i], cmd, len);
		if (ret == -err)
			continue;
		snprintf(what, sizeof(what), "%s: %zd", names->staged[i], ret);
		return what;
	}
	return "";
}

TEST_F(refused, nothing_staged)
{
	EXPECT_STREQ("", not_refused(&self->names, variant->cmd, variant->len, variant->err));
	EXPECT_LOG(SAME);
}

TEST_F(refused, staged)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(1));
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_STREQ("", not_refused(&self->names, variant->cmd, variant->len, variant->err));
	EXPECT_LOG(SAME);
}

TEST_HARNESS_MAIN
