/* SPDX-License-Identifier: Apache-2.0 */
/* A data set to give away: CSV files with a data package descriptor (datapackage.json, Frictionless
 * Standards: Data Package and Table Schema 1.0) that says the type, unit and range of each column. */
#include "parts.h"

#include "io/directory.h"
#include "num/sha256.h"

#include <inttypes.h>
#include <stdio.h>

static const enum pof_type types[] = {POF_measurement, POF_baseline, POF_setpoint, POF_pod};

/* A file that grows, and what the descriptor says of it. */
struct resource {
    struct pof_folder folder;
    struct pof_writer writer;
    struct pof_sha256 sha;
    uint64_t bytes;
    char file[32];
};

static int take(void *ctx, const void *from, size_t n, struct pof_err *err)
{
    struct resource *s = ctx;
    int rc = s->folder.write(s->folder.ctx, (struct pof_place){s->file, s->bytes}, from, n, err);
    pof_sha256_add(&s->sha, from, n);
    s->bytes += n;
    return rc;
}

static int write_row(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct resource *s = ctx;
    return pof_writer_put(&s->writer, record->type, &record->u, err);
}

/* --- the descriptor --- */

/* Type and constraints of a column. */
static int put_kind(struct pof_buf *to, const struct pof_field *f, struct pof_err *err)
{
    static const char *const names[] = {[POF_KIND_TEXT] = "string",     [POF_KIND_WORD] = "string",
                                        [POF_KIND_INT] = "integer",     [POF_KIND_MICRO] = "number",
                                        [POF_KIND_REAL] = "number",     [POF_KIND_INSTANT] = "datetime",
                                        [POF_KIND_MILLIS] = "datetime", [POF_KIND_DATE] = "date"};
    int rc = pof_buf_addf(to, err, ", \"type\": \"%s\"%s, \"constraints\": {\"required\": %s", names[f->kind],
                          f->kind == POF_KIND_MILLIS ? ", \"format\": \"any\"" : "",
                          f->required ? "true" : "false");
    if (f->kind == POF_KIND_TEXT) {
        rc = rc ? rc : pof_buf_addf(to, err, ", \"maxLength\": %" PRId64, f->max);
    }
    if (f->kind == POF_KIND_INT || f->kind == POF_KIND_MICRO) {
        rc = rc ? rc : pof_buf_addf(to, err, ", \"minimum\": %" PRId64 ", \"maximum\": %" PRId64, f->min, f->max);
    }
    for (int i = 0; f->kind == POF_KIND_WORD && f->words[i] && rc == 0; i++) {
        rc = pof_buf_addf(to, err, "%s\"%s\"", i ? ", " : ", \"enum\": [", f->words[i]);
    }
    return rc ? rc : pof_buf_adds(to, f->kind == POF_KIND_WORD ? "]}" : "}", err);
}

static int put_field(struct pof_buf *to, const struct pof_field *f, struct pof_err *err)
{
    int rc = pof_buf_addf(to, err, "          {\"name\": \"%s\"", f->name);
    rc = rc ? rc : put_kind(to, f, err);
    rc = rc || !f->unit[0] ? rc : pof_buf_addf(to, err, ", \"unit\": \"%s\"", f->unit);
    rc = rc ? rc : pof_buf_adds(to, ", \"description\": ", err);
    rc = rc ? rc : pof_json_string(to, pof_text(f->text), err);
    return rc ? rc : pof_buf_adds(to, "}", err);
}

static int describe(struct pof_buf *to, struct resource *s, enum pof_type type, struct pof_err *err)
{
    const struct pof_layout *l = pof_layout(type);
    uint8_t digest[POF_SHA256_BYTES];
    char hex[POF_SHA256_HEX];
    pof_sha256_end(&s->sha, digest);
    pof_sha256_hex(digest, hex);
    int rc = pof_buf_addf(to, err,
                          "%s    {\n      \"name\": \"%ss\",\n      \"path\": \"%s\",\n"
                          "      \"profile\": \"tabular-data-resource\",\n      \"title\": \"%s\",\n"
                          "      \"format\": \"csv\",\n      \"mediatype\": \"text/csv\",\n      \"encoding\": \"utf-8\",\n"
                          "      \"bytes\": %" PRIu64 ",\n      \"hash\": \"sha256:%.*s\",\n"
                          "      \"schema\": {\n        \"fields\": [\n",
                          to->len ? ",\n" : "", l->name, s->file, l->text, s->bytes, (int)sizeof hex, hex);
    for (size_t i = 0; i < l->n && rc == 0; i++) {
        rc = put_field(to, &l->fields[i], err);
        rc = rc ? rc : pof_buf_adds(to, i + 1 < l->n ? ",\n" : "\n", err);
    }
    return rc ? rc
              : pof_buf_addf(to, err,
                             "        ],\n        \"missingValues\": [\"\"],\n        \"primaryKey\": [\"pod\"%s]\n      }\n    }",
                             type == POF_pod ? "" : ", \"start\"");
}

/* --- the files --- */

/* One kind of record as a file, in constant memory; none: no file. */
static int put_resource(struct run *r, struct pof_directory *d, size_t what, struct pof_buf *to, struct pof_err *err)
{
    struct resource s = {.folder = pof_directory_folder(d)};
    struct pof_sink sink = {take, &s, s.file};
    struct pof_query q = scd_question(r->args);
    snprintf(s.file, sizeof s.file, "%ss.csv", pof_layout(types[what])->name);
    q.series = what == WHAT_PODS ? q.series : (enum pof_series)what;
    pof_sha256_init(&s.sha);
    pof_writer_init(&s.writer, &sink, POF_CSV);
    int rc = what == WHAT_PODS ? pof_store_pods(r->store, &q, write_row, &s, err)
                               : pof_store_query(r->store, &q, write_row, &s, err);
    rc = rc ? rc : pof_writer_flush(&s.writer, err);
    if (rc == 0 && s.writer.records) {
        rc = s.folder.sync(s.folder.ctx, s.file, err);
        rc = rc ? rc : describe(to, &s, types[what], err);
        pof_cli_note(r->cli, "%s: %" PRIu64 " records, %" PRIu64 " bytes", s.file, s.writer.records, s.bytes);
    }
    pof_writer_release(&s.writer);
    return rc;
}

int scd_export(struct run *r, struct pof_err *err)
{
    struct pof_directory *d = NULL;
    struct pof_buf resources = {0};
    struct pof_buf all = {0};
    int rc = pof_directory_make(&d, r->files[0], err);
    for (size_t what = 0; rc == 0 && what < sizeof types / sizeof *types; what++) {
        rc = put_resource(r, d, what, &resources, err);
    }
    if (rc == 0 && resources.len == 0) {
        rc = pof_fail(err, POF_E_ANSWER_NO, "there is nothing to export");
    }
    rc = rc ? rc : pof_buf_adds(&all, "{\n  \"profile\": \"tabular-data-package\",\n  \"name\": \"pof-scd\",\n  \"resources\": [\n", err);
    rc = rc ? rc : pof_buf_add(&all, resources.data, resources.len, err);
    rc = rc ? rc : pof_buf_adds(&all, "\n  ]\n}\n", err);
    if (rc == 0) {
        struct pof_folder folder = pof_directory_folder(d);
        rc = folder.replace(folder.ctx, "datapackage.json", (struct pof_text){all.data, all.len}, err);
    }
    rc = rc ? rc : pof_directory_publish(d, err);
    pof_directory_close(d);
    pof_buf_release(&resources);
    pof_buf_release(&all);
    return rc;
}
