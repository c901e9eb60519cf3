/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and shunts: what hangs on a node by one terminal. */
#include "grid/cim.h"

#include <math.h>

#define MEGA 1e6

bool pofi_cim_stored_power(struct pofi_cim *c, uint32_t terminal, double *p_w, double *q_var)
{
    uint32_t flow = pofi_cim_one(c, terminal, CIM_SvPowerFlow_Terminal);
    if (flow != POF_NONE) {
        *p_w = pofi_cim_real(c, flow, CIM_SvPowerFlow_p, 0) * MEGA;
        *q_var = pofi_cim_real(c, flow, CIM_SvPowerFlow_q, 0) * MEGA;
    }
    return flow != POF_NONE;
}

/* --- loads --- */

/* Shares of constant power, current and impedance. */
struct zip {
    double p, i, z;
};

/* v^n as the shares that have its value and its slope at 1 p.u.; exact for n = 0, 1, 2. */
static struct zip of_exponent(struct pofi_cim *c, double n)
{
    c->exponents += n != 0 && n != 1 && n != 2;
    return n <= 1 ? (struct zip){1 - n, n, 0} : (struct zip){0, 2 - n, n - 1};
}

static struct zip of_shares(struct pofi_cim *c, uint32_t o, const enum pofi_cim_prop prop[3])
{
    struct zip s = {pofi_cim_real(c, o, prop[0], 0), pofi_cim_real(c, o, prop[1], 0),
                    pofi_cim_real(c, o, prop[2], 0)};
    double sum = s.p + s.i + s.z;
    char label[POFI_CIM_LABEL];
    if (s.p == 0 && s.i == 0 && s.z == 0) {
        return (struct zip){1, 0, 0};
    }
    if (!(fabs(sum - 1) <= 0.01)) {
        pofi_cim_fail(c, o, prop[0], POF_E_PHYSICS, "shares of constant power, current and impedance of %s sum up to %.15g, not 1",
                      pofi_cim_label(c, o, label), sum);
    }
    return (struct zip){s.p / sum, s.i / sum, s.z / sum};
}

static void response(struct pofi_cim *c, uint32_t load, struct zip *p, struct zip *q)
{
    static const enum pofi_cim_prop of_p[] = {CIM_LoadResponseCharacteristic_pConstantPower,
                                              CIM_LoadResponseCharacteristic_pConstantCurrent,
                                              CIM_LoadResponseCharacteristic_pConstantImpedance};
    static const enum pofi_cim_prop of_q[] = {CIM_LoadResponseCharacteristic_qConstantPower,
                                              CIM_LoadResponseCharacteristic_qConstantCurrent,
                                              CIM_LoadResponseCharacteristic_qConstantImpedance};
    uint32_t o = pofi_cim_ref(c, load, CIM_EnergyConsumer_LoadResponse);
    *p = *q = (struct zip){1, 0, 0};
    if (o == POF_NONE) {
        return;
    }
    if (pofi_cim_flag(c, o, CIM_LoadResponseCharacteristic_exponentModel, false)) {
        *p = of_exponent(c, pofi_cim_real(c, o, CIM_LoadResponseCharacteristic_pVoltageExponent, 0));
        *q = of_exponent(c, pofi_cim_real(c, o, CIM_LoadResponseCharacteristic_qVoltageExponent, 0));
        return;
    }
    *p = of_shares(c, o, of_p);
    *q = of_shares(c, o, of_q);
}

/* What a load would take at 1 p.u. that takes a power at the stored voltage. */
static double at_nominal(struct pofi_cim *c, uint32_t node, const struct zip *share, double power)
{
    double v, angle;
    if (pofi_cim_state(c, node, &v, &angle) <= 0) {
        return power;
    }
    v /= c->build.grid->node[node].base_v;
    return power / (share->p + share->i * v + share->z * v * v);
}

