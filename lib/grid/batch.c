/* SPDX-License-Identifier: Apache-2.0 */
/* Power flows of many scenarios. */
#include "grid/batch.h"

#include "base/par.h"
#include "grid/powerflow_impl.h"

#include <stdlib.h>
#include <string.h>

/* Groups of scenarios that wait for their turn to be taken, for each thread. */
enum { GROUPS_A_THREAD = 2 };

/* Nodes up to which all lanes stay in the cache; beyond, half of them take less time each. */
enum { FITS = 16384 };

/* Arrays of a result: those of nodes first. */
enum { NODE_ARRAYS = 4, BRANCH_ARRAYS = 7 };

struct slot {
    struct pof_solved solved;
    double *store; /* NODE_ARRAYS * nodes + BRANCH_ARRAYS * branches, times phases */
    int8_t *limit; /* [nodes] */
};

struct worker {
    struct pof_pf *pf;
    struct pofi_lanes *lanes; /* NULL: one by one */
};

struct run {
    const struct pof_grid *grid;
    const struct pof_batch *batch;
    struct worker *worker; /* [threads] */
    struct slot *slot;
    uint32_t first; /* scenario of slot[0] */
    uint32_t lanes; /* scenarios of a group */
};

static const double *row(const struct run *r, const double *table, uint32_t i)
{
    return table ? table + (size_t)i * r->grid->nodes : NULL;
}

/* A copy of the engine's results. */
static void keep(const struct run *r, const struct pof_pf *pf, struct slot *slot)
{
    struct pof_pf_result *res = &slot->solved.result;
    const double **const of_nodes[NODE_ARRAYS] = {&res->v_pu, &res->angle, &res->p_w, &res->q_var};
    const double **const of_branches[BRANCH_ARRAYS] = {&res->p_from_w, &res->q_from_var,
                                                       &res->p_to_w,   &res->q_to_var,
                                                       &res->i_from_a, &res->i_to_a,
                                                       &res->loading};
    size_t nodes = (size_t)r->grid->nodes * pf->net.phases;
    size_t branches = (size_t)r->grid->branches * pf->net.phases;
    double *to = slot->store;
    pof_pf_result(pf, res);
    for (int i = 0; i < NODE_ARRAYS; i++, to += nodes) {
        bool wanted = i < 2 || !r->batch->voltages_only;
        if (wanted) {
            memcpy(to, *of_nodes[i], nodes * sizeof *to);
        }
        *of_nodes[i] = wanted ? to : NULL;
    }
    for (int i = 0; i < BRANCH_ARRAYS; i++, to += branches) {
        if (!r->batch->voltages_only) {
            memcpy(to, *of_branches[i], branches * sizeof *to);
        }
        *of_branches[i] = r->batch->voltages_only ? NULL : to;
    }
    memcpy(slot->limit, res->limit, r->grid->nodes * sizeof *slot->limit);
    res->limit = r->batch->voltages_only ? NULL : slot->limit;
}

static int solve_one(struct run *r, struct pof_pf *pf, struct slot *slot, struct pof_err *err)
{
    uint32_t i = slot->solved.i;
    int rc = pof_pf_solve(pf, row(r, r->batch->p_w, i), row(r, r->batch->q_var, i), true,
                          &slot->solved.status, err);
    if (rc == 0) {
        keep(r, pf, slot);
    }
    return rc;
}

static int put_all(struct run *r, struct worker *w, struct slot *slot, unsigned lane,
                   struct pof_err *err)
{
    uint32_t i = slot->solved.i;
    pofi_lanes_bus(w->lanes, lane, w->pf->v, w->pf->a);
    int rc = pofi_pf_results(w->pf, row(r, r->batch->p_w, i), row(r, r->batch->q_var, i), err);
    if (rc == 0) {
        keep(r, w->pf, slot);
    }
    return rc;
}

/* Lanes beyond the last scenario repeat it. */
static int solve_lanes(struct run *r, struct worker *w, struct slot *slot, uint32_t n,
                       struct pof_err *err)
{
    const double *p[POFI_LANES], *q[POFI_LANES];
    struct pofi_sweep s = {.plain = r->batch->plain};
    s.wanted = r->batch->voltages_only ? n : 0;
    for (uint32_t l = 0; l < r->lanes; l++) {
        uint32_t i = slot[l < n ? l : n - 1].solved.i;
        s.v[l] = l < s.wanted ? slot[l].store : NULL;
        s.angle[l] = l < s.wanted ? slot[l].store + r->grid->nodes : NULL;
        p[l] = row(r, r->batch->p_w, i);
        q[l] = row(r, r->batch->q_var, i);
    }
    pofi_pf_limits(w->pf, &s);
    pofi_lanes_load(w->lanes, p, q);
    pofi_lanes_solve(w->lanes, &s);
    int rc = 0;
    for (uint32_t l = 0; l < n && rc == 0; l++) {
        struct slot *t = &slot[l];
        if (!s.converged[l]) {
            rc = solve_one(r, w->pf, t, err);
            continue;
        }
        pofi_pf_swept(w->pf, &s, l);
        t->solved.status = POF_PF_CONVERGED;
        t->solved.result.iterations = s.iterations[l];
        t->solved.result.mismatch_pu = s.mismatch[l];
        t->solved.result.why = "";
        t->solved.result.v_pu = s.v[l];
        t->solved.result.angle = s.angle[l];
        rc = r->batch->voltages_only ? 0 : put_all(r, w, t, l, err);
    }
    return rc;
}

