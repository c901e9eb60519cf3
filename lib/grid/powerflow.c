/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: chooses a solver, and derives flows from voltages. */
#include "grid/powerflow.h"

#include "grid/solver.h"

#include <math.h>
#include <stdlib.h>

#define TOLERANCE 1e-8

enum { SWEEP_ITERATIONS = 100, NEWTON_ITERATIONS = 30 };

/* What flows of a branch are computed from. */
struct ends {
    struct pof_pi y;
    double base_from_a, base_to_a; /* A of 1 p.u. */
    double base_over_rating;       /* 0: no rating */
};

struct pof_pf {
    const struct pof_grid *grid;
    struct pof_pf_options options;
    struct pofi_sweep *sweep;   /* NULL: not radial, or not wanted */
    struct pofi_newton *newton; /* NULL: not needed yet */
    struct ends *ends;
    double *store; /* all arrays below */
    double *p, *q; /* consumption of the case, p.u. */
    double *vr, *vi;
    double *v_pu, *angle, *p_w, *q_var;
    double *p_from, *q_from, *p_to, *q_to, *i_from, *i_to, *loading;
    double slack_p, slack_q;
    int iterations;
    double mismatch;
};

static int allocate(struct pof_pf *pf, struct pof_err *err)
{
    size_t n = pf->grid->nodes, m = pf->grid->branches;
    double **const of_nodes[] = {&pf->p,    &pf->q,     &pf->vr,  &pf->vi,
                                 &pf->v_pu, &pf->angle, &pf->p_w, &pf->q_var};
    double **const of_branches[] = {&pf->p_from, &pf->q_from, &pf->p_to,   &pf->q_to,
                                    &pf->i_from, &pf->i_to,   &pf->loading};
    size_t node_arrays = sizeof of_nodes / sizeof of_nodes[0];
    size_t branch_arrays = sizeof of_branches / sizeof of_branches[0];
    int rc = pof_calloc(&pf->ends, m, sizeof *pf->ends, err);
    rc = rc ? rc : pof_calloc(&pf->store, node_arrays * n + branch_arrays * m, sizeof(double), err);
    double *next = pf->store;
    for (size_t i = 0; i < node_arrays && rc == 0; i++, next += n) {
        *of_nodes[i] = next;
    }
    for (size_t i = 0; i < branch_arrays && rc == 0; i++, next += m) {
        *of_branches[i] = next;
    }
    return rc;
}

static void prepare_ends(struct pof_pf *pf)
{
    const struct pof_grid *g = pf->grid;
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        pf->ends[k] = (struct ends){
            .y = pof_branch_pi(b),
            .base_from_a = pof_base_current(g, b->from),
            .base_to_a = pof_base_current(g, b->to),
            .base_over_rating = b->rating_va > 0 ? g->base_va / b->rating_va : 0,
        };
    }
}

/* A grid that is no tree is answered by Newton's method, unless a sweep was asked for. */
static int choose(struct pof_pf *pf, struct pof_err *err)
{
    enum pof_pf_method method = pf->options.method;
    if (method != POF_PF_NEWTON) {
        struct pof_err why = {0};
        int rc = pofi_sweep_new(&pf->sweep, pf->grid, &why);
        if (rc == 0) {
            return 0;
        }
        if (rc != POF_E_TOPOLOGY || method == POF_PF_SWEEP) {
            if (err) {
                *err = why;
            }
            return rc;
        }
    }
    return pofi_newton_new(&pf->newton, pf->grid, err);
}

int pof_pf_new(struct pof_pf **out, const struct pof_grid *grid,
               const struct pof_pf_options *options, struct pof_err *err)
{
    *out = NULL;
    struct pof_pf *pf;
    int rc = pof_calloc(&pf, 1, sizeof *pf, err);
    if (rc) {
        return rc;
    }
    pf->grid = grid;
    pf->options = options ? *options : (struct pof_pf_options){0};
    rc = allocate(pf, err);
    rc = rc ? rc : choose(pf, err);
    if (rc) {
        pof_pf_free(pf);
        return rc;
    }
    prepare_ends(pf);
    *out = pf;
    return 0;
}

enum pof_pf_method pof_pf_method(const struct pof_pf *pf)
{
    return pf->sweep ? POF_PF_SWEEP : POF_PF_NEWTON;
}

/* --- results --- */

struct complex {
    double re, im;
};

static struct complex current(double g1, double b1, double g2, double b2, const double *v)
{
    return (struct complex){g1 * v[0] - b1 * v[1] + g2 * v[2] - b2 * v[3],
                            g1 * v[1] + b1 * v[0] + g2 * v[3] + b2 * v[2]};
}

