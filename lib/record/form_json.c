/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of other programs: values one behind the other, in a list, or in a Telegraf batch, each on one
 * line or on many. One value is in memory at a time, so a batch may be endless. */
#include "record/form.h"

#include <string.h>

/* --- one value --- */

bool pofi_json_is_foreign(struct pofi_line *scan, struct pof_text value)
{
    if (pofi_scan_json(scan, value, NULL) != 0 || pofi_value_of(scan, "schema")) {
        return false;
    }
    for (size_t k = 0; k < scan->n; k++) {
        const struct pofi_value *v = &scan->value[k];
        bool nested = v->kind == POFI_NESTED &&
                      (pof_text_is(v->name, "fields") || pof_text_is(v->name, "readings") ||
                       pof_text_is(v->name, "metrics") || pof_text_is(v->name, "ts"));
        if (nested || pofi_is_term(v->name)) {
            return true;
        }
    }
    return false;
}

static bool is_nested(const struct pofi_value *v, char bracket)
{
    return v && v->kind == POFI_NESTED && *v->text.ptr == bracket;
}

/* A record of our own, or a flat object of others, such as a light node's. */
static int flat(struct pofi_feed *f, const struct pofi_line *object, const struct pof_origin *o,
                struct pof_err *err)
{
    const struct pofi_value *schema = pofi_value_of(object, "schema");
    enum pof_type type = schema ? pof_type_of(schema->text) : POF_measurement;
    if (type == POF_TYPES) {
        pof_fail(&f->why, POF_E_SCHEMA, "'%.*s' is no record type of this version",
                 (int)(schema->text.len < 60 ? schema->text.len : 60), schema->text.ptr);
        pof_at(&f->why, NULL, 0, "schema");
        return pofi_feed_refuse(f, o, err);
    }
    return pofi_feed_values(f, object, type, o, err);
}

static int batch(struct pofi_feed *f, struct pof_text list, const struct pof_origin *o,
                 struct pof_err *err)
{
    struct pof_text item;
    int rc = 0;
    while (rc == 0 && pofi_next_item(&list, &item)) {
        struct pof_origin at = *o;
        at.raw = item;
        rc = pofi_json_value(f, item, &at, err);
    }
    return rc;
}

int pofi_json_value(struct pofi_feed *f, struct pof_text value, const struct pof_origin *o,
                    struct pof_err *err)
{
    struct pofi_line *object = &f->scan[0];
    int rc = 0;
    if (memchr(value.ptr, '\0', value.len)) {
        rc = pof_fail(&f->why, POF_E_NUL, "a NUL byte in the value");
    } else if (!pofi_is_utf8(value)) {
        rc = pof_fail(&f->why, POF_E_ENCODING, "the value is not UTF-8");
    }
    rc = rc ? rc : pofi_scan_json(object, value, &f->why);
    if (rc) {
        return pofi_feed_refuse(f, o, err);
    }
    const struct pofi_value *metrics = pofi_value_of(object, "metrics");
    if (is_nested(metrics, '[')) {
        return batch(f, metrics->text, o, err);
    }
    if (is_nested(pofi_value_of(object, "fields"), '{')) {
        return pofi_telegraf(f, object, o, err);
    }
    if (is_nested(pofi_value_of(object, "readings"), '[')) {
        return pofi_sogno(f, object, o, err);
    }
    if (is_nested(pofi_value_of(object, "ts"), '{')) {
        pof_fail(&f->why, POF_E_SCHEMA, "a VILLASnode sample: its values have no names; expected a SOGNO "
                                        "message");
        return pofi_feed_refuse(f, o, err);
    }
    return flat(f, object, o, err);
}

/* --- values of a source --- */

struct values {
    struct pofi_feed *f;
    struct pof_source src;
    struct pof_buf buf;
    size_t pos;
    uint64_t dropped, line;
    bool eof;
    bool in_list, in_batch; /* within [ ... ] or {"metrics":[ ... ]} */
    bool begun;             /* a value of the list was there */
};

static int fill(struct values *v, struct pof_err *err)
{
    ssize_t n = pof_source_more(&v->src, &v->buf, v->pos, err);
    v->dropped += v->pos;
    v->pos = 0;
    v->eof = n == 0;
    return n < 0 ? (int)n : 0;
}

