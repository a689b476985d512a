// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prove what the kernel's list adds to the archive with a fresh quote: quote first,
 * then read, then find how many of the records that were read the quote covers.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <sys/random.h>

#include "align.h"
#include "prove.h"

#define TRIES		20	/* while others delete all the time */
#define MISMATCHES	8	/* until one is believed: 900 ms, for who is off its CPU */

/* Take over the newest shard, if it is not the one that is known. */
static enum status take_newest(struct proof *p)
{
	enum status status;
	struct shard s;
	bool found;

	if (!p->archive)
		return DONE;
	status = archive_list(p->archive);
	if (!status)
		status = archive_last(p->archive, &s, &found);
	if (status || !found)
		return status;
	if (!p->have_last || memcmp(s.m.self, p->last.self, HASH_SIZE)) {
		p->have_last = true;
		p->last = s.m;
		p->chain = s.chain;
		p->end = s.m.first + s.m.count;
		p->pcrs = BANKS_USUAL | s.m.pcrs;
		p->mismatches = 0;
		p->anew = false;
		/* the files of the quote are left alone: to read is to measure */
		status = shard_check_records(&s);
	}
	shard_close(&s);
	return status;
}

/**
 * prove_init() - what is proven, and with what
 * @p: proof, to be ended with prove_end() whatever is returned
 * @opt: options
 * @a: archive, or NULL
 * @k: kernel
 * @t: TPM
 * @out: where the new records go, or NULL
 *
 * Return: DONE, IO, or REFUSED: the newest shard is damaged.
 */
enum status prove_init(struct proof *p, const struct options *opt, struct archive *a,
		       struct kernel *k, struct tpm *t, struct new_shard *out)
{
	memset(p, 0, sizeof(*p));
	p->opt = opt;
	p->archive = a;
	p->kernel = k;
	p->tpm = t;
	p->out = out;
	p->pcrs = BANKS_USUAL;	/* until a shard says more */
	return take_newest(p);
}

/**
 * prove_check_key() - is the archive signed by this key?
 * @p: proof, the TPM open
 *
 * One archive, one key: else verify would have to trust any.
 *
 * Return: DONE, also if nothing is archived; REFUSED: by another one; IO.
 */
enum status prove_check_key(const struct proof *p)
{
	const struct ima_quote_blob *ak = &p->tpm->ak;
	__u8 hash[HASH_SIZE];

	if (!p->have_last)
		return DONE;
	if (!EVP_Digest(ak->data, ak->size, hash, NULL, EVP_sha256(), NULL))
		return say(IO, "OpenSSL: no SHA-256");
	if (!memcmp(hash, p->last.ak, HASH_SIZE))
		return DONE;
	return say(REFUSED,
		   "%s: the archive is signed by another attestation key: use that (--ak), or begin a new archive",
		   p->archive->path);
}

static void drop_banks(struct proof *p)
{
	banks_free(&p->before);
	banks_free(&p->banks);
}

/**
 * prove_end() - release all
 * @p: proof
 */
void prove_end(struct proof *p)
{
	drop_banks(p);
	if (p->writing)
		new_shard_end(p->out);
	p->writing = false;
}

static enum status make_banks(struct proof *p, struct banks *b)
{
	struct ima_log_selection select;
	enum status status;
	unsigned int i;

	status = banks_init(b);
	if (!status)
		status = tpm_banks(p->tpm, &select);
	for (i = 0; i < select.num && !status; i++)
		status = kernel_add_bank(p->kernel, b, select.bank[i].alg);
	b->pcrs = p->pcrs;
	return status;
}

static enum status take_quote(struct proof *p)
{
	struct manifest m = { .chain = p->chain, .first = p->end,
			      .verifier_len = p->opt->nonce_len };
	__u8 nonce[HASH_SIZE];

	if (getrandom(m.random, sizeof(m.random), 0) != sizeof(m.random))
		return say_errno("random numbers");
	manifest_set_place(&m);
	if (p->have_last)
		memcpy(m.previous, p->last.self, HASH_SIZE);
	memcpy(p->random, m.random, HASH_SIZE);
	memcpy(m.verifier, p->opt->nonce, p->opt->nonce_len);
	manifest_nonce(&m, nonce);
	return tpm_quote(p->tpm, &p->banks, nonce, sizeof(nonce), &p->quote, &p->target,
			 &p->info);
}

