/* SPDX-License-Identifier: Apache-2.0 */
/* Italian meter files: cells parted by semicolons, decimal commas, local time.
 *
 * What columns are their names say (form_dialect_head.c). A row is an interval, or a day with a column
 * for each quarter-hour. A day has 92, 96 or 100 quarter-hours by the European rule (num/time.h): of a
 * day that has not 96, a row must have all. The hour that comes twice is told by the order of a pod's
 * rows: the first time it is summer time. */
#include "record/form_dialect.h"

#include "base/lines.h"
#include "base/mem.h"
#include "num/decimal.h"
#include "num/units.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct file {
    struct pofi_feed *f;
    struct pofi_columns columns;
    struct pofi_line cells;
    struct pof_names pods;
    int64_t *last; /* by number of pod: start of its last row */
    size_t last_cap;
    struct pof_text pod, source;
    struct pof_origin at;
};

static int bad(struct file *d, size_t column, struct pof_err *err)
{
    char name[sizeof d->f->why.field];
    struct pof_text t = column < d->columns.n ? d->columns.column[column].name : (struct pof_text){"", 0};
    size_t n = t.len < sizeof name - 1 ? t.len : sizeof name - 1;
    memcpy(name, t.len ? t.ptr : "", n);
    name[n] = '\0';
    pof_at(&d->f->why, NULL, 0, n ? name : NULL);
    return pofi_feed_refuse(d->f, &d->at, err);
}

static struct pof_text cell(const struct file *d, int column)
{
    return column < 0 || (size_t)column >= d->cells.n ? (struct pof_text){"", 0}
                                                      : d->cells.value[column].text;
}

/* 0,123 to 0.123 in room. A point may part thousands or be a decimal point of another country: nobody
 * can tell 1.234 from 1234. */
static bool decimal(struct pofi_feed *f, struct pof_text t, char room[static 32], struct pof_text *out)
{
    if (memchr(t.ptr, '.', t.len) || t.len > 31) {
        pof_fail(&f->why, POF_E_NUMBER,
                 "'%.*s' has a point where the dialect has a decimal comma: thousands or decimals?",
                 (int)(t.len < 60 ? t.len : 60), t.ptr);
        return false;
    }
    memcpy(room, t.ptr, t.len);
    char *comma = memchr(room, ',', t.len);
    if (comma) {
        *comma = '.';
    }
    *out = (struct pof_text){room, t.len};
    return true;
}

/* --- time --- */

static enum pof_zone zone_of(const struct file *d)
{
    return d->f->how->zone < 0 ? POF_ZONE_CET : (enum pof_zone)d->f->how->zone;
}

/* The number of the pod at hand; its last start is INT64_MIN at first. */
static int pod_number(struct file *d, uint32_t *id, struct pof_err *err)
{
    size_t before = d->pods.n;
    int rc = pof_names_add(&d->pods, d->pod, id, err);
    rc = rc ? rc : pof_grow(&d->last, &d->last_cap, (size_t)*id + 1, sizeof *d->last, err);
    if (rc == 0 && *id == before) {
        d->last[*id] = INT64_MIN;
    }
    return rc;
}

/* The instant of a local second of a day. */
static bool instant_of(struct file *d, struct pof_date day, int64_t second, int64_t last, int64_t *at)
{
    enum pof_zone zone = zone_of(d);
    int64_t wall = pof_date_days(day) * 86400 + second;
    *at = pof_local_instant(zone, day, second);
    if (*at + pof_zone_offset(zone, *at) != wall) {
        pof_fail(&d->f->why, POF_E_TIME, "%02d:%02d does not exist on this day in %s: the clocks skip it",
                 (int)(second / 3600), (int)(second / 60 % 60), pof_zone_name(zone));
        return false;
    }
    bool twice = zone != POF_ZONE_UTC && *at + 3600 + pof_zone_offset(zone, *at + 3600) == wall;
    if (twice && last >= *at + 3600) {
        pof_fail(&d->f->why, POF_E_TIME,
                 "%02d:%02d comes twice on this day in %s, and rows out of order do not tell which it is",
                 (int)(second / 3600), (int)(second / 60 % 60), pof_zone_name(zone));
        return false;
    }
    *at += twice && last >= *at ? 3600 : 0;
    return true;
}

/* --- values --- */

static void add(struct pofi_line *values, const char *name, struct pof_text text)
{
    if (text.len && values->n < POFI_MEMBERS) {
        values->value[values->n++] = (struct pofi_value){pof_text(name), text, POFI_CSV};
    }
}

