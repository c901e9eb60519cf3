/* SPDX-License-Identifier: Apache-2.0 */
/* Which outages are clearly secure, without a power flow of their own.
 *
 * With the factors of the Jacobian J of the case in service, that of the grid without a branch is J
 * less a matrix of rank 4 (the derivatives of its two flows), so Newton steps towards the case without
 * it cost a few solves (Sherman-Morrison-Woodbury; O. Alsac, B. Stott, W. F. Tinney, "Sparsity-oriented
 * compensation methods for modified network solutions", IEEE Trans. PAS 102(5), 1983). The first step
 * from the state in service is what linear outage factors give, of voltages and reactive power as well
 * (B. Stott, O. Alsac, "Fast decoupled load flow", IEEE Trans. PAS 93(3), 1974). The second tells how
 * far that was off.
 *
 * An outage is clearly secure when the second step is at most a fifth of the first and every voltage
 * and loading is within its limits by more than the second step changed it: by the contraction at
 * most a quarter of that can follow. All others are suspicious and need a power flow. So is what
 * leaves nodes without supply. */
#ifndef POF_GRID_CONTINGENCY_SCREEN_H
#define POF_GRID_CONTINGENCY_SCREEN_H

#include "grid/contingency.h"

/* secure[i] of each outage of c; all false where it cannot be said: three phases, linear methods,
 * reactive limits (generators may change sides). One factorisation, then 6 solves an outage and
 * O(nodes + branches). */
int pofi_outages_screen(const struct pof_outages *c, bool *secure, struct pof_err *err) POF_CHECKED;

#endif
