/* SPDX-License-Identifier: Apache-2.0 */
/* Quarter-hours under decisions, and the search tree. */
#include "market/branch_impl.h"

#include "base/mem.h"
#include "base/text.h"
#include "market/certificate.h"

#include <stdlib.h>
#include <string.h>

/* --- quarter-hours under decisions --- */

const struct pof_clear_offer *pofi_branch_offer(const struct pofi_part *b, size_t entry)
{
    const struct pof_unit_entry *e = &b->ix->p->entry[entry];
    return &b->ix->p->quarter[e->quarter].offer[e->offer];
}

void pofi_branch_touch(const struct pofi_part *b, uint32_t unit, struct pofi_view *v)
{
    const struct pof_unit *u = &b->ix->p->unit[unit];
    for (size_t e = u->first; e < u->last; e++) {
        v->dirty[b->ix->p->entry[e].quarter] = true;
    }
}

pof_wide pofi_branch_sum(const struct pofi_part *b, const struct pofi_view *v)
{
    pof_wide sum = 0;
    for (uint32_t k = 0; k < b->quarters; k++) {
        pof_wide cost = v->cost[b->quarter[k]];
        if (cost == POFI_NEVER) {
            return POFI_NEVER;
        }
        sum += cost;
    }
    return sum;
}

/* The offers as decided, in order; open ones at their entry prices. */
static void decide_offers(struct pofi_part *b, uint32_t q, const uint8_t *state)
{
    const struct pof_block_problem *p = b->ix->p;
    size_t n = p->quarter[q].offers;
    memcpy(b->offer, p->quarter[q].offer, n * sizeof *b->offer);
    for (size_t i = 0; i < n; i++) {
        b->original[i] = (uint32_t)i;
    }
    for (size_t k = b->ix->at_first[q]; k < b->ix->at_first[q + 1]; k++) {
        uint32_t e = b->ix->at[k];
        struct pof_clear_offer *o = &b->offer[p->entry[e].offer];
        switch ((enum pofi_state)state[b->ix->unit_of[e]]) {
        case POFI_OPEN:
            o->price_ueur = b->price[e];
            break;
        case POFI_ON:
            o->frozen_w = o->frozen_w > p->entry[e].low_w ? o->frozen_w : p->entry[e].low_w;
            break;
        case POFI_OFF:
            o->p_w = o->frozen_w = 0;
            break;
        }
    }
    /* Entry prices move an offer by a few places within its node. */
    for (size_t i = 1; i < n; i++) {
        for (size_t k = i; k > 0 && pof_clear_offer_cmp(&b->offer[k - 1], &b->offer[k]) > 0; k--) {
            struct pof_clear_offer o = b->offer[k];
            uint32_t original = b->original[k];
            b->offer[k] = b->offer[k - 1];
            b->original[k] = b->original[k - 1];
            b->offer[k - 1] = o;
            b->original[k - 1] = original;
        }
    }
}

static void note_entries(struct pofi_part *b, uint32_t q, struct pofi_view *v)
{
    /* original[] becomes its own inverse in place of a second array: taken in the problem's order.
     */
    const struct pof_clear_problem *p = &b->ix->p->quarter[q];
    int64_t *by_original = b->taken + p->offers;
    for (size_t i = 0; i < p->offers; i++) {
        by_original[b->original[i]] = b->taken[i];
    }
    for (size_t k = b->ix->at_first[q]; k < b->ix->at_first[q + 1]; k++) {
        uint32_t e = b->ix->at[k];
        const struct pof_clear_offer *o = pofi_branch_offer(b, e);
        int64_t price = b->own_price[o->node];
        v->taken[e] = by_original[b->ix->p->entry[e].offer];
        v->value[e] = o->direction == POF_UP ? price : -price;
    }
}

static int solve_quarter(struct pofi_part *b, uint32_t q, const uint8_t *state, struct pofi_view *v,
                         struct pof_err *err)
{
    struct pof_clear_problem p = b->ix->p->quarter[q];
    struct pof_clear_result r = {.taken_w = b->taken, .own_price_ueur = b->own_price};
    struct pof_err why = {0};
    decide_offers(b, q, state);
    p.offer = b->offer;
    int rc = pof_clear_solve(b->clearing, &p, &r, &why);
    if (rc == POF_E_CONFLICT) { /* an answer here: these decisions cannot be */
        v->cost[q] = POFI_NEVER;
        return 0;
    }
    rc = rc ? rc : pof_clear_cost(&p, b->taken, &v->cost[q], &why);
    if (rc) {
        *err = why;
        return rc;
    }
    note_entries(b, q, v);
    return 0;
}

