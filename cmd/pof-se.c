/* SPDX-License-Identifier: Apache-2.0 */
/* pof-se: the state of a grid, estimated from readings and meters. */
#include "pof-se/parts.h"

#include "cli/grid.h"
#include "feed.h"
#include "grid/estimate_window.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

static const char *const solvers[] = {"sparse", "dense", NULL};
static const char *const starts[] = {"flow", "flat", "stored", NULL}; /* enum pof_se_start */
static const char *const phases[] = {"1", "3", NULL};
static const char *const parts[] = {"all", "nodes", "voltages", NULL}; /* enum pof_se_part */
static const char *const estimators[] = {"wls", "huber", "lav", NULL}; /* enum pof_se_estimator */

struct args {
    const char *grid, *names, *report, *doubts, *best;
    int64_t tap_step, at;
    struct feed_args feed;
    int solver, estimator, phases, part, start;
    bool check, critical, remove_bad, check_switches, estimate_taps, own_readings, stream;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document", 0, 0, NULL},
    {"names", 0, POF_OPT_FILE, AT(names), "FILE", "grid document that names what the case of --grid has (its own names)", 0, 0, NULL},
    {"report", 'r', POF_OPT_OUTPUT, AT(report), "FILE", "write how good each estimate is, as estimate records", 0, 0, NULL},
    {"state", 0, POF_OPT_WORD, AT(part), "PART", "what to write: all, nodes or voltages (all)", 0, 0, parts},
    {"best", 0, POF_OPT_OUTPUT, AT(best), "FILE", "where an estimate diverges, write the best state found there, marked so", 0, 0, NULL},
    {"phases", 0, POF_OPT_WORD, AT(phases), "N", "1: balanced, 3: each phase for itself (1)", 0, 0, phases},
    {"check", 0, POF_OPT_FLAG, AT(check), NULL, "test residuals, give standard deviations (yes)", 0, 0, NULL},
    {"remove-bad", 0, POF_OPT_FLAG, AT(remove_bad), NULL, "leave out readings found bad, worst first (no)", 0, 0, NULL},
    {"critical", 0, POF_OPT_FLAG, AT(critical), NULL, "name readings that no others test (no)", 0, 0, NULL},
    {"check-switches", 0, POF_OPT_FLAG, AT(check_switches), NULL, "where readings disagree, try switches in their other position (no)", 0, 0, NULL},
    {"estimate-taps", 0, POF_OPT_FLAG, AT(estimate_taps), NULL, "find the positions of tap changers over all instants first (no)", 0, 0, NULL},
    {"tap-step", 0, POF_OPT_MICRO, AT(tap_step), "PERCENT", "step of transformers whose tap changer is not known (0: they have none)", 0, 10, NULL},
    {"doubts", 'd', POF_OPT_OUTPUT, AT(doubts), "FILE", "write what is found of switches and taps, as doubt records", 0, 0, NULL},
    {"estimator", 'e', POF_OPT_WORD, AT(estimator), "WHICH", "wls, huber or lav (wls)", 0, 0, estimators},
    FEED_OPTIONS(struct args, "0"),
    {"own-readings", 0, POF_OPT_FLAG, AT(own_readings), NULL, "estimate from the readings that the grid's file has; no input (no)", 0, 0, NULL},
    {"at", 0, POF_OPT_INSTANT, AT(at), "TIME", "instant of these readings (1970-01-01T00:00:00Z)", 0, 0, NULL},
    {"solver", 0, POF_OPT_WORD, AT(solver), "WHICH", "sparse, or dense as a slow independent check (sparse)", 0, 0, solvers},
    {"start", 0, POF_OPT_WORD, AT(start), "WHERE", "a first estimate begins at: flow, flat or stored (flow)", 0, 0, starts},
    {"stream", 0, POF_OPT_FLAG, AT(stream), NULL, "input is in order of time: hold one instant only (no)", 0, 0, NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-se",
    .purpose = "estimate the state of a grid from readings",
    .operands = "[FILE ...]",
    .examples = "pof-se --grid samples/cigre-mv.json readings.jsonl\n"
                "pof-se --grid grid.json --report quality.jsonl readings.jsonl pods.jsonl meters.jsonl",
    .options = options};

/* What a run holds. */
struct work {
    struct pof_cli *cli;
    const struct args *args;
    struct pof_grid grid;
    struct pof_se_window *window;
    struct pof_feed *feed;
    struct pof_readings own;
    struct pof_se_doubts doubts;
    struct pof_writer *out, *quality, *doubtful, *best;
    int64_t now;       /* instant being collected, INT64_MIN: none */
    uint64_t instants, bad;
};

/* Says and writes what was found, and forgets it. */
static int put_doubts(struct work *w, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < w->doubts.n; i++) {
        se_tell_doubt(w->cli, &w->doubts.list[i]);
        rc = w->doubtful ? pof_writer_put(w->doubtful, POF_doubt, &w->doubts.list[i], err) : 0;
    }
    w->doubts.n = 0;
    return rc;
}

