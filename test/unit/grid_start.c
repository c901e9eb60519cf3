/* SPDX-License-Identifier: Apache-2.0 */
/* Computations that start from voltages a grid has stored: of a solution they are back there at once, of
 * anything else they end where others do. */
#include "grid/estimate.h"
#include "grid/format.h"
#include "grid/powerflow.h"
#include "tap.h"

static bool load(struct pof_grid *g, const char *name)
{
    static char text[4u << 20];
    char path[1024];
    struct pof_err err = {0};
    snprintf(path, sizeof path, "%s/grids/%s", tap_data(), name);
    FILE *f = fopen(path, "r");
    size_t len = f ? fread(text, 1, sizeof text, f) : 0;
    if (f) {
        fclose(f);
    }
    const struct pof_text t = {text, len};
    int rc = strstr(name, ".m") ? pof_matpower_read(g, t, path, NULL, &err) : pof_raw_read(g, t, path, NULL, &err);
    return ok(rc == 0, "%s is read%s", name, err.text);
}

static struct pof_pf *solve(const struct pof_grid *g, enum pof_pf_start start, uint32_t phases, struct pof_pf_result *r)
{
    struct pof_pf *pf = NULL;
    struct pof_err err = {0};
    enum pof_pf_status status = POF_PF_DIVERGED;
    const struct pof_pf_options o = {.method = POF_PF_NEWTON, .start = start, .phases = phases, .tolerance = 1e-9};
    int rc = pof_pf_new(&pf, g, &o, &err);
    rc = rc ? rc : pof_pf_solve(pf, NULL, NULL, true, &status, &err);
    ok(rc == 0 && status == POF_PF_CONVERGED, "converges%s", err.text);
    pof_pf_result(pf, r);
    return pf;
}

/* What the file has stored is a start; its own solution, stored, is the end. */
static void test_flow(const char *name)
{
    struct pof_grid g;
    struct pof_pf_result flat, stored;
    double v = 0, a = 0;
    if (!load(&g, name)) {
        return;
    }
    struct pof_pf *one = solve(&g, POF_PF_START_FLAT, 1, &flat), *two = solve(&g, POF_PF_START_STORED, 1, &stored);
    for (uint32_t i = 0; i < g.nodes; i++) {
        v = fmax(v, fabs(flat.v_pu[i] - stored.v_pu[i]));
        a = fmax(a, fabs(flat.angle[i] - stored.angle[i]));
    }
    ok(v < 1e-7 && a < 1e-6, "%s: the same voltages, %d steps instead of %d, apart by %.1e",
       name, stored.iterations, flat.iterations, v);
    for (uint32_t i = 0; i < g.nodes; i++) {
        g.node[i].v_start_pu = stored.v_pu[i];
        g.node[i].angle_start = stored.angle[i];
    }
    pof_pf_free(one);
    pof_pf_free(two);
    one = solve(&g, POF_PF_START_STORED, 1, &stored);
    is_int(stored.iterations, 0, "from its own solution no step is taken");
    pof_pf_free(one);
    pof_grid_release(&g);
}

static void test_phases(const char *name)
{
    struct pof_grid g;
    struct pof_pf_result r;
    struct pof_err err = {0};
    char path[256];
    snprintf(path, sizeof path, "samples/%s", name);
    static char text[1u << 20];
    FILE *f = fopen(path, "r");
    size_t len = f ? fread(text, 1, sizeof text, f) : 0;
    if (f) {
        fclose(f);
    }
    if (!ok(pof_grid_parse(&g, text, len, path, &err) == 0, "%s is read%s", name, err.text)) {
        return;
    }
    struct pof_pf *pf = solve(&g, POF_PF_START_FLAT, 3, &r);
    for (uint32_t i = 0; i < g.nodes; i++) {
        g.node[i].v_start_pu = r.v_pu[3 * i];
        g.node[i].angle_start = r.angle[3 * i];
    }
    struct pof_pf_result s;
    struct pof_pf *other = solve(&g, POF_PF_START_STORED, 3, &s);
    double v = 0;
    for (uint32_t i = 0; i < 3 * g.nodes; i++) {
        v = fmax(v, fabs(r.v_pu[i] - s.v_pu[i]));
    }
    ok(v < 1e-7, "three phases: the same voltages, %d steps instead of %d", s.iterations, r.iterations);
    pof_pf_free(other);
    pof_pf_free(pf);
    pof_grid_release(&g);
}

