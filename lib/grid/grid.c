/* SPDX-License-Identifier: Apache-2.0 */
/* Reading pof.grid/1 documents. */
#include "grid/build.h"
#include "grid/document.h"
#include "grid/document_plain.h"

#include <string.h>

static const char *const grid_keys[] = {"schema", "name",     "base_va", "f_hz",
                                        "nodes",  "branches", "shunts", NULL};
static const char *const node_keys[] = {
    "name",      "base_v",    "kind",       "v_set_pu", "angle_deg", "p_w",      "q_var",
    "ip_w",      "iq_var",    "rated_w",    "g_w",      "b_var",     "v_min_pu", "v_max_pu",
    "q_min_var", "q_max_var", "slack_share", "p_w_abc", "q_var_abc", "ip_w_abc", "iq_var_abc",
    "g_w_abc",   "b_var_abc", "g0_w",       "b0_var",   "zero_injection", "x",   "y", "v_start_pu",
    "angle_start_deg", NULL};
static const char *const branch_keys[] = {
    "name", "kind", "from", "to", "closed", "rating_a", "rating_va", "shift_deg",
    "r_pu", "x_pu", "g_pu", "b_pu", "ratio", "r0_pu", "x0_pu", "g0_pu", "b0_pu",
    "r_matrix_pu", "x_matrix_pu", "g_matrix_pu", "b_matrix_pu",
    "r_ohm", "x_ohm", "b_us", "c_nf", "r0_ohm", "x0_ohm", "b0_us", "c0_nf",
    "r_matrix_ohm", "x_matrix_ohm", "b_matrix_us", "c_matrix_nf",
    "length_km", "r_ohm_per_km", "x_ohm_per_km", "b_us_per_km", "c_nf_per_km",
    "r0_ohm_per_km", "x0_ohm_per_km", "b0_us_per_km", "c0_nf_per_km",
    "r_matrix_ohm_per_km", "x_matrix_ohm_per_km", "b_matrix_us_per_km", "c_matrix_nf_per_km",
    "neutral", "sn_va", "v_from_v", "v_to_v", "uk_pct", "pk_w", "i0_pct", "p0_w", "tap_pct",
    "uk0_pct", "pk0_w", "i0_zero_pct", "p0_zero_w", "winding_from", "winding_to", "clock",
    "r_ground_from_ohm", "x_ground_from_ohm", "r_ground_to_ohm", "x_ground_to_ohm",
    "r_ground_from_pu", "x_ground_from_pu", "r_ground_to_pu", "x_ground_to_pu", "tap", NULL};

