/* SPDX-License-Identifier: Apache-2.0 */
/* pof-validate: which awards the grid can carry. */
#include "cli/cli.h"
#include "cli/grid.h"
#include "io/heap.h"
#include "market/narrow.h"
#include "market/validate.h"
#include "record/words.h"
#include "rules.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

struct args {
    struct rule_args rules;
    const char *grid, *session, *limits;
    int64_t max_loading, outage_loading, worth_dso, worth_tso, margin;
    struct pof_texts outages;
};

static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, offsetof(struct args, grid), "FILE", "grid document; needed", 0, 0, NULL},
    {"session", 's', POF_OPT_TEXT, offsetof(struct args, session), "ID", "session of the awards (the only one given)", 0, 0, NULL},
    {"max-loading", 0, POF_OPT_MICRO, offsetof(struct args, max_loading), "SHARE", "share of its rating that a branch may carry (1)", 0, 10, NULL},
    {"rules", 'r', POF_OPT_FILE, offsetof(struct args, rules.file), "FILE", "rules of the market: whose awards are cut first (the TSO's)", 0, 0, NULL},
    {"worth-dso", 0, POF_OPT_MICRO, offsetof(struct args, worth_dso), "EUR", "what a MWh is worth to the DSO (300000)", 0, 999999999, NULL},
    {"worth-tso", 0, POF_OPT_MICRO, offsetof(struct args, worth_tso), "EUR", "what a MWh is worth to the TSO (3000)", 0, 999999999, NULL},
    {"outage", 0, POF_OPT_LIST, offsetof(struct args, outages), "BRANCH", "limits hold also without this branch; several may be given", 0, 0, NULL},
    {"outage-loading", 0, POF_OPT_MICRO, offsetof(struct args, outage_loading), "SHARE", "share of its rating that a branch may carry then (1)", 0, 10, NULL},
    {"limits", 'l', POF_OPT_OUTPUT, offsetof(struct args, limits), "FILE", "limit records for clearing again, written there", 0, 0, NULL},
    {"margin", 0, POF_OPT_MICRO, offsetof(struct args, margin), "SHARE", "share of a rating that those limits keep free (0.001)", 0, 1, NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-validate",
    .purpose = "say which awards the grid can carry",
    .operands = "[FILE ...]",
    .examples = "pof-validate --grid grid.json --session 2026-03-10-DA sessions.jsonl pods.jsonl \\\n"
                "    baselines.jsonl awards.jsonl > verdicts.jsonl",
    .options = options,
};

struct job {
    const struct args *args;
    struct pof_grid grid;
    struct pof_forecast forecast;
    struct pof_validate validate;
    uint32_t *outage;
};

static int on_forecast(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_forecast_take(&j->forecast, record, err);
}

static int on_award(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_validate_take(&j->validate, &record->u.award, err);
}

static void expect_work(const struct pof_cli *cli)
{
    enum { MEMORY_PER_BYTE = 4 }; /* of CSV */
    const char *const *operand;
    size_t n = pof_cli_operands(cli, &operand);
    pof_heap_expect(operand, n, MEMORY_PER_BYTE);
}

static int read_records(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_session, on_forecast},
                                            {POF_pod, on_forecast},
                                            {POF_baseline, on_forecast},
                                            {POF_outcome, on_forecast},
                                            {POF_award, on_award}};
    return pof_cli_read(cli, wants, sizeof wants / sizeof wants[0], j, err);
}

static int find_outages(struct job *j, struct pof_err *err)
{
    const struct pof_texts *names = &j->args->outages;
    int rc = pof_calloc(&j->outage, names->n, sizeof *j->outage, err);
    for (size_t i = 0; rc == 0 && i < names->n; i++) {
        uint32_t b = pof_names_find(&j->grid.branch_names, pof_text(names->item[i]));
        if (b == POF_NONE || !j->grid.branch[b].closed) {
            return pof_fail(err, POF_E_REFERENCE, "--outage '%.80s': the grid has no such closed branch",
                            names->item[i]);
        }
        j->outage[i] = b;
    }
    return rc;
}

/* What a MWh is worth to each role, by the rules of the market unless options say. */
static int weigh(struct pof_cli *cli, const struct job *j, int64_t worth[2], struct pof_err *err)
{
    static const int64_t first = INT64_C(3000000000), last = INT64_C(300000000000); /* cut; EUR/MWh */
    struct pof_rulebook book = {0};
    struct pof_rules rules;
    int rc = rules_read(cli, &j->args->rules, &book, err);
    rc = rc ? rc : pof_rulebook_choose(&book, j->forecast.session.kind, &rules, err);
    worth[POF_ROLE_DSO] = worth[POF_ROLE_TSO] = first;
    if (rc == 0 && rules.cut != POF_CUT_ORDER_LEAST_COST) {
        worth[rules.cut == POF_CUT_ORDER_TSO_FIRST ? POF_ROLE_DSO : POF_ROLE_TSO] = last;
    }
    if (j->args->worth_dso >= 0) {
        worth[POF_ROLE_DSO] = j->args->worth_dso;
    }
    if (j->args->worth_tso >= 0) {
        worth[POF_ROLE_TSO] = j->args->worth_tso;
    }
    pof_rulebook_release(&book);
    return rc;
}

