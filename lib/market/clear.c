/* SPDX-License-Identifier: Apache-2.0 */
/* The tree method: curves folded bottom-up, marginal prices and quantities top-down. */
#include "market/clear.h"

#include "base/mem.h"
#include "base/text.h"
#include "market/curve.h"
#include "market/need.h"

#include <stdlib.h>

/* The objectives in one number. An exchange that could improve a result (a cycle of the flow
 * network) involves at most two offers, so ranks below 2^32 cannot outweigh a watt unmet, which
 * counts 2^33; and 2^23 nested requests at that stay below half of 2^59, the least step of a price.
 */
enum { RANK_BITS = 33, COST_BITS = 59, REQUESTS_MAX = 1 << 23 };
#define POWER_MAX (INT64_C(1) << 62) /* W, in all */
#define PRICE_MAX (INT64_C(1) << 60) /* one price; ceilings in all */
#define NO_LIMIT INT64_MAX

/* What an area's curve went through, and the marginal cost at its place. */
enum op_kind { OP_FLOOR, OP_CAP, OP_UP, OP_DOWN };

struct op {
    pof_wide key;   /* inner slope at the place; not used when whole */
    pof_wide shift; /* OP_UP, OP_DOWN: what was added to the part on the unmet side, > 0 */
    int64_t flow;   /* net activation at the place, W */
    enum op_kind kind;
    bool own;   /* on the node's own offers */
    bool whole; /* the unmet side is the whole curve */
};

/* Nodes between binding places share one marginal cost and one balance. */
struct zone {
    int64_t rest;    /* net activation that is not accounted for yet, W */
    size_t marginal; /* the one offer at the margin; SIZE_MAX: none */
    bool open;       /* ends at a root: no balance */
};

struct pof_clearing {
    const struct pof_clear_problem *problem;
    struct pof_curves curves;
    struct pof_need *need;
    size_t *first;              /* [nodes + 1] first offer of a node */
    size_t *base;               /* [nodes] by place: runs on the stack before the subtree began */
    int64_t *low, *high;        /* [nodes] by place: domain of f so far */
    int64_t *cap_up, *cap_down; /* [nodes] by place: limits */
    size_t *op_end;             /* [nodes] by place: ops of a place end here */
    pof_wide *price;            /* [nodes] by place */
    size_t *zone_at;            /* [nodes] by place */
    struct op *op;
    struct zone *zone;
    size_t ops, zones;
    size_t need_cap, first_cap, base_cap, low_cap, high_cap, up_cap, down_cap, end_cap, price_cap,
        at_cap, op_cap, zone_cap;
};

int pof_clearing_new(struct pof_clearing **out, struct pof_err *err)
{
    return pof_calloc(out, 1, sizeof **out, err);
}

void pof_clearing_free(struct pof_clearing *c)
{
    if (!c) {
        return;
    }
    pof_curves_release(&c->curves);
    free(c->need);
    free(c->first);
    free(c->base);
    free(c->low);
    free(c->high);
    free(c->cap_up);
    free(c->cap_down);
    free(c->op_end);
    free(c->price);
    free(c->zone_at);
    free(c->op);
    free(c->zone);
    free(c);
}

/* --- slopes --- */

static pof_wide offer_slope(const struct pof_clear_offer *o)
{
    pof_wide cost = (pof_wide)o->price_ueur * ((pof_wide)1 << COST_BITS) + o->rank;
    return o->direction == POF_UP ? cost : -cost;
}

static pof_wide ceiling_slope(int64_t ceiling_ueur)
{
    return ((pof_wide)ceiling_ueur << COST_BITS) + ((pof_wide)1 << RANK_BITS);
}

/* The nearest price: ties are less than half a unit. */
static int64_t slope_price(pof_wide slope)
{
    return (int64_t)((slope + ((pof_wide)1 << (COST_BITS - 1))) >> COST_BITS);
}

