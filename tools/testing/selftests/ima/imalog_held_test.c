// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog on a kernel that takes N, but does not tell how many records have left the
 * list, as Linux 7.2: it holds a file open for write, and finds the list's place in
 * the log by replaying it. On a kernel that does tell, that is hidden from imalog.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_run.h"

#define HIDDEN	"/root/ima"
#define ROUNDS	5
#define KEPT	3

static const char *dir;

FIXTURE(held)
{
};

FIXTURE_SETUP(held)
{
	const char *why = imalog_unavailable();

	if (why)
		SKIP(return, "%s", why);
	dir = IMA_DIR;
	if (ima_removed() >= 0) {
		dir = HIDDEN;
		ASSERT_EQ(0, imalog_shell("rm -rf " HIDDEN "; mkdir " HIDDEN ";"
					  "ln -s " IMA_DIR "/* " HIDDEN ";"
					  "rm " HIDDEN "/*_removed"));
	}
	ASSERT_EQ(0, imalog_remember());
}

FIXTURE_TEARDOWN(held)
{
}

/* Events, before any of them is deleted. */
static int measure(unsigned int n)
{
	return ima_measure_files(n) ?: imalog_remember();
}

static int do_round(const char *options)
{
	int status = imalog("trim --json --ima-dir %s %s", dir, options);
	long n = imalog_number("deleted");

	if (status)
		imalog_says("no error");
	else if (imalog_deleted(n))
		return -1;
	return status;
}

TEST_F_TIMEOUT(held, rounds, IMA_TIMEOUT)
{
	long n = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, measure(7 + i));
		n = i ? 7 + i : ima_count();
		ASSERT_EQ(IMALOG_DONE, do_round("--keep 3"));
		EXPECT_EQ(KEPT, ima_count());
		EXPECT_EQ(n, imalog_number("archived"));
		EXPECT_EQ(IMALOG_DONE, imalog("verify --ima-dir %s", dir));
		EXPECT_EQ(0, imalog_shown(IMA_BINARY, dir));
	}
	EXPECT_EQ(0, imalog_whole(dir));
	/* nothing new: the records that were kept are found again */
	ASSERT_EQ(IMALOG_DONE, do_round(""));
	EXPECT_EQ(0, imalog_number("archived"));
	EXPECT_EQ(KEPT, imalog_number("deleted"));
	EXPECT_EQ(0, ima_count());
	EXPECT_EQ(0, imalog_whole(dir));
}

TEST_F_TIMEOUT(held, another_writer_is_told, IMA_TIMEOUT)
{
	long n;
	int fd;

	ASSERT_EQ(0, measure(5));
	n = ima_count();
	fd = ima_open(IMA_ASCII, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(IMALOG_BUSY, imalog("trim --ima-dir %s", dir));
	EXPECT_TRUE(imalog_says("another process has a list open"));
	EXPECT_EQ(n, ima_count());
	close(fd);
	EXPECT_EQ(IMALOG_DONE, do_round(""));
	EXPECT_EQ(0, ima_count());
}

/* What another program deleted is no place in the archive, and leads to no quote. */
TEST_F_TIMEOUT(held, unsaved_records_deleted_by_others, IMA_TIMEOUT)
{
	long n;

	ASSERT_EQ(0, measure(6));
	ASSERT_EQ(0, ima_delete(2));
	n = ima_count();
	EXPECT_EQ(IMALOG_REFUSED, imalog("trim --ima-dir %s", dir));
	EXPECT_TRUE(imalog_says("do not lead to the TPM's PCRs"));
	EXPECT_EQ(n, ima_count());
	EXPECT_EQ(IMALOG_REFUSED, imalog("verify --ima-dir %s", dir));
}

TEST_HARNESS_MAIN
