/* SPDX-License-Identifier: Apache-2.0 */
/* pof-settle: outcomes against baselines and meters, by the terms of the market, to money. */
#include "cli/cli.h"
#include "market/settle.h"

#include <stddef.h>

struct args {
    const char *statements, *terms;
};

static const struct pof_option options[] = {
    {"statements", 0, POF_OPT_OUTPUT, offsetof(struct args, statements), "FILE", "write a statement for each party there", 0, 0, NULL},
    {"terms", 0, POF_OPT_TEXT, offsetof(struct args, terms), "NAME", "terms to use where several are given", 0, 0, NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-settle",
    .purpose = "settle outcomes against baselines and measurements",
    .operands = "[FILE ...]",
    .examples = "pof-settle samples/terms.json outcomes.jsonl baselines.jsonl measurements.jsonl",
    .options = options};

static int on_terms(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_settle_terms(ctx, &r->u.terms, err);
}

static int on_outcome(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_settle_outcome(ctx, &r->u.outcome, err);
}

static int on_baseline(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_settle_baseline(ctx, &r->u.baseline, err);
}

static int on_measurement(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_settle_measurement(ctx, &r->u.measurement, err);
}

static void on_missing(void *ctx, const struct pof_err *problem)
{
    pof_cli_report(ctx, problem);
}

static int settle(struct pof_cli *cli, struct pof_settle *s, const char *path, struct pof_err *err)
{
    const struct pof_settle_report report = {on_missing, cli};
    struct pof_writer *statements = NULL;
    int rc = path ? pof_cli_writer(cli, path, &statements, err) : 0;
    rc = rc ? rc : pof_settle_run(s, pof_cli_out(cli), statements, &report, err);
    struct pof_settle_counts n = pof_settle_counts(s);
    if (rc == 0) {
        pof_cli_note(cli, "%llu outcomes settled, %llu of 0 W with nothing to settle, %llu not "
                     "settled for want of data", (unsigned long long)n.settled,
                     (unsigned long long)n.rejected, (unsigned long long)n.missing);
    }
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_terms, on_terms},
                                            {POF_outcome, on_outcome},
                                            {POF_baseline, on_baseline},
                                            {POF_measurement, on_measurement}};
    const struct args *a = args;
    struct pof_settle *s = NULL;
    int rc = pof_settle_new(&s, a->terms, err);
    rc = rc ? rc : pof_cli_read(cli, wants, 4, s, err);
    rc = rc ? rc : settle(cli, s, a->statements, err);
    pof_settle_free(s);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {0};
    return pof_main(&program, argc, argv, &args, run);
}
