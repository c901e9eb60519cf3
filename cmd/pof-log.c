/* SPDX-License-Identifier: Apache-2.0 */
/* pof-log: runs a command as one passage of a flow and logs its events. */
#include "cli/cli.h"
#include "io/run.h"

#include <stddef.h>
#include <stdlib.h>

struct args {
    const char *flow;
    const char *received;
    const char *reference;
    const char *log;
    int platform;
};

static const char *const platforms[] = {"AP", "DSOTP", "MP", "SCD", "BAL", "TSO", "LN", NULL};

static const struct pof_option options[] = {
    {"flow", 0, POF_OPT_TEXT, offsetof(struct args, flow), "FLOW", "flow this run carries, for example flow3", 0, 0, NULL},
    {"platform", 0, POF_OPT_WORD, offsetof(struct args, platform), "NAME", "platform it runs on (AP)", 0, 0, platforms},
    {"received", 0, POF_OPT_TEXT, offsetof(struct args, received), "FLOW", "flow whose message starts it", 0, 0, NULL},
    {"reference", 0, POF_OPT_TEXT, offsetof(struct args, reference), "ID", "what identifies this passage, for example the session", 0, 0, NULL},
    {"log", 0, POF_OPT_OUTPUT, offsetof(struct args, log), "FILE", "event records are appended there", 0, 0, NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-log",
    .purpose = "run a command as one passage of a flow and log its events",
    .operands = "-- COMMAND [ARGUMENT ...]",
    .examples = "pof-log --flow flow3 --platform MP --reference DA --log events.jsonl -- pof-clear ...",
    .options = options,
};

enum { RECEIVED, STARTED, ENDED, SENT };

static int add_event(struct pof_buf *b, struct pof_event *e, int type, int64_t when_ms,
                     struct pof_err *err)
{
    e->type = type;
    e->datetime = when_ms;
    int rc = pof_record_check(POF_event, e, err);
    rc = rc ? rc : pof_record_format(b, POF_event, e, err);
    return rc ? rc : pof_buf_adds(b, "\n", err);
}

/* All events of a run in one write, when it is over: a run that was killed leaves none. */
static int log_run(const struct args *a, const struct pof_run_cost *cost, struct pof_err *err)
{
    struct pof_buf b = {0};
    struct pof_event e = {.platform = a->platform, .reference_id = pof_text(a->reference)};
    int rc = 0;
    if (a->received) {
        e.flow = pof_text(a->received);
        rc = add_event(&b, &e, RECEIVED, cost->started_ms, err);
    }
    e.flow = pof_text(a->flow);
    rc = rc ? rc : add_event(&b, &e, STARTED, cost->started_ms, err);
    e.cpu_us = cost->cpu_us;
    e.rss_kib = cost->rss_kib;
    POF_SET(&e, event, cpu_us);
    POF_SET(&e, event, rss_kib);
    rc = rc ? rc : add_event(&b, &e, ENDED, cost->ended_ms, err);
    e.has = 0;
    rc = rc ? rc : add_event(&b, &e, SENT, cost->ended_ms, err);
    rc = rc ? rc : pof_append_file(a->log, b.data, b.len, err);
    pof_buf_release(&b);
    return rc;
}

/* The command as a NULL-terminated vector. */
static int command(struct pof_cli *cli, char ***argv, struct pof_err *err)
{
    const char *const *operands;
    size_t n = pof_cli_operands(cli, &operands);
    if (n == 0) {
        return pof_fail(err, POF_E_USAGE, "no command given; see pof-log --help");
    }
    int rc = pof_calloc(argv, n + 1, sizeof **argv, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        (*argv)[i] = (char *)(uintptr_t)operands[i]; /* execvp(3) takes, but does not write them */
    }
    return rc;
}

static int run(struct pof_cli *cli, void *arguments, struct pof_err *err)
{
    const struct args *a = arguments;
    if (!a->flow || !a->reference || !a->log) {
        return pof_fail(err, POF_E_USAGE, "--flow, --reference and --log are needed; see pof-log --help");
    }
    char **argv = NULL;
    struct pof_run_cost cost;
    int rc = command(cli, &argv, err);
    rc = rc ? rc : pof_run_command(argv, &cost, err);
    free(argv);
    rc = rc ? rc : log_run(a, &cost, err);
    return rc ? rc : cost.status;
}

int main(int argc, char **argv)
{
    struct args args = {0};
    return pof_main(&program, argc, argv, &args, run);
}
