/* SPDX-License-Identifier: Apache-2.0 */
/* Zero injections hold to 1e-9 p.u. at a busbar beside a branch so stiff that one unit in the last
 * place of a voltage is 1e-10 p.u. of power, however many feeders leave it. */
#include "grid/build.h"
#include "grid/estimate_batch.h"
#include "num/rng.h"
#include "tap.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>

enum { MOST = 40, CASES = 24 };

typedef long double complex cplx;

static const double STIFF = 1.1e-6;

static double draw(uint64_t a, uint64_t b)
{
    return ldexp((double)(pof_random(17, a, b) >> 11), -52) - 1;
}

/* hv == busbar -- one line to each of n loads */
static int make(struct pof_grid *g, uint32_t loads)
{
    struct pof_build build = {.grid = g};
    struct pof_err err = {0};
    static char name[MOST + 2][16];
    int rc = 0;
    *g = (struct pof_grid){.base_va = 1e6, .f_hz = 50};
    for (uint32_t i = 0; i < loads + 2 && rc == 0; i++) {
        snprintf(name[i], sizeof name[i], "n%u", i);
        struct pof_node node = pof_node_default(pof_text(name[i]), 10000);
        node.kind = i == 0 ? POF_NODE_SLACK : POF_NODE_PQ;
        node.zero_injection = i == 1;
        rc = pof_build_node(&build, &node, &err);
        struct pof_branch b = {.name = pof_text(name[i]), .ratio = 1, .closed = true};
        b.kind = POF_BRANCH_LINE;
        b.from = i > 1;
        b.to = i;
        b.r = i == 1 ? STIFF / 20 : 1e-3 + 5e-4 * draw(i, 0);
        b.x = i == 1 ? STIFF : 1e-3 + 5e-4 * draw(i, 1);
        rc = rc || i == 0 ? rc : pof_build_branch(&build, &b, &err);
    }
    return rc ? rc : pof_build_finish(&build, &err);
}

/* What the busbar is off zero by, p.u., in numbers longer than the estimator's. */
static double off(const struct pof_grid *g, const double *v, const double *angle)
{
    cplx sum = 0, at = v[1] * cexpl(I * (long double)angle[1]);
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        uint32_t far = b->from == 1 ? b->to : b->from;
        cplx there = v[far] * cexpl(I * (long double)angle[far]);
        sum += (at - there) / ((long double)b->r + I * (long double)b->x);
    }
    cplx s = at * conjl(sum);
    return (double)fmaxl(fabsl(creall(s)), fabsl(cimagl(s)));
}

static size_t read_all(uint32_t loads, struct pof_observation *o)
{
    size_t n = 0;
    o[n++] = (struct pof_observation){0, POF_QUANTITY_V, false, false, 0, 10300, 10, 0};
    o[n++] = (struct pof_observation){1, POF_QUANTITY_P, true, false, 0, 1e6 * loads, 5e4, 0};
    for (uint32_t i = 2; i < loads + 2; i++) {
        o[n++] = (struct pof_observation){i, POF_QUANTITY_P, false, false, 0, 1e6, 3e5, 0};
        o[n++] = (struct pof_observation){i, POF_QUANTITY_Q, false, false, 0, 3e5, 1e5, 0};
    }
    return n;
}

static void hold(uint32_t loads)
{
    struct pof_grid g = {0};
    struct pof_err err = {0};
    struct pof_se *se = NULL;
    struct pof_se_result r;
    static struct pof_observation o[2 * MOST + 2];
    static double value[CASES * (2 * MOST + 2)], v[CASES * (MOST + 2)], a[CASES * (MOST + 2)];
    enum pof_se_status status = POF_SE_DIVERGED;
    double alone = 0, lanes = 0;
    int rc = make(&g, loads);
    size_t n = read_all(loads, o);
    for (size_t k = 0; k < CASES * n; k++) {
        value[k] = o[k % n].value + o[k % n].sigma * draw(k / n + 7, k % n);
    }
    for (size_t c = 0; c < CASES && rc == 0; c++) {
        for (size_t i = 0; i < n; i++) {
            o[i].value = value[c * n + i];
        }
        rc = pof_se_new(&se, &g, NULL, &err);
        rc = rc ? rc : pof_se_solve(se, o, n, &status, &err);
        rc = rc || status == POF_SE_CONVERGED ? rc : -1;
        if (rc == 0) {
            pof_se_result(se, &r);
            alone = fmax(alone, off(&g, r.v_pu, r.angle));
        }
        if (c + 1 < CASES) {
            pof_se_free(se);
            se = NULL;
        }
    }
    struct pof_se_batch b = {.observation = o, .n = n, .cases = CASES, .value = value, .v_pu = v, .angle = a};
    rc = rc ? rc : pof_se_batch(se, &b, &err);
    for (size_t c = 0; c < CASES; c++) {
        lanes = fmax(lanes, off(&g, v + c * g.nodes, a + c * g.nodes));
    }
    if (!ok(rc == 0 && alone < 1e-9, "%u feeders: alone the busbar is off by %.1e p.u.", loads, alone)) {
        printf("# %s\n", err.text);
    }
    ok(rc == 0 && b.alone == 0 && lanes < 1e-9, "%u feeders: in batches by %.1e p.u.", loads, lanes);
    pof_se_free(se);
    pof_grid_release(&g);
}

int main(void)
{
    hold(5);
    hold(MOST);
    return done();
}
