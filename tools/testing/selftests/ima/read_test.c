// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the measurement list while records are deleted: readers that never
 * are in the way (R1) or are (R2), and a file's place in a list that loses its
 * first records (R3).
 */
#include <fcntl.h>

#include "../kselftest_harness.h"
#include "ima_state.h"
#include "ima_test.h"
#include "peer.h"

#define NR_RECORDS 10

/*
 * R1 and R2: a reader in another process, on each kind of file
 */
FIXTURE(reader) {
	struct peer peer;
	struct ima_state before;
	const struct ima_file *file;
	int fd;			/* in the peer */
};

FIXTURE_VARIANT(reader) {
	const char *name;
};

FIXTURE_VARIANT_ADD(reader, ascii) { .name = IMA_ASCII };
FIXTURE_VARIANT_ADD(reader, binary) { .name = IMA_BINARY };

FIXTURE_SETUP(reader)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->file = ima_state_file(&self->before, variant->name);
	ASSERT_NE(NULL, self->file);
	ASSERT_EQ(self->file->len, ima_skip_records(self->file, self->before.count));
	ASSERT_EQ(0, peer_start(&self->peer));
	self->fd = peer_open(&self->peer, variant->name, O_RDONLY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(reader)
{
	peer_end(&self->peer);
	ima_state_free(&self->before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* Where record @n begins in the list that was there at the start. */
static long start_of(const FIXTURE_DATA(reader) *self, long n)
{
	return ima_skip_records(self->file, n);
}

static long reader_read(FIXTURE_DATA(reader) *self, long len)
{
	return peer_do(&self->peer, PEER_READ, self->fd, len);
}

#define EXPECT_DELETED(_n) EXPECT_STREQ("", ima_state_differs(&self->before, _n) ?: "")

TEST_F(reader, r1_idle_reader_deletion_works)
{
	EXPECT_EQ(0, ima_delete(4));
	EXPECT_DELETED(4);
}

TEST_F(reader, r1_idle_reader_then_reads_the_remaining_list)
{
	ASSERT_EQ(0, ima_delete(4));
	EXPECT_EQ(self->file->len - start_of(self, 4), (size_t)reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(self->file->data + start_of(self, 4), self->peer.data,
			    self->file->len - start_of(self, 4)));
}

TEST_F(reader, r1_idle_reader_all_deleted_reads_new_records)
{
	ASSERT_EQ(0, ima_delete(self->before.count));
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_TRUE(peer_reads_all_of(&self->peer, self->fd, variant->name));
}

TEST_F(reader, r1_reader_whose_first_read_was_EFAULT_deletion_works)
{
	void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = ima_open(variant->name, O_RDONLY);

	ASSERT_NE(MAP_FAILED, nowhere);
	ASSERT_LE(0, fd);
	ASSERT_EQ(-EFAULT, ima_minus_errno(read(fd, nowhere, 4096)));
	EXPECT_EQ(0, ima_other_process_deletes_all());
	close(fd);
	munmap(nowhere, 4096);
}

TEST_F(reader, r1_reader_at_end_deletion_of_all_works)
{
	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, ima_delete(self->before.count));
	EXPECT_DELETED(self->before.count);
}

TEST_F(reader, r1_reader_at_end_reads_on_after_deletion_of_all)
{
	int round;

	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, ima_delete(ima_count()));
		EXPECT_EQ(0, reader_read(self, 100));
		ASSERT_EQ(0, ima_measure_files(3));
		EXPECT_TRUE(peer_reads_all_of(&self->peer, self->fd, variant->name));
	}
}

TEST_F(reader, r1_reader_at_end_reads_on_after_deletion_of_some)
{
	struct ima_state after;
	const struct ima_file *file;
	size_t old;

	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	ASSERT_EQ(0, ima_delete(self->before.count - 2));
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, ima_state_take(&after));
	file = ima_state_file(&after, variant->name);
	old = ima_skip_records(file, 2);
	EXPECT_EQ(file->len - old, (size_t)reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(file->data + old, self->peer.data, file->len - old));
	ima_state_free(&after);
}

