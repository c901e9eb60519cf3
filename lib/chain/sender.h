/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions that happen once, whatever fails: the one owner of an account's nonces.
 *
 * One transaction at a time. It is signed, its bytes are made durable in the file `pending`, then
 * it is sent; until it stands in a block with enough blocks on top, the same bytes are sent again,
 * by this run or by the next. The last one is kept until another takes its place, so that a block
 * that left the chain (a reorganisation) is noticed at the next start too, and its transaction
 * comes back. The folder is locked by the caller; the clock is his too. */
#ifndef POF_CHAIN_SENDER_H
#define POF_CHAIN_SENDER_H

#include "base/folder.h"
#include "chain/rpc.h"
#include "chain/tx.h"

enum { POF_WHAT_MAX = 160, POF_RAW_MAX = 128 * 1024 };

/* What became of a transaction. */
struct pof_sent {
    char what[POF_WHAT_MAX]; /* as the caller named it; "" none */
    struct pof_word hash;
    uint64_t block, gas;
    bool good;   /* false: the contract refused, in a block */
    bool news;   /* was not known to be done before this run */
    bool create; /* a contract, at: */
    struct pof_address created;
};

struct pof_sender {
    const struct pof_node *node;
    const struct pof_folder *folder;
    /* Sleeps until it is worth looking again; an error ends the waiting (and a later run goes on).
     */
    int (*wait)(void *ctx, struct pof_err *err);
    /* What people should know: sent again, a reorganisation. */
    void (*tell)(void *ctx, const char *text);
    void *ctx;
    uint64_t confirmations; /* blocks a transaction must be in: 1 is its own */
    uint64_t chain_id;
};

/* Brings what is pending to its end, sending it again where need be. out->what is "" when nothing
 * is. CONFLICT: the nonce went to another transaction, so this one never happens; it is forgotten.
 */
int pof_sender_finish(struct pof_sender *s, struct pof_sent *out, struct pof_err *err) POF_CHECKED;

/* What is to be done. */
struct pof_action {
    const char *what; /* for people and for `pending`; no control characters, '"' or '\' */
    const struct pof_address *to; /* NULL: create a contract */
    struct pof_text data;
    const struct pof_chain_key *key;
};
/* Does it; nothing else may be pending (pof_sender_finish comes first). ANSWER_NO: the contract or
 * the node refuses, with its words; nothing was done. CONFLICT: somebody else sends with this key.
 */
int pof_sender_do(struct pof_sender *s, const struct pof_action *action, struct pof_sent *out,
                  struct pof_err *err) POF_CHECKED;

#endif
