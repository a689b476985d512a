/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TPM and its attestation key, as the options name them.
 */
#ifndef _TPM_H
#define _TPM_H

#include "banks.h"
#include "ima_quote.h"
#include "options.h"

/**
 * struct tpm - a TPM with an attestation key
 * @tpm: connection
 * @ak: public part of the key
 * @print: its fingerprint
 */
struct tpm {
	struct ima_quote_tpm *tpm;
	struct ima_quote_blob ak;
	__u8 print[IMA_QUOTE_PRINT_SIZE];
};

enum status tpm_open(struct tpm *t, const struct options *opt);
void tpm_close(struct tpm *t);
enum status tpm_banks(struct tpm *t, struct ima_log_selection *select);
enum status tpm_quote(struct tpm *t, const struct banks *b, const void *nonce,
		      size_t len, struct ima_quote *quote,
		      struct ima_log_target *target, struct ima_quote_info *info);
enum status tpm_values(struct tpm *t, const struct banks *b,
		       struct ima_quote_values *values);
bool tpm_is_public(const char *ak);
enum status tpm_pinned(const struct options *opt, __u8 print[IMA_QUOTE_PRINT_SIZE]);

#endif /* _TPM_H */