TEST_F(reader, r1_reader_at_old_end_of_grown_list_deletion_of_all_works)
{
	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	ASSERT_EQ(0, ima_measure_files(4));
	EXPECT_EQ(0, ima_delete(ima_count()));
	EXPECT_EQ(0, ima_count());
}

TEST_F(reader, r1_reader_at_old_end_of_grown_list_then_all_deleted_ESTALE)
{
	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	ASSERT_EQ(0, ima_measure_files(4));
	ASSERT_EQ(0, ima_delete(ima_count()));
	EXPECT_EQ(-ESTALE, reader_read(self, 100));
	EXPECT_EQ(-ESTALE, reader_read(self, 100));
	EXPECT_EQ(0, peer_do(&self->peer, PEER_LSEEK, self->fd, 0));
	EXPECT_EQ(0, reader_read(self, 100));
	ASSERT_EQ(0, ima_measure_files(2));
	EXPECT_TRUE(peer_reads_all_of(&self->peer, self->fd, variant->name));
}

TEST_F(reader, r2_other_reader_in_middle_EBUSY)
{
	ASSERT_EQ(start_of(self, 2), reader_read(self, start_of(self, 2)));
	EXPECT_EQ(-EBUSY, ima_delete(3));
	EXPECT_DELETED(0);
	EXPECT_EQ(-EBUSY, ima_delete(self->before.count));
	EXPECT_DELETED(0);
}

TEST_F(reader, r2_one_byte_of_first_record_read_is_the_middle_EBUSY)
{
	ASSERT_EQ(1, reader_read(self, 1));
	EXPECT_EQ(-EBUSY, ima_delete(1));
	EXPECT_EQ(-EBUSY, ima_delete(2));
	EXPECT_DELETED(0);
}

TEST_F(reader, r2_partially_read_record_is_the_middle_EBUSY)
{
	ASSERT_EQ(start_of(self, 3) + 5, reader_read(self, start_of(self, 3) + 5));
	EXPECT_EQ(-EBUSY, ima_delete(4));
	EXPECT_DELETED(0);
}

TEST_F(reader, r2_all_but_one_byte_of_the_last_record_EBUSY)
{
	ASSERT_EQ(start_of(self, 4) - 1, reader_read(self, start_of(self, 4) - 1));
	EXPECT_EQ(-EBUSY, ima_delete(4));
	EXPECT_DELETED(0);
}

TEST_F(reader, r2_records_before_a_partially_read_one_works)
{
	ASSERT_EQ(start_of(self, 3) + 5, reader_read(self, start_of(self, 3) + 5));
	EXPECT_EQ(0, ima_delete(3));
	EXPECT_DELETED(3);
}

TEST_F(reader, r2_reader_just_past_works)
{
	ASSERT_EQ(start_of(self, 4), reader_read(self, start_of(self, 4)));
	EXPECT_EQ(0, ima_delete(4));
	EXPECT_DELETED(4);
}

TEST_F(reader, r2_reader_far_past_works)
{
	ASSERT_EQ(start_of(self, 8), reader_read(self, start_of(self, 8)));
	EXPECT_EQ(0, ima_delete(3));
	EXPECT_EQ(0, ima_delete(2));
	EXPECT_DELETED(5);
}

/* As a parser reads: header and data. */
TEST_F(reader, r2_reader_of_whole_records_is_not_within_the_next_one_works)
{
	long i, size;

	for (i = 0; i < 4; i++) {
		size = start_of(self, i + 1) - start_of(self, i);
		ASSERT_EQ(5, reader_read(self, 5));
		ASSERT_EQ(size - 5, reader_read(self, size - 5));
	}
	EXPECT_EQ(-EBUSY, ima_delete(5));
	EXPECT_EQ(0, ima_delete(4));
	EXPECT_EQ(0, ima_delete(1));
	EXPECT_DELETED(5);
}

