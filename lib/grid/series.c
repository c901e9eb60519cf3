/* SPDX-License-Identifier: Apache-2.0 */
/* Power flows of many quarter-hours. */
#include "grid/series.h"

#include "record/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEGREES (180 / 3.14159265358979323846)

int pof_series_run(const struct pof_loads *loads, const struct pof_pf_options *options,
                   unsigned threads, const struct pof_case_taker *taker, struct pof_err *err)
{
    const struct pof_batch batch = {
        .n = loads->cases, .p_w = loads->p_w, .q_var = loads->q_var, .threads = threads};
    return pof_batch_run(loads->grid, options, &batch, taker, err);
}

int pof_series_run_controlled(const struct pof_loads *loads, const struct pof_pf_options *options,
                              const struct pof_controls *controls, const struct pof_case_taker *taker,
                              struct pof_err *err)
{
    struct pof_shunt_control *control;
    struct pof_grid grid = *loads->grid;
    grid.banks = controls->shunts ? grid.banks : 0;
    int rc = pof_shunt_control_new(&control, &grid, options, controls->taps, err);
    if (rc) {
        return rc;
    }
    for (uint32_t i = 0; i < loads->cases && rc == 0; i++) {
        size_t at = (size_t)i * loads->grid->nodes;
        struct pof_tap_report taps;
        struct pof_shunt_report shunts;
        struct pof_solved solved = {.i = i, .taps = controls->taps ? &taps : NULL,
                                    .shunts = controls->shunts ? &shunts : NULL};
        rc = pof_shunt_control_solve(control, loads->p_w + at, loads->q_var + at, &taps, &shunts, err);
        solved.status = taps.status == POF_TAP_SETTLED ? POF_PF_CONVERGED : POF_PF_DIVERGED;
        pof_pf_result(pof_shunt_control_pf(control), &solved.result);
        rc = rc ? rc : taker->take(taker->ctx, &solved, err);
    }
    pof_shunt_control_free(control);
    return rc;
}

/* What the switched shunts of a node inject at 1 p.u. */
static void put_banks(const struct pof_grid *grid, const struct pof_solved *solved, uint32_t node,
                      struct pof_state *s)
{
    for (uint32_t k = 0; solved->shunts && k < grid->banks; k++) {
        if (grid->bank[k].node == node) {
            s->shunt_var += solved->shunts->b_var[k];
            POF_SET(s, state, shunt_var);
        }
    }
}

/* Arrays of a result have their phases side by side; `at` is the place in them. */
static int put_node(const struct pof_loads *loads, const struct pof_solved *solved, size_t at,
                    const struct pof_record_taker *taker, struct pof_err *err)
{
    const struct pof_pf_result *r = &solved->result;
    struct pof_state s = {.element = POF_ELEMENT_NODE,
                          .name = loads->grid->node[at / r->phases].name,
                          .start = loads->start[solved->i],
                          .phase = (int)(at % r->phases),
                          .v_pu = r->v_pu[at],
                          .angle_deg = r->angle[at] * DEGREES,
                          .p_w = r->p_w[at],
                          .q_var = r->q_var[at]};
    POF_SET(&s, state, v_pu);
    POF_SET(&s, state, angle_deg);
    POF_SET(&s, state, p_w);
    POF_SET(&s, state, q_var);
    if (r->phases > 1) {
        POF_SET(&s, state, phase);
    }
    put_banks(loads->grid, solved, (uint32_t)(at / r->phases), &s);
    return taker->take(taker->ctx, POF_state, &s, err);
}

static int put_branch(const struct pof_loads *loads, const struct pof_solved *solved, size_t at,
                      const struct pof_record_taker *taker, struct pof_err *err)
{
    const struct pof_pf_result *r = &solved->result;
    const struct pof_branch *b = &loads->grid->branch[at / r->phases];
    struct pof_state s = {.element = POF_ELEMENT_BRANCH,
                          .name = b->name,
                          .start = loads->start[solved->i],
                          .phase = (int)(at % r->phases),
                          .p_w = r->p_from_w[at],
                          .q_var = r->q_from_var[at],
                          .p_to_w = r->p_to_w[at],
                          .q_to_var = r->q_to_var[at],
                          .i_a = fmax(r->i_from_a[at], r->i_to_a[at]),
                          .loading_pct = r->loading[at] * 100};
    POF_SET(&s, state, p_w);
    POF_SET(&s, state, q_var);
    POF_SET(&s, state, p_to_w);
    POF_SET(&s, state, q_to_var);
    POF_SET(&s, state, i_a);
    if (r->phases > 1) {
        POF_SET(&s, state, phase);
    }
    if (b->rating_va > 0) {
        POF_SET(&s, state, loading_pct);
    }
    if (solved->taps && b->tap) {
        s.tap_pos = solved->taps->pos[at / r->phases];
        POF_SET(&s, state, tap_pos);
    }
    return taker->take(taker->ctx, POF_state, &s, err);
}

int pof_states_make(const struct pof_loads *loads, const struct pof_solved *solved,
                    const struct pof_record_taker *taker, struct pof_err *err)
{
    size_t nodes = (size_t)loads->grid->nodes * solved->result.phases;
    size_t branches = (size_t)loads->grid->branches * solved->result.phases;
    int rc = 0;
    for (size_t i = 0; i < nodes && rc == 0; i++) {
        rc = put_node(loads, solved, i, taker, err);
    }
    for (size_t k = 0; k < branches && rc == 0; k++) {
        rc = put_branch(loads, solved, k, taker, err);
    }
    return rc;
}
