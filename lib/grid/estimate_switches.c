/* SPDX-License-Identifier: Apache-2.0 */
/* Which switch, in its other position, explains the readings better? */
#include "grid/estimate_series.h"
#include "num/chi2.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES_MAX = 64 };

static const double TAIL = 0.05;
static const double SUSPICIOUS = 3; /* normalised residuals that point at their surroundings */
static const double CLEARLY = 0.5;  /* of the sum: what another position must bring it below */

struct search {
    const struct pof_se_series *series;
    const struct pof_instant *t;
    bool *near; /* [nodes] ends of suspicious readings and their neighbours */
    double before;
    struct pof_grid other; /* the grid, with branches of its own */
};

/* The nodes of suspicious readings; false: there are none. */
static bool mark(struct search *s)
{
    const struct pof_grid *grid = s->series->grid;
    const double *normalised = s->series->report.check.normalised;
    struct pof_se_result r;
    bool any = false;
    pof_se_result(s->series->se, &r);
    for (size_t i = 0; i < s->t->n; i++) {
        const struct pof_observation *o = &s->t->observation[i];
        const struct pof_branch *b = o->branch ? &grid->branch[o->element] : NULL;
        bool dead = b ? !b->closed : r.v_pu[o->element] <= 0;
        bool alive = o->sigma > 0 && fabs(o->value) > SUSPICIOUS * o->sigma;
        if (fabs(normalised[i]) <= SUSPICIOUS && !(dead && alive)) {
            continue;
        }
        s->near[b ? b->from : o->element] = true;
        if (b) {
            s->near[b->to] = true;
        }
        any = true;
    }
    return any;
}

/* A switch, or anything that is open, at one of them. */
static bool candidate(const struct search *s, uint32_t b)
{
    const struct pof_branch *x = &s->series->grid->branch[b];
    return (x->kind == POF_BRANCH_SWITCH || !x->closed) && (s->near[x->from] || s->near[x->to]);
}

/* Switches take the suspicion on to their other ends: busbars are chains of them. */
static void spread(struct search *s)
{
    const struct pof_grid *grid = s->series->grid;
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t b = 0; b < grid->branches; b++) {
            const struct pof_branch *x = &grid->branch[b];
            if (x->kind == POF_BRANCH_SWITCH && s->near[x->from] != s->near[x->to]) {
                s->near[x->from] = s->near[x->to] = true;
                more = true;
            }
        }
    }
}

static int add(struct pof_se_doubts *d, const struct search *s, uint32_t b, double sum,
               struct pof_err *err)
{
    const struct pof_branch *x = &s->series->grid->branch[b];
    int rc = pof_grow(&d->list, &d->cap, d->n + 1, sizeof *d->list, err);
    if (rc == 0) {
        d->list[d->n++] = (struct pof_doubt){.start = s->t->start,
                                             .about = 1,
                                             .branch = x->name,
                                             .document = x->closed,
                                             .found = !x->closed,
                                             .instants = 1,
                                             .objective_document = s->before,
                                             .objective_found = sum};
        if (isfinite(s->before)) {
            POF_SET(&d->list[d->n - 1], doubt, objective_document);
        }
    }
    return rc;
}

static int try_other(struct search *s, uint32_t b, struct pof_se_doubts *d, struct pof_err *err)
{
    struct pof_branch *x = &s->other.branch[b];
    double sum = INFINITY;
    int64_t dof = 0;
    x->closed = !x->closed;
    int rc = pofi_se_sum(&s->other, s->t, &sum, &dof, err);
    x->closed = !x->closed;
    if (rc == POF_E_TOPOLOGY || rc == POF_E_PHYSICS) { /* no grid at all in that position */
        *err = (struct pof_err){0};
        return 0;
    }
    bool fits = dof > 0 && sum <= pof_chi2_quantile((double)dof, TAIL);
    bool better = sum < s->before && (fits || sum < CLEARLY * s->before);
    return rc != 0 || !better ? rc : add(d, s, b, sum, err);
}

static int best_first(const void *a, const void *b)
{
    const struct pof_doubt *x = a;
    const struct pof_doubt *y = b;
    int c = (x->objective_found > y->objective_found) - (x->objective_found < y->objective_found);
    return c != 0 ? c : pof_text_cmp(x->branch, y->branch);
}

int pof_se_check_switches(const struct pof_se_series *series, const struct pof_instant *t,
                          struct pof_se_doubts *d, struct pof_err *err)
{
    struct search s = {.series = series, .t = t, .other = *series->grid};
    uint32_t branches = series->grid->branches;
    size_t first = d->n;
    int tried = 0;
    if (!series->report.has_state || !series->report.check.normalised) {
        return 0;
    }
    s.other.branch = NULL;
    int rc = pof_calloc(&s.near, series->grid->nodes, sizeof *s.near, err);
    rc = rc == 0 ? pof_calloc(&s.other.branch, branches, sizeof *s.other.branch, err) : rc;
    bool any = rc == 0 && branches > 0 && mark(&s);
    if (any) {
        memcpy(s.other.branch, series->grid->branch, branches * sizeof *s.other.branch);
        spread(&s);
        rc = pofi_se_sum(series->grid, t, &s.before, NULL, err);
    }
    for (uint32_t b = 0; rc == 0 && any && b < branches && tried < CANDIDATES_MAX; b++) {
        if (candidate(&s, b)) {
            tried++;
            rc = try_other(&s, b, d, err);
        }
    }
    if (d->n > first) {
        qsort(d->list + first, d->n - first, sizeof *d->list, best_first);
    }
    free(s.other.branch);
    free(s.near);
    return rc;
}
