/* SPDX-License-Identifier: Apache-2.0 */
/* State estimation against power flows, against a dense solver, and what it says when readings do
 * not suffice or do not agree. Published cases: grid_estimate_cases.c. */
#include "grid/build.h"
#include "grid/estimate.h"
#include "grid/powerflow.h"
#include "num/rng.h"
#include "tap.h"

#include <stdio.h>

static const double PI = 3.14159265358979323846;

static bool load(struct pof_grid *g, const char *path)
{
    struct pof_err err = {0};
    FILE *f = fopen(path, "r");
    char *text = malloc(1u << 20);
    size_t n = f ? fread(text, 1, (1u << 20) - 1, f) : 0;
    text[n] = '\0';
    int rc = pof_grid_parse(g, text, n, path, &err);
    if (f) {
        fclose(f);
    }
    free(text);
    if (rc) {
        printf("# %s: %s\n", path, err.text);
    }
    return rc == 0;
}

/* Readings of a grid, and the state they were made from. */
struct set {
    struct pof_observation o[4000];
    size_t n;
    struct pof_pf *pf;
    struct pof_pf_result truth;
};

static void see(struct set *s, uint32_t element, enum pof_quantity what, double value, double sigma)
{
    s->o[s->n++] = (struct pof_observation){
        .element = element, .quantity = (uint8_t)what, .value = value, .sigma = sigma};
}

static void see_end(struct set *s, uint32_t branch, bool to, enum pof_quantity what, double value,
                    double sigma)
{
    see(s, branch, what, value, sigma);
    s->o[s->n - 1].branch = true;
    s->o[s->n - 1].to = to;
}

/* A loaded state of a grid, solved far below the tolerances tested. */
static bool solve(struct set *s, const struct pof_grid *g, double load_share)
{
    struct pof_err err = {0};
    struct pof_pf_options options = {.tolerance = 1e-12};
    enum pof_pf_status status = POF_PF_DIVERGED;
    double *p = calloc(g->nodes, sizeof *p);
    double *q = calloc(g->nodes, sizeof *q);
    *s = (struct set){0};
    for (uint32_t i = 0; i < g->nodes; i++) {
        p[i] = load_share * g->node[i].rated_w * (0.5 + 0.1 * (i % 6));
        q[i] = 0.3 * p[i];
    }
    int rc = pof_pf_new(&s->pf, g, &options, &err);
    rc = rc ? rc : pof_pf_solve(s->pf, p, q, true, &status, &err);
    pof_pf_result(s->pf, &s->truth);
    free(q);
    free(p);
    return rc == 0 && status == POF_PF_CONVERGED;
}

/* v everywhere, p and q of every node with something connected, flows of every other branch. */
static void read_all(struct set *s, const struct pof_grid *g)
{
    const struct pof_pf_result *t = &s->truth;
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (t->v_pu[i] <= 0) {
            continue;
        }
        see(s, i, POF_QUANTITY_V, t->v_pu[i] * g->node[i].base_v, 0.004 * g->node[i].base_v);
        if (!g->node[i].zero_injection) {
            see(s, i, POF_QUANTITY_P, t->p_w[i], 0.01 * g->base_va);
            see(s, i, POF_QUANTITY_Q, t->q_var[i], 0.01 * g->base_va);
        }
    }
    for (uint32_t b = 0; b < g->branches; b += 2) {
        if (g->branch[b].closed && t->v_pu[g->branch[b].from] > 0) {
            see_end(s, b, false, POF_QUANTITY_P, t->p_from_w[b], 0.008 * g->base_va);
            see_end(s, b, false, POF_QUANTITY_Q, t->q_from_var[b], 0.008 * g->base_va);
            see_end(s, b, true, POF_QUANTITY_I, t->i_to_a[b], 0.5);
        }
    }
}

