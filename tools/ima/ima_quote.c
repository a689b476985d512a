// SPDX-License-Identifier: GPL-2.0-only
/*
 * Have a TPM 2.0 make a key, quote its PCRs and tell their values.
 *
 * The attestation key (AK) is a restricted signing key, made as a primary key:
 * from the same hierarchy of the same TPM comes the same key of a kind each time,
 * so nothing has to be stored but its public part. "Restricted" matters: the TPM
 * signs nothing with it that looks like a quote and is none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include "ima_quote.h"
#include "ima_quote_tss.h"

#define DEFAULT_TCTI	"device:/dev/tpmrm0"
#define SELECT_BYTES	(IMA_LOG_PCRS / 8)
#define READ_TRIES	100

int ima_quote_tpm_error(struct ima_quote_tpm *tpm, const char *what, TSS2_RC rc,
			int err)
{
	snprintf(tpm->error, sizeof(tpm->error), "%s: %s (0x%x)", what,
		 Tss2_RC_Decode(rc), rc);
	return err;
}

int ima_quote_tpm_fail(struct ima_quote_tpm *tpm, const char *what, const char *why,
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
 *	TPM2TOOLS_TCTI, and this example if there is none
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
		tcti = getenv("TPM2TOOLS_TCTI");
	if (!tcti)
		tcti = DEFAULT_TCTI;
	rc = Tss2_TctiLdr_Initialize(tcti, &t->tcti);
	if (rc)
		return ima_quote_tpm_error(t, tcti, rc, -ENODEV);
	rc = Esys_Initialize(&t->esys, t->tcti, NULL);
	if (rc)
		return ima_quote_tpm_error(t, tcti, rc, -EIO);
	return 0;
}

/* Forget the key, unless it is one that the TPM keeps. */
void ima_quote_drop_ak(struct ima_quote_tpm *tpm)
{
	if (tpm->ak != ESYS_TR_NONE && tpm->kept)
		Esys_TR_Close(tpm->esys, &tpm->ak);
	else if (tpm->ak != ESYS_TR_NONE)
		Esys_FlushContext(tpm->esys, tpm->ak);
	tpm->ak = ESYS_TR_NONE;
	tpm->kept = false;
}

/* The public part that the TPM gave, as a structure; @public is released. */
int ima_quote_store_public(struct ima_quote_tpm *tpm, TPM2B_PUBLIC *public,
			   struct ima_quote_blob *ak)
{
	TSS2_RC rc;

	ak->size = 0;
	rc = Tss2_MU_TPM2B_PUBLIC_Marshal(public, ak->data, sizeof(ak->data),
					  &ak->size);
	Esys_Free(public);
	return rc ? ima_quote_tpm_error(tpm, "public part of the key", rc, -EIO) : 0;
}

/**
 * ima_quote_close() - forget the key and close the connection
 * @tpm: connection, or NULL
 */
