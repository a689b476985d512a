/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rounds, as the list grows.
 */
#ifndef _WATCH_H
#define _WATCH_H

#include "options.h"

enum status watch(const struct options *opt);

#endif /* _WATCH_H */
