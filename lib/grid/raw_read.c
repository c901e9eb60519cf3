/* SPDX-License-Identifier: Apache-2.0 */
/* PSS/E power flow raw data, revisions 32 and 33 (PSS/E 33 Program Operation Manual, chapter 5), to
 * grids: lines, buses and what is connected to them. */
#include "grid/raw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEGA 1e6

/* --- lines and fields --- */

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One field from p on; *quoted when it stands in quotes. Returns the place behind it. */
static const char *cut_field(const char *p, const char *stop, struct pof_text *field)
{
    const char *from = p;
    if (p < stop && *p == '\'') {
        from = ++p;
        while (p < stop && *p != '\'') {
            p++;
        }
        *field = (struct pof_text){from, (size_t)(p - from)};
        p += p < stop;
    } else {
        while (p < stop && !blank(*p) && *p != ',' && *p != '/') {
            p++;
        }
        *field = (struct pof_text){from, (size_t)(p - from)};
    }
    while (field->len > 0 && blank(field->ptr[field->len - 1])) {
        field->len--;
    }
    while (field->len > 0 && blank(*field->ptr)) {
        field->ptr++;
        field->len--;
    }
    return p;
}

static void cut_line(struct pofi_record *rec, const char *p, const char *stop)
{
    rec->n = 0;
    for (;;) {
        while (p < stop && blank(*p)) {
            p++;
        }
        if (p >= stop || *p == '/' || rec->n == POFI_RAW_FIELDS) {
            return;
        }
        p = cut_field(p, stop, &rec->field[rec->n++]);
        while (p < stop && blank(*p)) {
            p++;
        }
        p += p < stop && *p == ',';
    }
}

static bool next_line(struct pofi_raw *r, bool blank_too)
{
    while (r->at < r->end) {
        const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
        stop = stop ? stop : r->end;
        cut_line(&r->rec, r->at, stop);
        r->at = stop < r->end ? stop + 1 : stop;
        r->line++;
        if (r->rec.n > 0 || blank_too) {
            return !(r->rec.n > 0 && pof_text_is(r->rec.field[0], "Q"));
        }
    }
    return false;
}

bool pofi_raw_next(struct pofi_raw *r)
{
    return next_line(r, false);
}

int pofi_raw_real(struct pofi_raw *r, size_t i, const char *name, double without, double *out)
{
    if (i >= r->rec.n || r->rec.field[i].len == 0) {
        *out = without;
        return 0;
    }
    struct pof_text f = r->rec.field[i];
    if (pofi_number(f, false, out)) {
        return 0;
    }
    pof_fail(r->err, POF_E_NUMBER, "'%.*s' is not a number", (int)(f.len < 40 ? f.len : 40), f.ptr);
    return pof_at(r->err, NULL, 0, name);
}

/* Several fields in a row. */
static int reals(struct pofi_raw *r, size_t from, const char *const *name, double *out)
{
    int rc = 0;
    for (size_t i = 0; name[i] && rc == 0; i++) {
        rc = pofi_raw_real(r, from + i, name[i], out[i], &out[i]);
    }
    return rc;
}

static struct pof_text text_field(const struct pofi_raw *r, size_t i)
{
    return i < r->rec.n ? r->rec.field[i] : (struct pof_text){"", 0};
}

static int bus_text(struct pofi_raw *r, size_t i, const char *name, char *to, struct pof_text *out)
{
    double number;
    int rc = pofi_raw_real(r, i, name, 0, &number);
    number = fabs(number);
    if (rc == 0 && (!(number >= 1) || number > 999999 || number != floor(number))) {
        pof_fail(r->err, POF_E_RANGE, "bus number %.15g is not an integer in 1 .. 999999", number);
        rc = pof_at(r->err, NULL, 0, name);
    }
    if (rc == 0) {
        *out = (struct pof_text){to, (size_t)snprintf(to, 16, "%.0f", number)};
    }
    return rc;
}

int pofi_raw_bus(struct pofi_raw *r, size_t i, const char *name, uint32_t *node)
{
    char text[16];
    struct pof_text number;
    int rc = bus_text(r, i, name, text, &number);
    if (rc) {
        return rc;
    }
    *node = pof_names_find(&r->numbers, number);
    if (*node == POF_NONE) {
        pof_fail(r->err, POF_E_REFERENCE, "bus %s is not in the bus data", text);
        return pof_at(r->err, NULL, 0, name);
    }
    return 0;
}

