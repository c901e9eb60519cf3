/* SPDX-License-Identifier: Apache-2.0 */
/* Gauss-Newton with exact readings as constraints, multipliers carried, steps held in check by the
 * natural monotonicity test (P. Deuflhard, Newton Methods for Nonlinear Problems, 2004, chapter
 * 4): a step is as good as the correction is short that the same linear model would make behind it.
 * Unlike a penalty function it needs no prices of constraints, and a constraint of large slope (a
 * closed switch) does not hold whole steps up. */
#include "grid/dense.h"
#include "grid/estimate_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 1e-10;
/* Where rounding keeps steps from shrinking further they may end here. */
static const double TOLERANCE_WORST = 1e-8;
/* Current magnitudes join when steps have come below this, p.u. and rad. */
static const double CURRENTS_BELOW = 1e-2;
/* No voltage moves further in one step: the model is not linear beyond. */
static const double STEP_MAX = 0.8;
/* Steps below this are taken whole: what is left of them is rounding. */
static const double STEP_SMALL = 1e-4;
enum { ITERATIONS_MAX = 50, HALVINGS_MAX = 8 };

/* Angles are compared around the circle. */
static double residual(const struct pof_se *se, const struct se_row *row)
{
    double r = row->z - pofi_se_value(se, row, se->v, se->a);
    return row->quantity == POF_QUANTITY_ANGLE ? remainder(r, 2 * 3.14159265358979323846) : r;
}

void pofi_se_linearise(struct pof_se *se)
{
    pofi_se_ends(se, se->a);
    for (size_t i = 0; i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        row->r = residual(se, row);
        pofi_se_gradient(se, row, se->v, se->h + row->begin);
    }
}

static double longest(const struct pof_se *se, const struct se_row *row)
{
    double most = 0;
    for (int32_t i = 0; i < row->n; i++) {
        most = fmax(most, fabs(se->h[row->begin + i]));
    }
    return most;
}

/* Weights such that the longest weighted row, and every constraint row, is about 1. */
static void weigh(struct pof_se *se)
{
    double most = 0;
    for (size_t i = 0; i < se->rows; i++) {
        if (!se->row[i].exact) {
            most = fmax(most, longest(se, &se->row[i]) / se->row[i].sigma);
        }
    }
    se->scale = most > 0 ? 1 / (most * most) : 0;
    for (size_t i = 0; i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        double h = longest(se, row);
        row->weight = row->exact ? (h > 0 ? 1 / h : 1) : se->scale / (row->sigma * row->sigma);
        row->lambda = 0;
    }
}

/* The step by the sparse system; false when it is singular. */
static int sparse_step(struct pof_se *se, bool *solved, struct pof_err *err)
{
    enum pof_lu_status lu = POF_LU_SINGULAR;
    pofi_se_assemble(se, &se->gain);
    pofi_se_rhs(se, se->step);
    int rc = pof_lu_factor(se->gain.lu, &lu, err);
    *solved = rc == 0 && lu == POF_LU_OK;
    if (*solved) {
        rc = pof_lu_solve(se->gain.lu, se->step, 1, err);
    }
    return rc;
}

static void fill_dense(const struct pof_se *se, struct pof_dense_lse *p)
{
    int32_t row_a = 0;
    int32_t row_b = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (!row->active) {
            continue;
        }
        bool exact = row->exact;
        double f = exact ? row->weight : sqrt(row->weight);
        double *to = exact ? p->b + row_b : p->a + row_a;
        ptrdiff_t stride = exact ? p->constraints : p->rows;
        for (int32_t k = 0; k < row->n; k++) {
            to[stride * se->col[row->begin + k]] += f * se->h[row->begin + k];
        }
        if (exact) {
            p->d[row_b++] = f * row->r;
        } else {
            p->c[row_a++] = f * row->r;
        }
    }
}

