/* SPDX-License-Identifier: Apache-2.0 */
/* Equal shares of what equal offers get, exact in watts. */
#include "market/prorata.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

/* Own offers of the node at a place are area 2 at, its subtree is area 2 at + 1: what lies around an
 * area has a higher number. */
struct area {
    struct pof_marginal cost;
    int64_t net;             /* up activation less down activation, W */
    int64_t p_up, p_down;    /* limits */
    int64_t asked[2];        /* W, by direction */
    int64_t sum_low, sum_high; /* what the tied offers within could get */
    int64_t low, high;       /* the same, within limits and requests */
    int64_t now, then;       /* what they get; what they will */
    uint32_t around;         /* area; POF_NONE: a root */
    uint32_t share;          /* area from which its offers get their part */
    uint32_t rank;           /* of the best tied offer */
    bool border;             /* of its part */
};

/* What shares an amount: a tied offer, or an area with bounds of its own. */
struct item {
    pof_wide rest; /* remainder of the division */
    int64_t low, room, gets;
    uint32_t share, rank;
    size_t offer; /* SIZE_MAX: an area */
    uint32_t area;
};

struct work {
    const struct pof_clear_problem *p;
    int64_t *taken;
    struct area *area;
    uint32_t areas;
    struct item *item;
    size_t items;
};

static uint32_t own_of(const struct work *w, uint32_t node)
{
    return 2 * w->p->forest->pos[node];
}

static void place_limits(struct work *w)
{
    for (size_t i = 0; i < w->p->limits; i++) {
        const struct pof_clear_limit *l = &w->p->limit[i];
        struct area *a = &w->area[own_of(w, l->node) + 1];
        a->p_up = l->p_up_w < a->p_up ? l->p_up_w : a->p_up;
        a->p_down = l->p_down_w < a->p_down ? l->p_down_w : a->p_down;
    }
    for (size_t i = 0; i < w->p->requests; i++) {
        const struct pof_clear_request *r = &w->p->request[i];
        w->area[own_of(w, r->node) + !r->own].asked[r->direction] += r->p_w;
    }
}

static void prepare(struct work *w, const struct pof_clear_result *result)
{
    const struct pof_forest *f = w->p->forest;
    for (uint32_t at = 0; at < f->n; at++) {
        uint32_t node = f->node[at];
        w->area[2 * at] = (struct area){.cost = pof_marginal_of(result->own_cost[node]),
                                        .around = 2 * at + 1,
                                        .p_up = INT64_MAX,
                                        .p_down = INT64_MAX};
        w->area[2 * at + 1] = (struct area){
            .cost = pof_marginal_of(result->node_cost[node]),
            .around = f->up[at] == POF_NONE ? POF_NONE : 2 * f->up[at] + 1,
            .p_up = INT64_MAX,
            .p_down = INT64_MAX};
    }
    place_limits(w);
    for (size_t i = 0; i < w->p->offers; i++) {
        const struct pof_clear_offer *o = &w->p->offer[i];
        w->area[own_of(w, o->node)].net += o->direction == POF_UP ? w->taken[i] : -w->taken[i];
    }
    for (uint32_t i = 0; i < w->areas; i++) {
        struct area *a = &w->area[i], *out = a->around == POF_NONE ? NULL : &w->area[a->around];
        a->border = !out || a->cost.price_ueur != out->cost.price_ueur ||
                    a->cost.unmet != out->cost.unmet;
        if (out) {
            out->net += a->net;
        }
    }
}

/* Net activation that an area within a part may have: no request of it less met, no limit
 * exceeded. */
static void net_bounds(const struct area *a, int64_t *low, int64_t *high)
{
    *low = -a->p_down;
    *high = a->p_up;
    if (a->asked[POF_UP] > 0 && a->asked[POF_DOWN] > 0) {
        *low = *high = a->net;
    } else if (a->asked[POF_UP] > 0) {
        *low = a->asked[POF_UP] < a->p_up ? a->asked[POF_UP] : a->p_up;
    } else if (a->asked[POF_DOWN] > 0) {
        *high = -(a->asked[POF_DOWN] < a->p_down ? a->asked[POF_DOWN] : a->p_down);
    }
}

static bool is_tied(const struct work *w, const struct pof_clear_offer *o)
{
    const struct pof_marginal *c = &w->area[own_of(w, o->node)].cost;
    return c->unmet == 0 &&
           c->price_ueur == (o->direction == POF_UP ? o->price_ueur : -o->price_ueur);
}

/* What the tied offers of a direction get and could get, by area. */
static void sum_offers(struct work *w, enum pof_direction d)
{
    for (uint32_t i = 0; i < w->areas; i++) {
        struct area *a = &w->area[i];
        a->sum_low = a->sum_high = a->low = a->high = a->now = a->then = 0;
        a->rank = UINT32_MAX;
    }
    for (size_t i = 0; i < w->p->offers; i++) {
        const struct pof_clear_offer *o = &w->p->offer[i];
        if (o->direction == d && is_tied(w, o)) {
            struct area *a = &w->area[own_of(w, o->node)];
            a->sum_low += o->frozen_w;
            a->sum_high += o->p_w;
            a->now += w->taken[i];
            a->rank = o->rank < a->rank ? o->rank : a->rank;
        }
    }
}

