/* SPDX-License-Identifier: Apache-2.0 */
/* Anchors logs, registers subscriptions, settles and pays on an Ethereum chain. */
#include "pof-chain/parts.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"node", 0, POF_OPT_TEXT, AT(node), "URL", "JSON-RPC of a node (http://127.0.0.1:8545)", 0, 0,
     NULL},
    {"key", 0, POF_OPT_FILE, AT(key), "FILE", "secret key, 64 hexadecimal digits, mode 600", 0, 0,
     NULL},
    {"confirmations", 0, POF_OPT_INT, AT(confirmations), "N",
     "blocks a transaction must be in before it counts (1: its own)", 1, 10000, NULL},
    {"timeout", 0, POF_OPT_INT, AT(timeout_s), "S", "wait so long for them (300)", 0, 86400, NULL},
    {"poll", 0, POF_OPT_INT, AT(poll_ms), "MS", "look so often (500)", 1, 60000, NULL},
    {"supply", 0, POF_OPT_INT, AT(supply), "N", "deploy: tokens to begin with (1000000)", 0,
     INT64_MAX, NULL},
    {"contracts", 0, POF_OPT_FILE, AT(contracts), "FILE",
     "deploy: use these contracts; the file 'contracts' of who deployed them", 0, 0, NULL},
    {"origin", 0, POF_OPT_TEXT, AT(origin), "NAME",
     "deploy: the log with the settlements; status: show what is anchored of it", 0, 0, NULL},
    {"terms", 0, POF_OPT_FILE, AT(terms), "FILE", "terms of settlement: which settlement contract",
     0, 0, NULL},
    {"until", 0, POF_OPT_INSTANT, AT(until), "TIME", "deploy, subscribe: when it ends", 0, 0, NULL},
    {"log-key", 0, POF_OPT_TEXT, AT(log_key), "VKEY", "anchor: public key of the log", 0, 0, NULL},
    {"id", 0, POF_OPT_TEXT, AT(id), "TEXT", "subscribe, check: of the subscription", 0, 0, NULL},
    {"owner", 0, POF_OPT_TEXT, AT(owner), "ADDRESS",
     "check, subscribe --revoke: who granted; status: show the tokens of", 0, 0, NULL},
    {"consumer", 0, POF_OPT_TEXT, AT(consumer), "ADDRESS", "subscribe, check: who may read", 0, 0,
     NULL},
    {"revoke", 0, POF_OPT_FLAG, AT(revoke), NULL, "subscribe: end it", 0, 0, NULL},
    {"account", 0, POF_OPT_LIST, AT(account), "NAME=ADDRESS",
     "settle: tokens of this seller or owner go there; may be given several times", 0, 0, NULL},
    {"batch", 0, POF_OPT_INT, AT(batch), "N", "settle: records in a transaction (40)", 1, 1000,
     NULL},
    {"to", 0, POF_OPT_TEXT, AT(to), "ADDRESS",
     "transfer: to whom (the settlement contract of --terms)", 0, 0, NULL},
    {"amount", 0, POF_OPT_INT, AT(amount), "N", "transfer: whole tokens", 1, INT64_MAX, NULL},
    {"reference", 0, POF_OPT_TEXT, AT(reference), "TEXT",
     "transfer: what for; an account pays each once", 0, 0, NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-chain",
    .purpose = "anchor logs, register subscriptions, settle and pay on a chain",
    .operands = "deploy|anchor|subscribe|check|settle|transfer|close|status DIR [FILE ...]",
    .examples = "pof-chain deploy chain --key dso.key\n"
                "pof-chain anchor chain --key dso.key --log-key \"$(cat ledger/vkey)\" "
                "ledger/checkpoint",
    .options = options};

static const struct {
    const char *name;
    int (*run)(struct work *w, struct pof_err *err);
    bool files; /* takes operands behind the directory */
} commands[] = {{"deploy", chain_deploy, false},       {"anchor", chain_anchor, true},
                {"subscribe", chain_subscribe, false}, {"check", chain_check, false},
                {"settle", chain_settle, true},        {"transfer", chain_transfer, false},
                {"close", chain_take_back, false},     {"status", chain_status, false}};

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const char *const *operand;
    size_t n = pof_cli_operands(cli, &operand);
    for (size_t i = 0; n >= 2 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(operand[0], commands[i].name) == 0 && (n == 2 || commands[i].files)) {
            struct work w = {
                .cli = cli, .a = args, .target = operand[1], .rest = operand + 2, .n_rest = n - 2};
            int rc = commands[i].run(&w, err);
            chain_close(&w);
            return rc;
        }
    }
    return pof_fail(err, POF_E_USAGE, "expected %s; see pof-chain --help", program.operands);
}

int main(int argc, char **argv)
{
    struct args args = {.node = "http://127.0.0.1:8545",
                        .confirmations = 1,
                        .timeout_s = 300,
                        .poll_ms = 500,
                        .supply = 1000000,
                        .batch = 40,
                        .amount = -1,
                        .until = INT64_MIN};
    return pof_main(&program, argc, argv, &args, run);
}
