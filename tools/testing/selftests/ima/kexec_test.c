// SPDX-License-Identifier: GPL-2.0-only
/*
 * The measurement list goes on in the next kernel: an archive of what was
 * deleted, what kexec carried over and what came since lead to the PCR values of
 * a fresh quote in every bank.
 *
 *	kexec_test [ARCHIVED [CARRIED]]		records for the first kexec
 *
 * One run goes through several kernels, with one stream of TAP. It needs the
 * virtual machine in qemu/: process 1 executes the loaded image at SIGUSR1, with
 * no output lost, and runs this program again in the next kernel, which it knows
 * by IMA_KEXEC_BOOT=n. What that has to know is in a file that is appended to its
 * initramfs. The image is loaded before the last records are measured, so these
 * are either not looked at one by one or made again in the next kernel.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kexec_test.h"

#define PCR		10
#define NONCE_LEN	32
#define KEXEC_HDR	24	/* struct ima_kexec_hdr */

#define LOADERS		3
#define LOAD_ROOM	1000	/* long records deleted between load and execute */
#define LOAD_KEPT	100
#define LOAD_MIN	50
#define GROWN		200	/* records, more than what is spared for them */
#define GROWN_LATER	20
#define SHRUNK		400	/* more again: room for those that grow */

static struct test test;

struct step {
	const char *claim;
	void (*leave)(struct test *t);	/* does not return if there is ... */
	void (*arrive)(struct test *t);	/* ... this, in the next kernel */
};

/**
 * kexec_test_failed() - end with a failure
 * @where: function
 * @line: line of its file
 * @what: what was compared
 * @is: what it is
 * @wanted: what it should be
 */
void __noreturn kexec_test_failed(const char *where, int line, const char *what,
				  long long is, long long wanted)
{
	ksft_print_msg("%s(), line %d, kernel %u: %s is %lld, not %lld\n", where, line,
		       test.state.kernel, what, is, wanted);
	ksft_test_result_fail("%s\n", test.claim);
	/* The records that the next steps build on are not what they should be. */
	ksft_exit_fail();
}

static void check_tpm(struct test *t, int err)
{
	if (err)
		ksft_print_msg("%s\n", ima_quote_error(t->tpm));
	CHECK_EQ(0, err);
}

/* ---- records ---------------------------------------------------------- */

static void buf_add(struct buf *buf, const void *data, size_t len)
{
	__u8 *bigger = realloc(buf->data, buf->len + len + 1);

	CHECK(bigger);
	buf->data = bigger;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

/**
 * buf_free() - free the content
 * @buf: the buffer, which is empty then
 */
void buf_free(struct buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->len = 0;
}

/**
 * buf_read() - read a whole file of IMA_DIR
 * @buf: its content is put here
 * @name: its name
 */
void buf_read(struct buf *buf, const char *name)
{
	buf->data = ima_read_all(name, &buf->len);
	CHECK(buf->data);
}

/* The first @n records, or fewer that fit into @room: their bytes. */
static size_t head_size(const struct buf *buf, long n, size_t room, long *have)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	size_t size = 0;

	ima_log_init(&p, buf->data, buf->len, test.source.size, IMA_LOG_HOST);
	*have = 0;
	while (*have < n && p.pos < p.len) {
		CHECK_EQ(1, ima_log_next(&p, &rec));
		if (p.pos > room)
			break;
		size = p.pos;
		++*have;
	}
	return size;
}

static long records(const struct buf *buf)
{
	long n;

	CHECK_EQ(buf->len, head_size(buf, LONG_MAX, SIZE_MAX, &n));
	return n;
}

static size_t size_of(const struct buf *buf, long n)
{
	long have;
	size_t size = head_size(buf, n, SIZE_MAX, &have);

	CHECK_EQ(n, have);
	return size;
}

/**
 * archive_first() - put records into the archive, and delete them
 * @t: the test
 * @n: how many of the first ones
 */
void archive_first(struct test *t, long n)
{
	struct buf list;

	buf_read(&list, LIST);
	buf_add(&t->archive, list.data, size_of(&list, n));
	buf_free(&list);
	CHECK_EQ(0, ima_removed() < 0 ? ima_delete(n) : ima_delete_if(LIST, ima_removed(), n));
}

/**
 * remember_log() - what kexec is to carry: staged, then the list
 * @t: the test
 */
