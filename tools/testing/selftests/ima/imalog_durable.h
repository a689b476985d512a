/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What would be gone if power were lost.
 */
#ifndef IMALOG_DURABLE_H
#define IMALOG_DURABLE_H

#include <linux/types.h>
#include <sys/types.h>

void imalog_durable_call(pid_t pid, __u64 nr, const __u64 *args);
const char *imalog_durable_lost(void);
long imalog_durable_deletions(void);

#endif /* IMALOG_DURABLE_H */
