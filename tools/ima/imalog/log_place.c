// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which chain of the archive the log is, and where in it the kernel's list is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "log_place.h"
#include "prove.h"

/**
 * log_find_archive() - open the archive if there is one by now, list its chains
 * @l: log
 *
 * Return: DONE, IO, or REFUSED: there is something else in its folder.
 */
enum status log_find_archive(struct log *l)
{
	if (l->archive.fd >= 0)
		return archive_list(&l->archive);
	if (l->opt->boot < 0 && access(l->opt->archive, F_OK) && errno == ENOENT)
		return DONE;
	return archive_open(&l->archive, l->opt->archive, false);
}

/**
 * log_find_chain() - the log is one chain of the archive
 * @l: log
 *
 * Return: DONE, IO, or REFUSED: there is no such chain.
 */
enum status log_find_chain(struct log *l)
{
	enum status status = log_find_archive(l);
	size_t i;

	if (status)
		return status;
	l->chain = l->opt->boot;
	for (i = 0; i < l->archive.num_chains; i++)
		if (l->archive.chain[i] == l->chain)
			return DONE;
	return say(REFUSED, "%s: no chain %llu", l->archive.path, l->chain);
}

/* Only a quote tells where the kernel's list is in the log. */
static enum status place_by_quote(struct log *l)
{
	struct archive *a = l->archive.fd >= 0 ? &l->archive : NULL;
	struct proof *p = malloc(sizeof(*p));
	struct tpm t = { .tpm = NULL };
	enum status status;

	if (!p)
		return say_errno("proof");
	status = prove_init(p, l->opt, a, &l->kernel, &t, NULL);
	if (!status)
		status = tpm_open(&t, l->opt);
	if (!status)
		status = prove_check_key(p);
	if (!status)
		status = prove(p);
	if (!status) {
		l->base = p->base;
		l->chain = p->chain;
	}
	prove_end(p);
	tpm_close(&t);
	free(p);
	return status;
}

static enum status place_in_archive(struct log *l)
{
	enum status status;
	bool known = false, found;
	struct shard last;

	status = archive_last(&l->archive, &last, &found);
	if (status)
		return status;
	if (found) {
		known = l->kernel.way != KERNEL_HELD && last.m.counted &&
			!strcmp(last.m.boot_id, l->kernel.boot_id);
		l->base = last.m.base;
		l->chain = last.chain;
		shard_close(&last);
	}
	return known ? DONE : place_by_quote(l);
}

/* Records may have gone before kexec, and the archive be elsewhere. */
static enum status place_without_archive(struct log *l)
{
	enum status status = place_by_quote(l);

	/* the first trim may have made it meanwhile */
	if (status == REFUSED && !log_find_archive(l) && l->archive.fd >= 0)
		return place_in_archive(l);
	if (status == REFUSED)
		note("%s: there is no archive", l->opt->archive);
	if (status != TPM || l->kernel.way == KERNEL_HELD)
		return status;
	note("no archive and no TPM: the kernel's first record is taken for the first of the log");
	return DONE;
}

static enum status find_place(struct log *l)
{
	enum status status;

	if (l->archive.fd < 0)
		status = place_without_archive(l);
	else
		status = place_in_archive(l);
	if (status == TPM)
		note("only a TPM tells where the kernel's list is in the log; --boot needs none");
	return status;
}

/**
 * log_find_current() - the log is the archive's last chain, and what the kernel has
 * @l: log
 *
 * Return: DONE, REFUSED, TPM, IO, BUSY.
 */
enum status log_find_current(struct log *l)
{
	enum status status = log_find_archive(l);

	if (!status)
		status = kernel_open(&l->kernel, l->opt->ima_dir);
	/* this kernel does not tell what was deleted meanwhile: have no trim */
	if (!status && l->kernel.way == KERNEL_HELD && l->archive.fd >= 0 &&
	    flock(l->archive.fd, LOCK_SH | LOCK_NB))
		status = errno == EWOULDBLOCK ?
			 say(BUSY, "%s: imalog trim is at work", l->archive.path) :
			 say_errno("%s: lock", l->archive.path);
	return status ?: find_place(l);
}

/**
 * log_banks() - a bank of the log, to show the records of its list
 * @l: log
 * @b: the bank, to be released with banks_free() whatever is returned
 * @alg: its TPM_ALG_ID
 *
 * How it was extended, the archive knows, or the kernel does.
 *
 * Return: DONE, IO, REFUSED, or AGAIN.
 */
enum status log_banks(struct log *l, struct banks *b, __u16 alg)
{
	enum status status = banks_init(b);
	struct shard last;
	unsigned int i;

	if (!status && l->num) {
		status = shard_open(&l->archive, l->chain, l->shard[l->num - 1].at.number,
				    &last);
		if (status)
			return status;
		shard_close(&last);
		for (i = 0; i < last.m.num_banks; i++)
			if (last.m.bank[i].alg == alg)
				return banks_add(b, alg, last.m.bank[i].fill);
	}
	if (status)
		return status;
	if (l->kernel.dir < 0)
		return banks_add(b, alg, IMA_LOG_OWN_HASH);
	status = kernel_add_bank(&l->kernel, b, alg);
	/* there is no list of this bank, so none that would have to be shown otherwise */
	if (!status && b->bank[0].fill == IMA_LOG_UNMAPPED &&
	    !kernel_has_unmapped(&l->kernel, alg)) {
		banks_free(b);
		status = banks_init(b) ?: banks_add(b, alg, IMA_LOG_OWN_HASH);
	}
	return status;
}
