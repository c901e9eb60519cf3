/* SPDX-License-Identifier: Apache-2.0 */
/* pof-kpi: key figures of flows, their growth, and the report of a market day. */
#include "cli/cli.h"
#include "market/kpi.h"
#include "market/report.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

struct args {
    bool growth, report;
    const char *reference, *unmet;
    int64_t pods;
    int of;
};

static const char *const kinds[] = {"execution", "communication", "cpu", "memory", NULL};

static const struct pof_option options[] = {
    {"pods", 'n', POF_OPT_INT, offsetof(struct args, pods), "N", "points of delivery in the market, written into the records (not said)", 0, 1000000000, NULL},
    {"growth", 0, POF_OPT_FLAG, offsetof(struct args, growth), NULL, "read kpi records of several sizes, write the exponents of growth", 0, 0, NULL},
    {"of", 0, POF_OPT_WORD, offsetof(struct args, of), "KIND", "whose growth: execution, communication, cpu or memory (execution)", 0, 0, kinds},
    {"report", 0, POF_OPT_FLAG, offsetof(struct args, report), NULL, "read the records of a market day, write a report for people", 0, 0, NULL},
    {"reference", 0, POF_OPT_FILE, offsetof(struct args, reference), "FILE", "times to put beside those of the report (none)", 0, 0, NULL},
    {"unmet", 0, POF_OPT_FILE, offsetof(struct args, unmet), "FILE", "what pof-outcome says is unmet (what a request's own awards leave)", 0, 0, NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-kpi",
    .purpose = "key figures of flows, their growth, and the report of a market day",
    .operands = "[FILE ...]",
    .examples = "pof-kpi --pods 100 events.jsonl\n"
                "  pof-kpi --growth kpi-100.jsonl kpi-1500.jsonl\n"
                "  pof-kpi --report sessions.jsonl */requests.jsonl */outcomes.jsonl events.jsonl",
    .options = options,
};

struct job {
    struct pof_cli *cli;
    const struct args *args;
    struct pof_kpis kpis;
    struct pof_growth growth;
    struct pof_report *report;
    bool short_of_sizes;
    uint64_t exponents;
};

/* --- key figures --- */

static int on_event(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_kpis_take(&j->kpis, &record->u.event, err);
}

static int write_kpi(void *ctx, const struct pof_kpi *kpi, struct pof_err *err)
{
    struct job *j = ctx;
    struct pof_kpi sized = *kpi;
    if (j->args->pods >= 0) {
        sized.pods = j->args->pods;
        POF_SET(&sized, kpi, pods);
    }
    return pof_writer_put(pof_cli_out(j->cli), POF_kpi, &sized, err);
}

static int run_figures(struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_event, on_event}};
    int rc = pof_cli_read(j->cli, wants, 1, j, err);
    rc = rc ? rc : pof_kpis_make(&j->kpis, write_kpi, j, err);
    const uint64_t *alone = j->kpis.alone;
    if (rc == 0 && alone[POF_EVENT_START_EXECUTION] + alone[POF_EVENT_END_EXECUTION] > 0) {
        pof_cli_note(j->cli, "of %zu events %" PRIu64 " starts have no end, %" PRIu64
                     " ends no start", j->kpis.n, alone[POF_EVENT_START_EXECUTION],
                     alone[POF_EVENT_END_EXECUTION]);
    }
    if (rc == 0 && alone[POF_EVENT_MESSAGE_SENT] + alone[POF_EVENT_MESSAGE_RECEIVED] > 0) {
        pof_cli_note(j->cli, "of %zu events %" PRIu64 " sent messages have no receiver, %" PRIu64
                     " received ones no sender", j->kpis.n, alone[POF_EVENT_MESSAGE_SENT],
                     alone[POF_EVENT_MESSAGE_RECEIVED]);
    }
    return rc;
}

/* --- growth --- */

static int on_kpi(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_growth_take(&j->growth, &record->u.kpi, err);
}

static int write_growth(void *ctx, const struct pof_kpi *kpi, bool exponent, struct pof_err *err)
{
    struct job *j = ctx;
    if (!exponent) {
        pof_cli_note(j->cli, "%.*s has key figures of fewer than two sizes: no exponent",
                     (int)kpi->flow.len, kpi->flow.ptr);
        j->short_of_sizes = true;
        return 0;
    }
    j->exponents++;
    return pof_writer_put(pof_cli_out(j->cli), POF_kpi, kpi, err);
}

