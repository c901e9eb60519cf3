/* SPDX-License-Identifier: Apache-2.0 */
/* Machines and other sources, whether they hold a voltage, and which of them feeds an island. */
#include "grid/cim.h"

#include <math.h>
#include <stdlib.h>

#define KILO 1e3
#define MEGA 1e6

double pofi_cim_target(struct pofi_cim *c, uint32_t control, enum pofi_cim_prop prop, double base_v)
{
    double v = pofi_cim_real(c, control, prop, 0);
    enum pofi_cim_prop unit = CIM_RegulatingControl_targetValueUnitMultiplier;
    double factor = pofi_cim_word(c, control, unit, "none") ? 1 : pofi_cim_word(c, control, unit, "M") ? MEGA : KILO;
    double pu = base_v > 0 ? v * factor / base_v : 1, as_kv = base_v > 0 ? v * KILO / base_v : 1;
    if (v > 0 && !(pu > 0.5 && pu < 1.5) && as_kv > 0.5 && as_kv < 1.5) {
        c->odd_target++; /* volts are meant as the kilovolts they can only be */
        factor = KILO;
    }
    return v * factor;
}

/* Limits of reactive power at p (generated, MW): interpolated, held beyond the ends. */
static void curve_limits(struct pofi_cim *c, uint32_t curve, double p, double *low, double *high)
{
    size_t n;
    const struct pofi_cim_back *b = pofi_cim_back(c, curve, CIM_CurveData_Curve, &n);
    double x[2] = {-INFINITY, INFINITY}, y[2][2] = {{0, 0}, {0, 0}};
    for (size_t i = 0; i < n; i++) {
        double at = pofi_cim_real(c, b[i].source, CIM_CurveData_xvalue, NAN);
        for (int side = 0; side < 2; side++) {
            if (side == 0 ? at <= p && at >= x[0] : at >= p && at <= x[1]) {
                x[side] = at;
                y[side][0] = pofi_cim_real(c, b[i].source, CIM_CurveData_y1value, 0);
                y[side][1] = pofi_cim_real(c, b[i].source, CIM_CurveData_y2value, 0);
            }
        }
    }
    if (n == 0) {
        return;
    }
    double share = isinf(x[0]) ? 1 : isinf(x[1]) || x[1] == x[0] ? 0 : (p - x[0]) / (x[1] - x[0]);
    *low = y[0][0] + share * (y[1][0] - y[0][0]);
    *high = y[0][1] + share * (y[1][1] - y[0][1]);
}

/* What each class calls its powers, limits and priority; CIM_PROPS: nothing. */
struct names {
    enum pofi_cim_prop p, q, q_min, q_max, priority;
};

static struct names names_of(uint32_t class)
{
    switch (class) {
    case CIM_SynchronousMachine:
        return (struct names){CIM_RotatingMachine_p, CIM_RotatingMachine_q, CIM_SynchronousMachine_minQ,
                              CIM_SynchronousMachine_maxQ, CIM_SynchronousMachine_referencePriority};
    case CIM_AsynchronousMachine:
        return (struct names){CIM_RotatingMachine_p, CIM_RotatingMachine_q, CIM_PROPS, CIM_PROPS, CIM_PROPS};
    case CIM_PowerElectronicsConnection:
        return (struct names){CIM_PowerElectronicsConnection_p, CIM_PowerElectronicsConnection_q,
                              CIM_PowerElectronicsConnection_minQ, CIM_PowerElectronicsConnection_maxQ,
                              CIM_PROPS};
    case CIM_ExternalNetworkInjection:
        return (struct names){CIM_ExternalNetworkInjection_p, CIM_ExternalNetworkInjection_q,
                              CIM_ExternalNetworkInjection_minQ, CIM_ExternalNetworkInjection_maxQ,
                              CIM_ExternalNetworkInjection_referencePriority};
    case CIM_EquivalentInjection:
        return (struct names){CIM_EquivalentInjection_p, CIM_EquivalentInjection_q, CIM_EquivalentInjection_minQ,
                              CIM_EquivalentInjection_maxQ, CIM_PROPS};
    case CIM_EnergySource:
        return (struct names){CIM_EnergySource_activePower, CIM_EnergySource_reactivePower, CIM_PROPS, CIM_PROPS,
                              CIM_PROPS};
    default:
        return (struct names){CIM_PROPS, CIM_StaticVarCompensator_q, CIM_PROPS, CIM_PROPS, CIM_PROPS};
    }
}

