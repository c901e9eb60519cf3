/* SPDX-License-Identifier: Apache-2.0 */
/* Writing records: NDJSON or CSV, one type a stream, the same bytes every time.
 *
 * Members in the order of records.def, numbers in their shortest exact form, instants in UTC,
 * optional fields left out when not given. Reading what was written gives the record back. */
#ifndef POF_RECORD_WRITER_H
#define POF_RECORD_WRITER_H

#include "base/stream.h"
#include "num/time.h"
#include "record/record.h"

enum pof_format { POF_NDJSON, POF_CSV };

/* A writer collects output in a buffer and hands it on in blocks. Initialise with pof_writer_init,
 * end with pof_writer_flush and pof_writer_release. */
struct pof_writer {
    struct pof_sink sink;
    enum pof_format format;
    enum pof_type type; /* of the CSV header written; POF_TYPES before */
    struct pof_buf buf;
    uint64_t records;
    struct pof_near near; /* the last instant written */
};

void pof_writer_init(struct pof_writer *w, const struct pof_sink *sink, enum pof_format format);
/* record is the structure of that type. CSV refuses a second type. The record is checked first. */
int pof_writer_put(struct pof_writer *w, enum pof_type type, const void *record,
                   struct pof_err *err) POF_CHECKED;
/* The same from a line without its LF, for which pof_reader_is_written() says yes; copied as it is. */
int pof_writer_put_line(struct pof_writer *w, enum pof_type type, struct pof_text line,
                        struct pof_err *err) POF_CHECKED;
int pof_writer_flush(struct pof_writer *w, struct pof_err *err) POF_CHECKED;
void pof_writer_release(struct pof_writer *w);

/* One record as one NDJSON line without its LF, added to a buffer. */
int pof_record_format(struct pof_buf *to, enum pof_type type, const void *record,
                      struct pof_err *err) POF_CHECKED;

/* The text of a value that is neither TEXT nor DATE (those are their own text), as the writer
 * writes it. to has POF_DECIMAL_MAX bytes and is not NUL-terminated; returns the length. */
size_t pof_value_format(const struct pof_field *field, const void *member, char *to);

/* A JSON string with its quotes, added to a buffer; RFC 8785 escapes. text must be UTF-8. */
int pof_json_string(struct pof_buf *to, struct pof_text text, struct pof_err *err) POF_CHECKED;

#endif
