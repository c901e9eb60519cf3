/* SPDX-License-Identifier: Apache-2.0 */
/* CGMES models with a solved state: a power flow of what is read must come to that state. */
#include "table.h"

#include "../cim_documents.h"
#include "grid/powerflow.h"

#define DEG (180 / 3.14159265358979323846)

struct model {
    const char *name;
    const char *path[4];
    double dv, da; /* pu, deg: what is allowed */
};

static const struct model models[] = {
    {"MicroGrid BE+NL assembled", {"grids/cgmes/MicroGrid_BC/CGMES_v2.4.15_MicroGridTestConfiguration_BC_Assembled_v2.zip"}, 1e-5, 1e-3},
    {"MicroGrid BE", {"grids/cgmes/MicroGrid_BC/CGMES_v2.4.15_MicroGridTestConfiguration_BC_BE_v2.zip", "grids/cgmes/MicroGrid_BC/CGMES_v2.4.15_MicroGridTestConfiguration_BD_v2.zip"}, 1e-5, 1e-3},
    {"MicroGrid NL", {"grids/cgmes/MicroGrid_BC/CGMES_v2.4.15_MicroGridTestConfiguration_BC_NL_v2.zip", "grids/cgmes/MicroGrid_BC/CGMES_v2.4.15_MicroGridTestConfiguration_BD_v2.zip"}, 1e-5, 1e-3},
    {"MiniGrid", {"grids/cgmes/MiniGrid_BusBranch"}, 1e-5, 1e-3},
    {"CGMES 3 MicroGrid", {"grids/cgmes/CGMES3_MicroGrid"}, 1e-5, 1e-3},
    {"CIGRE MV (NEPLAN)", {"grids/cgmes/cimpy_CIGRE_MV"}, 1e-5, 1e-3},
    {"CIGRE MV without taps (NEPLAN)", {"pyvolt/cigre_mv_notap"}, 1e-5, 1e-3},
    {"CIGRE MV with breakers (PowerFactory)", {"pyvolt/cigre_mv_withbreaker"}, 1e-5, 1e-3},
};

static void run(struct family *f, const struct model *m)
{
    struct documents d = {0};
    struct pof_cim_state s = {0};
    struct pof_grid g = {0};
    struct pof_err err = {0};
    char why[600];
    struct pof_pf *pf = NULL;
    int rc = 0;
    for (size_t i = 0; m->path[i]; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", tap_data(), m->path[i]);
        rc = rc ? rc : documents_add(&d, path, &err);
    }
    struct pof_cim in = {.document = d.item, .documents = d.n, .state = &s};
    rc = rc ? rc : pof_cim_read(&g, &in, &(struct pof_grid_wish){0}, &err);
    struct pof_pf_options o = {.tolerance = 1e-9};
    rc = rc ? rc : pof_pf_new(&pf, &g, &o, &err);
    enum pof_pf_status status = POF_PF_DIVERGED;
    rc = rc ? rc : pof_pf_solve(pf, NULL, NULL, true, &status, &err);
    if (rc || status != POF_PF_CONVERGED) {
        snprintf(why, sizeof why, "%s: %s", rc ? "refused" : "diverged", err.text);
        accept_case(f, m->name, FAILED, why);
    } else {
        struct pof_pf_result r;
        pof_pf_result(pf, &r);
        double dv = 0, da = 0;
        unsigned n = 0;
        for (uint32_t i = 0; i < g.nodes; i++) {
            if (s.v_pu[i] <= 0) continue;
            double a = fabs(remainder((r.angle[i] - s.angle[i]) * DEG, 360)), v = fabs(r.v_pu[i] - s.v_pu[i]);
            if (getenv("SHOW"))
                printf("# %-30s kind %d v %.6f sv %.6f  a %.5f sv %.5f %s\n", g.node[i].name.ptr, g.node[i].kind, r.v_pu[i], s.v_pu[i], r.angle[i]*DEG, s.angle[i]*DEG, v > m->dv || a > m->da ? "***" : "");
            if (v > dv) dv = v;
            if (a > da) da = a;
            n++;
        }
        snprintf(why, sizeof why, "dv %.3g pu, da %.3g deg over %u nodes", dv, da, n);
        printf("# %s: %s\n", m->name, why);
        accept_case(f, m->name, n > 0 && dv <= m->dv && da <= m->da ? PASSED : FAILED, why);
    }
    pof_pf_free(pf);
    pof_cim_state_release(&s);
    pof_grid_release(&g);
    documents_release(&d);
}

int main(int argc, char **argv)
{
    struct family f = {.name = "cgmes"};
    if (!tap_data()) {
        skip("CGMES models", "no shared data");
        return done();
    }
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        if (argc < 2 || strstr(models[i].name, argv[1])) run(&f, &models[i]);
    }
    accept_table(&f, 1);
    return done();
}
