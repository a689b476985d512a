// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules for opening (W1) and reading (R1 to R3) on the files of the staged
 * list, and on those of the list while it is staged.
 */
#include <fcntl.h>

#include "../kselftest_harness.h"
#include "ima_state.h"
#include "ima_test.h"
#include "peer.h"
#include "staged.h"

#define NR_RECORDS 10

/*
 * W1
 */
FIXTURE(writer) {
	struct staged_names names;
	struct peer peer;
};

FIXTURE_SETUP(writer)
{
	const char *why = staged_unavailable(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, peer_start(&self->peer));
}

FIXTURE_TEARDOWN(writer)
{
	peer_end(&self->peer);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* Return: how many of all files can be opened for write, or fail not with EBUSY */
static int opens_that_work(const struct staged_names *names)
{
	int i, nr = 0;

	for (i = 0; i < names->nr; i++) {
		nr += ima_try_write(names->list[i]) != -EBUSY;
		nr += ima_try_write(names->staged[i]) != -EBUSY;
	}
	return nr;
}

TEST_F(writer, w1_staged_file_open_every_file_of_second_process_EBUSY)
{
	int i, fd;

	for (i = 0; i < self->names.nr; i++) {
		fd = peer_open(&self->peer, self->names.staged[i], O_WRONLY);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, opens_that_work(&self->names)) {
			TH_LOG("beside %s", self->names.staged[i]);
		}
		ASSERT_EQ(0, peer_do(&self->peer, PEER_CLOSE, fd, 0));
		EXPECT_EQ(2 * self->names.nr, opens_that_work(&self->names));
	}
}

TEST_F(writer, w1_list_file_open_every_file_of_second_process_EBUSY)
{
	int i, fd;

	for (i = 0; i < self->names.nr; i++) {
		fd = peer_open(&self->peer, self->names.list[i], O_RDWR);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, opens_that_work(&self->names)) {
			TH_LOG("beside %s", self->names.list[i]);
		}
		ASSERT_EQ(0, peer_do(&self->peer, PEER_CLOSE, fd, 0));
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
	EXPECT_EQ(-EBUSY, peer_open(&self->peer, IMA_ASCII_STAGED, O_WRONLY));
	while (nr--)
		close(fd[nr]);
	EXPECT_LE(0, peer_open(&self->peer, IMA_ASCII_STAGED, O_WRONLY));
}

TEST_F(writer, w1_sigkill_with_a_staged_file_works)
{
	ASSERT_LE(0, peer_open(&self->peer, IMA_ASCII_STAGED, O_RDWR));
	ASSERT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	peer_kill(&self->peer);
	EXPECT_EQ(0, ima_try_write(IMA_ASCII));
}

TEST_F(writer, r1_staged_files_are_read_beside_a_writer)
{
	size_t len;
	void *data;
	int i;

	ASSERT_LE(0, peer_open(&self->peer, IMA_ASCII_STAGED, O_RDWR));
	for (i = 0; i < self->names.nr; i++) {
		data = ima_read_all(self->names.staged[i], &len);
		EXPECT_NE(NULL, data) {
			TH_LOG("file %s: %s", self->names.staged[i], strerror(errno));
		}
		free(data);
	}
}

/*
 * R1, R2: a reader in another process, of the list and of what is staged
 */
FIXTURE(reader) {
	struct staged_names names;
	struct staged_log log;
	const struct ima_file *file;
	struct peer peer;
	int fd;			/* in the peer */
	char staged[IMA_NAME_MAX];
};

FIXTURE_VARIANT(reader) {
	const char *name;
};

FIXTURE_VARIANT_ADD(reader, ascii) { .name = IMA_ASCII };
FIXTURE_VARIANT_ADD(reader, binary) { .name = IMA_BINARY };

FIXTURE_SETUP(reader)
{
	const char *why = staged_unavailable(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, staged_log_take(&self->log));
	self->file = ima_state_file(&self->log.list, variant->name);
	ASSERT_NE(NULL, self->file);
	staged_name(self->staged, variant->name);
	ASSERT_EQ(0, peer_start(&self->peer));
}

