/* SPDX-License-Identifier: Apache-2.0 */
/* Equations of the readings and their derivatives.
 *
 * A current is a form i = sum y_b v_b, the power that flows with it S = v_a conj(i). With
 * dv = v w, w = du + j dangle, both have complex derivatives (Abur and Exposito, 2004, section 2.6,
 * in rectangular form, so that taps, shifts and phases need no case of their own):
 *
 *     dS = S w_a + sum c_b conj(w_b),   c_b = v_a conj(y_b v_b)
 *     di = sum y_b v_b w_b,   d|i| = Re(conj(i) di) / |i|,   d arg i = Im(conj(i) di) / |i|^2 */
#include "grid/estimate_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Below this current (p.u.) its direction is noise: it gets no gradient. */
static const double CURRENT_MIN = 1e-9;

struct complex {
    double r, i;
};

static struct complex current(const struct pof_se *se, uint32_t form, const struct se_state *s)
{
    const struct se_forms *f = &se->forms;
    struct complex sum = {0, 0};
    for (uint32_t e = f->begin[form]; e < f->begin[form + 1]; e++) {
        sum.r += f->g[e] * s->vr[f->to[e]] - f->b[e] * s->vi[f->to[e]];
        sum.i += f->g[e] * s->vi[f->to[e]] + f->b[e] * s->vr[f->to[e]];
    }
    return sum;
}

static struct complex power(const struct pof_se *se, uint32_t form, const struct se_state *s)
{
    uint32_t a = se->forms.at[form];
    struct complex i = current(se, form, s);
    return (struct complex){s->vr[a] * i.r + s->vi[a] * i.i, s->vi[a] * i.r - s->vr[a] * i.i};
}

/* The potentials' part of a row: its derivatives by them are constant. */
static double potential(const struct pof_se *se, const struct se_row *row, const struct se_state *s)
{
    double sum = 0;
    for (uint32_t k = row->n; k > 0 && se->block[row->begin + k - 1] >= se->net.nodes; k--) {
        const double *h = se->constant + 2 * ((size_t)row->begin + k - 1);
        const double *x = s->x + 2 * (size_t)(se->block[row->begin + k - 1] - se->net.nodes);
        sum += h[0] * x[0] + h[1] * x[1];
    }
    return sum;
}

bool pofi_se_circular(const struct se_row *row)
{
    return row->quantity == POF_QUANTITY_ANGLE || row->quantity == POF_QUANTITY_I_ANGLE ||
           row->quantity == POF_QUANTITY_I_ANGLE_TO_V;
}

double pofi_se_value(const struct pof_se *se, const struct se_row *row, const struct se_state *s)
{
    struct complex sum = {0, 0};
    switch (row->quantity) {
    case POF_QUANTITY_V:
        return s->vm[row->place];
    case POF_QUANTITY_ANGLE:
        return atan2(s->vi[row->place], s->vr[row->place]);
    case POF_QUANTITY_I:
        sum = current(se, row->place, s);
        return sqrt(sum.r * sum.r + sum.i * sum.i);
    case POF_QUANTITY_I_ANGLE:
        sum = current(se, row->place, s);
        return atan2(sum.i, sum.r);
    case POF_QUANTITY_I_ANGLE_TO_V:
        sum = power(se, row->place, s);
        return atan2(-sum.i, sum.r);
    default:
        break;
    }
    for (uint32_t k = 0; k < row->forms; k++) {
        struct complex p = power(se, row->place + k, s);
        sum.r += p.r;
        sum.i += p.i;
    }
    sum.i -= row->mix * sum.r;
    return row->sign * (row->quantity == POF_QUANTITY_Q ? sum.i : sum.r) + potential(se, row, s);
}

/* The derivatives of a row by a block. */
static double *at_block(const struct pof_se *se, const struct se_row *row, uint32_t block, double *h)
{
    uint32_t low = 0, high = row->n;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (se->block[row->begin + middle] <= block) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return h + 2 * (size_t)low;
}

