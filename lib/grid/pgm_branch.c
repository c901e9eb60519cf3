/* SPDX-License-Identifier: Apache-2.0 */
/* Branches of a power-grid-model data set as pi models: its user manual, chapter "Components",
 * sections "Electric Model". Impedances there are in ohm, here in p.u. of the to node. */
#include "grid/pgm.h"

#include <complex.h>
#include <math.h>

#define PI 3.14159265358979323846

static double zbase_of(const struct pofi_pgm_job *j, uint32_t node)
{
    double v = j->grid->node[node].base_v;
    return v * v / j->grid->base_va;
}

/* --- ends --- */

/* A branch as the data set has it. */
struct ends {
    uint32_t from, to; /* where its ends are in the grid */
    bool closed;       /* at one end at least, so that current can flow */
    bool loop;         /* both ends are at one node, and closed */
};

static int end_states(struct pofi_pgm_job *j, struct pofi_pgm_place at, bool on[2])
{
    const double *row = pofi_pgm_row(j->p, (enum pofi_pgm_type)at.type, at.row);
    for (int e = 0; e < 2; e++) {
        double s = row[PGM_FROM_STATUS + e];
        if (s != 0 && s != 1) {
            return pofi_pgm_fail(&at, PGM_FROM_STATUS + e, j->err, POF_E_RANGE,
                                 "state of an end: expected 0 or 1");
        }
        on[e] = s == 1;
    }
    return 0;
}

/* An end that is open gets a node of its own, and so does a second end at the same node. */
static int find_ends(struct pofi_pgm_job *j, struct pofi_pgm_place at, struct ends *e)
{
    double id = pofi_pgm_row(j->p, (enum pofi_pgm_type)at.type, at.row)[0];
    bool on[2] = {false, false};
    int rc = pofi_pgm_node_of(j, at, PGM_FROM, &e->from);
    rc = rc ? rc : pofi_pgm_node_of(j, at, PGM_TO, &e->to);
    rc = rc ? rc : end_states(j, at, on);
    if (rc) {
        return rc;
    }
    bool self = e->from == e->to;
    e->closed = on[0] || on[1];
    e->loop = self && on[0] && on[1];
    if (self || (on[0] && !on[1])) {
        double base_v = j->grid->node[e->to].base_v;
        bool at_from = self && !on[0] && on[1];
        return pofi_pgm_extra_node(j, base_v, e->loop ? "loop" : at_from ? "from" : "to", id,
                                   at_from ? &e->from : &e->to);
    }
    return on[1] && !on[0] ? pofi_pgm_extra_node(j, j->grid->node[e->from].base_v, "from", id, &e->from)
                           : 0;
}

/* The switch that closes a loop. */
static int close_loop(struct pofi_pgm_job *j, const struct ends *e, double id)
{
    uint32_t index;
    struct pof_branch b = {.kind = POF_BRANCH_SWITCH, .from = e->from, .to = e->to,
                           .x = POF_SWITCH_X_PER_VA * j->grid->base_va, .ratio = 1, .closed = true};
    return pofi_pgm_add(j, &b, "loop", id, &index);
}

/* --- lines --- */

static bool finite_all(const double *v, int n)
{
    for (int i = 0; i < n; i++) {
        if (!isfinite(v[i])) {
            return false;
        }
    }
    return true;
}

/* 2 pi f c (tan delta + j) */
static void line_shunt(const struct pofi_pgm_job *j, double c, double tan_delta, double z, double out[2])
{
    double w = 2 * PI * j->grid->f_hz * c * z;
    out[0] = w * (isnan(tan_delta) ? 0 : tan_delta);
    out[1] = w;
}

static double line_rating(const struct pofi_pgm_job *j, double i_n, uint32_t from)
{
    return i_n > 0 && isfinite(i_n) ? sqrt(3) * j->grid->node[from].base_v * i_n : 0;
}

