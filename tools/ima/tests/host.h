/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host in a folder: swtpm is its TPM, files stand for the kernel's list. What a test
 * of a real kernel cannot bring about is done here: other banks, hibernation, an extend
 * that failed.
 */
#ifndef _HOST_H
#define _HOST_H

#include <stdbool.h>
#include <sys/types.h>

#include "archive_maker.h"

#define HOST_RECORDS	128
#define HOST_OUTPUT	(64u << 10)

enum host_startup { HOST_CLEAR, HOST_STATE };

struct host {
	char dir[64];
	int port;
	pid_t tpm;
	char banks[128];		/* "sha1,sha256" */
	bool counted;			/* the kernel tells how many have left the list */
	enum ima_log_fill fill;		/* how its kernel extends other banks than sha1 */
	unsigned int removed;		/* records that are gone */
	unsigned int staged;		/* of those that are not, another program has staged */
	unsigned int num;
	struct maker_record record[HOST_RECORDS];	/* since the TPM's reset */
	char output[HOST_OUTPUT];
};

int host_begin(struct host *h, const char *banks, bool counted);
void host_end(struct host *h);
int host_stop_tpm(struct host *h);
int host_start_tpm(struct host *h, enum host_startup how);
__printf(2, 3) int host_shell(struct host *h, const char *fmt, ...);
int host_new_kernel(struct host *h);
int host_had_other_hashes(struct host *h);
int host_measure(struct host *h, const char *name, bool extend);
int host_write_list(struct host *h);
__printf(2, 3) int host_imalog(struct host *h, const char *fmt, ...);
int host_delete(struct host *h);
bool host_said(struct host *h, const char *text);

#endif /* _HOST_H */
