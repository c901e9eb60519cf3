/* SPDX-License-Identifier: Apache-2.0 */
/* The awards of one quarter-hour, taken back until the grid can carry them. */
#include "market/least.h"
#include "market/validate_impl.h"
#include "num/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pofi_check_solve(struct work *w, const double *p_w, bool cold, bool *converged,
                     struct pof_err *err)
{
    const double *q_var = w->c->forecast->q_var + (size_t)w->quarter * w->c->grid->nodes;
    int rc = 0;
    *converged = true;
    for (uint32_t in = 0; in < w->c->cases && rc == 0; in++) {
        struct view *view = &w->d->view[in];
        enum pof_pf_status status;
        if (view->hopeless && in) {
            continue;
        }
        rc = pof_pf_solve(view->pf, p_w, q_var, cold, &status, err);
        view->converged = status == POF_PF_CONVERGED;
        *converged &= rc == 0 && view->converged;
        pof_pf_result(view->pf, &view->r);
    }
    return rc;
}

static const double *forecast_of(const struct work *w)
{
    return w->c->forecast->p_w + (size_t)w->quarter * w->c->grid->nodes;
}

void pofi_check_load(const struct work *w, double *p_w)
{
    memcpy(p_w, forecast_of(w), w->c->grid->nodes * sizeof *p_w);
    for (size_t i = 0; i < w->n; i++) {
        const struct standing *s = &w->d->standing[i];
        p_w[s->award->node_id] += pofi_sign_of(s->award) * (double)s->p_w;
    }
}

/* --- limits --- */

static double share_of(const struct checking *c, uint32_t in)
{
    return in ? c->options->outage_loading : c->options->max_loading;
}

static void nominal_limits(const struct work *w, uint32_t in)
{
    const struct pof_grid *g = &w->c->grid[in];
    struct view *v = &w->d->view[in];
    for (uint32_t i = 0; i < g->branches; i++) {
        v->most_loading[i] = g->branch[i].rating_va > 0 ? share_of(w->c, in) : INFINITY;
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        v->least_v[i] = g->node[i].v_min_pu;
        v->most_v[i] = g->node[i].v_max_pu;
    }
}

/* Where the forecast is beyond a limit, the forecast is the limit. */
static void widen_limits(const struct work *w, struct view *v)
{
    for (uint32_t i = 0; i < w->c->grid->branches; i++) {
        if (v->r.loading[i] > v->most_loading[i]) {
            v->most_loading[i] = v->r.loading[i] + POF_VALIDATE_WORSE_LOADING;
        }
    }
    for (uint32_t i = 0; i < w->c->grid->nodes; i++) {
        if (v->r.v_pu[i] < v->least_v[i]) {
            v->least_v[i] = v->r.v_pu[i] - POF_VALIDATE_WORSE_V_PU;
        }
        if (v->r.v_pu[i] > v->most_v[i]) {
            v->most_v[i] = v->r.v_pu[i] + POF_VALIDATE_WORSE_V_PU;
        }
    }
}

double pofi_check_excess(const struct work *w, struct violation v)
{
    const struct view *view = &w->d->view[v.in];
    switch (v.kind) {
    case POF_VIOLATION_LOADING:
        return view->r.loading[v.element] - view->most_loading[v.element];
    case POF_VIOLATION_VOLTAGE_LOW:
        return view->least_v[v.element] - view->r.v_pu[v.element];
    default:
        return view->r.v_pu[v.element] - view->most_v[v.element];
    }
}

void pofi_check_each(const struct work *w, uint32_t in,
                     void (*found)(void *ctx, struct violation v, double excess), void *ctx)
{
    const struct view *view = &w->d->view[in];
    for (uint32_t i = 0; i < w->c->grid->branches; i++) {
        struct violation v = {POF_VIOLATION_LOADING, i, in};
        double excess = pofi_check_excess(w, v);
        if (excess > POFI_NOISE) {
            found(ctx, v, excess);
        }
    }
    for (uint32_t i = 0; i < w->c->grid->nodes; i++) {
        if (view->r.v_pu[i] > 0) {
            bool low = view->r.v_pu[i] < view->least_v[i];
            struct violation v = {low ? POF_VIOLATION_VOLTAGE_LOW : POF_VIOLATION_VOLTAGE_HIGH, i, in};
            double excess = pofi_check_excess(w, v);
            if (excess > POFI_NOISE) {
                found(ctx, v, excess);
            }
        }
    }
}

