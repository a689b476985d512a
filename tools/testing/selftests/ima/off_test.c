// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel with CONFIG_IMA_STAGING=n, the default: the files of the measurement
 * list are as they were before there was the option, and take no command.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "ima_state.h"
#include "ima_test.h"

#define LIST "ascii_runtime_measurements_sha1"
#define NR_RECORDS 10

FIXTURE(off)
{
	char name[IMA_FILES_MAX][IMA_NAME_MAX];
	int nr;
	struct ima_state before;
};

FIXTURE_SETUP(off)
{
	const char *why = ima_measure_unavailable();

	if (!why && ima_removed() >= 0)
		why = "CONFIG_IMA_STAGING is on";
	if (why)
		SKIP(return, "%s", why);
	self->nr = ima_list_names(self->name, true);
	ASSERT_LT(0, self->nr);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&self->before));
}

FIXTURE_TEARDOWN(off)
{
	ima_state_free(&self->before);
}

/* Nobody can write to them, and what is staged or removed has no file. */
TEST_F(off, modes_and_names)
{
	char path[sizeof(IMA_DIR) + IMA_NAME_MAX];
	struct stat st;
	int i;

	for (i = 0; i < self->nr; i++) {
		snprintf(path, sizeof(path), IMA_DIR "/%s", self->name[i]);
		ASSERT_EQ(0, stat(path, &st));
		EXPECT_EQ(S_IFREG | 0440U, st.st_mode) TH_LOG("%s", path);
		EXPECT_EQ(NULL, strstr(path, "_staged"));
	}
	EXPECT_EQ(-ENOENT, ima_removed());
	EXPECT_EQ(-ENOENT, ima_open(LIST "_staged", O_RDONLY));
	EXPECT_EQ(-ENOENT, ima_open("ascii_runtime_measurements_staged", O_RDONLY));
	EXPECT_EQ(-ENOENT, ima_open("binary_runtime_measurements_staged", O_RDONLY));
}

/* Root's capabilities open a file of any mode, but there is nothing behind it. */
TEST_F(off, commands_are_refused)
{
	static const char * const commands[] = { "1\n", "0:1\n", "A\n", "D\n", "1", "" };
	const char *differs;
	size_t c, len;
	int i, fd;

	for (i = 0; i < self->nr; i++) {
		fd = ima_open(self->name[i], O_RDWR);
		ASSERT_LE(0, fd);
		for (c = 0; c < ARRAY_SIZE(commands); c++) {
			len = strlen(commands[c]);
			EXPECT_EQ(-1, write(fd, commands[c], len));
			EXPECT_EQ(EINVAL, errno) TH_LOG("%s", self->name[i]);
			EXPECT_EQ(-1, pwrite(fd, commands[c], len, 0));
		}
		close(fd);
	}
	differs = ima_state_differs(&self->before, 0);
	EXPECT_EQ(NULL, differs) TH_LOG("%s", differs);
}

/* There is no writer to be the only one. */
TEST_F(off, opening_is_not_counted)
{
	int mine = ima_open(LIST, O_RDWR), status;
	pid_t child;

	ASSERT_LE(0, mine);
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(ima_open(LIST, O_RDWR) < 0);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	close(mine);
}

TEST_F(off, others_may_not_open_for_write)
{
	int status;
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child) {
		if (become_nobody())
			_exit(2);
		_exit(ima_open(LIST, O_WRONLY) != -EACCES);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* Measuring and reading are as ever: once per event, and to the end. */
TEST_F(off, events_are_measured_once)
{
	long count = ima_count();
	char name[32];
	size_t before, after;

	free(ima_read_all(LIST, &before));
	snprintf(name, sizeof(name), "off-%ld", count);
	ASSERT_EQ(0, ima_measure_file(name, name, sizeof(name)));
	EXPECT_EQ(count + 1, ima_count());
	ASSERT_EQ(0, ima_measure_file(name, name, sizeof(name)));
	EXPECT_EQ(count + 1, ima_count());
	free(ima_read_all(LIST, &after));
	EXPECT_LT(before, after);
}

TEST_HARNESS_MAIN
