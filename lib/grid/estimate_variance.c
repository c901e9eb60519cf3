/* SPDX-License-Identifier: Apache-2.0 */
/* Variances of everything at the present state.
 *
 * The upper left block of the inverse of [G C'; C 0] is the covariance of the state under the
 * constraints (Abur and Exposito, 2004, sections 3.8 and 5.7). Of it the elements on the pattern of
 * the factors are made (ldl.h), which hold all pairs of blocks that a summed row, or a branch,
 * touches: a variance h' Cov h is a sum over them. A weighted row with an unknown of its own has
 * what its residual keeps of its variance on the diagonal there, with the sign turned. */
#include "grid/estimate_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Below this current (p.u.) its direction, and so its deviation, is not defined. */
static const double CURRENT_MIN = 1e-9;

enum { QUANTITIES = 3, TWO_PAIRS = 3, AT_ONCE = 16 }; /* of a form: P, Q, |i|; pairs of two blocks;
                                                          blocks of the inverse fetched together */
enum { SOON = 8 }; /* rows before a row when the memory of its blocks is asked for */

/* Derivatives of the quantities of one form. */
struct slopes {
    uint32_t n, cap;
    const uint32_t *block;
    double *h;        /* [QUANTITIES][2 * n] */
    double z[TWO_PAIRS][4];   /* blocks of the inverse for a form of two blocks ... */
    const uint32_t *z_of;     /* ... listed there; NULL: none yet */
    double *amps;     /* [grid nodes] of 1 p.u. of current */
};

/* Variances of n rows, 1 or 2, that share their blocks. */
static void summed_rows(const struct pof_se *se, size_t i, uint32_t n, double sum[2])
{
    const struct se_row *row = &se->row[i];
    const uint32_t *slot = se->gain.slot + se->gain.first[i];
    double blocks[AT_ONCE][4];
    uint32_t pairs = row->n * (row->n + 1) / 2, fetched = 0;
    sum[0] = sum[1] = 0;
    for (uint32_t a = 0, pair = 0; a < row->n; a++) {
        for (uint32_t b = a; b < row->n; b++, pair++) {
            if (pair == fetched) {
                uint32_t next = pairs - fetched < AT_ONCE ? pairs - fetched : AT_ONCE;
                pof_ldl_inverse_of(se->gain.ldl, slot + fetched, next, blocks);
                fetched += next;
            }
            const double *z = blocks[pair % AT_ONCE];
            double twice = a == b ? 1 : 2;
            for (uint32_t k = 0; k < n; k++) {
                const double *h = se->h + 2 * (size_t)row[k].begin;
                const double *x = h + 2 * (size_t)a, *y = h + 2 * (size_t)b;
                sum[k] += twice * (x[0] * (z[0] * y[0] + z[1] * y[1]) +
                                   x[1] * (z[2] * y[0] + z[3] * y[1]));
            }
        }
    }
}

/* What the residual of a row with an unknown keeps of its variance: with g of w in G, z the diagonal
 * of the inverse there, h Cov h' = (1 + z) / (w - g). */
static double residual_left(const struct pof_se *se, size_t i)
{
    const struct se_row *row = &se->row[i];
    double w = row->weight, in_gain = row->stiff ? pofi_se_in_gain(se, row) : 0, z[4];
    if (row->exact || !row->active) {
        return 0;
    }
    pof_ldl_inverse_at(se->gain.ldl, se->gain.diagonal[row->extra / 2], z);
    return (-z[row->extra % 2 ? 3 : 0] * w - in_gain) / (w * (w - in_gain));
}

static double deviation(double variance)
{
    return isnan(variance) ? NAN : variance > 0 ? sqrt(variance) : 0;
}

/* A row that reads what a node consumes, and nothing else, knows its variance. */
static void note_consumption(struct pof_se *se, const struct se_row *row, double variance)
{
    uint32_t q = row->quantity == POF_QUANTITY_Q, f = row->phase > 0 ? row->phase - 1u : 0;
    bool power = (row->quantity == POF_QUANTITY_P || q) && !se->options.voltages;
    if (!row->branch && power && row->forms == 1 && row->mix == 0) {
        se->sd_node[2 + q][row->element * se->net.phases + f] =
            deviation(variance) * se->grid->base_va / se->net.phases;
    }
}

