/* SPDX-License-Identifier: Apache-2.0 */
/* The cheapest way to meet a few needs out of many bounded amounts: the linear program
 *
 *     minimise sum_j cost_j x_j    subject to    sum_j a_ij x_j >= need_i,  0 <= x_j <= most_j.
 *
 * All costs are above 0, so x = 0 is dual feasible and the dual simplex method starts from there (C.
 * Lemke, Naval Research Logistics 1(1), 1954), with bounded variables that jump to their other bound
 * where the step goes on beyond them (I. Maros, "A generalized dual phase-2 simplex algorithm",
 * European J. of Operational Research 149(1), 2003): with one need that is the greedy choice by cost
 * over effect. The tableau is dense, which suits few rows.
 *
 * Amounts of equal cost for the same effect: the earlier one is taken first, by a surcharge of less
 * than 1e-9 of the cost on later ones. */
#ifndef POF_MARKET_COVER_H
#define POF_MARKET_COVER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct pof_cover {
    size_t rows, cols;
    const double *a;    /* [rows * cols], by rows */
    const double *need; /* [rows] */
    const double *cost; /* [cols] above 0 */
    const double *most; /* [cols] at least 0, finite */
};

/* x [cols]: a vertex that is optimal to 1e-9 of the largest coefficient of each row; price [rows]:
 * cost of one more unit of each need, at least 0. *met is false where not all needs can be met; x
 * then misses them by the least sum, each in units of its row's largest coefficient. Deterministic.
 * POF_E_INTERNAL: rounding has the better of it. Each of a few dozen steps O(rows * cols). */
int pof_cover_solve(const struct pof_cover *cover, double *x, double *price, bool *met,
                    struct pof_err *err) POF_CHECKED;

#endif
