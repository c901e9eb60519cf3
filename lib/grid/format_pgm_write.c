/* SPDX-License-Identifier: Apache-2.0 */
/* A grid as a power-grid-model data set: its tables filled, then written in their compact form, each
 * row an array in the order of `attributes`. */
#include "grid/pgm.h"
#include "num/real.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846
#define F_HZ 50     /* what power-grid-model assumes */
#define STIFF 1e15  /* VA: the short-circuit power of a source without impedance */

struct work {
    const struct pof_grid *grid;
    struct pofi_pgm out;
    int32_t *node_id, *branch_id;
    bool *has_appliance; /* [nodes] */
    int32_t next;
    const struct pof_teller *teller;
    struct pof_err *err;
    unsigned renamed, generic, left_out, exact, single, unpaired, one_phase, correlated;
};

/* A new row of nothing but its id; NULL with err set. */
static double *row(struct work *w, enum pofi_pgm_type type, int32_t id)
{
    struct pofi_pgm_table *t = &w->out.table[type];
    size_t width = pofi_pgm_kind[type].columns;
    if (pof_grow(&t->v, &t->cap, ((size_t)t->rows + 1) * width, sizeof *t->v, w->err)) {
        return NULL;
    }
    double *made = t->v + (size_t)t->rows++ * width;
    for (size_t i = 0; i < width; i++) {
        made[i] = NAN;
    }
    made[0] = id;
    return made;
}

/* A row of an appliance or sensor, with an id of its own. */
static double *row_at(struct work *w, enum pofi_pgm_type type, double at)
{
    double *r = row(w, type, w->next++);
    if (r) {
        r[1] = at;
        if (type < PGM_SYM_V) {
            r[PGM_STATUS] = 1;
        }
    }
    return r;
}

/* --- ids --- */

/* A name that is the text of a whole number of up to 9 digits, as ids are. */
static int32_t number_of(struct pof_text name)
{
    int32_t v = 0;
    bool good = name.len > 0 && name.len <= 9 && (name.ptr[0] != '0' || name.len == 1);
    for (size_t i = 0; i < name.len && good; i++) {
        good = name.ptr[i] >= '0' && name.ptr[i] <= '9';
        v = good ? v * 10 + (name.ptr[i] - '0') : 0;
    }
    return good ? v : -1;
}

/* A branch may have the name of a node, an id may not be that of another component. */
static int32_t branch_number(const struct pof_grid *g, struct pof_text name)
{
    return pof_names_find(&g->node_names, name) == POF_NONE ? number_of(name) : -1;
}

static int make_ids(struct work *w)
{
    const struct pof_grid *g = w->grid;
    int rc = pof_calloc(&w->node_id, g->nodes, sizeof *w->node_id, w->err);
    rc = rc ? rc : pof_calloc(&w->branch_id, g->branches, sizeof *w->branch_id, w->err);
    rc = rc ? rc : pof_calloc(&w->has_appliance, g->nodes, sizeof *w->has_appliance, w->err);
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        w->node_id[i] = number_of(g->node[i].name);
        w->next = w->node_id[i] >= w->next ? w->node_id[i] + 1 : w->next;
    }
    for (uint32_t k = 0; k < g->branches && rc == 0; k++) {
        w->branch_id[k] = branch_number(g, g->branch[k].name);
        w->next = w->branch_id[k] >= w->next ? w->branch_id[k] + 1 : w->next;
    }
    for (uint32_t i = 0; i < g->nodes && rc == 0; i++) {
        w->renamed += w->node_id[i] < 0;
        w->node_id[i] = w->node_id[i] < 0 ? w->next++ : w->node_id[i];
    }
    for (uint32_t k = 0; k < g->branches && rc == 0; k++) {
        w->renamed += w->branch_id[k] < 0;
        w->branch_id[k] = w->branch_id[k] < 0 ? w->next++ : w->branch_id[k];
    }
    return rc;
}

/* --- nodes and what is connected --- */

