// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of reads into memory of user space: what happens while a page of
 * it is missing, and where a read that fails in the middle leaves the file.
 */

#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uio.h>

#include "ima_log_kunit.h"

#define IMA_READ_MAX 200

/* Two pages: the first one comes with a command, the second one never. */
struct ima_memory {
	struct ima_kunit *ctx;
	unsigned long addr;
	unsigned long n;	/* records to delete then; 0 stages the list */
	bool command;
	int faults;
	int ret;		/* of the command */
};

static vm_fault_t ima_memory_fault(struct vm_fault *vmf)
{
	struct ima_memory *memory = vmf->vma->vm_file->private_data;

	if (vmf->pgoff)
		return VM_FAULT_SIGBUS;
	vmf->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!vmf->page)
		return VM_FAULT_OOM;
	memory->faults++;
	if (memory->command)
		memory->ret = memory->n ? ima_kunit_delete(memory->ctx,
							   memory->n) :
					  ima_kunit_stage(memory->ctx);
	return 0;
}

static const struct vm_operations_struct ima_memory_vm_ops = {
	.fault = ima_memory_fault,
};

static int ima_memory_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &ima_memory_vm_ops;
	return 0;
}

static const struct file_operations ima_memory_fops = {
	.mmap = ima_memory_mmap,
};

static void ima_memory_map(struct kunit *test, struct ima_memory *memory)
{
	struct file *file;

	memory->ctx = test->priv;
	file = anon_inode_getfile("[ima_kunit]", &ima_memory_fops, memory,
				  O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	memory->addr = kunit_vm_mmap(test, file, 0, 2 * PAGE_SIZE,
				     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	fput(file);
	KUNIT_ASSERT_NE(test, memory->addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(memory->addr));
}

/* read(2) of @len bytes to @addr, which are the file's from its offset on. */
static long ima_read_user(struct kunit *test, int i, unsigned long addr,
			  size_t len)
{
	struct ima_kunit *ctx = test->priv;
	struct file *file = &ctx->file[i];
	struct kiocb iocb = { .ki_filp = file, .ki_pos = file->f_pos };
	struct iov_iter to;
	long ret;

	iov_iter_ubuf(&to, ITER_DEST, (void __user *)addr, len);
	ret = ima_list_read(&iocb, &to);
	KUNIT_EXPECT_EQ(test, iocb.ki_pos, file->f_pos + max(ret, 0L));
	file->f_pos = iocb.ki_pos;
	return ret;
}

/* The first @len bytes at @addr: events in digits, from byte @skip of 0 on. */
static void ima_read_expect(struct kunit *test, unsigned long addr, size_t len,
			    size_t skip)
{
	char got[IMA_READ_MAX], wanted[IMA_READ_MAX + IMA_KUNIT_BYTES + 1];

	KUNIT_ASSERT_LE(test, len + skip, IMA_READ_MAX);
	for (u32 i = 0; i * IMA_KUNIT_BYTES < len + skip; i++)
		snprintf(wanted + i * IMA_KUNIT_BYTES, IMA_KUNIT_BYTES + 1,
			 "%0*u", IMA_KUNIT_BYTES, i);
	KUNIT_ASSERT_EQ(test, copy_from_user(got, (void __user *)addr, len), 0);
	KUNIT_EXPECT_MEMEQ(test, got, wanted + skip, len);
}

static const struct ima_beside {
	const char *name;
	int records;		/* in the list */
	size_t room;		/* of the read */
	unsigned long n;	/* records that another process deletes, or A */
	int ret;
} ima_besides[] = {
	{ "N of the record and the next", 5, 100, 2, -EBUSY },
	{ "N of all", 5, 100, 5, -EBUSY },
	{ "N of the record", 5, 100, 1, 0 },
	{ "N of a record that will not be read whole", 5, 4, 1, -EBUSY },
	{ "N of the only record that will be read", 5, IMA_KUNIT_BYTES, 1, 0 },
	{ "N of that and the next", 5, IMA_KUNIT_BYTES, 2, -EBUSY },
	{ "A", 5, 100, 0, -EBUSY },
	/* from rest to rest, it is in nobody's way in between */
	{ "N of the last record", 1, 100, 1, 0 },
	{ "N of the last record, with no room for more", 1, IMA_KUNIT_BYTES, 1,
	  0 },
	{ "A of the last record", 1, 100, 0, 0 },
	{ "A of the last record, and it will not be read whole", 1, 4, 0,
	  -EBUSY },
};

KUNIT_ARRAY_PARAM_DESC(ima_beside, ima_besides, name);

/*
 * A command comes while the first record is copied. It is before the read, or
 * after it, and the read gives what it gives then: nothing is lost in between.
 */
static void ima_read_beside_test(struct kunit *test)
{
	const struct ima_beside *beside = test->param_value;
	struct ima_memory memory = { .n = beside->n, .command = true };
	size_t all = beside->records * IMA_KUNIT_BYTES;
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, beside->records);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_OTHER, false), 0);
	ima_memory_map(test, &memory);

	KUNIT_EXPECT_EQ(test, ima_read_user(test, 0, memory.addr, beside->room),
			min(all, beside->room));
	KUNIT_EXPECT_EQ(test, memory.faults, 1);
	KUNIT_EXPECT_EQ(test, memory.ret, beside->ret);
	ima_read_expect(test, memory.addr, min(all, beside->room), 0);
}

