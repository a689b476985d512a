// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog status: how much is where.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "commands.h"
#include "hex.h"
#include "holders.h"
#include "options.h"
#include "prove.h"

static const char help[] =
"Usage: imalog status [OPTION]...\n"
"Tell how many records are in the kernel and in the archive, how far they are\n"
"proven, what a trim would delete, and who has the kernel's files open.\n"
"\n"
"  --archive DIR   the archive (" DEFAULT_ARCHIVE ")\n"
"  --ak KEY        attestation key, as for trim\n"
"  --tcti TCTI     how to reach the TPM (TPM2TOOLS_TCTI, device:/dev/tpmrm0)\n"
"  --ima-dir DIR   the kernel's files (" DEFAULT_IMA_DIR ")\n"
"  --json          print one JSON object\n"
"\n"
"Exit status: 0 done, 1 no quote proves the list, 2 usage, 3 TPM, 4 I/O, 5 busy.\n";

static const char * const ways[] = {
	[KERNEL_NONE] = "none", [KERNEL_HELD] = "N", [KERNEL_COUNTED] = "T:N",
};

/**
 * struct state - what is told
 * @kernel: its files
 * @proof: what a quote would prove
 * @proven: whether it would
 * @empty: nothing is archived
 * @list_bytes: size of the records in the kernel, as its binary list
 * @slab_bytes: size of the kernel's caches for records and digests
 * @print: fingerprint of the attestation key
 * @have_key: whether there is one
 * @holder: who has the kernel's files open
 * @num_holders: how many
 */
struct state {
	struct kernel kernel;
	struct proof proof;
	bool proven;
	bool empty;
	__u64 list_bytes;
	__u64 slab_bytes;
	__u8 print[IMA_QUOTE_PRINT_SIZE];
	bool have_key;
	struct holder *holder;
	size_t num_holders;
};

/* Caches of the name ima_*; see slabinfo(5). What merged caches take is not told. */
static __u64 read_slabs(void)
{
	FILE *f = fopen("/proc/slabinfo", "re");
	unsigned long active, num, size;
	char line[512], name[64];
	__u64 bytes = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %lu %lu %lu", name, &active, &num, &size) == 4 &&
		    !strncmp(name, "ima_", 4) && strcmp(name, "ima_iint_cache"))
			bytes += num * size;
	if (f)
		fclose(f);
	return bytes;
}

static enum status read_list(struct state *s)
{
	struct stream stream = { .num = 0 };
	struct ima_log_record rec;
	enum status status;
	bool end = false;

	s->list_bytes = 0;
	status = kernel_state(&s->kernel);
	if (!status)
		status = kernel_stream(&s->kernel, &stream, 0);
	while (!status && !end) {
		status = stream_next(&stream, &rec, &end);
		s->list_bytes += !status && !end ? rec.len : 0;
	}
	stream_close(&stream);
	return status;
}

static enum status read_proof(struct state *s, const struct options *opt,
			      struct archive *a)
{
	struct tpm t = { .tpm = NULL };
	enum status status;

	status = prove_init(&s->proof, opt, a, &s->kernel, &t, NULL);
	s->empty = !status && !s->proof.have_last;
	if (!status)
		status = tpm_open(&t, opt);
	s->have_key = !status;
	memcpy(s->print, t.print, sizeof(s->print));
	if (!status)
		status = prove_check_key(&s->proof);
	if (!status)
		status = prove(&s->proof);
	s->proven = !status;
	prove_end(&s->proof);
	tpm_close(&t);
	return status;
}

static enum status look(struct state *s, const struct options *opt)
{
	struct archive a = { .fd = -1 }, *used = &a;
	enum status status = AGAIN;
	unsigned int tries;

	for (tries = 0; status == AGAIN && tries < 20; tries++)
		status = read_list(s);
	if (status)
		return status == AGAIN ? say(BUSY, "kernel's list: changes all the time") :
					 status;
	s->slab_bytes = read_slabs();
	s->num_holders = holders_find(s->kernel.dir, &s->holder);
	if (access(opt->archive, F_OK) && errno == ENOENT)
		used = NULL;
	else
		status = archive_open(&a, opt->archive, false);
	if (!status)
		status = read_proof(s, opt, used);
	archive_close(&a);
	return status;
}

