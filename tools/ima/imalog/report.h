/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page for people: what verifies, and how log and list have grown.
 */
#ifndef _REPORT_H
#define _REPORT_H

#include <stdio.h>

#include "verify.h"

enum status report_html(FILE *out, const struct verify_result *r, enum status verified);
enum status plot_svg(FILE *out, const struct verify_result *r);

#endif /* _REPORT_H */
