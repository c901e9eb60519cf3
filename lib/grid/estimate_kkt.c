/* SPDX-License-Identifier: Apache-2.0 */
/* The linear systems of estimation: pattern once, values many times.
 *
 *     [ G + prior   C' ]      G: rows summed,  H' W H
 *     [ C           -D ]      C: rows with unknowns of their own: multipliers of exact rows (D = 0)
 *                             and sqrt(w) h of weighted ones (D = 1; eliminated, that is w h h')
 *                             of which stiff ones (estimate_stiff.c) have a part of w in G
 *
 * Where rows are multiplied out, those of short exact rows are added too, with a weight like that of
 * readings (augmented Lagrangian): it changes neither solutions nor the upper left block of the
 * inverse, but a node that is known by constraints alone has a pivot of the size of others.
 *
 * The unknown of a row is eliminated right behind the node that it is read at: then its pivot has
 * something to stand on, and a node and its multipliers are one vertex of the graph, which is the
 * graph of the grid itself. */
#include "grid/estimate_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of more blocks, injections of busbars with many feeders, have unknowns of their own: fill
 * grows with the square of what is multiplied out. (Unknowns for all injections would save meshed
 * grids some work, but where a node is known by them alone its pivot would be the prior, and
 * variances would drown in rounding.) */
enum { LONG = 12 };

uint32_t pofi_se_states(const struct pof_se *se)
{
    return se->net.nodes + se->potentials;
}

static bool same_blocks(const struct pof_se *se, const struct se_row *x, const struct se_row *y)
{
    return x->n == y->n &&
           memcmp(se->block + x->begin, se->block + y->begin, x->n * sizeof *se->block) == 0;
}

/* The block behind which a row's unknown goes. */
static uint32_t home(const struct pof_se *se, const struct se_row *row)
{
    if (row->n == 0 || row->place == POF_NONE) {
        return row->n > 0 ? se->block[row->begin] : 0;
    }
    bool at_node = row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE;
    return at_node ? row->place : se->forms.at[row->place];
}

/* Which rows have unknowns, and which those are: rows of the same blocks pair up. */
static void number_unknowns(const struct pof_se *se, struct se_system *s)
{
    uint32_t next = 2 * pofi_se_states(se);
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        bool own = s->keep_all || row->exact || row->stiff || row->n > LONG * se->net.phases;
        bool joins = own && next % 2 == 1 && i > 0 && s->unknown[i - 1] != POF_NONE &&
                     home(se, row) == home(se, row - 1) && same_blocks(se, row, row - 1);
        next += own && !joins && next % 2 == 1;
        s->unknown[i] = own ? next++ : POF_NONE;
    }
    s->blocks = next / 2 + next % 2;
}

static bool augmented(const struct pof_se *se, const struct se_system *s, const struct se_row *row)
{
    return s->augment && (row->exact || row->stiff) && row->n <= LONG * se->net.phases;
}

/* At most so many places of rows. */
static size_t most_places(const struct pof_se *se, const struct se_system *s)
{
    size_t k = 0;
    for (size_t i = 0; i < se->rows; i++) {
        size_t n = se->row[i].n, pairs = n * (n + 1) / 2;
        bool own = s->unknown[i] != POF_NONE;
        k += own ? n + augmented(se, s, &se->row[i]) * pairs : pairs;
    }
    return k;
}

/* Places of all rows; returns how many. */
static size_t list_places(const struct pof_se *se, struct se_system *s, uint32_t *at_row,
                          uint32_t *at_col)
{
    size_t k = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        const uint32_t *block = se->block + row->begin;
        bool own = s->unknown[i] != POF_NONE;
        if (i > 0 && same_blocks(se, row, row - 1) && own == (s->unknown[i - 1] != POF_NONE) &&
            (!own || s->unknown[i] / 2 == s->unknown[i - 1] / 2)) {
            s->first[i] = s->first[i - 1];
            continue;
        }
        s->first[i] = (uint32_t)k;
        for (uint32_t a = 0; a < row->n; a++) {
            for (uint32_t b = own ? row->n : a; b < row->n + own; b++, k++) {
                at_row[k] = block[a];
                at_col[k] = own ? s->unknown[i] / 2 : block[b];
            }
        }
        for (uint32_t a = 0; a < row->n && augmented(se, s, row); a++) {
            for (uint32_t b = a; b < row->n; b++, k++) {
                at_row[k] = block[a];
                at_col[k] = block[b];
            }
        }
    }
    return k;
}