/* The step by dense algebra, without multipliers. */
static int dense_step(struct pof_se *se, bool *solved, struct pof_err *err)
{
    struct pof_dense_lse p = {.cols = 2 * (int32_t)se->n};
    for (size_t i = 0; i < se->rows; i++) {
        p.constraints += se->row[i].active && se->row[i].exact;
        p.rows += se->row[i].active && !se->row[i].exact;
    }
    int rc = pof_calloc(&p.a, (size_t)p.rows * (size_t)p.cols, sizeof *p.a, err);
    rc = rc == 0 ? pof_calloc(&p.b, (size_t)p.constraints * (size_t)p.cols, sizeof *p.b, err) : rc;
    rc = rc == 0 ? pof_calloc(&p.c, (size_t)p.rows, sizeof *p.c, err) : rc;
    rc = rc == 0 ? pof_calloc(&p.d, (size_t)p.constraints, sizeof *p.d, err) : rc;
    if (rc == 0) {
        fill_dense(se, &p);
        memset(se->step, 0, (size_t)se->gain.size * sizeof *se->step);
        rc = pof_dense_lse(&p, se->step, solved, err);
    }
    free(p.d);
    free(p.c);
    free(p.b);
    free(p.a);
    return rc;
}

/* Largest change of a voltage that a step asks for; not finite when it is no step at all. */
static double size_of(const struct pof_se *se, const double *step)
{
    double most = 0;
    for (uint32_t i = 0; i < 2 * se->n; i++) {
        double s = fabs(step[i]);
        if (isnan(s)) {
            return s;
        }
        most = fmax(most, s);
    }
    return most;
}

/* The state a part of the step away from where it began, and r there; H stays. */
static void move(struct pof_se *se, double alpha)
{
    for (uint32_t e = 0; e < se->n; e++) {
        double v = se->v_from[e];
        se->a[e] = se->a_from[e] + alpha * se->step[2 * e];
        se->v[e] = fmax(v + alpha * se->step[2 * e + 1], 0.05 * v);
    }
    pofi_se_ends(se, se->a);
    for (size_t i = 0; i < se->rows; i++) {
        se->row[i].r = residual(se, &se->row[i]);
    }
}

/* What the linear model of the last step would correct at the present state. */
static int next_size(struct pof_se *se, double *size, struct pof_err *err)
{
    pofi_se_rhs(se, se->probe);
    int rc = pof_lu_solve(se->gain.lu, se->probe, 1, err);
    *size = rc == 0 ? size_of(se, se->probe) : INFINITY;
    return rc;
}

/* Takes as much of the step as does good, and linearises there. */
static int advance(struct pof_se *se, double size, double *alpha, struct pof_err *err)
{
    int rc = 0;
    *alpha = size > STEP_MAX ? STEP_MAX / size : 1;
    memcpy(se->v_from, se->v, se->n * sizeof *se->v);
    memcpy(se->a_from, se->a, se->n * sizeof *se->a);
    move(se, *alpha);
    for (int k = 0; rc == 0 && size > STEP_SMALL && !se->options.dense; k++) {
        double next = INFINITY;
        rc = next_size(se, &next, err);
        if (next < size || k == HALVINGS_MAX) {
            break;
        }
        *alpha /= 2;
        move(se, *alpha);
    }
    for (size_t i = 0; i < se->rows; i++) {
        if (se->row[i].exact) {
            se->row[i].lambda += *alpha * se->step[se->row[i].extra];
        }
    }
    pofi_se_linearise(se);
    return rc;
}

/* Lets current magnitudes in; true when there were any that waited. */
static bool let_currents_in(struct pof_se *se)
{
    bool any = false;
    for (size_t i = 0; i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        if (!row->active && !row->removed) {
            row->active = true;
            any = true;
        }
    }
    return any;
}

/* Names the constraint that is missed most, if one is. */
static bool contradiction(struct pof_se *se)
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

/* After the last step: objective, and whether constraints hold. */
static void judge(struct pof_se *se)
{
    for (size_t i = 0; i < se->rows; i++) {
        if (se->row[i].origin == SE_REFERENCE) {
            se->a[se->row[i].element] = se->row[i].z; /* to the last bit */
        }
    }
    pofi_se_linearise(se);
    se->objective = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->active && !row->exact) {
            se->objective += row->r * row->r / (row->sigma * row->sigma);
        }
    }
    (void)contradiction(se);
}

/* Constraints that cannot all hold leave steps that are small but never end. */
static void give_up(struct pof_se *se, const char *why, double size)
{
    se->status = POF_SE_DIVERGED;
    if (size < STEP_SMALL && contradiction(se)) {
        return;
    }
    snprintf(se->detail, sizeof se->detail, "%s after %d iterations, last step %.3g p.u.", why,
             se->iterations, size);
}

