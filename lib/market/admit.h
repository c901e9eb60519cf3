/* SPDX-License-Identifier: Apache-2.0 */
/* What of the orders received takes part in a session: at its gate, once.
 *
 * Orders come in again and again: as revisions of what came before, as what is left of offers of
 * earlier sessions, and they are withdrawn. Of each order that counts which
 *   - came in before the gate (one that does not say when came in time), and of the session's own
 *     orders not before it opened;
 *   - has the highest revision of those;
 *   - is not revoked: no revocation by its party came in before the gate and at or after it.
 * What is left of an offer (ID/20260310T1315Z) is the offer for revisions and revocations, so it is
 * replaced and withdrawn with it. Requests belong to one session, offers may be of earlier ones. */
#ifndef POF_MARKET_ADMIT_H
#define POF_MARKET_ADMIT_H

#include "base/text.h"
#include "record/record.h"
#include "record/words.h"

struct pof_admit_counts {
    uint64_t offers, requests;  /* that take part */
    uint64_t refused, elsewhere; /* orders; requests of other sessions */
    uint64_t idle;              /* revocations that concern nothing here */
};

struct pof_admit_order;

/* Initialise with {0}. */
struct pof_admit {
    struct pof_session *session; /* as taken; after closing the first is the one chosen */
    size_t sessions, session_cap;
    struct pof_admit_order *order; /* after closing by kind, id */
    size_t orders, order_cap;
    struct pof_revocation *revocation;
    size_t revocations, revocation_cap;
    struct pof_names keys; /* of orders without their pieces */
    struct pof_arena arena;
    struct pof_admit_counts counts;
};

void pof_admit_release(struct pof_admit *a);

/* Takes a session, offer, request or revocation. POF_E_MISSING for the revocation of a request that
 * does not name its session. */
int pof_admit_take(struct pof_admit *a, const struct pof_record *record,
                   struct pof_err *err) POF_CHECKED;

/* id: of the session, NULL when there is one. POF_E_REFERENCE when there is no such session,
 * POF_E_DUPLICATE for one given twice and for two orders of one id and revision, POF_E_CONFLICT when
 * two parties claim one order, or a stranger revokes it. O(n log n). */
int pof_admit_close(struct pof_admit *a, const char *id, struct pof_err *err) POF_CHECKED;

/* Hands out those that take part, offers by id, then requests by id; and the others, the same. */
int pof_admit_each(const struct pof_admit *a,
                   int (*each)(void *ctx, const struct pof_record *order, struct pof_err *err),
                   void *ctx, struct pof_err *err) POF_CHECKED;
int pof_admit_refused(const struct pof_admit *a,
                      int (*each)(void *ctx, const struct pof_refusal *r, struct pof_err *err),
                      void *ctx, struct pof_err *err) POF_CHECKED;

/* An offer's id without the start that a piece of it has: /20260310T1315Z. */
struct pof_text pof_offer_base(struct pof_text id);

#endif
