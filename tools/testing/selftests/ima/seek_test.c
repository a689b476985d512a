// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readers that go elsewhere: back to ends of the list that they saw (R3),
 * beyond the end, and about in the middle while others delete (R2).
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "../kselftest_harness.h"
#include "ima_state.h"
#include "ima_test.h"
#include "peer.h"

#define NR_RECORDS 10
#define NR_MIDDLE 500
#define RACE_MS 3000
#define RACE_ROUNDS 20	/* more than these, however slow the machine is */
#define RACE_CALLS 100

#define EXPECT_DELETED(_n) EXPECT_STREQ("", ima_state_differs(&self->before, _n) ?: "")

/*
 * A reader that keeps its file open and remembers where the list ended. Agents
 * of remote attestation do: they go back when a verifier asks for old records.
 */
#define NR_ENDS 64	/* as many as the kernel remembers, at least */
#define NR_ROUNDS 100

FIXTURE(ends) {
	struct ima_state before;
	const struct ima_file *file;
	char *all;		/* what this file showed, from byte 0 on */
	size_t len;
	off_t end[NR_ROUNDS];
	long records[NR_ROUNDS];	/* before that end */
	int fd;
};

FIXTURE_VARIANT(ends) {
	const char *name;
	int nr;			/* of those that are remembered */
};

FIXTURE_VARIANT_ADD(ends, ascii) { .name = IMA_ASCII, .nr = 33 };
FIXTURE_VARIANT_ADD(ends, binary) { .name = IMA_BINARY, .nr = 33 };
FIXTURE_VARIANT_ADD(ends, ascii_64) { .name = IMA_ASCII, .nr = NR_ENDS };
FIXTURE_VARIANT_ADD(ends, binary_64) { .name = IMA_BINARY, .nr = NR_ENDS };

