/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Malformed commands, whichever letter or digit they are made of: rows of the
 * fixture "refused". Include it once for each command of a file, with
 * CMD the command, OTHER a second one (or the same), NAME(row) the row's name.
 */
#define ROW(_name) FIXTURE_VARIANT_ADD(refused, _name)

/* a good command, spoilt */
ROW(NAME(no_newline)) BYTES(CMD CMD, EINVAL);
ROW(NAME(two_newlines)) BYTES(CMD "\n\n", EINVAL);
ROW(NAME(carriage_return)) BYTES(CMD "\r\n", EINVAL);
ROW(NAME(nul_for_newline)) BYTES(CMD "\0", EINVAL);
ROW(NAME(nul_before_newline)) BYTES(CMD "\0\n", EINVAL);
ROW(NAME(nul_behind_newline)) BYTES(CMD "\n\0", EINVAL);
ROW(NAME(newline_nul_newline)) BYTES(CMD "\n\0\n", EINVAL);
ROW(NAME(blank_behind)) BYTES(CMD "\040\n", EINVAL);

#ifndef REFUSED_ROWS_ONCE
#define REFUSED_ROWS_ONCE
/* it is enough to spoil one command of a file */
ROW(text_behind_newline_EINVAL) BYTES(CMD "\n" CMD, EINVAL);
ROW(nul_before_EINVAL) BYTES("\0" CMD "\n", EINVAL);
ROW(blank_before_EINVAL) BYTES(" " CMD "\n", EINVAL);
ROW(tab_before_EINVAL) BYTES("\t" OTHER "\n", EINVAL);
ROW(tab_behind_EINVAL) BYTES(OTHER "\t\n", EINVAL);
ROW(minus_EINVAL) BYTES("-" CMD "\n", EINVAL);
ROW(plus_EINVAL) BYTES("+" OTHER "\n", EINVAL);
/* nothing in it is a command */
ROW(length_0_EINVAL) BYTES("", EINVAL);
ROW(length_1_newline_EINVAL) BYTES("\n", EINVAL);
ROW(newlines_only_EINVAL) BYTES("\n\n", EINVAL);
ROW(nul_and_newline_EINVAL) BYTES("\0\n", EINVAL);
ROW(blank_only_EINVAL) BYTES("\040\n", EINVAL);
#endif

#undef ROW
#undef CMD
#undef OTHER
#undef NAME
