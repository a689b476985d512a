// SPDX-License-Identifier: GPL-2.0-only
/*
 * A log of their own for the KUnit suites of the measurement log: the code is
 * what runs in production, but for the extension of the PCR.
 */

#include <linux/rhashtable.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "ima_log_kunit.h"

static unsigned long extends;

static int ima_kunit_extend(struct tpm_digest *digests, int pcr)
{
	lockdep_assert_held(&ima_extend_list_mutex);
	extends++;
	return 0;
}

/* How often a PCR was to be extended in this test. */
unsigned long ima_kunit_extends(void)
{
	return extends;
}

int ima_kunit_init(struct kunit *test)
{
	struct ima_kunit *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	test->priv = ctx;
	extends = 0;
	ctx->log.extend = ima_kunit_extend;
	ima_log_init(&ctx->log);
	return ima_digest_table_init(&ctx->log.digests);
}

static void ima_kunit_count_digest(void *digest, void *count)
{
	(*(unsigned long *)count)++;
	kfree(digest);
}

void ima_kunit_exit(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	unsigned long digests = 0;

	if (!ctx)
		return;
	for (int i = 0; i < IMA_KUNIT_PLACES; i++)
		ima_kunit_close(ctx, i);
	ctx->log.suspended = false;
	ima_kunit_delete_staged(ctx);
	ima_kunit_delete(ctx, ctx->log.list.count);
	rhashtable_free_and_destroy(&ctx->log.digests, ima_kunit_count_digest,
				    &digests);
	if (ctx->log.flush)
		KUNIT_EXPECT_EQ(test, digests, 0);
}

/* A record like any of the default template, with a name of varying length. */
static struct ima_template_entry *ima_kunit_entry(u32 event, bool violation)
{
	struct ima_template_desc *desc = ima_template_desc_current();
	struct ima_template_entry *entry;
	char name[64];
	int i;

	entry = kzalloc(struct_size(entry, template_data, desc->num_fields),
			GFP_KERNEL);
	if (!entry)
		return NULL;
	entry->template_desc = desc;
	entry->digests = kcalloc(NR_BANKS(ima_tpm_chip) + ima_extra_slots,
				 sizeof(*entry->digests), GFP_KERNEL);
	if (!entry->digests)
		goto err;

	for (i = 0; i < desc->num_fields; i++) {
		struct ima_field_data *field = &entry->template_data[i];

		field->len = scnprintf(name, sizeof(name), "%d:%0*u", i,
				       10 + event % 7, event) + 1;
		field->data = kmemdup(name, field->len, GFP_KERNEL);
		if (!field->data)
			goto err;
		entry->template_data_len += sizeof(field->len) + field->len;
	}

	if (!violation) {
		event++;	/* no digest is all zero */
		memcpy(entry->digests[ima_hash_algo_idx].digest, &event,
		       sizeof(event));
	}
	return entry;
err:
	ima_free_template_entry(entry);
	return NULL;
}

/* The event that a record is of; U32_MAX for a violation. */
u32 ima_kunit_event(const struct ima_queue_entry *qe)
{
	u32 event;

	memcpy(&event, qe->entry->digests[ima_hash_algo_idx].digest,
	       sizeof(event));
	return event - 1;
}

int ima_kunit_measure_pcr(struct ima_kunit *ctx, u32 event, bool violation,
			  int pcr)
{
	struct ima_template_entry *entry = ima_kunit_entry(event, violation);
	int ret;

	if (!entry)
		return -ENOMEM;
	entry->pcr = pcr;
	ret = ima_add_template_entry(&ctx->log, entry, violation, "kunit",
				     NULL, "kunit");
	if (ret)
		ima_free_template_entry(entry);
	return ret;
}

int ima_kunit_measure(struct ima_kunit *ctx, u32 event)
{
	return ima_kunit_measure_pcr(ctx, event, false,
				     CONFIG_IMA_MEASURE_PCR_IDX);
}

/* As if a former kernel had carried the event's record over. */
int ima_kunit_restore(struct ima_kunit *ctx, u32 event)
{
	struct ima_template_entry *entry = ima_kunit_entry(event, false);
	int ret;

	if (!entry)
		return -ENOMEM;
	entry->pcr = CONFIG_IMA_MEASURE_PCR_IDX;
	ret = ima_restore_measurement_entry(&ctx->log, entry);
	if (ret)
		ima_free_template_entry(entry);
	return ret;
}

/* Measure @count new events. */
void ima_kunit_fill(struct kunit *test, u32 first, u32 count)
{
	for (u32 i = 0; i < count; i++)
		KUNIT_ASSERT_EQ(test, ima_kunit_measure(test->priv, first + i),
				0);
}

int ima_kunit_open(struct ima_kunit *ctx, int i, struct ima_list *list,
		   struct pid *owner, bool writable)
{
	int ret;

	memset(&ctx->place[i], 0, sizeof(ctx->place[i]));
	memset(&ctx->seq[i], 0, sizeof(ctx->seq[i]));
	ctx->f_pos[i] = 0;
	ctx->place[i].f_pos = &ctx->f_pos[i];
	ret = ima_place_open(&ctx->place[i], &ctx->log, list, owner, writable);
	ctx->open[i] = !ret;
	return ret;
}

