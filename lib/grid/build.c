/* SPDX-License-Identifier: Apache-2.0 */
/* Making a grid. */
#include "grid/build.h"
#include "num/real.h"
#include "record/scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PI 3.14159265358979323846

/* A name in a message: "%.*s", T(name). */
#define T(text) (int)(text).len, (text).ptr

double pof_rad_of_deg(double deg)
{
    return deg * (PI / 180);
}

double pof_deg_of_rad(double rad)
{
    double deg = rad * (180 / PI);
    double tried = deg;
    for (int digits = 12; digits <= 17; digits++) {
        char text[POF_REAL_MAX];
        int n = snprintf(text, sizeof text, "%.*g", digits, deg);
        if (pof_real_parse((struct pof_text){text, (size_t)n}, &tried) &&
            pof_rad_of_deg(tried) == rad) {
            return tried;
        }
    }
    double below = deg, above = deg;
    for (int ulps = 0; ulps < 4; ulps++) {
        if (pof_rad_of_deg(below) == rad) {
            return below;
        }
        if (pof_rad_of_deg(above) == rad) {
            return above;
        }
        below = nextafter(below, -INFINITY);
        above = nextafter(above, INFINITY);
    }
    return deg;
}

static int check_name(struct pof_text name, const char *what, struct pof_err *err)
{
    if (name.len == 0) {
        return pof_fail(err, POF_E_RANGE, "a %s has no name", what);
    }
    if (name.len > POF_GRID_NAME_MAX) {
        return pof_fail(err, POF_E_TOO_LONG, "%s name '%.40s...' has %zu bytes, at most %d are allowed",
                        what, name.ptr, name.len, POF_GRID_NAME_MAX);
    }
    if (!pofi_is_utf8(name)) {
        return pof_fail(err, POF_E_ENCODING, "%s name '%.*s' is not UTF-8", what, T(name));
    }
    return 0;
}

/* What a document can hold (pof-grid(5)); numbers beyond come from a mistake in their unit. */
struct bound {
    const char *what;
    double value, min, max;
};

static int check_bounds(const struct bound *b, size_t n, const char *kind, struct pof_text name,
                        struct pof_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!(b[i].value >= b[i].min && b[i].value <= b[i].max)) {
            return pof_fail(err, isfinite(b[i].value) ? POF_E_RANGE : POF_E_NUMBER,
                            "%s %.15g of %s '%.*s' is not in %.15g .. %.15g", b[i].what, b[i].value,
                            kind, T(name), b[i].min, b[i].max);
        }
    }
    return 0;
}

struct pof_node pof_node_default(struct pof_text name, double base_v)
{
    return (struct pof_node){
        .name = name, .base_v = base_v, .v_min_pu = 0.9, .v_max_pu = 1.1, .v_set_pu = 1};
}

static int check_node(const struct pof_node *n, struct pof_err *err)
{
    bool held = n->kind != POF_NODE_PQ;
    const struct bound bounds[] = {
        {"nominal voltage (V)", n->base_v, 50, 1.5e6},
        {"voltage held (p.u.)", held ? n->v_set_pu : 1, 0.5, 1.5},
        {"angle held (rad)", n->angle_set, -6.2832, 6.2832},
        {"lower voltage limit (p.u.)", n->v_min_pu, 0, 2},
        {"upper voltage limit (p.u.)", n->v_max_pu, 0, 3},
        {"active power (W)", n->p_w, -1e12, 1e12},
        {"reactive power (var)", n->q_var, -1e12, 1e12},
        {"rated power (W)", n->rated_w, 0, 1e12},
        {"shunt (W)", n->g_w, -1e12, 1e12},
        {"shunt (var)", n->b_var, -1e12, 1e12},
        {"place x", n->x, -1e12, 1e12},
        {"place y", n->y, -1e12, 1e12},
    };
    int rc = check_bounds(bounds, sizeof bounds / sizeof bounds[0], "node", n->name, err);
    if (rc) {
        return rc;
    }
    if (n->v_min_pu >= n->v_max_pu) {
        return pof_fail(err, POF_E_PHYSICS,
                        "voltage limits %.15g .. %.15g p.u. of node '%.*s' leave no room",
                        n->v_min_pu, n->v_max_pu, T(n->name));
    }
    bool fed = n->p_w != 0 || n->q_var != 0 || n->rated_w != 0 || n->kind != POF_NODE_PQ;
    if (n->zero_injection && fed) {
        return pof_fail(err, POF_E_CONFLICT,
                        "node '%.*s' is marked zero_injection but something is connected to it",
                        T(n->name));
    }
    return 0;
}

