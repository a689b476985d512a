// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening and reading the measurement list while records are deleted: the one
 * writing process (W1), readers that never are in the way (R1) or are (R2),
 * and a file's place in a list that loses its first records (R3).
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../kselftest_harness.h"
#include "ima_test.h"

#define NR_RECORDS 10
#define NR_PEERS 2
#define ASCII "ascii_runtime_measurements_sha1"
#define BINARY "binary_runtime_measurements_sha1"

/*
 * A peer is another process that does one thing at a time for the test. It
 * never fails by itself: the result of each call comes back, and the test
 * judges it.
 */
enum peer_op {
	PEER_OPEN,		/* open: name, flags */
	PEER_OPEN_THREAD,	/* the same in a new thread that ends */
	PEER_CLOSE,		/* close: fd */
	PEER_CLOSE_THREAD,	/* the same in another thread */
	PEER_CLOSE_TASK,	/* the same in another process with the same files */
	PEER_DUP,
	PEER_READ,		/* read up to arg bytes, less at the end of the list */
	PEER_LSEEK,		/* SEEK_SET to arg */
	PEER_COMMAND,		/* write: name is the command */
	PEER_FORK,		/* a child that has the same files and only waits */
	PEER_FORK_END,		/* that child exits */
	PEER_THREADS,		/* start arg threads that wait for ever */
	PEER_SEND,		/* the fd goes with the answer */
	PEER_RECEIVE,		/* the fd came with the request */
};

struct peer_request {
	enum peer_op op;
	int fd, flags;
	long arg;
	char name[IMA_NAME_MAX];
};

struct peer_answer {
	long ret;		/* what the call returned, or -errno */
};

#define PEER_DATA_MAX (1024 * 1024)

struct peer {
	pid_t pid;
	int sock;
	char *data;		/* shared: what PEER_READ read */
	pid_t child;		/* of PEER_FORK; known to the peer and to the test */
};

static ssize_t sock_send(int sock, void *data, size_t len, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL);
}

static ssize_t sock_receive(int sock, void *data, size_t len, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t ret = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);

	*fd = -1;
	cmsg = ret < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(int));
	return ret;
}

static long minus_errno(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* Read until @len bytes or the end; Return: bytes or -errno if there are none */
static long read_full(int fd, char *data, size_t len, size_t chunk)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < len && n > 0) {
		n = read(fd, data + done, len - done < chunk ? len - done : chunk);
		if (n > 0)
			done += n;
	}
	return n < 0 && !done ? -errno : (long)done;
}

static void *open_thread(void *arg)
{
	struct peer_request *request = arg;

	request->arg = ima_open(request->name, request->flags);
	return NULL;
}

static void *close_thread(void *arg)
{
	struct peer_request *request = arg;

	request->arg = minus_errno(close(request->fd));
	return NULL;
}

static void *wait_thread(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int close_task(void *arg)
{
	return close(*(int *)arg) ? errno : 0;
}

static long in_thread(void *(*function)(void *), struct peer_request *request)
{
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, function, request);

	if (ret)
		return -ret;
	pthread_join(thread, NULL);
	return request->arg;
}

static long start_threads(long n)
{
	pthread_t thread;
	int ret = 0;

	while (n-- && !ret)
		ret = -pthread_create(&thread, NULL, wait_thread, NULL);
	return ret;
}