static int load_rows(struct work *w, uint32_t node, int type, const double pq[2], const double dpq[6])
{
    bool differs = false;
    for (int i = 0; i < 6; i++) {
        differs = differs || dpq[i] != 0;
    }
    if (pq[0] == 0 && pq[1] == 0 && !differs) {
        return 0;
    }
    double *r = row_at(w, differs ? PGM_ASYM_LOAD : PGM_SYM_LOAD, w->node_id[node]);
    if (!r) {
        return POF_E_NOMEM;
    }
    w->has_appliance[node] = true;
    r[SYM_LOAD_type] = type;
    int width = differs ? 3 : 1;
    for (int f = 0; f < width; f++) {
        r[SYM_LOAD_p_specified + f] = pq[0] / width + (differs ? dpq[f] : 0);
        r[SYM_LOAD_p_specified + width + f] = pq[1] / width + (differs ? dpq[3 + f] : 0);
    }
    return 0;
}

static int loads(struct work *w, uint32_t i)
{
    static const struct pof_node_phases none = {0};
    const struct pof_node *n = &w->grid->node[i];
    const struct pof_node_phases *f = n->phases ? n->phases : &none;
    double d[3][6];
    for (int k = 0; k < 3; k++) {
        d[0][k] = f->p_w[k], d[0][3 + k] = f->q_var[k];
        d[1][k] = f->ip_w[k], d[1][3 + k] = f->iq_var[k];
        d[2][k] = f->g_w[k], d[2][3 + k] = -f->b_var[k];
    }
    int rc = load_rows(w, i, 0, (const double[]){n->p_w, n->q_var}, d[0]);
    rc = rc ? rc : load_rows(w, i, 2, (const double[]){n->ip_w, n->iq_var}, d[1]);
    return rc ? rc : load_rows(w, i, 1, (const double[]){0, 0}, d[2]);
}

static int shunts(struct work *w, uint32_t i)
{
    const struct pof_node *n = &w->grid->node[i];
    const struct pof_node_phases *f = n->phases;
    bool zero = f && f->has_zero;
    if (n->g_w == 0 && n->b_var == 0 && (!zero || (f->g0_w == 0 && f->b0_var == 0))) {
        return 0;
    }
    double *r = row_at(w, PGM_SHUNT, w->node_id[i]);
    if (!r) {
        return POF_E_NOMEM;
    }
    double v2 = n->base_v * n->base_v;
    r[SHUNT_g1] = n->g_w / v2;
    r[SHUNT_b1] = n->b_var / v2;
    r[SHUNT_g0] = (zero ? f->g0_w : n->g_w) / v2;
    r[SHUNT_b0] = (zero ? f->b0_var : n->b_var) / v2;
    return 0;
}

static int held(struct work *w, uint32_t i)
{
    const struct pof_node *n = &w->grid->node[i];
    if (n->kind == POF_NODE_SLACK) {
        double *r = row_at(w, PGM_SOURCE, w->node_id[i]);
        if (!r) {
            return POF_E_NOMEM;
        }
        w->has_appliance[i] = true;
        r[SOURCE_u_ref] = n->v_set_pu;
        r[SOURCE_u_ref_angle] = n->angle_set;
        r[SOURCE_sk] = STIFF;
    } else if (n->kind == POF_NODE_PV) {
        int32_t id = w->next;
        double *r = row_at(w, PGM_SYM_GEN, w->node_id[i]);
        if (!r) {
            return POF_E_NOMEM;
        }
        w->has_appliance[i] = true;
        r[SYM_GEN_type] = r[SYM_GEN_p_specified] = r[SYM_GEN_q_specified] = 0;
        r = row_at(w, PGM_REGULATOR, id);
        if (!r) {
            return POF_E_NOMEM;
        }
        r[REGULATOR_u_ref] = n->v_set_pu;
        if (n->has_q_limits) {
            r[REGULATOR_q_min] = n->q_min_var;
            r[REGULATOR_q_max] = n->q_max_var;
        }
    }
    return 0;
}

/* A node where something may be connected has an appliance, be it of 0 W: without one
 * power-grid-model takes it for certain that nothing is injected. */
