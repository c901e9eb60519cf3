/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_window.h"

#include "base/par.h"

#include <stdlib.h>
#include <string.h>

/* The first instant of a run. */
struct run {
    uint64_t id;
    struct pof_instant first; /* a copy */
};

struct slot {
    struct pof_grid grid;        /* branches are its own, unless there is one slot */
    struct pof_se_series series;
    struct pof_instant instant;  /* a copy, or that of the run whose first it is */
    struct run *run;
    bool first;                  /* of its run */
    uint64_t known;              /* run whose first instant the engine has estimated; 0: none */
};

struct pof_se_window {
    struct pof_grid *grid;
    struct pof_se_window_options options;
    struct slot *slot;           /* [slots] */
    size_t slots, used;
    struct run **run;            /* of the instants in the window; the last one goes on */
    size_t runs, run_cap;
    uint64_t last_id;
};

/* --- copies --- */

static int copy_of(void *out, const void *from, size_t n, size_t size, struct pof_err *err)
{
    void *to = NULL;
    int rc = pof_alloc(&to, n, size, err);
    if (rc == 0 && n > 0) {
        memcpy(to, from, n * size);
    }
    memcpy(out, &to, sizeof to);
    return rc;
}

static void drop(struct pof_instant *t)
{
    free((void *)t->observation);
    free((void *)t->origin);
    free((void *)t->age_s);
    free((void *)t->closed);
    *t = (struct pof_instant){0};
}

static int copy_instant(const struct pof_grid *grid, const struct pof_instant *t,
                        struct pof_instant *to, struct pof_err *err)
{
    *to = *t;
    to->observation = NULL;
    to->origin = NULL;
    to->age_s = NULL;
    to->closed = NULL;
    int rc = copy_of(&to->observation, t->observation, t->n, sizeof *t->observation, err);
    rc = rc ? rc : copy_of(&to->origin, t->origin, t->n, sizeof *t->origin, err);
    rc = rc ? rc : copy_of(&to->age_s, t->age_s, t->n, sizeof *t->age_s, err);
    rc = rc ? rc : copy_of(&to->closed, t->closed, grid->branches, sizeof *t->closed, err);
    if (rc) {
        drop(to);
    }
    return rc;
}

/* --- runs --- */

static bool same_reading(const struct pof_observation *x, const struct pof_observation *y)
{
    return x->element == y->element && x->quantity == y->quantity && x->branch == y->branch &&
           x->to == y->to && x->phase == y->phase && (x->sigma > 0) == (y->sigma > 0) &&
           (x->rho != 0) == (y->rho != 0);
}

/* Whether an instant goes on with a run. */
static bool goes_on(const struct pof_grid *grid, const struct run *run, const struct pof_instant *t)
{
    const struct pof_instant *first = &run->first;
    bool same = first->n == t->n &&
                memcmp(first->closed, t->closed, grid->branches * sizeof *t->closed) == 0;
    for (size_t i = 0; same && i < t->n; i++) {
        same = same_reading(&first->observation[i], &t->observation[i]);
    }
    return same;
}

static int new_run(struct pof_se_window *w, const struct pof_instant *t, struct pof_err *err)
{
    struct run *run = NULL;
    int rc = pof_grow(&w->run, &w->run_cap, w->runs + 1, sizeof *w->run, err);
    rc = rc ? rc : pof_calloc(&run, 1, sizeof *run, err);
    rc = rc ? rc : copy_instant(w->grid, t, &run->first, err);
    if (rc) {
        free(run);
        return rc;
    }
    run->id = ++w->last_id;
    w->run[w->runs++] = run;
    return 0;
}

/* All but the last `kept`. */
static void drop_runs(struct pof_se_window *w, size_t kept)
{
    size_t gone = w->runs > kept ? w->runs - kept : 0;
    for (size_t i = 0; i < gone; i++) {
        drop(&w->run[i]->first);
        free(w->run[i]);
    }
    w->runs -= gone;
    if (w->runs > 0) {
        memmove(w->run, w->run + gone, w->runs * sizeof *w->run);
    }
}

/* --- estimates --- */

static bool same_switches(const struct pof_grid *grid, const struct pof_instant *t)
{
    for (uint32_t b = 0; b < grid->branches; b++) {
        if (grid->branch[b].closed != t->closed[b]) {
            return false;
        }
    }
    return true;
}

