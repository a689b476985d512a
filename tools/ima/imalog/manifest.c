// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write shard.json, and what follows from it. There is one way only to write it, so
 * that no byte of it can change unnoticed.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <openssl/evp.h>

#include "manifest.h"
#include "manifest_fields.h"

#define WRITE_FLAGS	(JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)
#define NONCE_TAG	"imalog1"

static const char * const fill_names[] = {
	[IMA_LOG_OWN_HASH] = "own",
	[IMA_LOG_PADDED] = "padded",
	[IMA_LOG_UNMAPPED] = "unmapped",
};

static void add(struct json_object *o, const char *name, struct json_object *value)
{
	json_object_object_add(o, name, value);
}

static void add_hex(struct json_object *o, const char *name, const void *data,
		    size_t len)
{
	char hex[HEX_SIZE(IMA_LOG_DIGEST_MAX)];

	hex_from(hex, data, len);
	add(o, name, json_object_new_string(hex));
}

static void add_field(struct json_object *o, const struct manifest *m,
		      const struct manifest_field *f)
{
	const void *p = (const char *)m + f->offset;

	switch (f->type) {
	case M_U64:
		add(o, f->name, json_object_new_uint64(*(const __u64 *)p));
		break;
	case M_U32:
		add(o, f->name, json_object_new_uint64(*(const __u32 *)p));
		break;
	case M_BOOL:
		add(o, f->name, json_object_new_boolean(*(const bool *)p));
		break;
	case M_HASH:
		add_hex(o, f->name, p, HASH_SIZE);
		break;
	case M_TEXT:
	case M_TIME:
		add(o, f->name, json_object_new_string(p));
		break;
	}
}

static struct json_object *bank_object(const struct manifest *m, unsigned int i)
{
	const struct manifest_bank *b = &m->bank[i];
	struct json_object *o = json_object_new_object(), *pcrs, *pcr;
	size_t size = ima_log_alg_size(b->alg);
	char name[4];
	unsigned int n;

	pcrs = json_object_new_object();
	for (n = 0; n < IMA_LOG_PCRS; n++) {
		if (!(m->pcrs >> n & 1))
			continue;
		pcr = json_object_new_object();
		add_hex(pcr, "before", b->before[n], size);
		add_hex(pcr, "after", b->after[n], size);
		snprintf(name, sizeof(name), "%u", n);
		add(pcrs, name, pcr);
	}
	add(o, "algorithm", json_object_new_string(ima_log_alg_name(b->alg)));
	add(o, "extended_with", json_object_new_string(fill_names[b->fill]));
	add(o, "pcrs", pcrs);
	return o;
}

static struct json_object *manifest_object(const struct manifest *m)
{
	struct json_object *o = json_object_new_object(), *banks;
	__u8 nonce[HASH_SIZE];
	size_t i;

	add(o, "format", json_object_new_string(MANIFEST_FORMAT));
	for (i = 0; i < ARRAY_SIZE(manifest_fields); i++)
		add_field(o, m, &manifest_fields[i]);
	add_hex(o, "verifier", m->verifier, m->verifier_len);
	manifest_nonce(m, nonce);
	add_hex(o, "nonce", nonce, sizeof(nonce));
	banks = json_object_new_array();
	for (i = 0; i < m->num_banks; i++)
		json_object_array_add(banks, bank_object(m, i));
	add(o, "banks", banks);
	return o;
}

/**
 * manifest_write() - make the text of shard.json
 * @m: manifest
 *
 * The last member, "sha256", is the hash of the text as it would be without it.
 *
 * Return: the text, to be released with free(), or NULL: no memory.
 */
