// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the places of open measurement files: reading on while
 * records leave, who is in the way, and the one writer.
 */

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
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
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 4, 1, 4), 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 1, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 2, 1, 2), 1);

	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 2), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 3, 1, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 3, 1, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 1, 0), -ESTALE);

	ima_kunit_rewind(ctx, 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 4), 1);
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
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 5, 1, 7), 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 1, 0), -ESTALE);
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
	ctx->file[0].f_pos = 6 * IMA_KUNIT_BYTES;
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 6, 2, 6), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 9, 1, 9), 1);

	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 8, 1, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 8, 1, 0), -ESTALE);
}

/* It is the last read that counts, of whichever kind, and no lseek(2). */
static void ima_place_pread_middle_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 10);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_OTHER);
	KUNIT_EXPECT_EQ(test, ima_kunit_lseek(ctx, 1, 35, SEEK_SET), 35);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 4, 0), 4);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 6), -EBUSY);
	KUNIT_EXPECT_EQ(test, ima_kunit_lseek(ctx, 0, 10 * IMA_KUNIT_BYTES,
					      SEEK_SET), 10 * IMA_KUNIT_BYTES);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 6), -EBUSY);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 7, 1, 7), 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 9), -EBUSY);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 6), 0);
	ima_kunit_rewind(ctx, 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	ima_kunit_check(test, 9, 0, 1);
}

static void ima_place_lseek_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 4);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_SELF);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 2, 0), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_lseek(ctx, 0, 0, SEEK_CUR), 20);
	KUNIT_EXPECT_EQ(test, ima_kunit_lseek(ctx, 0, 10, SEEK_CUR), 30);
	KUNIT_EXPECT_EQ(test, ima_kunit_lseek(ctx, 0, -31, SEEK_CUR), -EINVAL);
	KUNIT_EXPECT_EQ(test, ima_kunit_lseek(ctx, 0, 0, SEEK_END), -EINVAL);
	KUNIT_EXPECT_EQ(test, ima_kunit_lseek(ctx, 0, 0, SEEK_DATA), -EINVAL);
	KUNIT_EXPECT_EQ(test, ima_kunit_lseek(ctx, 0, 0, SEEK_CUR), 30);

	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_lseek(ctx, 0, 5, SEEK_SET), 5);
	KUNIT_EXPECT_EQ(test, ima_kunit_read_bytes(test, 0, 5, 10, 0), -ESTALE);
	ima_kunit_rewind(ctx, 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 1), 3);

	/* one that cannot be read */
	ctx->file[1].f_mode = FMODE_WRITE;
	KUNIT_EXPECT_EQ(test, ima_kunit_lseek(ctx, 1, 0, SEEK_END), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_lseek(ctx, 1, -1, SEEK_END), -EINVAL);
}

/* Beyond the end is where it will be. */
static void ima_place_beyond_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 2);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_OTHER);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 0), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_read_bytes(test, 0, 26, 100, 0), 0);
	/* that is at rest, too, for one that was in the middle */
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 1, 0, 1, 0), 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_read_bytes(test, 1, 26, 100, 0), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 2), 0);
	ima_kunit_fill(test, 2, 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_read_bytes(test, 0, 26, 4, 0), 4);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 3, 1, 3), 1);
}

static long ima_place_read_nowhere(struct ima_kunit *ctx, int i)
{
	struct file *file = &ctx->file[i];
	struct kiocb iocb = { .ki_filp = file, .ki_pos = file->f_pos };
	struct iov_iter to;

	/* no user's: UML dies of a page fault in a thread without an mm */
	iov_iter_ubuf(&to, ITER_DEST, (void __user *)(ULONG_MAX - PAGE_SIZE),
		      100);
	return ima_list_read(&iocb, &to);
}

/* A read that got nothing leaves it as it was, also which record is first. */
static void ima_place_nothing_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_OTHER);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 1, 0), 0);
	ima_kunit_fill(test, 0, 10);
	KUNIT_EXPECT_EQ(test, ima_place_read_nowhere(ctx, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 2, 20, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 2), 0);
	for (int i = 0; i < IMA_KUNIT_PLACES; i++)
		KUNIT_EXPECT_EQ(test, ima_kunit_read(test, i, 0, 100, 2), 8);

	/* in the middle it stays there */
	ima_kunit_rewind(ctx, 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 3, 2), 3);
	KUNIT_EXPECT_EQ(test, ima_place_read_nowhere(ctx, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 4), -EBUSY);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 3, 100, 5), 5);
}

