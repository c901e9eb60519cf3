/* SPDX-License-Identifier: Apache-2.0 */
/* A transformer of three windings as three of two that meet in a star node: its values between two
 * windings become values of each (IEC 60909-0, section 6.3.2), the no-load branch stands at the
 * first. The star node has the voltage of the first winding. */
#include "grid/pgm.h"

#include <math.h>

static double or_else(double v, double other)
{
    return isnan(v) ? other : v;
}

static bool whole(double v, double min, double max)
{
    return v >= min && v <= max && v == nearbyint(v);
}

static int check(struct pofi_pgm_job *j, struct pofi_pgm_place at, const double *row)
{
    for (int c = TRAFO3_u1; c <= TRAFO3_p0; c++) {
        bool positive = c <= TRAFO3_uk_23;
        if (!isfinite(row[c]) || row[c] < 0 || (positive && row[c] == 0)) {
            return pofi_pgm_fail(&at, c, j->err, isnan(row[c]) ? POF_E_MISSING : POF_E_RANGE,
                                 "%.15g: expected a number %s", row[c],
                                 positive ? "above 0" : "of 0 or more");
        }
    }
    for (int i = 0; i < 3; i++) {
        double s = row[TRAFO3_status_1 + i];
        if (!whole(row[TRAFO3_winding_1 + i], 0, 4) || (s != 0 && s != 1)) {
            return pofi_pgm_fail(&at, TRAFO3_winding_1 + i, j->err, POF_E_ENUM,
                                 "windings are 0 (Y), 1 (YN), 2 (D), 3 (Z) or 4 (ZN), states 0 or 1");
        }
    }
    bool good = whole(row[TRAFO3_clock_12], -12, 12) && whole(row[TRAFO3_clock_13], -12, 12) &&
                whole(row[TRAFO3_tap_side], 0, 2) && whole(row[TRAFO3_tap_min], -128, 127) &&
                whole(row[TRAFO3_tap_max], -128, 127) && row[TRAFO3_tap_size] >= 0 &&
                isfinite(row[TRAFO3_tap_size]);
    return good ? 0
                : pofi_pgm_fail(&at, TRAFO3_clock_12, j->err, POF_E_RANGE,
                                "clocks, tap_side, tap_min, tap_max and tap_size are not all given or "
                                "possible");
}

static double position(const double *row)
{
    double min = row[TRAFO3_tap_min], max = row[TRAFO3_tap_max];
    double pos = or_else(row[TRAFO3_tap_pos], or_else(row[TRAFO3_tap_nom], 0));
    return fmax(fmin(pos, fmax(min, max)), fmin(min, max));
}

/* Short-circuit data of a pair at the present tap; c of uk_12 or pk_12 and so on, and where its
 * values at the ends of the taps stand. */
static double at_tap(const double *row, int c, int c_min, int c_max)
{
    double min = row[TRAFO3_tap_min], max = row[TRAFO3_tap_max];
    double neutral = or_else(row[TRAFO3_tap_nom], 0), pos = position(row);
    bool to_max = min < max ? pos > neutral : pos < neutral;
    double end = to_max ? max : min, v_end = or_else(row[to_max ? c_max : c_min], row[c]);
    return end == neutral ? row[c] : row[c] + (pos - neutral) * (v_end - row[c]) / (end - neutral);
}

/* Values of pairs (12, 13, 23), each on the lesser rating of its pair, become values of windings on
 * their own; power is 1 for voltages, 2 for losses. */
static void to_windings(const double pair[3], const double sn[3], int power, double out[3])
{
    double s12 = fmin(sn[0], sn[1]), s13 = fmin(sn[0], sn[2]), s23 = fmin(sn[1], sn[2]);
    double a = pair[0], b = pair[1] * pow(s12 / s13, power), c = pair[2] * pow(s12 / s23, power);
    out[0] = (a + b - c) / 2 * pow(sn[0] / s12, power);
    out[1] = (a + c - b) / 2 * pow(sn[1] / s12, power);
    out[2] = (b + c - a) / 2 * pow(sn[2] / s12, power);
}

