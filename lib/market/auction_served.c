/* SPDX-License-Identifier: Apache-2.0 */
/* What each request got in a quarter-hour: the sums of its awards, and how much of it is met. */
#include "market/auction_impl.h"

#include <stdlib.h>

int pofi_round_money(pof_wide paid, int64_t *ueur, struct pof_err *err)
{
    const int64_t per_ueur = POF_WS_PER_MWH / POF_QUARTER_S;
    pof_wide whole = paid / per_ueur, rest = paid % per_ueur;
    whole += 2 * rest > per_ueur || (2 * rest == per_ueur && whole % 2 != 0);
    if (whole > INT64_MAX) {
        return pof_fail(err, POF_E_OVERFLOW, "payments add up to more than 64 bits");
    }
    *ueur = (int64_t)whole;
    return 0;
}

/* The sums of a request, begun anew in each quarter-hour; beginning puts it on the list. */
static struct pofi_served *sums_of(struct pofi_served *sum, size_t q, uint32_t request, uint32_t *list,
                                   size_t *n)
{
    if (sum[request].quarter != q + 1) {
        sum[request] = (struct pofi_served){.quarter = q + 1};
        list[(*n)++] = request;
    }
    return &sum[request];
}

static int by_number(const void *pa, const void *pb)
{
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    return (a > b) - (a < b);
}

/* asked_w 0: only its blocks reach into this quarter-hour. */
static int hand_out(const struct pof_auction *a, const struct pofi_job *j, size_t q,
                    const struct pofi_served *sum, struct pof_served *r, struct pof_err *err)
{
    r->session = j->book->session.id;
    r->start = j->book->session.start + (int64_t)q * POF_QUARTER_S;
    r->duration_s = POF_QUARTER_S;
    r->awarded_w = sum->awarded_w;
    r->counter_w = sum->counter_w;
    int rc = pofi_round_money(sum->paid, &r->paid_ueur, err);
    return rc ? rc : a->on_served(a->served_ctx, r, err);
}

int pofi_hand_out_served(const struct pof_auction *a, const struct pofi_job *j, size_t q,
                         struct pofi_served *sum, struct pof_err *err)
{
    const struct pof_book *b = j->book;
    const struct pofi_quarter *x = &j->quarter[q];
    const uint32_t *at = b->by_request.at + b->by_request.first[q];
    size_t active = b->by_request.first[q + 1] - b->by_request.first[q], n = 0, k = 0, fed = 0;
    uint32_t *list;
    int rc = pof_calloc(&list, active + x->rows, sizeof *list, err);
    for (size_t i = 0; rc == 0 && i < active; i++) {
        sums_of(sum, q, at[i], list, &n);
    }
    for (size_t i = 0; rc == 0 && i < x->rows; i++) {
        struct pofi_served *s = sums_of(sum, q, x->row[i].request, list, &n);
        *(x->row[i].why == POF_AWARD_COUNTER ? &s->counter_w : &s->awarded_w) += x->row[i].p_w;
        s->paid += (pof_wide)x->row[i].p_w * x->row[i].price_ueur;
    }
    if (rc == 0 && n > 1) {
        qsort(list, n, sizeof *list, by_number);
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct pof_book_request *r = &b->request[list[i]];
        struct pof_served record = {.request = r->record.id};
        if (k < active && at[k] == list[i]) { /* both in order of the book */
            record.asked_w = r->record.p_w;
            record.met_w = r->fed ? r->record.p_w - x->lack_w[fed++] : 0;
            k++;
        }
        rc = hand_out(a, j, q, &sum[list[i]], &record, err);
    }
    free(list);
    return rc;
}
