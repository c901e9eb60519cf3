/* SPDX-License-Identifier: Apache-2.0 */
/* The table of forms, and what they share. */
#include "record/form.h"

#include "record/writer.h"

#include <stdlib.h>
#include <string.h>

/* The first that fits reads the source. */
static const struct pofi_form *const forms[] = {&pofi_form_xml, &pofi_form_json, &pofi_form_dialect,
                                                &pofi_form_line};

const struct pofi_form *pofi_form_of(const struct pof_form_options *how, struct pof_text head)
{
    if (head.len >= 3 && memcmp(head.ptr, "\xef\xbb\xbf", 3) == 0) {
        head = (struct pof_text){head.ptr + 3, head.len - 3};
    }
    while (head.len && memchr(" \t\r\n", *head.ptr, 4)) {
        head = (struct pof_text){head.ptr + 1, head.len - 1};
    }
    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && head.len; i++) {
        if (forms[i]->begins(how, head)) {
            return forms[i];
        }
    }
    return NULL;
}

enum { SCANS = 3 };

int pofi_feed_init(struct pofi_feed *f, struct pof_err *err)
{
    int rc = pof_calloc(&f->scan, SCANS, sizeof *f->scan, err);
    return rc ? rc : pof_calloc(&f->terms, 1, sizeof *f->terms, err);
}

void pofi_feed_release(struct pofi_feed *f)
{
    for (size_t i = 0; f->scan && i < SCANS; i++) {
        pof_buf_release(&f->scan[i].scratch);
    }
    free(f->scan);
    free(f->terms);
    pof_buf_release(&f->raw);
}

int pofi_feed_refuse(struct pofi_feed *f, const struct pof_origin *o, struct pof_err *err)
{
    if (pof_errinfo(f->why.code)->exit_status != 65) {
        *err = f->why; /* memory that is short is not the record's fault */
        return f->why.code;
    }
    return f->refuse(f->ctx, &f->why, o, err);
}

int pofi_feed_record(struct pofi_feed *f, const struct pof_record *r, const struct pof_origin *o,
                     struct pof_err *err)
{
    return pof_record_check(r->type, &r->u, &f->why) ? pofi_feed_refuse(f, o, err)
                                                     : f->take(f->ctx, r, o, err);
}

int pofi_feed_values(struct pofi_feed *f, const struct pofi_line *values, enum pof_type type,
                     const struct pof_origin *o, struct pof_err *err)
{
    char room[POFI_ROOM];
    struct pof_record record = {.type = type};
    uint64_t unknown = f->unknown.count;
    int rc = 0;
    if (type == POF_measurement) {
        rc = pofi_terms(f->how, values, f->terms, room, &f->why);
        f->flagged += rc > 0;
        rc = rc < 0 ? rc : 0;
        values = f->terms;
    }
    rc = rc ? rc : pofi_assign(values, type, &record.u, &f->unknown, &f->why);
    if (rc) {
        f->unknown.count = unknown;
        return pofi_feed_refuse(f, o, err);
    }
    return f->take(f->ctx, &record, o, err);
}

const struct pofi_value *pofi_value_of(const struct pofi_line *line, const char *name)
{
    for (size_t k = 0; k < line->n; k++) {
        if (pof_text_is(line->value[k].name, name)) {
            return line->value[k].kind == POFI_NULL ? NULL : &line->value[k];
        }
    }
    return NULL;
}

/* The place behind a JSON value of known good form that begins at p. */
static const char *behind(const char *p, const char *end)
{
    size_t depth = 0;
    bool inside = false;
    for (; p < end; p++) {
        if (inside) {
            p += *p == '\\';
            inside = p < end && *p != '"';
        } else if (*p == '"') {
            inside = true;
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if (*p == '}' || *p == ']' || *p == ',') {
            if (depth == 0) {
                return p;
            }
            depth -= *p != ',';
        }
    }
    return end;
}

bool pofi_next_item(struct pof_text *at, struct pof_text *item)
{
    const char *p = at->ptr, *end = p + at->len;
    p += p < end; /* the bracket or the comma before it */
    while (p < end && memchr(" \t\r\n", *p, 4)) {
        p++;
    }
    if (p >= end || *p == ']') {
        return false;
    }
    const char *stop = behind(p, end);
    *at = (struct pof_text){stop, (size_t)(end - stop)};
    while (stop > p && memchr(" \t\r\n", stop[-1], 4)) {
        stop--;
    }
    *item = (struct pof_text){p, (size_t)(stop - p)};
    return true;
}

void pofi_skipped(struct pofi_feed *f, struct pof_text name)
{
    if (f->unknown.count++ == 0) {
        size_t n = name.len < sizeof f->unknown.first - 1 ? name.len : sizeof f->unknown.first - 1;
        memcpy(f->unknown.first, name.ptr, n);
        f->unknown.first[n] = '\0';
    }
}

int pofi_flat_text(struct pof_buf *to, const struct pofi_line *values, struct pof_err *err)
{
    to->len = 0;
    int rc = 0;
    for (size_t k = 0; k < values->n && rc == 0; k++) {
        rc = pof_buf_adds(to, k ? "," : "{", err);
        rc = rc ? rc : pof_json_string(to, values->value[k].name, err);
        rc = rc ? rc : pof_buf_adds(to, ":", err);
        rc = rc ? rc : pof_json_string(to, values->value[k].text, err);
    }
    return rc ? rc : pof_buf_adds(to, values->n ? "}" : "{}", err);
}
