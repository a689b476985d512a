/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A round: prove, archive, delete.
 */
#ifndef _ROUND_H
#define _ROUND_H

#include "prove.h"

/**
 * struct round_result - what a round did
 * @start: number of the kernel's first record before it
 * @archived_from: number of the first record that was archived
 * @archived: how many were
 * @unproven: how many of these no quote vouches for
 * @deleted: how many were deleted, or would be
 * @left: how many of those that are archived are left in the kernel
 * @waiting: how many records behind them wait there for one that is proven
 * @end: number of the first record that is not in the archive
 * @chain: number of the chain
 * @aligned: the kernel's place was found by replaying
 * @info: the TPM's counters at the quote
 * @print: fingerprint of the attestation key
 */
struct round_result {
	__u64 start;
	__u64 archived_from;
	__u64 archived;
	__u64 unproven;
	__u64 deleted;
	__u64 left;
	__u64 waiting;
	__u64 end;
	__u64 chain;
	bool aligned;
	struct ima_quote_info info;
	__u8 print[IMA_QUOTE_PRINT_SIZE];
};

enum status round_run(const struct options *opt, struct round_result *result);

#endif /* _ROUND_H */