TEST_F(reader, r2_place_is_where_the_last_read_was_pread_too)
{
	ASSERT_EQ(start_of(self, 4), reader_read(self, start_of(self, 4)));
	EXPECT_EQ(-EBUSY, ima_delete(6));
	ASSERT_EQ(1, peer_do(&self->peer, PEER_PREAD, self->fd, 3));
	EXPECT_EQ(-EBUSY, ima_delete(1));
	ASSERT_EQ(1, peer_do(&self->peer, PEER_PREAD, self->fd, start_of(self, 7) + 9));
	EXPECT_EQ(-EBUSY, ima_delete(8));
	EXPECT_EQ(0, ima_delete(6));
	EXPECT_DELETED(6);
}

TEST_F(reader, r2_place_is_not_where_lseek_was)
{
	long end = self->file->len;

	ASSERT_EQ(start_of(self, 4), reader_read(self, start_of(self, 4)));
	ASSERT_EQ(end, peer_do(&self->peer, PEER_LSEEK, self->fd, end));
	EXPECT_EQ(-EBUSY, ima_delete(6));
	ASSERT_EQ(0, peer_do(&self->peer, PEER_LSEEK, self->fd, 0));
	EXPECT_EQ(0, ima_delete(6));
	EXPECT_DELETED(6);
}

TEST_F(reader, r1_reader_that_only_moved_its_place_deletion_works)
{
	ASSERT_EQ(start_of(self, 4) + 9,
		  peer_do(&self->peer, PEER_LSEEK, self->fd, start_of(self, 4) + 9));
	EXPECT_EQ(0, ima_delete(6));
	EXPECT_DELETED(6);
}

TEST_F(reader, r2_idle_reader_after_an_earlier_deletion_works)
{
	ASSERT_EQ(0, ima_delete(2));
	EXPECT_EQ(0, ima_delete(2));
	EXPECT_DELETED(4);
}

TEST_F(reader, r2_after_reading_on_to_the_end_works)
{
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, ima_delete(self->before.count));
	ASSERT_EQ((long)self->file->len - 5, reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, ima_delete(self->before.count));
}

TEST_F(reader, r2_after_lseek_0_works)
{
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, ima_delete(2));
	ASSERT_EQ(0, peer_do(&self->peer, PEER_LSEEK, self->fd, 0));
	EXPECT_EQ(0, ima_delete(2));
	EXPECT_TRUE(peer_reads_all_of(&self->peer, self->fd, variant->name));
}

TEST_F(reader, r2_after_close_works)
{
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, ima_delete(2));
	ASSERT_EQ(0, peer_do(&self->peer, PEER_CLOSE, self->fd, 0));
	EXPECT_EQ(0, ima_delete(2));
}

TEST_F(reader, r2_after_sigkill_works)
{
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, ima_delete(2));
	peer_kill(&self->peer);
	EXPECT_EQ(0, ima_delete(2));
}

TEST_F(reader, r2_refused_command_does_not_disturb_the_reader)
{
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, ima_delete(2));
	ASSERT_EQ((long)self->file->len - 5, reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(self->file->data + 5, self->peer.data, self->file->len - 5));
}

TEST_F(reader, r2_ENOENT_comes_before_EBUSY)
{
	ASSERT_EQ(5, reader_read(self, 5));
	EXPECT_EQ(-ENOENT, ima_delete(self->before.count + 1));
	EXPECT_DELETED(0);
}

TEST_F(reader, r2_own_half_read_files_of_the_writer_work)
{
	char buf[5];
	int ro = ima_open(variant->name, O_RDONLY);
	int rw = ima_open(variant->name, O_RDWR);

	ASSERT_LE(0, ro);
	ASSERT_LE(0, rw);
	ASSERT_EQ(5, read(ro, buf, 5));
	ASSERT_EQ(5, read(rw, buf, 5));
	EXPECT_EQ(2, write(rw, "3\n", 2));
	EXPECT_DELETED(3);
	close(ro);
	close(rw);
}

