/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parse and replay the binary IMA measurement list.
 *
 * The list is what binary_runtime_measurements_<algorithm> holds. It comes from
 * a kernel or an archive that may have been tampered with, so no length in it
 * is trusted. What the records are worth is known only after a replay has led
 * to the PCR values of a verified TPM quote. Two things no quote vouches for, as
 * the kernel does not hash them: the name of a record's template (so unknown
 * names, and a wrong number of fields, are refused), and the data of a violation.
 * Nor does one for the records of a PCR that no TPM has, see ima_log_replayed().
 */
#ifndef _IMA_LOG_H
#define _IMA_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#endif

#define IMA_LOG_PCRS		24	/* a PC's TPM has PCRs 0 to 23 */
#define IMA_LOG_PCR_LAST	63	/* the kernel has 64 bits for them, and takes each */
#define IMA_LOG_DIGEST_MAX	64	/* SHA-512 */
#define IMA_LOG_BANKS_MAX	16	/* TPM2_NUM_PCR_BANKS */
#define IMA_LOG_FIELDS_MAX	15	/* the kernel's IMA_TEMPLATE_NUM_FIELDS_MAX */
#define IMA_LOG_NAME_MAX	254	/* 15 field names of 16 bytes, 14 times '|' */
#define IMA_LOG_EVENT_NAME_MAX	255	/* file name in the old template "ima" */
#define IMA_LOG_DATA_MAX	(64u << 20)	/* more than any kernel can allocate */

/**
 * enum ima_log_order - byte order of the numbers in a list
 * @IMA_LOG_HOST: the order of the machine this runs on, the kernel's default
 * @IMA_LOG_LITTLE: little-endian, which is also what ima_canonical_fmt gives
 * @IMA_LOG_BIG: big-endian, for a list brought from such a machine
 */
enum ima_log_order { IMA_LOG_HOST, IMA_LOG_LITTLE, IMA_LOG_BIG };

/**
 * struct ima_log_parser - a place in a list
 * @data: the bytes at hand
 * @len: how many
 * @pos: bytes of @data that were consumed
 * @base: offset of @data[0] in the whole list, for messages
 * @records: records returned so far
 * @unproven: how many of these ima_log_replayed() is false for
 * @digest_size: bytes of a template digest in this list
 * @order: byte order of its numbers
 * @any_template: accept names of templates and fields that are not known here.
 *	The names are in no digest: an altered one is noticed by this check alone.
 * @error_record: number of the record that failed, counted from 1
 * @error_offset: where in the whole list the failure was found
 * @error: what was wrong there, NULL if nothing failed
 *
 * All but @any_template is set by ima_log_init() and kept by the functions here.
 */
struct ima_log_parser {
	const __u8 *data;
	size_t len;
	size_t pos;
	__u64 base;
	unsigned long records;
	unsigned long unproven;
	size_t digest_size;
	enum ima_log_order order;
	bool any_template;
	unsigned long error_record;
	__u64 error_offset;
	const char *error;
};

/**
 * struct ima_log_field - one field of a record's template data
 * @data: its bytes, in the parser's buffer
 * @len: how many
 */
struct ima_log_field {
	const __u8 *data;
	__u32 len;
};

/**
 * struct ima_log_record - one record; its pointers point into the parser's buffer
 * @offset: where it starts in the whole list
 * @raw: the record as it stands in the list
 * @len: bytes of @raw
 * @pcr: the PCR that it is for, up to IMA_LOG_PCR_LAST
 * @digest: template digest of the list's algorithm; all zero for a violation
 * @digest_size: bytes of @digest
 * @violation: @digest is all zero, and 0xff was extended
 * @template_name: name of the template, or its format if it has no name
 * @template_fmt: names of its fields, joined by '|'; NULL if not known
 * @data: template data, as serialized
 * @data_len: bytes of @data
 * @old_ima: template "ima", whose digest is made in a way of its own
 * @fields: the parts of @data
 * @num_fields: how many
 */
struct ima_log_record {
	__u64 offset;
	const __u8 *raw;
	size_t len;
	__u32 pcr;
	const __u8 *digest;
	size_t digest_size;
	bool violation;
	char template_name[IMA_LOG_NAME_MAX + 1];
	const char *template_fmt;
	const __u8 *data;
	size_t data_len;
	bool old_ima;
	struct ima_log_field fields[IMA_LOG_FIELDS_MAX];
	unsigned int num_fields;
};

/**
 * ima_log_replayed() - did a record extend a PCR?
 * @rec: record
 *
 * The kernel takes any "pcr=" up to IMA_LOG_PCR_LAST from a policy. The TPM refuses
 * those that it does not have; the record is in the list nevertheless. A replay
 * counts it and leaves the banks alone, so it can be altered, added or left out
 * without any quote telling.
 *
 * Return: whether a quote can vouch for @rec.
 */
