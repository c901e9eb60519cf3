/* SPDX-License-Identifier: Apache-2.0 */
/* A dense dual simplex method. Variables: amounts [0, cols), what is missing of each need [cols, cols
 * + rows) at a cost far above all others, surplus of each need [cols + rows, cols + 2 rows). The
 * dictionary says basic = value + sum of entries times the moves of the nonbasic ones. */
#include "market/cover.h"

#include "base/mem.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Rows are scaled to a largest coefficient of 1. */
#define FEASIBLE 1e-9
#define PIVOT_MIN 1e-9
#define MISSING_COST 1e6 /* times the largest cost */

struct place {
    double ratio;
    size_t col;
};

struct simplex {
    const struct pof_cover *cover;
    size_t rows, wide; /* nonbasic places: cols + rows */
    double *t;         /* [rows * wide] dictionary */
    double *value;     /* [rows] of basic variables */
    double *d;         /* [wide] reduced costs */
    double *most;      /* [cols + 2 rows] by variable */
    double *scale;     /* [rows] */
    size_t *basic;     /* [rows] variable */
    size_t *other;     /* [wide] variable */
    bool *high;        /* [wide] at its upper bound */
    struct place *place;
};

static int allocate(struct simplex *s, struct pof_err *err)
{
    size_t m = s->rows, w = s->wide;
    int rc = pof_calloc(&s->t, m * w, sizeof *s->t, err);
    rc = rc ? rc : pof_calloc(&s->value, m, sizeof *s->value, err);
    rc = rc ? rc : pof_calloc(&s->d, w, sizeof *s->d, err);
    rc = rc ? rc : pof_calloc(&s->most, w + m, sizeof *s->most, err);
    rc = rc ? rc : pof_calloc(&s->scale, m, sizeof *s->scale, err);
    rc = rc ? rc : pof_calloc(&s->basic, m, sizeof *s->basic, err);
    rc = rc ? rc : pof_calloc(&s->other, w, sizeof *s->other, err);
    rc = rc ? rc : pof_calloc(&s->high, w, sizeof *s->high, err);
    return rc ? rc : pof_calloc(&s->place, w, sizeof *s->place, err);
}

static void release(struct simplex *s)
{
    free(s->t);
    free(s->value);
    free(s->d);
    free(s->most);
    free(s->scale);
    free(s->basic);
    free(s->other);
    free(s->high);
    free(s->place);
}

/* All amounts 0, nothing of the needs met, surplus basic and below 0. */
static void start(struct simplex *s)
{
    const struct pof_cover *c = s->cover;
    double dearest = 0;
    for (size_t j = 0; j < c->cols; j++) {
        s->d[j] = c->cost[j] * (1 + 1e-9 * (double)j / (double)c->cols);
        s->most[j] = c->most[j];
        dearest = fmax(dearest, c->cost[j]);
    }
    for (size_t i = 0; i < s->rows; i++) {
        const double *a = c->a + i * c->cols;
        double *t = s->t + i * s->wide;
        double largest = 0;
        for (size_t j = 0; j < c->cols; j++) {
            largest = fmax(largest, fabs(a[j]));
        }
        s->scale[i] = largest > 0 ? 1 / largest : 1;
        for (size_t j = 0; j < c->cols; j++) {
            t[j] = a[j] * s->scale[i];
        }
        t[c->cols + i] = 1;
        s->d[c->cols + i] = dearest * MISSING_COST;
        s->most[c->cols + i] = INFINITY;
        s->most[s->wide + i] = INFINITY;
        s->value[i] = -c->need[i] * s->scale[i];
        s->basic[i] = s->wide + i;
    }
    for (size_t j = 0; j < s->wide; j++) {
        s->other[j] = j;
    }
}

/* The basic variable that is furthest beyond a bound; *gap: what it has to move. */
static bool find_leaving(const struct simplex *s, size_t *row, double *gap)
{
    double worst = 0;
    for (size_t i = 0; i < s->rows; i++) {
        double most = s->most[s->basic[i]];
        double move = s->value[i] < 0 ? -s->value[i] : most < s->value[i] ? most - s->value[i] : 0;
        double noise = FEASIBLE * fmax(1, isfinite(most) ? most : 1);
        if (fabs(move) > noise && fabs(move) > worst) {
            worst = fabs(move);
            *row = i;
            *gap = move;
        }
    }
    return worst > 0;
}

static int by_ratio(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->ratio != y->ratio) {
        return x->ratio < y->ratio ? -1 : 1;
    }
    return x->col < y->col ? -1 : x->col > y->col;
}

