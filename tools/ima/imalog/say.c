// SPDX-License-Identifier: GPL-2.0-only
/*
 * What imalog tells its user: errors, its exit status, and how far it is.
 */
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "say.h"

#define BAR_WIDTH	40
#define BAR_AFTER_MS	1000	/* what is done sooner has no bar */
#define BAR_EACH_MS	100

static struct {
	const char *what;
	__u64 total;
	__u64 done;
	long long began;
	long long drawn;
	bool shown;
	bool wanted;
} bar;

static struct {
	void (*call)(void);
	unsigned int each_ms;
	long long called;
} alive;

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void bar_clear(void)
{
	if (bar.shown)
		fputs("\r\033[K", stderr);
	bar.shown = false;
}

static char last[512];
static bool changes_only;

/**
 * say_changes_only() - do not say twice what is wrong, until this is called again
 */
void say_changes_only(void)
{
	changes_only = true;
	*last = '\0';
}

/**
 * say_printable() - take out what a terminal obeys or begins a line, and what is not UTF-8
 * @text: text with names, which others chose; changed in place
 *
 * Return: @text.
 */
char *say_printable(char *text)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL), before = uselocale(utf8);
	const char *end = text + strlen(text);
	size_t len;
	wchar_t c;
	char *p;

	for (p = text; p < end; p += len) {
		mbstate_t state = { 0 };

		len = mbrtowc(&c, p, end - p, &state);
		if (len > (size_t)(end - p))
			len = 1;
		else if (!iswcntrl(c))
			continue;
		memset(p, '?', len);
	}
	uselocale(before);
	if (utf8)
		freelocale(utf8);
	return text;
}

static void print(const char *text)
{
	bar_clear();
	fflush(stdout);
	fprintf(stderr, "imalog: %s\n", text);
}

static void print_wrong(const char *fmt, va_list args, const char *why)
{
	char text[sizeof(last)];
	int n = vsnprintf(text, sizeof(text), fmt, args);

	if (why && n >= 0 && (size_t)n < sizeof(text) - 1)
		snprintf(text + n, sizeof(text) - n, ": %s", why);
	say_printable(text);
	if (changes_only && !strcmp(text, last))
		return;
	memcpy(last, text, sizeof(last));
	print(text);
}

/**
 * say_last() - what was wrong last
 *
 * Return: the text, as it was printed but for the name of the program.
 */
const char *say_last(void)
{
	return last;
}

/**
 * say() - say what is wrong
 * @status: what to return
 * @fmt: "what: why"
 *
 * Return: @status.
 */
enum status say(enum status status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_wrong(fmt, args, NULL);
	va_end(args);
	return status;
}

/**
 * say_errno() - say which call failed; errno says why
 * @fmt: what it was about
 *
 * Return: IO.
 */
enum status say_errno(const char *fmt, ...)
{
	const char *why = strerror(errno);
	va_list args;

	va_start(args, fmt);
	print_wrong(fmt, args, why);
	va_end(args);
	return IO;
}

/**
 * note() - say something that is no failure
 * @fmt: what
 */
void note(const char *fmt, ...)
{
	char text[sizeof(last)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	print(say_printable(text));
}

/**
 * progress_alive_with() - have this called while something goes on that takes long
 * @call: it
 * @ms: how often
 */
void progress_alive_with(void (*call)(void), unsigned int ms)
{
	alive.call = call;
	alive.each_ms = ms;
}

static void be_alive(long long now)
{
	if (!alive.call || now - alive.called < alive.each_ms)
		return;
	alive.called = now;
	alive.call();
}

/**
 * progress_alive() - it goes on, though nothing is counted
 */
void progress_alive(void)
{
	be_alive(now_ms());
}

/**
 * progress_begin() - something begins that may take long
 * @what: it
 * @total: how much there is to do, 0 if that is not known
 */
void progress_begin(const char *what, __u64 total)
{
	bar.what = what;
	bar.total = total;
	bar.began = now_ms();
	bar.done = 0;
	bar.drawn = 0;
	bar.shown = false;
	bar.wanted = isatty(STDERR_FILENO);
}

/**
 * progress() - show how far it is, on a terminal, if it takes over a second
 * @more: how much was done since the last time
 */
void progress(__u64 more)
{
	__u64 done = bar.done += more;
	long long now;
	int full;

	if (!bar.what || !(bar.wanted || alive.call))
		return;
	now = now_ms();
	be_alive(now);
	if (!bar.wanted || now - bar.began < BAR_AFTER_MS || now - bar.drawn < BAR_EACH_MS)
		return;
	bar.drawn = now;
	bar.shown = true;
	if (!bar.total) {
		fprintf(stderr, "\r%s %llu", bar.what, done);
		return;
	}
	if (done > bar.total)
		done = bar.total;
	full = done * BAR_WIDTH / bar.total;
	fprintf(stderr, "\r%s [%.*s%*s] %3llu %%", bar.what, full,
		"########################################", BAR_WIDTH - full, "",
		done * 100 / bar.total);
}

/**
 * progress_end() - it is done, or failed
 */
void progress_end(void)
{
	bar_clear();
	bar.what = NULL;
}
