// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may do what: opening for write needs CAP_SYS_ADMIN in the initial user
 * namespace, and no more than that and the mode of the file. A command needs
 * nothing but the open file, whoever has it and wherever that process is.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "ima_state.h"
#include "ima_test.h"
#include "peer.h"
#include "refused.h"
#include "staged.h"

#define NR_RECORDS 10
#define NR_PEERS 2
#define LOCKDOWN "/sys/kernel/security/lockdown"
#define ALL_MAX (2 * IMA_FILES_MAX)

#define CAP(_cap) (1U << CAP_##_cap)

FIXTURE(privilege) {
	struct staged_log log;
	char all[ALL_MAX][IMA_NAME_MAX];	/* list files, staged files, links */
	int nr;
	struct peer peer[NR_PEERS];
	struct peer inside[NR_PEERS];		/* each in a PID namespace of its own */
};

static int set_modes(const FIXTURE_DATA(privilege) *self, mode_t mode)
{
	char path[sizeof(IMA_DIR) + IMA_NAME_MAX];
	int i, ret = 0;

	for (i = 0; i < self->nr && !ret; i++) {
		snprintf(path, sizeof(path), IMA_DIR "/%s", self->all[i]);
		ret = ima_minus_errno(chmod(path, mode));
	}
	return ret;
}

FIXTURE_SETUP(privilege)
{
	static struct staged_names names;
	const char *why = staged_unavailable(&names);
	int i;

	if (why)
		SKIP(return, "%s", why);
	for (i = 0; i < names.nr; i++) {
		memcpy(self->all[self->nr++], names.list[i], IMA_NAME_MAX);
		memcpy(self->all[self->nr++], names.staged[i], IMA_NAME_MAX);
	}
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, staged_log_take(&self->log));
	for (i = 0; i < NR_PEERS; i++)
		ASSERT_EQ(0, peer_start(&self->peer[i]));
}

FIXTURE_TEARDOWN(privilege)
{
	int i;

	for (i = 0; i < NR_PEERS; i++) {
		peer_end(&self->peer[i]);
		peer_end(&self->inside[i]);
	}
	EXPECT_EQ(0, set_modes(self, 0660));
	staged_log_free(&self->log);
	EXPECT_EQ(0, ima_other_process_deletes_all());
}

/*
 * What a process becomes before it opens files
 */
static int keep_all(void)
{
	return 0;
}

static int set_caps(unsigned int caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = caps, .permitted = caps },
	};

	return syscall(SYS_capset, &header, data);
}

static int nobody_with(unsigned int caps)
{
	return prctl(PR_SET_KEEPCAPS, 1) || become_nobody() || set_caps(caps);
}

static int root_with_sys_admin(void)
{
	return set_caps(CAP(SYS_ADMIN));
}

static int root_with_dac_override(void)
{
	return set_caps(CAP(DAC_OVERRIDE));
}

static int nobody_with_dac_override(void)
{
	return nobody_with(CAP(DAC_OVERRIDE));
}

static int nobody_with_sys_admin(void)
{
	return nobody_with(CAP(SYS_ADMIN));
}

static int nobody_with_both(void)
{
	return nobody_with(CAP(SYS_ADMIN) | CAP(DAC_OVERRIDE));
}

static int nobody_in_roots_group(void)
{
	gid_t root = 0;

	return setgroups(1, &root) || setresgid(IMA_NOBODY, IMA_NOBODY, IMA_NOBODY) ||
	       setresuid(IMA_NOBODY, IMA_NOBODY, IMA_NOBODY);
}

/* What all files say to a process that has become something; nothing changes by it. */
#define EXPECT_OPEN(_err, _flags, _become)						\
do {											\
	EXPECT_EQ(_err, refused_open(self->all, self->nr, _flags, _become));		\
	EXPECT_LOG(SAME);								\
} while (0)