/* The same for one that was at rest, and that has read what is gone. */
static void ima_read_beside_on_test(struct kunit *test)
{
	struct ima_memory memory = { .n = 5, .command = true };
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 3);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_OTHER, false), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 100, 0), 3);
	ima_kunit_fill(test, 3, 3);
	ima_memory_map(test, &memory);

	KUNIT_EXPECT_EQ(test, ima_read_user(test, 0, memory.addr, 100), 30);
	KUNIT_EXPECT_EQ(test, memory.faults, 1);
	KUNIT_EXPECT_EQ(test, memory.ret, -EBUSY);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 6), 0);
}

/* What was formatted before others were added is not the end any more. */
static void ima_read_rest_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;

	ima_kunit_fill(test, 0, 5);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_OTHER, false), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read_bytes(test, 0, 0, 46, 0), 46);
	ima_kunit_fill(test, 5, 3);
	KUNIT_EXPECT_EQ(test, ima_kunit_read_bytes(test, 0, 46, 4, 0), 4);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 8), -EBUSY);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 5), 0);
	KUNIT_EXPECT_EQ(test, ima_kunit_read_bytes(test, 0, 50, 26, 5), 26);
	KUNIT_EXPECT_EQ(test, ima_kunit_read_bytes(test, 0, 76, 4, 0), 4);
	KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, 3), 0);
}

/* With more records behind it than marks, it still finds the next one. */
static void ima_read_fail_far_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	struct ima_memory memory = {};
	const u32 many = 3 * IMA_MARKS;
	u32 read = many - 20;

	ima_kunit_fill(test, 0, many);
	KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
					     IMA_KUNIT_OTHER, false), 0);
	ima_memory_map(test, &memory);
	KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, read, 0), read);
	for (int i = 0; i < 10; i++, read++) {
		KUNIT_EXPECT_EQ(test, ima_read_user(test, 0, memory.addr +
						    PAGE_SIZE, 100), -EFAULT);
		KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, read + 1 -
						       ctx->log.list.first),
				-EBUSY);
		KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, read -
						       ctx->log.list.first), 0);
		/* this leads nowhere, and not away from where it is */
		KUNIT_EXPECT_EQ(test, ima_kunit_read(test, 0, 0, 1, 0),
				-ESTALE);
		KUNIT_ASSERT_EQ(test, ima_kunit_read(test, 0, read, 1, read),
				1);
	}
}

/* It stops where the copy did, and goes on from there, wherever that is. */
static void ima_read_partial_test(struct kunit *test)
{
	struct ima_kunit *ctx = test->priv;
	struct ima_memory memory = {};

	ima_kunit_fill(test, 0, 5);
	ima_memory_map(test, &memory);
	for (size_t room = 1; room < 3 * IMA_KUNIT_BYTES; room++) {
		unsigned long addr = memory.addr + PAGE_SIZE - room;
		long got, left;

		KUNIT_ASSERT_EQ(test, ima_kunit_open(ctx, 0, &ctx->log.list,
						     IMA_KUNIT_OTHER, false),
				0);
		got = ima_read_user(test, 0, addr, 100);
		/* a machine may not copy each byte up to the page's end */
		KUNIT_ASSERT_GT(test, got, 0);
		KUNIT_ASSERT_LE(test, got, room);
		ima_read_expect(test, addr, got, 0);
		KUNIT_EXPECT_EQ(test, ima_kunit_delete(ctx, got /
						       IMA_KUNIT_BYTES + 1),
				-EBUSY);

		left = 5 * IMA_KUNIT_BYTES - got;
		ctx->file[0].f_pos = got;
		KUNIT_EXPECT_EQ(test, ima_read_user(test, 0, memory.addr, left),
				left);
		ima_read_expect(test, memory.addr, left, got);
		ima_kunit_close(ctx, 0);
	}
}

static struct kunit_case ima_read_cases[] = {
	KUNIT_CASE_PARAM(ima_read_beside_test, ima_beside_gen_params),
	KUNIT_CASE(ima_read_beside_on_test),
	KUNIT_CASE(ima_read_rest_test),
	KUNIT_CASE(ima_read_fail_far_test),
	KUNIT_CASE(ima_read_partial_test),
	{}
};

static struct kunit_suite ima_read_suite = {
	.name = "ima_read",
	.init = ima_kunit_init,
	.exit = ima_kunit_exit,
	.test_cases = ima_read_cases,
};

kunit_test_suite(ima_read_suite);
