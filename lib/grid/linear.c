/* SPDX-License-Identifier: Apache-2.0 */
/* Power flow by linear solves: Y V = I with the voltages of slack nodes known. Consumption is part of
 * Y, or a current conj(S / V) of the last voltages (the fixed-point iteration of the bus admittance
 * matrix: W. F. Tinney, J. W. Walker's factors, W. H. Kersting's "current injection"). Complex
 * numbers are pairs of real ones, so that one sparse solver serves all. */
#include "grid/solver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct pofi_linear {
    const struct pof_net *net;
    bool loads_in;
    bool ready;        /* factors of a matrix without loads are kept */
    int32_t *at;       /* [nodes] number of the real part; the imaginary one is behind it; -1: slack */
    int32_t unknowns;
    int32_t *slot;     /* four for each entry of the bus rows; -1: none */
    struct pof_csc matrix;
    struct pof_lu *lu; /* NULL: nothing is unknown */
    double *x, *re, *im;
};

static int number(struct pofi_linear *l, struct pof_err *err)
{
    const struct pof_net *net = l->net;
    const struct pof_grid *g = net->grid;
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (net->bus_of[i] == POF_NONE) {
            continue;
        }
        if (g->node[i].kind == POF_NODE_PV) {
            return pof_fail(err, POF_E_TOPOLOGY,
                            "node '%s' holds its voltage; linear methods need a grid where only slack "
                            "nodes do",
                            g->node[i].name.ptr);
        }
        for (uint32_t f = 0; g->node[i].kind == POF_NODE_SLACK && f < net->phases; f++) {
            l->at[net->bus_of[i] * net->phases + f] = -1;
        }
    }
    for (uint32_t i = 0; i < net->nodes; i++) {
        if (l->at[i] == 0) {
            l->at[i] = l->unknowns;
            l->unknowns += 2;
        }
    }
    return 0;
}

/* (g + jb) v is [g -b; b g] on pairs. */
static int make_pattern(struct pofi_linear *l, struct pof_err *err)
{
    const struct pof_net *net = l->net;
    uint32_t first = net->begin[pof_net_bus(net, 0)];
    size_t entries = net->begin[net->forms] - first;
    int32_t *row = NULL, *col = NULL, *slot = NULL;
    uint32_t *from = NULL;
    struct pof_places p = {0};
    int rc = pof_calloc(&row, 4 * entries, sizeof *row, err);
    rc = rc ? rc : pof_calloc(&col, 4 * entries, sizeof *col, err);
    rc = rc ? rc : pof_calloc(&slot, 4 * entries, sizeof *slot, err);
    rc = rc ? rc : pof_calloc(&from, 4 * entries, sizeof *from, err);
    rc = rc ? rc : pof_calloc(&l->slot, 4 * entries, sizeof *l->slot, err);
    for (uint32_t i = 0; i < net->nodes && rc == 0; i++) {
        uint32_t form = pof_net_bus(net, i);
        for (uint32_t e = net->begin[form]; e < net->begin[form + 1]; e++) {
            for (uint32_t part = 0; part < 4; part++) {
                uint32_t k = 4 * (e - first) + part;
                l->slot[k] = -1;
                if (l->at[i] >= 0 && l->at[net->to[e]] >= 0) {
                    row[p.n] = l->at[i] + (int32_t)(part / 2);
                    col[p.n] = l->at[net->to[e]] + (int32_t)(part % 2);
                    from[p.n++] = k;
                }
            }
        }
    }
    p.row = row;
    p.col = col;
    rc = rc ? rc : pof_csc_pattern(&l->matrix, l->unknowns, l->unknowns, &p, slot, err);
    for (size_t k = 0; k < p.n && rc == 0; k++) {
        l->slot[from[k]] = slot[k];
    }
    free(row);
    free(col);
    free(slot);
    free(from);
    return rc;
}

