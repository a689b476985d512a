// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog and records for other PCRs than 10: proven if only IMA extends them, kept and
 * counted if no quote can vouch for them, refused if others extend them as well.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_run.h"
#include "imalog_service.h"

FIXTURE(pcr)
{
};

FIXTURE_SETUP(pcr)
{
	const char *why;

	/* the first rule that fits counts: these come before that of all tests */
	imalog_shell("test -e /root/rules && exit; cd /root;"
		     "for p in 11 12 14 23 40; do\n"
		     "echo measure func=FILE_CHECK mask=MAY_READ fowner=$p pcr=$p;"
		     "done >rules; cat rules >" IMA_DIR "/policy");
	why = imalog_unavailable();
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, imalog_remember());
}

FIXTURE_TEARDOWN(pcr)
{
}

/* Files of the owner that the rule for this PCR is about. */
static int measure_for(const char *pcr, int n)
{
	return imalog_shell("one() { echo $1 >$1; chown %s $1; cat $1 >/dev/null; };"
			    "i=0; while [ $i -lt %d ]; do one /root/p%s.$i.$$;"
			    "i=$((i + 1)); done",
			    pcr, n, pcr);
}

TEST_F_TIMEOUT(pcr, records_for_other_pcrs, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure_for("11", 3));
	ASSERT_EQ(0, imalog_shell("grep -q '^11 ' " IMA_DIR "/ascii_runtime_measurements"))
		imalog_says("no error");
	ASSERT_EQ(0, imalog_remember());
	EXPECT_EQ(IMALOG_DONE, imalog("trim --json"));
	EXPECT_EQ(0, imalog_number("unproven"));
	EXPECT_EQ(0, ima_count());
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
	/* one that comes later */
	ASSERT_EQ(0, measure_for("14", 3));
	ASSERT_EQ(0, measure_for("11", 3));
	ASSERT_EQ(0, imalog_remember());
	EXPECT_EQ(IMALOG_DONE, imalog("trim --json"));
	EXPECT_EQ(0, imalog_number("unproven"));
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
	EXPECT_EQ(0, imalog_shell("grep -q '\"14\":{' " IMALOG_ARCHIVE "/*/*/shard.json"));
}

/* Anyone can reset 23; 40 is none that a TPM has. */
TEST_F_TIMEOUT(pcr, records_that_no_quote_vouches_for, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure_for("23", 3));
	ASSERT_EQ(0, measure_for("40", 2));
	ASSERT_EQ(0, ima_measure_files(2));
	ASSERT_EQ(0, imalog_remember());
	EXPECT_EQ(IMALOG_DONE, imalog("trim --json"));
	EXPECT_EQ(5, imalog_number("unproven"));
	EXPECT_EQ(0, ima_count());
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
	/* at the end they wait for one that is proven */
	ASSERT_EQ(0, measure_for("23", 2));
	ASSERT_EQ(0, imalog_remember());
	EXPECT_EQ(IMALOG_DONE, imalog("trim --json"));
	EXPECT_EQ(0, imalog_number("archived"));
	EXPECT_EQ(2, ima_count());
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
	ASSERT_EQ(0, ima_measure_files(1));
	ASSERT_EQ(0, imalog_remember());
	EXPECT_EQ(IMALOG_DONE, imalog("trim --json"));
	EXPECT_EQ(2, imalog_number("unproven"));
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

/* A round that another program delays tells of both its tries. */
TEST_F_TIMEOUT(pcr, records_of_a_round_of_two_tries, IMA_TIMEOUT)
{
	const char *once = "test -e /root/once && exit; touch /root/once; cd " IMA_DIR ";"
			   "t=$(cat runtime_measurements_removed);"
			   "echo $t:1 >ascii_runtime_measurements";
	long n;

	ASSERT_EQ(0, measure_for("23", 3));
	ASSERT_EQ(0, ima_measure_files(2));
	ASSERT_EQ(0, imalog_remember());
	n = ima_count();
	EXPECT_EQ(IMALOG_DONE, imalog("trim --json --before-delete '%s'", once));
	EXPECT_EQ(n, imalog_number("archived"));
	EXPECT_EQ(3, imalog_number("unproven"));
	EXPECT_EQ(n - 1, imalog_number("deleted"));
	EXPECT_EQ(0, ima_count());
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

/* Records that wait for one that is proven make no round due. */
TEST_F_TIMEOUT(pcr, watch_leaves_records_that_wait_alone, IMA_TIMEOUT)
{
	struct imalog_service s;
	int looks = 0;

	ASSERT_EQ(0, measure_for("23", 4));
	ASSERT_EQ(0, imalog_remember());
	ASSERT_EQ(0, imalog_start(&s, "watch --records 2 --interval 1d"));
	EXPECT_TRUE(imalog_told(&s, "STATUS="));
	while (looks < 3 && imalog_told(&s, "=")) {
		EXPECT_EQ(NULL, strstr(s.said, "STATUS=")) printf("# %s\n", s.said);
		looks += !!strstr(s.said, "WATCHDOG=1");
	}
	EXPECT_EQ(3, looks);
	EXPECT_EQ(IMALOG_DONE, imalog_stop(&s, SIGTERM));
	EXPECT_EQ(4, ima_count());
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

/* The last: PCR 12 can no longer be proven. */
TEST_F_TIMEOUT(pcr, others_extend_it, IMA_TIMEOUT)
{
	long removed;

	ASSERT_EQ(0, imalog_shell("tpm2_pcrextend 12:sha256=$(printf %%064d 1)"));
	ASSERT_EQ(0, measure_for("12", 2));
	removed = ima_removed();
	ASSERT_LE(0, removed);
	EXPECT_EQ(IMALOG_REFUSED, imalog("trim"));
	EXPECT_TRUE(imalog_says("PCR 12: others than IMA extend it"));
	EXPECT_EQ(removed, ima_removed());
}

TEST_HARNESS_MAIN
