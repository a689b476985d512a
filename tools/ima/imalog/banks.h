/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCR banks that a log is replayed in.
 */
#ifndef _BANKS_H
#define _BANKS_H

#include "ima_log.h"
#include "ima_quote.h"
#include "say.h"

/*
 * PCRs that a quote can vouch for: nobody but IMA extends them, and nobody can
 * reset them. 0 to 7 are the firmware's; 16 and 23 can be reset by anyone, 17 to 22
 * belong to a dynamic launch. Records for those are kept, counted, not proven.
 */
#define BANKS_PROVABLE	0xff00u
#define BANKS_USUAL	0x0400u

/**
 * struct banks - banks with PCR values
 * @bank: each bank, in the order of the quote
 * @num: how many
 * @pcrs: which PCRs are quoted, a bit for each
 * @source: bank of the list that is archived, always SHA-1
 * @hash: working memory to compare with a quote
 * @replay: the banks, as ima_log_extend() takes them
 * @unproven: records met that @pcrs does not cover
 */
struct banks {
	struct ima_log_bank bank[IMA_LOG_BANKS_MAX];
	unsigned int num;
	__u32 pcrs;
	struct ima_log_bank source;
	struct ima_log_bank hash;
	struct ima_log_replay replay;
	__u64 unproven;
};

enum status banks_init(struct banks *b);
enum status banks_add(struct banks *b, __u16 alg, enum ima_log_fill fill);
void banks_copy(struct banks *to, const struct banks *from);
void banks_free(struct banks *b);
void banks_select(const struct banks *b, struct ima_log_selection *select);
__u32 banks_missing(const struct banks *b, const struct ima_log_record *rec);
bool banks_quoted(const struct banks *b, const struct ima_log_record *rec);
const char *banks_extend(struct banks *b, const struct ima_log_record *rec);
enum status banks_match(struct banks *b, const struct ima_log_target *target,
			bool *match);

#endif /* _BANKS_H */
