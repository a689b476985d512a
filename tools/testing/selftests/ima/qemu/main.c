// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs one program in a virtual machine with a TPM: see usage().
 */
#define _GNU_SOURCE
#include <err.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm.h"

static void __noreturn usage(int status)
{
	static const char * const lines[] = {
		"Usage: vm --kernel BZIMAGE [OPTION]... -- PROGRAM [ARG]...",
		"       vm --kernel BZIMAGE [OPTION]... --run 'PROGRAM ARG...'",
		"",
		"Boots a virtual machine, runs PROGRAM in it as root, passes on its stdout and",
		"stderr, and exits with its status (128+N: killed by signal N). 124: no end in",
		"time. 125: no status, or the kernel reported a fault. PROGRAM with a slash is",
		"copied to the guest's /usr/local/bin, with its libraries; a plain name is a",
		"command of the guest (busybox, tpm2-tools), or else one of the host's.",
		"",
		"  --no-tpm           no TPM; else a fresh swtpm at /dev/tpm0 and /dev/tpmrm0",
		"  --append WORDS     added to the kernel command line",
		"  --mem SIZE         1G",
		"  --cpus N           2; with --icount 1",
		"  --timeout SECONDS  300",
		"  --boot SECONDS     of these, until PROGRAM is begun; all of them if not given",
		"  --accel NAME       tcg; kvm if you know that it works",
		"  --icount           the guest's clock counts instructions, one a nanosecond:",
		"                     times measured there hardly differ between runs; only with",
		"                     --no-tpm and --accel tcg",
		"  --console FILE     keep the console's output",
		"  --file SRC[:DST]   copy a file or folder in, at its own path or DST, also in place",
		"                     of what the guest has there",
		"  --kexec            /boot/bzImage and /boot/initrd for the guest's own use;",
		"                     SIGUSR1 to process 1 starts what is loaded, and there",
		"                     PROGRAM again, with $IMA_KEXEC_BOOT set to N if",
		"                     ima_kexec_boot=N is on the new kernel's command line;",
		"                     $IMA_KEXEC_TEST=1 tells PROGRAM that it may do so",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		fprintf(status ? stderr : stdout, "%s\n", lines[i]);
	exit(status);
}

/* Returns what is behind the word; NULL if a quote is open, or it is for a shell. */
static const char *copy_word(const char *c, char **to)
{
	char quote = '\0';

	for (; *c && (quote || !strchr(" \t", *c)); c++) {
		if (!quote && strchr("|&;<>()\n", *c))
			return NULL;
		if (quote ? *c == quote : *c == '\'' || *c == '"') {
			quote = quote ? '\0' : *c;
			continue;
		}
		if (*c == '\\' && quote != '\'' && c[1] &&
		    (!quote || strchr("$`\"\\", c[1])))
			c++;
		*(*to)++ = *c;
	}
	*(*to)++ = '\0';
	return quote ? NULL : c;
}

/* Words as in a shell, but nothing in them is expanded: that is for the guest. */
static char **split_words(const char *command)
{
	size_t len = strlen(command), n = 0;
	char **words = calloc(len / 2 + 2, sizeof(*words));
	char *to = malloc(len + 1);

	if (!words || !to)
		err(VM_FAILED, "--run");
	for (const char *c = command; c && *(c += strspn(c, " \t"));) {
		words[n++] = to;
		c = copy_word(c, &to);
		if (!c)
			n = 0;
	}
	if (!n)
		errx(VM_FAILED, "--run: not a simple command: %s", command);
	return words;
}

static unsigned int parse_seconds(const char *option, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || !n || n > INT_MAX / 1000)
		errx(VM_FAILED, "%s %s: not a number of seconds", option, text);
	return n;
}

static void add_file(struct vm_config *config, const char *spec)
{
	if (config->nr_files == VM_MAX_FILES)
		errx(VM_FAILED, "--file: more than %d", VM_MAX_FILES);
	config->files[config->nr_files++] = spec;
}

