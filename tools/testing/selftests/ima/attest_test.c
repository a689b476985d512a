// SPDX-License-Identifier: GPL-2.0-only
/*
 * Remote attestation goes on while records are deleted: what was saved, and then
 * the list as it is now, lead to the PCR values of a fresh quote, in every bank.
 *
 * The saved records are in memory that all tests here share, and every replay
 * begins at boot. So the first test finds all records since boot in the list, or
 * is skipped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "ima_log.h"
#include "ima_quote.h"
#include "ima_test.h"

#define BINARY		"binary_runtime_measurements_"
#define NONCE_LEN	32
#define SAVED_MAX	(64u << 20)
#define SECONDS		300	/* an emulated TPM in an emulated machine is slow */

/* What was deleted since boot, in the form of the first binary list. */
struct saved {
	long records;
	size_t len;
	__u8 data[SAVED_MAX];
};

static struct saved *saved;

/* Before the tests are forked, so that they share it. */
static void __attribute__((constructor)) saved_init(void)
{
	saved = mmap(NULL, sizeof(*saved), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (saved == MAP_FAILED)
		saved = NULL;
}

/* A binary list, and the bank to check its digests with. */
struct list {
	char name[IMA_NAME_MAX];
	struct ima_log_bank bank;
};

struct state {
	struct ima_quote_tpm *tpm;
	struct ima_quote_blob ak;
	struct ima_log_selection select;
	struct ima_log_bank banks[IMA_LOG_BANKS_MAX];
	unsigned int num_banks;
	struct list lists[IMA_LOG_BANKS_MAX];
	unsigned int num_lists;
	char commands[IMA_FILES_MAX][IMA_NAME_MAX];
	int num_commands;
};

FIXTURE(attest)
{
	struct state s;
};

/* Does the kernel know the hash of this list? Any record but a violation tells. */
static int list_detect(struct list *list)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	size_t len;
	__u8 *data;
	int ret;

	data = ima_read_all(list->name, &len);
	if (!data)
		return -errno;
	ima_log_init(&p, data, len, list->bank.size, IMA_LOG_HOST);
	do {
		ret = ima_log_next(&p, &rec);
		if (ret == 1)
			ret = ima_log_bank_detect(&list->bank, &rec);
	} while (!ret && p.pos < p.len);
	free(data);
	return ret == 1 ? 0 : ret ? ret : -ENOENT;
}

static int find_lists(struct state *s)
{
	struct list *list;
	__u16 alg;
	int i, err;

	s->num_commands = ima_list_names(s->commands, true);
	for (i = 0; i < s->num_commands; i++) {
		if (strncmp(s->commands[i], BINARY, strlen(BINARY)))
			continue;
		alg = ima_log_alg_by_name(s->commands[i] + strlen(BINARY));
		/* the kernel cannot show the digests of an algorithm without name */
		if (!alg || strstr(s->commands[i], "tpm_alg_"))
			continue;
		list = &s->lists[s->num_lists++];
		memcpy(list->name, s->commands[i], sizeof(list->name));
		err = ima_log_bank_init(&list->bank, alg, IMA_LOG_OWN_HASH);
		if (!err)
			err = list_detect(list);
		if (err)
			return err;
	}
	return s->num_lists ? 0 : -ENOENT;
}

/* The banks of the TPM, each to be extended as the kernel does. */
static int find_banks(struct state *s)
{
	enum ima_log_fill fill;
	unsigned int i, j;
	int err;

	err = ima_quote_banks(s->tpm, 1 << 10, &s->select);
	if (err)
		return err;
	for (i = 0; i < s->select.num; i++) {
		fill = IMA_LOG_UNMAPPED;
		for (j = 0; j < s->num_lists; j++)
			if (s->lists[j].bank.alg == s->select.bank[i].alg)
				fill = s->lists[j].bank.fill;
		err = ima_log_bank_init(&s->banks[i], s->select.bank[i].alg, fill);
		if (err)
			return err;
		s->num_banks++;
	}
	return s->num_banks ? 0 : -ENODEV;
}

