/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bucket.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 8, SIZE_MAX_SMALL = 256 };

/* Groups of a few elements by insertion, which neither calls nor allocates. */
static void sort_group(char *group, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    char held[SIZE_MAX_SMALL];
    if (n > SMALL || size > sizeof held) {
        qsort(group, n, size, compare);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        size_t at = i;
        while (at > 0 && compare(group + (at - 1) * size, group + i * size) > 0) {
            at--;
        }
        if (at < i) {
            memcpy(held, group + i * size, size);
            memmove(group + (at + 1) * size, group + at * size, (i - at) * size);
            memcpy(group + at * size, held, size);
        }
    }
}

int pof_bucket_sort(void *array, size_t n, size_t size, const uint32_t *key, uint32_t keys,
                    int (*compare)(const void *, const void *), struct pof_err *err)
{
    size_t *begin = NULL;
    char *to = NULL, *from = array;
    size_t room = 0;
    bool ordered = true;
    for (size_t i = 1; i < n && ordered; i++) {
        ordered = key[i - 1] <= key[i];
    }
    int rc = pof_calloc(&begin, (size_t)keys + 1, sizeof *begin, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        begin[key[i] + 1]++;
    }
    for (uint32_t k = 0; rc == 0 && k < keys; k++) {
        begin[k + 1] += begin[k];
    }
    rc = rc || ordered ? rc : pof_grow(&to, &room, n, size, err);
    for (size_t i = 0; rc == 0 && !ordered && i < n; i++) {
        memcpy(to + begin[key[i]]++ * size, from + i * size, size); /* begin of a key becomes its end */
    }
    if (rc == 0 && !ordered) {
        memcpy(array, to, n * size);
    }
    free(to);
    for (uint32_t k = 0; rc == 0 && k < keys; k++) {
        size_t first = !ordered ? k > 0 ? begin[k - 1] : 0 : begin[k];
        size_t end = !ordered ? begin[k] : begin[k + 1];
        if (end - first > 1) {
            sort_group(from + first * size, end - first, size, compare);
        }
    }
    free(begin);
    return rc;
}
