/* SPDX-License-Identifier: Apache-2.0 */
/* A power-grid-model data set as a grid: nodes and what is connected to them. */
#include "grid/pgm.h"
#include "num/decimal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BASE_VA 1e6 /* as power-grid-model's own */
#define F_HZ 50
#define STIFF 1e15 /* VA: a source of so much has no impedance; it would be lost in rounding */

void pofi_pgm_map_release(struct pofi_pgm_map *map)
{
    for (int t = 0; t < PGM_TYPES; t++) {
        free(map->at[t]);
    }
    *map = (struct pofi_pgm_map){0};
}

/* --- nodes --- */

int pofi_pgm_node_of(struct pofi_pgm_job *j, struct pofi_pgm_place at, int column, uint32_t *node)
{
    double id = pofi_pgm_row(j->p, (enum pofi_pgm_type)at.type, at.row)[column];
    struct pofi_pgm_place n = pofi_pgm_find(j->p, id);
    if (n.type != PGM_NODE) {
        return pofi_pgm_fail(&at, column, j->err, POF_E_REFERENCE,
                             isnan(id) ? "no node given" : "there is no node of id %.15g", id);
    }
    *node = j->map.at[PGM_NODE][n.row];
    return 0;
}

enum { NAME_MAX_BYTES = POF_DECIMAL_MAX + 32 };

/* The name that an id, a whole number, gives to a component; what (at most 30 bytes): to one made
 * beside it. */
static struct pof_text name_of(double id, const char *what, char *to)
{
    size_t n = pof_decimal_format((int64_t)id, 0, to);
    if (what) {
        size_t more = strlen(what);
        to[n++] = ':';
        memcpy(to + n, what, more);
        n += more;
    }
    return (struct pof_text){to, n};
}

int pofi_pgm_extra_node(struct pofi_pgm_job *j, double base_v, const char *what, double id,
                        uint32_t *node)
{
    char name[NAME_MAX_BYTES];
    struct pof_node made = pof_node_default(name_of(id, what, name), base_v);
    made.zero_injection = true;
    *node = j->grid->nodes;
    return pof_build_node(&j->build, &made, j->err);
}

int pofi_pgm_add(struct pofi_pgm_job *j, struct pof_branch *b, const char *what, double id,
                 uint32_t *index)
{
    char name[NAME_MAX_BYTES];
    b->name = name_of(id, what, name);
    *index = j->grid->branches;
    return pof_build_branch(&j->build, b, j->err);
}

static int nodes(struct pofi_pgm_job *j)
{
    const struct pofi_pgm_table *t = &j->p->table[PGM_NODE];
    struct pof_node node = pof_node_default(pof_text(""), 0);
    int rc = 0;
    for (uint32_t i = 0; i < t->rows && rc == 0; i++) {
        const double *row = pofi_pgm_row(j->p, PGM_NODE, i);
        char name[NAME_MAX_BYTES];
        node.name = name_of(row[NODE_id], NULL, name);
        node.base_v = row[NODE_u_rated];
        struct pofi_pgm_place at = {PGM_NODE, i};
        if (!(row[NODE_u_rated] > 0)) {
            return pofi_pgm_fail(&at, NODE_u_rated, j->err, POF_E_RANGE,
                                 "rated voltage %.15g: expected volts above 0", row[NODE_u_rated]);
        }
        j->map.at[PGM_NODE][i] = i;
        rc = pof_build_node(&j->build, &node, j->err);
    }
    return rc;
}

/* --- appliances --- */

/* 0 and 1 are what a state can be. */
static int status(struct pofi_pgm_job *j, struct pofi_pgm_place at, int column, bool *on)
{
    double v = pofi_pgm_row(j->p, (enum pofi_pgm_type)at.type, at.row)[column];
    if (v != 0 && v != 1) {
        return pofi_pgm_fail(&at, column, j->err, POF_E_RANGE,
                             isnan(v) ? "no state given: expected 0 or 1" : "state %.15g: expected 0 or 1", v);
    }
    *on = v == 1;
    return 0;
}

