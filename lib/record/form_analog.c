/* SPDX-License-Identifier: Apache-2.0 */
/* Analog and AnalogValue of IEC 61970-301 (package Meas) in RDF, as readings.
 *
 * A reading is called by the mRID of the equipment (PowerSystemResource), or of the terminal where none
 * is named: a document of values does not hold the grid. Values may stand before their Analog, and wait.
 * MeasurementValue.sensorAccuracy is the share of the largest value, in percent, that errors do not
 * exceed: three standard deviations of Analog.maxValue, or of the value where that is not given. */
#include "record/form.h"

#include "base/mem.h"
#include "num/real.h"
#include "record/words.h"
#include "record/xml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

enum { OBJECTS_MAX = 1000000 };

enum property { TYPE, UNIT, MULTIPLIER, PHASES, RESOURCE, TERMINAL, LARGEST, ANALOG_PROPERTIES };
enum value_property { VALUE = ANALOG_PROPERTIES, TIME, ACCURACY, ANALOG, PROPERTIES };

static const char *const names[PROPERTIES] = {
    [TYPE] = "Measurement.measurementType",
    [UNIT] = "Measurement.unitSymbol",
    [MULTIPLIER] = "Measurement.unitMultiplier",
    [PHASES] = "Measurement.phases",
    [RESOURCE] = "Measurement.PowerSystemResource",
    [TERMINAL] = "Measurement.Terminal",
    [LARGEST] = "Analog.maxValue",
    [VALUE] = "AnalogValue.value",
    [TIME] = "MeasurementValue.timeStamp",
    [ACCURACY] = "MeasurementValue.sensorAccuracy",
    [ANALOG] = "AnalogValue.Analog"};

/* An Analog or an AnalogValue: what it says, as text. */
struct object {
    struct pof_text said[PROPERTIES];
    uint64_t line;
};

struct analogs {
    struct pofi_feed *f;
    int depth;
    bool is_analog, is_value; /* the object at hand */
    struct object now;
    struct pof_text id;
    struct pof_arena arena; /* texts of Analogs, and of values that wait */
    size_t bytes;           /* in it */
    struct pof_arena brief; /* texts of the value at hand */
    struct pof_names ids;  /* of Analogs */
    struct object *analog; /* by number of id */
    size_t analog_cap;
    struct object *value; /* those that wait for their Analog */
    size_t values, value_cap;
};

static int begin(void **state, struct pofi_feed *f, struct pof_err *err)
{
    struct analogs *a;
    int rc = pof_calloc(&a, 1, sizeof *a, err);
    if (rc == 0) {
        a->f = f;
        *state = a;
    }
    return rc;
}

static void release(void *state)
{
    struct analogs *a = state;
    pof_arena_release(&a->arena);
    pof_arena_release(&a->brief);
    pof_names_release(&a->ids);
    free(a->analog);
    free(a->value);
    free(a);
}

static int keep_long(struct analogs *a, struct pof_text t, struct pof_text *to, struct pof_err *err)
{
    a->bytes += t.len + sizeof(void *);
    if (a->bytes > (size_t)4 * POFI_VALUE_MAX) {
        return pof_fail(err, POF_E_TOO_LONG, "Analogs of more than %d bytes in one document",
                        4 * (int)POFI_VALUE_MAX);
    }
    to->ptr = pof_arena_text(&a->arena, t.ptr, t.len, err);
    to->len = t.len;
    return to->ptr ? 0 : POF_E_NOMEM;
}

static int keep(struct analogs *a, struct pof_text t, struct pof_text *to, struct pof_err *err)
{
    if (a->is_analog) {
        return keep_long(a, t, to, err);
    }
    to->ptr = pof_arena_text(&a->brief, t.ptr, t.len, err);
    to->len = t.len;
    return to->ptr ? 0 : POF_E_NOMEM;
}

/* "#_id" and "_id" and "id" are the same; of an enumeration only the word behind its last point. */
static struct pof_text reference(const char *text, bool word)
{
    const char *hash = strrchr(text, '#'), *dot = word ? strrchr(text, '.') : NULL;
    text = dot ? dot + 1 : hash ? hash + 1 : text;
    text += strncmp(text, "urn:uuid:", 9) == 0 ? 9 : 0;
    return pof_text(*text == '_' ? text + 1 : text);
}

