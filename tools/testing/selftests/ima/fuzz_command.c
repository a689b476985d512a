// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random file operations: commands, and the model of what they return.
 */
#include <errno.h>
#include <limits.h>

#include "fuzz.h"

/**
 * fuzz_wrong() - note what went wrong, if it is the first
 * @f: the thread; all of them stop
 * @what: what was done, or found
 * @name: with what
 * @ret: what that returned, or -errno
 */
void fuzz_wrong(struct fuzz *f, const char *what, const char *name, long ret)
{
	if (f->wrong[0])
		return;
	snprintf(f->wrong, sizeof(f->wrong), "operation %ld: %s %s: %ld (%s)", f->did, what,
		 name, ret, ret < 0 ? strerror(-ret) : "no error");
	atomic_store(&f->world->stop, true);
}

struct command {
	unsigned long long t, n;
	bool if_removed;
};

static const char *parse_number(const char *at, const char *end, unsigned long long *value,
				bool *over)
{
	const char *first = at;

	for (*value = 0; at < end && *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, *at - '0', value))
			*over = true;
	return at == first ? NULL : at;
}

/* Return: 0, or -errno for what is no command of the list files */
static int parse_list_command(const char *text, size_t len, struct command *c)
{
	const char *end = text + len - 1, *at;
	bool over = false;

	if (len < 2 || len > IMA_CMD_MAX || *end != '\n')
		return -EINVAL;
	at = parse_number(text, end, &c->n, &over);
	c->if_removed = at && *at == ':';
	if (c->if_removed) {
		c->t = c->n;
		at = parse_number(at + 1, end, &c->n, &over);
	}
	if (at != end)
		return -EINVAL;
	if (over || c->n > ULONG_MAX)
		return -ERANGE;
	return c->n ? 0 : -EINVAL;
}

static bool is_text(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(text, word, len);
}

static long expect_staged(struct world *w, const char *text, size_t len)
{
	if (is_text(text, len, "A\n")) {
		if (w->staged)
			return -EEXIST;
		if (!w->count)
			return -ENOENT;
		w->staged = w->count;
		w->removed += w->count;
		w->count = 0;
		return len;
	}
	if (!is_text(text, len, "D\n"))
		return -EINVAL;
	if (!w->staged)
		return -ENOENT;
	w->staged = 0;
	return len;
}

/* Return: what the command returns; the model is then as it is behind it */
static long expect_command(struct world *w, enum content holds, const char *text, size_t len)
{
	struct command c = {};
	int err;

	if (holds == STAGED_LIST)
		return expect_staged(w, text, len);
	err = parse_list_command(text, len, &c);
	if (err)
		return err;
	if (c.if_removed && c.t != (unsigned long long)w->removed)
		return -EAGAIN;
	if (w->staged)
		return -EEXIST;
	if (c.n > (unsigned long long)w->count)
		return -ENOENT;
	w->count -= c.n;
	w->removed += c.n;
	return len;
}

/* With others beside it: is this what a command may return? */
static bool may_return(const char *text, size_t len, long ret)
{
	bool a = is_text(text, len, "A\n"), d = is_text(text, len, "D\n");
	struct command c = {};
	int err = parse_list_command(text, len, &c);

	if (ret == -EBADF || ret == -EINVAL)	/* the file may be another one now */
		return true;
	if (a || d)
		return ret == (long)len || ret == -ENOENT || (a && ret == -EEXIST);
	if (err)
		return ret == err;
	return ret == (long)len || ret == -EEXIST || ret == -ENOENT ||
	       (c.if_removed && ret == -EAGAIN);
}

static void count_command(struct world *w, const char *text, size_t len)
{
	struct command c = {};

	if (is_text(text, len, "A\n"))
		atomic_fetch_add(&w->stages, 1);
	else if (is_text(text, len, "D\n"))
		atomic_fetch_add(&w->unstages, 1);
	else if (!parse_list_command(text, len, &c))
		atomic_fetch_add(&w->deleted, c.n);
}

static bool is_right(struct fuzz *f, const struct slot *s, const struct attempt *a, long ret)
{
	off_t end;

	if (!slot_can_write(s))
		return ret == -EBADF || (a->pos < 0 && ret == -EINVAL);
	if (a->vector && !a->len && !ret)
		return true;
	if (a->flags && ret == -EOPNOTSUPP)
		return true;
	if (a->bad || a->flags == (RWF_APPEND | RWF_NOAPPEND))
		return ret == -EFAULT || ret == -EINVAL;
	if (s->target->holds == NUMBER)
		return ret == -EINVAL;
	if (a->pos < 0 || __builtin_add_overflow(a->pos, (off_t)a->len, &end))
		return ret == -EINVAL;
	return ret == expect_command(f->world, s->target->holds, f->text, a->len);
}

