/* SPDX-License-Identifier: Apache-2.0 */
/* Ties by equal shares: nothing but who of equals gets what changes, and that for any order of the
 * input and whatever result it starts from. POF_SEED=N tries other instances. */
#include "market/certificate.h"
#include "market/prorata.h"

#include "market_instances.h"

struct shared {
    int64_t taken[OFFERS], before[OFFERS];
    int64_t node_price[NODES], own_price[NODES];
    pof_wide node_cost[NODES], own_cost[NODES];
    pof_wide cost_before, cost;
    int64_t unmet_before, unmet;
    bool certified;
};

static int64_t unmet_of(const struct pof_clear_problem *p, const int64_t *taken)
{
    struct pof_err err = {0};
    int64_t unmet[REQUESTS] = {0}, sum = 0;
    if (pof_clear_unmet(p, taken, unmet, &err)) {
        return -1;
    }
    for (size_t i = 0; i < p->requests; i++) {
        sum += unmet[i];
    }
    return sum;
}

/* Ranks of the solving can differ from those of the sharing: rank[i] of offer i, NULL: the same. */
static int solve(struct instance *x, const uint32_t *rank, struct shared *s)
{
    struct pof_err err = {0};
    struct pof_forest f;
    struct pof_clearing *c = NULL;
    struct pof_certificate_answer answer = {0};
    struct pof_clear_result r = {s->taken, s->node_price, s->own_price, s->node_cost, s->own_cost};
    int rc = pof_forest_build(&f, x->parent, x->nodes, &err);
    struct pof_clear_problem p = problem_of(x, &f);
    rc = rc ? rc : pof_clearing_new(&c, &err);
    rc = rc ? rc : pof_clear_solve(c, &p, &r, &err);
    if (rc == 0) {
        memcpy(s->before, s->taken, sizeof s->before);
        s->unmet_before = unmet_of(&p, s->taken);
        rc = pof_clear_cost(&p, s->taken, &s->cost_before, &err);
    }
    for (size_t i = 0; rank && i < x->offers; i++) {
        x->offer[i].rank = rank[i];
    }
    rc = rc ? rc : pof_pro_rata(&p, &r, &err);
    rc = rc ? rc : pof_clear_cost(&p, s->taken, &s->cost, &err);
    rc = rc ? rc : pof_clear_certify(&p, &r, &answer, &err);
    s->unmet = unmet_of(&p, s->taken);
    s->certified = rc == 0 && answer.status == POF_CERTIFIED;
    if (rc || !s->certified) {
        printf("# rc %d %s; certificate %d at %zu\n", rc, err.text, (int)answer.status, answer.where);
    }
    pof_clearing_free(c);
    pof_forest_release(&f);
    return rc;
}

static bool same_amounts(const struct instance *x, const struct shared *s, int64_t *moved)
{
    int64_t change[2] = {0, 0};
    for (size_t i = 0; i < x->offers; i++) {
        change[x->offer[i].direction] += s->taken[i] - s->before[i];
        *moved += s->taken[i] != s->before[i];
    }
    return change[0] == 0 && change[1] == 0;
}

/* Renumbers nodes and turns the lists around; ranks stay with their offers. */
static void turn(const struct instance *x, struct instance *y)
{
    *y = *x;
    uint32_t last = x->nodes - 1;
    for (uint32_t v = 0; v < x->nodes; v++) {
        y->parent[last - v] = x->parent[v] == POF_NONE ? POF_NONE : last - x->parent[v];
    }
    for (size_t i = 0; i < x->offers; i++) {
        y->offer[i] = x->offer[x->offers - 1 - i];
        y->offer[i].node = last - y->offer[i].node;
    }
    for (size_t i = 0; i < x->requests; i++) {
        y->request[i].node = last - x->request[i].node;
    }
    for (size_t i = 0; i < x->limits; i++) {
        y->limit[i].node = last - x->limit[i].node;
    }
    qsort(y->offer, y->offers, sizeof *y->offer, pof_clear_offer_cmp);
}

static bool same_by_rank(const struct instance *x, const struct shared *a, const struct instance *y,
                         const struct shared *b)
{
    int64_t qa[OFFERS + 1] = {0}, qb[OFFERS + 1] = {0};
    for (size_t i = 0; i < x->offers; i++) {
        qa[x->offer[i].rank] = a->taken[i];
        qb[y->offer[i].rank] = b->taken[i];
    }
    return memcmp(qa, qb, sizeof qa) == 0;
}

/* The prices that sharing looks at. */
static bool same_prices(const struct instance *x, const struct shared *a, const struct shared *b)
{
    for (uint32_t v = 0; v < x->nodes; v++) {
        struct pof_marginal m[4] = {pof_marginal_of(a->node_cost[v]), pof_marginal_of(b->node_cost[v]),
                                    pof_marginal_of(a->own_cost[v]), pof_marginal_of(b->own_cost[v])};
        for (int i = 0; i < 4; i += 2) {
            if (m[i].price_ueur != m[i + 1].price_ueur || m[i].unmet != m[i + 1].unmet) {
                return false;
            }
        }
    }
    return true;
}

static void flows_of(const struct instance *x, const int64_t *q, int64_t *own, int64_t *below)
{
    memset(own, 0, NODES * sizeof *own);
    memset(below, 0, NODES * sizeof *below);
    for (size_t i = 0; i < x->offers; i++) {
        int64_t w = x->offer[i].direction == POF_UP ? q[i] : -q[i];
        own[x->offer[i].node] += w;
        for (uint32_t v = x->offer[i].node; v != POF_NONE; v = x->parent[v]) {
            below[v] += w;
        }
    }
}

