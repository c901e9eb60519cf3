/* SPDX-License-Identifier: Apache-2.0 */
/* One position for each tap changer, over a series. */
#include "grid/estimate_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double RADIANS = 3.14159265358979323846 / 180;
enum { PASSES_MAX = 20, RANGE = 16, PAIRS_MAX = 12 };

/* A transformer whose position is searched. */
struct changer {
    uint32_t branch;
    int32_t min, max, neutral, document, pos;
    double step_pct, step_deg;
    bool on_to;
    double ratio, shift; /* at the document's position */
};

/* A change of some positions: of changer i, of i and j, or of all (i >= n). */
struct move {
    size_t i, j; /* j >= n: i alone */
    int32_t di, dj;
};

struct search {
    struct pof_grid grid; /* with branches of its own */
    const struct pof_se_sample *sample;
    struct changer *changer;
    size_t n;
    struct move *move;
    size_t moves;
    double sum; /* at the present positions */
    int64_t instants;
};

/* Rated voltage of the tapped winding at a position, as a share of that at the neutral one. */
static double winding(const struct changer *c, int32_t pos)
{
    return 1 + c->step_pct / 100 * (double)(pos - c->neutral);
}

static void set(struct pof_branch *b, const struct changer *c, int32_t pos)
{
    double share = winding(c, pos) / winding(c, c->document);
    b->ratio = c->on_to ? c->ratio / share : c->ratio * share;
    double turn = c->step_deg * RADIANS * (double)(pos - c->document);
    b->shift = c->on_to ? c->shift - turn : c->shift + turn;
}

/* The sum over all instants that can be estimated; each has its own positions of switches. */
static int total(struct search *s, double *sum, struct pof_err *err)
{
    int rc = 0;
    *sum = 0;
    s->instants = 0;
    for (size_t i = 0; rc == 0 && i < s->sample->n; i++) {
        const struct pof_instant *t = &s->sample->instant[i];
        double one = INFINITY;
        for (uint32_t b = 0; b < s->grid.branches; b++) {
            s->grid.branch[b].closed = t->closed[b];
        }
        rc = pofi_se_sum(&s->grid, t, &one, NULL, err);
        if (isfinite(one)) {
            *sum += one;
            s->instants++;
        }
    }
    return rc;
}

static int32_t change(const struct search *s, const struct move *m, size_t i)
{
    return m->i >= s->n ? m->di : i == m->i ? m->di : i == m->j ? m->dj : 0;
}

static bool possible(const struct search *s, const struct move *m)
{
    for (size_t i = 0; i < s->n; i++) {
        int32_t pos = s->changer[i].pos + change(s, m, i);
        if (pos < s->changer[i].min || pos > s->changer[i].max) {
            return false;
        }
    }
    return true;
}

/* The sum after a move, INFINITY when it is none or fewer instants have a state; positions stay. */
static int sum_after(struct search *s, const struct move *m, double *sum, struct pof_err *err)
{
    int64_t before = s->instants;
    *sum = INFINITY;
    if (!possible(s, m)) {
        return 0;
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct changer *c = &s->changer[i];
        set(&s->grid.branch[c->branch], c, c->pos + change(s, m, i));
    }
    int rc = total(s, sum, err);
    *sum = s->instants < before ? INFINITY : *sum;
    s->instants = before;
    for (size_t i = 0; i < s->n; i++) {
        set(&s->grid.branch[s->changer[i].branch], &s->changer[i], s->changer[i].pos);
    }
    return rc;
}

static void add_moves(struct search *s, size_t i, size_t j)
{
    for (int32_t di = 1; di >= -1; di -= 2) {
        for (int32_t dj = j < s->n ? 1 : 0; dj >= (j < s->n ? -1 : 0); dj -= 2) {
            s->move[s->moves++] = (struct move){i, j, di, dj};
        }
    }
}

/* Each changer by one, two of them with or against each other, all together: the level of a grid is
 * often known less well than differences in it, and one changer alone finds no way down. */
static int list_moves(struct search *s, struct pof_err *err)
{
    size_t n = s->n;
    size_t pairs = n <= PAIRS_MAX ? n * (n - 1) / 2 : 0;
    int rc = pof_calloc(&s->move, 2 * n + 4 * pairs + 2, sizeof *s->move, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        add_moves(s, i, n);
        for (size_t j = i + 1; pairs > 0 && j < n; j++) {
            add_moves(s, i, j);
        }
    }
    if (rc == 0 && n > 2) { /* of two, both together are a pair */
        add_moves(s, n, n);
    }
    return rc;
}

/* Goes on while it gets better. */
static int walk(struct search *s, const struct move *m, bool *moved, struct pof_err *err)
{
    for (;;) {
        double sum = INFINITY;
        int rc = sum_after(s, m, &sum, err);
        if (rc != 0 || sum >= s->sum) {
            return rc;
        }
        s->sum = sum;
        *moved = true;
        for (size_t i = 0; i < s->n; i++) {
            struct changer *c = &s->changer[i];
            c->pos += change(s, m, i);
            set(&s->grid.branch[c->branch], c, c->pos);
        }
    }
}

