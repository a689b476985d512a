// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocations of the kernel that fail, one after the other, in this thread.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "faults.h"
#include "ima_test.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define DEBUGFS "/sys/kernel/debug/"
#define SLAB "/sys/kernel/slab"

static const char ignore_wait[] = DEBUGFS "failslab/ignore-gfp-wait";
static const char min_order[] = DEBUGFS "fail_page_alloc/min-order";
static const char cache_filter[] = DEBUGFS "failslab/cache-filter";

static int kmsg = -1;
static const char *unavailable;

static struct setting {
	const char *path, *value;
	char saved[64];
} settings[] = {
	/* first of all, or everybody's allocations fail */
	{ DEBUGFS "failslab/task-filter", "Y", "" },
	{ DEBUGFS "fail_page_alloc/task-filter", "Y", "" },
	{ DEBUGFS "failslab/verbose", "0", "" },
	{ DEBUGFS "failslab/times", "-1", "" },
	{ ignore_wait, "N", "" },
	{ cache_filter, "Y", "" },
	{ DEBUGFS "failslab/probability", "100", "" },
	{ DEBUGFS "fail_page_alloc/verbose", "0", "" },
	{ DEBUGFS "fail_page_alloc/times", "-1", "" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N", "" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N", "" },
	{ min_order, READ_BUFFER, "" },
	{ DEBUGFS "fail_page_alloc/probability", "100", "" },
	/* vmalloc() warns that it fails: faults_log_is_good() tells faults from that */
	{ "/proc/sys/kernel/printk", "4", "" },
};

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

static bool setting_change(struct setting *s)
{
	int fd = open(s->path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, s->saved, sizeof(s->saved) - 1);
	close(fd);
	return n > 0 && write_file(s->path, s->value);
}

/* The last one first: the filters stay until nothing fails any more. */
static void settings_restore(void)
{
	size_t i = ARRAY_SIZE(settings);

	while (i--)
		if (settings[i].saved[0] && !write_file(settings[i].path, settings[i].saved))
			fprintf(stderr, "# cannot restore %s\n", settings[i].path);
}

/*
 * What looks for faults allocates as well, not the same each time: these caches
 * shall not fail. Where caches are merged this cannot be said, and all fail.
 */
static bool caches_choose(void)
{
	char path[sizeof(SLAB) + NAME_MAX + sizeof("/failslab")];
	DIR *dir = opendir(SLAB);
	struct dirent *d;
	bool all = dir, spare;

	while (all && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		spare = !strncmp(d->d_name, "kmemleak_", 9) ||
			!strncmp(d->d_name, "debug_objects_", 14);
		snprintf(path, sizeof(path), SLAB "/%s/failslab", d->d_name);
		all = write_file(path, spare ? "0" : "1");
	}
	if (dir)
		closedir(dir);
	return all;
}

/* For all tests, before the first. Return: NULL, or why not */
static const char *settings_change(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (settings[i].path == cache_filter && !caches_choose())
			settings[i].value = "N";
		if (!setting_change(&settings[i]))
			return "no failslab and fail_page_alloc in " DEBUGFS
			       " (CONFIG_FAILSLAB, FAIL_PAGE_ALLOC, FAULT_INJECTION_DEBUG_FS)";
	}
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0)
		return "cannot read /dev/kmsg";
	return NULL;
}

/**
 * faults_of_pages() - which pages fail
 * @order: at least of this order
 *
 * Return: whether the kernel took it.
 */
bool faults_of_pages(const char *order)
{
	return write_file(min_order, order);
}

/**
 * faults_of_pages_only() - pages fail, and no object of a slab
 *
 * Until the next faults_setup().
 *
 * Return: whether the kernel took it.
 */
bool faults_of_pages_only(void)
{
	return write_file(ignore_wait, "Y");
}

/**
 * faults_open() - what a thread needs to have its own allocations fail
 * @f: put here
 * @rest: as in struct faults
 *
 * Return: whether the kernel can.
 */
bool faults_open(struct faults *f, bool rest)
{
	memset(f, 0, sizeof(*f));
	f->rest = rest;
	f->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	f->task = open("/proc/thread-self/make-it-fail", O_RDWR | O_CLOEXEC);
	return f->nth >= 0 && f->task >= 0;
}

