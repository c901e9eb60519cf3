/* SPDX-License-Identifier: Apache-2.0 */
/* PSS/E RAW: lines, and the fields in them. */
#include "grid/raw.h"

#include "num/real.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- lines --- */

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One value from p on; the place behind it. */
static const char *cut_field(const char *p, const char *stop, struct pof_text *field)
{
    const char *from = p;
    if (p < stop && (*p == '\'' || *p == '"')) {
        char quote = *p;
        from = ++p;
        while (p < stop && *p != quote) {
            p++;
        }
        *field = (struct pof_text){from, (size_t)(p - from)};
        p += p < stop;
    } else {
        while (p < stop && !blank(*p) && *p != ',' && *p != '/') {
            p++;
        }
        *field = (struct pof_text){from, (size_t)(p - from)};
    }
    while (field->len > 0 && blank(field->ptr[field->len - 1])) {
        field->len--;
    }
    while (field->len > 0 && blank(*field->ptr)) {
        field->ptr++;
        field->len--;
    }
    return p;
}

/* Adds the values of a line to a record. */
static void cut_line(struct pofi_record *rec, const char *p, const char *stop)
{
    for (;;) {
        while (p < stop && blank(*p)) {
            p++;
        }
        if (p >= stop || *p == '/' || rec->n == POFI_RAW_FIELDS) {
            return;
        }
        struct pofi_raw_field *f = &rec->field[rec->n++];
        f->numeric = false;
        p = cut_field(p, stop, &f->text);
        while (p < stop && blank(*p)) {
            p++;
        }
        p += p < stop && *p == ',';
    }
}

/* The next line that is no comment ("@!" from revision 35 on); false at the end of the text. */
static bool take_line(struct pofi_raw *r, const char **from, const char **stop)
{
    while (r->at < r->end) {
        *from = r->at;
        *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
        *stop = *stop ? *stop : r->end;
        r->at = *stop < r->end ? *stop + 1 : *stop;
        r->line++;
        if (*stop - *from < 2 || (*from)[0] != '@' || (*from)[1] != '!') {
            return true;
        }
    }
    return false;
}

static bool next_values(struct pofi_raw *r, size_t at)
{
    const char *from, *stop;
    while (take_line(r, &from, &stop)) {
        r->rec.n = at;
        cut_line(&r->rec, from, stop);
        if (r->rec.n > at) {
            if (r->rec.pieces < sizeof r->rec.piece / sizeof r->rec.piece[0]) {
                r->rec.piece[r->rec.pieces].at = at;
                r->rec.piece[r->rec.pieces++].line = r->line;
            }
            return at > 0 || !pof_text_is(r->rec.field[0].text, "Q");
        }
    }
    return false;
}

bool pofi_raw_next(struct pofi_raw *r)
{
    r->rec.n = r->rec.pieces = 0;
    return next_values(r, 0);
}

void pofi_raw_skip(struct pofi_raw *r)
{
    const char *from, *stop;
    (void)!take_line(r, &from, &stop);
}

int pofi_raw_more(struct pofi_raw *r, size_t at)
{
    while (r->rec.n < at) {
        r->rec.field[r->rec.n++] = (struct pofi_raw_field){.text = {"", 0}};
    }
    return next_values(r, at) ? 0
                              : pof_fail(r->err, POF_E_TRUNCATED,
                                         "the file ends in a record of its %s data", r->part->name);
}

bool pofi_raw_end_of_part(const struct pofi_raw *r)
{
    return pof_text_is(r->rec.field[0].text, "0") && (r->part->wanted || r->rec.n == 1);
}

/* --- which field is where --- */

static const char *order_of(const struct pofi_raw *r)
{
    const char *fields = NULL;
    for (size_t i = 0; i < 4 && r->part->order[i].fields; i++) {
        if (r->part->order[i].since <= r->revision) {
            fields = r->part->order[i].fields;
        }
    }
    return fields;
}

