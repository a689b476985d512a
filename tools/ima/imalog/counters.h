/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the TPM's counters say of one quote and a later one.
 */
#ifndef _COUNTERS_H
#define _COUNTERS_H

#include <stdbool.h>

#include "ima_quote.h"

bool counters_reset(const struct ima_quote_info *before, const struct ima_quote_info *now);
bool counters_restarted(const struct ima_quote_info *before, const struct ima_quote_info *now);
bool counters_go_back(const struct ima_quote_info *before, const struct ima_quote_info *now);

#endif /* _COUNTERS_H */
