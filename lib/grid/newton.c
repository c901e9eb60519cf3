/* SPDX-License-Identifier: Apache-2.0 */
/* Power flow of any grid by Newton's method on power mismatches in polar coordinates (W. F. Tinney,
 * C. E. Hart, "Power flow solution by Newton's method", IEEE Trans. PAS 86(11), 1967). The Jacobian
 * is added up branch by branch into places known beforehand. */
#include "grid/solver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A fed branch: its ends, admittances, and where its derivatives go. Rows and columns of a branch
 * are numbered P from, P to, Q from, Q to and angle from, angle to, V from, V to; slot[r][c] is -1
 * where the row or the column is not an equation or unknown. */
struct element {
    struct pof_pi y;
    uint32_t from, to;
    int32_t slot[4][4];
};

struct pofi_newton {
    const struct pof_grid *grid;
    struct element *element;
    uint32_t elements;
    int32_t *angle_at, *voltage_at; /* number of the unknown, -1: known */
    int32_t *gg_at, *bb_at;         /* places of dP/dV and dQ/dV of a node itself, -1: none */
    int32_t unknowns;
    bool *fed;
    double *flat;            /* angle without flows */
    double *v, *a;           /* voltages, polar */
    double *dp, *dq;         /* mismatch of each node */
    double *step;            /* right-hand side and step */
    struct pof_csc jacobian;
    struct pof_lu *lu; /* NULL when nothing is unknown */
    bool warm;
};

/* --- making --- */

static int allocate(struct pofi_newton *n, struct pof_err *err)
{
    size_t nodes = n->grid->nodes;
    int rc = pof_calloc(&n->element, n->grid->branches, sizeof *n->element, err);
    rc = rc ? rc : pof_calloc(&n->angle_at, nodes, sizeof *n->angle_at, err);
    rc = rc ? rc : pof_calloc(&n->voltage_at, nodes, sizeof *n->voltage_at, err);
    rc = rc ? rc : pof_calloc(&n->gg_at, nodes, sizeof *n->gg_at, err);
    rc = rc ? rc : pof_calloc(&n->bb_at, nodes, sizeof *n->bb_at, err);
    rc = rc ? rc : pof_calloc(&n->fed, nodes, sizeof *n->fed, err);
    rc = rc ? rc : pof_calloc(&n->flat, nodes, sizeof *n->flat, err);
    rc = rc ? rc : pof_calloc(&n->v, nodes, sizeof *n->v, err);
    rc = rc ? rc : pof_calloc(&n->a, nodes, sizeof *n->a, err);
    rc = rc ? rc : pof_calloc(&n->dp, nodes, sizeof *n->dp, err);
    rc = rc ? rc : pof_calloc(&n->dq, nodes, sizeof *n->dq, err);
    return rc ? rc : pof_calloc(&n->step, 2 * nodes, sizeof *n->step, err);
}

static void number_unknowns(struct pofi_newton *n)
{
    const struct pof_grid *g = n->grid;
    for (uint32_t i = 0; i < g->nodes; i++) {
        bool unknown = n->fed[i] && g->node[i].kind != POF_NODE_SLACK;
        n->angle_at[i] = unknown ? n->unknowns++ : -1;
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        bool unknown = n->fed[i] && g->node[i].kind == POF_NODE_PQ;
        n->voltage_at[i] = unknown ? n->unknowns++ : -1;
    }
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
    const struct pof_grid *g = n->grid;
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        if (!b->closed || !n->fed[b->from]) {
            continue;
        }
        struct element *e = &n->element[n->elements++];
        *e = (struct element){.y = pof_branch_pi(b), .from = b->from, .to = b->to};
        const int32_t at[] = {n->angle_at[b->from], n->angle_at[b->to], n->voltage_at[b->from],
                              n->voltage_at[b->to]};
        for (int r = 0; r < 4; r++) {
            for (int c = 0; c < 4; c++) {
                want(p, at[r], at[c], &e->slot[r][c]);
            }
        }
    }
    /* P balance has the number of the angle, Q balance that of the voltage. */
    for (uint32_t i = 0; i < g->nodes; i++) {
        want(p, n->angle_at[i], n->voltage_at[i], &n->gg_at[i]);
        want(p, n->voltage_at[i], n->voltage_at[i], &n->bb_at[i]);
    }
}