FIXTURE_TEARDOWN(reader)
{
	peer_end(&self->peer);
	staged_log_free(&self->log);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

#define PEER_OPENS(_name)						\
do {									\
	self->fd = peer_open(&self->peer, _name, O_RDONLY);		\
	ASSERT_LE(0, self->fd);						\
} while (0)

static long reader_read(FIXTURE_DATA(reader) *self, long len)
{
	return peer_do(&self->peer, PEER_READ, self->fd, len);
}

static long start_of(const struct ima_file *file, long n)
{
	return ima_skip_records(file, n);
}

TEST_F(reader, r2_stage_list_reader_in_middle_EBUSY)
{
	long len = start_of(self->file, 4);

	PEER_OPENS(variant->name);
	ASSERT_EQ(len, reader_read(self, len));
	EXPECT_EQ(-EBUSY, ima_stage());
	EXPECT_LOG(SAME);
}

TEST_F(reader, r2_stage_list_reader_within_last_record_EBUSY)
{
	PEER_OPENS(variant->name);
	ASSERT_EQ((long)self->file->len - 1, reader_read(self, self->file->len - 1));
	EXPECT_EQ(-EBUSY, ima_stage());
	EXPECT_LOG(SAME);
}

TEST_F(reader, r2_stage_list_reader_in_middle_after_end_of_reading_works)
{
	PEER_OPENS(variant->name);
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, ima_stage());
	ASSERT_EQ((long)self->file->len - 5, reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(self->file->data + 5, self->peer.data, self->file->len - 5));
	EXPECT_EQ(0, ima_stage());
}

TEST_F(reader, r2_t_n_list_reader_in_middle_EBUSY_then_works)
{
	PEER_OPENS(variant->name);
	ASSERT_EQ(5, reader_read(self, 5));
	EXPECT_EQ(-EBUSY, ima_delete_if(IMA_ASCII, self->log.list.removed, 3));
	EXPECT_LOG(SAME);
	ASSERT_EQ(0, peer_do(&self->peer, PEER_LSEEK, self->fd, 0));
	EXPECT_EQ(0, ima_delete_if(IMA_ASCII, self->log.list.removed, 3));
	EXPECT_DELETED_N(3);
}

TEST_F(reader, r1_stage_list_reader_not_begun_works)
{
	PEER_OPENS(variant->name);
	EXPECT_EQ(0, ima_stage());
	EXPECT_LOG(STAGED);
	EXPECT_EQ(0, reader_read(self, 100));
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_TRUE(peer_reads_all_of(&self->peer, self->fd, variant->name));
}

TEST_F(reader, r1_stage_list_reader_at_end_works)
{
	PEER_OPENS(variant->name);
	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, ima_stage());
	EXPECT_LOG(STAGED);
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_TRUE(peer_reads_all_of(&self->peer, self->fd, variant->name));
}

TEST_F(reader, r2_stage_list_reader_rewound_works)
{
	PEER_OPENS(variant->name);
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(0, peer_do(&self->peer, PEER_LSEEK, self->fd, 0));
	EXPECT_EQ(0, ima_stage());
}

TEST_F(reader, r2_stage_EEXIST_before_EBUSY)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(3));
	PEER_OPENS(variant->name);
	ASSERT_EQ(5, reader_read(self, 5));
	EXPECT_EQ(-EEXIST, ima_stage());
}

TEST_F(reader, r2_stage_staged_reader_at_former_batch_works)
{
	ASSERT_EQ(0, ima_stage());
	PEER_OPENS(self->staged);
	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	ASSERT_EQ(0, ima_delete_staged());
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_EQ(0, ima_stage());
	EXPECT_TRUE(peer_reads_all_of(&self->peer, self->fd, self->staged));
}

TEST_F(reader, r2_delete_staged_staged_reader_in_middle_EBUSY)
{
	long len = start_of(self->file, 4) + 7;

	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, staged_log_retake(&self->log));
	PEER_OPENS(self->staged);
	ASSERT_EQ(len, reader_read(self, len));
	EXPECT_EQ(-EBUSY, ima_delete_staged());
	EXPECT_LOG(SAME);
}

TEST_F(reader, r2_delete_staged_one_byte_read_EBUSY)
{
	ASSERT_EQ(0, ima_stage());
	PEER_OPENS(self->staged);
	ASSERT_EQ(1, reader_read(self, 1));
	EXPECT_EQ(-EBUSY, ima_delete_staged());
}

TEST_F(reader, r2_delete_staged_reader_reads_on_then_works)
{
	ASSERT_EQ(0, ima_stage());
	PEER_OPENS(self->staged);
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, ima_delete_staged());
	ASSERT_EQ((long)self->file->len - 5, reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(self->file->data + 5, self->peer.data, self->file->len - 5));
	EXPECT_EQ(0, ima_delete_staged());
}

TEST_F(reader, r2_delete_staged_reader_killed_works)
{
	ASSERT_EQ(0, ima_stage());
	PEER_OPENS(self->staged);
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, ima_delete_staged());
	peer_kill(&self->peer);
	EXPECT_EQ(0, ima_delete_staged());
}

TEST_F(reader, r1_delete_staged_reader_not_begun_works)
{
	ASSERT_EQ(0, ima_stage());
	PEER_OPENS(self->staged);
	EXPECT_EQ(0, ima_delete_staged());
	EXPECT_EQ(0, reader_read(self, 100));
}

