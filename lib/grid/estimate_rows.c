/* SPDX-License-Identifier: Apache-2.0 */
/* Observations become rows: per unit, sorted, with the constraints nobody has to write down. */
#include "grid/estimate_impl.h"

#include "base/bucket.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double DEGREE = 3.14159265358979323846 / 180;
static const double THIRD = 2 * 3.14159265358979323846 / 3;

static const char *const QUANTITY[] = {"v", "angle", "p", "q", "i", "i_angle", "i_angle_to_v"};
static const char *const PHASE[] = {"", " in phase a", " in phase b", " in phase c"};

static bool of_current(uint8_t quantity)
{
    return quantity >= POF_QUANTITY_I;
}

static bool of_power(uint8_t quantity)
{
    return quantity == POF_QUANTITY_P || quantity == POF_QUANTITY_Q;
}

static int fits_place(const struct pof_grid *grid, const struct pof_observation *o,
                      struct pof_err *err)
{
    bool known = o->quantity <= POF_QUANTITY_I_ANGLE_TO_V;
    if (o->element >= (o->branch ? grid->branches : grid->nodes)) {
        return pof_fail(err, POF_E_REFERENCE, "no such %s in the grid",
                        o->branch ? "branch" : "node");
    }
    if (!known || (!of_power(o->quantity) && o->branch != of_current(o->quantity))) {
        return pof_fail(err, POF_E_PHYSICS, "'%s' cannot be read at a %s: expected %s",
                        known ? QUANTITY[o->quantity] : "?", o->branch ? "branch" : "node",
                        o->branch ? "p, q or i" : "v, angle, p or q");
    }
    if (o->branch && of_current(o->quantity) &&
        pof_branch_ideal(grid, &grid->branch[o->element])) {
        return pof_fail(err, POF_E_PHYSICS, "'%s' cannot be read at a switch without impedance: "
                                            "expected p or q, or an impedance of the switch",
                        QUANTITY[o->quantity]);
    }
    return 0;
}

int pof_se_accepts(const struct pof_grid *grid, const struct pof_observation *o,
                   struct pof_err *err)
{
    int rc = fits_place(grid, o, err);
    if (rc) {
        return rc;
    }
    if (o->phase > 3) {
        return pof_fail(err, POF_E_RANGE, "phase %u: expected 0 for all, or 1, 2, 3", o->phase);
    }
    if (!isfinite(o->value) || !isfinite(o->sigma) || o->sigma < 0) {
        return pof_fail(err, POF_E_RANGE, "sigma is %g: expected 0 or more", o->sigma);
    }
    if (!(o->rho > -1 && o->rho < 1) || (o->rho != 0 && (!of_power(o->quantity) || o->sigma == 0))) {
        return pof_fail(err, POF_E_RANGE, "rho is %g: expected more than -1 and less than 1, and 0 unless "
                                          "of a p or q with a sigma", o->rho);
    }
    bool magnitude = o->quantity == POF_QUANTITY_V || o->quantity == POF_QUANTITY_I;
    if (magnitude && o->value < 0) {
        return pof_fail(err, POF_E_PHYSICS, "a magnitude of %g: expected 0 or more", o->value);
    }
    return 0;
}

const char *pof_observation_name(const struct pof_grid *grid, const struct pof_observation *o,
                                 char *to, size_t cap)
{
    struct pof_text name = o->branch ? grid->branch[o->element].name : grid->node[o->element].name;
    snprintf(to, cap, "%s of %s '%.*s'%s%s", QUANTITY[o->quantity], o->branch ? "branch" : "node",
             (int)name.len, name.ptr, o->branch && o->to ? " at its to end" : "",
             o->phase <= 3 ? PHASE[o->phase] : "");
    return to;
}

