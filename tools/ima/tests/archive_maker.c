// SPDX-License-Identifier: GPL-2.0-only
/*
 * Make an archive without a TPM: a key of OpenSSL signs what a TPM would. The layout
 * of the structures is that of the TPM 2.0 Library, Part 2; that of the records,
 * Documentation/security/IMA-templates.rst.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <tss2/tss2_mu.h>

#include "archive_maker.h"
#include "verify.h"

#define FIRST_CLOCK	1000
#define P256_SIZE	32

static int get_number(EVP_PKEY *key, const char *name, TPM2B_ECC_PARAMETER *number)
{
	BIGNUM *n = NULL;

	if (!EVP_PKEY_get_bn_param(key, name, &n))
		return -EIO;
	number->size = P256_SIZE;
	BN_bn2binpad(n, number->buffer, P256_SIZE);
	BN_free(n);
	return 0;
}

/**
 * maker_new_key() - sign with another key from now on
 * @m: maker
 *
 * Return: 0 or -EIO.
 */
int maker_new_key(struct maker *m)
{
	TPM2B_PUBLIC public = { .publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = m->attributes,
		.parameters.eccDetail = {
			.symmetric.algorithm = TPM2_ALG_NULL,
			.scheme = { .scheme = TPM2_ALG_ECDSA,
				    .details.ecdsa.hashAlg = TPM2_ALG_SHA256 },
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL } } };
	TPMS_ECC_POINT *point = &public.publicArea.unique.ecc;
	const char *why;

	EVP_PKEY_free(m->key);
	m->key = EVP_EC_gen("P-256");
	m->ak.size = 0;
	if (!m->key || get_number(m->key, OSSL_PKEY_PARAM_EC_PUB_X, &point->x) ||
	    get_number(m->key, OSSL_PKEY_PARAM_EC_PUB_Y, &point->y) ||
	    Tss2_MU_TPM2B_PUBLIC_Marshal(&public, m->ak.data, sizeof(m->ak.data),
					 &m->ak.size))
		return -EIO;
	return ima_quote_fingerprint(&m->ak, m->print, &why);
}

static int make_banks(struct banks *b)
{
	if (banks_init(b) || banks_add(b, TPM2_ALG_SHA1, IMA_LOG_OWN_HASH) ||
	    banks_add(b, TPM2_ALG_SHA256, IMA_LOG_OWN_HASH))
		return -EIO;
	return 0;
}

/**
 * maker_begin() - make an empty archive
 * @m: maker, to be ended with maker_end()
 *
 * Return: 0 or -EIO.
 */
int maker_begin(struct maker *m)
{
	memset(m, 0, sizeof(*m));
	snprintf(m->path, sizeof(m->path), "/tmp/imalog-test-XXXXXX");
	if (!mkdtemp(m->path) || archive_open(&m->archive, m->path, false))
		return -EIO;
	m->attributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_RESTRICTED |
			TPMA_OBJECT_SIGN_ENCRYPT;
	m->magic = TPM2_GENERATED_VALUE;
	m->clock = FIRST_CLOCK;
	m->resets = 1;
	if (make_banks(&m->before) || make_banks(&m->banks))
		return -EIO;
	return maker_new_key(m);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/**
 * maker_remove() - remove a folder and what is in it
 * @path: folder
 *
 * Return: 0 or -errno.
 */
int maker_remove(const char *path)
{
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) ? -errno : 0;
}

/**
 * maker_path() - name of a shard, or a file of it
 * @m: maker
 * @shard: chain and shard
 * @file: file, NULL: the shard's folder
 * @path: its path
 */
void maker_path(const struct maker *m, const char *shard, const char *file,
		char path[256])
{
	snprintf(path, 256, "%s/%s%s%s", m->path, shard, file ? "/" : "", file ?: "");
}

/**
 * maker_rewrite() - write a manifest once more, with something changed
 * @path: its file
 * @change: changes it
 * @was: what it said before
 *
 * Return: 0 or -EIO.
 */
int maker_rewrite(const char *path, void (*change)(struct manifest *m),
		  struct manifest *was)
{
	struct manifest *manifest = malloc(sizeof(*manifest));
	char *text = malloc(MANIFEST_MAX);
	FILE *f = fopen(path, "r+");
	int err = -EIO;
	size_t len = 0;

	if (manifest && text && f)
		len = fread(text, 1, MANIFEST_MAX, f);
	if (len && !manifest_read(manifest, text, len)) {
		*was = *manifest;
		change(manifest);
		free(text);
		text = manifest_write(manifest);
		rewind(f);
		if (text && !ftruncate(fileno(f), 0) && fputs(text, f) >= 0)
			err = 0;
	}
	if (f && fclose(f))
		err = -EIO;
	free(text);
	free(manifest);
	return err;
}

/**
 * maker_verify() - verify the archive with the key that it was begun with
 * @m: maker
 *
 * Return: as verify_archive().
 */
enum status maker_verify(const struct maker *m)
{
	struct verify_result result;
	enum status status;
	struct archive a;

