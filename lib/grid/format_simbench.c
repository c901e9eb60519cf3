/* SPDX-License-Identifier: Apache-2.0 */
/* SimBench data sets (S. Meinecke et al., Energies 13(12), 2020; documentation of the CSV format at
 * simbench.de) to grids. */
#include "grid/format_impl.h"

#include <stdlib.h>
#include <string.h>

#define MEGA 1e6

enum { COLUMNS = 32 };

const char *const pof_simbench_file[POF_SIMBENCH_TABLES] = {
    "Node.csv",        "Coordinates.csv", "Line.csv", "LineType.csv",    "Transformer.csv",
    "TransformerType.csv", "Load.csv",    "RES.csv",  "ExternalNet.csv", "StudyCases.csv",
    "Switch.csv",      "Shunt.csv",       "Storage.csv", "PowerPlant.csv", "Transformer3W.csv",
    "Measurement.csv"};

/* A table while its rows are gone through. */
struct sheet {
    const char *at, *end;
    const char *path;
    struct pof_text header[COLUMNS], cell[COLUMNS];
    size_t columns;
    uint64_t line;
};

/* The ids of a table and where their rows stand. */
struct ids {
    struct pof_names names;
    struct place {
        const char *at;
        uint64_t line;
    } *row;
    size_t cap;
};

/* Shares of a study case. */
struct study {
    double pload, qload, wind, pv, res;
    double slack_v; /* 0: that of the node */
};

struct reading {
    const struct pof_simbench *tables;
    struct pof_build build;
    struct study study;
    struct ids line_types, transformer_types, coordinates;
    struct sheet sheet;
    unsigned auto_taps, other_kinds, storages, meters;
    struct pof_err *err;
};

/* --- tables --- */

static size_t split(struct sheet *s, struct pof_text *to)
{
    const char *stop = memchr(s->at, '\n', (size_t)(s->end - s->at));
    stop = stop ? stop : s->end;
    const char *next = stop < s->end ? stop + 1 : stop;
    stop -= stop > s->at && stop[-1] == '\r';
    size_t n = 0;
    for (const char *p = s->at; p <= stop; p++) {
        const char *cell = p;
        while (p < stop && *p != ';') {
            p++;
        }
        if (n < COLUMNS) {
            to[n] = (struct pof_text){cell, (size_t)(p - cell)};
        }
        n++;
    }
    s->at = next;
    s->line++;
    return n;
}

static int open_sheet(struct reading *r, enum pof_simbench_table t)
{
    struct sheet *s = &r->sheet;
    *s = (struct sheet){.at = r->tables->data[t], .path = r->tables->path[t]};
    if (!s->at) {
        return 0;
    }
    s->end = s->at + r->tables->len[t];
    if (s->end - s->at >= 3 && memcmp(s->at, "\xef\xbb\xbf", 3) == 0) {
        s->at += 3;
    }
    s->columns = split(s, s->header);
    return s->columns <= COLUMNS ? 0
                                 : pof_fail(r->err, POF_E_COLUMNS, "more than %d columns", COLUMNS);
}

/* 1: a row, 0: the end, negative: a row of another length. */
static int next_row(struct reading *r)
{
    struct sheet *s = &r->sheet;
    while (s->at && s->at < s->end) {
        size_t n = split(s, s->cell);
        if (n == 1 && s->cell[0].len == 0) {
            continue;
        }
        return n == s->columns ? 1
                               : pof_fail(r->err, POF_E_COLUMNS, "%zu columns, the header has %zu", n,
                                          s->columns);
    }
    return 0;
}

static int text(struct reading *r, const char *column, struct pof_text *out)
{
    struct sheet *s = &r->sheet;
    for (size_t i = 0; i < s->columns; i++) {
        if (pof_text_is(s->header[i], column)) {
            *out = pof_text_is(s->cell[i], "NULL") ? (struct pof_text){"", 0} : s->cell[i];
            return 0;
        }
    }
    pof_fail(r->err, POF_E_MISSING, "the table has no column '%s'", column);
    return pof_at(r->err, NULL, 0, column);
}

