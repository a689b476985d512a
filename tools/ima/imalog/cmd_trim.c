// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog trim: one round.
 */
#include <stdio.h>

#include <json-c/json.h>

#include "commands.h"
#include "options.h"
#include "round.h"

static const char help[] =
"Usage: imalog trim [OPTION]...\n"
"Archive the measurement records that a fresh TPM quote proves, then delete them\n"
"in the kernel.\n"
"\n"
"  --archive DIR        the archive (" DEFAULT_ARCHIVE ")\n"
"  --keep N             leave the last N archived records in the kernel\n"
"  --max N              delete at most N records\n"
"  --dry-run            write and delete nothing, tell what would be done\n"
"  --before-delete CMD  delete only if CMD exits 0; IMALOG_SHARD names a shard\n"
"  --nonce HEX          a verifier's nonce, up to 32 bytes, goes into the quote's\n"
"  --keep-boots N       then drop all chains of the archive but the last N\n"
"  --min-free SIZE      leave that much of the archive's disk free, or do nothing (64M)\n"
"  --ak KEY             attestation key: a handle such as 0x81010001, or the file\n"
"                       of a TSS2 PRIVATE KEY\n"
"  --tcti TCTI          how to reach the TPM (TPM2TOOLS_TCTI, device:/dev/tpmrm0)\n"
"  --ima-dir DIR        the kernel's files (" DEFAULT_IMA_DIR ")\n"
"  --json               print one JSON object\n"
"\n"
"Exit status: 0 done, 1 refused, 2 usage, 3 TPM, 4 I/O, 5 busy, try again.\n";

static enum status print_json(const struct options *opt, const struct round_result *r,
			      enum status status)
{
	struct json_object *o = json_object_new_object();

	if (status) {
		put_text(o, "error", say_last());
		return put_all(o);
	}
	put_flag(o, "dry_run", opt->dry_run);
	put_number(o, "chain", r->chain);
	put_number(o, "first", r->archived_from);
	put_number(o, "archived", r->archived);
	put_number(o, "unproven", r->unproven);
	put_number(o, "deleted", r->deleted);
	put_number(o, "kept", r->left);
	put_number(o, "end", r->end);
	put_flag(o, "aligned", r->aligned);
	put_info(o, &r->info);
	put_key(o, r->print);
	return put_all(o);
}

static enum status print_text(const struct options *opt, const struct round_result *r)
{
	const char *would = opt->dry_run ? "would be " : "";

	if (r->archived)
		printf("%sarchived: records %llu to %llu of chain %llu\n"
		       "proven up to TPM clock %llu ms of reset %u\n",
		       would, r->archived_from, r->end - 1, r->chain, r->info.clock,
		       r->info.resets);
	else
		printf("%sarchived: nothing new\n", would);
	if (r->unproven)
		printf("  %llu are for PCRs that no quote vouches for\n",
		       r->unproven);
	if (r->aligned)
		printf("  the kernel's place in the log was found by replaying it\n");
	printf("%sdeleted: %llu records, %llu that are archived are left in the kernel\n",
	       would, r->deleted, r->left);
	return fflush(stdout) ? say_errno("standard output") : DONE;
}

/**
 * cmd_trim() - run it
 * @argc: number of arguments
 * @argv: "trim" and its arguments
 *
 * Return: the exit status.
 */
enum status cmd_trim(int argc, char **argv)
{
	struct round_result result;
	enum status status, printed = DONE;
	struct options opt;

	status = options_parse(&opt, argc, argv, "aiTKjnkmbfNd", help);
	if (status)
		return status;
	status = round_run(&opt, &result);
	if (opt.json)
		printed = print_json(&opt, &result, status);
	else if (!status)
		printed = print_text(&opt, &result);
	return status ?: printed;
}
