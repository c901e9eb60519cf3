/* SPDX-License-Identifier: Apache-2.0 */
/* A session with yes-or-no decisions taken apart, each part searched, and put together. */
#include "market/block.h"

#include "base/mem.h"
#include "base/par.h"
#include "base/text.h"
#include "market/branch_impl.h"

#include <stdlib.h>
#include <string.h>

/* --- checks and lists --- */

static int check_entries(const struct pof_block_problem *p, struct pof_err *err)
{
    for (size_t u = 0, next = 0; u < p->units; u++) {
        const struct pof_unit *x = &p->unit[u];
        if (x->first != next || x->last < x->first || x->last > p->entries ||
            (x->parent != POF_NONE && x->parent >= p->units) ||
            (x->group != POF_NONE && x->group >= p->groups) || x->spell > p->spells ||
            (x->spell && x->last - x->first != 1)) {
            return pof_fail(err, POF_E_RANGE,
                            "unit %zu has entries, a parent, a group or a spell out of range", u);
        }
        next = x->last;
    }
    for (size_t e = 0; e < p->entries; e++) {
        const struct pof_unit_entry *x = &p->entry[e];
        if (x->quarter >= p->quarters || x->offer >= p->quarter[x->quarter].offers ||
            x->low_w < 0 || x->low_w > p->quarter[x->quarter].offer[x->offer].p_w) {
            return pof_fail(err, POF_E_RANGE, "entry %zu has an offer or a power out of range", e);
        }
    }
    if (p->entries >= UINT32_MAX || p->units >= UINT32_MAX) {
        return pof_fail(err, POF_E_OVERFLOW, "%zu decisions are more than can be searched",
                        p->entries);
    }
    return 0;
}

/* Parents must end somewhere. Follows each chain until it meets one that was followed before. */
static int check_parents(const struct pof_block_problem *p, struct pof_err *err)
{
    uint32_t *seen; /* 1 + the unit from which a chain came by */
    int rc = pof_calloc(&seen, p->units, sizeof *seen, err);
    for (uint32_t u = 0; rc == 0 && u < p->units; u++) {
        uint32_t at = u;
        while (at != POF_NONE && seen[at] == 0) {
            seen[at] = u + 1;
            at = p->unit[at].parent;
        }
        if (at != POF_NONE && seen[at] == u + 1) {
            rc = pof_fail(err, POF_E_CONFLICT, "parents of unit %u form a cycle", at);
        }
    }
    free(seen);
    return rc;
}

/* Numbers 0 .. n-1 listed by what they belong to, in order; POF_NONE: nowhere. first: [keys + 1].
 */
static int list_by(size_t n, size_t keys, const uint32_t *key, size_t **first, uint32_t **list,
                   struct pof_err *err)
{
    int rc = pof_calloc(first, keys + 2, sizeof **first, err);
    rc = rc ? rc : pof_calloc(list, n, sizeof **list, err);
    if (rc) {
        return rc;
    }
    size_t *next = *first + 1; /* one place further on, so that filling leaves the starts */
    for (size_t i = 0; i < n; i++) {
        if (key[i] != POF_NONE) {
            next[key[i] + 1]++;
        }
    }
    for (size_t k = 1; k <= keys; k++) {
        next[k] += next[k - 1];
    }
    for (size_t i = 0; i < n; i++) {
        if (key[i] != POF_NONE) {
            (*list)[next[key[i]]++] = (uint32_t)i;
        }
    }
    return 0;
}

static void index_release(struct pofi_index *ix)
{
    free(ix->at_first);
    free(ix->at);
    free(ix->unit_of);
    free(ix->child_first);
    free(ix->child);
    free(ix->member_first);
    free(ix->member);
    free(ix->spell_first);
    free(ix->timed);
}

