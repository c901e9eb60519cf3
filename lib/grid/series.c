/* SPDX-License-Identifier: Apache-2.0 */
/* Power flows of many quarter-hours. */
#include "grid/series.h"

#include "base/par.h"
#include "record/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEGREES (180 / 3.14159265358979323846)

/* Cases that wait for their turn to be taken, for each thread. */
enum { CASES_A_THREAD = 8 };

/* Arrays of a result: those of nodes first. */
enum { NODE_ARRAYS = 4, BRANCH_ARRAYS = 7 };

struct slot {
    struct pof_solved solved;
    double *store; /* NODE_ARRAYS * nodes + BRANCH_ARRAYS * branches */
};

struct series {
    const struct pof_loads *loads;
    struct pof_pf **engine; /* [threads] */
    struct slot *slot;
    uint32_t first; /* case of slot[0] */
};

static void keep(const struct pof_grid *g, struct slot *slot)
{
    struct pof_pf_result *r = &slot->solved.result;
    const double **const of_nodes[NODE_ARRAYS] = {&r->v_pu, &r->angle, &r->p_w, &r->q_var};
    const double **const of_branches[BRANCH_ARRAYS] = {&r->p_from_w, &r->q_from_var, &r->p_to_w,
                                                       &r->q_to_var, &r->i_from_a, &r->i_to_a,
                                                       &r->loading};
    double *to = slot->store;
    for (int i = 0; i < NODE_ARRAYS; i++, to += g->nodes) {
        memcpy(to, *of_nodes[i], g->nodes * sizeof *to);
        *of_nodes[i] = to;
    }
    for (int i = 0; i < BRANCH_ARRAYS; i++, to += g->branches) {
        memcpy(to, *of_branches[i], g->branches * sizeof *to);
        *of_branches[i] = to;
    }
}

static int solve(void *ctx, unsigned worker, size_t i, struct pof_err *err)
{
    struct series *s = ctx;
    const struct pof_grid *g = s->loads->grid;
    struct slot *slot = &s->slot[i];
    slot->solved.i = s->first + (uint32_t)i;
    size_t at = (size_t)slot->solved.i * g->nodes;
    int rc = pof_pf_solve(s->engine[worker], s->loads->p_w + at, s->loads->q_var + at, true,
                          &slot->solved.status, err);
    if (rc == 0) {
        pof_pf_result(s->engine[worker], &slot->solved.result);
        keep(g, slot);
    }
    return rc;
}

static int run_all(struct series *s, unsigned threads, size_t slots,
                   const struct pof_case_taker *taker, struct pof_err *err)
{
    int rc = 0;
    while (s->first < s->loads->cases && rc == 0) {
        size_t left = s->loads->cases - s->first;
        size_t n = left < slots ? left : slots;
        rc = pof_parallel(n, threads, solve, s, err);
        for (size_t i = 0; i < n && rc == 0; i++) {
            rc = taker->take(taker->ctx, &s->slot[i].solved, err);
        }
        s->first += (uint32_t)n;
    }
    return rc;
}

int pof_series_run(const struct pof_loads *loads, const struct pof_pf_options *options,
                   unsigned threads, const struct pof_case_taker *taker, struct pof_err *err)
{
    const struct pof_grid *g = loads->grid;
    struct series s = {.loads = loads};
    threads = threads > loads->cases ? loads->cases : threads;
    threads = threads ? threads : 1;
    size_t slots = (size_t)threads * CASES_A_THREAD;
    size_t store = NODE_ARRAYS * (size_t)g->nodes + BRANCH_ARRAYS * (size_t)g->branches;
    int rc = pof_calloc(&s.engine, threads, sizeof *s.engine, err);
    rc = rc ? rc : pof_calloc(&s.slot, slots, sizeof *s.slot, err);
    for (size_t i = 0; i < slots && rc == 0; i++) {
        rc = pof_calloc(&s.slot[i].store, store, sizeof(double), err);
    }
    for (unsigned i = 0; i < threads && rc == 0; i++) {
        rc = pof_pf_new(&s.engine[i], g, options, err);
    }
    rc = rc ? rc : run_all(&s, threads, slots, taker, err);
    for (unsigned i = 0; s.engine && i < threads; i++) {
        pof_pf_free(s.engine[i]);
    }
    for (size_t i = 0; s.slot && i < slots; i++) {
        free(s.slot[i].store);
    }
    free(s.engine);
    free(s.slot);
    return rc;
}

int pof_states_make(const struct pof_loads *loads, const struct pof_solved *solved,
                    const struct pof_record_taker *taker, struct pof_err *err)
{
    const struct pof_grid *g = loads->grid;
    const struct pof_pf_result *r = &solved->result;
    int rc = 0;
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        struct pof_state s = {.element = POF_ELEMENT_NODE,
                              .name = g->node[i].name,
                              .start = loads->start[solved->i],
                              .v_pu = r->v_pu[i],
                              .angle_deg = r->angle[i] * DEGREES,
                              .p_w = r->p_w[i],
                              .q_var = r->q_var[i]};
        POF_SET(&s, state, v_pu);
        POF_SET(&s, state, angle_deg);
        POF_SET(&s, state, p_w);
        POF_SET(&s, state, q_var);
        rc = taker->take(taker->ctx, POF_state, &s, err);
    }
    for (uint32_t k = 0; k < g->branches && rc == 0; k++) {
        struct pof_state s = {.element = POF_ELEMENT_BRANCH,
                              .name = g->branch[k].name,
                              .start = loads->start[solved->i],
                              .p_w = r->p_from_w[k],
                              .q_var = r->q_from_var[k],
                              .p_to_w = r->p_to_w[k],
                              .q_to_var = r->q_to_var[k],
                              .i_a = fmax(r->i_from_a[k], r->i_to_a[k]),
                              .loading_pct = r->loading[k] * 100};
        POF_SET(&s, state, p_w);
        POF_SET(&s, state, q_var);
        POF_SET(&s, state, p_to_w);
        POF_SET(&s, state, q_to_var);
        POF_SET(&s, state, i_a);
        if (g->branch[k].rating_va > 0) {
            POF_SET(&s, state, loading_pct);
        }
        rc = taker->take(taker->ctx, POF_state, &s, err);
    }
    return rc;
}
