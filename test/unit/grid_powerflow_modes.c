/* SPDX-License-Identifier: Apache-2.0 */
/* Power flows beyond one plain case: batches, reactive limits, a distributed slack, loads of constant
 * current, joined switches, starts, linear methods, tap changers. Each is held against a property that
 * is computed here from voltages alone. */
#include "grid/admittance.h"
#include "grid/batch.h"
#include "grid/format.h"
#include "tap.h"

static bool load(struct pof_grid *g, const char *path)
{
    static char text[4u << 20];
    char name[1024];
    struct pof_err err = {0};
    snprintf(name, sizeof name, "%s%s%s", path[0] == '@' ? tap_data() : "",
             path[0] == '@' ? "/grids/matpower/" : "", path + (path[0] == '@'));
    FILE *f = fopen(name, "r");
    size_t len = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[len] = '\0';
    if (f) {
        fclose(f);
    }
    int rc = text[0] == '{' ? pof_grid_parse(g, text, len, name, &err)
                            : pof_matpower_read(g, (struct pof_text){text, len}, name, NULL, &err);
    return ok(rc == 0, "%s is read%s", path, err.text);
}

static bool parse(struct pof_grid *g, const char *text)
{
    struct pof_err err = {0};
    return ok(pof_grid_parse(g, text, strlen(text), "x", &err) == 0, "a grid%s", err.text);
}

static struct pof_pf *solve(const struct pof_grid *g, struct pof_pf_options o,
                            struct pof_pf_result *r)
{
    struct pof_pf *pf = NULL;
    struct pof_err err = {0};
    enum pof_pf_status status = POF_PF_DIVERGED;
    o.tolerance = o.tolerance > 0 ? o.tolerance : 1e-10;
    if (pof_pf_new(&pf, g, &o, &err) || pof_pf_solve(pf, NULL, NULL, true, &status, &err)) {
        printf("# %s\n", err.text);
    }
    if (!ok(status == POF_PF_CONVERGED, "it converges")) {
        if (pf) {
            pof_pf_result(pf, r);
            printf("# %g at '%s' after %d: %s\n", r->mismatch_pu, g->node[r->worst_node].name.ptr,
                   r->iterations, r->why);
        }
        pof_pf_free(pf);
        return NULL;
    }
    pof_pf_result(pf, r);
    return pf;
}

/* What each node sends into branches and its shunt, p.u., from voltages alone; closed switches are
 * left out. */
static void sent(const struct pof_grid *g, const struct pof_pf_result *r, double *p, double *q)
{
    for (uint32_t i = 0; i < g->nodes; i++) {
        struct pof_shunt s = pof_node_shunt(g, i);
        p[i] = r->v_pu[i] * r->v_pu[i] * s.g;
        q[i] = -r->v_pu[i] * r->v_pu[i] * s.b;
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        const struct pof_branch *b = &g->branch[k];
        if (!b->closed || b->kind == POF_BRANCH_SWITCH) {
            continue;
        }
        struct pof_pi y = pof_branch_pi(b);
        struct pof_flow f = pof_pi_flow(&y, r->v_pu[b->from], r->angle[b->from], r->v_pu[b->to],
                                        r->angle[b->to]);
        p[b->from] += f.p_from;
        q[b->from] += f.q_from;
        p[b->to] += f.p_to;
        q[b->to] += f.q_to;
    }
}

/* --- batches --- */

struct taken {
    uint32_t next;
    double *v, *a; /* [n * nodes] */
    uint32_t nodes;
    bool in_order;
};

static int take(void *ctx, const struct pof_solved *s, struct pof_err *err)
{
    struct taken *t = ctx;
    (void)err;
    t->in_order &= s->i == t->next++ && s->status == POF_PF_CONVERGED;
    memcpy(t->v + (size_t)s->i * t->nodes, s->result.v_pu, t->nodes * sizeof *t->v);
    memcpy(t->a + (size_t)s->i * t->nodes, s->result.angle, t->nodes * sizeof *t->a);
    return 0;
}

