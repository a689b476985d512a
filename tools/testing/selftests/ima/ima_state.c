// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that a refused command must leave as it was, before and after it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ima_state.h"

/* PCR 10 of every bank, "bank value"; no TPM: none. */
static int read_pcrs(char pcr[IMA_FILES_MAX][256])
{
	const char *tpm = "/sys/class/tpm/tpm0";
	DIR *dir = opendir(tpm);
	char path[512], value[160];
	struct dirent *d;
	ssize_t len;
	int fd, n = 0;

	if (!dir)
		return 0;
	while (n >= 0 && n < IMA_FILES_MAX && (d = readdir(dir))) {
		if (strncmp(d->d_name, "pcr-", 4))
			continue;
		snprintf(path, sizeof(path), "%s/%s/10", tpm, d->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		len = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);
		if (fd >= 0)
			close(fd);
		if (len < 0) {
			n = -EIO;
			break;
		}
		value[len] = '\0';
		snprintf(pcr[n++], 256, "%.80s %s", d->d_name, value);
	}
	closedir(dir);
	return n;
}

/* The digest's length is seen in the ascii file: "PCR digest template ...". */
static size_t digest_len(const struct ima_state *state, const char *binary)
{
	char name[IMA_NAME_MAX + 8];
	const struct ima_file *ascii;
	const char *digest;

	snprintf(name, sizeof(name), "ascii%s", binary + strlen("binary"));
	ascii = ima_state_file(state, name);
	if (!ascii || ascii->len < 4)
		return 0;
	digest = memchr(ascii->data + 2, ' ', ascii->len - 2);
	return digest ? strspn(digest + 1, "0123456789abcdef") / 2 : 0;
}

/**
 * ima_state_take() - remember count, every list file, and PCR 10 in each bank
 * @state: to be freed with ima_state_free(), also after a failure
 *
 * Return: 0 or -errno.
 */
int ima_state_take(struct ima_state *state)
{
	char names[IMA_FILES_MAX][IMA_NAME_MAX];
	struct ima_file *file;
	int i, n, pcrs;

	memset(state, 0, sizeof(*state));
	state->removed = ima_removed();
	state->count = ima_count();
	if (state->count < 0)
		return state->count;

	n = ima_list_names(names, false);
	if (n < 0)
		return n;
	for (i = 0; i < n; i++) {
		file = &state->file[i];
		memcpy(file->name, names[i], IMA_NAME_MAX);
		file->data = ima_read_all(file->name, &file->len);
		if (!file->data)
			return -errno;
		state->nr_files++;
	}
	for (i = 0; i < n; i++) {
		file = &state->file[i];
		if (!strncmp(file->name, "binary", 6))
			file->digest_len = digest_len(state, file->name);
	}

	pcrs = read_pcrs(state->pcr);
	if (pcrs < 0)
		return pcrs;
	state->nr_pcrs = pcrs;
	return 0;
}

/**
 * ima_state_file() - find a file in a state
 * @state: the state
 * @name: the file's name, not that of a link
 *
 * Return: the file, or NULL.
 */
const struct ima_file *ima_state_file(const struct ima_state *state, const char *name)
{
	unsigned int i;

	for (i = 0; i < state->nr_files; i++)
		if (!strcmp(state->file[i].name, name))
			return &state->file[i];
	return NULL;
}

/* Where the record at @pos ends, or SIZE_MAX if there is no whole one. */
static size_t record_end(const struct ima_file *file, size_t pos)
{
	const char *newline;
	unsigned int len;
	int field;

	if (!file->digest_len) {
		newline = memchr(file->data + pos, '\n', file->len - pos);
		return newline ? (size_t)(newline + 1 - file->data) : SIZE_MAX;
	}
	/* PCR, digest, then two fields with a length: template name and data */
	pos += sizeof(len) + file->digest_len;
	for (field = 0; field < 2; field++) {
		if (pos + sizeof(len) > file->len)
			return SIZE_MAX;
		memcpy(&len, file->data + pos, sizeof(len));
		pos += sizeof(len) + len;
	}
	return pos > file->len ? SIZE_MAX : pos;
}

/**
 * ima_skip_records() - where the n-th record of a list begins
 * @file: the list file
 * @n: how many records to skip
 *
 * Return: the offset in @file->data, @file->len behind the last record, or
 * SIZE_MAX if there are less than @n whole records.
 */
size_t ima_skip_records(const struct ima_file *file, unsigned long n)
{
	size_t pos = 0;

	while (n-- && pos != SIZE_MAX)
		pos = pos < file->len ? record_end(file, pos) : SIZE_MAX;
	return pos;
}

/**
 * ima_state_broken() - has each file as many whole records as the count says?
 * @state: the state
 *
 * Return: NULL if they have, or the name of one that has not.
 */
const char *ima_state_broken(const struct ima_state *state)
{
	unsigned int i;

	for (i = 0; i < state->nr_files; i++)
		if (ima_skip_records(&state->file[i], state->count) != state->file[i].len)
			return state->file[i].name;
	return NULL;
}

/* NULL, or the file that is not what it was less its first @gone records. */
static const char *file_differs(const struct ima_state *before,
				const struct ima_state *now, long gone, long added)
{
	const struct ima_file *a, *b;
	unsigned int i;
	size_t cut, rest;

	for (i = 0; i < before->nr_files; i++) {
		a = &before->file[i];
		b = ima_state_file(now, a->name);
		cut = ima_skip_records(a, gone);
		if (!b || cut == SIZE_MAX)
			return a->name;
		rest = a->len - cut;
		if (added ? b->len < rest || ima_skip_records(b, now->count) != b->len :
			    b->len != rest)
			return a->name;
		if (memcmp(a->data + cut, b->data, rest))
			return a->name;
	}
	return NULL;
}

/**
 * ima_state_list_differs() - compare files and counters of two states
 * @before: the earlier state
 * @now: the later one
 * @gone: how many records were deleted since
 * @added: how many came
 *
 * Return: NULL if exactly this is so, or the name of what is different.
 */
const char *ima_state_list_differs(const struct ima_state *before,
				   const struct ima_state *now, long gone, long added)
{
	if (now->count != before->count - gone + added)
		return "runtime_measurements_count";
	if (before->removed >= 0 && now->removed != before->removed + gone)
		return "runtime_measurements_removed";
	if (now->nr_files != before->nr_files)
		return "number of files";
	return file_differs(before, now, gone, added);
}

/**
 * ima_state_differs() - compare the state now with an earlier one
 * @before: the earlier state
 * @gone: how many records were deleted since; 0: nothing may have changed
 *
 * Return: NULL if exactly this is so, or the name of what is different.
 */
const char *ima_state_differs(const struct ima_state *before, unsigned long gone)
{
	static char differs[IMA_NAME_MAX];
	struct ima_state now;
	const char *what;

	if (ima_state_take(&now))
		what = "(the state cannot be read)";
	else
		what = ima_state_list_differs(before, &now, gone, 0);
	if (!what && (now.nr_pcrs != before->nr_pcrs ||
		      memcmp(now.pcr, before->pcr, sizeof(now.pcr))))
		what = "PCR 10";

	if (what) {
		snprintf(differs, sizeof(differs), "%s", what);
		what = differs;
	}
	ima_state_free(&now);
	return what;
}

/**
 * ima_state_free() - free what ima_state_take() allocated
 * @state: the state
 */
void ima_state_free(struct ima_state *state)
{
	unsigned int i;

	for (i = 0; i < state->nr_files; i++)
		free(state->file[i].data);
	state->nr_files = 0;
}
