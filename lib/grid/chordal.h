/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of elimination without fill, for graphs that have one. */
#ifndef POF_GRID_CHORDAL_H
#define POF_GRID_CHORDAL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* order[k]: the vertex to be eliminated as number k, so that no elimination joins vertices that are not
 * joined. *found is false, and order worth nothing, where there is no such order, that is where the graph
 * has a cycle of four or more without a chord. Feeders have one whatever is read: rows join nodes next to
 * each other in a tree. Edges from one end: of vertex v they lead to to[begin[v] .. begin[v + 1]), each
 * edge once and not to v itself.
 *
 * Maximum cardinality search and its test, R. E. Tarjan and M. Yannakakis, "Simple linear-time algorithms
 * to test chordality of graphs", SIAM J. Computing 13(3), 1984. O(n + edges). */
int pof_order_chordal(uint32_t n, const uint32_t *begin, const uint32_t *to, uint32_t *order, bool *found,
                      struct pof_err *err) POF_CHECKED;

#endif
