/* SPDX-License-Identifier: Apache-2.0 */
/* Plain lines in one pass. Behind the last line stand zeros, which no value and no key holds, so that
 * nothing asks where the bytes end. Each function that reads a value returns the place behind it, or
 * NULL when it is not plain. */
#include "record/plain.h"

#include "num/real.h"
#include "num/time.h"
#include "record/bytes.h"

#include <math.h>
#include <stddef.h>

/* The field of a column; POF_NONE when the type has none of that name. */
static uint32_t field_of(const struct pof_layout *l, struct pof_text name)
{
    if (pof_text_is(name, "schema")) {
        return POFI_SCHEMA;
    }
    for (uint32_t i = 0; i < l->n; i++) {
        if (pof_text_is(name, l->fields[i].name)) {
            return i;
        }
    }
    return POF_NONE;
}

/* Does a row without a value there fail to be plain? No form of a value but a text is empty. */
static bool is_filled(enum pof_type type, uint32_t i)
{
    const struct pofi_plan *plan = pofi_plan(type);
    bool text = plan->step[i].kind == POF_KIND_TEXT;
    return (plan->required >> i & 1) && !(text && plan->step[i].min == 0);
}

void pofi_plain_header(struct pofi_plain *p, enum pof_type type, const struct pof_names *header)
{
    *p = (struct pofi_plain){.type = type, .columns = header->n};
    if (type == POF_TYPES || header->n == 0 || header->n > sizeof p->field) {
        return;
    }
    const struct pof_layout *l = pof_layout(type);
    bool in_order = header->n == l->n;
    for (size_t k = 0; k < header->n; k++) {
        uint32_t i = field_of(l, header->text[k]);
        if (i == POF_NONE) {
            return; /* columns that are skipped are counted elsewhere */
        }
        const struct pof_field *f = i == POFI_SCHEMA ? NULL : &l->fields[i];
        bool empty = f && !is_filled(type, i);
        p->field[k] = (uint8_t)(empty ? i + POFI_EMPTY : i);
        p->filled |= f && !empty ? UINT64_C(1) << i : 0;
        in_order = in_order && i == k;
    }
    p->all_fields = in_order;
    p->plan = pofi_plan(type);
}

void pofi_plain_row(struct pofi_plain *p, enum pof_type type, const struct pof_names *header)
{
    unsigned fruitless = p->fruitless;
    if ((p->plan && p->type == type) || fruitless >= POFI_PATIENCE) {
        return;
    }
    pofi_plain_header(p, type, header);
    p->fruitless = fruitless + 1;
}

/* --- numbers --- */

