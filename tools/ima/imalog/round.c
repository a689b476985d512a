// SPDX-License-Identifier: GPL-2.0-only
/*
 * A round: prove, archive, delete. Nothing is deleted that is not in the archive, was
 * not read back from disk, and does not lead to a quote of the TPM. A crash before
 * the shard is committed leaves nothing; after it, the next round deletes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay.h"
#include "round.h"

#define TRIES	10
#define ALIVE_MS	500	/* how often to say so while another program runs */

/* Write what the records have beside them, and read all back. */
static enum status write_shard(const struct proof *p, struct new_shard *n)
{
	struct manifest m;
	enum status status;
	struct shard s;

	prove_manifest(p, &m);
	status = new_shard_cut(n, p->bytes, m.records);
	if (!status)
		status = new_shard_blob(n, SHARD_QUOTE, &p->quote.attest, m.quote);
	if (!status)
		status = new_shard_blob(n, SHARD_SIGNATURE, &p->quote.signature, m.signature);
	if (!status)
		status = new_shard_blob(n, SHARD_AK, &p->tpm->ak, m.ak);
	if (!status)
		status = new_shard_manifest(n, &m);
	if (!status)
		status = new_shard_open(n, &s);
	if (status)
		return status;
	return replay_shard(&s, p->tpm->print);
}

/* It takes as long as it takes. */
static int wait_for_command(pid_t pid)
{
	struct pollfd poll_fd = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int n = poll_fd.fd < 0, ret;

	while (!n || (n < 0 && errno == EINTR)) {
		progress_alive();
		n = poll(&poll_fd, 1, ALIVE_MS);
	}
	if (poll_fd.fd >= 0)
		close(poll_fd.fd);
	while (waitpid(pid, &ret, 0) < 0)
		if (errno != EINTR)
			return -1;
	return ret;
}

static enum status run_command(const struct proof *p, __u64 first)
{
	char shard[4096];
	sigset_t none;
	pid_t pid;
	int ret;

	snprintf(shard, sizeof(shard), "%s/%0*llu/%0*llu", p->archive->path,
		 ARCHIVE_CHAIN_DIGITS, p->chain, ARCHIVE_SHARD_DIGITS, first);
	pid = fork();
	if (!pid) {
		sigemptyset(&none);	/* imalog watch has some blocked */
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(STDERR_FILENO, STDOUT_FILENO);	/* that has what a round did */
		setenv("IMALOG_SHARD", shard, 1);
		setenv("IMALOG_ARCHIVE", p->archive->path, 1);
		/* neither the TPM nor what opens it is the command's */
		unsetenv("IMALOG_AK_AUTH");
		unsetenv("IMALOG_EH_AUTH");
		close_range(STDERR_FILENO + 1, ~0U, 0);
		execl("/bin/sh", "sh", "-c", p->opt->before_delete, NULL);
		_exit(127);
	}
	if (pid < 0)
		return say_errno("--before-delete");
	ret = wait_for_command(pid);
	if (ret < 0)
		return say_errno("--before-delete");
	if (WIFEXITED(ret) && !WEXITSTATUS(ret))
		return DONE;
	return say(REFUSED, "--before-delete: %s %d for shard %s: nothing deleted",
		   WIFEXITED(ret) ? "exit status" : "signal",
		   WIFEXITED(ret) ? WEXITSTATUS(ret) : WTERMSIG(ret), shard);
}

/* Once for each shard that has records to be deleted. */
static enum status ask_before(const struct proof *p, __u64 to)
{
	enum status status;
	size_t num, i;
	__u64 *first;

	status = archive_shards(p->archive, p->chain, &first, &num);
	for (i = 0; i < num && !status; i++)
		if (first[i] < to && (i + 1 == num || first[i + 1] > p->start))
			status = run_command(p, first[i]);
	free(first);
	return status;
}

/* How many of the kernel's first records go: those archived, less what stays. */
static __u64 count_deletable(const struct proof *p, __u64 end)
{
	__u64 keep = p->opt->keep, n = end - p->start;

	n = n > keep ? n - keep : 0;
	return p->opt->max && n > p->opt->max ? p->opt->max : n;
}

