/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_report.h"

#include "grid/estimate_critical.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

const char *pof_instant_name(const struct pof_grid *grid, const struct pof_instant *t, size_t i,
                             char *to, size_t cap)
{
    size_t n = strlen(pof_observation_name(grid, &t->observation[i], to, cap));
    if (t->origin[i] == POF_ORIGIN_PSEUDO) {
        snprintf(to + n, cap - n, " (assumed)");
    } else if (t->age_s[i] > 0) {
        snprintf(to + n, cap - n, " (%lld s old)", (long long)t->age_s[i]);
    } else if (t->origin[i] == POF_ORIGIN_METER) {
        snprintf(to + n, cap - n, " (meters)");
    }
    return to;
}

static double objective(const struct pof_se *se)
{
    struct pof_se_result r;
    pof_se_result(se, &r);
    return r.objective;
}

static int remove_worst(struct pof_se *se, struct pof_se_report *report, enum pof_se_status *status,
                        struct pof_err *err)
{
    int rc = pof_grow(&report->removed, &report->removed_cap, report->n_removed + 1,
                      sizeof *report->removed, err);
    if (rc == 0) {
        size_t at = report->check.lnr_at;
        struct pof_removed *x = &report->removed[report->n_removed++];
        *x = (struct pof_removed){.at = at, .normalised = report->check.lnr};
        x->before = objective(se);
        rc = pof_se_leave_out(se, at, status, err);
        x->after = objective(se);
    }
    return rc;
}

static int test(struct pof_se *se, struct pof_se_report *report, enum pof_se_status *status,
                struct pof_err *err)
{
    report->check = (struct pof_se_check){0};
    int rc = *status == POF_SE_CONVERGED ? pof_se_check(se, &report->check, err) : 0;
    while (rc == 0 && *status == POF_SE_CONVERGED && report->wish.remove_bad &&
           report->wish.estimator == POF_SE_WLS && report->check.suspect && fabs(report->check.lnr) > SUSPICIOUS &&
           report->check.lnr_at < report->own) {
        rc = remove_worst(se, report, status, err);
        if (rc == 0 && *status == POF_SE_CONVERGED) {
            rc = pof_se_check(se, &report->check, err);
        }
    }
    return rc;
}

static void put_tests(struct pof_se_report *report, const struct pof_instant *t)
{
    struct pof_estimate *e = &report->record;
    const struct pof_se_check *c = &report->check;
    if (c->chi2_limit > 0) {
        e->chi2_limit = c->chi2_limit;
        POF_SET(e, estimate, chi2_limit);
    }
    if (c->lnr != 0 && c->lnr_at < t->n && e->dof > 0) {
        e->lnr = c->lnr;
        e->lnr_reading = pof_text(pof_instant_name(report->grid, t, c->lnr_at, report->lnr_reading,
                                                   sizeof report->lnr_reading));
        POF_SET(e, estimate, lnr);
        POF_SET(e, estimate, lnr_reading);
    }
    for (size_t i = 0; i < t->n && c->critical; i++) {
        e->critical += c->critical[i];
    }
    if (c->critical) {
        POF_SET(e, estimate, critical);
    }
}

static void tell_tests(struct pof_se_report *report)
{
    const struct pof_estimate *e = &report->record;
    const struct pof_se_check *c = &report->check;
    if (c->chi2_limit > 0 && e->objective > c->chi2_limit) {
        tell(report, "readings disagree: objective %.4g is above %.4g", e->objective,
             c->chi2_limit);
    }
    if (fabs(c->lnr) > c->lnr_limit) {
        tell(report, "%s is off: normalised residual %.3g, at most %.3g expected",
             report->lnr_reading, c->lnr, c->lnr_limit);
    }
}

static void tell_removed(struct pof_se_report *report, const struct pof_instant *t)
{
    struct pof_estimate *e = &report->record;
    char name[160];
    for (size_t i = 0; i < report->n_removed; i++) {
        const struct pof_removed *x = &report->removed[i];
        tell(report, "left out: %s, normalised residual %.3g, objective %.4g then %.4g",
             pof_instant_name(report->grid, t, x->at, name, sizeof name), x->normalised, x->before,
             x->after);
    }
    if (report->n_removed > 0) {
        e->removed = (int64_t)report->n_removed;
        e->objective_before = report->removed[0].before;
        POF_SET(e, estimate, removed);
        POF_SET(e, estimate, objective_before);
    }
}

