/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/case.h"

#include <stdlib.h>
#include <string.h>

/* --- what was read, into the grid --- */

/* Sum and number of the observations of p, q and v of a node. */
struct mean {
    double sum[3];
    uint32_t n[3];
};
enum { P, Q, V };

static void add_observations(struct mean *mean, const struct pof_instant *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct pof_observation *o = &t->observation[i];
        int what = o->quantity == POF_QUANTITY_P   ? P
                   : o->quantity == POF_QUANTITY_Q ? Q
                   : o->quantity == POF_QUANTITY_V ? V
                                                   : -1;
        if (!o->branch && o->phase == 0 && what >= 0) {
            mean[o->element].sum[what] += o->value;
            mean[o->element].n[what]++;
        }
    }
}

static double mean_of(const struct mean *m, int what, double without)
{
    return m->n[what] ? m->sum[what] / m->n[what] : without;
}

int pof_case_set(struct pof_grid *grid, const struct pof_grid *document,
                 const struct pof_instant *t, struct pof_err *err)
{
    struct mean *mean = NULL;
    int rc = pof_calloc(&mean, grid->nodes, sizeof *mean, err);
    if (rc) {
        return rc;
    }
    add_observations(mean, t);
    for (uint32_t i = 0; i < grid->nodes; i++) {
        const struct pof_node *was = &document->node[i];
        struct pof_node *n = &grid->node[i];
        bool fixed = was->zero_injection;
        n->p_w = fixed || was->kind == POF_NODE_SLACK ? was->p_w : mean_of(&mean[i], P, was->p_w);
        n->q_var = fixed || was->kind != POF_NODE_PQ ? was->q_var : mean_of(&mean[i], Q, was->q_var);
        n->v_set_pu = was->kind == POF_NODE_PQ ? was->v_set_pu
                                               : mean_of(&mean[i], V, was->v_set_pu * was->base_v) / was->base_v;
    }
    for (uint32_t b = 0; b < grid->branches; b++) {
        grid->branch[b].closed = t->closed[b];
    }
    free(mean);
    return 0;
}

/* --- and back to its names --- */

/* A branch by what files without names know of it. */
struct ends {
    uint32_t from, to, index;
    bool transformer;
};

static int by_ends(const void *a, const void *b)
{
    const struct ends *x = a;
    const struct ends *y = b;
    int c = (x->from > y->from) - (x->from < y->from);
    c = c ? c : (x->to > y->to) - (x->to < y->to);
    c = c ? c : (int)x->transformer - (int)y->transformer;
    return c ? c : (x->index > y->index) - (x->index < y->index);
}

static int sorted_ends(const struct pof_grid *grid, struct ends **out, struct pof_err *err)
{
    int rc = pof_calloc(out, grid->branches, sizeof **out, err);
    for (uint32_t i = 0; rc == 0 && i < grid->branches; i++) {
        const struct pof_branch *b = &grid->branch[i];
        (*out)[i] = (struct ends){b->from, b->to, i, b->kind == POF_BRANCH_TRANSFORMER};
    }
    if (rc == 0) {
        qsort(*out, grid->branches, sizeof **out, by_ends);
    }
    return rc;
}

/* Branch i of the document is branch index[i] of the case. */
static int match(const struct pof_grid *grid, const struct pof_grid *document, uint32_t *index,
                 struct pof_err *err)
{
    struct ends *have = NULL;
    struct ends *want = NULL;
    int rc = sorted_ends(grid, &have, err);
    rc = rc ? rc : sorted_ends(document, &want, err);
    for (uint32_t i = 0; rc == 0 && i < document->branches; i++) {
        struct pof_text name = document->branch[want[i].index].name;
        if (have[i].from != want[i].from || have[i].to != want[i].to ||
            have[i].transformer != want[i].transformer) {
            rc = pof_fail(err, POF_E_TOPOLOGY, "the case has no branch like '%.*s'", (int)name.len, name.ptr);
        }
        index[want[i].index] = have[i].index;
    }
    free(have);
    free(want);
    return rc;
}

/* Names in the order of a list of things that have one, numbered from 0. */
static int copy_names(struct pof_names *to, const struct pof_names *from, struct pof_err *err)
{
    int rc = 0;
    uint32_t id;
    for (size_t i = 0; rc == 0 && i < from->n; i++) {
        rc = pof_names_add(to, from->text[i], &id, err);
    }
    return rc;
}

static void take_names(struct pof_grid *grid, struct pof_names *nodes, struct pof_names *branches)
{
    pof_names_release(&grid->node_names);
    pof_names_release(&grid->branch_names);
    grid->node_names = *nodes;
    grid->branch_names = *branches;
    for (uint32_t i = 0; i < grid->nodes; i++) {
        grid->node[i].name = nodes->text[i];
    }
    for (uint32_t i = 0; i < grid->branches; i++) {
        grid->branch[i].name = branches->text[i];
    }
}

int pof_case_name(struct pof_grid *grid, const struct pof_grid *document, struct pof_err *err)
{
    if (grid->nodes != document->nodes || grid->branches != document->branches) {
        return pof_fail(err, POF_E_TOPOLOGY, "the case has %u nodes and %u branches, the grid %u and %u",
                        grid->nodes, grid->branches, document->nodes, document->branches);
    }
    struct pof_names nodes = {0};
    struct pof_names branches = {0};
    struct pof_branch *ordered = NULL;
    uint32_t *index = NULL;
    int rc = pof_calloc(&index, grid->branches, sizeof *index, err);
    rc = rc ? rc : pof_calloc(&ordered, grid->branches, sizeof *ordered, err);
    rc = rc ? rc : match(grid, document, index, err);
    rc = rc ? rc : copy_names(&nodes, &document->node_names, err);
    rc = rc ? rc : copy_names(&branches, &document->branch_names, err);
    if (rc) {
        pof_names_release(&nodes);
        pof_names_release(&branches);
    } else {
        for (uint32_t i = 0; i < grid->branches; i++) {
            ordered[i] = grid->branch[index[i]];
        }
        memcpy(grid->branch, ordered, grid->branches * sizeof *ordered);
        take_names(grid, &nodes, &branches);
        for (uint32_t i = 0; i < grid->nodes; i++) {
            grid->node[i].zero_injection = document->node[i].zero_injection;
        }
    }
    free(ordered);
    free(index);
    return rc;
}
