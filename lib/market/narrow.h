/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts as limits for clearing, so that a session can be cleared again and find better awards than
 * what the verdicts leave of the first ones.
 *
 * An award that is cut limits an area, all that is fed through one branch: for an overload the
 * overloaded branch; for a voltage the branch nearest to the root behind which every node moves that
 * voltage at least POF_REQUEST_EFFECTIVE times as much as its own node does (feeder.h); where that does
 * not feed the award, or a branch out of service is the reason, the branch to the award's own node. The
 * net activation of the area in the direction of the award may be what the verdicts leave of it, less a
 * margin: a share of the branch's rating (without one: of what is awarded in the area), never below 0.
 * The other direction stays free. A branch that is part of a loop feeds no area: its overload limits what awards
 * anywhere move its flow by (loop.h); and for the rest, what feeds the award alone is the last branch on its way
 * that is in no loop, if there is one: awards cut for a voltage without one limit nothing, which is counted.
 * pof-clear takes the tightest of several limits of a branch. */
#ifndef POF_MARKET_NARROW_H
#define POF_MARKET_NARROW_H

#include "market/validate.h"

struct pof_narrow {
    struct pof_limit *limit; /* by quarter-hour, then in the grid's order of branches */
    size_t n, cap;
    uint64_t without; /* awards cut that limit nothing */
};

/* Of verdicts that were made; grid and forecast must outlive the limits. POF_E_TOPOLOGY: not one slack node;
 * errors of grid/transfer.h.
 * O(awards cut * depth + areas * awards of the quarter-hour). */
int pof_narrow(struct pof_narrow *out, const struct pof_validate *v, const struct pof_grid *grid,
               double margin, struct pof_err *err) POF_CHECKED;
void pof_narrow_release(struct pof_narrow *n);

#endif
