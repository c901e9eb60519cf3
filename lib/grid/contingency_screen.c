/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/contingency_screen.h"

#include "grid/sensitivity_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The second step is at most this share of the first. */
#define CONTRACTION 0.2
/* Beyond what the second step changed, of a limit: more than rounding and the tolerance of a power flow. */
#define MARGIN 1e-6
/* No voltage and angle may move by more in the first step, p.u. and rad: beyond, derivatives say little. */
#define FIRST_MAX 0.5

struct screen {
    const struct pof_outages *c;
    struct pof_sens *s;
    uint32_t n;           /* unknowns */
    double *v0;           /* [buses] the case in service */
    struct pofi_complex *e0;
    double *inject;       /* [n] powers that balance it: what flows out, less what is drawn by voltage */
    double *x, *w;        /* [n] a step; [4 n] columns of J^-1 where the branch ends */
    double *lambda;       /* [buses] shared power beyond that of the case */
    double *v, *load;     /* [nodes], [branches] after the first step */
    bool *bridge;         /* [branches] without it some nodes are fed no more */
};

/* --- bridges --- */

/* Nodes and the branches at them. */
struct at_node {
    uint32_t *begin, *branch;
    uint32_t *low, *seen, *stack, *next, *by;
};

static int list_branches(const struct pof_grid *g, struct at_node *a, struct pof_err *err)
{
    int rc = pof_calloc(&a->begin, (size_t)g->nodes + 2, sizeof *a->begin, err);
    rc = rc ? rc : pof_calloc(&a->branch, 2 * (size_t)g->branches, sizeof *a->branch, err);
    uint32_t **const of_nodes[] = {&a->low, &a->seen, &a->stack, &a->next, &a->by};
    for (size_t k = 0; k < 5 && rc == 0; k++) {
        rc = pof_calloc(of_nodes[k], g->nodes, sizeof **of_nodes[k], err);
    }
    for (uint32_t k = 0; k < 2 * g->branches && rc == 0; k++) {
        const struct pof_branch *b = &g->branch[k / 2];
        a->begin[(k % 2 ? b->to : b->from) + 2] += b->closed;
    }
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        a->begin[i + 2] += a->begin[i + 1];
    }
    for (uint32_t k = 0; k < 2 * g->branches && rc == 0; k++) {
        const struct pof_branch *b = &g->branch[k / 2];
        if (b->closed) {
            a->branch[a->begin[(k % 2 ? b->to : b->from) + 1]++] = k / 2;
        }
    }
    return rc;
}

/* Depth first from one node: a branch to a node from which nothing goes further back is a bridge
 * (R. Tarjan, "A note on finding the bridges of a graph", Information Processing Letters 2(6), 1974). */
static void walk(const struct pof_grid *g, struct at_node *a, uint32_t root, bool *bridge, uint32_t *time)
{
    uint32_t depth = 1;
    a->stack[0] = root;
    a->by[root] = POF_NONE;
    a->seen[root] = a->low[root] = ++*time;
    a->next[root] = a->begin[root];
    while (depth > 0) {
        uint32_t i = a->stack[depth - 1];
        if (a->next[i] < a->begin[i + 1]) {
            uint32_t k = a->branch[a->next[i]++];
            uint32_t j = g->branch[k].from == i ? g->branch[k].to : g->branch[k].from;
            if (k != a->by[i] && a->seen[j] > 0) {
                a->low[i] = a->seen[j] < a->low[i] ? a->seen[j] : a->low[i];
            } else if (k != a->by[i]) {
                a->seen[j] = a->low[j] = ++*time;
                a->by[j] = k;
                a->next[j] = a->begin[j];
                a->stack[depth++] = j;
            }
            continue;
        }
        depth--;
        if (depth > 0) {
            uint32_t up = a->stack[depth - 1];
            a->low[up] = a->low[i] < a->low[up] ? a->low[i] : a->low[up];
            bridge[a->by[i]] = a->low[i] > a->seen[up];
        }
    }
}

