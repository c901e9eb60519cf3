/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements in from files, pipes and the web: checked, each once, rejects aside with reasons. */
#include "cli/cli.h"
#include "net/http.h"
#include "num/units.h"
#include "record/check.h"
#include "record/sorted.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static const char *const dups[] = {"reject", "first", "last", NULL};

struct args {
    struct pof_check_rules rules;
    int64_t max_future_s, max_bytes;
    int dup;
    bool sort, tolerate;
    const char *pods, *rejects, *summary, *metrics;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"raster", 0, POF_OPT_INT, AT(rules.raster_s), "S", "intervals begin at a multiple of S seconds and last S; 0: any (900)", 0, 86400, NULL},
    {"p-max", 0, POF_OPT_INT, AT(rules.p_max_w), "W", "largest plausible power; 0: as in the table (0)", 0, 1000000000000, NULL},
    {"change-max", 0, POF_OPT_INT, AT(rules.change_max_w), "W", "largest change to the next interval; 0: any (0)", 0, 1000000000000, NULL},
    {"max-future", 0, POF_OPT_INT, AT(max_future_s), "S", "intervals end at most S seconds after --now (no rule)", 0, 1000000000, NULL},
    {"pods", 0, POF_OPT_FILE, AT(pods), "FILE", "pod records: measurements of others are rejected (any pod)", 0, 0, NULL},
    {"window", 0, POF_OPT_INT, AT(rules.window_s), "S", "how far behind the newest of a pod repetitions are known; 0: off (172800)", 0, 4000000000, NULL},
    {"dup", 0, POF_OPT_WORD, AT(dup), "RULE", "two contents for one interval: reject, or the first or last counts (reject)", 0, 0, dups},
    {"sort", 0, POF_OPT_FLAG, AT(sort), NULL, "write in order of start and pod; reads all input", 0, 0, NULL},
    {"rejects", 0, POF_OPT_OUTPUT, AT(rejects), "FILE", "rejected lines with their reasons, as reject records", 0, 0, NULL},
    {"tolerate", 0, POF_OPT_FLAG, AT(tolerate), NULL, "exit status 0 though lines were rejected", 0, 0, NULL},
    {"summary", 0, POF_OPT_OUTPUT, AT(summary), "FILE", "counts as one JSON object", 0, 0, NULL},
    {"metrics", 0, POF_OPT_OUTPUT, AT(metrics), "FILE", "counts as Prometheus text", 0, 0, NULL},
    {"max-bytes", 0, POF_OPT_INT, AT(max_bytes), "N", "largest document fetched from a URL (1073741824)", 1, INT64_MAX, NULL},
    {0}};
#undef AT

enum { CODES = 1000, SHOWN = 20, RAW_MAX = 65536 };

struct counts {
    uint64_t in, out, rejected, same, superseded, unknown;
    uint64_t by_code[CODES];
};

struct ingest {
    struct pof_cli *cli;
    const struct args *args;
    struct pof_check *check;
    struct pof_sorted *sorted; /* NULL: written as they come */
    struct pof_writer *rejects;
    struct counts n;
};

/* --- the fates of a line --- */

static int reject(struct ingest *in, const struct pof_origin *origin, const struct pof_err *why,
                  struct pof_err *err)
{
    struct pof_reject r = {.source = pof_text(origin->source),
                           .line = (int64_t)origin->line,
                           .field = pof_text(why->field),
                           .code = -why->code,
                           .reason = pof_text(why->text),
                           .raw = origin->raw};
    in->n.rejected++;
    in->n.by_code[-why->code % CODES]++;
    if (!in->rejects) {
        if (in->n.rejected <= SHOWN) {
            pof_cli_note(in->cli, "%s:%" PRIu64 ":%s%s %s (E%d)", origin->source, origin->line,
                         why->field, why->field[0] ? ":" : "", why->text, -why->code);
        }
        return 0;
    }
    if (why->field[0]) {
        POF_SET(&r, reject, field);
    }
    bool is_text = why->code != POF_E_NUL && why->code != POF_E_ENCODING;
    if (is_text && origin->raw.len > 0 && origin->raw.len <= RAW_MAX) {
        POF_SET(&r, reject, raw);
    }
    return pof_writer_put(in->rejects, POF_reject, &r, err);
}

