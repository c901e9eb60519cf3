/* SPDX-License-Identifier: Apache-2.0 */
/* The linear systems of estimation: pattern once, values many times. Places are visited in one
 * order, the same when the pattern is made and when values are added. */
#include "grid/estimate_impl.h"

#include <math.h>
#include <stdlib.h>

/* Of the constraint block, with constraint rows of length about 1 and G scaled to about 1: small
 * enough that one step leaves 1e-10 of a constraint's error, large enough that constraints which
 * repeat each other do not make the system singular. */
static const double CONSTRAINT_EPS = 1e-10;

static size_t places_of(const struct se_row *row, bool kept)
{
    size_t n = (size_t)row->n;
    return kept ? 2 * n + 1 : n * n;
}

/* The places of a row, in the order in which values are added. */
static size_t list_row(const struct pof_se *se, const struct se_row *row, int32_t extra,
                       int32_t *at_row, int32_t *at_col)
{
    const int32_t *col = se->col + row->begin;
    size_t k = 0;
    for (int32_t i = 0; i < row->n; i++) {
        if (extra >= 0) {
            at_row[k] = extra;
            at_col[k++] = col[i];
            at_row[k] = col[i];
            at_col[k++] = extra;
            continue;
        }
        for (int32_t j = 0; j < row->n; j++) {
            at_row[k] = col[i];
            at_col[k++] = col[j];
        }
    }
    if (extra >= 0) {
        at_row[k] = extra;
        at_col[k++] = extra;
    }
    return k;
}

int pofi_se_system_new(const struct pof_se *se, struct se_system *s, bool keep_all,
                       struct pof_err *err)
{
    pofi_se_system_free(s);
    int32_t state = 2 * (int32_t)se->n;
    size_t n = (size_t)state;
    for (size_t i = 0; i < se->rows; i++) {
        n += places_of(&se->row[i], keep_all || se->row[i].kept);
    }
    s->size = state + (keep_all ? (int32_t)se->rows : se->extras);
    int32_t *row = NULL;
    int32_t *col = NULL;
    int rc = pof_calloc(&row, n, sizeof *row, err);
    rc = rc == 0 ? pof_calloc(&col, n, sizeof *col, err) : rc;
    rc = rc == 0 ? pof_calloc(&s->slot, n, sizeof *s->slot, err) : rc;
    if (rc == 0) {
        size_t k = 0;
        for (; k < (size_t)state; k++) {
            row[k] = col[k] = (int32_t)k;
        }
        for (size_t i = 0; i < se->rows; i++) {
            int32_t extra = keep_all ? state + (int32_t)i : se->row[i].extra;
            k += list_row(se, &se->row[i], extra, row + k, col + k);
        }
        struct pof_places places = {.row = row, .col = col, .n = n};
        rc = pof_csc_pattern(&s->k, s->size, s->size, &places, s->slot, err);
    }
    if (rc == 0) {
        rc = pof_lu_new(&s->lu, &s->k, err);
    }
    free(col);
    free(row);
    return rc;
}

void pofi_se_system_free(struct se_system *s)
{
    pof_lu_free(s->lu);
    pof_csc_release(&s->k);
    free(s->slot);
    *s = (struct se_system){0};
}

static void clear(struct se_system *s)
{
    for (int32_t k = 0; k < s->k.col[s->size]; k++) {
        s->k.value[k] = 0;
    }
}

/* A row with an unknown of its own: factor * h beside and below, diagonal d; returns slots used. */
static const int32_t *add_kept(struct se_system *s, const int32_t *slot, const double *h, int32_t n,
                               const double factor_diagonal[2])
{
    for (int32_t i = 0; i < n; i++) {
        s->k.value[*slot++] += factor_diagonal[0] * h[i];
        s->k.value[*slot++] += factor_diagonal[0] * h[i];
    }
    s->k.value[*slot++] += factor_diagonal[1];
    return slot;
}

/* A kept reading stands as sqrt(w) h with -1 on the diagonal: eliminated, that is w h h' in G. */
static double kept_factor(const struct se_row *row)
{
    return row->exact ? row->weight : sqrt(row->weight);
}

void pofi_se_assemble(const struct pof_se *se, struct se_system *s)
{
    const int32_t *slot = s->slot + 2 * (size_t)se->n;
    clear(s);
    for (size_t k = 0; k < se->rows; k++) {
        const struct se_row *row = &se->row[k];
        const double *h = se->h + row->begin;
        if (row->kept) {
            double own = row->exact && row->active ? -CONSTRAINT_EPS : -1;
            double pair[2] = {row->active ? kept_factor(row) : 0, own};
            slot = add_kept(s, slot, h, row->n, pair);
            continue;
        }
        double w = row->active ? row->weight : 0;
        for (int32_t i = 0; i < row->n; i++) {
            double wh = w * h[i];
            for (int32_t j = 0; j < row->n; j++) {
                s->k.value[*slot++] += wh * h[j];
            }
        }
    }
}

void pofi_se_rhs(const struct pof_se *se, double *b)
{
    for (int32_t i = 0; i < 2 * (int32_t)se->n + se->extras; i++) {
        b[i] = 0;
    }
    for (size_t k = 0; k < se->rows; k++) {
        const struct se_row *row = &se->row[k];
        const double *h = se->h + row->begin;
        const int32_t *col = se->col + row->begin;
        if (!row->active) {
            continue;
        }
        if (row->kept) {
            b[row->extra] = kept_factor(row) * row->r;
        }
        double f = row->exact ? -row->lambda * row->weight : row->kept ? 0 : row->weight * row->r;
        for (int32_t i = 0; i < row->n; i++) {
            b[col[i]] += f * h[i];
        }
    }
}

void pofi_se_assemble_test(const struct pof_se *se, struct se_system *s, const double *h, double eps)
{
    static const double one_and_minus_one[2] = {1, -1};
    const int32_t *slot = s->slot;
    clear(s);
    for (uint32_t i = 0; i < 2 * se->n; i++) {
        s->k.value[*slot++] += eps;
    }
    for (size_t k = 0; k < se->rows; k++) {
        const struct se_row *row = &se->row[k];
        slot = add_kept(s, slot, h + row->begin, row->n, one_and_minus_one);
    }
}
