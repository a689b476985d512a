// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load the kernel that runs once more: see kexec_again.h. The files go along in an
 * archive that is appended to the initramfs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kexec_again.h"

#define NEXT		"/boot/initrd.next"
#define JUMP_SECONDS	120
#define CMDLINE_MAX	4096
#define BOOT		" ima_kexec_boot="

/* This kernel's, with the number of kexecs in it. */
static int next_cmdline(char *cmdline, int boots)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, cmdline, CMDLINE_MAX - 64);
	char *old;

	close(fd);
	if (n <= 0)
		return -EIO;
	cmdline[n] = '\0';
	cmdline[strcspn(cmdline, "\n")] = '\0';
	old = strstr(cmdline, BOOT);
	if (old)
		*old = '\0';
	return sprintf(cmdline + strlen(cmdline), BOOT "%d", boots);
}

static int make_initrd(const char *names)
{
	char script[2048];

	snprintf(script, sizeof(script),
		 "set -e; N=" NEXT "; cp /boot/initrd $N; cd /;"
		 "while test $(($(stat -c %%s $N) %% 512)) != 0; do printf '\\0' >>$N; done;"
		 "{ %s; } | cpio -o -H newc >>$N 2>/dev/null", names);
	return system(script) ? -EIO : 0;
}

/**
 * kexec_load_again() - load the kernel that runs once more
 * @names: shell commands that print the names of the files that go along, below /
 * @boots: how many kexecs there will have been
 *
 * Return: 0 or -errno.
 */
int kexec_load_again(const char *names, int boots)
{
	char cmdline[CMDLINE_MAX];
	int kernel, initrd, ret;

	ret = make_initrd(names);
	if (!ret && next_cmdline(cmdline, boots) < 0)
		ret = -EIO;
	kernel = open("/boot/bzImage", O_RDONLY | O_CLOEXEC);
	initrd = open(NEXT, O_RDONLY | O_CLOEXEC);
	if (!ret && (kernel < 0 || initrd < 0 ||
		     syscall(SYS_kexec_file_load, kernel, initrd, strlen(cmdline) + 1, cmdline,
			     0UL)))
		ret = -errno;
	close(kernel);
	close(initrd);
	unlink(NEXT);
	return ret;
}

/**
 * kexec_ask() - ask process 1 to execute what is loaded
 *
 * Return: 0 or -errno.
 */
int kexec_ask(void)
{
	fflush(stdout);
	return kill(1, SIGUSR1) ? -errno : 0;
}

/**
 * kexec_await() - wait for the end of this kernel
 *
 * Return: only if that did not come in time: -ETIME.
 */
int kexec_await(void)
{
	unsigned int left = JUMP_SECONDS;

	while (left)
		left = sleep(left);
	return -ETIME;
}
