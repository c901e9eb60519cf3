/* SPDX-License-Identifier: Apache-2.0 */
/* A bound for long parts: windows of quarter-hours, each searched by itself. A unit within one
 * window is decided as it is; one that reaches over several is decided in each apart, at its entry
 * prices there, which cost no more in all than what it asks. So the sum over windows is a bound,
 * and a better one than that of divisible units (decomposition by copies: M. Guignard, S. Kim,
 * Mathematical Programming 39, 1987).
 *
 * Where all copies of a unit agree nothing is lost between windows. Where they do not, the two windows
 * become one and are searched again, the most watts in dispute first, while nodes are left: when none
 * are in dispute any more, what the windows decide is the best result of all. */
#include "market/branch_impl.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* One window as a problem of its own. */
struct window {
    uint32_t first, n; /* of the part's quarter-hours */
    struct pof_clear_problem *quarter;
    struct pof_clear_offer **offer; /* [n] owned */
    struct pof_unit *unit;
    struct pof_unit_entry *entry;
    int64_t *price; /* [entries] to begin with */
    size_t units, entries;
    uint32_t *position; /* [quarters of the problem] 1 + number in the window; 0: outside */
    uint32_t *copy;     /* [units of the problem] 1 + unit of the window; 0: none */
    bool *on;
};

static void window_release(struct window *w)
{
    for (uint32_t k = 0; w->offer && k < w->n; k++) {
        free(w->offer[k]);
    }
    free(w->quarter);
    free(w->offer);
    free(w->unit);
    free(w->entry);
    free(w->price);
    free(w->position);
    free(w->copy);
    free(w->on);
}

static int window_alloc(struct window *w, const struct pofi_part *b, struct pof_err *err)
{
    const struct pof_block_problem *p = b->ix->p;
    size_t entries = 0;
    for (uint32_t k = 0; k < w->n; k++) {
        uint32_t q = b->quarter[w->first + k];
        entries += b->ix->at_first[q + 1] - b->ix->at_first[q];
    }
    int rc = pof_calloc(&w->quarter, w->n, sizeof *w->quarter, err);
    rc = rc ? rc : pof_calloc(&w->offer, w->n, sizeof(struct pof_clear_offer *), err);
    rc = rc ? rc : pof_calloc(&w->unit, b->units, sizeof *w->unit, err);
    rc = rc ? rc : pof_calloc(&w->entry, entries, sizeof *w->entry, err);
    rc = rc ? rc : pof_calloc(&w->price, entries, sizeof *w->price, err);
    rc = rc ? rc : pof_calloc(&w->position, p->quarters, sizeof *w->position, err);
    rc = rc ? rc : pof_calloc(&w->copy, p->units, sizeof *w->copy, err);
    rc = rc ? rc : pof_calloc(&w->on, b->units, sizeof *w->on, err);
    for (uint32_t k = 0; rc == 0 && k < w->n; k++) {
        w->position[b->quarter[w->first + k]] = k + 1;
    }
    return rc;
}

static bool inside(const struct window *w, const struct pofi_part *b, uint32_t unit)
{
    const struct pof_unit *u = &b->ix->p->unit[unit];
    for (size_t e = u->first; e < u->last; e++) {
        if (w->position[b->ix->p->entry[e].quarter] == 0) {
            return false;
        }
    }
    return true;
}

/* A quarter-hour with what is fixed, and units that reach beyond the window at entry prices. The
 * order of offers is found again by rank within the node. */
