/* SPDX-License-Identifier: Apache-2.0 */
/* Radix sort of keys. */
#include "base/sort.h"

#include <string.h>

enum { FEW = 32, DIGIT_BITS = 10, DIGITS = 1 << DIGIT_BITS };

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

/* One pass: into another array by some bits of the key. */
static void scatter(const struct pof_key *from, struct pof_key *to, size_t n, unsigned shift)
{
    size_t next[DIGITS] = {0};
    for (size_t i = 0; i < n; i++) {
        next[from[i].key >> shift & (DIGITS - 1)]++;
    }
    size_t sum = 0;
    for (int b = 0; b < DIGITS; b++) {
        size_t count = next[b];
        next[b] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++) {
        to[next[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
    }
}

void pof_sort_keys(struct pof_key *at, struct pof_key *tmp, size_t n)
{
    if (n <= FEW) {
        insert(at, n);
        return;
    }
    uint64_t differ = 0, falls = 0;
    for (size_t i = 1; i < n; i++) {
        differ |= at[i].key ^ at[0].key;
        falls |= at[i - 1].key > at[i].key;
    }
    struct pof_key *from = at, *to = tmp;
    for (unsigned shift = 0; falls && differ >> shift; shift += DIGIT_BITS) {
        shift += (unsigned)__builtin_ctzll(differ >> shift);
        scatter(from, to, n, shift);
        struct pof_key *swap = from;
        from = to;
        to = swap;
        if (shift + DIGIT_BITS >= 64) {
            break;
        }
    }
    if (from != at) {
        memcpy(at, from, n * sizeof *at);
    }
}