void remember_log(struct test *t)
{
	struct buf list;

	buf_free(&t->log);
	buf_read(&t->log, STAGED);
	buf_read(&list, LIST);
	buf_add(&t->log, list.data, list.len);
	buf_free(&list);
}

/* ---- attestation ------------------------------------------------------ */

static void open_tpm(struct test *t)
{
	struct ima_quote_blob ak;
	unsigned int i;

	check_tpm(t, ima_quote_create_ak(t->tpm, IMA_QUOTE_OWNER, NULL, NULL, &ak));
	if (!t->state.kernel)
		t->state.ak = ak;
	CHECK_EQ(t->state.ak.size, ak.size);
	CHECK_EQ(0, memcmp(t->state.ak.data, ak.data, ak.size));

	check_tpm(t, ima_quote_banks(t->tpm, 1 << PCR, &t->select));
	CHECK(t->select.num);
	for (i = 0; i < t->select.num; i++)
		CHECK_EQ(0, ima_log_bank_init(&t->banks[i], t->select.bank[i].alg,
					      IMA_LOG_OWN_HASH));
}

/* A verified quote over all banks, with a fresh nonce. */
static void take_quote(struct test *t, struct ima_log_target *target)
{
	__u8 nonce[NONCE_LEN];
	struct ima_quote quote;
	const char *why = NULL;
	int err;

	CHECK_EQ(NONCE_LEN, getrandom(nonce, sizeof(nonce), 0));
	check_tpm(t, ima_quote_take(t->tpm, &t->select, nonce, sizeof(nonce), &quote));
	err = ima_quote_verify(&quote, &t->state.ak, &t->select, nonce,
			       sizeof(nonce), target, &why);
	if (err)
		ksft_print_msg("%s\n", why);
	CHECK_EQ(0, err);
}

static void replay(struct test *t, const void *data, size_t len)
{
	struct ima_log_replay replay = { t->banks, t->select.num, &t->source };
	struct ima_log_parser p;
	int err;

	ima_log_init(&p, data, len, t->source.size, IMA_LOG_HOST);
	err = ima_log_replay(&replay, &p, ULONG_MAX);
	if (err)
		ksft_print_msg("record %lu: %s\n", p.error_record, p.error);
	CHECK_EQ(0, err);
}

static void check_pcrs(struct test *t, const struct ima_log_target *target)
{
	struct ima_log_replay replay = { t->banks, t->select.num, &t->source };
	__u8 digest[IMA_LOG_DIGEST_MAX];
	struct ima_quote_values values;
	unsigned int i, wrong = 0;

	check_tpm(t, ima_quote_read_pcrs(t->tpm, &t->select, &values));
	CHECK_EQ(1, ima_quote_verify_values(target, &values));
	for (i = 0; i < t->select.num; i++) {
		if (!memcmp(values.value[i][PCR], t->banks[i].value[PCR],
			    t->banks[i].size))
			continue;
		ksft_print_msg("the records do not lead to the PCR of bank %s\n",
			       t->banks[i].name);
		wrong++;
	}
	CHECK_EQ(0, wrong);
	CHECK_EQ(0, ima_log_pcr_digest(&replay, &target->select, target->alg, digest));
	CHECK_EQ(0, memcmp(digest, target->digest, ima_log_alg_size(target->alg)));
}

/* Every list has the same number of records, each with the digest of its bank. */
static void check_lists(struct test *t)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	char name[IMA_NAME_MAX];
	struct buf list;
	unsigned int i;

	for (i = 0; i < t->select.num; i++) {
		snprintf(name, sizeof(name), "binary_runtime_measurements_%s",
			 t->banks[i].name);
		buf_read(&list, name);
		ima_log_init(&p, list.data, list.len, t->banks[i].size, IMA_LOG_HOST);
		while (p.pos < p.len) {
			CHECK_EQ(1, ima_log_next(&p, &rec));
			CHECK_EQ(1, ima_log_check(&t->banks[i], &rec));
		}
		CHECK_EQ(ima_count(), p.records);
		buf_free(&list);
	}
}

