// SPDX-License-Identifier: GPL-2.0-only
/*
 * imalog mount shows the complete log as files, to programs that know nothing of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "ima_test.h"
#include "imalog_agent.h"
#include "imalog_run.h"
#include "imalog_service.h"

#define GROUP		"ima"
#define GID		4711
#define UID		4712
#define REQUESTS	100
#define TRIMS		50
#define OTHER		"/root/securityfs"
#define DEBIAN		"/opt/debian/bin/"	/* busybox' shell runs its own by name */
#define LIST		"ascii_runtime_measurements"

FIXTURE(mount)
{
	struct imalog_service s;
};

/* The first rule that fits counts: without it, the second would measure the mount. */
FIXTURE_SETUP(mount)
{
	const char *why;

	imalog_shell("test -e /root/rules && exit; cd /root; echo " GROUP ":x:%d: >>/etc/group;"
		     "echo dont_measure fsmagic=0x65735546 >rules;"
		     "echo measure func=FILE_CHECK mask=MAY_READ fsmagic=0x65735546 >>rules;"
		     "cat rules >" IMA_DIR "/policy", GID);
	why = imalog_unavailable();
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, imalog_remember());
}

FIXTURE_TEARDOWN(mount)
{
}

static int measure(unsigned int n)
{
	return ima_measure_files(n) ?: imalog_remember();
}

TEST_F_TIMEOUT(mount, lists_as_the_kernel_showed_them, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(50));
	ASSERT_EQ(0, imalog_start_mount(&self->s, ""));
	EXPECT_EQ(0, imalog_mount_is_whole());
	ASSERT_EQ(IMALOG_DONE, imalog("trim --keep 7"));
	EXPECT_EQ(0, imalog_mount_is_whole());
	ASSERT_EQ(0, measure(20));
	EXPECT_EQ(0, imalog_mount_is_whole());
	ASSERT_EQ(IMALOG_DONE, imalog("trim"));
	EXPECT_EQ(0, imalog_mount_is_whole());
	/* staged records belong to it as well */
	ASSERT_EQ(0, measure(5));
	ASSERT_EQ(0, ima_stage());
	ASSERT_EQ(0, ima_measure_files(2));
	EXPECT_EQ(0, imalog_shell("read -r n <" IMALOG_MOUNT "/runtime_measurements_count;"
				  "test $(wc -l <" IMALOG_MOUNT "/" LIST ") = $n && test $n = %ld",
				  ima_removed() + ima_count()));
	imalog("trim");		/* archives, and may not delete */
	ASSERT_EQ(0, ima_delete_staged());
	EXPECT_EQ(0, imalog_mount_is_whole());
	EXPECT_EQ(0, imalog_stop(&self->s, SIGTERM));
	EXPECT_EQ(0, imalog_shell("test -z \"$(ls " IMALOG_MOUNT ")\""));
}

/* A kernel that has no name for sha256: such a list is mounted as it is called there. */
TEST_F_TIMEOUT(mount, list_of_an_unknown_algorithm_has_its_name, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(5));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --keep 3"));
	ASSERT_EQ(0, imalog_shell("mkdir /root/ima; cd /root/ima; ln -s " IMA_DIR "/* .;"
				  "for f in *_sha256*; do\n"
				  "mv $f ${f%%%%sha256*}tpm_alg_b${f#*sha256} || exit; done"));
	ASSERT_EQ(0, imalog_start_mount(&self->s, "--ima-dir /root/ima"));
	EXPECT_EQ(0, imalog_shell("cd " IMALOG_MOUNT "; ls; ! ls | grep sha256 || exit\n"
				  "test $(ls | grep -c _tpm_alg_b) = 2"));
}

