// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why the list does not lead to the quote. Nothing is taken for granted from here on:
 * whatever the reason, nothing is archived and nothing deleted.
 */
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "prove.h"

#define FAILED_MAX	256		/* newest records that are tried one by one */
#define FAILED_WORK	4000000		/* and records that are replayed for it in all */

/* Do the records lead to the quote if one of them was not extended? */
static enum status replay_without(struct proof *p, __u64 without, bool *match)
{
	struct stream s = { .num = 0 };
	struct ima_log_record rec;
	enum status status;
	bool end = false;

	banks_copy(&p->banks, &p->before);
	status = kernel_stream(p->kernel, &s, p->start);
	while (!status && !*match) {
		status = stream_next(&s, &rec, &end);
		if (status || end)
			break;
		if (stream_number(&s) <= p->end)
			continue;
		if (stream_number(&s) != without + 1 && banks_extend(&p->banks, &rec))
			break;
		if (stream_number(&s) > without)
			status = banks_match(&p->banks, &p->target, match);
	}
	stream_close(&s);
	return status;
}

/* Is there a record that is in the list, but not in the PCR? */
static enum status find_failed(struct proof *p, __u64 *number, bool *found)
{
	__u64 listed = p->kernel->staged + p->kernel->count;
	__u64 n = p->start + listed, tries = FAILED_WORK / (listed + 1);
	enum status status = DONE;

	if (tries > FAILED_MAX)
		tries = FAILED_MAX;
	*found = false;
	while (!status && !*found && n > p->end && tries--) {
		status = replay_without(p, --n, found);
		*number = n;
	}
	return status;
}

/* PCRs that the records do not lead to, in any bank. */
static enum status find_strange(struct proof *p, __u32 *pcrs)
{
	struct ima_quote_values *values = malloc(sizeof(*values));
	enum status status;
	unsigned int i, pcr;
	bool match;

	*pcrs = 0;
	if (!values)
		return say_errno("TPM");
	status = prove_replay(p, p->start, &match);
	if (!status)
		status = tpm_values(p->tpm, &p->banks, values);
	for (i = 0; i < p->banks.num && !status; i++)
		for (pcr = 0; pcr < IMA_LOG_PCRS; pcr++)
			if (p->pcrs >> pcr & 1 &&
			    memcmp(values->value[i][pcr], p->banks.bank[i].value[pcr],
				   p->banks.bank[i].size))
				*pcrs |= 1u << pcr;
	free(values);
	return status;
}

static enum status not_the_usual(struct proof *p)
{
	enum status status;
	__u32 pcrs;

	status = find_strange(p, &pcrs);
	if (status)
		return status;
	if (pcrs && !(pcrs & BANKS_USUAL))
		return say(REFUSED,
			   "PCR %d: others than IMA extend it, so no quote can prove records for it: change the pcr= of the policy's rule",
			   __builtin_ctz(pcrs));
	return DONE;
}

/**
 * prove_explain() - say why the list does not lead to the quote
 * @p: proof, after a replay without a match
 *
 * Return: REFUSED; IO, TPM; AGAIN: the list changed meanwhile.
 */
enum status prove_explain(struct proof *p)
{
	bool same_boot = p->have_last && !strcmp(p->last.boot_id, p->kernel->boot_id);
	enum status status;
	__u64 number = 0;
	bool found;

	if (!p->fresh && !same_boot && p->other_fill)
		return say(REFUSED,
			   "kernel's list: this kernel extends bank %s in another way than the one before kexec, as it was built with other hashes: what is in the list cannot be proven until the next reboot",
			   p->other_fill);
	status = find_failed(p, &number, &found);
	if (status)
		return status;
	if (found)
		return say(REFUSED,
			   "kernel's list: record %llu is in the list, but was not extended into the PCR: the TPM failed then (see the kernel log), attestation fails until the next reboot",
			   number);
	status = not_the_usual(p);
	if (status)
		return status;
	if (same_boot && counters_restarted(&p->last.info, &p->info))
		return say(REFUSED,
			   "TPM: it was restarted since the newest shard, and the list does not lead to its PCRs: after hibernation they began anew: then what is in the list cannot be proven until the next reboot");
	if (p->fresh && same_boot)
		return say(REFUSED, "kernel's list: does not lead to the TPM's PCRs");
	if (p->fresh)
		return say(REFUSED,
			   "kernel's list: does not lead from the TPM's reset to its PCRs: records were deleted before they were archived, or a kexec left them behind, or the list was altered");
	if (!same_boot)
		return say(REFUSED,
			   "kernel's list: does not go on from any place in the archive: a kexec left records behind, or another program deleted records that are not archived, or one of them was altered");
	return say(REFUSED,
		   "kernel's list: records from %llu on do not lead to the TPM's PCRs: the list was altered, or others than IMA extend PCR 10",
		   p->end);
}
