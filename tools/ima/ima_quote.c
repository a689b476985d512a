// SPDX-License-Identifier: GPL-2.0-only
/*
 * TPM 2.0 quotes: take one, and verify one without a TPM.
 *
 * The attestation key (AK) is a restricted ECC P-256 signing key, made as a
 * primary key: from the same hierarchy of the same TPM comes the same key each
 * time, so nothing has to be stored but its public part. "Restricted" matters: the
 * TPM signs nothing with it that looks like a quote and is none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include "ima_quote.h"

#define DEFAULT_TCTI	"device:/dev/tpmrm0"
#define P256_SIZE	32
#define SELECT_BYTES	(IMA_LOG_PCRS / 8)
#define READ_TRIES	100

struct ima_quote_tpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR ak;
	char error[256];
};

static int tpm_error(struct ima_quote_tpm *tpm, const char *what, TSS2_RC rc,
		     int err)
{
	snprintf(tpm->error, sizeof(tpm->error), "%s: %s (0x%x)", what,
		 Tss2_RC_Decode(rc), rc);
	return err;
}

static int tpm_fail(struct ima_quote_tpm *tpm, const char *what, const char *why,
		    int err)
{
	snprintf(tpm->error, sizeof(tpm->error), "%s: %s", what, why);
	return err;
}

/**
 * ima_quote_open() - connect to a TPM
 * @tpm: the connection, to be closed with ima_quote_close(); set on failure too,
 *	for ima_quote_error()
 * @tcti: how, such as "device:/dev/tpmrm0"; NULL for what the environment has in
 *	IMA_TCTI or TPM2TOOLS_TCTI, and this example if it has neither
 *
 * Return: 0, -ENODEV: no TPM there, -EIO: it does not answer, -ENOMEM.
 */
int ima_quote_open(struct ima_quote_tpm **tpm, const char *tcti)
{
	struct ima_quote_tpm *t;
	TSS2_RC rc;

	t = calloc(1, sizeof(*t));
	*tpm = t;
	if (!t)
		return -ENOMEM;
	t->ak = ESYS_TR_NONE;

	if (!tcti)
		tcti = getenv("IMA_TCTI");
	if (!tcti)
		tcti = getenv("TPM2TOOLS_TCTI");
	if (!tcti)
		tcti = DEFAULT_TCTI;
	rc = Tss2_TctiLdr_Initialize(tcti, &t->tcti);
	if (rc)
		return tpm_error(t, tcti, rc, -ENODEV);
	rc = Esys_Initialize(&t->esys, t->tcti, NULL);
	if (rc)
		return tpm_error(t, tcti, rc, -EIO);
	return 0;
}

/**
 * ima_quote_close() - forget the key and close the connection
 * @tpm: connection, or NULL
 */
void ima_quote_close(struct ima_quote_tpm *tpm)
{
	if (!tpm)
		return;
	if (tpm->ak != ESYS_TR_NONE)
		Esys_FlushContext(tpm->esys, tpm->ak);
	Esys_Finalize(&tpm->esys);
	Tss2_TctiLdr_Finalize(&tpm->tcti);
	free(tpm);
}

/**
 * ima_quote_error() - what the last failure was
 * @tpm: connection
 *
 * Return: "what: why".
 */
const char *ima_quote_error(const struct ima_quote_tpm *tpm)
{
	return tpm ? tpm->error : "TPM: out of memory";
}

static __u32 select_get(const TPMS_PCR_SELECTION *sel)
{
	__u32 pcrs = 0;
	unsigned int i;

	for (i = 0; i < sel->sizeofSelect && i < sizeof(sel->pcrSelect); i++)
		pcrs |= (__u32)sel->pcrSelect[i] << 8 * i;
	return pcrs;
}

