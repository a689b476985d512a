// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the measurement log: adding, staging, deleting, and what is
 * remembered of events whose record is gone.
 */

#include <kunit/static_stub.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/rhashtable.h>

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
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), -EEXIST);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 0), -EINVAL);
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

/* All of the digest counts, and nothing behind it. */
static void ima_digest_key_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	u8 digest[HASH_MAX_DIGESTSIZE + 1] = {};
	int size = hash_digest_size[ima_hash_algo];

	KUNIT_ASSERT_NOT_NULL(test, ima_digest_add(&ctx->log.digests, digest,
						   10));
	for (int i = 0; i <= size; i++) {
		digest[i] = 1;
		KUNIT_EXPECT_EQ(test, ima_digest_known(&ctx->log.digests,
						       digest, 10), i == size);
		digest[i] = 0;
	}
	KUNIT_EXPECT_FALSE(test, ima_digest_known(&ctx->log.digests, digest,
						  11));
}

/* The table grows with what it holds, and loses nothing by it. */
static void ima_digest_many_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	const u32 many = 1000, gone = 900;

	ctx->log.flush = true;
	ima_kunit_fill(test, 0, many);
	for (u32 i = 0; i < many; i++)
		KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, i), -EEXIST);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, gone), 0);
	for (u32 i = gone; i < many; i++)
		KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, i), -EEXIST);
	ima_kunit_fill(test, 0, gone);
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

#define IMA_MEMORY_ROUNDS 20
#define IMA_MEMORY_RECORDS 1000	/* in each round */

static const struct ima_memory {
	const char *name;
	bool flush;
	long keep;		/* bytes that a deleted record may keep */
} ima_memories[] = {
	{ "but for the digest", false, 96 },
	{ "with ima_flush_htable", true, 8 },
};

KUNIT_ARRAY_PARAM_DESC(ima_memory, ima_memories, name);

/* Measure and delete: what does it take of slab that cannot be reclaimed? */
static long ima_memory_keep(struct kunit *test, u32 first)
{
	long before = global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B);

	for (u32 i = 0; i < IMA_MEMORY_ROUNDS; i++) {
		ima_kunit_fill(test, first + i * IMA_MEMORY_RECORDS,
			       IMA_MEMORY_RECORDS);
		KUNIT_ASSERT_EQ(test, ima_kunit_delete(test->priv,
						       IMA_MEMORY_RECORDS), 0);
	}
	return (global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B) -
		before) * (long)PAGE_SIZE;
}

/* A deleted record gives its memory back. Others allocate, too: try again. */
static void ima_memory_test(struct kunit *test)
{
	const long records = IMA_MEMORY_ROUNDS * IMA_MEMORY_RECORDS;
	const struct ima_memory *memory = test->param_value;
	struct ima_kunit *ctx = test->priv;
	long keep = 0;

	if (IS_ENABLED(CONFIG_KASAN))	/* keeps what is freed for a while */
		return;
	ctx->log.flush = memory->flush;
	for (int try = 0; try < 5; try++) {
		keep = ima_memory_keep(test, try * records);
		kunit_info(test, "%ld bytes per record\n", keep / records);
		if (keep <= memory->keep * records)
			break;
	}
	KUNIT_EXPECT_LE(test, keep, memory->keep * records);
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

/* Among events, violations leave with their neighbours, but have no digest. */
static void ima_violation_between_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	atomic_t *digests = &ctx->log.digests.nelems;

	ctx->log.flush = true;
	for (u32 i = 0; i < 9; i++)
		KUNIT_EXPECT_EQ(test, ima_kunit_measure_pcr(ctx, i, i % 3 == 1,
							    10), 0);
	ima_kunit_check(test, 0, 0, 9);
	KUNIT_EXPECT_EQ(test, atomic_read(digests), 6);

	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 5), 0);
	ima_kunit_check(test, 5, 0, 4);
	KUNIT_EXPECT_EQ(test, atomic_read(digests), 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), 0);
	ima_kunit_check(test, 9, 0, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(digests), 0);
}

