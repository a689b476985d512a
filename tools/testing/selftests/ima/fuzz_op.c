// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random file operations: each of them, and what it may end with.
 */
#include <limits.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <termios.h>

#include "fuzz.h"

static size_t random_len(struct fuzz *f)
{
	switch (fuzz_below(f, 12)) {
	case 0:
		return 0;
	case 1:
		return 4096;
	case 2:
		return 1 + fuzz_below(f, BUFFER - GUARD);
	case 3:
		return fuzz_one_in(f, 8) ? 1UL << (20 + fuzz_below(f, 44)) : 65536;
	case 4:
		return fuzz_one_in(f, 8) ? fuzz_random(f) : 1;
	default:
		return 1 + fuzz_below(f, 400);
	}
}

static off_t random_offset(struct fuzz *f, const struct slot *s)
{
	switch (fuzz_below(f, 16)) {
	case 0:
		return -1 - (off_t)fuzz_below(f, 5000);
	case 1:
		return LLONG_MAX - (off_t)(fuzz_one_in(f, 2) ? 0 : fuzz_below(f, 5000));
	case 2:
		return fuzz_one_in(f, 2) ? LLONG_MIN : (off_t)fuzz_random(f);
	case 3:
		return 1LL << fuzz_below(f, 63);
	case 4:
	case 5:
		return labs(fuzz_held(f, s->target) + (long)fuzz_below(f, 400) - 200);
	case 6:
	case 7:
		return fuzz_below(f, BUFFER);
	case 8:
	case 9:
	case 10:
		return fuzz_below(f, fuzz_held(f, s->target) + 1);
	default:
		return 0;
	}
}

static char *bad_pointer(struct fuzz *f, size_t len)
{
	static char * const bad[] = { NULL, BAD_POINTER, KERNEL_POINTER };

	if (fuzz_one_in(f, 2))
		return f->edge - (len < 8192 ? len : 8192) / 2;
	return bad[fuzz_below(f, ARRAY_SIZE(bad))];
}

/* To read into. */
static char *random_buffer(struct fuzz *f, size_t len)
{
	if (fuzz_one_in(f, 16))
		return bad_pointer(f, len);
	if (len <= BUFFER && fuzz_one_in(f, 8))
		return f->edge - len;
	if (len <= BUFFER - GUARD)
		memset(f->buf + len, 0xa5, GUARD);
	return f->buf;
}

static void check_guard(struct fuzz *f, const char *buf, size_t len)
{
	static const char guard[GUARD] = { [0 ... GUARD - 1] = (char)0xa5 };

	if (buf == f->buf && len <= BUFFER - GUARD && memcmp(buf + len, guard, GUARD))
		fuzz_wrong(f, "read wrote behind", "its buffer", len);
}

/* Return: how many are in f->iov; f->limit is what they take in all */
static int random_iovs(struct fuzz *f)
{
	int i, nr = fuzz_one_in(f, 64) ? IOVS - 1 : fuzz_below(f, 9);
	size_t len;

	f->limit = 0;
	for (i = 0; i < nr; i++) {
		len = nr > 9 || fuzz_one_in(f, 4) ? 0 : 1 + fuzz_below(f, 600);
		if (fuzz_one_in(f, 200))
			len = fuzz_random(f) >> fuzz_below(f, 64);
		f->iov[i].iov_base = fuzz_one_in(f, 32) ? bad_pointer(f, len) : f->buf + i * 600;
		f->iov[i].iov_len = len;
		if (__builtin_add_overflow(f->limit, len, &f->limit))
			f->limit = SIZE_MAX;
	}
	return nr;
}

static int spoil(struct fuzz *f, int nr)
{
	return !fuzz_one_in(f, 100) ? nr : fuzz_one_in(f, 2) ? IOVS : -1;
}

/* Of a write, the command that it is in is not one that another flag may refuse. */
static int random_rwf(struct fuzz *f)
{
	static const int flags[] = {
		RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_NOWAIT, RWF_APPEND, RWF_NOAPPEND,
		RWF_APPEND | RWF_NOAPPEND, 0x40, 1 << 30,
	};

	return fuzz_one_in(f, 4) ? flags[fuzz_below(f, ARRAY_SIZE(flags))] : 0;
}

