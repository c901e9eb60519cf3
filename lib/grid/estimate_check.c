/* SPDX-License-Identifier: Apache-2.0 */
/* Residuals, their variances, and the two tests on them.
 *
 * The upper left block of the inverse of [G C'; C -eps I] is the covariance of the state under the
 * constraints (Abur and Exposito, 2004, sections 3.8 and 5.7), so its columns give the variance of
 * every estimate h' Cov h. One solve for each state variable. */
#include "grid/estimate_impl.h"
#include "num/chi2.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A reading whose residual keeps less than this share of its variance cannot be tested. */
static const double CRITICAL = 1e-8;

enum { BLOCK = 16 }; /* right-hand sides at a time */

static const double TAIL = 0.05;

struct covariance {
    int32_t *begin;   /* [2 n + 1] entries of each column of H */
    int32_t *row;     /* [entries] row of an entry */
    double *weight;   /* [entries] its value */
    double *x;        /* [BLOCK * size] */
    double *variance; /* [rows] of the estimate of what a row reads */
};

/* H by columns, weighted rows only. */
static void turn(const struct pof_se *se, struct covariance *c)
{
    int32_t columns = 2 * (int32_t)se->n;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < se->rows; i++) {
            const struct se_row *row = &se->row[i];
            for (int32_t k = 0; k < row->n && row->active && !row->exact; k++) {
                int32_t col = se->col[row->begin + k];
                if (pass == 0) {
                    c->begin[col + 2]++;
                } else {
                    int32_t to = c->begin[col + 1]++;
                    c->row[to] = (int32_t)i;
                    c->weight[to] = se->h[row->begin + k];
                }
            }
        }
        for (int32_t j = 0; pass == 0 && j < columns; j++) {
            c->begin[j + 2] += c->begin[j + 1];
        }
    }
}

static void take_column(struct pof_se *se, struct covariance *c, int32_t j, const double *x)
{
    if (j % 2 == 1) {
        double variance = se->scale * x[j];
        se->sd_v[se->node[j / 2]] = variance > 0 ? sqrt(variance) : 0;
    }
    for (int32_t k = c->begin[j]; k < c->begin[j + 1]; k++) {
        const struct se_row *row = &se->row[c->row[k]];
        const int32_t *col = se->col + row->begin;
        const double *h = se->h + row->begin;
        double sum = 0;
        for (int32_t i = 0; i < row->n; i++) {
            sum += h[i] * x[col[i]];
        }
        c->variance[c->row[k]] += se->scale * c->weight[k] * sum;
    }
}

static int columns(struct pof_se *se, struct covariance *c, struct pof_err *err)
{
    enum pof_lu_status status = POF_LU_SINGULAR;
    int32_t n = 2 * (int32_t)se->n;
    size_t size = (size_t)se->gain.size;
    pofi_se_assemble(se, &se->gain);
    int rc = pof_lu_factor(se->gain.lu, &status, err);
    if (rc == 0 && status != POF_LU_OK) {
        rc = pof_fail(err, POF_E_INTERNAL, "the gain matrix of a converged estimate is singular");
    }
    for (int32_t j = 0; rc == 0 && j < n; j += BLOCK) {
        int32_t m = n - j < BLOCK ? n - j : BLOCK;
        memset(c->x, 0, (size_t)m * size * sizeof *c->x);
        for (int32_t k = 0; k < m; k++) {
            c->x[(size_t)k * size + (size_t)(j + k)] = 1;
        }
        rc = pof_lu_solve(se->gain.lu, c->x, m, err);
        for (int32_t k = 0; rc == 0 && k < m; k++) {
            take_column(se, c, j + k, c->x + (size_t)k * size);
        }
    }
    return rc;
}

/* Residuals in the caller's units and order. */
static void judge_rows(struct pof_se *se, const double *variance, struct pof_se_check *check)
{
    size_t testable = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->origin != SE_OBSERVED) {
            continue;
        }
        size_t at = row->source;
        se->residual[at] = row->r * pofi_se_unit(se, &se->seen[at]);
        if (row->exact || !row->active) {
            continue;
        }
        double s2 = row->sigma * row->sigma;
        double left = s2 - variance[i];
        se->critical[at] = left < CRITICAL * s2;
        if (se->critical[at]) {
            continue;
        }
        testable++;
        se->normalised[at] = row->r / sqrt(left);
        if (fabs(se->normalised[at]) > fabs(check->lnr)) {
            check->lnr = se->normalised[at];
            check->lnr_at = at;
        }
    }
    check->lnr_limit = testable > 0 ? pof_normal_largest((double)testable, TAIL) : 0;
}

static int room(struct pof_se *se, struct pof_err *err)
{
    size_t n = se->n_seen;
    int rc = pof_grow(&se->residual, &se->residual_cap, n, sizeof *se->residual, err);
    rc = rc == 0 ? pof_grow(&se->normalised, &se->normalised_cap, n, sizeof *se->normalised, err)
                 : rc;
    rc = rc == 0 ? pof_grow(&se->critical, &se->critical_cap, n, sizeof *se->critical, err) : rc;
    if (rc == 0 && n > 0) {
        memset(se->residual, 0, n * sizeof *se->residual);
        memset(se->normalised, 0, n * sizeof *se->normalised);
        memset(se->critical, 0, n * sizeof *se->critical);
    }
    memset(se->sd_v, 0, se->grid->nodes * sizeof *se->sd_v);
    return rc;
}

static void conclude(struct pof_se *se, struct pof_se_check *check)
{
    struct pof_se_result result;
    pof_se_result(se, &result);
    check->sd_v_pu = se->sd_v;
    check->residual = se->residual;
    check->normalised = se->normalised;
    check->critical = se->critical;
    check->chi2_limit = result.dof > 0 ? pof_chi2_quantile((double)result.dof, TAIL) : 0;
    check->suspect = (result.dof > 0 && result.objective > check->chi2_limit) ||
                     fabs(check->lnr) > check->lnr_limit;
    se->checked = true;
}

int pof_se_check(struct pof_se *se, struct pof_se_check *check, struct pof_err *err)
{
    struct covariance c = {0};
    *check = (struct pof_se_check){0};
    if (se->status != POF_SE_CONVERGED) {
        return pof_fail(err, POF_E_INTERNAL, "only a converged estimate can be checked");
    }
    size_t size = (size_t)se->gain.size;
    int rc = room(se, err);
    rc = rc == 0 ? pof_calloc(&c.begin, 2 * (size_t)se->n + 2, sizeof *c.begin, err) : rc;
    rc = rc == 0 ? pof_calloc(&c.row, (size_t)se->entries, sizeof *c.row, err) : rc;
    rc = rc == 0 ? pof_calloc(&c.weight, (size_t)se->entries, sizeof *c.weight, err) : rc;
    rc = rc == 0 ? pof_calloc(&c.x, BLOCK * size, sizeof *c.x, err) : rc;
    rc = rc == 0 ? pof_calloc(&c.variance, se->rows, sizeof *c.variance, err) : rc;
    if (rc == 0) {
        pofi_se_linearise(se);
        turn(se, &c);
        rc = columns(se, &c, err);
    }
    if (rc == 0) {
        judge_rows(se, c.variance, check);
        conclude(se, check);
    }
    free(c.variance);
    free(c.x);
    free(c.weight);
    free(c.row);
    free(c.begin);
    return rc;
}