TEST_F_TIMEOUT(mount, names_and_modes_are_the_kernels, IMA_TIMEOUT)
{
	ASSERT_EQ(0, imalog_start_mount(&self->s, "--group " GROUP));
	EXPECT_EQ(0, imalog_shell("cd " IMA_DIR "; ls -d *_measurements *_sha* *_count >/root/have;"
				  "cd " IMALOG_MOUNT "; ls >/root/mounted;"
				  "grep -v _staged /root/have | sort | cmp - /root/mounted"));
	EXPECT_EQ(0, imalog_shell("cd " IMALOG_MOUNT "; for f in *; do\n"
				  "test \"$(stat -L -c %%a:%%g:%%s $f)\" = 440:%d:0 || exit;"
				  "done", GID));
	EXPECT_EQ(0, imalog_shell("test $(readlink " IMALOG_MOUNT "/" LIST ") = " LIST "_sha1"));
	EXPECT_NE(0, imalog_shell("exec 2>&1; echo 1 >" IMALOG_MOUNT "/" LIST));
	EXPECT_NE(0, imalog_shell("exec 2>&1; rm " IMALOG_MOUNT "/" LIST));
	EXPECT_EQ(0, imalog_stop(&self->s, SIGTERM));
}

/* What a process of another user reads: bytes, or -errno. */
static long read_as(uid_t uid, gid_t gid)
{
	char byte;
	int fd, ret;
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (setgid(gid) || setuid(uid))
			_exit(EIO);
		fd = open(IMALOG_MOUNT "/" LIST, O_RDONLY);
		_exit(fd < 0 ? errno : read(fd, &byte, 1) != 1);
	}
	ret = ima_wait_exit(pid);
	return ret;
}

TEST_F_TIMEOUT(mount, group_may_read_others_not, IMA_TIMEOUT)
{
	ASSERT_EQ(0, chmod("/root", 0755));
	ASSERT_EQ(0, imalog_start_mount(&self->s, "--group " GROUP));
	EXPECT_EQ(0, read_as(UID, GID));
	EXPECT_EQ(EACCES, read_as(UID, UID));
	EXPECT_EQ(0, imalog_stop(&self->s, SIGTERM));
	EXPECT_EQ(IMALOG_USAGE, imalog("mount --group nobodys " IMALOG_MOUNT));
	EXPECT_EQ(IMALOG_USAGE, imalog("mount"));
	EXPECT_EQ(IMALOG_IO, imalog("mount /root/none"));
}

/* Files with a size would be hashed at each open. */
TEST_F_TIMEOUT(mount, reading_it_measures_nothing, IMA_TIMEOUT)
{
	long before;

	ASSERT_EQ(0, measure(5));
	ASSERT_EQ(0, imalog_start_mount(&self->s, "--size"));
	imalog_shell("true >/tmp/x; wc /tmp/x " IMALOG_MOUNT "/*");
	before = ima_count();
	EXPECT_EQ(0, imalog_shell("test $(wc -l <" IMALOG_MOUNT "/" LIST ") = %ld",
				  ima_removed() + before));
	EXPECT_EQ(0, imalog_shell("grep -c boot_aggregate " IMALOG_MOUNT "/" LIST));
	EXPECT_EQ(before, ima_count());
	/* the policy is in force */
	ASSERT_EQ(0, imalog_shell("echo $$ >/tmp/seen; cat /tmp/seen"));
	EXPECT_EQ(before + 1, ima_count());
	EXPECT_EQ(0, imalog_stop(&self->s, SIGTERM));
}

/* A reader in the middle holds no file of the kernel, and loses nothing. */
TEST_F_TIMEOUT(mount, reader_in_the_middle_holds_up_nothing, IMA_TIMEOUT)
{
	char part[1000], *rest;
	size_t len;
	FILE *f;

	ASSERT_EQ(0, measure(40));
	ASSERT_EQ(0, imalog_start_mount(&self->s, ""));
	f = fopen(IMALOG_MOUNT "/" LIST "_sha256", "r");
	ASSERT_NE(NULL, f);
	setvbuf(f, NULL, _IONBF, 0);
	ASSERT_EQ(1, fread(part, sizeof(part), 1, f));
	ASSERT_EQ(IMALOG_DONE, imalog("status --json"));
	EXPECT_EQ(-1, imalog_number("pid"));
	ASSERT_EQ(IMALOG_DONE, imalog("trim"));
	ASSERT_EQ(0, measure(10));
	ASSERT_EQ(IMALOG_DONE, imalog("trim"));
	rest = malloc(1 << 22);
	len = fread(rest, 1, 1 << 22, f);
	fclose(f);
	f = fopen("/root/rest", "w");
	ASSERT_EQ(1, fwrite(part, sizeof(part), 1, f));
	ASSERT_EQ(1, fwrite(rest, len, 1, f));
	fclose(f);
	free(rest);
	EXPECT_EQ(0, imalog_shell("cmp /root/rest " IMALOG_WHOLE "/" LIST "_sha256 2>&1"))
		imalog_says("no error");
	EXPECT_EQ(0, imalog_stop(&self->s, SIGTERM));
}

