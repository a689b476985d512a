// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways to read and to write (R4): each system call is one read or one command,
 * and all that read give the same bytes.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <termios.h>

#include "../kselftest_harness.h"
#include "ima_state.h"
#include "ima_test.h"
#include "peer.h"
#include "uring.h"

#define NR_RECORDS 10
#define PAGE 4096

#define EXPECT_DELETED(_n) EXPECT_STREQ("", ima_state_differs(&self->before, _n) ?: "")

/*
 * Reads and writes of a vector, by each call that there is
 */
typedef long vector_call(int fd, const struct iovec *iov, int nr);

static long by_readv(int fd, const struct iovec *iov, int nr)
{
	return ima_minus_errno(readv(fd, iov, nr));
}

static long by_preadv2(int fd, const struct iovec *iov, int nr)
{
	return ima_minus_errno(preadv2(fd, iov, nr, -1, 0));
}

static long by_uring_readv(int fd, const struct iovec *iov, int nr)
{
	return uring_call(IORING_OP_READV, fd, iov, nr);
}

static long by_writev(int fd, const struct iovec *iov, int nr)
{
	return ima_minus_errno(writev(fd, iov, nr));
}

static long by_pwritev2(int fd, const struct iovec *iov, int nr)
{
	return ima_minus_errno(pwritev2(fd, iov, nr, -1, 0));
}

static long by_uring_writev(int fd, const struct iovec *iov, int nr)
{
	return uring_call(IORING_OP_WRITEV, fd, iov, nr);
}

FIXTURE(vector) {
	struct ima_state before;
	const struct ima_file *file;
	char *got;
	int fd;
};

FIXTURE_VARIANT(vector) {
	const char *name;
	vector_call *readv, *writev;
	bool uring;
	int flags;	/* of open(2) */
};

FIXTURE_VARIANT_ADD(vector, ascii) {
	.name = IMA_ASCII, .readv = by_readv, .writev = by_writev,
};

FIXTURE_VARIANT_ADD(vector, binary) {
	.name = IMA_BINARY, .readv = by_readv, .writev = by_writev,
};

FIXTURE_VARIANT_ADD(vector, ascii_v2) {
	.name = IMA_ASCII, .readv = by_preadv2, .writev = by_pwritev2,
};

FIXTURE_VARIANT_ADD(vector, binary_v2) {
	.name = IMA_BINARY, .readv = by_preadv2, .writev = by_pwritev2,
};

FIXTURE_VARIANT_ADD(vector, ascii_uring) {
	.name = IMA_ASCII, .readv = by_uring_readv, .writev = by_uring_writev, .uring = true,
};

FIXTURE_VARIANT_ADD(vector, binary_uring) {
	.name = IMA_BINARY, .readv = by_uring_readv, .writev = by_uring_writev, .uring = true,
};

FIXTURE_VARIANT_ADD(vector, binary_uring_nonblock) {
	.name = IMA_BINARY, .readv = by_uring_readv, .writev = by_uring_writev, .uring = true,
	.flags = O_NONBLOCK,
};