static void print_banks(const struct state *s)
{
	unsigned int i;

	printf("# banks:");
	for (i = 0; i < s->num_banks; i++)
		printf(" %s%s", s->banks[i].name,
		       s->banks[i].fill == IMA_LOG_OWN_HASH ? "" :
		       " (SHA-1 and zeros)");
	printf("\n");
}

FIXTURE_SETUP(attest)
{
	struct state *s = &self->s;
	const char *why = ima_test_unavailable();
	int err;

	if (why)
		SKIP(return, "%s", why);
	setenv("TSS2_LOG", "all+NONE", 0);
	err = ima_quote_open(&s->tpm, NULL);
	if (err == -ENODEV)
		SKIP(return, "no TPM 2.0: %s", ima_quote_error(s->tpm));
	ASSERT_EQ(0, err) TH_LOG("%s", ima_quote_error(s->tpm));
	ASSERT_NE(NULL, saved);
	if (!ima_removed_is(saved->records))
		SKIP(return, "records were deleted before this program: boot afresh");

	ASSERT_EQ(0, ima_quote_create_ak(s->tpm, IMA_QUOTE_OWNER, NULL, NULL, &s->ak))
		TH_LOG("%s", ima_quote_error(s->tpm));
	ASSERT_EQ(0, ima_measure_files(1));
	ASSERT_EQ(0, find_lists(s));
	ASSERT_EQ(0, find_banks(s)) TH_LOG("%s", ima_quote_error(s->tpm));
	print_banks(s);
}

FIXTURE_TEARDOWN(attest)
{
	struct state *s = &self->s;
	unsigned int i;

	for (i = 0; i < s->num_banks; i++)
		ima_log_bank_free(&s->banks[i]);
	for (i = 0; i < s->num_lists; i++)
		ima_log_bank_free(&s->lists[i].bank);
	ima_quote_close(s->tpm);
}

/* A quote over all banks, with a fresh nonce, verified. */
static void take_quote(struct __test_metadata *_metadata, struct state *s,
		       struct ima_log_target *target)
{
	__u8 nonce[NONCE_LEN];
	struct ima_quote quote;
	const char *why = NULL;

	ASSERT_EQ(NONCE_LEN, getrandom(nonce, sizeof(nonce), 0));
	ASSERT_EQ(0, ima_quote_take(s->tpm, &s->select, nonce, sizeof(nonce), &quote))
		TH_LOG("%s", ima_quote_error(s->tpm));
	ASSERT_EQ(0, ima_quote_verify(&quote, &s->ak, &s->select, nonce,
				      sizeof(nonce), target, &why))
		TH_LOG("%s", why);
}

/*
 * Replay saved records, then a list, from boot to the quote.
 * Return: 1 and how many records of the list the quote covers, 0 or -errno: none.
 */
static int find_quote(struct state *s, const struct ima_log_target *target,
		      const void *old, size_t old_len, unsigned int list,
		      const void *data, size_t len, long *covered)
{
	struct ima_log_replay replay = { s->banks, s->num_banks, NULL };
	struct ima_log_parser p;
	unsigned int i;
	int err;

	for (i = 0; i < s->num_banks; i++)
		ima_log_bank_reset(&s->banks[i]);
	replay.source = &s->lists[0].bank;
	ima_log_init(&p, old, old_len, replay.source->size, IMA_LOG_HOST);
	err = ima_log_replay(&replay, &p, ULONG_MAX);
	if (err)
		return err;

	replay.source = &s->lists[list].bank;
	ima_log_init(&p, data, len, replay.source->size, IMA_LOG_HOST);
	err = ima_log_find_quote(&replay, &p, target);
	*covered = p.records;
	return err;
}

/* Bytes of the first @n records, all if less; -1: the list is malformed. */
static ssize_t records_size(const struct list *list, const void *data, size_t len,
			    long *n)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	int ret = 1;

	ima_log_init(&p, data, len, list->bank.size, IMA_LOG_HOST);
	while (ret == 1 && (long)p.records < *n)
		ret = ima_log_next(&p, &rec);
	*n = p.records;
	return ret < 0 ? -1 : (ssize_t)p.pos;
}

