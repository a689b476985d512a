/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The complete log as files.
 */
#ifndef _MOUNT_H
#define _MOUNT_H

#include "options.h"

enum status mount_log(const struct options *opt);

#endif /* _MOUNT_H */
