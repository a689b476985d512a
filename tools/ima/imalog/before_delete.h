/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Give each shard to another program before records are deleted.
 */
#ifndef _BEFORE_DELETE_H
#define _BEFORE_DELETE_H

#include "archive.h"

enum status before_delete(const struct archive *a, const char *command);
enum status before_delete_accepted(const struct archive *a, __u64 *chain, __u64 *from);

#endif /* _BEFORE_DELETE_H */
