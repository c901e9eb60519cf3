/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to lines to records. */
#include "record/reader.h"

#include "record/plain.h"
#include "record/scan.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_MAX_LINE = 16 * 1024 * 1024 };

enum mode { UNDECIDED, JSON, CSV };

struct pof_reader {
    struct pof_source src;
    struct pof_reader_options options;
    struct pof_buf buf;
    size_t pos; /* of the first byte not yet used */
    uint64_t dropped; /* bytes of the source that are no longer in buf */
    uint64_t offset;  /* where the last record begins */
    bool eof;
    bool started;
    int broken; /* the code that ended reading for good */
    uint64_t lines; /* complete lines used */
    uint64_t line;  /* where the last record began */
    struct pof_text raw;
    enum mode mode;
    enum pof_type csv_type;
    struct pof_names header; /* column names; column k is text[column[k]] */
    size_t columns;
    bool typed; /* a column names the type of each row */
    struct pofi_line scanned;
    struct pofi_unknown unknown;
    struct pofi_plain plain;
    bool written; /* the last line is as a writer would write it */
    struct pof_buf head; /* the header, when no row under it can be sound */
};

int pof_reader_new(struct pof_reader **out, const struct pof_source *src,
                   const struct pof_reader_options *options, struct pof_err *err)
{
    struct pof_reader *r;
    int rc = pof_calloc(&r, 1, sizeof *r, err);
    if (rc) {
        return rc;
    }
    r->src = *src;
    r->options = *options;
    r->options.max_line = options->max_line ? options->max_line : DEFAULT_MAX_LINE;
    r->unknown.strict = options->strict;
    rc = pof_buf_reserve(&r->buf, POF_STREAM_BLOCK + POF_STREAM_ZEROS, err);
    if (rc) {
        pof_reader_free(r);
        return rc;
    }
    *out = r;
    return 0;
}

void pof_reader_free(struct pof_reader *r)
{
    if (r) {
        pof_buf_release(&r->buf);
        pof_buf_release(&r->scanned.scratch);
        pof_names_release(&r->header);
        pof_buf_release(&r->head);
        free(r);
    }
}

uint64_t pof_reader_line(const struct pof_reader *r)
{
    return r->line;
}

struct pof_text pof_reader_raw(const struct pof_reader *r)
{
    return r->raw;
}

bool pof_reader_is_written(const struct pof_reader *r, enum pof_format format)
{
    return r->written && format == (r->mode == CSV ? POF_CSV : POF_NDJSON);
}

uint64_t pof_reader_offset(const struct pof_reader *r)
{
    return r->offset;
}

bool pof_reader_broken(const struct pof_reader *r)
{
    return r->broken != 0;
}

uint64_t pof_reader_unknown(const struct pof_reader *r, const char **first)
{
    if (first) {
        *first = r->unknown.first;
    }
    return r->unknown.count;
}

/* Drops used bytes and reads one more block. */
static int fill(struct pof_reader *r, struct pof_err *err)
{
    ssize_t n = pof_source_more(&r->src, &r->buf, r->pos, err);
    r->dropped += r->pos;
    r->pos = 0;
    r->eof = n == 0;
    return r->broken = n < 0 ? (int)n : 0;
}

/* Skips to behind the next LF, keeping nothing: the line was too long. */
static int skip_line(struct pof_reader *r, struct pof_err *err)
{
    for (;;) {
        char *lf = memchr(r->buf.data + r->pos, '\n', r->buf.len - r->pos);
        if (lf) {
            r->pos = (size_t)(lf - r->buf.data) + 1;
            break;
        }
        r->pos = r->buf.len;
        if (r->eof) {
            break;
        }
        int rc = fill(r, err);
        if (rc) {
            return rc;
        }
    }
    r->lines++;
    r->raw = (struct pof_text){NULL, 0};
    return pof_fail(err, POF_E_TOO_LONG, "line of more than %zu bytes", r->options.max_line);
}

/* Where a CSV record stands between its bytes: RFC 4180 opens a quoted cell only at its first byte. */
struct quoting {
    bool inside;
    bool at_start; /* of a cell */
};

static void follow_quotes(struct quoting *q, const char *p, const char *end)
{
    if (!q->inside && p < end && !memchr(p, '"', (size_t)(end - p))) {
        q->at_start = end[-1] == ','; /* the quote may be the first byte of the next block */
        return;
    }
    for (; p < end; p++) {
        if (*p == '"') {
            bool was_inside = q->inside;
            q->inside = !was_inside && q->at_start;
            q->at_start = was_inside; /* a second quote right behind opens it again */
        } else {
            q->at_start = !q->inside && *p == ',';
        }
    }
}

/* The number of bytes up to and without the LF that ends this record: the next LF, or in CSV the
 * next one outside quotes; when the quotes never close, the next LF all the same, so that one bad
 * row does not swallow the rest. 1: found (or the rest, at the end of input), 0: end of input. */
