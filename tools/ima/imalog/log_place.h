/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which chain of the archive the log is, and where in it the kernel's list is.
 */
#ifndef _LOG_PLACE_H
#define _LOG_PLACE_H

#include "log.h"

enum status log_find_archive(struct log *l);
enum status log_find_chain(struct log *l);
enum status log_find_current(struct log *l);

#endif /* _LOG_PLACE_H */
