/* SPDX-License-Identifier: Apache-2.0 */
/* Gauss-Newton with exact readings as constraints, multipliers carried.
 *
 * Right-hand sides are exact (estimate_eval.h), so the point where steps end does not depend on the
 * factors: they are kept from step to step as long as each step is a small part of the one before
 * it, and made anew at the present state when not. Steps are held in check by the natural
 * monotonicity test (P. Deuflhard, Newton Methods for Nonlinear Problems, 2004, chapter 4): a step is
 * as good as the correction is short that the same factors would make behind it. Unlike a penalty
 * function it needs no prices of constraints, and that correction, once it is short, is the next
 * step. */
#include "grid/estimate_eval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exact rows hold so well, p.u., unless rounding forbids. */
static const double MISSED_BEST = 1e-12;
/* Where rounding keeps steps from shrinking further they may end here. */
static const double TOLERANCE_WORST = 1e-8;
/* Current magnitudes join when steps have come below this, p.u. and rad. */
static const double CURRENTS_BELOW = 1e-2;
/* No voltage moves further in one step: the model is not linear beyond. */
static const double STEP_MAX = 0.8;
/* Steps below this are taken whole: what is left of them is rounding. */
static const double STEP_SMALL = 1e-4;
/* Kept factors must shorten steps at least so, or they are made anew. */
static const double CONTRACTION = 0.25;
/* A first step so long leads to where factors should be made anew, if that costs few solves. */
static const double FAR = 1e-4, CHEAP = 4;
enum { ITERATIONS_MAX = 50, HALVINGS_MAX = 8 };
/* From a base: no step may be longer, nor, over two steps, shrink less. */
static const double WARM_STEP_MAX = 0.1, WARM_CONTRACTION = 0.2;
enum { WARM_ITERATIONS_MAX = 20 };

/* Angles are compared around the circle. */
static double residual(const struct pof_se *se, const struct se_row *row)
{
    double r = row->z - pofi_se_value(se, row, &se->state);
    return pofi_se_circular(row) ? remainder(r, 2 * 3.14159265358979323846) : r;
}

void pofi_se_linearise(struct pof_se *se)
{
    for (size_t i = 0; i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        double value[2];
        if (pofi_se_is_pair(se, row)) {
            pofi_se_pair(se, row, &se->state, se->h, value);
            row[0].r = row[0].z - value[0];
            row[1].r = row[1].z - value[1];
            i++;
            continue;
        }
        row->r = residual(se, row);
        pofi_se_gradient(se, row, &se->state, se->h + 2 * (size_t)row->begin);
    }
}

static double longest(const struct pof_se *se, const struct se_row *row)
{
    double most = 0;
    for (uint32_t k = 0; k < 2 * row->n; k++) {
        double h = fabs(se->h[2 * (size_t)row->begin + k]);
        most = h > most ? h : most;
    }
    return most;
}

void pofi_se_weigh(struct pof_se *se)
{
    double logs = 0, product = 1, n = 0;
    for (size_t i = 0; i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        double most = longest(se, row);
        row->weight = !row->exact ? 1 / (row->sigma * row->sigma) : most > 0 ? 1 / most : 1;
        row->lambda = 0;
        if (!row->exact && most > 0 && row->forms > 0) {
            product *= fmin(row->weight * most * most, se->gain_most); /* a logarithm now and then is enough */
            n++;
            if (!(product > 1e-100 && product < 1e100)) {
                logs += log(product);
                product = 1;
            }
        }
    }
    se->rho = n > 0 ? exp((logs + log(product)) / n) : 1;
}

double pofi_se_prior(const struct pof_se *se, bool variances)
{
    double best = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->quantity == POF_QUANTITY_V && !row->exact && !row->removed) {
            best = fmax(best, row->weight);
        }
    }
    double prior = best > 0 ? fmin(1, 1e-4 * best) : 1;
    return variances ? 1e-3 * prior : prior;
}