/* What the instant was made of beside readings of its own. */
static void count_origins(struct pof_se_report *report, const struct pof_instant *t)
{
    struct pof_estimate *e = &report->record;
    if (t->pseudo > 0) {
        e->pseudo = t->pseudo;
        POF_SET(e, estimate, pseudo);
    }
    if (t->aged > 0) {
        e->aged = t->aged;
        e->oldest_s = t->oldest_s;
        POF_SET(e, estimate, aged);
        POF_SET(e, estimate, oldest_s);
    }
}

static void describe(const struct pof_se *se, const struct pof_instant *t,
                     enum pof_se_status status, struct pof_se_report *report)
{
    struct pof_se_result r;
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
    report->has_best = r.best && !report->partial;
    if (status == POF_SE_CONVERGED || report->has_best) {
        report->record.objective = r.objective;
        POF_SET(&report->record, estimate, objective);
    }
    if (status == POF_SE_CONVERGED) {
        put_tests(report, t);
        tell_tests(report);
    }
    tell_removed(report, t);
    count_origins(report, t);
    if (r.left_out > 0) {
        tell(report, "readings of what is not energised, left out: %lld", (long long)r.left_out);
    }
    if (t->incomplete > 0) {
        tell(report, "nodes whose pods were not all measured: %u", t->incomplete);
    }
}

/* The record says what is missing, whatever was estimated without it. */
static void tell_unobservable(struct pof_se_report *report)
{
    struct pof_estimate *e = &report->record;
    char found[POF_SE_DETAIL_MAX];
    memcpy(found, report->detail, sizeof found);
    snprintf(report->detail, sizeof report->detail, "%s", report->missing);
    if (report->partial && found[0] != '\0') {
        tell(report, "%s", found);
    }
    e->status = POF_SE_UNOBSERVABLE;
    e->unobservable = report->n_hidden;
    e->islands = report->islands;
    e->readings -= (int64_t)report->n_missing; /* dof counts them, for unknowns that are none */
    e->constraints -= (int64_t)report->n_held;
    POF_SET(e, estimate, unobservable);
    POF_SET(e, estimate, islands);
}

enum { NAMED_MAX = 4 }; /* readings, and sets */

static void tell_set(struct pof_se_report *report, const struct pof_instant *t, uint32_t set)
{
    char name[160], list[400];
    size_t n = 0, all = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (report->set[i] == set && all++ < NAMED_MAX && n < sizeof list) {
            int more = snprintf(list + n, sizeof list - n, "%s%s", n > 0 ? ", " : "",
                                pof_instant_name(report->grid, t, i, name, sizeof name));
            n += more > 0 ? (size_t)more : 0;
        }
    }
    const char *what = set == POF_SET_ALONE ? "tested by no other" : "tested by each other only";
    if (all > NAMED_MAX) {
        tell(report, "%s: %s and %zu more", what, list, all - NAMED_MAX);
    } else if (all > 0) {
        tell(report, "%s: %s", what, list);
    }
}

/* Readings whose errors nobody would see, or nobody could tell from those of others. */
static int tell_critical(struct pof_se_report *report, const struct pof_instant *t,
                         struct pof_err *err)
{
    uint32_t sets = POF_SET_ALONE;
    int rc = pof_grow(&report->set, &report->set_cap, t->n, sizeof *report->set, err);
    rc = rc == 0 ? pof_se_critical_sets(report->grid, t->observation, t->n, report->set, err) : rc;
    for (size_t i = 0; rc == 0 && i < t->n; i++) {
        sets = report->set[i] > sets ? report->set[i] : sets;
    }
    for (uint32_t k = POF_SET_ALONE; rc == 0 && k <= sets && k < POF_SET_ALONE + NAMED_MAX; k++) {
        tell_set(report, t, k);
    }
    if (rc == 0 && sets >= POF_SET_ALONE + NAMED_MAX) {
        tell(report, "and %u more such sets", sets + 1 - POF_SET_ALONE - NAMED_MAX);
    }
    return rc;
}

/* After all that is to be told. */
static void finish(struct pof_se_report *report, const struct pof_se_robust *robust)
{
    if (report->wish.estimator != POF_SE_WLS) {
        report->record.estimator = (int)report->wish.estimator;
        report->record.minimum = robust->objective;
        POF_SET(&report->record, estimate, estimator);
        if (report->has_state) {
            POF_SET(&report->record, estimate, minimum);
        }
    }
    if (report->detail[0] != '\0') {
        report->record.detail = pof_text(report->detail);
        POF_SET(&report->record, estimate, detail);
    }
}

