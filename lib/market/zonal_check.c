/* SPDX-License-Identifier: Apache-2.0 */
/* Is a zonal result right? Complementary slackness, from quantities and prices alone. */
#include "market/zonal.h"

#include <stdlib.h>

struct check {
    const struct pof_zonal_book *b;
    const struct pof_zonal_result *r;
    int64_t *least_supply, *most_supply, *least_demand, *most_demand; /* [zones] of one period */
    int64_t *net; /* [zones] supply less demand plus what flows in */
};

static int check_init(struct check *c, struct pof_err *err)
{
    size_t n = c->b->zones.n;
    int rc = pof_calloc(&c->least_supply, n, sizeof *c->net, err);
    rc = rc ? rc : pof_calloc(&c->most_supply, n, sizeof *c->net, err);
    rc = rc ? rc : pof_calloc(&c->least_demand, n, sizeof *c->net, err);
    rc = rc ? rc : pof_calloc(&c->most_demand, n, sizeof *c->net, err);
    return rc ? rc : pof_calloc(&c->net, n, sizeof *c->net, err);
}

/* What prices allow the orders of a period to be. */
static void allow(const struct check *c, uint32_t t)
{
    const struct pof_zonal_book *b = c->b;
    for (size_t z = 0; z < b->zones.n; z++) {
        c->least_supply[z] = c->most_supply[z] = c->least_demand[z] = c->most_demand[z] = 0;
    }
    for (uint32_t i = b->order_first[t]; i < b->order_first[t + 1]; i++) {
        const struct pof_zonal_order *o = &b->order[i];
        int64_t price = c->r->price[(size_t)t * b->zones.n + o->zone];
        bool block = o->block != POF_NONE, in = block && c->r->accepted[o->block];
        bool must = block ? in : o->demand ? o->price > price : o->price < price;
        bool may = block ? in : must || o->price == price;
        (o->demand ? c->least_demand : c->least_supply)[o->zone] += must ? o->wh : 0;
        (o->demand ? c->most_demand : c->most_supply)[o->zone] += may ? o->wh : 0;
    }
}

/* NULL, or what is wrong with the flow of a link. */
static const char *check_link(const struct check *c, uint32_t i, const bool *border)
{
    const struct pof_zonal_link *l = &c->b->link[i];
    const int64_t *price = c->r->price + (size_t)l->period * c->b->zones.n;
    int64_t flow = c->r->flow[i];
    if (border[l->from] && border[l->to]) {
        return flow ? "energy flows between two zones whose prices are given" : NULL;
    }
    if (flow < l->min_wh || flow > l->max_wh) {
        return "a link carries more than it may";
    }
    if (price[l->from] < price[l->to] && flow < l->max_wh) {
        return "a link could carry more to the dearer zone";
    }
    return price[l->from] > price[l->to] && flow > l->min_wh ? "a link carries to the cheaper zone"
                                                             : NULL;
}

static const char *check_period(const struct check *c, uint32_t t, bool *border)
{
    const struct pof_zonal_book *b = c->b;
    const size_t at = (size_t)t * b->zones.n;
    const char *wrong = NULL;
    for (size_t z = 0; z < b->zones.n; z++) {
        border[z] = false;
        c->net[z] = c->r->supply[at + z] - c->r->demand[at + z];
    }
    for (uint32_t i = b->border_first[t]; i < b->border_first[t + 1]; i++) {
        border[b->border[i].zone] = true;
        wrong = c->r->price[at + b->border[i].zone] == b->border[i].price
                    ? wrong
                    : "the price of a border is not the given one";
    }
    for (uint32_t i = b->link_first[t]; !wrong && i < b->link_first[t + 1]; i++) {
        wrong = check_link(c, i, border);
        c->net[b->link[i].from] -= c->r->flow[i];
        c->net[b->link[i].to] += c->r->flow[i];
    }
    allow(c, t);
    for (size_t z = 0; !wrong && z < b->zones.n; z++) {
        int64_t supply = c->r->supply[at + z], demand = c->r->demand[at + z];
        wrong = border[z]                                                  ? NULL
                : c->net[z]                                                ? "a zone does not balance"
                : supply < c->least_supply[z] || supply > c->most_supply[z] ? "supply does not fit the price"
                : demand < c->least_demand[z] || demand > c->most_demand[z] ? "demand does not fit the price"
                                                                            : NULL;
    }
    return wrong;
}

int pof_zonal_check(const struct pof_zonal_book *book, const struct pof_zonal_result *result,
                    bool blocks_free, const char **wrong, struct pof_err *err)
{
    struct check c = {.b = book, .r = result};
    bool *border = NULL;
    *wrong = NULL;
    int rc = check_init(&c, err);
    rc = rc ? rc : pof_calloc(&border, book->zones.n, sizeof *border, err);
    for (uint32_t t = 0; rc == 0 && !*wrong && t < book->periods.n; t++) {
        *wrong = check_period(&c, t, border);
    }
    for (size_t i = 0; rc == 0 && !*wrong && blocks_free && i < book->blocks.n; i++) {
        *wrong = result->accepted[i] && result->surplus[i] < 0 ? "a block is taken at a loss" : NULL;
    }
    free(border);
    free(c.least_supply);
    free(c.most_supply);
    free(c.least_demand);
    free(c.most_demand);
    free(c.net);
    return rc;
}