/* Errors of a few sigma, from a seed. */
static void disturb(struct set *s, uint64_t seed)
{
    for (size_t i = 0; i < s->n; i++) {
        double sum = -6; /* twelve uniform variates: nearly normal, variance 1 */
        for (uint64_t k = 0; k < 12; k++) {
            sum += ldexp((double)(pof_random(seed, i, k) >> 11), -53);
        }
        s->o[i].value += sum * s->o[i].sigma;
    }
}

static enum pof_se_status estimate(struct pof_se **se, const struct pof_grid *g, const struct set *s,
                                   struct pof_se_result *r, bool dense)
{
    struct pof_err err = {0};
    struct pof_se_options options = {.dense = dense};
    enum pof_se_status status = POF_SE_DIVERGED;
    int rc = pof_se_new(se, g, &options, &err);
    rc = rc ? rc : pof_se_solve(*se, s->o, s->n, &status, &err);
    if (rc) {
        printf("# %s\n", err.text);
        exit(1);
    }
    pof_se_result(*se, r);
    if (r->detail[0]) {
        printf("# %s\n", r->detail);
    }
    return status;
}

static double apart(const struct pof_grid *g, const double *v, const double *a, const double *v2,
                    const double *a2)
{
    double most = 0;
    for (uint32_t i = 0; i < g->nodes; i++) {
        most = fmax(most, fabs(v[i] - v2[i]));
        most = fmax(most, fabs(a[i] - a2[i]));
    }
    return most;
}

static void recovers(const char *path)
{
    struct pof_grid g = {0};
    struct set s;
    struct pof_se *se = NULL;
    struct pof_se_result r;
    if (!ok(load(&g, path) && solve(&s, &g, 0.6), "%s is solved", path)) {
        return;
    }
    read_all(&s, &g);
    enum pof_se_status status = estimate(&se, &g, &s, &r, false);
    double most = apart(&g, r.v_pu, r.angle, s.truth.v_pu, s.truth.angle);
    ok(status == POF_SE_CONVERGED && most <= 1e-8,
       "%s: exact readings give back the power flow, largest difference %.1e p.u. or rad", path, most);
    ok(most <= 1e-10, "%s: even within 1e-10", path);
    double flow = 0;
    for (uint32_t b = 0; b < g.branches; b++) {
        flow = fmax(flow, fabs(r.p_from_w[b] - s.truth.p_from_w[b]));
        flow = fmax(flow, fabs(r.q_to_var[b] - s.truth.q_to_var[b]));
    }
    ok(flow <= 1e-8 * g.base_va, "%s: and its flows, within %.1e of the base", path,
       flow / g.base_va);
    pof_se_free(se);
    pof_pf_free(s.pf);
    pof_grid_release(&g);
}

static void agrees_with_dense(const char *path)
{
    struct pof_grid g = {0};
    struct set s;
    struct pof_se *se = NULL, *dense = NULL;
    struct pof_se_result r, d;
    if (!load(&g, path) || !solve(&s, &g, 0.6)) {
        ok(false, "%s is solved", path);
        return;
    }
    read_all(&s, &g);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct set noisy = s;
        disturb(&noisy, seed);
        enum pof_se_status a = estimate(&se, &g, &noisy, &r, false);
        enum pof_se_status b = estimate(&dense, &g, &noisy, &d, true);
        double most = apart(&g, r.v_pu, r.angle, d.v_pu, d.angle);
        ok(a == POF_SE_CONVERGED && b == POF_SE_CONVERGED && most <= 1e-8 &&
               fabs(r.objective - d.objective) <= 1e-6 * r.objective,
           "%s, noise %d: sparse and dense agree within %.1e, J %.6g and %.6g", path, (int)seed,
           most, r.objective, d.objective);
        pof_se_free(se);
        pof_se_free(dense);
    }
    pof_pf_free(s.pf);
    pof_grid_release(&g);
}

