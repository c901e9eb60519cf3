/* SPDX-License-Identifier: Apache-2.0 */
/* Rows on top of the tree method. */
#include "market/mesh.h"

#include "base/mem.h"
#include "market/certificate.h"
#include "market/lp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ONE 1000000 /* ppm; and how much finer prices are than 1e-6 EUR/MWh while rows are part of them */
#define PRICE_MAX (INT64_C(1) << 60) /* of clear.h */

/* An offer at its price with rows, and where it stands in the problem. */
struct priced {
    struct pof_clear_offer offer; /* first, so that pof_clear_offer_cmp sorts these */
    size_t at;
};

struct work {
    struct pof_clearing *c;
    const struct pof_mesh *m;
    int64_t scale;            /* of prices: ONE, or 1 where they would become too large */
    int64_t *dual;            /* [rows] 1e-6 EUR/MWh; 0 with scale 1 */
    int64_t *low, *high;      /* [offers] bounds of a solution */
    int64_t *taken;           /* [offers] of that, in the order of the problem */
    double *x, *price;        /* [offers], [rows] of the linear program */
    int64_t (*tighter)[2];    /* [rows] W, of the upper bound and of the lower */
    struct pof_lp_row *row;   /* [rows] */
    struct priced *priced;    /* [offers] */
    struct pof_clear_offer *offer; /* [offers] */
    struct pof_clear_request *request;
    int64_t *q; /* [offers] in order of price */
};

/* Above the upper bound, or below the lower as a negative number. */
static int64_t excess(const struct pof_mesh *m, size_t row, const int64_t *taken_w)
{
    const struct pof_mesh_row *r = &m->row[row];
    pof_wide sum = 0;
    for (size_t i = 0; i < m->tree->offers; i++) {
        const struct pof_clear_offer *o = &m->tree->offer[i];
        sum += (pof_wide)r->ppm[o->node] * (o->direction == POF_UP ? taken_w[i] : -taken_w[i]);
    }
    pof_wide over = sum - (pof_wide)r->p_up_w * ONE, under = -sum - (pof_wide)r->p_down_w * ONE;
    return over > 0 ? (int64_t)((over + ONE - 1) / ONE) : under > 0 ? -(int64_t)((under + ONE - 1) / ONE) : 0;
}

int64_t pof_mesh_excess(const struct pof_mesh *m, size_t row, const int64_t *taken_w)
{
    int64_t w = excess(m, row, taken_w);
    return w < 0 ? -w : w;
}

static int allocate(struct work *w, struct pof_err *err)
{
    const size_t n = w->m->tree->offers, rows = w->m->rows;
    int rc = pof_calloc(&w->dual, rows, sizeof *w->dual, err);
    rc = rc ? rc : pof_calloc(&w->low, n, sizeof *w->low, err);
    rc = rc ? rc : pof_calloc(&w->high, n, sizeof *w->high, err);
    rc = rc ? rc : pof_calloc(&w->taken, n, sizeof *w->taken, err);
    rc = rc ? rc : pof_calloc(&w->q, n, sizeof *w->q, err);
    rc = rc ? rc : pof_calloc(&w->x, n, sizeof *w->x, err);
    rc = rc ? rc : pof_calloc(&w->price, rows, sizeof *w->price, err);
    rc = rc ? rc : pof_calloc(&w->tighter, rows, sizeof *w->tighter, err);
    rc = rc ? rc : pof_calloc(&w->row, rows, sizeof *w->row, err);
    rc = rc ? rc : pof_calloc(&w->priced, n, sizeof *w->priced, err);
    rc = rc ? rc : pof_calloc(&w->offer, n, sizeof *w->offer, err);
    return rc ? rc : pof_calloc(&w->request, w->m->tree->requests, sizeof *w->request, err);
}

static void release(struct work *w)
{
    free(w->dual);
    free(w->low);
    free(w->high);
    free(w->taken);
    free(w->q);
    free(w->x);
    free(w->price);
    free(w->tighter);
    free(w->row);
    free(w->priced);
    free(w->offer);
    free(w->request);
}

