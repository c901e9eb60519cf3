/* SPDX-License-Identifier: Apache-2.0 */
/* FIPS 180-4; names of functions and constants are those of the standard. */
#include "num/sha256.h"

#include <string.h>

/* Section 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotr(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

/* Section 6.2.2 for one block. */
static void block(uint32_t state[8], const uint8_t *m)
{
    uint32_t w[64], v[8];
    for (size_t t = 0; t < 16; t++) {
        w[t] = (uint32_t)m[4 * t] << 24 | (uint32_t)m[4 * t + 1] << 16 |
               (uint32_t)m[4 * t + 2] << 8 | m[4 * t + 3];
    }
    for (size_t t = 16; t < 64; t++) {
        uint32_t s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
    memcpy(v, state, sizeof v);
    for (size_t t = 0; t < 64; t++) {
        uint32_t a = v[0], e = v[4];
        uint32_t t1 = v[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & v[5]) ^ (~e & v[6])) +
                      K[t] + w[t];
        uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
                      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (size_t i = 0; i < 8; i++) {
        state[i] += v[i];
    }
}

void pof_sha256_init(struct pof_sha256 *h)
{
    /* Section 5.3.3. */
    *h = (struct pof_sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                       0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void pof_sha256_add(struct pof_sha256 *h, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    while (n > 0) {
        size_t used = h->len % POF_SHA256_BLOCK, room = POF_SHA256_BLOCK - used;
        size_t part = n < room ? n : room;
        memcpy(h->rest + used, at, part);
        h->len += part;
        at += part;
        n -= part;
        if (part == room) {
            block(h->state, h->rest);
        }
    }
}

void pof_sha256_end(struct pof_sha256 *h, uint8_t digest[POF_SHA256_BYTES])
{
    /* Section 5.1.1: one bit, zeros, and the length in bits. */
    static const uint8_t padding[POF_SHA256_BLOCK] = {0x80};
    uint64_t bits = h->len * 8;
    uint8_t length[8];
    for (size_t i = 0; i < 8; i++) {
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    size_t used = h->len % POF_SHA256_BLOCK;
    pof_sha256_add(h, padding, (used < 56 ? 56 : 120) - used);
    pof_sha256_add(h, length, sizeof length);
    for (size_t i = 0; i < POF_SHA256_BYTES; i++) {
        digest[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)));
    }
}

void pof_sha256_hex(const uint8_t digest[POF_SHA256_BYTES], char hex[POF_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < POF_SHA256_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
}

void pof_sha256_uuid(const uint8_t digest[POF_SHA256_BYTES], char to[POF_UUID_MAX])
{
    for (int i = 0, at = 0; i < 16; i++) {
        int b = i == 6 ? (digest[i] & 0x0f) | 0x80 : i == 8 ? (digest[i] & 0x3f) | 0x80 : digest[i];
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            to[at++] = '-';
        }
        to[at++] = "0123456789abcdef"[b >> 4];
        to[at++] = "0123456789abcdef"[b & 15];
    }
    to[POF_UUID_MAX - 1] = '\0';
}
