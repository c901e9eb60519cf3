/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that includes libsecp256k1. */
#include "chain/ecdsa.h"

#include "trust/crypto.h"

#include <secp256k1.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>
#include <stdlib.h>
#include <string.h>

/* A context in memory of ours: the library ends the process where it has none of its own.
 * seed (NULL: none) blinds computation with the secret against who measures it; it changes no
 * result. */
static int start(secp256k1_context **out, const uint8_t *seed, struct pof_err *err)
{
    void *memory;
    int rc =
        pof_calloc(&memory, 1, secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE), err);
    if (rc) {
        return rc;
    }
    *out = secp256k1_context_preallocated_create(memory, SECP256K1_CONTEXT_NONE);
    if (seed && secp256k1_context_randomize(*out, seed) != 1) {
        free(memory);
        return pof_fail(err, POF_E_INTERNAL, "libsecp256k1 could not start");
    }
    return 0;
}

static void stop(secp256k1_context *c)
{
    secp256k1_context_preallocated_destroy(c);
    free(c);
}

static void seed_of(const struct pof_chain_key *key, uint8_t seed[32])
{
    pof_keccak((struct pof_text){(const char *)key->b, sizeof key->b}, seed);
}

int pof_chain_key_read(struct pof_chain_key *out, struct pof_text text, struct pof_err *err)
{
    secp256k1_context *c;
    if (text.len && text.ptr[text.len - 1] == '\n') {
        text.len--;
    }
    if (!pof_hex_read(text, out->b, sizeof out->b)) {
        return pof_fail(err, POF_E_SYNTAX, "not a key; expected 64 hexadecimal digits");
    }
    int rc = start(&c, NULL, err);
    if (rc) {
        return rc;
    }
    if (secp256k1_ec_seckey_verify(c, out->b) != 1) {
        rc = pof_fail(err, POF_E_PERMISSION, "zero, or not below the order of secp256k1: no key");
    }
    stop(c);
    return rc;
}

static int address_of(const secp256k1_context *c, const secp256k1_pubkey *public,
                      struct pof_address *out, struct pof_err *err)
{
    uint8_t point[65];
    uint8_t hash[POF_WORD];
    size_t n = sizeof point;
    if (secp256k1_ec_pubkey_serialize(c, point, &n, public, SECP256K1_EC_UNCOMPRESSED) != 1 ||
        n != sizeof point) {
        return pof_fail(err, POF_E_INTERNAL, "libsecp256k1 could not write a public key");
    }
    pof_keccak((struct pof_text){(const char *)point + 1, sizeof point - 1}, hash);
    memcpy(out->b, hash + POF_WORD - POF_ADDRESS, POF_ADDRESS);
    return 0;
}

int pof_chain_key_address(const struct pof_chain_key *key, struct pof_address *out,
                          struct pof_err *err)
{
    secp256k1_context *c;
    secp256k1_pubkey public;
    uint8_t seed[32];
    seed_of(key, seed);
    int rc = start(&c, seed, err);
    if (rc == 0) {
        rc = secp256k1_ec_pubkey_create(c, &public, key->b) == 1
                 ? address_of(c, &public, out, err)
                 : pof_fail(err, POF_E_PERMISSION, "not a key of secp256k1");
        stop(c);
    }
    pof_wipe(seed, sizeof seed);
    return rc;
}

int pof_ecdsa_sign(const struct pof_chain_key *key, const struct pof_word *digest,
                   struct pof_ecdsa *out, struct pof_err *err)
{
    secp256k1_context *c;
    secp256k1_ecdsa_recoverable_signature signature;
    uint8_t compact[64];
    uint8_t seed[32];
    seed_of(key, seed);
    int rc = start(&c, seed, err);
    if (rc == 0) {
        if (secp256k1_ecdsa_sign_recoverable(c, &signature, digest->b, key->b, NULL, NULL) != 1 ||
            secp256k1_ecdsa_recoverable_signature_serialize_compact(c, compact, &out->parity,
                                                                    &signature) != 1) {
            rc = pof_fail(err, POF_E_PERMISSION, "not a key of secp256k1");
        } else {
            out->parity &=
                1; /* r above the order, which nobody has ever seen, would give 2 and 3 */
            memcpy(out->r.b, compact, POF_WORD);
            memcpy(out->s.b, compact + POF_WORD, POF_WORD);
        }
        stop(c);
    }
    pof_wipe(seed, sizeof seed);
    return rc;
}

int pof_ecdsa_recover(const struct pof_ecdsa *signature, const struct pof_word *digest,
                      struct pof_address *out, struct pof_err *err)
{
    secp256k1_context *c;
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_pubkey public;
    uint8_t compact[64];
    memcpy(compact, signature->r.b, POF_WORD);
    memcpy(compact + POF_WORD, signature->s.b, POF_WORD);
    int rc = start(&c, NULL, err);
    if (rc) {
        return rc;
    }
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(c, &parsed, compact,
                                                            signature->parity) != 1 ||
        secp256k1_ecdsa_recover(c, &public, &parsed, digest->b) != 1) {
        rc = pof_fail(err, POF_E_SYNTAX, "a signature that nobody can have made");
    } else {
        rc = address_of(c, &public, out, err);
    }
    stop(c);
    return rc;
}