static void residuals_left(struct pof_se *se, double *left)
{
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        double sum[2];
        if (i + SOON < se->rows && !row[SOON].kept) {
            pof_ldl_inverse_soon(se->gain.ldl, se->gain.slot + se->gain.first[i + SOON], row[SOON].n);
        }
        if (row->exact || row->kept) {
            left[i] = residual_left(se, i);
            if (row->kept && row->active) {
                note_consumption(se, row, row->exact ? 0 : row->sigma * row->sigma - left[i]);
            }
            continue;
        }
        bool two = i + 1 < se->rows && !row[1].exact && !row[1].kept && row[1].n == row->n &&
                   se->gain.first[i + 1] == se->gain.first[i];
        summed_rows(se, i, two ? 2 : 1, sum);
        for (uint32_t k = 0; k < (two ? 2 : 1); k++) {
            left[i + k] = row[k].active ? row[k].sigma * row[k].sigma - sum[k] : 0;
            note_consumption(se, &row[k], sum[k]);
        }
        i += two;
    }
}

/* Derivatives of P, Q and |i| of a form. */
static int form_slopes(const struct pof_se *se, uint32_t form, struct slopes *s, struct pof_err *err)
{
    const struct se_forms *f = &se->forms;
    const struct se_state *v = &se->state;
    uint32_t a = f->at[form], begin = f->begin[form], own = 0;
    s->n = f->begin[form + 1] - begin;
    s->block = f->to + begin;
    if (s->n > s->cap) {
        free(s->h);
        s->cap = 2 * s->n;
        int rc = pof_calloc(&s->h, 2 * QUANTITIES * (size_t)s->cap, sizeof *s->h, err);
        if (rc) {
            s->cap = 0;
            return rc;
        }
    }
    double *hp = s->h, *hq = hp + 2 * s->n, *hi = hq + 2 * s->n, re = 0, im = 0;
    for (uint32_t k = 0; k < s->n; k++) {
        uint32_t b = s->block[k], e = begin + k;
        double yr = f->g[e] * v->vr[b] - f->b[e] * v->vi[b];
        double yi = f->g[e] * v->vi[b] + f->b[e] * v->vr[b];
        double cr = v->vr[a] * yr + v->vi[a] * yi, ci = v->vi[a] * yr - v->vr[a] * yi;
        own = b == a ? k : own;
        re += yr;
        im += yi;
        hp[2 * k] = ci;
        hp[2 * k + 1] = cr;
        hq[2 * k] = -cr;
        hq[2 * k + 1] = ci;
        hi[2 * k] = yr; /* until the current is known */
        hi[2 * k + 1] = yi;
    }
    double p = v->vr[a] * re + v->vi[a] * im, q = v->vi[a] * re - v->vr[a] * im;
    double size = sqrt(re * re + im * im);
    hp[2 * own] -= q;
    hp[2 * own + 1] += p;
    hq[2 * own] += p;
    hq[2 * own + 1] += q;
    for (uint32_t k = 0; k < s->n; k++) {
        double yr = hi[2 * k], yi = hi[2 * k + 1];
        hi[2 * k] = size < CURRENT_MIN ? 0 : -(re * yi - im * yr) / size;
        hi[2 * k + 1] = size < CURRENT_MIN ? 0 : (re * yr + im * yi) / size;
    }
    return 0;
}

/* Block (a, b) of the inverse for blocks of a form whose pairs are listed at `output`. */
static bool between(const struct pof_se *se, const struct slopes *s, const uint32_t *output,
                    uint32_t a, uint32_t b, double z[4])
{
    if (a == b) {
        pof_ldl_inverse_at(se->gain.ldl, se->gain.diagonal[s->block[a]], z);
        return true;
    }
    if (output) {
        uint32_t before = a * (2 * s->n - a - 1) / 2; /* pairs of earlier blocks */
        pof_ldl_inverse_at(se->gain.ldl, output[before + b - a - 1], z);
        return true;
    }
    return pof_ldl_inverse(se->gain.ldl, s->block[a], s->block[b], z);
}

