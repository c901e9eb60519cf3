/* SPDX-License-Identifier: Apache-2.0 */
/* Lines into the window and the feed, or aside with the reason. */
#include "parts.h"

#include "record/reader.h"

#include <inttypes.h>

enum { LINE_MAX_BYTES = 1 << 16, SHOWN = 20, SOURCE_MAX = 255 };

static int reject(struct work *w, const struct pof_source *src, const struct pof_reader *from,
                  const struct pof_err *why, struct pof_err *err)
{
    struct pof_reject r = {.source = pof_text(src->name),
                           .line = (int64_t)pof_reader_line(from),
                           .offset = (int64_t)pof_reader_offset(from),
                           .field = pof_text(why->field),
                           .code = -why->code,
                           .reason = pof_text(why->text),
                           .raw = why->code == POF_E_TRUNCATED ? pof_text("") : pof_reader_raw(from)};
    r.source.len = r.source.len < SOURCE_MAX ? r.source.len : SOURCE_MAX;
    POF_SET(&r, reject, offset);
    if (why->field[0]) {
        POF_SET(&r, reject, field);
    }
    bool is_text = why->code != POF_E_NUL && why->code != POF_E_ENCODING;
    if (is_text && r.raw.len > 0 && r.raw.len <= LINE_MAX_BYTES) {
        POF_SET(&r, reject, raw);
    }
    w->n.rejected++;
    if (w->rejects) {
        return pof_writer_put(w->rejects, POF_reject, &r, err);
    }
    if (w->n.rejected <= SHOWN) {
        pof_cli_note(w->cli, "%s:%" PRId64 ":%s%s %s (E%" PRId64 ")", src->name, r.line, why->field,
                     why->field[0] ? ":" : "", why->text, r.code);
    }
    return 0;
}

static int refuse(struct pof_err *err, enum pof_code code, const char *field, const char *text)
{
    pof_fail(err, code, "%s", text);
    return pof_at(err, NULL, 0, field);
}

/* The instants at which a record counts: its own, and those at which it stands in for newer ones. */
static void span(const struct pof_record *r, int64_t *start, int64_t *end)
{
    bool reading = r->type == POF_reading;
    *start = reading ? r->u.reading.start : r->u.measurement.start;
    *end = reading ? *start : *start + r->u.measurement.duration_s;
}

/* Rules beside those of the table and of the grid. */
static int check(const struct work *w, const struct pof_record *r, struct pof_err *err)
{
    bool reading = r->type == POF_reading;
    int64_t start, end;
    if (!reading && r->type != POF_measurement) {
        return pof_fail(err, POF_E_SCHEMA, "a record of type %s, expected reading or measurement",
                        pof_layout(r->type)->name);
    }
    span(r, &start, &end);
    if (end > w->latest) {
        return refuse(err, POF_E_TIME, "start", "is in the future by more than --max-future");
    }
    if (w->window.newest != INT64_MIN && end < w->window.newest - w->args->keep) {
        return refuse(err, POF_E_TIME, "start", "lies before the newest instant by more than --keep");
    }
    if (reading && POF_HAS(&r->u.reading, reading, rho)) {
        return refuse(err, POF_E_CONFLICT, "rho", "correlated readings are not taken into cases");
    }
    if (reading && POF_HAS(&r->u.reading, reading, phase)) {
        return refuse(err, POF_E_PHYSICS, "phase", "is of one phase, expected balanced readings");
    }
    if (!reading && pof_names_find(&w->pods, r->u.measurement.pod) == POF_NONE) {
        return refuse(err, POF_E_REFERENCE, "pod", "is not registered, expected one of --pods");
    }
    return 0;
}

static int look(struct work *w, const struct pof_record *r, struct pof_err *err)
{
    int64_t start, end;
    int rc = check(w, r, err);
    if (rc == 0) {
        span(r, &start, &end);
        w->first = start < w->first ? start : w->first;
        w->until = end + w->args->feed.age_limit > w->until ? end + w->args->feed.age_limit : w->until;
        w->window.newest = start > w->window.newest ? start : w->window.newest;
    }
    return rc;
}

/* Into the feed and the window, unless it is there. */
static int take_in(struct work *w, const struct pof_record *r, bool fresh, struct pof_err *err)
{
    bool there = false;
    w->text.len = 0;
    int rc = fresh ? check(w, r, err) : 0;
    rc = rc ? rc : pof_record_format(&w->text, r->type, &r->u, err);
    struct pof_text line = {w->text.data, w->text.len};
    rc = rc ? rc : window_look(&w->window, r, line, &there, err);
    if (rc == 0 && !there) {
        rc = r->type == POF_reading ? pof_feed_reading(w->feed, &r->u.reading, err)
                                    : pof_feed_measurement(w->feed, &r->u.measurement, err);
        rc = rc ? rc : window_add(&w->window, r, line, fresh, err);
    }
    w->n.taken += rc == 0 && fresh && !there;
    w->n.repeated += rc == 0 && fresh && there;
    return rc;
}

static int take_line(struct work *w, const struct pof_record *r, enum take how, struct pof_err *err)
{
    return how == TAKE_LOOK ? look(w, r, err) : take_in(w, r, how == TAKE_IN, err);
}

int case_take(struct work *w, const struct pof_source *src, enum take how, struct pof_err *err)
{
    const struct pof_reader_options options = {.expect = POF_reading, .max_line = LINE_MAX_BYTES};
    struct pof_reader *reader = NULL;
    struct pof_record record;
    uint64_t before = w->n.lines;
    int rc = pof_reader_new(&reader, src, &options, err);
    while (rc == 0) {
        struct pof_err why = {0};
        int more = pof_reader_next(reader, &record, &why);
        if (more == 0) {
            break;
        }
        w->n.lines += how == TAKE_IN;
        rc = more < 0 ? more : take_line(w, &record, how, &why);
        bool broken = rc && pof_reader_broken(reader); /* a header of CSV: what follows is nothing */
        if (rc && pof_errinfo(why.code)->exit_status == 65) {
            rc = how == TAKE_IN ? reject(w, src, reader, &why, err) : 0;
        } else if (rc) {
            *err = why;
        }
        if (broken) {
            break;
        }
    }
    if (rc == 0 && how == TAKE_IN && w->n.lines == before) { /* blank, or CSV without a row */
        struct pof_err why = {0};
        pof_fail(&why, POF_E_TRUNCATED, "an input without any record");
        rc = reject(w, src, reader, &why, err);
    }
    pof_reader_free(reader);
    return rc;
}
