// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog trim is ended before each call that changes something: what is there then
 * verifies, the next trim goes on, no record is lost or archived twice, and none is
 * deleted that power lost would take.
 */
#include <stdio.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_durable.h"
#include "imalog_run.h"

#define SECONDS		600

FIXTURE(kill)
{
};

FIXTURE_SETUP(kill)
{
	const char *why = imalog_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, imalog_before_faults());
}

FIXTURE_TEARDOWN(kill)
{
}

TEST_F_TIMEOUT(kill, killed_before_each_call, SECONDS)
{
	long at, ret = IMALOG_KILLED;

	for (at = 1; ret == IMALOG_KILLED; at++) {
		ASSERT_EQ(0, ima_measure_files(3));
		ASSERT_EQ(0, imalog_remember());
		ret = imalog_fault(at, 0, IMALOG_FAULT_TRIM);
		if (ret != IMALOG_KILLED)
			break;
		ASSERT_EQ(IMALOG_DONE, imalog("verify"))
			printf("# killed before call %ld\n", at);
		ASSERT_EQ(IMALOG_DONE, imalog_traced(IMALOG_FAULT_TRIM));
		EXPECT_EQ(IMALOG_FAULT_KEPT, ima_count());
		ASSERT_EQ(0, imalog_shown(IMA_BINARY, IMA_DIR));
		ASSERT_EQ(NULL, imalog_durable_lost())
			printf("# killed before call %ld, records deleted, not synced: %s\n", at,
			       imalog_durable_lost());
	}
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
	EXPECT_EQ(-1000 - (at - 1), ret);
	EXPECT_LT(IMALOG_FAULTS_MIN, at);
	EXPECT_LE(at, imalog_durable_deletions());
	printf("# figure: points at which trim was killed: %ld\n", at - 1);
}

TEST_HARNESS_MAIN
