// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog watch makes rounds as the list grows, and one when it is ended; it tells
 * systemd how it is, and goes on after a failure.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_run.h"
#include "imalog_service.h"

#define TCTI	"/root/tpm"
#define WAIT_MS	120000

FIXTURE(watch)
{
	struct imalog_service s;
};

FIXTURE_SETUP(watch)
{
	const char *why = imalog_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, imalog_remember());
}

FIXTURE_TEARDOWN(watch)
{
}

/* While the service stands still, or a round could delete what is not kept yet. */
static int measure(struct _test_data_watch *self, unsigned int n)
{
	int ret = imalog_halt(&self->s);

	ret = ret ?: ima_measure_files(n);
	ret = ret ?: imalog_remember();
	return ret ?: imalog_go_on(&self->s);
}

/* Whether it gets there before a deadline. */
static bool count_becomes(long n)
{
	long long end = ima_now_ms() + WAIT_MS;

	while (ima_count() != n && ima_now_ms() < end)
		usleep(50000);
	if (ima_count() == n)
		return true;
	printf("# %ld records, not %ld\n", ima_count(), n);
	return false;
}

TEST_F_TIMEOUT(watch, rounds_at_a_number_of_records, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(self, 5));
	ASSERT_EQ(0, imalog_start(&self->s, "watch --records 50 --interval 1d --keep 3"));
	EXPECT_TRUE(imalog_told(&self->s, "READY=1"));
	/* what was there before is taken at once */
	EXPECT_TRUE(count_becomes(3));
	EXPECT_TRUE(imalog_told(&self->s, "STATUS="));
	EXPECT_NE(NULL, strstr(self->s.said, " 3 left")) printf("# %s\n", self->s.said);
	/* a few are left alone: it has looked at them and would have begun by then */
	ASSERT_EQ(0, measure(self, 20));
	EXPECT_TRUE(imalog_told(&self->s, "WATCHDOG=1"));
	EXPECT_TRUE(imalog_told(&self->s, "WATCHDOG=1"));
	EXPECT_TRUE(imalog_told(&self->s, "WATCHDOG=1"));
	EXPECT_EQ(23, ima_count());
	ASSERT_EQ(0, measure(self, 30));
	EXPECT_TRUE(count_becomes(3));
	/* a last round at the end */
	ASSERT_EQ(0, measure(self, 4));
	EXPECT_EQ(IMALOG_DONE, imalog_stop(&self->s, SIGTERM));
	EXPECT_TRUE(imalog_says("4 records archived, 4 deleted, 3 left"));
	EXPECT_EQ(3, ima_count());
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

TEST_F_TIMEOUT(watch, rounds_at_an_interval, IMA_TIMEOUT)
{
	ASSERT_EQ(0, imalog_start(&self->s, "watch --interval 1s"));
	ASSERT_EQ(0, measure(self, 3));
	EXPECT_TRUE(count_becomes(0));
	ASSERT_EQ(0, measure(self, 2));
	EXPECT_TRUE(count_becomes(0));
	EXPECT_EQ(IMALOG_DONE, imalog_stop(&self->s, SIGINT));
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

TEST_F_TIMEOUT(watch, round_at_once, IMA_TIMEOUT)
{
	ASSERT_EQ(0, imalog_start(&self->s, "watch --interval 1d"));
	EXPECT_TRUE(imalog_told(&self->s, "STATUS="));
	ASSERT_EQ(0, measure(self, 3));
	ASSERT_EQ(0, kill(self->s.pid, SIGHUP));
	EXPECT_TRUE(count_becomes(0));
	EXPECT_EQ(IMALOG_DONE, imalog_stop(&self->s, SIGTERM));
}

/* The TPM is not there: said once, and tried again until it is. */
TEST_F_TIMEOUT(watch, goes_on_after_a_failure, IMA_TIMEOUT)
{
	int i;

	unlink(TCTI);
	ASSERT_EQ(0, measure(self, 3));
	ASSERT_EQ(0, imalog_start(&self->s, "watch --interval 1d --tcti device:" TCTI));
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(imalog_told(&self->s, ": tried again in "));
		ASSERT_EQ(0, kill(self->s.pid, SIGHUP));
	}
	EXPECT_LE(3, ima_count());
	ASSERT_EQ(0, symlink("/dev/tpmrm0", TCTI));
	ASSERT_EQ(0, kill(self->s.pid, SIGHUP));
	EXPECT_TRUE(count_becomes(0));
	ASSERT_EQ(0, measure(self, 1));
	EXPECT_EQ(IMALOG_DONE, imalog_stop(&self->s, SIGTERM));
	EXPECT_TRUE(imalog_says("rounds go on"));
	EXPECT_EQ(0, imalog_shell("test $(grep -c '^imalog: TPM: ' " IMALOG_PRINTED ") = 1"));
	EXPECT_EQ(0, imalog_shell("test $(grep -c 'it is tried again' " IMALOG_PRINTED ") = 1"));
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
	unlink(TCTI);
}

