/* SPDX-License-Identifier: Apache-2.0 */
/* Records to bytes. */
#include "record/writer.h"

#include "num/decimal.h"
#include "num/real.h"
#include "record/bytes.h"
#include "record/plan.h"

#include <math.h>
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

/* The bytes of a string as JSON at p, which has room for 6 bytes a byte. */
static char *escaped(char *p, struct pof_text t)
{
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        if (is_special(c)) {
            p = escape(p, c);
        } else {
            *p++ = (char)c;
        }
    }
    return p;
}

/* A cell at p, which has room for 2 bytes a byte and two. */
static char *cell(char *p, struct pof_text t)
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

/* Copies 4 to 15 bytes, the last ones overlapping the first; is any of them special? */
POFI_INLINE bool copy_few(char *p, struct pof_text t, char also)
{
    uint64_t w, v;
    if (t.len >= 8) {
        memcpy(&w, t.ptr, 8);
        memcpy(&v, t.ptr + t.len - 8, 8);
        memcpy(p, &w, 8);
        memcpy(p + t.len - 8, &v, 8);
        return pofi_eight_special(w, also) || pofi_eight_special(v, also);
    }
    uint32_t first = pofi_load4(t.ptr), last = pofi_load4(t.ptr + t.len - 4);
    memcpy(p, &first, 4);
    memcpy(p + t.len - 4, &last, 4);
    return pofi_eight_special((uint64_t)first << 32 | last, also);
}

/* The same for 1 to 3. */
POFI_INLINE bool copy_three(char *p, struct pof_text t, char also)
{
    char a = t.ptr[0], b = t.ptr[t.len / 2], c = t.ptr[t.len - 1];
    p[0] = a;
    p[t.len / 2] = b;
    p[t.len - 1] = c;
    return pofi_eight_special(POFI_ONES * '0' << 24 | (uint64_t)(unsigned char)a << 16 |
                                  (uint64_t)(unsigned char)b << 8 | (unsigned char)c,
                              also);
}

/* A text at p, as it is where none of its bytes is special, which are looked at while they are copied,
 * many at a time. */
POFI_INLINE char *put_text(char *p, struct pof_text t, bool csv)
{
    const char also = csv ? ',' : '\\';
    bool special = false;
    if (t.len >= 16) {
        for (size_t i = 0; i + 16 < t.len; i += 16) {
            special |= pofi_copy_sixteen(p + i, t.ptr + i, also);
        }
        special |= pofi_copy_sixteen(p + t.len - 16, t.ptr + t.len - 16, also);
    } else if (t.len >= 4) {
        special = copy_few(p, t, also);
    } else if (t.len > 0) {
        special = copy_three(p, t, also);
    }
    if (!special) {
        return p + t.len;
    }
    return csv ? cell(p, t) : escaped(p, t);
}

