// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the commands written to the measurement files.
 */

#include <linux/bits.h>
#include <linux/ctype.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "ima_log_kunit.h"

/* more records than there are; with 32 bits, than there can be */
#define TOO_MANY	(BITS_PER_LONG == 64 ? -ENOENT : -ERANGE)

/* @text on a log with 3 records removed and 5 in the list */
static const struct ima_command {
	const char *text;
	size_t len;
	int list;	/* records that leave the list by it, or its error */
	int staged;	/* the same, written to the staged list, of nothing */
} ima_commands[] = {
#define COMMAND(text, list, staged) { text, sizeof(text) - 1, list, staged }
	COMMAND("", -EINVAL, -EINVAL),
	COMMAND("\n", -EINVAL, -EINVAL),
	COMMAND("1", -EINVAL, -EINVAL),
	COMMAND("11", -EINVAL, -EINVAL),
	COMMAND("1\x20\n", -EINVAL, -EINVAL),
	COMMAND(" 1\n", -EINVAL, -EINVAL),
	COMMAND("-1\n", -EINVAL, -EINVAL),
	COMMAND("+1\n", -EINVAL, -EINVAL),
	COMMAND("0x1\n", -EINVAL, -EINVAL),
	COMMAND("1\0\n", -EINVAL, -EINVAL),
	COMMAND("A\0\n", -EINVAL, -EINVAL),
	COMMAND("1\n\n", -EINVAL, -EINVAL),
	COMMAND("1\n1\n", -EINVAL, -EINVAL),
	COMMAND("A\nA\n", -EINVAL, -EINVAL),
	COMMAND("a\n", -EINVAL, -EINVAL),
	COMMAND("AD\n", -EINVAL, -EINVAL),
	COMMAND("A\n", -EINVAL, 5),
	COMMAND("D\n", -EINVAL, -ENOENT),
	COMMAND("0\n", -EINVAL, -EINVAL),
	COMMAND("00\n", -EINVAL, -EINVAL),
	COMMAND("1\n", 1, -EINVAL),
	COMMAND("05\n", 5, -EINVAL),
	COMMAND("08\n", -ENOENT, -EINVAL),
	COMMAND("00000000000000000000000000000000000000001\n", 1, -EINVAL),
	COMMAND("6\n", -ENOENT, -EINVAL),
	COMMAND("4294967297\n", TOO_MANY, -EINVAL),
	COMMAND("18446744073709551615\n", TOO_MANY, -EINVAL),
	COMMAND("18446744073709551616\n", -ERANGE, -EINVAL),
	COMMAND("99999999999999999999999999999999999999\n", -ERANGE, -EINVAL),
	COMMAND("3:5\n", 5, -EINVAL),
	COMMAND("03:05\n", 5, -EINVAL),
	COMMAND("3:6\n", -ENOENT, -EINVAL),
	COMMAND("3:18446744073709551615\n", TOO_MANY, -EINVAL),
	COMMAND("3:0\n", -EINVAL, -EINVAL),
	COMMAND("2:0\n", -EINVAL, -EINVAL),
	COMMAND("2:5\n", -EAGAIN, -EINVAL),
	COMMAND("2:6\n", -EAGAIN, -EINVAL),
	COMMAND("08:5\n", -EAGAIN, -EINVAL),
	COMMAND("4294967299:5\n", -EAGAIN, -EINVAL),
	COMMAND("18446744073709551615:1\n", -EAGAIN, -EINVAL),
	COMMAND("18446744073709551616:1\n", -ERANGE, -EINVAL),
	COMMAND("18446744073709551616:0\n", -ERANGE, -EINVAL),
	COMMAND("3:18446744073709551616\n", -ERANGE, -EINVAL),
	COMMAND("x:18446744073709551616\n", -EINVAL, -EINVAL),
	COMMAND("3:\n", -EINVAL, -EINVAL),
	COMMAND(":1\n", -EINVAL, -EINVAL),
	COMMAND(":\n", -EINVAL, -EINVAL),
	COMMAND("3:1:1\n", -EINVAL, -EINVAL),
	COMMAND("3: 1\n", -EINVAL, -EINVAL),
	COMMAND("3:A\n", -EINVAL, -EINVAL),
#undef COMMAND
};

