/* SPDX-License-Identifier: Apache-2.0 */
/* The passes of the sweep in all widths, and which of them a machine can run. No fused operations,
 * so all give the same bits. */
#include "grid/sweep_impl.h"

#include <math.h>
#include <string.h>

/* One lane. */
#define LANES 1
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
#include "grid/sweep_passes.h"
#undef LANES
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

/* As many as there may be. */
typedef double vec __attribute__((vector_size(8 * POFI_LANES), may_alias));
typedef int64_t mask __attribute__((vector_size(8 * POFI_LANES), may_alias));
#define LANES POFI_LANES
#define VEC vec
#define MASK mask
#define ZERO {0}
#define ALL ~(mask){0}
#define LANE(a, l) (a)[l]
#define TRUE_WHERE(c) ((mask)(c))
#define SELECT(m, a, b) ((vec)(((mask)(a) & (m)) | ((mask)(b) & ~(m))))
#define LARGER(a, b) SELECT((mask)((a) > (b)), a, b)
#define MAGNITUDE(a) ((vec)((mask)(a)&INT64_MAX))
#define NAME(f) wide_##f
#include "grid/sweep_passes.h"
#undef NAME
#undef TARGET

#if defined(__x86_64__)
#define NAME(f) avx2_##f
#define TARGET __attribute__((target("avx2")))
#include "grid/sweep_passes.h"
#undef NAME
#undef TARGET
#endif

const struct pofi_passes *pofi_passes(unsigned lanes, bool plain)
{
    if (lanes == 1) {
        return &one_passes;
    }
#if defined(__x86_64__)
    if (!plain && __builtin_cpu_supports("avx2")) {
        return &avx2_passes;
    }
#endif
    (void)plain;
    return &wide_passes;
}
