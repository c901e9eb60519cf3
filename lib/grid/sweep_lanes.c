/* SPDX-License-Identifier: Apache-2.0 */
/* The passes of the sweep in all widths, and which of them a machine can run. No fused operations,
 * so all give the same bits. */
#include "grid/sweep_impl.h"

#include <math.h>
#include <string.h>

#define LANES 1
#define NAME(f) one_##f
#define TARGET
#include "grid/sweep_passes.h"
#undef LANES
#undef NAME

#define LANES POFI_LANES
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
