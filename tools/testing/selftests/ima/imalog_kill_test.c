// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog trim is ended before each call that changes something: what is there then
 * verifies, the next trim goes on, no record is lost or archived twice.
 */
#include <stdio.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_run.h"

#define TRIM		"trim --keep 2"
#define POINTS_MIN	15	/* make, write, sync each file; rename; delete */
#define SECONDS		600
#define KILLED		137

FIXTURE(kill)
{
};

FIXTURE_SETUP(kill)
{
	const char *why = imalog_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, imalog_remember());
	ASSERT_EQ(IMALOG_DONE, imalog(TRIM));
}

FIXTURE_TEARDOWN(kill)
{
}

TEST_F_TIMEOUT(kill, killed_before_each_call, SECONDS)
{
	long at, ret = KILLED;

	for (at = 1; ret == KILLED; at++) {
		ASSERT_EQ(0, ima_measure_files(3));
		ASSERT_EQ(0, imalog_remember());
		ret = imalog_fault(at, 0, TRIM);
		if (ret != KILLED)
			break;
		ASSERT_EQ(IMALOG_DONE, imalog("verify"))
			printf("# killed before call %ld\n", at);
		ASSERT_EQ(IMALOG_DONE, imalog(TRIM));
		EXPECT_EQ(2, ima_count());
		ASSERT_EQ(0, imalog_shown(IMA_BINARY));
	}
	EXPECT_EQ(0, imalog_whole());
	EXPECT_EQ(-1000 - (at - 1), ret);
	EXPECT_LT(POINTS_MIN, at);
	printf("# figure: points at which trim was killed: %ld\n", at - 1);
}

TEST_HARNESS_MAIN
