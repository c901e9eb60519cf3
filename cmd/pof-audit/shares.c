/* SPDX-License-Identifier: Apache-2.0 */
/* Who pays (pof-clear(1)), replayed plainly from the quantities and held against the awards. */
#include "audit.h"

#include <stdlib.h>

struct share {
    const struct pof_claim_line *request, *offer;
    int64_t w, left;
    int why;
};

struct replay {
    const struct audit *m;
    bool reserve; /* of what is held ready, not of what is taken */
    const struct pof_claim_line **item; /* taken offers in merit order: price, rank */
    int64_t *left;                      /* W of them that nobody has */
    struct share *share;
    size_t items, shares, cap;
    int64_t (*open)[2][2]; /* by place: W left over, W that can answer; by direction */
};

static const struct pof_offer *offer_of(const struct pof_claim_line *l)
{
    return &l->r->u.offer;
}

static const struct pof_request *request_of(const struct pof_claim_line *l)
{
    return &l->r->u.request;
}

static bool inside(const struct audit *m, uint32_t at, uint32_t area, bool own)
{
    return own ? at == area : at >= area && at < m->end[area];
}

static int64_t quantity(const struct replay *x, const struct pof_claim_line *o)
{
    const struct state *s = audit_state(x->m, o);
    return x->reserve ? s->held : s->taken;
}

static int64_t asked(const struct replay *x, const struct pof_claim_line *r)
{
    return x->reserve ? audit_margin(r) : request_of(r)->p_w;
}

/* A stack of requests [i, return) on one area in one direction. */
static size_t stack_end(const struct audit *m, size_t i)
{
    size_t end = i + 1;
    while (end < m->needs && m->need[end]->area == m->need[i]->area &&
           request_of(m->need[end])->direction == request_of(m->need[i])->direction) {
        end++;
    }
    return end;
}

static int by_merit(const void *pa, const void *pb)
{
    const struct pof_claim_line *a = *(const struct pof_claim_line *const *)pa;
    const struct pof_claim_line *b = *(const struct pof_claim_line *const *)pb;
    int64_t x = offer_of(a)->price_ueur_mwh, y = offer_of(b)->price_ueur_mwh;
    return x != y ? (x < y ? -1 : 1) : (a->rank > b->rank) - (a->rank < b->rank);
}

static int by_request(const void *pa, const void *pb)
{
    const struct share *a = pa, *b = pb;
    int order = a->request == b->request ? a->why - b->why
                                         : pof_text_cmp(request_of(a->request)->id, request_of(b->request)->id);
    return order ? order : by_merit(&a->offer, &b->offer);
}

/* As awards stand, and as reserves do: who asks, for what and whose. */
static int by_offer_id(const void *pa, const void *pb)
{
    const struct share *a = pa, *b = pb;
    return a->request == b->request && a->why == b->why
               ? pof_text_cmp(offer_of(a->offer)->id, offer_of(b->offer)->id)
               : by_request(pa, pb);
}

static int by_pair(const void *pa, const void *pb)
{
    const struct share *a = pa, *b = pb;
    int order = pof_text_cmp(request_of(a->request)->id, request_of(b->request)->id);
    order = order ? order : pof_text_cmp(offer_of(a->offer)->id, offer_of(b->offer)->id);
    return order ? order : a->why - b->why;
}