static int empty_load(struct work *w, uint32_t i)
{
    if (w->has_appliance[i] || w->grid->node[i].zero_injection) {
        return 0;
    }
    double *r = row_at(w, PGM_SYM_LOAD, w->node_id[i]);
    if (!r) {
        return POF_E_NOMEM;
    }
    r[SYM_LOAD_type] = r[SYM_LOAD_p_specified] = r[SYM_LOAD_q_specified] = 0;
    return 0;
}

static int nodes(struct work *w)
{
    int rc = 0;
    for (uint32_t i = 0; i < w->grid->nodes && rc == 0; i++) {
        const struct pof_node *n = &w->grid->node[i];
        double *r = row(w, PGM_NODE, w->node_id[i]);
        if (!r) {
            return POF_E_NOMEM;
        }
        r[NODE_u_rated] = n->base_v;
        w->left_out += n->v_min_pu != 0.9 || n->v_max_pu != 1.1 || n->has_xy || n->rated_w != 0 ||
                       n->slack_share != 0;
    }
    for (uint32_t i = 0; i < w->grid->nodes && rc == 0; i++) {
        rc = loads(w, i);
        rc = rc ? rc : shunts(w, i);
        rc = rc ? rc : held(w, i);
        rc = rc ? rc : empty_load(w, i);
    }
    return rc;
}

/* --- branches --- */

static double zbase_of(const struct work *w, const struct pof_branch *b)
{
    double v = w->grid->node[b->to].base_v;
    return v * v / w->grid->base_va;
}

static double *branch_row(struct work *w, enum pofi_pgm_type type, uint32_t k)
{
    const struct pof_branch *b = &w->grid->branch[k];
    double *r = row(w, type, w->branch_id[k]);
    if (r) {
        r[PGM_FROM] = w->node_id[b->from];
        r[PGM_TO] = w->node_id[b->to];
        r[PGM_FROM_STATUS] = r[PGM_TO_STATUS] = b->closed;
    }
    return r;
}

static int put_generic(struct work *w, uint32_t k)
{
    const struct pof_branch *b = &w->grid->branch[k];
    double z = zbase_of(w, b), *r = branch_row(w, PGM_GENERIC, k);
    if (!r) {
        return POF_E_NOMEM;
    }
    r[GENERIC_r1] = b->r * z;
    r[GENERIC_x1] = b->x * z;
    r[GENERIC_g1] = b->g / z;
    r[GENERIC_b1] = b->b / z;
    r[GENERIC_k] = b->ratio;
    r[GENERIC_theta] = b->shift;
    r[GENERIC_sn] = b->rating_va > 0 ? b->rating_va : NAN;
    w->generic += b->phases != NULL;
    w->left_out += b->tap != NULL;
    return 0;
}

static double amperes(const struct work *w, const struct pof_branch *b)
{
    return b->rating_va > 0 ? b->rating_va / (sqrt(3) * w->grid->node[b->from].base_v) : NAN;
}

static int put_line(struct work *w, uint32_t k)
{
    const struct pof_branch *b = &w->grid->branch[k];
    const struct pof_branch_phases *f = b->phases;
    double z = zbase_of(w, b), *r = branch_row(w, PGM_LINE, k);
    if (!r) {
        return POF_E_NOMEM;
    }
    r[LINE_r1] = b->r * z;
    r[LINE_x1] = b->x * z;
    r[LINE_c1] = b->b / z / (2 * PI * F_HZ);
    r[LINE_tan1] = b->b != 0 ? b->g / b->b : 0;
    r[LINE_i_n] = amperes(w, b);
    if (f) {
        r[LINE_r0] = f->r0 * z;
        r[LINE_x0] = f->x0 * z;
        r[LINE_c0] = f->b0 / z / (2 * PI * F_HZ);
        r[LINE_tan0] = f->b0 != 0 ? f->g0 / f->b0 : 0;
    }
    return 0;
}

