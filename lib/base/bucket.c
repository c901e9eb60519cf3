/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bucket.h"

#include "base/mem.h"

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

static void swap(char *a, char *b, size_t size)
{
    char held[SIZE_MAX_SMALL];
    for (size_t done = 0; done < size; done += sizeof held) {
        size_t n = size - done < sizeof held ? size - done : sizeof held;
        memcpy(held, a + done, n);
        memcpy(a + done, b + done, n);
        memcpy(b + done, held, n);
    }
}

/* Every element goes to its place, along cycles. */
static void permute(char *array, size_t n, size_t size, size_t *place)
{
    for (size_t i = 0; i < n; i++) {
        while (place[i] != i) {
            size_t to = place[i];
            swap(array + i * size, array + to * size, size);
            place[i] = place[to];
            place[to] = to;
        }
    }
}

int pof_bucket_sort(void *array, size_t n, size_t size, const uint32_t *key, uint32_t keys,
                    int (*compare)(const void *, const void *), struct pof_err *err)
{
    size_t *begin = NULL;
    size_t *place = NULL;
    int rc = pof_calloc(&begin, (size_t)keys + 1, sizeof *begin, err);
    rc = rc == 0 ? pof_calloc(&place, n, sizeof *place, err) : rc;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        begin[key[i] + 1]++;
    }
    for (uint32_t k = 0; rc == 0 && k < keys; k++) {
        begin[k + 1] += begin[k];
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        place[i] = begin[key[i]]++; /* begin of a key becomes its end */
    }
    if (rc == 0) {
        permute(array, n, size, place);
        for (uint32_t k = 0; k < keys; k++) {
            size_t from = k > 0 ? begin[k - 1] : 0;
            if (begin[k] - from > 1) {
                sort_group((char *)array + from * size, begin[k] - from, size, compare);
            }
        }
    }
    free(place);
    free(begin);
    return rc;
}
