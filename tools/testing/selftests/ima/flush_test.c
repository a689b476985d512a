// SPDX-License-Identifier: GPL-2.0-only
/*
 * ima_flush_htable: are the digests of deleted records forgotten, so that a
 * deleted event is measured again? What the kernel was booted with decides
 * which half of the tests runs: "flushed" or "kept".
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "../kselftest_harness.h"
#include "ima_test.h"

#define NR_OTHERS 5
#define MANY 1000

static int stage_and_delete(void)
{
	return ima_stage() ?: ima_delete_staged();
}

/* Linux 7.2 knows no N with the option. */
static int delete_what_is_left(void)
{
	int ret = ima_delete_staged();

	if (ret && ret != -ENOENT)
		return ret;
	return ima_measure_files(1) ?: stage_and_delete();
}

static int delete_all_by_n(void)
{
	return ima_delete(ima_count());
}

#define MEASURE_SAME() ima_measure_same(__func__, 0)

/* Return: NULL, or why the tests of such a kernel must be skipped */
static const char *unavailable(bool flush)
{
	const char *why = ima_test_unavailable();

	if (!why && ima_booted_with_flush() != flush)
		why = flush ? "not booted with ima_flush_htable" :
			      "booted with ima_flush_htable";
	return why;
}

FIXTURE(flushed) {
};

FIXTURE_VARIANT(flushed) {
	int (*delete_all)(void);
};

FIXTURE_VARIANT_ADD(flushed, by_n) { .delete_all = delete_all_by_n };
FIXTURE_VARIANT_ADD(flushed, by_a_and_d) { .delete_all = stage_and_delete };

FIXTURE_SETUP(flushed)
{
	const char *why = unavailable(true);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_OTHERS));
}

FIXTURE_TEARDOWN(flushed)
{
	EXPECT_EQ(0, delete_what_is_left());
}

TEST_F(flushed, deleted_event_is_measured_again)
{
	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(0, variant->delete_all());
	EXPECT_EQ(1, MEASURE_SAME());
}

TEST_F(flushed, deleted_event_is_measured_again_once)
{
	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(0, variant->delete_all());
	ASSERT_EQ(1, MEASURE_SAME());
	EXPECT_EQ(0, MEASURE_SAME());
}

TEST_F(flushed, deleted_event_is_measured_again_each_round)
{
	int round;

	for (round = 0; round < 10; round++) {
		EXPECT_EQ(1, MEASURE_SAME());
		EXPECT_EQ(0, MEASURE_SAME());
		ASSERT_EQ(0, variant->delete_all());
	}
}

TEST_F_TIMEOUT(flushed, many_deleted_events_are_measured_again, IMA_TIMEOUT)
{
	long sum[3] = {};
	int round, i;

	for (round = 0; round < 3; round++) {
		if (round == 1)
			ASSERT_EQ(0, variant->delete_all());
		for (i = 0; i < MANY; i++)
			sum[round] += ima_measure_same(__func__, i);
	}
	EXPECT_EQ(MANY, sum[0]);
	EXPECT_EQ(MANY, sum[1]);
	EXPECT_EQ(0, sum[2]);
}

TEST_F(flushed, violations_among_the_deleted_do_not_disturb)
{
	long before;

	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(0, ima_measure_violation());
	ASSERT_EQ(0, ima_measure_violation());
	ASSERT_EQ(0, variant->delete_all());
	EXPECT_EQ(1, MEASURE_SAME());
	before = ima_count();
	ASSERT_EQ(0, ima_measure_violation());
	EXPECT_EQ(before + 2, ima_count());
	ASSERT_EQ(0, variant->delete_all());
	EXPECT_EQ(1, MEASURE_SAME());
}

/* What N leaves in the list, and what A leaves staged */
FIXTURE(flushed_not) {
};

FIXTURE_SETUP(flushed_not)
{
	const char *why = unavailable(true);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_OTHERS));
}

