// SPDX-License-Identifier: GPL-2.0-only
/*
 * The public part of an attestation key: what kind it is, its fingerprint, and the
 * key as OpenSSL takes it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <tss2/tss2_mu.h>

#include "ima_quote.h"
#include "ima_quote_tss.h"

#define RSA_BITS_MIN	2048
#define CURVE_SIZE_MAX	48

static const struct curve {
	TPM2_ECC_CURVE id;
	const char *group;	/* OpenSSL's name */
	size_t size;		/* bytes of a coordinate */
} curves[] = {
	{ TPM2_ECC_NIST_P256, "prime256v1", 32 },
	{ TPM2_ECC_NIST_P384, "secp384r1", CURVE_SIZE_MAX },
};

static const struct curve *curve_find(TPM2_ECC_CURVE id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(curves); i++)
		if (curves[i].id == id)
			return &curves[i];
	return NULL;
}

/* OpenSSL's name of a hash that is good for signatures; SHA-1 is not. */
const char *ima_quote_hash_name(TPMI_ALG_HASH hash)
{
	switch (hash) {
	case TPM2_ALG_SHA256:
		return "SHA256";
	case TPM2_ALG_SHA384:
		return "SHA384";
	case TPM2_ALG_SHA512:
		return "SHA512";
	default:
		return NULL;
	}
}

static int refuse(const char **why, const char *text, int err)
{
	*why = text;
	return err;
}

/* Which kind of key is it? Its scheme is part of it, as it is a restricted one. */
static int ak_kind(const TPMT_PUBLIC *p, struct ima_quote_kind *kind)
{
	const TPMS_RSA_PARMS *rsa = &p->parameters.rsaDetail;
	const TPMS_ECC_PARMS *ecc = &p->parameters.eccDetail;

	switch (p->type) {
	case TPM2_ALG_ECC:
		if (ecc->scheme.scheme != TPM2_ALG_ECDSA || !curve_find(ecc->curveID))
			return -EOPNOTSUPP;
		kind->scheme = IMA_QUOTE_ECDSA;
		kind->bits = 8 * curve_find(ecc->curveID)->size;
		kind->hash = ecc->scheme.details.ecdsa.hashAlg;
		break;
	case TPM2_ALG_RSA:
		if (rsa->scheme.scheme != TPM2_ALG_RSASSA &&
		    rsa->scheme.scheme != TPM2_ALG_RSAPSS)
			return -EOPNOTSUPP;
		kind->scheme = rsa->scheme.scheme == TPM2_ALG_RSASSA ?
			       IMA_QUOTE_RSASSA : IMA_QUOTE_RSAPSS;
		kind->bits = rsa->keyBits;
		kind->hash = rsa->scheme.details.anySig.hashAlg;
		if (kind->bits < RSA_BITS_MIN || kind->bits != 8 * p->unique.rsa.size)
			return -EOPNOTSUPP;
		break;
	default:
		return -EOPNOTSUPP;
	}
	return ima_quote_hash_name(kind->hash) ? 0 : -EOPNOTSUPP;
}

int ima_quote_parse_ak(const struct ima_quote_blob *ak, TPM2B_PUBLIC *public,
		       struct ima_quote_kind *kind, const char **why)
{
	const TPMA_OBJECT must = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_RESTRICTED |
				 TPMA_OBJECT_SIGN_ENCRYPT;
	const TPMT_PUBLIC *p = &public->publicArea;
	size_t pos = 0;

	if (ak->size > sizeof(ak->data) ||
	    Tss2_MU_TPM2B_PUBLIC_Unmarshal(ak->data, ak->size, &pos, public) ||
	    pos != ak->size)
		return refuse(why, "key is not a TPM2B_PUBLIC", -EINVAL);
	if (ak_kind(p, kind))
		return refuse(why, "key is of another kind, or too weak",
			      -EOPNOTSUPP);
	if ((p->objectAttributes & must) != must ||
	    p->objectAttributes & TPMA_OBJECT_DECRYPT)
		return refuse(why, "key is not a TPM's restricted signing key",
			      -EKEYREJECTED);
	return 0;
}

