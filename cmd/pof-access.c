/* SPDX-License-Identifier: Apache-2.0 */
/* Who may read which data: steps of subscriptions, and a filter that lets through what they allow. */
#include "pof-access/parts.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"key", 'k', POF_OPT_TEXT, AT(key), "FILE", "file of one's secret key", 0, 0, NULL},
    {"name", 0, POF_OPT_TEXT, AT(name), "NAME", "key: the party's name", 0, 0, NULL},
    {"id", 0, POF_OPT_TEXT, AT(id), "ID", "ask: name of the subscription", 0, 0, NULL},
    {"owner", 0, POF_OPT_TEXT, AT(owner), "NAME", "ask: owner of the points of delivery", 0, 0, NULL},
    {"pod", 0, POF_OPT_LIST, AT(pod), "POD", "ask: point of delivery; may be given several times", 0, 0, NULL},
    {"data", 0, POF_OPT_TEXT, AT(data), "TYPE", "ask, read: type of record (measurement)", 0, 0, NULL},
    {"purpose", 0, POF_OPT_TEXT, AT(purpose), "TEXT", "ask, read: what it is read for", 0, 0, NULL},
    {"start", 0, POF_OPT_INSTANT, AT(start), "TIME", "ask: data from; grant: not before", 0, 0, NULL},
    {"end", 0, POF_OPT_INSTANT, AT(end), "TIME", "ask: data until, exclusive; grant: not beyond", 0, 0, NULL},
    {"expires", 0, POF_OPT_INSTANT, AT(expires), "TIME", "ask, grant: read before this instant", 0, 0, NULL},
    {"consumer", 'c', POF_OPT_TEXT, AT(consumer), "NAME", "read: who reads", 0, 0, NULL},
    {"keys", 0, POF_OPT_FILE, AT(keys), "FILE", "read, list: public keys of the parties, one a line", 0, 0, NULL},
    {"pods", 0, POF_OPT_FILE, AT(pods), "FILE", "read, list: pods with their owners", 0, 0, NULL},
    {"log-key", 0, POF_OPT_TEXT, AT(log_key), "FILE", "read, list: secret key of the log (the one in it)", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-access",
    .purpose = "let through the data that a consumer may read",
    .operands = "key|ask|grant|revoke [FILE ...] | read|list LOG [FILE ...]",
    .examples = "pof-access ask --key aurora.key --id bill-2026 --owner O17 --pod P0000017 --purpose billing \\\n"
                "    --start 2026-03-01T00:00Z --end 2026-04-01T00:00Z | pof-certify append ledger\n"
                "    pof-access read ledger --keys parties --pods pods.jsonl --consumer aurora \\\n"
                "    --purpose billing measured.jsonl",
    .options = options};

static const struct {
    const char *name;
    int (*run)(struct work *w, struct pof_err *err);
} commands[] = {{"key", access_key},       {"ask", access_ask},   {"grant", access_grant},
                {"revoke", access_revoke}, {"read", access_read}, {"list", access_list}};

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const char *const *operand;
    size_t n = pof_cli_operands(cli, &operand);
    for (size_t i = 0; n >= 1 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(operand[0], commands[i].name) == 0) {
            struct work w = {.cli = cli, .a = args, .rest = operand + 1, .n_rest = n - 1};
            return commands[i].run(&w, err);
        }
    }
    return pof_fail(err, POF_E_USAGE, "expected %s; see pof-access --help", program.operands);
}

int main(int argc, char **argv)
{
    struct args args = {.data = "measurement", .start = INT64_MIN, .end = INT64_MIN, .expires = INT64_MIN};
    return pof_main(&program, argc, argv, &args, run);
}