/* Times of a spell ascend, and one of them alone always fits. */
static int check_times(const struct pofi_index *ix, struct pof_err *err)
{
    const struct pof_block_problem *p = ix->p;
    for (uint32_t s = 0; s < p->spells; s++) {
        if (p->spell[s].span == 0 || p->spell[s].most == 0) {
            return pof_fail(err, POF_E_RANGE, "spell %u has no time to be active", s);
        }
        for (size_t k = ix->spell_first[s] + 1; k < ix->spell_first[s + 1]; k++) {
            if (p->unit[ix->timed[k]].at <= p->unit[ix->timed[k - 1]].at) {
                return pof_fail(err, POF_E_RANGE, "unit %u has a time out of order", ix->timed[k]);
            }
        }
    }
    return 0;
}

static int index_build(struct pofi_index *ix, const struct pof_block_problem *p,
                       struct pof_err *err)
{
    uint32_t *key;
    size_t n = p->units > p->entries ? p->units : p->entries;
    int rc = pof_calloc(&key, n, sizeof *key, err);
    rc = rc ? rc : pof_calloc(&ix->unit_of, p->entries, sizeof *ix->unit_of, err);
    ix->p = p;
    for (size_t e = 0; rc == 0 && e < p->entries; e++) {
        key[e] = p->entry[e].quarter;
    }
    rc = rc ? rc : list_by(p->entries, p->quarters, key, &ix->at_first, &ix->at, err);
    for (uint32_t u = 0; rc == 0 && u < p->units; u++) {
        key[u] = p->unit[u].parent;
        for (size_t e = p->unit[u].first; e < p->unit[u].last; e++) {
            ix->unit_of[e] = u;
        }
    }
    rc = rc ? rc : list_by(p->units, p->units, key, &ix->child_first, &ix->child, err);
    for (uint32_t u = 0; rc == 0 && u < p->units; u++) {
        key[u] = p->unit[u].group;
    }
    rc = rc ? rc : list_by(p->units, p->groups, key, &ix->member_first, &ix->member, err);
    for (uint32_t u = 0; rc == 0 && u < p->units; u++) {
        key[u] = p->unit[u].spell ? p->unit[u].spell - 1 : POF_NONE;
    }
    rc = rc ? rc : list_by(p->units, p->spells, key, &ix->spell_first, &ix->timed, err);
    free(key);
    return rc ? rc : check_times(ix, err);
}

/* An offer belongs to one unit at most. */
static int check_once(const struct pofi_index *ix, struct pof_err *err)
{
    const struct pof_block_problem *p = ix->p;
    size_t most = 0;
    bool *seen;
    for (uint32_t q = 0; q < p->quarters; q++) {
        most = p->quarter[q].offers > most ? p->quarter[q].offers : most;
    }
    int rc = pof_calloc(&seen, most, sizeof *seen, err);
    for (uint32_t q = 0; rc == 0 && q < p->quarters; q++) {
        for (size_t k = ix->at_first[q]; rc == 0 && k < ix->at_first[q + 1]; k++) {
            uint32_t offer = p->entry[ix->at[k]].offer;
            if (seen[offer]) {
                rc = pof_fail(err, POF_E_RANGE, "offer %u of quarter-hour %u is in two units",
                              offer, q);
            }
            seen[offer] = true;
        }
        for (size_t k = ix->at_first[q]; rc == 0 && k < ix->at_first[q + 1]; k++) {
            seen[p->entry[ix->at[k]].offer] = false;
        }
    }
    free(seen);
    return rc;
}

/* --- parts --- */

/* Parts of a session: quarter-hours that units tie together, and groups and parents tie units. */
struct parts {
    size_t *quarter_first, *unit_first; /* [n + 1] */
    uint32_t *quarter, *unit;
    uint32_t n;
};

static uint32_t root_of(uint32_t *up, uint32_t x)
{
    while (up[x] != x) {
        up[x] = up[up[x]];
        x = up[x];
    }
    return x;
}

