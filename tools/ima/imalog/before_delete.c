// SPDX-License-Identifier: GPL-2.0-only
/*
 * Give each shard to another program before records are deleted: each once, in order,
 * whatever became of its records meanwhile. Those of the last round before a TPM reset
 * are never deleted, but the next chain goes on from their shard.
 *
 * How far it came is told by a second name of the manifest of the last shard it accepted.
 * This says which shard it was, whatever has its name now, and is no file that IMA would
 * measure when it is read.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "before_delete.h"

#define ALIVE_MS	500	/* how often to say so while the program runs */

/* It takes as long as it takes. */
static int wait_for_command(pid_t pid)
{
	struct pollfd poll_fd = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int n = poll_fd.fd < 0, ret;

	while (!n || (n < 0 && errno == EINTR)) {
		progress_alive();
		n = poll(&poll_fd, 1, ALIVE_MS);
	}
	if (poll_fd.fd >= 0)
		close(poll_fd.fd);
	while (waitpid(pid, &ret, 0) < 0)
		if (errno != EINTR)
			return -1;
	return ret;
}

static void exec_command(const struct archive *a, const char *shard, const char *command)
{
	sigset_t none;

	sigemptyset(&none);	/* imalog watch has some blocked */
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(STDERR_FILENO, STDOUT_FILENO);	/* that has what a round did */
	setenv("IMALOG_SHARD", shard, 1);
	setenv("IMALOG_ARCHIVE", a->path, 1);
	/* neither the TPM nor what opens it is the command's */
	unsetenv("IMALOG_AK_AUTH");
	unsetenv("IMALOG_EH_AUTH");
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

static enum status run_command(const struct archive *a, const char *name,
			       const char *command)
{
	char shard[PATH_MAX];
	pid_t pid;
	int ret;

	snprintf(shard, sizeof(shard), "%s/%s", a->path, name);
	pid = fork();
	if (!pid)
		exec_command(a, shard, command);
	if (pid < 0)
		return say_errno("--before-delete");
	ret = wait_for_command(pid);
	if (ret < 0)
		return say_errno("--before-delete");
	if (WIFEXITED(ret) && !WEXITSTATUS(ret))
		return DONE;
	return say(REFUSED, "--before-delete: %s %d for shard %s: nothing deleted",
		   WIFEXITED(ret) ? "exit status" : "signal",
		   WIFEXITED(ret) ? WEXITSTATUS(ret) : WTERMSIG(ret), shard);
}

static void manifest_name(char name[PATH_MAX], const char *shard)
{
	snprintf(name, PATH_MAX, "%s/%s", shard, archive_names[SHARD_JSON]);
}

static bool is_accepted(const struct archive *a, __u64 chain, __u64 first,
			const struct stat *accepted)
{
	char shard[ARCHIVE_NAME_MAX], name[PATH_MAX];
	struct stat st;

	archive_shard_name(shard, chain, first);
	manifest_name(name, shard);
	return !fstatat(a->fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       st.st_dev == accepted->st_dev && st.st_ino == accepted->st_ino;
}

/**
 * before_delete_accepted() - what is behind the last shard that the program accepted
 * @a: archive
 * @chain: the chain to go on in
 * @from: number of a first record there, from which on nothing was accepted
 *
 * Both are 0 if nothing was accepted yet, or that shard is not in the archive.
 *
 * Return: DONE or IO.
 */
enum status before_delete_accepted(const struct archive *a, __u64 *chain, __u64 *from)
{
	enum status status = DONE;
	size_t i = a->num_chains, num;
	struct stat accepted;
	__u64 *first;

	*chain = 0;
	*from = 0;
	if (fstatat(a->fd, ARCHIVE_ACCEPTED, &accepted, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? DONE : say_errno("%s/" ARCHIVE_ACCEPTED, a->path);
	while (i-- && !*from && !status) {
		status = archive_shards(a, a->chain[i], &first, &num);
		while (!status && num-- && !*from) {
			if (!is_accepted(a, a->chain[i], first[num], &accepted))
				continue;
			*chain = a->chain[i];
			*from = first[num] + 1;
		}
		free(first);
	}
	return status;
}

static enum status accept_shard(const struct archive *a, const char *shard)
{
	static const char new[] = ARCHIVE_ACCEPTED ".new";
	char name[PATH_MAX];

	manifest_name(name, shard);
	if ((unlinkat(a->fd, new, 0) && errno != ENOENT) ||
	    linkat(a->fd, name, a->fd, new, 0) ||
	    renameat(a->fd, new, a->fd, ARCHIVE_ACCEPTED) || fsync(a->fd))
		return say_errno("%s/" ARCHIVE_ACCEPTED ": link to shard %s", a->path, shard);
	return DONE;
}

/* The shards of a chain, from @from on. */
static enum status give_chain(const struct archive *a, __u64 chain, __u64 from,
			      const char *command)
{
	char shard[ARCHIVE_NAME_MAX];
	enum status status;
	size_t num, i;
	__u64 *first;

	status = archive_shards(a, chain, &first, &num);
	for (i = 0; i < num && !status; i++) {
		if (first[i] < from)
			continue;
		archive_shard_name(shard, chain, first[i]);
		status = run_command(a, shard, command);
		if (!status)
			status = accept_shard(a, shard);
	}
	free(first);
	return status;
}

/**
 * before_delete() - run a command for each shard that it did not accept yet
 * @a: archive
 * @command: for sh -c
 *
 * Return: DONE, IO, or REFUSED: the command failed.
 */
enum status before_delete(const struct archive *a, const char *command)
{
	enum status status;
	__u64 chain, from;
	size_t i;

	status = before_delete_accepted(a, &chain, &from);
	for (i = 0; i < a->num_chains && !status; i++)
		if (a->chain[i] >= chain)
			status = give_chain(a, a->chain[i], a->chain[i] == chain ? from : 0,
					    command);
	return status;
}
