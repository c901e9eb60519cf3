/* SPDX-License-Identifier: Apache-2.0 */
/* Records to bytes. */
#include "record/writer.h"

#include "num/decimal.h"
#include "num/real.h"
#include "num/time.h"

#include <string.h>

enum { BLOCK = 128 * 1024 };

void pof_writer_init(struct pof_writer *w, const struct pof_sink *sink, enum pof_format format)
{
    *w = (struct pof_writer){.sink = *sink, .format = format, .type = POF_TYPES};
}

int pof_writer_flush(struct pof_writer *w, struct pof_err *err)
{
    int rc = w->buf.len ? w->sink.write(w->sink.ctx, w->buf.data, w->buf.len, err) : 0;
    w->buf.len = 0;
    return rc;
}

void pof_writer_release(struct pof_writer *w)
{
    pof_buf_release(&w->buf);
}

/* Does any of eight bytes need an escape: below 0x20, a quote, a backslash? A byte with its high
 * bit set may answer yes by mistake, which costs only time. (Bit tricks after S. E. Anderson, "Bit
 * Twiddling Hacks", determine if a word has a byte less than n.) */
static bool eight_special(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t w;
    memcpy(&w, p, 8);
    uint64_t quote = w ^ ones * '"';
    uint64_t slash = w ^ ones * '\\';
    uint64_t low = (w - ones * 0x20) | (quote - ones) | (slash - ones) | w;
    return (low & ones * 0x80) != 0;
}

static bool is_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* A special byte as its escape; returns the place behind it. */
static char *escape(char *p, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char named[] = "\b\t\n\f\r";
    static const char letters[] = "btnfr";
    const char *short_form = c && c < 0x20 ? strchr(named, c) : NULL;
    *p++ = '\\';
    if (c >= 0x20) {
        *p++ = (char)c;
    } else if (short_form) {
        *p++ = letters[short_form - named];
    } else {
        memcpy(p, "u00", 3);
        p[3] = hex[c >> 4];
        p[4] = hex[c & 15];
        p += 5;
    }
    return p;
}

/* The string with its quotes at p, which has room for 6 bytes a byte and two. */
static char *put_string(char *p, struct pof_text t)
{
    size_t i = 0;
    *p++ = '"';
    while (i < t.len) {
        if (t.len - i >= 8 && !eight_special(t.ptr + i)) {
            memcpy(p, t.ptr + i, 8);
            p += 8;
            i += 8;
            continue;
        }
        unsigned char c = (unsigned char)t.ptr[i++];
        if (is_special(c)) {
            p = escape(p, c);
        } else {
            *p++ = (char)c;
        }
    }
    *p++ = '"';
    return p;
}

int pof_json_string(struct pof_buf *to, struct pof_text t, struct pof_err *err)
{
    if (t.len > SIZE_MAX / 8) {
        return pof_fail(err, POF_E_TOO_LONG, "string of %zu bytes", t.len);
    }
    int rc = pof_buf_reserve(to, t.len * 6 + 2, err);
    if (rc == 0) {
        to->len = (size_t)(put_string(to->data + to->len, t) - to->data);
    }
    return rc;
}

size_t pof_value_format(const struct pof_field *f, const void *member, char *to)
{
    int64_t v;
    double d;
    int w;
    switch (f->kind) {
    case POF_KIND_WORD:
        memcpy(&w, member, sizeof w);
        size_t n = strlen(f->words[w]);
        memcpy(to, f->words[w], n);
        return n;
    case POF_KIND_REAL:
        memcpy(&d, member, sizeof d);
        return pof_real_format(d, to);
    case POF_KIND_INSTANT:
        memcpy(&v, member, sizeof v);
        return pof_instant_format(v, to);
    case POF_KIND_MILLIS:
        memcpy(&v, member, sizeof v);
        return pof_instant_ms_format(v, to);
    case POF_KIND_INT:
    case POF_KIND_MICRO:
        memcpy(&v, member, sizeof v);
        return pof_decimal_format(v, f->kind == POF_KIND_MICRO ? POF_MICRO : 0, to);
    case POF_KIND_TEXT:
    case POF_KIND_DATE:
        break;
    }
    return 0;
}

static bool is_text(const struct pof_field *f)
{
    return f->kind == POF_KIND_TEXT || f->kind == POF_KIND_DATE;
}

static bool is_given(const struct pof_field *f, const void *record, size_t i)
{
    uint64_t has;
    memcpy(&has, record, sizeof has);
    return f->required || ((has >> i) & 1u);
}

/* ,"name": at p; returns the place behind it. */
static char *put_name(char *p, const struct pof_field *f)
{
    *p++ = ',';
    *p++ = '"';
    memcpy(p, f->name, f->name_len);
    p += f->name_len;
    *p++ = '"';
    *p++ = ':';
    return p;
}

static char *put_value(char *p, const struct pof_field *f, const void *member)
{
    bool quotes = f->kind == POF_KIND_WORD || f->kind == POF_KIND_INSTANT ||
                  f->kind == POF_KIND_MILLIS;
    if (quotes) {
        *p++ = '"';
    }
    p += pof_value_format(f, member, p);
    if (quotes) {
        *p++ = '"';
    }
    return p;
}

/* Room is made once for all that has a bound (names, numbers, words, times) and again for each
 * text, so that most fields are written without asking. */
