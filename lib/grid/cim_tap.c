/* SPDX-License-Identifier: Apache-2.0 */
/* Tap changers (IEC 61970-301, and ENTSO-E, "Phase Shift Transformers Modelling", 2014, for how the
 * reactance of a phase shifter follows its angle). */
#include "grid/cim.h"

#include <math.h>

struct tap {
    uint32_t object;
    double at, low, high, neutral;
};

static struct tap read_tap(struct pofi_cim *c, uint32_t o)
{
    struct tap t = {.object = o};
    uint32_t state = pofi_cim_one(c, o, CIM_SvTapStep_TapChanger);
    t.neutral = pofi_cim_real(c, o, CIM_TapChanger_neutralStep, 0);
    t.low = pofi_cim_real(c, o, CIM_TapChanger_lowStep, t.neutral);
    t.high = pofi_cim_real(c, o, CIM_TapChanger_highStep, t.neutral);
    t.at = pofi_cim_real(c, o, CIM_TapChanger_normalStep, t.neutral);
    t.at = pofi_cim_real(c, o, CIM_TapChanger_step, t.at);
    if (state != POF_NONE) {
        t.at = pofi_cim_real(c, state, CIM_SvTapStep_position, t.at);
        t.at = pofi_cim_real(c, state, CIM_SvTapStep_continuousPosition, t.at);
    }
    char label[POFI_CIM_LABEL];
    if (t.low > t.high || t.at < t.low || t.at > t.high) {
        pofi_cim_fail(c, o, CIM_TapChanger_step, POF_E_RANGE, "step %.15g of %s is not in %.15g .. %.15g", t.at,
                      pofi_cim_label(c, o, label), t.low, t.high);
    }
    return t;
}

/* The row of a table for a step; POF_NONE. */
static uint32_t row_of(struct pofi_cim *c, uint32_t table, double step)
{
    static const enum pofi_cim_prop of[] = {CIM_RatioTapChangerTablePoint_RatioTapChangerTable,
                                            CIM_PhaseTapChangerTablePoint_PhaseTapChangerTable};
    for (size_t k = 0; k < 2; k++) {
        size_t n;
        const struct pofi_cim_back *b = pofi_cim_back(c, table, of[k], &n);
        for (size_t i = 0; i < n; i++) {
            if (pofi_cim_real(c, b[i].source, CIM_TapChangerTablePoint_step, NAN) == step) {
                return b[i].source;
            }
        }
    }
    return POF_NONE;
}

/* Deviations are percent, so none at the neutral step; some exports write ohm there, which shows in
 * the row of the neutral step: it has the reactance of the end itself. */
static bool in_ohm(struct pofi_cim *c, uint32_t table, double neutral, uint32_t end)
{
    uint32_t row = row_of(c, table, neutral);
    double x = pofi_cim_real(c, end, CIM_PowerTransformerEnd_x, 0);
    double there = row == POF_NONE ? 0 : pofi_cim_real(c, row, CIM_TapChangerTablePoint_x, 0);
    return x != 0 && fabs(there - x) <= 1e-3 * fabs(x);
}

/* Turns and impedances that a table gives for the present step. */
static void by_table(struct pofi_cim *c, const struct tap *t, uint32_t table, uint32_t end,
                     struct pofi_cim_turns *out)
{
    char label[POFI_CIM_LABEL];
    uint32_t row = row_of(c, table, t->at);
    if (row == POF_NONE) {
        pofi_cim_fail(c, t->object, CIM_TapChanger_step, POF_E_REFERENCE, "%s has no row for step %.15g",
                      pofi_cim_label(c, table, label), t->at);
        return;
    }
    double r = pofi_cim_real(c, row, CIM_TapChangerTablePoint_r, 0);
    double x = pofi_cim_real(c, row, CIM_TapChangerTablePoint_x, 0);
    c->tables++;
    out->ratio *= pofi_cim_real(c, row, CIM_TapChangerTablePoint_ratio, 1);
    out->angle += pof_rad_of_deg(pofi_cim_real(c, row, CIM_PhaseTapChangerTablePoint_angle, 0));
    if (in_ohm(c, table, t->neutral, end)) {
        double r_end = pofi_cim_real(c, end, CIM_PowerTransformerEnd_r, 0);
        c->ohm_tables++;
        out->r_factor *= r_end != 0 ? r / r_end : 1;
        out->x_factor *= x / pofi_cim_real(c, end, CIM_PowerTransformerEnd_x, 0);
        return;
    }
    out->r_factor *= 1 + r / 100;
    out->x_factor *= 1 + x / 100;
    out->g_factor *= 1 + pofi_cim_real(c, row, CIM_TapChangerTablePoint_g, 0) / 100;
    out->b_factor *= 1 + pofi_cim_real(c, row, CIM_TapChangerTablePoint_b, 0) / 100;
}

