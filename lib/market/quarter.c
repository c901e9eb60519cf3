/* SPDX-License-Identifier: Apache-2.0 */
/* Quarter-hours by name. */
#include "market/quarter.h"

#include "num/time.h"
#include "num/units.h"

#include <stdio.h>

void pof_quarter_name(int64_t start, char to[POF_QUARTER_NAME + 1])
{
    char t[POF_INSTANT_MAX]; /* 2026-03-10T13:15:00Z */
    pof_instant_format(start, t);
    snprintf(to, POF_QUARTER_NAME + 1, "%.4s%.2s%.5s%.2sZ", t, t + 5, t + 8, t + 14);
}

static int refuse(struct pof_err *err, const char *field, int64_t t, const char *wanted)
{
    char text[POF_INSTANT_MAX];
    size_t n = pof_instant_format(t, text);
    pof_fail(err, POF_E_TIME, "'%.*s' is not %s", (int)n, text, wanted);
    return pof_at(err, NULL, 0, field);
}

int pof_quarters_check(int64_t start, int64_t end, struct pof_err *err)
{
    if (start % POF_QUARTER_S != 0) {
        return refuse(err, "start", start, "the begin of a quarter-hour");
    }
    if (end % POF_QUARTER_S != 0) {
        return refuse(err, "end", end, "the end of a quarter-hour");
    }
    return end > start ? 0 : refuse(err, "end", end, "after the start");
}
