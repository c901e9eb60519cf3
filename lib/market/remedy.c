/* SPDX-License-Identifier: Apache-2.0 */
/* Remedies of a grid operator: which to take. */
#include "market/remedy.h"

#include "base/par.h"
#include "grid/tap.h"
#include "market/request_impl.h"
#include "num/decimal.h"
#include "record/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is better by less than this share is rounding. */
#define NOISE 1e-9

/* --- reading --- */

static int read_action(const struct pof_grid *grid, const struct pof_json *at, struct pof_remedy_action *a,
                       struct pof_err *err)
{
    static const char *const keys[] = {"branch", "tap", "closed", NULL};
    const struct pof_json_range range = {-1e6, 1e6, NULL};
    struct pof_text branch = {"", 0};
    double pos = 0;
    int rc = pof_json_is_object(at, err);
    rc = rc ? rc : pof_json_only(at, keys, err);
    rc = rc ? rc : pof_json_text(at, "branch", &branch, err);
    if (rc) {
        return rc;
    }
    a->branch = pof_names_find(&grid->branch_names, branch);
    if (a->branch == POF_NONE) {
        return pof_json_fail(at, "branch", err, POF_E_REFERENCE, "the grid has no branch '%.60s'", branch.ptr);
    }
    int tap = pof_json_real_opt(at, "tap", &range, &pos, err);
    int closed = tap < 0 ? tap : pof_json_bool_opt(at, "closed", &a->closed, err);
    if (tap < 0 || closed < 0) {
        return tap < 0 ? tap : closed;
    }
    if (tap + closed != 1) {
        return pof_json_fail(at, NULL, err, POF_E_MISSING, "expected one of tap and closed");
    }
    const struct pof_tap *t = grid->branch[a->branch].tap;
    a->is_tap = tap;
    a->pos = (int32_t)pos;
    if (tap && !t) {
        return pof_json_fail(at, "tap", err, POF_E_CONFLICT, "branch '%.60s' has no tap changer", branch.ptr);
    }
    bool within = tap && ((t->min <= a->pos && a->pos <= t->max) || (t->max <= a->pos && a->pos <= t->min));
    return tap && ((double)a->pos < pos || (double)a->pos > pos || !within)
               ? pof_json_fail(at, "tap", err, POF_E_RANGE, "%.6g is not a position from %d to %d", pos, t->min, t->max)
               : 0;
}

static int read_remedy(struct pof_remedies *r, const struct pof_grid *grid, const struct pof_json *at, size_t *cap,
                       struct pof_err *err)
{
    static const char *const keys[] = {"name", "cost_eur", "actions", NULL};
    const struct pof_json_range range = {0, 999999999, NULL};
    struct pof_remedy *m = &r->remedy[r->n];
    struct pof_json actions;
    double cost = 0;
    int rc = pof_json_is_object(at, err);
    rc = rc ? rc : pof_json_only(at, keys, err);
    rc = rc ? rc : pof_json_text(at, "name", &m->name, err);
    rc = rc ? rc : pof_json_array(at, "actions", &actions, err);
    if (rc || (rc = pof_json_real_opt(at, "cost_eur", &range, &cost, err)) < 0) {
        return rc;
    }
    rc = 0;
    m->cost_ueur = (int64_t)llround(cost * 1e6);
    for (size_t i = 0; i < r->n; i++) {
        if (pof_text_eq(r->remedy[i].name, m->name)) {
            return pof_json_fail(at, "name", err, POF_E_DUPLICATE, "'%.60s' is given twice", m->name.ptr);
        }
    }
    m->actions = (uint32_t)pof_json_size(&actions);
    m->first = r->n ? r->remedy[r->n - 1].first + r->remedy[r->n - 1].actions : 0;
    if (m->actions == 0) {
        return pof_json_fail(at, "actions", err, POF_E_MISSING, "expected at least one action");
    }
    rc = pof_grow(&r->action, cap, (size_t)m->first + m->actions, sizeof *r->action, err);
    for (uint32_t i = 0; i < m->actions && rc == 0; i++) {
        struct pof_json item = pof_json_item(&actions, i);
        r->action[m->first + i] = (struct pof_remedy_action){0};
        rc = read_action(grid, &item, &r->action[m->first + i], err);
    }
    char *name = rc ? NULL : pof_arena_text(&r->arena, m->name.ptr, m->name.len, err);
    m->name.ptr = name;
    r->n += name != NULL;
    return rc ? rc : name ? 0 : POF_E_NOMEM;
}