/* Against nominal limits: those of the forecast are not known yet, and are only wider. */
bool pofi_check_violated(const struct checking *c, uint32_t in, const struct pof_pf_result *r)
{
    const struct pof_grid *g = &c->grid[in];
    double most = share_of(c, in) + POFI_NOISE;
    for (uint32_t i = 0; i < g->branches; i++) {
        if (r->loading[i] > most) {
            return true;
        }
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (r->v_pu[i] > 0 && (r->v_pu[i] < g->node[i].v_min_pu - POFI_NOISE ||
                               r->v_pu[i] > g->node[i].v_max_pu + POFI_NOISE)) {
            return true;
        }
    }
    return false;
}

/* --- divergence --- */

/* No effects exist: by cost, then by id. */
static int by_turn(const void *a, const void *b)
{
    const struct standing *x = *(struct standing *const *)a;
    const struct standing *y = *(struct standing *const *)b;
    if (x->cost != y->cost) {
        return x->cost < y->cost ? -1 : 1;
    }
    return pof_text_cmp(x->award->id, y->award->id);
}

static int line_up(struct work *w, struct pof_err *err)
{
    struct desk *d = w->d;
    int rc = pof_grow(&d->order, &d->order_cap, w->n, sizeof *d->order, err);
    w->candidates = 0;
    for (size_t i = 0; rc == 0 && i < w->n; i++) {
        if (d->standing[i].p_w > 0) {
            d->order[w->candidates++] = &d->standing[i];
        }
    }
    if (rc == 0 && w->candidates) {
        qsort(d->order, w->candidates, sizeof *d->order, by_turn);
    }
    return rc;
}

static void reject(struct standing *s, struct violation why)
{
    if (s->p_w > 0) {
        *s = (struct standing){.award = s->award, .cost = s->cost, .what = why, .cut = true};
    }
}

static const struct violation diverged = {POF_VIOLATION_DIVERGED, POF_NONE, 0};

/* Converges with the first k candidates taken back to zero? For pof_least. */
static int try_without(void *ctx, int64_t k, double *excess, struct pof_err *err)
{
    struct work *w = ctx;
    bool converged = false;
    memcpy(w->d->tried, w->d->p_w, w->c->grid->nodes * sizeof *w->d->tried);
    for (int64_t i = 0; i < k; i++) {
        const struct standing *s = w->d->order[i];
        w->d->tried[s->award->node_id] -= pofi_sign_of(s->award) * (double)s->p_w;
    }
    int rc = pofi_check_solve(w, w->d->tried, false, &converged, err);
    *excess = converged ? -1 : INFINITY;
    return rc;
}

/* Of the first k candidates gives back those, last ones first, with which it still converges. Only
 * so many are tried: power flows that diverge are slow. */
static int give_back(struct work *w, int64_t k, struct pof_err *err)
{
    enum { TRIES = 32 };
    struct desk *d = w->d;
    double excess;
    int rc = try_without(w, k, &excess, err); /* leaves the load in d->tried */
    for (int64_t i = k; rc == 0 && i-- > 0;) {
        struct standing *s = d->order[i];
        bool tried = k - i <= TRIES && excess < 0, converged = false;
        double change = tried ? pofi_sign_of(s->award) * (double)s->p_w : 0;
        d->tried[s->award->node_id] += change;
        if (tried) {
            rc = pofi_check_solve(w, d->tried, false, &converged, err);
        }
        if (!converged) {
            d->tried[s->award->node_id] -= change;
            reject(s, diverged);
        }
    }
    pofi_check_load(w, d->p_w);
    return rc;
}

