// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page for people: what verifies, and how log and list have grown. It needs nothing
 * from anywhere else, and has no scripts.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hex.h"
#include "report.h"

#define SHARDS_SHOWN	500	/* the newest */

static const char head[] =
"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
"<title>IMA measurement log</title>\n<style>\n"
"body { font: 15px/1.5 sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em;\n"
"       color: #222 }\n"
"h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em }\n"
".good, .bad { padding: .8em 1em; border-left: .4em solid }\n"
".good { background: #e8f5e9; border-color: #2e7d32 }\n"
".bad { background: #ffebee; border-color: #c62828 }\n"
".wide { overflow-x: auto }\n"
"table { border-collapse: collapse } td, th { padding: .2em .6em; text-align: right;\n"
"       border-bottom: 1px solid #ddd; white-space: nowrap }\n"
"td.text, th.text { text-align: left }\n"
"code { font-size: .85em; overflow-wrap: anywhere } svg { max-width: 100%; height: auto }\n"
"</style>\n</head>\n<body>\n<h1>IMA measurement log</h1>\n";

static const char says[] =
"<h2>What this says</h2>\n<p>Whoever has the attestation key's TPM quoted, at that time\n"
"of its clock, PCR values to which the records lead, in this order, none missing and\n"
"none altered before. A quote with a nonce of its own proves order and integrity, not\n"
"when it was made. That the newest shards are missing, only their host or a verifier's\n"
"nonce can tell. See imalog(8).</p>\n</body>\n</html>\n";

static void put(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void put_verdict(FILE *out, const struct verify_result *r, enum status verified)
{
	const struct verify_chain *last = r->num ? &r->chain[r->num - 1] : NULL;

	if (verified) {
		fprintf(out, "<p class=\"bad\"><strong>%s</strong><br>",
			verified == REFUSED ? "It does not verify." :
					      "It could not be verified.");
		put(out, say_last());
		fputs("</p>\n", out);
		return;
	}
	fputs("<p class=\"good\"><strong>Verified.</strong><br>", out);
	if (r->live.looked)
		fprintf(out,
			"The archive and the %llu records in the kernel lead to what the TPM quoted just now, at clock %llu ms of reset %u.",
			r->live.proven - r->live.start, r->live.info.clock,
			r->live.info.resets);
	else if (last)
		fprintf(out, "Proven up to TPM clock %llu ms of reset %u (%s).",
			last->info.clock, last->info.resets, last->time);
	else
		fputs("The archive is empty.", out);
	fputs("</p>\n", out);
}

static void put_key(FILE *out, const struct verify_result *r)
{
	char hex[HEX_SIZE(IMA_QUOTE_PRINT_SIZE)], now[32];
	time_t t = time(NULL);
	struct tm tm;

	hex_from(hex, r->print, sizeof(r->print));
	strftime(now, sizeof(now), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&t, &tm));
	fprintf(out, "<p>Attestation key <code>%s</code>. Looked at on %s.</p>\n", hex, now);
}

static void put_chains(FILE *out, const struct verify_result *r)
{
	size_t i;

	fputs("<h2>Chains: what was measured from one reset of the TPM to the next</h2>\n", out);
	if (r->older)
		fputs("<p>Older ones have been dropped from the archive.</p>\n", out);
	fputs("<div class=\"wide\"><table>\n<tr><th>chain<th>reset<th>shards<th>records\n"
	      "<th>of these unproven<th>bytes<th>proven up to TPM clock, ms\n"
	      "<th class=\"text\">at</tr>\n", out);
	for (i = 0; i < r->num; i++) {
		const struct verify_chain *c = &r->chain[i];

		fprintf(out,
			"<tr><td>%llu<td>%u<td>%llu<td>%llu<td>%llu<td>%llu<td>%llu<td class=\"text\">%s</tr>\n",
			c->chain, c->info.resets, c->shards, c->records, c->unproven,
			c->bytes, c->info.clock, c->time);
	}
	fputs("</table></div>\n", out);
}

static void put_shards(FILE *out, const struct verify_result *r)
{
	size_t i = r->num_shards > SHARDS_SHOWN ? r->num_shards - SHARDS_SHOWN : 0;

	fputs("<h2>Shards: each is proven by a quote, and bound to the one before</h2>\n",
	      out);
	if (i)
		fprintf(out, "<p>The newest %u of %zu.</p>\n", SHARDS_SHOWN, r->num_shards);
	fputs("<div class=\"wide\"><table>\n<tr><th>chain<th>records from<th>to\n"
	      "<th>in the kernel then<th>bytes<th>TPM clock, ms\n"
	      "<th class=\"text\">at<th class=\"text\">nonce<th class=\"text\">kernel</tr>\n", out);
	for (; i < r->num_shards; i++) {
		const struct verify_shard *s = &r->shard[i];
		__u64 end = s->first + s->count;

		/*
		 * The list may begin behind that: what is staged has left it, and where
		 * that of the newest shard began, nothing signs.
		 */
		fprintf(out,
			"<tr><td>%llu<td>%llu<td>%llu<td>%llu<td>%llu<td>%llu<td class=\"text\">%s<td class=\"text\">%s<td class=\"text\">",
			s->chain, s->first, end - 1, end > s->start ? end - s->start : 0,
			s->bytes, s->info.clock, s->time,
			s->asked ? "a verifier's" : "its own");
		put(out, s->kernel);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

/**
 * report_html() - write the page
 * @out: where to
 * @r: what was found
 * @verified: what verify_all() returned, and said
 *
 * Return: DONE or IO.
 */
enum status report_html(FILE *out, const struct verify_result *r, enum status verified)
{
	enum status status = DONE;

	fputs(head, out);
	put_verdict(out, r, verified);
	put_key(out, r);
	if (r->num_shards) {
		fputs("<h2>Log and list</h2>\n", out);
		status = plot_svg(out, r);
		fputs("<p>Before each trim the list in the kernel is at its longest,\n"
		      "behind it at its shortest. The bytes of the list are estimated\n"
		      "from those of the records that were archived then.</p>\n", out);
		put_chains(out, r);
		put_shards(out, r);
	}
	fputs(says, out);
	if (!status && ferror(out))
		status = say_errno("report");
	return status;
}