FIXTURE_SETUP(vector)
{
	const char *why = ima_test_unavailable();

	if (!why && variant->uring)
		why = uring_unavailable();
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->file = ima_state_file(&self->before, variant->name);
	ASSERT_NE(NULL, self->file);
	self->got = malloc(PEER_DATA_MAX);
	ASSERT_NE(NULL, self->got);
	self->fd = ima_open(variant->name, O_RDONLY | variant->flags);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(vector)
{
	close(self->fd);
	if (variant->uring)	/* a request may hold its file for a moment more */
		EXPECT_EQ(0, ima_poll_write(variant->name));
	free(self->got);
	ima_state_free(&self->before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* Read with one call, in two parts */
static long read_parts(struct _test_data_vector *self, vector_call *readv, size_t first,
		       size_t second)
{
	const struct iovec iov[] = {
		{ .iov_base = self->got, .iov_len = first },
		{ .iov_base = self->got + first, .iov_len = second },
	};

	return readv(self->fd, iov, 2);
}

/* Write with one call, in two parts */
static long write_parts(int fd, vector_call *writev, const char *first, const char *second)
{
	const struct iovec iov[] = {
		{ .iov_base = (char *)first, .iov_len = strlen(first) },
		{ .iov_base = (char *)second, .iov_len = strlen(second) },
	};

	return writev(fd, iov, 2);
}

TEST_F(vector, r4_read_in_two_parts_to_the_end_is_at_rest)
{
	ASSERT_EQ((long)self->file->len, read_parts(self, variant->readv, 50, 64 * 1024));
	EXPECT_EQ(0, memcmp(self->file->data, self->got, self->file->len));
	EXPECT_EQ(0, ima_other_process_deletes(self->before.count));
	EXPECT_DELETED(self->before.count);
}

TEST_F(vector, r4_read_in_two_parts_that_stops_within_a_record_EBUSY)
{
	size_t place = ima_skip_records(self->file, 2) + 7;

	ASSERT_EQ((long)place, read_parts(self, variant->readv, 50, place - 50));
	EXPECT_EQ(0, memcmp(self->file->data, self->got, place));
	EXPECT_EQ(-EBUSY, ima_other_process_deletes(3));
	EXPECT_DELETED(0);
	EXPECT_EQ(0, ima_other_process_deletes(2));
	EXPECT_DELETED(2);
	EXPECT_TRUE(ima_reads_exactly(self->fd, self->file, place, self->file->len));
}

TEST_F(vector, r4_read_in_two_parts_that_stops_behind_a_record_is_past_it)
{
	size_t place = ima_skip_records(self->file, 3);

	ASSERT_EQ((long)place, read_parts(self, variant->readv, place - 1, 1));
	EXPECT_EQ(-EBUSY, ima_other_process_deletes(4));
	EXPECT_DELETED(0);
	EXPECT_EQ(0, ima_other_process_deletes(3));
	EXPECT_DELETED(3);
	EXPECT_TRUE(ima_reads_exactly(self->fd, self->file, place, self->file->len));
}

/* With no file open for read: Linux 7.2 would refuse it. */
static int open_for_write_only(struct _test_data_vector *self,
			       const struct _fixture_variant_vector *variant)
{
	close(self->fd);
	self->fd = -1;
	return ima_open(variant->name, O_WRONLY | variant->flags);
}

TEST_F(vector, r4_digit_and_newline_in_two_parts_are_one_command)
{
	int fd = open_for_write_only(self, variant);

	ASSERT_LE(0, fd);
	EXPECT_EQ(2, write_parts(fd, variant->writev, "2", "\n"));
	close(fd);
	EXPECT_DELETED(2);
}

TEST_F(vector, r4_command_behind_an_empty_part_is_one_command)
{
	int fd = open_for_write_only(self, variant);

	ASSERT_LE(0, fd);
	EXPECT_EQ(2, write_parts(fd, variant->writev, "", "2\n"));
	close(fd);
	EXPECT_DELETED(2);
}

TEST_F(vector, r4_two_commands_in_one_call_EINVAL)
{
	int fd = open_for_write_only(self, variant);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, write_parts(fd, variant->writev, "1\n", "1\n"));
	close(fd);
	EXPECT_DELETED(0);
}

/*
 * What programs do that know nothing of these files
 */
FIXTURE(program) {
	struct ima_state before;
	char musl[PATH_MAX];
};

FIXTURE_VARIANT(program) {
	const char *name;
};

FIXTURE_VARIANT_ADD(program, ascii) { .name = IMA_ASCII };
FIXTURE_VARIANT_ADD(program, binary) { .name = IMA_BINARY };

/* It is beside this program. */
static int find_musl_program(char *path)
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 16);

	if (len < 0)
		return -errno;
	path[len] = '\0';
	snprintf(strrchr(path, '/') + 1, 16, "musl_stdio");
	return access(path, X_OK) ? -errno : 0;
}

/* Return: its exit status, or -errno */
static int run_with_stdout(const char *path, int fd)
{
	pid_t pid = fork();

	if (!pid) {
		if (dup2(fd, STDOUT_FILENO) >= 0)
			execl(path, path, NULL);
		_exit(127);
	}
	return ima_wait_exit(pid);
}

/* A policy may measure programs: what the tests run is measured before. */
static int run_all_once(char *musl)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), ret = 0;

	if (null < 0)
		return -errno;
	if (!find_musl_program(musl))
		ret = run_with_stdout(musl, null);
	close(null);
	return ret ?: system("echo 1 | tee -a /dev/null >/dev/null");
}

FIXTURE_SETUP(program)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, run_all_once(self->musl));
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&self->before));
}

