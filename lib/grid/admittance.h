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

/* Of a closed branch; phases 1 or 3. With three phases POF_E_PHYSICS, the branch named, where its zero
 * sequence is not known; of a switch alone it is assumed: its poles have no coupling, so all
 * sequences are the same. A transformer whose windings have no magnetising branch in the zero sequence
 * (g0 = b0 = 0) lets nothing flow there. */
int pof_branch_y(const struct pof_grid *grid, uint32_t branch, uint32_t phases, struct pof_y *y,
                 struct pof_err *err) POF_CHECKED;
/* Of the shunts of a node; false when it has none, and y is not to be used. */
bool pof_node_y(const struct pof_grid *grid, uint32_t node, uint32_t phases, struct pof_y *y);

/* Can windings connected so have that clock? IEC 60076-1: odd when one of the two is a star (y, yn),
 * even otherwise. */
bool pof_clock_possible(const struct pof_branch_phases *p);

/* The series impedance of four conductors a, b, c, n (4 x 4 by rows) as that of three phases into r
 * and x of out, same unit. Earthed: Z_ij - Z_in Z_nj / Z_nn (W. H. Kersting, "Distribution System
 * Modeling and Analysis", section 4.1); return: the loop impedances Z_ij - Z_in - Z_nj + Z_nn. Shunt
 * admittances of a neutral at ground vanish with its row and column. false: Z_nn = 0, earthed. */
bool pof_kron_reduce(const double r[16], const double x[16], enum pof_neutral neutral,
                     struct pof_branch_phases *out);

/* r, x, g, b of a branch given by matrices: those of the same line transposed (means of diagonal less
 * means of the other elements). */
void pof_phases_balance(const struct pof_branch_phases *p, struct pof_branch *b);

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