TEST_F(reader, r2_half_read_file_of_a_former_writer_EBUSY)
{
	int rw = peer_open(&self->peer, variant->name, O_RDWR);

	ASSERT_LE(0, rw);
	ASSERT_EQ(2, peer_command(&self->peer, rw, "1\n"));
	ASSERT_EQ(0, peer_do(&self->peer, PEER_CLOSE, rw, 0));
	ASSERT_EQ(5, reader_read(self, 5));
	EXPECT_EQ(-EBUSY, ima_delete(1));
	EXPECT_DELETED(1);
}

/*
 * R3 with reads of all sizes: delete what is read, all the time
 */
FIXTURE(place) {
	struct ima_state before;
	const struct ima_file *file;
	char *got;
};

FIXTURE_VARIANT(place) {
	const char *name;
	size_t chunk;
	unsigned int records;
};

FIXTURE_VARIANT_ADD(place, ascii_1) { .name = IMA_ASCII, .chunk = 1, .records = 30 };
FIXTURE_VARIANT_ADD(place, ascii_7) { .name = IMA_ASCII, .chunk = 7, .records = 60 };
FIXTURE_VARIANT_ADD(place, ascii_4095) { .name = IMA_ASCII, .chunk = 4095, .records = 300 };
FIXTURE_VARIANT_ADD(place, ascii_64K_1) { .name = IMA_ASCII, .chunk = 65537, .records = 1200 };
FIXTURE_VARIANT_ADD(place, binary_1) { .name = IMA_BINARY, .chunk = 1, .records = 30 };
FIXTURE_VARIANT_ADD(place, binary_7) { .name = IMA_BINARY, .chunk = 7, .records = 60 };
FIXTURE_VARIANT_ADD(place, binary_4095) { .name = IMA_BINARY, .chunk = 4095, .records = 300 };
FIXTURE_VARIANT_ADD(place, binary_64K_1) { .name = IMA_BINARY, .chunk = 65537, .records = 1200 };

FIXTURE_SETUP(place)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(variant->records));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->file = ima_state_file(&self->before, variant->name);
	ASSERT_NE(NULL, self->file);
	self->got = malloc(PEER_DATA_MAX);
	ASSERT_NE(NULL, self->got);
	ASSERT_GT((size_t)PEER_DATA_MAX, self->file->len);
}

