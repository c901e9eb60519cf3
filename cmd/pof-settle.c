/* SPDX-License-Identifier: Apache-2.0 */
/* pof-settle: outcomes against baselines and meters, by the terms of the market, to money. */
#include "cli/cli.h"
#include "market/outcome.h"
#include "market/resettle.h"
#include "market/settle.h"
#include "trust/terms.h"

#include <stddef.h>
#include <stdlib.h>

struct args {
    const char *statements, *party, *split, *verify;
    struct pof_texts terms;
    bool list;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"statements", 0, POF_OPT_OUTPUT, AT(statements), "FILE", "write a statement for each party there", 0, 0, NULL},
    {"terms", 0, POF_OPT_LIST, AT(terms), "NAME|HASH", "use these terms only; several times for several (all in the input)", 0, 0, NULL},
    {"for", 0, POF_OPT_TEXT, AT(party), "PARTY", "only what this buyer, seller or owner may see", 0, 0, NULL},
    {"split", 0, POF_OPT_TEXT, AT(split), "DIR", "settlements of each buyer and seller, written into it", 0, 0, NULL},
    {"verify", 0, POF_OPT_FILE, AT(verify), "FILE", "compare with these settlements instead of writing any", 0, 0, NULL},
    {"list", 0, POF_OPT_FLAG, AT(list), NULL, "print hash and name of the terms in the input, and end", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-settle",
    .purpose = "settle outcomes against baselines and measurements",
    .operands = "[FILE ...]",
    .examples = "pof-settle samples/terms.json outcomes.jsonl baselines.jsonl measurements.jsonl\n"
                "    pof-settle --verify settlement.jsonl samples/terms.json outcomes.jsonl \\\n"
                "        baselines.jsonl measurements.jsonl",
    .options = options};

struct job {
    const struct args *args;
    struct pof_cli *cli;
    struct pof_settle *settle;
    struct pof_text party;
    struct pof_writer *statements;
    struct pof_buf listed;
    struct pof_names recipients;
    struct pof_writer **writer; /* [recipients] */
    size_t writer_cap;
    struct pof_kept_records given;
    struct pof_resettle verify;
};

/* --- input --- */

static int on_terms(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct job *j = ctx;
    const struct pof_terms *t = &r->u.terms;
    char hex[POF_TERMS_HEX];
    int rc = pof_terms_hex(t, hex, err);
    if (rc == 0 && j->args->list) {
        return pof_buf_addf(&j->listed, err, "%s  %.*s\n", hex, (int)t->name.len, t->name.ptr);
    }
    return rc ? rc : pof_settle_terms(j->settle, t, pof_text(hex), err);
}

static int on_pod(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_settle_pod(((struct job *)ctx)->settle, &r->u.pod, err);
}

static int on_outcome(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_settle_outcome(((struct job *)ctx)->settle, &r->u.outcome, err);
}

static int on_baseline(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_settle_baseline(((struct job *)ctx)->settle, &r->u.baseline, err);
}

static int on_measurement(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_settle_measurement(((struct job *)ctx)->settle, &r->u.measurement, err);
}

/* --- output --- */

static int open_writer(struct job *j, struct pof_text name, uint32_t number, struct pof_err *err)
{
    struct pof_buf path = {0};
    int rc = pof_grow(&j->writer, &j->writer_cap, (size_t)number + 1, sizeof *j->writer, err);
    rc = rc ? rc : pof_buf_addf(&path, err, "%s/settlement-", j->args->split);
    rc = rc ? rc : pof_file_part(&path, name, err);
    rc = rc ? rc
            : pof_buf_addf(&path, err, "%s%c",
                           pof_cli_format(j->cli) == POF_CSV ? ".csv" : ".jsonl", '\0');
    rc = rc ? rc : pof_cli_writer(j->cli, path.data, &j->writer[number], err);
    pof_buf_release(&path);
    return rc;
}

static int write_to(struct job *j, struct pof_text name, const struct pof_settlement *s,
                    struct pof_err *err)
{
    uint32_t next = (uint32_t)j->recipients.n;
    uint32_t number;
    int rc = pof_names_add(&j->recipients, name, &number, err);
    if (rc == 0 && number == next) {
        rc = open_writer(j, name, number, err);
    }
    return rc ? rc : pof_writer_put(j->writer[number], POF_settlement, s, err);
}