/* Return: as refused_open(), if O_WRONLY and O_RDWR agree */
static int refused_write(FIXTURE_DATA(privilege) *self, int (*become)(void))
{
	int err = refused_open(self->all, self->nr, O_WRONLY, become);

	return refused_open(self->all, self->nr, O_RDWR, become) == err ? err : -1;
}

#define EXPECT_WRITE(_err, _become)							\
do {											\
	EXPECT_EQ(_err, refused_write(self, _become));					\
	EXPECT_LOG(SAME);								\
} while (0)

/* The rest of these tests would prove nothing if this failed. */
TEST_F(privilege, root_opens_each_file)
{
	EXPECT_WRITE(0, keep_all);
	EXPECT_OPEN(0, O_RDONLY, keep_all);
}

TEST_F(privilege, nobody_EACCES)
{
	EXPECT_WRITE(EACCES, become_nobody);
	EXPECT_OPEN(EACCES, O_RDONLY, become_nobody);
}

TEST_F(privilege, nobody_whom_the_mode_permits_to_write_EPERM)
{
	ASSERT_EQ(0, set_modes(self, 0666));
	EXPECT_WRITE(EPERM, become_nobody);
	EXPECT_OPEN(0, O_RDONLY, become_nobody);
}

TEST_F(privilege, nobody_in_the_group_of_the_files_EPERM)
{
	EXPECT_WRITE(EPERM, nobody_in_roots_group);
	EXPECT_OPEN(0, O_RDONLY, nobody_in_roots_group);
}

TEST_F(privilege, root_with_all_but_cap_sys_admin_EPERM)
{
	EXPECT_WRITE(EPERM, drop_sys_admin);
	EXPECT_OPEN(0, O_RDONLY, drop_sys_admin);
}

TEST_F(privilege, cap_dac_override_alone_EPERM)
{
	EXPECT_WRITE(EPERM, root_with_dac_override);
	EXPECT_WRITE(EPERM, nobody_with_dac_override);
	EXPECT_OPEN(0, O_RDONLY, nobody_with_dac_override);
}

TEST_F(privilege, root_with_cap_sys_admin_alone_works)
{
	EXPECT_WRITE(0, root_with_sys_admin);
}

TEST_F(privilege, nobody_with_cap_sys_admin_whom_the_mode_does_not_permit_EACCES)
{
	EXPECT_WRITE(EACCES, nobody_with_sys_admin);
	EXPECT_WRITE(0, nobody_with_both);
	ASSERT_EQ(0, set_modes(self, 0666));
	EXPECT_WRITE(0, nobody_with_sys_admin);
}

/* One process that does two things, in a child: what the second of them says. */
static int in_child(int (*become)(void), int (*act)(int (*become)(void)))
{
	pid_t pid = fork();

	if (!pid)
		_exit(act(become));
	return ima_wait_exit(pid);
}

static int open_become_delete(int (*become)(void))
{
	int fd = ima_open(IMA_BINARY, O_WRONLY);

	if (fd < 0 || become())
		return 255;
	return write(fd, "1\n", 2) == 2 ? 0 : errno;
}

static int become_open_delete(int (*become)(void))
{
	int fd = become() ? -255 : ima_open(IMA_BINARY, O_WRONLY);

	if (fd < 0)
		return -fd;
	return write(fd, "1\n", 2) == 2 ? 0 : errno;
}

TEST_F(privilege, command_needs_cap_sys_admin_alone)
{
	EXPECT_EQ(0, in_child(root_with_sys_admin, become_open_delete));
	EXPECT_DELETED_N(1);
}

TEST_F(privilege, command_on_an_open_file_needs_no_capability)
{
	EXPECT_EQ(EPERM, in_child(drop_sys_admin, become_open_delete));
	EXPECT_LOG(SAME);
	EXPECT_EQ(0, in_child(drop_sys_admin, open_become_delete));
	EXPECT_DELETED_N(1);
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(0, in_child(become_nobody, open_become_delete));
	EXPECT_DELETED_N(1);
}

