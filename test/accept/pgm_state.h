/* SPDX-License-Identifier: Apache-2.0 */
/* power-grid-model's view of a solved grid: attributes of its components, from voltages of nodes and
 * powers into branches ("Components" in its user manual, "Steady state output"; how an estimated
 * injection is shared among appliances: "Calculations", state estimation). */
#ifndef POF_ACCEPT_PGM_STATE_H
#define POF_ACCEPT_PGM_STATE_H

#include "grid/pgm.h"

#include <complex.h>
#include <math.h>
#include <string.h>

/* A solved scenario; values of phase f of element k are at [k * phases + f]. Powers in W and var of
 * each phase (of all three with phases 1). */
struct state {
    const struct pofi_pgm *p;
    const struct pof_grid *grid;
    const struct pofi_pgm_map *map;
    int phases;
    bool estimation;
    double complex *v;        /* [nodes] p.u. */
    double complex *into[2];  /* [branches] at from and to end */
    double complex *injected; /* [nodes] estimation: by all appliances of the node */
    double complex *held;     /* [nodes] power flow: by what holds the voltage */
    const int32_t *tap;       /* [branches] where a tap changer came to be; NULL: as given */
    int8_t *limited;          /* [nodes] -1, 1: at its lower, upper reactive limit */
};

typedef double complex cplx;

static const double *row_of(const struct state *s, struct pofi_pgm_place at)
{
    return pofi_pgm_row(s->p, (enum pofi_pgm_type)at.type, at.row);
}

static uint32_t node_of(const struct state *s, double id)
{
    struct pofi_pgm_place at = pofi_pgm_find(s->p, id);
    return at.type == PGM_NODE ? s->map->at[PGM_NODE][at.row] : POF_NONE;
}

static bool energized_node(const struct state *s, uint32_t node)
{
    return node != POF_NONE && cabs(s->v[node * (uint32_t)s->phases]) > 0;
}

/* V from phase to ground (line to line with phases 1). */
static double volts(const struct state *s, uint32_t node, int f)
{
    double v = cabs(s->v[node * (uint32_t)s->phases + (uint32_t)f]) * s->grid->node[node].base_v;
    return s->phases == 3 ? v / sqrt(3) : v;
}

static cplx amperes(const struct state *s, uint32_t node, int f, cplx power)
{
    double u = volts(s, node, f);
    cplx v = s->v[node * (uint32_t)s->phases + (uint32_t)f];
    return u > 0 ? conj(power / (u * v / cabs(v))) / (s->phases == 3 ? 1 : sqrt(3)) : 0;
}

/* --- appliances --- */

static bool is_load(int type)
{
    return type == PGM_SYM_LOAD || type == PGM_ASYM_LOAD || type == PGM_SHUNT;
}

/* What a shunt draws in phase f. */
static cplx shunt_draws(const struct state *s, const double *row, uint32_t node, int f)
{
    double base = s->grid->node[node].base_v;
    const cplx *v = s->v + node * (uint32_t)s->phases;
    cplx y1 = row[SHUNT_g1] + I * row[SHUNT_b1];
    if (s->phases == 1) {
        return conj(y1) * base * base * creal(v[0] * conj(v[0]));
    }
    cplx y0 = (isnan(row[SHUNT_g0]) ? row[SHUNT_g1] : row[SHUNT_g0]) +
              I * (isnan(row[SHUNT_b0]) ? row[SHUNT_b1] : row[SHUNT_b0]);
    cplx zero = (v[0] + v[1] + v[2]) / 3;
    cplx i = y1 * (v[f] - zero) + y0 * zero;
    return v[f] * conj(i) * base * base / 3;
}