int pofi_branch_refresh(struct pofi_part *b, const uint8_t *state, struct pofi_view *v,
                        struct pof_err *err)
{
    for (uint32_t k = 0; k < b->quarters; k++) {
        uint32_t q = b->quarter[k];
        int rc = v->dirty[q] ? solve_quarter(b, q, state, v, err) : 0;
        if (rc) {
            return rc;
        }
        v->dirty[q] = false;
    }
    return 0;
}

/* --- fixing --- */

static void set(struct pofi_part *b, uint32_t unit, enum pofi_state state)
{
    const struct pof_unit *u = &b->ix->p->unit[unit];
    b->state[unit] = (uint8_t)state;
    b->trail[b->trailed++] = unit;
    for (size_t e = u->first; e < u->last; e++) { /* what is not taken can go without a trace */
        if (state == POFI_ON || b->relaxed.taken[e] > 0) {
            b->relaxed.dirty[b->ix->p->entry[e].quarter] = true;
        }
    }
}

/* With a unit on, others of its spells may fit no more. */
static bool fix_spell(struct pofi_part *b, uint32_t unit)
{
    const struct pofi_index *ix = b->ix;
    uint32_t s = ix->p->unit[unit].spell;
    if (s == 0) {
        return true;
    }
    if (!pofi_spell_fits(b, b->state, unit)) {
        return false;
    }
    for (size_t k = ix->spell_first[s - 1]; k < ix->spell_first[s]; k++) {
        if (b->state[ix->timed[k]] == POFI_OPEN && !pofi_spell_fits(b, b->state, ix->timed[k])) {
            set(b, ix->timed[k], POFI_OFF);
        }
    }
    return true;
}

/* Children of what is off are off; parents of what is on are on, and the others of its group off.
 * Works through the trail, so depth does not matter. */
bool pofi_branch_fix(struct pofi_part *b, uint32_t unit, enum pofi_state state)
{
    const struct pofi_index *ix = b->ix;
    if (b->state[unit] != POFI_OPEN) {
        return b->state[unit] == state;
    }
    size_t next = b->trailed;
    set(b, unit, state);
    for (; next < b->trailed; next++) {
        uint32_t u = b->trail[next];
        const struct pof_unit *x = &ix->p->unit[u];
        if (b->state[u] == POFI_OFF) {
            for (size_t k = ix->child_first[u]; k < ix->child_first[u + 1]; k++) {
                if (b->state[ix->child[k]] == POFI_ON) {
                    return false;
                }
                if (b->state[ix->child[k]] == POFI_OPEN) {
                    set(b, ix->child[k], POFI_OFF);
                }
            }
            continue;
        }
        if ((x->parent != POF_NONE && b->state[x->parent] == POFI_OFF) || !fix_spell(b, u)) {
            return false;
        }
        if (x->parent != POF_NONE && b->state[x->parent] == POFI_OPEN) {
            set(b, x->parent, POFI_ON);
        }
        for (size_t k = x->group == POF_NONE ? 0 : ix->member_first[x->group];
             x->group != POF_NONE && k < ix->member_first[x->group + 1]; k++) {
            if (ix->member[k] != u && b->state[ix->member[k]] == POFI_ON) {
                return false;
            }
            if (ix->member[k] != u && b->state[ix->member[k]] == POFI_OPEN) {
                set(b, ix->member[k], POFI_OFF);
            }
        }
    }
    return true;
}

/* --- stepping back --- */

/* Keeps a quarter-hour before it is solved again. */
static int remember(struct pofi_part *b, uint32_t q, struct pof_err *err)
{
    const struct pofi_index *ix = b->ix;
    struct pofi_past *past = &b->past;
    size_t n = 2 * (ix->at_first[q + 1] - ix->at_first[q]);
    int rc = pof_grow(&past->image, &past->image_cap, past->images + 1, sizeof *past->image, err);
    rc = rc ? rc
            : pof_grow(&past->entry, &past->entry_cap, past->entries + n, sizeof *past->entry, err);
    if (rc) {
        return rc;
    }
    past->image[past->images++] = (struct pofi_image){q, b->relaxed.cost[q]};
    for (size_t k = ix->at_first[q]; k < ix->at_first[q + 1]; k++) {
        past->entry[past->entries++] = b->relaxed.taken[ix->at[k]];
        past->entry[past->entries++] = b->relaxed.value[ix->at[k]];
    }
    return 0;
}

static int refresh(struct pofi_part *b, struct pof_err *err)
{
    int rc = 0;
    for (uint32_t k = 0; rc == 0 && k < b->quarters; k++) {
        if (b->relaxed.dirty[b->quarter[k]]) {
            rc = remember(b, b->quarter[k], err);
        }
    }
    return rc ? rc : pofi_branch_refresh(b, b->state, &b->relaxed, err);
}