static struct pof_node_phases *phases_of(struct pofi_pgm_job *j, uint32_t node)
{
    struct pof_node *n = &j->grid->node[node];
    if (!n->phases) {
        struct pof_node_phases *made = pof_arena_alloc(&j->grid->arena, sizeof *made, j->err);
        if (made) {
            *made = (struct pof_node_phases){0};
            n->phases = made;
        }
        return made;
    }
    return (struct pof_node_phases *)(uintptr_t)n->phases;
}

/* What a load draws: of all phases, and how each differs from a third of it. */
struct drawn {
    double p, q;
    double dp[3], dq[3];
    bool differs;
};

static int drawn(struct pofi_pgm_job *j, struct pofi_pgm_place at, struct drawn *d)
{
    const double *row = pofi_pgm_row(j->p, (enum pofi_pgm_type)at.type, at.row);
    bool asym = at.type == PGM_ASYM_LOAD || at.type == PGM_ASYM_GEN;
    double sign = at.type == PGM_SYM_GEN || at.type == PGM_ASYM_GEN ? -1 : 1;
    int width = asym ? 3 : 1, p = SYM_LOAD_p_specified, q = p + width;
    *d = (struct drawn){0};
    for (int f = 0; f < 2 * width; f++) {
        bool there = isfinite(row[p + f]);
        if (!there && (!j->readings || isinf(row[p + f]))) {
            return pofi_pgm_fail(&at, p + f, j->err, isnan(row[p + f]) ? POF_E_MISSING : POF_E_NUMBER,
                                 "the power is not given: a power flow needs it");
        }
        *(f < width ? &d->p : &d->q) += there ? sign * row[p + f] : 0;
    }
    for (int f = 0; f < 3 && asym; f++) {
        d->dp[f] = isnan(row[p + f]) ? 0 : sign * row[p + f] - d->p / 3;
        d->dq[f] = isnan(row[q + f]) ? 0 : sign * row[q + f] - d->q / 3;
        d->differs = d->differs || d->dp[f] != 0 || d->dq[f] != 0;
    }
    return 0;
}

enum { CONST_POWER, CONST_IMPEDANCE, CONST_CURRENT };

static int put_drawn(struct pofi_pgm_job *j, uint32_t node, int type, const struct drawn *d)
{
    struct pof_node *n = &j->grid->node[node];
    struct pof_node_phases *f = d->differs ? phases_of(j, node) : NULL;
    if (d->differs && !f) {
        return POF_E_NOMEM;
    }
    double *p = type == CONST_POWER ? &n->p_w : type == CONST_IMPEDANCE ? &n->g_w : &n->ip_w;
    double *q = type == CONST_POWER ? &n->q_var : type == CONST_IMPEDANCE ? &n->b_var : &n->iq_var;
    double sign = type == CONST_IMPEDANCE ? -1 : 1; /* b_var is what a shunt injects */
    *p += d->p;
    *q += sign * d->q;
    for (int k = 0; k < 3 && f; k++) {
        *(type == CONST_POWER ? &f->p_w[k] : type == CONST_IMPEDANCE ? &f->g_w[k] : &f->ip_w[k]) += d->dp[k];
        *(type == CONST_POWER       ? &f->q_var[k]
          : type == CONST_IMPEDANCE ? &f->b_var[k]
                                    : &f->iq_var[k]) += sign * d->dq[k];
    }
    return 0;
}

static int load(struct pofi_pgm_job *j, struct pofi_pgm_place at)
{
    const double *row = pofi_pgm_row(j->p, (enum pofi_pgm_type)at.type, at.row);
    struct drawn d;
    uint32_t node;
    bool on;
    int rc = pofi_pgm_node_of(j, at, PGM_AT, &node);
    rc = rc ? rc : status(j, at, PGM_STATUS, &on);
    double type = row[SYM_LOAD_type];
    if (rc == 0 && !j->readings && type != CONST_POWER && type != CONST_IMPEDANCE && type != CONST_CURRENT) {
        rc = pofi_pgm_fail(&at, SYM_LOAD_type, j->err, POF_E_ENUM,
                           "load type %.15g: expected 0 (power), 1 (impedance) or 2 (current)", type);
    }
    if (rc || !on) {
        return rc;
    }
    j->grid->node[node].zero_injection = false;
    rc = drawn(j, at, &d);
    if (rc == 0 && j->map.at[at.type][at.row] != POF_NONE) { /* its q is what holds the voltage */
        d.q = d.dq[0] = d.dq[1] = d.dq[2] = 0;
    }
    return rc ? rc : put_drawn(j, node, j->readings ? CONST_POWER : (int)type, &d);
}