/* Every way to compute scenarios gives the bits of one case after the other. */
static void test_batch(const char *path, bool currents)
{
    enum { N = 21 };
    struct pof_grid g;
    struct pof_err err = {0};
    if (!load(&g, path)) {
        return;
    }
    size_t all = (size_t)N * g.nodes;
    double *p = calloc(all, sizeof *p), *q = calloc(all, sizeof *q);
    double *v = calloc(all, sizeof *v), *a = calloc(all, sizeof *a);
    double *v1 = calloc(all, sizeof *v), *a1 = calloc(all, sizeof *a);
    for (size_t i = 0; i < all; i++) {
        const struct pof_node *n = &g.node[i % g.nodes];
        double share = ((double)((i * 2654435761u) % 1000) - 500) / 1000;
        p[i] = share * (n->p_w != 0 ? n->p_w : n->rated_w);
        q[i] = share * 0.3 * (n->p_w != 0 ? n->p_w : n->rated_w);
    }
    for (uint32_t i = 0; i < g.nodes && currents; i++) {
        g.node[i].ip_w = g.node[i].p_w * 0.4 + g.node[i].rated_w * 0.1;
        g.node[i].iq_var = g.node[i].ip_w * 0.2;
    }
    struct pof_pf *pf = NULL;
    bool fine = pof_pf_new(&pf, &g, NULL, &err) == 0;
    for (uint32_t i = 0; i < N && fine; i++) {
        enum pof_pf_status status;
        struct pof_pf_result r;
        fine = pof_pf_solve(pf, p + (size_t)i * g.nodes, q + (size_t)i * g.nodes, true, &status,
                            &err) == 0 &&
               status == POF_PF_CONVERGED;
        pof_pf_result(pf, &r);
        memcpy(v1 + (size_t)i * g.nodes, r.v_pu, g.nodes * sizeof *v1);
        memcpy(a1 + (size_t)i * g.nodes, r.angle, g.nodes * sizeof *a1);
    }
    ok(fine, "cases one by one");
    for (int k = 0; k < 8; k++) {
        struct taken t = {.v = v, .a = a, .nodes = g.nodes, .in_order = true};
        struct pof_batch b = {.n = N, .p_w = p, .q_var = q, .voltages_only = k & 1,
                              .plain = k & 2, .threads = k & 4 ? 2 : 1};
        struct pof_case_taker taker = {take, &t};
        memset(v, 0, all * sizeof *v);
        int rc = pof_batch_run(&g, NULL, &b, &taker, &err);
        ok(rc == 0 && t.in_order && t.next == N, "a batch of %d in order", N);
        ok(memcmp(v, v1, all * sizeof *v) == 0 && memcmp(a, a1, all * sizeof *a) == 0,
           "the same bits%s%s%s", k & 1 ? ", voltages only" : "", k & 2 ? ", no AVX2" : "",
           k & 4 ? ", two threads" : "");
    }
    pof_pf_free(pf);
    pof_grid_release(&g);
    free(p);
    free(q);
    free(v);
    free(a);
    free(v1);
    free(a1);
}

/* --- reactive limits --- */

/* Limits a little inside of what generators do without any: at a limit a generator gives exactly that
 * and its voltage is on the right side, else it holds its voltage within its limits. */