static int find_end(struct pof_reader *r, size_t *len, struct pof_err *err)
{
    size_t seen = 0;
    size_t first = 0; /* the first LF, when it lies inside quotes */
    struct quoting q = {.at_start = true};
    for (;;) {
        const char *start = r->buf.data + r->pos;
        size_t have = r->buf.len - r->pos;
        while (seen < have) {
            const char *from = start + seen;
            const char *lf = memchr(from, '\n', have - seen);
            size_t stop = lf ? (size_t)(lf - start) : have;
            if (r->mode == CSV) {
                follow_quotes(&q, from, start + stop);
            }
            if (lf && !q.inside) {
                *len = stop;
                return 1;
            }
            first = lf && first == 0 ? stop : first;
            seen = stop + (lf ? 1 : 0);
        }
        if (have > r->options.max_line || r->eof) {
            *len = first ? first : have;
            return have > 0;
        }
        int rc = fill(r, err);
        if (rc) {
            return rc;
        }
    }
}

/* The next line that is not empty, checked as text. */
static int next_line(struct pof_reader *r, struct pof_text *line, struct pof_err *err)
{
    for (;;) {
        size_t len = 0;
        int rc = find_end(r, &len, err);
        if (rc <= 0) {
            return rc;
        }
        r->line = r->lines + 1;
        r->offset = r->dropped + r->pos;
        if (len > r->options.max_line) {
            return skip_line(r, err);
        }
        const char *p = r->buf.data + r->pos;
        bool has_lf = len < r->buf.len - r->pos;
        const char *in = r->mode == CSV ? memchr(p, '\n', len) : NULL;
        for (; in; in = memchr(in + 1, '\n', len - (size_t)(in + 1 - p))) {
            r->lines++;
        }
        r->pos += len + has_lf;
        r->lines++;
        if (!r->started) {
            r->started = true;
            if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
                p += 3;
                len -= 3;
            }
        }
        len -= len && p[len - 1] == '\r';
        if (len == 0) {
            continue;
        }
        r->raw = *line = (struct pof_text){p, len};
        if (memchr(p, '\0', len)) {
            return pof_fail(err, POF_E_NUL, "a NUL byte in the line");
        }
        if (!pofi_is_utf8(*line)) {
            return pof_fail(err, POF_E_ENCODING, "the line is not UTF-8");
        }
        return 1;
    }
}

static bool in_header(const struct pof_reader *r, const struct pof_field *f)
{
    return pof_names_find(&r->header, (struct pof_text){f->name, f->name_len}) != POF_NONE;
}

/* The first required field of a type that is not in the header, or NULL. */
static const struct pof_field *lacking(const struct pof_reader *r, enum pof_type type)
{
    const struct pof_layout *l = pof_layout(type);
    for (size_t i = 0; i < l->n; i++) {
        if (l->fields[i].required && !in_header(r, &l->fields[i])) {
            return &l->fields[i];
        }
    }
    return NULL;
}

static bool has_required(const struct pof_reader *r, enum pof_type type, size_t *known)
{
    const struct pof_layout *l = pof_layout(type);
    *known = 0;
    for (size_t i = 0; i < l->n; i++) {
        *known += in_header(r, &l->fields[i]);
    }
    return lacking(r, type) == NULL;
}

/* The type whose fields are in the header; the one that explains most columns if several. */
static int type_of_header(struct pof_reader *r, struct pof_err *err)
{
    size_t best = 0;
    bool tie = false;
    size_t known;
    r->csv_type = r->options.expect;
    if (r->csv_type != POF_TYPES) {
        return 0;
    }
    for (int t = 0; t < POF_TYPES; t++) {
        if (has_required(r, (enum pof_type)t, &known) && known >= best) {
            tie = known == best;
            best = known;
            r->csv_type = (enum pof_type)t;
        }
    }
    if (best == 0 || tie) {
        r->csv_type = POF_TYPES;
        return pof_fail(err, POF_E_SCHEMA,
                        best ? "the header fits several record types, expected a 'schema' column"
                             : "the header has not the required fields of any record type");
    }
    return 0;
}

/* The header names its columns; a schema column may say the type row by row. */
static int read_header(struct pof_reader *r, struct pof_text line, struct pof_err *err)
{
    int rc = pofi_scan_csv(&r->scanned, line, err);
    if (rc) {
        return rc;
    }
    for (size_t k = 0; k < r->scanned.n; k++) {
        uint32_t id;
        struct pof_text name = r->scanned.value[k].text;
        rc = pof_names_add(&r->header, name, &id, err);
        if (rc) {
            return rc;
        }
        if (id != k) {
            return pof_fail(err, POF_E_DUPLICATE, "column '%.*s' is in the header twice",
                            (int)(name.len < 60 ? name.len : 60), name.ptr);
        }
    }
    r->columns = r->scanned.n;
    if (pof_names_find(&r->header, pof_text("schema")) != POF_NONE) {
        r->csv_type = r->options.expect;
        r->typed = true;
        return 0;
    }
    rc = type_of_header(r, err);
    if (rc == 0) {
        pofi_plain_header(&r->plain, r->csv_type, &r->header);
    }
    return rc;
}

