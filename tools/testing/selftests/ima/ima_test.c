// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the selftests of the IMA measurement list share.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ima_test.h"

#define READ_CHUNK (128 * 1024)

/**
 * ima_now_ms() - a clock for deadlines
 *
 * Return: milliseconds of CLOCK_MONOTONIC.
 */
long long ima_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/**
 * ima_tmpfs() - a tmpfs of our own that is mounted nowhere
 *
 * It goes when the last process that has the descriptor ends, however it ends.
 *
 * Return: its root, the same each time, or -errno.
 */
int ima_tmpfs(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static int dir = -1;
	int fs, ret;

	pthread_mutex_lock(&lock);
	if (dir < 0) {
		fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
		if (fs >= 0 && !fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
			dir = fsmount(fs, FSMOUNT_CLOEXEC, 0);
		ret = dir < 0 ? -errno : dir;
		if (fs >= 0)
			close(fs);
	} else {
		ret = dir;
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

/**
 * ima_create_file() - a new file, which is no event yet
 * @dir: where, such as ima_tmpfs()
 * @name: its name
 * @data: its content
 * @len: length of @data
 *
 * Return: 0 or -errno.
 */
int ima_create_file(int dir, const char *name, const void *data, size_t len)
{
	int fd, ret = 0;
	ssize_t n;

	fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	n = write(fd, data, len);
	if (n < 0)
		ret = -errno;
	else if ((size_t)n != len)
		ret = -ENOSPC;
	close(fd);
	return ret;
}

/* A new file in @dir is opened for read, and removed; Return: 0 or -errno */
static int measure_in(int dir, const char *name, const void *data, size_t len)
{
	int fd, ret = ima_create_file(dir, name, data, len);

	if (!ret) {
		fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			ret = -errno;
		else
			close(fd);
	}
	if (ret != -EEXIST && unlinkat(dir, name, 0) && !ret)
		ret = -errno;
	return ret;
}

/**
 * ima_measure_file() - one event: a new file is opened for read, and removed
 * @name: the file's name (without a slash)
 * @data: its content
 * @len: length of @data
 *
 * The same name and content a second time is the same event: IMA does not add
 * a record for it.
 *
 * Return: 0, or -errno of what failed.
 */
int ima_measure_file(const char *name, const void *data, size_t len)
{
	int dir = ima_tmpfs();

	return dir < 0 ? dir : measure_in(dir, name, data, len);
}

/* One event in folders below @dir, as deep as a path can be; closes @dir. */
static int measure_deep(int dir)
{
	char name[251], file[32 + 1];
	unsigned long long id[2];
	int below, ret = 0;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 16 && !ret; i++) {
		below = mkdirat(dir, name, 0700) ? -1 : openat(dir, name, O_PATH | O_CLOEXEC);
		if (below < 0)
			ret = -errno;
		close(dir);
		dir = below;
	}
	if (!ret && getrandom(id, sizeof(id), 0) != sizeof(id))
		ret = -EIO;
	if (!ret) {
		snprintf(file, sizeof(file), "%016llx%016llx", id[0], id[1]);
		ret = measure_in(dir, file, id, sizeof(id));
	}
	close(dir);
	return ret;
}

/**
 * ima_measure_long_path() - one event whose record is larger than 4 KiB
 *
 * It is the path that is long: IMA has one only where something is mounted.
 *
 * Return: 0, or -errno of what failed.
 */
int ima_measure_long_path(void)
{
	char path[] = "/tmp/ima-long-XXXXXX";
	int dir, ret;

	if (!mkdtemp(path))
		return -errno;
	if (mount("tmpfs", path, "tmpfs", 0, NULL)) {
		ret = -errno;
	} else {
		dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		ret = dir < 0 ? -errno : measure_deep(dir);
		if (umount2(path, MNT_DETACH) && !ret)
			ret = -errno;
	}
	if (rmdir(path) && !ret)
		ret = -errno;
	return ret;
}

/**
 * ima_measure_files() - n events that were never seen before
 * @n: how many
 *
 * The records are all of one length. May be called in several threads and
 * processes at the same time.
 *
 * Return: 0, the list has got exactly @n records more (if nothing else is
 * measured now), or -errno.
 */
int ima_measure_files(unsigned int n)
{
	unsigned long long id[2];
	char name[2 * 16 + 1];
	int ret = 0;

	while (n-- && !ret) {
		if (getrandom(id, sizeof(id), 0) != sizeof(id))
			return -EIO;
		snprintf(name, sizeof(name), "%016llx%016llx", id[0], id[1]);
		ret = ima_measure_file(name, id, sizeof(id));
	}
	return ret;
}

/**
 * ima_measure_violation() - a new file is opened for read while it is written
 *
 * Return: 0, the list has got two records more (the violation, and the file),
 * or -errno.
 */
int ima_measure_violation(void)
{
	static unsigned int number;
	int dir = ima_tmpfs();
	int writer, reader, ret;
	char name[48];

	if (dir < 0)
		return dir;
	snprintf(name, sizeof(name), "violation-%d-%u-%llx", getpid(), number++,
		 (unsigned long long)ima_now_ms());
	ret = ima_create_file(dir, name, name, strlen(name));
	if (ret)
		return ret;
	writer = openat(dir, name, O_WRONLY | O_CLOEXEC);
	reader = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (writer < 0 || reader < 0)
		ret = -errno;
	if (writer >= 0)
		close(writer);
	if (reader >= 0)
		close(reader);
	if (unlinkat(dir, name, 0) && !ret)
		ret = -errno;
	return ret;
}

/**
 * ima_measure_same() - the same event each time in one test, in no other
 * @test: the test's name
 * @number: a test may have more of them than one
 *
 * Same path, same content, a new file.
 *
 * Return: how many records the list has got by it, or -errno.
 */
long ima_measure_same(const char *test, int number)
{
	long before = ima_count();
	char name[160];
	int ret;

	snprintf(name, sizeof(name), "same-%d-%d-%s", getpid(), number, test);
	ret = ima_measure_file(name, name, strlen(name));
	return ret ? ret : ima_count() - before;
}

/**
 * ima_log_rule_is_loaded() - does the policy ask for deletions as critical data?
 *
 * Return: whether it has label=ima_log, which stays until reboot.
 */
bool ima_log_rule_is_loaded(void)
{
	size_t len;
	char *policy = ima_read_all("policy", &len);
	bool loaded = policy && memmem(policy, len, "label=ima_log", 13);

	free(policy);
	return loaded;
}

/**
 * ima_booted_with_flush() - are the digests of deleted records forgotten?
 *
 * Return: what the command line says: ima_flush_htable=0 and =1 mean that,
 * alone it is 1, not there 0.
 */
bool ima_booted_with_flush(void)
{
	char line[4096] = "", *word, *rest = line;
	bool flush = false;
	FILE *f = fopen("/proc/cmdline", "re");

	if (f) {
		if (!fgets(line, sizeof(line), f))
			line[0] = '\0';
		fclose(f);
	}
	while ((word = strsep(&rest, "\n "))) {
		if (!strcmp(word, "ima_flush_htable"))
			flush = true;
		else if (!strncmp(word, "ima_flush_htable=", 17))
			flush = strcmp(word + 17, "0") != 0;
	}
	return flush;
}

static long read_number(const char *path)
{
	char buf[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char *end;
	long ret;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	ret = n < 0 ? -errno : 0;
	close(fd);
	if (ret)
		return ret;
	ret = strtol(buf, &end, 10);
	return end == buf || *end != '\n' ? -EINVAL : ret;
}

/**
 * ima_count() - runtime_measurements_count
 *
 * Return: the number of records in the list, or -errno.
 */
long ima_count(void)
{
	return read_number(IMA_DIR "/runtime_measurements_count");
}

/**
 * ima_removed() - runtime_measurements_removed
 *
 * Return: the number of records that left the list since boot, or -errno
 * (-ENOENT: the kernel has no such file).
 */
long ima_removed(void)
{
	return read_number(IMA_DIR "/runtime_measurements_removed");
}

/**
 * ima_removed_is() - have just so many records left the list?
 * @n: how many
 *
 * Return: whether, true also if the kernel has no such file: Linux 7.2 has not.
 */
bool ima_removed_is(long n)
{
	long removed = ima_removed();

	return removed == -ENOENT || removed == n;
}

/**
 * ima_read_pcr() - what PCR 10 is now, as sysfs shows it
 * @bank: such as "sha256"
 * @value: put here
 * @size: length of a digest of that bank
 *
 * Return: 0 or -errno.
 */
int ima_read_pcr(const char *bank, unsigned char *value, size_t size)
{
	char path[64], hex[2 * 64 + 2] = "";
	size_t i;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/tpm/tpm0/pcr-%s/10", bank);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (!fgets(hex, sizeof(hex), f))
		hex[0] = '\0';
	fclose(f);
	for (i = 0; i < size; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &value[i]) != 1)
			return -EIO;
	return 0;
}

/**
 * ima_open() - open one of the files in IMA_DIR
 * @name: its name
 * @flags: as for open(2)
 *
 * Return: a file descriptor, or -errno.
 */
int ima_open(const char *name, int flags)
{
	char path[sizeof(IMA_DIR) + IMA_NAME_MAX];
	int fd;

	snprintf(path, sizeof(path), IMA_DIR "/%s", name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/**
 * ima_mode() - the permissions of one of the files in IMA_DIR
 * @name: its name
 *
 * Return: such as 0660, or -errno.
 */
int ima_mode(const char *name)
{
	char path[sizeof(IMA_DIR) + IMA_NAME_MAX];
	struct stat st;

	snprintf(path, sizeof(path), IMA_DIR "/%s", name);
	return stat(path, &st) ? -errno : (int)st.st_mode & 07777;
}

/**
 * ima_link_to() - where one of the links in IMA_DIR leads
 * @name: its name
 * @to: put here
 *
 * Return: 0 or -errno.
 */
int ima_link_to(const char *name, char to[IMA_NAME_MAX])
{
	char path[sizeof(IMA_DIR) + IMA_NAME_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), IMA_DIR "/%s", name);
	len = readlink(path, to, IMA_NAME_MAX - 1);
	if (len < 0)
		return -errno;
	to[len] = '\0';
	return 0;
}

/**
 * ima_write() - open a file, write(2) once as it is, close
 * @name: the file's name in IMA_DIR
 * @cmd: what to write
 * @len: its length
 *
 * Return: what write(2) returned, or -errno.
 */
ssize_t ima_write(const char *name, const void *cmd, size_t len)
{
	int fd = ima_open(name, O_WRONLY);
	ssize_t ret;

	if (fd < 0)
		return fd;
	ret = ima_minus_errno(write(fd, cmd, len));
	close(fd);
	return ret;
}

/**
 * ima_command() - open a file, write one command, close
 * @name: the file's name in IMA_DIR
 * @cmd: the command with its newline
 *
 * Return: 0, -EIO if the kernel took a part of it, or -errno.
 */
int ima_command(const char *name, const char *cmd)
{
	size_t len = strlen(cmd);
	ssize_t ret = ima_write(name, cmd, len);

	if (ret < 0)
		return ret;
	return (size_t)ret == len ? 0 : -EIO;
}

/**
 * ima_delete() - give the command N
 * @n: how many records
 *
 * Return: 0 or -errno.
 */
int ima_delete(unsigned long n)
{
	char cmd[32];

	snprintf(cmd, sizeof(cmd), "%lu\n", n);
	return ima_command(IMA_ASCII, cmd);
}

/**
 * ima_delete_list() - give the command N for the whole list
 *
 * Return: 0, also if it is empty, or -errno.
 */
int ima_delete_list(void)
{
	long count = ima_count();

	return count > 0 ? ima_delete(count) : count;
}

/**
 * ima_delete_if() - give the command T:N
 * @name: the file's name in IMA_DIR
 * @removed: T
 * @n: N
 *
 * Return: 0 or -errno.
 */
int ima_delete_if(const char *name, long removed, long n)
{
	char cmd[48];

	snprintf(cmd, sizeof(cmd), "%ld:%ld\n", removed, n);
	return ima_command(name, cmd);
}

/**
 * ima_stage() - give the command A
 *
 * Return: 0 or -errno.
 */
int ima_stage(void)
{
	return ima_command(IMA_ASCII_STAGED, "A\n");
}

/**
 * ima_delete_staged() - give the command D
 *
 * Return: 0 or -errno.
 */
int ima_delete_staged(void)
{
	return ima_command(IMA_ASCII_STAGED, "D\n");
}

static void *read_fd(int fd, size_t *len)
{
	size_t size = 0, used = 0;
	char *buf = NULL, *bigger;
	ssize_t n;

	do {
		if (size - used < READ_CHUNK) {
			size = 2 * size + READ_CHUNK;
			bigger = realloc(buf, size);
			if (!bigger)
				goto fail;
			buf = bigger;
		}
		n = read(fd, buf + used, size - used);
		if (n < 0)
			goto fail;
		used += n;
	} while (n);

	*len = used;
	return buf;
fail:
	free(buf);
	return NULL;
}

/**
 * ima_read_all() - a whole file of IMA_DIR
 * @name: the file's name
 * @len: its length is put here
 *
 * Return: the content, to be freed by the caller (not NULL for an empty
 * file), or NULL with errno set.
 */
void *ima_read_all(const char *name, size_t *len)
{
	int fd = ima_open(name, O_RDONLY);
	void *data;
	int err;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	data = read_fd(fd, len);
	err = errno;
	close(fd);
	errno = err;
	return data;
}

static bool is_list(const char *name)
{
	const char *staged = strstr(name, "_staged");

	if (staged)
		return false;
	return !strncmp(name, "ascii_runtime_measurements", 26) ||
	       !strncmp(name, "binary_runtime_measurements", 27);
}

/**
 * ima_list_names() - the files in IMA_DIR that show the measurement list
 * @names: put here, not the staged ones
 * @links: also the links without an algorithm in their name
 *
 * Return: how many, at least 1, or -errno.
 */
int ima_list_names(char names[IMA_FILES_MAX][IMA_NAME_MAX], bool links)
{
	DIR *dir = opendir(IMA_DIR);
	struct dirent *d;
	struct stat st;
	int n = 0;

	if (!dir)
		return -errno;
	while (n < IMA_FILES_MAX && (d = readdir(dir))) {
		if (!is_list(d->d_name) || strlen(d->d_name) >= IMA_NAME_MAX)
			continue;
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISLNK(st.st_mode) && !links)
			continue;
		memcpy(names[n++], d->d_name, strlen(d->d_name) + 1);
	}
	closedir(dir);
	return n ? n : -ENOENT;
}

/* A line of /proc/meminfo; Return: bytes, or -errno */
static long memory_line(const char *name)
{
	FILE *f = fopen("/proc/meminfo", "re");
	size_t len = strlen(name);
	long kib = -ENOENT;
	char line[128];

	if (!f)
		return -errno;
	while (kib < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len))
			sscanf(line + len, ": %ld kB", &kib);
	fclose(f);
	return kib < 0 ? kib : kib * 1024;
}

/**
 * ima_slab_unreclaimable() - SUnreclaim of /proc/meminfo
 *
 * What waits for a grace period or is cached per CPU is in it: poll until it
 * settles.
 *
 * Return: bytes, or -errno.
 */
long ima_slab_unreclaimable(void)
{
	return memory_line("SUnreclaim");
}

/**
 * ima_kernel_memory() - what is taken by kmalloc() and vmalloc()
 *
 * That is ima_slab_unreclaimable(), which has also what kmalloc() takes in whole pages,
 * and large tables. Stacks of processes are in it.
 *
 * Return: bytes, or -errno.
 */
long ima_kernel_memory(void)
{
	long slab = ima_slab_unreclaimable(), pages = memory_line("VmallocUsed");

	return slab < 0 ? slab : pages < 0 ? pages : slab + pages;
}

/* Does one new file on tmpfs add one record? 1, 0 or -errno */
static int is_measured(void)
{
	long before = ima_count(), after;
	int ret = ima_measure_files(1);

	if (ret)
		return ret;
	after = ima_count();
	if (before < 0 || after < 0)
		return -EIO;
	return after != before;
}

/* The rule is loaded once: the next program finds that it works already. */
static const char *load_rule(void)
{
	static char why[160];
	int ret = is_measured();

	if (ret > 0)
		return NULL;
	if (!ret)
		ret = ima_command("policy", IMA_RULE);
	if (!ret)
		ret = is_measured();
	if (ret > 0)
		return NULL;
	snprintf(why, sizeof(why),
		 "cannot load an IMA policy (CONFIG_IMA_WRITE_POLICY, no signed policy): %s",
		 ret ? strerror(-ret) : "files on tmpfs are not measured");
	return why;
}

/**
 * ima_measure_unavailable() - can events be made and the list be read?
 *
 * Loads a rule that measures files on tmpfs, if there is none yet.
 *
 * Return: NULL, or why not.
 */
const char *ima_measure_unavailable(void)
{
	static char why[160];
	long count;

	if (geteuid())
		return "not root";
	count = ima_count();
	if (count < 0) {
		snprintf(why, sizeof(why),
			 "no IMA in the kernel or securityfs is not mounted (" IMA_DIR "): %s",
			 strerror(-count));
		return why;
	}
	return load_rule();
}

/**
 * ima_test_unavailable() - can the selftests run here?
 *
 * Return: NULL, or the reason why the tests must be skipped.
 */
const char *ima_test_unavailable(void)
{
	struct stat st;

	if (!geteuid() && ima_count() >= 0) {
		if (stat(IMA_DIR "/" IMA_ASCII, &st))
			return "no " IMA_ASCII " in " IMA_DIR;
		if (!(st.st_mode & 0220))
			return "the kernel has CONFIG_IMA_STAGING off (the list is read-only)";
	}
	return ima_measure_unavailable();
}

/**
 * become_nobody() - give up being root, for good
 *
 * Return: 0, or -1 with errno set.
 */
int become_nobody(void)
{
	return setgroups(0, NULL) ?: setresgid(IMA_NOBODY, IMA_NOBODY, IMA_NOBODY) ?:
	       setresuid(IMA_NOBODY, IMA_NOBODY, IMA_NOBODY);
}

/**
 * ima_wait_exit() - wait for a child
 * @pid: the child, or what a failed fork returned
 *
 * Return: what it exited with, or -errno (-EINTR: a signal ended it).
 */
int ima_wait_exit(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

static int delete_everything(void)
{
	int ret = ima_delete_staged();

	if (ret && ret != -ENOENT)
		return ret;
	ret = ima_measure_files(1);
	return ret ?: ima_delete(ima_count());
}

/**
 * ima_other_process_deletes_all() - what is staged, and the list
 *
 * For the end of a test: a process of its own finds no writer and no reader in
 * its way.
 *
 * Return: 0, or an errno, negative if there was no such process.
 */
int ima_other_process_deletes_all(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-delete_everything());
	return ima_wait_exit(pid);
}

/**
 * ima_other_process_deletes() - a process of its own gives the command N
 * @n: how many records
 *
 * What this one has open is another process's then (R2).
 *
 * Return: 0 or -errno.
 */
int ima_other_process_deletes(unsigned long n)
{
	pid_t pid = fork();
	int ret;

	if (!pid)
		_exit(-ima_delete(n));
	ret = ima_wait_exit(pid);
	return ret > 0 ? -ret : ret;
}
