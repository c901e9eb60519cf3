/* SPDX-License-Identifier: Apache-2.0 */
/* CGMES models with a solved state: a power flow of what is read must come to that state. */
#include "table.h"

#include "../cim_documents.h"
#include "grid/powerflow.h"

#define DEG (180 / 3.14159265358979323846)

#define GRIDS "grids/cgmes/"
#define BASE_CASE GRIDS "MicroGrid_BC/CGMES_v2.4.15_MicroGridTestConfiguration_"

/* Taps stand at SvTapStep, shunts at SvShuntCompensatorSections, regulating machines hold their solved
 * voltage, all other powers are those of SSH (without SSH those of SV). Tolerances are what a state of
 * six digits of kV and of degrees allows; larger ones have a reason. */
struct model {
    const char *name;
    const char *path[4];
    double dv, da; /* p.u., degrees */
    const char *text, *instead; /* put right in the documents before they are read */
    const char *reason;
};

static const struct model models[] = {
    {"MicroGrid BE+NL", {BASE_CASE "BC_Assembled_v2.zip"}, 1e-4, 1e-3, NULL, NULL,
     "the two defects below"},
    {"MicroGrid BE", {BASE_CASE "BC_BE_v2.zip", BASE_CASE "BD_v2.zip"}, 1e-4, 2e-3, NULL, NULL,
     "b of BE-TR3_1 has the wrong sign in EQ (CGMES 3 has it right)"},
    {"MicroGrid BE, that sign put right", {BASE_CASE "BC_BE_v2.zip", BASE_CASE "BD_v2.zip"}, 2e-5, 2e-3,
     ">0.0000024375<", ">-2.4375E-06<", "shunt BE_S2 is rounded to 7e-006 S and 0.000346 S (its SvPowerFlow: 6.925e-006, 0.00034626)"},
    {"MicroGrid NL", {BASE_CASE "BC_NL_v2.zip", BASE_CASE "BD_v2.zip"}, 3e-5, 1e-3, NULL, NULL,
     "a shunt of 0.0003125 S (its SvPowerFlow) is 0.000313 in EQ"},
    {"MicroGrid NL, that shunt put right", {BASE_CASE "BC_NL_v2.zip", BASE_CASE "BD_v2.zip"}, 5e-6, 1e-3,
     ">0.000313<", ">.0003125<", NULL},
    {"MiniGrid", {GRIDS "MiniGrid_BusBranch"}, 1e-5, 1e-3, NULL, NULL, NULL},
    {"CGMES 3 MicroGrid", {GRIDS "CGMES3_MicroGrid"}, 5e-3, 0.4, NULL, NULL,
     "the state does not balance: 0.2 MW are lost in a closed breaker, voltages differ across others"},
    {"CIGRE MV", {GRIDS "cimpy_CIGRE_MV"}, 1e-7, 2e-5, NULL, NULL, NULL},
    {"CIGRE MV without taps", {"pyvolt/cigre_mv_notap"}, 1e-6, 2e-4, NULL, NULL, NULL},
    {"CIGRE MV with breakers", {"pyvolt/cigre_mv_withbreaker"}, 1e-5, 2e-4, NULL, NULL, NULL},
};

/* Replaces a text in all documents; what takes its place must have as many bytes or fewer. */
static unsigned put_right(struct documents *d, const char *text, const char *instead)
{
    unsigned n = 0;
    for (size_t i = 0; i < d->n; i++) {
        char *at = (char *)(uintptr_t)d->item[i].text.ptr;
        while ((at = strstr(at, text))) {
            size_t len = strlen(text), new = strlen(instead);
            memmove(at + new, at + len, strlen(at + len) + 1);
            memcpy(at, instead, new);
            d->item[i].text.len -= len - new;
            n++;
        }
    }
    return n;
}

/* Largest deviations from the stored state. */
static unsigned deviations(const struct pof_grid *g, const struct pof_cim_state *s,
                           const struct pof_pf_result *r, double *dv, double *da)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (s->v_pu[i] > 0) {
            *dv = fmax(*dv, fabs(r->v_pu[i] - s->v_pu[i]));
            *da = fmax(*da, fabs(remainder((r->angle[i] - s->angle[i]) * DEG, 360)));
            n++;
        }
    }
    return n;
}

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
    if (m->text && put_right(&d, m->text, m->instead) == 0) {
        rc = pof_fail(&err, POF_E_MISSING, "no '%s' to put right", m->text);
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
        double dv = 0, da = 0;
        pof_pf_result(pf, &r);
        unsigned n = deviations(&g, &s, &r, &dv, &da);
        snprintf(why, sizeof why, "%.2g p.u., %.2g degrees over %u nodes; allowed %.2g, %.2g%s%s", dv, da, n, m->dv, m->da,
                 m->reason ? ": " : "", m->reason ? m->reason : "");
        printf("# %s: %s\n", m->name, why);
        accept_case(f, m->name, n > 0 && dv <= m->dv && da <= m->da ? PASSED : FAILED, why);
    }
    pof_pf_free(pf);
    pof_cim_state_release(&s);
    pof_grid_release(&g);
    documents_release(&d);
}

int main(void)
{
    struct family f = {.name = "cgmes"};
    if (!tap_data()) {
        skip("CGMES models", "no shared data");
        return done();
    }
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        run(&f, &models[i]);
    }
    accept_table(&f, 1);
    return done();
}
