/* SPDX-License-Identifier: Apache-2.0 */
/* One period of a zonal book: curves up the tree, prices and quantities down. */
#include "market/zonal_impl.h"

#include <stdlib.h>
#include <string.h>

/* The net supply of an area over its price: low when nothing is worth it, then step by step. */
struct curve {
    struct pof_zonal_step *step;
    size_t cap, head, n;
    int64_t low;
};

struct zone {
    bool here, border;
    int64_t border_price;
    size_t order, orders;  /* its steps in the book */
    int64_t own_low;       /* net supply of the zone itself when none of its steps is worth it */
    uint32_t parent, link; /* POF_NONE: a root */
    struct curve curve;    /* of the zone with all beyond it, cut to what its link carries */
    int64_t from_price, to_price; /* prices between which the cuts leave its price to the parent's */
    int64_t target;        /* net supply of the area */
};

struct pofi_zonal_solver {
    const struct pof_zonal_book *book;
    uint32_t zones;
    struct zone *zone;
    uint32_t *order;       /* zones that are no borders, parents before children */
    uint32_t ordered;
    struct pof_zonal_step *spare; /* where two curves are merged */
    size_t spare_cap;
};

int pofi_zonal_solver_new(struct pofi_zonal_solver **out, const struct pof_zonal_book *book,
                          struct pof_err *err)
{
    struct pofi_zonal_solver *s = NULL;
    int rc = pof_calloc(&s, 1, sizeof *s, err);
    if (rc == 0) {
        s->book = book;
        s->zones = (uint32_t)book->zones.n;
        rc = pof_calloc(&s->zone, s->zones, sizeof *s->zone, err);
        rc = rc ? rc : pof_calloc(&s->order, s->zones, sizeof *s->order, err);
    }
    if (rc) {
        pofi_zonal_solver_free(s);
        s = NULL;
    }
    *out = s;
    return rc;
}

void pofi_zonal_solver_free(struct pofi_zonal_solver *s)
{
    if (s) {
        for (uint32_t z = 0; s->zone && z < s->zones; z++) {
            free(s->zone[z].curve.step);
        }
        free(s->zone);
        free(s->order);
        free(s->spare);
        free(s);
    }
}

/* --- who is there, and how the zones hang together --- */

static const struct pof_text *name_of(const struct pofi_zonal_solver *s, uint32_t zone)
{
    return &s->book->zones.text[s->book->zone_at[zone]];
}

static int gather(struct pofi_zonal_solver *s, uint32_t t, struct pof_err *err)
{
    const struct pof_zonal_book *b = s->book;
    for (uint32_t z = 0; z < s->zones; z++) {
        struct curve keep = s->zone[z].curve;
        s->zone[z] = (struct zone){.parent = POF_NONE, .link = POF_NONE, .curve = keep};
    }
    for (uint32_t i = b->border_first[t]; i < b->border_first[t + 1]; i++) {
        s->zone[b->border[i].zone].border = true;
        s->zone[b->border[i].zone].here = true;
        s->zone[b->border[i].zone].border_price = b->border[i].price;
    }
    for (uint32_t i = b->link_first[t]; i < b->link_first[t + 1]; i++) {
        s->zone[b->link[i].from].here = s->zone[b->link[i].to].here = true;
    }
    for (uint32_t i = b->order_first[t]; i < b->order_first[t + 1]; i++) {
        struct zone *z = &s->zone[b->order[i].zone];
        z->here = true;
        if (z->border) {
            const struct pof_text *name = name_of(s, b->order[i].zone);
            return pof_fail(err, POF_E_CONFLICT,
                            "zone '%.*s' has orders and a given price in one period",
                            (int)name->len, name->ptr);
        }
        if (b->order[i].block == POF_NONE) {
            z->order = z->orders ? z->order : i;
            z->orders++;
        }
    }
    return 0;
}

/* Hangs the zones that links join to `root` below it, nearest first. */
static int hang(struct pofi_zonal_solver *s, uint32_t t, uint32_t root, struct pof_err *err)
{
    const struct pof_zonal_book *b = s->book;
    uint32_t next = s->ordered;
    s->order[s->ordered++] = root;
    s->zone[root].parent = root;
    for (; next < s->ordered; next++) {
        uint32_t z = s->order[next];
        for (uint32_t i = b->link_first[t]; i < b->link_first[t + 1]; i++) {
            const struct pof_zonal_link *l = &b->link[i];
            uint32_t other = l->from == z ? l->to : l->to == z ? l->from : POF_NONE;
            if (other == POF_NONE || s->zone[other].border || s->zone[z].link == i) {
                continue;
            }
            if (s->zone[other].parent != POF_NONE) {
                const struct pof_text *x = name_of(s, z), *y = name_of(s, other);
                return pof_fail(err, POF_E_TOPOLOGY,
                                "the link of zones '%.*s' and '%.*s' closes a ring; give the price "
                                "of one zone of it",
                                (int)x->len, x->ptr, (int)y->len, y->ptr);
            }
            s->zone[other].parent = z;
            s->zone[other].link = i;
            s->order[s->ordered++] = other;
        }
    }
    return 0;
}

