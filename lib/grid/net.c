/* SPDX-License-Identifier: Apache-2.0 */
/* The network as linear forms: buses are numbered, then the entries of each form are found and
 * filled in. */
#include "grid/net.h"

#include "grid/net_impl.h"

#include <stdlib.h>
#include <string.h>

#define THIRD_OF_TURN 2.09439510239319549231

/* --- buses --- */

/* Numbers of buses, and in s->end from now on instead of roots. */
static int number_buses(struct pof_net *net, struct pofi_islands *s, struct pof_err *err)
{
    const struct pof_grid *g = net->grid;
    net->buses = s->buses;
    net->nodes = s->buses * net->phases;
    int rc = pof_alloc(&net->bus_of, g->nodes, sizeof *net->bus_of, err);
    rc = rc ? rc : pof_alloc(&net->first_of, net->buses, sizeof *net->first_of, err);
    rc = rc ? rc : pof_alloc(&net->slack_of, net->buses, sizeof *net->slack_of, err);
    rc = rc ? rc : pof_alloc(&net->flat_v, net->nodes, sizeof *net->flat_v, err);
    rc = rc ? rc : pof_alloc(&net->flat_a, net->nodes, sizeof *net->flat_a, err);
    uint32_t buses = 0;
    for (uint32_t i = 0; rc == 0 && i < g->nodes; i++) {
        uint32_t r = s->root[i]; /* not above i, so that it has its number already */
        if (s->slack[r] == POF_NONE) {
            net->bus_of[i] = POF_NONE;
            continue;
        }
        if (r == i) {
            net->first_of[buses] = i;
            net->bus_of[i] = buses++;
        }
        net->bus_of[i] = net->bus_of[r];
    }
    for (uint32_t k = 0; rc == 0 && k < net->buses; k++) {
        uint32_t r = net->first_of[k];
        net->slack_of[k] = net->bus_of[s->slack[r]];
        for (uint32_t f = 0; f < net->phases; f++) {
            net->flat_v[k * net->phases + f] = s->v[r];
            net->flat_a[k * net->phases + f] = s->a[r] - f * THIRD_OF_TURN;
        }
    }
    for (uint32_t e = 0; rc == 0 && e < 2 * g->branches; e++) {
        s->end[e] = s->end[e] == POF_NONE ? POF_NONE : net->bus_of[s->end[e]];
    }
    return rc;
}

/* --- entries --- */

/* The columns of the bus rows, ascending in each: the list of ends is read by columns, and a row that
 * has a column as its last one already shares it (parallel branches). */
struct pattern {
    uint32_t *last;  /* [buses] the last column of a row */
    uint32_t *width; /* [buses] columns of a row so far */
};

static void pattern_add(struct pattern *p, uint32_t row, uint32_t column)
{
    p->width[row] += p->last[row] != column;
    p->last[row] = column;
}

static void pattern_clear(struct pattern *p, uint32_t buses)
{
    for (uint32_t i = 0; i < buses; i++) {
        p->last[i] = POF_NONE;
        p->width[i] = 0;
    }
}

static void pattern_count(const struct pof_net *net, const struct pofi_islands *s,
                          struct pattern *p)
{
    pattern_clear(p, net->buses);
    for (uint32_t j = 0; j < net->buses; j++) {
        uint32_t r = net->first_of[j];
        pattern_add(p, j, j);
        for (uint32_t e = s->first[r]; e < s->first[r + 1]; e++) {
            pattern_add(p, s->end[s->at[e] ^ 1], j);
        }
    }
}