/* The byte at pos + n, -1 behind the end; reads on when it must. */
static int byte_at(struct values *v, size_t n, int *byte, struct pof_err *err)
{
    while (v->buf.len - v->pos <= n) {
        if (v->eof) {
            *byte = -1;
            return 0;
        }
        int rc = fill(v, err);
        if (rc) {
            return rc;
        }
    }
    *byte = (unsigned char)v->buf.data[v->pos + n];
    return 0;
}

/* Goes over blanks; *byte is the first that is none. */
static int skip_blanks(struct values *v, int *byte, struct pof_err *err)
{
    for (;;) {
        int rc = byte_at(v, 0, byte, err);
        if (rc || *byte < 0 || !memchr(" \t\r\n", *byte, 4)) {
            return rc;
        }
        v->line += *byte == '\n';
        v->pos++;
    }
}

/* How a walk over a value stands. */
struct walk {
    size_t depth;
    bool inside; /* a string */
    bool escape;
};

/* One byte more; true: the value ends with it. */
static bool walk_on(struct walk *w, int c)
{
    if (w->inside) {
        w->inside = w->escape || c != '"';
        w->escape = !w->escape && c == '\\';
        return false;
    }
    w->inside = c == '"';
    w->depth += c == '{' || c == '[';
    w->depth -= (c == '}' || c == ']') && w->depth > 0;
    return w->depth == 0;
}

/* The length of the value that begins at pos with a bracket. A line break within a string, or a line that
 * begins a new object at its first byte, ends one that was never closed: what follows must not be lost
 * with it. */
static int value_length(struct values *v, size_t *len, struct pof_err *err)
{
    struct walk w = {0};
    int c = 0, before = 0;
    for (size_t n = 0;; n++, before = c) {
        int rc = byte_at(v, n, &c, err);
        if (rc) {
            return rc;
        }
        bool broken = c < 0 || n > POFI_VALUE_MAX || (c == '\n' && w.inside) ||
                      (n && before == '\n' && c == '{');
        if (broken || walk_on(&w, c)) {
            *len = broken ? n : n + 1;
            return 0;
        }
    }
}

static int refuse_rest_of_line(struct values *v, enum pof_code code, const char *expected,
                               struct pof_err *err)
{
    size_t n = 0;
    int c, rc;
    while ((rc = byte_at(v, n, &c, err)) == 0 && c >= 0 && c != '\n' && n < POFI_VALUE_MAX) {
        n++;
    }
    if (rc) {
        return rc;
    }
    struct pof_text raw = {v->buf.data + v->pos, n};
    struct pof_origin o = {.source = v->f->name, .line = v->line, .offset = v->dropped + v->pos, .raw = raw};
    pof_fail(&v->f->why, code, "'%.*s' found, expected %s", (int)(n < 20 ? n : 20), raw.ptr, expected);
    if (memchr(raw.ptr, '\0', n) || !pofi_is_utf8(raw)) {
        pof_fail(&v->f->why, POF_E_ENCODING, "no JSON and not UTF-8");
    }
    rc = pofi_feed_refuse(v->f, &o, err);
    v->pos += n;
    return rc;
}

static int take_value(struct values *v, struct pof_err *err)
{
    size_t n;
    int rc = value_length(v, &n, err);
    if (rc) {
        return rc;
    }
    struct pof_text value = {v->buf.data + v->pos, n};
    while (value.len && memchr(" \t\r\n", value.ptr[value.len - 1], 4)) {
        value.len--;
    }
    struct pof_origin o = {.source = v->f->name, .line = v->line, .offset = v->dropped + v->pos, .raw = value};
    if (n > POFI_VALUE_MAX) {
        o.raw.len = 0;
        pof_fail(&v->f->why, POF_E_TOO_LONG, "a value of more than %d bytes", (int)POFI_VALUE_MAX);
        rc = pofi_feed_refuse(v->f, &o, err);
    } else {
        rc = pofi_json_value(v->f, value, &o, err);
    }
    for (const char *p = value.ptr; (p = memchr(p, '\n', n - (size_t)(p - value.ptr))) != NULL; p++) {
        v->line++;
    }
    v->pos += n;
    v->begun = true;
    return rc;
}