/* Powers add up to at most 2^62, INT64_MAX stands for no limit. */
static int fold(struct work *w, enum pof_direction d, struct pof_err *err)
{
    sum_offers(w, d);
    for (uint32_t i = 0; i < w->areas; i++) {
        struct area *a = &w->area[i];
        int64_t low, high;
        net_bounds(a, &low, &high);
        if (!a->border && (a->net < low || a->net > high)) {
            return pof_fail(err, POF_E_INTERNAL, "a net of %lld W has no such price",
                            (long long)a->net);
        }
        pof_wide less = (pof_wide)a->net - low, more = (pof_wide)high - a->net;
        pof_wide least = a->now - (d == POF_UP ? less : more);
        pof_wide most = a->now + (d == POF_UP ? more : less);
        a->low = a->border || least < a->sum_low ? a->sum_low : (int64_t)least;
        a->high = a->border || most > a->sum_high ? a->sum_high : (int64_t)most;
        if (!a->border) {
            struct area *out = &w->area[a->around];
            out->sum_low += a->low;
            out->sum_high += a->high;
            out->now += a->now;
            out->rank = a->rank < out->rank ? a->rank : out->rank;
        }
    }
    return 0;
}

static bool is_bounded(const struct area *a)
{
    return a->low > a->sum_low || a->high < a->sum_high;
}

static void list_items(struct work *w, enum pof_direction d)
{
    w->items = 0;
    for (uint32_t i = w->areas; i-- > 0;) {
        struct area *a = &w->area[i];
        bool bounded = !a->border && is_bounded(a);
        a->share = a->border || bounded ? i : w->area[a->around].share;
        if (a->border) {
            a->then = a->now;
        } else if (bounded) {
            w->item[w->items++] = (struct item){.share = w->area[a->around].share,
                                                .rank = a->rank,
                                                .low = a->low,
                                                .room = a->high - a->low,
                                                .offer = SIZE_MAX,
                                                .area = i};
        }
    }
    for (size_t i = 0; i < w->p->offers; i++) {
        const struct pof_clear_offer *o = &w->p->offer[i];
        if (o->direction == d && is_tied(w, o)) {
            w->item[w->items++] = (struct item){.share = w->area[own_of(w, o->node)].share,
                                                .rank = o->rank,
                                                .low = o->frozen_w,
                                                .room = o->p_w - o->frozen_w,
                                                .offer = i};
        }
    }
}

/* Outer shares first. */
static int by_share(const void *pa, const void *pb)
{
    const struct item *a = pa, *b = pb;
    if (a->share != b->share) {
        return a->share > b->share ? -1 : 1;
    }
    return (a->rank > b->rank) - (a->rank < b->rank);
}

/* Offers of an area are in no other share, so ranks differ. */
static int by_remainder(const void *pa, const void *pb)
{
    const struct item *a = pa, *b = pb;
    if (a->rest != b->rest) {
        return a->rest > b->rest ? -1 : 1;
    }
    return (a->rank > b->rank) - (a->rank < b->rank);
}

/* Largest remainder for the items of one share. */
static int share_out(struct item *item, size_t n, int64_t amount, struct pof_err *err)
{
    pof_wide room = 0, left = amount;
    for (size_t i = 0; i < n; i++) {
        room += item[i].room;
        left -= item[i].low;
    }
    if (left < 0 || left > room) {
        return pof_fail(err, POF_E_INTERNAL, "%lld W do not fit what is tied", (long long)amount);
    }
    pof_wide over = left;
    for (size_t i = 0; i < n; i++) {
        pof_wide part = room > 0 ? left * item[i].room : 0;
        item[i].gets = item[i].low + (room > 0 ? (int64_t)(part / room) : 0);
        item[i].rest = room > 0 ? part % room : 0;
        over -= item[i].gets - item[i].low;
    }
    qsort(item, n, sizeof *item, by_remainder);
    for (size_t i = 0; over > 0; i++, over--) {
        item[i].gets++;
    }
    return 0;
}

static int spread(struct work *w, struct pof_err *err)
{
    int rc = 0;
    if (w->items > 1) {
        qsort(w->item, w->items, sizeof *w->item, by_share);
    }
    for (size_t i = 0, end; rc == 0 && i < w->items; i = end) {
        struct item *first = &w->item[i];
        for (end = i + 1; end < w->items && w->item[end].share == first->share; end++) {
        }
        rc = share_out(first, end - i, w->area[first->share].then, err);
        for (size_t k = i; rc == 0 && k < end; k++) {
            const struct item *x = &w->item[k];
            if (x->offer == SIZE_MAX) {
                w->area[x->area].then = x->gets;
            } else {
                w->taken[x->offer] = x->gets;
            }
        }
    }
    return rc;
}

int pof_pro_rata(const struct pof_clear_problem *problem, struct pof_clear_result *result,
                 struct pof_err *err)
{
    struct work w = {.p = problem, .taken = result->taken_w, .areas = 2 * problem->forest->n};
    int rc = pof_calloc(&w.area, w.areas, sizeof *w.area, err);
    rc = rc ? rc : pof_calloc(&w.item, w.areas + problem->offers, sizeof *w.item, err);
    for (int d = POF_UP; rc == 0 && d <= POF_DOWN; d++) {
        prepare(&w, result);
        rc = fold(&w, (enum pof_direction)d, err);
        if (rc == 0) {
            list_items(&w, (enum pof_direction)d);
            rc = spread(&w, err);
        }
    }
    free(w.area);
    free(w.item);
    return rc;
}