/* at and begin of all forms, from the widths of the bus rows. */
static int lay_out(struct pof_net *net, const struct pofi_islands *s, const uint32_t *width,
                   struct pof_err *err)
{
    uint32_t phases = net->phases;
    uint64_t entries = 0;
    uint32_t form = 0;
    for (uint32_t e = 0; e < 2 * net->grid->branches; e++) {
        uint32_t bus = s->end[e];
        for (uint32_t f = 0; f < phases; f++, form++) {
            net->at[form] = bus == POF_NONE ? POF_NONE : bus * phases + f;
            net->begin[form] = (uint32_t)entries;
            entries += bus == POF_NONE ? 0 : bus == s->end[e ^ 1] ? phases : 2 * phases;
        }
    }
    for (uint32_t i = 0; i < net->nodes; i++, form++) {
        net->at[form] = i;
        net->begin[form] = (uint32_t)entries;
        entries += (uint64_t)width[i / phases] * phases;
    }
    net->begin[form] = (uint32_t)entries;
    if (entries > UINT32_MAX) {
        return pof_fail(err, POF_E_OVERFLOW, "the grid has more than 2^32 admittances");
    }
    int rc = pof_alloc(&net->to, entries, sizeof *net->to, err);
    rc = rc ? rc : pof_alloc(&net->g, entries, sizeof *net->g, err);
    return rc ? rc : pof_alloc(&net->b, entries, sizeof *net->b, err);
}

/* --- values --- */

/* The two forms of a branch at one bus: both its ends have the voltage of the bus. */
static void fill_loop(struct pof_net *net, uint32_t form, const struct pof_y *y)
{
    uint32_t n = net->phases, e = net->begin[form];
    for (uint32_t row = 0; row < 2 * n; row++) {
        for (uint32_t c = 0; c < n; c++, e++) {
            net->to[e] = net->at[form] + c;
            net->g[e] = y->g[row * 2 * n + c] + y->g[row * 2 * n + n + c];
            net->b[e] = y->b[row * 2 * n + c] + y->b[row * 2 * n + n + c];
        }
    }
}

static int fill_branches(struct pof_net *net, struct pof_err *err)
{
    const struct pof_grid *g = net->grid;
    uint32_t n = net->phases, form = 0;
    for (uint32_t k = 0; k < g->branches; k++, form += 2 * n) {
        if (net->at[form] == POF_NONE) {
            continue;
        }
        struct pof_y y;
        int rc = pof_branch_y(g, k, n, &y, err);
        if (rc) {
            return rc;
        }
        uint32_t from = net->at[form], to = net->at[form + n];
        uint32_t e = net->begin[form];
        if (from == to) {
            fill_loop(net, form, &y);
            continue;
        }
        for (uint32_t row = 0; row < 2 * n; row++) {
            for (uint32_t c = 0; c < 2 * n; c++, e++) {
                /* The lower bus comes first. */
                bool far = (c >= n) == (from < to);
                uint32_t col = far * n + c % n;
                net->to[e] = (far ? to : from) + c % n;
                net->g[e] = y.g[row * 2 * n + col];
                net->b[e] = y.b[row * 2 * n + col];
            }
        }
    }
    return 0;
}

/* Adds a block of a branch end, rows of end, columns of end or (over) of the other one, at place p of
 * the rows of a bus. */
static void add_block(struct pof_net *net, uint32_t end, bool over, uint32_t bus, uint32_t p)
{
    uint32_t n = net->phases, form = end * n, row = pof_net_bus(net, bus * n);
    bool second = net->at[form] > net->at[(end ^ 1) * n] ? !over : over;
    for (uint32_t f = 0; f < n; f++) {
        uint32_t from = net->begin[form + f] + second * n, to = net->begin[row + f] + p * n;
        for (uint32_t c = 0; c < n; c++) {
            net->to[to + c] = net->to[from + c];
            net->g[to + c] += net->g[from + c];
            net->b[to + c] += net->b[from + c];
        }
    }
}

static void fill_buses(struct pof_net *net, const struct pofi_islands *s, struct pattern *p)
{
    uint32_t n = net->phases;
    pattern_clear(p, net->buses);
    for (uint32_t j = 0; j < net->buses; j++) {
        uint32_t r = net->first_of[j];
        pattern_add(p, j, j);
        for (uint32_t f = 0; f < n; f++) {
            for (uint32_t c = 0; c < n; c++) {
                net->to[net->begin[pof_net_bus(net, j * n + f)] + (p->width[j] - 1) * n + c] =
                    j * n + c;
            }
        }
        uint32_t self = p->width[j] - 1;
        for (uint32_t e = s->first[r]; e < s->first[r + 1]; e++) {
            uint32_t end = s->at[e], i = s->end[end ^ 1];
            add_block(net, end, false, j, self);
            if (i == j) {
                continue; /* all of its form is here, and its other end comes by itself */
            }
            pattern_add(p, i, j);
            add_block(net, end ^ 1, true, i, p->width[i] - 1);
        }
    }
}

