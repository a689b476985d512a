// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verify a TPM 2.0 quote, without a TPM.
 *
 * A restricted key has one scheme and one hash, which are part of it: a signature
 * of any other kind is not the key's, whatever its bytes say.
 */
#include <errno.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <tss2/tss2_mu.h>

#include "ima_quote.h"
#include "ima_quote_tss.h"

static int refuse(const char **why, const char *text, int err)
{
	*why = text;
	return err;
}

/* By the scheme and the hash of the key, or it is not the key's. */
static int parse_signature(const struct ima_quote_blob *blob,
			   const struct ima_quote_kind *kind, TPMT_SIGNATURE *sig,
			   const char **why)
{
	static const TPMI_ALG_SIG_SCHEME alg[] = {
		[IMA_QUOTE_ECDSA] = TPM2_ALG_ECDSA,
		[IMA_QUOTE_RSASSA] = TPM2_ALG_RSASSA,
		[IMA_QUOTE_RSAPSS] = TPM2_ALG_RSAPSS,
	};
	size_t pos = 0;

	if (blob->size > sizeof(blob->data) ||
	    Tss2_MU_TPMT_SIGNATURE_Unmarshal(blob->data, blob->size, &pos, sig) ||
	    pos != blob->size)
		return refuse(why, "signature is not a TPMT_SIGNATURE", -EINVAL);
	if (sig->sigAlg != alg[kind->scheme] || sig->signature.any.hashAlg != kind->hash)
		return refuse(why, "signature is not of the key's scheme and hash",
			      -EOPNOTSUPP);
	return 0;
}

static int parse_attest(const struct ima_quote_blob *blob, TPMS_ATTEST *attest,
			const char **why)
{
	size_t pos = 0;

	if (blob->size > sizeof(blob->data) ||
	    Tss2_MU_TPMS_ATTEST_Unmarshal(blob->data, blob->size, &pos, attest) ||
	    pos != blob->size)
		return refuse(why, "quote is not a TPMS_ATTEST", -EINVAL);
	if (attest->magic != TPM2_GENERATED_VALUE)
		return refuse(why, "quote was not made by a TPM", -EBADMSG);
	if (attest->type != TPM2_ST_ATTEST_QUOTE)
		return refuse(why, "attestation is not a quote", -EBADMSG);
	return 0;
}

