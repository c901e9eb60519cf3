/* SPDX-License-Identifier: Apache-2.0 */
/* pof-clear: matches requests with offers at least cost, within the limits of the grid. */
#include "cli/cli.h"
#include "cli/grid.h"
#include "io/heap.h"
#include "market/refuse.h"
#include "market/stream.h"
#include "pof-clear/say.h"
#include "rules.h"

#include <stddef.h>

struct args {
    struct rule_args rules;
    const char *grid, *session, *prices, *served, *report, *refused, *single, *reserve;
    int64_t budget;
    int method;
    bool stream;
};

static const char *const methods[] = {"tree", "lp", NULL};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"grid", 'g', POF_OPT_FILE, AT(grid), "FILE", "grid document; needed", 0, 0, NULL},
    {"session", 's', POF_OPT_TEXT, AT(session), "ID", "session to clear (the only one given)", 0, 0, NULL},
    RULE_OPTIONS(struct args),
    {"budget", 0, POF_OPT_INT, AT(budget), "NODES", "search nodes for blocks, in each part of the session (2000)", 0, 1000000000, NULL},
    {"prices", 0, POF_OPT_OUTPUT, AT(prices), "FILE", "write node prices, for pof-verify and pof-explain", 0, 0, NULL},
    {"served", 0, POF_OPT_OUTPUT, AT(served), "FILE", "write what each request got, for pof-verify", 0, 0, NULL},
    {"report", 0, POF_OPT_OUTPUT, AT(report), "FILE", "cost and proven bound, as cleared records", 0, 0, NULL},
    {"refused", 0, POF_OPT_OUTPUT, AT(refused), "FILE", "orders that take no part, as refusal records", 0, 0, NULL},
    {"single-sellers", 0, POF_OPT_OUTPUT, AT(single), "FILE", "requests that one seller alone can serve", 0, 0, NULL},
    {"reserve", 0, POF_OPT_OUTPUT, AT(reserve), "FILE", "what requests want held ready beyond their awards", 0, 0, NULL},
    {"method", 0, POF_OPT_WORD, AT(method), "WORD", "tree method, or linear programming to compare with (tree)", 0, 0, methods},
    {"stream", 0, POF_OPT_FLAG, AT(stream), NULL, "offers come in order of time: hold one quarter-hour of them", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-clear",
    .purpose = "clear a market session",
    .operands = "[FILE ...]",
    .examples = "pof-clear --grid grid.json --session 2026-03-10-DA \\\n"
                "    sessions.jsonl requests.jsonl offers.jsonl limits.jsonl > awards.jsonl",
    .options = options,
};

struct job {
    const struct args *args;
    struct pof_grid grid;
    struct pof_feeder feeder;
    struct pof_rulebook rules;
    struct pof_book book;
    struct pof_auction auction;
    struct pof_stream stream;
    size_t bytes; /* of records, as far as files tell */
};

/* What the book and its clearing take for a byte of CSV; address space for the quarter-hour of a stream
 * that is held, of which only what it needs becomes memory. */
enum { MEMORY_PER_BYTE = 8, STREAM_BYTES = 960 << 20 };

static void expect_work(const struct pof_cli *cli, struct job *j)
{
    const char *const *operand;
    size_t n = pof_cli_operands(cli, &operand);
    if (j->args->stream) {
        pof_heap_expect_bytes(STREAM_BYTES);
    } else {
        j->bytes = pof_heap_expect(operand, n, MEMORY_PER_BYTE);
    }
}

static int read_grid(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    int rc = pof_cli_grid(cli, j->args->grid, &j->grid, err);
    rc = rc ? rc : pof_feeder_init_meshed(&j->feeder, &j->grid, err);
    return rc ? pof_at(err, j->args->grid, 0, NULL) : 0;
}

static int on_record(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    struct job *j = ctx;
    return j->args->stream ? pof_stream_take(&j->stream, record, err)
                           : pof_book_take(&j->book, record, err);
}

/* In a stream, this clears all but the last quarter-hours too. */
static int read_book(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_session, on_record},
                                            {POF_request, on_record},
                                            {POF_offer, on_record},
                                            {POF_limit, on_record}};
    enum { OFFER = 80 }; /* bytes of a short line of CSV */
    int rc = pof_book_init(&j->book, &j->feeder, err);
    rc = rc ? rc : pof_book_expect(&j->book, j->bytes / OFFER, err);
    return rc ? rc : pof_cli_read(cli, wants, sizeof wants / sizeof wants[0], j, err);
}