/* What one watt of an offer does to all rows at their duals, 1e-12 EUR/MWh. */
static pof_wide row_price(const struct work *w, const struct pof_clear_offer *o)
{
    pof_wide sum = 0;
    for (size_t r = 0; r < w->m->rows; r++) {
        sum += (pof_wide)w->dual[r] * w->m->row[r].ppm[o->node];
    }
    return o->direction == POF_UP ? -sum : sum;
}

/* Duals are taken as they are when all prices with them fit the tree method; else rows have no price. */
static void take_duals(struct work *w)
{
    const struct pof_clear_problem *p = w->m->tree;
    pof_wide ceilings = 0;
    bool fits = true;
    for (size_t r = 0; r < w->m->rows; r++) {
        fits = fits && fabs(w->price[r]) < 1e15;
        w->dual[r] = fits ? llround(w->price[r]) : 0;
    }
    for (size_t i = 0; fits && i < p->requests; i++) {
        ceilings += (pof_wide)p->request[i].ceiling_ueur * ONE;
        fits = ceilings <= PRICE_MAX;
    }
    for (size_t i = 0; fits && i < p->offers; i++) {
        pof_wide price = (pof_wide)p->offer[i].price_ueur * ONE + row_price(w, &p->offer[i]);
        fits = price <= PRICE_MAX && price >= -PRICE_MAX;
    }
    w->scale = fits ? ONE : 1;
    for (size_t r = 0; !fits && r < w->m->rows; r++) {
        w->dual[r] = 0;
    }
}

/* The tree method at prices with rows, quantities within low and high; *value NULL: not wanted. */
static int solve_priced(struct work *w, pof_wide *value, struct pof_err *err)
{
    struct pof_clear_problem p = *w->m->tree;
    for (size_t i = 0; i < p.offers; i++) {
        struct pof_clear_offer o = p.offer[i];
        o.price_ueur = (int64_t)((pof_wide)o.price_ueur * w->scale + row_price(w, &o));
        o.frozen_w = w->low[i];
        o.p_w = w->high[i];
        w->priced[i] = (struct priced){o, i};
    }
    if (p.offers > 1) {
        qsort(w->priced, p.offers, sizeof *w->priced, pof_clear_offer_cmp);
    }
    for (size_t i = 0; i < p.offers; i++) {
        w->offer[i] = w->priced[i].offer;
    }
    for (size_t i = 0; i < p.requests; i++) {
        w->request[i] = p.request[i];
        w->request[i].ceiling_ueur *= w->scale;
    }
    p.offer = w->offer;
    p.request = w->request;
    struct pof_clear_result r = {.taken_w = w->q};
    int rc = pof_clear_solve(w->c, &p, &r, err);
    rc = rc || !value ? rc : pof_clear_cost(&p, w->q, value, err);
    for (size_t i = 0; rc == 0 && i < p.offers; i++) {
        w->taken[w->priced[i].at] = w->q[i];
    }
    return rc;
}

static int solve_lp(struct work *w, struct pof_err *err)
{
    for (size_t r = 0; r < w->m->rows; r++) {
        const struct pof_mesh_row *x = &w->m->row[r];
        double high = (double)(x->p_up_w - w->tighter[r][0]), low = (double)(w->tighter[r][1] - x->p_down_w);
        w->row[r] = (struct pof_lp_row){x->ppm, fmin(low, (low + high) / 2), fmax(high, (low + high) / 2)};
    }
    return pof_lp_rows(w->m->tree, w->row, w->m->rows, false, w->x, w->price, err);
}

/* What no result can cost less than, rounded up: costs are integers. */
static int find_bound(struct work *w, pof_wide *bound, struct pof_err *err)
{
    const struct pof_clear_problem *p = w->m->tree;
    pof_wide value = 0;
    for (size_t i = 0; i < p->offers; i++) {
        w->low[i] = 0;
        w->high[i] = p->offer[i].p_w;
    }
    int rc = solve_priced(w, &value, err);
    for (size_t r = 0; r < w->m->rows; r++) {
        const struct pof_mesh_row *x = &w->m->row[r];
        value += (pof_wide)w->dual[r] * w->scale * (w->dual[r] < 0 ? x->p_up_w : -x->p_down_w);
    }
    if (rc == 0) {
        pof_wide whole = value / w->scale + (value % w->scale > 0);
        *bound = whole > *bound ? whole : *bound;
    }
    return rc;
}

