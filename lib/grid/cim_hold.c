/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes hold their voltage: the slack of each electrical island, and pv nodes. */
#include "grid/cim.h"

#include <math.h>
#include <stdlib.h>

struct holding {
    struct pofi_cim *c;
    uint32_t *bus, *island; /* [nodes] a node of the same bus, of the same island: the least */
    uint32_t *slack;        /* [nodes] of an island (at its least node): its slack node; POF_NONE */
    uint32_t *by;           /* [nodes] the machine that is the slack there; POF_NONE */
};

static uint32_t root(uint32_t *of, uint32_t i)
{
    while (of[i] != i) {
        of[i] = of[of[i]];
        i = of[i];
    }
    return i;
}

/* The least node stays the root, so that results do not depend on the order of branches. */
static void join(uint32_t *of, uint32_t a, uint32_t b)
{
    a = root(of, a);
    b = root(of, b);
    if (a != b) {
        of[a > b ? a : b] = a < b ? a : b;
    }
}

static int find_islands(struct holding *h)
{
    struct pof_grid *g = h->c->build.grid;
    struct pof_err *err = h->c->err;
    int rc = pof_calloc(&h->bus, g->nodes, sizeof *h->bus, err);
    rc = rc ? rc : pof_calloc(&h->island, g->nodes, sizeof *h->island, err);
    rc = rc ? rc : pof_calloc(&h->slack, g->nodes, sizeof *h->slack, err);
    rc = rc ? rc : pof_calloc(&h->by, g->nodes, sizeof *h->by, err);
    if (rc) {
        return rc;
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        h->bus[i] = h->island[i] = i;
        h->slack[i] = h->by[i] = POF_NONE;
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        if (b->closed) {
            join(h->island, b->from, b->to);
        }
        if (b->closed && b->kind == POF_BRANCH_SWITCH) {
            join(h->bus, b->from, b->to);
        }
    }
    return 0;
}

/* Whether one machine is a better slack than another: priority 1, 2, ..., then strength. */
static bool better(const struct pofi_cim_machine *a, const struct pofi_cim_machine *b)
{
    if ((a->priority > 0) != (b->priority > 0)) {
        return a->priority > 0;
    }
    return a->priority > 0 ? a->priority < b->priority : a->strength > b->strength;
}

static void choose_machines(struct holding *h)
{
    struct pofi_cim *c = h->c;
    for (uint32_t i = 0; i < c->machines; i++) {
        const struct pofi_cim_machine *m = &c->machine[i];
        uint32_t at = root(h->island, m->node);
        if ((m->priority > 0 || m->strength > 0) &&
            (h->by[at] == POF_NONE || better(m, &c->machine[h->by[at]]))) {
            h->by[at] = i;
            h->slack[at] = m->node;
        }
    }
}

/* The node that a solved state refers its angles to, where no machine has a priority. */
static void choose_references(struct holding *h)
{
    struct pofi_cim *c = h->c;
    for (size_t i = 0; i < c->ids.n; i++) {
        uint32_t o = c->order[i];
        uint32_t to = c->object[o].class == CIM_TopologicalIsland
                          ? pofi_cim_ref_opt(c, o, CIM_TopologicalIsland_AngleRefTopologicalNode)
                          : POF_NONE;
        uint32_t fine = to == POF_NONE || c->by_topology ? POF_NONE
                                                         : pofi_cim_one(c, to, CIM_ConnectivityNode_TopologicalNode);
        uint32_t node = to == POF_NONE ? POF_NONE : c->node_of[c->by_topology ? to : fine == POF_NONE ? to : fine];
        uint32_t at = node == POF_NONE ? POF_NONE : root(h->island, node);
        if (at == POF_NONE || (h->by[at] != POF_NONE && c->machine[h->by[at]].priority > 0)) {
            continue;
        }
        h->slack[at] = node;
        h->by[at] = POF_NONE;
        for (uint32_t k = 0; k < c->machines; k++) {
            bool here = root(h->bus, c->machine[k].node) == root(h->bus, node) && c->machine[k].strength > 0;
            if (here && (h->by[at] == POF_NONE || better(&c->machine[k], &c->machine[h->by[at]]))) {
                h->by[at] = k;
                h->slack[at] = c->machine[k].node;
            }
        }
    }
}

static int choose_named(struct holding *h)
{
    struct pofi_cim *c = h->c;
    if (!c->input->slack) {
        return 0;
    }
    uint32_t node = pof_names_find(&c->build.grid->node_names, pof_text(c->input->slack));
    if (node == POF_NONE) {
        return c->rc = pof_fail(c->err, POF_E_REFERENCE, "there is no node '%.60s' to be the slack", c->input->slack);
    }
    uint32_t at = root(h->island, node);
    h->slack[at] = node;
    h->by[at] = POF_NONE;
    for (uint32_t k = 0; k < c->machines; k++) {
        h->by[at] = h->by[at] == POF_NONE && c->machine[k].node == node ? k : h->by[at];
    }
    c->fed[node] = true;
    return 0;
}