/* The engine as it is before an instant of the run. */
static int begin_run(struct slot *s, struct pof_err *err)
{
    enum pof_se_status status;
    struct pof_instant *t = &s->instant;
    if (s->known == s->run->id) {
        return 0;
    }
    s->known = 0;
    if (!s->series.se || !same_switches(s->series.grid, t)) {
        for (uint32_t b = 0; b < s->series.grid->branches; b++) {
            s->series.grid->branch[b].closed = t->closed[b];
        }
        pof_se_free(s->series.se);
        s->series.se = NULL;
        int rc = pof_se_new(&s->series.se, s->series.grid, &s->series.options, err);
        if (rc) {
            return rc;
        }
        s->series.analyses++;
    }
    pof_se_restart(s->series.se);
    const struct pof_instant *first = &s->run->first;
    int rc = s->first ? 0
                      : pof_se_solve(s->series.se, first->observation, first->n, &status, err);
    s->known = rc == 0 ? s->run->id : 0;
    return rc;
}

static int estimate_slot(void *ctx, unsigned worker, size_t i, struct pof_err *err)
{
    struct pof_se_window *w = ctx;
    struct slot *s = &w->slot[i];
    (void)worker;
    int rc = begin_run(s, err);
    s->series.report.grid = s->series.grid;
    return rc ? rc : pof_se_instant(s->series.se, &s->instant, &s->series.report, err);
}

int pof_se_window_estimate(struct pof_se_window *w, struct pof_err *err)
{
    return pof_parallel(w->used, w->options.threads, estimate_slot, w, err);
}

/* --- the window --- */

/* A slot's grid is made when it is needed first: taps may have been found until then. */
static int open_slot(struct pof_se_window *w, struct slot *s, struct pof_err *err)
{
    if (s->series.grid) {
        return 0;
    }
    s->grid = *w->grid;
    s->series = (struct pof_se_series){.options = w->options.se, .report.wish = w->options.wish};
    int rc = w->slots == 1 ? 0
                           : copy_of(&s->grid.branch, w->grid->branch, w->grid->branches,
                                     sizeof *w->grid->branch, err);
    s->series.grid = rc ? NULL : w->slots == 1 ? w->grid : &s->grid;
    return rc;
}

int pof_se_window_new(struct pof_se_window **out, struct pof_grid *grid,
                      const struct pof_se_window_options *options, struct pof_err *err)
{
    struct pof_se_window *w = NULL;
    *out = NULL;
    int rc = pof_calloc(&w, 1, sizeof *w, err);
    if (rc) {
        return rc;
    }
    w->grid = grid;
    w->options = *options;
    w->slots = options->threads > 1 ? options->threads : 1;
    rc = pof_calloc(&w->slot, w->slots, sizeof *w->slot, err);
    if (rc) {
        pof_se_window_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

int pof_se_window_add(struct pof_se_window *w, const struct pof_instant *t, bool *full,
                      struct pof_err *err)
{
    if (w->used == w->slots) {
        return pof_fail(err, POF_E_INTERNAL, "the window is full");
    }
    struct slot *s = &w->slot[w->used];
    bool first = w->runs == 0 || !goes_on(w->grid, w->run[w->runs - 1], t);
    int rc = open_slot(w, s, err);
    rc = rc || !first ? rc : new_run(w, t, err);
    rc = rc || first ? rc : copy_instant(w->grid, t, &s->instant, err);
    if (rc == 0) {
        s->run = w->run[w->runs - 1];
        s->instant = first ? s->run->first : s->instant;
        s->first = first;
        w->used++;
    }
    *full = w->used == w->slots;
    return rc;
}

const struct pof_se_series *pof_se_window_at(const struct pof_se_window *w, size_t i,
                                             const struct pof_instant **instant)
{
    if (i >= w->used) {
        return NULL;
    }
    *instant = &w->slot[i].instant;
    return &w->slot[i].series;
}

void pof_se_window_clear(struct pof_se_window *w)
{
    for (size_t i = 0; i < w->used; i++) {
        if (!w->slot[i].first) {
            drop(&w->slot[i].instant);
        }
        w->slot[i].run = NULL;
    }
    w->used = 0;
    drop_runs(w, 1);
}

void pof_se_window_free(struct pof_se_window *w)
{
    if (!w) {
        return;
    }
    pof_se_window_clear(w);
    drop_runs(w, 0);
    for (size_t i = 0; w->slot && i < w->slots; i++) {
        pof_se_series_release(&w->slot[i].series);
        if (w->slots > 1) {
            free(w->slot[i].grid.branch);
        }
    }
    free(w->slot);
    free(w->run);
    free(w);
}