/* Blocks of a form with each other. */
static size_t list_form(const struct pof_se *se, uint32_t form, uint32_t *at_row, uint32_t *at_col)
{
    const struct se_forms *f = &se->forms;
    size_t k = 0;
    for (uint32_t a = f->begin[form]; a < f->begin[form + 1]; a++) {
        for (uint32_t b = a + 1; b < f->begin[form + 1]; b++, k++) {
            if (at_row) {
                at_row[k] = f->to[a];
                at_col[k] = f->to[b];
            }
        }
    }
    return k;
}

/* Pairs of the to end of a branch: those of its from end, if it is made of the same blocks. */
static uint32_t twin(const struct pof_se *se, const struct se_system *s, uint32_t form)
{
    const struct se_forms *f = &se->forms;
    uint32_t other = form - se->net.phases, n = f->begin[form + 1] - f->begin[form];
    bool same = n == f->begin[other + 1] - f->begin[other] &&
                memcmp(f->to + f->begin[form], f->to + f->begin[other], n * sizeof *f->to) == 0;
    return same ? s->output[other] : POF_NONE;
}

/* Places that nothing is added to: with them the inverse on the pattern holds the variances of all
 * flows, and where that makes no long rows, of what is consumed where nobody reads it. Both are
 * links of the grid, which are there anyway once rows are eliminated. */
static size_t list_outputs(const struct pof_se *se, struct se_system *s, const bool *is_read,
                           uint32_t *at_row, uint32_t *at_col)
{
    const struct pof_net *net = &se->net;
    uint32_t ends = 2 * se->grid->branches * net->phases;
    size_t k = 0;
    for (uint32_t form = 0; form < se->forms.n; form++) {
        bool branch = form < ends;
        s->output[form] = branch && form / net->phases % 2 ? twin(se, s, form) : POF_NONE;
        bool wanted = branch ? form / net->phases % 2 == 0 && net->at[form] != POF_NONE
                             : !is_read[form];
        if (wanted && (branch || se->forms.begin[form + 1] - se->forms.begin[form] <= LONG * net->phases)) {
            s->output[form] = s->outputs + (uint32_t)k;
            k += list_form(se, form, at_row ? at_row + k : NULL, at_row ? at_col + k : NULL);
        }
    }
    return k;
}

/* Blocks of a row are neighbours in the system, and so in one piece or in the last, unless only the
 * row's own unknown joins them. */
static void mark_last(const struct pof_se *se, const struct se_system *s, size_t i, bool *last)
{
    const struct se_row *row = &se->row[i];
    for (uint32_t k = 0; s->unknown[i] != POF_NONE && !augmented(se, s, row) && k < row->n; k++) {
        last[se->block[row->begin + k]] = true;
    }
}

static int make_ldl(const struct pof_se *se, struct se_system *s, const bool *is_read, struct pof_err *err)
{
    uint32_t *row = NULL, *col = NULL, *tie = NULL;
    bool *negative = NULL, *last = NULL;
    bool outputs = !s->keep_all && !se->options.voltages;
    int rc = outputs ? pof_alloc(&s->output, se->forms.n, sizeof *s->output, err) : 0;
    size_t places = most_places(se, s);
    places += !outputs || rc ? 0 : list_outputs(se, s, is_read, NULL, NULL);
    if (rc == 0 && places > UINT32_MAX / 4) {
        rc = pof_fail(err, POF_E_RANGE, "%zu readings of this grid are too many", se->rows);
    }
    rc = rc ? rc : pof_alloc(&row, places, sizeof *row, err);
    rc = rc ? rc : pof_alloc(&col, places, sizeof *col, err);
    rc = rc ? rc : pof_alloc(&tie, s->blocks, sizeof *tie, err);
    rc = rc ? rc : pof_alloc(&negative, 2 * (size_t)s->blocks, sizeof *negative, err);
    rc = rc ? rc : pof_calloc(&last, s->blocks, sizeof *last, err);
    rc = rc ? rc : pof_alloc(&s->slot, places, sizeof *s->slot, err);
    rc = rc ? rc : pof_alloc(&s->diagonal, s->blocks, sizeof *s->diagonal, err);
    if (rc == 0) {
        places = list_places(se, s, row, col);
        s->outputs = (uint32_t)places;
        places += outputs ? list_outputs(se, s, is_read, row + places, col + places) : 0;
        for (uint32_t b = 0; b < s->blocks; b++) {
            tie[b] = b;
            negative[2 * b] = negative[2 * b + 1] = b >= pofi_se_states(se);
        }
        for (size_t i = 0; i < se->rows; i++) {
            if (s->unknown[i] != POF_NONE && s->unknown[i] % 2 == 0) {
                tie[s->unknown[i] / 2] = home(se, &se->row[i]);
            }
            mark_last(se, s, i, last);
        }
        struct pof_ldl_places at = {.blocks = s->blocks,
                                    .row = row,
                                    .col = col,
                                    .n = places,
                                    .tie = tie,
                                    .negative = negative,
                                    .last = last};
        rc = pof_ldl_new(&s->ldl, &at, s->slot, s->diagonal, err);
    }
    free(last);
    free(negative);
    free(tie);
    free(col);
    free(row);
    return rc;
}