/* sign dP, or sign (dQ - mix dP), of one form. */
static void power_gradient(const struct pof_se *se, const struct se_row *row, uint32_t form,
                           const struct se_state *s, double *h)
{
    const struct se_forms *f = &se->forms;
    bool q = row->quantity == POF_QUANTITY_Q;
    uint32_t a = f->at[form];
    double ar = row->sign * s->vr[a], ai = row->sign * s->vi[a];
    double pr = 0, pi = 0, mix = row->mix;
    for (uint32_t e = f->begin[form]; e < f->begin[form + 1]; e++) {
        uint32_t b = f->to[e];
        double yr = f->g[e] * s->vr[b] - f->b[e] * s->vi[b];
        double yi = f->g[e] * s->vi[b] + f->b[e] * s->vr[b];
        double cr = ar * yr + ai * yi, ci = ai * yr - ar * yi;
        double *to = at_block(se, row, b, h);
        pr += cr;
        pi += ci;
        to[0] += q ? -cr - mix * ci : ci;
        to[1] += q ? ci - mix * cr : cr;
    }
    double *to = at_block(se, row, a, h);
    to[0] += q ? pr + mix * pi : -pi;
    to[1] += q ? pi - mix * pr : pr;
}

/* Of |i| and of its angles. */
static void current_gradient(const struct pof_se *se, const struct se_row *row,
                             const struct se_state *s, double *h)
{
    const struct se_forms *f = &se->forms;
    struct complex i = current(se, row->place, s);
    double square = i.r * i.r + i.i * i.i;
    bool angle = row->quantity != POF_QUANTITY_I;
    if (square < CURRENT_MIN * CURRENT_MIN) {
        return;
    }
    double scale = angle ? 1 / square : 1 / sqrt(square);
    for (uint32_t e = f->begin[row->place]; e < f->begin[row->place + 1]; e++) {
        uint32_t b = f->to[e];
        double yr = f->g[e] * s->vr[b] - f->b[e] * s->vi[b];
        double yi = f->g[e] * s->vi[b] + f->b[e] * s->vr[b];
        double er = scale * (i.r * yr + i.i * yi), ei = scale * (i.r * yi - i.i * yr);
        double *to = at_block(se, row, b, h);
        to[0] += angle ? er : -ei;
        to[1] += angle ? ei : er;
    }
    if (row->quantity == POF_QUANTITY_I_ANGLE_TO_V) {
        at_block(se, row, f->at[row->place], h)[0] -= 1;
    }
}

void pofi_se_gradient(const struct pof_se *se, const struct se_row *row, const struct se_state *s,
                      double *h)
{
    memset(h, 0, 2 * (size_t)row->n * sizeof *h);
    switch (row->quantity) {
    case POF_QUANTITY_V:
        h[1] = s->vm[row->place];
        return;
    case POF_QUANTITY_ANGLE:
        h[0] = 1;
        return;
    case POF_QUANTITY_P:
    case POF_QUANTITY_Q:
        break;
    default:
        current_gradient(se, row, s, h);
        return;
    }
    for (uint32_t k = 0; k < row->forms; k++) {
        power_gradient(se, row, row->place + k, s, h);
    }
    for (uint32_t k = row->n; k > 0 && se->block[row->begin + k - 1] >= se->net.nodes; k--) {
        memcpy(h + 2 * (size_t)(k - 1), se->constant + 2 * ((size_t)row->begin + k - 1),
               2 * sizeof *h);
    }
}

bool pofi_se_is_pair(const struct pof_se *se, const struct se_row *row)
{
    const struct se_row *end = se->row + se->rows;
    return row + 1 < end && row->quantity == POF_QUANTITY_P &&
           row[1].quantity == POF_QUANTITY_Q && !row[1].mixed && row->forms == 1 && row[1].forms == 1 &&
           row->place == row[1].place && row->n == row[1].n && row->sign * row[1].sign > 0 &&
           row->n == se->forms.begin[row->place + 1] - se->forms.begin[row->place];
}

