/* SPDX-License-Identifier: Apache-2.0 */
/* Sensors of a power-grid-model data set as observations (user manual, chapters "Components", Sensor,
 * and "Calculations", state estimation).
 *
 * What appliances of a node are measured to draw counts as an injection of the node when all that are
 * switched on have sensors: the sum of their values, and of their variances. Several sensors of one
 * appliance are first taken together, weighted by their variances. */
#include "grid/pgm.h"

#include <math.h>
#include <stdlib.h>

#define DEG_PER_RAD (180 / 3.14159265358979323846)

/* A mean weighted by the inverses of variances. */
struct mean {
    double weight, sum;
};

struct part {
    struct mean p, q;
};

/* What the appliances of a node draw. */
struct drawn {
    double p, q, p_var, q_var;
};
struct appliances {
    uint32_t n, measured;
};

/* A voltage sensor's readings of each phase (to ground), or of all three (line to line). */
struct volts {
    double u[3], angle[3]; /* V, degrees */
    double sigma, spread;  /* V, degrees: an error of a phasor is as wide across as along it */
    bool angles;
};

/* The phasors read at a node. */
struct phasors {
    double weight, re[3], im[3];
    struct volts first;
    uint32_t sensors;
};

struct work {
    struct pofi_pgm_job *j;
    struct part *part[PGM_TYPES]; /* [rows * width] of sources, loads, generators */
    struct drawn *drawn;          /* [nodes * width] */
    struct appliances *node;      /* [nodes] */
    struct phasors *phasors;      /* [nodes]; NULL before the first */
    uint32_t nodes;
    int width;                    /* 1, or 3: phases */
};

static int add(struct work *w, struct pof_observation o)
{
    return pof_readings_add(w->j->readings, &o, w->j->err);
}

/* A number for a phase (f 0 .. 2), or of all three (width 1), from a row that has one or three. */
static double of_phase(const double *v, bool asym, int f)
{
    return asym ? v[f] : v[0];
}

/* --- voltages --- */

static bool volts_of(struct work *w, struct pofi_pgm_place at, double base, struct volts *r)
{
    bool asym = at.type == PGM_ASYM_V, there = true;
    const double *row = pofi_pgm_row(w->j->p, (enum pofi_pgm_type)at.type, at.row);
    const double *u = row + SYM_V_u_measured, *angle = u + (asym ? 3 : 1);
    double sigma = row[SYM_V_u_sigma], turned[3] = {0, 0, 0};
    r->angles = true;
    for (int f = 0; f < (asym ? 3 : 1); f++) {
        there = there && isfinite(u[f]);
        r->angles = r->angles && isfinite(angle[f]);
        turned[f] = remainder(angle[f] * DEG_PER_RAD + 120 * f, 360);
    }
    w->j->infinite += isinf(sigma) != 0;
    w->j->no_value += !isinf(sigma) && !(sigma > 0 && there);
    if (isinf(sigma) || !(sigma > 0) || !there) {
        return false;
    }
    double scale = w->width == 3 && !asym ? 1 / sqrt(3) : w->width == 1 && asym ? sqrt(3) : 1;
    r->sigma = sigma * scale;
    r->spread = sigma / base * (asym ? sqrt(3) : 1) * DEG_PER_RAD;
    for (int f = 0; f < w->width; f++) {
        r->u[f] = (asym ? u[f] : u[0]) * scale;
        r->angle[f] = asym ? angle[f] * DEG_PER_RAD : angle[0] * DEG_PER_RAD - 120.0 * f;
    }
    if (asym && w->width == 1) { /* means over the phases */
        r->u[0] = (u[0] + u[1] + u[2]) / 3 * scale;
        r->angle[0] = turned[0] + (remainder(turned[1] - turned[0], 360) + remainder(turned[2] - turned[0], 360)) / 3;
    }
    return true;
}

static int put_volts(struct work *w, uint32_t node, const struct volts *r)
{
    int rc = 0;
    for (int f = 0; f < w->width && rc == 0; f++) {
        struct pof_observation o = {.element = node, .quantity = POF_QUANTITY_V, .value = r->u[f],
                                    .sigma = r->sigma,
                                    .phase = (uint8_t)(w->width == 3 ? f + 1 : 0)};
        rc = add(w, o);
        o.quantity = POF_QUANTITY_ANGLE;
        o.value = remainder(r->angle[f], 360);
        o.sigma = r->spread;
        rc = rc || !r->angles ? rc : add(w, o);
    }
    return rc;
}

