/* SPDX-License-Identifier: Apache-2.0 */
/* What requests want to have ready beyond what they get (their reliability margin): the quarter-hour
 * cleared once more on top of what is taken, with those requests so much larger. */
#include "market/auction_impl.h"
#include "market/quarter.h"

#include <stdlib.h>
#include <string.h>

enum { PERMILLE = 1000 };

static int64_t margin_of(const struct pof_book_request *r)
{
    int64_t share = POF_HAS(&r->record, request, reserve_permille) ? r->record.reserve_permille : 0;
    return (r->record.p_w * share + PERMILLE - 1) / PERMILLE; /* both bounded by records.def */
}

/* The problem once more, with what is taken frozen; and the margins alone, to share out what is
 * added. Arrays of n requests each, of the caller. */
static void enlarge(const struct pofi_job *j, const struct pofi_slot *s,
                    struct pof_clear_problem *all, struct pof_clear_problem *margins,
                    struct pof_clear_request *request)
{
    size_t n = s->problem.requests;
    *all = *margins = s->problem;
    all->request = request;
    margins->request = request + n;
    margins->requests = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t more = margin_of(&j->book->request[s->request_of[i]]);
        request[i] = s->request[i];
        request[i].p_w += more;
        if (more > 0) {
            request[n + margins->requests] = s->request[i];
            request[n + margins->requests++].p_w = more;
        }
    }
}

/* Which request of the slot the k-th with a margin is. */
static uint32_t request_with_margin(const struct pofi_job *j, const struct pofi_slot *s, uint32_t k)
{
    size_t i = 0;
    for (;; i++) {
        if (margin_of(&j->book->request[s->request_of[i]]) > 0 && k-- == 0) {
            return s->request_of[i];
        }
    }
}

static int make_rows(const struct pofi_job *j, const struct pofi_slot *s,
                     const struct pof_shares *shares, struct pofi_quarter *out, struct pof_err *err)
{
    int rc = pof_calloc(&out->reserve, shares->n, sizeof *out->reserve, err);
    for (size_t i = 0; rc == 0 && i < shares->n; i++) {
        const struct pof_share *x = &shares->share[i];
        uint32_t offer = s->offer_of[x->offer];
        out->reserve[out->reserves++] =
            (struct pofi_row){.request = request_with_margin(j, s, x->request),
                              .offer = offer,
                              .p_w = x->p_w,
                              .price_ueur = j->book->offer[offer].price_ueur_mwh,
                              .why = POF_AWARD_RESERVE};
    }
    return rc;
}

static int alloc_result(const struct pofi_job *j, size_t offers, struct pof_clear_result *r,
                        struct pof_err *err)
{
    size_t nodes = j->book->forest.n;
    int rc = pof_calloc(&r->taken_w, offers, sizeof *r->taken_w, err);
    rc = rc ? rc : pof_calloc(&r->node_price_ueur, nodes, sizeof *r->node_price_ueur, err);
    rc = rc ? rc : pof_calloc(&r->own_price_ueur, nodes, sizeof *r->own_price_ueur, err);
    rc = rc ? rc : pof_calloc(&r->node_cost, nodes, sizeof *r->node_cost, err);
    return rc ? rc : pof_calloc(&r->own_cost, nodes, sizeof *r->own_cost, err);
}

int pofi_reserve(const struct pofi_job *j, unsigned worker, const struct pofi_slot *s,
                 struct pofi_quarter *out, struct pof_err *err)
{
    struct pof_clear_problem all, margins;
    struct pof_clear_request *request = NULL;
    struct pof_clear_result r = {0};
    struct pof_shares shares = {0};
    int rc = pof_calloc(&request, s->problem.requests * 2, sizeof *request, err);
    if (rc == 0) {
        enlarge(j, s, &all, &margins, request);
    }
    if (rc == 0 && margins.requests > 0) {
        rc = alloc_result(j, s->problem.offers, &r, err);
        rc = rc ? rc : pofi_solve(j, worker, &all, &r, err);
        for (size_t i = 0; rc == 0 && i < s->problem.offers; i++) {
            r.taken_w[i] -= s->result.taken_w[i];
        }
        rc = rc ? rc : pof_attribute(&margins, r.taken_w, &shares, err);
        rc = rc ? rc : make_rows(j, s, &shares, out, err);
    }
    for (size_t i = 0; rc == 0 && i < margins.requests; i++) {
        out->reserve_asked_w += margins.request[i].p_w;
    }
    free(request);
    free(r.taken_w);
    free(r.node_price_ueur);
    free(r.own_price_ueur);
    free(r.node_cost);
    free(r.own_cost);
    free(shares.share);
    return rc;
}

/* Numbers count the reserves of one offer in the quarter-hour; they are few. */
static unsigned number_of(const struct pofi_quarter *x, size_t i)
{
    unsigned n = 1;
    for (size_t k = 0; k < i; k++) {
        n += x->reserve[k].offer == x->reserve[i].offer;
    }
    return n;
}

int pofi_hand_out_reserve(struct pof_auction *a, const struct pofi_job *j, size_t q,
                          struct pof_err *err)
{
    const struct pofi_quarter *x = &j->quarter[q];
    struct pof_buf id = {0};
    char name[POF_QUARTER_NAME + 1];
    pof_quarter_name(j->book->session.start + (int64_t)q * POF_QUARTER_S, name);
    int rc = pof_add(&a->reserve_asked_wq, x->reserve_asked_w, err);
    for (size_t i = 0; rc == 0 && i < x->reserves; i++) {
        struct pof_award award = pofi_award_of(j->book, &x->reserve[i], q);
        unsigned n = number_of(x, i);
        id.len = 0;
        rc = pof_buf_addf(&id, err, "%.*s:%.*s:%s:r", (int)award.session.len, award.session.ptr,
                          (int)award.offer.len, award.offer.ptr, name);
        rc = rc || n == 1 ? rc : pof_buf_addf(&id, err, "%u", n);
        award.id = (struct pof_text){id.data, id.len};
        rc = rc ? rc : pof_add(&a->reserve_wq, award.p_w, err);
        rc = rc ? rc : a->on_reserve(a->reserve_ctx, &award, err);
    }
    pof_buf_release(&id);
    return rc;
}