static int system_new(const struct pof_se *se, struct se_system *s, struct pof_err *err)
{
    int rc = pof_alloc(&s->first, se->rows, sizeof *s->first, err);
    rc = rc ? rc : pof_alloc(&s->unknown, se->rows, sizeof *s->unknown, err);
    if (rc) {
        return rc;
    }
    bool *is_read = NULL;
    s->augment = !s->keep_all;
    number_unknowns(se, s);
    rc = pof_calloc(&is_read, se->forms.n, sizeof *is_read, err);
    for (size_t i = 0; rc == 0 && i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        bool power = row->quantity == POF_QUANTITY_P || row->quantity == POF_QUANTITY_Q;
        for (uint32_t k = 0; k < row->forms && power; k++) {
            is_read[row->place + k] = true;
        }
    }
    rc = rc ? rc : make_ldl(se, s, is_read, err);
    free(is_read);
    return rc;
}

int pofi_se_system_new(const struct pof_se *se, struct se_system *s, bool keep_all,
                       struct pof_err *err)
{
    pofi_se_system_free(s);
    s->keep_all = keep_all;
    return system_new(se, s, err);
}

void pofi_se_system_free(struct se_system *s)
{
    pof_ldl_free(s->ldl);
    free(s->slot);
    free(s->diagonal);
    free(s->first);
    free(s->unknown);
    free(s->output);
    *s = (struct se_system){0};
}

int pofi_se_gain_new(struct pof_se *se, struct pof_err *err)
{
    pofi_se_system_free(&se->gain);
    int rc = system_new(se, &se->gain, err);
    for (size_t i = 0; rc == 0 && i < se->rows; i++) {
        se->row[i].kept = se->gain.unknown[i] != POF_NONE;
        se->row[i].extra = se->gain.unknown[i];
    }
    return rc;
}

/* --- values --- */

static double *clear(struct se_system *s)
{
    size_t n = 0;
    double *a = pof_ldl_values(s->ldl, &n);
    memset(a, 0, n * sizeof *a);
    return a;
}

/* w h h' into G. */
static void add_summed(double *a, const uint32_t *slot, const double *h, uint32_t n, double w)
{
    for (uint32_t i = 0; i < n; i++, h += 2) {
        double w0 = w * h[0], w1 = w * h[1];
        for (uint32_t j = i; j < n; j++) {
            const double *to = h + 2 * (size_t)(j - i);
            size_t at = 4 * (size_t)(*slot >> 1), t = *slot & 1;
            a[at] += w0 * to[0];
            a[at + 1 + t] += w0 * to[1];
            a[at + 2 - t] += w1 * to[0];
            a[at + 3] += w1 * to[1];
            slot++;
        }
    }
}

/* The same of two rows of the same blocks, each element summed up as if one came after the other. */
static void add_summed_pair(double *a, const uint32_t *slot, const double *h, uint32_t n, double w,
                            double v)
{
    const double *g = h + 2 * (size_t)n;
    for (uint32_t i = 0; i < n; i++, h += 2, g += 2) {
        double w0 = w * h[0], w1 = w * h[1], v0 = v * g[0], v1 = v * g[1];
        for (uint32_t j = 2 * i; j < 2 * n; j += 2) {
            const double *to = h + j - 2 * (size_t)i, *by = g + j - 2 * (size_t)i;
            double *at = a + 4 * (size_t)(*slot >> 1);
            size_t t = *slot & 1;
            at[0] = at[0] + w0 * to[0] + v0 * by[0];
            at[1 + t] = at[1 + t] + w0 * to[1] + v0 * by[1];
            at[2 - t] = at[2 - t] + w1 * to[0] + v1 * by[0];
            at[3] = at[3] + w1 * to[1] + v1 * by[1];
            slot++;
        }
    }
}

/* Whether row i and the next are summed into the same places, from derivatives side by side. */
static bool summed_pair(const struct pof_se *se, const struct se_system *s, size_t i)
{
    const struct se_row *row = &se->row[i];
    return i + 1 < se->rows && s->unknown[i + 1] == POF_NONE && row[0].active && row[1].active &&
           s->first[i] == s->first[i + 1] && row[1].begin == row[0].begin + row[0].n && row[0].n > 0;
}