const char *pofi_se_row_name(const struct pof_se *se, const struct se_row *row, char *to, size_t cap)
{
    struct pof_observation o = {.element = row->element,
                                .quantity = row->quantity,
                                .branch = row->branch,
                                .to = row->to,
                                .phase = row->phase};
    return pof_observation_name(se->grid, &o, to, cap);
}

/* Three-phase: voltages are phase to ground, powers are shares of base_va / 3. */
double pofi_se_unit(const struct pof_se *se, const struct pof_observation *o)
{
    const struct pof_grid *grid = se->grid;
    uint32_t phases = se->net.phases;
    switch (o->quantity) {
    case POF_QUANTITY_V:
        return grid->node[o->element].base_v / (o->phase > 0 ? sqrt(3) : 1);
    case POF_QUANTITY_ANGLE:
    case POF_QUANTITY_I_ANGLE:
    case POF_QUANTITY_I_ANGLE_TO_V:
        return 1 / DEGREE;
    case POF_QUANTITY_I: {
        const struct pof_branch *b = &grid->branch[o->element];
        return pof_base_current(grid, o->to ? b->to : b->from);
    }
    default:
        return grid->base_va / phases;
    }
}

static int add_row(struct pof_se *se, const struct se_row *row, struct pof_err *err)
{
    int rc = pof_grow(&se->row, &se->row_cap, se->rows + 1, sizeof *se->row, err);
    if (rc == 0) {
        se->row[se->rows++] = *row;
    }
    return rc;
}

/* Where the row is read in the net, in the phase it is of; false: not energised. */
static bool find_place(const struct pof_se *se, struct se_row *row)
{
    const struct pof_net *net = &se->net;
    const struct pof_branch *b = row->branch ? &se->grid->branch[row->element] : NULL;
    uint32_t bus = net->bus_of[!b ? row->element : row->to ? b->to : b->from];
    uint32_t f = row->phase > 0 ? row->phase - 1u : 0;
    bool summed = of_power(row->quantity) && row->phase == 0;
    if (bus == POF_NONE || (b && !b->closed)) {
        return false;
    }
    row->forms = (uint8_t)(summed ? net->phases : 1);
    row->sign = 1;
    if (b) {
        bool ideal = pof_branch_ideal(se->grid, b);
        row->place = ideal ? POF_NONE : pof_net_end(net, row->element, row->to, f);
        row->forms = ideal ? 0 : row->forms;
        return true;
    }
    uint32_t node = bus * net->phases + f;
    if (!of_power(row->quantity)) {
        row->place = node;
        return true;
    }
    bool section = se->sections > 0 && se->section_of[row->element] != POF_NONE;
    row->place = section ? net->forms + se->section_of[row->element] * net->phases + f
                         : pof_net_bus(net, node);
    row->sign = -1;
    return true;
}

static uint32_t slack_node(const struct pof_se *se, const struct se_row *row)
{
    const struct pof_branch *b = row->branch ? &se->grid->branch[row->element] : NULL;
    return se->net.slack_of[se->net.bus_of[!b ? row->element : row->to ? b->to : b->from]];
}

/* One row, or with three phases, for what has no sum over phases, one in each: magnitudes alike,
 * angles a third of a turn apart. */
static int add_rows(struct pof_se *se, struct se_row *row, bool *angle_read, struct pof_err *err)
{
    bool each = se->net.phases == 3 && row->phase == 0 && !of_power(row->quantity);
    bool turns = row->quantity == POF_QUANTITY_ANGLE || row->quantity == POF_QUANTITY_I_ANGLE;
    double z = row->z;
    int rc = 0;
    for (uint8_t f = 0; rc == 0 && f < (each ? 3 : 1); f++) {
        row->phase = each ? f + 1 : row->phase;
        row->z = each && turns ? remainder(z - f * THIRD, 3 * THIRD) : z;
        if (!find_place(se, row)) {
            se->left_out++;
            return 0;
        }
        rc = add_row(se, row, err);
    }
    if (rc == 0 && turns) {
        angle_read[slack_node(se, row)] = true;
    }
    return rc;
}

