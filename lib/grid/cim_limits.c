/* SPDX-License-Identifier: Apache-2.0 */
/* Operational limits: currents, apparent powers and voltages. */
#include "grid/cim.h"

#define SQRT3 1.7320508075688772

enum kind { NO_KIND, PERMANENT, TEMPORARY, LOW, HIGH };

/* ENTSO-E's limitType (CGMES 2.4.15), kind (3.0), direction and duration (the base model). */
static enum kind kind_of(struct pofi_cim *c, uint32_t limit)
{
    static const struct {
        const char *word;
        enum kind kind;
    } words[] = {{"patl", PERMANENT},       {"patlt", TEMPORARY},      {"tatl", TEMPORARY},
                 {"tc", TEMPORARY},         {"tct", TEMPORARY},        {"highVoltage", HIGH},
                 {"lowVoltage", LOW},       {"stability", TEMPORARY},  {"alarmVoltage", NO_KIND},
                 {"warningVoltage", NO_KIND}};
    static const enum pofi_cim_prop where[] = {CIM_OperationalLimitType_kind, CIM_OperationalLimitType_limitType};
    uint32_t type = pofi_cim_ref_opt(c, limit, CIM_OperationalLimit_OperationalLimitType);
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (type != POF_NONE && pofi_cim_word(c, type, where[k], words[i].word)) {
                return words[i].kind;
            }
        }
    }
    if (type == POF_NONE) {
        return NO_KIND;
    }
    if (pofi_cim_word(c, type, CIM_OperationalLimitType_direction, "high")) {
        return HIGH;
    }
    if (pofi_cim_word(c, type, CIM_OperationalLimitType_direction, "low")) {
        return LOW;
    }
    double seconds = pofi_cim_real(c, type, CIM_OperationalLimitType_acceptableDuration, 1e9);
    bool always = pofi_cim_flag(c, type, CIM_OperationalLimitType_isInfiniteDuration, seconds >= 1e8);
    return always ? PERMANENT : TEMPORARY;
}

static double value_of(struct pofi_cim *c, uint32_t limit)
{
    static const enum pofi_cim_prop props[] = {
        CIM_CurrentLimit_value,           CIM_CurrentLimit_normalValue, CIM_ApparentPowerLimit_value,
        CIM_ApparentPowerLimit_normalValue, CIM_VoltageLimit_value,     CIM_VoltageLimit_normalValue,
        CIM_PROPS};
    return pofi_cim_real_of(c, limit, props, 0);
}

/* Of one limit as apparent power at nominal voltage, VA; 0 when it is none. */
static double power_limit(struct pofi_cim *c, uint32_t limit, double base_v)
{
    switch (c->object[limit].class) {
    case CIM_CurrentLimit:
        return value_of(c, limit) * SQRT3 * base_v;
    case CIM_ApparentPowerLimit:
        return value_of(c, limit) * 1e6;
    default:
        return 0;
    }
}

static double least(double a, double b)
{
    return a > 0 && (b <= 0 || a < b) ? a : b;
}

static const enum pofi_cim_prop sets_of[] = {CIM_OperationalLimitSet_Terminal,
                                             CIM_OperationalLimitSet_Equipment};

static double least_of_set(struct pofi_cim *c, uint32_t set, double base_v)
{
    size_t n;
    double best = 0;
    const struct pofi_cim_back *l = pofi_cim_back(c, set, CIM_OperationalLimit_OperationalLimitSet, &n);
    for (size_t k = 0; k < n; k++) {
        double va = power_limit(c, l[k].source, base_v);
        enum kind kind = va > 0 ? kind_of(c, l[k].source) : NO_KIND;
        c->temporary += kind == TEMPORARY;
        best = va > 0 && kind != TEMPORARY ? least(va, best) : best;
    }
    return best;
}

double pofi_cim_rating(struct pofi_cim *c, uint32_t object, double base_v)
{
    double best = 0;
    for (size_t i = 0; i < 2; i++) {
        size_t n;
        const struct pofi_cim_back *set = pofi_cim_back(c, object, sets_of[i], &n);
        for (size_t k = 0; k < n; k++) {
            best = least(least_of_set(c, set[k].source, base_v), best);
        }
    }
    return best;
}

static void tighten(struct pofi_cim *c, uint32_t set, double *low, double *high)
{
    size_t n;
    const struct pofi_cim_back *l = pofi_cim_back(c, set, CIM_OperationalLimit_OperationalLimitSet, &n);
    for (size_t k = 0; k < n; k++) {
        if (c->object[l[k].source].class != CIM_VoltageLimit) {
            continue;
        }
        double v = value_of(c, l[k].source) * 1e3;
        enum kind kind = kind_of(c, l[k].source);
        if (v > 0 && kind == LOW && v > *low) {
            *low = v;
        } else if (v > 0 && kind == HIGH) {
            *high = least(v, *high);
        }
    }
}

void pofi_cim_voltage_limits(struct pofi_cim *c, uint32_t object, double *low, double *high)
{
    for (size_t i = 0; i < 2; i++) {
        size_t sets;
        const struct pofi_cim_back *set = pofi_cim_back(c, object, sets_of[i], &sets);
        for (size_t k = 0; k < sets; k++) {
            tighten(c, set[k].source, low, high);
        }
    }
}