static int find_bridges(const struct pof_grid *g, bool *bridge, struct pof_err *err)
{
    struct at_node a = {0};
    uint32_t time = 0;
    int rc = list_branches(g, &a, err);
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        if (a.seen[i] == 0) {
            walk(g, &a, i, bridge, &time);
        }
    }
    void *const owned[] = {a.begin, a.branch, a.low, a.seen, a.stack, a.next, a.by};
    for (size_t k = 0; k < sizeof owned / sizeof owned[0]; k++) {
        free(owned[k]);
    }
    return rc;
}

/* --- steps --- */

/* What the state is off in equation `row`, without branch k's flows out of[4]. */
static void mismatch(struct screen *z, const uint32_t end[2], const double out[4])
{
    const struct pof_sens *s = z->s;
    for (uint32_t b = 0; b < s->net.buses; b++) {
        struct pofi_complex f = pofi_sens_power(s, pof_net_bus(&s->net, b));
        double p = f.re + s->ip[b] * s->v[b] + z->inject[2 * b];
        double q = f.im + s->iq[b] * s->v[b] + z->inject[2 * b + 1];
        p -= s->share ? s->share[b] * z->lambda[s->net.slack_of[b]] : 0;
        for (int t = 0; t < 2; t++) {
            p -= end[t] == b ? out[2 * t] : 0;
            q -= end[t] == b ? out[2 * t + 1] : 0;
        }
        z->x[2 * b] = s->held[2 * b] ? 0 : -p;
        z->x[2 * b + 1] = s->held[2 * b + 1] ? 0 : -q;
    }
}

/* Solves m x = b, 4 x 4, in place, with pivots; false: singular. */
static bool solve_4(double m[4][5])
{
    for (int p = 0; p < 4; p++) {
        int best = p;
        for (int i = p; i < 4; i++) {
            best = fabs(m[i][p]) > fabs(m[best][p]) ? i : best;
        }
        if (fabs(m[best][p]) < 1e-9) {
            return false;
        }
        for (int j = 0; j < 5; j++) {
            double t = m[p][j];
            m[p][j] = m[best][j];
            m[best][j] = t;
        }
        for (int i = 0; i < 4; i++) {
            double f = i == p ? 0 : m[i][p] / m[p][p];
            for (int j = p; j < 5; j++) {
                m[i][j] -= f * m[p][j];
            }
        }
    }
    for (int i = 0; i < 4; i++) {
        m[i][4] /= m[i][i];
    }
    return true;
}

/* x := (J - U D U')^-1 b, from x = J^-1 b and W = J^-1 U: x + W (I - D U' W)^-1 D U' x. */
static bool compensate(const struct screen *z, const uint32_t at[4], const double d[4][4], double *x)
{
    double m[4][5];
    for (int i = 0; i < 4; i++) {
        m[i][4] = 0;
        for (int k = 0; k < 4; k++) {
            m[i][4] += d[i][k] * x[at[k]];
        }
        for (int j = 0; j < 4; j++) {
            m[i][j] = i == j;
            for (int k = 0; k < 4; k++) {
                m[i][j] -= d[i][k] * z->w[(size_t)j * z->n + at[k]];
            }
        }
    }
    if (!solve_4(m)) {
        return false;
    }
    for (uint32_t i = 0; i < z->n; i++) {
        for (int j = 0; j < 4; j++) {
            x[i] += m[j][4] * z->w[(size_t)j * z->n + i];
        }
    }
    return true;
}

/* Moves the state by x; returns its largest element, of voltages and angles. */
static double move(struct screen *z)
{
    struct pof_sens *s = z->s;
    double most = 0;
    for (uint32_t b = 0; b < s->net.buses; b++) {
        bool shares = s->shares && s->shares[b];
        double da = shares ? 0 : z->x[2 * b], dv = z->x[2 * b + 1], c = cos(da), d = sin(da);
        struct pofi_complex e = s->e[b];
        z->lambda[b] += shares ? z->x[2 * b] : 0;
        s->e[b] = (struct pofi_complex){e.re * c - e.im * d, e.im * c + e.re * d};
        s->v[b] += dv;
        most = fmax(most, fmax(fabs(da), fabs(dv)));
    }
    return isfinite(most) ? most : INFINITY;
}

/* --- one outage --- */

