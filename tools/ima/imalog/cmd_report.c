// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog report: what verifies, and how log and list have grown, for people.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "report.h"

static const char help[] =
"Usage: imalog report [OPTION]... [ARCHIVE]\n"
"Verify as imalog verify does, and write a page in HTML: what verifies, what each shard\n"
"proves, and how log and list have grown. gnuplot draws it.\n"
"\n"
"  --html FILE     write it there, not to standard output\n"
"  --archive, --ak, --offline, --tcti, --ima-dir\n"
"                  as for verify\n"
"\n"
"Exit status: 0 all verifies, 1 something does not, which the page says, 2 usage,\n"
"3 TPM, 4 I/O, 5 busy.\n";

/**
 * cmd_report() - run it
 * @argc: number of arguments
 * @argv: "report" and its arguments
 *
 * Return: the exit status.
 */
enum status cmd_report(int argc, char **argv)
{
	struct verify_result result;
	enum status status, written;
	struct options opt;
	FILE *out = stdout;

	status = options_parse(&opt, argc, argv, "aiTKoW@", help);
	if (status)
		return status;
	status = verify_all(&opt, &result);
	if (status == USAGE)
		return status;
	if (opt.html)
		out = fopen(opt.html, "we");
	if (!out) {
		verify_free(&result);
		return say_errno("%s", opt.html);
	}
	written = report_html(out, &result, status);
	if (out != stdout ? fclose(out) : fflush(out))
		written = say_errno("%s", opt.html ?: "standard output");
	verify_free(&result);
	return status ?: written;
}