static void test_limits(const char *path)
{
    struct pof_grid g;
    struct pof_pf_result r;
    if (!load(&g, path)) {
        return;
    }
    struct pof_pf *pf = solve(&g, (struct pof_pf_options){0}, &r);
    uint32_t k = 0;
    for (uint32_t i = 0; pf && i < g.nodes; i++) {
        struct pof_node *n = &g.node[i];
        double q = n->q_var - r.q_var[i];
        if (n->kind == POF_NODE_PV) {
            n->has_q_limits = true;
            n->q_max_var = q + (k % 3 == 0 ? -0.02 : 0.5) * g.base_va;
            n->q_min_var = q + (k % 3 == 1 ? 0.02 : k % 9 == 0 ? -0.02 : -0.5) * g.base_va;
            k++;
        }
    }
    pof_pf_free(pf);
    pf = solve(&g, (struct pof_pf_options){.q_limits = true}, &r);
    uint32_t bound = 0, held = 0, wrong = 0;
    double *p = calloc(g.nodes, sizeof *p), *q = calloc(g.nodes, sizeof *q), worst = 0;
    if (pf) {
        sent(&g, &r, p, q);
    }
    for (uint32_t i = 0; pf && i < g.nodes; i++) {
        const struct pof_node *n = &g.node[i];
        double made = (q[i] + n->q_var / g.base_va) * g.base_va, tol = 1e-6 * g.base_va;
        if (n->kind != POF_NODE_PV) {
            wrong += r.limit[i] != 0;
            continue;
        }
        bool one = n->q_min_var == n->q_max_var;
        bound += r.limit[i] != 0;
        held += r.limit[i] == 0;
        double limit = r.limit[i] > 0 ? n->q_max_var : n->q_min_var;
        bool right = r.limit[i] == 0 ? r.v_pu[i] == n->v_set_pu && made > n->q_min_var - tol &&
                                           made < n->q_max_var + tol
                                     : fabs(made - limit) < tol &&
                                           (one || (r.v_pu[i] - n->v_set_pu) * r.limit[i] < 1e-8);
        wrong += !right;
        worst = fmax(worst, fabs(p[i] + n->p_w / g.base_va));
    }
    ok(wrong == 0 && bound > 0 && held > 0, "%s: %u generators at a limit, %u hold, %u are wrong",
       path, bound, held, wrong);
    is_near(worst, 0, 1e-8, "and generate the active power they were given");
    pof_pf_free(pf);
    free(p);
    free(q);
    pof_grid_release(&g);
}

/* --- distributed slack --- */

static void test_distributed(const char *path)
{
    struct pof_grid g;
    struct pof_pf_result r;
    if (!load(&g, path)) {
        return;
    }
    double all = 0, share = 0, worst = 0;
    for (uint32_t i = 0; i < g.nodes; i++) {
        g.node[i].slack_share = g.node[i].kind == POF_NODE_PQ ? (i % 7 == 0) * 0.5 : 1 + i % 3;
        all += g.node[i].slack_share;
    }
    struct pof_pf *pf = solve(&g, (struct pof_pf_options){.distributed_slack = true}, &r);
    double *p = calloc(g.nodes, sizeof *p), *q = calloc(g.nodes, sizeof *q);
    if (pf) {
        sent(&g, &r, p, q);
    }
    for (uint32_t i = 0; pf && i < g.nodes; i++) {
        double made = p[i] + g.node[i].p_w / g.base_va;
        share = r.slack_p_w / g.base_va * g.node[i].slack_share / all;
        worst = fmax(worst, fabs(made - share));
    }
    is_near(worst, 0, 1e-8, "each node generates its share of what the balance needs, no other any");
    pof_pf_free(pf);
    free(p);
    free(q);
    g.node[1].kind = POF_NODE_SLACK;
    g.node[1].v_set_pu = 1;
    struct pof_err err = {0};
    is_int(pof_pf_new(&pf, &g, &(struct pof_pf_options){.distributed_slack = true}, &err),
           POF_E_TOPOLOGY, "two slack nodes in an island are refused");
    pof_grid_release(&g);
}

/* --- consumption that depends on the voltage, switches --- */

static const char meshed[] =
    "{\"schema\":\"pof.grid/1\",\"base_va\":1e6,\"nodes\":["
    "{\"name\":\"a\",\"base_v\":20000,\"kind\":\"slack\",\"v_set_pu\":1.02},"
    "{\"name\":\"b\",\"base_v\":20000,\"p_w\":4e5,\"q_var\":1e5},"
    "{\"name\":\"c1\",\"base_v\":20000,\"p_w\":3e5},{\"name\":\"c2\",\"base_v\":20000,\"p_w\":5e5},"
    "{\"name\":\"c3\",\"base_v\":20000,\"q_var\":2e5},{\"name\":\"d\",\"base_v\":20000,\"p_w\":2e5}],"
    "\"branches\":["
    "{\"name\":\"ab\",\"kind\":\"line\",\"from\":\"a\",\"to\":\"b\",\"r_ohm\":4,\"x_ohm\":8},"
    "{\"name\":\"bc\",\"kind\":\"line\",\"from\":\"b\",\"to\":\"c1\",\"r_ohm\":3,\"x_ohm\":5},"
    "{\"name\":\"s12\",\"kind\":\"switch\",\"from\":\"c1\",\"to\":\"c2\"},"
    "{\"name\":\"s32\",\"kind\":\"switch\",\"from\":\"c3\",\"to\":\"c2\"},"
    "{\"name\":\"c3d\",\"kind\":\"line\",\"from\":\"c3\",\"to\":\"d\",\"r_ohm\":3,\"x_ohm\":5},"
    "{\"name\":\"ad\",\"kind\":\"line\",\"from\":\"a\",\"to\":\"d\",\"r_ohm\":9,\"x_ohm\":9,"
    "\"closed\":false}]}";

