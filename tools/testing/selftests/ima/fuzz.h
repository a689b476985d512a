/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random file operations, see fuzz_test.c: what its parts share.
 */
#ifndef IMA_FUZZ_H
#define IMA_FUZZ_H

#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../kselftest.h"
#include "ima_test.h"

#define SLOTS 24
#define SLOT_FD 400			/* and up: no other file gets these numbers */
#define BUFFER (256 * 1024)
#define GUARD 16
#define IOVS 1025			/* one more than there may be */
#define TEXT 128
#define BAD_POINTER ((char *)8)
#define KERNEL_POINTER ((char *)0xffff888000001000UL)
#define KINDS_MAX 64

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20
#endif

enum content { LIST, STAGED_LIST, NUMBER };

struct target {
	char name[IMA_NAME_MAX], path[sizeof(IMA_DIR) + IMA_NAME_MAX];
	enum content holds;
	size_t record;			/* length of each record */
	mode_t mode;
	struct stat st;
};

/* An open file. Threads that share it may see what it was a moment ago. */
struct slot {
	int fd, flags;
	bool open;
	const struct target *target;
};

struct world {
	struct target target[2 * IMA_FILES_MAX + 2];
	int targets;
	struct slot slot[SLOTS];
	long count, removed, staged;	/* as they are, with one thread */
	long began;			/* count and removed then, in sum */
	long removed_before;
	int count_fd, removed_fd, memfd;
	bool shared;
	unsigned long long seed;
	atomic_bool stop;
	atomic_long measured, deleted, stages, unstages;
	pthread_mutex_t no_fork;	/* a child must not have the file that is measured */
};

/* What one thread does. */
struct fuzz {
	struct world *world;
	unsigned long long random;
	char *buf, *edge;		/* BUFFER bytes, and what is behind them */
	struct iovec iov[IOVS];
	int in[2], out[2];		/* pipes */
	char text[TEXT];
	size_t limit;			/* what the call at hand may return */
	long ops[KINDS_MAX], worked[KINDS_MAX];
	long did;
	bool read_err[256], command_err[256];
	char wrong[256];
};

struct kind {
	const char *name;
	long (*call)(struct fuzz *f, struct slot *s);
	unsigned int weight;
	enum { WORKS, MAY_WORK, DOES_NOTHING, FAILS } result;
	enum { ANY, READS, WRITES, OTHER } needs;
	int err[12];
};

/* One call that writes f->text. */
struct attempt {
	size_t len;
	off_t pos;			/* the VFS looks at it, the kernel does not */
	bool bad, vector;		/* memory, or iovecs, that are not right */
	int flags;
};

extern const struct kind fuzz_kinds[];	/* to one without a name */

void fuzz_wrong(struct fuzz *f, const char *what, const char *name, long ret);
size_t fuzz_good_command(struct fuzz *f);
size_t fuzz_random_command(struct fuzz *f);
long fuzz_check_command(struct fuzz *f, const struct slot *s, struct attempt a, long ret);

static inline unsigned long long fuzz_random(struct fuzz *f)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return f->random;
}

static inline unsigned long fuzz_below(struct fuzz *f, unsigned long n)
{
	return (fuzz_random(f) >> 16) % n;
}

static inline bool fuzz_one_in(struct fuzz *f, unsigned long n)
{
	return !fuzz_below(f, n);
}

static inline const struct target *fuzz_target(struct fuzz *f)
{
	return &f->world->target[fuzz_below(f, f->world->targets)];
}

static inline struct slot *fuzz_slot(struct fuzz *f)
{
	struct slot *s = &f->world->slot[fuzz_below(f, SLOTS)];

	for (int tries = 0; !s->open && tries < 8; tries++)
		s = &f->world->slot[fuzz_below(f, SLOTS)];
	return s;
}

/* At most what can be there, in a model that knows it. */
static inline long fuzz_held(const struct fuzz *f, const struct target *target)
{
	const struct world *w = f->world;

	if (!target || w->shared)
		return BUFFER;
	if (target->holds == NUMBER)
		return 32;
	return (target->holds == LIST ? w->count : w->staged) * (long)target->record;
}

static inline bool slot_can_read(const struct slot *s)
{
	return s->open && !(s->flags & O_PATH) && !(s->flags & O_WRONLY);
}

static inline bool slot_can_write(const struct slot *s)
{
	int mode = s->flags & O_ACCMODE;

	return s->open && !(s->flags & O_PATH) && (mode == O_WRONLY || mode == O_RDWR);
}

/* A number as the kernel shows it. */
static inline long fuzz_counter(int fd)
{
	char buf[32] = "";

	return pread(fd, buf, sizeof(buf) - 1, 0) < 0 ? -errno : atol(buf);
}

#endif /* IMA_FUZZ_H */
