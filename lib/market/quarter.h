/* SPDX-License-Identifier: Apache-2.0 */
/* Quarter-hours: their names inside ids, and times that must lie on them. */
#ifndef POF_MARKET_QUARTER_H
#define POF_MARKET_QUARTER_H

#include "base/err.h"

#include <stdint.h>

enum { POF_QUARTER_NAME = 14 };

/* 20260310T1315Z, NUL-terminated: UTC, so never ambiguous; names sort as the instants do. */
void pof_quarter_name(int64_t start, char to[POF_QUARTER_NAME + 1]);

/* POF_E_TIME, with the field named, unless start and end are begin and end of quarter-hours (whole
 * multiples of 900 s of UTC, as in every zone of num/time.h) and end is after start. */
int pof_quarters_check(int64_t start, int64_t end, struct pof_err *err) POF_CHECKED;

#endif
