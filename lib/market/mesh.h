/* SPDX-License-Identifier: Apache-2.0 */
/* Clearing of one quarter-hour where loops are limited: the problem of market/clear.h on a tree, and rows
 *
 *     -p_down 10^6 <= sum over nodes of ppm f <= p_up 10^6,    f: net activation of a node's own offers,
 *
 * in integers, so whether a result keeps a row is decided without rounding.
 *
 * A result of the tree method that keeps all rows is the optimum. Where it does not, the linear program
 * with the rows is solved (market/lp.h); it proposes, integers decide:
 *
 * - Bound. The duals of the rows, rounded to integers, become part of the offers' prices, and the tree method
 *   solves the rest exactly (Lagrangian relaxation; A. Geoffrion, Math. Programming Study 2, 1974). Any
 *   integers give a bound that no result can be below, so rounding cannot make it wrong.
 * - Result. Of a vertex of the program few quantities are not whole. The tree method chooses among those that
 *   differ from it by less than a watt, at the same prices; where rounding breaks a row, the program is
 *   solved once more with that row tightened by as much. Should a dozen such rounds not do, offers that act on
 *   a row still broken are left.
 *
 * So a result always keeps limits and rows, and cost less bound is proven. Which of offers of equal price
 * are taken is the solver's choice where a row binds. Same input, same result. */
#ifndef POF_MARKET_MESH_H
#define POF_MARKET_MESH_H

#include "market/clear.h"

struct pof_mesh_row {
    const int32_t *ppm;       /* [nodes] */
    int64_t p_up_w, p_down_w; /* W, >= 0 */
};

struct pof_mesh {
    const struct pof_clear_problem *tree; /* without frozen parts */
    const struct pof_mesh_row *row;
    size_t rows;
};

/* By how many watts, rounded up, quantities go beyond a row; 0: they keep it. */
int64_t pof_mesh_excess(const struct pof_mesh *m, size_t row, const int64_t *taken_w);

/* taken_w [offers]: the result of the tree method, which becomes the one with rows. cost and bound in
 * 1e-6 EUR/MWh times W. Errors of pof_clear_solve and pof_lp_rows; one thread at a time. */
int pof_mesh_solve(struct pof_clearing *c, const struct pof_mesh *m, int64_t *taken_w, pof_wide *cost,
                   pof_wide *bound, struct pof_err *err) POF_CHECKED;

#endif