/* --- buses --- */

static int add_bus(struct pofi_raw *r, const struct pof_node *node, struct pof_text number, bool isolated)
{
    uint32_t id;
    size_t n = r->numbers.n;
    int rc = pof_names_add(&r->numbers, number, &id, r->err);
    if (rc == 0 && id < n) {
        pof_fail(r->err, POF_E_DUPLICATE, "bus %.*s was given before", (int)number.len, number.ptr);
        rc = pof_at(r->err, NULL, 0, "I");
    }
    rc = rc ? rc : pof_grow(&r->isolated, &r->isolated_cap, n + 1, sizeof *r->isolated, r->err);
    rc = rc ? rc : pof_build_node(&r->build, node, r->err);
    if (rc == 0) {
        r->isolated[n] = isolated;
    }
    return rc;
}

/* A name is remembered when it can be one of ours: there, and of plain characters. */
static int note_name(struct pofi_raw *r)
{
    struct pof_text name = text_field(r, 1);
    uint32_t id;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] < 0x20 || name.ptr[i] > 0x7e) {
            return 0;
        }
    }
    bool usable = name.len > 0 && name.len <= POF_GRID_NAME_MAX;
    return usable ? pof_names_add(&r->names, name, &id, r->err) : 0;
}

/* Behind the bus data: nodes are called by their names when all are good and different. */
static void use_names(struct pofi_raw *r)
{
    struct pof_grid *g = r->build.grid;
    if (r->names.n != g->nodes) {
        return;
    }
    struct pof_names numbers = g->node_names;
    g->node_names = r->names;
    r->names = numbers;
    for (uint32_t i = 0; i < g->nodes; i++) {
        g->node[i].name = g->node_names.text[i];
    }
}

static int read_bus(struct pofi_raw *r)
{
    enum { BASKV, IDE, VM, VA, NVHI, NVLO };
    char text[16];
    struct pof_text number;
    double v[] = {0, 1, 1, 0, 1.1, 0.9};
    int rc = bus_text(r, 0, "I", text, &number);
    rc = rc ? rc : reals(r, 2, (const char *const[]){"BASKV", "IDE", NULL}, v);
    rc = rc ? rc : reals(r, 7, (const char *const[]){"VM", "VA", "NVHI", "NVLO", NULL}, v + VM);
    if (rc) {
        return rc;
    }
    if (v[IDE] != 1 && v[IDE] != 2 && v[IDE] != 3 && v[IDE] != 4) {
        pof_fail(r->err, POF_E_RANGE, "bus type code %.15g is not 1, 2, 3 or 4", v[IDE]);
        return pof_at(r->err, NULL, 0, "IDE");
    }
    r->no_base += v[BASKV] == 0;
    struct pof_node node = pof_node_default(number, v[BASKV] == 0 ? 1000 : v[BASKV] * 1000);
    node.kind = v[IDE] == 2 ? POF_NODE_PV : v[IDE] == 3 ? POF_NODE_SLACK : POF_NODE_PQ;
    node.v_set_pu = node.kind == POF_NODE_PQ ? 1 : v[VM];
    node.angle_set = node.kind == POF_NODE_SLACK ? pof_rad_of_deg(v[VA]) : 0;
    if (v[NVLO] >= 0 && v[NVLO] < v[NVHI] && v[NVHI] <= 3) {
        node.v_min_pu = v[NVLO];
        node.v_max_pu = v[NVHI];
    } else {
        r->limits++;
    }
    rc = note_name(r);
    return rc ? rc : add_bus(r, &node, number, v[IDE] == 4);
}

/* --- what is connected to buses --- */

/* Constant current has no place in a grid document: at 1 p.u. it is the same as constant power. */
static int read_load(struct pofi_raw *r)
{
    uint32_t at;
    double status, v[] = {0, 0, 0, 0, 0, 0};
    int rc = pofi_raw_bus(r, 0, "I", &at);
    rc = rc ? rc : pofi_raw_real(r, 2, "STATUS", 1, &status);
    rc = rc ? rc : reals(r, 5, (const char *const[]){"PL", "QL", "IP", "IQ", "YP", "YQ", NULL}, v);
    if (rc || status == 0) {
        return rc;
    }
    struct pof_node *node = &r->build.grid->node[at];
    node->p_w += (v[0] + v[2]) * MEGA;
    node->q_var += (v[1] + v[3]) * MEGA;
    node->g_w += v[4] * MEGA;
    node->b_var += v[5] * MEGA;
    r->current_loads += v[2] != 0 || v[3] != 0;
    return 0;
}