struct pof_marginal pof_marginal_of(pof_wide cost)
{
    struct pof_marginal m = {.price_ueur = slope_price(cost)};
    pof_wide tie = cost - (pof_wide)m.price_ueur * ((pof_wide)1 << COST_BITS);
    m.unmet = (int64_t)((tie + ((pof_wide)1 << (RANK_BITS - 1))) >> RANK_BITS);
    m.rank = (int64_t)(tie - (pof_wide)m.unmet * ((pof_wide)1 << RANK_BITS));
    return m;
}

int pof_clear_offer_cmp(const void *pa, const void *pb)
{
    const struct pof_clear_offer *a = pa, *b = pb;
    if (a->node != b->node) {
        return a->node < b->node ? -1 : 1;
    }
    pof_wide sa = offer_slope(a), sb = offer_slope(b);
    return (sa > sb) - (sa < sb);
}

/* --- checks --- */

static int check_offers(const struct pof_clear_problem *p, struct pof_err *err)
{
    int64_t sum = 0;
    for (size_t i = 0; i < p->offers; i++) {
        const struct pof_clear_offer *o = &p->offer[i];
        if (o->node >= p->forest->n || o->p_w < 0 || o->frozen_w < 0 || o->frozen_w > o->p_w ||
            o->price_ueur < -PRICE_MAX || o->rank == 0) {
            return pof_fail(err, POF_E_RANGE,
                            "offer %zu has a node, power, price or rank out of range", i);
        }
        if (i > 0 && o[-1].node >= o->node && pof_clear_offer_cmp(o - 1, o) >= 0) {
            return pof_fail(err, POF_E_RANGE, "offers %zu and %zu are out of order", i - 1, i);
        }
        if (o->p_w > POWER_MAX - sum || o->price_ueur > PRICE_MAX) {
            return pof_fail(err, POF_E_OVERFLOW,
                            "offers add up to more than 2^62 W or a price exceeds 2^60");
        }
        sum += o->p_w;
    }
    return 0;
}

static int check_requests(const struct pof_clear_problem *p, struct pof_err *err)
{
    int64_t power = 0, ceilings = 0;
    if (p->requests > REQUESTS_MAX) {
        return pof_fail(err, POF_E_OVERFLOW, "%zu requests at once, at most %d can be cleared",
                        p->requests, REQUESTS_MAX);
    }
    for (size_t i = 0; i < p->requests; i++) {
        const struct pof_clear_request *r = &p->request[i];
        if (r->node >= p->forest->n || r->p_w < 0 || r->ceiling_ueur < 0) {
            return pof_fail(err, POF_E_RANGE,
                            "request %zu has a node, power or ceiling out of range", i);
        }
        if (r->p_w > POWER_MAX - power || r->ceiling_ueur > PRICE_MAX - ceilings) {
            return pof_fail(
                err, POF_E_OVERFLOW,
                "requests add up to more than 2^62 W or their ceilings to more than 2^60");
        }
        power += r->p_w;
        ceilings += r->ceiling_ueur;
    }
    for (size_t i = 0; i < p->limits; i++) {
        const struct pof_clear_limit *l = &p->limit[i];
        if (l->node >= p->forest->n || l->p_up_w < 0 || l->p_down_w < 0) {
            return pof_fail(err, POF_E_RANGE, "limit %zu has a node or power out of range", i);
        }
    }
    return 0;
}

/* --- preparation --- */

