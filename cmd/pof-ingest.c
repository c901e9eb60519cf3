/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements in from files, pipes and the web: checked, each once, rejects aside with reasons. */
#include "cli/cli.h"
#include "net/http.h"
#include "num/time.h"
#include "num/units.h"
#include "record/intake.h"

#include <inttypes.h>
#include <stddef.h>

static const char *const dups[] = {"reject", "first", "last", NULL};
static const char *const dialects[] = {"none", "it", "it-end", NULL};
static const char *const fills[] = {"none", "hold", "linear", NULL};
static const char *const units[] = {"none", "kwh", "wh", "kw", "w", NULL};
static const char *const precisions[] = {"auto", "s", "ms", "us", "ns", NULL};
static const int64_t per_second[] = {0, 1, 1000, 1000000, 1000000000};

struct args {
    struct pof_check_rules rules;
    int64_t max_future_s, max_bytes, fill_max_s, energy_pct, accuracy_upct;
    int dup, fill, dialect, unit, precision;
    bool sort, tolerate, flag, balanced;
    const char *gaps, *zone, *pod, *pods, *rejects, *late, *summary, *metrics;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"raster", 0, POF_OPT_INT, AT(rules.raster_s), "S", "intervals begin at a multiple of S seconds and last S; 0: any (900)", 0, 86400, NULL},
    {"p-max", 0, POF_OPT_INT, AT(rules.p_max_w), "W", "largest plausible power; 0: as in the table (0)", 0, 1000000000000, NULL},
    {"change-max", 0, POF_OPT_INT, AT(rules.change_max_w), "W", "largest change to the next interval; 0: any (0)", 0, 1000000000000, NULL},
    {"max-future", 0, POF_OPT_INT, AT(max_future_s), "S", "intervals end at most S seconds after --now (no rule)", 0, 1000000000, NULL},
    {"pods", 0, POF_OPT_FILE, AT(pods), "FILE", "pod records: measurements of others are rejected (any pod)", 0, 0, NULL},
    {"energy", 0, POF_OPT_INT, AT(energy_pct), "PCT", "how far energy may be from power times time; -1: any (1)", -1, 100, NULL},
    {"dialect", 0, POF_OPT_WORD, AT(dialect), "NAME", "of meter files with semicolons: it, or it-end where times name ends (none)", 0, 0, dialects},
    {"zone", 0, POF_OPT_TEXT, AT(zone), "ZONE", "of times without an offset, as Europe/Rome (refused; dialect it: Europe/Rome)", 0, 0, NULL},
    {"unit", 0, POF_OPT_WORD, AT(unit), "UNIT", "dialect: of values whose column does not say it: kwh, wh, kw, w (none)", 0, 0, units},
    {"pod", 0, POF_OPT_TEXT, AT(pod), "NAME", "dialect: point of delivery of files that do not name it (none)", 0, 0, NULL},
    {"precision", 0, POF_OPT_WORD, AT(precision), "UNIT", "of times that are numbers: s, ms, us or ns (auto: by their size)", 0, 0, precisions},
    {"accuracy", 0, POF_OPT_MICRO, AT(accuracy_upct), "PCT", "of readings that do not say it: three standard deviations (1)", 0, 100, NULL},
    {"balanced", 0, POF_OPT_FLAG, AT(balanced), NULL, "readings of phase a stand for all three, other phases are left out", 0, 0, NULL},
    {"window", 0, POF_OPT_INT, AT(rules.window_s), "S", "how far behind the newest of a pod repetitions are known; 0: off (172800)", 0, 4000000000, NULL},
    {"dup", 0, POF_OPT_WORD, AT(dup), "RULE", "two contents for one interval: reject, or the first or last counts (reject)", 0, 0, dups},
    {"sort", 0, POF_OPT_FLAG, AT(sort), NULL, "write in order of start and pod; reads all input", 0, 0, NULL},
    {"flag", 0, POF_OPT_FLAG, AT(flag), NULL, "take what breaks --p-max, --change-max or --energy as suspect", 0, 0, NULL},
    {"fill", 0, POF_OPT_WORD, AT(fill), "RULE", "with --sort: missing intervals, as estimated: hold or linear (none)", 0, 0, fills},
    {"fill-max", 0, POF_OPT_INT, AT(fill_max_s), "S", "longest gap that is filled (3600)", 1, 31622400, NULL},
    {"gaps", 0, POF_OPT_OUTPUT, AT(gaps), "FILE", "intervals that are missing, as missing records", 0, 0, NULL},
    {"rejects", 0, POF_OPT_OUTPUT, AT(rejects), "FILE", "rejected lines with their reasons, as reject records", 0, 0, NULL},
    {"late", 0, POF_OPT_OUTPUT, AT(late), "FILE", "measurements that begin before the window go there, not to the rejects", 0, 0, NULL},
    {"tolerate", 0, POF_OPT_FLAG, AT(tolerate), NULL, "exit status 0 though lines were rejected", 0, 0, NULL},
    {"summary", 0, POF_OPT_OUTPUT, AT(summary), "FILE", "counts as one JSON object", 0, 0, NULL},
    {"metrics", 0, POF_OPT_OUTPUT, AT(metrics), "FILE", "counts as Prometheus text", 0, 0, NULL},
    {"max-bytes", 0, POF_OPT_INT, AT(max_bytes), "N", "largest document fetched from a URL (1073741824)", 1, INT64_MAX, NULL},
    {0}};
