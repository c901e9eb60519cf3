/* SPDX-License-Identifier: Apache-2.0 */
/* Where nodes are drawn: by the document, or as a tree in rings. */
#include "view/view.h"

#include <math.h>
#include <stdlib.h>

#define TURN 6.283185307179586476925286766559
enum { SIDE = 10000 };

/* A forest over all nodes: closed branches first, open ones join what is left. */
struct forest {
    uint32_t *parent, *order, *head, *leaves; /* parent: node, POF_NONE for a root */
    uint32_t *link;                           /* 2 entries a branch: next of the same node */
    uint32_t *depth;
    double *from, *width;                     /* sector of the circle, in turns */
    double *next;                             /* where the next child's sector begins */
    uint32_t n, roots;
};

static void forest_release(struct forest *f)
{
    free(f->parent);
    free(f->order);
    free(f->head);
    free(f->leaves);
    free(f->link);
    free(f->depth);
    free(f->from);
    free(f->width);
    free(f->next);
}

static int forest_alloc(struct forest *f, const struct pof_grid *g, struct pof_err *err)
{
    int rc = pof_calloc(&f->parent, g->nodes, sizeof *f->parent, err);
    rc = rc ? rc : pof_calloc(&f->order, g->nodes, sizeof *f->order, err);
    rc = rc ? rc : pof_calloc(&f->head, g->nodes, sizeof *f->head, err);
    rc = rc ? rc : pof_calloc(&f->leaves, g->nodes, sizeof *f->leaves, err);
    rc = rc ? rc : pof_calloc(&f->link, 2 * (size_t)g->branches, sizeof *f->link, err);
    rc = rc ? rc : pof_calloc(&f->depth, g->nodes, sizeof *f->depth, err);
    rc = rc ? rc : pof_calloc(&f->from, g->nodes, sizeof *f->from, err);
    rc = rc ? rc : pof_calloc(&f->next, g->nodes, sizeof *f->next, err);
    return rc ? rc : pof_calloc(&f->width, g->nodes, sizeof *f->width, err);
}

/* Ends of branches as lists by node, in order of branches, closed ones in front. */
static void link_ends(struct forest *f, const struct pof_grid *g)
{
    for (uint32_t v = 0; v < g->nodes; v++) {
        f->head[v] = POF_NONE;
        f->depth[v] = POF_NONE; /* not reached yet */
    }
    for (int closed = 0; closed < 2; closed++) {
        for (uint32_t b = g->branches; b-- > 0;) {
            const struct pof_branch *k = &g->branch[b];
            if ((int)k->closed == closed) {
                f->link[2 * b] = f->head[k->from];
                f->head[k->from] = 2 * b;
                f->link[2 * b + 1] = f->head[k->to];
                f->head[k->to] = 2 * b + 1;
            }
        }
    }
}

/* Nodes breadth first from those in order[at ..]; open: over open branches too. */
static void spread(struct forest *f, const struct pof_grid *g, uint32_t at, bool open)
{
    for (; at < f->n; at++) {
        uint32_t v = f->order[at];
        for (uint32_t e = f->head[v]; e != POF_NONE; e = f->link[e]) {
            const struct pof_branch *k = &g->branch[e / 2];
            uint32_t to = e % 2 ? k->from : k->to;
            if (f->depth[to] == POF_NONE && (k->closed || open)) {
                f->depth[to] = f->depth[v] + 1;
                f->parent[to] = v;
                f->order[f->n++] = to;
            }
        }
    }
}

static void add_root(struct forest *f, uint32_t v)
{
    f->depth[v] = 0;
    f->parent[v] = POF_NONE;
    f->order[f->n++] = v;
    f->roots++;
}

/* Every node into the forest: what feeds first, then what is beyond open switches, then the rest. */
static void grow(struct forest *f, const struct pof_grid *g)
{
    for (uint32_t v = 0; v < g->nodes; v++) {
        if (g->node[v].kind == POF_NODE_SLACK) {
            add_root(f, v);
        }
    }
    spread(f, g, 0, false);
    spread(f, g, 0, true);
    for (uint32_t v = 0; v < g->nodes; v++) {
        if (f->depth[v] == POF_NONE) {
            uint32_t at = f->n;
            add_root(f, v);
            spread(f, g, at, true);
        }
    }
}

/* Each node gets the share of its parent's sector that its leaves are. */
static void sectors(struct forest *f)
{
    uint32_t all = 0;
    for (uint32_t i = f->n; i-- > 0;) { /* parents stand before children in order */
        uint32_t v = f->order[i];
        f->leaves[v] = f->leaves[v] ? f->leaves[v] : 1;
        if (f->parent[v] != POF_NONE) {
            f->leaves[f->parent[v]] += f->leaves[v];
        } else {
            all += f->leaves[v];
        }
    }
    double used = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        uint32_t v = f->order[i], p = f->parent[v];
        double *at = p == POF_NONE ? &used : &f->next[p];
        double share = p == POF_NONE ? (double)f->leaves[v] / all
                                     : f->width[p] * f->leaves[v] / f->leaves[p];
        f->from[v] = f->next[v] = *at;
        f->width[v] = share;
        *at += share;
    }
}

/* A ring for each depth; several roots share the innermost one. */
static void to_circle(const struct forest *f, double *x, double *y)
{
    double inner = f->roots > 1 ? 1 : 0;
    for (uint32_t v = 0; v < f->n; v++) {
        double turn = (f->from[v] + f->width[v] / 2 - 0.25) * TURN, r = f->depth[v] + inner;
        x[v] = r * cos(turn);
        y[v] = r * sin(turn);
    }
}

/* Into the square of SIDE, whole numbers, the middle in the middle. */
static void fit(uint32_t n, double *x, double *y)
{
    double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
    for (uint32_t v = 0; v < n; v++) {
        x0 = fmin(x0, x[v]);
        x1 = fmax(x1, x[v]);
        y0 = fmin(y0, y[v]);
        y1 = fmax(y1, y[v]);
    }
    double span = fmax(fmax(x1 - x0, y1 - y0), 1e-300);
    for (uint32_t v = 0; v < n; v++) {
        x[v] = rint(SIDE * (0.5 + (x[v] - (x0 + x1) / 2) / span));
        y[v] = rint(SIDE * (0.5 + (y[v] - (y0 + y1) / 2) / span));
    }
}

static bool all_placed(const struct pof_grid *g)
{
    for (uint32_t v = 0; v < g->nodes; v++) {
        if (!g->node[v].has_xy) {
            return false;
        }
    }
    return true;
}

int pof_view_place(const struct pof_grid *grid, double *x, double *y, struct pof_err *err)
{
    if (all_placed(grid)) {
        for (uint32_t v = 0; v < grid->nodes; v++) {
            x[v] = grid->node[v].x;
            y[v] = -grid->node[v].y;
        }
        fit(grid->nodes, x, y);
        return 0;
    }
    struct forest f = {0};
    int rc = forest_alloc(&f, grid, err);
    if (rc == 0) {
        link_ends(&f, grid);
        grow(&f, grid);
        sectors(&f);
        to_circle(&f, x, y);
        fit(grid->nodes, x, y);
    }
    forest_release(&f);
    return rc;
}