/* A number; without where the cell is empty or NULL. */
static int real(struct reading *r, const char *column, double without, double *out)
{
    struct pof_text t;
    int rc = text(r, column, &t);
    *out = without;
    if (rc || t.len == 0 || pofi_number(t, false, out)) {
        return rc;
    }
    pof_fail(r->err, POF_E_NUMBER, "'%.*s' is not a number", (int)(t.len < 40 ? t.len : 40), t.ptr);
    return pof_at(r->err, NULL, 0, column);
}

static int node(struct reading *r, const char *column, uint32_t *out)
{
    struct pof_text t;
    int rc = text(r, column, &t);
    if (rc) {
        return rc;
    }
    *out = pof_names_find(&r->build.grid->node_names, t);
    if (*out == POF_NONE) {
        pof_fail(r->err, POF_E_REFERENCE, "'%.*s' is not in Node.csv", (int)(t.len < 40 ? t.len : 40),
                 t.ptr);
        return pof_at(r->err, NULL, 0, column);
    }
    return 0;
}

/* Goes to the row of a table with an id; its cells are then the present ones. */
static int row_of(struct reading *r, enum pof_simbench_table t, const struct ids *ids,
                  struct pof_text id)
{
    uint32_t row = pof_names_find(&ids->names, id);
    if (row == POF_NONE) {
        return pof_fail(r->err, POF_E_REFERENCE, "'%.*s' is not in %s",
                        (int)(id.len < 60 ? id.len : 60), id.ptr, pof_simbench_file[t]);
    }
    int rc = open_sheet(r, t);
    r->sheet.at = ids->row[row].at;
    r->sheet.line = ids->row[row].line;
    return rc ? rc : next_row(r) == 1 ? 0 : pof_fail(r->err, POF_E_INTERNAL, "a row is lost");
}

static int each_row(struct reading *r, enum pof_simbench_table t, int (*take)(struct reading *r))
{
    int rc = open_sheet(r, t), more = 1;
    while (rc == 0 && (more = next_row(r)) == 1) {
        struct sheet here = r->sheet;
        rc = take(r);
        /* An error in the table a row refers to is that table's; else it is this row's. */
        if (rc) {
            break;
        }
        r->sheet = here;
    }
    rc = rc ? rc : more < 0 ? more : 0;
    return rc ? pof_at(r->err, r->sheet.path, r->sheet.line, NULL) : 0;
}

static int add_id(struct reading *r, struct ids *ids)
{
    struct pof_text id;
    uint32_t number;
    size_t n = ids->names.n;
    int rc = text(r, "id", &id);
    rc = rc ? rc : pof_grow(&ids->row, &ids->cap, n + 1, sizeof *ids->row, r->err);
    rc = rc ? rc : pof_names_add(&ids->names, id, &number, r->err);
    if (rc == 0 && number < n) {
        rc = pof_fail(r->err, POF_E_DUPLICATE, "id '%.*s' was given before",
                      (int)(id.len < 60 ? id.len : 60), id.ptr);
    }
    if (rc == 0) {
        ids->row[n] = (struct place){r->sheet.cell[0].ptr, r->sheet.line - 1};
    }
    return rc;
}

static void release_ids(struct ids *ids)
{
    pof_names_release(&ids->names);
    free(ids->row);
}

static int take_line_type(struct reading *r)
{
    return add_id(r, &r->line_types);
}

static int take_transformer_type(struct reading *r)
{
    return add_id(r, &r->transformer_types);
}

static int take_coordinates(struct reading *r)
{
    return add_id(r, &r->coordinates);
}

/* --- rows --- */

static int take_study(struct reading *r)
{
    struct pof_text name;
    struct study s = {0};
    int rc = text(r, "Study Case", &name);
    if (rc || !pof_text_is(name, r->tables->study_case)) {
        return rc;
    }
    rc = real(r, "pload", 1, &s.pload);
    rc = rc ? rc : real(r, "qload", 1, &s.qload);
    rc = rc ? rc : real(r, "Wind_p", 1, &s.wind);
    rc = rc ? rc : real(r, "PV_p", 1, &s.pv);
    rc = rc ? rc : real(r, "RES_p", 1, &s.res);
    rc = rc ? rc : real(r, "Slack_vm", 1, &s.slack_v);
    r->study = s;
    return rc;
}

