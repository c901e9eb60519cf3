/* SPDX-License-Identifier: Apache-2.0 */
/* Flows through switches without impedance.
 *
 * In a tree of switches each carries what the sections behind it take (Kirchhoff). In loops physics
 * without impedances leaves flows open; equal small impedances settle them: potentials phi with
 * L phi = -out, L the Laplacian of the switches, one section of each bus held at 0. */
#include "grid/net_impl.h"
#include "grid/sparse.h"

#include <stdlib.h>

struct couplers {
    const struct pof_grid *grid;
    uint32_t *first, *at; /* ideal switches at each node */
    uint32_t *order;      /* nodes breadth first, bus by bus */
    uint32_t *above;      /* [nodes] the switch to the parent; POF_NONE: none */
    bool *looped;         /* [nodes] is the bus no tree? */
    int32_t *number;      /* [nodes] of its potential; -1: held at 0, or not in a loop */
    int32_t numbers;
    uint32_t loops;       /* switches that are in no tree */
};

static uint32_t other(const struct pof_branch *b, uint32_t node)
{
    return b->from == node ? b->to : b->from;
}

static void list_switches(struct couplers *c)
{
    const struct pof_grid *g = c->grid;
    uint32_t *next = c->first + 1;
    for (uint32_t k = 0; k < g->branches; k++) {
        if (pof_branch_ideal(g, &g->branch[k])) {
            next[g->branch[k].from + 1]++;
            next[g->branch[k].to + 1]++;
        }
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        next[i + 1] += next[i];
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        if (pof_branch_ideal(g, &g->branch[k])) {
            c->at[next[g->branch[k].from]++] = k;
            c->at[next[g->branch[k].to]++] = k;
        }
    }
}

/* One bus, from the node order[begin] on; returns where it ends in order. */
static uint32_t walk(struct couplers *c, uint32_t begin, bool *seen)
{
    uint32_t end = begin + 1, ends = 0;
    for (uint32_t k = begin; k < end; k++) {
        uint32_t i = c->order[k];
        for (uint32_t e = c->first[i]; e < c->first[i + 1]; e++, ends++) {
            uint32_t j = other(&c->grid->branch[c->at[e]], i);
            if (!seen[j]) {
                seen[j] = true;
                c->above[j] = c->at[e];
                c->order[end++] = j;
            }
        }
    }
    uint32_t loops = ends / 2 - (end - begin - 1);
    c->loops += loops;
    for (uint32_t k = begin; k < end; k++) {
        uint32_t i = c->order[k];
        c->looped[i] = loops > 0;
        c->number[i] = loops > 0 && k > begin ? c->numbers++ : -1;
    }
    return end;
}

static int prepare(struct couplers *c, struct pof_err *err)
{
    size_t n = c->grid->nodes;
    bool *seen = NULL;
    int rc = pof_calloc(&c->first, n + 2, sizeof *c->first, err);
    rc = rc ? rc : pof_calloc(&c->at, 2 * (size_t)c->grid->branches, sizeof *c->at, err);
    rc = rc ? rc : pof_calloc(&c->order, n, sizeof *c->order, err);
    rc = rc ? rc : pof_calloc(&c->above, n, sizeof *c->above, err);
    rc = rc ? rc : pof_calloc(&c->looped, n, sizeof *c->looped, err);
    rc = rc ? rc : pof_calloc(&c->number, n, sizeof *c->number, err);
    rc = rc ? rc : pof_calloc(&seen, n, sizeof *seen, err);
    if (rc == 0) {
        uint32_t end = 0;
        list_switches(c);
        for (uint32_t i = 0; i < n; i++) {
            if (!seen[i]) {
                seen[i] = true;
                c->above[i] = POF_NONE;
                c->order[end] = i;
                end = walk(c, end, seen);
            }
        }
    }
    free(seen);
    return rc;
}

/* Sums from the leaves: what a subtree takes comes through the switch above it. */
static int sweep(const struct couplers *c, const double *out, double *flow, struct pof_err *err)
{
    const struct pof_grid *g = c->grid;
    double *sum;
    int rc = pof_calloc(&sum, g->nodes, sizeof *sum, err);
    if (rc) {
        return rc;
    }
    for (uint32_t k = g->nodes; k-- > 0;) {
        uint32_t i = c->order[k];
        sum[i] += out[i];
        if (c->above[i] != POF_NONE) {
            const struct pof_branch *b = &g->branch[c->above[i]];
            flow[c->above[i]] = b->to == i ? sum[i] : -sum[i];
            sum[other(b, i)] += sum[i];
        }
    }
    free(sum);
    return 0;
}