/* Append the first @n records of the first list to what is saved. */
static void save(struct __test_metadata *_metadata, struct state *s, long n)
{
	long have = n;
	ssize_t size;
	size_t len;
	__u8 *data;

	data = ima_read_all(s->lists[0].name, &len);
	ASSERT_NE(NULL, data);
	size = records_size(&s->lists[0], data, len, &have);
	ASSERT_LE(0, size);
	ASSERT_EQ(n, have);
	ASSERT_GE(SAVED_MAX - saved->len, (size_t)size);
	memcpy(saved->data + saved->len, data, size);
	saved->len += size;
	saved->records += n;
	free(data);
}

/* By turns through all files that take the command. */
static void delete(struct __test_metadata *_metadata, struct state *s, long n,
		   unsigned int round)
{
	const char *name = s->commands[round % s->num_commands];
	char cmd[32];

	snprintf(cmd, sizeof(cmd), "%ld\n", n);
	ASSERT_EQ(0, ima_command(name, cmd)) TH_LOG("%ld > %s", n, name);
}

/*
 * One round of attestation. The list is read after the quote, and can be longer
 * than what the quote covers.
 * Return: how many records the quote covers; they are saved and deleted.
 */
static long attest_round(struct __test_metadata *_metadata, struct state *s,
			 const struct ima_log_target *target, unsigned int round)
{
	unsigned int list = round % s->num_lists;
	long covered = -1;
	size_t len;
	__u8 *data;

	data = ima_read_all(s->lists[list].name, &len);
	ASSERT_NE(NULL, data);
	ASSERT_EQ(1, find_quote(s, target, saved->data, saved->len, list, data,
				len, &covered))
		TH_LOG("round %u, %s", round, s->lists[list].name);
	free(data);
	if (covered) {
		save(_metadata, s, covered);
		delete(_metadata, s, covered, round);
	}
	ASSERT_TRUE(ima_removed_is(saved->records));
	return covered;
}

/* Every list has the same records, each with the digest of its bank. */
static void check_lists(struct __test_metadata *_metadata, struct state *s)
{
	unsigned int i;
	struct ima_log_record rec;
	struct ima_log_parser p;
	size_t len;
	__u8 *data;
	int ret;

	for (i = 0; i < s->num_lists; i++) {
		data = ima_read_all(s->lists[i].name, &len);
		ASSERT_NE(NULL, data);
		ima_log_init(&p, data, len, s->lists[i].bank.size, IMA_LOG_HOST);
		while ((ret = ima_log_next(&p, &rec)) == 1)
			ASSERT_EQ(1, ima_log_check(&s->lists[i].bank, &rec))
				TH_LOG("%s, record %lu", s->lists[i].name, p.records);
		ASSERT_EQ(0, ret) TH_LOG("%s: %s", s->lists[i].name, p.error);
		ASSERT_EQ(ima_count(), (long)p.records);
		free(data);
	}
}

/* The quote said so in one digest; look at each bank's own value too. */
static void check_pcrs(struct __test_metadata *_metadata, struct state *s,
		       const struct ima_log_target *target)
{
	struct ima_quote_values values;
	unsigned int i;

	ASSERT_EQ(0, ima_quote_read_pcrs(s->tpm, &s->select, &values))
		TH_LOG("%s", ima_quote_error(s->tpm));
	ASSERT_EQ(1, ima_quote_verify_values(target, &values));
	for (i = 0; i < s->num_banks; i++)
		ASSERT_EQ(0, memcmp(values.value[i][10], s->banks[i].value[10],
				    s->banks[i].size))
			TH_LOG("%s", s->banks[i].name);
}

/* A round while nothing is measured: the quote covers the whole list. */
static void quiet_round(struct __test_metadata *_metadata, struct state *s,
			unsigned int round, long expected)
{
	struct ima_log_target target;

	ASSERT_EQ(expected, ima_count());
	check_lists(_metadata, s);
	take_quote(_metadata, s, &target);
	ASSERT_EQ(expected, attest_round(_metadata, s, &target, round));
	check_pcrs(_metadata, s, &target);
	ASSERT_EQ(0, ima_count());
	check_lists(_metadata, s);
}

