/* SPDX-License-Identifier: Apache-2.0 */
/* From what is known of a thing to its model per unit. */
#include "grid/admittance.h"
#include "grid/build.h"

#include <math.h>

#define PI 3.14159265358979323846

/* --- transformers --- */

/* A plate with the tap where it is: voltages of both windings, short-circuit test. */
struct plate {
    double v_from, v_to, uk_pct, pk_w;
};

/* Linear between the neutral position and the end that the tap is towards. */
static double at_tap(const struct pof_tap *t, double neutral, double at_min, double at_max)
{
    bool towards_max = t->max > t->neutral ? t->pos > t->neutral : t->pos < t->neutral;
    int32_t end = towards_max ? t->max : t->min;
    double value = towards_max ? at_max : at_min;
    return end == t->neutral
               ? neutral
               : neutral + (value - neutral) * (t->pos - t->neutral) / (end - t->neutral);
}

static struct plate plate_now(const struct pof_grid *grid, const struct pof_asset *a,
                              const struct pof_branch *b)
{
    struct plate p = {
        .v_from = (a->v_from > 0 ? a->v_from : grid->node[b->from].base_v) * (1 + a->tap_pct / 100),
        .v_to = a->v_to > 0 ? a->v_to : grid->node[b->to].base_v,
        .uk_pct = a->uk_pct,
        .pk_w = a->pk_w,
    };
    const struct pof_tap *t = b->tap;
    if (t) {
        double steps = 1 + (t->pos - t->neutral) * t->step_pct / 100;
        p.v_from *= t->on_to ? 1 : steps;
        p.v_to *= t->on_to ? steps : 1;
    }
    if (t && t->has_uk_ends) {
        p.uk_pct = at_tap(t, a->uk_pct, t->uk_min_pct, t->uk_max_pct);
        p.pk_w = at_tap(t, a->pk_w, t->pk_min_w, t->pk_max_w);
    }
    return p;
}

/* Test values, on the to side, as r + jx and g + jb in p.u. */
static bool tested(const struct plate *p, const struct pof_asset *a, double zbase, double z[4])
{
    double vv = p->v_to * p->v_to;
    double impedance = p->uk_pct / 100 * vv / a->sn_va, r = p->pk_w / a->sn_va * vv / a->sn_va;
    double y = a->i0_pct / 100 * a->sn_va / vv, g = a->p0_w / vv;
    if (r > impedance || g > y * (1 + 1e-12)) {
        return false;
    }
    z[0] = r / zbase;
    z[1] = sqrt(impedance * impedance - r * r) / zbase;
    z[2] = g * zbase;
    z[3] = -sqrt(fmax(0, y * y - g * g)) * zbase;
    return true;
}

static double base_impedance(const struct pof_grid *grid, uint32_t node)
{
    return grid->node[node].base_v * grid->node[node].base_v / grid->base_va;
}

static bool plate_model(const struct pof_grid *grid, const struct pof_asset *a,
                        struct pof_branch *b)
{
    double base_from = grid->node[b->from].base_v, base_to = grid->node[b->to].base_v, z[4];
    struct plate p = plate_now(grid, a, b);
    if (!tested(&p, a, base_impedance(grid, b->to), z)) {
        return false;
    }
    b->r = z[0];
    b->x = z[1];
    b->g = z[2];
    b->b = z[3];
    b->ratio = p.v_from / base_from / (p.v_to / base_to);
    return true;
}

static bool plate_phases(const struct pof_grid *grid, const struct pof_asset *a,
                         const struct pof_branch *b, struct pof_branch_phases *out)
{
    double from = base_impedance(grid, b->from), to = base_impedance(grid, b->to), z[4];
    bool zigzag = out->from == POF_WINDING_ZN || out->to == POF_WINDING_ZN;
    struct plate p = plate_now(grid, a, b);
    struct pof_asset zero = *a;
    double uk0 = a->uk0_pct > 0 ? a->uk0_pct : p.uk_pct * (zigzag ? 0.1 : 1);
    p.pk_w = a->pk0_w > 0 ? a->pk0_w : p.pk_w * (uk0 / p.uk_pct);
    p.uk_pct = uk0;
    zero.i0_pct = a->i0_zero_pct > 0 ? a->i0_zero_pct : a->i0_pct;
    zero.p0_w = a->p0_zero_w > 0 ? a->p0_zero_w : a->p0_w;
    if (!tested(&p, &zero, to, z)) {
        return false;
    }
    out->form = POF_PHASES_WINDINGS;
    out->r0 = z[0];
    out->x0 = z[1];
    out->g0 = z[2];
    out->b0 = z[3];
    out->r_ground_from = a->r_ground_from_ohm / from;
    out->x_ground_from = a->x_ground_from_ohm / from;
    out->r_ground_to = a->r_ground_to_ohm / to;
    out->x_ground_to = a->x_ground_to_ohm / to;
    return true;
}

