/* SPDX-License-Identifier: Apache-2.0 */
/* The order of elimination of ldl.c. */
#ifndef POF_GRID_LDL_ORDER_H
#define POF_GRID_LDL_ORDER_H

#include "grid/ldl.h"

/* Parts of the order, see pof_ldl_pieces. */
struct ldl_pieces {
    uint32_t n;
    uint32_t *begin; /* [n + 1], owned by who asked */
};

/* place[block]: AMD's order with ties kept, rearranged so that subtrees of the elimination tree that
 * are small come first, each without gaps, and what they hang on last: fill is the same. O(n) beside
 * AMD. pieces->begin is NULL on failure. */
int pofi_ldl_order(const struct pof_ldl_places *places, uint32_t *place, struct ldl_pieces *pieces,
                   struct pof_err *err) POF_CHECKED;

#endif
