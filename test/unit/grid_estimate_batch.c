/* SPDX-License-Identifier: Apache-2.0 */
/* Batches against estimates by themselves; three phases against balanced ones; switches without
 * impedance. */
#include "grid/build.h"
#include "grid/estimate_batch.h"
#include "grid/powerflow.h"
#include "num/rng.h"
#include "tap.h"

#include <stdio.h>

enum { CASES = 37, MOST = 600 };

static bool load(struct pof_grid *g, const char *path)
{
    struct pof_err err = {0};
    FILE *f = fopen(path, "r");
    char *text = calloc(1u << 20, 1);
    size_t n = f ? fread(text, 1, (1u << 20) - 1, f) : 0;
    int rc = pof_grid_parse(g, text, n, path, &err);
    if (f) {
        fclose(f);
    }
    free(text);
    return rc == 0;
}

/* Voltages, injections and flows of a power flow at part of what is rated, each in every phase when
 * phases are 3. */
static size_t read_all(const struct pof_grid *g, uint32_t phases, struct pof_observation *o)
{
    struct pof_err err = {0};
    struct pof_pf *pf = NULL;
    struct pof_pf_result t;
    enum pof_pf_status status = POF_PF_DIVERGED;
    const struct pof_pf_options options = {.tolerance = 1e-12, .phases = phases};
    double *p = calloc((size_t)g->nodes * phases, sizeof *p);
    size_t n = 0;
    for (uint32_t k = 0; k < g->nodes * phases; k++) {
        p[k] = 0.3 * g->node[k / phases].rated_w / phases;
    }
    int rc = pof_pf_new(&pf, g, &options, &err);
    rc = rc ? rc : pof_pf_solve(pf, p, NULL, true, &status, &err);
    if (rc || status != POF_PF_CONVERGED) {
        printf("# %s\n", err.text);
        free(p);
        pof_pf_free(pf);
        return 0;
    }
    pof_pf_result(pf, &t);
    for (uint32_t k = 0; k < g->nodes * phases; k++) {
        uint32_t i = k / phases;
        uint8_t f = (uint8_t)(phases == 3 ? k % 3 + 1 : 0);
        double v = t.v_pu[k] * g->node[i].base_v / (phases == 3 ? sqrt(3) : 1);
        if (t.v_pu[k] > 0) {
            o[n++] = (struct pof_observation){i, POF_QUANTITY_V, false, false, f, v, 0.004 * v, 0};
            o[n++] = (struct pof_observation){i,         POF_QUANTITY_P,    false, false, f, t.p_w[k],
                                              g->base_va * 0.01, 0};
            o[n++] = (struct pof_observation){i,           POF_QUANTITY_Q,   false, false, f,
                                              t.q_var[k], g->base_va * 0.01, 0};
        }
    }
    for (uint32_t k = 0; k < g->branches * phases; k++) {
        uint8_t f = (uint8_t)(phases == 3 ? k % 3 + 1 : 0);
        if (g->branch[k / phases].closed) {
            o[n++] = (struct pof_observation){k / phases,    POF_QUANTITY_P,     true, false, f,
                                              t.p_from_w[k], g->base_va * 0.008, 0};
            o[n++] = (struct pof_observation){k / phases,      POF_QUANTITY_Q,     true, false, f,
                                              t.q_from_var[k], g->base_va * 0.008, 0};
        }
    }
    pof_pf_free(pf);
    free(p);
    return n;
}

static double noise(uint64_t c, uint64_t i)
{
    return ldexp((double)(pof_random(3, c, i) >> 11), -52) - 1;
}

struct results {
    double *v, *a, *j;
    int *iterations;
    enum pof_se_status *status;
};

static struct results results_new(size_t nodes)
{
    return (struct results){calloc(CASES * nodes, 8), calloc(CASES * nodes, 8), calloc(CASES, 8),
                            calloc(CASES, sizeof(int)), calloc(CASES, sizeof(enum pof_se_status))};
}

