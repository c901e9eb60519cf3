/* SPDX-License-Identifier: Apache-2.0 */
/* Units whose times must lie in spells: what fits, and what the best choice of times earns. */
#include "market/branch_impl.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

/* Scratch for the units of one spell. */
struct pofi_times {
    uint32_t *at, *least;
    struct pof_spell_time *time;
    struct pof_spell_table table;
};

static const struct pof_unit *unit_at(const struct pofi_part *b, uint32_t unit)
{
    return &b->ix->p->unit[unit];
}

int pofi_spells_open(struct pofi_part *b, struct pof_err *err)
{
    const struct pofi_index *ix = b->ix;
    size_t most = 0;
    for (uint32_t s = 0; s < ix->p->spells; s++) {
        size_t n = ix->spell_first[s + 1] - ix->spell_first[s];
        most = n > most ? n : most;
    }
    bool any = false;
    for (size_t k = 0; k < b->units; k++) {
        any |= pofi_timed(b, b->unit[k]);
    }
    int rc = any ? pof_calloc(&b->times, 1, sizeof *b->times, err) : 0;
    rc = rc || !any ? rc : pof_calloc(&b->times->at, most, sizeof *b->times->at, err);
    rc = rc || !any ? rc : pof_calloc(&b->times->least, most, sizeof *b->times->least, err);
    return rc || !any ? rc : pof_calloc(&b->times->time, most, sizeof *b->times->time, err);
}

void pofi_spells_close(struct pofi_part *b)
{
    if (b->times) {
        free(b->times->at);
        free(b->times->least);
        free(b->times->time);
        pof_spell_table_release(&b->times->table);
        free(b->times);
    }
}

/* relaxed: what is open and taken counts as on. */
static bool fits(const struct pofi_part *b, const uint8_t *state, uint32_t unit, bool relaxed)
{
    const struct pofi_index *ix = b->ix;
    uint32_t s = unit_at(b, unit)->spell - 1;
    size_t n = 0;
    for (size_t k = ix->spell_first[s]; k < ix->spell_first[s + 1]; k++) {
        uint32_t u = ix->timed[k];
        bool taken = relaxed && state[u] == POFI_OPEN && b->relaxed.taken[unit_at(b, u)->first] > 0;
        if (u == unit || state[u] == POFI_ON || taken) {
            b->times->at[n++] = unit_at(b, u)->at;
        }
    }
    return pof_spell_fits(&ix->p->spell[s], b->times->at, n, b->times->least);
}

bool pofi_spell_fits(const struct pofi_part *b, const uint8_t *state, uint32_t unit)
{
    return fits(b, state, unit, false);
}

bool pofi_spell_fits_relaxed(const struct pofi_part *b, uint32_t unit)
{
    return fits(b, b->state, unit, true);
}

uint32_t pofi_spell_farthest(const struct pofi_part *b, const uint8_t *state, uint32_t unit)
{
    const struct pofi_index *ix = b->ix;
    uint32_t s = unit_at(b, unit)->spell - 1, at = unit_at(b, unit)->at, found = POF_NONE, most = 0;
    for (size_t k = ix->spell_first[s]; k < ix->spell_first[s + 1]; k++) {
        uint32_t u = ix->timed[k], t = unit_at(b, u)->at, apart = t > at ? t - at : at - t;
        if (state[u] == POFI_ON && apart > most) {
            most = apart;
            found = u;
        }
    }
    return found;
}

/* What an open unit earns in a choice of times. */
typedef pof_wide worth_of(const struct pofi_part *b, uint32_t unit, const uint8_t *now);

/* kept: the best choice for a spell. */
static int choose(struct pofi_part *b, uint32_t s, worth_of *of, const uint8_t *now, pof_wide *sum,
                  struct pof_err *err)
{
    const struct pofi_index *ix = b->ix;
    struct pof_spell_time *time = b->times->time;
    size_t n = 0;
    pof_wide worth, all = 0;
    for (size_t k = ix->spell_first[s]; k < ix->spell_first[s + 1]; k++) {
        uint32_t u = ix->timed[k];
        b->kept[u] = false;
        if (b->state[u] != POFI_OFF) {
            bool on = b->state[u] == POFI_ON;
            worth = on ? 0 : of(b, u, now);
            time[n++] = (struct pof_spell_time){.at = unit_at(b, u)->at, .must = on, .worth = worth};
            all += worth;
        }
    }
    if (all == 0) {
        return 0;
    }
    int rc = pof_spell_best(&ix->p->spell[s], time, n, &b->times->table, &worth, err);
    *sum += worth > 0 ? worth : 0;
    for (size_t k = ix->spell_first[s], i = 0; rc == 0 && k < ix->spell_first[s + 1]; k++) {
        uint32_t u = ix->timed[k];
        b->kept[u] = b->state[u] != POFI_OFF && time[i++].kept;
    }
    return rc;
}

/* At entry prices: what is on asks its own price, and earns nothing here. */
static pof_wide priced_worth(const struct pofi_part *b, uint32_t unit, const uint8_t *now)
{
    size_t e = unit_at(b, unit)->first;
    const struct pof_clear_offer *o = pofi_branch_offer(b, e);
    (void)now;
    return (pof_wide)o->p_w * (b->price[e] - o->price_ueur);
}

/* At node prices: at least so much for what is taken, at most so much for what is not. */
static pof_wide fixed_worth(const struct pofi_part *b, uint32_t unit, const uint8_t *now)
{
    size_t e = unit_at(b, unit)->first;
    const struct pof_clear_offer *o = pofi_branch_offer(b, e);
    pof_wide gain = b->fixed.value[e] - o->price_ueur;
    return gain > 0 ? gain * (now[unit] == POFI_ON ? b->fixed.taken[e] : o->p_w) : 0;
}

int pofi_spell_propose(struct pofi_part *b, const uint8_t *now, uint32_t spell, struct pof_err *err)
{
    pof_wide sum = 0;
    return choose(b, spell, fixed_worth, now, &sum, err);
}

int pofi_spells_earn(struct pofi_part *b, pof_wide *sum, struct pof_err *err)
{
    int rc = 0;
    *sum = 0;
    for (size_t k = 0; rc == 0 && b->times && k < b->units; k++) {
        uint32_t s = unit_at(b, b->unit[k])->spell;
        if (s && b->ix->timed[b->ix->spell_first[s - 1]] == b->unit[k]) { /* once for each */
            rc = choose(b, s - 1, priced_worth, NULL, sum, err);
        }
    }
    return rc;
}

int pofi_branch_bound(struct pofi_part *b, pof_wide *bound, struct pof_err *err)
{
    pof_wide earned;
    int rc = pofi_spells_earn(b, &earned, err);
    *bound = pofi_branch_sum(b, &b->relaxed);
    *bound -= *bound == POFI_NEVER ? 0 : earned;
    return rc;
}
