/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that includes libsodium. */
#include "trust/crypto.h"

#include <sodium.h>

_Static_assert(crypto_sign_SEEDBYTES == POF_ED25519_KEY &&
                   crypto_sign_PUBLICKEYBYTES == POF_ED25519_KEY &&
                   crypto_sign_BYTES == POF_ED25519_SIGNATURE,
               "libsodium signs by Ed25519");

/* libsodium wants this before anything else, from any thread and as often as one likes. */
static int start(struct pof_err *err)
{
    return sodium_init() >= 0 ? 0 : pof_fail(err, POF_E_INTERNAL, "libsodium could not start");
}

/* Its form of a secret key, seed || public key, is made of the seed each time: with a public key
 * from elsewhere two signatures would give the secret away. */
static int key_pair(const uint8_t seed[POF_ED25519_KEY], uint8_t key[POF_ED25519_KEY],
                    uint8_t secret[crypto_sign_SECRETKEYBYTES], struct pof_err *err)
{
    int rc = start(err);
    if (rc == 0 && crypto_sign_seed_keypair(key, secret, seed) != 0) {
        rc = pof_fail(err, POF_E_INTERNAL, "libsodium could not derive an Ed25519 public key");
    }
    return rc;
}

int pof_ed25519_public(const uint8_t seed[POF_ED25519_KEY], uint8_t key[POF_ED25519_KEY],
                       struct pof_err *err)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    int rc = key_pair(seed, key, secret, err);
    pof_wipe(secret, sizeof secret);
    return rc;
}

int pof_ed25519_sign(const uint8_t seed[POF_ED25519_KEY], struct pof_text message,
                     uint8_t signature[POF_ED25519_SIGNATURE], struct pof_err *err)
{
    uint8_t key[POF_ED25519_KEY], secret[crypto_sign_SECRETKEYBYTES];
    int rc = key_pair(seed, key, secret, err);
    if (rc == 0 && crypto_sign_detached(signature, NULL, (const unsigned char *)message.ptr,
                                        message.len, secret) != 0) {
        rc = pof_fail(err, POF_E_INTERNAL, "libsodium could not sign");
    }
    pof_wipe(secret, sizeof secret);
    return rc;
}

int pof_ed25519_verify(const uint8_t key[POF_ED25519_KEY], struct pof_text message,
                       const uint8_t signature[POF_ED25519_SIGNATURE], bool *good,
                       struct pof_err *err)
{
    int rc = start(err);
    if (rc == 0) {
        *good = crypto_sign_verify_detached(signature, (const unsigned char *)message.ptr,
                                            message.len, key) == 0;
    }
    return rc;
}