static void check_meshed(const struct pof_grid *g, struct pof_pf_options o)
{
    struct pof_pf_result r;
    struct pof_pf *pf = solve(g, o, &r);
    if (!pf) {
        return;
    }
    double p[6], q[6], need[2] = {0, 0};
    sent(g, &r, p, q);
    double worst = 0;
    for (uint32_t i = 1; i < 6; i++) {
        double wp = (p[i] * g->base_va + g->node[i].p_w + g->node[i].ip_w * r.v_pu[i]) / g->base_va;
        double wq = (q[i] * g->base_va + g->node[i].q_var + g->node[i].iq_var * r.v_pu[i]) / g->base_va;
        bool joined = i >= 2 && i <= 4;
        need[0] += joined ? wp : 0;
        need[1] += joined ? wq : 0;
        worst = fmax(worst, joined ? 0 : fmax(fabs(wp), fabs(wq)));
        is_near(r.p_w[i], g->node[i].p_w + g->node[i].ip_w * r.v_pu[i], 1e-6, "consumption told");
    }
    worst = fmax(worst, fmax(fabs(need[0]), fabs(need[1])));
    is_near(worst, 0, 1e-9, "every bus is balanced");
    ok(r.v_pu[2] == r.v_pu[3] && r.v_pu[3] == r.v_pu[4], "joined nodes have one voltage");
    double into = p[2] * g->base_va + r.p_w[2];
    is_near(r.p_from_w[2], -into, 1e-3, "a switch carries what its side leaves");
    is_near(r.p_from_w[2] + r.p_from_w[3], r.p_w[3] + r.v_pu[3] * r.v_pu[3] * g->node[3].g_w, 1e-3,
            "and both what the middle takes");
    is_near(r.p_to_w[2], -r.p_from_w[2], 0, "without loss");
    pof_pf_free(pf);
}

static void test_consumption(void)
{
    struct pof_grid g;
    if (!parse(&g, meshed)) {
        return;
    }
    const enum pof_pf_method method[] = {POF_PF_SWEEP, POF_PF_NEWTON, POF_PF_CURRENT};
    for (int zip = 0; zip < 2; zip++) {
        for (uint32_t i = 1; i < g.nodes && zip; i++) {
            g.node[i].ip_w = 1e5 * i;
            g.node[i].iq_var = 3e4;
            g.node[i].g_w = 2e4;
            g.node[i].b_var = 1e4;
        }
        for (int m = 0; m < 3; m++) {
            check_meshed(&g, (struct pof_pf_options){.method = method[m]});
        }
        g.branch[5].closed = true;
        for (int start = POF_PF_START_AUTO; start <= POF_PF_START_LINEAR; start++) {
            check_meshed(&g, (struct pof_pf_options){.start = (enum pof_pf_start)start});
        }
        check_meshed(&g, (struct pof_pf_options){.method = POF_PF_CURRENT});
        g.branch[5].closed = false;
    }
    pof_grid_release(&g);
}

/* Consumption as admittances: the answer of the linear method is the power flow of a grid that has
 * shunts instead. */
