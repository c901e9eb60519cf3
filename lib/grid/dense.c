/* SPDX-License-Identifier: Apache-2.0 */
/* The door to LAPACK, opened when somebody knocks: a BLAS with threads starts them as soon as it is
 * loaded, and their waiting would cost every run of pof-se more than a small estimate does. */
#include "grid/dense.h"

#include <dlfcn.h>
#include <lapacke.h>
#include <string.h>

typedef __typeof__(LAPACKE_dgglse) lse_function;
typedef void threads_function(int n); /* openblas_set_num_threads, where BLAS is OpenBLAS */

/* A function of a library; ISO C has no cast from an object pointer. */
static void find(void *library, const char *name, void *function, size_t size)
{
    void *at = dlsym(library, name);
    memcpy(function, &at, size);
}

static int open_lapack(lse_function **lse, struct pof_err *err)
{
    threads_function *set_threads;
    void *library = dlopen("liblapacke.so.3", RTLD_NOW | RTLD_LOCAL);
    *lse = NULL;
    if (library) {
        find(library, "LAPACKE_dgglse", lse, sizeof *lse);
        find(library, "openblas_set_num_threads", &set_threads, sizeof set_threads);
        if (set_threads) {
            set_threads(1); /* sums in one order */
        }
    }
    return *lse
               ? 0
               : pof_fail(err, POF_E_UNAVAILABLE,
                          "the dense solver needs liblapacke.so.3, which is not there; install it, "
                          "or use the sparse solver");
}

int pof_dense_lse(struct pof_dense_lse *p, double *x, bool *full_rank, struct pof_err *err)
{
    if (p->constraints > p->cols || p->rows + p->constraints < p->cols) {
        *full_rank = false;
        return 0;
    }
    /* with no rows LAPACK still wants leading dimensions of at least one */
    lapack_int lda = p->rows > 0 ? p->rows : 1;
    lapack_int ldb = p->constraints > 0 ? p->constraints : 1;
    lse_function *lse;
    int rc = open_lapack(&lse, err);
    if (rc) {
        return rc;
    }
    lapack_int info = lse(LAPACK_COL_MAJOR, p->rows, p->cols, p->constraints, p->a, lda, p->b, ldb,
                          p->c, p->d, x);
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
