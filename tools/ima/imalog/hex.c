// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes as hexadecimal digits.
 */
#include <string.h>

#include "hex.h"

static int nibble(char c, bool capitals)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (capitals && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/**
 * hex_from() - write bytes as digits
 * @hex: HEX_SIZE(@len) bytes
 * @data: the bytes
 * @len: how many
 */
void hex_from(char *hex, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const __u8 *b = data;

	while (len--) {
		*hex++ = digits[*b >> 4];
		*hex++ = digits[*b++ & 15];
	}
	*hex = '\0';
}

static long read_some(const char *hex, void *data, size_t max, bool capitals)
{
	size_t len = strlen(hex), i;
	__u8 *b = data;
	int high, low;

	if (len % 2 || len / 2 > max)
		return -1;
	for (i = 0; i < len; i += 2) {
		high = nibble(hex[i], capitals);
		low = nibble(hex[i + 1], capitals);
		if (high < 0 || low < 0)
			return -1;
		*b++ = high << 4 | low;
	}
	return len / 2;
}

/**
 * hex_to_some() - read bytes written as digits, lower case
 * @hex: the digits
 * @data: the bytes
 * @max: how many at most
 *
 * Return: how many, or -1 if @hex is anything else.
 */
long hex_to_some(const char *hex, void *data, size_t max)
{
	return read_some(hex, data, max, false);
}

/**
 * hex_to_some_typed() - read bytes that somebody typed, in either case
 * @hex: the digits
 * @data: the bytes
 * @max: how many at most
 *
 * Return: how many, or -1 if @hex is anything else.
 */
long hex_to_some_typed(const char *hex, void *data, size_t max)
{
	return read_some(hex, data, max, true);
}

/**
 * hex_to() - read a known number of bytes written as digits
 * @hex: the digits
 * @data: the bytes
 * @len: how many
 *
 * Return: whether @hex is just that.
 */
bool hex_to(const char *hex, void *data, size_t len)
{
	return hex_to_some(hex, data, len) == (long)len;
}