static int place_node(struct reading *r, struct pof_text id, struct pof_node *n)
{
    if (id.len == 0 || !r->tables->data[POF_SIMBENCH_COORDINATES]) {
        return 0;
    }
    int rc = row_of(r, POF_SIMBENCH_COORDINATES, &r->coordinates, id);
    rc = rc ? rc : real(r, "x", 0, &n->x);
    rc = rc ? rc : real(r, "y", 0, &n->y);
    n->has_xy = rc == 0;
    return rc;
}

static int take_node(struct reading *r)
{
    struct pof_text id, coordinates;
    double kv, v_set = 1, angle = 0;
    int rc = text(r, "id", &id);
    rc = rc ? rc : text(r, "coordID", &coordinates);
    rc = rc ? rc : real(r, "vmR", 0, &kv);
    if (rc) {
        return rc;
    }
    struct pof_node n = pof_node_default(id, kv * 1000);
    rc = real(r, "vmMin", 0.9, &n.v_min_pu);
    rc = rc ? rc : real(r, "vmMax", 1.1, &n.v_max_pu);
    rc = rc ? rc : real(r, "vmSetp", 1, &v_set);
    rc = rc ? rc : real(r, "vaSetp", 0, &angle);
    n.v_set_pu = v_set; /* used when an external net makes it the slack node */
    n.angle_set = pof_rad_of_deg(angle);
    rc = rc ? rc : place_node(r, coordinates, &n);
    return rc ? rc : pof_build_node(&r->build, &n, r->err);
}

static int take_external(struct reading *r)
{
    struct pof_text kind;
    uint32_t at;
    int rc = node(r, "node", &at);
    rc = rc ? rc : text(r, "calc_type", &kind);
    if (rc) {
        return rc;
    }
    if (!pof_text_is(kind, "vavm")) {
        pof_fail(r->err, POF_E_ENUM, "an external net of type '%.*s' is not understood; 'vavm' is",
                 (int)(kind.len < 20 ? kind.len : 20), kind.ptr);
        return pof_at(r->err, NULL, 0, "calc_type");
    }
    struct pof_node *n = &r->build.grid->node[at];
    n->kind = POF_NODE_SLACK;
    n->v_set_pu = r->study.slack_v > 0 ? r->study.slack_v : n->v_set_pu;
    if (!(n->v_set_pu > 0.5 && n->v_set_pu < 1.5)) {
        return pof_fail(r->err, POF_E_PHYSICS, "the slack voltage %.15g p.u. is not in 0.5 .. 1.5",
                        n->v_set_pu);
    }
    return 0;
}

static int take_load(struct reading *r)
{
    uint32_t at;
    double p, q;
    int rc = node(r, "node", &at);
    rc = rc ? rc : real(r, "pLoad", 0, &p);
    rc = rc ? rc : real(r, "qLoad", 0, &q);
    if (rc == 0) {
        r->build.grid->node[at].p_w += p * r->study.pload * MEGA;
        r->build.grid->node[at].q_var += q * r->study.qload * MEGA;
    }
    return rc;
}

static int take_res(struct reading *r)
{
    uint32_t at;
    double p, q;
    struct pof_text type, kind;
    int rc = node(r, "node", &at);
    rc = rc ? rc : text(r, "type", &type);
    rc = rc ? rc : text(r, "calc_type", &kind);
    rc = rc ? rc : real(r, "pRES", 0, &p);
    rc = rc ? rc : real(r, "qRES", 0, &q);
    if (rc) {
        return rc;
    }
    r->other_kinds += !pof_text_is(kind, "pq");
    double share = pof_text_is(type, "PV")                                   ? r->study.pv
                   : type.len >= 4 && memcmp(type.ptr, "Wind", 4) == 0 ? r->study.wind
                                                                             : r->study.res;
    r->build.grid->node[at].p_w -= p * share * MEGA;
    r->build.grid->node[at].q_var -= q * share * MEGA;
    return 0;
}

/* Consumption of a shunt at its rated voltage, for each of its steps. */
static int take_shunt(struct reading *r)
{
    uint32_t at;
    double p, q, kv, steps;
    int rc = node(r, "node", &at);
    rc = rc ? rc : real(r, "p0", 0, &p);
    rc = rc ? rc : real(r, "q0", 0, &q);
    rc = rc ? rc : real(r, "vmR", 0, &kv);
    rc = rc ? rc : real(r, "step", 1, &steps);
    if (rc) {
        return rc;
    }
    struct pof_node *n = &r->build.grid->node[at];
    double to_nominal = kv > 0 ? n->base_v / (kv * 1000) : 1;
    n->g_w += p * steps * to_nominal * to_nominal * MEGA;
    n->b_var -= q * steps * to_nominal * to_nominal * MEGA;
    return 0;
}

