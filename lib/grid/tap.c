/* SPDX-License-Identifier: Apache-2.0 */
/* What a transformer is at another position of its tap. */
#include "grid/tap.h"

#include "grid/build.h"

#include <math.h>
#include <stdlib.h>

/* Linear between the neutral position and the end that pos is towards. */
static double between(const struct pof_tap *t, int32_t pos, double neutral, const double end[2])
{
    bool towards_max = t->max > t->neutral ? pos > t->neutral : pos < t->neutral;
    int32_t last = towards_max ? t->max : t->min;
    return pos == t->neutral || last == t->neutral
               ? neutral
               : neutral + (end[towards_max] - neutral) * (pos - t->neutral) / (last - t->neutral);
}

/* The value at the neutral position that gives `now` at the present one; at an end, `now`. */
static double neutral_of(const struct pof_tap *t, double now, const double end[2])
{
    double share = between(t, t->pos, 0, (const double[]){1, 1});
    double of_end = between(t, t->pos, 0, end);
    return share < 1 ? (now - of_end) / (1 - share) : now;
}

/* Rated voltage of the tapped winding against that of the neutral position. */
static double winding(const struct pof_tap *t, int32_t pos)
{
    return 1 + (pos - t->neutral) * t->step_pct / 100;
}

/* r and x with short-circuit data of the new position; sn, v: rated values of the to side there. */
static int interpolate(const struct pof_grid *grid, const struct pof_branch *b, int32_t pos,
                       struct pof_branch *out, struct pof_err *err)
{
    const struct pof_tap *t = b->tap;
    const struct pof_asset *a = b->asset && b->asset->form == POF_FORM_PLATE ? b->asset : NULL;
    double base_v = grid->node[b->to].base_v, sn = a ? a->sn_va : b->rating_va;
    double v = a && a->v_to > 0 ? a->v_to : base_v;
    if (!(sn > 0)) {
        return pof_fail(err, POF_E_PHYSICS,
                        "transformer '%s' has short-circuit data at its end positions but no rated "
                        "power",
                        b->name.ptr);
    }
    double vn = t->on_to ? v * winding(t, t->pos) : v;
    /* p.u. of one percent of uk, and of one W of pk, at the present position. */
    double of_uk = vn * vn / sn / 100 * grid->base_va / (base_v * base_v), of_pk = of_uk * 100 / sn;
    const double uk_end[] = {t->uk_min_pct, t->uk_max_pct}, pk_end[] = {t->pk_min_w, t->pk_max_w};
    double uk = a ? a->uk_pct : neutral_of(t, hypot(b->r, b->x) / of_uk, uk_end);
    double pk = a ? a->pk_w : neutral_of(t, b->r / of_pk, pk_end);
    double z = between(t, pos, uk, uk_end) * of_uk, r = between(t, pos, pk, pk_end) * of_pk;
    if (r > z * (1 + 1e-9)) {
        return pof_fail(err, POF_E_PHYSICS,
                        "transformer '%s' at position %d: pk is more than uk allows", b->name.ptr, pos);
    }
    out->r = r;
    out->x = copysign(sqrt(fmax(0, z * z - r * r)), b->x);
    return 0;
}

int pof_tap_at(const struct pof_grid *grid, const struct pof_branch *b, int32_t pos,
               struct pof_branch *out, struct pof_branch_phases *phases, struct pof_tap *tap,
               struct pof_err *err)
{
    const struct pof_tap *t = b->tap;
    *out = *b;
    if (!t || pos < (t->min < t->max ? t->min : t->max) || pos > (t->min < t->max ? t->max : t->min)) {
        return pof_fail(err, POF_E_RANGE, "branch '%s' has no tap position %d", b->name.ptr, pos);
    }
    double now = winding(t, t->pos), then = winding(t, pos);
    if (!(now > 0 && then > 0)) {
        return pof_fail(err, POF_E_PHYSICS,
                        "transformer '%s' at position %d: the tap leaves no rated voltage",
                        b->name.ptr, pos);
    }
    double turn = pof_rad_of_deg((pos - t->pos) * t->step_deg), k = pos == t->pos ? 1 : then / now;
    int rc = t->has_uk_ends && pos != t->pos ? interpolate(grid, b, pos, out, err) : 0;
    double kk = t->on_to ? k * k : 1, of_z = hypot(out->r, out->x) / hypot(b->r, b->x) * kk;
    out->ratio = t->on_to ? b->ratio / k : b->ratio * k;
    out->shift = b->shift + (t->on_to ? -turn : turn);
    out->r *= kk;
    out->x *= kk;
    out->g = b->g / kk;
    out->b = b->b / kk;
    *tap = *t;
    tap->pos = pos;
    out->tap = tap;
    if (b->phases) {
        *phases = *b->phases;
        phases->r0 *= of_z;
        phases->x0 *= of_z;
        phases->g0 /= kk;
        phases->b0 /= kk;
        out->phases = phases;
    }
    return rc;
}

int pof_tap_set(struct pof_grid *grid, uint32_t branch, int32_t pos, struct pof_err *err)
{
    struct pof_branch *b = &grid->branch[branch], out;
    struct pof_tap *tap = pof_arena_alloc(&grid->arena, sizeof *tap, err);
    struct pof_branch_phases *phases =
        tap && b->phases ? pof_arena_alloc(&grid->arena, sizeof *phases, err) : NULL;
    if (!tap || (b->phases && !phases)) {
        return POF_E_NOMEM;
    }
    int rc = pof_tap_at(grid, b, pos, &out, phases, tap, err);
    if (rc == 0) {
        *b = out;
    }
    return rc;
}