static int give(struct replay *x, size_t item, const struct pof_claim_line *r, int why, int64_t w,
                struct pof_err *err)
{
    int rc = pof_grow(&x->share, &x->cap, x->shares + 1, sizeof *x->share, err);
    if (rc == 0) {
        x->left[item] -= w;
        x->share[x->shares++] = (struct share){r, x->item[item], w, w, why};
    }
    return rc;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Requests of one stack take what nobody below took. */
static int serve(struct replay *x, size_t i, size_t end, struct pof_err *err)
{
    const struct pof_claim_line *top = x->m->need[i];
    int d = request_of(top)->direction, rc = 0;
    int64_t counted = 0;
    for (size_t k = 0; k < x->items; k++) {
        int64_t taken = quantity(x, x->item[k]);
        if (audit_serves(x->m, x->item[k], top)) {
            counted += offer_of(x->item[k])->direction == d ? taken - x->left[k] : -taken;
        }
    }
    counted = counted > 0 ? counted : 0;
    for (; i < end; i++) {
        int64_t p = asked(x, x->m->need[i]), part = least(counted, p), want = p - part;
        counted -= part;
        for (size_t k = 0; rc == 0 && want > 0 && k < x->items; k++) {
            int64_t w = least(want, x->left[k]);
            if (w > 0 && offer_of(x->item[k])->direction == d && audit_serves(x->m, x->item[k], top)) {
                want -= w;
                rc = give(x, k, x->m->need[i], POF_FOR_REQUEST, w, err);
            }
        }
    }
    return rc;
}

/* w watts left over of direction d below a place, to requests whose awards they offset. */
static int offset(struct replay *x, uint32_t at, int d, int64_t w, struct pof_err *err)
{
    size_t n = x->shares, k = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && w > 0 && i < x->items; i++) {
        bool fits = offer_of(x->item[i])->direction == d &&
                    inside(x->m, audit_place(x->m, x->item[i]), at, false);
        while (rc == 0 && fits && w > 0 && x->left[i] > 0 && k < n) {
            struct share *s = &x->share[k];
            int64_t part = least(w, least(x->left[i], s->left));
            bool answers = s->why == POF_FOR_REQUEST && offer_of(s->offer)->direction != d &&
                           inside(x->m, audit_place(x->m, s->offer), at, false);
            if (!answers || part == 0) {
                k++;
                continue;
            }
            s->left -= part;
            w -= part;
            rc = give(x, i, s->request, POF_FOR_COUNTER, part, err);
        }
    }
    return rc;
}

static int offset_all(struct replay *x, struct pof_err *err)
{
    int rc = pof_calloc(&x->open, x->m->c.tree.n, sizeof *x->open, err);
    for (size_t i = 0; rc == 0 && i < x->items; i++) {
        int64_t(*open)[2] = &x->open[audit_place(x->m, x->item[i])][offer_of(x->item[i])->direction];
        (*open)[0] += x->left[i];
        (*open)[1] += quantity(x, x->item[i]) - x->left[i];
    }
    for (uint32_t at = x->m->c.tree.n; rc == 0 && at-- > 0;) {
        for (int d = 0; rc == 0 && d < 2; d++) {
            int64_t w = least(x->open[at][d][0], x->open[at][!d][1]);
            rc = w > 0 ? offset(x, at, d, w, err) : 0;
            x->open[at][d][0] -= w;
            x->open[at][!d][1] -= w;
        }
        for (int k = 0; rc == 0 && at && k < 4; k++) {
            x->open[x->m->up[at]][k / 2][k % 2] += x->open[at][k / 2][k % 2];
        }
    }
    return rc;
}

/* Requests in order of their ids. */
static bool before(const struct pof_claim_line *a, const struct pof_claim_line *b)
{
    return !b || pof_text_cmp(request_of(a)->id, request_of(b)->id) < 0;
}

/* What no pairing takes goes to the first request that takes another part of the offer, else the first
 * of the other direction, else the first. shares: those of whole offers, before any went here. */
static int give_rest(struct replay *x, size_t shares, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < x->items; i++) {
        const struct pof_claim_line *to = NULL, *other = NULL, *any = NULL;
        for (size_t k = 0; x->left[i] > 0 && k < shares; k++) {
            const struct share *s = &x->share[k];
            to = s->offer == x->item[i] && s->why == POF_FOR_REQUEST && before(s->request, to) ? s->request : to;
        }
        for (size_t k = 0; x->left[i] > 0 && !to && k < x->m->needs; k++) {
            const struct pof_claim_line *r = x->m->need[k];
            if (asked(x, r) == 0) {
                continue;
            }
            bool against = request_of(r)->direction != offer_of(x->item[i])->direction;
            other = against && before(r, other) ? r : other;
            any = before(r, any) ? r : any;
        }
        to = to ? to : other ? other : any;
        rc = to ? give(x, i, to, POF_FOR_COUNTER, x->left[i], err) : 0;
    }
    return rc;
}

