// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of the test VM: mounts what tests need, runs one program, reports.
 *
 * The program's stdout and stderr are pipes, relayed to the virtio-serial ports
 * 1 and 2. Port 3 carries lines of our own to the launcher:
 *
 *	boot			this kernel's init is there
 *	exit STATUS OUT ERR	the program has ended; so many bytes went out
 *	kexec OUT ERR		the next kernel starts now
 *	failed OUT ERR WHY	no status: this run is worth nothing
 *
 * The launcher answers all but the first with a byte, when it has read OUT and
 * ERR bytes: going on before that could lose output.
 *
 * SIGUSR1 asks for a kexec into the kernel that is loaded, with nothing written
 * lost. The next kernel has the same initramfs, so it runs the program again.
 * SIGUSR2 asks for it instead of powering off: what is loaded has to do that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGV_FILE	"/etc/vm/argv"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
/* kmemleak keeps quiet about objects that are younger (MSECS_MIN_AGE). */
#define KMEMLEAK_AGE_MS	5000
#define DEVICE_WAIT_MS	20000

enum { OUT, ERR, STREAMS };

static struct stream {
	int from;		/* the program's end of the pipe is elsewhere */
	int port;
	unsigned long long bytes;
} streams[STREAMS];

static int status_port = -1;
static int kmemleak = -1;	/* open from the start: lockdown refuses it later */
static bool kexec_at_end;

static void __noreturn power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* Without a status the launcher fails the run and shows the console. */
static void __noreturn __printf(1, 2) die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "vm-init: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	power_off();
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			die("cannot write to the launcher: %m");
		if (n > 0) {
			p += n;
			len -= n;
		}
	}
}

static void __printf(1, 2) tell(const char *fmt, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	write_all(status_port, line, len);
}

static void await_answer(void)
{
	char c;

	while (read(status_port, &c, 1) != 1)
		;
}

static int open_wait(const char *path, int flags)
{
	long long end = now_ms() + DEVICE_WAIT_MS;
	int fd;

	while ((fd = open(path, flags | O_CLOEXEC)) < 0) {
		if (now_ms() > end)
			die("%s: %m (waited %d s)", path, DEVICE_WAIT_MS / 1000);
		usleep(2000);
	}
	return fd;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

static void mount_all(void)
{
	static const struct {
		const char *type, *dir, *data;
		bool optional;
	} mounts[] = {
		{ "proc", "/proc", NULL, false },
		{ "sysfs", "/sys", NULL, false },
		{ "devtmpfs", "/dev", NULL, false },
		{ "securityfs", "/sys/kernel/security", NULL, false },
		{ "tmpfs", "/tmp", "mode=1777", false },
		{ "tmpfs", "/run", "mode=0755", false },
		{ "devpts", "/dev/pts", NULL, true },
		{ "debugfs", "/sys/kernel/debug", NULL, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0,
			  mounts[i].data) && !mounts[i].optional)
			die("mount %s: %m", mounts[i].dir);
	}
	mkdir("/dev/shm", 01777);
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
}

static void set_up_host(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &ifr))
		fprintf(stderr, "vm-init: lo: %m\n");
	close(fd);
	sethostname("vm", 2);

	/* Injected failures are no faults: keep their traces off the console. */
	write_file("/sys/kernel/debug/failslab/verbose", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
}

static void set_environment(void)
{
	/* Unknown words of the kernel command line come in our environment. */
	const char *boot = getenv("ima_kexec_boot");
	char *copy = boot ? strdup(boot) : NULL;

	clearenv();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("TERM", "dumb", 1);
	setenv("TPM2TOOLS_TCTI", "device:/dev/tpmrm0", 1);
	setenv("IMA_VM", "1", 1);
	if (copy)
		setenv("IMA_KEXEC_BOOT", copy, 1);
	/* It must not be the default to leave the kernel that runs. */
	if (!access("/boot/bzImage", R_OK))
		setenv("IMA_KEXEC_TEST", "1", 1);
	free(copy);
}

/* The words of the command, each with its NUL. */
static char **read_argv(void)
{
	static char buf[65536];
	static char *argv[1024];
	int fd = open(ARGV_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, buf, sizeof(buf) - 1);
	size_t n = 0;

	if (len <= 0)
		die("%s: %s", ARGV_FILE, len ? strerror(errno) : "empty");
	close(fd);
	for (char *p = buf; p < buf + len; p += strlen(p) + 1) {
		if (n == ARRAY_SIZE(argv) - 1)
			die("%s: too many words", ARGV_FILE);
		argv[n++] = p;
	}
	return argv;
}

static pid_t start(char **argv, const sigset_t *mask)
{
	int ends[STREAMS];
	pid_t pid;

	for (int i = 0; i < STREAMS; i++) {
		int fds[2];

		if (pipe2(fds, O_CLOEXEC))
			die("pipe: %m");
		streams[i].from = fds[0];
		ends[i] = fds[1];
		fcntl(fds[0], F_SETFL, O_NONBLOCK);
	}
	pid = fork();
	if (pid < 0)
		die("fork: %m");
	if (!pid) {
		int null = open("/dev/null", O_RDONLY);

		setsid();
		dup2(null, STDIN_FILENO);
		close(null);
		dup2(ends[OUT], STDOUT_FILENO);
		dup2(ends[ERR], STDERR_FILENO);
		sigprocmask(SIG_UNBLOCK, mask, NULL);
		if (chdir("/root"))
			_exit(126);
		execvp(argv[0], argv);
		fprintf(stderr, "vm: %s: cannot run it in the guest: %m\n",
			argv[0]);
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(ends[OUT]);
	close(ends[ERR]);
	return pid;
}

/* Passes on at most one buffer. Returns false at the end of the stream. */
static bool relay(struct stream *s)
{
	static char buf[65536];
	ssize_t n = read(s->from, buf, sizeof(buf));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!n) {
		close(s->from);
		s->from = -1;
		return false;
	}
	write_all(s->port, buf, n);
	s->bytes += n;
	return true;
}

