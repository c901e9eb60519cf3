/* SPDX-License-Identifier: Apache-2.0 */
/* MATPOWER cases, version 2 (User's Manual, appendix B), to grids and back. */
#include "grid/format_impl.h"
#include "grid/solver.h"
#include "num/decimal.h"
#include "num/real.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEGA 1e6

/* Columns, from 0. */
enum { BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, VA, BASE_KV, ZONE, VMAX, VMIN, BUS_COLS };
enum { GEN_BUS, PG, QG, QMAX, QMIN, VG, MBASE, GEN_STATUS, GEN_COLS };
enum { F_BUS, T_BUS, BR_R, BR_X, BR_B, RATE_A, RATE_B, RATE_C, TAP, SHIFT, BR_STATUS, BR_COLS };
enum { TYPE_PQ = 1, TYPE_PV, TYPE_REF, TYPE_NONE };

/* What was left out or assumed, counted. */
struct left {
    unsigned no_base, limits, no_gen, impossible, opened, switches;
};

struct reading {
    const struct pofi_mcase *c;
    const char *source;
    struct pof_build build;
    struct left left;
    bool *isolated; /* [nodes] */
    struct pof_err *err;
};

static const double *row(const struct pofi_table *t, size_t i)
{
    return t->v + i * t->cols;
}

/* An error about one row of a table. */
static int fail_row(struct reading *r, int table, size_t i, int rc)
{
    static const char *const name[] = {"bus", "gen", "branch"};
    char field[64];
    snprintf(field, sizeof field, "mpc.%s(%zu)", name[table], i + 1);
    return rc ? pof_at(r->err, r->source, 0, field) : 0;
}

/* --- reading --- */

static int check_tables(struct reading *r)
{
    static const size_t least[] = {BUS_COLS, GEN_COLS, BR_COLS};
    static const char *const name[] = {"bus", "gen", "branch"};
    if (!(r->c->base_mva > 0)) {
        return pof_fail(r->err, POF_E_MISSING, "mpc.baseMVA is missing or not above 0");
    }
    for (int t = 0; t < POFI_TABLES; t++) {
        const struct pofi_table *table = &r->c->table[t];
        if (table->rows == 0 && t != POFI_BRANCH) {
            return pof_fail(r->err, POF_E_MISSING, "mpc.%s is missing or empty", name[t]);
        }
        if (table->rows > 0 && table->cols < least[t]) {
            return pof_fail(r->err, POF_E_COLUMNS,
                            "mpc.%s has %zu columns, at least %zu are needed", name[t], table->cols,
                            least[t]);
        }
        if (table->rows >= POF_NONE / 2) {
            return pof_fail(r->err, POF_E_TOO_LONG, "mpc.%s has too many rows", name[t]);
        }
    }
    return 0;
}

static int bus_name(struct reading *r, double number, char *to, struct pof_text *name)
{
    if (!(number >= 1) || number > 1e9 || number != floor(number)) {
        return pof_fail(r->err, POF_E_RANGE, "bus number %.15g is not an integer in 1 .. 1e9",
                        number);
    }
    *name = (struct pof_text){to, pof_decimal_format((int64_t)number, 0, to)};
    return 0;
}

static void node_voltages(struct reading *r, const double *bus, struct pof_node *node)
{
    if (bus[VMIN] >= 0 && bus[VMIN] < bus[VMAX] && bus[VMAX] <= 3) {
        node->v_min_pu = bus[VMIN];
        node->v_max_pu = bus[VMAX];
    } else {
        r->left.limits++;
    }
    node->v_set_pu = bus[VM];
    node->angle_set = node->kind == POF_NODE_SLACK ? pof_rad_of_deg(bus[VA]) : 0;
    pofi_start_from(node, bus[VM], bus[VA]);
}

