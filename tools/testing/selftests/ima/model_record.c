// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes of a record, made of what is known of the file that was measured:
 * nothing here has been read from the kernel.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "model.h"

#define PCR 10
#define TEMPLATE "ima-ng"
#define FILE_ALG "sha256"
#define RECORD_MAX 4096

static size_t put(char *to, size_t at, const void *data, size_t len)
{
	memcpy(to + at, data, len);
	return at + len;
}

static size_t put_number(char *to, size_t at, uint32_t number)
{
	return put(to, at, &number, sizeof(number));
}

static size_t put_hex(char *to, size_t at, const unsigned char *data, size_t len)
{
	while (len--)
		at += sprintf(to + at, "%02x", *data++);
	return at;
}

static unsigned int hash(const char *alg, const void *data, size_t len, unsigned char *digest)
{
	unsigned int size;

	return EVP_Digest(data, len, digest, &size, EVP_get_digestbyname(alg), NULL) ? size : 0;
}

/* Both fields of the template as they are hashed: d-ng and n-ng. */
static size_t template_data(char *to, const char *name, const unsigned char *digest,
			    unsigned int size)
{
	size_t at = put_number(to, 0, sizeof(FILE_ALG ":") + size);

	at = put(to, at, FILE_ALG ":", sizeof(FILE_ALG ":"));
	at = put(to, at, digest, size);
	at = put_number(to, at, strlen(name) + 1);
	return put(to, at, name, strlen(name) + 1);
}

static size_t put_record(char *to, const struct model_format *format, const char *name,
			 const char *content)
{
	unsigned char file[EVP_MAX_MD_SIZE], digest[EVP_MAX_MD_SIZE];
	unsigned int file_size = hash(FILE_ALG, content, strlen(content), file);
	char data[RECORD_MAX / 4];
	size_t len = template_data(data, name, file, file_size), at;
	unsigned int size = hash(format->alg, data, len, digest);

	if (format->ascii) {
		at = sprintf(to, "%d ", PCR);
		at = put_hex(to, at, digest, size);
		at += sprintf(to + at, " " TEMPLATE " " FILE_ALG ":");
		at = put_hex(to, at, file, file_size);
		return at + sprintf(to + at, " %s\n", name);
	}
	at = put_number(to, 0, PCR);
	at = put(to, at, digest, size);
	at = put_number(to, at, strlen(TEMPLATE));
	at = put(to, at, TEMPLATE, strlen(TEMPLATE));
	at = put_number(to, at, len);
	return put(to, at, data, len);
}

/**
 * model_record() - the record of an event
 * @model: where the event is
 * @event: its number
 *
 * Return: the record, or NULL.
 */
struct model_record *model_record(const struct model *model, unsigned long event)
{
	const char *content = model->event[event % MODEL_EVENTS].name;
	char data[RECORD_MAX * MODEL_FORMATS], name[MODEL_NAME_MAX + 2];
	struct model_record *record;
	unsigned int at[MODEL_FORMATS + 1] = { 0 };
	int i;

	snprintf(name, sizeof(name), "%s%s", model->prefix, content);
	for (i = 0; i < model->formats; i++)
		at[i + 1] = at[i] + put_record(data + at[i], &model->format[i], name, content);
	record = malloc(sizeof(*record) + at[i]);
	if (!record)
		return NULL;
	record->event = event;
	record->users = 1;
	memcpy(record->at, at, sizeof(at));
	memcpy(record->data, data, at[i]);
	return record;
}

/**
 * model_record_put() - a list or a file no longer has a record
 * @record: the record, or NULL
 */
void model_record_put(struct model_record *record)
{
	if (record && !--record->users)
		free(record);
}

/**
 * model_formats() - which files show the lists
 * @model: put here
 *
 * Return: 0 or -errno.
 */
int model_formats(struct model *model)
{
	char names[IMA_FILES_MAX][IMA_NAME_MAX];
	struct model_format *format;
	int i, n = ima_list_names(names, false);

	for (i = 0; i < n && model->formats < MODEL_FORMATS; i++) {
		format = &model->format[model->formats];
		memcpy(format->name[MODEL_LIST], names[i], IMA_NAME_MAX);
		snprintf(format->name[MODEL_STAGED], IMA_NAME_MAX, "%.50s_staged", names[i]);
		snprintf(format->alg, sizeof(format->alg), "%.15s", strrchr(names[i], '_') + 1);
		format->ascii = !strncmp(names[i], "ascii", 5);
		model->formats += !!EVP_get_digestbyname(format->alg);
	}
	return n < 0 ? n : 0;
}
