/* SPDX-License-Identifier: Apache-2.0 */
#include "record/gaps.h"

#include "base/mem.h"

#include <stdlib.h>

/* Numbers of holes count from 1: 0 is none. */
struct pofi_gaps_pod {
    int64_t end; /* of the newest measurement */
    uint32_t first, last;
};

static int add_hole(struct pofi_gaps *g, int64_t start, int64_t end, uint32_t *number, struct pof_err *err)
{
    uint32_t k = g->free;
    if (k) {
        g->free = g->hole[k - 1].next;
    } else {
        int rc = pof_grow(&g->hole, &g->hole_cap, g->holes + 1, sizeof *g->hole, err);
        if (rc) {
            return rc;
        }
        k = (uint32_t)++g->holes;
    }
    g->hole[k - 1] = (struct pofi_hole){start, end, 0};
    *number = k;
    return 0;
}

static int tell(struct pofi_gaps *g, uint32_t pod, const struct pofi_hole *h, struct pof_err *err)
{
    struct pof_missing gap = {.pod = g->pods.text[pod], .start = h->start, .end = h->end};
    if (g->raster_s) {
        gap.intervals = (h->end - h->start) / g->raster_s;
        POF_SET(&gap, missing, intervals);
    }
    return g->on_gap(g->ctx, &gap, err);
}

/* Hands on the oldest holes of a pod that end at or before an instant. */
static int close_holes(struct pofi_gaps *g, uint32_t pod, int64_t until, struct pof_err *err)
{
    struct pofi_gaps_pod *p = &g->pod[pod];
    int rc = 0;
    while (p->first && g->hole[p->first - 1].end <= until && rc == 0) {
        uint32_t k = p->first;
        rc = tell(g, pod, &g->hole[k - 1], err);
        p->first = g->hole[k - 1].next;
        p->last = p->first ? p->last : 0;
        g->hole[k - 1].next = g->free;
        g->free = k;
    }
    return rc;
}

static int open_hole(struct pofi_gaps *g, struct pofi_gaps_pod *p, int64_t start, struct pof_err *err)
{
    uint32_t k;
    int rc = add_hole(g, p->end, start, &k, err);
    if (rc == 0) {
        *(p->last ? &g->hole[p->last - 1].next : &p->first) = k;
        p->last = k;
    }
    return rc;
}

/* What came late fills [from, to) as far as there is a hole. */
static int fill_hole(struct pofi_gaps *g, struct pofi_gaps_pod *p, int64_t from, int64_t to, struct pof_err *err)
{
    for (uint32_t before = 0, k = p->first; k; before = k, k = g->hole[k - 1].next) {
        struct pofi_hole *h = &g->hole[k - 1];
        if (to <= h->start || from >= h->end) {
            continue;
        }
        if (from > h->start && to < h->end) {
            uint32_t rest;
            int rc = add_hole(g, to, h->end, &rest, err);
            if (rc) {
                return rc;
            }
            h = &g->hole[k - 1]; /* it may have moved */
            g->hole[rest - 1].next = h->next;
            h->next = rest;
            h->end = from;
            p->last = p->last == k ? rest : p->last;
        } else if (from > h->start) {
            h->end = from;
        } else if (to < h->end) {
            h->start = to;
        } else {
            *(before ? &g->hole[before - 1].next : &p->first) = h->next;
            p->last = p->last == k ? before : p->last;
            h->next = g->free;
            g->free = k;
        }
        return 0;
    }
    return 0;
}

int pofi_gaps_take(struct pofi_gaps *g, const struct pof_measurement *m, struct pof_err *err)
{
    uint32_t id;
    size_t before = g->pods.n;
    int rc = pof_names_add(&g->pods, m->pod, &id, err);
    rc = rc ? rc : pof_grow(&g->pod, &g->pod_cap, (size_t)id + 1, sizeof *g->pod, err);
    if (rc) {
        return rc;
    }
    struct pofi_gaps_pod *p = &g->pod[id];
    int64_t end = m->start + m->duration_s;
    if (id == before) {
        *p = (struct pofi_gaps_pod){.end = end};
        return 0;
    }
    if (m->start > p->end) {
        rc = open_hole(g, p, m->start, err);
    } else if (m->start < p->end) {
        rc = fill_hole(g, p, m->start, end, err);
    }
    p->end = end > p->end ? end : p->end;
    return rc ? rc : close_holes(g, id, m->start - g->window_s, err);
}

int pofi_gaps_finish(struct pofi_gaps *g, struct pof_err *err)
{
    int rc = 0;
    for (uint32_t id = 0; id < g->pods.n && rc == 0; id++) {
        rc = close_holes(g, id, INT64_MAX, err);
    }
    return rc;
}

void pofi_gaps_release(struct pofi_gaps *g)
{
    pof_names_release(&g->pods);
    free(g->pod);
    free(g->hole);
}
