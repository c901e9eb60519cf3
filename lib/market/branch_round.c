/* SPDX-License-Identifier: Apache-2.0 */
/* A result: the relaxed one rounded, then one flip after another while that pays. */
#include "market/branch_impl.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* All that is changed on the way to a better result; now is a decision for every unit. */
struct rounding {
    struct pofi_part *b;
    uint8_t *now;      /* [units of the problem] */
    uint32_t *changed; /* units that the flip changes, in turn; one can be there twice */
    size_t changes;
    uint32_t *touched; /* [quarters of the part] that it changes */
    pof_wide cost;
};

static void change(struct rounding *r, uint32_t unit, enum pofi_state state)
{
    r->now[unit] = (uint8_t)state;
    r->changed[r->changes++] = unit;
}

/* Flips a unit and what follows from it by parents and groups; false: that would change something
 * fixed. Turning off never turns on, and parents end, so this ends. */
static bool flip(struct rounding *r, uint32_t unit)
{
    const struct pofi_index *ix = r->b->ix;
    r->changes = 0;
    change(r, unit, r->now[unit] == POFI_ON ? POFI_OFF : POFI_ON);
    for (size_t next = 0; next < r->changes; next++) {
        uint32_t u = r->changed[next];
        const struct pof_unit *x = &ix->p->unit[u];
        if (r->b->state[u] != POFI_OPEN) {
            return false;
        }
        if (r->now[u] == POFI_OFF) {
            for (size_t k = ix->child_first[u]; k < ix->child_first[u + 1]; k++) {
                if (r->now[ix->child[k]] == POFI_ON) {
                    change(r, ix->child[k], POFI_OFF);
                }
            }
            continue;
        }
        if (x->parent != POF_NONE && r->now[x->parent] == POFI_OFF) {
            change(r, x->parent, POFI_ON);
        }
        for (size_t k = x->group == POF_NONE ? 0 : ix->member_first[x->group];
             x->group != POF_NONE && k < ix->member_first[x->group + 1]; k++) {
            if (ix->member[k] != u && r->now[ix->member[k]] == POFI_ON) {
                change(r, ix->member[k], POFI_OFF);
            }
        }
        while (x->spell && !pofi_spell_fits(r->b, r->now, u)) {
            change(r, pofi_spell_farthest(r->b, r->now, u), POFI_OFF);
        }
    }
    return true;
}

static void unflip(struct rounding *r)
{
    while (r->changes > 0) {
        uint32_t u = r->changed[--r->changes];
        r->now[u] = r->now[u] == POFI_ON ? POFI_OFF : POFI_ON;
    }
}

/* The least that the flip can cost, at node prices (convexity). */
static pof_wide least_cost(const struct rounding *r)
{
    const struct pofi_part *b = r->b;
    pof_wide sum = 0;
    for (size_t k = 0; k < r->changes; k++) {
        const struct pof_unit *u = &b->ix->p->unit[r->changed[k]];
        bool on = r->now[r->changed[k]] == POFI_ON;
        for (size_t e = u->first; e < u->last; e++) {
            const struct pof_clear_offer *o = pofi_branch_offer(b, e);
            pof_wide loss = o->price_ueur - b->fixed.value[e];
            int64_t low = b->ix->p->entry[e].low_w;
            sum += !on ? -loss * b->fixed.taken[e] : loss * (loss < 0 ? o->p_w : low);
        }
    }
    return sum;
}

/* The quarter-hours that the flip changes. */
static uint32_t list_touched(struct rounding *r)
{
    struct pofi_part *b = r->b;
    uint32_t n = 0;
    for (size_t k = 0; k < r->changes; k++) {
        pofi_branch_touch(b, r->changed[k], &b->trial);
    }
    for (uint32_t k = 0; k < b->quarters; k++) {
        if (b->trial.dirty[b->quarter[k]]) {
            r->touched[n++] = b->quarter[k];
        }
    }
    return n;
}

static void adopt(struct pofi_part *b, uint32_t quarter)
{
    b->fixed.cost[quarter] = b->trial.cost[quarter];
    for (size_t k = b->ix->at_first[quarter]; k < b->ix->at_first[quarter + 1]; k++) {
        uint32_t e = b->ix->at[k];
        b->fixed.taken[e] = b->trial.taken[e];
        b->fixed.value[e] = b->trial.value[e];
    }
}