static int take_storage(struct reading *r)
{
    uint32_t at;
    double p, q;
    int rc = node(r, "node", &at);
    rc = rc ? rc : real(r, "pStor", 0, &p);
    rc = rc ? rc : real(r, "qStor", 0, &q);
    if (rc == 0) {
        r->build.grid->node[at].p_w += p * MEGA;
        r->build.grid->node[at].q_var += q * MEGA;
        r->storages++;
    }
    return rc;
}

/* pq: as given; pvm: holds the voltage of its node within reactive limits; vavm: a slack node. */
static int take_plant(struct reading *r)
{
    uint32_t at;
    double p, q, q_min, q_max;
    struct pof_text kind;
    int rc = node(r, "node", &at);
    rc = rc ? rc : text(r, "calc_type", &kind);
    rc = rc ? rc : real(r, "pPP", 0, &p);
    rc = rc ? rc : real(r, "qPP", 0, &q);
    rc = rc ? rc : real(r, "qMin", -1e6, &q_min);
    rc = rc ? rc : real(r, "qMax", 1e6, &q_max);
    if (rc) {
        return rc;
    }
    struct pof_node *n = &r->build.grid->node[at];
    if (pof_text_is(kind, "vavm")) {
        n->kind = POF_NODE_SLACK;
        return 0;
    }
    n->p_w -= p * MEGA;
    if (pof_text_is(kind, "pq") || n->kind == POF_NODE_SLACK) {
        n->q_var -= n->kind == POF_NODE_SLACK ? 0 : q * MEGA;
        return 0;
    }
    if (!pof_text_is(kind, "pvm")) {
        pof_fail(r->err, POF_E_ENUM, "a power plant of type '%.*s' is not understood; pq, pvm, vavm are",
                 (int)(kind.len < 20 ? kind.len : 20), kind.ptr);
        return pof_at(r->err, NULL, 0, "calc_type");
    }
    bool limited = q_min > -1e6 && q_max < 1e6;
    n->has_q_limits = limited && (n->kind == POF_NODE_PQ || n->has_q_limits);
    n->q_min_var = n->has_q_limits ? n->q_min_var + q_min * MEGA : 0;
    n->q_max_var = n->has_q_limits ? n->q_max_var + q_max * MEGA : 0;
    n->kind = POF_NODE_PV;
    return 0;
}

/* Breakers, load switches and disconnectors between nodes, some of which are auxiliary. */
static int take_switch(struct reading *r)
{
    struct pof_branch b = {.kind = POF_BRANCH_SWITCH,
                           .ratio = 1,
                           .x = POF_SWITCH_X_PER_VA * r->build.grid->base_va};
    double closed;
    int rc = text(r, "id", &b.name);
    rc = rc ? rc : node(r, "nodeA", &b.from);
    rc = rc ? rc : node(r, "nodeB", &b.to);
    rc = rc ? rc : real(r, "cond", 1, &closed);
    if (rc == 0 && closed != 0 && closed != 1) {
        pof_fail(r->err, POF_E_ENUM, "condition %.15g is not 0 (open) or 1 (closed)", closed);
        return pof_at(r->err, NULL, 0, "cond");
    }
    b.closed = closed == 1;
    return rc ? rc : pof_build_branch(&r->build, &b, r->err);
}

static int refuse_three_windings(struct reading *r)
{
    return pof_fail(r->err, POF_E_SCHEMA,
                    "transformers with three windings are not read from SimBench; voltages would be wrong");
}

static int count_meter(struct reading *r)
{
    r->meters++;
    return 0;
}

