/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a stream of measurements beyond the table of records: plausible values, times on
 * the raster, nothing twice.
 *
 * A stream checks one measurement after the other in three steps:
 *     pof_check_values()  the rules on the measurement itself and its change of power
 *     pof_check_repeat()  was it here before? Remembers it.
 *     pof_check_take()    it is taken: the span and the last value of its pod move on
 *
 * Memory: 64 bytes a pod and a source, and for the window 8 bytes a step of the raster and pod (1.7
 * kB a pod for two days of quarter-hours); without a raster, or with more than 65,536 steps in the
 * window, 36 to 72 bytes a measurement. The numbers of a source take a bit each where they rise one
 * by one. It does not grow with the stream. Every step is O(1) amortised; cheapest when pods come in
 * the same order again and again, or one after the other. */
#ifndef POF_RECORD_CHECK_H
#define POF_RECORD_CHECK_H

#include "record/record.h"

struct pof_check_rules {
    int64_t raster_s;     /* begins at a multiple of it (UTC) and lasts one; 0: anything goes */
    int64_t p_max_w;      /* largest |p_w|; 0: as in the table */
    int64_t change_max_w; /* largest change of p_w to the interval right behind; 0: any */
    int64_t latest_end;   /* no interval ends after this instant; INT64_MAX: no rule */
    int64_t window_s;     /* how far back repetitions are known; 0: not looked for */
};

struct pof_check;

int pof_check_new(struct pof_check **out, const struct pof_check_rules *rules,
                  struct pof_err *err) POF_CHECKED;
void pof_check_free(struct pof_check *c); /* NULL allowed */

/* Names a pod that may occur; once one is named, no other may. */
int pof_check_allow(struct pof_check *c, struct pof_text pod, struct pof_err *err) POF_CHECKED;

/* RANGE: not on the raster, too much power, too quick a change; TIME: in the future; REFERENCE: not
 * one of the pods allowed. */
int pof_check_values(struct pof_check *c, const struct pof_measurement *m,
                     struct pof_err *err) POF_CHECKED;

enum pof_repeat {
    POF_REPEAT_NONE,    /* new */
    POF_REPEAT_SAME,    /* here before with the same content */
    POF_REPEAT_DIFFERS, /* its pod had other content for this start */
    POF_REPEAT_NUMBER,  /* its source gave this seq to something else */
    POF_REPEAT_TOO_LATE /* begins before the window: nobody can tell any more */
};

/* Two contents are the same when a 64-bit hash of all their fields is. Nothing but NONE is
 * remembered. why is filled unless *what is NONE or SAME. With a raster, start must be a multiple of
 * it: pof_check_values() has seen to that. */
int pof_check_repeat(struct pof_check *c, const struct pof_measurement *m, enum pof_repeat *what,
                     struct pof_err *why, struct pof_err *err) POF_CHECKED;

int pof_check_take(struct pof_check *c, const struct pof_measurement *m,
                   struct pof_err *err) POF_CHECKED;

struct pof_check_counts {
    uint64_t taken;
    uint64_t out_of_order; /* began before one of their pod taken earlier */
    uint64_t pods;         /* with a measurement taken */
    uint64_t missing;      /* raster steps inside the pods' spans without a measurement; 0 without
                              raster */
};
void pof_check_counts(const struct pof_check *c, struct pof_check_counts *out);

#endif
