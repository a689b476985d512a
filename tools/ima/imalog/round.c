// SPDX-License-Identifier: GPL-2.0-only
/*
 * A round: prove, archive, delete. Nothing is deleted that is not in the archive, was
 * not read back from disk, and does not lead to a quote of the TPM. A crash before
 * the shard is committed leaves nothing; after it, the next round deletes.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "before_delete.h"
#include "replay.h"
#include "round.h"

#define TRIES	10

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
	if (p->opt->dry_run)
		status = r->deleted ? kernel_may_delete(p->kernel) : DONE;
	else if (p->opt->before_delete)
		status = before_delete(p->archive, p->opt->before_delete);
	if (!status && r->deleted && !p->opt->dry_run)
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
		return archive_would_have_room(p->opt->archive, p->opt->min_free, p->bytes);
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

/* What --keep-boots drops after a round; without room there would be none. */
static enum status drop_before(const struct options *opt, struct archive *a)
{
	__u64 below = UINT64_MAX, from;
	enum status status;
	struct shard s;
	bool found;

	status = archive_last(a, &s, &found);
	if (status || !found)
		return status;
	shard_close(&s);
	if (opt->before_delete)
		status = before_delete_accepted(a, &below, &from);
	return status ?: archive_keep(a, s.chain, opt->keep_boots, below);
}

static enum status make_room(const struct options *opt, struct archive *a)
{
	enum status status;
	__u64 left;

	status = archive_free(a, &left);
	if (!status && left < opt->min_free && opt->keep_boots)
		status = drop_before(opt, a);
	return status ?: archive_room(a, opt->min_free, 0);
}

static enum status prepare(const struct options *opt, struct archive *a)
{
	enum status status;

	status = archive_open(a, opt->archive, true);
	if (!status)
		status = archive_drop_new(a);
	if (!status)
		status = make_room(opt, a);
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
		status = archive_keep(&a, result->chain, opt->keep_boots, UINT64_MAX);
	archive_close(&a);
	kernel_close(&k);
	return status;
}
