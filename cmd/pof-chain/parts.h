/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of pof-chain share: one file opens, one deploys, one is about the log and
 * subscriptions, one about tokens. */
#ifndef POF_CHAIN_PARTS_H
#define POF_CHAIN_PARTS_H

#include "chain/contracts.h"
#include "chain/sender.h"
#include "cli/cli.h"
#include "io/directory.h"
#include "trust/checkpoint.h"
#include "trust/terms.h"

struct args {
    const char *node, *key, *contracts, *origin, *terms, *log_key, *id, *owner, *consumer, *to,
        *reference;
    int64_t confirmations, timeout_s, poll_ms, supply, amount, until, batch;
    bool revoke;
    struct pof_texts account;
};

/* What a sub-command works with; released by main. */
struct work {
    struct pof_cli *cli;
    const struct args *a;
    const char *target;      /* the directory */
    const char *const *rest; /* operands behind it */
    size_t n_rest;
    struct pof_directory *dir;
    struct pof_folder folder;
    struct pof_node node;
    struct pof_contracts contracts;
    struct pof_sender sender;
    struct pof_sent last; /* the transaction before this run's own */
    struct pof_chain_key key;
    struct pof_address me;
    struct pof_hasher *hasher;
    struct pof_buf data; /* of a call */
    int64_t waited_ms;
};

/* Sub-commands: 0, 1 for no, or an error. */
int chain_deploy(struct work *w, struct pof_err *err);
int chain_anchor(struct work *w, struct pof_err *err);
int chain_subscribe(struct work *w, struct pof_err *err);
int chain_check(struct work *w, struct pof_err *err);
int chain_settle(struct work *w, struct pof_err *err);
int chain_take_back(struct work *w, struct pof_err *err);
int chain_transfer(struct work *w, struct pof_err *err);
int chain_status(struct work *w, struct pof_err *err);

/* Sets w->node. */
void chain_node(struct work *w);
/* The node and the contracts, to ask. */
int chain_open_to_ask(struct work *w, struct pof_err *err);
/* The same, locked; what was pending is brought to its end. */
int chain_open_to_finish(struct work *w, struct pof_err *err);
/* The same, with the key. */
int chain_open_to_send(struct work *w, struct pof_err *err);
void chain_close(struct work *w);

/* The address of a contract; CONFIG when it is not deployed. */
int chain_contract(struct work *w, const char *name, const struct pof_address **out,
                   struct pof_err *err);
/* Sends w->data and prints a line with its gas. what: for people. */
int chain_do(struct work *w, const char *what, const struct pof_address *to, struct pof_err *err);
/* Asks a contract w->data; its answer is in w->data. */
int chain_ask(struct work *w, const struct pof_address *to, struct pof_err *err);
/* The same for an answer of one word. */
int chain_ask_word(struct work *w, const struct pof_address *to, struct pof_word *out,
                   struct pof_err *err);
/* A line of the output. */
int chain_print(struct work *w, struct pof_err *err, const char *fmt, ...) POF_PRINTF(3, 4);

struct pof_word chain_sha256(struct work *w, struct pof_text text);
/* The value of an option as an address; USAGE names the option. */
int chain_address(const char *option, const char *value, struct pof_address *out,
                  struct pof_err *err);
/* A required option with text that can stand in messages. */
int chain_text(const char *option, const char *value, struct pof_err *err);
/* The name of the settlement contract of --terms, which ends in their hash, and the hash. */
int chain_settlement(struct work *w, char name[POF_CONTRACT_NAME], struct pof_word *terms,
                     struct pof_err *err);

#endif