/* Is the object at pos a batch, {"metrics":[ ? Then pos goes behind the bracket. */
static int open_batch(struct values *v, bool *is, struct pof_err *err)
{
    static const char word[] = "{\"metrics\":[";
    size_t n = 0;
    int c, rc;
    *is = false;
    for (const char *p = word; *p; p++, n++) {
        while ((rc = byte_at(v, n, &c, err)) == 0 && p != word && p[-1] != '"' && c > 0 &&
               memchr(" \t\r\n", c, 4)) {
            n++;
        }
        if (rc || c != *p) {
            /* A blank between the name and its colon is the only other place for one. */
            return rc;
        }
    }
    for (size_t i = 0; i < n; i++) {
        v->line += v->buf.data[v->pos + i] == '\n';
    }
    v->pos += n;
    v->in_batch = *is = true;
    v->begun = false;
    return 0;
}

/* Within a list: a comma, the end, or a value. */
static int within(struct values *v, int c, struct pof_err *err)
{
    if (c == ',' && v->begun) {
        v->begun = false;
        v->pos++;
        return 0;
    }
    if (c == ']') {
        v->pos++;
        int rc = v->in_batch ? skip_blanks(v, &c, err) : 0;
        bool closed = !v->in_batch || c == '}';
        v->pos += v->in_batch && closed;
        v->in_list = v->in_batch = false;
        return rc || closed ? rc
                            : refuse_rest_of_line(v, POF_E_SYNTAX, "'}' behind the list of metrics", err);
    }
    return c == '{' && !v->begun ? take_value(v, err)
                                 : refuse_rest_of_line(v, POF_E_SYNTAX, "objects with commas between them", err);
}

static int read_values(struct values *v, struct pof_err *err)
{
    for (;;) {
        int c;
        bool is_batch = false;
        int rc = skip_blanks(v, &c, err);
        if (rc) {
            return rc;
        }
        if (c < 0) {
            break;
        }
        if (v->in_list || v->in_batch) {
            rc = within(v, c, err);
        } else if (c == '[') {
            v->in_list = true;
            v->begun = false;
            v->pos++;
        } else if (c == '{') {
            rc = open_batch(v, &is_batch, err);
            rc = rc || is_batch ? rc : take_value(v, err);
        } else {
            rc = refuse_rest_of_line(v, POF_E_SYNTAX, "a JSON object", err);
        }
        if (rc) {
            return rc;
        }
    }
    if (v->in_list || v->in_batch) {
        struct pof_origin o = {.source = v->f->name, .line = v->line, .offset = v->dropped + v->pos};
        pof_fail(&v->f->why, POF_E_TRUNCATED, "the source ends within a list, expected ']'");
        return pofi_feed_refuse(v->f, &o, err);
    }
    return 0;
}

static int read_json(struct pofi_feed *f, const struct pof_source *src, struct pof_err *err)
{
    struct values v = {.f = f, .src = *src, .line = 1};
    int c;
    int rc = byte_at(&v, 2, &c, err);
    if (rc == 0 && v.buf.len >= 3 && memcmp(v.buf.data, "\xef\xbb\xbf", 3) == 0) {
        v.pos = 3;
    }
    rc = rc ? rc : read_values(&v, err);
    pof_buf_release(&v.buf);
    return rc;
}

/* An object that the reader of records takes is left to it; it is a hundred times as fast. A line that
 * ends before its object does may be the first of many. No more than the first line is looked at, so that
 * nobody waits for another. */
static bool begins(const struct pof_form_options *how, struct pof_text head)
{
    (void)how;
    if (*head.ptr != '{') {
        return *head.ptr == '[';
    }
    const char *lf = memchr(head.ptr, '\n', head.len);
    struct pof_text first = {head.ptr, lf ? (size_t)(lf - head.ptr) : head.len};
    struct pofi_line scan = {0};
    struct pof_err err = {0};
    bool whole = pofi_scan_json(&scan, first, &err) == 0;
    bool foreign = whole ? pofi_json_is_foreign(&scan, first) : err.code == POF_E_TRUNCATED;
    pof_buf_release(&scan.scratch);
    return foreign;
}

const struct pofi_form pofi_form_json = {"json", begins, read_json};
