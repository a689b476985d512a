// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCR banks that a log is replayed in.
 */
#include <errno.h>
#include <string.h>

#include "banks.h"

/**
 * banks_init() - begin with no bank
 * @b: banks, to be released with banks_free() whatever is returned
 *
 * Return: DONE, or IO: OpenSSL has no SHA-1 or no memory.
 */
enum status banks_init(struct banks *b)
{
	memset(b, 0, sizeof(*b));
	b->pcrs = BANKS_USUAL;
	if (ima_log_bank_init(&b->source, ima_log_alg_by_name("sha1"),
			      IMA_LOG_OWN_HASH))
		return say(IO, "OpenSSL: no SHA-1");
	b->replay.banks = b->bank;
	b->replay.source = &b->source;
	return DONE;
}

/**
 * banks_add() - add a bank, with the PCR values of a reset
 * @b: banks
 * @alg: TPM_ALG_ID
 * @fill: what the kernel extends it with
 *
 * Return: DONE, or REFUSED: unknown here or to OpenSSL.
 */
enum status banks_add(struct banks *b, __u16 alg, enum ima_log_fill fill)
{
	if (b->num == IMA_LOG_BANKS_MAX ||
	    ima_log_bank_init(&b->bank[b->num], alg, fill))
		return say(REFUSED, "bank 0x%x: unknown algorithm", alg);
	b->replay.num_banks = ++b->num;
	return DONE;
}

/**
 * banks_copy() - take over the PCR values
 * @to: banks
 * @from: banks of the same algorithms
 */
void banks_copy(struct banks *to, const struct banks *from)
{
	unsigned int i;

	for (i = 0; i < to->num; i++)
		memcpy(to->bank[i].value, from->bank[i].value,
		       sizeof(to->bank[i].value));
	to->unproven = from->unproven;
}

/**
 * banks_free() - release what the banks hold
 * @b: banks
 */
void banks_free(struct banks *b)
{
	while (b->num)
		ima_log_bank_free(&b->bank[--b->num]);
	ima_log_bank_free(&b->source);
	ima_log_bank_free(&b->hash);
}

/**
 * banks_select() - what a quote has to be asked for
 * @b: banks
 * @select: the quoted PCRs of each
 */
void banks_select(const struct banks *b, struct ima_log_selection *select)
{
	unsigned int i;

	memset(select, 0, sizeof(*select));
	select->num = b->num;
	for (i = 0; i < b->num; i++) {
		select->bank[i].alg = b->bank[i].alg;
		select->bank[i].pcrs = b->pcrs;
	}
}

/**
 * banks_quoted() - does the quote cover this record?
 * @b: banks
 * @rec: record
 *
 * Return: whether it does.
 */
bool banks_quoted(const struct banks *b, const struct ima_log_record *rec)
{
	return ima_log_replayed(rec) && b->pcrs >> rec->pcr & 1;
}

/**
 * banks_missing() - which PCR must be quoted as well, for this record to be covered?
 * @b: banks
 * @rec: record
 *
 * Return: its bit, or 0: it is quoted, or no quote can cover it.
 */
__u32 banks_missing(const struct banks *b, const struct ima_log_record *rec)
{
	return ima_log_replayed(rec) ? 1u << rec->pcr & BANKS_PROVABLE & ~b->pcrs : 0;
}

/**
 * banks_extend() - replay a record
 * @b: banks
 * @rec: record
 *
 * Return: NULL, or what is wrong with it.
 */
const char *banks_extend(struct banks *b, const struct ima_log_record *rec)
{
	struct ima_log_replay check = { .source = &b->source };
	bool quoted = banks_quoted(b, rec);

	b->unproven += !quoted;
	switch (ima_log_extend(quoted ? &b->replay : &check, rec)) {
	case 0:
		return NULL;
	case -EBADMSG:
		return "template digest is not that of the data";
	default:
		return "template digest cannot be made";
	}
}

/**
 * banks_match() - are these the PCR values of a quote?
 * @b: banks
 * @target: what the quote states
 * @match: whether they are
 *
 * Return: DONE, or REFUSED: the quote is of other PCRs.
 */
enum status banks_match(struct banks *b, const struct ima_log_target *target,
			bool *match)
{
	int ret = 0;

	if (b->hash.alg != target->alg) {
		ima_log_bank_free(&b->hash);
		ret = ima_log_bank_init(&b->hash, target->alg, IMA_LOG_OWN_HASH);
	}
	if (!ret)
		ret = ima_log_match(&b->replay, target, &b->hash);
	if (ret < 0)
		return say(REFUSED, "quote: its PCRs cannot be compared");
	*match = ret;
	return DONE;
}
