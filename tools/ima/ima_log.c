// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parse and replay the binary IMA measurement list.
 *
 * A record is: PCR (u32), template digest, length of the template's name (u32),
 * the name, length of the template data (u32), the data. The data is a number of
 * fields, each a length (u32) and so many bytes; the template digest is the hash
 * of just that. Only the template "ima" differs: its data has no length, it is 20
 * bytes of digest, then length and text of a file name, and its template digest is
 * the hash of these 20 bytes and the name filled up with zeros to 256 bytes.
 * (With ima_hash=md5 the kernel writes 16 bytes there and nothing that tells so.
 * Such a list is not supported, as it is not by other tools.)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "ima_log.h"

#define SHA1_SIZE		20
#define ALG_SHA1		0x0004

/* TPM's number, the kernel's name, OpenSSL's name */
static const struct ima_log_alg {
	__u16 alg;
	const char *name;
	const char *md_name;
	size_t size;
} algs[] = {
	{ ALG_SHA1, "sha1", "SHA1", SHA1_SIZE },
	{ 0x000b, "sha256", "SHA256", 32 },
	{ 0x000c, "sha384", "SHA384", 48 },
	{ 0x000d, "sha512", "SHA512", 64 },
	{ 0x0012, "sm3", "SM3", 32 },
	{ 0x0027, "sha3-256", "SHA3-256", 32 },
	{ 0x0028, "sha3-384", "SHA3-384", 48 },
	{ 0x0029, "sha3-512", "SHA3-512", 64 },
};

static const struct {
	const char *name;
	const char *fmt;
} templates[] = {
	{ "ima", "d|n" },
	{ "ima-ng", "d-ng|n-ng" },
	{ "ima-sig", "d-ng|n-ng|sig" },
	{ "ima-ngv2", "d-ngv2|n-ng" },
	{ "ima-sigv2", "d-ngv2|n-ng|sig" },
	{ "ima-buf", "d-ng|n-ng|buf" },
	{ "ima-modsig", "d-ng|n-ng|sig|d-modsig|modsig" },
	{ "evm-sig",
	  "d-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode" },
};

/* what ima_template_fmt can be made of */
static const char * const field_names[] = {
	"d", "n", "d-ng", "d-ngv2", "n-ng", "sig", "buf", "d-modsig", "modsig",
	"evmsig", "iuid", "igid", "imode", "xattrnames", "xattrlengths",
	"xattrvalues",
};

static const struct ima_log_alg *alg_find(__u16 alg)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(algs); i++)
		if (algs[i].alg == alg)
			return &algs[i];
	return NULL;
}

/**
 * ima_log_alg_by_name() - TPM's number of a hash algorithm
 * @name: the kernel's name of it, as it ends the name of a list: "sha256", or
 *	"tpm_alg_27" for one that the kernel does not know
 *
 * Return: TPM_ALG_ID, or 0 if there is none.
 */
__u16 ima_log_alg_by_name(const char *name)
{
	unsigned int alg;
	char end;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(algs); i++)
		if (!strcmp(algs[i].name, name))
			return algs[i].alg;
	if (sscanf(name, "tpm_alg_%4x%c", &alg, &end) == 1 && alg_find(alg))
		return alg;
	return 0;
}

/**
 * ima_log_alg_name() - the kernel's name of a hash algorithm
 * @alg: TPM_ALG_ID
 *
 * Return: a constant string, or NULL if @alg is not known here.
 */
const char *ima_log_alg_name(__u16 alg)
{
	const struct ima_log_alg *a = alg_find(alg);

	return a ? a->name : NULL;
}

/**
 * ima_log_alg_size() - digest size of a hash algorithm
 * @alg: TPM_ALG_ID
 *
 * Return: bytes, or 0 if @alg is not known here.
 */
size_t ima_log_alg_size(__u16 alg)
{
	const struct ima_log_alg *a = alg_find(alg);

	return a ? a->size : 0;
}

static bool all_zero(const __u8 *data, size_t len)
{
	while (len--)
		if (*data++)
			return false;
	return true;
}

/**
 * ima_log_init() - begin to parse a list
 * @p: parser
 * @data: the list or its first part; it must stay while records of it are in use
 * @len: bytes of @data
 * @digest_size: size of the digests in this list, ima_log_alg_size()
 * @order: byte order of its numbers
 */
void ima_log_init(struct ima_log_parser *p, const void *data, size_t len,
		  size_t digest_size, enum ima_log_order order)
{
	memset(p, 0, sizeof(*p));
	p->data = data;
	p->len = len;
	p->digest_size = digest_size;
	p->order = order;
}