/* Where the command is in memory: not all of it, if *@bad. */
static const char *place_text(struct fuzz *f, size_t len, bool *bad)
{
	char *at;

	*bad = fuzz_one_in(f, 16);
	if (*bad && !fuzz_one_in(f, 3))
		return bad_pointer(f, 0);
	at = *bad ? f->edge - len / 2 : fuzz_one_in(f, 4) ? f->edge - len : f->buf;
	memcpy(at, f->text, *bad ? len / 2 : len);
	return at;
}

/* In pieces, some of them empty; Return: how many */
static int split_text(struct fuzz *f, size_t len, bool *bad)
{
	int nr = 1 + fuzz_below(f, 6), i, which = fuzz_one_in(f, 24) ? (int)fuzz_below(f, nr) : -1;
	size_t from = 0, n;

	*bad = false;
	memcpy(f->buf, f->text, len);
	for (i = 0; i < nr; i++) {
		n = i == nr - 1 ? len - from : fuzz_below(f, len - from + 1);
		f->iov[i].iov_base = f->buf + from;
		f->iov[i].iov_len = n;
		if (i == which && n) {
			f->iov[i].iov_base = BAD_POINTER;
			*bad = true;
		}
		from += n;
	}
	return nr;
}

/*
 * The operations. Each returns what the call did, or -errno.
 */
static int random_flags(struct fuzz *f)
{
	static const int modes[] = {
		O_RDONLY, O_RDONLY, O_RDONLY, O_RDWR, O_RDWR, O_RDWR, O_WRONLY, O_WRONLY,
	};
	static const int often[] = {
		O_APPEND, O_TRUNC, O_NONBLOCK, O_CREAT, O_SYNC, O_NOATIME, O_NOCTTY, O_ASYNC,
	};
	static const int seldom[] = { O_DIRECT, O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_TMPFILE };
	int flags = modes[fuzz_below(f, ARRAY_SIZE(modes))];

	if (fuzz_one_in(f, 40))
		flags = fuzz_one_in(f, 2) ? O_ACCMODE : O_PATH;
	while (fuzz_one_in(f, 2))
		flags |= often[fuzz_below(f, ARRAY_SIZE(often))];
	if (fuzz_one_in(f, 12))
		flags |= seldom[fuzz_below(f, ARRAY_SIZE(seldom))];
	return flags;
}

/* dup3() puts it in place of the old one at once: the number is never free. */
static long put_into_slot(struct slot *s, int fd, const struct target *target, int flags)
{
	if (dup3(fd, s->fd, O_CLOEXEC) < 0)
		return -errno;
	close(fd);
	s->target = target;
	s->flags = flags;
	s->open = true;
	return 0;
}

static long op_open(struct fuzz *f, struct slot *s)
{
	const struct target *target = fuzz_target(f);
	int flags = random_flags(f), fd;

	s = &f->world->slot[fuzz_below(f, SLOTS)];
	fd = ima_open(target->name, flags);
	return fd < 0 ? fd : put_into_slot(s, fd, target, flags);
}

static long op_close(struct fuzz *f, struct slot *s)
{
	s->open = false;
	return ima_minus_errno(close(s->fd));
}

static long op_dup(struct fuzz *f, struct slot *s)
{
	struct slot *to = &f->world->slot[fuzz_below(f, SLOTS)];
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : put_into_slot(to, fd, s->target, s->flags);
}

static long op_read(struct fuzz *f, struct slot *s)
{
	char *buf;
	long ret;

	f->limit = random_len(f);
	buf = random_buffer(f, f->limit);
	ret = ima_minus_errno(read(s->fd, buf, f->limit));
	check_guard(f, buf, f->limit);
	return ret;
}

static long op_pread(struct fuzz *f, struct slot *s)
{
	char *buf;
	long ret;

	f->limit = random_len(f);
	buf = random_buffer(f, f->limit);
	ret = ima_minus_errno(pread(s->fd, buf, f->limit, random_offset(f, s)));
	check_guard(f, buf, f->limit);
	return ret;
}

static long op_readv(struct fuzz *f, struct slot *s)
{
	int nr = random_iovs(f);

	return ima_minus_errno(readv(s->fd, f->iov, spoil(f, nr)));
}

