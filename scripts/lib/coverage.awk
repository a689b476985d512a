# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -v least=PERCENT -f coverage.awk DIFF KUNIT.info ALL.info
#
# Of the lines that DIFF (-U0) adds, and of the functions that have one of them:
# how many ran? The .info files are lcov's (geninfo(1)).

function percent(hit, total) { return total ? 100 * hit / total : 100 }

function cell(set, file)
{
	return sprintf("%4d/%3d %5.1f%% %5d/%4d %5.1f%%",
		fn_hit[set, file], fns[file], percent(fn_hit[set, file], fns[file]),
		line_hit[set, file], lines[file], percent(line_hit[set, file], lines[file]))
}

# In the tests of a set, did line L of FILE run, or the function F that it is in?
function judge(set, file, l, f)
{
	if ((file, l) in hits) {
		if (set == 2) {
			lines[file]++
			lines["all"]++
		}
		if (hit[set, file, l]) {
			line_hit[set, file]++
			line_hit[set, "all"]++
		} else if (set == 2) {
			missed[file] = missed[file] " " l
		}
	}
	if (f == "" || (set, file, f) in counted)
		return
	counted[set, file, f] = 1
	if (set == 2) {
		fns[file]++
		fns["all"]++
	}
	if (calls[set, file, f]) {
		fn_hit[set, file]++
		fn_hit[set, "all"]++
	} else if (set == 2) {
		never = never "\n  " file ": " f "()"
	}
}

function judge_file(file,    set, l, f)
{
	for (l = 1; l <= last[file]; l++) {
		if ((file, l) in start)
			f = start[file, l]
		if (!((file, l) in added) || !((file, l) in hits || (file, l) in start))
			continue
		for (set = 1; set <= 2; set++)
			judge(set, file, l, f)
	}
}

function note_line(l)
{
	if (l > last[file])
		last[file] = l
}

FNR == 1 { set = part++ }

set == 0 && /^\+\+\+ b\// { file = substr($0, 7) }
set == 0 && /^@@/ {
	split(substr($3, 2), range, ",")
	n = 2 in range ? range[2] : 1
	for (i = 0; i < n; i++)
		added[file, range[1] + i] = 1
}

set == 0 { next }

/^SF:/ {
	file = substr($0, 4)
	sub(/^.*\/security\//, "security/", file)
}
{ split(substr($0, index($0, ":") + 1), v, ",") }
# A file comes once per test, with the same lines.
/^FN:/ { start[file, v[1]] = v[2]; note_line(v[1] + 0) }
/^FNDA:/ { calls[set, file, v[2]] += v[1] }
/^DA:/ { hits[file, v[1]] = 1; hit[set, file, v[1]] += v[2]; note_line(v[1] + 0) }

END {
	for (f in last)
		judge_file(f)
	printf "%-18s %-31s %s\n", "", "KUnit", "KUnit and selftests"
	printf "%-18s %15s %15s %15s %15s\n", "new in", "functions", "lines", "functions", "lines"
	for (f in lines)
		if (f != "all")
			names[++k] = f
	for (i = 2; i <= k; i++)
		for (j = i; j > 1 && names[j] < names[j - 1]; j--) {
			t = names[j]; names[j] = names[j - 1]; names[j - 1] = t
		}
	names[++k] = "all"
	for (i = 1; i <= k; i++) {
		t = names[i]
		sub(/.*\//, "", t)
		print sprintf("%-18s", t) " " cell(1, names[i]) " " cell(2, names[i])
	}
	if (never != "")
		print "\nnever called:" never
	print "\nlines that never ran:"
	for (i = 1; i < k; i++)
		if (names[i] in missed)
			print "  " names[i] ":" missed[names[i]]
	got = percent(fn_hit[2, "all"], fns["all"])
	if (!fns["all"] || got < least) {
		printf "\nFAIL coverage: %.1f %% of the new functions ran, not %d %%\n", got, least
		exit 1
	}
	printf "\nok coverage: %.1f %% of the new functions ran\n", got
}
