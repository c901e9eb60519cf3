/* SPDX-License-Identifier: Apache-2.0 */
#include "record/table.h"

#include "num/decimal.h"
#include "record/writer.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1 << 20, BLOCK = 1 << 16 };

/* --- writing --- */

static int width_of(const struct pof_field *f)
{
    int width = 0;
    switch (f->kind) {
    case POF_KIND_WORD:
        for (int i = 0; f->words[i]; i++) {
            int n = (int)strlen(f->words[i]);
            width = n > width ? n : width;
        }
        break;
    case POF_KIND_TEXT:
        width = f->max < 16 ? (int)f->max : 16;
        break;
    case POF_KIND_REAL:
        width = 22; /* -0.0012345678901234567, and most others */
        break;
    case POF_KIND_INSTANT:
        width = 20;
        break;
    case POF_KIND_MILLIS:
        width = 24;
        break;
    case POF_KIND_DATE:
        width = 10;
        break;
    default:
        width = 12;
        break;
    }
    return width > (int)f->name_len ? width : (int)f->name_len;
}

static bool is_number(const struct pof_field *f)
{
    return f->kind == POF_KIND_REAL || f->kind == POF_KIND_INT || f->kind == POF_KIND_MICRO;
}

/* A cell in its column; the last one of a row is not padded behind. */
static int add_cell(struct pof_buf *to, const struct pof_field *f, struct pof_text cell, bool last,
                    struct pof_err *err)
{
    size_t width = (size_t)width_of(f);
    size_t pad = width > cell.len ? width - cell.len : 0;
    int rc = pof_buf_reserve(to, pad + cell.len + 1, err);
    if (rc) {
        return rc;
    }
    char *p = to->data + to->len;
    size_t before = is_number(f) ? pad : 0;
    size_t behind = last ? 0 : pad - before;
    memset(p, ' ', before);
    memcpy(p + before, cell.ptr, cell.len);
    memset(p + before + cell.len, ' ', behind);
    p[before + cell.len + behind] = last ? '\n' : ' ';
    to->len += before + cell.len + behind + 1;
    return 0;
}

static bool plain(struct pof_text t)
{
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        if (c <= ' ' || c == '"' || c == ',') {
            return false;
        }
    }
    return t.len > 0 && !pof_text_is(t, "-");
}

/* A text as it stands in a cell; scratch holds it when it needs quotes. */
static int quote(struct pof_text *t, struct pof_buf *scratch, struct pof_err *err)
{
    if (plain(*t)) {
        return 0;
    }
    scratch->len = 0;
    int rc = pof_buf_adds(scratch, "\"", err);
    for (size_t i = 0; i < t->len && rc == 0; i++) {
        if (t->ptr[i] == '\n' || t->ptr[i] == '\r') {
            return pof_fail(err, POF_E_SYNTAX, "a line break in a text: a table cannot carry it");
        }
        rc = pof_buf_add(scratch, t->ptr[i] == '"' ? "\"\"" : &t->ptr[i],
                         t->ptr[i] == '"' ? 2 : 1, err);
    }
    rc = rc ? rc : pof_buf_adds(scratch, "\"", err);
    *t = (struct pof_text){scratch->data, scratch->len};
    return rc;
}

int pof_table_header(struct pof_buf *to, enum pof_type type, struct pof_err *err)
{
    const struct pof_layout *l = pof_layout(type);
    int rc = pof_buf_addf(to, err, "# %s\n", l->schema);
    for (size_t i = 0; i < l->n && rc == 0; i++) {
        const struct pof_field *f = &l->fields[i];
        rc = add_cell(to, f, (struct pof_text){f->name, f->name_len}, i + 1 == l->n, err);
    }
    return rc;
}

int pof_table_row(struct pof_buf *to, enum pof_type type, const void *record, struct pof_err *err)
{
    const struct pof_layout *l = pof_layout(type);
    struct pof_buf scratch = {0};
    size_t before = to->len;
    uint64_t has;
    int rc = 0;
    memcpy(&has, record, sizeof has);
    for (size_t i = 0; i < l->n && rc == 0; i++) {
        const struct pof_field *f = &l->fields[i];
        const void *member = (const char *)record + f->offset;
        char room[POF_DECIMAL_MAX];
        struct pof_text cell = pof_text("-");
        if (f->required || ((has >> i) & 1u)) {
            if (f->kind == POF_KIND_TEXT || f->kind == POF_KIND_DATE) {
                memcpy(&cell, member, sizeof cell);
                rc = quote(&cell, &scratch, err);
                rc = rc ? pof_at(err, NULL, 0, f->name) : 0;
            } else {
                cell = (struct pof_text){room, pof_value_format(f, member, room)};
            }
        }
        rc = rc ? rc : add_cell(to, f, cell, i + 1 == l->n, err);
    }
    pof_buf_release(&scratch);
    to->len = rc ? before : to->len;
    return rc;
}

