/* SPDX-License-Identifier: Apache-2.0 */
/* From voltages of the network to results of the grid's nodes and branches. */
#include "grid/admittance.h"
#include "grid/powerflow_impl.h"

#include <math.h>
#include <string.h>

/* W of 1 p.u. of power. */
static double base(const struct pof_pf *pf)
{
    return pf->grid->base_va / pf->net.phases;
}

static void voltages(struct pof_pf *pf)
{
    uint32_t n = pf->net.phases;
    for (uint32_t i = 0; i < pf->grid->nodes; i++) {
        uint32_t bus = pf->net.bus_of[i];
        for (uint32_t f = 0; f < n; f++) {
            bool known = bus != POF_NONE && pf->known;
            double a = known ? pf->a[bus * n + f] : 0;
            pf->v_pu[i * n + f] = known ? pf->v[bus * n + f] : 0;
            pf->angle[i * n + f] = pofi_wrap(a);
        }
    }
    for (uint32_t i = 0; i < pf->net.nodes && pf->known; i++) {
        pf->re[i] = pf->v[i] * cos(pf->a[i]);
        pf->im[i] = pf->v[i] * sin(pf->a[i]);
    }
}

/* --- branches --- */

struct complex {
    double re, im;
};

/* Power and magnitude of the current into form k. */
static void flow(const struct pof_pf *pf, uint32_t k, double *p, double *q, double *i)
{
    const struct pof_net *net = &pf->net;
    *p = *q = *i = 0;
    if (net->at[k] == POF_NONE || !pf->known) {
        return;
    }
    struct complex c = {0}, v = {pf->re[net->at[k]], pf->im[net->at[k]]};
    for (uint32_t e = net->begin[k]; e < net->begin[k + 1]; e++) {
        struct complex w = {pf->re[net->to[e]], pf->im[net->to[e]]};
        c.re += net->g[e] * w.re - net->b[e] * w.im;
        c.im += net->g[e] * w.im + net->b[e] * w.re;
    }
    *p = (v.re * c.re + v.im * c.im) * base(pf);
    *q = (v.im * c.re - v.re * c.im) * base(pf);
    *i = sqrt(c.re * c.re + c.im * c.im);
}

static void branches(struct pof_pf *pf)
{
    const struct pof_grid *g = pf->grid;
    uint32_t n = pf->net.phases;
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        for (uint32_t f = 0, at = k * n; f < n; f++, at++) {
            double i_from, i_to;
            flow(pf, pof_net_end(&pf->net, k, false, f), &pf->p_from[at], &pf->q_from[at], &i_from);
            flow(pf, pof_net_end(&pf->net, k, true, f), &pf->p_to[at], &pf->q_to[at], &i_to);
            pf->i_from[at] = i_from * pof_base_current(g, b->from);
            pf->i_to[at] = i_to * pof_base_current(g, b->to);
            pf->loading[at] = b->rating_va > 0 ? fmax(i_from, i_to) * g->base_va / b->rating_va : 0;
        }
    }
}

/* --- nodes --- */

/* What was given, a constant current at the present voltage. */
static void given(struct pof_pf *pf, const double *p_w, const double *q_var)
{
    uint32_t n = pf->net.phases;
    for (uint32_t i = 0; i < pf->grid->nodes; i++) {
        const struct pof_node *node = &pf->grid->node[i];
        for (uint32_t f = 0; f < n; f++) {
            uint32_t at = i * n + f;
            double v = pf->v_pu[at], p = node->p_w + node->ip_w * v, q = node->q_var + node->iq_var * v;
            p = (p + (p_w ? p_w[i] : 0)) / n;
            q = (q + (q_var ? q_var[i] : 0)) / n;
            if (n == 3 && node->phases) {
                p += node->phases->p_w[f] + node->phases->ip_w[f] * v;
                q += node->phases->q_var[f] + node->phases->iq_var[f] * v;
            }
            pf->p_w[at] = v > 0 ? p : 0;
            pf->q_var[at] = v > 0 ? q : 0;
        }
    }
}

/* The node of a bus that its generation is booked on: its first slack node, or first pv node, or,
 * with a distributed slack, first with a share. POF_NONE: the bus generates nothing. */
static uint32_t holder(const struct pof_pf *pf, uint32_t i, uint32_t so_far)
{
    const struct pof_node *node = pf->grid->node;
    if (node[i].kind == POF_NODE_PQ && !(pf->share && pf->share[i] > 0)) {
        return so_far;
    }
    return so_far == POF_NONE || (node[i].kind > node[so_far].kind) ? i : so_far;
}

void pofi_pf_holders(struct pof_pf *pf)
{
    for (uint32_t k = 0; k < pf->net.buses; k++) {
        pf->holds[k] = POF_NONE;
    }
    for (uint32_t i = 0; i < pf->grid->nodes; i++) {
        uint32_t bus = pf->net.bus_of[i];
        if (bus != POF_NONE) {
            pf->holds[bus] = holder(pf, i, pf->holds[bus]);
        }
    }
}

/* What bus k, held by node i, generates in phase f: what leaves it into the network and was not
 * given. */