static int read_bus(struct reading *r, size_t i)
{
    const double *bus = row(&r->c->table[POFI_BUS], i);
    char text[POF_DECIMAL_MAX];
    struct pof_text name;
    int rc = bus_name(r, bus[BUS_I], text, &name);
    if (rc) {
        return rc;
    }
    bool none = bus[BASE_KV] == 0;
    r->left.no_base += none;
    struct pof_node node = pof_node_default(name, none ? 1000 : bus[BASE_KV] * 1000);
    if (bus[BUS_TYPE] == TYPE_PV || bus[BUS_TYPE] == TYPE_REF) {
        node.kind = bus[BUS_TYPE] == TYPE_PV ? POF_NODE_PV : POF_NODE_SLACK;
    } else if (bus[BUS_TYPE] == TYPE_NONE) {
        r->isolated[i] = true;
    } else if (bus[BUS_TYPE] != TYPE_PQ) {
        return pof_fail(r->err, POF_E_RANGE, "bus type %.15g is not 1, 2, 3 or 4", bus[BUS_TYPE]);
    }
    node_voltages(r, bus, &node);
    node.p_w = bus[PD] * MEGA;
    node.q_var = bus[QD] * MEGA;
    node.g_w = bus[GS] * MEGA;
    node.b_var = bus[BS] * MEGA;
    return pof_build_node(&r->build, &node, r->err);
}

static int find_bus(struct reading *r, double number, uint32_t *node)
{
    char text[POF_DECIMAL_MAX];
    struct pof_text name;
    int rc = bus_name(r, number, text, &name);
    if (rc) {
        return rc;
    }
    *node = pof_names_find(&r->build.grid->node_names, name);
    return *node != POF_NONE
               ? 0
               : pof_fail(r->err, POF_E_REFERENCE, "bus %.0f is not in mpc.bus", number);
}

/* The limits of a node are the sums of those of its generators; one without makes it free. */
static void q_limits(struct reading *r, struct pof_node *node, const double *gen, bool first)
{
    enum { NOTHING_KNOWN = 9999 }; /* Mvar: what cases say then, or Inf */
    bool limited = gen[QMAX] < NOTHING_KNOWN && gen[QMIN] > -NOTHING_KNOWN;
    if (limited && gen[QMIN] > gen[QMAX]) {
        r->left.impossible++;
        limited = false;
    }
    node->has_q_limits = limited && (first || node->has_q_limits);
    node->q_min_var = node->has_q_limits ? node->q_min_var + gen[QMIN] * MEGA : 0;
    node->q_max_var = node->has_q_limits ? node->q_max_var + gen[QMAX] * MEGA : 0;
}

/* A generator of a pq node is negative consumption; of a pv node its reactive power is free
 * within limits; the slack node's is what the balance needs. The last in service sets the voltage,
 * as in MATPOWER. */
static int read_gen(struct reading *r, size_t i, unsigned *in_service)
{
    const double *gen = row(&r->c->table[POFI_GEN], i);
    uint32_t at;
    int rc = find_bus(r, gen[GEN_BUS], &at);
    if (rc || !(gen[GEN_STATUS] > 0)) {
        return rc;
    }
    if (!isfinite(gen[PG]) || !isfinite(gen[QG]) || !(gen[VG] > 0.5 && gen[VG] < 1.5)) {
        return pof_fail(r->err, POF_E_PHYSICS,
                        "PG %.15g, QG %.15g or VG %.15g p.u. is not possible; VG is in 0.5 .. 1.5",
                        gen[PG], gen[QG], gen[VG]);
    }
    struct pof_node *node = &r->build.grid->node[at];
    in_service[at]++;
    if (node->kind != POF_NODE_SLACK) {
        node->p_w -= gen[PG] * MEGA;
    }
    if (node->kind == POF_NODE_PQ) {
        node->q_var -= gen[QG] * MEGA;
    } else {
        node->v_set_pu = gen[VG];
        if (node->kind == POF_NODE_PV) {
            q_limits(r, node, gen, in_service[at] == 1);
        }
    }
    return 0;
}

