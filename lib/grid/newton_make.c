/* SPDX-License-Identifier: Apache-2.0 */
/* Newton's method: equations, unknowns and the pattern of their derivatives. */
#include "grid/newton_impl.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

void pofi_fixed_loads(const struct pof_net *net, struct pofi_load *load)
{
    const struct pof_grid *g = net->grid;
    for (uint32_t i = 0; i < net->nodes; i++) {
        load[i] = (struct pofi_load){0};
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        const struct pof_node *n = &g->node[i];
        for (uint32_t f = 0; net->bus_of[i] != POF_NONE && f < net->phases; f++) {
            struct pofi_load *l = &load[net->bus_of[i] * net->phases + f];
            /* A third of the power on a third of the base. */
            l->p += n->p_w / g->base_va;
            l->q += n->q_var / g->base_va;
            l->ip += n->ip_w / g->base_va;
            l->iq += n->iq_var / g->base_va;
            if (net->phases == 3 && n->phases) {
                l->p += 3 * n->phases->p_w[f] / g->base_va;
                l->q += 3 * n->phases->q_var[f] / g->base_va;
                l->ip += 3 * n->phases->ip_w[f] / g->base_va;
                l->iq += 3 * n->phases->iq_var[f] / g->base_va;
            }
        }
    }
}

double pofi_rounding(const struct pof_net *net, const int32_t *unknown)
{
    double largest = 0;
    for (uint32_t i = 0; i < net->nodes; i++) {
        double sum = 0;
        uint32_t form = pof_net_bus(net, i);
        for (uint32_t e = net->begin[form]; e < net->begin[form + 1]; e++) {
            sum += fabs(net->g[e]) + fabs(net->b[e]);
        }
        largest = fmax(largest, unknown[i] < 0 ? 0 : sum);
    }
    return 4 * DBL_EPSILON * largest;
}

/* --- what is held --- */

static int hold_pv(struct pofi_newton *n, uint32_t i, bool q_limits, struct pof_err *err)
{
    const struct pof_net *net = n->net;
    const struct pof_node *node = &net->grid->node[i];
    uint32_t bus = net->bus_of[i];
    bool limited = q_limits && node->has_q_limits;
    if (limited && node->q_min_var > node->q_max_var) {
        return pof_fail(err, POF_E_RANGE,
                        "node '%s' may generate %.15g var at least and %.15g at most; its limits are "
                        "the wrong way round",
                        node->name.ptr, node->q_min_var, node->q_max_var);
    }
    for (uint32_t f = 0; f < net->phases; f++) {
        struct pofi_hold *h = &n->hold[bus * net->phases + f];
        if (h->kind == POFI_SLACK) {
            continue;
        }
        if (h->kind != POFI_PQ && h->v_set != node->v_set_pu) {
            return pof_fail(err, POF_E_TOPOLOGY,
                            "node '%s' holds %.15g p.u. where closed switches join it to a node that "
                            "holds %.15g; make them equal",
                            node->name.ptr, node->v_set_pu, h->v_set);
        }
        h->kind = h->kind == POFI_PV || !limited ? POFI_PV : POFI_LIMITED;
        h->v_set = node->v_set_pu;
        h->q_min += limited ? node->q_min_var / net->grid->base_va : 0;
        h->q_max += limited ? node->q_max_var / net->grid->base_va : 0;
    }
    return 0;
}

static int hold(struct pofi_newton *n, bool q_limits, struct pof_err *err)
{
    const struct pof_net *net = n->net;
    int rc = 0;
    for (uint32_t i = 0; i < net->grid->nodes; i++) {
        if (net->bus_of[i] != POF_NONE && net->grid->node[i].kind == POF_NODE_SLACK) {
            for (uint32_t f = 0; f < net->phases; f++) {
                n->hold[net->bus_of[i] * net->phases + f].kind = POFI_SLACK;
            }
        }
    }
    for (uint32_t i = 0; i < net->grid->nodes && rc == 0; i++) {
        if (net->bus_of[i] != POF_NONE && net->grid->node[i].kind == POF_NODE_PV) {
            rc = hold_pv(n, i, q_limits, err);
        }
    }
    for (uint32_t i = 0; i < net->nodes; i++) {
        n->limited += n->hold[i].kind == POFI_LIMITED;
    }
    return rc;
}

/* --- distributed slack --- */

static int check_island(const struct pofi_newton *n, uint32_t bus, struct pof_err *err)
{
    const struct pof_net *net = n->net;
    if (n->hold[bus * net->phases].kind == POFI_SLACK && net->slack_of[bus] != bus) {
        return pof_fail(err, POF_E_TOPOLOGY,
                        "nodes '%s' and '%s' are both slack in one island; a distributed slack needs "
                        "one of them, the others as pv",
                        net->grid->node[net->first_of[net->slack_of[bus]]].name.ptr,
                        net->grid->node[net->first_of[bus]].name.ptr);
    }
    return 0;
}

