/* SPDX-License-Identifier: Apache-2.0 */
/* Fictional distribution grids of any size: a 110/10.5 kV substation, medium-voltage feeders, a
 * 10/0.42 kV transformer at each of their nodes, and a low-voltage feeder behind each of those.
 *
 *     hv -- busbar --+-- m0 ------ m1 ------ ... m9      up to ten nodes a feeder
 *                    |   |         |
 *                    |   m0.0      m1.0                  transformer, 400 kVA
 *                    |   |         |
 *                    |   m0.1      m1.1                  low voltage, about 24 nodes in a row
 *                    |   :         :
 *                    +-- m10 ----- ...
 *
 * 80 % of the low-voltage nodes have a connection; 15 % of those feed in photovoltaic power, 0.5 to
 * 3 kW, the others draw 0.2 to 1.5 kW; reactive power is 10 to 40 % of active power. Cables are
 * NA2XS2Y 3x1x240 and NAYY 4x150 of 0.1 to 0.5 km and 10 to 50 m (values per km from makers' data,
 * rounded). All other nodes have nothing connected and say so. The shape is that of the radial
 * grids on which power-grid-model's authors measure its speed. */
#ifndef POF_FLEX_FEEDERS_H
#define POF_FLEX_FEEDERS_H

#include "grid/grid.h"

enum { POF_FEEDERS_MIN = 4, POF_FEEDERS_MAX = 10000000 };

struct pof_feeders_options {
    uint32_t nodes; /* in all, POF_FEEDERS_MIN .. POF_FEEDERS_MAX */
    uint64_t seed;  /* another number, other lengths and loads */
};

/* An empty grid becomes one; released by the caller, also on failure. POF_E_RANGE: nodes. A node's
 * values depend on seed and its number alone. O(nodes). */
int pof_feeders_make(struct pof_grid *grid, const struct pof_feeders_options *options,
                     struct pof_err *err) POF_CHECKED;

#endif
