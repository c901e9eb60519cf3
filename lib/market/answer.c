/* SPDX-License-Identifier: Apache-2.0 */
/* Why requests are not met, from the reasons of the offers left in their areas. */
#include "market/explain.h"

#include "market/certificate.h"
#include "record/words.h"

#include <stdlib.h>

struct job {
    const struct pof_book *book;
    pof_on_answer *on;
    void *ctx;
    size_t quarter, n;             /* offers of it told so far */
    struct pof_explanation *told;  /* [offers] of the quarter-hour, in the order of the book's slice */
    struct pof_clear_offer *offer; /* the same as a problem */
    struct pof_clear_request *request;
    int64_t *taken, *unmet, *net; /* W; net by place of the forest */
    bool (*full)[2];              /* by node: the branch above it, by direction */
};

static int job_init(struct job *j, struct pof_err *err)
{
    const struct pof_book *b = j->book;
    int rc = pof_calloc(&j->told, b->offers, sizeof *j->told, err);
    rc = rc ? rc : pof_calloc(&j->offer, b->offers, sizeof *j->offer, err);
    rc = rc ? rc : pof_calloc(&j->taken, b->offers, sizeof *j->taken, err);
    rc = rc ? rc : pof_calloc(&j->request, b->requests, sizeof *j->request, err);
    rc = rc ? rc : pof_calloc(&j->unmet, b->requests, sizeof *j->unmet, err);
    rc = rc ? rc : pof_calloc(&j->net, b->forest.n, sizeof *j->net, err);
    return rc ? rc : pof_calloc(&j->full, b->forest.n, sizeof *j->full, err);
}

static void job_release(struct job *j)
{
    free(j->told);
    free(j->offer);
    free(j->taken);
    free(j->request);
    free(j->unmet);
    free(j->net);
    free(j->full);
}

static const struct pof_book_offer *offer_at(const struct job *j, size_t i)
{
    return &j->book->offer[j->book->by_offer.at[j->book->by_offer.first[j->quarter] + i]];
}

/* Which branches carry as much as they may. */
static void mark_full(struct job *j)
{
    const struct pof_forest *f = &j->book->forest;
    for (uint32_t i = 0; i < f->n; i++) {
        j->net[i] = 0;
        j->full[i][POF_UP] = j->full[i][POF_DOWN] = false;
    }
    for (size_t i = 0; i < j->n; i++) {
        j->net[f->pos[j->offer[i].node]] += j->offer[i].direction == POF_UP ? j->taken[i] : -j->taken[i];
    }
    for (uint32_t at = 0; at < f->n; at++) {
        if (f->up[at] != POF_NONE) {
            j->net[f->up[at]] += j->net[at];
        }
    }
    for (size_t i = j->book->limit_first[j->quarter]; i < j->book->limit_first[j->quarter + 1]; i++) {
        const struct pof_book_limit *l = &j->book->limit[i];
        j->full[l->node][POF_UP] |= j->net[f->pos[l->node]] == l->p_up_w;
        j->full[l->node][POF_DOWN] |= j->net[f->pos[l->node]] == -l->p_down_w;
    }
}

static bool inside(const struct pof_book *b, uint32_t node, const struct pof_clear_request *r)
{
    const struct pof_feeder *f = b->feeder;
    return r->own ? node == r->node
                  : f->place[node] >= f->place[r->node] && f->place[node] < f->past[r->node];
}

/* What keeps an offer, not taken whole, from a request; the full branch where the grid does. */
static enum pof_lack lack_of(const struct job *j, size_t i, int64_t pays, struct pof_answer *a)
{
    const struct pof_explanation *e = &j->told[i];
    const struct pof_tree *t = &j->book->feeder->tree;
    uint32_t v = j->offer[i].node;
    a->has &= ~(UINT64_C(1) << POF_BIT_answer_branch | UINT64_C(1) << POF_BIT_answer_congestion_ueur_mwh);
    if (e->why == POF_WHY_GRID) {
        POF_SET(a, answer, branch);
        POF_SET(a, answer, congestion_ueur_mwh);
        a->branch = e->branch;
        a->congestion_ueur_mwh = e->congestion_ueur_mwh;
        return POF_LACK_GRID;
    }
    if (e->why == POF_WHY_CHOICE || e->why == POF_WHY_ACTIVATION || e->why == POF_WHY_GATE) {
        return e->why == POF_WHY_GATE ? POF_LACK_GATE : POF_LACK_CHOICE;
    }
    while (e->price_ueur_mwh <= pays && v != POF_NONE && !j->full[v][j->offer[i].direction]) {
        v = t->parent[v];
    }
    if (e->price_ueur_mwh > pays || v == POF_NONE) { /* only another request can make it worth less */
        return e->price_ueur_mwh > pays ? POF_LACK_PRICE : POF_LACK_OPPOSED;
    }
    POF_SET(a, answer, branch);
    a->branch = j->book->feeder->grid->branch[t->parent_branch[v]].name;
    return POF_LACK_GRID;
}