static int voltage(struct work *w, struct pofi_pgm_place at)
{
    uint32_t node;
    struct volts r;
    int rc = pofi_pgm_node_of(w->j, at, SYM_V_measured_object, &node);
    if (rc || !volts_of(w, at, w->j->grid->node[node].base_v, &r)) {
        return rc;
    }
    if (!r.angles) {
        return put_volts(w, node, &r);
    }
    rc = w->phasors ? 0 : pof_calloc(&w->phasors, w->nodes, sizeof *w->phasors, w->j->err);
    if (rc) {
        return rc;
    }
    struct phasors *p = &w->phasors[node];
    double weight = 1 / (r.sigma * r.sigma);
    p->first = r;
    p->sensors++;
    p->weight += weight;
    for (int f = 0; f < w->width; f++) {
        p->re[f] += weight * r.u[f] * cos(r.angle[f] / DEG_PER_RAD);
        p->im[f] += weight * r.u[f] * sin(r.angle[f] / DEG_PER_RAD);
    }
    return 0;
}

/* Several phasors of one node are one: their mean as complex numbers, weighted. */
static int phasors(struct work *w)
{
    int rc = 0;
    for (uint32_t i = 0; w->phasors && i < w->nodes && rc == 0; i++) {
        struct phasors *p = &w->phasors[i];
        struct volts r = p->first;
        for (int f = 0; f < w->width && p->sensors > 1; f++) {
            r.u[f] = hypot(p->re[f], p->im[f]) / p->weight;
            r.angle[f] = atan2(p->im[f], p->re[f]) * DEG_PER_RAD;
            r.spread = f == 0 ? r.spread / r.sigma / sqrt(p->weight) : r.spread;
            r.sigma = 1 / sqrt(p->weight);
        }
        rc = p->sensors > 0 ? put_volts(w, i, &r) : 0;
    }
    return rc;
}

/* --- powers --- */

/* A power sensor's reading, by phases or all together; false when it has none. */
struct power {
    double p[3], q[3], p_var[3], q_var[3];
};

static void powers_together(struct power *r)
{
    r->p[0] += r->p[1] + r->p[2];
    r->q[0] += r->q[1] + r->q[2];
    /* As power-grid-model takes them: the mean variance per unit, not that of a sum. */
    r->p_var[0] = 3 * (r->p_var[0] + r->p_var[1] + r->p_var[2]);
    r->q_var[0] = 3 * (r->q_var[0] + r->q_var[1] + r->q_var[2]);
}

static void power_apart(struct power *r)
{
    for (int f = 2; f >= 0; f--) {
        r->p[f] = r->p[0] / 3;
        r->q[f] = r->q[0] / 3;
        r->p_var[f] = r->p_var[0] / 9;
        r->q_var[f] = r->q_var[0] / 9;
    }
}

static bool power_of(struct work *w, struct pofi_pgm_place at, struct power *r)
{
    bool asym = at.type == PGM_ASYM_P, there = true, endless = false;
    const double *row = pofi_pgm_row(w->j->p, (enum pofi_pgm_type)at.type, at.row);
    int n = asym ? 3 : 1;
    const double *p = row + SYM_P_p_measured, *q = p + n, *p_sigma = q + n, *q_sigma = p_sigma + n;
    double whole = row[SYM_P_power_sigma];
    for (int f = 0; f < n; f++) {
        bool own = !isnan(p_sigma[f]) || !isnan(q_sigma[f]);
        double s_p = own ? p_sigma[f] : whole / sqrt(2), s_q = own ? q_sigma[f] : whole / sqrt(2);
        r->p[f] = p[f];
        r->q[f] = q[f];
        r->p_var[f] = s_p * s_p;
        r->q_var[f] = s_q * s_q;
        endless = endless || isinf(s_p) || isinf(s_q);
        there = there && isfinite(p[f]) && isfinite(q[f]) && s_p > 0 && s_q > 0;
    }
    w->j->infinite += endless;
    w->j->no_value += !there && !endless;
    if (!there || endless) {
        return false;
    }
    if (asym && w->width == 1) {
        powers_together(r);
    } else if (!asym && w->width == 3) {
        power_apart(r);
    }
    return true;
}