int pof_record_format(struct pof_buf *to, enum pof_type type, const void *record,
                      struct pof_err *err)
{
    enum { FIELD_MAX = 64 + 6 + POF_DECIMAL_MAX };
    const struct pof_layout *l = pof_layout(type);
    size_t schema = strlen(l->schema);
    size_t bounded = l->n * FIELD_MAX + schema + 16;
    int rc = pof_buf_reserve(to, bounded, err);
    if (rc) {
        return rc;
    }
    char *p = to->data + to->len;
    memcpy(p, "{\"schema\":\"", 11);
    memcpy(p + 11, l->schema, schema);
    p += 11 + schema;
    *p++ = '"';
    for (size_t i = 0; i < l->n; i++) {
        const struct pof_field *f = &l->fields[i];
        const void *member = (const char *)record + f->offset;
        if (!is_given(f, record, i)) {
            continue;
        }
        p = put_name(p, f);
        if (!is_text(f)) {
            p = put_value(p, f, member);
            continue;
        }
        struct pof_text t;
        memcpy(&t, member, sizeof t);
        size_t len = to->len;
        to->len = (size_t)(p - to->data);
        rc = t.len > SIZE_MAX / 8 ? pof_fail(err, POF_E_TOO_LONG, "string of %zu bytes", t.len)
                                  : pof_buf_reserve(to, t.len * 6 + 2 + bounded, err);
        p = to->data + to->len;
        to->len = len; /* nothing of a record that fails is kept */
        if (rc) {
            return rc;
        }
        p = put_string(p, t);
    }
    *p++ = '}';
    to->len = (size_t)(p - to->data);
    return 0;
}

/* A cell at p, which has room for 2 bytes a byte and two; returns the place behind it. */
static char *csv_text(char *p, struct pof_text t)
{
    bool quote = false;
    for (size_t i = 0; i < t.len && !quote; i++) {
        quote = t.ptr[i] == '"' || t.ptr[i] == ',' || t.ptr[i] == '\n' || t.ptr[i] == '\r';
    }
    if (!quote) {
        if (t.len) {
            memcpy(p, t.ptr, t.len);
        }
        return p + t.len;
    }
    *p++ = '"';
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] == '"') {
            *p++ = '"';
        }
        *p++ = t.ptr[i];
    }
    *p++ = '"';
    return p;
}

static int csv_header(struct pof_buf *to, const struct pof_layout *l, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < l->n && rc == 0; i++) {
        rc = pof_buf_addf(to, err, "%s%s", i ? "," : "", l->fields[i].name);
    }
    return rc ? rc : pof_buf_adds(to, "\n", err);
}

/* Room as for a record in JSON. */
static int csv_row(struct pof_buf *to, const struct pof_layout *l, const void *record,
                   struct pof_err *err)
{
    size_t bounded = l->n * (POF_DECIMAL_MAX + 2) + 2;
    int rc = pof_buf_reserve(to, bounded, err);
    if (rc) {
        return rc;
    }
    char *p = to->data + to->len;
    for (size_t i = 0; i < l->n; i++) {
        const struct pof_field *f = &l->fields[i];
        const void *member = (const char *)record + f->offset;
        if (i) {
            *p++ = ',';
        }
        if (!is_given(f, record, i)) {
            continue;
        }
        if (!is_text(f)) {
            p += pof_value_format(f, member, p);
            continue;
        }
        struct pof_text t;
        memcpy(&t, member, sizeof t);
        size_t len = to->len;
        to->len = (size_t)(p - to->data);
        rc = t.len > SIZE_MAX / 8 ? pof_fail(err, POF_E_TOO_LONG, "cell of %zu bytes", t.len)
                                  : pof_buf_reserve(to, t.len * 2 + 2 + bounded, err);
        p = to->data + to->len;
        to->len = len; /* nothing of a record that fails is kept */
        if (rc) {
            return rc;
        }
        p = csv_text(p, t);
    }
    *p++ = '\n';
    to->len = (size_t)(p - to->data);
    return 0;
}

static int put_csv(struct pof_writer *w, enum pof_type type, const void *record,
                   struct pof_err *err)
{
    const struct pof_layout *l = pof_layout(type);
    int rc = 0;
    if (w->type == POF_TYPES) {
        rc = csv_header(&w->buf, l, err);
        w->type = type;
    } else if (w->type != type) {
        return pof_fail(err, POF_E_INTERNAL, "a %s in a table of %s", l->name,
                        pof_layout(w->type)->name);
    }
    return rc ? rc : csv_row(&w->buf, l, record, err);
}

int pof_writer_put(struct pof_writer *w, enum pof_type type, const void *record,
                   struct pof_err *err)
{
    int rc = pof_record_check(type, record, err);
    if (rc) {
        pof_at(err, pof_layout(type)->name, 0, NULL);
        return rc;
    }
    if (w->format == POF_CSV) {
        rc = put_csv(w, type, record, err);
    } else {
        rc = pof_record_format(&w->buf, type, record, err);
        rc = rc ? rc : pof_buf_adds(&w->buf, "\n", err);
    }
    w->records += rc == 0;
    return rc == 0 && w->buf.len >= BLOCK ? pof_writer_flush(w, err) : rc;
}