static int end_divergence(struct work *w, struct pof_err *err)
{
    struct pof_least search = {.excess = try_without, .ctx = w, .excess_at_0 = INFINITY};
    int64_t k = 0;
    bool found;
    int rc = line_up(w, err);
    search.max = (int64_t)w->candidates;
    search.guess = search.max / 2;
    rc = rc ? rc : pof_least(&search, &k, &found, err);
    return rc ? rc : give_back(w, k, err);
}

/* --- verdicts --- */

/* Rounded so that a verdict does not carry the noise of the solver: percent to four decimals,
 * p.u. to six. */
static double shown(enum pof_violation kind, double value)
{
    return kind == POF_VIOLATION_LOADING ? round(value * 1e6) / 1e4 : round(value * 1e6) / 1e6;
}

/* What 1 kW less of the award does to the value, percent or p.u., to six digits. */
static double shown_effect(const struct standing *s)
{
    char text[32];
    double sign = s->what.kind == POF_VIOLATION_VOLTAGE_LOW ? 1e3 : -1e3;
    double effect = sign * s->relief * (s->what.kind == POF_VIOLATION_LOADING ? 100 : 1);
    snprintf(text, sizeof text, "%.5e", effect);
    return strtod(text, NULL);
}

static void say_values(const struct work *w, const struct standing *s, struct pof_verdict *v)
{
    const struct pof_grid *g = &w->c->grid[s->what.in];
    const struct view *view = &w->d->view[s->what.in];
    enum pof_violation kind = s->what.kind;
    uint32_t at = s->what.element;
    bool loading = kind == POF_VIOLATION_LOADING;
    v->element = loading ? g->branch[at].name : g->node[at].name;
    v->limit = shown(kind, loading                             ? share_of(w->c, s->what.in)
                           : kind == POF_VIOLATION_VOLTAGE_LOW ? g->node[at].v_min_pu
                                                               : g->node[at].v_max_pu);
    v->after = shown(kind, loading ? view->r.loading[at] : view->r.v_pu[at]);
    v->before = shown(kind, loading ? view->loading_before[at] : view->v_before[at]);
    v->sensitivity_per_kw = shown_effect(s);
    POF_SET(v, verdict, element);
    POF_SET(v, verdict, limit);
    POF_SET(v, verdict, after);
    if (view->known) {
        POF_SET(v, verdict, before);
    }
    if (s->relief > 0) {
        POF_SET(v, verdict, sensitivity_per_kw);
    }
    if (s->what.in) {
        v->outage = g->branch[w->c->options->outage[s->what.in - 1]].name;
        POF_SET(v, verdict, outage);
    }
}

static void write_verdicts(const struct work *w, const struct stretch *s)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct standing *st = &w->d->standing[i];
        struct pof_verdict *v = &w->c->verdict[s->first + i];
        bool whole = st->p_w == st->award->p_w;
        *v = (struct pof_verdict){.award = st->award->id, .p_w = st->p_w};
        v->decision = whole     ? POF_DECISION_ACCEPT
                      : st->p_w ? POF_DECISION_CURTAIL
                                : POF_DECISION_REJECT;
        if (!whole) {
            v->reason = (int)st->what.kind;
            POF_SET(v, verdict, reason);
        }
        if (!whole && st->what.kind != POF_VIOLATION_DIVERGED) {
            say_values(w, st, v);
        }
    }
}

/* --- the quarter-hour --- */

/* What is lost with 1 W of it, 1e-6 EUR/MWh: what it is worth to its buyer less what it costs. */
static double cost_of(const struct checking *c, const struct pof_validate_award *a)
{
    int64_t worth = c->options->worth_ueur_mwh[a->role];
    int64_t left = worth - a->price_ueur_mwh;
    return left > POF_VALIDATE_COST_MIN ? (double)left : (double)POF_VALIDATE_COST_MIN;
}

static int set_up(struct work *w, const struct stretch *s, struct pof_err *err)
{
    struct desk *d = w->d;
    w->n = s->end - s->first;
    int rc = pof_grow(&d->standing, &d->cap, w->n, sizeof *d->standing, err);
    for (size_t i = 0; rc == 0 && i < w->n; i++) {
        const struct pof_validate_award *a = &w->c->award[s->first + i];
        d->standing[i] = (struct standing){.award = a, .p_w = a->p_w, .cost = cost_of(w->c, a)};
    }
    for (uint32_t in = 0; rc == 0 && in < w->c->cases; in++) {
        d->view[in].hopeless = false;
        nominal_limits(w, in);
    }
    if (rc == 0) {
        pofi_check_load(w, d->p_w);
    }
    return rc;
}