/* --- lines --- */

static double length(const struct pof_asset *a)
{
    return a->form == POF_FORM_PER_KM ? a->length_km : 1;
}

/* Siemens of uS or nF. */
static double susceptance(const struct pof_grid *grid, double b_us, double c_nf)
{
    return b_us * 1e-6 + 2 * PI * grid->f_hz * c_nf * 1e-9;
}

/* A full matrix of n conductors from a triangle. */
static void unfold(const double *triangle, int n, double factor, double *full)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            full[n * i + j] = full[n * j + i] = *triangle++ * factor;
        }
    }
}

static bool conductor_phases(const struct pof_grid *grid, const struct pof_asset *a,
                             const struct pof_branch *b, struct pof_branch_phases *out)
{
    const struct pof_conductors *c = a->conductors;
    double zbase = base_impedance(grid, b->to), r[16], x[16], capacity[10];
    for (int i = 0; i < 6; i++) {
        capacity[i] = susceptance(grid, c->b_us[i], c->c_nf[i]);
    }
    out->form = POF_PHASES_MATRIX;
    unfold(capacity, 3, length(a) * zbase, out->b);
    unfold(c->r_ohm, c->n, length(a) / zbase, c->n == 3 ? out->r : r);
    unfold(c->x_ohm, c->n, length(a) / zbase, c->n == 3 ? out->x : x);
    return c->n == 3 || pof_kron_reduce(r, x, c->neutral, out);
}

static bool line_phases(const struct pof_grid *grid, const struct pof_asset *a,
                        const struct pof_branch *b, struct pof_branch_phases *out)
{
    double zbase = base_impedance(grid, b->to);
    out->form = POF_PHASES_SEQUENCE;
    out->r0 = a->r0_ohm * length(a) / zbase;
    out->x0 = a->x0_ohm * length(a) / zbase;
    out->b0 = susceptance(grid, a->b0_us, a->c0_nf) * length(a) * zbase;
    return a->r0_ohm != 0 || a->x0_ohm != 0;
}

/* --- both --- */

bool pof_asset_phases(const struct pof_grid *grid, const struct pof_asset *asset,
                      const struct pof_branch *branch, struct pof_branch_phases *out)
{
    if (asset->form == POF_FORM_PLATE) {
        return plate_phases(grid, asset, branch, out);
    }
    *out = (struct pof_branch_phases){0};
    if (asset->form == POF_FORM_PU) {
        return false;
    }
    return asset->conductors ? conductor_phases(grid, asset, branch, out)
                             : line_phases(grid, asset, branch, out);
}

bool pof_asset_model(const struct pof_grid *grid, const struct pof_asset *a, struct pof_branch *b)
{
    if (a->rating_a > 0) {
        b->rating_va = sqrt(3) * grid->node[b->from].base_v * a->rating_a;
    }
    if (a->form == POF_FORM_PU) {
        return true;
    }
    if (a->form == POF_FORM_PLATE) {
        return plate_model(grid, a, b);
    }
    b->ratio = 1;
    if (a->conductors) {
        struct pof_branch_phases p;
        bool fine = pof_asset_phases(grid, a, b, &p);
        pof_phases_balance(&p, b);
        return fine;
    }
    double zbase = base_impedance(grid, b->to);
    b->r = a->r_ohm * length(a) / zbase;
    b->x = a->x_ohm * length(a) / zbase;
    b->g = 0;
    b->b = susceptance(grid, a->b_us, a->c_nf) * length(a) * zbase;
    return true;
}