/**
 * faults_close() - close what faults_open() has opened
 * @f: the faults
 */
void faults_close(struct faults *f)
{
	close(f->nth);
	close(f->task);
}

/**
 * faults_on() - from here on the n-th allocation of this thread fails
 * @f: the faults; @f->n says which
 *
 * This and faults_off() allocate nothing themselves.
 */
void faults_on(struct faults *f)
{
	char n[16];
	int len = snprintf(n, sizeof(n), "%u", f->n);

	if (f->rest && pwrite(f->task, "1", 1, 0) != 1)
		abort();
	if (pwrite(f->nth, n, len, 0) != len)
		abort();
}

/**
 * faults_off() - nothing fails from here on
 * @f: the faults; @f->hit tells whether something has
 */
void faults_off(struct faults *f)
{
	char left[16] = "";

	if (pread(f->nth, left, sizeof(left) - 1, 0) <= 0 ||
	    pwrite(f->nth, "0", 1, 0) != 1 || pwrite(f->task, "0", 1, 0) != 1)
		abort();
	f->hit = atoi(left) == 0;
	f->passes = f->hit ? 0 : f->passes + 1;
	f->failed += f->hit;
}

/**
 * faults_explain() - not negative, or -ENOMEM because we made something fail?
 * @f: the faults
 * @ret: what was returned
 *
 * Return: whether it is one of these.
 */
bool faults_explain(const struct faults *f, int ret)
{
	if (ret >= 0 || (ret == -ENOMEM && f->hit))
		return true;
	fprintf(stderr, "# n=%u: %s\n", f->n, strerror(-ret));
	return false;
}

/**
 * faults_log_is_good() - what the console did not show
 *
 * vmalloc()'s own warning that it fails is none of these.
 *
 * Return: whether the kernel's log has no fault since the last call.
 */
bool faults_log_is_good(void)
{
	static const char * const bad[] = {
		"WARNING:", "BUG:", "KASAN:", "UBSAN:", "ODEBUG:",
	};
	char record[2048];
	bool good = true;
	ssize_t n;

	while ((n = read(kmsg, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		record[n > 0 ? n : 0] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			if (!strstr(record, bad[i]))
				continue;
			fprintf(stderr, "# the kernel's log: %s", record);
			good = false;
		}
	}
	return good;
}

/**
 * faults_give() - give a command; opening is not what fails
 * @f: the faults
 * @name: the file's name
 * @command: the command with its newline
 *
 * Return: 0 or -errno.
 */
int faults_give(struct faults *f, const char *name, const char *command)
{
	ssize_t n, len = strlen(command);
	int fd = ima_open(name, O_WRONLY);
	int ret;

	if (fd < 0)
		return -EIO;
	/* RCU keeps such pages: it shall need a new one. */
	if (ima_booted_with_flush() && !write_file("/proc/sys/vm/drop_caches", "2"))
		return -EIO;
	faults_on(f);
	n = write(fd, command, len);
	ret = n < 0 ? -errno : n == len ? 0 : -EIO;
	faults_off(f);
	close(fd);
	return ret;
}

/**
 * faults_init() - for all tests, before the first
 */
void faults_init(void)
{
	unavailable = ima_test_unavailable();
	if (!unavailable) {
		atexit(settings_restore);
		unavailable = settings_change();
	}
}

/**
 * faults_setup() - what every test needs
 * @f: put here
 * @rest: as in struct faults
 *
 * Return: NULL, or why the test must be skipped.
 */
const char *faults_setup(struct faults *f, bool rest)
{
	if (unavailable)
		return unavailable;
	if (!faults_open(f, rest))
		return "no /proc/thread-self/fail-nth (CONFIG_FAULT_INJECTION)";
	if (!faults_of_pages(READ_BUFFER) || !write_file(ignore_wait, "N"))
		return "cannot change the settings";
	/* A page of our own must not be the one that fails. */
	return mlockall(MCL_CURRENT | MCL_FUTURE) ? "cannot lock memory" : NULL;
}
