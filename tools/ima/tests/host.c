// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host in a folder: swtpm is its TPM, files stand for the kernel's list.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "hex.h"
#include "host.h"

#define COMMANDS	"ascii_runtime_measurements"
#define TRIES		1200	/* 60 s */

/**
 * host_shell() - run a command of the shell
 * @h: host; its folder is $D, its TPM in $TPM2TOOLS_TCTI
 * @fmt: the command
 *
 * Return: its exit status, or -1.
 */
int host_shell(struct host *h, const char *fmt, ...)
{
	char command[4096];
	va_list args;
	size_t len;
	FILE *f;
	int n, ret;

	n = snprintf(command, sizeof(command),
		     "exec 2>&1; export D=%s TPM2TOOLS_TCTI=swtpm:host=127.0.0.1,port=%d; ",
		     h->dir, h->port);
	va_start(args, fmt);
	vsnprintf(command + n, sizeof(command) - n, fmt, args);
	va_end(args);
	f = popen(command, "r");
	if (!f)
		return -1;
	len = fread(h->output, 1, sizeof(h->output) - 1, f);
	h->output[len] = '\0';
	ret = pclose(f);
	return WIFEXITED(ret) ? WEXITSTATUS(ret) : -1;
}

/**
 * host_said() - was this printed by the last command?
 * @h: host
 * @text: what to look for
 *
 * Return: whether it was; if not, the output goes to the test's.
 */
bool host_said(struct host *h, const char *text)
{
	if (strstr(h->output, text))
		return true;
	printf("# not printed: %s; but: %s\n", text, h->output);
	return false;
}

/* Two ports, one behind the other, that are free now; TPMs are asked for at once. */
static int free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int port, tries, fds[2], i, good;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (tries = 0; tries < 100; tries++) {
		port = 20000 + (getpid() * 7 + tries * 211) % 10000 * 2;
		for (good = 0, i = 0; i < 2; i++) {
			a.sin_port = htons(port + i);
			fds[i] = socket(AF_INET, SOCK_STREAM, 0);
			good += !bind(fds[i], (struct sockaddr *)&a, sizeof(a));
		}
		close(fds[0]);
		close(fds[1]);
		if (good == 2)
			return port;
	}
	return -1;
}

/**
 * host_start_tpm() - power on
 * @h: host
 * @how: what the firmware asks for: the state that was saved, or none
 *
 * Return: 0 or -EIO.
 */
int host_start_tpm(struct host *h, enum host_startup how)
{
	char state[128], server[64], ctrl[64];
	int tries;

	snprintf(state, sizeof(state), "dir=%s/tpm", h->dir);
	snprintf(server, sizeof(server), "type=tcp,port=%d", h->port);
	snprintf(ctrl, sizeof(ctrl), "type=tcp,port=%d", h->port + 1);
	h->tpm = fork();
	if (!h->tpm) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		freopen("/dev/null", "w", stdout);
		freopen("/dev/null", "w", stderr);
		execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state,
		       "--server", server, "--ctrl", ctrl, "--flags",
		       how == HOST_STATE ? "not-need-init,startup-state" :
					   "not-need-init,startup-clear", NULL);
		_exit(127);
	}
	for (tries = 0; tries < TRIES; tries++) {
		if (!host_shell(h, "tpm2_getcap properties-fixed"))
			return 0;
		if (waitpid(h->tpm, NULL, WNOHANG) == h->tpm)
			return -EIO;
		usleep(50000);
	}
	return -EIO;
}

/**
 * host_stop_tpm() - power off
 * @h: host
 *
 * Return: 0 or -EIO.
 */
int host_stop_tpm(struct host *h)
{
	kill(h->tpm, SIGKILL);
	return waitpid(h->tpm, NULL, 0) == h->tpm ? 0 : -EIO;
}

/* Which banks a TPM has, a reset makes true. */
static int allocate(struct host *h)
{
	static const char * const all[] = { "sha1", "sha256", "sha384", "sha512" };
	char spec[256];
	size_t i;
	int n = 0;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		n += snprintf(spec + n, sizeof(spec) - n, "%s%s:%s", n ? "+" : "", all[i],
			      strstr(h->banks, all[i]) ? "all" : "none");
	return host_shell(h, "tpm2_pcrallocate -Q %s && tpm2_shutdown -Q -c", spec) ||
	       host_stop_tpm(h) || host_start_tpm(h, HOST_CLEAR) ? -EIO : 0;
}

