/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 against the vectors of FIPS 180-4 (NIST examples) and against OpenSSL for every length
 * around the block size. */
#include "num/sha256.h"

#include "tap.h"
#include "trust/crypto.h"

static void digest_of(const void *bytes, size_t n, size_t part, uint8_t out[POF_SHA256_BYTES])
{
    struct pof_sha256 h;
    const char *at = bytes;
    pof_sha256_init(&h);
    for (size_t done = 0; done < n; done += part) {
        pof_sha256_add(&h, at + done, n - done < part ? n - done : part);
    }
    pof_sha256_end(&h, out);
}

static void vector(const char *text, const char *hex)
{
    uint8_t d[POF_SHA256_BYTES];
    char got[POF_SHA256_HEX];
    digest_of(text, strlen(text), 7, d);
    pof_sha256_hex(d, got);
    is_text(got, sizeof got, hex, *text ? text : "the empty text");
}

int main(void)
{
    vector("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    vector("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    vector("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");

    uint8_t bytes[300], mine[POF_SHA256_BYTES];
    struct pof_hash theirs;
    struct pof_err err = {0};
    struct pof_hasher *hasher = NULL;
    int equal = 0;
    ok(pof_hasher_new(&hasher, &err) == 0, "a hasher");
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 131 + 7);
    }
    for (size_t n = 0; n < sizeof bytes; n++) {
        size_t half = n / 2;
        digest_of(bytes, n, 1 + n % 70, mine);
        pof_hash_two(hasher, (struct pof_text){(const char *)bytes, half},
                     (struct pof_text){(const char *)bytes + half, n - half}, &theirs);
        equal += memcmp(mine, &theirs, sizeof mine) == 0;
    }
    is_int(equal, sizeof bytes, "as OpenSSL for every length below 300 bytes, in any parts");
    ok(pof_hasher_check(hasher, &err) == 0, "OpenSSL did not fail");
    pof_hasher_free(hasher);
    return done();
}
