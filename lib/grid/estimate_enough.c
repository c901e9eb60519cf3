/* SPDX-License-Identifier: Apache-2.0 */
/* The commonest set of readings that is enough, seen at a glance.
 *
 * In the unit model (estimate_observe.c) P of all nodes are the rows of a weighted Laplacian of the
 * grid, angles its unknowns; Q and magnitudes the same. Of a connected part any node's row may be
 * missing: the minor that is left is a sum of products of weights over spanning trees (the matrix
 * tree theorem: D. Cvetkovic, P. Rowlinson, S. Simic, An Introduction to the Theory of Graph Spectra,
 * 2010, section 7.1), no two of the same links, so it is not zero whatever cancels for some weights.
 * Its null space are equal levels, which one angle, and one magnitude, take away. */
#include "grid/estimate_impl.h"

#include <stdlib.h>

enum { READ_P = 1, READ_Q = 2, HAS_ANGLE = 4, HAS_V = 8, LACKS_P = 16, LACKS_Q = 32, SHORT = 64 };

static uint32_t part_of(uint32_t *up, uint32_t node)
{
    while (up[node] != node) {
        up[node] = up[up[node]];
        node = up[node];
    }
    return node;
}

/* Nodes that links join. */
static void join_parts(const struct pof_net *net, uint32_t *up)
{
    for (uint32_t k = 0; k < net->nodes; k++) {
        up[k] = k;
    }
    for (uint32_t k = 0; k < net->nodes; k++) {
        uint32_t form = 2 * net->grid->branches * net->phases + k;
        for (uint32_t e = net->begin[form]; e < net->begin[form + 1]; e++) {
            if (net->to[e] < k && (net->g[e] != 0 || net->b[e] != 0)) {
                uint32_t a = part_of(up, k), b = part_of(up, net->to[e]);
                up[a > b ? a : b] = a > b ? b : a;
            }
        }
    }
}

static void mark_rows(const struct pof_se *se, uint8_t *marks)
{
    uint32_t first = 2 * se->grid->branches * se->net.phases;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        if (row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE) {
            marks[row->place] |= row->quantity == POF_QUANTITY_V ? HAS_V : HAS_ANGLE;
        } else if ((row->quantity == POF_QUANTITY_P || row->quantity == POF_QUANTITY_Q) &&
                   row->forms == 1 && row->place >= first && row->place < se->net.forms) {
            marks[row->place - first] |= row->quantity == POF_QUANTITY_P ? READ_P : READ_Q;
        }
    }
}

/* What a part has and lacks, at the node that stands for it. */
static void add_up(uint8_t *marks, uint32_t *up, uint32_t nodes)
{
    for (uint32_t k = 0; k < nodes; k++) {
        uint8_t *part = &marks[part_of(up, k)];
        uint8_t lacks = (uint8_t)((marks[k] & READ_P ? 0 : LACKS_P) | (marks[k] & READ_Q ? 0 : LACKS_Q));
        *part |= (uint8_t)((*part & lacks ? SHORT : 0) | lacks | (marks[k] & (HAS_ANGLE | HAS_V)));
    }
}

int pofi_se_enough(const struct pof_se *se, bool *enough, struct pof_err *err)
{
    const uint8_t levels = HAS_ANGLE | HAS_V;
    uint8_t *marks = NULL;
    uint32_t *up = NULL;
    *enough = false;
    if (se->potentials > 0) {
        return 0;
    }
    int rc = pof_calloc(&marks, se->net.nodes, sizeof *marks, err);
    rc = rc ? rc : pof_calloc(&up, se->net.nodes, sizeof *up, err);
    if (rc == 0) {
        join_parts(&se->net, up);
        mark_rows(se, marks);
        add_up(marks, up, se->net.nodes);
        *enough = true;
    }
    for (uint32_t k = 0; rc == 0 && k < se->net.nodes; k++) {
        bool stands = up[k] == k;
        *enough = *enough && (!stands || ((marks[k] & levels) == levels && !(marks[k] & SHORT)));
    }
    free(up);
    free(marks);
    return rc;
}
