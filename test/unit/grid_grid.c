/* SPDX-License-Identifier: Apache-2.0 */
/* pof.grid/1 documents: round trips, defaults, and every refusal with its place. */
#include "grid/build.h"
#include "io/file.h"
#include "tap.h"

static char *slurp(const char *path, size_t *len)
{
    struct pof_input *in;
    struct pof_err err = {0};
    char *data = NULL;
    if (pof_input_open(&in, path, &err) == 0) {
        struct pof_source src = pof_input_source(in);
        if (pof_source_slurp(&src, 1 << 24, &data, len, &err)) {
            data = NULL;
        }
        pof_input_close(in);
    }
    return data;
}

static bool parse(struct pof_grid *g, const char *text, struct pof_err *err)
{
    *err = (struct pof_err){0};
    return pof_grid_parse(g, text, strlen(text), "g.json", err) == 0;
}

static bool same_phases(const struct pof_branch_phases *a, const struct pof_branch_phases *b)
{
    return !a == !b &&
           (!a || (a->form == b->form && a->from == b->from && a->to == b->to &&
                   a->clock == b->clock && memcmp(&a->r0, &b->r0, 40 * sizeof(double)) == 0 &&
                   memcmp(&a->r_ground_from, &b->r_ground_from, 4 * sizeof(double)) == 0));
}

static bool same_tap(const struct pof_tap *a, const struct pof_tap *b)
{
    return !a == !b && (!a || (a->pos == b->pos && a->min == b->min && a->max == b->max &&
                               a->neutral == b->neutral && a->on_to == b->on_to &&
                               a->has_uk_ends == b->has_uk_ends && a->controlled == b->controlled &&
                               a->node == b->node && a->step_pct == b->step_pct &&
                               a->step_deg == b->step_deg && a->uk_min_pct == b->uk_min_pct &&
                               a->pk_max_w == b->pk_max_w && a->v_low_pu == b->v_low_pu &&
                               a->drop_x_pu == b->drop_x_pu));
}

/* write(parse(write(parse(x)))) == write(parse(x)), and all numbers of the grids are the same. */
static void round_trip(const char *text, size_t len, const char *what)
{
    struct pof_err err = {0};
    struct pof_grid a, b;
    struct pof_buf one = {0}, two = {0};
    bool fine = pof_grid_parse(&a, text, len, what, &err) == 0;
    ok(fine, "%s parses", what);
    if (!fine) {
        printf("# %s: %s\n", err.field, err.text);
        return;
    }
    ok(pof_grid_write(&a, &one, &err) == 0, "%s is written", what);
    ok(pof_grid_parse(&b, one.data, one.len, what, &err) == 0, "what is written parses");
    ok(pof_grid_write(&b, &two, &err) == 0, "and is written again");
    ok(one.len == two.len && memcmp(one.data, two.data, one.len) == 0, "with the same bytes");
    bool same = a.nodes == b.nodes && a.branches == b.branches && a.base_va == b.base_va;
    for (uint32_t i = 0; same && i < a.branches; i++) {
        const struct pof_branch *p = &a.branch[i], *q = &b.branch[i];
        same = p->r == q->r && p->x == q->x && p->g == q->g && p->b == q->b &&
               p->ratio == q->ratio && p->shift == q->shift && p->rating_va == q->rating_va &&
               p->closed == q->closed && same_phases(p->phases, q->phases) &&
               same_tap(p->tap, q->tap) && p->from == q->from && p->to == q->to && p->kind == q->kind;
    }
    for (uint32_t i = 0; same && i < a.nodes; i++) {
        const struct pof_node *p = &a.node[i], *q = &b.node[i];
        same = p->base_v == q->base_v && p->kind == q->kind && p->v_set_pu == q->v_set_pu &&
               p->angle_set == q->angle_set && p->p_w == q->p_w && p->q_var == q->q_var &&
               p->rated_w == q->rated_w && p->ip_w == q->ip_w && p->iq_var == q->iq_var &&
               p->has_q_limits == q->has_q_limits && p->q_min_var == q->q_min_var &&
               p->q_max_var == q->q_max_var && p->slack_share == q->slack_share &&
               !p->phases == !q->phases &&
               (!p->phases || memcmp(p->phases, q->phases, sizeof *p->phases) == 0) && p->g_w == q->g_w && p->b_var == q->b_var &&
               p->v_min_pu == q->v_min_pu && p->v_max_pu == q->v_max_pu &&
               p->zero_injection == q->zero_injection && p->has_xy == q->has_xy && p->x == q->x &&
               p->y == q->y;
    }
    ok(same, "and the same values");
    pof_buf_release(&one);
    pof_buf_release(&two);
    pof_grid_release(&a);
    pof_grid_release(&b);
}

static void test_samples(void)
{
    const char *const path[] = {"samples/cigre-mv.json", "samples/lv-feeder.json", "samples/lv-4wire.json"};
    const uint32_t nodes[] = {15, 19, 12}, in_tree[] = {15, 19, 12}, branches[] = {17, 18, 11};
    for (int i = 0; i < 3; i++) {
        size_t len;
        char *text = slurp(path[i], &len);
        if (!ok(text != NULL, "%s is there", path[i])) {
            continue;
        }
        round_trip(text, len, path[i]);
        struct pof_grid g;
        struct pof_tree tree;
        struct pof_err err = {0};
        ok(pof_grid_parse(&g, text, len, path[i], &err) == 0, "parses");
        is_int(g.nodes, nodes[i], "nodes");
        is_int(g.branches, branches[i], "branches");
        ok(pof_tree_build(&tree, &g, &err) == 0, "radial");
        is_int(tree.n, in_tree[i], "all nodes are fed");
        pof_tree_release(&tree);
        pof_grid_release(&g);
        free(text);
    }
}

