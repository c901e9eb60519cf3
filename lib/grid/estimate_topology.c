/* SPDX-License-Identifier: Apache-2.0 */
/* What is energised, who neighbours whom, and the voltages without load. */
#include "grid/estimate_impl.h"

#include <stdlib.h>
#include <string.h>

/* Ends at each grid node, over closed branches. */
struct at_node {
    uint32_t *begin; /* [nodes + 1] */
    uint32_t *end;
};

static int list_ends(const struct pof_grid *grid, struct at_node *at, struct pof_err *err)
{
    int rc = pof_calloc(&at->begin, (size_t)grid->nodes + 2, sizeof *at->begin, err);
    if (rc == 0) {
        rc = pof_calloc(&at->end, 2 * (size_t)grid->branches, sizeof *at->end, err);
    }
    if (rc != 0) {
        return rc;
    }
    for (uint32_t b = 0; b < grid->branches; b++) {
        if (grid->branch[b].closed) {
            at->begin[grid->branch[b].from + 2]++;
            at->begin[grid->branch[b].to + 2]++;
        }
    }
    for (uint32_t i = 0; i < grid->nodes; i++) {
        at->begin[i + 2] += at->begin[i + 1];
    }
    /* filling moves begin[i + 1] to where node i + 1 begins */
    for (uint32_t b = 0; b < grid->branches; b++) {
        if (grid->branch[b].closed) {
            at->end[at->begin[grid->branch[b].from + 1]++] = 2 * b;
            at->end[at->begin[grid->branch[b].to + 1]++] = 2 * b + 1;
        }
    }
    return 0;
}

static void enter(struct pof_se *se, uint32_t i, uint32_t root)
{
    se->number[i] = se->n;
    se->node[se->n] = i;
    se->root[se->n] = root == POF_NONE ? se->n : root;
    se->n++;
}

/* No-load voltage at the far end of end k, seen from energised node e: the ideal transformer at the
 * from end divides the magnitude by its ratio and turns the angle back by its shift. */
static void unloaded(struct pof_se *se, uint32_t e, uint32_t k, uint32_t other)
{
    const struct pof_branch *b = &se->grid->branch[k / 2];
    bool forward = k % 2 == 0;
    se->flat_v[other] = forward ? se->flat_v[e] / b->ratio : se->flat_v[e] * b->ratio;
    se->flat_a[other] = forward ? se->flat_a[e] - b->shift : se->flat_a[e] + b->shift;
}

/* Breadth first from the slack nodes; numbers what is energised. */
static void walk(struct pof_se *se, const struct at_node *at)
{
    const struct pof_grid *grid = se->grid;
    memset(se->number, 0xff, grid->nodes * sizeof *se->number);
    for (uint32_t s = 0; s < grid->nodes; s++) {
        if (grid->node[s].kind != POF_NODE_SLACK || se->number[s] != POF_NONE) {
            continue;
        }
        uint32_t done = se->n;
        se->flat_v[se->n] = grid->node[s].v_set_pu > 0 ? grid->node[s].v_set_pu : 1;
        se->flat_a[se->n] = grid->node[s].angle_set;
        enter(se, s, POF_NONE);
        for (; done < se->n; done++) {
            uint32_t i = se->node[done];
            for (uint32_t k = at->begin[i]; k < at->begin[i + 1]; k++) {
                const struct pof_branch *b = &grid->branch[at->end[k] / 2];
                uint32_t far = at->end[k] % 2 == 0 ? b->to : b->from;
                if (se->number[far] == POF_NONE) {
                    unloaded(se, done, at->end[k], se->n);
                    enter(se, far, se->root[done]);
                }
            }
        }
    }
}

/* Admittances of the ends of closed, energised branches. */
static void fill_ends(struct pof_se *se)
{
    for (uint32_t k = 0; k < se->grid->branches; k++) {
        const struct pof_branch *b = &se->grid->branch[k];
        struct se_end *f = &se->end[2 * k];
        struct se_end *t = f + 1;
        f->self = t->self = POF_NONE;
        if (!b->closed || se->number[b->from] == POF_NONE) {
            continue;
        }
        struct pof_pi y = pof_branch_pi(b);
        *f = (struct se_end){.gss = y.gff, .bss = y.bff, .gso = y.gft, .bso = y.bft};
        *t = (struct se_end){.gss = y.gtt, .bss = y.btt, .gso = y.gtf, .bso = y.btf};
        f->self = t->other = se->number[b->from];
        t->self = f->other = se->number[b->to];
    }
}

/* Ends by energised node, and the place of each end's other node among the neighbours. */
static int number_neighbours(struct pof_se *se, const struct at_node *at, struct pof_err *err)
{
    uint32_t *seen_from = NULL;
    uint32_t *place = NULL;
    int rc = pof_calloc(&seen_from, se->n, sizeof *seen_from, err);
    if (rc == 0) {
        rc = pof_calloc(&place, se->n, sizeof *place, err);
    }
    for (uint32_t e = 0; rc == 0 && e < se->n; e++) {
        uint32_t i = se->node[e];
        se->adj_begin[e + 1] = se->adj_begin[e];
        for (uint32_t k = at->begin[i]; k < at->begin[i + 1]; k++) {
            struct se_end *end = &se->end[at->end[k]];
            if (seen_from[end->other] != e + 1) {
                seen_from[end->other] = e + 1;
                place[end->other] = ++se->neighbours[e];
            }
            end->place = place[end->other];
            se->adj[se->adj_begin[e + 1]++] = at->end[k];
        }
    }
    free(place);
    free(seen_from);
    return rc;
}

int pofi_se_topology(struct pof_se *se, struct pof_err *err)
{
    const struct pof_grid *grid = se->grid;
    size_t n = grid->nodes;
    const struct {
        void *at;
        size_t n, size;
    } need[] = {{&se->node, n, sizeof *se->node},
                {&se->number, n, sizeof *se->number},
                {&se->root, n, sizeof *se->root},
                {&se->flat_v, n, sizeof *se->flat_v},
                {&se->flat_a, n, sizeof *se->flat_a},
                {&se->neighbours, n, sizeof *se->neighbours},
                {&se->adj_begin, n + 1, sizeof *se->adj_begin},
                {&se->adj, 2 * (size_t)grid->branches, sizeof *se->adj},
                {&se->end, 2 * (size_t)grid->branches, sizeof *se->end}};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof need / sizeof need[0]; i++) {
        rc = pof_calloc(need[i].at, need[i].n, need[i].size, err);
    }
    struct at_node at = {0};
    if (rc == 0) {
        rc = list_ends(grid, &at, err);
    }
    if (rc == 0) {
        walk(se, &at);
        fill_ends(se);
        rc = number_neighbours(se, &at, err);
    }
    free(at.begin);
    free(at.end);
    if (rc == 0 && se->n == 0) {
        rc = pof_fail(err, POF_E_TOPOLOGY, "no node of the grid is of kind 'slack': expected one");
    }
    return rc;
}
