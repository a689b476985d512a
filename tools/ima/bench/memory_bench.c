// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory imalog takes at most, and how long, for so many records.
 *
 *	memory_bench RECORDS IMALOG
 *
 * verify and cat: an archive of one large shard and many small ones, made without a
 * TPM. trim: swtpm, which is extended with each record, and a file as the kernel's list.
 * Prints figures for scripts/bench: KiB of resident memory, and milliseconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include "archive_maker.h"
#include "hex.h"
#include "host.h"

#define SMALL_SHARDS	50
#define ARGS_MAX	20

static void die(const char *what)
{
	fprintf(stderr, "memory_bench: %s\n", what);
	exit(1);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Run imalog, its output thrown away; @name-kib and @name-ms are the figures. */
static int run_it(const char *name, char **argv)
{
	long long start = now_ms();
	struct rusage usage;
	int status, null;
	pid_t pid;

	pid = fork();
	if (!pid) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status))
		die(name);
	printf("%s-kib %ld\n", name, usage.ru_maxrss);
	printf("%s-ms %lld\n", name, now_ms() - start);
	return 0;
}

/*
 * By a process of our own that is small: what a process had before execve(2) counts for
 * its maximum as well.
 */
static void run(const char *name, char **argv)
{
	char *args[ARGS_MAX] = { "memory_bench", "run", (char *)name };
	int i, status;
	pid_t pid;

	for (i = 0; argv[i] && i + 4 < ARGS_MAX; i++)
		args[i + 3] = argv[i];
	pid = fork();
	if (!pid) {
		execv("/proc/self/exe", args);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die(name);
}

#define RUN(name, ...) run(name, (char *[]) { __VA_ARGS__, NULL })

static void measure_archive(unsigned long records, char *imalog)
{
	struct maker *m = malloc(sizeof(*m));
	char print[HEX_SIZE(IMA_QUOTE_PRINT_SIZE)];
	unsigned long part = records / 2 / SMALL_SHARDS, i;

	if (!m || maker_begin(m) || maker_add_files(m, records / 2, 0) || maker_shard(m))
		die("archive");
	for (i = 0; i < SMALL_SHARDS; i++)
		if (maker_add_files(m, part, records / 2 + i * part) || maker_shard(m))
			die("archive");
	hex_from(print, m->print, sizeof(m->print));
	RUN("verify", imalog, "verify", "--offline", "--ak", print, m->path);
	RUN("cat", imalog, "cat", "--boot", "0", "--archive", m->path);
	RUN("cat-ascii", imalog, "cat", "--boot", "0", "--ascii", "--hash", "sha256",
	    "--archive", m->path);
	maker_end(m);
	free(m);
}

static ESYS_CONTEXT *connect_tpm(const struct host *h)
{
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	char name[64];

	snprintf(name, sizeof(name), "swtpm:host=127.0.0.1,port=%d", h->port);
	if (Tss2_TctiLdr_Initialize(name, &tcti) || Esys_Initialize(&esys, tcti, NULL))
		die("TPM");
	return esys;
}

static void extend(ESYS_CONTEXT *esys, const struct maker_record *r)
{
	TPML_DIGEST_VALUES values = { .count = 1 };

	values.digests[0].hashAlg = TPM2_ALG_SHA256;
	EVP_Digest(r->data, r->data_len, values.digests[0].digest.sha256, NULL,
		   EVP_sha256(), NULL);
	if (Esys_PCR_Extend(esys, ESYS_TR_PCR10, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			    ESYS_TR_NONE, &values))
		die("extend");
}

/* The list of a kernel that measured so much, and the TPM that goes with it. */
static void measure_much(struct host *h, unsigned long records)
{
	__u8 digest[8 + 32] = "sha256:";
	struct maker_record r;
	ESYS_CONTEXT *esys = connect_tpm(h);
	TSS2_TCTI_CONTEXT *tcti;
	unsigned long i;
	char name[128];
	FILE *list;

	snprintf(name, sizeof(name), "%s/ima/binary_runtime_measurements", h->dir);
	list = fopen(name, "a");
	if (!list)
		die(name);
	for (i = 1; i < records; i++) {
		snprintf(name, sizeof(name), "/usr/lib/program/%lu", i);
		memcpy(digest + 8, &i, sizeof(i));
		maker_write(&r, 10, "ima-ng", (struct maker_field[]) {
			{ digest, sizeof(digest) }, { name, strlen(name) + 1 } }, 2);
		extend(esys, &r);
		if (fwrite(r.raw, r.len, 1, list) != 1)
			die("list");
	}
	if (fclose(list))
		die("list");
	Esys_GetTcti(esys, &tcti);
	Esys_Finalize(&esys);
	Tss2_TctiLdr_Finalize(&tcti);
	host_shell(h, "echo %lu >$D/ima/runtime_measurements_count", records);
}

static void measure_trim(unsigned long records, char *imalog)
{
	struct host *h = malloc(sizeof(*h));
	char archive[96], dir[96], tcti[64];

	if (!h || host_begin(h, "sha256", true))
		die("host: is swtpm there?");
	measure_much(h, records);
	snprintf(archive, sizeof(archive), "%s/archive", h->dir);
	snprintf(dir, sizeof(dir), "%s/ima", h->dir);
	snprintf(tcti, sizeof(tcti), "swtpm:host=127.0.0.1,port=%d", h->port);
	RUN("trim", imalog, "trim", "--keep", "1000000000", "--archive", archive,
	    "--ima-dir", dir, "--tcti", tcti);
	/* all is in the archive and in the kernel */
	RUN("trim-again", imalog, "trim", "--archive", archive, "--ima-dir", dir,
	    "--tcti", tcti);
	host_end(h);
	free(h);
}

int main(int argc, char **argv)
{
	unsigned long records = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;

	if (argc > 3 && !strcmp(argv[1], "run"))
		return run_it(argv[2], argv + 3);
	if (records < 2 * SMALL_SHARDS)
		die("usage: memory_bench RECORDS IMALOG");
	setlinebuf(stdout);
	measure_archive(records, argv[2]);
	measure_trim(records, argv[2]);
	return 0;
}
