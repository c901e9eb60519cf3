/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse real matrices and their LU factors, for power flow and estimation.
 *
 * Matrices are compressed by columns (CSC). A pattern is made once from coordinates and tells each
 * coordinate its slot, so values can be added up in place without searching. Factors are KLU's
 * (T. Davis, E. Palamadai Natarajan, ACM TOMS 37(3), article 36, 2010): ordering and symbolic
 * analysis once, numeric factors any number of times; a refactorisation keeps the pivots and falls
 * back to a full one, with new pivots, when the kept ones have become bad. Results depend on the
 * sequence of matrices given to one factor object and on nothing else. */
#ifndef POF_GRID_SPARSE_H
#define POF_GRID_SPARSE_H

#include "base/err.h"

#include <stdint.h>

/* rows x cols; column j is in [col[j], col[j + 1]); rows ascend in each column. Owned by whoever
 * made it; release with pof_csc_release. */
struct pof_csc {
    int32_t rows, cols;
    int32_t *col;  /* [cols + 1] */
    int32_t *row;  /* [col[cols]] */
    double *value; /* [col[cols]] */
};

/* Coordinates of entries; the same place may occur several times. */
struct pof_places {
    const int32_t *row;
    const int32_t *col;
    size_t n;
};

/* The pattern of the places, values all zero. slot[k] (NULL: not wanted) becomes the index in
 * a->value of place k. O(n + rows + cols). POF_E_RANGE for a place outside. */
int pof_csc_pattern(struct pof_csc *a, int32_t rows, int32_t cols, const struct pof_places *places,
                    int32_t *slot, struct pof_err *err) POF_CHECKED;
void pof_csc_release(struct pof_csc *a);

struct pof_lu; /* factors of a square matrix; used by one thread at a time */

enum pof_lu_status { POF_LU_OK, POF_LU_SINGULAR };

/* Ordering (block triangular form, then approximate minimum degree) for the pattern of a, which
 * must live as long as the factors: later calls look at a->value. A pattern with no full transversal
 * is singular whatever its values and is answered by pof_lu_factor. */
int pof_lu_new(struct pof_lu **out, const struct pof_csc *a, struct pof_err *err) POF_CHECKED;

/* Numeric factors of the present values. SINGULAR is an answer, not an error; then the factors
 * cannot be solved with. */
int pof_lu_factor(struct pof_lu *lu, enum pof_lu_status *status, struct pof_err *err) POF_CHECKED;

/* From now on kept pivots are kept without a look at their growth, which costs half of what the
 * factors cost: for callers that judge solutions by what they do. */
void pof_lu_trust(struct pof_lu *lu);

/* Forgets kept pivots: the next pof_lu_factor chooses them anew, so that its result does not depend
 * on earlier matrices. */
void pof_lu_reset(struct pof_lu *lu);

/* b := A^-1 b, b := A^-T b, for nrhs right-hand sides behind each other. Needs factors with status
 * OK; POF_E_INTERNAL otherwise. No allocation. */
int pof_lu_solve(struct pof_lu *lu, double *b, int32_t nrhs, struct pof_err *err) POF_CHECKED;
int pof_lu_solve_transposed(struct pof_lu *lu, double *b, int32_t nrhs,
                            struct pof_err *err) POF_CHECKED;

/* How often pivots were chosen, and kept, since pof_lu_new. */
void pof_lu_counts(const struct pof_lu *lu, unsigned *full, unsigned *kept);

void pof_lu_free(struct pof_lu *lu);

#endif
