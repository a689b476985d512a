// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rounds, as the list grows: when there are so many records more, when so much time
 * has passed, and one more at the end. What fails is tried again, later and later.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

#include "round.h"
#include "watch.h"

#define LOOK_MS		2000	/* the kernel does not tell when its list grows */
#define RETRY_MIN	10	/* seconds */
#define RETRY_MAX	3600

/* Of what a round did, for those who look for it: journalctl MESSAGE_ID=... */
#define MESSAGE_ROUND	"8f3c0b7d5a1e4c6f9b2d7e0a4c8f1357"

/**
 * struct watch - what goes on
 * @opt: options
 * @kernel: kernel, to look at its numbers
 * @signals: signals arrive here
 * @next: when a round is due, in seconds since boot, sleep included
 * @retry: seconds until a failed round is tried again, 0: the last was good
 * @left: records that the last round left in the kernel
 * @stop: this was asked for
 */
struct watch {
	const struct options *opt;
	struct kernel kernel;
	int signals;
	__u64 next;
	__u64 retry;
	__u64 left;
	bool stop;
};

static __u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec;
}

static void tell_watchdog(void)
{
	sd_notify(0, "WATCHDOG=1");
}

/* systemd's is told in half of its time, also in the middle of a round. */
static void feed_watchdog(void)
{
	uint64_t us;

	if (sd_watchdog_enabled(0, &us) > 0)
		progress_alive_with(tell_watchdog, us / 2000);
}

static void report(const struct round_result *r)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "%llu records archived, %llu deleted, %llu left; proven up to record %llu of chain %llu, TPM clock %llu ms",
		 r->archived, r->deleted, r->left, r->end, r->chain, r->info.clock);
	sd_notifyf(0, "STATUS=%s", text);
	if (!r->archived && !r->deleted)
		return;
	if (getenv("JOURNAL_STREAM") &&
	    !sd_journal_send("MESSAGE=%s", text, "MESSAGE_ID=" MESSAGE_ROUND, "PRIORITY=6",
			     "IMALOG_ARCHIVED=%llu", r->archived,
			     "IMALOG_DELETED=%llu", r->deleted,
			     "IMALOG_LEFT=%llu", r->left,
			     "IMALOG_UNPROVEN=%llu", r->unproven,
			     "IMALOG_END=%llu", r->end,
			     "IMALOG_CHAIN=%llu", r->chain,
			     "IMALOG_CLOCK=%llu", r->info.clock, NULL))
		return;
	printf("%s\n", text);
	fflush(stdout);
}

/* The first failure says why, and that it will be tried again; then one that differs. */
static void failed(struct watch *w, enum status status)
{
	__u64 most = w->opt->interval < RETRY_MAX ? w->opt->interval : RETRY_MAX;

	if (!w->retry && !w->stop)
		note("no round now (exit status %d): it is tried again, later and later", status);
	w->retry = w->retry ? 2 * w->retry : RETRY_MIN;
	if (w->retry > most)
		w->retry = most;
	w->next = now() + w->retry;
	sd_notifyf(0, "STATUS=%s: tried again in %llu s", say_last(), w->retry);
}

static enum status run_round(struct watch *w)
{
	struct round_result r;
	enum status status;

	tell_watchdog();
	status = round_run(w->opt, &r);
	if (status) {
		if (r.archived || r.deleted)
			report(&r);
		failed(w, status);
		return status;
	}
	if (w->retry) {
		note("rounds go on");
		say_changes_only();
	}
	w->retry = 0;
	w->next = now() + w->opt->interval;
	w->left = r.left + r.waiting;
	report(&r);
	return DONE;
}

static enum status is_due(struct watch *w, bool *due)
{
	enum status status = DONE;

	*due = now() >= w->next;
	if (*due || w->retry)
		return DONE;
	status = kernel_numbers(&w->kernel);
	if (!status)
		*due = w->kernel.count >= w->left + w->opt->records;
	return status;
}

static enum status wait_for(struct watch *w)
{
	struct pollfd p = { .fd = w->signals, .events = POLLIN };
	struct signalfd_siginfo info;
	int n = poll(&p, 1, LOOK_MS);

	if (n < 0 && errno != EINTR)
		return say_errno("poll");
	if (n <= 0)
		return DONE;
	if (read(w->signals, &info, sizeof(info)) != sizeof(info))
		return say_errno("signals");
	if (info.ssi_signo == SIGHUP)
		w->next = 0;
	else
		w->stop = true;
	return DONE;
}

static enum status loop(struct watch *w)
{
	enum status status = DONE;
	bool due;

	while (!status && !w->stop) {
		tell_watchdog();
		status = is_due(w, &due);
		if (!status && due)
			run_round(w);
		if (!status)
			status = wait_for(w);
	}
	if (status)
		return status;
	sd_notify(0, "STOPPING=1\nSTATUS=a last round");
	return run_round(w);
}

/* They are taken between rounds. */
static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/**
 * watch() - make rounds until told to end
 * @opt: options
 *
 * SIGHUP asks for a round at once, SIGTERM and SIGINT for a last one.
 *
 * Return: what the last round did, or IO.
 */
enum status watch(const struct options *opt)
{
	struct watch w = { .opt = opt, .signals = -1 };
	enum status status;

	status = kernel_open(&w.kernel, opt->ima_dir);
	if (!status && w.kernel.way == KERNEL_NONE)
		status = kernel_hold(&w.kernel);	/* says why not */
	if (!status) {
		w.signals = catch_signals();
		if (w.signals < 0)
			status = say_errno("signals");
	}
	if (!status) {
		say_changes_only();
		feed_watchdog();
		sd_notify(0, "READY=1");
		status = loop(&w);
	}
	if (w.signals >= 0)
		close(w.signals);
	kernel_close(&w.kernel);
	return status;
}