/* Nothing, while something is staged. */
static __u64 deletable(const struct state *s)
{
	return s->kernel.way && !s->kernel.staged ? s->proof.proven - s->proof.start : 0;
}

static enum status print_json(const struct state *s, enum status status)
{
	struct json_object *o = json_object_new_object(), *list, *h;
	const struct proof *p = &s->proof;
	size_t i;

	if (s->kernel.dir >= 0) {
		put_number(o, "records", s->kernel.count);
		put_number(o, "staged", s->kernel.staged);
		put_number(o, "removed", s->kernel.removed);
		put_number(o, "list_bytes", s->list_bytes);
		put_number(o, "slab_bytes", s->slab_bytes);
		put_text(o, "deletes_with", ways[s->kernel.way]);
	}
	if (p->have_last) {
		put_number(o, "chain", p->last.chain);
		put_number(o, "archived_end", p->last.first + p->last.count);
		put_info(o, &p->last.info);
	}
	if (s->proven) {
		put_number(o, "first", p->start);
		put_number(o, "proven_end", p->proven);
		put_number(o, "deletable", deletable(s));
	}
	if (s->have_key)
		put_key(o, s->print);
	if (status)
		put_text(o, "error", say_last());
	list = json_object_new_array();
	for (i = 0; i < s->num_holders; i++) {
		h = json_object_new_object();
		put_number(h, "pid", s->holder[i].pid);
		put_text(h, "command", s->holder[i].comm);
		put_text(h, "file", s->holder[i].file);
		put_flag(h, "writes", s->holder[i].writes);
		json_object_array_add(list, h);
	}
	json_object_object_add(o, "open", list);
	return put_all(o);
}

static enum status print_text(const struct state *s)
{
	const struct proof *p = &s->proof;
	const struct kernel *k = &s->kernel;
	char hex[HEX_SIZE(IMA_QUOTE_PRINT_SIZE)];
	size_t i;

	printf("kernel:   %llu records, %llu staged, %llu have left the list; %llu bytes of list",
	       k->count, k->staged, k->removed, s->list_bytes);
	if (s->slab_bytes)
		printf(", %llu bytes of caches", s->slab_bytes);
	printf("\ndeletes:  %s\n", k->way ? ways[k->way] : "not: it needs CONFIG_IMA_STAGING");
	if (p->have_last)
		printf("archive:  %llu records, proven up to TPM clock %llu ms of reset %u (%s)\n",
		       p->last.first + p->last.count, p->last.info.clock,
		       p->last.info.resets, p->last.time);
	else if (s->empty)
		printf("archive:  empty\n");
	if (s->proven && k->way)
		printf("trim:     would archive %llu records of chain %llu, and delete %llu\n",
		       p->proven - p->end, p->chain, deletable(s));
	if (s->have_key) {
		hex_from(hex, s->print, sizeof(s->print));
		printf("key:      %s\n", hex);
	}
	for (i = 0; i < s->num_holders; i++)
		printf("open:     %s, to %s, by %d (%s)\n", s->holder[i].file,
		       s->holder[i].writes ? "write" : "read", s->holder[i].pid,
		       s->holder[i].comm);
	return fflush(stdout) ? say_errno("standard output") : DONE;
}

/**
 * cmd_status() - run it
 * @argc: number of arguments
 * @argv: "status" and its arguments
 *
 * Return: the exit status.
 */
enum status cmd_status(int argc, char **argv)
{
	enum status status, printed = DONE;
	struct options opt;
	struct state *s;

	status = options_parse(&opt, argc, argv, "aiTKj", help);
	if (status)
		return status;
	s = calloc(1, sizeof(*s));
	if (!s)
		return say_errno("status");
	status = kernel_open(&s->kernel, opt.ima_dir);
	if (!status)
		status = look(s, &opt);
	if (opt.json)
		printed = print_json(s, status);
	else if (s->kernel.dir >= 0)
		printed = print_text(s);
	kernel_close(&s->kernel);
	free(s->holder);
	free(s);
	return status ?: printed;
}
