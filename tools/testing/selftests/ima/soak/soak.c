// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: soak SECONDS [SEED]
 *
 * Everything at once, for long: events, violations, readers of all kinds, N, T:N, A and
 * D, and a kexec every few minutes, in a VM of qemu/ with a TPM, KEXEC=1 and
 * ima_flush_htable.
 *
 * The records that are deleted are replayed before, those that are left at each rest;
 * together they must lead to the PCR, so each event is there exactly once, in order. At
 * a rest the list is empty and nothing runs: what the kernel then has in its slab must
 * not grow, as the digests of deleted events are forgotten.
 *
 * Prints "sample SECONDS RECORDS REMOVED KIB" for plots.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "ima_log.h"
#include "ima_test.h"
#include "kexec_again.h"

#define STATE		"/root/soak.state"
#define LIST		"binary_runtime_measurements_sha256"
#define PCR		10
#define KERNEL_SECONDS	180
#define REST_SECONDS	45
#define SAMPLE_SECONDS	5
#define MEASURERS	2
#define READERS		3
#define GROWS_MOST_KIB	768
#define ROOM		2000	/* records in the list when a kernel is loaded */

/* What goes over kexec. */
static struct {
	unsigned int seed;
	int kernel;
	long seconds;		/* before this kernel */
	unsigned long deleted;
	unsigned long refused;	/* commands, by a reader's place or the like */
	__u8 value[IMA_LOG_DIGEST_MAX];
} state;

static struct ima_log_bank bank;
static pid_t children[MEASURERS + READERS];
static long began_ms, first_kib;

static long elapsed(void)
{
	return (ima_now_ms() - began_ms) / 1000;
}

/* ---- load ------------------------------------------------------------- */

static void measure(unsigned int seed)
{
	for (;;) {
		int ret = rand_r(&seed) % 50 ? ima_measure_files(1 + rand_r(&seed) % 4) :
					       ima_measure_violation();

		/* nothing is measured any more once kexec has copied the list */
		if (ret)
			errx(1, "measuring: %s", strerror(-ret));
		if (rand_r(&seed) % 20 == 0)
			usleep(rand_r(&seed) % 50000);
	}
}

/* From the beginning, from where it was, or about there; now and then another file. */
static void read_lists(unsigned int seed)
{
	char names[IMA_FILES_MAX][IMA_NAME_MAX], name[IMA_NAME_MAX], buf[5000];
	int nr = ima_list_names(names, true), fd = -1, i;
	off_t at = 0;
	ssize_t n;

	for (;;) {
		if (fd < 0 || rand_r(&seed) % 30 == 0) {
			close(fd);
			snprintf(name, sizeof(name), "%.50s%s", names[rand_r(&seed) % nr],
				 rand_r(&seed) % 4 ? "" : "_staged");
			fd = ima_open(name, O_RDONLY);
			if (fd < 0)
				errx(1, "open: %s", strerror(-fd));
		}
		if (rand_r(&seed) % 4 == 0)
			lseek(fd, rand_r(&seed) % 3 ? at : 0, SEEK_SET);
		for (i = rand_r(&seed) % 400; i; i--) {
			n = rand_r(&seed) % 10 ? read(fd, buf, 1 + rand_r(&seed) % sizeof(buf)) :
						 pread(fd, buf, 100, at + rand_r(&seed) % 1000);
			if (n < 0 && errno != ESTALE)
				err(1, "read");
			if (n <= 0)
				break;
		}
		at = lseek(fd, 0, SEEK_CUR);
		usleep(rand_r(&seed) % 20000);
	}
}

static void start_children(void)
{
	unsigned int i;

	fflush(stdout);
	for (i = 0; i < MEASURERS + READERS; i++) {
		children[i] = fork();
		if (children[i])
			continue;
		if (i < MEASURERS)
			measure(state.seed * 100 + state.kernel * 10 + i);
		read_lists(state.seed * 100 + state.kernel * 10 + i);
	}
}

/* All of them must have lasted until now. */
static void end_children(void)
{
	unsigned int i;
	int status;

	for (i = 0; i < MEASURERS + READERS; i++) {
		if (waitpid(children[i], &status, WNOHANG))
			errx(1, "child %u has ended: %#x", i, status);
		kill(children[i], SIGKILL);
		waitpid(children[i], &status, 0);
	}
}

/* ---- commands --------------------------------------------------------- */

/* Replay the first @n records of a list, or all; returns how many. */
static long account(const char *name, long n)
{
	struct ima_log_replay replay = { .banks = &bank, .num_banks = 1 };
	struct ima_log_record rec;
	struct ima_log_parser p;
	size_t len;
	__u8 *data = ima_read_all(name, &len);

	if (!data)
		err(1, "%s", name);
	ima_log_init(&p, data, len, bank.size, IMA_LOG_HOST);
	while ((long)p.records < n && p.pos < len)
		if (ima_log_next(&p, &rec) != 1 || ima_log_extend(&replay, &rec))
			errx(1, "%s: record %lu: %s", name, p.records, p.error);
	free(data);
	return p.records;
}

/* The replay goes on only if the records are gone. */
static int remove_if(int (*command)(long n), const char *name, long n)
{
	__u8 before[IMA_LOG_DIGEST_MAX];
	int ret;

	memcpy(before, bank.value[PCR], sizeof(before));
	n = account(name, n);
	ret = command(n);
	if (ret)
		memcpy(bank.value[PCR], before, sizeof(before));
	else
		state.deleted += n;
	return ret;
}

static int by_n(long n)
{
	return ima_delete(n);
}

static int by_t_n(long n)
{
	return ima_delete_if(IMA_ASCII, ima_removed(), n);
}

static int by_d(long n)
{
	(void)n;
	return ima_delete_staged();
}