#undef AT

enum { SHOWN = 20 }; /* rejects told on standard error where no file takes them */

struct run {
    struct pof_cli *cli;
    const struct args *args;
    struct pof_intake *intake;
    struct pof_writer *rejects, *late, *gaps; /* NULL: none asked for */
};

static int put(struct pof_writer *to, const struct pof_measurement *m,
               const struct pof_origin *origin, struct pof_err *err)
{
    return origin->written[to->format] ? pof_writer_put_line(to, POF_measurement, origin->raw, err)
                                       : pof_writer_put(to, POF_measurement, m, err);
}

static int on_late(void *ctx, const struct pof_measurement *m, const struct pof_origin *origin,
                   struct pof_err *err)
{
    const struct run *r = ctx;
    return put(r->late, m, origin, err);
}

static int on_out(void *ctx, const struct pof_measurement *m, const struct pof_origin *origin,
                  struct pof_err *err)
{
    enum { NOW_AND_THEN = 4096 };
    const struct run *r = ctx;
    struct pof_writer *out = pof_cli_out(r->cli);
    if (out->records % NOW_AND_THEN == 0) {
        pof_cli_progress(r->cli, "written", out->records, 0);
    }
    return put(out, m, origin, err);
}

static int on_reading(void *ctx, const struct pof_reading *m, const struct pof_origin *origin,
                      struct pof_err *err)
{
    const struct run *r = ctx;
    struct pof_writer *out = pof_cli_out(r->cli);
    return origin->written[out->format] ? pof_writer_put_line(out, POF_reading, origin->raw, err)
                                        : pof_writer_put(out, POF_reading, m, err);
}

static int on_gap(void *ctx, const struct pof_missing *gap, struct pof_err *err)
{
    const struct run *r = ctx;
    return pof_writer_put(r->gaps, POF_missing, gap, err);
}

static int on_reject(void *ctx, const struct pof_reject *reject, struct pof_err *err)
{
    const struct run *r = ctx;
    if (r->rejects) {
        return pof_writer_put(r->rejects, POF_reject, reject, err);
    }
    if (pof_intake_counts(r->intake)->rejected <= SHOWN) {
        pof_cli_note(r->cli, "%.*s:%" PRId64 ":%.*s%s %.*s (E%" PRId64 ")", (int)reject->source.len,
                     reject->source.ptr, reject->line, (int)reject->field.len, reject->field.ptr,
                     reject->field.len ? ":" : "", (int)reject->reason.len, reject->reason.ptr,
                     reject->code);
    }
    return 0;
}

static int on_pod(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    const struct run *r = ctx;
    return pof_intake_allow(r->intake, record->u.pod.pod, err);
}

/* How sources in forms of other programs are read. */
static int choose_form(const struct args *a, struct pof_form_options *form, struct pof_err *err)
{
    enum pof_zone zone = POF_ZONE_UTC;
    if (a->zone && !pof_zone_parse(pof_text(a->zone), &zone)) {
        return pof_fail(err, POF_E_USAGE, "--zone '%.40s' is not known, expected UTC, CET, Europe/Rome ...", a->zone);
    }
    if (a->accuracy_upct <= 0) {
        return pof_fail(err, POF_E_USAGE, "--accuracy must be above 0: readings without error are constraints");
    }
    *form = (struct pof_form_options){.dialect = (enum pof_dialect)a->dialect,
                                      .unit = a->unit ? units[a->unit] : NULL,
                                      .pod = a->pod,
                                      .zone = a->zone ? (int)zone : -1,
                                      .raster_s = a->rules.raster_s,
                                      .per_second = per_second[a->precision],
                                      .energy_pct = a->energy_pct,
                                      .accuracy_pct = (double)a->accuracy_upct / 1e6,
                                      .balanced = a->balanced};
    return 0;
}

