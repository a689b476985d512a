// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of what commands and readers wait for: each of them is stopped at
 * a lock, so that what may not come in between would.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>

#include "ima_log_kunit.h"

#define IMA_LOCK_RECORDS 5
#define IMA_LOCK_FAR 100

/* A command in a thread of its own: N, or 'A', or 'D' */
struct ima_runner {
	struct ima_kunit *ctx;
	struct completion done;
	int command;
	int from;		/* a reader's first record */
	long ret;
};

static int ima_runner_run(void *data)
{
	struct ima_runner *runner = data;
	struct ima_kunit *ctx = runner->ctx;

	current->kunit_test = ctx->test;
	if (runner->command == 'A')
		runner->ret = ima_kunit_stage(ctx);
	else if (runner->command == 'D')
		runner->ret = ima_kunit_delete_staged(ctx);
	else
		runner->ret = ima_kunit_delete(ctx, runner->command);
	complete_all(&runner->done);
	return 0;
}

static void ima_runner_start(struct kunit *test, struct ima_runner *runner,
			     int (*run)(void *data))
{
	struct task_struct *task;

	runner->ctx = test->priv;
	runner->ret = -ECHILD;
	init_completion(&runner->done);
	task = kthread_run(run, runner, "ima_kunit");
	KUNIT_EXPECT_FALSE(test, IS_ERR(task));
	if (IS_ERR(task))
		complete_all(&runner->done);
}

static const struct ima_stop_in {
	const char *name;
	int command;
	long left;		/* for a reader to read then */
} ima_stops[] = {
	{ "N", 2, IMA_LOCK_RECORDS - 2 },
	{ "A", 'A', 0 },
	{ "D", 'D', 0 },
};

KUNIT_ARRAY_PARAM_DESC(ima_stop, ima_stops, name);

/* All records from @from on, of which those up to @command are gone. */
static int ima_reader_run(void *data)
{
	struct ima_runner *reader = data;
	struct kunit *test = reader->ctx->test;

	current->kunit_test = test;
	reader->ret = ima_kunit_read(test, 0, reader->from, 100,
				     reader->from + reader->command);
	complete_all(&reader->done);
	return 0;
}

static void ima_lock_wait(struct kunit *test, struct rw_semaphore *sem,
			  int (*until)(struct rw_semaphore *sem))
{
	unsigned long deadline = jiffies + 60 * HZ;

	while (!until(sem) && time_before(jiffies, deadline))
		msleep(20);
	KUNIT_EXPECT_TRUE(test, until(sem));
}

static int ima_lock_is_locked(struct rw_semaphore *sem)
{
	return rwsem_is_locked(sem);
}

static int ima_lock_is_contended(struct rw_semaphore *sem)
{
	return rwsem_is_contended(sem);
}

/*
 * A reader is waiting to begin while the command looks who is in the middle: it
 * must not begin before the records are gone.
 */
static void ima_lock_check_test(struct kunit *test)
{
	const struct ima_stop_in *stop = test->param_value;
	struct ima_runner command = { .command = stop->command };
	struct ima_runner reader = { .command = stop->command };
	struct ima_kunit *ctx = test->priv;
	struct ima_log *log = &ctx->log;
	bool staged = stop->command == 'D';

	ima_kunit_fill(test, 0, IMA_LOCK_RECORDS);
	if (staged)
		KUNIT_ASSERT_EQ(test, ima_kunit_stage(ctx), 0);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, staged ? &log->staged :
					     &log->list, IMA_KUNIT_OTHER,
					     false), 0);

	mutex_lock(&log->files);	/* the command stops at this */
	ima_runner_start(test, &command, ima_runner_run);
	ima_lock_wait(test, &log->reading, ima_lock_is_locked);
	ima_runner_start(test, &reader, ima_reader_run);
	ima_lock_wait(test, &log->reading, ima_lock_is_contended);
	mutex_unlock(&log->files);

	wait_for_completion(&command.done);
	wait_for_completion(&reader.done);
	KUNIT_EXPECT_EQ(test, command.ret, 0);
	KUNIT_EXPECT_EQ(test, reader.ret, stop->left);
}

