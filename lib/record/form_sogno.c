/* SPDX-License-Identifier: Apache-2.0 */
/* Readings as measuring devices of the SOGNO platform send them:
 *     {"device":D,"timestamp":T,"readings":[{"component":C,"measurand":M,"phase":P,"data":X}, ...]}
 * as its estimators do, one component a message:
 *     {"component":C,"timestamp":T,"readings":[{"measurand":M,"phase":P,"data":X}, ...]}
 * and as the meters behind them do, powers in kW, all data as text:
 *     {"identifier":C,"timestamp":T,"readings":[{"source":"channel_1","type":M,"data":"X"}, ...]}
 * (pyvolt-service, interfaces/messageformats). Voltages are phase to ground, angles radians. */
#include "record/form.h"

#include "num/real.h"
#include "num/time.h"
#include "record/words.h"

#include <math.h>
#include <string.h>

static const struct measurand {
    const char *name;
    int quantity, element;
    enum { VOLT, RADIANS, AMPERE, POWER } unit;
} measurands[] = {{"voltmagnitude", POF_QUANTITY_V, POF_ELEMENT_NODE, VOLT},
                  {"volt", POF_QUANTITY_V, POF_ELEMENT_NODE, VOLT},
                  {"voltangle", POF_QUANTITY_ANGLE, POF_ELEMENT_NODE, RADIANS},
                  {"currmagnitude", POF_QUANTITY_I, POF_ELEMENT_BRANCH, AMPERE},
                  {"current", POF_QUANTITY_I, POF_ELEMENT_BRANCH, AMPERE},
                  {"currangle", POF_QUANTITY_I_ANGLE, POF_ELEMENT_BRANCH, RADIANS},
                  {"activepower", POF_QUANTITY_P, POF_ELEMENT_BRANCH, POWER},
                  {"reactivepower", POF_QUANTITY_Q, POF_ELEMENT_BRANCH, POWER}};

double pofi_deviation(double accuracy_pct, int quantity, double value)
{
    const double degrees = 57.29577951308232;
    bool angle = quantity == POF_QUANTITY_ANGLE || quantity == POF_QUANTITY_I_ANGLE ||
                 quantity == POF_QUANTITY_I_ANGLE_TO_V;
    /* 1 A, 100 V, 1 kW: what is nearly nothing is not known to a millionth of it. */
    double least = quantity == POF_QUANTITY_I ? 1 : quantity == POF_QUANTITY_V ? 100 : 1000;
    double size = angle ? degrees : fmax(fabs(value), least);
    return accuracy_pct * size / 300;
}

static const struct measurand *measurand_of(struct pof_text name)
{
    for (size_t i = 0; i < sizeof measurands / sizeof measurands[0]; i++) {
        if (pof_text_is(name, measurands[i].name)) {
            return &measurands[i];
        }
    }
    return NULL;
}

