// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the places of open measurement files: reading on while
 * records leave, who is in the way, and the one writer.
 */

#include <linux/pid.h>
#include <linux/sched/task.h>

#include "ima_log_kunit.h"

static void ima_place_open_all(struct kunit *test, struct ima_list *list,
			       struct pid *owner)
{
	for (int i = 0; i < IMA_KUNIT_PLACES; i++)
		KUNIT_ASSERT_EQ(test, ima_kunit_open(test->priv, i, list, owner,
						     false), 0);
}

static void ima_place_read_on_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 10);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_OTHER);

	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 4, 0), 4);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 4, 2, 4), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 6, 100, 6), 4);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 10, 100, 0), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 4), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 10, 100, 0), 0);
	ima_kunit_fill(test, 10, 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 10, 100, 10), 2);

	/* one that did not begin starts with what there is */
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 1, 0, 100, 10), 2);
}

static void ima_place_stale_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 5);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_SELF);

	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 2, 0), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 1, 1, 1), 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 2), 0);

	/* the next record is there, those before it are not */
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 1, 1, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 4, 1, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 1, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 2, 1, 2), 1);

	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 2), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 3, 1, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 3, 1, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 1, 0), -ESTALE);

	ima_kunit_rewind(ctx, 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 4), 1);
}

/* It goes between prepare and start. */
static void ima_place_gone_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	struct ima_place *place = &ctx->place[0];

	ima_kunit_fill(test, 0, 5);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_SELF);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 2, 0), 2);
	KUNIT_EXPECT_EQ(test, ima_place_prepare(place, &ctx->seq[0],
						2 * IMA_KUNIT_BYTES, true), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(ima_place_start(place, 2)),
			-ESTALE);
	ima_place_stop(place);
}

static void ima_place_seek_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 10);
	KUNIT_ASSERT_EQ(test, ima_kunit_delete(ctx, 2), 0);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_SELF);

	/* not begun: byte 0 is yet to be what is first then */
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 3, 2, 5), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 3, 2), 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 5, 2, 7), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 8, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 20, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 7, 100, 9), 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 3, 100, 5), 5);
	ima_kunit_rewind(ctx, 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 2), 8);

	KUNIT_ASSERT_EQ(test, ima_kunit_delete(ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 5, 1, 0), -ESTALE);
	ima_kunit_rewind(ctx, 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 5, 1, 8), 1);
}

/* Reading goes on where it was, wherever pread(2) led in between. */
static void ima_place_pread_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 10);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_SELF);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 4, 0), 4);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 7, 1, 7), 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 4, 2, 4), 2);

	/* at the file's own offset, which stays there */
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 6, 1, 6), 1);
	ctx->f_pos[0] = 6 * IMA_KUNIT_BYTES;
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 6, 2, 6), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 9, 1, 0), -ESTALE);

	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 8, 1, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 8, 1, 0), -ESTALE);
}

/* Nor does pread(2) make a difference to who is in the way. */
static void ima_place_pread_middle_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 10);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_OTHER);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 4, 0), 4);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 7, 1, 7), 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 6), -EBUSY);
	/* at the file's own offset, which stays there */
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 4, 3, 4), 3);
	ctx->f_pos[0] = 4 * IMA_KUNIT_BYTES;
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 5), -EBUSY);
	ima_kunit_rewind(ctx, 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 1, 3, 1, 3), 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 2, 0, 1, 0), 1);
	ctx->f_pos[2] = 0;
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 5), 0);
	ima_kunit_check(test, 5, 0, 5);
}

static void ima_place_staged_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_place_open_all(test, &ctx->log.staged, IMA_KUNIT_SELF);
	ima_kunit_fill(test, 0, 5);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 0), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 0), 5);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 1, 0, 3, 0), 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 5, 100, 0), 0);

	ima_kunit_fill(test, 5, 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 5, 100, 5), 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 1, 3, 100, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 2, 0, 100, 5), 3);
}