/* What a load or generator was specified to draw in phase f, at the present voltage. */
static cplx specified(const struct state *s, struct pofi_pgm_place at, uint32_t node, int f)
{
    const double *row = row_of(s, at);
    bool asym = at.type == PGM_ASYM_LOAD || at.type == PGM_ASYM_GEN;
    int width = asym ? 3 : 1;
    const double *p = row + SYM_LOAD_p_specified, *q = p + width;
    cplx all = 0, mine = 0;
    for (int k = 0; k < width; k++) {
        all += p[k] + I * q[k];
        mine = k == f || !asym ? p[k] + I * q[k] : mine;
    }
    double v = cabs(s->v[node * (uint32_t)s->phases + (uint32_t)f]);
    double grows = row[SYM_LOAD_type] == 1 ? v * v : row[SYM_LOAD_type] == 2 ? v : v > 0;
    return (s->phases == 1 ? all : asym ? mine : all / 3) * grows;
}

static double real_or(double v, double other)
{
    return isnan(v) ? other : v;
}

/* One phase of what a power sensor reads, as injection into the node when it is at an appliance;
 * false when it does not count. */
static bool reads(const struct state *s, struct pofi_pgm_place at, int f, cplx *value, double var[2])
{
    bool asym = at.type == PGM_ASYM_P;
    const double *row = row_of(s, at);
    int n = asym ? 3 : 1, shown = asym && s->phases == 3 ? f : 0;
    const double *p = row + SYM_P_p_measured, *q = p + n, *sp = q + n, *sq = sp + n;
    *value = p[shown] + I * q[shown];
    double scale = !asym && s->phases == 3 ? 3 : 1;
    var[0] = real_or(sp[shown] * sp[shown], row[SYM_P_power_sigma] * row[SYM_P_power_sigma] / 2);
    var[1] = real_or(sq[shown] * sq[shown], row[SYM_P_power_sigma] * row[SYM_P_power_sigma] / 2);
    if (asym && s->phases == 1) {
        *value = p[0] + p[1] + p[2] + I * (q[0] + q[1] + q[2]);
        var[0] = isnan(sp[0]) ? 9 * var[0] : 3 * (sp[0] * sp[0] + sp[1] * sp[1] + sp[2] * sp[2]);
        var[1] = isnan(sq[0]) ? 9 * var[1] : 3 * (sq[0] * sq[0] + sq[1] * sq[1] + sq[2] * sq[2]);
    }
    *value /= scale;
    var[0] /= scale * scale;
    var[1] /= scale * scale;
    return isfinite(creal(*value)) && isfinite(cimag(*value)) && isfinite(var[0]) && isfinite(var[1]);
}

/* The mean of all sensors of an appliance, as injection; false when it has none. */
static bool measured(const struct state *s, struct pofi_pgm_place what, int f, cplx *value, double var[2])
{
    double id = row_of(s, what)[0], weight[2] = {0, 0}, sum[2] = {0, 0};
    for (int t = PGM_SYM_P; t <= PGM_ASYM_P; t++) {
        for (uint32_t i = 0; i < s->p->table[t].rows; i++) {
            struct pofi_pgm_place at = {(uint8_t)t, i};
            cplx one;
            double own[2];
            if (row_of(s, at)[SYM_P_measured_object] == id && reads(s, at, f, &one, own)) {
                one = is_load(what.type) ? -one : one;
                weight[0] += 1 / own[0];
                weight[1] += 1 / own[1];
                sum[0] += creal(one) / own[0];
                sum[1] += cimag(one) / own[1];
            }
        }
    }
    *value = sum[0] / weight[0] + I * (sum[1] / weight[1]);
    var[0] = 1 / weight[0];
    var[1] = 1 / weight[1];
    return weight[0] > 0;
}

static const uint8_t injecting[] = {PGM_SOURCE, PGM_SYM_LOAD, PGM_SYM_GEN, PGM_ASYM_LOAD, PGM_ASYM_GEN};

/* Estimation: an injection is shared by the variances of the sensors when all appliances have one,
 * else what sensors leave is shared equally by those without. */
