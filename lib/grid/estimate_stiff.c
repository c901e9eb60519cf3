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
 * Which rows those are is decided by the readings of the base (estimate_impl.h), or of the present
 * instant when there is none or when one of its readings is stiff that was not. So it depends on these
 * two and on nothing between. */
#include "grid/estimate_impl.h"

#include <math.h>

/* The prior's part of what is known of the level of all voltages, at most. */
static const double PRIOR_PART = 1e-4;
/* A stiff row leaves this much of what the matrix takes of others. */
static const double LEFT = 1e-2;

static double weight(const struct pof_se *se, size_t i, bool base)
{
    double sigma = se->row[i].sigma;
    return base ? se->base_weight[i] : 1 / (sigma * sigma);
}

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

bool pofi_se_stiff(struct pof_se *se, bool base)
{
    double levels = 0, weakest = INFINITY;
    bool changed = false;
    for (size_t i = 0; i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        double w = row->exact ? 0 : weight(se, i, base);
        row->soft = length2(se, row);
        levels += row->quantity == POF_QUANTITY_V ? w : 0;
        weakest = row->soft > 0 ? fmin(weakest, w * row->soft) : weakest;
    }
    levels = levels > 0 ? levels : weakest;
    se->gain_most = PRIOR_PART * levels / (SE_PRIOR_SHARE * pofi_se_states(se));
    for (size_t i = 0; i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        bool stiff = row->soft > 0 && weight(se, i, base) * row->soft > se->gain_most;
        changed = changed || stiff != row->stiff;
        row->stiff = stiff;
        row->soft = sqrt(row->soft / se->gain_most);
    }
    return changed;
}

bool pofi_se_stiffens(const struct pof_se *se)
{
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->sigma < row->soft && !row->stiff && !row->exact) {
            return true;
        }
    }
    return false;
}

double pofi_se_in_gain(const struct se_row *row)
{
    return fmin(LEFT / (row->soft * row->soft), 0.5 * row->weight);
}