static void results_free(struct results *r)
{
    free(r->v);
    free(r->a);
    free(r->j);
    free(r->iterations);
    free(r->status);
}

static bool same(const struct results *x, const struct results *y, size_t nodes)
{
    return memcmp(x->v, y->v, CASES * nodes * 8) == 0 && memcmp(x->a, y->a, CASES * nodes * 8) == 0 &&
           memcmp(x->j, y->j, CASES * 8) == 0 &&
           memcmp(x->iterations, y->iterations, CASES * sizeof(int)) == 0;
}

static double apart(const struct pof_se_result *r, const struct results *x, size_t c, size_t nodes)
{
    double most = fabs(r->objective / x->j[c] - 1) / 100;
    for (size_t i = 0; i < nodes; i++) {
        most = fmax(most, fabs(r->v_pu[i] - x->v[c * nodes + i]));
        most = fmax(most, fabs(r->angle[i] - x->a[c * nodes + i]));
    }
    return most;
}

static void batch(const char *path, uint32_t phases)
{
    struct pof_grid g = {0};
    struct pof_err err = {0};
    struct pof_se *se = NULL;
    static struct pof_observation o[MOST], one[MOST];
    const struct pof_se_options options = {.phases = phases};
    static const struct pof_branch_phases dyn = {.form = POF_PHASES_WINDINGS, .r0 = 0.01, .x0 = 0.04,
                                                 .from = POF_WINDING_D, .to = POF_WINDING_YN,
                                                 .clock = 5};
    static const struct pof_branch_phases cable = {.form = POF_PHASES_SEQUENCE, .r0 = 0.3, .x0 = 0.2};
    int rc = load(&g, path) ? 0 : -1;
    for (uint32_t b = 0; phases == 3 && b < g.branches; b++) {
        g.branch[b].phases = g.branch[b].kind == POF_BRANCH_TRANSFORMER ? &dyn : &cable;
    }
    size_t n = rc ? 0 : read_all(&g, phases, o), nodes = (size_t)g.nodes * phases;
    rc = rc ? rc : pof_se_new(&se, &g, &options, &err);
    if (!ok(rc == 0 && n > 0, "%s, %u phases: %zu readings", path, phases, n)) {
        printf("# %s\n", err.text);
        return;
    }
    double *value = calloc(CASES * n, sizeof *value);
    for (size_t k = 0; k < CASES * n; k++) {
        value[k] = o[k % n].value + 0.7 * o[k % n].sigma * noise(k / n, k % n);
    }
    struct results r[4];
    bool good = true;
    for (int k = 0; k < 4; k++) {
        r[k] = results_new(nodes);
        struct pof_se_batch b = {.observation = o, .n = n, .cases = CASES, .value = value,
                                 .threads = k == 2 ? 2 : k == 3 ? 3 : 1, .one_lane = k == 1,
                                 .v_pu = r[k].v, .angle = r[k].a, .objective = r[k].j,
                                 .iterations = r[k].iterations, .status = r[k].status};
        good = good && pof_se_batch(se, &b, &err) == 0 && b.alone == 0;
    }
    ok(good, "all cases go by the factors of the base");
    ok(same(&r[0], &r[1], nodes), "one lane gives the bits of four");
    ok(same(&r[0], &r[2], nodes) && same(&r[0], &r[3], nodes), "so do two threads, and three");
    double most = 0;
    for (size_t c = 0; c < CASES; c++) {
        enum pof_se_status status;
        struct pof_se_result x;
        memcpy(one, o, n * sizeof *o);
        for (size_t i = 0; i < n; i++) {
            one[i].value = value[c * n + i];
        }
        good = good && pof_se_solve(se, one, n, &status, &err) == 0 && status == POF_SE_CONVERGED;
        pof_se_result(se, &x);
        most = fmax(most, apart(&x, &r[0], c, nodes));
    }
    ok(good && most < 1e-8, "each as by itself, within %.1e", most);
    struct pof_se_check check;
    rc = pof_se_adopt(se, one, n, r[0].v + 5 * nodes, r[0].a + 5 * nodes, 1, &err);
    ok(rc == 0 && pof_se_check(se, &check, &err) == 0, "a case can be adopted and checked");
    for (int k = 0; k < 4; k++) {
        results_free(&r[k]);
    }
    free(value);
    pof_se_free(se);
    pof_grid_release(&g);
}