static int read_gens(struct reading *r)
{
    struct pof_grid *g = r->build.grid;
    unsigned *in_service;
    int rc = pof_calloc(&in_service, g->nodes, sizeof *in_service, r->err);
    for (size_t i = 0; i < r->c->table[POFI_GEN].rows && rc == 0; i++) {
        rc = fail_row(r, POFI_GEN, i, read_gen(r, i, in_service));
    }
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        struct pof_node *n = &g->node[i];
        if (n->kind == POF_NODE_PV && !in_service[i]) {
            n->kind = POF_NODE_PQ;
            r->left.no_gen++;
        }
        n->zero_injection =
            n->kind == POF_NODE_PQ && n->p_w == 0 && n->q_var == 0 && !in_service[i];
        if (n->kind == POF_NODE_PQ) {
            n->v_set_pu = 1;
        }
    }
    free(in_service);
    return rc;
}

static enum pof_branch_kind kind_of(const struct pof_grid *g, const struct pof_branch *b,
                                    const double *branch)
{
    bool plain =
        branch[TAP] == 0 && branch[SHIFT] == 0 && g->node[b->from].base_v == g->node[b->to].base_v;
    if (!plain) {
        return POF_BRANCH_TRANSFORMER;
    }
    return branch[BR_R] == 0 && branch[BR_X] == 0 ? POF_BRANCH_SWITCH : POF_BRANCH_LINE;
}

static int read_branch(struct reading *r, size_t i)
{
    const double *branch = row(&r->c->table[POFI_BRANCH], i);
    const struct pof_grid *g = r->build.grid;
    struct pof_branch b = {.r = branch[BR_R],
                           .x = branch[BR_X],
                           .b = branch[BR_B],
                           .ratio = branch[TAP] != 0 ? branch[TAP] : 1,
                           .shift = pof_rad_of_deg(branch[SHIFT]),
                           .rating_va = branch[RATE_A] * MEGA,
                           .closed = branch[BR_STATUS] != 0};
    int rc = find_bus(r, branch[F_BUS], &b.from);
    rc = rc ? rc : find_bus(r, branch[T_BUS], &b.to);
    if (rc) {
        return rc;
    }
    b.kind = kind_of(g, &b, branch);
    if (b.kind == POF_BRANCH_SWITCH) {
        b.x = POF_SWITCH_X_PER_VA * g->base_va;
        r->left.switches++;
    }
    if (b.closed && r->isolated[b.from] != r->isolated[b.to]) {
        b.closed = false;
        r->left.opened++;
    }
    char text[POF_GRID_NAME_MAX + 1];
    b.name = pofi_branch_name(g, b.from, b.to, NULL, text);
    return pof_build_branch(&r->build, &b, r->err);
}

static void tell_left(const struct reading *r, const struct pof_teller *teller)
{
    const struct left *l = &r->left;
    if (r->c->left_out > 0) {
        pofi_tell(teller, "fields of the case left out: %u, the first is mpc.%.*s", r->c->left_out,
                  (int)(r->c->left.len < 40 ? r->c->left.len : 40), r->c->left.ptr);
    }
    pofi_tell_count(teller, l->no_base, "buses without base voltage, 1 kV taken");
    pofi_tell_count(teller, l->limits,
                    "buses whose voltage limits leave no room, 0.9 .. 1.1 taken");
    pofi_tell_count(teller, l->no_gen, "buses of type 2 without generator in service, now pq");
    pofi_tell_count(teller, l->impossible,
                    "generators whose lower reactive limit is above the upper, now without limits");
    if (r->c->dc_lines) {
        pofi_tell(teller, "mpc.dcline is left out: flows differ from those of MATPOWER with its DC "
                          "lines switched on");
    }
    pofi_tell_count(teller, l->switches, "branches without impedance, now switches");
    pofi_tell_count(teller, l->opened, "branches to isolated buses (type 4), now open");
}