/* Solves what the changes touch, and takes them back unless (*better) they cost less than `less` more. */
static int try_changes(struct rounding *r, int less, bool *better, struct pof_err *err)
{
    struct pofi_part *b = r->b;
    uint32_t n = list_touched(r);
    int rc = pofi_branch_refresh(b, r->now, &b->trial, err);
    pof_wide more = 0;
    bool possible = rc == 0;
    for (uint32_t k = 0; possible && k < n; k++) {
        more += b->trial.cost[r->touched[k]] - b->fixed.cost[r->touched[k]];
        possible = b->trial.cost[r->touched[k]] != POFI_NEVER;
    }
    *better = possible && more < less;
    if (!*better) {
        unflip(r);
        return rc;
    }
    for (uint32_t k = 0; k < n; k++) {
        adopt(b, r->touched[k]);
    }
    r->cost += more;
    return 0;
}

static int try_flip(struct rounding *r, uint32_t unit, int less, bool *better, struct pof_err *err)
{
    *better = false;
    if (!flip(r, unit) || least_cost(r) >= less) {
        unflip(r);
        return 0;
    }
    return try_changes(r, less, better, err);
}

static bool has_child_on(const struct rounding *r, uint32_t unit)
{
    const struct pofi_index *ix = r->b->ix;
    for (size_t k = ix->child_first[unit]; k < ix->child_first[unit + 1]; k++) {
        if (r->now[ix->child[k]] == POFI_ON) {
            return true;
        }
    }
    return false;
}

/* Lays the spells of a unit anew, as they would earn most at node prices. */
static int try_lay(struct rounding *r, uint32_t unit, bool *better, struct pof_err *err)
{
    struct pofi_part *b = r->b;
    const struct pofi_index *ix = b->ix;
    uint32_t s = ix->p->unit[unit].spell - 1;
    bool possible = true;
    int rc = pofi_spell_propose(b, r->now, s, err);
    *better = false;
    r->changes = 0;
    for (size_t k = ix->spell_first[s]; rc == 0 && k < ix->spell_first[s + 1]; k++) {
        uint32_t u = ix->timed[k], up = ix->p->unit[u].parent;
        if (b->state[u] == POFI_OPEN && b->kept[u] != (r->now[u] == POFI_ON)) {
            change(r, u, b->kept[u] ? POFI_ON : POFI_OFF);
            possible &= !b->kept[u] ? !has_child_on(r, u)
                                    : ix->p->unit[u].group == POF_NONE && (up == POF_NONE || r->now[up] == POFI_ON);
        }
    }
    if (rc || !possible || r->changes == 0) {
        unflip(r);
        return rc;
    }
    return try_changes(r, 0, better, err);
}

/* Each spell of the part once; *any: one has been laid better. */
static int lay_all(struct rounding *r, bool *any, struct pof_err *err)
{
    const struct pofi_index *ix = r->b->ix;
    int rc = 0;
    *any = false;
    for (size_t k = 0; rc == 0 && r->b->times && k < r->b->units; k++) {
        uint32_t u = r->b->unit[k], s = ix->p->unit[u].spell;
        bool better = false;
        if (s && ix->timed[ix->spell_first[s - 1]] == u) {
            rc = try_lay(r, u, &better, err);
        }
        *any |= better;
    }
    return rc;
}

static int flip_singly(struct rounding *r, struct pof_err *err)
{
    size_t idle = 0, k = 0;
    int rc = 0;
    while (rc == 0 && idle < r->b->units) {
        bool better = false;
        if (r->b->state[r->b->unit[k]] == POFI_OPEN) {
            rc = try_flip(r, r->b->unit[k], 0, &better, err);
        }
        idle = better ? 0 : idle + 1;
        k = k + 1 < r->b->units ? k + 1 : 0;
    }
    return rc;
}

static int flip_while_it_pays(struct rounding *r, struct pof_err *err)
{
    bool any = true;
    int rc = 0;
    while (rc == 0 && any) {
        rc = lay_all(r, &any, err);
        rc = rc ? rc : flip_singly(r, err);
    }
    return rc;
}

/* Open units that are wanted are on, as far as that turns nothing off. NULL: those that are taken by
 * half; of a spell those of the best choice of times. */
static void start(struct rounding *r, const bool *wanted)
{
    struct pofi_part *b = r->b;
    for (size_t k = 0; k < b->units; k++) {
        r->now[b->unit[k]] = b->state[b->unit[k]] == POFI_ON ? POFI_ON : POFI_OFF;
    }
    for (size_t k = 0; k < b->units; k++) {
        uint32_t u = b->unit[k];
        bool on = wanted             ? wanted[k]
                  : pofi_timed(b, u) ? b->kept[u] || b->relaxed.taken[b->ix->p->unit[u].first] > 0
                                     : 2 * pofi_branch_share(b, u) >= INT64_C(1) << 20;
        if (r->now[u] == POFI_ON || !on) {
            continue;
        }
        bool fine = flip(r, u);
        for (size_t i = 0; i < r->changes; i++) {
            fine &= r->now[r->changed[i]] == POFI_ON;
        }
        if (!fine) {
            unflip(r);
        }
    }
}

