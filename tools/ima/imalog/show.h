/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records as the kernel shows them.
 */
#ifndef _SHOW_H
#define _SHOW_H

#include <stdio.h>

#include "ima_log.h"

int show_binary(FILE *out, struct ima_log_bank *bank, const struct ima_log_record *rec);
int show_ascii(FILE *out, struct ima_log_bank *bank, const struct ima_log_record *rec);

#endif /* _SHOW_H */