static int line(struct pofi_pgm_job *j, struct pofi_pgm_place at, struct pof_branch *b,
                struct pof_branch_phases *f)
{
    const double *row = pofi_pgm_row(j->p, PGM_LINE, at.row);
    if (!finite_all(row + LINE_r1, 3) || (row[LINE_r1] == 0 && row[LINE_x1] == 0)) {
        return pofi_pgm_fail(&at, LINE_r1, j->err, POF_E_MISSING,
                             "r1, x1 and c1 of a line are not all given, or it has no impedance");
    }
    double z = zbase_of(j, b->to), y[2];
    b->kind = POF_BRANCH_LINE;
    b->r = row[LINE_r1] / z;
    b->x = row[LINE_x1] / z;
    line_shunt(j, row[LINE_c1], row[LINE_tan1], z, y);
    b->g = y[0];
    b->b = y[1];
    b->rating_va = line_rating(j, row[LINE_i_n], b->from);
    if (finite_all(row + LINE_r0, 3) && (row[LINE_r0] != 0 || row[LINE_x0] != 0)) {
        line_shunt(j, row[LINE_c0], row[LINE_tan0], z, y);
        *f = (struct pof_branch_phases){.form = POF_PHASES_SEQUENCE, .r0 = row[LINE_r0] / z,
                                        .x0 = row[LINE_x0] / z, .g0 = y[0], .b0 = y[1]};
        b->phases = f;
    }
    return 0;
}

/* The whole of a lower triangle aa ba bb ca cb cc na nb nc nn; a neutral is eliminated by Kron's
 * reduction. */
static bool conductors(const double *r, const double *x, double complex z[9])
{
    static const int at[4][4] = {{0, 1, 3, 6}, {1, 2, 4, 7}, {3, 4, 5, 8}, {6, 7, 8, 9}};
    bool neutral = finite_all(r + 6, 4) && finite_all(x + 6, 4);
    double complex nn = neutral ? r[9] + I * x[9] : 1;
    if (!finite_all(r, 6) || !finite_all(x, 6) || nn == 0) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) {
            double complex v = r[at[i][k]] + I * x[at[i][k]];
            if (neutral) {
                v -= (r[at[i][3]] + I * x[at[i][3]]) * (r[at[k][3]] + I * x[at[k][3]]) / nn;
            }
            z[3 * i + k] = v;
        }
    }
    return true;
}

/* Positive sequence of the inverse of a symmetric matrix: mean of its diagonal less mean of the rest;
 * 0 when there is no inverse. */
static double complex positive_admittance(const double complex z[9])
{
    double complex a = z[4] * z[8] - z[5] * z[7], b = z[5] * z[6] - z[3] * z[8];
    double complex c = z[3] * z[7] - z[4] * z[6];
    double complex det = z[0] * a + z[1] * b + z[2] * c;
    if (det == 0) {
        return 0;
    }
    double complex e = z[0] * z[8] - z[2] * z[6], i = z[0] * z[4] - z[1] * z[3];
    double complex f = z[2] * z[3] - z[0] * z[5];
    return (a + e + i - (b + c + f)) / 3 / det;
}

/* c_aa .. c_cc, or of sequences. */
static bool capacitances(const double *row, double c[9])
{
    static const int at[9] = {0, 1, 3, 1, 2, 4, 3, 4, 5};
    bool sequences = finite_all(row + ASYM_LINE_c0, 2);
    if (!sequences && !finite_all(row + ASYM_LINE_c_aa, 6)) {
        return false;
    }
    double same = (2 * row[ASYM_LINE_c1] + row[ASYM_LINE_c0]) / 3;
    double other = (row[ASYM_LINE_c0] - row[ASYM_LINE_c1]) / 3;
    for (int i = 0; i < 9; i++) {
        c[i] = !sequences ? row[ASYM_LINE_c_aa + at[i]] : i % 4 == 0 ? same : other;
    }
    return true;
}