static double loading(const struct screen *z, uint32_t k)
{
    const struct pof_branch *b = &z->c->grid->branch[k];
    double most = 0;
    for (int to = 0; to < 2; to++) {
        uint32_t form = pof_net_end(&z->s->net, k, to, 0);
        struct pofi_complex i = z->s->net.at[form] == POF_NONE ? (struct pofi_complex){0}
                                                               : pofi_sens_current(z->s, form);
        most = fmax(most, hypot(i.re, i.im));
    }
    return b->rating_va > 0 ? most * z->c->grid->base_va / b->rating_va : 0;
}

static void note(struct screen *z)
{
    const struct pof_grid *g = z->c->grid;
    for (uint32_t i = 0; i < g->nodes; i++) {
        uint32_t b = z->s->net.bus_of[i];
        z->v[i] = b == POF_NONE ? 0 : z->s->v[b];
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        z->load[k] = loading(z, k);
    }
}

/* Whether all is within its limits by more than the last step changed it. */
static bool clear(const struct screen *z, uint32_t lost)
{
    const struct pof_grid *g = z->c->grid;
    for (uint32_t i = 0; i < g->nodes; i++) {
        const struct pof_node *n = &g->node[i];
        uint32_t b = z->s->net.bus_of[i];
        bool held = b != POF_NONE && z->s->held[2 * b + 1];
        double v = b == POF_NONE ? 0 : z->s->v[b], by = held ? 0 : fabs(v - z->v[i]) + MARGIN;
        if (b != POF_NONE && !(v - by >= n->v_min_pu && v + by <= n->v_max_pu)) {
            return false;
        }
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        double l = k == lost ? 0 : loading(z, k);
        if (l > 0 && !(l + fabs(l - z->load[k]) + MARGIN <= 1)) {
            return false;
        }
    }
    return true;
}

/* What flows into the branch at both ends, and how that changes with what is known there. */
static void branch_at(struct screen *z, uint32_t k, const uint32_t at[4], double out[4], double d[4][4])
{
    const struct pof_sens *s = z->s;
    for (int t = 0; t < 4; t++) {
        uint32_t form = pof_net_end(&s->net, k, t / 2 == 1, 0);
        struct pofi_complex f = pofi_sens_power(s, form);
        out[t] = t % 2 ? f.im : f.re;
        memset(s->y, 0, z->n * sizeof *s->y);
        pofi_sens_gradient(s, form, t % 2 == 0, t % 2 == 1, s->y);
        for (int i = 0; i < 4; i++) {
            bool angle = i % 2 == 0, stands = angle && s->shares && s->shares[at[i] / 2];
            d[t][i] = s->held[at[t]] || s->held[at[i]] || stands ? 0 : s->y[at[i]];
        }
    }
}

static void return_to_case(struct screen *z)
{
    memcpy(z->s->v, z->v0, z->s->net.buses * sizeof *z->v0);
    memcpy(z->s->e, z->e0, z->s->net.buses * sizeof *z->e0);
    memset(z->lambda, 0, z->s->net.buses * sizeof *z->lambda);
}

static int columns(struct screen *z, const uint32_t at[4], struct pof_err *err)
{
    memset(z->w, 0, 4 * (size_t)z->n * sizeof *z->w);
    for (int j = 0; j < 4; j++) {
        z->w[(size_t)j * z->n + at[j]] = !z->s->held[at[j]];
    }
    return pof_lu_solve(z->s->lu, z->w, 4, err);
}

static int one(struct screen *z, uint32_t k, bool *secure, struct pof_err *err)
{
    const struct pof_grid *g = z->c->grid;
    const struct pof_branch *b = &g->branch[k];
    const uint32_t end[2] = {z->s->net.bus_of[b->from], z->s->net.bus_of[b->to]};
    *secure = false;
    if (!b->closed || end[0] == POF_NONE || end[0] == end[1] || pof_branch_ideal(g, b) || z->bridge[k]) {
        return 0;
    }
    const uint32_t at[4] = {2 * end[0], 2 * end[0] + 1, 2 * end[1], 2 * end[1] + 1};
    double out[4], d[4][4], size[2] = {INFINITY, INFINITY};
    return_to_case(z);
    branch_at(z, k, at, out, d);
    int rc = columns(z, at, err);
    for (int step = 0; step < 2 && rc == 0; step++) {
        for (int t = 0; t < 4; t++) {
            struct pofi_complex f = pofi_sens_power(z->s, pof_net_end(&z->s->net, k, t / 2 == 1, 0));
            out[t] = t % 2 ? f.im : f.re;
        }
        mismatch(z, end, out);
        rc = pof_lu_solve(z->s->lu, z->x, 1, err);
        if (rc || !compensate(z, at, d, z->x)) {
            return rc;
        }
        size[step] = move(z);
        if (!(size[0] <= FIRST_MAX)) {
            return 0;
        }
        if (step == 0) {
            note(z);
        }
    }
    *secure = rc == 0 && size[1] <= CONTRACTION * size[0] && clear(z, k);
    return rc;
}