TEST_F(reader, r1_delete_staged_reader_at_end_works)
{
	ASSERT_EQ(0, ima_stage());
	PEER_OPENS(self->staged);
	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, ima_delete_staged());
	EXPECT_EQ(0, reader_read(self, 100));
}

TEST_F(reader, r2_delete_staged_list_reader_in_middle_works)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, staged_log_retake(&self->log));
	PEER_OPENS(variant->name);
	ASSERT_EQ(5, reader_read(self, 5));
	EXPECT_EQ(0, ima_delete_staged());
	EXPECT_LOG(DELETED);
}

/* Its own file did not hold up A. It does D of others: it is within the records. */
TEST_F(reader, r2_delete_staged_list_reader_in_middle_of_staged_records_EBUSY)
{
	char buf[5];
	int fd = ima_open(variant->name, O_RDONLY);
	int rw;

	ASSERT_LE(0, fd);
	ASSERT_EQ(5, read(fd, buf, 5));
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, staged_log_retake(&self->log));
	rw = peer_open(&self->peer, self->staged, O_RDWR);
	ASSERT_LE(0, rw);
	EXPECT_EQ(-EBUSY, peer_command(&self->peer, rw, "D\n"));
	EXPECT_LOG(SAME);
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	EXPECT_EQ(2, peer_command(&self->peer, rw, "D\n"));
	EXPECT_LOG(DELETED);
	close(fd);
}

/* It reads every batch, and only looks when one is there. */
TEST_F(reader, r1_staged_reader_for_life_gets_every_batch)
{
	int round;

	PEER_OPENS(self->staged);
	for (round = 0; round < 5; round++) {
		EXPECT_EQ(0, reader_read(self, 100));
		ASSERT_EQ(0, ima_stage());
		EXPECT_TRUE(peer_reads_all_of(&self->peer, self->fd, self->staged));
		ASSERT_EQ(0, ima_delete_staged());
		ASSERT_EQ(0, ima_measure_files(3));
	}
}

TEST_F(reader, r1_list_reader_for_life_beside_batches)
{
	int round;

	PEER_OPENS(variant->name);
	for (round = 0; round < 5; round++) {
		EXPECT_TRUE(peer_reads_all_of(&self->peer, self->fd, variant->name));
		ASSERT_EQ(0, ima_stage());
		EXPECT_EQ(0, reader_read(self, 100));
		ASSERT_EQ(0, ima_delete_staged());
		ASSERT_EQ(0, ima_measure_files(3));
	}
}

/*
 * R3: files of the process that gives the commands, both opened O_RDWR
 */
FIXTURE(own) {
	struct staged_names names;
	struct staged_log log;
	const struct ima_file *file;
	char staged_name[IMA_NAME_MAX];
	int list, staged;
	char *got;
};

FIXTURE_VARIANT(own) {
	const char *name;
};

FIXTURE_VARIANT_ADD(own, ascii) { .name = IMA_ASCII };
FIXTURE_VARIANT_ADD(own, binary) { .name = IMA_BINARY };

FIXTURE_SETUP(own)
{
	const char *why = staged_unavailable(&self->names);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, staged_log_take(&self->log));
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
	staged_log_free(&self->log);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

#define STAGE() ASSERT_EQ(2, write(self->staged, "A\n", 2))
#define DELETE_STAGED() ASSERT_EQ(2, write(self->staged, "D\n", 2))

TEST_F(own, r3_one_file_a_read_d_a_read_gives_the_second_batch)
{
	int round;

	for (round = 0; round < 5; round++) {
		STAGE();
		EXPECT_TRUE(ima_reads_all_of(self->staged, self->staged_name));
		EXPECT_EQ(0, ima_read_one(self->staged));
		DELETE_STAGED();
		ASSERT_EQ(0, ima_measure_files(3 + round));
	}
}

TEST_F(own, r3_one_file_eof_between_batches)
{
	EXPECT_EQ(0, ima_read_one(self->staged));
	STAGE();
	EXPECT_TRUE(ima_reads_all_of(self->staged, self->staged_name));
	DELETE_STAGED();
	EXPECT_EQ(0, ima_read_one(self->staged));
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_EQ(0, ima_read_one(self->staged));
	STAGE();
	EXPECT_TRUE(ima_reads_all_of(self->staged, self->staged_name));
}

