// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a long list costs those who read it, and those beside them: time,
 * memory, waiting. The list grows from one test to the next; it is deleted by
 * the last one. Without a TPM it is there in seconds.
 *
 * Times are those of the CPU where they can be, the best of some, and compared
 * with each other: machines differ, and are busy.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "peer.h"

#define SHORT_LIST 12500
#define LIST 50000
#define LONG_LIST 60000

#define BEST_OF 4
#define LINEAR_TRIES 8

FIXTURE(list) {
	char *buf;
	int fd;
};

FIXTURE_SETUP(list)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	self->buf = malloc(PEER_DATA_MAX);
	ASSERT_NE(NULL, self->buf);
	self->fd = -1;
}

FIXTURE_TEARDOWN(list)
{
	close(self->fd);
	free(self->buf);
}

/* Have at least @records in the list; Return: 0 or -errno */
static int grow_to(long records)
{
	long count = ima_count();

	return count < records ? ima_measure_files(records - count) : 0;
}

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

/* Read on to the end; Return: bytes, or -errno */
static long long read_to_end(int fd, char *buf)
{
	long long done = 0;
	long n;

	while ((n = read(fd, buf, PEER_DATA_MAX)) > 0)
		done += n;
	return n < 0 ? -errno : done;
}

/*
 * A whole file is timed in pieces, the best of some of each. The longer a time
 * is, the more of it is the machine's that runs the VM.
 */
#define PIECE (64 * 1024)
#define PIECES_MAX 1024

/* Read one piece more; Return: bytes, 0 at the end, or -errno */
static long read_piece(int fd, char *buf, size_t chunk, double *us)
{
	double start = cpu_us();
	size_t done = 0;
	ssize_t n = 1;

	while (done < PIECE && n > 0) {
		n = read(fd, buf, chunk);
		done += n > 0 ? n : 0;
	}
	*us = cpu_us() - start;
	return n < 0 ? -errno : (long)done;
}

/* CPU time of reading a whole file in chunks; negative: it failed */
static double read_all_us(const char *name, char *buf, size_t chunk)
{
	double best[PIECES_MAX], us, sum = 0;
	int fd, i, nr = 0;
	long n = 0;

	for (int round = 0; round < BEST_OF; round++) {
		fd = ima_open(name, O_RDONLY);
		for (i = 0; i < PIECES_MAX && (n = read_piece(fd, buf, chunk, &us)) > 0; i++)
			best[i] = round && best[i] < us ? best[i] : us;
		close(fd);
		if (n || !i || (round && i != nr))
			return -1;
		nr = i;
	}
	for (i = 0; i < nr; i++)
		sum += best[i];
	return sum;
}

static const char * const list_names[] = { IMA_ASCII, IMA_BINARY };

#define LISTS ARRAY_SIZE(list_names)

/* Read each list with few records, then with four times as many. Return: 0, or negative */
static int time_both_lengths(char *buf, double few[], double many[])
{
	if (ima_other_process_deletes_all() || grow_to(SHORT_LIST))
		return -1;
	for (size_t i = 0; i < LISTS; i++)
		few[i] = read_all_us(list_names[i], buf, 4096);
	if (grow_to(4 * SHORT_LIST))
		return -1;
	for (size_t i = 0; i < LISTS; i++)
		many[i] = read_all_us(list_names[i], buf, 4096);
	return 0;
}

/*
 * Four times the records take less than 6 times as long, at one of some tries of each
 * list, as the machine may become busier between the two. This test begins with a short list.
 */
TEST_F_TIMEOUT(list, r4_reads_of_4096_bytes_take_as_long_per_record_in_a_long_list, IMA_TIMEOUT)
{
	double few[LISTS], many[LISTS];
	bool linear[LISTS] = {};
	size_t seen = 0;

	for (int try = 0; try < LINEAR_TRIES && seen < LISTS; try++) {
		ASSERT_EQ(0, time_both_lengths(self->buf, few, many));
		seen = 0;
		for (size_t i = 0; i < LISTS; i++) {
			TH_LOG("%s: %.0f us, then %.0f us", list_names[i], few[i], many[i]);
			ASSERT_LT(0, few[i]);
			ASSERT_LT(0, many[i]);
			linear[i] |= many[i] < 6 * few[i];
			seen += linear[i];
		}
	}
	EXPECT_EQ(LISTS, seen);
}