static int settle(struct search *s, struct pof_err *err)
{
    bool moved = true;
    int rc = total(s, &s->sum, err);
    for (int pass = 0; rc == 0 && moved && pass < PASSES_MAX; pass++) {
        moved = false;
        for (size_t i = 0; rc == 0 && i < s->moves; i++) {
            rc = walk(s, &s->move[i], &moved, err);
        }
    }
    return rc;
}

/* Weights exp(-J / 2) of what can be reached from the positions found by a move in which changer k
 * stands elsewhere; further away they are nothing. */
static int confide(struct search *s, double *all, struct pof_err *err)
{
    int rc = 0;
    for (size_t k = 0; k < s->n; k++) {
        all[k] = 1;
    }
    for (size_t i = 0; rc == 0 && i < s->moves; i++) {
        double sum = INFINITY;
        rc = sum_after(s, &s->move[i], &sum, err);
        for (size_t k = 0; rc == 0 && k < s->n; k++) {
            all[k] += change(s, &s->move[i], k) != 0 ? exp((s->sum - sum) / 2) : 0;
        }
    }
    return rc;
}

static int report(struct search *s, size_t k, double percent, struct pof_se_doubts *d,
                  struct pof_err *err)
{
    const struct changer *c = &s->changer[k];
    const struct move back = {k, s->n, c->document - c->pos, 0};
    double document = INFINITY;
    int rc = sum_after(s, &back, &document, err);
    rc = rc == 0 ? pof_grow(&d->list, &d->cap, d->n + 1, sizeof *d->list, err) : rc;
    if (rc != 0) {
        return rc;
    }
    struct pof_doubt x = {.start = s->sample->instant[0].start,
                          .branch = s->grid.branch[c->branch].name,
                          .document = c->document,
                          .found = c->pos,
                          .confidence_pct = percent,
                          .instants = s->instants,
                          .objective_found = s->sum};
    if (isfinite(document)) {
        x.objective_document = document;
        POF_SET(&x, doubt, objective_document);
    }
    POF_SET(&x, doubt, confidence_pct);
    d->list[d->n++] = x;
    return 0;
}

/* Transformers with a known tap changer, or all with an assumed one. */
static int list(struct search *s, double step_pct, struct pof_err *err)
{
    int rc = pof_calloc(&s->changer, s->grid.branches, sizeof *s->changer, err);
    for (uint32_t b = 0; rc == 0 && b < s->grid.branches; b++) {
        const struct pof_branch *x = &s->grid.branch[b];
        struct changer c = {.branch = b, .ratio = x->ratio, .shift = x->shift};
        if (x->tap) {
            c.min = x->tap->min < x->tap->max ? x->tap->min : x->tap->max;
            c.max = x->tap->min < x->tap->max ? x->tap->max : x->tap->min;
            c.neutral = x->tap->neutral;
            c.document = c.pos = x->tap->pos;
            c.step_pct = x->tap->step_pct;
            c.step_deg = x->tap->step_deg;
            c.on_to = x->tap->on_to;
        } else if (x->kind == POF_BRANCH_TRANSFORMER && step_pct > 0) {
            c.min = -RANGE;
            c.max = RANGE;
            c.step_pct = step_pct;
        }
        if (c.step_pct != 0 || c.step_deg != 0) {
            s->changer[s->n++] = c;
        }
    }
    return rc;
}

/* Adds what was found, and moves the grid's tap changers there. */
static int conclude(struct search *s, struct pof_grid *grid, struct pof_se_doubts *d,
                    struct pof_err *err)
{
    double *all = NULL;
    int rc = pof_calloc(&all, s->n, sizeof *all, err);
    rc = rc == 0 ? confide(s, all, err) : rc;
    for (size_t k = 0; rc == 0 && k < s->n; k++) {
        const struct changer *c = &s->changer[k];
        rc = report(s, k, 100 / all[k], d, err);
        set(&grid->branch[c->branch], c, c->pos);
    }
    free(all);
    return rc;
}

int pof_se_find_taps(struct pof_grid *grid, const struct pof_se_sample *sample, double step_pct,
                     struct pof_se_doubts *d, struct pof_err *err)
{
    struct search s = {.grid = *grid, .sample = sample};
    s.grid.branch = NULL;
    int rc = pof_calloc(&s.grid.branch, grid->branches, sizeof *s.grid.branch, err);
    if (rc == 0 && grid->branches > 0) {
        memcpy(s.grid.branch, grid->branch, grid->branches * sizeof *s.grid.branch);
    }
    rc = rc == 0 ? list(&s, step_pct, err) : rc;
    rc = rc == 0 && s.n > 0 ? list_moves(&s, err) : rc;
    rc = rc == 0 && s.n > 0 ? settle(&s, err) : rc;
    rc = rc == 0 && s.instants > 0 ? conclude(&s, grid, d, err) : rc;
    free(s.move);
    free(s.changer);
    free(s.grid.branch);
    return rc;
}
