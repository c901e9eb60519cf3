/* SPDX-License-Identifier: Apache-2.0 */
/* Power flow of a grid without meshes: the plan of a grid, and the iteration over its passes
 * (sweep_passes.h). */
#include "grid/admittance.h"
#include "grid/sweep_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- the plan --- */

/* Closed branches with impedance at each bus: at[first[i] .. first[i + 1]). */
struct incidence {
    uint32_t *first, *at;
};

/* A tree in the making; parents and branches are numbered as in the grid, by bus. */
struct way {
    uint32_t *parent, *branch, *stack;
    uint32_t *place; /* POF_NONE: not met yet */
};

/* Its ends in net->at, POF_NONE where it carries nothing: the net has one phase. */
static const uint32_t *ends_of(const struct pof_net *net, uint32_t k)
{
    return net->at + pof_net_end(net, k, false, 0);
}

static int incidence_build(struct incidence *inc, const struct pof_net *net, struct pof_err *err)
{
    const struct pof_grid *g = net->grid;
    int rc = pof_calloc(&inc->first, (size_t)net->buses + 2, sizeof *inc->first, err);
    rc = rc ? rc : pof_alloc(&inc->at, (size_t)g->branches * 2, sizeof *inc->at, err);
    if (rc) {
        return rc;
    }
    /* Counted one place further on, so that filling leaves the starts where they belong. */
    uint32_t *next = inc->first + 1;
    for (uint32_t k = 0; k < g->branches; k++) {
        const uint32_t *end = ends_of(net, k);
        if (end[0] != POF_NONE) {
            next[end[0] + 1]++;
            next[end[1] + 1]++;
        }
    }
    for (uint32_t i = 0; i < net->buses; i++) {
        next[i + 1] += next[i];
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const uint32_t *end = ends_of(net, k);
        if (end[0] != POF_NONE) {
            inc->at[next[end[0]]++] = k;
            inc->at[next[end[1]]++] = k;
        }
    }
    return 0;
}

/* The far end of a branch as seen from a bus. */
static uint32_t far_bus(const struct pof_net *net, uint32_t branch, uint32_t bus)
{
    const uint32_t *end = ends_of(net, branch);
    return end[0] == bus ? end[1] : end[0];
}

/* Depth first from a root. The stack holds each bus that waits once: it is pushed when its parent
 * is visited, and a second way to it is a mesh. */
static int walk(struct pofi_plan *plan, const struct incidence *inc, struct way *way, uint32_t root,
                struct pof_err *err)
{
    const struct pof_net *net = plan->net;
    uint32_t waiting = 0;
    way->stack[waiting++] = root;
    way->parent[root] = root;
    while (waiting > 0) {
        uint32_t bus = way->stack[--waiting];
        way->place[bus] = plan->n;
        plan->bus[plan->n++] = bus;
        /* Backwards, so that the stack gives the children in order of their branches. */
        for (uint32_t i = inc->first[bus + 1]; i-- > inc->first[bus];) {
            uint32_t k = inc->at[i], other = far_bus(net, k, bus);
            if (k == way->branch[bus]) {
                continue;
            }
            if (way->parent[other] != POF_NONE) {
                return pof_fail(err, POF_E_TOPOLOGY,
                                "branch '%s' closes a mesh at node '%s'; a sweep needs a grid "
                                "without any",
                                net->grid->branch[k].name.ptr,
                                net->grid->node[net->first_of[other]].name.ptr);
            }
            way->parent[other] = bus;
            way->branch[other] = k;
            way->stack[waiting++] = other;
        }
    }
    return 0;
}

/* Marks the buses of all slack nodes before walking, so that a way between two of them is seen. */
static int walk_all(struct pofi_plan *plan, const struct incidence *inc, struct way *way,
                    struct pof_err *err)
{
    const struct pof_net *net = plan->net;
    const struct pof_grid *g = net->grid;
    for (uint32_t i = 0; i < net->buses; i++) {
        way->parent[i] = way->branch[i] = way->place[i] = POF_NONE;
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (net->bus_of[i] != POF_NONE && g->node[i].kind == POF_NODE_SLACK) {
            way->parent[net->bus_of[i]] = net->bus_of[i];
        } else if (net->bus_of[i] != POF_NONE && g->node[i].kind == POF_NODE_PV) {
            return pof_fail(err, POF_E_TOPOLOGY,
                            "node '%s' holds its voltage; a sweep needs a grid where only slack "
                            "nodes do",
                            g->node[i].name.ptr);
        }
    }
    int rc = 0;
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        uint32_t bus = net->bus_of[i];
        if (bus != POF_NONE && g->node[i].kind == POF_NODE_SLACK && way->place[bus] == POF_NONE) {
            rc = walk(plan, inc, way, bus, err);
        }
    }
    return rc;
}

