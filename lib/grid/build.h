/* SPDX-License-Identifier: Apache-2.0 */
/* Making a grid, for the readers of all formats: nodes first, then branches, each checked. */
#ifndef POF_GRID_BUILD_H
#define POF_GRID_BUILD_H

#include "grid/grid.h"

enum { POF_GRID_NAME_MAX = 64 }; /* bytes of a name, as in records */

/* x = 1e-6 p.u. of 1 MVA, in p.u. of base_va: what a closed switch without impedance of its own is
 * modelled with. Small enough to change no voltage visibly (1e-6 p.u. at 1 MVA), large enough to
 * keep admittances well below the inverse of the precision of a double; a pure reactance, so that
 * no power is lost in it. */
#define POF_SWITCH_X_PER_VA 1e-12

/* A grid in the making. Initialise with {.grid = g}; *g must be {0}. On failure the caller releases
 * the grid. */
struct pof_build {
    struct pof_grid *grid;
    size_t node_cap;
    size_t branch_cap;
    size_t bank_cap;
    double base_v_min; /* least nominal voltage, V; 0: 50, below which a unit is likely wrong */
};

/* Room for so many nodes and branches in all, for readers that know; no promise. */
int pof_build_reserve(struct pof_build *b, size_t nodes, size_t branches, struct pof_err *err) POF_CHECKED;

/* A node with all defaults of pof-grid(5). */
struct pof_node pof_node_default(struct pof_text name, double base_v);

/* Adds a copy; name is copied into the grid. Refused: a name already given, longer than
 * POF_GRID_NAME_MAX or empty; values that are not finite or beyond what a document may hold;
 * v_min_pu >= v_max_pu; zero_injection where something is connected. */
int pof_build_node(struct pof_build *b, const struct pof_node *node, struct pof_err *err) POF_CHECKED;

/* The same for a branch; its asset, phases and tap (each may be NULL) are copied, as are the phases of
 * a node. Refused besides: both ends the same node, r = x = 0, a line or switch with a ratio or between
 * two voltage levels, windings or taps of what is no transformer, matrices of what is no line, a clock
 * that windings cannot have, a tap outside of its range. */
int pof_build_branch(struct pof_build *b, const struct pof_branch *branch,
                     struct pof_err *err) POF_CHECKED;

/* The same for switched shunts. Refused: a node that is not there, a band upside down, no block, a
 * block without steps or of 0 var, values beyond what a document may hold. */
int pof_build_bank(struct pof_build *b, const struct pof_bank *bank, struct pof_err *err) POF_CHECKED;

/* What every grid needs in the end: nodes as pof_build_node wants them, at least one slack node, a
 * possible base power and frequency. */
int pof_build_finish(const struct pof_build *b, struct pof_err *err) POF_CHECKED;

/* Fills r, x, g, b, ratio of a branch (and rating_va from rating_a) from an asset. Lines: IEC 60909
 * units. Transformers: B. R. Oswald, "Netzberechnung", or IEC 60909-0 section 6.3: z = uk vn^2 / sn,
 * r = pk vn^2 / sn^2, no-load branch from i0 and p0, all on the to side, half of the no-load branch
 * at each end. A tap changer (branch->tap) adds its steps to the rated voltage of its winding; uk and pk
 * go linearly from the neutral position to either end where the plate knows them there (the shift is
 * left alone). A line by its conductors has the r, x, b of its transposed matrices. false when losses
 * exceed what uk or i0 allow. */
bool pof_asset_model(const struct pof_grid *grid, const struct pof_asset *asset,
                     struct pof_branch *branch);

/* The zero sequence, matrices or groundings of an asset. out->from, to and clock are given when form is
 * PLATE. Without a zero-sequence test of a plate, uk0 is uk (a tenth of it with a grounded zigzag:
 * IEC 60076-8 section 4), pk0 in proportion, and the zero-sequence no-load current and losses are those
 * of the positive sequence (five legs or three tanks; three-legged cores have far more). false: a line
 * without zero-sequence data, impossible losses, or an impedance matrix whose neutral has none. */
bool pof_asset_phases(const struct pof_grid *grid, const struct pof_asset *asset,
                      const struct pof_branch *branch, struct pof_branch_phases *out);

/* Degrees and back. The second gives the shortest decimal that the first turns into the same
 * radians, when there is one. */
double pof_rad_of_deg(double deg);
double pof_deg_of_rad(double rad);

#endif