/* The places of the Laplacian of all looped buses: four for each switch, -1 left out. */
static int laplacian(const struct couplers *c, struct pof_csc *a, struct pof_err *err)
{
    const struct pof_grid *g = c->grid;
    struct pof_places p = {0};
    int32_t *row = NULL, *col = NULL, *slot = NULL;
    double *value = NULL;
    int rc = pof_calloc(&row, 4 * (size_t)g->branches, sizeof *row, err);
    rc = rc ? rc : pof_calloc(&col, 4 * (size_t)g->branches, sizeof *col, err);
    rc = rc ? rc : pof_calloc(&slot, 4 * (size_t)g->branches, sizeof *slot, err);
    rc = rc ? rc : pof_calloc(&value, 4 * (size_t)g->branches, sizeof *value, err);
    for (uint32_t k = 0; rc == 0 && k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        if (!pof_branch_ideal(g, b) || !c->looped[b->from]) {
            continue;
        }
        const int32_t end[] = {c->number[b->from], c->number[b->to]};
        for (int e = 0; e < 4; e++) {
            if (end[e / 2] >= 0 && end[e % 2] >= 0) {
                row[p.n] = end[e / 2];
                col[p.n] = end[e % 2];
                value[p.n++] = e / 2 == e % 2 ? 1 : -1;
            }
        }
    }
    p.row = row;
    p.col = col;
    rc = rc ? rc : pof_csc_pattern(a, c->numbers, c->numbers, &p, slot, err);
    for (size_t k = 0; rc == 0 && k < p.n; k++) {
        a->value[slot[k]] += value[k];
    }
    free(row);
    free(col);
    free(slot);
    free(value);
    return rc;
}

static int potentials(const struct pof_csc *a, double *phi, struct pof_err *err)
{
    struct pof_lu *lu;
    enum pof_lu_status status;
    int rc = pof_lu_new(&lu, a, err);
    if (rc) {
        return rc;
    }
    rc = pof_lu_factor(lu, &status, err);
    if (rc == 0 && status != POF_LU_OK) {
        rc = pof_fail(err, POF_E_INTERNAL, "the switches of a bus do not hang together");
    }
    rc = rc ? rc : pof_lu_solve(lu, phi, 1, err);
    pof_lu_free(lu);
    return rc;
}

static int share_loops(const struct couplers *c, const double *out, double *flow,
                       struct pof_err *err)
{
    const struct pof_grid *g = c->grid;
    struct pof_csc a = {0};
    double *phi = NULL;
    int rc = pof_calloc(&phi, (size_t)c->numbers, sizeof *phi, err);
    rc = rc ? rc : laplacian(c, &a, err);
    for (uint32_t i = 0; rc == 0 && i < g->nodes; i++) {
        if (c->number[i] >= 0) {
            phi[c->number[i]] = -out[i];
        }
    }
    rc = rc ? rc : potentials(&a, phi, err);
    for (uint32_t k = 0; rc == 0 && k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        if (pof_branch_ideal(g, b) && c->looped[b->from]) {
            int32_t f = c->number[b->from], t = c->number[b->to];
            flow[k] = (f >= 0 ? phi[f] : 0) - (t >= 0 ? phi[t] : 0);
        }
    }
    pof_csc_release(&a);
    free(phi);
    return rc;
}

int pof_net_couplers(const struct pof_net *net, const double *out, double *flow,
                     struct pof_err *err)
{
    struct couplers c = {.grid = net->grid};
    bool any = false;
    for (uint32_t k = 0; k < net->grid->branches && !any; k++) {
        any = pof_branch_ideal(net->grid, &net->grid->branch[k]);
    }
    if (!any) {
        return 0;
    }
    int rc = prepare(&c, err);
    rc = rc ? rc : sweep(&c, out, flow, err);
    if (rc == 0 && c.loops > 0) {
        rc = share_loops(&c, out, flow, err);
    }
    free(c.first);
    free(c.at);
    free(c.order);
    free(c.above);
    free(c.looped);
    free(c.number);
    return rc;
}
