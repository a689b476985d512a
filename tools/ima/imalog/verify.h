/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verify an archive.
 */
#ifndef _VERIFY_H
#define _VERIFY_H

#include "archive.h"

/**
 * struct verify_chain - what was found in a chain
 * @chain: its number
 * @shards: how many shards
 * @records: how many records
 * @unproven: how many of these no quote vouches for
 * @bytes: size of the records
 * @info: the TPM's counters at the last quote
 * @time: when that was, by the machine's clock
 */
struct verify_chain {
	__u64 chain;
	__u64 shards;
	__u64 records;
	__u64 unproven;
	__u64 bytes;
	struct ima_quote_info info;
	char time[MANIFEST_TEXT + 1];
};

/**
 * struct verify_result - what was found in an archive
 * @chain: each chain
 * @num: how many
 * @older: chains that were before the first are not in the archive
 * @print: fingerprint of the key that signed all
 */
struct verify_result {
	struct verify_chain *chain;
	size_t num;
	bool older;
	__u8 print[IMA_QUOTE_PRINT_SIZE];
};

enum status verify_archive(struct archive *a, const __u8 print[IMA_QUOTE_PRINT_SIZE],
			   struct verify_result *result);
void verify_free(struct verify_result *result);

#endif /* _VERIFY_H */