static int shunt(struct pofi_pgm_job *j, struct pofi_pgm_place at)
{
    const double *row = pofi_pgm_row(j->p, PGM_SHUNT, at.row);
    uint32_t node;
    bool on;
    int rc = pofi_pgm_node_of(j, at, PGM_AT, &node);
    rc = rc ? rc : status(j, at, PGM_STATUS, &on);
    for (int c = SHUNT_g1; c <= SHUNT_b0 && rc == 0; c++) {
        if (c <= SHUNT_b1 ? !isfinite(row[c]) : isinf(row[c])) {
            rc = pofi_pgm_fail(&at, c, j->err, POF_E_NUMBER, "the shunt admittance is not finite");
        }
    }
    if (rc || !on) {
        return rc;
    }
    uint32_t where = j->map.at[PGM_SHUNT][at.row] == POF_NONE
                         ? node
                         : j->grid->branch[j->map.at[PGM_SHUNT][at.row]].to;
    struct pof_node *n = &j->grid->node[where];
    double v2 = n->base_v * n->base_v;
    double g0 = isnan(row[SHUNT_g0]) ? row[SHUNT_g1] : row[SHUNT_g0];
    double b0 = isnan(row[SHUNT_b0]) ? row[SHUNT_b1] : row[SHUNT_b0];
    n->g_w += row[SHUNT_g1] * v2;
    n->b_var += row[SHUNT_b1] * v2;
    if (g0 == row[SHUNT_g1] && b0 == row[SHUNT_b1]) {
        return 0;
    }
    struct pof_node_phases *f = phases_of(j, where);
    if (!f) {
        return POF_E_NOMEM;
    }
    f->has_zero = true; /* completed when all of the node is known */
    f->g0_w += (g0 - row[SHUNT_g1]) * v2;
    f->b0_var += (b0 - row[SHUNT_b1]) * v2;
    return 0;
}

/* What differs in zero sequence was collected as a difference. */
static void finish_zero_sequence(struct pof_grid *g)
{
    for (uint32_t i = 0; i < g->nodes; i++) {
        struct pof_node *n = &g->node[i];
        if (n->phases && n->phases->has_zero) {
            struct pof_node_phases *f = (struct pof_node_phases *)(uintptr_t)n->phases;
            f->g0_w += n->g_w;
            f->b0_var += n->b_var;
        }
    }
}

/* --- sources --- */

struct source {
    double v, angle, r, x, z01;
};

static int source_values(struct pofi_pgm_job *j, struct pofi_pgm_place at, struct source *s)
{
    const double *row = pofi_pgm_row(j->p, PGM_SOURCE, at.row);
    double sk = isnan(row[SOURCE_sk]) ? 1e10 : row[SOURCE_sk];
    double rx = isnan(row[SOURCE_rx_ratio]) ? 0.1 : row[SOURCE_rx_ratio];
    s->z01 = isnan(row[SOURCE_z01_ratio]) ? 1 : row[SOURCE_z01_ratio];
    s->v = row[SOURCE_u_ref];
    s->angle = isnan(row[SOURCE_u_ref_angle]) ? 0 : remainder(row[SOURCE_u_ref_angle], 2 * acos(-1));
    if (!(sk > 0) || !(rx >= 0 && rx < 1e6) || !(s->z01 > 0 && s->z01 < 1e6)) {
        return pofi_pgm_fail(&at, -1, j->err, POF_E_RANGE,
                             "sk %.15g, rx_ratio %.15g, z01_ratio %.15g: expected all above 0", sk, rx,
                             s->z01);
    }
    if (!(s->v > 0) || isinf(s->v) || isnan(s->angle)) {
        return pofi_pgm_fail(&at, SOURCE_u_ref, j->err, POF_E_MISSING,
                             "a power flow needs the voltage of a source, in p.u.");
    }
    double z = sk < STIFF ? BASE_VA / sk : 0;
    s->x = z / sqrt(1 + rx * rx);
    s->r = s->x * rx;
    return 0;
}

