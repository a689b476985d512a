// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lists that imalog mounts: the same bytes from whatever offset they are read, and
 * while records go from the kernel to the archive.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kselftest_harness.h"

#include "host.h"
#include "list.h"

#define SECONDS		600
#define RECORDS		6000	/* many marks in each list */
#define SHARDS		3
#define READS		400
#define READ_MAX	(100u << 10)
#define LISTS		4

static const struct {
	const char *alg;
	bool ascii;
} lists[LISTS] = {
	{ "sha1", false }, { "sha1", true }, { "sha256", false }, { "sha256", true },
};

/* What a sequence of reads gives: bytes, to be released with free(). */
static char *read_whole(struct list *list, size_t step, size_t *len)
{
	struct list_place last = { .offset = 0 };
	size_t room = 1 << 20, got;
	char *data = malloc(room);

	*len = 0;
	do {
		if (room - *len < step) {
			room *= 2;
			data = realloc(data, room);
		}
		if (!data || list_read(list, &last, *len, data + *len, step, &got))
			return NULL;
		*len += got;
	} while (got);
	return data;
}

static size_t random_below(size_t n)
{
	return (((size_t)rand() << 20) ^ rand()) % n;
}

/* Reads at random, by readers of which one goes on from where it was. */
static bool same_anywhere(struct list *list, const char *whole, size_t len)
{
	struct list_place last = { .offset = 0 };
	size_t offset = 0, size, got, want;
	char *buf = malloc(READ_MAX);
	bool same = true;
	int i;

	for (i = 0; i < READS && same; i++) {
		struct list_place fresh = { .offset = 0 };

		offset = i % 2 ? offset + got : random_below(len + len / 20);
		size = 1 + random_below(i % 3 ? 600 : READ_MAX);
		want = offset >= len ? 0 : size < len - offset ? size : len - offset;
		same = !list_read(list, i % 4 < 2 ? &last : &fresh, offset, buf, size,
				  &got) &&
		       got == want && !memcmp(buf, whole + offset, want);
	}
	if (!same)
		printf("# offset %zu, size %zu: got %zu, not %zu\n", offset, size, got,
		       want);
	free(buf);
	return same;
}

FIXTURE(archived)
{
	struct maker *m;
	struct options opt;
	struct log log;
};

FIXTURE_SETUP(archived)
{
	int i;

	self->m = malloc(sizeof(*self->m));
	ASSERT_NE(NULL, self->m);
	ASSERT_EQ(0, maker_begin(self->m));
	for (i = 0; i < SHARDS; i++) {
		ASSERT_EQ(0, maker_add_files(self->m, RECORDS / SHARDS, i * RECORDS));
		ASSERT_EQ(0, maker_shard(self->m));
	}
	self->opt.archive = self->m->path;
	self->opt.boot = 0;
	ASSERT_EQ(DONE, log_open(&self->log, &self->opt));
}

FIXTURE_TEARDOWN(archived)
{
	log_close(&self->log);
	maker_end(self->m);
	free(self->m);
}

static char *read_files(const char *archive, size_t *len)
{
	char command[256];
	size_t room = 8 << 20;
	char *data = malloc(room);
	FILE *f;

	snprintf(command, sizeof(command), "cat %s/*/*/records", archive);
	f = popen(command, "r");
	*len = fread(data, 1, room, f);
	return pclose(f) ? NULL : data;
}

TEST_F_TIMEOUT(archived, binary_list_is_the_records, SECONDS)
{
	size_t len, want;
	struct list list;
	char *data, *files;

	ASSERT_EQ(DONE, list_init(&list, &self->log, ima_log_alg_by_name("sha1"), false));
	data = read_whole(&list, 131072, &len);
	files = read_files(self->m->path, &want);
	ASSERT_NE(NULL, data);
	ASSERT_NE(NULL, files);
	EXPECT_EQ(want, len);
	EXPECT_EQ(0, memcmp(files, data, len));
	free(data);
	free(files);
	list_free(&list);
}

TEST_F_TIMEOUT(archived, any_offset, SECONDS)
{
	size_t i, len, again_len;
	char *whole, *again;
	struct list list;

	for (i = 0; i < LISTS; i++) {
		ASSERT_EQ(DONE, list_init(&list, &self->log,
					  ima_log_alg_by_name(lists[i].alg),
					  lists[i].ascii));
		whole = read_whole(&list, 131072, &len);
		ASSERT_NE(NULL, whole);
		EXPECT_LT(4, list.num);
		EXPECT_TRUE(same_anywhere(&list, whole, len)) printf("# list %zu\n", i);
		list_free(&list);
		/* in small steps, and with no mark yet */
		ASSERT_EQ(DONE, list_init(&list, &self->log,
					  ima_log_alg_by_name(lists[i].alg),
					  lists[i].ascii));
		EXPECT_TRUE(same_anywhere(&list, whole, len)) printf("# list %zu\n", i);
		again = read_whole(&list, 777, &again_len);
		ASSERT_EQ(len, again_len);
		EXPECT_EQ(0, memcmp(whole, again, len));
		list_free(&list);
		free(whole);
		free(again);
	}
}

