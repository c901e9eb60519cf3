/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up what objects of the Common Information Model say. */
#include "grid/cim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum pofi_cim_role pofi_cim_role(uint32_t class)
{
    static const unsigned char roles[] = {
#define CLASS(name, role) CIM_ROLE_##role,
#define PROP(class, name)
#include "grid/cim.def"
#undef CLASS
#undef PROP
    };
    return class < CIM_CLASSES ? (enum pofi_cim_role)roles[class] : CIM_ROLE_NONE;
}

static const struct pofi_cim_value *value_of(const struct pofi_cim *c, uint32_t object, uint32_t prop)
{
    uint32_t v = object == POF_NONE ? POF_NONE : c->object[object].first;
    while (v != POF_NONE && c->value[v].prop != prop) {
        v = c->value[v].next;
    }
    return v == POF_NONE ? NULL : &c->value[v];
}

int pofi_cim_fail(struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop, enum pof_code code,
                  const char *fmt, ...)
{
    char text[sizeof c->err->text];
    va_list args;
    if (c->rc) {
        return c->rc;
    }
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const struct pofi_cim_value *v = value_of(c, object, prop);
    struct pofi_cim_place at = v ? v->at : c->object[object].at;
    c->rc = pof_fail(c->err, code, "%s", text);
    return pof_at(c->err, c->input->document[at.file].name, at.line,
                  prop < CIM_PROPS ? c->props.text[prop].ptr : NULL);
}

const char *pofi_cim_label(const struct pofi_cim *c, uint32_t object, char *to)
{
    struct pof_text name = pofi_cim_text(c, object, CIM_IdentifiedObject_name);
    uint32_t class = c->object[object].class;
    name = name.len ? name : c->ids.text[object];
    snprintf(to, POFI_CIM_LABEL, "%.60s '%.*s'", class == POF_NONE ? "object" : c->classes.text[class].ptr,
             (int)(name.len < 70 ? name.len : 70), name.ptr);
    return to;
}

bool pofi_cim_has(const struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop)
{
    return value_of(c, object, prop) != NULL;
}

double pofi_cim_real(struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop, double without)
{
    const struct pofi_cim_value *v = value_of(c, object, prop);
    double x = without;
    if (v && !pofi_number(v->text, false, &x)) {
        pofi_cim_fail(c, object, prop, POF_E_NUMBER, "'%.*s' is not a finite number",
                      (int)(v->text.len < 60 ? v->text.len : 60), v->text.ptr);
        return without;
    }
    return x;
}

double pofi_cim_real_of(struct pofi_cim *c, uint32_t object, const enum pofi_cim_prop *props,
                        double without)
{
    for (; *props != CIM_PROPS; props++) {
        if (pofi_cim_has(c, object, *props)) {
            return pofi_cim_real(c, object, *props, without);
        }
    }
    return without;
}

bool pofi_cim_flag(struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop, bool without)
{
    const struct pofi_cim_value *v = value_of(c, object, prop);
    if (!v) {
        return without;
    }
    if (!pof_text_is(v->text, "true") && !pof_text_is(v->text, "false")) {
        pofi_cim_fail(c, object, prop, POF_E_ENUM, "'%.*s' is neither true nor false",
                      (int)(v->text.len < 60 ? v->text.len : 60), v->text.ptr);
    }
    return pof_text_is(v->text, "true");
}

struct pof_text pofi_cim_text(const struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop)
{
    const struct pofi_cim_value *v = value_of(c, object, prop);
    return v ? v->text : (struct pof_text){"", 0};
}

bool pofi_cim_word(const struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop, const char *is)
{
    return pof_text_is(pofi_cim_text(c, object, prop), is);
}

uint32_t pofi_cim_ref_opt(const struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop)
{
    const struct pofi_cim_value *v = value_of(c, object, prop);
    return v && v->target != POF_NONE && c->object[v->target].defined ? v->target : POF_NONE;
}

uint32_t pofi_cim_ref(struct pofi_cim *c, uint32_t object, enum pofi_cim_prop prop)
{
    const struct pofi_cim_value *v = value_of(c, object, prop);
    if (!v) {
        return POF_NONE;
    }
    char label[POFI_CIM_LABEL];
    if (v->target == POF_NONE) {
        pofi_cim_fail(c, object, prop, POF_E_REFERENCE, "%s refers to no object here",
                      pofi_cim_label(c, object, label));
    } else if (!c->object[v->target].defined) {
        pofi_cim_fail(c, object, prop, POF_E_REFERENCE,
                      "%s refers to '%.80s', which no document describes; is a profile missing (EQ, TP, or "
                      "the boundary EQBD and TPBD)?",
                      pofi_cim_label(c, object, label), c->ids.text[v->target].ptr);
    } else {
        return v->target;
    }
    return POF_NONE;
}

const struct pofi_cim_back *pofi_cim_back(const struct pofi_cim *c, uint32_t target,
                                          enum pofi_cim_prop prop, size_t *n)
{
    size_t low = 0, high = c->backs;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct pofi_cim_back *b = &c->back[mid];
        bool before = b->prop != prop ? b->prop < prop : b->target < target;
        low = before ? mid + 1 : low;
        high = before ? high : mid;
    }
    size_t end = low;
    while (end < c->backs && c->back[end].prop == prop && c->back[end].target == target) {
        end++;
    }
    *n = end - low;
    return c->back + low;
}

uint32_t pofi_cim_one(const struct pofi_cim *c, uint32_t target, enum pofi_cim_prop prop)
{
    size_t n;
    const struct pofi_cim_back *b = pofi_cim_back(c, target, prop, &n);
    return n ? b->source : POF_NONE;
}

struct pof_text pofi_cim_name(const struct pofi_cim *c, uint32_t object, const char *suffix,
                              const struct pof_names *set, char *text)
{
    struct pof_text name = pofi_cim_text(c, object, CIM_IdentifiedObject_name), id = c->ids.text[object];
    size_t size = POF_GRID_NAME_MAX + 1;
    bool good = !c->input->by_id && name.len > 0 && !c->object[object].shared;
    int n = good ? snprintf(text, size, "%.*s%s", (int)name.len, name.ptr, suffix) : -1;
    if (n < 0 || (size_t)n >= size || pof_names_find(set, (struct pof_text){text, (size_t)n}) != POF_NONE) {
        n = snprintf(text, size, "%.*s%s", (int)id.len, id.ptr, suffix);
    }
    if (n < 0 || (size_t)n >= size) { /* an id of more than 64 bytes: its place is as good a name */
        n = snprintf(text, size, "object %u%s", c->rank[object] + 1, suffix);
    }
    return (struct pof_text){text, (size_t)n};
}

bool pofi_cim_in_service(struct pofi_cim *c, uint32_t object)
{
    uint32_t status = pofi_cim_one(c, object, CIM_SvStatus_ConductingEquipment);
    bool in = status == POF_NONE || pofi_cim_flag(c, status, CIM_SvStatus_inService, true);
    in = pofi_cim_flag(c, object, CIM_Equipment_inService, in);
    c->out_of_service += !in;
    return in;
}
