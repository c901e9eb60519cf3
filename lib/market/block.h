/* SPDX-License-Identifier: Apache-2.0 */
/* Clearing with yes-or-no decisions: the problem, its result, and the search for it.
 *
 * A unit is one decision over any number of offers and quarter-hours. Taken, each of its entries
 * has low_w <= q <= p_w; not taken, q = 0 in all of them. That covers
 *
 *     an offer with a least power      one entry, low_w its least power
 *     a block                          all offers of the block in all their quarter-hours, low_w =
 * p_w an offer that has only a parent or a group     entries with low_w 0: the unit is a gate
 *
 * A unit can only be taken when its parent is, and of each group at most one is; the times of taken
 * units that share a spell must lie in spells (market/spell.h). The quarter-hours are problems of
 * market/clear.h; nothing else ties them together. Minimised is the sum of their costs.
 *
 * Method (A. Land, A. Doig, Econometrica 28(3), 1960; M. Held, R. Karp, Math. Programming 1, 1971;
 * A. Geoffrion, Math. Programming Study 2, 1974; B. Polyak, USSR Comp. Math. 9(3), 1969). The bound
 * of a node of the search is the sum over quarter-hours of the tree method with all open units
 * divisible. An open block of several entries gets a price of its own for each entry, such that
 * power times price adds up to at most what the block asks in all: any such prices give a bound,
 * good ones are found by alternating between node prices and entry prices and by subgradient steps.
 * Fixing a unit changes only the quarter-hours it touches, and only those are solved again.
 * An open unit of a spell has a price that may be above what it asks: the bound is then less by what the
 * best choice of times earns at these prices, and no other choice can earn more.
 *
 * In a long part, windows of quarter-hours are searched by themselves first, with a copy of each
 * unit in every window it touches: the sum of their bounds is better than that of the root. Windows
 * whose copies of a unit disagree are joined and searched again while nodes are left.
 *
 * A first result comes from rounding and from flipping single units while that pays. Because the
 * cost of a quarter-hour is convex in what is forced into it, node prices tell which flips cannot
 * pay, and which units cannot be otherwise in a better result. Parts of the session that no unit
 * ties together are searched apart.
 *
 * All costs and bounds are exact integers; floating point only proposes entry prices. What is
 * returned depends on the order of quarter-hours, units and entries, not on the number of threads,
 * and never on time: effort is counted in nodes. */
#ifndef POF_MARKET_BLOCK_H
#define POF_MARKET_BLOCK_H

#include "market/clear.h"
#include "market/spell.h"

struct pof_unit_entry {
    uint32_t quarter;
    uint32_t offer; /* index in the quarter-hour's problem; in one entry only */
    int64_t low_w;  /* least power when the unit is taken, 0 <= low_w <= p_w */
};

struct pof_unit {
    size_t first, last; /* entries [first, last) */
    uint32_t parent;    /* unit; POF_NONE: needs none */
    uint32_t group;     /* POF_NONE: none */
    uint32_t spell;     /* 1 + spell that it shares with others; 0: none. It has one entry then, */
    uint32_t at;        /* and this time; units of a spell come in order of their times */
};

struct pof_block_problem {
    /* [quarters]; an offer with frozen_w > 0 has its unit taken. On one forest. */
    const struct pof_clear_problem *quarter;
    uint32_t quarters;
    const struct pof_unit *unit;
    size_t units;
    const struct pof_unit_entry *entry; /* those of a unit stand together */
    size_t entries;
    uint32_t groups;
    const struct pof_spell *spell;
    uint32_t spells;
};

struct pof_effort {
    uint64_t budget; /* nodes searched in each part; 0: only the first result and its bound */
    unsigned threads;
    uint32_t window; /* longer parts begin with windows of so many quarter-hours; 0: 12 */
};

struct pof_decided {
    bool *on;             /* [units] of the caller */
    pof_wide cost, bound; /* 1e-6 EUR/MWh times W; bound <= least cost <= cost; equal: optimal */
    uint64_t nodes;       /* searched */
    uint32_t parts, open; /* parts of the session, and those whose optimum is not proven */
};

/* POF_E_RANGE for an index or power outside what is said above or an offer in two units,
 * POF_E_CONFLICT when frozen offers contradict parents, groups or limits or parents form a cycle;
 * the errors of pof_clear_solve. */
int pof_block_solve(const struct pof_block_problem *problem, const struct pof_effort *options,
                    struct pof_decided *result, struct pof_err *err) POF_CHECKED;

/* Puts decisions into offers: p_w and frozen_w of those of entries, so that what remains is
 * divisible and has a certificate. offer[quarter] is what the problem's offers are, to be changed.
 */
void pof_block_fix(const struct pof_block_problem *problem, const bool *on,
                   struct pof_clear_offer *const *offer);

#endif