int pof_remedies_parse(struct pof_remedies *r, const struct pof_grid *grid, struct pof_text json, const char *name,
                       struct pof_err *err)
{
    static const char *const keys[] = {"schema", "remedies", NULL};
    struct pof_json_doc *doc = NULL;
    struct pof_json list;
    struct pof_text schema;
    size_t cap = 0;
    *r = (struct pof_remedies){0};
    int rc = pof_json_parse(&doc, json.ptr, json.len, name, err);
    if (rc) {
        return rc;
    }
    struct pof_json root = pof_json_root(doc);
    rc = pof_json_is_object(&root, err);
    rc = rc ? rc : pof_json_only(&root, keys, err);
    rc = rc ? rc : pof_json_text(&root, "schema", &schema, err);
    if (rc == 0 && !pof_text_is(schema, "pof.remedies/1")) {
        rc = pof_json_fail(&root, "schema", err, POF_E_SCHEMA, "'%.60s' is not pof.remedies/1", schema.ptr);
    }
    rc = rc ? rc : pof_json_array(&root, "remedies", &list, err);
    size_t n = rc ? 0 : pof_json_size(&list);
    if (n > POF_REMEDIES_MAX) {
        rc = pof_json_fail(&root, "remedies", err, POF_E_RANGE, "%zu remedies; expected at most %d", n, POF_REMEDIES_MAX);
    }
    rc = rc ? rc : pof_calloc(&r->remedy, n, sizeof *r->remedy, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct pof_json item = pof_json_item(&list, i);
        rc = read_remedy(r, grid, &item, &cap, err);
    }
    pof_json_free(doc);
    if (rc) {
        pof_remedies_release(r);
    }
    return rc;
}

void pof_remedies_release(struct pof_remedies *r)
{
    free(r->remedy);
    free(r->action);
    pof_arena_release(&r->arena);
    *r = (struct pof_remedies){0};
}

/* --- choosing --- */

struct choice {
    struct pof_remedies *r;
    struct pof_grid *grid;
    struct pof_branch *plain; /* [branches] as they are without remedies */
    const struct pof_forecast *forecast;
    const struct pof_request_options *options;
    uint32_t dead; /* nodes that nothing feeds, without remedies */
};

/* One combination in work. */
struct trial {
    struct sizing sizing;
    struct bench *bench;
    struct look *look; /* [quarters] */
};

static int set_up(struct choice *c, uint64_t taken, struct pof_err *err)
{
    int rc = 0;
    memcpy(c->grid->branch, c->plain, c->grid->branches * sizeof *c->plain);
    for (size_t i = 0; i < c->r->n && rc == 0; i++) {
        const struct pof_remedy *m = &c->r->remedy[i];
        for (uint32_t k = m->first; (taken >> i & 1) && k < m->first + m->actions && rc == 0; k++) {
            const struct pof_remedy_action *a = &c->r->action[k];
            if (a->is_tap) {
                rc = pof_tap_set(c->grid, a->branch, a->pos, err);
            } else {
                c->grid->branch[a->branch].closed = a->closed;
            }
        }
    }
    return rc;
}

static int work(void *ctx, unsigned worker, size_t quarter, struct pof_err *err)
{
    struct trial *t = ctx;
    return pofi_look(&t->sizing, &t->bench[worker], (uint32_t)quarter, &t->look[quarter], err);
}

static uint32_t count_dead(const struct pof_feeder *f)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->grid->nodes; i++) {
        n += f->place[i] == POF_NONE;
    }
    return n;
}

static int look_at_all(struct choice *c, struct trial *t, struct pof_remedy_state *to, struct pof_err *err)
{
    unsigned threads = c->options->threads ? c->options->threads : 1;
    int rc = pof_calloc(&t->bench, threads, sizeof *t->bench, err);
    rc = rc ? rc : pof_calloc(&t->look, c->forecast->quarters, sizeof *t->look, err);
    for (unsigned i = 0; rc == 0 && i < threads; i++) {
        rc = pofi_bench_init(&t->bench[i], c->grid, err);
    }
    rc = rc ? rc : pof_parallel(c->forecast->quarters, threads, work, t, err);
    for (uint32_t q = 0; q < c->forecast->quarters && rc == 0; q++) {
        to->violations += t->look[q].violations;
        to->diverged += t->look[q].diverged;
        to->excess += t->look[q].excess;
        to->quarters += t->look[q].violations || t->look[q].diverged;
    }
    for (unsigned i = 0; t->bench && i < threads; i++) {
        pofi_bench_release(&t->bench[i]);
    }
    free(t->bench);
    free(t->look);
    return rc;
}

/* The forecast with some of the remedies; *possible: they leave a tree that feeds as many nodes as before. */
static int look_with(struct choice *c, uint64_t taken, struct pof_remedy_state *to, bool *possible, struct pof_err *err)
{
    struct trial t = {.sizing = {.forecast = c->forecast, .grid = c->grid, .options = c->options}};
    struct pof_err own = {0};
    *to = (struct pof_remedy_state){0};
    *possible = false;
    c->r->tried++;
    int rc = set_up(c, taken, err);
    if (rc) {
        return rc;
    }
    rc = pof_feeder_init(&t.sizing.feeder, c->grid, taken ? &own : err);
    if (rc == POF_E_TOPOLOGY && taken) {
        return 0;
    }
    if (rc == 0) {
        uint32_t dead = count_dead(&t.sizing.feeder);
        c->dead = taken ? c->dead : dead;
        *possible = dead <= c->dead;
    } else if (taken) {
        *err = own;
    }
    rc = rc || !*possible ? rc : look_at_all(c, &t, to, err);
    pof_feeder_release(&t.sizing.feeder);
    return rc;
}

