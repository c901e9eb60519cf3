/* SPDX-License-Identifier: Apache-2.0 */
/* Closing an order book: what belongs to the session, in order, by quarter-hour. */
#include "base/sort.h"
#include "market/book_block.h"
#include "market/rank.h"
#include "market/refuse.h"

#include <stdlib.h>
#include <string.h>

static int choose_session(struct pof_book *b, const char *id, struct pof_err *err)
{
    for (size_t i = 0; i < b->n_sessions; i++) {
        if (id ? pof_text_is(b->sessions[i].id, id) : b->n_sessions == 1) {
            b->session = b->sessions[i];
            b->quarters = (uint32_t)((b->session.end - b->session.start) / POF_QUARTER_S);
            return 0;
        }
    }
    if (id) {
        return pof_fail(err, POF_E_REFERENCE, "session '%s' is not among the %zu given", id,
                        b->n_sessions);
    }
    if (b->n_sessions == 0) {
        return pof_fail(err, POF_E_REFERENCE,
                        "there is no session record; a market clears for a session");
    }
    return pof_fail(err, POF_E_REFERENCE, "%zu sessions are given; --session says which",
                    b->n_sessions);
}

bool pof_book_clip(const struct pof_book *b, int64_t start, int64_t end, uint32_t *first, uint32_t *last)
{
    int64_t from = start > b->session.start ? start : b->session.start;
    int64_t to = end < b->session.end ? end : b->session.end;
    if (from >= to) {
        return false;
    }
    *first = (uint32_t)((from - b->session.start) / POF_QUARTER_S);
    *last = (uint32_t)((to - b->session.start) / POF_QUARTER_S);
    return true;
}

static void keep_requests(struct pof_book *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->requests; i++) {
        struct pof_book_request x = b->request[i];
        if (!pof_text_eq(x.record.session, b->session.id)) {
            b->counts.requests_elsewhere++;
            continue;
        }
        if (!pof_book_clip(b, x.record.start, x.record.end, &x.first, &x.last)) {
            b->counts.requests_outside++;
            continue;
        }
        x.clear.ceiling_ueur = POF_HAS(&x.record, request, price_limit_ueur_mwh)
                                   ? x.record.price_limit_ueur_mwh
                                   : b->rules.ceiling_ueur_mwh;
        b->counts.requests_unfed += !x.fed;
        b->request[n++] = x;
    }
    b->requests = b->counts.requests = n;
}

/* The same of an offer. */
static bool clip_offer(const struct pof_book_terms *t, uint32_t begin, uint32_t quarters, struct pof_book_offer *x)
{
    uint32_t first = t->start > begin ? t->start : begin;
    uint32_t last = t->end < begin + quarters ? t->end : begin + quarters;
    x->first = first - begin;
    x->last = last - begin;
    return first < last;
}

static void keep_offers(struct pof_book *b)
{
    const uint32_t begin = (uint32_t)(b->session.start / POF_QUARTER_S);
    size_t n = 0;
    for (size_t i = 0; i < b->offers; i++) {
        struct pof_book_offer *x = &b->offer[i];
        if (!clip_offer(&b->terms[i], begin, b->quarters, x)) {
            b->counts.offers_outside++;
        } else if (b->feeder->place[x->node] == POF_NONE) {
            b->counts.offers_unfed++;
        } else if (x->block != POF_NONE && b->block[x->block].out) {
            b->counts.offers_in_blocks_out++;
        } else if (n++ < i) {
            b->offer[n - 1] = *x;
            b->terms[n - 1] = b->terms[i];
        }
    }
    b->offers = b->counts.offers = n;
}

/* The quarter-hours of the window that a limit holds in; false: none, or nothing is there. */
static bool clip_limit(struct pof_book *b, const struct pof_book_limit *l, uint32_t *first, uint32_t *last)
{
    int64_t end = l->start + (int64_t)l->quarter * POF_QUARTER_S;
    if (!pof_book_clip(b, l->start, end, first, last)) {
        b->counts.limits_outside++;
        return false;
    }
    b->counts.limits_unfed += l->node == POF_NONE;
    b->counts.limits += l->node != POF_NONE;
    return l->node != POF_NONE;
}

