/* SPDX-License-Identifier: Apache-2.0 */
/* Line protocol (InfluxData, "Line protocol reference"): name,tag=value field=value time, one a line.
 * Backslashes escape commas, equals signs and blanks in names, quotes and backslashes in strings. */
#include "record/form.h"

#include "base/lines.h"

#include <string.h>

struct cursor {
    const char *p, *end;
    struct pof_buf *room; /* where escapes are undone; large enough for the whole line */
};

/* A name or tag up to one of the bytes of stop, escapes undone. */
static struct pof_text token(struct cursor *c, const char *stop)
{
    const char *from = c->p;
    bool escaped = false;
    while (c->p < c->end && !strchr(stop, *c->p)) {
        bool escape = *c->p == '\\' && c->p + 1 < c->end && strchr(",= ", c->p[1]);
        escaped |= escape;
        c->p += 1 + escape;
    }
    struct pof_text t = {from, (size_t)(c->p - from)};
    if (!escaped) {
        return t;
    }
    char *to = c->room->data + c->room->len;
    size_t n = 0;
    for (size_t i = 0; i < t.len; i++) {
        i += t.ptr[i] == '\\' && i + 1 < t.len && strchr(",= ", t.ptr[i + 1]);
        to[n++] = t.ptr[i];
    }
    c->room->len += n;
    return (struct pof_text){to, n};
}

/* A string behind its quote. */
static bool string(struct cursor *c, struct pof_text *out)
{
    char *to = c->room->data + c->room->len;
    size_t n = 0;
    for (; c->p < c->end && *c->p != '"'; c->p++) {
        c->p += *c->p == '\\' && c->p + 1 < c->end && strchr("\"\\", c->p[1]);
        to[n++] = *c->p;
    }
    if (c->p == c->end) {
        return false;
    }
    c->p++;
    c->room->len += n;
    *out = (struct pof_text){to, n};
    return true;
}

static bool is_number(struct pof_text t)
{
    return t.len && (t.ptr[0] == '-' || (t.ptr[0] >= '0' && t.ptr[0] <= '9'));
}

static bool field_value(struct cursor *c, struct pofi_value *v)
{
    if (c->p < c->end && *c->p == '"') {
        c->p++;
        v->kind = POFI_STRING;
        return string(c, &v->text);
    }
    v->text = token(c, ", ");
    v->kind = is_number(v->text) ? POFI_NUMBER : POFI_WORD;
    if (v->kind == POFI_NUMBER && strchr("iu", v->text.ptr[v->text.len - 1])) {
        v->text.len--; /* 420i: an integer; 420u: one without sign */
    }
    return v->text.len > 0;
}

static int syntax(struct pof_err *why, const struct cursor *c, const char *expected)
{
    return pof_fail(why, POF_E_SYNTAX, "'%.*s' found, expected %s",
                    (int)(c->end - c->p < 20 ? c->end - c->p : 20), c->p, expected);
}

/* Pairs up to a blank, the byte at c->p before the first. */
static int pairs(struct cursor *c, struct pofi_line *values, bool fields, struct pof_err *why)
{
    do {
        if (values->n + 1 >= POFI_MEMBERS) { /* one is kept for the time */
            return pof_fail(why, POF_E_TOO_LONG, "more than %d tags and fields", POFI_MEMBERS - 1);
        }
        struct pofi_value *v = &values->value[values->n];
        c->p++;
        v->name = token(c, ",= ");
        if (v->name.len == 0 || c->p == c->end || *c->p != '=') {
            return syntax(why, c, fields ? "field=value" : "tag=value");
        }
        c->p++;
        if (fields ? !field_value(c, v) : (v->text = token(c, ", "), v->kind = POFI_STRING, v->text.len == 0)) {
            return syntax(why, c, "a value");
        }
        values->n++;
    } while (c->p < c->end && *c->p == ',');
    return 0;
}

static int parse(struct cursor *c, struct pofi_point *point, struct pof_err *why)
{
    point->values->n = 0;
    point->name = token(c, ", ");
    if (point->name.len == 0) {
        return syntax(why, c, "the name of a point");
    }
    int rc = c->p < c->end && *c->p == ',' ? pairs(c, point->values, false, why) : 0;
    if (rc == 0 && (c->p == c->end || *c->p != ' ')) {
        return syntax(why, c, "a blank and fields");
    }
    rc = rc ? rc : pairs(c, point->values, true, why);
    if (rc) {
        return rc;
    }
    if (c->p == c->end) {
        pof_fail(why, POF_E_MISSING, "a point without a timestamp: who stores it would set its own clock");
        return pof_at(why, NULL, 0, "timestamp");
    }
    c->p++;
    point->time = (struct pof_text){c->p, (size_t)(c->end - c->p)};
    return *(c->p - 1) == ' ' ? 0 : syntax(why, c, "a blank and the time");
}

static int take_line(struct pofi_feed *f, struct pof_text line, const struct pof_origin *o,
                     struct pof_err *err)
{
    struct pofi_line *values = &f->scan[0];
    struct pofi_point point = {.values = values};
    values->scratch.len = 0;
    int rc = pof_buf_reserve(&values->scratch, line.len + 1, err);
    if (rc) {
        return rc;
    }
    struct cursor c = {line.ptr, line.ptr + line.len, &values->scratch};
    if (memchr(line.ptr, '\0', line.len)) {
        rc = pof_fail(&f->why, POF_E_NUL, "a NUL byte in the line");
    } else if (!pofi_is_utf8(line)) {
        rc = pof_fail(&f->why, POF_E_ENCODING, "the line is not UTF-8");
    }
    return rc || parse(&c, &point, &f->why) ? pofi_feed_refuse(f, o, err) : pofi_point(f, &point, o, err);
}

static int read_lines(struct pofi_feed *f, const struct pof_source *src, struct pof_err *err)
{
    struct pof_lines lines = {.src = *src, .max = POFI_VALUE_MAX};
    struct pof_text line;
    int rc, got;
    for (rc = 0; rc == 0 && (got = pof_lines_next(&lines, &line, err)) != 0;) {
        if (got < 0) {
            struct pof_origin o = {.source = f->name, .line = lines.number, .offset = lines.offset};
            f->why = *err;
            rc = got == POF_E_TOO_LONG ? pofi_feed_refuse(f, &o, err) : got;
        } else if (line.len && *line.ptr != '#') {
            struct pof_origin o = {
                .source = f->name, .line = lines.number, .offset = lines.offset, .raw = line};
            rc = take_line(f, line, &o, err);
        }
    }
    pof_lines_release(&lines);
    return rc;
}

/* A header of a CSV has no equals sign, and begins with no comment. */
static bool begins(const struct pof_form_options *how, struct pof_text head)
{
    (void)how;
    const char *lf = memchr(head.ptr, '\n', head.len);
    size_t n = lf ? (size_t)(lf - head.ptr) : head.len;
    return *head.ptr == '#' || (memchr(head.ptr, '=', n) && memchr(head.ptr, ' ', n));
}

const struct pofi_form pofi_form_line = {"line", begins, read_lines};
