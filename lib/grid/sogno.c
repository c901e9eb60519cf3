/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the SOGNO platform, and pyvolt's list of measurements. */
#include "grid/sogno.h"
#include "grid/format_impl.h"
#include "record/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KILO 1e3
#define SQRT3 1.7320508075688772

struct reading {
    struct pof_sogno *m;
    unsigned other; /* left out */
    struct pof_err *err;
};

static int keep(struct pof_arena *arena, struct pof_text *t, struct pof_err *err)
{
    char *copy = pof_arena_text(arena, t->ptr, t->len, err);
    *t = (struct pof_text){copy, t->len};
    return copy ? 0 : POF_E_NOMEM;
}

static int add(struct reading *r, struct pof_sogno_value v)
{
    int rc = pof_grow(&r->m->value, &r->m->cap, r->m->n + 1, sizeof *r->m->value, r->err);
    rc = rc ? rc : keep(&r->m->arena, &v.component, r->err);
    if (rc == 0) {
        r->m->value[r->m->n++] = v;
    }
    return rc;
}

static const struct pof_json_range any = {-1e15, 1e15, NULL};

/* --- SOGNO --- */

static int sogno_reading(struct reading *r, const struct pof_json *at, struct pof_text component)
{
    static const char *const measurands[] = {"voltmagnitude", "voltangle",     "currmagnitude", "currangle",
                                             "activepower",   "reactivepower", "apparentpower", "frequency", NULL};
    static const char *const phases[] = {"A", "B", "C", NULL};
    struct pof_sogno_value v = {.component = component};
    struct pof_text measurand;
    int phase = 0;
    int rc = pof_json_text(at, "measurand", &measurand, r->err);
    rc = rc ? rc : pof_json_word_opt(at, "phase", phases, &phase, r->err);
    if (rc == 0) {
        rc = pof_json_fail(at, "phase", r->err, POF_E_MISSING, "a reading without a phase: A, B or C");
    }
    rc = rc < 0 ? rc : pof_json_text_opt(at, "component", &v.component, r->err);
    rc = rc < 0 ? rc : pof_json_real(at, "data", &any, &v.value, r->err);
    if (rc < 0) {
        return rc;
    }
    if (v.component.len == 0) {
        return pof_json_fail(at, "component", r->err, POF_E_MISSING, "a reading of no component");
    }
    for (int k = 0; measurands[k]; k++) {
        if (pof_text_is(measurand, measurands[k])) {
            v.quantity = (uint8_t)k;
            v.phase = (uint8_t)(phase + 1);
            return add(r, v);
        }
    }
    r->other++;
    return 0;
}

/* --- raw messages --- */

static int raw_reading(struct reading *r, const struct pof_json *at, struct pof_text device)
{
    static const struct {
        const char *type;
        uint8_t quantity;
        double unit;
    } types[] = {{"volt", POF_SOGNO_V, 1},           {"current", POF_SOGNO_I, 1},
                 {"activepower", POF_SOGNO_P, KILO}, {"reactivepower", POF_SOGNO_Q, KILO},
                 {"apparentpower", POF_SOGNO_S, KILO}, {"frequency", POF_SOGNO_F, 1}};
    struct pof_text source, type, data;
    struct pof_sogno_value v = {.component = device};
    int rc = pof_json_text(at, "source", &source, r->err);
    rc = rc ? rc : pof_json_text(at, "type", &type, r->err);
    rc = rc ? rc : pof_json_text(at, "data", &data, r->err);
    if (rc) {
        return rc;
    }
    if (!pofi_number(data, false, &v.value)) {
        return pof_json_fail(at, "data", r->err, POF_E_NUMBER, "'%.*s' is not a number",
                             (int)(data.len < 40 ? data.len : 40), data.ptr);
    }
    size_t last = strlen("channel_");
    bool phase = source.len == last + 1 && memcmp(source.ptr, "channel_", last) == 0 &&
                 source.ptr[last] >= '1' && source.ptr[last] <= '3';
    for (size_t i = 0; i < sizeof types / sizeof types[0] && phase; i++) {
        if (pof_text_is(type, types[i].type)) {
            v.quantity = types[i].quantity;
            v.phase = (uint8_t)(source.ptr[last] - '0');
            v.value *= types[i].unit;
            return add(r, v);
        }
    }
    r->other++;
    return 0;
}

