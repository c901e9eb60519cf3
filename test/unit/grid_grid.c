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
               p->closed == q->closed && p->from == q->from && p->to == q->to && p->kind == q->kind;
    }
    for (uint32_t i = 0; same && i < a.nodes; i++) {
        const struct pof_node *p = &a.node[i], *q = &b.node[i];
        same = p->base_v == q->base_v && p->kind == q->kind && p->v_set_pu == q->v_set_pu &&
               p->angle_set == q->angle_set && p->p_w == q->p_w && p->q_var == q->q_var &&
               p->rated_w == q->rated_w && p->g_w == q->g_w && p->b_var == q->b_var &&
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
    const char *const path[] = {"samples/cigre-mv.json", "samples/lv-feeder.json"};
    const uint32_t nodes[] = {15, 19}, in_tree[] = {15, 19}, branches[] = {17, 18};
    for (int i = 0; i < 2; i++) {
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
static void test_damage(void)
{
    size_t len = strlen(all_forms), taken = 0;
    char *copy = malloc(len + 1);
    struct pof_err err;
    for (size_t i = 0; i < len; i++) {
        struct pof_grid g;
        memcpy(copy, all_forms, len + 1);
        copy[i] = (char)(copy[i] ^ (1 << (i % 7)));
        if (pof_grid_parse(&g, copy, len, "d", &err) == 0) {
            pof_grid_release(&g);
            taken++;
        }
        if (pof_grid_parse(&g, all_forms, i, "d", &err) == 0) {
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
    test_changed();
    test_degrees();
    test_refused();
    test_damage();
    test_tree();
    return done();
}