static void order_does_not_matter(void)
{
    struct pof_grid g = {0};
    struct set s;
    struct pof_se *se = NULL, *other = NULL;
    struct pof_se_result r, q;
    struct pof_err err = {0};
    struct pof_se_check check, shuffled;
    enum pof_se_status status;
    ok(load(&g, "samples/cigre-mv.json") && solve(&s, &g, 0.6), "a grid for shuffling");
    read_all(&s, &g);
    disturb(&s, 7);
    estimate(&se, &g, &s, &r, false);
    struct set t = s;
    for (size_t i = t.n; i-- > 1;) {
        size_t k = pof_below(pof_random(3, i, 0), i + 1);
        struct pof_observation o = t.o[i];
        t.o[i] = t.o[k];
        t.o[k] = o;
    }
    /* the second engine has another instant behind it */
    struct set before = s;
    before.n -= 3;
    disturb(&before, 8);
    estimate(&other, &g, &before, &q, false);
    ok(pof_se_solve(other, t.o, t.n, &status, &err) == 0, "solved again");
    pof_se_result(other, &q);
    ok(memcmp(r.v_pu, q.v_pu, g.nodes * sizeof *r.v_pu) == 0 &&
           memcmp(r.angle, q.angle, g.nodes * sizeof *r.angle) == 0 && r.objective == q.objective,
       "shuffled readings, another history: the same bits");
    ok(pof_se_check(se, &check, &err) == 0 && pof_se_check(other, &shuffled, &err) == 0 &&
           check.lnr == shuffled.lnr &&
           memcmp(check.sd_v_pu, shuffled.sd_v_pu, g.nodes * sizeof *check.sd_v_pu) == 0,
       "and the same residuals and deviations");
    pof_se_free(se);
    pof_se_free(other);
    pof_pf_free(s.pf);
    pof_grid_release(&g);
}

/* A slack s, a junction j without load, leaves a and b, and c behind b. */
static void small_grid(struct pof_grid *g)
{
    static const struct {
        const char *name, *from, *to;
    } branches[] = {{"sj", "s", "j"}, {"ja", "j", "a"}, {"jb", "j", "b"}, {"bc", "b", "c"}};
    static const char *const nodes[] = {"s", "j", "a", "b", "c"};
    struct pof_build build = {.grid = g};
    struct pof_err err = {0};
    int rc = 0;
    *g = (struct pof_grid){.base_va = 1e6, .f_hz = 50};
    for (size_t i = 0; i < 5 && rc == 0; i++) {
        struct pof_node node = pof_node_default(pof_text(nodes[i]), 20000);
        node.kind = i == 0 ? POF_NODE_SLACK : POF_NODE_PQ;
        node.zero_injection = i == 1;
        node.rated_w = i > 1 ? 300e3 : 0;
        rc = pof_build_node(&build, &node, &err);
    }
    for (size_t i = 0; i < 4 && rc == 0; i++) {
        struct pof_branch b = {.name = pof_text(branches[i].name), .ratio = 1, .closed = true};
        b.from = pof_names_find(&g->node_names, pof_text(branches[i].from));
        b.to = pof_names_find(&g->node_names, pof_text(branches[i].to));
        b.r = 0.02;
        b.x = 0.03;
        rc = pof_build_branch(&build, &b, &err);
    }
    rc = rc ? rc : pof_build_finish(&build, &err);
    if (rc) {
        printf("# %s\n", err.text);
        exit(1);
    }
}

enum { S, J, A, B, C };
enum { SJ, JA, JB, BC };