FIXTURE_TEARDOWN(place)
{
	ima_state_free(&self->before);
	free(self->got);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* How many whole records are in the first @len bytes? */
static long whole_records(const struct ima_file *file, size_t len)
{
	struct ima_file part = *file;
	long n = 0;
	size_t end = 0;

	part.len = len;
	while (end < len) {
		part.data = file->data + end;
		part.len = len - end;
		if (ima_skip_records(&part, 1) == SIZE_MAX)
			break;
		end += ima_skip_records(&part, 1);
		n++;
	}
	return n;
}

/* Read one chunk more; Return: bytes read now, 0 at the end, or -errno */
static long read_chunk(FIXTURE_DATA(place) *self, struct peer *peer, int fd, size_t chunk,
		       size_t done)
{
	long n;

	if (!peer)
		return ima_minus_errno(read(fd, self->got + done, chunk));
	n = peer_do(peer, PEER_READ, fd, chunk);
	if (n > 0)
		memcpy(self->got + done, peer->data, n);
	return n;
}

/*
 * Read in chunks to the end; after each, delete what has been read.
 * Return: bytes read, or -errno
 */
static long read_and_delete(FIXTURE_DATA(place) *self, struct peer *peer, int fd, size_t chunk)
{
	size_t done = 0, max;
	long n, read, deleted = 0;
	int ret;

	for (;;) {
		max = PEER_DATA_MAX - done;
		n = read_chunk(self, peer, fd, chunk < max ? chunk : max, done);
		if (n <= 0)
			return n < 0 ? n : (long)done;
		done += n;
		if (done > self->file->len)
			return -EOVERFLOW;
		read = whole_records(self->file, done);
		if (read == deleted)
			continue;
		ret = ima_delete(read - deleted);
		if (ret)
			return ret;
		deleted = read;
	}
}

TEST_F_TIMEOUT(place, r3_other_process_reads_on_byte_exact, IMA_TIMEOUT)
{
	struct peer peer = {};
	int fd;

	ASSERT_EQ(0, peer_start(&peer));
	fd = peer_open(&peer, variant->name, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ((long)self->file->len, read_and_delete(self, &peer, fd, variant->chunk));
	EXPECT_EQ(0, memcmp(self->file->data, self->got, self->file->len));
	EXPECT_EQ(0, ima_count());
	peer_kill(&peer);
}

TEST_F_TIMEOUT(place, r3_own_file_reads_on_byte_exact, IMA_TIMEOUT)
{
	int fd = ima_open(variant->name, O_RDONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ((long)self->file->len, read_and_delete(self, NULL, fd, variant->chunk));
	EXPECT_EQ(0, memcmp(self->file->data, self->got, self->file->len));
	EXPECT_EQ(0, ima_count());
	close(fd);
}

TEST_F_TIMEOUT(place, r3_two_deletions_then_reads_on_byte_exact, IMA_TIMEOUT)
{
	int fd = ima_open(variant->name, O_RDWR);
	size_t half;
	long rest;

	ASSERT_LE(0, fd);
	half = ima_skip_records(self->file, self->before.count / 2) + 3;
	ASSERT_EQ((long)half, ima_read_chunks(fd, self->got, half, variant->chunk));
	EXPECT_EQ(2, write(fd, "3\n", 2));
	EXPECT_EQ(2, write(fd, "4\n", 2));
	rest = self->file->len - half;
	EXPECT_EQ(rest, ima_read_chunks(fd, self->got + half, PEER_DATA_MAX - half,
					variant->chunk));
	EXPECT_EQ(0, memcmp(self->file->data, self->got, self->file->len));
	close(fd);
}

/*
 * R3 in detail: files of the process that deletes
 */
FIXTURE(own) {
	struct ima_state before;
	const struct ima_file *file;
	char *got;
	int fd, other;
};

FIXTURE_VARIANT(own) {
	const char *name;
	int flags;
};

FIXTURE_VARIANT_ADD(own, ascii_rdonly) { .name = IMA_ASCII, .flags = O_RDONLY };
FIXTURE_VARIANT_ADD(own, ascii_rdwr) { .name = IMA_ASCII, .flags = O_RDWR };
FIXTURE_VARIANT_ADD(own, binary_rdonly) { .name = IMA_BINARY, .flags = O_RDONLY };
FIXTURE_VARIANT_ADD(own, binary_rdwr) { .name = IMA_BINARY, .flags = O_RDWR };

FIXTURE_SETUP(own)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->file = ima_state_file(&self->before, variant->name);
	ASSERT_NE(NULL, self->file);
	self->got = malloc(PEER_DATA_MAX);
	ASSERT_NE(NULL, self->got);
	self->fd = ima_open(variant->name, variant->flags);
	ASSERT_LE(0, self->fd);
	self->other = ima_open(variant->name, variant->flags);
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(own)
{
	close(self->fd);
	close(self->other);
	free(self->got);
	ima_state_free(&self->before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* Are the next bytes of @fd those of the old list from @from, and then it ends? */
static bool reads_to_end(FIXTURE_DATA(own) *self, int fd, size_t from)
{
	return ima_reads_exactly(fd, self->file, from, self->file->len) && !ima_read_one(fd);
}

static size_t own_start_of(const FIXTURE_DATA(own) *self, long n)
{
	return ima_skip_records(self->file, n);
}

/* As ima_read_full(), from @from on; the file's own offset does not change. */
static long pread_full(int fd, char *data, size_t len, off_t from)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < len && n > 0) {
		n = pread(fd, data + done, len - done, from + done);
		if (n > 0)
			done += n;
	}
	return n < 0 && !done ? -errno : (long)done;
}

TEST_F(own, r3_at_a_record_goes_on_with_the_next)
{
	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 4)));
	ASSERT_EQ(0, ima_delete(4));
	EXPECT_TRUE(reads_to_end(self, self->fd, own_start_of(self, 4)));
}

