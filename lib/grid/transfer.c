/* SPDX-License-Identifier: Apache-2.0 */
/* Sensitivities of flows, rounded. */
#include "grid/transfer.h"

#include "base/mem.h"
#include "grid/powerflow.h"
#include "grid/sensitivity.h"

#include <math.h>
#include <stdlib.h>

struct pof_transfer {
    uint32_t nodes;
    struct pof_pf *pf;
    struct pof_sens *sens;
    double *by_w, *by_var; /* [nodes] */
};

static int at_own_state(struct pof_transfer *t, struct pof_err *err)
{
    enum pof_pf_status status = POF_PF_DIVERGED;
    struct pof_pf_result r;
    bool regular = false;
    int rc = pof_pf_solve(t->pf, NULL, NULL, true, &status, err);
    if (rc == 0 && status != POF_PF_CONVERGED) {
        return pof_fail(err, POF_E_PHYSICS, "the power flow of the grid's own loads has no solution, so "
                                            "nothing says how flows divide in its loops");
    }
    if (rc == 0) {
        pof_pf_result(t->pf, &r);
        const struct pof_sens_state state = {.v_pu = r.v_pu, .angle = r.angle, .limit = r.limit};
        rc = pof_sens_at(t->sens, &state, &regular, err);
    }
    return rc || regular ? rc : pof_fail(err, POF_E_PHYSICS, "the grid's own loads are at the edge of what it "
                                                             "can carry: flows have no derivatives");
}

int pof_transfer_new(struct pof_transfer **out, const struct pof_grid *grid, struct pof_err *err)
{
    struct pof_transfer *t;
    int rc = pof_calloc(&t, 1, sizeof *t, err);
    if (rc) {
        return rc;
    }
    t->nodes = grid->nodes;
    rc = pof_calloc(&t->by_w, grid->nodes, sizeof *t->by_w, err);
    rc = rc ? rc : pof_calloc(&t->by_var, grid->nodes, sizeof *t->by_var, err);
    rc = rc ? rc : pof_pf_new(&t->pf, grid, NULL, err);
    rc = rc ? rc : pof_sens_new(&t->sens, grid, err);
    rc = rc ? rc : at_own_state(t, err);
    if (rc) {
        pof_transfer_free(t);
        return rc;
    }
    *out = t;
    return 0;
}

int pof_transfer_row(struct pof_transfer *t, uint32_t branch, int32_t *ppm, struct pof_err *err)
{
    const struct pof_watched flow = {.what = POF_WATCH_P, .element = branch};
    int rc = pof_sens_row(t->sens, &flow, t->by_w, t->by_var, err);
    for (uint32_t i = 0; rc == 0 && i < t->nodes; i++) {
        if (!(fabs(t->by_w[i]) <= 1000)) {
            return pof_fail(err, POF_E_RANGE, "1 W at node %u moves the flow of branch %u by %g W", i, branch,
                            t->by_w[i]);
        }
        ppm[i] = (int32_t)lround(t->by_w[i] * POF_TRANSFER_ONE);
    }
    return rc;
}

void pof_transfer_free(struct pof_transfer *t)
{
    if (t) {
        pof_pf_free(t->pf);
        pof_sens_free(t->sens);
        free(t->by_w);
        free(t->by_var);
        free(t);
    }
}
