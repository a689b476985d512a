// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog archives, proves, deletes and shows the log again, on a kernel and a TPM.
 *
 * All tests here share one archive and one log, which only grows.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_run.h"

#define ROUNDS	100
#define LAST	"cd " IMALOG_ARCHIVE "/000000; cd $(ls | tail -n 1); "
#define NONCE	"00112233445566778899aabbccddeeff"
#define IMA_COPY "/root/ima"

FIXTURE(imalog)
{
	long removed;
	long count;
};

FIXTURE_SETUP(imalog)
{
	const char *why = imalog_unavailable();

	if (why)
		SKIP(return, "%s", why);
	self->removed = ima_removed();
	self->count = ima_count();
	/* what was measured to see whether it can be */
	ASSERT_EQ(0, imalog_remember());
	ASSERT_LE(0, self->removed);
	ASSERT_LE(0, self->count);
}

FIXTURE_TEARDOWN(imalog)
{
}

/* Events, before any of them is deleted. */
static int measure(unsigned int n)
{
	return ima_measure_files(n) ?: imalog_remember();
}

TEST_F_TIMEOUT(imalog, trim_archives_proves_and_deletes, IMA_TIMEOUT)
{
	long n;

	ASSERT_EQ(0, measure(100));
	n = ima_count();
	ASSERT_EQ(IMALOG_DONE, imalog("trim --json"));
	EXPECT_EQ(n, imalog_number("archived"));
	EXPECT_EQ(n, imalog_number("deleted"));
	EXPECT_EQ(0, imalog_number("kept"));
	EXPECT_EQ(self->removed + n, ima_removed());
	EXPECT_EQ(0, ima_count());
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

/* Other programs can check a shard: its quote, and its records. */
TEST_F_TIMEOUT(imalog, tpm2_checkquote_verifies_a_shard, IMA_TIMEOUT)
{
	const char *dir = IMALOG_ARCHIVE "/000000/000000000000";

	const char *check = "set -e; cd %s; n=$(grep -o '\"nonce\":\"[0-9a-f]*' shard.json);"
			    "exec 2>&1; tpm2_checkquote -q ${n##*\\\"} -u ak -s signature %s";

	EXPECT_EQ(0, imalog_shell(check, dir, "-m quote"));
	EXPECT_EQ(0, imalog_shell("tr '\\001' '\\002' <%s/quote >/root/forged", dir));
	EXPECT_NE(0, imalog_shell(check, dir, "-m /root/forged"));
	EXPECT_EQ(0, imalog_shell("cat %s/../*/records | cmp -n 1000 - /root/whole/" IMA_BINARY,
				  dir));
	EXPECT_EQ(0, imalog_shell("test \"$(stat -c %%a %s)\" = 750", dir));
}

TEST_F_TIMEOUT(imalog, keep_and_max, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(50));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --json --keep 20"));
	EXPECT_EQ(20, ima_count());
	EXPECT_EQ(20, imalog_number("kept"));
	ASSERT_EQ(0, measure(10));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --json --max 5"));
	EXPECT_EQ(10, imalog_number("archived"));
	EXPECT_EQ(5, imalog_number("deleted"));
	EXPECT_EQ(25, ima_count());
	ASSERT_EQ(IMALOG_DONE, imalog("trim --json --keep 100"));
	EXPECT_EQ(0, imalog_number("archived"));
	EXPECT_EQ(0, imalog_number("deleted"));
	EXPECT_EQ(25, ima_count());
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

TEST_F_TIMEOUT(imalog, dry_run_changes_nothing, IMA_TIMEOUT)
{
	long n, would;

	ASSERT_EQ(0, measure(5));
	n = ima_count();
	ASSERT_EQ(0, imalog_shell("find " IMALOG_ARCHIVE " | sort >/root/before"));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --json --dry-run"));
	would = imalog_number("archived");
	EXPECT_EQ(n, imalog_number("deleted"));
	EXPECT_EQ(n, ima_count());
	EXPECT_EQ(self->removed, ima_removed());
	EXPECT_EQ(0, imalog_shell("find " IMALOG_ARCHIVE " | sort | cmp - /root/before"));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --json"));
	EXPECT_LE(5, would);
	EXPECT_EQ(would, imalog_number("archived"));
	EXPECT_EQ(n, imalog_number("deleted"));
}

TEST_F_TIMEOUT(imalog, nonce_of_a_verifier_is_in_the_quote, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(5));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --nonce " NONCE));
	EXPECT_EQ(0, imalog_shell("grep -r '\"verifier\":\"" NONCE "\",' " IMALOG_ARCHIVE));
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

/* The archive has what other tests left: that is the command's as well. */
TEST_F_TIMEOUT(imalog, before_delete_decides, IMA_TIMEOUT)
{
	long n;

	ASSERT_EQ(IMALOG_DONE, imalog("trim --before-delete true"));
	ASSERT_EQ(0, measure(5));
	n = ima_count();
	ASSERT_EQ(IMALOG_REFUSED, imalog("trim --before-delete 'exit 3'"));
	EXPECT_TRUE(imalog_says("exit status 3"));
	EXPECT_EQ(n, ima_count());
	ASSERT_EQ(IMALOG_DONE,
		  imalog("trim --before-delete 'stat $IMALOG_SHARD/records >>/root/asked'"));
	EXPECT_EQ(0, ima_count());
	EXPECT_EQ(0, imalog_shell("test $(grep -c File: /root/asked) = 1"));
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

TEST_F_TIMEOUT(imalog, violations_are_archived, IMA_TIMEOUT)
{
	ASSERT_EQ(0, ima_measure_violation());
	ASSERT_EQ(0, measure(2));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --json"));
	EXPECT_LE(3, imalog_number("archived"));
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
	EXPECT_EQ(0, imalog_shell("imalog cat --ascii | grep -q '^10 0\\{40\\} '"));
}

/* Records that another program staged are archived; it has to delete them. */
TEST_F_TIMEOUT(imalog, staged_records, IMA_TIMEOUT)
{
	long n;

	ASSERT_EQ(0, measure(5));
	n = ima_count();
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_EQ(IMALOG_BUSY, imalog("trim"));
	EXPECT_TRUE(imalog_says("staged"));
	EXPECT_EQ(3, ima_count());
	EXPECT_EQ(IMALOG_DONE, imalog("verify"));
	EXPECT_EQ(IMALOG_DONE, imalog("status --json"));
	EXPECT_EQ(n, imalog_number("staged"));
	EXPECT_EQ(IMALOG_DONE,
		  imalog("cat --ascii | tail -n +%ld >/root/cat; test $(wc -l </root/cat) = %ld",
			 self->removed + 1, n + 3));
	ASSERT_EQ(0, ima_delete_staged());
	ASSERT_EQ(0, imalog_remember());
	EXPECT_EQ(IMALOG_DONE, imalog("trim --json"));
	EXPECT_EQ(3, imalog_number("deleted"));
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

/*
 * D in the midst of a round: as many have left the list as before, so that T:N for the
 * staged records and the others would take as many that nobody has saved.
 */
TEST_F_TIMEOUT(imalog, staged_records_deleted_in_the_midst_of_a_round, IMA_TIMEOUT)
{
	static const char * const others =
		"echo D >" IMA_DIR "/" IMA_ASCII_STAGED " || exit 1;"
		"for i in $(seq 40); do echo $i >/tmp/later-$i; cat /tmp/later-$i; done";
	long n;

	ASSERT_EQ(IMALOG_DONE, imalog("trim --before-delete true"));
	ASSERT_EQ(0, measure(5));
	ASSERT_EQ(0, ima_stage());
	n = ima_removed();
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_EQ(IMALOG_BUSY, imalog("trim --before-delete '%s'", others));
	EXPECT_TRUE(imalog_says("staged"));
	EXPECT_EQ(n, ima_removed());
	EXPECT_LE(43, ima_count());
	ASSERT_EQ(0, imalog_remember());
	EXPECT_EQ(IMALOG_DONE, imalog("trim"));
	EXPECT_EQ(0, ima_count());
	EXPECT_EQ(IMALOG_DONE, imalog("verify"));
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

TEST_F_TIMEOUT(imalog, second_writer_is_told, IMA_TIMEOUT)
{
	int fd = open(IMALOG_ARCHIVE, O_RDONLY | O_DIRECTORY);

	ASSERT_EQ(0, flock(fd, LOCK_EX));
	EXPECT_EQ(IMALOG_BUSY, imalog("trim"));
	EXPECT_TRUE(imalog_says("another imalog writes to this archive"));
	EXPECT_EQ(IMALOG_DONE, imalog("verify"));
	close(fd);
	EXPECT_EQ(IMALOG_DONE, imalog("trim"));
}

TEST_F_TIMEOUT(imalog, who_holds_a_file_open_is_told, IMA_TIMEOUT)
{
	char byte;
	int fd;

	ASSERT_EQ(0, measure(5));
	fd = ima_open(IMA_ASCII, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(IMALOG_BUSY, imalog("trim"));
	EXPECT_TRUE(imalog_says("another process has ascii_runtime_measurements open to delete"));
	EXPECT_EQ(IMALOG_DONE, imalog("status --json"));
	EXPECT_EQ(getpid(), imalog_number("pid"));
	EXPECT_TRUE(imalog_says("\"writes\":true"));
	close(fd);
	/* in the middle of what is to be deleted */
	fd = ima_open(IMA_BINARY, O_RDONLY);
	ASSERT_EQ(1, read(fd, &byte, 1));
	EXPECT_EQ(IMALOG_BUSY, imalog("trim"));
	EXPECT_TRUE(imalog_says("a process reads the records"));
	/* a name is the process's own choice */
	ASSERT_EQ(0, prctl(PR_SET_NAME, "a\033[2J\303"));
	EXPECT_EQ(IMALOG_DONE, imalog("status"));
	EXPECT_TRUE(imalog_says("to read, by"));
	EXPECT_TRUE(imalog_says("(a?[2J?)"));
	close(fd);
	EXPECT_EQ(IMALOG_DONE, imalog("trim"));
	EXPECT_EQ(0, ima_count());
}

TEST_F_TIMEOUT(imalog, without_a_tpm_nothing_is_deleted, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(5));
	EXPECT_EQ(IMALOG_TPM, imalog("trim --tcti device:/dev/null"));
	EXPECT_EQ(IMALOG_TPM, imalog("trim --json --tcti nonsense:"));
	EXPECT_TRUE(imalog_says("\"error\":\"TPM: "));
	EXPECT_EQ(IMALOG_TPM, imalog("status --tcti device:/nonexistent"));
	EXPECT_TRUE(imalog_says("records, 0 staged"));
	EXPECT_EQ(self->count + 5, ima_count());
	/* where the kernel's list is, this kernel tells */
	EXPECT_EQ(IMALOG_DONE,
		  imalog("cat --tcti device:/none --from %ld --ascii >/root/cat", self->removed));
	EXPECT_EQ(0, imalog_shell("test $(wc -l </root/cat) = %ld", self->count + 5));
}

TEST_F_TIMEOUT(imalog, full_or_read_only_disk, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(50));
	ASSERT_EQ(0, mkdir("/root/small", 0755));
	ASSERT_EQ(0, mount("tmpfs", "/root/small", "tmpfs", 0, "size=4m"));
	ASSERT_EQ(0, imalog_shell("cp -a " IMALOG_ARCHIVE " /root/small/a"));
	EXPECT_EQ(IMALOG_IO, imalog("trim --archive /root/small/a"));
	EXPECT_TRUE(imalog_says("fewer than --min-free"));
	/* there is as much now, and would not be any more with the records */
	EXPECT_EQ(0, imalog_shell("df -P -k /root/small | awk 'END { print $4 }' >/root/free"));
	EXPECT_EQ(IMALOG_IO, imalog("trim --archive /root/small/a --min-free $(cat /root/free)K"));
	EXPECT_TRUE(imalog_says("fewer than --min-free"));
	EXPECT_EQ(0, imalog_shell("! ls -d /root/small/a/*/.new"));
	imalog_shell("dd if=/dev/zero of=/root/small/fill bs=1k 2>&1");
	EXPECT_EQ(IMALOG_IO, imalog("trim --archive /root/small/a --min-free 0"));
	EXPECT_TRUE(imalog_says("No space left"));
	EXPECT_EQ(0, imalog_shell("! ls -d /root/small/a/*/.new"));
	EXPECT_EQ(0, mount(NULL, "/root/small", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_EQ(IMALOG_IO, imalog("trim --archive /root/small/a --min-free 0"));
	EXPECT_TRUE(imalog_says("Read-only file system"));
	EXPECT_EQ(IMALOG_DONE, imalog("verify --archive /root/small/a"));
	EXPECT_EQ(0, umount("/root/small"));
	EXPECT_EQ(self->removed, ima_removed());
}

TEST_F_TIMEOUT(imalog, damaged_archive_deletes_nothing, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(5));
	ASSERT_EQ(0, imalog_shell(LAST "mv records /root/away; head -c 20 /root/away >records"));
	EXPECT_EQ(IMALOG_REFUSED, imalog("trim"));
	EXPECT_TRUE(imalog_says("records: has 20 bytes"));
	ASSERT_EQ(0, imalog_shell(LAST "rm records"));
	EXPECT_EQ(IMALOG_IO, imalog("trim"));
	EXPECT_TRUE(imalog_says("records: No such file"));
	EXPECT_EQ(self->removed, ima_removed());
	ASSERT_EQ(0, imalog_shell(LAST "mv /root/away records"));
	EXPECT_EQ(IMALOG_DONE, imalog("trim"));
}

/* A folder as on a kernel that has no command to delete. */
TEST_F_TIMEOUT(imalog, kernel_that_cannot_delete, IMA_TIMEOUT)
{
	ASSERT_EQ(0, imalog_shell("rm -rf " IMA_COPY "; mkdir " IMA_COPY "; cd " IMA_DIR ";"
				  "for f in *_measurements *_sha* *_count; do\n"
				  "cat $f >" IMA_COPY "/$f; done;"
				  "cd " IMA_COPY "; rm *_staged; chmod 440 *"));
	EXPECT_EQ(IMALOG_REFUSED, imalog("trim --ima-dir " IMA_COPY));
	EXPECT_TRUE(imalog_says("cannot delete records: it needs CONFIG_IMA_STAGING"));
	EXPECT_EQ(self->removed, ima_removed());
}

TEST_F_TIMEOUT(imalog, keep_boots_keeps_the_current_chain, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(3));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --keep-boots 1"));
	EXPECT_EQ(0, imalog_whole(IMA_DIR));
}

/* Nothing of ours is left in the TPM. */
TEST_F_TIMEOUT(imalog, hundred_rounds_leave_nothing_in_the_tpm, IMA_TIMEOUT)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, measure(2));
		ASSERT_EQ(IMALOG_DONE, imalog("trim --keep 1"));
	}
	EXPECT_EQ(0, imalog_shell("for c in transient loaded-session saved-session; do\n"
				  "tpm2_getcap -T device:/dev/tpm0 handles-$c; done"));
	EXPECT_STREQ("", imalog_output());
	EXPECT_EQ(0, imalog_shell("test -z \"$(ls -A " IMALOG_ARCHIVE "/000000 | grep new)\""));
	EXPECT_EQ(IMALOG_DONE, imalog("verify"));
}

/* The last: what another program deleted unsaved leaves a hole for good. */
TEST_F_TIMEOUT(imalog, unsaved_records_deleted_by_others_are_told, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(10));
	ASSERT_EQ(0, ima_delete(4));
	EXPECT_EQ(IMALOG_REFUSED, imalog("trim"));
	EXPECT_TRUE(imalog_says("were deleted by another program before they were archived"));
	EXPECT_EQ(IMALOG_REFUSED, imalog("verify"));
	EXPECT_EQ(IMALOG_REFUSED, imalog("cat >/dev/null"));
	EXPECT_EQ(self->removed + 4, ima_removed());
}

TEST_HARNESS_MAIN
