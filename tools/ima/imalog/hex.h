/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes as hexadecimal digits, and SHA-256.
 */
#ifndef _HEX_H
#define _HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define HASH_SIZE	32			/* SHA-256 */
#define HEX_SIZE(n)	(2 * (n) + 1)		/* with the NUL */

void hex_from(char *hex, const void *data, size_t len);
bool hex_to(const char *hex, void *data, size_t len);
long hex_to_some(const char *hex, void *data, size_t max);
long hex_to_some_typed(const char *hex, void *data, size_t max);

#endif /* _HEX_H */
