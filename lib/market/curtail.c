/* SPDX-License-Identifier: Apache-2.0 */
/* The awards of one quarter-hour, taken back until the grid can carry them. */
#include "market/least.h"
#include "market/validate_impl.h"
#include "num/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The power flow is solved to 1e-8 p.u.; less than this beyond a limit is rounding. */
#define NOISE 1e-7

/* More rounds than any grid needed in tests; then all is taken back, which is always sound. */
enum { ROUNDS_MAX = 200 };

struct violation {
    enum pof_violation kind;
    uint32_t element;
};

/* Ways to find candidates, each wider than the one before. */
enum attempt { BY_TREE, BY_CHANGE, BY_ANY_CHANGE, EVERYTHING, ATTEMPTS };

/* One quarter-hour in work. */
struct work {
    const struct checking *c;
    struct desk *d;
    uint32_t quarter;
    size_t n;             /* standings */
    size_t candidates;    /* in d->order */
    struct violation now; /* being ended */
};

static int solve(const struct work *w, const double *p_w, bool cold, struct pof_pf_result *r,
                 bool *converged, struct pof_err *err)
{
    const double *q_var = w->c->forecast->q_var + (size_t)w->quarter * w->c->grid->nodes;
    enum pof_pf_status status;
    int rc = pof_pf_solve(w->d->pf, p_w, q_var, cold, &status, err);
    if (rc == 0) {
        *converged = status == POF_PF_CONVERGED;
        pof_pf_result(w->d->pf, r);
    }
    return rc;
}

static const double *forecast_of(const struct work *w)
{
    return w->c->forecast->p_w + (size_t)w->quarter * w->c->grid->nodes;
}

/* Consumption that 1 W of an award changes. */
static double sign_of(const struct pof_validate_award *a)
{
    return a->direction == POF_UP ? -1 : 1;
}

static void load_standing(const struct work *w, double *p_w)
{
    memcpy(p_w, forecast_of(w), w->c->grid->nodes * sizeof *p_w);
    for (size_t i = 0; i < w->n; i++) {
        const struct standing *s = &w->d->standing[i];
        p_w[s->award->node_id] += sign_of(s->award) * (double)s->p_w;
    }
}

/* --- limits --- */

static void nominal_limits(const struct work *w)
{
    const struct pof_grid *g = w->c->grid;
    for (uint32_t i = 0; i < g->branches; i++) {
        bool rated = g->branch[i].rating_va > 0;
        w->d->most_loading[i] = rated ? w->c->options->max_loading : INFINITY;
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        w->d->least_v[i] = g->node[i].v_min_pu;
        w->d->most_v[i] = g->node[i].v_max_pu;
    }
}

/* Where the forecast is beyond a limit, the forecast is the limit. */
static void widen_limits(const struct work *w, const struct pof_pf_result *r)
{
    struct desk *d = w->d;
    for (uint32_t i = 0; i < w->c->grid->branches; i++) {
        if (r->loading[i] > d->most_loading[i]) {
            d->most_loading[i] = r->loading[i] + POF_VALIDATE_WORSE_LOADING;
        }
    }
    for (uint32_t i = 0; i < w->c->grid->nodes; i++) {
        if (r->v_pu[i] < d->least_v[i]) {
            d->least_v[i] = r->v_pu[i] - POF_VALIDATE_WORSE_V_PU;
        }
        if (r->v_pu[i] > d->most_v[i]) {
            d->most_v[i] = r->v_pu[i] + POF_VALIDATE_WORSE_V_PU;
        }
    }
}

/* The violated value less its limit. */
static double excess_of(const struct work *w, const struct pof_pf_result *r, struct violation v)
{
    switch (v.kind) {
    case POF_VIOLATION_LOADING:
        return r->loading[v.element] - w->d->most_loading[v.element];
    case POF_VIOLATION_VOLTAGE_LOW:
        return w->d->least_v[v.element] - r->v_pu[v.element];
    default:
        return r->v_pu[v.element] - w->d->most_v[v.element];
    }
}