static int put_asym_line(struct work *w, uint32_t k)
{
    static const int at[] = {0, 3, 4, 6, 7, 8}; /* aa ba bb ca cb cc of a matrix by rows */
    const struct pof_branch *b = &w->grid->branch[k];
    double z = zbase_of(w, b), *r = branch_row(w, PGM_ASYM_LINE, k);
    if (!r) {
        return POF_E_NOMEM;
    }
    for (int i = 0; i < 6; i++) {
        r[ASYM_LINE_r_aa + i] = b->phases->r[at[i]] * z;
        r[ASYM_LINE_x_aa + i] = b->phases->x[at[i]] * z;
        r[ASYM_LINE_c_aa + i] = b->phases->b[at[i]] / z / (2 * PI * F_HZ);
    }
    r[ASYM_LINE_i_n] = amperes(w, b);
    return 0;
}

/* Whether name plate values, all positive, say the same as r, x, g, b and shift. */
static bool plate_fits(const struct work *w, const struct pof_branch *b)
{
    const struct pof_branch_phases *f = b->phases;
    double hours = b->shift / (PI / 6), z = hypot(b->r, b->x), y = hypot(b->g, b->b);
    double sn = b->rating_va > 0 ? b->rating_va : w->grid->base_va, per = sn / w->grid->base_va;
    bool plain = f && f->form == POF_PHASES_WINDINGS && b->r >= 0 && b->x > 0 && b->g >= 0 && b->b <= 0;
    return plain && fabs(hours - nearbyint(hours)) < 1e-9 && z * per < 1 && y / per < 1 &&
           (f->clock - lround(hours)) % 12 == 0 && (!b->tap || b->tap->step_deg == 0);
}

static void put_tap(const struct pof_tap *t, double *r)
{
    double u = r[t->on_to ? TRAFO_u2 : TRAFO_u1];
    bool down = t->step_pct < 0;
    /* A negative step is a changer whose positions count down. */
    r[TRAFO_tap_side] = t->on_to;
    r[TRAFO_tap_pos] = t->pos;
    r[TRAFO_tap_min] = down == (t->min < t->max) ? t->max : t->min;
    r[TRAFO_tap_max] = down == (t->min < t->max) ? t->min : t->max;
    r[TRAFO_tap_nom] = t->neutral;
    double tapped = 1 + t->step_pct / 100 * (t->pos - t->neutral);
    u /= tapped;
    r[t->on_to ? TRAFO_u2 : TRAFO_u1] = u;
    r[TRAFO_tap_size] = fabs(t->step_pct) / 100 * u;
}

static int put_control(struct work *w, uint32_t k)
{
    const struct pof_branch *b = &w->grid->branch[k];
    const struct pof_tap *t = b->tap;
    if (!t || !t->controlled || (t->node != b->from && t->node != b->to)) {
        w->left_out += t && t->controlled;
        return 0;
    }
    double v = w->grid->node[t->node].base_v, z = v * v / w->grid->base_va;
    double *r = row_at(w, PGM_TAP_REGULATOR, w->branch_id[k]);
    if (!r) {
        return POF_E_NOMEM;
    }
    r[TAP_REGULATOR_control_side] = t->node == b->to;
    r[TAP_REGULATOR_u_set] = (t->v_low_pu + t->v_high_pu) / 2 * v;
    r[TAP_REGULATOR_u_band] = (t->v_high_pu - t->v_low_pu) * v;
    r[TAP_REGULATOR_line_drop_compensation_r] = t->drop_r_pu * z;
    r[TAP_REGULATOR_line_drop_compensation_x] = t->drop_x_pu * z;
    return 0;
}

/* The rated voltage of the to winding is taken to be nominal, as u2 in z = uk u2^2 / sn; a tap there
 * changes both, so uk is that of the tapped winding. */
