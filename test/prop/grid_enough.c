/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of injections and levels of random grids in two parts: what is seen to be enough at a glance has
 * full rank, by elimination modulo a prime of a model made here; what lacks too much is never called
 * enough. */
#include "grid/build.h"
#include "grid/estimate_impl.h"
#include "grid/estimate_rank.h"
#include "num/rng.h"
#include "tap.h"

enum { NODES = 9, LINKS = 16, MOST = 4 * NODES, ROUNDS = 600 };

static uint64_t seed = 20261122;
static uint64_t drawn;

static uint32_t draw(uint32_t below)
{
    return (uint32_t)(pof_random(seed, 1, drawn++) % below);
}

/* Nodes 0 .. 4 hang on 0, nodes 5 .. 8 on 5, with links beyond trees at random. */
static int make_grid(struct pof_grid *g, struct pof_err *err)
{
    *g = (struct pof_grid){.base_va = 1e6, .f_hz = 50};
    struct pof_build b = {.grid = g};
    int rc = 0;
    char name[16];
    for (uint32_t i = 0; i < NODES && rc == 0; i++) {
        snprintf(name, sizeof name, "n%u", i);
        struct pof_node n = pof_node_default(pof_text(name), 10000);
        n.kind = i == 0 || i == 5 ? POF_NODE_SLACK : POF_NODE_PQ;
        rc = pof_build_node(&b, &n, err);
    }
    for (uint32_t k = 0; k < LINKS && rc == 0; k++) {
        uint32_t to = k < NODES ? k : draw(NODES);
        uint32_t first = to < 5 ? 0 : 5;
        if (to == first || (k >= NODES && draw(3) > 0)) {
            continue;
        }
        snprintf(name, sizeof name, "b%u", k);
        struct pof_branch x = {.name = pof_text(name), .from = first + draw(to - first), .to = to,
                               .r = 0.01, .x = 0.02, .ratio = 1, .closed = true};
        rc = pof_build_branch(&b, &x, err);
    }
    return rc ? rc : pof_build_finish(&b, err);
}

/* Few are missing, now and then a level. */
static size_t make_set(struct pof_observation *o)
{
    size_t n = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        for (uint8_t q = POF_QUANTITY_V; q <= POF_QUANTITY_Q; q++) {
            bool level = q == POF_QUANTITY_V || q == POF_QUANTITY_ANGLE;
            if (draw(8) < (level ? 2u : 7u)) {
                o[n++] = (struct pof_observation){
                    .element = i, .quantity = q, .value = q == POF_QUANTITY_V ? 10000 : 0, .sigma = 1};
            }
        }
    }
    return n;
}

/* Coefficients of a row of the decoupled model with weights of its own. */
static void fill(const struct pof_grid *g, const struct se_row *row, uint64_t *h)
{
    bool q = row->quantity == POF_QUANTITY_Q || row->quantity == POF_QUANTITY_V;
    if (row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE) {
        h[2 * row->element + q] = 1;
        return;
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        uint32_t other = b->from == row->element ? b->to : b->from;
        if (b->from == row->element || b->to == row->element) {
            uint64_t w = pof_rank_random(77, k, q);
            h[2 * row->element + q] = pof_rank_add(h[2 * row->element + q], w);
            h[2 * other + q] = pof_rank_sub(h[2 * other + q], w);
        }
    }
}

static uint32_t rank(uint64_t m[][2 * NODES], uint32_t rows)
{
    uint32_t r = 0;
    for (uint32_t c = 0; c < 2 * NODES; c++) {
        uint32_t p = r;
        while (p < rows && m[p][c] == 0) {
            p++;
        }
        if (p == rows) {
            continue;
        }
        for (uint32_t k = 0; k < 2 * NODES; k++) {
            uint64_t held = m[p][k];
            m[p][k] = m[r][k];
            m[r][k] = held;
        }
        uint64_t inverse = pof_rank_inverse(m[r][c]);
        for (uint32_t i = r + 1; i < rows; i++) {
            uint64_t f = pof_rank_mul(m[i][c], inverse);
            for (uint32_t k = c; k < 2 * NODES; k++) {
                m[i][k] = pof_rank_sub(m[i][k], pof_rank_mul(f, m[r][k]));
            }
        }
        r++;
    }
    return r;
}

struct tally {
    unsigned enough, full, wrong, failed;
};

static void round_of(struct tally *t)
{
    static uint64_t m[MOST + 2][2 * NODES];
    struct pof_grid g;
    struct pof_se *se = NULL;
    struct pof_observation o[MOST];
    struct pof_err err = {0};
    bool same, enough = false;
    memset(m, 0, sizeof m);
    int rc = make_grid(&g, &err);
    rc = rc ? rc : pof_se_new(&se, &g, NULL, &err);
    if (rc == 0) {
        se->n_seen = make_set(o);
        se->seen = o;
        rc = pofi_se_rows(se, &same, &err);
        rc = rc ? rc : pofi_se_enough(se, &enough, &err);
    }
    for (size_t i = 0; rc == 0 && i < se->rows; i++) {
        fill(&g, &se->row[i], m[i]);
    }
    bool full = rc == 0 && rank(m, (uint32_t)se->rows) == 2 * NODES;
    t->failed += rc != 0;
    t->enough += enough;
    t->full += full;
    t->wrong += enough && !full;
    pof_se_free(se);
    pof_grid_release(&g);
}

int main(void)
{
    struct tally t = {0};
    for (int i = 0; i < ROUNDS; i++) {
        round_of(&t);
    }
    printf("# seed %llu: of %d sets %u have full rank, %u seen at a glance\n", (unsigned long long)seed,
           ROUNDS, t.full, t.enough);
    ok(t.failed == 0, "all grids and sets are made");
    ok(t.wrong == 0, "what is seen to be enough has full rank");
    ok(t.enough > ROUNDS / 10, "many sets are seen");
    ok(t.full < ROUNDS - ROUNDS / 10, "many sets are not enough");
    return done();
}