static int hang_all(struct pofi_zonal_solver *s, uint32_t t, struct pof_err *err)
{
    int rc = 0;
    s->ordered = 0;
    for (uint32_t z = 0; rc == 0 && z < s->zones; z++) {
        if (s->zone[z].here && !s->zone[z].border && s->zone[z].parent == POF_NONE) {
            rc = hang(s, t, z, err);
        }
    }
    return rc;
}

/* --- up --- */

/* Merges `n` ascending steps from `add` and their low end into a curve. O(curve + n). */
static int merge(struct pofi_zonal_solver *s, struct curve *c, const struct pof_zonal_step *add,
                 size_t n, struct pof_err *err)
{
    int rc = pof_grow(&s->spare, &s->spare_cap, c->n + n + 1, sizeof *s->spare, err);
    if (rc) {
        return rc;
    }
    const struct pof_zonal_step *own = c->step + c->head;
    size_t i = 0, k = 0, to = 0;
    while (i < c->n || k < n) {
        bool mine = k == n || (i < c->n && own[i].price <= add[k].price);
        struct pof_zonal_step x = mine ? own[i++] : add[k++];
        if (to && s->spare[to - 1].price == x.price) {
            s->spare[to - 1].wh += x.wh;
        } else {
            s->spare[to++] = x;
        }
    }
    struct pof_zonal_step *swap = c->step;
    size_t swap_cap = c->cap;
    c->step = s->spare;
    c->cap = s->spare_cap;
    c->head = 0;
    c->n = to;
    s->spare = swap;
    s->spare_cap = swap_cap;
    return 0;
}

static int64_t high(const struct curve *c)
{
    int64_t sum = c->low;
    for (size_t i = 0; i < c->n; i++) {
        sum += c->step[c->head + i].wh;
    }
    return sum;
}

/* The zone's own steps as the beginning of its curve. */
static int own_curve(struct pofi_zonal_solver *s, struct zone *z, int64_t extra,
                     struct pof_err *err)
{
    struct curve *c = &z->curve;
    int rc = pof_grow(&c->step, &c->cap, z->orders + 1, sizeof *c->step, err);
    c->head = c->n = 0;
    c->low = extra;
    for (size_t i = 0; rc == 0 && i < z->orders; i++) {
        const struct pof_zonal_order *o = &s->book->order[z->order + i];
        rc = o->demand ? pof_add(&c->low, -o->wh, err) : 0;
        if (c->n && c->step[c->n - 1].price == o->price) {
            rc = rc ? rc : pof_add(&c->step[c->n - 1].wh, o->wh, err);
        } else if (o->wh > 0) {
            c->step[c->n++] = (struct pof_zonal_step){o->price, o->wh};
        }
    }
    z->own_low = c->low;
    return rc;
}

/* Least and most that goes from zone z to the other end of a link. */
static void range_out(const struct pof_zonal_link *l, uint32_t z, int64_t *lo, int64_t *hi)
{
    *lo = l->from == z ? l->min_wh : -l->max_wh;
    *hi = l->from == z ? l->max_wh : -l->min_wh;
}

static int add_borders(struct pofi_zonal_solver *s, uint32_t t, uint32_t z, struct pof_err *err)
{
    const struct pof_zonal_book *b = s->book;
    int rc = 0;
    for (uint32_t i = b->link_first[t]; rc == 0 && i < b->link_first[t + 1]; i++) {
        const struct pof_zonal_link *l = &b->link[i];
        uint32_t other = l->from == z ? l->to : l->to == z ? l->from : POF_NONE;
        if (other == POF_NONE || !s->zone[other].border) {
            continue;
        }
        int64_t lo, hi;
        range_out(l, other, &lo, &hi);
        struct pof_zonal_step step = {s->zone[other].border_price, hi - lo};
        rc = pof_add(&s->zone[z].curve.low, lo, err);
        rc = rc || hi == lo ? rc : merge(s, &s->zone[z].curve, &step, 1, err);
    }
    return rc;
}

