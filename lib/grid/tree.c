/* SPDX-License-Identifier: Apache-2.0 */
/* Ways through the closed branches. */
#include "grid/solver.h"

#include <stdlib.h>

/* Closed branches at each node: at[first[i] .. first[i + 1]). */
struct incidence {
    uint32_t *first;
    uint32_t *at;
};

static int incidence_build(struct incidence *inc, const struct pof_grid *grid, struct pof_err *err)
{
    int rc = pof_calloc(&inc->first, (size_t)grid->nodes + 2, sizeof *inc->first, err);
    rc = rc ? rc : pof_calloc(&inc->at, (size_t)grid->branches * 2, sizeof *inc->at, err);
    if (rc) {
        return rc;
    }
    /* Counted one place further on, so that filling leaves the starts where they belong. */
    uint32_t *next = inc->first + 1;
    for (uint32_t k = 0; k < grid->branches; k++) {
        const struct pof_branch *b = &grid->branch[k];
        if (b->closed) {
            next[b->from + 1]++;
            next[b->to + 1]++;
        }
    }
    for (uint32_t i = 0; i < grid->nodes; i++) {
        next[i + 1] += next[i];
    }
    for (uint32_t k = 0; k < grid->branches; k++) {
        const struct pof_branch *b = &grid->branch[k];
        if (b->closed) {
            inc->at[next[b->from]++] = k;
            inc->at[next[b->to]++] = k;
        }
    }
    return 0;
}

static int find_root(const struct pof_grid *grid, uint32_t *root, struct pof_err *err)
{
    *root = POF_NONE;
    for (uint32_t i = 0; i < grid->nodes; i++) {
        if (grid->node[i].kind != POF_NODE_SLACK) {
            continue;
        }
        if (*root != POF_NONE) {
            return pof_fail(err, POF_E_TOPOLOGY,
                            "nodes '%s' and '%s' are both slack; a radial grid hangs from one",
                            grid->node[*root].name.ptr, grid->node[i].name.ptr);
        }
        *root = i;
    }
    return *root != POF_NONE ? 0 : pof_fail(err, POF_E_TOPOLOGY, "no node is of kind slack");
}

/* Depth first from the root. The stack holds each node that waits once: a node is pushed when its
 * parent is visited, and a second way to it is a loop, which a tree with tree->loop leaves out. */
static int walk(struct pof_tree *tree, const struct pof_grid *grid, const struct incidence *inc,
                uint32_t *stack, struct pof_err *err)
{
    uint32_t depth = 1;
    while (depth > 0) {
        uint32_t node = stack[--depth];
        tree->order[tree->n++] = node;
        /* Backwards, so that the stack gives the children in order of their branches. */
        for (uint32_t i = inc->first[node + 1]; i-- > inc->first[node];) {
            uint32_t k = inc->at[i];
            const struct pof_branch *b = &grid->branch[k];
            uint32_t other = b->from == node ? b->to : b->from;
            if (k == tree->parent_branch[node]) {
                continue;
            }
            bool reached = tree->parent_branch[other] != POF_NONE || other == tree->order[0];
            if (reached && tree->loop) {
                continue;
            }
            if (reached) {
                return pof_fail(err, POF_E_TOPOLOGY,
                                "branch '%s' closes a loop at node '%s'; this needs a radial grid",
                                b->name.ptr, grid->node[other].name.ptr);
            }
            tree->parent[other] = node;
            tree->parent_branch[other] = k;
            stack[depth++] = other;
        }
    }
    return 0;
}

static int build(struct pof_tree *tree, const struct pof_grid *grid, struct pof_err *err)
{
    struct incidence inc = {0};
    uint32_t *stack = NULL;
    uint32_t root;
    int rc = find_root(grid, &root, err);
    rc = rc ? rc : incidence_build(&inc, grid, err);
    rc = rc ? rc : pof_calloc(&tree->parent, grid->nodes, sizeof *tree->parent, err);
    rc = rc ? rc : pof_calloc(&tree->parent_branch, grid->nodes, sizeof *tree->parent_branch, err);
    rc = rc ? rc : pof_calloc(&tree->order, grid->nodes, sizeof *tree->order, err);
    rc = rc ? rc : pof_calloc(&stack, grid->nodes, sizeof *stack, err);
    if (rc == 0) {
        for (uint32_t i = 0; i < grid->nodes; i++) {
            tree->parent[i] = tree->parent_branch[i] = POF_NONE;
        }
        stack[0] = root;
        rc = walk(tree, grid, &inc, stack, err);
    }
    free(stack);
    free(inc.first);
    free(inc.at);
    if (rc) {
        pof_tree_release(tree);
    }
    return rc;
}