FIXTURE_SETUP(ends)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_other_process_deletes_all());
	ASSERT_EQ(0, ima_count());
	self->all = malloc(PEER_DATA_MAX);
	ASSERT_NE(NULL, self->all);
	self->fd = ima_open(variant->name, O_RDONLY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(ends)
{
	close(self->fd);
	free(self->all);
	ima_state_free(&self->before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* Read on to the end, after @n new records; Return: 0 or -errno */
static int read_on(struct _test_data_ends *self, unsigned int n)
{
	int ret = ima_measure_files(n);
	long got;

	if (ret || lseek(self->fd, self->len, SEEK_SET) != (off_t)self->len)
		return ret ?: -errno;
	got = ima_read_full(self->fd, self->all + self->len, PEER_DATA_MAX - self->len);
	if (got < 0)
		return got;
	self->len += got;
	return got ? 0 : -ENODATA;
}

/* The same, and remember that end as the @i-th */
static int read_on_to_end(struct _test_data_ends *self, int i, unsigned int n)
{
	int ret = read_on(self, n);

	self->end[i] = lseek(self->fd, 0, SEEK_CUR);
	self->records[i] = (i ? self->records[i - 1] : 0) + n;
	return self->end[i] == (off_t)self->len ? ret : -ERANGE;
}

/* Go to the @i-th end: do the records that came after it come, and no more? */
static bool goes_on_from_end(struct _test_data_ends *self, int i)
{
	struct ima_file all = { .data = self->all, .len = self->len };

	return lseek(self->fd, self->end[i], SEEK_SET) == self->end[i] &&
	       ima_reads_exactly(self->fd, &all, self->end[i], self->len) &&
	       !ima_read_one(self->fd);
}

/* What a read there gives: 1, 0 at the end, or -errno */
static long read_at_end(struct _test_data_ends *self, int i)
{
	if (lseek(self->fd, self->end[i], SEEK_SET) != self->end[i])
		return -errno;
	return ima_read_one(self->fd);
}

/* In turn, and remember each; Return: 0 or -errno */
static int read_on_to_ends(struct _test_data_ends *self, int nr)
{
	int ret = 0;

	for (int i = 0; i < nr && !ret; i++)
		ret = read_on_to_end(self, i, 1 + i % 4);
	return ret;
}

/* The first of @nr ends that is not gone as those before @gone, or does not work */
static int first_wrong_end(struct _test_data_ends *self, int gone, int nr)
{
	int i = 0;

	while (i < nr && (i < gone ? read_at_end(self, i) == -ESTALE : goes_on_from_end(self, i)))
		i++;
	return i;
}

TEST_F(ends, r3_end_before_the_22nd_record_after_ten_were_deleted)
{
	ASSERT_EQ(0, read_on_to_end(self, 0, 21));
	ASSERT_EQ(0, read_on_to_end(self, 1, 4));
	ASSERT_EQ(0, read_on_to_end(self, 2, 3));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->file = ima_state_file(&self->before, variant->name);
	ASSERT_NE(NULL, self->file);
	ASSERT_EQ((size_t)self->end[0], ima_skip_records(self->file, 21));
	ASSERT_EQ((size_t)self->end[2], self->file->len);

	EXPECT_EQ(0, ima_other_process_deletes(10));
	EXPECT_DELETED(10);
	EXPECT_EQ(self->end[0], lseek(self->fd, self->end[0], SEEK_SET));
	EXPECT_TRUE(ima_reads_exactly(self->fd, self->file, self->end[0], self->file->len));
	EXPECT_EQ(0, ima_read_one(self->fd));
	EXPECT_TRUE(goes_on_from_end(self, 1));
	EXPECT_EQ(0, read_at_end(self, 2));
}

/* Delete up to each end in turn: those before it are gone, the others work. */
TEST_F_TIMEOUT(ends, r3_each_end_works_until_its_record_is_gone_then_ESTALE, IMA_TIMEOUT)
{
	long deleted = 0;
	int k;

	ASSERT_EQ(0, read_on_to_ends(self, variant->nr));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->file = ima_state_file(&self->before, variant->name);
	ASSERT_NE(NULL, self->file);
	ASSERT_EQ(self->file->len, self->len);
	ASSERT_EQ(0, memcmp(self->file->data, self->all, self->len));

	for (k = 0; k < variant->nr; k++) {
		ASSERT_EQ(0, ima_other_process_deletes(self->records[k] - deleted));
		deleted = self->records[k];
		ASSERT_EQ(variant->nr, first_wrong_end(self, k, variant->nr));
	}
	EXPECT_EQ(0, ima_count());
}

/* For life: the oldest end that is remembered always works. */
TEST_F_TIMEOUT(ends, r3_ends_work_while_older_records_go, IMA_TIMEOUT)
{
	long deleted = 0;
	int i, oldest;

	for (i = 0; i < NR_ROUNDS; i++) {
		ASSERT_EQ(0, read_on_to_end(self, i, 1 + i % 3));
		oldest = i - variant->nr + 1;
		if (oldest < 1)
			continue;
		ASSERT_EQ(0, ima_other_process_deletes(self->records[oldest] - deleted));
		deleted = self->records[oldest];
		ASSERT_EQ(-ESTALE, read_at_end(self, oldest - 1));
		ASSERT_TRUE(goes_on_from_end(self, oldest));
		ASSERT_TRUE(goes_on_from_end(self, oldest + variant->nr / 2));
	}
}

/*
 * Beyond the end
 */
FIXTURE(beyond) {
	struct ima_state after;
	off_t end;
	int fd;
};

FIXTURE_VARIANT(beyond) {
	const char *name;
};

FIXTURE_VARIANT_ADD(beyond, ascii) { .name = IMA_ASCII };
FIXTURE_VARIANT_ADD(beyond, binary) { .name = IMA_BINARY };

FIXTURE_SETUP(beyond)
{
	const char *why = ima_test_unavailable();
	struct ima_state before;
	const struct ima_file *file;

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&before));
	file = ima_state_file(&before, variant->name);
	ASSERT_NE(NULL, file);
	self->end = file->len;
	self->fd = ima_open(variant->name, O_RDONLY);
	ASSERT_LE(0, self->fd);
	ASSERT_TRUE(ima_reads_exactly(self->fd, file, 0, file->len));
	ASSERT_EQ(0, ima_read_one(self->fd));
	ima_state_free(&before);
}

FIXTURE_TEARDOWN(beyond)
{
	close(self->fd);
	ima_state_free(&self->after);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/*
 * Measure files with names of 10 characters (that makes a binary record of 98
 * bytes, with SHA-256 in the template and sha1 before it); Return: the list then
 */
static const struct ima_file *grow(struct _test_data_beyond *self, const char *name, int n)
{
	char file[11];
	int ret = 0;

	while (n-- && !ret) {
		snprintf(file, sizeof(file), "%02d%08llx", n % 100, ima_now_ms() & 0xffffffff);
		ret = ima_measure_file(file, file, sizeof(file));
	}
	if (ret || ima_state_take(&self->after))
		return NULL;
	return ima_state_file(&self->after, name);
}

TEST_F(beyond, r3_read_50_bytes_beyond_the_end_gives_what_comes_there)
{
	const struct ima_file *file;

	ASSERT_EQ(self->end + 50, lseek(self->fd, 50, SEEK_CUR));
	EXPECT_EQ(0, ima_read_one(self->fd));
	EXPECT_EQ(self->end + 50, lseek(self->fd, 0, SEEK_CUR));
	file = grow(self, variant->name, 1);
	ASSERT_NE(NULL, file);
	ASSERT_LT((size_t)self->end + 50, file->len);
	EXPECT_TRUE(ima_reads_exactly(self->fd, file, self->end + 50, file->len));
	EXPECT_EQ(0, ima_read_one(self->fd));
}

TEST_F(beyond, r3_read_beyond_the_end_that_was_passed_before_it_came)
{
	const struct ima_file *file;
	char got[20];
	size_t skip;

	ASSERT_EQ(0, pread(self->fd, got, 1, self->end + 300));
	file = grow(self, variant->name, 5);
	ASSERT_NE(NULL, file);
	skip = self->end + 300;
	ASSERT_LT(skip + sizeof(got), file->len);
	EXPECT_EQ((ssize_t)sizeof(got), pread(self->fd, got, sizeof(got), skip));
	EXPECT_EQ(0, memcmp(file->data + skip, got, sizeof(got)));
	EXPECT_TRUE(ima_reads_exactly(self->fd, file, self->end, file->len));
}

/*
 * In the middle, while others delete or read
 */
FIXTURE(middle) {
	struct ima_state before;
	const struct ima_file *file;
	struct seeker {
		atomic_bool stop;
		atomic_long reads, wrong;
	} *seeker;			/* shared with another process */
};

FIXTURE_VARIANT(middle) {
	const char *name;
};

FIXTURE_VARIANT_ADD(middle, ascii) { .name = IMA_ASCII };
FIXTURE_VARIANT_ADD(middle, binary) { .name = IMA_BINARY };

FIXTURE_SETUP(middle)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_other_process_deletes_all());
	ASSERT_EQ(0, ima_measure_files(NR_MIDDLE));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->file = ima_state_file(&self->before, variant->name);
	ASSERT_NE(NULL, self->file);
	self->seeker = mmap(NULL, sizeof(*self->seeker), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->seeker);
}

