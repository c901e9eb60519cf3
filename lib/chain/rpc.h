/* SPDX-License-Identifier: Apache-2.0 */
/* A node of an Ethereum chain, asked by JSON-RPC 2.0 (execution-apis of the Ethereum project).
 *
 * Pure: bytes go and come through a callback. Nothing a node answers is trusted to have the right
 * shape: PROTOCOL says what it should have been. Codes of errors differ between nodes, so errors
 * are told apart by their words. */
#ifndef POF_CHAIN_RPC_H
#define POF_CHAIN_RPC_H

#include "chain/bytes.h"
#include "record/json.h"

struct pof_node {
    /* Sends a request and gives the answer in place of what the buffer holds. */
    int (*post)(void *ctx, struct pof_text request, struct pof_buf *answer, struct pof_err *err);
    void *ctx;
    const char *name; /* for messages */
};

/* One answer. Must not be moved; released by the caller. */
struct pof_rpc {
    struct pof_buf text;
    struct pof_json_doc *doc;
    struct pof_json root, result;
    bool null;         /* the result is null */
    bool refused;      /* an error in place of a result: */
    bool reverted;     /* a contract refused */
    char message[160]; /* its words, or the contract's */
};

/* params: the JSON array of the parameters. A refusal is not an error here. */
int pof_rpc_ask(const struct pof_node *node, const char *method, struct pof_text params,
                struct pof_rpc *out, struct pof_err *err) POF_CHECKED;
void pof_rpc_release(struct pof_rpc *r);
/* A refusal as an error: ANSWER_NO with the words. */
int pof_rpc_refusal(const struct pof_node *node, const struct pof_rpc *r, struct pof_err *err);
/* Do the words of a refusal say this? Lower-case letters of either. */
bool pof_rpc_says(const struct pof_rpc *r, const char *words);

/* A question whose answer is a quantity of at most 64 bits. */
int pof_rpc_number(const struct pof_node *node, const char *method, struct pof_text params,
                   uint64_t *out, struct pof_err *err) POF_CHECKED;
/* The same of at most 256. */
int pof_rpc_word(const struct pof_node *node, const char *method, struct pof_text params,
                 struct pof_word *out, struct pof_err *err) POF_CHECKED;

struct pof_block {
    bool there;
    bool has_base; /* a base fee: the chain has EIP-1559 */
    uint64_t number, base_fee, time;
    struct pof_word hash;
};
/* tag: "latest", or a number as "0x..". */
int pof_rpc_block(const struct pof_node *node, const char *tag, struct pof_block *out,
                  struct pof_err *err) POF_CHECKED;

/* A transaction in a block. */
struct pof_mined {
    bool there;
    bool good; /* false: it ran and was undone */
    uint64_t block, gas;
    struct pof_word block_hash;
};
int pof_rpc_receipt(const struct pof_node *node, const struct pof_word *hash, struct pof_mined *out,
                    struct pof_err *err) POF_CHECKED;

/* A call of a contract: eth_call, or eth_estimateGas. */
struct pof_call {
    const struct pof_address *from; /* NULL: nobody */
    const struct pof_address *to;   /* NULL: a contract is created */
    struct pof_text data;
    const char *tag; /* at which block; NULL: the latest */
};
/* What it answers, in place of what out holds. ANSWER_NO: it refuses. */
int pof_rpc_call(const struct pof_node *node, const struct pof_call *call, struct pof_buf *out,
                 struct pof_err *err) POF_CHECKED;
int pof_rpc_estimate(const struct pof_node *node, const struct pof_call *call, uint64_t *gas,
                     struct pof_err *err) POF_CHECKED;

#endif
