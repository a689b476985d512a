/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members of shard.json but "banks", in their order.
 */
#ifndef _MANIFEST_FIELDS_H
#define _MANIFEST_FIELDS_H

#include <stddef.h>

#include "manifest.h"

enum manifest_type { M_U64, M_U32, M_BOOL, M_HASH, M_TEXT, M_TIME };

struct manifest_field {
	const char *name;
	enum manifest_type type;
	size_t offset;
};

#define M_FIELD(name, type, member) { name, type, offsetof(struct manifest, member) }

static const struct manifest_field manifest_fields[] = {
	M_FIELD("chain", M_U64, chain),
	M_FIELD("first", M_U64, first),
	M_FIELD("count", M_U64, count),
	M_FIELD("bytes", M_U64, bytes),
	M_FIELD("unproven", M_U64, unproven),
	M_FIELD("records", M_HASH, records),
	M_FIELD("quote", M_HASH, quote),
	M_FIELD("signature", M_HASH, signature),
	M_FIELD("ak", M_HASH, ak),
	M_FIELD("previous", M_HASH, previous),
	M_FIELD("boot_id", M_TEXT, boot_id),
	M_FIELD("kernel", M_TEXT, kernel),
	M_FIELD("base", M_U64, base),
	M_FIELD("counted", M_BOOL, counted),
	M_FIELD("removed", M_U64, removed),
	M_FIELD("random", M_HASH, random),
	M_FIELD("clock", M_U64, info.clock),
	M_FIELD("resets", M_U32, info.resets),
	M_FIELD("restarts", M_U32, info.restarts),
	M_FIELD("safe", M_BOOL, info.safe),
	M_FIELD("time", M_TIME, time),
};

#endif /* _MANIFEST_FIELDS_H */