static void says_what_is_missing(void)
{
    struct pof_grid g;
    struct set s;
    struct pof_se *se = NULL;
    struct pof_se_result r;
    small_grid(&g);
    solve(&s, &g, 1);
    const struct pof_pf_result *t = &s.truth;
    see(&s, S, POF_QUANTITY_V, t->v_pu[S] * 20000, 20);
    see(&s, A, POF_QUANTITY_P, t->p_w[A], 100);
    see(&s, A, POF_QUANTITY_Q, t->q_var[A], 100);
    see_end(&s, JB, false, POF_QUANTITY_P, t->p_from_w[JB], 100);
    see_end(&s, JB, false, POF_QUANTITY_Q, t->q_from_var[JB], 100);
    ok(estimate(&se, &g, &s, &r, false) == POF_SE_UNOBSERVABLE, "nothing read behind b");
    ok(r.unobservable[C] && !r.unobservable[B] && !r.unobservable[A] && !r.unobservable[S],
       "c alone is unobservable");
    ok(strstr(r.detail, "1 of 5 nodes cannot be observed: c") &&
           strstr(r.detail, "would do: p and q of branch bc"),
       "said by name, with what would join it");
    ok(r.v_pu[A] == 0 && r.v_pu[C] == 0, "no number is given away");
    pof_se_free(se);

    see(&s, C, POF_QUANTITY_P, t->p_w[C], 100);
    ok(estimate(&se, &g, &s, &r, false) == POF_SE_UNOBSERVABLE && r.unobservable[C] &&
           strstr(r.detail, "would do: q of branch bc"),
       "with its p read, only q is asked for");
    pof_se_free(se);

    see(&s, C, POF_QUANTITY_Q, t->q_var[C], 100);
    ok(estimate(&se, &g, &s, &r, false) == POF_SE_CONVERGED && r.dof == 0, "with both, all is known");
    ok(apart(&g, r.v_pu, r.angle, t->v_pu, t->angle) < 1e-9, "and right");
    pof_se_free(se);

    struct set blind = s;
    blind.o[0] = blind.o[--blind.n];
    ok(estimate(&se, &g, &blind, &r, false) == POF_SE_UNOBSERVABLE &&
           strstr(r.detail, "no voltage is read"),
       "without any voltage reading");
    pof_se_free(se);

    blind.n = 0;
    ok(estimate(&se, &g, &blind, &r, false) == POF_SE_UNOBSERVABLE && r.readings == 0,
       "without any reading");
    ok(strstr(r.detail, "branch sj, p and q of branch ja, p and q of branch bc; no voltage"),
       "what would do has seven items: the zero injection saves two");
    pof_se_free(se);

    /* currents have no direction: they do not make c observable */
    blind = s;
    blind.n -= 2;
    see_end(&blind, BC, false, POF_QUANTITY_I, t->i_from_a[BC], 0.1);
    ok(estimate(&se, &g, &blind, &r, false) == POF_SE_UNOBSERVABLE && r.unobservable[C],
       "a current magnitude does not count for observability");
    pof_se_free(se);
    pof_pf_free(s.pf);
    pof_grid_release(&g);
}

static void leaves_dark_nodes_out(void)
{
    struct pof_grid g;
    struct set s;
    struct pof_se *se = NULL;
    struct pof_se_result r;
    small_grid(&g);
    g.branch[BC].closed = false;
    solve(&s, &g, 1);
    read_all(&s, &g);
    see(&s, C, POF_QUANTITY_V, 0, 20);
    see_end(&s, BC, true, POF_QUANTITY_P, 0, 20);
    ok(estimate(&se, &g, &s, &r, false) == POF_SE_CONVERGED && r.v_pu[C] == 0,
       "a node behind an open branch has no voltage");
    is_int(r.left_out, 2, "readings there are counted as left out");
    pof_se_free(se);
    pof_pf_free(s.pf);
    pof_grid_release(&g);
}

