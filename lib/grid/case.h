/* SPDX-License-Identifier: Apache-2.0 */
/* A case: a grid with what was read at an instant put into it, as files of power flow programs hold one,
 * and the way back from such a file to the names of the grid's document. */
#ifndef POF_GRID_CASE_H
#define POF_GRID_CASE_H

#include "grid/estimate_feed.h"

/* Sets consumption (p_w, q_var), held voltages (v_set_pu of slack and pv nodes) and positions of branches of
 * grid to those of the instant: of several observations of a node's quantity their mean, of none what the
 * document says, which is a grid with the same nodes and branches. Nodes of zero injection and
 * observations of one phase are left alone. O(nodes + branches + observations). NOMEM. */
int pof_case_set(struct pof_grid *grid, const struct pof_grid *document,
                 const struct pof_instant *instant, struct pof_err *err) POF_CHECKED;

/* Gives a grid that was read from such a file the names of document, its marks of zero injection and its
 * order of branches: nodes are matched by their place, branches by their ends, several between the
 * same ends in their order, transformers apart from others. POF_E_TOPOLOGY, grid unchanged, when it is not the
 * same grid. O(branches log branches). */
int pof_case_name(struct pof_grid *grid, const struct pof_grid *document,
                  struct pof_err *err) POF_CHECKED;

#endif