static cplx share(const struct state *s, struct pofi_pgm_place what, uint32_t node, int f)
{
    cplx left = s->injected[node * (uint32_t)s->phases + (uint32_t)f], own = 0, one;
    double var[2], own_var[2] = {0, 0}, sum[2] = {0, 0};
    int without = 0;
    for (size_t k = 0; k < sizeof injecting; k++) {
        for (uint32_t i = 0; i < s->p->table[injecting[k]].rows; i++) {
            struct pofi_pgm_place at = {injecting[k], i};
            const double *row = row_of(s, at);
            if (row[PGM_STATUS] == 1 && node_of(s, row[PGM_AT]) == node) {
                bool there = measured(s, at, f, &one, var);
                without += !there;
                left -= there ? one : 0;
                sum[0] += there ? var[0] : 0;
                sum[1] += there ? var[1] : 0;
            }
        }
    }
    if (!measured(s, what, f, &own, own_var)) {
        return left / without;
    }
    return without > 0 ? own : own + creal(left) * own_var[0] / sum[0] + I * (cimag(left) * own_var[1] / sum[1]);
}

/* The reactive power that holds the voltage of a node is shared equally by all that regulate it, each
 * within its limits. */
static double regulated_q(const struct state *s, struct pofi_pgm_place what, uint32_t node, double left)
{
    double low[32], high[32], given[32] = {0};
    int n = 0, mine = -1;
    for (uint32_t i = 0; i < s->p->table[PGM_REGULATOR].rows && n < 32; i++) {
        const double *row = pofi_pgm_row(s->p, PGM_REGULATOR, i);
        struct pofi_pgm_place at = pofi_pgm_find(s->p, row[REGULATOR_regulated_object]);
        if (row[REGULATOR_status] == 1 && at.type != PGM_TYPES && s->map->at[at.type][at.row] == node) {
            mine = at.type == what.type && at.row == what.row ? n : mine;
            low[n] = isnan(row[REGULATOR_q_min]) ? -INFINITY : row[REGULATOR_q_min];
            high[n++] = isnan(row[REGULATOR_q_max]) ? INFINITY : row[REGULATOR_q_max];
        }
    }
    double total = left;
    for (int round = 0; round <= n && fabs(left) > 1e-9 * fabs(total); round++) {
        int open = 0;
        for (int i = 0; i < n; i++) {
            open += left > 0 ? given[i] < high[i] : given[i] > low[i];
        }
        double each = open ? left / open : 0;
        left = total;
        for (int i = 0; i < n; i++) {
            given[i] = fmax(low[i], fmin(high[i], given[i] + each));
            left -= given[i];
        }
    }
    return mine >= 0 ? given[mine] : 0;
}

/* What an appliance injects into its node. */
static cplx injects(const struct state *s, struct pofi_pgm_place at, int f)
{
    const double *row = row_of(s, at);
    uint32_t node = node_of(s, row[PGM_AT]), k = s->map->at[at.type] ? s->map->at[at.type][at.row] : POF_NONE;
    if (row[PGM_STATUS] != 1 || !energized_node(s, node)) {
        return 0;
    }
    if (at.type == PGM_SHUNT) {
        return -shunt_draws(s, row, node, f);
    }
    if (s->estimation) {
        return share(s, at, node, f);
    }
    if (at.type == PGM_SOURCE) {
        return k == POF_NONE ? s->held[node * (uint32_t)s->phases + (uint32_t)f]
                             : -s->into[1][k * (uint32_t)s->phases + (uint32_t)f];
    }
    cplx drawn = specified(s, at, node, f);
    double held = cimag(s->held[node * (uint32_t)s->phases + (uint32_t)f]);
    cplx q = k != POF_NONE ? I * regulated_q(s, at, k, held) : 0;
    return k != POF_NONE ? (is_load(at.type) ? -creal(drawn) : creal(drawn)) + q
           : is_load(at.type) ? -drawn
                              : drawn;
}

static cplx node_injection(const struct state *s, uint32_t node, int f)
{
    cplx sum = 0;
    if (s->estimation) {
        return s->injected[node * (uint32_t)s->phases + (uint32_t)f];
    }
    for (size_t k = 0; k < sizeof injecting; k++) {
        for (uint32_t i = 0; i < s->p->table[injecting[k]].rows; i++) {
            struct pofi_pgm_place at = {injecting[k], i};
            sum += node_of(s, row_of(s, at)[PGM_AT]) == node ? injects(s, at, f) : 0;
        }
    }
    return sum;
}

/* --- attributes --- */