static long op_preadv2(struct fuzz *f, struct slot *s)
{
	int nr = random_iovs(f);

	return ima_minus_errno(preadv2(s->fd, f->iov, spoil(f, nr), random_offset(f, s),
				       random_rwf(f)));
}

/* A file that is new: what it gives is what the list is at that place. */
static long op_read_new(struct fuzz *f, struct slot *s)
{
	const struct target *target = fuzz_target(f);
	size_t offset = fuzz_below(f, 2 * fuzz_held(f, target) + 2);
	size_t len = 1 + fuzz_below(f, BUFFER - 1);
	int fd = ima_open(target->name, O_RDONLY);
	long ret, want = fuzz_held(f, target) - (long)offset;

	if (fd < 0)
		return fd;
	ret = ima_minus_errno(pread(fd, f->buf, len, offset));
	close(fd);
	want = want < 0 ? 0 : want > (long)len ? (long)len : want;
	if (!f->world->shared && target->holds != NUMBER && ret != want)
		fuzz_wrong(f, "a new file gives otherwise than it holds,", target->name, ret);
	return ret;
}

static void check_seek(struct fuzz *f, const struct slot *s, int whence, off_t offset, off_t ret)
{
	bool right = true;

	if (f->world->shared || !s->open || s->flags & O_PATH || s->target->holds == NUMBER)
		return;
	if (whence == SEEK_END && slot_can_read(s))
		right = ret == -EINVAL;
	else if (whence == SEEK_SET || (whence == SEEK_END && slot_can_write(s)))
		right = ret == (offset < 0 ? -EINVAL : offset) ||
			(offset > LONG_MAX / 2 && ret == -EINVAL);
	if (!right)
		fuzz_wrong(f, "lseek of", s->target->name, ret);
}

static long op_lseek(struct fuzz *f, struct slot *s)
{
	static const int whences[] = {
		SEEK_SET, SEEK_SET, SEEK_SET, SEEK_CUR, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE,
		99,
	};
	int whence = whences[fuzz_below(f, ARRAY_SIZE(whences))];
	off_t offset = random_offset(f, s), ret;

	ret = ima_minus_errno(lseek(s->fd, offset, whence));
	check_seek(f, s, whence, offset, ret);
	return ret;
}

static long op_write(struct fuzz *f, struct slot *s)
{
	struct attempt a = { .len = fuzz_random_command(f), .pos = lseek(s->fd, 0, SEEK_CUR) };
	const char *at = place_text(f, a.len, &a.bad);

	return fuzz_check_command(f, s, a, write(s->fd, at, a.len));
}

static long op_pwrite(struct fuzz *f, struct slot *s)
{
	struct attempt a = { .len = fuzz_random_command(f), .pos = random_offset(f, s) };
	const char *at = place_text(f, a.len, &a.bad);

	return fuzz_check_command(f, s, a, pwrite(s->fd, at, a.len, a.pos));
}

static long op_writev(struct fuzz *f, struct slot *s)
{
	struct attempt a = {
		.len = fuzz_random_command(f),
		.pos = lseek(s->fd, 0, SEEK_CUR),
		.vector = true,
	};
	int nr = split_text(f, a.len, &a.bad), spoiled = spoil(f, nr);

	a.bad |= spoiled != nr;
	return fuzz_check_command(f, s, a, writev(s->fd, f->iov, spoiled));
}

static long op_pwritev2(struct fuzz *f, struct slot *s)
{
	struct attempt a = {
		.len = fuzz_random_command(f),
		.pos = random_offset(f, s),
		.vector = true,
		.flags = random_rwf(f),
	};
	int nr = split_text(f, a.len, &a.bad);
	off_t pos = a.pos;

	if (pos == -1)
		a.pos = lseek(s->fd, 0, SEEK_CUR);
	return fuzz_check_command(f, s, a, pwritev2(s->fd, f->iov, nr, pos, a.flags));
}

static void drain(struct fuzz *f, int fd)
{
	while (read(fd, f->buf, BUFFER) > 0)
		;
}