/* The quote told where to begin. It must have been asked for with that in its nonce. */
static enum status start_as_asked(struct proof *p)
{
	__u64 chain = p->chain, end = p->end;
	enum status status = prove_start(p);

	if (!status && p->out && (p->chain != chain || p->end != end))
		return AGAIN;
	return status;
}

/* Records of these PCRs follow: quote them as well, from the start. */
static enum status quote_more(struct proof *p, __u32 pcrs)
{
	p->pcrs |= pcrs;
	return AGAIN;
}

/* The kernel's first records, which the archive has: are they the same? */
static enum status skip_archived(struct proof *p, struct stream *s, bool *same)
{
	struct ima_log_record rec, own;
	enum status status = DONE;
	struct reader reader;
	bool end;

	*same = true;
	reader_init(&reader, p->archive, p->chain, stream_number(s));
	while (!status && *same && stream_number(s) < p->end) {
		status = stream_next(s, &rec, &end);
		if (!status && end)
			*same = false;
		if (status || end)
			break;
		progress(1);
		status = reader_next(&reader, &own, &end);
		if (!status)
			*same = !end && own.len == rec.len &&
				!memcmp(own.raw, rec.raw, rec.len);
	}
	reader_close(&reader);
	if (status || *same || !p->known)
		return status;
	status = kernel_unchanged(p->kernel);
	if (status)
		return status;
	if (end)
		return say(REFUSED,
			   "kernel's list: ends before record %llu, the archive has them up to %llu: is this archive of another machine?",
			   stream_number(s), p->end);
	return say(REFUSED, "kernel's list: record %llu is not the one in the archive",
		   stream_number(s) - 1);
}

static enum status add_record(struct proof *p, struct stream *s,
			      const struct ima_log_record *rec)
{
	__u32 missing = banks_missing(&p->banks, rec);
	const char *why;

	if (missing)
		return quote_more(p, missing);
	why = banks_extend(&p->banks, rec);
	if (why)
		return stream_bad(s, rec, why);
	return p->out ? new_shard_write(p->out, rec->raw, rec->len) : DONE;
}

/*
 * Replay until the PCRs are as quoted. What was listed before the quote must be covered,
 * but for records that no quote vouches for.
 */
static enum status follow(struct proof *p, struct stream *s, bool *match)
{
	__u64 listed = p->start + p->kernel->staged + p->kernel->count, bytes = 0;
	struct ima_log_record rec;
	enum status status;
	bool end;

	p->proven = p->end;
	p->bytes = 0;
	p->unproven = 0;
	status = banks_match(&p->banks, &p->target, match);
	while (!status && !(*match && stream_number(s) >= listed)) {
		status = stream_next(s, &rec, &end);
		if (!status && end)
			*match = false;
		if (status || end)
			break;
		progress(1);
		status = add_record(p, s, &rec);
		bytes += rec.len;
		if (status || !banks_quoted(&p->banks, &rec))
			continue;
		status = banks_match(&p->banks, &p->target, match);
		p->proven = stream_number(s);
		p->bytes = bytes;
		p->unproven = p->banks.unproven;
	}
	return status;
}

/**
 * prove_replay() - does the list lead to the quote, if it begins there?
 * @p: proof, with a quote; @p->proven and its companions are set on a match
 * @start: number of the kernel's first record
 * @match: whether it does
 *
 * Return: DONE; REFUSED: it cannot; IO; AGAIN: it changed meanwhile.
 */
enum status prove_replay(struct proof *p, __u64 start, bool *match)
{
	struct stream s = { .num = 0 };
	enum status status = DONE;

	*match = true;
	p->start = start;
	banks_copy(&p->banks, &p->before);
	p->banks.unproven = 0;
	if (p->out)
		status = new_shard_restart(p->out);
	if (!status)
		status = kernel_stream(p->kernel, &s, start);
	progress_begin("reading", p->kernel->staged + p->kernel->count);
	if (!status && start < p->end)
		status = skip_archived(p, &s, match);
	if (!status && *match)
		status = follow(p, &s, match);
	progress_end();
	stream_close(&s);
	return status;
}

