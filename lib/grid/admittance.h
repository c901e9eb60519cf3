/* SPDX-License-Identifier: Apache-2.0 */
/* Branches and shunts as admittances: the one place where the pi model becomes numbers.
 *
 * Model: MATPOWER User's Manual, section 3.2. An ideal transformer ratio * e^(j shift) : 1 at the
 * from end, then the series admittance 1/(r + jx) between two halves of the shunt g + jb:
 *
 *     [If]   [ (ys + yc/2) / ratio^2        -ys / (ratio e^(-j shift)) ] [Vf]
 *     [It] = [ -ys / (ratio e^(j shift))     ys + yc/2                 ] [Vt]
 *
 * Everything in p.u. of the grid's base_va. Pure functions, no allocation, O(1). */
#ifndef POF_GRID_ADMITTANCE_H
#define POF_GRID_ADMITTANCE_H

#include "grid/grid.h"

/* The four admittances of a branch, real and imaginary. */
struct pof_pi {
    double gff, bff; /* from end, self */
    double gft, bft; /* from end, by the voltage of the to end */
    double gtf, btf; /* to end, by the voltage of the from end */
    double gtt, btt; /* to end, self */
};

/* Of a closed branch; b->closed is not looked at, the caller leaves open branches out. r = x = 0 is
 * not allowed (a grid document refuses it). */
struct pof_pi pof_branch_pi(const struct pof_branch *b);

/* A matrix of admittances by rows: of a branch 2 * phases square, currents into the from end and
 * then into the to end by the voltages of both; of a node phases square. */
struct pof_y {
    double g[36], b[36];
};

/* Of a closed branch; phases 1 or 3. */
int pof_branch_y(const struct pof_grid *grid, uint32_t branch, uint32_t phases, struct pof_y *y,
                 struct pof_err *err) POF_CHECKED;
/* Of the shunts of a node; false when it has none, and y is not filled in. */
bool pof_node_y(const struct pof_grid *grid, uint32_t node, uint32_t phases, struct pof_y *y);

/* Powers into a branch at its ends, p.u. */
struct pof_flow {
    double p_from, q_from, p_to, q_to;
};

/* From voltages v (p.u.) and angles a (rad) of both ends. */
struct pof_flow pof_pi_flow(const struct pof_pi *y, double v_from, double a_from, double v_to,
                            double a_to);

/* The fixed shunt of a node: its current is (g + jb) v, p.u.; b > 0 is capacitive (injects var). */
struct pof_shunt {
    double g, b;
};
struct pof_shunt pof_node_shunt(const struct pof_grid *grid, uint32_t node);

/* A of 1 p.u. of current at a node: base_va / (sqrt(3) base_v). */
double pof_base_current(const struct pof_grid *grid, uint32_t node);

#endif
