/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has the kernel's measurement files open?
 */
#ifndef _HOLDERS_H
#define _HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define HOLDER_COMM_MAX	16
#define HOLDER_FILE_MAX	64

/**
 * struct holder - an open file
 * @pid: process
 * @comm: its name
 * @file: name of the file
 * @writes: it is open for write
 */
struct holder {
	pid_t pid;
	char comm[HOLDER_COMM_MAX + 1];
	char file[HOLDER_FILE_MAX + 1];
	bool writes;
};

size_t holders_find(int dir, struct holder **list);

#endif /* _HOLDERS_H */
