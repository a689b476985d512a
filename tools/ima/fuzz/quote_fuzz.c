// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: verify a quote. The input is the nonce, then the key, the quote and
 * the signature, each with two bytes of length in front.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hex.h"
#include "ima_quote.h"

static bool take(const __u8 **data, size_t *size, struct ima_quote_blob *blob)
{
	size_t len;

	if (*size < 2)
		return false;
	len = **data << 8 | (*data)[1];
	*data += 2;
	*size -= 2;
	if (len > *size || len > sizeof(blob->data))
		return false;
	memcpy(blob->data, *data, len);
	blob->size = len;
	*data += len;
	*size -= len;
	return true;
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	const __u8 *nonce = data;
	struct ima_log_target target;
	__u8 print[IMA_QUOTE_PRINT_SIZE];
	static struct ima_quote quote;
	static struct ima_quote_blob ak;
	struct ima_quote_info info;
	const char *why;

	if (size < HASH_SIZE)
		return 0;
	data += HASH_SIZE;
	size -= HASH_SIZE;
	if (!take(&data, &size, &ak) || !take(&data, &size, &quote.attest) ||
	    !take(&data, &size, &quote.signature))
		return 0;
	ima_quote_info(&quote, &info);
	ima_quote_fingerprint(&ak, print, &why);
	if (!ima_quote_verify(&quote, &ak, NULL, nonce, HASH_SIZE, &target, &why) &&
	    ima_quote_info(&quote, &info))
		abort();
	return 0;
}