static int take_line(struct reading *r)
{
    struct pof_asset a = {.form = POF_FORM_PER_KM};
    struct pof_branch b = {.ratio = 1, .closed = true, .asset = &a};
    struct pof_text type;
    double share, i_max;
    int rc = text(r, "id", &b.name);
    rc = rc ? rc : node(r, "nodeA", &b.from);
    rc = rc ? rc : node(r, "nodeB", &b.to);
    rc = rc ? rc : text(r, "type", &type);
    rc = rc ? rc : real(r, "length", 0, &a.length_km);
    rc = rc ? rc : real(r, "loadingMax", 100, &share);
    rc = rc ? rc : row_of(r, POF_SIMBENCH_LINETYPE, &r->line_types, type);
    rc = rc ? rc : real(r, "r", 0, &a.r_ohm);
    rc = rc ? rc : real(r, "x", 0, &a.x_ohm);
    rc = rc ? rc : real(r, "b", 0, &a.b_us);
    rc = rc ? rc : real(r, "iMax", 0, &i_max);
    if (rc) {
        return rc;
    }
    if (!(a.length_km >= 1e-6) || a.r_ohm < 0 || a.x_ohm < 0 || a.b_us < 0 || i_max < 0) {
        return pof_fail(r->err, POF_E_PHYSICS, "a negative value of line '%.*s' or its type, or no length",
                        (int)(b.name.len < 60 ? b.name.len : 60), b.name.ptr);
    }
    a.rating_a = i_max * share / 100;
    return pof_asset_model(r->build.grid, &a, &b) ? pof_build_branch(&r->build, &b, r->err)
                                                  : POF_E_INTERNAL;
}

/* The plate of a transformer from the row of its type. A tap at the LV side changes that side's rated
 * voltage. */
static int read_plate(struct reading *r, double tap, struct pof_asset *a, double *shift)
{
    double mva, hv, lv, cu_kw, fe_kw, step, neutral, turn;
    struct pof_text side;
    int rc = real(r, "sR", 0, &mva);
    rc = rc ? rc : real(r, "vmHV", 0, &hv);
    rc = rc ? rc : real(r, "vmLV", 0, &lv);
    rc = rc ? rc : real(r, "va0", 0, shift);
    rc = rc ? rc : real(r, "vmImp", 0, &a->uk_pct);
    rc = rc ? rc : real(r, "pCu", 0, &cu_kw);
    rc = rc ? rc : real(r, "pFe", 0, &fe_kw);
    rc = rc ? rc : real(r, "iNoLoad", 0, &a->i0_pct);
    rc = rc ? rc : text(r, "tapside", &side);
    rc = rc ? rc : real(r, "dVm", 0, &step);
    rc = rc ? rc : real(r, "dVa", 0, &turn);
    rc = rc ? rc : real(r, "tapNeutr", 0, &neutral);
    if (rc) {
        return rc;
    }
    double steps = tap - neutral;
    bool lv_tap = pof_text_is(side, "LV");
    a->sn_va = mva * MEGA;
    a->v_from = hv * 1000;
    a->v_to = lv * 1000 * (lv_tap ? 1 + steps * step / 100 : 1);
    a->pk_w = cu_kw * 1000;
    a->p0_w = fe_kw * 1000;
    a->tap_pct = lv_tap ? 0 : steps * step;
    *shift += steps * turn * (lv_tap ? -1 : 1);
    if (!(a->sn_va > 0 && a->v_from > 0 && a->v_to > 0 && a->uk_pct > 0 && a->pk_w >= 0)) {
        return pof_fail(r->err, POF_E_PHYSICS, "sR, vmHV, vmLV and vmImp must be above 0");
    }
    return 0;
}

static int take_transformer(struct reading *r)
{
    struct pof_asset a = {.form = POF_FORM_PLATE};
    struct pof_branch b = {.kind = POF_BRANCH_TRANSFORMER, .closed = true, .asset = &a};
    struct pof_text type;
    double tap, automatic, share, shift;
    int rc = text(r, "id", &b.name);
    rc = rc ? rc : node(r, "nodeHV", &b.from);
    rc = rc ? rc : node(r, "nodeLV", &b.to);
    rc = rc ? rc : text(r, "type", &type);
    rc = rc ? rc : real(r, "tappos", 0, &tap);
    rc = rc ? rc : real(r, "autoTap", 0, &automatic);
    rc = rc ? rc : real(r, "loadingMax", 100, &share);
    rc = rc ? rc : row_of(r, POF_SIMBENCH_TRANSFORMERTYPE, &r->transformer_types, type);
    rc = rc ? rc : read_plate(r, tap, &a, &shift);
    if (rc) {
        return rc;
    }
    r->auto_taps += automatic != 0;
    b.shift = pof_rad_of_deg(shift);
    b.rating_va = a.sn_va * share / 100;
    if (!pof_asset_model(r->build.grid, &a, &b)) {
        return pof_fail(r->err, POF_E_PHYSICS, "losses exceed what vmImp or iNoLoad allow");
    }
    return pof_build_branch(&r->build, &b, r->err);
}

