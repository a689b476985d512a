/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every file refuses: malformed commands, and those who lack a right.
 */
#ifndef IMA_REFUSED_H
#define IMA_REFUSED_H

#include "ima_test.h"

/* A row of a fixture "refused" that has .cmd, .len and .err */
#define BYTES(_bytes, _err) {		\
	.cmd = _bytes,			\
	.len = sizeof(_bytes) - 1,	\
	.err = _err,			\
}

int refused_open(char names[][IMA_NAME_MAX], int nr, int flags, int (*drop)(void));
int drop_sys_admin(void);

#endif /* IMA_REFUSED_H */