FIXTURE_TEARDOWN(flushed_not)
{
	EXPECT_EQ(0, delete_what_is_left());
}

TEST_F(flushed_not, listed_event_is_not_measured_again_after_n)
{
	long count = ima_count();

	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(0, ima_delete(count));
	EXPECT_EQ(0, MEASURE_SAME());
	EXPECT_EQ(1, ima_count());
}

TEST_F(flushed_not, staged_event_is_not_measured_again)
{
	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(0, ima_stage());
	EXPECT_EQ(0, MEASURE_SAME());
}

TEST_F(flushed_not, event_measured_after_a_is_not_measured_again_after_d)
{
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_EQ(0, MEASURE_SAME());
	EXPECT_EQ(1, ima_count());
}

TEST_F_TIMEOUT(flushed_not, many_listed_events_are_not_measured_again_after_d, IMA_TIMEOUT)
{
	long sum = 0;
	int i;

	ASSERT_EQ(0, ima_stage());
	for (i = 0; i < MANY; i++)
		sum += ima_measure_same(__func__, i);
	ASSERT_EQ(MANY, sum);
	ASSERT_EQ(0, ima_delete_staged());
	for (i = 0; i < MANY; i++)
		sum += ima_measure_same(__func__, i);
	EXPECT_EQ(MANY, sum);
}

TEST_F(flushed_not, event_by_refused_commands)
{
	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(-ENOENT, ima_delete(ima_count() + 1));
	EXPECT_EQ(0, MEASURE_SAME());
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(-EEXIST, ima_stage());
	ASSERT_EQ(-EEXIST, ima_delete(1));
	EXPECT_EQ(0, MEASURE_SAME());
}

TEST_F(flushed_not, event_staged_as_listed_one_was_deleted_before)
{
	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(0, stage_and_delete());
	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(0, ima_stage());
	EXPECT_EQ(0, MEASURE_SAME());
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_EQ(1, MEASURE_SAME());
}

/* Few events, all the time, in threads; somebody deletes: none is there twice. */
#define RACE_MS 4000
#define RACE_THREADS 2
#define RACE_EVENTS 40	/* of each */
#define RACE_N 7

struct race {
	atomic_bool stop;
	atomic_int error;
};

static void *race_measure(void *arg)
{
	struct race *race = arg;
	char name[160], data[16];
	int i = 0, ret = 0;

	while (!ret && !atomic_load(&race->stop)) {
		i = (i + 1) % RACE_EVENTS;
		/* one directory: the two threads have files of their own */
		snprintf(name, sizeof(name), "race-%d-%d", gettid(), i);
		snprintf(data, sizeof(data), "%d", i);
		ret = ima_measure_file(name, data, strlen(data));
	}
	if (ret)
		atomic_store(&race->error, -ret);
	return NULL;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char * const *)a, *(const char * const *)b);
}

/* Return: 1 or 0, or -errno: is a line twice in the list? */
static int has_duplicates(void)
{
	size_t len, nr = 0, i, max;
	char *data = ima_read_all(IMA_ASCII, &len), **line, *p;
	int twice = 0;

	max = data ? len / 40 + 1 : 0;
	line = calloc(max, sizeof(*line));
	if (!data || !line) {
		free(data);
		free(line);
		return -ENOMEM;
	}
	for (p = data; p < data + len && nr < max; p += strlen(p) + 1) {
		line[nr++] = p;
		*(char *)memchr(p, '\n', data + len - p) = '\0';
	}
	qsort(line, nr, sizeof(*line), compare_lines);
	for (i = 1; i < nr; i++)
		twice |= !strcmp(line[i - 1], line[i]);
	free(line);
	free(data);
	return twice;
}

/*
 * N and A/D by turns, until N alone took more records than there are events: some
 * were measured again. Return: 0, an errno, or -1: an event was there twice
 */
