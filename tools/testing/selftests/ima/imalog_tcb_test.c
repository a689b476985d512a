// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where all is measured that root reads, as with ima_policy=tcb, a round of imalog adds
 * two records at most to the list that it is to shorten.
 *
 * The policy tcb leaves out tmpfs, and the VM has no disk; so the rule of tcb is loaded
 * for tmpfs, and the archive is on one.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_run.h"

#define TCB_RULE "measure func=FILE_CHECK mask=^MAY_READ uid=0 fsmagic=0x01021994\n"
#define ROUNDS	20

FIXTURE(tcb)
{
};

FIXTURE_SETUP(tcb)
{
	struct statfs fs;
	const char *why;

	ASSERT_EQ((ssize_t)sizeof(TCB_RULE) - 1,
		  ima_write("policy", TCB_RULE, sizeof(TCB_RULE) - 1));
	why = imalog_unavailable();
	if (why)
		SKIP(return, "%s", why);
	if (mkdir(IMALOG_ARCHIVE, 0750))
		ASSERT_EQ(EEXIST, errno);
	ASSERT_EQ(0, statfs(IMALOG_ARCHIVE, &fs));
	if (fs.f_type != TMPFS_MAGIC)
		ASSERT_EQ(0, mount("tmpfs", IMALOG_ARCHIVE, "tmpfs", 0, "size=128m"));
	/* what is read by the first rounds only */
	ASSERT_EQ(IMALOG_DONE, imalog("trim"));
	ASSERT_EQ(IMALOG_DONE, imalog("trim"));
}

FIXTURE_TEARDOWN(tcb)
{
}

TEST_F_TIMEOUT(tcb, round_adds_two_records_at_most, IMA_TIMEOUT)
{
	static const char * const trims[] = {
		"trim", "trim --keep 3", "trim --keep 100",
		"trim --before-delete true --keep 3",
	};
	long before, added, most = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, ima_measure_files(3));
		before = ima_removed() + ima_count();
		ASSERT_EQ(IMALOG_DONE, imalog("%s", trims[i % 4]));
		added = ima_removed() + ima_count() - before;
		if (added > most)
			most = added;
	}
	EXPECT_LT(0, most);
	EXPECT_GE(2, most);
	EXPECT_EQ(IMALOG_DONE, imalog("verify"));
	printf("# figure: records that a round adds under tcb, at most: %ld\n", most);
}

/* It is measured, as the policy says; imalog does not have it open for write any more. */
TEST_F_TIMEOUT(tcb, what_before_delete_reads_is_no_violation, IMA_TIMEOUT)
{
	long before;

	ASSERT_EQ(0, ima_measure_files(3));
	before = ima_removed() + ima_count();
	ASSERT_EQ(0, imalog_shell("cat " IMA_DIR "/violations >/root/before"));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --before-delete 'cat $IMALOG_SHARD/* >/dev/null'"));
	EXPECT_LE(5, ima_removed() + ima_count() - before);
	EXPECT_EQ(0, imalog_shell("test $(cat /root/before) = $(cat " IMA_DIR "/violations)"));
}

TEST_HARNESS_MAIN