/* --- reading --- */

struct pof_table {
    const struct pof_source *src;
    struct pof_buf in;  /* bytes read, from `used` on not yet turned */
    size_t used;
    bool end;
    struct pof_buf out; /* CSV, from `given` on not yet handed out */
    size_t given;
};

/* The next line without its LF; 1, or 0 at the end. */
static int next_line(struct pof_table *t, struct pof_text *line, struct pof_err *err)
{
    for (;;) {
        char *from = t->in.data + t->used;
        size_t left = t->in.len - t->used;
        char *lf = left ? memchr(from, '\n', left) : NULL;
        if (lf || (t->end && left > 0)) {
            *line = (struct pof_text){from, lf ? (size_t)(lf - from) : left};
            t->used += line->len + (lf != NULL);
            if (line->len && line->ptr[line->len - 1] == '\r') {
                line->len--;
            }
            return 1;
        }
        if (t->end) {
            return 0;
        }
        if (left > LINE_MAX_BYTES) {
            return pof_fail(err, POF_E_TOO_LONG, "a line of a table beyond %d bytes",
                            LINE_MAX_BYTES);
        }
        if (t->used > 0) {
            memmove(t->in.data, from, left);
            t->in.len = left;
            t->used = 0;
        }
        int rc = pof_buf_reserve(&t->in, BLOCK, err);
        ssize_t n = rc ? rc : t->src->read(t->src->ctx, t->in.data + t->in.len, BLOCK, err);
        if (n < 0) {
            return (int)n;
        }
        t->in.len += (size_t)n;
        t->end = n == 0;
    }
}

/* Blanks outside quotes become commas, a lone dash becomes nothing. */
static int turn(struct pof_table *t, struct pof_text line, struct pof_err *err)
{
    size_t i = 0;
    bool first = true;
    int rc = 0;
    while (rc == 0) {
        while (i < line.len && line.ptr[i] == ' ') {
            i++;
        }
        if (i == line.len) {
            break;
        }
        size_t begin = i;
        bool quoted = false;
        for (; i < line.len && (quoted || line.ptr[i] != ' '); i++) {
            quoted = quoted != (line.ptr[i] == '"');
        }
        bool none = i - begin == 1 && line.ptr[begin] == '-';
        rc = first ? 0 : pof_buf_adds(&t->out, ",", err);
        rc = rc || none ? rc : pof_buf_add(&t->out, line.ptr + begin, i - begin, err);
        first = false;
    }
    return rc ? rc : pof_buf_adds(&t->out, "\n", err);
}

int pof_table_open(struct pof_table **out, const struct pof_source *src, enum pof_type *type,
                   struct pof_err *err)
{
    struct pof_table *t = NULL;
    struct pof_text title = {"", 0};
    *out = NULL;
    int rc = pof_calloc(&t, 1, sizeof *t, err);
    if (rc) {
        return rc;
    }
    t->src = src;
    rc = next_line(t, &title, err);
    *type = POF_TYPES;
    if (rc == 1 && title.len > 2 && memcmp(title.ptr, "# ", 2) == 0) {
        *type = pof_type_of((struct pof_text){title.ptr + 2, title.len - 2});
    }
    if (rc >= 0 && *type == POF_TYPES) {
        pof_fail(err, POF_E_SCHEMA, "'%.*s' is not the title of a table: expected '# pof.state/1' "
                                    "or the like",
                 (int)(title.len < 80 ? title.len : 80), title.ptr);
        rc = pof_at(err, src->name, 1, NULL);
    }
    rc = rc < 0 ? rc : pof_buf_adds(&t->out, "\n", err); /* keeps the count of lines */
    if (rc) {
        pof_table_close(t);
        return rc;
    }
    *out = t;
    return 0;
}

static ssize_t read_csv(void *ctx, void *to, size_t n, struct pof_err *err)
{
    struct pof_table *t = ctx;
    while (t->given == t->out.len) {
        struct pof_text line;
        t->given = t->out.len = 0;
        int rc = next_line(t, &line, err);
        if (rc <= 0) {
            return rc;
        }
        rc = turn(t, line, err);
        if (rc) {
            return rc;
        }
    }
    size_t left = t->out.len - t->given;
    size_t give = left < n ? left : n;
    memcpy(to, t->out.data + t->given, give);
    t->given += give;
    return (ssize_t)give;
}

struct pof_source pof_table_source(struct pof_table *t)
{
    return (struct pof_source){.read = read_csv, .ctx = t, .name = t->src->name};
}

void pof_table_close(struct pof_table *t)
{
    if (t) {
        pof_buf_release(&t->in);
        pof_buf_release(&t->out);
        free(t);
    }
}