/* To byte 0, then one byte at @at: how long is that? */
static double pread_us(int fd, char *buf, off_t at)
{
	double start;

	if (pread(fd, buf, 1, 0) != 1)
		return -1;
	start = cpu_us();
	if (pread(fd, buf, 1, at) != 1)
		return -1;
	return cpu_us() - start;
}

/* The best of some times; negative: one failed */
static double best_us(double (*us)(int fd, char *buf, off_t at), int fd, char *buf, off_t at)
{
	double best = us(fd, buf, at), next;

	for (int i = 1; i < 20 && best >= 0; i++) {
		next = us(fd, buf, at);
		best = next < best ? next : best;
	}
	return best;
}

/*
 * Ends that this file saw, at intervals that have nothing in common: a byte
 * there takes as long as 50 records do at most, in a list of so many.
 */
TEST_F_TIMEOUT(list, r3_read_at_an_end_takes_as_long_in_a_long_list, IMA_TIMEOUT)
{
	const long records[] = { LIST + 11, LIST + 1353, LIST + 3717, LONG_LIST };
	off_t end[ARRAY_SIZE(records)];
	double all, us;

	ASSERT_EQ(0, grow_to(LIST));
	self->fd = ima_open(IMA_BINARY, O_RDONLY);
	ASSERT_LE(0, self->fd);
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		ASSERT_EQ(0, grow_to(records[i]));
		ASSERT_LT(0, read_to_end(self->fd, self->buf));
		end[i] = lseek(self->fd, 0, SEEK_CUR);
	}
	all = read_all_us(IMA_BINARY, self->buf, PIECE);
	ASSERT_LT(0, all);
	for (size_t i = 0; i < ARRAY_SIZE(records) - 1; i++) {
		us = best_us(pread_us, self->fd, self->buf, end[i]);
		TH_LOG("%.0f us, all: %.0f us", us, all);
		EXPECT_LT(0, us);
		EXPECT_LT(us, all * 50 / LONG_LIST);
	}
}

/* To byte 0, then to @from, and read all that is there: how long is that? */
static double seek_us(int fd, char *buf, off_t from)
{
	double start;

	if (pread(fd, buf, 1, 0) != 1)
		return -1;
	start = cpu_us();
	if (lseek(fd, from, SEEK_SET) != from || read_to_end(fd, buf) <= 0)
		return -1;
	return cpu_us() - start;
}

/* Of the ascii file, which is the dearer one */
TEST_F_TIMEOUT(list, r3_seek_to_near_the_end_takes_a_50th_of_reading_all, IMA_TIMEOUT)
{
	const int from_end[] = { 20, 50, 100 };
	double all, us;
	off_t end, record;
	char *first;

	ASSERT_EQ(0, grow_to(LIST));
	self->fd = ima_open(IMA_ASCII, O_RDONLY);
	ASSERT_LE(0, self->fd);
	all = read_all_us(IMA_ASCII, self->buf, PIECE);
	ASSERT_LT(0, all);
	end = read_to_end(self->fd, self->buf);
	ASSERT_LT(4000, end);
	/* All are of one length there. */
	ASSERT_EQ(4000, pread(self->fd, self->buf, 4000, end - 4000));
	first = memchr(self->buf, '\n', 4000);
	ASSERT_NE(NULL, first);
	record = (char *)memchr(first + 1, '\n', 2000) - first;
	ASSERT_LT(0, record);
	for (size_t i = 0; i < ARRAY_SIZE(from_end); i++) {
		us = best_us(seek_us, self->fd, self->buf, end - from_end[i] * record);
		TH_LOG("%d records: %.0f us, all: %.0f us", from_end[i], us, all);
		EXPECT_LT(0, us);
		EXPECT_LT(us, all / 50);
	}
}