TEST_F(own, r3_within_a_record_goes_on_in_it)
{
	size_t place = own_start_of(self, 4) + 11;

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, place));
	ASSERT_EQ(0, ima_delete(4));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_goes_on_into_records_that_came_later)
{
	struct ima_state after;
	const struct ima_file *file;
	size_t len;

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 4)));
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, ima_delete(4));
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, ima_state_take(&after));
	file = ima_state_file(&after, variant->name);
	len = file->len;
	EXPECT_EQ((long)len, ima_read_full(self->fd, self->got, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(file->data, self->got, len));
	ima_state_free(&after);
}

TEST_F(own, r3_next_record_gone_ESTALE_again_and_again)
{
	int i;

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 4)));
	ASSERT_EQ(0, ima_delete(5));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
	ASSERT_EQ(0, ima_measure_files(1));
	EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
}

TEST_F(own, r3_next_record_gone_lseek_0_starts_over_at_the_first_there_is)
{
	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 4)));
	ASSERT_EQ(0, ima_delete(6));
	ASSERT_EQ(-ESTALE, ima_read_one(self->fd));
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	EXPECT_TRUE(reads_to_end(self, self->fd, own_start_of(self, 6)));
}

TEST_F(own, r3_all_gone_ESTALE_until_lseek_0)
{
	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 4)));
	ASSERT_EQ(0, ima_delete(self->before.count));
	EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(0, ima_read_one(self->fd));
}

/* What of it was in the file's buffer may still come, nothing else. */
TEST_F(own, r3_rest_of_a_half_read_record_gone_ESTALE)
{
	size_t place = own_start_of(self, 4) + 11;
	size_t end = own_start_of(self, 5);
	long n;

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, place));
	ASSERT_EQ(0, ima_delete(6));
	n = ima_read_full(self->fd, self->got, PEER_DATA_MAX);
	if (n != -ESTALE) {
		ASSERT_EQ((long)(end - place), n);
		EXPECT_EQ(0, memcmp(self->file->data + place, self->got, n));
	}
	EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
	EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
}

TEST_F(own, r3_pread_elsewhere_works_while_all_is_there)
{
	const size_t places[] = { 1, own_start_of(self, 3), own_start_of(self, 7) + 9, 0 };
	unsigned int i;

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 5)));
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_EQ(50, pread(self->fd, self->got, 50, places[i]));
		EXPECT_EQ(0, memcmp(self->file->data + places[i], self->got, 50));
	}
	EXPECT_TRUE(reads_to_end(self, self->fd, own_start_of(self, 5)));
}

TEST_F(own, r3_pread_elsewhere_then_deletion_reading_goes_on)
{
	size_t place = own_start_of(self, 4);

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, place));
	ASSERT_EQ(50, pread(self->fd, self->got, 50, own_start_of(self, 7) + 9));
	ASSERT_EQ(0, ima_delete(3));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_pread_elsewhere_then_deletion_reading_goes_on_within_a_record)
{
	size_t place = own_start_of(self, 4) + 11;

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, place));
	ASSERT_EQ(50, pread(self->fd, self->got, 50, 3));
	ASSERT_EQ(0, ima_delete(4));
	EXPECT_EQ((long)place, lseek(self->fd, place, SEEK_SET));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_pread_at_the_place_itself_reading_goes_on)
{
	size_t place = own_start_of(self, 4);

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, place));
	ASSERT_EQ(50, pread(self->fd, self->got, 50, place));
	ASSERT_EQ(0, ima_delete(4));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_pread_elsewhere_then_next_record_gone_ESTALE)
{
	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 4)));
	ASSERT_EQ(50, pread(self->fd, self->got, 50, own_start_of(self, 7)));
	ASSERT_EQ(0, ima_delete(5));
	EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
	EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
}

