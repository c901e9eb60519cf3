/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of one quarter-hour, and which of them counts.
 *
 * A version is a cell whose column POF_COLUMN_KNOWN says since when it is known (seconds, UTC).
 * Versions are kept in a total order: by that instant, then by what they say (measurements: seq,
 * then better quality, then the values; set points: session). So the list depends on what was said
 * and when, not on the order of the lines that said it.
 *
 * The version that counts is the last of the list that is not outdated: a message does not count
 * when a message of the same source with a larger seq was known before it.
 * What counted already just before it was said again is not a further version. Nor is a measurement
 * with a seq, or a set point (it names its session), that was ever said just so: loading the inputs
 * of a day once more, in their order, changes nothing. */
#ifndef POF_STORE_VERSION_H
#define POF_STORE_VERSION_H

#include "base/mem.h"
#include "base/text.h"
#include "store/block.h"

enum { POF_COLUMN_KNOWN = POF_COLUMNS - 1 };

enum pof_series { POF_SERIES_MEASUREMENT, POF_SERIES_BASELINE, POF_SERIES_SETPOINT, POF_SERIES };

/* The columns of a cell, by series. */
enum {
    POF_MEASUREMENT_P,
    POF_MEASUREMENT_Q,
    POF_MEASUREMENT_V,
    POF_MEASUREMENT_QUALITY,
    POF_MEASUREMENT_SOURCE,
    POF_MEASUREMENT_SEQ
};
enum { POF_BASELINE_P, POF_BASELINE_Q };
enum { POF_SETPOINT_P, POF_SETPOINT_CHANGE, POF_SETPOINT_SESSION, POF_SETPOINT_AGGREGATOR };

/* The text behind a name number of a cell. */
typedef struct pof_text pof_name_text(void *ctx, int64_t id);

struct pof_versions {
    struct pof_cell *cell; /* in order; owned */
    size_t n;
    size_t cap;
    enum pof_series series;
    pof_name_text *text; /* of names; called only when everything else is equal */
    void *ctx;
};

/* Do two cells say the same? When they became known does not matter. */
bool pof_cell_same(const struct pof_cell *a, const struct pof_cell *b);

/* What came of an insertion. */
enum pof_insert {
    POF_INSERT_KNOWN,      /* said before: nothing changes */
    POF_INSERT_REVISION,   /* a further version */
    POF_INSERT_STALE,      /* a further version that does not count: its source said more since */
    POF_INSERT_CONTRADICTS /* a further version; the same load said otherwise, and nothing in the
                              records says which is right. The order above decides. */
};

/* Puts back a version that was in the list before. O(n). */
int pof_versions_restore(struct pof_versions *v, const struct pof_cell *cell,
                         struct pof_err *err) POF_CHECKED;

/* Inserts what was said at its place. O(n^2) in the versions of one quarter-hour. */
int pof_versions_insert(struct pof_versions *v, const struct pof_cell *cell, enum pof_insert *what,
                        struct pof_err *err) POF_CHECKED;

/* The index of the version that counts among those known at an instant or before; n: none. */
size_t pof_versions_current(const struct pof_versions *v, int64_t known_at);

void pof_versions_release(struct pof_versions *v);

#endif