static int validate(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    const struct pof_forecast_options window = {.grid = &j->grid, .session = j->args->session};
    struct pof_validate_options o = {.max_loading = (double)j->args->max_loading * 1e-6,
                                           .outage_loading = (double)j->args->outage_loading * 1e-6,
                                           .outage = j->outage,
                                           .outages = (uint32_t)j->args->outages.n,
                                           .threads = pof_cli_threads(cli)};
    if (j->args->max_loading == 0 || j->args->outage_loading == 0) {
        return pof_fail(err, POF_E_USAGE, "a loading of '0' forbids every flow; 1 is the rating");
    }
    int rc = pof_forecast_build(&j->forecast, &window, err);
    rc = rc ? rc : weigh(cli, j, o.worth_ueur_mwh, err);
    return rc ? rc : pof_validate_run(&j->validate, &j->forecast, &j->grid, &o, err);
}

static int write_limits(struct pof_cli *cli, const struct job *j, struct pof_err *err)
{
    struct pof_narrow narrow;
    struct pof_writer *out;
    int rc = pof_narrow(&narrow, &j->validate, &j->grid, (double)j->args->margin * 1e-6, err);
    rc = rc ? rc : pof_cli_writer(cli, j->args->limits, &out, err);
    for (size_t i = 0; rc == 0 && i < narrow.n; i++) {
        rc = pof_writer_put(out, POF_limit, &narrow.limit[i], err);
    }
    if (rc == 0 && narrow.without) {
        pof_cli_warn(cli, "%" PRIu64 " awards that are cut limit nothing: in a loop, only a branch's loading does",
                     narrow.without);
    }
    pof_narrow_release(&narrow);
    return rc;
}

static int write_all(struct pof_cli *cli, const struct job *j, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < j->validate.n; i++) {
        rc = pof_writer_put(pof_cli_out(cli), POF_verdict, &j->validate.verdict[i], err);
    }
    return rc || !j->args->limits ? rc : write_limits(cli, j, err);
}

static void say(struct pof_cli *cli, const struct job *j)
{
    const struct pof_validate_counts *c = &j->validate.counts;
    const struct pof_forecast_counts *f = &j->forecast.counts;
    pof_cli_note(cli,
                 "%" PRIu64 " awards accepted, %" PRIu64 " curtailed, %" PRIu64
                 " rejected; with all in force a limit is violated in %u quarter-hours",
                 c->accepted, c->curtailed, c->rejected, c->quarters_violated);
    if (c->quarters_diverged) {
        pof_cli_warn(cli, "the power flow with all awards does not converge in %u quarter-hours",
                     c->quarters_diverged);
    }
    if (c->quarters_emptied) {
        pof_cli_warn(cli, "all awards of %u quarter-hours are rejected: no choice among them was found",
                     c->quarters_emptied);
    }
    if (f->missing) {
        struct pof_text pod = j->forecast.pod[f->first_missing].name;
        pof_cli_warn(cli, "%u pods, first '%.*s', lack %" PRIu64 " baselines, taken as no load",
                     f->missing_pods, (int)pod.len, pod.ptr, f->missing);
    }
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct job j = {.args = args};
    int rc = pof_forecast_init(&j.forecast, err);
    expect_work(cli);
    rc = rc ? rc : pof_cli_grid(cli, j.args->grid, &j.grid, err);
    rc = rc ? rc : read_records(cli, &j, err);
    rc = rc ? rc : find_outages(&j, err);
    rc = rc ? rc : validate(cli, &j, err);
    rc = rc ? rc : write_all(cli, &j, err);
    if (rc == 0) {
        say(cli, &j);
        rc = j.validate.counts.curtailed + j.validate.counts.rejected > 0;
    }
    pof_validate_release(&j.validate);
    pof_forecast_release(&j.forecast);
    pof_grid_release(&j.grid);
    free(j.outage);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.rules = NO_RULES,
                        .max_loading = 1000000,
                        .outage_loading = 1000000,
                        .margin = 1000,
                        .worth_dso = -1,
                        .worth_tso = INT64_C(3000000000)};
    return pof_main(&program, argc, argv, &args, run);
}