int pofi_linear_new(struct pofi_linear **out, const struct pof_net *net, bool loads_in,
                    struct pof_err *err)
{
    *out = NULL;
    struct pofi_linear *l;
    int rc = pof_calloc(&l, 1, sizeof *l, err);
    if (rc) {
        return rc;
    }
    l->net = net;
    l->loads_in = loads_in;
    rc = pof_calloc(&l->at, net->nodes, sizeof *l->at, err);
    rc = rc ? rc : pof_calloc(&l->re, net->nodes, sizeof *l->re, err);
    rc = rc ? rc : pof_calloc(&l->im, net->nodes, sizeof *l->im, err);
    rc = rc ? rc : number(l, err);
    rc = rc ? rc : pof_calloc(&l->x, (size_t)l->unknowns, sizeof *l->x, err);
    rc = rc ? rc : make_pattern(l, err);
    rc = rc || l->unknowns == 0 ? rc : pof_lu_new(&l->lu, &l->matrix, err);
    if (rc) {
        pofi_linear_free(l);
        return rc;
    }
    *out = l;
    return 0;
}

void pofi_linear_free(struct pofi_linear *l)
{
    if (l) {
        pof_lu_free(l->lu);
        pof_csc_release(&l->matrix);
        free(l->at);
        free(l->slot);
        free(l->x);
        free(l->re);
        free(l->im);
        free(l);
    }
}

static int factor(struct pofi_linear *l, const struct pofi_load *load, enum pof_lu_status *status,
                  struct pof_err *err)
{
    const struct pof_net *net = l->net;
    uint32_t first = net->begin[pof_net_bus(net, 0)];
    *status = POF_LU_OK;
    if (l->ready) {
        return 0;
    }
    memset(l->matrix.value, 0, (size_t)l->matrix.col[l->unknowns] * sizeof(double));
    for (uint32_t i = 0; i < net->nodes; i++) {
        uint32_t form = pof_net_bus(net, i);
        for (uint32_t e = net->begin[form]; e < net->begin[form + 1]; e++) {
            bool self = l->loads_in && net->to[e] == i;
            double g = net->g[e] + (self ? load[i].p + load[i].ip : 0);
            double b = net->b[e] - (self ? load[i].q + load[i].iq : 0);
            const double part[] = {g, -b, b, g};
            for (uint32_t k = 0; k < 4; k++) {
                int32_t slot = l->slot[4 * (e - first) + k];
                if (slot >= 0) {
                    l->matrix.value[slot] += part[k];
                }
            }
        }
    }
    pof_lu_reset(l->lu);
    l->ready = !l->loads_in;
    return pof_lu_factor(l->lu, status, err);
}

/* Currents out of each unknown node: those of consumption at the present voltages, and those that
 * the slack nodes cause. */
static void fill_right_side(struct pofi_linear *l, const struct pofi_case *c)
{
    const struct pof_net *net = l->net;
    for (uint32_t i = 0; i < net->nodes; i++) {
        double re = 0, im = 0;
        if (l->at[i] < 0) {
            continue;
        }
        uint32_t form = pof_net_bus(net, i);
        for (uint32_t e = net->begin[form]; e < net->begin[form + 1]; e++) {
            uint32_t j = net->to[e];
            if (l->at[j] < 0) {
                re -= net->g[e] * l->re[j] - net->b[e] * l->im[j];
                im -= net->g[e] * l->im[j] + net->b[e] * l->re[j];
            }
        }
        if (!l->loads_in) {
            double vv = l->re[i] * l->re[i] + l->im[i] * l->im[i], v = sqrt(vv);
            double p = c->load[i].p + c->load[i].ip * v, q = c->load[i].q + c->load[i].iq * v;
            re -= (p * l->re[i] + q * l->im[i]) / vv;
            im -= (p * l->im[i] - q * l->re[i]) / vv;
        }
        l->x[l->at[i]] = re;
        l->x[l->at[i] + 1] = im;
    }
}