bool pofi_se_contradiction(struct pof_se *se)
{
    const struct se_row *worst = NULL;
    double most = TOLERANCE_WORST;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->active && row->exact && fabs(row->r) * row->weight > most) {
            most = fabs(row->r) * row->weight;
            worst = row;
        }
    }
    if (worst) {
        char name[128];
        se->status = POF_SE_DIVERGED;
        snprintf(se->detail, sizeof se->detail,
                 "exact readings contradict each other: %s is missed by %.3g p.u.",
                 pofi_se_row_name(se, worst, name, sizeof name), fabs(worst->r));
    }
    return worst != NULL;
}

/* --- between rows and lanes --- */

static void load(struct pof_se *se)
{
    struct eval_lanes *l = se->lanes;
    for (uint32_t k = 0; k < se->net.nodes; k++) {
        uint32_t n = se->plan->net_node[k];
        l->v[2 * k] = se->state.vr[n];
        l->v[2 * k + 1] = se->state.vi[n];
        l->vm[k] = se->state.vm[n];
    }
    memcpy(l->x, se->state.x, 2 * (size_t)se->potentials * sizeof *l->x);
}

static void load_rows(struct pof_se *se)
{
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        uint32_t k = se->plan->row_at[i];
        se->lanes->z[k] = row->z;
        se->lanes->w[k] = !row->active ? 0 : row->exact ? 1 : row->weight;
    }
    for (uint32_t k = 0; k < se->plan->exacts; k++) {
        se->lanes->lambda[k] = se->row[se->plan->exact_row[k]].lambda;
    }
}

static void store(struct pof_se *se)
{
    const struct eval_lanes *l = se->lanes;
    for (uint32_t k = 0; k < se->net.nodes; k++) {
        uint32_t n = se->plan->net_node[k];
        se->state.vr[n] = l->v[2 * k];
        se->state.vi[n] = l->v[2 * k + 1];
        se->state.vm[n] = l->vm[k];
    }
    memcpy(se->state.x, l->x, 2 * (size_t)se->potentials * sizeof *l->x);
    for (size_t i = 0; i < se->rows; i++) {
        se->row[i].r = l->r[se->plan->row_at[i]];
    }
    for (uint32_t k = 0; k < se->plan->exacts; k++) {
        se->row[se->plan->exact_row[k]].lambda = l->lambda[k];
    }
}

/* --- steps --- */

/* Largest change of a voltage that the present right-hand side asks for; not finite when it is no
 * step at all. */
static double size_of(const struct pof_se *se, const double *of)
{
    double most = 0, sum = 0;
    for (uint32_t n = 0; n < se->net.nodes; n++) {
        const double *step = of + 2 * se->plan->order[n];
        double a = fabs(step[0]), b = fabs(step[1]);
        most = a > most ? a : most;
        most = b > most ? b : most;
        sum += step[0] + step[1];
    }
    return isfinite(sum) ? most : NAN;
}

static double solve_again(struct pof_se *se)
{
    pofi_se_solve(se->plan, se->gain.ldl, se->lanes);
    return size_of(se, se->lanes->rhs);
}

static double solve_here(struct pof_se *se)
{
    pofi_se_eval(se->plan, se->lanes);
    memcpy(se->asked, se->lanes->rhs, se->plan->unknowns * sizeof *se->asked);
    return solve_again(se);
}

/* The correction behind a trial step by the linear model that the factors are of: residuals are those
 * of the trial, derivatives stay. (The exact gradient also knows how derivatives have turned, which
 * far from the solution, with large residuals of precise readings, is most of it.) */
static double model_size(struct pof_se *se)
{
    const uint32_t *order = se->plan->order;
    const struct eval_lanes *l = se->lanes;
    double *b = se->probe;
    memset(b, 0, se->plan->unknowns * sizeof *b);
    for (uint32_t k = 0; k < se->plan->exacts; k++) {
        b[se->plan->exact[k].extra] = -l->lambda[k]; /* until the row has been there */
    }
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        const double *h = se->h + 2 * (size_t)row->begin;
        uint32_t at = se->plan->row_at[i];
        double wr = l->w[at] * l->r[at], m = wr;
        if (row->exact) {
            double *own = &b[2 * order[row->extra / 2] + row->extra % 2];
            m = l->w[at] * row->weight * *own;
            *own = wr * row->weight;
        }
        for (uint32_t k = 0; k < 2 * row->n; k++) {
            b[2 * order[se->block[row->begin + k / 2]] + k % 2] += m * h[k];
        }
    }
    pof_ldl_solve(se->gain.ldl, b);
    return size_of(se, b);
}