/* For a power flow: the voltage behind the impedance, and behind an open end when it is off. */
static int source(struct pofi_pgm_job *j, struct pofi_pgm_place at, uint32_t node, bool on)
{
    double id = pofi_pgm_row(j->p, PGM_SOURCE, at.row)[0];
    struct pof_branch_phases phases = {.form = POF_PHASES_SEQUENCE};
    struct source s = {0};
    uint32_t inner = node;
    int rc = source_values(j, at, &s);
    if (rc == 0 && !on && s.x == 0) {
        return 0;
    }
    bool behind = rc == 0 && s.x > 0;
    if (behind) {
        rc = pofi_pgm_extra_node(j, j->grid->node[node].base_v, "source", id, &inner);
    }
    if (rc) {
        return rc;
    }
    struct pof_node *n = &j->grid->node[inner];
    if (!behind && n->kind == POF_NODE_SLACK && (n->v_set_pu != s.v || n->angle_set != s.angle)) {
        return pofi_pgm_fail(&at, SOURCE_u_ref, j->err, POF_E_CONFLICT,
                             "two sources without impedance hold different voltages at one node");
    }
    n->kind = POF_NODE_SLACK;
    n->v_set_pu = s.v;
    n->angle_set = s.angle;
    n->zero_injection = false;
    if (!behind) {
        return 0;
    }
    phases.r0 = s.r * s.z01;
    phases.x0 = s.x * s.z01;
    struct pof_branch b = {.kind = POF_BRANCH_LINE, .from = inner, .to = node, .r = s.r, .x = s.x,
                           .ratio = 1, .closed = on, .phases = &phases};
    return pofi_pgm_add(j, &b, NULL, id, &j->map.at[PGM_SOURCE][at.row]);
}

static int sources(struct pofi_pgm_job *j)
{
    int rc = 0;
    for (uint32_t i = 0; i < j->p->table[PGM_SOURCE].rows && rc == 0; i++) {
        struct pofi_pgm_place at = {PGM_SOURCE, i};
        uint32_t node = 0;
        bool on = false;
        rc = pofi_pgm_node_of(j, at, PGM_AT, &node);
        rc = rc ? rc : status(j, at, PGM_STATUS, &on);
        if (rc == 0 && on) {
            j->grid->node[node].zero_injection = false;
        }
        rc = rc || j->readings ? rc : source(j, at, node, on);
    }
    return rc;
}

static uint32_t root_of(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* For estimation: the first source of each part of the grid that is joined by closed branches. */
static int slack_nodes(struct pofi_pgm_job *j)
{
    struct pof_grid *g = j->grid;
    uint32_t *parent = NULL;
    bool *served = NULL;
    int rc = pof_calloc(&parent, g->nodes, sizeof *parent, j->err);
    rc = rc ? rc : pof_calloc(&served, g->nodes, sizeof *served, j->err);
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        parent[i] = i;
    }
    for (uint32_t k = 0; k < g->branches && rc == 0; k++) {
        if (g->branch[k].closed) {
            parent[root_of(parent, g->branch[k].from)] = root_of(parent, g->branch[k].to);
        }
    }
    for (uint32_t i = 0; i < j->p->table[PGM_SOURCE].rows && rc == 0; i++) {
        const double *row = pofi_pgm_row(j->p, PGM_SOURCE, i);
        uint32_t node = 0;
        rc = pofi_pgm_node_of(j, (struct pofi_pgm_place){PGM_SOURCE, i}, PGM_AT, &node);
        uint32_t root = rc ? 0 : root_of(parent, node);
        if (rc == 0 && row[PGM_STATUS] == 1 && !served[root]) {
            g->node[node].kind = POF_NODE_SLACK;
            served[root] = true;
        }
    }
    free(parent);
    free(served);
    return rc;
}

/* --- regulators of voltage --- */

