/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers side by side. A file of kernels is included several times, with LANES_W numbers in a
 * `lane`, LANES(name) giving each copy names of its own:
 *
 *     scalar  one number: the reference
 *     wide    four, by whatever registers the compiler is allowed
 *     avx2    four, for processors that have AVX2
 *
 * Each number of a lane goes through the same IEEE operations in the same order (there is no
 * contraction to fused operations anywhere: -ffp-contract=off), so all copies give the same bits. */
#ifndef POF_GRID_LANES_H
#define POF_GRID_LANES_H

#include <stdbool.h>

enum { LANES_WIDE = 4 };

typedef double lane_1;
typedef double lane_4 __attribute__((vector_size(32), aligned(8)));

typedef long long lane_4_bits __attribute__((vector_size(32), aligned(8)));

/* *most = max(*most, |x|), number by number; what is not a number does not count. */
static inline __attribute__((always_inline)) void lane_1_more(lane_1 *most, const lane_1 *x)
{
    double size = __builtin_fabs(*x);
    *most = size > *most ? size : *most;
}

static inline __attribute__((always_inline)) void lane_4_more(lane_4 *most, const lane_4 *x)
{
    const lane_4_bits magnitude = (lane_4_bits){0} + 0x7fffffffffffffffLL;
    lane_4_bits size = (lane_4_bits)*x & magnitude;
    lane_4_bits longer = (lane_4)size > *most;
    *most = (lane_4)((longer & size) | (~longer & (lane_4_bits)*most));
}

#if defined(__x86_64__)
#define LANES_HAVE_AVX2 1
#define LANES_AVX2 __attribute__((target("avx2")))
#else
#define LANES_HAVE_AVX2 0
#endif

/* The same answer throughout a process. */
static inline bool lanes_avx2(void)
{
#if LANES_HAVE_AVX2
    return __builtin_cpu_supports("avx2") != 0;
#else
    return false;
#endif
}

#endif