/* /proc/self/fd opens a file anew: it is no way around the check. */
static int open_become_reopen(int (*become)(void))
{
	int fd = ima_open(IMA_BINARY, O_RDONLY);
	char path[32];

	if (fd < 0 || become())
		return 255;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY) < 0 ? errno : 0;
}

TEST_F(privilege, open_again_through_proc_EPERM)
{
	EXPECT_EQ(0, in_child(keep_all, open_become_reopen));
	EXPECT_EQ(EPERM, in_child(drop_sys_admin, open_become_reopen));
	EXPECT_EQ(EACCES, in_child(become_nobody, open_become_reopen));
	EXPECT_LOG(SAME);
}

/*
 * Open files of those who are nobody now
 */
TEST_F(privilege, file_of_root_that_is_nobody_now_takes_commands)
{
	long fd = peer_open(&self->peer[0], IMA_BINARY, O_RDWR);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_BECOME_NOBODY, 0, 0));
	EXPECT_EQ(-EACCES, peer_open(&self->peer[0], IMA_BINARY, O_RDWR));
	EXPECT_EQ(-EACCES, peer_open(&self->peer[0], IMA_BINARY, O_RDONLY));
	EXPECT_TRUE(peer_reads_all_of(&self->peer[0], fd, IMA_BINARY));
	EXPECT_LOG(SAME);
	EXPECT_EQ(2, peer_command(&self->peer[0], fd, "1\n"));
	EXPECT_DELETED_N(1);
}

TEST_F(privilege, w1_writer_that_is_nobody_now_is_the_writer_until_it_closes)
{
	long fd = peer_open(&self->peer[0], IMA_BINARY, O_RDWR);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_BECOME_NOBODY, 0, 0));
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	EXPECT_EQ(-EBUSY, peer_open(&self->peer[1], IMA_ASCII_STAGED, O_WRONLY));
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(0, ima_try_write(IMA_ASCII));
	EXPECT_LE(0, peer_open(&self->peer[1], IMA_ASCII_STAGED, O_WRONLY));
}

TEST_F(privilege, file_that_nobody_received_takes_commands)
{
	long fd = peer_open(&self->peer[0], IMA_BINARY, O_WRONLY), passed;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_do(&self->peer[1], PEER_BECOME_NOBODY, 0, 0));
	EXPECT_EQ(-EACCES, peer_open(&self->peer[1], IMA_BINARY, O_WRONLY));
	passed = peer_pass_file(&self->peer[0], fd, &self->peer[1]);
	ASSERT_LE(0, passed);
	EXPECT_LOG(SAME);
	EXPECT_EQ(2, peer_command(&self->peer[1], passed, "1\n"));
	EXPECT_DELETED_N(1);
}

TEST_F(privilege, w1_file_that_nobody_received_is_counted_until_it_closes)
{
	long fd = peer_open(&self->peer[0], IMA_BINARY, O_WRONLY), passed;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_do(&self->peer[1], PEER_BECOME_NOBODY, 0, 0));
	passed = peer_pass_file(&self->peer[0], fd, &self->peer[1]);
	ASSERT_LE(0, passed);
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	ASSERT_EQ(0, peer_do(&self->peer[1], PEER_CLOSE, passed, 0));
	EXPECT_EQ(0, ima_poll_write(IMA_ASCII));
}

/*
 * User namespaces
 */
/* Return: what each file says to the first peer, or what no errno is */
static int peer_opens(FIXTURE_DATA(privilege) *self, int flags)
{
	struct peer *peer = &self->peer[0];
	long fd, first = 0;
	int i;

	for (i = 0; i < self->nr; i++) {
		fd = peer_open(peer, self->all[i], flags);
		if (fd >= 0)
			fd = peer_do(peer, PEER_CLOSE, fd, 0);
		if (!i)
			first = fd;
		else if (fd != first)
			return -EILSEQ;
	}
	return first;
}

