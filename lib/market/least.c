/* SPDX-License-Identifier: Apache-2.0 */
/* Bracketing, then false position on integers. */
#include "market/least.h"

#include <math.h>

/* excess(low) > 0 >= excess(high). */
struct bracket {
    int64_t low, high;
    double at_low, at_high;
};

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* Puts an evaluated x to its end. Illinois: an end that stays twice counts half. */
static void narrow(struct bracket *b, int64_t x, double at_x, int *stayed)
{
    if (at_x > 0) {
        b->low = x;
        b->at_low = at_x;
        *stayed = *stayed > 0 ? *stayed + 1 : 1;
        b->at_high = *stayed > 1 ? b->at_high / 2 : b->at_high;
    } else {
        b->high = x;
        b->at_high = at_x;
        *stayed = *stayed < 0 ? *stayed - 1 : -1;
        b->at_low = *stayed < -1 ? b->at_low / 2 : b->at_low;
    }
}

static int64_t next(const struct bracket *b, int step)
{
    int64_t width = b->high - b->low;
    int64_t x = b->low + width / 2;
    if (step % 3 != 2 && isfinite(b->at_low) && isfinite(b->at_high)) {
        double share = b->at_low / (b->at_low - b->at_high);
        x = b->low + (int64_t)ceil(share * (double)width);
    }
    return clamp(x, b->low + 1, b->high - 1);
}

/* Steps out from the guess, each time four times as far, until excess changes its sign. */
static int find_bracket(const struct pof_least *s, struct bracket *b, bool *found,
                        struct pof_err *err)
{
    int64_t x = clamp(s->guess, 1, s->max);
    int64_t step = x / 64 + 1;
    *b = (struct bracket){.low = 0, .high = 0, .at_low = s->excess_at_0};
    for (;;) {
        double at_x;
        int rc = s->excess(s->ctx, x, &at_x, err);
        if (rc) {
            return rc;
        }
        if (at_x <= 0) {
            b->high = x;
            b->at_high = at_x;
            *found = true;
            return 0;
        }
        b->low = x;
        b->at_low = at_x;
        if (x == s->max) {
            *found = false;
            return 0;
        }
        x = step < s->max - x ? x + step : s->max;
        step = step <= INT64_MAX / 4 ? step * 4 : INT64_MAX;
    }
}

/* A good guess lies just above the answer: looks a little below before the false position takes
 * over from the far end. */
static int tighten(const struct pof_least *s, struct bracket *b, struct pof_err *err)
{
    int64_t step = b->high / 64 + 1;
    while (b->low == 0 && b->high > 1 && step < b->high) {
        double at_x;
        int64_t x = b->high - step;
        int rc = s->excess(s->ctx, x, &at_x, err);
        if (rc) {
            return rc;
        }
        if (at_x > 0) {
            b->low = x;
            b->at_low = at_x;
        } else {
            b->high = x;
            b->at_high = at_x;
        }
        step = step <= INT64_MAX / 4 ? step * 4 : INT64_MAX;
    }
    return 0;
}

int pof_least(const struct pof_least *s, int64_t *x, bool *found, struct pof_err *err)
{
    struct bracket b;
    *x = s->max;
    *found = false;
    if (s->max < 1) {
        return 0;
    }
    int rc = find_bracket(s, &b, found, err);
    if (rc || !*found) {
        return rc;
    }
    rc = tighten(s, &b, err);
    int stayed = 0;
    for (int step = 0; rc == 0 && b.high - b.low > 1; step++) {
        double at_x;
        int64_t at = next(&b, step);
        rc = s->excess(s->ctx, at, &at_x, err);
        if (rc == 0) {
            narrow(&b, at, at_x, &stayed);
        }
    }
    *x = b.high;
    return rc;
}