static u8 ima_extended[TPM2_MAX_DIGEST_SIZE];
static int ima_extended_pcr;

/* A digest that is extended: of the first bank, if there is a TPM. */
static int ima_extended_idx(void)
{
	return NR_BANKS(ima_tpm_chip) ? 0 : ima_hash_algo_idx;
}

/* Violations have digests of their own, for the banks of a TPM, if it is there. */
static int ima_extend_fail(struct tpm_digest *digests, int pcr)
{
	if (digests)
		memcpy(ima_extended, digests[ima_extended_idx()].digest,
		       sizeof(ima_extended));
	ima_extended_pcr = pcr;
	return -EIO;
}

static struct ima_queue_entry *ima_last(struct ima_kunit *ctx)
{
	return list_last_entry(&ctx->log.list.head, struct ima_queue_entry,
			       later);
}

static const u8 *ima_last_digest(struct ima_kunit *ctx)
{
	return ima_queue_digest(ima_last(ctx), ima_extended_idx());
}

/* What the PCR is extended with; a TPM that fails stops no measurement. */
static void ima_extend_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	kunit_activate_static_stub(test, ima_pcr_extend, ima_extend_fail);
	KUNIT_ASSERT_EQ(test, ima_kunit_measure_pcr(ctx, 0, false, 12), 0);
	KUNIT_EXPECT_MEMEQ(test, ima_extended, ima_last_digest(ctx),
			   ima_algo_array[ima_extended_idx()].digest_size);
	KUNIT_EXPECT_EQ(test, ima_extended_pcr, 12);
	KUNIT_EXPECT_EQ(test, ima_kunit_measure_pcr(ctx, 0, false, 12),
			-EEXIST);

	KUNIT_ASSERT_EQ(test, ima_kunit_measure_pcr(ctx, 1, true, 13), 0);
	KUNIT_EXPECT_MEMNEQ(test, ima_extended, ima_last_digest(ctx),
			    ima_algo_array[ima_extended_idx()].digest_size);
	KUNIT_EXPECT_EQ(test, ima_extended_pcr, 13);
	ima_kunit_check(test, 0, 0, 2);
}

/* A former kernel's records are in its PCR, and are no events of this boot. */
static void ima_restore_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ctx->log.flush = true;
	for (u32 i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, ima_kunit_restore(ctx, i), 0);
		KUNIT_EXPECT_NULL(test, ima_last(ctx)->digest);
	}
	KUNIT_EXPECT_EQ(test, ima_kunit_extends(), 0);
	ima_kunit_check(test, 0, 0, 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 2), 0);
	ima_kunit_fill(test, 3, 1);
	ima_kunit_check(test, 2, 0, 2);

	KUNIT_EXPECT_EQ(test, ima_kunit_measure(ctx, 2), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_extends(), 2);
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

	ctx->log.suspended = true;
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), -ENOENT);
	ctx->log.suspended = false;

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

struct ima_remover {
	struct ima_kunit *ctx;
	unsigned long n;
	struct completion done;
	int ret;
};

static int ima_remover_run(void *data)
{
	struct ima_remover *remover = data;

	current->kunit_test = remover->ctx->test;
	if (remover->n)
		remover->ret = ima_kunit_delete(remover->ctx, remover->n);
	else
		remover->ret = ima_kunit_stage(remover->ctx);
	complete_all(&remover->done);
	return 0;
}

static const struct ima_removal {
	const char *name;
	unsigned long n;
} ima_removals[] = {
	{ "N", 2 },
	{ "A", 0 },
};

KUNIT_ARRAY_PARAM_DESC(ima_removal, ima_removals, name);