/**
 * host_begin() - a host that was just booted, with one record
 * @h: host, to be ended with host_end()
 * @banks: its TPM's banks, such as "sha1,sha256"
 * @counted: its kernel tells how many records have left the list
 *
 * Return: 0 or -EIO.
 */
int host_begin(struct host *h, const char *banks, bool counted)
{
	memset(h, 0, sizeof(*h));
	snprintf(h->banks, sizeof(h->banks), "%s", banks);
	snprintf(h->dir, sizeof(h->dir), "/tmp/imalog-host-XXXXXX");
	h->counted = counted;
	h->port = free_port();
	if (h->port < 0 || !mkdtemp(h->dir) ||
	    host_shell(h, "mkdir $D/tpm $D/ima") || host_start_tpm(h, HOST_CLEAR) ||
	    allocate(h))
		return -EIO;
	return host_measure(h, "boot_aggregate", true);
}

/**
 * host_end() - power off, and remove all
 * @h: host
 */
void host_end(struct host *h)
{
	host_stop_tpm(h);
	maker_remove(h->dir);
}

static void change_boot_id(struct manifest *m)
{
	m->boot_id[0] = m->boot_id[0] == '0' ? '1' : '0';
}

/* What has left the list is forgotten. */
static void carry_over(struct host *h)
{
	size_t by = h->removed * sizeof(*h->record);
	unsigned int i;

	h->num -= h->removed;
	h->staged = 0;
	for (i = 0; i < h->num; i++) {
		h->record[i] = h->record[i + h->removed];
		h->record[i].data -= by;
	}
	h->removed = 0;
}

static int rewrite_newest(struct host *h, void (*change)(struct manifest *m))
{
	static struct manifest was;
	char path[256];

	if (host_shell(h, "ls -d $D/archive/*/*/shard.json | tail -n 1"))
		return -EIO;
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(h->output, "\n"), h->output);
	return maker_rewrite(path, change, &was);
}

/**
 * host_new_kernel() - another kernel goes on, as after kexec, with the list that is left
 * @h: host, whose archive has a shard; it is the newest one that says it is of another
 *	boot
 *
 * Return: 0 or -EIO.
 */
int host_new_kernel(struct host *h)
{
	carry_over(h);
	return rewrite_newest(h, change_boot_id);
}

static void pad_the_last_bank(struct manifest *m)
{
	m->bank[m->num_banks - 1].fill = IMA_LOG_PADDED;
}

/**
 * host_had_other_hashes() - the kernel before padded SHA-1 in the last bank
 * @h: host, whose archive has a shard; it is the newest one that says so
 *
 * Return: 0 or -EIO.
 */
int host_had_other_hashes(struct host *h)
{
	return rewrite_newest(h, pad_the_last_bank);
}

/* What the kernel extends a bank with. */
static int make_digest(const struct host *h, const struct maker_record *r, const char *alg,
		       __u8 digest[64], unsigned int *len)
{
	const EVP_MD *md = EVP_get_digestbyname(alg);

	memset(digest, 0, 64);
	*len = EVP_MD_get_size(md);
	return EVP_Digest(r->data, r->data_len, digest, NULL,
			  h->fill == IMA_LOG_OWN_HASH ? md : EVP_sha1(), NULL) ? 0 : -EIO;
}

static int extend(struct host *h, const struct maker_record *r)
{
	char command[2048], banks[sizeof(h->banks)], hex[129], *name;
	unsigned int len;
	__u8 digest[64];
	int n;

	n = snprintf(command, sizeof(command), "tpm2_pcrextend 10:");
	snprintf(banks, sizeof(banks), "%s", h->banks);
	for (name = strtok(banks, ","); name; name = strtok(NULL, ",")) {
		if (make_digest(h, r, name, digest, &len))
			return -EIO;
		hex_from(hex, digest, len);
		n += snprintf(command + n, sizeof(command) - n, "%s%s=%s",
			      command[n - 1] == ':' ? "" : ",", name, hex);
	}
	return host_shell(h, "%s", command) ? -EIO : 0;
}

/**
 * host_measure() - an event
 * @h: host
 * @name: name of a file; the same name is the same record again
 * @do_extend: false: the TPM fails
 *
 * Return: 0 or -EIO.
 */
int host_measure(struct host *h, const char *name, bool do_extend)
{
	__u8 digest[8 + 32] = "sha256:";
	struct maker_record *r = &h->record[h->num];

	if (h->num == HOST_RECORDS)
		return -EIO;
	EVP_Digest(name, strlen(name), digest + 8, NULL, EVP_sha256(), NULL);
	maker_write(r, 10, "ima-ng", (struct maker_field[]) {
		{ digest, sizeof(digest) }, { name, strlen(name) + 1 } }, 2);
	h->num++;
	if (do_extend && extend(h, r))
		return -EIO;
	return host_write_list(h);
}