static long op_sendfile(struct fuzz *f, struct slot *s)
{
	off_t offset = random_offset(f, s);
	long ret;

	f->limit = random_len(f);
	ret = ima_minus_errno(sendfile(f->in[1], s->fd, fuzz_one_in(f, 2) ? &offset : NULL,
				       f->limit));
	drain(f, f->in[0]);
	return ret;
}

static long op_sendfile_to(struct fuzz *f, struct slot *s)
{
	off_t offset = 0;

	return ima_minus_errno(sendfile(s->fd, f->world->memfd, &offset, random_len(f)));
}

static long op_splice(struct fuzz *f, struct slot *s)
{
	off_t offset = random_offset(f, s);
	long ret;

	f->limit = random_len(f);
	ret = ima_minus_errno(splice(s->fd, fuzz_one_in(f, 2) ? &offset : NULL, f->in[1], NULL,
				     f->limit, SPLICE_F_NONBLOCK));
	drain(f, f->in[0]);
	return ret;
}

static long op_splice_to(struct fuzz *f, struct slot *s)
{
	size_t len = fuzz_good_command(f);
	struct iovec iov = { .iov_base = f->text, .iov_len = len };
	off_t offset = random_offset(f, s);
	long ret;

	if (vmsplice(f->in[1], &iov, 1, SPLICE_F_NONBLOCK) != (long)len)
		fuzz_wrong(f, "vmsplice into", "a pipe", -errno);
	ret = ima_minus_errno(splice(f->in[0], NULL, s->fd, fuzz_one_in(f, 2) ? &offset : NULL, len,
				     SPLICE_F_NONBLOCK));
	drain(f, f->in[0]);
	return ret;
}

static long op_vmsplice(struct fuzz *f, struct slot *s)
{
	struct iovec iov = { .iov_base = f->text, .iov_len = fuzz_good_command(f) };

	return ima_minus_errno(vmsplice(s->fd, &iov, 1, SPLICE_F_NONBLOCK));
}

/* What the pages of the list in one pipe are is what they are in another. */
static long op_tee(struct fuzz *f, struct slot *s)
{
	long n, ret;

	if (fuzz_one_in(f, 4))
		return ima_minus_errno(tee(s->fd, f->in[1], 100, SPLICE_F_NONBLOCK));
	f->limit = 1 + fuzz_below(f, 16384);
	n = splice(s->fd, NULL, f->in[1], NULL, f->limit, SPLICE_F_NONBLOCK);
	if (n <= 0)
		return n ? -errno : 0;
	ret = ima_minus_errno(tee(f->in[0], f->out[1], n, SPLICE_F_NONBLOCK));
	if (ret != n || read(f->in[0], f->buf, BUFFER / 2) != n ||
	    read(f->out[0], f->buf + BUFFER / 2, BUFFER / 2) != n ||
	    memcmp(f->buf, f->buf + BUFFER / 2, n))
		fuzz_wrong(f, "tee of", s->target ? s->target->name : "(no file)", ret);
	return ret;
}

static long op_copy_file_range(struct fuzz *f, struct slot *s)
{
	int from = s->fd, to = fuzz_slot(f)->fd;
	off_t offset = random_offset(f, s);

	if (fuzz_one_in(f, 3))
		from = f->world->memfd;
	else if (fuzz_one_in(f, 2))
		to = f->world->memfd;
	return ima_minus_errno(copy_file_range(from, fuzz_one_in(f, 2) ? &offset : NULL, to, NULL,
					       random_len(f), 0));
}

static long op_mmap(struct fuzz *f, struct slot *s)
{
	static const int how[] = { MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE };
	void *at = mmap(NULL, 1 + fuzz_below(f, 20000), fuzz_below(f, 8),
			how[fuzz_below(f, 3)], s->fd, 4096 * (off_t)fuzz_below(f, 3));

	return at == MAP_FAILED ? -errno : 0;
}

static const struct target *target_of(const struct world *w, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	for (int i = 0; i < w->targets; i++)
		if (w->target[i].st.st_ino == st.st_ino)
			return &w->target[i];
	return NULL;
}

/* What follows is undone, on the same file, whatever is in the slot then. */
static int keep(const struct slot *s)
{
	return fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
}