/* The smaller number leads, so parts come in order of their first quarter-hour. */
static void join(uint32_t *up, uint32_t a, uint32_t b)
{
    a = root_of(up, a);
    b = root_of(up, b);
    up[a > b ? a : b] = a > b ? b : a;
}

/* Quarter-hours are the items 0 .., then units, groups, spells. */
static void join_all(uint32_t *up, const struct pof_block_problem *p)
{
    uint32_t unit0 = p->quarters, group0 = unit0 + (uint32_t)p->units, spell0 = group0 + p->groups;
    for (uint32_t u = 0; u < p->units; u++) {
        const struct pof_unit *x = &p->unit[u];
        for (size_t e = x->first; e < x->last; e++) {
            join(up, unit0 + u, p->entry[e].quarter);
        }
        if (x->parent != POF_NONE) {
            join(up, unit0 + u, unit0 + x->parent);
        }
        if (x->group != POF_NONE) {
            join(up, unit0 + u, group0 + x->group);
        }
        if (x->spell) {
            join(up, unit0 + u, spell0 + x->spell - 1);
        }
    }
}

static void parts_release(struct parts *s)
{
    free(s->quarter_first);
    free(s->quarter);
    free(s->unit_first);
    free(s->unit);
}

static int parts_build(struct parts *s, const struct pof_block_problem *p, struct pof_err *err)
{
    size_t items = (size_t)p->quarters + p->units + p->groups + p->spells;
    uint32_t *up = NULL, *part = NULL;
    if (items >= UINT32_MAX) {
        return pof_fail(err, POF_E_OVERFLOW, "%zu decisions are more than can be searched", items);
    }
    int rc = pof_calloc(&up, items, sizeof *up, err);
    rc = rc ? rc : pof_calloc(&part, items, sizeof *part, err);
    if (rc == 0) {
        for (uint32_t i = 0; i < items; i++) {
            up[i] = i;
        }
        join_all(up, p);
        for (uint32_t i = 0; i < items; i++) { /* a leader comes before those it leads */
            uint32_t lead = root_of(up, i);
            part[i] = lead == i ? s->n++ : part[lead];
        }
        rc = list_by(p->quarters, s->n, part, &s->quarter_first, &s->quarter, err);
        rc = rc ? rc : list_by(p->units, s->n, part + p->quarters, &s->unit_first, &s->unit, err);
    }
    free(up);
    free(part);
    return rc;
}

/* --- one part --- */

struct work {
    const struct pof_effort *options;
    const int64_t *price; /* of entries, to begin with; NULL: what offers ask */
    struct pofi_index ix;
    struct parts parts;
    struct pofi_part shared;        /* the arrays that parts have their places in */
    struct pofi_part *part;         /* [parts] what came of each: cost, bound, nodes */
    struct pof_clearing **clearing; /* [threads] */
    size_t most_offers;
};

static int view_alloc(struct pofi_view *v, const struct pof_block_problem *p, struct pof_err *err)
{
    int rc = pof_calloc(&v->cost, p->quarters, sizeof *v->cost, err);
    rc = rc ? rc : pof_calloc(&v->taken, p->entries, sizeof *v->taken, err);
    rc = rc ? rc : pof_calloc(&v->value, p->entries, sizeof *v->value, err);
    rc = rc ? rc : pof_calloc(&v->dirty, p->quarters, sizeof *v->dirty, err);
    for (uint32_t q = 0; rc == 0 && q < p->quarters; q++) {
        v->dirty[q] = true;
    }
    return rc;
}

static void view_release(struct pofi_view *v)
{
    free(v->cost);
    free(v->taken);
    free(v->value);
    free(v->dirty);
}