/* Weights of each island, normalised. An island without any keeps its slack node. */
static int share_slack(struct pofi_newton *n, struct pof_err *err)
{
    const struct pof_net *net = n->net;
    double *sum = NULL;
    int rc = pof_calloc(&n->share, net->nodes, sizeof *n->share, err);
    rc = rc ? rc : pof_calloc(&n->lambda_of, net->nodes, sizeof *n->lambda_of, err);
    rc = rc ? rc : pof_calloc(&n->share_slot, net->nodes, sizeof *n->share_slot, err);
    rc = rc ? rc : pof_calloc(&sum, net->buses, sizeof *sum, err);
    for (uint32_t i = 0; i < net->grid->nodes && rc == 0; i++) {
        uint32_t bus = net->bus_of[i];
        if (bus != POF_NONE) {
            sum[net->slack_of[bus]] += net->grid->node[i].slack_share;
            for (uint32_t f = 0; f < net->phases; f++) {
                n->share[bus * net->phases + f] += net->grid->node[i].slack_share;
            }
            rc = check_island(n, bus, err);
        }
    }
    for (uint32_t bus = 0; bus < net->buses && rc == 0; bus++) {
        double all = sum[net->slack_of[bus]];
        for (uint32_t f = 0; f < net->phases; f++) {
            uint32_t i = bus * net->phases + f;
            n->share[i] = all > 0 ? n->share[i] / all : 0;
            n->lambda_of[i] = -1;
        }
    }
    for (uint32_t bus = 0; bus < net->buses && rc == 0; bus++) {
        if (net->slack_of[bus] == bus && sum[bus] > 0) {
            n->lambda_of[bus * net->phases] = (int32_t)n->lambdas++;
        }
    }
    for (uint32_t i = 0; i < net->nodes && rc == 0; i++) {
        n->lambda_of[i] = n->lambda_of[net->slack_of[i / net->phases] * net->phases];
    }
    free(sum);
    return rc;
}

/* --- numbers --- */

static void number(struct pofi_newton *n)
{
    for (uint32_t i = 0; i < n->net->nodes; i++) {
        uint8_t kind = n->hold[i].kind;
        n->col_a[i] = n->row_p[i] = kind != POFI_SLACK ? n->unknowns++ : -1;
        n->col_v[i] = n->row_q[i] = kind == POFI_PQ || kind == POFI_LIMITED ? n->unknowns++ : -1;
    }
    /* The balance of the slack node itself, all phases in one, is the equation for its power. */
    for (uint32_t i = 0; n->lambda_of && i < n->net->nodes; i++) {
        if (n->hold[i].kind == POFI_SLACK && n->lambda_of[i] >= 0) {
            n->row_p[i] = n->unknowns + n->lambda_of[i];
        }
    }
    n->unknowns += (int32_t)n->lambdas;
}

/* The places of the pattern, and who wants to know each. */
struct places {
    int32_t *row, *col, *slot;
    int32_t **wanted;
    size_t n;
};

static void want(struct places *p, int32_t row, int32_t col, int32_t *slot)
{
    *slot = -1;
    if (row >= 0 && col >= 0) {
        p->row[p->n] = row;
        p->col[p->n] = col;
        p->wanted[p->n++] = slot;
    }
}

static void collect(struct pofi_newton *n, struct places *p)
{
    const struct pof_net *net = n->net;
    uint32_t first = net->begin[pof_net_bus(net, 0)];
    for (uint32_t i = 0; i < net->nodes; i++) {
        uint32_t form = pof_net_bus(net, i);
        for (uint32_t e = net->begin[form]; e < net->begin[form + 1]; e++) {
            int32_t *slot = n->slot + 4 * (size_t)(e - first);
            uint32_t j = net->to[e];
            want(p, n->row_p[i], n->col_a[j], slot);
            want(p, n->row_p[i], n->col_v[j], slot + 1);
            want(p, n->row_q[i], n->col_a[j], slot + 2);
            want(p, n->row_q[i], n->col_v[j], slot + 3);
        }
        if (n->share) {
            int32_t at = n->lambda_of[i];
            bool any = at >= 0 && (n->share[i] > 0 || n->hold[i].kind == POFI_SLACK);
            want(p, n->row_p[i], any ? n->unknowns - (int32_t)n->lambdas + at : -1,
                 &n->share_slot[i]);
        }
    }
}

