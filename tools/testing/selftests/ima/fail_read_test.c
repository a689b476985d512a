// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open, read and seek while memory is short: each allocation fails in turn. What
 * fails changes nothing, and reading goes on where it was.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "../kselftest_harness.h"
#include "faults.h"
#include "ima_state.h"
#include "ima_test.h"

#define NR_RECORDS 6

FIXTURE(fail) {
	struct faults faults;
};

FIXTURE_VARIANT(fail) {
	bool rest;
};

FIXTURE_VARIANT_ADD(fail, one) { .rest = false };
FIXTURE_VARIANT_ADD(fail, rest) { .rest = true };

FIXTURE_SETUP(fail)
{
	const char *why = faults_setup(&self->faults, variant->rest);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_other_process_deletes_all());
}

FIXTURE_TEARDOWN(fail)
{
	EXPECT_TRUE(faults_log_is_good());
	faults_close(&self->faults);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* Return: 0, or the errno of open */
static int open_in_other_process(void)
{
	pid_t pid = fork();
	int fd;

	if (!pid) {
		fd = ima_open(IMA_ASCII, O_WRONLY);
		_exit(fd < 0 ? -fd : 0);
	}
	return ima_wait_exit(pid);
}

/* One of each kind, with records in it. */
static const char * const files[] = {
	IMA_ASCII, IMA_BINARY, IMA_ASCII_STAGED, IMA_BINARY_STAGED,
};

static int fill_list_and_staged(void)
{
	return ima_measure_files(NR_RECORDS) ?: ima_command(IMA_ASCII_STAGED, "A\n") ?:
	       ima_measure_files(NR_RECORDS);
}

static void open_with_failures(struct __test_metadata *_metadata, struct faults *f,
			       int flags)
{
	struct ima_state before;
	int fd;

	ASSERT_EQ(0, fill_list_and_staged());
	ASSERT_EQ(0, ima_state_take(&before));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		for (faults_begin(f); faults_more(f); f->n++) {
			faults_on(f);
			fd = ima_open(files[i], flags);
			faults_off(f);
			EXPECT_TRUE(faults_explain(f, fd));
			if (fd >= 0)
				close(fd);
			/* no writer is left behind */
			ASSERT_EQ(0, open_in_other_process());
		}
		EXPECT_LE(0, fd);
		EXPECT_SWEPT(f);
	}
	EXPECT_STREQ("", ima_state_differs(&before, 0) ?: "");
	ima_state_free(&before);
}

TEST_F_TIMEOUT(fail, open_for_read, IMA_TIMEOUT)
{
	open_with_failures(_metadata, &self->faults, O_RDONLY);
}

TEST_F_TIMEOUT(fail, open_for_write, IMA_TIMEOUT)
{
	open_with_failures(_metadata, &self->faults, O_RDWR);
}

/* The list, then what is staged: small records, a long one in the middle */
static int fill_with_long(void)
{
	int ret = ima_measure_files(NR_RECORDS) ?: ima_measure_long_path() ?:
		  ima_measure_files(NR_RECORDS);

	ret = ret ?: ima_command(IMA_ASCII_STAGED, "A\n") ?: ima_measure_files(NR_RECORDS);
	return ret ?: ima_measure_long_path() ?: ima_measure_files(NR_RECORDS);
}

static char buf[64 * 1024];

/*
 * Read to the end, and go on once after memory was short. Return: how much is
 * in @buf, or -errno
 */
static ssize_t read_on(struct faults *f, int fd, size_t piece, int *enomem)
{
	bool on = true;
	size_t len = 0;
	ssize_t n = 0;

	faults_on(f);
	while (len + piece <= sizeof(buf) && (n = read(fd, buf + len, piece))) {
		if (n > 0) {
			len += n;
			continue;
		}
		n = -errno;
		if (n != -ENOMEM || !on)
			break;
		faults_off(f);
		on = false;
		++*enomem;
	}
	if (on)
		faults_off(f);
	return n < 0 ? n : (ssize_t)len;
}

static void read_with_failures(struct __test_metadata *_metadata, struct faults *f,
			       const char *name, size_t piece)
{
	int enomem = 0;
	size_t len;
	char *data = ima_read_all(name, &len);
	ssize_t n;
	int fd;

	ASSERT_NE(NULL, data);
	ASSERT_LT((size_t)sysconf(_SC_PAGESIZE), len);
	for (faults_begin(f); faults_more(f); f->n++) {
		fd = ima_open(name, O_RDONLY);
		ASSERT_LE(0, fd);
		n = read_on(f, fd, piece, &enomem);
		close(fd);
		ASSERT_EQ((ssize_t)len, n);
		ASSERT_EQ(0, memcmp(data, buf, len));
	}
	free(data);
	EXPECT_LT(0, enomem);
	EXPECT_SWEPT(f);
}

TEST_F_TIMEOUT(fail, read_goes_on_after_ENOMEM, IMA_TIMEOUT)
{
	ASSERT_EQ(0, fill_with_long());
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		read_with_failures(_metadata, &self->faults, files[i], 16 * 1024);
		read_with_failures(_metadata, &self->faults, files[i], 700);
	}
}