/* s -- line -- a = b = c (two ideal switches, and a third one that closes a loop), loads at b, c. */
static void couplers(void)
{
    struct pof_grid g = {.base_va = 1e6, .f_hz = 50};
    struct pof_build build = {.grid = &g};
    struct pof_err err = {0};
    static const char *const names[] = {"s", "a", "b", "c"};
    static const uint32_t ends[][2] = {{0, 1}, {1, 2}, {2, 3}, {1, 3}};
    static const char *const branches[] = {"sa", "ab", "bc", "ac"};
    int rc = 0;
    for (int i = 0; i < 4; i++) {
        struct pof_node node = pof_node_default(pof_text(names[i]), 20000);
        node.kind = i == 0 ? POF_NODE_SLACK : POF_NODE_PQ;
        node.zero_injection = i == 1;
        rc = rc ? rc : pof_build_node(&build, &node, &err);
    }
    for (int i = 0; i < 4; i++) {
        struct pof_branch b = {.name = pof_text(branches[i]), .ratio = 1, .closed = true};
        b.from = ends[i][0];
        b.to = ends[i][1];
        b.kind = i > 0 ? POF_BRANCH_SWITCH : POF_BRANCH_LINE;
        b.r = i > 0 ? 0 : 0.02;
        b.x = i > 0 ? POF_SWITCH_X_PER_VA * g.base_va : 0.03;
        rc = rc ? rc : pof_build_branch(&build, &b, &err);
    }
    rc = rc ? rc : pof_build_finish(&build, &err);
    struct pof_observation o[] = {
        {0, POF_QUANTITY_V, false, false, 0, 20000, 20, 0},      {2, POF_QUANTITY_P, false, false, 0, 100e3, 1e3, 0},
        {2, POF_QUANTITY_Q, false, false, 0, 30e3, 1e3, 0},      {3, POF_QUANTITY_P, false, false, 0, 200e3, 1e3, 0},
        {3, POF_QUANTITY_Q, false, false, 0, 50e3, 1e3, 0},      {1, POF_QUANTITY_P, true, false, 0, 0, 1e3, 0},
        {2, POF_QUANTITY_P, true, true, 0, 0, 1e3, 0}};
    struct pof_se *se = NULL;
    enum pof_se_status status = POF_SE_DIVERGED;
    struct pof_se_result r;
    struct pof_se_check check;
    rc = rc ? rc : pof_se_new(&se, &g, NULL, &err);
    rc = rc ? rc : pof_se_solve(se, o, 5, &status, &err);
    if (!ok(rc == 0 && status == POF_SE_CONVERGED, "a bus of three sections and a loop of switches")) {
        printf("# %s\n", err.text);
        return;
    }
    pof_se_result(se, &r);
    is_int(r.dof, 0, "as many readings as unknowns");
    is_near(r.p_w[2], 100e3, 1e-3, "the load of b");
    is_near(r.p_w[1], 0, 1e-6, "the zero injection of a");
    is_near(r.p_from_w[1], 400e3 / 3, 1e-3, "a to b: a third of c's load goes round by b");
    is_near(r.p_from_w[2], 100e3 / 3, 1e-3, "b to c");
    is_near(r.p_from_w[3], 500e3 / 3, 1e-3, "a to c");
    is_near(r.p_to_w[3], -500e3 / 3, 1e-3, "and its other end");
    rc = pof_se_check(se, &check, &err);
    ok(rc == 0 && fabs(check.sd_p_w[2] / 1e3 - 1) < 1e-5,
       "the load's deviation is its reading's (%.6g W)", check.sd_p_w[2]);
    is_near(check.sd_p_from_w[2], 1e3 * sqrt(2) / 3, 1e-2, "that of the flow from b to c");

    /* readings of couplers count */
    o[5].value = 400e3 / 3 + 300;
    o[6].value = -100e3 / 3 + 300;
    rc = pof_se_solve(se, o, 7, &status, &err);
    pof_se_result(se, &r);
    ok(rc == 0 && status == POF_SE_CONVERGED && r.dof == 2 && r.objective > 0.01 &&
           fabs(r.p_from_w[1] - 400e3 / 3) > 1,
       "flows read at couplers take part: J %.3g, a to b %.6g W", r.objective, r.p_from_w[1]);

    /* c's load unknown: only what stands behind the readings is given */
    rc = pof_se_solve(se, o, 3, &status, &err);
    pof_se_result(se, &r);
    ok(rc == 0 && status == POF_SE_UNOBSERVABLE, "without c's load the bus is not observable");
    pof_se_free(se);
    pof_grid_release(&g);
}