TEST_F(privilege, all_capabilities_in_a_new_user_namespace_EPERM)
{
	EXPECT_EQ(0, peer_opens(self, O_WRONLY));
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_UNSHARE, 0, CLONE_NEWUSER));
	/* This needs CAP_SYS_ADMIN, there. */
	EXPECT_EQ(0, peer_do(&self->peer[0], PEER_UNSHARE, 0, CLONE_NEWNS));
	EXPECT_EQ(-EPERM, peer_opens(self, O_WRONLY));
	EXPECT_EQ(-EPERM, peer_opens(self, O_RDWR));
	EXPECT_EQ(0, peer_opens(self, O_RDONLY));
	EXPECT_LOG(SAME);
	EXPECT_EQ(0, ima_try_write(IMA_BINARY));
}

TEST_F(privilege, user_namespace_of_nobody_EACCES)
{
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_BECOME_NOBODY, 0, 0));
	EXPECT_EQ(-EPERM, peer_do(&self->peer[0], PEER_UNSHARE, 0, CLONE_NEWNS));
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_UNSHARE, 0, CLONE_NEWUSER));
	EXPECT_EQ(0, peer_do(&self->peer[0], PEER_UNSHARE, 0, CLONE_NEWNS));
	EXPECT_EQ(-EACCES, peer_opens(self, O_WRONLY));
	EXPECT_EQ(-EACCES, peer_opens(self, O_RDWR));
	EXPECT_EQ(-EACCES, peer_opens(self, O_RDONLY));
	ASSERT_EQ(0, set_modes(self, 0666));
	EXPECT_EQ(-EPERM, peer_opens(self, O_WRONLY));
	EXPECT_EQ(0, peer_opens(self, O_RDONLY));
	EXPECT_LOG(SAME);
}

TEST_F(privilege, open_file_in_a_new_user_namespace_takes_commands)
{
	long fd = peer_open(&self->peer[0], IMA_BINARY, O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_UNSHARE, 0, CLONE_NEWUSER));
	EXPECT_EQ(-EPERM, peer_open(&self->peer[0], IMA_BINARY, O_WRONLY));
	EXPECT_EQ(2, peer_command(&self->peer[0], fd, "1\n"));
	EXPECT_DELETED_N(1);
	EXPECT_EQ(-EBUSY, ima_try_write(IMA_ASCII));
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(0, ima_try_write(IMA_ASCII));
}

/*
 * PID namespaces, and mount namespaces
 */
static bool in_our_pid_namespace(pid_t pid)
{
	char path[32];
	struct stat ours, its;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	return stat("/proc/self/ns/pid", &ours) || stat(path, &its) ||
	       ours.st_ino == its.st_ino;
}

/* Process 1 of a new namespace; our later children are in our own again. */
static int start_inside(FIXTURE_DATA(privilege) *self, int i)
{
	int ours = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC), ret;

	if (ours < 0 || unshare(CLONE_NEWPID))
		return -errno;
	ret = peer_start(&self->inside[i]);
	if (setns(ours, CLONE_NEWPID))
		return -errno;
	close(ours);
	return ret || in_our_pid_namespace(self->inside[i].pid) ? -ESRCH : 0;
}

