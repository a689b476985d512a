// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every way to use the measurement list while memory is short: each allocation
 * fails in turn. What fails changes nothing, what succeeds is whole.
 *
 * Needs a kernel with fault injection. What it leaks is for kmemleak to tell,
 * once this program has ended.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "../kselftest_harness.h"
#include "ima_test.h"

#define ASCII "ascii_runtime_measurements_sha1"
#define BINARY "binary_runtime_measurements_sha1"
#define STAGED "_staged"
#define CRITICAL_RULE "measure func=CRITICAL_DATA label=ima_log\n"
#define DEBUGFS "/sys/kernel/debug/"
#define SLAB "/sys/kernel/slab"
#define FAILURES_MAX 400
/* In a row without a failure: there are no more. Some allocate now and then. */
#define PASSES_TO_END 2

/*
 * Pages that fail, as orders of the smallest: only the buffer of an open file,
 * or all, and with them now and then a cache's new slab.
 */
#define READ_BUFFER "4"
#define ALL_PAGES "0"
#define NR_RECORDS 6
#define TIMEOUT 300	/* seconds; it takes a few, but with a debug kernel */

/* "one": one allocation fails. "rest": all that come after it fail, too. */
struct faults {
	bool rest;
	int nth;		/* fail-nth of this thread */
	int task;		/* make-it-fail, for the rest */
	unsigned int n;		/* the allocation that fails */
	bool hit;		/* there was an n-th allocation */
	int passes;		/* without one, in a row */
	int failed;		/* so often there was one */
};

static const char ignore_wait[] = DEBUGFS "failslab/ignore-gfp-wait";
static const char min_order[] = DEBUGFS "fail_page_alloc/min-order";
static const char cache_filter[] = DEBUGFS "failslab/cache-filter";

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
	/* vmalloc() warns that it fails: log_is_good() tells faults from that */
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

static int kmsg = -1;

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

static bool fail_pages(const char *order)
{
	return write_file(min_order, order);
}

static bool faults_open(struct faults *f, bool rest)
{
	memset(f, 0, sizeof(*f));
	f->rest = rest;
	f->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	f->task = open("/proc/thread-self/make-it-fail", O_RDWR | O_CLOEXEC);
	return f->nth >= 0 && f->task >= 0;
}

static void faults_close(struct faults *f)
{
	close(f->nth);
	close(f->task);
}

/* These two allocate nothing themselves. */
static void faults_on(struct faults *f)
{
	char n[16];
	int len = snprintf(n, sizeof(n), "%u", f->n);

	if (f->rest && pwrite(f->task, "1", 1, 0) != 1)
		abort();
	if (pwrite(f->nth, n, len, 0) != len)
		abort();
}

static void faults_off(struct faults *f)
{
	char left[16] = "";

	if (pread(f->nth, left, sizeof(left) - 1, 0) <= 0 ||
	    pwrite(f->nth, "0", 1, 0) != 1 || pwrite(f->task, "0", 1, 0) != 1)
		abort();
	f->hit = atoi(left) == 0;
	f->passes = f->hit ? 0 : f->passes + 1;
	f->failed += f->hit;
}

static void faults_begin(struct faults *f)
{
	f->n = 1;
	f->passes = 0;
	f->failed = 0;
}

/* Until there is no n-th allocation: then everything goes well. */
static bool faults_more(const struct faults *f)
{
	return f->passes < PASSES_TO_END && f->n < FAILURES_MAX;
}

/* Nothing was tested unless something failed. */
static void expect_swept(struct __test_metadata *_metadata, const struct faults *f)
{
	EXPECT_LT(0, f->failed);
	EXPECT_EQ(PASSES_TO_END, f->passes);
	TH_LOG("made %d allocations fail (%s)", f->failed,
	       f->rest ? "and all after each" : "one at a time");
}

/* Not negative, or -ENOMEM because we made something fail? */
static bool is_expected(const struct faults *f, int ret)
{
	if (ret >= 0 || (ret == -ENOMEM && f->hit))
		return true;
	fprintf(stderr, "# n=%u: %s\n", f->n, strerror(-ret));
	return false;
}

/* What the console did not show; vmalloc()'s own warning is none of these. */
static bool log_is_good(void)
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

/* A tmpfs; with @path, it is mounted there until tmpfs_hide() */
static int tmpfs_mount(char *path)
{
	int dir;

	if (!mkdtemp(path))
		return -errno;
	if (mount("tmpfs", path, "tmpfs", 0, "mode=0700")) {
		rmdir(path);
		return -errno;
	}
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -errno : dir;
}

static int tmpfs_hide(const char *path)
{
	return umount2(path, MNT_DETACH) || rmdir(path) ? -errno : 0;
}

static int create_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, name, strlen(name)) != (ssize_t)strlen(name))
		ret = -EIO;
	close(fd);
	return ret;
}

/* An event, unless it was measured before. */
static int open_and_close(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static bool hex_to_bytes(const char *hex, unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &bytes[i]) != 1)
			return false;
	return true;
}

