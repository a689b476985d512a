// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go from shard to shard, and see that none is missing: each names the manifest
 * before by its hash, begins where that ended, and was quoted later.
 */
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "walk.h"

/**
 * walk_init() - begin before the first shard
 * @w: walk, to be ended with walk_end()
 * @a: archive, which must stay
 */
void walk_init(struct walk *w, struct archive *a)
{
	memset(w, 0, sizeof(*w));
	w->archive = a;
}

/* A shard follows one in the same chain. */
static enum status check_shard(const struct walk *w, const struct shard *s)
{
	const struct manifest *m = &s->m, *last = &w->last;

	if (m->first != last->first + last->count)
		return say(REFUSED, "%s: a shard is missing: the one before ends at record %llu",
			   s->name, last->first + last->count);
	if (m->info.resets != last->info.resets)
		return say(REFUSED, "%s: shard.json: resets: %u, but %u in the same chain before",
			   s->name, m->info.resets, last->info.resets);
	return DONE;
}

/* The values before the first record are those after the last shard's last. */
static enum status check_before(const struct walk *w, const struct shard *s)
{
	const struct manifest *m = &s->m, *last = &w->last;
	unsigned int i, j;
	enum status status;
	struct banks start;
	bool same = true;

	status = banks_init(&start);
	for (i = 0; i < m->num_banks && !status; i++)
		status = banks_add(&start, m->bank[i].alg, IMA_LOG_OWN_HASH);
	for (i = 0; i < m->num_banks && !status && same; i++) {
		for (j = 0; j < IMA_LOG_PCRS; j++) {
			const __u8 *want = start.bank[i].value[j];

			if (!(m->pcrs >> j & 1))
				continue;
			if (s->m.first && last->pcrs >> j & 1)
				want = last->bank[i].after[j];
			same = same && !memcmp(m->bank[i].before[j], want,
					       start.bank[i].size);
		}
	}
	banks_free(&start);
	if (!status && !same)
		status = say(REFUSED,
			     "%s: shard.json: before: the PCR values are not those after the last shard",
			     s->name);
	return status;
}

static enum status check_banks(const struct walk *w, const struct shard *s)
{
	const struct manifest *m = &s->m, *last = &w->last;
	unsigned int i;

	for (i = 0; s->m.first && i < m->num_banks; i++)
		if (m->num_banks != last->num_banks ||
		    m->bank[i].alg != last->bank[i].alg)
			return say(REFUSED, "%s: shard.json: banks: not those of the last shard",
				   s->name);
	return check_before(w, s);
}

/* A shard begins a chain. */
static enum status check_first(const struct walk *w, const struct shard *s)
{
	if (s->m.first)
		return say(REFUSED,
			   "%s: a shard is missing: the chain does not begin with record 0",
			   s->name);
	if (w->begun && !counters_reset(&w->last.info, &s->m.info) &&
	    !counters_restarted(&w->last.info, &s->m.info))
		return say(REFUSED,
			   "%s: shard.json: resets: %u, and no more restarts than in the chain before",
			   s->name, s->m.info.resets);
	return DONE;
}

static enum status check(const struct walk *w, const struct shard *s, bool first)
{
	enum status status;

	status = first ? check_first(w, s) : check_shard(w, s);
	if (!status && w->begun && memcmp(s->m.previous, w->last.self, HASH_SIZE))
		status = say(REFUSED,
			     "%s: shard.json: previous: is not the hash of the manifest before",
			     s->name);
	if (!status && w->begun && counters_go_back(&w->last.info, &s->m.info))
		status = say(REFUSED, "%s: shard.json: clock, resets or restarts: goes back",
			     s->name);
	return status ?: check_banks(w, s);
}

static void leave(struct walk *w)
{
	if (!w->open)
		return;
	w->last = w->shard.m;
	w->begun = true;
	w->open = false;
	shard_close(&w->shard);
}

/**
 * walk_next() - go to the next shard
 * @w: walk; the shard is @w->shard
 * @end: there is none
 *
 * Return: DONE, IO, or REFUSED: one is missing or does not follow.
 */
enum status walk_next(struct walk *w, bool *end)
{
	enum status status;
	__u64 chain;

	leave(w);
	*end = false;
	while (w->next == w->num) {
		if (w->chain == w->archive->num_chains) {
			*end = true;
			return DONE;
		}
		free(w->list);
		w->next = 0;
		status = archive_shards(w->archive, w->archive->chain[w->chain++],
					&w->list, &w->num);
		if (status)
			return status;
	}
	chain = w->archive->chain[w->chain - 1];
	status = shard_open(w->archive, chain, w->list[w->next], &w->shard);
	if (status)
		return status;
	w->open = true;
	return check(w, &w->shard, !w->next++);
}

/**
 * walk_end() - release all
 * @w: walk
 */
void walk_end(struct walk *w)
{
	leave(w);
	free(w->list);
	w->list = NULL;
}
