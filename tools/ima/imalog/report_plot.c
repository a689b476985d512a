// SPDX-License-Identifier: GPL-2.0-only
/*
 * How log and list have grown, drawn by gnuplot.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"

static const char terminal[] =
"set terminal svg size 960,560 dynamic font 'sans,13' background '#ffffff'\n";

static const char settings[] =
"set multiplot layout 2,1\n"
"set xdata time; set timefmt '%Y-%m-%dT%H:%M:%SZ'; set format x \"%H:%M:%S\\n%Y-%m-%d\"\n"
"set xtics autofreq; set border 3; set tics nomirror\n"
"set grid ytics lc rgb '#dddddd'; set key top left\n"
"set lmargin 12; set rmargin 7; set offsets 0,0,graph 0.05,0\n"
"set yrange [0:*]; set format y '%.0s %c'\n";

static const char plots[] =
"set title 'Records since the reset of the TPM'; set ylabel 'records'\n"
"plot $log using 1:2 with lines lw 2 lc rgb '#1565c0' title 'measured',\\\n"
" $list using 1:2 with lines lw 2 lc rgb '#c62828' title 'in the kernel'\n"
"set title 'Their size'; set ylabel 'bytes'; set format y '%.1s %cB'\n"
"plot $log using 1:3 with lines lw 2 lc rgb '#1565c0' title 'measured',\\\n"
" $list using 1:3 with lines lw 2 lc rgb '#c62828' title 'in the kernel'\n";

/* At each quote: what was measured by then. A blank line ends a chain. */
static void put_log(FILE *f, const struct verify_result *r)
{
	const struct verify_shard *s;
	__u64 bytes = 0;
	size_t i;

	fputs("$log << END\n", f);
	for (i = 0; i < r->num_shards; i++) {
		s = &r->shard[i];
		if (i && s->chain != s[-1].chain)
			fputs("\n", f);
		bytes = i && s->chain == s[-1].chain ? bytes + s->bytes : s->bytes;
		fprintf(f, "%s %llu %llu\n", s->time, s->first + s->count, bytes);
	}
	fputs("END\n", f);
}

static void put_list_point(FILE *f, const struct verify_shard *s, __u64 start)
{
	__u64 end = s->first + s->count, n = end > start ? end - start : 0;

	fprintf(f, "%s %llu %.0f\n", s->time, n, (double)n * s->bytes / s->count);
}

/* At each quote: what was in the kernel, and what the trim left there. */
static void put_list(FILE *f, const struct verify_result *r)
{
	const struct verify_shard *s;
	size_t i;

	fputs("$list << END\n", f);
	for (i = 0; i < r->num_shards; i++) {
		s = &r->shard[i];
		if (i && s->chain != s[-1].chain)
			fputs("\n", f);
		put_list_point(f, s, s->start);
		if (i + 1 < r->num_shards && s[1].chain == s->chain)
			put_list_point(f, s, s[1].start);
		else if (i + 1 == r->num_shards && r->live.looked &&
			 r->live.chain == s->chain)
			put_list_point(f, s, r->live.start);
	}
	fputs("END\n", f);
}

static bool run_gnuplot(const struct verify_result *r, const char *path)
{
	sighandler_t handler = signal(SIGPIPE, SIG_IGN);	/* it may not be there */
	FILE *f = popen("exec gnuplot 2>/dev/null", "w");
	int ret = -1;

	if (!f)
		goto out;
	/* the output comes before what is drawn into it */
	fprintf(f, "%sset output '%s'\n%s", terminal, path, settings);
	put_log(f, r);
	put_list(f, r);
	fputs(plots, f);
	ret = pclose(f);
out:
	signal(SIGPIPE, handler);
	return WIFEXITED(ret) && !WEXITSTATUS(ret);
}

/* The picture itself: what is before it is for a file of its own. */
static bool copy_svg(FILE *out, FILE *in)
{
	char *line = NULL;
	size_t room = 0;
	bool on = false;

	while (getline(&line, &room, in) > 0) {
		on = on || !strncmp(line, "<svg", 4);
		if (on)
			fputs(line, out);
	}
	free(line);
	return on;
}

/**
 * plot_svg() - draw how log and list have grown
 * @out: where to
 * @r: what was found, at least one shard
 *
 * Return: DONE, or IO: there is no gnuplot.
 */
enum status plot_svg(FILE *out, const struct verify_result *r)
{
	char path[] = "/tmp/imalog-plot-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	bool good = false;
	FILE *in;

	if (fd < 0)
		return say_errno("%s", path);
	in = fdopen(fd, "r");
	if (in && run_gnuplot(r, path))
		good = copy_svg(out, in);
	if (in)
		fclose(in);
	else
		close(fd);
	unlink(path);
	return good ? DONE : say(IO, "gnuplot: is not there, or fails: install gnuplot-nox");
}