static int put_power(struct work *w, struct pof_observation o, const struct power *r, double sign)
{
    int rc = 0;
    for (int f = 0; f < w->width && rc == 0; f++) {
        o.phase = (uint8_t)(w->width == 3 ? f + 1 : 0);
        o.quantity = POF_QUANTITY_P;
        o.value = sign * r->p[f];
        o.sigma = sqrt(r->p_var[f]);
        rc = add(w, o);
        o.quantity = POF_QUANTITY_Q;
        o.value = sign * r->q[f];
        o.sigma = sqrt(r->q_var[f]);
        rc = rc ? rc : add(w, o);
    }
    return rc;
}

static void mix(struct mean *m, double v, double variance)
{
    m->weight += 1 / variance;
    m->sum += v / variance;
}

/* A shunt that is measured stands at a node of its own behind an ideal switch, so that its power is
 * the flow through that switch. */
static int measured_shunt(struct work *w, struct pofi_pgm_place shunt, const struct power *r)
{
    struct pofi_pgm_job *j = w->j;
    const double *row = pofi_pgm_row(j->p, PGM_SHUNT, shunt.row);
    uint32_t *k = &j->map.at[PGM_SHUNT][shunt.row], node = 0;
    int rc = 0;
    if (*k == POF_NONE) {
        struct pof_branch b = {.kind = POF_BRANCH_SWITCH, .x = POF_SWITCH_X_PER_VA * j->grid->base_va,
                               .ratio = 1, .closed = true};
        rc = pofi_pgm_node_of(j, shunt, PGM_AT, &node);
        b.from = node;
        rc = rc ? rc : pofi_pgm_extra_node(j, j->grid->node[node].base_v, "shunt", row[0], &b.to);
        rc = rc ? rc : pofi_pgm_add(j, &b, NULL, row[0], k);
    }
    struct pof_observation o = {.element = *k, .branch = true};
    return rc ? rc : put_power(w, o, r, 1);
}

static int measured_appliance(struct work *w, struct pofi_pgm_place what, const struct power *r)
{
    const double *row = pofi_pgm_row(w->j->p, (enum pofi_pgm_type)what.type, what.row);
    bool load = what.type == PGM_SYM_LOAD || what.type == PGM_ASYM_LOAD;
    if (row[PGM_STATUS] != 1) {
        w->j->open_end++;
        return 0;
    }
    if (what.type == PGM_SHUNT) {
        return measured_shunt(w, what, r);
    }
    struct part *part = w->part[what.type] + (size_t)what.row * (size_t)w->width;
    for (int f = 0; f < w->width; f++) {
        mix(&part[f].p, load ? r->p[f] : -r->p[f], r->p_var[f]);
        mix(&part[f].q, load ? r->q[f] : -r->q[f], r->q_var[f]);
    }
    return 0;
}

/* The end of a branch that a terminal is; false: open, nothing flows there. */
static bool branch_end(struct work *w, struct pofi_pgm_place what, int terminal, struct pof_observation *o)
{
    const double *row = pofi_pgm_row(w->j->p, (enum pofi_pgm_type)what.type, what.row);
    uint32_t k = w->j->map.at[what.type][what.row];
    o->branch = true;
    if (what.type == PGM_TRAFO3) {
        int side = terminal - PGM_AT_SIDE_1;
        o->element = k + (uint32_t)side;
        return row[TRAFO3_status_1 + side] == 1;
    }
    o->element = k;
    o->to = terminal == PGM_AT_TO;
    return row[o->to ? PGM_TO_STATUS : PGM_FROM_STATUS] == 1;
}

/* Whether a terminal fits what is measured. */
static bool terminal_fits(int terminal, int type)
{
    switch (terminal) {
    case PGM_AT_FROM:
    case PGM_AT_TO:
        return type >= PGM_LINE && type <= PGM_TRAFO;
    case PGM_AT_SIDE_1:
    case PGM_AT_SIDE_2:
    case PGM_AT_SIDE_3:
        return type == PGM_TRAFO3;
    case PGM_AT_SOURCE:
        return type == PGM_SOURCE;
    case PGM_AT_SHUNT:
        return type == PGM_SHUNT;
    case PGM_AT_LOAD:
        return type == PGM_SYM_LOAD || type == PGM_ASYM_LOAD;
    case PGM_AT_GENERATOR:
        return type == PGM_SYM_GEN || type == PGM_ASYM_GEN;
    case PGM_AT_NODE:
        return type == PGM_NODE;
    default:
        return false;
    }
}

