// SPDX-License-Identifier: GPL-2.0-only
/*
 * N, T:N, A and D while memory is short: each allocation fails in turn. A command
 * does all of its work, or none.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../kselftest_harness.h"
#include "faults.h"
#include "ima_replay.h"
#include "ima_test.h"

#define CRITICAL_RULE "measure func=CRITICAL_DATA label=ima_log\n"

FIXTURE(fail) {
	struct faults faults;
};

FIXTURE_VARIANT(fail) {
	bool rest;
};

FIXTURE_VARIANT_ADD(fail, one) { .rest = false };
FIXTURE_VARIANT_ADD(fail, rest) { .rest = true };

FIXTURE_SETUP(fail)
{
	const char *why = faults_setup(&self->faults, variant->rest);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_other_process_deletes_all());
}

FIXTURE_TEARDOWN(fail)
{
	EXPECT_TRUE(faults_log_is_good());
	faults_close(&self->faults);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* Three events that are the same for the same @number: how many records came? */
static long measure_known(unsigned int number)
{
	long n, sum = 0;

	for (int i = 0; i < 3; i++) {
		n = ima_measure_same("known", 3 * number + i);
		if (n < 0)
			return n;
		sum += n;
	}
	return sum;
}

static void delete_with_failures(struct __test_metadata *_metadata, struct faults *f,
				 bool with_removed)
{
	bool flush = ima_booted_with_flush();
	struct ima_state before;
	struct ima_change c;
	char command[42];
	int ret;

	/* for RCU's note of what is to be freed */
	ASSERT_TRUE(faults_of_pages(ALL_PAGES));
	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(3, measure_known(f->n));
		ASSERT_EQ(0, ima_state_take(&before));
		snprintf(command, sizeof(command), "%ld:2\n", before.removed);
		ret = faults_give(f, IMA_ASCII,
				  with_removed ? command : strchr(command, ':') + 1);
		EXPECT_TRUE(faults_explain(f, ret));
		c = (struct ima_change){ .gone = ret ? 0 : 2 };
		EXPECT_CHANGE(&before, &c);
		ima_state_free(&before);
		EXPECT_EQ(flush && !ret ? 2 : 0, measure_known(f->n));
		ASSERT_EQ(0, ima_delete_list());
	}
	EXPECT_EQ(0, ret);
	EXPECT_SWEPT(f);
}

TEST_F_TIMEOUT(fail, n_deletes_all_or_nothing, IMA_TIMEOUT)
{
	delete_with_failures(_metadata, &self->faults, false);
}

TEST_F_TIMEOUT(fail, t_n_deletes_all_or_nothing, IMA_TIMEOUT)
{
	delete_with_failures(_metadata, &self->faults, true);
}

static bool file_has(const char *name, const char *data, size_t len)
{
	size_t now_len;
	char *now = ima_read_all(name, &now_len);
	bool same = now && now_len == len && !memcmp(now, data, len);

	free(now);
	return same;
}

TEST_F_TIMEOUT(fail, a_stages_all_or_nothing, IMA_TIMEOUT)
{
	struct faults *f = &self->faults;
	const struct ima_file *list;
	struct ima_state before;
	struct ima_change c;
	int ret;

	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(0, ima_measure_files(3));
		ASSERT_EQ(0, ima_state_take(&before));
		ret = faults_give(f, IMA_ASCII_STAGED, "A\n");
		EXPECT_TRUE(faults_explain(f, ret));
		c = (struct ima_change){ .gone = ret ? 0 : before.count };
		EXPECT_CHANGE(&before, &c);
		list = ima_state_file(&before, IMA_ASCII);
		EXPECT_TRUE(file_has(IMA_ASCII_STAGED, list->data, ret ? 0 : list->len));
		list = ima_state_file(&before, IMA_BINARY);
		EXPECT_TRUE(file_has(IMA_BINARY_STAGED, list->data, ret ? 0 : list->len));
		ima_state_free(&before);
		ASSERT_EQ(ret ? -ENOENT : 0, ima_command(IMA_ASCII_STAGED, "D\n"));
	}
	EXPECT_EQ(0, ret);
	EXPECT_SWEPT(f);
}

