// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deleting the first N records: what the command does, every errno of it, and
 * that a refused command changes nothing.
 *
 * A kernel with CONFIG_IMA_STAGING=n has none of this; all tests skip there.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "../kselftest_harness.h"
#include "ima_state.h"
#include "ima_test.h"
#include "refused.h"

#define NR_RECORDS 10
#define ASCII_LINK "ascii_runtime_measurements"
#define BINARY_LINK "binary_runtime_measurements"

#if ULONG_MAX == 0xffffffffUL
#define LONG_MAX_PLUS_1_STR "2147483648"
#define ULONG_MAX_STR "4294967295"
#define ULONG_MAX_PLUS_1_STR "4294967296"
#define WRAPS_TO_1_STR "4294967297"
#else
#define LONG_MAX_PLUS_1_STR "9223372036854775808"
#define ULONG_MAX_STR "18446744073709551615"
#define ULONG_MAX_PLUS_1_STR "18446744073709551616"
#define WRAPS_TO_1_STR "18446744073709551617"
#endif

#define ZEROS_40 "0000000000000000000000000000000000000000"
#define NINES_40 "9999999999999999999999999999999999999999"

/* Every file and link that takes commands, and the state before a command. */
struct files {
	char name[IMA_FILES_MAX][IMA_NAME_MAX];
	int nr;
	struct ima_state before;
};

/* Return: NULL, or why not */
static const char *files_init(struct files *files)
{
	const char *why = ima_test_unavailable();

	if (why)
		return why;
	files->nr = ima_list_names(files->name, true);
	return files->nr < 0 ? "the list files cannot be enumerated" : NULL;
}

FIXTURE(list) {
	struct files files;
};

FIXTURE_SETUP(list)
{
	const char *why = files_init(&self->files);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&self->files.before));
}

FIXTURE_TEARDOWN(list)
{
	ima_state_free(&self->files.before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

#define EXPECT_DELETED(_n) EXPECT_STREQ("", ima_state_differs(&self->files.before, _n) ?: "")

/* n events more, and the state with them; Return: 0 or -errno */
static int measure_and_take_state(struct files *files, unsigned int n)
{
	int ret = ima_measure_files(n);

	ima_state_free(&files->before);
	return ret ?: ima_state_take(&files->before);
}

/* As ima_write(), opened in another way. */
static ssize_t write_opened(const char *name, int flags, const char *cmd)
{
	int fd = ima_open(name, flags);
	ssize_t ret;

	if (fd < 0)
		return fd;
	ret = ima_minus_errno(write(fd, cmd, strlen(cmd)));
	close(fd);
	return ret;
}

TEST_F(list, delete_1_on_every_file_returns_length)
{
	int i;

	for (i = 0; i < self->files.nr; i++) {
		ASSERT_EQ(0, measure_and_take_state(&self->files, 1));
		EXPECT_EQ(2, ima_write(self->files.name[i], "1\n", 2)) {
			TH_LOG("file %s", self->files.name[i]);
		}
		EXPECT_DELETED(1);
	}
}

TEST_F(list, delete_5_on_every_file_opened_rdwr_returns_length)
{
	int i;

	for (i = 0; i < self->files.nr; i++) {
		ASSERT_EQ(0, measure_and_take_state(&self->files, 5));
		EXPECT_EQ(2, write_opened(self->files.name[i], O_RDWR, "5\n")) {
			TH_LOG("file %s", self->files.name[i]);
		}
		EXPECT_DELETED(5);
	}
}

TEST_F(list, delete_n_minus_1_leaves_the_last_record)
{
	ASSERT_EQ(0, ima_delete(self->files.before.count - 1));
	EXPECT_DELETED(self->files.before.count - 1);
	EXPECT_EQ(1, ima_count());
}

TEST_F(list, delete_n_empties_every_file)
{
	char cmd[IMA_CMD_MAX];
	size_t len;
	void *data;
	int i;

	snprintf(cmd, sizeof(cmd), "%ld\n", self->files.before.count);
	ASSERT_EQ(0, ima_command(BINARY_LINK, cmd));
	EXPECT_DELETED(self->files.before.count);
	EXPECT_EQ(0, ima_count());
	for (i = 0; i < self->files.nr; i++) {
		data = ima_read_all(self->files.name[i], &len);
		ASSERT_NE(NULL, data);
		EXPECT_EQ((size_t)0, len);
		free(data);
	}
}

TEST_F(list, delete_n_then_the_list_grows_on)
{
	const struct ima_file *file;
	struct ima_state after;
	unsigned int i;

	ASSERT_EQ(0, ima_delete(self->files.before.count));
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, ima_state_take(&after));
	EXPECT_EQ(3, after.count);
	for (i = 0; i < after.nr_files; i++) {
		file = &after.file[i];
		EXPECT_NE((size_t)0, file->len);
		EXPECT_EQ(file->len, ima_skip_records(file, 3)) {
			TH_LOG("file %s", file->name);
		}
	}
	ima_state_free(&after);
}

TEST_F(list, delete_1_of_empty_list_ENOENT)
{
	ASSERT_EQ(0, ima_delete(self->files.before.count));
	EXPECT_EQ(-ENOENT, ima_delete(1));
	EXPECT_EQ(0, ima_count());
}

TEST_F(list, delete_count_falls_by_exactly_n)
{
	ASSERT_EQ(0, ima_delete(3));
	EXPECT_EQ(self->files.before.count - 3, ima_count());
	ASSERT_EQ(0, ima_command(BINARY_LINK, "4\n"));
	EXPECT_EQ(self->files.before.count - 7, ima_count());
}

TEST_F(list, delete_leading_zero_is_decimal_not_octal)
{
	EXPECT_EQ(4, ima_write(ASCII_LINK, "010\n", 4));
	EXPECT_DELETED(10);
}

TEST_F(list, delete_leading_zeros_and_8_are_decimal)
{
	EXPECT_EQ(4, ima_write(ASCII_LINK, "008\n", 4));
	EXPECT_DELETED(8);
}

TEST_F(list, delete_42_bytes_returns_42)
{
	const char cmd[] = ZEROS_40 "1\n";

	ASSERT_EQ((size_t)IMA_CMD_MAX, strlen(cmd));
	EXPECT_EQ(IMA_CMD_MAX, ima_write(ASCII_LINK, cmd, IMA_CMD_MAX));
	EXPECT_DELETED(1);
}

TEST_F(list, delete_ignores_pwrite_offset)
{
	const off_t offset[] = { 0, 1, 4095, 4096, 1LL << 40 };
	int fd = ima_open(ASCII_LINK, O_WRONLY);
	unsigned int i;

	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(offset); i++) {
		EXPECT_EQ(2, pwrite(fd, "1\n", 2, offset[i])) {
			TH_LOG("offset %lld", (long long)offset[i]);
		}
	}
	close(fd);
	EXPECT_DELETED(ARRAY_SIZE(offset));
}

