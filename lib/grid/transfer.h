/* SPDX-License-Identifier: Apache-2.0 */
/* How far consumption moves the active power of a branch, as integers: what power transfer distribution
 * factors are to a direct-current model, here from the AC power flow's derivatives (grid/sensitivity.h)
 * at the state that the grid document describes (its own loads and generation). In a loop power divides
 * by impedances, so that state matters little; what it leaves out, losses and reactive power at other
 * states, is left to a power flow of the result.
 *
 * Rounded once to millionths, they are data: whoever works out the same row from the same grid gets the
 * same integers, and sums over whole watts are exact. */
#ifndef POF_GRID_TRANSFER_H
#define POF_GRID_TRANSFER_H

#include "grid/grid.h"

#define POF_TRANSFER_ONE 1000000 /* 1 W for 1 W */

struct pof_transfer; /* opaque; used by one thread at a time */

/* One power flow and one factorisation. The grid must outlive it. POF_E_PHYSICS when the grid's own state
 * has no solution or no derivatives; errors of pof_pf_new. */
int pof_transfer_new(struct pof_transfer **out, const struct pof_grid *grid, struct pof_err *err) POF_CHECKED;

/* ppm[i] [nodes]: millionths of a watt by which the flow into a branch at its from node rises for 1 W more
 * consumption at node i; 0 where nothing is fed. One solve. POF_E_PHYSICS: a closed switch without
 * impedance, whose flow no voltage tells; POF_E_RANGE: a factor beyond 1000. */
int pof_transfer_row(struct pof_transfer *t, uint32_t branch, int32_t *ppm, struct pof_err *err) POF_CHECKED;

void pof_transfer_free(struct pof_transfer *t);

#endif
