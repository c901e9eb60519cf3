/* SPDX-License-Identifier: Apache-2.0 */
/* Records in the forms of time-series databases and of people.
 *
 * A point has a name (the record's type), tags, fields and an instant. Words and texts of at most 96
 * bytes are tags, numbers are fields; longer texts, dates and further instants are fields of type
 * string, so that they do not become an index. The instant is `start`, or `datetime` of events; a
 * type without one cannot be a point. Nothing of a record is left out, except its version.
 *
 *   telegraf  {"name":...,"tags":{...},"fields":{...},"timestamp":...}, the JSON output format of
 *             Telegraf (InfluxData, Telegraf documentation, "JSON output data format")
 *   line      name,tag=value field=value timestamp, the line protocol of InfluxDB (InfluxData,
 *             "Line protocol reference"): integers end in i, strings are quoted
 *   table     columns that a person can read, and table.h can read back */
#ifndef POF_RECORD_EXPORT_H
#define POF_RECORD_EXPORT_H

#include "record/record.h"

enum pof_export_form { POF_EXPORT_TELEGRAF, POF_EXPORT_LINE, POF_EXPORT_TABLE };

enum { POF_TAG_MAX = 96 }; /* bytes of a text that still is a tag */

/* A tag added to every point. */
struct pof_tag {
    struct pof_text key, value;
};

struct pof_export {
    enum pof_export_form form;
    struct pof_text name;      /* of points; empty: the type of the record */
    const struct pof_tag *tag; /* added to each point, before the record's own */
    size_t tags;
    int64_t per_second;        /* timestamps: 1, 1000, 1000000 or 1000000000 */
};

/* One record as a point with its LF (line), or as a JSON object without one (telegraf). The record
 * has passed pof_record_check or a reader. POF_E_MISSING: no instant, or no field; POF_E_RANGE: an
 * instant finer than the unit of timestamps, or beyond 64 bits; POF_E_DUPLICATE: a tag
 * named as a field; POF_E_SYNTAX: a text that line
 * protocol cannot carry (a line break, a backslash at its end). Then nothing is added to the
 * buffer. */
int pof_export_point(const struct pof_export *x, struct pof_buf *to, enum pof_type type,
                     const void *record, struct pof_err *err) POF_CHECKED;

/* "key=value" as given by a user. false: not of that form. */
bool pof_tag_parse(struct pof_text text, struct pof_tag *tag);

#endif
