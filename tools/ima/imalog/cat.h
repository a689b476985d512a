/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The complete log.
 */
#ifndef _CAT_H
#define _CAT_H

#include "options.h"

enum status cat_log(const struct options *opt);

#endif /* _CAT_H */