static int put_trafo(struct work *w, uint32_t k)
{
    const struct pof_branch *b = &w->grid->branch[k];
    const struct pof_branch_phases *f = b->phases;
    double v_from = w->grid->node[b->from].base_v, v_to = w->grid->node[b->to].base_v;
    double sn = b->rating_va > 0 ? b->rating_va : w->grid->base_va, per = sn / w->grid->base_va;
    double zf = v_from * v_from / w->grid->base_va, zt = zbase_of(w, b);
    double *r = branch_row(w, PGM_TRAFO, k);
    if (!r) {
        return POF_E_NOMEM;
    }
    r[TRAFO_u1] = v_from * b->ratio;
    r[TRAFO_u2] = v_to;
    r[TRAFO_sn] = sn;
    r[TRAFO_uk] = hypot(b->r, b->x) * per;
    r[TRAFO_pk] = b->r * per * sn;
    r[TRAFO_i0] = hypot(b->g, b->b) / per;
    r[TRAFO_p0] = b->g / per * sn;
    r[TRAFO_i0_zero_sequence] = hypot(f->g0, f->b0) / per;
    r[TRAFO_p0_zero_sequence] = f->g0 / per * sn;
    r[TRAFO_winding_from] = f->from;
    r[TRAFO_winding_to] = f->to;
    r[TRAFO_clock] = f->clock;
    r[TRAFO_r_grounding_from] = f->r_ground_from * zf;
    r[TRAFO_x_grounding_from] = f->x_ground_from * zf;
    r[TRAFO_r_grounding_to] = f->r_ground_to * zt;
    r[TRAFO_x_grounding_to] = f->x_ground_to * zt;
    r[TRAFO_tap_side] = r[TRAFO_tap_min] = r[TRAFO_tap_max] = r[TRAFO_tap_pos] = r[TRAFO_tap_size] = 0;
    if (b->tap && !b->tap->on_to) {
        put_tap(b->tap, r);
        w->left_out += b->tap->has_uk_ends;
        return put_control(w, k);
    }
    w->left_out += b->tap != NULL;
    return 0;
}

static bool symmetric(const double *m)
{
    return m[1] == m[3] && m[2] == m[6] && m[5] == m[7];
}

static int branch(struct work *w, uint32_t k)
{
    const struct pof_branch *b = &w->grid->branch[k];
    const struct pof_branch_phases *f = b->phases;
    if (b->kind == POF_BRANCH_SWITCH && b->g == 0 && b->b == 0 && b->r == 0 &&
        b->x <= POF_SWITCH_X_PER_VA * w->grid->base_va) {
        return branch_row(w, PGM_LINK, k) ? 0 : POF_E_NOMEM;
    }
    if (b->kind == POF_BRANCH_TRANSFORMER) {
        return plate_fits(w, b) ? put_trafo(w, k) : put_generic(w, k);
    }
    if (f && f->form == POF_PHASES_MATRIX && symmetric(f->r) && symmetric(f->x) && symmetric(f->b) && b->g == 0) {
        return put_asym_line(w, k);
    }
    bool zero = !f || f->form != POF_PHASES_SEQUENCE || f->b0 != 0 || f->g0 == 0;
    return (b->b != 0 || b->g == 0) && zero && (!f || f->form == POF_PHASES_SEQUENCE) ? put_line(w, k)
                                                                                     : put_generic(w, k);
}

/* --- sensors --- */

static const struct pof_observation *partner(const struct pof_readings *r, size_t i, int quantity)
{
    const struct pof_observation *o = &r->item[i];
    for (size_t k = i + 1; k < r->n && k < i + 4; k++) {
        const struct pof_observation *p = &r->item[k];
        if (p->element == o->element && p->branch == o->branch && p->to == o->to &&
            p->phase == o->phase && p->quantity == quantity) {
            return p;
        }
    }
    return NULL;
}