/* The second read ends at a record, when seq_file has the next one already. */
TEST_F(own, r3_next_record_gone_that_was_buffered_ESTALE)
{
	size_t end = own_start_of(self, 1);

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, 5));
	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 5, end));
	ASSERT_EQ(0, ima_delete(2));
	EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
	EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
}

TEST_F(own, r3_lseek_elsewhere_works_while_all_is_there)
{
	long place = own_start_of(self, 7) + 9;

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 5)));
	EXPECT_EQ(place, lseek(self->fd, place, SEEK_SET));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
	EXPECT_EQ(3, lseek(self->fd, 3, SEEK_SET));
	EXPECT_TRUE(reads_to_end(self, self->fd, 3));
}

TEST_F(own, r3_pread_elsewhere_works_if_the_record_there_is_left)
{
	long seven = own_start_of(self, 7), three = own_start_of(self, 3) + 4;

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 5)));
	ASSERT_EQ(0, ima_delete(1));
	EXPECT_EQ(50, pread(self->fd, self->got, 50, seven));
	EXPECT_EQ(0, memcmp(self->file->data + seven, self->got, 50));
	EXPECT_EQ(50, pread(self->fd, self->got, 50, three));
	EXPECT_EQ(0, memcmp(self->file->data + three, self->got, 50));
	EXPECT_EQ(-ESTALE, ima_minus_errno(pread(self->fd, self->got, 50, 3)));
}

TEST_F(own, r3_pread_at_0_with_a_record_before_gone_ESTALE)
{
	size_t place = own_start_of(self, 5);

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, place));
	ASSERT_EQ(0, ima_delete(3));
	EXPECT_EQ(-ESTALE, ima_minus_errno(pread(self->fd, self->got, 50, 0)));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_pread_at_0_of_a_file_that_only_pread_read_ESTALE_until_lseek_0)
{
	size_t first = own_start_of(self, 3);

	ASSERT_EQ(50, pread(self->fd, self->got, 50, 0));
	ASSERT_EQ(0, ima_delete(3));
	EXPECT_EQ(-ESTALE, ima_minus_errno(pread(self->fd, self->got, 50, 0)));
	EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(50, pread(self->fd, self->got, 50, 0));
	EXPECT_EQ(0, memcmp(self->file->data + first, self->got, 50));
	EXPECT_TRUE(reads_to_end(self, self->fd, first));
}

/* The file's own offset, which lseek() tells, stays 0. */
TEST_F(own, r3_pread_goes_on_at_the_end_after_a_deletion)
{
	size_t len, end = self->file->len;
	char *data;

	ASSERT_EQ((long)end, pread_full(self->fd, self->got, PEER_DATA_MAX, 0));
	ASSERT_EQ(0, ima_delete(self->before.count));
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_CUR));
	ASSERT_EQ(0, ima_measure_files(2));
	data = ima_read_all(variant->name, &len);
	ASSERT_NE(NULL, data);
	EXPECT_EQ((long)len, pread_full(self->fd, self->got, PEER_DATA_MAX, end));
	EXPECT_EQ(0, memcmp(data, self->got, len));
	free(data);
}

