// SPDX-License-Identifier: GPL-2.0-only
/*
 * Use an attestation key that was made before: one that the TPM keeps, or one that
 * is kept for it in a file, wrapped by its parent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/pem.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>

#include "ima_quote.h"
#include "ima_quote_tss.h"

#define PEM_NAME	"TSS2 PRIVATE KEY"
#define OID_LOADABLE	"2.23.133.10.1.3"

/* TPMKey of draft-bottomley-tpm2-keys; policies and secrets are for other keys. */
struct tss2_key {
	ASN1_OBJECT *type;
	ASN1_BOOLEAN empty_auth;
	ASN1_INTEGER *parent;
	ASN1_OCTET_STRING *public;
	ASN1_OCTET_STRING *private;
};

ASN1_SEQUENCE(tss2_key) = {
	ASN1_SIMPLE(struct tss2_key, type, ASN1_OBJECT),
	ASN1_EXP_OPT(struct tss2_key, empty_auth, ASN1_FBOOLEAN, 0),
	ASN1_SIMPLE(struct tss2_key, parent, ASN1_INTEGER),
	ASN1_SIMPLE(struct tss2_key, public, ASN1_OCTET_STRING),
	ASN1_SIMPLE(struct tss2_key, private, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END_name(struct tss2_key, tss2_key)

static int read_public(struct ima_quote_tpm *tpm, struct ima_quote_blob *ak)
{
	TPM2B_PUBLIC *public;
	TSS2_RC rc;

	rc = Esys_ReadPublic(tpm->esys, tpm->ak, ESYS_TR_NONE, ESYS_TR_NONE,
			     ESYS_TR_NONE, &public, NULL, NULL);
	if (rc)
		return ima_quote_tpm_error(tpm, "TPM2_ReadPublic", rc, -EIO);
	return ima_quote_store_public(tpm, public, ak);
}

/**
 * ima_quote_load_handle() - use a key that the TPM keeps
 * @tpm: connection
 * @handle: of the key, 0x81000000 and up
 * @auth: password of the key, or NULL
 * @ak: its public part (TPM2B_PUBLIC)
 *
 * Return: 0, -EINVAL: @auth is too long, -EIO: see ima_quote_error().
 */
int ima_quote_load_handle(struct ima_quote_tpm *tpm, __u32 handle,
			  const char *auth, struct ima_quote_blob *ak)
{
	TSS2_RC rc;
	int err;

	ima_quote_drop_ak(tpm);
	rc = Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE,
				   ESYS_TR_NONE, &tpm->ak);
	if (rc) {
		tpm->ak = ESYS_TR_NONE;
		return ima_quote_tpm_error(tpm, "key of this handle", rc, -EIO);
	}
	tpm->kept = true;
	err = ima_quote_set_auth(tpm, tpm->ak, auth);
	return err ?: read_public(tpm, ak);
}

/* The primary key that such files have as parent, if it is none that is kept. */
static int make_parent(struct ima_quote_tpm *tpm, ESYS_TR hierarchy, ESYS_TR *parent)
{
	TPM2B_SENSITIVE_CREATE sensitive = { .size = 0 };
	TPML_PCR_SELECTION no_pcrs = { .count = 0 };
	TPM2B_DATA outside = { .size = 0 };
	TPM2B_PUBLIC template = { .publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				    TPMA_OBJECT_SENSITIVEDATAORIGIN |
				    TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
				    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT,
		.parameters.eccDetail = {
			.symmetric = { .algorithm = TPM2_ALG_AES,
				       .keyBits.aes = 128,
				       .mode.aes = TPM2_ALG_CFB },
			.scheme.scheme = TPM2_ALG_NULL,
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL } } };
	TSS2_RC rc;

	rc = Esys_CreatePrimary(tpm->esys, hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				ESYS_TR_NONE, &sensitive, &template, &outside,
				&no_pcrs, parent, NULL, NULL, NULL, NULL);
	return rc ? ima_quote_tpm_error(tpm, "parent of the key", rc, -EIO) : 0;
}

static int get_parent(struct ima_quote_tpm *tpm, __u32 handle, const char *eh_auth,
		      ESYS_TR *parent)
{
	TSS2_RC rc;
	int err;

	switch (handle) {
	case TPM2_RH_OWNER:
		return make_parent(tpm, ESYS_TR_RH_OWNER, parent);
	case TPM2_RH_ENDORSEMENT:
		err = ima_quote_set_auth(tpm, ESYS_TR_RH_ENDORSEMENT, eh_auth);
		return err ?: make_parent(tpm, ESYS_TR_RH_ENDORSEMENT, parent);
	case TPM2_RH_NULL:
		return make_parent(tpm, ESYS_TR_RH_NULL, parent);
	}
	rc = Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE,
				   ESYS_TR_NONE, parent);
	return rc ? ima_quote_tpm_error(tpm, "parent of the key", rc, -EIO) : 0;
}

