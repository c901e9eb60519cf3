/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4) in crypto.c, the only door to OpenSSL; Ed25519 (RFC 8032) in ed25519.c, the
 * only door to libsodium; random bytes. */
#ifndef POF_TRUST_CRYPTO_H
#define POF_TRUST_CRYPTO_H

#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { POF_HASH = 32, POF_ED25519_KEY = 32, POF_ED25519_SIGNATURE = 64 };

struct pof_hash {
    uint8_t b[POF_HASH];
};

/* A SHA-256 engine. Not for two threads at a time. */
struct pof_hasher;

int pof_hasher_new(struct pof_hasher **out, struct pof_err *err) POF_CHECKED;
void pof_hasher_free(struct pof_hasher *h);

/* SHA-256 of a followed by b. If the engine fails, *out is all zero and pof_hasher_check tells. */
void pof_hash_two(struct pof_hasher *h, struct pof_text a, struct pof_text b, struct pof_hash *out);

/* POF_E_INTERNAL once any hash failed: asked before a root is signed or a proof is believed. */
int pof_hasher_check(const struct pof_hasher *h, struct pof_err *err) POF_CHECKED;

/* The public key of a secret seed. */
int pof_ed25519_public(const uint8_t seed[POF_ED25519_KEY], uint8_t key[POF_ED25519_KEY],
                       struct pof_err *err) POF_CHECKED;
/* Deterministic: the same seed and message give the same signature. */
int pof_ed25519_sign(const uint8_t seed[POF_ED25519_KEY], struct pof_text message,
                     uint8_t signature[POF_ED25519_SIGNATURE], struct pof_err *err) POF_CHECKED;
/* *good tells whether the signature is that of key; an unusable key is a signature that is not.
 *
 * The equation of RFC 8032, 5.1.7, without the cofactor, [S]B = R + [k]A: S at least the order of
 * the group and an R not in its one form are refused, as OpenSSL and Go refuse them. A key of small
 * order, a key not in its one form and an R of small order are refused too, where those two accept:
 * nobody's honest key or signature is one, and of such a key one signature is good for any text.
 * About 75 us, where OpenSSL 3.0 needs 160. */
int pof_ed25519_verify(const uint8_t key[POF_ED25519_KEY], struct pof_text message,
                       const uint8_t signature[POF_ED25519_SIGNATURE], bool *good,
                       struct pof_err *err) POF_CHECKED;

/* n bytes for keys and salts from the system's generator. */
int pof_random_bytes(void *to, size_t n, struct pof_err *err) POF_CHECKED;
/* Overwrites a secret so that the compiler cannot leave it out. */
void pof_wipe(void *secret, size_t n);

#endif
