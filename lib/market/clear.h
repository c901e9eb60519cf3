/* SPDX-License-Identifier: Apache-2.0 */
/* Exact clearing of one quarter-hour on a radial grid, in integers.
 *
 * Variables: the part q of every offer that is taken, 0 <= q <= p. The net activation f of an area
 * is the sum of up offers taken less that of down offers taken in it. Areas are subtrees (all that
 * is fed through a branch; the root's subtree is the whole grid) and single nodes. Subject to
 *
 *     -p_down <= f <= p_up        for every area with a limit
 *      f >=  P - s, s >= 0        for an area with up requests of P in all
 *      f <= -P + s, s >= 0        for an area with down requests of P in all
 *
 * minimise   sum of price q  +  sum of ceiling s,   prices and ceilings in 1e-6 EUR/MWh, powers in
 * W.
 *
 * Several requests of one direction on one area stack: the dearest ceiling is served first, and
 * what goes against the direction counts as unmet at the dearest ceiling.
 *
 * This is a minimum-cost flow on a tree, equivalently separable convex resource allocation over a
 * laminar family (D. Hochbaum, Math. of OR 19(2), 1994). Solved bottom-up: the least cost of an
 * area as a function of f is convex and piecewise linear, kept as a list of (marginal cost, width);
 * lists of children and own offers merge; a request adds its ceiling to the part below P (or above
 * -P); a limit cuts both ends. Each of these leaves one key, the marginal cost at its place, and a
 * pass from the roots down turns the keys into marginal prices of all nodes and into quantities.
 *
 * Ties. Among results of equal cost the one with the least sum of s is taken (so an offer at
 * exactly the ceiling is taken), among those the one with the least sum of rank times q: no watt of
 * a later rank is taken where an equal offer of an earlier rank could stand in, and as ranks are
 * above 0 nothing is taken without need, even at price 0. Ranks are unique, so the result is
 * unique: it cannot depend on the order of the input. The three objectives are one 128-bit number:
 * cost times 2^59, s times 2^33, rank.
 *
 * O(n log n) for n offers and nodes, whatever the depth, plus for each area with requests the
 * number of offers below it. */
#ifndef POF_MARKET_CLEAR_H
#define POF_MARKET_CLEAR_H

#include "base/err.h"
#include "market/forest.h"
#include "num/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Money before its one rounding, 1e-6 EUR/MWh times W; and marginal costs with their ties. */
__extension__ typedef __int128 pof_wide;

struct pof_clear_offer {
    uint32_t node;
    enum pof_direction direction;
    int64_t p_w;        /* W on offer, >= 0 */
    int64_t frozen_w;   /* of these, already taken by an earlier pass: q >= frozen_w */
    int64_t price_ueur; /* 1e-6 EUR/MWh; below 0: is worth something by itself */
    uint32_t rank;      /* > 0, unique: the tie rule's order, 1 first */
};

struct pof_clear_request {
    uint32_t node;
    bool own; /* the node's own offers; otherwise its whole subtree */
    enum pof_direction direction;
    int64_t p_w;          /* W, >= 0 */
    int64_t ceiling_ueur; /* 1e-6 EUR/MWh, >= 0 */
};

/* Of the subtree of a node. Several on one node: the tightest hold. */
struct pof_clear_limit {
    uint32_t node;
    int64_t p_up_w;   /* >= 0 */
    int64_t p_down_w; /* >= 0 */
};

struct pof_clear_problem {
    const struct pof_forest *forest;
    const struct pof_clear_offer *offer; /* in the order of pof_clear_offer_cmp */
    size_t offers;
    const struct pof_clear_request *request;
    size_t requests;
    const struct pof_clear_limit *limit;
    size_t limits;
};

/* Arrays of the caller. */
struct pof_clear_result {
    int64_t *taken_w;         /* [offers] q */
    int64_t *node_price_ueur; /* [nodes] cost of one more watt of net activation at the node, before
                                 its own requests; NULL: not wanted. With them anybody can check
                                 that the result is optimal: market/certificate.h */
    int64_t *own_price_ueur;  /* [nodes] the same for the node's own offers; NULL: not wanted */
    pof_wide *node_cost;      /* [nodes] both once more, with their ties: pof_marginal_of() parts */
    pof_wide *own_cost;       /* them; NULL: not wanted. With these the one result is certified */
};

/* A marginal cost by its three objectives. */
struct pof_marginal {
    int64_t price_ueur, unmet, rank;
};
struct pof_marginal pof_marginal_of(pof_wide cost);

/* The order of a problem's offers: by node, then by marginal cost of net activation: down offers
 * from the dearest, then up offers from the cheapest, equal prices by the tie rule. For qsort(3).
 */
int pof_clear_offer_cmp(const void *a, const void *b);

/* Scratch memory of solving, to be used again; one for each thread. */
struct pof_clearing;
int pof_clearing_new(struct pof_clearing **out, struct pof_err *err) POF_CHECKED;
void pof_clearing_free(struct pof_clearing *c);

/* POF_E_RANGE when a number or index is outside what is said above or offers are out of order,
 * POF_E_OVERFLOW when powers add up to more than 2^62 W or ceilings to more than 2^60
 * units, POF_E_CONFLICT when frozen parts violate a limit. Otherwise a result always exists. */
int pof_clear_solve(struct pof_clearing *c, const struct pof_clear_problem *problem,
                    struct pof_clear_result *result, struct pof_err *err) POF_CHECKED;

#endif