/* One TPML_PCR_SELECTION has room for all the banks that a TPM can have. */
static int select_set(const struct ima_log_selection *select,
		      TPML_PCR_SELECTION *list)
{
	unsigned int i, j;

	if (!select->num || select->num > IMA_LOG_BANKS_MAX)
		return -EINVAL;
	memset(list, 0, sizeof(*list));
	list->count = select->num;
	for (i = 0; i < select->num; i++) {
		if (!select->bank[i].pcrs || select->bank[i].pcrs >> IMA_LOG_PCRS)
			return -EINVAL;
		list->pcrSelections[i].hash = select->bank[i].alg;
		list->pcrSelections[i].sizeofSelect = SELECT_BYTES;
		for (j = 0; j < SELECT_BYTES; j++)
			list->pcrSelections[i].pcrSelect[j] =
				select->bank[i].pcrs >> 8 * j;
	}
	return 0;
}

/**
 * ima_quote_banks() - which banks does the TPM extend?
 * @tpm: connection
 * @pcrs: a bit for each PCR of interest
 * @select: each bank that is allocated, with those of @pcrs that it has
 *
 * Return: 0, -EIO: see ima_quote_error().
 */
int ima_quote_banks(struct ima_quote_tpm *tpm, __u32 pcrs,
		    struct ima_log_selection *select)
{
	TPMS_CAPABILITY_DATA *cap;
	TPMI_YES_NO more;
	TSS2_RC rc;
	__u32 i;

	memset(select, 0, sizeof(*select));
	rc = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE,
				ESYS_TR_NONE, TPM2_CAP_PCRS, 0, 1, &more, &cap);
	if (rc)
		return tpm_error(tpm, "TPM2_GetCapability", rc, -EIO);
	for (i = 0; i < cap->data.assignedPCR.count; i++) {
		TPMS_PCR_SELECTION *sel = &cap->data.assignedPCR.pcrSelections[i];
		__u32 has = select_get(sel) & pcrs;

		if (!has || select->num == IMA_LOG_BANKS_MAX)
			continue;
		select->bank[select->num].alg = sel->hash;
		select->bank[select->num++].pcrs = has;
	}
	Esys_Free(cap);
	return 0;
}

static const TPM2B_PUBLIC ak_template = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM |
			TPMA_OBJECT_FIXEDPARENT |
			TPMA_OBJECT_SENSITIVEDATAORIGIN |
			TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
			TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT,
		.parameters.eccDetail = {
			.symmetric.algorithm = TPM2_ALG_NULL,
			.scheme.scheme = TPM2_ALG_ECDSA,
			.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256,
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
	},
};

static int set_auth(struct ima_quote_tpm *tpm, ESYS_TR handle, const char *auth)
{
	TPM2B_AUTH value = { .size = 0 };
	size_t len = auth ? strlen(auth) : 0;
	TSS2_RC rc;

	if (len > sizeof(value.buffer))
		return tpm_fail(tpm, "password of the hierarchy", "too long",
				-EINVAL);
	value.size = len;
	if (len)
		memcpy(value.buffer, auth, len);
	rc = Esys_TR_SetAuth(tpm->esys, handle, &value);
	return rc ? tpm_error(tpm, "Esys_TR_SetAuth", rc, -EIO) : 0;
}

/**
 * ima_quote_create_ak() - make the attestation key
 * @tpm: connection, which keeps the key until it is closed
 * @hierarchy: where
 * @auth: password of the hierarchy, or NULL
 * @ak: its public part (TPM2B_PUBLIC), all that ima_quote_verify() needs
 *
 * Return: 0, -EIO: see ima_quote_error(), -EINVAL: @auth is too long.
 */
int ima_quote_create_ak(struct ima_quote_tpm *tpm,
			enum ima_quote_hierarchy hierarchy, const char *auth,
			struct ima_quote_blob *ak)
{
	ESYS_TR parent = hierarchy == IMA_QUOTE_OWNER ? ESYS_TR_RH_OWNER :
							ESYS_TR_RH_ENDORSEMENT;
	TPM2B_SENSITIVE_CREATE sensitive = { .size = 0 };
	TPML_PCR_SELECTION no_pcrs = { .count = 0 };
	TPM2B_DATA outside = { .size = 0 };
	TPM2B_PUBLIC *public;
	TSS2_RC rc;
	int err;