TEST_F_TIMEOUT(mount, keylimes_agent_beside_trims, 2 * IMA_TIMEOUT)
{
	int trims = TRIMS;

	ASSERT_EQ(0, imalog_start_mount(&self->s, ""));
	EXPECT_EQ(REQUESTS, agent_beside_trims(NULL, REQUESTS, &trims));
	printf("# figure: requests of an agent for attestation beside %d trims: %d\n", trims,
	       REQUESTS);
	EXPECT_EQ(0, imalog_stop(&self->s, SIGTERM));
	EXPECT_EQ(IMALOG_DONE, imalog("verify"));
}

/* So many lines have come, before a deadline. */
static bool tail_has(int lines)
{
	return !imalog_shell("i=0; until test $(wc -l </root/tail) -ge %d; do\n"
			     "sleep 1; i=$((i + 1)); test $i -lt 60 || exit; done", lines);
}

/* What takes a file's size for its end, or goes by the page cache: busybox cat does. */
TEST_F_TIMEOUT(mount, files_with_a_size, IMA_TIMEOUT)
{
	int i;

	ASSERT_EQ(0, measure(20));
	ASSERT_EQ(0, imalog_start_mount(&self->s, "--size"));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, imalog_shell("cat " IMALOG_MOUNT "/" LIST " | cmp - "
					  IMALOG_WHOLE "/" LIST "_sha1 2>&1"))
			imalog_says("no error");
		EXPECT_EQ(0, imalog_shell("cp " IMALOG_MOUNT "/" LIST "_sha256 /root/copy;"
					  "cmp /root/copy " IMALOG_WHOLE "/" LIST "_sha256"));
		EXPECT_EQ(0, imalog_mount_is_whole());
		ASSERT_EQ(0, measure(7));
		if (i % 2)
			ASSERT_EQ(IMALOG_DONE, imalog("trim --keep 2"));
	}
	EXPECT_EQ(0, imalog_shell("cd " IMALOG_MOUNT ";"
				  "tail -n 1 -f " LIST " >/root/tail & echo $! >/root/pid"));
	EXPECT_TRUE(tail_has(1));
	ASSERT_EQ(0, measure(3));
	EXPECT_TRUE(tail_has(4));
	imalog_shell("kill $(cat /root/pid)");
	EXPECT_EQ(0, imalog_shell("tail -n 4 " IMALOG_WHOLE "/" LIST "_sha1 | cmp - /root/tail"));
	EXPECT_EQ(0, imalog_stop(&self->s, SIGTERM));
}

/* Other people's programs, as Debian has them. */
TEST_F_TIMEOUT(mount, evmctl_verifies_it, IMA_TIMEOUT)
{
	const char *pcrs = "i=0; while [ $i -lt 24 ]; do\n"
		"printf 'PCR-%%02d:%%s\\n' $i \"$(sed 's/../ &/g' /sys/class/tpm/tpm0/pcr-sha256/$i)\";"
		"i=$((i + 1)); done >/root/pcrs";

	ASSERT_EQ(0, measure(20));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --keep 3"));
	ASSERT_EQ(0, imalog_start_mount(&self->s, ""));
	ASSERT_EQ(0, imalog_shell(pcrs, 0));
	EXPECT_EQ(0, imalog_shell("evmctl ima_measurement --pcrs sha256,/root/pcrs " IMALOG_MOUNT
				  "/binary_runtime_measurements 2>&1"));
	EXPECT_TRUE(imalog_says("Matched per TPM bank calculated digest(s)."));
	EXPECT_EQ(0, imalog_stop(&self->s, SIGTERM));
}