/* A violation has no digest in the list; the kernel extends with this. */
static void violation_to_ones(unsigned char *digest, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (digest[i])
			return;
	memset(digest, 0xff, len);
}

/* Do the records of a list from number @from on lead from a PCR to another? */
static bool pcr_follows(const char *before, const char *after,
			const struct ima_file *list, unsigned long from)
{
	unsigned char value[2 * EVP_MAX_MD_SIZE], expected[EVP_MAX_MD_SIZE];
	char bank[16], old[256], new[256];
	const EVP_MD *md;
	size_t pos, size;

	if (!list || sscanf(before, "pcr-%15s %255s", bank, old) != 2 ||
	    sscanf(after, "pcr-%*s %255s", new) != 1)
		return false;
	md = EVP_get_digestbyname(bank);
	size = md ? EVP_MD_get_size(md) : 0;
	if (!size || !hex_to_bytes(old, value, size) || !hex_to_bytes(new, expected, size))
		return false;

	while ((pos = ima_skip_records(list, from++)) < list->len) {
		memcpy(value + size, list->data + pos + 4, size);
		violation_to_ones(value + size, size);
		if (!EVP_Digest(value, 2 * size, value, NULL, md, NULL))
			return false;
	}
	return !memcmp(value, expected, size);
}

static const struct ima_file *list_of_pcr(const struct ima_state *state, const char *pcr)
{
	char bank[16], name[IMA_NAME_MAX];

	if (sscanf(pcr, "pcr-%15s", bank) != 1)
		return NULL;
	snprintf(name, sizeof(name), "binary_runtime_measurements_%s", bank);
	return ima_state_file(state, name);
}

struct change {
	long gone;		/* records from the beginning of the list */
	long added;		/* records at its end: at most, then how many */
	bool extend_fails;	/* maybe none of those is in the PCRs ... */
	bool not_extended;	/* ... and so it was */
};

static const char *lists_differ(const struct ima_state *before,
				const struct ima_state *now, long gone)
{
	for (unsigned int i = 0; i < before->nr_files; i++) {
		const struct ima_file *a = &before->file[i];
		const struct ima_file *b = ima_state_file(now, a->name);
		size_t cut = ima_skip_records(a, gone);

		if (!b || cut == SIZE_MAX || b->len < a->len - cut ||
		    memcmp(a->data + cut, b->data, a->len - cut) ||
		    ima_skip_records(b, now->count) != b->len)
			return a->name;
	}
	return "";
}

static const char *pcrs_differ(const struct ima_state *before,
			       const struct ima_state *now, struct change *c)
{
	if (before->nr_pcrs != now->nr_pcrs)
		return "number of PCRs";
	c->not_extended = c->extend_fails && c->added && now->nr_pcrs &&
			  !memcmp(before->pcr, now->pcr, sizeof(now->pcr));
	for (unsigned int i = 0; i < now->nr_pcrs && !c->not_extended; i++)
		if (!pcr_follows(before->pcr[i], now->pcr[i],
				 list_of_pcr(now, now->pcr[i]), now->count - c->added))
			return now->pcr[i];
	return "";
}

/*
 * "", or what else changed: lists, their counters, and the PCRs, which each
 * record that was added has extended once.
 */
static const char *differs(const struct ima_state *before, struct change *c)
{
	static char what[256];
	const char *file = "(the state cannot be read)";
	struct ima_state now;
	long added;

	if (!ima_state_take(&now)) {
		added = now.count - (before->count - c->gone);
		file = lists_differ(before, &now, c->gone);
		if (added < 0 || added > c->added)
			file = "runtime_measurements_count";
		else if (now.removed != before->removed + c->gone)
			file = "runtime_measurements_removed";
		c->added = added;
		if (!*file)
			file = pcrs_differ(before, &now, c);
	}
	snprintf(what, sizeof(what), "%s", file);
	ima_state_free(&now);
	return what;
}

#define EXPECT_CHANGE(before, change) EXPECT_STREQ("", differs(before, change))

static bool booted_with_flush(void)
{
	char line[4096] = "";
	FILE *f = fopen("/proc/cmdline", "re");

	if (f) {
		if (!fgets(line, sizeof(line), f))
			line[0] = '\0';
		fclose(f);
	}
	return strstr(line, "ima_flush_htable") && !strstr(line, "ima_flush_htable=0");
}

/* Events that are the same for the same @number: how many records came? */
static long measure_known(unsigned int number, int n)
{
	long before = ima_count();
	char name[64];
	int ret = 0;

	for (int i = 0; i < n && !ret; i++) {
		snprintf(name, sizeof(name), "known-%d-%u-%d", getpid(), number, i);
		ret = ima_measure_file(name, name, strlen(name));
	}
	return ret ? ret : ima_count() - before;
}

static int delete_the_list(void)
{
	long count = ima_count();

	return count > 0 ? ima_delete(count) : count;
}