static int run_growth(struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_kpi, on_kpi}};
    j->growth.kind = (enum pof_kpi_kind)j->args->of;
    int rc = pof_cli_read(j->cli, wants, 1, j, err);
    rc = rc ? rc : pof_growth_make(&j->growth, write_growth, j, err);
    if (rc) {
        return rc;
    }
    if (j->growth.other_kinds) {
        pof_cli_note(j->cli, "%" PRIu64 " records of other kinds than %s were passed over",
                     j->growth.other_kinds, kinds[j->args->of]);
    }
    if (j->growth.sizeless) {
        pof_cli_warn(j->cli, "%" PRIu64 " records do not say how many points of delivery; "
                     "make them with --pods", j->growth.sizeless);
    }
    if (j->growth.zeros) {
        pof_cli_warn(j->cli, "%" PRIu64 " records have a mean of 0, which has no logarithm",
                     j->growth.zeros);
    }
    if (j->exponents == 0) {
        pof_fail(err, POF_E_ANSWER_NO, "no flow has figures of %s at two sizes", kinds[j->args->of]);
        pof_cli_report(j->cli, err);
        return 1;
    }
    return j->short_of_sizes;
}

/* --- report --- */

static int on_report(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_report_take(j->report, record, err);
}

static int on_unmet(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_report_unmet(j->report, &record->u.request, err);
}

/* After the requests themselves: what is left is named after them. */
static int read_unmet(struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_request, on_unmet}};
    if (!j->args->unmet) {
        return 0;
    }
    pof_report_unmet_given(j->report);
    return pof_cli_read_files(j->cli, &j->args->unmet, 1, wants, 1, j, err);
}

static int read_reference(struct job *j, struct pof_err *err)
{
    char *csv = NULL;
    size_t len = 0;
    if (!j->args->reference) {
        return 0;
    }
    int rc = pof_cli_slurp(j->cli, j->args->reference, &csv, &len, err);
    const struct pof_text text = {csv, len};
    rc = rc ? rc : pof_report_reference(j->report, text, j->args->reference, err);
    free(csv);
    return rc;
}

static int run_report(struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {
        {POF_pod, on_report},        {POF_session, on_report},   {POF_request, on_report},
        {POF_offer, on_report},      {POF_award, on_report},     {POF_verdict, on_report},
        {POF_outcome, on_report},    {POF_settlement, on_report}, {POF_statement, on_report},
        {POF_event, on_report}};
    struct pof_buf text = {0};
    struct pof_sink out;
    int rc = pof_report_new(&j->report, err);
    rc = rc ? rc : read_reference(j, err);
    rc = rc ? rc : pof_cli_read(j->cli, wants, sizeof wants / sizeof wants[0], j, err);
    rc = rc ? rc : read_unmet(j, err);
    rc = rc ? rc : pof_report_write(j->report, &text, err);
    rc = rc ? rc : pof_cli_sink(j->cli, NULL, &out, err);
    rc = rc ? rc : out.write(out.ctx, text.data, text.len, err);
    pof_buf_release(&text);
    return rc;
}

static int check_args(const struct args *a, struct pof_err *err)
{
    if (a->growth && a->report) {
        return pof_fail(err, POF_E_USAGE, "--growth and --report are two jobs; ask for one");
    }
    if (a->pods >= 0 && (a->growth || a->report)) {
        return pof_fail(err, POF_E_USAGE, "--pods goes with events only; --growth takes it from its records");
    }
    if ((a->reference || a->unmet) && !a->report) {
        return pof_fail(err, POF_E_USAGE, "--reference and --unmet go with --report");
    }
    if (a->of != 0 && !a->growth) {
        return pof_fail(err, POF_E_USAGE, "--of goes with --growth");
    }
    return 0;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct job j = {.cli = cli, .args = args};
    int rc = check_args(args, err);
    if (rc == 0) {
        rc = j.args->report   ? run_report(&j, err)
             : j.args->growth ? run_growth(&j, err)
                              : run_figures(&j, err);
    }
    pof_kpis_release(&j.kpis);
    pof_growth_release(&j.growth);
    pof_report_free(j.report);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.pods = -1};
    return pof_main(&program, argc, argv, &args, run);
}
