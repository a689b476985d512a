/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verify an archive.
 */
#ifndef _VERIFY_H
#define _VERIFY_H

#include "archive.h"

/**
 * struct verify_banks - the banks that a quote is of
 * @num: how many
 * @alg: TPM_ALG_ID of each
 */
struct verify_banks {
	unsigned int num;
	__u16 alg[IMA_LOG_BANKS_MAX];
};

/**
 * struct verify_chain - what was found in a chain
 * @chain: its number
 * @shards: how many shards
 * @records: how many records
 * @unproven: how many of these no quote vouches for
 * @bytes: size of the records
 * @banks: in which they were replayed
 * @info: the TPM's counters at the last quote
 * @time: when that was, by the machine's clock
 */
struct verify_chain {
	__u64 chain;
	__u64 shards;
	__u64 records;
	__u64 unproven;
	__u64 bytes;
	struct verify_banks banks;
	struct ima_quote_info info;
	char time[MANIFEST_TEXT + 1];
};

/**
 * struct verify_shard - what was found in a shard
 * @chain: number of its chain
 * @first: number of its first record
 * @count: how many records
 * @unproven: how many of these no quote vouches for
 * @bytes: size of the records
 * @start: number of the first record that was in the kernel at the quote
 * @asked: a verifier's nonce is in the quote
 * @info: the TPM's counters at the quote
 * @time: when that was, by the machine's clock
 * @kernel: release of the kernel
 * @self: hash of the manifest
 */
struct verify_shard {
	__u64 chain;
	__u64 first;
	__u64 count;
	__u64 unproven;
	__u64 bytes;
	__u64 start;
	bool asked;
	struct ima_quote_info info;
	char time[MANIFEST_TEXT + 1];
	char kernel[MANIFEST_TEXT + 1];
	__u8 self[HASH_SIZE];
};

/**
 * struct verify_live - what a fresh quote says of the records in the kernel
 * @looked: it was asked
 * @start: number of the first record there
 * @end: number of the first that is not in the archive
 * @proven: number of the first that is not proven
 * @chain: number of the chain
 * @banks: in which the records were replayed
 * @info: the TPM's counters
 */
struct verify_live {
	bool looked;
	__u64 start;
	__u64 end;
	__u64 proven;
	__u64 chain;
	struct verify_banks banks;
	struct ima_quote_info info;
};

/**
 * struct verify_result - what was found in an archive
 * @chain: each chain
 * @num: how many
 * @shard: each shard
 * @num_shards: how many
 * @older: chains that were before the first are not in the archive
 * @print: fingerprint of the key that signed all
 * @live: what is in the kernel
 */
struct verify_result {
	struct verify_chain *chain;
	size_t num;
	struct verify_shard *shard;
	size_t num_shards;
	bool older;
	__u8 print[IMA_QUOTE_PRINT_SIZE];
	struct verify_live live;
};

enum status verify_archive(struct archive *a, const __u8 print[IMA_QUOTE_PRINT_SIZE],
			   struct verify_result *result);
enum status verify_all(const struct options *opt, struct verify_result *result);
void verify_free(struct verify_result *result);

#endif /* _VERIFY_H */
