/* SPDX-License-Identifier: Apache-2.0 */
/* Power flow of any grid by Newton's method on power mismatches in polar coordinates (W. F. Tinney,
 * C. E. Hart, "Power flow solution by Newton's method", IEEE Trans. PAS 86(11), 1967), with steps
 * that are shortened until mismatches become smaller (J. E. Dennis, R. B. Schnabel, "Numerical
 * Methods for Unconstrained Optimization and Nonlinear Equations", section 6.3). Unknown magnitudes
 * are logarithms, so a derivative by one is what a power is made of, and no step makes a voltage
 * negative. */
#include "grid/newton_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- mismatches --- */

static void note_worst(struct pofi_case *c, double mismatch, uint32_t node, bool is_q)
{
    if (mismatch > c->mismatch) {
        c->mismatch = mismatch;
        c->worst = node;
        c->worst_is_q = is_q;
    }
}

/* What flows from node i into the network. */
static void outflow(struct pofi_newton *n, uint32_t i)
{
    const struct pof_net *net = n->net;
    uint32_t form = pof_net_bus(net, i);
    double re = 0, im = 0;
    for (uint32_t e = net->begin[form]; e < net->begin[form + 1]; e++) {
        uint32_t j = net->to[e];
        re += net->g[e] * n->re[j] - net->b[e] * n->im[j];
        im += net->g[e] * n->im[j] + net->b[e] * n->re[j];
    }
    n->p[i] = n->re[i] * re + n->im[i] * im;
    n->q[i] = n->im[i] * re - n->re[i] * im;
}

/* What a node generates beyond what was given: reactive power of a limited one, its limit. */
static double generated_q(const struct pofi_newton *n, uint32_t i)
{
    const struct pofi_hold *h = &n->hold[i];
    return n->at_limit[i] > 0 ? h->q_max : n->at_limit[i] < 0 ? h->q_min : 0;
}

double pofi_newton_mismatch(struct pofi_newton *n, struct pofi_case *c)
{
    double sum = 0;
    c->mismatch = 0;
    c->worst = 0;
    for (uint32_t i = 0; i < n->net->nodes; i++) {
        n->re[i] = n->v[i] * cos(n->a[i]);
        n->im[i] = n->v[i] * sin(n->a[i]);
    }
    double slack = 0;
    for (uint32_t i = 0; i < n->net->nodes; i++) {
        const struct pofi_load *l = &c->load[i];
        outflow(n, i);
        n->fp[i] = n->p[i] + l->p + l->ip * n->v[i];
        n->fq[i] = n->q[i] + l->q + l->iq * n->v[i] - generated_q(n, i);
        if (n->share && n->lambda_of[i] >= 0) {
            n->fp[i] -= n->share[i] * n->lambda[n->lambda_of[i]];
        }
        bool held = n->hold[i].kind == POFI_LIMITED && n->at_limit[i] == 0;
        bool is_slack = n->hold[i].kind == POFI_SLACK;
        double p = n->row_p[i] >= 0 ? n->fp[i] : 0, q = n->row_q[i] >= 0 && !held ? n->fq[i] : 0;
        /* The phases of a slack node have one equation. */
        slack = is_slack && i % n->net->phases > 0 ? slack + p : is_slack ? p : 0;
        p = !is_slack ? p : i % n->net->phases == n->net->phases - 1 ? slack : 0;
        note_worst(c, fabs(p), i, false);
        note_worst(c, fabs(q), i, true);
        sum += p * p + q * q;
    }
    if (!isfinite(sum)) {
        c->mismatch = INFINITY;
        return INFINITY;
    }
    return sum / 2;
}

/* --- derivatives --- */

static void add(struct pofi_newton *n, int32_t slot, double value)
{
    if (slot >= 0) {
        n->jacobian.value[slot] += value;
    }
}

/* With t = V_i conj(Y_ij V_j): dS_i / d angle_j = -j t, dS_i / d ln V_j = t; for j = i, the change of
 * V_i itself adds j S_i and S_i. */
static void linearise_row(struct pofi_newton *n, uint32_t i, const struct pofi_load *l)
{
    const struct pof_net *net = n->net;
    uint32_t form = pof_net_bus(net, i), first = net->begin[pof_net_bus(net, 0)];
    bool held = n->hold[i].kind == POFI_LIMITED && n->at_limit[i] == 0;
    for (uint32_t e = net->begin[form]; e < net->begin[form + 1]; e++) {
        const int32_t *slot = n->slot + 4 * (size_t)(e - first);
        uint32_t j = net->to[e];
        double re = net->g[e] * n->re[j] - net->b[e] * n->im[j];
        double im = net->g[e] * n->im[j] + net->b[e] * n->re[j];
        double tp = n->re[i] * re + n->im[i] * im, tq = n->im[i] * re - n->re[i] * im;
        double p_by_v = tp, q_by_v = tq, p_by_a = tq, q_by_a = -tp;
        if (i == j) {
            p_by_a -= n->q[i];
            q_by_a += n->p[i];
            p_by_v += n->p[i] + l->ip * n->v[i];
            q_by_v += n->q[i] + l->iq * n->v[i];
        }
        add(n, slot[0], p_by_a);
        add(n, slot[1], p_by_v);
        /* Where the voltage is held, the equation is that it does not change. */
        add(n, slot[2], held ? 0 : q_by_a);
        add(n, slot[3], held ? i == j : q_by_v);
    }
}

