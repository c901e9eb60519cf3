/* SPDX-License-Identifier: Apache-2.0 */
/* The least-cost amounts to take back in one quarter-hour. */
#include "market/cover.h"
#include "market/validate_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More rounds than any grid needed in tests, and limits that become needs in one round. */
enum { ROUNDS_MAX = 40, PATIENCE = 16, NEW_ROWS = 12 };

/* How close to the linear program is good enough, and how far beyond a limit margins help. */
#define NEAR_SHARE 1e-4
#define NEAR_W 2.0
#define MARGIN_W 10.0

/* --- limits that become needs --- */

struct finding {
    struct violation v;
    double share; /* excess over what counts as much */
};

struct finder {
    struct finding worst[NEW_ROWS];
    size_t n;
    bool any;
};

static bool same(struct violation a, struct violation b)
{
    return a.kind == b.kind && a.element == b.element && a.in == b.in;
}

/* Keeps the worst ones: overloads before voltages, which often end with them. */
static void on_violation(void *ctx, struct violation v, double excess)
{
    struct finder *f = ctx;
    f->any = true;
    struct finding new = {v, excess + (v.kind == POF_VIOLATION_LOADING ? 1e6 : 0)};
    size_t at = f->n < NEW_ROWS ? f->n++ : NEW_ROWS - 1;
    if (f->n == NEW_ROWS && at == NEW_ROWS - 1 && f->worst[at].share >= new.share) {
        return;
    }
    for (; at > 0 && f->worst[at - 1].share < new.share; at--) {
        f->worst[at] = f->worst[at - 1];
    }
    f->worst[at] = new;
}

static bool is_new(const struct desk *d, struct violation v, size_t from)
{
    for (size_t i = from; i < d->rows; i++) {
        if (same(d->row[i].v, v)) {
            return false;
        }
    }
    return true;
}

static int append(struct desk *d, struct violation v, size_t from, struct pof_err *err)
{
    double margin = 0;
    if (!is_new(d, v, from)) {
        return 0;
    }
    for (size_t i = 0; i < from; i++) {
        margin = same(d->row[i].v, v) ? d->row[i].margin : margin;
    }
    int rc = pof_grow(&d->row, &d->row_cap, d->rows + 1, sizeof *d->row, err);
    if (rc == 0) {
        d->row[d->rows++] = (struct need_row){.v = v, .margin = margin};
    }
    return rc;
}

/* The worst violated limits, and those that cost something, become needs at the present state. */
static int add_rows(struct work *w, bool *any, struct pof_err *err)
{
    struct desk *d = w->d;
    size_t from = d->rows;
    int rc = 0;
    *any = false;
    for (uint32_t in = 0; in < w->c->cases && rc == 0; in++) {
        struct finder f = {0};
        if (!d->view[in].hopeless) {
            pofi_check_each(w, in, on_violation, &f);
        }
        *any |= f.any;
        for (size_t i = 0; i < f.n && rc == 0; i++) {
            rc = append(d, f.worst[i].v, from, err);
        }
    }
    for (size_t i = 0; i < d->priced && rc == 0; i++) {
        rc = d->price[i] > 0 ? append(d, d->row[i].v, from, err) : 0;
    }
    return rc;
}

/* --- effects --- */

/* Rated current of a branch at an end, A. */
static double rated_a(const struct pof_grid *g, const struct pof_branch *b, bool to)
{
    return b->rating_va / (sqrt(3) * g->node[to ? b->to : b->from].base_v);
}

/* Finite differences, for a flow that no voltage determines (a closed switch without impedance):
 * consumption of one node raised by 1e-4 p.u., far above what the power flow leaves as mismatch. */