static long wait_exit(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/* A process of its own (CLONE_FILES is all that it shares). */
static long close_in_task(int fd)
{
	const size_t size = 64 * 1024;
	char *stack = malloc(size);
	long ret = -ENOMEM;

	if (stack)
		ret = wait_exit(clone(close_task, stack + size, CLONE_FILES | SIGCHLD, &fd));
	free(stack);
	return ret;
}

static long fork_waiting_child(struct peer *peer)
{
	peer->child = fork();
	if (!peer->child) {
		close(peer->sock);
		wait_thread(NULL);
	}
	return minus_errno(peer->child);
}

static long peer_do(struct peer *peer, struct peer_request *request, int fd)
{
	switch (request->op) {
	case PEER_OPEN:
		return ima_open(request->name, request->flags);
	case PEER_OPEN_THREAD:
		return in_thread(open_thread, request);
	case PEER_CLOSE:
		return minus_errno(close(request->fd));
	case PEER_CLOSE_THREAD:
		return in_thread(close_thread, request);
	case PEER_CLOSE_TASK:
		return close_in_task(request->fd);
	case PEER_DUP:
		return minus_errno(dup(request->fd));
	case PEER_READ:
		return read_full(request->fd, peer->data, request->arg, PEER_DATA_MAX);
	case PEER_LSEEK:
		return minus_errno(lseek(request->fd, request->arg, SEEK_SET));
	case PEER_COMMAND:
		return minus_errno(write(request->fd, request->name, strlen(request->name)));
	case PEER_FORK:
		return fork_waiting_child(peer);
	case PEER_FORK_END:
		kill(peer->child, SIGKILL);
		return minus_errno(waitpid(peer->child, NULL, 0));
	case PEER_THREADS:
		return start_threads(request->arg);
	case PEER_SEND:
		return request->fd;
	case PEER_RECEIVE:
		return fd;
	}
	return -EINVAL;
}

static void peer_main(struct peer *peer)
{
	struct peer_request request;
	struct peer_answer answer;
	int fd;

	while (sock_receive(peer->sock, &request, sizeof(request), &fd) == sizeof(request)) {
		answer.ret = peer_do(peer, &request, fd);
		fd = request.op == PEER_SEND ? request.fd : -1;
		sock_send(peer->sock, &answer, sizeof(answer), fd);
	}
	_exit(0);
}

/* Return: 0 or -1; a peer ends with the test, whatever happens. */
static int peer_start(struct peer *peer)
{
	int sock[2];

	peer->data = mmap(NULL, PEER_DATA_MAX, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (peer->data == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return -1;
	peer->pid = fork();
	if (!peer->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(sock[0]);
		peer->sock = sock[1];
		peer_main(peer);
	}
	close(sock[1]);
	peer->sock = sock[0];
	return peer->pid < 0 ? -1 : 0;
}

static void peer_kill(struct peer *peer)
{
	if (peer->pid <= 0)
		return;
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
	close(peer->sock);
	peer->pid = 0;
}

/* The child of PEER_FORK outlives its parent, but not the test. */
static void peer_end(struct peer *peer)
{
	peer_kill(peer);
	if (peer->child > 0)
		kill(peer->child, SIGKILL);
	peer->child = 0;
}

static long peer_call_fd(struct peer *peer, struct peer_request request, int send, int *received)
{
	struct peer_answer answer;

	if (sock_send(peer->sock, &request, sizeof(request), send) != sizeof(request) ||
	    sock_receive(peer->sock, &answer, sizeof(answer), received) != sizeof(answer))
		return -EPIPE;
	return answer.ret;
}

static long peer_call(struct peer *peer, struct peer_request request)
{
	int fd;

	return peer_call_fd(peer, request, -1, &fd);
}

static long peer_open(struct peer *peer, const char *name, int flags)
{
	struct peer_request request = { .op = PEER_OPEN, .flags = flags };

	snprintf(request.name, sizeof(request.name), "%s", name);
	return peer_call(peer, request);
}

static long peer_command(struct peer *peer, int fd, const char *cmd)
{
	struct peer_request request = { .op = PEER_COMMAND, .fd = fd };

	snprintf(request.name, sizeof(request.name), "%s", cmd);
	return peer_call(peer, request);
}

/* One of the operations that take a file and a number. */
static long peer_fd(struct peer *peer, enum peer_op op, int fd, long arg)
{
	return peer_call(peer, (struct peer_request){ .op = op, .fd = fd, .arg = arg });
}

static long peer_fork(struct peer *peer)
{
	peer->child = peer_fd(peer, PEER_FORK, 0, 0);
	return peer->child;
}

static long peer_fork_end(struct peer *peer)
{
	peer->child = 0;
	return peer_fd(peer, PEER_FORK_END, 0, 0);
}

/* The file goes from one peer to another, and nobody else keeps it. */
static long pass_file(struct peer *from, int fd, struct peer *to)
{
	long ret;
	int received, none;

	ret = peer_call_fd(from, (struct peer_request){ .op = PEER_SEND, .fd = fd },
			   -1, &received);
	if (ret < 0 || received < 0)
		return -EBADF;
	ret = peer_call_fd(to, (struct peer_request){ .op = PEER_RECEIVE }, received, &none);
	close(received);
	return ret;
}

/* Open for write, close; Return: 0 or -errno */
static int try_write(const char *name)
{
	int fd = ima_open(name, O_WRONLY);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* The same until it works or the time is up. */
static int poll_write(const char *name)
{
	long long end = ima_now_ms() + IMA_DEADLINE_MS;
	int ret = try_write(name);

	while (ret == -EBUSY && ima_now_ms() < end) {
		sched_yield();
		ret = try_write(name);
	}
	return ret;
}

static int try_write_in_child(const char *name)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-try_write(name));
	return wait_exit(pid);
}

static int delete_n(unsigned long n)
{
	char cmd[32];

	snprintf(cmd, sizeof(cmd), "%lu\n", n);
	return ima_command(ASCII, cmd);
}

/* Teardown in every test: another process finds no writer and no reader. */
static int other_process_deletes_all(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(ima_measure_files(1) ? 255 : -delete_n(ima_count()));
	return wait_exit(pid);
}

/*
 * W1
 */
FIXTURE(writer) {
	struct peer peer[NR_PEERS];
	char name[IMA_FILES_MAX][IMA_NAME_MAX];
	int nr;
};

FIXTURE_SETUP(writer)
{
	const char *why = ima_test_unavailable();
	int i;

	if (why)
		SKIP(return, "%s", why);
	self->nr = ima_list_names(self->name, true);
	ASSERT_LT(0, self->nr);
	for (i = 0; i < NR_PEERS; i++)
		ASSERT_EQ(0, peer_start(&self->peer[i]));
}

FIXTURE_TEARDOWN(writer)
{
	int i;

	for (i = 0; i < NR_PEERS; i++)
		peer_end(&self->peer[i]);
	EXPECT_EQ(0, other_process_deletes_all());
}

/* Return: how many of all files and ways to open them for write are not busy */
static int opens_that_work(const struct _test_data_writer *self)
{
	int i, fd, nr = 0;

	for (i = 0; i < 2 * self->nr; i++) {
		fd = ima_open(self->name[i / 2], i & 1 ? O_RDWR : O_WRONLY);
		nr += fd != -EBUSY;
		if (fd >= 0)
			close(fd);
	}
	return nr;
}

TEST_F(writer, w1_any_file_of_second_process_EBUSY)
{
	int i, fd;

	for (i = 0; i < self->nr; i++) {
		fd = peer_open(&self->peer[0], self->name[i], O_WRONLY);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, opens_that_work(self)) {
			TH_LOG("beside %s", self->name[i]);
		}
		ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_CLOSE, fd, 0));
	}
}

TEST_F(writer, w1_rdwr_is_a_writer_too_EBUSY)
{
	ASSERT_LE(0, peer_open(&self->peer[0], BINARY, O_RDWR));
	EXPECT_EQ(-EBUSY, try_write(ASCII));
}

TEST_F(writer, w1_after_close_works)
{
	int fd = peer_open(&self->peer[0], ASCII, O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(0, try_write(ASCII));
}

TEST_F(writer, w1_any_number_of_files_of_one_process_works)
{
	int i, round, nr = 0, fd[IMA_FILES_MAX * 4];

	for (round = 0; round < 4; round++) {
		for (i = 0; i < self->nr; i++) {
			fd[nr] = ima_open(self->name[i], round & 1 ? O_RDWR : O_WRONLY);
			ASSERT_LE(0, fd[nr]);
			nr++;
		}
	}
	EXPECT_EQ(-EBUSY, peer_open(&self->peer[0], ASCII, O_WRONLY));
	while (nr--)
		close(fd[nr]);
	EXPECT_LE(0, peer_open(&self->peer[0], ASCII, O_WRONLY));
}

TEST_F(writer, w1_other_thread_of_writer_works)
{
	struct peer_request request = { .op = PEER_OPEN_THREAD, .name = BINARY,
					.flags = O_WRONLY };

	ASSERT_LE(0, peer_open(&self->peer[0], ASCII, O_WRONLY));
	EXPECT_LE(0, peer_call(&self->peer[0], request));
}

TEST_F(writer, w1_thread_opened_and_ended_process_is_the_writer)
{
	struct peer_request request = { .op = PEER_OPEN_THREAD, .name = BINARY,
					.flags = O_WRONLY };
	int fd = peer_call(&self->peer[0], request);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, try_write(ASCII));
	EXPECT_LE(0, peer_open(&self->peer[0], ASCII, O_WRONLY));
}

TEST_F(writer, w1_one_of_two_closed_EBUSY)
{
	int a = peer_open(&self->peer[0], ASCII, O_WRONLY);
	int b = peer_open(&self->peer[0], BINARY, O_RDWR);

	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_CLOSE, a, 0));
	EXPECT_EQ(-EBUSY, try_write(ASCII));
	ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_CLOSE, b, 0));
	EXPECT_EQ(0, try_write(ASCII));
}

