/* SPDX-License-Identifier: Apache-2.0 */
/* The passes of the sweep in all widths, and which of them a machine can run. No fused operations,
 * so all give the same bits. */
#include "grid/sweep_impl.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <math.h>
#include <string.h>

#define UNROLL _Pragma("GCC unroll 2")

/* One lane. */
#define WIDE 1
#define REGS 1
#define NAME(f) one_##f
#define TARGET
#define VEC double
#define MASK int64_t
#define ZERO 0
#define ALL (-1)
#define LANE(a, l) (*(&(a) + (l)))
#define TRUE_WHERE(c) (-(int64_t)(c))
#define SELECT(m, a, b) ((m) ? (a) : (b))
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define MAGNITUDE(a) fabs(a)
#define EVERYWHERE(m) ((m) != 0)
#define ROOT(a) sqrt(a)
#define GATHER(row, at) ((row)[0][at])
#include "grid/sweep_passes.h"
#undef WIDE
#undef REGS
#undef NAME
#undef VEC
#undef MASK
#undef ZERO
#undef ALL
#undef LANE
#undef TRUE_WHERE
#undef SELECT
#undef LARGER
#undef MAGNITUDE
#undef EVERYWHERE
#undef ROOT
#undef GATHER

/* Registers of four. */
typedef double vec __attribute__((vector_size(32), may_alias));
typedef int64_t mask __attribute__((vector_size(32), may_alias));
#define WIDE POFI_REGISTER
#define VEC vec
#define MASK mask
#define ZERO {0}
#define ALL ~(mask){0}
#define LANE(a, l) (a)[l]
#define TRUE_WHERE(c) ((mask)(c))
#define SELECT(m, a, b) ((vec)(((mask)(a) & (m)) | ((mask)(b) & ~(m))))
#define LARGER(a, b) SELECT((mask)((a) > (b)), a, b)
#define MAGNITUDE(a) ((vec)((mask)(a)&INT64_MAX))
#define EVERYWHERE(m) (((m)[0] & (m)[1] & (m)[2] & (m)[3]) != 0)
#define GATHER(row, at) ((vec){(row)[0][at], (row)[1][at], (row)[2][at], (row)[3][at]})
#define ROOT(a) ((vec){sqrt((a)[0]), sqrt((a)[1]), sqrt((a)[2]), sqrt((a)[3])})
#define REGS 1
#define NAME(f) wide_##f
#include "grid/sweep_passes.h"
#undef NAME
#undef REGS
#define REGS 2
#define NAME(f) wide_2_##f
#include "grid/sweep_passes.h"
#undef NAME
#undef TARGET

#if defined(__x86_64__)
#undef EVERYWHERE
#undef ROOT
#define EVERYWHERE(m) (_mm256_movemask_pd((__m256d)(m)) == 15)
#define ROOT(a) ((vec)_mm256_sqrt_pd((__m256d)(a)))
#define TARGET __attribute__((target("avx2")))
#define NAME(f) avx2_2_##f
#include "grid/sweep_passes.h"
#undef NAME
#undef REGS
#define REGS 1
#define NAME(f) avx2_##f
#include "grid/sweep_passes.h"
#undef NAME
#undef TARGET
#endif
#undef REGS

const struct pofi_passes *pofi_passes(unsigned lanes, bool plain)
{
    bool two = lanes > POFI_REGISTER;
    if (lanes == 1) {
        return &one_passes;
    }
#if defined(__x86_64__)
    if (!plain && __builtin_cpu_supports("avx2")) {
        return two ? &avx2_2_passes : &avx2_passes;
    }
#endif
    (void)plain;
    return two ? &wide_2_passes : &wide_passes;
}