static int sensor(struct work *w, const struct pof_readings *all, size_t i)
{
    const struct pof_observation *o = &all->item[i], *p;
    double *r;
    double id = o->branch ? w->branch_id[o->element] : w->node_id[o->element];
    if (o->quantity == POF_QUANTITY_V) {
        p = partner(all, i, POF_QUANTITY_ANGLE);
        r = row_at(w, PGM_SYM_V, id);
        if (r) {
            r[SYM_V_u_measured] = o->value;
            r[SYM_V_u_sigma] = o->sigma;
            r[SYM_V_u_angle_measured] = p ? pof_rad_of_deg(p->value) : NAN;
        }
        return r ? 0 : POF_E_NOMEM;
    }
    p = partner(all, i, o->quantity == POF_QUANTITY_P ? POF_QUANTITY_Q : POF_QUANTITY_I_ANGLE);
    p = p || o->quantity == POF_QUANTITY_P ? p : partner(all, i, POF_QUANTITY_I_ANGLE_TO_V);
    if (!p) {
        w->unpaired++;
        return 0;
    }
    bool power = o->quantity == POF_QUANTITY_P;
    double sign = o->branch ? 1 : -1;
    r = row_at(w, power ? PGM_SYM_P : PGM_SYM_I, id);
    if (!r) {
        return POF_E_NOMEM;
    }
    r[SYM_P_measured_terminal_type] = !o->branch ? PGM_AT_NODE : o->to ? PGM_AT_TO : PGM_AT_FROM;
    if (power) {
        r[SYM_P_p_measured] = sign * o->value;
        r[SYM_P_q_measured] = sign * p->value;
        r[SYM_P_p_sigma] = o->sigma;
        r[SYM_P_q_sigma] = p->sigma;
    } else {
        bool global = p->quantity == POF_QUANTITY_I_ANGLE;
        r[SYM_I_angle_measurement_type] = global;
        r[SYM_I_i_measured] = o->value;
        r[SYM_I_i_sigma] = o->sigma;
        r[SYM_I_i_angle_measured] = pof_rad_of_deg(global ? p->value : -p->value);
        r[SYM_I_i_angle_sigma] = pof_rad_of_deg(p->sigma);
    }
    return 0;
}

static int sensors(struct work *w, const struct pof_readings *all)
{
    int rc = 0;
    for (size_t i = 0; all && i < all->n && rc == 0; i++) {
        const struct pof_observation *o = &all->item[i];
        bool first = o->quantity == POF_QUANTITY_V || o->quantity == POF_QUANTITY_P || o->quantity == POF_QUANTITY_I;
        w->one_phase += o->phase != 0;
        w->correlated += o->rho != 0;
        w->exact += o->phase == 0 && o->sigma == 0;
        if (first && o->phase == 0 && o->sigma > 0) {
            rc = sensor(w, all, i);
        }
    }
    return rc;
}

/* --- text --- */

static int add_number(struct pof_buf *to, double v, struct pof_err *err)
{
    char text[POF_REAL_MAX];
    if (isnan(v)) {
        return pof_buf_adds(to, "null", err);
    }
    if (isinf(v)) {
        return pof_buf_adds(to, v > 0 ? "\"inf\"" : "\"-inf\"", err);
    }
    return pof_buf_add(to, text, pof_real_format(v, text), err);
}

/* Attributes that any row has. */
static uint64_t used(const struct pofi_pgm *p, enum pofi_pgm_type type)
{
    const struct pofi_pgm_kind *k = &pofi_pgm_kind[type];
    uint64_t mask = 0;
    for (uint32_t i = 0; i < p->table[type].rows; i++) {
        const double *v = pofi_pgm_row(p, type, i);
        for (int a = 0; a < k->attributes; a++) {
            mask |= isnan(v[k->attribute[a].column]) ? 0 : (uint64_t)1 << a;
        }
    }
    return mask;
}

static int write_row(const struct pofi_pgm_kind *k, uint64_t mask, const double *v, struct pof_buf *to,
                     struct pof_err *err)
{
    const char *comma = "";
    int rc = pof_buf_adds(to, "[", err);
    for (int a = 0; a < k->attributes && rc == 0; a++) {
        if (!(mask >> a & 1)) {
            continue;
        }
        int width = k->attribute[a].width;
        rc = pof_buf_adds(to, comma, err);
        rc = rc || width == 1 ? rc : pof_buf_adds(to, "[", err);
        for (int f = 0; f < width && rc == 0; f++) {
            rc = f > 0 ? pof_buf_adds(to, ", ", err) : 0;
            rc = rc ? rc : add_number(to, v[k->attribute[a].column + f], err);
        }
        rc = rc || width == 1 ? rc : pof_buf_adds(to, "]", err);
        comma = ", ";
    }
    return rc ? rc : pof_buf_adds(to, "]", err);
}