TEST_F(list, delete_ignores_lseek_offset)
{
	int fd = ima_open(ASCII_LINK, O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(5, lseek(fd, 5, SEEK_SET));
	EXPECT_EQ(2, write(fd, "2\n", 2));
	close(fd);
	EXPECT_DELETED(2);
}

TEST_F(list, delete_again_on_the_same_file)
{
	int fd = ima_open(ASCII_LINK, O_WRONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(2, write(fd, "1\n", 2));
	EXPECT_EQ(2, write(fd, "2\n", 2));
	EXPECT_EQ(3, write(fd, "03\n", 3));
	close(fd);
	EXPECT_DELETED(6);
}

TEST_F(list, delete_works_after_a_refused_command_on_the_same_file)
{
	int fd = ima_open(ASCII_LINK, O_WRONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, write(fd, "0\n", 2));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(2, write(fd, "1\n", 2));
	close(fd);
	EXPECT_DELETED(1);
}

TEST_F(list, delete_by_shell_redirection)
{
	EXPECT_EQ(2, write_opened(ASCII_LINK, O_WRONLY | O_CREAT | O_TRUNC, "1\n"));
	EXPECT_EQ(2, write_opened(BINARY_LINK, O_WRONLY | O_CREAT | O_APPEND, "2\n"));
	EXPECT_DELETED(3);
}

TEST_F(list, link_leads_to_sha1)
{
	char to[IMA_NAME_MAX];

	ASSERT_EQ(0, ima_link_to(ASCII_LINK, to));
	EXPECT_STREQ(IMA_ASCII, to);
	ASSERT_EQ(0, ima_link_to(BINARY_LINK, to));
	EXPECT_STREQ(IMA_BINARY, to);
}

TEST_F(list, mode_of_list_files_is_0660)
{
	int i;

	for (i = 0; i < self->files.nr; i++) {
		EXPECT_EQ(0660, ima_mode(self->files.name[i])) {
			TH_LOG("file %s", self->files.name[i]);
		}
	}
}

TEST_F(list, mode_of_count_is_0440)
{
	EXPECT_EQ(0440, ima_mode("runtime_measurements_count"));
}

TEST_F(list, open_wronly_without_cap_sys_admin_EPERM)
{
	EXPECT_EQ(EPERM, refused_open(self->files.name, self->files.nr, O_WRONLY,
				      drop_sys_admin));
}

TEST_F(list, open_rdwr_without_cap_sys_admin_EPERM)
{
	EXPECT_EQ(EPERM, refused_open(self->files.name, self->files.nr, O_RDWR,
				      drop_sys_admin));
}

TEST_F(list, open_read_without_cap_sys_admin_works)
{
	EXPECT_EQ(0, refused_open(self->files.name, self->files.nr, O_RDONLY,
				  drop_sys_admin));
}

TEST_F(list, open_write_not_root_EACCES)
{
	EXPECT_EQ(EACCES, refused_open(self->files.name, self->files.nr, O_WRONLY,
				       become_nobody));
}

TEST_F(list, deleted_event_is_measured_again_only_with_ima_flush_htable)
{
	ASSERT_EQ(1, ima_measure_same(__func__, 0));
	ASSERT_EQ(self->files.before.count + 1, ima_count());
	ASSERT_EQ(0, ima_delete(self->files.before.count + 1));
	EXPECT_EQ(ima_booted_with_flush(), ima_measure_same(__func__, 0));
	EXPECT_EQ(ima_booted_with_flush(), ima_count());
}

TEST_F(list, listed_event_is_not_measured_again_after_a_deletion)
{
	ASSERT_EQ(1, ima_measure_same(__func__, 0));
	ASSERT_EQ(0, ima_delete(self->files.before.count));
	ASSERT_EQ(1, ima_count());
	EXPECT_EQ(0, ima_measure_same(__func__, 0));
	EXPECT_EQ(1, ima_count());
}

/*
 * Commands that must be refused. Each row on every file; after it the count,
 * all lists and the PCRs are what they were.
 */
FIXTURE(refused) {
	struct files files;
};

FIXTURE_VARIANT(refused) {
	const char *cmd;	/* NULL: count + 1 */
	size_t len;
	int err;
};

FIXTURE_SETUP(refused)
{
	const char *why = files_init(&self->files);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(2));
	ASSERT_EQ(0, ima_state_take(&self->files.before));
}

FIXTURE_TEARDOWN(refused)
{
	ima_state_free(&self->files.before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

#define CMD "1"
#define OTHER "1"
#define NAME(_row) _row##_EINVAL
#include "refused_rows.h"
/* length */
FIXTURE_VARIANT_ADD(refused, length_1_digit_EINVAL) BYTES("1", EINVAL);
FIXTURE_VARIANT_ADD(refused, length_43_EINVAL) BYTES(ZEROS_40 "01\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, length_82_EINVAL) BYTES(ZEROS_40 ZEROS_40 "1\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, no_newline_length_42_EINVAL) BYTES(ZEROS_40 "01", EINVAL);
/* newline, NUL, blank, sign, hex */
FIXTURE_VARIANT_ADD(refused, two_lines_EINVAL) BYTES("1\n1\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, nul_in_number_EINVAL) BYTES("1\0001\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, blank_inside_EINVAL) BYTES("1 1\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, vertical_tab_before_EINVAL) BYTES("\v1\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, minus_zero_EINVAL) BYTES("-0\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, hex_EINVAL) BYTES("0x10\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, hex_upper_EINVAL) BYTES("0X10\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, hex_digit_EINVAL) BYTES("1a\n", EINVAL);
/* not a command of this file */
FIXTURE_VARIANT_ADD(refused, word_EINVAL) BYTES("abc\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, fraction_EINVAL) BYTES("1.0\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, exponent_EINVAL) BYTES("1e0\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, high_bytes_EINVAL) BYTES("\xd9\xa1\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, stage_EINVAL) BYTES("A\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, delete_staged_EINVAL) BYTES("D\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, three_numbers_EINVAL) BYTES("1:1:1\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, no_number_before_colon_EINVAL) BYTES(":1\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, no_number_behind_colon_EINVAL) BYTES("1:\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, colon_only_EINVAL) BYTES(":\n", EINVAL);
/* N itself */
FIXTURE_VARIANT_ADD(refused, zero_EINVAL) BYTES("0\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, double_zero_EINVAL) BYTES("00\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, zero_length_42_EINVAL) BYTES(ZEROS_40 "0\n", EINVAL);
FIXTURE_VARIANT_ADD(refused, ulong_max_plus_1_ERANGE) BYTES(ULONG_MAX_PLUS_1_STR "\n", ERANGE);
FIXTURE_VARIANT_ADD(refused, wraps_to_1_ERANGE) BYTES(WRAPS_TO_1_STR "\n", ERANGE);
FIXTURE_VARIANT_ADD(refused, twice_wraps_to_1_ERANGE) BYTES("36893488147419103233\n", ERANGE);
FIXTURE_VARIANT_ADD(refused, many_digits_ERANGE) BYTES("99999999999999999999999\n", ERANGE);
FIXTURE_VARIANT_ADD(refused, digits_length_42_ERANGE) BYTES("9" NINES_40 "\n", ERANGE);
FIXTURE_VARIANT_ADD(refused, ulong_max_ENOENT) BYTES(ULONG_MAX_STR "\n", ENOENT);
FIXTURE_VARIANT_ADD(refused, long_max_plus_1_ENOENT) BYTES(LONG_MAX_PLUS_1_STR "\n", ENOENT);
FIXTURE_VARIANT_ADD(refused, count_plus_1_ENOENT) { .err = ENOENT };

TEST_F_TIMEOUT(refused, on_every_file, IMA_TIMEOUT)
{
	char next[IMA_CMD_MAX];
	const char *cmd = variant->cmd;
	size_t len = variant->len;
	int i;

	if (!cmd) {
		len = snprintf(next, sizeof(next), "%ld\n", self->files.before.count + 1);
		cmd = next;
	}
	for (i = 0; i < self->files.nr; i++) {
		EXPECT_EQ(-variant->err, ima_write(self->files.name[i], cmd, len)) {
			TH_LOG("file %s", self->files.name[i]);
		}
		EXPECT_STREQ("", ima_state_differs(&self->files.before, 0) ?: "");
	}
}

/* A buffer that cannot be read, and the order of this error and the others. */
FIXTURE(fault) {
	struct files files;
	char *edge;		/* a page that is there ends here */
	const void *null;
};

FIXTURE_SETUP(fault)
{
	const char *why = files_init(&self->files);
	size_t page = sysconf(_SC_PAGESIZE);
	char *map;

	if (why)
		SKIP(return, "%s", why);
	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	self->edge = map + page;
	ASSERT_EQ(0, mprotect(self->edge, page, PROT_NONE));
	ASSERT_EQ(0, ima_measure_files(2));
	ASSERT_EQ(0, ima_state_take(&self->files.before));
}

FIXTURE_TEARDOWN(fault)
{
	ima_state_free(&self->files.before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

TEST_F(fault, null_buffer_of_2_to_42_EFAULT)
{
	size_t len;

	for (len = 2; len <= IMA_CMD_MAX; len++) {
		EXPECT_EQ(-EFAULT, ima_write(ASCII_LINK, self->null, len)) {
			TH_LOG("length %zu", len);
		}
	}
	EXPECT_DELETED(0);
}

TEST_F(fault, buffer_ends_in_unmapped_page_EFAULT)
{
	self->edge[-1] = '1';
	EXPECT_EQ(-EFAULT, ima_write(ASCII_LINK, self->edge - 1, 2));
	memset(self->edge - 41, '0', 40);
	EXPECT_EQ(-EFAULT, ima_write(ASCII_LINK, self->edge - 41, IMA_CMD_MAX));
	EXPECT_DELETED(0);
}

TEST_F(fault, command_up_to_the_edge_works)
{
	memcpy(self->edge - 2, "1\n", 2);
	EXPECT_EQ(2, ima_write(ASCII_LINK, self->edge - 2, 2));
	EXPECT_DELETED(1);
}

TEST_F(fault, wrong_length_comes_before_EFAULT)
{
	const size_t len[] = { 0, 1, IMA_CMD_MAX + 1, 4096, 1 << 30 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(len); i++) {
		EXPECT_EQ(-EINVAL, ima_write(ASCII_LINK, self->edge, len[i])) {
			TH_LOG("length %zu", len[i]);
		}
	}
	EXPECT_DELETED(0);
}

/* Threads delete through files of their own while threads measure. */
#define MEASURERS 2
#define DELETERS 2
#define PER_MEASURER 600
#define BATCH 3

struct race {
	atomic_int measuring;
	atomic_long deleted;
	atomic_int error;
};

struct measurer {
	struct race *race;
	int number;
};

static void *measure_thread(void *arg)
{
	struct measurer *me = arg;
	char name[32], data[48];
	int i, ret = 0;

	for (i = 0; i < PER_MEASURER && !ret; i++) {
		snprintf(name, sizeof(name), "race-%d-%06d", me->number, i);
		snprintf(data, sizeof(data), "%s %d", name, getpid());
		ret = ima_measure_file(name, data, strlen(data));
	}
	if (ret)
		atomic_store(&me->race->error, -ret);
	atomic_fetch_sub(&me->race->measuring, 1);
	return NULL;
}

static void *delete_thread(void *arg)
{
	struct race *race = arg;
	int fd = ima_open(BINARY_LINK, O_WRONLY);
	char cmd[IMA_CMD_MAX];
	int len = snprintf(cmd, sizeof(cmd), "%d\n", BATCH);

	if (fd < 0)
		atomic_store(&race->error, -fd);
	while (fd >= 0 && atomic_load(&race->measuring)) {
		if (write(fd, cmd, len) == len)
			atomic_fetch_add(&race->deleted, BATCH);
		else if (errno != ENOENT)
			atomic_store(&race->error, errno);
		else
			sched_yield();
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

/*
 * What a measurer has in the list is the end of its sequence, without a hole.
 * Return: how many of its records there are, or -1.
 */
static long check_sequence(const struct ima_file *ascii, int number)
{
	size_t pos = 0, next;
	int first = -1, expected = 0, seq;
	long n = 0;
	char tag[32], *found;

	snprintf(tag, sizeof(tag), "race-%d-", number);
	for (; pos < ascii->len; pos = next) {
		next = pos + strcspn(ascii->data + pos, "\n") + 1;
		ascii->data[next - 1] = '\0';
		found = strstr(ascii->data + pos, tag);
		ascii->data[next - 1] = '\n';
		if (!found)
			continue;
		seq = atoi(found + strlen(tag));
		if (first < 0) {
			first = seq;
			expected = seq;
		}
		if (seq != expected++)
			return -1;
		n++;
	}
	return n && expected != PER_MEASURER ? -1 : n;
}

static int run_race(struct race *race)
{
	pthread_t thread[MEASURERS + DELETERS];
	struct measurer measurer[MEASURERS];
	int i, started = 0, ret = 0;

	atomic_store(&race->measuring, MEASURERS);
	for (i = 0; i < MEASURERS && !ret; i++) {
		measurer[i] = (struct measurer){ .race = race, .number = i };
		ret = pthread_create(&thread[started], NULL, measure_thread, &measurer[i]);
		started += !ret;
	}
	for (i = 0; i < DELETERS && !ret; i++) {
		ret = pthread_create(&thread[started], NULL, delete_thread, race);
		started += !ret;
	}
	while (started--)
		pthread_join(thread[started], NULL);
	return ret ?: atomic_load(&race->error);
}

TEST_F_TIMEOUT(list, two_threads_delete_while_others_measure_counts_add_up, IMA_TIMEOUT)
{
	struct race race = {};
	struct ima_state after;

	ASSERT_EQ(0, run_race(&race));
	EXPECT_LT(0, atomic_load(&race.deleted));
	ASSERT_EQ(0, ima_state_take(&after));
	EXPECT_EQ(self->files.before.count + MEASURERS * PER_MEASURER -
		  atomic_load(&race.deleted), after.count);
	ima_state_free(&after);
}

TEST_F_TIMEOUT(list, two_threads_delete_while_others_measure_no_hole, IMA_TIMEOUT)
{
	struct race race = {};
	const struct ima_file *ascii;
	struct ima_state after;
	long n = 0, seen;
	unsigned int i;

	ASSERT_EQ(0, run_race(&race));
	ASSERT_EQ(0, ima_state_take(&after));
	ascii = ima_state_file(&after, IMA_ASCII);
	ASSERT_NE(NULL, ascii);
	for (i = 0; i < MEASURERS; i++) {
		seen = check_sequence(ascii, i);
		EXPECT_LE(0, seen);
		n += seen;
	}
	if (atomic_load(&race.deleted) >= self->files.before.count)
		EXPECT_EQ(after.count, n);
	EXPECT_STREQ("", ima_state_broken(&after) ?: "");
	ima_state_free(&after);
}

TEST_HARNESS_MAIN
