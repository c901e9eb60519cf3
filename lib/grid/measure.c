/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of measurements for comparisons. */
#include "grid/measure.h"

#include "num/gauss.h"
#include "num/rng.h"

#include <math.h>
#include <stdlib.h>

/* Sets as numbers; a share of 0: none. Sigmas in p.u. */
struct rule {
    double v_share, v_sigma;       /* any node */
    double load_sigma;             /* p.u., or share of apparent power */
    double flow_share, flow_sigma; /* any branch, the same */
    double busbar_sigma;           /* V at busbars; their branches all read */
    double station_share, station_sigma;
    double meter_share, meter_sigma;
    bool relative; /* sigmas of powers are shares */
};

static const struct rule rules[] = {
    [POF_MEASURE_STD] =
        {.v_share = 1, .v_sigma = 0.004, .load_sigma = 0.01, .flow_share = 1, .flow_sigma = 0.008},
    [POF_MEASURE_LEAN] = {.v_share = 0.2,
                          .v_sigma = 0.004,
                          .load_sigma = 0.01,
                          .flow_share = 0.5,
                          .flow_sigma = 0.008},
    [POF_MEASURE_DIST] = {.load_sigma = 0.3,
                          .flow_sigma = 0.01,
                          .busbar_sigma = 0.002,
                          .station_share = 0.3,
                          .station_sigma = 0.005,
                          .meter_share = 0.1,
                          .meter_sigma = 0.01,
                          .relative = true},
};

/* Places in the streams: what is chosen at a node, and the noise of a quantity. */
enum { CHOOSE_V, CHOOSE_FLOW, CHOOSE_STATION, CHOOSE_METER, NOISE };

struct making {
    const struct pof_grid *grid;
    const struct pof_pf_result *r;
    const struct pof_measure_options *o;
    const struct rule *rule;
    struct pof_observations *to;
    double *v_sigma; /* [nodes] p.u.; 0: V is not read */
    bool *is_busbar; /* [nodes] */
    struct pof_err *err;
};

static bool chosen(const struct making *m, uint64_t place, int what, double share)
{
    return share > 0 && pof_unit(pof_random(m->o->seed, place, (uint64_t)what)) < share;
}

static int put(struct making *m, const struct pof_observation *o)
{
    struct pof_observations *to = m->to;
    int rc = pof_grow(&to->item, &to->cap, to->n + 1, sizeof *to->item, m->err);
    if (rc) {
        return rc;
    }
    struct pof_observation *x = &to->item[to->n++];
    *x = *o;
    if (m->o->noise && o->sigma > 0) {
        uint64_t place = (o->branch ? m->grid->nodes : 0) + (uint64_t)o->element;
        uint64_t stream = pof_random(m->o->seed, NOISE, m->o->draw);
        x->value += o->sigma * pof_gauss(stream, place, o->quantity);
    }
    return 0;
}

/* P and Q; sigma < 0: exact. */
static int put_power(struct making *m, struct pof_observation o, const double pq[2], double sigma)
{
    double s = m->rule->relative ? fmax(sigma * hypot(pq[0], pq[1]), 1) : sigma * m->grid->base_va;
    o.sigma = sigma < 0 ? 0 : s;
    o.quantity = POF_QUANTITY_P;
    o.value = pq[0];
    int rc = put(m, &o);
    o.quantity = POF_QUANTITY_Q;
    o.value = pq[1];
    return rc ? rc : put(m, &o);
}

static bool connected(const struct making *m, const bool *consumer, uint32_t i)
{
    const struct pof_node *n = &m->grid->node[i];
    if (consumer && consumer[i]) {
        return true;
    }
    return n->kind != POF_NODE_PQ || n->p_w != 0 || n->q_var != 0 || n->ip_w != 0 ||
           n->iq_var != 0 || n->rated_w != 0 || n->phases;
}

