/* SPDX-License-Identifier: Apache-2.0 */
/* Clearing with limits of loops against GLPK's branch and cut: never beyond a limit, never below what it
 * proves, equal where it says optimal. POF_SEED=N tries other instances. */
#include "market/mesh.h"

#include "base/mem.h"
#include "market/certificate.h"
#include "market/lp.h"

#include "market_instances.h"

enum { ROWS = 3, SMALL = 300, LARGE = 30 };

struct meshed {
    struct instance x;
    int32_t ppm[ROWS][NODES];
    struct pof_mesh_row row[ROWS];
    struct pof_forest forest;
    struct pof_clear_problem p;
    struct pof_mesh mesh;
};

struct answer {
    int64_t taken[OFFERS];
    pof_wide cost, bound, tree; /* tree: without rows */
};

/* As factors of loops are: those of neighbours on the tree are alike, the root's is 0. */
static int make_mesh(struct meshed *m, uint64_t seed, uint32_t nodes, size_t offers)
{
    struct pof_err err = {0};
    struct dice d = {seed, 9000000};
    make(&m->x, seed, nodes, offers);
    const int64_t wide = nodes > 10 ? 300 : 2;
    for (size_t r = 0; r < ROWS; r++) {
        for (uint32_t v = 1; v < m->x.nodes; v++) {
            m->ppm[r][v] = m->ppm[r][m->x.parent[v]] + (int32_t)roll(&d, 700001) - 350000;
        }
        m->row[r] = (struct pof_mesh_row){m->ppm[r], (int64_t)roll(&d, (uint64_t)wide),
                                          (int64_t)roll(&d, (uint64_t)wide)};
    }
    int rc = pof_forest_build(&m->forest, m->x.parent, m->x.nodes, &err);
    m->p = problem_of(&m->x, &m->forest);
    m->mesh = (struct pof_mesh){&m->p, m->row, 1 + (size_t)roll(&d, ROWS)};
    return rc;
}

static int solve(const struct meshed *m, struct answer *a)
{
    struct pof_err err = {0};
    struct pof_clearing *c = NULL;
    struct pof_clear_result r = {.taken_w = a->taken};
    int rc = pof_clearing_new(&c, &err);
    rc = rc ? rc : pof_clear_solve(c, &m->p, &r, &err);
    rc = rc ? rc : pof_clear_cost(&m->p, a->taken, &a->tree, &err);
    rc = rc ? rc : pof_mesh_solve(c, &m->mesh, a->taken, &a->cost, &a->bound, &err);
    if (rc) {
        printf("# %s\n", err.text);
    }
    pof_clearing_free(c);
    return rc;
}

/* Written anew: offers within their power, subtrees within their limits, rows within theirs. */
static bool feasible(const struct meshed *m, const int64_t *taken)
{
    int64_t own[NODES] = {0}, below[NODES] = {0};
    bool good = true;
    for (size_t i = 0; i < m->x.offers; i++) {
        const struct pof_clear_offer *o = &m->x.offer[i];
        good = good && taken[i] >= 0 && taken[i] <= o->p_w;
        own[o->node] += o->direction == POF_UP ? taken[i] : -taken[i];
    }
    for (uint32_t v = m->x.nodes; v-- > 0;) { /* parents have smaller numbers */
        below[v] += own[v];
        if (v > 0) {
            below[m->x.parent[v]] += below[v];
        }
    }
    for (size_t i = 0; i < m->x.limits; i++) {
        const struct pof_clear_limit *l = &m->x.limit[i];
        good = good && below[l->node] <= l->p_up_w && -below[l->node] <= l->p_down_w;
    }
    for (size_t r = 0; r < m->mesh.rows; r++) {
        int64_t sum = 0;
        for (uint32_t v = 0; v < m->x.nodes; v++) {
            sum += own[v] * m->ppm[r][v];
        }
        good = good && sum <= m->row[r].p_up_w * 1000000 && -sum <= m->row[r].p_down_w * 1000000;
    }
    return good;
}

/* The least cost by GLPK; false: its answer is not whole enough to be one. */
static bool by_milp(const struct meshed *m, pof_wide *cost)
{
    struct pof_err err = {0};
    struct pof_lp_row row[ROWS];
    double x[OFFERS], price[ROWS];
    int64_t taken[OFFERS];
    for (size_t r = 0; r < m->mesh.rows; r++) {
        row[r] = (struct pof_lp_row){m->ppm[r], -(double)m->row[r].p_down_w, (double)m->row[r].p_up_w};
    }
    int rc = pof_lp_rows(&m->p, row, m->mesh.rows, true, x, price, &err);
    for (size_t i = 0; i < m->x.offers; i++) {
        taken[i] = llround(x[i]);
    }
    rc = rc ? rc : pof_clear_cost(&m->p, taken, cost, &err);
    return rc == 0 && feasible(m, taken);
}

int main(void)
{
    static struct meshed m;
    static struct answer a, again;
    int wrong = 0, below = 0, unlike = 0, bound = 0, told = 0, bind = 0, compared = 0, repeated = 0;
    double gap = 0, cost = 0;
    for (uint64_t k = 0; k < SMALL + LARGE; k++) {
        uint64_t seed = first_seed() + k;
        bool small = k < SMALL;
        memset(&m, 0, sizeof m);
        int rc = make_mesh(&m, seed, small ? 8 : 60, small ? 14 : 300);
        bool bad = rc || solve(&m, &a) || !feasible(&m, a.taken) || a.cost < a.bound || a.bound < a.tree;
        repeated += !bad && !solve(&m, &again) && memcmp(a.taken, again.taken, sizeof a.taken) == 0;
        pof_wide least = 0;
        bind += a.cost > a.tree;
        if (small && !bad && by_milp(&m, &least)) {
            compared++;
            below += a.cost < least;
            bound += a.bound > least;
            told += a.cost == a.bound;
            unlike += a.cost == a.bound && a.cost != least;
        }
        if (!small && a.cost > a.tree) {
            gap += (double)(a.cost - a.bound);
            cost += (double)a.cost;
        }
        if (bad) {
            printf("# seed %llu\n", (unsigned long long)seed);
        }
        wrong += bad;
        pof_forest_release(&m.forest);
    }
    printf("# %d where rows bind, %d compared, %d told optimal, mean gap of large ones %.3g\n", bind, compared, told,
           gap / cost);
    ok(wrong == 0, "results keep all limits and are not below their bound");
    ok(compared > SMALL * 9 / 10 && bind > SMALL / 5, "GLPK answers nearly all, and rows bind in many");
    ok(below == 0 && bound == 0, "no result costs less than GLPK's, no bound is above it");
    ok(told > 0 && unlike == 0, "what is told optimal costs the same");
    ok(cost > 0 && gap < 0.001 * cost, "large ones are within a thousandth of their bounds");
    is_int(repeated, SMALL + LARGE, "a second run gives the same quantities");
    return done();
}
