/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TPM 2.0 quotes: take one, and verify one without a TPM.
 */
#ifndef _IMA_QUOTE_H
#define _IMA_QUOTE_H

#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

#include "ima_log.h"

#define IMA_QUOTE_NONCE_MAX	32	/* what every TPM takes */
#define IMA_QUOTE_PRINT_SIZE	32	/* SHA-256 */
#define IMA_QUOTE_BLOB_MAX	2048	/* more than any of these structures */

struct ima_quote_tpm;

/**
 * enum ima_quote_hierarchy - whose primary key the attestation key is
 * @IMA_QUOTE_OWNER: of the storage hierarchy, new after the TPM is cleared
 * @IMA_QUOTE_ENDORSEMENT: of the endorsement hierarchy, the same for life
 */
enum ima_quote_hierarchy { IMA_QUOTE_OWNER, IMA_QUOTE_ENDORSEMENT };

/**
 * enum ima_quote_scheme - how a key signs
 * @IMA_QUOTE_ECDSA: ECDSA
 * @IMA_QUOTE_RSASSA: RSA, PKCS#1 v1.5
 * @IMA_QUOTE_RSAPSS: RSA, PSS
 */
enum ima_quote_scheme { IMA_QUOTE_ECDSA, IMA_QUOTE_RSASSA, IMA_QUOTE_RSAPSS };

/**
 * struct ima_quote_kind - a kind of attestation key
 * @scheme: how it signs
 * @bits: of the curve, 256 or 384, or of the modulus, 2048 or more
 * @hash: TPM's number of SHA-256, SHA-384 or SHA-512; the quoted PCRs, too, are
 *	hashed with it
 */
struct ima_quote_kind {
	enum ima_quote_scheme scheme;
	unsigned int bits;
	__u16 hash;
};

/**
 * struct ima_quote_blob - a TPM structure, in the TPM's own byte order
 * @size: bytes of @data
 * @data: the structure
 */
struct ima_quote_blob {
	size_t size;
	__u8 data[IMA_QUOTE_BLOB_MAX];
};

/**
 * struct ima_quote - a quote; tpm2_quote(1) writes the same two files
 * @attest: TPMS_ATTEST, which is what was signed
 * @signature: TPMT_SIGNATURE
 */
struct ima_quote {
	struct ima_quote_blob attest;
	struct ima_quote_blob signature;
};

/**
 * struct ima_quote_info - counters of the TPM, as a quote states them
 * @clock: milliseconds that the TPM has been powered, in its life
 * @resets: how often it was reset (TPM Reset: the PCRs begin anew)
 * @restarts: how often it was restarted or resumed since the last reset
 * @safe: @clock was never higher before
 *
 * @resets and @restarts are obfuscated, but the same for the same key, unless the
 * key is of the endorsement or platform hierarchy (TPM 2.0 Part 1, "Attestation").
 */
struct ima_quote_info {
	__u64 clock;
	__u32 resets;
	__u32 restarts;
	bool safe;
};

/**
 * struct ima_quote_values - PCR values, in the order of a selection
 * @select: whose values
 * @value: by place in @select, and by PCR; others are zero
 */
struct ima_quote_values {
	struct ima_log_selection select;
	__u8 value[IMA_LOG_BANKS_MAX][IMA_LOG_PCRS][IMA_LOG_DIGEST_MAX];
};

int ima_quote_open(struct ima_quote_tpm **tpm, const char *tcti);
void ima_quote_close(struct ima_quote_tpm *tpm);
const char *ima_quote_error(const struct ima_quote_tpm *tpm);

int ima_quote_banks(struct ima_quote_tpm *tpm, __u32 pcrs,
		    struct ima_log_selection *select);
int ima_quote_create_ak(struct ima_quote_tpm *tpm,
			enum ima_quote_hierarchy hierarchy,
			const struct ima_quote_kind *kind, const char *auth,
			struct ima_quote_blob *ak);
int ima_quote_load_handle(struct ima_quote_tpm *tpm, __u32 handle,
			  const char *auth, struct ima_quote_blob *ak);
int ima_quote_load_pem(struct ima_quote_tpm *tpm, FILE *pem, const char *auth,
		       const char *eh_auth, struct ima_quote_blob *ak);
int ima_quote_take(struct ima_quote_tpm *tpm,
		   const struct ima_log_selection *select, const void *nonce,
		   size_t nonce_len, struct ima_quote *quote);
int ima_quote_read_pcrs(struct ima_quote_tpm *tpm,
			const struct ima_log_selection *select,
			struct ima_quote_values *values);

int ima_quote_verify(const struct ima_quote *quote,
		     const struct ima_quote_blob *ak,
		     const struct ima_log_selection *select, const void *nonce,
		     size_t nonce_len, struct ima_log_target *target,
		     const char **why);
int ima_quote_info(const struct ima_quote *quote, struct ima_quote_info *info);
int ima_quote_verify_values(const struct ima_log_target *target,
			    const struct ima_quote_values *values);

int ima_quote_fingerprint(const struct ima_quote_blob *ak,
			  __u8 print[IMA_QUOTE_PRINT_SIZE], const char **why);
int ima_quote_pem_fingerprint(FILE *pem, __u8 print[IMA_QUOTE_PRINT_SIZE]);
int ima_quote_write_pem(const struct ima_quote_blob *ak, FILE *out);

#endif /* _IMA_QUOTE_H */
