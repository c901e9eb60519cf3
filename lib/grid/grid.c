/* SPDX-License-Identifier: Apache-2.0 */
/* pof.grid/1 documents. The tables of members serve reading and writing alike, so that both know
 * the same names, units and defaults; pof-grid(5) explains them. */
#include "grid/build.h"
#include "num/real.h"
#include "record/json.h"
#include "record/writer.h"

#include <stdlib.h>
#include <string.h>

#define SCHEMA "pof.grid/1"
#define IN_V "the unit is V: 20 kV is 20000"
#define IN_VA "the unit is VA: 25 MVA is 25000000"

/* One number of a node, branch or asset. */
struct member {
    const char *key;
    size_t offset;
    bool required;
    double without; /* what it is when not given; not written when it is that */
    struct pof_json_range range;
};

#define NODE(key, member) key, offsetof(struct pof_node, member)
#define BRANCH(key, member) key, offsetof(struct pof_branch, member)
#define ASSET(key, member) key, offsetof(struct pof_asset, member)

static const struct member node_held[] = {
    {NODE("v_set_pu", v_set_pu), true, 1, {0.5, 1.5, "it is in p.u. of base_v"}}, {0}};

static const struct member node_members[] = {
    {NODE("p_w", p_w), false, 0, {-1e12, 1e12, NULL}},
    {NODE("q_var", q_var), false, 0, {-1e12, 1e12, NULL}},
    {NODE("rated_w", rated_w), false, 0, {0, 1e12, NULL}},
    {NODE("g_w", g_w), false, 0, {-1e12, 1e12, NULL}},
    {NODE("b_var", b_var), false, 0, {-1e12, 1e12, NULL}},
    {NODE("v_min_pu", v_min_pu), false, 0.9, {0, 2, "it is in p.u. of base_v"}},
    {NODE("v_max_pu", v_max_pu), false, 1.1, {0, 3, "it is in p.u. of base_v"}},
    {0}};

static const struct member pu_members[] = {
    {BRANCH("r_pu", r), true, 0, {-1e7, 1e7, NULL}},
    {BRANCH("x_pu", x), true, 0, {-1e7, 1e7, NULL}},
    {BRANCH("g_pu", g), false, 0, {-1e9, 1e9, NULL}},
    {BRANCH("b_pu", b), false, 0, {-1e9, 1e9, NULL}},
    {BRANCH("ratio", ratio), false, 1, {1e-3, 1e3, "1 is the nominal ratio"}},
    {0}};

static const struct member ohm_members[] = {
    {ASSET("r_ohm", r_ohm), true, 0, {0, 1e4, NULL}},
    {ASSET("x_ohm", x_ohm), true, 0, {0, 1e4, NULL}},
    {ASSET("b_us", b_us), false, 0, {0, 1e7, NULL}},
    {ASSET("c_nf", c_nf), false, 0, {0, 1e7, NULL}},
    {0}};

static const struct member per_km_members[] = {
    {ASSET("length_km", length_km), true, 0, {1e-6, 2000, "the unit is km"}},
    {ASSET("r_ohm_per_km", r_ohm), true, 0, {0, 100, NULL}},
    {ASSET("x_ohm_per_km", x_ohm), true, 0, {0, 20, NULL}},
    {ASSET("b_us_per_km", b_us), false, 0, {0, 1e5, NULL}},
    {ASSET("c_nf_per_km", c_nf), false, 0, {0, 1e5, NULL}},
    {0}};

static const struct member plate_members[] = {
    {ASSET("sn_va", sn_va), true, 0, {1e3, 1e10, IN_VA}},
    {ASSET("v_from_v", v_from), false, 0, {50, 1.5e6, IN_V}},
    {ASSET("v_to_v", v_to), false, 0, {50, 1.5e6, IN_V}},
    {ASSET("uk_pct", uk_pct), true, 0, {0.01, 100, NULL}},
    {ASSET("pk_w", pk_w), true, 0, {0, 1e9, NULL}},
    {ASSET("i0_pct", i0_pct), false, 0, {0, 50, NULL}},
    {ASSET("p0_w", p0_w), false, 0, {0, 1e9, NULL}},
    {ASSET("tap_pct", tap_pct), false, 0, {-50, 50, NULL}},
    {0}};