TEST_F_TIMEOUT(attest, rounds, SECONDS)
{
	static const unsigned int files[] = {
		3, 0, 1, 0, 0, 1, 1, 40, 2, 0, 5, 1, 100, 0, 17, 1, 2, 3, 64, 0,
		1, 9, 0, 33
	};
	struct state *s = &self->s;
	unsigned int i;

	quiet_round(_metadata, s, 0, ima_count());
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		ASSERT_EQ(0, ima_measure_files(files[i]));
		quiet_round(_metadata, s, i, files[i]);
	}
}

/* Half of what a quote covers can go first, and the other half later. */
TEST_F_TIMEOUT(attest, part_of_the_covered, SECONDS)
{
	struct state *s = &self->s;
	struct ima_log_target target;
	long n = ima_count() + 20;

	ASSERT_EQ(0, ima_measure_files(20));
	take_quote(_metadata, s, &target);
	save(_metadata, s, n / 2);
	delete(_metadata, s, n / 2, 0);
	EXPECT_EQ(n - n / 2, attest_round(_metadata, s, &target, 1));
	EXPECT_EQ(0, ima_count());
}

struct measurer {
	pthread_t thread;
	atomic_bool stop;
	int err;
};

static void *measure(void *arg)
{
	struct measurer *m = arg;

	while (!m->stop && !m->err)
		m->err = ima_measure_files(1);
	return NULL;
}

/* Wait until the list has more than @n records. */
static void wait_for_more(struct __test_metadata *_metadata, long n)
{
	long long deadline = ima_now_ms() + 30000;

	while (ima_count() <= n) {
		ASSERT_GT(deadline, ima_now_ms()) TH_LOG("nothing is measured");
		usleep(1000);
	}
}

/* What was behind the covered records is at the head of the list now. */
static void check_rest(struct __test_metadata *_metadata, const struct list *list,
		       const __u8 *before, size_t before_len, long covered)
{
	long n = covered;
	ssize_t gone = records_size(list, before, before_len, &n);
	__u8 *data;
	size_t len;

	ASSERT_LE(0, gone);
	ASSERT_LT(gone, (ssize_t)before_len) TH_LOG("nothing more was measured");
	data = ima_read_all(list->name, &len);
	ASSERT_NE(NULL, data);
	ASSERT_LE(before_len - gone, len);
	ASSERT_EQ(0, memcmp(data, before + gone, before_len - gone));
	free(data);
}

static void busy_round(struct __test_metadata *_metadata, struct state *s,
		       unsigned int round)
{
	const struct list *list = &s->lists[round % s->num_lists];
	struct ima_log_target target;
	long covered;
	__u8 *before;
	size_t len;

	wait_for_more(_metadata, 2);
	take_quote(_metadata, s, &target);
	wait_for_more(_metadata, ima_count());
	before = ima_read_all(list->name, &len);
	ASSERT_NE(NULL, before);
	covered = attest_round(_metadata, s, &target, round);
	ASSERT_LT(0, covered);
	check_rest(_metadata, list, before, len, covered);
	free(before);
}

TEST_F_TIMEOUT(attest, rounds_while_measuring, SECONDS)
{
	struct measurer m = { .stop = false };
	struct state *s = &self->s;
	unsigned int i;

	ASSERT_EQ(0, pthread_create(&m.thread, NULL, measure, &m));
	for (i = 0; i < 24; i++)
		busy_round(_metadata, s, i);
	m.stop = true;
	ASSERT_EQ(0, pthread_join(m.thread, NULL));
	ASSERT_EQ(0, m.err);
	quiet_round(_metadata, s, i, ima_count());
}

/*
 * Two violations: a file is open for write when it is opened for read, and then
 * the other way round. In between it is measured.
 */
static void violate(struct __test_metadata *_metadata)
{
	char path[64];
	int fd, r, w;

	fd = memfd_create("violation", MFD_CLOEXEC);	/* this is on tmpfs */
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, write(fd, "1", 1));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	w = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, w);
	r = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, r);
	close(w);
	w = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, w);
	close(w);
	close(r);
	close(fd);
}

