/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of pof-audit share: the rules of pof-clear(1) and pof-explain(1), followed once more,
 * plainly, and held against awards and explanations. */
#ifndef POF_AUDIT_H
#define POF_AUDIT_H

#include "cli/cli.h"
#include "market/claim.h"
#include "num/units.h"
#include "record/words.h"

/* A place of the tree in the quarter-hour, by direction where it says [2]. Prices hold below it and for
 * its own offers. */
struct place {
    int64_t net, own_net;     /* up less down activation, W */
    int64_t held, own_held;   /* of reserves, as net */
    int64_t price, own_price; /* 1e-6 EUR/MWh */
    int64_t tie, own_tie;     /* W unmet for one more watt */
    int64_t low, high;        /* what the price outside may be more, by requests alone */
    int64_t taken[2];         /* what full branches take on the way to the root, in all */
    int64_t most[2];          /* what the one of them takes that takes most */
    uint32_t full[2];         /* that branch */
    int64_t p_w[2];           /* limits */
    bool priced, own_priced, asked[2], own_asked[2];
};

/* An offer in the quarter-hour. */
struct state {
    int64_t taken, left; /* W; of it after verdicts */
    int64_t held;        /* W, reserves */
    unsigned reserves;
    bool cut, told; /* of an offer or request */
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
    const struct pof_claim_line **award, **reserve; /* by request, why, offer; by request, offer, id */
    size_t needs, awards, reserves, prices;
    struct pof_names judged; /* awards with verdicts */
    const struct pof_verdict **verdict;
    const struct pof_claim_line **block_for, *any; /* the first request of each block, and of all */
    const struct pof_claim_line *reserve_any; /* one of the session, or NULL */
    bool reasons, answers;                    /* are due */
};

/* Awards (reserves) are what the rules make of the quantities: who pays for what. */
int audit_shares(struct audit *m, bool reserve, struct pof_err *err) POF_CHECKED;
/* Reserves fit beside the awards, are on the requests that the rules give them to, and the best. */
int audit_reserves(struct audit *m, struct pof_err *err) POF_CHECKED;
/* Of equal offers each gets its share; after audit_prices(). */
int audit_pro_rata(struct audit *m, struct pof_err *err) POF_CHECKED;
/* The prices of all places. */
void audit_prices(struct audit *m);
/* Every offer has its explanation, and each is what prices and awards say. */
int audit_reasons(struct audit *m, struct pof_err *err) POF_CHECKED;
/* The explanation an offer must have; after audit_reasons(). */
struct pof_explanation audit_reason(const struct audit *m, const struct pof_claim_line *offer);
/* The same for answers of requests, which follow from those. */
int audit_answers(struct audit *m, struct pof_err *err) POF_CHECKED;

static inline uint32_t audit_place(const struct audit *m, const struct pof_claim_line *l)
{
    return m->at[l->area / 2];
}

static inline struct state *audit_state(const struct audit *m, const struct pof_claim_line *l)
{
    return &m->state[l - m->c.line];
}

/* Is an offer in a request's area? */
static inline bool audit_serves(const struct audit *m, const struct pof_claim_line *o,
                                const struct pof_claim_line *r)
{
    uint32_t at = audit_place(m, o), area = audit_place(m, r);
    return r->area % 2 ? at == area : at >= area && at < m->end[area];
}

/* What a request wants held ready beyond what it asks for, W. */
static inline int64_t audit_margin(const struct pof_claim_line *l)
{
    const struct pof_request *r = &l->r->u.request;
    return POF_HAS(r, request, reserve_permille) ? (r->p_w * r->reserve_permille + 999) / 1000 : 0;
}

#endif