static void take_load(struct pofi_cim *c, uint32_t o, const struct pofi_cim_terminal *t)
{
    static const enum pofi_cim_prop p_of[] = {CIM_EnergyConsumer_p, CIM_EnergyConsumer_pfixed, CIM_PROPS};
    static const enum pofi_cim_prop q_of[] = {CIM_EnergyConsumer_q, CIM_EnergyConsumer_qfixed, CIM_PROPS};
    double p = pofi_cim_real_of(c, o, p_of, NAN) * MEGA, q = pofi_cim_real_of(c, o, q_of, NAN) * MEGA;
    struct zip share_p, share_q;
    bool none = isnan(p) && isnan(q), stored = none && pofi_cim_stored_power(c, t->object, &p, &q);
    c->from_state += stored;
    c->no_power += none && !stored;
    p = isnan(p) ? 0 : p;
    q = isnan(q) ? 0 : q;
    response(c, o, &share_p, &share_q);
    if (stored) {
        p = at_nominal(c, t->node, &share_p, p);
        q = at_nominal(c, t->node, &share_q, q);
    }
    struct pof_node *n = &c->build.grid->node[t->node];
    n->p_w += p * share_p.p;
    n->q_var += q * share_q.p;
    n->ip_w += p * share_p.i;
    n->iq_var += q * share_q.i;
    n->g_w += p * share_p.z;
    n->b_var -= q * share_q.z;
    c->fed[t->node] = true;
}

/* --- shunts --- */

static double sections_of(struct pofi_cim *c, uint32_t o)
{
    uint32_t state = pofi_cim_one(c, o, CIM_SvShuntCompensatorSections_ShuntCompensator);
    double n = pofi_cim_real(c, o, CIM_ShuntCompensator_normalSections, 0);
    n = pofi_cim_real(c, o, CIM_ShuntCompensator_sections, n);
    if (state != POF_NONE) {
        n = pofi_cim_real(c, state, CIM_SvShuntCompensatorSections_sections, n);
        n = pofi_cim_real(c, state, CIM_SvShuntCompensatorSections_continuousSections, n);
    }
    return n;
}

/* Sections that are switched on add up (IEC 61970-301, NonlinearShuntCompensatorPoint). */
static void nonlinear(struct pofi_cim *c, uint32_t o, double *g, double *b)
{
    size_t n;
    const struct pofi_cim_back *p =
        pofi_cim_back(c, o, CIM_NonlinearShuntCompensatorPoint_NonlinearShuntCompensator, &n);
    double on = sections_of(c, o);
    for (size_t i = 0; i < n; i++) {
        if (pofi_cim_real(c, p[i].source, CIM_NonlinearShuntCompensatorPoint_sectionNumber, INFINITY) <= on) {
            *b += pofi_cim_real(c, p[i].source, CIM_NonlinearShuntCompensatorPoint_b, 0);
            *g += pofi_cim_real(c, p[i].source, CIM_NonlinearShuntCompensatorPoint_g, 0);
        }
    }
}

static void take_shunt(struct pofi_cim *c, uint32_t o, const struct pofi_cim_terminal *t)
{
    double g = 0, b = 0;
    if (c->object[o].class == CIM_NonlinearShuntCompensator) {
        nonlinear(c, o, &g, &b);
    } else if (c->object[o].class == CIM_LinearShuntCompensator) {
        double n = sections_of(c, o);
        b = n * pofi_cim_real(c, o, CIM_LinearShuntCompensator_bPerSection, 0);
        g = n * pofi_cim_real(c, o, CIM_LinearShuntCompensator_gPerSection, 0);
    } else {
        b = pofi_cim_real(c, o, CIM_EquivalentShunt_b, 0);
        g = pofi_cim_real(c, o, CIM_EquivalentShunt_g, 0);
    }
    struct pof_node *n = &c->build.grid->node[t->node];
    n->g_w += g * n->base_v * n->base_v;
    n->b_var += b * n->base_v * n->base_v;
}

static void take_one(struct pofi_cim *c, uint32_t o, enum pofi_cim_role role)
{
    struct pofi_cim_terminal t;
    if (pofi_cim_terminals(c, o, &t, 1) <= 0 || !pofi_cim_in_service(c, o)) {
        return;
    }
    if (t.node == POF_NONE) {
        c->out_of_service++;
        return;
    }
    if (role == CIM_ROLE_LOAD) {
        take_load(c, o, &t);
    } else if (role == CIM_ROLE_SHUNT) {
        take_shunt(c, o, &t);
    } else {
        pofi_cim_machine(c, o, &t);
    }
}

int pofi_cim_injections(struct pofi_cim *c)
{
    c->rc = c->rc ? c->rc : pof_calloc(&c->fed, c->build.grid->nodes, sizeof *c->fed, c->err);
    for (size_t i = 0; i < c->ids.n && c->rc == 0; i++) {
        uint32_t o = c->order[i];
        enum pofi_cim_role role = pofi_cim_role(c->object[o].class);
        if (c->object[o].defined && (role == CIM_ROLE_LOAD || role == CIM_ROLE_SHUNT || role == CIM_ROLE_MACHINE)) {
            take_one(c, o, role);
        }
    }
    return c->rc;
}