/* The open unit that is on in a quarter-hour and taken least by the relaxed result. */
static uint32_t weakest(const struct rounding *r, uint32_t quarter)
{
    const struct pofi_index *ix = r->b->ix;
    uint32_t found = POF_NONE;
    int64_t least = INT64_MAX;
    for (size_t k = ix->at_first[quarter]; k < ix->at_first[quarter + 1]; k++) {
        uint32_t u = ix->unit_of[ix->at[k]];
        if (r->now[u] == POFI_ON && r->b->state[u] == POFI_OPEN) {
            int64_t share = pofi_branch_share(r->b, u);
            if (share < least) {
                least = share;
                found = u;
            }
        }
    }
    return found;
}

/* Turns units off until all limits hold. */
static int repair(struct rounding *r, struct pof_err *err)
{
    struct pofi_part *b = r->b;
    for (uint32_t k = 0; k < b->quarters; k++) {
        b->fixed.dirty[b->quarter[k]] = true;
    }
    for (;;) {
        int rc = pofi_branch_refresh(b, r->now, &b->fixed, err);
        r->cost = rc ? POFI_NEVER : pofi_branch_sum(b, &b->fixed);
        if (rc || r->cost != POFI_NEVER) {
            return rc;
        }
        for (uint32_t k = 0; k < b->quarters; k++) {
            if (b->fixed.cost[b->quarter[k]] != POFI_NEVER || b->fixed.dirty[b->quarter[k]]) {
                continue; /* dirty: a unit was turned off here for an earlier one */
            }
            uint32_t u = weakest(r, b->quarter[k]);
            if (u == POF_NONE || !flip(r, u)) {
                return pof_fail(err, POF_E_CONFLICT, "frozen activation exceeds a limit");
            }
            for (size_t i = 0; i < r->changes; i++) {
                pofi_branch_touch(b, r->changed[i], &b->fixed);
            }
        }
    }
}

static int rounding_init(struct rounding *r, struct pofi_part *b, struct pof_err *err)
{
    *r = (struct rounding){.b = b};
    int rc = pof_calloc(&r->now, b->ix->p->units, sizeof *r->now, err);
    rc = rc ? rc : pof_calloc(&r->changed, 2 * b->units, sizeof *r->changed, err);
    return rc ? rc : pof_calloc(&r->touched, b->quarters, sizeof *r->touched, err);
}

/* Keeps what is now, when it is better or as good. */
static void rounding_end(struct rounding *r, int rc)
{
    struct pofi_part *b = r->b;
    for (size_t k = 0; rc == 0 && r->cost <= b->cost && k < b->units; k++) {
        b->best[b->unit[k]] = r->now[b->unit[k]];
    }
    b->cost = rc == 0 && r->cost < b->cost ? r->cost : b->cost;
    free(r->now);
    free(r->changed);
    free(r->touched);
}

int pofi_branch_round_to(struct pofi_part *b, const bool *wanted, struct pof_err *err)
{
    struct rounding r;
    int rc = rounding_init(&r, b, err);
    if (rc == 0) {
        start(&r, wanted);
        rc = repair(&r, err);
    }
    rc = rc ? rc : flip_while_it_pays(&r, err);
    rounding_end(&r, rc);
    return rc;
}

int pofi_branch_round(struct pofi_part *b, struct pof_err *err)
{
    return pofi_branch_round_to(b, NULL, err);
}

int pofi_branch_thin(struct pofi_part *b, struct pof_err *err)
{
    struct rounding r;
    int rc = rounding_init(&r, b, err);
    for (size_t k = 0; rc == 0 && k < b->units; k++) {
        r.now[b->unit[k]] = b->best[b->unit[k]];
    }
    rc = rc ? rc : repair(&r, err);
    for (size_t k = b->units; rc == 0 && k-- > 0;) {
        uint32_t u = b->unit[k];
        bool better;
        if (r.now[u] == POFI_ON && b->state[u] == POFI_OPEN) {
            rc = try_flip(&r, u, 1, &better, err);
        }
    }
    rounding_end(&r, rc);
    return rc;
}
