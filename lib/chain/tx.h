/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: EIP-1559 (type 2), and EIP-155 for chains without a base fee.
 * Both are bound to one chain by its id. */
#ifndef POF_CHAIN_TX_H
#define POF_CHAIN_TX_H

#include "chain/ecdsa.h"

struct pof_tx {
    bool legacy; /* EIP-155: max_fee is the price of gas, tip is not used */
    uint64_t chain_id;
    uint64_t nonce;
    uint64_t gas;                 /* at most so much */
    struct pof_word max_fee, tip; /* wei a unit of gas */
    bool create;                  /* a contract; else sent to: */
    struct pof_address to;
    struct pof_word value;  /* wei */
    struct pof_text data;   /* not owned */
    struct pof_text access; /* items of the access list (EIP-2930) in RLP; not owned; "" none */
};

/* A transaction as it goes to a node. */
struct pof_signed {
    struct pof_buf raw;   /* owned; released by the caller */
    struct pof_word hash; /* by which the chain knows it */
};

/* The bytes and hash of a signed transaction in place of what out holds. */
int pof_tx_sign(const struct pof_tx *tx, const struct pof_chain_key *key, struct pof_signed *out,
                struct pof_err *err) POF_CHECKED;
/* Reads such bytes, and who signed them. tx->data and tx->access are views. SYNTAX when they are
 * anything else. */
int pof_tx_read(struct pof_text raw, struct pof_tx *tx, struct pof_address *from,
                struct pof_err *err) POF_CHECKED;
/* The address of the contract that an account's transaction of this nonce creates: the last 20
 * bytes of the Keccak-256 of RLP(account, nonce). */
int pof_tx_created(const struct pof_address *from, uint64_t nonce, struct pof_address *out,
                   struct pof_err *err) POF_CHECKED;

#endif