/* The digits at q, at most 18, to *u. */
POFI_INLINE const char *digits(const char *q, uint64_t *u)
{
    static const uint64_t power[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    uint64_t w = pofi_load8(q);
    unsigned n = pofi_digit_count(w);
    if (n == 0) {
        *u = 0;
        return q;
    }
    *u = pofi_eight_digits(w << (64 - 8 * n));
    if (n == 8) {
        w = pofi_load8(q + 8);
        unsigned more = pofi_digit_count(w);
        *u = *u * power[more] + (more ? pofi_eight_digits(w << (64 - 8 * more)) : 0);
        n += more;
    }
    for (; n >= 16 && n < 18 && (unsigned)(q[n] - '0') <= 9; n++) {
        *u = *u * 10 + (unsigned)(q[n] - '0');
    }
    return q + n;
}

/* The fraction behind a point, at most six digits, as millionths. */
POFI_INLINE const char *millionths(const char *q, uint64_t *u)
{
    uint64_t w = pofi_load8(q);
    unsigned n = pofi_digit_count(w);
    if (n == 0 || n > 6) {
        return NULL;
    }
    *u = pofi_eight_digits(w & (UINT64_MAX >> (64 - 8 * n))) / 100;
    return q + n;
}

/* A negative zero and zeros at the end of a fraction are plain, but not as the writer writes them. */
POFI_INLINE const char *number(const char *q, const struct pofi_step *s, bool micro, bool *odd,
                               void *member)
{
    bool negative = *q == '-';
    const char *start = q += negative;
    uint64_t u;
    q = digits(q, &u);
    ptrdiff_t n = q - start;
    if (n == 0 || n == 18 || (n > 1 && *start == '0') || (micro && n > 11)) {
        return NULL;
    }
    if (micro) {
        u *= 1000000;
        if (*q == '.') {
            uint64_t part = 0;
            q = millionths(q + 1, &part);
            u += part;
            *odd |= !q || q[-1] == '0';
        }
    }
    *odd |= negative && u == 0;
    int64_t v = negative ? -(int64_t)u : (int64_t)u;
    memcpy(member, &v, sizeof v);
    return v >= s->min && v <= s->max ? q : NULL;
}

/* --- times --- */

/* "00:15:00Z" of the day read last. */
POFI_INLINE const char *time_of_day(const struct pofi_plain *p, const char *q, int64_t *t)
{
    static const char form[] = "00:00:00";
    uint64_t w = pofi_load8(q) ^ pofi_load8(form);
    /* Above 9 where a digit is meant, above 0 where a colon is. */
    if (((w + UINT64_C(0x76767f76767f7676)) | w) & POFI_HIGHS || q[8] != 'Z') {
        return NULL;
    }
    unsigned h = (unsigned)((w & 255) * 10 + (w >> 8 & 255));
    unsigned m = (unsigned)((w >> 24 & 255) * 10 + (w >> 32 & 255));
    unsigned s = (unsigned)((w >> 48 & 255) * 10 + (w >> 56));
    *t = p->midnight + (int64_t)(h * 3600 + m * 60 + s);
    return h <= 23 && m <= 59 && s <= 59 ? q + 9 : NULL;
}

static const char *other_instant(struct pofi_plain *p, const char *q, struct pofi_instant *last)
{
    int64_t t = 0;
    if (*q == '\0' || !pofi_same(q, p->day, 11)) {
        if (q[POFI_INSTANT - 1] != 'Z' ||
            !pof_instant_parse((struct pof_text){q, POFI_INSTANT}, &t)) {
            return NULL;
        }
        memcpy(p->day, q, 11);
        p->midnight = t / 86400 * 86400;
    }
    if (!time_of_day(p, q + 11, &t)) {
        return NULL;
    }
    memcpy(last->text, q, POFI_INSTANT);
    last->value = t;
    return q + POFI_INSTANT;
}

POFI_INLINE const char *instant(struct pofi_plain *p, const char *q, size_t i, void *member)
{
    struct pofi_instant *last = &p->last[i];
    bool again = *q && pofi_same(q, last->text, POFI_INSTANT);
    q = again ? q + POFI_INSTANT : other_instant(p, q, last);
    memcpy(member, &last->value, sizeof last->value);
    return q;
}

/* --- texts, words and the rest --- */

POFI_INLINE const char *text(const char *q, const struct pofi_step *s, char stop, void *member)
{
    struct pof_text t = {q, (size_t)(pofi_text_end(q, stop) - q)};
    memcpy(member, &t, sizeof t);
    return t.len >= (uint64_t)s->min && t.len <= (uint64_t)s->max ? q + t.len : NULL;
}

POFI_INLINE const char *word(const char *q, const struct pofi_step *s, char stop, void *member)
{
    size_t n = (size_t)(pofi_text_end(q, stop) - q);
    if (n == 0 || n >= POFI_WORD_MAX) {
        return NULL;
    }
    uint64_t first = pofi_load8(q) & (n < 8 ? UINT64_MAX >> (64 - 8 * n) : UINT64_MAX);
    for (int w = 0; w < s->words; w++) {
        const char *known = s->word[w];
        if (pofi_load8(known) == first && known[n] == '\0' &&
            (n <= 8 || memcmp(known + 8, q + 8, n - 8) == 0)) {
            memcpy(member, &w, sizeof w);
            return q + n;
        }
    }
    return NULL;
}

static const char *date(const char *q, char stop, void *member)
{
    struct pof_text t = {q, (size_t)(pofi_text_end(q, stop) - q)};
    struct pof_date ignored;
    memcpy(member, &t, sizeof t);
    return pof_date_parse(t, &ignored) ? q + t.len : NULL;
}

static const char *milliseconds(const char *q, char stop, void *member)
{
    struct pof_text t = {q, (size_t)(pofi_text_end(q, stop) - q)};
    int64_t ms = 0;
    bool good = pof_instant_ms_parse(t, &ms);
    memcpy(member, &ms, sizeof ms);
    return good ? q + t.len : NULL;
}

POFI_INLINE const char *real(const char *q, const char *end, void *member)
{
    double v = 0;
    const char *behind = pof_real_scan(q, end, POF_REAL_JSON, &v);
    memcpy(member, &v, sizeof v);
    return behind != q && isfinite(v) ? behind : NULL;
}

/* --- lines --- */

struct line {
    const char *end; /* of all bytes */
    char *record;    /* the structure */
    char stop;       /* what ends a text */
    bool odd;        /* a number in another form than the writer's */
};

/* The value of field i, whose step is s. */
POFI_INLINE const char *value(struct pofi_plain *p, struct line *in, const struct pofi_step *s,
                              size_t i, const char *q)
{
    void *member = in->record + s->offset;
    switch ((enum pof_kind)s->kind) {
    case POF_KIND_TEXT:
        return text(q, s, in->stop, member);
    case POF_KIND_INT:
        return number(q, s, false, &in->odd, member);
    case POF_KIND_INSTANT:
        return instant(p, q, i, member);
    case POF_KIND_WORD:
        return word(q, s, in->stop, member);
    case POF_KIND_MICRO:
        return number(q, s, true, &in->odd, member);
    case POF_KIND_REAL:
        return real(q, in->end, member);
    case POF_KIND_DATE:
        return date(q, in->stop, member);
    case POF_KIND_MILLIS:
        return milliseconds(q, in->stop, member);
    }
    return NULL;
}

/* The cell that names the type in full, if it is the one that rows are read as. */
static const char *type_cell(struct pofi_plain *p, const char *q)
{
    static const char begin[] = "{\"schema\":\"";
    size_t n = p->plan->begin_len - sizeof begin; /* and the closing quote */
    if (memcmp(q, p->plan->begin + sizeof begin - 1, n) != 0 || (q[n] != ',' && q[n] != '\n')) {
        return NULL;
    }
    p->fruitless -= p->fruitless > 0;
    return q + n;
}

size_t pofi_plain_csv(struct pofi_plain *p, const char *bytes, const char *end,
                      struct pof_record *record)
{
    const struct pofi_plan *plan = p->plan;
    if (!plan || *bytes == '\n') {
        return 0;
    }
    struct line in = {end, (char *)&record->u, ',', !p->all_fields};
    const uint8_t *column = p->field, *last = column + p->columns - 1;
    const char *q = bytes;
    uint64_t has = p->filled;
    record->type = p->type;
    memset(&record->u, 0, plan->size);
    for (;; q++, column++) {
        size_t i = *column;
        if (i >= POFI_EMPTY && *q != ',' && *q != '\n') {
            i -= POFI_EMPTY;
            has |= UINT64_C(1) << i;
        }
        if (i < POFI_SCHEMA) {
            q = value(p, &in, &plan->step[i], i, q);
        } else if (i == POFI_SCHEMA) {
            q = type_cell(p, q);
        }
        if (!q) {
            return 0;
        }
        if (*q != ',' || column == last) {
            break;
        }
    }
    if (column != last) {
        return 0;
    }
    record->u.has = has;
    p->written = !in.odd && (has & pofi_many_forms(p->type)) == 0;
    return (has & plan->required) == plan->required && *q == '\n' && q < end ? (size_t)(q + 1 - bytes)
                                                                             : 0;
}

/* {"schema":"pof.offer/1" with a type, mostly that of the line before. */
static const char *schema(struct pofi_plain *p, const char *q)
{
    static const char begin[] = "{\"schema\":\"";
    size_t n = p->plan ? p->plan->begin_len : 0;
    if (n && pofi_same(q, p->plan->begin, n)) {
        return q + n;
    }
    if (memcmp(q, begin, sizeof begin - 1) != 0) {
        return NULL;
    }
    q += sizeof begin - 1;
    const char *stop = pofi_text_end(q, '"');
    enum pof_type type = pof_type_of((struct pof_text){q, (size_t)(stop - q)});
    if (type == POF_TYPES || *stop != '"') {
        return NULL;
    }
    p->type = type;
    p->plan = pofi_plan(type);
    return stop + 1;
}

static size_t own_line(struct pofi_plain *p, const char *bytes, const char *end,
                       struct pof_record *record)
{
    const char *q = bytes < end ? schema(p, bytes) : NULL;
    if (!q) {
        return 0;
    }
    const struct pofi_plan *plan = p->plan;
    struct line in = {end, (char *)&record->u, '"', false};
    const struct pofi_step *s = plan->step;
    const size_t n = plan->n;
    bool named = q == bytes + plan->begin_len; /* in full, not by the type's name alone */
    uint64_t has = 0;
    record->type = p->type;
    memset(&record->u, 0, plan->size);
    for (size_t i = 0; i < n && *q == ','; i++, s++) {
        if (!pofi_is_key(q, s->key, s->key_len)) {
            continue;
        }
        q = value(p, &in, s, i, q + s->key_len);
        if (!q || (s->quoted && *q != '"')) {
            return 0;
        }
        q += s->quoted;
        has |= UINT64_C(1) << i;
    }
    record->u.has = has;
    p->written = named && !in.odd && (has & pofi_many_forms(p->type)) == 0;
    bool whole = q[0] == '}' && q[1] == '\n' && q + 2 <= end;
    return whole && (has & plan->required) == plan->required ? (size_t)(q + 2 - bytes) : 0;
}

/* --- lines of others --- */

static size_t line_of_shape(struct pofi_plain *p, const struct pofi_shape *f, const char *bytes,
                            const char *end, struct pof_record *record)
{
    struct line in = {end, (char *)&record->u, '"', false};
    const char *q = bytes;
    size_t from = 0;
    p->type = f->type;
    p->plan = pofi_plan(f->type);
    for (size_t i = 0;; i++) {
        size_t n = f->behind[i] - from;
        if ((size_t)(end - q) < n || memcmp(q, f->bytes + from, n) != 0) {
            return 0;
        }
        q += n;
        if (i == f->n) {
            break;
        }
        if (i == 0) { /* not before it looks like a line of this shape */
            record->type = f->type;
            memset(&record->u, 0, p->plan->size);
        }
        from = f->behind[i];
        q = value(p, &in, &p->plan->step[f->field[i]], f->field[i], q);
        if (!q || q > end) {
            return 0;
        }
    }
    record->u.has = f->has;
    p->written = false;
    return (size_t)(q - bytes);
}

size_t pofi_plain_json(struct pofi_plain *p, const char *bytes, const char *end,
                       struct pof_record *record)
{
    size_t n = own_line(p, bytes, end, record);
    for (size_t i = 0; n == 0 && i < p->shapes; i++) {
        n = p->shape[i].n ? line_of_shape(p, &p->shape[i], bytes, end, record) : 0;
        p->fruitless -= n && p->fruitless;
    }
    return n;
}

/* The bytes from *from up to a place, in front of the next value. */
static bool add_bytes(struct pofi_shape *f, const char **from, const char *to)
{
    size_t used = f->n ? f->behind[f->n - 1] : 0, n = (size_t)(to - *from);
    if (n > sizeof f->bytes - 2 - used) {
        return false;
    }
    memcpy(f->bytes + used, *from, n);
    f->behind[f->n] = (uint16_t)(used + n);
    *from = to;
    return true;
}

static bool shape_of(struct pofi_shape *f, const struct pofi_line *scanned, struct pof_text line)
{
    const struct pof_layout *l = pof_layout(f->type);
    const char *from = line.ptr, *end = line.ptr + line.len;
    f->n = 0;
    for (size_t k = 0; k < scanned->n; k++) {
        const struct pofi_value *v = &scanned->value[k];
        size_t i = 0;
        while (i < l->n && !pof_text_is(v->name, l->fields[i].name)) {
            i++;
        }
        /* The schema and what is not given belong to what stands around values. */
        if ((i == l->n && v->kind == POFI_STRING && pof_text_is(v->name, "schema")) ||
            (i < l->n && v->kind == POFI_NULL)) {
            continue;
        }
        /* Unknown members are counted, and escapes undone, elsewhere. */
        bool inside = v->text.ptr >= from && v->text.ptr + v->text.len <= end;
        if (i == l->n || !inside || f->n == POFI_FIELDS || !add_bytes(f, &from, v->text.ptr)) {
            return false;
        }
        f->field[f->n++] = (uint8_t)i;
        from = v->text.ptr + v->text.len;
    }
    if (f->n == 0 || !add_bytes(f, &from, end)) {
        return false;
    }
    /* The line ends as this one did. */
    if (*end == '\r') {
        f->bytes[f->behind[f->n]++] = '\r';
    }
    f->bytes[f->behind[f->n]++] = '\n';
    return true;
}

void pofi_plain_learn(struct pofi_plain *p, const struct pofi_line *scanned, struct pof_text line,
                      const struct pof_record *record)
{
    struct pofi_shape *f = &p->shape[p->next];
    if (p->fruitless >= POFI_PATIENCE) {
        return;
    }
    f->type = record->type;
    f->has = record->u.has;
    if (shape_of(f, scanned, line)) {
        p->shapes = p->next < p->shapes ? p->shapes : p->next + 1;
        p->next = (p->next + 1) % POFI_SHAPES;
        p->fruitless++;
    } else {
        f->n = 0;
    }
}