	err = set_auth(tpm, parent, auth);
	if (err)
		return err;
	if (tpm->ak != ESYS_TR_NONE)
		Esys_FlushContext(tpm->esys, tpm->ak);
	tpm->ak = ESYS_TR_NONE;
	rc = Esys_CreatePrimary(tpm->esys, parent, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				ESYS_TR_NONE, &sensitive, &ak_template, &outside,
				&no_pcrs, &tpm->ak, &public, NULL, NULL, NULL);
	if (rc) {
		tpm->ak = ESYS_TR_NONE;
		return tpm_error(tpm, "TPM2_CreatePrimary", rc, -EIO);
	}
	ak->size = 0;
	rc = Tss2_MU_TPM2B_PUBLIC_Marshal(public, ak->data, sizeof(ak->data),
					  &ak->size);
	Esys_Free(public);
	return rc ? tpm_error(tpm, "public part of the key", rc, -EIO) : 0;
}

/**
 * ima_quote_take() - have the TPM sign its PCR values
 * @tpm: connection, with a key
 * @select: which PCRs, of which banks
 * @nonce: random bytes that no quote was asked with before
 * @nonce_len: how many, IMA_QUOTE_NONCE_MAX at most
 * @quote: the quote
 *
 * Return: 0, -EINVAL: no key, no or unknown PCR, or nonce too long;
 * -EIO: the TPM refuses. See ima_quote_error().
 */
int ima_quote_take(struct ima_quote_tpm *tpm,
		   const struct ima_log_selection *select, const void *nonce,
		   size_t nonce_len, struct ima_quote *quote)
{
	TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	TPM2B_DATA data = { .size = nonce_len };
	TPMT_SIGNATURE *signature;
	TPML_PCR_SELECTION list;
	TPM2B_ATTEST *attest;
	TSS2_RC rc;

	if (tpm->ak == ESYS_TR_NONE || nonce_len > IMA_QUOTE_NONCE_MAX ||
	    select_set(select, &list))
		return tpm_fail(tpm, "TPM2_Quote", "bad argument", -EINVAL);
	memcpy(data.buffer, nonce, nonce_len);
	rc = Esys_Quote(tpm->esys, tpm->ak, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			ESYS_TR_NONE, &data, &scheme, &list, &attest, &signature);
	if (rc)
		return tpm_error(tpm, "TPM2_Quote", rc, -EIO);

	quote->signature.size = 0;
	rc = Tss2_MU_TPMT_SIGNATURE_Marshal(signature, quote->signature.data,
					    sizeof(quote->signature.data),
					    &quote->signature.size);
	quote->attest.size = attest->size;
	if (!rc && attest->size > sizeof(quote->attest.data))
		rc = TSS2_BASE_RC_INSUFFICIENT_BUFFER;
	if (!rc)
		memcpy(quote->attest.data, attest->attestationData, attest->size);
	Esys_Free(attest);
	Esys_Free(signature);
	return rc ? tpm_error(tpm, "TPM2_Quote", rc, -EIO) : 0;
}

/* Put what TPM2_PCR_Read gave in its place; take it off the list. */
static unsigned int values_store(struct ima_quote_values *values,
				 TPML_PCR_SELECTION *list,
				 const TPML_PCR_SELECTION *got,
				 const TPML_DIGEST *digests)
{
	unsigned int i, pcr, n = 0;
	const TPM2B_DIGEST *d;

	for (i = 0; i < got->count && i < list->count; i++) {
		if (got->pcrSelections[i].hash != list->pcrSelections[i].hash)
			return 0;
		for (pcr = 0; pcr < IMA_LOG_PCRS; pcr++) {
			if (!(select_get(&got->pcrSelections[i]) >> pcr & 1))
				continue;
			if (n == digests->count)
				return n;
			d = &digests->digests[n++];
			if (d->size > IMA_LOG_DIGEST_MAX)
				return 0;
			memcpy(values->value[i][pcr], d->buffer, d->size);
			list->pcrSelections[i].pcrSelect[pcr / 8] &=
				~(1u << pcr % 8);
		}
	}
	return n;
}

