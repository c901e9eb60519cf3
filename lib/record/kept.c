/* SPDX-License-Identifier: Apache-2.0 */
/* Kept records, and their quarter-hours. */
#include "record/kept.h"

#include "num/units.h"

#include <stdlib.h>

int pof_kept_add(struct pof_kept_records *k, const char *file, uint64_t line,
                 const struct pof_record *r, struct pof_err *err)
{
    int rc = pof_grow(&k->at, &k->cap, k->n + 1, sizeof *k->at, err);
    if (rc == 0) {
        struct pof_kept *to = &k->at[k->n];
        *to = (struct pof_kept){file, line, k->n, {.type = r->type}};
        rc = pof_record_copy(r->type, &r->u, &to->r.u, &k->arena, err);
        k->n += rc == 0;
    }
    return rc;
}

void pof_kept_release(struct pof_kept_records *k)
{
    free(k->at);
    pof_arena_release(&k->arena);
    *k = (struct pof_kept_records){0};
}

/* The first quarter-hour of a window that begins at or after an instant, at most n. */
static size_t quarter_at(int64_t start, int64_t instant, size_t n)
{
    if (instant <= start) {
        return 0;
    }
    uint64_t q = ((uint64_t)instant - (uint64_t)start + POF_QUARTER_S - 1) / POF_QUARTER_S;
    return q < n ? (size_t)q : n;
}

static bool quarters_of(const struct pof_record *r, int64_t start, size_t n, size_t *from, size_t *to)
{
    const int64_t *begin = pof_record_get(r, "start"), *end = pof_record_get(r, "end");
    const int64_t *duration = pof_record_get(r, "duration_s");
    if (!begin || (!end && !duration)) {
        return false;
    }
    *from = quarter_at(start, *begin, n);
    *to = quarter_at(start, end ? *end : *begin + *duration, n);
    return true;
}

/* Slices are begun one place behind, so that filling them leaves first[q] where it belongs. */
int pof_kept_slice(struct pof_kept_slices *s, const struct pof_kept_records *k, int64_t start,
                   size_t quarters, struct pof_err *err)
{
    size_t from, to;
    *s = (struct pof_kept_slices){0};
    int rc = pof_calloc(&s->first, quarters + 2, sizeof *s->first, err);
    for (size_t i = 0; rc == 0 && i < k->n; i++) {
        bool lasts = quarters_of(&k->at[i].r, start, quarters, &from, &to);
        for (size_t q = from; lasts && q < to; q++) {
            s->first[q + 2]++;
        }
    }
    for (size_t q = 2; rc == 0 && q < quarters + 2; q++) {
        s->first[q] += s->first[q - 1];
    }
    rc = rc ? rc : pof_calloc(&s->at, s->first[quarters + 1], sizeof *s->at, err);
    for (size_t i = 0; rc == 0 && i < k->n; i++) {
        bool lasts = quarters_of(&k->at[i].r, start, quarters, &from, &to);
        for (size_t q = from; lasts && q < to; q++) {
            s->at[s->first[q + 1]++] = (uint32_t)i;
        }
    }
    return rc;
}

void pof_kept_slices_release(struct pof_kept_slices *s)
{
    free(s->first);
    free(s->at);
    *s = (struct pof_kept_slices){0};
}