static int make_pattern(struct pofi_newton *n, struct pof_err *err)
{
    size_t most = 16 * (size_t)n->grid->branches + 2 * (size_t)n->grid->nodes;
    struct places p = {0};
    int rc = pof_calloc(&p.row, most, sizeof *p.row, err);
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

int pofi_newton_new(struct pofi_newton **out, const struct pof_grid *grid, struct pof_err *err)
{
    *out = NULL;
    struct pofi_newton *n;
    int rc = pof_calloc(&n, 1, sizeof *n, err);
    if (rc) {
        return rc;
    }
    n->grid = grid;
    rc = allocate(n, err);
    rc = rc ? rc : pofi_flat_start(grid, n->fed, n->flat, err);
    if (rc == 0) {
        number_unknowns(n);
        rc = make_pattern(n, err);
    }
    if (rc == 0 && n->unknowns > 0) {
        rc = pof_lu_new(&n->lu, &n->jacobian, err);
    }
    if (rc) {
        pofi_newton_free(n);
        return rc;
    }
    *out = n;
    return 0;
}

/* --- one iteration --- */

/* Sums of flows and their derivatives at the present voltages. */
static void add_element(struct pofi_newton *n, const struct element *e)
{
    const struct pof_pi *y = &e->y;
    double vf = n->v[e->from], vt = n->v[e->to], vv = vf * vt;
    double c = cos(n->a[e->from] - n->a[e->to]), d = sin(n->a[e->from] - n->a[e->to]);
    double pf = y->gft * c + y->bft * d, qf = y->gft * d - y->bft * c;
    double pt = y->gtf * c - y->btf * d, qt = -(y->gtf * d + y->btf * c);
    n->dp[e->from] += vf * vf * y->gff + vv * pf;
    n->dq[e->from] += -vf * vf * y->bff + vv * qf;
    n->dp[e->to] += vt * vt * y->gtt + vv * pt;
    n->dq[e->to] += -vt * vt * y->btt + vv * qt;
    const double of[4][4] = {
        {-vv * qf, vv * qf, 2 * vf * y->gff + vt * pf, vf * pf},
        {vv * qt, -vv * qt, vt * pt, 2 * vt * y->gtt + vf * pt},
        {vv * pf, -vv * pf, -2 * vf * y->bff + vt * qf, vf * qf},
        {-vv * pt, vv * pt, vt * qt, -2 * vt * y->btt + vf * qt},
    };
    for (int r = 0; r < 4; r++) {
        for (int k = 0; k < 4; k++) {
            if (e->slot[r][k] >= 0) {
                n->jacobian.value[e->slot[r][k]] += of[r][k];
            }
        }
    }
}

/* Mismatches (what leaves the node through branches and shunt, and is consumed) and Jacobian. */
static double linearise(struct pofi_newton *n, const struct pofi_case *c)
{
    const struct pof_grid *g = n->grid;
    memset(n->jacobian.value, 0, (size_t)n->jacobian.col[n->unknowns] * sizeof(double));
    for (uint32_t i = 0; i < g->nodes; i++) {
        struct pof_shunt s = pof_node_shunt(g, i);
        double v = n->v[i];
        n->dp[i] = c->p[i] + v * v * s.g;
        n->dq[i] = c->q[i] - v * v * s.b;
        if (n->gg_at[i] >= 0) {
            n->jacobian.value[n->gg_at[i]] += 2 * v * s.g;
        }
        if (n->bb_at[i] >= 0) {
            n->jacobian.value[n->bb_at[i]] -= 2 * v * s.b;
        }
    }
    for (uint32_t k = 0; k < n->elements; k++) {
        add_element(n, &n->element[k]);
    }
    double worst = 0, sum = 0;
    for (uint32_t i = 0; i < g->nodes; i++) {
        double p = n->angle_at[i] >= 0 ? fabs(n->dp[i]) : 0;
        double q = n->voltage_at[i] >= 0 ? fabs(n->dq[i]) : 0;
        worst = p > worst ? p : worst;
        worst = q > worst ? q : worst;
        sum += p + q;
    }
    return isfinite(sum) ? worst : INFINITY;
}

static int take_step(struct pofi_newton *n, enum pof_lu_status *status, struct pof_err *err)
{
    uint32_t nodes = n->grid->nodes;
    for (uint32_t i = 0; i < nodes; i++) {
        if (n->angle_at[i] >= 0) {
            n->step[n->angle_at[i]] = -n->dp[i];
        }
        if (n->voltage_at[i] >= 0) {
            n->step[n->voltage_at[i]] = -n->dq[i];
        }
    }
    int rc = pof_lu_factor(n->lu, status, err);
    if (rc || *status == POF_LU_SINGULAR) {
        return rc;
    }
    rc = pof_lu_solve(n->lu, n->step, 1, err);
    for (uint32_t i = 0; i < nodes && rc == 0; i++) {
        n->a[i] += n->angle_at[i] >= 0 ? n->step[n->angle_at[i]] : 0;
        n->v[i] += n->voltage_at[i] >= 0 ? n->step[n->voltage_at[i]] : 0;
    }
    return rc;
}

static void start(struct pofi_newton *n, bool cold)
{
    if (n->warm && !cold) {
        return;
    }
    for (uint32_t i = 0; i < n->grid->nodes; i++) {
        const struct pof_node *node = &n->grid->node[i];
        n->a[i] = n->flat[i];
        n->v[i] = !n->fed[i] ? 0 : node->kind == POF_NODE_PQ ? 1 : node->v_set_pu;
    }
    if (n->lu) {
        pof_lu_reset(n->lu);
    }
}

/* Beyond this the iteration has left the region in which it can return. */
#define HOPELESS 1e10

int pofi_newton_solve(struct pofi_newton *n, struct pofi_case *c, struct pof_err *err)
{
    enum pof_lu_status status = POF_LU_OK;
    int rc = 0;
    start(n, c->cold);
    c->iterations = 0;
    for (;;) {
        c->mismatch = linearise(n, c);
        c->converged = c->mismatch <= c->tolerance;
        if (c->converged || c->iterations >= c->max_iterations || !(c->mismatch < HOPELESS)) {
            break;
        }
        rc = take_step(n, &status, err);
        if (rc || status == POF_LU_SINGULAR) {
            break;
        }
        c->iterations++;
    }
    n->warm = rc == 0 && c->converged;
    for (uint32_t i = 0; i < n->grid->nodes && n->warm; i++) {
        c->vr[i] = n->v[i] * cos(n->a[i]);
        c->vi[i] = n->v[i] * sin(n->a[i]);
    }
    return rc;
}

void pofi_newton_free(struct pofi_newton *n)
{
    if (!n) {
        return;
    }
    pof_lu_free(n->lu);
    pof_csc_release(&n->jacobian);
    free(n->element);
    free(n->angle_at);
    free(n->voltage_at);
    free(n->gg_at);
    free(n->bb_at);
    free(n->fed);
    free(n->flat);
    free(n->v);
    free(n->a);
    free(n->dp);
    free(n->dq);
    free(n->step);
    free(n);
}