/**
 * ima_log_feed() - go on with another buffer
 * @p: parser
 * @data: begins with the first byte that was not consumed, that is, with the last
 *	@p->len - @p->pos bytes of the buffer before
 * @len: bytes of @data
 *
 * For a list that is read in parts: when ima_log_next() returns -ENODATA, move
 * what was not consumed to the front, read more behind it and call this.
 */
void ima_log_feed(struct ima_log_parser *p, const void *data, size_t len)
{
	p->base += p->pos;
	p->data = data;
	p->len = len;
	p->pos = 0;
	p->error = NULL;
}

static int fail(struct ima_log_parser *p, size_t pos, int err, const char *why)
{
	p->error_record = p->records + 1;
	p->error_offset = p->base + pos;
	p->error = why;
	return err;
}

static __u32 get_u32(enum ima_log_order order, const __u8 *b)
{
	__u32 v;

	switch (order) {
	case IMA_LOG_LITTLE:
		return b[0] | b[1] << 8 | b[2] << 16 | (__u32)b[3] << 24;
	case IMA_LOG_BIG:
		return b[3] | b[2] << 8 | b[1] << 16 | (__u32)b[0] << 24;
	default:
		memcpy(&v, b, sizeof(v));
		return v;
	}
}

/* Take the next @n bytes at *@pos. */
static int take(struct ima_log_parser *p, size_t *pos, size_t n,
		const __u8 **data)
{
	if (p->len - *pos < n)
		return fail(p, *pos, -ENODATA, "record is cut short");
	*data = p->data + *pos;
	*pos += n;
	return 0;
}

static int take_u32(struct ima_log_parser *p, size_t *pos, __u32 *v)
{
	const __u8 *b;
	int err = take(p, pos, sizeof(*v), &b);

	if (!err)
		*v = get_u32(p->order, b);
	return err;
}

static bool field_known(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(field_names); i++)
		if (strlen(field_names[i]) == len &&
		    !memcmp(field_names[i], name, len))
			return true;
	return false;
}

/* Number of fields in a format string, 0 if one of them is not known. */
static unsigned int fmt_count(const char *fmt)
{
	unsigned int n = 0;
	size_t len;

	for (;; fmt += len + 1) {
		len = strcspn(fmt, "|");
		if (!field_known(fmt, len))
			return 0;
		n++;
		if (!fmt[len])
			return n;
	}
}

static const char *template_fmt(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(templates); i++)
		if (!strcmp(templates[i].name, name))
			return templates[i].fmt;
	return fmt_count(name) ? name : NULL;
}

static int parse_name(struct ima_log_parser *p, size_t *pos,
		      struct ima_log_record *rec)
{
	size_t start = *pos;
	const __u8 *name;
	__u32 len, i;
	int err;

	err = take_u32(p, pos, &len);
	if (err)
		return err;
	if (!len || len > IMA_LOG_NAME_MAX)
		return fail(p, start, -EINVAL, "bad length of the template name");
	err = take(p, pos, len, &name);
	if (err)
		return err;
	for (i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return fail(p, start, -EINVAL, "bad template name");

	memcpy(rec->template_name, name, len);
	rec->template_name[len] = '\0';
	rec->template_fmt = template_fmt(rec->template_name);
	if (!rec->template_fmt && !p->any_template)
		return fail(p, start, -EINVAL, "unknown template");
	return 0;
}

/* The data of template "ima", which has no length in front. */
static int parse_old_ima(struct ima_log_parser *p, size_t *pos,
			 struct ima_log_record *rec)
{
	size_t start = *pos, name;
	int err;

	rec->old_ima = true;
	rec->num_fields = 2;
	rec->fields[0].len = SHA1_SIZE;
	err = take(p, pos, SHA1_SIZE, &rec->fields[0].data);
	if (err)
		return err;
	name = *pos;
	err = take_u32(p, pos, &rec->fields[1].len);
	if (err)
		return err;
	if (rec->fields[1].len > IMA_LOG_EVENT_NAME_MAX)
		return fail(p, name, -EINVAL, "bad length of the event name");
	err = take(p, pos, rec->fields[1].len, &rec->fields[1].data);
	if (err)
		return err;
	rec->data = p->data + start;
	rec->data_len = *pos - start;
	return 0;
}

/* Cut rec->data, which starts at @pos, into fields. */
static int parse_fields(struct ima_log_parser *p, size_t pos,
			struct ima_log_record *rec)
{
	const __u8 *data = rec->data;
	size_t left = rec->data_len;
	unsigned int n;
	__u32 len;

