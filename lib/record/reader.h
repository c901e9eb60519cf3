/* SPDX-License-Identifier: Apache-2.0 */
/* Reading records: NDJSON or CSV, found out from the content.
 *
 * NDJSON: one flat object a line. Members in any order; strings, numbers, true, false; null means
 * not given. "schema" names the type; without it the reader's expected type is meant.
 * CSV: RFC 4180 with a header line; the type is the reader's expected type, or the only one whose
 * required fields are all in the header. Empty means not given. A header without rows is no record and
 * no error, unless it lacks a required column: then it is a bad line.
 * Both: UTF-8, LF or CRLF, one BOM skipped, lines up to max_line bytes, empty lines skipped.
 * Unknown members: refused when strict, else counted and skipped (nested values too, 64 deep);
 * names that begin with "x_" are always skipped. The last line may lack its LF.
 *
 * A bad line is an error with source, line and field set; the reader stays usable and goes on with
 * the next line, so the caller decides between stopping, collecting and keeping aside. After a line
 * that is too long the rest of that line is skipped. O(bytes); memory: one line. */
#ifndef POF_RECORD_READER_H
#define POF_RECORD_READER_H

#include "base/stream.h"
#include "record/record.h"
#include "record/writer.h"

struct pof_reader_options {
    enum pof_type expect; /* the type when the data do not say; POF_TYPES: they must */
    size_t max_line;      /* bytes; 0: 16 MiB */
    bool strict;          /* unknown fields are errors */
};

struct pof_reader;

int pof_reader_new(struct pof_reader **out, const struct pof_source *src,
                   const struct pof_reader_options *options, struct pof_err *err) POF_CHECKED;

/* 1: *record filled, its texts valid until the next call; 0: end of input; negative: a bad line
 * (read on) or, for READ and NOMEM errors, the end of what can be read. */
int pof_reader_next(struct pof_reader *r, struct pof_record *record,
                    struct pof_err *err) POF_CHECKED;

/* The line the last record or error came from, and its raw bytes (valid until the next call). */
uint64_t pof_reader_line(const struct pof_reader *r);
struct pof_text pof_reader_raw(const struct pof_reader *r);
/* How many bytes of the source stand before it. */
uint64_t pof_reader_offset(const struct pof_reader *r);
/* Is that line, with an LF, what a writer of the format would write for the record? CSV: under the header
 * that the writer writes. It may say no where it is. */
bool pof_reader_is_written(const struct pof_reader *r, enum pof_format format);
/* Did an error end the reading before the input ended (a CSV header, READ, NOMEM)? What is behind it
 * was not looked at. */
bool pof_reader_broken(const struct pof_reader *r);
/* Unknown fields skipped so far, and the name of the first. */
uint64_t pof_reader_unknown(const struct pof_reader *r, const char **first);

void pof_reader_free(struct pof_reader *r);

#endif
