/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of pof-audit share: the rules of pof-clear(1) and pof-explain(1), followed once more,
 * plainly, and held against awards and explanations. */
#ifndef POF_AUDIT_H
#define POF_AUDIT_H

#include "cli/cli.h"
#include "market/claim.h"
#include "num/units.h"
#include "record/words.h"

enum { FOR_REQUEST, COUNTER }; /* award_why */

/* A place of the tree in the quarter-hour, by direction where it says [2]. */
struct place {
    int64_t net, own_net;     /* up less down activation, W */
    int64_t price, own_price; /* 1e-6 EUR/MWh */
    int64_t low, high;        /* what the price outside may be more, by requests alone */
    int64_t held[2];          /* what full branches take on the way to the root, in all */
    int64_t most[2];          /* what the one of them takes that takes most */
    uint32_t full[2];         /* that branch */
    bool priced, own_priced, asked[2], own_asked[2];
};

/* An offer in the quarter-hour. */
struct state {
    int64_t taken, left; /* W; of it after verdicts */
    bool cut, told;
};

struct audit {
    struct pof_claim c;
    struct pof_grid grid;
    uint32_t *at, *up, *end; /* of nodes: place along the tree, parents first; of places */
    struct place *place;
    struct state *state; /* by line */
    int64_t now;
    const struct pof_claim_line **need; /* fed requests: lowest areas first, own first, direction,
                                           dearest first */
    const struct pof_claim_line **award;
    size_t needs, awards;
    struct pof_names judged; /* awards with verdicts */
    const struct pof_verdict **verdict;
    const struct pof_claim_line **block_for, *any; /* the first request of each block, and of all */
    bool reasons;
};

/* Awards are what the rules make of the quantities: who pays for what. */
int audit_shares(struct audit *m, struct pof_err *err) POF_CHECKED;
/* Every offer has its explanation, and each is what prices and awards say. */
int audit_reasons(struct audit *m, struct pof_err *err) POF_CHECKED;

static inline uint32_t audit_place(const struct audit *m, const struct pof_claim_line *l)
{
    return m->at[l->area / 2];
}

static inline struct state *audit_state(const struct audit *m, const struct pof_claim_line *l)
{
    return &m->state[l - m->c.line];
}

#endif