static long violations(void)
{
	size_t len;
	char *text = ima_read_all("violations", &len);
	long n = text && len && text[len - 1] == '\n' ? strtol(text, NULL, 10) : -1;

	free(text);
	return n;
}

/* Violations in each list; -1: it cannot be read. */
static long listed_violations(const struct list *list)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	size_t len;
	__u8 *data = ima_read_all(list->name, &len);
	long n = 0;
	int ret;

	if (!data)
		return -1;
	ima_log_init(&p, data, len, list->bank.size, IMA_LOG_HOST);
	while ((ret = ima_log_next(&p, &rec)) == 1)
		n += rec.violation;
	free(data);
	return ret ? -1 : n;
}

TEST_F_TIMEOUT(attest, rounds_with_violations, SECONDS)
{
	struct state *s = &self->s;
	unsigned int i, j;
	long before;

	quiet_round(_metadata, s, 0, ima_count());
	for (i = 0; i < 8; i++) {
		before = violations();
		ASSERT_LE(0, before);
		ASSERT_EQ(0, ima_measure_files(i % 3));
		violate(_metadata);
		ASSERT_EQ(0, ima_measure_files(i % 2));
		ASSERT_EQ(before + 2, violations());
		for (j = 0; j < s->num_lists; j++)
			ASSERT_EQ(2, listed_violations(&s->lists[j]));
		quiet_round(_metadata, s, i, ima_count());
	}
}

/* A replay that a changed record goes through unnoticed would prove nothing. */
struct negative {
	struct state *s;
	struct ima_log_target target;
	__u8 *list;
	size_t list_len;
	__u8 *copy;	/* of what is saved, to be changed */
};

static bool still_found(struct negative *n, size_t copy_len)
{
	long covered;

	return find_quote(n->s, &n->target, n->copy, copy_len, 0, n->list,
			  n->list_len, &covered) == 1;
}

/* The place of one bit in each part of the record by turns. */
static size_t pick_bit(const struct ima_log_record *rec, unsigned int turn,
		       size_t digest_size)
{
	switch (turn % 5) {
	case 0:		/* PCR */
		return 0;
	case 1:		/* digest */
		return (4 + turn % digest_size) * 8 + turn / 5 % 8;
	case 2:		/* length of the name */
		return (4 + digest_size) * 8 + 1;
	case 3:		/* name */
		return (4 + digest_size + 4) * 8;
	default:	/* data */
		return (rec->data - rec->raw + turn % rec->data_len) * 8 +
			turn / 5 % 8;
	}
}

static void check_bit(struct __test_metadata *_metadata, struct negative *n,
		      size_t bit)
{
	n->copy[bit / 8] ^= 1 << bit % 8;
	EXPECT_FALSE(still_found(n, saved->len)) TH_LOG("bit %zu", bit);
	n->copy[bit / 8] ^= 1 << bit % 8;
}

static void check_left_out(struct __test_metadata *_metadata, struct negative *n,
			   const struct ima_log_record *rec)
{
	memmove(n->copy + rec->offset, n->copy + rec->offset + rec->len,
		saved->len - rec->offset - rec->len);
	EXPECT_FALSE(still_found(n, saved->len - rec->len))
		TH_LOG("record at %llu", (unsigned long long)rec->offset);
	memcpy(n->copy, saved->data, saved->len);
}

