/* SPDX-License-Identifier: Apache-2.0 */
/* pof-outcome: joins awards with verdicts; what is left of requests and offers. */
#include "cli/cli.h"
#include "cli/grid.h"
#include "io/heap.h"
#include "market/outcome.h"
#include "num/decimal.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

struct args {
    const char *grid, *unmet, *carry, *split;
    int64_t carry_from;
    bool accept_missing;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"unmet", 'u', POF_OPT_OUTPUT, AT(unmet), "FILE", "what is left of the requests, written there", 0, 0, NULL},
    {"carry", 'c', POF_OPT_OUTPUT, AT(carry), "FILE", "what is left of the offers, written there", 0, 0, NULL},
    {"carry-from", 0, POF_OPT_INSTANT, AT(carry_from), "TIME", "leave out of it what ends by then (nothing)", 0, 0, NULL},
    {"split", 0, POF_OPT_TEXT, AT(split), "DIR", "outcomes of each buyer and seller, written into it", 0, 0, NULL},
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document, radial, to know what serves a branch (none)", 0, 0, NULL},
    {"accept-missing", 0, POF_OPT_FLAG, AT(accept_missing), NULL, "an award without a verdict is accepted (an error)", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-outcome",
    .purpose = "join awards with verdicts",
    .operands = "[FILE ...]",
    .examples = "pof-outcome awards.jsonl verdicts.jsonl > outcomes.jsonl\n"
                "    pof-outcome --unmet unmet.jsonl --carry rest.jsonl awards.jsonl verdicts.jsonl \\\n"
                "        requests.jsonl offers.jsonl > outcomes.jsonl",
    .options = options,
};

struct job {
    const struct args *args;
    struct pof_cli *cli;
    struct pof_grid grid;
    struct pof_feeder feeder;
    struct pof_join join;
    struct pof_names recipients;
    struct pof_writer **writer; /* [recipients] */
    size_t writer_cap;
};

static int read_grid(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    if (!j->args->grid) {
        return 0;
    }
    int rc = pof_cli_grid(cli, j->args->grid, &j->grid, err);
    rc = rc ? rc : pof_feeder_init(&j->feeder, &j->grid, err);
    return rc ? pof_at(err, j->args->grid, 0, NULL) : 0;
}

static int on_record(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return pof_join_take(&j->join, record, err);
}

static int read_records(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_award, on_record},
                                            {POF_verdict, on_record},
                                            {POF_request, on_record},
                                            {POF_offer, on_record}};
    enum { MEMORY_PER_BYTE = 4, AWARD = 256 }; /* of CSV; bytes of an award and its verdict there */
    const char *const *operand;
    size_t n = pof_cli_operands(cli, &operand), bytes = pof_heap_expect(operand, n, MEMORY_PER_BYTE);
    int rc = pof_join_init(&j->join, j->args->grid ? &j->feeder : NULL, err);
    rc = rc ? rc : pof_join_expect(&j->join, bytes / AWARD, err);
    rc = rc ? rc : pof_cli_read(cli, wants, sizeof wants / sizeof wants[0], j, err);
    return rc ? rc : pof_join_close(&j->join, j->args->accept_missing, err);
}

static int open_writer(struct job *j, struct pof_text name, uint32_t number, struct pof_err *err)
{
    struct pof_buf path = {0};
    int rc = pof_grow(&j->writer, &j->writer_cap, number + 1, sizeof *j->writer, err);
    rc = rc ? rc : pof_buf_addf(&path, err, "%s/outcomes-", j->args->split);
    rc = rc ? rc : pof_file_part(&path, name, err);
    rc = rc ? rc
            : pof_buf_addf(&path, err, "%s%c",
                           pof_cli_format(j->cli) == POF_CSV ? ".csv" : ".jsonl", '\0');
    rc = rc ? rc : pof_cli_writer(j->cli, path.data, &j->writer[number], err);
    pof_buf_release(&path);
    return rc;
}

