/* SPDX-License-Identifier: Apache-2.0 */
/* Estimates that an iteration by kept factors from a power flow does not find: current phasors
 * without other readings of the load, precise flows through a short line, and readings far from
 * anything that can be. */
#include "grid/build.h"
#include "grid/estimate.h"
#include "tap.h"

#include <complex.h>
#include <math.h>
#include <string.h>

typedef double complex cplx;

static uint32_t add_node(struct pof_build *b, const char *name, bool zero_injection)
{
    struct pof_err err;
    struct pof_node node = pof_node_default(pof_text(name), 10000);
    node.kind = b->grid->nodes == 0 ? POF_NODE_SLACK : POF_NODE_PQ;
    node.zero_injection = zero_injection;
    ok(pof_build_node(b, &node, &err) == 0, "node %s", name);
    return b->grid->nodes - 1;
}

static void add_branch(struct pof_build *b, const char *name, uint32_t from, double r, double x)
{
    struct pof_err err;
    struct pof_branch line = {.name = pof_text(name), .from = from, .to = from + 1, .r = r, .x = x,
                              .ratio = 1, .closed = true, .kind = POF_BRANCH_LINE};
    if (r == 0) {
        line.kind = POF_BRANCH_SWITCH;
        line.x = POF_SWITCH_X_PER_VA * b->grid->base_va;
    }
    ok(pof_build_branch(b, &line, &err) == 0, "branch %s", name);
}

static struct pof_se *estimate(const struct pof_grid *g, const struct pof_observation *o, size_t n,
                               struct pof_se_result *r)
{
    struct pof_err err = {0};
    struct pof_se *se = NULL;
    enum pof_se_status status = POF_SE_DIVERGED;
    int rc = pof_se_new(&se, g, NULL, &err);
    rc = rc ? rc : pof_se_solve(se, o, n, &status, &err);
    pof_se_result(se, r);
    ok(rc == 0 && status == POF_SE_CONVERGED, "converges: %s%s", err.text, r->detail);
    return se;
}

/* 10 A at 0.5 rad into the far end of a line, and the voltage at the near one: two equations for two
 * unknowns. At the start no current flows, and its angle is that of nothing. */
static void test_phasor(void)
{
    struct pof_grid g = {.base_va = 1e6, .f_hz = 50};
    struct pof_build b = {.grid = &g};
    struct pof_se_result r;
    add_node(&b, "source", false);
    add_node(&b, "load", false);
    add_branch(&b, "line", 0, 0.03, 0.02);
    g.branch[0].b = 0.0314;
    const struct pof_observation o[] = {
        {.quantity = POF_QUANTITY_V, .value = 10000, .sigma = 200},
        {.quantity = POF_QUANTITY_ANGLE, .value = 0, .sigma = 1},
        {.branch = true, .to = true, .quantity = POF_QUANTITY_I, .value = 10, .sigma = 5},
        {.branch = true, .to = true, .quantity = POF_QUANTITY_I_ANGLE, .value = 90 / acos(-1), .sigma = 5}};
    struct pof_se *se = estimate(&g, o, 4, &r);
    cplx i = 10 / (1e6 / (sqrt(3) * 10000)) * cexp(0.5 * I), y = 1 / (0.03 + 0.02 * I);
    cplx v = (i + y) / (y + 0.0157 * I);
    ok(r.objective < 1e-16, "all readings are met, J = %g", r.objective);
    is_near(r.v_pu[1], cabs(v), 1e-9, "voltage at the load");
    is_near(r.angle[1], carg(v), 1e-9, "and its angle");
    pof_se_free(se);
    pof_grid_release(&g);
}

/* 1.8 kW through a line of 22 milliohm at 10 kV, read within 70 W at both ends: losses of the gain
 * matrix are as large as what the voltage's reading adds to it. */
static void test_stiff(void)
{
    struct pof_grid g = {.base_va = 1e6, .f_hz = 50};
    struct pof_build b = {.grid = &g};
    struct pof_se_result r;
    struct pof_observation o[8] = {{.quantity = POF_QUANTITY_V, .value = 10000, .sigma = 100},
                                   {.quantity = POF_QUANTITY_ANGLE, .value = 0, .sigma = 0.6}};
    add_node(&b, "source", false);
    add_node(&b, "end", true);
    uint32_t shunt = add_node(&b, "shunt", true);
    g.node[shunt].g_w = 1800;
    g.node[shunt].b_var = -180;
    add_branch(&b, "line", 0, 1e-4, 2e-4);
    add_branch(&b, "switch", 1, 0, 0);
    for (uint32_t k = 0; k < 6; k++) {
        double w = k % 2 ? 180 : 1800;
        o[k + 2] = (struct pof_observation){.branch = true, .element = k / 4, .to = k / 2 == 1, .sigma = 71,
                                            .quantity = k % 2 ? POF_QUANTITY_Q : POF_QUANTITY_P,
                                            .value = k / 2 == 1 ? -w : w};
    }
    struct pof_se *se = estimate(&g, o, 8, &r);
    is_near(r.p_from_w[0], 1800, 1e-2, "what is read flows");
    is_near(r.v_pu[0], 1, 1e-6, "at the voltage that is read");
    pof_se_free(se);
    pof_grid_release(&g);
}

/* Slope of the weighted squares of one bus: |V| read, and what its shunt draws. */
static double slope(double u, const struct pof_observation *o, double g, double b)
{
    return 2 * (u - o[0].value / 1e4) / pow(o[0].sigma / 1e4, 2) +
           4 * g * u * (g * u * u - o[2].value) / pow(o[2].sigma, 2) +
           4 * b * u * (b * u * u + o[3].value) / pow(o[3].sigma, 2);
}

