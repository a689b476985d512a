// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog on a machine that is not the archive's: neither TPM nor kernel, but the
 * archive and the attestation key. And what it does with a command line that is wrong.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "../kselftest_harness.h"

#include "archive_maker.h"
#include "counters.h"
#include "hex.h"
#include "prove.h"
#include "verify.h"

#define SECONDS		300
#define OUTPUT_MAX	0x100000

FIXTURE(offline)
{
	struct maker *m;
	char pem[80];
	char print[HEX_SIZE(IMA_QUOTE_PRINT_SIZE)];
	char *out;	/* what the last run printed, stderr first */
};

FIXTURE_SETUP(offline)
{
	FILE *pem;

	ASSERT_NE(NULL, getenv("IMALOG"));
	self->m = malloc(sizeof(*self->m));
	self->out = malloc(OUTPUT_MAX);
	ASSERT_NE(NULL, self->m);
	ASSERT_NE(NULL, self->out);
	ASSERT_EQ(0, maker_begin(self->m));
	ASSERT_EQ(0, maker_add_files(self->m, 30, 0));
	ASSERT_EQ(0, maker_shard(self->m));
	ASSERT_EQ(0, maker_add_files(self->m, 12, 30));
	ASSERT_EQ(0, maker_shard(self->m));
	maker_reset(self->m);
	self->m->resets += 2;
	ASSERT_EQ(0, maker_add_files(self->m, 5, 42));
	ASSERT_EQ(0, maker_shard(self->m));
	snprintf(self->pem, sizeof(self->pem), "%s.pem", self->m->path);
	pem = fopen(self->pem, "w");
	ASSERT_NE(NULL, pem);
	ASSERT_EQ(0, ima_quote_write_pem(&self->m->ak, pem));
	fclose(pem);
	hex_from(self->print, self->m->print, sizeof(self->m->print));
}

FIXTURE_TEARDOWN(offline)
{
	unlink(self->pem);
	maker_end(self->m);
	free(self->m);
	free(self->out);
}

/* Run imalog: its exit status, or -1. */
static int run(FIXTURE_DATA(offline) *self, const char *fmt, ...)
{
	char command[1024], *p = command;
	va_list args;
	size_t len;
	FILE *f;
	int ret;

	p += sprintf(p, "%s ", getenv("IMALOG"));
	va_start(args, fmt);
	vsnprintf(p, command + sizeof(command) - p, fmt, args);
	va_end(args);
	strcat(command, strstr(fmt, "2>") ? "" : " 2>&1");
	f = popen(command, "r");
	if (!f)
		return -1;
	len = fread(self->out, 1, OUTPUT_MAX - 1, f);
	self->out[len] = '\0';
	ret = pclose(f);
	return WIFEXITED(ret) ? WEXITSTATUS(ret) : -1;
}

static bool printed(FIXTURE_DATA(offline) *self, const char *text)
{
	if (strstr(self->out, text))
		return true;
	printf("# it says: %s", self->out);
	return false;
}

TEST_F_TIMEOUT(offline, verify_with_key_or_fingerprint, SECONDS)
{
	EXPECT_EQ(0, run(self, "verify --offline --ak %s %s", self->pem, self->m->path));
	EXPECT_TRUE(printed(self, "chain 0: 42 records in 2 shards\n"));
	EXPECT_TRUE(printed(self, "proven up to TPM clock 1100 ms of reset 1 ("));
	EXPECT_TRUE(printed(self, "chain 1: 5 records in 1 shards"));
	EXPECT_TRUE(printed(self, "nothing archived of 2 more TPM resets"));
	EXPECT_EQ(0, run(self, "verify --offline --ak %s --archive %s", self->print,
			 self->m->path));
	EXPECT_TRUE(printed(self, self->print));
	/* such a key has no other use */
	EXPECT_EQ(0, run(self, "verify --ak %s %s", self->print, self->m->path));
	EXPECT_EQ(0, run(self, "verify --ak %s %s", self->pem, self->m->path));
}

TEST_F_TIMEOUT(offline, fingerprint_in_capitals, SECONDS)
{
	char *p;

	for (p = self->print; *p; p++)
		*p = toupper(*p);
	EXPECT_EQ(0, run(self, "verify --ak %s %s", self->print, self->m->path));
	EXPECT_EQ(0, run(self, "verify --offline --ak %s %s", self->print, self->m->path));
	EXPECT_EQ(4, run(self, "trim --nonce DEADBEEF --ima-dir /nonexistent"));
}