static int readings_of(struct reading *r, const struct pof_json *root)
{
    struct pof_json list;
    struct pof_text owner = {"", 0};
    int raw = pof_json_text_opt(root, "identifier", &owner, r->err);
    int rc = raw ? raw : pof_json_text_opt(root, "component", &owner, r->err);
    rc = rc < 0 ? rc : pof_json_text(root, "timestamp", &r->m->time, r->err);
    rc = rc ? rc : keep(&r->m->arena, &r->m->time, r->err);
    rc = rc ? rc : pof_json_array(root, "readings", &list, r->err);
    for (size_t i = 0; rc == 0 && i < pof_json_size(&list); i++) {
        struct pof_json item = pof_json_item(&list, i);
        rc = pof_json_is_object(&item, r->err);
        rc = rc ? rc : raw > 0 ? raw_reading(r, &item, owner) : sogno_reading(r, &item, owner);
    }
    return rc;
}

/* --- VILLASnode --- */

/* "N4.V.mag.est": component, V or I, mag or phase, whether it is an estimate. */
static bool place(struct pof_text line, struct pof_sogno_value *v)
{
    struct pof_text part[4] = {{NULL, 0}};
    size_t n = 0;
    while (n < 4) {
        const char *dot = memchr(line.ptr, '.', line.len);
        size_t len = dot ? (size_t)(dot - line.ptr) : line.len;
        part[n++] = (struct pof_text){line.ptr, len};
        if (!dot) {
            break;
        }
        line = (struct pof_text){dot + 1, line.len - len - 1};
    }
    bool volt = n > 1 && pof_text_is(part[1], "V"), amp = n > 1 && pof_text_is(part[1], "I");
    bool mag = n > 2 && pof_text_is(part[2], "mag"), angle = n > 2 && pof_text_is(part[2], "phase");
    v->component = part[0];
    v->phase = 1;
    v->estimated = n > 3;
    v->quantity = volt ? (mag ? POF_SOGNO_V : POF_SOGNO_V_ANGLE) : (mag ? POF_SOGNO_I : POF_SOGNO_I_ANGLE);
    return part[0].len > 0 && volt != amp && mag != angle;
}

static int sample_value(struct reading *r, const struct pof_json *data, size_t i, struct pof_text line)
{
    struct pof_json item = pof_json_item(data, i);
    struct pof_sogno_value v = {0};
    if (!place(line, &v)) {
        r->other++; /* max_err, mean_err, scenario_flag */
        return 0;
    }
    struct pof_text text = {NULL, 0};
    v.value = NAN;
    if (!pof_json_scalar(&item, &v.value, &text) || text.ptr || !isfinite(v.value)) {
        return pof_json_fail(&item, NULL, r->err, POF_E_TYPE, "a finite number is expected");
    }
    v.value /= v.quantity == POF_SOGNO_V ? SQRT3 : 1;
    return add(r, v);
}

static int sample(struct reading *r, const struct pof_json *root, struct pof_text map)
{
    struct pof_json ts, origin, data;
    double at[2] = {0, 0};
    static const struct pof_json_range seconds = {0, 1e11, "seconds, then nanoseconds"};
    int rc = pof_json_array(root, "data", &data, r->err);
    if (rc == 0 && pof_json_member(root, "ts", &ts) && pof_json_member(&ts, "origin", &origin)) {
        rc = pof_json_reals(&origin, &seconds, at, 2, r->err);
    }
    if (rc == 0 && at[1] > 999999999) {
        rc = pof_json_fail(root, "ts", r->err, POF_E_RANGE, "%.15g nanoseconds are more than a second", at[1]);
    }
    r->m->s = (int64_t)at[0];
    r->m->ns = (int32_t)at[1];
    size_t i = 0, n = rc ? 0 : pof_json_size(&data);
    for (const char *p = map.ptr, *end = map.ptr + map.len; rc == 0 && p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        struct pof_text line = {p, (size_t)(stop - p)};
        line.len -= line.len > 0 && line.ptr[line.len - 1] == '\r';
        rc = line.len == 0 || i >= n ? 0 : sample_value(r, &data, i, line);
        i += line.len > 0;
        p = stop < end ? stop + 1 : end;
    }
    return rc || i == n ? rc
                        : pof_json_fail(root, "data", r->err, POF_E_COLUMNS,
                                        "%zu values, the map has %zu places", n, i);
}