static bool node_attribute(const struct state *s, struct pofi_pgm_place at, const char *name, double *out)
{
    uint32_t node = s->map->at[PGM_NODE][at.row];
    for (int f = 0; f < s->phases; f++) {
        cplx v = s->v[node * (uint32_t)s->phases + (uint32_t)f];
        if (strcmp(name, "u_pu") == 0) {
            out[f] = cabs(v);
        } else if (strcmp(name, "u") == 0) {
            out[f] = volts(s, node, f);
        } else if (strcmp(name, "u_angle") == 0) {
            out[f] = carg(v);
        } else if (strcmp(name, "p") == 0) {
            out[f] = creal(node_injection(s, node, f));
        } else if (strcmp(name, "q") == 0) {
            out[f] = cimag(node_injection(s, node, f));
        } else {
            return false;
        }
    }
    return true;
}

/* Power and current into an end of a branch; nothing where the end is open. */
static cplx end_power(const struct state *s, struct pofi_pgm_place at, int end, int f)
{
    uint32_t k = s->map->at[at.type][at.row];
    const double *row = row_of(s, at);
    if (at.type == PGM_TRAFO3) {
        return row[TRAFO3_status_1 + end] == 1
                   ? s->into[0][(k + (uint32_t)end) * (uint32_t)s->phases + (uint32_t)f]
                   : 0;
    }
    return row[PGM_FROM_STATUS + end] == 1 ? s->into[end][k * (uint32_t)s->phases + (uint32_t)f] : 0;
}

static uint32_t end_node(const struct state *s, struct pofi_pgm_place at, int end)
{
    return node_of(s, row_of(s, at)[(at.type == PGM_TRAFO3 ? TRAFO3_node_1 : PGM_FROM) + end]);
}

static double loading(const struct state *s, struct pofi_pgm_place at)
{
    const double *row = row_of(s, at);
    double most_i = 0, most_s = 0;
    for (int e = 0; e < 2; e++) {
        double sum = 0;
        for (int f = 0; f < s->phases; f++) {
            cplx power = end_power(s, at, e, f);
            most_i = fmax(most_i, cabs(amperes(s, end_node(s, at, e), f, power)));
            sum += cabs(power);
        }
        most_s = fmax(most_s, sum);
    }
    switch (at.type) {
    case PGM_LINE:
        return most_i / row[LINE_i_n];
    case PGM_ASYM_LINE:
        return most_i / row[ASYM_LINE_i_n];
    case PGM_TRAFO:
        return most_s / row[TRAFO_sn];
    case PGM_GENERIC:
        return row[GENERIC_sn] > 0 ? most_s / row[GENERIC_sn] : 0;
    default:
        return 0;
    }
}

static bool branch_attribute(const struct state *s, struct pofi_pgm_place at, const char *name, double *out)
{
    if (strcmp(name, "loading") == 0) {
        out[0] = loading(s, at);
        return true;
    }
    bool to = strlen(name) > 2 && strcmp(name + 1, "_to") == 0;
    int end = to ? 1 : 0;
    if (at.type == PGM_TRAFO3) {
        end = strlen(name) == 3 && name[2] >= '1' && name[2] <= '3' ? name[2] - '1' : -1;
    } else if (!to && (strlen(name) != 6 || strcmp(name + 1, "_from") != 0)) {
        end = -1;
    }
    if (end < 0 || !strchr("pqsi", name[0])) {
        return false;
    }
    for (int f = 0; f < s->phases; f++) {
        cplx power = end_power(s, at, end, f);
        out[f] = name[0] == 'p'   ? creal(power)
                 : name[0] == 'q' ? cimag(power)
                 : name[0] == 's' ? cabs(power)
                                  : cabs(amperes(s, end_node(s, at, end), f, power));
    }
    return true;
}

