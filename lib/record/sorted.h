/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements in canonical order, each quarter-hour of a pod once.
 *
 * Everything is kept in memory (about 150 bytes and the raw line each), then sorted by start, pod
 * and the rest of the content, so that the result does not depend on the order of the lines. */
#ifndef POF_RECORD_SORTED_H
#define POF_RECORD_SORTED_H

#include "record/record.h"

/* What counts when a pod has several contents for one start. */
enum pof_dup {
    POF_DUP_REJECT, /* none of them: nobody knows which is right */
    POF_DUP_FIRST,  /* the smallest seq when all are of one source, else the first in the input */
    POF_DUP_LAST    /* the largest seq, else the last in the input */
};

#define POF_NO_OFFSET UINT64_MAX

/* Where a measurement stood. */
struct pof_origin {
    const char *source; /* file; lives as long as the list */
    uint64_t line;
    uint64_t offset;     /* bytes of the file before it; POF_NO_OFFSET: not known */
    struct pof_text raw; /* copied; empty: not kept */
    bool written[2];     /* by enum pof_format: raw is what a writer would write (reader.h) */
};

struct pof_sorted;

int pof_sorted_new(struct pof_sorted **out, struct pof_err *err) POF_CHECKED;
void pof_sorted_free(struct pof_sorted *s); /* NULL allowed */

/* Copies a measurement. */
int pof_sorted_add(struct pof_sorted *s, const struct pof_measurement *m,
                   const struct pof_origin *origin, struct pof_err *err) POF_CHECKED;

/* What became of a measurement. */
enum pof_fate { POF_FATE_OUT, POF_FATE_SAME, POF_FATE_SUPERSEDED, POF_FATE_REJECTED };

typedef int pof_on_sorted(void *ctx, const struct pof_measurement *m,
                          const struct pof_origin *origin, enum pof_fate fate, struct pof_err *err);

/* Calls take for every measurement added, in canonical order. O(n log n). */
int pof_sorted_each(struct pof_sorted *s, enum pof_dup rule, pof_on_sorted *take, void *ctx,
                    struct pof_err *err) POF_CHECKED;

#endif