/* A measurement that begins at start: of one cell (a day's row), or of all cells with a quantity. */
static int emit(struct file *d, int64_t start, int only, struct pof_err *err)
{
    struct pofi_line *values = &d->f->scan[0];
    char begin[POF_INSTANT_MAX], duration[POF_DECIMAL_MAX], room[POFI_QUANTITIES][32];
    size_t rooms = 0;
    int64_t seconds = only >= 0 || !d->f->how->raster_s ? POF_QUARTER_S : d->f->how->raster_s;
    values->n = 0;
    add(values, "pod", d->pod);
    add(values, "start", (struct pof_text){begin, pof_instant_format(start, begin)});
    add(values, "duration_s", (struct pof_text){duration, pof_decimal_format(seconds, 0, duration)});
    add(values, "source", d->source);
    for (size_t k = 0; k < d->columns.n && rooms < POFI_QUANTITIES; k++) {
        struct pof_text t = cell(d, (int)k), number;
        const char *name = d->columns.column[k].term;
        if (!name || !t.len || (only >= 0 && (size_t)only != k)) {
            continue;
        }
        name = d->columns.out ? d->columns.column[k].opposite : name;
        if (!name) {
            pof_fail(&d->f->why, POF_E_TYPE, "power that is fed in: expected energy (kWh), or a sign");
        }
        if (!name || !decimal(d->f, t, room[rooms++], &number)) {
            return bad(d, k, err);
        }
        add(values, name, number);
    }
    int rc = pofi_flat_text(&d->f->raw, values, err);
    struct pof_origin o = d->at;
    o.raw = (struct pof_text){d->f->raw.data, d->f->raw.len};
    return rc ? rc : pofi_feed_values(d->f, values, POF_measurement, &o, err);
}

/* --- a row for a day --- */

static int short_day(struct file *d, struct pof_date day, int64_t quarters, size_t found,
                     struct pof_err *err)
{
    pof_fail(&d->f->why, POF_E_COLUMNS,
             "%04d-%02d-%02d has %" PRId64 " quarter-hours in %s, the row has %zu values", day.year, day.month,
             day.day, quarters, pof_zone_name(zone_of(d)), found);
    return bad(d, (size_t)d->columns.day, err);
}

/* Columns are numbered, or their times name each quarter-hour of this day in order. */
static int day_row(struct file *d, struct pof_date day, struct pof_err *err)
{
    int64_t start, end;
    pof_market_day(zone_of(d), day, &start, &end);
    int64_t quarters = (end - start) / POF_QUARTER_S;
    size_t found = 0;
    for (size_t k = 0; k < d->columns.n; k++) {
        found += d->columns.column[k].quarter >= 0 && cell(d, (int)k).len > 0;
    }
    /* A short row of a changed day cannot be laid out, and on no day is there room for more. */
    if (found > (size_t)quarters || (quarters != 96 && found != (size_t)quarters)) {
        return short_day(d, day, quarters, found, err);
    }
    int64_t last = INT64_MIN;
    int rc = 0;
    for (size_t k = 0; k < d->columns.n && rc == 0; k++) {
        const struct pofi_column *c = &d->columns.column[k];
        int64_t at = start + (int64_t)c->quarter * POF_QUARTER_S;
        if (c->quarter < 0 || cell(d, (int)k).len == 0) {
            continue;
        }
        if (d->columns.by_clock && !instant_of(d, day, (int64_t)c->quarter * POF_QUARTER_S, last, &at)) {
            rc = bad(d, k, err);
            continue;
        }
        if (at >= end) {
            return short_day(d, day, quarters, (size_t)c->quarter + 1, err);
        }
        last = at;
        rc = emit(d, at, (int)k, err);
    }
    return rc;
}

/* --- a row for an interval --- */