/* Programs of Debian that have never heard of it, where files have no size. */
TEST_F_TIMEOUT(mount, coreutils_and_python_read_it, IMA_TIMEOUT)
{
	static const char * const programs[] = {
		DEBIAN "cp " IMALOG_MOUNT "/" LIST "_sha256 /root/copy",
		DEBIAN "cat " IMALOG_MOUNT "/" LIST "_sha256 >/root/copy",
		DEBIAN "tail -n +1 " IMALOG_MOUNT "/" LIST "_sha256 >/root/copy",
		DEBIAN "python3 -c 'd = open(\"" IMALOG_MOUNT "/" LIST "_sha256\", \"rb\").read();"
		"open(\"/root/copy\", \"wb\").write(d)'",
		DEBIAN "python3 -c 'import shutil;"
		"a = open(\"" IMALOG_MOUNT "/" LIST "_sha256\", \"rb\");"
		"shutil.copyfileobj(a, open(\"/root/copy\", \"wb\"))'",
	};
	unsigned int i;

	ASSERT_EQ(0, measure(20));
	ASSERT_EQ(IMALOG_DONE, imalog("trim --keep 3"));
	ASSERT_EQ(0, imalog_start_mount(&self->s, ""));
	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		EXPECT_EQ(0, imalog_shell("rm -f /root/copy; %s", programs[i]))
			TH_LOG("%s", programs[i]);
		ASSERT_EQ(0, imalog_remember());
		EXPECT_EQ(0, imalog_shell("cmp /root/copy " IMALOG_WHOLE "/" LIST "_sha256 2>&1"))
			imalog_says(programs[i]);
	}
	EXPECT_EQ(0, imalog_stop(&self->s, SIGTERM));
}

/* A program whose path cannot be set: what imalog reads must not be hidden from it. */
TEST_F_TIMEOUT(mount, bind_mount_for_a_fixed_path, IMA_TIMEOUT)
{
	ASSERT_EQ(0, measure(20));
	ASSERT_EQ(0, mkdir(OTHER, 0700));
	ASSERT_EQ(0, mount("none", OTHER, "securityfs", 0, NULL));
	ASSERT_EQ(0, imalog_start_mount(&self->s, "--ima-dir " OTHER "/ima"));
	ASSERT_EQ(0, mount(IMALOG_MOUNT "/" LIST "_sha1", IMA_DIR "/" LIST "_sha1", NULL,
			   MS_BIND, NULL));
	EXPECT_EQ(IMALOG_DONE, imalog("trim --ima-dir " OTHER "/ima"));
	EXPECT_EQ(0, ima_count());
	EXPECT_EQ(0, imalog_shell("cmp " IMA_DIR "/" LIST " " IMALOG_WHOLE "/" LIST "_sha1"));
	EXPECT_EQ(0, umount(IMA_DIR "/" LIST "_sha1"));
	EXPECT_EQ(0, imalog_stop(&self->s, SIGTERM));
	EXPECT_EQ(0, umount(OTHER));
}

/* Killed: the next one takes its place. */
TEST_F_TIMEOUT(mount, dead_mount_is_replaced, IMA_TIMEOUT)
{
	ASSERT_EQ(0, imalog_start_mount(&self->s, ""));
	EXPECT_EQ(-SIGKILL, imalog_stop(&self->s, SIGKILL));
	EXPECT_NE(0, imalog_shell("ls " IMALOG_MOUNT " 2>&1"));
	ASSERT_EQ(0, imalog_start_mount(&self->s, ""));
	EXPECT_EQ(0, imalog_shell("ls " IMALOG_MOUNT " | grep -q " LIST));
	EXPECT_EQ(0, umount(IMALOG_MOUNT));
	EXPECT_EQ(0, imalog_stop(&self->s, 0));
}

TEST_HARNESS_MAIN
