/* SPDX-License-Identifier: Apache-2.0 */
#include "record/export.h"

#include "num/decimal.h"
#include "record/writer.h"

#include <string.h>

/* What becomes of a field. */
enum part { TAG, NUMBER, STRING, INSTANT };

static enum part part_of(const struct pof_field *f)
{
    switch (f->kind) {
    case POF_KIND_WORD:
        return TAG;
    case POF_KIND_TEXT:
        return f->max <= POF_TAG_MAX ? TAG : STRING;
    case POF_KIND_INSTANT:
        return strcmp(f->name, "start") == 0 ? INSTANT : STRING;
    case POF_KIND_MILLIS:
        return strcmp(f->name, "datetime") == 0 ? INSTANT : STRING;
    case POF_KIND_DATE:
        return STRING;
    default:
        return NUMBER;
    }
}

static bool is_given(const struct pof_field *f, const void *record, size_t i)
{
    uint64_t has;
    memcpy(&has, record, sizeof has);
    return f->required || ((has >> i) & 1u);
}

/* The text of any value; room has POF_DECIMAL_MAX bytes. */
static struct pof_text text_of(const struct pof_field *f, const void *record, char *room)
{
    const void *member = (const char *)record + f->offset;
    struct pof_text t = {room, 0};
    if (f->kind == POF_KIND_TEXT || f->kind == POF_KIND_DATE) {
        memcpy(&t, member, sizeof t);
    } else {
        t.len = pof_value_format(f, member, room);
    }
    return t;
}

/* The instant of a record in the unit asked for. */
static int timestamp(const struct pof_export *x, const struct pof_layout *l, const void *record,
                     int64_t *out, struct pof_err *err)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct pof_field *f = &l->fields[i];
        if (part_of(f) != INSTANT) {
            continue;
        }
        int64_t value;
        int64_t per = f->kind == POF_KIND_MILLIS ? 1000 : 1;
        memcpy(&value, (const char *)record + f->offset, sizeof value);
        int64_t finer = x->per_second >= per ? x->per_second / per : 1;
        int64_t coarser = x->per_second >= per ? 1 : per / x->per_second;
        if (value % coarser != 0 || __builtin_mul_overflow(value / coarser, finer, out)) {
            pof_fail(err, POF_E_RANGE, "an instant that is no 64-bit number of 1/%lld s: choose "
                                       "another precision",
                     (long long)x->per_second);
            return pof_at(err, NULL, 0, f->name);
        }
        return 0;
    }
    return pof_fail(err, POF_E_MISSING, "records of type '%s' have no instant: they are not points in time", l->name);
}

/* --- JSON --- */

static int json_member(struct pof_buf *to, bool first, struct pof_text name, struct pof_text value,
                       struct pof_err *err)
{
    int rc = first ? 0 : pof_buf_adds(to, ",", err);
    rc = rc ? rc : pof_json_string(to, name, err);
    rc = rc ? rc : pof_buf_adds(to, ":", err);
    return rc ? rc : pof_json_string(to, value, err);
}

static int json_tags(const struct pof_export *x, struct pof_buf *to, const struct pof_layout *l,
                     const void *record, struct pof_err *err)
{
    char room[POF_DECIMAL_MAX];
    bool first = true;
    int rc = pof_buf_adds(to, ",\"tags\":{", err);
    for (size_t i = 0; i < x->tags && rc == 0; i++, first = false) {
        rc = json_member(to, first, x->tag[i].key, x->tag[i].value, err);
    }
    for (size_t i = 0; i < l->n && rc == 0; i++) {
        const struct pof_field *f = &l->fields[i];
        if (part_of(f) == TAG && is_given(f, record, i)) {
            rc = json_member(to, first, pof_text(f->name), text_of(f, record, room), err);
            first = false;
        }
    }
    return rc ? rc : pof_buf_adds(to, "}", err);
}

static int json_fields(struct pof_buf *to, const struct pof_layout *l, const void *record,
                       size_t *n, struct pof_err *err)
{
    char room[POF_DECIMAL_MAX];
    int rc = pof_buf_adds(to, ",\"fields\":{", err);
    for (size_t i = 0; i < l->n && rc == 0; i++) {
        const struct pof_field *f = &l->fields[i];
        enum part part = part_of(f);
        if ((part != NUMBER && part != STRING) || !is_given(f, record, i)) {
            continue;
        }
        struct pof_text value = text_of(f, record, room);
        if (part == STRING) {
            rc = json_member(to, *n == 0, pof_text(f->name), value, err);
        } else {
            rc = pof_buf_adds(to, *n ? ",\"" : "\"", err);
            rc = rc ? rc : pof_buf_add(to, f->name, f->name_len, err);
            rc = rc ? rc : pof_buf_adds(to, "\":", err);
            rc = rc ? rc : pof_buf_add(to, value.ptr, value.len, err);
        }
        ++*n;
    }
    return rc ? rc : pof_buf_adds(to, "}", err);
}

static int json_point(const struct pof_export *x, struct pof_buf *to, const struct pof_layout *l,
                      const void *record, size_t *fields, struct pof_err *err)
{
    int rc = pof_buf_adds(to, "{\"name\":", err);
    rc = rc ? rc : pof_json_string(to, x->name.len ? x->name : pof_text(l->name), err);
    rc = rc ? rc : json_tags(x, to, l, record, err);
    rc = rc ? rc : json_fields(to, l, record, fields, err);
    return rc ? rc : pof_buf_adds(to, ",\"timestamp\":", err);
}

/* --- line protocol --- */

