// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random file operations on all files of the measurement list, a million of them.
 * In one thread a model says what each command returns, and how much a read can
 * give; in three that share their files, what they may end with. However it goes:
 * each record that came is in the list or has left it, and nothing else changes.
 *
 * The seed is printed; IMA_FUZZ_SEED=N makes the same calls again (in the VM, as a
 * word of APPEND=), but for how three threads get in between each other.
 */
#include <limits.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "../kselftest_harness.h"
#include "fuzz.h"
#include "staged.h"

#define ALONE_OPS 700000
#define SHARED_OPS 110000		/* of each thread */
#define THREADS 3
#define ALL_OPS 1000000			/* in all, at least */
#define FUZZ_TIMEOUT 1500		/* seconds; a debug kernel takes that long */

#define LONGEST 60			/* the list */
#define RECORD_EVERY 40			/* operations */
#define STATE_EVERY 20000		/* operations: all files are parsed */

static const struct kind *random_kind(struct fuzz *f)
{
	static unsigned long sum;
	unsigned long dice, all = 0;
	unsigned int i;

	for (i = 0; !sum && fuzz_kinds[i].name; i++)
		all += fuzz_kinds[i].weight;
	if (!sum)
		sum = all;
	dice = fuzz_below(f, sum);
	for (i = 0; dice >= fuzz_kinds[i].weight; i++)
		dice -= fuzz_kinds[i].weight;
	return &fuzz_kinds[i];
}

static bool may_fail_with(const struct fuzz *f, const struct kind *kind, const struct slot *s,
			  int err)
{
	unsigned int i;

	if (err == EBADF && !f->world->shared && s->open && !(s->flags & O_PATH)) {
		if (kind->needs == ANY || (kind->needs == READS && slot_can_read(s)) ||
		    (kind->needs == WRITES && slot_can_write(s)))
			return false;
	}
	for (i = 0; i < ARRAY_SIZE(kind->err); i++)
		if (kind->err[i] == err)
			return true;
	return false;
}

/* The rest of a record that was read in part is given, though it left the list (R3). */
static long most_to_read(const struct fuzz *f, const struct target *target)
{
	return fuzz_held(f, target) + (target && target->holds != NUMBER ? target->record - 1 : 0);
}

static void judge(struct fuzz *f, const struct kind *kind, const struct slot *s, long ret)
{
	bool right;

	if (ret < 0)
		right = may_fail_with(f, kind, s, -ret);
	else if (kind->result == FAILS || kind->result == DOES_NOTHING)
		right = kind->result == DOES_NOTHING && !ret;
	else
		right = kind->needs != READS ||
			((size_t)ret <= f->limit && ret <= most_to_read(f, s->target));
	if (!right) {
		fuzz_wrong(f, kind->name, s->target ? s->target->name : "(no file)", ret);
		printf("# at most %zu bytes wanted, %ld there\n", f->limit,
		       fuzz_held(f, s->target));
	}
	if (kind->needs == READS)
		f->read_err[ret < 0 ? -ret & 255 : 0] = true;
}

static void check_counters(struct fuzz *f)
{
	const struct world *w = f->world;
	long count = fuzz_counter(w->count_fd), removed = fuzz_counter(w->removed_fd);

	if (count != w->count)
		fuzz_wrong(f, "runtime_measurements_count is not", "what it must be", count);
	if (removed != w->removed)
		fuzz_wrong(f, "runtime_measurements_removed is not", "what it must be", removed);
}

/* Return: the number of records in a file, or -1 if one of them is not whole */
static long records_in(const struct ima_file *file)
{
	size_t pos = 0;
	long n = 0;

	while (pos < file->len) {
		pos = ima_skip_records(file, ++n);
		if (pos == SIZE_MAX)
			return -1;
	}
	return n;
}