static int open_in_other_process(void)
{
	pid_t pid = fork();
	int status, fd;

	if (!pid) {
		fd = ima_open(ASCII, O_WRONLY);
		_exit(fd < 0 ? -fd : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int delete_in_other_process(unsigned long n)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(-ima_delete(n));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static const char *unavailable;

/* What every test here needs. Return: NULL, or why not */
static const char *faults_setup(struct faults *f, bool rest)
{
	if (unavailable)
		return unavailable;
	if (!faults_open(f, rest))
		return "no /proc/thread-self/fail-nth (CONFIG_FAULT_INJECTION)";
	if (!fail_pages(READ_BUFFER) || !write_file(ignore_wait, "N"))
		return "cannot change the settings";
	/* A page of our own must not be the one that fails. */
	return mlockall(MCL_CURRENT | MCL_FUTURE) ? "cannot lock memory" : NULL;
}

FIXTURE(fail) {
	struct faults faults;
	int dir;
};

FIXTURE_VARIANT(fail) {
	bool rest;
};

FIXTURE_VARIANT_ADD(fail, one) { .rest = false };
FIXTURE_VARIANT_ADD(fail, rest) { .rest = true };

FIXTURE_SETUP(fail)
{
	char path[] = "/tmp/ima-fail-XXXXXX";
	const char *why = faults_setup(&self->faults, variant->rest);

	if (why)
		SKIP(return, "%s", why);
	self->dir = tmpfs_mount(path);
	ASSERT_LE(0, self->dir);
	ASSERT_EQ(0, tmpfs_hide(path));
	ASSERT_EQ(0, ima_other_process_deletes_all());
}

FIXTURE_TEARDOWN(fail)
{
	EXPECT_TRUE(log_is_good());
	close(self->dir);
	faults_close(&self->faults);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/* One of each kind, with records in it. */
static const char * const files[] = { ASCII, BINARY, ASCII STAGED, BINARY STAGED };

static int fill_list_and_staged(void)
{
	return ima_measure_files(NR_RECORDS) ?: ima_command(ASCII STAGED, "A\n") ?:
	       ima_measure_files(NR_RECORDS);
}

TEST_F_TIMEOUT(fail, open_for_read, TIMEOUT)
{
	struct faults *f = &self->faults;
	struct change none = {};
	struct ima_state before;
	int fd;

	ASSERT_EQ(0, fill_list_and_staged());
	ASSERT_EQ(0, ima_state_take(&before));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		for (faults_begin(f); faults_more(f); f->n++) {
			faults_on(f);
			fd = ima_open(files[i], O_RDONLY);
			faults_off(f);
			EXPECT_TRUE(is_expected(f, fd));
			if (fd >= 0)
				close(fd);
		}
		EXPECT_LE(0, fd);
		expect_swept(_metadata, f);
	}
	EXPECT_CHANGE(&before, &none);
	ima_state_free(&before);
}

TEST_F_TIMEOUT(fail, open_for_write, TIMEOUT)
{
	struct faults *f = &self->faults;
	struct change none = {};
	struct ima_state before;
	int fd;

	ASSERT_EQ(0, fill_list_and_staged());
	ASSERT_EQ(0, ima_state_take(&before));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		for (faults_begin(f); faults_more(f); f->n++) {
			faults_on(f);
			fd = ima_open(files[i], O_RDWR);
			faults_off(f);
			EXPECT_TRUE(is_expected(f, fd));
			if (fd >= 0)
				close(fd);
			/* no writer is left behind */
			ASSERT_EQ(0, open_in_other_process());
		}
		EXPECT_LE(0, fd);
		expect_swept(_metadata, f);
	}
	EXPECT_CHANGE(&before, &none);
	ima_state_free(&before);
}

/* A record that is larger than a page, in ascii and in binary */
static int measure_long_path(void)
{
	char path[] = "/tmp/ima-fail-XXXXXX", name[251];
	int dir = tmpfs_mount(path), next, ret = dir < 0 ? dir : 0;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 16 && !ret; i++) {
		ret = mkdirat(dir, name, 0700) ? -errno : 0;
		next = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(dir);
		dir = next;
	}
	if (!ret)
		ret = create_file(dir, "f") ?: open_and_close(dir, "f");
	close(dir);
	return tmpfs_hide(path) ?: ret;
}

/* The list, then what is staged: small records, a long one in the middle */
static int fill_with_long(void)
{
	int ret = ima_measure_files(NR_RECORDS) ?: measure_long_path() ?:
		  ima_measure_files(NR_RECORDS);

	ret = ret ?: ima_command(ASCII STAGED, "A\n") ?: ima_measure_files(NR_RECORDS);
	return ret ?: measure_long_path() ?: ima_measure_files(NR_RECORDS);
}

/*
 * An open file without a buffer, so that each read or seek has one to allocate.
 * open() allocates it last: of all that it asks for, this may be refused.
 */
static int open_without_buffer(const struct faults *f, const char *name)
{
	struct faults all = *f;
	int fd = -ENOMEM;

	all.rest = true;
	for (all.n = 1; fd == -ENOMEM && all.n < FAILURES_MAX; all.n++) {
		faults_on(&all);
		fd = ima_open(name, O_RDONLY);
		faults_off(&all);
	}
	if (fd >= 0 && !all.hit) {
		close(fd);
		return -ENODATA;
	}
	return fd;
}

static char buf[64 * 1024];

/*
 * Read to the end, and go on once after memory was short. Return: how much is
 * in @buf, or -errno
 */
static ssize_t read_on(struct faults *f, int fd, size_t piece, int *enomem)
{
	bool on = true;
	size_t len = 0;
	ssize_t n = 0;

	faults_on(f);
	while (len + piece <= sizeof(buf) && (n = read(fd, buf + len, piece))) {
		if (n > 0) {
			len += n;
			continue;
		}
		n = -errno;
		if (n != -ENOMEM || !on)
			break;
		faults_off(f);
		on = false;
		++*enomem;
	}
	if (on)
		faults_off(f);
	return n < 0 ? n : (ssize_t)len;
}

static void read_with_failures(struct __test_metadata *_metadata, struct faults *f,
			       const char *name, size_t piece)
{
	int enomem = 0;
	size_t len;
	char *data = ima_read_all(name, &len);
	ssize_t n;
	int fd;

	ASSERT_NE(NULL, data);
	ASSERT_LT((size_t)sysconf(_SC_PAGESIZE), len);
	for (faults_begin(f); faults_more(f); f->n++) {
		fd = open_without_buffer(f, name);
		ASSERT_LE(0, fd);
		n = read_on(f, fd, piece, &enomem);
		close(fd);
		ASSERT_EQ((ssize_t)len, n);
		ASSERT_EQ(0, memcmp(data, buf, len));
	}
	free(data);
	EXPECT_LT(0, enomem);
	expect_swept(_metadata, f);
}

TEST_F_TIMEOUT(fail, read_goes_on_after_ENOMEM, TIMEOUT)
{
	ASSERT_EQ(0, fill_with_long());
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		read_with_failures(_metadata, &self->faults, files[i], 16 * 1024);
		read_with_failures(_metadata, &self->faults, files[i], 700);
	}
}