static int write_to(struct job *j, struct pof_text name, const struct pof_outcome *o,
                    struct pof_err *err)
{
    uint32_t next = (uint32_t)j->recipients.n, number;
    int rc = pof_names_add(&j->recipients, name, &number, err);
    if (rc == 0 && number == next) {
        rc = open_writer(j, name, number, err);
    }
    return rc ? rc : pof_writer_put(j->writer[number], POF_outcome, o, err);
}

static int write_outcome(void *ctx, const struct pof_outcome *o, struct pof_err *err)
{
    struct job *j = ctx;
    int rc = pof_writer_put(pof_cli_out(j->cli), POF_outcome, o, err);
    if (rc == 0 && j->args->split) {
        rc = write_to(j, o->buyer, o, err);
        rc = rc || pof_text_eq(o->buyer, o->seller) ? rc : write_to(j, o->seller, o, err);
    }
    return rc;
}

static int write_request(void *ctx, const struct pof_request *r, struct pof_err *err)
{
    return pof_writer_put(ctx, POF_request, r, err);
}

struct carrying {
    struct pof_writer *to;
    int64_t from;
    uint64_t over; /* pieces left out */
};

static int write_offer(void *ctx, const struct pof_offer *o, struct pof_err *err)
{
    struct carrying *c = ctx;
    if (o->end <= c->from) {
        c->over++;
        return 0;
    }
    return pof_writer_put(c->to, POF_offer, o, err);
}

static int write_rest(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    struct carrying carry = {.from = j->args->carry_from};
    struct pof_writer *unmet;
    int rc = 0;
    if (j->args->unmet) {
        rc = pof_cli_writer(cli, j->args->unmet, &unmet, err);
        rc = rc ? rc : pof_join_unmet(&j->join, write_request, unmet, err);
    }
    if (rc == 0 && j->args->carry) {
        rc = pof_cli_writer(cli, j->args->carry, &carry.to, err);
        rc = rc ? rc : pof_join_carry(&j->join, write_offer, &carry, err);
    }
    if (rc == 0 && carry.over) {
        pof_cli_note(cli, "%" PRIu64 " parts of offers are over and not carried", carry.over);
    }
    return rc;
}

/* A quarter-hour of 1 W is 0.25 Wh. */
static int kwh(int64_t wq, char *to)
{
    return (int)pof_decimal_format(wq * 25, 5, to);
}

static void say(struct pof_cli *cli, const struct pof_join *j)
{
    const struct pof_join_counts *c = &j->counts;
    char allowed[POF_DECIMAL_MAX], awarded[POF_DECIMAL_MAX];
    int allowed_n = kwh(c->allowed_wq, allowed), awarded_n = kwh(c->awarded_wq, awarded);
    pof_cli_note(cli,
                 "%zu awards, %zu verdicts: %" PRIu64 " accepted, %" PRIu64 " curtailed, %" PRIu64
                 " rejected; %.*s of %.*s kWh count",
                 j->awards, j->verdicts, c->accepted, c->curtailed, c->rejected, allowed_n, allowed,
                 awarded_n, awarded);
    if (c->missing) {
        pof_cli_note(cli, "%" PRIu64 " awards accepted without a verdict", c->missing);
    }
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct job j = {.args = args, .cli = cli};
    int rc = read_grid(cli, &j, err);
    rc = rc ? rc : read_records(cli, &j, err);
    rc = rc ? rc : pof_join_outcomes(&j.join, write_outcome, &j, err);
    rc = rc ? rc : write_rest(cli, &j, err);
    if (rc == 0) {
        say(cli, &j.join);
    }
    free(j.writer);
    pof_names_release(&j.recipients);
    pof_join_release(&j.join);
    pof_feeder_release(&j.feeder);
    pof_grid_release(&j.grid);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.carry_from = INT64_MIN};
    return pof_main(&program, argc, argv, &args, run);
}
