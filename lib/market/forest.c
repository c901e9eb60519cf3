/* SPDX-License-Identifier: Apache-2.0 */
/* Post-order of trees without recursion: sizes from the leaves up, blocks from the roots down. */
#include "market/forest.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

/* Scratch of one build, all [n]. */
struct work {
    uint32_t *peel;    /* nodes, children before parents */
    uint32_t *waiting; /* children not yet peeled; later the next free place below a node */
    uint32_t *heavy;   /* child with the largest subtree */
    uint32_t *begin;   /* first place of a node's block */
    uint32_t *size;
};

static int work_alloc(struct work *w, uint32_t n, struct pof_err *err)
{
    int rc = pof_calloc(&w->peel, n, sizeof *w->peel, err);
    rc = rc ? rc : pof_calloc(&w->waiting, n, sizeof *w->waiting, err);
    rc = rc ? rc : pof_calloc(&w->heavy, n, sizeof *w->heavy, err);
    rc = rc ? rc : pof_calloc(&w->begin, n, sizeof *w->begin, err);
    return rc ? rc : pof_calloc(&w->size, n, sizeof *w->size, err);
}

static void work_release(struct work *w)
{
    free(w->peel);
    free(w->waiting);
    free(w->heavy);
    free(w->begin);
    free(w->size);
}

static int count_children(struct work *w, const uint32_t *parent, uint32_t n, struct pof_err *err)
{
    for (uint32_t v = 0; v < n; v++) {
        w->heavy[v] = POF_NONE;
        w->size[v] = 1;
        if (parent[v] == POF_NONE) {
            continue;
        }
        if (parent[v] >= n) {
            return pof_fail(err, POF_E_RANGE, "parent %u of node %u is not a node", parent[v], v);
        }
        w->waiting[parent[v]]++;
    }
    return 0;
}

/* Takes leaves away until nothing is left; a node's subtree is complete when its turn comes. */
static int peel(struct work *w, const uint32_t *parent, uint32_t n, struct pof_err *err)
{
    uint32_t done = 0, known = 0;
    for (uint32_t v = 0; v < n; v++) {
        if (w->waiting[v] == 0) {
            w->peel[known++] = v;
        }
    }
    for (; done < known; done++) {
        uint32_t v = w->peel[done], p = parent[v];
        if (p == POF_NONE) {
            continue;
        }
        w->size[p] += w->size[v];
        if (w->heavy[p] == POF_NONE || w->size[v] > w->size[w->heavy[p]]) {
            w->heavy[p] = v;
        }
        if (--w->waiting[p] == 0) {
            w->peel[known++] = p;
        }
    }
    return done == n ? 0 : pof_fail(err, POF_E_TOPOLOGY, "parents form a cycle");
}

static void give_places(struct pof_forest *f, struct work *w, const uint32_t *parent)
{
    uint32_t next = 0;
    for (uint32_t i = f->n; i-- > 0;) {
        uint32_t v = w->peel[i], p = parent[v];
        if (p == POF_NONE) {
            w->begin[v] = next;
            next += w->size[v];
        } else if (w->heavy[p] == v) {
            w->begin[v] = w->begin[p];
        } else {
            w->begin[v] = w->waiting[p];
            w->waiting[p] += w->size[v];
        }
        if (w->heavy[v] != POF_NONE) {
            w->waiting[v] = w->begin[v] + w->size[w->heavy[v]];
        }
        uint32_t place = w->begin[v] + w->size[v] - 1;
        f->node[place] = v;
        f->pos[v] = place;
        f->size[place] = w->size[v];
        f->up[place] = p == POF_NONE ? POF_NONE : f->pos[p];
    }
}

int pof_forest_build(struct pof_forest *f, const uint32_t *parent, uint32_t n, struct pof_err *err)
{
    *f = (struct pof_forest){.n = n};
    struct work w = {0};
    int rc = work_alloc(&w, n, err);
    rc = rc ? rc : pof_calloc(&f->node, n, sizeof *f->node, err);
    rc = rc ? rc : pof_calloc(&f->pos, n, sizeof *f->pos, err);
    rc = rc ? rc : pof_calloc(&f->up, n, sizeof *f->up, err);
    rc = rc ? rc : pof_calloc(&f->size, n, sizeof *f->size, err);
    rc = rc ? rc : count_children(&w, parent, n, err);
    rc = rc ? rc : peel(&w, parent, n, err);
    if (rc == 0) {
        give_places(f, &w, parent);
    } else {
        pof_forest_release(f);
    }
    work_release(&w);
    return rc;
}

void pof_forest_release(struct pof_forest *f)
{
    free(f->node);
    free(f->pos);
    free(f->up);
    free(f->size);
    *f = (struct pof_forest){0};
}
