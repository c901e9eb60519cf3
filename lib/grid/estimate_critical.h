/* SPDX-License-Identifier: Apache-2.0 */
/* Which readings nothing tests, alone or together.
 *
 * A critical reading has no residual. The residuals of a critical pair (or larger set) are one number
 * in several units: their normalised residuals are equal in magnitude whatever is read, their
 * correlation is +-1, so that a gross error in one cannot be told from one in another, and without
 * one of them the others are critical (Abur and Exposito, 2004, section 5.3). So the readings are
 * replaced twice by what the state would show with errors drawn at random, and those whose
 * normalised residuals agree both times form a set; at a minimum the relation is exact, not only to
 * first order. Chance agreement has a likelihood of about (readings * 1e-5)^2. */
#ifndef POF_GRID_ESTIMATE_CRITICAL_H
#define POF_GRID_ESTIMATE_CRITICAL_H

#include "grid/estimate.h"

/* What is found of an observation. */
enum { POF_SET_NONE = 0, POF_SET_ALONE = 1 }; /* tested by others; critical */

/* set[n] of n observations: POF_SET_NONE, POF_SET_ALONE, or the number, from 2, of the critical set it
 * belongs to. All POF_SET_NONE when there is no state. Three
 * estimates and tests. */
int pof_se_critical_sets(const struct pof_grid *grid, const struct pof_observation *observations,
                         size_t n, uint32_t *set, struct pof_err *err) POF_CHECKED;

#endif