/* The list changes under a place in it when all of it is staged. */
static void ima_place_moved_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 5);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_SELF);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 0), 5);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 1, 0, 2, 0), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);
	ima_kunit_fill(test, 5, 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 5, 100, 5), 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 1, 2, 100, 0), -ESTALE);
}

static const struct ima_middle {
	const char *name;
	int next;		/* of 10 records, the one to show next */
	int rest;		/* bytes to show of the one before */
	unsigned long n;
	int ret;
} ima_middles[] = {
	{ "not begun", 0, 0, 10, 0 },
	{ "before the cut", 3, 0, 4, -EBUSY },
	{ "at the cut", 4, 0, 4, 0 },
	{ "past the cut", 5, 0, 4, 0 },
	{ "in the last record to go", 4, 4, 4, -EBUSY },
	{ "in the record after it", 5, 4, 4, 0 },
	{ "in the first record", 1, 4, 1, -EBUSY },
	{ "at the end", 10, 0, 10, 0 },
	{ "in the last record", 10, 4, 10, -EBUSY },
	/* in seq_file's buffer, and nothing of it read */
	{ "before the first record", 1, IMA_KUNIT_BYTES, 1, 0 },
	{ "before the last record to go", 4, IMA_KUNIT_BYTES, 4, -EBUSY },
	{ "before the record after it", 5, IMA_KUNIT_BYTES, 4, 0 },
	{ "before the last record", 10, IMA_KUNIT_BYTES, 10, -EBUSY },
};

KUNIT_ARRAY_PARAM_DESC(ima_middle, ima_middles, name);

/* Numbers do not start at 0 here, and other records were there before. */
static void ima_place_middle_test(struct kunit *test)
{
	const struct ima_middle *middle = test->param_value;
	unsigned long gone = middle->ret ? 0 : middle->n;
	struct ima_kunit *ctx = test->priv;
	struct seq_file *m = &ctx->seq[0];

	ima_kunit_fill(test, 0, 20);
	KUNIT_ASSERT_EQ(test, ima_kunit_delete(ctx, 10), 0);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_OTHER, false), 0);
	ima_kunit_read(test, 0, 0, middle->next, 10);
	if (middle->rest) {
		m->count = middle->rest;
		m->from = IMA_KUNIT_BYTES - middle->rest;
		m->read_pos -= middle->rest;
		ctx->f_pos[0] -= middle->rest;
		ima_place_note(&ctx->place[0], m, true);
	}
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, middle->n), middle->ret);
	ima_kunit_check(test, 10 + gone, 0, 10 - gone);
}

/* It read what is gone already, and nothing of what is to go. */
static void ima_place_past_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 10);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_OTHER, false), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 3, 0), 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 4), 0);
	ima_kunit_check(test, 7, 0, 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 3, 1, 0), -ESTALE);
}

/* Who is in the way of A and of D, and whose files do not matter. */
static void ima_place_middle_staged_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 5);
	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_OTHER, false), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 1, &ctx->log.list,
					     IMA_KUNIT_SELF, false), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 2, &ctx->log.staged,
					     IMA_KUNIT_OTHER, false), 0);

	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 2, 0), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 1, 0, 2, 0), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), -EBUSY);
	ima_kunit_check(test, 0, 0, 5);

	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 2, 100, 2), 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 2, 0, 2, 0), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), -EBUSY);
	ima_kunit_check(test, 5, 5, 0);

	/* it is the records that count: they were in the list when 1 was read */
	mutex_lock(&ctx->log.command);
	KUNIT_EXPECT_EQ(test, ima_queue_delete_staged(&ctx->log,
						      IMA_KUNIT_OTHER), -EBUSY);
	mutex_unlock(&ctx->log.command);

	/* a reader in the middle of the list is not in the way of D */
	ima_kunit_fill(test, 5, 5);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 5, 2, 5), 2);
	ima_kunit_rewind(ctx, 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), 0);
	ima_kunit_check(test, 5, 0, 5);
}

