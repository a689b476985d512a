// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records as the kernel shows them, in the list of any of its banks. The digests of
 * other banks than SHA-1 are made from the data, as the kernel made them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "hex.h"
#include "show.h"

/* How the kernel prints a field, by its name. */
enum show_type { SHOW_HEX, SHOW_DIGEST, SHOW_TEXT, SHOW_NUMBER };

static const struct {
	const char *name;
	enum show_type type;
} fields[] = {
	{ "d-ng", SHOW_DIGEST }, { "d-ngv2", SHOW_DIGEST }, { "d-modsig", SHOW_DIGEST },
	{ "n", SHOW_TEXT }, { "n-ng", SHOW_TEXT }, { "xattrnames", SHOW_TEXT },
	{ "iuid", SHOW_NUMBER }, { "igid", SHOW_NUMBER }, { "imode", SHOW_NUMBER },
};

static enum show_type field_type(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == len && !memcmp(fields[i].name, name, len))
			return fields[i].type;
	return SHOW_HEX;
}

/* The digest as the bank's list has it: what was extended, but zeros if violated. */
static int get_digest(struct ima_log_bank *bank, const struct ima_log_record *rec,
		      __u8 digest[IMA_LOG_DIGEST_MAX])
{
	if (!rec->violation)
		return ima_log_hash(bank, rec, digest);
	memset(digest, 0, IMA_LOG_DIGEST_MAX);
	return 0;
}

/**
 * show_binary() - write a record as in a binary list
 * @out: where to
 * @bank: bank of the list
 * @rec: record, from the list of any bank
 *
 * Return: 0, -EIO: cannot be written, -ENOMEM.
 */
int show_binary(FILE *out, struct ima_log_bank *bank, const struct ima_log_record *rec)
{
	size_t rest = sizeof(rec->pcr) + rec->digest_size;
	__u8 digest[IMA_LOG_DIGEST_MAX];
	int err = get_digest(bank, rec, digest);

	if (err)
		return err;
	fwrite(rec->raw, sizeof(rec->pcr), 1, out);
	fwrite(digest, bank->size, 1, out);
	fwrite(rec->raw + rest, rec->len - rest, 1, out);
	return ferror(out) ? -EIO : 0;
}

static void put_hex(FILE *out, const __u8 *data, size_t len)
{
	char hex[HEX_SIZE(64)];
	size_t n;

	for (; len; data += n, len -= n) {
		n = len < 64 ? len : 64;
		hex_from(hex, data, n);
		fwrite(hex, 2 * n, 1, out);
	}
}

/* Up to the first NUL, which the data of most of these fields ends with. */
static void put_string(FILE *out, const __u8 *data, size_t len)
{
	fwrite(data, strnlen((const char *)data, len), 1, out);
}

/* "sha256:", NUL, and the digest; or "verity:sha256:" and so on. */
static void put_digest(FILE *out, const __u8 *data, size_t len)
{
	size_t name = strnlen((const char *)data, len);
	const __u8 *colon = memrchr(data, ':', name);
	size_t skip;

	if (!colon || name == len) {
		put_hex(out, data, len);
		return;
	}
	if (colon != data)
		fwrite(data, name, 1, out);
	skip = colon - data + 2;
	if (len > skip)
		put_hex(out, data + skip, len - skip);
}

/* In the byte order of the list, which is this machine's. */
static void put_number_field(FILE *out, const __u8 *data, size_t len)
{
	__u64 u64;
	__u32 u32;
	__u16 u16;

	switch (len) {
	case sizeof(__u8):
		fprintf(out, "%u", *data);
		break;
	case sizeof(u16):
		memcpy(&u16, data, len);
		fprintf(out, "%u", u16);
		break;
	case sizeof(u32):
		memcpy(&u32, data, len);
		fprintf(out, "%u", u32);
		break;
	case sizeof(u64):
		memcpy(&u64, data, len);
		fprintf(out, "%llu", u64);
		break;
	}
}

static void put_field(FILE *out, enum show_type type, const struct ima_log_field *f)
{
	switch (type) {
	case SHOW_TEXT:
		put_string(out, f->data, f->len);
		break;
	case SHOW_DIGEST:
		put_digest(out, f->data, f->len);
		break;
	case SHOW_NUMBER:
		put_number_field(out, f->data, f->len);
		break;
	case SHOW_HEX:
		put_hex(out, f->data, f->len);
		break;
	}
}

/**
 * show_ascii() - write a record as in an ascii list
 * @out: where to
 * @bank: bank of the list
 * @rec: record, from the list of any bank
 *
 * Return: 0, -EIO: cannot be written, -ENOMEM.
 */
int show_ascii(FILE *out, struct ima_log_bank *bank, const struct ima_log_record *rec)
{
	const char *fmt = rec->template_fmt ?: "";
	__u8 digest[IMA_LOG_DIGEST_MAX];
	unsigned int i;
	size_t len;
	int err;

	err = get_digest(bank, rec, digest);
	if (err)
		return err;
	fprintf(out, "%2u ", rec->pcr);
	put_hex(out, digest, bank->size);
	fprintf(out, " %s", rec->template_name);
	for (i = 0; i < rec->num_fields; i++) {
		len = strcspn(fmt, "|");
		fputc(' ', out);
		if (rec->fields[i].len)
			put_field(out, field_type(fmt, len), &rec->fields[i]);
		fmt += fmt[len] ? len + 1 : len;
	}
	fputc('\n', out);
	return ferror(out) ? -EIO : 0;
}
