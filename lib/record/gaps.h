/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/record: which intervals of a pod are missing, told when nothing can fill them any more.
 *
 * A gap lies between two measurements of a pod; what comes late makes it smaller or parts it. One whose
 * end is older than the window is handed on. Memory: 40 bytes a pod and its name, 24 a gap that is open,
 * of which a pod has no more than there are intervals in the window. O(1) for what comes in order, O(open
 * gaps of the pod) for what is late. */
#ifndef POF_RECORD_GAPS_H
#define POF_RECORD_GAPS_H

#include "record/record.h"

struct pofi_hole {
    int64_t start, end;
    uint32_t next; /* of the pod, later; or of the free ones */
};

struct pofi_gaps {
    struct pof_names pods;
    struct pofi_gaps_pod *pod; /* by number; owned */
    size_t pod_cap;
    struct pofi_hole *hole; /* owned */
    size_t holes, hole_cap;
    uint32_t free; /* number of a hole + 1, 0: none */
    int64_t window_s, raster_s;
    int (*on_gap)(void *ctx, const struct pof_missing *gap, struct pof_err *err);
    void *ctx;
};

/* Initialise with the last four members. */
int pofi_gaps_take(struct pofi_gaps *g, const struct pof_measurement *m, struct pof_err *err) POF_CHECKED;
/* All gaps still open, in order of the first measurement of their pods. */
int pofi_gaps_finish(struct pofi_gaps *g, struct pof_err *err) POF_CHECKED;
void pofi_gaps_release(struct pofi_gaps *g);

#endif