static int effects_by_change(struct work *w, struct violation v, struct pof_err *err)
{
    struct desk *d = w->d;
    double step_w = 1e-4 * w->c->grid->base_va, before = pofi_check_excess(w, v);
    const double *q_var = w->c->forecast->q_var + (size_t)w->quarter * w->c->grid->nodes;
    struct view *view = &d->view[v.in];
    memcpy(d->tried, d->p_w, w->c->grid->nodes * sizeof *d->tried);
    for (uint32_t i = 0; i < w->c->grid->nodes; i++) {
        d->by_w[i] = NAN;
    }
    int rc = 0;
    for (size_t i = 0; i < w->n && rc == 0; i++) {
        uint32_t node = d->standing[i].award->node_id;
        enum pof_pf_status status;
        if (!isnan(d->by_w[node])) {
            continue;
        }
        d->tried[node] += step_w;
        rc = pof_pf_solve(view->pf, d->tried, q_var, false, &status, err);
        pof_pf_result(view->pf, &view->r);
        bool fine = rc == 0 && status == POF_PF_CONVERGED;
        d->by_w[node] = fine ? (pofi_check_excess(w, v) - before) / step_w : 0;
        d->tried[node] = d->p_w[node];
    }
    enum pof_pf_status status;
    rc = rc ? rc : pof_pf_solve(view->pf, d->p_w, q_var, false, &status, err);
    pof_pf_result(view->pf, &view->r);
    return rc;
}

/* d->by_w: what 1 W more consumption at each node does to the excess. */
static int find_effects(struct work *w, struct violation v, struct pof_err *err)
{
    struct desk *d = w->d;
    const struct pof_grid *g = &w->c->grid[v.in];
    const struct view *view = &d->view[v.in];
    struct pof_watched watched = {.what = POF_WATCH_V, .element = v.element};
    double unit = 1;
    if (v.kind == POF_VIOLATION_LOADING) {
        const struct pof_branch *b = &g->branch[v.element];
        watched.what = POF_WATCH_I;
        watched.to = view->r.i_to_a[v.element] / rated_a(g, b, true) >
                     view->r.i_from_a[v.element] / rated_a(g, b, false);
        unit = rated_a(g, b, watched.to);
    } else {
        unit = g->node[v.element].base_v * (v.kind == POF_VIOLATION_VOLTAGE_LOW ? -1 : 1);
    }
    struct pof_err physics = {0};
    int rc = pof_sens_row(view->sens, &watched, d->by_w, d->by_var, &physics);
    if (rc == POF_E_PHYSICS) {
        return effects_by_change(w, v, err);
    }
    if (rc) {
        *err = physics;
        return rc;
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        d->by_w[i] /= unit;
    }
    return 0;
}

/* Factors of the cases that have new needs, at the present state. */
static int factor(struct work *w, bool *regular, struct pof_err *err)
{
    struct desk *d = w->d;
    int rc = 0;
    *regular = true;
    for (uint32_t in = 0; in < w->c->cases && rc == 0 && *regular; in++) {
        struct view *view = &d->view[in];
        bool wanted = false;
        for (size_t i = d->made; i < d->rows; i++) {
            wanted |= d->row[i].v.in == in;
        }
        if (!wanted) {
            continue;
        }
        const struct pof_sens_state state = {view->r.v_pu, view->r.angle, view->r.limit};
        rc = view->sens ? 0 : pof_sens_new(&view->sens, &w->c->grid[in], err);
        rc = rc ? rc : pof_sens_at(view->sens, &state, regular, err);
    }
    return rc;
}

/* --- the linear program of a round --- */

static int make_room(struct work *w, struct pof_err *err)
{
    struct desk *d = w->d;
    size_t m = d->rows, n = w->n;
    int rc = pof_grow(&d->a, &d->a_cap, m * n, sizeof *d->a, err);
    rc = rc ? rc : pof_grow(&d->need, &d->need_cap, m, sizeof *d->need, err);
    rc = rc ? rc : pof_grow(&d->price, &d->price_cap, m, sizeof *d->price, err);
    rc = rc ? rc : pof_grow(&d->cost, &d->cost_cap, n, sizeof *d->cost, err);
    rc = rc ? rc : pof_grow(&d->most, &d->most_cap, n, sizeof *d->most, err);
    rc = rc ? rc : pof_grow(&d->best, &d->best_cap, n, sizeof *d->best, err);
    return rc ? rc : pof_grow(&d->amount, &d->amount_cap, n, sizeof *d->amount, err);
}