/* Reads a bit, then @offset; what is read after that is what comes next. */
#define ALREADY_READ 100

static int seek(int fd, off_t offset)
{
	return lseek(fd, offset, SEEK_SET) == offset ? 0 : -errno;
}

static int pread_some(int fd, const char *data, off_t offset)
{
	ssize_t n = pread(fd, buf, sizeof(buf), offset);

	if (n < 0)
		return -errno;
	return n && !memcmp(buf, data + offset, n) ? 0 : -EBADMSG;
}

static void go_elsewhere(struct __test_metadata *_metadata, struct faults *f,
			 const char *name, bool lseek)
{
	struct faults off = { .nth = f->nth, .task = f->task };
	int enomem = 0, ignored = 0;
	size_t len;
	char *data = ima_read_all(name, &len);
	off_t offset, from;
	int fd, ret;

	ASSERT_NE(NULL, data);
	offset = len - ALREADY_READ;
	for (faults_begin(f); faults_more(f); f->n++) {
		fd = open_without_buffer(f, name);
		ASSERT_LE(0, fd);
		ASSERT_EQ(ALREADY_READ, read(fd, buf, ALREADY_READ));
		faults_on(f);
		ret = lseek ? seek(fd, offset) : pread_some(fd, data, offset);
		faults_off(f);
		EXPECT_TRUE(is_expected(f, ret));
		enomem += ret == -ENOMEM;

		from = ret || !lseek ? ALREADY_READ : offset;
		ASSERT_EQ((ssize_t)(len - from), read_on(&off, fd, 16 * 1024, &ignored));
		ASSERT_EQ(0, memcmp(data + from, buf, len - from));
		close(fd);
	}
	free(data);
	expect_swept(_metadata, f);
	/* one failure is not enough: kvmalloc() has a second way */
	EXPECT_EQ(f->rest, enomem > 0);
}

TEST_F_TIMEOUT(fail, pread_leaves_the_place, TIMEOUT)
{
	ASSERT_EQ(0, fill_with_long());
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		go_elsewhere(_metadata, &self->faults, files[i], false);
}

TEST_F_TIMEOUT(fail, lseek_leaves_the_place, TIMEOUT)
{
	ASSERT_EQ(0, fill_with_long());
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		go_elsewhere(_metadata, &self->faults, files[i], true);
}

