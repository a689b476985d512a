// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "ima_log.h"
#include "options.h"

#define DEFAULT_MIN_FREE	(64ULL << 20)
#define DEFAULT_RECORDS		5000
#define DEFAULT_INTERVAL	3600	/* seconds */

static const struct option longs[] = {
	{ "archive", required_argument, NULL, 'a' },
	{ "ima-dir", required_argument, NULL, 'i' },
	{ "tcti", required_argument, NULL, 'T' },
	{ "ak", required_argument, NULL, 'K' },
	{ "json", no_argument, NULL, 'j' },
	{ "offline", no_argument, NULL, 'o' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "keep", required_argument, NULL, 'k' },
	{ "max", required_argument, NULL, 'm' },
	{ "keep-boots", required_argument, NULL, 'b' },
	{ "min-free", required_argument, NULL, 'f' },
	{ "nonce", required_argument, NULL, 'N' },
	{ "before-delete", required_argument, NULL, 'd' },
	{ "hash", required_argument, NULL, 'H' },
	{ "ascii", no_argument, NULL, 'A' },
	{ "boot", required_argument, NULL, 'B' },
	{ "from", required_argument, NULL, 'F' },
	{ "records", required_argument, NULL, 'r' },
	{ "interval", required_argument, NULL, 'I' },
	{ "group", required_argument, NULL, 'g' },
	{ "size", no_argument, NULL, 's' },
	{ "html", required_argument, NULL, 'W' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/**
 * options_number() - read a decimal number
 * @text: digits, nothing else
 * @value: the number
 *
 * Return: whether it is one, and fits.
 */
bool options_number(const char *text, __u64 *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && !*end;
}

/* A number with a unit behind it, or none. */
static bool read_units(const char *text, const char *units, const __u64 *factors,
		       __u64 *value)
{
	size_t len = strlen(text);
	const char *unit;
	char digits[32];
	__u64 factor;

	if (!len || len >= sizeof(digits))
		return false;
	unit = strchr(units, text[len - 1]);
	factor = unit ? factors[unit - units] : 1;
	snprintf(digits, sizeof(digits), "%.*s", (int)(len - !!unit), text);
	if (!options_number(digits, value) || *value > ULLONG_MAX / factor)
		return false;
	*value *= factor;
	return true;
}

static bool read_size(const char *text, __u64 *bytes)
{
	static const __u64 factors[] = { 1 << 10, 1 << 20, 1 << 30 };

	return read_units(text, "KMG", factors, bytes);
}

static bool read_time(const char *text, __u64 *seconds)
{
	static const __u64 factors[] = { 1, 60, 3600, 86400 };

	/* so that adding it to the time of now is no overflow */
	return read_units(text, "smhd", factors, seconds) && *seconds &&
	       *seconds <= INT_MAX;
}

static bool read_nonce(struct options *opt, const char *hex)
{
	long len = hex_to_some_typed(hex, opt->nonce, sizeof(opt->nonce));

	opt->nonce_len = len;
	return len > 0;
}

static bool read_boot(struct options *opt, const char *text)
{
	__u64 boot;

	if (!options_number(text, &boot) || boot > 999999)
		return false;
	opt->boot = boot;
	return true;
}

/* Take one option: whether its argument is good. */
static bool take(struct options *opt, int c, char *arg)
{
	switch (c) {
	case 'a':
		opt->archive = arg;
		return *arg;
	case 'i':
		opt->ima_dir = arg;
		return *arg;
	case 'T':
		opt->tcti = arg;
		return *arg;
	case 'K':
		opt->ak = arg;
		return *arg;
	case 'd':
		opt->before_delete = arg;
		return *arg;
	case 'k':
		return options_number(arg, &opt->keep);
	case 'm':
		return options_number(arg, &opt->max) && opt->max;
	case 'b':
		return options_number(arg, &opt->keep_boots) && opt->keep_boots;
	case 'f':
		return read_size(arg, &opt->min_free);
	case 'F':
		return options_number(arg, &opt->from);
	case 'r':
		return options_number(arg, &opt->records) && opt->records;
	case 'I':
		return read_time(arg, &opt->interval);
	case 'g':
		opt->group = arg;
		return *arg;
	case 'N':
		return read_nonce(opt, arg);
	case 'B':
		return read_boot(opt, arg);
	case 'H':
		opt->hash = ima_log_alg_by_name(arg);
		return opt->hash;
	case 'j':
		opt->json = true;
		return true;
	case 'o':
		opt->offline = true;
		return true;
	case 'n':
		opt->dry_run = true;
		return true;
	case 'W':
		opt->html = arg;
		return *arg;
	case 's':
		opt->size = true;
		return true;
	case 'A':
		opt->ascii = true;
		return true;
	}
	return false;
}

static const char *long_name(int c)
{
	const struct option *o;

	for (o = longs; o->name && o->val != c; o++)
		;
	return o->name;
}

static void set_defaults(struct options *opt)
{
	memset(opt, 0, sizeof(*opt));
	opt->archive = DEFAULT_ARCHIVE;
	opt->ima_dir = DEFAULT_IMA_DIR;
	opt->min_free = DEFAULT_MIN_FREE;
	opt->hash = ima_log_alg_by_name("sha1");
	opt->boot = -1;
	opt->records = DEFAULT_RECORDS;
	opt->interval = DEFAULT_INTERVAL;
}

/**
 * options_parse() - read the command line of one command
 * @opt: what it says
 * @argc: number of arguments, the first of which is the command's name
 * @argv: the arguments
 * @allowed: letters of the options that this command knows; "@" for one argument
 *	that is not an option, the archive; "/" for one that is a folder
 * @help: what --help prints; then the program ends
 *
 * Return: DONE or USAGE.
 */
enum status options_parse(struct options *opt, int argc, char **argv,
			  const char *allowed, const char *help)
{
	const char *command = argv[0];
	int c;

	set_defaults(opt);
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			exit(fflush(stdout) ? IO : DONE);
		}
		if (c == ':')
			return say(USAGE, "%s: needs an argument", argv[optind - 1]);
		if (c == '?')
			return say(USAGE, "%s: no such option, see imalog %s --help",
				   argv[optind - 1], command);
		if (!strchr(allowed, c))
			return say(USAGE, "--%s: not an option of %s", long_name(c),
				   command);
		if (!take(opt, c, optarg))
			return say(USAGE, "--%s: not a good value: %s", long_name(c),
				   optarg);
	}
	if (optind < argc && strchr(allowed, '@'))
		opt->archive = argv[optind++];
	if (optind < argc && strchr(allowed, '/'))
		opt->dir = argv[optind++];
	if (optind < argc)
		return say(USAGE, "%s: unexpected argument", argv[optind]);
	return DONE;
}
