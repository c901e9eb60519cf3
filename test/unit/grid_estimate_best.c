/* SPDX-License-Identifier: Apache-2.0 */
/* Readings that no state of the grid is near: what is said, and the state that is given. */
#include "grid/build.h"
#include "grid/estimate.h"
#include "tap.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef double complex cplx;

/* source --- r + jx --- load, 10 kV, 1 MVA */
static const double R = 0.03, X = 0.02;

static void two_nodes(struct pof_grid *g)
{
    struct pof_err err;
    *g = (struct pof_grid){.base_va = 1e6, .f_hz = 50};
    struct pof_build b = {.grid = g};
    static const char *const name[] = {"source", "load"};
    for (int i = 0; i < 2; i++) {
        struct pof_node node = pof_node_default(pof_text(name[i]), 10000);
        node.kind = i == 0 ? POF_NODE_SLACK : POF_NODE_PQ;
        ok(pof_build_node(&b, &node, &err) == 0, "node %s", name[i]);
    }
    struct pof_branch line = {.name = pof_text("line"), .from = 0, .to = 1, .r = R, .x = X,
                              .ratio = 1, .closed = true, .kind = POF_BRANCH_LINE};
    ok(pof_build_branch(&b, &line, &err) == 0, "line");
}

/* Sum of squares, exact readings with the smallest sigma, from the definition. */
static double merit(const struct pof_observation *o, cplx v0, cplx v1)
{
    cplx s = v1 * conj((v0 - v1) / (R + X * I)); /* consumption of the load */
    double is[3] = {cabs(v0), creal(s), cimag(s)};
    double unit[3] = {1e4, 1e6, 1e6}, sigma = 1e9, sum = 0;
    for (int i = 0; i < 3; i++) {
        sigma = o[i].sigma > 0 ? fmin(sigma, o[i].sigma / unit[i]) : sigma;
    }
    for (int i = 0; i < 3; i++) {
        sum += pow((o[i].value / unit[i] - is[i]) / (o[i].sigma > 0 ? o[i].sigma / unit[i] : sigma), 2);
    }
    return sum;
}

static void test_too_much(void)
{
    struct pof_grid g;
    struct pof_se *se = NULL;
    struct pof_se_result r;
    struct pof_err err = {0};
    enum pof_se_status status = POF_SE_CONVERGED;
    const struct pof_observation o[] = {
        {.quantity = POF_QUANTITY_V, .value = 10000, .sigma = 50},
        {.element = 1, .quantity = POF_QUANTITY_P, .value = 50e6, .sigma = 0},
        {.element = 1, .quantity = POF_QUANTITY_Q, .value = 0, .sigma = 0}};
    two_nodes(&g);
    ok(pof_se_new(&se, &g, NULL, &err) == 0, "engine");
    ok(pof_se_solve(se, o, 3, &status, &err) == 0 && status == POF_SE_DIVERGED,
       "50 MW where the line carries less than 10 MW: diverged");
    pof_se_result(se, &r);
    ok(r.best && r.v_pu[0] > 0 && r.v_pu[1] > 0, "a state is given all the same");
    double m = merit(o, r.v_pu[0] * cexp(I * r.angle[0]), r.v_pu[1] * cexp(I * r.angle[1]));
    ok(m < merit(o, 1, 1), "nearer to the readings than that without load: %.6g < %.6g", m, merit(o, 1, 1));
    cplx s = r.v_pu[1] * cexp(I * r.angle[1]) *
             conj((r.v_pu[0] * cexp(I * r.angle[0]) - r.v_pu[1] * cexp(I * r.angle[1])) / (R + X * I));
    is_near(r.p_w[1] / 1e6, creal(s), 1e-9, "its powers are those of its voltages");
    double j = pow((1 - r.v_pu[0]) / 0.005, 2);
    is_near(r.objective, j, 1e-6 * (1 + j), "the objective is that of the weighted readings");
    ok(strstr(r.detail, "p of node 'load'") && strstr(r.detail, "at node 'load'"), "said where: %s", r.detail);
    const struct pof_observation good[] = {
        o[0], {.element = 1, .quantity = POF_QUANTITY_P, .value = 2e6, .sigma = 0}, o[2]};
    ok(pof_se_solve(se, good, 3, &status, &err) == 0 && status == POF_SE_CONVERGED, "2 MW converge after it");
    pof_se_result(se, &r);
    ok(!r.best && r.detail[0] == '\0', "and nothing is left of what was said");
    pof_se_free(se);
    pof_grid_release(&g);
}

int main(void)
{
    test_too_much();
    return done();
}