static int of_node(struct making *m, const bool *consumer, uint32_t i)
{
    const struct pof_node *n = &m->grid->node[i];
    const struct rule *rule = m->rule;
    struct pof_observation o = {.element = i, .quantity = POF_QUANTITY_V};
    bool load = connected(m, consumer, i);
    if (chosen(m, i, CHOOSE_V, rule->v_share)) {
        m->v_sigma[i] = rule->v_sigma;
    } else if (load && m->v_sigma[i] == 0 && n->kind == POF_NODE_PQ &&
               chosen(m, i, CHOOSE_METER, rule->meter_share)) {
        m->v_sigma[i] = rule->meter_sigma;
    }
    int rc = 0;
    if (m->v_sigma[i] > 0) {
        o.value = m->r->v_pu[i] * n->base_v;
        o.sigma = m->v_sigma[i] * n->base_v;
        rc = put(m, &o);
    }
    if (!load) {
        static const double nothing[] = {0, 0};
        return rc || n->zero_injection ? rc : put_power(m, o, nothing, -1);
    }
    if (rule->relative && n->kind == POF_NODE_SLACK) {
        return rc; /* a distribution grid draws there what it draws */
    }
    const double pq[] = {m->r->p_w[i], m->r->q_var[i]};
    return rc ? rc : put_power(m, o, pq, rule->load_sigma);
}

static int of_branch(struct making *m, uint32_t k)
{
    const struct pof_branch *b = &m->grid->branch[k];
    bool down = b->kind == POF_BRANCH_TRANSFORMER && !m->is_busbar[b->from] && !m->is_busbar[b->to];
    bool head_from = m->is_busbar[b->from] && m->grid->node[b->to].kind != POF_NODE_SLACK;
    bool head_to = m->is_busbar[b->to] && m->grid->node[b->from].kind != POF_NODE_SLACK;
    if (!(head_from || head_to || chosen(m, k, CHOOSE_FLOW, m->rule->flow_share) ||
          (down && chosen(m, k, CHOOSE_STATION, m->rule->station_share)))) {
        return 0;
    }
    bool to = head_to && !head_from;
    struct pof_observation o = {.element = k, .branch = true, .to = to};
    const double pq[] = {to ? m->r->p_to_w[k] : m->r->p_from_w[k],
                         to ? m->r->q_to_var[k] : m->r->q_from_var[k]};
    return put_power(m, o, pq, m->rule->flow_sigma);
}

static bool energised(const struct making *m, const struct pof_branch *b)
{
    return b->closed && m->r->v_pu[b->from] > 0 && m->r->v_pu[b->to] > 0;
}

/* Busbars, and the stations whose voltage is read. A slack node without a transformer is a busbar.
 */
static void place_voltages(struct making *m)
{
    const struct pof_grid *g = m->grid;
    for (uint32_t k = 0; k < g->branches && m->rule->busbar_sigma > 0; k++) {
        const struct pof_branch *b = &g->branch[k];
        bool from_low = g->node[b->from].base_v < g->node[b->to].base_v;
        uint32_t low = from_low ? b->from : b->to, high = from_low ? b->to : b->from;
        if (!energised(m, b)) {
            continue;
        }
        if (g->node[high].kind == POF_NODE_SLACK || g->node[low].kind == POF_NODE_SLACK) {
            uint32_t at = b->kind == POF_BRANCH_TRANSFORMER     ? low
                          : g->node[low].kind == POF_NODE_SLACK ? low
                                                                : high;
            m->is_busbar[at] = true;
            m->v_sigma[at] = m->rule->busbar_sigma;
        }
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        uint32_t low = g->node[b->from].base_v < g->node[b->to].base_v ? b->from : b->to;
        if (b->kind == POF_BRANCH_TRANSFORMER && energised(m, b) && m->v_sigma[low] == 0 &&
            !m->is_busbar[b->from] && chosen(m, k, CHOOSE_STATION, m->rule->station_share)) {
            m->v_sigma[low] = m->rule->station_sigma;
        }
    }
}

int pof_measure_make(const struct pof_grid *grid, const struct pof_pf_result *result,
                     const bool *consumer, const struct pof_measure_options *options,
                     struct pof_observations *to, struct pof_err *err)
{
    struct making m = {.grid = grid,
                       .r = result,
                       .o = options,
                       .rule = &rules[options->set],
                       .to = to,
                       .err = err};
    int rc = pof_calloc(&m.v_sigma, grid->nodes, sizeof *m.v_sigma, err);
    rc = rc ? rc : pof_calloc(&m.is_busbar, grid->nodes, sizeof *m.is_busbar, err);
    if (rc == 0) {
        place_voltages(&m);
    }
    for (uint32_t i = 0; i < grid->nodes && rc == 0; i++) {
        rc = result->v_pu[i] > 0 ? of_node(&m, consumer, i) : 0;
    }
    for (uint32_t k = 0; k < grid->branches && rc == 0; k++) {
        rc = energised(&m, &grid->branch[k]) ? of_branch(&m, k) : 0;
    }
    free(m.v_sigma);
    free(m.is_busbar);
    return rc;
}
