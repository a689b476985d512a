/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmarks share. They print figures, a name and a value in each
 * line; what these must be is not for them to know.
 */
#ifndef IMA_BENCH_H
#define IMA_BENCH_H

#include "../../kselftest.h"	/* ARRAY_SIZE(), __printf() */

/* Names that a kernel without this series has, too */
#define BENCH_ASCII "ascii_runtime_measurements"
#define BENCH_BINARY "binary_runtime_measurements"

void bench_start(const char *unavailable);
void __printf(2, 3) bench_figure(double value, const char *name, ...);
long long bench_now_ns(void);
void bench_sort(double *values, size_t num);
void bench_fill(long records);
long bench_settled_slab(void);
long bench_settled_memory(void);

#endif /* IMA_BENCH_H */