int pof_json_string(struct pof_buf *to, struct pof_text t, struct pof_err *err)
{
    if (t.len > SIZE_MAX / 8) {
        return pof_fail(err, POF_E_TOO_LONG, "string of %zu bytes", t.len);
    }
    int rc = pof_buf_reserve(to, t.len * 6 + 2, err);
    if (rc == 0) {
        char *p = to->data + to->len;
        *p++ = '"';
        p = put_text(p, t, false);
        *p++ = '"';
        to->len = (size_t)(p - to->data);
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

/* --- one record --- */

/* Bytes of a value other than a text, with what is copied beyond its end and a separator. */
enum { VALUE_MAX = 40 };
_Static_assert((int)VALUE_MAX > (int)POF_DECIMAL_MAX && (int)VALUE_MAX > (int)POFI_WORD_MAX &&
                   (int)VALUE_MAX > (int)POF_REAL_MAX && (int)VALUE_MAX > (int)POF_INSTANT_MAX,
               "room of a value");

/* How one record is written. */
struct way {
    struct pof_near *near; /* the last instant written */
    bool csv;
    bool check; /* stop at a value that no reader would take */
};

/* Makes room for a whole record, so that nothing asks for it afterwards. */
static int make_room(struct pof_buf *to, enum pof_type type, const char *record, uint64_t given,
                     struct pof_err *err)
{
    const struct pofi_plan *plan = pofi_plan(type);
    size_t room = POFI_BEGIN_MAX + (size_t)plan->n * (POFI_KEY_MAX + VALUE_MAX) + 4;
    for (uint64_t bits = given & pofi_texts(type); bits; bits &= bits - 1) {
        struct pof_text t;
        memcpy(&t, record + plan->step[__builtin_ctzll(bits)].offset, sizeof t);
        if (t.len > SIZE_MAX / 8 || room > SIZE_MAX / 8) {
            return pof_fail(err, POF_E_TOO_LONG, "string of %zu bytes", t.len);
        }
        room += t.len * 6 + 2;
    }
    return pof_buf_reserve(to, room, err);
}

/* Functions that put a value return the place behind it, or NULL for one that must not be written. */

POFI_INLINE char *put_number(char *p, const struct pofi_step *s, bool micro, const char *member,
                               bool check)
{
    int64_t v;
    memcpy(&v, member, sizeof v);
    if (check && (v < s->min || v > s->max)) {
        return NULL;
    }
    return p + pof_decimal_format(v, micro ? POF_MICRO : 0, p);
}

POFI_INLINE char *put_word(char *p, const struct pofi_step *s, const char *member)
{
    int w;
    memcpy(&w, member, sizeof w);
    if (w < 0 || w >= s->words) {
        return NULL;
    }
    memcpy(p, s->word[w], POFI_WORD_MAX);
    uint64_t zeros = pofi_equal_bytes(pofi_load8(s->word[w]), '\0');
    return p + (zeros ? (unsigned)__builtin_ctzll(zeros) / 8 : strnlen(s->word[w], POFI_WORD_MAX));
}

POFI_INLINE char *put_time(char *p, bool ms, const char *member, const struct way *way)
{
    int64_t t;
    memcpy(&t, member, sizeof t);
    if (way->check && (t < 0 || (ms ? t / 1000 : t) > POF_INSTANT_LAST)) {
        return NULL;
    }
    return p + (ms ? pof_instant_ms_format(t, p) : pof_instant_format_near(t, way->near, p));
}

POFI_INLINE char *put_real(char *p, const char *member, bool check)
{
    double d;
    memcpy(&d, member, sizeof d);
    return check && !isfinite(d) ? NULL : p + pof_real_format(d, p);
}

POFI_INLINE char *put_string(char *p, const struct pofi_step *s, const char *member,
                               const struct way *way)
{
    struct pof_text t;
    struct pof_date ignored;
    memcpy(&t, member, sizeof t);
    if (way->check && (t.len < (uint64_t)s->min || t.len > (uint64_t)s->max ||
                       (s->kind == POF_KIND_DATE && !pof_date_parse(t, &ignored)))) {
        return NULL;
    }
    return put_text(p, t, way->csv);
}

/* A value without its quotes. */
POFI_INLINE char *put_value(char *p, const struct pofi_step *s, const char *member,
                              const struct way *way)
{
    switch ((enum pof_kind)s->kind) {
    case POF_KIND_TEXT:
    case POF_KIND_DATE:
        return put_string(p, s, member, way);
    case POF_KIND_INT:
        return put_number(p, s, false, member, way->check);
    case POF_KIND_MICRO:
        return put_number(p, s, true, member, way->check);
    case POF_KIND_INSTANT:
        return put_time(p, false, member, way);
    case POF_KIND_MILLIS:
        return put_time(p, true, member, way);
    case POF_KIND_WORD:
        return put_word(p, s, member);
    case POF_KIND_REAL:
        return put_real(p, member, way->check);
    }
    return NULL;
}

static char *put_object(char *p, const struct pofi_plan *plan, const char *record, uint64_t given,
                        const struct way *way)
{
    memcpy(p, plan->begin, POFI_BEGIN_MAX);
    p += plan->begin_len;
    for (uint64_t bits = given; bits; bits &= bits - 1) {
        const struct pofi_step *s = &plan->step[__builtin_ctzll(bits)];
        memcpy(p, s->key, POFI_KEY_MAX);
        p = put_value(p + s->key_len, s, record + s->offset, way);
        if (!p) {
            return NULL;
        }
        *p = '"';
        p += s->quoted;
    }
    *p++ = '}';
    return p;
}

static char *put_row(char *p, const struct pofi_plan *plan, const char *record, uint64_t given,
                     const struct way *way)
{
    for (size_t i = 0; i < plan->n; i++, *p++ = ',') {
        const struct pofi_step *s = &plan->step[i];
        if (given >> i & 1u) {
            p = put_value(p, s, record + s->offset, way);
            if (!p) {
                return NULL;
            }
        }
    }
    return p - 1; /* without the last comma */
}

/* What is wrong with a record, by the table. */
static int refuse(enum pof_type type, const void *record, struct pof_err *err)
{
    const char *name = pof_layout(type)->name;
    int rc = pof_record_check(type, record, err);
    rc = rc ? rc : pof_fail(err, POF_E_INTERNAL, "a %s that cannot be written", name);
    pof_at(err, name, 0, NULL);
    return rc;
}

/* One record without its LF; room for that is left. */
static int put_record(struct pof_buf *to, enum pof_type type, const void *record,
                      const struct way *way, struct pof_err *err)
{
    const struct pofi_plan *plan = pofi_plan(type);
    uint64_t given;
    memcpy(&given, record, sizeof given);
    given |= plan->required;
    given &= UINT64_MAX >> (64 - plan->n);
    int rc = make_room(to, type, record, given, err);
    if (rc) {
        return rc;
    }
    char *p = to->data + to->len;
    p = way->csv ? put_row(p, plan, record, given, way) : put_object(p, plan, record, given, way);
    if (!p) {
        return refuse(type, record, err);
    }
    to->len = (size_t)(p - to->data);
    return 0;
}

int pof_record_format(struct pof_buf *to, enum pof_type type, const void *record,
                      struct pof_err *err)
{
    struct pof_near near = {0};
    return put_record(to, type, record, &(struct way){.near = &near}, err);
}

static int csv_header(struct pof_buf *to, const struct pof_layout *l, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < l->n && rc == 0; i++) {
        rc = pof_buf_addf(to, err, "%s%s", i ? "," : "", l->fields[i].name);
    }
    return rc ? rc : pof_buf_adds(to, "\n", err);
}

/* The first record says what the columns are. */
static int begin_csv(struct pof_writer *w, enum pof_type type, struct pof_err *err)
{
    const struct pof_layout *l = pof_layout(type);
    if (w->type != POF_TYPES) {
        return pof_fail(err, POF_E_INTERNAL, "a %s in a table of %s", l->name,
                        pof_layout(w->type)->name);
    }
    int rc = csv_header(&w->buf, l, err);
    w->type = rc ? POF_TYPES : type;
    return rc;
}

/* Writes whole blocks; what is behind them waits for more. A file that is written in blocks at places that
 * are multiples of them lies in large pieces in the page cache, and costs the kernel half as much. */
static int write_blocks(struct pof_writer *w, struct pof_err *err)
{
    size_t n = w->buf.len / BLOCK * BLOCK;
    int rc = w->sink.write(w->sink.ctx, w->buf.data, n, err);
    w->buf.len -= n;
    memmove(w->buf.data, w->buf.data + n, w->buf.len);
    return rc;
}

/* One record more, whose LF has its place already. */
static int end_line(struct pof_writer *w, struct pof_err *err)
{
    w->buf.data[w->buf.len++] = '\n';
    w->records++;
    return w->buf.len >= BLOCK ? write_blocks(w, err) : 0;
}

int pof_writer_put(struct pof_writer *w, enum pof_type type, const void *record,
                   struct pof_err *err)
{
    const struct way way = {.near = &w->near, .csv = w->format == POF_CSV, .check = true};
    int rc = 0;
    if (way.csv && w->type != type) { /* no header above nothing */
        rc = pof_record_check(type, record, NULL) ? refuse(type, record, err)
                                                  : begin_csv(w, type, err);
    }
    rc = rc ? rc : put_record(&w->buf, type, record, &way, err);
    return rc ? rc : end_line(w, err);
}

int pof_writer_put_line(struct pof_writer *w, enum pof_type type, struct pof_text line,
                        struct pof_err *err)
{
    int rc = w->format == POF_CSV && w->type != type ? begin_csv(w, type, err) : 0;
    rc = rc ? rc : pof_buf_reserve(&w->buf, line.len + 1, err);
    if (rc) {
        return rc;
    }
    memcpy(w->buf.data + w->buf.len, line.ptr, line.len);
    w->buf.len += line.len;
    return end_line(w, err);
}