/* A quote is not of more than the banks that it selects. */
TEST_F_TIMEOUT(offline, verify_names_the_banks, SECONDS)
{
	EXPECT_EQ(0, run(self, "verify --ak %s %s", self->print, self->m->path));
	EXPECT_TRUE(printed(self, "chain 0: 42 records in 2 shards\n"
				  "  replayed in the banks sha1, sha256\n"));
	EXPECT_EQ(0, run(self, "verify --json --ak %s %s | tr -d '[:space:]'", self->print,
			 self->m->path));
	EXPECT_TRUE(printed(self, "\"banks\":[\"sha1\",\"sha256\"]"));
}

/* The folder itself may be a link; what is in it is not to be one. */
TEST_F_TIMEOUT(offline, archive_that_is_a_link, SECONDS)
{
	struct archive a;
	char path[80];

	snprintf(path, sizeof(path), "%s.link", self->m->path);
	ASSERT_EQ(0, symlink(self->m->path, path));
	EXPECT_EQ(0, run(self, "verify --ak %s %s", self->print, path));
	EXPECT_TRUE(printed(self, "chain 0: 42 records in 2 shards\n"));
	EXPECT_EQ(DONE, archive_open(&a, path, true));
	archive_close(&a);
	unlink(path);
}

TEST_F_TIMEOUT(offline, verify_without_the_key_is_refused, SECONDS)
{
	EXPECT_EQ(2, run(self, "verify --offline %s", self->m->path));
	EXPECT_TRUE(printed(self, "needs --ak"));
	self->print[0] = self->print[0] == 'a' ? 'b' : 'a';
	EXPECT_EQ(1, run(self, "verify --offline --ak %s %s", self->print,
			 self->m->path));
	EXPECT_TRUE(printed(self, "another attestation key"));
	EXPECT_EQ(2, run(self, "verify --offline --ak /etc/passwd %s", self->m->path));
	EXPECT_EQ(4, run(self, "verify --offline --ak /nonexistent %s", self->m->path));
	EXPECT_EQ(2, run(self, "verify --offline --ak 0x81010001 %s", self->m->path));
}

TEST_F_TIMEOUT(offline, verify_as_json, SECONDS)
{
	struct json_object *o, *v, *chain;

	EXPECT_EQ(0, run(self, "verify --json --offline --ak %s %s", self->pem,
			 self->m->path));
	o = json_tokener_parse(self->out);
	ASSERT_NE(NULL, o);
	ASSERT_TRUE(json_object_object_get_ex(o, "verified", &v));
	EXPECT_TRUE(json_object_get_boolean(v));
	ASSERT_TRUE(json_object_object_get_ex(o, "chains", &v));
	ASSERT_EQ(2, json_object_array_length(v));
	chain = json_object_array_get_idx(v, 0);
	ASSERT_TRUE(json_object_object_get_ex(chain, "records", &v));
	EXPECT_EQ(42, json_object_get_int(v));
	json_object_put(o);
}

TEST_F_TIMEOUT(offline, altered_record_is_named, SECONDS)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/000000/000000000030/records", self->m->path);
	fd = open(path, O_WRONLY);
	ASSERT_LE(0, fd);
	/* each record here has 94 bytes: in the data of the second */
	ASSERT_EQ(1, pwrite(fd, "~", 1, 94 + 60));
	close(fd);
	EXPECT_EQ(1, run(self, "verify --offline --ak %s %s", self->pem, self->m->path));
	EXPECT_TRUE(printed(self, "000000/000000000030/records: record 31 at offset 94: "));
	EXPECT_TRUE(printed(self, "template digest is not that of the data"));
	EXPECT_EQ(1, run(self, "verify --json --offline --ak %s %s 2>/dev/null",
			 self->pem, self->m->path));
	EXPECT_TRUE(printed(self, "\"verified\":false"));
	EXPECT_TRUE(printed(self, "record 31"));
	/* and is not shown */
	EXPECT_EQ(1, run(self, "cat --boot 0 --archive %s 2>&1 >/dev/null", self->m->path));
	EXPECT_TRUE(printed(self, "000000/000000000030: records: altered"));
}