/* Read all once: 0, -EAGAIN if a PCR was extended meanwhile, -EIO. */
static int values_read(struct ima_quote_tpm *tpm, TPML_PCR_SELECTION *list,
		       unsigned int left, struct ima_quote_values *values)
{
	TPML_PCR_SELECTION *got;
	__u32 counter, first = 0;
	TPML_DIGEST *digests;
	unsigned int n;
	bool again;
	TSS2_RC rc;

	for (again = false; left; again = true) {
		rc = Esys_PCR_Read(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE,
				   ESYS_TR_NONE, list, &counter, &got, &digests);
		if (rc)
			return tpm_error(tpm, "TPM2_PCR_Read", rc, -EIO);
		n = values_store(values, list, got, digests);
		Esys_Free(got);
		Esys_Free(digests);
		if (!n || n > left)
			return tpm_fail(tpm, "TPM2_PCR_Read", "not all PCRs exist",
					-EIO);
		left -= n;
		if (!again)
			first = counter;
		else if (counter != first)
			return tpm_fail(tpm, "TPM2_PCR_Read",
					"PCRs change all the time", -EAGAIN);
	}
	return 0;
}

/**
 * ima_quote_read_pcrs() - read PCR values that belong together
 * @tpm: connection
 * @select: which PCRs, of which banks
 * @values: their values, all from between the same two extends
 *
 * A TPM gives eight values at a time; if its update counter moves in between, all
 * are read again. The PCRs 16 and 21 to 23 need not move it. What a replay has to
 * match is a quote; these values are to look at, see ima_quote_verify_values().
 *
 * Return: 0, -EINVAL: bad @select, -EAGAIN: PCRs were extended each time,
 * -EIO: the TPM refuses or has not all of @select. See ima_quote_error().
 */
int ima_quote_read_pcrs(struct ima_quote_tpm *tpm,
			const struct ima_log_selection *select,
			struct ima_quote_values *values)
{
	unsigned int i, left = 0, tries = READ_TRIES;
	TPML_PCR_SELECTION list;
	int err;

	for (i = 0; i < select->num && i < IMA_LOG_BANKS_MAX; i++)
		left += __builtin_popcount(select->bank[i].pcrs);
	do {
		if (select_set(select, &list))
			return tpm_fail(tpm, "TPM2_PCR_Read", "bad argument",
					-EINVAL);
		memset(values, 0, sizeof(*values));
		values->select = *select;
		err = values_read(tpm, &list, left, values);
	} while (err == -EAGAIN && --tries);
	return err;
}

static int refuse(const char **why, const char *text, int err)
{
	*why = text;
	return err;
}

static int parse_ak(const struct ima_quote_blob *ak, TPM2B_PUBLIC *public,
		    const char **why)
{
	const TPMA_OBJECT must = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_RESTRICTED |
				 TPMA_OBJECT_SIGN_ENCRYPT;
	const TPMT_PUBLIC *p = &public->publicArea;
	const TPMT_ECC_SCHEME *scheme = &p->parameters.eccDetail.scheme;
	size_t pos = 0;

	if (ak->size > sizeof(ak->data) ||
	    Tss2_MU_TPM2B_PUBLIC_Unmarshal(ak->data, ak->size, &pos, public) ||
	    pos != ak->size)
		return refuse(why, "key is not a TPM2B_PUBLIC", -EINVAL);
	if (p->type != TPM2_ALG_ECC ||
	    p->parameters.eccDetail.curveID != TPM2_ECC_NIST_P256 ||
	    scheme->scheme != TPM2_ALG_ECDSA ||
	    scheme->details.ecdsa.hashAlg != TPM2_ALG_SHA256)
		return refuse(why, "key is not for ECDSA with P-256 and SHA-256",
			      -EOPNOTSUPP);
	if ((p->objectAttributes & must) != must ||
	    p->objectAttributes & TPMA_OBJECT_DECRYPT)
		return refuse(why, "key is not a TPM's restricted signing key",
			      -EKEYREJECTED);
	return 0;
}

