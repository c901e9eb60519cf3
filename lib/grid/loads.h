/* SPDX-License-Identifier: Apache-2.0 */
/* Loads of nodes, quarter-hour by quarter-hour, from records of points of delivery.
 *
 * A pod draws its baseline, changed by outcomes (`up` lowers consumption, `down` raises it), or what
 * was measured; a node draws the sum of its pods. All sums are of integers, so nothing depends on
 * the order of records. Use: init, take, build, read, release. */
#ifndef POF_GRID_LOADS_H
#define POF_GRID_LOADS_H

#include "grid/grid.h"
#include "record/record.h"

struct pof_loads_rows; /* records before build */

struct pof_loads {
    const struct pof_grid *grid;
    uint32_t cases;
    int64_t *start; /* [cases] begin of each quarter-hour, ascending */
    double *p_w, *q_var; /* [cases * nodes] consumption beside the grid's fixed one */
    bool *has_pod;  /* [nodes] */
    uint32_t pods;
    uint64_t missing; /* quarter-hours of pods without a load: taken as none */
    uint64_t outside; /* outcomes of quarter-hours without baselines: not used */
    struct pof_loads_rows *rows;
};

/* The grid must live as long as the loads. */
int pof_loads_init(struct pof_loads *l, const struct pof_grid *grid, struct pof_err *err) POF_CHECKED;

/* Takes a pod, baseline, measurement or outcome. POF_E_RANGE: not a quarter-hour; POF_E_DUPLICATE: a
 * pod or outcome given twice; POF_E_REFERENCE: a pod at a node the grid does not have;
 * POF_E_CONFLICT: measurements together with baselines or outcomes, which they contain. O(1)
 * expected. */
int pof_loads_take(struct pof_loads *l, const struct pof_record *record, struct pof_err *err) POF_CHECKED;

/* Makes the tables; without baselines and measurements one case at the instant `at` with the grid's
 * fixed consumption only. POF_E_REFERENCE: a pod that is not registered; POF_E_DUPLICATE: a
 * quarter-hour of a pod given twice. O(n log n). */
int pof_loads_build(struct pof_loads *l, int64_t at, struct pof_err *err) POF_CHECKED;

void pof_loads_release(struct pof_loads *l);

#endif
