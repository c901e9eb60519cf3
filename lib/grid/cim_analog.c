/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements (Analog with AnalogValue, IEC 61970-301 package Meas) as readings.
 *
 * A power or current at a terminal of a branch is that of the branch's end; at the only consumer of a
 * node it is the node's. Accuracy is a share of the sensor's range that errors do not exceed
 * (MeasurementValue.sensorAccuracy), taken as three standard deviations; where it is not given, a
 * voltage has 0.5 % of nominal, the rest 2 % of its value and 0.1 % of the base power (or current). */
#include "grid/cim.h"

#include <math.h>
#include <string.h>

#define SQRT3 1.7320508075688772

static double multiplier(struct pofi_cim *c, uint32_t analog)
{
    static const struct {
        const char *word;
        double factor;
    } words[] = {{"none", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"m", 1e-3}};
    struct pof_text t = pofi_cim_text(c, analog, CIM_Measurement_unitMultiplier);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (pof_text_is(t, words[i].word)) {
            return words[i].factor;
        }
    }
    return t.len == 0 ? 1 : NAN;
}

/* By unit, and for the words that say what is measured: a unit that contradicts them is refused. */
static bool quantity_of(struct pofi_cim *c, uint32_t analog, uint8_t *quantity)
{
    static const struct {
        const char *unit, *type;
        uint8_t quantity;
    } known[] = {{"V", "LineToLineVoltage", POF_QUANTITY_V},    {"V", "Voltage", POF_QUANTITY_V},
                 {"W", "ThreePhaseActivePower", POF_QUANTITY_P}, {"VAr", "ThreePhaseReactivePower", POF_QUANTITY_Q},
                 {"A", "LineCurrent", POF_QUANTITY_I},          {"A", "Current", POF_QUANTITY_I},
                 {"deg", "Angle", POF_QUANTITY_ANGLE},          {"deg", "PhaseVoltageAngle", POF_QUANTITY_ANGLE}};
    struct pof_text type = pofi_cim_text(c, analog, CIM_Measurement_measurementType);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!pof_text_is(type, known[i].type)) {
            continue;
        }
        bool unit = pofi_cim_word(c, analog, CIM_Measurement_unitSymbol, known[i].unit);
        c->other_units += !unit;
        *quantity = known[i].quantity;
        return unit;
    }
    c->other_units++;
    return false;
}

/* Whether a node has one consumer or source only. */
static bool alone(struct pofi_cim *c, uint32_t terminal)
{
    enum pofi_cim_prop prop = c->by_topology ? CIM_Terminal_TopologicalNode : CIM_Terminal_ConnectivityNode;
    uint32_t node = pofi_cim_ref_opt(c, terminal, prop);
    size_t n, count = 0;
    const struct pofi_cim_back *b = node == POF_NONE ? NULL : pofi_cim_back(c, node, prop, &n);
    for (size_t i = 0; b && i < n; i++) {
        uint32_t part = pofi_cim_ref_opt(c, b[i].source, CIM_Terminal_ConductingEquipment);
        enum pofi_cim_role role = part == POF_NONE ? CIM_ROLE_NONE : pofi_cim_role(c->object[part].class);
        count += role == CIM_ROLE_LOAD || role == CIM_ROLE_MACHINE;
    }
    return count == 1;
}

static bool place_of(struct pofi_cim *c, uint32_t analog, struct pof_observation *o)
{
    uint32_t t = pofi_cim_ref_opt(c, analog, CIM_Measurement_Terminal);
    if (t == POF_NONE) {
        uint32_t part = pofi_cim_ref_opt(c, analog, CIM_Measurement_PowerSystemResource);
        t = part == POF_NONE ? POF_NONE : pofi_cim_one(c, part, CIM_Terminal_ConductingEquipment);
    }
    uint32_t node = t == POF_NONE ? POF_NONE : pofi_cim_node_of(c, t);
    if (node == POF_NONE) {
        return false;
    }
    if (o->quantity == POF_QUANTITY_V || o->quantity == POF_QUANTITY_ANGLE) {
        o->element = node;
        return true;
    }
    o->branch = c->branch_of[t] != POF_NONE;
    o->to = o->branch && c->branch_of[t] % 2 == 1;
    o->element = o->branch ? c->branch_of[t] / 2 : node;
    return o->branch || (o->quantity != POF_QUANTITY_I && alone(c, t));
}

static double sigma_of(struct pofi_cim *c, uint32_t analog, uint32_t value, double factor,
                       const struct pof_observation *o)
{
    const struct pof_grid *g = c->build.grid;
    double share = pofi_cim_real(c, value, CIM_MeasurementValue_sensorAccuracy, 0);
    double most = pofi_cim_real(c, analog, CIM_Analog_maxValue, 0) * factor;
    uint32_t node = !o->branch ? o->element : o->to ? g->branch[o->element].to : g->branch[o->element].from;
    if (share > 0 && most > 0) {
        return share / 100 * most / 3;
    }
    c->no_sigma++;
    switch (o->quantity) {
    case POF_QUANTITY_V:
        return 0.005 * g->node[node].base_v;
    case POF_QUANTITY_ANGLE:
        return 0.1;
    case POF_QUANTITY_I:
        return 0.02 * fabs(o->value) + 0.001 * g->base_va / (SQRT3 * g->node[node].base_v);
    default:
        return 0.02 * fabs(o->value) + 0.001 * g->base_va;
    }
}

static void take(struct pofi_cim *c, uint32_t analog)
{
    struct pof_observation o = {0};
    uint32_t value = pofi_cim_one(c, analog, CIM_AnalogValue_Analog);
    if (value == POF_NONE || !pofi_cim_has(c, value, CIM_AnalogValue_value)) {
        c->no_value++;
        return;
    }
    double factor = multiplier(c, analog);
    struct pof_text phases = pofi_cim_text(c, analog, CIM_Measurement_phases);
    bool whole = phases.len == 0 || pof_text_is(phases, "ABC");
    if (!quantity_of(c, analog, &o.quantity)) {
        return;
    }
    if (!isfinite(factor) || !whole || !place_of(c, analog, &o)) {
        c->other_places++;
        return;
    }
    bool in = pofi_cim_flag(c, analog, CIM_Analog_positiveFlowIn, true);
    bool power = o.quantity == POF_QUANTITY_P || o.quantity == POF_QUANTITY_Q;
    o.value = pofi_cim_real(c, value, CIM_AnalogValue_value, 0) * factor * (power && !in ? -1 : 1);
    o.sigma = sigma_of(c, analog, value, factor, &o);
    if (c->wish && c->wish->readings && c->rc == 0) {
        c->rc = pof_readings_add(c->wish->readings, &o, c->err);
    }
}

int pofi_cim_analogs(struct pofi_cim *c)
{
    for (size_t i = 0; i < c->ids.n && c->rc == 0; i++) {
        uint32_t o = c->order[i];
        if (c->object[o].defined && c->object[o].class == CIM_Analog) {
            take(c, o);
        }
        c->discrete += c->object[o].defined && c->object[o].class == CIM_Discrete;
    }
    return c->rc;
}