/* Values of instant `draw`, by so many sigmas; 0 and a factor of the load: another operating point. */
static void vary(const struct pof_observation *from, size_t n, uint64_t draw, double sigmas,
                 double load, struct pof_observation *to)
{
    for (size_t i = 0; i < n; i++) {
        bool power = from[i].quantity == POF_QUANTITY_P || from[i].quantity == POF_QUANTITY_Q;
        to[i] = from[i];
        to[i].value = from[i].value * (power ? load : 1) + sigmas * from[i].sigma * noise(draw, i);
    }
}

/* What later estimates of a pattern are, by the base or not: those of a new engine, and the same to
 * the last bit whatever is asked between. */
static void warm(void)
{
    struct pof_grid g = {0};
    struct pof_err err = {0};
    struct pof_se *se[2] = {NULL, NULL}, *fresh = NULL;
    struct pof_se_result r[2], x;
    struct pof_se_check check;
    static struct pof_observation o[MOST], one[MOST];
    enum pof_se_status status = POF_SE_DIVERGED;
    bool good = load(&g, "samples/cigre-mv.json"), bits = true;
    size_t n = good ? read_all(&g, 1, o) : 0;
    double most = 0;
    for (int k = 0; k < 2; k++) {
        good = good && pof_se_new(&se[k], &g, NULL, &err) == 0;
        good = good && pof_se_solve(se[k], o, n, &status, &err) == 0 && status == POF_SE_CONVERGED;
    }
    for (uint64_t c = 0; good && c < 12; c++) {
        vary(o, n, c, c % 4 == 3 ? 40 : 1, c % 3 == 2 ? 4 : 1, one);
        for (int k = 0; k < 2; k++) {
            good = good && pof_se_solve(se[k], one, n, &status, &err) == 0 &&
                   status == POF_SE_CONVERGED;
            pof_se_result(se[k], &r[k]);
        }
        good = good && pof_se_new(&fresh, &g, NULL, &err) == 0 &&
               pof_se_solve(fresh, one, n, &status, &err) == 0 && status == POF_SE_CONVERGED;
        pof_se_result(fresh, &x);
        for (uint32_t i = 0; i < g.nodes; i++) {
            most = fmax(most, fabs(x.v_pu[i] - r[0].v_pu[i]));
            most = fmax(most, fabs(x.angle[i] - r[0].angle[i]));
        }
        most = fmax(most, 1e-2 * fabs(r[0].objective / x.objective - 1));
        bits = bits && memcmp(r[0].v_pu, r[1].v_pu, g.nodes * sizeof *r[0].v_pu) == 0 &&
               memcmp(r[0].angle, r[1].angle, g.nodes * sizeof *r[0].angle) == 0;
        good = good && pof_se_check(se[1], &check, &err) == 0;
        pof_se_free(fresh);
        fresh = NULL;
    }
    ok(good && most < 1e-9, "later instants as by a new engine, within %.1e", most);
    ok(good && bits, "checks between do not change a bit");
    pof_se_free(se[0]);
    pof_se_free(se[1]);
    pof_grid_release(&g);
}