TEST_F(own, r3_pread_of_nothing_does_not_disturb_reading_on)
{
	size_t place = own_start_of(self, 5);

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, place));
	ASSERT_EQ(0, pread(self->fd, self->got, 0, 0));
	ASSERT_EQ(0, ima_delete(3));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_failed_pread_does_not_disturb_reading_on)
{
	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 5)));
	ASSERT_EQ(0, ima_delete(2));
	ASSERT_EQ(-ESTALE, ima_minus_errno(pread(self->fd, self->got, 50, 3)));
	EXPECT_TRUE(reads_to_end(self, self->fd, own_start_of(self, 5)));
}

TEST_F(own, r3_failed_pread_does_not_disturb_reading_on_within_a_record)
{
	size_t place = own_start_of(self, 5) + 11;

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, place));
	ASSERT_EQ(0, ima_delete(2));
	ASSERT_EQ(-ESTALE, ima_minus_errno(pread(self->fd, self->got, 50, 3)));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_lseek_to_a_record_that_is_gone_is_found_out_by_the_read)
{
	long place = own_start_of(self, 7);

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 5)));
	ASSERT_EQ(0, ima_delete(1));
	EXPECT_EQ(3, lseek(self->fd, 3, SEEK_SET));
	EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
	EXPECT_EQ(3, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(place, lseek(self->fd, place, SEEK_SET));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_failed_lseek_does_not_disturb_reading_on)
{
	size_t place = own_start_of(self, 5) + 11;

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, place));
	ASSERT_EQ(0, ima_delete(2));
	ASSERT_EQ(-EINVAL, ima_minus_errno(lseek(self->fd, -1, SEEK_SET)));
	ASSERT_EQ(-EINVAL, ima_minus_errno(lseek(self->fd, 0, SEEK_END)));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_lseek_to_the_place_itself_works_after_a_deletion)
{
	long place = own_start_of(self, 5);

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, place));
	ASSERT_EQ(0, ima_delete(2));
	EXPECT_EQ(place, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(place, lseek(self->fd, place, SEEK_SET));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_after_lseek_0_places_count_from_the_first_there_is)
{
	size_t first = own_start_of(self, 3);

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 5)));
	ASSERT_EQ(0, ima_delete(3));
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(50, pread(self->fd, self->got, 50, 100));
	EXPECT_EQ(0, memcmp(self->file->data + first + 100, self->got, 50));
	EXPECT_TRUE(reads_to_end(self, self->fd, first));
}

TEST_F(own, r3_two_files_at_different_places_go_on)
{
	size_t a = own_start_of(self, 3) + 2, b = own_start_of(self, 7) + 8;

	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, a));
	ASSERT_TRUE(ima_reads_exactly(self->other, self->file, 0, b));
	ASSERT_EQ(0, ima_delete(3));
	EXPECT_TRUE(reads_to_end(self, self->fd, a));
	EXPECT_TRUE(reads_to_end(self, self->other, b));
}

TEST_F(own, r3_deletion_between_two_files_ESTALE_for_the_first_only)
{
	ASSERT_TRUE(ima_reads_exactly(self->fd, self->file, 0, own_start_of(self, 3)));
	ASSERT_TRUE(ima_reads_exactly(self->other, self->file, 0, own_start_of(self, 7)));
	ASSERT_EQ(0, ima_delete(5));
	EXPECT_EQ(-ESTALE, ima_read_one(self->fd));
	EXPECT_TRUE(reads_to_end(self, self->other, own_start_of(self, 7)));
}

TEST_F(own, r3_read_to_end_all_deleted_gives_the_second_batch)
{
	size_t len;
	char *data;

	ASSERT_TRUE(reads_to_end(self, self->fd, 0));
	ASSERT_EQ(0, ima_measure_files(2));
	ASSERT_EQ(0, ima_delete(self->before.count));
	data = ima_read_all(variant->name, &len);
	ASSERT_NE(NULL, data);
	EXPECT_EQ((long)len, ima_read_full(self->fd, self->got, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(data, self->got, len));
	free(data);
}

TEST_HARNESS_MAIN