static int copy_quarter(struct window *w, const struct pofi_part *b, uint32_t k,
                        struct pof_err *err)
{
    uint32_t q = b->quarter[w->first + k];
    const struct pof_block_problem *p = b->ix->p;
    size_t n = p->quarter[q].offers;
    int rc = pof_calloc(&w->offer[k], n, sizeof *w->offer[k], err);
    if (rc) {
        return rc;
    }
    struct pof_clear_offer *to = w->offer[k];
    memcpy(to, p->quarter[q].offer, n * sizeof *to);
    for (size_t i = b->ix->at_first[q]; i < b->ix->at_first[q + 1]; i++) {
        uint32_t e = b->ix->at[i], u = b->ix->unit_of[e];
        struct pof_clear_offer *o = &to[p->entry[e].offer];
        if (b->state[u] == POFI_OFF) {
            o->p_w = o->frozen_w = 0;
        } else if (b->state[u] == POFI_ON) {
            o->frozen_w = o->frozen_w > p->entry[e].low_w ? o->frozen_w : p->entry[e].low_w;
        } else if (!inside(w, b, u)) {
            o->price_ueur = b->price[e];
        }
    }
    if (n > 1) {
        qsort(to, n, sizeof *to, pof_clear_offer_cmp);
    }
    w->quarter[k] = p->quarter[q];
    w->quarter[k].offer = to;
    return 0;
}

/* Where an entry's offer is now. */
static uint32_t find_offer(const struct window *w, const struct pofi_part *b, size_t entry)
{
    const struct pof_clear_offer *was = pofi_branch_offer(b, entry);
    uint32_t k = w->position[b->ix->p->entry[entry].quarter] - 1;
    struct pof_clear_offer key = *was;
    if (!inside(w, b, b->ix->unit_of[entry])) {
        key.price_ueur = b->price[entry];
    }
    const struct pof_clear_offer *at =
        bsearch(&key, w->offer[k], w->quarter[k].offers, sizeof key, pof_clear_offer_cmp);
    return at ? (uint32_t)(at - w->offer[k]) : POF_NONE;
}

/* Open units with their entries in the window, and the ties between these. */
static void copy_units(struct window *w, const struct pofi_part *b)
{
    const struct pof_block_problem *p = b->ix->p;
    for (size_t i = 0; i < b->units; i++) {
        uint32_t u = b->unit[i];
        struct pof_unit x = {.first = w->entries};
        for (size_t e = p->unit[u].first; b->state[u] == POFI_OPEN && e < p->unit[u].last; e++) {
            if (w->position[p->entry[e].quarter] > 0) {
                w->price[w->entries] = b->price[e];
                w->entry[w->entries++] = (struct pof_unit_entry){
                    w->position[p->entry[e].quarter] - 1, find_offer(w, b, e), p->entry[e].low_w};
            }
        }
        x.last = w->entries;
        if (x.last > x.first) {
            w->unit[w->units++] = x;
            w->copy[u] = (uint32_t)w->units;
        }
    }
    for (size_t i = 0; i < b->units; i++) {
        uint32_t u = b->unit[i], parent = p->unit[u].parent;
        if (w->copy[u] > 0) {
            struct pof_unit *x = &w->unit[w->copy[u] - 1];
            x->parent = parent != POF_NONE && w->copy[parent] > 0 ? w->copy[parent] - 1 : POF_NONE;
            x->group = p->unit[u].group;
            x->spell = p->unit[u].spell;
            x->at = p->unit[u].at;
        }
    }
}

/* A window after its search. */
struct span {
    uint32_t first, n;
    pof_wide bound;
    uint8_t *copy; /* [units of the part] 0: not here, 1: off, 2: on; owned */
    bool sealed;   /* not to be joined with the next one */
};

/* Searches the quarter-hours of a span. */
static int search_span(struct pofi_part *b, struct span *s, uint64_t budget, struct pof_err *err)
{
    struct window w = {.first = s->first, .n = s->n};
    int rc = window_alloc(&w, b, err);
    rc = rc ? rc : pof_calloc(&s->copy, b->units, sizeof *s->copy, err);
    for (uint32_t k = 0; rc == 0 && k < w.n; k++) {
        rc = copy_quarter(&w, b, k, err);
    }
    if (rc == 0) {
        copy_units(&w, b);
        struct pof_block_problem p = {w.quarter, w.n, w.unit, w.units, w.entry, w.entries, b->ix->p->groups,
                                      b->ix->p->spell, b->ix->p->spells};
        struct pof_effort effort = {budget, 1, w.n};
        struct pof_decided d = {.on = w.on};
        rc = pofi_block_solve_from(&p, &effort, w.price, &d, err);
        s->bound = d.bound;
        b->nodes += d.nodes;
    }
    for (size_t k = 0; rc == 0 && k < b->units; k++) {
        uint32_t copy = w.copy[b->unit[k]];
        s->copy[k] = copy > 0 ? (uint8_t)(w.on[copy - 1] ? 2 : 1) : 0;
    }
    window_release(&w);
    return rc;
}

