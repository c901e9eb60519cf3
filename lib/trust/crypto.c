/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that includes OpenSSL. */
/* SHA-256 by its older interface: nodes and records are short, and through EVP a hash of 65 bytes
 * costs 200 ns where this takes 120. Deprecated is the name, not the code behind both. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "trust/crypto.h"

#include "base/mem.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <stdlib.h>
#include <string.h>

struct pof_hasher {
    SHA256_CTX ctx;
    bool failed;
};

/* Says what went wrong. */
static int trouble(const char *what, struct pof_err *err)
{
    return pof_fail(err, POF_E_INTERNAL, "OpenSSL could not %s", what);
}

/* Starts OpenSSL, before anything else is asked of it: its functions go on after a start that
 * failed for want of memory, and crash (3.0). The system's configuration file is not read, so
 * results do not depend on the machine. Cheap once it is started. */
static int start(struct pof_err *err)
{
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 &&
                   OSSL_LIB_CTX_get0_global_default() != NULL
               ? 0
               : trouble("start", err);
}

int pof_hasher_new(struct pof_hasher **out, struct pof_err *err)
{
    return pof_calloc(out, 1, sizeof **out, err);
}

void pof_hasher_free(struct pof_hasher *h)
{
    free(h);
}

void pof_hash_two(struct pof_hasher *h, struct pof_text a, struct pof_text b, struct pof_hash *out)
{
    if (SHA256_Init(&h->ctx) != 1 || SHA256_Update(&h->ctx, a.ptr, a.len) != 1 ||
        SHA256_Update(&h->ctx, b.ptr, b.len) != 1 || SHA256_Final(out->b, &h->ctx) != 1) {
        h->failed = true;
        memset(out, 0, sizeof *out);
    }
}

int pof_hasher_check(const struct pof_hasher *h, struct pof_err *err)
{
    return h->failed ? pof_fail(err, POF_E_INTERNAL, "OpenSSL could not compute a SHA-256") : 0;
}

int pof_ed25519_public(const uint8_t seed[POF_ED25519_KEY], uint8_t key[POF_ED25519_KEY],
                       struct pof_err *err)
{
    if (start(err) != 0) {
        return POF_E_INTERNAL;
    }
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, POF_ED25519_KEY);
    size_t n = POF_ED25519_KEY;
    bool good = pkey && EVP_PKEY_get_raw_public_key(pkey, key, &n) == 1 && n == POF_ED25519_KEY;
    EVP_PKEY_free(pkey);
    return good ? 0 : trouble("derive an Ed25519 public key", err);
}

int pof_ed25519_sign(const uint8_t seed[POF_ED25519_KEY], struct pof_text message,
                     uint8_t signature[POF_ED25519_SIGNATURE], struct pof_err *err)
{
    if (start(err) != 0) {
        return POF_E_INTERNAL;
    }
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, POF_ED25519_KEY);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = POF_ED25519_SIGNATURE;
    bool good =
        pkey && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
        EVP_DigestSign(ctx, signature, &n, (const unsigned char *)message.ptr, message.len) == 1 &&
        n == POF_ED25519_SIGNATURE;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return good ? 0 : trouble("sign", err);
}

int pof_ed25519_verify(const uint8_t key[POF_ED25519_KEY], struct pof_text message,
                       const uint8_t signature[POF_ED25519_SIGNATURE], bool *good,
                       struct pof_err *err)
{
    if (start(err) != 0) {
        return POF_E_INTERNAL;
    }
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, POF_ED25519_KEY);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int rc = 0;
    if (!pkey || !ctx || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) != 1) {
        rc = trouble("verify a signature", err);
    } else {
        *good = EVP_DigestVerify(ctx, signature, POF_ED25519_SIGNATURE,
                                 (const unsigned char *)message.ptr, message.len) == 1;
    }
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return rc;
}

int pof_random_bytes(void *to, size_t n, struct pof_err *err)
{
    if (start(err) != 0) {
        return POF_E_INTERNAL;
    }
    return n <= INT32_MAX && RAND_priv_bytes(to, (int)n) == 1 ? 0
                                                              : trouble("make random bytes", err);
}

void pof_wipe(void *secret, size_t n)
{
    OPENSSL_cleanse(secret, n);
}