/* What sha256sum and cmp would see: the concatenated files are the log. */
TEST_F_TIMEOUT(offline, cat_a_chain, SECONDS)
{
	char cmd[400];

	snprintf(cmd, sizeof(cmd),
		 "%s cat --boot 0 --archive %s >%s.cat && cat %s/000000/*/records | cmp - %s.cat",
		 getenv("IMALOG"), self->m->path, self->pem, self->m->path, self->pem);
	EXPECT_EQ(0, system(cmd));
	snprintf(cmd, sizeof(cmd), "%s.cat", self->pem);
	unlink(cmd);
	EXPECT_EQ(0, run(self, "cat --ascii --boot 0 --from 29 --archive %s",
			 self->m->path));
	EXPECT_EQ(self->out, strstr(self->out, "10 "));
	EXPECT_EQ(NULL, strstr(self->out, "/bin/28\n"));
	EXPECT_TRUE(printed(self, "/bin/29\n"));
	EXPECT_TRUE(printed(self, "/bin/30\n"));
	EXPECT_TRUE(printed(self, "/bin/41\n"));
	EXPECT_EQ(0, run(self, "cat --ascii --boot 0 --from 42 --archive %s",
			 self->m->path));
	EXPECT_STREQ("", self->out);
	EXPECT_EQ(1, run(self, "cat --boot 2 --archive %s", self->m->path));
	EXPECT_TRUE(printed(self, "no chain 2"));
	EXPECT_EQ(4, run(self, "cat --boot 0 --archive %s 2>&1 >/dev/full",
			 self->m->path));
	EXPECT_TRUE(printed(self, "standard output: No space left"));
}

TEST_F_TIMEOUT(offline, keep_boots_drops_the_oldest_chains, SECONDS)
{
	struct archive a;

	ASSERT_EQ(DONE, archive_open(&a, self->m->path, true));
	EXPECT_EQ(DONE, archive_keep(&a, 1, 2, UINT64_MAX));
	EXPECT_EQ(0, run(self, "verify --offline --ak %s %s", self->pem, self->m->path));
	EXPECT_TRUE(printed(self, "chain 0: 42 records"));
	/* one that was begun for nothing does not count */
	EXPECT_EQ(0, mkdirat(a.fd, "000002", 0700));
	EXPECT_EQ(DONE, archive_keep(&a, 1, 1, UINT64_MAX));
	EXPECT_EQ(0, run(self, "verify --offline --ak %s %s", self->pem, self->m->path));
	EXPECT_EQ(NULL, strstr(self->out, "chain 0:"));
	EXPECT_TRUE(printed(self, "chains before chain 1 are not in the archive"));
	EXPECT_TRUE(printed(self, "chain 1: 5 records"));
	archive_close(&a);
}

/* Between the look at which chains there are and the one at what is in them. */
TEST_F_TIMEOUT(offline, chain_dropped_while_it_is_verified, SECONDS)
{
	struct verify_result result;
	struct archive a;

	ASSERT_EQ(DONE, archive_open(&a, self->m->path, true));
	ASSERT_EQ(0, renameat(a.fd, "000000", a.fd, ".old"));
	EXPECT_EQ(BUSY, verify_archive(&a, self->m->print, &result));
	verify_free(&result);
	ASSERT_EQ(DONE, archive_list(&a));
	EXPECT_EQ(DONE, verify_archive(&a, self->m->print, &result));
	EXPECT_TRUE(result.older);
	EXPECT_EQ(1, result.num);
	verify_free(&result);
	/* one that is there and cannot be read is another matter */
	ASSERT_EQ(0, unlinkat(a.fd, "000001/000000000000/quote", 0));
	EXPECT_EQ(IO, verify_archive(&a, self->m->print, &result));
	verify_free(&result);
	archive_close(&a);
}

