/* SPDX-License-Identifier: Apache-2.0 */
/* Tap changers: what a transformer is at another position, and positions that hold voltages.
 *
 * Control is that of power-grid-model's documentation ("Power flow with automatic tap changing"): a
 * regulated transformer's voltage, compensated for the drop on a line beyond (|V + Z I|, I into the
 * transformer at the regulated end), is to lie in its band. Transformers are ranked by how many
 * regulated ones lie between them and the nearest slack node, themselves included; those of one rank
 * move together, and a rank moves only when all before it are at rest. A transformer at the end of
 * its range stays there, in the band or not. */
#ifndef POF_GRID_TAP_H
#define POF_GRID_TAP_H

#include "grid/powerflow.h"

/* Branch b as it is with its tap at pos: rated voltage of the tapped winding, ratio, shift, impedance
 * (with the square of a tapped to side's voltage, and with uk and pk, which go linearly from the
 * neutral position to either end), no-load admittance; the same of the zero sequence. Writes *out,
 * and what out->tap and out->phases point to: *tap, and *phases when b has some. uk and pk need the
 * plate (b->asset); without one the rating and the nominal voltage are taken as rated values.
 * POF_E_RANGE: pos is beyond the ends; POF_E_PHYSICS: pk is more than uk allows there. */
int pof_tap_at(const struct pof_grid *grid, const struct pof_branch *b, int32_t pos,
               struct pof_branch *out, struct pof_branch_phases *phases, struct pof_tap *tap,
               struct pof_err *err) POF_CHECKED;

/* Moves the tap of a branch of the grid. Memory: a tap in the grid's arena. */
int pof_tap_set(struct pof_grid *grid, uint32_t branch, int32_t pos, struct pof_err *err) POF_CHECKED;

enum pof_tap_strategy {
    POF_TAP_NONE, /* taps stay */
    POF_TAP_ANY,  /* one step at a time until the band is reached, from where they are */
    POF_TAP_MIN,  /* the lowest voltage within the band */
    POF_TAP_MAX,  /* the highest */
    POF_TAP_FAST  /* any position within the band, by halving the range */
};

enum pof_tap_status {
    POF_TAP_SETTLED,
    POF_TAP_RESTLESS, /* a band that no position meets, or transformers that keep moving each other */
    POF_TAP_DIVERGED  /* a power flow on the way has no solution */
};

struct pof_tap_report {
    enum pof_tap_status status;
    uint32_t branch;     /* RESTLESS: a transformer that still moves; POF_NONE */
    uint32_t solves;     /* power flows computed */
    const int32_t *pos;  /* [branches] positions in the end, 0 where there is no tap; owned by control */
};

struct pof_tap_control; /* opaque; works on a copy of the branches, the grid's taps stay */

/* Errors as pof_pf_new; POF_E_REFERENCE: line drop compensation where the current cannot be told,
 * for no branch of the transformer ends at the regulated node; POF_E_RANGE: a band upside down. */
int pof_tap_control_new(struct pof_tap_control **out, const struct pof_grid *grid,
                        const struct pof_pf_options *options, enum pof_tap_strategy strategy,
                        struct pof_err *err) POF_CHECKED;
/* One load case, from the positions of the grid, as pof_pf_solve cold. */
int pof_tap_control_solve(struct pof_tap_control *c, const double *p_w, const double *q_var,
                          struct pof_tap_report *report, struct pof_err *err) POF_CHECKED;
/* The engine with the last power flow; lives as long as the control. */
const struct pof_pf *pof_tap_control_pf(const struct pof_tap_control *c);
void pof_tap_control_free(struct pof_tap_control *c);

#endif
