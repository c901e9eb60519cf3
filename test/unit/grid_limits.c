/* SPDX-License-Identifier: Apache-2.0 */
/* Reactive limits, generous to narrow. Wherever the procedure of MATPOWER (User's Manual, section 4.6,
 * pf.enforce_q_lims = 1; here a second time, on power flows without limits) ends in a solution, so do
 * we; and ours fits all limits, or says how many generators it keeps at theirs. */
#include "grid/format.h"
#include "grid/powerflow.h"
#include "tap.h"

static bool load(struct pof_grid *g, const char *name)
{
    static char text[4u << 20];
    char path[1024];
    struct pof_err err = {0};
    snprintf(path, sizeof path, "%s/grids/matpower/%s.m", tap_data(), name);
    FILE *f = fopen(path, "r");
    size_t len = f ? fread(text, 1, sizeof text, f) : 0;
    if (f) {
        fclose(f);
    }
    int rc = pof_matpower_read(g, (struct pof_text){text, len}, path, NULL, &err);
    return ok(rc == 0, "%s is read%s", name, err.text);
}

static enum pof_pf_status solve(const struct pof_grid *g, bool limits, struct pof_pf **pf,
                                struct pof_pf_result *r)
{
    struct pof_err err = {0};
    enum pof_pf_status status = POF_PF_DIVERGED;
    const struct pof_pf_options o = {.method = POF_PF_NEWTON, .q_limits = limits};
    if (pof_pf_new(pf, g, &o, &err) || pof_pf_solve(*pf, NULL, NULL, true, &status, &err)) {
        printf("# %s\n", err.text);
        return POF_PF_DIVERGED;
    }
    pof_pf_result(*pf, r);
    return status;
}

/* Generators beyond a limit give that and hold no voltage any more, until none is. */
static bool oracle(const struct pof_grid *grid)
{
    struct pof_grid g = *grid;
    struct pof_pf_result r;
    bool more = true, solved = true;
    g.node = malloc(g.nodes * sizeof *g.node);
    memcpy(g.node, grid->node, g.nodes * sizeof *g.node);
    while (more && solved) {
        struct pof_pf *pf = NULL;
        solved = solve(&g, false, &pf, &r) == POF_PF_CONVERGED;
        more = false;
        for (uint32_t i = 0; solved && i < g.nodes; i++) {
            struct pof_node *n = &g.node[i];
            double made = n->q_var - r.q_var[i], tol = 1e-6 * g.base_va;
            bool over = made > n->q_max_var + tol, under = made < n->q_min_var - tol;
            if (n->kind == POF_NODE_PV && n->has_q_limits && (over || under)) {
                n->kind = POF_NODE_PQ;
                n->q_var -= over ? n->q_max_var : n->q_min_var;
                more = true;
            }
        }
        pof_pf_free(pf);
    }
    free(g.node);
    return solved;
}

/* Generators whose state does not fit: held beyond a limit; at one, but not giving that. *kept: at one
 * that the voltage does not ask for. */
static uint32_t wrong(const struct pof_grid *g, const struct pof_pf_result *r, uint32_t *kept)
{
    uint32_t n = 0;
    *kept = 0;
    for (uint32_t i = 0; i < g->nodes; i++) {
        const struct pof_node *node = &g->node[i];
        double made = node->q_var - r->q_var[i], tol = 1e-6 * g->base_va;
        if (node->kind != POF_NODE_PV || !node->has_q_limits) {
            continue;
        }
        if (r->limit[i] == 0) {
            n += r->v_pu[i] != node->v_set_pu || made > node->q_max_var + tol || made < node->q_min_var - tol;
        } else {
            n += fabs(made - (r->limit[i] > 0 ? node->q_max_var : node->q_min_var)) > tol;
            *kept += node->q_min_var < node->q_max_var &&
                     (r->v_pu[i] - node->v_set_pu) * r->limit[i] > 1e-8;
        }
    }
    return n;
}

/* Their own limits times a factor. */
static bool scale(struct pof_grid *g, double factor)
{
    for (uint32_t i = 0; i < g->nodes; i++) {
        struct pof_node *n = &g->node[i];
        double middle = (n->q_max_var + n->q_min_var) / 2, half = (n->q_max_var - n->q_min_var) / 2;
        n->q_max_var = middle + factor * half;
        n->q_min_var = middle - factor * half;
    }
    return true;
}

/* A third of the generators must give a little less than they do without limits, a third a little
 * more, p.u. */
static bool around(struct pof_grid *g, double by)
{
    struct pof_pf_result r;
    struct pof_pf *pf = NULL;
    bool solved = solve(g, false, &pf, &r) == POF_PF_CONVERGED;
    for (uint32_t i = 0, k = 0; i < g->nodes && solved; i++) {
        struct pof_node *n = &g->node[i];
        if (n->kind == POF_NODE_PV) {
            double q = n->q_var - r.q_var[i];
            n->has_q_limits = true;
            n->q_max_var = q + (k % 3 == 0 ? -0.1 : 1) * by * g->base_va;
            n->q_min_var = q + (k % 3 == 1 ? 0.1 : -1) * by * g->base_va;
            k++;
        }
    }
    pof_pf_free(pf);
    return solved;
}

static void narrow(const char *name, bool (*limit)(struct pof_grid *, double), double by)
{
    struct pof_grid g;
    struct pof_pf_result r;
    struct pof_pf *pf = NULL;
    uint32_t kept = 0, bound = 0;
    if (!load(&g, name)) {
        return;
    }
    ok(limit(&g, by), "limits %s %g", limit == scale ? "times" : "around", by);
    bool theirs = oracle(&g), ours = solve(&g, true, &pf, &r) == POF_PF_CONVERGED;
    ok(ours || !theirs, "%s: %s, MATPOWER's way: %s (%s)", name, ours ? "solved" : "not", theirs ? "solved" : "not", pf ? r.why : "");
    if (ours) {
        uint32_t n = wrong(&g, &r, &kept);
        for (uint32_t i = 0; i < g.nodes; i++) {
            bound += r.limit[i] != 0;
        }
        ok(n == 0 && kept == r.limits_kept, "%u at a limit, %u of them kept there, %u wrong", bound,
           r.limits_kept, n);
    }
    pof_pf_free(pf);
    pof_grid_release(&g);
}

int main(void)
{
    static const char *const names[] = {"case14",  "case30",  "case57",
                                        "case118", "case300", "case_ACTIVSg200"};
    static const double factors[] = {1, 0.5, 0.2, 0.05, 0.01, 0};
    if (!tap_data()) {
        skip("reactive limits", "no shared data");
        return done();
    }
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        for (size_t f = 0; f < sizeof factors / sizeof factors[0]; f++) {
            narrow(names[k], scale, factors[f]);
            narrow(names[k], around, factors[f]);
        }
    }
    narrow("case1354pegase", scale, 0.3);
    return done();
}