/* The control of a tap changer, when it holds a voltage. */
static void take_control(struct pofi_cim *c, const struct tap *t, struct pof_tap *tap)
{
    uint32_t control = pofi_cim_ref_opt(c, t->object, CIM_TapChanger_TapChangerControl);
    if (control == POF_NONE || !pofi_cim_flag(c, t->object, CIM_TapChanger_controlEnabled, false) ||
        !pofi_cim_flag(c, control, CIM_RegulatingControl_enabled, false)) {
        return;
    }
    uint32_t terminal = pofi_cim_ref_opt(c, control, CIM_RegulatingControl_Terminal);
    uint32_t node = terminal == POF_NONE ? POF_NONE : pofi_cim_node_of(c, terminal);
    if (node == POF_NONE || !pofi_cim_word(c, control, CIM_RegulatingControl_mode, "voltage")) {
        c->other_modes++;
        return;
    }
    double v = c->build.grid->node[node].base_v;
    double target = pofi_cim_target(c, control, CIM_RegulatingControl_targetValue, v) / v;
    double band = pofi_cim_target(c, control, CIM_RegulatingControl_targetDeadband, 0) / v;
    if (target > 0.5 && target < 1.5 && band >= 0 && band < 0.5) {
        tap->controlled = true;
        tap->node = node;
        tap->v_low_pu = target - band / 2;
        tap->v_high_pu = target + band / 2;
    }
}

/* Keeps what a grid can of it: equal steps at whole numbers. */
static void keep(struct pofi_cim *c, const struct tap *t, double pct, double deg, struct pofi_cim_turns *out)
{
    const double most = 1e6;
    bool whole = t->at == nearbyint(t->at) && t->low == nearbyint(t->low) && t->high == nearbyint(t->high) &&
                 t->neutral == nearbyint(t->neutral) && t->low > -most && t->high < most &&
                 fabs(t->neutral) < most;
    if (!whole || out->has_tap) {
        c->steps++;
        return;
    }
    out->has_tap = true;
    out->tap = (struct pof_tap){.pos = (int32_t)t->at,
                                .min = (int32_t)t->low,
                                .max = (int32_t)t->high,
                                .neutral = (int32_t)t->neutral,
                                .step_pct = pct,
                                .step_deg = deg};
    take_control(c, t, &out->tap);
}

static void ratio_tap(struct pofi_cim *c, uint32_t o, uint32_t end, struct pofi_cim_turns *out)
{
    struct tap t = read_tap(c, o);
    uint32_t table = pofi_cim_ref(c, o, CIM_RatioTapChanger_RatioTapChangerTable);
    if (table != POF_NONE) {
        by_table(c, &t, table, end, out);
        return;
    }
    double step = pofi_cim_real(c, o, CIM_RatioTapChanger_stepVoltageIncrement, 0);
    out->ratio *= 1 + (t.at - t.neutral) * step / 100;
    keep(c, &t, step, 0, out);
}

/* Reactance between that at no shift and that at the largest one. */
static void reactance(struct pofi_cim *c, const struct tap *t, const enum pofi_cim_prop limits[2], double share,
                      struct pofi_cim_turns *out)
{
    double x_min = pofi_cim_real(c, t->object, limits[0], 0);
    double x_max = pofi_cim_real(c, t->object, limits[1], 0);
    if (x_min >= 0 && x_max > 0 && x_max >= x_min && isfinite(share)) {
        out->x_set = x_min + (x_max - x_min) * share;
    }
}

static double square(double x)
{
    return x * x;
}

/* The larger of the two ends of a range, away from neutral. */
static double far_steps(const struct tap *t)
{
    double down = t->low - t->neutral, up = t->high - t->neutral;
    return fabs(down) > fabs(up) ? down : up;
}

