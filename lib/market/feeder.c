/* SPDX-License-Identifier: Apache-2.0 */
/* Areas and paths of a tree. */
#include "market/feeder.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

static int allocate(struct pof_feeder *f, struct pof_err *err)
{
    size_t n = f->grid->nodes;
    int rc = pof_calloc(&f->place, n, sizeof *f->place, err);
    rc = rc ? rc : pof_calloc(&f->at, f->tree.n, sizeof *f->at, err);
    rc = rc ? rc : pof_calloc(&f->past, n, sizeof *f->past, err);
    rc = rc ? rc : pof_calloc(&f->depth, n, sizeof *f->depth, err);
    rc = rc ? rc : pof_calloc(&f->r_path, n, sizeof *f->r_path, err);
    return rc ? rc : pof_calloc(&f->child, f->grid->branches, sizeof *f->child, err);
}

/* Sizes of subtrees come from the leaves up, places from the root down: the first free place below
 * a parent is past[] of what was placed there before. */
static void place_nodes(struct pof_feeder *f)
{
    const struct pof_tree *t = &f->tree;
    uint32_t *size = f->at; /* [i]: nodes in the subtree of order[i], until places are known */
    uint32_t *rank = f->past;
    for (uint32_t i = 0; i < t->n; i++) {
        size[i] = 1;
        rank[t->order[i]] = i;
    }
    for (uint32_t i = t->n; i-- > 1;) {
        size[rank[t->parent[t->order[i]]]] += size[i];
    }
    uint32_t *next = f->depth; /* [node]: next free place below it, until depths are known */
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t node = t->order[i];
        uint32_t parent = t->parent[node];
        f->place[node] = i ? next[parent] : 0;
        next[node] = f->place[node] + 1;
        if (i) {
            next[parent] += size[i];
        }
    }
    for (uint32_t i = 0; i < t->n; i++) {
        f->past[t->order[i]] = next[t->order[i]];
    }
    for (uint32_t i = 0; i < t->n; i++) {
        f->at[f->place[t->order[i]]] = t->order[i];
    }
}

static void measure_paths(struct pof_feeder *f)
{
    const struct pof_tree *t = &f->tree;
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t node = t->order[i];
        uint32_t parent = t->parent[node];
        f->depth[node] = i ? f->depth[parent] + 1 : 0;
        if (i) {
            f->r_path[node] = f->r_path[parent] + f->grid->branch[t->parent_branch[node]].r;
            f->child[t->parent_branch[node]] = pof_feeder_loop(f, t->parent_branch[node]) ? POF_NONE : node;
        }
    }
}

/* The rest, once there is a tree. */
static int place(struct pof_feeder *f, const struct pof_grid *grid, struct pof_err *err)
{
    int rc = allocate(f, err);
    if (rc) {
        pof_feeder_release(f);
        return rc;
    }
    for (uint32_t i = 0; i < grid->nodes; i++) {
        f->place[i] = POF_NONE;
    }
    for (uint32_t i = 0; i < grid->branches; i++) {
        f->child[i] = POF_NONE;
    }
    place_nodes(f);
    measure_paths(f);
    return 0;
}

int pof_feeder_init(struct pof_feeder *f, const struct pof_grid *grid, struct pof_err *err)
{
    *f = (struct pof_feeder){.grid = grid};
    int rc = pof_tree_build(&f->tree, grid, err);
    return rc ? rc : place(f, grid, err);
}

int pof_feeder_init_meshed(struct pof_feeder *f, const struct pof_grid *grid, struct pof_err *err)
{
    *f = (struct pof_feeder){.grid = grid};
    int rc = pof_tree_span(&f->tree, grid, err);
    return rc ? rc : place(f, grid, err);
}

bool pof_feeder_loop(const struct pof_feeder *f, uint32_t branch)
{
    return f->tree.loop && f->tree.loop[branch];
}

void pof_feeder_release(struct pof_feeder *f)
{
    pof_tree_release(&f->tree);
    free(f->place);
    free(f->at);
    free(f->past);
    free(f->depth);
    free(f->r_path);
    free(f->child);
    *f = (struct pof_feeder){0};
}

bool pof_feeder_feeds(const struct pof_feeder *f, uint32_t branch, uint32_t node)
{
    uint32_t child = f->child[branch];
    return child != POF_NONE && f->place[node] != POF_NONE && f->place[node] >= f->place[child] &&
           f->place[node] < f->past[child];
}

