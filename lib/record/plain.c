/* SPDX-License-Identifier: Apache-2.0 */
/* Plain lines in one pass. */
#include "record/plain.h"

#include "num/real.h"
#include "num/time.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* Where reading stands. A value that is not plain sets ok to false. */
struct at {
    const char *p, *end;
    bool ok;
};

static uint64_t required_of(const struct pof_layout *l)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < l->n; i++) {
        bits |= (uint64_t)l->fields[i].required << i;
    }
    return bits;
}

void pofi_plain_header(struct pofi_plain *p, enum pof_type type, const struct pof_names *header)
{
    *p = (struct pofi_plain){.type = type, .columns = header->n};
    if (type == POF_TYPES || header->n > sizeof p->field) {
        return;
    }
    const struct pof_layout *l = pof_layout(type);
    for (size_t k = 0; k < header->n; k++) {
        size_t i = 0;
        while (i < l->n && !pof_text_is(header->text[k], l->fields[i].name)) {
            i++;
        }
        if (i == l->n) {
            return; /* columns that are skipped are counted elsewhere */
        }
        p->field[k] = (uint8_t)i;
    }
    p->required = required_of(l);
    p->layout = l;
}

/* Bytes that a plain text is made of: printable ASCII without quote, backslash and, in cells, comma. */
#define ONES UINT64_C(0x0101010101010101)
#define HIGHS (ONES * 0x80)

/* High bits set in the bytes of w that equal c; bytes above the first may be wrong. */
static uint64_t equal_bytes(uint64_t w, char c)
{
    uint64_t x = w ^ ONES * (unsigned char)c;
    return (x - ONES) & ~x & HIGHS;
}

/* The first byte that ends a text: a quote, a backslash, the stop, below 0x20 or above 0x7e; end when
 * there is none. Eight bytes at a time (the tricks of writer.c): borrows run upwards, so that the
 * lowest hit is always a true one. */
static const char *text_end(const char *p, const char *end, char stop)
{
    for (; end - p >= 8; p += 8) {
        uint64_t w;
        memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        w = __builtin_bswap64(w);
#endif
        uint64_t hit = equal_bytes(w, '"') | equal_bytes(w, '\\') | equal_bytes(w, stop) |
                       equal_bytes(w, 0x7f) | ((w - ONES * 0x20) & ~w & HIGHS) | (w & HIGHS);
        if (hit) {
            return p + __builtin_ctzll(hit) / 8;
        }
    }
    while (p < end && *p != '"' && *p != '\\' && *p != stop && (unsigned char)*p >= 0x20 &&
           (unsigned char)*p < 0x7f) {
        p++;
    }
    return p;
}

/* Digits onto *v, at most as many as always fit; returns the place behind them. */
static inline const char *digits(const char *p, const char *end, uint64_t *v)
{
    const char *stop = end - p > 17 ? p + 17 : end;
    uint64_t n = *v;
    for (unsigned d; p < stop && (d = (unsigned char)*p - (unsigned)'0') <= 9; p++) {
        n = n * 10 + d;
    }
    *v = n;
    return p;
}