void ima_kunit_close(struct ima_kunit *ctx, int i)
{
	if (ctx->open[i])
		ima_place_close(&ctx->place[i]);
	ctx->open[i] = false;
}

/* As seq_file does. */
static int ima_kunit_read_section(struct kunit *test, int i, int n, u32 expect)
{
	struct ima_kunit *ctx = test->priv;
	struct ima_place *place = &ctx->place[i];
	struct seq_file *m = &ctx->seq[i];
	struct ima_queue_entry *qe;
	int shown = 0;

	qe = ima_place_start(place, m->index);
	while (!IS_ERR_OR_NULL(qe) && shown < n) {
		KUNIT_EXPECT_EQ(test, ima_kunit_event(qe), expect + shown);
		shown++;
		m->index++;
		qe = ima_place_next(place);
	}
	ima_place_stop(place);
	m->read_pos += shown * IMA_KUNIT_BYTES;
	return IS_ERR(qe) ? PTR_ERR(qe) : shown;
}

/*
 * Read @n records from the one with index @pos in the file on: as read(2) if
 * the file's own offset is there, else as pread(2). Returns how many, or -errno.
 */
int ima_kunit_read(struct kunit *test, int i, loff_t pos, int n, u32 expect)
{
	struct ima_kunit *ctx = test->priv;
	struct ima_place *place = &ctx->place[i];
	struct seq_file *m = &ctx->seq[i];
	loff_t offset = pos * IMA_KUNIT_BYTES;
	bool own = offset == ctx->f_pos[i];
	bool started = place->started;
	int ret;

	ret = ima_place_prepare(place, m, offset, own);
	if (ret)
		return ret;
	if (offset == place->origin || m->read_pos != offset - place->origin) {
		m->count = 0;
		m->read_pos = offset - place->origin;
		m->index = m->read_pos / IMA_KUNIT_BYTES;
	}

	ret = ima_kunit_read_section(test, i, n, expect);
	if (!started && !offset && ret <= 0)
		ima_place_restart(place);
	else if (own && ret >= 0)
		ima_place_note(place, m, ret > 0);
	if (own && ret > 0)
		ctx->f_pos[i] += ret * IMA_KUNIT_BYTES;
	return ret;
}

/* As lseek(2) to 0 */
void ima_kunit_rewind(struct ima_kunit *ctx, int i)
{
	ima_place_restart(&ctx->place[i]);
	memset(&ctx->seq[i], 0, sizeof(ctx->seq[i]));
	ctx->f_pos[i] = 0;
}

int ima_kunit_stage(struct ima_kunit *ctx)
{
	int ret;

	mutex_lock(&ctx->log.command);
	ret = ima_queue_stage(&ctx->log, IMA_KUNIT_SELF);
	mutex_unlock(&ctx->log.command);
	return ret;
}

int ima_kunit_delete_staged(struct ima_kunit *ctx)
{
	int ret;

	mutex_lock(&ctx->log.command);
	ret = ima_queue_delete_staged(&ctx->log, IMA_KUNIT_SELF);
	mutex_unlock(&ctx->log.command);
	return ret;
}

int ima_kunit_delete(struct ima_kunit *ctx, unsigned long n)
{
	int ret;

	mutex_lock(&ctx->log.command);
	ret = ima_queue_delete_partial(&ctx->log, n, IMA_KUNIT_SELF);
	mutex_unlock(&ctx->log.command);
	return ret;
}

/* Walk a list anew, and compare with what it says of itself. */
static void ima_kunit_check_list(struct kunit *test, struct ima_list *list,
				 u64 first, unsigned long count)
{
	struct seq_file file = { .size = SZ_1M };
	struct ima_queue_entry *qe;
	unsigned long walked = 0;

	file.buf = vmalloc(file.size);
	KUNIT_ASSERT_NOT_NULL(test, file.buf);
	list_for_each_entry(qe, &list->head, later) {
		if (ima_kunit_event(qe) != U32_MAX)
			KUNIT_EXPECT_EQ(test, ima_kunit_event(qe),
					first + walked);
		ima_measurements_show(&file, qe);
		walked++;
	}
	KUNIT_EXPECT_FALSE(test, seq_has_overflowed(&file));
	vfree(file.buf);

	KUNIT_EXPECT_EQ(test, list->first, first);
	KUNIT_EXPECT_EQ(test, walked, count);
	KUNIT_EXPECT_EQ(test, list->count, count);
	KUNIT_EXPECT_EQ(test, list->size, file.count);
}

/* Are the lists what they should be after @removed records left the list? */
void ima_kunit_check(struct kunit *test, u64 removed, unsigned long staged,
		     unsigned long count)
{
	struct ima_kunit *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, ima_log_removed(&ctx->log), removed);
	ima_kunit_check_list(test, &ctx->log.staged, removed - staged, staged);
	ima_kunit_check_list(test, &ctx->log.list, removed, count);
}