/* -1: no phase is named; -2: a name of none. */
static int phase_of(struct pof_text name)
{
    static const char *const words[][3] = {{"A", "B", "C"}, {"a", "b", "c"}, {"channel_1", "channel_2", "channel_3"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (int p = 0; p < 3; p++) {
            if (pof_text_is(name, words[i][p])) {
                return p;
            }
        }
    }
    return name.len ? -2 : -1;
}

static double factor(const struct measurand *m, const struct pofi_quantity *q, bool three)
{
    switch (m->unit) {
    case VOLT:
        return three ? 1.7320508075688772 : 1; /* line to line */
    case RADIANS:
        return 57.29577951308232;
    case AMPERE:
        return 1;
    case POWER:
        return q->scale * (three ? 3 : 1);
    }
    return 1;
}

int pofi_quantity(struct pofi_feed *f, const struct pofi_quantity *q, const struct pof_origin *o,
                  struct pof_err *err)
{
    const struct measurand *m = measurand_of(q->measurand);
    int phase = phase_of(q->phase);
    double value;
    if (!m) {
        pofi_skipped(f, q->measurand);
        return 0;
    }
    if (phase == -2 || (f->how->balanced && phase > 0)) {
        pofi_skipped(f, q->phase);
        return 0;
    }
    if (!pof_real_parse(q->data, &value)) {
        pof_fail(&f->why, POF_E_NUMBER, "'%.*s' is not a finite number",
                 (int)(q->data.len < 60 ? q->data.len : 60), q->data.ptr);
        pof_at(&f->why, NULL, 0, "data");
        return pofi_feed_refuse(f, o, err);
    }
    bool three = phase < 0 || f->how->balanced;
    value *= factor(m, q, three);
    struct pof_record r = {.type = POF_reading,
                           .u.reading = {.element = m->element,
                                         .name = q->component,
                                         .start = q->start,
                                         .quantity = m->quantity,
                                         .value = value,
                                         .sigma = pofi_deviation(f->how->accuracy_pct, m->quantity, value)}};
    if (!three) {
        r.u.reading.phase = phase;
        POF_SET(&r.u.reading, reading, phase);
    }
    return pofi_feed_record(f, &r, o, err);
}

/* The message with this one reading in it: what is mended can be read again. */
static int raw_of(struct pofi_feed *f, const struct pofi_line *message, struct pof_text item,
                  struct pof_origin *at, struct pof_err *err)
{
    int rc = 0;
    f->raw.len = 0;
    for (size_t k = 0; k < message->n && rc == 0; k++) {
        const struct pofi_value *v = &message->value[k];
        rc = pof_buf_adds(&f->raw, k ? ",\"" : "{\"", err);
        rc = rc ? rc : pof_buf_add(&f->raw, v->name.ptr, v->name.len, err);
        rc = rc ? rc : pof_buf_adds(&f->raw, "\":", err);
        if (pof_text_is(v->name, "readings")) {
            rc = rc ? rc : pof_buf_adds(&f->raw, "[", err);
            rc = rc ? rc : pof_buf_add(&f->raw, item.ptr, item.len, err);
            rc = rc ? rc : pof_buf_adds(&f->raw, "]", err);
        } else {
            const char *quote = v->kind == POFI_STRING ? "\"" : "";
            rc = rc ? rc : pof_buf_adds(&f->raw, quote, err);
            rc = rc ? rc : pof_buf_add(&f->raw, v->text.ptr, v->text.len, err);
            rc = rc ? rc : pof_buf_adds(&f->raw, quote, err);
        }
    }
    rc = rc ? rc : pof_buf_adds(&f->raw, "}", err);
    at->raw = (struct pof_text){f->raw.data, f->raw.len};
    return rc;
}

static struct pof_text text_of(const struct pofi_line *object, const char *name)
{
    const struct pofi_value *v = pofi_value_of(object, name);
    return v && v->kind != POFI_NESTED ? v->text : (struct pof_text){"", 0};
}

/* One of the readings; message says what all have in common. */
static int reading(struct pofi_feed *f, const struct pofi_line *message, struct pofi_quantity *q,
                   const struct pof_origin *o, struct pof_err *err)
{
    const struct pofi_line *object = &f->scan[1];
    bool meter = pofi_value_of(message, "identifier") != NULL;
    struct pof_text own = text_of(object, "component");
    q->component = own.len ? own : text_of(message, meter ? "identifier" : "component");
    q->measurand = text_of(object, meter ? "type" : "measurand");
    q->phase = text_of(object, meter ? "source" : "phase");
    q->data = text_of(object, "data");
    q->scale = meter ? 1000 : 1;
    const char *missing = q->component.len == 0   ? (meter ? "identifier" : "component")
                          : q->measurand.len == 0 ? (meter ? "type" : "measurand")
                          : q->data.len == 0      ? "data"
                                                  : NULL;
    if (missing) {
        pof_fail(&f->why, POF_E_MISSING, "a reading without '%s'", missing);
        pof_at(&f->why, NULL, 0, missing);
        return pofi_feed_refuse(f, o, err);
    }
    return pofi_quantity(f, q, o, err);
}

int pofi_sogno(struct pofi_feed *f, const struct pofi_line *object, const struct pof_origin *o,
               struct pof_err *err)
{
    struct pof_text time = text_of(object, "timestamp"), list = pofi_value_of(object, "readings")->text;
    struct pof_text item;
    struct pofi_quantity q = {0};
    int64_t ms;
    if (pofi_instant_of(f->how, time, &ms, &f->why)) {
        pof_at(&f->why, NULL, 0, "timestamp");
        return pofi_feed_refuse(f, o, err);
    }
    q.start = ms / 1000 - (ms % 1000 < 0);
    int rc = 0;
    while (rc == 0 && pofi_next_item(&list, &item)) {
        struct pof_origin at = *o;
        rc = raw_of(f, object, item, &at, err);
        if (rc == 0) {
            rc = pofi_scan_json(&f->scan[1], item, &f->why) ? pofi_feed_refuse(f, &at, err)
                                                            : reading(f, object, &q, &at, err);
        }
    }
    return rc;
}