/* Shunts of all nodes of a bus, at the places of the bus itself. */
static void fill_shunts(struct pof_net *net)
{
    const struct pof_grid *g = net->grid;
    uint32_t n = net->phases;
    for (uint32_t i = 0; i < g->nodes; i++) {
        uint32_t bus = net->bus_of[i];
        struct pof_y y;
        if (bus == POF_NONE || !pof_node_y(g, i, n, &y)) {
            continue;
        }
        for (uint32_t f = 0; f < n; f++) {
            uint32_t e = net->begin[pof_net_bus(net, bus * n + f)];
            while (net->to[e] != bus * n) {
                e += n;
            }
            for (uint32_t c = 0; c < n; c++) {
                net->g[e + c] += y.g[f * n + c];
                net->b[e + c] += y.b[f * n + c];
            }
        }
    }
}

/* --- the whole --- */

static int build(struct pof_net *net, struct pofi_islands *s, struct pof_err *err)
{
    struct pattern p = {0};
    int rc = number_buses(net, s, err);
    rc = rc ? rc : pof_alloc(&p.last, net->buses, sizeof *p.last, err);
    rc = rc ? rc : pof_alloc(&p.width, net->buses, sizeof *p.width, err);
    net->forms = 2 * net->grid->branches * net->phases + net->nodes;
    rc = rc ? rc : pof_alloc(&net->at, net->forms, sizeof *net->at, err);
    rc = rc ? rc : pof_alloc(&net->begin, (size_t)net->forms + 1, sizeof *net->begin, err);
    if (rc == 0) {
        pattern_count(net, s, &p);
        rc = lay_out(net, s, p.width, err);
    }
    rc = rc ? rc : fill_branches(net, err);
    if (rc == 0) {
        size_t first = net->begin[pof_net_bus(net, 0)], entries = net->begin[net->forms] - first;
        memset(net->g + first, 0, entries * sizeof *net->g); /* sums */
        memset(net->b + first, 0, entries * sizeof *net->b);
        fill_buses(net, s, &p);
        fill_shunts(net);
        rc = net->phases == 3 ? pofi_net_earth(net, s, err) : 0;
    }
    free(p.last);
    free(p.width);
    return rc;
}

int pof_net_build(struct pof_net *net, const struct pof_grid *grid, uint32_t phases,
                  struct pof_err *err)
{
    struct pofi_islands s;
    *net = (struct pof_net){.grid = grid, .phases = phases};
    if (phases != 1 && phases != 3) {
        return pof_fail(err, POF_E_RANGE, "%u phases cannot be computed", phases);
    }
    if ((uint64_t)grid->branches * 2 * phases + (uint64_t)grid->nodes * phases >= UINT32_MAX / 6) {
        return pof_fail(err, POF_E_OVERFLOW, "the grid has too many nodes and branches");
    }
    int rc = pofi_islands_build(&s, grid, err);
    if (rc) {
        return rc;
    }
    rc = build(net, &s, err);
    pofi_islands_release(&s);
    if (rc) {
        pof_net_release(net);
    }
    return rc;
}

void pof_net_release(struct pof_net *net)
{
    free(net->bus_of);
    free(net->first_of);
    free(net->slack_of);
    free(net->flat_v);
    free(net->flat_a);
    free(net->at);
    free(net->begin);
    free(net->to);
    free(net->g);
    free(net->b);
    *net = (struct pof_net){0};
}

void pof_net_stored(const struct pof_net *net, double *v, double *a)
{
    const double third = 2 * 3.14159265358979323846 / 3;
    memcpy(v, net->flat_v, net->nodes * sizeof *v);
    memcpy(a, net->flat_a, net->nodes * sizeof *a);
    for (uint32_t i = net->grid->nodes; i-- > 0;) {
        const struct pof_node *node = &net->grid->node[i];
        for (uint32_t f = 0; net->bus_of[i] != POF_NONE && node->v_start_pu > 0 && f < net->phases; f++) {
            v[net->bus_of[i] * net->phases + f] = node->v_start_pu;
            a[net->bus_of[i] * net->phases + f] = node->angle_start - f * third;
        }
    }
}
