/* SPDX-License-Identifier: Apache-2.0 */
/* Settlement of outcomes against meters.
 *
 * Rule "usef" (USEF flexibility trading protocol 3, settle phase): with baseline b, measured a and
 * ordered o for a quarter-hour, turning up,
 *
 *     delivered  = min(max(b - a, 0), o)
 *     deficiency = max(0, a - (b - o))
 *     net        = fee * delivered - penalty * deficiency
 *
 * and mirrored for turning down. More than ordered is not paid; a pod that went the wrong way is
 * deficient by more than it was asked. A tolerance (share of the order) is taken from the
 * deficiency before the penalty.
 *
 * Several outcomes of one pod and quarter-hour. The meter shows one power, so what counts is the
 * net order n = sum of up - sum of down against the realised r = b - a. The pod falls short
 * - when n > 0, by n - r if r < n: the orders up are short;
 * - when n < 0, by r - n if r > n: the orders down are short;
 * - when n = 0, by |r|: the orders up if r < 0, the orders down if r > 0.
 * All orders of the other direction are delivered in full. Orders of the short direction are
 * delivered in order of session, then award, as far as their sum less the shortfall goes; what is
 * missing of each is its deficiency, and what exceeds them all is added to the last. Deficiencies
 * add up to the shortfall exactly; with one order this is the formula above.
 *
 * What the terms make of that is in terms.h. Statements are sums of lines: what buyers pay is what
 * sellers and owners receive, to the last micro-euro, and the tokens of statements are those of
 * settlements, to the last one. */
#ifndef POF_MARKET_SETTLE_H
#define POF_MARKET_SETTLE_H

#include "record/record.h"

struct pof_settle;

/* wanted: names or hashes of the terms to use; n 0: all that are given. Borrowed. */
int pof_settle_new(struct pof_settle **out, const char *const *wanted, size_t n,
                   struct pof_err *err) POF_CHECKED;

/* Records in any order; texts are copied. hash: of the canonical record of the terms, 64 hexadecimal
 * digits. Pods tell owners, for terms that give them a share. POF_E_DUPLICATE: an award of a session,
 * or terms of one scope, given twice; POF_E_CONFLICT: terms with two fees or penalties, a pod with two
 * owners; POF_E_RANGE: not a quarter-hour. */
int pof_settle_terms(struct pof_settle *s, const struct pof_terms *terms, struct pof_text hash,
                     struct pof_err *err) POF_CHECKED;
int pof_settle_pod(struct pof_settle *s, const struct pof_pod *pod, struct pof_err *err) POF_CHECKED;
int pof_settle_outcome(struct pof_settle *s, const struct pof_outcome *outcome,
                       struct pof_err *err) POF_CHECKED;
int pof_settle_baseline(struct pof_settle *s, const struct pof_baseline *baseline,
                        struct pof_err *err) POF_CHECKED;
int pof_settle_measurement(struct pof_settle *s, const struct pof_measurement *measurement,
                           struct pof_err *err) POF_CHECKED;

struct pof_settle_counts {
    uint64_t settled;  /* outcomes with a settlement */
    uint64_t rejected; /* outcomes of 0 W: nothing to settle */
    uint64_t missing;  /* outcomes whose baseline or measurement is not there */
};

/* Who takes the results. problem is called for each pod and quarter-hour without baseline or
 * measurement (POF_E_ANSWER_NO). */
typedef void pof_on_problem(void *ctx, const struct pof_err *problem);
struct pof_settle_taker {
    int (*settlement)(void *ctx, const struct pof_settlement *s, struct pof_err *err);
    int (*statement)(void *ctx, const struct pof_statement *s, struct pof_err *err); /* or NULL */
    pof_on_problem *problem;
    void *ctx;
};

/* Hands on settlements in order of start, pod, session, award; then one statement for each party, by
 * name. O(n log n). Once. POF_E_MISSING: no terms, or not those that are wanted; POF_E_REFERENCE: no
 * terms fit an outcome, or they give a share to an owner who is not known. */
int pof_settle_run(struct pof_settle *s, const struct pof_settle_taker *taker,
                   struct pof_err *err) POF_CHECKED;
struct pof_settle_counts pof_settle_counts(const struct pof_settle *s);
void pof_settle_free(struct pof_settle *s); /* NULL allowed */

/* The arithmetic of one pod and quarter-hour, for who wants it alone. */
struct pof_order {
    int direction;                      /* enum pof_direction */
    int64_t p_w;                        /* ordered, > 0 */
    int64_t delivered_w, deficiency_w;  /* results */
};
/* realised_w = baseline - measured. Orders stand in the order in which they are served. */
void pof_settle_split(struct pof_order *order, size_t n, int64_t realised_w);

#endif