/* What is frozen is on, and what follows from that. */
static int fix_frozen(struct pofi_part *b, struct pof_err *err)
{
    for (size_t k = 0; k < b->units; k++) {
        const struct pof_unit *u = &b->ix->p->unit[b->unit[k]];
        for (size_t e = u->first; e < u->last; e++) {
            if (pofi_branch_offer(b, e)->frozen_w > 0 && !pofi_branch_fix(b, b->unit[k], POFI_ON)) {
                return pof_fail(err, POF_E_CONFLICT,
                                "frozen offers contradict parents or groups (unit %u)", b->unit[k]);
            }
        }
    }
    return 0;
}

/* Rounds of pricing, fewer from prices that are known to be good, more where spells have many prices to find; and quarter-hours above which windows
 * are worth their while: in a long part the bound of the root is worth more than any node of the search. */
enum { PRICE_ROUNDS = 120, MORE_ROUNDS = 30, SPELL_TIMES = 4, WINDOW = 12 };

static int search_part(struct pofi_part *b, const struct work *w, struct pof_err *err)
{
    const struct pof_effort *effort = w->options;
    uint64_t budget = effort->budget;
    uint32_t window = effort->window ? effort->window : WINDOW;
    b->cost = POFI_NEVER;
    int rc = fix_frozen(b, err);
    rc = rc ? rc : pofi_branch_price(b, 0, err);
    if (rc == 0 && b->units == 0) {
        b->cost = b->bound;
        return 0;
    }
    rc = rc ? rc : pofi_branch_round(b, err);
    if (rc == 0 && b->bound < b->cost) {
        unsigned rounds = w->price ? MORE_ROUNDS : PRICE_ROUNDS;
        rc = pofi_branch_price(b, b->times ? SPELL_TIMES * rounds : rounds, err);
        rc = rc ? rc : pofi_branch_round(b, err);
    }
    if (rc == 0 && b->quarters > window && budget > 0 && b->bound < b->cost) {
        rc = pofi_branch_windows(b, window, budget, err);
    }
    rc = rc ? rc : pofi_branch_search(b, budget, err);
    return rc ? rc : pofi_branch_thin(b, err);
}

static int do_part(void *ctx, unsigned worker, size_t i, struct pof_err *err)
{
    struct work *w = ctx;
    const struct parts *s = &w->parts;
    struct pofi_part b = w->shared;
    b.clearing = w->clearing[worker];
    b.quarter = &s->quarter[s->quarter_first[i]];
    b.quarters = (uint32_t)(s->quarter_first[i + 1] - s->quarter_first[i]);
    b.unit = &s->unit[s->unit_first[i]];
    b.units = s->unit_first[i + 1] - s->unit_first[i];
    int rc = pof_calloc(&b.offer, w->most_offers, sizeof *b.offer, err);
    rc = rc ? rc : pof_calloc(&b.original, w->most_offers, sizeof *b.original, err);
    rc = rc ? rc : pof_calloc(&b.taken, 2 * w->most_offers, sizeof *b.taken, err);
    if (rc == 0 && w->ix.p->quarters > 0) {
        rc = pof_calloc(&b.own_price, w->ix.p->quarter[0].forest->n, sizeof *b.own_price, err);
    }
    rc = rc ? rc : pof_calloc(&b.trail, b.units, sizeof *b.trail, err);
    rc = rc ? rc : pofi_spells_open(&b, err);
    rc = rc ? rc : search_part(&b, w, err);
    pofi_spells_close(&b);
    free(b.offer);
    free(b.original);
    free(b.taken);
    free(b.own_price);
    free(b.trail);
    w->part[i].cost = b.cost;
    w->part[i].bound = b.bound;
    w->part[i].nodes = b.nodes;
    return rc;
}

/* --- all of it --- */