TEST_F(writer, w1_refused_open_leaves_no_writer)
{
	int fd = peer_open(&self->peer[0], ASCII, O_WRONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, try_write(ASCII));
	EXPECT_EQ(-EBUSY, peer_open(&self->peer[1], ASCII, O_WRONLY));
	ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_LE(0, peer_open(&self->peer[1], ASCII, O_WRONLY));
	EXPECT_EQ(-EBUSY, peer_open(&self->peer[0], ASCII, O_WRONLY));
}

TEST_F(writer, w1_after_fork_child_exits_parent_is_still_writer)
{
	ASSERT_LE(0, peer_open(&self->peer[0], ASCII, O_WRONLY));
	ASSERT_LT(0, peer_fork(&self->peer[0]));
	ASSERT_LT(0, peer_fork_end(&self->peer[0]));
	EXPECT_EQ(-EBUSY, try_write(ASCII));
	EXPECT_LE(0, peer_open(&self->peer[0], BINARY, O_WRONLY));
}

TEST_F(writer, w1_after_fork_both_closed_works)
{
	int fd = peer_open(&self->peer[0], ASCII, O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_LT(0, peer_fork(&self->peer[0]));
	ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(-EBUSY, try_write(ASCII));
	ASSERT_LT(0, peer_fork_end(&self->peer[0]));
	EXPECT_EQ(0, poll_write(ASCII));
}

TEST_F(writer, w1_child_keeps_the_file_of_a_killed_parent_EBUSY)
{
	ASSERT_LE(0, peer_open(&self->peer[0], ASCII, O_WRONLY));
	ASSERT_LT(0, peer_fork(&self->peer[0]));
	peer_kill(&self->peer[0]);
	EXPECT_EQ(-EBUSY, try_write(ASCII));
	peer_end(&self->peer[0]);
	EXPECT_EQ(0, poll_write(ASCII));
}

/* The killed writer's task is free for reuse; nobody new may pass for it. */
TEST_F(writer, w1_new_process_does_not_pass_for_a_dead_writer_EBUSY)
{
	int i;

	ASSERT_LE(0, peer_open(&self->peer[0], ASCII, O_WRONLY));
	ASSERT_LT(0, peer_fork(&self->peer[0]));
	peer_kill(&self->peer[0]);
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(-EBUSY, try_write_in_child(ASCII)) {
			TH_LOG("process %d", i);
		}
	}
	peer_end(&self->peer[0]);
	EXPECT_EQ(0, poll_write(ASCII));
}

TEST_F(writer, w1_dup_keeps_the_writer_EBUSY)
{
	int fd = peer_open(&self->peer[0], ASCII, O_WRONLY);
	int copy = peer_fd(&self->peer[0], PEER_DUP, fd, 0);

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(-EBUSY, try_write(ASCII));
	ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_CLOSE, copy, 0));
	EXPECT_EQ(0, try_write(ASCII));
}

TEST_F(writer, w1_scm_rights_third_process_EBUSY_until_receiver_closes)
{
	int fd = peer_open(&self->peer[0], ASCII, O_WRONLY);
	int passed;

	ASSERT_LE(0, fd);
	passed = pass_file(&self->peer[0], fd, &self->peer[1]);
	ASSERT_LE(0, passed);
	ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_CLOSE, fd, 0));
	EXPECT_EQ(-EBUSY, try_write(ASCII));
	ASSERT_EQ(0, peer_fd(&self->peer[1], PEER_CLOSE, passed, 0));
	EXPECT_EQ(0, poll_write(ASCII));
}

TEST_F(writer, w1_scm_rights_opener_killed_third_process_EBUSY)
{
	int fd = peer_open(&self->peer[0], ASCII, O_WRONLY);
	int passed;

	ASSERT_LE(0, fd);
	passed = pass_file(&self->peer[0], fd, &self->peer[1]);
	ASSERT_LE(0, passed);
	peer_kill(&self->peer[0]);
	EXPECT_EQ(-EBUSY, try_write(ASCII));
	peer_kill(&self->peer[1]);
	EXPECT_EQ(0, poll_write(ASCII));
}

TEST_F(writer, w1_close_in_other_thread_works)
{
	int fd = peer_open(&self->peer[0], ASCII, O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_CLOSE_THREAD, fd, 0));
	EXPECT_EQ(0, poll_write(ASCII));
}

TEST_F(writer, w1_close_in_other_task_works)
{
	int fd = peer_open(&self->peer[0], ASCII, O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_CLOSE_TASK, fd, 0));
	EXPECT_EQ(0, poll_write(ASCII));
}

TEST_F(writer, w1_sigkill_of_threads_with_two_files_works)
{
	struct peer_request request = { .op = PEER_OPEN_THREAD, .name = BINARY,
					.flags = O_RDWR };

	ASSERT_EQ(0, peer_fd(&self->peer[0], PEER_THREADS, 0, 4));
	ASSERT_LE(0, peer_open(&self->peer[0], ASCII, O_WRONLY));
	ASSERT_LE(0, peer_call(&self->peer[0], request));
	peer_kill(&self->peer[0]);
	EXPECT_EQ(0, poll_write(ASCII));
}

TEST_F(writer, r1_read_beside_a_writer_works)
{
	size_t len;
	void *data;
	int i;

	ASSERT_LE(0, peer_open(&self->peer[0], ASCII, O_WRONLY));
	for (i = 0; i < self->nr; i++) {
		data = ima_read_all(self->name[i], &len);
		EXPECT_NE(NULL, data) {
			TH_LOG("file %s: %s", self->name[i], strerror(errno));
		}
		free(data);
	}
}

/*
 * R1 and R2: a reader in another process, on each kind of file
 */
FIXTURE(reader) {
	struct peer peer;
	struct ima_state before;
	const struct ima_file *file;
	int fd;			/* in the peer */
};

FIXTURE_VARIANT(reader) {
	const char *name;
};

FIXTURE_VARIANT_ADD(reader, ascii) { .name = ASCII };
FIXTURE_VARIANT_ADD(reader, binary) { .name = BINARY };

