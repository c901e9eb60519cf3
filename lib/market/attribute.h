/* SPDX-License-Identifier: Apache-2.0 */
/* Who pays for which watt: the quantities of one quarter-hour shared out among its requests.
 *
 * 1. Areas from the deepest up (a node's own offers before its subtree). Each stack of requests,
 * the dearest ceiling first, takes taken offers of its direction from its area in merit order
 * (price, then rank) that no deeper request has taken, until it has what it asks for. What deeper
 *    requests took counts for it too, less what is taken in its area against its direction.
 * 2. What is left over was taken because something is taken in the other direction: it makes room
 *    under a limit, or makes up for it where both directions are asked for. Areas from the deepest
 *    up, each watt left over goes to a request of the other direction that took a watt in the same
 *    area under 1, each of those answering for one watt; leftovers in merit order, requests in
 * order of index. The shares are marked `counter`.
 * 3. Should any be left (an indivisible offer can be taken beyond what is asked), they go to the
 *    first request that takes a part of the same offer, else to the first of the other direction,
 *    else to the first. They are marked `counter` too.
 *
 * Every taken watt is in exactly one share. O(n log n). */
#ifndef POF_MARKET_ATTRIBUTE_H
#define POF_MARKET_ATTRIBUTE_H

#include "market/clear.h"

/* The names of this enum in records are "request", "counter" and "reserve"; the last is never a
 * share: it is what market/auction.h holds ready beyond them. */
enum pof_award_why { POF_AWARD_REQUEST, POF_AWARD_COUNTER, POF_AWARD_RESERVE };

struct pof_share {
    uint32_t request; /* indices in the problem */
    enum pof_award_why why;
    size_t offer;
    int64_t p_w; /* > 0 */
};

/* Initialise with {0}; share is owned. */
struct pof_shares {
    struct pof_share *share;
    size_t n, cap;
};

/* Replaces *shares by those of a result, in order of request, why, offer price, rank.
 * POF_E_INTERNAL when something is taken though nothing is asked for. */
int pof_attribute(const struct pof_clear_problem *problem, const int64_t *taken_w,
                  struct pof_shares *shares, struct pof_err *err) POF_CHECKED;

#endif