static const char all_forms[] =
    "{\"schema\":\"pof.grid/1\",\"base_va\":1e6,\"x_note\":{\"free\":[1]},\"nodes\":["
    "{\"name\":\"a/b~\\u00e9\",\"base_v\":110000,\"kind\":\"slack\",\"v_set_pu\":1.02,\"angle_deg\":-12.3},"
    "{\"name\":\"b\",\"base_v\":20000,\"p_w\":0.1,\"q_var\":-1e-7,\"g_w\":3,\"b_var\":12000.7},"
    "{\"name\":\"c\",\"base_v\":20000,\"kind\":\"pv\",\"v_set_pu\":0.99,\"p_w\":-3e5,\"x\":1,\"y\":2},"
    "{\"name\":\"d\",\"base_v\":20000,\"zero_injection\":true,\"v_min_pu\":0.95},"
    "{\"name\":\"e\",\"base_v\":20000,\"rated_w\":17,\"v_max_pu\":1.05}],\"branches\":["
    "{\"name\":\"t\",\"kind\":\"transformer\",\"from\":\"a/b~\\u00e9\",\"to\":\"b\",\"sn_va\":25e6,"
    "\"v_from_v\":112000,\"v_to_v\":20500,\"uk_pct\":12,\"pk_w\":40000,\"i0_pct\":0.1,"
    "\"p0_w\":14000,\"tap_pct\":-2.5,\"shift_deg\":150},"
    "{\"name\":\"p\",\"kind\":\"transformer\",\"from\":\"a/b~\\u00e9\",\"to\":\"b\",\"r_pu\":-0.01,"
    "\"x_pu\":0.07,\"g_pu\":1e-5,\"b_pu\":-0.003,\"ratio\":0.978,\"shift_deg\":-0.1,\"rating_va\":1e7},"
    "{\"name\":\"l\",\"kind\":\"line\",\"from\":\"b\",\"to\":\"c\",\"length_km\":0.7,"
    "\"r_ohm_per_km\":0.3,\"x_ohm_per_km\":0.12,\"c_nf_per_km\":270,\"rating_a\":210},"
    "{\"name\":\"m\",\"kind\":\"line\",\"from\":\"c\",\"to\":\"d\",\"r_ohm\":0.3,\"x_ohm\":0,"
    "\"b_us\":33,\"rating_va\":0,\"closed\":false},"
    "{\"name\":\"s\",\"kind\":\"switch\",\"from\":\"d\",\"to\":\"e\",\"rating_a\":630}]}";

