/* SPDX-License-Identifier: Apache-2.0 */
/* Random markets on random trees, for the property tests of clearing. */
#ifndef POF_TEST_MARKET_INSTANCES_H
#define POF_TEST_MARKET_INSTANCES_H

#include "market/clear.h"

#include "base/text.h"
#include "num/rng.h"
#include "tap.h"

enum { NODES = 200, OFFERS = 600, REQUESTS = 40, LIMITS = 200 };

struct instance {
    uint32_t parent[NODES];
    uint32_t nodes;
    struct pof_clear_offer offer[OFFERS];
    struct pof_clear_request request[REQUESTS];
    struct pof_clear_limit limit[LIMITS];
    size_t offers, requests, limits;
};

struct dice {
    uint64_t seed, at;
};

static uint64_t roll(struct dice *d, uint64_t n)
{
    return pof_below(pof_random(d->seed, 1, d->at++), n);
}

static void make_offers(struct instance *x, struct dice *d, int64_t p_max)
{
    for (size_t i = 0; i < x->offers; i++) {
        x->offer[i] = (struct pof_clear_offer){
            .node = (uint32_t)roll(d, x->nodes),
            .direction = roll(d, 2) ? POF_UP : POF_DOWN,
            .p_w = 1 + (int64_t)roll(d, (uint64_t)p_max),
            .price_ueur = (int64_t)roll(d, 40) * 5000000, /* few prices: many ties, some at 0 */
            .rank = (uint32_t)i + 1};
    }
}

/* Ceilings meet offer prices now and then; areas repeat and nest. */
static void make_requests(struct instance *x, struct dice *d, int64_t p_max)
{
    for (size_t i = 0; i < x->requests; i++) {
        bool whole = roll(d, 4) == 0;
        x->request[i] = (struct pof_clear_request){.node = whole ? 0 : (uint32_t)roll(d, x->nodes),
                                                   .own = !whole && roll(d, 3) == 0,
                                                   .direction = roll(d, 2) ? POF_UP : POF_DOWN,
                                                   .p_w = 1 + (int64_t)roll(d, (uint64_t)p_max),
                                                   .ceiling_ueur = (int64_t)roll(d, 60) * 5000000};
    }
}

static void make(struct instance *x, uint64_t seed, uint32_t nodes, size_t offers)
{
    struct dice d = {seed, 0};
    x->nodes = 1 + (uint32_t)roll(&d, nodes);
    x->offers = roll(&d, offers + 1);
    x->requests = roll(&d, nodes > 10 ? REQUESTS : 4);
    x->limits = roll(&d, x->nodes + 1);
    uint64_t depth = 1 + roll(&d, 30); /* chains to bushes */
    for (uint32_t v = 0; v < x->nodes; v++) {
        uint64_t back = v < depth ? v : depth;
        x->parent[v] = v == 0 ? POF_NONE : v - 1 - (uint32_t)roll(&d, back ? back : 1);
    }
    int64_t p_max = nodes > 10 ? 500 : 3;
    make_offers(x, &d, p_max);
    make_requests(x, &d, nodes > 10 ? 3000 : 4);
    for (size_t i = 0; i < x->limits; i++) {
        x->limit[i] = (struct pof_clear_limit){.node = (uint32_t)roll(&d, x->nodes),
                                               .p_up_w = (int64_t)roll(&d, (uint64_t)p_max * 4),
                                               .p_down_w = (int64_t)roll(&d, (uint64_t)p_max * 4)};
    }
    qsort(x->offer, x->offers, sizeof *x->offer, pof_clear_offer_cmp);
}

static struct pof_clear_problem problem_of(const struct instance *x, const struct pof_forest *f)
{
    return (struct pof_clear_problem){.forest = f,
                                      .offer = x->offer,
                                      .offers = x->offers,
                                      .request = x->request,
                                      .requests = x->requests,
                                      .limit = x->limit,
                                      .limits = x->limits};
}

/* POF_SEED=N tries other instances. */
static uint64_t first_seed(void)
{
    const char *s = getenv("POF_SEED");
    return s ? strtoull(s, NULL, 10) : 20260310;
}

#endif
