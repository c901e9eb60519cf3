/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that includes nettle, which has the permutation but not Ethereum's padding. */
#include "chain/bytes.h"

#include <nettle/sha3.h>
#include <string.h>

enum { RATE = 136 }; /* 1600 bits less twice 256, in bytes */

static void absorb(struct sha3_state *s, const uint8_t block[RATE])
{
    for (size_t i = 0; i < RATE; i++) {
        s->a[i / 8] ^= (uint64_t)block[i] << (i % 8 * 8);
    }
    sha3_permute(s);
}

void pof_keccak(struct pof_text bytes, uint8_t out[POF_WORD])
{
    struct sha3_state s = {{0}};
    uint8_t last[RATE] = {0};
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    size_t left = bytes.len;
    for (; left >= RATE; left -= RATE, p += RATE) {
        absorb(&s, p);
    }
    if (left) {
        memcpy(last, p, left);
    }
    last[left] = 0x01;
    last[RATE - 1] |= 0x80;
    absorb(&s, last);
    for (size_t i = 0; i < POF_WORD; i++) {
        out[i] = (uint8_t)(s.a[i / 8] >> (i % 8 * 8));
    }
}