/* The same with nothing read yet: one failed allocation is enough. */
TEST_F_TIMEOUT(fail, pread_and_lseek_before_any_read, TIMEOUT)
{
	struct faults *f = &self->faults;
	size_t len;
	char *data;
	int enomem, fd, ret;

	ASSERT_EQ(0, fill_with_long());
	data = ima_read_all(ASCII, &len);
	ASSERT_NE(NULL, data);
	for (int lseek = 0; lseek < 2; lseek++) {
		enomem = 0;
		for (faults_begin(f); faults_more(f); f->n++) {
			fd = open_without_buffer(f, ASCII);
			ASSERT_LE(0, fd);
			faults_on(f);
			ret = lseek ? seek(fd, len / 2) : pread_some(fd, data, len / 2);
			faults_off(f);
			EXPECT_TRUE(is_expected(f, ret));
			enomem += ret == -ENOMEM;
			EXPECT_EQ(0, pread_some(fd, data, len / 2));
			EXPECT_EQ(0, pread_some(fd, data, 0));
			close(fd);
		}
		expect_swept(_metadata, f);
		EXPECT_LT(0, enomem);
	}
	free(data);
}

/* R1, R2: it has nothing, so it is in the middle of nothing. */
TEST_F(fail, reader_that_got_nothing_holds_nothing_up)
{
	struct faults *f = &self->faults;
	int enomem = 0;
	struct ima_state before;
	const struct ima_file *list;
	size_t cut;
	int fd;

	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&before));
	fd = open_without_buffer(f, ASCII);
	ASSERT_LE(0, fd);
	f->n = 1;
	faults_on(f);
	EXPECT_EQ(-1, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(ENOMEM, errno);
	faults_off(f);
	EXPECT_EQ(1, f->failed);
	EXPECT_EQ(0, delete_in_other_process(2));

	list = ima_state_file(&before, ASCII);
	cut = ima_skip_records(list, 2);
	f->n = FAILURES_MAX;
	EXPECT_EQ((ssize_t)(list->len - cut), read_on(f, fd, 4096, &enomem));
	EXPECT_EQ(0, memcmp(buf, list->data + cut, list->len - cut));
	close(fd);
	ima_state_free(&before);
}

/* Opening is not what fails here: a command that is given. Return: 0 or -errno */
static int give(struct faults *f, const char *name, const char *command)
{
	ssize_t n, len = strlen(command);
	int fd = ima_open(name, O_WRONLY);
	int ret;

	if (fd < 0)
		return -EIO;
	/* RCU keeps such pages: it shall need a new one. */
	if (booted_with_flush() && !write_file("/proc/sys/vm/drop_caches", "2"))
		return -EIO;
	faults_on(f);
	n = write(fd, command, len);
	ret = n < 0 ? -errno : n == len ? 0 : -EIO;
	faults_off(f);
	close(fd);
	return ret;
}

static void delete_with_failures(struct __test_metadata *_metadata, struct faults *f,
				 bool with_removed)
{
	bool flush = booted_with_flush();
	struct ima_state before;
	struct change c;
	char command[42];
	int ret;

	/* for RCU's note of what is to be freed */
	ASSERT_TRUE(fail_pages(ALL_PAGES));
	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(3, measure_known(f->n, 3));
		ASSERT_EQ(0, ima_state_take(&before));
		snprintf(command, sizeof(command), "%ld:2\n", before.removed);
		ret = give(f, ASCII, with_removed ? command : strchr(command, ':') + 1);
		EXPECT_TRUE(is_expected(f, ret));
		c = (struct change){ .gone = ret ? 0 : 2 };
		EXPECT_CHANGE(&before, &c);
		ima_state_free(&before);
		EXPECT_EQ(flush && !ret ? 2 : 0, measure_known(f->n, 3));
		ASSERT_EQ(0, delete_the_list());
	}
	EXPECT_EQ(0, ret);
	expect_swept(_metadata, f);
}

TEST_F_TIMEOUT(fail, n_deletes_all_or_nothing, TIMEOUT)
{
	delete_with_failures(_metadata, &self->faults, false);
}

TEST_F_TIMEOUT(fail, t_n_deletes_all_or_nothing, TIMEOUT)
{
	delete_with_failures(_metadata, &self->faults, true);
}

static bool file_has(const char *name, const char *data, size_t len)
{
	size_t now_len;
	char *now = ima_read_all(name, &now_len);
	bool same = now && now_len == len && !memcmp(now, data, len);

	free(now);
	return same;
}

TEST_F_TIMEOUT(fail, a_stages_all_or_nothing, TIMEOUT)
{
	struct faults *f = &self->faults;
	const struct ima_file *list;
	struct ima_state before;
	struct change c;
	int ret;

	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(0, ima_measure_files(3));
		ASSERT_EQ(0, ima_state_take(&before));
		ret = give(f, ASCII STAGED, "A\n");
		EXPECT_TRUE(is_expected(f, ret));
		c = (struct change){ .gone = ret ? 0 : before.count };
		EXPECT_CHANGE(&before, &c);
		list = ima_state_file(&before, ASCII);
		EXPECT_TRUE(file_has(ASCII STAGED, list->data, ret ? 0 : list->len));
		list = ima_state_file(&before, BINARY);
		EXPECT_TRUE(file_has(BINARY STAGED, list->data, ret ? 0 : list->len));
		ima_state_free(&before);
		ASSERT_EQ(ret ? -ENOENT : 0, ima_command(ASCII STAGED, "D\n"));
	}
	EXPECT_EQ(0, ret);
	expect_swept(_metadata, f);
}

