/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const double SUSPICIOUS = 3;

/* Adds to the detail, parted by "; "; what does not fit is cut. */
static void POF_PRINTF(2, 3) tell(struct pof_se_report *report, const char *fmt, ...)
{
    size_t n = 0;
    while (n < sizeof report->detail && report->detail[n] != '\0') {
        n++;
    }
    if (n > 0 && n + 2 < sizeof report->detail) {
        report->detail[n++] = ';';
        report->detail[n++] = ' ';
        report->detail[n] = '\0';
    }
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(report->detail + n, sizeof report->detail - n, fmt, args);
    va_end(args);
}

static int remove_worst(struct pof_se *se, struct pof_se_report *report, enum pof_se_status *status,
                        struct pof_err *err)
{
    int rc = pof_grow(&report->removed, &report->removed_cap, report->n_removed + 1,
                      sizeof *report->removed, err);
    if (rc == 0) {
        size_t at = report->check.lnr_at;
        report->removed[report->n_removed++] = (struct pof_removed){at, report->check.lnr};
        rc = pof_se_leave_out(se, at, status, err);
    }
    return rc;
}

static int test(struct pof_se *se, struct pof_se_report *report, enum pof_se_status *status,
                struct pof_err *err)
{
    report->check = (struct pof_se_check){0};
    int rc = *status == POF_SE_CONVERGED ? pof_se_check(se, &report->check, err) : 0;
    while (rc == 0 && *status == POF_SE_CONVERGED && report->wish.remove_bad &&
           report->check.suspect && fabs(report->check.lnr) > SUSPICIOUS) {
        rc = remove_worst(se, report, status, err);
        if (rc == 0 && *status == POF_SE_CONVERGED) {
            rc = pof_se_check(se, &report->check, err);
        }
    }
    return rc;
}

static void tell_tests(struct pof_se_report *report, const struct pof_instant *t)
{
    struct pof_estimate *e = &report->record;
    const struct pof_se_check *c = &report->check;
    if (c->chi2_limit > 0) {
        e->chi2_limit = c->chi2_limit;
        POF_SET(e, estimate, chi2_limit);
    }
    if (c->lnr != 0) {
        e->lnr = c->lnr;
        e->lnr_reading = pof_text(pof_observation_name(report->grid, &t->observation[c->lnr_at],
                                                       report->lnr_reading,
                                                       sizeof report->lnr_reading));
        POF_SET(e, estimate, lnr);
        POF_SET(e, estimate, lnr_reading);
    }
    if (c->chi2_limit > 0 && e->objective > c->chi2_limit) {
        tell(report, "readings disagree: objective %.4g is above %.4g", e->objective,
             c->chi2_limit);
    }
    if (fabs(c->lnr) > c->lnr_limit) {
        tell(report, "%s is off: normalised residual %.3g, at most %.3g expected",
             report->lnr_reading, c->lnr, c->lnr_limit);
    }
}

static void describe(const struct pof_se *se, const struct pof_instant *t,
                     enum pof_se_status status, struct pof_se_report *report)
{
    struct pof_se_result r;
    char name[128];
    pof_se_result(se, &r);
    report->record = (struct pof_estimate){.start = t->start,
                                           .status = (int)status,
                                           .iterations = r.iterations,
                                           .readings = r.readings,
                                           .constraints = r.constraints,
                                           .dof = r.dof};
    report->detail[0] = '\0';
    if (r.detail[0] != '\0') {
        tell(report, "%s", r.detail);
    }
    if (status == POF_SE_CONVERGED) {
        report->record.objective = r.objective;
        POF_SET(&report->record, estimate, objective);
        tell_tests(report, t);
    }
    for (size_t i = 0; i < report->n_removed; i++) {
        tell(report, "left out: %s, normalised residual %.3g",
             pof_observation_name(report->grid, &t->observation[report->removed[i].at], name,
                                  sizeof name),
             report->removed[i].normalised);
    }
    if (r.left_out > 0) {
        tell(report, "readings of what is not energised, left out: %lld", (long long)r.left_out);
    }
    if (t->incomplete > 0) {
        tell(report, "nodes whose pods were not all measured: %u", t->incomplete);
    }
    if (report->detail[0] != '\0') {
        report->record.detail = pof_text(report->detail);
        POF_SET(&report->record, estimate, detail);
    }
}

int pof_se_instant(struct pof_se *se, const struct pof_instant *t, struct pof_se_report *report,
                   struct pof_err *err)
{
    enum pof_se_status status = POF_SE_DIVERGED;
    report->n_removed = 0;
    report->check = (struct pof_se_check){0};
    int rc = pof_se_solve(se, t->observation, t->n, &status, err);
    if (rc == 0 && report->wish.check) {
        rc = test(se, report, &status, err);
    }
    if (rc == 0) {
        report->has_state = status == POF_SE_CONVERGED;
        report->good = report->has_state && !report->check.suspect;
        describe(se, t, status, report);
    }
    return rc;
}

void pof_se_report_release(struct pof_se_report *report)
{
    free(report->removed);
    *report = (struct pof_se_report){0};
}
