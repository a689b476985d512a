// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program does that was built with musl: its stdio writes what is in the
 * buffer and the last character in one writev(2), as two parts. io_test runs
 * this with stdout on a file of the measurement list.
 */
#include <stdio.h>

int main(void)
{
	if (printf("%s", "2") != 1 || putchar('\n') != '\n' || fflush(stdout))
		return 1;
	return 0;
}
