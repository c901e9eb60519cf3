/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/record: values for intervals that are missing, on request only and marked as estimated. */
#ifndef POF_RECORD_FILL_H
#define POF_RECORD_FILL_H

#include "record/sorted.h"

enum pof_fill { POF_FILL_NONE, POF_FILL_HOLD, POF_FILL_LINEAR };

struct pofi_fill {
    enum pof_fill rule;
    int64_t longest_s; /* gaps that are longer stay */
    enum pof_dup dup;
    uint64_t filled;   /* out: how many */
};

/* Adds to a list the intervals missing between two measurements of a pod of the same duration: with the power
 * before the gap (hold), or on the line between those before and behind it (linear), rounded half to even.
 * Reactive power likewise where both have one. O(n log n); memory: 64 bytes a pod, and what is filled. */
int pofi_fill(struct pof_sorted *list, struct pofi_fill *how, struct pof_err *err) POF_CHECKED;

#endif