static void number(struct at *a, const struct pof_field *f, void *member)
{
    static const int64_t power[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    const char *p = a->p;
    bool micro = f->kind == POF_KIND_MICRO, negative = p < a->end && *p == '-';
    const char *start = p += negative;
    uint64_t u = 0;
    p = digits(p, a->end, &u);
    bool ok = p > start && p - start <= (micro ? 11 : 17) && (p - start == 1 || *start != '0');
    int64_t unit = 1;
    if (ok && micro) {
        unit = 1000000;
        ptrdiff_t part = 0;
        if (p < a->end && *p == '.') {
            start = p + 1;
            p = digits(start, a->end, &u);
            part = p - start;
            ok = part > 0 && part <= 6;
        }
        u = ok ? u * (uint64_t)power[part] : 0;
    }
    int64_t v = negative ? -(int64_t)u : (int64_t)u;
    /* Bounds are whole units, the fraction away from zero inside; but nothing is between -1 and 0. */
    a->ok = ok && v / unit >= f->min && v / unit <= f->max && (v >= 0 || f->min < 0);
    a->p = p;
    memcpy(member, &v, sizeof v);
}

static void instant(struct at *a, struct pofi_instant *last, void *member)
{
    if (a->end - a->p < POFI_INSTANT) {
        a->ok = false;
        return;
    }
    if (memcmp(a->p, last->text, POFI_INSTANT) != 0) {
        int64_t t;
        a->ok = a->p[POFI_INSTANT - 1] == 'Z' &&
                pof_instant_parse((struct pof_text){a->p, POFI_INSTANT}, &t);
        if (!a->ok) {
            return;
        }
        memcpy(last->text, a->p, POFI_INSTANT);
        last->value = t;
    }
    memcpy(member, &last->value, sizeof last->value);
    a->p += POFI_INSTANT;
}

/* A text, word, date or time in milliseconds up to stop (a quote or comma) or LF. */
static void text(struct at *a, const struct pof_field *f, void *member, char stop)
{
    const char *stops = text_end(a->p, a->end, stop);
    struct pof_text t = {a->p, (size_t)(stops - a->p)};
    a->p = stops;
    if (f->kind == POF_KIND_TEXT) {
        a->ok = t.len >= (uint64_t)f->min && t.len <= (uint64_t)f->max;
        memcpy(member, &t, sizeof t);
    } else if (f->kind == POF_KIND_WORD) {
        int w = pof_word_of(f->words, t);
        a->ok = w >= 0;
        memcpy(member, &w, sizeof w);
    } else if (f->kind == POF_KIND_DATE) {
        struct pof_date date;
        a->ok = pof_date_parse(t, &date);
        memcpy(member, &t, sizeof t);
    } else {
        int64_t ms = 0;
        a->ok = pof_instant_ms_parse(t, &ms);
        memcpy(member, &ms, sizeof ms);
    }
}

static void real(struct at *a, void *member)
{
    double v = 0;
    const char *stop = pof_real_scan(a->p, a->end, POF_REAL_JSON, &v);
    a->ok = stop != a->p && isfinite(v);
    a->p = stop;
    memcpy(member, &v, sizeof v);
}

static bool is_number(const struct pof_field *f)
{
    return f->kind == POF_KIND_INT || f->kind == POF_KIND_MICRO;
}

static bool given_all(const struct pofi_plain *p, uint64_t has, void *record)
{
    memcpy(record, &has, sizeof has);
    return (has & p->required) == p->required;
}

static void cell(struct pofi_plain *p, struct at *a, size_t i, void *record)
{
    const struct pof_field *f = &p->layout->fields[i];
    void *member = (char *)record + f->offset;
    if (is_number(f)) {
        number(a, f, member);
    } else if (f->kind == POF_KIND_INSTANT) {
        instant(a, &p->last[i], member);
    } else if (f->kind == POF_KIND_REAL) {
        real(a, member);
    } else {
        text(a, f, member, ',');
    }
}

size_t pofi_plain_csv(struct pofi_plain *p, const char *bytes, const char *end,
                      struct pof_record *record)
{
    struct at a = {bytes, end, true};
    if (!p->layout || bytes >= end || *bytes == '\n') {
        return 0;
    }
    uint64_t has = 0;
    record->type = p->type;
    memset(&record->u, 0, p->layout->size);
    for (size_t k = 0; k < p->columns; k++) {
        if (a.p < end && *a.p != ',' && *a.p != '\n') {
            cell(p, &a, p->field[k], &record->u);
            has |= UINT64_C(1) << p->field[k];
        }
        if (!a.ok || a.p >= end || *a.p != (k + 1 < p->columns ? ',' : '\n')) {
            return 0;
        }
        a.p++;
    }
    return given_all(p, has, &record->u) ? (size_t)(a.p - bytes) : 0;
}

/* --- NDJSON --- */

static bool literal(struct at *a, const char *word, size_t n)
{
    if ((size_t)(a->end - a->p) < n || memcmp(a->p, word, n) != 0) {
        return false;
    }
    a->p += n;
    return true;
}

/* {"schema":"pof.offer/1" with a type, mostly that of the line before. */
static bool schema(struct pofi_plain *p, struct at *a)
{
    static const char begin[] = "{\"schema\":\"";
    if (!literal(a, begin, sizeof begin - 1)) {
        return false;
    }
    const char *stop = text_end(a->p, a->end, '"');
    struct pof_text name = {a->p, (size_t)(stop - a->p)};
    if (!p->layout || !pof_text_is(name, p->layout->schema)) {
        enum pof_type type = pof_type_of(name);
        if (type == POF_TYPES) {
            return false;
        }
        *p = (struct pofi_plain){
            .type = type, .layout = pof_layout(type), .required = required_of(pof_layout(type))};
    }
    a->p = stop;
    return literal(a, "\"", 1);
}

/* The field of ,"name": at or behind field i; the number of fields when it is none of them. */
static size_t field_of(const struct pof_layout *l, struct at *a, size_t i)
{
    if (!literal(a, ",\"", 2)) {
        return l->n;
    }
    for (; i < l->n; i++) {
        const struct pof_field *f = &l->fields[i];
        if ((size_t)(a->end - a->p) > f->name_len + 2 && memcmp(a->p, f->name, f->name_len) == 0 &&
            a->p[f->name_len] == '"' && a->p[f->name_len + 1] == ':') {
            a->p += f->name_len + 2;
            break;
        }
    }
    return i;
}

static void value(struct pofi_plain *p, struct at *a, size_t i, void *record)
{
    const struct pof_field *f = &p->layout->fields[i];
    void *member = (char *)record + f->offset;
    if (is_number(f)) {
        number(a, f, member);
    } else if (f->kind == POF_KIND_REAL) {
        real(a, member);
    } else {
        a->ok = literal(a, "\"", 1);
        if (a->ok && f->kind == POF_KIND_INSTANT) {
            instant(a, &p->last[i], member);
        } else if (a->ok) {
            text(a, f, member, '"');
        }
        a->ok = a->ok && literal(a, "\"", 1);
    }
}

size_t pofi_plain_json(struct pofi_plain *p, const char *bytes, const char *end,
                       struct pof_record *record)
{
    struct at a = {bytes, end, true};
    if (!schema(p, &a)) {
        return 0;
    }
    const struct pof_layout *l = p->layout;
    uint64_t has = 0;
    record->type = p->type;
    memset(&record->u, 0, l->size);
    for (size_t i = 0; !literal(&a, "}\n", 2); i++) {
        i = field_of(l, &a, i);
        if (i == l->n) {
            return 0;
        }
        value(p, &a, i, &record->u);
        has |= UINT64_C(1) << i;
        if (!a.ok) {
            return 0;
        }
    }
    return given_all(p, has, &record->u) ? (size_t)(a.p - bytes) : 0;
}