static bool appliance_attribute(const struct state *s, struct pofi_pgm_place at, const char *name,
                                double *out)
{
    uint32_t node = node_of(s, row_of(s, at)[PGM_AT]);
    for (int f = 0; f < s->phases; f++) {
        cplx power = injects(s, at, f);
        power = is_load(at.type) ? -power : power;
        if (strcmp(name, "p") == 0) {
            out[f] = creal(power);
        } else if (strcmp(name, "q") == 0) {
            out[f] = cimag(power);
        } else if (strcmp(name, "s") == 0) {
            out[f] = cabs(power);
        } else if (strcmp(name, "i") == 0) {
            out[f] = cabs(amperes(s, node, f, power));
        } else if (strcmp(name, "pf") == 0) {
            out[f] = cabs(power) > 0 ? creal(power) / cabs(power) : 0;
        } else {
            return false;
        }
    }
    return true;
}

static bool voltage_residual(const struct state *s, struct pofi_pgm_place at, const char *name, double *out)
{
    const double *row = row_of(s, at);
    bool asym = at.type == PGM_ASYM_V;
    uint32_t node = node_of(s, row[SYM_V_measured_object]);
    const double *u = row + SYM_V_u_measured, *angle = u + (asym ? 3 : 1);
    for (int f = 0; f < s->phases; f++) {
        double got = volts(s, node, f), phase = carg(s->v[node * (uint32_t)s->phases + (uint32_t)f]);
        double mean = asym ? (u[0] + u[1] + u[2]) / 3 : u[0];
        double read = s->phases == 1 ? (asym ? mean * sqrt(3) : u[0]) : asym ? u[f] : u[0] / sqrt(3);
        double turn = s->phases == 3 && !asym ? -2 * acos(-1) / 3 * f : 0;
        if (strcmp(name, "u_residual") == 0) {
            out[f] = read - got;
        } else if (strcmp(name, "u_angle_residual") == 0) {
            out[f] = remainder(angle[asym && s->phases == 3 ? f : 0] + turn - phase, 2 * acos(-1));
        } else {
            return false;
        }
    }
    return true;
}

/* The state at what a sensor measures, in the direction the sensor reads. */
static cplx at_terminal(const struct state *s, const double *row, int f)
{
    int terminal = (int)row[SYM_P_measured_terminal_type];
    struct pofi_pgm_place what = pofi_pgm_find(s->p, row[SYM_P_measured_object]);
    if (terminal == PGM_AT_NODE) {
        return node_injection(s, node_of(s, row[SYM_P_measured_object]), f);
    }
    if (terminal >= PGM_AT_SOURCE && terminal <= PGM_AT_GENERATOR) {
        cplx power = injects(s, what, f);
        return is_load(what.type) ? -power : power;
    }
    return end_power(s, what, terminal >= PGM_AT_SIDE_1 ? terminal - PGM_AT_SIDE_1 : terminal, f);
}

static bool power_residual(const struct state *s, struct pofi_pgm_place at, const char *name, double *out)
{
    for (int f = 0; f < s->phases; f++) {
        cplx read;
        double var[2];
        (void)reads(s, at, f, &read, var);
        cplx off = read - at_terminal(s, row_of(s, at), f);
        if (strcmp(name, "p_residual") != 0 && strcmp(name, "q_residual") != 0) {
            return false;
        }
        out[f] = name[0] == 'p' ? creal(off) : cimag(off);
    }
    return true;
}

static bool current_residual(const struct state *s, struct pofi_pgm_place at, const char *name, double *out)
{
    const double *row = row_of(s, at);
    bool asym = at.type == PGM_ASYM_I;
    const double *i = row + SYM_I_i_measured, *angle = i + (asym ? 3 : 1);
    int terminal = (int)row[SYM_I_measured_terminal_type];
    struct pofi_pgm_place what = pofi_pgm_find(s->p, row[SYM_I_measured_object]);
    uint32_t node = end_node(s, what, terminal >= PGM_AT_SIDE_1 ? terminal - PGM_AT_SIDE_1 : terminal);
    for (int f = 0; f < s->phases; f++) {
        cplx flows = amperes(s, node, f, at_terminal(s, row, f));
        double to_v = carg(s->v[node * (uint32_t)s->phases + (uint32_t)f]) - carg(flows);
        bool global = row[SYM_I_angle_measurement_type] == 1;
        int k = asym && s->phases == 3 ? f : 0;
        double turn = global && s->phases == 3 && !asym ? -2 * acos(-1) / 3 * f : 0;
        if (strcmp(name, "i_residual") == 0) {
            out[f] = (asym && s->phases == 1 ? (i[0] + i[1] + i[2]) / 3 : i[k]) - cabs(flows);
        } else if (strcmp(name, "i_angle_residual") == 0) {
            out[f] = remainder(angle[k] + turn - (global ? carg(flows) : to_v), 2 * acos(-1));
        } else {
            return false;
        }
    }
    return true;
}