	status = archive_open(&a, m->path, false);
	if (!status) {
		status = verify_archive(&a, m->print, &result);
		verify_free(&result);
	}
	archive_close(&a);
	return status;
}

/**
 * maker_end() - remove the archive
 * @m: maker
 */
void maker_end(struct maker *m)
{
	archive_close(&m->archive);
	banks_free(&m->before);
	banks_free(&m->banks);
	EVP_PKEY_free(m->key);
	free(m->records);
	maker_remove(m->path);
}

static __u8 *put(__u8 *p, const void *data, size_t len)
{
	if (len)
		memcpy(p, data, len);
	return p + len;
}

static __u8 *put_u32(__u8 *p, __u32 v)
{
	return put(p, &v, sizeof(v));
}

/**
 * maker_write() - write a record
 * @r: the record
 * @pcr: its PCR
 * @template: name of its template, not "ima"
 * @fields: its fields
 * @num: how many
 */
void maker_write(struct maker_record *r, __u32 pcr, const char *template,
		 const struct maker_field *fields, unsigned int num)
{
	__u8 *p = put_u32(r->raw, pcr) + sizeof(r->sha1), *len;
	unsigned int i;

	p = put_u32(p, strlen(template));
	len = put(p, template, strlen(template));
	p = len + sizeof(__u32);
	r->data = p;
	for (i = 0; i < num; i++)
		p = put(put_u32(p, fields[i].len), fields[i].data, fields[i].len);
	r->data_len = p - r->data;
	put_u32(len, r->data_len);
	r->len = p - r->raw;
	EVP_Digest(r->data, r->data_len, r->sha1, NULL, EVP_sha1(), NULL);
	memcpy(r->raw + sizeof(pcr), r->sha1, sizeof(r->sha1));
}

/**
 * maker_violate() - make a record one of a violation
 * @r: the record
 */
void maker_violate(struct maker_record *r)
{
	memset(r->sha1, 0, sizeof(r->sha1));
	memset(r->raw + sizeof(__u32), 0, sizeof(r->sha1));
}

/**
 * maker_add() - measure: add a record to the shard and extend the banks
 * @m: maker
 * @r: record
 *
 * Return: 0, -ENOMEM or -EINVAL.
 */
int maker_add(struct maker *m, const struct maker_record *r)
{
	struct ima_log_parser p;
	struct ima_log_record rec;
	__u8 *more;

	if (m->len + r->len > m->room) {
		m->room = 2 * (m->len + r->len);
		more = realloc(m->records, m->room);
		if (!more)
			return -ENOMEM;
		m->records = more;
	}
	memcpy(m->records + m->len, r->raw, r->len);
	m->len += r->len;
	m->count++;
	ima_log_init(&p, r->raw, r->len, sizeof(r->sha1), IMA_LOG_HOST);
	if (ima_log_next(&p, &rec) != 1 || banks_extend(&m->banks, &rec))
		return -EINVAL;
	return 0;
}

/**
 * maker_add_files() - measure some files
 * @m: maker
 * @num: how many
 * @first: number in the name of the first
 *
 * Return: 0 or an error of maker_add().
 */
int maker_add_files(struct maker *m, unsigned int num, unsigned int first)
{
	__u8 digest[8 + 32] = "sha256:";
	struct maker_record r;
	char name[32];
	int err = 0;

	while (num-- && !err) {
		snprintf(name, sizeof(name), "/bin/%u", first);
		memset(digest + 8, first++, 32);
		maker_write(&r, 10, "ima-ng", (struct maker_field[]) {
			{ digest, sizeof(digest) }, { name, strlen(name) + 1 } }, 2);
		err = maker_add(m, &r);
	}
	return err;
}

static int sign(struct maker *m, const struct ima_quote_blob *attest,
		struct ima_quote_blob *signature)
{
	TPMT_SIGNATURE sig = { .sigAlg = TPM2_ALG_ECDSA,
			       .signature.ecdsa.hash = TPM2_ALG_SHA256 };
	TPMS_SIGNATURE_ECC *ecc = &sig.signature.ecdsa;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	__u8 der[128];
	const __u8 *p = der;
	size_t len = sizeof(der);
	ECDSA_SIG *ec;
	bool ok;

	ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, m->key) == 1 &&
	     EVP_DigestSign(ctx, der, &len, attest->data, attest->size) == 1;
	EVP_MD_CTX_free(ctx);
	ec = ok ? d2i_ECDSA_SIG(NULL, &p, len) : NULL;
	if (!ec)
		return -EIO;
	ecc->signatureR.size = P256_SIZE;
	ecc->signatureS.size = P256_SIZE;
	BN_bn2binpad(ECDSA_SIG_get0_r(ec), ecc->signatureR.buffer, P256_SIZE);
	BN_bn2binpad(ECDSA_SIG_get0_s(ec), ecc->signatureS.buffer, P256_SIZE);
	ECDSA_SIG_free(ec);
	signature->size = 0;
	return Tss2_MU_TPMT_SIGNATURE_Marshal(&sig, signature->data,
					      sizeof(signature->data),
					      &signature->size) ? -EIO : 0;
}

