/* SPDX-License-Identifier: Apache-2.0 */
/* Which grid nodes are one bus, and what hangs on which slack. */
#include "grid/build.h"
#include "grid/net_impl.h"

#include <stdlib.h>

/* A name in a message: "%.*s", T(name). */
#define T(text) (int)(text).len, (text).ptr

bool pof_branch_ideal(const struct pof_grid *grid, const struct pof_branch *b)
{
    return b->kind == POF_BRANCH_SWITCH && b->closed && b->r == 0 && b->g == 0 && b->b == 0 &&
           (b->x == 0 || b->x == POF_SWITCH_X_PER_VA * grid->base_va);
}

/* Root of a set; ways are halved on the walk (R. E. Tarjan, J. van Leeuwen, "Worst-case analysis of
 * set union algorithms", JACM 31(2), 1984). */
uint32_t pofi_find(uint32_t *root, uint32_t i)
{
    while (root[i] != i) {
        root[i] = root[root[i]];
        i = root[i];
    }
    return i;
}

static void join(const struct pof_grid *grid, uint32_t *root)
{
    bool joined = false;
    for (uint32_t i = 0; i < grid->nodes; i++) {
        root[i] = i;
    }
    for (uint32_t k = 0; k < grid->branches; k++) {
        const struct pof_branch *b = &grid->branch[k];
        if (pof_branch_ideal(grid, b)) {
            uint32_t f = pofi_find(root, b->from), t = pofi_find(root, b->to);
            root[f < t ? t : f] = f < t ? f : t;
            joined = true;
        }
    }
    for (uint32_t i = 0; joined && i < grid->nodes; i++) {
        root[i] = pofi_find(root, i);
    }
}

static void find_ends(struct pofi_islands *s, const struct pof_grid *grid)
{
    for (uint32_t k = 0; k < grid->branches; k++) {
        const struct pof_branch *b = &grid->branch[k];
        bool carries = b->closed && !pof_branch_ideal(grid, b);
        uint32_t f = s->root[b->from], t = s->root[b->to];
        s->shifted = s->shifted || b->shift != 0;
        s->end[2 * k] = carries ? f : POF_NONE;
        s->end[2 * k + 1] = carries ? t : POF_NONE;
    }
}

/* The ends at each root. Counted one place further on, so that filling leaves the starts where they
 * belong. */
static void list_ends(struct pofi_islands *s, const struct pof_grid *grid)
{
    uint32_t *next = s->first + 1;
    for (uint32_t e = 0; e < 2 * grid->branches; e++) {
        if (s->end[e] != POF_NONE) {
            next[s->end[e] + 1]++;
        }
    }
    for (uint32_t i = 0; i < grid->nodes; i++) {
        next[i + 1] += next[i];
    }
    for (uint32_t e = 0; e < 2 * grid->branches; e++) {
        if (s->end[e] != POF_NONE) {
            s->at[next[s->end[e]]++] = e;
        }
    }
}

/* The slack node of each root into holder; several in one bus must hold the same. */
static int find_holders(const struct pofi_islands *s, const struct pof_grid *grid, uint32_t *holder,
                        struct pof_err *err)
{
    bool any = false;
    for (uint32_t i = 0; i < grid->nodes; i++) {
        holder[i] = POF_NONE;
    }
    for (uint32_t i = 0; i < grid->nodes; i++) {
        const struct pof_node *n = &grid->node[i];
        if (n->kind != POF_NODE_SLACK) {
            continue;
        }
        any = true;
        uint32_t *h = &holder[s->root[i]];
        if (*h == POF_NONE) {
            *h = i;
            continue;
        }
        const struct pof_node *o = &grid->node[*h];
        if (o->v_set_pu != n->v_set_pu || o->angle_set != n->angle_set) {
            return pof_fail(err, POF_E_TOPOLOGY,
                            "slack nodes '%.*s' and '%.*s' are one bus by closed switches but hold "
                            "different voltages; open a switch or make them equal",
                            T(o->name), T(n->name));
        }
    }
    return any ? 0 : pof_fail(err, POF_E_TOPOLOGY, "no node is of kind slack");
}

static void energise(struct pofi_islands *s, const struct pof_grid *grid, uint32_t i,
                     const uint32_t *holder)
{
    if (holder[i] != POF_NONE) {
        s->v[i] = grid->node[holder[i]].v_set_pu;
        s->a[i] = grid->node[holder[i]].angle_set;
    }
    s->buses++;
}

/* Breadth first from one slack; order is room for the roots that wait. */
static void spread(struct pofi_islands *s, const struct pof_grid *grid, uint32_t from,
                   const uint32_t *holder, uint32_t *order)
{
    uint32_t seen = 0, known = 0;
    s->slack[from] = from;
    energise(s, grid, from, holder);
    order[known++] = from;
    while (seen < known) {
        uint32_t i = order[seen++];
        for (uint32_t e = s->first[i]; e < s->first[i + 1]; e++) {
            uint32_t j = s->end[s->at[e] ^ 1];
            if (s->slack[j] == POF_NONE) {
                /* Looking at branches out of order costs more than all the rest. */
                double shift = s->shifted ? grid->branch[s->at[e] / 2].shift : 0;
                s->slack[j] = from;
                s->v[j] = s->v[i];
                s->a[j] = s->a[i] + (s->at[e] % 2 ? shift : -shift);
                energise(s, grid, j, holder);
                order[known++] = j;
            }
        }
    }
}

int pofi_islands_build(struct pofi_islands *s, const struct pof_grid *grid, struct pof_err *err)
{
    size_t n = grid->nodes;
    uint32_t *work = NULL; /* holders and the order of the walk */
    *s = (struct pofi_islands){0};
    int rc = pof_alloc(&s->root, n, sizeof *s->root, err);
    rc = rc ? rc : pof_alloc(&s->slack, n, sizeof *s->slack, err);
    rc = rc ? rc : pof_calloc(&s->first, n + 2, sizeof *s->first, err);
    rc = rc ? rc : pof_alloc(&s->end, 2 * (size_t)grid->branches, sizeof *s->end, err);
    rc = rc ? rc : pof_alloc(&s->at, 2 * (size_t)grid->branches, sizeof *s->at, err);
    rc = rc ? rc : pof_alloc(&s->v, n, sizeof *s->v, err);
    rc = rc ? rc : pof_alloc(&s->a, n, sizeof *s->a, err);
    rc = rc ? rc : pof_alloc(&work, 2 * n, sizeof *work, err);
    if (rc == 0) {
        join(grid, s->root);
        find_ends(s, grid);
        rc = find_holders(s, grid, work, err);
    }
    if (rc == 0) {
        list_ends(s, grid);
    }
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        s->slack[i] = POF_NONE;
    }
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        if (work[i] != POF_NONE && s->slack[i] == POF_NONE) {
            spread(s, grid, i, work, work + n);
        }
    }
    free(work);
    if (rc) {
        pofi_islands_release(s);
    }
    return rc;
}

void pofi_islands_release(struct pofi_islands *s)
{
    free(s->root);
    free(s->slack);
    free(s->end);
    free(s->first);
    free(s->at);
    free(s->v);
    free(s->a);
    *s = (struct pofi_islands){0};
}