	for (n = 0; left; n++) {
		if (n == IMA_LOG_FIELDS_MAX)
			return fail(p, pos, -EINVAL, "too many fields");
		if (left < sizeof(len))
			return fail(p, pos, -EINVAL, "field is cut short");
		len = get_u32(p->order, data);
		data += sizeof(len);
		left -= sizeof(len);
		if (len > left)
			return fail(p, pos, -EINVAL, "bad length of a field");
		rec->fields[n].data = data;
		rec->fields[n].len = len;
		data += len;
		left -= len;
		pos += sizeof(len) + len;
	}
	if (!n || (rec->template_fmt && n != fmt_count(rec->template_fmt)))
		return fail(p, pos, -EINVAL,
			    "number of fields does not fit the template");
	rec->num_fields = n;
	return 0;
}

static int parse_data(struct ima_log_parser *p, size_t *pos,
		      struct ima_log_record *rec)
{
	size_t start = *pos;
	__u32 len;
	int err;

	if (!strcmp(rec->template_name, "ima"))
		return parse_old_ima(p, pos, rec);

	err = take_u32(p, pos, &len);
	if (err)
		return err;
	if (len > IMA_LOG_DATA_MAX)
		return fail(p, start, -EINVAL, "bad length of the template data");
	rec->data_len = len;
	start = *pos;
	err = take(p, pos, len, &rec->data);
	if (err)
		return err;
	return parse_fields(p, start, rec);
}

/**
 * ima_log_next() - get the next record
 * @p: parser; not moved on failure, but @p->error and its companions are set
 * @rec: the record, valid as long as the buffer
 *
 * Return: 1 if there is one, 0 at the end, or
 * -EINVAL: a number or name that no kernel writes,
 * -ENODATA: the buffer ends within the record; ima_log_feed() can go on.
 */
int ima_log_next(struct ima_log_parser *p, struct ima_log_record *rec)
{
	size_t pos = p->pos;
	int err;

	p->error = NULL;
	if (!p->digest_size || p->digest_size > IMA_LOG_DIGEST_MAX)
		return fail(p, pos, -EINVAL, "bad digest size");
	if (pos == p->len)
		return 0;

	memset(rec, 0, sizeof(*rec));
	rec->offset = p->base + pos;
	rec->raw = p->data + pos;
	rec->digest_size = p->digest_size;
	err = take_u32(p, &pos, &rec->pcr);
	if (err)
		return err;
	if (rec->pcr > IMA_LOG_PCR_LAST)
		return fail(p, p->pos, -EINVAL, "bad PCR");
	err = take(p, &pos, p->digest_size, &rec->digest);
	if (!err)
		err = parse_name(p, &pos, rec);
	if (!err)
		err = parse_data(p, &pos, rec);
	if (err)
		return err;

	rec->violation = all_zero(rec->digest, rec->digest_size);
	rec->len = pos - p->pos;
	p->pos = pos;
	p->records++;
	p->unproven += !ima_log_replayed(rec);
	return 1;
}

/**
 * ima_log_bank_init() - make a bank with the PCR values of a reset
 * @bank: bank, to be released with ima_log_bank_free()
 * @alg: TPM_ALG_ID
 * @fill: what the kernel extends it with, see ima_log_bank_detect()
 *
 * Return: 0, -EOPNOTSUPP: not known here or to OpenSSL, -ENOMEM.
 */
int ima_log_bank_init(struct ima_log_bank *bank, __u16 alg,
		      enum ima_log_fill fill)
{
	const struct ima_log_alg *a = alg_find(alg);