static void ima_command_desc(const struct ima_command *command, char *desc)
{
	char *end = desc + KUNIT_PARAM_DESC_SIZE - 1;

	for (size_t i = 0; i < command->len && desc < end; i++)
		*desc++ = isgraph(command->text[i]) ? command->text[i] : '.';
	*desc = '\0';
}

KUNIT_ARRAY_PARAM(ima_command, ima_commands, ima_command_desc);

/* What the write returned, or 0 if it took all. */
static long ima_command_give(struct kunit *test, int i,
			     const struct ima_command *command)
{
	long ret = ima_kunit_write(test->priv, i, command->text, command->len);

	return ret == command->len ? 0 : ret;
}

static void ima_command_open(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_SELF, true), 0);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 1, &ctx->log.staged,
					     IMA_KUNIT_SELF, true), 0);
}

/* What does nothing to the one list is written to it first. */
static void ima_command_test(struct kunit *test)
{
	const struct ima_command *command = test->param_value;
	int left = max(command->list, 0), staged = max(command->staged, 0);

	ima_kunit_fill(test, 0, 8);
	KUNIT_ASSERT_EQ(test, ima_kunit_delete(test->priv, 3), 0);
	ima_command_open(test);

	if (left) {
		KUNIT_EXPECT_EQ(test, ima_command_give(test, 1, command),
				command->staged);
		ima_kunit_check(test, 3, 0, 5);
	}
	KUNIT_EXPECT_EQ(test, ima_command_give(test, 0, command),
			min(command->list, 0));
	ima_kunit_check(test, 3 + left, 0, 5 - left);
	if (!left) {
		KUNIT_EXPECT_EQ(test, ima_command_give(test, 1, command),
				min(command->staged, 0));
		ima_kunit_check(test, 3 + staged, staged, 5 - staged);
	}
}

/* While something is staged, the list stays as it is. */
static void ima_command_exist_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	const struct ima_command n = { "1\n", 2 }, t_n = { "2:1\n", 4 };
	const struct ima_command d = { "D\n", 2 };

	ima_kunit_fill(test, 0, 2);
	KUNIT_ASSERT_EQ(test, ima_kunit_stage(ctx), 0);
	ima_kunit_fill(test, 2, 2);
	ima_command_open(test);
	KUNIT_EXPECT_EQ(test, ima_command_give(test, 0, &n), -EEXIST);
	KUNIT_EXPECT_EQ(test, ima_command_give(test, 0, &t_n), -EEXIST);
	ima_kunit_check(test, 2, 2, 2);
	KUNIT_EXPECT_EQ(test, ima_command_give(test, 1, &d), 0);
	KUNIT_EXPECT_EQ(test, ima_command_give(test, 0, &t_n), 0);
	KUNIT_EXPECT_EQ(test, ima_command_give(test, 0, &t_n), -EAGAIN);
	ima_kunit_check(test, 3, 0, 1);
}

#define STAGED		BIT(0)	/* something is */
#define SUSPENDED	BIT(1)
#define MIDDLE		BIT(2)	/* another process is, of what is to go */

/* What is refused, and for which of the reasons, with 5 records removed. */
struct ima_refusal {
	const char *text;
	unsigned int state;
	int ret;
};

static void ima_refusal_desc(const struct ima_refusal *refusal, char *desc)
{
	scnprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s%s%s%s", refusal->text,
		  refusal->state & STAGED ? ", staged" : "",
		  refusal->state & SUSPENDED ? ", suspended" : "",
		  refusal->state & MIDDLE ? ", in the middle" : "");
}

static const struct ima_refusal ima_refusals_suspended[] = {
	{ "A", SUSPENDED, -EACCES },
	{ "A", SUSPENDED | MIDDLE, -EACCES },
	{ "A", SUSPENDED | STAGED, -EEXIST },
	{ "D", SUSPENDED, -ENOENT },
	{ "D", SUSPENDED | STAGED, -ESTALE },
	{ "D", SUSPENDED | STAGED | MIDDLE, -ESTALE },
	{ "0", SUSPENDED, -EINVAL },
	{ "3", SUSPENDED, -ESTALE },
	{ "3", SUSPENDED | MIDDLE, -ESTALE },
	{ "3", SUSPENDED | STAGED, -EEXIST },
	{ "6", SUSPENDED, -ENOENT },
	{ "5:3", SUSPENDED, -ESTALE },
	{ "5:3", SUSPENDED | MIDDLE, -ESTALE },
	{ "5:3", SUSPENDED | STAGED, -EEXIST },
	{ "5:6", SUSPENDED, -ENOENT },
	{ "4:3", SUSPENDED, -EAGAIN },
	{ "4:3", SUSPENDED | STAGED | MIDDLE, -EAGAIN },
	{ "4:0", SUSPENDED, -EINVAL },
};

