/* SPDX-License-Identifier: Apache-2.0 */
/* Points of time-series programs: a name, tags, fields and a time (InfluxData, Telegraf documentation,
 * "JSON output data format"). pof-export writes records so; of a point that is called as a record type
 * tags and fields are its members, of any other those of a measurement. */
#include "record/form.h"

#include "num/time.h"

#include <string.h>

static int add(struct pofi_line *values, const struct pofi_value *v, struct pof_err *why)
{
    if (values->n == POFI_MEMBERS) {
        return pof_fail(why, POF_E_TOO_LONG, "more than %d tags and fields", POFI_MEMBERS);
    }
    values->value[values->n++] = *v;
    return 0;
}

/* Whole numbers may be written as 420.0: it is the same number. */
static void drop_zeros(struct pof_text *t)
{
    const char *point = memchr(t->ptr, '.', t->len);
    size_t n = t->len;
    if (!point || memchr(t->ptr, 'e', n) || memchr(t->ptr, 'E', n)) {
        return;
    }
    while (n && t->ptr[n - 1] == '0') {
        n--;
    }
    t->len = n && t->ptr[n - 1] == '.' ? n - 1 : t->len;
}

/* The instant in the form and under the name that the type has. */
static int add_time(struct pofi_feed *f, struct pofi_line *values, enum pof_type type,
                    struct pof_text time, char *room)
{
    bool event = type == POF_event;
    int64_t ms;
    int rc = pofi_instant_of(f->how, time, &ms, &f->why);
    if (rc) {
        return pof_at(&f->why, NULL, 0, "timestamp");
    }
    if (!event && type != POF_measurement && ms % 1000 != 0) {
        ms -= ms % 1000 + (ms % 1000 < 0) * 1000; /* states and readings are of a second */
    }
    struct pof_text text = {room, event || ms % 1000 ? pof_instant_ms_format(ms, room)
                                                     : pof_instant_format(ms / 1000, room)};
    return add(values, &(struct pofi_value){pof_text(event ? "datetime" : "start"), text, POFI_CSV}, &f->why);
}

int pofi_point(struct pofi_feed *f, const struct pofi_point *p, const struct pof_origin *o,
               struct pof_err *err)
{
    char room[POF_INSTANT_MAX];
    enum pof_type type = pof_type_of(p->name);
    type = type == POF_TYPES ? POF_measurement : type;
    for (size_t k = 0; k < p->values->n; k++) {
        struct pofi_value *v = &p->values->value[k];
        if (v->kind == POFI_NUMBER) {
            drop_zeros(&v->text);
        }
        v->kind = v->kind == POFI_NULL || v->kind == POFI_NESTED ? v->kind : POFI_CSV;
    }
    return add_time(f, p->values, type, p->time, room) ? pofi_feed_refuse(f, o, err)
                                                       : pofi_feed_values(f, p->values, type, o, err);
}

static int add_members(struct pofi_feed *f, struct pofi_line *part, struct pof_text object,
                       struct pofi_line *values)
{
    int rc = pofi_scan_json(part, object, &f->why);
    for (size_t k = 0; k < part->n && rc == 0; k++) {
        rc = add(values, &part->value[k], &f->why);
    }
    return rc;
}

int pofi_telegraf(struct pofi_feed *f, const struct pofi_line *object, const struct pof_origin *o,
                  struct pof_err *err)
{
    const struct pofi_value *name = pofi_value_of(object, "name"), *tags = pofi_value_of(object, "tags"),
                            *fields = pofi_value_of(object, "fields"),
                            *time = pofi_value_of(object, "timestamp");
    struct pofi_line *values = &f->scan[1];
    int rc = 0;
    values->n = 0;
    if (!time) {
        pof_fail(&f->why, POF_E_MISSING, "a point without a timestamp: who stores it would set its own clock");
        pof_at(&f->why, NULL, 0, "timestamp");
        return pofi_feed_refuse(f, o, err);
    }
    /* Tags are scanned in [1] itself, fields in [2] and added. */
    rc = tags && tags->kind == POFI_NESTED ? pofi_scan_json(values, tags->text, &f->why) : 0;
    rc = rc ? rc : add_members(f, &f->scan[2], fields->text, values);
    if (rc) {
        return pofi_feed_refuse(f, o, err);
    }
    const struct pofi_point point = {values, name ? name->text : (struct pof_text){"", 0}, time->text};
    return pofi_point(f, &point, o, err);
}