#define OPEN_FILES 64
#define OPEN_FILE_MAX (16 * 1024)

TEST_F_TIMEOUT(list, r3_open_file_that_read_a_long_list_takes_16384_bytes_at_most, IMA_TIMEOUT)
{
	long before, taken;
	int fd[OPEN_FILES];

	ASSERT_EQ(0, grow_to(LIST));
	before = ima_kernel_memory();
	ASSERT_LT(0, before);
	for (int i = 0; i < OPEN_FILES; i++) {
		fd[i] = ima_open(list_names[i % LISTS], O_RDONLY);
		ASSERT_LE(0, fd[i]);
		ASSERT_LT(0, read_to_end(fd[i], self->buf));
	}
	taken = (ima_kernel_memory() - before) / OPEN_FILES;
	TH_LOG("%ld bytes", taken);
	EXPECT_GE(OPEN_FILE_MAX, taken);
	/* Else it was not seen. */
	EXPECT_LT(1024, taken);
	for (int i = 0; i < OPEN_FILES; i++)
		close(fd[i]);
}

/*
 * Waiting. A machine may be so busy that something waits for the CPU, but not
 * each time: the best of some rounds, of which each has the worst of its calls.
 */
#define WAIT_ROUNDS 10
#define WAIT_CALLS 20
#define WAIT_MS 300	/* without a reader */
#define WAIT_MAX_MS 50

static double wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* Open, read a record, close; open for write, close. Return: ms, or less than 0 */
static double call_ms(void)
{
	double start = wall_ms();
	char buf[100];
	int fd = ima_open(IMA_BINARY, O_RDONLY);

	if (fd < 0 || read(fd, buf, sizeof(buf)) != sizeof(buf) || close(fd) ||
	    ima_try_write(IMA_ASCII))
		return -1;
	return wall_ms() - start;
}

/*
 * The longest of some calls, in the time in which a reader reads once, or some
 * ms if there is none; a negative number if one failed
 */
static double longest_call_ms(atomic_long *reads)
{
	double end = wall_ms() + WAIT_MS, ms, longest = 0;
	long last = atomic_load(reads);

	for (int i = 0; i < WAIT_CALLS || (last ? atomic_load(reads) < last + 2 : wall_ms() < end);
	     i++) {
		ms = call_ms();
		if (ms < 0)
			return ms;
		if (ms > longest)
			longest = ms;
	}
	return longest;
}

/* Read the last byte over and over again, each time from the first record on. */
static void read_last_byte(off_t last, atomic_long *reads)
{
	int fd = ima_open(IMA_BINARY, O_RDONLY);
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (pread(fd, &c, 1, last) == 1 && !lseek(fd, 0, SEEK_SET))
		atomic_fetch_add(reads, 1);
	_exit(1);
}

TEST_F_TIMEOUT(list, r1_open_and_read_do_not_wait_for_a_reader_that_goes_far, IMA_TIMEOUT)
{
	atomic_long *reads = mmap(NULL, sizeof(*reads), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double quiet, next, limit, beside = 0;
	long long last;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)reads);
	ASSERT_EQ(0, grow_to(LIST));
	self->fd = ima_open(IMA_BINARY, O_RDONLY);
	ASSERT_LE(0, self->fd);
	last = read_to_end(self->fd, self->buf) - 1;
	ASSERT_LT(0, last);
	quiet = longest_call_ms(reads);
	for (int i = 1; i < WAIT_ROUNDS / 2; i++) {
		next = longest_call_ms(reads);
		quiet = next < quiet ? next : quiet;
	}
	ASSERT_LT(0, quiet);
	limit = 10 * quiet > WAIT_MAX_MS ? 10 * quiet : WAIT_MAX_MS;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		read_last_byte(last, reads);
	while (!atomic_load(reads) && !waitpid(pid, NULL, WNOHANG))
		;
	for (int i = 0; i < WAIT_ROUNDS; i++) {
		beside = longest_call_ms(reads);
		TH_LOG("%.1f ms, quiet: %.1f ms", beside, quiet);
		if (beside <= limit)
			break;
	}
	EXPECT_LT(0, beside);
	EXPECT_GE(limit, beside);
	EXPECT_LT(0, atomic_load(reads));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	munmap(reads, sizeof(*reads));
}

