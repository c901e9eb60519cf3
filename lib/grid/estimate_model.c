/* SPDX-License-Identifier: Apache-2.0 */
/* Equations of the readings and their derivatives (Abur and Exposito, 2004, section 2.6, written
 * with the admittances seen from the end in question, so that taps and shifts need no case of their
 * own). */
#include "grid/estimate_impl.h"

#include <math.h>
#include <string.h>

/* Below this current (p.u.) its direction is noise: it gets no gradient. */
static const double CURRENT_MIN = 1e-9;

void pofi_se_ends(struct pof_se *se, const double *a)
{
    for (uint32_t b = 0; b < se->grid->branches; b++) {
        struct se_end *f = &se->end[2 * b];
        struct se_end *t = f + 1;
        if (f->self == POF_NONE) {
            continue;
        }
        double d = a[f->self] - a[t->self];
        double s = sin(d);
        double c = cos(d);
        f->a = f->gso * c + f->bso * s;
        f->c = f->gso * s - f->bso * c;
        t->a = t->gso * c - t->bso * s;
        t->c = -t->gso * s - t->bso * c;
    }
}

/* Power into a branch at an end. */
static void end_power(const struct se_end *e, const double *v, double *p, double *q)
{
    double vs = v[e->self];
    double vo = v[e->other];
    *p = vs * (vs * e->gss + vo * e->a);
    *q = vs * (vo * e->c - vs * e->bss);
}

/* Derivatives of it by own angle and magnitude, other angle and magnitude. */
static void end_dp(const struct se_end *e, const double *v, double *g)
{
    double vs = v[e->self];
    double vo = v[e->other];
    g[0] = -vs * vo * e->c;
    g[1] = 2 * vs * e->gss + vo * e->a;
    g[2] = vs * vo * e->c;
    g[3] = vs * e->a;
}

static void end_dq(const struct se_end *e, const double *v, double *g)
{
    double vs = v[e->self];
    double vo = v[e->other];
    g[0] = vs * vo * e->a;
    g[1] = vo * e->c - 2 * vs * e->bss;
    g[2] = -vs * vo * e->a;
    g[3] = vs * e->c;
}

/* I = |S| / v, so dI = (p dp + q dq) / (v^2 I) - I / v dv. */
static void end_di(const struct se_end *e, const double *v, double *g)
{
    double vs = v[e->self];
    double p = 0;
    double q = 0;
    double dp[4];
    double dq[4];
    end_power(e, v, &p, &q);
    end_dp(e, v, dp);
    end_dq(e, v, dq);
    double i = hypot(p, q) / vs;
    for (int k = 0; k < 4; k++) {
        g[k] = i < CURRENT_MIN ? 0 : (p * dp[k] + q * dq[k]) / (vs * vs * i);
    }
    g[1] -= i < CURRENT_MIN ? 0 : i / vs;
}


/* Consumption of a node: what its branches and shunt do not take away. */
static double node_power(const struct pof_se *se, uint32_t e, bool reactive, const double *v)
{
    struct pof_shunt shunt = pof_node_shunt(se->grid, se->node[e]);
    double sum = reactive ? -v[e] * v[e] * shunt.b : v[e] * v[e] * shunt.g;
    for (uint32_t k = se->adj_begin[e]; k < se->adj_begin[e + 1]; k++) {
        double p = 0;
        double q = 0;
        end_power(&se->end[se->adj[k]], v, &p, &q);
        sum += reactive ? q : p;
    }
    return -sum;
}

static void node_gradient(const struct pof_se *se, uint32_t e, bool reactive, const double *v,
                          double *h)
{
    struct pof_shunt shunt = pof_node_shunt(se->grid, se->node[e]);
    memset(h, 0, (2 + 2 * (size_t)se->neighbours[e]) * sizeof *h);
    h[1] = reactive ? 2 * v[e] * shunt.b : -2 * v[e] * shunt.g;
    for (uint32_t k = se->adj_begin[e]; k < se->adj_begin[e + 1]; k++) {
        const struct se_end *end = &se->end[se->adj[k]];
        double g[4];
        if (reactive) {
            end_dq(end, v, g);
        } else {
            end_dp(end, v, g);
        }
        h[0] -= g[0];
        h[1] -= g[1];
        h[2 * end->place] -= g[2];
        h[2 * end->place + 1] -= g[3];
    }
}

