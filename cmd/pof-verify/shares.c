/* SPDX-License-Identifier: Apache-2.0 */
/* Who pays (pof-clear(1)), replayed slowly from the quantities and held against the awards. */
#include "verify.h"

#include "num/time.h"

#include <stdlib.h>

struct share {
    const struct request *request;
    struct offer *offer;
    int64_t w, left, price;
    int why;
    unsigned number;
};

struct replay {
    struct market *m;
    const struct quarter *q;
    struct offer **item; /* taken offers in merit order: price, rank */
    int64_t *left;       /* W of them that nobody has */
    struct share *share;
    size_t items, shares, cap;
    int64_t (*open)[2][2]; /* by place: W left over, W that can answer; by direction */
};

bool verify_inside(const struct market *m, uint32_t at, uint32_t area, bool own)
{
    return own ? at == area : at >= area && at < m->end[area];
}

size_t verify_stack(const struct quarter *q, size_t i)
{
    size_t end = i + 1;
    while (end < q->needs && q->need[end]->at == q->need[i]->at &&
           q->need[end]->own == q->need[i]->own &&
           q->need[end]->r->direction == q->need[i]->r->direction) {
        end++;
    }
    return end;
}

static int merit(const struct offer *a, const struct offer *b)
{
    int64_t x = a->r->price_ueur_mwh, y = b->r->price_ueur_mwh;
    return x != y ? (x < y ? -1 : 1) : (a->rank > b->rank) - (a->rank < b->rank);
}

static int by_merit(const void *a, const void *b)
{
    return merit(*(struct offer *const *)a, *(struct offer *const *)b);
}

static int by_request(const void *pa, const void *pb)
{
    const struct share *a = pa, *b = pb;
    if (a->request != b->request) {
        return a->request < b->request ? -1 : 1;
    }
    return a->why != b->why ? a->why - b->why : merit(a->offer, b->offer);
}

static int by_offer_id(const void *pa, const void *pb)
{
    const struct share *a = pa, *b = pb;
    return a->request == b->request && a->why == b->why
               ? pof_text_cmp(a->offer->r->id, b->offer->r->id)
               : by_request(pa, pb);
}