void pofi_newton_linearise(struct pofi_newton *n, const struct pofi_load *load)
{
    memset(n->jacobian.value, 0, (size_t)n->jacobian.col[n->unknowns] * sizeof(double));
    for (uint32_t i = 0; i < n->net->nodes; i++) {
        if (n->row_p[i] >= 0 || n->row_q[i] >= 0) {
            linearise_row(n, i, &load[i]);
        }
        if (n->share) {
            add(n, n->share_slot[i], -n->share[i]);
        }
    }
}

/* --- steps --- */

static void fill_right_side(struct pofi_newton *n)
{
    memset(n->step, 0, (size_t)n->unknowns * sizeof *n->step);
    for (uint32_t i = 0; i < n->net->nodes; i++) {
        bool held = n->hold[i].kind == POFI_LIMITED && n->at_limit[i] == 0;
        if (n->row_p[i] >= 0) {
            n->step[n->row_p[i]] -= n->fp[i];
        }
        if (n->row_q[i] >= 0) {
            n->step[n->row_q[i]] = held ? 0 : -n->fq[i];
        }
    }
}

/* The state, `length` of the step away from where it began. */
static void move(struct pofi_newton *n, double length)
{
    for (uint32_t i = 0; i < n->net->nodes; i++) {
        n->a[i] = n->a0[i] + (n->col_a[i] >= 0 ? length * n->step[n->col_a[i]] : 0);
        if (n->col_v[i] >= 0) {
            n->v[i] = n->v0[i] * exp(length * n->step[n->col_v[i]]);
        }
    }
    for (uint32_t k = 0; k < n->lambdas; k++) {
        n->lambda[k] = n->lambda0[k] + length * n->step[n->unknowns - (int32_t)n->lambdas + (int32_t)k];
    }
}

/* Shortest step tried; a step must gain this share of what its direction promises. */
#define SHORTEST 1e-3
#define GAIN 1e-4
/* No voltage may change by more than this in one step: e^0.3 = 1.35. */
#define LARGEST_LN_V 0.3

static double first_length(const struct pofi_newton *n)
{
    double largest = 0;
    for (uint32_t i = 0; i < n->net->nodes; i++) {
        if (n->col_v[i] >= 0) {
            largest = fmax(largest, fabs(n->step[n->col_v[i]]));
        }
    }
    return largest > LARGEST_LN_V ? LARGEST_LN_V / largest : 1;
}

/* Goes along the step as far as it gains; merit: half the sum of squares before, and after. false:
 * no length gains. */
static bool search(struct pofi_newton *n, struct pofi_case *c, double *merit)
{
    double before = *merit, length = first_length(n);
    memcpy(n->v0, n->v, n->net->nodes * sizeof *n->v);
    memcpy(n->a0, n->a, n->net->nodes * sizeof *n->a);
    memcpy(n->lambda0, n->lambda, n->lambdas * sizeof *n->lambda);
    while (length >= SHORTEST) {
        move(n, length);
        *merit = pofi_newton_mismatch(n, c);
        if (*merit <= before * (1 - 2 * GAIN * length)) {
            return true;
        }
        /* The parabola through both merits, with the slope -2 before of a Newton step. */
        double best = before * length * length / (*merit - before + 2 * before * length);
        length = best > length / 2 ? length / 2 : best < length / 10 || !isfinite(best) ? length / 10 : best;
    }
    return false;
}

static int factor(struct pofi_newton *n, enum pof_lu_status *status, struct pof_err *err)
{
    unsigned before, full, kept;
    pof_lu_counts(n->lu, &before, &kept);
    int rc = pof_lu_factor(n->lu, status, err);
    pof_lu_counts(n->lu, &full, &kept);
    n->canonical &= full == before;
    return rc;
}

/* --- the iteration --- */

static void put_flat(struct pofi_newton *n)
{
    const struct pof_net *net = n->net;
    for (uint32_t i = 0; i < net->nodes; i++) {
        uint8_t kind = n->hold[i].kind;
        n->a[i] = net->flat_a[i];
        n->v[i] = kind == POFI_PV || kind == POFI_LIMITED ? n->hold[i].v_set : net->flat_v[i];
        n->at_limit[i] = 0;
        n->returns[i] = 0;
    }
    memset(n->lambda, 0, n->lambdas * sizeof *n->lambda);
}

/* Pivots are chosen at the flat start, whatever was computed before, and kept while they are good:
 * so results depend on the case alone. */
static int choose_pivots(struct pofi_newton *n, struct pofi_case *c, struct pof_err *err)
{
    enum pof_lu_status status;
    if (n->canonical) {
        return 0;
    }
    (void)pofi_newton_mismatch(n, c);
    pofi_newton_linearise(n, c->load);
    pof_lu_reset(n->lu);
    int rc = pof_lu_factor(n->lu, &status, err);
    n->canonical = rc == 0 && status == POF_LU_OK;
    return rc;
}