static int read_case(struct reading *r)
{
    struct pof_grid *g = r->build.grid;
    int rc = check_tables(r);
    if (rc) {
        return pof_at(r->err, r->source, 0, NULL);
    }
    g->base_va = r->c->base_mva * MEGA;
    g->f_hz = 50;
    char *name =
        pof_arena_text(&g->arena, r->c->name.ptr ? r->c->name.ptr : "", r->c->name.len, r->err);
    if (!name) {
        return POF_E_NOMEM;
    }
    g->name = (struct pof_text){name, r->c->name.len};
    rc = pof_calloc(&r->isolated, r->c->table[POFI_BUS].rows, sizeof *r->isolated, r->err);
    for (size_t i = 0; i < r->c->table[POFI_BUS].rows && rc == 0; i++) {
        rc = fail_row(r, POFI_BUS, i, read_bus(r, i));
    }
    rc = rc ? rc : read_gens(r);
    for (size_t i = 0; i < r->c->table[POFI_BRANCH].rows && rc == 0; i++) {
        rc = fail_row(r, POFI_BRANCH, i, read_branch(r, i));
    }
    rc = rc ? rc : pof_build_finish(&r->build, r->err);
    return rc ? pof_at(r->err, r->source, 0, NULL) : 0;
}

int pof_matpower_read(struct pof_grid *grid, struct pof_text text, const char *name,
                      const struct pof_teller *teller, struct pof_err *err)
{
    struct pof_err own = {0};
    struct pofi_mcase c;
    *grid = (struct pof_grid){0};
    struct reading r = {.c = &c, .source = name, .build = {.grid = grid}, .err = err ? err : &own};
    int rc = pofi_mcase_parse(&c, text, name, r.err);
    if (rc) {
        return rc;
    }
    rc = read_case(&r);
    if (rc) {
        pof_grid_release(grid);
    } else {
        tell_left(&r, teller);
    }
    free(r.isolated);
    pofi_mcase_release(&c);
    return rc;
}

/* --- writing --- */

struct writing {
    const struct pof_grid *grid;
    struct pof_buf *to;
    bool numbers; /* all nodes are named by numbers MATPOWER can use */
    bool *fed;
    double *angle;
    double *g; /* [nodes] conductances of closed branches, p.u.: MATPOWER's branches have none */
    struct pof_err *err;
};

static int put_row(struct writing *w, const double *v, size_t n)
{
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        char text[POF_REAL_MAX];
        size_t len = pof_real_format(v[i], text);
        rc = pof_buf_adds(w->to, "\t", w->err);
        rc = rc ? rc : pof_buf_add(w->to, text, len, w->err);
    }
    return rc ? rc : pof_buf_adds(w->to, ";\n", w->err);
}

static double number_of(const struct writing *w, uint32_t node)
{
    return pofi_bus_number(w->grid, w->numbers, node);
}

static int put_buses(struct writing *w)
{
    int rc = pof_buf_adds(w->to,
                          "\n%% bus_i type Pd Qd Gs Bs area Vm Va baseKV zone Vmax Vmin\n"
                          "mpc.bus = [\n",
                          w->err);
    for (uint32_t i = 0; i < w->grid->nodes && rc == 0; i++) {
        const struct pof_node *n = &w->grid->node[i];
        bool held = n->kind != POF_NODE_PQ;
        double type = !w->fed[i]                  ? TYPE_NONE
                      : n->kind == POF_NODE_SLACK ? TYPE_REF
                      : n->kind == POF_NODE_PV    ? TYPE_PV
                                                  : TYPE_PQ;
        const double v[BUS_COLS] = {number_of(w, i),
                                    type,
                                    (n->p_w + n->ip_w) / MEGA,
                                    (n->q_var + n->iq_var) / MEGA,
                                    (n->g_w + w->g[i] * w->grid->base_va) / MEGA,
                                    n->b_var / MEGA,
                                    1,
                                    held               ? n->v_set_pu
                                    : n->v_start_pu > 0 ? n->v_start_pu
                                                        : 1,
                                    pof_deg_of_rad(pofi_start_angle(n)),
                                    n->base_v / 1000,
                                    1,
                                    n->v_max_pu,
                                    n->v_min_pu};
        rc = put_row(w, v, BUS_COLS);
    }
    return rc ? rc : pof_buf_adds(w->to, "];\n", w->err);
}

