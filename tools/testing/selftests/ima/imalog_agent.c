// SPDX-License-Identifier: GPL-2.0-only
/*
 * An agent for remote attestation: see imalog_agent.h. In place of a quote, it reads
 * the PCR from sysfs.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ima_log.h"
#include "ima_test.h"
#include "imalog_agent.h"
#include "imalog_run.h"
#include "imalog_service.h"

#define LIST	IMALOG_MOUNT "/binary_runtime_measurements_sha256"
#define ENDS	33	/* that Keylime's agent in Rust remembers */
#define PCR	10

/* A place in the list, and the PCR there. */
struct end {
	off_t offset;
	__u8 value[IMA_LOG_DIGEST_MAX];
};

struct agent {
	int fd;
	struct ima_log_bank bank;
	struct end ends[ENDS];
	int requests;
};

/*
 * What the verifier does with a request: the PCR was quoted, then the list read; its
 * records lead from the PCR value at the place that was asked for to the quoted one.
 */
static bool attest(struct agent *a, struct end *end)
{
	static char data[4 << 20];
	struct ima_log_replay replay = { .banks = &a->bank, .num_banks = 1 };
	__u8 quoted[IMA_LOG_DIGEST_MAX];
	struct ima_log_record rec;
	struct ima_log_parser p;
	size_t len = 0, used;
	bool found;
	ssize_t n;

	if (ima_read_pcr(a->bank.name, quoted, a->bank.size) ||
	    lseek(a->fd, end->offset, SEEK_SET) != end->offset)
		return false;
	while ((n = read(a->fd, data + len, sizeof(data) - len)) > 0)
		len += n;
	if (n)
		return false;
	memcpy(a->bank.value[PCR], end->value, a->bank.size);
	ima_log_init(&p, data, len, a->bank.size, IMA_LOG_HOST);
	for (;;) {
		found = !memcmp(a->bank.value[PCR], quoted, a->bank.size);
		used = p.pos;
		if (found || ima_log_next(&p, &rec) != 1)
			break;
		if (ima_log_extend(&replay, &rec))
			return false;
	}
	end->offset += used;
	memcpy(end->value, quoted, a->bank.size);
	return found;
}

/* A verifier that goes on, or one that starts somewhere before. */
static bool ask(struct agent *a)
{
	int i = a->requests++;
	struct end *to = &a->ends[(i + 1) % ENDS];

	*to = a->ends[i % 5 == 4 && i > ENDS ? (i * 7) % ENDS : i % ENDS];
	if (attest(a, to))
		return true;
	printf("# request %d from offset %lld\n", i, (long long)to->offset);
	return false;
}

/* What a verifier remembers of the requests before; a new one remembers nothing. */
static int agent_init(struct agent *a, const char *state)
{
	FILE *f = state ? fopen(state, "r") : NULL;
	bool read = true;

	if (ima_log_bank_init(&a->bank, ima_log_alg_by_name("sha256"), IMA_LOG_OWN_HASH))
		return -1;
	memcpy(a->ends[0].value, a->bank.value[PCR], a->bank.size);
	if (f) {
		read = fread(a->ends, sizeof(a->ends), 1, f) == 1 &&
		       fread(&a->requests, sizeof(a->requests), 1, f) == 1;
		fclose(f);
	}
	return read ? 0 : -1;
}

static bool agent_save(const struct agent *a, int fd)
{
	return write(fd, a->ends, sizeof(a->ends)) == sizeof(a->ends) &&
	       write(fd, &a->requests, sizeof(a->requests)) == sizeof(a->requests);
}

/* Opens the files as root, then is another user; returns all requests of @state, or -1. */
static int run(const char *state, int requests)
{
	static struct agent a;
	int i, saved = -1;

	if (agent_init(&a, state))
		return -1;
	a.fd = open(LIST, O_RDONLY);
	if (state)
		saved = open(state, O_WRONLY | O_CREAT, 0600);
	if (a.fd < 0 || (state && saved < 0) || become_nobody())
		return -1;
	for (i = 0; i < requests; i++) {
		if (!ask(&a))
			return -1;
		usleep(20000);
	}
	return state && !agent_save(&a, saved) ? -1 : a.requests;
}

/**
 * agent_beside_trims() - make requests to an agent that reads imalog's mount, each of
 *	which must attest, while records are measured and deleted
 * @state: a file with what the verifier knows of the requests before; NULL for one that
 *	does not outlive this
 * @requests: how many
 * @trims: how many there are to be at least; how many there were
 *
 * Return: how many requests were made since the first of @state, 254 at most; 255: one
 * failed, or a file; -1: a trim.
 */
int agent_beside_trims(const char *state, int requests, int *trims)
{
	int least = *trims, status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		status = run(state, requests);
		fflush(stdout);
		_exit(status);
	}
	for (*trims = 0; *trims < least || !waitpid(pid, &status, WNOHANG); ++*trims)
		if (ima_measure_files(5) || imalog_remember() ||
		    imalog("trim --keep %d", *trims % 3) != IMALOG_DONE)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