static void remember_before(const struct work *w)
{
    for (uint32_t in = 0; in < w->c->cases; in++) {
        struct view *v = &w->d->view[in];
        v->known = v->converged;
        memcpy(v->loading_before, v->r.loading, w->c->grid->branches * sizeof(double));
        memcpy(v->v_before, v->r.v_pu, w->c->grid->nodes * sizeof(double));
    }
}

/* Limits that hold for the awards: those of the grid, or the forecast where that is beyond. A
 * forecast that diverges cannot be made worse, so then nothing is a violation. */
static int limits_of_forecast(struct work *w, struct pof_err *err)
{
    bool converged;
    int rc = pofi_check_solve(w, forecast_of(w), true, &converged, err);
    for (uint32_t in = 0; rc == 0 && in < w->c->cases; in++) {
        struct view *v = &w->d->view[in];
        v->hopeless = !v->converged;
        if (v->converged) {
            widen_limits(w, v);
        }
    }
    return rc;
}

struct first {
    struct violation v;
    double excess;
};

static void on_worst(void *ctx, struct violation v, double excess)
{
    struct first *f = ctx;
    if (excess > f->excess) {
        *f = (struct first){v, excess};
    }
}

/* The forecast is always sound. */
static int take_all(struct work *w, struct pof_err *err)
{
    struct first worst = {.v = diverged};
    bool converged;
    for (size_t i = 0; i < w->n; i++) {
        w->d->standing[i].p_w = w->d->standing[i].award->p_w;
    }
    pofi_check_load(w, w->d->p_w);
    int rc = pofi_check_solve(w, w->d->p_w, true, &converged, err);
    for (uint32_t in = 0; rc == 0 && in < w->c->cases; in++) {
        if (!w->d->view[in].hopeless) {
            pofi_check_each(w, in, on_worst, &worst);
        }
    }
    for (size_t i = 0; i < w->n; i++) {
        reject(&w->d->standing[i], worst.v);
    }
    pofi_check_load(w, w->d->p_w);
    return rc ? rc : pofi_check_solve(w, w->d->p_w, true, &converged, err);
}

static bool any_violated(const struct work *w)
{
    struct first worst = {.excess = 0};
    for (uint32_t in = 0; in < w->c->cases; in++) {
        if (!w->d->view[in].hopeless) {
            pofi_check_each(w, in, on_worst, &worst);
        }
    }
    return worst.excess > 0;
}

static int curtail(struct work *w, struct stretch *s, struct pof_err *err)
{
    bool clean = true, converged;
    int rc = pofi_check_solve(w, w->d->p_w, true, &converged, err);
    if (rc == 0 && any_violated(w)) {
        rc = pofi_cheapest(w, &clean, err);
    }
    if (rc == 0 && !clean) {
        s->everything = true;
        rc = take_all(w, err);
    }
    return rc;
}

int pofi_check_quarter(const struct checking *c, struct desk *d, struct stretch *s,
                       struct pof_err *err)
{
    struct work w = {.c = c, .d = d, .quarter = s->quarter};
    bool converged = true;
    int rc = set_up(&w, s, err);
    rc = rc ? rc : pofi_check_solve(&w, d->p_w, true, &converged, err);
    if (rc == 0) {
        remember_before(&w);
        rc = limits_of_forecast(&w, err);
    }
    bool hopeless = d->view[0].hopeless;
    rc = rc ? rc : pofi_check_solve(&w, d->p_w, true, &converged, err);
    s->diverged = !converged;
    if (rc == 0 && !converged) {
        rc = end_divergence(&w, err);
    }
    if (rc == 0 && !hopeless) {
        rc = curtail(&w, s, err);
    }
    if (rc == 0) {
        write_verdicts(&w, s);
    }
    return rc;
}
