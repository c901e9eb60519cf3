/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519: the vectors of RFC 8032, and the same verdicts as OpenSSL's but where the header says
 * that ours is stricter. */
#include "tap.h"

#include "num/rng.h"
#include "trust/crypto.h"

#include <openssl/evp.h>
#include <sodium.h>

enum { KEY = POF_ED25519_KEY, SIGNATURE = POF_ED25519_SIGNATURE };

static struct pof_text bytes(const void *p, size_t n)
{
    return (struct pof_text){p, n};
}

static bool ours(const uint8_t *key, struct pof_text message, const uint8_t *signature)
{
    struct pof_err err = {0};
    bool good = false;
    return pof_ed25519_verify(key, message, signature, &good, &err) == 0 && good;
}

/* OpenSSL's verdict; a key that it cannot use is a no. */
static bool theirs(const uint8_t *key, struct pof_text message, const uint8_t *signature)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, KEY);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = pkey && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(ctx, signature, SIGNATURE, (const unsigned char *)message.ptr,
                                 message.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return good;
}

static void unhex(const char *hex, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        sscanf(hex + 2 * i, "%2x", &byte);
        to[i] = (uint8_t)byte;
    }
}

/* RFC 8032, 7.1, tests 1 to 3. */
static void published(void)
{
    static const struct {
        const char *seed, *key, *message, *signature;
    } test[] = {{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                 "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc"
                 "61e39701cf9b4"
                 "6bd25bf5f0595bbe24655141438e7a100b"},
                {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e4"
                 "58f3613d0f11d"
                 "8c387b2eaeb4302aeeb00d291612bb0c00"},
                {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                 "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                 "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290a"
                 "e67f760984dc6"
                 "594a7c15e9716ed28dc027beceea1ec40a"}};
    for (size_t i = 0; i < sizeof test / sizeof *test; i++) {
        struct pof_err err = {0};
        uint8_t seed[KEY], want[KEY], key[KEY], message[2], signature[SIGNATURE], made[SIGNATURE];
        size_t n = strlen(test[i].message) / 2;
        unhex(test[i].seed, seed, KEY);
        unhex(test[i].key, want, KEY);
        unhex(test[i].message, message, n);
        unhex(test[i].signature, signature, SIGNATURE);
        ok(pof_ed25519_public(seed, key, &err) == 0 && memcmp(key, want, KEY) == 0,
           "RFC 8032 test %zu: the public key", i + 1);
        ok(pof_ed25519_sign(seed, bytes(message, n), made, &err) == 0 &&
               memcmp(made, signature, SIGNATURE) == 0,
           "its signature");
        ok(ours(key, bytes(message, n), signature), "is good");
    }
}

/* Random keys, texts and flipped bits: one verdict. */
static void random_ones(void)
{
    int same = 0, refused = 0;
    enum { N = 100 };
    for (int i = 0; i < N; i++) {
        struct pof_err err = {0};
        uint8_t seed[KEY], key[KEY], signature[SIGNATURE];
        char text[64];
        size_t n = (size_t)i % sizeof text;
        for (size_t j = 0; j < sizeof text; j++) {
            text[j] = (char)pof_random(25519, (uint64_t)i, j);
        }
        memcpy(seed, text + sizeof text - KEY, KEY);
        bool made = pof_ed25519_public(seed, key, &err) == 0 &&
                    pof_ed25519_sign(seed, bytes(text, n), signature, &err) == 0;
        same +=
            made && ours(key, bytes(text, n), signature) && theirs(key, bytes(text, n), signature);
        size_t bit = pof_random(25519, (uint64_t)i, 64) % (8 * SIGNATURE);
        signature[bit / 8] = (uint8_t)(signature[bit / 8] ^ 1u << bit % 8);
        refused += !ours(key, bytes(text, n), signature) && !theirs(key, bytes(text, n), signature);
    }
    is_int(same, N, "signatures made here are good for OpenSSL and for us");
    is_int(refused, N, "and for nobody with a flipped bit");
}

/* The order of the group, 2^252 + 27742317777372353535851937790883648493, its least byte first. */
static const uint8_t order[KEY] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                   0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};

/* S and S plus multiples of the order satisfy the same equation: only one of them is a signature.
 */
