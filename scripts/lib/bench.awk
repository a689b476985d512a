# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -f bench.awk RUN... FS='[ \t]*[|][ \t]*' bench.goals
#
# Prints each goal with the figures in the files RUN, and whether it was met.
# Fails if one was not, or if a figure of it is missing.

function row(title, figure, of, times, most, verdict)
{
	printf "%-44s %10s %10s %8s %8s %s\n", title, figure, of, times, most, verdict
}

FNR == 1 {
	run = FILENAME
	sub(/.*\//, "", run)
}

FS == " " {
	value[run "/" $1] = $2
	next
}

/^#/ || (NF == 0 && !headed) { next }

!headed {
	headed = 1
	row("", "figure", "of", "times", "at most", "")
}

# the title of a group, or nothing
NF <= 1 {
	print
	next
}

{
	most = $3
	of = $4
	missing = !($2 in value) ? $2 : of != "" && !(of in value) ? of : ""
	if (missing) {
		row("  " $1, "", "", "", most, "MISSED: no figure " missing)
		missed = 1
		next
	}
	got = of == "" ? value[$2] : value[$2] / value[of]
	verdict = most == "" ? "" : got <= most ? "met" : "MISSED"
	missed = missed || verdict == "MISSED"
	row("  " $1, sprintf("%.1f", value[$2]), of == "" ? "" : sprintf("%.1f", value[of]),
	    of == "" ? "" : sprintf("%.3f", got), most, verdict)
}

END { exit missed }
