/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of branches that are part of loops. What such a branch carries depends on all that is taken
 * anywhere, so its limit is no area of the tree but a row
 *
 *     -p_down <= sum over nodes of ppm / 10^6 times net activation <= p_up
 *
 * with the integers of grid/transfer.h: p_up bounds by how much awards lower the flow into the branch at
 * its from node, p_down by how much they raise it. */
#ifndef POF_MARKET_LOOP_H
#define POF_MARKET_LOOP_H

#include "grid/grid.h"
#include "market/mesh.h"
#include "record/record.h"

struct pof_loop_limit {
    int64_t start, end, p_up_w, p_down_w;
    uint32_t branch;
    uint32_t row; /* of its branch, once closed */
};

/* Initialise with {0}. */
struct pof_loops {
    struct pof_loop_limit *limit; /* by branch and the rest, once closed */
    size_t n, cap;
    int32_t *ppm; /* [rows * nodes] */
    uint32_t rows, nodes;
};

int pof_loops_take(struct pof_loops *l, uint32_t branch, const struct pof_limit *limit,
                   struct pof_err *err) POF_CHECKED;

/* Forgets what lies outside [start, end) and works out a row for each branch of the rest; errors of
 * grid/transfer.h, with the branch. O(n log n) and a solve for each branch. */
int pof_loops_close(struct pof_loops *l, const struct pof_grid *grid, int64_t start, int64_t end,
                    struct pof_err *err) POF_CHECKED;

/* The rows in force at an instant, the tightest limits of each branch; row: [rows] of the caller. */
size_t pof_loops_at(const struct pof_loops *l, int64_t instant, struct pof_mesh_row *row);

void pof_loops_release(struct pof_loops *l);

#endif
