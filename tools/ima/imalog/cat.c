// SPDX-License-Identifier: GPL-2.0-only
/*
 * The complete log: the archive's records, then those in the kernel, as a kernel
 * shows them that deletes nothing. A trim meanwhile moves records from the kernel to
 * the archive; they are then found there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cat.h"
#include "prove.h"
#include "reader.h"
#include "show.h"

#define TRIES	100

/**
 * struct cat - what is shown
 * @opt: options
 * @archive: archive, or NULL
 * @kernel: kernel
 * @bank: bank of the list that is shown
 * @chain: number of the chain
 * @next: number of the next record
 * @base: number of the kernel's first record at boot
 */
struct cat {
	const struct options *opt;
	struct archive *archive;
	struct kernel kernel;
	struct banks bank;
	__u64 chain;
	__u64 next;
	__u64 base;
};

static enum status show(struct cat *c, const struct ima_log_record *rec)
{
	struct ima_log_bank *bank = &c->bank.bank[0];
	int err;

	err = c->opt->ascii ? show_ascii(stdout, bank, rec) :
			      show_binary(stdout, bank, rec);
	if (!err)
		return DONE;
	errno = -err;
	return say_errno("standard output");
}

/* What the archive has from c->next on. */
static enum status show_archive(struct cat *c)
{
	struct ima_log_record rec;
	enum status status = DONE;
	struct reader reader;
	bool end = false;

	if (!c->archive || !c->archive->num_chains)
		return DONE;
	reader_init(&reader, c->archive, c->chain, c->next, true);
	while (!status && !end) {
		status = reader_next(&reader, &rec, &end);
		if (!status && !end)
			status = show(c, &rec);
	}
	c->next = reader.next;
	reader_close(&reader);
	return status;
}

static enum status check_place(const struct cat *c, __u64 start)
{
	if (start <= c->next)
		return DONE;
	return say(REFUSED, "records %llu to %llu are neither in the archive nor in the kernel",
		   c->next, start - 1);
}

/*
 * What the kernel has from c->next on. Which record its files begin with is certain
 * if none has left after the first was read.
 */
static enum status show_kernel(struct cat *c)
{
	struct stream s = { .num = 0 };
	struct ima_log_record rec;
	unsigned int file = STREAM_FILES;
	enum status status;
	bool end = false;
	__u64 start;

	status = kernel_state(&c->kernel);
	if (status)
		return status;
	start = c->base + c->kernel.removed - c->kernel.staged;
	if (start > c->next)
		return AGAIN;
	status = kernel_stream(&c->kernel, &s, start);
	while (!status) {
		status = stream_next(&s, &rec, &end);
		if (status || end)
			break;
		if (file != s.file)
			status = kernel_unchanged(&c->kernel);
		file = s.file;
		if (status || stream_number(&s) <= c->next)
			continue;
		status = show(c, &rec);
		c->next = stream_number(&s);
	}
	stream_close(&s);
	return status;
}

static enum status show_all(struct cat *c)
{
	enum status status = AGAIN;
	unsigned int tries;

	for (tries = 0; status == AGAIN && tries < TRIES; tries++) {
		status = show_archive(c);
		if (!status)
			status = show_kernel(c);
	}
	if (status == AGAIN)
		return check_place(c, c->base + c->kernel.removed - c->kernel.staged) ?:
		       say(BUSY, "kernel's list: other programs delete records all the time");
	return status;
}

/* Only a quote tells where the kernel's list is in the log. */
static enum status place_by_quote(struct cat *c)
{
	struct proof *p = malloc(sizeof(*p));
	struct tpm t = { .tpm = NULL };
	enum status status;

	if (!p)
		return say_errno("proof");
	status = prove_init(p, c->opt, c->archive, &c->kernel, &t, NULL);
	if (!status)
		status = tpm_open(&t, c->opt);
	if (!status)
		status = prove(p);
	if (!status) {
		c->base = p->base;
		c->chain = p->chain;
	} else if (status == TPM) {
		note("only a TPM tells where the kernel's list is in the log; --boot needs none");
	}
	prove_end(p);
	tpm_close(&t);
	free(p);
	return status;
}

static enum status find_place(struct cat *c)
{
	enum status status = DONE;
	bool found = false, known;
	struct shard last;

	if (c->archive)
		status = archive_last(c->archive, &last, &found);
	if (status)
		return status;
	known = !c->archive && c->kernel.way != KERNEL_HELD;
	if (found) {
		known = c->kernel.way != KERNEL_HELD && last.m.counted &&
			!strcmp(last.m.boot_id, c->kernel.boot_id);
		c->base = last.m.base;
		c->chain = last.chain;
		shard_close(&last);
	}
	return known ? DONE : place_by_quote(c);
}

/* How the bank was extended: the archive knows, or the kernel does. */
static enum status find_bank(struct cat *c, bool with_kernel)
{
	enum status status = DONE;
	struct shard last;
	bool found = false;
	unsigned int i;

	status = banks_init(&c->bank);
	if (!status && c->archive)
		status = archive_last(c->archive, &last, &found);
	if (found) {
		shard_close(&last);
		for (i = 0; i < last.m.num_banks; i++)
			if (last.m.bank[i].alg == c->opt->hash)
				return banks_add(&c->bank, c->opt->hash, last.m.bank[i].fill);
	}
	if (status)
		return status;
	if (with_kernel)
		return kernel_add_bank(&c->kernel, &c->bank, c->opt->hash);
	return banks_add(&c->bank, c->opt->hash, IMA_LOG_OWN_HASH);
}

static enum status cat_chain(struct cat *c)
{
	enum status status;
	size_t i;

	status = find_bank(c, false);
	if (status)
		return status;
	c->chain = c->opt->boot;
	for (i = 0; i < c->archive->num_chains; i++)
		if (c->archive->chain[i] == c->chain)
			return show_archive(c);
	return say(REFUSED, "%s: no chain %llu", c->archive->path, c->chain);
}

static enum status cat_current(struct cat *c)
{
	enum status status;

	status = kernel_open(&c->kernel, c->opt->ima_dir);
	/* this kernel does not tell what was deleted meanwhile: have no trim */
	if (!status && c->kernel.way == KERNEL_HELD && c->archive &&
	    flock(c->archive->fd, LOCK_SH | LOCK_NB))
		status = errno == EWOULDBLOCK ?
			 say(BUSY, "%s: imalog trim is at work", c->archive->path) :
			 say_errno("%s: lock", c->archive->path);
	if (!status)
		status = find_place(c);
	if (!status)
		status = find_bank(c, true);
	if (!status)
		status = show_all(c);
	kernel_close(&c->kernel);
	return status;
}

/**
 * cat_log() - show the log
 * @opt: options
 *
 * Return: DONE; REFUSED: something is missing or damaged; TPM, IO, BUSY.
 */
enum status cat_log(const struct options *opt)
{
	struct cat c = { .opt = opt, .next = opt->from, .kernel.dir = -1,
			 .kernel.held = -1 };
	struct archive a = { .fd = -1 };
	enum status status = DONE;

	if (opt->boot >= 0 || !access(opt->archive, F_OK) || errno != ENOENT) {
		status = archive_open(&a, opt->archive, false);
		c.archive = &a;
	}
	if (!status)
		status = opt->boot >= 0 ? cat_chain(&c) : cat_current(&c);
	banks_free(&c.bank);
	archive_close(&a);
	if (!status && fflush(stdout))
		status = say_errno("standard output");
	return status;
}