static int asym_line(struct pofi_pgm_job *j, struct pofi_pgm_place at, struct pof_branch *b,
                     struct pof_branch_phases *f)
{
    const double *row = pofi_pgm_row(j->p, PGM_ASYM_LINE, at.row);
    double complex z[9];
    double c[9], base = zbase_of(j, b->to), w = 2 * PI * j->grid->f_hz;
    if (!conductors(row + ASYM_LINE_r_aa, row + ASYM_LINE_x_aa, z) || !capacitances(row, c)) {
        return pofi_pgm_fail(&at, ASYM_LINE_r_aa, j->err, POF_E_MISSING,
                             "r and x of the phases and a capacitance are not all given");
    }
    double complex y = positive_admittance(z);
    if (y == 0) {
        return pofi_pgm_fail(&at, ASYM_LINE_r_aa, j->err, POF_E_PHYSICS,
                             "the impedance matrix has no inverse");
    }
    *f = (struct pof_branch_phases){.form = POF_PHASES_MATRIX};
    for (int i = 0; i < 9; i++) {
        f->r[i] = creal(z[i]) / base;
        f->x[i] = cimag(z[i]) / base;
        f->b[i] = w * c[i] * base;
    }
    b->kind = POF_BRANCH_LINE;
    b->r = creal(1 / y) / base;
    b->x = cimag(1 / y) / base;
    b->b = (f->b[0] + f->b[4] + f->b[8] - (f->b[1] + f->b[2] + f->b[5])) / 3;
    b->rating_va = line_rating(j, row[ASYM_LINE_i_n], b->from);
    b->phases = f;
    return 0;
}

static int generic(struct pofi_pgm_job *j, struct pofi_pgm_place at, struct pof_branch *b)
{
    const double *row = pofi_pgm_row(j->p, PGM_GENERIC, at.row);
    double z = zbase_of(j, b->to), sn = row[GENERIC_sn];
    if (!finite_all(row + GENERIC_r1, 4)) {
        return pofi_pgm_fail(&at, GENERIC_r1, j->err, POF_E_MISSING,
                             "r1, x1, g1 and b1 of a generic branch are not all given");
    }
    b->r = row[GENERIC_r1] / z;
    b->x = row[GENERIC_x1] / z;
    b->g = row[GENERIC_g1] * z;
    b->b = row[GENERIC_b1] * z;
    b->ratio = isnan(row[GENERIC_k]) ? 1 : row[GENERIC_k];
    b->shift = isnan(row[GENERIC_theta]) ? 0 : row[GENERIC_theta];
    b->rating_va = sn > 0 && isfinite(sn) ? sn : 0;
    bool same = j->grid->node[b->from].base_v == j->grid->node[b->to].base_v;
    b->kind = same && b->ratio == 1 && b->shift == 0 ? POF_BRANCH_LINE : POF_BRANCH_TRANSFORMER;
    return 0;
}

/* --- transformers --- */

int pofi_pgm_trafo_model(struct pofi_pgm_job *j, const struct pofi_pgm_trafo *t,
                         struct pof_branch *b, struct pof_branch_phases *f)
{
    const struct pof_node *from = &j->grid->node[b->from], *to = &j->grid->node[b->to];
    double v = t->u2_tapped, zb = to->base_v * to->base_v / j->grid->base_va;
    double zb_from = from->base_v * from->base_v / j->grid->base_va;
    double z = fabs(t->uk) * v * v / t->sn, r = t->pk * v * v / t->sn / t->sn;
    double x = copysign(sqrt(fmax(0, z * z - r * r)), t->uk);
    double y = t->i0 * t->sn / (v * v), g = t->p0 / (v * v);
    double y0 = t->i0_zero * t->sn / (v * v), g0 = t->p0_zero / (v * v);
    b->kind = POF_BRANCH_TRANSFORMER;
    b->r = r / zb;
    b->x = x / zb;
    b->g = g * zb;
    b->b = -sqrt(fmax(0, y * y - g * g)) * zb;
    b->ratio = t->u1_tapped / t->u2_tapped / (from->base_v / to->base_v);
    b->shift = remainder(t->clock, 12) * PI / 6;
    bool zigzag = t->winding_from == POF_WINDING_ZN || t->winding_to == POF_WINDING_ZN;
    *f = (struct pof_branch_phases){
        .form = POF_PHASES_WINDINGS,
        .r0 = zigzag ? 0.1 * b->r : b->r, /* a zigzag winding's own leakage, as PGM assumes it */
        .x0 = zigzag ? 0.1 * b->x : b->x,
        .g0 = g0 * zb,
        .b0 = -sqrt(fmax(0, y0 * y0 - g0 * g0)) * zb,
        .from = (enum pof_winding)t->winding_from,
        .to = (enum pof_winding)t->winding_to,
        .clock = ((t->clock % 12) + 12) % 12,
        .r_ground_from = t->r_ground_from / zb_from,
        .x_ground_from = t->x_ground_from / zb_from,
        .r_ground_to = t->r_ground_to / zb,
        .x_ground_to = t->x_ground_to / zb,
    };
    b->phases = f;
    return 0;
}

