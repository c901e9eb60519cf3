/* SPDX-License-Identifier: Apache-2.0 */
/* The step of an estimate without any of the sparse machinery: the oracle behind options.dense. */
#include "grid/dense.h"
#include "grid/estimate_impl.h"

#include <math.h>
#include <stdlib.h>

static void fill(const struct pof_se *se, struct pof_dense_lse *p)
{
    int32_t row_a = 0;
    int32_t row_b = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (!row->active) {
            continue;
        }
        double f = row->exact ? row->weight : sqrt(row->weight);
        double *to = row->exact ? p->b + row_b : p->a + row_a;
        ptrdiff_t stride = row->exact ? p->constraints : p->rows;
        for (uint32_t k = 0; k < 2 * row->n; k++) {
            uint32_t col = 2 * se->block[row->begin + k / 2] + k % 2;
            to[stride * (ptrdiff_t)col] += f * se->h[2 * (size_t)row->begin + k];
        }
        if (row->exact) {
            p->d[row_b++] = f * row->r;
        } else {
            p->c[row_a++] = f * row->r;
        }
    }
    for (uint32_t k = 0; k < 2 * se->potentials; k++) {
        if (!se->is_state[k]) {
            p->a[(ptrdiff_t)p->rows * (ptrdiff_t)(2 * se->net.nodes + k) + row_a++] = 1;
        }
    }
}

int pofi_se_dense_step(const struct pof_se *se, double *x, bool *solved, struct pof_err *err)
{
    struct pof_dense_lse p = {.cols = 2 * (int32_t)pofi_se_states(se)};
    for (size_t i = 0; i < se->rows; i++) {
        p.constraints += se->row[i].active && se->row[i].exact;
        p.rows += se->row[i].active && !se->row[i].exact;
    }
    for (uint32_t k = 0; k < 2 * se->potentials; k++) {
        p.rows += !se->is_state[k];
    }
    int rc = pof_calloc(&p.a, (size_t)p.rows * (size_t)p.cols, sizeof *p.a, err);
    rc = rc ? rc : pof_calloc(&p.b, (size_t)p.constraints * (size_t)p.cols, sizeof *p.b, err);
    rc = rc ? rc : pof_calloc(&p.c, (size_t)p.rows, sizeof *p.c, err);
    rc = rc ? rc : pof_calloc(&p.d, (size_t)p.constraints, sizeof *p.d, err);
    if (rc == 0) {
        fill(se, &p);
        rc = pof_dense_lse(&p, x, solved, err);
    }
    free(p.d);
    free(p.c);
    free(p.b);
    free(p.a);
    return rc;
}