static int solve_group(void *ctx, unsigned worker, size_t group, struct pof_err *err)
{
    struct run *r = ctx;
    struct worker *w = &r->worker[worker];
    uint32_t begin = r->first + (uint32_t)group * r->lanes, left = r->batch->n - begin;
    uint32_t n = left < r->lanes ? left : r->lanes;
    struct slot *slot = &r->slot[group * r->lanes];
    int rc = 0;
    for (uint32_t l = 0; l < n; l++) {
        slot[l].solved = (struct pof_solved){.i = begin + l};
    }
    if (w->lanes) {
        return solve_lanes(r, w, slot, n, err);
    }
    for (uint32_t l = 0; l < n && rc == 0; l++) {
        rc = solve_one(r, w->pf, &slot[l], err);
    }
    return rc;
}

static int run_all(struct run *r, unsigned threads, size_t slots,
                   const struct pof_case_taker *taker, struct pof_err *err)
{
    int rc = 0;
    while (r->first < r->batch->n && rc == 0) {
        size_t left = r->batch->n - r->first, n = left < slots ? left : slots;
        rc = pof_parallel((n + r->lanes - 1) / r->lanes, threads, solve_group, r, err);
        for (size_t i = 0; i < n && rc == 0; i++) {
            rc = taker->take(taker->ctx, &r->slot[i].solved, err);
        }
        r->first += (uint32_t)n;
    }
    return rc;
}

static int make_worker(struct run *r, struct worker *w, const struct pof_pf_options *options,
                       struct pof_err *err)
{
    bool given = w == r->worker && r->batch->pf;
    int rc = given ? 0 : pof_pf_new(&w->pf, r->grid, options, err);
    w->pf = given ? r->batch->pf : w->pf;
    return rc || !w->pf->plan ? rc : pofi_lanes_new(&w->lanes, w->pf->plan, r->lanes, err);
}

static int make_slots(struct run *r, size_t slots, uint32_t phases, struct pof_err *err)
{
    size_t nodes = (size_t)r->grid->nodes * phases, branches = (size_t)r->grid->branches * phases;
    size_t store = r->batch->voltages_only ? 2 * nodes : NODE_ARRAYS * nodes + BRANCH_ARRAYS * branches;
    int rc = pof_calloc(&r->slot, slots, sizeof *r->slot, err);
    for (size_t i = 0; i < slots && rc == 0; i++) {
        rc = pof_calloc(&r->slot[i].store, store, sizeof(double), err);
        rc = rc ? rc : pof_calloc(&r->slot[i].limit, r->grid->nodes, sizeof(int8_t), err);
    }
    return rc;
}

int pof_batch_run(const struct pof_grid *grid, const struct pof_pf_options *options,
                  const struct pof_batch *batch, const struct pof_case_taker *taker,
                  struct pof_err *err)
{
    struct run r = {.grid = grid, .batch = batch, .lanes = POFI_LANES};
    bool narrow = batch->n <= POFI_LANES / 2 || grid->nodes > FITS;
    r.lanes = narrow ? POFI_LANES / 2 : r.lanes;
    uint32_t groups = batch->n / r.lanes + (batch->n % r.lanes != 0);
    unsigned threads = batch->threads > groups ? groups : batch->threads;
    threads = threads ? threads : 1;
    size_t slots = (size_t)threads * GROUPS_A_THREAD * r.lanes;
    int rc = pof_calloc(&r.worker, threads, sizeof *r.worker, err);
    for (unsigned i = 0; i < threads && rc == 0; i++) {
        rc = make_worker(&r, &r.worker[i], options, err);
    }
    rc = rc ? rc : make_slots(&r, slots, options && options->phases == 3 ? 3 : 1, err);
    rc = rc ? rc : run_all(&r, threads, slots, taker, err);
    for (unsigned i = 0; r.worker && i < threads; i++) {
        pofi_lanes_free(r.worker[i].lanes);
        if (i > 0 || !batch->pf) {
            pof_pf_free(r.worker[i].pf);
        }
    }
    for (size_t i = 0; r.slot && i < slots; i++) {
        free(r.slot[i].store);
        free(r.slot[i].limit);
    }
    free(r.worker);
    free(r.slot);
    return rc;
}