static void finds_a_liar(void)
{
    struct pof_grid g;
    struct set s;
    struct pof_se *se = NULL;
    struct pof_se_result r;
    struct pof_se_check c;
    struct pof_err err = {0};
    enum pof_se_status status;
    small_grid(&g);
    solve(&s, &g, 1);
    read_all(&s, &g);
    for (uint32_t b = 0; b < g.branches; b++) {
        see_end(&s, b, true, POF_QUANTITY_P, s.truth.p_to_w[b], 3000);
    }
    disturb(&s, 5);
    size_t liar = s.n - 1;
    s.o[liar].value += 40000;
    ok(estimate(&se, &g, &s, &r, false) == POF_SE_CONVERGED && pof_se_check(se, &c, &err) == 0,
       "a reading is off by 13 sigma: it still converges");
    ok(c.suspect && r.objective > c.chi2_limit && c.lnr_at == liar,
       "chi-square is exceeded (%.1f > %.1f) and the liar has the largest residual (%.1f)",
       r.objective, c.chi2_limit, c.lnr);
    int64_t dof = r.dof;
    ok(pof_se_leave_out(se, liar, &status, &err) == 0 && status == POF_SE_CONVERGED &&
           pof_se_check(se, &c, &err) == 0,
       "without it");
    pof_se_result(se, &r);
    ok(!c.suspect && r.dof == dof - 1 && r.objective < c.chi2_limit, "the rest agrees, J %.1f",
       r.objective);
    pof_se_free(se);
    pof_pf_free(s.pf);
    pof_grid_release(&g);
}

static void critical_readings_stay(void)
{
    struct pof_grid g;
    struct set s;
    struct pof_se *se = NULL;
    struct pof_se_result r;
    struct pof_se_check c;
    struct pof_err err = {0};
    enum pof_se_status status;
    small_grid(&g);
    solve(&s, &g, 1);
    see(&s, S, POF_QUANTITY_V, s.truth.v_pu[S] * 20000, 20);
    for (uint32_t i = A; i <= C; i++) {
        see(&s, i, POF_QUANTITY_P, s.truth.p_w[i], 100);
        see(&s, i, POF_QUANTITY_Q, s.truth.q_var[i], 100);
    }
    estimate(&se, &g, &s, &r, false);
    ok(pof_se_check(se, &c, &err) == 0 && c.lnr == 0 && c.chi2_limit == 0 && !c.suspect,
       "no redundancy: nothing can be tested, and nothing is claimed");
    bool all = true;
    for (size_t i = 0; i < s.n; i++) {
        all = all && c.critical[i] && c.normalised[i] == 0;
    }
    ok(all, "every reading is critical");
    ok(c.sd_v_pu[S] > 0.9e-3 && c.sd_v_pu[S] < 1.1e-3, "the voltage is as good as its reading: %g",
       c.sd_v_pu[S]);
    ok(pof_se_leave_out(se, 1, &status, &err) == 0 && status == POF_SE_UNOBSERVABLE,
       "without one of them it is not observable");
    pof_se_free(se);
    pof_pf_free(s.pf);
    pof_grid_release(&g);
}

static void angles_have_a_frame(void)
{
    struct pof_grid g;
    struct set s;
    struct pof_se *se = NULL;
    struct pof_se_result r;
    small_grid(&g);
    solve(&s, &g, 1);
    read_all(&s, &g);
    double turned = 2.5;
    for (uint32_t i = A; i <= B; i++) {
        double deg = (s.truth.angle[i] + turned) * 180 / PI;
        see(&s, i, POF_QUANTITY_ANGLE, deg > 180 ? deg - 360 : deg, 0.05);
    }
    ok(estimate(&se, &g, &s, &r, false) == POF_SE_CONVERGED, "angles read in a turned frame");
    double most = 0;
    for (uint32_t i = 0; i < g.nodes; i++) {
        most = fmax(most, fabs(remainder(r.angle[i] - s.truth.angle[i] - turned, 2 * PI)));
    }
    ok(most < 1e-9, "all angles are in that frame, within %.1e", most);
    pof_se_free(se);
    pof_pf_free(s.pf);
    pof_grid_release(&g);
}