/* Every member of a three-phase document. */
static const char all_phases[] =
    "{\"schema\":\"pof.grid/1\",\"base_va\":1e6,\"nodes\":["
    "{\"name\":\"a\",\"base_v\":20000,\"kind\":\"slack\",\"v_set_pu\":1,\"slack_share\":0.7},"
    "{\"name\":\"b\",\"base_v\":400,\"ip_w\":100,\"iq_var\":-7,\"p_w_abc\":[1,2.5,-3],"
    "\"q_var_abc\":[0.1,0,0],\"ip_w_abc\":[4,5,6],\"iq_var_abc\":[0,0,8],\"g_w_abc\":[9,0,0],"
    "\"b_var_abc\":[0,10,0],\"g0_w\":11,\"b0_var\":-12},"
    "{\"name\":\"c\",\"base_v\":400,\"g_w\":10,\"g0_w\":0},"
    "{\"name\":\"d\",\"base_v\":400,\"kind\":\"pv\",\"v_set_pu\":1,\"q_min_var\":-50,"
    "\"q_max_var\":70.5}],\"branches\":["
    "{\"name\":\"t\",\"kind\":\"transformer\",\"from\":\"a\",\"to\":\"b\",\"sn_va\":4e5,"
    "\"uk_pct\":4,\"pk_w\":4600,\"i0_pct\":0.2,\"p0_w\":600,\"winding_from\":\"d\","
    "\"winding_to\":\"yn\",\"clock\":5,\"uk0_pct\":3.8,\"pk0_w\":4200,\"i0_zero_pct\":100,"
    "\"p0_zero_w\":900,\"r_ground_to_ohm\":0.5,\"x_ground_to_ohm\":0.1,\"tap\":{\"pos\":-1,"
    "\"min\":-2,\"max\":2,\"neutral\":0,\"step_pct\":2.5,\"uk_min_pct\":3.6,\"uk_max_pct\":4.4,"
    "\"pk_min_w\":4000,\"pk_max_w\":5000,\"control\":{\"node\":\"c\",\"v_low_pu\":0.98,"
    "\"v_high_pu\":1.02,\"drop_r_pu\":0.01,\"drop_x_pu\":0.02}}},"
    "{\"name\":\"z\",\"kind\":\"transformer\",\"from\":\"a\",\"to\":\"b\",\"r_pu\":0.01,"
    "\"x_pu\":0.1,\"winding_from\":\"yn\",\"winding_to\":\"zn\",\"clock\":11,\"shift_deg\":-29,"
    "\"r0_pu\":0.001,\"x0_pu\":0.01,\"g0_pu\":0.1,\"b0_pu\":-0.2,\"r_ground_from_pu\":0.3,"
    "\"x_ground_to_pu\":0.4,\"tap\":{\"pos\":1,\"min\":9,\"max\":-9,\"neutral\":0,\"side\":\"to\","
    "\"step_deg\":1}},"
    "{\"name\":\"u\",\"kind\":\"transformer\",\"from\":\"a\",\"to\":\"b\",\"sn_va\":4e5,"
    "\"uk_pct\":4,\"pk_w\":4600,\"winding_from\":\"y\",\"winding_to\":\"zn\",\"clock\":11},"
    "{\"name\":\"l0\",\"kind\":\"line\",\"from\":\"b\",\"to\":\"c\",\"length_km\":0.2,"
    "\"r_ohm_per_km\":0.3,\"x_ohm_per_km\":0.08,\"c_nf_per_km\":700,\"r0_ohm_per_km\":1.2,"
    "\"x0_ohm_per_km\":0.3,\"c0_nf_per_km\":0},"
    "{\"name\":\"l1\",\"kind\":\"line\",\"from\":\"b\",\"to\":\"c\",\"r_ohm\":0.3,"
    "\"x_ohm\":0.08,\"b_us\":7,\"r0_ohm\":1.2,\"x0_ohm\":0.3,\"b0_us\":3},"
    "{\"name\":\"l2\",\"kind\":\"line\",\"from\":\"b\",\"to\":\"c\",\"r_pu\":0.3,"
    "\"x_pu\":0.08,\"b_pu\":7,\"r0_pu\":1.2,\"x0_pu\":0.3,\"g0_pu\":3},"
    "{\"name\":\"l3\",\"kind\":\"line\",\"from\":\"b\",\"to\":\"c\",\"length_km\":0.1,"
    "\"r_matrix_ohm_per_km\":[[0.5],[0.05,0.5],[0.05,0.05,0.5],[0.05,0.05,0.05,0.6]],"
    "\"x_matrix_ohm_per_km\":[[0.7],[0.5,0.7],[0.45,0.5,0.7],[0.4,0.41,0.42,0.8]],"
    "\"c_matrix_nf_per_km\":[[9],[-2,9],[-1,-2,9]],\"neutral\":\"return\",\"rating_a\":200},"
    "{\"name\":\"l4\",\"kind\":\"line\",\"from\":\"c\",\"to\":\"d\","
    "\"r_matrix_ohm\":[[0.5],[0.05,0.5],[0.05,0.05,0.5]],"
    "\"x_matrix_ohm\":[[0.7],[0.5,0.7],[0.45,0.5,0.7]],\"b_matrix_us\":[[9],[-2,9],[-1,-2,9]]},"
    "{\"name\":\"l5\",\"kind\":\"line\",\"from\":\"c\",\"to\":\"d\",\"r_pu\":0.4,\"x_pu\":0.3,"
    "\"r_matrix_pu\":[[0.5],[0.05,0.5],[0.05,0.05,0.5]],"
    "\"x_matrix_pu\":[[0.7],[0.5,0.7],[0.45,0.5,0.7]],\"b_matrix_pu\":[[9],[-2,9],[-1,-2,9]]},"
    "{\"name\":\"s\",\"kind\":\"switch\",\"from\":\"c\",\"to\":\"d\",\"r_pu\":0.4,\"x_pu\":0.3,"
    "\"r0_pu\":0.5,\"x0_pu\":0.6}]}";

static void test_phases(void)
{
    round_trip(all_phases, strlen(all_phases), "every member of a three-phase document");
    struct pof_grid g;
    struct pof_err err;
    if (!ok(parse(&g, all_phases, &err), "parses")) {
        printf("# %s: %s\n", err.field, err.text);
        return;
    }
    const struct pof_node_phases *n = g.node[1].phases;
    ok(n && g.node[1].p_w == 0.5 && n->p_w[2] == -3 - 0.5 / 3 && n->has_zero, "a node and its phases");
    ok(g.node[1].ip_w == 115 && n->ip_w[0] == -1 && n->ip_w[2] == 1, "beside a total");
    ok(g.node[1].b_var == 10 && n->b0_var == -2 && n->g0_w == 20, "zero sequence of all shunts");
    ok( g.node[3].has_q_limits && g.node[3].q_max_var == 70.5 &&
           g.node[0].slack_share == 0.7 && !g.node[0].phases,
       "constant current, limits, share");
    const struct pof_branch *t = &g.branch[0], *u = &g.branch[2], *l = &g.branch[3], *m = &g.branch[6];
    /* 97.5 % of the voltage; uk half the way to 3.6; base 0.16 ohm, plate 0.4 ohm. */
    is_near(t->ratio, 0.975, 1e-15, "a tap lowers the ratio");
    is_near(hypot(t->r, t->x), 0.038 * 0.4 / 0.16, 1e-12, "and moves uk");
    is_near(t->r, 4300 / 4e5 * 0.4 / 0.16, 1e-12, "and pk");
    is_near(hypot(t->phases->r0, t->phases->x0), 0.038 * 0.4 / 0.16, 1e-12, "uk0");
    is_near(hypot(t->phases->g0, t->phases->b0), 1 / 0.4 * 0.16, 1e-12, "i0 of the zero sequence");
    is_near(t->phases->r_ground_to, 0.5 / 0.16, 1e-12, "grounding");
    is_near(t->shift, pof_rad_of_deg(150), 0, "Dyn5 shifts by 150 degrees");
    ok(t->tap && t->tap->controlled && t->tap->node == 2 && !t->tap->on_to, "its controller");
    is_near(u->phases->x0, 0.1 * u->x, 1e-12, "a zigzag has a tenth of uk");
    is_near(l->phases->r0, 0.24 / 0.16, 1e-12, "r0 of 0.2 km");
    is_near(m->phases->r[1], (0.05 - 0.05 - 0.05 + 0.6) * 0.1 / 0.16, 1e-12, "return by the neutral");
    is_near(m->x, ((0.7 * 3 - 0.5 - 0.5 - 0.45) / 3) * 0.1 / 0.16, 1e-12, "transposed");
    ok(g.branch[9].phases->x0 == 0.6, "a switch with a zero sequence of its own");
    /* Numbers that were changed by a program are kept, in p.u. */
    struct pof_buf to = {0};
    struct pof_grid h;
    ((struct pof_branch_phases *)(uintptr_t)m->phases)->x[0] *= 2;
    ((struct pof_branch_phases *)(uintptr_t)t->phases)->r_ground_to *= 2;
    ok(pof_grid_write(&g, &to, &err) == 0 && pof_grid_parse(&h, to.data, to.len, "h", &err) == 0,
       "written and read after a change");
    ok(memcmp(h.branch[6].phases->x, m->phases->x, sizeof m->phases->x) == 0, "matrix");
    ok(h.branch[0].phases->r_ground_to == t->phases->r_ground_to && h.branch[0].r == t->r, "grounding");
    pof_buf_release(&to);
    pof_grid_release(&h);
    pof_grid_release(&g);
}