int pofi_read_members(const struct pof_json *object, const struct pofi_member *m, void *base,
                      struct pof_err *err)
{
    for (; m->key; m++) {
        double *v = (double *)(void *)((char *)base + m->offset);
        *v = m->without;
        int rc = m->required ? pof_json_real(object, m->key, &m->range, v, err)
                             : pof_json_real_opt(object, m->key, &m->range, v, err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

bool pofi_any_member(const struct pof_json *object, const struct pofi_member *m, const char **key)
{
    for (; m->key; m++) {
        struct pof_json unused;
        if (pof_json_member(object, m->key, &unused)) {
            *key = m->key;
            return true;
        }
    }
    return false;
}

static int read_angle(const struct pof_json *object, const char *key, double *rad,
                      struct pof_err *err)
{
    double deg;
    int rc = pof_json_real_opt(object, key, &pofi_degrees, &deg, err);
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
    int rc = pofi_read_members(at, pofi_node_held, node, err);
    return rc ? rc : read_angle(at, "angle_deg", &node->angle_set, err);
}

static int read_place(const struct pof_json *at, struct pof_node *node, struct pof_err *err)
{
    int x = pof_json_real_opt(at, "x", &pofi_anywhere, &node->x, err);
    int y = x < 0 ? x : pof_json_real_opt(at, "y", &pofi_anywhere, &node->y, err);
    if (y < 0) {
        return y;
    }
    node->has_xy = x && y;
    return x == y ? 0
                  : pof_json_fail(at, x ? "y" : "x", err, POF_E_MISSING,
                                  "x and y make a place only together");
}

/* What a generator may inject: both limits or none. */
static int read_limits(const struct pof_json *at, struct pof_node *node, struct pof_err *err)
{
    int min = pof_json_real_opt(at, "q_min_var", &pofi_anywhere, &node->q_min_var, err);
    int max = min < 0 ? min : pof_json_real_opt(at, "q_max_var", &pofi_anywhere, &node->q_max_var, err);
    if (max < 0) {
        return max;
    }
    if (min != max) {
        return pof_json_fail(at, min ? "q_max_var" : "q_min_var", err, POF_E_MISSING,
                             "q_min_var and q_max_var are limits only together");
    }
    node->has_q_limits = min == 1;
    return node->has_q_limits && node->kind == POF_NODE_PQ
               ? pof_json_fail(at, "q_min_var", err, POF_E_CONFLICT,
                               "the reactive power of a node of kind pq is given, not limited")
               : 0;
}

/* What was read before, without error: most nodes and branches have the same members as the one before,
 * and need not be asked again which of all possible ones they have. */
struct before {
    struct pof_json at;
    bool any;
    const struct pofi_form *form; /* of a branch */
};

static bool alike(const struct before *b, const struct pof_json *at)
{
    return b->any && pof_json_alike(&b->at, at);
}

static int read_node(struct pof_build *b, const struct pof_json *at, struct before *before,
                     struct pof_err *err)
{
    struct pof_text name = {0};
    double base_v = 0;
    int kind = POF_NODE_PQ;
    int rc = pof_json_is_object(at, err);
    rc = rc || alike(before, at) ? rc : pof_json_only(at, node_keys, err);
    rc = rc ? rc : pof_json_text(at, "name", &name, err);
    rc = rc ? rc : pof_json_real(at, "base_v", &pofi_volts, &base_v, err);
    if (rc || (rc = pof_json_word_opt(at, "kind", pofi_node_kinds, &kind, err)) < 0) {
        return rc;
    }
    struct pof_node node = pof_node_default(name, base_v);
    struct pof_node_phases phases;
    node.kind = (enum pof_node_kind)kind;
    rc = read_held(at, &node, err);
    rc = rc ? rc : pofi_read_members(at, pofi_node_members, &node, err);
    rc = rc ? rc : read_angle(at, "angle_start_deg", &node.angle_start, err);
    rc = rc ? rc : read_limits(at, &node, err);
    rc = rc ? rc : pofi_read_node_phases(at, &node, &phases, err);
    rc = rc ? rc : read_place(at, &node, err);
    if (rc || (rc = pof_json_bool_opt(at, "zero_injection", &node.zero_injection, err)) < 0) {
        return rc;
    }
    rc = pof_build_node(b, &node, err);
    return rc ? pof_json_place(at, NULL, err) : 0;
}

/* Has a form a member of that name? Matrices of p.u. belong to what else is in p.u. */
static bool has_member(const struct pofi_form *f, const char *key)
{
    const struct pofi_member *const lists[] = {f->members, f->zero};
    for (int l = 0; l < 2; l++) {
        for (const struct pofi_member *m = lists[l]; m && m->key; m++) {
            if (strcmp(m->key, key) == 0) {
                return true;
            }
        }
    }
    for (int k = 0; k < 4 && f->matrices; k++) {
        if (strcmp(f->matrices[k], key) == 0) {
            return true;
        }
    }
    return false;
}

static int refuse(const struct pof_json *at, const char *key, const struct pofi_form *form,
                  struct pof_err *err)
{
    struct pof_json unused;
    return pof_json_member(at, key, &unused) && !(form && has_member(form, key))
               ? pof_json_fail(at, key, err, POF_E_CONFLICT,
                               "'%s' does not belong to a branch given by %s", key,
                               form ? form->first : "nothing but its ends")
               : 0;
}

/* Members that belong to another form would be silently without effect: refuse them. */
static int refuse_other_forms(const struct pof_json *at, const struct pofi_form *form,
                              struct pof_err *err)
{
    int rc = 0;
    for (const struct pofi_form *f = pofi_forms; f < pofi_forms + POFI_FORMS; f++) {
        const struct pofi_member *const lists[] = {f->members, f->zero};
        for (int l = 0; l < 2 && f != form; l++) {
            for (const struct pofi_member *m = lists[l]; m && m->key && rc == 0; m++) {
                rc = refuse(at, m->key, form, err);
            }
        }
        for (int k = 0; k < 4 && f->matrices && f != form && rc == 0; k++) {
            rc = refuse(at, f->matrices[k], form, err);
        }
    }
    return rc;
}

static int find_form(const struct pof_json *at, struct pofi_branch_read *r, struct pof_err *err)
{
    const struct pofi_form **form = &r->form;
    int kind = (int)r->b.kind;
    struct pof_json unused;
    *form = NULL;
    /* Of a first member that is one of several kinds of branch, the form that suits this one. */
    for (size_t f = 0; f < POFI_FORMS; f++) {
        bool given = pof_json_member(at, pofi_forms[f].first, &unused);
        *form = given && (!*form || pofi_forms[f].of_kind[kind]) ? &pofi_forms[f] : *form;
    }
    if (*form && !(*form)->of_kind[kind]) {
        return pof_json_fail(at, (*form)->first, err, POF_E_CONFLICT,
                             "a %s is not given by '%s'; see pof-grid(5)", pofi_branch_kinds[kind],
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
    return *form && *form == r->fits ? 0 : refuse_other_forms(at, *form, err);
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

static int read_impedance(const struct pof_json *at, struct pofi_branch_read *r, struct pof_err *err)
{
    struct pof_asset *a = &r->asset;
    int rc = find_form(at, r, err);
    if (rc) {
        return rc;
    }
    if (!r->form) {
        r->b.x = POF_SWITCH_X_PER_VA * r->grid->base_va;
        return 0;
    }
    a->form = r->form->form;
    bool pu = a->form == POF_FORM_PU;
    rc = pofi_read_members(at, r->form->members, pu ? (void *)&r->b : (void *)a, err);
    rc = rc || pu || !r->form->matrices ? rc : pofi_read_conductors(at, r, err);
    rc = rc ? rc : check_asset(r->grid, at, a, &r->b, err);
    if (rc == 0 && !pof_asset_model(r->grid, a, &r->b)) {
        bool winding = a->pk_w > a->uk_pct / 100 * a->sn_va;
        rc = a->conductors ? pof_json_fail(at, r->form->first, err, POF_E_PHYSICS,
                                           "the neutral has no impedance")
                           : pof_json_fail(at, winding ? "pk_w" : "p0_w", err, POF_E_PHYSICS,
                                           "losses exceed what %s and sn_va allow",
                                           winding ? "uk_pct" : "i0_pct");
    }
    return rc;
}

/* In A (lines and switches) or VA; a transformer given by its plate is rated sn_va. */
static int read_rating(const struct pof_json *at, struct pof_branch *b, struct pof_asset *a,
                       struct pof_err *err)
{
    b->rating_va = a->form == POF_FORM_PLATE ? a->sn_va : 0;
    int in_va = pof_json_real_opt(at, "rating_va", &pofi_rating_va, &b->rating_va, err);
    int in_a = in_va < 0 ? in_va : pof_json_real_opt(at, "rating_a", &pofi_rating_a, &a->rating_a, err);
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

int pofi_read_end(const struct pof_grid *grid, const struct pof_json *at, const char *key,
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

static int read_kind(const struct pof_json *at, enum pof_branch_kind *kind, struct pof_err *err)
{
    int word = 0;
    int rc = pof_json_word_opt(at, "kind", pofi_branch_kinds, &word, err);
    if (rc == 0) {
        return pof_json_fail(at, "kind", err, POF_E_MISSING,
                             "'kind' is required: line, transformer or switch");
    }
    *kind = (enum pof_branch_kind)word;
    return rc < 0 ? rc : 0;
}

static int read_branch(struct pof_build *build, const struct pof_json *at, struct before *before,
                       struct pof_err *err)
{
    struct pofi_branch_read r = {.grid = build->grid, .b = {.ratio = 1, .closed = true}};
    struct pof_branch *b = &r.b;
    struct pof_asset *a = &r.asset;
    int rc = pof_json_is_object(at, err);
    bool same = rc == 0 && alike(before, at);
    r.fits = same ? before->form : NULL;
    rc = rc || same ? rc : pof_json_only(at, branch_keys, err);
    rc = rc ? rc : pof_json_text(at, "name", &b->name, err);
    rc = rc ? rc : read_kind(at, &b->kind, err);
    rc = rc ? rc : pofi_read_end(build->grid, at, "from", &b->from, err);
    rc = rc ? rc : pofi_read_end(build->grid, at, "to", &b->to, err);
    rc = rc ? rc : pofi_read_tap(at, &r, err);
    rc = rc ? rc : read_impedance(at, &r, err);
    rc = rc ? rc : read_angle(at, "shift_deg", &b->shift, err);
    rc = rc ? rc : pofi_read_branch_phases(at, &r, err);
    rc = rc ? rc : read_rating(at, b, a, err);
    if (rc || (rc = pof_json_bool_opt(at, "closed", &b->closed, err)) < 0) {
        return rc;
    }
    bool known = a->form != POF_FORM_PU || a->rating_a > 0;
    b->asset = known && pof_asset_model(build->grid, a, b) ? a : NULL;
    before->form = r.form;
    rc = pof_build_branch(build, b, err);
    return rc ? pof_json_place(at, NULL, err) : 0;
}

int pofi_read_node(struct pof_build *b, const struct pof_json *at, struct pof_err *err)
{
    return read_node(b, at, &(struct before){.any = false}, err);
}

int pofi_read_branch(struct pof_build *b, const struct pof_json *at, struct pof_err *err)
{
    return read_branch(b, at, &(struct before){.any = false}, err);
}

static int read_bank(struct pof_build *b, const struct pof_json *at, struct before *before,
                     struct pof_err *err)
{
    (void)before; /* banks are few */
    return pofi_read_bank(b, at, err);
}

static int read_all(struct pof_build *b, const struct pof_json *root, const char *key,
                    int (*read)(struct pof_build *, const struct pof_json *, struct before *,
                                struct pof_err *),
                    struct pof_err *err)
{
    struct before before = {.any = false};
    struct pof_json array;
    int rc = pof_json_array(root, key, &array, err);
    for (size_t i = 0; rc == 0 && i < pof_json_size(&array); i++) {
        struct pof_json item = pof_json_item(&array, i);
        rc = read(b, &item, &before, err);
        before.at = item;
        before.any = true;
    }
    return rc;
}

static int read_grid(struct pof_build *b, const struct pof_json *root, struct pof_err *err)
{
    struct pof_grid *grid = b->grid;
    struct pof_text schema, name = {0};
    struct pof_json shunts;
    int rc = pof_json_is_object(root, err);
    rc = rc ? rc : pof_json_text(root, "schema", &schema, err);
    if (rc == 0 && !pof_text_is(schema, POFI_GRID_SCHEMA)) {
        rc = pof_json_fail(root, "schema", err, POF_E_SCHEMA, "'%.40s' is not '%s'", schema.ptr,
                           POFI_GRID_SCHEMA);
    }
    rc = rc ? rc : pof_json_only(root, grid_keys, err);
    rc = rc ? rc : pof_json_real(root, "base_va", &pofi_base_va, &grid->base_va, err);
    grid->f_hz = 50;
    if (rc || (rc = pof_json_real_opt(root, "f_hz", &pofi_hertz, &grid->f_hz, err)) < 0 ||
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
    if (rc == 0 && pof_json_member(root, "shunts", &shunts)) {
        rc = read_all(b, root, "shunts", read_bank, err);
    }
    if (rc == 0 && (rc = pof_build_finish(b, err)) != 0) {
        pof_json_place(root, "nodes", err);
    }
    return rc;
}

int pofi_grid_tree(struct pof_grid *grid, struct pof_text text, const char *name, struct pof_err *err)
{
    struct pof_json_doc *doc;
    int rc = pof_json_parse(&doc, text.ptr, text.len, name, err);
    if (rc) {
        return rc;
    }
    struct pof_json root = pof_json_root(doc);
    rc = read_grid(&(struct pof_build){.grid = grid}, &root, err);
    pof_json_free(doc);
    return rc;
}

int pof_grid_parse(struct pof_grid *grid, const char *json, size_t len, const char *name,
                   struct pof_err *err)
{
    const struct pof_text text = {json, len};
    *grid = (struct pof_grid){0};
    int rc = pofi_grid_plain(&(struct pof_build){.grid = grid}, text, err);
    if (rc == 1) {
        return 0;
    }
    pof_grid_release(grid);
    rc = rc ? rc : pofi_grid_tree(grid, text, name, err);
    if (rc) {
        pof_grid_release(grid);
    }
    return rc;
}
