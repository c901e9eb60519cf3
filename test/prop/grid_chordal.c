/* SPDX-License-Identifier: Apache-2.0 */
/* Orders without fill: of random feeders, whatever is read in them, one is found, and eliminating in it
 * joins nothing; of what has a cycle without a chord none is. */
#include "grid/chordal.h"
#include "num/rng.h"

#include "tap.h"

enum { MOST = 40, EDGES = MOST * MOST, ROUNDS = 400 };

struct graph {
    uint32_t n;
    bool joined[MOST][MOST];
};

static void join(struct graph *g, uint32_t a, uint32_t b)
{
    g->joined[a][b] = g->joined[b][a] = a != b;
}

/* Each vertex hangs on an earlier one; where one is read all its neighbours are joined. */
static void make_feeder(struct graph *g, uint64_t seed)
{
    uint32_t up[MOST] = {0};
    *g = (struct graph){.n = 1 + (uint32_t)pof_below(pof_random(seed, 1, 0), MOST)};
    for (uint32_t v = 1; v < g->n; v++) {
        up[v] = (uint32_t)pof_below(pof_random(seed, 2, v), v);
        join(g, v, up[v]);
    }
    for (uint32_t v = 0; v < g->n; v++) {
        uint32_t near[MOST], count = 0;
        for (uint32_t u = 0; u < g->n; u++) {
            if ((u > 0 && up[u] == v) || (v > 0 && up[v] == u)) {
                near[count++] = u;
            }
        }
        for (uint32_t i = 0; i < count && pof_below(pof_random(seed, 3, v), 3) > 0; i++) {
            for (uint32_t j = 0; j < i; j++) {
                join(g, near[i], near[j]);
            }
        }
    }
}

static bool order_of(const struct graph *g, uint32_t order[MOST])
{
    uint32_t begin[MOST + 1], to[EDGES], edges = 0;
    bool found = false;
    for (uint32_t v = 0; v < g->n; v++) {
        begin[v] = edges;
        for (uint32_t u = v + 1; u < g->n; u++) {
            to[edges] = u;
            edges += g->joined[v][u];
        }
    }
    begin[g->n] = edges;
    return pof_order_chordal(g->n, begin, to, order, &found, NULL) == 0 && found;
}

/* Whether the vertices behind each in the order that it is joined to are all joined to each other, and
 * each vertex is there once. */
static bool fills_nothing(const struct graph *g, const uint32_t order[MOST])
{
    bool seen[MOST] = {false}, good = true;
    for (uint32_t k = 0; k < g->n; k++) {
        good = good && order[k] < g->n && !seen[order[k]];
        seen[order[k] % MOST] = true;
        for (uint32_t i = k + 1; good && i < g->n; i++) {
            for (uint32_t j = k + 1; j < i; j++) {
                bool both = g->joined[order[k]][order[i]] && g->joined[order[k]][order[j]];
                good = good && (!both || g->joined[order[i]][order[j]]);
            }
        }
    }
    return good;
}

int main(void)
{
    uint32_t order[MOST], wrong = 0, missed = 0;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct graph g;
        make_feeder(&g, seed);
        if (!order_of(&g, order) || !fills_nothing(&g, order)) {
            wrong = wrong ? wrong : (uint32_t)seed;
        }
        struct graph ring = {.n = 4 + (uint32_t)(seed % (MOST - 4))};
        for (uint32_t v = 0; v < ring.n; v++) {
            join(&ring, v, (v + 1) % ring.n);
        }
        missed += order_of(&ring, order);
    }
    ok(wrong == 0, "feeders are eliminated without fill; seed of one that is not: %u", wrong);
    ok(missed == 0, "a ring has no such order");
    ok(order_of(&(struct graph){.n = 3}, order), "vertices without edges have one");
    return done();
}