/* Phases of odd numbers, as an importer that adds up leaves them: written and read without a loss. */
static void test_odd_phases(void)
{
    struct pof_grid g, h;
    struct pof_err err;
    struct pof_buf to = {0};
    struct pof_node_phases p = {0};
    int failed = 0;
    ok(parse(&g, all_forms, &err), "parses");
    g.node[1].phases = &p;
    for (int i = 1; i < 400; i++) {
        g.node[1].p_w = i * 0.1 + i * i * 1e-3;
        p.p_w[0] = i / 7.0;
        p.p_w[1] = -i / 3.0;
        p.p_w[2] = -(p.p_w[0] + p.p_w[1]);
        g.node[1].g_w = i % 2 ? 1e-9 * i : 1e9 / i;
        p.g_w[0] = i / 11.0;
        p.g_w[1] = -i / 11.0;
        p.has_zero = i % 3 == 0;
        p.g0_w = p.has_zero ? i / 13.0 : 0;
        to.len = 0;
        if (pof_grid_write(&g, &to, &err) || pof_grid_parse(&h, to.data, to.len, "h", &err)) {
            failed++;
            continue;
        }
        failed += h.node[1].p_w != g.node[1].p_w || h.node[1].g_w != g.node[1].g_w ||
                  memcmp(h.node[1].phases, &p, sizeof p) != 0;
        pof_grid_release(&h);
    }
    is_int(failed, 0, "400 nodes of odd phases");
    pof_buf_release(&to);
    pof_grid_release(&g);
}

static void test_forms(void)
{
    round_trip(all_forms, strlen(all_forms), "every form");
    struct pof_grid g;
    struct pof_err err;
    if (!ok(parse(&g, all_forms, &err), "parses")) {
        printf("# %s: %s\n", err.field, err.text);
        return;
    }
    const struct pof_branch *t = &g.branch[0], *l = &g.branch[2], *s = &g.branch[4];
    /* By hand: z = 12 % of 20.5 kV^2 / 25 MVA = 2.0172 ohm, r = 40 kW 20.5 kV^2 / 25 MVA^2 =
     * 0.026896 ohm; base 400 ohm. */
    is_near(t->r, 0.026896 / 400, 1e-15, "r of the plate");
    is_near(hypot(t->r, t->x), 2.0172 / 400, 1e-14, "z of the plate");
    is_near(t->g, 14000 / (20500.0 * 20500) * 400, 1e-12, "iron loss of the plate");
    is_near(hypot(t->g, t->b), 25000 / (20500.0 * 20500) * 400, 1e-12, "no-load current");
    ok(t->b < 0 && t->x > 0, "a transformer is inductive");
    is_near(t->ratio, 112.0 / 110 * 0.975 / (20.5 / 20), 1e-15, "ratio of the plate");
    is_near(t->shift, 2.617993877991494, 1e-15, "150 degrees");
    is_near(t->rating_va, 25e6, 0, "rated as its plate says");
    is_near(l->r, 0.21 / 400, 1e-18, "r of 0.7 km");
    is_near(l->b, 2 * 3.14159265358979323846 * 50 * 270e-9 * 0.7 * 400, 1e-15, "b of 0.7 km");
    is_near(l->rating_va, 7274613.3917, 1e-3, "210 A at 20 kV");
    is_near(s->x, 1e-6, 0, "a switch is 1e-6 p.u. of 1 MVA");
    ok(!g.branch[3].closed && g.node[2].has_xy, "states and places");
    is_near(g.node[3].v_min_pu, 0.95, 0, "a limit of one's own");
    is_near(g.node[3].v_max_pu, 1.1, 0, "and the default");
    pof_grid_release(&g);
}

