/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of branches in loops, held against awards: in integers, with factors worked out anew from the
 * grid. */
#include "market/claim.h"

#include "base/mem.h"
#include "grid/transfer.h"
#include "num/units.h"

#include <stdlib.h>

/* Factors of a branch, when it is limited for the first time. */
struct pof_claim_loops {
    struct pof_transfer *transfer;
    int32_t **ppm; /* [branches], each [nodes] or NULL */
};

static int find_row(struct pof_claim *c, uint32_t branch, const int32_t **ppm, struct pof_err *err)
{
    int rc = 0;
    if (!c->rows) {
        rc = pof_calloc(&c->rows, 1, sizeof *c->rows, err);
        rc = rc ? rc : pof_calloc(&c->rows->ppm, c->grid->branches, sizeof(int32_t *), err);
        rc = rc ? rc : pof_transfer_new(&c->rows->transfer, c->grid, err);
    }
    if (rc == 0 && !c->rows->ppm[branch]) {
        rc = pof_calloc(&c->rows->ppm[branch], c->grid->nodes, sizeof(int32_t), err);
        rc = rc ? rc : pof_transfer_row(c->rows->transfer, branch, c->rows->ppm[branch], err);
    }
    *ppm = rc ? NULL : c->rows->ppm[branch];
    return rc;
}

int pof_claim_loop(struct pof_claim *c, int64_t quarter, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_limit *x = &l->r->u.limit;
    const uint32_t branch = pof_names_find(&c->grid->branch_names, x->branch), *at;
    const int32_t *ppm;
    if (!c->tree.loop || !c->tree.loop[branch]) {
        return 0;
    }
    int rc = find_row(c, branch, &ppm, err);
    pof_claim_wide sum = 0;
    const size_t n = pof_claim_lines(c, quarter, POF_award, &at);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct pof_award *a = &c->line[at[i]].r->u.award;
        uint32_t node = pof_names_find(&c->grid->node_names, a->node);
        sum += (pof_claim_wide)ppm[node] * (a->direction == POF_UP ? a->p_w : -a->p_w);
    }
    if (rc) {
        return rc;
    }
    bool kept = sum <= (pof_claim_wide)x->p_up_w * POF_TRANSFER_ONE && -sum <= (pof_claim_wide)x->p_down_w * POF_TRANSFER_ONE;
    return kept ? 0 : POF_REFUSE(l, NULL, "awards lower the flow by %.6f W", (double)sum / POF_TRANSFER_ONE);
}

void pof_claim_loops_free(struct pof_claim *c)
{
    for (uint32_t b = 0; c->rows && c->rows->ppm && b < c->grid->branches; b++) {
        free(c->rows->ppm[b]);
    }
    if (c->rows) {
        pof_transfer_free(c->rows->transfer);
        free(c->rows->ppm);
        free(c->rows);
    }
}
