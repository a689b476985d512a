/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line.
 */
#ifndef _OPTIONS_H
#define _OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "ima_quote.h"
#include "say.h"

#define DEFAULT_ARCHIVE	"/var/lib/imalog"
#define DEFAULT_IMA_DIR	"/sys/kernel/security/ima"

/**
 * struct options - the command line
 * @archive: folder of the archive
 * @ima_dir: folder of the kernel's files
 * @tcti: how to reach the TPM, NULL: as the environment says
 * @ak: attestation key: a handle, the file of a TSS2 PEM; to verify also a public
 *	key in PEM or a fingerprint; NULL: the default one
 * @json: print one JSON object
 * @offline: use neither TPM nor kernel
 * @dry_run: delete nothing, and write nothing
 * @keep: leave so many of the proven records in the kernel
 * @max: delete at most so many, 0: no limit
 * @keep_boots: keep so many chains in the archive, 0: all
 * @min_free: stop if the archive's disk has fewer bytes free
 * @nonce: a verifier's nonce
 * @nonce_len: bytes of it
 * @before_delete: command to run before records are deleted
 * @hash: algorithm of the list that is shown
 * @ascii: show it as text
 * @boot: number of the chain to show, -1: the last, and what is in the kernel
 * @from: number of the first record to show
 * @records: make a round when there are so many more
 * @interval: make a round after so many seconds
 * @group: who may read what is mounted
 * @dir: where to mount
 * @size: mounted files have a size
 * @html: file for the report, NULL: standard output
 */
struct options {
	const char *archive;
	const char *ima_dir;
	const char *tcti;
	const char *ak;
	bool json;
	bool offline;
	bool dry_run;
	__u64 keep;
	__u64 max;
	__u64 keep_boots;
	__u64 min_free;
	__u8 nonce[IMA_QUOTE_NONCE_MAX];
	size_t nonce_len;
	const char *before_delete;
	__u16 hash;
	bool ascii;
	long boot;
	__u64 from;
	__u64 records;
	__u64 interval;
	const char *group;
	const char *dir;
	bool size;
	const char *html;
};

enum status options_parse(struct options *opt, int argc, char **argv,
			  const char *allowed, const char *help);
bool options_number(const char *text, __u64 *value);

#endif /* _OPTIONS_H */