void ima_quote_close(struct ima_quote_tpm *tpm)
{
	if (!tpm)
		return;
	ima_quote_drop_ak(tpm);
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
		return ima_quote_tpm_error(tpm, "TPM2_GetCapability", rc, -EIO);
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

/* The public area that a key of this kind is made from. */
static int key_template(const struct ima_quote_kind *kind, TPM2B_PUBLIC *public)
{
	TPMT_PUBLIC *p = &public->publicArea;
	TPMS_RSA_PARMS *rsa = &p->parameters.rsaDetail;
	TPMS_ECC_PARMS *ecc = &p->parameters.eccDetail;

	memset(public, 0, sizeof(*public));
	p->nameAlg = TPM2_ALG_SHA256;
	p->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
			      TPMA_OBJECT_SENSITIVEDATAORIGIN |
			      TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
			      TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
	switch (kind->scheme) {
	case IMA_QUOTE_ECDSA:
		p->type = TPM2_ALG_ECC;
		ecc->symmetric.algorithm = TPM2_ALG_NULL;
		ecc->scheme.scheme = TPM2_ALG_ECDSA;
		ecc->scheme.details.ecdsa.hashAlg = kind->hash;
		ecc->curveID = kind->bits == 256 ? TPM2_ECC_NIST_P256 :
			       kind->bits == 384 ? TPM2_ECC_NIST_P384 : TPM2_ECC_NONE;
		ecc->kdf.scheme = TPM2_ALG_NULL;
		return ecc->curveID == TPM2_ECC_NONE ? -EINVAL : 0;
	case IMA_QUOTE_RSASSA:
	case IMA_QUOTE_RSAPSS:
		p->type = TPM2_ALG_RSA;
		rsa->symmetric.algorithm = TPM2_ALG_NULL;
		rsa->scheme.scheme = kind->scheme == IMA_QUOTE_RSASSA ?
				     TPM2_ALG_RSASSA : TPM2_ALG_RSAPSS;
		rsa->scheme.details.anySig.hashAlg = kind->hash;
		rsa->keyBits = kind->bits;
		return 0;
	}
	return -EINVAL;
}

int ima_quote_set_auth(struct ima_quote_tpm *tpm, ESYS_TR handle, const char *auth)
{
	TPM2B_AUTH value = { .size = 0 };
	size_t len = auth ? strlen(auth) : 0;
	TSS2_RC rc;

	if (len > sizeof(value.buffer))
		return ima_quote_tpm_fail(tpm, "password", "too long",
				-EINVAL);
	value.size = len;
	if (len)
		memcpy(value.buffer, auth, len);
	rc = Esys_TR_SetAuth(tpm->esys, handle, &value);
	return rc ? ima_quote_tpm_error(tpm, "Esys_TR_SetAuth", rc, -EIO) : 0;
}

/**
 * ima_quote_create_ak() - make the attestation key
 * @tpm: connection, which keeps the key until it is closed
 * @hierarchy: where
 * @kind: which kind of key; NULL: ECDSA with P-256 and SHA-256. An RSA key can take
 *	a TPM a minute.
 * @auth: password of the hierarchy, or NULL
 * @ak: its public part (TPM2B_PUBLIC), all that ima_quote_verify() needs
 *
 * Return: 0, -EIO: see ima_quote_error(), -EINVAL: no such @kind, or @auth is too
 * long.
 */
int ima_quote_create_ak(struct ima_quote_tpm *tpm,
			enum ima_quote_hierarchy hierarchy,
			const struct ima_quote_kind *kind, const char *auth,
			struct ima_quote_blob *ak)
{
	static const struct ima_quote_kind usual = {
		IMA_QUOTE_ECDSA, 256, TPM2_ALG_SHA256
	};
	ESYS_TR parent = hierarchy == IMA_QUOTE_OWNER ? ESYS_TR_RH_OWNER :
							ESYS_TR_RH_ENDORSEMENT;
	TPM2B_SENSITIVE_CREATE sensitive = { .size = 0 };
	TPML_PCR_SELECTION no_pcrs = { .count = 0 };
	TPM2B_DATA outside = { .size = 0 };
	TPM2B_PUBLIC template, *public;
	TSS2_RC rc;
	int err;

	err = key_template(kind ?: &usual, &template);
	if (err)
		return ima_quote_tpm_fail(tpm, "TPM2_CreatePrimary", "no such kind of key", err);
	err = ima_quote_set_auth(tpm, parent, auth);
	if (err)
		return err;
	ima_quote_drop_ak(tpm);
	rc = Esys_CreatePrimary(tpm->esys, parent, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				ESYS_TR_NONE, &sensitive, &template, &outside,
				&no_pcrs, &tpm->ak, &public, NULL, NULL, NULL);
	if (rc) {
		tpm->ak = ESYS_TR_NONE;
		return ima_quote_tpm_error(tpm, "TPM2_CreatePrimary", rc, -EIO);
	}
	return ima_quote_store_public(tpm, public, ak);
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
		return ima_quote_tpm_fail(tpm, "TPM2_Quote", "bad argument", -EINVAL);
	memcpy(data.buffer, nonce, nonce_len);
	rc = Esys_Quote(tpm->esys, tpm->ak, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			ESYS_TR_NONE, &data, &scheme, &list, &attest, &signature);
	if (rc)
		return ima_quote_tpm_error(tpm, "TPM2_Quote", rc, -EIO);

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
	return rc ? ima_quote_tpm_error(tpm, "TPM2_Quote", rc, -EIO) : 0;
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
			return ima_quote_tpm_error(tpm, "TPM2_PCR_Read", rc, -EIO);
		n = values_store(values, list, got, digests);
		Esys_Free(got);
		Esys_Free(digests);
		if (!n || n > left)
			return ima_quote_tpm_fail(tpm, "TPM2_PCR_Read", "not all PCRs exist",
					-EIO);
		left -= n;
		if (!again)
			first = counter;
		else if (counter != first)
			return ima_quote_tpm_fail(tpm, "TPM2_PCR_Read",
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
			return ima_quote_tpm_fail(tpm, "TPM2_PCR_Read", "bad argument",
					-EINVAL);
		memset(values, 0, sizeof(*values));
		values->select = *select;
		err = values_read(tpm, &list, left, values);
	} while (err == -EAGAIN && --tries);
	return err;
}
