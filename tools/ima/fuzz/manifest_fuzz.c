// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: read shard.json. What is taken is written again the same, so there
 * is one text only for what it says.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "manifest.h"

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	static struct manifest m;
	__u8 nonce[HASH_SIZE];
	char *text;

	if (manifest_read(&m, (const char *)data, size))
		return 0;
	text = manifest_write(&m);
	if (!text || strlen(text) != size || memcmp(text, data, size))
		abort();
	free(text);
	manifest_nonce(&m, nonce);
	return 0;
}