static int start(struct pofi_newton *n, struct pofi_case *c, struct pof_err *err)
{
    put_flat(n);
    int rc = choose_pivots(n, c, err);
    if (c->start == POFI_DC && rc == 0) {
        rc = pofi_newton_dc(n, c, err);
    } else if (c->start == POFI_GIVEN) {
        for (uint32_t i = 0; i < n->net->nodes; i++) {
            n->a[i] = n->col_a[i] >= 0 ? c->angle[i] : n->a[i];
            n->v[i] = n->hold[i].kind == POFI_PQ && c->v[i] > 0 ? c->v[i] : n->v[i];
        }
    }
    return rc;
}

/* Which factors a step is computed with: those of an earlier state, when they still serve; of the
 * present state with kept pivots; with pivots chosen anew. */
enum factors { STALE, KEPT, ANEW };

/* Stale factors serve near the solution, while a step leaves no more than this share of the largest
 * mismatch: they cost a tenth. */
#define STALE_BELOW 0.1
#define STALE_SERVES 0.2

static int compute_step(struct pofi_newton *n, const struct pofi_case *c, enum factors use,
                        bool *singular, struct pof_err *err)
{
    enum pof_lu_status status = POF_LU_OK;
    int rc = 0;
    if (use != STALE) {
        if (use == ANEW) {
            pof_lu_reset(n->lu);
        }
        pofi_newton_linearise(n, c->load);
        rc = factor(n, &status, err);
    }
    *singular = status == POF_LU_SINGULAR;
    fill_right_side(n);
    return rc || *singular ? rc : pof_lu_solve(n->lu, n->step, 1, err);
}

/* One step of what stale factors give once the mismatch is small enough: a digit or more for
 * little. */
static int polish(struct pofi_newton *n, struct pofi_case *c, double merit, struct pof_err *err)
{
    fill_right_side(n);
    int rc = pof_lu_solve(n->lu, n->step, 1, err);
    if (rc == 0 && !search(n, c, &merit)) {
        move(n, 0);
        (void)pofi_newton_mismatch(n, c);
    }
    return rc;
}

static int iterate(struct pofi_newton *n, struct pofi_case *c, struct pof_err *err)
{
    double merit = pofi_newton_mismatch(n, c);
    enum factors use = KEPT, last = KEPT;
    int steps = 0; /* since limits were last switched */
    c->why = POFI_SOLVED;
    while (!(c->mismatch <= c->tolerance)) {
        if (steps++ >= c->max_iterations) {
            c->why = POFI_TOO_LONG;
            return 0;
        }
        bool singular;
        double before = c->mismatch, merit_before = merit;
        int rc = compute_step(n, c, use, &singular, err);
        if (rc || singular) {
            c->why = POFI_SINGULAR;
            return rc;
        }
        last = use;
        if (search(n, c, &merit)) {
            c->iterations++;
            use = c->mismatch <= STALE_BELOW && c->mismatch <= STALE_SERVES * before ? STALE : KEPT;
            continue;
        }
        /* Back to where the step began, to try with better factors. */
        move(n, 0);
        (void)pofi_newton_mismatch(n, c);
        merit = merit_before;
        if (use == ANEW) {
            c->why = POFI_STUCK;
            return 0;
        }
        use = use == STALE ? KEPT : ANEW;
    }
    return last == STALE ? polish(n, c, merit, err) : 0;
}

static int with_limits(struct pofi_newton *n, struct pofi_case *c, struct pofi_switching *s,
                       struct pof_err *err)
{
    int rc = start(n, c, err);
    for (bool more = true; rc == 0 && more;) {
        rc = iterate(n, c, err);
        more = rc == 0 && c->why == POFI_SOLVED && n->limited > 0 && pofi_newton_switch(n, c, s);
    }
    c->why = s->endless ? POFI_CYCLES : c->why;
    n->kept = s->kept;
    return rc;
}

int pofi_newton_solve(struct pofi_newton *n, struct pofi_case *c, struct pof_err *err)
{
    int rc = 0;
    c->tolerance = fmax(c->tolerance, pofi_rounding(n->net, n->col_a));
    c->iterations = 0;
    c->why = POFI_SOLVED;
    n->kept = 0;
    if (!n->lu) {
        put_flat(n);
        (void)pofi_newton_mismatch(n, c);
    }
    bool more = n->lu != NULL;
    for (int policy = POFI_BLOCK; rc == 0 && more && policy < POFI_POLICIES; policy++) {
        struct pofi_switching s = {.policy = (enum pofi_policy)policy};
        rc = with_limits(n, c, &s, err);
        more = c->why != POFI_SOLVED && s.rounds > 0;
    }
    memcpy(c->v, n->v, n->net->nodes * sizeof *n->v);
    memcpy(c->angle, n->a, n->net->nodes * sizeof *n->a);
    return rc;
}
