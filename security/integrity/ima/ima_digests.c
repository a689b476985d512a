// SPDX-License-Identifier: GPL-2.0-only
/*
 * File: ima_digests.c
 *	The digests of the events measured so far: "was this measured before?"
 *
 *	They live apart from the records of the measurement list, a small node
 *	per event, so that a record can be freed and its event still be known.
 */

#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "ima_log.h"

/* There are more events than this before a machine is up. */
#define IMA_DIGEST_BUCKETS 2048

/* Compared as a whole: no padding between the two. */
struct ima_digest_key {
	u32 pcr;
	u8 digest[HASH_MAX_DIGESTSIZE] __aligned(4);
};

struct ima_digest {
	struct rhash_head node;
	struct ima_digest_key key;	/* allocated up to the digest's end */
};

static struct kmem_cache *ima_digest_cache __ro_after_init;

static unsigned int ima_digest_key_len(void)
{
	return offsetof(struct ima_digest_key, digest) +
	       hash_digest_size[ima_hash_algo];
}

/**
 * ima_digest_cache_init - prepare the allocation of digests
 *
 * Called once ima_hash_algo is final: it sets the size of a digest.
 *
 * Return: 0, or -ENOMEM.
 */
int __init ima_digest_cache_init(void)
{
	ima_digest_cache = kmem_cache_create("ima_digest",
					     offsetof(struct ima_digest, key) +
					     ima_digest_key_len(),
					     __alignof__(struct ima_digest), 0,
					     NULL);
	return ima_digest_cache ? 0 : -ENOMEM;
}

/*
 * Any words of a digest are as good as a hash of them all. The seed is against
 * events that are made to share a bucket.
 */
static u32 ima_digest_hash(const void *data, u32 len, u32 seed)
{
	const struct ima_digest_key *key = data;
	const u32 *words = (const u32 *)key->digest;

	return jhash_3words(key->pcr, words[0], words[1], seed);
}

/**
 * ima_digest_table_init - initialize an empty table of digests
 * @table: the table
 *
 * Return: 0, or an error of rhashtable_init().
 */
int ima_digest_table_init(struct rhashtable *table)
{
	const struct rhashtable_params params = {
		.head_offset = offsetof(struct ima_digest, node),
		.key_offset = offsetof(struct ima_digest, key),
		.key_len = ima_digest_key_len(),
		.hashfn = ima_digest_hash,
		.min_size = IMA_DIGEST_BUCKETS,
		.automatic_shrinking = true,
	};

	return rhashtable_init(table, &params);
}

static void ima_digest_key_set(struct ima_digest_key *key, const u8 *digest,
			       int pcr)
{
	key->pcr = pcr;
	memcpy(key->digest, digest, hash_digest_size[ima_hash_algo]);
}

/**
 * ima_digest_known - was this event measured before?
 * @table: the table
 * @digest: the event's template digest, of algorithm ima_hash_algo
 * @pcr: the PCR that the event is for
 *
 * Return: true if @table has @digest for @pcr.
 */
bool ima_digest_known(struct rhashtable *table, const u8 *digest, int pcr)
{
	struct ima_digest_key key;

	ima_digest_key_set(&key, digest, pcr);
	return rhashtable_lookup_fast(table, &key, table->p);
}

/**
 * ima_digest_add - remember an event
 * @table: the table, which does not know the event
 * @digest: the event's template digest, of algorithm ima_hash_algo
 * @pcr: the PCR that the event is for
 *
 * Forgetting an event costs a second record of it, no more, so whoever adds a
 * record goes on without a node if there is none to be had.
 *
 * Return: the node, or NULL if memory is short or @table full.
 */
struct ima_digest *ima_digest_add(struct rhashtable *table, const u8 *digest,
				  int pcr)
{
	struct ima_digest *new;

	new = kmem_cache_alloc(ima_digest_cache, GFP_KERNEL);
	if (!new)
		return NULL;

	ima_digest_key_set(&new->key, digest, pcr);
	if (rhashtable_insert_fast(table, &new->node, table->p)) {
		kmem_cache_free(ima_digest_cache, new);
		return NULL;
	}
	return new;
}

/**
 * ima_digest_remove - forget an event
 * @table: the table
 * @digest: the event's node in @table, for ima_digest_free() once an RCU grace
 *	    period is over: others can look at it
 *
 * Others can look up, add and remove events meanwhile.
 */
void ima_digest_remove(struct rhashtable *table, struct ima_digest *digest)
{
	rhashtable_remove_fast(table, &digest->node, table->p);
}

/**
 * ima_digest_free - free the node of an event
 * @digest: a node that is in no table, or NULL
 */
void ima_digest_free(struct ima_digest *digest)
{
	if (digest)
		kmem_cache_free(ima_digest_cache, digest);
}
