// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog watch: rounds, as the list grows.
 */
#include "commands.h"
#include "watch.h"

static const char help[] =
"Usage: imalog watch [OPTION]...\n"
"Make a round as imalog trim does, each time that the kernel's list has grown by so\n"
"many records or so much time has passed, and a last one when it is ended. SIGHUP\n"
"asks for a round at once.\n"
"\n"
"  --records N     records after which a round is made (5000)\n"
"  --interval TIME time after which one is made, such as 90s, 30m, 1h, 1d (1h)\n"
"  --archive, --keep, --max, --before-delete, --keep-boots, --min-free, --ak, --tcti,\n"
"  --ima-dir       as for trim\n"
"\n"
"Exit status: 0 the last round was good, 1 refused, 2 usage, 3 TPM, 4 I/O, 5 busy.\n";

/**
 * cmd_watch() - run it
 * @argc: number of arguments
 * @argv: "watch" and its arguments
 *
 * Return: the exit status.
 */
enum status cmd_watch(int argc, char **argv)
{
	enum status status;
	struct options opt;

	status = options_parse(&opt, argc, argv, "aiTKkmbfdrI", help);
	return status ?: watch(&opt);
}
