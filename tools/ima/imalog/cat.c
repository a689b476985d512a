// SPDX-License-Identifier: GPL-2.0-only
/*
 * Show the complete log, as a kernel shows it that deletes nothing.
 */
#include <errno.h>
#include <stdio.h>

#include "cat.h"
#include "log.h"
#include "show.h"

/**
 * struct cat - what is shown
 * @opt: options
 * @bank: bank of the list that is shown
 */
struct cat {
	const struct options *opt;
	struct banks bank;
};

static enum status show(void *context, const struct ima_log_record *rec,
			const struct log_place *at, bool *enough)
{
	struct ima_log_bank *bank;
	struct cat *c = context;
	int err;

	(void)enough;
	if (at->number < c->opt->from)
		return DONE;
	bank = &c->bank.bank[0];
	err = c->opt->ascii ? show_ascii(stdout, bank, rec) :
			      show_binary(stdout, bank, rec);
	if (!err)
		return DONE;
	errno = -err;
	return say_errno("standard output");
}

/**
 * cat_log() - show the log
 * @opt: options
 *
 * Return: DONE; REFUSED: something is missing or damaged; TPM, IO, BUSY.
 */
enum status cat_log(const struct options *opt)
{
	struct cat c = { .opt = opt };
	struct log_place place;
	enum status status;
	struct log l;

	status = log_open(&l, opt);
	if (!status)
		status = log_banks(&l, &c.bank, opt->hash);
	if (!status) {
		log_near(&l, opt->from, &place);
		status = log_walk(&l, &place, show, &c);
	}
	banks_free(&c.bank);
	log_close(&l);
	if (!status && fflush(stdout))
		status = say_errno("standard output");
	return status;
}
