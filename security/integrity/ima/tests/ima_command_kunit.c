// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the commands written to the measurement files.
 */

#include <linux/slab.h>

#include "ima_log_kunit.h"

/* @text on a log with 3 records removed and 5 in the list */
static const struct ima_command {
	const char *text;
	size_t len;
	int list;	/* what it returns on a file of the list */
	int staged;	/* and on one of the staged list, where nothing is */
} ima_commands[] = {
#define COMMAND(text, list, staged) { text, sizeof(text) - 1, list, staged }
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
	COMMAND("A\n", -EINVAL, 0),
	COMMAND("D\n", -EINVAL, -ENOENT),
	COMMAND("0\n", -EINVAL, -EINVAL),
	COMMAND("00\n", -EINVAL, -EINVAL),
	COMMAND("1\n", 0, -EINVAL),
	COMMAND("05\n", 0, -EINVAL),
	COMMAND("6\n", -ENOENT, -EINVAL),
	COMMAND("18446744073709551616\n", -ERANGE, -EINVAL),
	COMMAND("99999999999999999999999999999999999999\n", -ERANGE, -EINVAL),
	COMMAND("3:5\n", 0, -EINVAL),
	COMMAND("3:6\n", -ENOENT, -EINVAL),
	COMMAND("3:0\n", -EINVAL, -EINVAL),
	COMMAND("2:5\n", -EAGAIN, -EINVAL),
	COMMAND("2:6\n", -EAGAIN, -EINVAL),
	COMMAND("18446744073709551615:1\n", -EAGAIN, -EINVAL),
	COMMAND("18446744073709551616:1\n", -ERANGE, -EINVAL),
	COMMAND("3:18446744073709551616\n", -ERANGE, -EINVAL),
	COMMAND("x:18446744073709551616\n", -EINVAL, -EINVAL),
	COMMAND("3:\n", -EINVAL, -EINVAL),
	COMMAND(":1\n", -EINVAL, -EINVAL),
	COMMAND(":\n", -EINVAL, -EINVAL),
	COMMAND("3:1:1\n", -EINVAL, -EINVAL),
	COMMAND("3: 1\n", -EINVAL, -EINVAL),
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

static int ima_command_write(struct kunit *test, int i,
			     const struct ima_command *command)
{
	struct ima_kunit *ctx = test->priv;
	char *text;

	text = kunit_kzalloc(test, command->len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);
	memcpy(text, command->text, command->len);
	return ima_command_run(&ctx->place[i], text, command->len);
}

static void ima_command_test(struct kunit *test)
{
	const struct ima_command *command = test->param_value;
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 8);
	KUNIT_ASSERT_EQ(test, ima_kunit_delete(ctx, 3), 0);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_SELF, true), 0);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 1, &ctx->log.staged,
					     IMA_KUNIT_SELF, true), 0);

	KUNIT_EXPECT_EQ(test, ima_command_write(test, 1, command),
			command->staged);
	if (command->staged) {
		ima_kunit_check(test, 3, 0, 5);
	} else {
		ima_kunit_check(test, 8, 5, 0);
		KUNIT_ASSERT_EQ(test, ima_kunit_delete_staged(ctx), 0);
		return;
	}

	KUNIT_EXPECT_EQ(test, ima_command_write(test, 0, command),
			command->list);
	if (command->list)
		ima_kunit_check(test, 3, 0, 5);
	else
		KUNIT_EXPECT_GT(test, ima_log_removed(&ctx->log), 3);
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
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_SELF, true), 0);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 1, &ctx->log.staged,
					     IMA_KUNIT_SELF, true), 0);
	KUNIT_EXPECT_EQ(test, ima_command_write(test, 0, &n), -EEXIST);
	KUNIT_EXPECT_EQ(test, ima_command_write(test, 0, &t_n), -EEXIST);
	ima_kunit_check(test, 2, 2, 2);
	KUNIT_EXPECT_EQ(test, ima_command_write(test, 1, &d), 0);
	KUNIT_EXPECT_EQ(test, ima_command_write(test, 0, &t_n), 0);
	KUNIT_EXPECT_EQ(test, ima_command_write(test, 0, &t_n), -EAGAIN);
	ima_kunit_check(test, 3, 0, 1);
}

static struct kunit_case ima_command_cases[] = {
	KUNIT_CASE_PARAM(ima_command_test, ima_command_gen_params),
	KUNIT_CASE(ima_command_exist_test),
	{}
};

static struct kunit_suite ima_command_suite = {
	.name = "ima_command",
	.init = ima_kunit_init,
	.exit = ima_kunit_exit,
	.test_cases = ima_command_cases,
};

kunit_test_suite(ima_command_suite);