static double or_else(double v, double other)
{
    return isnan(v) ? other : v;
}

static bool whole(double v, double min, double max)
{
    return v >= min && v <= max && v == nearbyint(v);
}

static int check_trafo(struct pofi_pgm_job *j, struct pofi_pgm_place at, const double *row)
{
    for (int c = TRAFO_u1; c <= TRAFO_p0; c++) {
        bool positive = c <= TRAFO_uk;
        if (!isfinite(row[c]) || row[c] < 0 || (positive && row[c] == 0)) {
            return pofi_pgm_fail(&at, c, j->err, isnan(row[c]) ? POF_E_MISSING : POF_E_RANGE,
                                 "%.15g: expected a number %s", row[c], positive ? "above 0" : "of 0 or more");
        }
    }
    bool y_from = row[TRAFO_winding_from] < 2, y_to = row[TRAFO_winding_to] < 2;
    if (!whole(row[TRAFO_winding_from], 0, 4) || !whole(row[TRAFO_winding_to], 0, 4)) {
        return pofi_pgm_fail(&at, TRAFO_winding_from, j->err, POF_E_ENUM,
                             "windings are 0 (Y), 1 (YN), 2 (D), 3 (Z) or 4 (ZN)");
    }
    if (!whole(row[TRAFO_clock], -12, 12) || (fmod(row[TRAFO_clock], 2) != 0) != (y_from != y_to)) {
        return pofi_pgm_fail(&at, TRAFO_clock, j->err, POF_E_PHYSICS,
                             "clock %.15g does not fit the windings: odd between a star and another "
                             "winding, else even",
                             row[TRAFO_clock]);
    }
    bool sides = row[TRAFO_tap_side] == 0 || row[TRAFO_tap_side] == 1;
    if (!sides || !whole(row[TRAFO_tap_min], -128, 127) || !whole(row[TRAFO_tap_max], -128, 127) ||
        !(row[TRAFO_tap_size] >= 0) || isinf(row[TRAFO_tap_size])) {
        return pofi_pgm_fail(&at, TRAFO_tap_side, j->err, POF_E_RANGE,
                             "tap_side, tap_min, tap_max and tap_size are not all given or possible");
    }
    return 0;
}

/* The tap changer of a transformer's row. */
struct changer {
    double pos, min, max, neutral, size, direction;
    bool on_to;
};

static struct changer changer_of(const double *row)
{
    struct changer c = {.min = row[TRAFO_tap_min], .max = row[TRAFO_tap_max],
                        .neutral = or_else(row[TRAFO_tap_nom], 0), .size = row[TRAFO_tap_size],
                        .on_to = row[TRAFO_tap_side] == 1};
    c.pos = or_else(row[TRAFO_tap_pos], c.neutral);
    c.pos = fmax(fmin(c.pos, fmax(c.min, c.max)), fmin(c.min, c.max));
    c.direction = c.max > c.min ? 1 : -1;
    return c;
}

/* Short-circuit data, known at the rated position and at both ends, linear between. */
static double of_tap(const struct changer *c, double v, double v_min, double v_max)
{
    bool to_max = c->min < c->max ? c->pos > c->neutral : c->pos < c->neutral;
    double end = to_max ? c->max : c->min, v_end = to_max ? v_max : v_min;
    return end == c->neutral ? v : v + (c->pos - c->neutral) * (v_end - v) / (end - c->neutral);
}

