/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_robust.h"

#include "grid/estimate_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double HUBER_K = 1.345;
static const double LAV_FIRST = 1;
static const double LAV_LAST = 1e-5;
static const double LAV_STEP = 0.1;
/* Of k: forces in use and derivatives of rho agree. */
static const double AGREE = 1e-6;
/* Between reweighting and Newton's step. */
static const double THETA_STEP = 0.25;
static const double THETA_LEAST = 1e-3;
static const double PART_GOOD = 0.5; /* of a step, or the next one is more cautious */
enum { SOLVES_MAX = 200 };

/* The readings as they are, beside what stands in the rows. */
struct robust {
    double *z, *sigma; /* [rows] */
    double *u;         /* [rows] */
    struct se_state from; /* where a step began */
    double *began;     /* [rows] u there */
    double k;
    double theta;
    double objective;  /* sum of rho_k(u) */
};

static bool weighted(const struct se_row *row)
{
    return !row->exact && !row->removed;
}

static double rho(double u, double k)
{
    u = fabs(u);
    return u <= k ? u * u / 2 : k * u - k * k / 2;
}

static double psi(double u, double k)
{
    return fabs(u) <= k ? u : copysign(k, u);
}

/* u at the present state, whatever stands in the rows; the sum. */
static void look(const struct pof_se *se, struct robust *b)
{
    b->objective = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (weighted(row)) {
            b->u[i] = (row->r + b->z[i] - row->z) / b->sigma[i];
            b->objective += rho(b->u[i], b->k);
        }
    }
}

static void set_row(struct se_row *row, double z, double sigma)
{
    row->r += z - row->z;
    row->z = z;
    row->sigma = sigma;
    row->weight = 1 / (sigma * sigma);
}

/* Values and weights whose least squares descend rho. */
static void disguise(struct pof_se *se, const struct robust *b)
{
    for (size_t i = 0; i < se->rows; i++) {
        double far = fabs(b->u[i]) / b->k;
        if (weighted(&se->row[i]) && far > 1) {
            double shift = b->sigma[i] * b->u[i] * (1 / b->theta - 1);
            set_row(&se->row[i], b->z[i] + shift, b->sigma[i] * sqrt(far / b->theta));
        } else if (weighted(&se->row[i])) {
            set_row(&se->row[i], b->z[i], b->sigma[i]);
        }
    }
}

/* The force with which a row as it stands pulls at the state. */
static double force(const struct se_row *row, double sigma)
{
    return row->r * sigma / (row->sigma * row->sigma);
}

static double disagreement(const struct pof_se *se, const struct robust *b)
{
    double most = 0;
    for (size_t i = 0; i < se->rows; i++) {
        if (weighted(&se->row[i])) {
            most = fmax(most, fabs(force(&se->row[i], b->sigma[i]) - psi(b->u[i], b->k)));
        }
    }
    return most;
}

static void keep(const struct pof_se *se, struct robust *b)
{
    memcpy(b->began, b->u, se->rows * sizeof *b->began);
    pofi_se_state_copy(se, &b->from, &se->state);
}

/* The state a part of the way from where the step began to where it led, and u there. */
static void retreat(struct pof_se *se, struct robust *b, double alpha)
{
    struct se_state *s = &se->state;
    for (uint32_t i = 0; i < se->net.nodes; i++) {
        s->vr[i] = b->from.vr[i] + alpha * (s->vr[i] - b->from.vr[i]);
        s->vi[i] = b->from.vi[i] + alpha * (s->vi[i] - b->from.vi[i]);
        s->vm[i] = hypot(s->vr[i], s->vi[i]);
    }
    for (uint32_t i = 0; i < 2 * se->potentials; i++) {
        s->x[i] = b->from.x[i] + alpha * (s->x[i] - b->from.x[i]);
    }
    pofi_se_linearise(se);
    look(se, b);
}

/* Slope of the sum a part of the way from `began` to u, u being nearly linear in between. */
static double slope(const struct pof_se *se, const struct robust *b, double alpha)
{
    double sum = 0;
    for (size_t i = 0; i < se->rows; i++) {
        if (weighted(&se->row[i])) {
            double d = b->u[i] - b->began[i];
            sum += psi(b->began[i] + alpha * d, b->k) * d;
        }
    }
    return sum;
}

/* The part of a step that descends furthest. */
static double best_part(const struct pof_se *se, const struct robust *b)
{
    double low = 0;
    double high = 1;
    if (slope(se, b, 1) <= 0) {
        return 1;
    }
    for (int i = 0; i < 30; i++) {
        double mid = (low + high) / 2;
        *(slope(se, b, mid) > 0 ? &high : &low) = mid;
    }
    return low;
}

/* One problem of least squares from the present state, and as much of its step as does good. What
 * rounding adds to the sum is no ascent. */