/* The same of a form of two blocks, both ends of a branch mostly, which share them. */
static void two_variances(const struct pof_se *se, struct slopes *s, const uint32_t *output,
                          double var[QUANTITIES])
{
    if (s->z_of != output) {
        const uint32_t *diagonal = se->gain.diagonal;
        const uint32_t slots[TWO_PAIRS] = {diagonal[s->block[0]], output[0], diagonal[s->block[1]]};
        pof_ldl_inverse_of(se->gain.ldl, slots, TWO_PAIRS, s->z);
        s->z_of = output;
    }
    for (int k = 0; k < QUANTITIES; k++) {
        const double *x = s->h + 4 * k, *y = x + 2, *z = s->z[0];
        var[k] = x[0] * (z[0] * x[0] + z[1] * x[1]) + x[1] * (z[2] * x[0] + z[3] * x[1]);
        z = s->z[1];
        var[k] += 2 * (x[0] * (z[0] * y[0] + z[1] * y[1]) + x[1] * (z[2] * y[0] + z[3] * y[1]));
        z = s->z[2];
        var[k] += y[0] * (z[0] * y[0] + z[1] * y[1]) + y[1] * (z[2] * y[0] + z[3] * y[1]);
    }
}

/* Variances of the quantities; false: the pattern lacks a pair. */
static bool form_variances(const struct pof_se *se, struct slopes *s, const uint32_t *output,
                           double var[QUANTITIES])
{
    double z[4];
    if (s->n == 2 && output) {
        two_variances(se, s, output, var);
        return true;
    }
    memset(var, 0, QUANTITIES * sizeof *var);
    for (uint32_t a = 0; a < s->n; a++) {
        for (uint32_t b = a; b < s->n; b++) {
            if (!between(se, s, output, a, b, z)) {
                return false;
            }
            for (int k = 0; k < QUANTITIES; k++) {
                const double *x = s->h + 2 * (size_t)(s->n * (uint32_t)k + a);
                const double *y = s->h + 2 * (size_t)(s->n * (uint32_t)k + b);
                double part = x[0] * (z[0] * y[0] + z[1] * y[1]) + x[1] * (z[2] * y[0] + z[3] * y[1]);
                var[k] += a == b ? part : 2 * part;
            }
        }
    }
    return true;
}

/* The same of one quantity by a solve; x: [2 * blocks]. With potentials when terms are given. */
static double solved_variance(const struct pof_se *se, const uint32_t *block, const double *h,
                              uint32_t n, double *x)
{
    const uint32_t *order = pof_ldl_order(se->gain.ldl);
    double sum = 0;
    memset(x, 0, 2 * (size_t)se->gain.blocks * sizeof *x);
    for (uint32_t k = 0; k < 2 * n; k++) {
        x[2 * order[block[k / 2]] + k % 2] += h[k];
    }
    pof_ldl_solve(se->gain.ldl, x);
    for (uint32_t k = 0; k < 2 * n; k++) {
        sum += h[k] * x[2 * order[block[k / 2]] + k % 2];
    }
    return sum;
}

/* Where the pairs of a form are listed; NULL: nowhere. */
static const uint32_t *outputs_of(const struct pof_se *se, uint32_t form)
{
    uint32_t at = se->gain.output[form];
    return at == POF_NONE ? NULL : se->gain.slot + at;
}

/* --- nodes --- */

/* Consumption of a section: its form and potentials, always by a solve (they are few). */
static int section_deviation(struct pof_se *se, uint32_t i, uint32_t f, double *x, struct pof_err *err)
{
    uint32_t s = se->section_of[i], phases = se->net.phases, p = s * phases + f;
    struct se_row row = {.element = i, .forms = 1, .sign = -1, .place = se->net.forms + p};
    row.phase = (uint8_t)(phases == 1 ? 0 : f + 1);
    row.quantity = POF_QUANTITY_P;
    uint32_t most = pofi_se_blocks_max(se, &row);
    struct se_term *term = NULL;
    uint32_t *block = NULL;
    double *h = NULL;
    struct pof_se view = *se; /* the row's blocks stand alone */
    int rc = pof_calloc(&term, pofi_se_terms_max(se, &row), sizeof *term, err);
    rc = rc ? rc : pof_calloc(&block, most, sizeof *block, err);
    rc = rc ? rc : pof_calloc(&h, 4 * (size_t)most, sizeof *h, err);
    view.block = block;
    view.constant = h + 2 * (size_t)most;
    for (uint32_t q = 0; rc == 0 && q < 2; q++) {
        row.quantity = q ? POF_QUANTITY_Q : POF_QUANTITY_P;
        row.n = pofi_se_blocks(se, &row, term, block);
        memset(view.constant, 0, 2 * (size_t)most * sizeof *h);
        pofi_se_constants(&view, &row, term);
        pofi_se_gradient(&view, &row, &se->state, h);
        double var = se->section_known[2 * p + q] ? solved_variance(se, block, h, row.n, x) : NAN;
        se->sd_node[2 + q][i * phases + f] = deviation(var) * se->grid->base_va / phases;
    }
    free(h);
    free(block);
    free(term);
    return rc;
}