char *manifest_write(const struct manifest *m)
{
	struct json_object *o = manifest_object(m);
	__u8 hash[EVP_MAX_MD_SIZE];
	char *text = NULL;
	const char *body;
	size_t len;

	body = json_object_to_json_string_length(o, WRITE_FLAGS, &len);
	if (body && EVP_Digest(body, len, hash, NULL, EVP_sha256(), NULL)) {
		add_hex(o, "sha256", hash, HASH_SIZE);
		body = json_object_to_json_string_length(o, WRITE_FLAGS, &len);
		text = body ? malloc(len + 2) : NULL;
	}
	if (text) {
		memcpy(text, body, len);
		memcpy(text + len, "\n", 2);
	}
	json_object_put(o);
	return text;
}

static void place_bytes(const struct manifest *m, __u8 place[MANIFEST_PLACE_SIZE])
{
	__be32 chain = htobe32(m->chain);
	__be64 first = htobe64(m->first);

	memcpy(place, &chain, sizeof(chain));
	memcpy(place + sizeof(chain), &first, sizeof(first));
}

/**
 * manifest_set_place() - have the nonce say where in the log the shard is
 * @m: manifest; the end of its @random is overwritten
 *
 * Else records of shards before could be put in front of those of this one, and no
 * manifest of theirs would be missed.
 */
void manifest_set_place(struct manifest *m)
{
	place_bytes(m, m->random + HASH_SIZE - MANIFEST_PLACE_SIZE);
}

/**
 * manifest_has_place() - does the nonce say that the shard is where it is?
 * @m: manifest
 *
 * Return: whether it does.
 */
bool manifest_has_place(const struct manifest *m)
{
	__u8 place[MANIFEST_PLACE_SIZE];

	place_bytes(m, place);
	return !memcmp(m->random + HASH_SIZE - sizeof(place), place, sizeof(place));
}

/**
 * manifest_nonce() - the nonce that the shard's quote was asked with
 * @m: manifest
 * @nonce: SHA-256 of a tag, the hash of the manifest before, and the random parts
 */
void manifest_nonce(const struct manifest *m, __u8 nonce[HASH_SIZE])
{
	__u8 data[sizeof(NONCE_TAG) - 1 + 2 * HASH_SIZE + IMA_QUOTE_NONCE_MAX];
	size_t len = sizeof(NONCE_TAG) - 1;

	memcpy(data, NONCE_TAG, len);
	memcpy(data + len, m->previous, HASH_SIZE);
	len += HASH_SIZE;
	memcpy(data + len, m->random, HASH_SIZE);
	len += HASH_SIZE;
	memcpy(data + len, m->verifier, m->verifier_len);
	len += m->verifier_len;
	if (!EVP_Digest(data, len, nonce, NULL, EVP_sha256(), NULL))
		abort();
}

/**
 * manifest_banks() - the banks at an end of the shard
 * @m: manifest
 * @b: banks, initialised and empty
 * @after: the values after the last record, not before the first
 *
 * Return: DONE, or REFUSED: a bank is unknown here.
 */
enum status manifest_banks(const struct manifest *m, struct banks *b, bool after)
{
	enum status status;
	unsigned int i;

	b->pcrs = m->pcrs;
	for (i = 0; i < m->num_banks; i++) {
		status = banks_add(b, m->bank[i].alg, m->bank[i].fill);
		if (status)
			return status;
		memcpy(b->bank[i].value, after ? m->bank[i].after : m->bank[i].before,
		       sizeof(b->bank[i].value));
	}
	return DONE;
}

/**
 * manifest_set_banks() - take over the values at an end of the shard
 * @m: manifest
 * @b: banks
 * @after: these are the values after the last record, not before the first
 */
void manifest_set_banks(struct manifest *m, const struct banks *b, bool after)
{
	unsigned int i;

	m->pcrs = b->pcrs;
	m->num_banks = b->num;
	for (i = 0; i < b->num; i++) {
		m->bank[i].alg = b->bank[i].alg;
		m->bank[i].fill = b->bank[i].fill;
		memcpy(after ? m->bank[i].after : m->bank[i].before,
		       b->bank[i].value, sizeof(b->bank[i].value));
	}
}