TEST_F(privilege, process_in_a_pid_namespace_deletes)
{
	long fd;

	ASSERT_EQ(0, start_inside(self, 0));
	ASSERT_EQ(0, peer_do(&self->inside[0], PEER_UNSHARE, 0, CLONE_NEWNS));
	fd = peer_open(&self->inside[0], IMA_BINARY, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(2, peer_command(&self->inside[0], fd, "1\n"));
	EXPECT_DELETED_N(1);
}

TEST_F(privilege, w1_beside_a_writer_in_a_pid_namespace_EBUSY)
{
	int i;
	long fd;

	ASSERT_EQ(0, start_inside(self, 0));
	fd = peer_open(&self->inside[0], IMA_BINARY, O_WRONLY);
	ASSERT_LE(0, fd);
	for (i = 0; i < self->nr; i++)
		EXPECT_EQ(-EBUSY, ima_try_write(self->all[i]));
	EXPECT_LE(0, peer_open(&self->inside[0], IMA_ASCII, O_WRONLY));
	peer_kill(&self->inside[0]);
	EXPECT_EQ(0, ima_poll_write(IMA_ASCII));
}

TEST_F(privilege, w1_in_a_pid_namespace_beside_a_writer_EBUSY)
{
	long fd = peer_open(&self->peer[0], IMA_BINARY, O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, start_inside(self, 0));
	EXPECT_EQ(-EBUSY, peer_open(&self->inside[0], IMA_ASCII, O_WRONLY));
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_LE(0, peer_open(&self->inside[0], IMA_ASCII, O_WRONLY));
}

/* Both are process 1: it is not the number that tells who is the writer. */
TEST_F(privilege, w1_process_1_of_two_pid_namespaces_EBUSY)
{
	ASSERT_EQ(0, start_inside(self, 0));
	ASSERT_EQ(0, start_inside(self, 1));
	ASSERT_LE(0, peer_open(&self->inside[0], IMA_BINARY, O_WRONLY));
	EXPECT_EQ(-EBUSY, peer_open(&self->inside[1], IMA_BINARY, O_WRONLY));
	peer_kill(&self->inside[0]);
	ASSERT_EQ(0, ima_poll_write(IMA_ASCII));
	EXPECT_LE(0, peer_open(&self->inside[1], IMA_BINARY, O_WRONLY));
}

/* As in_child() asks for it: in a mount namespace of its own. */
static int mount_again_delete(int (*become)(void))
{
	char dir[] = "/tmp/ima-mount-XXXXXX", path[128];
	int fd;

	if (become() || unshare(CLONE_NEWNS) || !mkdtemp(dir) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("securityfs", dir, "securityfs", 0, NULL))
		return 255;
	snprintf(path, sizeof(path), "%s/ima/" IMA_BINARY, dir);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	return write(fd, "1\n", 2) == 2 ? 0 : errno;
}

TEST_F(privilege, w1_by_another_mount_EBUSY)
{
	long fd = peer_open(&self->peer[0], IMA_BINARY, O_WRONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(EBUSY, in_child(keep_all, mount_again_delete));
	EXPECT_LOG(SAME);
	ASSERT_EQ(0, peer_do(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(0, in_child(keep_all, mount_again_delete));
	EXPECT_DELETED_N(1);
}

/*
 * Lockdown. There is no way back: this is the last test.
 */
static bool lock_down(void)
{
	char text[64] = "";
	FILE *f = fopen(LOCKDOWN, "r+");
	bool locked;

	if (!f)
		return false;
	locked = fputs("confidentiality", f) >= 0 && !fflush(f);
	rewind(f);
	locked &= fgets(text, sizeof(text), f) && strstr(text, "[confidentiality]");
	fclose(f);
	return locked;
}

TEST_F(privilege, lockdown_changes_nothing)
{
	if (!getenv("IMA_VM"))
		SKIP(return, "lockdown stays until reboot");
	ASSERT_TRUE(lock_down());
	EXPECT_WRITE(0, keep_all);
	EXPECT_WRITE(EPERM, drop_sys_admin);
	EXPECT_OPEN(EACCES, O_RDONLY, become_nobody);
	EXPECT_EQ(0, ima_delete(1));
	EXPECT_DELETED_N(1);
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(0, ima_stage());
	EXPECT_LOG(STAGED);
	ASSERT_EQ(0, staged_log_retake(&self->log));
	EXPECT_EQ(0, ima_delete_staged());
	EXPECT_LOG(DELETED);
}

TEST_HARNESS_MAIN