/* --- values of the plan --- */

/* Squared |T| and angle of T at the far end of a branch, from those at the near one. */
static void pass(const struct pof_branch *b, bool from_is_near, double *ratio, double *shift)
{
    *ratio = from_is_near ? *ratio / b->ratio : *ratio * b->ratio;
    *shift += from_is_near ? -b->shift : b->shift;
}

static void refer_root(struct pofi_plan *plan, uint32_t k)
{
    const struct pof_net *net = plan->net;
    double v = net->flat_v[plan->bus[k]];
    plan->place[k].parent = k;
    plan->ratio[k] = 1;
    plan->shift[k] = net->flat_a[plan->bus[k]];
    plan->start[k] = v * v;
}

static void refer_child(struct pofi_plan *plan, const struct way *way, uint32_t k)
{
    const struct pof_net *net = plan->net;
    uint32_t bus = plan->bus[k], up = way->place[way->parent[bus]];
    const struct pof_branch *b = &net->grid->branch[way->branch[bus]];
    struct pofi_place *s = &plan->place[k];
    bool from_is_near = ends_of(net, way->branch[bus])[1] == bus;
    double ratio = plan->ratio[up], shift = plan->shift[up];
    pass(b, from_is_near, &ratio, &shift);
    double at_to = from_is_near ? ratio : plan->ratio[up]; /* where the impedance is */
    double tt = at_to * at_to;
    s->parent = up;
    s->depth = plan->place[up].depth + 1;
    s->r = b->r / tt;
    s->x = b->x / tt;
    s->z = (float)sqrt(s->r * s->r + s->x * s->x);
    s->g += b->g / 2 * tt;
    s->b += b->b / 2 * tt;
    plan->place[up].g += b->g / 2 * tt;
    plan->place[up].b += b->b / 2 * tt;
    plan->ratio[k] = ratio;
    plan->shift[k] = shift;
    plan->start[k] = plan->start[up];
    plan->depths = s->depth + 1 > plan->depths ? s->depth + 1 : plan->depths;
}

/* Which grid nodes are at each place. */
static void list_members(struct pofi_plan *plan, const uint32_t *place)
{
    const struct pof_net *net = plan->net;
    uint32_t nodes = net->grid->nodes;
    /* Counted one place further on, so that filling leaves the starts where they belong. */
    uint32_t *next = plan->begin + 1;
    for (uint32_t i = 0; i < nodes; i++) {
        if (net->bus_of[i] != POF_NONE) {
            next[place[net->bus_of[i]] + 1]++;
        }
    }
    for (uint32_t k = 0; k < plan->n; k++) {
        next[k + 1] += next[k];
    }
    for (uint32_t i = 0; i < nodes; i++) {
        if (net->bus_of[i] != POF_NONE) {
            plan->member[next[place[net->bus_of[i]]]++] = i;
        }
    }
}

/* Shunts and fixed consumption. */
static void add_members(struct pofi_plan *plan)
{
    const struct pof_grid *g = plan->net->grid;
    for (uint32_t k = 0; k < plan->n; k++) {
        struct pofi_place *s = &plan->place[k];
        double ratio = plan->ratio[k], tt = ratio * ratio;
        for (uint32_t m = plan->begin[k]; m < plan->begin[k + 1]; m++) {
            const struct pof_node *node = &g->node[plan->member[m]];
            struct pof_shunt shunt = pof_node_shunt(g, plan->member[m]);
            s->g += shunt.g * tt;
            s->b += shunt.b * tt;
            if (plan->current) {
                plan->current[k].ip += node->ip_w / g->base_va * ratio;
                plan->current[k].iq += node->iq_var / g->base_va * ratio;
            }
            plan->p[k] += node->p_w / g->base_va;
            plan->q[k] += node->q_var / g->base_va;
        }
        s->y = (float)sqrt(s->g * s->g + s->b * s->b);
    }
}

static void refer(struct pofi_plan *plan, const struct way *way)
{
    plan->per_va = 1 / plan->net->grid->base_va;
    plan->depths = 1;
    for (uint32_t k = 0; k < plan->n; k++) {
        if (way->parent[plan->bus[k]] == plan->bus[k]) {
            refer_root(plan, k);
        } else {
            refer_child(plan, way, k);
        }
    }
    list_members(plan, way->place);
    add_members(plan);
}