static int make_pattern(struct pofi_newton *n, struct pof_err *err)
{
    const struct pof_net *net = n->net;
    size_t entries = net->begin[net->forms] - net->begin[pof_net_bus(net, 0)];
    size_t most = 4 * entries + net->nodes;
    struct places p = {0};
    int rc = pof_calloc(&n->slot, 4 * entries, sizeof *n->slot, err);
    rc = rc ? rc : pof_calloc(&p.row, most, sizeof *p.row, err);
    rc = rc ? rc : pof_calloc(&p.col, most, sizeof *p.col, err);
    rc = rc ? rc : pof_calloc(&p.slot, most, sizeof *p.slot, err);
    rc = rc ? rc : pof_calloc(&p.wanted, most, sizeof *p.wanted, err);
    if (rc == 0) {
        collect(n, &p);
        struct pof_places places = {p.row, p.col, p.n};
        rc = pof_csc_pattern(&n->jacobian, n->unknowns, n->unknowns, &places, p.slot, err);
    }
    for (size_t k = 0; k < p.n && rc == 0; k++) {
        *p.wanted[k] = p.slot[k];
    }
    free(p.row);
    free(p.col);
    free(p.slot);
    free(p.wanted);
    return rc;
}

/* --- the whole --- */

static int allocate(struct pofi_newton *n, struct pof_err *err)
{
    size_t nodes = n->net->nodes;
    int32_t **const numbers[] = {&n->row_p, &n->row_q, &n->col_a, &n->col_v};
    double **const values[] = {&n->v,  &n->a,  &n->re, &n->im, &n->p,  &n->q,
                               &n->fp, &n->fq, &n->v0, &n->a0};
    int rc = pof_calloc(&n->hold, nodes, sizeof *n->hold, err);
    rc = rc ? rc : pof_calloc(&n->at_limit, nodes, sizeof *n->at_limit, err);
    rc = rc ? rc : pof_calloc(&n->returns, nodes, sizeof *n->returns, err);
    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0] && rc == 0; k++) {
        rc = pof_calloc(numbers[k], nodes, sizeof **numbers[k], err);
    }
    for (size_t k = 0; k < sizeof values / sizeof values[0] && rc == 0; k++) {
        rc = pof_calloc(values[k], nodes, sizeof **values[k], err);
    }
    return rc;
}

int pofi_newton_new(struct pofi_newton **out, const struct pof_net *net,
                    const struct pofi_newton_options *options, struct pof_err *err)
{
    *out = NULL;
    struct pofi_newton *n;
    int rc = pof_calloc(&n, 1, sizeof *n, err);
    if (rc) {
        return rc;
    }
    n->net = net;
    rc = allocate(n, err);
    rc = rc ? rc : hold(n, options->q_limits, err);
    rc = rc || !options->distributed ? rc : share_slack(n, err);
    rc = rc ? rc : pof_calloc(&n->lambda, n->lambdas, sizeof *n->lambda, err);
    rc = rc ? rc : pof_calloc(&n->lambda0, n->lambdas, sizeof *n->lambda0, err);
    if (rc == 0) {
        number(n);
        rc = pof_calloc(&n->step, (size_t)n->unknowns, sizeof *n->step, err);
    }
    rc = rc ? rc : make_pattern(n, err);
    if (rc == 0 && n->unknowns > 0) {
        rc = pof_lu_new(&n->lu, &n->jacobian, err);
        if (rc == 0) {
            pof_lu_trust(n->lu);
        }
    }
    if (rc) {
        pofi_newton_free(n);
        return rc;
    }
    *out = n;
    return 0;
}

const int8_t *pofi_newton_limits(const struct pofi_newton *n)
{
    return n->at_limit;
}

uint32_t pofi_newton_kept(const struct pofi_newton *n)
{
    return n->kept;
}

void pofi_newton_renew(struct pofi_newton *n)
{
    n->canonical = false;
}

void pofi_newton_free(struct pofi_newton *n)
{
    if (!n) {
        return;
    }
    void *const owned[] = {n->hold,  n->at_limit, n->returns, n->share, n->lambda_of, n->lambda,
                           n->row_p, n->row_q,    n->col_a,   n->col_v, n->slot,      n->share_slot,
                           n->v,     n->a,        n->re,      n->im,    n->p,         n->q,
                           n->fp,    n->fq,       n->step,    n->v0,    n->a0,        n->lambda0};
    pof_lu_free(n->lu);
    pof_csc_release(&n->jacobian);
    for (size_t k = 0; k < sizeof owned / sizeof owned[0]; k++) {
        free(owned[k]);
    }
    free(n);
}