/* Tasks are frozen, and devices sleep for five seconds, the TPM too (pm_test). */
TEST_F_TIMEOUT(watch, goes_on_after_a_suspend, IMA_TIMEOUT)
{
	ASSERT_EQ(0, imalog_start(&self->s, "watch --records 10 --interval 1d"));
	EXPECT_TRUE(imalog_told(&self->s, "STATUS="));
	EXPECT_TRUE(count_becomes(0));
	ASSERT_EQ(0, imalog_shell("cd /sys/power; slept=$(cat suspend_stats/success);"
				  "echo devices >pm_test; echo freeze >state;"
				  "test $(cat suspend_stats/success) = $((slept + 1))"));
	ASSERT_EQ(0, measure(self, 15));
	EXPECT_TRUE(count_becomes(0));
	EXPECT_EQ(IMALOG_DONE, imalog_stop(&self->s, SIGTERM));
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
	EXPECT_EQ(IMALOG_DONE, imalog("verify"));
}

/* It can be ended by the signals that end the service. */
TEST_F_TIMEOUT(watch, before_delete_gets_signals, IMA_TIMEOUT)
{
	const char *command = "trap \"exit 0\" TERM; kill -TERM $$; exit 7";

	ASSERT_EQ(0, measure(self, 3));
	ASSERT_EQ(0, imalog_start(&self->s, "watch --interval 1d --before-delete '%s'",
				  command));
	EXPECT_TRUE(imalog_told(&self->s, "STATUS="));
	EXPECT_EQ(0, ima_count());
	EXPECT_EQ(IMALOG_DONE, imalog_stop(&self->s, SIGTERM));
}

/* A round takes as long as its command: systemd is told that it goes on. */
TEST_F_TIMEOUT(watch, watchdog_is_told_while_before_delete_runs, IMA_TIMEOUT)
{
	int i, ret;

	ASSERT_EQ(0, imalog_shell("rm -f /root/go"));
	ASSERT_EQ(0, measure(self, 3));
	ASSERT_EQ(0, setenv("WATCHDOG_USEC", "1000000", 1));
	ret = imalog_start(&self->s,
			   "watch --interval 1d --before-delete 'until [ -e /root/go ]; do sleep 0.1; done'");
	unsetenv("WATCHDOG_USEC");
	ASSERT_EQ(0, ret);
	for (i = 0; i < 10; i++)
		EXPECT_TRUE(imalog_told(&self->s, "WATCHDOG=1"));
	EXPECT_LE(3, ima_count());
	ASSERT_EQ(0, imalog_shell("touch /root/go"));
	EXPECT_TRUE(count_becomes(0));
	EXPECT_EQ(IMALOG_DONE, imalog_stop(&self->s, SIGTERM));
}

TEST_F_TIMEOUT(watch, last_round_that_fails_is_told, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(self, 3));
	ASSERT_EQ(0, imalog_start(&self->s, "watch --interval 1d --tcti device:/none"));
	EXPECT_TRUE(imalog_told(&self->s, ": tried again in "));
	EXPECT_EQ(IMALOG_TPM, imalog_stop(&self->s, SIGTERM));
	EXPECT_LE(3, ima_count());
	EXPECT_EQ(IMALOG_USAGE, imalog("watch --records 0"));
	EXPECT_EQ(IMALOG_USAGE, imalog("watch --interval 1y"));
}

TEST_HARNESS_MAIN
