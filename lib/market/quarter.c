/* SPDX-License-Identifier: Apache-2.0 */
/* Quarter-hours by name. */
#include "market/quarter.h"

#include "num/time.h"

#include <stdio.h>

void pof_quarter_name(int64_t start, char to[POF_QUARTER_NAME + 1])
{
    char t[POF_INSTANT_MAX]; /* 2026-03-10T13:15:00Z */
    pof_instant_format(start, t);
    snprintf(to, POF_QUARTER_NAME + 1, "%.4s%.2s%.5s%.2sZ", t, t + 5, t + 8, t + 14);
}
