/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What would be gone if power were lost.
 */
#ifndef IMALOG_DURABLE_H
#define IMALOG_DURABLE_H

#include <stdint.h>
#include <sys/types.h>

void imalog_durable_call(pid_t pid, uint64_t nr, const uint64_t *args);
const char *imalog_durable_lost(void);
long imalog_durable_deletions(void);

#endif /* IMALOG_DURABLE_H */
