/* SPDX-License-Identifier: Apache-2.0 */
/* Records of any type kept in memory with the places they were read at, and cut by quarter-hour: for
 * programs that look at all of them together and refuse a line long after it was read. */
#ifndef POF_RECORD_KEPT_H
#define POF_RECORD_KEPT_H

#include "record/record.h"

struct pof_kept {
    const char *file; /* borrowed */
    uint64_t line;
    size_t number; /* of records kept before it */
    struct pof_record r;
};

/* Initialise with {0}. */
struct pof_kept_records {
    struct pof_kept *at; /* owned, as are the texts in the arena */
    size_t n, cap;
    struct pof_arena arena;
};

/* Copies a record. */
int pof_kept_add(struct pof_kept_records *k, const char *file, uint64_t line,
                 const struct pof_record *r, struct pof_err *err) POF_CHECKED;
void pof_kept_release(struct pof_kept_records *k);

/* Of quarter-hour q: at[first[q]] .. at[first[q + 1] - 1], indices of records in their order. */
struct pof_kept_slices {
    size_t *first;
    uint32_t *at;
};

/* The records that a window of quarter-hours from start on overlaps. A record lasts from its member
 * start to its end, or for its duration_s; a quarter-hour begins in it or not. Others are in none.
 * O(n + entries). */
int pof_kept_slice(struct pof_kept_slices *s, const struct pof_kept_records *k, int64_t start,
                   size_t quarters, struct pof_err *err) POF_CHECKED;
void pof_kept_slices_release(struct pof_kept_slices *s);

#endif