static int add_observation(struct pof_se *se, size_t i, bool *angle_read, struct pof_err *err)
{
    const struct pof_observation *o = &se->seen[i];
    char name[128];
    int rc = pof_se_accepts(se->grid, o, err);
    if (rc) {
        return rc;
    }
    if (o->phase > 0 && se->net.phases == 1) {
        return pof_fail(err, POF_E_PHYSICS, "%s: balanced estimation cannot use one phase alone: "
                                            "expected readings of all phases together, or an "
                                            "estimation of three phases",
                        pof_observation_name(se->grid, o, name, sizeof name));
    }
    double unit = pofi_se_unit(se, o);
    struct se_row row = {.element = o->element,
                         .quantity = o->quantity,
                         .phase = o->phase,
                         .branch = o->branch,
                         .to = o->branch && o->to,
                         .exact = o->sigma <= 0,
                         .origin = SE_OBSERVED,
                         .source = (uint32_t)i,
                         .z = o->value / unit,
                         .sigma = o->sigma / unit};
    return add_rows(se, &row, angle_read, err);
}

/* Zero injections, phase by phase, and the slacks' angles where nobody reads one. */
static int add_built_in(struct pof_se *se, const bool *angle_read, struct pof_err *err)
{
    int rc = 0;
    uint32_t phases = se->net.phases;
    for (uint32_t i = 0; rc == 0 && i < se->grid->nodes; i++) {
        const struct pof_node *node = &se->grid->node[i];
        struct se_row row = {.element = i, .exact = true, .source = POF_NONE};
        uint32_t bus = se->net.bus_of[i];
        if (bus == POF_NONE) {
            continue;
        }
        for (uint32_t k = 0; rc == 0 && node->zero_injection && k < 2 * phases; k++) {
            row.origin = SE_ZERO_INJECTION;
            row.quantity = k % 2 ? POF_QUANTITY_Q : POF_QUANTITY_P;
            row.phase = (uint8_t)(phases == 1 ? 0 : k / 2 + 1);
            rc = find_place(se, &row) ? add_row(se, &row, err) : 0;
        }
        for (uint32_t f = 0; rc == 0 && f < phases && se->net.slack_of[bus] == bus &&
                             se->net.first_of[bus] == i && !angle_read[bus];
             f++) {
            row.origin = SE_REFERENCE;
            row.quantity = POF_QUANTITY_ANGLE;
            row.phase = (uint8_t)(phases == 1 ? 0 : f + 1);
            row.z = se->net.flat_a[bus * phases + f];
            rc = find_place(se, &row) ? add_row(se, &row, err) : 0;
        }
    }
    return rc;
}

static int order(double a, double b)
{
    return (a > b) - (a < b);
}

/* What a row reads, without its value: equal keys make equal patterns. Rows of one place are
 * neighbours. */
static int by_key(const struct se_row *x, const struct se_row *y)
{
    bool fx = of_power(x->quantity) || of_current(x->quantity);
    bool fy = of_power(y->quantity) || of_current(y->quantity);
    int c = (int)fx - (int)fy;
    c = c != 0 ? c : (x->place > y->place) - (x->place < y->place);
    c = c != 0 ? c : (x->element > y->element) - (x->element < y->element);
    c = c != 0 ? c : (int)x->forms - (int)y->forms;
    c = c != 0 ? c : (int)x->quantity - (int)y->quantity;
    c = c != 0 ? c : (int)x->to - (int)y->to;
    c = c != 0 ? c : (int)x->phase - (int)y->phase;
    c = c != 0 ? c : (int)x->origin - (int)y->origin;
    c = c != 0 ? c : (int)x->mixed - (int)y->mixed;
    return c != 0 ? c : (int)x->exact - (int)y->exact;
}