/* A shard that was altered since is noticed when it is come to. */
TEST_F_TIMEOUT(archived, altered_shard_is_not_shown, SECONDS)
{
	struct list_place last = { .offset = 0 };
	char command[256], buf[64];
	struct list list;
	size_t got;

	snprintf(command, sizeof(command),
		 "printf '~' | dd of=%s/000000/%012d/records bs=1 seek=1000 conv=notrunc 2>&1",
		 self->m->path, RECORDS / SHARDS);
	ASSERT_EQ(0, system(command));
	ASSERT_EQ(DONE, list_init(&list, &self->log, ima_log_alg_by_name("sha1"), false));
	EXPECT_EQ(DONE, list_read(&list, &last, 0, buf, sizeof(buf), &got));
	EXPECT_EQ(sizeof(buf), got);
	EXPECT_EQ(REFUSED, list_read(&list, &last, self->log.shard[1].at.bytes, buf,
				     sizeof(buf), &got));
	list_free(&list);
}

FIXTURE(live)
{
	struct host *h;
	struct options opt;
	struct log log;
	struct list list[LISTS];
	char tcti[64];
	char archive[128];
	char ima[128];
	unsigned int events;
};

static int measure(FIXTURE_DATA(live) *self, unsigned int num)
{
	char name[32];
	int err = 0;

	while (num-- && !err) {
		snprintf(name, sizeof(name), "/bin/%u", self->events++);
		err = host_measure(self->h, name, true);
	}
	return err;
}

/* The log is open before there is an archive. */
FIXTURE_SETUP(live)
{
	struct host *h = calloc(1, sizeof(*h));
	int i;

	self->h = h;
	ASSERT_NE(NULL, h);
	ASSERT_NE(NULL, getenv("IMALOG"));
	ASSERT_EQ(0, host_begin(h, "sha1,sha256", true));
	ASSERT_EQ(0, measure(self, 3));
	snprintf(self->archive, sizeof(self->archive), "%s/archive", h->dir);
	snprintf(self->ima, sizeof(self->ima), "%s/ima", h->dir);
	snprintf(self->tcti, sizeof(self->tcti), "swtpm:host=127.0.0.1,port=%d", h->port);
	self->opt.archive = self->archive;
	self->opt.ima_dir = self->ima;
	self->opt.tcti = self->tcti;
	self->opt.boot = -1;
	ASSERT_EQ(DONE, log_open(&self->log, &self->opt));
	for (i = 0; i < LISTS; i++)
		ASSERT_EQ(DONE, list_init(&self->list[i], &self->log,
					  ima_log_alg_by_name(lists[i].alg),
					  lists[i].ascii));
}

FIXTURE_TEARDOWN(live)
{
	int i;

	for (i = 0; i < LISTS; i++)
		list_free(&self->list[i]);
	log_close(&self->log);
	host_end(self->h);
	free(self->h);
}

/* What one reader has read of each list, and what a new reader reads. */
TEST_F_TIMEOUT(live, grows_while_it_is_trimmed, SECONDS)
{
	static char whole[LISTS][1 << 16];
	struct list_place last[LISTS] = { };
	size_t len[LISTS] = { }, got, all;
	unsigned int round;
	char *data;
	int i;

	for (round = 0; round < 6; round++) {
		ASSERT_EQ(0, measure(self, 4));
		for (i = 0; i < LISTS; i++) {
			do {
				ASSERT_EQ(DONE, list_read(&self->list[i], &last[i], len[i],
							  whole[i] + len[i], 500, &got));
				len[i] += got;
			} while (got && (round % 2 || random_below(5)));
		}
		ASSERT_EQ(DONE, host_imalog(self->h, "trim --keep %u", round % 3));
		ASSERT_LT(0, host_delete(self->h));
	}
	ASSERT_EQ(0, measure(self, 1));
	for (i = 0; i < LISTS; i++) {
		data = read_whole(&self->list[i], 300, &all);
		ASSERT_NE(NULL, data);
		ASSERT_LE(len[i], all);
		EXPECT_EQ(0, memcmp(data, whole[i], len[i]));
		EXPECT_TRUE(same_anywhere(&self->list[i], data, all));
		free(data);
		/* and for another program */
		ASSERT_EQ(0, host_shell(self->h,
					"$IMALOG cat %s --hash %s --archive $D/archive --ima-dir $D/ima | wc -c",
					lists[i].ascii ? "--ascii" : "", lists[i].alg));
		EXPECT_EQ(all, (size_t)atol(self->h->output));
	}
	/* the kernel's own list of all records, had none been deleted */
	self->h->removed = 0;
	ASSERT_EQ(0, host_write_list(self->h));
	data = read_whole(&self->list[2], 1000, &all);
	EXPECT_EQ(0, host_shell(self->h, "wc -c <$D/ima/binary_runtime_measurements_sha256"));
	EXPECT_EQ(all, (size_t)atol(self->h->output));
	free(data);
}

TEST_F_TIMEOUT(live, records_that_are_nowhere, SECONDS)
{
	struct list_place last = { .offset = 0 };
	char buf[64];
	size_t got;

	self->h->removed = 2;
	ASSERT_EQ(0, host_write_list(self->h));
	EXPECT_EQ(REFUSED, list_read(&self->list[0], &last, 0, buf, sizeof(buf), &got));
	EXPECT_EQ(0, got);
}

TEST_HARNESS_MAIN
