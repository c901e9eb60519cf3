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