/* Beside lines a million times stiffer than others rounding of voltages alone is more than zero
 * injections are to hold elsewhere; that is no reason to leave the batch. */
static void stiff(void)
{
    enum { NODES = 6 };
    struct pof_grid g = {.base_va = 1e6, .f_hz = 50};
    struct pof_build build = {.grid = &g};
    struct pof_err err = {0};
    static const char *const names[NODES] = {"a", "b", "c", "d", "e", "f"};
    struct pof_observation o[2 * NODES];
    struct pof_se *se = NULL;
    double value[CASES * 2 * NODES];
    size_t n = 0;
    int rc = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        struct pof_node node = pof_node_default(pof_text(names[i]), 20000);
        node.kind = i == 0 ? POF_NODE_SLACK : POF_NODE_PQ;
        node.zero_injection = i > 0 && i < NODES - 1;
        rc = rc ? rc : pof_build_node(&build, &node, &err);
        struct pof_branch b = {.name = pof_text(names[i]), .ratio = 1, .closed = true};
        b.kind = POF_BRANCH_LINE;
        b.from = i - 1;
        b.to = i;
        b.r = i == 1 ? 0.02 : 3e-8;
        b.x = i == 1 ? 0.03 : 2e-8;
        rc = rc || i == 0 ? rc : pof_build_branch(&build, &b, &err);
        o[n++] = (struct pof_observation){i, POF_QUANTITY_V, false, false, 0, 20000, 20, 0};
    }
    o[n++] = (struct pof_observation){NODES - 1, POF_QUANTITY_P, false, false, 0, 800e3, 1e4, 0};
    o[n++] = (struct pof_observation){NODES - 1, POF_QUANTITY_Q, false, false, 0, 200e3, 1e4, 0};
    for (size_t k = 0; k < CASES * n; k++) {
        value[k] = o[k % n].value + o[k % n].sigma * noise(k / n, k % n);
    }
    struct pof_se_batch b = {.observation = o, .n = n, .cases = CASES, .value = value};
    rc = rc ? rc : pof_build_finish(&build, &err);
    rc = rc ? rc : pof_se_new(&se, &g, NULL, &err);
    rc = rc ? rc : pof_se_batch(se, &b, &err);
    if (!ok(rc == 0 && b.alone == 0, "stiff lines do not end a batch (%zu alone)", b.alone)) {
        printf("# %s\n", err.text);
    }
    pof_se_free(se);
    pof_grid_release(&g);
}

/* A balanced state seen by three-phase estimation is the balanced estimate. */
static void one_phase_refused(void)
{
    struct pof_grid g = {0};
    struct pof_err err = {0};
    struct pof_se *se = NULL;
    enum pof_se_status status;
    struct pof_observation o = {.quantity = POF_QUANTITY_V, .phase = 1, .value = 11000, .sigma = 10};
    int rc = load(&g, "samples/cigre-mv.json") ? pof_se_new(&se, &g, NULL, &err) : -1;
    ok(rc == 0 && pof_se_solve(se, &o, 1, &status, &err) == POF_E_PHYSICS &&
           strstr(err.text, "balanced estimation cannot use one phase alone"),
       "balanced estimation refuses a reading of one phase");
    pof_se_free(se);
    pof_grid_release(&g);
}

int main(void)
{
    batch("samples/cigre-mv.json", 1);
    batch("samples/lv-feeder.json", 1);
    batch("samples/lv-feeder.json", 3);
    couplers();
    stiff();
    warm();
    one_phase_refused();
    return done();
}