TEST_F_TIMEOUT(fail, d_deletes_all_or_nothing, TIMEOUT)
{
	struct faults *f = &self->faults;
	struct ima_state before;
	struct change none;
	size_t len;
	char *staged;
	int ret;

	ASSERT_TRUE(fail_pages(ALL_PAGES));
	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(3, measure_known(f->n, 3));
		ASSERT_EQ(0, ima_command(ASCII STAGED, "A\n"));
		ASSERT_EQ(0, ima_measure_files(1));
		ASSERT_EQ(0, ima_state_take(&before));
		staged = ima_read_all(ASCII STAGED, &len);
		ASSERT_NE(NULL, staged);
		ret = give(f, ASCII STAGED, "D\n");
		EXPECT_TRUE(is_expected(f, ret));
		none = (struct change){};
		EXPECT_CHANGE(&before, &none);
		EXPECT_TRUE(file_has(ASCII STAGED, staged, ret ? len : 0));
		ASSERT_EQ(ret ? 0 : -ENOENT, ima_command(ASCII STAGED, "D\n"));
		EXPECT_EQ(booted_with_flush() ? 3 : 0, measure_known(f->n, 3));
		ASSERT_EQ(0, delete_the_list());
		free(staged);
		ima_state_free(&before);
	}
	EXPECT_EQ(0, ret);
	expect_swept(_metadata, f);
}

/* Another file with the same name and content, opened: how many records? */
static long measure_again(int dir, const char *name)
{
	long before = ima_count();
	int ret;

	if (unlinkat(dir, name, 0))
		return -errno;
	ret = create_file(dir, name) ?: open_and_close(dir, name);
	return ret ? ret : ima_count() - before;
}

/*
 * One event: measured now, or as soon as there is memory. What could not be
 * remembered as measured may be measured once again, not more often.
 * Return: how often it was, or -errno
 */
static long measure_with_failure(struct faults *f, int dir)
{
	long before = ima_count(), now, again;
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "event-%d-%u", getpid(), f->n);
	ret = create_file(dir, name);
	if (ret)
		return ret;
	faults_on(f);
	ret = open_and_close(dir, name);
	faults_off(f);
	if (ret && (ret != -ENOMEM || !f->hit))
		return ret;

	now = ima_count() - before;
	ret = open_and_close(dir, name);
	if (ret || ima_count() - before != 1)
		return ret ? ret : -ENODATA;
	again = measure_again(dir, name);
	if (again < 0 || now + again > 2 || measure_again(dir, name))
		return again < 0 ? again : -EEXIST;
	return unlinkat(dir, name, 0) ? -errno : 1 + again;
}

TEST_F_TIMEOUT(fail, measurement_is_whole_or_made_up_for, TIMEOUT)
{
	struct faults *f = &self->faults;
	int twice = 0;
	struct ima_state before;
	struct change c;
	long n;

	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(0, ima_state_take(&before));
		n = measure_with_failure(f, self->dir);
		ASSERT_LE(1, n)
			TH_LOG("n=%u: %ld", f->n, n);
		twice += n == 2;
		c = (struct change){ .added = n };
		EXPECT_CHANGE(&before, &c);
		EXPECT_EQ(n, c.added);
		ima_state_free(&before);
		ASSERT_EQ(0, delete_the_list());
	}
	EXPECT_EQ(1, n);
	/* a record went in without the node that remembers its event */
	EXPECT_LT(0, twice);
	expect_swept(_metadata, f);
}

/*
 * The TPM's driver needs a page to extend the PCRs. Without it IMA keeps the
 * record and audits TPM_error: no replay leads to the PCRs until the next boot.
 */
#define TPM_TRIES 100

TEST_F_TIMEOUT(fail, measurement_that_the_tpm_misses_is_listed, TIMEOUT)
{
	struct faults *f = &self->faults;
	struct change c = {};
	struct ima_state before;
	unsigned int pcrs = 1;
	char name[64];
	int ret;

	ASSERT_TRUE(fail_pages(ALL_PAGES));
	ASSERT_TRUE(write_file(ignore_wait, "Y"));	/* pages only */
	for (int i = 0; i < TPM_TRIES && pcrs && !c.not_extended; i++) {
		snprintf(name, sizeof(name), "missed-%d-%d", getpid(), i);
		ASSERT_EQ(0, create_file(self->dir, name));
		ASSERT_EQ(0, ima_state_take(&before));
		f->n = 1 + i % 4;
		faults_on(f);
		ret = open_and_close(self->dir, name);
		faults_off(f);
		EXPECT_TRUE(is_expected(f, ret));
		c = (struct change){ .added = 1, .extend_fails = f->hit };
		EXPECT_CHANGE(&before, &c);
		pcrs = before.nr_pcrs;
		ima_state_free(&before);
		ASSERT_EQ(0, unlinkat(self->dir, name, 0));
		ASSERT_EQ(0, delete_the_list());
	}
	EXPECT_EQ(pcrs > 0, c.not_extended);
}