static int descend(struct pof_se *se, struct robust *b, bool *ended, struct pof_err *err)
{
    double before = b->objective;
    *ended = false;
    keep(se, b);
    disguise(se, b);
    se->status = POF_SE_DIVERGED;
    int rc = pofi_se_iterate(se, err);
    if (rc != 0 || se->status != POF_SE_CONVERGED) {
        return rc;
    }
    look(se, b);
    *ended = disagreement(se, b) <= AGREE * b->k;
    if (*ended) {
        return 0;
    }
    double part = best_part(se, b);
    if (part < 1) {
        retreat(se, b, part);
    }
    bool good = part > PART_GOOD && b->objective <= before * (1 + 1e-12);
    b->theta = fmin(1, fmax(good ? b->theta * THETA_STEP : b->theta / THETA_STEP, THETA_LEAST));
    if (b->objective > before * (1 + 1e-12)) {
        retreat(se, b, 0);
    }
    return 0;
}

/* One k, from the present state. */
static int minimise(struct pof_se *se, struct robust *b, struct pof_se_robust *out,
                    struct pof_err *err)
{
    b->theta = 1;
    look(se, b);
    bool ended = false;
    int rc = 0;
    while (rc == 0 && !ended && se->status == POF_SE_CONVERGED) {
        if (out->solves++ == SOLVES_MAX) {
            se->status = POF_SE_DIVERGED;
        } else {
            rc = descend(se, b, &ended, err);
        }
    }
    return rc;
}

/* What is to be known while the rows are still disguised. */
static void conclude(const struct pof_se *se, const struct robust *b, bool lav,
                     struct pof_se_robust *out)
{
    out->objective = out->gap = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (!weighted(row)) {
            continue;
        }
        double y = fmin(1, fmax(-1, force(row, b->sigma[i]) / b->k));
        out->objective += lav ? fabs(b->u[i]) : rho(b->u[i], b->k);
        out->gap += lav ? fabs(b->u[i]) - y * b->u[i] : 0;
        if (out->force && row->origin == SE_OBSERVED) {
            out->force[row->source] = y;
        }
    }
}

/* The readings as they were; J of them at the present state. */
static void undisguise(struct pof_se *se, const struct robust *b)
{
    se->objective = 0;
    for (size_t i = 0; i < se->rows; i++) {
        if (weighted(&se->row[i])) {
            set_row(&se->row[i], b->z[i], b->sigma[i]);
            se->objective += b->u[i] * b->u[i];
        }
    }
}

static int start(const struct pof_se *se, struct robust *b, struct pof_err *err)
{
    int rc = pof_calloc(&b->z, se->rows, sizeof *b->z, err);
    rc = rc == 0 ? pof_calloc(&b->sigma, se->rows, sizeof *b->sigma, err) : rc;
    rc = rc == 0 ? pof_calloc(&b->u, se->rows, sizeof *b->u, err) : rc;
    rc = rc == 0 ? pof_calloc(&b->began, se->rows, sizeof *b->began, err) : rc;
    rc = rc == 0 ? pofi_se_state_new(se, &b->from, err) : rc;
    for (size_t i = 0; rc == 0 && i < se->rows; i++) {
        b->z[i] = se->row[i].z;
        b->sigma[i] = se->row[i].sigma;
    }
    return rc;
}

int pof_se_robust(struct pof_se *se, enum pof_se_estimator estimator, struct pof_se_robust *out,
                  enum pof_se_status *status, struct pof_err *err)
{
    struct robust b = {0};
    bool lav = estimator == POF_SE_LAV;
    out->solves = 0;
    out->gap = 0;
    double least = out->objective = se->objective;
    *status = se->status;
    if (estimator == POF_SE_WLS || se->status != POF_SE_CONVERGED) {
        return 0;
    }
    int rc = start(se, &b, err);
    double last = lav ? LAV_LAST : HUBER_K;
    b.k = lav ? LAV_FIRST : HUBER_K;
    pofi_se_linearise(se);
    rc = rc == 0 ? minimise(se, &b, out, err) : rc;
    while (rc == 0 && se->status == POF_SE_CONVERGED && b.k > last * 1.01) {
        b.k = fmax(b.k * LAV_STEP, last);
        rc = minimise(se, &b, out, err);
    }
    if (rc == 0) {
        conclude(se, &b, lav, out);
        undisguise(se, &b);
        if (se->status == POF_SE_CONVERGED) {
            pofi_se_outputs(se);
            se->detail[0] = '\0';
        } else { /* results are still those of least squares: none has a smaller sum of squares */
            se->objective = least;
            se->best.known = true;
            snprintf(se->detail, sizeof se->detail,
                     "the robust estimator found no end after %d least-squares problems; best state "
                     "found: that of least squares, objective %.4g",
                     out->solves, least);
        }
    }
    *status = se->status;
    pofi_se_state_free(&b.from);
    free(b.began);
    free(b.u);
    free(b.sigma);
    free(b.z);
    return rc;
}