static int by_all(const void *x, const void *y)
{
    const struct se_row *a = x;
    const struct se_row *b = y;
    int c = by_key(a, b);
    c = c != 0 ? c : order(a->z, b->z);
    return c != 0 ? c : order(a->sigma, b->sigma);
}

static bool same_layout(const struct pof_se *se)
{
    if (se->rows != se->last_rows) {
        return false;
    }
    for (size_t i = 0; i < se->rows; i++) {
        if (by_key(&se->row[i], &se->last[i]) != 0) {
            return false;
        }
    }
    return true;
}

static int room_for_columns(struct pof_se *se, struct se_term **term, struct pof_err *err)
{
    size_t need = 0, terms = 0;
    for (size_t i = 0; i < se->rows; i++) {
        uint32_t t = pofi_se_terms_max(se, &se->row[i]);
        need += pofi_se_blocks_max(se, &se->row[i]);
        terms = t > terms ? t : terms;
    }
    if (need > INT32_MAX) {
        return pof_fail(err, POF_E_RANGE, "%zu readings of this grid are too many", se->rows);
    }
    int rc = pof_calloc(term, terms, sizeof **term, err);
    rc = rc ? rc : pof_grow(&se->block, &se->block_cap, need, sizeof *se->block, err);
    rc = rc ? rc : pof_grow(&se->h, &se->h_cap, 2 * need, sizeof *se->h, err);
    if (rc == 0 && se->sections > 0) {
        rc = pof_grow(&se->constant, &se->constant_cap, 2 * need, sizeof *se->constant, err);
        if (rc == 0 && need > 0) {
            memset(se->constant, 0, 2 * need * sizeof *se->constant);
        }
    }
    return rc;
}

/* Blocks of every row. */
static int lay_columns(struct pof_se *se, struct pof_err *err)
{
    struct se_term *term = NULL;
    int rc = pofi_se_potentials(se, err);
    rc = rc ? rc : room_for_columns(se, &term, err);
    se->entries = 0;
    for (size_t i = 0; rc == 0 && i < se->rows; i++) {
        struct se_row *row = &se->row[i];
        row->begin = se->entries;
        row->n = pofi_se_blocks(se, row, term, se->block + row->begin);
        pofi_se_constants(se, row, term);
        se->entries += row->n;
    }
    free(term);
    return rc;
}

/* The rows of an earlier instant that read the same things lend their columns. */
static int keep_layout(struct pof_se *se, bool same, struct pof_err *err)
{
    if (same) {
        for (size_t i = 0; i < se->rows; i++) {
            se->row[i].begin = se->last[i].begin;
            se->row[i].n = se->last[i].n;
            se->row[i].kept = se->last[i].kept;
            se->row[i].stiff = se->last[i].stiff;
            se->row[i].length2 = se->last[i].length2;
            se->row[i].extra = se->last[i].extra;
        }
        return 0;
    }
    se->last_rows = 0;
    return lay_columns(se, err);
}

/* The rows before become `last`, if patterns were made for them; their room is for the next but one. */
static void turn_over(struct pof_se *se)
{
    struct se_row *row = se->row;
    size_t cap = se->row_cap;
    se->row = se->last;
    se->row_cap = se->last_cap;
    se->last = row;
    se->last_cap = cap;
    se->last_rows = se->remembered ? se->rows : 0;
    se->rows = 0;
    se->remembered = false;
}

static bool ascend(const struct pof_se *se)
{
    for (size_t i = 1; i < se->rows; i++) {
        if (by_all(&se->row[i - 1], &se->row[i]) > 0) {
            return false;
        }
    }
    return true;
}

/* By places, the first criterion of by_all, counted: nodes, then forms and potentials, then what has
 * no place. */