static int tap_of(struct pofi_pgm_job *j, const double *row, struct pof_branch *b)
{
    double min = row[TRAFO3_tap_min], max = row[TRAFO3_tap_max];
    int side = (int)row[TRAFO3_tap_side];
    struct pof_tap *tap = min == max ? NULL : pof_arena_alloc(&j->grid->arena, sizeof *tap, j->err);
    if (tap) {
        double sign = max > min ? 1 : -1;
        *tap = (struct pof_tap){.pos = (int32_t)position(row), .min = (int32_t)min, .max = (int32_t)max,
                                .neutral = (int32_t)or_else(row[TRAFO3_tap_nom], 0),
                                .step_pct = sign * row[TRAFO3_tap_size] / row[TRAFO3_u1 + side] * 100};
        b->tap = tap;
    }
    return tap || min == max ? 0 : POF_E_NOMEM;
}

static void windings(const double *row, struct pofi_pgm_trafo t[3])
{
    double uk[3], pk[3], uk_pair[3], pk_pair[3];
    for (int i = 0; i < 3; i++) {
        uk_pair[i] = at_tap(row, TRAFO3_uk_12 + i, TRAFO3_uk_12_min + i, TRAFO3_uk_12_max + i);
        pk_pair[i] = at_tap(row, TRAFO3_pk_12 + i, TRAFO3_pk_12_min + i, TRAFO3_pk_12_max + i);
    }
    to_windings(uk_pair, row + TRAFO3_sn_1, 1, uk);
    to_windings(pk_pair, row + TRAFO3_sn_1, 2, pk);
    double direction = row[TRAFO3_tap_max] > row[TRAFO3_tap_min] ? 1 : -1;
    double steps = (position(row) - or_else(row[TRAFO3_tap_nom], 0)) * row[TRAFO3_tap_size];
    for (int i = 0; i < 3; i++) {
        double u = row[TRAFO3_u1 + i];
        t[i] = (struct pofi_pgm_trafo){
            .u1 = u,
            .u1_tapped = u + (row[TRAFO3_tap_side] == i ? direction * steps : 0),
            .u2 = row[TRAFO3_u1],
            .u2_tapped = row[TRAFO3_u1],
            .sn = row[TRAFO3_sn_1 + i],
            .uk = uk[i],
            .pk = pk[i],
            .i0 = i == 0 ? row[TRAFO3_i0] : 0,
            .p0 = i == 0 ? row[TRAFO3_p0] : 0,
            .i0_zero = i == 0 ? row[TRAFO3_i0] : 0,
            .p0_zero = i == 0 ? row[TRAFO3_p0] : 0,
            .winding_from = (int)row[TRAFO3_winding_1 + i],
            .winding_to = POF_WINDING_YN,
            .clock = i == 0 ? 0 : -(int)row[TRAFO3_clock_12 + i - 1],
            .r_ground_from = or_else(row[TRAFO3_r_grounding_1 + 2 * i], 0),
            .x_ground_from = or_else(row[TRAFO3_x_grounding_1 + 2 * i], 0),
        };
    }
}

static int trafo3(struct pofi_pgm_job *j, struct pofi_pgm_place at)
{
    static const char *const names[] = {"1", "2", "3"};
    const double *row = pofi_pgm_row(j->p, PGM_TRAFO3, at.row);
    struct pofi_pgm_trafo t[3];
    uint32_t node[3] = {0}, star, k = 0;
    int rc = check(j, at, row);
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = pofi_pgm_node_of(j, at, TRAFO3_node_1 + i, &node[i]);
    }
    rc = rc ? rc : pofi_pgm_extra_node(j, j->grid->node[node[0]].base_v, "star", row[0], &star);
    if (rc) {
        return rc;
    }
    windings(row, t);
    for (int i = 0; i < 3 && rc == 0; i++) {
        struct pof_branch_phases f;
        struct pof_branch b = {.from = node[i], .to = star, .rating_va = t[i].sn, .closed = true};
        if (row[TRAFO3_status_1 + i] == 0) {
            rc = pofi_pgm_extra_node(j, j->grid->node[node[i]].base_v, names[i], row[0], &b.from);
        }
        rc = rc ? rc : pofi_pgm_trafo_model(j, &t[i], &b, &f);
        rc = rc || row[TRAFO3_tap_side] != i ? rc : tap_of(j, row, &b);
        rc = rc ? rc : pofi_pgm_add(j, &b, names[i], row[0], &k);
    }
    j->map.at[PGM_TRAFO3][at.row] = k - 2;
    return rc;
}

int pofi_pgm_trafo3(struct pofi_pgm_job *j)
{
    int rc = 0;
    for (uint32_t i = 0; i < j->p->table[PGM_TRAFO3].rows && rc == 0; i++) {
        rc = trafo3(j, (struct pofi_pgm_place){PGM_TRAFO3, i});
    }
    return rc;
}
