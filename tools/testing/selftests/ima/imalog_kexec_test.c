// SPDX-License-Identifier: GPL-2.0-only
/*
 * kexec in the middle of a round: the next kernel has the records that are left, and
 * counts from 0; imalog there finds their place in the archive, and loses none.
 *
 * One run goes through several kernels, as kexec_test does, and imalog's archive goes
 * along. Where a round is to end, imalog is killed: at a call counted from the first or
 * from the last that changes something.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kselftest.h"
#include "ima_test.h"
#include "imalog_agent.h"
#include "imalog_run.h"
#include "imalog_service.h"
#include "kexec_again.h"

#define TRIM		"trim --keep 3"
#define AGENT		"/root/agent"	/* what its verifier knows */
#define REQUESTS	17		/* in each kernel, about a hundred in all */
#define TRIMS		8
#define COMPLETE	(-1000)

/* The last calls: rename, sync the chain, open the kernel's file, delete. */
static const struct {
	const char *name;
	long at;	/* from the first, or if negative from the last */
} steps[] = {
	{ "before the quote", 1 },
	{ "while the records are read", 7 },
	{ "before the shard is committed", -3 },
	{ "before the folder of the chain is synced", -2 },
	{ "after the shard is committed, before the deletion", -1 },
	{ "after the deletion", 0 },
};

#define STEPS	((int)ARRAY_SIZE(steps))

static int kernel;	/* how many kexecs before it */
static int test;	/* the step whose end is looked at, counted from 1 */

static void __noreturn fail(const char *what, long is)
{
	printf("# kernel %d: %s: %ld\n", kernel, what, is);
	imalog_says("no error");
	printf("not ok %d kexec %s\n", test, steps[test - 1].name);
	fflush(stdout);
	exit(1);
}

#define CHECK(cond) do {			\
	long _is = (cond);			\
						\
	if (!_is)				\
		fail(#cond, _is);		\
} while (0)

/* The calls that change something in a round that is not disturbed. */
static long count_calls(void)
{
	long ret;

	CHECK(!ima_measure_files(10));
	CHECK(!imalog_remember());
	ret = imalog_fault(0, 0, TRIM);
	CHECK(ret <= COMPLETE);
	return COMPLETE - ret;
}

static void disturb(long at)
{
	long calls = count_calls();

	CHECK(!ima_measure_files(10));
	CHECK(!imalog_remember());
	if (at <= 0)
		at = at ? calls + at : 0;
	if (at)
		CHECK(imalog_fault(at, 0, TRIM) == 128 + SIGKILL);
	else
		CHECK(imalog_fault(0, 0, TRIM) <= COMPLETE);
}

static void leave(void)
{
	test = kernel + 1;
	disturb(steps[kernel].at);
	CHECK(!imalog_before_kexec());
	CHECK(!kexec_load_again("find var; echo root; find root/whole root/agent", kernel + 1));
	fail("executing the next kernel", kexec_ask() ?: kexec_await());
}

/* The verifier goes on where it was with the kernel before. */
static void attest_beside_trims(void)
{
	struct imalog_service mounted;
	int trims = TRIMS;

	CHECK(!imalog_start_mount(&mounted, ""));
	CHECK(agent_beside_trims(AGENT, REQUESTS, &trims) == REQUESTS * kernel);
	CHECK(!imalog_mount_is_whole());
	CHECK(!imalog_stop(&mounted, SIGTERM));
}

/* The records came along, and are found in the archive. */
static void arrive(void)
{
	CHECK(imalog("status --json") == IMALOG_DONE);
	CHECK(!imalog_remember());
	CHECK(imalog("trim --keep 3 --json") == IMALOG_DONE);
	CHECK(imalog_says("\"aligned\":true"));
	CHECK(ima_count() == 3);
	CHECK(!imalog_whole(IMA_DIR));
	attest_beside_trims();
	/* and the place is known from now on */
	CHECK(!ima_measure_files(5));
	CHECK(!imalog_remember());
	CHECK(imalog("trim --keep 3 --json") == IMALOG_DONE);
	CHECK(imalog_says("\"aligned\":false"));
	CHECK(!imalog_whole(IMA_DIR));
	printf("ok %d kexec %s\n", kernel, steps[kernel - 1].name);
	fflush(stdout);
}

int main(void)
{
	const char *boot = getenv("IMA_KEXEC_BOOT"), *why = imalog_unavailable();

	kernel = boot ? atoi(boot) : 0;
	test = kernel ?: 1;
	if (!kernel)
		printf("TAP version 13\n1..%d\n", STEPS);
	if (why || !getenv("IMA_KEXEC_TEST")) {
		printf("# %s\n", why ?: "not in a VM that can kexec");
		return 4;
	}
	if (kernel)
		arrive();
	if (kernel < STEPS)
		leave();
	return 0;
}
