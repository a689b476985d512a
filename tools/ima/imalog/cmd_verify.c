// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog verify: the archive, and on its host what is in the kernel.
 */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "commands.h"
#include "hex.h"
#include "options.h"
#include "verify.h"

static const char help[] =
"Usage: imalog verify [OPTION]... [ARCHIVE]\n"
"Replay the archive against its quotes and, on its host, what is in the kernel\n"
"against a fresh one.\n"
"\n"
"  --archive DIR   the archive (" DEFAULT_ARCHIVE ")\n"
"  --ak KEY        attestation key that must have signed: the file of a public key\n"
"                  in PEM or its SHA-256 fingerprint, and then the archive alone is\n"
"                  verified, with neither TPM nor kernel; or one as for trim\n"
"  --offline       the archive alone: tell if --ak is not for that\n"
"  --tcti TCTI     how to reach the TPM (TPM2TOOLS_TCTI, device:/dev/tpmrm0)\n"
"  --ima-dir DIR   the kernel's files (" DEFAULT_IMA_DIR ")\n"
"  --json          print one JSON object\n"
"\n"
"Exit status: 0 all verifies, 1 something does not, 2 usage, 3 TPM, 4 I/O, 5 busy.\n";

static void put_banks(struct json_object *o, const struct verify_banks *b)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < b->num; i++)
		json_object_array_add(list, json_object_new_string(ima_log_alg_name(b->alg[i])));
	json_object_object_add(o, "banks", list);
}

static enum status print_json(const struct verify_result *r, enum status verified)
{
	struct json_object *o = json_object_new_object(), *chains, *c;
	static const __u8 no_key[IMA_QUOTE_PRINT_SIZE];
	const struct verify_live *live = &r->live;
	size_t i;

	put_flag(o, "verified", !verified);
	if (verified)
		put_text(o, "error", say_last());
	chains = json_object_new_array();
	for (i = 0; i < r->num; i++) {
		c = json_object_new_object();
		put_number(c, "chain", r->chain[i].chain);
		put_number(c, "shards", r->chain[i].shards);
		put_number(c, "records", r->chain[i].records);
		put_number(c, "unproven", r->chain[i].unproven);
		put_number(c, "bytes", r->chain[i].bytes);
		put_info(c, &r->chain[i].info);
		put_text(c, "time", r->chain[i].time);
		put_banks(c, &r->chain[i].banks);
		json_object_array_add(chains, c);
	}
	json_object_object_add(o, "chains", chains);
	put_flag(o, "older_chains_dropped", r->older);
	if (memcmp(r->print, no_key, sizeof(no_key)))
		put_key(o, r->print);
	if (live->looked) {
		c = json_object_new_object();
		put_number(c, "chain", live->chain);
		put_number(c, "first", live->start);
		put_number(c, "archived_end", live->end);
		put_number(c, "proven_end", live->proven);
		put_info(c, &live->info);
		put_banks(c, &live->banks);
		json_object_object_add(o, "kernel", c);
	}
	return put_all(o);
}

static void print_banks(const struct verify_banks *b)
{
	unsigned int i;

	printf("  replayed in the bank%s", b->num == 1 ? "" : "s");
	for (i = 0; i < b->num; i++)
		printf("%s %s", i ? "," : "", ima_log_alg_name(b->alg[i]));
	printf("\n");
}

static void print_gap(const struct verify_chain *before, const struct verify_chain *c)
{
	__u32 resets = c->info.resets - before->info.resets;

	if (resets > 1)
		printf("between chain %llu and %llu: nothing archived of %u more TPM resets\n",
		       before->chain, c->chain, resets - 1);
}

static enum status print_text(const struct verify_result *r)
{
	const struct verify_live *live = &r->live;
	char hex[HEX_SIZE(IMA_QUOTE_PRINT_SIZE)];
	const struct verify_chain *c;
	size_t i;

	if (r->older)
		printf("chains before chain %llu are not in the archive\n", r->chain->chain);
	for (i = 0; i < r->num; i++) {
		c = &r->chain[i];
		if (i)
			print_gap(c - 1, c);
		printf("chain %llu: %llu records in %llu shards\n", c->chain, c->records,
		       c->shards);
		print_banks(&c->banks);
		printf("  proven up to TPM clock %llu ms of reset %u (%s)\n", c->info.clock,
		       c->info.resets, c->time);
		if (c->unproven)
			printf("  %llu are for PCRs that no quote vouches for\n",
			       c->unproven);
	}
	if (!r->num)
		printf("the archive is empty\n");
	if (live->looked) {
		printf("kernel: %llu records, from %llu of chain %llu on\n",
		       live->proven - live->start, live->start, live->chain);
		print_banks(&live->banks);
		printf("  proven by a fresh quote at TPM clock %llu ms\n", live->info.clock);
	}
	hex_from(hex, r->print, sizeof(r->print));
	printf("attestation key: %s\n", hex);
	return fflush(stdout) ? say_errno("standard output") : DONE;
}

/**
 * cmd_verify() - run it
 * @argc: number of arguments
 * @argv: "verify" and its arguments
 *
 * Return: the exit status.
 */
enum status cmd_verify(int argc, char **argv)
{
	struct verify_result result = { .num = 0 };
	enum status status, printed = DONE;
	struct options opt;

	status = options_parse(&opt, argc, argv, "aiTKjo@", help);
	if (status)
		return status;
	status = verify_all(&opt, &result);
	if (opt.json && status != USAGE)
		printed = print_json(&result, status);
	else if (!status)
		printed = print_text(&result);
	verify_free(&result);
	return status ?: printed;
}
