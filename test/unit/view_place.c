/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing: every node has a place of its own, in the square, however the grid hangs together. */
#include "tap.h"
#include "view/view.h"

/* A grid of names and branches alone: what drawing looks at. */
struct sketch {
    struct pof_grid grid;
};

static void sketch(struct sketch *s, uint32_t nodes, uint32_t branches)
{
    s->grid = (struct pof_grid){.nodes = nodes, .branches = branches};
    s->grid.node = calloc(nodes, sizeof *s->grid.node);
    s->grid.branch = calloc(branches ? branches : 1, sizeof *s->grid.branch);
}

static void release(struct sketch *s)
{
    free(s->grid.node);
    free(s->grid.branch);
}

static void join(struct sketch *s, uint32_t b, uint32_t from, uint32_t to, bool closed)
{
    s->grid.branch[b] = (struct pof_branch){.from = from, .to = to, .closed = closed};
}

struct spot {
    double x, y;
};

static int by_spot(const void *a, const void *b)
{
    const struct spot *p = a, *q = b;
    return p->x != q->x ? (p->x < q->x ? -1 : 1) : (p->y > q->y) - (p->y < q->y);
}

/* Nodes that share a place with another, or lie outside the square; UINT32_MAX when drawing failed. */
static uint32_t misplaced(const struct sketch *s)
{
    struct pof_err err = {0};
    uint32_t n = s->grid.nodes, wrong = 0;
    double *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);
    struct spot *spot = calloc(n, sizeof *spot);
    if (pof_view_place(&s->grid, x, y, &err)) {
        wrong = UINT32_MAX;
    } else {
        for (uint32_t v = 0; v < n; v++) {
            spot[v] = (struct spot){x[v], y[v]};
            wrong += !(x[v] >= 0 && x[v] <= 10000 && y[v] >= 0 && y[v] <= 10000);
        }
        qsort(spot, n, sizeof *spot, by_spot);
        for (uint32_t v = 1; v < n; v++) {
            wrong += by_spot(&spot[v - 1], &spot[v]) == 0;
        }
    }
    free(x);
    free(y);
    free(spot);
    return wrong;
}

static void trees(void)
{
    uint64_t random = 7;
    for (uint32_t n = 2; n <= 512; n *= 2) {
        struct sketch s;
        sketch(&s, n, n - 1);
        s.grid.node[n / 2].kind = POF_NODE_SLACK;
        for (uint32_t v = 1; v < n; v++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
            join(&s, v - 1, v, (uint32_t)((random >> 33) % v), true);
        }
        is_int(misplaced(&s), 0, "a random tree: a place for each node");
        release(&s);
    }
}

static void odd_ones(void)
{
    struct sketch s;
    sketch(&s, 6, 5);
    s.grid.node[0].kind = s.grid.node[5].kind = POF_NODE_SLACK;
    join(&s, 0, 0, 1, true);
    join(&s, 1, 1, 2, true);
    join(&s, 2, 2, 0, true);  /* a mesh */
    join(&s, 3, 2, 3, false); /* beyond an open switch; 4 hangs on nothing */
    join(&s, 4, 1, 2, true);  /* parallel */
    is_int(misplaced(&s), 0, "two feeds, a mesh, an open switch, a lone node");
    release(&s);
    sketch(&s, 1, 0);
    is_int(misplaced(&s), 0, "a single node");
    release(&s);
    sketch(&s, 100000, 99999);
    for (uint32_t v = 1; v < 100000; v++) {
        join(&s, v - 1, v - 1, v, true);
    }
    ok(misplaced(&s) != UINT32_MAX, "a feeder of 100,000 nodes in a row needs no deep stack");
    release(&s);
}

static void document_places(void)
{
    struct sketch s;
    struct pof_err err = {0};
    double x[3], y[3];
    sketch(&s, 3, 0);
    for (uint32_t v = 0; v < 3; v++) {
        s.grid.node[v].has_xy = true;
        s.grid.node[v].x = 12.5 + v * 0.002;
        s.grid.node[v].y = 45 + v * 0.001;
    }
    ok(pof_view_place(&s.grid, x, y, &err) == 0, "places of the document");
    ok(x[0] == 0 && x[1] == 5000 && x[2] == 10000, "are stretched to the square");
    ok(y[0] > y[1] && y[1] > y[2] && y[0] - y[2] == 5000, "with one scale for both directions, north up");
    release(&s);
}

int main(void)
{
    trees();
    odd_ones();
    document_places();
    return done();
}