static bool find_worst(const struct work *w, const struct pof_pf_result *r, struct violation *worst)
{
    double most = NOISE;
    for (uint32_t i = 0; i < w->c->grid->branches; i++) {
        struct violation v = {POF_VIOLATION_LOADING, i};
        double excess = excess_of(w, r, v);
        if (excess > most) {
            most = excess;
            *worst = v;
        }
    }
    if (most > NOISE) {
        return true;
    }
    for (uint32_t i = 0; i < w->c->grid->nodes; i++) {
        if (r->v_pu[i] <= 0) {
            continue; /* not connected */
        }
        struct violation low = {POF_VIOLATION_VOLTAGE_LOW, i};
        struct violation high = {POF_VIOLATION_VOLTAGE_HIGH, i};
        struct violation v = r->v_pu[i] < w->d->least_v[i] ? low : high;
        double excess = excess_of(w, r, v);
        if (excess > most) {
            most = excess;
            *worst = v;
        }
    }
    return most > NOISE;
}

/* --- effects --- */

/* Share of rating per W of consumption below a branch: the current follows the apparent power of
 * its larger end. */
static double loading_effect(const struct work *w, const struct pof_pf_result *r, uint32_t branch)
{
    struct pof_feeder_flow f = pof_feeder_flow(&w->c->feeder, r, branch);
    int end =
        hypot(f.p_w[0], f.q_var[0]) / f.v_pu[0] >= hypot(f.p_w[1], f.q_var[1]) / f.v_pu[1] ? 0 : 1;
    double s = hypot(f.p_w[end], f.q_var[end]);
    return s > 0 ? f.p_w[end] / s / (f.v_pu[end] * w->c->grid->branch[branch].rating_va) : 0;
}

static void effects_by_tree(const struct work *w, const struct pof_pf_result *r)
{
    const struct pof_feeder *f = &w->c->feeder;
    bool loading = w->now.kind == POF_VIOLATION_LOADING;
    double below = loading ? loading_effect(w, r, w->now.element) : 0;
    double sign = w->now.kind == POF_VIOLATION_VOLTAGE_LOW ? 1 : -1;
    for (size_t i = 0; i < w->n; i++) {
        uint32_t node = w->d->standing[i].award->node_id;
        if (loading) {
            w->d->effect[node] = pof_feeder_feeds(f, w->now.element, node) ? below : 0;
        } else {
            w->d->effect[node] = sign * pof_feeder_common_r(f, w->now.element, node) /
                                 (r->v_pu[w->now.element] * w->c->grid->base_va);
        }
    }
}

/* Finite differences: consumption of one node raised by 1e-4 p.u., far above what the power flow
 * leaves as mismatch. */
static int effects_by_change(const struct work *w, double excess, struct pof_err *err)
{
    double step_w = 1e-4 * w->c->grid->base_va;
    struct desk *d = w->d;
    for (size_t i = 0; i < w->n; i++) {
        d->effect[d->standing[i].award->node_id] = NAN;
    }
    memcpy(d->tried, d->p_w, w->c->grid->nodes * sizeof *d->tried);
    for (size_t i = 0; i < w->n; i++) {
        uint32_t node = d->standing[i].award->node_id;
        if (!isnan(d->effect[node]) || d->standing[i].p_w == 0) {
            continue;
        }
        struct pof_pf_result r;
        bool converged;
        d->tried[node] += step_w;
        int rc = solve(w, d->tried, false, &r, &converged, err);
        if (rc) {
            return rc;
        }
        d->effect[node] = converged ? (excess_of(w, &r, w->now) - excess) / step_w : 0;
        d->tried[node] = d->p_w[node];
    }
    return 0;
}

/* --- candidates --- */

static int by_turn(const void *a, const void *b)
{
    const struct standing *x = *(struct standing *const *)a;
    const struct standing *y = *(struct standing *const *)b;
    if (x->award->role != y->award->role) {
        return x->award->role == POF_ROLE_TSO ? -1 : 1;
    }
    if (x->class != y->class) {
        return x->class > y->class ? -1 : 1;
    }
    if (x->award->price_ueur_mwh != y->award->price_ueur_mwh) {
        return x->award->price_ueur_mwh > y->award->price_ueur_mwh ? -1 : 1;
    }
    return pof_text_cmp(x->award->id, y->award->id);
}