TEST_F_TIMEOUT(fail, violation_is_whole_or_not_there, TIMEOUT)
{
	struct faults *f = &self->faults;
	struct ima_state before;
	struct change c;
	char name[64];
	int writer, ret;

	for (faults_begin(f); faults_more(f); f->n++) {
		snprintf(name, sizeof(name), "violation-%d-%u", getpid(), f->n);
		ASSERT_EQ(0, create_file(self->dir, name));
		writer = openat(self->dir, name, O_WRONLY | O_CLOEXEC);
		ASSERT_LE(0, writer);
		ASSERT_EQ(0, ima_state_take(&before));
		faults_on(f);
		ret = open_and_close(self->dir, name);
		faults_off(f);
		EXPECT_TRUE(is_expected(f, ret));
		close(writer);
		/* the violation, and the file */
		c = (struct change){ .added = 2 };
		EXPECT_CHANGE(&before, &c);
		ima_state_free(&before);
		ASSERT_EQ(0, unlinkat(self->dir, name, 0));
		ASSERT_EQ(0, delete_the_list());
	}
	EXPECT_EQ(2, c.added);
	expect_swept(_metadata, f);
}

/* Threads measure, short of memory, while records are archived and deleted. */
#define RACE_MS 4000
#define RACE_THREADS 2
#define RACE_FAILURES 60
#define ARCHIVE_MAX (4 * 1024 * 1024)

struct race {
	atomic_bool stop;
	atomic_int error;
	atomic_int failed;
	bool rest;
	int dir;
};

static void *race_measure(void *arg)
{
	struct race *race = arg;
	struct faults f;
	char name[64];
	int ret = faults_open(&f, race->rest) ? 0 : -ENODEV;

	for (unsigned int i = 0; !ret && !atomic_load(&race->stop); i++) {
		snprintf(name, sizeof(name), "race-%d-%u", gettid(), i);
		ret = create_file(race->dir, name);
		if (ret)
			break;
		f.n = 1 + i % RACE_FAILURES;
		faults_on(&f);
		ret = open_and_close(race->dir, name);
		faults_off(&f);
		if (ret == -ENOMEM && f.hit)
			ret = 0;
		unlinkat(race->dir, name, 0);
	}
	atomic_fetch_add(&race->failed, f.failed);
	if (ret)
		atomic_store(&race->error, -ret);
	faults_close(&f);
	return NULL;
}

/* All that one open file of the binary list showed so far. */
struct archive {
	int fd;
	struct ima_file list;
	size_t whole;		/* bytes, of */
	long records;
	long deleted;		/* of those */
};

static int archive_read(struct archive *a)
{
	struct ima_file rest;
	size_t end;
	ssize_t n;

	while ((n = read(a->fd, a->list.data + a->list.len, ARCHIVE_MAX - a->list.len)) > 0)
		a->list.len += n;
	if (n < 0 || a->list.len == ARCHIVE_MAX)
		return n < 0 ? -errno : -ENOSPC;

	for (;;) {
		rest = a->list;
		rest.data += a->whole;
		rest.len -= a->whole;
		end = rest.len ? ima_skip_records(&rest, 1) : SIZE_MAX;
		if (end == SIZE_MAX)
			return rest.len ? -EBADMSG : 0;
		a->whole += end;
		a->records++;
	}
}

/* What was read, and not deleted yet. */
static int archive_delete(struct archive *a, struct faults *f)
{
	long n = a->records - a->deleted;
	char command[42];
	ssize_t ret;

	if (!n)
		return 0;
	snprintf(command, sizeof(command), "%ld\n", n);
	faults_on(f);
	ret = write(a->fd, command, strlen(command));
	ret = ret < 0 ? -errno : 0;
	faults_off(f);
	if (!ret)
		a->deleted += n;
	return ret == -ENOMEM && f->hit ? 0 : ret;
}

static int race_archive(struct archive *a, struct faults *f)
{
	long long end = ima_now_ms() + RACE_MS;
	int ret = 0;

	for (unsigned int i = 0; !ret && ima_now_ms() < end; i++) {
		f->n = 1 + i % 10;
		ret = archive_read(a) ?: archive_delete(a, f);
	}
	return ret;
}

static const char *pcr_of_sha1(const struct ima_state *state)
{
	for (unsigned int i = 0; i < state->nr_pcrs; i++)
		if (!strncmp(state->pcr[i], "pcr-sha1 ", 9))
			return state->pcr[i];
	return NULL;
}