/* A record that is being added is there for who reads once it is for N. */
static void ima_place_uncounted_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 3);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_OTHER);
	ctx->log.list.count--;
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 0), 2);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), -ENOENT);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 2), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 2, 100, 2), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), -ENOENT);
	ctx->log.list.count++;
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 2, 100, 2), 1);
	KUNIT_EXPECT_EQ(test, ima_kunit_stage(ctx), 0);
	ima_kunit_check(test, 3, 1, 0);
}

/* A read may not get where it would stop: until it is over, both places count. */
static void ima_place_goes_on_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 10);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_OTHER);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 2, 0), 2);
	/* as while record 2 is copied to memory that is not there yet */
	ctx->place[0].stop.number = 3;
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), -EBUSY);
	KUNIT_EXPECT_EQ(test, ima_place_read_nowhere(ctx, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 2), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 2, 100, 2), 8);
}

#define IMA_PLACE_LAST 64	/* ends that are to be remembered */
#define IMA_PLACE_ENDS (IMA_PLACE_LAST + 10)

/* It comes back to any of the last ends while the record there is there. */
static void ima_place_ends_test(struct kunit *test)
{
	u32 end[IMA_PLACE_ENDS], added = 3;
	struct ima_kunit *ctx = test->priv;

	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_SELF);
	ima_kunit_fill(test, 0, added);
	for (int i = 0; i < IMA_PLACE_ENDS; i++) {
		ima_kunit_read(test, 0, i ? end[i - 1] : 0, 1000,
			       i ? end[i - 1] : 0);
		end[i] = added;
		/* it looks again, and again: that is the same end */
		for (int again = 0; again < 3; again++)
			KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, added, 1,
							     0), 0);
		ima_kunit_fill(test, added, i % 7 + 1);
		added += i % 7 + 1;
	}
	for (int i = IMA_PLACE_ENDS - IMA_PLACE_LAST; i < IMA_PLACE_ENDS; i++) {
		unsigned long gone = end[i] - ctx->log.list.first;

		KUNIT_ASSERT_EQ(test, ima_kunit_delete(ctx, gone), 0);
		KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, end[i], 1,
						     end[i]), 1);
		KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, end[i - 1], 1, 0),
				-ESTALE);
		KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, end[i], 1,
						     end[i]), 1);
	}
}

/* Few ends, with marks that are far apart: each of them is remembered. */
static void ima_place_few_ends_test(struct kunit *test)
{
	const u32 many = 3 * IMA_MARKS + 10, ends = 3;
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, many);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_SELF);
	for (u32 i = 0; i < ends; i++) {
		ima_kunit_read(test, 0, i ? many + i - 1 : 0, 1000,
			       i ? many + i - 1 : 0);
		ima_kunit_fill(test, many + i, 1);
	}
	ima_kunit_fill(test, many + ends, many);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, many + ends - 1, 50,
					     many + ends - 1), 50);
	for (u32 end = many; end < many + ends; end++) {
		KUNIT_ASSERT_EQ(test, ima_kunit_delete(ctx, end -
						       ctx->log.list.first), 0);
		KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, end, 1, end), 1);
	}
}

/* Marks thin themselves out: any record is found from one that is near. */
static void ima_place_marks_test(struct kunit *test)
{
	const u32 records = 20 * IMA_MARKS;
	struct ima_kunit *ctx = test->priv;
	struct ima_place *place = &ctx->place[0];

	ima_kunit_fill(test, 0, records);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_SELF);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, records, 0), records);
	KUNIT_EXPECT_LE(test, place->nr_marks, IMA_MARKS);
	KUNIT_EXPECT_EQ(test, place->marks[0].offset, 0);
	for (int i = 1; i < place->nr_marks; i++) {
		KUNIT_EXPECT_GT(test, place->marks[i].offset,
				place->marks[i - 1].offset);
		KUNIT_EXPECT_LE(test, place->marks[i].offset -
				      place->marks[i - 1].offset,
				records * IMA_KUNIT_BYTES * 2 / IMA_MARKS +
				IMA_KUNIT_BYTES);
	}
	for (u32 i = records; i--; i -= i % 5)
		KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, i, 1, i), 1);

	/* those of records that left are of no use */
	KUNIT_ASSERT_EQ(test, ima_kunit_delete(ctx, records / 2), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, records / 2 - 1, 1, 0),
			-ESTALE);
	ima_kunit_fill(test, records, records);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, records, records,
					     records), records);
	KUNIT_EXPECT_GE(test, place->marks[0].number, records / 2);
}