	memset(bank, 0, sizeof(*bank));
	if (!a)
		return -EOPNOTSUPP;
	bank->alg = alg;
	bank->name = a->name;
	bank->size = a->size;
	bank->fill = fill;
	/* fetched once: to look it up for each record takes longer than to hash */
	bank->md = EVP_MD_fetch(NULL, a->md_name, NULL);
	bank->template_md = EVP_MD_fetch(NULL, fill == IMA_LOG_OWN_HASH ?
					 a->md_name : "SHA1", NULL);
	if (!bank->md || !bank->template_md) {
		ima_log_bank_free(bank);
		return -EOPNOTSUPP;
	}
	bank->ctx = EVP_MD_CTX_new();
	if (!bank->ctx) {
		ima_log_bank_free(bank);
		return -ENOMEM;
	}
	ima_log_bank_reset(bank);
	return 0;
}

/**
 * ima_log_bank_reset() - set the PCR values of a TPM reset
 * @bank: bank
 *
 * All are zero, but the PCRs 17 to 22, which have all bits set until a dynamic
 * launch.
 */
void ima_log_bank_reset(struct ima_log_bank *bank)
{
	memset(bank->value, 0, sizeof(bank->value));
	memset(bank->value[17], 0xff, 6 * sizeof(bank->value[0]));
}

/**
 * ima_log_bank_free() - release what a bank holds
 * @bank: bank; all zero is allowed
 */
void ima_log_bank_free(struct ima_log_bank *bank)
{
	EVP_MD_CTX_free(bank->ctx);
	EVP_MD_free(bank->template_md);
	EVP_MD_free(bank->md);
	bank->ctx = NULL;
	bank->template_md = NULL;
	bank->md = NULL;
}

/* Name of template "ima": filled up with zeros, and no lengths. */
static int hash_old_ima(EVP_MD_CTX *ctx, const struct ima_log_record *rec)
{
	__u8 name[IMA_LOG_EVENT_NAME_MAX + 1] = { 0 };

	memcpy(name, rec->fields[1].data, rec->fields[1].len);
	return EVP_DigestUpdate(ctx, rec->fields[0].data, rec->fields[0].len) &&
	       EVP_DigestUpdate(ctx, name, sizeof(name));
}

/**
 * ima_log_hash() - make the template digest of a record
 * @bank: in which bank
 * @rec: record
 * @digest: the digest, @bank->size bytes
 *
 * It does not look at the digest in @rec, so a violation is hashed as well.
 *
 * Return: 0, -ENOMEM: OpenSSL failed.
 */
int ima_log_hash(struct ima_log_bank *bank, const struct ima_log_record *rec,
		 __u8 digest[IMA_LOG_DIGEST_MAX])
{
	EVP_MD_CTX *ctx = bank->ctx;
	int ok;

	memset(digest, 0, IMA_LOG_DIGEST_MAX);
	ok = EVP_DigestInit_ex2(ctx, bank->template_md, NULL);
	if (ok && rec->old_ima)
		ok = hash_old_ima(ctx, rec);
	else if (ok)
		ok = EVP_DigestUpdate(ctx, rec->data, rec->data_len);
	return ok && EVP_DigestFinal_ex(ctx, digest, NULL) ? 0 : -ENOMEM;
}

/**
 * ima_log_check() - compare the digest that a record claims with its data
 * @bank: bank of the list that @rec is from
 * @rec: record
 *
 * Return: 1 if they agree or @rec is a violation, 0 if not,
 * -EINVAL: @bank has digests of another size, -ENOMEM: OpenSSL failed.
 */
int ima_log_check(struct ima_log_bank *bank, const struct ima_log_record *rec)
{
	__u8 digest[IMA_LOG_DIGEST_MAX];
	int err;

	if (bank->size != rec->digest_size)
		return -EINVAL;
	if (rec->violation)
		return 1;
	err = ima_log_hash(bank, rec, digest);
	if (err)
		return err;
	return !memcmp(digest, rec->digest, bank->size);
}

/**
 * ima_log_bank_detect() - find out whether the kernel knows the hash of a bank
 * @bank: bank, made with IMA_LOG_OWN_HASH; its @fill changes if that is wrong
 * @rec: a record from the list of this bank
 *
 * A wrong guess does no harm: no quote will match. A kernel that calls the list
 * "tpm_alg_..." does not know the algorithm at all; make such a bank with
 * IMA_LOG_UNMAPPED and without asking here.
 *
 * Return: 1 if @bank now fits, 0 if a violation tells nothing, ask with another
 * record; -EBADMSG: neither its own hash nor SHA-1 fits, -EINVAL: @bank has
 * digests of another size, -EOPNOTSUPP or -ENOMEM: OpenSSL failed.
 */
int ima_log_bank_detect(struct ima_log_bank *bank,
			const struct ima_log_record *rec)
{
	struct ima_log_bank padded;
	int ret;

	if (rec->violation)
		return 0;
	ret = ima_log_check(bank, rec);
	if (ret)
		return ret;
	ret = ima_log_bank_init(&padded, bank->alg, IMA_LOG_PADDED);
	if (ret)
		return ret;
	ret = ima_log_check(&padded, rec);
	if (ret == 1) {
		memcpy(padded.value, bank->value, sizeof(padded.value));
		ima_log_bank_free(bank);
		*bank = padded;
		return 1;
	}
	ima_log_bank_free(&padded);
	return ret ? ret : -EBADMSG;
}

static int bank_extend(struct ima_log_bank *bank,
		       const struct ima_log_record *rec)
{
	__u8 digest[IMA_LOG_DIGEST_MAX] = { 0 };
	__u8 *value = bank->value[rec->pcr];
	int err;

	if (rec->violation) {
		memset(digest, 0xff, bank->fill == IMA_LOG_UNMAPPED ?
		       SHA1_SIZE : bank->size);
	} else {
		err = ima_log_hash(bank, rec, digest);
		if (err)
			return err;
	}
	if (!EVP_DigestInit_ex2(bank->ctx, bank->md, NULL) ||
	    !EVP_DigestUpdate(bank->ctx, value, bank->size) ||
	    !EVP_DigestUpdate(bank->ctx, digest, bank->size) ||
	    !EVP_DigestFinal_ex(bank->ctx, value, NULL))
		return -ENOMEM;
	return 0;
}

/**
 * ima_log_extend() - extend the banks with a record, as the kernel did
 * @replay: banks; not changed on any failure but -ENOMEM, nor by a record that
 *	ima_log_replayed() is false for
 * @rec: record
 *
 * Return: 0, or
 * -EBADMSG: the digest that @rec claims is not that of its data,
 * -EINVAL: @rec is not from the list of @replay->source,
 * -ENOMEM: OpenSSL failed.
 */
int ima_log_extend(const struct ima_log_replay *replay,
		   const struct ima_log_record *rec)
{
	unsigned int i;
	int ret;

	if (replay->source) {
		ret = ima_log_check(replay->source, rec);
		if (ret < 0)
			return ret;
		if (!ret)
			return -EBADMSG;
	}
	for (i = 0; i < replay->num_banks && ima_log_replayed(rec); i++) {
		ret = bank_extend(&replay->banks[i], rec);
		if (ret)
			return ret;
	}
	return 0;
}

/* Get the next record and extend: 1, 0 at the end, -errno with @p->error set. */
static int replay_next(const struct ima_log_replay *replay,
		       struct ima_log_parser *p, struct ima_log_record *rec)
{
	int ret = ima_log_next(p, rec);

