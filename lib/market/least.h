/* SPDX-License-Identifier: Apache-2.0 */
/* The least whole number of watts that is enough.
 *
 * excess(x) is a physical quantity less its limit, falling in x: above 0 while x is too little. The
 * search is regula falsi with the Illinois change of weights (M. Dowell, P. Jarratt, BIT 11, 1971)
 * on integers, with a bisection every third step, so that it ends after O(log max) evaluations
 * whatever the shape, and after four or five when excess is nearly a line. Where excess does not
 * fall everywhere, some x with excess(x) <= 0 < excess(x - 1) is found. */
#ifndef POF_MARKET_LEAST_H
#define POF_MARKET_LEAST_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct pof_least {
    /* Infinite where the quantity does not exist (a diverged power flow). */
    int (*excess)(void *ctx, int64_t x, double *excess, struct pof_err *err);
    void *ctx;
    double excess_at_0; /* above 0 */
    int64_t guess;      /* where to look first; any value */
    int64_t max;        /* most that may be taken; at least 0 */
};

/* *x: the least amount in [1, max], *found false when max is not enough (*x is max then). The last
 * evaluation is not always at *x. */
int pof_least(const struct pof_least *search, int64_t *x, bool *found,
              struct pof_err *err) POF_CHECKED;

#endif
