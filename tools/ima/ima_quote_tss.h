/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What taking and verifying a quote share of the TPM's own types.
 */
#ifndef _IMA_QUOTE_TSS_H
#define _IMA_QUOTE_TSS_H

#include <linux/types.h>
#include <openssl/types.h>
#include <tss2/tss2_esys.h>

#include "ima_quote.h"

/**
 * struct ima_quote_tpm - a connection to a TPM
 * @tcti: how it is reached
 * @esys: tpm2-tss's working memory
 * @ak: the attestation key, or ESYS_TR_NONE
 * @kept: @ak is persistent in the TPM, so there is nothing to flush
 * @error: what the last failure was
 */
struct ima_quote_tpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR ak;
	bool kept;
	char error[256];
};

int ima_quote_tpm_error(struct ima_quote_tpm *tpm, const char *what, TSS2_RC rc,
			int err);
int ima_quote_tpm_fail(struct ima_quote_tpm *tpm, const char *what, const char *why,
		       int err);
int ima_quote_set_auth(struct ima_quote_tpm *tpm, ESYS_TR handle, const char *auth);
void ima_quote_drop_ak(struct ima_quote_tpm *tpm);
int ima_quote_store_public(struct ima_quote_tpm *tpm, TPM2B_PUBLIC *public,
			   struct ima_quote_blob *ak);

const char *ima_quote_hash_name(TPMI_ALG_HASH hash);
int ima_quote_parse_ak(const struct ima_quote_blob *ak, TPM2B_PUBLIC *public,
		       struct ima_quote_kind *kind, const char **why);
EVP_PKEY *ima_quote_public_key(const TPMT_PUBLIC *p);

/* The PCRs of one bank: a bit for each. */
static inline __u32 select_get(const TPMS_PCR_SELECTION *sel)
{
	__u32 pcrs = 0;
	unsigned int i;

	for (i = 0; i < sel->sizeofSelect && i < sizeof(sel->pcrSelect); i++)
		pcrs |= (__u32)sel->pcrSelect[i] << 8 * i;
	return pcrs;
}

#endif /* _IMA_QUOTE_TSS_H */