static struct pofi_pgm_trafo trafo_values(const double *row, const struct changer *c)
{
    double steps = c->direction * (c->pos - c->neutral) * c->size;
    double uk = row[TRAFO_uk], pk = row[TRAFO_pk];
    struct pofi_pgm_trafo t = {
        .u1 = row[TRAFO_u1],
        .u2 = row[TRAFO_u2],
        .u1_tapped = row[TRAFO_u1] + (c->on_to ? 0 : steps),
        .u2_tapped = row[TRAFO_u2] + (c->on_to ? steps : 0),
        .sn = row[TRAFO_sn],
        .uk = of_tap(c, uk, or_else(row[TRAFO_uk_min], uk), or_else(row[TRAFO_uk_max], uk)),
        .pk = of_tap(c, pk, or_else(row[TRAFO_pk_min], pk), or_else(row[TRAFO_pk_max], pk)),
        .i0 = row[TRAFO_i0],
        .p0 = row[TRAFO_p0],
        .i0_zero = or_else(row[TRAFO_i0_zero_sequence], row[TRAFO_i0]),
        .winding_from = (int)row[TRAFO_winding_from],
        .winding_to = (int)row[TRAFO_winding_to],
        .clock = (int)row[TRAFO_clock],
        .r_ground_from = or_else(row[TRAFO_r_grounding_from], 0),
        .x_ground_from = or_else(row[TRAFO_x_grounding_from], 0),
        .r_ground_to = or_else(row[TRAFO_r_grounding_to], 0),
        .x_ground_to = or_else(row[TRAFO_x_grounding_to], 0),
    };
    t.p0_zero = or_else(row[TRAFO_p0_zero_sequence],
                        t.p0 + pk * (t.i0_zero * t.i0_zero - t.i0 * t.i0));
    return t;
}

/* A tap changer's place in struct pof_tap. */
static struct pof_tap tap_of(const double *row, const struct changer *c)
{
    double u = c->on_to ? row[TRAFO_u2] : row[TRAFO_u1];
    return (struct pof_tap){
        .pos = (int32_t)c->pos,
        .min = (int32_t)c->min,
        .max = (int32_t)c->max,
        .neutral = (int32_t)c->neutral,
        .on_to = c->on_to,
        .step_pct = c->direction * c->size / u * 100,
        .has_uk_ends = !isnan(row[TRAFO_uk_min]) || !isnan(row[TRAFO_uk_max]) ||
                       !isnan(row[TRAFO_pk_min]) || !isnan(row[TRAFO_pk_max]),
        .uk_min_pct = 100 * or_else(row[TRAFO_uk_min], row[TRAFO_uk]),
        .uk_max_pct = 100 * or_else(row[TRAFO_uk_max], row[TRAFO_uk]),
        .pk_min_w = or_else(row[TRAFO_pk_min], row[TRAFO_pk]),
        .pk_max_w = or_else(row[TRAFO_pk_max], row[TRAFO_pk]),
    };
}

static int trafo(struct pofi_pgm_job *j, struct pofi_pgm_place at, struct pof_branch *b,
                 struct pof_branch_phases *f)
{
    const double *row = pofi_pgm_row(j->p, PGM_TRAFO, at.row);
    int rc = check_trafo(j, at, row);
    if (rc) {
        return rc;
    }
    struct changer c = changer_of(row);
    struct pofi_pgm_trafo t = trafo_values(row, &c);
    if (!(t.u1_tapped > 0 && t.u2_tapped > 0)) {
        return pofi_pgm_fail(&at, TRAFO_tap_size, j->err, POF_E_PHYSICS,
                             "the tap lowers a rated voltage below 0");
    }
    rc = pofi_pgm_trafo_model(j, &t, b, f);
    b->rating_va = t.sn;
    if (rc == 0 && c.min != c.max) {
        struct pof_tap *tap = pof_arena_alloc(&j->grid->arena, sizeof *tap, j->err);
        if (!tap) {
            return POF_E_NOMEM;
        }
        *tap = tap_of(row, &c);
        b->tap = tap;
    }
    return rc;
}

/* What a regulator holds: the voltage at one end of its transformer. */
static int controlled(struct pofi_pgm_job *j, struct pofi_pgm_place at, uint32_t node,
                      struct pof_tap *tap)
{
    const double *row = pofi_pgm_row(j->p, PGM_TAP_REGULATOR, at.row);
    double set = row[TAP_REGULATOR_u_set], band = row[TAP_REGULATOR_u_band];
    if (!(set >= 0) || !(band >= 0) || isinf(set) || isinf(band)) {
        return pofi_pgm_fail(&at, TAP_REGULATOR_u_set, j->err, POF_E_RANGE,
                             "u_set and u_band are not both given, in V");
    }
    if (tap->controlled) {
        return pofi_pgm_fail(&at, TAP_REGULATOR_regulated_object, j->err, POF_E_DUPLICATE,
                             "a second regulator of one transformer");
    }
    double v = j->grid->node[node].base_v;
    tap->controlled = true;
    tap->node = node;
    tap->v_low_pu = (set - band / 2) / v;
    tap->v_high_pu = (set + band / 2) / v;
    tap->drop_r_pu = or_else(row[TAP_REGULATOR_line_drop_compensation_r], 0) / zbase_of(j, node);
    tap->drop_x_pu = or_else(row[TAP_REGULATOR_line_drop_compensation_x], 0) / zbase_of(j, node);
    return 0;
}

