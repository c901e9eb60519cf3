/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/record: the forms in which other programs write measurements and readings.
 *
 * A form is one row of the table in form.c: does a source begin like it, and a function that reads a
 * source to its end and hands on what it finds. A form turns bytes into named values (a pofi_line, as
 * the readers of our own forms do); what names and units mean is said once, in terms.c. A form holds
 * one record, one message or one meter at a time, never a whole source. */
#ifndef POF_RECORD_FORM_H
#define POF_RECORD_FORM_H

#include "base/stream.h"
#include "record/intake.h"
#include "record/scan.h"

enum { POFI_VALUE_MAX = 16 * 1024 * 1024 }; /* bytes of a line, of a JSON value, of a meter */

/* A source on its way through a form. */
struct pofi_feed {
    const struct pof_form_options *how;
    const char *name; /* of the source, outlives the intake */
    struct pofi_unknown unknown;
    uint64_t flagged;        /* taken as suspect */
    struct pof_err why;      /* what is wrong with the record at hand */
    struct pof_buf raw;      /* room for a reject's raw text */
    struct pofi_line *scan;  /* for scanning, three levels: a value, an item, its parts */
    struct pofi_line *terms; /* for terms.c */
    /* A record, or one that cannot be: as in the intake. They count. */
    int (*take)(void *ctx, const struct pof_record *r, const struct pof_origin *o, struct pof_err *err);
    int (*refuse)(void *ctx, const struct pof_err *why, const struct pof_origin *o, struct pof_err *err);
    void *ctx;
};

int pofi_feed_init(struct pofi_feed *f, struct pof_err *err) POF_CHECKED;
void pofi_feed_release(struct pofi_feed *f);

/* The values of one record of a type, names as in the table, or for measurements as in terms.c. */
int pofi_feed_values(struct pofi_feed *f, const struct pofi_line *values, enum pof_type type,
                     const struct pof_origin *o, struct pof_err *err) POF_CHECKED;
/* A record made by the form. */
int pofi_feed_record(struct pofi_feed *f, const struct pof_record *r, const struct pof_origin *o,
                     struct pof_err *err) POF_CHECKED;
/* What f->why says about the place, if its error is one of data; else the error is passed on. */
int pofi_feed_refuse(struct pofi_feed *f, const struct pof_origin *o, struct pof_err *err) POF_CHECKED;

/* Counts a field that is left out. */
void pofi_skipped(struct pofi_feed *f, struct pof_text name);
/* Values as a flat JSON object of strings, which can be read again: what a reject of a document keeps.
 * *to is emptied before. */
int pofi_flat_text(struct pof_buf *to, const struct pofi_line *values, struct pof_err *err) POF_CHECKED;

struct pofi_form {
    const char *name;
    /* Does a source that begins with these bytes (all of it when it is short) have this form? */
    bool (*begins)(const struct pof_form_options *how, struct pof_text head);
    int (*read)(struct pofi_feed *f, const struct pof_source *src, struct pof_err *err);
};

/* The form of a source, NULL: records of our own. */
const struct pofi_form *pofi_form_of(const struct pof_form_options *how, struct pof_text head);

/* --- the forms --- */

extern const struct pofi_form pofi_form_json, pofi_form_line, pofi_form_xml, pofi_form_dialect;

/* One JSON value that is a record, a message or a batch, at a place. */
int pofi_json_value(struct pofi_feed *f, struct pof_text value, const struct pof_origin *o,
                    struct pof_err *err) POF_CHECKED;
/* One quantity as others name it, at a place: makes a reading of it. Names that estimation does not use
 * are counted as unknown. */
struct pofi_quantity {
    struct pof_text component, measurand, phase, data; /* phase may be empty */
    double scale;                                      /* of powers: 1000 where they are kW */
    int64_t start;
};
int pofi_quantity(struct pofi_feed *f, const struct pofi_quantity *q, const struct pof_origin *o,
                  struct pof_err *err) POF_CHECKED;
/* The standard deviation of a value of which accuracy_pct is three: of an angle in degrees, of the unit
 * vector (total vector error, IEEE C37.118.1), of the rest of the value, but at least of 1 A, 100 V or
 * 1 kW: never 0, which would mean exact. */
double pofi_deviation(double accuracy_pct, int quantity, double value);
/* Is it an object in a form of other programs? scan is used. */
bool pofi_json_is_foreign(struct pofi_line *scan, struct pof_text value);
/* The rest of an object that has been scanned (form_telegraf.c, form_sogno.c). */
int pofi_telegraf(struct pofi_feed *f, const struct pofi_line *object, const struct pof_origin *o,
                  struct pof_err *err) POF_CHECKED;
int pofi_sogno(struct pofi_feed *f, const struct pofi_line *object, const struct pof_origin *o,
               struct pof_err *err) POF_CHECKED;
/* A point of time-series programs: its tags and fields are values (numbers POFI_NUMBER). */
struct pofi_point {
    struct pofi_line *values; /* has room for one more */
    struct pof_text name, time;
};
int pofi_point(struct pofi_feed *f, const struct pofi_point *p, const struct pof_origin *o,
               struct pof_err *err) POF_CHECKED;

/* The elements of an XML document (form_meter_xml.c, form_analog.c). */
struct pofi_xml_part {
    const char *root; /* local name of the element that holds it all */
    int (*begin)(void **state, struct pofi_feed *f, struct pof_err *err);
    int (*open)(void *state, const char *name, const char *const *attr, struct pof_err *err);
    int (*close)(void *state, const char *name, struct pof_text text, uint64_t line, struct pof_err *err);
    int (*finish)(void *state, struct pof_err *err); /* the root is closed */
    void (*release)(void *state);
};
extern const struct pofi_xml_part pofi_meter_readings, pofi_analogs;

/* --- values --- */

const struct pofi_value *pofi_value_of(const struct pofi_line *line, const char *name);
/* The items of a nested JSON array, one after the other: *at begins as the text of the array. 1: *item
 * is filled; 0: none is left; the text has been checked by pofi_scan_json(). */
bool pofi_next_item(struct pof_text *at, struct pof_text *item);

/* --- meanings (terms.c) --- */

/* The values of a measurement in the names and units of other programs, as those of the table. Texts of
 * *out live in room. 1: done, but suspect, as energy and power do not agree (flag). Complaints name the
 * field as it was found. */
enum { POFI_ROOM = 12 * 32 };
int pofi_terms(const struct pof_form_options *how, const struct pofi_line *in, struct pofi_line *out,
               char *room, struct pof_err *err) POF_CHECKED;
/* Does this name ask for terms.c? */
bool pofi_is_term(struct pof_text name);

/* An instant as others write it, to milliseconds: RFC 3339 with any fraction, a date and time without
 * offset in the zone of how, or a number of seconds, or of a finer unit as how says. */
int pofi_instant_of(const struct pof_form_options *how, struct pof_text text, int64_t *ms,
                    struct pof_err *err) POF_CHECKED;

#endif
