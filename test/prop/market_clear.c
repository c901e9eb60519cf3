/* SPDX-License-Identifier: Apache-2.0 */
/* Clearing against GLPK, against trying everything, and against itself under permutation, cheaper
 * offers and size. POF_SEED=N tries other instances; a failure prints the seed of its instance. */
#include "market/certificate.h"
#include "market/lp.h"

#include "market_instances.h"

#include <time.h>

/* --- one solution with everything one wants to know --- */

struct solution {
    int64_t taken[OFFERS];
    int64_t node_price[NODES], own_price[NODES];
    pof_wide cost;
    bool certified;
};

enum method { TREE, LP };

static int solve(const struct instance *x, enum method method, struct solution *s)
{
    struct pof_err err = {0};
    struct pof_forest f;
    struct pof_clearing *c = NULL;
    struct pof_certificate_answer answer = {0};
    struct pof_clear_result r = {.taken_w = s->taken, .node_price_ueur = s->node_price, .own_price_ueur = s->own_price};
    int rc = pof_forest_build(&f, x->parent, x->nodes, &err);
    struct pof_clear_problem p = problem_of(x, &f);
    rc = rc ? rc : pof_clearing_new(&c, &err);
    if (rc == 0) {
        rc = method == LP ? pof_lp_solve(&p, &r, &err) : pof_clear_solve(c, &p, &r, &err);
    }
    rc = rc ? rc : pof_clear_cost(&p, s->taken, &s->cost, &err);
    rc = rc ? rc : pof_clear_certify(&p, &r, &answer, &err);
    s->certified = rc == 0 && answer.status == POF_CERTIFIED;
    if (rc || !s->certified) {
        printf("# rc %d %s; certificate %d at %zu\n", rc, err.text, (int)answer.status,
               answer.where);
    }
    pof_clearing_free(c);
    pof_forest_release(&f);
    return rc;
}

/* --- permutation --- */

static void shuffle(void *array, size_t n, size_t size, struct dice *d)
{
    char *a = array, tmp[128];
    for (size_t i = n; i > 1; i--) {
        size_t k = roll(d, i);
        memcpy(tmp, a + k * size, size);
        memmove(a + k * size, a + (i - 1) * size, size);
        memcpy(a + (i - 1) * size, tmp, size);
    }
}

/* The same market with nodes renumbered and every list in another order. */
static void permute(const struct instance *x, struct instance *y, struct dice *d)
{
    uint32_t name[NODES];
    *y = *x;
    for (uint32_t v = 0; v < x->nodes; v++) {
        name[v] = v;
    }
    shuffle(name, x->nodes, sizeof *name, d);
    for (uint32_t v = 0; v < x->nodes; v++) {
        y->parent[name[v]] = x->parent[v] == POF_NONE ? POF_NONE : name[x->parent[v]];
    }
    for (size_t i = 0; i < x->offers; i++) {
        y->offer[i].node = name[x->offer[i].node];
    }
    for (size_t i = 0; i < x->requests; i++) {
        y->request[i].node = name[x->request[i].node];
    }
    for (size_t i = 0; i < x->limits; i++) {
        y->limit[i].node = name[x->limit[i].node];
    }
    shuffle(y->request, y->requests, sizeof *y->request, d);
    shuffle(y->limit, y->limits, sizeof *y->limit, d);
    qsort(y->offer, y->offers, sizeof *y->offer, pof_clear_offer_cmp);
}

static void by_rank(const struct instance *x, const struct solution *s, int64_t *taken)
{
    for (size_t i = 0; i < x->offers; i++) {
        taken[x->offer[i].rank] = s->taken[i];
    }
}

static bool same_quantities(const struct instance *x, const struct solution *a,
                            const struct instance *y, const struct solution *b)
{
    int64_t qa[OFFERS + 1] = {0}, qb[OFFERS + 1] = {0};
    by_rank(x, a, qa);
    by_rank(y, b, qb);
    return memcmp(qa, qb, sizeof qa) == 0;
}

/* --- 200 trees against GLPK --- */

static struct instance instance, other; /* too large for a stack */
static struct solution tree, lp, again;

static bool cheaper_is_not_dearer(struct dice *d)
{
    other = instance;
    if (other.offers == 0) {
        return true;
    }
    int64_t *price = &other.offer[roll(d, other.offers)].price_ueur;
    *price = *price / 2;
    qsort(other.offer, other.offers, sizeof *other.offer, pof_clear_offer_cmp);
    return solve(&other, TREE, &again) == 0 && again.cost <= tree.cost;
}