static int reserve(struct pof_clearing *c, struct pof_err *err)
{
    const struct pof_clear_problem *p = c->problem;
    size_t n = p->forest->n;
    int rc = pof_curves_reset(&c->curves, p->offers + p->requests, err);
    rc = rc ? rc : pof_grow(&c->need, &c->need_cap, p->requests + 1, sizeof *c->need, err);
    rc = rc ? rc : pof_grow(&c->first, &c->first_cap, n + 1, sizeof *c->first, err);
    rc = rc ? rc : pof_grow(&c->base, &c->base_cap, n + 1, sizeof *c->base, err);
    rc = rc ? rc : pof_grow(&c->low, &c->low_cap, n + 1, sizeof *c->low, err);
    rc = rc ? rc : pof_grow(&c->high, &c->high_cap, n + 1, sizeof *c->high, err);
    rc = rc ? rc : pof_grow(&c->cap_up, &c->up_cap, n + 1, sizeof *c->cap_up, err);
    rc = rc ? rc : pof_grow(&c->cap_down, &c->down_cap, n + 1, sizeof *c->cap_down, err);
    rc = rc ? rc : pof_grow(&c->op_end, &c->end_cap, n + 1, sizeof *c->op_end, err);
    rc = rc ? rc : pof_grow(&c->price, &c->price_cap, n + 1, sizeof *c->price, err);
    rc = rc ? rc : pof_grow(&c->zone_at, &c->at_cap, n + 1, sizeof *c->zone_at, err);
    size_t ops = p->requests + 2 * p->limits + 1;
    rc = rc ? rc : pof_grow(&c->op, &c->op_cap, ops, sizeof *c->op, err);
    return rc ? rc : pof_grow(&c->zone, &c->zone_cap, ops + 1, sizeof *c->zone, err);
}

static void prepare(struct pof_clearing *c)
{
    const struct pof_clear_problem *p = c->problem;
    uint32_t n = p->forest->n;
    size_t next = 0;
    for (uint32_t v = 0; v < n; v++) {
        c->first[v] = next;
        while (next < p->offers && p->offer[next].node == v) {
            next++;
        }
        c->low[v] = c->high[v] = 0;
        c->cap_up[v] = c->cap_down[v] = NO_LIMIT;
    }
    c->first[n] = next;
    for (size_t i = 0; i < p->limits; i++) {
        const struct pof_clear_limit *l = &p->limit[i];
        uint32_t at = p->forest->pos[l->node];
        c->cap_up[at] = l->p_up_w < c->cap_up[at] ? l->p_up_w : c->cap_up[at];
        c->cap_down[at] = l->p_down_w < c->cap_down[at] ? l->p_down_w : c->cap_down[at];
    }
    pof_needs_build(c->need, p);
    c->ops = c->zones = 0;
}

/* --- bottom-up --- */

/* A curve on top of the stack and its domain. */
struct area {
    size_t base;
    int64_t low, high;
    bool own;
};

/* The cost of what is unmet, on one side of flow. */
static void add_elastic(struct pof_clearing *c, const struct area *a, struct op op)
{
    bool up = op.kind == OP_UP;
    if (up ? op.flow <= a->low : op.flow >= a->high) {
        return; /* always met */
    }
    op.own = a->own;
    op.whole = up ? op.flow >= a->high : op.flow <= a->low;
    if (op.whole) {
        pof_curves_shift_all(&c->curves, a->base, up ? -op.shift : op.shift);
    } else {
        op.key = pof_curves_shift(&c->curves, a->base, op.flow - a->low, up ? -op.shift : op.shift);
    }
    c->op[c->ops++] = op;
}

/* A stack of requests is a sum of hinges: each step costs what its ceiling is above the next. */
static void add_stack(struct pof_clearing *c, const struct area *a, size_t i, size_t end)
{
    int64_t sum = 0;
    for (; i < end; i++) {
        sum += c->need[i].p_w;
        pof_wide next = i + 1 < end ? ceiling_slope(c->need[i + 1].ceiling_ueur) : 0;
        struct op op = {.shift = ceiling_slope(c->need[i].ceiling_ueur) - next};
        op.kind = c->need[i].direction == POF_UP ? OP_UP : OP_DOWN;
        op.flow = op.kind == OP_UP ? sum : -sum;
        if (op.shift > 0) {
            add_elastic(c, a, op);
        }
    }
}

