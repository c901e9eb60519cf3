/* SPDX-License-Identifier: Apache-2.0 */
/* Observations become rows: per unit, sorted, with the constraints nobody has to write down. */
#include "grid/estimate_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer rows (injections at busbars with many feeders) stay out of G, whose fill grows with the
 * square of their length. */
enum { SUMMED_MAX = 24 };

static const double DEGREE = 3.14159265358979323846 / 180;

static const char *const QUANTITY[] = {"v", "angle", "p", "q", "i"};

int pof_se_accepts(const struct pof_grid *grid, const struct pof_observation *o,
                   struct pof_err *err)
{
    bool power = o->quantity == POF_QUANTITY_P || o->quantity == POF_QUANTITY_Q;
    bool fits = o->quantity <= POF_QUANTITY_I &&
                (power || o->branch == (o->quantity == POF_QUANTITY_I));
    if (o->element >= (o->branch ? grid->branches : grid->nodes)) {
        return pof_fail(err, POF_E_REFERENCE, "no such %s in the grid",
                        o->branch ? "branch" : "node");
    }
    if (!fits) {
        return pof_fail(err, POF_E_PHYSICS, "'%s' cannot be read at a %s: expected %s",
                        o->quantity <= POF_QUANTITY_I ? QUANTITY[o->quantity] : "?",
                        o->branch ? "branch" : "node", o->branch ? "p, q or i" : "v, angle, p or q");
    }
    if (!isfinite(o->value) || !isfinite(o->sigma) || o->sigma < 0) {
        return pof_fail(err, POF_E_RANGE, "sigma is %g: expected 0 or more", o->sigma);
    }
    bool magnitude = o->quantity == POF_QUANTITY_V || o->quantity == POF_QUANTITY_I;
    if (magnitude && o->value < 0) {
        return pof_fail(err, POF_E_PHYSICS, "a magnitude of %g: expected 0 or more", o->value);
    }
    return 0;
}

const char *pof_observation_name(const struct pof_grid *grid, const struct pof_observation *o,
                                 char *to, size_t cap)
{
    struct pof_text name = o->branch ? grid->branch[o->element].name : grid->node[o->element].name;
    snprintf(to, cap, "%s of %s '%.*s'%s", QUANTITY[o->quantity], o->branch ? "branch" : "node",
             (int)name.len, name.ptr, o->branch && o->to ? " at its to end" : "");
    return to;
}

const char *pofi_se_row_name(const struct pof_se *se, const struct se_row *row, char *to, size_t cap)
{
    struct pof_observation o = {.quantity = row->quantity, .branch = row->branch};
    o.element = row->branch ? row->element / 2 : se->node[row->element];
    o.to = row->branch && row->element % 2 == 1;
    return pof_observation_name(se->grid, &o, to, cap);
}

double pofi_se_unit(const struct pof_se *se, const struct pof_observation *o)
{
    const struct pof_grid *grid = se->grid;
    switch (o->quantity) {
    case POF_QUANTITY_V:
        return grid->node[o->element].base_v;
    case POF_QUANTITY_ANGLE:
        return 1 / DEGREE;
    case POF_QUANTITY_I: {
        const struct pof_branch *b = &grid->branch[o->element];
        return pof_base_current(grid, o->to ? b->to : b->from);
    }
    default:
        return grid->base_va;
    }
}

static int add_row(struct pof_se *se, const struct se_row *row, struct pof_err *err)
{
    int rc = pof_grow(&se->row, &se->row_cap, se->rows + 1, sizeof *se->row, err);
    if (rc == 0) {
        se->row[se->rows++] = *row;
    }
    return rc;
}

static int add_observation(struct pof_se *se, size_t i, bool *angle_read, struct pof_err *err)
{
    const struct pof_observation *o = &se->seen[i];
    int rc = pof_se_accepts(se->grid, o, err);
    if (rc != 0) {
        return rc;
    }
    uint32_t at = o->branch ? 2 * o->element + o->to : se->number[o->element];
    uint32_t node = o->branch ? se->end[at].self : at;
    if (node == POF_NONE) {
        se->left_out++;
        return 0;
    }
    double unit = pofi_se_unit(se, o);
    struct se_row row = {.element = at,
                         .quantity = o->quantity,
                         .branch = o->branch,
                         .exact = o->sigma <= 0,
                         .active = o->quantity != POF_QUANTITY_I,
                         .origin = SE_OBSERVED,
                         .source = (uint32_t)i,
                         .z = o->value / unit,
                         .sigma = o->sigma / unit};
    if (o->quantity == POF_QUANTITY_ANGLE) {
        angle_read[se->root[node]] = true;
    }
    return add_row(se, &row, err);
}

