/* SPDX-License-Identifier: Apache-2.0 */
/* Why each offer stands as it does, read from the prices of a result (market/clear.h): nothing is
 * solved again.
 *
 * What an offer is worth at its node is the price there, for a down offer its negative. On the way to
 * the root prices step; a step beyond what requests on it explain is what a full branch takes. An
 * offer that is lost although it asks no more than its worth plus what full branches take on its way
 * is lost on the grid; else on its price. */
#ifndef POF_MARKET_EXPLAIN_H
#define POF_MARKET_EXPLAIN_H

#include "market/book.h"

struct pof_explain_taken;
struct pof_explain_price;

/* Initialise with pof_explain_init. */
struct pof_explain {
    const struct pof_book *book; /* closed; borrowed */
    struct pof_names offers;     /* numbers are indices in the book */
    struct pof_names awards;
    struct pof_explain_taken *taken; /* by number of the award */
    struct pof_explain_price *price;
    size_t takens, prices, taken_cap, price_cap;
};

int pof_explain_init(struct pof_explain *x, const struct pof_book *book,
                     struct pof_err *err) POF_CHECKED;
void pof_explain_release(struct pof_explain *x);

/* The result, in any order; verdicts after their awards. POF_E_REFERENCE for what the book does not
 * have; awards and prices of other sessions are left out. */
int pof_explain_award(struct pof_explain *x, const struct pof_award *a,
                      struct pof_err *err) POF_CHECKED;
int pof_explain_price(struct pof_explain *x, const struct pof_node_price *p,
                      struct pof_err *err) POF_CHECKED;
int pof_explain_verdict(struct pof_explain *x, const struct pof_verdict *v,
                        struct pof_err *err) POF_CHECKED;

/* One explanation for every offer and quarter-hour, by quarter-hour, node, direction and price; texts
 * live until the book's release. O(offers x depth) a quarter-hour at most. */
typedef int pof_on_explanation(void *ctx, const struct pof_explanation *e, struct pof_err *err);
int pof_explain_run(struct pof_explain *x, pof_on_explanation *on, void *ctx,
                    struct pof_err *err) POF_CHECKED;

/* One answer for every request and quarter-hour of the book, from the explanations above: how much of
 * it is met, and what keeps the offers left in its area from giving more. The reason told is, if any
 * offer left has it, the first of: grid (by its explanation, or it asks no more than the request pays
 * and a branch on its way is full), opposed (no branch is full, yet it asks no more than the request
 * pays), choice, gate, price; of the offers with it the cheapest is named.
 * O(offers x depth) for each request that is not met. */
typedef int pof_on_answer(void *ctx, const struct pof_answer *a, struct pof_err *err);
int pof_answer_run(struct pof_explain *x, pof_on_answer *on, void *ctx,
                   struct pof_err *err) POF_CHECKED;

/* What can be delivered, within the limits of the book, when nothing else is asked for: for every
 * request of the book in its area and direction, or at the root in both directions. Steps in order of
 * quarter-hour, request, direction, price. Every point of a step is feasible in every feeder: net
 * activation between two feasible results is. One clearing for each price asked. */
typedef int pof_on_supply(void *ctx, const struct pof_supply *s, struct pof_err *err);
int pof_supply_run(const struct pof_book *book, bool root, pof_on_supply *on, void *ctx,
                   struct pof_err *err) POF_CHECKED;

#endif