/* A reader in the middle of the batch is in its way, and is not for long. */
static int stage_and_delete(void)
{
	int ret = ima_stage();

	if (ret)
		return ret;
	while ((ret = remove_if(by_d, LIST "_staged", LONG_MAX)) == -EBUSY) {
		state.refused++;
		usleep(10000);
	}
	return ret;
}

static void give_command(void)
{
	long n = ima_count();
	int ret = 0;

	if (n < 10)
		return;
	n = 1 + rand_r(&state.seed) % n;
	switch (rand_r(&state.seed) % 5) {
	case 0:
		if (ima_delete_if(IMA_ASCII, ima_removed() + 1, n) != -EAGAIN)
			errx(1, "T:N with another T is not refused");
		break;
	case 1:
		ret = stage_and_delete();
		break;
	case 2:
		ret = remove_if(by_n, LIST, n);
		break;
	default:
		ret = remove_if(by_t_n, LIST, n);
	}
	if (ret == -EBUSY)
		state.refused++;
	else if (ret)
		errx(1, "command: %s", strerror(-ret));
}

/* ---- rests ------------------------------------------------------------ */

static bool leads_to_the_pcr(void)
{
	__u8 pcr[IMA_LOG_DIGEST_MAX];

	if (ima_read_pcr(bank.name, pcr, bank.size))
		errx(1, "PCR");
	return !memcmp(pcr, bank.value[PCR], bank.size);
}

/* Nothing runs: all records go, and with those before they lead to the PCR. */
static void come_to_rest(void)
{
	long kib;

	end_children();
	if (ima_count() && remove_if(by_t_n, LIST, LONG_MAX))
		errx(1, "deleting all at a rest");
	if (!leads_to_the_pcr())
		errx(1, "kernel %d: %lu records do not lead to the PCR", state.kernel,
		     state.deleted);
	kib = bench_settled_slab() / 1024;
	printf("# kernel %d, %ld s: %lu records deleted in their order, %lu times busy, %ld KiB\n",
	       state.kernel, state.seconds + elapsed(), state.deleted, state.refused, kib);
	if (!first_kib)
		first_kib = kib;
	if (kib > first_kib + GROWS_MOST_KIB)
		errx(1, "kernel %d: %ld KiB of slab at rest, %ld before", state.kernel, kib,
		     first_kib);
}

static void take_sample(void)
{
	static long last = -SAMPLE_SECONDS;

	if (elapsed() < last + SAMPLE_SECONDS)
		return;
	last = elapsed();
	printf("sample %ld %ld %lu %ld\n", state.seconds + last, ima_count(), state.deleted,
	       ima_slab_unreclaimable() / 1024);
	fflush(stdout);
}

static void run(long seconds)
{
	long next_rest = elapsed() + REST_SECONDS;

	while (elapsed() < seconds) {
		give_command();
		take_sample();
		usleep(rand_r(&state.seed) % 1000000);
		if (elapsed() >= next_rest) {
			come_to_rest();
			start_children();
			next_rest = elapsed() + REST_SECONDS;
		}
	}
}

/* ---- kexec ------------------------------------------------------------ */

static void keep_state(void)
{
	FILE *f = fopen(STATE, "w");

	memcpy(state.value, bank.value[PCR], sizeof(state.value));
	if (!f || fwrite(&state, sizeof(state), 1, f) != 1 || fclose(f))
		err(1, STATE);
}

static void get_state(void)
{
	FILE *f = fopen(STATE, "r");

	if (!f || fread(&state, sizeof(state), 1, f) != 1)
		err(1, STATE);
	fclose(f);
	memcpy(bank.value[PCR], state.value, sizeof(state.value));
}

/*
 * The state that the next kernel gets has the records that are deleted once it is
 * loaded, and that is the room for those that are measured from then on.
 */
static void leave(void)
{
	long n;
	int ret;

	while (ima_count() < ROOM)
		usleep(100000);
	n = account(LIST, ima_count() - 10);
	state.deleted += n;
	state.seconds += elapsed();
	state.kernel++;
	keep_state();
	ret = kexec_load_again("echo root; echo root/soak.state", state.kernel);
	if (ret)
		errx(1, "kexec_file_load: %s", strerror(-ret));
	do
		ret = by_t_n(n);
	while (ret == -EBUSY && !usleep(10000));
	if (ret)
		errx(1, "T:N before kexec: %s", strerror(-ret));
	errx(1, "kexec: %s", strerror(-(kexec_ask() ?: kexec_await())));
}

int main(int argc, char **argv)
{
	const char *boot = getenv("IMA_KEXEC_BOOT");
	long seconds = argc > 1 ? atol(argv[1]) : 0, here;
	const char *why = ima_test_unavailable();

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (why || seconds <= 0 || !getenv("IMA_KEXEC_TEST"))
		errx(1, "%s", why ?: "usage: soak SECONDS [SEED], in the VM, KEXEC=1");
	began_ms = ima_now_ms();
	if (ima_log_bank_init(&bank, ima_log_alg_by_name("sha256"), IMA_LOG_OWN_HASH))
		errx(1, "OpenSSL");
	state.seed = argc > 2 ? strtoul(argv[2], NULL, 0) : (unsigned int)time(NULL);
	if (boot)
		get_state();
	else
		printf("# seed %u\n", state.seed);
	start_children();
	here = seconds - state.seconds;
	run(here < KERNEL_SECONDS ? here : KERNEL_SECONDS);
	if (here > KERNEL_SECONDS)
		leave();
	come_to_rest();
	printf("ok: %ld s, %d kexecs, %lu records, each of them once\n",
	       state.seconds + elapsed(), state.kernel, state.deleted);
	return 0;
}