/* Text outside quotes: special characters behind a backslash. */
static int line_text(struct pof_buf *to, struct pof_text t, const char *special,
                     struct pof_err *err)
{
    int rc = pof_buf_reserve(to, 2 * t.len, err);
    for (size_t i = 0; i < t.len && rc == 0; i++) {
        char c = t.ptr[i];
        if (c == '\n' || c == '\r' || (c == '\\' && i + 1 == t.len)) {
            return pof_fail(err, POF_E_SYNTAX,
                            "'%.*s' %s: line protocol cannot carry it as a tag",
                            (int)(t.len < 80 ? t.len : 80), t.ptr,
                            c == '\\' ? "ends in a backslash" : "contains a line break");
        }
        if (c && strchr(special, c)) {
            to->data[to->len++] = '\\';
        }
        to->data[to->len++] = c;
    }
    return rc;
}

static int line_tag(struct pof_buf *to, struct pof_text key, struct pof_text value,
                    struct pof_err *err)
{
    if (value.len == 0) {
        return 0; /* an empty tag is no tag */
    }
    int rc = pof_buf_adds(to, ",", err);
    rc = rc ? rc : line_text(to, key, ", =", err);
    rc = rc ? rc : pof_buf_adds(to, "=", err);
    return rc ? rc : line_text(to, value, ", =", err);
}

static int line_string(struct pof_buf *to, struct pof_text t, struct pof_err *err)
{
    int rc = pof_buf_adds(to, "\"", err);
    for (size_t i = 0; i < t.len && rc == 0; i++) {
        rc = t.ptr[i] == '"' || t.ptr[i] == '\\' ? pof_buf_adds(to, "\\", err) : 0;
        rc = rc ? rc : pof_buf_add(to, &t.ptr[i], 1, err);
    }
    return rc ? rc : pof_buf_adds(to, "\"", err);
}

static int line_field(struct pof_buf *to, const struct pof_field *f, const void *record, bool first,
                      struct pof_err *err)
{
    char room[POF_DECIMAL_MAX];
    struct pof_text value = text_of(f, record, room);
    int rc = pof_buf_adds(to, first ? " " : ",", err);
    rc = rc ? rc : pof_buf_add(to, f->name, f->name_len, err);
    rc = rc ? rc : pof_buf_adds(to, "=", err);
    if (rc == 0 && part_of(f) == STRING) {
        return line_string(to, value, err);
    }
    rc = rc ? rc : pof_buf_add(to, value.ptr, value.len, err);
    return rc || f->kind != POF_KIND_INT ? rc : pof_buf_adds(to, "i", err);
}

static int line_point(const struct pof_export *x, struct pof_buf *to, const struct pof_layout *l,
                      const void *record, size_t *fields, struct pof_err *err)
{
    char room[POF_DECIMAL_MAX];
    int rc = line_text(to, x->name.len ? x->name : pof_text(l->name), ", ", err);
    for (size_t i = 0; i < x->tags && rc == 0; i++) {
        rc = line_tag(to, x->tag[i].key, x->tag[i].value, err);
    }
    for (size_t i = 0; i < l->n && rc == 0; i++) {
        const struct pof_field *f = &l->fields[i];
        if (part_of(f) == TAG && is_given(f, record, i)) {
            rc = line_tag(to, pof_text(f->name), text_of(f, record, room), err);
            rc = rc ? pof_at(err, NULL, 0, f->name) : 0;
        }
    }
    for (size_t i = 0; i < l->n && rc == 0; i++) {
        const struct pof_field *f = &l->fields[i];
        enum part part = part_of(f);
        if ((part == NUMBER || part == STRING) && is_given(f, record, i)) {
            rc = line_field(to, f, record, *fields == 0, err);
            ++*fields;
        }
    }
    return rc ? rc : pof_buf_adds(to, " ", err);
}

/* A tag of the user's must not take the name of one of the record's own. */
static int check_tags(const struct pof_export *x, const struct pof_layout *l, struct pof_err *err)
{
    for (size_t i = 0; i < x->tags; i++) {
        for (size_t k = 0; k < l->n; k++) {
            if (pof_text_is(x->tag[i].key, l->fields[k].name)) {
                return pof_fail(err, POF_E_DUPLICATE, "tag '%s': '%s' has a field of that name",
                                l->fields[k].name, l->name);
            }
        }
    }
    return 0;
}

int pof_export_point(const struct pof_export *x, struct pof_buf *to, enum pof_type type,
                     const void *record, struct pof_err *err)
{
    const struct pof_layout *l = pof_layout(type);
    char stamp[POF_DECIMAL_MAX];
    size_t before = to->len;
    size_t fields = 0;
    int64_t at = 0;
    int rc = check_tags(x, l, err);
    rc = rc ? rc : timestamp(x, l, record, &at, err);
    if (rc) {
        return rc;
    }
    rc = x->form == POF_EXPORT_LINE ? line_point(x, to, l, record, &fields, err)
                                    : json_point(x, to, l, record, &fields, err);
    if (rc == 0 && fields == 0) {
        rc = pof_fail(err, POF_E_MISSING, "'%s' without any value: a point needs a field", l->name);
    }
    rc = rc ? rc : pof_buf_add(to, stamp, pof_decimal_format(at, 0, stamp), err);
    rc = rc ? rc : pof_buf_adds(to, x->form == POF_EXPORT_LINE ? "\n" : "}", err);
    to->len = rc ? before : to->len;
    return rc;
}

bool pof_tag_parse(struct pof_text text, struct pof_tag *tag)
{
    const char *equal = memchr(text.ptr, '=', text.len);
    if (!equal || equal == text.ptr || equal + 1 == text.ptr + text.len) {
        return false;
    }
    tag->key = (struct pof_text){text.ptr, (size_t)(equal - text.ptr)};
    tag->value = (struct pof_text){equal + 1, text.len - tag->key.len - 1};
    return true;
}