/* An estimated instant as records, and in words. */
static int put_one(struct work *w, const struct pof_se_series *s, const struct pof_instant *t,
                   struct pof_err *err)
{
    const struct pof_se_report *r = &s->report;
    int rc = 0;
    struct pof_writer *to = r->has_state ? w->out : r->has_best ? w->best : NULL;
    if (rc == 0 && to) {
        rc = pof_se_put_state(s->se, w->args->phases ? 3 : 1, r, to, err);
    }
    if (rc == 0 && w->quality) {
        rc = pof_writer_put(w->quality, POF_estimate, &r->record, err);
    }
    if (rc == 0) {
        w->instants++;
        w->bad += !r->good;
        se_tell(w->cli, r, t);
        rc = w->args->check_switches ? pof_se_check_switches(s, t, &w->doubts, err) : 0;
        rc = rc ? rc : put_doubts(w, err);
        pof_cli_progress(w->cli, "instants", w->instants, 0);
    }
    return rc;
}

/* Estimates the instants that wait. */
static int estimate_window(struct work *w, struct pof_err *err)
{
    const struct pof_instant *t = NULL;
    const struct pof_se_series *s;
    int rc = pof_se_window_estimate(w->window, err);
    for (size_t i = 0; rc == 0 && (s = pof_se_window_at(w->window, i, &t)) != NULL; i++) {
        rc = put_one(w, s, t, err);
    }
    pof_se_window_clear(w->window);
    return rc;
}

/* Positions of tap changers, from all instants. */
static int taps(struct work *w, struct pof_err *err)
{
    struct pof_se_sample sample = {0};
    struct pof_instant t;
    int more = 1;
    int rc = 0;
    while (rc == 0 && more > 0) {
        more = pof_feed_next(w->feed, &t, err);
        rc = more < 0 ? more : more > 0 ? pof_se_sample_add(&sample, &w->grid, &t, err) : 0;
    }
    rc = rc ? rc : pof_se_find_taps(&w->grid, &sample, (double)w->args->tap_step / 1e6, &w->doubts, err);
    rc = rc ? rc : put_doubts(w, err);
    pof_se_sample_release(&sample);
    pof_feed_rewind(w->feed);
    return rc;
}

/* Estimates what was collected, instant by instant. */
static int estimate(struct work *w, struct pof_err *err)
{
    struct pof_instant t;
    int more = 1;
    bool full = false;
    int rc = pof_feed_sort(w->feed, err);
    rc = rc || !w->args->estimate_taps ? rc : taps(w, err);
    while (rc == 0 && more > 0) {
        more = pof_feed_next(w->feed, &t, err);
        rc = more < 0 ? more : more > 0 ? pof_se_window_add(w->window, &t, &full, err) : 0;
        rc = rc || (more > 0 && !full) ? rc : estimate_window(w, err);
    }
    pof_feed_clear(w->feed);
    return rc;
}

/* In a stream a later instant ends the one before it. */
static int arrive(struct work *w, int64_t start, struct pof_err *err)
{
    if (!w->args->stream || start == w->now) {
        return 0;
    }
    if (start < w->now) {
        pof_fail(err, POF_E_CONFLICT, "an instant before the one above: expected them in order of "
                                      "time with --stream");
        return pof_at(err, NULL, 0, "start");
    }
    w->now = start;
    return estimate(w, err);
}