/* R and S of the TPM, in the DER form that OpenSSL takes; NULL on failure. */
static __u8 *ecdsa_der(const TPMS_SIGNATURE_ECC *ecc, int *len)
{
	BIGNUM *r = BN_bin2bn(ecc->signatureR.buffer, ecc->signatureR.size, NULL);
	BIGNUM *s = BN_bin2bn(ecc->signatureS.buffer, ecc->signatureS.size, NULL);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	__u8 *der = NULL;

	if (r && s && sig && ECDSA_SIG_set0(sig, r, s)) {
		*len = i2d_ECDSA_SIG(sig, &der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	return der;
}

/* TPMs differ in how much salt they take: as little as the hash, or all there is. */
static bool set_padding(EVP_PKEY_CTX *ctx, enum ima_quote_scheme scheme)
{
	switch (scheme) {
	case IMA_QUOTE_RSASSA:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	case IMA_QUOTE_RSAPSS:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_AUTO) > 0;
	default:
		return true;
	}
}

static bool digest_verify(EVP_PKEY *key, const struct ima_quote_kind *kind,
			  const __u8 *sig, size_t len,
			  const struct ima_quote_blob *message)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx;
	bool good;

	good = ctx && EVP_DigestVerifyInit_ex(ctx, &key_ctx, ima_quote_hash_name(kind->hash),
					      NULL, NULL, key, NULL) == 1 &&
	       set_padding(key_ctx, kind->scheme) &&
	       EVP_DigestVerify(ctx, sig, len, message->data, message->size) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

static bool signature_good(const TPMT_PUBLIC *p, const struct ima_quote_kind *kind,
			   const TPMT_SIGNATURE *sig,
			   const struct ima_quote_blob *message)
{
	const TPM2B_PUBLIC_KEY_RSA *rsa = &sig->signature.rsassa.sig;
	bool is_ecc = kind->scheme == IMA_QUOTE_ECDSA;
	EVP_PKEY *key = ima_quote_public_key(p);
	__u8 *der = NULL;
	bool good = false;
	int len = 0;

	if (is_ecc)
		der = ecdsa_der(&sig->signature.ecdsa, &len);
	if (key && is_ecc)
		good = der && len > 0 && digest_verify(key, kind, der, len, message);
	else if (key)
		good = digest_verify(key, kind, rsa->buffer, rsa->size, message);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	return good;
}

/* The PCRs are hashed as the signature is. */
static int get_target(const TPMS_QUOTE_INFO *info, __u16 hash,
		      struct ima_log_target *target, const char **why)
{
	unsigned int i;

	memset(target, 0, sizeof(*target));
	if (info->pcrSelect.count > IMA_LOG_BANKS_MAX ||
	    info->pcrDigest.size != ima_log_alg_size(hash))
		return refuse(why, "quote has a bad size in it", -EBADMSG);
	target->alg = hash;
	memcpy(target->digest, info->pcrDigest.buffer, info->pcrDigest.size);
	target->select.num = info->pcrSelect.count;
	for (i = 0; i < info->pcrSelect.count; i++) {
		const TPMS_PCR_SELECTION *sel = &info->pcrSelect.pcrSelections[i];

		target->select.bank[i].alg = sel->hash;
		target->select.bank[i].pcrs = select_get(sel);
	}
	return 0;
}

static bool select_same(const struct ima_log_selection *a,
			const struct ima_log_selection *b)
{
	unsigned int i;

	if (a->num != b->num)
		return false;
	for (i = 0; i < a->num; i++)
		if (a->bank[i].alg != b->bank[i].alg ||
		    a->bank[i].pcrs != b->bank[i].pcrs)
			return false;
	return true;
}

/**
 * ima_quote_info() - what a quote says beside the PCRs
 * @quote: quote, verified
 * @info: counters of the TPM
 *
 * Return: 0, -EINVAL or -EBADMSG: this is not a quote.
 */
int ima_quote_info(const struct ima_quote *quote, struct ima_quote_info *info)
{
	TPMS_ATTEST attest = { 0 };
	const char *why;
	int err;

	err = parse_attest(&quote->attest, &attest, &why);
	if (err)
		return err;
	info->clock = attest.clockInfo.clock;
	info->resets = attest.clockInfo.resetCount;
	info->restarts = attest.clockInfo.restartCount;
	info->safe = attest.clockInfo.safe;
	return 0;
}

/**
 * ima_quote_verify() - verify a quote; no TPM is needed
 * @quote: quote; nothing in it is trusted
 * @ak: public part of the key, which must be known to be the TPM's
 * @select: the PCRs that it was asked for; NULL: any, then look at @target->select
 * @nonce: the nonce that it was asked with
 * @nonce_len: bytes of @nonce
 * @target: what the quote states of the PCRs, for ima_log_find_quote()
 * @why: what is wrong, if anything
 *
 * Return: 0, or
 * -EKEYREJECTED: the key could sign a forged quote, or has not signed this one,
 * -EBADMSG: this is not a quote, or not one that was asked for,
 * -EINVAL: malformed, -EOPNOTSUPP: another kind of key.
 */
int ima_quote_verify(const struct ima_quote *quote,
		     const struct ima_quote_blob *ak,
		     const struct ima_log_selection *select, const void *nonce,
		     size_t nonce_len, struct ima_log_target *target,
		     const char **why)
{
	TPM2B_PUBLIC public = { .size = 0 };
	struct ima_quote_kind kind = { 0 };
	TPMT_SIGNATURE sig = { 0 };
	TPMS_ATTEST attest = { 0 };
	int err;

	err = ima_quote_parse_ak(ak, &public, &kind, why);
	if (!err)
		err = parse_signature(&quote->signature, &kind, &sig, why);
	if (!err)
		err = parse_attest(&quote->attest, &attest, why);
	if (err)
		return err;
	if (!signature_good(&public.publicArea, &kind, &sig, &quote->attest))
		return refuse(why, "signature is not the key's", -EKEYREJECTED);
	if (attest.extraData.size != nonce_len ||
	    memcmp(attest.extraData.buffer, nonce, nonce_len))
		return refuse(why, "nonce is not the one asked with", -EBADMSG);
	err = get_target(&attest.attested.quote, kind.hash, target, why);
	if (err)
		return err;
	if (select && !select_same(select, &target->select))
		return refuse(why, "PCRs are not those asked for", -EBADMSG);
	return 0;
}

/**
 * ima_quote_verify_values() - are these the PCR values that were quoted?
 * @target: what a verified quote states
 * @values: PCR values, for the same selection
 *
 * Return: 1 if they are, 0 if not, -EINVAL: for other PCRs,
 * -EOPNOTSUPP: unknown bank, -ENOMEM.
 */
int ima_quote_verify_values(const struct ima_log_target *target,
			    const struct ima_quote_values *values)
{
	const struct ima_log_selection *sel = &values->select;
	const char *hash = ima_quote_hash_name(target->alg);
	EVP_MD_CTX *ctx;
	__u8 digest[IMA_LOG_DIGEST_MAX];
	unsigned int i, pcr;
	int ok;

	if (!hash || !select_same(sel, &target->select))
		return -EINVAL;
	for (i = 0; i < sel->num; i++)
		if (!ima_log_alg_size(sel->bank[i].alg))
			return -EOPNOTSUPP;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestInit_ex(ctx, EVP_get_digestbyname(hash), NULL);
	for (i = 0; i < sel->num; i++)
		for (pcr = 0; pcr < IMA_LOG_PCRS; pcr++)
			if (sel->bank[i].pcrs >> pcr & 1)
				ok = ok && EVP_DigestUpdate(ctx, values->value[i][pcr],
							    ima_log_alg_size(sel->bank[i].alg));
	ok = ok && EVP_DigestFinal_ex(ctx, digest, NULL);
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return -ENOMEM;
	return !memcmp(digest, target->digest, ima_log_alg_size(target->alg));
}