FIXTURE_SETUP(reader)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->file = ima_state_file(&self->before, variant->name);
	ASSERT_NE(NULL, self->file);
	ASSERT_EQ(self->file->len, ima_skip_records(self->file, self->before.count));
	ASSERT_EQ(0, peer_start(&self->peer));
	self->fd = peer_open(&self->peer, variant->name, O_RDONLY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(reader)
{
	peer_end(&self->peer);
	ima_state_free(&self->before);
	EXPECT_EQ(0, other_process_deletes_all());
}

/* Where record @n begins in the list that was there at the start. */
static long start_of(const struct _test_data_reader *self, long n)
{
	return ima_skip_records(self->file, n);
}

static long reader_read(struct _test_data_reader *self, long len)
{
	return peer_fd(&self->peer, PEER_READ, self->fd, len);
}

/* Does it read to the end exactly what the list is now? */
static bool reads_whole_list(struct _test_data_reader *self, const char *name)
{
	size_t len;
	char *data = ima_read_all(name, &len);
	bool same = data && reader_read(self, PEER_DATA_MAX) == (long)len &&
		    !memcmp(data, self->peer.data, len);

	free(data);
	return same;
}

#define EXPECT_DELETED(_n) EXPECT_STREQ("", ima_state_differs(&self->before, _n) ?: "")

TEST_F(reader, r1_idle_reader_deletion_works)
{
	EXPECT_EQ(0, delete_n(4));
	EXPECT_DELETED(4);
}

TEST_F(reader, r1_idle_reader_then_reads_the_remaining_list)
{
	ASSERT_EQ(0, delete_n(4));
	EXPECT_EQ(self->file->len - start_of(self, 4), (size_t)reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(self->file->data + start_of(self, 4), self->peer.data,
			    self->file->len - start_of(self, 4)));
}

TEST_F(reader, r1_idle_reader_all_deleted_reads_new_records)
{
	ASSERT_EQ(0, delete_n(self->before.count));
	ASSERT_EQ(0, ima_measure_files(3));
	EXPECT_TRUE(reads_whole_list(self, variant->name));
}

TEST_F(reader, r1_reader_whose_first_read_was_EFAULT_deletion_works)
{
	void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = ima_open(variant->name, O_RDONLY);

	ASSERT_NE(MAP_FAILED, nowhere);
	ASSERT_LE(0, fd);
	ASSERT_EQ(-EFAULT, minus_errno(read(fd, nowhere, 4096)));
	EXPECT_EQ(0, other_process_deletes_all());
	close(fd);
	munmap(nowhere, 4096);
}

TEST_F(reader, r1_reader_at_end_deletion_of_all_works)
{
	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, delete_n(self->before.count));
	EXPECT_DELETED(self->before.count);
}

TEST_F(reader, r1_reader_at_end_reads_on_after_deletion_of_all)
{
	int round;

	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, delete_n(ima_count()));
		EXPECT_EQ(0, reader_read(self, 100));
		ASSERT_EQ(0, ima_measure_files(3));
		EXPECT_TRUE(reads_whole_list(self, variant->name));
	}
}

TEST_F(reader, r1_reader_at_end_reads_on_after_deletion_of_some)
{
	struct ima_state after;
	const struct ima_file *file;
	size_t old;

	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	ASSERT_EQ(0, delete_n(self->before.count - 2));
	ASSERT_EQ(0, ima_measure_files(3));
	ASSERT_EQ(0, ima_state_take(&after));
	file = ima_state_file(&after, variant->name);
	old = ima_skip_records(file, 2);
	EXPECT_EQ(file->len - old, (size_t)reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(file->data + old, self->peer.data, file->len - old));
	ima_state_free(&after);
}

TEST_F(reader, r1_reader_at_old_end_of_grown_list_deletion_of_all_works)
{
	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	ASSERT_EQ(0, ima_measure_files(4));
	EXPECT_EQ(0, delete_n(ima_count()));
	EXPECT_EQ(0, ima_count());
}

TEST_F(reader, r1_reader_at_old_end_of_grown_list_then_all_deleted_ESTALE)
{
	ASSERT_EQ((long)self->file->len, reader_read(self, PEER_DATA_MAX));
	ASSERT_EQ(0, ima_measure_files(4));
	ASSERT_EQ(0, delete_n(ima_count()));
	EXPECT_EQ(-ESTALE, reader_read(self, 100));
	EXPECT_EQ(-ESTALE, reader_read(self, 100));
	EXPECT_EQ(0, peer_fd(&self->peer, PEER_LSEEK, self->fd, 0));
	EXPECT_EQ(0, reader_read(self, 100));
	ASSERT_EQ(0, ima_measure_files(2));
	EXPECT_TRUE(reads_whole_list(self, variant->name));
}

TEST_F(reader, r2_other_reader_in_middle_EBUSY)
{
	ASSERT_EQ(start_of(self, 2), reader_read(self, start_of(self, 2)));
	EXPECT_EQ(-EBUSY, delete_n(3));
	EXPECT_DELETED(0);
	EXPECT_EQ(-EBUSY, delete_n(self->before.count));
	EXPECT_DELETED(0);
}

TEST_F(reader, r2_one_byte_of_first_record_read_is_the_middle_EBUSY)
{
	ASSERT_EQ(1, reader_read(self, 1));
	EXPECT_EQ(-EBUSY, delete_n(1));
	EXPECT_EQ(-EBUSY, delete_n(2));
	EXPECT_DELETED(0);
}

TEST_F(reader, r2_partially_read_record_is_the_middle_EBUSY)
{
	ASSERT_EQ(start_of(self, 3) + 5, reader_read(self, start_of(self, 3) + 5));
	EXPECT_EQ(-EBUSY, delete_n(4));
	EXPECT_DELETED(0);
}

TEST_F(reader, r2_all_but_one_byte_of_the_last_record_EBUSY)
{
	ASSERT_EQ(start_of(self, 4) - 1, reader_read(self, start_of(self, 4) - 1));
	EXPECT_EQ(-EBUSY, delete_n(4));
	EXPECT_DELETED(0);
}

TEST_F(reader, r2_records_before_a_partially_read_one_works)
{
	ASSERT_EQ(start_of(self, 3) + 5, reader_read(self, start_of(self, 3) + 5));
	EXPECT_EQ(0, delete_n(3));
	EXPECT_DELETED(3);
}

TEST_F(reader, r2_reader_just_past_works)
{
	ASSERT_EQ(start_of(self, 4), reader_read(self, start_of(self, 4)));
	EXPECT_EQ(0, delete_n(4));
	EXPECT_DELETED(4);
}

TEST_F(reader, r2_reader_far_past_works)
{
	ASSERT_EQ(start_of(self, 8), reader_read(self, start_of(self, 8)));
	EXPECT_EQ(0, delete_n(3));
	EXPECT_EQ(0, delete_n(2));
	EXPECT_DELETED(5);
}

TEST_F(reader, r2_idle_reader_after_an_earlier_deletion_works)
{
	ASSERT_EQ(0, delete_n(2));
	EXPECT_EQ(0, delete_n(2));
	EXPECT_DELETED(4);
}

TEST_F(reader, r2_after_reading_on_to_the_end_works)
{
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, delete_n(self->before.count));
	ASSERT_EQ((long)self->file->len - 5, reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, delete_n(self->before.count));
}

TEST_F(reader, r2_after_lseek_0_works)
{
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, delete_n(2));
	ASSERT_EQ(0, peer_fd(&self->peer, PEER_LSEEK, self->fd, 0));
	EXPECT_EQ(0, delete_n(2));
	EXPECT_TRUE(reads_whole_list(self, variant->name));
}