/* One limit for each quarter-hour it covers in the window. They are many, so this is done in place: all
 * go to the end of an array that has room for what each becomes, and at least for itself, so that what
 * is written never overtakes what is read. */
static int keep_limits(struct pof_book *b, struct pof_err *err)
{
    size_t n = b->limits, done = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t first, last;
        const struct pof_book_limit *l = &b->limit[i];
        bool inside = pof_book_clip(b, l->start, l->start + (int64_t)l->quarter * POF_QUARTER_S, &first, &last);
        total += inside ? last - first : 1;
    }
    int rc = pof_grow(&b->limit, &b->limit_cap, total, sizeof *b->limit, err);
    if (rc) {
        return rc;
    }
    size_t from = total - n;
    if (from > 0) {
        memmove(b->limit + from, b->limit, n * sizeof *b->limit);
    }
    for (size_t i = from; i < total; i++) {
        struct pof_book_limit l = b->limit[i];
        uint32_t first, last;
        if (!clip_limit(b, &l, &first, &last)) {
            continue;
        }
        for (l.quarter = first; l.quarter < last; l.quarter++) {
            b->limit[done++] = l;
        }
    }
    b->limits = done;
    return 0;
}

static int close_loops(struct pof_book *b, struct pof_err *err)
{
    size_t n = b->loops.n;
    int rc = pof_loops_close(&b->loops, b->feeder->grid, b->session.start, b->session.end, err);
    b->counts.limits += b->loops.n;
    b->counts.limits_outside += n - b->loops.n;
    return rc;
}

/* What buyers cannot use any more is a limit of their area. */
static int add_bands(struct pof_book *b, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->requests; i++) {
        const struct pof_book_request *x = &b->request[i];
        if (!x->fed || !POF_HAS(&x->record, request, max_w)) {
            continue;
        }
        struct pof_book_limit l = {.node = x->clear.node, .p_up_w = INT64_MAX, .p_down_w = INT64_MAX};
        *(x->clear.direction == POF_UP ? &l.p_up_w : &l.p_down_w) = x->record.max_w;
        rc = pof_grow(&b->limit, &b->limit_cap, b->limits + (x->last - x->first), sizeof *b->limit,
                      err);
        for (l.quarter = x->first; rc == 0 && l.quarter < x->last; l.quarter++) {
            b->limit[b->limits++] = l;
        }
    }
    return rc;
}

static int request_cmp(const void *pa, const void *pb)
{
    const struct pof_book_request *a = pa, *b = pb;
    return pof_text_cmp(a->record.id, b->record.id);
}

static uint64_t limit_key(const struct pof_book_limit *l)
{
    return (uint64_t)l->quarter << 32 | l->node;
}

/* By quarter-hour and node; of those that are alike, only the least counts, in any order. What comes in
 * order stays as it is, and takes no memory. */
static int sort_limits(struct pof_book *b, struct pof_err *err)
{
    const size_t n = b->limits;
    struct pof_key *key;
    struct pof_book_limit *sorted;
    size_t i = 1;
    while (i < n && limit_key(&b->limit[i - 1]) <= limit_key(&b->limit[i])) {
        i++;
    }
    if (i >= n) {
        return 0;
    }
    int rc = pof_calloc(&key, 2 * n, sizeof *key, err);
    rc = rc ? rc : pof_calloc(&sorted, n, sizeof *sorted, err);
    if (rc) {
        free(key);
        return rc;
    }
    for (i = 0; i < n; i++) {
        key[i] = (struct pof_key){limit_key(&b->limit[i]), i};
    }
    pof_sort_keys(key, key + n, n);
    for (i = 0; i < n; i++) {
        sorted[i] = b->limit[key[i].value];
    }
    free(key);
    free(b->limit);
    b->limit = sorted;
    b->limit_cap = n;
    return 0;
}

/* What comes in order stays as it is. */
static void sort(void *array, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
    const char *at = array;
    for (size_t i = 1; i < n; i++, at += size) {
        if (cmp(at, at + size) > 0) {
            qsort(array, n, size, cmp);
            return;
        }
    }
}

/* What has a span of quarter-hours [first, last), read from the records of an array. */
struct spans {
    const char *base;
    size_t n, size;
    size_t first, last;    /* offsets of the members */
    const uint32_t *order; /* [n]; NULL: as they are */
};