/* A copy of a name in the set and in *name; DUPLICATE when it is there already. */
static int take_name(struct pof_names *names, struct pof_text *name, uint32_t index,
                     const char *what, struct pof_err *err)
{
    if (pof_names_find(names, *name) != POF_NONE) {
        return pof_fail(err, POF_E_DUPLICATE, "%s name '%.*s' was given before", what,
                        T(*name));
    }
    uint32_t id;
    int rc = pof_names_add(names, *name, &id, err);
    if (rc == 0 && id != index) {
        rc = pof_fail(err, POF_E_INTERNAL, "names and %ss are out of step", what);
    }
    if (rc == 0) {
        *name = names->text[id];
    }
    return rc;
}

int pof_build_node(struct pof_build *b, const struct pof_node *node, struct pof_err *err)
{
    struct pof_grid *g = b->grid;
    int rc = check_name(node->name, "node", err);
    rc = rc ? rc : check_node(node, err);
    rc = rc ? rc : pof_grow(&g->node, &b->node_cap, (size_t)g->nodes + 1, sizeof *g->node, err);
    struct pof_node copy = *node;
    rc = rc ? rc : take_name(&g->node_names, &copy.name, g->nodes, "node", err);
    if (rc == 0) {
        g->node[g->nodes++] = copy;
    }
    return rc;
}

static int check_branch(const struct pof_grid *g, const struct pof_branch *b, struct pof_err *err)
{
    const struct pof_text name = b->name;
    const struct bound bounds[] = {
        {"r (p.u.)", b->r, -1e7, 1e7},
        {"x (p.u.)", b->x, -1e7, 1e7},
        {"g (p.u.)", b->g, -1e9, 1e9},
        {"b (p.u.)", b->b, -1e9, 1e9},
        {"ratio", b->ratio, 1e-3, 1e3},
        {"shift (rad)", b->shift, -6.2832, 6.2832},
        {"rating (VA)", b->rating_va, 0, 1e12},
    };
    int rc = check_bounds(bounds, sizeof bounds / sizeof bounds[0], "branch", name, err);
    if (rc) {
        return rc;
    }
    if (b->from >= g->nodes || b->to >= g->nodes) {
        return pof_fail(err, POF_E_REFERENCE, "branch '%.*s' ends at an unknown node", T(name));
    }
    if (b->from == b->to) {
        return pof_fail(err, POF_E_TOPOLOGY, "branch '%.*s' has both ends at node '%.*s'", T(name),
                        T(g->node[b->from].name));
    }
    if (b->r == 0 && b->x == 0) {
        return pof_fail(err, POF_E_PHYSICS,
                        "branch '%.*s' has no impedance; what has none is a switch", T(name));
    }
    if (b->kind == POF_BRANCH_TRANSFORMER) {
        return 0;
    }
    if (g->node[b->from].base_v != g->node[b->to].base_v) {
        return pof_fail(err, POF_E_PHYSICS,
                        "branch '%.*s' joins %.15g V and %.15g V; only a transformer can", T(name),
                        g->node[b->from].base_v, g->node[b->to].base_v);
    }
    if (b->ratio != 1 || b->shift != 0) {
        return pof_fail(err, POF_E_CONFLICT,
                        "branch '%.*s' has a ratio or shift; only a transformer can", T(name));
    }
    return 0;
}

