/* SPDX-License-Identifier: Apache-2.0 */
/* Rows read so precisely that their weight would drown what others say of the same nodes.
 *
 * With w the weight of a row and h its derivatives, w h h' beside numbers 1e-16 as large is rounding
 * to those, and the prior, a share of the diagonal (estimate_kkt.c), is more than all voltages tell of
 * the common level: steps shrink by a few percent each, and deviations of the level come out too
 * small. Such a row has an unknown of its own, like an exact one, and little of its weight in the
 * matrix: the shares of all nodes stay a small part of what voltages are read with. Without readings
 * of voltages the weakest row stands for them.
 *
 * Which rows those are depends on the present readings alone. */
#include "grid/estimate_impl.h"

#include <math.h>

/* The prior's part of what is known of the level of all voltages, at most. */
static const double PRIOR_PART = 1e-4;
/* A stiff row leaves this much of what the matrix takes of others. */
static const double LEFT = 1e-2;

/* Length of the derivatives of a row without load, squared; 0: not of power. The direction of a current
 * is not known there. */
static double length2(const struct pof_se *se, const struct se_row *row)
{
    double most = 0, *h = se->h + 2 * (size_t)row->begin;
    if (row->exact || (row->quantity != POF_QUANTITY_P && row->quantity != POF_QUANTITY_Q)) {
        return 0;
    }
    pofi_se_gradient(se, row, &se->flat, h);
    for (uint32_t k = 0; k < 2 * row->n; k++) {
        most = fmax(most, fabs(h[k]));
    }
    return most * most;
}

void pofi_se_lengths(struct pof_se *se)
{
    for (size_t i = 0; i < se->rows; i++) {
        se->row[i].length2 = length2(se, &se->row[i]);
        se->row[i].stiff = false;
    }
}

static double known(const struct se_row *row)
{
    return row->length2 / (row->sigma * row->sigma);
}

bool pofi_se_stiff(struct pof_se *se)
{
    double levels = 0, weakest = INFINITY;
    bool changed = false;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->quantity == POF_QUANTITY_V && !row->exact) {
            levels += 1 / (row->sigma * row->sigma);
        }
        weakest = row->length2 > 0 ? fmin(weakest, known(row)) : weakest;
    }
    levels = levels > 0 ? levels : weakest;
    se->gain_most = PRIOR_PART * levels / (SE_PRIOR_SHARE * pofi_se_states(se));
    for (size_t i = 0; i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        bool stiff = row->length2 > 0 && known(row) > se->gain_most;
        changed = changed || stiff != row->stiff;
        row->stiff = stiff;
    }
    return changed;
}

double pofi_se_in_gain(const struct pof_se *se, const struct se_row *row)
{
    return fmin(LEFT * se->gain_most / row->length2, 0.5 * row->weight);
}