/* The archive and the list, with @lost at @place in it, lead to a new quote. */
static void attest(struct test *t, const struct buf *lost, size_t place)
{
	struct ima_log_target target;
	struct buf list;
	unsigned int i;

	take_quote(t, &target);
	buf_read(&list, LIST);
	CHECK_EQ(ima_count(), records(&list));
	CHECK(place <= list.len);
	for (i = 0; i < t->select.num; i++)
		ima_log_bank_reset(&t->banks[i]);
	replay(t, t->archive.data, t->archive.len);
	replay(t, list.data, place);
	if (lost)
		replay(t, lost->data, lost->len);
	replay(t, list.data + place, list.len - place);
	check_pcrs(t, &target);
	buf_free(&list);
	ksft_print_msg("kernel %u: %ld records archived + %ld listed = the quote of %u banks\n",
		       t->state.kernel, records(&t->archive), ima_count(),
		       t->select.num);
}

static void __noreturn jump(struct test *t)
{
	remember_log(t);
	next_load(t);
	next_execute();
}

/* ---- arriving --------------------------------------------------------- */

/* Nothing staged, nothing removed, and this kernel's first record comes next. */
static void check_beginning(struct test *t)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	struct buf list;
	long i;

	CHECK(ima_removed_is(0));
	buf_read(&list, STAGED);
	CHECK_EQ(0, list.len);
	buf_free(&list);
	CHECK_EQ(-ENOENT, ima_command(STAGED, "D\n"));

	buf_read(&list, LIST);
	ima_log_init(&p, list.data, list.len, t->source.size, IMA_LOG_HOST);
	for (i = 0; i <= t->arrived; i++)
		CHECK_EQ(1, ima_log_next(&p, &rec));
	CHECK_EQ(2, rec.num_fields);
	CHECK_EQ(sizeof("boot_aggregate"), rec.fields[1].len);
	CHECK_EQ(0, memcmp(rec.fields[1].data, "boot_aggregate", rec.fields[1].len));
	buf_free(&list);
}

static void check_starts_with(const struct buf *log, size_t len)
{
	struct buf list;

	buf_read(&list, LIST);
	CHECK(len <= list.len && len <= log->len);
	CHECK_EQ(0, memcmp(list.data, log->data, len));
	buf_free(&list);
}

/**
 * arrive_whole() - the log is what was remembered, and leads to a quote
 * @t: the test
 */
void arrive_whole(struct test *t)
{
	CHECK_EQ(records(&t->log), t->arrived);
	check_starts_with(&t->log, t->log.len);
	check_lists(t);
	attest(t, NULL, 0);
	CHECK_EQ(0, ima_measure_files(3));
	attest(t, NULL, 0);
}

/* ---- the steps -------------------------------------------------------- */

/*
 * A debug kernel keeps freed memory for a while (KASAN), and looks for leaks in
 * the end (kmemleak).
 */
static bool slab_tells(void)
{
	return access("/sys/kernel/debug/kmemleak", F_OK);
}

/* SUnreclaim once it has come to rest */
static long slab_at_rest(void)
{
	long long end = ima_now_ms() + IMA_DEADLINE_MS;
	long last, now = ima_slab_unreclaimable();

	do {
		last = now;
		usleep(200000);
		now = ima_slab_unreclaimable();
	} while (labs(last - now) > 16384 && ima_now_ms() < end);
	return now;
}

static void leave_full(struct test *t)
{
	long before, n = t->archived - ima_count();

	CHECK_EQ(0, ima_measure_files(n > 0 ? n : 0));
	n = ima_count();
	before = slab_at_rest();
	archive_first(t, n);
	t->state.freed = before - slab_at_rest();
	ksft_print_msg("%ld records deleted: %ld bytes each given back\n", n,
		       t->state.freed / n);
	attest(t, NULL, 0);
	CHECK_EQ(0, ima_measure_files(t->carried));
	jump(t);
}

static void leave_few(struct test *t)
{
	CHECK_EQ(0, ima_measure_files(5));
	CHECK_EQ(0, ima_measure_violation());
	jump(t);
}

/* What has grown out of a loaded image goes into one that is loaded now. */
static void leave_loaded_twice(struct test *t)
{
	remember_log(t);
	next_load(t);
	CHECK_EQ(0, ima_measure_files(GROWN));
	jump(t);
}

/*
 * As much as for records of its own? Other slabs change too: a fifth is left. If not,
 * the rest can be tested all the same.
 */
