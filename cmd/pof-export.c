/* SPDX-License-Identifier: Apache-2.0 */
/* pof-export: records as Telegraf JSON, line protocol, or a table. */
#include "net/http.h"
#include "pof-export/parts.h"
#include "record/export.h"
#include "record/table.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

enum { RECORDS, TABLE };
enum { AUTO, SECONDS, MILLIS, MICROS, NANOS };
static const char *const forms[] = {"telegraf", "line", "table", NULL};
static const char *const sources[] = {"records", "table", NULL};
static const char *const precisions[] = {"auto", "s", "ms", "us", "ns", NULL};
static const int64_t per_second[] = {0, 1, 1000, 1000000, 1000000000};

struct args {
    int to, from, precision;
    bool batch;
    const char *name, *url;
    int64_t retry_s;
    struct pof_texts tag;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"to", 't', POF_OPT_WORD, AT(to), "FORM", "telegraf, line or table (telegraf)", 0, 0, forms},
    {"from", 0, POF_OPT_WORD, AT(from), "FORM", "records, or a table written before (records)", 0, 0, sources},
    {"batch", 'b', POF_OPT_FLAG, AT(batch), NULL, "telegraf: all in one object {\"metrics\":[...]} (one a line)", 0, 0, NULL},
    {"name", 0, POF_OPT_TEXT, AT(name), "NAME", "name of the points (the type of each record)", 0, 0, NULL},
    {"tag", 0, POF_OPT_LIST, AT(tag), "KEY=VALUE", "tag added to each point; may be repeated", 0, 0, NULL},
    {"precision", 0, POF_OPT_WORD, AT(precision), "UNIT", "of timestamps: s, ms, us or ns (auto: s in telegraf, ns in line)", 0, 0, precisions},
    {"url", 'u', POF_OPT_TEXT, AT(url), "URL", "line: write to this InfluxDB, as http://HOST:8086/write?db=NAME (standard output)", 0, 0, NULL},
    {"retry", 0, POF_OPT_INT, AT(retry_s), "SECONDS", "url: wait so long in all for a server that does not answer (60)", 0, 86400, NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-export",
    .purpose = "write records as Telegraf JSON, line protocol or a table",
    .operands = "[FILE ...]",
    .examples = "pof-export --to line state.jsonl\n"
                "pof-export --to table state.jsonl",
    .options = options};

/* What a run holds. */
struct work {
    const struct args *args;
    struct pof_export how;
    struct pof_tag *tag;
    struct pof_sink sink;
    struct export_server server; /* instead of the sink, with a url */
    struct pof_buf buf;
    enum pof_type table; /* type of the table written, POF_TYPES before */
    uint64_t points;
};

enum { BLOCK = 1 << 16, POST = 1 << 20 /* some 10,000 points, as InfluxDB likes them */ };

static int flush(struct work *w, size_t above, struct pof_err *err)
{
    if (w->buf.len <= above) {
        return 0;
    }
    struct pof_text lines = {w->buf.data, w->buf.len};
    w->buf.len = 0; /* the bytes stay until the next point */
    return w->server.url ? export_post(&w->server, lines, err)
                         : w->sink.write(w->sink.ctx, lines.ptr, lines.len, err);
}

static int put_row(struct work *w, const struct pof_record *r, struct pof_err *err)
{
    int rc = 0;
    if (w->table == POF_TYPES) {
        w->table = r->type;
        rc = pof_table_header(&w->buf, r->type, err);
    } else if (w->table != r->type) {
        return pof_fail(err, POF_E_SCHEMA, "'%s' in a table of '%s': expected one type",
                        pof_layout(r->type)->name, pof_layout(w->table)->name);
    }
    return rc ? rc : pof_table_row(&w->buf, r->type, &r->u, err);
}

/* Telegraf objects stand one a line, or as the elements of one list. */
static int put_point(struct work *w, const struct pof_record *r, struct pof_err *err)
{
    bool list = w->args->batch;
    size_t before = w->buf.len;
    int rc = list ? pof_buf_adds(&w->buf, w->points ? ",\n" : "{\"metrics\":[\n", err) : 0;
    rc = rc ? rc : pof_export_point(&w->how, &w->buf, r->type, &r->u, err);
    rc = rc || list || w->args->to == POF_EXPORT_LINE ? rc : pof_buf_adds(&w->buf, "\n", err);
    w->buf.len = rc ? before : w->buf.len;
    return rc;
}

