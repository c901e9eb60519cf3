/* SPDX-License-Identifier: Apache-2.0 */
/* Rings of intervals, and a table of everything else. */
#include "record/recall.h"

#include "base/mem.h"
#include "num/rng.h"

#include <stdlib.h>
#include <string.h>

/* --- the ring --- */

enum { PODS = 64, EIGHT = 8, STEPS_MAX = 65536 };

bool pofi_ring_fits(int64_t raster_s, int64_t window_s)
{
    return raster_s > 0 && window_s / raster_s <= STEPS_MAX;
}

void pofi_ring_init(struct pofi_ring *r, int64_t raster_s, int64_t window_s)
{
    /* The line of the newest interval and that of the oldest one may both be used in part. */
    size_t lines = (size_t)(window_s / raster_s / EIGHT) + 2;
    *r = (struct pofi_ring){.raster_s = raster_s, .lines = lines, .start = -1};
}

void pofi_ring_release(struct pofi_ring *r)
{
    for (size_t g = 0; g < r->groups; g++) {
        for (size_t i = 0; i < r->lines && r->group[g]; i++) {
            free(r->group[g][i]);
        }
        free(r->group[g]);
    }
    free(r->group);
}

static int64_t line_of(const struct pofi_ring *r, int64_t start)
{
    return start / r->raster_s / EIGHT;
}

/* Divisions are slow, and many intervals in a row begin together. */
static inline void turn_to(struct pofi_ring *r, int64_t start)
{
    if (start != r->start) {
        int64_t step = start / r->raster_s;
        r->start = start;
        r->begin = step / EIGHT * EIGHT * r->raster_s;
        r->line = (size_t)(step / EIGHT) % r->lines;
        r->column = (size_t)(step % EIGHT);
    }
}

static int new_page(struct pofi_ring *r, size_t g, struct pof_err *err)
{
    int rc = pof_grow(&r->group, &r->cap, g + 1, sizeof *r->group, err);
    if (rc) {
        return rc;
    }
    for (; r->groups <= g; r->groups++) {
        r->group[r->groups] = NULL;
    }
    rc = r->group[g] ? 0 : pof_calloc(&r->group[g], r->lines, sizeof *r->group[g], err);
    return rc ? rc : pof_calloc(&r->group[g][r->line], (size_t)PODS * EIGHT, sizeof(uint64_t), err);
}

uint64_t *pofi_ring_place(struct pofi_ring *r, uint32_t pod, int64_t start, struct pof_err *err)
{
    size_t g = pod / PODS;
    turn_to(r, start);
    if ((g >= r->groups || !r->group[g] || !r->group[g][r->line]) && new_page(r, g, err)) {
        return NULL;
    }
    return r->group[g][r->line] + pod % PODS * EIGHT + r->column;
}

void pofi_ring_advance(struct pofi_ring *r, uint32_t pod, int64_t seen, int64_t start)
{
    size_t g = pod / PODS;
    turn_to(r, start);
    if (seen >= r->begin || seen == INT64_MIN || g >= r->groups || !r->group[g]) {
        return; /* the line is the same, or there is none */
    }
    int64_t to = line_of(r, start), from = line_of(r, seen);
    from = to - from > (int64_t)r->lines ? to - (int64_t)r->lines : from;
    while (++from <= to) {
        uint64_t *page = r->group[g][(size_t)from % r->lines];
        if (page) {
            memset(page + pod % PODS * EIGHT, 0, EIGHT * sizeof *page);
        }
    }
}

/* --- the table --- */

/* The place of a key, or the empty place where it belongs. */
static size_t place(const struct pofi_table *t, uint32_t who, int64_t key)
{
    size_t i = (size_t)pof_random(who, (uint64_t)key, 0) & (t->places - 1);
    while (t->entry[i].content && (t->entry[i].who != who || t->entry[i].key != key)) {
        i = (i + 1) & (t->places - 1);
    }
    return i;
}

struct pofi_entry *pofi_table_find(const struct pofi_table *t, uint32_t who, int64_t key)
{
    if (!t->places) {
        return NULL;
    }
    struct pofi_entry *e = &t->entry[place(t, who, key)];
    return e->content ? e : NULL;
}

/* Room for one more: forgets what has expired, and grows only when that was not enough. */
static int make_room(struct pofi_table *t, const struct pofi_forget *how, struct pof_err *err)
{
    if ((t->used + 1) * 3 <= t->places * 2) {
        return 0;
    }
    size_t live = 0;
    for (size_t i = 0; i < t->places; i++) {
        live += t->entry[i].content && !how->expired(how->ctx, &t->entry[i]);
    }
    struct pofi_table fresh = {.places = t->places ? t->places : 64};
    while ((live + 1) * 2 > fresh.places) {
        fresh.places *= 2;
    }
    int rc = pof_calloc(&fresh.entry, fresh.places, sizeof *fresh.entry, err);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < t->places; i++) {
        const struct pofi_entry *e = &t->entry[i];
        if (e->content && !how->expired(how->ctx, e)) {
            fresh.entry[place(&fresh, e->who, e->key)] = *e;
            fresh.used++;
        }
    }
    free(t->entry);
    *t = fresh;
    return 0;
}

int pofi_table_keep(struct pofi_table *t, const struct pofi_entry *e, const struct pofi_forget *how,
                    struct pof_err *err)
{
    int rc = make_room(t, how, err);
    if (rc == 0) {
        struct pofi_entry *to = &t->entry[place(t, e->who, e->key)];
        t->used += to->content == 0;
        *to = *e;
    }
    return rc;
}

void pofi_table_release(struct pofi_table *t)
{
    free(t->entry);
    *t = (struct pofi_table){0};
}
