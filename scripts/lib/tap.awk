# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -v name=NAME -v status=N [-v kernel=1] -f tap.awk FILE
#
# Reads the TAP of a test program, or the KTAP in a kernel log, and prints a
# line per test: "ok NAME: test" or "FAIL NAME: test: why". A skip is a failure,
# and so is a plan that is not kept, an exit status that says otherwise, or
# nothing at all.

function result(ok, test, why)
{
	sub(/^[ -]*/, "", test)
	n++
	if (ok) {
		print "ok " name ": " test
		return
	}
	bad++
	print "FAIL " name ": " (test == "" ? why : test (why == "" ? "" : ": " why))
}

# The tests one level in are complete: did they keep their plan?
function close_level(d, what)
{
	if (d in plan && plan[d] != count[d])
		result(0, what, "planned " plan[d] " tests, " count[d] + 0 " have a result")
	delete plan[d]
	delete count[d]
	delete failed[d]
}

{
	sub(/\r$/, "")
	sub(/^(<[0-9]+>)?\[ *[0-9]+\.[0-9]+\](\[[ A-Z0-9]+\])? /, "")
	line = $0
	match(line, /^ */)
	depth = int(RLENGTH / 4)
	line = substr(line, RLENGTH + 1)
}

# A figure that a test measured is passed on.
sub(/^# figure: /, "", line) {
	print "figure " name ": " line
	next
}

line ~ /^1\.\.[0-9]+/ && RLENGTH % 4 == 0 {
	if (depth in plan)
		result(0, "", "a second plan: " line)
	plan[depth] = substr(line, 4) + 0
	if (depth == 0)
		planned = 1
	next
}

match(line, /^(not )?ok [0-9]+/) {
	ok = line !~ /^not/
	if (!ok)
		not_ok = 1
	number = substr(line, ok ? 4 : 8) + 0
	test = substr(line, RLENGTH + 1)
	why = ""
	if (match(test, / *# *(SKIP|TODO|XFAIL|TIMEOUT)/)) {
		why = substr(test, RSTART + 1)
		sub(/^ *# */, "", why)
		test = substr(test, 1, RSTART - 1)
		ok = 0
	} else {
		sub(/ +#.*/, "", test)
	}
	sub(/^[ -]*/, "", test)
	if (number != ++count[depth])
		result(0, test, "is number " number ", expected " count[depth])
	if ((depth + 1) in count || (depth + 1) in plan) {
		if (!ok && !failed[depth + 1])
			result(0, test, why == "" ? "failed as a whole" : why)
		if (!ok || failed[depth + 1])
			failed[depth] = 1
		close_level(depth + 1, test)
	} else {
		if (!ok)
			failed[depth] = 1
		result(ok, (suite[depth] == "" ? "" : suite[depth] ".") test, why)
	}
}

line ~ /^# Subtest: / { suite[depth] = substr(line, 12) }

END {
	for (d = 1; d < 5; d++)
		if (d in count || d in plan)
			result(0, "", "the output ends in the middle of " suite[d])
	if (!n)
		result(0, "", "no test in its output, exit status " status)
	else if (!planned)
		result(0, "", "no plan in its output")
	else
		close_level(0, "")
	if (status && !bad)
		result(0, "", "all tests ok, but the exit status is " status)
	if (!status && not_ok && !kernel)
		result(0, "", "tests failed, but the exit status is 0")
	exit bad != 0
}
