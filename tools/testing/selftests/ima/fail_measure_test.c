// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measuring while memory is short: each allocation fails in turn. An event has its
 * record, or gets it as soon as there is memory.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "../kselftest_harness.h"
#include "faults.h"
#include "ima_replay.h"
#include "ima_test.h"

FIXTURE(fail) {
	struct faults faults;
	int dir;
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
	self->dir = ima_tmpfs();
	ASSERT_LE(0, self->dir);
	ASSERT_EQ(0, ima_other_process_deletes_all());
}

FIXTURE_TEARDOWN(fail)
{
	EXPECT_TRUE(faults_log_is_good());
	faults_close(&self->faults);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

static int create_file(int dir, const char *name)
{
	return ima_create_file(dir, name, name, strlen(name));
}

/* An event, unless it was measured before. */
static int open_and_close(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Another file with the same name and content, opened: how many records? */
static long measure_again(int dir, const char *name)
{
	long before = ima_count();
	int ret;

	if (unlinkat(dir, name, 0))
		return -errno;
	ret = create_file(dir, name) ?: open_and_close(dir, name);
	return ret ? ret : ima_count() - before;
}

/*
 * One event: measured now, or as soon as there is memory. What could not be
 * remembered as measured may be measured once again, not more often.
 * Return: how often it was, or -errno
 */
static long measure_with_failure(struct faults *f, int dir)
{
	long before = ima_count(), now, again;
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "event-%d-%u", getpid(), f->n);
	ret = create_file(dir, name);
	if (ret)
		return ret;
	faults_on(f);
	ret = open_and_close(dir, name);
	faults_off(f);
	if (ret && (ret != -ENOMEM || !f->hit))
		return ret;

	now = ima_count() - before;
	ret = open_and_close(dir, name);
	if (ret || ima_count() - before != 1)
		return ret ? ret : -ENODATA;
	again = measure_again(dir, name);
	if (again < 0 || now + again > 2 || measure_again(dir, name))
		return again < 0 ? again : -EEXIST;
	return unlinkat(dir, name, 0) ? -errno : 1 + again;
}

TEST_F_TIMEOUT(fail, measurement_is_whole_or_made_up_for, IMA_TIMEOUT)
{
	struct faults *f = &self->faults;
	int twice = 0;
	struct ima_state before;
	struct ima_change c;
	long n;

	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(0, ima_state_take(&before));
		n = measure_with_failure(f, self->dir);
		ASSERT_LE(1, n)
			TH_LOG("n=%u: %ld", f->n, n);
		twice += n == 2;
		c = (struct ima_change){ .added = n };
		EXPECT_CHANGE(&before, &c);
		EXPECT_EQ(n, c.added);
		ima_state_free(&before);
		ASSERT_EQ(0, ima_delete_list());
	}
	EXPECT_EQ(1, n);
	/* a record went in without the node that remembers its event */
	EXPECT_LT(0, twice);
	EXPECT_SWEPT(f);
}

/*
 * The TPM's driver needs a page to extend the PCRs. Without it IMA keeps the
 * record and audits TPM_error: no replay leads to the PCRs until the next boot.
 */
#define TPM_TRIES 100

TEST_F_TIMEOUT(fail, measurement_that_the_tpm_misses_is_listed, IMA_TIMEOUT)
{
	struct faults *f = &self->faults;
	struct ima_change c = {};
	struct ima_state before;
	unsigned int pcrs = 1;
	char name[64];
	int ret;

	ASSERT_TRUE(faults_of_pages(ALL_PAGES));
	ASSERT_TRUE(faults_of_pages_only());	/* pages only */
	for (int i = 0; i < TPM_TRIES && pcrs && !c.not_extended; i++) {
		snprintf(name, sizeof(name), "missed-%d-%d", getpid(), i);
		ASSERT_EQ(0, create_file(self->dir, name));
		ASSERT_EQ(0, ima_state_take(&before));
		f->n = 1 + i % 4;
		faults_on(f);
		ret = open_and_close(self->dir, name);
		faults_off(f);
		EXPECT_TRUE(faults_explain(f, ret));
		c = (struct ima_change){ .added = 1, .extend_fails = f->hit };
		EXPECT_CHANGE(&before, &c);
		pcrs = before.nr_pcrs;
		ima_state_free(&before);
		ASSERT_EQ(0, unlinkat(self->dir, name, 0));
		ASSERT_EQ(0, ima_delete_list());
	}
	EXPECT_EQ(pcrs > 0, c.not_extended);
}