/* What somebody has left in a chain does not stop the rounds to come. */
TEST_F_TIMEOUT(offline, chain_with_other_files_is_dropped_whole, SECONDS)
{
	struct archive a;

	ASSERT_EQ(DONE, archive_open(&a, self->m->path, true));
	EXPECT_EQ(0, mkdirat(a.fd, "000000/.snapshot", 0700));
	EXPECT_EQ(0, mkdirat(a.fd, "000000/.snapshot/old", 0700));
	EXPECT_EQ(0, mknodat(a.fd, "000000/.listing", S_IFREG | 0600, 0));
	EXPECT_EQ(0, symlinkat("/etc", a.fd, "000000/000000000000/etc"));
	EXPECT_EQ(DONE, archive_keep(&a, 1, 1, UINT64_MAX));
	EXPECT_EQ(DONE, archive_list(&a));
	EXPECT_EQ(DONE, archive_drop_new(&a));
	EXPECT_EQ(-1, faccessat(a.fd, ".old", F_OK, 0));
	EXPECT_EQ(0, access("/etc/passwd", F_OK));
	EXPECT_EQ(0, run(self, "verify --offline --ak %s %s", self->pem, self->m->path));
	EXPECT_EQ(NULL, strstr(self->out, "chain 0:"));
	archive_close(&a);
}

/* The file system has no rename that replaces nothing: NFS, for one. */
static int have_no_rename_flags(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ?:
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

TEST_F_TIMEOUT(offline, shard_is_added_where_rename_has_no_flags, SECONDS)
{
	char path[120];

	ASSERT_EQ(0, have_no_rename_flags());
	ASSERT_EQ(0, maker_add_files(self->m, 2, 47));
	ASSERT_EQ(0, maker_shard(self->m));
	EXPECT_EQ(0, run(self, "verify --offline --ak %s %s", self->pem, self->m->path));
	EXPECT_TRUE(printed(self, "chain 1: 7 records in 2 shards"));
	/* nor does it replace one there */
	ASSERT_EQ(0, maker_add_files(self->m, 2, 49));
	snprintf(path, sizeof(path), "%s/000001/000000000007", self->m->path);
	ASSERT_EQ(0, mkdir(path, 0700));
	EXPECT_NE(0, maker_shard(self->m));
	EXPECT_NE(NULL, strstr(say_last(), "rename: File exists"));
}

/* More shards than a pipe takes, and nobody at its other end. */
TEST_F_TIMEOUT(offline, report_without_gnuplot_is_an_error, SECONDS)
{
	char page[120];
	int i;

	for (i = 0; i < 700; i++) {
		ASSERT_EQ(0, maker_add_files(self->m, 1, 47 + i));
		ASSERT_EQ(0, maker_shard(self->m));
	}
	setenv("PATH", "/nonexistent", 1);
	snprintf(page, sizeof(page), "%s.html", self->pem);
	EXPECT_EQ(4, run(self, "report --ak %s --html %s %s", self->pem, page,
			 self->m->path));
	EXPECT_TRUE(printed(self, "gnuplot: is not there"));
	EXPECT_EQ(0, unlink(page));
}

/*
 * A first round of a boot that ended early leaves a chain without a shard, which the
 * next one takes. It may have to look for it more than once.
 */
TEST_F_TIMEOUT(offline, empty_chain_is_taken_each_time_it_is_looked_for, SECONDS)
{
	struct kernel k = { .boot_id = "another" };
	struct proof *p = calloc(1, sizeof(*p));
	struct archive a;
	char path[80];
	int i;

	ASSERT_NE(NULL, p);
	snprintf(path, sizeof(path), "%s/000002", self->m->path);
	ASSERT_EQ(0, mkdir(path, 0700));
	ASSERT_EQ(DONE, archive_open(&a, self->m->path, false));
	p->archive = &a;
	p->kernel = &k;
	p->have_last = true;
	p->last = self->m->last;
	p->chain = p->last.chain;
	p->info.resets = p->last.info.resets + 1;
	p->info.clock = p->last.info.clock + 1;
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(DONE, prove_start(p));
		EXPECT_EQ(2, p->chain);
		banks_free(&p->before);
	}
	archive_close(&a);
	free(p);
}