static int race_delete(void)
{
	long long end = ima_now_ms() + RACE_MS;
	int round = 0, ret = 0, deleted = 0;

	while (!ret && (ima_now_ms() < end || deleted <= RACE_THREADS * RACE_EVENTS)) {
		ret = round++ & 1 ? stage_and_delete() : ima_delete(RACE_N);
		if (!ret && round & 1)
			deleted += RACE_N;
		if (ret == -ENOENT)
			ret = 0;
		if (!ret)
			ret = has_duplicates();
	}
	return ret < 0 ? -ret : ret ? -1 : 0;
}

TEST_F_TIMEOUT(flushed_not, event_beside_deletions_is_never_listed_twice, IMA_TIMEOUT)
{
	struct race race = {};
	pthread_t thread[RACE_THREADS];
	int i;

	for (i = 0; i < RACE_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, race_measure, &race));
	EXPECT_EQ(0, race_delete());
	atomic_store(&race.stop, true);
	for (i = 0; i < RACE_THREADS; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(0, atomic_load(&race.error));
	EXPECT_EQ(0, has_duplicates());
}

FIXTURE(kept) {
};

FIXTURE_VARIANT(kept) {
	int (*delete_all)(void);
};

FIXTURE_VARIANT_ADD(kept, by_n) { .delete_all = delete_all_by_n };
FIXTURE_VARIANT_ADD(kept, by_a_and_d) { .delete_all = stage_and_delete };

FIXTURE_SETUP(kept)
{
	const char *why = unavailable(false);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_OTHERS));
}

FIXTURE_TEARDOWN(kept)
{
	EXPECT_EQ(0, delete_what_is_left());
}

TEST_F(kept, deleted_event_is_not_measured_again)
{
	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(0, variant->delete_all());
	EXPECT_EQ(0, MEASURE_SAME());
	EXPECT_EQ(0, ima_count());
}

TEST_F(kept, deleted_event_is_not_measured_again_rounds_later)
{
	int round;

	ASSERT_EQ(1, MEASURE_SAME());
	for (round = 0; round < 10; round++) {
		ASSERT_EQ(0, variant->delete_all());
		EXPECT_EQ(0, MEASURE_SAME());
		ASSERT_EQ(0, ima_measure_files(2));
	}
}

TEST_F_TIMEOUT(kept, many_deleted_events_are_not_measured_again, IMA_TIMEOUT)
{
	long sum[2] = {};
	int round, i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < MANY; i++)
			sum[round] += ima_measure_same(__func__, i);
		if (!round)
			ASSERT_EQ(0, variant->delete_all());
	}
	EXPECT_EQ(MANY, sum[0]);
	EXPECT_EQ(0, sum[1]);
}

TEST_F(kept, staged_event_is_not_measured_again)
{
	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(0, ima_stage());
	EXPECT_EQ(0, MEASURE_SAME());
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_EQ(0, MEASURE_SAME());
}

TEST_F(kept, violations_among_the_deleted_do_not_disturb)
{
	long before;

	ASSERT_EQ(1, MEASURE_SAME());
	ASSERT_EQ(0, ima_measure_violation());
	ASSERT_EQ(0, variant->delete_all());
	EXPECT_EQ(0, MEASURE_SAME());
	before = ima_count();
	ASSERT_EQ(0, ima_measure_violation());
	EXPECT_EQ(before + 2, ima_count());
}

/* Alone, it runs what fits the kernel's command line; -f and -t as everywhere. */
int main(int argc, char **argv)
{
	char with[][16] = { "-Fkept" }, without[][16] = { "-Fflushed", "-Fflushed_not" };

	if (argc > 1)
		return test_harness_run(argc, argv);
	if (ima_booted_with_flush())
		return test_harness_run(2, (char *[]){ argv[0], with[0], NULL });
	return test_harness_run(3, (char *[]){ argv[0], without[0], without[1], NULL });
}
