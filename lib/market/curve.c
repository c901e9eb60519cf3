/* SPDX-License-Identifier: Apache-2.0 */
/* Stacked curves in sorted runs. */
#include "market/curve.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

int pof_curves_reset(struct pof_curves *c, size_t n, struct pof_err *err)
{
    c->runs = 0;
    int rc = pof_grow(&c->seg, &c->seg_cap, n, sizeof *c->seg, err);
    rc = rc ? rc : pof_grow(&c->tmp, &c->tmp_cap, n / 2 + 1, sizeof *c->tmp, err);
    /* One more than there are segments: the run that is being begun may stay empty. */
    return rc ? rc : pof_grow(&c->run, &c->run_cap, n + 1, sizeof *c->run, err);
}

void pof_curves_release(struct pof_curves *c)
{
    free(c->seg);
    free(c->tmp);
    free(c->run);
    *c = (struct pof_curves){0};
}

void pof_curves_begin(struct pof_curves *c)
{
    size_t top = c->runs ? c->run[c->runs - 1].tail : 0;
    c->run[c->runs++] = (struct pof_run){top, top};
}

void pof_curves_add(struct pof_curves *c, pof_wide slope, int64_t width)
{
    c->seg[c->run[c->runs - 1].tail++] = (struct pof_segment){slope, width};
}

void pof_curves_end(struct pof_curves *c)
{
    c->runs -= c->run[c->runs - 1].head == c->run[c->runs - 1].tail;
}

static size_t length(const struct pof_curves *c, size_t i)
{
    return c->run[i].tail - c->run[i].head;
}

static void drop(struct pof_curves *c, size_t i)
{
    memmove(&c->run[i], &c->run[i + 1], (c->runs - i - 1) * sizeof *c->run);
    c->runs--;
}

/* Run i and the smaller run behind it, from the high end, so that what is below all of the second
 * run stays where it is. */
static void merge_behind(struct pof_curves *c, size_t i)
{
    struct pof_run a = c->run[i], b = c->run[i + 1];
    size_t nb = b.tail - b.head, left = a.tail, right = nb, to = a.tail + nb;
    c->run[i].tail = to;
    memcpy(c->tmp, &c->seg[b.head], nb * sizeof *c->tmp);
    while (right > 0) {
        bool take_left = left > a.head && c->seg[left - 1].slope > c->tmp[right - 1].slope;
        c->seg[--to] = take_left ? c->seg[--left] : c->tmp[--right];
    }
}

/* Run i and the larger run behind it, from the low end. */
static void merge_before(struct pof_curves *c, size_t i)
{
    struct pof_run a = c->run[i], b = c->run[i + 1];
    size_t na = a.tail - a.head, left = 0, right = b.head, to = b.head - na;
    c->run[i] = (struct pof_run){to, b.tail};
    memcpy(c->tmp, &c->seg[a.head], na * sizeof *c->tmp);
    while (left < na) {
        bool take_right = right < b.tail && c->seg[right].slope < c->tmp[left].slope;
        c->seg[to++] = take_right ? c->seg[right++] : c->tmp[left++];
    }
}

static void merge(struct pof_curves *c, size_t i)
{
    if (length(c, i) < length(c, i + 1)) {
        merge_before(c, i);
    } else {
        merge_behind(c, i);
    }
    drop(c, i + 1);
}

/* Keeps every run more than twice as long as the next. Runs shorter than the new one are merged
 * among themselves first, from the short end, so that the new one moves once. */
void pof_curves_fold(struct pof_curves *c, size_t base)
{
    for (size_t k = base + 1; k < c->runs; k++) {
        while (k > base && length(c, k - 1) <= 2 * length(c, k)) {
            while (k >= base + 2 && length(c, k - 2) <= 2 * length(c, k)) {
                merge(c, k - 2);
                k--;
            }
            merge(c, k - 1);
            k--;
        }
    }
}

pof_wide pof_curves_cut_low(struct pof_curves *c, size_t base, int64_t width)
{
    pof_wide key = 0;
    while (width > 0) {
        size_t low = base;
        for (size_t i = base + 1; i < c->runs; i++) {
            if (c->seg[c->run[i].head].slope < c->seg[c->run[low].head].slope) {
                low = i;
            }
        }
        struct pof_run *r = &c->run[low];
        struct pof_segment *s = &c->seg[r->head];
        key = s->slope;
        if (s->width > width) {
            s->width -= width;
            break;
        }
        width -= s->width;
        if (++r->head == r->tail) {
            drop(c, low);
        }
    }
    return key;
}

pof_wide pof_curves_cut_high(struct pof_curves *c, size_t base, int64_t width)
{
    pof_wide key = 0;
    while (width > 0) {
        size_t high = base;
        for (size_t i = base + 1; i < c->runs; i++) {
            if (c->seg[c->run[i].tail - 1].slope > c->seg[c->run[high].tail - 1].slope) {
                high = i;
            }
        }
        struct pof_run *r = &c->run[high];
        struct pof_segment *s = &c->seg[r->tail - 1];
        key = s->slope;
        if (s->width > width) {
            s->width -= width;
            break;
        }
        width -= s->width;
        if (--r->tail == r->head) {
            drop(c, high);
        }
    }
    return key;
}

/* All runs from base on as one, which is the last run of the stack. */
static struct pof_run *unify(struct pof_curves *c, size_t base)
{
    while (c->runs > base + 1) {
        merge(c, c->runs - 2);
    }
    return &c->run[base];
}

pof_wide pof_curves_shift(struct pof_curves *c, size_t base, int64_t width, pof_wide delta)
{
    struct pof_run *r = unify(c, base);
    size_t i = r->head;
    for (; c->seg[i].width < width; i++) {
        width -= c->seg[i].width;
    }
    pof_wide key = c->seg[i].slope;
    if (width < c->seg[i].width) {
        memmove(&c->seg[i + 1], &c->seg[i], (r->tail - i) * sizeof *c->seg);
        r->tail++;
        c->seg[i].width = width;
        c->seg[i + 1].width -= width;
    }
    i++; /* the first segment above the place */
    size_t from = delta < 0 ? r->head : i, to = delta < 0 ? i : r->tail;
    for (size_t k = from; k < to; k++) {
        c->seg[k].slope += delta;
    }
    return key;
}

void pof_curves_shift_all(struct pof_curves *c, size_t base, pof_wide delta)
{
    for (size_t i = base; i < c->runs; i++) {
        for (size_t k = c->run[i].head; k < c->run[i].tail; k++) {
            c->seg[k].slope += delta;
        }
    }
}
