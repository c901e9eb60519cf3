/* SPDX-License-Identifier: Apache-2.0 */
/* One CSV record. Rows without quotes, nearly all of them, are cut at their commas; the others go
 * to libcsv in strict mode. One answer for both: blanks belong to the cell. */
#include "record/scan.h"

#include <csv.h>
#include <string.h>

static int add_cell(struct pofi_line *out, const char *ptr, size_t len, struct pof_err *err)
{
    if (out->n == POFI_MEMBERS) {
        return pof_fail(err, POF_E_TOO_LONG, "more than %d columns", POFI_MEMBERS);
    }
    out->value[out->n++] = (struct pofi_value){.text = {ptr, len}, .kind = POFI_CSV};
    return 0;
}

struct sink {
    struct pofi_line *out;
    struct pof_err *err;
    int rc;
    size_t rows;
};

static void on_cell(void *cell, size_t len, void *ctx)
{
    struct sink *s = ctx;
    struct pof_buf *b = &s->out->scratch; /* reserved for the whole line */
    if (s->rc == 0) {
        memcpy(b->data + b->len, cell, len);
        s->rc = add_cell(s->out, b->data + b->len, len, s->err);
        b->len += len;
    }
}

static void on_row(int end, void *ctx)
{
    (void)end;
    ((struct sink *)ctx)->rows++;
}

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static int quoted(struct pofi_line *out, struct pof_text line, struct pof_err *err)
{
    struct csv_parser parser;
    struct sink s = {.out = out, .err = err};
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        return pof_fail(err, POF_E_NOMEM, "cannot start the CSV parser");
    }
    csv_set_space_func(&parser, no_space);
    size_t used = csv_parse(&parser, line.ptr, line.len, on_cell, on_row, &s);
    int failed = used != line.len ? csv_error(&parser) : 0;
    if (!failed && csv_fini(&parser, on_cell, on_row, &s) != 0) {
        failed = csv_error(&parser);
    }
    csv_free(&parser);
    if (s.rc) {
        return s.rc;
    }
    if (failed == CSV_ENOMEM) {
        return pof_fail(err, POF_E_NOMEM, "the CSV parser is out of memory");
    }
    if (failed || s.rows > 1) {
        return pof_fail(err, POF_E_SYNTAX, "a quote at byte %zu of the row, expected RFC 4180 quoting",
                        used + 1);
    }
    return 0;
}

int pofi_scan_csv(struct pofi_line *out, struct pof_text line, struct pof_err *err)
{
    out->n = 0;
    out->scratch.len = 0;
    if (line.len && memchr(line.ptr, '"', line.len)) {
        int rc = pof_buf_reserve(&out->scratch, line.len + 1, err);
        return rc ? rc : quoted(out, line, err);
    }
    const char *p = line.ptr;
    const char *end = p + line.len;
    for (;;) {
        const char *comma = p < end ? memchr(p, ',', (size_t)(end - p)) : NULL;
        const char *stop = comma ? comma : end;
        int rc = add_cell(out, p, (size_t)(stop - p), err);
        if (rc || !comma) {
            return rc;
        }
        p = comma + 1;
    }
}
