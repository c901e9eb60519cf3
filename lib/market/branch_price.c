/* SPDX-License-Identifier: Apache-2.0 */
/* Entry prices of open blocks: what a block asks in all, spread over its entries so that the
 * quarter-hours, each by itself, bound the cost well. */
#include "market/branch_impl.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Prices within what the tree method takes, whatever node prices are. */
#define PRICE_FAR (INT64_C(1) << 58)

static const struct pof_unit *unit_at(const struct pofi_part *b, uint32_t unit)
{
    return &b->ix->p->unit[unit];
}

/* Only whole blocks of several entries have prices to spread. */
static bool spreads(const struct pofi_part *b, uint32_t unit)
{
    const struct pof_unit *u = unit_at(b, unit);
    if (b->state[unit] != POFI_OPEN || u->last - u->first < 2) {
        return false;
    }
    for (size_t e = u->first; e < u->last; e++) {
        if (b->ix->p->entry[e].low_w < pofi_branch_offer(b, e)->p_w) {
            return false;
        }
    }
    return true;
}

/* One of a spell has a price to find, from what it asks up. */
static bool waits(const struct pofi_part *b, uint32_t unit)
{
    return pofi_timed(b, unit) && b->state[unit] == POFI_OPEN;
}

static int64_t no_less(int64_t price, const struct pof_clear_offer *o)
{
    return price > o->price_ueur ? price : o->price_ueur;
}

pof_wide pofi_branch_slack(const struct pofi_part *b, uint32_t unit)
{
    pof_wide sum = 0;
    for (size_t e = unit_at(b, unit)->first; e < unit_at(b, unit)->last; e++) {
        const struct pof_clear_offer *o = pofi_branch_offer(b, e);
        sum += (pof_wide)o->p_w * (o->price_ueur - b->price[e]);
    }
    return sum;
}

int64_t pofi_branch_share(const struct pofi_part *b, uint32_t unit)
{
    pof_wide taken = 0, all = 0;
    for (size_t e = unit_at(b, unit)->first; e < unit_at(b, unit)->last; e++) {
        taken += b->relaxed.taken[e];
        all += pofi_branch_offer(b, e)->p_w;
    }
    return all ? (int64_t)((taken << 20) / all) : 0;
}

static int64_t bounded(pof_wide x)
{
    return x > PRICE_FAR ? PRICE_FAR : x < -PRICE_FAR ? -PRICE_FAR : (int64_t)x;
}

/* Moves all prices of a block alike, until power times price adds up to what it asks: a little less
 * where watts do not divide it, never more. */
static void level(struct pofi_part *b, uint32_t unit)
{
    const struct pof_unit *u = unit_at(b, unit);
    pof_wide slack = pofi_branch_slack(b, unit), power = 0;
    for (size_t e = u->first; e < u->last; e++) {
        power += pofi_branch_offer(b, e)->p_w;
    }
    if (power == 0) {
        return;
    }
    pof_wide step = slack / power - (slack % power < 0), rest = slack - step * power;
    for (size_t e = u->first; e < u->last; e++) {
        int64_t p = pofi_branch_offer(b, e)->p_w;
        bool more = p > 0 && rest >= p;
        rest -= more ? p : 0;
        b->price[e] = bounded(b->price[e] + step + more);
    }
    if (pofi_branch_slack(b, unit) <
        0) { /* prices beyond the bounds: what was asked is a bound too */
        for (size_t e = u->first; e < u->last; e++) {
            b->price[e] = pofi_branch_offer(b, e)->price_ueur;
        }
    }
}

/* What the block earns too little or too much, spread evenly: with node prices as they are, no
 * other spread gives a better bound. */
static void follow_nodes(struct pofi_part *b, uint32_t unit)
{
    const struct pof_unit *u = unit_at(b, unit);
    for (size_t e = u->first; e < u->last; e++) {
        b->price[e] = bounded(b->relaxed.value[e]);
    }
    level(b, unit);
}

/* Entries that are taken more than the others become dearer: the step's direction is what they are
 * taken, less the part that all have in common. */
static double common(const struct pofi_part *b, uint32_t unit)
{
    double taken = 0, power = 0;
    for (size_t e = unit_at(b, unit)->first; e < unit_at(b, unit)->last; e++) {
        double p = (double)pofi_branch_offer(b, e)->p_w;
        taken += p * (double)b->relaxed.taken[e];
        power += p * p;
    }
    return power > 0 ? taken / power : 0;
}

struct steps {
    int64_t *best;  /* [entries of the part's units, in turn] prices of the best bound */
    double *course; /* direction, in the same order */
    size_t n;
    pof_wide bound;
};

static void save(const struct pofi_part *b, struct steps *s)
{
    size_t n = 0;
    for (size_t k = 0; k < b->units; k++) {
        for (size_t e = unit_at(b, b->unit[k])->first; e < unit_at(b, b->unit[k])->last; e++) {
            s->best[n++] = b->price[e];
        }
    }
}

static void restore(struct pofi_part *b, const struct steps *s)
{
    size_t n = 0;
    for (size_t k = 0; k < b->units; k++) {
        for (size_t e = unit_at(b, b->unit[k])->first; e < unit_at(b, b->unit[k])->last; e++) {
            b->price[e] = s->best[n++];
        }
        pofi_branch_touch(b, b->unit[k], &b->relaxed);
    }
}

