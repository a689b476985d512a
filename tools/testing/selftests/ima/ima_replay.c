// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay what was added between two states of the measurement list.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ima_log.h"
#include "ima_replay.h"

#define PCR	10

/* A line of ima_state: "pcr-BANK HEX". False: no such bank, or not as many digits. */
static bool parse_pcr(const char *line, __u16 *alg, __u8 value[IMA_LOG_DIGEST_MAX])
{
	char bank[16], hex[256];
	size_t i, size;

	if (sscanf(line, "pcr-%15s %255s", bank, hex) != 2)
		return false;
	*alg = ima_log_alg_by_name(bank);
	size = ima_log_alg_size(*alg);
	if (!size || strlen(hex) != 2 * size)
		return false;
	for (i = 0; i < size; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &value[i]) != 1)
			return false;
	return true;
}

/* Extend the bank with all the records: does each have the digest of its data? */
static bool extend_all(struct ima_log_bank *bank, const void *data, size_t len)
{
	struct ima_log_replay replay = { bank, 1, NULL };
	struct ima_log_record rec;
	struct ima_log_parser p;
	int ret;

	ima_log_init(&p, data, len, bank->size, IMA_LOG_HOST);
	while ((ret = ima_log_next(&p, &rec)) == 1)
		if (ima_log_bank_detect(bank, &rec) < 0 || ima_log_extend(&replay, &rec))
			return false;
	return !ret;
}

/**
 * ima_replay_leads() - do the records of a list lead from a PCR value to another?
 * @before: the one, as struct ima_state has it
 * @after: the other, of the same bank
 * @list: the binary list of that bank
 * @from: number of the first record
 *
 * Return: whether all from there on do.
 */
bool ima_replay_leads(const char *before, const char *after,
		      const struct ima_file *list, unsigned long from)
{
	__u8 value[IMA_LOG_DIGEST_MAX], expected[IMA_LOG_DIGEST_MAX];
	struct ima_log_bank bank;
	__u16 alg, alg_after;
	bool leads;
	size_t pos;

	if (!list || !parse_pcr(before, &alg, value) ||
	    !parse_pcr(after, &alg_after, expected) || alg != alg_after)
		return false;
	pos = ima_skip_records(list, from);
	if (pos == SIZE_MAX || ima_log_bank_init(&bank, alg, IMA_LOG_OWN_HASH))
		return false;
	memcpy(bank.value[PCR], value, bank.size);
	leads = extend_all(&bank, list->data + pos, list->len - pos) &&
		!memcmp(bank.value[PCR], expected, bank.size);
	ima_log_bank_free(&bank);
	return leads;
}

static const struct ima_file *list_of_pcr(const struct ima_state *state, const char *pcr)
{
	char bank[16], name[IMA_NAME_MAX];

	if (sscanf(pcr, "pcr-%15s", bank) != 1)
		return NULL;
	snprintf(name, sizeof(name), "binary_runtime_measurements_%s", bank);
	return ima_state_file(state, name);
}

static const char *pcrs_differ(const struct ima_state *before,
			       const struct ima_state *now, struct ima_change *change)
{
	if (before->nr_pcrs != now->nr_pcrs)
		return "number of PCRs";
	change->not_extended = change->extend_fails && change->added && now->nr_pcrs &&
			       !memcmp(before->pcr, now->pcr, sizeof(now->pcr));
	for (unsigned int i = 0; i < now->nr_pcrs && !change->not_extended; i++)
		if (!ima_replay_leads(before->pcr[i], now->pcr[i],
				      list_of_pcr(now, now->pcr[i]),
				      now->count - change->added))
			return now->pcr[i];
	return NULL;
}

/**
 * ima_state_change_differs() - compare the state now with an earlier one
 * @before: the earlier state
 * @change: what may have happened since; tells afterwards what has
 *
 * Each record that was added has extended the PCRs once.
 *
 * Return: NULL if nothing else has happened, or the name of what is different.
 */
const char *ima_state_change_differs(const struct ima_state *before,
				     struct ima_change *change)
{
	static char differs[256];
	const char *what = "(the state cannot be read)";
	struct ima_state now;
	long added;

	if (!ima_state_take(&now)) {
		added = now.count - (before->count - change->gone);
		if (added < 0 || added > change->added)
			what = "runtime_measurements_count";
		else
			what = ima_state_list_differs(before, &now, change->gone, added);
		change->added = added;
		if (!what)
			what = pcrs_differ(before, &now, change);
	}
	if (what) {
		snprintf(differs, sizeof(differs), "%s", what);
		what = differs;
	}
	ima_state_free(&now);
	return what;
}
