// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's console: kernel faults in it, and its end.
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm.h"

#define TAIL_LINES	30
/* Of each fault; a report of KASAN with its traces has about 80 lines. */
#define SPLAT_LINES	90

static const char * const faults[] = {
	"BUG:", "kernel BUG at", "WARNING:", "Oops", "Kernel panic",
	"general protection fault", "Unable to handle kernel", "Call Trace:",
	"KASAN:", "KCSAN:", "UBSAN:", "ODEBUG:", "unreferenced object",
	"refcount_t:", "list_add corruption", "list_del corruption",
	"possible circular locking", "possible recursive locking",
	"inconsistent lock state", "inconsistent {", "bad unlock balance",
	"held lock freed", "suspicious RCU usage",
	"turning off the locking correctness validator",
	"sleeping function called", "scheduling while atomic",
	"detected stall", "self-detected stall", "detected expedited stalls",
	"soft lockup", "blocked for more than",
};

static bool is_fault(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		if (strstr(line, faults[i]))
			return true;
	return false;
}

static FILE *console_open(const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f)
		warn("%s", path);
	return f;
}

static void show(char *line)
{
	line[strcspn(line, "\r\n")] = '\0';
	fprintf(stderr, "  | %s\n", line);
}

/**
 * vm_console_splat() - look for a fault of the kernel
 * @path:	log of the console
 *
 * Return: true, and the lines are on stderr, if there is one.
 */
bool vm_console_splat(const char *path)
{
	FILE *f = console_open(path);
	unsigned int left = 0;
	char *line = NULL;
	bool found = false;
	size_t size = 0;

	if (!f)
		return true;
	while (getline(&line, &size, f) > 0) {
		if (is_fault(line)) {
			if (!found)
				warnx("the kernel reported a fault on its console:");
			found = true;
			if (!left)
				left = SPLAT_LINES;
		}
		if (left) {
			show(line);
			left--;
		}
	}
	free(line);
	fclose(f);
	return found;
}

/**
 * vm_console_tail() - show the end of the console on stderr
 * @path:	log of the console
 */
void vm_console_tail(const char *path)
{
	char *lines[TAIL_LINES] = { NULL };
	FILE *f = console_open(path);
	size_t size[TAIL_LINES] = { 0 };
	unsigned int n = 0;

	if (!f)
		return;
	while (getline(&lines[n % TAIL_LINES], &size[n % TAIL_LINES], f) > 0)
		n++;
	fclose(f);
	warnx(n ? "the end of the console:" : "the console is empty");
	for (unsigned int i = n < TAIL_LINES ? 0 : n - TAIL_LINES; i < n; i++)
		show(lines[i % TAIL_LINES]);
	for (unsigned int i = 0; i < TAIL_LINES; i++)
		free(lines[i]);
}