/* What is taken back does to a need, at the present amounts. */
static double taken(const struct work *w, size_t row)
{
    const double *a = w->d->a + row * w->n;
    double sum = 0;
    for (size_t j = 0; j < w->n; j++) {
        const struct standing *s = &w->d->standing[j];
        sum += a[j] * (double)(s->award->p_w - s->p_w);
    }
    return sum;
}

/* Loadings and falling voltages bend away from their tangents, so all tangents hold together and the
 * choice lies between them, where none alone would put it. A tangent that says more than is true at the
 * present state bends the other way and is dropped. */
static void drop_wrong(struct work *w)
{
    struct desk *d = w->d;
    size_t kept = 0;
    for (size_t i = 0; i < d->made; i++) {
        double said = d->row[i].need - taken(w, i);
        if (said > pofi_check_excess(w, d->row[i].v) + POFI_NOISE + d->row[i].largest) {
            continue;
        }
        memmove(d->a + kept * w->n, d->a + i * w->n, w->n * sizeof *d->a);
        d->row[kept++] = d->row[i];
    }
    memmove(d->row + kept, d->row + d->made, (d->rows - d->made) * sizeof *d->row);
    d->rows -= d->made - kept;
    d->made = kept;
}

/* New needs as straight lines through the present state. */
static int make_needs(struct work *w, struct pof_err *err)
{
    struct desk *d = w->d;
    int rc = make_room(w, err);
    if (rc == 0) {
        drop_wrong(w);
    }
    for (size_t j = 0; j < w->n && rc == 0; j++) {
        d->cost[j] = d->standing[j].cost;
        d->most[j] = (double)d->standing[j].award->p_w;
    }
    for (; rc == 0 && d->made < d->rows; d->made++) {
        struct need_row *row = &d->row[d->made];
        double *a = d->a + d->made * w->n;
        rc = find_effects(w, row->v, err);
        for (size_t j = 0; j < w->n && rc == 0; j++) {
            const struct standing *s = &d->standing[j];
            a[j] = pofi_sign_of(s->award) * d->by_w[s->award->node_id];
            row->largest = fmax(row->largest, fabs(a[j]));
        }
        row->need = pofi_check_excess(w, row->v) + (rc ? 0 : taken(w, d->made));
    }
    for (size_t i = 0; i < d->rows && rc == 0; i++) {
        d->need[i] = d->row[i].need + d->row[i].margin;
    }
    return rc;
}

/* The need that has most to do with an award being cut, by price times effect. */
static void blame(const struct work *w, size_t j)
{
    const struct desk *d = w->d;
    struct standing *s = &d->standing[j];
    double most = 0;
    s->cut = s->p_w < s->award->p_w;
    for (size_t i = 0; i < d->priced && s->cut; i++) {
        double share = d->price[i] * d->a[i * w->n + j];
        if (share > most) {
            most = share;
            s->what = d->row[i].v;
            s->relief = d->a[i * w->n + j];
        }
    }
}

/* Whole watts, rounded up: what is taken back is at least enough, to first order. */
static void take_back(struct work *w)
{
    for (size_t j = 0; j < w->n; j++) {
        struct standing *s = &w->d->standing[j];
        int64_t cut = (int64_t)ceil(w->d->amount[j] - 1e-6);
        s->p_w = s->award->p_w - (cut > s->award->p_w ? s->award->p_w : cut);
        blame(w, j);
    }
    pofi_check_load(w, w->d->p_w);
}

/* --- rounds --- */

static double cost_of(const struct work *w)
{
    double sum = 0;
    for (size_t j = 0; j < w->n; j++) {
        const struct standing *s = &w->d->standing[j];
        sum += s->cost * (double)(s->award->p_w - s->p_w);
    }
    return sum;
}

/* A choice is the best one when the linear program at its own state finds nothing cheaper in whole watts
 * than this. */
static bool is_best(const struct work *w)
{
    double least = 0, dearest = 0;
    for (size_t j = 0; j < w->n; j++) {
        least += w->d->cost[j] * ceil(w->d->amount[j] - 1e-6);
        dearest = fmax(dearest, w->d->cost[j]);
    }
    return cost_of(w) <= least * (1 + NEAR_SHARE) + NEAR_W * dearest;
}

