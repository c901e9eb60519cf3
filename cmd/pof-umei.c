/* SPDX-License-Identifier: Apache-2.0 */
/* pof-umei: orders of the Universal Market Enabling Interface, checked, read and written. */
#include "cli/cli.h"
#include "market/umei.h"

#include <stddef.h>
#include <stdlib.h>

struct args {
    const char *session, *party, *market;
    int role;
    int64_t ceiling;
    bool check, write;
};

#define AT(member) offsetof(struct args, member)
static const char *const roles[] = {"dso", "tso", NULL};
static const struct pof_option options[] = {
    {"session", 's', POF_OPT_TEXT, AT(session), "ID", "session of the records", 0, 0, NULL},
    {"party", 'p', POF_OPT_TEXT, AT(party), "NAME", "whose orders they are: seller or buyer of the records", 0, 0, NULL},
    {"market", 'm', POF_OPT_TEXT, AT(market), "ID", "read: orders of this market only; write: the market", 0, 0, NULL},
    {"role", 0, POF_OPT_WORD, AT(role), "ROLE", "read: role of a buyer, dso or tso (dso)", 0, 0, roles},
    {"check", 0, POF_OPT_FLAG, AT(check), NULL, "check orders and write no records", 0, 0, NULL},
    {"write", 'w', POF_OPT_FLAG, AT(write), NULL, "offer and request records to orders", 0, 0, NULL},
    {"ceiling", 0, POF_OPT_MICRO, AT(ceiling), "EUR", "write: price per MWh of requests that have no limit", 0, 999999999, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-umei",
    .purpose = "check, read and write orders of the Universal Market Enabling Interface",
    .operands = "[FILE ...]",
    .examples = "pof-umei --session 2026-03-10-DA --party AGR orders.json > offers.jsonl\n"
                "    pof-umei --write --session 2026-03-10-DA --party AGR --market LOCAL offers.jsonl",
    .options = options};

struct job {
    struct pof_cli *cli;
    struct pof_umei_writer writer;
};

static void say_counts(struct job *j, const struct pof_umei_counts *n)
{
    pof_cli_note(j->cli, "%llu sell orders, %llu buy orders; %llu with a violation", (unsigned long long)n->sell,
                 (unsigned long long)n->buy, (unsigned long long)n->unsound);
    for (int i = 0; i < POF_UMEI_LOSTS; i++) {
        if (n->lost[i]) {
            pof_cli_note(j->cli, "%llu %s", (unsigned long long)n->lost[i], pof_umei_lost_text((enum pof_umei_lost)i));
        }
    }
}

/* --- orders to records --- */

static int on_offer(void *ctx, const struct pof_offer *o, struct pof_err *err)
{
    return pof_writer_put(pof_cli_out(((struct job *)ctx)->cli), POF_offer, o, err);
}

static int on_request(void *ctx, const struct pof_request *r, struct pof_err *err)
{
    return pof_writer_put(pof_cli_out(((struct job *)ctx)->cli), POF_request, r, err);
}

static void on_problem(void *ctx, const struct pof_err *problem)
{
    pof_cli_report(((struct job *)ctx)->cli, problem);
}

static int read_file(struct job *j, struct pof_umei_reader *reader, const char *path, struct pof_err *err)
{
    char *data = NULL;
    size_t len = 0;
    int rc = pof_cli_slurp(j->cli, path, &data, &len, err);
    rc = rc ? rc : pof_umei_read(reader, (struct pof_text){data, len}, path, err);
    free(data);
    return rc;
}

static int read_orders(struct job *j, const struct args *a, struct pof_err *err)
{
    const char *const *paths;
    size_t n = pof_cli_operands(j->cli, &paths);
    struct pof_umei_reader reader = {.session = pof_text(a->session ? a->session : ""),
                                     .party = pof_text(a->party ? a->party : ""),
                                     .role = a->role,
                                     .market = pof_text(a->market ? a->market : ""),
                                     .offer = a->check ? NULL : on_offer,
                                     .request = on_request,
                                     .problem = on_problem,
                                     .ctx = j};
    int rc = n ? 0 : read_file(j, &reader, "-", err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = read_file(j, &reader, paths[i], err);
    }
    if (rc == 0) {
        say_counts(j, &reader.counts);
    }
    return rc;
}

/* --- records to orders --- */

static int take_offer(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_umei_write_offer(&((struct job *)ctx)->writer, &r->u.offer, err);
}

static int take_request(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    return pof_umei_write_request(&((struct job *)ctx)->writer, &r->u.request, err);
}

static int write_orders(struct job *j, const struct args *a, struct pof_err *err)
{
    static const struct pof_want wants[] = {{POF_offer, take_offer}, {POF_request, take_request}};
    struct pof_buf json = {0};
    struct pof_sink out;
    if (!a->market) {
        return pof_fail(err, POF_E_USAGE, "--write needs --market");
    }
    j->writer = (struct pof_umei_writer){.session = pof_text(a->session),
                                         .party = pof_text(a->party),
                                         .market = pof_text(a->market),
                                         .has_ceiling = a->ceiling >= 0,
                                         .ceiling_ueur_mwh = a->ceiling};
    int rc = pof_cli_read(j->cli, wants, 2, j, err);
    rc = rc ? rc : pof_umei_write_end(&j->writer, &json, err);
    rc = rc ? rc : pof_cli_sink(j->cli, NULL, &out, err);
    rc = rc ? rc : out.write(out.ctx, json.data, json.len, err);
    pof_buf_release(&json);
    pof_umei_writer_release(&j->writer);
    if (rc == 0) {
        say_counts(j, &j->writer.counts);
    }
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const struct args *a = args;
    struct job j = {.cli = cli};
    if (!a->check && (!a->session || !a->party)) {
        return pof_fail(err, POF_E_USAGE, "name session and party of the records by --session and --party, or only --check");
    }
    return a->write ? write_orders(&j, a, err) : read_orders(&j, a, err);
}

int main(int argc, char **argv)
{
    struct args args = {.ceiling = -1};
    return pof_main(&program, argc, argv, &args, run);
}
