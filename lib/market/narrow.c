/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts into limits of areas. */
#include "market/narrow.h"

#include "grid/transfer.h"
#include "market/feeder.h"
#include "market/request.h"
#include "num/time.h"
#include "num/units.h"

#include <math.h>
#include <stdlib.h>

#define FREE_W INT64_C(1000000000000) /* P_MAX of records.def: no limit */

struct narrowing {
    const struct pof_validate *v;
    const struct pof_grid *grid;
    struct pof_feeder feeder;
    bool (*wanted)[2]; /* [branches][direction] in the quarter-hour at hand */
    struct pof_transfer *transfer; /* made when a branch in a loop is limited first */
    int32_t **ppm;                 /* [branches], each [nodes] or NULL */
    double margin;
};

/* The branch nearest to the root below which all nodes move the voltage of one enough. */
static uint32_t voltage_area(const struct pof_feeder *f, uint32_t node)
{
    const struct pof_tree *t = &f->tree;
    double enough = POF_REQUEST_EFFECTIVE * f->r_path[node];
    uint32_t at = node;
    if (t->parent[at] == POF_NONE) {
        return POF_NONE;
    }
    for (uint32_t up = t->parent[at]; t->parent[up] != POF_NONE && f->r_path[up] >= enough;
         up = t->parent[up]) {
        at = up;
    }
    return t->parent_branch[at];
}

static uint32_t area_of(const struct narrowing *n, const struct pof_validate_award *a,
                        const struct pof_verdict *d)
{
    const struct pof_feeder *f = &n->feeder;
    uint32_t branch = POF_NONE;
    bool intact = !POF_HAS(d, verdict, outage);
    if (intact && d->reason == POF_VIOLATION_LOADING && POF_HAS(d, verdict, element)) {
        branch = pof_names_find(&n->grid->branch_names, d->element);
    } else if (intact && POF_HAS(d, verdict, element)) {
        branch = voltage_area(f, pof_names_find(&n->grid->node_names, d->element));
    }
    bool feeds = branch != POF_NONE && pof_feeder_feeds(f, branch, a->node_id);
    if (feeds || (branch != POF_NONE && d->reason == POF_VIOLATION_LOADING && pof_feeder_loop(f, branch))) {
        return branch;
    }
    uint32_t at = a->node_id; /* what feeds the award alone, on its way in no loop */
    while (f->tree.parent[at] != POF_NONE && pof_feeder_loop(f, f->tree.parent_branch[at])) {
        at = f->tree.parent[at];
    }
    return f->tree.parent_branch[at];
}

/* The factors of a branch in a loop. */
static int find_row(struct narrowing *n, uint32_t branch, struct pof_err *err)
{
    int rc = n->transfer ? 0 : pof_transfer_new(&n->transfer, n->grid, err);
    if (rc == 0 && !n->ppm[branch]) {
        rc = pof_calloc(&n->ppm[branch], n->grid->nodes, sizeof(int32_t), err);
        rc = rc ? rc : pof_transfer_row(n->transfer, branch, n->ppm[branch], err);
    }
    return rc;
}

/* How far 1 W up at a node moves what a limit of a branch bounds. */
static double effect(const struct narrowing *n, uint32_t branch, uint32_t node)
{
    return n->ppm[branch] ? (double)n->ppm[branch][node] / POF_TRANSFER_ONE
                          : pof_feeder_feeds(&n->feeder, branch, node);
}

static int put(struct pof_narrow *out, const struct narrowing *n, uint32_t branch, size_t first,
               size_t end, struct pof_err *err)
{
    const struct pof_branch *b = &n->grid->branch[branch];
    const bool loop = pof_feeder_loop(&n->feeder, branch);
    bool wanted[2] = {n->wanted[branch][0], n->wanted[branch][1]};
    double net_w = 0, cut_w = 0, awarded_w = 0;
    for (size_t i = first; i < end; i++) {
        const struct pof_validate_award *a = &n->v->award[i];
        double share = effect(n, branch, a->node_id), signed_share = a->direction == POF_UP ? share : -share;
        net_w += signed_share * (double)n->v->verdict[i].p_w;
        cut_w += signed_share * (double)(a->p_w - n->v->verdict[i].p_w);
        awarded_w += fabs(share) * (double)a->p_w;
    }
    if (loop) { /* what is cut elsewhere moves it either way: the sum tells which way was too far */
        wanted[POF_UP] = cut_w > 0;
        wanted[POF_DOWN] = cut_w < 0;
    }
    double spare = n->margin * (b->rating_va > 0 ? b->rating_va : awarded_w);
    int64_t up = (int64_t)fmax(floor(net_w - spare), 0), down = (int64_t)fmax(floor(-net_w - spare), 0);
    int rc = pof_grow(&out->limit, &out->cap, out->n + 1, sizeof *out->limit, err);
    if (rc == 0) {
        out->limit[out->n++] = (struct pof_limit){.branch = b->name,
                                                  .start = n->v->award[first].start,
                                                  .duration_s = POF_QUARTER_S,
                                                  .p_up_w = wanted[POF_UP] ? up : FREE_W,
                                                  .p_down_w = wanted[POF_DOWN] ? down : FREE_W};
    }
    return rc;
}

/* Awards [first, end) of one quarter-hour. */
static int narrow_quarter(struct pof_narrow *out, struct narrowing *n, size_t first, size_t end,
                          struct pof_err *err)
{
    bool any = false;
    int rc = 0;
    for (size_t i = first; rc == 0 && i < end; i++) {
        const struct pof_validate_award *a = &n->v->award[i];
        uint32_t area = POF_NONE;
        if (n->v->verdict[i].decision != POF_DECISION_ACCEPT) {
            area = area_of(n, a, &n->v->verdict[i]);
        }
        out->without += n->v->verdict[i].decision != POF_DECISION_ACCEPT && area == POF_NONE;
        if (area != POF_NONE) {
            rc = pof_feeder_loop(&n->feeder, area) ? find_row(n, area, err) : 0;
            n->wanted[area][a->direction] = any = true;
        }
    }
    for (uint32_t b = 0; any && rc == 0 && b < n->grid->branches; b++) {
        if (n->wanted[b][POF_UP] || n->wanted[b][POF_DOWN]) {
            rc = put(out, n, b, first, end, err);
            n->wanted[b][POF_UP] = n->wanted[b][POF_DOWN] = false;
        }
    }
    return rc;
}

int pof_narrow(struct pof_narrow *out, const struct pof_validate *v, const struct pof_grid *grid,
               double margin, struct pof_err *err)
{
    struct narrowing n = {.v = v, .grid = grid, .margin = margin};
    *out = (struct pof_narrow){0};
    int rc = pof_feeder_init_meshed(&n.feeder, grid, err);
    rc = rc ? rc : pof_calloc(&n.wanted, grid->branches, sizeof *n.wanted, err);
    rc = rc ? rc : pof_calloc(&n.ppm, grid->branches, sizeof *n.ppm, err);
    for (size_t first = 0, end; rc == 0 && first < v->n; first = end) {
        for (end = first + 1; end < v->n && v->award[end].start == v->award[first].start;) {
            end++;
        }
        rc = narrow_quarter(out, &n, first, end, err);
    }
    for (uint32_t b = 0; n.ppm && b < grid->branches; b++) {
        free(n.ppm[b]);
    }
    free(n.ppm);
    pof_transfer_free(n.transfer);
    free(n.wanted);
    pof_feeder_release(&n.feeder);
    return rc;
}

void pof_narrow_release(struct pof_narrow *n)
{
    free(n->limit);
    *n = (struct pof_narrow){0};
}