void pofi_se_pair(const struct pof_se *se, const struct se_row *row, const struct se_state *s,
                  double *h, double value[2])
{
    const struct se_forms *f = &se->forms;
    uint32_t begin = f->begin[row->place], a = f->at[row->place], own = 0;
    double *hp = h + 2 * (size_t)row->begin, *hq = h + 2 * (size_t)row[1].begin;
    double ar = row->sign * s->vr[a], ai = row->sign * s->vi[a], re = 0, im = 0, pr = 0, pi = 0;
    for (uint32_t k = 0; k < row->n; k++) {
        uint32_t b = f->to[begin + k];
        double g = f->g[begin + k], y = f->b[begin + k];
        double yr = g * s->vr[b] - y * s->vi[b], yi = g * s->vi[b] + y * s->vr[b];
        double cr = ar * yr + ai * yi, ci = ai * yr - ar * yi;
        own = b == a ? k : own;
        re += yr;
        im += yi;
        pr += cr;
        pi += ci;
        hp[2 * k] = ci;
        hp[2 * k + 1] = cr;
        hq[2 * k] = -cr;
        hq[2 * k + 1] = ci;
    }
    hp[2 * own] -= pi;
    hp[2 * own + 1] += pr;
    hq[2 * own] += pr;
    hq[2 * own + 1] += pi;
    value[0] = row->sign * (s->vr[a] * re + s->vi[a] * im);
    value[1] = row->sign * (s->vi[a] * re - s->vr[a] * im);
}

static int ascending(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

uint32_t pofi_se_blocks_max(const struct pof_se *se, const struct se_row *row)
{
    uint32_t n = pofi_se_terms_max(se, row) * se->net.phases;
    if (row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE) {
        return 1;
    }
    for (uint32_t k = 0; k < row->forms; k++) {
        n += se->forms.begin[row->place + k + 1] - se->forms.begin[row->place + k];
    }
    return n;
}

uint32_t pofi_se_blocks(const struct pof_se *se, const struct se_row *row, struct se_term *term,
                        uint32_t *block)
{
    uint32_t n = 0, kept = 0;
    if (row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE) {
        block[0] = row->place;
        return 1;
    }
    for (uint32_t k = 0; k < row->forms; k++) {
        for (uint32_t e = se->forms.begin[row->place + k]; e < se->forms.begin[row->place + k + 1];
             e++) {
            block[n++] = se->forms.to[e];
        }
    }
    uint32_t terms = pofi_se_terms(se, row, term), phases = se->net.phases;
    for (uint32_t k = 0; k < terms * phases; k++) {
        uint32_t f = k % phases, p = term[k / phases].section * phases + f;
        if ((row->phase == 0 || row->phase == f + 1) &&
            se->is_state[2 * p + (row->quantity == POF_QUANTITY_Q)]) {
            block[n++] = se->net.nodes + p;
        }
    }
    if (row->forms > 1 || terms > 0) {
        qsort(block, n, sizeof *block, ascending);
    }
    for (uint32_t k = 0; k < n; k++) {
        if (k == 0 || block[k] != block[kept - 1]) {
            block[kept++] = block[k];
        }
    }
    return kept;
}

void pofi_se_constants(const struct pof_se *se, const struct se_row *row, struct se_term *term)
{
    uint32_t terms = pofi_se_terms(se, row, term), phases = se->net.phases;
    uint32_t q = row->quantity == POF_QUANTITY_Q;
    for (uint32_t k = 0; k < terms * phases; k++) {
        uint32_t f = k % phases, p = term[k / phases].section * phases + f;
        if ((row->phase == 0 || row->phase == f + 1) && se->is_state[2 * p + q]) {
            double *h = se->constant + 2 * (size_t)row->begin;
            at_block(se, row, se->net.nodes + p, h)[q] += term[k / phases].factor;
        }
    }
}
