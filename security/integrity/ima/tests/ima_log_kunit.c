// SPDX-License-Identifier: GPL-2.0-only
/*
 * A log of their own for the KUnit suites of the measurement log: the code is
 * what runs in production, but for the extension of the PCR.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/rhashtable.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include "ima_log_kunit.h"

static unsigned long extends;

static int ima_kunit_extend(struct tpm_digest *digests, int pcr)
{
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
	ctx->test = test;
	extends = 0;
	kunit_activate_static_stub(test, ima_pcr_extend, ima_kunit_extend);
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
		for (i = 0; i < NR_BANKS(ima_tpm_chip) + ima_extra_slots; i++)
			memcpy(entry->digests[i].digest, &event, sizeof(event));
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

	memcpy(&event, ima_queue_digest((struct ima_queue_entry *)qe,
					ima_hash_algo_idx), sizeof(event));
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

/* Each record is shown as its event, in digits that fill it up. */
static int ima_kunit_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%0*u", IMA_KUNIT_BYTES, ima_kunit_event(v));
	return 0;
}

int ima_kunit_open(struct ima_kunit *ctx, int i, struct ima_list *list,
		   struct pid *owner, bool writable)
{
	static const struct file_operations fops;
	struct ima_place *place = &ctx->place[i];
	int ret;

	memset(place, 0, sizeof(*place));
	place->log = &ctx->log;
	place->list = list;
	place->show = ima_kunit_show;
	place->writable = writable;
	ret = ima_place_open(place, owner);
	ctx->open[i] = !ret;

	memset(&ctx->file[i], 0, sizeof(ctx->file[i]));
	ctx->file[i].f_op = &fops;
	ctx->file[i].f_mode = FMODE_READ | (writable ? FMODE_WRITE : 0);
	ctx->file[i].private_data = place;
	return ret;
}

void ima_kunit_close(struct ima_kunit *ctx, int i)
{
	if (ctx->open[i])
		ima_place_close(&ctx->place[i]);
	ctx->open[i] = false;
}

/*
 * Read @len bytes at @pos, which are in records from event @expect on. It is
 * a read(2) if the file's own offset is there, else a pread(2). Return how many,
 * or -errno.
 */
long ima_kunit_read_bytes(struct kunit *test, int i, loff_t pos, size_t len,
			  u32 expect)
{
	char *buf = kunit_kzalloc(test, len + 1, GFP_KERNEL);
	struct ima_kunit *ctx = test->priv;
	struct file *file = &ctx->file[i];
	struct kiocb iocb = { .ki_filp = file, .ki_pos = pos };
	struct kvec vec = { buf, len };
	char wanted[IMA_KUNIT_BYTES + 1];
	struct iov_iter to;
	long ret;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	iov_iter_kvec(&to, ITER_DEST, &vec, 1, len);
	ret = ima_list_read(&iocb, &to);
	KUNIT_EXPECT_EQ(test, iocb.ki_pos, pos + max(ret, 0L));
	if (file->f_pos == pos)
		file->f_pos = iocb.ki_pos;
	for (long n = 0; n + IMA_KUNIT_BYTES <= ret; n += IMA_KUNIT_BYTES) {
		snprintf(wanted, sizeof(wanted), "%0*u", IMA_KUNIT_BYTES,
			 expect++);
		KUNIT_EXPECT_MEMEQ(test, buf + n, wanted, IMA_KUNIT_BYTES);
	}
	kunit_kfree(test, buf);
	return ret;
}

/* The same in whole records, the one with index @pos in the file first. */
long ima_kunit_read(struct kunit *test, int i, loff_t pos, int n, u32 expect)
{
	long ret = ima_kunit_read_bytes(test, i, pos * IMA_KUNIT_BYTES,
					n * IMA_KUNIT_BYTES, expect);

	return ret < 0 ? ret : ret / IMA_KUNIT_BYTES;
}

loff_t ima_kunit_lseek(struct ima_kunit *ctx, int i, loff_t offset, int whence)
{
	return ima_list_llseek(&ctx->file[i], offset, whence);
}

void ima_kunit_rewind(struct ima_kunit *ctx, int i)
{
	KUNIT_EXPECT_EQ(ctx->test, ima_kunit_lseek(ctx, i, 0, SEEK_SET), 0);
}

/* Return @len, or -errno. */
long ima_kunit_write(struct ima_kunit *ctx, int i, const char *text, size_t len)
{
	struct kiocb iocb = { .ki_filp = &ctx->file[i] };
	struct kvec vec = { (char *)text, len };
	struct iov_iter from;

	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, len);
	return ima_command_write(&iocb, &from);
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
