// SPDX-License-Identifier: GPL-2.0-only
/*
 * The complete log as files, named as the kernel's. They have size 0, as the kernel's
 * have, and are read past the page cache: with a size, IMA would hash each at every open
 * and measure it, unless the policy says not to. No file of the kernel stays open between
 * two requests.
 */
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <fuse.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "list.h"
#include "mount.h"

#define LISTS_MAX	(2 * IMA_LOG_BANKS_MAX)
#define LIST_NAME_MAX	64
#define MOUNT_OPTIONS	"ro,nosuid,nodev,noexec,allow_other,default_permissions," \
			"fsname=imalog,subtype=imalog"
#define COUNT		"runtime_measurements_count"
#define LINKED		"sha1"		/* what the names without a hash lead to */

static const char * const prefix[] = { "binary_runtime_measurements",
				       "ascii_runtime_measurements" };

/**
 * struct entry - a list, and its file
 * @name: name of the file
 * @list: the list
 */
struct entry {
	char name[LIST_NAME_MAX];
	struct list list;
};

/* One thread, one log: libfuse gives operations no better place. */
static struct {
	const struct options *opt;
	struct log log;
	struct entry entry[LISTS_MAX];
	size_t num;
	gid_t group;
	struct timespec changed;
	__u64 count;
} m;

/**
 * struct opened - an open file
 * @entry: its list, NULL: the count
 * @last: where its last read ended
 */
struct opened {
	struct entry *entry;
	struct list_place last;
};

static int to_errno(enum status status)
{
	switch (status) {
	case DONE: return 0;
	case BUSY: return -EBUSY;
	default:   return -EIO;
	}
}

static struct entry *find_entry(const char *name)
{
	size_t i;

	for (i = 0; i < m.num; i++)
		if (!strcmp(m.entry[i].name, name))
			return &m.entry[i];
	return NULL;
}

static bool is_link(const char *name)
{
	return !strcmp(name, prefix[0]) || !strcmp(name, prefix[1]);
}

/* When the log last grew, for those who poll. */
static void look_for_change(void)
{
	__u64 count;

	if (log_count(&m.log, &count) || (count == m.count && m.changed.tv_sec))
		return;
	m.count = count;
	clock_gettime(CLOCK_REALTIME, &m.changed);
}

static int get_size(struct entry *e, off_t *size)
{
	__u64 bytes;
	int err;

	if (!e || !m.opt->size)
		return 0;
	err = to_errno(list_size(&e->list, &bytes));
	*size = bytes;
	return err;
}

static int get_attr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	(void)fi;
	memset(st, 0, sizeof(*st));
	st->st_nlink = 1;
	st->st_gid = m.group;
	if (!strcmp(path, "/")) {
		st->st_mode = S_IFDIR | 0750;
		st->st_nlink = 2;
		return 0;
	}
	if (is_link(path + 1))
		st->st_mode = S_IFLNK | 0777;
	else if (find_entry(path + 1) || !strcmp(path + 1, COUNT))
		st->st_mode = S_IFREG | 0440;
	else
		return -ENOENT;
	look_for_change();
	st->st_mtim = m.changed;
	st->st_ctim = m.changed;
	return get_size(find_entry(path + 1), &st->st_size);
}

static int read_link(const char *path, char *buf, size_t size)
{
	if (!is_link(path + 1))
		return -EINVAL;
	snprintf(buf, size, "%s_" LINKED, path + 1);
	return 0;
}

static int read_dir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset,
		    struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	size_t i;

	(void)path;
	(void)offset;
	(void)fi;
	(void)flags;
	fill(buf, ".", NULL, 0, 0);
	fill(buf, "..", NULL, 0, 0);
	for (i = 0; i < ARRAY_SIZE(prefix); i++)
		fill(buf, prefix[i], NULL, 0, 0);
	for (i = 0; i < m.num; i++)
		fill(buf, m.entry[i].name, NULL, 0, 0);
	fill(buf, COUNT, NULL, 0, 0);
	return 0;
}

