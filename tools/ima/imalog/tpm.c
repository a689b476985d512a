// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TPM and its attestation key, as the options name them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "tpm.h"

static bool is_handle(const char *ak, __u32 *handle)
{
	unsigned int number;
	char end;

	if (strncmp(ak, "0x", 2) || sscanf(ak, "%x%c", &number, &end) != 1)
		return false;
	*handle = number;
	return true;
}

static enum status load_ak(struct tpm *t, const char *ak)
{
	const char *auth = getenv("IMALOG_AK_AUTH"), *eh_auth = getenv("IMALOG_EH_AUTH");
	__u32 handle;
	FILE *pem;
	int err;

	if (!ak) {
		err = ima_quote_create_ak(t->tpm, IMA_QUOTE_ENDORSEMENT, NULL,
					  eh_auth, &t->ak);
	} else if (is_handle(ak, &handle)) {
		err = ima_quote_load_handle(t->tpm, handle, auth, &t->ak);
	} else {
		pem = fopen(ak, "re");
		if (!pem)
			return say_errno("--ak: %s", ak);
		err = ima_quote_load_pem(t->tpm, pem, auth, eh_auth, &t->ak);
		fclose(pem);
	}
	if (err)
		return say(TPM, "TPM: attestation key%s%s: %s", ak ? " " : "", ak ?: "",
			   ima_quote_error(t->tpm));
	return DONE;
}

/**
 * tpm_open() - connect, and have the attestation key ready
 * @t: TPM, to be closed with tpm_close() whatever is returned
 * @opt: how to reach it, and which key
 *
 * Return: DONE, TPM, IO: no such file, or REFUSED: not a key to attest with.
 */
enum status tpm_open(struct tpm *t, const struct options *opt)
{
	enum status status;
	const char *why;

	memset(t, 0, sizeof(*t));
	if (ima_quote_open(&t->tpm, opt->tcti))
		return say(TPM, "TPM: %s", ima_quote_error(t->tpm));
	status = load_ak(t, opt->ak);
	if (!status && ima_quote_fingerprint(&t->ak, t->print, &why))
		status = say(REFUSED, "TPM: attestation key: %s", why);
	return status;
}

/**
 * tpm_close() - let go; nothing of ours is left in the TPM
 * @t: TPM
 */
void tpm_close(struct tpm *t)
{
	ima_quote_close(t->tpm);
	t->tpm = NULL;
}

/**
 * tpm_banks() - which banks are extended?
 * @t: TPM
 * @select: the banks
 *
 * Return: DONE or TPM.
 */
enum status tpm_banks(struct tpm *t, struct ima_log_selection *select)
{
	if (ima_quote_banks(t->tpm, BANKS_USUAL, select))
		return say(TPM, "TPM: %s", ima_quote_error(t->tpm));
	if (!select->num)
		return say(TPM, "TPM: no bank has PCR 10");
	return DONE;
}

/**
 * tpm_quote() - quote the PCRs of the banks, and verify that
 * @t: TPM
 * @b: banks
 * @nonce: nonce
 * @len: bytes of it
 * @quote: the quote
 * @target: what it states of the PCRs
 * @info: and beside them
 *
 * Return: DONE, or TPM: it fails, or does not sign as it should.
 */
enum status tpm_quote(struct tpm *t, const struct banks *b, const void *nonce,
		      size_t len, struct ima_quote *quote,
		      struct ima_log_target *target, struct ima_quote_info *info)
{
	struct ima_log_selection select;
	const char *why = "malformed";

	banks_select(b, &select);
	if (ima_quote_take(t->tpm, &select, nonce, len, quote))
		return say(TPM, "TPM: %s", ima_quote_error(t->tpm));
	if (ima_quote_verify(quote, &t->ak, &select, nonce, len, target, &why) ||
	    ima_quote_info(quote, info))
		return say(TPM, "TPM: its quote does not verify: %s", why);
	return DONE;
}

/**
 * tpm_values() - read the PCRs of the banks, to look at
 * @t: TPM
 * @b: banks
 * @values: their values
 *
 * Return: DONE or TPM.
 */
enum status tpm_values(struct tpm *t, const struct banks *b,
		       struct ima_quote_values *values)
{
	struct ima_log_selection select;

	banks_select(b, &select);
	if (ima_quote_read_pcrs(t->tpm, &select, values))
		return say(TPM, "TPM: %s", ima_quote_error(t->tpm));
	return DONE;
}

static bool is_fingerprint(const char *ak, __u8 print[IMA_QUOTE_PRINT_SIZE])
{
	return hex_to_some_typed(ak, print, IMA_QUOTE_PRINT_SIZE) == IMA_QUOTE_PRINT_SIZE;
}

/**
 * tpm_is_public() - does --ak name a key that can verify, but not sign?
 * @ak: what was given
 *
 * Return: whether it is a fingerprint, or the file of a public key in PEM.
 */
bool tpm_is_public(const char *ak)
{
	__u8 print[IMA_QUOTE_PRINT_SIZE];
	FILE *pem;
	bool good;

	if (is_fingerprint(ak, print))
		return true;
	pem = fopen(ak, "re");
	if (!pem)
		return false;
	good = !ima_quote_pem_fingerprint(pem, print);
	fclose(pem);
	return good;
}

/**
 * tpm_pinned() - fingerprint of the key that --ak names, without a TPM
 * @opt: options; --ak is a public key in PEM, or a fingerprint
 * @print: the fingerprint
 *
 * Return: DONE, USAGE: no --ak or not such a one, or IO.
 */
enum status tpm_pinned(const struct options *opt, __u8 print[IMA_QUOTE_PRINT_SIZE])
{
	FILE *pem;
	int err;

	if (!opt->ak)
		return say(USAGE,
			   "--offline needs --ak: the public key in PEM, or its fingerprint: else anyone could have signed");
	if (is_fingerprint(opt->ak, print))
		return DONE;
	pem = fopen(opt->ak, "re");
	if (!pem && strncmp(opt->ak, "0x", 2))
		return say_errno("--ak: %s", opt->ak);
	err = pem ? ima_quote_pem_fingerprint(pem, print) : -EINVAL;
	if (pem)
		fclose(pem);
	if (err)
		return say(USAGE, "--ak: %s: neither a public key in PEM nor a fingerprint",
			   opt->ak);
	return DONE;
}