static const char *state_wrong(const struct world *w, const struct staged_log *log)
{
	const char *broken = ima_state_broken(&log->list);
	long staged = records_in(&log->staged[0]);
	unsigned int i;

	for (i = 0; i < log->list.nr_files && !broken; i++)
		if (staged < 0 || records_in(&log->staged[i]) != staged)
			broken = log->staged[i].name;
	if (!broken && !w->shared && staged != w->staged)
		broken = "number of records that are staged";
	if (!broken && !!staged != atomic_load(&w->stages) - atomic_load(&w->unstages))
		broken = "whether something is staged";
	if (!broken && log->list.count + log->list.removed != w->began + w->measured)
		broken = "sum of what is there and what is gone";
	if (!broken && log->list.removed - w->removed_before < atomic_load(&w->deleted))
		broken = "number of records that are gone";
	return broken;
}

static int add_record(struct fuzz *f)
{
	int ret;

	pthread_mutex_lock(&f->world->no_fork);
	ret = ima_measure_files(1);
	pthread_mutex_unlock(&f->world->no_fork);
	if (ret) {
		fuzz_wrong(f, "measuring", "a file", ret);
	} else {
		atomic_fetch_add(&f->world->measured, 1);
		if (!f->world->shared)
			f->world->count++;
	}
	return ret;
}

/* The length of a digest is found in the list, which therefore must not be empty. */
static void check_state(struct fuzz *f)
{
	struct staged_log log;
	const char *wrong;

	if (add_record(f))
		return;
	wrong = staged_log_take(&log) ? "(cannot be read)" : state_wrong(f->world, &log);
	if (wrong)
		fuzz_wrong(f, "the state is wrong:", wrong, 0);
	staged_log_free(&log);
}

static void step(struct fuzz *f)
{
	struct slot *s = fuzz_slot(f), was = *s;
	const struct kind *kind = random_kind(f);
	struct world *w = f->world;
	long ret;

	f->limit = SIZE_MAX;
	ret = kind->call(f, s);
	f->did++;
	f->ops[kind - fuzz_kinds]++;
	f->worked[kind - fuzz_kinds] += ret >= 0;
	judge(f, kind, &was, ret);
	if (fuzz_one_in(f, RECORD_EVERY) &&
	    (w->shared ? fuzz_counter(w->count_fd) : w->count) < LONGEST)
		add_record(f);
	if (!w->shared && (kind->needs == WRITES || f->did % 32 == 0))
		check_counters(f);
	if (!w->shared && f->did % STATE_EVERY == 0)
		check_state(f);
}

static int fuzz_start(struct fuzz *f, struct world *w, int number)
{
	memset(f, 0, sizeof(*f));
	f->world = w;
	f->random = (w->seed ^ (number * 0x9e3779b97f4a7c15ULL)) ?: 1;
	f->buf = mmap(NULL, BUFFER + 16384, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f->buf == MAP_FAILED || mprotect(f->buf + BUFFER, 16384, PROT_NONE))
		return -1;
	f->edge = f->buf + BUFFER;
	return pipe2(f->in, O_NONBLOCK | O_CLOEXEC) ?: pipe2(f->out, O_NONBLOCK | O_CLOEXEC);
}

static void *run_shared(void *arg)
{
	struct fuzz *f = arg;

	while (f->did < SHARED_OPS && !atomic_load(&f->world->stop))
		step(f);
	return NULL;
}

static int other_process_stages_and_deletes(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-(ima_stage() ?: ima_delete_staged()));
	return ima_wait_exit(pid);
}

static int add_target(struct world *w, const char *name, enum content holds)
{
	struct target *target = &w->target[w->targets++];
	size_t len;
	char *data;

	snprintf(target->name, sizeof(target->name), "%s", name);
	snprintf(target->path, sizeof(target->path), IMA_DIR "/%s", name);
	target->holds = holds;
	target->mode = holds == NUMBER ? 0440 : 0660;
	data = ima_read_all(name, &len);
	target->record = data ? len : 0;
	free(data);
	return !data || lstat(target->path, &target->st);
}

