/* SPDX-License-Identifier: Apache-2.0 */
/* The only module that knows AMD. */
#include "grid/ordering.h"

#include "base/mem.h"

#include <amd.h>
#include <stdlib.h>

int pof_order_amd(uint32_t n, const uint32_t *begin, const uint32_t *to, uint32_t *order,
                  struct pof_err *err)
{
    int32_t *space = NULL;
    if (n > INT32_MAX - 1 || begin[n] > INT32_MAX) {
        return pof_fail(err, POF_E_RANGE, "a graph of %u vertices is too large", n);
    }
    int rc = pof_alloc(&space, 2 * (size_t)n + 1 + begin[n], sizeof *space, err);
    if (rc != 0) {
        return rc;
    }
    int32_t *first = space;
    int32_t *other = first + n + 1;
    int32_t *perm = other + begin[n];
    for (uint32_t k = 0; k <= n; k++) {
        first[k] = (int32_t)begin[k];
    }
    for (uint32_t k = 0; k < begin[n]; k++) {
        other[k] = (int32_t)to[k];
    }
    double control[AMD_CONTROL];
    amd_defaults(control);
    int status = n == 0 ? AMD_OK : amd_order((int32_t)n, first, other, perm, control, NULL);
    if (status == AMD_OUT_OF_MEMORY) {
        rc = pof_fail(err, POF_E_NOMEM, "no memory to order %u unknowns", n);
    } else if (status != AMD_OK && status != AMD_OK_BUT_JUMBLED) {
        rc = pof_fail(err, POF_E_INTERNAL, "AMD refuses a graph: status %d", status);
    }
    for (uint32_t k = 0; rc == 0 && k < n; k++) {
        order[k] = (uint32_t)perm[k];
    }
    free(space);
    return rc;
}
