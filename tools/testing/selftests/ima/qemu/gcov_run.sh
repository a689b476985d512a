#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: gcov_run.sh PROGRAM [ARG]...
#
# In the guest: runs PROGRAM, its stdout on stderr, then writes what the kernel
# counted to stdout, as a tar archive. debugfs tells no size: hence the copy.

"$@" >&2
status=$?
from=/sys/kernel/debug/gcov
to=/run/gcov
mkdir "$to" || exit
find "$from" -name '*.gcda' | while read -r file; do
	cat "$file" >"$to/${file##*/}" || exit
done
tar -C "$to" -c . || exit
exit $status