/* A grid whose branch was changed by a program is written in p.u., not as it was read. */
static void test_changed(void)
{
    struct pof_grid g, h;
    struct pof_err err;
    struct pof_buf to = {0};
    ok(parse(&g, all_forms, &err), "parses");
    g.branch[2].r *= 2;
    ok(pof_grid_write(&g, &to, &err) == 0 && pof_grid_parse(&h, to.data, to.len, "h", &err) == 0,
       "written and read");
    ok(h.branch[2].r == g.branch[2].r && h.branch[2].b == g.branch[2].b, "the change is kept");
    ok(h.branch[2].rating_va == g.branch[2].rating_va, "with its rating");
    pof_buf_release(&to);
    pof_grid_release(&g);
    pof_grid_release(&h);
}

static void test_degrees(void)
{
    int failed = 0;
    for (int i = -36000; i <= 36000; i += 7) {
        double deg = i / 100.0;
        failed += pof_deg_of_rad(pof_rad_of_deg(deg)) != deg;
    }
    is_int(failed, 0, "decimals of degrees return");
    double v = 12.345678901234567;
    ok(pof_rad_of_deg(pof_deg_of_rad(pof_rad_of_deg(v))) == pof_rad_of_deg(v), "long ones too");
}

#define HEAD "{\"schema\":\"pof.grid/1\",\"base_va\":1e6,\"nodes\":["
#define A "{\"name\":\"a\",\"base_v\":20000,\"kind\":\"slack\",\"v_set_pu\":1}"
#define B "{\"name\":\"b\",\"base_v\":20000}"
#define C "{\"name\":\"c\",\"base_v\":400}"
#define BRANCH(rest) HEAD A "," B "," C "],\"branches\":[{\"name\":\"l\"," rest "}]}"
#define LINE(rest) BRANCH("\"kind\":\"line\",\"from\":\"a\",\"to\":\"b\"," rest)
#define TRAFO(rest) BRANCH("\"kind\":\"transformer\",\"from\":\"a\",\"to\":\"c\"," rest)
#define ONE(node) HEAD A "," node "],\"branches\":[]}"

static const struct {
    const char *what;
    const char *text;
    enum pof_code code;
    const char *field;
} refused[] = {
    {"nothing", "", POF_E_TRUNCATED, ""},
    {"half a document", HEAD A, POF_E_TRUNCATED, ""},
    {"not an object", "[1]", POF_E_TYPE, ""},
    {"another schema", "{\"schema\":\"pof.grid/2\"}", POF_E_SCHEMA, "/schema"},
    {"no base", "{\"schema\":\"pof.grid/1\",\"nodes\":[],\"branches\":[]}", POF_E_MISSING, "/base_va"},
    {"twice the same member", "{\"schema\":\"pof.grid/1\",\"base_va\":1,\"base_va\":1}",
     POF_E_DUPLICATE, ""},
    {"unknown member", "{\"schema\":\"pof.grid/1\",\"basis\":1}", POF_E_UNKNOWN, "/basis"},
    {"NaN", ONE("{\"name\":\"b\",\"base_v\":NaN}"), POF_E_SYNTAX, ""},
    {"a number beyond double", ONE("{\"name\":\"b\",\"base_v\":1e999}"), POF_E_NUMBER, ""},
    {"bytes that are not UTF-8", ONE("{\"name\":\"\xff\",\"base_v\":400}"), POF_E_ENCODING, ""},
    {"kV for V", ONE("{\"name\":\"b\",\"base_v\":20}"), POF_E_RANGE, "/nodes/1/base_v"},
    {"the same node twice", ONE(A), POF_E_DUPLICATE, "/nodes/1"},
    {"a name that is empty", ONE("{\"name\":\"\",\"base_v\":400}"), POF_E_RANGE, "/nodes/1/name"},
    {"text for a number", ONE("{\"name\":\"b\",\"base_v\":\"400\"}"), POF_E_TYPE, "/nodes/1/base_v"},
    {"a set point where none is held", ONE("{\"name\":\"b\",\"base_v\":400,\"v_set_pu\":1}"),
     POF_E_CONFLICT, "/nodes/1/v_set_pu"},
    {"limits upside down", ONE("{\"name\":\"b\",\"base_v\":400,\"v_min_pu\":1.2}"), POF_E_PHYSICS,
     "/nodes/1"},
    {"a load where nothing is",
     ONE("{\"name\":\"b\",\"base_v\":400,\"p_w\":1,\"zero_injection\":true}"), POF_E_CONFLICT,
     "/nodes/1"},
    {"half a place", ONE("{\"name\":\"b\",\"base_v\":400,\"x\":1}"), POF_E_MISSING, "/nodes/1/y"},
    {"no slack", HEAD B "],\"branches\":[]}", POF_E_TOPOLOGY, "/nodes"},
    {"kind of branch missing", BRANCH("\"from\":\"a\",\"to\":\"b\",\"r_ohm\":1,\"x_ohm\":1"),
     POF_E_MISSING, "/branches/0/kind"},
    {"unknown kind of branch", BRANCH("\"kind\":\"cable\""), POF_E_ENUM, "/branches/0/kind"},
    {"unknown end", BRANCH("\"kind\":\"line\",\"from\":\"a\",\"to\":\"z\""), POF_E_REFERENCE,
     "/branches/0/to"},
    {"line without impedance", LINE("\"closed\":true"), POF_E_MISSING, "/branches/0"},
    {"line of zero impedance", LINE("\"r_ohm\":0,\"x_ohm\":0"), POF_E_PHYSICS, "/branches/0"},
    {"two forms at once", LINE("\"r_ohm\":1,\"x_ohm\":1,\"x_pu\":1"), POF_E_CONFLICT,
     "/branches/0/x_pu"},
    {"negative resistance", LINE("\"r_ohm\":-1,\"x_ohm\":1"), POF_E_RANGE, "/branches/0/r_ohm"},
    {"negative rating", LINE("\"r_ohm\":1,\"x_ohm\":1,\"rating_va\":-1"), POF_E_RANGE,
     "/branches/0/rating_va"},
    {"two ratings", LINE("\"r_ohm\":1,\"x_ohm\":1,\"rating_va\":1,\"rating_a\":1"), POF_E_CONFLICT,
     "/branches/0/rating_a"},
    {"metres for km", LINE("\"r_ohm_per_km\":1,\"x_ohm_per_km\":1,\"length_km\":2500"), POF_E_RANGE,
     "/branches/0/length_km"},
    {"a line with a ratio", LINE("\"r_pu\":1,\"x_pu\":1,\"ratio\":1.1"), POF_E_CONFLICT,
     "/branches/0"},
    {"a line between levels",
     BRANCH("\"kind\":\"line\",\"from\":\"a\",\"to\":\"c\",\"r_ohm\":1,\"x_ohm\":1"), POF_E_PHYSICS,
     "/branches/0"},
    {"both ends at one node",
     BRANCH("\"kind\":\"line\",\"from\":\"a\",\"to\":\"a\",\"r_ohm\":1,\"x_ohm\":1"), POF_E_TOPOLOGY,
     "/branches/0"},
    {"MVA for VA", TRAFO("\"sn_va\":25,\"uk_pct\":4,\"pk_w\":1"), POF_E_RANGE, "/branches/0/sn_va"},
    {"more losses than uk", TRAFO("\"sn_va\":1e5,\"uk_pct\":4,\"pk_w\":4001"), POF_E_PHYSICS,
     "/branches/0/pk_w"},
    {"more losses than i0", TRAFO("\"sn_va\":1e5,\"uk_pct\":4,\"pk_w\":1,\"p0_w\":1"), POF_E_PHYSICS,
     "/branches/0/p0_w"},
    {"ends exchanged", TRAFO("\"sn_va\":1e5,\"uk_pct\":4,\"pk_w\":1,\"v_from_v\":400"), POF_E_PHYSICS,
     "/branches/0/v_from_v"},
    {"a transformer given as a line", TRAFO("\"r_ohm\":1,\"x_ohm\":1"), POF_E_CONFLICT,
     "/branches/0/r_ohm"},
    {"a shift of 1000 degrees", TRAFO("\"r_pu\":1,\"x_pu\":1,\"shift_deg\":1000"), POF_E_RANGE,
     "/branches/0/shift_deg"},
};