static int write_out(struct ingest *in, const struct pof_measurement *m, struct pof_err *err)
{
    int rc = pof_check_take(in->check, m, err);
    in->n.out++;
    return rc ? rc : pof_writer_put(pof_cli_out(in->cli), POF_measurement, m, err);
}

/* A measurement of a stream: unless it was here before, it goes out at once. */
static int take_streamed(struct ingest *in, const struct pof_measurement *m,
                         const struct pof_origin *origin, struct pof_err *err)
{
    struct pof_err why = {0};
    enum pof_repeat what;
    int rc = pof_check_repeat(in->check, m, &what, &why, err);
    if (rc) {
        return rc;
    }
    if (what == POF_REPEAT_NONE) {
        return write_out(in, m, err);
    }
    bool superseded = what == POF_REPEAT_DIFFERS && in->args->dup == POF_DUP_FIRST;
    in->n.same += what == POF_REPEAT_SAME;
    in->n.superseded += superseded;
    return what == POF_REPEAT_SAME || superseded ? 0 : reject(in, origin, &why, err);
}

/* A measurement of the sorted whole. */
static int take_sorted(void *ctx, const struct pof_measurement *m, const struct pof_origin *origin,
                       enum pof_fate fate, struct pof_err *err)
{
    struct ingest *in = ctx;
    struct pof_err why = {0};
    in->n.same += fate == POF_FATE_SAME;
    in->n.superseded += fate == POF_FATE_SUPERSEDED;
    if (fate == POF_FATE_REJECTED) {
        pof_fail(&why, POF_E_CONFLICT, "pod '%.*s' has several measurements for this interval",
                 (int)m->pod.len, m->pod.ptr);
        pof_at(&why, NULL, 0, "start");
        return reject(in, origin, &why, err);
    }
    if (fate != POF_FATE_OUT) {
        return 0;
    }
    /* Again, because only now the interval before is the one in time. */
    return pof_check_values(in->check, m, &why) ? reject(in, origin, &why, err)
                                                : write_out(in, m, err);
}

static int take(struct ingest *in, const struct pof_record *record, const struct pof_origin *origin,
                struct pof_err *err)
{
    struct pof_err why = {0};
    const struct pof_measurement *m = &record->u.measurement;
    if (record->type != POF_measurement) {
        pof_fail(&why, POF_E_SCHEMA, "a record of type %s, expected measurement",
                 pof_layout(record->type)->name);
        return reject(in, origin, &why, err);
    }
    if (pof_check_values(in->check, m, &why)) {
        return reject(in, origin, &why, err);
    }
    return in->sorted ? pof_sorted_add(in->sorted, m, origin, err)
                      : take_streamed(in, m, origin, err);
}

/* --- the inputs --- */

static int read_lines(struct ingest *in, struct pof_reader *r, const char *name,
                      struct pof_err *err)
{
    for (;;) {
        struct pof_record record;
        struct pof_err why = {0};
        int rc = pof_reader_next(r, &record, &why);
        if (rc == 0 || pof_reader_broken(r)) {
            *err = rc < 0 ? why : *err;
            return rc;
        }
        in->n.in++;
        struct pof_origin origin = {name, pof_reader_line(r), pof_reader_raw(r)};
        rc = rc < 0 ? reject(in, &origin, &why, err) : take(in, &record, &origin, err);
        if (rc) {
            return rc;
        }
        pof_cli_progress(in->cli, "reading", in->n.in, 0);
    }
}