int pof_tree_build(struct pof_tree *tree, const struct pof_grid *grid, struct pof_err *err)
{
    *tree = (struct pof_tree){0};
    return build(tree, grid, err);
}

/* The node nearest to the root among those that loops found so far join to this one. */
static uint32_t joined(uint32_t *top, uint32_t node)
{
    while (top[node] != node) {
        top[node] = top[top[node]];
        node = top[node];
    }
    return node;
}

/* A branch outside the tree closes a loop with the ways of its ends up to where they meet. Each branch of
 * the tree is marked once, because what it joins counts as one node from then on. */
static void mark_loops(struct pof_tree *tree, const struct pof_grid *grid, uint32_t *top, const uint32_t *place)
{
    for (uint32_t k = 0; k < grid->branches; k++) {
        uint32_t a = grid->branch[k].from, b = grid->branch[k].to;
        bool fed = tree->parent[a] != POF_NONE || a == tree->order[0];
        if (!grid->branch[k].closed || !fed || tree->parent_branch[a] == k || tree->parent_branch[b] == k) {
            continue;
        }
        tree->loop[k] = true;
        for (a = joined(top, a), b = joined(top, b); a != b;) {
            uint32_t *later = place[a] > place[b] ? &a : &b; /* is not above the other */
            tree->loop[tree->parent_branch[*later]] = true;
            top[*later] = tree->parent[*later];
            *later = joined(top, *later);
        }
    }
}

int pof_tree_span(struct pof_tree *tree, const struct pof_grid *grid, struct pof_err *err)
{
    uint32_t *top = NULL, *place = NULL;
    *tree = (struct pof_tree){0};
    int rc = pof_calloc(&tree->loop, grid->branches, sizeof *tree->loop, err);
    rc = rc ? rc : build(tree, grid, err);
    rc = rc ? rc : pof_calloc(&top, grid->nodes, sizeof *top, err);
    rc = rc ? rc : pof_calloc(&place, grid->nodes, sizeof *place, err);
    for (uint32_t i = 0; rc == 0 && i < grid->nodes; i++) {
        top[i] = i;
        if (i < tree->n) {
            place[tree->order[i]] = i;
        }
    }
    if (rc == 0) {
        mark_loops(tree, grid, top, place);
    } else {
        pof_tree_release(tree);
    }
    free(top);
    free(place);
    return rc;
}

int pofi_flat_start(const struct pof_grid *grid, bool *fed, double *angle, struct pof_err *err)
{
    struct incidence inc = {0};
    uint32_t *queue = NULL, head = 0, tail = 0;
    int rc = incidence_build(&inc, grid, err);
    rc = rc ? rc : pof_calloc(&queue, grid->nodes, sizeof *queue, err);
    for (uint32_t i = 0; i < grid->nodes && rc == 0; i++) {
        fed[i] = grid->node[i].kind == POF_NODE_SLACK;
        angle[i] = fed[i] ? grid->node[i].angle_set : 0;
        if (fed[i]) {
            queue[tail++] = i;
        }
    }
    while (rc == 0 && head < tail) {
        uint32_t node = queue[head++];
        for (uint32_t i = inc.first[node]; i < inc.first[node + 1]; i++) {
            const struct pof_branch *b = &grid->branch[inc.at[i]];
            uint32_t other = b->from == node ? b->to : b->from;
            if (!fed[other]) {
                fed[other] = true;
                angle[other] = angle[node] + (other == b->to ? -b->shift : b->shift);
                queue[tail++] = other;
            }
        }
    }
    free(queue);
    free(inc.first);
    free(inc.at);
    return rc;
}

void pof_tree_release(struct pof_tree *tree)
{
    free(tree->parent);
    free(tree->parent_branch);
    free(tree->order);
    free(tree->loop);
    *tree = (struct pof_tree){0};
}
