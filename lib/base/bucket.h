/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting what has small whole keys. */
#ifndef POF_BASE_BUCKET_H
#define POF_BASE_BUCKET_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Sorts n elements of size bytes by key[i] < keys of element i, and those of equal keys by compare,
 * which must be a total order of what can be told apart: the result does not depend on the order
 * before. Counting, then a sort of each group: O(n + keys + n log of the largest group); room for as
 * many elements again while it lasts, where keys do not ascend. */
int pof_bucket_sort(void *array, size_t n, size_t size, const uint32_t *key, uint32_t keys,
                    int (*compare)(const void *, const void *), struct pof_err *err) POF_CHECKED;

#endif