static int regulator(struct pofi_pgm_job *j, struct pofi_pgm_place at)
{
    const double *row = pofi_pgm_row(j->p, PGM_REGULATOR, at.row);
    struct pofi_pgm_place what = pofi_pgm_find(j->p, row[REGULATOR_regulated_object]);
    bool on = false;
    uint32_t node = 0;
    if (what.type < PGM_SYM_LOAD || what.type > PGM_ASYM_GEN) {
        return pofi_pgm_fail(&at, REGULATOR_regulated_object, j->err, POF_E_REFERENCE,
                             "there is no load or generator of id %.15g",
                             row[REGULATOR_regulated_object]);
    }
    int rc = status(j, at, REGULATOR_status, &on);
    bool alive = pofi_pgm_row(j->p, (enum pofi_pgm_type)what.type, what.row)[PGM_STATUS] == 1;
    rc = rc ? rc : pofi_pgm_node_of(j, what, PGM_AT, &node);
    if (rc || !on || !alive) {
        return rc;
    }
    struct pof_node *n = &j->grid->node[node];
    double u = row[REGULATOR_u_ref];
    if (!(u > 0) || isinf(u)) {
        return pofi_pgm_fail(&at, REGULATOR_u_ref, j->err, POF_E_MISSING,
                             "a power flow needs the voltage to hold, in p.u.");
    }
    if (n->kind != POF_NODE_PQ && n->v_set_pu != u) {
        return pofi_pgm_fail(&at, REGULATOR_u_ref, j->err, POF_E_CONFLICT,
                             "the voltage of node '%s' is held at %.15g p.u. already", n->name.ptr,
                             n->v_set_pu);
    }
    if (n->kind == POF_NODE_SLACK) {
        return 0;
    }
    bool first = n->kind == POF_NODE_PQ;
    double low = row[REGULATOR_q_min], high = row[REGULATOR_q_max];
    bool limits = isfinite(low) && isfinite(high);
    n->kind = POF_NODE_PV;
    n->v_set_pu = u;
    n->has_q_limits = limits && (first || n->has_q_limits);
    n->q_min_var = n->has_q_limits ? n->q_min_var + low : 0;
    n->q_max_var = n->has_q_limits ? n->q_max_var + high : 0;
    return 0;
}

/* --- the whole --- */

static int make_map(struct pofi_pgm_job *j)
{
    int rc = 0;
    for (int t = 0; t < PGM_TYPES && rc == 0; t++) {
        uint32_t n = j->p->table[t].rows;
        rc = pof_calloc(&j->map.at[t], n, sizeof(uint32_t), j->err);
        for (uint32_t i = 0; i < n && rc == 0; i++) {
            j->map.at[t][i] = POF_NONE;
        }
    }
    return rc;
}

/* Loads and generators whose voltage is regulated get their node in the map. */
static void mark_regulated(struct pofi_pgm_job *j)
{
    for (uint32_t i = 0; i < j->p->table[PGM_REGULATOR].rows; i++) {
        const double *row = pofi_pgm_row(j->p, PGM_REGULATOR, i);
        struct pofi_pgm_place what = pofi_pgm_find(j->p, row[REGULATOR_regulated_object]);
        if (row[REGULATOR_status] == 1 && what.type >= PGM_SYM_LOAD && what.type <= PGM_ASYM_GEN) {
            double node = pofi_pgm_row(j->p, (enum pofi_pgm_type)what.type, what.row)[PGM_AT];
            struct pofi_pgm_place at = pofi_pgm_find(j->p, node);
            j->map.at[what.type][what.row] = at.type == PGM_NODE ? at.row : POF_NONE;
        }
    }
}

static int appliances(struct pofi_pgm_job *j)
{
    int rc = 0;
    if (!j->readings) {
        mark_regulated(j);
    }
    for (uint32_t i = 0; i < j->p->table[PGM_SHUNT].rows && rc == 0; i++) {
        rc = shunt(j, (struct pofi_pgm_place){PGM_SHUNT, i});
    }
    for (int t = PGM_SYM_LOAD; t <= PGM_ASYM_GEN && rc == 0; t++) {
        for (uint32_t i = 0; i < j->p->table[t].rows && rc == 0; i++) {
            rc = load(j, (struct pofi_pgm_place){(uint8_t)t, i});
        }
    }
    for (uint32_t i = 0; i < j->p->table[PGM_REGULATOR].rows && rc == 0 && !j->readings; i++) {
        rc = regulator(j, (struct pofi_pgm_place){PGM_REGULATOR, i});
    }
    finish_zero_sequence(j->grid);
    return rc;
}