/* Records of a bank: the same ones with other digests. */
static int write_file(struct host *h, const char *path, const char *alg, unsigned int from,
		      unsigned int to)
{
	__u8 digest[64];
	unsigned int i, len;
	FILE *f;

	f = fopen(path, "w");
	if (!f)
		return -EIO;
	for (i = from; i < to; i++) {
		const struct maker_record *r = &h->record[i];

		make_digest(h, r, alg, digest, &len);
		fwrite(r->raw, 4, 1, f);
		fwrite(digest, len, 1, f);
		fwrite(r->raw + 24, r->len - 24, 1, f);
	}
	return fclose(f) ? -EIO : 0;
}

/* The lists of a bank. @hash: how their names end */
static int write_bank(struct host *h, const char *hash, const char *alg)
{
	unsigned int first = h->removed + h->staged;
	char path[128];
	size_t len;

	len = snprintf(path, sizeof(path), "%s/ima/binary_runtime_measurements%s%s", h->dir,
		       *hash ? "_" : "", hash);
	if (write_file(h, path, alg, first, h->num))
		return -EIO;
	snprintf(path + len, sizeof(path) - len, "_staged");
	return h->counted ? write_file(h, path, alg, h->removed, first) : 0;
}

/**
 * host_write_list() - write the files as the kernel shows them now
 * @h: host
 *
 * Return: 0 or -EIO.
 */
int host_write_list(struct host *h)
{
	char banks[sizeof(h->banks)], hash[32], *name;

	snprintf(banks, sizeof(banks), "%s", h->banks);
	if (write_bank(h, "", "sha1") || write_bank(h, "sha1", "sha1"))
		return -EIO;
	for (name = strtok(banks, ","); name; name = strtok(NULL, ",")) {
		if (h->fill == IMA_LOG_UNMAPPED && strcmp(name, "sha1"))
			snprintf(hash, sizeof(hash), "tpm_alg_%x", ima_log_alg_by_name(name));
		else
			snprintf(hash, sizeof(hash), "%s", name);
		if (write_bank(h, hash, name))
			return -EIO;
	}
	return host_shell(h, "set -e; cd $D/ima; echo %u >runtime_measurements_count;"
			  "for f in " COMMANDS "; do : >$f; chmod 660 $f; done;"
			  "! %s || echo %u >runtime_measurements_removed",
			  h->num - h->removed - h->staged, h->counted ? "true" : "false",
			  h->removed + h->staged) ? -EIO : 0;
}

/**
 * host_imalog() - run imalog on the host
 * @h: host; the archive is $D/archive
 * @fmt: its arguments
 *
 * Return: its exit status.
 */
int host_imalog(struct host *h, const char *fmt, ...)
{
	char args_text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(args_text, sizeof(args_text), fmt, args);
	va_end(args);
	return host_shell(h, "$IMALOG %s --archive $D/archive --ima-dir $D/ima", args_text);
}

/* Where imalog's command is: alone in a file, or behind the list that it has held. */
static FILE *open_command(const struct host *h)
{
	char path[128];
	long list = 0;
	unsigned int i;
	FILE *f;

	for (i = h->removed; i < h->num && !h->counted; i++)
		list += h->record[i].len;
	snprintf(path, sizeof(path), "%s/ima/%s", h->dir,
		 h->counted ? COMMANDS : "binary_runtime_measurements");
	f = fopen(path, "r");
	if (f)
		fseek(f, list, SEEK_SET);
	return f;
}

/**
 * host_delete() - do what imalog wrote to the kernel's file
 * @h: host
 *
 * Return: how many records it had deleted, -ENOENT: none, -EINVAL: not a command.
 */
int host_delete(struct host *h)
{
	unsigned int removed = h->removed, n;
	FILE *f = open_command(h);
	bool given = false;
	char text[64], end;
	int ret;

	if (f) {
		given = fgets(text, sizeof(text), f);
		fclose(f);
	}
	if (!given)
		return -ENOENT;
	if (h->counted)
		ret = sscanf(text, "%u:%u%c", &removed, &n, &end) == 3;
	else
		ret = sscanf(text, "%u%c", &n, &end) == 2;
	if (!ret || end != '\n' || removed != h->removed || n > h->num - h->removed)
		return -EINVAL;
	h->removed += n;
	return host_write_list(h) ? -EIO : (int)n;
}
