/* SPDX-License-Identifier: Apache-2.0 */
/* CGMES models with a solved state: a power flow of what is read must come to that state. */
#include "table.h"

#include "../cim_documents.h"
#include "grid/admittance.h"
#include "grid/net.h"
#include "grid/powerflow.h"

#include <complex.h>

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
     "the stored state does not balance at the ends of three transformers, listed below; why, the "
     "documents do not tell (the same kinds of tap changers meet their state in the cases above)"},
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

/* Does what flows from a node into branches, at the stored voltages of their ends, belong to a
 * transformer that is suspected? */
static bool suspected(const struct pof_grid *g, uint32_t node, const struct pof_net *net)
{
    static const char *const names[] = {"BE-TR2_2", "NL_TR2_2", "BE-TR3_1"};
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        for (int i = 0; i < 3; i++) {
            bool here = net->bus_of[b->from] == net->bus_of[node] || net->bus_of[b->to] == net->bus_of[node];
            if (here && strncmp(b->name.ptr, names[i], strlen(names[i])) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* The stored state with the star of a three-winding transformer where its arms balance. */
static double complex *stored(const struct pof_grid *g, const struct pof_cim_state *s)
{
    double complex *v = calloc(g->nodes, sizeof *v);
    for (uint32_t i = 0; i < g->nodes; i++) {
        v[i] = s->v_pu[i] * cexp(I * s->angle[i]);
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        double complex own = 0, others = 0;
        for (uint32_t k = 0; k < g->branches && v[i] == 0; k++) {
            const struct pof_branch *b = &g->branch[k];
            struct pof_pi y = pof_branch_pi(b);
            if (b->closed && b->from == i) {
                own += y.gff + I * y.bff;
                others += (y.gft + I * y.bft) * v[b->to];
            } else if (b->closed && b->to == i) {
                own += y.gtt + I * y.btt;
                others += (y.gtf + I * y.btf) * v[b->from];
            }
        }
        struct pof_shunt shunt = pof_node_shunt(g, i);
        v[i] = v[i] == 0 && own != 0 ? -others / (own + shunt.g + I * shunt.b) : v[i];
    }
    return v;
}

/* Kirchhoff's law at the stored voltages, without any power flow: where it fails, and by how much. */
static void balance(const struct pof_grid *g, const struct pof_cim_state *s)
{
    struct pof_net net;
    struct pof_err err = {0};
    double worst = 0;
    unsigned off = 0;
    if (!ok(pof_net_build(&net, g, 1, &err) == 0, "network%s", err.text)) {
        return;
    }
    double complex *v = stored(g, s), *sum = calloc(g->nodes, sizeof *sum);
    for (uint32_t i = 0; i < g->nodes; i++) {
        const struct pof_node *n = &g->node[i];
        struct pof_shunt y = pof_node_shunt(g, i);
        double u = cabs(v[i]), b = g->base_va;
        sum[net.first_of[net.bus_of[i]]] += u * u * (y.g - I * y.b) + (n->p_w + n->ip_w * u + I * (n->q_var + n->iq_var * u)) / b;
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        if (b->closed && !pof_branch_ideal(g, b)) {
            struct pof_pi y = pof_branch_pi(b);
            struct pof_flow f = pof_pi_flow(&y, cabs(v[b->from]), carg(v[b->from]), cabs(v[b->to]), carg(v[b->to]));
            sum[net.first_of[net.bus_of[b->from]]] += f.p_from + I * f.q_from;
            sum[net.first_of[net.bus_of[b->to]]] += f.p_to + I * f.q_to;
        }
    }
    for (uint32_t b = 0; b < net.buses; b++) {
        uint32_t i = net.first_of[b];
        enum pof_node_kind kind = POF_NODE_PQ;
        for (uint32_t k = 0; k < g->nodes; k++) {
            kind = net.bus_of[k] == b && g->node[k].kind > kind ? g->node[k].kind : kind;
        }
        double p = kind == POF_NODE_SLACK ? 0 : creal(sum[i]) * g->base_va / 1e6;
        double q = kind == POF_NODE_PQ ? cimag(sum[i]) * g->base_va / 1e6 : 0;
        if (suspected(g, i, &net)) {
            off++;
            printf("#   at the stored state %.2f MW and %.2f Mvar are missing at %s\n", p, q, g->node[i].name.ptr);
        } else {
            worst = fmax(worst, fmax(fabs(p), fabs(q)));
        }
    }
    ok(off == 7 && worst < 0.4, "all %u other buses balance within %.2g MW and Mvar: voltages, taps and data of "
                                "BE-TR2_2, NL_TR2_2 and BE-TR3_1 do not belong together", net.buses - off, worst);
    free(v);
    free(sum);
    pof_net_release(&net);
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
        if (m->dv > 1e-3) {
            balance(&g, &s);
        }
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