/* The direction is part of the last one and part of the subgradient (a deflected subgradient: P.
 * Camerini, L. Fratta, F. Maffioli, Math. Programming Study 3, 1975). Returns its squared length.
 */
static double aim(const struct pofi_part *b, struct steps *s)
{
    double length = 0;
    size_t n = 0;
    for (size_t k = 0; k < b->units; k++) {
        uint32_t u = b->unit[k];
        bool open = spreads(b, u);
        if (waits(b, u)) { /* what is taken of it less what the best choice keeps */
            double p = (double)pofi_branch_offer(b, unit_at(b, u)->first)->p_w;
            double g = (double)b->relaxed.taken[unit_at(b, u)->first] - (b->kept[u] ? p : 0);
            s->course[n] = 0.7 * s->course[n] + 0.3 * g;
            length += s->course[n] * s->course[n];
        }
        double mean = open ? common(b, u) : 0;
        for (size_t e = unit_at(b, u)->first; e < unit_at(b, u)->last; e++, n++) {
            if (open) {
                double p = (double)pofi_branch_offer(b, e)->p_w;
                double g = (double)b->relaxed.taken[e] - p * mean;
                s->course[n] = 0.7 * s->course[n] + 0.3 * g;
                length += s->course[n] * s->course[n];
            }
        }
    }
    return length;
}

static void step(struct pofi_part *b, const struct steps *s, double size)
{
    size_t n = 0;
    for (size_t k = 0; k < b->units; k++) {
        uint32_t u = b->unit[k];
        size_t from = n;
        n += unit_at(b, u)->last - unit_at(b, u)->first;
        if (!spreads(b, u) && !waits(b, u)) {
            continue;
        }
        bool moved = false;
        for (size_t i = 0; i < n - from; i++) {
            double by = size * s->course[from + i];
            size_t e = unit_at(b, u)->first + i;
            by = by > 1e17 ? 1e17 : by < -1e17 ? -1e17 : by;
            b->price[e] = bounded((pof_wide)b->price[e] + (int64_t)by);
            moved |= (int64_t)by != 0;
        }
        if (moved && waits(b, u)) {
            b->price[unit_at(b, u)->first] =
                no_less(b->price[unit_at(b, u)->first], pofi_branch_offer(b, unit_at(b, u)->first));
            pofi_branch_touch(b, u, &b->relaxed);
        } else if (moved) {
            level(b, u);
            pofi_branch_touch(b, u, &b->relaxed);
        }
    }
}

/* Bound with the prices as they are; keeps them when it is the best. */
static int measure(struct pofi_part *b, struct steps *s, bool *better, struct pof_err *err)
{
    int rc = pofi_branch_refresh(b, b->state, &b->relaxed, err);
    pof_wide bound = 0;
    rc = rc ? rc : pofi_branch_bound(b, &bound, err);
    *better = rc == 0 && bound > s->bound;
    if (*better) {
        s->bound = bound;
        save(b, s);
    }
    return rc;
}

static int alternate(struct pofi_part *b, struct steps *s, struct pof_err *err)
{
    bool better = true;
    int rc = 0;
    for (int i = 0; rc == 0 && better && i < 4; i++) {
        for (size_t k = 0; k < b->units; k++) {
            if (spreads(b, b->unit[k])) {
                follow_nodes(b, b->unit[k]);
                pofi_branch_touch(b, b->unit[k], &b->relaxed);
            } else if (waits(b, b->unit[k])) {
                size_t e = unit_at(b, b->unit[k])->first;
                b->price[e] = no_less(bounded(b->relaxed.value[e]), pofi_branch_offer(b, e));
                pofi_branch_touch(b, b->unit[k], &b->relaxed);
            }
        }
        rc = measure(b, s, &better, err);
    }
    return rc;
}

static int climb(struct pofi_part *b, struct steps *s, unsigned rounds, struct pof_err *err)
{
    double size = 1;
    unsigned idle = 0;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < rounds && s->bound < b->cost; i++) {
        double length = aim(b, s);
        bool better;
        if (length <= 0) {
            break;
        }
        step(b, s, size * (double)(b->cost - s->bound) / length);
        rc = measure(b, s, &better, err);
        idle = better ? 0 : idle + 1;
        if (idle == 6) {
            size /= 2;
            idle = 0;
        }
    }
    return rc;
}

int pofi_branch_price(struct pofi_part *b, unsigned rounds, struct pof_err *err)
{
    struct steps s = {.bound = -POFI_NEVER};
    bool any = false, better;
    for (size_t k = 0; k < b->units; k++) {
        s.n += unit_at(b, b->unit[k])->last - unit_at(b, b->unit[k])->first;
        any |= spreads(b, b->unit[k]) || waits(b, b->unit[k]);
    }
    int rc = pof_calloc(&s.best, s.n, sizeof *s.best, err);
    rc = rc ? rc : pof_calloc(&s.course, s.n, sizeof *s.course, err);
    rc = rc ? rc : measure(b, &s, &better, err);
    if (rc == 0 && any) {
        rc = b->cost == POFI_NEVER ? alternate(b, &s, err) : climb(b, &s, rounds, err);
        if (rc == 0) {
            restore(b, &s);
            rc = measure(b, &s, &better, err);
        }
    }
    b->bound = s.bound;
    free(s.best);
    free(s.course);
    return rc;
}