static int tap_regulator(struct pofi_pgm_job *j, struct pofi_pgm_place at)
{
    const double *row = pofi_pgm_row(j->p, PGM_TAP_REGULATOR, at.row);
    struct pofi_pgm_place what = pofi_pgm_find(j->p, row[TAP_REGULATOR_regulated_object]);
    double side = row[TAP_REGULATOR_control_side], state = row[TAP_REGULATOR_status];
    bool three = what.type == PGM_TRAFO3;
    if (what.type != PGM_TRAFO && !three) {
        return pofi_pgm_fail(&at, TAP_REGULATOR_regulated_object, j->err, POF_E_REFERENCE,
                             "there is no transformer of id %.15g",
                             row[TAP_REGULATOR_regulated_object]);
    }
    if ((state != 0 && state != 1) || (state == 1 && !whole(side, 0, three ? 2 : 1))) {
        return pofi_pgm_fail(&at, TAP_REGULATOR_control_side, j->err, POF_E_RANGE,
                             "status is 0 or 1, control_side the number of an end, from 0");
    }
    if (state == 0) {
        return 0;
    }
    uint32_t k = j->map.at[what.type][what.row];
    const struct pof_branch *b = &j->grid->branch[k];
    uint32_t node = !three ? (side == 0 ? b->from : b->to) : b[(int)side].from;
    int end = three ? (int)pofi_pgm_row(j->p, PGM_TRAFO3, what.row)[TRAFO3_tap_side] : 0;
    const struct pof_tap *tap = b[end].tap;
    return tap ? controlled(j, at, node, (struct pof_tap *)(uintptr_t)tap) : 0;
}

/* --- all --- */

static int branch(struct pofi_pgm_job *j, struct pofi_pgm_place at)
{
    double id = pofi_pgm_row(j->p, (enum pofi_pgm_type)at.type, at.row)[0];
    struct pof_branch_phases f;
    struct ends e = {0};
    int rc = find_ends(j, at, &e);
    struct pof_branch b = {.from = e.from, .to = e.to, .ratio = 1, .closed = e.closed};
    if (rc) {
        return rc;
    }
    switch (at.type) {
    case PGM_LINE:
        rc = line(j, at, &b, &f);
        break;
    case PGM_ASYM_LINE:
        rc = asym_line(j, at, &b, &f);
        break;
    case PGM_GENERIC:
        rc = generic(j, at, &b);
        break;
    case PGM_TRAFO:
        rc = trafo(j, at, &b, &f);
        break;
    default: /* a link */
        b.kind = POF_BRANCH_SWITCH;
        b.x = POF_SWITCH_X_PER_VA * j->grid->base_va;
        break;
    }
    rc = rc ? rc : pofi_pgm_add(j, &b, NULL, id, &j->map.at[at.type][at.row]);
    return rc == 0 && e.loop ? close_loop(j, &e, id) : rc;
}

int pofi_pgm_branches(struct pofi_pgm_job *j)
{
    static const uint8_t types[] = {PGM_LINE, PGM_ASYM_LINE, PGM_LINK, PGM_GENERIC, PGM_TRAFO};
    int rc = 0;
    for (size_t t = 0; t < sizeof types; t++) {
        for (uint32_t i = 0; i < j->p->table[types[t]].rows && rc == 0; i++) {
            rc = branch(j, (struct pofi_pgm_place){types[t], i});
        }
    }
    rc = rc ? rc : pofi_pgm_trafo3(j);
    for (uint32_t i = 0; i < j->p->table[PGM_TAP_REGULATOR].rows && rc == 0 && !j->readings; i++) {
        rc = tap_regulator(j, (struct pofi_pgm_place){PGM_TAP_REGULATOR, i});
    }
    return rc;
}
