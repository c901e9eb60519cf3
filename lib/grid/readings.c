/* SPDX-License-Identifier: Apache-2.0 */
/* What instruments would show of a solved power flow. */
#include "grid/series.h"
#include "num/gauss.h"
#include "record/words.h"

#include <math.h>
#include <stdlib.h>

/* The order of the words "v", "angle", "p", "q", "i" and "from", "to" of words.def. */
enum { QUANTITY_V = 0, QUANTITY_P = 2, QUANTITY_Q = 3 };
enum { END_FROM = 0, END_TO = 1 };

/* Places of a node and of a branch; each has one noise, whatever set is read. */
enum { NODE_PLACES = 3, BRANCH_PLACES = 4 };

struct making {
    const struct pof_loads *loads;
    const struct pof_solved *solved;
    const struct pof_reading_options *o;
    const struct pof_record_taker *taker;
    struct pof_err *err;
    bool *bus; /* [nodes] slack, or lower side of a transformer */
    uint32_t phase;
};

static int put(const struct making *m, struct pof_reading *r, uint64_t place)
{
    uint32_t phases = m->solved->result.phases;
    place = place * phases + m->phase;
    if (phases > 1) {
        r->phase = (int)m->phase;
        POF_SET(r, reading, phase);
    }
    r->start = m->loads->start[m->solved->i];
    if (m->o->noise && r->sigma > 0) {
        r->value += r->sigma * pof_gauss(m->o->seed, (uint64_t)r->start, place);
    }
    return m->taker->take(m->taker->ctx, POF_reading, r, m->err);
}

/* P and Q at one place. */
static int put_power(const struct making *m, struct pof_reading *r, const double pq[2],
                     double share, uint64_t place)
{
    double sigma = fmax(share * hypot(pq[0], pq[1]), m->o->sigma_min_va);
    for (int i = 0; i < 2; i++) {
        r->quantity = i ? QUANTITY_Q : QUANTITY_P;
        r->value = pq[i];
        r->sigma = share < 0 ? 0 : sigma;
        int rc = put(m, r, place + (uint64_t)i);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

static bool nothing_connected(const struct pof_loads *l, uint32_t i)
{
    const struct pof_node *n = &l->grid->node[i];
    const struct pof_node_phases *p = n->phases;
    bool none = n->kind == POF_NODE_PQ && n->p_w == 0 && n->q_var == 0 && n->ip_w == 0 &&
                n->iq_var == 0 && n->rated_w == 0 && !l->has_pod[i];
    for (int f = 0; f < 3 && p && none; f++) {
        none = p->p_w[f] == 0 && p->q_var[f] == 0 && p->ip_w[f] == 0 && p->iq_var[f] == 0;
    }
    return n->zero_injection || none;
}

static int node_readings(const struct making *m, uint32_t i)
{
    const struct pof_node *n = &m->loads->grid->node[i];
    const struct pof_pf_result *r = &m->solved->result;
    bool full = m->o->set == POF_READING_FULL;
    uint64_t place = (uint64_t)i * NODE_PLACES;
    size_t at = (size_t)i * r->phases + m->phase;
    double nominal = r->phases > 1 ? n->base_v / sqrt(3) : n->base_v;
    struct pof_reading reading = {.element = POF_ELEMENT_NODE, .name = n->name};
    int rc = 0;
    if (r->v_pu[at] == 0) {
        return 0;
    }
    if (full || m->bus[i]) {
        reading.quantity = QUANTITY_V;
        reading.value = r->v_pu[at] * nominal;
        reading.sigma = m->o->sigma_v * nominal;
        rc = put(m, &reading, place);
    }
    const double pq[] = {r->p_w[at], r->q_var[at]};
    if (rc == 0 && nothing_connected(m->loads, i)) {
        static const double nothing[] = {0, 0};
        return put_power(m, &reading, nothing, -1, place + 1);
    }
    if (rc == 0 && full && n->kind != POF_NODE_SLACK) {
        rc = put_power(m, &reading, pq, m->o->sigma_load, place + 1);
    }
    return rc;
}

static int branch_readings(const struct making *m, uint32_t k)
{
    const struct pof_grid *g = m->loads->grid;
    const struct pof_branch *b = &g->branch[k];
    const struct pof_pf_result *r = &m->solved->result;
    size_t at = (size_t)k * r->phases + m->phase;
    if (!b->closed || r->v_pu[(size_t)b->from * r->phases + m->phase] == 0) {
        return 0;
    }
    bool at_from = m->o->set == POF_READING_FULL || b->kind == POF_BRANCH_TRANSFORMER ||
                   m->bus[b->from];
    if (!at_from && !m->bus[b->to]) {
        return 0;
    }
    uint64_t place = (uint64_t)g->nodes * NODE_PLACES + (uint64_t)k * BRANCH_PLACES;
    const double from[] = {r->p_from_w[at], r->q_from_var[at]};
    const double to[] = {r->p_to_w[at], r->q_to_var[at]};
    struct pof_reading reading = {.element = POF_ELEMENT_BRANCH, .name = b->name};
    reading.end = at_from ? END_FROM : END_TO;
    POF_SET(&reading, reading, end);
    return put_power(m, &reading, at_from ? from : to, m->o->sigma_flow, place + (at_from ? 0 : 2));
}

static void find_buses(const struct pof_grid *g, bool *bus)
{
    for (uint32_t i = 0; i < g->nodes; i++) {
        bus[i] = g->node[i].kind == POF_NODE_SLACK;
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        if (b->kind == POF_BRANCH_TRANSFORMER && b->closed) {
            bus[g->node[b->to].base_v <= g->node[b->from].base_v ? b->to : b->from] = true;
        }
    }
}

int pof_readings_make(const struct pof_loads *loads, const struct pof_solved *solved,
                      const struct pof_reading_options *options,
                      const struct pof_record_taker *taker, struct pof_err *err)
{
    const struct pof_grid *g = loads->grid;
    struct making m = {loads, solved, options, taker, err, NULL, 0};
    uint32_t phases = solved->result.phases;
    int rc = pof_calloc(&m.bus, g->nodes, sizeof *m.bus, err);
    if (rc) {
        return rc;
    }
    find_buses(g, m.bus);
    for (uint32_t i = 0; i < g->nodes * phases && rc == 0; i++) {
        m.phase = i % phases;
        rc = node_readings(&m, i / phases);
    }
    for (uint32_t k = 0; k < g->branches * phases && rc == 0; k++) {
        m.phase = k % phases;
        rc = branch_readings(&m, k / phases);
    }
    free(m.bus);
    return rc;
}