static int on_record(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct work *w = ctx;
    int rc = w->args->to == POF_EXPORT_TABLE ? put_row(w, r, err) : put_point(w, r, err);
    w->points += rc == 0;
    return rc ? rc : flush(w, w->server.url ? POST : BLOCK, err);
}

/* Tables that were written before, each of its own type. */
static int read_tables(struct pof_cli *cli, struct work *w, struct pof_err *err)
{
    static const char *const standard[] = {"-"};
    const char *const *paths;
    size_t n = pof_cli_operands(cli, &paths);
    int rc = 0;
    paths = n ? paths : standard;
    for (size_t i = 0; i < (n ? n : 1) && rc == 0; i++) {
        struct pof_source src;
        struct pof_table *table = NULL;
        struct pof_want want = {.on_record = on_record};
        rc = pof_cli_source(cli, paths[i], &src, err);
        rc = rc ? rc : pof_table_open(&table, &src, &want.type, err);
        if (rc == 0) {
            struct pof_source csv = pof_table_source(table);
            rc = pof_cli_read_source(cli, &csv, &want, w, err);
        }
        pof_table_close(table);
    }
    return rc;
}

static int read_records(struct pof_cli *cli, struct work *w, struct pof_err *err)
{
    struct pof_want wants[POF_TYPES];
    for (size_t i = 0; i < POF_TYPES; i++) {
        wants[i] = (struct pof_want){(enum pof_type)i, on_record};
    }
    return pof_cli_read(cli, wants, POF_TYPES, w, err);
}

static int prepare_server(struct work *w, struct pof_err *err)
{
    static const char *const units[] = {"ns", "s", "ms", "u", "ns"}; /* as InfluxDB names them */
    const struct args *a = w->args;
    if (!a->url) {
        return 0;
    }
    if (a->to != POF_EXPORT_LINE || !pof_http_is_url(a->url)) {
        return pof_fail(err, POF_E_USAGE,
                        "--url needs --to line and an http:// or https:// address");
    }
    w->server = (struct export_server){
        .url = a->url, .unit = units[a->precision], .retry_s = a->retry_s};
    return 0;
}

static int prepare(struct work *w, struct pof_err *err)
{
    const struct args *a = w->args;
    bool points = a->to != POF_EXPORT_TABLE;
    if (a->batch && a->to != POF_EXPORT_TELEGRAF) {
        return pof_fail(err, POF_E_USAGE, "--batch is for --to telegraf");
    }
    if (!points && (a->name || a->tag.n || a->precision != AUTO)) {
        return pof_fail(err, POF_E_USAGE, "--name, --tag and --precision are not for tables");
    }
    int rc = prepare_server(w, err);
    rc = rc ? rc : pof_calloc(&w->tag, a->tag.n, sizeof *w->tag, err);
    for (size_t i = 0; i < a->tag.n && rc == 0; i++) {
        if (!pof_tag_parse(pof_text(a->tag.item[i]), &w->tag[i])) {
            rc = pof_fail(err, POF_E_USAGE, "--tag '%.80s' is not KEY=VALUE", a->tag.item[i]);
        }
    }
    int unit = a->precision ? a->precision : a->to == POF_EXPORT_LINE ? NANOS : SECONDS;
    w->how = (struct pof_export){.form = (enum pof_export_form)a->to,
                                 .name = a->name ? pof_text(a->name) : (struct pof_text){"", 0},
                                 .tag = w->tag,
                                 .tags = a->tag.n,
                                 .per_second = per_second[unit]};
    return rc;
}

static int finish(struct pof_cli *cli, struct work *w, struct pof_err *err)
{
    int rc = 0;
    if (w->args->batch) {
        rc = pof_buf_adds(&w->buf, w->points ? "\n]}\n" : "{\"metrics\":[]}\n", err);
    }
    rc = rc ? rc : flush(w, 0, err);
    if (rc == 0) {
        pof_cli_note(cli, "%" PRIu64 " records in, %" PRIu64 " out", w->points, w->points);
        if (w->server.url) {
            pof_cli_note(cli, "%" PRIu64 " batches written, %" PRIu64 " attempts made again",
                         w->server.batches, w->server.retries);
        }
    }
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct work w = {.args = args, .table = POF_TYPES};
    int rc = prepare(&w, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &w.sink, err);
    if (rc == 0) {
        rc = w.args->from == TABLE ? read_tables(cli, &w, err) : read_records(cli, &w, err);
    }
    rc = rc ? rc : finish(cli, &w, err);
    pof_buf_release(&w.buf);
    free(w.tag);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.retry_s = 60};
    return pof_main(&program, argc, argv, &args, run);
}