/* No record leaves the list while another is added and its PCR extended. */
static void ima_extend_mutex_test(struct kunit *test)
{
	const struct ima_removal *removal = test->param_value;
	struct ima_remover remover = { .ctx = test->priv, .n = removal->n };
	struct task_struct *task;

	ima_kunit_fill(test, 0, 3);
	init_completion(&remover.done);
	mutex_lock(&ima_extend_list_mutex);
	task = kthread_run(ima_remover_run, &remover, "ima_kunit");
	if (!IS_ERR(task))
		KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&remover.done,
								  HZ / 10), 0);
	KUNIT_EXPECT_EQ(test, remover.ctx->log.list.count, 3);
	mutex_unlock(&ima_extend_list_mutex);

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&remover.done);
	KUNIT_EXPECT_EQ(test, remover.ret, 0);
	KUNIT_EXPECT_LT(test, remover.ctx->log.list.count, 3);
}

#define IMA_BESIDE_ROUNDS 500
#define IMA_BESIDE_MAX 16	/* or adding, if faster, uses up memory */

static int ima_beside_measure(void *data)
{
	struct ima_kunit *ctx = data;
	int added = 0, ret = 0;

	current->kunit_test = ctx->test;
	while (!kthread_should_stop()) {
		cond_resched();
		if (ret || READ_ONCE(ctx->log.list.count) >= IMA_BESIDE_MAX)
			continue;
		ret = ima_kunit_measure(ctx, added);
		if (!ret)
			added++;
	}
	return ret ?: added;
}

/* All there is, by N or by A and D. No assertion: another thread goes on. */
static void ima_beside_delete(struct kunit *test, bool stage)
{
	unsigned long deadline = jiffies + 60 * HZ;
	struct ima_kunit *ctx = test->priv;
	unsigned long n;

	while (!(n = READ_ONCE(ctx->log.list.count)) &&
	       time_before(jiffies, deadline))
		cond_resched();
	if (!stage) {
		KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, n), 0);
		return;
	}
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), 0);
}

/* Records and digests leave while events are looked up and measured. */
static void ima_beside_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	struct task_struct *task;
	u64 removed;
	int added;

	ctx->log.flush = true;
	task = kthread_run(ima_beside_measure, ctx, "ima_kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (int i = 0; i < IMA_BESIDE_ROUNDS; i++)
		ima_beside_delete(test, i % 2);
	added = kthread_stop(task);

	removed = ima_log_removed(&ctx->log);
	KUNIT_EXPECT_GE(test, removed, IMA_BESIDE_ROUNDS);
	KUNIT_EXPECT_EQ(test, ima_kunit_extends(), added);
	ima_kunit_check(test, removed, 0, added - removed);
}

static struct kunit_case ima_queue_cases[] = {
	KUNIT_CASE_PARAM(ima_cut_test, ima_cut_gen_params),
	KUNIT_CASE(ima_cut_empty_test),
	KUNIT_CASE(ima_cut_rounds_test),
	KUNIT_CASE(ima_cut_saturated_test),
	KUNIT_CASE(ima_stage_test),
	KUNIT_CASE(ima_dedup_test),
	KUNIT_CASE(ima_digest_key_test),
	KUNIT_CASE(ima_digest_many_test),
	KUNIT_CASE(ima_flush_delete_test),
	KUNIT_CASE(ima_flush_staged_test),
	KUNIT_CASE_PARAM(ima_memory_test, ima_memory_gen_params),
	KUNIT_CASE(ima_violation_test),
	KUNIT_CASE(ima_violation_between_test),
	KUNIT_CASE(ima_extend_test),
	KUNIT_CASE(ima_restore_test),
	KUNIT_CASE(ima_digest_fail_test),
	KUNIT_CASE(ima_suspended_test),
	KUNIT_CASE_PARAM(ima_extend_mutex_test, ima_removal_gen_params),
	KUNIT_CASE(ima_beside_test),
	{}
};

static struct kunit_suite ima_queue_suite = {
	.name = "ima_queue",
	.init = ima_kunit_init,
	.exit = ima_kunit_exit,
	.test_cases = ima_queue_cases,
};

kunit_test_suite(ima_queue_suite);
