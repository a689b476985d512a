// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: parse a list, replay it and show it. The first byte chooses the
 * byte order, the bank that the list is from, and whether unknown templates are taken.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "banks.h"
#include "show.h"

static const char * const algs[] = { "sha1", "sha256", "sha384", "sha512" };

static struct ima_log_bank source[ARRAY_SIZE(algs)];
static struct ima_log_bank bank;
static FILE *null;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	size_t i;

	(void)argc;
	(void)argv;
	for (i = 0; i < ARRAY_SIZE(algs); i++)
		if (ima_log_bank_init(&source[i], ima_log_alg_by_name(algs[i]),
				      IMA_LOG_OWN_HASH))
			abort();
	if (ima_log_bank_init(&bank, source[1].alg, IMA_LOG_OWN_HASH))
		abort();
	null = fopen("/dev/null", "w");
	return !null;
}

/* A record is as long as it says, within the buffer, and its fields within it. */
static void check(const struct ima_log_record *rec, const __u8 *data, size_t size)
{
	unsigned int i;

	if (rec->raw < data || rec->raw + rec->len > data + size)
		abort();
	for (i = 0; i < rec->num_fields; i++)
		if (rec->fields[i].data < rec->raw ||
		    rec->fields[i].data + rec->fields[i].len > rec->raw + rec->len)
			abort();
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	struct ima_log_replay replay = { .banks = &bank, .num_banks = 1 };
	struct ima_log_record rec;
	struct ima_log_parser p;
	__u8 how;

	if (!size)
		return 0;
	how = *data++;
	size--;
	replay.source = how & 0x10 ? &source[how & 3] : NULL;
	ima_log_init(&p, data, size, source[how & 3].size, (how >> 2 & 3) % 3);
	p.any_template = how & 0x20;
	while (ima_log_next(&p, &rec) == 1) {
		check(&rec, data, size);
		ima_log_extend(&replay, &rec);
		if (show_ascii(null, &bank, &rec) || show_binary(null, &bank, &rec))
			abort();
	}
	return 0;
}
