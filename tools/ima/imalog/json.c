// SPDX-License-Identifier: GPL-2.0-only
/*
 * What --json prints.
 */
#include <stdio.h>

#include <json-c/json.h>

#include "commands.h"
#include "hex.h"

/**
 * put_number() - add a number
 * @o: object
 * @name: its key
 * @value: the number
 */
void put_number(struct json_object *o, const char *name, __u64 value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

/**
 * put_text() - add a text
 * @o: object
 * @name: its key
 * @value: the text
 */
void put_text(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, json_object_new_string(value));
}

/**
 * put_flag() - add a truth value
 * @o: object
 * @name: its key
 * @value: the value
 */
void put_flag(struct json_object *o, const char *name, bool value)
{
	json_object_object_add(o, name, json_object_new_boolean(value));
}

/**
 * put_key() - add the fingerprint of the attestation key
 * @o: object
 * @print: the fingerprint
 */
void put_key(struct json_object *o, const __u8 print[IMA_QUOTE_PRINT_SIZE])
{
	char hex[HEX_SIZE(IMA_QUOTE_PRINT_SIZE)];

	hex_from(hex, print, IMA_QUOTE_PRINT_SIZE);
	put_text(o, "ak", hex);
}

/**
 * put_info() - add the TPM's counters
 * @o: object
 * @info: the counters
 */
void put_info(struct json_object *o, const struct ima_quote_info *info)
{
	put_number(o, "clock", info->clock);
	put_number(o, "resets", info->resets);
	put_number(o, "restarts", info->restarts);
}

/**
 * put_all() - print an object, and release it
 * @o: object
 *
 * Return: DONE, or IO: stdout cannot be written.
 */
enum status put_all(struct json_object *o)
{
	const int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;
	int ret = puts(json_object_to_json_string_ext(o, flags));

	json_object_put(o);
	return ret < 0 || fflush(stdout) ? say_errno("standard output") : DONE;
}