static bool may_be_right(const struct fuzz *f, const struct attempt *a, long ret)
{
	if (a->bad)
		return ret < 0;
	if ((a->vector && !a->len && !ret) || (a->flags && ret == -EOPNOTSUPP))
		return true;
	return may_return(f->text, a->len, ret);
}

static void print_text(const struct fuzz *f, const struct attempt *a)
{
	printf("# %zu bytes at %lld%s%s, flags %#x:", a->len, (long long)a->pos,
	       a->bad ? ", bad memory" : "", a->vector ? ", a vector" : "", a->flags);
	for (size_t i = 0; i < a->len; i++)
		printf(" %02x", (unsigned char)f->text[i]);
	printf("\n");
}

/**
 * fuzz_check_command() - compare what a write returned with the model
 * @f: the thread, with what was written in @f->text
 * @s: the file as it was before
 * @a: how that was written
 * @ret: what the system call returned, with errno
 *
 * Return: @ret or -errno.
 */
long fuzz_check_command(struct fuzz *f, const struct slot *s, struct attempt a, long ret)
{
	bool right;

	ret = ima_minus_errno(ret);
	right = f->world->shared ? may_be_right(f, &a, ret) : is_right(f, s, &a, ret);
	if (!right) {
		fuzz_wrong(f, "command to", s->target ? s->target->name : "(no file)", ret);
		print_text(f, &a);
	}
	if (ret > 0)
		count_command(f->world, f->text, a.len);
	f->command_err[ret < 0 ? -ret & 255 : 0] = true;
	return ret;
}

/*
 * What is written
 */
static void random_number(struct fuzz *f, char text[TEXT / 2])
{
	long count = f->world->shared ? fuzz_counter(f->world->count_fd) : f->world->count;

	switch (fuzz_below(f, 20)) {
	case 0:
		snprintf(text, TEXT / 2, "0");
		break;
	case 1:
		snprintf(text, TEXT / 2, "%lu", ULONG_MAX - fuzz_below(f, 2));
		break;
	case 2:
		snprintf(text, TEXT / 2, "%llu%llu", 1 + fuzz_random(f) / 2, fuzz_random(f) / 2);
		text[21 + fuzz_below(f, 18)] = '\0';
		break;
	case 3:
		snprintf(text, TEXT / 2, "%0*lu", (int)fuzz_below(f, 42), 1 + fuzz_below(f, 3));
		break;
	case 4:
		snprintf(text, TEXT / 2, "%ld", count + (long)fuzz_below(f, 3));
		break;
	case 5:
		snprintf(text, TEXT / 2, "%ld", count / 2 + 1);
		break;
	default:
		snprintf(text, TEXT / 2, "%lu", 1 + fuzz_below(f, 3));
	}
}

/**
 * fuzz_good_command() - make one that is well-formed, but for the numbers in it
 * @f: the thread; it is put in @f->text
 *
 * Return: its length.
 */
size_t fuzz_good_command(struct fuzz *f)
{
	char n[TEXT / 2];
	long t = f->world->shared ? fuzz_counter(f->world->removed_fd) : f->world->removed;

	switch (fuzz_below(f, 8)) {
	case 0:
	case 1:
		return snprintf(f->text, TEXT, "A\n");
	case 2:
	case 3:
		return snprintf(f->text, TEXT, "D\n");
	case 4:
	case 5:
		random_number(f, n);
		return snprintf(f->text, TEXT, "%s\n", n);
	default:
		if (fuzz_one_in(f, 3))
			t += (long)fuzz_below(f, 3) - 1;
		random_number(f, n);
		return snprintf(f->text, TEXT, "%ld:%s\n", t, n);
	}
}

/**
 * fuzz_random_command() - the same, or a part of it, or with more, or something else
 * @f: the thread; it is put in @f->text
 *
 * Return: its length.
 */
size_t fuzz_random_command(struct fuzz *f)
{
	size_t len = fuzz_good_command(f), i, more;

	switch (fuzz_below(f, 12)) {
	case 0:
		return fuzz_below(f, len);
	case 1:
		more = 1 + fuzz_below(f, TEXT - len);
		for (i = len; i < len + more; i++)
			f->text[i] = fuzz_random(f) >> 8;
		return len + more;
	case 2:
		f->text[fuzz_below(f, len)] = fuzz_random(f) >> 8;
		return len;
	case 3:
		f->text[fuzz_below(f, len)] = "\0 -x\n:+"[fuzz_below(f, 7)];
		return len;
	case 4:
		len = fuzz_below(f, TEXT);
		for (i = 0; i < len; i++)
			f->text[i] = fuzz_random(f) >> 8;
		return len;
	default:
		return len;
	}
}