#define KILL_ROUNDS 5
#define KILL_RECORDS 10000

/* A command that takes its time, in a thread */
struct slow_command {
	int fd;
	char text[32];
	atomic_bool done;
};

/*
 * A command that is to take long runs on the second CPU, with the least weight,
 * beside a thread that never sleeps. All else is on the first one.
 */
static void run_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *slow_command_run(void *arg)
{
	struct slow_command *me = arg;

	run_on_cpu(1);
	setpriority(PRIO_PROCESS, 0, 19);	/* this thread */
	if (write(me->fd, me->text, strlen(me->text)) < 0)
		perror("# write");
	atomic_store(&me->done, true);
	return NULL;
}

static void *keep_cpu_busy(void *arg)
{
	atomic_bool *stop = arg;

	run_on_cpu(1);
	while (!atomic_load(stop))
		;
	return NULL;
}

/* Is the process in a system call that it waits in? 'D' in its stat */
static bool is_waiting(pid_t pid)
{
	char path[32], line[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	return strstr(line, ") D ");
}

/*
 * A process that gives a command once the list has been cut by another one; by
 * pwrite(2), because write(2) waits for the offset of the file, which is shared.
 */
static pid_t start_waiting(int fd, long count)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (ima_count() == count)
		sched_yield();
	_exit(pwrite(fd, "1\n", 2, 0) != 2);
}

/* Kill a process once it waits; Return: did it, before the command was done? */
static bool kill_once_it_waits(pid_t pid, const atomic_bool *done)
{
	bool waiting = false;

	while (!waiting && !atomic_load(done)) {
		waiting = is_waiting(pid);
		sched_yield();
	}
	return !kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid && waiting;
}

/*
 * While a command deletes @n records, another one, to delete 1, waits for its
 * turn and is killed. Return: did it not run after all?
 */
static bool waiting_command_dies(int fd, long n)
{
	struct slow_command slow = { .fd = fd };
	long removed = ima_removed();
	pid_t pid = start_waiting(fd, ima_count());
	pthread_t command, busy;
	atomic_bool stop = false;
	bool killed;

	snprintf(slow.text, sizeof(slow.text), "%ld\n", n);
	if (pid < 0 || pthread_create(&busy, NULL, keep_cpu_busy, &stop) ||
	    pthread_create(&command, NULL, slow_command_run, &slow))
		return false;
	killed = kill_once_it_waits(pid, &slow.done);
	atomic_store(&stop, true);
	pthread_join(busy, NULL);
	pthread_join(command, NULL);
	return killed && ima_removed() == removed + n;
}

/* The last test: it deletes the list. In a round, the first may be too fast. */
TEST_F_TIMEOUT(list, w2_command_that_waits_for_its_turn_can_be_killed, IMA_TIMEOUT)
{
	int died = 0;

	run_on_cpu(0);
	self->fd = ima_open(IMA_ASCII, O_WRONLY);
	ASSERT_LE(0, self->fd);
	for (int i = 0; i < KILL_ROUNDS; i++) {
		ASSERT_EQ(0, grow_to(KILL_RECORDS + 1));
		died += waiting_command_dies(self->fd, KILL_RECORDS);
	}
	TH_LOG("%d of %d", died, KILL_ROUNDS);
	EXPECT_LT(KILL_ROUNDS / 2, died);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

TEST_HARNESS_MAIN