TEST(counters_of_a_later_quote)
{
	static const struct {
		struct ima_quote_info before, now;	/* clock, resets, restarts, safe */
		bool reset, restarted, back;
	} cases[] = {
		{ { 9, 1, 1, true }, { 9, 1, 1, true }, false, false, false },
		{ { 9, 1, 1, true }, { 8, 1, 1, true }, false, false, true },
		{ { 9, 1, 1, true }, { 8, 1, 1, false }, false, false, true },
		{ { 9, 1, 1, true }, { 9, 1, 2, true }, false, true, false },
		{ { 9, 1, 1, true }, { 8, 1, 2, false }, false, true, true },
		{ { 9, 1, 1, true }, { 9, 1, 0, true }, false, false, true },
		{ { 9, 1, 1, true }, { 9, 2, 0, true }, true, false, false },
		{ { 9, 1, 1, true }, { 8, 2, 0, true }, true, false, true },
		{ { 9, 1, 1, true }, { 8, 2, 0, false }, true, false, false },
		{ { 4194309, 1, 0, true }, { 5, 2, 0, false }, true, false, false },
		{ { 4194309, 1, 0, true }, { 4, 2, 0, false }, true, false, true },
		{ { 9, 2, 1, true }, { 9, 1, 9, true }, false, false, true },
		/* with something added to both */
		{ { 9, 0xffffffff, 1, true }, { 9, 0, 1, true }, true, false, false },
		{ { 9, 0, 1, true }, { 9, 0xffffffff, 1, true }, false, false, true },
		{ { 9, 1, 0xffffffff, true }, { 9, 1, 0, true }, false, true, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ima_quote_info *before = &cases[i].before, *now = &cases[i].now;

		EXPECT_EQ(cases[i].reset, counters_reset(before, now)) TH_LOG("case %zu", i);
		EXPECT_EQ(cases[i].restarted, counters_restarted(before, now))
			TH_LOG("case %zu", i);
		EXPECT_EQ(cases[i].back, counters_go_back(before, now)) TH_LOG("case %zu", i);
	}
}

TEST_F_TIMEOUT(offline, shard_of_another_chain_is_not_read_back, SECONDS)
{
	struct manifest *last = &self->m->last;
	struct new_shard *n = malloc(sizeof(*n));
	struct shard *s = malloc(sizeof(*s));

	ASSERT_NE(NULL, n);
	ASSERT_NE(NULL, s);
	ASSERT_EQ(DONE, new_shard_begin(n, &self->m->archive, last->chain, 0));
	last->chain++;
	ASSERT_EQ(DONE, new_shard_manifest(n, last));
	EXPECT_EQ(REFUSED, new_shard_open(n, s));
	EXPECT_NE(NULL, strstr(say_last(), "it is the manifest of another shard"));
	new_shard_end(n);
	free(n);
	free(s);
}

/* It may have become one since the chains were listed. */
TEST_F_TIMEOUT(offline, chain_that_is_a_link_is_not_followed, SECONDS)
{
	struct archive *a = &self->m->archive;
	struct shard *s = malloc(sizeof(*s));

	ASSERT_NE(NULL, s);
	ASSERT_EQ(DONE, shard_open(a, 0, 0, s));
	shard_close(s);
	ASSERT_EQ(0, renameat(a->fd, "000000", a->fd, "away"));
	ASSERT_EQ(0, symlinkat("away", a->fd, "000000"));
	EXPECT_EQ(IO, shard_open(a, 0, 0, s));
	EXPECT_NE(NULL, strstr(say_last(), "000000/000000000000: "));
	free(s);
}

/* What takes longer than a second says how far it is, to a person. */
TEST_F_TIMEOUT(offline, progress_on_a_terminal_only, SECONDS)
{
	unsigned int records = 100000;
	struct timespec from, to;

	do {
		ASSERT_EQ(0, maker_add_files(self->m, records, 1000));
		ASSERT_EQ(0, maker_shard(self->m));
		records *= 2;
		clock_gettime(CLOCK_MONOTONIC, &from);
		ASSERT_EQ(0, run(self, "verify --ak %s %s", self->print, self->m->path));
		clock_gettime(CLOCK_MONOTONIC, &to);
		EXPECT_EQ(NULL, strstr(self->out, "bytes verified"));
	} while (to.tv_sec - from.tv_sec < 3);
	ASSERT_EQ(0, run(self, "--help; script -qec '%s verify --ak %s %s' /dev/null",
			 getenv("IMALOG"), self->print, self->m->path));
	EXPECT_TRUE(printed(self, "bytes verified: "));
}

TEST_F_TIMEOUT(offline, wrong_command_lines, SECONDS)
{
	static const char * const wrong[] = {
		"", "trimm", "trim --keep", "trim --keep -1", "trim --keep x",
		"trim --max 0", "trim --nonce abc", "trim --nonce ''", "trim --bogus",
		"trim --offline", "trim extra", "cat --hash md4", "cat --boot -1",
		"cat --boot 1000000", "cat --from 99999999999999999999",
		"status --ascii", "verify a b", "trim --min-free 1X",
		"watch --interval 0", "watch --interval 1w", "watch --interval 2147483648",
		"watch --interval 18446744073709551615s", "watch --interval 213503982334602d",
		"trim --nonce 000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f00",
	};
	static const char * const commands[] = { "", "status", "trim", "verify", "cat" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(2, run(self, "%s", wrong[i]))
			printf("# imalog %s\n", wrong[i]);
		EXPECT_NE('\0', self->out[0]);
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		EXPECT_EQ(0, run(self, "%s --help", commands[i]));
		EXPECT_TRUE(printed(self, "Usage: imalog"));
	}
	EXPECT_EQ(4, run(self, "trim --help >/dev/full"));
	EXPECT_EQ(0, run(self, "--version"));
	EXPECT_EQ(0, strncmp("imalog 1", self->out, 8)) printed(self, "imalog 1");
	EXPECT_EQ(4, run(self, "--version >/dev/full"));
}

TEST_F_TIMEOUT(offline, nothing_there, SECONDS)
{
	EXPECT_EQ(4, run(self, "verify --offline --ak %s /nonexistent", self->pem));
	EXPECT_TRUE(printed(self, "/nonexistent"));
	EXPECT_EQ(4, run(self, "status --ima-dir /nonexistent"));
	EXPECT_TRUE(printed(self, "is securityfs mounted"));
	EXPECT_EQ(4, run(self, "trim --ima-dir /nonexistent --archive %s", self->m->path));
	EXPECT_EQ(4, run(self, "cat --ima-dir /nonexistent --archive %s", self->m->path));
	/* tpm2-tss 4.1 leaks its own context if there is no TPM */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	EXPECT_EQ(3, run(self, "verify --tcti device:/nonexistent %s", self->m->path));
	unsetenv("ASAN_OPTIONS");
	EXPECT_TRUE(printed(self, "TPM"));
	/* a folder is no archive of shards if something else is in it */
	EXPECT_EQ(1, run(self, "verify --offline --ak %s /etc", self->pem));
	EXPECT_TRUE(printed(self, "does not belong in an archive"));
}

/* What a name has that a terminal obeys does not get there, nor does it begin a line. */
TEST_F_TIMEOUT(offline, names_cannot_write_to_the_terminal, SECONDS)
{
	char path[120];
	FILE *f;

	snprintf(path, sizeof(path), "%s/x\033[2J\nimalog: ok", self->m->path);
	f = fopen(path, "w");
	ASSERT_NE(NULL, f);
	fclose(f);
	EXPECT_EQ(1, run(self, "verify --offline --ak %s %s", self->pem, self->m->path));
	EXPECT_TRUE(printed(self, "x?[2J?imalog: ok: does not belong in an archive"));
	EXPECT_EQ(NULL, strchr(self->out, '\033'));
	unlink(path);
	/* what is UTF-8 stays, but for a control character of it; JSON has nothing else */
	snprintf(path, sizeof(path), "%s/\303\251\302\2332J\303", self->m->path);
	f = fopen(path, "w");
	ASSERT_NE(NULL, f);
	fclose(f);
	EXPECT_EQ(1, run(self, "verify --json --offline --ak %s %s 2>&1", self->pem,
			 self->m->path));
	EXPECT_TRUE(printed(self, "/\303\251??2J?: does not belong in an archive"));
	EXPECT_EQ(NULL, strchr(self->out, '\233'));
	unlink(path);
}

/* The folder of a new archive is for its owner and group, however its name is written. */
TEST_F_TIMEOUT(offline, new_archive_is_not_for_all, SECONDS)
{
	char above[100], path[120];
	struct archive a;
	struct stat st;

	snprintf(above, sizeof(above), "%s.above", self->m->path);
	snprintf(path, sizeof(path), "%s/new//", above);
	umask(022);
	ASSERT_EQ(DONE, archive_open(&a, path, true));
	EXPECT_EQ(0, fstat(a.fd, &st));
	EXPECT_EQ(0750, st.st_mode & 0777);
	EXPECT_EQ(0, stat(above, &st));
	EXPECT_EQ(0755, st.st_mode & 0777);
	archive_close(&a);
	EXPECT_EQ(0, rmdir(path));
	EXPECT_EQ(0, rmdir(above));
}

static unsigned int alive;

static void count_alive(void)
{
	alive++;
}

/* A service's watchdog is told while a shard is read, and while it is hashed. */
TEST_F_TIMEOUT(offline, reading_is_told_to_the_watchdog, SECONDS)
{
	struct stream stream = { .num = 0 };
	struct ima_log_record rec;
	struct archive a;
	struct shard s;
	bool end;

	ASSERT_EQ(DONE, archive_open(&a, self->m->path, false));
	ASSERT_EQ(DONE, shard_open(&a, 0, 0, &s));
	progress_alive_with(count_alive, 0);
	EXPECT_EQ(DONE, shard_check_records(&s));
	EXPECT_LT(0, alive);
	alive = 0;
	EXPECT_EQ(DONE, shard_records(&s, &stream));
	EXPECT_EQ(DONE, stream_next(&stream, &rec, &end));
	EXPECT_LT(0, alive);
	progress_alive_with(NULL, 0);
	stream_close(&stream);
	shard_close(&s);
	archive_close(&a);
}

/* Is a text in a file, and how often? */
static int count_in(const char *path, const char *text)
{
	static char page[OUTPUT_MAX];
	FILE *f = fopen(path, "r");
	int n = 0;
	char *p;

	page[f ? fread(page, 1, sizeof(page) - 1, f) : 0] = '\0';
	if (f)
		fclose(f);
	for (p = page; (p = strstr(p, text)); p += strlen(text))
		n++;
	return n;
}

static void list_begins_far_behind(struct manifest *m)
{
	m->base = 1 << 20;
}

/* Nothing signs where the newest shard says that the kernel's list began. */
TEST_F_TIMEOUT(offline, report_of_a_list_that_begins_behind_its_end, SECONDS)
{
	static struct manifest was;
	char path[256], page[96];

	maker_path(self->m, "000001/000000000000", "shard.json", path);
	ASSERT_EQ(0, maker_rewrite(path, list_begins_far_behind, &was));
	snprintf(page, sizeof(page), "%s.html", self->m->path);
	EXPECT_EQ(0, run(self, "report --ak %s --html %s %s", self->print, page,
			 self->m->path));
	EXPECT_EQ(1, count_in(page, "<tr><td>1<td>0<td>4<td>0<td>"));
	EXPECT_EQ(0, count_in(page, "<td>1844674407370"));
	unlink(page);
}

TEST_F_TIMEOUT(offline, report_is_a_page_of_what_verifies, SECONDS)
{
	const char *keep = getenv("REPORT");	/* to be looked at */
	char page[96];

	snprintf(page, sizeof(page), "%s.html", self->m->path);
	EXPECT_EQ(0, run(self, "report --ak %s --html %s %s", self->print, page,
			 self->m->path));
	EXPECT_EQ(1, count_in(page, "<strong>Verified.</strong>"));
	EXPECT_EQ(1, count_in(page, self->print));
	EXPECT_EQ(1, count_in(page, "<svg"));
	EXPECT_EQ(2, count_in(page, ">in the kernel</title>"));
	EXPECT_EQ(2 + 3, count_in(page, "<tr><td>"));	/* chains, shards */
	EXPECT_EQ(0, count_in(page, "<script"));
	EXPECT_EQ(0, count_in(page, "href=\"http"));
	EXPECT_EQ(0, count_in(page, "src="));
	if (keep)
		EXPECT_EQ(0, run(self, "report --ak %s --html %s %s", self->print, keep,
				 self->m->path));
	/* to standard output, too; a page also if nothing verifies */
	EXPECT_EQ(0, run(self, "report --ak %s %s", self->print, self->m->path));
	EXPECT_TRUE(printed(self, "<strong>Verified.</strong>"));
	EXPECT_EQ(1, run(self, "report --ak %064d --html %s %s", 0, page, self->m->path));
	EXPECT_EQ(1, count_in(page, "It does not verify."));
	EXPECT_EQ(0, count_in(page, "Verified."));
	EXPECT_EQ(4, run(self, "report --ak %s --html /none/page %s", self->print,
			 self->m->path));
	/* without gnuplot */
	ASSERT_EQ(0, setenv("PATH", "/none", 1));
	EXPECT_EQ(4, run(self, "report --ak %s --html %s %s", self->print, page,
			 self->m->path));
	EXPECT_TRUE(printed(self, "install gnuplot-nox"));
	unlink(page);
}

TEST_HARNESS_MAIN
