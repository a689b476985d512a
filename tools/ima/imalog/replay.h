/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does a shard prove what it says?
 */
#ifndef _REPLAY_H
#define _REPLAY_H

#include "archive.h"

enum status replay_quote(const struct shard *s, const __u8 *print,
			 struct ima_log_target *target);
enum status replay_records(const struct shard *s, const struct ima_log_target *target);
enum status replay_shard(const struct shard *s, const __u8 *print);

#endif /* _REPLAY_H */