double pofi_se_value(const struct pof_se *se, const struct se_row *row, const double *v,
                     const double *a)
{
    if (!row->branch) {
        switch (row->quantity) {
        case POF_QUANTITY_V:
            return v[row->element];
        case POF_QUANTITY_ANGLE:
            return a[row->element];
        default:
            return node_power(se, row->element, row->quantity == POF_QUANTITY_Q, v);
        }
    }
    const struct se_end *e = &se->end[row->element];
    double p = 0;
    double q = 0;
    end_power(e, v, &p, &q);
    switch (row->quantity) {
    case POF_QUANTITY_P:
        return p;
    case POF_QUANTITY_Q:
        return q;
    default:
        return hypot(p, q) / v[e->self];
    }
}

void pofi_se_gradient(const struct pof_se *se, const struct se_row *row, const double *v, double *h)
{
    if (!row->branch) {
        if (row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE) {
            h[0] = 1;
        } else {
            node_gradient(se, row->element, row->quantity == POF_QUANTITY_Q, v, h);
        }
        return;
    }
    const struct se_end *e = &se->end[row->element];
    switch (row->quantity) {
    case POF_QUANTITY_P:
        end_dp(e, v, h);
        break;
    case POF_QUANTITY_Q:
        end_dq(e, v, h);
        break;
    default:
        end_di(e, v, h);
        break;
    }
}

int32_t pofi_se_columns_max(const struct pof_se *se, const struct se_row *row)
{
    if (row->branch) {
        return 4;
    }
    if (row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE) {
        return 1;
    }
    return 2 + 2 * (int32_t)se->neighbours[row->element];
}

/* Angle and magnitude of an energised node. */
static void pair(uint32_t e, int32_t *col)
{
    col[0] = 2 * (int32_t)e;
    col[1] = 2 * (int32_t)e + 1;
}

int32_t pofi_se_columns(const struct pof_se *se, const struct se_row *row, int32_t *col)
{
    uint32_t e = row->element;
    if (row->branch) {
        pair(se->end[e].self, col);
        pair(se->end[e].other, col + 2);
        return 4;
    }
    if (row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE) {
        col[0] = 2 * (int32_t)e + (row->quantity == POF_QUANTITY_V);
        return 1;
    }
    pair(e, col);
    for (uint32_t k = se->adj_begin[e]; k < se->adj_begin[e + 1]; k++) {
        const struct se_end *end = &se->end[se->adj[k]];
        pair(end->other, col + 2 * end->place);
    }
    return pofi_se_columns_max(se, row);
}

/* Flows, currents and loading of a branch. */
static void branch_outputs(struct pof_se *se, uint32_t b)
{
    const struct pof_grid *grid = se->grid;
    const struct se_end *f = &se->end[2 * b];
    const struct se_end *t = f + 1;
    double p[2];
    double q[2];
    end_power(f, se->v, &p[0], &q[0]);
    end_power(t, se->v, &p[1], &q[1]);
    double i_from = hypot(p[0], q[0]) / se->v[f->self];
    double i_to = hypot(p[1], q[1]) / se->v[t->self];
    for (int k = 0; k < 2; k++) {
        se->branch_out[2 * k][b] = p[k] * grid->base_va;
        se->branch_out[2 * k + 1][b] = q[k] * grid->base_va;
    }
    se->branch_out[4][b] = fmax(i_from * pof_base_current(grid, se->node[f->self]),
                                i_to * pof_base_current(grid, se->node[t->self]));
    double rating = grid->branch[b].rating_va;
    if (rating > 0) {
        se->branch_out[5][b] = fmax(i_from, i_to) * grid->base_va / rating;
    }
}

void pofi_se_outputs(struct pof_se *se)
{
    pofi_se_ends(se, se->a);
    for (uint32_t e = 0; e < se->n; e++) {
        uint32_t i = se->node[e];
        se->node_out[0][i] = se->v[e];
        se->node_out[1][i] = se->a[e];
        se->node_out[2][i] = node_power(se, e, false, se->v) * se->grid->base_va;
        se->node_out[3][i] = node_power(se, e, true, se->v) * se->grid->base_va;
    }
    for (uint32_t b = 0; b < se->grid->branches; b++) {
        if (se->end[2 * b].self != POF_NONE) {
            branch_outputs(se, b);
        }
    }
}