	if (ret <= 0)
		return ret;
	ret = ima_log_extend(replay, rec);
	if (!ret)
		return 1;
	p->records--;
	p->unproven -= !ima_log_replayed(rec);
	p->pos -= rec->len;
	return fail(p, p->pos, ret, ret == -EBADMSG ?
		    "template digest is not that of the data" :
		    "template digest cannot be made");
}

/**
 * ima_log_replay() - extend the banks with the next records
 * @replay: banks
 * @p: parser; @p->records counts on
 * @max: how many records at most
 *
 * Return: 0 after @max records or at the end of the list; errors of
 * ima_log_next() and ima_log_extend(), with @p->error and its companions set.
 */
int ima_log_replay(const struct ima_log_replay *replay,
		   struct ima_log_parser *p, unsigned long max)
{
	struct ima_log_record rec;
	int ret;

	while (max--) {
		ret = replay_next(replay, p, &rec);
		if (ret <= 0)
			return ret;
	}
	return 0;
}

static const struct ima_log_bank *
replay_bank(const struct ima_log_replay *replay, __u16 alg)
{
	unsigned int i;

	for (i = 0; i < replay->num_banks; i++)
		if (replay->banks[i].alg == alg)
			return &replay->banks[i];
	return NULL;
}

static int hash_values(const struct ima_log_replay *replay,
		       const struct ima_log_selection *select, EVP_MD *md,
		       EVP_MD_CTX *ctx, __u8 *digest)
{
	const struct ima_log_bank *bank;
	unsigned int i, pcr;

	if (select->num > IMA_LOG_BANKS_MAX)
		return -EINVAL;
	if (!EVP_DigestInit_ex2(ctx, md, NULL))
		return -ENOMEM;
	for (i = 0; i < select->num; i++) {
		bank = replay_bank(replay, select->bank[i].alg);
		if (!bank || select->bank[i].pcrs >> IMA_LOG_PCRS)
			return -EINVAL;
		for (pcr = 0; pcr < IMA_LOG_PCRS; pcr++)
			if (select->bank[i].pcrs >> pcr & 1 &&
			    !EVP_DigestUpdate(ctx, bank->value[pcr], bank->size))
				return -ENOMEM;
	}
	return EVP_DigestFinal_ex(ctx, digest, NULL) ? 0 : -ENOMEM;
}

/**
 * ima_log_pcr_digest() - hash the PCR values that the replay has got to
 * @replay: banks
 * @select: which PCRs, in which order
 * @alg: TPM_ALG_ID of the hash
 * @digest: the digest, as a quote would state it
 *
 * Return: 0, -EINVAL: @select names a bank that is not in @replay or a PCR that
 * does not exist, -EOPNOTSUPP: unknown @alg, -ENOMEM: OpenSSL failed.
 */
int ima_log_pcr_digest(const struct ima_log_replay *replay,
		       const struct ima_log_selection *select, __u16 alg,
		       __u8 digest[IMA_LOG_DIGEST_MAX])
{
	struct ima_log_bank hash;
	int err;

	err = ima_log_bank_init(&hash, alg, IMA_LOG_OWN_HASH);
	if (err)
		return err;
	memset(digest, 0, IMA_LOG_DIGEST_MAX);
	err = hash_values(replay, select, hash.md, hash.ctx, digest);
	ima_log_bank_free(&hash);
	return err;
}

/**
 * ima_log_match() - has the replay got to the PCR values that a quote states?
 * @replay: banks
 * @target: what the verified quote states
 * @hash: working memory, a bank of @target->alg
 *
 * Return: 1 if it has, 0 if not, -EINVAL: @target or @hash does not fit, see
 * ima_log_pcr_digest(), -ENOMEM: OpenSSL failed.
 */
int ima_log_match(const struct ima_log_replay *replay,
		  const struct ima_log_target *target,
		  struct ima_log_bank *hash)
{
	__u8 digest[IMA_LOG_DIGEST_MAX];
	int err;

