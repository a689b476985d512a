// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands beside each other, beside readers and beside new events. Each race
 * runs for a bounded time; what they check is that every call ends with one of
 * the results that it may have, that the counts add up, and that no record is
 * lost or there twice. (A kernel splat is the VM's to find.)
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#include "../kselftest_harness.h"
#include "ima_state.h"
#include "ima_test.h"
#include "peer.h"

#define NR_RECORDS 10
#define RACE_MS 4000
#define RACERS_MAX 8
#define MEASURERS 2

/* All files are open for write, by the one process that races. */
FIXTURE(race) {
	struct ima_state before;
	int ascii, binary, ascii_staged, binary_staged;
	atomic_bool stop;
	atomic_bool uncounted;	/* records left, and only the kernel knows how many */
	/* records, and how often something was done */
	atomic_long measured, deleted, staged, rounds, reads, wrong;
	atomic_int measurers;
	char *archive;
	size_t archived;
};

static void close_all(FIXTURE_DATA(race) *self)
{
	int *fds[] = { &self->ascii, &self->binary, &self->ascii_staged, &self->binary_staged };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

FIXTURE_SETUP(race)
{
	const char *why = ima_test_unavailable();

	self->ascii = -1;
	self->binary = -1;
	self->ascii_staged = -1;
	self->binary_staged = -1;
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->ascii = ima_open(IMA_ASCII, O_RDWR);
	ASSERT_LE(0, self->ascii);
	self->binary = ima_open(IMA_BINARY, O_RDWR);
	ASSERT_LE(0, self->binary);
	self->ascii_staged = ima_open(IMA_ASCII_STAGED, O_RDWR);
	ASSERT_LE(0, self->ascii_staged);
	self->binary_staged = ima_open(IMA_BINARY_STAGED, O_RDWR);
	ASSERT_LE(0, self->binary_staged);
}

FIXTURE_TEARDOWN(race)
{
	close_all(self);
	free(self->archive);
	ima_state_free(&self->before);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* One thread of a race: it does @run with @fd until it is to stop. */
struct racer {
	void (*run)(FIXTURE_DATA(race) *self, int fd);
	int fd;
	FIXTURE_DATA(race) *self;
	pthread_t id;
};

static struct racer racer(void (*run)(FIXTURE_DATA(race) *self, int fd), int fd)
{
	return (struct racer){ .run = run, .fd = fd };
}

static void *race_thread(void *arg)
{
	struct racer *me = arg;

	me->run(me->self, me->fd);
	return NULL;
}

/* Run them (to one that does nothing) beside each other; Return: 0 or an errno */
static int race_run(FIXTURE_DATA(race) *self, struct racer *racers)
{
	long long end = ima_now_ms() + RACE_MS;
	struct timespec step = { .tv_nsec = 20000000 };
	int n, ret = 0;

	for (n = 0; racers[n].run && !ret; n += !ret) {
		racers[n].self = self;
		ret = pthread_create(&racers[n].id, NULL, race_thread, &racers[n]);
	}
	while (!ret && ima_now_ms() < end)
		nanosleep(&step, NULL);
	atomic_store(&self->stop, true);
	while (n--)
		pthread_join(racers[n].id, NULL);
	return ret;
}

static void race_wrong(FIXTURE_DATA(race) *self, const char *what, int err)
{
	if (!atomic_fetch_add(&self->wrong, 1))
		fprintf(stderr, "# %s: %s\n", what, strerror(err));
}

/* Each thread's events are numbered: "batch-THREAD-NUMBER". */
static void race_measure(FIXTURE_DATA(race) *self, int fd)
{
	int me = atomic_fetch_add(&self->measurers, 1), i, ret;
	char name[32], data[64];

	for (i = 0; !atomic_load(&self->stop); i++) {
		snprintf(name, sizeof(name), "batch-%d-%06d", me, i);
		snprintf(data, sizeof(data), "%s %d", name, getpid());
		ret = ima_measure_file(name, data, strlen(data));
		if (ret)
			race_wrong(self, "measure", -ret);
		else
			atomic_fetch_add(&self->measured, 1);
	}
}

#define MEASURE racer(race_measure, -1)

/* Delete two records after the other; @staged: is EEXIST a result it may have? */
static void delete_pairs(FIXTURE_DATA(race) *self, int fd, bool staged)
{
	while (!atomic_load(&self->stop)) {
		if (write(fd, "2\n", 2) == 2)
			atomic_fetch_add(&self->deleted, 2);
		else if (errno != ENOENT && !(staged && errno == EEXIST))
			race_wrong(self, "N", errno);
		else
			sched_yield();
	}
}

static void race_n(FIXTURE_DATA(race) *self, int fd)
{
	delete_pairs(self, fd, false);
}

static void race_n_beside_a(FIXTURE_DATA(race) *self, int fd)
{
	delete_pairs(self, fd, true);
}

static void race_tn_beside_a(FIXTURE_DATA(race) *self, int fd)
{
	char cmd[IMA_CMD_MAX + 1];
	int len;

	while (!atomic_load(&self->stop)) {
		len = snprintf(cmd, sizeof(cmd), "%ld:2\n", ima_removed());
		if (write(fd, cmd, len) == len)
			atomic_fetch_add(&self->deleted, 2);
		else if (errno != ENOENT && errno != EEXIST && errno != EAGAIN)
			race_wrong(self, "T:N", errno);
		else
			sched_yield();
	}
}

/* From its beginning to its end; Return: how many lines, or -1 */
static long count_lines(int fd)
{
	char buf[4096];
	long lines = 0;
	ssize_t n, i;

	if (lseek(fd, 0, SEEK_SET))
		return -1;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++)
			lines += buf[i] == '\n';
	}
	return n ? -1 : lines;
}

/* Only one thread stages: what it has staged, it can count and delete. */
static void race_a_d(FIXTURE_DATA(race) *self, int fd)
{
	long lines;

	while (!atomic_load(&self->stop)) {
		if (write(fd, "A\n", 2) != 2) {
			if (errno != ENOENT)
				race_wrong(self, "A", errno);
			sched_yield();
			continue;
		}
		lines = count_lines(fd);
		if (lines > 0)
			atomic_fetch_add(&self->staged, lines);
		else
			race_wrong(self, "read", errno);
		if (write(fd, "D\n", 2) != 2)
			race_wrong(self, "D", errno);
		atomic_fetch_add(&self->rounds, 1);
	}
}

/* More than one thread stages and deletes. */
static void race_a_or_d(FIXTURE_DATA(race) *self, int fd)
{
	while (!atomic_load(&self->stop)) {
		if (write(fd, "A\n", 2) != 2 && errno != EEXIST && errno != ENOENT)
			race_wrong(self, "A", errno);
		atomic_store(&self->uncounted, true);
		if (write(fd, "D\n", 2) == 2)
			atomic_fetch_add(&self->rounds, 1);
		else if (errno != ENOENT)
			race_wrong(self, "D", errno);
	}
}

static void count_read(FIXTURE_DATA(race) *self, const char *what, ssize_t ret)
{
	if (ret > 0)
		atomic_fetch_add(&self->reads, 1);
	else if (ret < 0 && errno != ESTALE)
		race_wrong(self, what, errno);
}

/* At the first record, and elsewhere; without lseek all would be stale soon. */
static void race_pread(FIXTURE_DATA(race) *self, int fd)
{
	unsigned int seed = 1;
	char buf[4096];

	while (!atomic_load(&self->stop)) {
		count_read(self, "pread", pread(fd, buf, 1 + rand_r(&seed) % sizeof(buf),
						rand_r(&seed) % 2000));
		count_read(self, "pread", pread(fd, buf, sizeof(buf), 0));
		if (rand_r(&seed) % 4 == 0 && lseek(fd, 0, SEEK_SET))
			race_wrong(self, "lseek", errno);
	}
}

static void race_lseek_read(FIXTURE_DATA(race) *self, int fd)
{
	unsigned int seed = 2;
	char buf[512];

	while (!atomic_load(&self->stop)) {
		if (lseek(fd, 0, SEEK_SET))
			race_wrong(self, "lseek", errno);
		while (!(rand_r(&seed) % 8 == 0) && !atomic_load(&self->stop))
			count_read(self, "read",
				   read(fd, buf, 1 + rand_r(&seed) % sizeof(buf)));
	}
}

/* Every file has as many whole records as the count says. */
static bool lists_are_whole(FIXTURE_DATA(race) *self)
{
	struct ima_state now = {};
	bool whole;

	close_all(self);
	whole = !ima_measure_files(1) && !ima_state_take(&now) && !ima_state_broken(&now);
	ima_state_free(&now);
	return whole;
}

/*
 * How many records have left the list: what the kernel says, or if it does not (Linux
 * 7.2), the threads; or else what is not there.
 */
static long race_left(FIXTURE_DATA(race) *self)
{
	long removed = ima_removed();

	if (removed >= 0)
		return removed - self->before.removed;
	if (atomic_load(&self->uncounted))
		return self->before.count + atomic_load(&self->measured) - ima_count();
	return atomic_load(&self->deleted) + atomic_load(&self->staged);
}

/* Every call has ended well, and what came and did not go is there. */
#define EXPECT_RACE(...)								\
do {											\
	struct racer _racers[RACERS_MAX + 1] = { __VA_ARGS__ };				\
											\
	ASSERT_EQ(0, race_run(self, _racers));						\
	EXPECT_EQ(0, atomic_load(&self->wrong));					\
	EXPECT_LT(0, atomic_load(&self->measured));					\
	EXPECT_EQ(self->before.count + atomic_load(&self->measured) - race_left(self),	\
		  ima_count());								\
} while (0)

/* What left the list is what the threads say. */
#define EXPECT_REMOVED()								\
	EXPECT_EQ(atomic_load(&self->deleted) + atomic_load(&self->staged), race_left(self))

/*
 * N, with nothing staged
 */
#define EXPECT_RACE_OF_N(...)								\
do {											\
	EXPECT_RACE(__VA_ARGS__);							\
	EXPECT_LT(0, atomic_load(&self->deleted));					\
	EXPECT_REMOVED();								\
	EXPECT_TRUE(lists_are_whole(self));							\
} while (0)

TEST_F_TIMEOUT(race, pread_beside_n_on_one_file, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_N(MEASURE, racer(race_pread, self->ascii), racer(race_n, self->ascii));
	EXPECT_LT(0, atomic_load(&self->reads));
}

TEST_F_TIMEOUT(race, pread_beside_n_on_another_file, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_N(MEASURE, racer(race_pread, self->ascii), racer(race_n, self->binary));
	EXPECT_LT(0, atomic_load(&self->reads));
}

TEST_F_TIMEOUT(race, lseek_and_read_beside_n_on_one_file, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_N(MEASURE, racer(race_lseek_read, self->ascii),
			 racer(race_n, self->ascii));
	EXPECT_LT(0, atomic_load(&self->reads));
}

TEST_F_TIMEOUT(race, n_beside_n_on_one_file, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_N(MEASURE, racer(race_n, self->ascii), racer(race_n, self->ascii));
}

TEST_F_TIMEOUT(race, n_beside_n_on_two_files, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_N(MEASURE, racer(race_n, self->ascii), racer(race_n, self->binary));
}

TEST_F_TIMEOUT(race, n_beside_n_and_pread_and_read, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_N(MEASURE, racer(race_n, self->ascii), racer(race_n, self->binary),
			 racer(race_pread, self->ascii), racer(race_lseek_read, self->ascii));
	EXPECT_LT(0, atomic_load(&self->reads));
}

/*
 * A reader in another process, beside everything: it must see each of the
 * numbered events once and in order. Only after ESTALE it may miss some.
 */
struct follower {
	atomic_bool stop;
	atomic_long lines;
	atomic_int wrong;
};

static void follow_line(struct follower *f, const char *line, long *last, bool *may_skip)
{
	const char *tag = strstr(line, "follow-");
	long number;

	if (!tag)
		return;
	number = atol(tag + strlen("follow-"));
	if (number <= *last || (number != *last + 1 && !*may_skip))
		atomic_store(&f->wrong, EILSEQ);
	*last = number;
	*may_skip = false;
	atomic_fetch_add(&f->lines, 1);
}

static void follow(struct follower *f)
{
	int fd = ima_open(IMA_ASCII, O_RDONLY);
	bool may_skip = true;
	char line[1024];
	size_t len = 0;
	long last = -1;
	ssize_t n;

	while (!atomic_load(&f->stop)) {
		n = read(fd, line + len, 1);
		if (n < 0 && errno == ESTALE && !len && !lseek(fd, 0, SEEK_SET)) {
			may_skip = true;
		} else if (n < 0 || len == sizeof(line) - 1) {
			break;
		} else if (!n) {
			sched_yield();
		} else if (line[len++] == '\n') {
			line[len] = '\0';
			follow_line(f, line, &last, &may_skip);
			len = 0;
		}
	}
	if (!atomic_load(&f->stop))
		atomic_store(&f->wrong, errno);
	_exit(0);
}

/* Return: 0 or an errno that no call may end with */
static int measure_and_delete_for(FIXTURE_DATA(race) *self, long long ms)
{
	long long end = ima_now_ms() + ms;
	char name[32], data[64];
	int ret = 0;

	while (!ret && ima_now_ms() < end) {
		snprintf(name, sizeof(name), "follow-%ld", atomic_load(&self->measured));
		snprintf(data, sizeof(data), "%s %d", name, getpid());
		ret = -ima_measure_file(name, data, strlen(data));
		atomic_fetch_add(&self->measured, !ret);
		if (!ret && write(self->binary, "2\n", 2) == 2)
			atomic_fetch_add(&self->deleted, 2);
		else if (!ret && errno != EBUSY && errno != ENOENT)
			ret = errno;
	}
	return ret;
}

TEST_F_TIMEOUT(race, reader_of_another_process_skips_and_repeats_nothing, IMA_TIMEOUT)
{
	struct follower *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	ASSERT_NE(MAP_FAILED, f);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		follow(f);
	}
	EXPECT_EQ(0, measure_and_delete_for(self, RACE_MS));
	atomic_store(&f->stop, true);
	EXPECT_EQ(0, ima_wait_exit(pid));
	EXPECT_EQ(0, atomic_load(&f->wrong));
	EXPECT_LT(0, atomic_load(&f->lines));
	EXPECT_LT(0, atomic_load(&self->deleted));
	EXPECT_EQ(self->before.count + atomic_load(&self->measured) -
		  atomic_load(&self->deleted), ima_count());
	EXPECT_TRUE(lists_are_whole(self));
	munmap(f, sizeof(*f));
}

