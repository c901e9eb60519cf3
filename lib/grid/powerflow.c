/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: chooses a solver and runs it. */
#include "grid/powerflow_impl.h"

#include <math.h>
#include <stdlib.h>

#define TOLERANCE 1e-8

enum { SWEEP_ITERATIONS = 100, NEWTON_ITERATIONS = 50 };

static int allocate(struct pof_pf *pf, struct pof_err *err)
{
    size_t n = (size_t)pf->grid->nodes * pf->net.phases, m = (size_t)pf->grid->branches * pf->net.phases;
    size_t inner = pf->net.nodes, most = n > inner ? n : inner;
    double **const of_nodes[] = {&pf->v_pu, &pf->angle, &pf->p_w, &pf->q_var};
    double **const of_branches[] = {&pf->p_from, &pf->q_from, &pf->p_to,   &pf->q_to,
                                    &pf->i_from, &pf->i_to,   &pf->loading};
    double **const of_net[] = {&pf->v,  &pf->a,     &pf->re,
                               &pf->im, &pf->out_p, &pf->out_q};
    size_t node_arrays = sizeof of_nodes / sizeof of_nodes[0];
    size_t branch_arrays = sizeof of_branches / sizeof of_branches[0];
    size_t net_arrays = sizeof of_net / sizeof of_net[0];
    if (pf->inner) {
        n = m = 0;
        net_arrays = 2; /* voltages */
        most = inner;
    }
    int rc = pof_calloc(&pf->store, node_arrays * n + branch_arrays * m + net_arrays * most + (pf->inner ? 0 : pf->grid->branches),
                        sizeof(double), err);
    double *next = pf->store;
    for (size_t i = 0; i < node_arrays && rc == 0; i++, next += n) {
        *of_nodes[i] = next;
    }
    for (size_t i = 0; i < branch_arrays && rc == 0; i++, next += m) {
        *of_branches[i] = next;
    }
    for (size_t i = 0; i < net_arrays && rc == 0; i++, next += most) {
        *of_net[i] = next;
    }
    pf->out_flow = next;
    if (rc || pf->inner) {
        return rc;
    }
    rc = pof_calloc(&pf->limit, pf->grid->nodes, sizeof *pf->limit, err);
    return rc ? rc : pof_calloc(&pf->holds, pf->net.buses, sizeof *pf->holds, err);
}

/* What Newton's method goes by. */
static int make_loads(struct pof_pf *pf, struct pof_err *err)
{
    int rc = pof_alloc(&pf->fixed, pf->net.nodes, sizeof *pf->fixed, err);
    rc = rc ? rc : pof_alloc(&pf->load, pf->net.nodes, sizeof *pf->load, err);
    if (rc == 0) {
        pofi_fixed_loads(&pf->net, pf->fixed);
    }
    return rc;
}

static int make_newton(struct pof_pf *pf, struct pof_err *err)
{
    const struct pofi_newton_options o = {.q_limits = pf->options.q_limits,
                                          .distributed = pf->options.distributed_slack};
    return pf->newton ? 0 : pofi_newton_new(&pf->newton, &pf->net, &o, err);
}

static int make_sweep(struct pof_pf *pf, struct pof_err *err)
{
    int rc = pofi_plan_new(&pf->plan, &pf->net, err);
    return rc ? rc : pofi_lanes_new(&pf->lanes, pf->plan, 1, err);
}

/* A grid that a sweep cannot do is answered by Newton's method, unless a sweep was asked for. */
static int choose(struct pof_pf *pf, struct pof_err *err)
{
    enum pof_pf_method method = pf->options.method;
    if (method >= POF_PF_LINEAR) {
        return pofi_linear_new(&pf->linear, &pf->net, method == POF_PF_LINEAR, err);
    }
    bool shared = false;
    for (uint32_t i = 0; i < pf->grid->nodes && pf->options.distributed_slack; i++) {
        shared |= pf->grid->node[i].slack_share > 0;
    }
    if (method != POF_PF_NEWTON && !(shared && method == POF_PF_AUTO)) {
        struct pof_err why = {0};
        int rc = make_sweep(pf, &why);
        if (rc == 0 || rc != POF_E_TOPOLOGY || method == POF_PF_SWEEP) {
            if (rc && err) {
                *err = why;
            }
            return rc;
        }
    }
    return make_newton(pf, err);
}