static int property_of(const char *local)
{
    for (int i = 0; i < PROPERTIES; i++) {
        if (strcmp(local, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static int on_open(void *state, const char *name, const char *const *attr, struct pof_err *err)
{
    struct analogs *a = state;
    const char *local = pof_xml_local(name);
    a->depth++;
    if (a->depth == 1) {
        a->is_analog = strcmp(local, "Analog") == 0;
        a->is_value = strcmp(local, "AnalogValue") == 0;
        memset(&a->now, 0, sizeof a->now);
        pof_arena_release(&a->brief);
        a->id = (struct pof_text){"", 0};
    }
    if (!a->is_analog && !a->is_value) {
        return 0;
    }
    int p = a->depth == 2 ? property_of(local) : -1;
    for (; *attr; attr += 2) {
        if (a->depth == 1 && (strcmp(attr[0], RDF " ID") == 0 || strcmp(attr[0], RDF " about") == 0)) {
            return keep(a, reference(attr[1], false), &a->id, err);
        }
        if (p >= 0 && strcmp(attr[0], RDF " resource") == 0) {
            return keep(a, reference(attr[1], p == UNIT || p == MULTIPLIER || p == PHASES), &a->now.said[p], err);
        }
    }
    return 0;
}

/* --- readings --- */

static const struct {
    const char *type, *unit;
    int quantity, element;
    double scale;
} known[] = {{"LineToLineVoltage", "V", POF_QUANTITY_V, POF_ELEMENT_NODE, 1},
             {"Voltage", "V", POF_QUANTITY_V, POF_ELEMENT_NODE, 1},
             {"ThreePhaseActivePower", "W", POF_QUANTITY_P, POF_ELEMENT_BRANCH, 1},
             {"ThreePhaseReactivePower", "VAr", POF_QUANTITY_Q, POF_ELEMENT_BRANCH, 1},
             {"LineCurrent", "A", POF_QUANTITY_I, POF_ELEMENT_BRANCH, 1},
             {"Current", "A", POF_QUANTITY_I, POF_ELEMENT_BRANCH, 1},
             {"Angle", "deg", POF_QUANTITY_ANGLE, POF_ELEMENT_NODE, 1},
             {"PhaseVoltageAngle", "deg", POF_QUANTITY_ANGLE, POF_ELEMENT_NODE, 1},
             {"Angle", "rad", POF_QUANTITY_ANGLE, POF_ELEMENT_NODE, 57.29577951308232}};

static int wrong(struct pofi_feed *f, int property, enum pof_code code, const char *what,
                 struct pof_text found)
{
    pof_fail(&f->why, code, "'%.*s' %s", (int)(found.len < 60 ? found.len : 60), found.len ? found.ptr : "",
             what);
    pof_at(&f->why, NULL, 0, names[property]);
    return code;
}

static int multiplier(struct pofi_feed *f, const struct object *analog, double *out)
{
    static const struct {
        const char *word;
        double factor;
    } words[] = {{"none", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"m", 1e-3}};
    struct pof_text t = analog->said[MULTIPLIER];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (t.len == 0 || pof_text_is(t, words[i].word)) {
            *out = words[i].factor;
            return 0;
        }
    }
    return wrong(f, MULTIPLIER, POF_E_ENUM, "is no multiplier: expected none, k, M, G or m", t);
}

/* What the Analog measures. */
static int meaning(struct pofi_feed *f, const struct object *analog, struct pof_reading *r, double *scale)
{
    bool type = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        bool same = pof_text_is(analog->said[TYPE], known[i].type);
        type |= same;
        if (same && pof_text_is(analog->said[UNIT], known[i].unit)) {
            r->quantity = known[i].quantity;
            r->element = known[i].element;
            *scale *= known[i].scale;
            return 0;
        }
    }
    return type ? wrong(f, UNIT, POF_E_TYPE, "is not the unit of its measurementType", analog->said[UNIT])
                : wrong(f, TYPE, POF_E_ENUM, "is nothing that estimation reads", analog->said[TYPE]);
}

static int number(struct pofi_feed *f, const struct object *o, int property, double *out)
{
    return pof_real_parse(o->said[property], out)
               ? 0
               : wrong(f, property, POF_E_NUMBER, "is not a finite number", o->said[property]);
}

static int deviation(struct pofi_feed *f, const struct object *analog, const struct object *v,
                     double scale, struct pof_reading *r)
{
    double accuracy = f->how->accuracy_pct, largest = fabs(r->value);
    int rc = v->said[ACCURACY].len ? number(f, v, ACCURACY, &accuracy) : 0;
    if (rc == 0 && v->said[ACCURACY].len && analog->said[LARGEST].len) {
        rc = number(f, analog, LARGEST, &largest);
        largest *= scale;
    }
    if (rc == 0 && accuracy <= 0) {
        return wrong(f, ACCURACY, POF_E_RANGE, "is not above 0", v->said[ACCURACY]);
    }
    r->sigma = pofi_deviation(accuracy, r->quantity, largest);
    return rc;
}

static int make(struct pofi_feed *f, const struct object *analog, const struct object *v,
                struct pof_reading *r)
{
    double scale = 1;
    int64_t ms;
    int rc = meaning(f, analog, r, &scale);
    double factor = 1;
    rc = rc ? rc : multiplier(f, analog, &factor);
    rc = rc ? rc : number(f, v, VALUE, &r->value);
    scale *= factor;
    r->value *= scale;
    rc = rc ? rc : deviation(f, analog, v, scale, r);
    if (rc == 0 && pofi_instant_of(f->how, v->said[TIME], &ms, &f->why)) {
        return pof_at(&f->why, NULL, 0, names[TIME]);
    }
    if (rc) {
        return rc;
    }
    r->start = ms / 1000 - (ms % 1000 < 0);
    r->name = analog->said[RESOURCE].len ? analog->said[RESOURCE] : analog->said[TERMINAL];
    struct pof_text p = analog->said[PHASES];
    if (p.len == 1 && *p.ptr >= 'A' && *p.ptr <= 'C') {
        r->phase = *p.ptr - 'A';
        POF_SET(r, reading, phase);
    } else if (p.len && !pof_text_is(p, "ABC") && !pof_text_is(p, "ABCN")) {
        return wrong(f, PHASES, POF_E_ENUM, "is not A, B, C or all three", p);
    }
    return 0;
}

/* --- rejects: a document of one value --- */

static int escaped(struct pof_buf *to, struct pof_text t, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < t.len && rc == 0; i++) {
        const char *entity = t.ptr[i] == '&' ? "&amp;" : t.ptr[i] == '<' ? "&lt;" : t.ptr[i] == '"' ? "&quot;" : NULL;
        rc = entity ? pof_buf_adds(to, entity, err) : pof_buf_add(to, t.ptr + i, 1, err);
    }
    return rc;
}

static int properties(struct pof_buf *to, const struct object *o, int from, int end, struct pof_err *err)
{
    int rc = 0;
    for (int p = from; p < end && rc == 0; p++) {
        bool link = p == UNIT || p == MULTIPLIER || p == PHASES || p == RESOURCE || p == TERMINAL || p == ANALOG;
        bool word = p == UNIT || p == MULTIPLIER || p == PHASES;
        if (!o->said[p].len) {
            continue;
        }
        rc = pof_buf_addf(to, err, "<cim:%s%s", names[p], link ? " rdf:resource=\"#" : ">");
        rc = rc || !word ? rc : pof_buf_adds(to, "x.", err); /* only what is behind the point counts */
        rc = rc ? rc : escaped(to, o->said[p], err);
        rc = rc ? rc : link ? pof_buf_adds(to, "\"/>", err) : pof_buf_addf(to, err, "</cim:%s>", names[p]);
    }
    return rc;
}

static int raw_of(struct pof_buf *to, const struct object *analog, const struct object *v, struct pof_err *err)
{
    to->len = 0;
    int rc = pof_buf_adds(to, "<rdf:RDF xmlns:rdf=\"" RDF "\" xmlns:cim=\"cim\">", err);
    if (analog) {
        rc = rc ? rc : pof_buf_adds(to, "<cim:Analog rdf:ID=\"", err);
        rc = rc ? rc : escaped(to, v->said[ANALOG], err);
        rc = rc ? rc : pof_buf_adds(to, "\">", err);
        rc = rc ? rc : properties(to, analog, 0, ANALOG_PROPERTIES, err);
        rc = rc ? rc : pof_buf_adds(to, "</cim:Analog>", err);
    }
    rc = rc ? rc : pof_buf_adds(to, "<cim:AnalogValue>", err);
    rc = rc ? rc : properties(to, v, ANALOG_PROPERTIES, PROPERTIES, err);
    return rc ? rc : pof_buf_adds(to, "</cim:AnalogValue></rdf:RDF>", err);
}

static int emit(struct analogs *a, const struct object *v, struct pof_err *err)
{
    struct pof_record record = {.type = POF_reading};
    uint32_t id = pof_names_find(&a->ids, v->said[ANALOG]);
    const struct object *analog = id == POF_NONE ? NULL : &a->analog[id];
    int rc = raw_of(&a->f->raw, analog, v, err);
    struct pof_origin o = {.source = a->f->name, .line = v->line, .offset = POF_NO_OFFSET, .raw = {a->f->raw.data, a->f->raw.len}};
    if (rc) {
        return rc;
    }
    if (!analog) {
        wrong(a->f, ANALOG, POF_E_REFERENCE, "is no Analog of the document", v->said[ANALOG]);
        return pofi_feed_refuse(a->f, &o, err);
    }
    return make(a->f, analog, v, &record.u.reading) ? pofi_feed_refuse(a->f, &o, err)
                                                    : pofi_feed_record(a->f, &record, &o, err);
}

static int end_analog(struct analogs *a, struct pof_err *err)
{
    uint32_t id;
    size_t before = a->ids.n;
    int rc = pof_names_add(&a->ids, a->id, &id, err);
    if (rc == 0 && (id != before || before >= OBJECTS_MAX)) {
        return pof_fail(err, id != before ? POF_E_DUPLICATE : POF_E_TOO_LONG,
                        "Analog '%.*s' is there twice, or more than %d", (int)(a->id.len < 60 ? a->id.len : 60),
                        a->id.ptr, OBJECTS_MAX);
    }
    rc = rc ? rc : pof_grow(&a->analog, &a->analog_cap, (size_t)id + 1, sizeof *a->analog, err);
    if (rc == 0) {
        a->analog[id] = a->now;
    }
    return rc;
}

static int end_value(struct analogs *a, struct pof_err *err)
{
    if (pof_names_find(&a->ids, a->now.said[ANALOG]) != POF_NONE) {
        return emit(a, &a->now, err);
    }
    if (a->values == OBJECTS_MAX) {
        return pof_fail(err, POF_E_TOO_LONG, "more than %d values before their Analog", OBJECTS_MAX);
    }
    int rc = pof_grow(&a->value, &a->value_cap, a->values + 1, sizeof *a->value, err);
    for (int p = VALUE; p < PROPERTIES && rc == 0; p++) {
        rc = a->now.said[p].len ? keep_long(a, a->now.said[p], &a->now.said[p], err) : 0;
    }
    if (rc == 0) {
        a->value[a->values++] = a->now;
    }
    return rc;
}

static int on_close(void *state, const char *name, struct pof_text text, uint64_t line,
                    struct pof_err *err)
{
    struct analogs *a = state;
    int p = a->depth == 2 && (a->is_analog || a->is_value) ? property_of(pof_xml_local(name)) : -1;
    a->depth--;
    if (p >= 0 && text.len) {
        return keep(a, text, &a->now.said[p], err);
    }
    if (a->depth > 0) {
        return 0;
    }
    a->now.line = line;
    return a->is_analog ? end_analog(a, err) : a->is_value ? end_value(a, err) : 0;
}

static int finish(void *state, struct pof_err *err)
{
    struct analogs *a = state;
    int rc = 0;
    for (size_t i = 0; i < a->values && rc == 0; i++) {
        rc = emit(a, &a->value[i], err);
    }
    return rc;
}

const struct pofi_xml_part pofi_analogs = {"RDF", begin, on_open, on_close, finish, release};