/* The order in which reasons are told. */
static int weight(enum pof_lack lack)
{
    return lack == POF_LACK_GRID      ? 0
           : lack == POF_LACK_OPPOSED ? 1
           : lack == POF_LACK_CHOICE  ? 2
           : lack == POF_LACK_GATE    ? 3
           : lack == POF_LACK_PRICE   ? 4
                                      : 5;
}

static void find_reason(const struct job *j, const struct pof_clear_request *r, struct pof_answer *a)
{
    int64_t rank = 0;
    a->why = POF_LACK_NO_OFFERS;
    for (size_t i = 0; i < j->n; i++) {
        int64_t left = j->told[i].p_w - j->taken[i];
        if (j->offer[i].direction != r->direction || left == 0 || !inside(j->book, j->offer[i].node, r)) {
            continue;
        }
        struct pof_answer b = *a;
        enum pof_lack lack = lack_of(j, i, r->ceiling_ueur, &b);
        int64_t price = j->told[i].price_ueur_mwh;
        a->left_w += left;
        int order = weight(lack) - weight((enum pof_lack)a->why);
        order = order ? order : (price > a->offer_price_ueur_mwh) - (price < a->offer_price_ueur_mwh);
        if (order < 0 || (order == 0 && offer_at(j, i)->rank < rank)) {
            b.left_w = a->left_w;
            *a = b;
            POF_SET(a, answer, offer);
            POF_SET(a, answer, offer_price_ueur_mwh);
            a->why = (int)lack;
            a->offer = j->told[i].offer;
            a->offer_price_ueur_mwh = price;
            rank = offer_at(j, i)->rank;
        }
    }
}

static int answer(struct job *j, const struct pof_book_request *r, int64_t unmet, struct pof_err *err)
{
    struct pof_answer a = {.session = j->book->session.id,
                           .request = r->record.id,
                           .start = j->book->session.start + (int64_t)j->quarter * POF_QUARTER_S,
                           .duration_s = POF_QUARTER_S,
                           .asked_w = r->record.p_w,
                           .met_w = r->record.p_w - unmet,
                           .why = r->fed ? POF_LACK_NONE : POF_LACK_UNFED,
                           .price_ueur_mwh = r->clear.ceiling_ueur};
    a.standing = (int)(unmet == 0 ? POF_MET_MET : a.met_w > 0 ? POF_MET_PARTLY : POF_MET_UNMET);
    if (unmet > 0 && r->fed) {
        find_reason(j, &r->clear, &a);
    }
    return j->on(j->ctx, &a, err);
}

/* All offers of the quarter-hour are told: its requests. */
static int close_quarter(struct job *j, struct pof_err *err)
{
    const struct pof_book *b = j->book;
    size_t first = b->by_request.first[j->quarter], end = b->by_request.first[j->quarter + 1], k = 0;
    struct pof_clear_problem p = {
        .forest = &b->forest, .offer = j->offer, .offers = j->n, .request = j->request};
    for (size_t i = first; i < end; i++) {
        const struct pof_book_request *r = &b->request[b->by_request.at[i]];
        if (r->fed) {
            j->request[p.requests++] = r->clear;
        }
    }
    mark_full(j);
    int rc = pof_clear_unmet(&p, j->taken, j->unmet, err);
    for (size_t i = first; rc == 0 && i < end; i++) {
        const struct pof_book_request *r = &b->request[b->by_request.at[i]];
        rc = answer(j, r, r->fed ? j->unmet[k++] : r->record.p_w, err);
    }
    j->quarter++;
    j->n = 0;
    return rc;
}

static bool complete(const struct job *j)
{
    const size_t *first = j->book->by_offer.first;
    return j->quarter < j->book->quarters && j->n == first[j->quarter + 1] - first[j->quarter];
}

static int on_explanation(void *ctx, const struct pof_explanation *e, struct pof_err *err)
{
    struct job *j = ctx;
    int rc = 0;
    while (rc == 0 && complete(j)) { /* also quarter-hours without offers */
        rc = close_quarter(j, err);
    }
    const struct pof_book_offer *o = offer_at(j, j->n);
    j->told[j->n] = *e;
    j->offer[j->n] = (struct pof_clear_offer){.node = o->node,
                                              .direction = (enum pof_direction)o->direction,
                                              .p_w = e->p_w,
                                              .price_ueur = e->price_ueur_mwh,
                                              .rank = o->rank};
    j->taken[j->n++] = e->taken_w;
    return rc;
}

int pof_answer_run(struct pof_explain *x, pof_on_answer *on, void *ctx, struct pof_err *err)
{
    struct job j = {.book = x->book, .on = on, .ctx = ctx};
    int rc = job_init(&j, err);
    rc = rc ? rc : pof_explain_run(x, on_explanation, &j, err);
    while (rc == 0 && complete(&j)) {
        rc = close_quarter(&j, err);
    }
    job_release(&j);
    return rc;
}