#define DYN "\"sn_va\":1e5,\"uk_pct\":4,\"pk_w\":1000,\"winding_from\":\"d\",\"winding_to\":\"yn\""
#define TAPS(rest) TRAFO("\"r_pu\":1,\"x_pu\":1,\"tap\":{\"pos\":0,\"min\":-1,\"max\":1,\"neutral\":0" rest "}")
#define R3 "[[0.5],[0,0.5],[0,0,0.5]]"
#define R4 "[[0.5],[0,0.5],[0,0,0.5],[0,0,0,0.5]]"
#define NODE(rest) ONE("{\"name\":\"b\",\"base_v\":400," rest "}")

/* What is said of phases and taps. */
static const struct {
    const char *what;
    const char *text;
    enum pof_code code;
    const char *field;
} refused_phases[] = {
    {"two phases", NODE("\"p_w_abc\":[1,2]"), POF_E_COLUMNS, "/nodes/1/p_w_abc"},
    {"a phase that is text", NODE("\"q_var_abc\":[1,2,\"x\"]"), POF_E_TYPE, "/nodes/1/q_var_abc/2"},
    {"a phase of 10 TW", NODE("\"g_w_abc\":[1,2,1e13]"), POF_E_RANGE, "/nodes/1/g_w_abc/2"},
    {"a number for three", NODE("\"p_w_abc\":1"), POF_E_TYPE, "/nodes/1/p_w_abc"},
    {"a phase load where nothing is", NODE("\"p_w_abc\":[0,1,0],\"zero_injection\":true"),
     POF_E_CONFLICT, "/nodes/1"},
    {"one limit", NODE("\"kind\":\"pv\",\"v_set_pu\":1,\"q_max_var\":1"), POF_E_MISSING,
     "/nodes/1/q_min_var"},
    {"limits of pq", NODE("\"q_min_var\":0,\"q_max_var\":1"), POF_E_CONFLICT, "/nodes/1/q_min_var"},
    {"limits exchanged", NODE("\"kind\":\"pv\",\"v_set_pu\":1,\"q_min_var\":2,\"q_max_var\":1"),
     POF_E_PHYSICS, "/nodes/1"},
    {"negative share", NODE("\"slack_share\":-1"), POF_E_RANGE, "/nodes/1/slack_share"},
    {"r0 without x0", LINE("\"r_ohm\":1,\"x_ohm\":1,\"r0_ohm\":1"), POF_E_MISSING,
     "/branches/0/x0_ohm"},
    {"no zero-sequence impedance", LINE("\"r_ohm\":1,\"x_ohm\":1,\"r0_ohm\":0,\"x0_ohm\":0"),
     POF_E_PHYSICS, "/branches/0/r0_ohm"},
    {"a shunt without zero sequence",
     LINE("\"r_ohm\":1,\"x_ohm\":1,\"c_nf\":1,\"r0_ohm\":1,\"x0_ohm\":1"), POF_E_MISSING,
     "/branches/0/c0_nf"},
    {"capacitance twice", LINE("\"r_ohm\":1,\"x_ohm\":1,\"r0_ohm\":1,\"x0_ohm\":1,\"c0_nf\":1,"
                               "\"b0_us\":1"), POF_E_CONFLICT, "/branches/0/c0_nf"},
    {"zero sequence of another form", LINE("\"r_ohm\":1,\"x_ohm\":1,\"r0_pu\":1"), POF_E_CONFLICT,
     "/branches/0/r0_pu"},
    {"r without x", LINE("\"r_matrix_ohm\":" R3), POF_E_MISSING, "/branches/0/x_matrix_ohm"},
    {"two rows", LINE("\"r_matrix_ohm\":[[1],[1,1]],\"x_matrix_ohm\":" R3), POF_E_COLUMNS,
     "/branches/0/r_matrix_ohm"},
    {"a full matrix", LINE("\"r_matrix_ohm\":[[1,0,0],[0,1,0],[0,0,1]],\"x_matrix_ohm\":" R3),
     POF_E_COLUMNS, "/branches/0/r_matrix_ohm/0"},
    {"x of other conductors", LINE("\"r_matrix_ohm\":" R3 ",\"x_matrix_ohm\":" R4), POF_E_COLUMNS,
     "/branches/0/x_matrix_ohm"},
    {"a neutral of no kind", LINE("\"r_matrix_ohm\":" R4 ",\"x_matrix_ohm\":" R4), POF_E_MISSING,
     "/branches/0/neutral"},
    {"no neutral", LINE("\"r_matrix_ohm\":" R3 ",\"x_matrix_ohm\":" R3 ",\"neutral\":\"return\""),
     POF_E_CONFLICT, "/branches/0/neutral"},
    {"an unknown neutral", LINE("\"r_matrix_ohm\":" R4 ",\"x_matrix_ohm\":" R4 ",\"neutral\":\"n\""),
     POF_E_ENUM, "/branches/0/neutral"},
    {"a neutral without matrices", LINE("\"r_ohm\":1,\"x_ohm\":1,\"neutral\":\"return\""),
     POF_E_CONFLICT, "/branches/0/neutral"},
    {"matrices and capacitance twice",
     LINE("\"r_matrix_ohm\":" R3 ",\"x_matrix_ohm\":" R3 ",\"b_matrix_us\":" R3 ",\"c_matrix_nf\":" R3),
     POF_E_CONFLICT, "/branches/0/c_matrix_nf"},
    {"matrices and zero sequence",
     LINE("\"r_pu\":1,\"x_pu\":1,\"r_matrix_pu\":" R3 ",\"x_matrix_pu\":" R3 ",\"r0_pu\":1"),
     POF_E_CONFLICT, "/branches/0/r0_pu"},
    {"matrices of a transformer",
     TRAFO("\"r_pu\":1,\"x_pu\":1,\"r_matrix_pu\":" R3 ",\"x_matrix_pu\":" R3), POF_E_CONFLICT,
     "/branches/0/r_matrix_pu"},
    {"no clock", TRAFO(DYN), POF_E_MISSING, "/branches/0/clock"},
    {"half a clock", TRAFO(DYN ",\"clock\":0.5"), POF_E_TYPE, "/branches/0/clock"},
    {"clock 12", TRAFO(DYN ",\"clock\":12"), POF_E_RANGE, "/branches/0/clock"},
    {"an impossible clock", TRAFO(DYN ",\"clock\":6"), POF_E_PHYSICS, "/branches/0"},
    {"clock against shift", TRAFO(DYN ",\"clock\":5,\"shift_deg\":30"), POF_E_CONFLICT,
     "/branches/0"},
    {"one winding", TRAFO("\"r_pu\":1,\"x_pu\":1,\"winding_to\":\"d\""), POF_E_MISSING,
     "/branches/0/winding_from"},
    {"an unknown winding", TRAFO("\"r_pu\":1,\"x_pu\":1,\"winding_from\":\"x\""), POF_E_ENUM,
     "/branches/0/winding_from"},
    {"the other winding", TRAFO("\"r_pu\":1,\"x_pu\":1,\"winding_from\":\"d\""), POF_E_MISSING,
     "/branches/0/winding_to"},
    {"a delta to ground", TRAFO(DYN ",\"clock\":5,\"r_ground_from_ohm\":1"), POF_E_CONFLICT,
     "/branches/0/r_ground_from_ohm"},
    {"zero sequence without windings", TRAFO("\"sn_va\":1e5,\"uk_pct\":4,\"pk_w\":1,\"uk0_pct\":3"),
     POF_E_MISSING, "/branches/0/winding_from"},
    {"more losses than uk0", TRAFO(DYN ",\"clock\":5,\"uk0_pct\":1,\"pk0_w\":2000"), POF_E_PHYSICS,
     "/branches/0/uk0_pct"},
    {"no zero sequence in p.u.", TRAFO("\"r_pu\":1,\"x_pu\":1,\"winding_from\":\"yn\","
                                       "\"winding_to\":\"d\",\"clock\":5"), POF_E_MISSING,
     "/branches/0/r0_pu"},
    {"windings of a line", LINE("\"r_ohm\":1,\"x_ohm\":1,\"winding_from\":\"d\""), POF_E_CONFLICT,
     "/branches/0/winding_from"},
    {"half a tap", TAPS(",\"step_pct\":1,\"x\":1"), POF_E_UNKNOWN, "/branches/0/tap/x"},
    {"a tap out of range", TRAFO("\"r_pu\":1,\"x_pu\":1,\"tap\":{\"pos\":2,\"min\":1,\"max\":-1,"
                                 "\"neutral\":0}"), POF_E_RANGE, "/branches/0"},
    {"a tap between two", TRAFO("\"r_pu\":1,\"x_pu\":1,\"tap\":{\"pos\":0.5}"), POF_E_TYPE,
     "/branches/0/tap/pos"},
    {"one end of uk", TAPS(",\"uk_min_pct\":1"), POF_E_MISSING, "/branches/0/tap/uk_max_pct"},
    {"control of no node", TAPS(",\"control\":{\"node\":\"x\",\"v_low_pu\":0.9,\"v_high_pu\":1}"),
     POF_E_REFERENCE, "/branches/0/tap/control/node"},
    {"an empty band", TAPS(",\"control\":{\"node\":\"c\",\"v_low_pu\":1,\"v_high_pu\":0.9}"),
     POF_E_PHYSICS, "/branches/0"},
    {"taps of a line", LINE("\"r_ohm\":1,\"x_ohm\":1,\"tap\":{\"pos\":0,\"min\":0,\"max\":0,"
                            "\"neutral\":0}"), POF_E_CONFLICT, "/branches/0"},
};

