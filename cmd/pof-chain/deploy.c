/* SPDX-License-Identifier: Apache-2.0 */
/* deploy and status. */
#include "parts.h"

#include "chain/abi.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a new directory knows: the chain of the node, and the contracts of --contracts. */
static int first_contracts(struct work *w, struct pof_err *err)
{
    char *text = NULL;
    size_t n = 0;
    if (!w->a->contracts) {
        return pof_contracts_ask(&w->node, &w->contracts, err);
    }
    int rc = pof_cli_slurp(w->cli, w->a->contracts, &text, &n, err);
    rc = rc ? rc
            : pof_contracts_parse(&w->contracts, (struct pof_text){text, n}, w->a->contracts, err);
    free(text);
    return rc ? rc : pof_contracts_same(&w->contracts, &w->node, err);
}

/* Makes the directory. The chain is written down before anything is sent to it. */
static int begin(struct work *w, struct pof_err *err)
{
    struct pof_directory *dir = NULL;
    chain_node(w);
    int rc = first_contracts(w, err);
    rc = rc ? rc : pof_directory_make(&dir, w->target, err);
    if (rc == 0) {
        struct pof_folder folder = pof_directory_folder(dir);
        rc = pof_contracts_store(&folder, &w->contracts, err);
        rc = rc ? rc : folder.replace(folder.ctx, "lock", pof_text(""), err);
        rc = rc ? rc : pof_directory_publish(dir, err);
    }
    pof_directory_close(dir);
    return rc;
}

/* The bytecode, constructor arguments to follow. */
static int begin_contract(struct work *w, const char *name, struct pof_err *err)
{
    w->data.len = 0;
    return pof_contracts_bytecode(name, &w->data, err);
}

/* Creates the contract of w->data under a name. */
static int create(struct work *w, const char *name, struct pof_err *err)
{
    char what[POF_WHAT_MAX];
    snprintf(what, sizeof what, "deploy %s", name);
    return chain_do(w, what, NULL, err);
}

static bool lacks(const struct work *w, const char *name)
{
    return pof_contracts_find(&w->contracts, name) == NULL;
}

static int deploy_settlement(struct work *w, struct pof_err *err)
{
    const struct pof_address *anchor, *token;
    char name[POF_CONTRACT_NAME];
    struct pof_word terms;
    int rc = chain_settlement(w, name, &terms, err);
    if (rc || !lacks(w, name)) {
        return rc;
    }
    if (w->a->until < 0) {
        return pof_fail(err, POF_E_USAGE, "expected --until TIME: when do claims end?");
    }
    rc = chain_text("origin", w->a->origin, err);
    rc = rc ? rc : chain_contract(w, "Anchor", &anchor, err);
    rc = rc ? rc : chain_contract(w, "Token", &token, err);
    rc = rc ? rc : begin_contract(w, "Settlement", err);
    if (rc) {
        return rc;
    }
    struct pof_word origin = chain_sha256(w, pof_text(w->a->origin));
    rc = pof_abi_address(&w->data, anchor, err);
    rc = rc ? rc : pof_abi_address(&w->data, token, err);
    rc = rc ? rc : pof_abi_word(&w->data, &origin, err);
    rc = rc ? rc : pof_abi_word(&w->data, &terms, err);
    rc = rc ? rc : pof_abi_u64(&w->data, (uint64_t)w->a->until, err);
    return rc ? rc : create(w, name, err);
}

int chain_deploy(struct work *w, struct pof_err *err)
{
    static const char *const plain[] = {"Anchor", "Subscriptions", "Token"};
    int rc = pof_file_exists(w->target) ? 0 : begin(w, err);
    if (rc == 0 && w->a->contracts && !w->a->key) {
        return 0;
    }
    rc = rc ? rc : chain_open_to_send(w, err);
    for (size_t i = 0; rc == 0 && i < sizeof plain / sizeof *plain; i++) {
        if (lacks(w, plain[i])) {
            rc = begin_contract(w, plain[i], err);
            if (rc == 0 && strcmp(plain[i], "Token") == 0) {
                rc = pof_abi_u64(&w->data, (uint64_t)w->a->supply, err);
            }
            rc = rc ? rc : create(w, plain[i], err);
        }
    }
    return rc || !w->a->terms ? rc : deploy_settlement(w, err);
}

/* --- status --- */

static int print_address(struct work *w, const char *name, const struct pof_address *a,
                         struct pof_err *err)
{
    struct pof_buf hex = {0};
    int rc = pof_hex_add(&hex, (struct pof_text){(const char *)a->b, POF_ADDRESS}, err);
    rc = rc ? rc : chain_print(w, err, "%s %.*s\n", name, (int)hex.len, hex.data);
    pof_buf_release(&hex);
    return rc;
}

/* The largest size of a log that is anchored. */
static int print_anchored(struct work *w, struct pof_err *err)
{
    const struct pof_address *anchor;
    char digits[POF_WORD_DIGITS];
    struct pof_word size;
    struct pof_word origin = chain_sha256(w, pof_text(w->a->origin));
    int rc = chain_contract(w, "Anchor", &anchor, err);
    w->data.len = 0;
    rc = rc ? rc : pof_abi_call(&w->data, "sizeOf(bytes32)", err);
    rc = rc ? rc : pof_abi_word(&w->data, &origin, err);
    rc = rc ? rc : chain_ask_word(w, anchor, &size, err);
    if (rc == 0) {
        pof_word_decimal(&size, digits);
        rc = chain_print(w, err, "anchored %s size=%s\n", w->a->origin, digits);
    }
    return rc;
}

/* What an account has. */
static int print_tokens(struct work *w, struct pof_err *err)
{
    const struct pof_address *token;
    struct pof_address who;
    char digits[POF_WORD_DIGITS];
    struct pof_word amount;
    int rc = chain_address("owner", w->a->owner, &who, err);
    rc = rc ? rc : chain_contract(w, "Token", &token, err);
    w->data.len = 0;
    rc = rc ? rc : pof_abi_call(&w->data, "balanceOf(address)", err);
    rc = rc ? rc : pof_abi_address(&w->data, &who, err);
    rc = rc ? rc : chain_ask_word(w, token, &amount, err);
    if (rc == 0) {
        pof_word_decimal(&amount, digits);
        rc = chain_print(w, err, "tokens %s %s\n", w->a->owner, digits);
    }
    return rc;
}

int chain_status(struct work *w, struct pof_err *err)
{
    struct pof_block now;
    int rc = chain_open_to_finish(w, err);
    rc = rc ? rc : pof_rpc_block(&w->node, "latest", &now, err);
    rc = rc ? rc
            : chain_print(w, err, "chain %" PRIu64 " block=%" PRIu64 "\n", w->contracts.chain_id,
                          now.number);
    for (size_t i = 0; rc == 0 && i < w->contracts.n; i++) {
        rc = print_address(w, w->contracts.item[i].name, &w->contracts.item[i].at, err);
    }
    rc = rc || !w->a->origin ? rc : print_anchored(w, err);
    rc = rc || !w->a->owner ? rc : print_tokens(w, err);
    if (rc == 0 && w->last.what[0]) {
        rc = chain_print(w, err, "last %s block=%" PRIu64 "\n", w->last.what, w->last.block);
    }
    return rc;
}
