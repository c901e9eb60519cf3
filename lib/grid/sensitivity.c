/* SPDX-License-Identifier: Apache-2.0 */
/* Sensitivities from the transposed Jacobian of a power flow. */
#include "grid/sensitivity_impl.h"

#include "grid/admittance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct pofi_complex times(struct pofi_complex a, struct pofi_complex b)
{
    return (struct pofi_complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* a conj(b) */
static struct pofi_complex across(struct pofi_complex a, struct pofi_complex b)
{
    return (struct pofi_complex){a.re * b.re + a.im * b.im, a.im * b.re - a.re * b.im};
}

struct pofi_complex pofi_sens_current(const struct pof_sens *s, uint32_t form)
{
    const struct pof_net *n = &s->net;
    struct pofi_complex i = {0};
    for (uint32_t k = n->begin[form]; k < n->begin[form + 1]; k++) {
        uint32_t m = n->to[k];
        struct pofi_complex y = times((struct pofi_complex){n->g[k], n->b[k]}, s->e[m]);
        i.re += y.re * s->v[m];
        i.im += y.im * s->v[m];
    }
    return i;
}

struct pofi_complex pofi_sens_power(const struct pof_sens *s, uint32_t form)
{
    uint32_t at = s->net.at[form];
    struct pofi_complex v = {s->v[at] * s->e[at].re, s->v[at] * s->e[at].im};
    return across(v, pofi_sens_current(s, form));
}

/* Derivatives of the power S = V conj(I) of a form by angle and voltage of the node of entry k: the
 * current alone moves. of: dP/da, dP/dv, dQ/da, dQ/dv. */
static void by_entry(const struct pof_sens *s, uint32_t at, uint32_t k, double of[4])
{
    const struct pof_net *n = &s->net;
    uint32_t m = n->to[k];
    struct pofi_complex y = times((struct pofi_complex){n->g[k], n->b[k]}, s->e[m]); /* dI/dv */
    struct pofi_complex d = across((struct pofi_complex){s->v[at] * s->e[at].re, s->v[at] * s->e[at].im}, y);
    of[1] = d.re;
    of[3] = d.im;
    of[0] = d.im * s->v[m]; /* dI/da = j v dI/dv, so dS/da = -j v dS/dv */
    of[2] = -d.re * s->v[m];
}

/* The same by the node's own voltage, where it stands before the current. */
static void by_own(const struct pof_sens *s, uint32_t at, struct pofi_complex i, double of[4])
{
    struct pofi_complex d = across(s->e[at], i);
    of[1] = d.re;
    of[3] = d.im;
    of[0] = -d.im * s->v[at];
    of[2] = d.re * s->v[at];
}

/* --- making --- */

/* Balances are the forms of all that hangs on a bus, behind those of the ends of branches. */
static uint32_t first_entry(const struct pof_net *n)
{
    return n->begin[pof_net_bus(n, 0)];
}

static void want(int32_t *row, int32_t *col, uint32_t of, uint32_t by)
{
    for (uint32_t i = 0; i < 4; i++) {
        row[i] = (int32_t)(2 * of + i / 2);
        col[i] = (int32_t)(2 * by + i % 2);
    }
}

static int make_pattern(struct pof_sens *s, struct pof_err *err)
{
    const struct pof_net *n = &s->net;
    size_t entries = n->begin[n->forms] - first_entry(n), four = 4 * (entries + n->buses);
    size_t all = four + (s->share ? n->buses : 0);
    int32_t *row = NULL, *col = NULL;
    int rc = pof_calloc(&row, all, sizeof *row, err);
    rc = rc ? rc : pof_calloc(&col, all, sizeof *col, err);
    rc = rc ? rc : pof_calloc(&s->slot, all, sizeof *s->slot, err);
    s->own = s->slot + 4 * entries;
    s->part = s->slot + four;
    for (uint32_t b = 0, at = 0; b < n->buses && rc == 0; b++) {
        uint32_t form = pof_net_bus(n, b);
        for (uint32_t k = n->begin[form]; k < n->begin[form + 1]; k++, at += 4) {
            want(row + at, col + at, b, n->to[k]);
        }
        want(row + 4 * (entries + b), col + 4 * (entries + b), b, b);
    }
    for (size_t b = 0; b + four < all && rc == 0; b++) {
        row[four + b] = (int32_t)(2 * b);
        col[four + b] = (int32_t)(2 * n->slack_of[b]);
    }
    if (rc == 0) {
        const struct pof_places places = {row, col, all};
        int32_t size = (int32_t)(2 * n->buses);
        rc = pof_csc_pattern(&s->jacobian, size, size, &places, s->slot, err);
    }
    free(row);
    free(col);
    return rc;
}

static int allocate(struct pof_sens *s, struct pof_err *err)
{
    size_t n = s->net.buses;
    int rc = pof_calloc(&s->held, 2 * n, sizeof *s->held, err);
    rc = rc ? rc : pof_calloc(&s->e, n, sizeof *s->e, err);
    rc = rc ? rc : pof_calloc(&s->v, n, sizeof *s->v, err);
    rc = rc ? rc : pof_calloc(&s->ip, n, sizeof *s->ip, err);
    rc = rc ? rc : pof_calloc(&s->iq, n, sizeof *s->iq, err);
    return rc ? rc : pof_calloc(&s->y, 2 * n, sizeof *s->y, err);
}

/* Weights of each island, normalised; an island without any keeps its slack node. */
static int share_slack(struct pof_sens *s, struct pof_err *err)
{
    const struct pof_net *n = &s->net;
    double *sum = NULL;
    int rc = pof_calloc(&s->share, n->buses, sizeof *s->share, err);
    rc = rc ? rc : pof_calloc(&s->shares, n->buses, sizeof *s->shares, err);
    rc = rc ? rc : pof_calloc(&sum, n->buses, sizeof *sum, err);
    for (uint32_t i = 0; i < s->grid->nodes && rc == 0; i++) {
        uint32_t b = n->bus_of[i];
        if (b != POF_NONE) {
            s->share[b] += s->grid->node[i].slack_share;
            sum[n->slack_of[b]] += s->grid->node[i].slack_share;
        }
    }
    for (uint32_t b = 0; b < n->buses && rc == 0; b++) {
        double all = sum[n->slack_of[b]];
        s->share[b] = all > 0 ? s->share[b] / all : 0;
        s->shares[b] = n->slack_of[b] == b && all > 0;
    }
    free(sum);
    return rc;
}

static int make(struct pof_sens **out, const struct pof_grid *grid, bool distributed, struct pof_err *err)
{
    struct pof_sens *s;
    *out = NULL;
    int rc = pof_calloc(&s, 1, sizeof *s, err);
    if (rc) {
        return rc;
    }
    s->grid = grid;
    rc = pof_net_build(&s->net, grid, 1, err);
    rc = rc ? rc : allocate(s, err);
    rc = rc || !distributed ? rc : share_slack(s, err);
    rc = rc ? rc : make_pattern(s, err);
    rc = rc ? rc : pof_lu_new(&s->lu, &s->jacobian, err);
    if (rc) {
        pof_sens_free(s);
        return rc;
    }
    for (uint32_t i = 0; i < grid->nodes; i++) {
        if (s->net.bus_of[i] != POF_NONE) {
            s->ip[s->net.bus_of[i]] += grid->node[i].ip_w / grid->base_va;
            s->iq[s->net.bus_of[i]] += grid->node[i].iq_var / grid->base_va;
        }
    }
    *out = s;
    return 0;
}

int pof_sens_new(struct pof_sens **out, const struct pof_grid *grid, struct pof_err *err)
{
    return make(out, grid, false, err);
}

int pof_sens_new_distributed(struct pof_sens **out, const struct pof_grid *grid, struct pof_err *err)
{
    return make(out, grid, true, err);
}

void pof_sens_free(struct pof_sens *s)
{
    if (!s) {
        return;
    }
    pof_lu_free(s->lu);
    pof_csc_release(&s->jacobian);
    pof_net_release(&s->net);
    free(s->slot);
    free(s->share);
    free(s->shares);
    free(s->held);
    free(s->e);
    free(s->v);
    free(s->ip);
    free(s->iq);
    free(s->y);
    free(s);
}

/* --- factors at a state --- */

static void take_state(struct pof_sens *s, const struct pof_sens_state *state)
{
    const struct pof_net *n = &s->net;
    memset(s->held, 0, 2 * (size_t)n->buses * sizeof *s->held);
    for (uint32_t i = 0; i < s->grid->nodes; i++) {
        uint32_t b = n->bus_of[i];
        if (b == POF_NONE) {
            continue;
        }
        s->v[b] = state->v_pu[i];
        s->e[b] = (struct pofi_complex){cos(state->angle[i]), sin(state->angle[i])};
        bool slack = s->grid->node[i].kind == POF_NODE_SLACK;
        bool at_limit = state->limit && state->limit[i] != 0;
        s->held[2 * b] |= slack && !(s->shares && s->shares[b]);
        s->held[2 * b + 1] |= slack || (s->grid->node[i].kind == POF_NODE_PV && !at_limit);
    }
}

/* By angle and voltage of bus `by`; the angle of a slack bus stands. */
static void add(struct pof_sens *s, const int32_t *slot, const uint32_t at_by[2], const double of[4])
{
    bool stands = s->shares && s->shares[at_by[1]];
    for (uint32_t i = 0; i < 4; i++) {
        if (!s->held[2 * at_by[0] + i / 2] && !(stands && i % 2 == 0)) {
            s->jacobian.value[slot[i]] += of[i];
        }
    }
}

static void linearise(struct pof_sens *s)
{
    const struct pof_net *n = &s->net;
    const int32_t *slot = s->slot;
    memset(s->jacobian.value, 0, (size_t)s->jacobian.col[2 * n->buses] * sizeof(double));
    for (uint32_t b = 0; b < n->buses; b++) {
        uint32_t form = pof_net_bus(n, b);
        const int32_t *own = s->own + 4 * (size_t)b;
        double of[4];
        for (uint32_t k = n->begin[form]; k < n->begin[form + 1]; k++, slot += 4) {
            by_entry(s, b, k, of);
            add(s, slot, (const uint32_t[]){b, n->to[k]}, of);
        }
        by_own(s, b, pofi_sens_current(s, form), of);
        of[1] += s->ip[b];
        of[3] += s->iq[b];
        add(s, own, (const uint32_t[]){b, b}, of);
        if (s->share && !s->held[2 * b]) {
            s->jacobian.value[s->part[b]] -= s->share[b];
        }
        for (uint32_t i = 0; i < 2; i++) {
            if (s->held[2 * b + i]) {
                s->jacobian.value[own[3 * i]] = 1;
            }
        }
    }
}

int pof_sens_at(struct pof_sens *s, const struct pof_sens_state *state, bool *regular,
                struct pof_err *err)
{
    enum pof_lu_status status = POF_LU_OK;
    take_state(s, state);
    linearise(s);
    pof_lu_reset(s->lu);
    int rc = s->net.buses ? pof_lu_factor(s->lu, &status, err) : 0;
    *regular = s->regular = rc == 0 && status == POF_LU_OK;
    return rc;
}

/* --- what is watched --- */

void pofi_sens_gradient(const struct pof_sens *s, uint32_t form, double p, double q, double *y)
{
    const struct pof_net *n = &s->net;
    uint32_t at = n->at[form];
    double of[4];
    if (at == POF_NONE) {
        return;
    }
    for (uint32_t k = n->begin[form]; k < n->begin[form + 1]; k++) {
        by_entry(s, at, k, of);
        y[2 * n->to[k]] += p * of[0] + q * of[2];
        y[2 * n->to[k] + 1] += p * of[1] + q * of[3];
    }
    by_own(s, at, pofi_sens_current(s, form), of);
    y[2 * at] += p * of[0] + q * of[2];
    y[2 * at + 1] += p * of[1] + q * of[3];
}

/* y += f grad |I|; d|I| = Re(conj(I) dI) / |I|. */
static void add_current(struct pof_sens *s, uint32_t form, double f)
{
    const struct pof_net *n = &s->net;
    struct pofi_complex i = pofi_sens_current(s, form);
    double most = hypot(i.re, i.im);
    for (uint32_t k = n->begin[form]; k < n->begin[form + 1] && most > 0; k++) {
        uint32_t m = n->to[k];
        struct pofi_complex y = times((struct pofi_complex){n->g[k], n->b[k]}, s->e[m]);
        struct pofi_complex d = across(y, i);
        s->y[2 * m + 1] += f * d.re / most;
        s->y[2 * m] -= f * d.im * s->v[m] / most;
    }
}

static void add_all(struct pof_sens *s, enum pof_watch what)
{
    const struct pof_net *n = &s->net;
    uint32_t first = pof_net_bus(n, 0);
    for (uint32_t f = 0; f < first && what == POF_WATCH_LOSS; f++) {
        pofi_sens_gradient(s, f, 1, 0, s->y);
    }
    for (uint32_t b = 0; b < n->buses && what != POF_WATCH_LOSS; b++) {
        bool shares = s->shares && s->shares[b];
        if (s->held[2 * b] || (shares && what == POF_WATCH_SLACK_Q)) {
            pofi_sens_gradient(s, first + b, what == POF_WATCH_SLACK_P, what == POF_WATCH_SLACK_Q, s->y);
        }
    }
}

/* The gradient into y, and what a unit of it is. */
static int gradient(struct pof_sens *s, const struct pof_watched *w, double *unit,
                    struct pof_err *err)
{
    const struct pof_grid *g = s->grid;
    bool of_node = w->what == POF_WATCH_V, whole = w->what >= POF_WATCH_LOSS;
    if (!whole && w->element >= (of_node ? g->nodes : g->branches)) {
        return pof_fail(err, POF_E_RANGE, "the grid has no such node or branch to watch");
    }
    memset(s->y, 0, 2 * (size_t)s->net.buses * sizeof *s->y);
    *unit = g->base_va;
    if (of_node) {
        uint32_t b = s->net.bus_of[w->element];
        *unit = g->node[w->element].base_v;
        if (b != POF_NONE) {
            s->y[2 * b + 1] = 1;
        }
        return 0;
    }
    if (whole) {
        add_all(s, w->what);
        return 0;
    }
    const struct pof_branch *b = &g->branch[w->element];
    uint32_t form = pof_net_end(&s->net, w->element, w->to, 0);
    if (pof_branch_ideal(g, b)) {
        return pof_fail(err, POF_E_PHYSICS,
                        "branch '%.*s' is a closed switch without impedance: no voltage determines "
                        "its flow; watch the branches behind it",
                        (int)b->name.len, b->name.ptr);
    }
    if (w->what == POF_WATCH_I) {
        *unit = pof_base_current(g, w->to ? b->to : b->from);
        add_current(s, form, 1);
    } else {
        pofi_sens_gradient(s, form, w->what == POF_WATCH_P, w->what == POF_WATCH_Q, s->y);
    }
    return 0;
}

int pof_sens_row(struct pof_sens *s, const struct pof_watched *watched, double *by_w,
                 double *by_var, struct pof_err *err)
{
    double unit = 0;
    if (!s->regular) {
        return pof_fail(err, POF_E_INTERNAL, "sensitivities without factors");
    }
    int rc = gradient(s, watched, &unit, err);
    for (uint32_t b = 0; b < s->net.buses && s->shares && rc == 0; b++) {
        if (s->shares[b]) { /* in the place of the angle: the power that is shared */
            s->y[2 * b] = watched->what == POF_WATCH_SLACK_P;
        }
    }
    rc = rc || s->net.buses == 0 ? rc : pof_lu_solve_transposed(s->lu, s->y, 1, err);
    if (rc) {
        return rc;
    }
    unit /= s->grid->base_va;
    for (uint32_t i = 0; i < s->grid->nodes; i++) {
        uint32_t b = s->net.bus_of[i];
        by_w[i] = b == POF_NONE || s->held[2 * b] ? 0 : -unit * s->y[2 * b];
        by_var[i] = b == POF_NONE || s->held[2 * b + 1] ? 0 : -unit * s->y[2 * b + 1];
        /* what a slack node consumes it generates */
        by_w[i] += b != POF_NONE && s->held[2 * b] && watched->what == POF_WATCH_SLACK_P;
        bool slack = b != POF_NONE && (s->held[2 * b] || (s->shares && s->shares[b]));
        by_var[i] += slack && watched->what == POF_WATCH_SLACK_Q;
    }
    return 0;
}