static void expect_archive(struct __test_metadata *_metadata, const struct archive *a,
			   const struct ima_state *before)
{
	const struct ima_file *list;
	struct ima_state now;

	ASSERT_EQ(0, ima_state_take(&now));
	EXPECT_EQ(before->removed + a->deleted, now.removed);
	EXPECT_EQ(a->records - a->deleted, now.count);
	list = ima_state_file(&now, BINARY);
	ASSERT_LE(list->len, a->list.len);
	EXPECT_EQ(0, memcmp(a->list.data + a->list.len - list->len, list->data, list->len));
	if (pcr_of_sha1(&now))
		EXPECT_TRUE(pcr_follows(pcr_of_sha1(before), pcr_of_sha1(&now), &a->list, 0));
	ima_state_free(&now);
}

TEST_F_TIMEOUT(fail, race_of_measurements_and_n, TIMEOUT)
{
	struct race race = { .rest = variant->rest, .dir = self->dir };
	struct archive archive = { .list = { .digest_len = 20 } };
	pthread_t thread[RACE_THREADS];
	struct ima_state before;

	ASSERT_EQ(0, ima_state_take(&before));
	ASSERT_EQ(0, before.count);
	archive.list.data = malloc(ARCHIVE_MAX);
	archive.fd = ima_open(BINARY, O_RDWR);
	ASSERT_LE(0, archive.fd);
	for (int i = 0; i < RACE_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, race_measure, &race));
	EXPECT_EQ(0, race_archive(&archive, &self->faults));
	atomic_store(&race.stop, true);
	for (int i = 0; i < RACE_THREADS; i++)
		pthread_join(thread[i], NULL);

	EXPECT_EQ(0, atomic_load(&race.error));
	EXPECT_LT(0, atomic_load(&race.failed));
	EXPECT_LT(0, self->faults.failed);
	EXPECT_EQ(0, archive_read(&archive));
	EXPECT_LT(0, archive.deleted);
	TH_LOG("made %d allocations fail, %d of them in %ld records' deletion",
	       atomic_load(&race.failed) + self->faults.failed, self->faults.failed,
	       archive.deleted);
	expect_archive(_metadata, &archive, &before);
	close(archive.fd);
	free(archive.list.data);
	ima_state_free(&before);
}

/* Deletions as critical data. The last tests: the rule stays. */
FIXTURE(fail_rule) {
	struct faults faults;
};

FIXTURE_VARIANT(fail_rule) {
	bool rest;
};

FIXTURE_VARIANT_ADD(fail_rule, one) { .rest = false };
FIXTURE_VARIANT_ADD(fail_rule, rest) { .rest = true };

FIXTURE_SETUP(fail_rule)
{
	const char *why = faults_setup(&self->faults, variant->rest);

	if (why)
		SKIP(return, "%s", why);
	if (!ima_log_rule_is_loaded())
		ASSERT_EQ(0, ima_command("policy", CRITICAL_RULE));
	ASSERT_TRUE(ima_log_rule_is_loaded());
}

FIXTURE_TEARDOWN(fail_rule)
{
	EXPECT_TRUE(log_is_good());
	faults_close(&self->faults);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

TEST_F_TIMEOUT(fail_rule, n_stands_though_it_is_not_measured, TIMEOUT)
{
	struct faults *f = &self->faults;
	int missed = 0;
	struct ima_state before;
	struct change c;
	int ret;

	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(0, ima_measure_files(3));
		ASSERT_EQ(0, ima_state_take(&before));
		ret = give(f, ASCII, "2\n");
		EXPECT_TRUE(is_expected(f, ret));
		c = (struct change){ .gone = ret ? 0 : 2, .added = ret ? 0 : 1 };
		EXPECT_CHANGE(&before, &c);
		missed += !ret && !c.added;
		ima_state_free(&before);
	}
	EXPECT_EQ(1, c.added);
	EXPECT_LT(0, missed);
	expect_swept(_metadata, f);
}

TEST_F_TIMEOUT(fail_rule, d_stands_though_it_is_not_measured, TIMEOUT)
{
	struct faults *f = &self->faults;
	int missed = 0;
	struct ima_state before;
	struct change c;
	int ret;

	for (faults_begin(f); faults_more(f); f->n++) {
		ASSERT_EQ(0, ima_measure_files(3));
		ASSERT_EQ(0, ima_command(ASCII STAGED, "A\n"));
		ASSERT_EQ(0, ima_state_take(&before));
		ret = give(f, ASCII STAGED, "D\n");
		EXPECT_TRUE(is_expected(f, ret));
		c = (struct change){ .added = ret ? 0 : 1 };
		EXPECT_CHANGE(&before, &c);
		missed += !ret && !c.added;
		ima_state_free(&before);
		ASSERT_EQ(ret ? 0 : -ENOENT, ima_command(ASCII STAGED, "D\n"));
	}
	EXPECT_EQ(1, c.added);
	EXPECT_LT(0, missed);
	expect_swept(_metadata, f);
}

int main(int argc, char **argv)
{
	unavailable = ima_test_unavailable();
	if (!unavailable) {
		atexit(settings_restore);
		unavailable = settings_change();
	}
	return test_harness_run(argc, argv);
}