static int read_fixed_shunt(struct pofi_raw *r)
{
    uint32_t at;
    double v[] = {1, 0, 0};
    int rc = pofi_raw_bus(r, 0, "I", &at);
    rc = rc ? rc : reals(r, 2, (const char *const[]){"STATUS", "GL", "BL", NULL}, v);
    if (rc == 0 && v[0] != 0) {
        r->build.grid->node[at].g_w += v[1] * MEGA;
        r->build.grid->node[at].b_var += v[2] * MEGA;
    }
    return rc;
}

static int read_switched_shunt(struct pofi_raw *r)
{
    uint32_t at;
    double status, binit;
    int rc = pofi_raw_bus(r, 0, "I", &at);
    rc = rc ? rc : pofi_raw_real(r, 3, "STAT", 1, &status);
    rc = rc ? rc : pofi_raw_real(r, 9, "BINIT", 0, &binit);
    if (rc == 0 && status != 0) {
        r->build.grid->node[at].b_var += binit * MEGA;
    }
    return rc;
}

/* As in the reader of MATPOWER cases: a generator of a pq node is negative consumption, at a pv node
 * its reactive power is free, at a slack node both are. */
static int read_generator(struct pofi_raw *r)
{
    enum { PG, QG, QT, QB, VS, IREG };
    uint32_t at;
    double status, v[] = {0, 0, 9999, -9999, 1, 0};
    static const char *const names[] = {"PG", "QG", "QT", "QB", "VS", "IREG", NULL};
    int rc = pofi_raw_bus(r, 0, "I", &at);
    rc = rc ? rc : reals(r, 2, names, v);
    rc = rc ? rc : pofi_raw_real(r, 14, "STAT", 1, &status);
    if (rc || status == 0) {
        return rc;
    }
    struct pof_node *node = &r->build.grid->node[at];
    r->in_service[at]++;
    if (node->kind != POF_NODE_SLACK) {
        node->p_w -= v[PG] * MEGA;
    }
    if (node->kind == POF_NODE_PQ) {
        node->q_var -= v[QG] * MEGA;
        return 0;
    }
    if (!(v[VS] > 0.5 && v[VS] < 1.5)) {
        pof_fail(r->err, POF_E_PHYSICS, "voltage set point %.15g p.u. is not in 0.5 .. 1.5", v[VS]);
        return pof_at(r->err, NULL, 0, "VS");
    }
    node->v_set_pu = v[VS];
    r->generators++;
    uint32_t regulated = at;
    if (v[IREG] != 0 && (rc = pofi_raw_bus(r, 2 + IREG, "IREG", &regulated)) != 0) {
        return rc;
    }
    r->remote += regulated != at;
    return 0;
}

/* Loads and shunts come before generators; when those have been read nodes are what they are. */
static void settle_kinds(struct pofi_raw *r)
{
    struct pof_grid *g = r->build.grid;
    for (uint32_t i = 0; i < g->nodes; i++) {
        struct pof_node *n = &g->node[i];
        if (n->kind == POF_NODE_PV && !r->in_service[i]) {
            n->kind = POF_NODE_PQ;
            n->v_set_pu = 1;
            r->no_gen++;
        }
        n->zero_injection = n->kind == POF_NODE_PQ && n->p_w == 0 && n->q_var == 0 &&
                            !r->in_service[i];
    }
}

/* --- branches --- */

int pofi_raw_add_branch(struct pofi_raw *r, struct pof_branch *b, struct pof_text name,
                        struct pof_text circuit)
{
    const struct pof_grid *g = r->build.grid;
    char text[POF_GRID_NAME_MAX + 1], ckt[16];
    snprintf(ckt, sizeof ckt, "%.*s", (int)(circuit.len < 8 ? circuit.len : 8), circuit.ptr);
    bool isolated_from = b->from < r->numbers.n && r->isolated[b->from];
    bool isolated_to = b->to < r->numbers.n && r->isolated[b->to];
    if (b->closed && isolated_from != isolated_to) {
        b->closed = false;
        r->opened++;
    }
    bool taken = name.len == 0 || pof_names_find(&g->branch_names, name) != POF_NONE;
    b->name = taken ? pofi_branch_name(g, b->from, b->to, ckt, text) : name;
    return pof_build_branch(&r->build, b, r->err);
}

