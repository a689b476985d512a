/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VM_H
#define VM_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/kernel.h>

/* Exit statuses of our own; everything else is the program's. */
#define VM_TIMEOUT	124
#define VM_FAILED	125

#define VM_MAX_FILES	64

struct vm_config {
	const char *tools;	/* folder of vm, init and gen_init_cpio */
	const char *kernel;
	const char *append;
	const char *mem;
	const char *cpus;
	const char *accel;
	const char *console;	/* where the console is kept */
	const char *files[VM_MAX_FILES];
	size_t nr_files;
	unsigned int timeout;	/* seconds */
	unsigned int boot;	/* of these, until init is there; 0: all */
	bool tpm;
	bool kexec;
	bool icount;		/* time counts instructions */
	char **argv;
};

/* ---- console.c ---- */

bool vm_console_splat(const char *path);
void vm_console_tail(const char *path);

/* ---- initramfs.c ---- */

void vm_initramfs_make(const struct vm_config *config, const char *path);

/* ---- machine.c ---- */

enum { VM_OUT, VM_ERR, VM_STATUS, VM_PORTS };

void vm_machine_start(const struct vm_config *config, const char *initramfs,
		      int ports[VM_PORTS]);

/* ---- ports.c ---- */

struct vm_result {
	int status;		/* the program's; -1: there is none */
	char why[256];		/* what init found wrong, or "" */
	bool booted;		/* init was there */
	bool timed_out;
};

void vm_ports_relay(int ports[VM_PORTS], int signals, const struct vm_config *config,
		    struct vm_result *result);

/* ---- process.c ---- */

/* A command line that grows, and the descriptors that it is about. */
struct vm_command {
	char *argv[64];
	int argc;
	int keep[8];
	int nr_keep;
};

void vm_command_add(struct vm_command *command, const char *fmt, ...) __printf(2, 3);
int vm_command_keep(struct vm_command *command, int fd);

int vm_signals_block(void);
void vm_guardian_start(void);
char *vm_tmp_path(const char *name);
void vm_log_show(void);
int vm_parents_watch(int *fds, int max);
pid_t vm_spawn(struct vm_command *command, int out);
void vm_wait(pid_t pid, const char *what);
void vm_end_all(void);
void __noreturn vm_die_of(int sig);

#endif