TEST_F_TIMEOUT(attest, changed_record_is_found_out, SECONDS)
{
	struct state *s = &self->s;
	struct negative n = { .s = s };
	struct ima_log_record rec;
	struct ima_log_parser p;
	long step, i, covered;

	quiet_round(_metadata, s, 0, ima_count());
	ASSERT_EQ(0, ima_measure_files(5));
	take_quote(_metadata, s, &n.target);
	n.list = ima_read_all(s->lists[0].name, &n.list_len);
	n.copy = malloc(saved->len);
	ASSERT_TRUE(n.list && n.copy);
	memcpy(n.copy, saved->data, saved->len);
	ASSERT_TRUE(still_found(&n, saved->len));

	step = saved->records / 40 + 1;
	ima_log_init(&p, saved->data, saved->len, s->lists[0].bank.size,
		     IMA_LOG_HOST);
	for (i = 0; ima_log_next(&p, &rec) == 1; i++) {
		if (i && i % step && i != saved->records - 1)
			continue;
		check_left_out(_metadata, &n, &rec);
		/* nothing vouches for the data of a violation */
		if (!rec.violation)
			check_bit(_metadata, &n, rec.offset * 8 +
				  pick_bit(&rec, i / step, rec.digest_size));
	}
	ASSERT_EQ(saved->records, i);

	ASSERT_TRUE(still_found(&n, saved->len));
	n.list[4 + s->lists[0].bank.size - 1] ^= 1;
	EXPECT_FALSE(still_found(&n, saved->len));
	n.list[4 + s->lists[0].bank.size - 1] ^= 1;
	ASSERT_EQ(1, find_quote(s, &n.target, n.copy, saved->len, 0, n.list,
				n.list_len, &covered));
	EXPECT_EQ(5, covered);
	free(n.copy);
	free(n.list);
}

/* A file that is on no mount, so that no other rule sees it */
static int make_executable(unsigned int content)
{
	int fd = memfd_create("executable", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, &content, sizeof(content)) != sizeof(content)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int map_for_execution(int fd, uid_t owner)
{
	void *map = MAP_FAILED;

	if (!fchown(fd, owner, -1))
		map = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	return map == MAP_FAILED ? -errno : munmap(map, 1);
}

/* One that measures what this owner's files execute, for the PCR of that number. */
static int load_pcr_rule(unsigned int pcr)
{
	char rule[80];

	snprintf(rule, sizeof(rule), "measure func=MMAP_CHECK mask=MAY_EXEC fowner=%u pcr=%u\n",
		 pcr, pcr);
	return ima_command("policy", rule);
}

static void check_stray(struct __test_metadata *_metadata, const struct list *list,
			const unsigned int *pcrs, unsigned int num)
{
	struct ima_log_record rec;
	struct ima_log_parser p;
	size_t len;
	__u8 *data = ima_read_all(list->name, &len);

	ASSERT_NE(NULL, data);
	ima_log_init(&p, data, len, list->bank.size, IMA_LOG_HOST);
	while (ima_log_next(&p, &rec) == 1)
		if (rec.pcr != 10)
			ASSERT_EQ(pcrs[p.unproven - 1], rec.pcr);
	EXPECT_EQ(NULL, p.error) TH_LOG("%s: %s", list->name, p.error);
	EXPECT_EQ(num, p.unproven);
	free(data);
}

/*
 * The kernel takes them from a policy, the TPM does not. They are in the list, and
 * the rest leads to the quote. The last test: the rules stay.
 */
TEST_F_TIMEOUT(attest, records_of_pcrs_that_no_tpm_has, SECONDS)
{
	static const unsigned int pcrs[] = { 24, 31, 32, 63 };
	struct state *s = &self->s;
	unsigned int i;
	int fd;

	ASSERT_EQ(-EINVAL, load_pcr_rule(64));
	for (i = 0; i < ARRAY_SIZE(pcrs); i++)
		ASSERT_EQ(0, load_pcr_rule(pcrs[i]));
	quiet_round(_metadata, s, 0, ima_count());
	for (i = 0; i < ARRAY_SIZE(pcrs); i++) {
		fd = make_executable(pcrs[i]);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, map_for_execution(fd, pcrs[i]));
		close(fd);
		ASSERT_EQ(0, ima_measure_files(1));
	}
	for (i = 0; i < s->num_lists; i++)
		check_stray(_metadata, &s->lists[i], pcrs, ARRAY_SIZE(pcrs));
	quiet_round(_metadata, s, 1, 2 * ARRAY_SIZE(pcrs));

	/* The same file for each, in an order in which no bit stands for two. */
	fd = make_executable(0);
	ASSERT_LE(0, fd);
	for (i = ARRAY_SIZE(pcrs); i--; )
		ASSERT_EQ(0, map_for_execution(fd, pcrs[i]));
	close(fd);
	EXPECT_EQ(ARRAY_SIZE(pcrs), ima_count());
}

TEST_HARNESS_MAIN
