// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog: archive IMA measurement records, prove them against a TPM quote, and only
 * then delete them in the kernel.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "ima_log.h"

#define VERSION	"1.0"	/* of Debian's package, too: scripts/deb */

static const struct {
	const char *name;
	enum status (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{ "status", cmd_status, "how many records are where, and what a trim would do" },
	{ "trim", cmd_trim, "archive and prove records, then delete them in the kernel" },
	{ "watch", cmd_watch, "trim again and again, as the list grows" },
	{ "verify", cmd_verify, "replay the archive, and the kernel's list, against quotes" },
	{ "cat", cmd_cat, "write the complete log since the TPM was reset" },
	{ "mount", cmd_mount, "show the complete log as files, named as the kernel's" },
	{ "report", cmd_report, "write a page for people: what verifies, how the log has grown" },
};

static void print_help(FILE *out)
{
	size_t i;

	fputs("Usage: imalog COMMAND [OPTION]...\n"
	      "Archive IMA measurement records, prove them, and delete them in the kernel.\n"
	      "\n", out);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].what);
	fputs("\nimalog COMMAND --help tells its options, imalog --version which one this is;\n"
	      "imalog(8) tells all.\n", out);
}

/* What tpm2-tss logs is in our messages; who wants it sets the variable. */
static void quiet_tss(void)
{
	setenv("TSS2_LOG", "all+none", 0);
}

int main(int argc, char **argv)
{
	size_t i;

	quiet_tss();
	if (argc < 2) {
		print_help(stderr);
		return USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help(stdout);
		return fflush(stdout) ? IO : DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("imalog " VERSION);
		return fflush(stdout) ? IO : DONE;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return say(USAGE, "%s: no such command, see imalog --help", argv[1]);
}