/* Carried over is the reason, not who is in the way: that one may go. */
static void ima_place_suspended_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 5);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_OTHER, false), 0);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 1, &ctx->log.staged,
					     IMA_KUNIT_OTHER, false), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 2, 0), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), -EBUSY);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), -EBUSY);
	ctx->log.suspended = true;
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), -EACCES);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 6), -ENOENT);
	ima_kunit_check(test, 0, 0, 5);

	ctx->log.suspended = false;
	ima_kunit_rewind(ctx, 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 1, 0, 2, 0), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), -EBUSY);
	ctx->log.suspended = true;
	KUNIT_EXPECT_EQ(test, ima_kunit_delete_staged(ctx), -ESTALE);
	ima_kunit_check(test, 5, 5, 0);

	/* reading goes on */
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 1, 2, 100, 2), 3);
}

/* Reached the end once, and the list grew: still in nobody's way. */
static void ima_place_rest_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 5);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_OTHER);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 0), 5);
	ima_kunit_fill(test, 5, 5);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 8), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 5, 100, 0), -ESTALE);
	ima_kunit_rewind(ctx, 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 8), 2);
}

static void ima_place_writer_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	struct ima_list *list = &ctx->log.list;

	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 0, list, IMA_KUNIT_SELF,
					     true), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 1, &ctx->log.staged,
					     IMA_KUNIT_SELF, true), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 2, list, IMA_KUNIT_OTHER,
					     true), -EBUSY);
	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 2, list, IMA_KUNIT_OTHER,
					     false), 0);
	ima_kunit_close(ctx, 2);

	ima_kunit_close(ctx, 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 2, list, IMA_KUNIT_OTHER,
					     true), -EBUSY);
	ima_kunit_close(ctx, 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 2, list, IMA_KUNIT_OTHER,
					     true), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 0, list, IMA_KUNIT_SELF,
					     true), -EBUSY);
}

/* A process with a reference that is never dropped, so that none is the last. */
static struct pid *ima_place_pid(struct kunit *test)
{
	struct pid *pid;

	pid = kunit_kzalloc(test, struct_size(pid, numbers, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pid);
	refcount_set(&pid->count, 1);
	return pid;
}

/* The owner's struct pid is kept, so that no other process can get it. */
static void ima_place_owner_test(struct kunit *test)
{
	struct pid *owner = ima_place_pid(test);
	struct pid *other = ima_place_pid(test);
	struct ima_kunit *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list, owner,
					     true), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 1, &ctx->log.list, owner,
					     false), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&owner->count), 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_open(ctx, 2, &ctx->log.list, other,
					     true), -EBUSY);
	KUNIT_EXPECT_EQ(test, refcount_read(&other->count), 1);
	ima_kunit_close(ctx, 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&owner->count), 2);
	ima_kunit_close(ctx, 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&owner->count), 1);
}

static struct kunit_case ima_place_cases[] = {
	KUNIT_CASE(ima_place_read_on_test),
	KUNIT_CASE(ima_place_stale_test),
	KUNIT_CASE(ima_place_gone_test),
	KUNIT_CASE(ima_place_seek_test),
	KUNIT_CASE(ima_place_pread_test),
	KUNIT_CASE(ima_place_pread_middle_test),
	KUNIT_CASE(ima_place_staged_test),
	KUNIT_CASE(ima_place_moved_test),
	KUNIT_CASE_PARAM(ima_place_middle_test, ima_middle_gen_params),
	KUNIT_CASE(ima_place_past_test),
	KUNIT_CASE(ima_place_middle_staged_test),
	KUNIT_CASE(ima_place_suspended_test),
	KUNIT_CASE(ima_place_rest_test),
	KUNIT_CASE(ima_place_writer_test),
	KUNIT_CASE(ima_place_owner_test),
	{}
};

static struct kunit_suite ima_place_suite = {
	.name = "ima_place",
	.init = ima_kunit_init,
	.exit = ima_kunit_exit,
	.test_cases = ima_place_cases,
};

kunit_test_suite(ima_place_suite);
