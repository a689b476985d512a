// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the measurement log: adding, staging, deleting, and what is
 * remembered of events whose record is gone.
 */

#include "ima_log_kunit.h"

#define IMA_CUT_RECORDS 10

static const struct ima_cut {
	const char *name;
	unsigned long n;
	int ret;
} ima_cuts[] = {
	{ "0", 0, -EINVAL },
	{ "1", 1, 0 },
	{ "n-1", IMA_CUT_RECORDS - 1, 0 },
	{ "n", IMA_CUT_RECORDS, 0 },
	{ "n+1", IMA_CUT_RECORDS + 1, -ENOENT },
	{ "ULONG_MAX", ULONG_MAX, -ENOENT },
};

KUNIT_ARRAY_PARAM_DESC(ima_cut, ima_cuts, name);

static void ima_cut_test(struct kunit *test)
{
	const struct ima_cut *cut = test->param_value;
	unsigned long gone = cut->ret ? 0 : cut->n;

	ima_kunit_fill(test, 0, IMA_CUT_RECORDS);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(test->priv, cut->n), cut->ret);
	ima_kunit_check(test, gone, 0, IMA_CUT_RECORDS - gone);

	/* the list goes on where it ended */
	ima_kunit_fill(test, IMA_CUT_RECORDS, 3);
	ima_kunit_check(test, gone, 0, IMA_CUT_RECORDS - gone + 3);
}

static void ima_cut_empty_test(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(test->priv, 1), -ENOENT);
	ima_kunit_check(test, 0, 0, 0);
}

static void ima_cut_rounds_test(struct kunit *test)
{
	u32 added = 0;
	u64 gone = 0;

	for (u32 round = 1; round <= 20; round++) {
		ima_kunit_fill(test, added, round);
		added += round;
		KUNIT_EXPECT_EQ(test, ima_kunit_delete(test->priv, round - round / 3),
				0);
		gone += round - round / 3;
		ima_kunit_check(test, gone, 0, added - gone);
	}
	KUNIT_EXPECT_EQ(test, ima_kunit_extends(), added);
}

/* A size that is not known stays so. */
static void ima_cut_saturated_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 2);
	ctx->log.list.size = ULONG_MAX - 1;
	ima_kunit_fill(test, 2, 1);
	KUNIT_EXPECT_EQ(test, ctx->log.list.size, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, ima_log_size(&ctx->log), ULONG_MAX);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, ctx->log.list.size, ULONG_MAX);
}

static void ima_stage_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), -ENOENT);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), -ENOENT);

	ima_kunit_fill(test, 0, 5);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);
	ima_kunit_check(test, 5, 5, 0);
	ima_kunit_fill(test, 5, 2);
	ima_kunit_check(test, 5, 5, 2);

	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), -EEXIST);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 1), -EEXIST);
	ima_kunit_check(test, 5, 5, 2);

	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), 0);
	ima_kunit_check(test, 5, 0, 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 1), 0);
	ima_kunit_check(test, 6, 0, 1);

	ima_kunit_fill(test, 7, 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);
	ima_kunit_check(test, 8, 2, 0);
}

/* Deleted events are still known, unless flushed. */
static void ima_dedup_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 1), -EEXIST);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 1), -EEXIST);
	KUNIT_EXPECT_EQ(test, ima_kunit_extends(), 3);

	/* the same digest for another PCR is another event */
	KUNIT_EXPECT_EQ(test, ima_kunit_measure_pcr(ctx, 1, false, 12), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_extends(), 4);
}

static void ima_flush_delete_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ctx->log.flush = true;
	ima_kunit_fill(test, 0, 4);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 2), 0);

	/* 0 and 1 are forgotten, 2 and 3 are in the list */
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 0), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 2), -EEXIST);
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 3), -EEXIST);
	KUNIT_EXPECT_EQ(test, ctx->log.list.count, 4);
}

static void ima_flush_staged_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ctx->log.flush = true;
	ima_kunit_fill(test, 0, 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);

	/* staged is not deleted */
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 0), -EEXIST);
	ima_kunit_fill(test, 2, 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), 0);

	/* what came after A is in the list once, before and after D */
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 2), -EEXIST);
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 0), 0);
	KUNIT_EXPECT_EQ(test, ctx->log.list.count, 2);
}

/* Violations are recorded each time, and are nothing to forget. */
static void ima_violation_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ctx->log.flush = true;
	for (int i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, ima_kunit_measure_pcr(ctx, 7, true, 10),
				0);
	ima_kunit_check(test, 0, 0, 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 2), 0);
	ima_kunit_check(test, 2, 0, 1);
}

/* Without a node for its digest, a record is added all the same. */
static void ima_digest_fail_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ctx->log.flush = true;
	ctx->log.digests.max_elems = 2;	/* the table takes no more */
	ima_kunit_fill(test, 0, 5);
	ima_kunit_check(test, 0, 0, 5);
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 1), -EEXIST);
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 4), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_extends(), 6);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 6), 0);
	ima_kunit_check(test, 6, 0, 0);
}

static void ima_suspended_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 3);
	ctx->log.suspended = true;
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), -EACCES);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 1), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 4), -ENOENT);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), -ENOENT);
	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 3), -ENODEV);
	KUNIT_EXPECT_EQ(test, ima_kunit_measure_pcr(ctx, 3, true, 10), -ENODEV);
	ima_kunit_check(test, 0, 0, 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_extends(), 3);

	ctx->log.suspended = false;
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);
	ctx->log.suspended = true;
	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), -EEXIST);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 1), -EEXIST);
	ima_kunit_check(test, 3, 3, 0);
}

static struct kunit_case ima_queue_cases[] = {
	KUNIT_CASE_PARAM(ima_cut_test, ima_cut_gen_params),
	KUNIT_CASE(ima_cut_empty_test),
	KUNIT_CASE(ima_cut_rounds_test),
	KUNIT_CASE(ima_cut_saturated_test),
	KUNIT_CASE(ima_stage_test),
	KUNIT_CASE(ima_dedup_test),
	KUNIT_CASE(ima_flush_delete_test),
	KUNIT_CASE(ima_flush_staged_test),
	KUNIT_CASE(ima_violation_test),
	KUNIT_CASE(ima_digest_fail_test),
	KUNIT_CASE(ima_suspended_test),
	{}
};

static struct kunit_suite ima_queue_suite = {
	.name = "ima_queue",
	.init = ima_kunit_init,
	.exit = ima_kunit_exit,
	.test_cases = ima_queue_cases,
};

kunit_test_suite(ima_queue_suite);