static void check_given_back(struct test *t, long before, long n)
{
	long long end = ima_now_ms() + IMA_DEADLINE_MS;
	long wanted = t->state.freed / t->archived * n / 5 * 4;

	if (!slab_tells())
		return;
	while (before - ima_slab_unreclaimable() < wanted && ima_now_ms() < end)
		usleep(50000);
	ksft_print_msg("%ld carried records deleted: %ld bytes each given back\n", n,
		       (before - ima_slab_unreclaimable()) / n);
	t->kept = wanted <= 0 || before - ima_slab_unreclaimable() < wanted;
}

static void delete_carried(struct test *t)
{
	long before = slab_at_rest(), n = t->arrived / 5 * 4;
	size_t size = size_of(&t->log, n);
	struct buf rest = { t->log.data + size, t->log.len - size };

	archive_first(t, n);
	check_given_back(t, before, n);
	CHECK(ima_removed_is(n));
	check_starts_with(&rest, rest.len);
	attest(t, NULL, 0);
}

static void leave_staged(struct test *t)
{
	CHECK_EQ(0, ima_command(STAGED, "A\n"));
	CHECK_EQ(0, ima_measure_files(40));
	CHECK_EQ(0, ima_measure_violation());
	CHECK_EQ(42, ima_count());
	jump(t);
}

static void start_loaders(pid_t loaders[LOADERS])
{
	unsigned int i;

	CHECK_EQ(0, ima_measure_files(1));	/* they share the file system */
	fflush(stdout);
	for (i = 0; i < LOADERS; i++) {
		loaders[i] = fork();
		CHECK(loaders[i] >= 0);
		if (loaders[i])
			continue;
		/* on until this kernel ends; process 1 sees to it if it does not */
		while (!ima_measure_files(1))
			;
		_exit(KSFT_FAIL);
	}
}

static void wait_for_count(long n)
{
	long long end = ima_now_ms() + 6 * IMA_DEADLINE_MS;

	while (ima_count() < n && ima_now_ms() < end)
		usleep(1000);
	CHECK(ima_count() >= n);
}

/* With the longest names there are, for several records of the usual length. */
static void make_room(void)
{
	char name[NAME_MAX + 1];
	unsigned int i;

	for (i = 0; i < LOAD_ROOM; i++) {
		snprintf(name, sizeof(name), "room-%0*u", NAME_MAX - 5, i);
		CHECK_EQ(0, ima_measure_file(name, name, strlen(name)));
	}
}

/* The next kernel hears of the deletion, and finds room for what is deleted. */
static void load_then_delete(struct test *t, long n)
{
	struct buf list;
	size_t size;

	buf_read(&list, LIST);
	size = size_of(&list, n);
	buf_add(&t->archive, list.data, size);
	buf_free(&t->log);
	buf_add(&t->log, list.data + size, list.len - size);
	buf_free(&list);
	next_load(t);
	CHECK_EQ(0, ima_removed() < 0 ? ima_delete(n) : ima_delete_if(LIST, ima_removed(), n));
}

static void leave_under_load(struct test *t)
{
	pid_t loaders[LOADERS];
	long i, n;

	make_room();
	CHECK_EQ(0, ima_measure_files(LOAD_KEPT));
	n = ima_count() - LOAD_KEPT;
	start_loaders(loaders);
	wait_for_count(n + LOAD_KEPT + LOAD_MIN);

	load_then_delete(t, n);
	wait_for_count(records(&t->log) + LOAD_MIN);
	for (i = 0; i < LOADERS; i++)
		CHECK_EQ(0, waitpid(loaders[i], NULL, WNOHANG));
	next_execute();
}

static void arrive_under_load(struct test *t)
{
	ksft_print_msg("carried: %ld known records, %ld later ones\n", records(&t->log),
		       t->arrived - records(&t->log));
	CHECK(t->arrived >= records(&t->log) + LOAD_MIN);
	check_starts_with(&t->log, t->log.len);
	check_lists(t);
	attest(t, NULL, 0);
}

/* Records that can be made again in the next kernel. */
static void grow(struct test *t, unsigned int from, unsigned int to)
{
	char name[32];

	for (; from < to; from++) {
		snprintf(name, sizeof(name), "grown-%u-%04u", t->state.step, from);
		CHECK_EQ(0, ima_measure_file(name, name, strlen(name)));
	}
}