static int note_shares(struct pof_pf *pf, struct pof_err *err)
{
    int rc = pof_calloc(&pf->share, pf->grid->nodes, sizeof *pf->share, err);
    for (uint32_t i = 0; i < pf->grid->nodes && rc == 0; i++) {
        pf->share[i] = pf->net.bus_of[i] != POF_NONE ? pf->grid->node[i].slack_share : 0;
    }
    return rc;
}

static int prepare(struct pof_pf *pf, struct pof_err *err)
{
    const struct pof_grid *g = pf->grid;
    int rc = pf->inner ? 0 : pof_net_build(&pf->net, g, pf->options.phases == 3 ? 3 : 1, err);
    rc = rc ? rc : allocate(pf, err);
    rc = rc || !pf->options.distributed_slack ? rc : note_shares(pf, err);
    rc = rc ? rc : choose(pf, err);
    for (uint32_t k = 0; k < g->branches && rc == 0; k++) {
        pf->couplers |= pof_branch_ideal(g, &g->branch[k]);
    }
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        pf->pv |= pf->net.bus_of[i] != POF_NONE && g->node[i].kind == POF_NODE_PV;
    }
    if (rc == 0 && !pf->inner) {
        pofi_pf_holders(pf);
    }
    return rc || (pf->inner && pf->plan) ? rc : make_loads(pf, err);
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
    pf->why = "";
    rc = prepare(pf, err);
    if (rc) {
        pof_pf_free(pf);
        return rc;
    }
    *out = pf;
    return 0;
}

int pofi_pf_new_inner(struct pof_pf **out, const struct pof_net *net, struct pof_err *err)
{
    struct pof_pf *pf;
    *out = NULL;
    int rc = pof_calloc(&pf, 1, sizeof *pf, err);
    if (rc) {
        return rc;
    }
    pf->grid = net->grid;
    pf->net = *net;
    pf->inner = true;
    pf->options.phases = net->phases;
    rc = prepare(pf, err);
    if (rc) {
        pof_pf_free(pf);
        return rc;
    }
    *out = pf;
    return 0;
}

enum pof_pf_method pof_pf_method(const struct pof_pf *pf)
{
    return pf->linear ? pf->options.method : pf->plan ? POF_PF_SWEEP : POF_PF_NEWTON;
}

int pof_pf_renew(struct pof_pf *pf, struct pof_err *err)
{
    struct pof_net net;
    int rc = pof_net_build(&net, pf->grid, pf->net.phases, err);
    if (rc) {
        return rc;
    }
    pof_net_release(&pf->net);
    pf->net = net;
    if (pf->newton) {
        pofi_newton_renew(pf->newton);
    }
    pofi_linear_free(pf->first);
    pf->first = NULL;
    if (pf->plan) {
        pofi_lanes_free(pf->lanes);
        pofi_plan_free(pf->plan);
        pf->lanes = NULL;
        pf->plan = NULL;
        rc = make_sweep(pf, err);
    }
    if (pf->linear && rc == 0) {
        pofi_linear_free(pf->linear);
        pf->linear = NULL;
        rc = pofi_linear_new(&pf->linear, &pf->net, pf->options.method == POF_PF_LINEAR, err);
    }
    return rc;
}

/* --- one case --- */

static void set_loads(struct pof_pf *pf, const double *p_w, const double *q_var)
{
    const struct pof_net *net = &pf->net;
    double base = pf->grid->base_va / (pf->inner ? net->phases : 1);
    for (uint32_t i = 0; i < net->nodes; i++) {
        pf->load[i] = pf->fixed[i];
    }
    for (uint32_t i = 0; i < pf->grid->nodes; i++) {
        for (uint32_t f = 0; net->bus_of[i] != POF_NONE && f < net->phases; f++) {
            struct pofi_load *l = &pf->load[net->bus_of[i] * net->phases + f];
            uint32_t k = pf->inner ? i * net->phases + f : i;
            l->p += p_w ? p_w[k] / base : 0;
            l->q += q_var ? q_var[k] / base : 0;
        }
    }
}

