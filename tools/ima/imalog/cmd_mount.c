// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog mount: the complete log as files.
 */
#include "commands.h"
#include "mount.h"

static const char help[] =
"Usage: imalog mount [OPTION]... DIR\n"
"Show the complete log in DIR, what is archived and what is in the kernel, in files\n"
"named as the kernel's, until DIR is unmounted or a signal ends it.\n"
"\n"
"  --group NAME    who may read the files without being root\n"
"  --boot N        chain N of the archive alone\n"
"  --size          the files have a size, for tail -f, sendfile(2) and the like; the\n"
"                  IMA policy must have a line for it, see imalog(8)\n"
"  --archive DIR   the archive (" DEFAULT_ARCHIVE ")\n"
"  --ak KEY        attestation key, as for trim; needed after kexec, and to tell whether\n"
"                  the log is whole without an archive\n"
"  --tcti TCTI     how to reach the TPM (TPM2TOOLS_TCTI, device:/dev/tpmrm0)\n"
"  --ima-dir DIR   the kernel's files (" DEFAULT_IMA_DIR ")\n"
"\n"
"Exit status: 0 done, 1 refused, 2 usage, 3 TPM, 4 I/O, 5 busy, try again.\n";

/**
 * cmd_mount() - run it
 * @argc: number of arguments
 * @argv: "mount" and its arguments
 *
 * Return: the exit status.
 */
enum status cmd_mount(int argc, char **argv)
{
	enum status status;
	struct options opt;

	status = options_parse(&opt, argc, argv, "aiTKgsB/", help);
	if (!status && !opt.dir)
		status = say(USAGE, "mount: name a folder, see imalog mount --help");
	return status ?: mount_log(&opt);
}