static void leave_outgrown(struct test *t)
{
	archive_first(t, ima_count());
	CHECK_EQ(0, ima_measure_files(7));
	remember_log(t);
	next_load(t);
	grow(t, 0, GROWN + GROWN_LATER);
	next_execute();
}

static void leave_staged_outgrown(struct test *t)
{
	archive_first(t, ima_count());
	CHECK_EQ(0, ima_measure_files(9));
	remember_log(t);
	next_load(t);
	grow(t, 0, GROWN);
	CHECK_EQ(0, ima_command(STAGED, "A\n"));
	grow(t, GROWN, GROWN + GROWN_LATER);
	next_execute();
}

/* The buffer is not that of a larger image, which was not loaded. */
static void leave_outgrown_in_vain(struct test *t)
{
	archive_first(t, ima_count());
	CHECK_EQ(0, ima_measure_files(5));
	remember_log(t);
	next_load(t);
	grow(t, 0, GROWN + GROWN_LATER);
	next_load_in_vain(t);
	next_execute();
}

/* Nor is it that of a smaller one. */
static void leave_shrunk_in_vain(struct test *t)
{
	CHECK_EQ(0, ima_measure_files(SHRUNK));
	load_then_delete(t, ima_count() - 5);
	next_load_in_vain(t);
	grow(t, 0, GROWN + GROWN_LATER);
	next_execute();
}

static void arrive_grown(struct test *t)
{
	CHECK_EQ(records(&t->log) + GROWN + GROWN_LATER, t->arrived);
	check_starts_with(&t->log, t->log.len);
	check_lists(t);
	attest(t, NULL, 0);
}

/*
 * Room for records in an image that was loaded with a log of @len bytes, with
 * CONFIG_IMA_KEXEC_EXTRA_MEMORY_KB=0.
 */
static size_t room(size_t len)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t size = KEXEC_HDR + len + page / 2;

	return (size + page - 1) / page * page - KEXEC_HDR;
}

/* The last records of the list again, behind the log: all there was to carry. */
static void add_grown(struct test *t)
{
	struct buf list;
	size_t before;

	buf_read(&list, LIST);
	before = size_of(&list, ima_count() - GROWN - GROWN_LATER);
	buf_add(&t->log, list.data + before, list.len - before);
	buf_free(&list);
}

static void arrive_outgrown(struct test *t)
{
	size_t space = room(t->log.len), fits;
	struct buf lost;
	long n;

	grow(t, 0, GROWN + GROWN_LATER);
	add_grown(t);
	fits = head_size(&t->log, LONG_MAX, space, &n);
	ksft_print_msg("%ld of %ld records fit into %zu bytes, %ld arrived\n", n,
		       records(&t->log), space, t->arrived);
	CHECK(n < records(&t->log));
	CHECK_EQ(n, t->arrived);
	ksft_print_msg("console: ima: %ld measurement records did not fit\n",
		       records(&t->log) - n);
	check_starts_with(&t->log, fits);
	check_lists(t);
	lost = (struct buf){ t->log.data + fits, t->log.len - fits };
	attest(t, &lost, fits);

	/* From here on the archive has what was left behind. */
	CHECK_EQ(0, ima_delete(n));
	buf_add(&t->archive, t->log.data, t->log.len);
	attest(t, NULL, 0);
}

/* The kernel that ends in peace is the one that is searched for leaks. */
static void leave_last(struct test *t)
{
	CHECK_EQ(0, ima_measure_files(t->archived / 10));
	CHECK_EQ(0, ima_measure_violation());
	jump(t);
}

static void delete_all(struct test *t)
{
	struct buf staged;
	long n;

	archive_first(t, t->arrived / 2);
	n = ima_count();
	CHECK_EQ(0, ima_command(STAGED, "A\n"));
	buf_read(&staged, STAGED);
	CHECK_EQ(n, records(&staged));
	buf_add(&t->archive, staged.data, staged.len);
	buf_free(&staged);
	CHECK_EQ(0, ima_command(STAGED, "D\n"));
	CHECK_EQ(0, ima_count());
	CHECK(ima_removed_is(t->arrived / 2 + n));
	attest(t, NULL, 0);
}