/* Largest mismatch of the present voltages; with loads_in consumption is as its admittance takes it,
 * so that what remains is rounding. */
static void measure(struct pofi_linear *l, struct pofi_case *c)
{
    const struct pof_net *net = l->net;
    double sum = 0;
    c->mismatch = 0;
    for (uint32_t i = 0; i < net->nodes; i++) {
        double re = 0, im = 0;
        uint32_t form = pof_net_bus(net, i);
        for (uint32_t e = net->begin[form]; l->at[i] >= 0 && e < net->begin[form + 1]; e++) {
            uint32_t j = net->to[e];
            re += net->g[e] * l->re[j] - net->b[e] * l->im[j];
            im += net->g[e] * l->im[j] + net->b[e] * l->re[j];
        }
        double vv = l->re[i] * l->re[i] + l->im[i] * l->im[i], v = sqrt(vv);
        const struct pofi_load *s = &c->load[i];
        double p = l->loads_in ? vv * (s->p + s->ip) : s->p + s->ip * v;
        double q = l->loads_in ? vv * (s->q + s->iq) : s->q + s->iq * v;
        p = l->at[i] >= 0 ? fabs(l->re[i] * re + l->im[i] * im + p) : 0;
        q = l->at[i] >= 0 ? fabs(l->im[i] * re - l->re[i] * im + q) : 0;
        sum += p + q;
        if (fmax(p, q) > c->mismatch) {
            c->mismatch = fmax(p, q);
            c->worst = i;
            c->worst_is_q = q > p;
        }
    }
    c->mismatch = isfinite(sum) ? c->mismatch : INFINITY;
}

static int solve_once(struct pofi_linear *l, struct pofi_case *c, struct pof_err *err)
{
    fill_right_side(l, c);
    int rc = l->lu ? pof_lu_solve(l->lu, l->x, 1, err) : 0;
    for (uint32_t i = 0; i < l->net->nodes && rc == 0; i++) {
        if (l->at[i] >= 0) {
            l->re[i] = l->x[l->at[i]];
            l->im[i] = l->x[l->at[i] + 1];
        }
    }
    c->iterations++;
    measure(l, c);
    return rc;
}

int pofi_linear_solve(struct pofi_linear *l, struct pofi_case *c, bool repeat, struct pof_err *err)
{
    const struct pof_net *net = l->net;
    enum pof_lu_status status = POF_LU_OK;
    bool given = c->start == POFI_GIVEN && repeat;
    for (uint32_t i = 0; i < net->nodes; i++) {
        double v = given && l->at[i] >= 0 ? c->v[i] : net->flat_v[i];
        double a = given && l->at[i] >= 0 ? c->angle[i] : net->flat_a[i];
        l->re[i] = v * cos(a);
        l->im[i] = v * sin(a);
    }
    c->iterations = 0;
    c->worst = 0;
    c->why = POFI_SOLVED;
    c->tolerance = fmax(c->tolerance, pofi_rounding(net, l->at));
    int rc = l->lu ? factor(l, c->load, &status, err) : 0;
    if (rc == 0 && status == POF_LU_SINGULAR) {
        c->why = POFI_SINGULAR;
        measure(l, c);
    }
    for (bool more = c->why == POFI_SOLVED; rc == 0 && more;) {
        rc = solve_once(l, c, err);
        more = repeat && !(c->mismatch <= c->tolerance) && c->iterations < c->max_iterations &&
               isfinite(c->mismatch);
    }
    if (c->why == POFI_SOLVED && repeat && !(c->mismatch <= c->tolerance)) {
        c->why = isfinite(c->mismatch) ? POFI_TOO_LONG : POFI_STUCK;
    }
    for (uint32_t i = 0; i < net->nodes && rc == 0; i++) {
        c->v[i] = sqrt(l->re[i] * l->re[i] + l->im[i] * l->im[i]);
        c->angle[i] = atan2(l->im[i], l->re[i]);
    }
    return rc;
}
