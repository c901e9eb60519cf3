/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate.h"

#include "grid/estimate_eval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int make_arrays(struct pof_se *se, struct pof_err *err)
{
    size_t nodes = (size_t)se->grid->nodes * se->net.phases;
    size_t branches = (size_t)se->grid->branches * se->net.phases;
    int rc = pof_calloc(&se->v, se->net.nodes, sizeof *se->v, err);
    rc = rc ? rc : pof_calloc(&se->a, se->net.nodes, sizeof *se->a, err);
    for (size_t i = 0; rc == 0 && i < (se->options.voltages ? 2 : 4); i++) {
        rc = pof_calloc(&se->node_out[i], nodes, sizeof *se->node_out[i], err);
    }
    for (size_t i = 0; rc == 0 && !se->options.voltages && i < 6; i++) {
        rc = pof_calloc(&se->branch_out[i], branches, sizeof *se->branch_out[i], err);
    }
    rc = rc ? rc : pof_calloc(&se->lanes, 1, sizeof *se->lanes, err);
    return rc ? rc : pof_calloc(&se->unobservable, se->grid->nodes, sizeof *se->unobservable, err);
}

int pof_se_new(struct pof_se **out, const struct pof_grid *grid,
               const struct pof_se_options *options, struct pof_err *err)
{
    struct pof_se *se = NULL;
    *out = NULL;
    int rc = pof_calloc(&se, 1, sizeof *se, err);
    if (rc != 0) {
        return rc;
    }
    se->grid = grid;
    se->options = options ? *options : (struct pof_se_options){0};
    se->status = POF_SE_UNOBSERVABLE;
    rc = pofi_se_topology(se, err);
    rc = rc == 0 ? make_arrays(se, err) : rc;
    if (rc != 0) {
        pof_se_free(se);
        return rc;
    }
    *out = se;
    return 0;
}

void pof_se_free(struct pof_se *se)
{
    if (!se) {
        return;
    }
    if (se->lanes) {
        pofi_se_lanes_free(se->lanes);
    }
    pofi_se_plan_free(se->plan);
    pofi_se_system_free(&se->gain);
    pofi_se_state_free(&se->base);
    pofi_se_state_free(&se->best.state);
    pofi_se_topology_free(se);
    void *owned[] = {se->row, se->last,     se->place,     se->block,      se->h,        se->constant,    se->v,
                     se->a,   se->step, se->probe, se->asked, se->before,     se->base_lambda, se->base_weight, se->lanes,    se->unobservable,
                     se->residual,          se->normalised, se->critical,      se->island,   se->missing};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
    for (size_t i = 0; i < 6; i++) {
        free(i < 4 ? se->node_out[i] : NULL);
        free(i < 4 ? se->sd_node[i] : NULL);
        free(se->branch_out[i]);
        free(i < 5 ? se->sd_branch[i] : NULL);
    }
    free(se);
}

static void clear_results(struct pof_se *se)
{
    for (size_t i = 0; i < (se->options.voltages ? 2 : 4); i++) {
        memset(se->node_out[i], 0, se->grid->nodes * se->net.phases * sizeof *se->node_out[i]);
    }
    for (size_t i = 0; !se->options.voltages && i < 6; i++) {
        memset(se->branch_out[i], 0, se->grid->branches * se->net.phases * sizeof *se->branch_out[i]);
    }
    memset(se->unobservable, 0, se->grid->nodes * sizeof *se->unobservable);
    se->detail[0] = '\0';
    se->iterations = 0;
    se->objective = 0;
    se->checked = false;
    se->best.on = se->best.known = false;
    se->status = POF_SE_DIVERGED;
}

/* What went with another pattern. */
static void forget(struct pof_se *se)
{
    se->observed = false;
    se->base_known = false;
    se->last_rows = 0;
    pofi_se_plan_free(se->plan);
    se->plan = NULL;
    pofi_se_lanes_free(se->lanes);
    pofi_se_system_free(&se->gain);
}