static void test_refused_phases(void)
{
    for (size_t i = 0; i < sizeof refused_phases / sizeof refused_phases[0]; i++) {
        struct pof_grid g;
        struct pof_err err;
        bool taken = parse(&g, refused_phases[i].text, &err);
        if (!ok(!taken && err.code == refused_phases[i].code &&
                    strcmp(err.field, refused_phases[i].field) == 0,
                "refused: %s", refused_phases[i].what)) {
            printf("# taken %d, code %d, field '%s': %s\n", taken, err.code, err.field, err.text);
        }
        if (taken) {
            pof_grid_release(&g);
        }
    }
}

static void test_refused(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct pof_grid g;
        struct pof_err err;
        bool taken = parse(&g, refused[i].text, &err);
        bool right = !taken && err.code == refused[i].code &&
                     strcmp(err.field, refused[i].field) == 0 && strcmp(err.source, "g.json") == 0;
        if (!ok(right, "refused: %s", refused[i].what)) {
            printf("# taken %d, code %d, field '%s': %s\n", taken, err.code, err.field, err.text);
        }
        if (taken) {
            pof_grid_release(&g);
        }
    }
}

/* A document cut anywhere, or with a byte changed, is refused or read, never a crash. */
static void test_damage(const char *text, size_t step)
{
    size_t len = strlen(text), taken = 0;
    char *copy = malloc(len + 1);
    struct pof_err err;
    for (size_t i = 0; i < len; i += step) {
        struct pof_grid g;
        memcpy(copy, text, len + 1);
        copy[i] = (char)(copy[i] ^ (1 << (i % 7)));
        if (pof_grid_parse(&g, copy, len, "d", &err) == 0) {
            pof_grid_release(&g);
            taken++;
        }
        if (pof_grid_parse(&g, text, i, "d", &err) == 0) {
            ok(false, "a document cut at %zu was taken", i);
            pof_grid_release(&g);
        }
    }
    free(copy);
    ok(taken < len / 2, "damaged documents: %zu of %zu still mean something", taken, len);
}