/* Cuts a curve to [lo, hi]; its low end becomes at least lo. Notes the prices at the cuts. */
static void cut(struct zone *z, int64_t lo, int64_t hi)
{
    struct curve *c = &z->curve;
    z->from_price = INT64_MIN;
    z->to_price = INT64_MAX;
    int64_t top = high(c);
    while (c->n && c->low < lo) {
        struct pof_zonal_step *first = &c->step[c->head];
        int64_t part = first->wh < lo - c->low ? first->wh : lo - c->low;
        z->from_price = first->price;
        c->low += part;
        first->wh -= part;
        c->head += first->wh == 0;
        c->n -= first->wh == 0;
    }
    while (c->n && top > hi) {
        struct pof_zonal_step *last = &c->step[c->head + c->n - 1];
        int64_t part = last->wh < top - hi ? last->wh : top - hi;
        z->to_price = last->price;
        top -= part;
        last->wh -= part;
        c->n -= last->wh == 0;
    }
}

/* Whether an area with this curve can have net supply between lo and hi; else notes by how much
 * not. */
static bool possible(const struct curve *c, int64_t lo, int64_t hi, uint32_t zone,
                     struct pofi_zonal_period *p)
{
    int64_t top = high(c);
    if (c->low <= hi && top >= lo) {
        return true;
    }
    p->stuck = zone;
    p->missing_wh = top < lo ? lo - top : hi - c->low;
    return false;
}

static int up(struct pofi_zonal_solver *s, struct pofi_zonal_period *p, struct pof_err *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < s->ordered; i++) {
        uint32_t z = s->order[i];
        rc = own_curve(s, &s->zone[z], p->extra[z], err);
        rc = rc ? rc : add_borders(s, p->period, z, err);
    }
    for (uint32_t i = s->ordered; rc == 0 && p->stuck == POF_NONE && i-- > 0;) {
        uint32_t z = s->order[i];
        struct zone *x = &s->zone[z];
        if (x->link == POF_NONE) {
            possible(&x->curve, 0, 0, z, p);
            continue;
        }
        int64_t lo, hi;
        range_out(&s->book->link[x->link], z, &lo, &hi);
        if (possible(&x->curve, lo, hi, z, p)) {
            cut(x, lo, hi);
            struct curve *to = &s->zone[x->parent].curve;
            rc = pof_add(&to->low, x->curve.low, err);
            rc = rc ? rc : merge(s, to, x->curve.step + x->curve.head, x->curve.n, err);
        }
    }
    return rc;
}

/* --- down --- */

/* The price at which a curve gives 0: the middle of those, rounded down; 0 without any step. */
static int64_t balance_price(const struct curve *c)
{
    int64_t at = c->low;
    size_t i = 0;
    while (i < c->n && at + c->step[c->head + i].wh < 0) {
        at += c->step[c->head + i++].wh;
    }
    if (c->n == 0) {
        return 0;
    }
    if (at == 0) {
        return c->step[c->head].price; /* nothing is served, nothing taken */
    }
    int64_t price = c->step[c->head + i].price;
    bool between = at + c->step[c->head + i].wh == 0 && i + 1 < c->n;
    int64_t sum = price + (between ? c->step[c->head + i + 1].price : price);
    return sum >= 0 ? sum / 2 : -((1 - sum) / 2);
}

/* What a curve gives at a price, without and with the steps of exactly that price. */
static void range_at(const struct curve *c, int64_t price, int64_t *lo, int64_t *hi)
{
    *lo = c->low;
    size_t i = 0;
    for (; i < c->n && c->step[c->head + i].price < price; i++) {
        *lo += c->step[c->head + i].wh;
    }
    *hi = *lo + (i < c->n && c->step[c->head + i].price == price ? c->step[c->head + i].wh : 0);
}

/* Own steps: all that is worth it, and `part` of those at exactly the price: first supply taken,
 * then demand not served. */
static void own_quantities(const struct pofi_zonal_solver *s, uint32_t z, int64_t part,
                           struct pofi_zonal_period *p)
{
    const struct zone *x = &s->zone[z];
    int64_t price = p->price[z], supply = 0, demand = 0;
    for (size_t i = 0; i < x->orders; i++) {
        const struct pof_zonal_order *o = &s->book->order[x->order + i];
        bool tie = o->price == price;
        int64_t wh = o->demand ? (o->price >= price ? o->wh : 0) : (o->price < price ? o->wh : 0);
        if (tie && !o->demand) {
            wh = part < o->wh ? part : o->wh;
            part -= wh;
        }
        *(o->demand ? &demand : &supply) += wh;
        p->welfare += (pof_zonal_wide)(o->demand ? wh : -wh) * o->price;
    }
    p->supply[z] = supply;
    p->demand[z] = demand - part; /* what supply at this price could not give */
    p->welfare -= (pof_zonal_wide)part * price;
}

/* Gives `part`, what is needed beyond the low end at the zone's price, to a link's range. */
static int64_t share(int64_t lo, int64_t hi, int64_t *part)
{
    int64_t take = *part < hi - lo ? *part : hi - lo;
    *part -= take;
    return lo + take;
}

