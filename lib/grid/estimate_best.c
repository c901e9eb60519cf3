/* SPDX-License-Identifier: Apache-2.0 */
/* What is left when no attempt converged: the best of all states that were passed, and where it does
 * not fit.
 *
 * States are compared by the sum of squares of all readings, currents that wait included; exact ones
 * count as if they had the smallest sigma of all, so that no state wins by leaving the physics of
 * the grid. The attempts are made once more for it: those that converge pay nothing. */
#include "grid/estimate_impl.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORST_MAX = 3 }; /* readings that are named */

static double smallest_sigma(const struct pof_se *se)
{
    double sigma = INFINITY;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        sigma = row->exact || row->removed ? sigma : fmin(sigma, row->sigma);
    }
    return isfinite(sigma) ? sigma : 1;
}

/* By how many sigma a row is off; r must be present. */
static double off(const struct pof_se *se, const struct se_row *row)
{
    return row->removed ? 0 : fabs(row->r) / (row->exact ? se->best.sigma : row->sigma);
}

int pofi_se_best_begin(struct pof_se *se, struct pof_err *err)
{
    se->best.on = true;
    se->best.known = false;
    se->best.merit = DBL_MAX;
    se->best.sigma = smallest_sigma(se);
    return se->best.state.vm ? 0 : pofi_se_state_new(se, &se->best.state, err);
}

void pofi_se_best_note(struct pof_se *se)
{
    double merit = 0;
    for (size_t i = 0; i < se->rows && merit < se->best.merit; i++) {
        double u = off(se, &se->row[i]);
        merit += u * u;
    }
    if (merit < se->best.merit) { /* false when it is no number */
        se->best.merit = merit;
        se->best.known = true;
        pofi_se_state_copy(se, &se->best.state, &se->state);
    }
}

/* --- why --- */

static void POF_PRINTF(2, 3) tell(struct pof_se *se, const char *fmt, ...)
{
    size_t n = strlen(se->detail);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(se->detail + n, sizeof se->detail - n, fmt, args);
    va_end(args);
}

/* The rows that are furthest off, worst first, of equal ones the first in the order of rows. */
static size_t worst_rows(const struct pof_se *se, size_t worst[WORST_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < se->rows; i++) {
        double u = off(se, &se->row[i]);
        size_t k = n;
        while (k > 0 && u > off(se, &se->row[worst[k - 1]])) {
            k--;
        }
        if (k < WORST_MAX && u > 0) {
            n += n < WORST_MAX;
            memmove(worst + k + 1, worst + k, (n - 1 - k) * sizeof *worst);
            worst[k] = i;
        }
    }
    return n;
}

/* The node that most of the sum of squares is at: rows of branches count half at either end. */
static int suspect(struct pof_se *se, uint32_t *node, double *share, struct pof_err *err)
{
    double *at = NULL, sum = 0;
    int rc = pof_calloc(&at, se->grid->nodes, sizeof *at, err);
    for (size_t i = 0; i < se->rows && rc == 0; i++) {
        const struct se_row *row = &se->row[i];
        double u = off(se, row);
        const struct pof_branch *b = row->branch ? &se->grid->branch[row->element] : NULL;
        at[b ? b->from : row->element] += u * u / 2;
        at[b ? b->to : row->element] += u * u / 2;
        sum += u * u;
    }
    *node = 0;
    for (uint32_t k = 0; k < se->grid->nodes && rc == 0; k++) {
        *node = at[k] > at[*node] ? k : *node;
    }
    *share = rc == 0 && sum > 0 ? at[*node] / sum : 0;
    free(at);
    return rc;
}

static int say_why(struct pof_se *se, struct pof_err *err)
{
    size_t worst[WORST_MAX];
    size_t n = worst_rows(se, worst);
    uint32_t node;
    double share;
    int rc = suspect(se, &node, &share, err);
    if (rc || n == 0) {
        return rc;
    }
    tell(se, "; best state found: objective %.4g, %.0f %% of what is off at node '%.*s'", se->objective,
         100 * share, (int)se->grid->node[node].name.len, se->grid->node[node].name.ptr);
    for (size_t k = 0; k < n; k++) {
        const struct se_row *row = &se->row[worst[k]];
        char name[128];
        pofi_se_row_name(se, row, name, sizeof name);
        if (row->exact) {
            tell(se, "%s %s (exact) is missed by %.3g p.u.", k ? "," : ":", name, fabs(row->r));
        } else {
            tell(se, "%s %s is off by %.3g sigma", k ? "," : ":", name, off(se, row));
        }
    }
    return 0;
}

/* --- the whole --- */

static int attempts(struct pof_se *se, struct pof_err *err)
{
    int rc = 0;
    for (int flat = 0; rc == 0 && flat < 2 && se->status == POF_SE_DIVERGED; flat++) {
        pofi_se_currents_wait(se);
        rc = pofi_se_start(se, flat != 0, err);
        rc = rc == 0 ? pofi_se_iterate(se, err) : rc;
    }
    return rc;
}

static int take(struct pof_se *se, struct pof_err *err)
{
    pofi_se_state_copy(se, &se->state, &se->best.state);
    pofi_se_linearise(se);
    se->objective = 0;
    for (size_t i = 0; i < se->rows; i++) {
        double u = se->row[i].exact ? 0 : off(se, &se->row[i]);
        se->objective += u * u;
    }
    return say_why(se, err);
}

int pofi_se_best_find(struct pof_se *se, struct pof_err *err)
{
    char why[sizeof se->detail];
    int iterations = se->iterations;
    memcpy(why, se->detail, sizeof why);
    int rc = se->best.on ? 0 : pofi_se_best_begin(se, err);
    rc = rc ? rc : attempts(se, err);
    se->best.on = false;
    if (rc == 0 && se->status == POF_SE_DIVERGED) {
        se->iterations = iterations;
        memcpy(se->detail, why, sizeof why);
        rc = se->best.known ? take(se, err) : 0;
    }
    return rc;
}
