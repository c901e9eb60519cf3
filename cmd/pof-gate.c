/* SPDX-License-Identifier: Apache-2.0 */
/* pof-gate: which of the orders received take part in a session. */
#include "cli/cli.h"
#include "market/admit.h"

#include <inttypes.h>
#include <stddef.h>

struct args {
    const char *session, *refused;
};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"session", 's', POF_OPT_TEXT, AT(session), "ID", "session whose gate it is (the only one given)", 0, 0, NULL},
    {"refused", 0, POF_OPT_OUTPUT, AT(refused), "FILE", "orders that take no part, as refusal records", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-gate",
    .purpose = "let orders into a session",
    .operands = "[FILE ...]",
    .examples = "pof-gate --session 2026-03-10-RT1 --refused refused.jsonl sessions.jsonl \\\n"
                "    received.jsonl carried.jsonl revocations.jsonl > orders.jsonl",
    .options = options,
};

static int on_record(void *ctx, const struct pof_record *record, struct pof_err *err)
{
    return pof_admit_take(ctx, record, err);
}

static int write_order(void *ctx, const struct pof_record *order, struct pof_err *err)
{
    return pof_writer_put(ctx, order->type, &order->u, err);
}

static int write_refusal(void *ctx, const struct pof_refusal *r, struct pof_err *err)
{
    return pof_writer_put(ctx, POF_refusal, r, err);
}

static int write_all(struct pof_cli *cli, const struct args *a, const struct pof_admit *admit,
                     struct pof_err *err)
{
    struct pof_writer *refused = NULL;
    int rc = pof_admit_each(admit, write_order, pof_cli_out(cli), err);
    rc = rc || !a->refused ? rc : pof_cli_writer(cli, a->refused, &refused, err);
    return rc || !refused ? rc : pof_admit_refused(admit, write_refusal, refused, err);
}

static void say(struct pof_cli *cli, const struct pof_admit *admit)
{
    const struct pof_admit_counts *c = &admit->counts;
    pof_cli_note(cli,
                 "session %.*s: %" PRIu64 " offers and %" PRIu64 " requests take part, %" PRIu64
                 " orders are refused",
                 (int)admit->session->id.len, admit->session->id.ptr, c->offers, c->requests,
                 c->refused);
    if (c->elsewhere) {
        pof_cli_note(cli, "requests of other sessions left out: %" PRIu64, c->elsewhere);
    }
    if (c->idle) {
        pof_cli_note(cli, "revocations of orders that are not here: %" PRIu64, c->idle);
    }
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_session, on_record},
                                            {POF_offer, on_record},
                                            {POF_request, on_record},
                                            {POF_revocation, on_record}};
    const struct args *a = args;
    struct pof_admit admit = {0};
    int rc = pof_cli_read(cli, wants, sizeof wants / sizeof wants[0], &admit, err);
    rc = rc ? rc : pof_admit_close(&admit, a->session, err);
    rc = rc ? rc : write_all(cli, a, &admit, err);
    if (rc == 0) {
        say(cli, &admit);
    }
    pof_admit_release(&admit);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {0};
    return pof_main(&program, argc, argv, &args, run);
}