/* 0x04, then X and Y, each filled up in front: the point as OpenSSL takes it. */
static int ecc_point(const TPMS_ECC_POINT *ecc, size_t size, __u8 *point)
{
	if (ecc->x.size > size || ecc->y.size > size)
		return -EINVAL;
	memset(point, 0, 1 + 2 * size);
	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(point + 1 + size - ecc->x.size, ecc->x.buffer, ecc->x.size);
	memcpy(point + 1 + 2 * size - ecc->y.size, ecc->y.buffer, ecc->y.size);
	return 0;
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *ecc_key(const TPMT_PUBLIC *p)
{
	const struct curve *curve = curve_find(p->parameters.eccDetail.curveID);
	__u8 point[1 + 2 * CURVE_SIZE_MAX];
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
				       (char *)curve->group, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
					1 + 2 * curve->size),
		OSSL_PARAM_END
	};

	if (ecc_point(&p->unique.ecc, curve->size, point))
		return NULL;
	return make_key("EC", params);
}

static EVP_PKEY *rsa_key(const TPMT_PUBLIC *p)
{
	const TPM2B_PUBLIC_KEY_RSA *rsa = &p->unique.rsa;
	BIGNUM *n = BN_bin2bn(rsa->buffer, rsa->size, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (n && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_ulong(build, OSSL_PKEY_PARAM_RSA_E,
				      p->parameters.rsaDetail.exponent ?: RSA_F4))
		params = OSSL_PARAM_BLD_to_param(build);
	if (params)
		key = make_key("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	return key;
}

/* The key as OpenSSL takes it, or NULL. */
EVP_PKEY *ima_quote_public_key(const TPMT_PUBLIC *p)
{
	return p->type == TPM2_ALG_ECC ? ecc_key(p) : rsa_key(p);
}

/* SHA-256 of the SubjectPublicKeyInfo, as `openssl pkey -pubout -outform DER`. */
static int key_fingerprint(EVP_PKEY *key, __u8 print[IMA_QUOTE_PRINT_SIZE])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der), ok;

	if (len <= 0)
		return -ENOMEM;
	ok = EVP_Digest(der, len, print, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	return ok ? 0 : -ENOMEM;
}

static EVP_PKEY *ak_key(const struct ima_quote_blob *ak, const char **why, int *err)
{
	TPM2B_PUBLIC public = { .size = 0 };
	struct ima_quote_kind kind = { 0 };
	EVP_PKEY *key;

	*err = ima_quote_parse_ak(ak, &public, &kind, why);
	if (*err)
		return NULL;
	key = ima_quote_public_key(&public.publicArea);
	if (!key)
		*err = refuse(why, "key is not valid", -EINVAL);
	return key;
}

/**
 * ima_quote_fingerprint() - the fingerprint of an attestation key
 * @ak: its public part (TPM2B_PUBLIC)
 * @print: SHA-256 of its SubjectPublicKeyInfo (RFC 5280) in DER
 * @why: what is wrong, if anything
 *
 * Return: 0, -EINVAL, -EOPNOTSUPP or -EKEYREJECTED as ima_quote_verify(), -ENOMEM.
 */
int ima_quote_fingerprint(const struct ima_quote_blob *ak,
			  __u8 print[IMA_QUOTE_PRINT_SIZE], const char **why)
{
	EVP_PKEY *key;
	int err;

	key = ak_key(ak, why, &err);
	if (!key)
		return err;
	err = key_fingerprint(key, print);
	if (err)
		*why = "out of memory";
	EVP_PKEY_free(key);
	return err;
}

/**
 * ima_quote_pem_fingerprint() - the fingerprint of a public key in a PEM file
 * @pem: the file, "PUBLIC KEY"
 * @print: as ima_quote_fingerprint()
 *
 * Return: 0, -EINVAL: no such key in it, -ENOMEM.
 */
int ima_quote_pem_fingerprint(FILE *pem, __u8 print[IMA_QUOTE_PRINT_SIZE])
{
	EVP_PKEY *key = PEM_read_PUBKEY(pem, NULL, NULL, NULL);
	int err;

	if (!key)
		return -EINVAL;
	err = key_fingerprint(key, print);
	EVP_PKEY_free(key);
	return err;
}

/**
 * ima_quote_write_pem() - write the public part of an attestation key as PEM
 * @ak: its public part (TPM2B_PUBLIC)
 * @out: where to
 *
 * Return: 0, -EINVAL: not such a key, -EIO: cannot be written.
 */
int ima_quote_write_pem(const struct ima_quote_blob *ak, FILE *out)
{
	const char *why;
	EVP_PKEY *key;
	int err, ok;

	key = ak_key(ak, &why, &err);
	if (!key)
		return -EINVAL;
	ok = PEM_write_PUBKEY(out, key);
	EVP_PKEY_free(key);
	return ok ? 0 : -EIO;
}
