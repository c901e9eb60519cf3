/* SPDX-License-Identifier: Apache-2.0 */
/* The clearing problem of market/clear.h as a linear program, solved by GLPK's simplex method.
 *
 * The solver works in floating point, so it only proposes: quantities and prices are rounded to
 * integers (the matrix is a network's, totally unimodular, so a vertex has integer quantities and
 * integer prices) and must pass the certificate of market/certificate.h. If they do not, the exact
 * rational simplex goes on from where the first one stopped. Offers of equal price are chosen by
 * the solver, not by the tie rule.
 *
 * GLPK keeps state per process: one thread at a time. */
#ifndef POF_MARKET_LP_H
#define POF_MARKET_LP_H

#include "market/block.h"

/* As pof_clear_solve; result must have both price arrays. POF_E_INTERNAL when the solver fails or
 * its answer cannot be certified, POF_E_OVERFLOW when there are more rows or columns than GLPK
 * takes. */
int pof_lp_solve(const struct pof_clear_problem *problem, struct pof_clear_result *result,
                 struct pof_err *err) POF_CHECKED;

/* The decisions of a problem of market/block.h as a mixed-integer program, by GLPK's branch and
 * cut. In floating point: what the decisions cost must be computed from them. POF_E_INTERNAL when
 * the solver fails. */
int pof_lp_decide(const struct pof_block_problem *problem, bool *on,
                  struct pof_err *err) POF_CHECKED;

/* A row on top of a problem: low <= sum over nodes of ppm / 10^6 times net activation <= high, W. */
struct pof_lp_row {
    const int32_t *ppm; /* [nodes] */
    double low, high;
};

/* A problem with rows, in floating point: x [offers] quantities, W; price [rows] cost of one more watt of
 * what the row sums up, 1e-6 EUR/MWh. whole: quantities are integers, by branch and cut, and there are no
 * prices. POF_E_INTERNAL when the solver fails. */
int pof_lp_rows(const struct pof_clear_problem *problem, const struct pof_lp_row *row, size_t rows, bool whole,
                double *x, double *price, struct pof_err *err) POF_CHECKED;

#endif