static uint32_t span_at(const struct spans *s, size_t i, size_t offset)
{
    uint32_t x;
    memcpy(&x, s->base + i * s->size + offset, sizeof x);
    return x;
}

static int slice(struct pof_book_slices *out, const struct spans *s, uint32_t quarters,
                 struct pof_err *err)
{
    size_t total = 0;
    int rc = pof_calloc(&out->first, (size_t)quarters + 2, sizeof *out->first, err);
    if (rc) {
        return rc;
    }
    /* Counted one place further on, so that filling leaves the starts where they belong. */
    size_t *next = out->first + 1;
    for (size_t i = 0; i < s->n; i++) {
        for (uint32_t q = span_at(s, i, s->first); q < span_at(s, i, s->last); q++) {
            next[q + 1]++;
            total++;
        }
    }
    for (uint32_t q = 0; q < quarters; q++) {
        next[q + 1] += next[q];
    }
    rc = pof_calloc(&out->at, total, sizeof *out->at, err);
    enum { AHEAD = 16 }; /* in another order, what is looked at lies anywhere */
    for (size_t i = 0; rc == 0 && i < s->n; i++) {
        size_t k = s->order ? s->order[i] : i;
        if (s->order && i + AHEAD < s->n) {
            __builtin_prefetch(s->base + s->order[i + AHEAD] * s->size + s->first);
        }
        for (uint32_t q = span_at(s, k, s->first); q < span_at(s, k, s->last); q++) {
            out->at[next[q]++] = (uint32_t)k;
        }
    }
    return rc;
}

static int slice_limits(struct pof_book *b, struct pof_err *err)
{
    int rc = pof_calloc(&b->limit_first, (size_t)b->quarters + 1, sizeof *b->limit_first, err);
    for (size_t i = 0; rc == 0 && i < b->limits; i++) {
        b->limit_first[b->limit[i].quarter + 1]++;
    }
    for (uint32_t q = 0; rc == 0 && q < b->quarters; q++) {
        b->limit_first[q + 1] += b->limit_first[q];
    }
    return rc;
}

/* Ranks, and lists by quarter-hour in the order of cost. */
static int order_offers(struct pof_book *b, struct pof_err *err)
{
    uint32_t *order = NULL;
    int rc = pof_book_rank(b, &order, err);
    const struct spans offers = {(const char *)b->offer, b->offers, sizeof *b->offer,
                                 offsetof(struct pof_book_offer, first),
                                 offsetof(struct pof_book_offer, last), order};
    rc = rc ? rc : slice(&b->by_offer, &offers, b->quarters, err);
    free(order);
    return rc;
}

int pof_book_frame(struct pof_book *b, const char *session, struct pof_rulebook *rules,
                   struct pof_err *err)
{
    int rc = choose_session(b, session, err);
    b->rulebook = rules;
    rc = rc ? rc : pof_rulebook_choose(rules, b->session.kind, &b->rules, err);
    rc = rc ? rc : pof_book_refuse_requests(b, err);
    if (rc) {
        return rc;
    }
    keep_requests(b);
    rc = keep_limits(b, err);
    rc = rc ? rc : close_loops(b, err);
    rc = rc ? rc : add_bands(b, err);
    sort(b->request, b->requests, sizeof *b->request, request_cmp);
    rc = rc ? rc : sort_limits(b, err);
    const struct spans requests = {(const char *)b->request, b->requests, sizeof *b->request,
                                   offsetof(struct pof_book_request, first),
                                   offsetof(struct pof_book_request, last), NULL};
    rc = rc ? rc : slice(&b->by_request, &requests, b->quarters, err);
    return rc ? rc : slice_limits(b, err);
}

int pof_book_close(struct pof_book *book, const char *session, struct pof_rulebook *rules,
                   struct pof_err *err)
{
    int rc = pof_book_frame(book, session, rules, err);
    rc = rc ? rc : pof_book_refuse_offers(book, err);
    rc = rc ? rc : pof_book_blocks_close(book, err);
    if (rc) {
        return rc;
    }
    keep_offers(book);
    return order_offers(book, err);
}
