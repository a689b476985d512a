// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read shard.json. What is read is written again and compared, so what a reader does
 * not look at cannot differ: order, spaces, a member twice or one too many.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>
#include <openssl/evp.h>

#include "manifest.h"
#include "manifest_fields.h"

#define DEPTH		6

static const char *text_of(struct json_object *o, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static bool number_of(struct json_object *o, const char *name, __u64 *number)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, name, &value) ||
	    !json_object_is_type(value, json_type_int))
		return false;
	*number = json_object_get_uint64(value);
	return true;
}

static bool read_u32(struct json_object *o, const char *name, __u32 *number)
{
	__u64 n;

	if (!number_of(o, name, &n) || n > UINT_MAX)
		return false;
	*number = n;
	return true;
}

static bool read_bool(struct json_object *o, const char *name, bool *value)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, name, &v) ||
	    !json_object_is_type(v, json_type_boolean))
		return false;
	*value = json_object_get_boolean(v);
	return true;
}

/* No key vouches for them, and they get into other languages: report, a terminal. */
static bool read_text(struct json_object *o, const char *name, char *to)
{
	const char *text = text_of(o, name), *c;

	if (!text || strlen(text) > MANIFEST_TEXT)
		return false;
	for (c = text; *c; c++)
		if (*c < ' ' || *c > '~' || strchr("<>&\"'\\", *c))
			return false;
	memcpy(to, text, strlen(text) + 1);
	return true;
}

static bool read_time(struct json_object *o, const char *name, char *to)
{
	char same[MANIFEST_TEXT + 1];
	struct tm tm = { .tm_mday = 1 };
	const char *end;

	if (!read_text(o, name, to))
		return false;
	end = strptime(to, MANIFEST_TIME, &tm);
	return end && !*end && strftime(same, sizeof(same), MANIFEST_TIME, &tm) &&
	       !strcmp(same, to);
}

static bool read_field(struct json_object *o, struct manifest *m,
		       const struct manifest_field *f)
{
	void *p = (char *)m + f->offset;
	const char *text;

	switch (f->type) {
	case M_U64:
		return number_of(o, f->name, p);
	case M_U32:
		return read_u32(o, f->name, p);
	case M_BOOL:
		return read_bool(o, f->name, p);
	case M_HASH:
		text = text_of(o, f->name);
		return text && hex_to(text, p, HASH_SIZE);
	case M_TEXT:
		return read_text(o, f->name, p);
	case M_TIME:
		return read_time(o, f->name, p);
	}
	return false;
}

static bool read_fill(const char *name, enum ima_log_fill *fill)
{
	if (!name)
		return false;
	if (!strcmp(name, "own"))
		*fill = IMA_LOG_OWN_HASH;
	else if (!strcmp(name, "padded"))
		*fill = IMA_LOG_PADDED;
	else if (!strcmp(name, "unmapped"))
		*fill = IMA_LOG_UNMAPPED;
	else
		return false;
	return true;
}

static bool read_pcr(struct json_object *o, struct manifest_bank *b, unsigned int pcr)
{
	const char *before = text_of(o, "before"), *after = text_of(o, "after");
	size_t size = ima_log_alg_size(b->alg);

	return before && after && hex_to(before, b->before[pcr], size) &&
	       hex_to(after, b->after[pcr], size);
}

/* PCRs of a bank: all banks have the same. */
static bool read_pcrs(struct json_object *o, struct manifest *m,
		      struct manifest_bank *b)
{
	__u32 pcrs = 0;
	char *end;

	json_object_object_foreach(o, key, value) {
		unsigned long pcr = strtoul(key, &end, 10);

		if (pcr >= IMA_LOG_PCRS || !json_object_is_type(value, json_type_object) ||
		    !read_pcr(value, b, pcr))
			return false;
		pcrs |= 1u << pcr;
	}
	if (b == m->bank)
		m->pcrs = pcrs;
	return pcrs == m->pcrs && !(pcrs & ~BANKS_PROVABLE) && pcrs & BANKS_USUAL;
}

static bool read_bank(struct json_object *o, struct manifest *m)
{
	struct manifest_bank *b = &m->bank[m->num_banks++];
	struct json_object *pcrs;
	unsigned int i;
	const char *alg;

	if (!json_object_is_type(o, json_type_object))
		return false;
	alg = text_of(o, "algorithm");
	b->alg = alg ? ima_log_alg_by_name(alg) : 0;
	for (i = 0; &m->bank[i] != b; i++)
		if (m->bank[i].alg == b->alg)
			return false;
	return b->alg && read_fill(text_of(o, "extended_with"), &b->fill) &&
	       json_object_object_get_ex(o, "pcrs", &pcrs) &&
	       json_object_is_type(pcrs, json_type_object) && read_pcrs(pcrs, m, b);
}

static bool read_banks(struct json_object *o, struct manifest *m)
{
	struct json_object *banks;
	size_t i, n;

	if (!json_object_object_get_ex(o, "banks", &banks) ||
	    !json_object_is_type(banks, json_type_array))
		return false;
	n = json_object_array_length(banks);
	if (!n || n > IMA_LOG_BANKS_MAX)
		return false;
	for (i = 0; i < n; i++)
		if (!read_bank(json_object_array_get_idx(banks, i), m))
			return false;
	return true;
}

static const char *read_members(struct json_object *o, struct manifest *m)
{
	const char *text = text_of(o, "format");
	size_t i;
	long len;

	if (!text || strcmp(text, MANIFEST_FORMAT))
		return "format: not \"" MANIFEST_FORMAT "\"";
	for (i = 0; i < ARRAY_SIZE(manifest_fields); i++)
		if (!read_field(o, m, &manifest_fields[i]))
			return manifest_fields[i].name;
	text = text_of(o, "verifier");
	len = text ? hex_to_some(text, m->verifier, sizeof(m->verifier)) : -1;
	if (len < 0)
		return "verifier";
	m->verifier_len = len;
	return read_banks(o, m) ? NULL : "banks";
}

static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(DEPTH);
	struct json_object *o = NULL;

	if (tok && len <= MANIFEST_MAX) {
		json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
		o = json_tokener_parse_ex(tok, text, len);
	}
	if (tok)
		json_tokener_free(tok);
	if (o && !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		o = NULL;
	}
	return o;
}

/**
 * manifest_read() - read the text of shard.json
 * @m: manifest
 * @text: the text
 * @len: bytes of it
 *
 * Return: NULL, or the member that is not as it must be, or what else is wrong.
 */
const char *manifest_read(struct manifest *m, const char *text, size_t len)
{
	struct json_object *o = parse(text, len);
	const char *why;
	char *again;

	memset(m, 0, sizeof(*m));
	if (!o)
		return "not a JSON object";
	why = read_members(o, m);
	json_object_put(o);
	if (why)
		return why;
	again = manifest_write(m);
	if (!again || strlen(again) != len || memcmp(again, text, len))
		why = "sha256: altered";
	free(again);
	if (!why && !EVP_Digest(text, len, m->self, NULL, EVP_sha256(), NULL))
		why = "no SHA-256";
	return why;
}
