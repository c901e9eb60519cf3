/* SPDX-License-Identifier: Apache-2.0 */
/* Named values to the members of a record, checked against the table. */
#include "record/scan.h"

#include "num/decimal.h"
#include "num/real.h"
#include "num/time.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN = 80 };

static int refuse(const struct pof_field *f, enum pof_code code, struct pof_text found,
                  const char *expected, struct pof_err *err)
{
    pof_fail(err, code, "'%.*s%s' is not %s", (int)(found.len < SHOWN ? found.len : SHOWN),
             found.ptr ? found.ptr : "", found.len > SHOWN ? "..." : "", expected);
    return pof_at(err, NULL, 0, f->name);
}

static int out_of_range(const struct pof_field *f, struct pof_text found, struct pof_err *err)
{
    pof_fail(err, POF_E_RANGE, "'%.*s' is out of range, expected %lld to %lld%s%s",
             (int)(found.len < SHOWN ? found.len : SHOWN), found.ptr, (long long)f->min,
             (long long)f->max, f->unit[0] ? " " : "", f->unit);
    return pof_at(err, NULL, 0, f->name);
}

static int assign_text(const struct pof_field *f, struct pof_text t, void *member,
                       struct pof_err *err)
{
    if (t.len < (uint64_t)f->min || t.len > (uint64_t)f->max) {
        pof_fail(err, POF_E_RANGE, "text of %zu bytes, expected %lld to %lld", t.len,
                 (long long)f->min, (long long)f->max);
        return pof_at(err, NULL, 0, f->name);
    }
    struct pof_date date;
    if (f->kind == POF_KIND_DATE && !pof_date_parse(t, &date)) {
        return refuse(f, POF_E_TIME, t, "a date such as 2026-03-29", err);
    }
    memcpy(member, &t, sizeof t);
    return 0;
}

static int assign_word(const struct pof_field *f, struct pof_text t, void *member,
                       struct pof_err *err)
{
    int w = pof_word_of(f->words, t);
    if (w < 0) {
        char list[200] = "one of";
        size_t n = strlen(list);
        for (int i = 0; f->words[i] && n < sizeof list - 1; i++) {
            int more = snprintf(list + n, sizeof list - n, "%s %s", i ? "," : "", f->words[i]);
            n += more > 0 ? (size_t)more : 0;
        }
        return refuse(f, POF_E_ENUM, t, list, err);
    }
    memcpy(member, &w, sizeof w);
    return 0;
}

static int assign_number(const struct pof_field *f, struct pof_text t, void *member,
                         struct pof_err *err)
{
    bool micro = f->kind == POF_KIND_MICRO;
    int64_t v;
    if (!pof_decimal_parse(t, micro ? POF_MICRO : 0, &v)) {
        int64_t whole;
        bool digits_only = t.len && strspn(t.ptr, "-0123456789.") >= t.len;
        if (digits_only && !pof_decimal_parse(t, 0, &whole) && t.len > 18) {
            return out_of_range(f, t, err);
        }
        return refuse(f, POF_E_NUMBER, t,
                      micro ? "a decimal number with at most six decimals" : "an integer", err);
    }
    int64_t unit = micro ? 1000000 : 1;
    __int128 low = (__int128)f->min * unit - (f->min < 0 ? unit - 1 : 0);
    __int128 high = (__int128)f->max * unit + (unit - 1);
    if (v < low || v > high) {
        return out_of_range(f, t, err);
    }
    memcpy(member, &v, sizeof v);
    return 0;
}