static int ima_place_show_large(struct seq_file *m, void *v)
{
	for (int i = 0; i < 3 * PAGE_SIZE; i++)
		seq_putc(m, 'a' + i % 26);
	return 0;
}

/* The buffer grows to what a record takes. */
static void ima_place_large_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	size_t len = 2 * 3 * PAGE_SIZE;
	struct kiocb iocb = { .ki_filp = &ctx->file[0] };
	struct iov_iter to;
	struct kvec vec;

	ima_kunit_fill(test, 0, 2);
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_SELF);
	ctx->place[0].show = ima_place_show_large;
	vec.iov_base = kunit_kzalloc(test, len, GFP_KERNEL);
	vec.iov_len = len;
	KUNIT_ASSERT_NOT_NULL(test, vec.iov_base);
	iov_iter_kvec(&to, ITER_DEST, &vec, 1, len);
	KUNIT_EXPECT_EQ(test, ima_list_read(&iocb, &to), len);
	for (size_t i = 0; i < len; i++)
		if (((char *)vec.iov_base)[i] != 'a' + i % (len / 2) % 26) {
			KUNIT_FAIL(test, "byte %zu", i);
			break;
		}
}

static int ima_place_delete(void *data)
{
	int ret = ima_kunit_delete(data, 2);

	while (!kthread_should_stop())
		msleep(20);
	return ret;
}

/* It extends a PCR until it is told to stop, or nobody comes to say so. */
static int ima_place_extend(void *data)
{
	unsigned long deadline = jiffies + 20 * HZ;

	mutex_lock(&ima_extend_list_mutex);
	while (!kthread_should_stop() && time_before(jiffies, deadline))
		msleep(20);
	mutex_unlock(&ima_extend_list_mutex);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

/* Start a thread, and wait until it sleeps with @lock held. */
static struct task_struct *ima_place_start(struct kunit *test,
					   int (*run)(void *data), void *data,
					   struct mutex *lock)
{
	struct task_struct *task = kthread_run(run, data, "ima_kunit");
	unsigned long deadline = jiffies + 20 * HZ;

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	while ((!mutex_is_locked(lock) || task_is_running(task)) &&
	       time_before(jiffies, deadline))
		msleep(20);
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(lock));
	return task;
}

/* While a command waits for a slow TPM, nobody waits for the command. */
static void ima_place_wait_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	struct task_struct *command, *tpm;
	unsigned long begin;

	ima_kunit_fill(test, 0, 5);
	tpm = ima_place_start(test, ima_place_extend, NULL,
			      &ima_extend_list_mutex);
	command = ima_place_start(test, ima_place_delete, ctx,
				  &ctx->log.command);

	begin = jiffies;
	ima_place_open_all(test, &ctx->log.list, IMA_KUNIT_OTHER);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 0), 5);
	KUNIT_EXPECT_EQ(test, ima_log_removed(&ctx->log), 0);
	ima_log_size(&ctx->log);
	ima_kunit_close(ctx, 1);
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, begin + 15 * HZ));

	KUNIT_EXPECT_EQ(test, kthread_stop(tpm), 0);
	KUNIT_EXPECT_EQ(test, kthread_stop(command), 0);
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
	/* of the record that it is at, nothing was read */
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

	ima_kunit_fill(test, 0, 20);
	KUNIT_ASSERT_EQ(test, ima_kunit_delete(ctx, 10), 0);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_OTHER, false), 0);
	ima_kunit_read_bytes(test, 0, 0,
			     middle->next * IMA_KUNIT_BYTES - middle->rest, 10);
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
	KUNIT_CASE(ima_place_seek_test),
	KUNIT_CASE(ima_place_pread_test),
	KUNIT_CASE(ima_place_pread_middle_test),
	KUNIT_CASE(ima_place_lseek_test),
	KUNIT_CASE(ima_place_beyond_test),
	KUNIT_CASE(ima_place_nothing_test),
	KUNIT_CASE(ima_place_uncounted_test),
	KUNIT_CASE(ima_place_goes_on_test),
	KUNIT_CASE(ima_place_ends_test),
	KUNIT_CASE(ima_place_few_ends_test),
	KUNIT_CASE(ima_place_marks_test),
	KUNIT_CASE(ima_place_large_test),
	KUNIT_CASE(ima_place_wait_test),
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