static int node_deviations(struct pof_se *se, struct slopes *s, double *x, struct pof_err *err)
{
    const struct pof_net *net = &se->net;
    int rc = 0;
    for (uint32_t k = 0; rc == 0 && k < se->grid->nodes * net->phases; k++) {
        uint32_t i = k / net->phases, f = k % net->phases;
        if (net->bus_of[i] == POF_NONE) {
            continue;
        }
        uint32_t n = net->bus_of[i] * net->phases + f;
        double z[4], var[QUANTITIES];
        pof_ldl_inverse_at(se->gain.ldl, se->gain.diagonal[n], z);
        se->sd_node[0][k] = deviation(z[3]) * se->state.vm[n];
        se->sd_node[1][k] = deviation(z[0]);
        if (se->options.voltages) {
            continue;
        }
        if (se->sections > 0 && se->section_of[i] != POF_NONE) {
            rc = section_deviation(se, i, f, x, err);
            continue;
        }
        if (se->sd_node[2][k] >= 0 && se->sd_node[3][k] >= 0) {
            continue; /* from a row */
        }
        rc = form_slopes(se, pof_net_bus(net, n), s, err);
        bool known = rc == 0 && form_variances(se, s, outputs_of(se, pof_net_bus(net, n)), var);
        for (uint32_t q = 0; rc == 0 && q < 2; q++) {
            var[q] = known ? var[q] : solved_variance(se, s->block, s->h + 2 * s->n * q, s->n, x);
            if (!(se->sd_node[2 + q][k] >= 0)) {
                se->sd_node[2 + q][k] = deviation(var[q]) * se->grid->base_va / net->phases;
            }
        }
    }
    return rc;
}

/* --- branches --- */

/* Flow of an ideal switch: difference of two potentials. */
static void tie_deviation(struct pof_se *se, uint32_t b, uint32_t f, double *x)
{
    uint32_t phases = se->net.phases, at = b * phases + f;
    const struct pof_branch *branch = &se->grid->branch[b];
    uint32_t block[2] = {se->net.nodes + se->section_of[branch->from] * phases + f,
                         se->net.nodes + se->section_of[branch->to] * phases + f};
    for (uint32_t q = 0; q < 2; q++) {
        double h[4] = {0};
        for (uint32_t k = 0; k < 2; k++) {
            h[2 * k + q] = se->is_state[2 * (block[k] - se->net.nodes) + q] ? 1 - 2 * (double)k : 0;
        }
        double var = se->tie_known[2 * at + q] ? solved_variance(se, block, h, 2, x) : NAN;
        se->sd_branch[q][at] = se->sd_branch[2 + q][at] =
            deviation(var) * se->grid->base_va / phases;
    }
    se->sd_branch[4][at] = NAN;
}

/* Asks for the memory of what the deviations of a branch are made of. */
static void branch_soon(const struct pof_se *se, uint32_t k)
{
    uint32_t phases = se->net.phases;
    if (k < se->grid->branches * phases) {
        const uint32_t *output = outputs_of(se, pof_net_end(&se->net, k / phases, 0, k % phases));
        pof_ldl_inverse_soon(se->gain.ldl, output, output ? 1 : 0);
    }
}