/* Whether a component takes part: what it is connected to has a voltage. */
static double energized(const struct state *s, struct pofi_pgm_place at)
{
    const double *row = row_of(s, at);
    if (at.type == PGM_NODE) {
        return energized_node(s, s->map->at[PGM_NODE][at.row]);
    }
    if (at.type >= PGM_LINE && at.type <= PGM_TRAFO) {
        return (row[PGM_FROM_STATUS] == 1 && energized_node(s, end_node(s, at, 0))) ||
               (row[PGM_TO_STATUS] == 1 && energized_node(s, end_node(s, at, 1)));
    }
    if (at.type == PGM_TRAFO3) {
        bool any = false;
        for (int e = 0; e < 3; e++) {
            any = any || (row[TRAFO3_status_1 + e] == 1 && energized_node(s, end_node(s, at, e)));
        }
        return any;
    }
    if (at.type >= PGM_SHUNT && at.type <= PGM_ASYM_GEN) {
        return row[PGM_STATUS] == 1 && energized_node(s, node_of(s, row[PGM_AT]));
    }
    /* Regulators and sensors: as what they are at. */
    struct pofi_pgm_place what = pofi_pgm_find(s->p, row[1]);
    if (what.type == PGM_TYPES) {
        return 0;
    }
    bool regulates = at.type == PGM_REGULATOR || at.type == PGM_TAP_REGULATOR;
    return (!regulates || row[REGULATOR_status] == 1) && energized(s, what) > 0;
}

static bool regulator_attribute(const struct state *s, struct pofi_pgm_place at, const char *name, double *out)
{
    const double *row = row_of(s, at);
    struct pofi_pgm_place what = pofi_pgm_find(s->p, row[REGULATOR_regulated_object]);
    if (at.type == PGM_TAP_REGULATOR && strcmp(name, "tap_pos") == 0) {
        uint32_t k = s->map->at[what.type][what.row];
        k += what.type == PGM_TRAFO3 ? (uint32_t)row_of(s, what)[TRAFO3_tap_side] : 0;
        const struct pof_tap *tap = s->grid->branch[k].tap;
        out[0] = s->tap ? (double)s->tap[k] : tap ? (double)tap->pos : NAN;
        return true;
    }
    if (at.type == PGM_REGULATOR && strcmp(name, "limit_violated") == 0) {
        uint32_t node = s->map->at[what.type][what.row];
        out[0] = node != POF_NONE ? s->limited[node] : 0;
        return true;
    }
    return false;
}

/* The value of an attribute of a component, phases many (1 of those that have no phases, *width told);
 * false: this attribute is not known. */
static bool attribute_of(const struct state *s, struct pofi_pgm_place at, const char *name, double *out,
                         int *width)
{
    *width = 1;
    if (strcmp(name, "energized") == 0) {
        out[0] = energized(s, at);
        return true;
    }
    if (at.type == PGM_REGULATOR || at.type == PGM_TAP_REGULATOR) {
        return regulator_attribute(s, at, name, out);
    }
    *width = strcmp(name, "loading") == 0 ? 1 : s->phases;
    if (at.type == PGM_NODE) {
        return node_attribute(s, at, name, out);
    }
    if (at.type <= PGM_TRAFO3) {
        return branch_attribute(s, at, name, out);
    }
    if (at.type <= PGM_ASYM_GEN) {
        return appliance_attribute(s, at, name, out);
    }
    return at.type <= PGM_ASYM_V   ? voltage_residual(s, at, name, out)
           : at.type <= PGM_ASYM_P ? power_residual(s, at, name, out)
           : at.type <= PGM_ASYM_I ? current_residual(s, at, name, out)
                                   : false;
}

#endif
