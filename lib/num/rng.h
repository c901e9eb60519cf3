/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that look random and are the same everywhere: a hash of (seed, a, b), so that any element
 * of a simulated series can be made without making the others, in any order, on any thread.
 * SplitMix64's finaliser (G. Steele, D. Lea, C. Flood, OOPSLA 2014). Not for secrets. */
#ifndef POF_NUM_RNG_H
#define POF_NUM_RNG_H

#include <stdint.h>

static inline uint64_t pof_mix(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 64 bits for the place (a, b) of a stream. */
static inline uint64_t pof_random(uint64_t seed, uint64_t a, uint64_t b)
{
    return pof_mix(pof_mix(pof_mix(seed) ^ a) ^ b);
}

/* 0 .. n-1 from 64 random bits; n > 0. */
static inline uint64_t pof_below(uint64_t bits, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)bits * n) >> 64);
}

#endif