static int on_pod(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_feed_pod(((struct work *)ctx)->feed, &r->u.pod, err);
}

static int on_reading(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct work *w = ctx;
    int rc = arrive(w, r->u.reading.start, err);
    return rc ? rc : pof_feed_reading(w->feed, &r->u.reading, err);
}

static int on_measurement(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct work *w = ctx;
    int rc = arrive(w, r->u.measurement.start, err);
    return rc ? rc : pof_feed_measurement(w->feed, &r->u.measurement, err);
}

static int on_baseline(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_feed_baseline(((struct work *)ctx)->feed, &r->u.baseline, err);
}

static int prepare(struct work *w, struct pof_err *err)
{
    const struct args *a = w->args;
    const struct pof_feed_options feed = feed_options(&a->feed);
    if (a->stream && a->estimate_taps) {
        return pof_fail(err, POF_E_USAGE, "--estimate-taps looks at all instants: expected no --stream");
    }
    if (a->phases && (a->check_switches || a->estimate_taps)) {
        return pof_fail(err, POF_E_USAGE,
                        "--check-switches and --estimate-taps are of balanced estimates: expected them "
                        "without --phases 3");
    }
    int rc = pof_cli_grid_readings(w->cli, a->grid, &w->grid, &w->own, err);
    rc = rc || !a->names ? rc : se_names(w->cli, a->names, &w->grid, err);
    rc = rc ? rc : pof_feed_new(&w->feed, &w->grid, &feed, err);
    rc = rc || !a->report ? rc : pof_cli_writer(w->cli, a->report, &w->quality, err);
    rc = rc || !a->best ? rc : pof_cli_writer(w->cli, a->best, &w->best, err);
    rc = rc || !a->doubts ? rc : pof_cli_writer(w->cli, a->doubts, &w->doubtful, err);
    const struct pof_se_window_options how = {
        .se = {.dense = a->solver == 1,
               .start = (enum pof_se_start)a->start,
               .voltages = a->part == POF_SE_VOLTAGES,
               .phases = a->phases ? 3 : 1},
        .wish = {.check = a->check,
                 .critical = a->critical,
                 .remove_bad = a->remove_bad,
                 .estimator = (enum pof_se_estimator)a->estimator,
                 .part = (enum pof_se_part)a->part},
        .threads = pof_cli_threads(w->cli)};
    rc = rc ? rc : pof_se_window_new(&w->window, &w->grid, &how, err);
    return rc;
}

/* Input: records, or what the grid's file has. */
static int collect(struct work *w, const struct pof_want *wants, size_t n, struct pof_err *err)
{
    const char *const *unused;
    int rc = 0;
    if (!w->args->own_readings) {
        return pof_cli_read(w->cli, wants, n, w, err);
    }
    if (pof_cli_operands(w->cli, &unused) > 0) {
        return pof_fail(err, POF_E_USAGE, "--own-readings takes no input files beside the grid");
    }
    for (size_t i = 0; i < w->own.n && rc == 0; i++) {
        rc = pof_feed_observation(w->feed, w->args->at, &w->own.item[i], err);
    }
    pof_readings_release(&w->own);
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_reading, on_reading},
                                            {POF_pod, on_pod},
                                            {POF_measurement, on_measurement},
                                            {POF_baseline, on_baseline}};
    struct work w = {.cli = cli, .args = args, .out = pof_cli_out(cli), .now = INT64_MIN};
    w.own.phases = w.args->phases ? 3 : 1;
    int rc = prepare(&w, err);
    rc = rc ? rc : collect(&w, wants, 4, err);
    rc = rc ? rc : estimate(&w, err);
    if (rc == 0) {
        pof_cli_note(cli, "%" PRIu64 " of %" PRIu64 " instants estimated and sound",
                     w.instants - w.bad, w.instants);
    }
    pof_readings_release(&w.own);
    pof_se_doubts_release(&w.doubts);
    pof_se_window_free(w.window);
    pof_feed_free(w.feed);
    pof_grid_release(&w.grid);
    return rc ? rc : w.bad > 0;
}

int main(int argc, char **argv)
{
    struct args args = {.check = true, .feed = USUAL_FEED(0)};
    return pof_main(&program, argc, argv, &args, run);
}