static long op_ftruncate(struct fuzz *f, struct slot *s)
{
	int fd = keep(s);
	long ret = ima_minus_errno(ftruncate(fd, random_offset(f, s)));

	if (!ret && ftruncate(fd, 0))
		fuzz_wrong(f, "ftruncate to 0", "after another length", -errno);
	if (fd >= 0)
		close(fd);
	return ret;
}

static long op_truncate(struct fuzz *f, struct slot *s)
{
	const struct target *target = fuzz_target(f);
	long ret = ima_minus_errno(truncate(target->path, random_offset(f, s)));

	if (!ret && truncate(target->path, 0))
		fuzz_wrong(f, "truncate to 0 of", target->name, -errno);
	return ret;
}

static long op_fallocate(struct fuzz *f, struct slot *s)
{
	return ima_minus_errno(fallocate(s->fd, fuzz_below(f, 128), random_offset(f, s),
					 random_offset(f, s)));
}

static long op_fchmod(struct fuzz *f, struct slot *s)
{
	int fd = keep(s);
	const struct target *target = target_of(f->world, fd);
	long ret = ima_minus_errno(fchmod(fd, fuzz_below(f, 010000)));

	if (!ret && (!target || fchmod(fd, target->mode)))
		fuzz_wrong(f, "fchmod back of", target ? target->name : "an unknown file", -errno);
	if (fd >= 0)
		close(fd);
	return ret;
}

static long op_chmod(struct fuzz *f, struct slot *s)
{
	const struct target *target = fuzz_target(f);
	long ret = ima_minus_errno(chmod(target->path, fuzz_below(f, 010000)));

	if (!ret && chmod(target->path, target->mode))
		fuzz_wrong(f, "chmod back of", target->name, -errno);
	return ret;
}

static long op_unlink(struct fuzz *f, struct slot *s)
{
	return ima_minus_errno(unlink(fuzz_target(f)->path));
}

static long op_rename(struct fuzz *f, struct slot *s)
{
	const struct target *from = fuzz_target(f), *to = fuzz_target(f);

	if (from == to || fuzz_one_in(f, 2))
		return ima_minus_errno(rename(from->path, IMA_DIR "/other"));
	return ima_minus_errno(renameat2(AT_FDCWD, from->path, AT_FDCWD, to->path,
					 fuzz_below(f, 3)));
}

static long op_link(struct fuzz *f, struct slot *s)
{
	if (fuzz_one_in(f, 2))
		return ima_minus_errno(link(fuzz_target(f)->path, "/tmp/ima-fuzz"));
	return ima_minus_errno(link(fuzz_target(f)->path, IMA_DIR "/other"));
}

static long op_create(struct fuzz *f, struct slot *s)
{
	switch (fuzz_below(f, 3)) {
	case 0:
		return ima_minus_errno(mkdir(IMA_DIR "/other", 0700));
	case 1:
		return ima_minus_errno(symlink("policy", IMA_DIR "/other"));
	default:
		return ima_open("other", O_RDWR | O_CREAT);
	}
}

static long op_fsync(struct fuzz *f, struct slot *s)
{
	switch (fuzz_below(f, 4)) {
	case 0:
		return ima_minus_errno(fdatasync(s->fd));
	case 1:
		return ima_minus_errno(syncfs(s->fd));
	case 2:
		return ima_minus_errno(sync_file_range(s->fd, random_offset(f, s), 4096,
						       fuzz_below(f, 8)));
	default:
		return ima_minus_errno(fsync(s->fd));
	}
}

static long op_ioctl(struct fuzz *f, struct slot *s)
{
	static const unsigned long cmds[] = {
		FIONREAD, FIONBIO, FIOASYNC, FIOCLEX, FIGETBSZ, FIBMAP, FIOQSIZE, TCGETS,
		FS_IOC_GETFLAGS, FS_IOC_FSGETXATTR, FICLONE,
	};
	unsigned long cmd = cmds[fuzz_below(f, ARRAY_SIZE(cmds))];

	if (fuzz_one_in(f, 4))
		cmd = fuzz_random(f) >> 32;
	return ima_minus_errno(ioctl(s->fd, cmd, fuzz_one_in(f, 8) ? bad_pointer(f, 8) : f->buf));
}