TEST_F(reader, r2_after_close_works)
{
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, delete_n(2));
	ASSERT_EQ(0, peer_fd(&self->peer, PEER_CLOSE, self->fd, 0));
	EXPECT_EQ(0, delete_n(2));
}

TEST_F(reader, r2_after_sigkill_works)
{
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, delete_n(2));
	peer_kill(&self->peer);
	EXPECT_EQ(0, delete_n(2));
}

TEST_F(reader, r2_refused_command_does_not_disturb_the_reader)
{
	ASSERT_EQ(5, reader_read(self, 5));
	ASSERT_EQ(-EBUSY, delete_n(2));
	ASSERT_EQ((long)self->file->len - 5, reader_read(self, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(self->file->data + 5, self->peer.data, self->file->len - 5));
}

TEST_F(reader, r2_ENOENT_comes_before_EBUSY)
{
	ASSERT_EQ(5, reader_read(self, 5));
	EXPECT_EQ(-ENOENT, delete_n(self->before.count + 1));
	EXPECT_DELETED(0);
}

TEST_F(reader, r2_own_half_read_files_of_the_writer_work)
{
	char buf[5];
	int ro = ima_open(variant->name, O_RDONLY);
	int rw = ima_open(variant->name, O_RDWR);

	ASSERT_LE(0, ro);
	ASSERT_LE(0, rw);
	ASSERT_EQ(5, read(ro, buf, 5));
	ASSERT_EQ(5, read(rw, buf, 5));
	EXPECT_EQ(2, write(rw, "3\n", 2));
	EXPECT_DELETED(3);
	close(ro);
	close(rw);
}

TEST_F(reader, r2_half_read_file_of_a_former_writer_EBUSY)
{
	int rw = peer_open(&self->peer, variant->name, O_RDWR);

	ASSERT_LE(0, rw);
	ASSERT_EQ(2, peer_command(&self->peer, rw, "1\n"));
	ASSERT_EQ(0, peer_fd(&self->peer, PEER_CLOSE, rw, 0));
	ASSERT_EQ(5, reader_read(self, 5));
	EXPECT_EQ(-EBUSY, delete_n(1));
	EXPECT_DELETED(1);
}

/*
 * R3 with reads of all sizes: delete what is read, all the time
 */
FIXTURE(place) {
	struct ima_state before;
	const struct ima_file *file;
	char *got;
};

FIXTURE_VARIANT(place) {
	const char *name;
	size_t chunk;
	unsigned int records;
};

FIXTURE_VARIANT_ADD(place, ascii_1) { .name = ASCII, .chunk = 1, .records = 30 };
FIXTURE_VARIANT_ADD(place, ascii_7) { .name = ASCII, .chunk = 7, .records = 60 };
FIXTURE_VARIANT_ADD(place, ascii_4095) { .name = ASCII, .chunk = 4095, .records = 300 };
FIXTURE_VARIANT_ADD(place, ascii_64K_1) { .name = ASCII, .chunk = 65537, .records = 1200 };
FIXTURE_VARIANT_ADD(place, binary_1) { .name = BINARY, .chunk = 1, .records = 30 };
FIXTURE_VARIANT_ADD(place, binary_7) { .name = BINARY, .chunk = 7, .records = 60 };
FIXTURE_VARIANT_ADD(place, binary_4095) { .name = BINARY, .chunk = 4095, .records = 300 };
FIXTURE_VARIANT_ADD(place, binary_64K_1) { .name = BINARY, .chunk = 65537, .records = 1200 };

FIXTURE_SETUP(place)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(variant->records));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->file = ima_state_file(&self->before, variant->name);
	ASSERT_NE(NULL, self->file);
	self->got = malloc(PEER_DATA_MAX);
	ASSERT_NE(NULL, self->got);
	ASSERT_GT((size_t)PEER_DATA_MAX, self->file->len);
}

FIXTURE_TEARDOWN(place)
{
	ima_state_free(&self->before);
	free(self->got);
	EXPECT_EQ(0, other_process_deletes_all());
}

/* How many whole records are in the first @len bytes? */
static long whole_records(const struct ima_file *file, size_t len)
{
	struct ima_file part = *file;
	long n = 0;
	size_t end = 0;

	part.len = len;
	while (end < len) {
		part.data = file->data + end;
		part.len = len - end;
		if (ima_skip_records(&part, 1) == SIZE_MAX)
			break;
		end += ima_skip_records(&part, 1);
		n++;
	}
	return n;
}

/* Read one chunk more; Return: bytes read now, 0 at the end, or -errno */
static long read_chunk(struct _test_data_place *self, struct peer *peer, int fd, size_t chunk,
		       size_t done)
{
	long n;

	if (!peer)
		return minus_errno(read(fd, self->got + done, chunk));
	n = peer_fd(peer, PEER_READ, fd, chunk);
	if (n > 0)
		memcpy(self->got + done, peer->data, n);
	return n;
}

/*
 * Read in chunks to the end; after each, delete what has been read.
 * Return: bytes read, or -errno
 */
static long read_and_delete(struct _test_data_place *self, struct peer *peer, int fd, size_t chunk)
{
	size_t done = 0, max;
	long n, read, deleted = 0;
	int ret;

	for (;;) {
		max = PEER_DATA_MAX - done;
		n = read_chunk(self, peer, fd, chunk < max ? chunk : max, done);
		if (n <= 0)
			return n < 0 ? n : (long)done;
		done += n;
		if (done > self->file->len)
			return -EOVERFLOW;
		read = whole_records(self->file, done);
		if (read == deleted)
			continue;
		ret = delete_n(read - deleted);
		if (ret)
			return ret;
		deleted = read;
	}
}

