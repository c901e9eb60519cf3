/* SPDX-License-Identifier: Apache-2.0 */
/* Dense least squares by orthogonal transformations: slow, exact, an oracle for the sparse solvers,
 * with which it shares no line. */
#ifndef POF_GRID_DENSE_H
#define POF_GRID_DENSE_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

/* Minimises |A x - c| subject to B x = d. */
struct pof_dense_lse {
    int32_t rows;        /* of A */
    int32_t constraints; /* rows of B, at most cols */
    int32_t cols;
    double *a;           /* [rows * cols] by columns; destroyed */
    double *b;           /* [constraints * cols] by columns; destroyed */
    double *c, *d;       /* [rows], [constraints]; destroyed */
};

/* x has cols elements. full_rank is false, and x not touched, when B has dependent rows or (A; B)
 * dependent columns, within rounding. Null-space method: B' = Q (R; 0) by Householder reflections,
 * R' y1 = d, then the unconstrained problem in y2 by another QR, x = Q y (G. H. Golub,
 * C. F. Van Loan, Matrix Computations, 4th ed., 2013, sections 5.2 and 6.2.3). The order of sums is
 * fixed. O((rows + constraints) cols^2). */
int pof_dense_lse(struct pof_dense_lse *problem, double *x, bool *full_rank,
                  struct pof_err *err) POF_CHECKED;

#endif