TEST_F_TIMEOUT(fail, violation_is_whole_or_not_there, IMA_TIMEOUT)
{
	struct faults *f = &self->faults;
	struct ima_state before;
	struct ima_change c;
	char name[64];
	int writer, ret;

	for (faults_begin(f); faults_more(f); f->n++) {
		snprintf(name, sizeof(name), "violation-%d-%u", getpid(), f->n);
		ASSERT_EQ(0, create_file(self->dir, name));
		writer = openat(self->dir, name, O_WRONLY | O_CLOEXEC);
		ASSERT_LE(0, writer);
		ASSERT_EQ(0, ima_state_take(&before));
		faults_on(f);
		ret = open_and_close(self->dir, name);
		faults_off(f);
		EXPECT_TRUE(faults_explain(f, ret));
		close(writer);
		/* the violation, and the file */
		c = (struct ima_change){ .added = 2 };
		EXPECT_CHANGE(&before, &c);
		ima_state_free(&before);
		ASSERT_EQ(0, unlinkat(self->dir, name, 0));
		ASSERT_EQ(0, ima_delete_list());
	}
	EXPECT_EQ(2, c.added);
	EXPECT_SWEPT(f);
}

/* Threads measure, short of memory, while records are archived and deleted. */
#define RACE_MS 4000
#define RACE_LATE_MS 120000
#define RACE_THREADS 2
#define RACE_FAILURES 60
#define ARCHIVE_MAX (4 * 1024 * 1024)

struct race {
	atomic_bool stop;
	atomic_int error;
	atomic_int failed;
	bool rest;
	int dir;
};

static void *race_measure(void *arg)
{
	struct race *race = arg;
	struct faults f;
	char name[64];
	int ret = faults_open(&f, race->rest) ? 0 : -ENODEV;

	for (unsigned int i = 0; !ret && !atomic_load(&race->stop); i++) {
		snprintf(name, sizeof(name), "race-%d-%u", gettid(), i);
		ret = create_file(race->dir, name);
		if (ret)
			break;
		f.n = 1 + i % RACE_FAILURES;
		faults_on(&f);
		ret = open_and_close(race->dir, name);
		faults_off(&f);
		if (ret == -ENOMEM && f.hit)
			ret = 0;
		unlinkat(race->dir, name, 0);
	}
	atomic_fetch_add(&race->failed, f.failed);
	if (ret)
		atomic_store(&race->error, -ret);
	faults_close(&f);
	return NULL;
}

/* All that one open file of the binary list showed so far. */
struct archive {
	int fd;
	struct ima_file list;
	size_t whole;		/* bytes, of */
	long records;
	long deleted;		/* of those */
};

static int archive_read(struct archive *a)
{
	struct ima_file rest;
	size_t end;
	ssize_t n;

	while ((n = read(a->fd, a->list.data + a->list.len, ARCHIVE_MAX - a->list.len)) > 0)
		a->list.len += n;
	if (n < 0 || a->list.len == ARCHIVE_MAX)
		return n < 0 ? -errno : -ENOSPC;

	for (;;) {
		rest = a->list;
		rest.data += a->whole;
		rest.len -= a->whole;
		end = rest.len ? ima_skip_records(&rest, 1) : SIZE_MAX;
		if (end == SIZE_MAX)
			return rest.len ? -EBADMSG : 0;
		a->whole += end;
		a->records++;
	}
}