/* Zero injections, and the slack's angle where nobody reads one. */
static int add_built_in(struct pof_se *se, const bool *angle_read, struct pof_err *err)
{
    int rc = 0;
    for (uint32_t e = 0; rc == 0 && e < se->n; e++) {
        const struct pof_node *node = &se->grid->node[se->node[e]];
        struct se_row row = {.element = e, .exact = true, .active = true, .source = POF_NONE};
        if (node->zero_injection) {
            row.origin = SE_ZERO_INJECTION;
            row.quantity = POF_QUANTITY_P;
            rc = add_row(se, &row, err);
            row.quantity = POF_QUANTITY_Q;
            rc = rc == 0 ? add_row(se, &row, err) : rc;
        }
        if (rc == 0 && se->root[e] == e && !angle_read[e]) {
            row.origin = SE_REFERENCE;
            row.quantity = POF_QUANTITY_ANGLE;
            row.z = node->angle_set;
            rc = add_row(se, &row, err);
        }
    }
    return rc;
}

static int order(double a, double b)
{
    return (a > b) - (a < b);
}

/* What a row reads, without its value: equal keys make equal patterns. */
static int by_key(const struct se_row *x, const struct se_row *y)
{
    int c = (int)x->branch - (int)y->branch;
    c = c != 0 ? c : (x->element > y->element) - (x->element < y->element);
    c = c != 0 ? c : (int)x->quantity - (int)y->quantity;
    c = c != 0 ? c : (int)x->origin - (int)y->origin;
    return c != 0 ? c : (int)x->exact - (int)y->exact;
}

static int by_all(const void *x, const void *y)
{
    const struct se_row *a = x;
    const struct se_row *b = y;
    int c = by_key(a, b);
    c = c != 0 ? c : order(a->z, b->z);
    return c != 0 ? c : order(a->sigma, b->sigma);
}

static bool same_layout(const struct pof_se *se)
{
    if (se->rows != se->last_rows) {
        return false;
    }
    for (size_t i = 0; i < se->rows; i++) {
        if (by_key(&se->row[i], &se->last[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* Columns of every row, and which rows are kept. */
static int lay_columns(struct pof_se *se, struct pof_err *err)
{
    size_t need = 0;
    for (size_t i = 0; i < se->rows; i++) {
        need += (size_t)pofi_se_columns_max(se, &se->row[i]);
    }
    size_t cap = se->col_cap;
    int rc = pof_grow(&se->col, &cap, need, sizeof *se->col, err);
    if (rc == 0) {
        rc = pof_grow(&se->h, &se->col_cap, need, sizeof *se->h, err);
    }
    se->entries = 0;
    se->extras = 0;
    for (size_t i = 0; rc == 0 && i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        row->begin = se->entries;
        row->n = pofi_se_columns(se, row, se->col + row->begin);
        row->kept = row->exact || row->n > SUMMED_MAX;
        row->extra = row->kept ? 2 * (int32_t)se->n + se->extras++ : -1;
        se->entries += row->n;
    }
    return rc;
}

/* The rows of an earlier instant that read the same things lend their columns. */
static int keep_layout(struct pof_se *se, bool same, struct pof_err *err)
{
    if (same) {
        for (size_t i = 0; i < se->rows; i++) {
            se->row[i].begin = se->last[i].begin;
            se->row[i].n = se->last[i].n;
            se->row[i].kept = se->last[i].kept;
            se->row[i].extra = se->last[i].extra;
        }
        return 0;
    }
    se->last_rows = 0;
    int rc = lay_columns(se, err);
    if (rc == 0) {
        rc = pof_grow(&se->last, &se->last_cap, se->rows, sizeof *se->last, err);
    }
    if (rc == 0 && se->rows > 0) {
        memcpy(se->last, se->row, se->rows * sizeof *se->last);
        se->last_rows = se->rows;
    }
    return rc;
}

void pofi_se_count(struct pof_se *se)
{
    se->readings = 0;
    se->constraints = 0;
    se->references = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        bool counts = row->origin != SE_REFERENCE && !row->removed;
        se->readings += counts && !row->exact;
        se->constraints += counts && row->exact;
        se->references += row->origin == SE_REFERENCE;
    }
}

int pofi_se_rows(struct pof_se *se, bool *same, struct pof_err *err)
{
    bool *angle_read = NULL;
    int rc = pof_calloc(&angle_read, se->n, sizeof *angle_read, err);
    se->rows = 0;
    se->left_out = 0;
    for (size_t i = 0; rc == 0 && i < se->n_seen; i++) {
        rc = add_observation(se, i, angle_read, err);
    }
    if (rc == 0) {
        rc = add_built_in(se, angle_read, err);
    }
    free(angle_read);
    if (rc != 0) {
        return rc;
    }
    qsort(se->row, se->rows, sizeof *se->row, by_all);
    *same = same_layout(se);
    rc = keep_layout(se, *same, err);
    pofi_se_count(se);
    return rc;
}