static int object_of(struct work *w, struct pofi_pgm_place at, struct pofi_pgm_place *what, int *terminal)
{
    const double *row = pofi_pgm_row(w->j->p, (enum pofi_pgm_type)at.type, at.row);
    double t = row[SYM_P_measured_terminal_type];
    *what = pofi_pgm_find(w->j->p, row[SYM_P_measured_object]);
    *terminal = t >= 0 && t <= PGM_AT_NODE && t == nearbyint(t) ? (int)t : -1;
    return terminal_fits(*terminal, what->type)
               ? 0
               : pofi_pgm_fail(&at, SYM_P_measured_object, w->j->err, POF_E_REFERENCE,
                               "measured_object %.15g is not there, or no terminal of type %.15g",
                               row[SYM_P_measured_object], t);
}

static int power(struct work *w, struct pofi_pgm_place at)
{
    struct pofi_pgm_place what;
    struct pof_observation o = {0};
    struct power r;
    int terminal;
    int rc = object_of(w, at, &what, &terminal);
    if (rc || !power_of(w, at, &r)) {
        return rc;
    }
    if (terminal >= PGM_AT_SOURCE && terminal <= PGM_AT_GENERATOR) {
        return measured_appliance(w, what, &r);
    }
    if (terminal == PGM_AT_NODE) {
        o.element = w->j->map.at[PGM_NODE][what.row];
        bool some = w->node[o.element].n > 0;
        w->j->no_appliance += !some;
        return some ? put_power(w, o, &r, -1) : 0;
    }
    bool closed = branch_end(w, what, terminal, &o);
    w->j->open_end += !closed;
    return closed ? put_power(w, o, &r, 1) : 0;
}

/* --- currents --- */

static int current(struct work *w, struct pofi_pgm_place at)
{
    bool asym = at.type == PGM_ASYM_I;
    const double *row = pofi_pgm_row(w->j->p, (enum pofi_pgm_type)at.type, at.row);
    const double *i = row + SYM_I_i_measured, *angle = i + (asym ? 3 : 1);
    double sigma = row[SYM_I_i_sigma], angle_sigma = row[SYM_I_i_angle_sigma];
    struct pofi_pgm_place what;
    struct pof_observation o = {0};
    int terminal, rc = object_of(w, at, &what, &terminal);
    bool global = row[SYM_I_angle_measurement_type] == 1, there = sigma > 0 && angle_sigma > 0;
    for (int f = 0; f < (asym ? 3 : 1); f++) {
        there = there && isfinite(i[f]) && isfinite(angle[f]);
    }
    if (rc || !there || isinf(sigma) || isinf(angle_sigma)) {
        w->j->no_value += rc == 0 && !there;
        w->j->infinite += rc == 0 && there;
        return rc;
    }
    if (what.type == PGM_NODE || what.type >= PGM_SHUNT || !branch_end(w, what, terminal, &o)) {
        w->j->open_end++;
        return 0;
    }
    for (int f = 0; f < w->width && rc == 0; f++) {
        bool together = w->width == 1 && asym;
        double turn = global && w->width == 3 && !asym ? f * -120.0 : 0;
        o.phase = (uint8_t)(w->width == 3 ? f + 1 : 0);
        o.quantity = POF_QUANTITY_I;
        o.value = together ? (i[0] + i[1] + i[2]) / 3 : of_phase(i, asym, f);
        o.sigma = sigma;
        rc = add(w, o);
        double a = of_phase(angle, asym && !together, f) * DEG_PER_RAD;
        o.quantity = global ? POF_QUANTITY_I_ANGLE : POF_QUANTITY_I_ANGLE_TO_V;
        o.value = remainder(global ? a + turn : -a, 360); /* PGM: voltage less current */
        o.sigma = angle_sigma * DEG_PER_RAD;
        rc = rc ? rc : add(w, o);
    }
    return rc;
}

/* --- appliances of a node --- */

static const uint8_t injecting[] = {PGM_SOURCE, PGM_SYM_LOAD, PGM_SYM_GEN, PGM_ASYM_LOAD, PGM_ASYM_GEN};

