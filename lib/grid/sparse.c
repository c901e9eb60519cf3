/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse matrices and their factors. The only module that knows KLU. */
#include "grid/sparse.h"

#include "base/mem.h"

#include <klu.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Kept pivots are given up when the reciprocal pivot growth (KLU User Guide, klu_rgrowth) has
 * fallen this far below what it was when they were chosen, */
#define GROWTH_LOSS 1e-4
/* or when the condition estimate says that no digit is left. */
#define RCOND_MIN 1e-15

/* --- patterns --- */

static int check_places(int32_t rows, int32_t cols, const struct pof_places *p,
                        struct pof_err *err)
{
    if (rows < 0 || cols < 0 || p->n > INT32_MAX) {
        return pof_fail(err, POF_E_RANGE, "a matrix of %zu entries is too large", p->n);
    }
    for (size_t k = 0; k < p->n; k++) {
        if (p->row[k] < 0 || p->row[k] >= rows || p->col[k] < 0 || p->col[k] >= cols) {
            return pof_fail(err, POF_E_RANGE, "entry (%d, %d) is outside of a %d by %d matrix",
                            p->row[k], p->col[k], rows, cols);
        }
    }
    return 0;
}

/* Scratch of a counting sort: one entry for each key and one more. */
struct counts {
    int32_t *first;
    int32_t keys;
};

/* order = the n places of from (NULL: 0, 1, 2 ...) sorted by key, stable. */
static void sort_by(const int32_t *key, const int32_t *from, size_t n, struct counts counts,
                    int32_t *order)
{
    int32_t *first = counts.first, keys = counts.keys;
    memset(first, 0, ((size_t)keys + 1) * sizeof *first);
    for (size_t k = 0; k < n; k++) {
        first[key[k] + 1]++;
    }
    for (int32_t i = 0; i < keys; i++) {
        first[i + 1] += first[i];
    }
    for (size_t i = 0; i < n; i++) {
        int32_t k = from ? from[i] : (int32_t)i;
        order[first[key[k]]++] = k;
    }
}

/* Places in order of column and row become slots; equal ones share. */
static void fill_pattern(struct pof_csc *a, const struct pof_places *p, const int32_t *order,
                         int32_t *slot)
{
    int32_t used = 0;
    int32_t last_row = -1, last_col = -1;
    for (size_t i = 0; i < p->n; i++) {
        int32_t k = order[i], r = p->row[k], c = p->col[k];
        if (r != last_row || c != last_col) {
            a->row[used++] = r;
            a->col[c + 1]++;
            last_row = r;
            last_col = c;
        }
        if (slot) {
            slot[k] = used - 1;
        }
    }
    for (int32_t c = 0; c < a->cols; c++) {
        a->col[c + 1] += a->col[c];
    }
}

int pof_csc_pattern(struct pof_csc *a, int32_t rows, int32_t cols, const struct pof_places *places,
                    int32_t *slot, struct pof_err *err)
{
    *a = (struct pof_csc){.rows = rows, .cols = cols};
    int32_t *by_row = NULL, *order = NULL, *first = NULL;
    int rc = check_places(rows, cols, places, err);
    size_t keys = rc ? 0 : (size_t)(rows > cols ? rows : cols);
    rc = rc ? rc : pof_calloc(&by_row, places->n, sizeof *by_row, err);
    rc = rc ? rc : pof_calloc(&order, places->n, sizeof *order, err);
    rc = rc ? rc : pof_calloc(&first, keys + 1, sizeof *first, err);
    rc = rc ? rc : pof_calloc(&a->col, (size_t)(rc ? 0 : cols) + 1, sizeof *a->col, err);
    rc = rc ? rc : pof_calloc(&a->row, places->n, sizeof *a->row, err);
    rc = rc ? rc : pof_calloc(&a->value, places->n, sizeof *a->value, err);
    if (rc == 0) {
        sort_by(places->row, NULL, places->n, (struct counts){first, rows}, by_row);
        sort_by(places->col, by_row, places->n, (struct counts){first, cols}, order);
        fill_pattern(a, places, order, slot);
    } else {
        pof_csc_release(a);
    }
    free(by_row);
    free(order);
    free(first);
    return rc;
}

void pof_csc_release(struct pof_csc *a)
{
    free(a->col);
    free(a->row);
    free(a->value);
    *a = (struct pof_csc){0};
}

/* --- factors --- */

struct pof_lu {
    const struct pof_csc *a;
    klu_common common;
    klu_symbolic *symbolic;
    klu_numeric *numeric; /* NULL: no pivots are kept */
    bool trusted;         /* growth is not looked at */
    bool ready;           /* numeric is of matrix values that were not singular */
    double growth;        /* reciprocal pivot growth when the pivots were chosen */
    unsigned full, kept;
};

