/* SPDX-License-Identifier: Apache-2.0 */
/* What the files behind net.h share. */
#ifndef POF_GRID_NET_IMPL_H
#define POF_GRID_NET_IMPL_H

#include "grid/admittance.h"
#include "grid/net.h"

/* Buses are known by their root, the grid node of lowest index, until all are numbered. */
struct pofi_islands {
    uint32_t *root;  /* [grid nodes] */
    uint32_t *slack; /* [grid nodes] of a root: the root of the slack that it hangs on; POF_NONE */
    uint32_t *end;   /* [2 * branches] root at 2 * branch + (to end); POF_NONE unless the branch is
                        closed and has an impedance */
    uint32_t *first; /* [grid nodes + 2] where the branch ends at a root begin in at */
    uint32_t *at;    /* places in end */
    double *v, *a;   /* [grid nodes] of a root, when nothing flows: p.u. and rad */
    uint32_t buses;  /* energised roots */
    bool shifted;    /* is there a branch that turns angles? */
};

/* Errors as pof_net_build. O(nodes + branches). */
int pofi_islands_build(struct pofi_islands *s, const struct pof_grid *grid,
                       struct pof_err *err) POF_CHECKED;
void pofi_islands_release(struct pofi_islands *s);

/* pof_branch_y and pof_node_y of three phases. */
int pofi_branch_y3(const struct pof_branch *b, struct pof_y *y, struct pof_err *err) POF_CHECKED;
bool pofi_node_y3(const struct pof_grid *grid, uint32_t node, struct pof_y *y);

/* Where a zero-sequence current can go: through the branch, to ground at its ends. */
struct pofi_zero {
    bool through, from, to;
};
struct pofi_zero pofi_branch_zero(const struct pof_branch *b);

/* Gives each part of the network without a way to ground in the zero sequence a small capacitance to
 * ground (net.h). s->end holds buses. O(nodes + branches). */
int pofi_net_earth(struct pof_net *net, const struct pofi_islands *s, struct pof_err *err) POF_CHECKED;

/* Root of a set of a forest of parents. */
uint32_t pofi_find(uint32_t *root, uint32_t i);

#endif
