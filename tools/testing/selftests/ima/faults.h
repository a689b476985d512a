/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocations of the kernel that fail, one after the other, in this thread.
 *
 * Needs a kernel with fault injection. What it leaks is for kmemleak to tell, once
 * the program has ended.
 */
#ifndef IMA_FAULTS_H
#define IMA_FAULTS_H

#include <stdbool.h>
#include <stdio.h>

#define FAULTS_MAX 400
/* In a row without a failure: there are no more. Some allocate now and then. */
#define FAULTS_PASSES_TO_END 2

/*
 * Pages that fail, as orders of the smallest: only the buffer of an open file,
 * or all, and with them now and then a cache's new slab.
 */
#define READ_BUFFER "4"
#define ALL_PAGES "0"

/**
 * struct faults - a thread's allocations that fail
 * @rest: all that come after the one fail, too
 * @nth: fail-nth of this thread
 * @task: make-it-fail, for the rest
 * @n: the allocation that fails
 * @hit: there was an n-th allocation
 * @passes: without one, in a row
 * @failed: so often there was one
 */
struct faults {
	bool rest;
	int nth;
	int task;
	unsigned int n;
	bool hit;
	int passes;
	int failed;
};

/* Nothing was tested unless something failed. */
#define EXPECT_SWEPT(_f) do { \
	const struct faults *_swept = (_f); \
	EXPECT_LT(0, _swept->failed); \
	EXPECT_EQ(FAULTS_PASSES_TO_END, _swept->passes); \
	printf("# figure: allocations made to fail, %s: %d\n", \
	       _swept->rest ? "and all after each" : "one at a time", _swept->failed); \
} while (0)

void faults_init(void);
const char *faults_setup(struct faults *f, bool rest);

bool faults_open(struct faults *f, bool rest);
void faults_close(struct faults *f);
bool faults_of_pages(const char *order);
bool faults_of_pages_only(void);

void faults_on(struct faults *f);
void faults_off(struct faults *f);
bool faults_explain(const struct faults *f, int ret);
bool faults_log_is_good(void);

int faults_give(struct faults *f, const char *name, const char *command);

/**
 * faults_begin() - start with the first allocation
 * @f: the faults
 */
static inline void faults_begin(struct faults *f)
{
	f->n = 1;
	f->passes = 0;
	f->failed = 0;
}

/**
 * faults_more() - is there an n-th allocation?
 * @f: the faults
 *
 * Return: false once everything goes well.
 */
static inline bool faults_more(const struct faults *f)
{
	return f->passes < FAULTS_PASSES_TO_END && f->n < FAULTS_MAX;
}

#endif /* IMA_FAULTS_H */