static int write_names(const struct pofi_pgm *p, struct pof_buf *to, struct pof_err *err)
{
    const char *comma = "";
    int rc = 0;
    for (int t = 0; t < PGM_TYPES && rc == 0; t++) {
        const struct pofi_pgm_kind *k = &pofi_pgm_kind[t];
        uint64_t mask = used(p, (enum pofi_pgm_type)t);
        const char *between = "";
        rc = mask ? pof_buf_addf(to, err, "%s\n  \"%s\": [", comma, k->name) : 0;
        for (int a = 0; a < k->attributes && rc == 0 && mask; a++) {
            if (mask >> a & 1) {
                rc = pof_buf_addf(to, err, "%s\"%s\"", between, k->attribute[a].name);
                between = ", ";
            }
        }
        rc = rc || !mask ? rc : pof_buf_adds(to, "]", err);
        comma = mask ? "," : comma;
    }
    return rc;
}

static int write_rows(const struct pofi_pgm *p, struct pof_buf *to, struct pof_err *err)
{
    const char *comma = "";
    int rc = 0;
    for (int t = 0; t < PGM_TYPES && rc == 0; t++) {
        const struct pofi_pgm_kind *k = &pofi_pgm_kind[t];
        uint64_t mask = used(p, (enum pofi_pgm_type)t);
        rc = mask ? pof_buf_addf(to, err, "%s\n  \"%s\": [", comma, k->name) : 0;
        for (uint32_t i = 0; i < p->table[t].rows && rc == 0; i++) {
            rc = pof_buf_adds(to, i ? ",\n    " : "\n    ", err);
            rc = rc ? rc : write_row(k, mask, pofi_pgm_row(p, (enum pofi_pgm_type)t, i), to, err);
        }
        rc = rc || !mask ? rc : pof_buf_adds(to, "]", err);
        comma = mask ? "," : comma;
    }
    return rc;
}

/* The text of a data set of type input. */
static int input_text(const struct pofi_pgm *p, struct pof_buf *to, struct pof_err *err)
{
    int rc = pof_buf_adds(to,
                          "{\"version\": \"1.0\", \"type\": \"input\", \"is_batch\": false,\n"
                          " \"attributes\": {",
                          err);
    rc = rc ? rc : write_names(p, to, err);
    rc = rc ? rc : pof_buf_adds(to, "},\n \"data\": {", err);
    rc = rc ? rc : write_rows(p, to, err);
    return rc ? rc : pof_buf_adds(to, "}}\n", err);
}

static void tell(const struct work *w)
{
    pofi_tell_count(w->teller, w->renamed, "names replaced by ids");
    pofi_tell_count(w->teller, w->grid->banks, "switched shunts that hold a voltage, fixed as they are");
    pofi_tell_count(w->teller, w->left_out,
                    "nodes and branches whose limits, places, rated consumption or tap data are left out");
    pofi_tell_count(w->teller, w->generic, "branches whose three-phase data are left out");
    pofi_tell_count(w->teller, w->exact, "exact readings left out");
    pofi_tell_count(w->teller, w->correlated, "correlations of readings left out");
    pofi_tell_count(w->teller, w->one_phase, "readings of one phase left out");
    pofi_tell_count(w->teller, w->unpaired, "readings of p without q, or of i without angle, left out");
}

int pof_pgm_write(const struct pof_grid *grid, const struct pof_readings *readings,
                  struct pof_buf *to, const struct pof_teller *teller, struct pof_err *err)
{
    struct work w = {.grid = grid, .teller = teller, .err = err};
    int rc = make_ids(&w);
    rc = rc ? rc : nodes(&w);
    for (uint32_t k = 0; k < grid->branches && rc == 0; k++) {
        rc = branch(&w, k);
    }
    rc = rc ? rc : sensors(&w, readings);
    rc = rc ? rc : input_text(&w.out, to, err);
    if (rc == 0) {
        tell(&w);
    }
    pofi_pgm_release(&w.out);
    free(w.node_id);
    free(w.branch_id);
    free(w.has_appliance);
    return rc;
}
