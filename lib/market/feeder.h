/* SPDX-License-Identifier: Apache-2.0 */
/* What a radial grid tells about areas: who is fed through a branch, and how far the load of one
 * node moves the voltage of another.
 *
 * First-order sensitivity of a voltage to consumption on a radial grid, in p.u.:
 *     dV_n / dP_m = -R_nm / V_n,  dV_n / dQ_m = -X_nm / V_n
 * with R_nm, X_nm the resistance and reactance of the path that the ways from the root to n and m
 * share (M. E. Baran, F. F. Wu, IEEE Trans. Power Delivery 4(1), 1989, the LinDistFlow equations).
 * The flow of a branch moves by the load below it and by no other, losses aside. */
#ifndef POF_MARKET_FEEDER_H
#define POF_MARKET_FEEDER_H

#include "grid/grid.h"
#include "grid/powerflow.h"

struct pof_feeder {
    const struct pof_grid *grid;
    struct pof_tree tree;
    uint32_t *place; /* [nodes] in depth-first order; POF_NONE: not connected */
    uint32_t *at;    /* [tree.n] node at a place; the subtree of n is [place[n], past[n]) */
    uint32_t *past;  /* [nodes] */
    uint32_t *depth; /* [nodes] branches up to the root */
    double *r_path;  /* [nodes] p.u., from the root */
    uint32_t *child; /* [branches] node at its far end from the root; POF_NONE: open or dead, or in a loop */
};

/* POF_E_TOPOLOGY when the closed branches are no tree. O(n). */
int pof_feeder_init(struct pof_feeder *f, const struct pof_grid *grid,
                    struct pof_err *err) POF_CHECKED;
/* Of a grid with meshes: areas are those of branches that are in no loop, and of single nodes. Ways (depth,
 * r_path) are those of one tree of many. POF_E_TOPOLOGY when there is not exactly one slack node. */
int pof_feeder_init_meshed(struct pof_feeder *f, const struct pof_grid *grid,
                           struct pof_err *err) POF_CHECKED;
void pof_feeder_release(struct pof_feeder *f);

/* Is a branch part of a loop? Then it feeds no area by itself. */
bool pof_feeder_loop(const struct pof_feeder *f, uint32_t branch);

/* Is a node fed through a branch? O(1). */
bool pof_feeder_feeds(const struct pof_feeder *f, uint32_t branch, uint32_t node);

/* The area of a list of nodes, their names with spaces between them, as an area of clearing: one node
 * with its own offers, or all that is fed through a branch, or the whole grid. Nodes that are not
 * connected do not count; POF_NONE: none is. A list that is no such area would cut through others,
 * and could not be cleared exactly in whole watts on the tree.
 *
 * POF_E_REFERENCE for a name that is no node, POF_E_DUPLICATE for one given twice, POF_E_TOPOLOGY with
 * a node that the list leaves out, each with its field. O(k log k) for k names. */
struct pof_area {
    uint32_t node; /* the root of the area */
    bool own;      /* that node alone */
};
int pof_feeder_area(const struct pof_feeder *f, struct pof_text nodes, struct pof_area *area,
                    struct pof_err *err) POF_CHECKED;

/* R_nm above, p.u.; 0 when one is not connected. O(depth). */
double pof_feeder_common_r(const struct pof_feeder *f, uint32_t n, uint32_t m);

/* A branch's flow towards the leaves, at its end nearer to the root and at the other one. */
struct pof_feeder_flow {
    double p_w[2], q_var[2], v_pu[2];
};
struct pof_feeder_flow pof_feeder_flow(const struct pof_feeder *f, const struct pof_pf_result *r,
                                       uint32_t branch);

#endif
