/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that includes OpenSSL. */
/* SHA-256 by its older interface: nodes and records are short, and through EVP a hash of 65 bytes
 * costs 200 ns where this takes 120. Deprecated is the name, not the code behind both. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "trust/crypto.h"

#include "base/mem.h"

#include <openssl/sha.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pof_hasher {
    SHA256_CTX ctx;
    bool failed;
};

int pof_hasher_new(struct pof_hasher **out, struct pof_err *err)
{
    return pof_calloc(out, 1, sizeof **out, err);
}

void pof_hasher_free(struct pof_hasher *h)
{
    free(h);
}

enum { BLOCK = 64, SHORT = 4 * BLOCK, LENGTH = 8 }; /* of SHA-256 */

/* Of what fits into a few blocks with its padding (FIPS 180-4, 5.1.1): nodes and most records. The
 * blocks are laid out here, which saves the interface's copies and its three calls, a fifth of the
 * time. */
static void hash_short(struct pof_hasher *h, struct pof_text a, struct pof_text b,
                       struct pof_hash *out)
{
    uint8_t block[SHORT];
    size_t n = a.len + b.len;
    size_t end = (n + LENGTH) / BLOCK * BLOCK + BLOCK;
    if (a.len) {
        memcpy(block, a.ptr, a.len);
    }
    if (b.len) {
        memcpy(block + a.len, b.ptr, b.len);
    }
    block[n] = 0x80;
    memset(block + n + 1, 0, end - n - 1);
    block[end - 2] = (uint8_t)(n >> 5); /* bits, big-endian */
    block[end - 1] = (uint8_t)(n << 3);
    for (size_t at = 0; at < end; at += BLOCK) {
        SHA256_Transform(&h->ctx, block + at);
    }
    for (size_t i = 0; i < 8; i++) {
        uint32_t word = h->ctx.h[i];
        out->b[4 * i] = (uint8_t)(word >> 24);
        out->b[4 * i + 1] = (uint8_t)(word >> 16);
        out->b[4 * i + 2] = (uint8_t)(word >> 8);
        out->b[4 * i + 3] = (uint8_t)word;
    }
}

void pof_hash_two(struct pof_hasher *h, struct pof_text a, struct pof_text b, struct pof_hash *out)
{
    bool good = SHA256_Init(&h->ctx) == 1;
    if (good && a.len < SHORT - LENGTH && b.len < SHORT - LENGTH - a.len) {
        hash_short(h, a, b, out);
        return;
    }
    if (!good || SHA256_Update(&h->ctx, a.ptr, a.len) != 1 ||
        SHA256_Update(&h->ctx, b.ptr, b.len) != 1 || SHA256_Final(out->b, &h->ctx) != 1) {
        h->failed = true;
        memset(out, 0, sizeof *out);
    }
}

int pof_hasher_check(const struct pof_hasher *h, struct pof_err *err)
{
    return h->failed ? pof_fail(err, POF_E_INTERNAL, "OpenSSL could not compute a SHA-256") : 0;
}

int pof_random_bytes(void *to, size_t n, struct pof_err *err)
{
    enum { AT_ONCE = 256 }; /* that getentropy gives */
    for (uint8_t *p = to; n > 0;) {
        size_t some = n < AT_ONCE ? n : AT_ONCE;
        if (getentropy(p, some) != 0) {
            return pof_fail(err, POF_E_INTERNAL, "the system has no random bytes");
        }
        p += some;
        n -= some;
    }
    return 0;
}

void pof_wipe(void *secret, size_t n)
{
    explicit_bzero(secret, n);
}