static int line_up(struct work *w, int least_class, struct pof_err *err)
{
    struct desk *d = w->d;
    int rc = pof_grow(&d->order, &d->order_cap, w->n, sizeof *d->order, err);
    if (rc) {
        return rc;
    }
    w->candidates = 0;
    for (size_t i = 0; i < w->n; i++) {
        struct standing *s = &d->standing[i];
        if (s->p_w > 0 && s->class >= least_class) {
            d->order[w->candidates++] = s;
        }
    }
    if (w->candidates) {
        qsort(d->order, w->candidates, sizeof(struct standing *), by_turn);
    }
    return 0;
}

/* Relief of taking back a watt: what awarding it did, the other way round. Classes are tenths of
 * the largest one, -1 for what does not help. */
static void classify(struct work *w)
{
    double most = 0;
    for (size_t i = 0; i < w->n; i++) {
        struct standing *s = &w->d->standing[i];
        s->relief = s->p_w > 0 ? sign_of(s->award) * w->d->effect[s->award->node_id] : 0;
        most = fmax(most, s->relief);
    }
    for (size_t i = 0; i < w->n; i++) {
        struct standing *s = &w->d->standing[i];
        s->class = s->relief > 0 ? (int)(10 * s->relief / most) : -1;
    }
}

static int find_candidates(struct work *w, enum attempt attempt, const struct pof_pf_result *r,
                           double excess, struct pof_err *err)
{
    int rc = 0;
    if (attempt == BY_TREE) {
        effects_by_tree(w, r);
    } else if (attempt == BY_CHANGE) {
        rc = effects_by_change(w, excess, err);
    }
    if (rc == 0) {
        classify(w);
        rc = line_up(w, attempt <= BY_CHANGE ? 1 : attempt == BY_ANY_CHANGE ? 0 : -1, err);
    }
    return rc;
}

/* --- curtailing --- */

/* The load with x watts of the candidates taken back, in their turn. */
static void take_back(const struct work *w, int64_t x, double *p_w)
{
    for (size_t i = 0; i < w->candidates && x > 0; i++) {
        const struct standing *s = w->d->order[i];
        int64_t cut = x < s->p_w ? x : s->p_w;
        p_w[s->award->node_id] -= sign_of(s->award) * (double)cut;
        x -= cut;
    }
}

static int try_cut(void *ctx, int64_t x, double *excess, struct pof_err *err)
{
    struct work *w = ctx;
    struct pof_pf_result r;
    bool converged;
    memcpy(w->d->tried, w->d->p_w, w->c->grid->nodes * sizeof *w->d->tried);
    take_back(w, x, w->d->tried);
    int rc = solve(w, w->d->tried, false, &r, &converged, err);
    if (rc == 0) {
        *excess = converged ? excess_of(w, &r, w->now) - NOISE : INFINITY;
    }
    return rc;
}

static void reduce(const struct work *w, struct standing *s, int64_t cut)
{
    s->p_w -= cut;
    if (cut > 0 && !s->cut) {
        s->cut = true;
        s->kind = w->now.kind;
        s->element = w->now.element;
    }
}

static void commit(struct work *w, int64_t x)
{
    for (size_t i = 0; i < w->candidates && x > 0; i++) {
        struct standing *s = w->d->order[i];
        int64_t cut = x < s->p_w ? x : s->p_w;
        reduce(w, s, cut);
        x -= cut;
    }
    load_standing(w, w->d->p_w);
}

/* All that may be cut, and the amount that the effects say. */
static void bounds(const struct work *w, double excess, struct pof_least *search)
{
    double left = excess;
    double guess = 0;
    search->max = 0;
    for (size_t i = 0; i < w->candidates; i++) {
        const struct standing *s = w->d->order[i];
        search->max += s->p_w;
        if (left > 0 && s->relief > 0) {
            double cut = fmin((double)s->p_w, left / s->relief);
            guess += cut;
            left -= cut * s->relief;
        }
    }
    search->guess = (int64_t)ceil(guess);
}