static void try_against_lp(void)
{
    int equal = 0, certified = 0, permuted = 0, cheaper = 0, taken = 0;
    for (uint64_t k = 0; k < 200; k++) {
        uint64_t seed = first_seed() + k;
        struct dice d = {seed, 1000000};
        make(&instance, seed, NODES, OFFERS);
        bool fine = solve(&instance, TREE, &tree) == 0 && solve(&instance, LP, &lp) == 0;
        bool same = fine && tree.cost == lp.cost;
        equal += same;
        certified += fine && tree.certified && lp.certified;
        permute(&instance, &other, &d);
        bool stable =
            solve(&other, TREE, &again) == 0 && same_quantities(&instance, &tree, &other, &again);
        permuted += stable;
        bool not_dearer = cheaper_is_not_dearer(&d);
        cheaper += not_dearer;
        for (size_t i = 0; i < instance.offers; i++) {
            taken += tree.taken[i] > 0;
        }
        if (!same || !stable || !not_dearer || !tree.certified) {
            printf("# seed %" PRIu64 ": cost off LP by %g\n", seed, (double)(tree.cost - lp.cost));
        }
    }
    is_int(equal, 200, "the tree method's cost is GLPK's, to the unit, on 200 trees");
    is_int(certified, 200, "both results are certified optimal by their prices");
    is_int(permuted, 200, "renumbered nodes and shuffled lists give the same quantities");
    is_int(cheaper, 200, "a cheaper offer never raises the cost");
    ok(taken > 5000, "the instances take offers (%d)", taken);
}

/* --- tiny markets against trying everything --- */

struct rating {
    pof_wide cost;
    int64_t unmet, power, ranks;
};

static int rating_cmp(const struct rating *a, const struct rating *b)
{
    if (a->cost != b->cost) {
        return a->cost < b->cost ? -1 : 1;
    }
    if (a->unmet != b->unmet) {
        return a->unmet < b->unmet ? -1 : 1;
    }
    if (a->power != b->power) {
        return a->power < b->power ? -1 : 1;
    }
    return (a->ranks > b->ranks) - (a->ranks < b->ranks);
}

static int64_t flow_of(const struct instance *x, const int64_t *q, uint32_t node, bool own)
{
    int64_t f = 0;
    for (size_t i = 0; i < x->offers; i++) {
        uint32_t v = x->offer[i].node;
        while (!own && v != node && v != POF_NONE) {
            v = x->parent[v];
        }
        f += v != node ? 0 : x->offer[i].direction == POF_UP ? q[i] : -q[i];
    }
    return f;
}

/* Watts that requests of the same area and direction take before request i does; *first: none. */
static int64_t ahead_of(const struct instance *x, size_t i, bool *first)
{
    const struct pof_clear_request *a = &x->request[i];
    int64_t ahead = 0;
    *first = true;
    for (size_t k = 0; k < x->requests; k++) {
        const struct pof_clear_request *b = &x->request[k];
        if (k == i || b->node != a->node || b->own != a->own || b->direction != a->direction) {
            continue;
        }
        if (b->ceiling_ueur > a->ceiling_ueur || (b->ceiling_ueur == a->ceiling_ueur && k < i)) {
            ahead += b->p_w;
            *first = false;
        }
    }
    return ahead;
}

/* Straight from the definition: what is unmet goes to the cheapest ceilings of its stack. */
static void rate_unmet(const struct instance *x, const int64_t *q, struct rating *r)
{
    for (size_t i = 0; i < x->requests; i++) {
        const struct pof_clear_request *a = &x->request[i];
        int64_t f = flow_of(x, q, a->node, a->own);
        bool first;
        int64_t unmet = ahead_of(x, i, &first) + a->p_w - (a->direction == POF_UP ? f : -f);
        unmet = unmet < 0 ? 0 : unmet > a->p_w && !first ? a->p_w : unmet;
        r->unmet += unmet;
        r->cost += (pof_wide)unmet * a->ceiling_ueur;
    }
}

static bool rate(const struct instance *x, const int64_t *q, struct rating *r)
{
    *r = (struct rating){0};
    for (size_t i = 0; i < x->limits; i++) {
        int64_t f = flow_of(x, q, x->limit[i].node, false);
        if (f > x->limit[i].p_up_w || f < -x->limit[i].p_down_w) {
            return false;
        }
    }
    for (size_t i = 0; i < x->offers; i++) {
        r->cost += (pof_wide)q[i] * x->offer[i].price_ueur;
        r->power += q[i];
        r->ranks += q[i] * (int64_t)x->offer[i].rank;
    }
    rate_unmet(x, q, r);
    return true;
}

/* Is there no better choice than s? */
static bool is_best(const struct instance *x, const struct solution *s)
{
    int64_t q[8] = {0};
    struct rating best, r;
    if (!rate(x, s->taken, &best) || best.cost != s->cost) {
        return false;
    }
    for (;;) {
        size_t i = 0;
        while (i < x->offers && q[i] == x->offer[i].p_w) {
            q[i++] = 0;
        }
        if (i == x->offers) {
            return true;
        }
        q[i]++;
        if (rate(x, q, &r) && rating_cmp(&r, &best) < 0) {
            return false;
        }
    }
}