static int read_source(struct ingest *in, const struct pof_source *src, struct pof_err *err)
{
    struct pof_reader *r = NULL;
    struct pof_reader_options how = {.expect = POF_measurement, .strict = pof_cli_strict(in->cli)};
    int rc = pof_reader_new(&r, src, &how, err);
    if (rc) {
        return rc;
    }
    rc = read_lines(in, r, src->name, err);
    const char *first;
    uint64_t unknown = pof_reader_unknown(r, &first);
    if (unknown && !how.strict) {
        in->n.unknown += unknown;
        pof_cli_warn(in->cli, "%s: %" PRIu64 " unknown fields were skipped, the first is '%.60s'",
                     src->name, unknown, first);
    }
    pof_reader_free(r);
    return rc;
}

static int read_operand(struct ingest *in, const char *path, struct pof_err *err)
{
    struct pof_source src;
    if (!pof_http_is_url(path)) {
        int rc = pof_cli_source(in->cli, path, &src, err);
        src.name = path; /* lives as long as the rejects that name it */
        return rc ? rc : read_source(in, &src, err);
    }
    struct pof_http *http = NULL;
    struct pof_http_options how = {.max_bytes = (uint64_t)in->args->max_bytes};
    int rc = pof_http_open(&http, path, &how, err);
    if (rc == 0) {
        src = pof_http_source(http);
        src.name = path;
        rc = read_source(in, &src, err);
    }
    pof_http_close(http);
    return rc;
}

static int read_all(struct ingest *in, struct pof_err *err)
{
    static const char *const standard[] = {"-"};
    const char *const *paths;
    size_t n = pof_cli_operands(in->cli, &paths);
    paths = n ? paths : standard;
    int rc = 0;
    for (size_t i = 0; i < (n ? n : 1) && rc == 0; i++) {
        rc = read_operand(in, paths[i], err);
    }
    return rc || !in->sorted
               ? rc
               : pof_sorted_each(in->sorted, (enum pof_dup)in->args->dup, take_sorted, in, err);
}

/* --- what is told at the end --- */

static int write_text(struct pof_cli *cli, const char *path, const struct pof_buf *text,
                      struct pof_err *err)
{
    struct pof_sink sink;
    int rc = pof_cli_sink(cli, path, &sink, err);
    return rc ? rc : sink.write(sink.ctx, text->data, text->len, err);
}

static int write_summary(struct ingest *in, const struct pof_check_counts *c, struct pof_err *err)
{
    const struct counts *n = &in->n;
    struct pof_buf b = {0};
    int rc = pof_buf_addf(&b, err,
                          "{\"in\":%" PRIu64 ",\"out\":%" PRIu64 ",\"rejected\":%" PRIu64
                          ",\"duplicates\":%" PRIu64 ",\"superseded\":%" PRIu64,
                          n->in, n->out, n->rejected, n->same, n->superseded);
    rc = rc ? rc
            : pof_buf_addf(&b, err,
                           ",\"out_of_order\":%" PRIu64 ",\"pods\":%" PRIu64 ",\"missing\":%" PRIu64
                           ",\"unknown_fields\":%" PRIu64 "}\n",
                           c->out_of_order, c->pods, c->missing, n->unknown);
    rc = rc ? rc : write_text(in->cli, in->args->summary, &b, err);
    pof_buf_release(&b);
    return rc;
}

