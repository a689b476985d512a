# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -v max=PERCENT -v boots=N -f bench.awk FILE...
#
# Puts side by side what add_bench and mem_bench -l printed on three kernels.
# FILEs are called {add|live|wall}-{stock|off|on}[-ROUND]: "add" in a VM where
# time counts instructions, "wall" in one with a clock. Fails if adding takes
# more than max percent longer than on stock, or if a figure is missing.

FNR == 1 {
	n = split(FILENAME, path, "/")
	split(path[n], part, "-")
	what = part[1]
	kernel = part[2]
}

what == "live" && /^records in the list/ { value["live", kernel] = $NF }

what != "live" && /^(new|again|all) / {
	# columns: what, records, open: mean, best, event: mean, best
	row = $1 == "new" ? $1 " " $2 : $1
	if ($1 == "new" && !(row in seen)) {
		seen[row] = 1
		rows[++nr_rows] = row
		length_of[nr_rows] = $2
	}
	least(what " open " row, what == "add" ? $3 : $4)
	least(what " event " row, what == "add" ? $5 : $6)
}

function least(name, figure)
{
	if (!((name, kernel) in value) || figure < value[name, kernel])
		value[name, kernel] = figure
}

function has_all(name)
{
	return (name, "stock") in value && (name, "off") in value && (name, "on") in value
}

function percent(name, kernel)
{
	return 100 * (value[name, kernel] / value[name, "stock"] - 1)
}

function line(title, name, judged,   on, off, failed)
{
	if (!has_all(name)) {
		printf "  %-42s FAIL: no figure\n", title
		bad = 1
		return
	}
	off = percent(name, "off")
	on = percent(name, "on")
	failed = judged && (off > max || on > max)
	bad = bad || failed
	printf "  %-42s %10.1f %10.1f %+6.1f %% %10.1f %+6.1f %%%s\n", title, \
		value[name, "stock"], value[name, "off"], off, value[name, "on"], on, \
		failed ? " FAIL" : ""
}

function section(what, judged,   i, from)
{
	from = 0
	for (i = 1; i <= nr_rows; i++) {
		line("open(2), a new file: record " from + 1 " to " length_of[i],
		     what " open " rows[i], judged)
		from = length_of[i]
	}
	if (what == "add")
		line("open(2), a new file: all of these", what " open all", judged)
	line("open(2), a file measured before", what " open again", judged)
	line("the last of the new: made, opened, removed", what " event " rows[nr_rows], judged)
}

END {
	printf "  %-42s %10s %10s %8s %10s %8s\n", "", "without", "=n", "", "=y", ""
	print "  Instructions; at most " max " % more"
	section("add", 1)
	print "  Nanoseconds by the clock, the best round of " boots " boots, with nothing else to do: not judged"
	section("wall", 0)
	print "  Bytes of unreclaimable slab"
	line("a record in the list", "live", 0)
	exit bad
}
