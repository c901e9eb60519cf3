/* SPDX-License-Identifier: Apache-2.0 */
/* Radix sort of keys. */
#include "base/sort.h"

#include <stdbool.h>
#include <string.h>

enum { FEW = 32 };

static void insert(struct pof_key *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct pof_key x = at[i];
        size_t k = i;
        for (; k > 0 && at[k - 1].key > x.key; k--) {
            at[k] = at[k - 1];
        }
        at[k] = x;
    }
}

/* One pass: from by a byte of the key to another array. */
static void scatter(const struct pof_key *from, struct pof_key *to, size_t n, unsigned shift)
{
    size_t next[256] = {0};
    for (size_t i = 0; i < n; i++) {
        next[from[i].key >> shift & 0xff]++;
    }
    size_t sum = 0;
    for (int b = 0; b < 256; b++) {
        size_t count = next[b];
        next[b] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++) {
        to[next[from[i].key >> shift & 0xff]++] = from[i];
    }
}

void pof_sort_keys(struct pof_key *at, struct pof_key *tmp, size_t n)
{
    if (n <= FEW) {
        insert(at, n);
        return;
    }
    uint64_t differ = 0;
    bool sorted = true;
    for (size_t i = 1; i < n; i++) {
        differ |= at[i].key ^ at[0].key;
        sorted = sorted && at[i - 1].key <= at[i].key;
    }
    struct pof_key *from = at, *to = tmp;
    for (unsigned shift = 0; shift < 64 && !sorted; shift += 8) {
        if (differ >> shift & 0xff) {
            scatter(from, to, n, shift);
            struct pof_key *swap = from;
            from = to;
            to = swap;
        }
    }
    if (from != at) {
        memcpy(at, from, n * sizeof *at);
    }
}
