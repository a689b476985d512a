// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write the seeds of the fuzz targets to folders log, manifest and quote: made here,
 * from the same software key and records as the tests' archives.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive_maker.h"

static FILE *seed(const char *folder, const char *name)
{
	char path[256];
	FILE *f;

	mkdir(folder, 0755);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

static void write_logs(const struct maker *m)
{
	static const __u8 how[] = { 0x10, 0x30, 0x04, 0x08 };
	char name[8];
	size_t i;
	FILE *f;

	for (i = 0; i < sizeof(how); i++) {
		snprintf(name, sizeof(name), "%zu", i);
		f = seed("log", name);
		fputc(how[i], f);
		fwrite(m->records, m->len, 1, f);
		fclose(f);
	}
}

static void write_blob(FILE *f, const struct ima_quote_blob *blob)
{
	fputc(blob->size >> 8, f);
	fputc(blob->size & 0xff, f);
	fwrite(blob->data, blob->size, 1, f);
}

static int write_shard(struct maker *m)
{
	struct ima_quote_blob quote, signature;
	__u8 nonce[HASH_SIZE];
	struct shard s;
	char *text;
	FILE *f;

	if (shard_open(&m->archive, 0, 0, &s) || shard_blob(&s, SHARD_QUOTE, &quote) ||
	    shard_blob(&s, SHARD_SIGNATURE, &signature))
		return 1;
	text = manifest_write(&s.m);
	f = seed("manifest", "0");
	fputs(text ?: "", f);
	fclose(f);
	free(text);
	f = seed("quote", "0");
	manifest_nonce(&s.m, nonce);
	fwrite(nonce, sizeof(nonce), 1, f);
	write_blob(f, &m->ak);
	write_blob(f, &quote);
	write_blob(f, &signature);
	fclose(f);
	shard_close(&s);
	return 0;
}

int main(void)
{
	static const char sig[] = "\x03\x02\x04";
	struct maker *m = malloc(sizeof(*m));
	struct maker_record r;
	int err;

	if (!m || maker_begin(m) || maker_add_files(m, 3, 0))
		return 1;
	maker_write(&r, 11, "ima-sig", (struct maker_field[]) {
		{ "sha1:", 6 }, { "/bin/sh", 8 }, { sig, 3 } }, 3);
	maker_violate(&r);
	err = maker_add(m, &r);
	write_logs(m);
	err = err || maker_shard(m) || write_shard(m);
	maker_end(m);
	free(m);
	return err;
}