static int branch_deviations(struct pof_se *se, struct slopes *s, double *x, struct pof_err *err)
{
    const struct pof_net *net = &se->net;
    double unit = se->grid->base_va / net->phases;
    int rc = 0;
    for (uint32_t k = 0; rc == 0 && k < se->grid->branches * net->phases; k++) {
        const struct pof_branch *branch = &se->grid->branch[k / net->phases];
        uint32_t b = k / net->phases, f = k % net->phases;
        branch_soon(se, k + SOON);
        if (!branch->closed || net->bus_of[branch->from] == POF_NONE) {
            continue;
        }
        if (pof_branch_ideal(se->grid, branch)) {
            tie_deviation(se, b, f, x);
            continue;
        }
        double most = -1;
        for (uint32_t end = 0; rc == 0 && end < 2; end++) {
            uint32_t node = end ? branch->to : branch->from;
            double var[QUANTITIES];
            uint32_t form = pof_net_end(net, b, end, f);
            rc = form_slopes(se, form, s, err);
            bool known = rc == 0 && form_variances(se, s, outputs_of(se, form), var);
            for (uint32_t q = 0; rc == 0 && !known && q < QUANTITIES; q++) {
                var[q] = solved_variance(se, s->block, s->h + 2 * s->n * q, s->n, x);
            }
            if (rc == 0) {
                double amps = s->amps[node];
                double p = se->branch_out[2 * end][k], q = se->branch_out[2 * end + 1][k];
                double i = sqrt(p * p + q * q) / unit / se->state.vm[net->at[form]] * amps;
                se->sd_branch[2 * end][k] = deviation(var[0]) * unit;
                se->sd_branch[2 * end + 1][k] = deviation(var[1]) * unit;
                /* of the end whose current is reported */
                se->sd_branch[4][k] = i > most ? deviation(var[2]) * amps : se->sd_branch[4][k];
                most = fmax(most, i);
            }
        }
    }
    return rc;
}

/* --- the whole --- */

static int room(struct pof_se *se, struct pof_err *err)
{
    size_t nodes = (size_t)se->grid->nodes * se->net.phases;
    size_t branches = (size_t)se->grid->branches * se->net.phases;
    int rc = 0;
    int of_nodes = se->options.voltages ? 2 : 4, of_branches = se->options.voltages ? 0 : 5;
    for (int i = 0; rc == 0 && i < 5; i++) {
        if (i < of_nodes && !se->sd_node[i]) {
            rc = pof_calloc(&se->sd_node[i], nodes, sizeof *se->sd_node[i], err);
        }
        if (rc == 0 && i < of_branches && !se->sd_branch[i]) {
            rc = pof_calloc(&se->sd_branch[i], branches, sizeof *se->sd_branch[i], err);
        }
    }
    for (size_t k = 0; rc == 0 && k < (size_t)of_nodes * nodes; k++) {
        bool dead = se->net.bus_of[k % nodes / se->net.phases] == POF_NONE;
        se->sd_node[k / nodes][k % nodes] = dead ? 0 : -1; /* not known yet */
    }
    for (int i = 0; rc == 0 && i < of_branches; i++) {
        memset(se->sd_branch[i], 0, branches * sizeof *se->sd_branch[i]);
    }
    return rc;
}

int pofi_se_variances(struct pof_se *se, double *left, struct pof_err *err)
{
    struct slopes s = {0};
    double *x = NULL;
    int rc = room(se, err);
    rc = rc ? rc : pof_calloc(&x, 2 * (size_t)se->gain.blocks, sizeof *x, err);
    rc = rc ? rc : pof_calloc(&s.amps, se->grid->nodes, sizeof *s.amps, err);
    for (uint32_t i = 0; rc == 0 && i < se->grid->nodes; i++) {
        s.amps[i] = pof_base_current(se->grid, i);
    }
    if (rc == 0) {
        pofi_se_linearise(se);
        se->base_factored = false;
        pofi_se_factor(se, &se->gain, pofi_se_prior(se, true));
        rc = pof_ldl_invert(se->gain.ldl, err);
    }
    if (rc == 0) {
        residuals_left(se, left);
        rc = node_deviations(se, &s, x, err);
        rc = rc || se->options.voltages ? rc : branch_deviations(se, &s, x, err);
    }
    free(x);
    free(s.h);
    free(s.amps);
    return rc;
}