/* Back to a node of the search: units on the trail and quarter-hours as they were. */
static void step_back(struct pofi_part *b, size_t trailed, size_t images)
{
    const struct pofi_index *ix = b->ix;
    struct pofi_past *past = &b->past;
    while (b->trailed > trailed) {
        b->state[b->trail[--b->trailed]] = POFI_OPEN;
    }
    while (past->images > images) {
        const struct pofi_image *x = &past->image[--past->images];
        b->relaxed.cost[x->quarter] = x->cost;
        for (size_t k = ix->at_first[x->quarter + 1]; k-- > ix->at_first[x->quarter];) {
            b->relaxed.value[ix->at[k]] = past->entry[--past->entries];
            b->relaxed.taken[ix->at[k]] = past->entry[--past->entries];
        }
    }
    for (uint32_t k = 0; k < b->quarters; k++) {
        b->relaxed.dirty[b->quarter[k]] = false;
    }
}

/* --- search --- */

/* What the bound rises by at least when an open unit is fixed (convexity). One of a spell asks less when it
 * is on, and the best choice of the others earns as much less at least. */
static pof_wide penalty(const struct pofi_part *b, uint32_t unit, enum pofi_state state)
{
    const struct pof_unit *u = &b->ix->p->unit[unit];
    pof_wide sum = state == POFI_ON && u->spell == 0 ? pofi_branch_slack(b, unit) : 0;
    for (size_t e = u->first; e < u->last; e++) {
        pof_wide loss = b->price[e] - b->relaxed.value[e];
        int64_t low = b->ix->p->entry[e].low_w, q = b->relaxed.taken[e];
        if (state == POFI_OFF) {
            sum -= loss * q;
        } else if (q < low) {
            sum += loss * (low - q);
        }
    }
    return sum;
}

/* Fixes open units that cannot be otherwise in a better result. *changed: something is dirty. */
static bool fix_certain(struct pofi_part *b, pof_wide bound, bool *changed)
{
    *changed = false;
    for (size_t k = 0; k < b->units; k++) {
        uint32_t u = b->unit[k];
        if (b->state[u] != POFI_OPEN) {
            continue;
        }
        bool on = bound + penalty(b, u, POFI_OFF) >= b->cost;
        bool off = bound + penalty(b, u, POFI_ON) >= b->cost;
        if (on || off) {
            if ((on && off) || !pofi_branch_fix(b, u, on ? POFI_ON : POFI_OFF)) {
                return false;
            }
            *changed = true;
        }
    }
    return true;
}

/* Do the entries of an open unit say the same, all or nothing (or within its range)? */
static bool agrees(const struct pofi_part *b, uint32_t unit, bool *on)
{
    const struct pof_unit *u = &b->ix->p->unit[unit];
    bool all = true, none = true;
    for (size_t e = u->first; e < u->last; e++) {
        none &= b->relaxed.taken[e] == 0;
        all &= b->relaxed.taken[e] >= b->ix->p->entry[e].low_w;
    }
    *on = !none;
    return none || all;
}

/* Would a unit that is taken or left as relaxed contradict its parent, group or spell? */
static bool alone(const struct pofi_part *b, uint32_t unit)
{
    const struct pofi_index *ix = b->ix;
    const struct pof_unit *x = &ix->p->unit[unit];
    bool on;
    if (x->spell && !pofi_spell_fits_relaxed(b, unit)) {
        return false;
    }
    if (x->parent != POF_NONE && b->state[x->parent] == POFI_OPEN) {
        agrees(b, x->parent, &on);
        if (!on) {
            return false;
        }
    }
    for (size_t k = x->group == POF_NONE ? 0 : ix->member_first[x->group];
         x->group != POF_NONE && k < ix->member_first[x->group + 1]; k++) {
        uint32_t other = ix->member[k];
        if (other != unit && b->state[other] == POFI_OPEN) {
            agrees(b, other, &on);
            if (on) {
                return false;
            }
        }
    }
    return true;
}

/* The unit to branch on: the most undecided; POF_NONE when the relaxed result is a result. */
static uint32_t choose(const struct pofi_part *b)
{
    uint32_t best = POF_NONE;
    pof_wide most = -1;
    for (size_t k = 0; k < b->units; k++) {
        uint32_t u = b->unit[k];
        const struct pof_unit *x = &b->ix->p->unit[u];
        bool on;
        if (b->state[u] != POFI_OPEN) {
            continue;
        }
        pof_wide score = -1;
        if (x->spell && b->price[x->first] > pofi_branch_offer(b, x->first)->price_ueur &&
            (b->kept[u] || b->relaxed.taken[x->first] > 0)) {
            const struct pof_clear_offer *o = pofi_branch_offer(b, x->first);
            score = 1 + (pof_wide)(b->relaxed.taken[x->first] + (b->kept[u] ? o->p_w : 0)) * ((pof_wide)1 << 18);
        } else if (!agrees(b, u, &on)) {
            int64_t share = pofi_branch_share(b, u);
            int64_t rest = (INT64_C(1) << 20) - share, side = share < rest ? share : rest;
            score = 1;
            for (size_t e = x->first; e < x->last; e++) {
                score += (pof_wide)side * pofi_branch_offer(b, e)->p_w;
            }
        } else if (on && (!alone(b, u) || pofi_branch_slack(b, u) > 0)) {
            score = 0;
        }
        if (score > most) {
            most = score;
            best = u;
        }
    }
    return best;
}

