/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting numbers with what they stand for, stably, in linear time. */
#ifndef POF_BASE_SORT_H
#define POF_BASE_SORT_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct pof_key {
    uint64_t key;
    uint64_t value;
};

/* Ascending by key; equal keys keep their order. tmp has room for n, its contents do not matter.
 * Radix sort from the least significant end (D. E. Knuth, The Art of Computer Programming 3,
 * section 5.2.5), ten bits at a time; bits that are the same in all keys are passed over, and what is
 * sorted already stays. O(n) for ten bits that differ. */
void pof_sort_keys(struct pof_key *at, struct pof_key *tmp, size_t n);

#endif