static int on_settlement(void *ctx, const struct pof_settlement *s, struct pof_err *err)
{
    struct job *j = ctx;
    if (j->args->verify) {
        return pof_resettle_take(&j->verify, s, err);
    }
    if (j->party.len && !pof_settlement_concerns(s, j->party)) {
        return 0;
    }
    int rc = pof_writer_put(pof_cli_out(j->cli), POF_settlement, s, err);
    if (rc == 0 && j->args->split) {
        rc = write_to(j, s->buyer, s, err);
        rc = rc || pof_text_eq(s->buyer, s->seller) ? rc : write_to(j, s->seller, s, err);
    }
    return rc;
}

static int on_statement(void *ctx, const struct pof_statement *s, struct pof_err *err)
{
    struct job *j = ctx;
    bool mine = j->party.len == 0 || pof_text_eq(s->party, j->party);
    return mine ? pof_writer_put(j->statements, POF_statement, s, err) : 0;
}

static void on_problem(void *ctx, const struct pof_err *problem)
{
    pof_cli_report(((struct job *)ctx)->cli, problem);
}

static void say_counts(struct job *j)
{
    struct pof_settle_counts n = pof_settle_counts(j->settle);
    pof_cli_note(j->cli, "%llu outcomes settled, %llu of 0 W with nothing to settle, %llu not "
                 "settled for want of data", (unsigned long long)n.settled,
                 (unsigned long long)n.rejected, (unsigned long long)n.missing);
    if (j->args->verify) {
        pof_cli_note(j->cli, "%llu settlements are the same, %llu are not",
                     (unsigned long long)j->verify.equal, (unsigned long long)j->verify.different);
    }
}

static int settle(struct job *j, struct pof_err *err)
{
    const struct args *a = j->args;
    const struct pof_settle_taker taker = {on_settlement, a->statements ? on_statement : NULL,
                                           on_problem, j};
    int rc = a->statements ? pof_cli_writer(j->cli, a->statements, &j->statements, err) : 0;
    if (rc == 0 && a->verify) {
        rc = pof_cli_keep_file(j->cli, a->verify, &j->given, err);
        rc = rc ? rc : pof_resettle_init(&j->verify, &j->given, err);
        j->verify.party = j->party;
        j->verify.problem = on_problem;
        j->verify.ctx = j;
    }
    rc = rc ? rc : pof_settle_run(j->settle, &taker, err);
    if (rc == 0 && a->verify) {
        pof_resettle_close(&j->verify);
    }
    if (rc == 0) {
        say_counts(j);
    }
    return rc;
}

static int list(struct job *j, struct pof_err *err)
{
    struct pof_sink out;
    int rc = pof_cli_sink(j->cli, NULL, &out, err);
    return rc || j->listed.len == 0 ? rc : out.write(out.ctx, j->listed.data, j->listed.len, err);
}

static void release(struct job *j)
{
    pof_settle_free(j->settle);
    pof_buf_release(&j->listed);
    pof_names_release(&j->recipients);
    pof_resettle_release(&j->verify);
    pof_kept_release(&j->given);
    free(j->writer);
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_terms, on_terms},
                                            {POF_outcome, on_outcome},
                                            {POF_baseline, on_baseline},
                                            {POF_measurement, on_measurement},
                                            {POF_pod, on_pod}};
    const struct args *a = args;
    struct job j = {.args = a, .cli = cli, .party = pof_text(a->party ? a->party : "")};
    int rc = 0;
    if (a->verify && (a->split || a->statements)) {
        return pof_fail(err, POF_E_USAGE, "--verify writes nothing; leave out --split and --statements");
    }
    if (a->split && a->party) {
        return pof_fail(err, POF_E_USAGE, "--split is for all parties, --for for one; give one");
    }
    rc = pof_settle_new(&j.settle, a->terms.item, a->terms.n, err);
    rc = rc ? rc : pof_cli_read(cli, wants, a->list ? 1 : 5, &j, err);
    rc = rc ? rc : a->list ? list(&j, err) : settle(&j, err);
    release(&j);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {0};
    return pof_main(&program, argc, argv, &args, run);
}
