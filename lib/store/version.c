/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of a quarter-hour: their order and the one that counts. */
#include "store/version.h"

#include <stdlib.h>
#include <string.h>

enum rank { ABSENT_FIRST, NAME, WORSE_FIRST };

struct ranked {
    uint8_t column;
    uint8_t rank;
};

/* Columns in which versions known at the same time are compared, most telling first: the number of
 * the message; the session (2026-03-10-DA sorts before -RT1 ... -RT6); then better quality over
 * worse; the rest only so that the order is total. */
static const struct layout {
    size_t n;
    bool first_decides; /* the first column says which is newer */
    struct ranked by[POF_COLUMN_KNOWN];
} layouts[POF_SERIES] = {
    [POF_SERIES_MEASUREMENT] = {6,
                                true,
                                {{POF_MEASUREMENT_SEQ, ABSENT_FIRST},
                                 {POF_MEASUREMENT_QUALITY, WORSE_FIRST},
                                 {POF_MEASUREMENT_P, ABSENT_FIRST},
                                 {POF_MEASUREMENT_Q, ABSENT_FIRST},
                                 {POF_MEASUREMENT_V, ABSENT_FIRST},
                                 {POF_MEASUREMENT_SOURCE, NAME}}},
    [POF_SERIES_BASELINE] = {2,
                             false,
                             {{POF_BASELINE_P, ABSENT_FIRST}, {POF_BASELINE_Q, ABSENT_FIRST}}},
    [POF_SERIES_SETPOINT] = {4,
                             true,
                             {{POF_SETPOINT_SESSION, NAME},
                              {POF_SETPOINT_P, ABSENT_FIRST},
                              {POF_SETPOINT_CHANGE, ABSENT_FIRST},
                              {POF_SETPOINT_AGGREGATOR, NAME}}},
};

static bool has(const struct pof_cell *c, int column)
{
    return (c->has >> column) & 1u;
}

bool pof_cell_same(const struct pof_cell *a, const struct pof_cell *b)
{
    const uint64_t said = (UINT64_C(1) << POF_COLUMN_KNOWN) - 1;
    if ((a->has & said) != (b->has & said)) {
        return false;
    }
    for (int c = 0; c < POF_COLUMN_KNOWN; c++) {
        if (has(a, c) && a->value[c] != b->value[c]) {
            return false;
        }
    }
    return true;
}

static int compare_column(const struct pof_versions *v, struct ranked by, const struct pof_cell *a,
                          const struct pof_cell *b)
{
    bool in_a = has(a, by.column);
    bool in_b = has(b, by.column);
    int64_t x = a->value[by.column];
    int64_t y = b->value[by.column];
    if (by.rank == WORSE_FIRST) { /* not given is good, the word counted 0 */
        x = in_a ? -x : 0;
        y = in_b ? -y : 0;
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    if (!in_a || !in_b || x == y) {
        return (int)in_a - (int)in_b;
    }
    return by.rank == NAME ? pof_text_cmp(v->text(v->ctx, x), v->text(v->ctx, y)) : x < y ? -1 : 1;
}

static int compare(const struct pof_versions *v, const struct pof_cell *a, const struct pof_cell *b)
{
    const struct layout *l = &layouts[v->series];
    int64_t x = a->value[POF_COLUMN_KNOWN];
    int64_t y = b->value[POF_COLUMN_KNOWN];
    int c = (x > y) - (x < y);
    for (size_t i = 0; c == 0 && i < l->n; i++) {
        c = compare_column(v, l->by[i], a, b);
    }
    return c;
}

/* Did one source number both messages? Then their numbers say which is newer. */
static bool numbered(const struct pof_versions *v, const struct pof_cell *a,
                     const struct pof_cell *b)
{
    return v->series == POF_SERIES_MEASUREMENT && has(a, POF_MEASUREMENT_SEQ) &&
           has(b, POF_MEASUREMENT_SEQ) &&
           has(a, POF_MEASUREMENT_SOURCE) == has(b, POF_MEASUREMENT_SOURCE) &&
           (!has(a, POF_MEASUREMENT_SOURCE) ||
            a->value[POF_MEASUREMENT_SOURCE] == b->value[POF_MEASUREMENT_SOURCE]) &&
           a->value[POF_MEASUREMENT_SEQ] != b->value[POF_MEASUREMENT_SEQ];
}

static bool stale(const struct pof_versions *v, const struct pof_cell *late,
                  const struct pof_cell *early)
{
    return numbered(v, late, early) &&
           late->value[POF_MEASUREMENT_SEQ] < early->value[POF_MEASUREMENT_SEQ];
}

/* Do the records themselves say which of two versions known at the same time is newer? */
static bool ordered(const struct pof_versions *v, const struct pof_cell *a,
                    const struct pof_cell *b)
{
    if (v->series == POF_SERIES_MEASUREMENT) {
        return numbered(v, a, b);
    }
    const struct layout *l = &layouts[v->series];
    return l->first_decides && a->value[l->by[0].column] != b->value[l->by[0].column];
}

/* Had its source said something newer before this version became known? */
static bool outdated(const struct pof_versions *v, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (stale(v, &v->cell[at], &v->cell[i])) {
            return true;
        }
    }
    return false;
}