static bool has_currents(const struct pof_grid *g)
{
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (g->node[i].ip_w != 0 || g->node[i].iq_var != 0) {
            return true;
        }
    }
    return false;
}

static int allocate_plan(struct pofi_plan *plan, struct pof_err *err)
{
    size_t n = plan->net->buses, nodes = plan->net->grid->nodes;
    bool currents = has_currents(plan->net->grid);
    int rc = currents ? pof_calloc(&plan->current, n, sizeof *plan->current, err) : 0;
    rc = rc ? rc : pof_calloc(&plan->place, n, sizeof *plan->place, err);
    rc = rc ? rc : pof_alloc(&plan->bus, n, sizeof *plan->bus, err);
    rc = rc ? rc : pof_calloc(&plan->begin, n + 2, sizeof *plan->begin, err);
    rc = rc ? rc : pof_alloc(&plan->member, nodes, sizeof *plan->member, err);
    rc = rc ? rc : pof_alloc(&plan->start, n, sizeof *plan->start, err);
    rc = rc ? rc : pof_alloc(&plan->ratio, n, sizeof *plan->ratio, err);
    rc = rc ? rc : pof_alloc(&plan->shift, n, sizeof *plan->shift, err);
    rc = rc ? rc : pof_calloc(&plan->p, n, sizeof *plan->p, err);
    return rc ? rc : pof_calloc(&plan->q, n, sizeof *plan->q, err);
}

int pofi_plan_new(struct pofi_plan **out, const struct pof_net *net, struct pof_err *err)
{
    *out = NULL;
    if (net->phases != 1) {
        return pof_fail(err, POF_E_TOPOLOGY, "a sweep is of balanced grids; use Newton's method");
    }
    struct pofi_plan *plan;
    struct incidence inc = {0};
    struct way way = {0};
    int rc = pof_calloc(&plan, 1, sizeof *plan, err);
    if (rc) {
        return rc;
    }
    plan->net = net;
    rc = allocate_plan(plan, err);
    rc = rc ? rc : incidence_build(&inc, net, err);
    rc = rc ? rc : pof_alloc(&way.parent, net->buses, sizeof *way.parent, err);
    rc = rc ? rc : pof_alloc(&way.branch, net->buses, sizeof *way.branch, err);
    rc = rc ? rc : pof_alloc(&way.place, net->buses, sizeof *way.place, err);
    rc = rc ? rc : pof_alloc(&way.stack, net->buses, sizeof *way.stack, err);
    rc = rc ? rc : walk_all(plan, &inc, &way, err);
    if (rc == 0) {
        refer(plan, &way);
        *out = plan;
    } else {
        pofi_plan_free(plan);
    }
    free(inc.first);
    free(inc.at);
    free(way.parent);
    free(way.branch);
    free(way.place);
    free(way.stack);
    return rc;
}

void pofi_plan_free(struct pofi_plan *plan)
{
    if (plan) {
        free(plan->place);
        free(plan->current);
        free(plan->bus);
        free(plan->begin);
        free(plan->member);
        free(plan->start);
        free(plan->ratio);
        free(plan->shift);
        free(plan->p);
        free(plan->q);
        free(plan);
    }
}

/* --- lanes --- */

int pofi_lanes_new(struct pofi_lanes **out, const struct pofi_plan *plan, unsigned lanes,
                   struct pof_err *err)
{
    *out = NULL;
    struct pofi_lanes *w;
    size_t sum = ((size_t)plan->depths + 1) * POFI_SUMS;
    size_t moving = (size_t)plan->n * POFI_MOVING, given = (size_t)plan->n * POFI_LOAD;
    int rc = pof_calloc(&w, 1, sizeof *w, err);
    if (rc) {
        return rc;
    }
    w->plan = plan;
    w->lanes = lanes;
    size_t vectors = given + moving + sum + 4;
    rc = pof_calloc(&w->path, plan->depths, sizeof *w->path, err);
    rc = rc ? rc : pof_calloc(&w->store, vectors * lanes + POFI_LINE / sizeof(double), sizeof(double), err);
    if (rc) {
        pofi_lanes_free(w);
        return rc;
    }
    size_t off = (POFI_LINE - (uintptr_t)w->store % POFI_LINE) % POFI_LINE;
    double *next = (double *)((char *)w->store + off);
    w->given = next;
    w->moving = w->given + given * lanes;
    w->sum = w->moving + moving * lanes;
    w->step = w->sum + sum * lanes;
    w->weight = w->step + lanes;
    w->active = (int64_t *)(w->weight + lanes);
    w->sound = w->active + lanes;
    *out = w;
    return 0;
}