/* All stacks of one area; *next is the first need that is not treated yet. */
static void add_needs(struct pof_clearing *c, const struct area *a, uint32_t place, size_t *next)
{
    size_t n = c->problem->requests;
    while (*next < n && c->need[*next].place == place && c->need[*next].own == a->own) {
        size_t end = pof_stack_end(c->need, *next, n);
        add_stack(c, a, *next, end);
        *next = end;
    }
}

static int add_limit(struct pof_clearing *c, struct area *a, uint32_t place, struct pof_err *err)
{
    int64_t cap = c->cap_up[place], floor = -c->cap_down[place];
    if (floor > a->high || cap < a->low) {
        return pof_fail(err, POF_E_CONFLICT, "frozen activation below node %u exceeds its limit",
                        c->problem->forest->node[place]);
    }
    if (floor > a->low) {
        pof_wide key = pof_curves_cut_low(&c->curves, a->base, floor - a->low);
        c->op[c->ops++] = (struct op){.kind = OP_FLOOR, .key = key, .flow = floor};
        a->low = floor;
    }
    if (cap < a->high) {
        pof_wide key = pof_curves_cut_high(&c->curves, a->base, a->high - cap);
        c->op[c->ops++] = (struct op){.kind = OP_CAP, .key = key, .flow = cap};
        a->high = cap;
    }
    return 0;
}

/* A node's own offers as a curve on top of the stack. */
static struct area push_own(struct pof_clearing *c, uint32_t node)
{
    struct area own = {.base = c->curves.runs, .own = true};
    pof_curves_begin(&c->curves);
    for (size_t i = c->first[node]; i < c->first[node + 1]; i++) {
        const struct pof_clear_offer *o = &c->problem->offer[i];
        if (o->direction == POF_UP) {
            own.low += o->frozen_w;
            own.high += o->p_w;
        } else {
            own.low -= o->p_w;
            own.high -= o->frozen_w;
        }
        if (o->p_w > o->frozen_w) {
            pof_curves_add(&c->curves, offer_slope(o), o->p_w - o->frozen_w);
        }
    }
    pof_curves_end(&c->curves);
    return own;
}

static int fold_up(struct pof_clearing *c, struct pof_err *err)
{
    const struct pof_forest *f = c->problem->forest;
    size_t next_need = 0;
    for (uint32_t at = 0; at < f->n; at++) {
        c->base[at] = c->curves.runs;
        struct area own = push_own(c, f->node[at]);
        add_needs(c, &own, at, &next_need);
        struct area all = {.base = c->base[at + 1 - f->size[at]],
                           .low = c->low[at] + own.low,
                           .high = c->high[at] + own.high};
        pof_curves_fold(&c->curves, all.base);
        int rc = add_limit(c, &all, at, err);
        if (rc) {
            return rc;
        }
        add_needs(c, &all, at, &next_need);
        c->op_end[at] = c->ops;
        if (f->up[at] == POF_NONE) {
            c->curves.runs = all.base; /* a root's curve has served */
        } else {
            c->low[f->up[at]] += all.low;
            c->high[f->up[at]] += all.high;
        }
    }
    return 0;
}

/* --- top-down --- */

/* The marginal cost inside, from the one outside: where the outer price falls among the slopes of
 * the curve after the op decides where it falls before. *binding: f is exactly at the op's place.
 */
static pof_wide inner_price(const struct op *op, pof_wide outer, bool *binding)
{
    *binding = false;
    switch (op->kind) {
    case OP_FLOOR:
        *binding = outer < op->key;
        break;
    case OP_CAP:
        *binding = outer > op->key;
        break;
    case OP_UP:
        if (op->whole || outer + op->shift <= op->key) {
            return outer + op->shift;
        }
        *binding = outer < op->key;
        break;
    case OP_DOWN:
        if (op->whole || outer - op->shift >= op->key) {
            return outer - op->shift;
        }
        *binding = outer > op->key;
        break;
    }
    return *binding ? op->key : outer;
}