/* A shunt that cannot draw so little at that voltage: the optimum is thousands of deviations from
 * both readings, where derivatives turn faster than residuals fall. */
static void test_far_off(void)
{
    struct pof_grid g = {.base_va = 1e6, .f_hz = 50};
    struct pof_build b = {.grid = &g};
    struct pof_se_result r;
    const struct pof_observation o[] = {
        {.quantity = POF_QUANTITY_V, .value = 6062.19, .sigma = 0.1},
        {.quantity = POF_QUANTITY_ANGLE, .value = 0, .sigma = 1},
        {.branch = true, .quantity = POF_QUANTITY_P, .value = 6924, .sigma = 12.2},
        {.branch = true, .quantity = POF_QUANTITY_Q, .value = -69280, .sigma = 12.2}};
    add_node(&b, "source", false);
    uint32_t shunt = add_node(&b, "shunt", true);
    g.node[shunt].g_w = 62831.85;
    g.node[shunt].b_var = 628318.5;
    add_branch(&b, "switch", 0, 0, 0);
    struct pof_se *se = estimate(&g, o, 4, &r);
    double low = 0.3, high = 0.61;
    for (int k = 0; k < 100; k++) {
        double u = (low + high) / 2;
        *(slope(u, o, 62831.85, 628318.5) < 0 ? &low : &high) = u;
    }
    is_near(r.v_pu[0], low, 1e-8, "the optimum by bisection");
    pof_se_free(se);
    pof_grid_release(&g);
}

/* A feeder whose second node's meters show 0 within `zero` W (0: exactly), the others 100 kW. */
static void feeder(struct pof_grid *g, struct pof_observation o[10], double zero)
{
    struct pof_build b = {.grid = g};
    static const char *const name[] = {"source", "zero", "load", "end"};
    for (uint32_t k = 0; k < 4 && g->nodes < 4; k++) {
        add_node(&b, name[k], false);
        if (k > 0) {
            add_branch(&b, name[k], k - 1, 1e-3, 2e-3);
        }
    }
    o[0] = (struct pof_observation){.quantity = POF_QUANTITY_V, .value = 10000, .sigma = 100};
    o[1] = (struct pof_observation){.element = 3, .quantity = POF_QUANTITY_V, .value = 9990, .sigma = 100};
    for (uint32_t k = 0; k < 8; k++) {
        uint32_t node = k / 2;
        double w = k % 2 ? 2e4 : 1e5;
        o[k + 2] = (struct pof_observation){.element = node,
                                            .quantity = k % 2 ? POF_QUANTITY_Q : POF_QUANTITY_P,
                                            .value = node == 0 ? -2.1 * w : node == 1 ? 0 : w,
                                            .sigma = node == 1 ? zero : 1000};
    }
}

/* 1 W is as good as exact beside 1 kW: the same state, and the same deviations. */
static void test_zero_watts(void)
{
    struct pof_grid g = {.base_va = 1e6, .f_hz = 50};
    struct pof_err err;
    struct pof_se_result r[2];
    struct pof_se_check check[2];
    struct pof_se *se[2];
    struct pof_observation o[2][10];
    for (int k = 0; k < 2; k++) {
        feeder(&g, o[k], k ? 1 : 0);
        se[k] = estimate(&g, o[k], 10, &r[k]);
        ok(pof_se_check(se[k], &check[k], &err) == 0, "checks");
    }
    ok(r[1].iterations < 10, "no creeping: %d iterations", r[1].iterations);
    for (uint32_t n = 0; n < 4; n++) {
        is_near(r[1].v_pu[n] / r[0].v_pu[n], 1, 1e-7, "v");
        is_near(check[1].sd_v_pu[n] / check[0].sd_v_pu[n], 1, 1e-4, "deviation of v");
    }
    for (uint32_t k = 0; k < 10; k++) {
        bool zero = o[1][k].element == 1;
        is_near(zero ? 0 : check[1].normalised[k], zero ? 0 : check[0].normalised[k], 1e-4, "residual");
        ok(!zero || check[1].critical[k], "what is as good as exact cannot be tested");
    }
    pof_se_free(se[0]);
    pof_se_free(se[1]);
    pof_grid_release(&g);
}

/* Instants of other precisions between leave nothing behind: a zero that is read better, and back. */
static void test_between(void)
{
    struct pof_grid g = {.base_va = 1e6, .f_hz = 50};
    struct pof_err err;
    struct pof_se_result r[2];
    struct pof_observation o[3][10];
    enum pof_se_status status;
    double v[2][4];
    feeder(&g, o[0], 1000);
    feeder(&g, o[1], 1);
    feeder(&g, o[2], 1000);
    o[2][8].value += 5e4;
    for (int with = 0; with < 2; with++) {
        struct pof_se *se = estimate(&g, o[0], 10, &r[with]);
        for (int k = with ? 1 : 2; k < 3; k++) {
            ok(pof_se_solve(se, o[k], 10, &status, &err) == 0 && status == POF_SE_CONVERGED, "converges");
        }
        pof_se_result(se, &r[with]);
        memcpy(v[with], r[with].v_pu, sizeof v[with]);
        pof_se_free(se);
    }
    ok(memcmp(v[0], v[1], sizeof v[0]) == 0, "the same bits");
    pof_grid_release(&g);
}

int main(void)
{
    test_phasor();
    test_stiff();
    test_far_off();
    test_zero_watts();
    test_between();
    return done();
}
