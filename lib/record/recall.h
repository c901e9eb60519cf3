/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/record: what was here before, for as long as a window of time reaches back.
 *
 * pofi_ring: contents of intervals on a raster. A pod has a line of eight intervals in a ring of
 * lines, enough for the window; 64 pods share the page on which their lines of the same time lie side
 * by side. In a stream by time all pods therefore write to a few hundred KiB that lie in the cache,
 * and in a stream by pod to a few lines. 8 bytes an interval of the window, whether it comes or not.
 *
 * pofi_table: anything by (who, key), hashed; 36 to 72 bytes an entry, and twice that while it
 * grows. What has left the window is forgotten when the table is full. */
#ifndef POF_RECORD_RECALL_H
#define POF_RECORD_RECALL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- the ring --- */

struct pofi_ring {
    int64_t raster_s;
    size_t lines;      /* of a pod */
    /* The start looked for last: others are mostly the same. */
    int64_t start, begin; /* -1: none; first start of its line */
    size_t line, column;  /* its place in the ring */
    uint64_t ***group; /* group[pod / 64][line] is a page of 64 lines of 8, NULL before it is used */
    size_t groups, cap;
};

/* Can windows of this length be kept in a ring? Beyond, most of it would never be used. */
bool pofi_ring_fits(int64_t raster_s, int64_t window_s);
void pofi_ring_init(struct pofi_ring *r, int64_t raster_s, int64_t window_s);
void pofi_ring_release(struct pofi_ring *r);

/* The place of an interval that begins at start, a multiple of the raster and not more than the
 * window before seen: 0 there means that nothing was kept. seen is the latest start kept for the pod,
 * INT64_MIN before the first; later intervals than that must be announced by
 * pofi_ring_advance(). NULL: no memory. */
uint64_t *pofi_ring_place(struct pofi_ring *r, uint32_t pod, int64_t start, struct pof_err *err);
/* Makes the ring of a pod move on from seen to start, forgetting what leaves it. */
void pofi_ring_advance(struct pofi_ring *r, uint32_t pod, int64_t seen, int64_t start);

/* --- the table --- */

/* One thing remembered. */
struct pofi_entry {
    uint64_t content; /* not 0: that is an empty place */
    int64_t key;
    uint32_t who;
    uint32_t minute; /* of the start it belongs to, since 1970: enough to the year 10000 */
};

/* Open addressing, a power of two of places, at most two thirds used. Initialise with {0}. */
struct pofi_table {
    struct pofi_entry *entry;
    size_t places, used;
};

/* Is an entry older than window_s before newest? */
static inline bool pofi_expired(const struct pofi_entry *e, int64_t newest, int64_t window_s)
{
    return ((int64_t)e->minute + 1) * 60 <= newest - window_s;
}

/* What tells whether an entry may be forgotten. */
struct pofi_forget {
    bool (*expired)(const void *ctx, const struct pofi_entry *e);
    const void *ctx;
};

/* The entry of (who, key), NULL when there is none. Valid until the next keep. */
struct pofi_entry *pofi_table_find(const struct pofi_table *t, uint32_t who, int64_t key);
/* Remembers an entry in the place of an older one for the same (who, key). */
int pofi_table_keep(struct pofi_table *t, const struct pofi_entry *e, const struct pofi_forget *how,
                    struct pof_err *err) POF_CHECKED;
void pofi_table_release(struct pofi_table *t);

#endif
