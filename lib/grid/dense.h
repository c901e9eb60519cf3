/* SPDX-License-Identifier: Apache-2.0 */
/* Dense least squares by LAPACK: slow, exact, an oracle for the sparse solvers. */
#ifndef POF_GRID_DENSE_H
#define POF_GRID_DENSE_H

#include "base/err.h"

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
 * dependent columns. DGGLSE by generalised RQ factorisation (E. Anderson et al., LAPACK Users'
 * Guide, 3rd ed., 1999, section 2.3.3). O((rows + constraints) cols^2). BLAS is told to use one
 * thread, for this process, so that sums have one order. */
int pof_dense_lse(struct pof_dense_lse *problem, double *x, bool *full_rank,
                  struct pof_err *err) POF_CHECKED;

#endif
