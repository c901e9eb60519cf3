/* SPDX-License-Identifier: Apache-2.0 */
/* Certifies records in a Merkle log, and checks what is certified. */
#include "pof-certify/parts.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"origin", 0, POF_OPT_TEXT, AT(origin), "NAME", "init: name of the log, a URL without scheme",
     0, 0, NULL},
    {"key", 0, POF_OPT_TEXT, AT(key), "FILE|VKEY",
     "init, append: file of the secret key; else the public key that must have signed", 0, 0, NULL},
    {"seed-file", 0, POF_OPT_FILE, AT(seed_file), "FILE",
     "init: make the key from 32 bytes or 64 hexadecimal digits; for tests", 0, 0, NULL},
    {"receipts", 0, POF_OPT_OUTPUT, AT(receipts), "FILE", "append: write a receipt for each record",
     0, 0, NULL},
    {"batch", 0, POF_OPT_INT, AT(batch), "N", "append: records made durable at a time (4096)", 1,
     POF_BATCH_MAX, NULL},
    {"at", 0, POF_OPT_INT, AT(at), "N", "append, verify: the first record stands at place N", 0,
     INT64_MAX, NULL},
    {"reread", 0, POF_OPT_FLAG, AT(reread), NULL,
     "append: read new records back and hash them again before signing", 0, 0, NULL},
    {"rebuild", 0, POF_OPT_FLAG, AT(rebuild), NULL,
     "append: first make the tiles anew from the journal", 0, 0, NULL},
    {"record", 0, POF_OPT_FILE, AT(record), "FILE",
     "prove, check: the record (check: standard input by default)", 0, 0, NULL},
    {"policy", 0, POF_OPT_FILE, AT(policy), "FILE",
     "logs and witnesses that are trusted, and the quorum (c2sp.org/tlog-policy)", 0, 0, NULL},
    {"witness", 0, POF_OPT_LIST, AT(witness), "URL|DIR",
     "checkpoint: ask this witness too; may be given several times", 0, 0, NULL},
    {"as-witness", 0, POF_OPT_FLAG, AT(as_witness), NULL, "init: make a witness, not a log", 0, 0,
     NULL},
    {"listen", 0, POF_OPT_TEXT, AT(listen), "ADDRESS:PORT",
     "witness: answer over HTTP, such as on 127.0.0.1:8080", 0, 0, NULL},
    {"drop", 0, POF_OPT_TEXT, AT(drop), "DIR", "witness: answer the requests in this directory", 0,
     0, NULL},
    {"commit", 0, POF_OPT_LIST, AT(commit), "TYPE",
     "append: only commit to records of this type, such as measurement", 0, 0, NULL},
    {"closed", 0, POF_OPT_FLAG, AT(closed), NULL, "prove: without what opens a commitment", 0, 0,
     NULL},
    {"size", 0, POF_OPT_LIST, AT(size), "N",
     "export: keep partial tiles for the checkpoint of this size too", 0, 0, NULL},
    {0}};

static const struct pof_program program = {
    .name = "pof-certify",
    .purpose = "certify records in a Merkle log, and check what is certified",
    .operands = "init|append|checkpoint|verify|prove|check|consistency|export|witness|erase "
                "DIR|PROOF [...]",
    .examples = "pof-certify init ledger --origin dso.example/pof/scd\n"
                "pof-certify append ledger measurements.jsonl | pof-scd scd.sqlite load",
    .options = options};

static const struct {
    const char *name;
    int (*run)(struct work *w, struct pof_err *err);
} commands[] = {{"init", certify_init},
                {"append", certify_append},
                {"checkpoint", certify_checkpoint},
                {"verify", certify_verify},
                {"prove", certify_prove},
                {"check", certify_check},
                {"consistency", certify_consistency},
                {"export", certify_export},
                {"witness", certify_witness},
                {"erase", certify_erase}};

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const char *const *operand;
    size_t n = pof_cli_operands(cli, &operand);
    for (size_t i = 0; n >= 2 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(operand[0], commands[i].name) == 0) {
            struct work w = {
                .cli = cli, .a = args, .target = operand[1], .rest = operand + 2, .n_rest = n - 2};
            int rc = commands[i].run(&w, err);
            certify_close(&w);
            return rc;
        }
    }
    return pof_fail(err, POF_E_USAGE, "expected %s; see pof-certify --help", program.operands);
}

int main(int argc, char **argv)
{
    struct args args = {.batch = 4096, .at = -1};
    return pof_main(&program, argc, argv, &args, run);
}
