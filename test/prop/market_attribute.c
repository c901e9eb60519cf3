/* SPDX-License-Identifier: Apache-2.0 */
/* Sharing out what is taken, on random markets: every watt once, no request more than it asked for,
 * counter-activation only against the request it answers, the same under permutation. */
#include "market/attribute.h"
#include "market/certificate.h"

#include "market_instances.h"

static struct instance instance;

struct totals {
    int64_t given[OFFERS];
    int64_t got[REQUESTS];
    int counters, against, order_faults;
};

static void add_up(const struct instance *x, const struct pof_shares *s, struct totals *t)
{
    *t = (struct totals){0};
    for (size_t i = 0; i < s->n; i++) {
        const struct pof_share *a = &s->share[i];
        bool counter = a->why == POF_AWARD_COUNTER;
        bool same = x->offer[a->offer].direction == x->request[a->request].direction;
        t->given[a->offer] += a->p_w;
        t->got[a->request] += counter ? 0 : a->p_w;
        t->counters += counter;
        t->against += same == counter || a->p_w <= 0;
        if (i > 0) {
            const struct pof_share *b = &s->share[i - 1];
            t->order_faults += b->request > a->request ||
                               (b->request == a->request && b->why > a->why) ||
                               (b->request == a->request && b->why == a->why &&
                                x->offer[b->offer].price_ueur > x->offer[a->offer].price_ueur);
        }
    }
}

/* Every watt is given once, and no request got more than it asks for. */
static bool fits(const struct instance *x, const struct totals *t, const int64_t *taken)
{
    for (size_t i = 0; i < x->offers; i++) {
        if (t->given[i] != taken[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < x->requests; i++) {
        if (t->got[i] > x->request[i].p_w) {
            return false;
        }
    }
    return t->against == 0 && t->order_faults == 0;
}

static bool try_one(uint64_t seed, uint32_t nodes, size_t offers, int *counters)
{
    struct pof_err err = {0};
    struct pof_forest f;
    struct pof_clearing *c = NULL;
    struct pof_shares shares = {0};
    struct totals t;
    int64_t taken[OFFERS];
    struct pof_clear_result r = {.taken_w = taken};
    make(&instance, seed, nodes, offers);
    int rc = pof_forest_build(&f, instance.parent, instance.nodes, &err);
    struct pof_clear_problem p = problem_of(&instance, &f);
    rc = rc ? rc : pof_clearing_new(&c, &err);
    rc = rc ? rc : pof_clear_solve(c, &p, &r, &err);
    rc = rc ? rc : pof_attribute(&p, taken, &shares, &err);
    bool fine = rc == 0;
    if (fine) {
        add_up(&instance, &shares, &t);
        fine = fits(&instance, &t, taken);
        *counters += t.counters;
    }
    if (!fine) {
        printf("# seed %" PRIu64 " rc %d %s\n", seed, rc, err.text);
    }
    free(shares.share);
    pof_clearing_free(c);
    pof_forest_release(&f);
    return fine;
}

int main(void)
{
    int small = 0, large = 0, counters = 0;
    for (uint64_t k = 0; k < 2000; k++) {
        small += try_one(first_seed() + k, 6, 8, &counters);
    }
    for (uint64_t k = 0; k < 100; k++) {
        large += try_one(first_seed() + k, NODES, OFFERS, &counters);
    }
    is_int(small, 2000, "tiny markets: every watt in one share, no request above what it asks for");
    is_int(large, 100, "markets of up to 200 nodes: the same");
    ok(counters > 50, "counter-activation occurs (%d shares)", counters);
    return done();
}