/* Is some row broken? Those are tightened, more with each round. */
static bool tighten(struct work *w, int64_t round)
{
    bool broken = false;
    for (size_t r = 0; r < w->m->rows; r++) {
        int64_t over = excess(w->m, r, w->taken);
        w->tighter[r][over < 0] += over > 0 ? over + round : over < 0 ? round - over : 0;
        broken = broken || over != 0;
    }
    return broken;
}

/* Quantities next to the linear program's. Its rounding errors can leave none: then less may be taken. */
static int round_lp(struct work *w, struct pof_err *err)
{
    const double whole = 1e-6; /* W that are taken for rounding errors */
    const struct pof_clear_problem *p = w->m->tree;
    struct pof_err quiet = {0};
    for (size_t i = 0; i < p->offers; i++) {
        double most = (double)p->offer[i].p_w, x = fmin(fmax(w->x[i], 0), most);
        w->low[i] = (int64_t)fmin(floor(x + whole), most);
        w->high[i] = (int64_t)fmin(fmax(ceil(x - whole), (double)w->low[i]), most);
    }
    int rc = solve_priced(w, NULL, &quiet);
    if (rc == POF_E_CONFLICT) {
        memset(w->low, 0, p->offers * sizeof *w->low);
        return solve_priced(w, NULL, err);
    }
    return rc ? pof_fail(err, rc, "%s", quiet.text) : 0;
}

/* What acts on a row that is still broken is not taken; at the latest when that is all, no row is. */
static int leave_broken(struct work *w, struct pof_err *err)
{
    const struct pof_clear_problem *p = w->m->tree;
    int rc = 0;
    bool broken = true;
    for (size_t i = 0; i < p->offers; i++) {
        w->low[i] = 0;
    }
    while (rc == 0 && broken) {
        broken = false;
        for (size_t r = 0; r < w->m->rows; r++) {
            bool over = pof_mesh_excess(w->m, r, w->taken) > 0;
            broken = broken || over;
            for (size_t i = 0; over && i < p->offers; i++) {
                w->high[i] = w->m->row[r].ppm[p->offer[i].node] ? 0 : w->high[i];
            }
        }
        rc = broken ? solve_priced(w, NULL, err) : 0;
    }
    return rc;
}

static int find_result(struct work *w, struct pof_err *err)
{
    enum { ROUNDS = 12 };
    bool broken = true;
    struct pof_err none = {0}; /* tightened, a row can ask for what cannot be had */
    int rc = round_lp(w, err);
    for (int64_t k = 0; rc == 0 && (broken = tighten(w, k)) && k < ROUNDS; k++) {
        rc = solve_lp(w, &none);
        if (rc == POF_E_INTERNAL) {
            rc = 0;
            break;
        }
        take_duals(w);
        rc = rc ? pof_fail(err, rc, "%s", none.text) : round_lp(w, err);
    }
    return rc || !broken ? rc : leave_broken(w, err);
}

int pof_mesh_solve(struct pof_clearing *c, const struct pof_mesh *m, int64_t *taken_w, pof_wide *cost,
                   pof_wide *bound, struct pof_err *err)
{
    struct work w = {.c = c, .m = m};
    bool broken = false;
    for (size_t r = 0; r < m->rows; r++) {
        broken = broken || pof_mesh_excess(m, r, taken_w) > 0;
    }
    int rc = pof_clear_cost(m->tree, taken_w, cost, err);
    *bound = *cost;
    if (rc || !broken) {
        return rc;
    }
    rc = allocate(&w, err);
    rc = rc ? rc : solve_lp(&w, err);
    if (rc == 0) {
        take_duals(&w);
    }
    rc = rc ? rc : find_bound(&w, bound, err);
    rc = rc ? rc : find_result(&w, err);
    rc = rc ? rc : pof_clear_cost(m->tree, w.taken, cost, err);
    if (rc == 0 && *cost < *bound) {
        rc = pof_fail(err, POF_E_INTERNAL, "a result costs less than what is proven to be the least");
    }
    for (size_t i = 0; rc == 0 && i < m->tree->offers; i++) {
        taken_w[i] = w.taken[i];
    }
    release(&w);
    return rc;
}