FIXTURE_TEARDOWN(middle)
{
	munmap(self->seeker, sizeof(*self->seeker));
	ima_state_free(&self->before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* Are bytes of the file what they were? Never the first one or the last one. */
static bool seeker_reads(const struct ima_file *file, int fd, unsigned int *seed)
{
	char got[8];
	long at = 1 + rand_r(seed) % (file->len - 1 - sizeof(got));
	long n = 1 + rand_r(seed) % sizeof(got);

	switch (rand_r(seed) % 3) {
	case 0:
		n = pread(fd, got, n, at);
		break;
	case 1:
		if (lseek(fd, at, SEEK_SET) != at)
			return false;
		n = read(fd, got, n);
		break;
	default:
		return lseek(fd, at, SEEK_SET) == at;
	}
	return n > 0 && !memcmp(file->data + at, got, n);
}

/* Another process; it has begun when it has counted a read. */
static void seeker_run(struct seeker *seeker, const struct ima_file *file)
{
	int fd = ima_open(file->name, O_RDONLY);
	unsigned int seed = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!ima_reads_exactly(fd, file, 0, 1))
		atomic_fetch_add(&seeker->wrong, 1);
	do {
		if (!seeker_reads(file, fd, &seed))
			atomic_fetch_add(&seeker->wrong, 1);
		atomic_fetch_add(&seeker->reads, 1);
	} while (!atomic_load(&seeker->stop));
	_exit(0);
}

TEST_F_TIMEOUT(middle, r2_reader_that_seeks_and_preads_is_never_deleted_under, IMA_TIMEOUT)
{
	int fd = ima_open(variant->name, O_WRONLY), len;
	long refused = 0, other = 0;
	char cmd[IMA_CMD_MAX + 1];
	long long end;
	pid_t pid;

	ASSERT_LE(0, fd);
	len = snprintf(cmd, sizeof(cmd), "%ld\n", self->before.count);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		seeker_run(self->seeker, self->file);
	end = ima_now_ms() + IMA_DEADLINE_MS;
	while (!atomic_load(&self->seeker->reads) && ima_now_ms() < end)
		sched_yield();

	end = ima_now_ms() + RACE_MS;
	while (!other && (ima_now_ms() < end || refused <= RACE_CALLS ||
			  atomic_load(&self->seeker->reads) <= RACE_CALLS)) {
		if (write(fd, cmd, len) < 0 && errno == EBUSY)
			refused++;
		else
			other++;
	}
	atomic_store(&self->seeker->stop, true);
	EXPECT_EQ(0, ima_wait_exit(pid));
	EXPECT_EQ(0, other);
	EXPECT_EQ(0, atomic_load(&self->seeker->wrong));
	EXPECT_LT(RACE_CALLS, refused);
	EXPECT_LT(RACE_CALLS, atomic_load(&self->seeker->reads));
	EXPECT_DELETED(0);
	close(fd);
}

/* A thread that preads where another one reads, each time at the same moment */
struct beside {
	const struct ima_file *file;
	int fd;
	size_t at;
	bool by_pread;
	long wrong;
	atomic_int *met;	/* how often, in all */
	pthread_t id;
};

#define BESIDE_BYTES 100
#define BESIDE_TIMES 12

static void beside_read(struct beside *me)
{
	char got[BESIDE_BYTES];
	ssize_t n;

	if (me->by_pread)
		n = pread(me->fd, got, sizeof(got), me->at);
	else
		n = read(me->fd, got, sizeof(got));
	if (n == sizeof(got) && !memcmp(me->file->data + me->at, got, n))
		return;
	if (!me->wrong++)
		fprintf(stderr, "# %s at %zu: %zd bytes, %s\n", me->by_pread ? "pread" : "read",
			me->at, n, n < 0 ? strerror(errno) : "not what is there");
}

/* No wait that ends in another one's wake-up: they would come one by one. */
static void *beside_run(void *arg)
{
	struct beside *me = arg;

	for (int i = 1; i <= BESIDE_TIMES; i++) {
		atomic_fetch_add(me->met, 1);
		for (int tries = 1; atomic_load(me->met) < 2 * i; tries++)
			if (tries % 10000 == 0)
				sched_yield();
		beside_read(me);
		me->at += BESIDE_BYTES;
	}
	return NULL;
}

/* A file that was read up to @at: in two threads, go on. How often is it wrong? */
static long read_beside_pread(const struct ima_file *file, int fd, size_t at)
{
	struct beside beside[2] = {};
	atomic_int met = 0;
	long wrong = 0;

	for (int i = 0; i < 2; i++) {
		beside[i] = (struct beside){
			.file = file, .fd = fd, .at = at, .by_pread = i, .met = &met,
		};
		/* One alone would wait for ever: the test's timeout ends it. */
		if (pthread_create(&beside[i].id, NULL, beside_run, &beside[i]))
			return -1;
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(beside[i].id, NULL);
		wrong += beside[i].wrong;
	}
	return wrong;
}

TEST_F_TIMEOUT(middle, r3_read_beside_pread_at_one_offset_is_never_ESTALE, IMA_TIMEOUT)
{
	long long end = ima_now_ms() + RACE_MS;
	long rounds = 0, wrong = 0;
	int fd;

	while ((ima_now_ms() < end || rounds <= RACE_ROUNDS) && !wrong) {
		fd = ima_open(variant->name, O_RDONLY);
		ASSERT_LE(0, fd);
		wrong = read_beside_pread(self->file, fd, 0);
		close(fd);
		rounds++;
	}
	EXPECT_EQ(0, wrong);
	EXPECT_LT(RACE_ROUNDS, rounds);
}

/* Nothing is deleted while they read; all that they read is there. */
TEST_F_TIMEOUT(middle, r3_read_beside_pread_behind_what_was_deleted_is_never_ESTALE, IMA_TIMEOUT)
{
	const long each = 2, most = NR_MIDDLE / each - 20;
	long long end = ima_now_ms() + RACE_MS;
	struct ima_file left = *self->file;
	long rounds = 0, wrong = 0;
	size_t first;
	int fd;

	while ((ima_now_ms() < end || rounds <= RACE_ROUNDS) && rounds < most && !wrong) {
		first = ima_skip_records(&left, each);
		fd = ima_open(variant->name, O_RDONLY);
		ASSERT_LE(0, fd);
		ASSERT_TRUE(ima_reads_exactly(fd, &left, 0, first));
		ASSERT_EQ(0, ima_delete(each));
		wrong = read_beside_pread(&left, fd, first);
		close(fd);
		left.data += first;
		left.len -= first;
		rounds++;
	}
	EXPECT_EQ(0, wrong);
	EXPECT_LT(RACE_ROUNDS, rounds);
}

TEST_HARNESS_MAIN