static int write_metrics(struct ingest *in, const struct pof_check_counts *c, struct pof_err *err)
{
    const struct counts *n = &in->n;
    struct pof_buf b = {0};
    int rc = pof_buf_addf(
        &b, err,
        "# HELP pof_ingest_records Lines of the last run by what became of them.\n"
        "# TYPE pof_ingest_records gauge\n"
        "pof_ingest_records{fate=\"out\"} %" PRIu64 "\npof_ingest_records{fate=\"rejected\"} %" PRIu64
        "\npof_ingest_records{fate=\"duplicate\"} %" PRIu64
        "\npof_ingest_records{fate=\"superseded\"} %" PRIu64 "\n",
        n->out, n->rejected, n->same, n->superseded);
    rc = rc ? rc
            : pof_buf_addf(&b, err,
                           "# HELP pof_ingest_missing Intervals inside the pods' spans without a "
                           "measurement.\n# TYPE pof_ingest_missing gauge\npof_ingest_missing %" PRIu64
                           "\n# HELP pof_ingest_rejected Rejected lines by error number.\n"
                           "# TYPE pof_ingest_rejected gauge\n",
                           c->missing);
    for (int i = 0; i < CODES && rc == 0; i++) {
        rc = n->by_code[i] ? pof_buf_addf(&b, err, "pof_ingest_rejected{code=\"%d\"} %" PRIu64 "\n", i,
                                          n->by_code[i])
                           : 0;
    }
    rc = rc ? rc : write_text(in->cli, in->args->metrics, &b, err);
    pof_buf_release(&b);
    return rc;
}

static int tell(struct ingest *in, struct pof_err *err)
{
    const struct counts *n = &in->n;
    struct pof_check_counts c;
    pof_check_counts(in->check, &c);
    int rc = in->args->summary ? write_summary(in, &c, err) : 0;
    rc = rc || !in->args->metrics ? rc : write_metrics(in, &c, err);
    if (rc) {
        return rc;
    }
    pof_cli_note(in->cli,
                 "%" PRIu64 " lines: %" PRIu64 " written, %" PRIu64 " rejected, %" PRIu64
                 " repeated, %" PRIu64 " superseded; %" PRIu64 " intervals of %" PRIu64
                 " pods are missing",
                 n->in, n->out, n->rejected, n->same, n->superseded, c.missing, c.pods);
    if (n->rejected == 0 || in->args->tolerate) {
        return 0;
    }
    return pof_fail(err, POF_E_ANSWER_NO, "%" PRIu64 " of %" PRIu64 " lines were rejected%s",
                    n->rejected, n->in,
                    in->rejects ? "" : "; --rejects FILE keeps them with their reasons");
}

/* --- the program --- */

static int on_pod(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct ingest *in = ctx;
    return pof_check_allow(in->check, record->u.pod.pod, err);
}

static int prepare(struct ingest *in, struct pof_err *err)
{
    static const struct pof_want pods = {POF_pod, on_pod};
    const struct args *a = in->args;
    struct pof_check_rules rules = a->rules;
    if (a->dup == POF_DUP_LAST && !a->sort) {
        return pof_fail(err, POF_E_USAGE,
                        "--dup last needs --sort: what is last is known at the end only");
    }
    rules.latest_end = a->max_future_s < 0 ? INT64_MAX : pof_cli_now(in->cli) + a->max_future_s;
    int rc = pof_check_new(&in->check, &rules, err);
    rc = rc || !a->sort ? rc : pof_sorted_new(&in->sorted, err);
    rc = rc || !a->rejects ? rc : pof_cli_writer(in->cli, a->rejects, &in->rejects, err);
    return rc || !a->pods ? rc : pof_cli_read_files(in->cli, &a->pods, 1, &pods, 1, in, err);
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct ingest in = {.cli = cli, .args = args};
    int rc = prepare(&in, err);
    rc = rc ? rc : read_all(&in, err);
    rc = rc ? rc : tell(&in, err);
    pof_check_free(in.check);
    pof_sorted_free(in.sorted);
    return rc;
}

static const struct pof_program program = {
    .name = "pof-ingest",
    .purpose = "take in measurements: checked, each once, rejects aside",
    .operands = "[FILE|URL ...]",
    .examples = "pof-ingest meters.csv --rejects rejects.jsonl > meters.jsonl\n"
                "pof-ingest --sort --dup last *.csv | pof-scd scd.db load",
    .options = options,
};

int main(int argc, char **argv)
{
    struct args args = {.rules = {.raster_s = POF_QUARTER_S, .window_s = 172800},
                        .max_future_s = -1,
                        .max_bytes = INT64_C(1) << 30};
    return pof_main(&program, argc, argv, &args, run);
}