/* Where a price holds and which balance it belongs to. */
struct margin {
    pof_wide price;
    size_t zone;
};

static void enter(struct pof_clearing *c, const struct op *op, struct margin *m)
{
    bool binding;
    m->price = inner_price(op, m->price, &binding);
    if (binding) {
        c->zone[m->zone].rest -= op->flow;
        c->zone[c->zones] = (struct zone){.rest = op->flow, .marginal = SIZE_MAX};
        m->zone = c->zones++;
    }
}

static void take_own(struct pof_clearing *c, uint32_t node, const struct margin *m, int64_t *taken)
{
    struct zone *z = &c->zone[m->zone];
    for (size_t i = c->first[node]; i < c->first[node + 1]; i++) {
        const struct pof_clear_offer *o = &c->problem->offer[i];
        pof_wide slope = offer_slope(o);
        bool up = o->direction == POF_UP;
        if (slope == m->price) {
            z->marginal = i;
            continue;
        }
        taken[i] = (slope < m->price) == up ? o->p_w : o->frozen_w;
        z->rest -= up ? taken[i] : -taken[i];
    }
}

static void pass_down(struct pof_clearing *c, struct pof_clear_result *result)
{
    const struct pof_forest *f = c->problem->forest;
    c->zone[c->zones++] = (struct zone){.marginal = SIZE_MAX, .open = true};
    for (uint32_t at = f->n; at-- > 0;) {
        uint32_t up = f->up[at], node = f->node[at];
        struct margin m = {0};
        if (up != POF_NONE) {
            m = (struct margin){c->price[up], c->zone_at[up]};
        }
        size_t k = c->op_end[at], begin = at ? c->op_end[at - 1] : 0;
        while (k > begin && !c->op[k - 1].own) {
            enter(c, &c->op[--k], &m);
        }
        c->price[at] = m.price;
        c->zone_at[at] = m.zone;
        while (k > begin) {
            enter(c, &c->op[--k], &m);
        }
        take_own(c, node, &m, result->taken_w);
        if (result->node_price_ueur) {
            result->node_price_ueur[node] = slope_price(c->price[at]);
        }
        if (result->own_price_ueur) {
            result->own_price_ueur[node] = slope_price(m.price);
        }
        if (result->node_cost) {
            result->node_cost[node] = c->price[at];
        }
        if (result->own_cost) {
            result->own_cost[node] = m.price;
        }
    }
}

/* What a zone's balance leaves for its marginal offer. */
static int settle_zones(const struct pof_clearing *c, int64_t *taken, struct pof_err *err)
{
    for (size_t i = 0; i < c->zones; i++) {
        const struct zone *z = &c->zone[i];
        int64_t rest = z->rest;
        if (z->marginal != SIZE_MAX) {
            const struct pof_clear_offer *o = &c->problem->offer[z->marginal];
            int64_t q = o->direction == POF_UP ? rest : -rest;
            if (z->open || q < o->frozen_w || q > o->p_w) {
                return pof_fail(err, POF_E_INTERNAL, "zone %zu leaves %lld W to offer %zu", i,
                                (long long)q, z->marginal);
            }
            taken[z->marginal] = q;
            rest = 0;
        }
        if (!z->open && rest != 0) {
            return pof_fail(err, POF_E_INTERNAL, "zone %zu is off balance by %lld W", i,
                            (long long)rest);
        }
    }
    return 0;
}

int pof_clear_solve(struct pof_clearing *c, const struct pof_clear_problem *problem,
                    struct pof_clear_result *result, struct pof_err *err)
{
    int rc = check_offers(problem, err);
    rc = rc ? rc : check_requests(problem, err);
    if (rc) {
        return rc;
    }
    c->problem = problem;
    rc = reserve(c, err);
    if (rc) {
        return rc;
    }
    prepare(c);
    rc = fold_up(c, err);
    if (rc) {
        return rc;
    }
    pass_down(c, result);
    return settle_zones(c, result->taken_w, err);
}