static void exact_readings_are_held(void)
{
    struct pof_grid g;
    struct set s;
    struct pof_se *se = NULL;
    struct pof_se_result r;
    small_grid(&g);
    solve(&s, &g, 1);
    read_all(&s, &g);
    disturb(&s, 9);
    see(&s, A, POF_QUANTITY_P, s.truth.p_w[A], 0);
    see(&s, J, POF_QUANTITY_P, 0, 0); /* repeats the zero injection */
    ok(estimate(&se, &g, &s, &r, false) == POF_SE_CONVERGED, "exact readings, one of them twice");
    ok(fabs(r.p_w[A] - s.truth.p_w[A]) < 1e-6 && fabs(r.p_w[J]) < 1e-6 && fabs(r.q_var[J]) < 1e-6,
       "are met within 1e-12 p.u.");
    is_int(r.constraints, 4, "and counted");
    pof_se_free(se);
    see(&s, A, POF_QUANTITY_P, s.truth.p_w[A] + 50000, 0);
    ok(estimate(&se, &g, &s, &r, false) == POF_SE_DIVERGED && strstr(r.detail, "contradict"),
       "contradicting exact readings are said to");
    pof_se_free(se);
    pof_pf_free(s.pf);
    pof_grid_release(&g);
}

/* Admittances six orders of magnitude apart next to each other. */
static void switches_do_no_harm(void)
{
    struct pof_grid g;
    struct set s;
    struct pof_se *se = NULL, *dense = NULL;
    struct pof_se_result r, d;
    int most_iterations = 0;
    double most = 0;
    small_grid(&g);
    for (uint32_t b = SJ; b <= JB; b += JB - SJ) {
        g.branch[b].r = 0;
        g.branch[b].x = POF_SWITCH_X_PER_VA * g.base_va;
    }
    solve(&s, &g, 1);
    read_all(&s, &g);
    bool all = true;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct set noisy = s;
        disturb(&noisy, seed);
        all = all && estimate(&se, &g, &noisy, &r, false) == POF_SE_CONVERGED &&
              estimate(&dense, &g, &noisy, &d, true) == POF_SE_CONVERGED;
        most = fmax(most, apart(&g, r.v_pu, r.angle, d.v_pu, d.angle));
        most_iterations = r.iterations > most_iterations ? r.iterations : most_iterations;
        pof_se_free(se);
        pof_se_free(dense);
    }
    ok(all && most < 1e-8, "closed switches: sparse and dense agree within %.1e", most);
    ok(most_iterations <= 10, "in at most %d iterations", most_iterations);
    pof_pf_free(s.pf);
    pof_grid_release(&g);
}

static void refuses_nonsense(void)
{
    struct pof_grid g;
    struct pof_err err = {0};
    small_grid(&g);
    struct pof_observation good = {.quantity = POF_QUANTITY_V, .value = 20000, .sigma = 1};
    struct pof_observation o = good;
    is_int(pof_se_accepts(&g, &o, &err), 0, "a voltage at a node");
    o.sigma = -1;
    is_int(pof_se_accepts(&g, &o, &err), POF_E_RANGE, "sigma below zero");
    o = good;
    o.value = -1;
    is_int(pof_se_accepts(&g, &o, &err), POF_E_PHYSICS, "a negative voltage");
    o = good;
    o.branch = true;
    is_int(pof_se_accepts(&g, &o, &err), POF_E_PHYSICS, "a voltage at a branch");
    o = (struct pof_observation){.quantity = POF_QUANTITY_I, .value = 1, .sigma = 1};
    is_int(pof_se_accepts(&g, &o, &err), POF_E_PHYSICS, "a current at a node");
    o = good;
    o.element = 5;
    is_int(pof_se_accepts(&g, &o, &err), POF_E_REFERENCE, "a node that is not there");
    o = good;
    o.value = INFINITY;
    is_int(pof_se_accepts(&g, &o, &err), POF_E_RANGE, "an infinite value");
    pof_grid_release(&g);
}

int main(void)
{
    recovers("samples/cigre-mv.json");
    recovers("samples/lv-feeder.json");
    agrees_with_dense("samples/cigre-mv.json");
    agrees_with_dense("samples/lv-feeder.json");
    order_does_not_matter();
    says_what_is_missing();
    leaves_dark_nodes_out();
    finds_a_liar();
    critical_readings_stay();
    angles_have_a_frame();
    exact_readings_are_held();
    switches_do_no_harm();
    refuses_nonsense();
    return done();
}