static long op_fcntl(struct fuzz *f, struct slot *s)
{
	static const int cmds[] = { F_GETFD, F_GETFL, F_GETOWN, F_GETSIG, F_GETLEASE, F_NOTIFY,
				    F_SETPIPE_SZ, F_ADD_SEALS, F_SETFD, 9999 };
	struct flock lock = {
		.l_type = fuzz_below(f, 4),
		.l_whence = fuzz_below(f, 4),
		.l_start = random_offset(f, s),
		.l_len = fuzz_below(f, 100),
	};

	switch (fuzz_below(f, 4)) {
	case 0:
		return ima_minus_errno(fcntl(s->fd, F_SETFL, random_flags(f) & ~O_ASYNC));
	case 1:
		return ima_minus_errno(fcntl(s->fd, F_SETLK, &lock));
	case 2:
		return ima_minus_errno(fcntl(s->fd, fuzz_one_in(f, 2) ? F_GETLK : F_OFD_SETLK,
					     &lock));
	default:
		return ima_minus_errno(fcntl(s->fd, cmds[fuzz_below(f, ARRAY_SIZE(cmds))], 1));
	}
}

static long op_flock(struct fuzz *f, struct slot *s)
{
	static const int how[] = { LOCK_SH, LOCK_EX, LOCK_UN, LOCK_UN, 64 };

	return ima_minus_errno(flock(s->fd, how[fuzz_below(f, ARRAY_SIZE(how))] | LOCK_NB));
}

static long op_poll(struct fuzz *f, struct slot *s)
{
	struct pollfd p = { .fd = s->fd, .events = fuzz_random(f) >> 16 };

	return ima_minus_errno(poll(&p, 1, 0));
}

static long op_fstat(struct fuzz *f, struct slot *s)
{
	struct stat st;
	long ret = ima_minus_errno(fstat(s->fd, &st));

	if (!ret && !S_ISREG(st.st_mode) && !(s->flags & O_PATH))
		fuzz_wrong(f, "fstat:", "not a regular file", st.st_mode);
	return ret;
}

/* What another process gets that opens for write; 1 if that may be either. */
static int expect_other_open(const struct world *w)
{
	int expected = 0;

	for (int i = 0; i < SLOTS; i++) {
		if (!w->slot[i].open || w->slot[i].target->holds == NUMBER)
			continue;
		if (slot_can_write(&w->slot[i]))
			return -EBUSY;
		if ((w->slot[i].flags & O_ACCMODE) == O_ACCMODE)
			expected = 1;
	}
	return expected;
}

/* A child has the same files, and is another process; Return: as it exits */
static int in_child(struct fuzz *f, const struct slot *s)
{
	const struct target *target = fuzz_target(f);
	int expected = expect_other_open(f->world), fd;
	char c;

	if (pread(s->fd, &c, 1, 0) > 1 || close(s->fd) > 0)
		return 1;
	if (f->world->shared || target->holds == NUMBER)
		return 0;
	fd = ima_open(target->name, O_WRONLY);
	return expected <= 0 && (fd < 0 ? fd : 0) != expected;
}

static long op_fork(struct fuzz *f, struct slot *s)
{
	pid_t pid;

	pthread_mutex_lock(&f->world->no_fork);
	pid = fork();
	if (!pid)
		_exit(in_child(f, s));
	pid = ima_wait_exit(pid);
	pthread_mutex_unlock(&f->world->no_fork);
	if (pid)
		fuzz_wrong(f, "a child with the same files:", "exit status", pid);
	return pid;
}