static void powers(struct pofi_cim *c, const struct names *n, uint32_t terminal, struct pofi_cim_machine *m)
{
    bool given = pofi_cim_has(c, m->object, n->p) || pofi_cim_has(c, m->object, n->q);
    m->p_w = pofi_cim_real(c, m->object, n->p, 0) * MEGA;
    m->q_var = pofi_cim_real(c, m->object, n->q, 0) * MEGA;
    /* What a compensator makes of its slope is known from the state only. */
    bool state = !given || c->object[m->object].class == CIM_StaticVarCompensator;
    if (state && pofi_cim_stored_power(c, terminal, &m->p_w, &m->q_var)) {
        c->from_state += !given;
    } else {
        c->no_power += !given;
    }
}

/* The voltage that a machine holds, and where. */
static void take_control(struct pofi_cim *c, struct pofi_cim_machine *m)
{
    double base = c->build.grid->node[m->node].base_v;
    uint32_t control = pofi_cim_ref(c, m->object, CIM_RegulatingCondEq_RegulatingControl);
    if (pofi_cim_flag(c, m->object, CIM_EquivalentInjection_regulationStatus, false)) {
        m->v_set = pofi_cim_real(c, m->object, CIM_EquivalentInjection_regulationTarget, 0) * KILO;
        m->holds = m->node;
        return;
    }
    if (control == POF_NONE || !pofi_cim_flag(c, m->object, CIM_RegulatingCondEq_controlEnabled, false) ||
        !pofi_cim_flag(c, control, CIM_RegulatingControl_enabled, false)) {
        return;
    }
    if (!pofi_cim_word(c, control, CIM_RegulatingControl_mode, "voltage")) {
        c->other_modes++;
        return;
    }
    uint32_t terminal = pofi_cim_ref(c, control, CIM_RegulatingControl_Terminal);
    m->holds = terminal == POF_NONE ? m->node : pofi_cim_node_of(c, terminal);
    base = m->holds == POF_NONE ? base : c->build.grid->node[m->holds].base_v;
    m->v_set = pofi_cim_target(c, control, CIM_RegulatingControl_targetValue, base);
    if (c->object[m->object].class == CIM_StaticVarCompensator &&
        pofi_cim_real(c, m->object, CIM_StaticVarCompensator_slope, 0) != 0) {
        c->slopes++; /* its voltage depends on its current, so it is not held */
        m->v_set = 0;
    }
}

static void limits(struct pofi_cim *c, const struct names *n, struct pofi_cim_machine *m)
{
    double low = pofi_cim_real(c, m->object, n->q_min, 0), high = pofi_cim_real(c, m->object, n->q_max, 0);
    uint32_t curve = pofi_cim_ref(c, m->object, CIM_SynchronousMachine_InitialReactiveCapabilityCurve);
    if (curve != POF_NONE) {
        curve_limits(c, curve, -m->p_w / MEGA, &low, &high);
    }
    m->q_min = low * MEGA;
    m->q_max = high * MEGA;
}

int pofi_cim_machine(struct pofi_cim *c, uint32_t o, const struct pofi_cim_terminal *t)
{
    struct names n = names_of(c->object[o].class);
    struct pofi_cim_machine m = {.object = o, .node = t->node, .holds = POF_NONE};
    powers(c, &n, t->object, &m);
    take_control(c, &m);
    limits(c, &n, &m);
    m.priority = pofi_cim_real(c, o, n.priority, 0);
    uint32_t unit = pofi_cim_ref(c, o, CIM_RotatingMachine_GeneratingUnit);
    m.share = unit == POF_NONE ? 0 : fmax(0, pofi_cim_real(c, unit, CIM_GeneratingUnit_normalPF, 0));
    switch (c->object[o].class) {
    case CIM_EnergySource:
        m.v_set = pofi_cim_real(c, o, CIM_EnergySource_voltageMagnitude, 0) * KILO;
        m.angle = pofi_cim_real(c, o, CIM_EnergySource_voltageAngle, 0);
        m.holds = m.v_set > 0 ? m.node : POF_NONE;
        m.strength = m.v_set > 0 ? 3e15 : 0;
        break;
    case CIM_ExternalNetworkInjection:
        m.strength = 2e15;
        break;
    case CIM_SynchronousMachine:
        m.strength = m.v_set > 0 ? 1 + pofi_cim_real(c, o, CIM_RotatingMachine_ratedS, 0) : 0;
        break;
    default:
        break;
    }
    c->fed[t->node] = true;
    c->rc = c->rc ? c->rc : pof_grow(&c->machine, &c->machine_cap, c->machines + 1, sizeof m, c->err);
    if (c->rc == 0) {
        c->machine[c->machines++] = m;
    }
    return c->rc;
}