int pof_build_branch(struct pof_build *b, const struct pof_branch *branch, struct pof_err *err)
{
    struct pof_grid *g = b->grid;
    struct pof_branch copy = *branch;
    int rc = check_name(branch->name, "branch", err);
    rc = rc ? rc : check_branch(g, branch, err);
    rc = rc ? rc : pof_grow(&g->branch, &b->branch_cap, (size_t)g->branches + 1, sizeof *g->branch,
                            err);
    if (rc == 0 && branch->asset) {
        struct pof_asset *asset = pof_arena_alloc(&g->arena, sizeof *asset, err);
        if (!asset) {
            return POF_E_NOMEM;
        }
        *asset = *branch->asset;
        copy.asset = asset;
    }
    rc = rc ? rc : take_name(&g->branch_names, &copy.name, g->branches, "branch", err);
    if (rc == 0) {
        g->branch[g->branches++] = copy;
    }
    return rc;
}

/* Readers add loads and shunts to nodes after having made them, so all are looked at again. */
int pof_build_finish(const struct pof_build *b, struct pof_err *err)
{
    const struct pof_grid *g = b->grid;
    const struct bound bounds[] = {{"base power (VA)", g->base_va, 1, 1e12},
                                   {"frequency (Hz)", g->f_hz, 1, 1000}};
    bool slack = false;
    int rc = check_bounds(bounds, 2, "grid", g->name, err);
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        rc = check_node(&g->node[i], err);
        slack = slack || g->node[i].kind == POF_NODE_SLACK;
    }
    return rc || slack
               ? rc
               : pof_fail(err, POF_E_TOPOLOGY,
                          "no node is of kind slack; one must hold the voltage the grid is fed with");
}

static bool plate_model(const struct pof_grid *grid, const struct pof_asset *a,
                        struct pof_branch *b)
{
    double base_from = grid->node[b->from].base_v, base_to = grid->node[b->to].base_v;
    double v_from = a->v_from > 0 ? a->v_from : base_from;
    double v_to = a->v_to > 0 ? a->v_to : base_to;
    double zbase = base_to * base_to / grid->base_va;
    double z = a->uk_pct / 100 * v_to * v_to / a->sn_va;
    double r = a->pk_w / a->sn_va * v_to * v_to / a->sn_va;
    double y = a->i0_pct / 100 * a->sn_va / (v_to * v_to);
    double g = a->p0_w / (v_to * v_to);
    if (r > z || g > y * (1 + 1e-12)) {
        return false;
    }
    b->r = r / zbase;
    b->x = sqrt(z * z - r * r) / zbase;
    b->g = g * zbase;
    b->b = -sqrt(fmax(0, y * y - g * g)) * zbase;
    b->ratio = v_from / base_from * (1 + a->tap_pct / 100) / (v_to / base_to);
    return true;
}

bool pof_asset_model(const struct pof_grid *grid, const struct pof_asset *a, struct pof_branch *b)
{
    double v = grid->node[b->to].base_v;
    double zbase = v * v / grid->base_va;
    double length = a->form == POF_FORM_PER_KM ? a->length_km : 1;
    if (a->rating_a > 0) {
        b->rating_va = sqrt(3) * grid->node[b->from].base_v * a->rating_a;
    }
    switch (a->form) {
    case POF_FORM_PU:
        return true;
    case POF_FORM_PLATE:
        return plate_model(grid, a, b);
    case POF_FORM_OHM:
    case POF_FORM_PER_KM:
        b->r = a->r_ohm * length / zbase;
        b->x = a->x_ohm * length / zbase;
        b->g = 0;
        b->b = (a->b_us * 1e-6 + 2 * PI * grid->f_hz * a->c_nf * 1e-9) * length * zbase;
        b->ratio = 1;
        return true;
    }
    return false;
}

void pof_grid_release(struct pof_grid *grid)
{
    free(grid->node);
    free(grid->branch);
    pof_names_release(&grid->node_names);
    pof_names_release(&grid->branch_names);
    pof_arena_release(&grid->arena);
    *grid = (struct pof_grid){0};
}