/* What has been written until now, from programs that may go on writing. */
static void drain_now(void)
{
	for (int i = 0; i < STREAMS; i++) {
		unsigned long long until = streams[i].bytes;
		int pending = 0;

		if (streams[i].from < 0)
			continue;
		ioctl(streams[i].from, FIONREAD, &pending);
		until += pending;
		while (streams[i].bytes < until && relay(&streams[i]))
			;
	}
}

static void start_next_kernel(void)
{
	drain_now();
	tell("kexec %llu %llu\n", streams[OUT].bytes, streams[ERR].bytes);
	await_answer();
	reboot(RB_KEXEC);
	die("kexec: %m (is a kernel loaded?)");
}

/* Reaps everybody. Returns true once the program has ended. */
static bool reap(pid_t program, int *status)
{
	bool ended = false;
	pid_t pid;
	int st;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		if (pid == program) {
			*status = st;
			ended = true;
		}
	}
	return ended;
}

/* Relays until the program has ended. */
static int supervise(pid_t program, int sigs)
{
	struct pollfd fds[STREAMS + 1] = {
		{ .fd = streams[OUT].from, .events = POLLIN },
		{ .fd = streams[ERR].from, .events = POLLIN },
		{ .fd = sigs, .events = POLLIN },
	};
	int status;

	for (;;) {
		struct signalfd_siginfo info;

		if (poll(fds, STREAMS + 1, -1) < 0)
			continue;
		for (int i = 0; i < STREAMS; i++)
			if (fds[i].revents && !relay(&streams[i]))
				fds[i].fd = -1;
		if (!fds[STREAMS].revents ||
		    read(sigs, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo == SIGUSR1)
			start_next_kernel();
		if (info.ssi_signo == SIGUSR2)
			kexec_at_end = true;
		if (reap(program, &status))
			return status;
	}
}

/* Whoever is left holds the pipes open, and memory: end it, read the rest. */
static void finish_output(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	for (int i = 0; i < STREAMS; i++) {
		while (streams[i].from >= 0)
			relay(&streams[i]);
	}
}

static void scan(void)
{
	if (write(kmemleak, "scan", 4) != 4)
		die("%s: %m", KMEMLEAK);
}

static bool none_is_reported(void)
{
	char c;

	return pread(kmemleak, &c, 1, 0) == 0;
}

static bool copy_report_to_console(void)
{
	char buf[4096];
	bool any = false;
	ssize_t n;

	lseek(kmemleak, 0, SEEK_SET);
	while ((n = read(kmemleak, buf, sizeof(buf))) > 0) {
		any = true;
		write_all(STDERR_FILENO, buf, n);
	}
	return any;
}

/*
 * The first scan notes what objects contain, the second reports those that are
 * old enough, unchanged, and pointed to by nothing. A third has to confirm it:
 * a pointer can be in a register or on its way for a moment.
 */
static bool memory_leaked(long long program_end)
{
	long long wait;

	if (kmemleak < 0)
		return false;
	scan();
	wait = program_end + KMEMLEAK_AGE_MS + 500 - now_ms();
	if (wait > 0)
		usleep(wait * 1000);
	scan();
	if (none_is_reported())
		return false;
	scan();
	return copy_report_to_console();
}

int main(void)
{
	bool tpm = getenv("vm_tpm");
	long long end;
	sigset_t mask;
	pid_t program;
	int status, sigs;

	mount_all();
	kmemleak = open(KMEMLEAK, O_RDWR | O_CLOEXEC);
	set_up_host();
	set_environment();
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGUSR2);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sigs = signalfd(-1, &mask, SFD_CLOEXEC);

	streams[OUT].port = open_wait("/dev/vport0p1", O_WRONLY);
	streams[ERR].port = open_wait("/dev/vport0p2", O_WRONLY);
	status_port = open_wait("/dev/vport0p3", O_RDWR);
	tell("boot\n");
	if (tpm) {
		close(open_wait("/dev/tpmrm0", O_RDWR));
		close(open_wait("/dev/tpm0", O_RDWR));
	}

	program = start(read_argv(), &mask);
	status = supervise(program, sigs);
	end = now_ms();
	finish_output();

	if (memory_leaked(end))
		tell("failed %llu %llu the kernel leaked memory\n",
		     streams[OUT].bytes, streams[ERR].bytes);
	else
		tell("exit %d %llu %llu\n", WIFSIGNALED(status) ?
		     128 + WTERMSIG(status) : WEXITSTATUS(status),
		     streams[OUT].bytes, streams[ERR].bytes);
	await_answer();
	if (kexec_at_end)
		reboot(RB_KEXEC);
	power_off();
}