static int count_appliances(struct work *w)
{
    int rc = 0;
    for (size_t t = 0; t < sizeof injecting && rc == 0; t++) {
        enum pofi_pgm_type type = (enum pofi_pgm_type)injecting[t];
        uint32_t n = w->j->p->table[type].rows;
        rc = pof_calloc(&w->part[type], n * (size_t)w->width, sizeof *w->part[type], w->j->err);
        for (uint32_t i = 0; i < n && rc == 0; i++) {
            uint32_t node = 0;
            rc = pofi_pgm_node_of(w->j, (struct pofi_pgm_place){(uint8_t)type, i}, PGM_AT, &node);
            w->node[node].n += rc == 0 && pofi_pgm_row(w->j->p, type, i)[PGM_STATUS] == 1;
        }
    }
    return rc;
}

static void sum_up(struct work *w, enum pofi_pgm_type type, uint32_t row)
{
    const struct part *part = w->part[type] + (size_t)row * (size_t)w->width;
    const double *v = pofi_pgm_row(w->j->p, type, row);
    struct pofi_pgm_place at = pofi_pgm_find(w->j->p, v[PGM_AT]);
    uint32_t node = w->j->map.at[PGM_NODE][at.row];
    if (v[PGM_STATUS] != 1 || !(part->p.weight > 0)) {
        return;
    }
    w->node[node].measured++;
    struct drawn *d = w->drawn + (size_t)node * (size_t)w->width;
    for (; d < w->drawn + ((size_t)node + 1) * (size_t)w->width; d++, part++) {
        d->p += part->p.sum / part->p.weight;
        d->q += part->q.sum / part->q.weight;
        d->p_var += 1 / part->p.weight;
        d->q_var += 1 / part->q.weight;
    }
}

static int injections(struct work *w)
{
    int rc = 0;
    for (size_t t = 0; t < sizeof injecting; t++) {
        for (uint32_t i = 0; i < w->j->p->table[injecting[t]].rows; i++) {
            sum_up(w, (enum pofi_pgm_type)injecting[t], i);
        }
    }
    for (uint32_t i = 0; i < w->j->p->table[PGM_NODE].rows && rc == 0; i++) {
        struct pof_observation o = {.element = w->j->map.at[PGM_NODE][i]};
        const struct appliances *s = &w->node[o.element];
        const struct drawn *d = w->drawn + (size_t)o.element * (size_t)w->width;
        struct power r;
        for (int f = 0; f < w->width; f++) {
            r.p[f] = d[f].p;
            r.q[f] = d[f].q;
            r.p_var[f] = d[f].p_var;
            r.q_var[f] = d[f].q_var;
        }
        if (s->n > 0 && s->measured == s->n) {
            rc = put_power(w, o, &r, 1);
        } else {
            w->j->partly += s->measured;
        }
    }
    return rc;
}

int pofi_pgm_sensors(struct pofi_pgm_job *j)
{
    static const struct {
        uint8_t type;
        int (*take)(struct work *w, struct pofi_pgm_place at);
    } kinds[] = {{PGM_SYM_V, voltage}, {PGM_ASYM_V, voltage}, {PGM_SYM_P, power},
                 {PGM_ASYM_P, power},  {PGM_SYM_I, current},  {PGM_ASYM_I, current}};
    struct work w = {.j = j, .width = j->readings->phases == 3 ? 3 : 1};
    w.nodes = j->grid->nodes;
    int rc = pof_calloc(&w.node, w.nodes, sizeof *w.node, j->err);
    rc = rc ? rc : pof_calloc(&w.drawn, (size_t)w.nodes * (size_t)w.width, sizeof *w.drawn, j->err);
    rc = rc ? rc : count_appliances(&w);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (uint32_t i = 0; i < j->p->table[kinds[k].type].rows && rc == 0; i++) {
            rc = kinds[k].take(&w, (struct pofi_pgm_place){kinds[k].type, i});
        }
    }
    rc = rc ? rc : phasors(&w);
    rc = rc ? rc : injections(&w);
    for (int t = 0; t < PGM_TYPES; t++) {
        free(w.part[t]);
    }
    free(w.node);
    free(w.drawn);
    free(w.phasors);
    return rc;
}