static int start(struct run *r, struct pof_err *err)
{
    static const struct pof_want pods = {POF_pod, on_pod};
    const struct args *a = r->args;
    const struct pof_intake_hooks hooks = {
        .on_out = on_out, .on_late = a->late ? on_late : NULL, .on_reading = on_reading, .on_gap = a->gaps ? on_gap : NULL, .on_reject = on_reject, .ctx = r};
    struct pof_intake_options how = {.rules = a->rules,
                                     .dup = (enum pof_dup)a->dup,
                                     .sort = a->sort,
                                     .fill = (enum pof_fill)a->fill,
                                     .fill_max_s = a->fill_max_s,
                                     .flag = a->flag,
                                     .strict = pof_cli_strict(r->cli)};
    how.rules.latest_end = a->max_future_s < 0 ? INT64_MAX : pof_cli_now(r->cli) + a->max_future_s;
    int rc = choose_form(a, &how.form, err);
    rc = rc ? rc : pof_intake_new(&r->intake, &how, &hooks, err);
    rc = rc || !a->late ? rc : pof_cli_writer(r->cli, a->late, &r->late, err);
    rc = rc || !a->gaps ? rc : pof_cli_writer(r->cli, a->gaps, &r->gaps, err);
    rc = rc || !a->rejects ? rc : pof_cli_writer(r->cli, a->rejects, &r->rejects, err);
    return rc || !a->pods ? rc : pof_cli_read_files(r->cli, &a->pods, 1, &pods, 1, r, err);
}

/* --- the inputs --- */

static int read_url(const struct run *r, const char *url, struct pof_err *err)
{
    struct pof_http *http = NULL;
    struct pof_http_options how = {.max_bytes = (uint64_t)r->args->max_bytes};
    int rc = pof_http_open(&http, url, &how, err);
    if (rc == 0) {
        struct pof_source src = pof_http_source(http);
        src.name = url; /* outlives the connection, as rejects need it */
        rc = pof_intake_read(r->intake, &src, err);
    }
    pof_http_close(http);
    return rc;
}

static int read_operand(const struct run *r, const char *path, struct pof_err *err)
{
    if (pof_http_is_url(path)) {
        return read_url(r, path, err);
    }
    struct pof_source src;
    int rc = pof_cli_source(r->cli, path, &src, err);
    return rc ? rc : pof_intake_read(r->intake, &src, err);
}

static int read_all(const struct run *r, struct pof_err *err)
{
    static const char *const standard[] = {"-"};
    const char *const *paths;
    size_t n = pof_cli_operands(r->cli, &paths);
    paths = n ? paths : standard;
    n = n ? n : 1;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = read_operand(r, paths[i], err);
    }
    return rc ? rc : pof_intake_finish(r->intake, err);
}

/* --- what is told at the end --- */

static int write_file(const struct run *r, const char *path,
                      int (*format)(struct pof_intake *, struct pof_buf *, struct pof_err *),
                      struct pof_err *err)
{
    struct pof_buf text = {0};
    struct pof_sink sink;
    int rc = path ? format(r->intake, &text, err) : 0;
    rc = rc || !path ? rc : pof_cli_sink(r->cli, path, &sink, err);
    rc = rc || !path ? rc : sink.write(sink.ctx, text.data, text.len, err);
    pof_buf_release(&text);
    return rc;
}

static int tell(const struct run *r, struct pof_err *err)
{
    const struct pof_intake_counts *n = pof_intake_counts(r->intake);
    if (n->unknown && !pof_cli_strict(r->cli)) { /* --strict rejects their lines */
        pof_cli_warn(r->cli, "%" PRIu64 " unknown fields were skipped, the first is '%s'",
                     n->unknown, n->first_unknown);
    }
    pof_cli_note(r->cli,
                 "%" PRIu64 " lines: %" PRIu64 " written, %" PRIu64 " rejected, %" PRIu64
                 " repeated, %" PRIu64 " superseded; %" PRIu64 " intervals of %" PRIu64
                 " pods are missing",
                 n->in, n->out, n->rejected, n->repeated, n->superseded, n->taken.missing,
                 n->taken.pods);
    if (n->filled || n->flagged) {
        pof_cli_note(r->cli, "%" PRIu64 " intervals were filled, %" PRIu64 " lines taken as suspect", n->filled,
                     n->flagged);
    }
    if (n->late) {
        pof_cli_note(r->cli, "%" PRIu64 " lines begin before the window and are in '%s'", n->late,
                     r->args->late);
    }
    if (n->rejected == 0 || r->args->tolerate) {
        return 0;
    }
    return pof_fail(err, POF_E_ANSWER_NO, "%" PRIu64 " of %" PRIu64 " lines were rejected%s",
                    n->rejected, n->in,
                    r->rejects ? "" : "; --rejects FILE keeps them with their reasons");
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct run r = {.cli = cli, .args = args};
    int rc = start(&r, err);
    rc = rc ? rc : read_all(&r, err);
    rc = rc ? rc : write_file(&r, r.args->summary, pof_intake_summary, err);
    rc = rc ? rc : write_file(&r, r.args->metrics, pof_intake_metrics, err);
    rc = rc ? rc : tell(&r, err);
    pof_intake_free(r.intake);
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
                        .energy_pct = 1,
                        .fill_max_s = 3600,
                        .accuracy_upct = 1000000,
                        .max_bytes = INT64_C(1) << 30};
    return pof_main(&program, argc, argv, &args, run);
}
