/* SPDX-License-Identifier: Apache-2.0 */
/* Switched shunts that hold voltages, held against all combinations of their steps; as documents and
 * PSS/E records have them. */
#include "grid/build.h"
#include "grid/format.h"
#include "grid/shunt_control.h"
#include "tap.h"

#define LINES                                                                                       \
    "\"branches\":["                                                                                \
    "{\"name\":\"ab\",\"kind\":\"line\",\"from\":\"a\",\"to\":\"b\",\"r_ohm\":2,\"x_ohm\":9},"      \
    "{\"name\":\"bc\",\"kind\":\"line\",\"from\":\"b\",\"to\":\"c\",\"r_ohm\":2,\"x_ohm\":8},"      \
    "{\"name\":\"ac\",\"kind\":\"line\",\"from\":\"a\",\"to\":\"c\",\"r_ohm\":3,\"x_ohm\":14}]"

static const char nodes[] =
    "{\"schema\":\"pof.grid/1\",\"base_va\":1e6,\"nodes\":["
    "{\"name\":\"a\",\"base_v\":20000,\"kind\":\"slack\",\"v_set_pu\":1.02},"
    "{\"name\":\"b\",\"base_v\":20000,\"p_w\":3e6,\"q_var\":2e6,\"b_var\":-100000},"
    "{\"name\":\"c\",\"base_v\":20000,\"p_w\":2e6,\"q_var\":1e6}]," LINES ",\"shunts\":[%s]}";

static const char in_steps[] =
    "{\"node\":\"b\",\"b_var\":-100000,\"v_low_pu\":0.985,\"v_high_pu\":0.992,"
    "\"blocks\":[{\"steps\":2,\"b_var\":-100000},{\"steps\":4,\"b_var\":250000},{\"steps\":3,\"b_var\":400000}]},"
    "{\"node\":\"c\",\"v_low_pu\":0.985,\"v_high_pu\":0.99,\"blocks\":[{\"steps\":9,\"b_var\":200000}]}";
static const char stepless[] =
    "{\"node\":\"b\",\"b_var\":-100000,\"stepless\":true,\"held\":\"c\",\"v_low_pu\":0.985,\"v_high_pu\":1.01,"
    "\"blocks\":[{\"steps\":2,\"b_var\":-100000},{\"steps\":4,\"b_var\":950000}]},"
    "{\"node\":\"c\",\"stepless\":true,\"held\":\"b\",\"v_low_pu\":0.997,\"v_high_pu\":0.997,"
    "\"blocks\":[{\"steps\":9,\"b_var\":300000}]}";
static const char too_few[] =
    "{\"node\":\"b\",\"b_var\":-100000,\"v_low_pu\":1.05,\"v_high_pu\":1.06,"
    "\"blocks\":[{\"steps\":2,\"b_var\":-100000},{\"steps\":1,\"b_var\":250000}]},"
    "{\"node\":\"c\",\"v_low_pu\":0.97,\"v_high_pu\":0.97,\"blocks\":[{\"steps\":9,\"b_var\":200000}]}";

static bool parse(struct pof_grid *g, const char *banks)
{
    char text[4096];
    struct pof_err err = {0};
    int n = snprintf(text, sizeof text, nodes, banks);
    return ok(pof_grid_parse(g, text, (size_t)n, "x", &err) == 0, "a grid%s", err.text);
}

/* Voltages with these banks, by a power flow that knows nothing of control. */
static void flow(const struct pof_grid *grid, const double *b_var, double *v)
{
    struct pof_grid g = *grid;
    struct pof_node node[3];
    struct pof_pf *pf = NULL;
    struct pof_pf_result r;
    struct pof_err err;
    enum pof_pf_status status = POF_PF_DIVERGED;
    memcpy(node, grid->node, sizeof node);
    g.node = node;
    for (uint32_t k = 0; k < g.banks; k++) {
        node[g.bank[k].node].b_var += b_var[k] - g.bank[k].b_var;
    }
    if (pof_pf_new(&pf, &g, NULL, &err) == 0 && pof_pf_solve(pf, NULL, NULL, true, &status, &err) == 0) {
        pof_pf_result(pf, &r);
        memcpy(v, r.v_pu, 3 * sizeof *v);
    }
    pof_pf_free(pf);
}

static bool control(const struct pof_grid *g, struct pof_shunt_control **c, struct pof_shunt_report *s)
{
    struct pof_err err = {0};
    struct pof_tap_report t;
    int rc = pof_shunt_control_new(c, g, NULL, POF_TAP_NONE, &err);
    rc = rc ? rc : pof_shunt_control_solve(*c, NULL, NULL, &t, s, &err);
    return ok(rc == 0 && t.status == POF_TAP_SETTLED, "settles after %u power flows%s", t.solves, err.text);
}

/* All levels of the first bank by those of the second: how many combinations fit both bands. */
static void test_steps(void)
{
    struct pof_grid g;
    struct pof_shunt_control *c = NULL;
    struct pof_shunt_report s;
    struct pof_pf_result r;
    static const double level[] = {-200e3, -100e3, 0, 250e3, 500e3, 750e3, 1000e3, 1400e3, 1800e3, 2200e3};
    unsigned fit = 0, found = 0;
    double v[3];
    if (!parse(&g, in_steps) || !control(&g, &c, &s)) {
        return;
    }
    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < 10; k++) {
            const double b[] = {level[i], k * 200e3};
            flow(&g, b, v);
            bool good = v[1] >= 0.985 && v[1] <= 0.992 && v[2] >= 0.985 && v[2] <= 0.99;
            fit += good;
            found += good && fabs(b[0] - s.b_var[0]) < 1e-6 && fabs(b[1] - s.b_var[1]) < 1e-6;
        }
    }
    ok(fit > 0 && fit < 20 && found == 1, "%g and %g Mvar are one of the %u of 100 combinations that fit",
       s.b_var[0] / 1e6, s.b_var[1] / 1e6, fit);
    is_int(s.outside, 0, "none is outside of its band");
    flow(&g, s.b_var, v);
    pof_pf_result(pof_shunt_control_pf(c), &r);
    ok(fabs(v[1] - r.v_pu[1]) < 1e-9 && fabs(v[2] - r.v_pu[2]) < 1e-9, "voltages are those of these banks");
    pof_shunt_control_free(c);
    pof_grid_release(&g);
}

