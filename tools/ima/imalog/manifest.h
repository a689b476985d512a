/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shard.json, the manifest of a shard; imalog-archive(5) has its members.
 */
#ifndef _MANIFEST_H
#define _MANIFEST_H

#include "banks.h"
#include "hex.h"
#include "ima_quote.h"

#define MANIFEST_FORMAT	"imalog shard 1"
#define MANIFEST_MAX	(256u << 10)	/* 16 banks of SHA-512 with all PCRs: 170 KiB */
#define MANIFEST_TEXT	64
#define MANIFEST_PLACE_SIZE	12	/* chain and first, at the end of random */
#define MANIFEST_TIME	"%Y-%m-%dT%H:%M:%SZ"

/* A bank's name, fill and values at both ends, as struct ima_log_bank has them. */
struct manifest_bank {
	__u16 alg;
	enum ima_log_fill fill;
	__u8 before[IMA_LOG_PCRS][IMA_LOG_DIGEST_MAX];
	__u8 after[IMA_LOG_PCRS][IMA_LOG_DIGEST_MAX];
};

/**
 * struct manifest - what shard.json says
 * @chain: number of the chain
 * @first: number of the first record since the TPM's reset
 * @count: how many records
 * @bytes: size of the file "records"
 * @unproven: how many of the records the quote does not vouch for
 * @records: SHA-256 of that file
 * @quote: of the file "quote"
 * @signature: of the file "signature"
 * @ak: of the file "ak"
 * @previous: SHA-256 of the manifest before, zeros if there is none
 * @boot_id: the kernel's
 * @kernel: its release
 * @base: number of the first record in the list when the kernel booted
 * @counted: the kernel tells how many records have left its list; if not, @base is
 *	where the list began at the quote
 * @removed: how many had left its list at the quote
 * @random: our part of the nonce: random bytes, and the shard's place
 * @verifier: a verifier's part, or nothing
 * @verifier_len: bytes of it
 * @info: the TPM's counters at the quote
 * @time: when, in UTC
 * @pcrs: which PCRs are quoted
 * @num_banks: how many banks
 * @bank: each, in the order of the quote
 * @self: SHA-256 of the whole file, not a member of it
 */
struct manifest {
	__u64 chain;
	__u64 first;
	__u64 count;
	__u64 bytes;
	__u64 unproven;
	__u8 records[HASH_SIZE];
	__u8 quote[HASH_SIZE];
	__u8 signature[HASH_SIZE];
	__u8 ak[HASH_SIZE];
	__u8 previous[HASH_SIZE];
	char boot_id[MANIFEST_TEXT + 1];
	char kernel[MANIFEST_TEXT + 1];
	__u64 base;
	bool counted;
	__u64 removed;
	__u8 random[HASH_SIZE];
	__u8 verifier[IMA_QUOTE_NONCE_MAX];
	size_t verifier_len;
	struct ima_quote_info info;
	char time[MANIFEST_TEXT + 1];
	__u32 pcrs;
	unsigned int num_banks;
	struct manifest_bank bank[IMA_LOG_BANKS_MAX];
	__u8 self[HASH_SIZE];
};

char *manifest_write(const struct manifest *m);
const char *manifest_read(struct manifest *m, const char *text, size_t len);
void manifest_set_place(struct manifest *m);
bool manifest_has_place(const struct manifest *m);
void manifest_nonce(const struct manifest *m, __u8 nonce[HASH_SIZE]);
enum status manifest_banks(const struct manifest *m, struct banks *b, bool after);
void manifest_set_banks(struct manifest *m, const struct banks *b, bool after);

#endif /* _MANIFEST_H */
