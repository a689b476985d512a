/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prove what the kernel's list adds to the archive with a fresh quote.
 */
#ifndef _PROVE_H
#define _PROVE_H

#include "archive_write.h"
#include "kernel.h"
#include "tpm.h"

/**
 * struct proof - what a quote proves
 * @opt: options
 * @archive: archive, or NULL if there is none
 * @kernel: kernel
 * @tpm: TPM
 * @out: where the records go that the archive does not have, or NULL
 * @writing: @out was begun
 * @pcrs: PCRs that are quoted
 * @last: manifest of the newest shard
 * @have_last: there is one
 * @mismatches: how often the list did not lead to the quote
 * @anew: the TPM was restarted, and its PCRs began anew, as for a reset
 * @fresh: the TPM was reset since then, a new chain begins
 * @chain: number of the chain
 * @start: number of the kernel's first record
 * @end: number of the first record that is not in the archive
 * @proven: number of the first record that is not proven
 * @bytes: size of the records from @end to @proven
 * @unproven: how many of these the quote does not vouch for
 * @known: @start is known from @base and what the kernel has removed
 * @aligned: the place was found by replaying
 * @other_fill: bank that this kernel extends in another way than the one before
 * @base: number of the first record when this kernel booted
 * @random: our part of the nonce
 * @quote: the quote
 * @target: what it states of the PCRs
 * @info: and beside them
 * @before: PCR values at @end
 * @banks: PCR values at @proven
 */
struct proof {
	const struct options *opt;
	struct archive *archive;
	struct kernel *kernel;
	struct tpm *tpm;
	struct new_shard *out;
	bool writing;
	__u32 pcrs;
	struct manifest last;
	bool have_last;
	unsigned int mismatches;
	bool anew;
	bool fresh;
	__u64 chain;
	__u64 start;
	__u64 end;
	__u64 proven;
	__u64 bytes;
	__u64 unproven;
	bool known;
	bool aligned;
	const char *other_fill;
	__u64 base;
	__u8 random[HASH_SIZE];
	struct ima_quote quote;
	struct ima_log_target target;
	struct ima_quote_info info;
	struct banks before;
	struct banks banks;
};

enum status prove_init(struct proof *p, const struct options *opt, struct archive *a,
		       struct kernel *k, struct tpm *t, struct new_shard *out);
enum status prove_check_key(const struct proof *p);
enum status prove(struct proof *p);
void prove_end(struct proof *p);
void prove_manifest(const struct proof *p, struct manifest *m);

enum status prove_start(struct proof *p);
bool prove_may_be_anew(const struct proof *p);
enum status prove_replay(struct proof *p, __u64 start, bool *match);
enum status prove_explain(struct proof *p);

#endif /* _PROVE_H */