static void test_stepless(void)
{
    struct pof_grid g;
    struct pof_shunt_control *c = NULL;
    struct pof_shunt_report s;
    double v[3];
    if (!parse(&g, stepless) || !control(&g, &c, &s)) {
        return;
    }
    flow(&g, s.b_var, v);
    is_near(v[1], 0.997, 1e-6, "a target is met, from another node");
    ok(v[2] > 0.985 - 1e-6 && v[2] < 1.01 + 1e-6, "and a band: %.6f", v[2]);
    ok(s.outside == 0 && s.b_var[0] < 3.8e6 && s.b_var[1] > 0 && s.b_var[1] < 2.7e6, "%g and %g Mvar, not at an end",
       s.b_var[0] / 1e6, s.b_var[1] / 1e6);
    pof_shunt_control_free(c);
    pof_grid_release(&g);
}

/* The first has too few steps; the other's band has no width, so it stays at the nearer of two. */
static void test_ends(void)
{
    struct pof_grid g;
    struct pof_shunt_control *c = NULL;
    struct pof_shunt_report s;
    double v[3], other[3], best = 1;
    if (!parse(&g, too_few) || !control(&g, &c, &s)) {
        return;
    }
    is_near(s.b_var[0], 250e3, 1e-6, "a bank that cannot reach its band is at its end");
    is_int(s.outside, 2, "both are said to be outside");
    flow(&g, s.b_var, v);
    for (int k = 0; k < 10; k++) {
        const double b[] = {250e3, k * 200e3};
        flow(&g, b, other);
        best = fmin(best, fabs(other[2] - 0.97));
    }
    is_near(fabs(v[2] - 0.97), best, 1e-9, "a bank whose band is narrower than a step is as near as it can be");
    pof_shunt_control_free(c);
    g.node[1].kind = POF_NODE_PV;
    g.node[1].v_set_pu = 1;
    if (control(&g, &c, &s)) {
        is_near(s.b_var[0], -100e3, 0, "where a generator holds the voltage a bank stays");
    }
    pof_shunt_control_free(c);
    pof_grid_release(&g);
}

static void test_document(void)
{
    struct pof_grid g, again;
    struct pof_err err = {0};
    struct pof_buf one = {0}, two = {0};
    if (!parse(&g, stepless)) {
        return;
    }
    ok(pof_grid_write(&g, &one, &err) == 0 && pof_grid_parse(&again, one.data, one.len, "y", &err) == 0 &&
           pof_grid_write(&again, &two, &err) == 0 && one.len == two.len &&
           memcmp(one.data, two.data, one.len) == 0 && again.banks == 2 && again.bank[1].held == 1,
       "a document comes back the same%s", err.text);
    pof_grid_release(&again);
    pof_buf_release(&one);
    ok(pof_raw_write(&g, &one, NULL, &err) == 0 &&
           pof_raw_read(&again, (struct pof_text){one.data, one.len}, "x.raw", NULL, &err) == 0,
       "and by way of a RAW file%s", err.text);
    ok(again.banks == 2 && again.bank[0].stepless && again.bank[0].held == 2 && again.bank[0].node == 1 &&
           again.bank[0].blocks == 2 && again.bank[0].block[1].steps == 4 &&
           fabs(again.bank[0].block[1].b_var - 950e3) < 1e-6 && again.bank[0].v_low_pu == 0.985 &&
           fabs(again.bank[0].b_var + 100e3) < 1e-6 && fabs(again.node[1].b_var + 100e3) < 1e-6,
       "with all that it says");
    pof_grid_release(&again);
    pof_grid_release(&g);
    pof_buf_release(&one);
    pof_buf_release(&two);
}

static void test_refused(const char *banks, const char *why)
{
    char text[4096];
    struct pof_grid g;
    struct pof_err err = {0};
    int n = snprintf(text, sizeof text, nodes, banks);
    ok(pof_grid_parse(&g, text, (size_t)n, "x", &err) != 0 && strstr(err.text, why), "refused: %s", err.text);
    pof_grid_release(&g);
}

int main(void)
{
    test_steps();
    test_stepless();
    test_ends();
    test_document();
    test_refused("{\"node\":\"b\",\"v_low_pu\":1.1,\"v_high_pu\":1,\"blocks\":[{\"steps\":1,\"b_var\":5}]}", "band");
    test_refused("{\"node\":\"b\",\"v_low_pu\":1,\"v_high_pu\":1,\"blocks\":[]}", "blocks");
    test_refused("{\"node\":\"b\",\"v_low_pu\":1,\"v_high_pu\":1,\"blocks\":[{\"steps\":1.5,\"b_var\":5}]}", "whole");
    test_refused("{\"node\":\"b\",\"v_low_pu\":1,\"v_high_pu\":1,\"blocks\":[{\"steps\":1,\"b_var\":0}]}", "0 var");
    test_refused("{\"node\":\"q\",\"v_low_pu\":1,\"v_high_pu\":1,\"blocks\":[{\"steps\":1,\"b_var\":1}]}", "'q'");
    return done();
}