static void branch_results(struct pof_pf *pf)
{
    const struct pof_grid *g = pf->grid;
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        const struct ends *e = &pf->ends[k];
        const double v[] = {pf->vr[b->from], pf->vi[b->from], pf->vr[b->to], pf->vi[b->to]};
        struct complex f = {0}, t = {0};
        if (b->closed) {
            f = current(e->y.gff, e->y.bff, e->y.gft, e->y.bft, v);
            t = current(e->y.gtf, e->y.btf, e->y.gtt, e->y.btt, v);
        }
        pf->p_from[k] = (v[0] * f.re + v[1] * f.im) * g->base_va;
        pf->q_from[k] = (v[1] * f.re - v[0] * f.im) * g->base_va;
        pf->p_to[k] = (v[2] * t.re + v[3] * t.im) * g->base_va;
        pf->q_to[k] = (v[3] * t.re - v[2] * t.im) * g->base_va;
        double i_from = sqrt(f.re * f.re + f.im * f.im), i_to = sqrt(t.re * t.re + t.im * t.im);
        pf->i_from[k] = i_from * e->base_from_a;
        pf->i_to[k] = i_to * e->base_to_a;
        pf->loading[k] = (i_from > i_to ? i_from : i_to) * e->base_over_rating;
    }
}

/* Consumption: what was given, or, where the voltage is held, what the balance leaves. */
static void node_results(struct pof_pf *pf)
{
    const struct pof_grid *g = pf->grid;
    for (uint32_t i = 0; i < g->nodes; i++) {
        double vv = pf->vr[i] * pf->vr[i] + pf->vi[i] * pf->vi[i];
        bool held = vv > 0 && g->node[i].kind != POF_NODE_PQ;
        pf->v_pu[i] = sqrt(vv);
        pf->angle[i] = vv > 0 ? atan2(pf->vi[i], pf->vr[i]) : 0;
        pf->p_w[i] = held ? -vv * g->node[i].g_w : vv > 0 ? pf->p[i] * g->base_va : 0;
        pf->q_var[i] = held ? vv * g->node[i].b_var : vv > 0 ? pf->q[i] * g->base_va : 0;
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        if (g->node[b->from].kind != POF_NODE_PQ) {
            pf->p_w[b->from] -= pf->p_from[k];
            pf->q_var[b->from] -= pf->q_from[k];
        }
        if (g->node[b->to].kind != POF_NODE_PQ) {
            pf->p_w[b->to] -= pf->p_to[k];
            pf->q_var[b->to] -= pf->q_to[k];
        }
    }
    pf->slack_p = pf->slack_q = 0;
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (g->node[i].kind == POF_NODE_SLACK) {
            pf->slack_p += pf->p[i] * g->base_va - pf->p_w[i];
            pf->slack_q += pf->q[i] * g->base_va - pf->q_var[i];
        } else if (g->node[i].kind == POF_NODE_PV && pf->v_pu[i] > 0) {
            pf->p_w[i] = pf->p[i] * g->base_va;
        }
    }
}

static int run(struct pof_pf *pf, struct pofi_case *c, struct pof_err *err)
{
    int limit = pf->options.max_iterations;
    if (pf->sweep) {
        c->max_iterations = limit > 0 ? limit : SWEEP_ITERATIONS;
        pofi_sweep_solve(pf->sweep, c);
        if (c->converged || pf->options.method == POF_PF_SWEEP) {
            return 0;
        }
        /* Started anew: what an earlier case left must not matter. */
        c->cold = true;
    }
    int rc = pf->newton ? 0 : pofi_newton_new(&pf->newton, pf->grid, err);
    c->max_iterations = limit > 0 ? limit : NEWTON_ITERATIONS;
    return rc ? rc : pofi_newton_solve(pf->newton, c, err);
}

int pof_pf_solve(struct pof_pf *pf, const double *p_w, const double *q_var, bool cold,
                 enum pof_pf_status *status, struct pof_err *err)
{
    const struct pof_grid *g = pf->grid;
    for (uint32_t i = 0; i < g->nodes; i++) {
        pf->p[i] = (g->node[i].p_w + (p_w ? p_w[i] : 0)) / g->base_va;
        pf->q[i] = (g->node[i].q_var + (q_var ? q_var[i] : 0)) / g->base_va;
        pf->vr[i] = pf->vi[i] = 0;
    }
    struct pofi_case c = {
        .p = pf->p,
        .q = pf->q,
        .tolerance = pf->options.tolerance > 0 ? pf->options.tolerance : TOLERANCE,
        .cold = cold,
        .vr = pf->vr,
        .vi = pf->vi,
    };
    int rc = run(pf, &c, err);
    if (rc) {
        return rc;
    }
    *status = c.converged ? POF_PF_CONVERGED : POF_PF_DIVERGED;
    pf->iterations = c.iterations;
    pf->mismatch = c.mismatch;
    branch_results(pf);
    node_results(pf);
    return 0;
}

void pof_pf_result(const struct pof_pf *pf, struct pof_pf_result *result)
{
    *result = (struct pof_pf_result){
        .v_pu = pf->v_pu,
        .angle = pf->angle,
        .p_from_w = pf->p_from,
        .q_from_var = pf->q_from,
        .p_to_w = pf->p_to,
        .q_to_var = pf->q_to,
        .i_from_a = pf->i_from,
        .i_to_a = pf->i_to,
        .loading = pf->loading,
        .p_w = pf->p_w,
        .q_var = pf->q_var,
        .slack_p_w = pf->slack_p,
        .slack_q_var = pf->slack_q,
        .iterations = pf->iterations,
        .mismatch_pu = pf->mismatch,
    };
}

void pof_pf_free(struct pof_pf *pf)
{
    if (pf) {
        pofi_sweep_free(pf->sweep);
        pofi_newton_free(pf->newton);
        free(pf->ends);
        free(pf->store);
        free(pf);
    }
}