static bool holds_own(struct holding *h, const struct pofi_cim_machine *m)
{
    return m->v_set > 0 && m->holds != POF_NONE && root(h->bus, m->holds) == root(h->bus, m->node);
}

static void make_slack(struct holding *h, uint32_t node, uint32_t by)
{
    struct pofi_cim *c = h->c;
    struct pof_node *n = &c->build.grid->node[node];
    const struct pofi_cim_machine *m = by == POF_NONE ? NULL : &c->machine[by];
    double v = 0, angle = m ? m->angle : 0;
    int stored = pofi_cim_state(c, node, &v, &angle);
    bool own = m && holds_own(h, m);
    /* In a solved state the machine may be at a reactive limit, and its voltage not at the target. */
    c->off_target += own && stored > 0 && fabs(v - m->v_set) > 1e-4 * n->base_v;
    c->remote_free += !own && stored <= 0;
    v = stored > 0 ? v : own ? m->v_set : n->base_v;
    n->kind = POF_NODE_SLACK;
    n->v_set_pu = v / n->base_v;
    n->angle_set = angle;
}

static void add_power(struct pof_node *n, const struct pofi_cim_machine *m, bool p, bool q)
{
    n->p_w += p ? m->p_w : 0;
    n->q_var += q ? m->q_var : 0;
}

/* A machine that holds a voltage elsewhere than at its own bus: its own, as the state has it. */
static double own_target(struct holding *h, const struct pofi_cim_machine *m)
{
    struct pofi_cim *c = h->c;
    double v = 0, angle;
    if (m->v_set <= 0) {
        return 0;
    }
    bool stored = pofi_cim_state(c, m->node, &v, &angle) > 0;
    if (holds_own(h, m)) {
        c->off_target += stored && fabs(v - m->v_set) > 1e-4 * c->build.grid->node[m->node].base_v;
        return stored ? v : m->v_set;
    }
    c->remote_held += stored;
    c->remote_free += !stored;
    return stored ? v : 0;
}

static void place_machine(struct holding *h, uint32_t i)
{
    struct pofi_cim *c = h->c;
    const struct pofi_cim_machine *m = &c->machine[i];
    uint32_t at = root(h->island, m->node), slack = h->slack[at];
    struct pof_node *n = &c->build.grid->node[m->node];
    n->slack_share += m->share;
    if (h->by[at] == i) {
        return; /* gives what is missing */
    }
    bool beside_slack = slack != POF_NONE && root(h->bus, slack) == root(h->bus, m->node);
    double v = beside_slack ? 0 : own_target(h, m);
    add_power(n, m, true, v <= 0);
    if (v <= 0) {
        return;
    }
    bool first = n->kind != POF_NODE_PV;
    n->v_set_pu = first ? v / n->base_v : n->v_set_pu;
    n->has_q_limits = (first || n->has_q_limits) && m->q_min < m->q_max;
    n->q_min_var += m->q_min;
    n->q_max_var += m->q_max;
    n->kind = POF_NODE_PV;
}

static void finish_nodes(struct holding *h)
{
    struct pofi_cim *c = h->c;
    struct pof_grid *g = c->build.grid;
    for (uint32_t i = 0; i < g->nodes; i++) {
        struct pof_node *n = &g->node[i];
        uint32_t at = root(h->island, i);
        c->dead += h->slack[at] == POF_NONE;
        n->zero_injection = !c->fed[i];
        if (!n->has_q_limits) {
            n->q_min_var = n->q_max_var = 0;
        }
    }
}

int pofi_cim_hold(struct pofi_cim *c)
{
    struct holding h = {.c = c};
    c->rc = c->rc ? c->rc : find_islands(&h);
    if (c->rc == 0) {
        choose_machines(&h);
        choose_references(&h);
        choose_named(&h);
    }
    for (uint32_t i = 0; i < c->build.grid->nodes && c->rc == 0; i++) {
        if (h.slack[i] != POF_NONE && h.island[i] == i) {
            make_slack(&h, h.slack[i], h.by[i]);
        }
    }
    for (uint32_t i = 0; i < c->machines && c->rc == 0; i++) {
        place_machine(&h, i);
    }
    if (c->rc == 0) {
        finish_nodes(&h);
    }
    free(h.bus);
    free(h.island);
    free(h.slack);
    free(h.by);
    return c->rc;
}
