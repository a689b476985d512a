/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run imalog as a service: what it tells systemd, and how it ends.
 */
#ifndef IMALOG_SERVICE_H
#define IMALOG_SERVICE_H

#include <stdbool.h>
#include <sys/types.h>

#include "../kselftest.h"

#define IMALOG_MOUNT	"/root/mnt"
#define IMALOG_PRINTED	"/root/service.out"	/* what the service printed */

/**
 * struct imalog_service - a service that runs
 * @pid: its process
 * @socket: what it tells systemd arrives here
 * @said: what has arrived since the last time that something was waited for
 */
struct imalog_service {
	pid_t pid;
	int socket;
	char said[4096];
};

__printf(2, 3) int imalog_start(struct imalog_service *s, const char *fmt, ...);
bool imalog_told(struct imalog_service *s, const char *text);
int imalog_halt(struct imalog_service *s);
int imalog_go_on(struct imalog_service *s);
int imalog_stop(struct imalog_service *s, int sig);

int imalog_start_mount(struct imalog_service *s, const char *options);
int imalog_mount_is_whole(void);

#endif /* IMALOG_SERVICE_H */
