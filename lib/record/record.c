/* SPDX-License-Identifier: Apache-2.0 */
/* The table of record types, as data. */
#include "record/record.h"

#include "num/time.h"
#include "record/plan.h"

#include <math.h>
#include <string.h>

#include "record/words.def"

#define SET(name, ...) static const char *const words_##name[] = {__VA_ARGS__, NULL};
WORD_SETS(SET)
#undef SET
#define words_none NULL

#define REQUIRED true
#define OPTIONAL false
#define RECORD(type, version, text) static const struct pof_field fields_##type[] = {
#define FIELD(type, KIND, member, name, need, words, min, max, unit, text)                         \
    {name, sizeof name - 1, POF_KIND_##KIND, need,  words_##words,                                 \
     min,  max,             offsetof(struct pof_##type, member), unit, text},
#define END(type)                                                                                  \
    }                                                                                              \
    ;
#include "record/records.def"
#undef RECORD
#undef FIELD
#undef END

static const struct pof_layout layouts[] = {
#define RECORD(type, version, text)                                                                \
    {#type,         "pof." #type "/" #version, version, text, fields_##type, POF_FIELDS_##type,    \
     sizeof(struct pof_##type)},
#define FIELD(type, KIND, member, name, need, words, min, max, unit, text)
#define END(type)
#include "record/records.def"
#undef RECORD
#undef FIELD
#undef END
};

const struct pof_layout *pof_layout(enum pof_type type)
{
    return (unsigned)type < POF_TYPES ? &layouts[type] : NULL;
}

enum pof_type pof_type_of(struct pof_text t)
{
    for (int i = 0; i < POF_TYPES; i++) {
        if (pof_text_is(t, layouts[i].schema) || pof_text_is(t, layouts[i].name)) {
            return (enum pof_type)i;
        }
    }
    return POF_TYPES;
}

const char *const *pof_words(const char *set)
{
    static const struct {
        const char *name;
        const char *const *words;
    } sets[] = {
#define SET(name, ...) {#name, words_##name},
        WORD_SETS(SET)
#undef SET
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (strcmp(sets[i].name, set) == 0) {
            return sets[i].words;
        }
    }
    return NULL;
}

int pof_word_of(const char *const *words, struct pof_text word)
{
    for (int i = 0; words[i]; i++) {
        if (pof_text_is(word, words[i])) {
            return i;
        }
    }
    return -1;
}

static bool is_given(const struct pof_layout *l, const void *record, size_t i)
{
    uint64_t has;
    memcpy(&has, record, sizeof has);
    return l->fields[i].required || ((has >> i) & 1u);
}

/* The texts of a record lie side by side, each with a NUL behind it. */
int pof_record_copy(enum pof_type type, const void *from, void *to, struct pof_arena *arena,
                    struct pof_err *err)
{
    const struct pofi_plan *plan = pofi_plan(type);
    struct pof_text t;
    uint64_t given;
    size_t room = 0;
    memcpy(&given, from, sizeof given);
    given = (given | plan->required) & pofi_texts(type);
    memcpy(to, from, plan->size);
    for (uint64_t bits = given; bits; bits &= bits - 1) {
        memcpy(&t, (const char *)from + plan->step[__builtin_ctzll(bits)].offset, sizeof t);
        if (t.len >= SIZE_MAX / 2 - room) {
            return pof_fail(err, POF_E_NOMEM, "texts of a record exceed memory");
        }
        room += t.len + 1;
    }
    char *place = room ? pof_arena_alloc(arena, room, err) : NULL;
    if (room && !place) {
        return POF_E_NOMEM;
    }
    for (uint64_t bits = given; bits; bits &= bits - 1) {
        size_t offset = plan->step[__builtin_ctzll(bits)].offset;
        memcpy(&t, (const char *)from + offset, sizeof t);
        if (t.len) {
            memcpy(place, t.ptr, t.len);
        }
        t.ptr = place;
        place += t.len;
        *place++ = '\0';
        memcpy((char *)to + offset, &t, sizeof t);
    }
    return 0;
}

static int refuse(const struct pof_field *f, enum pof_code code, const char *what,
                  struct pof_err *err)
{
    pof_fail(err, code, "%s", what);
    return pof_at(err, NULL, 0, f->name);
}

static int check_text(const struct pof_field *f, const void *member, struct pof_err *err)
{
    struct pof_text t;
    memcpy(&t, member, sizeof t);
    if (t.len < (uint64_t)f->min || t.len > (uint64_t)f->max) {
        pof_fail(err, POF_E_RANGE, "text of %zu bytes, expected %lld to %lld", t.len,
                 (long long)f->min, (long long)f->max);
        return pof_at(err, NULL, 0, f->name);
    }
    struct pof_date date;
    if (f->kind == POF_KIND_DATE && !pof_date_parse(t, &date)) {
        return refuse(f, POF_E_TIME, "not a date such as 2026-03-29", err);
    }
    return 0;
}

static int check_number(const struct pof_field *f, const void *member, struct pof_err *err)
{
    int64_t v;
    memcpy(&v, member, sizeof v);
    if (f->kind == POF_KIND_INT && v >= f->min && v <= f->max) {
        return 0;
    }
    int64_t unit = f->kind == POF_KIND_MICRO ? 1000000 : 1;
    /* The bounds of a MICRO field are whole units; their fractions away from zero are inside. */
    __int128 low = (__int128)f->min * unit - (f->min < 0 ? unit - 1 : 0);
    __int128 high = (__int128)f->max * unit + (unit - 1);
    if (v < low || v > high) {
        pof_fail(err, POF_E_RANGE, "value out of range %lld to %lld%s%s", (long long)f->min,
                 (long long)f->max, f->unit[0] ? " " : "", f->unit);
        return pof_at(err, NULL, 0, f->name);
    }
    return 0;
}

static int check_field(const struct pof_field *f, const void *member, struct pof_err *err)
{
    switch (f->kind) {
    case POF_KIND_TEXT:
    case POF_KIND_DATE:
        return check_text(f, member, err);
    case POF_KIND_INT:
    case POF_KIND_MICRO:
        return check_number(f, member, err);
    case POF_KIND_WORD: {
        int w;
        int n = 0;
        memcpy(&w, member, sizeof w);
        while (f->words[n]) {
            n++;
        }
        return w >= 0 && w < n ? 0 : refuse(f, POF_E_ENUM, "not one of the words", err);
    }
    case POF_KIND_REAL: {
        double d;
        memcpy(&d, member, sizeof d);
        return isfinite(d) ? 0 : refuse(f, POF_E_RANGE, "not a finite number", err);
    }
    case POF_KIND_INSTANT:
    case POF_KIND_MILLIS: {
        int64_t t;
        memcpy(&t, member, sizeof t);
        int64_t unit = f->kind == POF_KIND_MILLIS ? 1000 : 1;
        return t >= 0 && t / unit <= INT64_C(253402300799)
                   ? 0
                   : refuse(f, POF_E_TIME, "not an instant of the years 1970 to 9999", err);
    }
    }
    return 0;
}

int pof_record_check(enum pof_type type, const void *record, struct pof_err *err)
{
    const struct pof_layout *l = pof_layout(type);
    for (size_t i = 0; i < l->n; i++) {
        if (is_given(l, record, i)) {
            int rc = check_field(&l->fields[i], (const char *)record + l->fields[i].offset, err);
            if (rc) {
                return rc;
            }
        }
    }
    return 0;
}

const struct pof_field *pof_record_beyond(enum pof_type type, uint64_t has, uint64_t known)
{
    const struct pof_layout *l = pof_layout(type);
    for (size_t i = 0; i < l->n; i++) {
        if (!l->fields[i].required && ((has & ~known) >> i & 1)) {
            return &l->fields[i];
        }
    }
    return NULL;
}
