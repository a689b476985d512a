# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -f series.awk NEW OLD SERIES
#
# Prints a series file for NEW (a line "subject<tab>patch" per patch; those that
# begin with a tab are skipped) with the comments of SERIES, whose patches' subjects are in
# OLD ("subject<tab>patch"). A comment goes before the patch that it preceded,
# or the next one if that is gone. The block at the top stays at the top.

BEGIN { FS = "\t" }

FILENAME == ARGV[1] && $1 != "" { subject[++n] = $1; patch[n] = $2; is_new[$1] = 1; next }
FILENAME == ARGV[1] { next }
FILENAME == ARGV[2] { old[$2] = $1; next }

/^[ \t]*$/ && !top_done { top = block $0 "\n"; block = ""; top_done = 1; next }
/^[ \t]*(#|$)/ { block = block $0 "\n"; next }
/^[^ \t]/ {
	top_done = 1
	sub(/[ \t].*/, "")
	if (old[$0] in is_new) {
		why[old[$0]] = why[old[$0]] block
		block = ""
	}
}
END {
	if (!top_done) {
		top = block
		block = ""
	}
	if (top != "" && n)
		sub(/\n*$/, "\n\n", top)
	printf "%s", top
	for (i = 1; i <= n; i++) {
		printf "%s%s\n", why[subject[i]], patch[i]
		why[subject[i]] = ""
	}
	printf "%s", block
}