/* Try each place that the kernel's first record can have. */
static enum status find_start(struct proof *p, bool *match)
{
	enum status status;
	struct align al;
	bool end = false;
	__u64 place;

	status = prove_replay(p, p->end, match);
	if (status || *match || p->fresh)
		return status;
	status = align_init(&al, p->archive, p->chain, p->kernel);
	while (!status && !*match && !end) {
		status = align_next(&al, &place, &end);
		if (!status && !end)
			status = prove_replay(p, place, match);
	}
	align_end(&al);
	p->aligned = *match;
	return status;
}

static enum status begin_shard(struct proof *p)
{
	enum status status = DONE;

	if (!p->out || (p->writing && p->out->chain == p->chain))
		return DONE;
	if (p->writing)
		status = new_shard_end(p->out);
	p->writing = !status;
	return status ?: new_shard_begin(p->out, p->archive, p->chain, p->opt->min_free);
}

/*
 * A record is listed shortly before it extends the PCR, and the quote can come between
 * the two: look again before it is believed. A TPM that was restarted may have begun
 * anew, if the kernel did.
 */
static enum status no_match(struct proof *p)
{
	if (p->mismatches < MISMATCHES) {
		kernel_back_off(&p->mismatches);
		return AGAIN;
	}
	if (p->fresh || !prove_may_be_anew(p))
		return prove_explain(p);
	p->anew = true;
	p->mismatches = 0;
	p->pcrs = BANKS_USUAL;
	return AGAIN;
}

static enum status prove_once(struct proof *p)
{
	enum status status;
	bool match;

	drop_banks(p);
	p->aligned = false;
	status = kernel_state(p->kernel);
	/*
	 * After that: what had left the list by then is in the archive by now. The one
	 * who writes it knows what is the newest.
	 */
	if (!status && !p->out)
		status = take_newest(p);
	if (!status)
		status = make_banks(p, &p->banks);
	if (!status)
		status = take_quote(p);
	if (!status)
		status = start_as_asked(p);
	if (!status)
		status = begin_shard(p);
	if (status)
		return status;
	if (p->known)
		status = prove_replay(p, p->base + p->kernel->removed - p->kernel->staged,
				      &match);
	else
		status = find_start(p, &match);
	if (!status)
		status = kernel_unchanged(p->kernel);
	if (status)
		return status;
	p->base = p->start + p->kernel->staged - p->kernel->removed;
	return match ? DONE : no_match(p);
}

/**
 * prove() - quote, read, and find how far the quote reaches
 * @p: proof
 *
 * Return: DONE; REFUSED: the list does not lead to the quote, and why; TPM, IO;
 * BUSY: others delete all the time.
 */
enum status prove(struct proof *p)
{
	enum status status = AGAIN;
	unsigned int tries;

	for (tries = 0; tries < TRIES && status == AGAIN; tries++)
		status = prove_once(p);
	if (status == AGAIN)
		status = say(BUSY, "kernel's list: other programs delete records all the time");
	return status;
}

/**
 * prove_manifest() - the manifest of the shard from @p->end to @p->proven
 * @p: proof
 * @m: manifest, all but the hashes of the files
 */
void prove_manifest(const struct proof *p, struct manifest *m)
{
	time_t now = time(NULL);
	struct tm tm;

	memset(m, 0, sizeof(*m));
	m->chain = p->chain;
	m->first = p->end;
	m->count = p->proven - p->end;
	m->bytes = p->bytes;
	m->unproven = p->unproven;
	if (p->have_last)
		memcpy(m->previous, p->last.self, HASH_SIZE);
	memcpy(m->boot_id, p->kernel->boot_id, sizeof(p->kernel->boot_id));
	memcpy(m->kernel, p->kernel->release, sizeof(p->kernel->release));
	m->base = p->base;
	m->counted = p->kernel->way != KERNEL_HELD;
	m->removed = p->kernel->removed;
	memcpy(m->random, p->random, HASH_SIZE);
	memcpy(m->verifier, p->opt->nonce, p->opt->nonce_len);
	m->verifier_len = p->opt->nonce_len;
	m->info = p->info;
	gmtime_r(&now, &tm);
	strftime(m->time, sizeof(m->time), MANIFEST_TIME, &tm);
	manifest_set_banks(m, &p->before, false);
	manifest_set_banks(m, &p->banks, true);
}