TEST_F(own, r3_batch_deleted_unread_is_noticed_ESTALE)
{
	STAGE();
	ASSERT_TRUE(ima_reads_all_of(self->staged, self->staged_name));
	DELETE_STAGED();
	ASSERT_EQ(0, ima_measure_files(3));
	STAGE();
	DELETE_STAGED();
	ASSERT_EQ(0, ima_measure_files(3));
	STAGE();
	EXPECT_EQ(-ESTALE, ima_read_one(self->staged));
	EXPECT_EQ(-ESTALE, ima_read_one(self->staged));
	EXPECT_EQ(0, lseek(self->staged, 0, SEEK_SET));
	EXPECT_TRUE(ima_reads_all_of(self->staged, self->staged_name));
}

TEST_F(own, r3_records_deleted_by_n_between_batches_are_noticed_ESTALE)
{
	STAGE();
	ASSERT_TRUE(ima_reads_all_of(self->staged, self->staged_name));
	DELETE_STAGED();
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, ima_delete(2));
	STAGE();
	EXPECT_EQ(-ESTALE, ima_read_one(self->staged));
	EXPECT_EQ(0, lseek(self->staged, 0, SEEK_SET));
	EXPECT_TRUE(ima_reads_all_of(self->staged, self->staged_name));
}

TEST_F(own, r3_half_read_batch_deleted_ESTALE_until_lseek_0)
{
	STAGE();
	ASSERT_TRUE(ima_reads_exactly(self->staged, self->file, 0, start_of(self->file, 4)));
	DELETE_STAGED();
	EXPECT_EQ(-ESTALE, ima_read_one(self->staged));
	ASSERT_EQ(0, ima_measure_files(3));
	STAGE();
	EXPECT_EQ(-ESTALE, ima_read_one(self->staged));
	EXPECT_EQ(0, lseek(self->staged, 0, SEEK_SET));
	EXPECT_TRUE(ima_reads_all_of(self->staged, self->staged_name));
}

TEST_F(own, r3_half_read_batch_reads_on_beside_new_records)
{
	size_t half = start_of(self->file, 4) + 5;

	STAGE();
	ASSERT_TRUE(ima_reads_exactly(self->staged, self->file, 0, half));
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_TRUE(ima_reads_exactly(self->staged, self->file, half, self->file->len));
	EXPECT_EQ(0, ima_read_one(self->staged));
}

/* The writer's own files are not counted, but what they lose they notice. */
TEST_F(own, r2_own_half_read_list_file_does_not_hold_up_a)
{
	ASSERT_EQ(1, ima_read_one(self->list));
	STAGE();
	EXPECT_LOG(STAGED);
}

TEST_F(own, r2_own_half_read_staged_file_does_not_hold_up_d)
{
	STAGE();
	ASSERT_EQ(0, staged_log_retake(&self->log));
	ASSERT_EQ(1, ima_read_one(self->staged));
	DELETE_STAGED();
	EXPECT_LOG(DELETED);
}

TEST_F(own, r3_half_read_list_file_after_a_ESTALE_until_lseek_0)
{
	ASSERT_TRUE(ima_reads_exactly(self->list, self->file, 0, start_of(self->file, 4)));
	STAGE();
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_EQ(-ESTALE, ima_read_one(self->list));
	EXPECT_EQ(-ESTALE, ima_read_one(self->list));
	EXPECT_EQ(0, lseek(self->list, 0, SEEK_SET));
	EXPECT_TRUE(ima_reads_all_of(self->list, variant->name));
}

TEST_F(own, r3_list_file_at_end_reads_on_across_a_and_d)
{
	ASSERT_TRUE(ima_reads_exactly(self->list, self->file, 0, self->file->len));
	ASSERT_EQ(0, ima_read_one(self->list));
	STAGE();
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_TRUE(ima_reads_all_of(self->list, variant->name));
	DELETE_STAGED();
	EXPECT_EQ(0, ima_read_one(self->list));
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
	ASSERT_EQ((long)half, ima_read_full(self->list, self->got, half));
	DELETE_STAGED();
	EXPECT_EQ((long)(len - half),
		  ima_read_full(self->list, self->got + half, PEER_DATA_MAX / 2));
	EXPECT_EQ(0, memcmp(data, self->got, len));
	free(data);
}

TEST_F(own, r3_pread_of_the_staged_file_works_and_after_d_ESTALE)
{
	size_t at = start_of(self->file, 3) + 9;

	STAGE();
	ASSERT_TRUE(ima_reads_exactly(self->staged, self->file, 0, start_of(self->file, 5)));
	EXPECT_EQ(50, pread(self->staged, self->got, 50, at));
	EXPECT_EQ(0, memcmp(self->file->data + at, self->got, 50));
	EXPECT_TRUE(ima_reads_exactly(self->staged, self->file, start_of(self->file, 5),
				      self->file->len));
	DELETE_STAGED();
	EXPECT_EQ(-ESTALE, ima_minus_errno(pread(self->staged, self->got, 50, at)));
}

TEST_HARNESS_MAIN