static int sort_afresh(struct pof_se *se, struct pof_err *err)
{
    uint32_t places = se->net.forms + se->potentials, nodes = se->net.nodes;
    uint32_t *key = NULL;
    int rc = pof_alloc(&key, se->rows, sizeof *key, err);
    for (size_t i = 0; rc == 0 && i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        bool flows = of_power(row->quantity) || of_current(row->quantity);
        uint32_t place = row->place == POF_NONE ? places : row->place;
        key[i] = flows ? nodes + place : place;
    }
    rc = rc ? rc : pof_bucket_sort(se->row, se->rows, sizeof *se->row, key, nodes + places + 1,
                                   by_all, err);
    free(key);
    return rc;
}

/* Rows in their order. Mostly it is that of the time before: then it is only to be looked at. `begin`
 * numbers rows as they were made meanwhile. */
static int sort_rows(struct pof_se *se, struct pof_err *err)
{
    size_t n = se->rows;
    uint32_t *to = NULL;
    bool likely = n > 0 && n == se->last_rows && n == se->placed;
    int rc = pof_grow(&se->place, &se->place_cap, n, sizeof *se->place, err);
    rc = rc || !likely ? rc : pof_calloc(&to, n, sizeof *to, err);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        se->row[i].begin = (uint32_t)i;
    }
    if (likely) {
        memcpy(to, se->place, n * sizeof *to);
        for (uint32_t i = 0; i < n; i++) {
            while (to[i] != i) { /* each swap brings one row to its place */
                uint32_t k = to[i];
                struct se_row row = se->row[k];
                se->row[k] = se->row[i];
                se->row[i] = row;
                to[i] = to[k];
                to[k] = k;
            }
        }
    }
    free(to);
    if (!likely || !ascend(se)) {
        rc = sort_afresh(se, err);
        for (size_t i = 0; rc == 0 && i < n; i++) {
            se->place[se->row[i].begin] = (uint32_t)i;
        }
        se->placed = rc == 0 ? n : 0;
    }
    return rc;
}

void pofi_se_count(struct pof_se *se)
{
    se->readings = 0;
    se->constraints = 0;
    se->references = 0;
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        bool counts = row->origin != SE_REFERENCE && !row->removed;
        se->readings += counts && !row->exact;
        se->constraints += counts && row->exact;
        se->references += row->origin == SE_REFERENCE;
    }
    se->unknowns = 2 * (int64_t)se->net.nodes;
    for (size_t k = 0; k < 2 * (size_t)se->potentials; k++) {
        se->unknowns += se->is_state[k];
    }
}

/* Room for a row of each observation and of each constraint of the grid, or for as many as before. */
static int room_for_rows(struct pof_se *se, struct pof_err *err)
{
    size_t most = se->n_seen;
    for (uint32_t i = 0; i < se->grid->nodes && se->last_rows == 0; i++) {
        bool slack = se->net.bus_of[i] != POF_NONE && se->net.slack_of[se->net.bus_of[i]] == se->net.bus_of[i];
        most += (2u * se->grid->node[i].zero_injection + slack) * se->net.phases;
    }
    most = most > se->last_rows ? most : se->last_rows;
    return pof_grow(&se->row, &se->row_cap, most, sizeof *se->row, err);
}

int pofi_se_rows(struct pof_se *se, bool *same, struct pof_err *err)
{
    bool *angle_read = NULL;
    int rc = pof_calloc(&angle_read, se->net.buses, sizeof *angle_read, err);
    turn_over(se);
    rc = rc ? rc : room_for_rows(se, err);
    se->left_out = 0;
    for (size_t i = 0; rc == 0 && i < se->n_seen; i++) {
        rc = add_observation(se, i, angle_read, err);
    }
    if (rc == 0) {
        rc = add_built_in(se, angle_read, err);
    }
    free(angle_read);
    if (rc != 0) {
        return rc;
    }
    rc = sort_rows(se, err);
    rc = rc ? rc : pofi_se_pairs(se, err);
    if (rc != 0) {
        return rc;
    }
    *same = same_layout(se);
    se->remembered = *same;
    rc = keep_layout(se, *same, err);
    pofi_se_count(se);
    return rc;
}