/*
 * A and D, which other threads' N gets in between
 */
#define EXPECT_RACE_OF_A(...)								\
do {											\
	EXPECT_RACE(MEASURE, MEASURE, ##__VA_ARGS__);					\
	EXPECT_LT(0, atomic_load(&self->rounds));					\
} while (0)

TEST_F_TIMEOUT(race, a_d_beside_n_on_two_files_counts_add_up, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_A(racer(race_a_d, self->ascii_staged),
			 racer(race_n_beside_a, self->ascii));
	EXPECT_REMOVED();
	EXPECT_TRUE(lists_are_whole(self));
}

TEST_F_TIMEOUT(race, a_d_beside_t_n_on_two_files_counts_add_up, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_A(racer(race_a_d, self->ascii_staged),
			 racer(race_tn_beside_a, self->ascii));
	EXPECT_REMOVED();
	EXPECT_TRUE(lists_are_whole(self));
}

TEST_F_TIMEOUT(race, a_d_beside_a_d_on_two_files_counts_add_up, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_A(racer(race_a_or_d, self->ascii_staged),
			 racer(race_a_or_d, self->binary_staged));
	EXPECT_TRUE(lists_are_whole(self));
}

TEST_F_TIMEOUT(race, a_d_beside_n_and_pread_counts_add_up, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_A(racer(race_a_or_d, self->ascii_staged),
			 racer(race_a_or_d, self->binary_staged),
			 racer(race_n_beside_a, self->ascii),
			 racer(race_pread, self->binary_staged),
			 racer(race_pread, self->ascii));
	EXPECT_LT(0, atomic_load(&self->reads));
	EXPECT_TRUE(lists_are_whole(self));
}

/* Keep what a file reads from where it is to the end; Return: 0 or -errno */
static int archive(FIXTURE_DATA(race) *self, int fd)
{
	char *bigger;
	long n;

	do {
		bigger = realloc(self->archive, self->archived + PEER_DATA_MAX);
		if (!bigger)
			return -ENOMEM;
		self->archive = bigger;
		n = ima_read_full(fd, self->archive + self->archived, PEER_DATA_MAX);
		if (n > 0)
			self->archived += n;
	} while (n > 0);
	return n;
}

/* What an agent does, with one file: A, read on to the end, D. */
static void race_archive(FIXTURE_DATA(race) *self, int fd)
{
	int ret = 0;

	while (!ret && !atomic_load(&self->stop)) {
		if (write(fd, "A\n", 2) != 2) {
			ret = errno == ENOENT ? 0 : errno;
			sched_yield();
			continue;
		}
		atomic_store(&self->uncounted, true);
		ret = -archive(self, fd);
		if (!ret && write(fd, "D\n", 2) != 2)
			ret = errno;
		atomic_fetch_add(&self->rounds, 1);
	}
	if (ret)
		race_wrong(self, "A, read, D", ret);
}

/* Return: how many numbered events there are, each once and in order; or -1 */
static long numbered_events(const char *data, size_t len)
{
	const char *at = data, *end = data + len;
	int expected[MEASURERS] = {}, me, seq;
	char tag[32];

	while ((at = memmem(at, end - at, "batch-", 6)) && end - at >= 14) {
		memcpy(tag, at, 14);
		tag[14] = '\0';
		if (sscanf(tag, "batch-%d-%d", &me, &seq) != 2 || me < 0 ||
		    me >= MEASURERS || seq != expected[me]++)
			return -1;
		at += 14;
	}
	return expected[0] + expected[1];
}

TEST_F_TIMEOUT(race, ascii_batches_and_list_have_each_event_once, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_A(racer(race_archive, self->ascii_staged));
	ASSERT_EQ(0, archive(self, self->ascii));
	EXPECT_EQ(atomic_load(&self->measured),
		  numbered_events(self->archive, self->archived));
}

TEST_F_TIMEOUT(race, binary_batches_and_list_have_each_event_once, IMA_TIMEOUT)
{
	EXPECT_RACE_OF_A(racer(race_archive, self->binary_staged));
	ASSERT_EQ(0, archive(self, self->binary));
	EXPECT_EQ(atomic_load(&self->measured),
		  numbered_events(self->archive, self->archived));
}

TEST_HARNESS_MAIN