static const struct pof_json_range rating_a = {1e-3, 1e6, "the unit is A"};
static const struct pof_json_range rating_va = {0, 1e12, "the unit is VA: 1 MVA is 1000000"};
static const struct pof_json_range degrees = {-360, 360, "the unit is degrees"};
static const struct pof_json_range anywhere = {-1e12, 1e12, NULL};

/* The forms of an impedance, as a document tells them apart by their first member. */
static const struct form {
    enum pof_form form;
    const char *first;
    const struct member *members;
    bool of_kind[3]; /* line, transformer, switch */
} forms[] = {{POF_FORM_PER_KM, "r_ohm_per_km", per_km_members, {true, false, false}},
             {POF_FORM_OHM, "r_ohm", ohm_members, {true, false, true}},
             {POF_FORM_PLATE, "sn_va", plate_members, {false, true, false}},
             {POF_FORM_PU, "r_pu", pu_members, {true, true, true}}};

enum { FORMS = sizeof forms / sizeof forms[0] };

static const char *const grid_keys[] = {"schema", "name",     "base_va", "f_hz",
                                        "nodes",  "branches", NULL};
static const char *const node_keys[] = {
    "name",  "base_v",   "kind",     "v_set_pu",       "angle_deg", "p_w", "q_var", "rated_w", "g_w",
    "b_var", "v_min_pu", "v_max_pu", "zero_injection", "x",         "y",   NULL};
static const char *const branch_keys[] = {
    "name",         "kind",         "from",        "to",          "closed",    "rating_a",
    "rating_va",    "shift_deg",    "r_pu",        "x_pu",        "g_pu",      "b_pu",
    "ratio",        "r_ohm",        "x_ohm",       "b_us",        "c_nf",      "length_km",
    "r_ohm_per_km", "x_ohm_per_km", "b_us_per_km", "c_nf_per_km", "sn_va",     "v_from_v",
    "v_to_v",       "uk_pct",       "pk_w",        "i0_pct",      "p0_w",      "tap_pct",
    NULL};
static const char *const node_kinds[] = {"pq", "pv", "slack", NULL};
static const char *const branch_kinds[] = {"line", "transformer", "switch", NULL};

/* --- reading --- */

static double *number(const struct member *m, void *base)
{
    return (double *)(void *)((char *)base + m->offset);
}

