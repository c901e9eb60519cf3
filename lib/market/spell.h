/* SPDX-License-Identifier: Apache-2.0 */
/* How long and how often something can be active: its quarter-hours of activity must lie in spells, each
 * so long at most from its first to its last, with so many quarter-hours of rest between one and the
 * next, and so many spells at most. Being active in fewer quarter-hours is always allowed when more is.
 *
 * Times are in quarter-hours, ascending, each once. */
#ifndef POF_MARKET_SPELL_H
#define POF_MARKET_SPELL_H

#include "market/clear.h"

struct pof_spell {
    uint32_t span; /* quarter-hours of one at most, >= 1 */
    uint32_t rest; /* between two at least */
    uint32_t most; /* of them; POF_NONE: any number */
};

/* Do these n active times lie in spells? least: [n] scratch. O(n * span) */
bool pof_spell_fits(const struct pof_spell *s, const uint32_t *at, size_t n, uint32_t *least);

/* A time in which it can be active, what that is worth, and whether it must be. */
struct pof_spell_time {
    uint32_t at;
    bool must;
    bool kept; /* answer: of the best choice, and worth something */
    pof_wide worth; /* >= 0 */
};

/* Scratch memory of the best choice, to be used again. Initialise with {0}. */
struct pof_spell_table {
    struct pof_spell_cell {
        pof_wide end, best; /* with its last spell ending here; here or before, if nothing is due between */
        uint32_t first, from; /* of that spell; where the best one ends */
    } *cell;
    size_t cap;
};
void pof_spell_table_release(struct pof_spell_table *t);

/* The choice of times worth most in all that holds all that must be; -1: there is none. Dynamic
 * programming over the last time of the last spell. O(n * span * spells) */
int pof_spell_best(const struct pof_spell *s, struct pof_spell_time *time, size_t n,
                   struct pof_spell_table *table, pof_wide *worth, struct pof_err *err) POF_CHECKED;

#endif
