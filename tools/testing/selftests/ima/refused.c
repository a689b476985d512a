// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every file refuses to those who lack a right.
 */
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "refused.h"

/**
 * drop_sys_admin() - give up CAP_SYS_ADMIN, for refused_open()
 *
 * Return: 0, or not.
 */
int drop_sys_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return -1;
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	return syscall(SYS_capset, &header, data);
}

/* Return: 255: the right is still there, 254: the files do not agree */
static int open_all(char names[][IMA_NAME_MAX], int nr, int flags, int (*drop)(void))
{
	int i, fd, err = 0;

	if (drop())
		return 255;
	for (i = 0; i < nr; i++) {
		fd = ima_open(names[i], flags);
		if (i && err != (fd < 0 ? -fd : 0))
			return 254;
		err = fd < 0 ? -fd : 0;
		if (fd >= 0)
			close(fd);
	}
	return err;
}

/**
 * refused_open() - open files without a right, in a child
 * @names: the files in IMA_DIR
 * @nr: how many
 * @flags: as for open(2)
 * @drop: takes the right away from the child
 *
 * Return: the errno of each, or 0, if all agree; or what no errno is.
 */
int refused_open(char names[][IMA_NAME_MAX], int nr, int flags, int (*drop)(void))
{
	pid_t pid = fork();

	if (!pid)
		_exit(open_all(names, nr, flags, drop));
	return ima_wait_exit(pid);
}
