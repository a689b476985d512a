/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What imalog tells its user: errors, its exit status, and how far it is.
 */
#ifndef _SAY_H
#define _SAY_H

#include <stdbool.h>
#include <linux/types.h>

/**
 * enum status - what a function here returns, and main() exits with
 * @DONE: all is well
 * @REFUSED: refused, or something does not verify
 * @USAGE: the command line is wrong
 * @TPM: the TPM is not there, or fails
 * @IO: a file or the kernel cannot be read or written
 * @BUSY: somebody else is at it, try again
 * @AGAIN: the kernel's list changed meanwhile; never an exit status
 *
 * A function that returns another than DONE has said why, unless it says AGAIN.
 */
enum status { DONE, REFUSED, USAGE, TPM, IO, BUSY, AGAIN };

__printf(2, 3) enum status say(enum status status, const char *fmt, ...);
__printf(1, 2) enum status say_errno(const char *fmt, ...);
__printf(1, 2) void note(const char *fmt, ...);

char *say_printable(char *text);
const char *say_last(void);
void say_changes_only(void);

void progress_alive_with(void (*call)(void), unsigned int ms);
void progress_alive(void);
void progress_begin(const char *what, __u64 total);
void progress(__u64 more);
void progress_end(void);

#endif /* _SAY_H */
