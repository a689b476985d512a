/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the selftests of the IMA measurement list share: make events, read the
 * list, give commands.
 */
#ifndef IMA_TEST_H
#define IMA_TEST_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define IMA_DIR "/sys/kernel/security/ima"
#define IMA_RULE "measure func=FILE_CHECK mask=MAY_READ fsmagic=0x01021994\n"

#define IMA_ASCII "ascii_runtime_measurements_sha1"
#define IMA_BINARY "binary_runtime_measurements_sha1"
#define IMA_ASCII_STAGED IMA_ASCII "_staged"
#define IMA_BINARY_STAGED IMA_BINARY "_staged"

/* The longest command. */
#define IMA_CMD_MAX 42

/* Who has no rights. */
#define IMA_NOBODY 65534

/* A file's state settles within this, or it is wrong. */
#define IMA_DEADLINE_MS 10000

/* Seconds for a test that does much: a debug kernel without KVM is slow. */
#define IMA_TIMEOUT 300

/* For a test that says nothing else, on the same machine: the harness has 30. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

#define IMA_NAME_MAX 64
#define IMA_FILES_MAX 32

const char *ima_measure_unavailable(void);
const char *ima_test_unavailable(void);

int ima_tmpfs(void);
int ima_create_file(int dir, const char *name, const void *data, size_t len);
int ima_measure_file(const char *name, const void *data, size_t len);
int ima_measure_files(unsigned int n);
int ima_measure_long_path(void);

int ima_measure_violation(void);
long ima_measure_same(const char *test, int number);
bool ima_log_rule_is_loaded(void);
bool ima_booted_with_flush(void);

long ima_count(void);
long ima_removed(void);
bool ima_removed_is(long n);
int ima_read_pcr(const char *bank, unsigned char *value, size_t size);
int ima_open(const char *name, int flags);
int ima_mode(const char *name);
int ima_link_to(const char *name, char to[IMA_NAME_MAX]);
void *ima_read_all(const char *name, size_t *len);
int ima_list_names(char names[IMA_FILES_MAX][IMA_NAME_MAX], bool links);

long ima_slab_unreclaimable(void);
long ima_kernel_memory(void);
long long ima_now_ms(void);

ssize_t ima_write(const char *name, const void *cmd, size_t len);
int ima_command(const char *name, const char *cmd);
int ima_delete(unsigned long n);
int ima_delete_list(void);
int ima_delete_if(const char *name, long removed, long n);
int ima_stage(void);
int ima_delete_staged(void);

int become_nobody(void);
int ima_wait_exit(pid_t pid);
int ima_other_process_deletes_all(void);
int ima_other_process_deletes(unsigned long n);

/**
 * ima_minus_errno() - what a system call returned, and why it failed, in one
 * @ret: what it returned, -1 with errno set if it failed
 *
 * Return: @ret or -errno.
 */
static inline long ima_minus_errno(long ret)
{
	return ret < 0 ? -errno : ret;
}

#endif /* IMA_TEST_H */