static bool clean(const struct pof_remedy_state *s)
{
    return s->violations == 0 && s->diverged == 0;
}

static bool better(const struct pof_remedy_state *a, const struct pof_remedy_state *b)
{
    return a->diverged != b->diverged ? a->diverged < b->diverged : a->excess < b->excess * (1 - NOISE);
}

static int choose_stated(struct choice *c, uint64_t *taken, struct pof_err *err)
{
    struct pof_remedy_state now = c->r->before;
    int rc = 0;
    for (size_t i = 0; i < c->r->n && rc == 0 && !clean(&now); i++) {
        struct pof_remedy_state with;
        bool possible;
        rc = look_with(c, *taken | UINT64_C(1) << i, &with, &possible, err);
        if (rc == 0 && possible && better(&with, &now)) {
            *taken |= UINT64_C(1) << i;
            now = with;
        }
    }
    return rc;
}

/* A combination and what it costs. */
struct combination {
    uint64_t taken;
    int64_t cost_ueur;
    int count;
    uint64_t late; /* its bits, the first remedy highest, turned over: less is earlier */
};

static int combination_cmp(const void *a, const void *b)
{
    const struct combination *x = a;
    const struct combination *y = b;
    int c = (x->cost_ueur > y->cost_ueur) - (x->cost_ueur < y->cost_ueur);
    c = c ? c : x->count - y->count;
    return c ? c : (x->late > y->late) - (x->late < y->late);
}

static int choose_cheapest(struct choice *c, uint64_t *taken, struct pof_err *err)
{
    struct combination all[1 << POF_REMEDIES_COST_MAX];
    struct pof_remedy_state best = c->r->before;
    size_t n = (size_t)1 << c->r->n;
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        all[i] = (struct combination){.taken = i};
        for (size_t k = 0; k < c->r->n; k++) {
            bool in = i >> k & 1;
            all[i].cost_ueur += in ? c->r->remedy[k].cost_ueur : 0;
            all[i].count += in;
            all[i].late = all[i].late * 2 + !in;
        }
    }
    qsort(all, n, sizeof *all, combination_cmp);
    for (size_t i = 0; i < n && rc == 0 && !clean(&best); i++) {
        struct pof_remedy_state with;
        bool possible = false;
        rc = all[i].taken ? look_with(c, all[i].taken, &with, &possible, err) : 0;
        if (rc == 0 && possible && (clean(&with) || better(&with, &best))) {
            *taken = all[i].taken;
            best = with;
        }
    }
    return rc;
}

/* What each of those taken did, one after the other. */
static int tell_steps(struct choice *c, uint64_t taken, struct pof_err *err)
{
    uint64_t so_far = 0;
    int rc = 0;
    for (size_t i = 0; i < c->r->n && rc == 0; i++) {
        struct pof_remedy *m = &c->r->remedy[i];
        bool possible;
        m->taken = taken >> i & 1;
        so_far |= m->taken ? UINT64_C(1) << i : 0;
        rc = m->taken ? look_with(c, so_far, &m->after, &possible, err) : 0;
    }
    return rc ? rc : set_up(c, taken, err);
}

int pof_remedies_choose(struct pof_remedies *r, struct pof_grid *grid, const struct pof_forecast *f,
                        const struct pof_request_options *options, enum pof_remedy_rule rule, struct pof_err *err)
{
    struct choice c = {.r = r, .grid = grid, .forecast = f, .options = options};
    uint64_t taken = 0;
    bool possible;
    if (rule == POF_REMEDY_COST && r->n > POF_REMEDIES_COST_MAX) {
        return pof_fail(err, POF_E_RANGE, "%zu remedies are too many to compare all combinations; expected at most %d",
                        r->n, POF_REMEDIES_COST_MAX);
    }
    int rc = pof_calloc(&c.plain, grid->branches, sizeof *c.plain, err);
    if (rc == 0) {
        memcpy(c.plain, grid->branch, grid->branches * sizeof *c.plain);
        rc = look_with(&c, 0, &r->before, &possible, err);
    }
    rc = rc ? rc : rule == POF_REMEDY_STATED ? choose_stated(&c, &taken, err) : choose_cheapest(&c, &taken, err);
    rc = rc ? rc : tell_steps(&c, taken, err);
    free(c.plain);
    return rc;
}