/* Where voltages alone are wanted they and their deviations are what they are beside all the rest. */
static void test_voltages(const struct pof_grid *g, const struct pof_observation *o, size_t n)
{
    struct pof_se *se[2] = {NULL, NULL};
    struct pof_se_result r[2];
    struct pof_se_check c[2];
    struct pof_err err = {0};
    double v = 0, sd = 0;
    for (int k = 0; k < 2; k++) {
        const struct pof_se_options options = {.voltages = k == 1};
        enum pof_se_status status = POF_SE_DIVERGED;
        int rc = pof_se_new(&se[k], g, &options, &err);
        rc = rc ? rc : pof_se_solve(se[k], o, n, &status, &err);
        rc = rc ? rc : pof_se_check(se[k], &c[k], &err);
        if (!ok(rc == 0 && status == POF_SE_CONVERGED, "%s converges and is checked%s", k ? "the state of voltages" : "the state", err.text)) {
            return;
        }
        pof_se_result(se[k], &r[k]);
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        v = fmax(v, fabs(r[0].v_pu[i] - r[1].v_pu[i]) + fabs(r[0].angle[i] - r[1].angle[i]));
        sd = fmax(sd, fabs(c[0].sd_v_pu[i] - c[1].sd_v_pu[i]) / c[0].sd_v_pu[i] +
                          fabs(c[0].sd_angle[i] - c[1].sd_angle[i]));
    }
    ok(v < 1e-8 && sd < 1e-6, "voltages alone are the same to %.1e, their deviations to %.1e", v, sd);
    ok(!r[1].p_w && !r[1].p_from_w && !r[1].loading && !c[1].sd_p_w && !c[1].sd_i_a, "and nothing else is there");
    pof_se_free(se[0]);
    pof_se_free(se[1]);
}

/* Estimates end at one J, wherever they start. */
static void test_estimate(const char *name)
{
    struct pof_grid g;
    struct pof_pf_result flow;
    struct pof_observation *o;
    double j[3] = {0};
    size_t n = 0;
    if (!load(&g, name)) {
        return;
    }
    struct pof_pf *pf = solve(&g, POF_PF_START_FLAT, 1, &flow);
    o = calloc(3 * (size_t)g.nodes, sizeof *o);
    for (uint32_t i = 0; i < g.nodes; i++) {
        double wrong = i % 3 ? 1 : -1;
        o[n++] = (struct pof_observation){.element = i, .quantity = POF_QUANTITY_V, .sigma = 0.004 * g.node[i].base_v,
                                          .value = (flow.v_pu[i] + 0.003 * wrong) * g.node[i].base_v};
        o[n++] = (struct pof_observation){.element = i, .quantity = POF_QUANTITY_P, .sigma = 1e6,
                                          .value = flow.p_w[i] + 5e5 * wrong};
        o[n++] = (struct pof_observation){.element = i, .quantity = POF_QUANTITY_Q, .sigma = 1e6,
                                          .value = flow.q_var[i] - 5e5 * wrong};
        g.node[i].zero_injection = false;
    }
    for (int start = 0; start < 3; start++) {
        const struct pof_se_options options = {.start = (enum pof_se_start)start};
        struct pof_se *se = NULL;
        struct pof_se_result r;
        struct pof_err err = {0};
        enum pof_se_status status = POF_SE_DIVERGED;
        int rc = pof_se_new(&se, &g, &options, &err);
        rc = rc ? rc : pof_se_solve(se, o, n, &status, &err);
        pof_se_result(se, &r);
        ok(rc == 0 && status == POF_SE_CONVERGED, "start %d converges in %d%s", start, r.iterations, err.text);
        j[start] = r.objective;
        pof_se_free(se);
    }
    ok(fabs(j[1] - j[0]) < 1e-8 * j[0] && fabs(j[2] - j[0]) < 1e-8 * j[0], "%s: J %.9g from all", name, j[0]);
    test_voltages(&g, o, n);
    free(o);
    pof_pf_free(pf);
    pof_grid_release(&g);
}

int main(void)
{
    test_phases("lv-4wire.json");
    if (!tap_data()) {
        skip("stored voltages", "no shared data");
        return done();
    }
    test_flow("matpower/case118.m");
    test_flow("matpower/case300.m");
    test_flow("matpower/case1354pegase.m");
    test_flow("psse/powsybl/IEEE_14_bus.raw");
    test_estimate("matpower/case118.m");
    return done();
}