/* Rows of new blocks, or of the same but perhaps of precisions that another pattern suits. */
static void suit(struct pof_se *se, bool same)
{
    if (!same) {
        pofi_se_lengths(se);
    }
    if (pofi_se_stiff(se)) {
        se->base_factored = false;
        pofi_se_plan_free(se->plan);
        se->plan = NULL;
        pofi_se_lanes_free(se->lanes);
        pofi_se_system_free(&se->gain);
    }
}

/* What goes with a new one. */
static int arrange(struct pof_se *se, struct pof_err *err)
{
    int rc = pofi_se_gain_new(se, err);
    size_t size = 2 * (size_t)se->gain.blocks;
    rc = rc ? rc : pof_grow(&se->step, &se->step_cap, size, sizeof *se->step, err);
    rc = rc ? rc : pof_grow(&se->probe, &se->probe_cap, size, sizeof *se->probe, err);
    rc = rc ? rc : pof_grow(&se->asked, &se->asked_cap, size, sizeof *se->asked, err);
    rc = rc ? rc : pof_grow(&se->before, &se->before_cap, se->rows, sizeof *se->before, err);
    rc = rc ? rc : pofi_se_plan_new(se, &se->plan, err);
    return rc ? rc : pofi_se_lanes_new(se->plan, se->lanes, 1, err);
}

/* Rows, and whether they are enough. Memory of that, and of the power flow to start from, is free again
 * when the patterns are made, which only observable sets need. */
static int lay(struct pof_se *se, const struct pof_observation *observations, size_t n,
               bool *observable, struct pof_err *err)
{
    bool same = false;
    se->seen = observations;
    se->n_seen = n;
    int rc = pofi_se_rows(se, &same, err);
    if (rc == 0 && !same) {
        forget(se);
    }
    if (rc == 0) {
        suit(se, same);
    }
    if (rc == 0 && !se->observed) {
        rc = pofi_se_observe(se, &se->observed, err);
    }
    if (rc != 0) {
        forget(se);
    }
    se->remembered = rc == 0;
    *observable = rc == 0 && se->observed;
    return rc;
}

/* Patterns for rows that are laid. */
static int arrange_once(struct pof_se *se, struct pof_err *err)
{
    int rc = se->plan ? 0 : arrange(se, err);
    if (rc != 0) {
        forget(se);
        se->remembered = false;
    }
    return rc;
}

int pofi_se_prepare(struct pof_se *se, const struct pof_observation *observations, size_t n,
                    bool *observable, struct pof_err *err)
{
    int rc = lay(se, observations, n, observable, err);
    return rc || !*observable ? rc : arrange_once(se, err);
}

void pofi_se_currents_wait(struct pof_se *se)
{
    for (size_t i = 0; i < se->rows; i++) {
        se->row[i].active = !se->row[i].removed && se->row[i].quantity != POF_QUANTITY_I;
    }
}

/* Small grids whose readings differ so much in weight that factors of the gain matrix lose the weak
 * ones, or whose residuals are so large that the step control of kept factors sees no progress, get a
 * last attempt by orthogonal transformations, which do not square the condition. */
enum { DENSE_MOST = 160 }; /* state variables: some 10 ms for each step */

static int last_attempt(struct pof_se *se, struct pof_err *err)
{
    if (se->options.dense || pofi_se_states(se) > DENSE_MOST / 2) {
        return 0;
    }
    char why[sizeof se->detail];
    struct se_state gave_up = {0};
    memcpy(why, se->detail, sizeof why);
    int rc = pofi_se_best_begin(se, err);
    rc = rc ? rc : pofi_se_state_new(se, &gave_up, err);
    if (rc == 0) {
        pofi_se_state_copy(se, &gave_up, &se->state);
        pofi_se_currents_wait(se);
        rc = pofi_se_start(se, false, err);
    }
    se->options.dense = true;
    rc = rc ? rc : pofi_se_iterate(se, err);
    se->options.dense = false;
    if (rc == 0 && se->status == POF_SE_DIVERGED) {
        pofi_se_state_copy(se, &se->state, &gave_up);
        memcpy(se->detail, why, sizeof why);
    }
    pofi_se_state_free(&gave_up);
    return rc;
}