/* A step with factors of the state that rows were linearised at. */
static int first_step(struct pof_se *se, double *size, struct pof_err *err)
{
    se->base_factored = false;
    if (!se->options.dense) {
        pofi_se_factor(se, &se->gain, pofi_se_prior(se, false));
        *size = solve_here(se);
        return 0;
    }
    bool solved = false;
    pofi_se_eval(se->plan, se->lanes);
    memset(se->step, 0, se->plan->unknowns * sizeof *se->step);
    int rc = pofi_se_dense_step(se, se->step, &solved, err);
    memset(se->lanes->rhs, 0, se->plan->unknowns * sizeof *se->lanes->rhs);
    for (uint32_t b = 0; b < pofi_se_states(se); b++) {
        memcpy(se->lanes->rhs + 2 * se->plan->order[b], se->step + 2 * b, 2 * sizeof *se->step);
    }
    *size = solved ? size_of(se, se->lanes->rhs) : NAN;
    return rc;
}

/* A step with factors of the present state. asked: se->asked is its right-hand side. */
static int new_step(struct pof_se *se, bool asked, double *size, struct pof_err *err)
{
    store(se);
    pofi_se_linearise(se);
    if (!asked || se->options.dense) {
        return first_step(se, size, err);
    }
    se->base_factored = false;
    pofi_se_factor(se, &se->gain, pofi_se_prior(se, false));
    memcpy(se->lanes->rhs, se->asked, se->plan->unknowns * sizeof *se->asked);
    *size = solve_again(se);
    return 0;
}

/* Whether factors of the state behind a long first step are better made at once: kept ones take two
 * steps more, if not a failed one, which is more work where there is little fill. */
static bool makes_anew(const struct pof_se *se, int i, double size)
{
    double solve = (double)pof_ldl_fill(se->gain.ldl) * 8;
    return i == 0 && size > FAR && pof_ldl_flops(se->gain.ldl) < CHEAP * solve;
}

/* Keeps where a step begins, and the step, or goes back there. */
static void keep(struct pof_se *se, bool back)
{
    const struct eval_lanes *l = se->lanes;
    size_t nodes = se->net.nodes;
    struct {
        double *here, *kept;
        size_t n;
    } all[] = {{l->v, se->from.vr, nodes},
               {l->v + nodes, se->from.vi, nodes}, /* as the lanes have them */
               {l->vm, se->from.vm, nodes},
               {l->x, se->from.x, 2 * (size_t)se->potentials},
               {l->lambda, se->before, se->plan->exacts},
               {l->rhs, se->step, se->plan->unknowns}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        memcpy(back ? all[i].here : all[i].kept, back ? all[i].kept : all[i].here, all[i].n * sizeof(double));
    }
}

/* Goes a part of the step. */
static void go(struct pof_se *se, double alpha)
{
    double size;
    for (uint32_t k = 0; alpha < 1 && k < se->plan->unknowns; k++) {
        se->lanes->rhs[k] *= alpha;
    }
    pofi_se_step(se->plan, se->lanes, &size);
}

/* Takes as much of the present step as does good; the one behind it is left in its place. */
static void advance(struct pof_se *se, double size, double *alpha, double *next)
{
    keep(se, false);
    *alpha = size > STEP_MAX ? STEP_MAX / size : 1;
    for (int k = 0;; k++) {
        go(se, *alpha);
        if (se->options.dense) {
            pofi_se_eval(se->plan, se->lanes);
            *next = 0;
            return;
        }
        *next = solve_here(se);
        if (*next < size || size <= STEP_SMALL || k == HALVINGS_MAX || model_size(se) < size) {
            return;
        }
        *alpha /= 2;
        keep(se, true);
    }
}

/* Lets current magnitudes in; true when there were any that waited. */
static bool let_currents_in(struct pof_se *se)
{
    bool any = false;
    for (size_t i = 0; i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        if (!row->active && !row->removed) {
            row->active = any = true;
            se->lanes->w[se->plan->row_at[i]] = row->weight;
        }
    }
    return any;
}