/* The relaxed result is one: its cost is the bound. */
static void keep(struct pofi_part *b, pof_wide cost)
{
    for (size_t k = 0; k < b->units; k++) {
        uint32_t u = b->unit[k];
        bool on = b->state[u] == POFI_ON;
        if (b->state[u] == POFI_OPEN) {
            agrees(b, u, &on);
        }
        b->best[u] = on ? POFI_ON : POFI_OFF;
    }
    b->cost = cost;
}

/* A node whose first side is being searched, or whose second is. */
struct frame {
    size_t trailed, images;
    pof_wide bound; /* of the node */
    uint32_t unit;
    enum pofi_state first;
    bool second;
};

/* Bounds the node that the trail leads to. *unit: where to branch; POF_NONE: nothing left here. */
static int look(struct pofi_part *b, pof_wide *bound, uint32_t *unit, struct pof_err *err)
{
    bool changed = true, possible = true;
    *unit = POF_NONE;
    b->nodes++;
    while (changed && possible) {
        int rc = refresh(b, err);
        if (rc) {
            return rc;
        }
        rc = pofi_branch_bound(b, bound, err);
        if (rc) {
            return rc;
        }
        possible = *bound < b->cost && fix_certain(b, *bound, &changed);
    }
    if (!possible) {
        return 0;
    }
    *unit = choose(b);
    if (*unit == POF_NONE) {
        keep(b, *bound);
    }
    return 0;
}

/* Steps back to a node with a second side; false: there is none. */
static bool back(struct pofi_part *b, struct frame *frame, size_t *depth)
{
    while (*depth > 0) {
        struct frame *f = &frame[*depth - 1];
        step_back(b, f->trailed, f->images);
        if (!f->second && f->bound < b->cost) {
            f->second = true;
            if (pofi_branch_fix(b, f->unit, f->first == POFI_ON ? POFI_OFF : POFI_ON)) {
                return true;
            }
            step_back(b, f->trailed, f->images);
        }
        --*depth;
    }
    return false;
}

/* Bounds of all that is left unsearched. */
static pof_wide open_bound(const struct pofi_part *b, const struct frame *frame, size_t depth,
                           pof_wide here)
{
    pof_wide least = here < b->cost ? here : b->cost;
    for (size_t i = 0; i < depth; i++) {
        if (!frame[i].second && frame[i].bound < least) {
            least = frame[i].bound;
        }
    }
    return least;
}

int pofi_branch_search(struct pofi_part *b, uint64_t budget, struct pof_err *err)
{
    struct frame *frame = NULL;
    size_t cap = 0, depth = 0, root = b->trailed;
    pof_wide here = b->bound;
    bool more = b->bound < b->cost;
    int rc = 0;
    while (rc == 0 && more && b->nodes < budget) {
        uint32_t unit;
        rc = look(b, &here, &unit, err);
        if (rc == 0 && unit != POF_NONE) {
            rc = pof_grow(&frame, &cap, depth + 1, sizeof *frame, err);
        }
        if (rc) {
            break;
        }
        if (unit == POF_NONE) {
            more = back(b, frame, &depth);
            here = more ? frame[depth - 1].bound : b->cost;
            continue;
        }
        bool on = pofi_timed(b, unit) ? b->kept[unit] || b->relaxed.taken[b->ix->p->unit[unit].first] > 0
                                      : 2 * pofi_branch_share(b, unit) >= INT64_C(1) << 20;
        frame[depth++] = (struct frame){b->trailed, b->past.images, here, unit, on ? POFI_ON : POFI_OFF, false};
        if (!pofi_branch_fix(b, unit, frame[depth - 1].first)) {
            more = back(b, frame, &depth);
        }
    }
    if (rc == 0) {
        pof_wide least = more ? open_bound(b, frame, depth, here) : b->cost;
        b->bound = least > b->bound ? least : b->bound;
    }
    step_back(b, root, 0);
    free(b->past.image);
    free(b->past.entry);
    b->past = (struct pofi_past){0};
    free(frame);
    return rc;
}
