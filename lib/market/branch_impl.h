/* SPDX-License-Identifier: Apache-2.0 */
/* What the files branch*.c share: one part of a session while it is searched. */
#ifndef POF_MARKET_BRANCH_IMPL_H
#define POF_MARKET_BRANCH_IMPL_H

#include "market/block.h"

enum pofi_state { POFI_OPEN, POFI_ON, POFI_OFF };

/* Above any cost: the limits cannot be kept. */
#define POFI_NEVER ((pof_wide)1 << 124)

/* What the quarter-hours come to under some decisions. */
struct pofi_view {
    pof_wide *cost; /* [quarters] POFI_NEVER: limits cannot be kept */
    int64_t *taken; /* [entries] W */
    int64_t *value; /* [entries] what a watt more in the offer's direction is worth at its node */
    bool *dirty;    /* [quarters] to be solved again */
};

/* Quarter-hours as they were before the search solved them again, the last one last: stepping back
 * costs copies, no solving. */
struct pofi_past {
    struct pofi_image {
        uint32_t quarter;
        pof_wide cost;
    } *image;
    int64_t *entry; /* taken and value of each entry of these quarter-hours */
    size_t images, image_cap, entries, entry_cap;
};

/* What all parts of one problem read. */
struct pofi_index {
    const struct pof_block_problem *p;
    size_t *at_first;     /* [quarters + 1] */
    uint32_t *at;         /* entries by quarter-hour */
    uint32_t *unit_of;    /* [entries] */
    size_t *child_first;  /* [units + 1] */
    uint32_t *child;      /* units by parent */
    size_t *member_first; /* [groups + 1] */
    uint32_t *member;     /* units by group */
    size_t *spell_first;  /* [spells + 1] */
    uint32_t *timed;      /* units by spell */
};

/* One part; arrays over quarters, units and entries are shared by all parts, each part has its own
 * places in them. */
struct pofi_part {
    const struct pofi_index *ix;
    struct pof_clearing *clearing;
    const uint32_t *quarter; /* [quarters] of the part */
    const uint32_t *unit;    /* [units] of the part */
    uint32_t quarters;
    size_t units;

    struct pof_clear_offer *offer; /* one quarter-hour as it is solved */
    uint32_t *original;            /* index in the problem of each of these */
    int64_t *taken, *own_price;

    int64_t *price;        /* [entries] of open units */
    uint8_t *state, *best; /* [units] of the search; of the best result, none open */
    bool *kept;            /* [units] open ones that the best choice of times keeps */
    struct pofi_times *times; /* scratch of spells; NULL: the part has none */
    struct pofi_view relaxed, fixed, trial;
    uint32_t *trail; /* [units] of the part, in the order in which the search fixed them */
    size_t trailed;
    struct pofi_past past; /* of relaxed, during the search */
    pof_wide cost, bound;
    uint64_t nodes;
};

/* Solves the dirty quarter-hours of a part under decisions. */
int pofi_branch_refresh(struct pofi_part *b, const uint8_t *state, struct pofi_view *v,
                        struct pof_err *err) POF_CHECKED;
/* Sum over the part; POFI_NEVER when one is that. */
pof_wide pofi_branch_sum(const struct pofi_part *b, const struct pofi_view *v);
void pofi_branch_touch(const struct pofi_part *b, uint32_t unit, struct pofi_view *v);
const struct pof_clear_offer *pofi_branch_offer(const struct pofi_part *b, size_t entry);

/* --- spells --- */

int pofi_spells_open(struct pofi_part *b, struct pof_err *err) POF_CHECKED;
void pofi_spells_close(struct pofi_part *b);
/* Does what is on lie in the unit's spells, with the unit itself on, too? */
bool pofi_spell_fits(const struct pofi_part *b, const uint8_t *state, uint32_t unit);
/* The same for what is open and taken by relaxed. */
bool pofi_spell_fits_relaxed(const struct pofi_part *b, uint32_t unit);
/* The unit that is on farthest from this one in its spells. */
uint32_t pofi_spell_farthest(const struct pofi_part *b, const uint8_t *state, uint32_t unit);
/* kept for a spell's open units: as they would earn most at the node prices of fixed. */
int pofi_spell_propose(struct pofi_part *b, const uint8_t *now, uint32_t spell, struct pof_err *err) POF_CHECKED;
/* What the best choices of open times earn at entry prices; kept tells them. */
int pofi_spells_earn(struct pofi_part *b, pof_wide *sum, struct pof_err *err) POF_CHECKED;
static inline bool pofi_timed(const struct pofi_part *b, uint32_t unit)
{
    return b->ix->p->unit[unit].spell > 0;
}

/* A bound of the node that relaxed is of. */
int pofi_branch_bound(struct pofi_part *b, pof_wide *bound, struct pof_err *err) POF_CHECKED;

/* What an open unit asks beyond the prices of its entries, >= 0. */
pof_wide pofi_branch_slack(const struct pofi_part *b, uint32_t unit);
/* Share of a unit's power that is taken, in 1/2^20. */
int64_t pofi_branch_share(const struct pofi_part *b, uint32_t unit);

/* Entry prices with a good bound, from steps toward the cost of a known result. Leaves relaxed as
 * it is with them. */
int pofi_branch_price(struct pofi_part *b, unsigned rounds, struct pof_err *err) POF_CHECKED;

/* A first result from relaxed, in best, fixed and cost; flips while that pays. */
int pofi_branch_round(struct pofi_part *b, struct pof_err *err) POF_CHECKED;
/* The same from a proposal: wanted [units of the part]. */
int pofi_branch_round_to(struct pofi_part *b, const bool *wanted, struct pof_err *err) POF_CHECKED;

/* Turns units of the best result off, the last first, as long as that costs nothing. */
int pofi_branch_thin(struct pofi_part *b, struct pof_err *err) POF_CHECKED;

/* Fixes a unit and what follows from it; false: contradicts what is fixed (what was fixed stays on
 * the trail). */
bool pofi_branch_fix(struct pofi_part *b, uint32_t unit, enum pofi_state state);

/* A better bound from windows of at first so many quarter-hours, within budget nodes in all, and a
 * result from what they decide. */
int pofi_branch_windows(struct pofi_part *b, uint32_t length, uint64_t budget,
                        struct pof_err *err) POF_CHECKED;

/* pof_block_solve from known entry prices: [entries], of each unit at most what it asks in all. */
int pofi_block_solve_from(const struct pof_block_problem *problem, const struct pof_effort *options,
                          const int64_t *price, struct pof_decided *result,
                          struct pof_err *err) POF_CHECKED;

/* The search; bound and cost afterwards. */
int pofi_branch_search(struct pofi_part *b, uint64_t budget, struct pof_err *err) POF_CHECKED;

#endif