	if (hash->alg != target->alg)
		return -EINVAL;
	err = hash_values(replay, &target->select, hash->md, hash->ctx, digest);
	if (err)
		return err;
	return !memcmp(digest, target->digest, hash->size);
}

/* Do the quoted values of @pcr depend on it in each bank that is replayed? */
static bool pcr_quoted(const struct ima_log_replay *replay,
		       const struct ima_log_selection *select, __u32 pcr)
{
	unsigned int i, found = 0;

	for (i = 0; i < select->num; i++)
		if (select->bank[i].pcrs >> pcr & 1)
			found++;
	return found >= replay->num_banks;
}

static int find_quote(const struct ima_log_replay *replay,
		      struct ima_log_parser *p,
		      const struct ima_log_target *target,
		      struct ima_log_bank *hash)
{
	struct ima_log_record rec;
	int ret;

	for (;;) {
		ret = ima_log_match(replay, target, hash);
		if (ret < 0)
			return fail(p, p->pos, ret, "PCRs cannot be compared");
		if (ret)
			return 1;
		ret = replay_next(replay, p, &rec);
		if (ret <= 0)
			return ret;
		if (ima_log_replayed(&rec) &&
		    !pcr_quoted(replay, &target->select, rec.pcr))
			return fail(p, p->pos - rec.len, -EXDEV,
				    "the quote does not cover the record's PCR");
	}
}

/**
 * ima_log_find_quote() - replay until the PCRs are as a quote states them
 * @replay: banks, with the PCR values before the next record
 * @p: parser; afterwards @p->records tells how many records the quote covers
 * @target: what the verified quote states
 *
 * Stops at the first match, which can be before the first record. Every record is
 * hashed once, and one hash over the quoted PCRs is made after it. Without a
 * match @replay is at the end of the list. Records of PCRs that no TPM has are
 * passed over: @p->unproven tells how many are among those before the match.
 *
 * Return: 1 at a match, 0 if there is none, or
 * -EXDEV: a record before the match extended a PCR that is not quoted in all
 * banks, so the quote proves nothing of it,
 * -EINVAL, -EOPNOTSUPP: @target does not fit @replay, see ima_log_pcr_digest(),
 * or an error of ima_log_next() or ima_log_extend(); @p->error tells which.
 */
int ima_log_find_quote(const struct ima_log_replay *replay,
		       struct ima_log_parser *p,
		       const struct ima_log_target *target)
{
	struct ima_log_bank hash;
	int ret;

	ret = ima_log_bank_init(&hash, target->alg, IMA_LOG_OWN_HASH);
	if (ret)
		return fail(p, p->pos, ret, "unknown hash of the quoted PCRs");
	ret = find_quote(replay, p, target, &hash);
	ima_log_bank_free(&hash);
	return ret;
}