/* --- the whole --- */

/* Flows through switches without impedance follow from no voltages: where one is rated, a power flow
 * has to tell. */
static bool fits(const struct pof_outages *c)
{
    for (uint32_t k = 0; k < c->grid->branches; k++) {
        if (pof_branch_ideal(c->grid, &c->grid->branch[k]) && c->grid->branch[k].rating_va > 0) {
            return false;
        }
    }
    return !c->pf || (c->pf->phases != 3 && c->pf->method < POF_PF_LINEAR && !c->pf->q_limits);
}

static int prepare(struct screen *z, bool *regular, struct pof_err *err)
{
    const struct pof_grid *g = z->c->grid;
    const struct pof_sens_state state = {z->c->before->v_pu, z->c->before->angle, NULL};
    int rc = z->c->pf && z->c->pf->distributed_slack ? pof_sens_new_distributed(&z->s, g, err) : pof_sens_new(&z->s, g, err);
    uint32_t buses = rc == 0 ? z->s->net.buses : 0;
    z->n = 2 * buses;
    rc = rc ? rc : pof_sens_at(z->s, &state, regular, err);
    rc = rc ? rc : pof_calloc(&z->v0, buses, sizeof *z->v0, err);
    rc = rc ? rc : pof_calloc(&z->e0, buses, sizeof *z->e0, err);
    rc = rc ? rc : pof_calloc(&z->inject, z->n, sizeof *z->inject, err);
    rc = rc ? rc : pof_calloc(&z->x, z->n, sizeof *z->x, err);
    rc = rc ? rc : pof_calloc(&z->w, 4 * (size_t)z->n, sizeof *z->w, err);
    rc = rc ? rc : pof_calloc(&z->lambda, buses, sizeof *z->lambda, err);
    rc = rc ? rc : pof_calloc(&z->v, g->nodes, sizeof *z->v, err);
    rc = rc ? rc : pof_calloc(&z->load, g->branches, sizeof *z->load, err);
    rc = rc ? rc : pof_calloc(&z->bridge, g->branches, sizeof *z->bridge, err);
    rc = rc ? rc : find_bridges(g, z->bridge, err);
    for (uint32_t b = 0; b < buses && rc == 0; b++) {
        struct pofi_complex f = pofi_sens_power(z->s, pof_net_bus(&z->s->net, b));
        z->v0[b] = z->s->v[b];
        z->e0[b] = z->s->e[b];
        z->inject[2 * b] = -f.re - z->s->ip[b] * z->s->v[b];
        z->inject[2 * b + 1] = -f.im - z->s->iq[b] * z->s->v[b];
    }
    return rc;
}

int pofi_outages_screen(const struct pof_outages *c, bool *secure, struct pof_err *err)
{
    struct screen z = {.c = c};
    bool regular = false;
    memset(secure, 0, c->outages * sizeof *secure);
    if (!fits(c) || c->outages == 0) {
        return 0;
    }
    int rc = prepare(&z, &regular, err);
    for (size_t i = 0; i < c->outages && rc == 0 && regular && z.n > 0; i++) {
        rc = one(&z, c->outage[i], &secure[i], err);
    }
    pof_sens_free(z.s);
    void *const owned[] = {z.v0, z.e0, z.inject, z.x, z.w, z.lambda, z.v, z.load, z.bridge};
    for (size_t k = 0; k < sizeof owned / sizeof owned[0]; k++) {
        free(owned[k]);
    }
    return rc;
}
