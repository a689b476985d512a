// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the deletion of measurement records is good for, in a screenful: measure,
 * quote, replay, delete what the quote covers, and attest again. Every figure is
 * read from the running kernel or the TPM.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../../kselftest.h"
#include "ima_log.h"
#include "ima_quote.h"
#include "ima_test.h"

#define FILES		5000
#define MORE_FILES	500
#define NONCE_LEN	32
#define IMA_PCR		10
#define COMMAND_FILE	"ascii_runtime_measurements"
#define SETTLE_MS	10000	/* deadline for the kernel's memory to settle */
#define STEADY_MS	1000	/* settled: no change for so long */

/* A copy of the list, or a part of it, with the digests of one bank. */
struct copy {
	__u8 *data;
	size_t len;
};

struct demo {
	struct ima_quote_tpm *tpm;
	struct ima_quote_blob ak;
	struct ima_log_selection select;
	struct ima_log_bank banks[IMA_LOG_BANKS_MAX];
	struct ima_log_replay replay;
	char list[IMA_NAME_MAX];	/* the list that is read */
	struct copy saved;
	long saved_records;
};

static const char *step = "start";

/* A failed step is the end: say which, and why. */
static __noreturn __printf(1, 2) void die(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "demo: %s: ", step);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(1);
}

static void begin(const char *name)
{
	step = name;
	printf("\n%s\n", name);
	fflush(stdout);
}

static void number(const char *what, long value, const char *unit)
{
	printf("  %-34s %10ld%s%s\n", what, value, unit ? " " : "",
	       unit ? unit : "");
	fflush(stdout);
}

static void check(int err, const char *what)
{
	if (err)
		die("%s: %s", what, strerror(-err));
}

static void check_tpm(struct demo *d, int err)
{
	if (err)
		die("%s", ima_quote_error(d->tpm));
}

static long count(void)
{
	long n = ima_count();

	if (n < 0)
		die("runtime_measurements_count: %s", strerror(-n));
	return n;
}

static struct copy read_list(struct demo *d)
{
	struct copy copy;

	copy.data = ima_read_all(d->list, &copy.len);
	if (!copy.data)
		die("%s: %s", d->list, strerror(errno));
	return copy;
}

/*
 * Kernel memory that nothing can reclaim. What was just freed comes back after a
 * grace period and page by page: wait until the figure stays.
 */
static long kernel_memory(void)
{
	long long deadline = ima_now_ms() + SETTLE_MS, since = ima_now_ms();
	long now = ima_slab_unreclaimable(), last;

	while (now >= 0 && ima_now_ms() < deadline &&
	       ima_now_ms() - since < STEADY_MS) {
		last = now;
		usleep(20000);
		now = ima_slab_unreclaimable();
		if (now != last)
			since = ima_now_ms();
	}
	if (now < 0)
		die("/proc/meminfo: %s", strerror(-now));
	return now;
}

static long show_list(struct demo *d)
{
	long memory = kernel_memory();
	struct copy list = read_list(d);

	number("records in the list", count(), NULL);
	number("bytes of the binary list", list.len, NULL);
	number("kernel memory (SUnreclaim)", memory / 1024, "KiB");
	free(list.data);
	return memory;
}

/* The first list whose bank is one of the TPM's; both must know its hash. */
static void find_list(struct demo *d)
{
	char path[sizeof(IMA_DIR) + IMA_NAME_MAX];
	unsigned int i;

	for (i = 0; i < d->select.num && !d->replay.source; i++) {
		snprintf(d->list, sizeof(d->list), "binary_runtime_measurements_%s",
			 d->banks[i].name);
		snprintf(path, sizeof(path), IMA_DIR "/%s", d->list);
		if (!access(path, R_OK))
			d->replay.source = &d->banks[i];
	}
	if (!d->replay.source)
		die("no list of a bank that the TPM has in " IMA_DIR);
}

/* A bank whose hash the kernel was built without holds SHA-1 and zeros. */
static void detect_fill(struct ima_log_bank *bank)
{
	char name[IMA_NAME_MAX];
	struct ima_log_record rec;
	struct ima_log_parser p;
	size_t len;
	__u8 *data;
	int ret;

	snprintf(name, sizeof(name), "binary_runtime_measurements_%s", bank->name);
	data = ima_read_all(name, &len);
	if (!data)
		die("%s: %s", name, strerror(errno));
	ima_log_init(&p, data, len, bank->size, IMA_LOG_HOST);
	do {
		ret = ima_log_next(&p, &rec);
		if (ret == 1)
			ret = ima_log_bank_detect(bank, &rec);
	} while (!ret && p.pos < p.len);
	free(data);
	if (ret < 0)
		die("%s: record %lu: %s", name, p.records,
		    p.error ? p.error : "digest is not that of the data");
}

static void show_machine(struct demo *d)
{
	struct utsname uts;
	unsigned int i;

	uname(&uts);
	printf("  kernel     %s\n  TPM banks ", uts.release);
	for (i = 0; i < d->replay.num_banks; i++)
		printf(" %s", d->banks[i].name);
	printf("\n");
}

static void prepare(struct demo *d)
{
	const char *why;
	size_t len;
	char *text;
	unsigned int i;

	printf("IMA measurement list: delete what a quote covers\n");
	step = "preparation";
	why = ima_test_unavailable();
	if (why)
		die("%s", why);
	text = ima_read_all("runtime_measurements_removed", &len);
	if (!text)
		die("runtime_measurements_removed: %s", strerror(errno));
	if (strtol(text, NULL, 10))
		die("records were deleted since boot: boot afresh");
	free(text);

	if (ima_quote_open(&d->tpm, NULL))
		die("no TPM 2.0: %s", ima_quote_error(d->tpm));
	check_tpm(d, ima_quote_create_ak(d->tpm, IMA_QUOTE_OWNER, NULL, NULL, &d->ak));
	check_tpm(d, ima_quote_banks(d->tpm, 1 << IMA_PCR, &d->select));
	for (i = 0; i < d->select.num; i++) {
		check(ima_log_bank_init(&d->banks[i], d->select.bank[i].alg,
					IMA_LOG_OWN_HASH), "TPM's bank");
		detect_fill(&d->banks[i]);
	}
	d->replay.banks = d->banks;
	d->replay.num_banks = d->select.num;
	find_list(d);
	show_machine(d);
}

