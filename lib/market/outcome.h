/* SPDX-License-Identifier: Apache-2.0 */
/* Final validation: awards and verdicts joined, and what is left of requests and offers. */
#ifndef POF_MARKET_OUTCOME_H
#define POF_MARKET_OUTCOME_H

#include "base/text.h"
#include "market/feeder.h"
#include "record/record.h"

/* What counts of a verdict. */
struct pof_join_verdict {
    uint64_t has; /* as in the record, for POF_HAS(.., verdict, ..) */
    struct pof_text award, element;
    int64_t p_w;
    int decision, reason;
    uint32_t number; /* of its award; POF_NONE: it had not come yet */
};

/* An award with its verdict. */
struct pof_joined {
    struct pof_award award;
    const struct pof_join_verdict *verdict; /* NULL: taken as accepted */
    int64_t p_w;                       /* that counts */
};

struct pof_join_counts {
    uint64_t accepted, curtailed, rejected, missing; /* awards; missing ones are accepted too */
    uint64_t held;                                       /* reserves: in none of these */
    int64_t awarded_wq, allowed_wq;                  /* W, added up over quarter-hours */
};

/* Initialise with pof_join_init. Texts of records in the arena. */
struct pof_join {
    const struct pof_feeder *feeder; /* borrowed; NULL: no grid is known */
    struct pof_joined *joined;       /* after closing by session, start, request, why, price, id */
    struct pof_join_verdict *verdict;
    struct pof_request *request; /* after closing by session, id */
    struct pof_offer *offer;     /* after closing by id */
    size_t awards, verdicts, requests, offers;
    struct pof_join_counts counts;
    struct pof_names award_ids, request_ids, offer_ids;
    struct pof_arena arena;
    size_t award_cap, verdict_cap, request_cap, offer_cap;
};

int pof_join_init(struct pof_join *j, const struct pof_feeder *feeder,
                  struct pof_err *err) POF_CHECKED;
void pof_join_release(struct pof_join *j);

/* Makes room for so many awards and verdicts before they come; there may be fewer or more. */
int pof_join_expect(struct pof_join *j, size_t awards, struct pof_err *err) POF_CHECKED;

/* Takes an award, verdict, request or offer, in any order. POF_E_DUPLICATE for an id given before,
 * POF_E_TIME for an award that is not one quarter-hour and for times off the quarter-hours. */
int pof_join_take(struct pof_join *j, const struct pof_record *record,
                  struct pof_err *err) POF_CHECKED;

/* POF_E_REFERENCE for a verdict without its award, POF_E_MISSING for an award without a verdict
 * (unless accept_missing), POF_E_CONFLICT for a verdict that does not fit its award: accept means
 * all of it, reject nothing, curtail less. O(n log n). */
int pof_join_close(struct pof_join *j, bool accept_missing, struct pof_err *err) POF_CHECKED;

/* Hands out the outcomes in the order of the awards. What is only held ready (`reserve`) has none and
 * meets no request, but is not carried over: it is promised. */
int pof_join_outcomes(const struct pof_join *j,
                      int (*each)(void *ctx, const struct pof_outcome *o, struct pof_err *err),
                      void *ctx, struct pof_err *err) POF_CHECKED;

/* Hands out what is left of the requests, in their order: quarter-hours with the same watts left
 * joined, nothing where all is met. Only requests of the sessions in which something was awarded;
 * of all sessions when nothing was. A request is met by the net activation of its area, counting
 * only outcomes of its own session (several requests on one area: dearest first). Without a grid
 * that is known for nodes and the whole grid; a request on a branch is then met by the outcomes
 * that name it and are no counter-activation. What keeps its whole time keeps its id; a part is
 * called ID/20260310T1315Z after its start. */
int pof_join_unmet(const struct pof_join *j,
                   int (*each)(void *ctx, const struct pof_request *r, struct pof_err *err),
                   void *ctx, struct pof_err *err) POF_CHECKED;

/* Hands out what is left of the offers, in their order, in the same manner: offered power less
 * outcomes. POF_E_REFERENCE when an award names an offer that was not taken, POF_E_CONFLICT when
 * more was awarded than offered. For every quarter-hour: offered = carried + outcomes. */
int pof_join_carry(const struct pof_join *j,
                   int (*each)(void *ctx, const struct pof_offer *o, struct pof_err *err),
                   void *ctx, struct pof_err *err) POF_CHECKED;

/* A participant's name as part of a file name: letters, digits, '-', '_' and '.' (not first) as
 * they are, other bytes as %XX. Appended to a buffer. */
int pof_file_part(struct pof_buf *to, struct pof_text name, struct pof_err *err) POF_CHECKED;

#endif