static inline bool ima_log_replayed(const struct ima_log_record *rec)
{
	return rec->pcr < IMA_LOG_PCRS;
}

/**
 * enum ima_log_fill - what the kernel extends a bank with
 * @IMA_LOG_OWN_HASH: the template digest in the bank's own algorithm
 * @IMA_LOG_PADDED: SHA-1 and zeros, as the kernel was built without this hash
 * @IMA_LOG_UNMAPPED: the same, as the kernel has no name for the algorithm; it
 *	differs from the former in a violation: 0xff as long as SHA-1, then zeros
 */
enum ima_log_fill { IMA_LOG_OWN_HASH, IMA_LOG_PADDED, IMA_LOG_UNMAPPED };

/**
 * struct ima_log_bank - PCR values of one bank, as far as a replay has got
 * @alg: TPM's number of the algorithm
 * @name: the kernel's name of it, as in the names of the lists
 * @size: bytes of a digest
 * @fill: what the kernel extends this bank with
 * @value: value of each PCR; set them to start from another place than boot
 * @md: hash of the bank
 * @template_md: hash of the template data, not the same if @fill says so
 * @ctx: OpenSSL's working memory
 */
struct ima_log_bank {
	__u16 alg;
	const char *name;
	size_t size;
	enum ima_log_fill fill;
	__u8 value[IMA_LOG_PCRS][IMA_LOG_DIGEST_MAX];
	struct evp_md_st *md;
	struct evp_md_st *template_md;
	struct evp_md_ctx_st *ctx;
};

/**
 * struct ima_log_selection - PCRs of several banks, in the order of a quote
 * @num: number of banks
 * @bank: algorithm, and a bit for each PCR
 */
struct ima_log_selection {
	unsigned int num;
	struct {
		__u16 alg;
		__u32 pcrs;
	} bank[IMA_LOG_BANKS_MAX];
};

/**
 * struct ima_log_target - PCR values to be found, as a quote states them
 * @select: whose values were hashed
 * @alg: TPM's number of the algorithm of @digest
 * @digest: hash over the values in the order of @select
 */
struct ima_log_target {
	struct ima_log_selection select;
	__u16 alg;
	__u8 digest[IMA_LOG_DIGEST_MAX];
};

/**
 * struct ima_log_replay - what a replay works on
 * @banks: the banks to extend
 * @num_banks: how many
 * @source: bank that the list was read from (one of @banks or one apart), to
 *	check the digest that each record claims; NULL if it is not known. Without
 *	it an altered digest in the list goes unnoticed: only the data is replayed.
 */
struct ima_log_replay {
	struct ima_log_bank *banks;
	unsigned int num_banks;
	struct ima_log_bank *source;
};

__u16 ima_log_alg_by_name(const char *name);
const char *ima_log_alg_name(__u16 alg);
size_t ima_log_alg_size(__u16 alg);

void ima_log_init(struct ima_log_parser *p, const void *data, size_t len,
		  size_t digest_size, enum ima_log_order order);
void ima_log_feed(struct ima_log_parser *p, const void *data, size_t len);
int ima_log_next(struct ima_log_parser *p, struct ima_log_record *rec);

int ima_log_bank_init(struct ima_log_bank *bank, __u16 alg,
		      enum ima_log_fill fill);
void ima_log_bank_reset(struct ima_log_bank *bank);
void ima_log_bank_free(struct ima_log_bank *bank);
int ima_log_bank_detect(struct ima_log_bank *bank,
			const struct ima_log_record *rec);

int ima_log_hash(struct ima_log_bank *bank, const struct ima_log_record *rec,
		 __u8 digest[IMA_LOG_DIGEST_MAX]);
int ima_log_check(struct ima_log_bank *bank, const struct ima_log_record *rec);
int ima_log_extend(const struct ima_log_replay *replay,
		   const struct ima_log_record *rec);

int ima_log_replay(const struct ima_log_replay *replay,
		   struct ima_log_parser *p, unsigned long max);
int ima_log_pcr_digest(const struct ima_log_replay *replay,
		       const struct ima_log_selection *select, __u16 alg,
		       __u8 digest[IMA_LOG_DIGEST_MAX]);
int ima_log_match(const struct ima_log_replay *replay,
		  const struct ima_log_target *target,
		  struct ima_log_bank *hash);
int ima_log_find_quote(const struct ima_log_replay *replay,
		       struct ima_log_parser *p,
		       const struct ima_log_target *target);

#endif /* _IMA_LOG_H */