static int64_t power_of(const struct pofi_part *b, uint32_t unit)
{
    const struct pof_unit *u = &b->ix->p->unit[unit];
    int64_t sum = 0;
    for (size_t e = u->first; e < u->last; e++) {
        sum += pofi_branch_offer(b, e)->p_w;
    }
    return sum;
}

/* The span that is most in dispute with the next one; n: with none. */
static size_t most_disputed(const struct pofi_part *b, const struct span *span, size_t n)
{
    size_t found = n;
    int64_t most = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        int64_t sum = 0;
        for (size_t k = 0; !span[i].sealed && k < b->units; k++) {
            uint8_t here = span[i].copy[k], next = span[i + 1].copy[k];
            sum += here && next && here != next ? power_of(b, b->unit[k]) : 0;
        }
        if (sum > most) {
            most = sum;
            found = i;
        }
    }
    return found;
}

/* Makes one of a span and the next, if that gives a better bound within budget. */
static int join_spans(struct pofi_part *b, struct span *span, size_t *n, size_t at, uint64_t budget,
                      struct pof_err *err)
{
    struct span *next = &span[at + 1];
    struct span both = {span[at].first, span[at].n + next->n, 0, NULL, next->sealed};
    int rc = search_span(b, &both, budget, err);
    if (rc || both.bound < span[at].bound + next->bound) {
        free(both.copy);
        span[at].sealed = true;
        return rc;
    }
    free(span[at].copy);
    free(next->copy);
    span[at] = both;
    memmove(next, next + 1, (*n - at - 2) * sizeof *next);
    --*n;
    return 0;
}

/* What more than half of the copies of a unit say. */
static int round_spans(struct pofi_part *b, const struct span *span, size_t n, struct pof_err *err)
{
    bool *wanted;
    int rc = pof_calloc(&wanted, b->units, sizeof *wanted, err);
    for (size_t k = 0; rc == 0 && k < b->units; k++) {
        int balance = 0;
        for (size_t i = 0; i < n; i++) {
            balance += span[i].copy[k] == 2 ? 1 : span[i].copy[k] == 1 ? -1 : 0;
        }
        wanted[k] = balance > 0;
    }
    rc = rc ? rc : pofi_branch_round_to(b, wanted, err);
    free(wanted);
    return rc;
}

int pofi_branch_windows(struct pofi_part *b, uint32_t length, uint64_t budget, struct pof_err *err)
{
    size_t n = (b->quarters + length - 1) / length, windows = n;
    struct span *span;
    pof_wide bound = 0;
    int rc = pof_calloc(&span, n, sizeof *span, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        uint32_t first = (uint32_t)i * length, rest = b->quarters - first;
        span[i] = (struct span){.first = first, .n = rest < length ? rest : length};
        rc = search_span(b, &span[i], b->nodes < budget ? (budget - b->nodes) / (n - i) : 0, err);
    }
    for (size_t at; rc == 0 && b->nodes < budget && (at = most_disputed(b, span, n)) < n;) {
        rc = join_spans(b, span, &n, at, (budget - b->nodes + 1) / 2, err);
    }
    rc = rc ? rc : round_spans(b, span, n, err);
    for (size_t i = 0; span && i < windows; i++) {
        bound += i < n ? span[i].bound : 0;
        free(i < n ? span[i].copy : NULL);
    }
    free(span);
    b->bound = rc == 0 && bound > b->bound ? bound : b->bound;
    return rc;
}