static bool is_border(pof_wide a, pof_wide b)
{
    struct pof_marginal x = pof_marginal_of(a), y = pof_marginal_of(b);
    return x.price_ueur != y.price_ueur || x.unmet != y.unmet;
}

/* What flows over the borders of parts: unique but where a request's price limit happens to be the
 * difference of two asks. */
static bool same_borders(const struct instance *x, const struct shared *a, const struct instance *y,
                         const struct shared *b)
{
    static int64_t own[2][NODES], below[2][NODES];
    flows_of(x, a->taken, own[0], below[0]);
    flows_of(y, b->taken, own[1], below[1]);
    for (uint32_t v = 0; v < x->nodes; v++) {
        uint32_t up = x->parent[v];
        bool inner = is_border(a->own_cost[v], a->node_cost[v]);
        bool outer = up == POF_NONE || is_border(a->node_cost[v], a->node_cost[up]);
        if ((inner && own[0][v] != own[1][v]) || (outer && below[0][v] != below[1][v])) {
            return false;
        }
    }
    return true;
}

static struct instance instance, other; /* too large for a stack */
static struct shared plain, again;

/* The same market cleared with the ranks of equal offers turned around, then shared by the true
 * ones. -1: its prices or
 * the flows over borders of parts differ, so shares may differ. */
static int from_another_result(void)
{
    uint32_t rank[OFFERS];
    struct instance *y = &other;
    *y = instance;
    for (size_t i = 0; i < y->offers; i++) {
        y->offer[i].rank = (uint32_t)y->offers + 1 - y->offer[i].rank;
    }
    qsort(y->offer, y->offers, sizeof *y->offer, pof_clear_offer_cmp);
    for (size_t i = 0; i < y->offers; i++) {
        rank[i] = (uint32_t)y->offers + 1 - y->offer[i].rank;
    }
    if (solve(y, rank, &again)) {
        return 0;
    }
    bool same = same_prices(&instance, &plain, &again) && same_borders(&instance, &plain, y, &again);
    return same ? same_by_rank(&instance, &plain, y, &again) : -1;
}

static void try_trees(void)
{
    enum { N = 200 };
    int fine = 0, amounts = 0, turned = 0, elsewhere = 0, compared = 0;
    int64_t moved = 0;
    for (uint64_t k = 0; k < N; k++) {
        uint64_t seed = first_seed() + k;
        make(&instance, seed, NODES, OFFERS);
        bool ok_ = solve(&instance, NULL, &plain) == 0 && plain.certified &&
                   plain.cost == plain.cost_before && plain.unmet == plain.unmet_before;
        bool kept = same_amounts(&instance, &plain, &moved);
        int other_way = from_another_result();
        turn(&instance, &other);
        bool same = solve(&other, NULL, &again) == 0 && same_by_rank(&instance, &plain, &other, &again);
        fine += ok_;
        amounts += kept;
        turned += same;
        compared += other_way >= 0;
        elsewhere += other_way > 0;
        if (!ok_ || !kept || !same || other_way == 0) {
            printf("# seed %" PRIu64 ": optimal %d, amounts %d, turned %d, other result %d\n", seed,
                   ok_, kept, same, other_way);
        }
    }
    is_int(fine, N, "cost and watts unmet stay, and prices certify the shares");
    is_int(amounts, N, "what is taken in all stays, in each direction");
    is_int(turned, N, "renumbered nodes and turned lists give the same shares");
    ok(elsewhere == compared && compared > N * 9 / 10,
       "shares do not depend on the result they start from (%d of %d)", elsewhere, compared);
    ok(moved > 500, "shares differ from ranks (%lld times)", (long long)moved);
}

/* One request for all, no limits: each gets its quota, rounded down or up. */
static void try_plain(void)
{
    enum { N = 200 };
    int exact = 0, partly = 0;
    for (uint64_t k = 0; k < N; k++) {
        struct instance *x = &instance;
        make(x, first_seed() + k, NODES, OFFERS);
        x->limits = 0;
        x->requests = 1;
        x->request[0] = (struct pof_clear_request){
            .direction = POF_UP, .p_w = 20000, .ceiling_ueur = INT64_C(500000000)};
        bool fine = solve(x, NULL, &plain) == 0;
        int64_t margin = plain.own_price[0], got = 0, room = 0;
        for (size_t i = 0; i < x->offers; i++) {
            bool tied = x->offer[i].direction == POF_UP && x->offer[i].price_ueur == margin;
            got += tied ? plain.taken[i] : 0;
            room += tied ? x->offer[i].p_w : 0;
        }
        for (size_t i = 0; i < x->offers; i++) {
            if (x->offer[i].direction == POF_UP && x->offer[i].price_ueur == margin) {
                int64_t off = plain.taken[i] * room - got * x->offer[i].p_w;
                fine &= off < room && off > -room;
                partly += plain.taken[i] > 0 && plain.taken[i] < x->offer[i].p_w;
            }
        }
        exact += fine;
    }
    is_int(exact, N, "without limits every tied offer gets its quota, to the watt below or above");
    ok(partly > 200, "the instances have ties (%d)", partly);
}

int main(void)
{
    try_trees();
    try_plain();
    return done();
}