/* --- the whole --- */

/* Constraints that cannot all hold leave steps that are small but never end. */
static void give_up(struct pof_se *se, const char *why, double size)
{
    se->status = POF_SE_DIVERGED;
    store(se);
    if (size < STEP_SMALL && pofi_se_contradiction(se)) {
        return;
    }
    snprintf(se->detail, sizeof se->detail, "%s after %d iterations, last step %.3g p.u.", why,
             se->iterations, size);
}

static void finish(struct pof_se *se)
{
    se->status = POF_SE_CONVERGED;
    se->objective = se->lanes->sums[EVAL_OBJECTIVE];
    store(se);
    (void)pofi_se_contradiction(se);
}

bool pofi_se_settled(double tolerance, double before, double size, double next)
{
    double rho = next / size, two = next / before;
    if (next <= tolerance) {
        return true;
    }
    double ahead = fmax(size * two, next * fmin(rho, 1));
    return isfinite(before) && two < 0.25 && ahead / (1 - two) <= tolerance;
}

/* Whether rounding lets nothing shrink any more: neither from step to step nor over two. */
static bool stuck(int i, const double sizes[3])
{
    return i > 3 && sizes[1] <= TOLERANCE_WORST && sizes[2] > 0.5 * sizes[1] &&
           sizes[2] > 0.5 * sizes[0];
}

/* The same, or stuck. */
static bool settled(const struct pof_se *se, int i, const double sizes[3])
{
    double tolerance = se->options.tolerance > 0 ? se->options.tolerance : SE_TOLERANCE;
    return pofi_se_settled(tolerance, sizes[0], sizes[1], sizes[2]) || stuck(i, sizes);
}

/* Takes the step that is ready and asks for the one behind it: only that tells what is left, since
 * sizes before it are those of states and of multipliers by turns. */
static bool last_step(struct pof_se *se, double *size, bool is_stuck)
{
    double before, set = se->options.tolerance;
    pofi_se_step(se->plan, se->lanes, &before);
    pofi_se_eval(se->plan, se->lanes);
    bool hold = se->lanes->sums[EVAL_MISSED] <= MISSED_BEST;
    if (se->options.dense) {
        return true;
    }
    pofi_se_solve(se->plan, se->gain.ldl, se->lanes);
    *size = size_of(se, se->lanes->rhs);
    bool nothing = before <= TOLERANCE_WORST && !(*size > SE_TOLERANCE / 10);
    return nothing || (hold && (is_stuck || *size <= (set > 0 ? set : SE_TOLERANCE)));
}

/* Only when attempts have failed: residuals of all rows, currents that wait included. */
static void note_best(struct pof_se *se)
{
    if (se->best.on) {
        store(se);
        for (size_t i = 0; i < se->rows; i++) {
            se->row[i].r = residual(se, &se->row[i]);
        }
        pofi_se_best_note(se);
    }
}

int pofi_se_iterate(struct pof_se *se, struct pof_err *err)
{
    int most = se->options.max_iterations > 0 ? se->options.max_iterations : ITERATIONS_MAX;
    double size = 0, next = 0, alpha = 1, before = INFINITY;
    pofi_se_linearise(se);
    pofi_se_weigh(se);
    pofi_se_plan_scale(se, se->plan);
    load(se);
    load_rows(se);
    note_best(se);
    int rc = first_step(se, &size, err);
    for (int i = 0; rc == 0 && i < most; i++) {
        se->iterations++;
        if (!isfinite(size)) {
            give_up(se, "the equations became singular", next);
            return 0;
        }
        advance(se, size, &alpha, &next);
        note_best(se);
        bool joined = next < CURRENTS_BELOW && let_currents_in(se);
        if (se->options.dense) {
            next = size; /* there are no kept factors to look ahead with */
            rc = new_step(se, false, &size, err);
        }
        double ahead = se->options.dense ? size : next;
        double behind = se->options.dense ? next : size;
        const double sizes[3] = {before, behind, ahead};
        if (alpha >= 1 && !joined && isfinite(ahead) && settled(se, i, sizes)) {
            size = ahead;
            if (last_step(se, &size, stuck(i, sizes))) {
                finish(se);
                return 0;
            }
            continue;
        }
        if (se->options.dense) {
            continue;
        }
        before = alpha < 1 ? INFINITY : size;
        if (joined || alpha < 1 || !(next <= CONTRACTION * size) || makes_anew(se, i, size)) {
            rc = new_step(se, !joined, &size, err);
        } else {
            size = next;
        }
    }
    if (rc == 0) {
        give_up(se, "no convergence", size);
    }
    return rc;
}

