/* SPDX-License-Identifier: Apache-2.0 */
/* What areas can deliver at which price: one clearing for each price asked in them. */
#include "market/explain.h"

#include <stdlib.h>

struct job {
    const struct pof_book *book;
    struct pof_clearing *clearing;
    struct pof_clear_offer *offer;
    struct pof_clear_limit *limit;
    int64_t *taken, *price;
    pof_on_supply *on;
    void *ctx;
};

static int job_init(struct job *j, struct pof_err *err)
{
    const struct pof_book *b = j->book;
    int rc = pof_clearing_new(&j->clearing, err);
    rc = rc ? rc : pof_calloc(&j->offer, b->offers, sizeof *j->offer, err);
    rc = rc ? rc : pof_calloc(&j->limit, b->limits, sizeof *j->limit, err);
    rc = rc ? rc : pof_calloc(&j->taken, b->offers, sizeof *j->taken, err);
    return rc ? rc : pof_calloc(&j->price, b->offers, sizeof *j->price, err);
}

static void job_release(struct job *j)
{
    pof_clearing_free(j->clearing);
    free(j->offer);
    free(j->limit);
    free(j->taken);
    free(j->price);
}

static bool inside(const struct pof_book *b, uint32_t node, const struct pof_clear_request *r)
{
    const struct pof_feeder *f = b->feeder;
    return r->own ? node == r->node
                  : f->place[node] >= f->place[r->node] && f->place[node] < f->past[r->node];
}

static int price_cmp(const void *pa, const void *pb)
{
    int64_t a = *(const int64_t *)pa, b = *(const int64_t *)pb;
    return (a > b) - (a < b);
}

/* Offers of the area and direction, limits, and the prices asked, each once, from the lowest. */
static struct pof_clear_problem gather(struct job *j, uint32_t q, struct pof_clear_request *r,
                                       size_t *prices)
{
    const struct pof_book *b = j->book;
    struct pof_clear_problem p = {
        .forest = &b->forest, .offer = j->offer, .request = r, .requests = 1, .limit = j->limit};
    r->p_w = 0;
    for (size_t k = b->by_offer.first[q]; k < b->by_offer.first[q + 1]; k++) {
        const struct pof_book_offer *o = &b->offer[b->by_offer.at[k]];
        if (o->direction == (int)r->direction && inside(b, o->node, r)) {
            j->price[p.offers] = o->price_ueur_mwh;
            j->offer[p.offers++] = (struct pof_clear_offer){.node = o->node,
                                                            .direction = r->direction,
                                                            .p_w = o->p_w,
                                                            .price_ueur = o->price_ueur_mwh,
                                                            .rank = o->rank};
            r->p_w += o->p_w;
        }
    }
    for (size_t i = b->limit_first[q]; i < b->limit_first[q + 1]; i++) {
        const struct pof_book_limit *l = &b->limit[i];
        j->limit[p.limits++] = (struct pof_clear_limit){l->node, l->p_up_w, l->p_down_w};
    }
    if (p.offers > 1) {
        qsort(j->price, p.offers, sizeof *j->price, price_cmp);
    }
    *prices = 0;
    for (size_t i = 0; i < p.offers; i++) {
        if (*prices == 0 || j->price[i] != j->price[*prices - 1]) {
            j->price[(*prices)++] = j->price[i];
        }
    }
    return p;
}

/* An offer at exactly the ceiling is taken (market/clear.h), so a request at each price gets all that
 * can be had up to it. */
static int curve(struct job *j, uint32_t q, struct pof_clear_request r, struct pof_supply s,
                 struct pof_err *err)
{
    size_t prices;
    struct pof_clear_problem p = gather(j, q, &r, &prices);
    struct pof_clear_result result = {.taken_w = j->taken};
    int64_t before = 0;
    int rc = 0;
    s.session = j->book->session.id;
    s.start = j->book->session.start + (int64_t)q * POF_QUARTER_S;
    s.duration_s = POF_QUARTER_S;
    s.direction = (int)r.direction;
    for (size_t i = 0; rc == 0 && i < prices; i++) {
        r.ceiling_ueur = s.price_ueur_mwh = j->price[i];
        rc = pof_clear_solve(j->clearing, &p, &result, err);
        s.p_w = 0;
        for (size_t k = 0; rc == 0 && k < p.offers; k++) {
            s.p_w += j->taken[k];
        }
        if (rc == 0 && s.p_w > before) {
            rc = j->on(j->ctx, &s, err);
            before = s.p_w;
        }
    }
    return rc;
}

int pof_supply_run(const struct pof_book *book, bool root, pof_on_supply *on, void *ctx,
                   struct pof_err *err)
{
    struct job j = {.book = book, .on = on, .ctx = ctx};
    int rc = job_init(&j, err);
    for (uint32_t q = 0; rc == 0 && q < book->quarters; q++) {
        for (int d = 0; rc == 0 && root && d < 2; d++) {
            struct pof_clear_request r = {.node = book->feeder->tree.order[0],
                                          .direction = (enum pof_direction)d};
            rc = curve(&j, q, r, (struct pof_supply){0}, err);
        }
        size_t end = root ? 0 : book->by_request.first[q + 1];
        for (size_t k = book->by_request.first[q]; rc == 0 && k < end; k++) {
            const struct pof_book_request *r = &book->request[book->by_request.at[k]];
            struct pof_supply s = {.request = r->record.id};
            POF_SET(&s, supply, request);
            rc = r->fed ? curve(&j, q, r->clear, s, err) : 0;
        }
    }
    job_release(&j);
    return rc;
}