static enum status delete(const struct proof *p, struct round_result *r)
{
	enum status status = DONE;

	r->deleted = count_deletable(p, r->end);
	if (!r->deleted || p->opt->dry_run)
		return DONE;
	if (p->opt->before_delete)
		status = ask_before(p, p->start + r->deleted);
	if (!status)
		status = kernel_delete(p->kernel, r->deleted);
	if (status)
		r->deleted = 0;
	return status;
}

/* It may be the second try: what the one before archived counts, too. */
static void fill_result(const struct proof *p, struct round_result *r)
{
	__u64 listed = p->start + p->kernel->staged + p->kernel->count;

	r->start = p->start;
	r->archived += p->proven - p->end;
	r->archived_from = p->proven - r->archived;
	r->unproven += p->unproven;
	r->end = p->proven;
	r->left = p->proven - p->start;
	r->waiting = listed > p->proven ? listed - p->proven : 0;
	r->chain = p->chain;
	r->aligned = p->aligned;
	r->info = p->info;
	memcpy(r->print, p->tpm->print, sizeof(r->print));
}

static enum status archive_proof(struct proof *p, struct new_shard *n)
{
	enum status status = DONE, ended;

	if (p->opt->dry_run)
		return DONE;
	if (p->proven != p->end) {
		status = write_shard(p, n);
		if (!status)
			status = new_shard_commit(n, p->end);
	}
	/* to IMA, who reads what is open for write sees what is not measured */
	ended = new_shard_end(n);
	p->writing = false;
	return status ?: ended ?: archive_list(p->archive);
}

static enum status run_once(const struct options *opt, struct archive *a,
			    struct kernel *k, struct tpm *t, struct round_result *r)
{
	struct new_shard *n = opt->dry_run ? NULL : malloc(sizeof(*n));
	struct proof *p = malloc(sizeof(*p));
	enum status status;

	if (!p || (!n && !opt->dry_run)) {
		free(p);
		free(n);
		return say_errno("round");
	}
	status = prove_init(p, opt, a, k, t, n);
	if (!status)
		status = prove_check_key(p);
	if (!status)
		status = prove(p);
	if (!status)
		status = archive_proof(p, n);
	if (!status) {
		fill_result(p, r);
		status = delete(p, r);
		r->left -= r->deleted;
	}
	prove_end(p);
	free(p);
	free(n);
	return status;
}

static enum status run(const struct options *opt, struct archive *a, struct kernel *k,
		       struct round_result *r)
{
	enum status status = AGAIN;
	unsigned int tries;
	struct tpm t;

	status = tpm_open(&t, opt);
	if (!status)
		status = AGAIN;
	for (tries = 0; status == AGAIN && tries < TRIES; tries++)
		status = run_once(opt, a, k, &t, r);
	tpm_close(&t);
	if (status == AGAIN)
		status = say(BUSY, "kernel's list: other programs delete records all the time");
	return status;
}

static enum status prepare(const struct options *opt, struct archive *a)
{
	enum status status;

	status = archive_open(a, opt->archive, true);
	if (!status)
		status = archive_drop_new(a);
	if (!status)
		status = archive_room(a, opt->min_free, 0);
	return status;
}

/**
 * round_run() - one round
 * @opt: options
 * @result: what it did
 *
 * Return: DONE, or why it ended: see enum status.
 */
enum status round_run(const struct options *opt, struct round_result *result)
{
	struct archive a = { .fd = -1 }, *used = &a;
	enum status status;
	struct kernel k;

	memset(result, 0, sizeof(*result));
	status = kernel_open(&k, opt->ima_dir);
	if (!status)
		status = kernel_hold(&k);
	if (!status && !opt->dry_run)
		status = prepare(opt, &a);
	else if (!status && access(opt->archive, F_OK))
		used = NULL;
	else if (!status)
		status = archive_open(&a, opt->archive, false);
	if (!status)
		status = run(opt, used, &k, result);
	if (!status && !opt->dry_run)
		status = archive_keep(&a, result->chain, opt->keep_boots);
	archive_close(&a);
	kernel_close(&k);
	return status;
}
