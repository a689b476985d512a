// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog beside all that goes on at the same time: events, a second trim, another
 * program that deletes or stages, readers in the middle.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_run.h"

#define EVENTS		20000
#define FEWER_EVENTS	3000
#define KEEP		50
#define ROUNDS_MIN	50
#define SECONDS		1500	/* an emulated TPM in an emulated machine is slow */

/* What the processes of a test share. */
struct shared {
	atomic_long archived_end;	/* of the archive, as trim told */
	atomic_long rounds;
	atomic_long busy;
	atomic_long foreign;		/* records that another program deleted */
	atomic_long staged;		/* times that it staged */
	atomic_long peak;		/* most records in the list after a round */
	atomic_long failed;
	atomic_bool over;		/* no more events */
};

FIXTURE(race)
{
	struct shared *s;
};

FIXTURE_SETUP(race)
{
	const char *why = imalog_unavailable();

	if (why)
		SKIP(return, "%s", why);
	self->s = mmap(NULL, sizeof(*self->s), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->s);
}

FIXTURE_TEARDOWN(race)
{
}

static void raise_to(atomic_long *max, long n)
{
	long old = *max;

	while (n > old && !atomic_compare_exchange_weak(max, &old, n))
		;
}

/* How many records there were since boot: two numbers, of one moment. */
static long records_ever(void)
{
	long removed, count;

	do {
		removed = ima_removed();
		count = ima_count();
	} while (removed != ima_removed());
	return removed + count;
}

/* One round: after it, no more is left than it keeps and what came meanwhile. */
static void round_once(struct shared *s)
{
	long before = records_ever(), count, came;
	int ret = imalog("trim --json --keep %d", KEEP);

	if (ret == IMALOG_BUSY) {
		s->busy++;
		return;
	}
	if (ret != IMALOG_DONE) {
		imalog_says("trim to succeed");
		s->failed++;
		return;
	}
	raise_to(&s->archived_end, imalog_number("end"));
	count = ima_count();
	came = records_ever() - before;
	s->rounds++;
	raise_to(&s->peak, count);
	if (count > KEEP + came) {
		printf("# %ld records left, %ld came\n", count, came);
		s->failed++;
	}
}

static void trim_all_the_time(struct shared *s)
{
	while (!s->over)
		round_once(s);
}

/* Another program that deletes, but nothing that is not archived. */
static void delete_all_the_time(struct shared *s)
{
	while (!s->over) {
		if (ima_removed() < s->archived_end &&
		    !ima_delete_if(IMA_ASCII, ima_removed(), 1))
			s->foreign++;
		usleep(20000);
	}
}

/* A trim may have its file open, or be in the middle of what is staged. */
static int delete_staged(void)
{
	int ret;

	while ((ret = ima_delete_staged()) == -EBUSY)
		usleep(20000);
	return ret;
}

/* Another program that stages, and deletes once all is archived. */
static void stage_all_the_time(struct shared *s)
{
	while (!s->over) {
		if (!ima_stage()) {
			while (s->archived_end < ima_removed() && !s->failed) {
				imalog("trim"); /* archives, and may not delete */
				imalog("status --json");
				raise_to(&s->archived_end, imalog_number("archived_end"));
			}
			if (s->failed)
				break;
			if (delete_staged())
				s->failed++;
			else
				s->staged++;
		}
		usleep(300000);
	}
}

/* Stops in the middle of a record, again and again, and never for long. */
static void read_all_the_time(struct shared *s)
{
	char part[1000];
	int fd;

	while (!s->over) {
		fd = ima_open(IMA_BINARY, O_RDONLY);
		if (fd >= 0 && read(fd, part, sizeof(part)) >= 0)
			usleep(10000);
		if (fd >= 0)
			close(fd);
		usleep(10000);
	}
}

static pid_t start(void (*run)(struct shared *s), struct shared *s)
{
	pid_t pid = fork();

	if (!pid) {
		run(s);
		fflush(stdout);
		_exit(0);
	}
	return pid;
}

static void finish(struct __test_metadata *_metadata, struct shared *s,
		   const pid_t *pids, int num)
{
	int i;

	s->over = true;
	for (i = 0; i < num; i++)
		EXPECT_EQ(0, ima_wait_exit(pids[i]));
	EXPECT_EQ(0, s->failed);
	EXPECT_EQ(IMALOG_DONE, imalog("trim --json"));
	EXPECT_EQ(0, ima_count());
	EXPECT_EQ(ima_removed(), imalog_number("end"));
	EXPECT_EQ(IMALOG_DONE, imalog("verify"));
	/* every record once: the log is as long as what has left the list */
	EXPECT_EQ(IMALOG_DONE, imalog("cat --ascii >/root/cat; test $(wc -l </root/cat) = %ld",
				      ima_removed()));
	EXPECT_EQ(0, imalog_shell("cd " IMALOG_ARCHIVE "; cat 000000/*/records >/root/all;"
				  "imalog cat | cmp - /root/all"));
}