static const char *const reasons[] = {
    [POFI_SOLVED] = "",
    [POFI_TOO_LONG] = "the mismatch still falls, but too slowly",
    [POFI_SINGULAR] = "the equations are singular there",
    [POFI_STUCK] = "no step makes mismatches smaller: most likely the grid cannot carry these loads",
    [POFI_CYCLES] = "no set of reactive limits fits: one generator's keeps undoing another's",
};

static void note(struct pof_pf *pf, const struct pofi_case *c)
{
    pf->iterations = c->iterations;
    pf->mismatch = c->mismatch;
    pf->worst_node = pf->net.nodes ? pf->net.first_of[c->worst / pf->net.phases] : 0;
    pf->worst_phase = c->worst % pf->net.phases;
    pf->worst_is_q = c->worst_is_q;
    pf->why = reasons[c->why];
    pf->known = true;
    pf->warm = c->why == POFI_SOLVED;
}

/* The linear start as a given one. */
static int start_linear(struct pof_pf *pf, struct pofi_case *c, struct pof_err *err)
{
    int rc = pf->first ? 0 : pofi_linear_new(&pf->first, &pf->net, true, err);
    c->start = POFI_FLAT;
    rc = rc ? rc : pofi_linear_solve(pf->first, c, false, err);
    c->start = c->why == POFI_SOLVED && isfinite(c->mismatch) ? POFI_GIVEN : POFI_FLAT;
    return rc;
}

static int by_newton(struct pof_pf *pf, struct pofi_case *c, struct pof_err *err)
{
    enum pof_pf_start start = pf->options.start;
    bool choose_start = start == POF_PF_START_AUTO;
    int rc = make_newton(pf, err);
    if (rc == 0 && c->start != POFI_GIVEN) {
        c->start = start == POF_PF_START_DC ? POFI_DC : POFI_FLAT;
        if (start == POF_PF_START_STORED) {
            pof_net_stored(&pf->net, c->v, c->angle);
            c->start = POFI_GIVEN;
        } else if (start == POF_PF_START_LINEAR || (choose_start && !pf->pv)) {
            rc = start_linear(pf, c, err);
        }
    }
    rc = rc ? rc : pofi_newton_solve(pf->newton, c, err);
    if (rc == 0 && c->why != POFI_SOLVED && choose_start) {
        int before = c->iterations;
        c->start = pf->pv ? POFI_DC : POFI_FLAT;
        rc = pofi_newton_solve(pf->newton, c, err);
        c->iterations += before;
    }
    if (rc == 0) {
        note(pf, c);
    }
    return rc;
}

static double tolerance(const struct pof_pf *pf)
{
    return pf->options.tolerance > 0 ? pf->options.tolerance : TOLERANCE;
}

void pofi_pf_limits(const struct pof_pf *pf, struct pofi_sweep *s)
{
    s->tolerance = tolerance(pf);
    s->max_iterations = pf->options.max_iterations > 0 ? pf->options.max_iterations : SWEEP_ITERATIONS;
}

void pofi_pf_swept(struct pof_pf *pf, const struct pofi_sweep *s, unsigned lane)
{
    pf->iterations = s->iterations[lane];
    pf->mismatch = s->mismatch[lane];
    pf->worst_node = pf->worst_phase = 0;
    pf->worst_is_q = false;
    pf->known = pf->warm = s->converged[lane];
    pf->why = pf->known ? "" : "sweeps do not come closer";
}