TEST_F_TIMEOUT(place, r3_other_process_reads_on_byte_exact, 120)
{
	struct peer peer = {};
	int fd;

	ASSERT_EQ(0, peer_start(&peer));
	fd = peer_open(&peer, variant->name, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ((long)self->file->len, read_and_delete(self, &peer, fd, variant->chunk));
	EXPECT_EQ(0, memcmp(self->file->data, self->got, self->file->len));
	EXPECT_EQ(0, ima_count());
	peer_kill(&peer);
}

TEST_F_TIMEOUT(place, r3_own_file_reads_on_byte_exact, 120)
{
	int fd = ima_open(variant->name, O_RDONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ((long)self->file->len, read_and_delete(self, NULL, fd, variant->chunk));
	EXPECT_EQ(0, memcmp(self->file->data, self->got, self->file->len));
	EXPECT_EQ(0, ima_count());
	close(fd);
}

TEST_F_TIMEOUT(place, r3_two_deletions_then_reads_on_byte_exact, 120)
{
	int fd = ima_open(variant->name, O_RDWR);
	size_t half;
	long rest;

	ASSERT_LE(0, fd);
	half = ima_skip_records(self->file, self->before.count / 2) + 3;
	ASSERT_EQ((long)half, read_full(fd, self->got, half, variant->chunk));
	EXPECT_EQ(2, write(fd, "3\n", 2));
	EXPECT_EQ(2, write(fd, "4\n", 2));
	rest = self->file->len - half;
	EXPECT_EQ(rest, read_full(fd, self->got + half, PEER_DATA_MAX - half, variant->chunk));
	EXPECT_EQ(0, memcmp(self->file->data, self->got, self->file->len));
	close(fd);
}

/*
 * R3 in detail: files of the process that deletes
 */
FIXTURE(own) {
	struct ima_state before;
	const struct ima_file *file;
	char *got;
	int fd, other;
};

FIXTURE_VARIANT(own) {
	const char *name;
	int flags;
};

FIXTURE_VARIANT_ADD(own, ascii_rdonly) { .name = ASCII, .flags = O_RDONLY };
FIXTURE_VARIANT_ADD(own, ascii_rdwr) { .name = ASCII, .flags = O_RDWR };
FIXTURE_VARIANT_ADD(own, binary_rdonly) { .name = BINARY, .flags = O_RDONLY };
FIXTURE_VARIANT_ADD(own, binary_rdwr) { .name = BINARY, .flags = O_RDWR };

FIXTURE_SETUP(own)
{
	const char *why = ima_test_unavailable();

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&self->before));
	self->file = ima_state_file(&self->before, variant->name);
	ASSERT_NE(NULL, self->file);
	self->got = malloc(PEER_DATA_MAX);
	ASSERT_NE(NULL, self->got);
	self->fd = ima_open(variant->name, variant->flags);
	ASSERT_LE(0, self->fd);
	self->other = ima_open(variant->name, variant->flags);
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(own)
{
	close(self->fd);
	close(self->other);
	free(self->got);
	ima_state_free(&self->before);
	EXPECT_EQ(0, other_process_deletes_all());
}

/* Are the next bytes of @fd those of the old list from @from to @to? */
static bool reads_exactly(struct _test_data_own *self, int fd, size_t from, size_t to)
{
	return read_full(fd, self->got, to - from, PEER_DATA_MAX) == (long)(to - from) &&
	       !memcmp(self->file->data + from, self->got, to - from);
}

/* The same, and then the list ends. */
static bool reads_to_end(struct _test_data_own *self, int fd, size_t from)
{
	return reads_exactly(self, fd, from, self->file->len) && !read(fd, self->got, 1);
}

static size_t own_start_of(const struct _test_data_own *self, long n)
{
	return ima_skip_records(self->file, n);
}

static long stale(int fd)
{
	char c;

	return minus_errno(read(fd, &c, 1));
}

TEST_F(own, r3_at_a_record_goes_on_with_the_next)
{
	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 4)));
	ASSERT_EQ(0, delete_n(4));
	EXPECT_TRUE(reads_to_end(self, self->fd, own_start_of(self, 4)));
}

TEST_F(own, r3_within_a_record_goes_on_in_it)
{
	size_t place = own_start_of(self, 4) + 11;

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, place));
	ASSERT_EQ(0, delete_n(4));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_goes_on_into_records_that_came_later)
{
	struct ima_state after;
	const struct ima_file *file;
	size_t len;

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 4)));
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, delete_n(4));
	ASSERT_EQ(0, ima_measure_files(5));
	ASSERT_EQ(0, ima_state_take(&after));
	file = ima_state_file(&after, variant->name);
	len = file->len;
	EXPECT_EQ((long)len, read_full(self->fd, self->got, PEER_DATA_MAX, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(file->data, self->got, len));
	ima_state_free(&after);
}

TEST_F(own, r3_next_record_gone_ESTALE_again_and_again)
{
	int i;

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 4)));
	ASSERT_EQ(0, delete_n(5));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(-ESTALE, stale(self->fd));
	ASSERT_EQ(0, ima_measure_files(1));
	EXPECT_EQ(-ESTALE, stale(self->fd));
}

TEST_F(own, r3_next_record_gone_lseek_0_starts_over_at_the_first_there_is)
{
	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 4)));
	ASSERT_EQ(0, delete_n(6));
	ASSERT_EQ(-ESTALE, stale(self->fd));
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	EXPECT_TRUE(reads_to_end(self, self->fd, own_start_of(self, 6)));
}

TEST_F(own, r3_all_gone_ESTALE_until_lseek_0)
{
	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 4)));
	ASSERT_EQ(0, delete_n(self->before.count));
	EXPECT_EQ(-ESTALE, stale(self->fd));
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(0, stale(self->fd));
}

/* What of it was in the file's buffer may still come, nothing else. */
TEST_F(own, r3_rest_of_a_half_read_record_gone_ESTALE)
{
	size_t place = own_start_of(self, 4) + 11;
	size_t end = own_start_of(self, 5);
	long n;

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, place));
	ASSERT_EQ(0, delete_n(6));
	n = read_full(self->fd, self->got, PEER_DATA_MAX, PEER_DATA_MAX);
	if (n != -ESTALE) {
		ASSERT_EQ((long)(end - place), n);
		EXPECT_EQ(0, memcmp(self->file->data + place, self->got, n));
	}
	EXPECT_EQ(-ESTALE, stale(self->fd));
	EXPECT_EQ(-ESTALE, stale(self->fd));
}

TEST_F(own, r3_pread_elsewhere_works_while_all_is_there)
{
	const size_t places[] = { 1, own_start_of(self, 3), own_start_of(self, 7) + 9, 0 };
	unsigned int i;

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 5)));
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_EQ(50, pread(self->fd, self->got, 50, places[i]));
		EXPECT_EQ(0, memcmp(self->file->data + places[i], self->got, 50));
	}
	EXPECT_TRUE(reads_to_end(self, self->fd, own_start_of(self, 5)));
}

TEST_F(own, r3_lseek_elsewhere_works_while_all_is_there)
{
	long place = own_start_of(self, 7) + 9;

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 5)));
	EXPECT_EQ(place, lseek(self->fd, place, SEEK_SET));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
	EXPECT_EQ(3, lseek(self->fd, 3, SEEK_SET));
	EXPECT_TRUE(reads_to_end(self, self->fd, 3));
}

TEST_F(own, r3_pread_elsewhere_with_a_record_before_gone_ESTALE)
{
	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 5)));
	ASSERT_EQ(0, delete_n(1));
	EXPECT_EQ(-ESTALE, minus_errno(pread(self->fd, self->got, 50, own_start_of(self, 7))));
	EXPECT_EQ(-ESTALE, minus_errno(pread(self->fd, self->got, 50, own_start_of(self, 3) + 4)));
	EXPECT_EQ(-ESTALE, minus_errno(pread(self->fd, self->got, 50, 3)));
}