int pof_sogno_read(struct pof_sogno *message, const struct pof_sogno_text *text,
                   const struct pof_teller *teller, struct pof_err *err)
{
    struct pof_err own = {0};
    struct pof_json_doc *doc = NULL;
    struct reading r = {.m = message, .err = err ? err : &own};
    *message = (struct pof_sogno){0};
    int rc = pof_json_parse(&doc, text->json.ptr, text->json.len, text->name, r.err);
    if (rc == 0) {
        struct pof_json root = pof_json_root(doc), first, member;
        bool list = pof_json_is_array(&root, NULL) == 0 && pof_json_size(&root) == 1;
        first = list ? pof_json_item(&root, 0) : root;
        rc = pof_json_is_object(&first, r.err);
        if (rc == 0) {
            rc = pof_json_member(&first, "readings", &member) ? readings_of(&r, &first)
                                                               : sample(&r, &first, text->map);
        }
    }
    pof_json_free(doc);
    if (rc) {
        pof_sogno_release(message);
        return rc;
    }
    pofi_tell_count(teller, r.other, "readings of kinds that are not electrical quantities of a phase, left out");
    return 0;
}

void pof_sogno_release(struct pof_sogno *message)
{
    free(message->value);
    pof_arena_release(&message->arena);
    *message = (struct pof_sogno){0};
}

/* --- pyvolt's list --- */

static int list_kind(struct pof_pyvolt *list, const struct pof_json *at, uint8_t kind, struct pof_err *err)
{
    static const struct pof_json_range percent = {0, 1000, "percent of the value at three standard deviations"};
    bool phasor = kind >= POF_PYVOLT_VPMU;
    double unc = 0, phase = 0;
    struct pof_json ids;
    int rc = pof_json_real(at, phasor ? "unc_mag" : "unc", &percent, &unc, err);
    rc = rc || !phasor ? rc : pof_json_real(at, "unc_phase", &percent, &phase, err);
    /* "idx" in older lists; these numbered the nodes of one program and are empty everywhere else */
    if (rc == 0 && !pof_json_member(at, "uuid", &ids)) {
        rc = pof_json_array(at, "idx", &ids, err);
        return rc || pof_json_size(&ids) == 0
                   ? rc
                   : pof_json_fail(at, "idx", err, POF_E_REFERENCE, "numbers name no component, give uuid");
    }
    rc = rc ? rc : pof_json_is_array(&ids, err);
    for (size_t i = 0; rc == 0 && i < pof_json_size(&ids); i++) {
        struct pof_json item = pof_json_item(&ids, i);
        struct pof_pyvolt_place p = {.kind = kind, .sigma = unc / 300, .sigma_angle = phase / 300};
        double number;
        if (!pof_json_scalar(&item, &number, &p.component) || !p.component.ptr || p.component.len == 0) {
            rc = pof_json_fail(&item, NULL, err, POF_E_TYPE, "the name of a component is expected");
        }
        rc = rc ? rc : keep(&list->arena, &p.component, err);
        rc = rc ? rc : pof_grow(&list->place, &list->cap, list->n + 1, sizeof p, err);
        if (rc == 0) {
            list->place[list->n++] = p;
        }
    }
    return rc;
}

int pof_pyvolt_read(struct pof_pyvolt *list, struct pof_text json, const char *name, struct pof_err *err)
{
    static const char *const kinds[] = {"Vmag", "Imag", "Pinj", "Qinj", "P1", "Q1", "P2", "Q2", "Vpmu", "Ipmu", NULL};
    struct pof_json_doc *doc = NULL;
    *list = (struct pof_pyvolt){0};
    int rc = pof_json_parse(&doc, json.ptr, json.len, name, err);
    if (rc == 0) {
        struct pof_json root = pof_json_root(doc), all, one;
        rc = pof_json_is_object(&root, err);
        if (rc == 0 && !pof_json_member(&root, "Measurement", &all)) {
            rc = pof_json_fail(&root, "Measurement", err, POF_E_MISSING, "a list of measurements has it");
        }
        rc = rc ? rc : pof_json_is_object(&all, err);
        rc = rc ? rc : pof_json_only(&all, kinds, err);
        for (uint8_t k = 0; rc == 0 && k < POF_PYVOLT_KINDS; k++) {
            if (pof_json_member(&all, kinds[k], &one)) {
                rc = pof_json_is_object(&one, err);
                rc = rc ? rc : list_kind(list, &one, k, err);
            }
        }
    }
    pof_json_free(doc);
    if (rc) {
        pof_pyvolt_release(list);
    }
    return rc;
}

void pof_pyvolt_release(struct pof_pyvolt *list)
{
    free(list->place);
    pof_arena_release(&list->arena);
    *list = (struct pof_pyvolt){0};
}
