/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/record: the cells of Italian meter files, and what their columns are. */
#ifndef POF_RECORD_FORM_DIALECT_H
#define POF_RECORD_FORM_DIALECT_H

#include "num/time.h"
#include "record/form.h"

enum { POFI_QUANTITIES = 8 }; /* columns of values that a row for an interval has at most */

struct pofi_column {
    struct pof_text name;
    const char *term;     /* of a value, as in terms.c; NULL: no value */
    const char *opposite; /* the same for what is fed in; NULL: a power, whose sign says it */
    int quarter;          /* of a day's row: which quarter-hour, by number or by its time; -1 */
};

struct pofi_columns {
    struct pofi_column *column;
    size_t n, cap;
    struct pof_arena arena;
    int pod, source, day, time, number, direction; /* their places, -1: none */
    bool by_day;   /* a row is a day */
    bool by_clock; /* whose columns are times, not numbers */
    bool ends;     /* times name the ends of intervals */
    bool out;      /* of the row at hand: energy that is fed in */
};

/* Reads the header. Fails with the trap named: no unit, no day, no pod, another separator. */
int pofi_columns(struct pofi_columns *c, struct pofi_feed *f, struct pof_text header,
                 struct pof_err *err) POF_CHECKED;
void pofi_columns_release(struct pofi_columns *c);

/* The cells of a row; quotes around a cell are taken off, doubled ones in it are left. */
int pofi_split(struct pofi_line *out, struct pof_text row, struct pof_err *why) POF_CHECKED;

/* Each false: f->why says what was found. A day: 31/03/2026, 2026-03-31 or 20260331, more may follow. */
bool pofi_day(struct pofi_feed *f, struct pof_text text, struct pof_date *day);
/* The time in a cell, its last part, as the begin of an interval in seconds of the day; the end 00:00
 * gives a negative one. */
bool pofi_clock(struct pofi_feed *f, struct pof_text text, bool ends, int64_t *second);
/* Is it energy that is fed in? */
bool pofi_direction(struct pofi_feed *f, struct pof_text text, bool *out);

#endif