void pofi_lanes_free(struct pofi_lanes *w)
{
    if (w) {
        free(w->store);
        free(w->path);
        free(w);
    }
}

void pofi_lanes_load(struct pofi_lanes *w, const double *const *p_w, const double *const *q_var)
{
    memcpy(w->p_w, p_w, w->lanes * sizeof *p_w);
    memcpy(w->q_var, q_var, w->lanes * sizeof *q_var);
}

/* What the next iteration is expected to leave is the present step, shrunk as it shrank last. */
static void judge(struct pofi_lanes *w, struct pofi_sweep *s, double *before)
{
    for (unsigned l = 0; l < w->lanes; l++) {
        if (!w->active[l]) {
            continue;
        }
        double step = w->step[l], ratio = step < before[l] ? step / before[l] : 1;
        before[l] = step;
        w->ratio[l] = ratio;
        s->iterations[l]++;
        s->mismatch[l] = w->sound[l] ? step * w->weight[l] : INFINITY;
        bool ended = !w->sound[l] || s->iterations[l] >= s->max_iterations;
        if (ended || s->mismatch[l] * ratio <= s->tolerance / 2) {
            w->active[l] = 0;
        }
    }
}

/* Whether the next tour may be the last one, which leaves nothing to go on from: where it may not be,
 * its second half is done again if it is. No result depends on it. */
static bool near_end(const struct pofi_lanes *w, const struct pofi_sweep *s, const double *before)
{
    bool near = true;
    for (unsigned l = 0; l < w->lanes; l++) {
        double shrinks = s->iterations[l] > 1 ? w->ratio[l] : 1e-3; /* as most grids begin */
        double ahead = before[l] * w->weight[l] * shrinks * shrinks;
        near = near && (!w->active[l] || (s->iterations[l] > 0 && ahead <= s->tolerance / 2));
    }
    return near;
}

/* Whether a lane is to go on after the last passes, which are an iteration too. */
static bool settle(struct pofi_lanes *w, struct pofi_sweep *s)
{
    bool more = false;
    for (unsigned l = 0; l < w->lanes; l++) {
        double mismatch = w->sound[l] ? w->step[l] * w->weight[l] : INFINITY;
        s->mismatch[l] = mismatch;
        s->converged[l] = mismatch <= s->tolerance;
        w->active[l] = 0;
        if (!s->converged[l] && w->sound[l] && s->iterations[l] < s->max_iterations) {
            w->active[l] = -1;
            more = true;
        }
    }
    return more;
}

static bool any_active(const struct pofi_lanes *w)
{
    int64_t any = 0;
    for (unsigned l = 0; l < w->lanes; l++) {
        any |= w->active[l];
    }
    return any != 0;
}

void pofi_lanes_solve(struct pofi_lanes *w, struct pofi_sweep *s)
{
    const struct pofi_passes *passes = pofi_passes(w->lanes, s->plain);
    double before[POFI_LANES];
    for (unsigned l = 0; l < w->lanes; l++) {
        w->active[l] = -1;
        s->iterations[l] = 0;
        before[l] = 1;
    }
    if (s->warm) {
        passes->load(w);
    }
    passes->tour(w, s->warm ? POFI_STAY : POFI_START, false);
    bool ended = false;
    do {
        do {
            if (ended) {
                passes->tour(w, POFI_STAY, false);
            }
            ended = near_end(w, s, before);
            passes->tour(w, POFI_MOVE, ended);
            judge(w, s, before);
        } while (any_active(w));
        if (!ended) {
            passes->tour(w, POFI_STAY, true);
            ended = true;
        }
        passes->finish(w, s);
    } while (settle(w, s));
    for (unsigned l = 0; l < w->lanes; l++) {
        s->iterations[l]++;
    }
}

void pofi_lanes_bus(const struct pofi_lanes *w, unsigned lane, double *v, double *angle)
{
    const struct pofi_plan *plan = w->plan;
    const double *m = w->moving + lane;
    for (uint32_t k = 0; k < plan->n; k++, m += (size_t)POFI_MOVING * w->lanes) {
        v[plan->bus[k]] = m[POFI_END_V * w->lanes] * plan->ratio[k];
        angle[plan->bus[k]] = m[POFI_END_A * w->lanes] + plan->shift[k];
    }
}