/* What comes into z over a link. */
static void set_flow(const struct pofi_zonal_solver *s, struct pofi_zonal_period *p, uint32_t link,
                     uint32_t z, int64_t in)
{
    p->flow[link - s->book->link_first[p->period]] = s->book->link[link].to == z ? in : -in;
}

/* What can come into z over a link at z's price; the price of an outer zone is set on the way. */
static void range_in(struct pofi_zonal_solver *s, struct pofi_zonal_period *p, uint32_t link,
                     uint32_t z, int64_t *lo, int64_t *hi)
{
    const struct pof_zonal_link *l = &s->book->link[link];
    uint32_t other = l->from == z ? l->to : l->from;
    struct zone *x = &s->zone[other];
    if (x->border) {
        range_out(l, other, lo, hi);
        if (p->price[z] != x->border_price) {
            *(p->price[z] < x->border_price ? hi : lo) = p->price[z] < x->border_price ? *lo : *hi;
        }
        return;
    }
    int64_t price = p->price[z];
    p->price[other] = price < x->from_price ? x->from_price
                      : price > x->to_price ? x->to_price
                                            : price;
    range_at(&x->curve, price, lo, hi);
}

static bool outer(const struct pofi_zonal_solver *s, uint32_t link, uint32_t z, bool border)
{
    const struct pof_zonal_link *l = &s->book->link[link];
    uint32_t other = l->from == z ? l->to : l->to == z ? l->from : POF_NONE;
    return other != POF_NONE && s->zone[other].border == border &&
           (border || s->zone[other].link == link);
}

/* Own steps, outer zones, borders share what is needed at the zone's price, in this order. */
static void quantities(struct pofi_zonal_solver *s, uint32_t z, struct pofi_zonal_period *p)
{
    const struct pof_zonal_book *b = s->book;
    struct zone *x = &s->zone[z];
    uint32_t first = b->link_first[p->period], end = b->link_first[p->period + 1];
    int64_t part = x->target, lo, hi, own_part = 0;
    part -= x->own_low;
    for (size_t i = 0; i < x->orders; i++) {
        const struct pof_zonal_order *o = &b->order[x->order + i];
        part -= o->price < p->price[z] ? o->wh : 0;
        own_part += o->price == p->price[z] ? o->wh : 0;
    }
    for (int border = 0; border < 2; border++) {
        for (uint32_t i = first; i < end; i++) {
            if (outer(s, i, z, border)) {
                range_in(s, p, i, z, &lo, &hi);
                part -= lo;
            }
        }
    }
    int64_t own = share(0, own_part, &part);
    own_quantities(s, z, own, p);
    for (int border = 0; border < 2; border++) {
        for (uint32_t i = first; i < end; i++) {
            if (!outer(s, i, z, border)) {
                continue;
            }
            uint32_t other = b->link[i].from == z ? b->link[i].to : b->link[i].from;
            range_in(s, p, i, z, &lo, &hi);
            int64_t in = share(lo, hi, &part);
            set_flow(s, p, i, z, in);
            s->zone[other].target = in;
            p->welfare -= border ? (pof_zonal_wide)in * s->zone[other].border_price : 0;
        }
    }
}

/* Links from border to border carry nothing: neither end is cleared here. */
static void idle_links(const struct pofi_zonal_solver *s, struct pofi_zonal_period *p)
{
    const struct pof_zonal_book *b = s->book;
    for (uint32_t i = b->link_first[p->period]; i < b->link_first[p->period + 1]; i++) {
        p->flow[i - b->link_first[p->period]] = 0;
    }
    for (uint32_t z = 0; z < s->zones; z++) {
        p->known[z] = s->zone[z].here;
        p->price[z] = s->zone[z].border ? s->zone[z].border_price : 0;
        p->supply[z] = p->demand[z] = 0;
    }
}

int pofi_zonal_solve(struct pofi_zonal_solver *s, struct pofi_zonal_period *p, struct pof_err *err)
{
    p->stuck = POF_NONE;
    p->welfare = 0;
    int rc = gather(s, p->period, err);
    rc = rc ? rc : hang_all(s, p->period, err);
    rc = rc ? rc : up(s, p, err);
    if (rc || p->stuck != POF_NONE) {
        return rc;
    }
    idle_links(s, p);
    for (uint32_t i = 0; i < s->ordered; i++) {
        uint32_t z = s->order[i];
        if (s->zone[z].link == POF_NONE) {
            p->price[z] = balance_price(&s->zone[z].curve);
            s->zone[z].target = 0;
        }
        quantities(s, z, p);
    }
    return 0;
}