/* Ends one violation. The widest attempt takes everything back, which gives the forecast. */
static int end_violation(struct work *w, const struct pof_pf_result *r, struct pof_err *err)
{
    double excess = excess_of(w, r, w->now);
    int rc = 0;
    for (int a = w->c->radial ? BY_TREE : BY_CHANGE; rc == 0 && a < ATTEMPTS; a++) {
        struct pof_least search = {.excess = try_cut, .ctx = w, .excess_at_0 = excess};
        int64_t x = 0;
        bool found = false;
        rc = find_candidates(w, (enum attempt)a, r, excess, err);
        bounds(w, excess, &search);
        rc = rc ? rc : pof_least(&search, &x, &found, err);
        if (rc == 0 && (found || a == EVERYTHING)) {
            commit(w, x);
            return 0;
        }
    }
    return rc;
}

static int no_effects(struct work *w, struct pof_err *err)
{
    for (size_t i = 0; i < w->n; i++) {
        w->d->standing[i].class = 0;
    }
    return line_up(w, 0, err);
}

/* Converges with the first k candidates taken back to zero? For pof_least. */
static int try_without(void *ctx, int64_t k, double *excess, struct pof_err *err)
{
    struct work *w = ctx;
    struct pof_pf_result r;
    bool converged;
    memcpy(w->d->tried, w->d->p_w, w->c->grid->nodes * sizeof *w->d->tried);
    for (int64_t i = 0; i < k; i++) {
        const struct standing *s = w->d->order[i];
        w->d->tried[s->award->node_id] -= sign_of(s->award) * (double)s->p_w;
    }
    int rc = solve(w, w->d->tried, false, &r, &converged, err);
    if (rc == 0) {
        *excess = converged ? -1 : INFINITY;
    }
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
        double change = k - i <= TRIES && excess < 0 ? sign_of(s->award) * (double)s->p_w : 0;
        struct pof_pf_result r;
        bool converged = false;
        d->tried[s->award->node_id] += change;
        if (change != 0) {
            rc = solve(w, d->tried, false, &r, &converged, err);
        }
        if (!converged) {
            d->tried[s->award->node_id] -= change;
            reduce(w, s, s->p_w);
        }
    }
    load_standing(w, d->p_w);
    return rc;
}

static int end_divergence(struct work *w, struct pof_err *err)
{
    struct pof_least search = {.excess = try_without, .ctx = w, .excess_at_0 = INFINITY};
    int64_t k = 0;
    bool found;
    w->now = (struct violation){POF_VIOLATION_DIVERGED, POF_NONE};
    int rc = no_effects(w, err);
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

static void say_why(const struct work *w, const struct standing *s, const struct pof_pf_result *r,
                    bool before_known, struct pof_verdict *v)
{
    const struct pof_grid *g = w->c->grid;
    bool loading = s->kind == POF_VIOLATION_LOADING;
    v->reason = (int)s->kind;
    POF_SET(v, verdict, reason);
    if (s->kind == POF_VIOLATION_DIVERGED) {
        return;
    }
    v->element = loading ? g->branch[s->element].name : g->node[s->element].name;
    v->limit = loading                                ? w->c->options->max_loading
               : s->kind == POF_VIOLATION_VOLTAGE_LOW ? g->node[s->element].v_min_pu
                                                      : g->node[s->element].v_max_pu;
    v->limit = shown(s->kind, v->limit);
    v->after = shown(s->kind, loading ? r->loading[s->element] : r->v_pu[s->element]);
    POF_SET(v, verdict, element);
    POF_SET(v, verdict, limit);
    POF_SET(v, verdict, after);
    if (before_known) {
        double before = loading ? w->d->loading_before[s->element] : w->d->v_before[s->element];
        v->before = shown(s->kind, before);
        POF_SET(v, verdict, before);
    }
}

static void write_verdicts(const struct work *w, const struct stretch *s,
                           const struct pof_pf_result *r)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct standing *st = &w->d->standing[i];
        struct pof_verdict *v = &w->c->verdict[s->first + i];
        *v = (struct pof_verdict){.award = st->award->id, .p_w = st->p_w};
        v->decision = !st->cut  ? POF_DECISION_ACCEPT
                      : st->p_w ? POF_DECISION_CURTAIL
                                : POF_DECISION_REJECT;
        if (st->cut) {
            say_why(w, st, r, !s->diverged, v);
        }
    }
}

