// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verify an archive: each shard, and that each follows the one before.
 */
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "verify.h"
#include "walk.h"

static struct verify_chain *get_chain(struct verify_result *r, __u64 number)
{
	struct verify_chain *more;

	if (r->num && r->chain[r->num - 1].chain == number)
		return &r->chain[r->num - 1];
	more = realloc(r->chain, (r->num + 1) * sizeof(*more));
	if (!more)
		return NULL;
	r->chain = more;
	more += r->num++;
	memset(more, 0, sizeof(*more));
	more->chain = number;
	return more;
}

static enum status note_shard(struct verify_result *r, const struct shard *s)
{
	const struct manifest *m = &s->m;
	struct verify_shard *more = r->shard;

	if (!(r->num_shards & (r->num_shards - 1))) {
		more = realloc(more, (r->num_shards ? 2 * r->num_shards : 1) * sizeof(*more));
		if (!more)
			return say_errno("archive");
		r->shard = more;
	}
	more += r->num_shards++;
	*more = (struct verify_shard) {
		.chain = s->chain, .first = m->first, .count = m->count,
		.unproven = m->unproven, .bytes = m->bytes, .asked = m->verifier_len,
		.start = m->base + (m->counted ? m->removed : 0), .info = m->info,
	};
	memcpy(more->time, m->time, sizeof(more->time));
	memcpy(more->kernel, m->kernel, sizeof(more->kernel));
	memcpy(more->self, m->self, HASH_SIZE);
	return DONE;
}

static enum status add_shard(struct verify_result *r, const struct shard *s)
{
	static const __u8 zeros[HASH_SIZE];
	struct verify_chain *c;
	unsigned int i;

	if (!r->num)
		r->older = memcmp(s->m.previous, zeros, HASH_SIZE);
	c = get_chain(r, s->chain);
	if (!c)
		return say_errno("archive");
	c->shards++;
	c->records += s->m.count;
	c->unproven += s->m.unproven;
	c->bytes += s->m.bytes;
	/* they are the same in all shards of a chain */
	c->banks.num = s->m.num_banks;
	for (i = 0; i < s->m.num_banks; i++)
		c->banks.alg[i] = s->m.bank[i].alg;
	c->info = s->m.info;
	memcpy(c->time, s->m.time, sizeof(c->time));
	return note_shard(r, s);
}

/**
 * verify_archive() - verify all shards of an archive
 * @a: archive
 * @print: fingerprint of the attestation key that must have signed
 * @result: what was found, to be released with verify_free() whatever is returned
 *
 * Return: DONE, IO, REFUSED: something does not verify, or BUSY: some of it was dropped
 * meanwhile, as trim does if it is told to with --keep-boots.
 */
enum status verify_archive(struct archive *a, const __u8 print[IMA_QUOTE_PRINT_SIZE],
			   struct verify_result *result)
{
	struct walk *w = malloc(sizeof(*w));
	enum status status = DONE;
	bool end = false;

	memset(result, 0, sizeof(*result));
	memcpy(result->print, print, sizeof(result->print));
	if (!w)
		return say_errno("archive");
	walk_init(w, a);
	progress_begin("bytes verified:", 0);
	while (!status && !end) {
		status = walk_next(w, &end);
		if (status || end)
			break;
		status = replay_shard(&w->shard, print);
		if (!status)
			status = add_shard(result, &w->shard);
	}
	progress_end();
	walk_end(w);
	free(w);
	if (status && archive_dropped(a))
		status = say(BUSY, "%s: a chain was dropped while it was verified", a->path);
	return status;
}

/**
 * verify_free() - release what was found
 * @result: it
 */
void verify_free(struct verify_result *result)
{
	free(result->chain);
	free(result->shard);
	memset(result, 0, sizeof(*result));
}
