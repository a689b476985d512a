/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of the measurement list: its files, its counters and PCR 10.
 */
#ifndef IMA_STATE_H
#define IMA_STATE_H

#include "ima_test.h"

/* The content of one list file. */
struct ima_file {
	char name[IMA_NAME_MAX];
	char *data;
	size_t len;
	size_t digest_len;	/* of the binary form; 0: ascii */
};

/* Everything that a refused command must leave as it was. */
struct ima_state {
	long count;
	long removed;		/* negative: the kernel does not tell */
	unsigned int nr_files;
	struct ima_file file[IMA_FILES_MAX];
	unsigned int nr_pcrs;
	char pcr[IMA_FILES_MAX][256];
};

int ima_state_take(struct ima_state *state);
const char *ima_state_list_differs(const struct ima_state *before,
				   const struct ima_state *now, long gone, long added);
const char *ima_state_differs(const struct ima_state *before, unsigned long gone);
const char *ima_state_broken(const struct ima_state *state);
const struct ima_file *ima_state_file(const struct ima_state *state, const char *name);
size_t ima_skip_records(const struct ima_file *file, unsigned long n);
void ima_state_free(struct ima_state *state);

#endif /* IMA_STATE_H */