static const struct option options[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "run", required_argument, NULL, 'r' },
	{ "no-tpm", no_argument, NULL, 'n' },
	{ "append", required_argument, NULL, 'a' },
	{ "mem", required_argument, NULL, 'm' },
	{ "cpus", required_argument, NULL, 'c' },
	{ "timeout", required_argument, NULL, 't' },
	{ "boot", required_argument, NULL, 'b' },
	{ "accel", required_argument, NULL, 'x' },
	{ "icount", no_argument, NULL, 'i' },
	{ "console", required_argument, NULL, 'o' },
	{ "file", required_argument, NULL, 'f' },
	{ "kexec", no_argument, NULL, 'e' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static void set_option(struct vm_config *config, int option, const char *value)
{
	switch (option) {
	case 'k':
		config->kernel = value;
		break;
	case 'r':
		config->argv = split_words(value);
		break;
	case 'n':
		config->tpm = false;
		break;
	case 'a':
		config->append = value;
		break;
	case 'm':
		config->mem = value;
		break;
	case 'c':
		config->cpus = value;
		break;
	case 't':
		config->timeout = parse_seconds("--timeout", value);
		break;
	case 'b':
		config->boot = parse_seconds("--boot", value);
		break;
	case 'x':
		config->accel = value;
		break;
	case 'i':
		config->icount = true;
		break;
	case 'o':
		config->console = value;
		break;
	case 'f':
		add_file(config, value);
		break;
	case 'e':
		config->kexec = true;
		break;
	default:
		usage(option == 'h' ? 0 : VM_FAILED);
	}
}

static void parse(struct vm_config *config, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1)
		set_option(config, c, optarg);
	if (!config->kernel || (config->argv && optind < argc) || (!config->argv && optind == argc))
		usage(VM_FAILED);
	if (!config->argv)
		config->argv = argv + optind;
	/* The TPM has its own time, and QEMU can wait for it for ever. */
	if (config->icount && (config->tpm || strcmp(config->accel, "tcg")))
		errx(VM_FAILED, "--icount: only with --no-tpm and --accel tcg");
	if (!config->cpus)
		config->cpus = config->icount ? "1" : "2";
	if (access(config->kernel, R_OK))
		err(VM_FAILED, "%s", config->kernel);
}

static const char *own_folder(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0)
		err(VM_FAILED, "/proc/self/exe");
	*strrchr(path, '/') = '\0';
	return path;
}

/* The exit status, and on stderr why it is not the program's. */
static int judge(const struct vm_config *config, const struct vm_result *result)
{
	bool splat = vm_console_splat(config->console);

	if (!splat && !result->timed_out && !result->why[0] && result->status >= 0)
		return result->status;
	if (!splat)
		vm_console_tail(config->console);
	if (result->timed_out) {
		warnx("no %s after %u s", result->booted ? "end" : "boot",
		      result->booted ? config->timeout : config->boot);
		return VM_TIMEOUT;
	}
	if (result->why[0]) {
		warnx("%s", result->why);
	} else if (result->status < 0) {
		vm_log_show();
		warnx("the machine ended without a status");
	} else {
		warnx("kernel fault; the program's own status was %d", result->status);
	}
	return VM_FAILED;
}

int main(int argc, char **argv)
{
	struct vm_config config = {
		.mem = "1G", .accel = "tcg", .timeout = 300, .tpm = true,
	};
	struct vm_result result;
	int ports[VM_PORTS];
	char *initramfs;
	int signals;

	parse(&config, argc, argv);
	config.tools = own_folder();
	signals = vm_signals_block();
	vm_guardian_start();
	initramfs = vm_tmp_path("initramfs");
	if (!config.console)
		config.console = vm_tmp_path("console");
	vm_initramfs_make(&config, initramfs);
	vm_machine_start(&config, initramfs, ports);
	if (!config.boot || config.boot > config.timeout)
		config.boot = config.timeout;
	vm_ports_relay(ports, signals, &config, &result);
	vm_end_all();
	return judge(&config, &result);
}