/* One record is staged, and one in the list: that tells how long one is. */
static const char *find_targets(struct world *w)
{
	static struct staged_names names;
	const char *why = staged_unavailable(&names);
	int bad = 0;

	if (why)
		return why;
	if (ima_other_process_deletes_all() || ima_measure_files(1) || ima_stage() ||
	    ima_measure_files(1))
		return "cannot make a list of one record";
	for (int i = 0; i < names.nr; i++) {
		bad |= add_target(w, names.list[i], LIST);
		bad |= add_target(w, names.staged[i], STAGED_LIST);
	}
	bad |= add_target(w, "runtime_measurements_count", NUMBER);
	bad |= add_target(w, "runtime_measurements_removed", NUMBER);
	return bad ? "cannot read all files" : NULL;
}

/* One that was given, in the environment or to the kernel, or a new one. */
static bool find_seed(unsigned long long *seed)
{
	const char *word = getenv("IMA_FUZZ_SEED"), *given = "IMA_FUZZ_SEED=";
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	char line[4096] = "";

	if (fd >= 0 && read(fd, line, sizeof(line) - 1) > 0 && !word) {
		word = strstr(line, given);
		word = word ? word + strlen(given) : NULL;
	}
	if (fd >= 0)
		close(fd);
	if (word)
		*seed = strtoull(word, NULL, 0);
	return word || getrandom(seed, sizeof(*seed), 0) == sizeof(*seed);
}

static const char *world_start(struct world *w)
{
	const char *why = find_targets(w);

	pthread_mutex_init(&w->no_fork, NULL);
	if (why)
		return why;
	if (ima_delete_staged() || ima_delete_list())
		return "cannot empty the list";
	if (!find_seed(&w->seed))
		return "no random number";
	printf("# seed 0x%llx\n", w->seed);
	w->removed = ima_removed();
	w->removed_before = w->removed;
	w->began = w->removed;
	w->count_fd = ima_open("runtime_measurements_count", O_RDONLY);
	w->removed_fd = ima_open("runtime_measurements_removed", O_RDONLY);
	w->memfd = memfd_create("fuzz", MFD_CLOEXEC);
	if (w->count_fd < 0 || w->removed_fd < 0 || write(w->memfd, "1\n", 2) != 2)
		return "cannot open what the test needs";
	for (int i = 0; i < SLOTS; i++)
		w->slot[i].fd = SLOT_FD + i;
	return NULL;
}

/* Names, modes, sizes and kinds of the files: the name of one that changed, or NULL */
static const char *files_differ(const struct world *w)
{
	struct stat st;

	for (int i = 0; i < w->targets; i++) {
		const struct target *target = &w->target[i];

		if (lstat(target->path, &st) || st.st_ino != target->st.st_ino ||
		    st.st_mode != target->st.st_mode || st.st_size != target->st.st_size ||
		    st.st_uid || st.st_gid || ima_mode(target->name) != (int)target->mode)
			return target->name;
	}
	return access(IMA_DIR "/other", F_OK) ? NULL : "a new one";
}

/* Of all tests, each of which is a process. */
static long *all_ops;

