/* SPDX-License-Identifier: Apache-2.0 */
/* An order of elimination with little fill: approximate minimum degree (P. Amestoy, T. Davis,
 * I. Duff, SIAM J. Matrix Analysis 17(4), 1996). */
#ifndef POF_GRID_ORDERING_H
#define POF_GRID_ORDERING_H

#include "base/err.h"

#include <stdint.h>

/* The neighbours of vertex k of n are in to[begin[k]] .. to[begin[k + 1]]; an edge may be given from
 * one or both of its ends, and several times. order[i] becomes the vertex eliminated as i-th.
 * Depends on the graph as given and on nothing else. About O(edges). */
int pof_order_amd(uint32_t n, const uint32_t *begin, const uint32_t *to, uint32_t *order,
                  struct pof_err *err) POF_CHECKED;

#endif
