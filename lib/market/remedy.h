/* SPDX-License-Identifier: Apache-2.0 */
/* What a grid operator can do itself before it asks the market: move taps, open and close switches.
 *
 * A remedy has a name, a cost and actions, all of which are taken for the whole window, or none. How bad a
 * forecast is, is told by quarter-hours without a solution, then by the sum of what its violations exceed their limits
 * by, as shares of them. Two rules choose:
 * - stated: remedies are tried in their order, each kept that makes the forecast better with those kept before it, until
 *   it is clean;
 * - cost: of all combinations the least costly that makes it clean (of equal cost the one with fewer
 *   remedies, then the one with the earlier ones), or the one that leaves least when none does.
 * Combinations that close a loop or take nodes off the grid are left out. */
#ifndef POF_MARKET_REMEDY_H
#define POF_MARKET_REMEDY_H

#include "market/request.h"

enum { POF_REMEDIES_MAX = 64, POF_REMEDIES_COST_MAX = 8 };

enum pof_remedy_rule { POF_REMEDY_STATED, POF_REMEDY_COST };

struct pof_remedy_action {
    uint32_t branch;
    bool is_tap;
    int32_t pos; /* of the tap */
    bool closed; /* of the switch */
};

struct pof_remedy_state {
    uint64_t violations;
    uint32_t quarters; /* with a violation or without a solution */
    uint64_t diverged;
    double excess;
};

struct pof_remedy {
    struct pof_text name;
    int64_t cost_ueur;
    uint32_t first, actions; /* in action */
    bool taken;
    struct pof_remedy_state after; /* of those taken: with it and the taken ones before it */
};

struct pof_remedies {
    struct pof_remedy *remedy; /* as stated */
    size_t n;
    struct pof_remedy_action *action;
    struct pof_remedy_state before; /* of the forecast without any */
    uint64_t tried;                 /* combinations computed */
    struct pof_arena arena;
};

/* Reads a document {"schema": "pof.remedies/1", "remedies": [{"name", "cost_eur", "actions": [{"branch", "tap": POSITION}
 * or {"branch", "closed": true or false}]}]}. REFERENCE: no such branch; CONFLICT: a tap it does not have;
 * DUPLICATE: a name twice; RANGE: more than POF_REMEDIES_MAX. */
int pof_remedies_parse(struct pof_remedies *r, const struct pof_grid *grid, struct pof_text json, const char *name,
                       struct pof_err *err) POF_CHECKED;

/* Chooses and applies: the grid is then that of the chosen remedies. RANGE: more than POF_REMEDIES_COST_MAX for the
 * rule cost. The same for any number of threads. O(tried * quarters * power flow), tried <= 2 n or 2^n. */
int pof_remedies_choose(struct pof_remedies *r, struct pof_grid *grid, const struct pof_forecast *f,
                        const struct pof_request_options *options, enum pof_remedy_rule rule,
                        struct pof_err *err) POF_CHECKED;

void pof_remedies_release(struct pof_remedies *r);

#endif
