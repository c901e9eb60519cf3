/* SPDX-License-Identifier: Apache-2.0 */
/* Loops: which branches are part of one, held against taking each out; and how flows divide in them. */
#include "base/mem.h"
#include "grid/transfer.h"
#include "num/rng.h"

#include "market.h"

enum { MOST = 9, BRANCHES = 14 };

static uint64_t at;

static uint32_t roll(uint32_t n)
{
    return (uint32_t)pof_below(pof_random(20260310, 7, at++), n);
}

/* Nodes N0 (slack) on, random branches, some parallel, some open, some far from the slack. */
static int make(struct pof_grid *grid, struct pof_err *err)
{
    struct pof_buf b = {0};
    uint32_t nodes = 2 + roll(MOST - 1), branches = roll(BRANCHES);
    int rc = pof_buf_addf(&b, err, "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":100000,\"nodes\":[");
    for (uint32_t i = 0; rc == 0 && i < nodes; i++) {
        rc = pof_buf_addf(&b, err, "%s{\"name\":\"N%u\",\"base_v\":400%s}", i ? "," : "", i,
                          i ? "" : ",\"kind\":\"slack\",\"v_set_pu\":1");
    }
    rc = rc ? rc : pof_buf_addf(&b, err, "],\"branches\":[");
    for (uint32_t k = 0; rc == 0 && k < branches; k++) {
        uint32_t from = roll(nodes), to = (from + 1 + roll(nodes - 1)) % nodes;
        rc = pof_buf_addf(&b, err,
                          "%s{\"name\":\"B%u\",\"kind\":\"line\",\"from\":\"N%u\",\"to\":\"N%u\",\"r_ohm\":0.01,"
                          "\"x_ohm\":0.01%s}",
                          k ? "," : "", k, from, to, roll(5) ? "" : ",\"closed\":false");
    }
    rc = rc ? rc : pof_buf_addf(&b, err, "]}");
    if (rc == 0) {
        must_parse(grid, b.data);
    }
    pof_buf_release(&b);
    return rc;
}

/* Does a way of closed branches lead from one node to another, without one branch? */
static bool way(const struct pof_grid *g, uint32_t from, uint32_t to, uint32_t without)
{
    bool seen[MOST] = {false};
    seen[from] = true;
    for (uint32_t round = 0; round < g->nodes; round++) {
        for (uint32_t k = 0; k < g->branches; k++) {
            const struct pof_branch *b = &g->branch[k];
            if (b->closed && k != without && (seen[b->from] || seen[b->to])) {
                seen[b->from] = seen[b->to] = true;
            }
        }
    }
    return seen[to];
}

/* Branches in loops, and what a branch in none feeds: its whole subtree and nothing else. */
static bool right(const struct pof_grid *g, const struct pof_tree *t)
{
    bool good = true;
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        bool fed = b->closed && way(g, 0, b->from, POF_NONE);
        good = good && t->loop[k] == (fed && way(g, b->from, b->to, k));
    }
    for (uint32_t v = 1; v < g->nodes; v++) {
        good = good && (t->parent[v] != POF_NONE) == way(g, 0, v, POF_NONE);
        for (uint32_t u = 0; u < g->nodes && t->parent[v] != POF_NONE && !t->loop[t->parent_branch[v]]; u++) {
            uint32_t up = u;
            while (up != v && up != POF_NONE) {
                up = t->parent[up];
            }
            bool fed = way(g, 0, u, POF_NONE) && !way(g, 0, u, t->parent_branch[v]);
            good = good && (up == v) == fed;
        }
    }
    return good;
}

static void test_span(void)
{
    int good = 0, loops = 0, bridges = 0;
    enum { GRIDS = 400 };
    for (int i = 0; i < GRIDS; i++) {
        struct pof_grid g = {0};
        struct pof_tree t = {0};
        struct pof_err err = {0};
        int rc = make(&g, &err);
        rc = rc ? rc : pof_tree_span(&t, &g, &err);
        good += rc == 0 && right(&g, &t);
        for (uint32_t k = 0; rc == 0 && k < g.branches; k++) {
            loops += t.loop[k];
            bridges += !t.loop[k];
        }
        pof_tree_release(&t);
        pof_grid_release(&g);
    }
    is_int(good, GRIDS, "branches of loops and areas of the others are what taking them out says");
    ok(loops > 500 && bridges > 500, "of both there are many");
}

#define LINE(name, from, to)                                                                       \
    "{\"name\":\"" name "\",\"kind\":\"line\",\"from\":\"" from "\",\"to\":\"" to                  \
    "\",\"r_ohm\":0.01,\"x_ohm\":0.01}"
#define NODE(name) ",{\"name\":\"" name "\",\"base_v\":400}"
#define RING                                                                                       \
    "{\"schema\":\"pof.grid/1\",\"name\":\"g\",\"base_va\":100000,\"nodes\":["                     \
    "{\"name\":\"S\",\"base_v\":400,\"kind\":\"slack\",\"v_set_pu\":1}" NODE("A") NODE("B") NODE("C") NODE("D") \
    NODE("X") "],\"branches\":[" LINE("SA", "S", "A") "," LINE("AB", "A", "B") "," LINE("BC", "B", "C") "," \
    LINE("CS", "C", "S") "," LINE("DB", "D", "B") "]}"

static void test_ring(void)
{
    static const int32_t want[2][6] = {{0, 750000, 500000, 250000, 500000, 0}, {0, 0, 0, 0, -1000000, 0}};
    struct pof_grid g = {0};
    struct pof_transfer *t = NULL;
    struct pof_err err = {0};
    int32_t ppm[6];
    must_parse(&g, RING);
    int rc = pof_transfer_new(&t, &g, &err);
    rc = rc ? rc : pof_transfer_row(t, 0, ppm, &err);
    ok(rc == 0 && memcmp(ppm, want[0], sizeof ppm) == 0, "a ring of equal branches divides by the ways around");
    rc = rc ? rc : pof_transfer_row(t, 4, ppm, &err);
    ok(rc == 0 && memcmp(ppm, want[1], sizeof ppm) == 0, "a branch in no loop carries what is behind it, less where it leaves");
    rc = t ? pof_transfer_row(t, 99, ppm, &err) : 0;
    is_int(rc, POF_E_RANGE, "no such branch");
    pof_transfer_free(t);
    pof_grid_release(&g);
}

int main(void)
{
    test_span();
    test_ring();
    return done();
}
