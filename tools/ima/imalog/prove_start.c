// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a proof begins: the chain, the PCR values at the archive's end, and the
 * number of the kernel's first record, if that is known.
 */
#include <string.h>

#include "counters.h"
#include "prove.h"

static bool same_banks(const struct proof *p)
{
	unsigned int i;

	if (p->banks.num != p->last.num_banks)
		return false;
	for (i = 0; i < p->banks.num; i++)
		if (p->banks.bank[i].alg != p->last.bank[i].alg)
			return false;
	return true;
}

/* A kernel that came by kexec can have been built with other hashes. */
static void compare_fills(struct proof *p)
{
	unsigned int i;

	p->other_fill = NULL;
	for (i = 0; i < p->banks.num; i++)
		if (p->banks.bank[i].fill != p->last.bank[i].fill)
			p->other_fill = p->banks.bank[i].name;
}

/* The banks at the end of the archive, and the same to be replayed in. */
static enum status go_on(struct proof *p)
{
	enum status status;

	if (!same_banks(p))
		return say(REFUSED,
			   "TPM: its banks are others than in the newest shard, but it was not reset since");
	compare_fills(p);
	status = banks_init(&p->before);
	if (!status)
		status = manifest_banks(&p->last, &p->before, true);
	p->before.pcrs = p->pcrs;
	banks_free(&p->banks);
	if (!status)
		status = banks_init(&p->banks);
	if (!status)
		status = manifest_banks(&p->last, &p->banks, true);
	p->banks.pcrs = p->pcrs;
	return status;
}

static enum status begin(struct proof *p)
{
	enum status status;
	unsigned int i;

	status = banks_init(&p->before);
	for (i = 0; i < p->banks.num && !status; i++)
		status = banks_add(&p->before, p->banks.bank[i].alg,
				   p->banks.bank[i].fill);
	p->before.pcrs = p->pcrs;
	return status;
}

/* Number of the chain that begins: one without a shard is used. */
static __u64 new_chain(const struct proof *p)
{
	size_t n = p->archive ? p->archive->num_chains : 0;

	if (!n)
		return 0;
	if (!p->have_last || p->archive->chain[n - 1] > p->last.chain)
		return p->archive->chain[n - 1];
	return p->archive->chain[n - 1] + 1;
}

static enum status check_fresh(struct proof *p)
{
	struct kernel *k = p->kernel;

	if (p->have_last && !strcmp(p->last.boot_id, k->boot_id))
		return say(REFUSED,
			   "TPM: it was reset while the kernel ran on: what the list says of the time before cannot be proven: reboot");
	if (k->removed > k->staged)
		return say(REFUSED,
			   "kernel's list: %llu records were deleted by another program before they were archived: what is left cannot be proven until the next reboot",
			   k->removed - k->staged);
	return DONE;
}

static enum status check_going_on(const struct proof *p)
{
	__u64 start = p->base + p->kernel->removed - p->kernel->staged;

	if (!p->known || start <= p->end)
		return DONE;
	return say(REFUSED,
		   "kernel's list: records %llu to %llu were deleted by another program before they were archived",
		   p->end, start - 1);
}

static enum status check_counters(const struct proof *p)
{
	if (!p->have_last || !counters_go_back(&p->last.info, &p->info))
		return DONE;
	return say(REFUSED,
		   "TPM: its clock or number of resets is behind that of the newest shard: it was cleared, or is another one: begin a new archive");
}

/**
 * prove_may_be_anew() - may the PCRs have begun anew, though the TPM was not reset?
 * @p: proof, with a quote
 *
 * They have if it was restarted, and then another kernel has booted; but it may also
 * have been resumed, and kexec came after.
 *
 * Return: whether they may have.
 */
bool prove_may_be_anew(const struct proof *p)
{
	return p->have_last && counters_restarted(&p->last.info, &p->info) &&
	       strcmp(p->last.boot_id, p->kernel->boot_id);
}

/**
 * prove_start() - find where to begin
 * @p: proof, with a quote
 *
 * Return: DONE; REFUSED: nothing can be proven, and why; IO; AGAIN: quote other PCRs.
 */
enum status prove_start(struct proof *p)
{
	bool had = p->have_last && p->last.info.resets == p->info.resets && !p->anew;
	enum status status = check_counters(p);

	if (status)
		return status;
	p->fresh = !had;
	p->known = false;
	if (had) {
		p->end = p->last.first + p->last.count;
		p->base = p->last.base;
		p->known = p->kernel->way != KERNEL_HELD && p->last.counted &&
			   !strcmp(p->last.boot_id, p->kernel->boot_id);
		return check_going_on(p) ?: go_on(p);
	}
	if (p->have_last && p->last.pcrs & ~BANKS_USUAL &&
	    p->pcrs == (p->last.pcrs | BANKS_USUAL)) {
		/* those were of the chain before */
		p->pcrs = BANKS_USUAL;
		p->last.pcrs = BANKS_USUAL;
		return AGAIN;
	}
	p->end = 0;
	p->chain = new_chain(p);
	return check_fresh(p) ?: begin(p);
}
