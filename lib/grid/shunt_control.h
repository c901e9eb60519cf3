/* SPDX-License-Identifier: Apache-2.0 */
/* Switched shunts that hold voltages, together with tap changers.
 *
 * A bank whose voltage is below its band switches one step more on, above it one off, all banks at
 * once, until none wants to; then the stepless ones are moved, one after the other, to where the
 * voltage is at the edge of the band (secant method), until all of them are; whenever anything has
 * moved, those before it are looked at again. Steps are those of PSS/E's modes 1 and 2: reactors in
 * the order of their blocks below 0, capacitors above. A bank at its end stays there. One whose band
 * is narrower than a step, or that others push about, stays where the voltage is nearest to its band
 * after it has turned round three times. One whose voltage a generator holds stays as it is. Tap changers settle (tap.h) before every look at a bank. */
#ifndef POF_GRID_SHUNT_CONTROL_H
#define POF_GRID_SHUNT_CONTROL_H

#include "grid/tap.h"

struct pof_shunt_report {
    const double *b_var; /* [banks] what each injects at 1 p.u. in the end; owned by control */
    uint32_t outside;    /* banks that end outside of their band: at an end, or for want of a step */
    uint32_t bank;       /* where status is RESTLESS for the sake of a bank: it; else POF_NONE */
};

struct pof_shunt_control; /* opaque; works on a copy of nodes and branches */

/* strategy: of the taps. Errors as pof_tap_control_new. */
int pof_shunt_control_new(struct pof_shunt_control **out, const struct pof_grid *grid,
                          const struct pof_pf_options *options, enum pof_tap_strategy strategy,
                          struct pof_err *err) POF_CHECKED;
/* One load case, from banks and taps as the grid has them. taps->status says what came of all. */
int pof_shunt_control_solve(struct pof_shunt_control *c, const double *p_w, const double *q_var,
                            struct pof_tap_report *taps, struct pof_shunt_report *shunts,
                            struct pof_err *err) POF_CHECKED;
/* The engine with the last power flow; lives as long as the control. */
const struct pof_pf *pof_shunt_control_pf(const struct pof_shunt_control *c);
void pof_shunt_control_free(struct pof_shunt_control *c);

#endif
