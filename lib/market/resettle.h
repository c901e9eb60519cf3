/* SPDX-License-Identifier: Apache-2.0 */
/* Settlements that somebody else made, held against the same ones computed again. */
#ifndef POF_MARKET_RESETTLE_H
#define POF_MARKET_RESETTLE_H

#include "market/settle.h"
#include "record/kept.h"

/* Initialise with pof_resettle_init; report and ctx may be set. */
struct pof_resettle {
    const struct pof_kept_records *given; /* borrowed */
    struct pof_names awards;              /* of given[i], by number i */
    bool *seen;                           /* of given[i]: it was computed again */
    struct pof_text party;                /* only what concerns it must be there; len 0: everything */
    pof_on_problem *problem; /* a difference, POF_E_ANSWER_NO, with the place of the given record */
    void *ctx;
    uint64_t equal, different;
};

/* given: settlements only (else POF_E_SCHEMA), each award of a session once (POF_E_DUPLICATE). */
int pof_resettle_init(struct pof_resettle *v, const struct pof_kept_records *given,
                      struct pof_err *err) POF_CHECKED;
/* Compares a computed settlement with the given one: the terms first, then field by field. O(1). */
int pof_resettle_take(struct pof_resettle *v, const struct pof_settlement *s,
                      struct pof_err *err) POF_CHECKED;
/* Tells what was given and not computed. */
void pof_resettle_close(struct pof_resettle *v);
void pof_resettle_release(struct pof_resettle *v);

/* Is a party one of a settlement: buyer, seller or owner? */
bool pof_settlement_concerns(const struct pof_settlement *s, struct pof_text party);

#endif