static void tell(const struct pofi_pgm_job *j)
{
    if (j->p->unknown > 0) {
        pofi_tell(j->teller, "components and attributes that are not known, '%s' first: %u",
                  j->p->unknown_name, j->p->unknown);
    }
    pofi_tell_count(j->teller, j->p->table[PGM_FAULT].rows,
                    "faults left out: power flow and estimation have none");
    pofi_tell_count(j->teller, j->no_value, "sensors without value or sigma, left out");
    pofi_tell_count(j->teller, j->infinite, "sensors of infinite sigma, left out");
    pofi_tell_count(j->teller, j->open_end, "sensors at open ends or at what is switched off, left out");
    pofi_tell_count(j->teller, j->no_appliance, "injection sensors at nodes without appliance, left out");
    pofi_tell_count(j->teller, j->partly,
                    "sensors of appliances left out, for others at their nodes have none");
}

/* Most nodes and branches are rows of the tables. */
static int reserve(struct pofi_pgm_job *j)
{
    static const uint8_t types[] = {PGM_LINE, PGM_ASYM_LINE, PGM_LINK, PGM_GENERIC, PGM_TRAFO};
    size_t branches = 0;
    for (size_t t = 0; t < sizeof types; t++) {
        branches += j->p->table[types[t]].rows;
    }
    return pof_build_reserve(&j->build, j->p->table[PGM_NODE].rows, branches, j->err);
}

static int build(struct pofi_pgm_job *j)
{
    int rc = make_map(j);
    rc = rc ? rc : reserve(j);
    rc = rc ? rc : nodes(j);
    rc = rc ? rc : pofi_pgm_branches(j);
    for (uint32_t i = 0; i < j->grid->nodes && rc == 0; i++) {
        j->grid->node[i].zero_injection = true; /* until an appliance is found */
    }
    rc = rc ? rc : sources(j);
    if (rc == 0 && j->readings) {
        rc = pofi_pgm_sensors(j);
    }
    rc = rc ? rc : appliances(j);
    if (rc == 0 && j->readings) {
        rc = slack_nodes(j);
    }
    return rc ? rc : pof_build_finish(&j->build, j->err);
}

int pofi_pgm_grid(struct pof_grid *grid, const struct pofi_pgm *p, const struct pof_grid_wish *wish,
                  struct pofi_pgm_map *map, struct pof_err *err)
{
    *grid = (struct pof_grid){.base_va = BASE_VA, .f_hz = F_HZ};
    struct pofi_pgm_job j = {.p = p, .grid = grid, .build = {.grid = grid, .base_v_min = 1e-3}, .readings = wish->readings,
                             .teller = wish->teller, .err = err};
    int rc = build(&j);
    if (rc == 0) {
        tell(&j);
    } else {
        pof_grid_release(grid);
    }
    if (map && rc == 0) {
        *map = j.map;
    } else {
        pofi_pgm_map_release(&j.map);
    }
    return rc;
}

int pof_pgm_read(struct pof_grid *grid, struct pof_text text, const char *name,
                 const struct pof_grid_wish *wish, struct pof_err *err)
{
    struct pofi_pgm_set set;
    *grid = (struct pof_grid){0};
    int rc = pofi_pgm_parse(&set, text, name, err);
    if (rc) {
        return rc;
    }
    if (set.update || set.batch || set.n != 1) {
        rc = pof_fail(err, POF_E_SCHEMA, "a batch or an update: expected the input data of one grid");
    }
    rc = rc ? rc : pofi_pgm_index(&set.scenario[0], err);
    rc = rc ? rc : pofi_pgm_grid(grid, &set.scenario[0], wish, NULL, err);
    pofi_pgm_set_release(&set);
    return rc ? pof_at(err, name, 0, NULL) : 0;
}