__attribute__((constructor)) static void share_count(void)
{
	all_ops = mmap(NULL, sizeof(*all_ops), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* Return: the name of a kind that never worked, or NULL */
static const char *print_results(const struct fuzz *f, int nr)
{
	long ops, worked, sum = 0, sum_worked = 0;
	const char *never = NULL;
	unsigned int i;

	for (i = 0; fuzz_kinds[i].name; i++) {
		ops = 0;
		worked = 0;
		for (int j = 0; j < nr; j++) {
			ops += f[j].ops[i];
			worked += f[j].worked[i];
		}
		printf("# fuzz: %s: %ld operations, %ld worked, %ld failed\n",
		       fuzz_kinds[i].name, ops, worked, ops - worked);
		if (!ops || (!worked && fuzz_kinds[i].result == WORKS))
			never = fuzz_kinds[i].name;
		sum += ops;
		sum_worked += worked;
	}
	printf("# fuzz: %ld operations, %ld worked, %ld failed\n", sum, sum_worked,
	       sum - sum_worked);
	*all_ops += sum;
	return never;
}

FIXTURE(fuzz) {
	struct world *world;
	struct fuzz *fuzz;
	int nr;			/* threads */
};

FIXTURE_SETUP(fuzz)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	self->world = calloc(1, sizeof(*self->world));
	self->fuzz = calloc(THREADS, sizeof(*self->fuzz));
	ASSERT_TRUE(self->world && self->fuzz);
	ASSERT_STREQ("", world_start(self->world) ?: "");
}

FIXTURE_TEARDOWN(fuzz)
{
	free(self->world);
	free(self->fuzz);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* When nothing is open any more: all is whole, and nobody is locked out. */
#define EXPECT_END()									\
do {											\
	for (int _i = 0; _i < SLOTS; _i++)						\
		close(SLOT_FD + _i);							\
	check_state(&self->fuzz[0]);							\
	for (int _i = 0; _i < self->nr; _i++)						\
		EXPECT_STREQ("", self->fuzz[_i].wrong);					\
	EXPECT_STREQ("", print_results(self->fuzz, self->nr) ?: "");				\
	EXPECT_STREQ("", files_differ(self->world) ?: "");				\
	EXPECT_LT(0, atomic_load(&self->world->deleted));				\
	EXPECT_LT(0, atomic_load(&self->world->stages));				\
	EXPECT_LT(0, atomic_load(&self->world->unstages));				\
	EXPECT_EQ(0, ima_other_process_deletes_all());					\
	EXPECT_EQ(0, ima_count());							\
	EXPECT_EQ(0, ima_measure_files(1));						\
	EXPECT_EQ(0, other_process_stages_and_deletes());				\
} while (0)

TEST_F_TIMEOUT(fuzz, operations_in_turn_end_as_a_model_says, FUZZ_TIMEOUT)
{
	static const int seen[] = { 0, EAGAIN, EBADF, EEXIST, EFAULT, EINVAL, ENOENT, ERANGE };
	static const int seen_reads[] = { 0, EBADF, EFAULT, EINVAL, ESTALE };
	struct fuzz *f = &self->fuzz[0];
	unsigned int i;

	self->nr = 1;
	ASSERT_EQ(0, fuzz_start(f, self->world, 0));
	while (f->did < ALONE_OPS && !atomic_load(&self->world->stop))
		step(f);
	EXPECT_EQ(ALONE_OPS, f->did);
	EXPECT_END();
	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		EXPECT_TRUE(f->command_err[seen[i]]) {
			TH_LOG("no command: %s", strerror(seen[i]));
		}
	}
	for (i = 0; i < ARRAY_SIZE(seen_reads); i++) {
		EXPECT_TRUE(f->read_err[seen_reads[i]]) {
			TH_LOG("no read: %s", strerror(seen_reads[i]));
		}
	}
}

TEST_F_TIMEOUT(fuzz, operations_of_three_threads_lose_no_record, FUZZ_TIMEOUT)
{
	pthread_t thread[THREADS];
	int i;

	self->nr = THREADS;
	self->world->shared = true;
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, fuzz_start(&self->fuzz[i], self->world, 1 + i));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, run_shared, &self->fuzz[i]));
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
		EXPECT_EQ(SHARED_OPS, self->fuzz[i].did);
	}
	EXPECT_END();
}

TEST_F(fuzz, operations_are_a_million)
{
	printf("# figure: file operations: %ld\n", *all_ops);
	EXPECT_LE(ALL_OPS, *all_ops);
}

TEST_HARNESS_MAIN