/* In order, equal ones joined. */
static void put_in_order(struct replay *x)
{
    size_t n = 0;
    if (x->shares > 1) {
        qsort(x->share, x->shares, sizeof *x->share, by_request);
    }
    for (size_t i = 0; i < x->shares; i++) {
        if (n > 0 && by_request(&x->share[n - 1], &x->share[i]) == 0) {
            x->share[n - 1].w += x->share[i].w;
            x->share[n - 1].left += x->share[i].left;
        } else {
            x->share[n++] = x->share[i];
        }
    }
    x->shares = n;
}

static int compare(const struct replay *x, size_t i, struct pof_err *err)
{
    const struct audit *m = x->m;
    const struct share *s = &x->share[i];
    const struct pof_claim_line *l = x->reserve ? (i < m->reserves ? m->reserve[i] : NULL)
                                                : (i < m->awards ? m->award[i] : NULL);
    if (!l) {
        return POF_REFUSE(s->offer, NULL, "the rules give %lld W of it to '%.*s' in a quarter-hour",
                          (long long)s->w, POF_TEXT(request_of(s->request)->id));
    }
    const struct pof_award *a = &l->r->u.award;
    if (l->request->line != s->request || (!x->reserve && s->why != a->why) || l->offer->line != s->offer ||
        s->w != a->p_w) {
        return POF_REFUSE(l, NULL, "of these quantities the rules give %lld W of '%.*s' to '%.*s' here",
                          (long long)s->w, POF_TEXT(offer_of(s->offer)->id),
                          POF_TEXT(request_of(s->request)->id));
    }
    return 0;
}

static int gather(struct replay *x, struct pof_err *err)
{
    const uint32_t *at;
    size_t n = pof_claim_lines(&x->m->c, x->m->now, POF_offer, &at);
    int rc = pof_calloc(&x->item, n, sizeof(struct pof_claim_line *), err);
    rc = rc ? rc : pof_calloc(&x->left, n, sizeof *x->left, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct pof_claim_line *l = &x->m->c.line[at[i]];
        if (quantity(x, l) > 0) {
            x->item[x->items++] = l;
        }
    }
    if (rc == 0 && x->items > 1) {
        qsort(x->item, x->items, sizeof(struct pof_claim_line *), by_merit);
    }
    for (size_t i = 0; i < x->items; i++) {
        x->left[i] = quantity(x, x->item[i]);
    }
    return rc;
}

int audit_shares(struct audit *m, bool reserve, struct pof_err *err)
{
    struct replay x = {.m = m, .reserve = reserve};
    size_t given = reserve ? m->reserves : m->awards;
    int rc = gather(&x, err);
    for (size_t i = 0, end; rc == 0 && i < m->needs; i = end) {
        end = stack_end(m, i);
        rc = serve(&x, i, end, err);
    }
    put_in_order(&x);
    rc = rc ? rc : offset_all(&x, err);
    rc = rc ? rc : give_rest(&x, x.shares, err);
    put_in_order(&x);
    if (rc == 0 && x.shares > 1) {
        qsort(x.share, x.shares, sizeof *x.share, reserve ? by_pair : by_offer_id);
    }
    for (size_t i = 0; rc == 0 && i < x.shares; i++) {
        rc = compare(&x, i, err);
    }
    if (rc == 0 && x.shares < given) {
        rc = POF_REFUSE(reserve ? m->reserve[x.shares] : m->award[x.shares], NULL,
                        "the rules make no such award of these quantities");
    }
    free(x.item);
    free(x.left);
    free(x.share);
    free(x.open);
    return rc;
}