/* --- from a base --- */

int pofi_se_keep_base(struct pof_se *se, struct pof_err *err)
{
    int rc = 0;
    if (se->base_known || se->status != POF_SE_CONVERGED || se->options.dense) {
        return 0;
    }
    if (!se->base.vm) {
        rc = pofi_se_state_new(se, &se->base, err);
    }
    rc = rc ? rc : pof_grow(&se->base_lambda, &se->base_cap[0], se->rows, sizeof(double), err);
    rc = rc ? rc : pof_grow(&se->base_weight, &se->base_cap[1], se->rows, sizeof(double), err);
    if (rc == 0) {
        pofi_se_state_copy(se, &se->base, &se->state);
        for (size_t i = 0; i < se->rows; i++) {
            se->base_lambda[i] = se->row[i].lambda;
            se->base_weight[i] = se->row[i].weight;
        }
        se->base_rho = se->rho;
        se->base_most = se->gain_most;
        se->base_known = true;
        se->base_factored = false;
    }
    return rc;
}

void pofi_se_to_base(struct pof_se *se)
{
    for (size_t i = 0; se->base_known && i < se->rows; i++) {
        se->row[i].weight = se->base_weight[i];
        se->row[i].lambda = se->base_lambda[i];
    }
    if (se->base_known) {
        pofi_se_state_copy(se, &se->state, &se->base);
        se->rho = se->base_rho;
    }
    for (size_t i = 0; i < se->rows; i++) {
        se->row[i].active = !se->row[i].removed;
    }
    if (!se->base_known || !se->base_factored) {
        double most = se->gain_most;
        se->gain_most = se->base_known ? se->base_most : most;
        pofi_se_linearise(se);
        pofi_se_factor(se, &se->gain, pofi_se_prior(se, false));
        se->gain_most = most;
        se->base_factored = se->base_known;
    }
    for (size_t i = 0; i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        row->weight = row->exact ? row->weight : 1 / (row->sigma * row->sigma);
    }
    pofi_se_plan_scale(se, se->plan);
}

/* All of the base that an estimate begins with. */
static void return_to_base(struct pof_se *se)
{
    pofi_se_to_base(se);
    load(se);
    load_rows(se);
}

bool pofi_se_warm(struct pof_se *se)
{
    double before = INFINITY, next;
    bool done = false;
    if (!se->base_known) {
        return false;
    }
    return_to_base(se);
    double size = solve_here(se);
    for (int i = 0; i < WARM_ITERATIONS_MAX && isfinite(size) && size <= WARM_STEP_MAX; i++) {
        se->iterations++;
        pofi_se_step(se->plan, se->lanes, &next);
        next = solve_here(se);
        const double sizes[3] = {before, size, next};
        if (settled(se, i, sizes)) {
            done = last_step(se, &next, stuck(i, sizes));
        } else if (!(next <= WARM_CONTRACTION * fmin(before, 1))) {
            break;
        }
        if (done) {
            finish(se);
            done = se->status == POF_SE_CONVERGED;
            break;
        }
        before = size;
        size = next;
    }
    if (!done) {
        se->iterations = 0;
        se->status = POF_SE_DIVERGED;
        se->detail[0] = '\0';
    }
    return done;
}

int pofi_se_settle(struct pof_se *se, int iterations, struct pof_err *err)
{
    for (size_t i = 0; i < se->rows; i++) {
        se->row[i].active = !se->row[i].removed;
    }
    se->status = POF_SE_DIVERGED;
    int rc = pofi_se_iterate(se, err);
    se->iterations = iterations;
    if (rc == 0) {
        pofi_se_outputs(se);
    }
    if (rc == 0 && se->status == POF_SE_CONVERGED) {
        se->detail[0] = '\0';
    }
    return rc;
}
