/* SPDX-License-Identifier: Apache-2.0 */
/* Powers of ten to 128 bits: what reading and writing of doubles share (num/real.h). */
#ifndef POF_NUM_POWERS_H
#define POF_NUM_POWERS_H

#include <stdint.h>

enum { POFI_POWER_MIN = -342, POFI_POWER_MAX = 324 };

/* 10^q lies in [t, t + 1) * 2^(floor(log2 10^q) - 127), t = hi * 2^64 + lo >= 2^127. It is t itself
 * for q in 0 .. POFI_POWER_EXACT. */
struct pofi_power {
    uint64_t hi, lo;
};
enum { POFI_POWER_EXACT = 55 };

/* [q - POFI_POWER_MIN]; made by tools/generate.c in whole numbers. */
extern const struct pofi_power pofi_power[POFI_POWER_MAX - POFI_POWER_MIN + 1];

/* floor(log2 10^q) for |q| <= 1233: 1741647 / 2^19 is log2 10 and 4e-7 too little or less. */
static inline int pofi_log2_of_ten(int q)
{
    return (q * 1741647) >> 19;
}

#endif