/* --- the quarter-hour --- */

static int set_up(struct work *w, const struct stretch *s, struct pof_err *err)
{
    struct desk *d = w->d;
    w->n = s->end - s->first;
    int rc = pof_grow(&d->standing, &d->cap, w->n, sizeof *d->standing, err);
    for (size_t i = 0; rc == 0 && i < w->n; i++) {
        const struct pof_validate_award *a = &w->c->award[s->first + i];
        d->standing[i] = (struct standing){.award = a, .p_w = a->p_w};
    }
    if (rc == 0) {
        nominal_limits(w);
        load_standing(w, d->p_w);
    }
    return rc;
}

/* Limits that hold for the awards: those of the grid, or the forecast where that is beyond. A
 * forecast that diverges cannot be made worse, so then nothing is a violation. */
static int limits_of_forecast(struct work *w, bool *converged, struct pof_err *err)
{
    struct pof_pf_result r;
    int rc = solve(w, forecast_of(w), true, &r, converged, err);
    if (rc == 0 && *converged) {
        widen_limits(w, &r);
    }
    return rc;
}

/* An award where no closed branch leads could be delivered by nobody. */
static int check_connected(const struct work *w, const struct pof_pf_result *r, struct pof_err *err)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct pof_validate_award *a = w->d->standing[i].award;
        if (r->v_pu[a->node_id] <= 0) {
            return pof_fail(err, POF_E_TOPOLOGY,
                            "award '%.*s' is at node '%.*s', which no closed branch connects",
                            (int)a->id.len, a->id.ptr, (int)a->node.len, a->node.ptr);
        }
    }
    return 0;
}

static void remember_before(const struct work *w, const struct pof_pf_result *r)
{
    memcpy(w->d->loading_before, r->loading, w->c->grid->branches * sizeof(double));
    memcpy(w->d->v_before, r->v_pu, w->c->grid->nodes * sizeof(double));
}

static int curtail(struct work *w, struct pof_pf_result *r, struct pof_err *err)
{
    bool converged = true;
    int rc = solve(w, w->d->p_w, true, r, &converged, err);
    for (int round = 0; rc == 0 && round <= ROUNDS_MAX && find_worst(w, r, &w->now); round++) {
        if (round < ROUNDS_MAX) {
            rc = end_violation(w, r, err);
        } else {
            rc = no_effects(w, err);
            commit(w, rc ? 0 : INT64_MAX);
        }
        rc = rc ? rc : solve(w, w->d->p_w, false, r, &converged, err);
        if (rc == 0 && !converged) {
            rc = end_divergence(w, err);
            rc = rc ? rc : solve(w, w->d->p_w, true, r, &converged, err);
        }
    }
    return rc;
}

int pofi_check_quarter(const struct checking *c, struct desk *d, struct stretch *s,
                       struct pof_err *err)
{
    struct work w = {.c = c, .d = d, .quarter = s->quarter};
    struct pof_pf_result r = {0};
    bool converged = true;
    bool forecast_converged = true;
    int rc = set_up(&w, s, err);
    rc = rc ? rc : solve(&w, d->p_w, true, &r, &converged, err);
    if (rc) {
        return rc;
    }
    rc = converged ? check_connected(&w, &r, err) : 0;
    s->diverged = !converged;
    s->violated = converged && find_worst(&w, &r, &w.now);
    if (converged) {
        remember_before(&w, &r);
    }
    if (rc == 0 && (s->diverged || s->violated)) {
        rc = limits_of_forecast(&w, &forecast_converged, err);
    }
    if (rc == 0 && s->diverged) {
        rc = end_divergence(&w, err);
    }
    if (rc == 0 && forecast_converged && (s->diverged || s->violated)) {
        rc = curtail(&w, &r, err);
    }
    if (rc == 0) {
        write_verdicts(&w, s, &r);
    }
    return rc;
}