static int assign_value(const struct pof_field *f, struct pof_text t, void *member,
                        struct pof_err *err)
{
    int64_t instant;
    double real;
    switch (f->kind) {
    case POF_KIND_TEXT:
    case POF_KIND_DATE:
        return assign_text(f, t, member, err);
    case POF_KIND_WORD:
        return assign_word(f, t, member, err);
    case POF_KIND_INT:
    case POF_KIND_MICRO:
        return assign_number(f, t, member, err);
    case POF_KIND_REAL:
        if (!pof_real_parse(t, &real)) {
            return refuse(f, POF_E_NUMBER, t, "a finite number", err);
        }
        memcpy(member, &real, sizeof real);
        return 0;
    case POF_KIND_INSTANT:
        if (!pof_instant_parse(t, &instant)) {
            return refuse(f, POF_E_TIME, t, "an instant such as 2026-03-29T00:15:00Z", err);
        }
        memcpy(member, &instant, sizeof instant);
        return 0;
    case POF_KIND_MILLIS:
        if (!pof_instant_ms_parse(t, &instant)) {
            return refuse(f, POF_E_TIME, t, "an instant such as 2026-03-29T00:15:00.000Z", err);
        }
        memcpy(member, &instant, sizeof instant);
        return 0;
    }
    return pof_fail(err, POF_E_INTERNAL, "field '%s' has no known kind", f->name);
}

/* JSON tells strings from numbers; a decimal may come as a string, where a double would not do. */
static int check_kind(const struct pof_field *f, const struct pofi_value *v, struct pof_err *err)
{
    bool numeric =
        f->kind == POF_KIND_INT || f->kind == POF_KIND_MICRO || f->kind == POF_KIND_REAL;
    bool fits = v->kind == POFI_CSV || (numeric && v->kind == POFI_NUMBER) ||
                (!numeric && v->kind == POFI_STRING) ||
                (f->kind == POF_KIND_MICRO && v->kind == POFI_STRING);
    return fits ? 0 : refuse(f, POF_E_TYPE, v->text, numeric ? "a number" : "a string", err);
}

/* Members mostly come in the order of the table: the field behind the last one is tried first. */
static size_t find_field(const struct pof_layout *l, struct pof_text name, size_t guess)
{
    if (guess < l->n && l->fields[guess].name_len == name.len &&
        memcmp(l->fields[guess].name, name.ptr, name.len) == 0) {
        return guess;
    }
    for (size_t i = 0; i < l->n; i++) {
        if (l->fields[i].name_len == name.len &&
            memcmp(l->fields[i].name, name.ptr, name.len) == 0) {
            return i;
        }
    }
    return l->n;
}

static int note_unknown(struct pofi_unknown *unknown, struct pof_text name, struct pof_err *err)
{
    if (pof_text_is(name, "schema") || (name.len > 2 && memcmp(name.ptr, "x_", 2) == 0)) {
        return 0;
    }
    size_t n = name.len < sizeof unknown->first - 1 ? name.len : sizeof unknown->first - 1;
    if (unknown->count++ == 0) {
        memcpy(unknown->first, name.ptr, n);
        unknown->first[n] = '\0';
    }
    if (unknown->strict) {
        pof_fail(err, POF_E_UNKNOWN, "no field has the name '%.*s'",
                 (int)(name.len < SHOWN ? name.len : SHOWN), name.ptr);
        return err ? err->code : POF_E_UNKNOWN;
    }
    return 0;
}

int pofi_assign(const struct pofi_line *line, enum pof_type type, void *record,
                struct pofi_unknown *unknown, struct pof_err *err)
{
    const struct pof_layout *l = pof_layout(type);
    memset(record, 0, l->size);
    uint64_t has = 0;
    size_t guess = 0;
    for (size_t k = 0; k < line->n; k++) {
        const struct pofi_value *v = &line->value[k];
        size_t i = find_field(l, v->name, guess);
        int rc = 0;
        if (i == l->n) {
            rc = note_unknown(unknown, v->name, err);
        } else if (v->kind != POFI_NULL && !(v->kind == POFI_CSV && v->text.len == 0)) {
            const struct pof_field *f = &l->fields[i];
            rc = check_kind(f, v, err);
            rc = rc ? rc : assign_value(f, v->text, (char *)record + f->offset, err);
            has |= UINT64_C(1) << i;
        }
        if (rc) {
            return rc;
        }
        guess = i + 1;
    }
    for (size_t i = 0; i < l->n; i++) {
        if (l->fields[i].required && !((has >> i) & 1u)) {
            pof_fail(err, POF_E_MISSING, "field '%s' is missing, %s needs it", l->fields[i].name,
                     l->schema);
            return pof_at(err, NULL, 0, l->fields[i].name);
        }
    }
    memcpy(record, &has, sizeof has);
    return 0;
}