/* --- the data set --- */

static int require(struct reading *r)
{
    static const enum pof_simbench_table needed[] = {POF_SIMBENCH_NODE, POF_SIMBENCH_LINE,
                                                     POF_SIMBENCH_LINETYPE,
                                                     POF_SIMBENCH_EXTERNALNET};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!r->tables->data[needed[i]]) {
            return pof_fail(r->err, POF_E_MISSING, "the data set has no %s",
                            pof_simbench_file[needed[i]]);
        }
    }
    return 0;
}

static int choose_study(struct reading *r)
{
    r->study = (struct study){1, 1, 1, 1, 1, 0};
    if (!r->tables->study_case) {
        return 0;
    }
    int rc = each_row(r, POF_SIMBENCH_STUDYCASES, take_study);
    return rc || r->study.slack_v > 0
               ? rc
               : pof_fail(r->err, POF_E_REFERENCE, "StudyCases.csv has no study case '%s'",
                          r->tables->study_case);
}

static void mark_empty(struct pof_grid *g)
{
    for (uint32_t i = 0; i < g->nodes; i++) {
        struct pof_node *n = &g->node[i];
        bool held = n->kind != POF_NODE_PQ;
        n->zero_injection = !held && n->p_w == 0 && n->q_var == 0;
        n->v_set_pu = held ? n->v_set_pu : 1;
        n->angle_set = n->kind == POF_NODE_SLACK ? n->angle_set : 0;
    }
}

static int read_all(struct reading *r)
{
    static const struct {
        enum pof_simbench_table table;
        int (*take)(struct reading *r);
    } steps[] = {{POF_SIMBENCH_LINETYPE, take_line_type},
                 {POF_SIMBENCH_TRANSFORMERTYPE, take_transformer_type},
                 {POF_SIMBENCH_COORDINATES, take_coordinates},
                 {POF_SIMBENCH_NODE, take_node},
                 {POF_SIMBENCH_EXTERNALNET, take_external},
                 {POF_SIMBENCH_LOAD, take_load},
                 {POF_SIMBENCH_RES, take_res},
                 {POF_SIMBENCH_STORAGE, take_storage},
                 {POF_SIMBENCH_SHUNT, take_shunt},
                 {POF_SIMBENCH_POWERPLANT, take_plant},
                 {POF_SIMBENCH_MEASUREMENT, count_meter},
                 {POF_SIMBENCH_TRANSFORMER3W, refuse_three_windings},
                 {POF_SIMBENCH_LINE, take_line},
                 {POF_SIMBENCH_TRANSFORMER, take_transformer},
                 {POF_SIMBENCH_SWITCH, take_switch}};
    int rc = require(r);
    rc = rc ? rc : choose_study(r);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && rc == 0; i++) {
        rc = each_row(r, steps[i].table, steps[i].take);
    }
    if (rc == 0) {
        mark_empty(r->build.grid);
        rc = pof_build_finish(&r->build, r->err);
    }
    return rc;
}

int pof_simbench_read(struct pof_grid *grid, const struct pof_simbench *tables,
                      const struct pof_teller *teller, struct pof_err *err)
{
    struct pof_err own = {0};
    *grid = (struct pof_grid){.base_va = MEGA, .f_hz = 50};
    struct reading r = {.tables = tables, .build = {.grid = grid}, .err = err ? err : &own};
    int rc = read_all(&r);
    if (rc) {
        pof_grid_release(grid);
    } else {
        pofi_tell_count(teller, r.auto_taps, "transformers that change taps by themselves, here they stay");
        pofi_tell_count(teller, r.storages, "storages, whose power counts as consumption");
        pofi_tell_count(teller, r.meters, "places of measurements, which have no values, left out");
        pofi_tell_count(teller, r.other_kinds, "generators not of type pq, here they are");
    }
    release_ids(&r.line_types);
    release_ids(&r.transformer_types);
    release_ids(&r.coordinates);
    return rc;
}
