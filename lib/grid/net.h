/* SPDX-License-Identifier: Apache-2.0 */
/* The network as solvers see it: complex voltages, and currents that are linear forms of them.
 *
 * Grid nodes that closed switches without impedance join are one bus; what no closed path joins to a
 * slack node is left out. With three phases a bus has three nodes, a, b, c. Every current is a form:
 * i = sum (g + jb) v over a few nodes, flowing from the node `at` into something. All in p.u. of the
 * grid's base_va (three-phase computations: base_va / 3 and phase-to-ground voltages, so that
 * balanced values are the same numbers).
 *
 * The pi model and its 3 x 3 counterpart become numbers here and in admittance.h, nowhere else. */
#ifndef POF_GRID_NET_H
#define POF_GRID_NET_H

#include "grid/grid.h"

struct pof_net {
    const struct pof_grid *grid;
    uint32_t phases;     /* 1: balanced; 3 */
    uint32_t buses;
    uint32_t nodes;      /* buses * phases; phase f of bus b is node b * phases + f */
    uint32_t *bus_of;    /* [grid nodes] POF_NONE: not energised */
    uint32_t *first_of;  /* [buses] the grid node of lowest index in the bus */
    uint32_t *slack_of;  /* [buses] the bus of the slack that it hangs on; of several slacks in one
                            island, themselves included, that of lowest index */
    double *flat_v, *flat_a; /* [nodes] where to start: the voltage of a slack (its own of a slack
                                bus), shifted by the transformers on the way; p.u. and rad */
    uint32_t forms;      /* 2 * branches * phases + nodes */
    uint32_t *at;        /* [forms] node where the current leaves; POF_NONE: form is empty */
    uint32_t *begin;     /* [forms + 1] entries of form k: begin[k] .. begin[k + 1] */
    uint32_t *to;        /* [entries] node; ascending in each form */
    double *g, *b;       /* [entries] */
    uint32_t floating;   /* parts without a way to ground in the zero sequence, see below */
};

/* A closed switch without impedance: its ends are one bus. Flows through it are no forms; they
 * follow from what the sections of the bus inject (pof_net_couplers). */
bool pof_branch_ideal(const struct pof_grid *grid, const struct pof_branch *b);

/* Three phases: a part of the network from which no zero-sequence current can flow to ground (behind
 * a delta, say, without capacitances of lines) has a zero-sequence voltage that nothing settles. What
 * settles it in the world are stray capacitances; so its first bus is given one, of
 * POF_STRAY_CAPACITANCE times the admittance of that bus: what windings of a transformer have, some
 * 10 nF against 0.1 S of leakage. Where no load draws a zero-sequence current the voltage is 0. */
#define POF_STRAY_CAPACITANCE 1e-4

/* phases 1 or 3. A branch with impedance whose ends are one bus (a line that a closed coupler
 * bypasses) stays: its forms have that bus alone. POF_E_TOPOLOGY: no slack node; slack nodes of
 * different voltage in one bus. POF_E_PHYSICS: phases = 3 and a branch whose three-phase model is not
 * known and cannot be assumed (see man page). O(nodes + branches). */
int pof_net_build(struct pof_net *net, const struct pof_grid *grid, uint32_t phases,
                  struct pof_err *err) POF_CHECKED;
void pof_net_release(struct pof_net *net);

/* The current into a branch at its end (to: false, true), phase f; into all that hangs on a node. */
static inline uint32_t pof_net_end(const struct pof_net *net, uint32_t branch, bool to, uint32_t f)
{
    return (2 * branch + to) * net->phases + f;
}
static inline uint32_t pof_net_bus(const struct pof_net *net, uint32_t node)
{
    return 2 * net->grid->branches * net->phases + node;
}

/* [nodes] where to start instead of flat_v and flat_a: what grid nodes have stored, of a bus the first
 * that has something; phases a third of a turn apart. */
void pof_net_stored(const struct pof_net *net, double *v, double *a);

/* Powers (or currents) through ideal switches from those that leave each section: out[s] of grid node
 * s (what its branches, shunts and consumption take together; each bus sums up to 0) becomes
 * flow[b] into switch b at its from end, for every ideal switch of the grid; where switches form a
 * loop they share as equal impedances would. Other branches are left alone. O(nodes + switches),
 * loops the cost of a sparse factorisation. */
int pof_net_couplers(const struct pof_net *net, const double *out, double *flow,
                     struct pof_err *err) POF_CHECKED;

#endif