/* Nothing is measured late because a command waits for a reader. */
static void ima_lock_reader_test(struct kunit *test)
{
	unsigned long deadline = jiffies + 60 * HZ;
	struct ima_runner command = { .command = 2 };
	struct ima_kunit *ctx = test->priv;
	bool locked;

	ima_kunit_fill(test, 0, IMA_LOCK_RECORDS);
	down_read(&ctx->log.reading);
	ima_runner_start(test, &command, ima_runner_run);
	ima_lock_wait(test, &ctx->log.reading, ima_lock_is_contended);
	/* others measure, too */
	while (!(locked = mutex_trylock(&ima_extend_list_mutex)) &&
	       time_before(jiffies, deadline))
		msleep(20);
	KUNIT_EXPECT_TRUE(test, locked);
	KUNIT_EXPECT_FALSE(test, completion_done(&command.done));
	if (locked)
		mutex_unlock(&ima_extend_list_mutex);
	up_read(&ctx->log.reading);

	wait_for_completion(&command.done);
	KUNIT_EXPECT_EQ(test, command.ret, 0);
}

/* Somebody who reads far on, and takes a while for each record until told. */
struct ima_far {
	int (*show)(struct seq_file *m, void *v);
	struct completion begun, hurry;
	int slow;		/* records */
};

static int ima_far_show(struct seq_file *m, void *v)
{
	struct ima_far *far = m->private;

	if (!wait_for_completion_timeout(&far->hurry, HZ / 10))
		far->slow++;
	far->show(m, v);
	if (!seq_has_overflowed(m))	/* this one is at byte 0 */
		complete_all(&far->begun);
	return 0;
}

/* A command comes in while a reader is on its way to a record far on. */
static void ima_lock_far_test(struct kunit *test)
{
	struct ima_runner command = { .command = 1 };
	struct ima_kunit *ctx = test->priv;
	struct ima_runner reader = { .from = IMA_LOCK_FAR - 1 };
	struct ima_far far = {};

	ima_kunit_fill(test, 0, IMA_LOCK_FAR);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_OTHER, false), 0);
	init_completion(&far.begun);
	init_completion(&far.hurry);
	far.show = ctx->place[0].show;
	ctx->place[0].show = ima_far_show;
	ctx->place[0].record.private = &far;

	ima_runner_start(test, &reader, ima_reader_run);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&far.begun, 60 * HZ),
			0);
	ima_runner_start(test, &command, ima_runner_run);
	wait_for_completion(&command.done);
	complete_all(&far.hurry);

	wait_for_completion(&reader.done);
	KUNIT_EXPECT_EQ(test, command.ret, 0);
	KUNIT_EXPECT_EQ(test, reader.ret, 1);
	KUNIT_EXPECT_LT(test, far.slow, IMA_LOCK_FAR);
}

/* Somebody who looks up a digest, and does not get to its end. */
struct ima_looker {
	struct completion begun;
	bool stop;
	bool gave_up;
};

static int ima_looker_run(void *data)
{
	struct ima_looker *looker = data;
	unsigned long deadline = jiffies + 2 * HZ;

	rcu_read_lock();
	complete_all(&looker->begun);
	while (!READ_ONCE(looker->stop) && time_before(jiffies, deadline))
		cpu_relax();
	WRITE_ONCE(looker->gave_up, !READ_ONCE(looker->stop));
	rcu_read_unlock();

	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

/* A digest that is forgotten is not freed while somebody may look at it. */
static void ima_lock_grace_test(struct kunit *test)
{
	struct ima_runner command = { .command = 2 };
	struct ima_kunit *ctx = test->priv;
	struct ima_looker looker = {};
	struct task_struct *task;

	ctx->log.flush = true;
	ima_kunit_fill(test, 0, IMA_LOCK_RECORDS);
	init_completion(&looker.begun);
	task = kthread_run(ima_looker_run, &looker, "ima_kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&looker.begun);

	ima_runner_start(test, &command, ima_runner_run);
	if (wait_for_completion_timeout(&command.done, HZ / 2))
		KUNIT_EXPECT_TRUE(test, READ_ONCE(looker.gave_up));
	WRITE_ONCE(looker.stop, true);

	wait_for_completion(&command.done);
	KUNIT_EXPECT_EQ(test, command.ret, 0);
	kthread_stop(task);
}

static struct kunit_case ima_lock_cases[] = {
	KUNIT_CASE_PARAM(ima_lock_check_test, ima_stop_gen_params),
	KUNIT_CASE(ima_lock_reader_test),
	KUNIT_CASE(ima_lock_far_test),
	KUNIT_CASE(ima_lock_grace_test),
	{}
};

static struct kunit_suite ima_lock_suite = {
	.name = "ima_lock",
	.init = ima_kunit_init,
	.exit = ima_kunit_exit,
	.test_cases = ima_lock_cases,
};

kunit_test_suite(ima_lock_suite);