FIXTURE_TEARDOWN(program)
{
	ima_state_free(&self->before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

TEST_F(program, r4_printf_and_putchar_of_musl_are_one_command)
{
	int fd;

	if (find_musl_program(self->musl))
		SKIP(return, "no program musl_stdio beside this one (install musl-tools)");
	fd = ima_open(variant->name, O_WRONLY | O_TRUNC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, run_with_stdout(self->musl, fd));
	EXPECT_DELETED(2);
	close(fd);
}

TEST_F(program, r4_tee_that_appends_works)
{
	char line[256];

	snprintf(line, sizeof(line), "echo 1 | tee -a " IMA_DIR "/%s >/dev/null", variant->name);
	EXPECT_EQ(0, system(line));
	EXPECT_DELETED(1);
}

/* Its system calls, as strace shows them */
TEST_F(program, r4_open_of_python_that_appends_works)
{
	int fd = ima_open(variant->name, O_WRONLY | O_CREAT | O_APPEND);
	struct termios termios;
	struct stat st;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(-ENOTTY, ima_minus_errno(ioctl(fd, TCGETS, &termios)));
	EXPECT_EQ(0, ima_minus_errno(lseek(fd, 0, SEEK_END)));
	EXPECT_EQ(0, ima_minus_errno(lseek(fd, 0, SEEK_CUR)));
	EXPECT_EQ(2, ima_minus_errno(write(fd, "2\n", 2)));
	EXPECT_DELETED(2);
	close(fd);
}

TEST_F(program, r4_seek_to_the_end_of_a_file_that_can_be_read_EINVAL)
{
	const int flags[] = { O_RDONLY, O_RDWR, O_RDWR | O_APPEND };
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		fd = ima_open(variant->name, flags[i]);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-EINVAL, ima_minus_errno(lseek(fd, 0, SEEK_END)));
		EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
		EXPECT_EQ(1, ima_read_one(fd));
		EXPECT_EQ(-EINVAL, ima_minus_errno(lseek(fd, -1, SEEK_END)));
		EXPECT_EQ(1, lseek(fd, 0, SEEK_CUR));
		close(fd);
	}
}

/*
 * Reads of all sizes and kinds: every file of a list of 201 records, of which
 * that in the middle is larger than 4 KiB
 */
#define NR_SMALL 100

FIXTURE(bytes) {
	struct ima_state before;
	char *got;
};

FIXTURE_SETUP(bytes)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_other_process_deletes_all());
	ASSERT_EQ(0, ima_measure_files(NR_SMALL));
	ASSERT_EQ(0, ima_measure_long_path());
	ASSERT_EQ(0, ima_measure_files(NR_SMALL));
	ASSERT_EQ(0, ima_state_take(&self->before));
	ASSERT_EQ(2 * NR_SMALL + 1, self->before.count);
	ASSERT_STREQ("", ima_state_broken(&self->before) ?: "");
	self->got = malloc(PEER_DATA_MAX);
	ASSERT_NE(NULL, self->got);
}