KUNIT_ARRAY_PARAM(ima_suspended, ima_refusals_suspended, ima_refusal_desc);

static const struct ima_refusal ima_refusals[] = {
	{ "A", STAGED | MIDDLE, -EEXIST },
	{ "A", MIDDLE, -EBUSY },
	{ "D", STAGED | MIDDLE, -EBUSY },
	{ "0", STAGED | MIDDLE, -EINVAL },
	{ "6", STAGED | MIDDLE, -EEXIST },
	{ "6", MIDDLE, -ENOENT },
	{ "3", MIDDLE, -EBUSY },
	{ "4:0", STAGED | MIDDLE, -EINVAL },
	{ "4:6", STAGED | MIDDLE, -EAGAIN },
	{ "4:6", MIDDLE, -EAGAIN },
	{ "4:3", STAGED, -EAGAIN },
	{ "4:3", MIDDLE, -EAGAIN },
	{ "5:6", STAGED | MIDDLE, -EEXIST },
	{ "5:6", MIDDLE, -ENOENT },
	{ "5:3", STAGED, -EEXIST },
	{ "5:3", MIDDLE, -EBUSY },
};

KUNIT_ARRAY_PARAM(ima_refusal, ima_refusals, ima_refusal_desc);

/* Another process reads two records of @list. */
static void ima_command_read(struct kunit *test, struct ima_list *list)
{
	KUNIT_ASSERT_EQ(test, ima_kunit_open(test->priv, 2, list,
					     IMA_KUNIT_OTHER, false), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 2, 0, 2, list->first), 2);
}

static void ima_command_refuse(struct kunit *test,
			       const struct ima_refusal *refusal)
{
	struct ima_kunit *ctx = test->priv;
	bool to_staged = isalpha(refusal->text[0]);
	bool staged = refusal->state & STAGED;
	struct ima_command command;
	char text[8];

	command.text = text;
	command.len = scnprintf(text, sizeof(text), "%s\n", refusal->text);
	ima_kunit_fill(test, 0, 5);
	if (staged)
		KUNIT_ASSERT_EQ(test, ima_kunit_stage(ctx), 0);
	else
		KUNIT_ASSERT_EQ(test, ima_kunit_delete(ctx, 5), 0);
	ima_kunit_fill(test, 5, 5);
	ima_command_open(test);
	if (refusal->state & MIDDLE)
		ima_command_read(test, *refusal->text == 'D' ?
				       &ctx->log.staged : &ctx->log.list);
	ctx->log.suspended = refusal->state & SUSPENDED;

	KUNIT_EXPECT_EQ(test, ima_command_give(test, to_staged, &command),
			refusal->ret);
	ima_kunit_check(test, 5, staged ? 5 : 0, 5);
}

static void ima_command_suspended_test(struct kunit *test)
{
	ima_command_refuse(test, test->param_value);
}

/* That T is no longer true matters before anything of the log does. */
static void ima_command_order_test(struct kunit *test)
{
	ima_command_refuse(test, test->param_value);
}

static struct kunit_case ima_command_cases[] = {
	KUNIT_CASE_PARAM(ima_command_test, ima_command_gen_params),
	KUNIT_CASE(ima_command_exist_test),
	KUNIT_CASE_PARAM(ima_command_suspended_test, ima_suspended_gen_params),
	KUNIT_CASE_PARAM(ima_command_order_test, ima_refusal_gen_params),
	{}
};

static struct kunit_suite ima_command_suite = {
	.name = "ima_command",
	.init = ima_kunit_init,
	.exit = ima_kunit_exit,
	.test_cases = ima_command_cases,
};

kunit_test_suite(ima_command_suite);