static void book(struct pof_pf *pf, uint32_t k, uint32_t i, uint32_t f)
{
    const struct pof_node *node = &pf->grid->node[i];
    uint32_t n = pf->net.phases;
    double p, q, c;
    flow(pf, pof_net_bus(&pf->net, k * n + f), &p, &q, &c);
    p += pf->out_p[k * n + f];
    q += pf->out_q[k * n + f];
    bool slack = node->kind == POF_NODE_SLACK, shares = pf->share && pf->share[i] > 0;
    /* A pv node has what it was given; only its share of the slack comes on top. */
    p = slack || shares ? p : 0;
    q = node->kind != POF_NODE_PQ ? q : 0;
    pf->slack_p += p;
    pf->slack_q += slack ? q : 0;
    pf->p_w[i * n + f] -= p;
    pf->q_var[i * n + f] -= q;
}

static void generation(struct pof_pf *pf)
{
    const struct pof_net *net = &pf->net;
    uint32_t n = net->phases, nodes = pf->grid->nodes;
    pf->slack_p = pf->slack_q = 0;
    memset(pf->out_p, 0, net->nodes * sizeof *pf->out_p);
    memset(pf->out_q, 0, net->nodes * sizeof *pf->out_q);
    for (uint32_t i = 0; i < nodes * n; i++) {
        uint32_t bus = net->bus_of[i / n];
        if (bus != POF_NONE) {
            pf->out_p[bus * n + i % n] += pf->p_w[i];
            pf->out_q[bus * n + i % n] += pf->q_var[i];
        }
    }
    memset(pf->limit, 0, nodes * sizeof *pf->limit);
    for (uint32_t k = 0; k < net->buses && pf->known; k++) {
        uint32_t i = pf->holds[k];
        for (uint32_t f = 0; f < n && i != POF_NONE; f++) {
            book(pf, k, i, f);
        }
        if (i != POF_NONE && pf->limited && pf->grid->node[i].kind == POF_NODE_PV) {
            pf->limit[i] = pofi_newton_limits(pf->newton)[k * n];
        }
    }
}

/* --- ideal switches --- */

/* What leaves each grid node of a phase through branches, shunt and consumption together. */
static void leaving(struct pof_pf *pf, uint32_t f)
{
    const struct pof_grid *g = pf->grid;
    uint32_t n = pf->net.phases;
    for (uint32_t i = 0; i < g->nodes; i++) {
        double v = pf->v_pu[i * n + f], vv = v * v;
        pf->out_p[i] = pf->p_w[i * n + f] + vv * g->node[i].g_w / n;
        pf->out_q[i] = pf->q_var[i * n + f] - vv * g->node[i].b_var / n;
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        if (!pof_branch_ideal(g, b)) {
            pf->out_p[b->from] += pf->p_from[k * n + f];
            pf->out_q[b->from] += pf->q_from[k * n + f];
            pf->out_p[b->to] += pf->p_to[k * n + f];
            pf->out_q[b->to] += pf->q_to[k * n + f];
        }
    }
}

static void put_coupler(struct pof_pf *pf, uint32_t k, uint32_t f)
{
    const struct pof_grid *g = pf->grid;
    const struct pof_branch *b = &g->branch[k];
    uint32_t n = pf->net.phases, at = k * n + f;
    double v = pf->v_pu[b->from * n + f];
    double s = sqrt(pf->p_from[at] * pf->p_from[at] + pf->q_from[at] * pf->q_from[at]) / base(pf);
    double i = v > 0 ? s / v : 0;
    pf->p_to[at] = -pf->p_from[at];
    pf->q_to[at] = -pf->q_from[at];
    pf->i_from[at] = i * pof_base_current(g, b->from);
    pf->i_to[at] = i * pof_base_current(g, b->to);
    pf->loading[at] = b->rating_va > 0 ? i * g->base_va / b->rating_va : 0;
}

static int couplers(struct pof_pf *pf, struct pof_err *err)
{
    const struct pof_grid *g = pf->grid;
    uint32_t n = pf->net.phases;
    int rc = 0;
    for (uint32_t f = 0; f < n && rc == 0; f++) {
        leaving(pf, f);
        for (int part = 0; part < 2 && rc == 0; part++) {
            memset(pf->out_flow, 0, g->branches * sizeof *pf->out_flow);
            rc = pof_net_couplers(&pf->net, part ? pf->out_q : pf->out_p, pf->out_flow, err);
            double *to = part ? pf->q_from : pf->p_from;
            for (uint32_t k = 0; k < g->branches && rc == 0; k++) {
                if (pof_branch_ideal(g, &g->branch[k])) {
                    to[k * n + f] = pf->out_flow[k];
                }
            }
        }
        for (uint32_t k = 0; k < g->branches && rc == 0; k++) {
            if (pof_branch_ideal(g, &g->branch[k])) {
                put_coupler(pf, k, f);
            }
        }
    }
    return rc;
}

int pofi_pf_results(struct pof_pf *pf, const double *p_w, const double *q_var, struct pof_err *err)
{
    voltages(pf);
    given(pf, p_w, q_var);
    generation(pf);
    branches(pf);
    return pf->couplers && pf->known ? couplers(pf, err) : 0;
}