FIXTURE_TEARDOWN(bytes)
{
	free(self->got);
	ima_state_free(&self->before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

typedef bool same_bytes(const struct ima_file *file, char *got, size_t chunk);

/* The name of the first file that does not give the same bytes, or "" */
static const char *different(const struct _test_data_bytes *self, same_bytes *same, size_t chunk)
{
	for (unsigned int i = 0; i < self->before.nr_files; i++)
		if (!same(&self->before.file[i], self->got, chunk))
			return self->before.file[i].name;
	return "";
}

/* Do reads of @chunk bytes give this file, and then no more? */
static bool same_by_read(const struct ima_file *file, char *got, size_t chunk)
{
	int fd = ima_open(file->name, O_RDONLY);
	bool same = fd >= 0 &&
		    ima_read_chunks(fd, got, PEER_DATA_MAX, chunk) == (long)file->len &&
		    !memcmp(file->data, got, file->len) && !ima_read_one(fd);

	close(fd);
	return same;
}

TEST_F_TIMEOUT(bytes, r4_reads_of_1_byte_give_the_same_bytes, IMA_TIMEOUT)
{
	EXPECT_STREQ("", different(self, same_by_read, 1));
}

TEST_F(bytes, r4_reads_of_7_bytes_give_the_same_bytes)
{
	EXPECT_STREQ("", different(self, same_by_read, 7));
}

TEST_F(bytes, r4_reads_of_4096_bytes_give_the_same_bytes)
{
	EXPECT_STREQ("", different(self, same_by_read, 4096));
}

/* A list that is longer than that */
TEST_F(bytes, r4_reads_of_65536_bytes_give_the_same_bytes)
{
	ASSERT_EQ(0, ima_measure_files(5 * NR_SMALL));
	ima_state_free(&self->before);
	ASSERT_EQ(0, ima_state_take(&self->before));
	ASSERT_STREQ("", ima_state_broken(&self->before) ?: "");
	ASSERT_LT((size_t)65536, self->before.file[0].len);
	EXPECT_STREQ("", different(self, same_by_read, 65536));
}

TEST_F(bytes, r4_reads_of_1048576_bytes_give_the_same_bytes)
{
	EXPECT_STREQ("", different(self, same_by_read, 1024 * 1024));
}

static bool same_by_pread(const struct ima_file *file, char *got, size_t chunk)
{
	int fd = ima_open(file->name, O_RDONLY);
	bool same = fd >= 0;
	size_t n;

	for (size_t i = 0; i <= file->len && same; i++) {
		n = file->len - i < chunk ? file->len - i : chunk;
		same = pread(fd, got, chunk, i) == (ssize_t)n && !memcmp(file->data + i, got, n);
	}
	close(fd);
	return same;
}

TEST_F_TIMEOUT(bytes, r4_pread_at_each_offset_gives_the_same_bytes, IMA_TIMEOUT)
{
	EXPECT_STREQ("", different(self, same_by_pread, 50));
}

static bool same_by_sendfile(const struct ima_file *file, char *got, size_t chunk)
{
	int fd = ima_open(file->name, O_RDONLY), to = memfd_create("sendfile", MFD_CLOEXEC);
	ssize_t n = 1, sent = 0;
	bool same;

	while (n > 0 && sent <= (ssize_t)file->len) {
		n = sendfile(to, fd, NULL, chunk);
		sent += n;
	}
	same = !n && sent == (ssize_t)file->len &&
	       pread(to, got, PEER_DATA_MAX, 0) == sent && !memcmp(file->data, got, sent);
	close(fd);
	close(to);
	return same;
}

TEST_F(bytes, r4_sendfile_gives_the_same_bytes)
{
	EXPECT_STREQ("", different(self, same_by_sendfile, 100000));
}

static bool same_by_splice(const struct ima_file *file, char *got, size_t chunk)
{
	int fd = ima_open(file->name, O_RDONLY), pipes[2] = { -1, -1 };
	ssize_t n = pipe2(pipes, O_CLOEXEC) ? -1 : 1, done = 0;
	bool same;

	while (n > 0 && done <= (ssize_t)file->len) {
		n = splice(fd, NULL, pipes[1], NULL, chunk, 0);
		if (n > 0 && read(pipes[0], got + done, n) != n)
			n = -1;
		done += n;
	}
	same = !n && done == (ssize_t)file->len && !memcmp(file->data, got, done);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
	return same;
}

TEST_F(bytes, r4_splice_gives_the_same_bytes)
{
	EXPECT_STREQ("", different(self, same_by_splice, 5000));
}

/*
 * Where a read stopped: one of a record larger than 4 KiB, by sendfile, or at
 * memory that cannot be written to
 */
FIXTURE(stop) {
	struct ima_state before;
	const struct ima_file *file;
	char *page;		/* the next one cannot be written to */
	int fd;
};

FIXTURE_VARIANT(stop) {
	const char *name;
};

FIXTURE_VARIANT_ADD(stop, ascii) { .name = IMA_ASCII };
FIXTURE_VARIANT_ADD(stop, binary) { .name = IMA_BINARY };

#define NR_BEFORE_LARGE 4

FIXTURE_SETUP(stop)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_other_process_deletes_all());
	ASSERT_EQ(0, ima_measure_files(NR_BEFORE_LARGE));
	ASSERT_EQ(0, ima_measure_long_path());
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->file = ima_state_file(&self->before, variant->name);
	ASSERT_NE(NULL, self->file);
	self->page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	ASSERT_NE(MAP_FAILED, self->page);
	ASSERT_EQ(0, mprotect(self->page + PAGE, PAGE, PROT_NONE));
	self->fd = ima_open(variant->name, O_RDONLY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(stop)
{
	close(self->fd);
	munmap(self->page, 2 * PAGE);
	ima_state_free(&self->before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

static size_t start_of(const struct _test_data_stop *self, long n)
{
	return ima_skip_records(self->file, n);
}

/* Are the next bytes those of the old list from @from, and then it ends? */
static bool reads_to_end(const struct _test_data_stop *self, size_t from)
{
	return ima_reads_exactly(self->fd, self->file, from, self->file->len) &&
	       !ima_read_one(self->fd);
}

TEST_F(stop, r4_record_larger_than_4096_bytes_is_read_in_pieces)
{
	size_t begin = start_of(self, NR_BEFORE_LARGE), end = start_of(self, NR_BEFORE_LARGE + 1);
	size_t place;

	ASSERT_LT((size_t)PAGE, end - begin);
	for (place = 0; place + 100 < end; place += 100)
		EXPECT_TRUE(ima_reads_exactly(self->fd, self->file, place, place + 100));
	EXPECT_EQ(-EBUSY, ima_other_process_deletes(NR_BEFORE_LARGE + 1));
	EXPECT_DELETED(0);
	EXPECT_EQ(0, ima_other_process_deletes(NR_BEFORE_LARGE));
	EXPECT_DELETED(NR_BEFORE_LARGE);
	EXPECT_TRUE(reads_to_end(self, place));
}

TEST_F(stop, r4_sendfile_that_stops_within_a_record_EBUSY)
{
	size_t place = start_of(self, 2) + 7;
	int to = memfd_create("sendfile", MFD_CLOEXEC);

	ASSERT_LE(0, to);
	ASSERT_EQ((long)place, sendfile(to, self->fd, NULL, place));
	EXPECT_EQ(-EBUSY, ima_other_process_deletes(3));
	EXPECT_DELETED(0);
	EXPECT_EQ(0, ima_other_process_deletes(2));
	EXPECT_DELETED(2);
	EXPECT_TRUE(reads_to_end(self, place));
	close(to);
}

/* Offsets count on over deletions: a file that is read for long gets there. */
TEST_F(stop, r4_sendfile_beyond_2_gib_finds_the_end_as_pread_does)
{
	static const off_t places[] = { INT_MAX - 1, INT_MAX, 1LL << 31, 1LL << 40 };
	int to = memfd_create("sendfile", MFD_CLOEXEC);

	ASSERT_LE(0, to);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		off_t offset = places[i];

		EXPECT_EQ(0, ima_minus_errno(pread(self->fd, self->page, 100, offset)));
		EXPECT_EQ(0, ima_minus_errno(sendfile(to, self->fd, &offset, 100)));
		EXPECT_EQ(places[i], offset);
		ASSERT_EQ(offset, lseek(self->fd, offset, SEEK_SET));
		EXPECT_EQ(0, ima_minus_errno(sendfile(to, self->fd, NULL, 100)));
		EXPECT_EQ(offset, lseek(self->fd, 0, SEEK_CUR));
	}
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	ASSERT_EQ((long)self->file->len, sendfile(to, self->fd, NULL, 2 * self->file->len));
	close(to);
}

/*
 * A read may get less than there is memory for, or EFAULT if that is nothing:
 * the place is where it really stopped.
 */
static void efault_after(struct __test_metadata *_metadata, struct _test_data_stop *self,
			 size_t room)
{
	char *buf = self->page + PAGE - room;
	long got = ima_minus_errno(read(self->fd, buf, 2 * PAGE)), within = 0;
	size_t place;

	if (got != -EFAULT) {
		ASSERT_LT(0, got);
		ASSERT_GE((long)room, got);
		EXPECT_EQ(0, memcmp(self->file->data, buf, got));
	}
	place = got < 0 ? 0 : got;
	EXPECT_EQ((long)place, lseek(self->fd, 0, SEEK_CUR));
	while (start_of(self, within + 1) <= place)
		within++;
	EXPECT_EQ(place ? -EBUSY : 0, ima_other_process_deletes(within + 1));
	EXPECT_DELETED(place ? 0 : within + 1);
	if (!place)
		return;
	if (within) {
		EXPECT_EQ(0, ima_other_process_deletes(within));
		EXPECT_DELETED(within);
	}
	EXPECT_TRUE(reads_to_end(self, place));
}

TEST_F(stop, r4_EFAULT_within_the_first_record_it_is_read_on)
{
	efault_after(_metadata, self, 50);
}

TEST_F(stop, r4_EFAULT_within_a_record_it_is_read_on)
{
	efault_after(_metadata, self, start_of(self, 2) + 50);
}

TEST_F(stop, r4_EFAULT_behind_a_record_it_is_read_on)
{
	efault_after(_metadata, self, start_of(self, 3));
}

TEST_F(stop, r4_EFAULT_within_a_record_larger_than_4096_bytes_it_is_read_on)
{
	efault_after(_metadata, self, start_of(self, NR_BEFORE_LARGE) + 2000);
}

TEST_HARNESS_MAIN
