// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a shard prove what it says? Its files are those of the manifest, the key has
 * signed the quote, with a nonce that binds the manifest before, and the records lead
 * from the PCR values before to those that were quoted, in each bank.
 */
#include <string.h>

#include "hex.h"
#include "replay.h"

static enum status check_key(const struct shard *s, const struct ima_quote_blob *ak,
			     const __u8 *print)
{
	__u8 own[IMA_QUOTE_PRINT_SIZE];
	char hex[HEX_SIZE(IMA_QUOTE_PRINT_SIZE)];
	const char *why;

	if (ima_quote_fingerprint(ak, own, &why))
		return say(REFUSED, "%s: ak: %s", s->name, why);
	if (!print || !memcmp(own, print, sizeof(own)))
		return DONE;
	hex_from(hex, own, sizeof(own));
	return say(REFUSED,
		   "%s: ak: the quote is by another attestation key, SHA-256 fingerprint %s",
		   s->name, hex);
}

/* What the TPM signed beside the PCRs is what the manifest says. */
static enum status check_info(const struct shard *s, const struct ima_quote *quote)
{
	const struct ima_quote_info *want = &s->m.info;
	struct ima_quote_info info;

	if (ima_quote_info(quote, &info))
		return say(REFUSED, "%s: quote: malformed", s->name);
	if (info.clock != want->clock)
		return say(REFUSED, "%s: shard.json: clock: the quote says %llu", s->name,
			   info.clock);
	if (info.resets != want->resets)
		return say(REFUSED, "%s: shard.json: resets: the quote says %u", s->name,
			   info.resets);
	if (info.restarts != want->restarts)
		return say(REFUSED, "%s: shard.json: restarts: the quote says %u",
			   s->name, info.restarts);
	if (info.safe != want->safe)
		return say(REFUSED, "%s: shard.json: safe: the quote differs", s->name);
	return DONE;
}

/**
 * replay_quote() - verify the quote of a shard
 * @s: shard
 * @print: fingerprint of the key that must have signed; NULL: any
 * @target: what the quote states of the PCRs
 *
 * Return: DONE, IO, or REFUSED.
 */
enum status replay_quote(const struct shard *s, const __u8 *print,
			 struct ima_log_target *target)
{
	struct ima_log_selection select;
	__u8 nonce[HASH_SIZE];
	struct ima_quote_blob ak;
	struct ima_quote quote;
	enum status status;
	const char *why;
	unsigned int i;

	status = shard_blob(s, SHARD_QUOTE, &quote.attest);
	if (!status)
		status = shard_blob(s, SHARD_SIGNATURE, &quote.signature);
	if (!status)
		status = shard_blob(s, SHARD_AK, &ak);
	if (!status)
		status = check_key(s, &ak, print);
	if (status)
		return status;

	select.num = s->m.num_banks;
	for (i = 0; i < select.num; i++) {
		select.bank[i].alg = s->m.bank[i].alg;
		select.bank[i].pcrs = s->m.pcrs;
	}
	manifest_nonce(&s->m, nonce);
	if (ima_quote_verify(&quote, &ak, &select, nonce, sizeof(nonce), target, &why))
		return say(REFUSED, "%s: quote: %s", s->name, why);
	if (!manifest_has_place(&s->m))
		return say(REFUSED,
			   "%s: shard.json: random: the quote is of another place in the log",
			   s->name);
	return check_info(s, &quote);
}

/* The PCR values at the end are those of the manifest. */
static enum status check_after(const struct shard *s, const struct banks *b)
{
	const struct manifest_bank *want;
	unsigned int i, pcr;

	for (i = 0; i < b->num; i++) {
		want = &s->m.bank[i];
		for (pcr = 0; pcr < IMA_LOG_PCRS; pcr++)
			if (b->pcrs >> pcr & 1 &&
			    memcmp(b->bank[i].value[pcr], want->after[pcr],
				   b->bank[i].size))
				return say(REFUSED,
					   "%s: shard.json: after: the records do not lead to PCR %u in bank %s",
					   s->name, pcr, b->bank[i].name);
	}
	return DONE;
}

static enum status run(const struct shard *s, struct stream *stream, struct banks *b)
{
	struct ima_log_record rec;
	enum status status;
	const char *why;
	bool end;

	for (;;) {
		status = stream_next(stream, &rec, &end);
		if (status || end)
			return status;
		progress(rec.len);
		/* trim would have had them quoted */
		if (banks_missing(b, &rec))
			return stream_bad(stream, &rec, "its PCR was not quoted");
		why = banks_extend(b, &rec);
		if (why)
			return stream_bad(stream, &rec, why);
		if (stream->parser.records > s->m.count)
			return stream_bad(stream, &rec, "more records than shard.json says");
	}
}

static enum status check_end(const struct shard *s, const struct stream *stream,
			     struct banks *b, const struct ima_log_target *target)
{
	enum status status;
	bool match;

	if (stream->parser.records != s->m.count)
		return say(REFUSED, "%s: records: ends before record %llu, shard.json: count: %llu",
			   s->name, stream_number(stream), s->m.count);
	if (b->unproven != s->m.unproven)
		return say(REFUSED, "%s: shard.json: unproven: there are %llu", s->name,
			   b->unproven);
	status = check_after(s, b);
	if (!status)
		status = banks_match(b, target, &match);
	if (!status && !match)
		status = say(REFUSED, "%s: records: do not lead to the PCRs that were quoted",
			     s->name);
	return status;
}

/**
 * replay_records() - replay the records of a shard
 * @s: shard
 * @target: what its quote states
 *
 * Return: DONE, IO, or REFUSED.
 */
enum status replay_records(const struct shard *s, const struct ima_log_target *target)
{
	struct stream stream = { .num = 0 };
	enum status status;
	struct banks b;

	status = banks_init(&b);
	if (!status)
		status = manifest_banks(&s->m, &b, false);
	if (!status)
		status = shard_records(s, &stream);
	if (!status)
		status = run(s, &stream, &b);
	if (!status)
		status = check_end(s, &stream, &b, target);
	stream_close(&stream);
	banks_free(&b);
	return status;
}

/**
 * replay_shard() - check all of a shard that can be checked without its neighbours
 * @s: shard
 * @print: fingerprint of the key that must have signed; NULL: any
 *
 * Return: DONE, IO, or REFUSED.
 */
enum status replay_shard(const struct shard *s, const __u8 *print)
{
	struct ima_log_target target;
	enum status status;

	status = shard_check_quote(s);
	if (!status)
		status = replay_quote(s, print, &target);
	/* it can tell which record is altered, the hash only that one is */
	if (!status)
		status = replay_records(s, &target);
	if (!status)
		status = shard_check_records(s);
	return status;
}
