// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each call of imalog trim that changes something fails in turn: it says so, with the
 * path of the file or that it was the TPM, and deletes nothing, the next trim goes on, no
 * record is lost or archived twice, and none is deleted that power lost would take.
 */
#include <errno.h>
#include <stdio.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_durable.h"
#include "imalog_run.h"

#define SECONDS		600

FIXTURE(fault)
{
};

FIXTURE_SETUP(fault)
{
	const char *why = imalog_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, imalog_before_faults());
}

FIXTURE_TEARDOWN(fault)
{
}

/* A call that fails: an error, and nothing deleted, or done all the same. */
static long fail_each(struct __test_metadata *_metadata, int err)
{
	long at, ret, count, failed = 0;

	for (at = 1;; at++) {
		ASSERT_EQ(0, ima_measure_files(3));
		ASSERT_EQ(0, imalog_remember());
		/* what a round that was killed leaves */
		ASSERT_EQ(0, imalog_shell("cd " IMALOG_ARCHIVE "/0*; mkdir -p .new;"
					  ">.new/records"));
		count = ima_count();
		ret = imalog_fault(at, err, IMALOG_FAULT_TRIM);
		if (ret < 0)
			break;
		failed += ret != IMALOG_DONE;
		if (ret != IMALOG_DONE) {
			EXPECT_EQ(count, ima_count())
				printf("# call %ld failed\n", at);
			EXPECT_TRUE(imalog_said("imalog: TPM: ") ||
				    imalog_said("imalog: " IMA_DIR) ||
				    imalog_says("imalog: " IMALOG_ARCHIVE));
		}
		EXPECT_NE(IMALOG_KILLED, ret);
		EXPECT_GT(128, ret);
		ASSERT_EQ(IMALOG_DONE, imalog_traced(IMALOG_FAULT_TRIM));
		EXPECT_EQ(IMALOG_FAULT_KEPT, ima_count());
		EXPECT_EQ(NULL, imalog_durable_lost())
			printf("# call %ld failed, records deleted, not synced: %s\n", at,
			       imalog_durable_lost());
	}
	EXPECT_LE(at, imalog_durable_deletions());
	ASSERT_EQ(0, imalog_whole(IMA_DIR));
	return failed;
}

TEST_F_TIMEOUT(fault, each_call_fails_with_EIO, SECONDS)
{
	long n = fail_each(_metadata, EIO);

	EXPECT_LE(IMALOG_FAULTS_MIN, n);
	printf("# figure: calls that failed with EIO, nothing deleted: %ld\n", n);
}

TEST_F_TIMEOUT(fault, each_call_fails_with_ENOSPC, SECONDS)
{
	long n = fail_each(_metadata, ENOSPC);

	EXPECT_LE(IMALOG_FAULTS_MIN, n);
	printf("# figure: calls that failed with ENOSPC, nothing deleted: %ld\n", n);
}

TEST_HARNESS_MAIN
