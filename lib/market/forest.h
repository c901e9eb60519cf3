/* SPDX-License-Identifier: Apache-2.0 */
/* Trees in post-order: every subtree is one block of places that ends with its own root.
 *
 * Places count 0, 1, 2 ... in that order; a node's place is pos[node]. The child with the largest
 * subtree comes first, so that what is stacked on top of its result is small (the small-to-large
 * argument behind the bounds of market/clear.h). */
#ifndef POF_MARKET_FOREST_H
#define POF_MARKET_FOREST_H

#include "base/err.h"

#include <stdint.h>

struct pof_forest {
    uint32_t n;     /* nodes, and places */
    uint32_t *node; /* [n] node at a place */
    uint32_t *pos;  /* [n] place of a node */
    uint32_t *up;   /* [n] place of the parent of the node at a place; POF_NONE for a root */
    uint32_t *size; /* [n] nodes in the subtree that ends at a place */
};

/* From the parent of each node (POF_NONE: a root). POF_E_TOPOLOGY when parents form a cycle,
 * POF_E_RANGE when one is not a node. O(n), no recursion: depth does not matter. */
int pof_forest_build(struct pof_forest *f, const uint32_t *parent, uint32_t n,
                     struct pof_err *err) POF_CHECKED;
void pof_forest_release(struct pof_forest *f);

#endif