static int klu_failed(const struct pof_lu *lu, struct pof_err *err)
{
    if (lu->common.status == KLU_OUT_OF_MEMORY || lu->common.status == KLU_TOO_LARGE) {
        return pof_fail(err, POF_E_NOMEM, "out of memory for factors of a matrix of order %d",
                        lu->a->cols);
    }
    return pof_fail(err, POF_E_INTERNAL, "factorisation failed with status %d", lu->common.status);
}

int pof_lu_new(struct pof_lu **out, const struct pof_csc *a, struct pof_err *err)
{
    *out = NULL;
    if (a->rows != a->cols || a->cols == 0) {
        return pof_fail(err, POF_E_INTERNAL, "a matrix of %d by %d has no factors", a->rows,
                        a->cols);
    }
    struct pof_lu *lu;
    int rc = pof_calloc(&lu, 1, sizeof *lu, err);
    if (rc) {
        return rc;
    }
    lu->a = a;
    klu_defaults(&lu->common);
    lu->symbolic = klu_analyze(a->cols, a->col, a->row, &lu->common);
    if (!lu->symbolic) {
        rc = klu_failed(lu, err);
        pof_lu_free(lu);
        return rc;
    }
    *out = lu;
    return 0;
}

static bool pivots_still_good(struct pof_lu *lu)
{
    const struct pof_csc *a = lu->a;
    if (lu->trusted) {
        return true;
    }
    return klu_rgrowth(a->col, a->row, a->value, lu->symbolic, lu->numeric, &lu->common) &&
           lu->common.rgrowth >= GROWTH_LOSS * lu->growth &&
           klu_rcond(lu->symbolic, lu->numeric, &lu->common) && lu->common.rcond > RCOND_MIN;
}

static bool refactor(struct pof_lu *lu)
{
    const struct pof_csc *a = lu->a;
    return lu->numeric &&
           klu_refactor(a->col, a->row, a->value, lu->symbolic, lu->numeric, &lu->common) &&
           lu->common.status == KLU_OK && pivots_still_good(lu);
}

int pof_lu_factor(struct pof_lu *lu, enum pof_lu_status *status, struct pof_err *err)
{
    const struct pof_csc *a = lu->a;
    lu->ready = refactor(lu);
    *status = POF_LU_OK;
    if (lu->ready) {
        lu->kept++;
        return 0;
    }
    pof_lu_reset(lu);
    lu->full++;
    lu->numeric = klu_factor(a->col, a->row, a->value, lu->symbolic, &lu->common);
    if (!lu->numeric || lu->common.status == KLU_SINGULAR) {
        if (lu->common.status != KLU_SINGULAR) {
            return klu_failed(lu, err);
        }
        pof_lu_reset(lu);
        *status = POF_LU_SINGULAR;
        return 0;
    }
    klu_rgrowth(a->col, a->row, a->value, lu->symbolic, lu->numeric, &lu->common);
    lu->growth = lu->common.rgrowth;
    lu->ready = true;
    return 0;
}

void pof_lu_trust(struct pof_lu *lu)
{
    lu->trusted = true;
}

void pof_lu_reset(struct pof_lu *lu)
{
    klu_free_numeric(&lu->numeric, &lu->common);
    lu->ready = false;
}

static int not_ready(struct pof_err *err)
{
    return pof_fail(err, POF_E_INTERNAL, "solving without factors");
}

int pof_lu_solve(struct pof_lu *lu, double *b, int32_t nrhs, struct pof_err *err)
{
    int32_t n = lu->a->cols;
    if (!lu->ready) {
        return not_ready(err);
    }
    return klu_solve(lu->symbolic, lu->numeric, n, nrhs, b, &lu->common) ? 0 : klu_failed(lu, err);
}

int pof_lu_solve_transposed(struct pof_lu *lu, double *b, int32_t nrhs, struct pof_err *err)
{
    int32_t n = lu->a->cols;
    if (!lu->ready) {
        return not_ready(err);
    }
    return klu_tsolve(lu->symbolic, lu->numeric, n, nrhs, b, &lu->common) ? 0
                                                                          : klu_failed(lu, err);
}

void pof_lu_counts(const struct pof_lu *lu, unsigned *full, unsigned *kept)
{
    *full = lu->full;
    *kept = lu->kept;
}

void pof_lu_free(struct pof_lu *lu)
{
    if (lu) {
        klu_free_numeric(&lu->numeric, &lu->common);
        klu_free_symbolic(&lu->symbolic, &lu->common);
        free(lu);
    }
}
