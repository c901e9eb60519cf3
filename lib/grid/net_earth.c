/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a three-phase network without a way to ground in the zero sequence. */
#include "grid/net_impl.h"

#include <math.h>
#include <stdlib.h>

/* Parts that branches join in the zero sequence. */
static void join(const struct pof_net *net, const struct pofi_islands *s, uint32_t *part)
{
    for (uint32_t i = 0; i < net->buses; i++) {
        part[i] = i;
    }
    for (uint32_t k = 0; k < net->grid->branches; k++) {
        uint32_t from = s->end[2 * k], to = s->end[2 * k + 1];
        if (from != POF_NONE && pofi_branch_zero(&net->grid->branch[k]).through) {
            uint32_t f = pofi_find(part, from), t = pofi_find(part, to);
            part[f < t ? t : f] = f < t ? f : t;
        }
    }
}

static bool node_earths(const struct pof_grid *grid, uint32_t node)
{
    struct pof_y y;
    if (grid->node[node].kind == POF_NODE_SLACK) {
        return true;
    }
    double g = 0, b = 0, scale = 0;
    bool any = pof_node_y(grid, node, 3, &y);
    for (int i = 0; any && i < 9; i++) {
        g += y.g[i];
        b += y.b[i];
        scale += fabs(y.g[i]) + fabs(y.b[i]);
    }
    return any && fabs(g) + fabs(b) > 1e-9 * scale;
}

static void find_earthed(const struct pof_net *net, const struct pofi_islands *s, uint32_t *part,
                         bool *earthed)
{
    const struct pof_grid *g = net->grid;
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (net->bus_of[i] != POF_NONE && node_earths(g, i)) {
            earthed[pofi_find(part, net->bus_of[i])] = true;
        }
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        if (s->end[2 * k] != POF_NONE) {
            struct pofi_zero z = pofi_branch_zero(&g->branch[k]);
            uint32_t f = pofi_find(part, s->end[2 * k]), t = pofi_find(part, s->end[2 * k + 1]);
            earthed[f] = earthed[f] || z.from;
            earthed[t] = earthed[t] || z.to;
        }
    }
}

/* A zero-sequence admittance y0 is a third of it at every place of the block of the bus. */
static void add_capacitance(struct pof_net *net, uint32_t bus)
{
    double largest = 0;
    uint32_t own = net->begin[pof_net_bus(net, 3 * bus)];
    while (net->to[own] != 3 * bus) {
        own += 3;
    }
    own -= net->begin[pof_net_bus(net, 3 * bus)];
    for (uint32_t f = 0; f < 3; f++) {
        uint32_t e = net->begin[pof_net_bus(net, 3 * bus + f)] + own + f;
        largest = fmax(largest, hypot(net->g[e], net->b[e]));
    }
    for (uint32_t f = 0; f < 9; f++) {
        uint32_t e = net->begin[pof_net_bus(net, 3 * bus + f / 3)] + own + f % 3;
        net->b[e] += POF_STRAY_CAPACITANCE * largest / 3;
    }
    net->floating++;
}

int pofi_net_earth(struct pof_net *net, const struct pofi_islands *s, struct pof_err *err)
{
    uint32_t *part = NULL;
    bool *earthed = NULL;
    int rc = pof_calloc(&part, net->buses, sizeof *part, err);
    rc = rc ? rc : pof_calloc(&earthed, net->buses, sizeof *earthed, err);
    if (rc == 0) {
        join(net, s, part);
        find_earthed(net, s, part, earthed);
        for (uint32_t i = 0; i < net->buses; i++) {
            if (part[i] == i && !earthed[i]) {
                add_capacitance(net, i);
            }
        }
    }
    free(part);
    free(earthed);
    return rc;
}