/* Where whole watts that help one limit miss another by a few watts' effect, or rounds do not end otherwise,
 * it asks for that much more. */
static void widen_margins(struct work *w, int round)
{
    for (size_t i = 0; i < w->d->priced; i++) {
        struct need_row *row = &w->d->row[i];
        double excess = pofi_check_excess(w, row->v);
        if (excess > 0 && (excess < MARGIN_W * row->largest || round > PATIENCE)) {
            row->margin += excess;
        }
    }
}

struct best {
    double cost; /* infinite: none yet */
    int round;
};

static void keep_best(const struct work *w, struct best *best, int round)
{
    double cost = cost_of(w);
    if (cost < best->cost) {
        *best = (struct best){cost, round};
        for (size_t j = 0; j < w->n; j++) {
            w->d->best[j] = w->d->standing[j].p_w;
        }
    }
}

static int go_back(struct work *w, bool *converged, struct pof_err *err)
{
    for (size_t j = 0; j < w->n; j++) {
        struct standing *s = &w->d->standing[j];
        s->p_w = w->d->best[j];
        blame(w, j);
    }
    pofi_check_load(w, w->d->p_w);
    return pofi_check_solve(w, w->d->p_w, false, converged, err);
}

static int solve_cover(struct work *w, struct pof_err *err)
{
    struct desk *d = w->d;
    struct pof_cover cover = {d->rows, w->n, d->a, d->need, d->cost, d->most};
    bool met = false;
    d->priced = d->rows;
    return pof_cover_solve(&cover, d->amount, d->price, &met, err);
}

/* The linear program at the present state. */
static int linear_program(struct work *w, bool *usable, struct pof_err *err)
{
    int rc = factor(w, usable, err);
    if (rc || !*usable) {
        return rc;
    }
    rc = make_needs(w, err);
    return rc ? rc : solve_cover(w, err);
}

/* Where a limit bends inwards, tangents at other states shut out choices that are cheaper: is a choice also
 * the best one for the last `fresh` needs alone, those at its own state? If not, only they stay. */
static int is_best_alone(struct work *w, size_t fresh, bool *best, struct pof_err *err)
{
    struct desk *d = w->d;
    size_t old = d->rows - fresh;
    *best = is_best(w);
    if (!*best || old == 0) {
        return 0;
    }
    memmove(d->row, d->row + old, fresh * sizeof *d->row);
    memmove(d->a, d->a + old * w->n, fresh * w->n * sizeof *d->a);
    memmove(d->need, d->need + old, fresh * sizeof *d->need);
    d->rows = d->made = fresh;
    int rc = solve_cover(w, err);
    *best = rc == 0 && is_best(w);
    return rc;
}

/* The answer of the linear program, and what it still violates. */
static int try_answer(struct work *w, bool *usable, bool *violated, struct pof_err *err)
{
    take_back(w);
    int rc = pofi_check_solve(w, w->d->p_w, false, usable, err);
    return rc || !*usable ? rc : add_rows(w, violated, err);
}

/* Starts from all awards, solved; ends with the state of the choice. */
int pofi_cheapest(struct work *w, bool *clean, struct pof_err *err)
{
    struct best best = {.cost = INFINITY};
    bool violated = true, usable = true;
    w->d->rows = w->d->made = w->d->priced = 0;
    int rc = add_rows(w, &violated, err);
    for (int round = 1; rc == 0 && round <= ROUNDS_MAX; round++) {
        size_t fresh = w->d->rows - w->d->made;
        bool done = false;
        rc = linear_program(w, &usable, err);
        if (rc == 0 && usable && !violated) {
            rc = is_best_alone(w, fresh, &done, err);
        }
        if (rc || !usable || done) {
            break;
        }
        rc = try_answer(w, &usable, &violated, err);
        if (rc || !usable) {
            break;
        }
        if (violated) {
            widen_margins(w, round);
        } else {
            keep_best(w, &best, round);
        }
        if (round > best.round + PATIENCE && isfinite(best.cost)) {
            break;
        }
    }
    *clean = rc == 0 && isfinite(best.cost);
    return *clean ? go_back(w, &usable, err) : rc;
}