static void measure(unsigned int n)
{
	check(ima_measure_files(n), "files on tmpfs");
	number("new files opened for read", n, NULL);
}

/* Quote with a fresh nonce; verify with the public part of the key. */
static void take_quote(struct demo *d, struct ima_log_target *target)
{
	__u8 nonce[NONCE_LEN];
	struct ima_quote q;
	const char *why;
	long long t = ima_now_ms();

	if (getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce))
		die("getrandom: %s", strerror(errno));
	check_tpm(d, ima_quote_take(d->tpm, &d->select, nonce, sizeof(nonce), &q));
	number("TPM's quote over all banks took", ima_now_ms() - t, "ms");
	if (ima_quote_verify(&q, &d->ak, &d->select, nonce, sizeof(nonce), target,
			     &why))
		die("%s", why);
	printf("  %-34s %10s\n", "signature, nonce, PCR selection", "good");
}

static void fail_record(const char *what, const struct ima_log_parser *p)
{
	die("%s: record %lu at byte %llu: %s", what, p->error_record,
	    (unsigned long long)p->error_offset, p->error);
}

/* Replay from boot: what was saved, then the list. How much of it is covered? */
static long replay_list(struct demo *d, const struct ima_log_target *target,
			const struct copy *list, size_t *covered_len)
{
	struct ima_log_parser p;
	unsigned int i;
	int ret;

	for (i = 0; i < d->replay.num_banks; i++)
		ima_log_bank_reset(&d->banks[i]);
	ima_log_init(&p, d->saved.data, d->saved.len, d->replay.source->size,
		     IMA_LOG_HOST);
	if (ima_log_replay(&d->replay, &p, ULONG_MAX))
		fail_record("saved records", &p);
	ima_log_init(&p, list->data, list->len, d->replay.source->size,
		     IMA_LOG_HOST);
	ret = ima_log_find_quote(&d->replay, &p, target);
	if (ret < 0)
		fail_record(d->list, &p);
	if (!ret)
		die("the replay does not lead to the quoted PCR values");
	*covered_len = p.pos;
	return p.records;
}

static void save(struct demo *d, const struct copy *list, size_t len, long n)
{
	d->saved.data = realloc(d->saved.data, d->saved.len + len);
	if (!d->saved.data)
		die("out of memory");
	memcpy(d->saved.data + d->saved.len, list->data, len);
	d->saved.len += len;
	d->saved_records += n;
}

static void delete(long n)
{
	char cmd[32];
	long before = count();
	int err;

	snprintf(cmd, sizeof(cmd), "%ld\n", n);
	printf("  echo %ld > " IMA_DIR "/" COMMAND_FILE "\n", n);
	err = ima_command(COMMAND_FILE, cmd);
	check(err, COMMAND_FILE);
	if (count() != before - n)
		die("%ld records were in the list, now %ld", before, count());
}

/* The TPM's own value of each bank beside the one that the replay has got to. */
static void show_banks(struct demo *d, const struct ima_log_target *target)
{
	struct ima_quote_values values;
	unsigned int i, j;
	const __u8 *value;

	check_tpm(d, ima_quote_read_pcrs(d->tpm, &d->select, &values));
	if (ima_quote_verify_values(target, &values) != 1)
		die("PCRs have changed since the quote");
	for (i = 0; i < d->replay.num_banks; i++) {
		value = values.value[i][IMA_PCR];
		printf("  %-6s  PCR %d  ", d->banks[i].name, IMA_PCR);
		for (j = 0; j < 12; j++)
			printf("%02x", value[j]);
		if (memcmp(value, d->banks[i].value[IMA_PCR], d->banks[i].size))
			die("%s: the replay gives another value", d->banks[i].name);
		printf("...  verified\n");
	}
}

int main(void)
{
	struct demo d = { 0 };
	struct ima_log_target target;
	struct copy list;
	long covered, full, empty;
	size_t len;

	setenv("TSS2_LOG", "all+NONE", 0);
	prepare(&d);

	begin("1. Measure");
	number("records before", count(), NULL);
	number("kernel memory before", kernel_memory() / 1024, "KiB");
	measure(FILES);
	full = show_list(&d);

	begin("2. Quote and replay");
	take_quote(&d, &target);
	list = read_list(&d);
	covered = replay_list(&d, &target, &list, &len);
	number("records that the quote covers", covered, NULL);

	begin("3. Save these records, delete them");
	save(&d, &list, len, covered);
	free(list.data);
	delete(covered);
	empty = show_list(&d);
	number("kernel memory given back", (full - empty) / 1024, "KiB");
	number("that is, for each record", (full - empty) / covered, "bytes");
	if (empty >= full)
		die("the kernel's memory did not become less");

	begin("4. Measure more");
	measure(MORE_FILES);
	show_list(&d);

	begin("5. Quote again, replay the saved records and then the list");
	take_quote(&d, &target);
	list = read_list(&d);
	covered = replay_list(&d, &target, &list, &len);
	number("saved records", d.saved_records, NULL);
	number("records of the list", covered, NULL);
	show_banks(&d, &target);
	free(list.data);
	free(d.saved.data);
	ima_quote_close(d.tpm);
	return 0;
}