static void linear_tap(struct pofi_cim *c, const struct tap *t, struct pofi_cim_turns *out)
{
    static const enum pofi_cim_prop x[] = {CIM_PhaseTapChangerLinear_xMin, CIM_PhaseTapChangerLinear_xMax};
    double step = pofi_cim_real(c, t->object, CIM_PhaseTapChangerLinear_stepPhaseShiftIncrement, 0);
    double alpha = pof_rad_of_deg(step * (t->at - t->neutral));
    double most = pof_rad_of_deg(step * far_steps(t));
    out->angle += alpha;
    reactance(c, t, x, square(sin(alpha / 2) / sin(most / 2)), out);
    keep(c, t, 0, step, out);
}

static const enum pofi_cim_prop non_linear_x[] = {CIM_PhaseTapChangerNonLinear_xMin,
                                                  CIM_PhaseTapChangerNonLinear_xMax};

/* A voltage of n du is added half at each side of the series winding. */
static void symmetrical_tap(struct pofi_cim *c, const struct tap *t, struct pofi_cim_turns *out)
{
    double du = pofi_cim_real(c, t->object, CIM_PhaseTapChangerNonLinear_voltageStepIncrement, 0) / 100;
    double alpha = 2 * atan((t->at - t->neutral) * du / 2), most = 2 * atan(far_steps(t) * du / 2);
    out->angle += alpha;
    reactance(c, t, non_linear_x, square(sin(alpha / 2) / sin(most / 2)), out);
    c->steps++;
}

/* A voltage of n du is added at an angle theta. */
static void asymmetrical_tap(struct pofi_cim *c, const struct tap *t, struct pofi_cim_turns *out)
{
    double du = pofi_cim_real(c, t->object, CIM_PhaseTapChangerNonLinear_voltageStepIncrement, 0) / 100;
    double theta =
        pof_rad_of_deg(pofi_cim_real(c, t->object, CIM_PhaseTapChangerAsymmetrical_windingConnectionAngle, 90));
    double n = (t->at - t->neutral) * du, far = far_steps(t) * du;
    double across = n * sin(theta), along = 1 + n * cos(theta);
    double tan_alpha = across / along, tan_most = far * sin(theta) / (1 + far * cos(theta));
    out->angle += atan2(across, along);
    out->ratio *= hypot(across, along);
    double share = square(tan_alpha / tan_most * (sin(theta) - tan_most * cos(theta)) /
                          (sin(theta) - tan_alpha * cos(theta)));
    reactance(c, t, non_linear_x, share, out);
    c->steps++;
}

static void phase_tap(struct pofi_cim *c, uint32_t o, uint32_t end, struct pofi_cim_turns *out)
{
    struct tap t = read_tap(c, o);
    uint32_t table;
    switch (c->object[o].class) {
    case CIM_PhaseTapChangerLinear:
        linear_tap(c, &t, out);
        break;
    case CIM_PhaseTapChangerSymmetrical:
        symmetrical_tap(c, &t, out);
        break;
    case CIM_PhaseTapChangerAsymmetrical:
        asymmetrical_tap(c, &t, out);
        break;
    default:
        table = pofi_cim_ref(c, o, CIM_PhaseTapChangerTabular_PhaseTapChangerTable);
        if (table != POF_NONE) {
            by_table(c, &t, table, end, out);
        }
    }
}

int pofi_cim_turns(struct pofi_cim *c, uint32_t end, struct pofi_cim_turns *out)
{
    size_t n;
    *out = (struct pofi_cim_turns){.ratio = 1, .r_factor = 1, .x_factor = 1, .g_factor = 1, .b_factor = 1};
    const struct pofi_cim_back *b = pofi_cim_back(c, end, CIM_RatioTapChanger_TransformerEnd, &n);
    for (size_t i = 0; i < n; i++) {
        ratio_tap(c, b[i].source, end, out);
    }
    b = pofi_cim_back(c, end, CIM_PhaseTapChanger_TransformerEnd, &n);
    for (size_t i = 0; i < n; i++) {
        phase_tap(c, b[i].source, end, out);
    }
    char label[POFI_CIM_LABEL];
    if (!(out->ratio > 0.1 && out->ratio < 10)) {
        pofi_cim_fail(c, end, CIM_PROPS, POF_E_PHYSICS, "the tap changers of %s multiply its voltage by %.15g",
                      pofi_cim_label(c, end, label), out->ratio);
    }
    return c->rc;
}