/* Generation is part of the consumption in the bus table; what a generator adds is its voltage. */
static int put_gens(struct writing *w)
{
    int rc = pof_buf_adds(w->to,
                          "\n%% bus Pg Qg Qmax Qmin Vg mBase status Pmax Pmin\n"
                          "mpc.gen = [\n",
                          w->err);
    double base = w->grid->base_va / MEGA;
    for (uint32_t i = 0; i < w->grid->nodes && rc == 0; i++) {
        const struct pof_node *n = &w->grid->node[i];
        if (n->kind != POF_NODE_PQ) {
            /* The consumption of the bus holds the generation, so limits are as they are. */
            double q_max = n->has_q_limits ? n->q_max_var / MEGA : 9999;
            double q_min = n->has_q_limits ? n->q_min_var / MEGA : -9999;
            const double v[] = {number_of(w, i), 0,    0, q_max, q_min,
                                n->v_set_pu,     base, 1, 9999,  -9999};
            rc = put_row(w, v, sizeof v / sizeof v[0]);
        }
    }
    return rc ? rc : pof_buf_adds(w->to, "];\n", w->err);
}

static int put_branches(struct writing *w)
{
    int rc = pof_buf_adds(w->to,
                          "\n%% fbus tbus r x b rateA rateB rateC ratio angle status\n"
                          "mpc.branch = [\n",
                          w->err);
    for (uint32_t k = 0; k < w->grid->branches && rc == 0; k++) {
        const struct pof_branch *b = &w->grid->branch[k];
        double rate = b->rating_va / MEGA;
        double tap = b->kind == POF_BRANCH_TRANSFORMER ? b->ratio : 0;
        const double v[BR_COLS] = {number_of(w, b->from),
                                   number_of(w, b->to),
                                   b->r,
                                   b->x,
                                   b->b,
                                   rate,
                                   rate,
                                   rate,
                                   tap,
                                   pof_deg_of_rad(b->shift),
                                   b->closed};
        rc = put_row(w, v, BR_COLS);
    }
    return rc ? rc : pof_buf_adds(w->to, "];\n", w->err);
}

static int put_text(struct writing *w, struct pof_text t)
{
    int rc = pof_buf_adds(w->to, "\t'", w->err);
    for (size_t i = 0; i < t.len && rc == 0; i++) {
        rc = pof_buf_add(w->to, t.ptr + i, 1, w->err);
        if (rc == 0 && t.ptr[i] == '\'') {
            rc = pof_buf_adds(w->to, "'", w->err); /* MATLAB doubles quotes */
        }
    }
    return rc ? rc : pof_buf_adds(w->to, "';\n", w->err);
}

static int put_names(struct writing *w)
{
    int rc = pof_buf_adds(w->to, "\nmpc.bus_name = {\n", w->err);
    for (uint32_t i = 0; i < w->grid->nodes && rc == 0; i++) {
        rc = put_text(w, w->grid->node[i].name);
    }
    return rc ? rc : pof_buf_adds(w->to, "};\n", w->err);
}