int pof_se_solve(struct pof_se *se, const struct pof_observation *observations, size_t n,
                 enum pof_se_status *status, struct pof_err *err)
{
    bool observable = false;
    clear_results(se);
    int rc = lay(se, observations, n, &observable, err);
    if (rc == 0 && !observable) {
        se->status = POF_SE_UNOBSERVABLE;
    }
    rc = rc == 0 && observable && se->base_known ? arrange_once(se, err) : rc;
    bool warm = rc == 0 && observable && pofi_se_warm(se);
    /* a second attempt, from the no-load state, when the first leads nowhere */
    for (int flat = 0; rc == 0 && observable && !warm && flat < 2 && se->status == POF_SE_DIVERGED; flat++) {
        pofi_se_currents_wait(se);
        rc = pofi_se_start(se, flat != 0, err);
        rc = rc == 0 ? arrange_once(se, err) : rc;
        rc = rc == 0 ? pofi_se_iterate(se, err) : rc;
    }
    bool last = rc == 0 && observable && se->status == POF_SE_DIVERGED;
    if (last) {
        rc = last_attempt(se, err);
        rc = rc || se->status != POF_SE_DIVERGED ? rc : pofi_se_best_find(se, err);
    }
    if (rc == 0 && se->status != POF_SE_UNOBSERVABLE) {
        pofi_se_outputs(se); /* diverged: the best state */
    }
    if (rc == 0 && se->status == POF_SE_CONVERGED) {
        se->detail[0] = '\0';
    }
    /* where factors of the gain matrix did not do, later estimates shall not go by them either */
    rc = rc == 0 && !last && !se->base_fixed ? pofi_se_keep_base(se, err) : rc;
    se->base_fixed = se->base_chosen;
    *status = se->status;
    return rc;
}

void pof_se_restart(struct pof_se *se)
{
    se->base_known = se->base_fixed = false;
    se->base_chosen = true;
}

int pof_se_leave_out(struct pof_se *se, size_t i, enum pof_se_status *status, struct pof_err *err)
{
    if (!se->checked || i >= se->n_seen) {
        return pof_fail(err, POF_E_INTERNAL, "only a checked estimate can leave out a reading");
    }
    char name[128];
    bool critical = se->critical[i];
    int iterations = se->iterations;
    clear_results(se);
    se->iterations = iterations;
    for (size_t k = 0; k < se->rows; k++) {
        struct se_row *row = &se->row[k];
        if (row->source == i) {
            pofi_se_part(se, k);
        }
        row->removed = row->removed || row->source == i;
        row->active = !row->removed;
    }
    pofi_se_count(se);
    if (critical) {
        se->status = POF_SE_UNOBSERVABLE;
        snprintf(se->detail, sizeof se->detail, "not observable without %s",
                 pof_observation_name(se->grid, &se->seen[i], name, sizeof name));
    }
    int rc = critical ? 0 : pofi_se_iterate(se, err);
    rc = rc || se->status != POF_SE_DIVERGED ? rc : pofi_se_best_find(se, err);
    if (rc == 0 && se->status != POF_SE_UNOBSERVABLE) {
        pofi_se_outputs(se);
    }
    if (rc == 0 && se->status == POF_SE_CONVERGED) {
        se->detail[0] = '\0';
    }
    *status = se->status;
    return rc;
}

void pof_se_result(const struct pof_se *se, struct pof_se_result *result)
{
    *result = (struct pof_se_result){
        .v_pu = se->node_out[0],
        .angle = se->node_out[1],
        .p_w = se->node_out[2],
        .q_var = se->node_out[3],
        .p_from_w = se->branch_out[0],
        .q_from_var = se->branch_out[1],
        .p_to_w = se->branch_out[2],
        .q_to_var = se->branch_out[3],
        .i_a = se->branch_out[4],
        .loading = se->branch_out[5],
        .unobservable = se->unobservable,
        .islands = se->islands,
        .island = se->island,
        .missing = se->missing,
        .n_missing = se->n_missing,
        .best = se->status == POF_SE_DIVERGED && se->best.known,
        .iterations = se->iterations,
        .objective = se->objective,
        .readings = se->readings,
        .constraints = se->constraints,
        .left_out = se->left_out,
        .dof = se->readings + se->constraints + se->references - se->unknowns,
        .detail = se->detail};
}