static void one_s(void)
{
    struct pof_err err = {0};
    uint8_t seed[KEY] = {7}, key[KEY], signature[SIGNATURE];
    struct pof_text text = pof_text("text");
    ok(pof_ed25519_public(seed, key, &err) == 0 &&
           pof_ed25519_sign(seed, text, signature, &err) == 0 && ours(key, text, signature),
       "a signature");
    for (int times = 1; times <= 14; times++) { /* 16 of them need 257 bits */
        unsigned carry = 0;
        for (int i = 0; i < KEY; i++) {
            carry += (unsigned)signature[KEY + i] + order[i];
            signature[KEY + i] = (uint8_t)carry;
            carry >>= 8;
        }
        ok(carry == 0 && !ours(key, text, signature) && !theirs(key, text, signature),
           "nobody takes S plus %d times the order", times);
    }
}

/* Points of order 1, 2, 4 and 8, and other forms of them. With such a key [k]A is no point but a
 * few, so R = B, S = 1 is a signature of every text whose k the order of A divides. */
static const char *const small[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
enum { SMALL = sizeof small / sizeof *small, TEXTS = 64 };

static void small_keys(void)
{
    uint8_t one[KEY] = {1}, signature[SIGNATURE] = {0};
    signature[KEY] = 1;
    crypto_scalarmult_ed25519_base_noclamp(signature, one); /* B */
    for (size_t i = 0; i < SMALL; i++) {
        uint8_t key[KEY];
        int taken = 0, found = 0;
        unhex(small[i], key, KEY);
        for (uint8_t m = 0; m < TEXTS && !found; m++) {
            found = theirs(key, bytes(&m, 1), signature);
            taken += ours(key, bytes(&m, 1), signature);
        }
        ok(found && !taken,
           "a signature by the key %.8s... of small order is good for OpenSSL, not here", small[i]);
    }
}

/* k = SHA-512(R || A || text) modulo the order: RFC 8032, 5.1.7. */
static void challenge(const uint8_t *r, const uint8_t *key, struct pof_text text, uint8_t k[KEY])
{
    crypto_hash_sha512_state state;
    uint8_t hash[64];
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, r, KEY);
    crypto_hash_sha512_update(&state, key, KEY);
    crypto_hash_sha512_update(&state, (const uint8_t *)text.ptr, text.len);
    crypto_hash_sha512_final(&state, hash);
    crypto_core_ed25519_scalar_reduce(k, hash);
}

/* What the holder of a secret can make that is no honest signature: R without a nonce, and a public
 * key with a point of order 8 added, whose signatures are good when 8 divides k (without cofactor).
 */
static void dishonest(void)
{
    uint8_t a[64] = {9, 8, 7}, key[KEY], mixed[KEY], eighth[KEY], r[KEY] = {77}, k[KEY];
    uint8_t signature[SIGNATURE] = {1}; /* R is the neutral point */
    struct pof_text text = pof_text("text");
    crypto_scalarmult_ed25519_base_noclamp(key, a);
    challenge(signature, key, text, k);
    crypto_core_ed25519_scalar_mul(signature + KEY, k, a);
    ok(theirs(key, text, signature) && !ours(key, text, signature),
       "an R of small order is good for OpenSSL, not here");
    unhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", signature, KEY);
    challenge(signature, key, text, k);
    crypto_core_ed25519_scalar_mul(signature + KEY, k, a);
    ok(!theirs(key, text, signature) && !ours(key, text, signature),
       "an R that is not in its one form is good for nobody");
    unhex(small[4], eighth, KEY);
    ok(crypto_core_ed25519_add(mixed, key, eighth) == 0, "a key of mixed order");
    int good = 0, same = 0;
    crypto_scalarmult_ed25519_base_noclamp(signature, r);
    for (uint8_t m = 0; m < TEXTS; m++) {
        uint8_t ka[KEY];
        challenge(signature, mixed, bytes(&m, 1), k);
        crypto_core_ed25519_scalar_mul(ka, k, a);
        crypto_core_ed25519_scalar_add(signature + KEY, ka, r);
        bool here = ours(mixed, bytes(&m, 1), signature);
        same += here == theirs(mixed, bytes(&m, 1), signature);
        good += here;
    }
    ok(same == TEXTS && good > 0 && good < TEXTS, "%d of %d of its signatures are good, for both",
       good, TEXTS);
}

int main(void)
{
    if (sodium_init() < 0) {
        return 1;
    }
    published();
    random_ones();
    one_s();
    small_keys();
    dishonest();
    return done();
}