static void test_tree(void)
{
    struct pof_grid g;
    struct pof_tree tree;
    struct pof_err err;
    static const char loop[] = HEAD A "," B "," C "],\"branches\":["
        "{\"name\":\"l\",\"kind\":\"switch\",\"from\":\"a\",\"to\":\"b\"},"
        "{\"name\":\"k\",\"kind\":\"switch\",\"from\":\"b\",\"to\":\"a\"}]}";
    ok(parse(&g, loop, &err), "a loop is a grid");
    is_int(pof_tree_build(&tree, &g, &err), POF_E_TOPOLOGY, "but no tree");
    ok(strstr(err.text, "branch 'l' closes a loop") != NULL, "and the branch is named: %s", err.text);
    g.branch[1].closed = false;
    ok(pof_tree_build(&tree, &g, &err) == 0, "opened it is one");
    is_int(tree.n, 2, "the node without a branch is left out");
    ok(tree.parent[2] == POF_NONE && tree.parent_branch[2] == POF_NONE, "and has no parent");
    ok(tree.parent[1] == 0 && tree.parent_branch[1] == 0 && tree.order[0] == 0, "the other has");
    pof_tree_release(&tree);
    g.node[1].kind = POF_NODE_SLACK;
    is_int(pof_tree_build(&tree, &g, &err), POF_E_TOPOLOGY, "two slack nodes are no tree");
    pof_grid_release(&g);
}

int main(void)
{
    test_samples();
    test_forms();
    test_phases();
    test_odd_phases();
    test_changed();
    test_degrees();
    test_refused();
    test_refused_phases();
    test_damage(all_forms, 1);
    test_damage(all_phases, 5);
    test_tree();
    return done();
}
