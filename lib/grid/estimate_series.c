/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_MAX = 32 };

int pof_se_series_instant(struct pof_se_series *s, const struct pof_instant *t, struct pof_err *err)
{
    if (!s->se || t->switched) {
        for (uint32_t b = 0; b < s->grid->branches; b++) {
            s->grid->branch[b].closed = t->closed[b];
        }
        pof_se_free(s->se);
        s->se = NULL;
        int rc = pof_se_new(&s->se, s->grid, &s->options, err);
        if (rc != 0) {
            return rc;
        }
        s->analyses++;
    }
    s->report.grid = s->grid;
    return pof_se_instant(s->se, t, &s->report, err);
}

void pof_se_series_release(struct pof_se_series *s)
{
    pof_se_free(s->se);
    s->se = NULL;
    pof_se_report_release(&s->report);
}

void pof_se_doubts_release(struct pof_se_doubts *d)
{
    free(d->list);
    *d = (struct pof_se_doubts){0};
}

/* Whether an observation is of something dead, where all but a voltage's angle would be 0. */
static bool dead(const struct pof_grid *grid, const struct pof_se_result *r,
                 const struct pof_observation *o)
{
    if (o->branch) {
        const struct pof_branch *b = &grid->branch[o->element];
        return !b->closed || r->v_pu[b->from] <= 0;
    }
    return r->v_pu[o->element] <= 0;
}

static bool directed(const struct pof_observation *o)
{
    return o->quantity == POF_QUANTITY_ANGLE || o->quantity == POF_QUANTITY_I_ANGLE ||
           o->quantity == POF_QUANTITY_I_ANGLE_TO_V;
}

int pofi_se_sum(const struct pof_grid *grid, const struct pof_instant *t, double *sum, int64_t *dof,
                struct pof_err *err)
{
    struct pof_se *se = NULL;
    struct pof_se_result r;
    enum pof_se_status status = POF_SE_DIVERGED;
    *sum = INFINITY;
    int rc = pof_se_new(&se, grid, NULL, err);
    rc = rc == 0 ? pof_se_solve(se, t->observation, t->n, &status, err) : rc;
    if (rc == 0 && status == POF_SE_CONVERGED) {
        pof_se_result(se, &r);
        *sum = r.objective;
        for (size_t i = 0; i < t->n; i++) {
            const struct pof_observation *o = &t->observation[i];
            if (o->sigma > 0 && !directed(o) && dead(grid, &r, o)) {
                *sum += (o->value / o->sigma) * (o->value / o->sigma);
            }
        }
        if (dof) {
            *dof = r.dof + r.left_out;
        }
    }
    pof_se_free(se);
    return rc;
}

static void drop(struct pof_instant *t)
{
    free((void *)t->observation);
    free((void *)t->closed);
}

/* Every other one goes. */
static void thin_out(struct pof_se_sample *s)
{
    size_t keep = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (i % 2 == 0) {
            s->instant[keep++] = s->instant[i];
        } else {
            drop(&s->instant[i]);
        }
    }
    s->n = keep;
    s->stride *= 2;
}

int pof_se_sample_add(struct pof_se_sample *s, const struct pof_grid *grid,
                      const struct pof_instant *t, struct pof_err *err)
{
    struct pof_instant copy = *t;
    struct pof_observation *o = NULL;
    bool *closed = NULL;
    s->stride = s->stride > 0 ? s->stride : 1;
    if (s->added++ % s->stride != 0) {
        return 0;
    }
    if (s->n == SAMPLE_MAX) {
        thin_out(s);
        if ((s->added - 1) % s->stride != 0) {
            return 0;
        }
    }
    int rc = pof_grow(&s->instant, &s->cap, s->n + 1, sizeof *s->instant, err);
    rc = rc == 0 ? pof_calloc(&o, t->n, sizeof *o, err) : rc;
    rc = rc == 0 ? pof_calloc(&closed, grid->branches, sizeof *closed, err) : rc;
    if (rc != 0) {
        free(o);
        return rc;
    }
    if (t->n > 0) {
        memcpy(o, t->observation, t->n * sizeof *o);
    }
    if (grid->branches > 0) {
        memcpy(closed, t->closed, grid->branches * sizeof *closed);
    }
    copy.observation = o;
    copy.closed = closed;
    copy.origin = NULL;
    copy.age_s = NULL;
    s->instant[s->n++] = copy;
    return 0;
}

void pof_se_sample_release(struct pof_se_sample *s)
{
    for (size_t i = 0; i < s->n; i++) {
        drop(&s->instant[i]);
    }
    free(s->instant);
    *s = (struct pof_se_sample){0};
}