TEST_F(own, r3_pread_at_0_with_a_record_before_gone_ESTALE)
{
	size_t place = own_start_of(self, 5);

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, place));
	ASSERT_EQ(0, delete_n(3));
	EXPECT_EQ(-ESTALE, minus_errno(pread(self->fd, self->got, 50, 0)));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_pread_of_nothing_does_not_disturb_reading_on)
{
	size_t place = own_start_of(self, 5);

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, place));
	ASSERT_EQ(0, pread(self->fd, self->got, 0, 0));
	ASSERT_EQ(0, delete_n(3));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_failed_pread_does_not_disturb_reading_on)
{
	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 5)));
	ASSERT_EQ(0, delete_n(2));
	ASSERT_EQ(-ESTALE, minus_errno(pread(self->fd, self->got, 50, own_start_of(self, 7))));
	EXPECT_TRUE(reads_to_end(self, self->fd, own_start_of(self, 5)));
}

TEST_F(own, r3_failed_pread_does_not_disturb_reading_on_within_a_record)
{
	size_t place = own_start_of(self, 5) + 11;

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, place));
	ASSERT_EQ(0, delete_n(2));
	ASSERT_EQ(-ESTALE, minus_errno(pread(self->fd, self->got, 50, own_start_of(self, 7))));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_lseek_elsewhere_with_a_record_before_gone_ESTALE)
{
	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 5)));
	ASSERT_EQ(0, delete_n(1));
	EXPECT_EQ(-ESTALE, minus_errno(lseek(self->fd, own_start_of(self, 7), SEEK_SET)));
	EXPECT_EQ(-ESTALE, minus_errno(lseek(self->fd, own_start_of(self, 3) + 4, SEEK_SET)));
}

TEST_F(own, r3_failed_lseek_does_not_disturb_reading_on)
{
	size_t place = own_start_of(self, 5) + 11;

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, place));
	ASSERT_EQ(0, delete_n(2));
	ASSERT_EQ(-ESTALE, minus_errno(lseek(self->fd, own_start_of(self, 7), SEEK_SET)));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_lseek_to_the_place_itself_works_after_a_deletion)
{
	long place = own_start_of(self, 5);

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, place));
	ASSERT_EQ(0, delete_n(2));
	EXPECT_EQ(place, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(place, lseek(self->fd, place, SEEK_SET));
	EXPECT_TRUE(reads_to_end(self, self->fd, place));
}

TEST_F(own, r3_after_lseek_0_places_count_from_the_first_there_is)
{
	size_t first = own_start_of(self, 3);

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 5)));
	ASSERT_EQ(0, delete_n(3));
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(50, pread(self->fd, self->got, 50, 100));
	EXPECT_EQ(0, memcmp(self->file->data + first + 100, self->got, 50));
	EXPECT_TRUE(reads_to_end(self, self->fd, first));
}

TEST_F(own, r3_two_files_at_different_places_go_on)
{
	size_t a = own_start_of(self, 3) + 2, b = own_start_of(self, 7) + 8;

	ASSERT_TRUE(reads_exactly(self, self->fd, 0, a));
	ASSERT_TRUE(reads_exactly(self, self->other, 0, b));
	ASSERT_EQ(0, delete_n(3));
	EXPECT_TRUE(reads_to_end(self, self->fd, a));
	EXPECT_TRUE(reads_to_end(self, self->other, b));
}

TEST_F(own, r3_deletion_between_two_files_ESTALE_for_the_first_only)
{
	ASSERT_TRUE(reads_exactly(self, self->fd, 0, own_start_of(self, 3)));
	ASSERT_TRUE(reads_exactly(self, self->other, 0, own_start_of(self, 7)));
	ASSERT_EQ(0, delete_n(5));
	EXPECT_EQ(-ESTALE, stale(self->fd));
	EXPECT_TRUE(reads_to_end(self, self->other, own_start_of(self, 7)));
}

TEST_F(own, r3_read_to_end_all_deleted_gives_the_second_batch)
{
	size_t len;
	char *data;

	ASSERT_TRUE(reads_to_end(self, self->fd, 0));
	ASSERT_EQ(0, ima_measure_files(2));
	ASSERT_EQ(0, delete_n(self->before.count));
	data = ima_read_all(variant->name, &len);
	ASSERT_NE(NULL, data);
	EXPECT_EQ((long)len, read_full(self->fd, self->got, PEER_DATA_MAX, PEER_DATA_MAX));
	EXPECT_EQ(0, memcmp(data, self->got, len));
	free(data);
}

/*
 * Races on the files of one process. Each runs for a bounded time; what they
 * check is that every call ends with one of the results that it may have, and
 * that the list is whole afterwards. (A kernel splat is the VM's to find.)
 */
#define RACE_MS 4000

FIXTURE(race) {
	struct ima_state before;
	int fd[2];
	atomic_bool stop;
	atomic_long measured, deleted, wrong;
};

FIXTURE_SETUP(race)
{
	const char *why = ima_test_unavailable();
	int i;

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, ima_measure_files(NR_RECORDS));
	ASSERT_EQ(0, ima_state_take(&self->before));
	for (i = 0; i < 2; i++) {
		self->fd[i] = ima_open(i ? BINARY : ASCII, O_RDWR);
		ASSERT_LE(0, self->fd[i]);
	}
}

FIXTURE_TEARDOWN(race)
{
	close(self->fd[0]);
	close(self->fd[1]);
	ima_state_free(&self->before);
	EXPECT_EQ(0, other_process_deletes_all());
}

static void race_wrong(struct _test_data_race *self, const char *what, int err)
{
	if (!atomic_fetch_add(&self->wrong, 1))
		fprintf(stderr, "# %s: %s\n", what, strerror(err));
}

static void *race_measure(void *arg)
{
	struct _test_data_race *self = arg;
	int ret;

	while (!atomic_load(&self->stop)) {
		ret = ima_measure_files(1);
		if (ret)
			race_wrong(self, "measure", -ret);
		else
			atomic_fetch_add(&self->measured, 1);
	}
	return NULL;
}

static void race_delete(struct _test_data_race *self, int fd)
{
	while (!atomic_load(&self->stop)) {
		if (write(fd, "2\n", 2) == 2)
			atomic_fetch_add(&self->deleted, 2);
		else if (errno != ENOENT)
			race_wrong(self, "delete", errno);
		else
			sched_yield();
	}
}

static void *race_delete_0(void *arg)
{
	struct _test_data_race *self = arg;

	race_delete(self, self->fd[0]);
	return NULL;
}

static void *race_delete_1(void *arg)
{
	struct _test_data_race *self = arg;

	race_delete(self, self->fd[1]);
	return NULL;
}