double pof_feeder_common_r(const struct pof_feeder *f, uint32_t n, uint32_t m)
{
    if (f->place[n] == POF_NONE || f->place[m] == POF_NONE) {
        return 0;
    }
    while (n != m) {
        if (f->depth[n] >= f->depth[m]) {
            n = f->tree.parent[n];
        } else {
            m = f->tree.parent[m];
        }
    }
    return f->r_path[n];
}

struct pof_feeder_flow pof_feeder_flow(const struct pof_feeder *f, const struct pof_pf_result *r,
                                       uint32_t branch)
{
    const struct pof_branch *b = &f->grid->branch[branch];
    double v_from = r->v_pu[b->from];
    double v_to = r->v_pu[b->to];
    if (f->child[branch] == b->to) {
        return (struct pof_feeder_flow){{r->p_from_w[branch], -r->p_to_w[branch]},
                                        {r->q_from_var[branch], -r->q_to_var[branch]},
                                        {v_from, v_to}};
    }
    return (struct pof_feeder_flow){{r->p_to_w[branch], -r->p_from_w[branch]},
                                    {r->q_to_var[branch], -r->q_from_var[branch]},
                                    {v_to, v_from}};
}

/* --- lists of nodes --- */

static int refuse_list(struct pof_err *err, int code, struct pof_text name, const char *what)
{
    pof_fail(err, code, "'%.*s' %s", (int)name.len, name.ptr, what);
    return pof_at(err, NULL, 0, "nodes");
}

static int number_cmp(const void *pa, const void *pb)
{
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    return (a > b) - (a < b);
}

/* The nodes of a list, each once, in order of number. */
static int list_nodes(const struct pof_feeder *f, struct pof_text list, uint32_t **node, size_t *n,
                      struct pof_err *err)
{
    size_t cap = 0;
    int rc = 0;
    for (size_t at = 0, end; rc == 0 && at < list.len; at = end + 1) {
        for (end = at; end < list.len && list.ptr[end] != ' '; end++) {
        }
        struct pof_text name = {list.ptr + at, end - at};
        if (name.len == 0) {
            continue;
        }
        rc = pof_grow(node, &cap, *n + 1, sizeof **node, err);
        if (rc == 0) {
            (*node)[*n] = pof_names_find(&f->grid->node_names, name);
            rc = (*node)[(*n)++] != POF_NONE ? 0 : refuse_list(err, POF_E_REFERENCE, name, "is no node of the grid");
        }
    }
    if (rc == 0 && *n > 1) {
        qsort(*node, *n, sizeof **node, number_cmp);
    }
    for (size_t i = 1; rc == 0 && i < *n; i++) {
        if ((*node)[i] == (*node)[i - 1]) {
            rc = refuse_list(err, POF_E_DUPLICATE, f->grid->node[(*node)[i]].name, "is in the list twice");
        }
    }
    return rc;
}

int pof_feeder_area(const struct pof_feeder *f, struct pof_text nodes, struct pof_area *area, struct pof_err *err)
{
    uint32_t *place = NULL;
    size_t all = 0, n = 0;
    int rc = list_nodes(f, nodes, &place, &all, err);
    for (size_t i = 0; rc == 0 && i < all; i++) { /* nodes become places */
        place[n] = f->place[place[i]];
        n += place[n] != POF_NONE;
    }
    if (rc == 0 && n > 1) {
        qsort(place, n, sizeof *place, number_cmp);
    }
    if (rc == 0) {
        *area = (struct pof_area){n ? f->at[place[0]] : POF_NONE, n == 1};
    }
    /* Of a subtree the root comes first and no place is left out. */
    uint32_t end = rc == 0 && n > 1 ? f->past[area->node] : 0;
    for (size_t i = 0; rc == 0 && n > 1 && place[0] + i < end; i++) {
        if (i >= n || place[i] != place[0] + i) {
            rc = refuse_list(err, POF_E_TOPOLOGY, f->grid->node[f->at[place[0] + i]].name,
                             "is missing: a list is one node, or all that is fed through one branch");
        }
    }
    if (rc == 0 && n > 1 && n > end - place[0]) {
        uint32_t top = f->tree.parent[area->node];
        rc = refuse_list(err, POF_E_TOPOLOGY, f->grid->node[top].name,
                         "is missing: a list is one node, or all that is fed through one branch");
    }
    if (rc == 0 && n > 1 && area->node != f->at[0] && pof_feeder_loop(f, f->tree.parent_branch[area->node])) {
        rc = refuse_list(err, POF_E_TOPOLOGY, f->grid->node[area->node].name,
                         "is part of a loop; a list is one node, or all that is fed through one branch");
    }
    free(place);
    return rc;
}