static void try_everything(void)
{
    int best = 0, n = 1500, traded = 0;
    for (int k = 0; k < n; k++) {
        uint64_t seed = first_seed() + 100000 + (uint64_t)k;
        make(&instance, seed, 5, 5);
        bool fine =
            solve(&instance, TREE, &tree) == 0 && tree.certified && is_best(&instance, &tree);
        best += fine;
        for (size_t i = 0; i < instance.offers; i++) {
            traded += tree.taken[i] > 0;
        }
        if (!fine) {
            printf("# seed %" PRIu64 " is not the best\n", seed);
        }
    }
    is_int(best, n, "tiny markets: no choice is better in cost, unmet, power, ranks in this order");
    ok(traded > n / 4, "tiny markets do trade (%d)", traded);
}

/* --- size --- */

struct big {
    uint32_t *parent;
    struct pof_clear_offer *offer;
    struct pof_clear_limit *limit;
    int64_t *taken;
    size_t limits;
};

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Clears twice (the second time with warm memory) and says what an offer costs. */
static bool run_big(struct big *b, struct pof_clear_problem *p, uint32_t nodes, const char *name)
{
    struct pof_err err = {0};
    struct pof_forest f;
    struct pof_clearing *c = NULL;
    int64_t *price = calloc(nodes, sizeof *price), *own = calloc(nodes, sizeof *own);
    struct pof_clear_result r = {.taken_w = b->taken, .node_price_ueur = price, .own_price_ueur = own};
    struct pof_certificate_answer answer = {0};
    int rc = pof_forest_build(&f, b->parent, nodes, &err);
    p->forest = &f;
    qsort(b->offer, p->offers, sizeof *b->offer, pof_clear_offer_cmp);
    rc = rc ? rc : pof_clearing_new(&c, &err);
    rc = rc ? rc : pof_clear_solve(c, p, &r, &err);
    double start = cpu_s();
    rc = rc ? rc : pof_clear_solve(c, p, &r, &err);
    double spent = cpu_s() - start;
    rc = rc ? rc : pof_clear_certify(p, &r, &answer, &err);
    printf("# bench clear case=%s nodes=%u offers=%zu limits=%zu cpu_s=%.4f ns_per_offer=%.0f %s\n",
           name, nodes, p->offers, p->limits, spent, 1e9 * spent / (double)p->offers, err.text);
    pof_clearing_free(c);
    pof_forest_release(&f);
    free(price);
    free(own);
    return rc == 0 && answer.status == POF_CERTIFIED;
}

/* nodes in a tree where each hangs from one of the `reach` before it; offers anywhere. */
static void try_size(uint32_t nodes, uint64_t reach, size_t offers, const char *name)
{
    struct big b = {.parent = calloc(nodes, sizeof *b.parent),
                    .offer = calloc(offers, sizeof *b.offer),
                    .limit = calloc(nodes, sizeof *b.limit),
                    .taken = calloc(offers, sizeof *b.taken)};
    struct dice d = {first_seed(), 0};
    for (uint32_t v = 0; v < nodes; v++) {
        uint64_t back = v < reach ? v : reach;
        b.parent[v] = v == 0 ? POF_NONE : v - 1 - (uint32_t)roll(&d, back ? back : 1);
        if (v > 0) {
            b.limit[b.limits++] = (struct pof_clear_limit){v, 3000 + (int64_t)roll(&d, 20000),
                                                           3000 + (int64_t)roll(&d, 20000)};
        }
    }
    for (size_t i = 0; i < offers; i++) {
        b.offer[i] =
            (struct pof_clear_offer){.node = (uint32_t)roll(&d, nodes),
                                     .direction = roll(&d, 2) ? POF_UP : POF_DOWN,
                                     .p_w = 1 + (int64_t)roll(&d, 500),
                                     .price_ueur = 5000000 + (int64_t)roll(&d, 3900) * 50000,
                                     .rank = (uint32_t)i + 1};
    }
    struct pof_clear_request request[] = {
        {0, false, POF_UP, (int64_t)offers * 30, 400000000},
        {nodes / 2, false, POF_DOWN, 5000, 300000000},
        {nodes / 3, false, POF_UP, 2000, 300000000},
    };
    struct pof_clear_problem p = {.offer = b.offer,
                                  .offers = offers,
                                  .request = request,
                                  .requests = 3,
                                  .limit = b.limit,
                                  .limits = b.limits};
    ok(run_big(&b, &p, nodes, name), "%s: cleared and certified", name);
    free(b.parent);
    free(b.offer);
    free(b.limit);
    free(b.taken);
}

int main(void)
{
    try_everything();
    try_against_lp();
    try_size(150, 20, 1500, "day_ahead_quarter");
    try_size(15000, 400, 150000, "large");
    try_size(100000, 1, 100000, "chain_100000_deep");
    try_size(100000, 100000, 100000, "bush");
    try_size(1, 1, 50000, "one_node");
    return done();
}
