/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands.
 */
#ifndef _COMMANDS_H
#define _COMMANDS_H

#include "ima_quote.h"
#include "say.h"

struct json_object;

enum status cmd_status(int argc, char **argv);
enum status cmd_trim(int argc, char **argv);
enum status cmd_verify(int argc, char **argv);
enum status cmd_cat(int argc, char **argv);
enum status cmd_watch(int argc, char **argv);
enum status cmd_mount(int argc, char **argv);
enum status cmd_report(int argc, char **argv);

enum status put_all(struct json_object *o);
void put_number(struct json_object *o, const char *name, __u64 value);
void put_text(struct json_object *o, const char *name, const char *value);
void put_flag(struct json_object *o, const char *name, bool value);
void put_key(struct json_object *o, const __u8 print[IMA_QUOTE_PRINT_SIZE]);
void put_info(struct json_object *o, const struct ima_quote_info *info);

#endif /* _COMMANDS_H */