static void *race_pread(void *arg)
{
	struct _test_data_race *self = arg;
	unsigned int seed = 1;
	char buf[4096];

	while (!atomic_load(&self->stop)) {
		if (pread(self->fd[0], buf, 1 + rand_r(&seed) % sizeof(buf),
			  rand_r(&seed) % 2000) < 0 && errno != ESTALE)
			race_wrong(self, "pread", errno);
	}
	return NULL;
}

static void *race_lseek_read(void *arg)
{
	struct _test_data_race *self = arg;
	unsigned int seed = 2;
	char buf[512];

	while (!atomic_load(&self->stop)) {
		if (lseek(self->fd[0], 0, SEEK_SET))
			race_wrong(self, "lseek", errno);
		while (!(rand_r(&seed) % 8 == 0) && !atomic_load(&self->stop))
			if (read(self->fd[0], buf, 1 + rand_r(&seed) % sizeof(buf)) < 0 &&
			    errno != ESTALE)
				race_wrong(self, "read", errno);
	}
	return NULL;
}

/* Run all of @thread (to a NULL) beside each other; Return: 0 or an errno */
static int race_run(struct _test_data_race *self, void *(*const thread[])(void *))
{
	long long end = ima_now_ms() + RACE_MS;
	struct timespec step = { .tv_nsec = 20000000 };
	pthread_t id[8];
	int n = 0, ret = 0;

	for (; thread[n] && !ret; n += !ret)
		ret = pthread_create(&id[n], NULL, thread[n], self);
	while (!ret && ima_now_ms() < end)
		nanosleep(&step, NULL);
	atomic_store(&self->stop, true);
	while (n--)
		pthread_join(id[n], NULL);
	return ret;
}

/* The list is what was there, and came, and did not go; in every file. */
static bool race_list_is_whole(struct _test_data_race *self)
{
	struct ima_state after;
	bool whole;
	unsigned int i;

	whole = !ima_state_take(&after) &&
		after.count == self->before.count + atomic_load(&self->measured) -
			       atomic_load(&self->deleted);
	for (i = 0; i < after.nr_files && whole; i++)
		whole = ima_skip_records(&after.file[i], after.count) == after.file[i].len;
	ima_state_free(&after);
	return whole;
}

#define EXPECT_RACE(...)								\
do {											\
	void *(*const _thread[])(void *) = { race_measure, ##__VA_ARGS__, NULL };	\
											\
	ASSERT_EQ(0, race_run(self, _thread));						\
	EXPECT_EQ(0, atomic_load(&self->wrong));					\
	EXPECT_LT(0, atomic_load(&self->deleted));					\
	EXPECT_LT(0, atomic_load(&self->measured));					\
	EXPECT_TRUE(race_list_is_whole(self));						\
} while (0)

TEST_F_TIMEOUT(race, pread_beside_n_on_one_file, 60)
{
	EXPECT_RACE(race_pread, race_delete_0);
}

TEST_F_TIMEOUT(race, pread_beside_n_on_another_file, 60)
{
	EXPECT_RACE(race_pread, race_delete_1);
}

TEST_F_TIMEOUT(race, lseek_and_read_beside_n_on_one_file, 60)
{
	EXPECT_RACE(race_lseek_read, race_delete_0);
}

TEST_F_TIMEOUT(race, n_beside_n_on_one_file, 60)
{
	EXPECT_RACE(race_delete_0, race_delete_0);
}

TEST_F_TIMEOUT(race, n_beside_n_on_two_files, 60)
{
	EXPECT_RACE(race_delete_0, race_delete_1);
}

TEST_F_TIMEOUT(race, n_beside_n_and_pread_and_read, 60)
{
	EXPECT_RACE(race_delete_0, race_delete_1, race_pread, race_lseek_read);
}

/*
 * A reader in another process, beside everything: it must see each of the
 * numbered events once and in order. Only after ESTALE it may miss some.
 */
struct follower {
	atomic_bool stop;
	atomic_long lines;
	atomic_int wrong;
};

static void follow_line(struct follower *f, const char *line, long *last, bool *may_skip)
{
	const char *tag = strstr(line, "follow-");
	long number;

	if (!tag)
		return;
	number = atol(tag + strlen("follow-"));
	if (number <= *last || (number != *last + 1 && !*may_skip))
		atomic_store(&f->wrong, EILSEQ);
	*last = number;
	*may_skip = false;
	atomic_fetch_add(&f->lines, 1);
}

static void follow(struct follower *f)
{
	int fd = ima_open(ASCII, O_RDONLY);
	bool may_skip = true;
	char line[1024];
	size_t len = 0;
	long last = -1;
	ssize_t n;

	while (!atomic_load(&f->stop)) {
		n = read(fd, line + len, 1);
		if (n < 0 && errno == ESTALE && !len && !lseek(fd, 0, SEEK_SET)) {
			may_skip = true;
		} else if (n < 0 || len == sizeof(line) - 1) {
			break;
		} else if (!n) {
			sched_yield();
		} else if (line[len++] == '\n') {
			line[len] = '\0';
			follow_line(f, line, &last, &may_skip);
			len = 0;
		}
	}
	if (!atomic_load(&f->stop))
		atomic_store(&f->wrong, errno);
	_exit(0);
}

/* Return: 0 or an errno that no call may end with */
static int measure_and_delete_for(struct _test_data_race *self, long long ms)
{
	long long end = ima_now_ms() + ms;
	char name[32], data[64];
	int ret = 0;

	while (!ret && ima_now_ms() < end) {
		snprintf(name, sizeof(name), "follow-%ld", atomic_load(&self->measured));
		snprintf(data, sizeof(data), "%s %d", name, getpid());
		ret = -ima_measure_file(name, data, strlen(data));
		atomic_fetch_add(&self->measured, !ret);
		if (!ret && write(self->fd[1], "2\n", 2) == 2)
			atomic_fetch_add(&self->deleted, 2);
		else if (!ret && errno != EBUSY && errno != ENOENT)
			ret = errno;
	}
	return ret;
}

TEST_F_TIMEOUT(race, reader_of_another_process_skips_and_repeats_nothing, 60)
{
	struct follower *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	ASSERT_NE(MAP_FAILED, f);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		follow(f);
	}
	EXPECT_EQ(0, measure_and_delete_for(self, RACE_MS));
	atomic_store(&f->stop, true);
	EXPECT_EQ(0, wait_exit(pid));
	EXPECT_EQ(0, atomic_load(&f->wrong));
	EXPECT_LT(0, atomic_load(&f->lines));
	EXPECT_LT(0, atomic_load(&self->deleted));
	EXPECT_TRUE(race_list_is_whole(self));
	munmap(f, sizeof(*f));
}

TEST_HARNESS_MAIN
