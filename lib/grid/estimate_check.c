/* SPDX-License-Identifier: Apache-2.0 */
/* Residuals, normalised by exact variances (estimate_variance.c), and the two tests on them. */
#include "grid/estimate_impl.h"
#include "num/chi2.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A reading whose residual keeps less than this share of its variance cannot be tested. */
static const double CRITICAL = 1e-6;

static const double TAIL = 0.05;

/* Of rows of one observation (a voltage read alike in three phases) the most conspicuous counts. */
static void judge_row(struct pof_se *se, const struct se_row *row, double left, bool first)
{
    size_t at = row->source;
    double s2 = row->sigma * row->sigma;
    bool critical = left < CRITICAL * s2;
    double normalised = critical ? 0 : row->r / sqrt(left);
    if (first || fabs(normalised) > fabs(se->normalised[at])) {
        se->residual[at] = pofi_se_residual(row) * pofi_se_unit(se, &se->seen[at]);
        se->normalised[at] = row->exact || !row->active ? 0 : normalised;
    }
    if (!row->exact && row->active) {
        se->critical[at] = (first || se->critical[at]) && critical;
    }
}

/* Residuals in the caller's units and order; of equal ones the first of the caller's is named. */
static void judge_rows(struct pof_se *se, const double *left, struct pof_se_check *check)
{
    size_t testable = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->origin == SE_OBSERVED) {
            judge_row(se, row, left[i], row->phase < 2 || se->seen[row->source].phase > 0);
        }
    }
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        bool tested = row->origin == SE_OBSERVED && !row->exact && row->active &&
                      !se->critical[row->source] &&
                      (row->phase < 2 || se->seen[row->source].phase > 0);
        if (!tested) {
            continue;
        }
        testable++;
        if (fabs(se->normalised[row->source]) > fabs(check->lnr)) {
            check->lnr = se->normalised[row->source];
            check->lnr_at = row->source;
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
    return rc;
}

static void conclude(struct pof_se *se, struct pof_se_check *check)
{
    struct pof_se_result result;
    pof_se_result(se, &result);
    const double **nodes[] = {&check->sd_v_pu, &check->sd_angle, &check->sd_p_w, &check->sd_q_var};
    const double **branches[] = {&check->sd_p_from_w, &check->sd_q_from_var, &check->sd_p_to_w,
                               &check->sd_q_to_var, &check->sd_i_a};
    for (int i = 0; i < 4; i++) {
        *nodes[i] = se->sd_node[i];
    }
    for (int i = 0; i < 5; i++) {
        *branches[i] = se->sd_branch[i];
    }
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
    double *left = NULL;
    *check = (struct pof_se_check){0};
    if (se->status != POF_SE_CONVERGED) {
        return pof_fail(err, POF_E_INTERNAL, "only a converged estimate can be checked");
    }
    int rc = room(se, err);
    rc = rc ? rc : pof_calloc(&left, se->rows, sizeof *left, err);
    rc = rc ? rc : pofi_se_variances(se, left, err);
    if (rc == 0) {
        judge_rows(se, left, check);
        conclude(se, check);
    }
    free(left);
    return rc;
}