static void test_linear(void)
{
    struct pof_grid g;
    struct pof_pf_result a, b;
    if (!parse(&g, meshed)) {
        return;
    }
    struct pof_pf *linear = solve(&g, (struct pof_pf_options){.method = POF_PF_LINEAR}, &a);
    for (uint32_t i = 0; i < g.nodes; i++) {
        g.node[i].g_w += g.node[i].p_w;
        g.node[i].b_var -= g.node[i].q_var;
        g.node[i].p_w = g.node[i].q_var = 0;
    }
    struct pof_pf *newton = solve(&g, (struct pof_pf_options){.method = POF_PF_NEWTON}, &b);
    double worst = 0;
    for (uint32_t i = 0; linear && newton && i < g.nodes; i++) {
        worst = fmax(worst, fmax(fabs(a.v_pu[i] - b.v_pu[i]), fabs(a.angle[i] - b.angle[i])));
    }
    is_near(worst, 0, 1e-9, "linear: as with shunts");
    pof_pf_free(linear);
    pof_pf_free(newton);
    g.node[5].kind = POF_NODE_PV;
    struct pof_pf *pf;
    struct pof_err err = {0};
    is_int(pof_pf_new(&pf, &g, &(struct pof_pf_options){.method = POF_PF_LINEAR}, &err),
           POF_E_TOPOLOGY, "a linear method refuses a pv node");
    pof_grid_release(&g);
}

/* --- taps --- */

static const char tapped[] =
    "{\"schema\":\"pof.grid/1\",\"base_va\":1e6,\"nodes\":["
    "{\"name\":\"hv\",\"base_v\":110000,\"kind\":\"slack\",\"v_set_pu\":1.0},"
    "{\"name\":\"mv\",\"base_v\":20000,\"p_w\":8e6,\"q_var\":3e6},"
    "{\"name\":\"lv\",\"base_v\":400,\"p_w\":1e5}],\"branches\":["
    "{\"name\":\"t1\",\"kind\":\"transformer\",\"from\":\"hv\",\"to\":\"mv\",\"sn_va\":2.5e7,"
    "\"uk_pct\":12,\"pk_w\":1e5,\"i0_pct\":0.1,\"p0_w\":1e4},"
    "{\"name\":\"t2\",\"kind\":\"transformer\",\"from\":\"mv\",\"to\":\"lv\",\"sn_va\":4e5,"
    "\"uk_pct\":4,\"pk_w\":4e3,\"i0_pct\":0.2,\"p0_w\":4e2}]}";

static void put_tap(struct pof_grid *g, uint32_t k, struct pof_tap *tap, bool on_to)
{
    *tap = (struct pof_tap){.min = -9, .max = 9, .step_pct = 1.25, .on_to = on_to,
                            .controlled = true, .node = g->branch[k].to,
                            .v_low_pu = 1.0, .v_high_pu = 1.04};
    g->branch[k].tap = tap;
}

/* The position of one transformer that a strategy ought to find: all are tried. */
static int32_t by_hand(struct pof_grid *g, uint32_t k, bool highest)
{
    int32_t best = 100;
    double best_v = highest ? 0 : 9;
    const struct pof_branch kept = g->branch[k];
    for (int32_t pos = kept.tap->min; pos <= kept.tap->max; pos++) {
        struct pof_err err = {0};
        struct pof_pf_result r;
        struct pof_pf *pf = NULL;
        enum pof_pf_status status = POF_PF_DIVERGED;
        bool fine = pof_tap_set(g, k, pos, &err) == 0 && pof_pf_new(&pf, g, NULL, &err) == 0 &&
                    pof_pf_solve(pf, NULL, NULL, true, &status, &err) == 0;
        if (fine && status == POF_PF_CONVERGED) {
            pof_pf_result(pf, &r);
            double v = r.v_pu[kept.tap->node];
            if (v >= kept.tap->v_low_pu && v <= kept.tap->v_high_pu && (v > best_v) == highest) {
                best_v = v;
                best = pos;
            }
        }
        pof_pf_free(pf);
        g->branch[k] = kept;
    }
    return best;
}