TEST_F_TIMEOUT(fail, d_deletes_all_or_nothing, IMA_TIMEOUT)
{
	struct faults *f = &self->faults;
	struct ima_state before;
	struct ima_change none;
	size_t len;
	char *staged;
	int ret;

	ASSERT_TRUE(faults_of_pages(ALL_PAGES));
	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(3, measure_known(f->n));
		ASSERT_EQ(0, ima_command(IMA_ASCII_STAGED, "A\n"));
		ASSERT_EQ(0, ima_measure_files(1));
		ASSERT_EQ(0, ima_state_take(&before));
		staged = ima_read_all(IMA_ASCII_STAGED, &len);
		ASSERT_NE(NULL, staged);
		ret = faults_give(f, IMA_ASCII_STAGED, "D\n");
		EXPECT_TRUE(faults_explain(f, ret));
		none = (struct ima_change){};
		EXPECT_CHANGE(&before, &none);
		EXPECT_TRUE(file_has(IMA_ASCII_STAGED, staged, ret ? len : 0));
		ASSERT_EQ(ret ? 0 : -ENOENT, ima_command(IMA_ASCII_STAGED, "D\n"));
		EXPECT_EQ(ima_booted_with_flush() ? 3 : 0, measure_known(f->n));
		ASSERT_EQ(0, ima_delete_list());
		free(staged);
		ima_state_free(&before);
	}
	EXPECT_EQ(0, ret);
	EXPECT_SWEPT(f);
}

/* Deletions as critical data. The last tests: the rule stays. */
FIXTURE(fail_rule) {
	struct faults faults;
};

FIXTURE_VARIANT(fail_rule) {
	bool rest;
};

FIXTURE_VARIANT_ADD(fail_rule, one) { .rest = false };
FIXTURE_VARIANT_ADD(fail_rule, rest) { .rest = true };

FIXTURE_SETUP(fail_rule)
{
	const char *why = faults_setup(&self->faults, variant->rest);

	if (why)
		SKIP(return, "%s", why);
	if (!ima_log_rule_is_loaded())
		ASSERT_EQ(0, ima_command("policy", CRITICAL_RULE));
	ASSERT_TRUE(ima_log_rule_is_loaded());
}

FIXTURE_TEARDOWN(fail_rule)
{
	EXPECT_TRUE(faults_log_is_good());
	faults_close(&self->faults);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

TEST_F_TIMEOUT(fail_rule, n_stands_though_it_is_not_measured, IMA_TIMEOUT)
{
	struct faults *f = &self->faults;
	int missed = 0;
	struct ima_state before;
	struct ima_change c;
	int ret;

	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(0, ima_measure_files(3));
		ASSERT_EQ(0, ima_state_take(&before));
		ret = faults_give(f, IMA_ASCII, "2\n");
		EXPECT_TRUE(faults_explain(f, ret));
		c = (struct ima_change){ .gone = ret ? 0 : 2, .added = ret ? 0 : 1 };
		EXPECT_CHANGE(&before, &c);
		missed += !ret && !c.added;
		ima_state_free(&before);
	}
	EXPECT_EQ(1, c.added);
	EXPECT_LT(0, missed);
	EXPECT_SWEPT(f);
}

TEST_F_TIMEOUT(fail_rule, d_stands_though_it_is_not_measured, IMA_TIMEOUT)
{
	struct faults *f = &self->faults;
	int missed = 0;
	struct ima_state before;
	struct ima_change c;
	int ret;

	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(0, ima_measure_files(3));
		ASSERT_EQ(0, ima_command(IMA_ASCII_STAGED, "A\n"));
		ASSERT_EQ(0, ima_state_take(&before));
		ret = faults_give(f, IMA_ASCII_STAGED, "D\n");
		EXPECT_TRUE(faults_explain(f, ret));
		c = (struct ima_change){ .added = ret ? 0 : 1 };
		EXPECT_CHANGE(&before, &c);
		missed += !ret && !c.added;
		ima_state_free(&before);
		ASSERT_EQ(ret ? 0 : -ENOENT, ima_command(IMA_ASCII_STAGED, "D\n"));
	}
	EXPECT_EQ(1, c.added);
	EXPECT_LT(0, missed);
	EXPECT_SWEPT(f);
}

int main(int argc, char **argv)
{
	faults_init();
	return test_harness_run(argc, argv);
}