static int open_file(const char *path, struct fuse_file_info *fi)
{
	struct opened *o;

	if ((fi->flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->entry = find_entry(path + 1);
	fi->fh = (uintptr_t)o;
	fi->direct_io = 1;
	return 0;
}

static int read_count(char *buf, size_t size, off_t offset)
{
	char text[32];
	__u64 count;
	size_t len;
	int err;

	err = to_errno(log_count(&m.log, &count));
	if (err)
		return err;
	len = snprintf(text, sizeof(text), "%llu\n", count);
	if (offset >= (off_t)len)
		return 0;
	if (size > len - offset)
		size = len - offset;
	memcpy(buf, text + offset, size);
	return size;
}

static int read_file(const char *path, char *buf, size_t size, off_t offset,
		     struct fuse_file_info *fi)
{
	struct opened *o = (struct opened *)(uintptr_t)fi->fh;
	enum status status;
	size_t got;

	(void)path;
	if (!o->entry)
		return read_count(buf, size, offset);
	status = list_read(&o->entry->list, &o->last, offset, buf, size, &got);
	return status ? to_errno(status) : (int)got;
}

static int release_file(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	free((void *)(uintptr_t)fi->fh);
	return 0;
}

/* The kernel has answered: others may use the files from now on. */
static void *ready(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
	(void)conn;
	cfg->attr_timeout = 0;
	cfg->negative_timeout = 0;
	sd_notifyf(0, "READY=1\nSTATUS=chain %llu, %zu lists", m.log.chain, m.num);
	return NULL;
}

static const struct fuse_operations operations = {
	.init = ready,
	.getattr = get_attr,
	.readlink = read_link,
	.readdir = read_dir,
	.open = open_file,
	.read = read_file,
	.release = release_file,
};

/* @hash: the kernel's name of the algorithm, which need not be ours */
static enum status add_entry(__u16 alg, const char *hash, bool ascii)
{
	struct entry *e = &m.entry[m.num];
	enum status status = AGAIN;
	unsigned int tries;

	if (m.num == LISTS_MAX)
		return say(REFUSED, "more than %d lists", LISTS_MAX);
	snprintf(e->name, sizeof(e->name), "%s_%s", prefix[ascii], hash);
	for (tries = 0; status == AGAIN && tries < 100; tries++) {
		status = list_init(&e->list, &m.log, alg, ascii);
		if (status)
			list_free(&e->list);
	}
	m.num += !status;
	return status == AGAIN ? say(BUSY, "kernel's list: changes all the time") : status;
}

static enum status add_lists(__u16 alg, const char *hash)
{
	return add_entry(alg, hash, false) ?: add_entry(alg, hash, true);
}

static enum status add_archived_lists(const struct manifest_bank *bank)
{
	char unmapped[LIST_NAME_MAX];

	snprintf(unmapped, sizeof(unmapped), KERNEL_UNMAPPED, bank->alg);
	return add_lists(bank->alg, bank->fill == IMA_LOG_UNMAPPED ? unmapped :
				    ima_log_alg_name(bank->alg));
}

/* Those that the kernel had, which wrote this chain. */
static enum status find_archived_lists(void)
{
	__u16 sha1 = ima_log_alg_by_name(LINKED);
	enum status status;
	struct shard last;
	unsigned int i;

	status = add_lists(sha1, LINKED);
	if (status || !m.log.num)
		return status;
	status = shard_open(&m.log.archive, m.log.chain,
			    m.log.shard[m.log.num - 1].at.number, &last);
	if (status)
		return status;
	shard_close(&last);
	for (i = 0; i < last.m.num_banks && !status; i++)
		if (last.m.bank[i].alg != sha1)
			status = add_archived_lists(&last.m.bank[i]);
	return status;
}

/* The lists that the kernel has: their names end with a hash that is known. */
static enum status find_lists(void)
{
	size_t len = strlen(prefix[0]);
	enum status status = DONE;
	struct dirent *d;
	DIR *dir;
	__u16 alg;

	dir = opendir(m.opt->ima_dir);
	if (!dir)
		return say_errno("%s", m.opt->ima_dir);
	while (!status && m.num < LISTS_MAX && (d = readdir(dir))) {
		if (strncmp(d->d_name, prefix[0], len) || d->d_name[len] != '_')
			continue;
		alg = ima_log_alg_by_name(d->d_name + len + 1);
		if (!alg)
			continue;
		status = add_lists(alg, d->d_name + len + 1);
	}
	closedir(dir);
	return status ?: m.num ? status : say(REFUSED, "%s: has no lists", m.opt->ima_dir);
}

static enum status find_group(void)
{
	const struct group *g;

	m.group = getegid();
	if (!m.opt->group)
		return DONE;
	g = getgrnam(m.opt->group);
	if (!g)
		return say(USAGE, "--group: there is no group %s", m.opt->group);
	m.group = g->gr_gid;
	return DONE;
}

/* What a mount that was killed has left, nobody can use. */
static void drop_dead_mount(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) && errno == ENOTCONN)
		umount2(dir, MNT_DETACH);
}

static enum status serve(void)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	enum status status = DONE;
	struct fuse *fuse = NULL;

	if (!fuse_opt_add_arg(&args, "imalog") && !fuse_opt_add_arg(&args, "-o" MOUNT_OPTIONS))
		fuse = fuse_new(&args, &operations, sizeof(operations), NULL);
	fuse_opt_free_args(&args);
	if (!fuse)
		return say(IO, "FUSE: cannot begin");
	if (fuse_mount(fuse, m.opt->dir)) {
		status = say(IO,
			     "%s: cannot mount: is it a folder, /dev/fuse there, and this root?",
			     m.opt->dir);
	} else {
		if (fuse_set_signal_handlers(fuse_get_session(fuse)) || fuse_loop(fuse) < 0)
			status = say_errno("FUSE");
		sd_notify(0, "STOPPING=1");
		fuse_remove_signal_handlers(fuse_get_session(fuse));
		fuse_unmount(fuse);
	}
	fuse_destroy(fuse);
	return status;
}

/**
 * mount_log() - show the log as files, until unmounted or told to end by a signal
 * @opt: options
 *
 * Return: DONE; REFUSED: the log's place is not to be found, or this kernel does not
 * tell what leaves its list; USAGE, TPM, IO, BUSY.
 */
enum status mount_log(const struct options *opt)
{
	enum status status;

	memset(&m, 0, sizeof(m));
	m.opt = opt;
	status = find_group();
	if (status)
		return status;
	status = log_open(&m.log, opt);
	if (!status && m.log.kernel.way == KERNEL_HELD)
		status = say(REFUSED,
			     "%s: this kernel does not tell how many records have left its list: use imalog cat",
			     opt->ima_dir);
	if (!status)
		status = opt->boot >= 0 ? find_archived_lists() : find_lists();
	if (!status) {
		say_changes_only();
		drop_dead_mount(opt->dir);
		status = serve();
	}
	while (m.num)
		list_free(&m.entry[--m.num].list);
	log_close(&m.log);
	return status;
}
