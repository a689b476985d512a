// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may open the measurement list: for write one process at a time (W1), for
 * read everybody (R1).
 */
#include <fcntl.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "peer.h"

#define NR_PEERS 2

FIXTURE(writer) {
	struct peer peer[NR_PEERS];
	char name[IMA_FILES_MAX][IMA_NAME_MAX];
	int nr;
};

FIXTURE_SETUP(writer)
{
	const char *why = ima_test_unavailable();
	int i;

	if (why)
		SKIP(return, "%s", why);
	self->nr = ima_list_names(self->name, true);
	ASSERT_LT(0, self->nr);
	for (i = 0; i < NR_PEERS; i++)
		ASSERT_EQ(0, peer_start(&self->peer[i]));
}

FIXTURE_TEARDOWN(writer)
{
	int i;

	for (i = 0; i < NR_PEERS; i++)
		peer_end(&self->peer[i]);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* Return: how many of all files and ways to open them for write are not busy */
static int opens_that_work(const FIXTURE_DATA(writer) *self)
{
	int i, fd, nr = 0;

	for (i = 0; i < 2 * self->nr; i++) {
		fd = ima_open(self->name[i / 2], i & 1 ? O_RDWR : O_WRONLY);
		nr += fd != -EBUSY;
		if (fd >= 0)
			close(fd);
	}
	return nr;
}

static int try_write_in_child(const char *name)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-ima_try_write(name));
	return -ima_wait_exit(pid);
}

TEST_F_TIMEOUT(writer, w1_any_file_of_second_process_EBUSY, IMA_TIMEOUT)
{
	int i, fd;

	for (i = 0; i < self->nr; i++) {
		fd = peer_open(&self->peer[0], self->name[i], O_WRONLY);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, opens_that_work(self)) {
			TH_LOG("beside %s", self->name[i]);
		}
		ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, fd, 0));
	}
}

TEST_F(writer, w1_rdwr_is_a_writer_too_EBUSY)
{
	ASSERT_LE(0, peer_open(&self->peer[0], IMA_BINARY, O_RDWR));
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
}

TEST_F(writer, w1_after_close_works)
{
	int fd = peer_open(&self->peer[0], IMA_ASCII, O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(0, ima_try_write(IMA_ASCII));
}

TEST_F(writer, w1_any_number_of_files_of_one_process_works)
{
	int i, round, nr = 0, fd[IMA_FILES_MAX * 4];

	for (round = 0; round < 4; round++) {
		for (i = 0; i < self->nr; i++) {
			fd[nr] = ima_open(self->name[i], round & 1 ? O_RDWR : O_WRONLY);
			ASSERT_LE(0, fd[nr]);
			nr++;
		}
	}
	EXPECT_EQ(-EBUSY, peer_open(&self->peer[0], IMA_ASCII, O_WRONLY));
	while (nr--)
		close(fd[nr]);
	EXPECT_LE(0, peer_open(&self->peer[0], IMA_ASCII, O_WRONLY));
}

TEST_F(writer, w1_other_thread_of_writer_works)
{
	ASSERT_LE(0, peer_open(&self->peer[0], IMA_ASCII, O_WRONLY));
	EXPECT_LE(0, peer_open_thread(&self->peer[0], IMA_BINARY, O_WRONLY));
}

TEST_F(writer, w1_thread_opened_and_ended_process_is_the_writer)
{
	int fd = peer_open_thread(&self->peer[0], IMA_BINARY, O_WRONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	EXPECT_LE(0, peer_open(&self->peer[0], IMA_ASCII, O_WRONLY));
}

TEST_F(writer, w1_one_of_two_closed_EBUSY)
{
	int a = peer_open(&self->peer[0], IMA_ASCII, O_WRONLY);
	int b = peer_open(&self->peer[0], IMA_BINARY, O_RDWR);

	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, a, 0));
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, b, 0));
	EXPECT_EQ(0, ima_try_write(IMA_ASCII));
}

