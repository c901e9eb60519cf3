/* SPDX-License-Identifier: Apache-2.0 */
/* Making a grid. */
#include "grid/build.h"
#include "grid/admittance.h"
#include "num/real.h"
#include "record/scan.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The same of the members of all nodes, or all branches. */
struct member_bound {
    const char *what;
    size_t at;
    double min, max;
};

static int check_members(const void *of, const struct member_bound *m, size_t n, const char *kind,
                         struct pof_text name, struct pof_err *err)
{
    bool fits = true;
    for (size_t i = 0; i < n; i++) {
        double v = *(const double *)(const void *)((const char *)of + m[i].at);
        fits &= v >= m[i].min && v <= m[i].max;
    }
    for (size_t i = 0; i < n && !fits; i++) {
        const struct bound b = {m[i].what, *(const double *)(const void *)((const char *)of + m[i].at), m[i].min,
                                m[i].max};
        int rc = check_bounds(&b, 1, kind, name, err);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

struct pof_node pof_node_default(struct pof_text name, double base_v)
{
    return (struct pof_node){
        .name = name, .base_v = base_v, .v_min_pu = 0.9, .v_max_pu = 1.1, .v_set_pu = 1};
}

int pof_build_reserve(struct pof_build *b, size_t nodes, size_t branches, struct pof_err *err)
{
    struct pof_grid *g = b->grid;
    int rc = pof_grow(&g->node, &b->node_cap, nodes, sizeof *g->node, err);
    rc = rc ? rc : pof_grow(&g->branch, &b->branch_cap, branches, sizeof *g->branch, err);
    rc = rc ? rc : pof_names_reserve(&g->node_names, nodes, err);
    return rc ? rc : pof_names_reserve(&g->branch_names, branches, err);
}

static bool draws(const struct pof_node_phases *p)
{
    for (int i = 0; i < 3; i++) {
        if (p->p_w[i] != 0 || p->q_var[i] != 0 || p->ip_w[i] != 0 || p->iq_var[i] != 0) {
            return true;
        }
    }
    return false;
}

static int check_node_phases(const struct pof_node *n, struct pof_err *err)
{
    const struct pof_node_phases *p = n->phases;
    for (int i = 0; i < 3; i++) {
        const struct bound bounds[] = {
            {"active power of a phase (W)", p->p_w[i], -1e12, 1e12},
            {"reactive power of a phase (var)", p->q_var[i], -1e12, 1e12},
            {"active power at constant current of a phase (W)", p->ip_w[i], -1e12, 1e12},
            {"reactive power at constant current of a phase (var)", p->iq_var[i], -1e12, 1e12},
            {"shunt of a phase (W)", p->g_w[i], -1e12, 1e12},
            {"shunt of a phase (var)", p->b_var[i], -1e12, 1e12},
            {"zero-sequence shunt (W)", p->g0_w, -1e12, 1e12},
            {"zero-sequence shunt (var)", p->b0_var, -1e12, 1e12},
        };
        int rc = check_bounds(bounds, sizeof bounds / sizeof bounds[0], "node", n->name, err);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

#define IN_NODE(what, member, min, max) {what, offsetof(struct pof_node, member), min, max}
static const struct member_bound node_members[] = {
    IN_NODE("angle held (rad)", angle_set, -6.2832, 6.2832),
    IN_NODE("voltage to start from (p.u.)", v_start_pu, 0, 3),
    IN_NODE("angle to start from (rad)", angle_start, -6.2832, 6.2832),
    IN_NODE("lower voltage limit (p.u.)", v_min_pu, 0, 2),
    IN_NODE("upper voltage limit (p.u.)", v_max_pu, 0, 3),
    IN_NODE("active power (W)", p_w, -1e12, 1e12),
    IN_NODE("reactive power (var)", q_var, -1e12, 1e12),
    IN_NODE("rated power (W)", rated_w, 0, 1e12),
    IN_NODE("active power at constant current (W)", ip_w, -1e12, 1e12),
    IN_NODE("reactive power at constant current (var)", iq_var, -1e12, 1e12),
    IN_NODE("lower limit of injection (var)", q_min_var, -1e12, 1e12),
    IN_NODE("upper limit of injection (var)", q_max_var, -1e12, 1e12),
    IN_NODE("share of the slack", slack_share, 0, 1e12),
    IN_NODE("shunt (W)", g_w, -1e12, 1e12),
    IN_NODE("shunt (var)", b_var, -1e12, 1e12),
    IN_NODE("place x", x, -1e12, 1e12),
    IN_NODE("place y", y, -1e12, 1e12),
};

static int check_node(const struct pof_build *b, const struct pof_node *n, struct pof_err *err)
{
    const struct bound bounds[] = {
        {"nominal voltage (V)", n->base_v, b->base_v_min > 0 ? b->base_v_min : 50, 1.5e6},
        {"voltage held (p.u.)", n->kind != POF_NODE_PQ ? n->v_set_pu : 1, 0.5, 1.5},
    };
    int rc = check_bounds(bounds, 2, "node", n->name, err);
    rc = rc ? rc : check_members(n, node_members, sizeof node_members / sizeof *node_members, "node", n->name, err);
    rc = rc || !n->phases ? rc : check_node_phases(n, err);
    if (rc) {
        return rc;
    }
    if (n->v_min_pu >= n->v_max_pu) {
        return pof_fail(err, POF_E_PHYSICS,
                        "voltage limits %.15g .. %.15g p.u. of node '%.*s' leave no room",
                        n->v_min_pu, n->v_max_pu, T(n->name));
    }
    if (n->has_q_limits && n->q_min_var > n->q_max_var) {
        return pof_fail(err, POF_E_PHYSICS,
                        "limits of injection %.15g .. %.15g var of node '%.*s' are exchanged",
                        n->q_min_var, n->q_max_var, T(n->name));
    }
    bool fed = n->p_w != 0 || n->q_var != 0 || n->rated_w != 0 || n->ip_w != 0 || n->iq_var != 0 ||
               n->kind != POF_NODE_PQ || (n->phases && draws(n->phases));
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
    uint32_t id;
    int rc = pof_names_add(names, *name, &id, err);
    if (rc == 0 && id < index) {
        rc = pof_fail(err, POF_E_DUPLICATE, "%s name '%.*s' was given before", what, T(*name));
    } else if (rc == 0 && id != index) {
        rc = pof_fail(err, POF_E_INTERNAL, "names and %ss are out of step", what);
    }
    if (rc == 0) {
        *name = names->text[id];
    }
    return rc;
}

/* Replaces what *where (a pointer to a pointer) points to, if anything, by a copy in the arena. */
static int keep(struct pof_grid *g, void *where, size_t size, struct pof_err *err)
{
    void *from;
    memcpy(&from, where, sizeof from);
    if (!from) {
        return 0;
    }
    void *to = pof_arena_alloc(&g->arena, size, err);
    if (!to) {
        return POF_E_NOMEM;
    }
    memcpy(to, from, size);
    memcpy(where, &to, sizeof to);
    return 0;
}

int pof_build_node(struct pof_build *b, const struct pof_node *node, struct pof_err *err)
{
    struct pof_grid *g = b->grid;
    int rc = check_name(node->name, "node", err);
    rc = rc ? rc : check_node(b, node, err);
    rc = rc ? rc : pof_grow(&g->node, &b->node_cap, (size_t)g->nodes + 1, sizeof *g->node, err);
    if (rc) {
        return rc;
    }
    struct pof_node *to = &g->node[g->nodes];
    *to = *node;
    rc = keep(g, &to->phases, sizeof *to->phases, err);
    rc = rc ? rc : take_name(&g->node_names, &to->name, g->nodes, "node", err);
    g->nodes += rc == 0;
    return rc;
}

static int check_branch_phases(const struct pof_branch *b, struct pof_err *err)
{
    const struct pof_branch_phases *p = b->phases;
    bool winds = p->form == POF_PHASES_WINDINGS, matrix = p->form == POF_PHASES_MATRIX;
    const struct bound bounds[] = {
        {"r0 (p.u.)", p->r0, -1e7, 1e7},
        {"x0 (p.u.)", p->x0, -1e7, 1e7},
        {"g0 (p.u.)", p->g0, -1e9, 1e9},
        {"b0 (p.u.)", p->b0, -1e9, 1e9},
        {"resistance to ground (p.u.)", p->r_ground_from, 0, 1e7},
        {"reactance to ground (p.u.)", p->x_ground_from, -1e7, 1e7},
        {"resistance to ground (p.u.)", p->r_ground_to, 0, 1e7},
        {"reactance to ground (p.u.)", p->x_ground_to, -1e7, 1e7},
    };
    int rc = check_bounds(bounds, sizeof bounds / sizeof bounds[0], "branch", b->name, err);
    for (int i = 0; i < 9 && rc == 0; i++) {
        int j = i % 3 * 3 + i / 3; /* across the diagonal */
        if (p->r[i] != p->r[j] || p->x[i] != p->x[j] || p->g[i] != p->g[j] || p->b[i] != p->b[j]) {
            return pof_fail(err, POF_E_PHYSICS, "a matrix of branch '%.*s' is not symmetric",
                            T(b->name));
        }
        const struct bound of_matrix[] = {{"r of a matrix (p.u.)", p->r[i], -1e7, 1e7},
                                          {"x of a matrix (p.u.)", p->x[i], -1e7, 1e7},
                                          {"g of a matrix (p.u.)", p->g[i], -1e9, 1e9},
                                          {"b of a matrix (p.u.)", p->b[i], -1e9, 1e9}};
        rc = check_bounds(of_matrix, 4, "branch", b->name, err);
    }
    if (rc) {
        return rc;
    }
    if (winds != (b->kind == POF_BRANCH_TRANSFORMER) && (winds || matrix)) {
        return pof_fail(err, POF_E_CONFLICT, "branch '%.*s' has %s", T(b->name),
                        winds ? "windings; only a transformer has" : "matrices; only a line has");
    }
    if (winds && !pof_clock_possible(p)) {
        return pof_fail(err, POF_E_PHYSICS,
                        "windings of transformer '%.*s' cannot have clock %d: it is odd when one of "
                        "the two is y or yn, even otherwise, 0 .. 11",
                        T(b->name), p->clock);
    }
    bool turns = b->tap && b->tap->step_deg != 0;
    if (winds && !turns && cos(b->shift - pof_rad_of_deg(30 * p->clock)) < 1 - 1e-9) {
        return pof_fail(err, POF_E_CONFLICT,
                        "transformer '%.*s' shifts by %.15g degrees, but its clock is %d (%d degrees)",
                        T(b->name), pof_deg_of_rad(b->shift), p->clock, 30 * p->clock);
    }
    return matrix || p->r0 != 0 || p->x0 != 0
               ? 0
               : pof_fail(err, POF_E_PHYSICS, "branch '%.*s' has no zero-sequence impedance",
                          T(b->name));
}

static int check_tap(const struct pof_grid *g, const struct pof_branch *b, struct pof_err *err)
{
    const struct pof_tap *t = b->tap;
    int32_t low = t->min < t->max ? t->min : t->max, high = t->min < t->max ? t->max : t->min;
    const struct bound bounds[] = {
        {"tap position", t->pos, low, high},          {"neutral tap", t->neutral, -1e4, 1e4},
        {"lowest tap", low, -1e4, 1e4},               {"highest tap", high, -1e4, 1e4},
        {"step (percent)", t->step_pct, -50, 50},     {"step (degrees)", t->step_deg, -90, 90},
        {"uk at the lowest tap", t->uk_min_pct, -1e3, 1e3},
        {"uk at the highest tap", t->uk_max_pct, -1e3, 1e3},
        {"pk at the lowest tap", t->pk_min_w, -1e9, 1e9},
        {"pk at the highest tap", t->pk_max_w, -1e9, 1e9},
        {"band (p.u.)", t->v_low_pu, 0, 2},           {"band (p.u.)", t->v_high_pu, 0, 2},
        {"drop (p.u.)", t->drop_r_pu, -1e4, 1e4},     {"drop (p.u.)", t->drop_x_pu, -1e4, 1e4},
    };
    int rc = check_bounds(bounds, sizeof bounds / sizeof bounds[0], "branch", b->name, err);
    if (rc) {
        return rc;
    }
    if (b->kind != POF_BRANCH_TRANSFORMER) {
        return pof_fail(err, POF_E_CONFLICT, "branch '%.*s' has taps; only a transformer has",
                        T(b->name));
    }
    if (t->controlled && t->node >= g->nodes) {
        return pof_fail(err, POF_E_REFERENCE, "branch '%.*s' controls an unknown node", T(b->name));
    }
    return !t->controlled || t->v_low_pu < t->v_high_pu
               ? 0
               : pof_fail(err, POF_E_PHYSICS, "the band %.15g .. %.15g p.u. of branch '%.*s' is empty",
                          t->v_low_pu, t->v_high_pu, T(b->name));
}

#define IN_BRANCH(what, member, min, max) {what, offsetof(struct pof_branch, member), min, max}
static const struct member_bound branch_members[] = {
    IN_BRANCH("r (p.u.)", r, -1e7, 1e7),
    IN_BRANCH("x (p.u.)", x, -1e7, 1e7),
    IN_BRANCH("g (p.u.)", g, -1e9, 1e9),
    IN_BRANCH("b (p.u.)", b, -1e9, 1e9),
    IN_BRANCH("ratio", ratio, 1e-3, 1e3),
    IN_BRANCH("shift (rad)", shift, -6.2832, 6.2832),
    IN_BRANCH("rating (VA)", rating_va, 0, 1e12),
};

static int check_branch(const struct pof_grid *g, const struct pof_branch *b, struct pof_err *err)
{
    const struct pof_text name = b->name;
    int rc = check_members(b, branch_members, sizeof branch_members / sizeof *branch_members, "branch", name, err);
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
    if ((b->phases && (rc = check_branch_phases(b, err)) != 0) ||
        (b->tap && (rc = check_tap(g, b, err)) != 0) || b->kind == POF_BRANCH_TRANSFORMER) {
        return rc;
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

static int keep_asset(struct pof_grid *g, struct pof_branch *b, struct pof_err *err)
{
    if (!b->asset) {
        return 0;
    }
    struct pof_asset asset = *b->asset;
    int rc = keep(g, &asset.conductors, sizeof *asset.conductors, err);
    b->asset = &asset;
    return rc ? rc : keep(g, &b->asset, sizeof asset, err);
}

int pof_build_branch(struct pof_build *b, const struct pof_branch *branch, struct pof_err *err)
{
    struct pof_grid *g = b->grid;
    int rc = check_name(branch->name, "branch", err);
    rc = rc ? rc : check_branch(g, branch, err);
    rc = rc ? rc : pof_grow(&g->branch, &b->branch_cap, (size_t)g->branches + 1, sizeof *g->branch,
                            err);
    if (rc) {
        return rc;
    }
    struct pof_branch *to = &g->branch[g->branches];
    *to = *branch;
    rc = keep_asset(g, to, err);
    rc = rc ? rc : keep(g, &to->phases, sizeof *to->phases, err);
    rc = rc ? rc : keep(g, &to->tap, sizeof *to->tap, err);
    rc = rc ? rc : take_name(&g->branch_names, &to->name, g->branches, "branch", err);
    g->branches += rc == 0;
    return rc;
}

static int check_bank(const struct pof_grid *g, const struct pof_bank *bank, struct pof_err *err)
{
    if (bank->node >= g->nodes || bank->held >= g->nodes) {
        return pof_fail(err, POF_E_REFERENCE, "switched shunts at a node that is not there");
    }
    struct pof_text name = g->node[bank->node].name;
    const struct bound bounds[] = {{"lower voltage of switched shunts (p.u.)", bank->v_low_pu, 0.5, 1.5},
                                   {"upper voltage of switched shunts (p.u.)", bank->v_high_pu, 0.5, 1.5},
                                   {"switched shunts (var)", bank->b_var, -1e12, 1e12}};
    int rc = check_bounds(bounds, 3, "node", name, err);
    if (rc == 0 && bank->v_low_pu > bank->v_high_pu) {
        rc = pof_fail(err, POF_E_RANGE, "switched shunts of node '%.*s': their band is %.15g to %.15g p.u.",
                      T(name), bank->v_low_pu, bank->v_high_pu);
    }
    if (rc == 0 && (bank->blocks == 0 || bank->blocks > POF_BANK_BLOCKS)) {
        rc = pof_fail(err, POF_E_RANGE, "switched shunts of node '%.*s' have %u blocks; expected 1 to %d",
                      T(name), bank->blocks, POF_BANK_BLOCKS);
    }
    for (uint32_t k = 0; rc == 0 && k < bank->blocks; k++) {
        double steps = bank->block[k].steps, step = bank->block[k].b_var;
        const struct bound of_block[] = {{"steps of switched shunts", steps, 1, 10000},
                                         {"step of switched shunts (var)", step, -1e12, 1e12}};
        rc = check_bounds(of_block, 2, "node", name, err);
        if (rc == 0 && step == 0) {
            rc = pof_fail(err, POF_E_RANGE, "switched shunts of node '%.*s': a step of 0 var", T(name));
        }
    }
    return rc;
}

int pof_build_bank(struct pof_build *b, const struct pof_bank *bank, struct pof_err *err)
{
    struct pof_grid *g = b->grid;
    int rc = check_bank(g, bank, err);
    rc = rc ? rc : pof_grow(&g->bank, &b->bank_cap, (size_t)g->banks + 1, sizeof *g->bank, err);
    if (rc == 0) {
        g->bank[g->banks++] = *bank;
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
        rc = check_node(b, &g->node[i], err);
        slack = slack || g->node[i].kind == POF_NODE_SLACK;
    }
    return rc || slack
               ? rc
               : pof_fail(err, POF_E_TOPOLOGY,
                          "no node is of kind slack; one must hold the voltage the grid is fed with");
}

void pof_grid_release(struct pof_grid *grid)
{
    free(grid->node);
    free(grid->branch);
    free(grid->bank);
    pof_names_release(&grid->node_names);
    pof_names_release(&grid->branch_names);
    pof_arena_release(&grid->arena);
    *grid = (struct pof_grid){0};
}