static int give(struct replay *x, size_t item, const struct request *r, int why, int64_t w,
                struct pof_err *err)
{
    int rc = pof_grow(&x->share, &x->cap, x->shares + 1, sizeof *x->share, err);
    if (rc == 0) {
        x->left[item] -= w;
        x->share[x->shares++] = (struct share){r, x->item[item], w, w, 0, why, 0};
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
    const struct request *top = x->q->need[i];
    int64_t counted = 0;
    int rc = 0;
    for (size_t k = 0; k < x->items; k++) {
        if (verify_inside(x->m, x->item[k]->at, top->at, top->own)) {
            bool with = x->item[k]->r->direction == top->r->direction;
            counted += with ? x->item[k]->taken - x->left[k] : -x->item[k]->taken;
        }
    }
    counted = counted > 0 ? counted : 0;
    for (; i < end; i++) {
        int64_t part = least(counted, x->q->need[i]->r->p_w), want = x->q->need[i]->r->p_w - part;
        counted -= part;
        for (size_t k = 0; rc == 0 && want > 0 && k < x->items; k++) {
            int64_t w = least(want, x->left[k]);
            if (w > 0 && x->item[k]->r->direction == top->r->direction &&
                verify_inside(x->m, x->item[k]->at, top->at, top->own)) {
                want -= w;
                rc = give(x, k, x->q->need[i], FOR_REQUEST, w, err);
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
        bool fits = x->item[i]->r->direction == d && verify_inside(x->m, x->item[i]->at, at, false);
        while (rc == 0 && fits && w > 0 && x->left[i] > 0 && k < n) {
            struct share *s = &x->share[k];
            int64_t part = least(w, least(x->left[i], s->left));
            bool answers = s->why == FOR_REQUEST && s->offer->r->direction != d &&
                           verify_inside(x->m, s->offer->at, at, false);
            if (!answers || part == 0) {
                k++;
                continue;
            }
            s->left -= part;
            w -= part;
            rc = give(x, i, s->request, COUNTER, part, err);
        }
    }
    return rc;
}

static int offset_all(struct replay *x, struct pof_err *err)
{
    int rc = pof_calloc(&x->open, x->m->tree.n, sizeof *x->open, err);
    for (size_t i = 0; rc == 0 && i < x->items; i++) {
        int d = x->item[i]->r->direction;
        x->open[x->item[i]->at][d][0] += x->left[i];
        x->open[x->item[i]->at][d][1] += x->item[i]->taken - x->left[i];
    }
    for (uint32_t at = x->m->tree.n; rc == 0 && at-- > 0;) {
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

/* What no pairing takes goes to the first request of the other direction, else the first. */
static int give_rest(struct replay *x, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < x->items; i++) {
        struct request *to = NULL;
        for (size_t k = 0; x->left[i] > 0 && k < x->q->needs; k++) {
            struct request *r = x->q->need[k];
            bool other = r->r->direction != x->item[i]->r->direction;
            bool had = to && to->r->direction != x->item[i]->r->direction;
            to = !to || (other && !had) || (other == had && r < to) ? r : to;
        }
        rc = to ? give(x, i, to, COUNTER, x->left[i], err) : 0;
    }
    return rc;
}

static void put_in_order(struct replay *x)
{
    if (x->shares > 1) {
        qsort(x->share, x->shares, sizeof *x->share, by_request);
    }
}

/* Equal ones become one; numbers within an offer; prices by the price rule. */
static void finish(struct replay *x)
{
    size_t n = 0;
    int64_t highest[2] = {0, 0};
    put_in_order(x);
    for (size_t i = 0; i < x->shares; i++) {
        struct share *s = &x->share[i], *last = n ? &x->share[n - 1] : NULL;
        if (last && by_request(last, s) == 0) {
            last->w += s->w;
        } else {
            x->share[n++] = *s;
        }
    }
    x->shares = n;
    for (size_t i = 0; i < n; i++) {
        x->share[i].number = ++x->share[i].offer->seen;
    }
    for (size_t i = n; i-- > 0;) {
        struct share *s = &x->share[i];
        if (i + 1 == n || s->request != s[1].request || s->why != s[1].why) {
            highest[0] = highest[1] = 0;
        }
        int64_t *top = &highest[s->offer->r->direction], asks = s->offer->r->price_ueur_mwh;
        *top = asks > *top ? asks : *top;
        s->price = verify_price(x->m, x->q, s->request, s->offer, *top);
    }
    if (n > 1) {
        qsort(x->share, n, sizeof *x->share, by_offer_id);
    }
}

static int compare(const struct line *l, const struct share *s,
                   struct pof_err *err)
{
    const struct pof_award *a = &l->r.u.award;
    struct pof_buf id = {0};
    char t[POF_INSTANT_MAX]; /* 2026-03-10T13:15:00Z becomes 20260310T1315Z */
    pof_instant_format(a->start, t);
    int rc = pof_buf_addf(&id, err, "%.*s:%.*s:%.4s%.2s%.5s%.2sZ", TEXT(a->session), TEXT(a->offer), t,
                          t + 5, t + 8, t + 14);
    rc = rc || s->number == 1 ? rc : pof_buf_addf(&id, err, ":%u", s->number);
    if (rc == 0 && (!pof_text_eq(s->request->r->id, a->request) || s->why != a->why ||
                    !pof_text_eq(s->offer->r->id, a->offer) || s->w != a->p_w)) {
        rc = REFUSE(l, NULL, "of these quantities the rules give %lld W of '%.*s' to '%.*s' here",
                    (long long)s->w, TEXT(s->offer->r->id), TEXT(s->request->r->id));
    } else if (rc == 0 && !pof_text_eq(a->id, (struct pof_text){id.data, id.len})) {
        rc = REFUSE(l, "id", "is not '%.*s'", (int)id.len, id.data);
    } else if (rc == 0 && a->price_ueur_mwh != s->price) {
        rc = REFUSE(l, "price_eur_mwh", "the price rule gives %lld millionths", (long long)s->price);
    }
    pof_buf_release(&id);
    return rc;
}

static int gather(struct replay *x, struct pof_err *err)
{
    size_t n = x->m->n[POF_offer];
    int rc = pof_calloc(&x->item, n, sizeof(struct offer *), err);
    rc = rc ? rc : pof_calloc(&x->left, n, sizeof *x->left, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (x->m->offer[i].taken > 0) {
            x->item[x->items++] = &x->m->offer[i];
        }
    }
    if (rc == 0 && x->items > 1) {
        qsort(x->item, x->items, sizeof(struct offer *), by_merit);
    }
    for (size_t i = 0; i < x->items; i++) {
        x->left[i] = x->item[i]->taken;
    }
    return rc;
}

int verify_shares(struct market *m, const struct quarter *q, struct pof_err *err)
{
    struct replay x = {.m = m, .q = q};
    int rc = gather(&x, err);
    for (size_t i = 0, end; rc == 0 && i < q->needs; i = end) {
        end = verify_stack(q, i);
        rc = serve(&x, i, end, err);
    }
    put_in_order(&x);
    rc = rc ? rc : offset_all(&x, err);
    rc = rc ? rc : give_rest(&x, err);
    finish(&x);
    if (rc == 0 && x.shares != q->awards) {
        rc = REFUSE(q->awards ? q->award[0] : &m->of[POF_session][0], NULL,
                    "%zu awards in this quarter-hour where the rules make %zu", q->awards, x.shares);
    }
    for (size_t i = 0; rc == 0 && i < x.shares; i++) {
        rc = compare(q->award[i], &x.share[i], err);
    }
    free(x.item);
    free(x.left);
    free(x.share);
    free(x.open);
    return rc;
}
