/* SPDX-License-Identifier: Apache-2.0 */
/* Is a clearing result feasible and optimal? Answered from the problem, the quantities and the node
 * prices alone, in integers, without solving anything (complementary slackness; A. Schrijver,
 * Theory of Linear and Integer Programming, section 7.9). O(n + m log m). */
#ifndef POF_MARKET_CERTIFICATE_H
#define POF_MARKET_CERTIFICATE_H

#include "market/clear.h"

/* Cost of quantities: sum of price q and ceiling s, 1e-6 EUR/MWh times W. taken_w as in a result.
 */
int pof_clear_cost(const struct pof_clear_problem *problem, const int64_t *taken_w, pof_wide *cost,
                   struct pof_err *err) POF_CHECKED;

/* Watts that each request [requests] does not get, dearest ceilings of an area served first, at
 * most what it asks for. */
int pof_clear_unmet(const struct pof_clear_problem *problem, const int64_t *taken_w,
                    int64_t *unmet_w, struct pof_err *err) POF_CHECKED;

enum pof_certificate {
    POF_CERTIFIED,        /* feasible, and optimal at these prices */
    POF_CERT_QUANTITY,    /* an offer is taken beyond its bounds */
    POF_CERT_LIMIT,       /* a limit is exceeded */
    POF_CERT_OFFER_PRICE, /* an offer is taken above, or left below, the price at its node */
    POF_CERT_EDGE_PRICE   /* prices on two sides of a branch differ without a reason */
};

struct pof_certificate_answer {
    enum pof_certificate status;
    size_t where; /* offer, or node */
};

/* result has quantities and both price arrays. */
int pof_clear_certify(const struct pof_clear_problem *problem,
                      const struct pof_clear_result *result, struct pof_certificate_answer *answer,
                      struct pof_err *err) POF_CHECKED;

#endif