/* What was read, and not deleted yet. */
static int archive_delete(struct archive *a, struct faults *f)
{
	long n = a->records - a->deleted;
	char command[42];
	ssize_t ret;

	if (!n)
		return 0;
	snprintf(command, sizeof(command), "%ld\n", n);
	faults_on(f);
	ret = write(a->fd, command, strlen(command));
	ret = ret < 0 ? -errno : 0;
	faults_off(f);
	if (!ret)
		a->deleted += n;
	return ret == -ENOMEM && f->hit ? 0 : ret;
}

/* For a while, and on a slow machine until some allocations for it have failed. */
static int race_archive(struct archive *a, struct faults *f)
{
	long long now = ima_now_ms(), end = now + RACE_MS, late = now + RACE_LATE_MS;
	int ret = 0;

	for (unsigned int i = 0; !ret && now < late &&
	     (now < end || !f->failed || !a->deleted); i++, now = ima_now_ms()) {
		f->n = 1 + i % 10;
		ret = archive_read(a) ?: archive_delete(a, f);
	}
	return ret;
}

static const char *pcr_of_sha1(const struct ima_state *state)
{
	for (unsigned int i = 0; i < state->nr_pcrs; i++)
		if (!strncmp(state->pcr[i], "pcr-sha1 ", 9))
			return state->pcr[i];
	return NULL;
}

static void expect_archive(struct __test_metadata *_metadata, const struct archive *a,
			   const struct ima_state *before)
{
	const struct ima_file *list;
	struct ima_state now;

	ASSERT_EQ(0, ima_state_take(&now));
	EXPECT_EQ(before->removed + a->deleted, now.removed);
	EXPECT_EQ(a->records - a->deleted, now.count);
	list = ima_state_file(&now, IMA_BINARY);
	ASSERT_LE(list->len, a->list.len);
	EXPECT_EQ(0, memcmp(a->list.data + a->list.len - list->len, list->data, list->len));
	if (pcr_of_sha1(&now))
		EXPECT_TRUE(ima_replay_leads(pcr_of_sha1(before), pcr_of_sha1(&now),
					     &a->list, 0));
	ima_state_free(&now);
}

TEST_F_TIMEOUT(fail, race_of_measurements_and_n, IMA_TIMEOUT)
{
	struct race race = { .rest = variant->rest, .dir = self->dir };
	struct archive archive = { .list = { .digest_len = 20 } };
	pthread_t thread[RACE_THREADS];
	struct ima_state before;

	ASSERT_EQ(0, ima_state_take(&before));
	ASSERT_EQ(0, before.count);
	archive.list.data = malloc(ARCHIVE_MAX);
	archive.fd = ima_open(IMA_BINARY, O_RDWR);
	ASSERT_LE(0, archive.fd);
	for (int i = 0; i < RACE_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, race_measure, &race));
	EXPECT_EQ(0, race_archive(&archive, &self->faults));
	atomic_store(&race.stop, true);
	for (int i = 0; i < RACE_THREADS; i++)
		pthread_join(thread[i], NULL);

	EXPECT_EQ(0, atomic_load(&race.error));
	EXPECT_LT(0, atomic_load(&race.failed));
	EXPECT_LT(0, self->faults.failed);
	EXPECT_EQ(0, archive_read(&archive));
	EXPECT_LT(0, archive.deleted);
	TH_LOG("made %d allocations fail, %d of them in %ld records' deletion",
	       atomic_load(&race.failed) + self->faults.failed, self->faults.failed,
	       archive.deleted);
	expect_archive(_metadata, &archive, &before);
	close(archive.fd);
	free(archive.list.data);
	ima_state_free(&before);
}

int main(int argc, char **argv)
{
	faults_init();
	return test_harness_run(argc, argv);
}
