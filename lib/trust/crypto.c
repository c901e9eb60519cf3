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