/* The place of a name in an order; of the first field of a line when name is NULL and line > 0. */
static int place_of(const char *order, const char *name, int line)
{
    int place = 0;
    size_t n = name ? strlen(name) : 0;
    for (const char *p = order; *p; place++) {
        size_t len = strcspn(p, " |");
        if (name && len == n && memcmp(p, name, n) == 0) {
            return place;
        }
        p += len;
        if (*p == '|' && !name && --line == 0) {
            return place + 1;
        }
        p += *p != '\0';
    }
    return -1;
}

int pofi_raw_line(struct pofi_raw *r, int line)
{
    const char *order = order_of(r);
    int at = r->document || !order ? -1 : place_of(order, NULL, line);
    return at < 0 ? 0 : pofi_raw_more(r, (size_t)at);
}

void pofi_raw_use(struct pofi_raw *r, const struct pofi_raw_part *part)
{
    r->part = part;
    const char *order = order_of(r);
    for (size_t k = 0; part->wanted && part->wanted[k]; k++) {
        r->column[k] = order && !r->document ? (int16_t)place_of(order, part->wanted[k], 0) : -1;
    }
}

/* --- values --- */

int pofi_raw_fail(struct pofi_raw *r, size_t k, enum pof_code code, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    pof_fail(r->err, code, "%s", text);
    uint64_t line = 0; /* the line of the record on which the field stands */
    for (size_t i = 0; i < r->rec.pieces && !r->document; i++) {
        if (r->column[k] < 0 || (size_t)r->column[k] >= r->rec.piece[i].at) {
            line = r->rec.piece[i].line;
        }
    }
    return pof_at(r->err, NULL, line, r->part->wanted[k]);
}

static const struct pofi_raw_field *field(const struct pofi_raw *r, size_t k)
{
    int column = r->column[k];
    return column >= 0 && (size_t)column < r->rec.n ? &r->rec.field[column] : NULL;
}

int pofi_raw_real(struct pofi_raw *r, size_t k, double without, double *out)
{
    const struct pofi_raw_field *f = field(r, k);
    *out = without;
    if (f && f->numeric) {
        *out = f->number;
    } else if (f && f->text.len > 0 && !pofi_number(f->text, false, out)) {
        return pofi_raw_fail(r, k, POF_E_NUMBER, "'%.*s' is not a number",
                             (int)(f->text.len < 40 ? f->text.len : 40), f->text.ptr);
    }
    return 0;
}

int pofi_raw_reals(struct pofi_raw *r, size_t k, size_t n, double *v)
{
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = pofi_raw_real(r, k + i, v[i], &v[i]);
    }
    return rc;
}

struct pof_text pofi_raw_text(const struct pofi_raw *r, size_t k)
{
    const struct pofi_raw_field *f = field(r, k);
    return f ? f->text : (struct pof_text){"", 0};
}

int pofi_raw_number(struct pofi_raw *r, size_t k, char *to, struct pof_text *out)
{
    double number;
    int rc = pofi_raw_real(r, k, 0, &number);
    number = fabs(number);
    if (rc == 0 && (!(number >= 1) || number > 999999 || number != floor(number))) {
        return pofi_raw_fail(r, k, POF_E_RANGE, "bus number %.15g is not an integer in 1 .. 999999",
                             number);
    }
    if (rc == 0) {
        *out = (struct pof_text){to, (size_t)snprintf(to, 16, "%.0f", number)};
    }
    return rc;
}

int pofi_raw_bus(struct pofi_raw *r, size_t k, uint32_t *node)
{
    char text[16];
    struct pof_text number;
    int rc = pofi_raw_number(r, k, text, &number);
    if (rc) {
        return rc;
    }
    *node = pof_names_find(&r->numbers, number);
    return *node != POF_NONE
               ? 0
               : pofi_raw_fail(r, k, POF_E_REFERENCE, "bus %s is not in the bus data", text);
}