static void test_taps(bool on_to)
{
    struct pof_grid g;
    struct pof_tap t1, t2;
    struct pof_err err = {0};
    if (!parse(&g, tapped)) {
        return;
    }
    put_tap(&g, 0, &t1, on_to);
    int32_t want[2] = {by_hand(&g, 0, false), by_hand(&g, 0, true)};
    ok(want[0] != 100 && want[0] != want[1], "positions %d to %d are in the band", want[0], want[1]);
    put_tap(&g, 1, &t2, false);
    for (int s = POF_TAP_ANY; s <= POF_TAP_FAST; s++) {
        struct pof_tap_control *c;
        struct pof_tap_report rep = {0};
        struct pof_pf_result r;
        if (!ok(pof_tap_control_new(&c, &g, NULL, (enum pof_tap_strategy)s, &err) == 0 &&
                    pof_tap_control_solve(c, NULL, NULL, &rep, &err) == 0,
                "control %d %s", s, err.text)) {
            continue;
        }
        pof_pf_result(pof_tap_control_pf(c), &r);
        ok(rep.status == POF_TAP_SETTLED && r.v_pu[1] >= 1.0 && r.v_pu[1] <= 1.04 &&
               r.v_pu[2] >= 1.0 && r.v_pu[2] <= 1.04,
           "settled in both bands after %u power flows: %.4f, %.4f", rep.solves, r.v_pu[1], r.v_pu[2]);
        if (s == POF_TAP_MIN || s == POF_TAP_MAX) {
            is_int(rep.pos[0], want[s == POF_TAP_MAX], "at the position found by trying all");
        }
        pof_tap_control_free(c);
    }
    is_int(g.branch[0].tap->pos, 0, "the grid's own taps did not move");
    t1.v_low_pu = 1.0201;
    t1.v_high_pu = 1.0202;
    for (int s = POF_TAP_ANY; s <= POF_TAP_FAST; s++) {
        struct pof_tap_control *c;
        struct pof_tap_report rep = {0};
        ok(pof_tap_control_new(&c, &g, NULL, (enum pof_tap_strategy)s, &err) == 0 &&
               pof_tap_control_solve(c, NULL, NULL, &rep, &err) == 0 &&
               rep.status == POF_TAP_RESTLESS && rep.branch == 0,
           "a band narrower than a step is refused by name");
        pof_tap_control_free(c);
    }
    pof_grid_release(&g);
}

/* There and back is the same transformer; so is a plate at that position. */
static void test_positions(void)
{
    struct pof_grid g;
    struct pof_tap tap;
    struct pof_err err = {0};
    if (!parse(&g, tapped)) {
        return;
    }
    put_tap(&g, 0, &tap, true);
    tap.has_uk_ends = true;
    tap.uk_min_pct = 10;
    tap.uk_max_pct = 15;
    tap.pk_min_w = 9e4;
    tap.pk_max_w = 1.3e5;
    struct pof_branch before = g.branch[0];
    ok(pof_tap_set(&g, 0, 9, &err) == 0, "moved to its end");
    double z = hypot(g.branch[0].r, g.branch[0].x), v = 1 + 9 * 0.0125;
    is_near(z, 0.15 * v * v / 25, 1e-12, "uk of the end, of the voltage there");
    is_near(g.branch[0].r, 1.3e5 / 25e6 * v * v / 25, 1e-12, "and pk");
    is_near(g.branch[0].ratio, before.ratio / v, 1e-15, "ratio");
    ok(pof_tap_set(&g, 0, 0, &err) == 0, "and back");
    is_near(g.branch[0].x / before.x, 1, 1e-14, "x");
    is_near(g.branch[0].r / before.r, 1, 1e-14, "r");
    is_near(g.branch[0].b / before.b, 1, 1e-14, "b");
    is_int(pof_tap_set(&g, 0, 10, &err), POF_E_RANGE, "beyond the end is refused");
    pof_grid_release(&g);
}

int main(void)
{
    test_consumption();
    test_linear();
    test_taps(false);
    test_taps(true);
    test_positions();
    test_batch("samples/lv-feeder.json", false);
    test_batch("samples/cigre-mv.json", true);
    if (tap_data()) {
        test_batch("@rad1k.m", false);
        test_batch("@case30.m", false);
        test_limits("@case30.m");
        test_limits("@case118.m");
        test_distributed("@case14.m");
        test_distributed("@case300.m");
    } else {
        skip("published cases", "no shared data");
    }
    return done();
}