/* Nonbasic places whose way from their bound moves the leaving one as it has to. */
static size_t find_places(struct simplex *s, size_t row, double gap)
{
    const double *t = s->t + row * s->wide;
    size_t n = 0;
    for (size_t j = 0; j < s->wide; j++) {
        double way = (s->high[j] ? -t[j] : t[j]) * (gap > 0 ? 1 : -1);
        if (way > PIVOT_MIN && s->most[s->other[j]] > 0) {
            s->place[n++] = (struct place){fabs(s->d[j]) / way, j};
        }
    }
    if (n) {
        qsort(s->place, n, sizeof *s->place, by_ratio);
    }
    return n;
}

static void move(struct simplex *s, size_t col, double by)
{
    for (size_t i = 0; i < s->rows; i++) {
        s->value[i] += s->t[i * s->wide + col] * by;
    }
}

/* Places that do not suffice go to their other bound; the one that does enters. */
static bool choose(struct simplex *s, size_t row, double gap, size_t *entering)
{
    size_t n = find_places(s, row, gap);
    double left = fabs(gap);
    for (size_t k = 0; k < n; k++) {
        size_t j = s->place[k].col;
        double range = s->most[s->other[j]], effect = fabs(s->t[row * s->wide + j]) * range;
        if (effect >= left || k + 1 == n) {
            *entering = j;
            return true;
        }
        left -= effect;
        move(s, j, s->high[j] ? -range : range);
        s->high[j] = !s->high[j];
    }
    return false;
}

static void exchange(struct simplex *s, size_t row, size_t col)
{
    double *r = s->t + row * s->wide;
    double pivot = r[col];
    bool to_high = s->value[row] > 0;
    double bound = to_high ? s->most[s->basic[row]] : 0;
    double step = (bound - s->value[row]) / pivot;
    double entered = (s->high[col] ? s->most[s->other[col]] : 0) + step;
    move(s, col, step);
    for (size_t j = 0; j < s->wide; j++) {
        r[j] = j == col ? 1 / pivot : -r[j] / pivot;
    }
    for (size_t i = 0; i < s->rows; i++) {
        double *t = s->t + i * s->wide, factor = t[col];
        if (i == row || factor == 0) {
            continue;
        }
        t[col] = 0;
        for (size_t j = 0; j < s->wide; j++) {
            t[j] += factor * r[j];
        }
    }
    double cost = s->d[col];
    s->d[col] = 0;
    for (size_t j = 0; j < s->wide; j++) {
        s->d[j] += cost * r[j];
    }
    size_t leaving = s->basic[row];
    s->basic[row] = s->other[col];
    s->value[row] = entered;
    s->other[col] = leaving;
    s->high[col] = to_high;
}

static int iterate(struct simplex *s, struct pof_err *err)
{
    size_t row = 0, col = 0, steps = 100 + 20 * (s->rows + s->wide);
    double gap = 0;
    while (find_leaving(s, &row, &gap)) {
        if (steps-- == 0 || !choose(s, row, gap, &col)) {
            return pof_fail(err, POF_E_INTERNAL, "the least-cost choice does not come to an end");
        }
        exchange(s, row, col);
    }
    return 0;
}

static void read_out(const struct simplex *s, double *x, double *price, bool *met)
{
    const struct pof_cover *c = s->cover;
    double missing = 0;
    memset(price, 0, s->rows * sizeof *price);
    for (size_t j = 0; j < s->wide; j++) {
        size_t v = s->other[j];
        if (v < c->cols) {
            x[v] = s->high[j] ? s->most[v] : 0;
        } else if (v >= s->wide) {
            price[v - s->wide] = fmax(s->d[j], 0) * s->scale[v - s->wide];
        }
    }
    for (size_t i = 0; i < s->rows; i++) {
        size_t v = s->basic[i];
        if (v < c->cols) {
            x[v] = fmin(fmax(s->value[i], 0), s->most[v]);
        } else if (v < s->wide) {
            missing = fmax(missing, s->value[i]);
        }
    }
    *met = missing <= 1e-6;
}

int pof_cover_solve(const struct pof_cover *cover, double *x, double *price, bool *met,
                    struct pof_err *err)
{
    struct simplex s = {.cover = cover, .rows = cover->rows, .wide = cover->cols + cover->rows};
    int rc = allocate(&s, err);
    if (rc == 0) {
        start(&s);
        rc = iterate(&s, err);
    }
    if (rc == 0) {
        read_out(&s, x, price, met);
    }
    release(&s);
    return rc;
}