size_t pof_versions_current(const struct pof_versions *v, int64_t known_at)
{
    size_t counts = v->n;
    for (size_t i = 0; i < v->n && v->cell[i].value[POF_COLUMN_KNOWN] <= known_at; i++) {
        if (!outdated(v, i)) {
            counts = i; /* the first is never outdated */
        }
    }
    return counts;
}

/* Does the cell name the message it comes from, so that the same again is a repetition, however much
 * later, and not a return to what was said before? */
static bool is_named(const struct pof_versions *v, const struct pof_cell *cell)
{
    return v->series == POF_SERIES_SETPOINT ||
           (v->series == POF_SERIES_MEASUREMENT && has(cell, POF_MEASUREMENT_SEQ));
}

/* Is this already what is known: in the list as it is, or counting just before? */
static bool known(const struct pof_versions *v, const struct pof_cell *cell)
{
    int64_t at = cell->value[POF_COLUMN_KNOWN];
    for (size_t i = 0; i < v->n && v->cell[i].value[POF_COLUMN_KNOWN] <= at; i++) {
        if ((is_named(v, cell) || v->cell[i].value[POF_COLUMN_KNOWN] == at) &&
            pof_cell_same(&v->cell[i], cell)) {
            return true;
        }
    }
    size_t before = at > INT64_MIN ? pof_versions_current(v, at - 1) : v->n;
    return before < v->n && pof_cell_same(&v->cell[before], cell);
}

static enum pof_insert judge(const struct pof_versions *v, size_t at)
{
    const struct pof_cell *cell = &v->cell[at];
    if (outdated(v, at)) {
        return POF_INSERT_STALE;
    }
    for (size_t i = 0; i < v->n; i++) {
        if (i != at && v->cell[i].value[POF_COLUMN_KNOWN] == cell->value[POF_COLUMN_KNOWN] &&
            !ordered(v, &v->cell[i], cell)) {
            return POF_INSERT_CONTRADICTS;
        }
    }
    return POF_INSERT_REVISION;
}

static int place(struct pof_versions *v, const struct pof_cell *cell, size_t *at,
                 struct pof_err *err)
{
    int rc = pof_grow(&v->cell, &v->cap, v->n + 1, sizeof *v->cell, err);
    if (rc) {
        return rc;
    }
    *at = v->n;
    while (*at > 0 && compare(v, &v->cell[*at - 1], cell) > 0) {
        --*at;
    }
    memmove(v->cell + *at + 1, v->cell + *at, (v->n - *at) * sizeof *v->cell);
    v->cell[*at] = *cell;
    v->n++;
    return 0;
}

int pof_versions_restore(struct pof_versions *v, const struct pof_cell *cell, struct pof_err *err)
{
    size_t at;
    return place(v, cell, &at, err);
}

int pof_versions_insert(struct pof_versions *v, const struct pof_cell *cell, enum pof_insert *what,
                        struct pof_err *err)
{
    *what = POF_INSERT_KNOWN;
    if (known(v, cell)) {
        return 0;
    }
    size_t at = 0;
    int rc = place(v, cell, &at, err);
    if (rc == 0) {
        *what = judge(v, at);
    }
    return rc;
}

void pof_versions_release(struct pof_versions *v)
{
    free(v->cell);
    v->cell = NULL;
    v->n = v->cap = 0;
}