#define WRITE(type)                                                                                \
    static int write_##type(void *ctx, const struct pof_##type *x, struct pof_err *err)            \
    {                                                                                              \
        return pof_writer_put(ctx, POF_##type, x, err);                                            \
    }
WRITE(award)
WRITE(node_price)
WRITE(single_seller)
WRITE(served)

static int write_refused(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    struct pof_writer *to;
    struct pof_buf reason = {0};
    int rc = j->args->refused ? pof_cli_writer(cli, j->args->refused, &to, err) : 0;
    pof_book_refusals_sort(&j->book);
    for (size_t i = 0; rc == 0 && j->args->refused && i < j->book.refusals; i++) {
        struct pof_refusal record;
        rc = pof_book_refusal_record(&j->book, &j->book.refusal[i], &reason, &record, err);
        rc = rc ? rc : pof_writer_put(to, POF_refusal, &record, err);
    }
    pof_buf_release(&reason);
    return rc;
}

static int write_report(struct pof_cli *cli, const struct job *j, const struct pof_auction *a,
                        struct pof_err *err)
{
    struct pof_writer *to;
    char digest[POF_SHA256_HEX];
    int rc = j->args->report ? pof_cli_writer(cli, j->args->report, &to, err) : 0;
    rc = rc ? rc : pof_rulebook_digest(&j->rules, &j->book.rules, digest, err);
    for (unsigned k = 0; rc == 0 && j->args->report && k < a->passes; k++) {
        struct pof_cleared record;
        rc = pof_auction_record(a, &j->book, k, &record, err);
        record.rules = (struct pof_text){digest, sizeof digest};
        POF_SET(&record, cleared, rules);
        rc = rc ? rc : pof_writer_put(to, POF_cleared, &record, err);
    }
    return rc;
}

/* A stream hands out while it reads, so outputs are there before. */
static int open_outputs(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    struct pof_writer *to;
    int rc = 0;
    if (j->args->single) {
        rc = pof_cli_writer(cli, j->args->single, &to, err);
        j->auction.on_single = write_single_seller;
        j->auction.single_ctx = rc ? NULL : to;
    }
    if (rc == 0 && j->args->reserve) {
        rc = pof_cli_writer(cli, j->args->reserve, &to, err);
        j->auction.on_reserve = write_award;
        j->auction.reserve_ctx = rc ? NULL : to;
    }
    if (rc == 0 && j->args->served) {
        rc = pof_cli_writer(cli, j->args->served, &to, err);
        j->auction.on_served = write_served;
        j->auction.served_ctx = rc ? NULL : to;
    }
    if (rc == 0 && j->args->prices) {
        rc = pof_cli_writer(cli, j->args->prices, &to, err);
        j->auction.on_price = write_node_price;
        j->auction.price_ctx = rc ? NULL : to;
    }
    return rc;
}

static int prepare(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    j->auction = (struct pof_auction){.method = (enum pof_clear_method)j->args->method,
                                      .threads = pof_cli_threads(cli),
                                      .budget = (uint64_t)j->args->budget,
                                      .on_award = write_award,
                                      .ctx = pof_cli_out(cli)};
    j->stream = (struct pof_stream){.book = &j->book,
                                    .auction = &j->auction,
                                    .session = j->args->session,
                                    .rules = &j->rules};
    if (j->args->stream && j->args->prices) {
        return pof_fail(err, POF_E_USAGE,
                        "--prices have ties among the offers of the whole session; --stream never "
                        "holds them all: leave one of the two away");
    }
    return open_outputs(cli, j, err);
}

static int clear_session(struct pof_cli *cli, struct job *j, struct pof_err *err)
{
    int rc = j->args->stream ? 0 : pof_book_close(&j->book, j->args->session, &j->rules, err);
    rc = rc              ? rc
         : j->args->stream ? pof_stream_end(&j->stream, err)
                           : pof_auction_run(&j->auction, &j->book, err);
    if (rc == 0) {
        clear_say(cli, &j->book, &j->auction);
        rc = write_refused(cli, j, err);
        rc = rc ? rc : write_report(cli, j, &j->auction, err);
    }
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct job j = {.args = args};
    int rc = prepare(cli, &j, err);
    expect_work(cli, &j);
    rc = rc ? rc : read_grid(cli, &j, err);
    rc = rc ? rc : rules_read(cli, &j.args->rules, &j.rules, err);
    rc = rc ? rc : read_book(cli, &j, err);
    rc = rc ? rc : clear_session(cli, &j, err);
    pof_book_release(&j.book);
    pof_rulebook_release(&j.rules);
    pof_feeder_release(&j.feeder);
    pof_grid_release(&j.grid);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.rules = NO_RULES, .budget = 2000};
    return pof_main(&program, argc, argv, &args, run);
}
