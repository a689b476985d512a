/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run imalog, fail or end it where it changes something, and see that nothing of the
 * log is lost.
 */
#ifndef IMALOG_RUN_H
#define IMALOG_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "../kselftest.h"

/* The root of the VM is ramfs: what is written there is not measured. */
#define IMALOG_ARCHIVE	"/var/lib/imalog"

/* What the kernel showed, list by list: see imalog_remember(). */
#define IMALOG_WHOLE	"/root/whole"

/* Exit statuses of imalog, see its man page. */
enum { IMALOG_DONE, IMALOG_REFUSED, IMALOG_USAGE, IMALOG_TPM, IMALOG_IO, IMALOG_BUSY };

const char *imalog_unavailable(void);
__printf(1, 2) int imalog(const char *fmt, ...);
__printf(1, 2) int imalog_shell(const char *fmt, ...);
const char *imalog_output(void);
bool imalog_said(const char *text);
bool imalog_says(const char *text);
long imalog_number(const char *key);

/* What is ended, or fails, at each call: make, write, sync each file; rename; delete. */
#define IMALOG_FAULT_KEPT	2
#define IMALOG_FAULT_TRIM	"trim --keep 2"
#define IMALOG_FAULTS_MIN	15
#define IMALOG_KILLED		137

int imalog_before_faults(void);
int imalog_traced(const char *command);
long imalog_fault(long at, int err, const char *command);

int imalog_remember(void);
int imalog_before_kexec(void);
int imalog_deleted(long n);
int imalog_whole(const char *dir);
int imalog_shown(const char *list, const char *dir);

#endif /* IMALOG_RUN_H */
