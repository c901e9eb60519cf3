/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/record: lines as our own writer makes them, straight into the record.
 *
 * A plain line is ASCII without quotes in cells and without escapes, ends with LF, has its members in
 * the order of the table (NDJSON, as pof_record_format() writes them) or of the header (CSV), numbers
 * without superfluous digits and instants in seconds of UTC. Every other line is left alone, so that
 * what is said about it is said in one place: scan_json.c, scan_csv.c and assign.c. Where a plain
 * line is taken, the result is the same as theirs; test/prop/record_plain.c holds the two together.
 * One pass over the bytes, nothing allocated.
 *
 * Other programs put members in another order, blanks between them, or leave out "schema", and do so
 * line after line. What stood around the values of a line that went the long way is kept as its
 * shape, and a line with the same bytes around plain values is taken as well. */
#ifndef POF_RECORD_PLAIN_H
#define POF_RECORD_PLAIN_H

#include "record/plan.h"
#include "record/scan.h"

enum { POFI_INSTANT = 20 }; /* 2026-03-29T00:15:00Z */

/* The instant that a column or member had last: rows mostly repeat it. */
struct pofi_instant {
    char text[POFI_INSTANT];
    int64_t value;
};

/* What a column holds: a field whose cell has a value, or the type, or (plus POFI_EMPTY) a field whose cell
 * can be empty. */
enum { POFI_SCHEMA = POFI_FIELDS, POFI_EMPTY = 2 * POFI_FIELDS };

enum { POFI_SHAPES = 4, POFI_SHAPE_BYTES = 1536, POFI_PATIENCE = 64 };

/* What stands around the values of a line. */
struct pofi_shape {
    enum pof_type type;
    uint64_t has;
    size_t n; /* values; 0: no shape */
    uint8_t field[POFI_FIELDS];
    uint16_t behind[POFI_FIELDS + 1]; /* end of the bytes before value i; then of those behind all */
    char bytes[POFI_SHAPE_BYTES];
};

/* What is prepared once for each header, and remembered from row to row. Initialise with {0}. */
struct pofi_plain {
    enum pof_type type;           /* of the rows; of the last NDJSON line */
    const struct pofi_plan *plan; /* of type; NULL: no row is plain */
    bool written;    /* the line taken last is byte for byte as the writer writes the record (or may
                        be told not to be) */
    bool all_fields; /* the header of the CSV is the one that the writer writes */
    size_t columns;
    uint8_t field[POFI_FIELDS]; /* CSV: what each column holds */
    uint64_t filled;            /* the fields of columns that have a value in every row */
    char day[12];               /* 2026-03-29T, the last day read; empty at first */
    int64_t midnight;           /* when it began */
    struct pofi_instant last[POFI_FIELDS]; /* by field; text is empty at first */
    struct pofi_shape shape[POFI_SHAPES];
    unsigned shapes, next; /* kept so far; the one to give way */
    unsigned fruitless;    /* shapes or types of rows learnt less lines taken by them, not below 0;
                              POFI_PATIENCE: no more are learnt */
};

/* Prepares for the rows of a CSV: names of columns, and their type (POF_TYPES: each row says). */
void pofi_plain_header(struct pofi_plain *p, enum pof_type type, const struct pof_names *header);

/* Learns from a row that was read the long way into a record of a type, where a column names the type:
 * those behind it are mostly of the same. */
void pofi_plain_row(struct pofi_plain *p, enum pof_type type, const struct pof_names *header);

/* Tries the line at bytes: its length with the LF when it was taken, 0 when it was left alone or
 * does not end before end. POF_STREAM_ZEROS zero bytes follow at end: no value runs past
 * the first of them. */
size_t pofi_plain_csv(struct pofi_plain *p, const char *bytes, const char *end,
                      struct pof_record *record);
size_t pofi_plain_json(struct pofi_plain *p, const char *bytes, const char *end,
                       struct pof_record *record);

/* Learns the shape of an NDJSON line that was read the long way into a record of a type with the fields
 * of has. The byte behind the line may be read. */
void pofi_plain_learn(struct pofi_plain *p, const struct pofi_line *scanned, struct pof_text line,
                      const struct pof_record *record);

#endif
