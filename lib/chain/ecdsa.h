/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA on secp256k1 with recovery, as Ethereum signs (SEC 1 section 4.1; low s; nonces of RFC
 * 6979, so the same key and digest give the same signature). */
#ifndef POF_CHAIN_ECDSA_H
#define POF_CHAIN_ECDSA_H

#include "chain/bytes.h"

/* A secret key; wiped by who is done with it. */
struct pof_chain_key {
    uint8_t b[32];
};

struct pof_ecdsa {
    struct pof_word r, s;
    int parity; /* of y, 0 or 1 */
};

/* 64 hexadecimal digits, with or without 0x, and perhaps LF. PERMISSION: no such key is possible
 * (zero, or not below the order of the curve). */
int pof_chain_key_read(struct pof_chain_key *out, struct pof_text text,
                       struct pof_err *err) POF_CHECKED;
/* The last 20 bytes of the Keccak-256 of the public key. */
int pof_chain_key_address(const struct pof_chain_key *key, struct pof_address *out,
                          struct pof_err *err) POF_CHECKED;
int pof_ecdsa_sign(const struct pof_chain_key *key, const struct pof_word *digest,
                   struct pof_ecdsa *out, struct pof_err *err) POF_CHECKED;
/* Who signed; SYNTAX when nobody can have. */
int pof_ecdsa_recover(const struct pof_ecdsa *signature, const struct pof_word *digest,
                      struct pof_address *out, struct pof_err *err) POF_CHECKED;

#endif