static int work_prepare(struct work *w, const struct pof_block_problem *p, unsigned threads,
                        struct pof_err *err)
{
    struct pofi_part *b = &w->shared;
    int rc = check_entries(p, err);
    rc = rc ? rc : check_parents(p, err);
    rc = rc ? rc : index_build(&w->ix, p, err);
    rc = rc ? rc : check_once(&w->ix, err);
    rc = rc ? rc : parts_build(&w->parts, p, err);
    rc = rc ? rc : pof_calloc(&w->part, w->parts.n, sizeof *w->part, err);
    rc = rc ? rc : pof_calloc(&w->clearing, threads, sizeof(struct pof_clearing *), err);
    for (unsigned t = 0; rc == 0 && t < threads; t++) {
        rc = pof_clearing_new(&w->clearing[t], err);
    }
    b->ix = &w->ix;
    rc = rc ? rc : pof_calloc(&b->price, p->entries, sizeof *b->price, err);
    rc = rc ? rc : pof_calloc(&b->state, p->units, sizeof *b->state, err);
    rc = rc ? rc : pof_calloc(&b->best, p->units, sizeof *b->best, err);
    rc = rc ? rc : pof_calloc(&b->kept, p->units, sizeof *b->kept, err);
    rc = rc ? rc : view_alloc(&b->relaxed, p, err);
    rc = rc ? rc : view_alloc(&b->fixed, p, err);
    rc = rc ? rc : view_alloc(&b->trial, p, err);
    for (size_t e = 0; rc == 0 && e < p->entries; e++) {
        b->price[e] = w->price ? w->price[e] : pofi_branch_offer(b, e)->price_ueur;
    }
    for (uint32_t q = 0; rc == 0 && q < p->quarters; q++) {
        b->trial.dirty[q] = false;
        w->most_offers =
            p->quarter[q].offers > w->most_offers ? p->quarter[q].offers : w->most_offers;
    }
    return rc;
}

static void work_release(struct work *w, unsigned threads)
{
    struct pofi_part *b = &w->shared;
    for (unsigned t = 0; w->clearing && t < threads; t++) {
        pof_clearing_free(w->clearing[t]);
    }
    free(w->clearing);
    free(w->part);
    parts_release(&w->parts);
    index_release(&w->ix);
    free(b->price);
    free(b->state);
    free(b->best);
    free(b->kept);
    view_release(&b->relaxed);
    view_release(&b->fixed);
    view_release(&b->trial);
}

int pofi_block_solve_from(const struct pof_block_problem *problem, const struct pof_effort *options,
                          const int64_t *price, struct pof_decided *result, struct pof_err *err)
{
    unsigned threads = options->threads ? options->threads : 1;
    struct work w = {.options = options, .price = price};
    int rc = work_prepare(&w, problem, threads, err);
    rc = rc ? rc : pof_parallel(w.parts.n, threads, do_part, &w, err);
    if (rc == 0) {
        bool *on = result->on;
        *result = (struct pof_decided){.on = on};
        for (uint32_t i = 0; i < w.parts.n; i++) {
            result->cost += w.part[i].cost;
            result->bound += w.part[i].bound;
            result->nodes += w.part[i].nodes;
            result->parts++;
            result->open += w.part[i].bound < w.part[i].cost;
        }
        for (size_t u = 0; u < problem->units; u++) {
            on[u] = w.shared.best[u] == POFI_ON;
        }
    }
    work_release(&w, threads);
    return rc;
}

int pof_block_solve(const struct pof_block_problem *problem, const struct pof_effort *options,
                    struct pof_decided *result, struct pof_err *err)
{
    return pofi_block_solve_from(problem, options, NULL, result, err);
}

void pof_block_fix(const struct pof_block_problem *problem, const bool *on,
                   struct pof_clear_offer *const *offer)
{
    for (size_t u = 0; u < problem->units; u++) {
        for (size_t e = problem->unit[u].first; e < problem->unit[u].last; e++) {
            const struct pof_unit_entry *x = &problem->entry[e];
            struct pof_clear_offer *o = &offer[x->quarter][x->offer];
            if (on[u]) {
                o->frozen_w = o->frozen_w > x->low_w ? o->frozen_w : x->low_w;
            } else {
                o->p_w = o->frozen_w = 0;
            }
        }
    }
}
