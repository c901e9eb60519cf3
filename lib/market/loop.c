/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of branches in loops, and their rows. */
#include "market/loop.h"

#include "base/mem.h"
#include "grid/transfer.h"

#include <stdlib.h>

int pof_loops_take(struct pof_loops *l, uint32_t branch, const struct pof_limit *x, struct pof_err *err)
{
    int rc = pof_grow(&l->limit, &l->cap, l->n + 1, sizeof *l->limit, err);
    if (rc == 0) {
        l->limit[l->n++] = (struct pof_loop_limit){.start = x->start,
                                                   .end = x->start + x->duration_s,
                                                   .p_up_w = x->p_up_w,
                                                   .p_down_w = x->p_down_w,
                                                   .branch = branch};
    }
    return rc;
}

static int limit_cmp(const void *pa, const void *pb)
{
    const struct pof_loop_limit *a = pa, *b = pb;
    return (a->branch > b->branch) - (a->branch < b->branch);
}

static int work_out(struct pof_loops *l, const struct pof_grid *grid, struct pof_err *err)
{
    struct pof_transfer *t = NULL;
    int rc = pof_calloc(&l->ppm, (size_t)l->rows * l->nodes, sizeof *l->ppm, err);
    rc = rc ? rc : pof_transfer_new(&t, grid, err);
    for (size_t i = 0; rc == 0 && i < l->n; i++) {
        const struct pof_loop_limit *x = &l->limit[i];
        if (i == 0 || x->row != l->limit[i - 1].row) {
            rc = pof_transfer_row(t, x->branch, l->ppm + (size_t)x->row * l->nodes, err);
        }
    }
    pof_transfer_free(t);
    return rc;
}

int pof_loops_close(struct pof_loops *l, const struct pof_grid *grid, int64_t start, int64_t end,
                    struct pof_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (l->limit[i].start < end && l->limit[i].end > start) {
            l->limit[n++] = l->limit[i];
        }
    }
    l->n = n;
    l->nodes = grid->nodes;
    if (n == 0) {
        return 0;
    }
    qsort(l->limit, n, sizeof *l->limit, limit_cmp);
    for (size_t i = 0; i < n; i++) {
        l->rows += i > 0 && l->limit[i].branch != l->limit[i - 1].branch;
        l->limit[i].row = l->rows;
    }
    l->rows++;
    return work_out(l, grid, err);
}

size_t pof_loops_at(const struct pof_loops *l, int64_t instant, struct pof_mesh_row *row)
{
    size_t rows = 0;
    uint32_t last = POF_NONE;
    for (size_t i = 0; i < l->n; i++) {
        const struct pof_loop_limit *x = &l->limit[i];
        if (instant < x->start || instant >= x->end) {
            continue;
        }
        if (x->row != last) {
            row[rows++] = (struct pof_mesh_row){l->ppm + (size_t)x->row * l->nodes, x->p_up_w, x->p_down_w};
            last = x->row;
        }
        struct pof_mesh_row *r = &row[rows - 1];
        r->p_up_w = x->p_up_w < r->p_up_w ? x->p_up_w : r->p_up_w;
        r->p_down_w = x->p_down_w < r->p_down_w ? x->p_down_w : r->p_down_w;
    }
    return rows;
}

void pof_loops_release(struct pof_loops *l)
{
    free(l->limit);
    free(l->ppm);
    *l = (struct pof_loops){0};
}