/* Nodes that are not observable, and those all of whose neighbours are. */
static int keep_hidden(struct pof_se_report *report, const struct pof_se_result *r,
                       struct pof_err *err)
{
    const struct pof_grid *grid = report->grid;
    size_t nodes = grid->nodes;
    int rc = pof_grow(&report->hidden, &report->hidden_cap, nodes, sizeof *report->hidden, err);
    rc = rc == 0 ? pof_grow(&report->whole, &report->whole_cap, nodes, sizeof *report->whole, err)
                 : rc;
    for (uint32_t i = 0; rc == 0 && i < nodes; i++) {
        report->hidden[i] = r->unobservable[i];
        report->whole[i] = !r->unobservable[i];
    }
    for (uint32_t b = 0; rc == 0 && b < grid->branches; b++) {
        const struct pof_branch *x = &grid->branch[b];
        if (x->closed && (report->hidden[x->from] || report->hidden[x->to])) {
            report->whole[x->from] = report->whole[x->to] = false;
        }
    }
    return rc;
}

static int64_t hidden_nodes(const struct pof_se_report *report)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < report->grid->nodes; i++) {
        n += report->hidden[i];
    }
    return n;
}

/* Estimates what is observable when not all is. *status stays UNOBSERVABLE unless something is
 * estimated, which then is CONVERGED for what follows. */
static int restore(struct pof_se *se, const struct pof_instant *t, struct pof_se_report *report,
                   enum pof_se_status *status, struct pof_err *err)
{
    struct pof_se_result r;
    struct pof_observation *all = NULL;
    pof_se_result(se, &r);
    snprintf(report->missing, sizeof report->missing, "%s", r.detail);
    report->islands = r.islands;
    int rc = keep_hidden(report, &r, err);
    report->n_hidden = rc == 0 ? hidden_nodes(report) : 0;
    if (rc != 0 || r.n_missing == 0 || report->n_hidden == report->grid->nodes) {
        return rc;
    }
    rc = pof_grow(&report->all, &report->all_cap, t->n + r.n_missing, sizeof *report->all, err);
    all = report->all;
    if (rc == 0) {
        if (t->n > 0) {
            memcpy(all, t->observation, t->n * sizeof *all);
        }
        memcpy(all + t->n, r.missing, r.n_missing * sizeof *all);
        size_t n = t->n + r.n_missing;
        for (size_t i = t->n; i < n; i++) {
            report->n_missing += all[i].sigma > 0;
            report->n_held += all[i].sigma <= 0;
        }
        rc = pof_se_solve(se, all, n, status, err);
    }
    report->partial = rc == 0 && *status == POF_SE_CONVERGED;
    return rc;
}

int pof_se_instant(struct pof_se *se, const struct pof_instant *t, struct pof_se_report *report,
                   struct pof_err *err)
{
    enum pof_se_status status = POF_SE_DIVERGED;
    struct pof_se_robust robust = {0};
    report->n_removed = 0;
    report->check = (struct pof_se_check){0};
    report->partial = false;
    report->n_missing = report->n_held = 0;
    report->own = t->n;
    int rc = pof_se_solve(se, t->observation, t->n, &status, err);
    bool unobservable = rc == 0 && status == POF_SE_UNOBSERVABLE;
    rc = unobservable ? restore(se, t, report, &status, err) : rc;
    rc = rc == 0 ? pof_se_robust(se, report->wish.estimator, &robust, &status, err) : rc;
    if (rc == 0 && report->wish.check) {
        rc = test(se, report, &status, err);
    }
    if (rc == 0) {
        report->has_state = status == POF_SE_CONVERGED;
        report->good = report->has_state && !report->check.suspect;
        report->good = report->good && !report->partial;
        describe(se, t, status, report);
        if (unobservable) {
            tell_unobservable(report);
        } else if (report->wish.critical && report->has_state) {
            rc = tell_critical(report, t, err);
        }
        finish(report, &robust);
    }
    return rc;
}

void pof_se_report_release(struct pof_se_report *report)
{
    free(report->removed);
    free(report->hidden);
    free(report->whole);
    free(report->all);
    free(report->set);
    *report = (struct pof_se_report){0};
}