static void line_shunts(struct pofi_raw *r, struct pof_branch *b, const double gb[4])
{
    struct pof_grid *g = r->build.grid;
    if (gb[0] == gb[2] && gb[1] == gb[3]) {
        b->g = 2 * gb[0];
        b->b += 2 * gb[1];
    } else if (b->closed) {
        g->node[b->from].g_w += gb[0] * g->base_va;
        g->node[b->from].b_var += gb[1] * g->base_va;
        g->node[b->to].g_w += gb[2] * g->base_va;
        g->node[b->to].b_var += gb[3] * g->base_va;
        r->asymmetric++;
    }
}

static int read_branch(struct pofi_raw *r)
{
    enum { R, X, B, RATEA, RATEB, RATEC, GI, BI, GJ, BJ, ST };
    static const char *const names[] = {"R",  "X",  "B",  "RATEA", "RATEB", "RATEC",
                                        "GI", "BI", "GJ", "BJ",    "ST",    NULL};
    const struct pof_grid *g = r->build.grid;
    double v[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    struct pof_branch b = {.ratio = 1};
    int rc = pofi_raw_bus(r, 0, "I", &b.from);
    rc = rc ? rc : pofi_raw_bus(r, 1, "J", &b.to);
    rc = rc ? rc : reals(r, 3, names, v);
    if (rc) {
        return rc;
    }
    b.r = v[R];
    b.x = v[X];
    b.b = v[B];
    b.rating_va = v[RATEA] * MEGA;
    b.closed = v[ST] != 0;
    if (b.r == 0 && b.x == 0) {
        b.kind = POF_BRANCH_SWITCH;
        b.x = POF_SWITCH_X_PER_VA * g->base_va;
        r->switches++;
    } else if (g->node[b.from].base_v != g->node[b.to].base_v) {
        b.kind = POF_BRANCH_TRANSFORMER;
    }
    line_shunts(r, &b, v + GI);
    return pofi_raw_add_branch(r, &b, (struct pof_text){"", 0}, text_field(r, 2));
}

/* --- the file --- */

/* Data this reader has no use for. Those that would change voltages are told apart. */
static int skip_bookkeeping(struct pofi_raw *r)
{
    r->tables++;
    return 0;
}

static int skip_data(struct pofi_raw *r)
{
    r->data_left_out++;
    return 0;
}

/* The parts of a file in their order. */
static const struct {
    const char *name;
    int (*read)(struct pofi_raw *r);
} parts[] = {{"bus", read_bus},
             {"load", read_load},
             {"fixed shunt", read_fixed_shunt},
             {"generator", read_generator},
             {"branch", read_branch},
             {"transformer", pofi_raw_transformer},
             {"area", skip_bookkeeping},
             {"two-terminal DC", skip_data},
             {"voltage source converter", skip_data},
             {"impedance correction", skip_bookkeeping},
             {"multi-terminal DC", skip_data},
             {"multi-section line", skip_bookkeeping},
             {"zone", skip_bookkeeping},
             {"inter-area transfer", skip_bookkeeping},
             {"owner", skip_bookkeeping},
             {"FACTS device", skip_data},
             {"switched shunt", read_switched_shunt},
             {"GNE device", skip_data},
             {"induction machine", skip_data}};

enum { PART_BRANCH = 4, PART_LEAST = 6, PARTS = sizeof parts / sizeof parts[0] };

static int read_part(struct pofi_raw *r, size_t part, bool *more)
{
    for (;;) {
        *more = pofi_raw_next(r);
        if (!*more) {
            return part >= PART_LEAST
                       ? 0
                       : pof_fail(r->err, POF_E_TRUNCATED, "the file ends in its %s data",
                                  parts[part].name);
        }
        if (pof_text_is(r->rec.field[0], "0")) {
            return 0;
        }
        int rc = parts[part].read(r);
        if (rc) {
            return rc;
        }
    }
}

static int read_head(struct pofi_raw *r)
{
    enum { IC, SBASE, REV, XFRRAT, NXFRAT, BASFRQ };
    static const char *const names[] = {"IC", "SBASE", "REV", "XFRRAT", "NXFRAT", "BASFRQ", NULL};
    double v[] = {0, 100, 0, 0, 0, 50};
    struct pof_grid *g = r->build.grid;
    if (!next_line(r, false)) {
        return pof_fail(r->err, POF_E_TRUNCATED, "the file is empty");
    }
    int rc = reals(r, 0, names, v);
    if (rc == 0 && v[IC] != 0) {
        pof_fail(r->err, POF_E_SCHEMA, "IC %.15g adds to another case; 0 is a case of its own", v[IC]);
        rc = pof_at(r->err, NULL, 0, "IC");
    }
    if (rc == 0 && v[REV] != 32 && v[REV] != 33) {
        pof_fail(r->err, POF_E_SCHEMA, "revision %.15g; 32 and 33 are read", v[REV]);
        rc = pof_at(r->err, NULL, 0, "REV");
    }
    if (rc == 0 && !(v[SBASE] >= 1e-6 && v[SBASE] <= 1e6)) {
        pof_fail(r->err, POF_E_RANGE, "system base %.15g MVA is not in 1e-6 .. 1e6", v[SBASE]);
        rc = pof_at(r->err, NULL, 0, "SBASE");
    }
    if (rc) {
        return rc;
    }
    r->base_mva = v[SBASE];
    g->base_va = v[SBASE] * MEGA;
    g->f_hz = v[BASFRQ] > 0 ? v[BASFRQ] : 50;
    /* Two title lines, which may be blank. */
    const char *from = r->at;
    next_line(r, true);
    while (from < r->at && (blank(*from) || *from == '\n')) {
        from++;
    }
    size_t n = 0;
    while (from + n < r->at && n < POF_GRID_NAME_MAX && from[n] >= 0x20 && from[n] < 0x7f) {
        n++;
    }
    while (n > 0 && from[n - 1] == ' ') {
        n--;
    }
    char *name = pof_arena_text(&g->arena, from, n, r->err);
    g->name = (struct pof_text){name, n};
    next_line(r, true);
    return name ? 0 : POF_E_NOMEM;
}

static int read_file(struct pofi_raw *r)
{
    bool more = true;
    int rc = read_head(r);
    for (size_t part = 0; part < PARTS && more && rc == 0; part++) {
        if (part == 1) {
            use_names(r);
            rc = pof_calloc(&r->in_service, r->build.grid->nodes, sizeof *r->in_service, r->err);
        }
        if (part == PART_BRANCH) {
            settle_kinds(r);
        }
        rc = rc ? rc : read_part(r, part, &more);
    }
    return rc ? rc : pof_build_finish(&r->build, r->err);
}

static void tell_left(const struct pofi_raw *r, const struct pof_teller *teller)
{
    pofi_tell_count(teller, r->data_left_out,
                    "lines of DC, FACTS, GNE or induction machine data left out, flows will differ");
    pofi_tell_count(teller, r->tables, "lines of areas, zones, owners and the like left out");
    pofi_tell_count(teller, r->current_loads, "loads of constant current, now of constant power");
    pofi_tell_count(teller, r->no_base, "buses without base voltage, 1 kV taken");
    pofi_tell_count(teller, r->limits, "buses whose voltage limits leave no room, 0.9 .. 1.1 taken");
    pofi_tell_count(teller, r->no_gen, "buses of type 2 without generator in service, now pq");
    pofi_tell_count(teller, r->generators, "generators that hold a voltage, their limits left out");
    pofi_tell_count(teller, r->remote, "generators that regulate another bus, now they hold their own");
    pofi_tell_count(teller, r->switches, "branches without impedance, now switches");
    pofi_tell_count(teller, r->opened, "branches to isolated buses (type 4), now open");
    pofi_tell_count(teller, r->asymmetric, "branches with unequal shunts, now shunts of their nodes");
    pofi_tell_count(teller, r->magnetising, "transformers whose magnetising shunts are now those of their nodes");
    pofi_tell_count(teller, r->star, "three-winding transformers, now stars of three branches");
    pofi_tell_count(teller, r->no_star, "windings without impedance, 1e-6 p.u. of 1 MVA taken");
}


int pof_raw_read(struct pof_grid *grid, struct pof_text text, const char *name,
                 const struct pof_teller *teller, struct pof_err *err)
{
    struct pof_err own = {0};
    *grid = (struct pof_grid){0};
    struct pofi_raw r = {
        .build = {.grid = grid}, .at = text.ptr, .end = text.ptr + text.len, .err = err ? err : &own};
    int rc = read_file(&r);
    if (rc) {
        pof_at(r.err, name, r.line, NULL);
        pof_grid_release(grid);
    } else {
        tell_left(&r, teller);
    }
    pof_names_release(&r.numbers);
    pof_names_release(&r.names);
    free(r.isolated);
    free(r.in_service);
    return rc;
}
