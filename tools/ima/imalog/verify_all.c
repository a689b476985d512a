// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verify the archive and, on its host, what is in the kernel.
 */
#include <stdlib.h>
#include <string.h>

#include "prove.h"
#include "verify.h"

static void note_live(struct verify_live *live, const struct proof *p)
{
	unsigned int i;

	live->start = p->start;
	live->end = p->end;
	live->proven = p->proven;
	live->chain = p->chain;
	live->banks.num = p->banks.num;
	for (i = 0; i < p->banks.num; i++)
		live->banks.alg[i] = p->banks.bank[i].alg;
	live->info = p->info;
}

/* @newest: the hash of the manifest from which the kernel's records lead to the quote */
static enum status verify_live(const struct options *opt, struct archive *a,
			       struct tpm *t, struct verify_live *live,
			       __u8 newest[HASH_SIZE])
{
	struct proof *p = malloc(sizeof(*p));
	enum status status;
	struct kernel k;

	if (!p)
		return say_errno("proof");
	status = kernel_open(&k, opt->ima_dir);
	if (!status)
		status = prove_init(p, opt, a, &k, t, NULL);
	if (!status) {
		status = prove(p);
		live->looked = !status;
		note_live(live, p);
		memcpy(newest, p->last.self, HASH_SIZE);
		prove_end(p);
	}
	kernel_close(&k);
	free(p);
	return status;
}

/* Was this shard verified? It is one of the newest. */
static bool is_verified(const struct verify_result *r, const __u8 self[HASH_SIZE])
{
	static const __u8 none[HASH_SIZE];
	size_t i = r->num_shards;

	while (i--)
		if (!memcmp(r->shard[i].self, self, HASH_SIZE))
			return true;
	return !memcmp(self, none, HASH_SIZE);
}

/* Both; the archive once more, if a trim has added to it before the kernel was read. */
static enum status verify_both(const struct options *opt, struct archive *a,
			       struct tpm *t, struct verify_result *result)
{
	struct verify_live live = { .looked = false };
	__u8 newest[HASH_SIZE];
	enum status status;

	status = verify_archive(a, t->print, result);
	if (!status)
		status = verify_live(opt, a, t, &live, newest);
	if (!status && !is_verified(result, newest)) {
		verify_free(result);
		status = archive_list(a) ?: verify_archive(a, t->print, result);
		if (!status && !is_verified(result, newest))
			status = say(REFUSED,
				     "%s: the shard that the kernel's list goes on from is gone",
				     a->path);
	}
	result->live = live;
	return status;
}

/**
 * verify_all() - verify the archive, and on its host what is in the kernel
 * @opt: options; the archive alone is verified if they say so, or name a public key
 * @result: what was found, to be released with verify_free() whatever is returned
 *
 * Return: DONE, REFUSED: something does not verify; USAGE, TPM, IO, BUSY.
 */
enum status verify_all(const struct options *opt, struct verify_result *result)
{
	bool offline = opt->offline || (opt->ak && tpm_is_public(opt->ak));
	struct archive a = { .fd = -1 };
	__u8 print[IMA_QUOTE_PRINT_SIZE];
	struct tpm t = { .tpm = NULL };
	enum status status;

	memset(result, 0, sizeof(*result));
	status = archive_open(&a, opt->archive, false);
	if (!status && offline)
		status = tpm_pinned(opt, print);
	else if (!status)
		status = tpm_open(&t, opt);
	if (!status && offline)
		status = verify_archive(&a, print, result);
	else if (!status)
		status = verify_both(opt, &a, &t, result);
	tpm_close(&t);
	archive_close(&a);
	return status;
}