static const struct step steps[] = {
	{ "kexec: archive and carried list lead to the quote", leave_full, arrive_whole },
	{ "second kexec in a row", leave_few, arrive_whole },
	{ "third kexec in a row, the image loaded twice", leave_loaded_twice, arrive_whole },
	{ "carried records are deleted and their memory given back", delete_carried, NULL },
	{ "staged records arrive whole and before the list", leave_staged, arrive_whole },
	{ "nothing is lost or doubled under load", leave_under_load, arrive_under_load },
	{ "of an outgrown list whole records arrive", leave_outgrown, arrive_outgrown },
	{ "of an outgrown staged list whole records arrive", leave_staged_outgrown,
	  arrive_outgrown },
	{ "a load that fails leaves the room for a shorter list as it was",
	  leave_outgrown_in_vain, arrive_outgrown },
	{ "a load that fails leaves the room for a longer list as it was",
	  leave_shrunk_in_vain, arrive_grown },
	{ "carried over: A gives EACCES, N and T:N ESTALE, nothing is measured",
	  leave_suspended_list, arrive_suspended_list },
	{ "carried over with staged records: D gives ESTALE",
	  leave_suspended_staged, arrive_suspended_staged },
	{ "kexec after all that", leave_last, arrive_whole },
	{ "all carried records are deleted, with N and with A and D", delete_all, NULL },
};

/* ---- beginning and end ------------------------------------------------ */

static void report(struct test *t)
{
	ksft_test_result(!t->kept, "%s\n", t->claim);
	t->kept = false;
	t->state.passed = ksft_get_pass_cnt();
	t->state.failed = ksft_get_fail_cnt();
	t->state.step++;
}

static const char *unavailable(struct test *t)
{
	const char *missing = next_unavailable(t);
	static char why[256];
	int err;

	if (missing)
		return missing;
	setenv("TSS2_LOG", "all+NONE", 0);
	err = ima_quote_open(&t->tpm, NULL);
	if (!err)
		return ima_test_unavailable();
	snprintf(why, sizeof(why), "no TPM 2.0: %s", ima_quote_error(t->tpm));
	return why;
}

/* In the first kernel. Nothing may have been deleted before. */
static void begin(struct test *t)
{
	const char *why = unavailable(t);

	if (!why && !ima_removed_is(0))
		why = "records were deleted before this program: boot afresh";
	ksft_print_header();
	if (why)
		ksft_exit_skip("%s\n", why);
	ksft_set_plan(ARRAY_SIZE(steps));
	t->claim = steps[0].claim;
	next_init(t);
	open_tpm(t);
}

/* In any other. */
static void go_on(struct test *t, unsigned int kernel)
{
	const struct step *step;
	const char *why;

	ksft_plan = ARRAY_SIZE(steps);
	t->claim = "state of the test";
	t->arrived = ima_count() - 1;
	next_read_state(t, kernel);
	ksft_cnt.ksft_pass = t->state.passed;
	ksft_cnt.ksft_fail = t->state.failed;
	CHECK(t->state.step < ARRAY_SIZE(steps));
	step = &steps[t->state.step];
	t->claim = step->claim;
	why = unavailable(t);
	if (why)
		ksft_print_msg("%s\n", why);
	CHECK(!why);
	open_tpm(t);
	check_beginning(t);
	step->arrive(t);
	report(t);
}

static long number(const char *arg, long otherwise)
{
	char *end;
	long n = arg ? strtol(arg, &end, 10) : otherwise;

	if (arg && (*end || n < 1000))
		ksft_exit_fail_msg("not so many records: %s (1000 at least)\n", arg);
	return n;
}

int main(int argc, char **argv)
{
	const char *kernel = getenv("IMA_KEXEC_BOOT");
	struct test *t = &test;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!getenv("IMA_KEXEC_TEST")) {
		ksft_print_header();
		ksft_exit_skip("this reboots the machine: run it in the VM (qemu/, KEXEC=1)\n");
	}
	t->archived = number(argc > 1 ? argv[1] : NULL, 5000);
	t->carried = number(argc > 2 ? argv[2] : NULL, t->archived);
	t->claim = "OpenSSL";
	CHECK_EQ(0, ima_log_bank_init(&t->source, ima_log_alg_by_name("sha1"),
				      IMA_LOG_OWN_HASH));
	if (kernel)
		go_on(t, strtoul(kernel, NULL, 10));
	else
		begin(t);

	while (t->state.step < ARRAY_SIZE(steps)) {
		t->claim = steps[t->state.step].claim;
		steps[t->state.step].leave(t);
		report(t);
	}
	ksft_finished();
}
