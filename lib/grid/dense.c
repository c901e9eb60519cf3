/* SPDX-License-Identifier: Apache-2.0 */
/* The door to LAPACK. */
#include "grid/dense.h"

#include <lapacke.h>

/* OpenBLAS's own; its cblas.h declares it, but only this one name of it is needed. */
void openblas_set_num_threads(int n);

int pof_dense_lse(struct pof_dense_lse *p, double *x, bool *full_rank, struct pof_err *err)
{
    openblas_set_num_threads(1); /* sums in one order */
    if (p->constraints > p->cols || p->rows + p->constraints < p->cols) {
        *full_rank = false;
        return 0;
    }
    /* with no rows LAPACK still wants leading dimensions of at least one */
    lapack_int lda = p->rows > 0 ? p->rows : 1;
    lapack_int ldb = p->constraints > 0 ? p->constraints : 1;
    lapack_int info = LAPACKE_dgglse(LAPACK_COL_MAJOR, p->rows, p->cols, p->constraints, p->a, lda,
                                     p->b, ldb, p->c, p->d, x);
    if (info == LAPACK_WORK_MEMORY_ERROR) {
        return pof_fail(err, POF_E_NOMEM, "dense least squares of %d x %d", (int)p->rows,
                        (int)p->cols);
    }
    if (info < 0) {
        return pof_fail(err, POF_E_INTERNAL, "LAPACK refuses argument %d of DGGLSE", (int)-info);
    }
    *full_rank = info == 0;
    return 0;
}