/* true: solved, or nothing else may try. */
static bool by_sweep(struct pof_pf *pf, bool warm, const double *p_w, const double *q_var)
{
    struct pofi_sweep s = {.warm = warm};
    pofi_pf_limits(pf, &s);
    pofi_lanes_load(pf->lanes, &p_w, &q_var);
    pofi_lanes_solve(pf->lanes, &s);
    pofi_pf_swept(pf, &s, 0);
    if (pf->known) {
        pofi_lanes_bus(pf->lanes, 0, pf->v, pf->a);
    }
    return pf->known || pf->options.method == POF_PF_SWEEP;
}

static int run(struct pof_pf *pf, struct pofi_case *c, const double *p_w, const double *q_var,
               struct pof_err *err)
{
    int limit = pf->options.max_iterations;
    c->max_iterations = limit > 0 ? limit : SWEEP_ITERATIONS;
    if (pf->linear) {
        int rc = pofi_linear_solve(pf->linear, c, pf->options.method == POF_PF_CURRENT, err);
        if (rc == 0) {
            note(pf, c);
        }
        return rc;
    }
    if (pf->plan) {
        if (by_sweep(pf, c->start == POFI_GIVEN, p_w, q_var)) {
            return 0;
        }
        c->start = POFI_FLAT; /* what an earlier case left must not matter */
    }
    int rc = pf->load ? 0 : make_loads(pf, err);
    if (rc) {
        return rc;
    }
    c->load = pf->load;
    set_loads(pf, p_w, q_var);
    c->max_iterations = limit > 0 ? limit : NEWTON_ITERATIONS;
    return by_newton(pf, c, err);
}

int pof_pf_solve(struct pof_pf *pf, const double *p_w, const double *q_var, bool cold,
                 enum pof_pf_status *status, struct pof_err *err)
{
    struct pofi_case c = {
        .load = pf->load,
        .tolerance = tolerance(pf),
        .start = pf->warm && !cold ? POFI_GIVEN : POFI_FLAT,
        .v = pf->v,
        .angle = pf->a,
    };
    if (pf->linear) {
        set_loads(pf, p_w, q_var);
    }
    int rc = run(pf, &c, p_w, q_var, err);
    pf->limited = pf->newton && pf->options.q_limits;
    rc = rc ? rc : pofi_pf_results(pf, p_w, q_var, err);
    *status = pf->warm ? POF_PF_CONVERGED : POF_PF_DIVERGED;
    return rc;
}

int pofi_pf_voltages(struct pof_pf *pf, const double *p_w, const double *q_var, const double **v,
                     const double **angle, struct pof_err *err)
{
    struct pofi_case c = {.load = pf->load,
                          .tolerance = tolerance(pf),
                          .start = POFI_FLAT,
                          .v = pf->v,
                          .angle = pf->a};
    int rc = run(pf, &c, p_w, q_var, err);
    *v = rc == 0 && pf->warm ? pf->v : NULL;
    *angle = rc == 0 && pf->warm ? pf->a : NULL;
    return rc;
}

void pof_pf_result(const struct pof_pf *pf, struct pof_pf_result *result)
{
    *result = (struct pof_pf_result){
        .phases = pf->net.phases,
        .floating = pf->net.floating,
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
        .limit = pf->limit,
        .limits_kept = pf->limited && pf->known ? pofi_newton_kept(pf->newton) : 0,
        .slack_p_w = pf->slack_p,
        .slack_q_var = pf->slack_q,
        .iterations = pf->iterations,
        .mismatch_pu = pf->mismatch,
        .worst_node = pf->worst_node,
        .worst_phase = pf->worst_phase,
        .worst_is_q = pf->worst_is_q,
        .why = pf->why,
    };
}

void pof_pf_free(struct pof_pf *pf)
{
    if (pf) {
        pofi_lanes_free(pf->lanes);
        pofi_plan_free(pf->plan);
        pofi_newton_free(pf->newton);
        pofi_linear_free(pf->linear);
        pofi_linear_free(pf->first);
        if (!pf->inner) {
            pof_net_release(&pf->net);
        }
        free(pf->fixed);
        free(pf->load);
        free(pf->share);
        free(pf->holds);
        free(pf->limit);
        free(pf->store);
        free(pf);
    }
}
