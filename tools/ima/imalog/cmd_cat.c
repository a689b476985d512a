// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog cat: the complete log since the TPM was reset.
 */
#include "cat.h"
#include "commands.h"

static const char help[] =
"Usage: imalog cat [OPTION]...\n"
"Write the complete log since the TPM was reset, what is archived and what is in\n"
"the kernel, as a kernel shows it that deletes nothing.\n"
"\n"
"  --ascii         as text, not binary\n"
"  --hash NAME     with the template digests of this bank: sha1 (the default), sha256...\n"
"  --from N        begin with record N, counted from 0\n"
"  --boot N        chain N of the archive alone\n"
"  --archive DIR   the archive (" DEFAULT_ARCHIVE ")\n"
"  --ak KEY        attestation key, as for trim; needed after kexec, on Linux 7.2, and\n"
"                  to tell whether the log is whole without an archive\n"
"  --tcti TCTI     how to reach the TPM (TPM2TOOLS_TCTI, device:/dev/tpmrm0)\n"
"  --ima-dir DIR   the kernel's files (" DEFAULT_IMA_DIR ")\n"
"\n"
"Exit status: 0 done, 1 refused, 2 usage, 3 TPM, 4 I/O, 5 busy, try again.\n";

/**
 * cmd_cat() - run it
 * @argc: number of arguments
 * @argv: "cat" and its arguments
 *
 * Return: the exit status.
 */
enum status cmd_cat(int argc, char **argv)
{
	enum status status;
	struct options opt;

	status = options_parse(&opt, argc, argv, "aiTKHABF", help);
	return status ?: cat_log(&opt);
}