static int parse_signature(const struct ima_quote_blob *blob,
			   TPMT_SIGNATURE *sig, const char **why)
{
	size_t pos = 0;

	if (blob->size > sizeof(blob->data) ||
	    Tss2_MU_TPMT_SIGNATURE_Unmarshal(blob->data, blob->size, &pos, sig) ||
	    pos != blob->size)
		return refuse(why, "signature is not a TPMT_SIGNATURE", -EINVAL);
	if (sig->sigAlg != TPM2_ALG_ECDSA ||
	    sig->signature.ecdsa.hash != TPM2_ALG_SHA256)
		return refuse(why, "signature is not ECDSA with SHA-256",
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

/* 0x04, then X and Y, each filled up in front: the point as OpenSSL takes it. */
static int ecc_point(const TPMS_ECC_POINT *ecc, __u8 point[1 + 2 * P256_SIZE])
{
	if (ecc->x.size > P256_SIZE || ecc->y.size > P256_SIZE)
		return -EINVAL;
	memset(point, 0, 1 + 2 * P256_SIZE);
	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(point + 1 + P256_SIZE - ecc->x.size, ecc->x.buffer, ecc->x.size);
	memcpy(point + 1 + 2 * P256_SIZE - ecc->y.size, ecc->y.buffer,
	       ecc->y.size);
	return 0;
}

static EVP_PKEY *ecc_key(const TPMS_ECC_POINT *ecc)
{
	__u8 point[1 + 2 * P256_SIZE];
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
				       (char *)"prime256v1", 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
					sizeof(point)),
		OSSL_PARAM_END
	};
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx;

	if (ecc_point(ecc, point))
		return NULL;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
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

static bool signature_good(const TPMS_ECC_POINT *ecc, const TPMT_SIGNATURE *sig,
			   const struct ima_quote_blob *message)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *key = ecc_key(ecc);
	int len = 0;
	__u8 *der = ecdsa_der(&sig->signature.ecdsa, &len);
	bool good;

	good = ctx && key && der && len > 0 &&
	       EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key,
				       NULL) == 1 &&
	       EVP_DigestVerify(ctx, der, len, message->data,
				message->size) == 1;
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(ctx);
	return good;
}

static int get_target(const TPMS_QUOTE_INFO *info, struct ima_log_target *target,
		      const char **why)
{
	unsigned int i;

	memset(target, 0, sizeof(*target));
	if (info->pcrSelect.count > IMA_LOG_BANKS_MAX ||
	    info->pcrDigest.size != ima_log_alg_size(TPM2_ALG_SHA256))
		return refuse(why, "quote has a bad size in it", -EBADMSG);
	target->alg = TPM2_ALG_SHA256;
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
	TPMT_SIGNATURE sig = { 0 };
	TPMS_ATTEST attest = { 0 };
	int err;

	err = parse_ak(ak, &public, why);
	if (!err)
		err = parse_signature(&quote->signature, &sig, why);
	if (!err)
		err = parse_attest(&quote->attest, &attest, why);
	if (err)
		return err;
	if (!signature_good(&public.publicArea.unique.ecc, &sig, &quote->attest))
		return refuse(why, "signature is not the key's", -EKEYREJECTED);
	if (attest.extraData.size != nonce_len ||
	    memcmp(attest.extraData.buffer, nonce, nonce_len))
		return refuse(why, "nonce is not the one asked with", -EBADMSG);
	err = get_target(&attest.attested.quote, target, why);
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
	EVP_MD_CTX *ctx;
	__u8 digest[IMA_LOG_DIGEST_MAX];
	unsigned int i, pcr;
	int ok;

	if (target->alg != TPM2_ALG_SHA256 || !select_same(sel, &target->select))
		return -EINVAL;
	for (i = 0; i < sel->num; i++)
		if (!ima_log_alg_size(sel->bank[i].alg))
			return -EOPNOTSUPP;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
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