static int scan(struct pof_reader *r, struct pof_text line, struct pof_err *err)
{
    if (r->mode == JSON) {
        return pofi_scan_json(&r->scanned, line, err);
    }
    int rc = pofi_scan_csv(&r->scanned, line, err);
    if (rc) {
        return rc;
    }
    if (r->scanned.n != r->columns) {
        return pof_fail(err, POF_E_COLUMNS, "%zu columns, the header has %zu", r->scanned.n,
                        r->columns);
    }
    for (size_t k = 0; k < r->columns; k++) {
        r->scanned.value[k].name = r->header.text[k];
    }
    return 0;
}

static int find_type(const struct pof_reader *r, enum pof_type *type, struct pof_err *err)
{
    *type = r->mode == CSV ? r->csv_type : r->options.expect;
    for (size_t k = 0; k < r->scanned.n; k++) {
        const struct pofi_value *v = &r->scanned.value[k];
        if (pof_text_is(v->name, "schema") && v->text.len) {
            *type = v->kind == POFI_STRING || v->kind == POFI_CSV ? pof_type_of(v->text)
                                                                  : POF_TYPES;
            if (*type == POF_TYPES) {
                pof_fail(err, POF_E_SCHEMA, "'%.*s' is no record type of this version",
                         (int)(v->text.len < 60 ? v->text.len : 60), v->text.ptr);
                return pof_at(err, NULL, 0, "schema");
            }
            return 0;
        }
    }
    if (*type == POF_TYPES) {
        pof_fail(err, POF_E_SCHEMA, "no 'schema' says what the record is");
        return pof_at(err, NULL, 0, "schema");
    }
    return 0;
}

/* Nearly all lines are plain and wholly in the buffer. */
static bool next_plain(struct pof_reader *r, struct pof_record *record)
{
    const char *p = r->buf.data + r->pos, *end = r->buf.data + r->buf.len;
    if (p == end) {
        return false;
    }
    size_t n = r->mode == CSV    ? pofi_plain_csv(&r->plain, p, end, record)
               : r->mode == JSON ? pofi_plain_json(&r->plain, p, end, record)
                                 : 0;
    if (n == 0 || n - 1 > r->options.max_line) {
        return false;
    }
    r->raw = (struct pof_text){p, n - 1 - (p[n - 2] == '\r')};
    r->offset = r->dropped + r->pos;
    r->pos += n;
    r->line = ++r->lines;
    return true;
}

static int next(struct pof_reader *r, struct pof_record *record, struct pof_err *err);

/* The rows under a header. A line on its own that lacks what every row needs is no table but something
 * torn or foreign: it must not pass unseen. With rows, each of them says so. */
static int next_row(struct pof_reader *r, struct pof_text header, struct pof_record *record,
                    struct pof_err *err)
{
    const struct pof_field *lacks = r->typed ? NULL : lacking(r, r->csv_type);
    uint64_t line = r->line;
    uint64_t offset = r->offset;
    int rc = lacks ? pof_buf_add(&r->head, header.ptr, header.len, err) : 0;
    rc = rc ? rc : next(r, record, err);
    if (rc || !lacks) {
        return rc;
    }
    r->line = line;
    r->offset = offset;
    r->raw = (struct pof_text){r->head.data, r->head.len};
    pof_fail(err, POF_E_MISSING, "a line on its own, no record, and as the header of a CSV without column '%s': "
                                 "expected records of %s",
             lacks->name, pof_layout(r->csv_type)->schema);
    return pof_at(err, NULL, 0, lacks->name);
}

static int next(struct pof_reader *r, struct pof_record *record, struct pof_err *err)
{
    struct pof_text line;
    if (next_plain(r, record)) {
        r->written = r->plain.written;
        return 1;
    }
    r->written = false;
    int rc = next_line(r, &line, err);
    if (rc <= 0) {
        return rc;
    }
    if (r->mode == UNDECIDED) {
        size_t blank = 0;
        while (blank < line.len && (line.ptr[blank] == ' ' || line.ptr[blank] == '\t')) {
            blank++;
        }
        r->mode = blank < line.len && (line.ptr[blank] == '{' || line.ptr[blank] == '[') ? JSON : CSV;
        if (r->mode == CSV) {
            rc = read_header(r, line, err);
            if (rc) {
                return r->broken = rc; /* no row can be read without a header */
            }
            return next_row(r, line, record, err);
        }
    }
    rc = scan(r, line, err);
    rc = rc ? rc : find_type(r, &record->type, err);
    uint64_t unknown = r->unknown.count;
    rc = rc ? rc : pofi_assign(&r->scanned, record->type, &record->u, &r->unknown, err);
    r->unknown.count = rc ? unknown : r->unknown.count; /* of a bad line nothing was skipped */
    if (rc == 0 && r->mode == JSON) {
        pofi_plain_learn(&r->plain, &r->scanned, line, record);
    } else if (rc == 0 && r->typed) {
        pofi_plain_row(&r->plain, record->type, &r->header);
    }
    return rc ? rc : 1;
}

int pof_reader_next(struct pof_reader *r, struct pof_record *record, struct pof_err *err)
{
    if (r->broken) {
        return 0;
    }
    int rc = next(r, record, err);
    return rc < 0 ? pof_at(err, r->src.name, r->line ? r->line : 1, NULL) : rc;
}