static int read_members(const struct pof_json *object, const struct member *m, void *base,
                        struct pof_err *err)
{
    for (; m->key; m++) {
        *number(m, base) = m->without;
        int rc = m->required ? pof_json_real(object, m->key, &m->range, number(m, base), err)
                             : pof_json_real_opt(object, m->key, &m->range, number(m, base), err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int read_angle(const struct pof_json *object, const char *key, double *rad,
                      struct pof_err *err)
{
    double deg;
    int rc = pof_json_real_opt(object, key, &degrees, &deg, err);
    if (rc == 1) {
        *rad = pof_rad_of_deg(deg);
    }
    return rc < 0 ? rc : 0;
}

/* A slack or pv node says what it holds; another one must not. */
static int read_held(const struct pof_json *at, struct pof_node *node, struct pof_err *err)
{
    struct pof_json unused;
    const char *key = pof_json_member(at, "v_set_pu", &unused)    ? "v_set_pu"
                      : pof_json_member(at, "angle_deg", &unused) ? "angle_deg"
                                                                  : NULL;
    if (node->kind == POF_NODE_PQ) {
        return key ? pof_json_fail(at, key, err, POF_E_CONFLICT,
                                   "a node of kind pq does not hold its voltage; kind pv and slack do")
                   : 0;
    }
    int rc = read_members(at, node_held, node, err);
    return rc ? rc : read_angle(at, "angle_deg", &node->angle_set, err);
}

static int read_place(const struct pof_json *at, struct pof_node *node, struct pof_err *err)
{
    int x = pof_json_real_opt(at, "x", &anywhere, &node->x, err);
    int y = x < 0 ? x : pof_json_real_opt(at, "y", &anywhere, &node->y, err);
    if (y < 0) {
        return y;
    }
    node->has_xy = x && y;
    return x == y ? 0
                  : pof_json_fail(at, x ? "y" : "x", err, POF_E_MISSING,
                                  "x and y make a place only together");
}

static int read_node(struct pof_build *b, const struct pof_json *at, struct pof_err *err)
{
    static const struct pof_json_range volts = {50, 1.5e6, IN_V};
    struct pof_text name = {0};
    double base_v = 0;
    int kind = POF_NODE_PQ;
    int rc = pof_json_is_object(at, err);
    rc = rc ? rc : pof_json_only(at, node_keys, err);
    rc = rc ? rc : pof_json_text(at, "name", &name, err);
    rc = rc ? rc : pof_json_real(at, "base_v", &volts, &base_v, err);
    if (rc || (rc = pof_json_word_opt(at, "kind", node_kinds, &kind, err)) < 0) {
        return rc;
    }
    struct pof_node node = pof_node_default(name, base_v);
    node.kind = (enum pof_node_kind)kind;
    rc = read_held(at, &node, err);
    rc = rc ? rc : read_members(at, node_members, &node, err);
    rc = rc ? rc : read_place(at, &node, err);
    if (rc || (rc = pof_json_bool_opt(at, "zero_injection", &node.zero_injection, err)) < 0) {
        return rc;
    }
    rc = pof_build_node(b, &node, err);
    return rc ? pof_json_place(at, NULL, err) : 0;
}

/* Members that belong to another form would be silently without effect: refuse them. */
static int refuse_other_forms(const struct pof_json *at, const struct form *form,
                              struct pof_err *err)
{
    for (size_t f = 0; f < FORMS; f++) {
        for (const struct member *m = forms[f].members; m->key && &forms[f] != form; m++) {
            struct pof_json unused;
            if (pof_json_member(at, m->key, &unused)) {
                return pof_json_fail(at, m->key, err, POF_E_CONFLICT,
                                     "'%s' does not belong to a branch given by %s", m->key,
                                     form ? form->first : "nothing but its ends");
            }
        }
    }
    return 0;
}

static int find_form(const struct pof_json *at, int kind, const struct form **form,
                     struct pof_err *err)
{
    struct pof_json unused;
    *form = NULL;
    for (size_t f = 0; f < FORMS && !*form; f++) {
        *form = pof_json_member(at, forms[f].first, &unused) ? &forms[f] : NULL;
    }
    if (*form && !(*form)->of_kind[kind]) {
        return pof_json_fail(at, (*form)->first, err, POF_E_CONFLICT,
                             "a %s is not given by '%s'; see pof-grid(5)", branch_kinds[kind],
                             (*form)->first);
    }
    if (!*form && kind != POF_BRANCH_SWITCH) {
        return pof_json_fail(at, NULL, err, POF_E_MISSING,
                             kind == POF_BRANCH_LINE
                                 ? "the line has no impedance: give r_ohm_per_km, x_ohm_per_km and "
                                   "length_km, or r_ohm and x_ohm, or r_pu and x_pu"
                                 : "the transformer has no impedance: give sn_va, uk_pct and pk_w, "
                                   "or r_pu and x_pu");
    }
    return refuse_other_forms(at, *form, err);
}

static int check_asset(const struct pof_grid *grid, const struct pof_json *at,
                       const struct pof_asset *a, const struct pof_branch *b, struct pof_err *err)
{
    if (a->b_us != 0 && a->c_nf != 0) {
        return pof_json_fail(at, a->form == POF_FORM_OHM ? "c_nf" : "c_nf_per_km", err,
                             POF_E_CONFLICT, "capacitance and susceptance say the same; give one");
    }
    const double rated[] = {a->v_from, a->v_to};
    const uint32_t end[] = {b->from, b->to};
    for (int i = 0; i < 2; i++) {
        double base = grid->node[end[i]].base_v;
        if (rated[i] != 0 && (rated[i] < base / 2 || rated[i] > base * 2)) {
            return pof_json_fail(at, i ? "v_to_v" : "v_from_v", err, POF_E_PHYSICS,
                                 "rated %.15g V does not fit the %.15g V of node '%s'; are the ends "
                                 "exchanged?",
                                 rated[i], base, grid->node[end[i]].name.ptr);
        }
    }
    return 0;
}

static int read_impedance(const struct pof_grid *grid, const struct pof_json *at,
                          struct pof_branch *b, struct pof_asset *a, struct pof_err *err)
{
    const struct form *form;
    int rc = find_form(at, (int)b->kind, &form, err);
    if (rc) {
        return rc;
    }
    if (!form) {
        b->x = POF_SWITCH_X_PER_VA * grid->base_va;
        return 0;
    }
    a->form = form->form;
    rc = read_members(at, form->members, form->form == POF_FORM_PU ? (void *)b : (void *)a, err);
    rc = rc ? rc : check_asset(grid, at, a, b, err);
    if (rc == 0 && !pof_asset_model(grid, a, b)) {
        rc = pof_json_fail(at, a->pk_w > a->uk_pct / 100 * a->sn_va ? "pk_w" : "p0_w", err,
                           POF_E_PHYSICS, "losses exceed what %s and sn_va allow",
                           a->pk_w > a->uk_pct / 100 * a->sn_va ? "uk_pct" : "i0_pct");
    }
    return rc;
}

/* In A (lines and switches) or VA; a transformer given by its plate is rated sn_va. */
static int read_rating(const struct pof_json *at, struct pof_branch *b, struct pof_asset *a,
                       struct pof_err *err)
{
    b->rating_va = a->form == POF_FORM_PLATE ? a->sn_va : 0;
    int in_va = pof_json_real_opt(at, "rating_va", &rating_va, &b->rating_va, err);
    int in_a = in_va < 0 ? in_va : pof_json_real_opt(at, "rating_a", &rating_a, &a->rating_a, err);
    if (in_a < 0) {
        return in_a;
    }
    if (in_a && (in_va || b->kind == POF_BRANCH_TRANSFORMER)) {
        return pof_json_fail(at, "rating_a", err, POF_E_CONFLICT,
                             in_va ? "the rating is given in A and in VA; give one"
                                   : "a transformer is rated in VA: rating_va");
    }
    return 0;
}

static int read_end(const struct pof_grid *grid, const struct pof_json *at, const char *key,
                    uint32_t *node, struct pof_err *err)
{
    struct pof_text name;
    int rc = pof_json_text(at, key, &name, err);
    if (rc) {
        return rc;
    }
    *node = pof_names_find(&grid->node_names, name);
    return *node != POF_NONE ? 0
                             : pof_json_fail(at, key, err, POF_E_REFERENCE,
                                             "'%.64s' is not the name of a node", name.ptr);
}

static int read_branch(struct pof_build *build, const struct pof_json *at, struct pof_err *err)
{
    struct pof_branch b = {.ratio = 1, .closed = true};
    struct pof_asset a = {.form = POF_FORM_PU};
    int kind = -1;
    int rc = pof_json_is_object(at, err);
    rc = rc ? rc : pof_json_only(at, branch_keys, err);
    rc = rc ? rc : pof_json_text(at, "name", &b.name, err);
    if (rc || (rc = pof_json_word_opt(at, "kind", branch_kinds, &kind, err)) < 0) {
        return rc;
    }
    if (kind < 0) {
        return pof_json_fail(at, "kind", err, POF_E_MISSING,
                             "'kind' is required: line, transformer or switch");
    }
    b.kind = (enum pof_branch_kind)kind;
    rc = read_end(build->grid, at, "from", &b.from, err);
    rc = rc ? rc : read_end(build->grid, at, "to", &b.to, err);
    rc = rc ? rc : read_impedance(build->grid, at, &b, &a, err);
    rc = rc ? rc : read_angle(at, "shift_deg", &b.shift, err);
    rc = rc ? rc : read_rating(at, &b, &a, err);
    if (rc || (rc = pof_json_bool_opt(at, "closed", &b.closed, err)) < 0) {
        return rc;
    }
    bool known = a.form != POF_FORM_PU || a.rating_a > 0;
    b.asset = known && pof_asset_model(build->grid, &a, &b) ? &a : NULL;
    rc = pof_build_branch(build, &b, err);
    return rc ? pof_json_place(at, NULL, err) : 0;
}

static int read_all(struct pof_build *b, const struct pof_json *root, const char *key,
                    int (*read)(struct pof_build *, const struct pof_json *, struct pof_err *),
                    struct pof_err *err)
{
    struct pof_json array;
    int rc = pof_json_array(root, key, &array, err);
    for (size_t i = 0; rc == 0 && i < pof_json_size(&array); i++) {
        struct pof_json item = pof_json_item(&array, i);
        rc = read(b, &item, err);
    }
    return rc;
}

static int read_grid(struct pof_build *b, const struct pof_json *root, struct pof_err *err)
{
    static const struct pof_json_range base = {1, 1e12, "the unit is VA: 1 MVA is 1000000"};
    static const struct pof_json_range hertz = {1, 1000, NULL};
    struct pof_grid *grid = b->grid;
    struct pof_text schema, name = {0};
    int rc = pof_json_is_object(root, err);
    rc = rc ? rc : pof_json_text(root, "schema", &schema, err);
    if (rc == 0 && !pof_text_is(schema, SCHEMA)) {
        rc = pof_json_fail(root, "schema", err, POF_E_SCHEMA, "'%.40s' is not '%s'", schema.ptr,
                           SCHEMA);
    }
    rc = rc ? rc : pof_json_only(root, grid_keys, err);
    rc = rc ? rc : pof_json_real(root, "base_va", &base, &grid->base_va, err);
    grid->f_hz = 50;
    if (rc || (rc = pof_json_real_opt(root, "f_hz", &hertz, &grid->f_hz, err)) < 0 ||
        (rc = pof_json_text_opt(root, "name", &name, err)) < 0) {
        return rc;
    }
    char *copy = pof_arena_text(&grid->arena, name.ptr ? name.ptr : "", name.len, err);
    if (!copy) {
        return POF_E_NOMEM;
    }
    grid->name = (struct pof_text){copy, name.len};
    rc = read_all(b, root, "nodes", read_node, err);
    rc = rc ? rc : read_all(b, root, "branches", read_branch, err);
    if (rc == 0 && (rc = pof_build_finish(b, err)) != 0) {
        pof_json_place(root, "nodes", err);
    }
    return rc;
}

int pof_grid_parse(struct pof_grid *grid, const char *json, size_t len, const char *name,
                   struct pof_err *err)
{
    *grid = (struct pof_grid){0};
    struct pof_json_doc *doc;
    int rc = pof_json_parse(&doc, json, len, name, err);
    if (rc) {
        return rc;
    }
    struct pof_json root = pof_json_root(doc);
    struct pof_build build = {.grid = grid};
    rc = read_grid(&build, &root, err);
    if (rc) {
        pof_grid_release(grid);
    }
    pof_json_free(doc);
    return rc;
}

/* --- writing --- */

static int put_key(struct pof_buf *to, const char *key, struct pof_err *err)
{
    return pof_buf_addf(to, err, ", \"%s\": ", key);
}

static int put_real(struct pof_buf *to, const char *key, double v, struct pof_err *err)
{
    char text[POF_REAL_MAX];
    size_t n = pof_real_format(v, text);
    int rc = put_key(to, key, err);
    return rc ? rc : pof_buf_add(to, text, n, err);
}

static int put_text(struct pof_buf *to, const char *key, struct pof_text text, struct pof_err *err)
{
    int rc = put_key(to, key, err);
    return rc ? rc : pof_json_string(to, text, err);
}

static int put_members(struct pof_buf *to, const struct member *m, const void *base,
                       struct pof_err *err)
{
    int rc = 0;
    for (; m->key && rc == 0; m++) {
        double v = *(const double *)(const void *)((const char *)base + m->offset);
        if (m->required || v != m->without) {
            rc = put_real(to, m->key, v, err);
        }
    }
    return rc;
}

static int put_angle(struct pof_buf *to, const char *key, double rad, struct pof_err *err)
{
    return rad == 0 ? 0 : put_real(to, key, pof_deg_of_rad(rad), err);
}

static int put_node(struct pof_buf *to, const struct pof_node *n, struct pof_err *err)
{
    int rc = pof_buf_adds(to, "{\"name\": ", err);
    rc = rc ? rc : pof_json_string(to, n->name, err);
    rc = rc ? rc : put_real(to, "base_v", n->base_v, err);
    if (rc == 0 && n->kind != POF_NODE_PQ) {
        rc = put_text(to, "kind", pof_text(node_kinds[n->kind]), err);
        rc = rc ? rc : put_members(to, node_held, n, err);
        rc = rc ? rc : put_angle(to, "angle_deg", n->angle_set, err);
    }
    rc = rc ? rc : put_members(to, node_members, n, err);
    if (rc == 0 && n->zero_injection) {
        rc = pof_buf_adds(to, ", \"zero_injection\": true", err);
    }
    if (rc == 0 && n->has_xy) {
        rc = put_real(to, "x", n->x, err);
        rc = rc ? rc : put_real(to, "y", n->y, err);
    }
    return rc ? rc : pof_buf_adds(to, "}", err);
}

/* Does the asset still say what the branch is? A program may have changed the branch. */
static bool asset_holds(const struct pof_grid *grid, const struct pof_branch *b)
{
    if (!b->asset) {
        return false;
    }
    struct pof_branch again = *b;
    return pof_asset_model(grid, b->asset, &again) && again.r == b->r && again.x == b->x &&
           again.g == b->g && again.b == b->b && again.ratio == b->ratio &&
           again.rating_va == b->rating_va;
}

static int put_impedance(struct pof_buf *to, const struct pof_grid *grid,
                         const struct pof_branch *b, struct pof_err *err)
{
    enum pof_form said = asset_holds(grid, b) ? b->asset->form : POF_FORM_PU;
    bool ideal = b->kind == POF_BRANCH_SWITCH && b->r == 0 && b->g == 0 && b->b == 0 &&
                 b->x == POF_SWITCH_X_PER_VA * grid->base_va;
    for (size_t f = 0; f < FORMS && !ideal; f++) {
        if (forms[f].form == said) {
            return put_members(to, forms[f].members,
                               said == POF_FORM_PU ? (const void *)b : (const void *)b->asset, err);
        }
    }
    return 0;
}

static int put_rating(struct pof_buf *to, const struct pof_grid *grid, const struct pof_branch *b,
                      struct pof_err *err)
{
    bool holds = asset_holds(grid, b);
    if (holds && b->asset->rating_a > 0) {
        return put_real(to, "rating_a", b->asset->rating_a, err);
    }
    double without = holds && b->asset->form == POF_FORM_PLATE ? b->asset->sn_va : 0;
    return b->rating_va == without ? 0 : put_real(to, "rating_va", b->rating_va, err);
}

static int put_branch(struct pof_buf *to, const struct pof_grid *grid, const struct pof_branch *b,
                      struct pof_err *err)
{
    int rc = pof_buf_adds(to, "{\"name\": ", err);
    rc = rc ? rc : pof_json_string(to, b->name, err);
    rc = rc ? rc : put_text(to, "kind", pof_text(branch_kinds[b->kind]), err);
    rc = rc ? rc : put_text(to, "from", grid->node[b->from].name, err);
    rc = rc ? rc : put_text(to, "to", grid->node[b->to].name, err);
    rc = rc ? rc : put_impedance(to, grid, b, err);
    rc = rc ? rc : put_angle(to, "shift_deg", b->shift, err);
    rc = rc ? rc : put_rating(to, grid, b, err);
    if (rc == 0 && !b->closed) {
        rc = pof_buf_adds(to, ", \"closed\": false", err);
    }
    return rc ? rc : pof_buf_adds(to, "}", err);
}

static int put_head(struct pof_buf *to, const struct pof_grid *grid, struct pof_err *err)
{
    int rc = pof_buf_adds(to, "{\"schema\": \"" SCHEMA "\"", err);
    if (rc == 0 && grid->name.len) {
        rc = put_text(to, "name", grid->name, err);
    }
    rc = rc ? rc : put_real(to, "base_va", grid->base_va, err);
    return rc ? rc : put_real(to, "f_hz", grid->f_hz, err);
}

int pof_grid_write(const struct pof_grid *grid, struct pof_buf *to, struct pof_err *err)
{
    int rc = put_head(to, grid, err);
    rc = rc ? rc : pof_buf_adds(to, ",\n \"nodes\": [", err);
    for (uint32_t i = 0; i < grid->nodes && rc == 0; i++) {
        rc = pof_buf_adds(to, i ? ",\n  " : "\n  ", err);
        rc = rc ? rc : put_node(to, &grid->node[i], err);
    }
    rc = rc ? rc : pof_buf_adds(to, "],\n \"branches\": [", err);
    for (uint32_t i = 0; i < grid->branches && rc == 0; i++) {
        rc = pof_buf_adds(to, i ? ",\n  " : "\n  ", err);
        rc = rc ? rc : put_branch(to, grid, &grid->branch[i], err);
    }
    return rc ? rc : pof_buf_adds(to, "]}\n", err);
}