static int put_head(struct writing *w)
{
    char name[POF_GRID_NAME_MAX];
    size_t n = 0;
    for (size_t i = 0; i < w->grid->name.len && n < sizeof name; i++) {
        char c = w->grid->name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (letter || (n > 0 && (digit || c == '_'))) {
            name[n++] = c;
        } else if (n > 0 && name[n - 1] != '_') {
            name[n++] = '_';
        }
    }
    char base[POF_REAL_MAX];
    size_t len = pof_real_format(w->grid->base_va / MEGA, base);
    return pof_buf_addf(w->to, w->err,
                        "function mpc = %.*s\n%%%% MATPOWER Case Format : Version 2\n"
                        "mpc.version = '2';\nmpc.baseMVA = %.*s;\n",
                        n ? (int)n : 4, n ? name : "grid", (int)len, base);
}

static void tell_unwritten(const struct writing *w, const struct pof_teller *teller)
{
    const struct pof_grid *g = w->grid;
    unsigned rated = 0, places = 0, named = 0, conductances = 0, switches = 0, currents = 0,
             taps = 0;
    unsigned phases = 0;
    for (uint32_t i = 0; i < g->nodes; i++) {
        currents += g->node[i].ip_w != 0 || g->node[i].iq_var != 0;
        phases += g->node[i].phases != NULL;
        rated += g->node[i].rated_w != 0;
        places += g->node[i].has_xy;
    }
    for (uint32_t k = 0; k < g->branches; k++) {
        named += !pofi_plain_name(g, k);
        conductances += g->branch[k].g != 0;
        switches += g->branch[k].kind == POF_BRANCH_SWITCH;
        taps += g->branch[k].tap != NULL;
        phases += g->branch[k].phases != NULL;
    }
    pofi_tell_count(teller, currents, "nodes whose constant current is written as constant power");
    pofi_tell_count(teller, taps, "tap changers left out, the ratio stays");
    pofi_tell_count(teller, g->banks, "switched shunts that hold a voltage, fixed as they are");
    pofi_tell_count(teller, phases, "nodes and branches whose phases differ, now balanced");
    if (!w->numbers) {
        pofi_tell(teller, "buses are numbered from 1; the names of nodes are in mpc.bus_name");
    }
    pofi_tell_count(teller, named, "branches whose name is left out");
    pofi_tell_count(teller, rated, "nodes whose rated_w is left out");
    pofi_tell_count(teller, places, "nodes whose place (x, y) is left out");
    pofi_tell_count(teller, switches, "switches written as branches of small reactance");
    pofi_tell_count(teller, conductances,
                    "branches whose shunt conductance is written as shunts of their buses");
}

static int prepare(struct writing *w)
{
    const struct pof_grid *g = w->grid;
    int rc = pof_calloc(&w->fed, g->nodes, sizeof *w->fed, w->err);
    rc = rc ? rc : pof_calloc(&w->angle, g->nodes, sizeof *w->angle, w->err);
    rc = rc ? rc : pof_calloc(&w->g, g->nodes, sizeof *w->g, w->err);
    rc = rc ? rc : pofi_flat_start(g, w->fed, w->angle, w->err);
    w->numbers = pofi_numbered(g, 999999999);
    for (uint32_t k = 0; k < g->branches && rc == 0; k++) {
        const struct pof_branch *b = &g->branch[k];
        if (b->closed) {
            w->g[b->from] += b->g / 2 / (b->ratio * b->ratio);
            w->g[b->to] += b->g / 2;
        }
    }
    return rc;
}

int pof_matpower_write(const struct pof_grid *grid, struct pof_buf *to,
                       const struct pof_teller *teller, struct pof_err *err)
{
    struct writing w = {.grid = grid, .to = to, .err = err};
    int rc = prepare(&w);
    rc = rc ? rc : put_head(&w);
    rc = rc ? rc : put_buses(&w);
    rc = rc ? rc : put_gens(&w);
    rc = rc ? rc : put_branches(&w);
    rc = rc || w.numbers ? rc : put_names(&w);
    if (rc == 0) {
        tell_unwritten(&w, teller);
    }
    free(w.fed);
    free(w.angle);
    free(w.g);
    return rc;
}
