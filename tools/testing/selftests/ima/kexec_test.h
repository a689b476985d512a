/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of kexec_test share: kexec_test.c has the steps and the
 * attestation, kexec_next.c the way to the next kernel, kexec_suspend.c what is
 * seen between the copy of the list and the jump.
 */
#ifndef KEXEC_TEST_H
#define KEXEC_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "../kselftest.h"
#include "ima_log.h"
#include "ima_quote.h"
#include "ima_test.h"

#define LIST		"binary_runtime_measurements_sha1"
#define STAGED		LIST "_staged"

struct buf {
	__u8 *data;
	size_t len;
};

/* What the next kernel has to know: the head of the file, then both buffers. */
struct state {
	char magic[16];
	unsigned int kernel;	/* how many kexecs before it */
	unsigned int step;	/* whose kexec leads to it */
	unsigned int passed;
	unsigned int failed;
	long freed;		/* bytes, when the first records were deleted */
	struct ima_quote_blob ak;
	size_t archive_len;
	size_t log_len;
};

struct test {
	struct state state;
	const char *claim;	/* what is being tested */
	bool kept;		/* memory was not given back, so it does not hold */
	struct buf archive;	/* all deleted records since boot */
	struct buf log;		/* staged, then the list, before the kexec */
	long archived;		/* of the command line */
	long carried;
	long arrived;		/* records that this kernel got from the last */
	int bzimage;
	struct ima_quote_tpm *tpm;
	struct ima_log_selection select;
	struct ima_log_bank banks[IMA_LOG_BANKS_MAX];
	struct ima_log_bank source;	/* of LIST */
};

void __noreturn kexec_test_failed(const char *where, int line, const char *what,
				  long long is, long long wanted);

#define CHECK_EQ(wanted, expr) do {					\
	long long _is = (expr), _wanted = (wanted);			\
									\
	if (_is != _wanted)						\
		kexec_test_failed(__func__, __LINE__, #expr, _is, _wanted); \
} while (0)

#define CHECK(cond) CHECK_EQ(true, !!(cond))

/* kexec_test.c */
void buf_read(struct buf *buf, const char *name);
void buf_free(struct buf *buf);
void archive_first(struct test *t, long n);
void remember_log(struct test *t);
void arrive_whole(struct test *t);

/* kexec_next.c */
void next_load(struct test *t);
void next_load_in_vain(struct test *t);
void next_ask(void);
void __noreturn next_await(void);
void __noreturn next_execute(void);
void next_read_state(struct test *t, unsigned int kernel);
void next_init(struct test *t);
const char *next_unavailable(struct test *t);

/* kexec_suspend.c */
void leave_suspended_list(struct test *t);
void arrive_suspended_list(struct test *t);
void leave_suspended_staged(struct test *t);
void arrive_suspended_staged(struct test *t);

#endif /* KEXEC_TEST_H */