static int load(struct ima_quote_tpm *tpm, __u32 handle, const char *eh_auth,
		const TPM2B_PUBLIC *public, const TPM2B_PRIVATE *private)
{
	ESYS_TR parent = ESYS_TR_NONE;
	TSS2_RC rc;
	int err;

	err = get_parent(tpm, handle, eh_auth, &parent);
	if (err)
		return err;
	rc = Esys_Load(tpm->esys, parent, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		       ESYS_TR_NONE, private, public, &tpm->ak);
	if (handle >> TPM2_HR_SHIFT == TPM2_HT_PERMANENT)
		Esys_FlushContext(tpm->esys, parent);
	else
		Esys_TR_Close(tpm->esys, &parent);
	if (rc) {
		tpm->ak = ESYS_TR_NONE;
		return ima_quote_tpm_error(tpm, "TPM2_Load", rc, -EIO);
	}
	return 0;
}

/* The parts of the file as the TPM takes them: 0 or -EINVAL. */
static int key_parts(const struct tss2_key *key, __u32 *handle,
		     TPM2B_PUBLIC *public, TPM2B_PRIVATE *private)
{
	size_t pos = 0;
	uint64_t parent;
	char type[64];

	if (OBJ_obj2txt(type, sizeof(type), key->type, 1) <= 0 ||
	    strcmp(type, OID_LOADABLE) ||
	    !ASN1_INTEGER_get_uint64(&parent, key->parent) || parent >> 32)
		return -EINVAL;
	*handle = parent;
	if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(ASN1_STRING_get0_data(key->public),
					   ASN1_STRING_length(key->public), &pos,
					   public))
		return -EINVAL;
	pos = 0;
	if (Tss2_MU_TPM2B_PRIVATE_Unmarshal(ASN1_STRING_get0_data(key->private),
					    ASN1_STRING_length(key->private), &pos,
					    private))
		return -EINVAL;
	return 0;
}

static struct tss2_key *read_pem(FILE *pem)
{
	BIO *bio = BIO_new_fp(pem, BIO_NOCLOSE);
	unsigned char *der = NULL;
	const unsigned char *p;
	struct tss2_key *key;
	long len;

	if (!bio)
		return NULL;
	if (PEM_bytes_read_bio(&der, &len, NULL, PEM_NAME, bio, NULL, NULL) != 1)
		der = NULL;
	BIO_free(bio);
	p = der;
	key = der ? (struct tss2_key *)ASN1_item_d2i(NULL, &p, len,
						     ASN1_ITEM_rptr(tss2_key)) : NULL;
	OPENSSL_free(der);
	return key;
}

/**
 * ima_quote_load_pem() - use a key that is kept in a file
 * @tpm: connection, which keeps the key until it is closed
 * @pem: "TSS2 PRIVATE KEY", as tpm2-openssl and tpm2-tools write it
 * @auth: password of the key, or NULL
 * @eh_auth: password of the endorsement hierarchy, if that is the parent, or NULL
 * @ak: its public part (TPM2B_PUBLIC)
 *
 * A parent that is a hierarchy stands for its primary key of ECC P-256 with
 * AES-128 in CFB mode, which is what such files mean.
 *
 * Return: 0, -EINVAL: no such key in the file, or a password is too long,
 * -EIO: the TPM does not take it, see ima_quote_error().
 */
int ima_quote_load_pem(struct ima_quote_tpm *tpm, FILE *pem, const char *auth,
		       const char *eh_auth, struct ima_quote_blob *ak)
{
	TPM2B_PRIVATE private = { .size = 0 };
	TPM2B_PUBLIC public = { .size = 0 };
	struct tss2_key *key = read_pem(pem);
	__u32 handle = 0;
	int err;

	ima_quote_drop_ak(tpm);
	err = key ? key_parts(key, &handle, &public, &private) : -EINVAL;
	ASN1_item_free((ASN1_VALUE *)key, ASN1_ITEM_rptr(tss2_key));
	if (err)
		return ima_quote_tpm_fail(tpm, "key", "not a " PEM_NAME " in PEM", err);
	err = load(tpm, handle, eh_auth, &public, &private);
	if (!err)
		err = ima_quote_set_auth(tpm, tpm->ak, auth);
	return err ?: read_public(tpm, ak);
}