int pofi_se_iterate(struct pof_se *se, struct pof_err *err)
{
    double tolerance = se->options.tolerance > 0 ? se->options.tolerance : TOLERANCE;
    int most = se->options.max_iterations > 0 ? se->options.max_iterations : ITERATIONS_MAX;
    double before = INFINITY;
    pof_lu_reset(se->gain.lu);
    pofi_se_linearise(se);
    weigh(se);
    for (int i = 0; i < most; i++) {
        double alpha = 0;
        bool solved = false;
        int rc = se->options.dense ? dense_step(se, &solved, err) : sparse_step(se, &solved, err);
        if (rc != 0) {
            return rc;
        }
        double size = solved ? size_of(se, se->step) : NAN;
        se->iterations++;
        if (!isfinite(size)) {
            give_up(se, "the equations became singular", before);
            return 0;
        }
        rc = advance(se, size, &alpha, err);
        if (rc != 0) {
            return rc;
        }
        bool stuck = i > 3 && size <= TOLERANCE_WORST && size > before / 2;
        bool joined = size < CURRENTS_BELOW && let_currents_in(se);
        if (alpha >= 1 && !joined && (size <= tolerance || stuck)) {
            se->status = POF_SE_CONVERGED;
            judge(se);
            return 0;
        }
        before = size;
    }
    give_up(se, "no convergence", before);
    return 0;
}

/* Consumption the power flow is to start with, beside the grid's own: means of what is read. */
static void read_injections(const struct pof_se *se, double *p_w, double *q_var)
{
    for (size_t i = 0; i < se->rows;) {
        const struct se_row *row = &se->row[i];
        size_t first = i;
        double sum = 0;
        for (; i < se->rows && se->row[i].branch == row->branch &&
               se->row[i].element == row->element && se->row[i].quantity == row->quantity;
             i++) {
            sum += se->row[i].z;
        }
        bool p = row->quantity == POF_QUANTITY_P;
        if (row->branch || !(p || row->quantity == POF_QUANTITY_Q)) {
            continue;
        }
        uint32_t node = se->node[row->element];
        double mean = sum / (double)(i - first) * se->grid->base_va;
        if (p) {
            p_w[node] = mean - se->grid->node[node].p_w;
        } else {
            q_var[node] = mean - se->grid->node[node].q_var;
        }
    }
}

/* A power flow knows the slack's angle as set; readings may have another frame. */
static void turn_to_readings(struct pof_se *se)
{
    for (uint32_t root = 0; root < se->n; root++) {
        if (se->root[root] != root) {
            continue;
        }
        const struct se_row *best = NULL;
        for (size_t i = 0; i < se->rows; i++) {
            const struct se_row *row = &se->row[i];
            if (!row->branch && row->quantity == POF_QUANTITY_ANGLE &&
                se->root[row->element] == root && (!best || row->sigma < best->sigma)) {
                best = row;
            }
        }
        double turn = best ? best->z - se->a[best->element] : 0;
        for (uint32_t e = root; e < se->n && se->root[e] == root; e++) {
            se->a[e] += turn;
        }
    }
}

/* The state of a power flow, when it converges and leaves no voltage at zero. */
static int flow_start(struct pof_se *se, bool *found, struct pof_err *err)
{
    double *p_w = NULL;
    double *q_var = NULL;
    enum pof_pf_status status = POF_PF_DIVERGED;
    *found = false;
    int rc = pof_calloc(&p_w, se->grid->nodes, sizeof *p_w, err);
    rc = rc == 0 ? pof_calloc(&q_var, se->grid->nodes, sizeof *q_var, err) : rc;
    if (rc == 0) {
        read_injections(se, p_w, q_var);
        rc = pof_pf_solve(se->pf, p_w, q_var, true, &status, err);
    }
    free(q_var);
    free(p_w);
    if (rc != 0 || status != POF_PF_CONVERGED) {
        return rc;
    }
    struct pof_pf_result flow;
    pof_pf_result(se->pf, &flow);
    *found = true;
    for (uint32_t e = 0; e < se->n; e++) {
        se->v[e] = flow.v_pu[se->node[e]];
        se->a[e] = flow.angle[se->node[e]];
        *found = *found && se->v[e] > 0;
    }
    return 0;
}

int pofi_se_start(struct pof_se *se, bool flat, struct pof_err *err)
{
    bool found = false;
    int rc = flat ? 0 : flow_start(se, &found, err);
    if (rc == 0 && !found) {
        memcpy(se->v, se->flat_v, se->n * sizeof *se->v);
        memcpy(se->a, se->flat_a, se->n * sizeof *se->a);
    }
    if (rc == 0) {
        turn_to_readings(se);
    }
    return rc;
}