static int interval_row(struct file *d, struct pof_date day, struct pof_err *err)
{
    const struct pofi_columns *c = &d->columns;
    uint32_t id;
    int64_t second, at, start, end;
    int rc = pod_number(d, &id, err);
    if (rc) {
        return rc;
    }
    if (c->number >= 0) {
        int64_t k;
        pof_market_day(zone_of(d), day, &start, &end);
        if (!pof_decimal_parse(cell(d, c->number), 0, &k) || k < 1 || k > (end - start) / POF_QUARTER_S) {
            pof_fail(&d->f->why, POF_E_RANGE, "'%.*s' is no quarter-hour of this day in %s, expected 1 to %" PRId64,
                     (int)cell(d, c->number).len, cell(d, c->number).ptr, pof_zone_name(zone_of(d)),
                     (end - start) / POF_QUARTER_S);
            return bad(d, (size_t)c->number, err);
        }
        return emit(d, start + (k - 1) * POF_QUARTER_S, -1, err);
    }
    int column = c->time >= 0 ? c->time : c->day;
    if (!pofi_clock(d->f, cell(d, column), c->ends, &second)) {
        return bad(d, (size_t)column, err);
    }
    if (second < 0) { /* 00:00 as an end is that of the day before, whether it is called 24:00 or not */
        day = pof_date_of_days(pof_date_days(day) - 1);
        second += 86400;
    }
    if (!instant_of(d, day, second, d->last[id], &at)) {
        return bad(d, (size_t)column, err);
    }
    d->last[id] = at;
    return emit(d, at, -1, err);
}

/* --- the file --- */

static int take_row(struct file *d, struct pof_text line, struct pof_err *err)
{
    const struct pofi_columns *c = &d->columns;
    struct pof_date day;
    int rc = pofi_split(&d->cells, line, &d->f->why);
    if (rc == 0 && d->cells.n != c->n) {
        rc = pof_fail(&d->f->why, POF_E_COLUMNS, "%zu columns, the header has %zu", d->cells.n, c->n);
    }
    if (rc) {
        return pofi_feed_refuse(d->f, &d->at, err);
    }
    d->pod = c->pod >= 0 ? cell(d, c->pod) : pof_text(d->f->how->pod);
    d->source = cell(d, c->source);
    if (!pofi_day(d->f, cell(d, c->day), &day)) {
        return bad(d, (size_t)c->day, err);
    }
    d->columns.out = false;
    if (c->direction >= 0 && !pofi_direction(d->f, cell(d, c->direction), &d->columns.out)) {
        return bad(d, (size_t)c->direction, err);
    }
    return c->by_day ? day_row(d, day, err) : interval_row(d, day, err);
}

static int take_line(struct file *d, struct pof_text line, bool first, struct pof_err *err)
{
    if (memchr(line.ptr, '\0', line.len) || !pofi_is_utf8(line)) {
        pof_fail(&d->f->why, POF_E_ENCODING, "the line is not UTF-8 text; iconv -f windows-1252 -t utf-8 makes it so");
        if (first) {
            *err = d->f->why;
            return err->code;
        }
        return pofi_feed_refuse(d->f, &d->at, err);
    }
    return first ? pofi_columns(&d->columns, d->f, line, err) : take_row(d, line, err);
}

static int read_file(struct pofi_feed *f, const struct pof_source *src, struct pof_err *err)
{
    struct file d = {.f = f};
    struct pof_lines lines = {.src = *src, .max = 1 << 20};
    struct pof_text line;
    bool first = true;
    int rc, got;
    for (rc = 0; rc == 0 && (got = pof_lines_next(&lines, &line, err)) != 0;) {
        d.at = (struct pof_origin){.source = f->name, .line = lines.number, .offset = lines.offset};
        if (got < 0) {
            f->why = *err;
            rc = got == POF_E_TOO_LONG && !first ? pofi_feed_refuse(f, &d.at, err) : got;
        } else if (line.len) {
            if (first && line.len >= 3 && memcmp(line.ptr, "\xef\xbb\xbf", 3) == 0) {
                line = (struct pof_text){line.ptr + 3, line.len - 3};
            }
            d.at.raw = line;
            rc = take_line(&d, line, first, err);
            rc = rc && first ? pof_at(err, f->name, lines.number, NULL) : rc;
            first = false;
        }
    }
    pof_lines_release(&lines);
    pofi_columns_release(&d.columns);
    pof_buf_release(&d.cells.scratch);
    pof_names_release(&d.pods);
    free(d.last);
    return rc;
}

/* Without the option a header with semicolons is taken too, to be refused with the right word. */
static bool begins(const struct pof_form_options *how, struct pof_text head)
{
    const char *lf = memchr(head.ptr, '\n', head.len);
    size_t n = lf ? (size_t)(lf - head.ptr) : head.len;
    return how->dialect != POF_DIALECT_NONE ||
           (memchr(head.ptr, ';', n) && !memchr(head.ptr, ',', n) && !memchr(head.ptr, '=', n));
}

const struct pofi_form pofi_form_dialect = {"dialect", begins, read_file};