/* An errno that is not here is wrong, and so is to work where it says FAILS. */
const struct kind fuzz_kinds[] = {
	{ "open", op_open, 600, WORKS, OTHER,
	  { EINVAL, EEXIST, ENOTDIR, ELOOP, EISDIR, EOPNOTSUPP } },
	{ "close", op_close, 250, WORKS, OTHER, { EBADF } },
	{ "dup", op_dup, 100, WORKS, OTHER, { EBADF } },
	{ "read", op_read, 1200, WORKS, READS, { EBADF, EFAULT, EINVAL, EISDIR, ESTALE } },
	{ "pread", op_pread, 1000, WORKS, READS, { EBADF, EFAULT, EINVAL, ESTALE } },
	{ "readv", op_readv, 500, WORKS, READS, { EBADF, EFAULT, EINVAL, ESTALE } },
	{ "preadv2", op_preadv2, 500, WORKS, READS,
	  { EBADF, EFAULT, EINVAL, EOPNOTSUPP, ESTALE } },
	{ "read of a new file", op_read_new, 150, WORKS, OTHER, { ESTALE } },
	{ "lseek", op_lseek, 1000, WORKS, ANY, { EBADF, EINVAL, ENXIO, EOVERFLOW } },
	{ "write", op_write, 600, WORKS, WRITES,
	  { EAGAIN, EBADF, EEXIST, EFAULT, EINVAL, ENOENT, ERANGE } },
	{ "pwrite", op_pwrite, 600, WORKS, WRITES,
	  { EAGAIN, EBADF, EEXIST, EFAULT, EINVAL, ENOENT, ERANGE } },
	{ "writev", op_writev, 600, WORKS, WRITES,
	  { EAGAIN, EBADF, EEXIST, EFAULT, EINVAL, ENOENT, ERANGE } },
	{ "pwritev2", op_pwritev2, 400, WORKS, WRITES,
	  { EAGAIN, EBADF, EEXIST, EFAULT, EINVAL, ENOENT, EOPNOTSUPP, ERANGE } },
	{ "sendfile", op_sendfile, 150, WORKS, READS, { EAGAIN, EBADF, EINVAL, ESTALE } },
	{ "sendfile to it", op_sendfile_to, 80, DOES_NOTHING, WRITES, { EBADF, EINVAL } },
	{ "splice", op_splice, 150, WORKS, READS,
	  { EAGAIN, EBADF, EINVAL, EOVERFLOW, ESTALE } },
	{ "splice to it", op_splice_to, 80, FAILS, WRITES, { EBADF, EINVAL, EOVERFLOW } },
	{ "vmsplice to it", op_vmsplice, 40, FAILS, OTHER, { EBADF, EINVAL } },
	{ "tee", op_tee, 100, WORKS, READS, { EAGAIN, EBADF, EINVAL, EOVERFLOW, ESTALE } },
	{ "copy_file_range", op_copy_file_range, 80, DOES_NOTHING, OTHER,
	  { EBADF, EFBIG, EINVAL, EOVERFLOW, EXDEV } },
	{ "mmap", op_mmap, 80, FAILS, OTHER, { EACCES, EBADF, EINVAL, ENODEV, EPERM } },
	{ "ftruncate", op_ftruncate, 50, MAY_WORK, WRITES, { EBADF, EFBIG, EINVAL, EPERM } },
	{ "truncate", op_truncate, 50, MAY_WORK, OTHER, { EFBIG, EINVAL, EPERM } },
	{ "fallocate", op_fallocate, 80, FAILS, WRITES, { EBADF, EFBIG, EINVAL, EOPNOTSUPP } },
	{ "chmod", op_chmod, 50, WORKS, OTHER, {} },
	{ "fchmod", op_fchmod, 50, WORKS, ANY, { EBADF } },
	{ "unlink", op_unlink, 30, FAILS, OTHER, { EACCES, EPERM } },
	{ "rename", op_rename, 30, FAILS, OTHER, { EACCES, EEXIST, EINVAL, EPERM } },
	{ "link", op_link, 30, FAILS, OTHER, { EACCES, EPERM, EXDEV } },
	{ "create", op_create, 30, FAILS, OTHER, { EACCES, EPERM } },
	{ "fsync", op_fsync, 80, MAY_WORK, ANY, { EBADF, EINVAL, ESPIPE } },
	{ "ioctl", op_ioctl, 100, WORKS, OTHER,
	  { EBADF, EFAULT, EINVAL, ENOTTY, EOPNOTSUPP, EPERM, EXDEV } },
	{ "fcntl", op_fcntl, 150, WORKS, OTHER,
	  { EAGAIN, EBADF, EINVAL, ENOTDIR, EOVERFLOW, EPERM } },
	{ "flock", op_flock, 80, WORKS, OTHER, { EAGAIN, EBADF, EINVAL } },
	{ "poll", op_poll, 100, WORKS, ANY, {} },
	{ "fstat", op_fstat, 80, WORKS, ANY, { EBADF } },
	{ "fork", op_fork, 2, WORKS, OTHER, {} },
	{},
};