TEST_F(writer, w1_refused_open_leaves_no_writer)
{
	int fd = peer_open(&self->peer[0], IMA_ASCII, O_WRONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	EXPECT_EQ(-EBUSY, peer_open(&self->peer[1], IMA_ASCII, O_WRONLY));
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_LE(0, peer_open(&self->peer[1], IMA_ASCII, O_WRONLY));
	EXPECT_EQ(-EBUSY, peer_open(&self->peer[0], IMA_ASCII, O_WRONLY));
}

TEST_F(writer, w1_after_fork_child_exits_parent_is_still_writer)
{
	ASSERT_LE(0, peer_open(&self->peer[0], IMA_ASCII, O_WRONLY));
	ASSERT_LT(0, peer_fork(&self->peer[0]));
	ASSERT_LT(0, peer_fork_end(&self->peer[0]));
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	EXPECT_LE(0, peer_open(&self->peer[0], IMA_BINARY, O_WRONLY));
}

TEST_F(writer, w1_after_fork_both_closed_works)
{
	int fd = peer_open(&self->peer[0], IMA_ASCII, O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_LT(0, peer_fork(&self->peer[0]));
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	ASSERT_LT(0, peer_fork_end(&self->peer[0]));
	EXPECT_EQ(0, ima_poll_write(IMA_ASCII));
}

TEST_F(writer, w1_child_keeps_the_file_of_a_killed_parent_EBUSY)
{
	ASSERT_LE(0, peer_open(&self->peer[0], IMA_ASCII, O_WRONLY));
	ASSERT_LT(0, peer_fork(&self->peer[0]));
	peer_kill(&self->peer[0]);
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	peer_end(&self->peer[0]);
	EXPECT_EQ(0, ima_poll_write(IMA_ASCII));
}

/* The killed writer's task is free for reuse; nobody new may pass for it. */
TEST_F_TIMEOUT(writer, w1_new_process_does_not_pass_for_a_dead_writer_EBUSY, IMA_TIMEOUT)
{
	int i;

	ASSERT_LE(0, peer_open(&self->peer[0], IMA_ASCII, O_WRONLY));
	ASSERT_LT(0, peer_fork(&self->peer[0]));
	peer_kill(&self->peer[0]);
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(-EBUSY, try_write_in_child(IMA_ASCII)) {
			TH_LOG("process %d", i);
		}
	}
	peer_end(&self->peer[0]);
	EXPECT_EQ(0, ima_poll_write(IMA_ASCII));
}

TEST_F(writer, w1_dup_keeps_the_writer_EBUSY)
{
	int fd = peer_open(&self->peer[0], IMA_ASCII, O_WRONLY);
	int copy = peer_do(&self->peer[0], PEER_DUP, fd, 0);

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, copy, 0));
	EXPECT_EQ(0, ima_try_write(IMA_ASCII));
}

TEST_F(writer, w1_scm_rights_third_process_EBUSY_until_receiver_closes)
{
	int fd = peer_open(&self->peer[0], IMA_ASCII, O_WRONLY);
	int passed;

	ASSERT_LE(0, fd);
	passed = peer_pass_file(&self->peer[0], fd, &self->peer[1]);
	ASSERT_LE(0, passed);
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	ASSERT_EQ(0, peer_do(&self->peer[1], PEER_CLOSE, passed, 0));
	EXPECT_EQ(0, ima_poll_write(IMA_ASCII));
}

TEST_F(writer, w1_scm_rights_opener_killed_third_process_EBUSY)
{
	int fd = peer_open(&self->peer[0], IMA_ASCII, O_WRONLY);
	int passed;

	ASSERT_LE(0, fd);
	passed = peer_pass_file(&self->peer[0], fd, &self->peer[1]);
	ASSERT_LE(0, passed);
	peer_kill(&self->peer[0]);
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	peer_kill(&self->peer[1]);
	EXPECT_EQ(0, ima_poll_write(IMA_ASCII));
}

TEST_F(writer, w1_close_in_other_thread_works)
{
	int fd = peer_open(&self->peer[0], IMA_ASCII, O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE_THREAD, fd, 0));
	EXPECT_EQ(0, ima_poll_write(IMA_ASCII));
}

TEST_F(writer, w1_close_in_other_task_works)
{
	int fd = peer_open(&self->peer[0], IMA_ASCII, O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE_TASK, fd, 0));
	EXPECT_EQ(0, ima_poll_write(IMA_ASCII));
}

TEST_F(writer, w1_sigkill_of_threads_with_two_files_works)
{
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_THREADS, 0, 4));
	ASSERT_LE(0, peer_open(&self->peer[0], IMA_ASCII, O_WRONLY));
	ASSERT_LE(0, peer_open_thread(&self->peer[0], IMA_BINARY, O_RDWR));
	peer_kill(&self->peer[0]);
	EXPECT_EQ(0, ima_poll_write(IMA_ASCII));
}

TEST_F(writer, r1_read_beside_a_writer_works)
{
	size_t len;
	void *data;
	int i;

	ASSERT_LE(0, peer_open(&self->peer[0], IMA_ASCII, O_WRONLY));
	for (i = 0; i < self->nr; i++) {
		data = ima_read_all(self->name[i], &len);
		EXPECT_NE(NULL, data) {
			TH_LOG("file %s: %s", self->name[i], strerror(errno));
		}
		free(data);
	}
}

TEST_HARNESS_MAIN