static int quote(struct maker *m, const struct manifest *manifest,
		 struct ima_quote *quote)
{
	TPMS_ATTEST attest = { .magic = m->magic,
			       .type = TPM2_ST_ATTEST_QUOTE,
			       .clockInfo = { .clock = manifest->info.clock,
					      .resetCount = manifest->info.resets,
					      .restartCount = manifest->info.restarts,
					      .safe = manifest->info.safe } };
	TPMS_QUOTE_INFO *info = &attest.attested.quote;
	struct ima_log_selection select;
	unsigned int i;

	attest.extraData.size = HASH_SIZE;
	manifest_nonce(manifest, attest.extraData.buffer);
	banks_select(&m->banks, &select);
	info->pcrSelect.count = select.num;
	for (i = 0; i < select.num; i++) {
		select.bank[i].pcrs |= m->quoted;
		info->pcrSelect.pcrSelections[i].hash = select.bank[i].alg;
		info->pcrSelect.pcrSelections[i].sizeofSelect = 3;
		info->pcrSelect.pcrSelections[i].pcrSelect[1] = select.bank[i].pcrs >> 8;
	}
	info->pcrDigest.size = HASH_SIZE;
	if (ima_log_pcr_digest(&m->banks.replay, &select, TPM2_ALG_SHA256,
			       info->pcrDigest.buffer))
		return -EIO;
	quote->attest.size = 0;
	if (Tss2_MU_TPMS_ATTEST_Marshal(&attest, quote->attest.data,
					sizeof(quote->attest.data),
					&quote->attest.size))
		return -EIO;
	return sign(m, &quote->attest, &quote->signature);
}

static void fill(struct maker *m, struct manifest *manifest)
{
	memset(manifest, 0, sizeof(*manifest));
	if (m->last.count && m->last.info.resets == m->resets)
		manifest->first = m->last.first + m->last.count;
	manifest->chain = m->chain;
	manifest->count = m->count;
	manifest->bytes = m->len;
	manifest->unproven = m->banks.unproven;
	memcpy(manifest->previous, m->last.self, HASH_SIZE);
	snprintf(manifest->boot_id, sizeof(manifest->boot_id),
		 "0dc9a1f2-0000-4000-8000-000000000000");
	snprintf(manifest->kernel, sizeof(manifest->kernel), "6.12.0-test");
	snprintf(manifest->time, sizeof(manifest->time), "2026-01-02T03:04:05Z");
	manifest_set_place(manifest);
	manifest->info.clock = m->clock;
	manifest->info.resets = m->resets;
	manifest->info.safe = true;
	manifest_set_banks(manifest, &m->before, false);
	manifest_set_banks(manifest, &m->banks, true);
}

static int write_files(struct maker *m, struct new_shard *n, struct manifest *manifest,
		       const struct ima_quote *q)
{
	struct shard s;

	if (new_shard_begin(n, &m->archive, m->chain, 0) ||
	    new_shard_write(n, m->records, m->len) ||
	    new_shard_cut(n, m->len, manifest->records) ||
	    new_shard_blob(n, SHARD_QUOTE, &q->attest, manifest->quote) ||
	    new_shard_blob(n, SHARD_SIGNATURE, &q->signature, manifest->signature) ||
	    new_shard_blob(n, SHARD_AK, &m->ak, manifest->ak) ||
	    new_shard_manifest(n, manifest) || new_shard_open(n, &s))
		return -EIO;
	m->last = s.m;
	return new_shard_commit(n, manifest->first) ? -EIO : 0;
}

/**
 * maker_shard() - quote, and put what was added since the last into a shard
 * @m: maker
 *
 * Return: 0 or -EIO.
 */
int maker_shard(struct maker *m)
{
	struct manifest *manifest = malloc(sizeof(*manifest));
	struct new_shard *n = malloc(sizeof(*n));
	struct ima_quote q;
	int err = -ENOMEM;

	if (manifest && n) {
		fill(m, manifest);
		err = quote(m, manifest, &q);
		if (!err) {
			err = write_files(m, n, manifest, &q);
			new_shard_end(n);
		}
	}
	free(manifest);
	free(n);
	banks_copy(&m->before, &m->banks);
	m->banks.unproven = 0;
	m->count = 0;
	m->len = 0;
	m->clock += 100;
	return err ?: archive_list(&m->archive) ? -EIO : 0;
}

/**
 * maker_two_shards() - make an archive of two shards, of 3 records and of 2
 * @m: maker, to be ended with maker_end()
 *
 * Return: 0 or an error.
 */
int maker_two_shards(struct maker *m)
{
	return maker_begin(m) ?: maker_add_files(m, 3, 0) ?: maker_shard(m) ?:
	       maker_add_files(m, 2, 3) ?: maker_shard(m);
}

/**
 * maker_reset() - the TPM is reset: a new chain
 * @m: maker
 */
void maker_reset(struct maker *m)
{
	unsigned int i;

	for (i = 0; i < m->banks.num; i++) {
		ima_log_bank_reset(&m->before.bank[i]);
		ima_log_bank_reset(&m->banks.bank[i]);
	}
	m->chain++;
	m->resets++;
}