/*
 * Trims go on between the looks of verify and status at the archive and at the kernel.
 * The first test, as verify takes as long as the archive is large.
 */
TEST_F_TIMEOUT(race, verify_and_status_beside_trims, SECONDS)
{
	struct shared *s = self->s;
	int verified = 0, told = 0, i;
	pid_t pid;

	/* so that the first verify finds a chain, however slow the first trim beside it is */
	ASSERT_EQ(IMALOG_DONE, imalog("trim"));
	pid = start(trim_all_the_time, s);
	for (i = 0; i < 30 && !s->failed; i++) {
		ASSERT_EQ(0, ima_measure_files(50));
		if (imalog("verify --json") == IMALOG_DONE) {
			/* what the kernel's records follow was verified, too */
			EXPECT_LE(imalog_number("archived_end"), imalog_number("records"));
			verified++;
		} else {
			EXPECT_TRUE(imalog_says("other programs delete records all the time"));
		}
		if (imalog("status") == IMALOG_DONE)
			told++;
		else
			EXPECT_TRUE(imalog_says("other programs delete records all the time"));
	}
	finish(_metadata, s, &pid, 1);
	EXPECT_LT(0, verified);
	EXPECT_LT(0, told);
	printf("# figure: verified beside trims %d of 30, status %d\n", verified, told);
}

TEST_F_TIMEOUT(race, trims_under_load_with_readers, SECONDS)
{
	struct shared *s = self->s;
	pid_t pids[2];
	long left;

	pids[0] = start(trim_all_the_time, s);
	pids[1] = start(read_all_the_time, s);
	for (left = EVENTS; (left > 0 || s->rounds < ROUNDS_MIN) && !s->failed; left -= 100)
		ASSERT_EQ(0, ima_measure_files(100));
	finish(_metadata, s, pids, 2);
	EXPECT_LE(ROUNDS_MIN, s->rounds);
	printf("# figure: events %ld, rounds %ld, most records left after one %ld, busy %ld\n",
	       EVENTS - left, s->rounds, s->peak, s->busy);
}

TEST_F_TIMEOUT(race, two_trims_and_a_foreign_delete, SECONDS)
{
	struct shared *s = self->s;
	pid_t pids[3];
	long left;

	pids[0] = start(trim_all_the_time, s);
	pids[1] = start(trim_all_the_time, s);
	pids[2] = start(delete_all_the_time, s);
	for (left = FEWER_EVENTS; left > 0 && !s->failed; left -= 100)
		ASSERT_EQ(0, ima_measure_files(100));
	finish(_metadata, s, pids, 3);
	EXPECT_LT(0, s->foreign);
	EXPECT_LT(0, s->busy);
	printf("# figure: rounds %ld, busy %ld, records that another deleted %ld\n",
	       s->rounds, s->busy, s->foreign);
}

TEST_F_TIMEOUT(race, trim_and_a_stager, SECONDS)
{
	struct shared *s = self->s;
	pid_t pids[2];
	long left;

	pids[0] = start(trim_all_the_time, s);
	pids[1] = start(stage_all_the_time, s);
	for (left = FEWER_EVENTS; left > 0 && !s->failed; left -= 100)
		ASSERT_EQ(0, ima_measure_files(100));
	finish(_metadata, s, pids, 2);
	EXPECT_LT(0, s->staged);
	printf("# figure: rounds %ld, busy %ld, times staged %ld\n", s->rounds, s->busy,
	       s->staged);
}

/* What cat shows while trims go on is one piece of the log. */
TEST_F_TIMEOUT(race, cat_beside_trims_is_whole, SECONDS)
{
	struct shared *s = self->s;
	pid_t pid;
	int i;

	pid = start(trim_all_the_time, s);
	for (i = 0; i < 20 && !s->failed; i++) {
		ASSERT_EQ(0, ima_measure_files(100));
		ASSERT_EQ(IMALOG_DONE, imalog("cat >/root/cat.%d", i));
	}
	finish(_metadata, s, &pid, 1);
	/* each is the beginning of the log */
	for (i = 0; i < 20; i++)
		EXPECT_EQ(0, imalog_shell("cd /root; n=$(stat -c %%s cat.%d);"
					  "head -c $n all | cmp - cat.%d", i, i));
}

TEST_HARNESS_MAIN