/* f h beside and below, d on the diagonal. */
static void add_own(struct se_system *s, double *a, size_t i, const double *h, const double fd[2],
                    uint32_t n)
{
    const uint32_t *slot = s->slot + s->first[i];
    unsigned c = s->unknown[i] % 2;
    for (uint32_t k = 0; k < n; k++) {
        a[pof_ldl_at(slot[k], 0, c)] += fd[0] * h[2 * k];
        a[pof_ldl_at(slot[k], 1, c)] += fd[0] * h[2 * k + 1];
    }
    a[pof_ldl_at(s->diagonal[s->unknown[i] / 2], c, c)] += fd[1];
}

/* The prior on states; ones where a block is half used. */
static void add_prior(const struct pof_se *se, struct se_system *s, double *a, double prior,
                      double share)
{
    for (uint32_t b = 0; b < s->blocks; b++) {
        for (unsigned c = 0; c < 2; c++) {
            double *d = &a[pof_ldl_at(s->diagonal[b], c, c)];
            if (b >= pofi_se_states(se)) {
                continue;
            }
            bool held = b >= se->net.nodes && !se->is_state[2 * (b - se->net.nodes) + c];
            double shared = share * *d;
            *d += held ? 1 : shared > prior ? shared : prior;
        }
    }
}

/* Second unknowns of blocks whose first stands alone. */
static void add_fillers(const struct pof_se *se, struct se_system *s, double *a)
{
    for (size_t i = 0; i < se->rows; i++) {
        uint32_t own = s->unknown[i];
        bool paired = i + 1 < se->rows && s->unknown[i + 1] == own + 1;
        if (own != POF_NONE && own % 2 == 0 && !paired) {
            a[pof_ldl_at(s->diagonal[own / 2], 1, 1)] = -1;
        }
    }
}

double pofi_se_rho(const struct pof_se *se, size_t i)
{
    return augmented(se, &se->gain, &se->row[i]) ? se->rho : 0;
}

/* What a row with an unknown of its own has beside (times h) and on the diagonal; its weight in G. */
static double own_values(const struct pof_se *se, const struct se_system *s, const struct se_row *row,
                         double fd[2])
{
    double in_gain = 0;
    fd[0] = !row->active ? 0 : row->exact ? row->weight : sqrt(row->weight);
    fd[1] = row->active && row->exact ? 0 : -1;
    if (row->active && augmented(se, s, row)) {
        in_gain = row->exact ? se->rho * row->weight * row->weight : pofi_se_in_gain(se, row);
    }
    if (in_gain > 0 && !row->exact) {
        fd[0] = sqrt(row->weight - in_gain);
    }
    return in_gain;
}

uint32_t pofi_se_factor(const struct pof_se *se, struct se_system *s, double prior)
{
    double *a = clear(s);
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        const double *h = se->h + 2 * (size_t)row->begin;
        if (s->unknown[i] != POF_NONE) {
            double fd[2], in_gain = own_values(se, s, row, fd);
            add_own(s, a, i, h, fd, row->n);
            if (in_gain > 0) {
                add_summed(a, s->slot + s->first[i] + row->n, h, row->n, in_gain);
            }
        } else if (summed_pair(se, s, i)) {
            add_summed_pair(a, s->slot + s->first[i], h, row->n, row->weight, row[1].weight);
            i++;
        } else if (row->active) {
            add_summed(a, s->slot + s->first[i], h, row->n, row->weight);
        }
    }
    add_prior(se, s, a, prior, SE_PRIOR_SHARE);
    add_fillers(se, s, a);
    return pof_ldl_factor(s->ldl);
}

uint32_t pofi_se_factor_test(const struct pof_se *se, struct se_system *s, const double *h,
                             double eps)
{
    static const double one_and_minus_one[2] = {1, -1};
    double *a = clear(s);
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        add_own(s, a, i, h + 2 * (size_t)row->begin, one_and_minus_one, row->n);
    }
    add_prior(se, s, a, eps, 0);
    add_fillers(se, s, a);
    return pof_ldl_factor(s->ldl);
}

void pofi_se_system_solve(const struct se_system *s, double *x, double *scratch)
{
    const uint32_t *order = pof_ldl_order(s->ldl);
    for (uint32_t b = 0; b < s->blocks; b++) {
        scratch[2 * order[b]] = x[2 * b];
        scratch[2 * order[b] + 1] = x[2 * b + 1];
    }
    pof_ldl_solve(s->ldl, scratch);
    for (uint32_t b = 0; b < s->blocks; b++) {
        x[2 * b] = scratch[2 * order[b]];
        x[2 * b + 1] = scratch[2 * order[b] + 1];
    }
}