/* Reads a bit, then @offset; what is read after that is what comes next. */
#define ALREADY_READ 100

/* lseek() only sets the offset: it is the read there that needs memory. */
static int seek_and_read(int fd, const char *data, off_t offset)
{
	if (lseek(fd, offset, SEEK_SET) != offset)
		return -EBADMSG;
	if (read(fd, buf, 1) != 1)
		return -errno;
	return buf[0] == data[offset] ? 0 : -EBADMSG;
}

static int pread_some(int fd, const char *data, off_t offset)
{
	ssize_t n = pread(fd, buf, sizeof(buf), offset);

	if (n < 0)
		return -errno;
	return n && !memcmp(buf, data + offset, n) ? 0 : -EBADMSG;
}

static void go_elsewhere(struct __test_metadata *_metadata, struct faults *f,
			 const char *name, bool lseek)
{
	struct faults off = { .nth = f->nth, .task = f->task };
	int enomem = 0, ignored = 0;
	size_t len;
	char *data = ima_read_all(name, &len);
	off_t offset, from;
	int fd, ret;

	ASSERT_NE(NULL, data);
	offset = len - ALREADY_READ;
	for (faults_begin(f); faults_more(f); f->n++) {
		fd = ima_open(name, O_RDONLY);
		ASSERT_LE(0, fd);
		ASSERT_EQ(ALREADY_READ, read(fd, buf, ALREADY_READ));
		faults_on(f);
		ret = lseek ? seek_and_read(fd, data, offset) :
			      pread_some(fd, data, offset);
		faults_off(f);
		EXPECT_TRUE(faults_explain(f, ret));
		enomem += ret == -ENOMEM;

		from = lseek ? offset + !ret : ALREADY_READ;
		ASSERT_EQ((ssize_t)(len - from), read_on(&off, fd, 16 * 1024, &ignored));
		ASSERT_EQ(0, memcmp(data + from, buf, len - from));
		close(fd);
	}
	free(data);
	EXPECT_SWEPT(f);
	/* one failure is not enough: kvmalloc() has a second way */
	EXPECT_EQ(f->rest, enomem > 0);
}

TEST_F_TIMEOUT(fail, pread_leaves_the_place, IMA_TIMEOUT)
{
	ASSERT_EQ(0, fill_with_long());
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		go_elsewhere(_metadata, &self->faults, files[i], false);
}

TEST_F_TIMEOUT(fail, read_after_lseek_keeps_the_offset, IMA_TIMEOUT)
{
	ASSERT_EQ(0, fill_with_long());
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		go_elsewhere(_metadata, &self->faults, files[i], true);
}

/* The same with nothing read yet: one failed allocation is enough. */
TEST_F_TIMEOUT(fail, pread_and_lseek_before_any_read, IMA_TIMEOUT)
{
	struct faults *f = &self->faults;
	size_t len;
	char *data;
	int enomem, fd, ret;

	ASSERT_EQ(0, fill_with_long());
	data = ima_read_all(IMA_ASCII, &len);
	ASSERT_NE(NULL, data);
	for (int lseek = 0; lseek < 2; lseek++) {
		enomem = 0;
		for (faults_begin(f); faults_more(f); f->n++) {
			fd = ima_open(IMA_ASCII, O_RDONLY);
			ASSERT_LE(0, fd);
			faults_on(f);
			ret = lseek ? seek_and_read(fd, data, len / 2) :
				      pread_some(fd, data, len / 2);
			faults_off(f);
			EXPECT_TRUE(faults_explain(f, ret));
			enomem += ret == -ENOMEM;
			EXPECT_EQ(0, pread_some(fd, data, len / 2));
			EXPECT_EQ(0, pread_some(fd, data, 0));
			close(fd);
		}
		EXPECT_SWEPT(f);
		EXPECT_LT(0, enomem);
	}
	free(data);
}

/* R1, R2: it has nothing, so it is in the middle of nothing. */
TEST_F(fail, reader_that_got_nothing_holds_nothing_up)
{
	struct faults *f = &self->faults;
	int enomem = 0;
	struct ima_state before;
	const struct ima_file *list;
	size_t cut;
	int fd;

	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&before));
	fd = ima_open(IMA_ASCII, O_RDONLY);
	ASSERT_LE(0, fd);
	f->n = 1;
	faults_on(f);
	EXPECT_EQ(-1, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(ENOMEM, errno);
	faults_off(f);
	EXPECT_EQ(1, f->failed);
	EXPECT_EQ(0, ima_other_process_deletes(2));

	list = ima_state_file(&before, IMA_ASCII);
	cut = ima_skip_records(list, 2);
	f->n = FAULTS_MAX;
	EXPECT_EQ((ssize_t)(list->len - cut), read_on(f, fd, 4096, &enomem));
	EXPECT_EQ(0, memcmp(buf, list->data + cut, list->len - cut));
	close(fd);
	ima_state_free(&before);
}

int main(int argc, char **argv)
{
	faults_init();
	return test_harness_run(argc, argv);
}
