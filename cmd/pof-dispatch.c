/* SPDX-License-Identifier: Apache-2.0 */
/* pof-dispatch: outcomes of all sessions become one set point for each pod and quarter-hour. */
#include "cli/cli.h"
#include "market/dispatch.h"

static const struct pof_program program = {
    .name = "pof-dispatch",
    .purpose = "set points of pods from the outcomes of all sessions",
    .operands = "[FILE ...]",
    .examples = "pof-dispatch outcomes.jsonl baselines.jsonl pods.jsonl > setpoints.jsonl",
    .options = NULL};

static int on_pod(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_dispatch_pod(ctx, &r->u.pod, err);
}

static int on_baseline(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_dispatch_baseline(ctx, &r->u.baseline, err);
}

static int on_outcome(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_dispatch_outcome(ctx, &r->u.outcome, err);
}

static void on_problem(void *ctx, const struct pof_err *problem)
{
    pof_cli_report(ctx, problem);
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    static const struct pof_want wants[] = {
        {POF_outcome, on_outcome}, {POF_baseline, on_baseline}, {POF_pod, on_pod}};
    struct pof_dispatch *d = NULL;
    (void)args;
    int rc = pof_dispatch_new(&d, err);
    rc = rc ? rc : pof_cli_read(cli, wants, 3, d, err);
    rc = rc ? rc : pof_dispatch_run(d, pof_cli_out(cli), on_problem, cli, err);
    pof_dispatch_free(d);
    return rc;
}

int main(int argc, char **argv)
{
    char nothing = 0;
    return pof_main(&program, argc, argv, &nothing, run);
}
