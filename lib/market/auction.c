/* SPDX-License-Identifier: Apache-2.0 */
/* Quarter-hours cleared in parallel, awards handed out in order. */
#include "market/auction.h"

#include "base/par.h"
#include "market/attribute.h"
#include "market/auction_impl.h"
#include "market/certificate.h"
#include "market/lp.h"
#include "market/prorata.h"
#include "market/quarter.h"
#include "record/words.h"

#include <stdlib.h>
#include <string.h>

/* --- one quarter-hour --- */

void pofi_slot_release(struct pofi_slot *s)
{
    free(s->offer);
    free(s->request);
    free(s->limit);
    free(s->request_of);
    free(s->result.taken_w);
    free(s->result.node_price_ueur);
    free(s->result.own_price_ueur);
    free(s->result.node_cost);
    free(s->result.own_cost);
    free(s->shares.share);
}

static int slot_alloc(struct pofi_slot *s, const struct pof_book *b, size_t q, struct pof_err *err)
{
    size_t offers = b->by_offer.first[q + 1] - b->by_offer.first[q];
    size_t requests = b->by_request.first[q + 1] - b->by_request.first[q];
    size_t limits = b->limit_first[q + 1] - b->limit_first[q], nodes = b->forest.n;
    int rc = pof_alloc(&s->offer, offers, sizeof *s->offer, err);
    rc = rc ? rc : pof_calloc(&s->request, requests, sizeof *s->request, err);
    rc = rc ? rc : pof_calloc(&s->request_of, requests, sizeof *s->request_of, err);
    rc = rc ? rc : pof_alloc(&s->limit, limits, sizeof *s->limit, err);
    rc = rc ? rc : pof_calloc(&s->result.taken_w, offers, sizeof(int64_t), err);
    rc = rc ? rc : pof_calloc(&s->result.node_price_ueur, nodes, sizeof(int64_t), err);
    rc = rc ? rc : pof_calloc(&s->result.own_price_ueur, nodes, sizeof(int64_t), err);
    s->problem = (struct pof_clear_problem){.forest = &b->forest,
                                            .offer = s->offer,
                                            .offers = offers,
                                            .request = s->request,
                                            .limit = s->limit,
                                            .limits = limits};
    return rc;
}

static bool pro_rata(const struct pofi_job *j)
{
    return j->book->rules.tie == POF_TIE_RULE_PRO_RATA;
}

/* Ties are wanted with prices and for equal shares; a linear program has none. */
static int slot_alloc_costs(struct pofi_slot *s, const struct pofi_job *j, struct pof_err *err)
{
    if (!j->auction->on_price && !pro_rata(j)) {
        return 0;
    }
    int rc = pof_calloc(&s->result.node_cost, j->book->forest.n, sizeof(pof_wide), err);
    return rc ? rc : pof_calloc(&s->result.own_cost, j->book->forest.n, sizeof(pof_wide), err);
}

static void slot_fill(struct pofi_slot *s, const struct pof_book *b, size_t q,
                      struct pofi_quarter *out)
{
    s->offer_of = &b->by_offer.at[b->by_offer.first[q]];
    enum { AHEAD = 16 }; /* in the order of cost they lie anywhere */
    for (size_t i = 0; i < s->problem.offers; i++) {
        const struct pof_book_offer *o = &b->offer[s->offer_of[i]];
        __builtin_prefetch(&b->offer[s->offer_of[i + AHEAD < s->problem.offers ? i + AHEAD : i]]);
        s->offer[i] = (struct pof_clear_offer){.node = o->node,
                                               .direction = (enum pof_direction)o->direction,
                                               .p_w = o->p_w,
                                               .price_ueur = o->price_ueur_mwh,
                                               .rank = o->rank};
    }
    for (size_t k = b->by_request.first[q]; k < b->by_request.first[q + 1]; k++) {
        const struct pof_book_request *r = &b->request[b->by_request.at[k]];
        out->requested_w += r->record.p_w;
        if (!r->fed) {
            out->unmet_w += r->record.p_w;
            continue;
        }
        s->request_of[s->problem.requests] = b->by_request.at[k];
        s->request[s->problem.requests++] = r->clear;
    }
    for (size_t i = 0; i < s->problem.limits; i++) {
        const struct pof_book_limit *l = &b->limit[b->limit_first[q] + i];
        s->limit[i] = (struct pof_clear_limit){l->node, l->p_up_w, l->p_down_w};
    }
}

int pofi_slot_open(struct pofi_slot *s, const struct pofi_job *j, size_t q, struct pof_err *err)
{
    int rc = slot_alloc(s, j->book, q, err);
    rc = rc ? rc : slot_alloc_costs(s, j, err);
    if (rc == 0) {
        slot_fill(s, j->book, q, &j->quarter[q]);
    }
    return rc;
}

int pofi_solve(const struct pofi_job *j, unsigned worker, const struct pof_clear_problem *p,
               struct pof_clear_result *result, struct pof_err *err)
{
    struct pof_certificate_answer answer;
    int rc = j->auction->method == POF_CLEAR_LP
                 ? pof_lp_solve(p, result, err)
                 : pof_clear_solve(j->clearing[worker], p, result, err);
    rc = rc || !pro_rata(j) ? rc : pof_pro_rata(p, result, err);
    rc = rc ? rc : pof_clear_certify(p, result, &answer, err);
    if (rc == 0 && answer.status != POF_CERTIFIED) {
        return pof_fail(err, POF_E_INTERNAL, "clearing is not certified: fault %d at %zu",
                        (int)answer.status, answer.where);
    }
    return rc;
}

/* The problem with the requests of a pass only; *request is theirs, of the caller. */
int pofi_slot_part(const struct pofi_job *j, const struct pofi_slot *s, enum pofi_pass pass,
                   struct pof_clear_problem *part, struct pof_clear_request **request,
                   struct pof_err *err)
{
    *part = s->problem;
    int rc = pof_calloc(request, s->problem.requests, sizeof **request, err);
    if (rc == 0) {
        part->request = *request;
        part->requests = 0;
    }
    for (size_t i = 0; rc == 0 && i < s->problem.requests; i++) {
        if (pass == POFI_PASS_ALL || j->book->request[s->request_of[i]].record.role == (int)pass) {
            (*request)[part->requests++] = s->request[i];
        }
    }
    return rc;
}

/* On top of what earlier passes took. */
int pofi_slot_pass(const struct pofi_job *j, unsigned worker, struct pofi_slot *s,
                   enum pofi_pass pass, struct pof_err *err)
{
    struct pof_clear_problem part;
    struct pof_clear_request *request = NULL;
    int rc = pofi_slot_part(j, s, pass, &part, &request, err);
    rc = rc ? rc : pofi_solve(j, worker, &part, &s->result, err);
    rc = rc ? rc : pof_clear_cost(&part, s->result.taken_w, &s->cost[pass == POFI_PASS_TSO], err);
    for (size_t i = 0; rc == 0 && i < part.offers; i++) {
        s->offer[i].frozen_w = s->result.taken_w[i];
    }
    free(request);
    return rc;
}

static int solve_slot(const struct pofi_job *j, unsigned worker, struct pofi_slot *s,
                      struct pof_err *err)
{
    if (j->book->rules.sequence == POF_SEQUENCE_JOINT) {
        return pofi_slot_pass(j, worker, s, POFI_PASS_ALL, err);
    }
    int rc = pofi_slot_pass(j, worker, s, POFI_PASS_DSO, err);
    return rc ? rc : pofi_slot_pass(j, worker, s, POFI_PASS_TSO, err);
}

static int add_unmet(const struct pofi_slot *s, struct pofi_quarter *out, struct pof_err *err)
{
    int rc = pof_calloc(&out->lack_w, s->problem.requests, sizeof *out->lack_w, err);
    rc = rc ? rc : pof_clear_unmet(&s->problem, s->result.taken_w, out->lack_w, err);
    for (size_t i = 0; rc == 0 && i < s->problem.requests; i++) {
        out->unmet_w += out->lack_w[i];
    }
    return rc;
}

static int make_rows(const struct pofi_job *j, const struct pofi_slot *s, struct pofi_quarter *out,
                     struct pof_err *err)
{
    int rc = pof_calloc(&out->row, s->shares.n, sizeof *out->row, err);
    for (size_t i = 0; rc == 0 && i < s->shares.n; i++) {
        const struct pof_share *x = &s->shares.share[i];
        uint32_t offer = s->offer_of[x->offer];
        out->row[out->rows++] =
            (struct pofi_row){.request = out->unasked ? 0 : s->request_of[x->request],
                              .offer = offer,
                              .p_w = x->p_w,
                              .price_ueur = j->book->offer[offer].price_ueur_mwh,
                              .why = x->why};
    }
    return rc;
}

/* Where nothing is asked only blocks are taken, for other quarter-hours, and what makes room for them:
 * their request is found later. */
static int make_unasked(const struct pofi_slot *s, struct pof_shares *out, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s->problem.offers; i++) {
        if (s->result.taken_w[i] > 0) {
            rc = pof_grow(&out->share, &out->cap, out->n + 1, sizeof *out->share, err);
            if (rc == 0) {
                out->share[out->n++] =
                    (struct pof_share){0, POF_AWARD_COUNTER, i, s->result.taken_w[i]};
            }
        }
    }
    return rc;
}

/* --- prices --- */

/* Net activation by node: own offers, and whole subtrees behind them. */
static int net_flows(const struct pofi_slot *s, int64_t **net, struct pof_err *err)
{
    const struct pof_forest *f = s->problem.forest;
    int rc = pof_calloc(net, (size_t)f->n * 2, sizeof **net, err);
    for (size_t i = 0; rc == 0 && i < s->problem.offers; i++) {
        int64_t q = s->result.taken_w[i];
        (*net)[s->offer[i].node] += s->offer[i].direction == POF_UP ? q : -q;
    }
    int64_t *below = rc == 0 ? *net + f->n : NULL;
    for (uint32_t at = 0; rc == 0 && at < f->n; at++) {
        below[f->node[at]] += (*net)[f->node[at]];
        if (f->up[at] != POF_NONE) {
            below[f->node[f->up[at]]] += below[f->node[at]];
        }
    }
    return rc;
}

/* Where prices can differ from those around: bit 0 below, bit 1 own. */
static int mark_levels(const struct pofi_slot *s, unsigned char **mark, size_t *n,
                       struct pof_err *err)
{
    int rc = pof_calloc(mark, s->problem.forest->n, 1, err);
    for (size_t i = 0; rc == 0 && i < s->problem.limits; i++) {
        (*mark)[s->limit[i].node] |= 1;
    }
    for (size_t i = 0; rc == 0 && i < s->problem.requests; i++) {
        (*mark)[s->request[i].node] |= s->request[i].own ? 2 : 1;
    }
    for (uint32_t v = 0; rc == 0 && v < s->problem.forest->n; v++) {
        *n += (size_t)((*mark)[v] & 1) + (size_t)((*mark)[v] >> 1);
    }
    return rc;
}

static struct pof_marginal marginal_at(const struct pofi_slot *s, bool own, uint32_t node,
                                       bool ties)
{
    const int64_t *price = own ? s->result.own_price_ueur : s->result.node_price_ueur;
    if (ties) {
        return pof_marginal_of((own ? s->result.own_cost : s->result.node_cost)[node]);
    }
    return (struct pof_marginal){.price_ueur = price[node]};
}

static int make_levels(const struct pofi_job *j, const struct pofi_slot *s,
                       struct pofi_quarter *out, struct pof_err *err)
{
    const struct pof_forest *f = s->problem.forest;
    bool ties = j->auction->method == POF_CLEAR_TREE;
    unsigned char *mark = NULL;
    int64_t *net = NULL;
    size_t n = 0;
    int rc = mark_levels(s, &mark, &n, err);
    rc = rc ? rc : net_flows(s, &net, err);
    rc = rc ? rc : pof_calloc(&out->level, n, sizeof *out->level, err);
    for (uint32_t at = f->n; rc == 0 && at-- > 0;) {
        uint32_t v = f->node[at];
        struct pofi_level x = {.node = v, .scope = POF_SCOPE_BELOW, .net_w = net[f->n + v]};
        x.here = marginal_at(s, false, v, ties);
        if (f->up[at] != POF_NONE) {
            x.outer = marginal_at(s, false, f->node[f->up[at]], ties);
        }
        if (mark[v] & 1) {
            out->level[out->levels++] = x;
        }
        if (mark[v] & 2) {
            out->level[out->levels++] = (struct pofi_level){.node = v,
                                                            .scope = POF_SCOPE_OWN,
                                                            .net_w = net[v],
                                                            .here = marginal_at(s, true, v, ties),
                                                            .outer = x.here};
        }
    }
    free(mark);
    free(net);
    return rc;
}

/* --- a quarter-hour, from the book to its rows --- */

int pofi_slot_book(const struct pofi_job *j, unsigned worker, struct pofi_slot *s,
                   struct pofi_quarter *out, struct pof_err *err)
{
    out->unasked = s->problem.requests == 0;
    int rc = out->unasked ? make_unasked(s, &s->shares, err)
                          : pof_attribute(&s->problem, s->result.taken_w, &s->shares, err);
    rc = rc ? rc : add_unmet(s, out, err);
    rc = rc ? rc : make_rows(j, s, out, err);
    rc = rc || !j->auction->on_price ? rc : make_levels(j, s, out, err);
    rc = rc ? rc : pofi_price_rows(j, s, out, err);
    rc = rc || !j->auction->on_reserve ? rc : pofi_reserve(j, worker, s, out, err);
    memcpy(out->cost, s->cost, sizeof out->cost);
    return rc;
}

static int clear_quarter(void *ctx, unsigned worker, size_t i, struct pof_err *err)
{
    struct pofi_job *j = ctx;
    size_t q = j->from + i;
    struct pofi_slot s = {0};
    int rc = pofi_slot_open(&s, j, q, err);
    rc = rc ? rc : solve_slot(j, worker, &s, err);
    rc = rc || j->book->loops.n == 0 ? rc : pofi_slot_loops(j, worker, &s, q, err);
    rc = rc ? rc : pofi_slot_book(j, worker, &s, &j->quarter[q], err);
    pofi_slot_release(&s);
    return rc;
}

/* --- awards --- */

/* Awards are numbered within their offer and quarter-hour. */
struct numbering {
    uint32_t quarter; /* counted from 1; 0: never */
    uint32_t n;
};

/* quarter: the name of the quarter-hour, the same for all of its awards. */
static int award_id(struct pof_buf *id, const struct pof_award *award, const char *quarter,
                    unsigned n, struct pof_err *err)
{
    const size_t session = award->session.len, offer = award->offer.len;
    id->len = 0;
    int rc = pof_buf_reserve(id, session + offer + POF_QUARTER_NAME + 2, err);
    if (rc == 0) {
        char *p = id->data;
        memcpy(p, award->session.ptr, session);
        p[session] = ':';
        memcpy(p + session + 1, award->offer.ptr, offer);
        p[session + 1 + offer] = ':';
        memcpy(p + session + offer + 2, quarter, POF_QUARTER_NAME);
        id->len = session + offer + POF_QUARTER_NAME + 2;
    }
    return rc || n == 1 ? rc : pof_buf_addf(id, err, ":%u", n);
}

static int hand_out(struct pof_auction *a, const struct pof_award *award, struct pof_err *err)
{
    int64_t *sum = award->direction == POF_UP ? &a->up_wq : &a->down_wq;
    int rc = a->on_award(a->ctx, award, err);
    rc = rc ? rc : pof_add(sum, award->p_w, err);
    a->paid += (pof_wide)award->p_w * award->price_ueur_mwh;
    a->awards++;
    return rc;
}

struct pof_award pofi_award_of(const struct pof_book *b, const struct pofi_row *x, size_t quarter)
{
    const struct pof_book_offer *o = &b->offer[x->offer];
    const struct pof_book_terms *t = &b->terms[x->offer];
    const struct pof_request *r = &b->request[x->request].record;
    return (struct pof_award){.session = b->session.id,
                              .request = r->id,
                              .offer = pof_book_id(t),
                              .pod = pof_book_pod(t),
                              .node = b->feeder->grid->node[o->node].name,
                              .buyer = r->buyer,
                              .role = r->role,
                              .seller = b->seller_ids.text[t->seller],
                              .direction = o->direction,
                              .start = b->session.start + (int64_t)quarter * POF_QUARTER_S,
                              .duration_s = POF_QUARTER_S,
                              .p_w = x->p_w,
                              .offer_price_ueur_mwh = o->price_ueur_mwh,
                              .price_ueur_mwh = x->price_ueur,
                              .why = (int)x->why};
}

static int hand_out_prices(const struct pof_auction *a, const struct pofi_job *j, size_t q,
                           struct pof_err *err)
{
    const struct pof_book *b = j->book;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < j->quarter[q].levels; i++) {
        const struct pofi_level *x = &j->quarter[q].level[i];
        struct pof_node_price p = {.session = b->session.id,
                                   .node = b->feeder->grid->node[x->node].name,
                                   .scope = (int)x->scope,
                                   .start = b->session.start + (int64_t)q * POF_QUARTER_S,
                                   .duration_s = POF_QUARTER_S,
                                   .net_w = x->net_w,
                                   .price_ueur_mwh = x->here.price_ueur,
                                   .step_ueur_mwh = x->outer.price_ueur - x->here.price_ueur,
                                   .tie_unmet = x->here.unmet,
                                   .tie_rank = x->here.rank,
                                   .step_unmet = x->outer.unmet - x->here.unmet,
                                   .step_rank = x->outer.rank - x->here.rank};
        if (a->method == POF_CLEAR_TREE) {
            POF_SET(&p, node_price, tie_unmet);
            POF_SET(&p, node_price, step_unmet);
        }
        if (a->method == POF_CLEAR_TREE && !pro_rata(j)) { /* ranks explain no equal shares */
            POF_SET(&p, node_price, tie_rank);
            POF_SET(&p, node_price, step_rank);
        }
        rc = a->on_price(a->price_ctx, &p, err);
    }
    return rc;
}

/* What handing out keeps from quarter-hour to quarter-hour. */
struct handing {
    struct numbering *number; /* [offers] */
    struct pofi_served *served; /* [requests] */
    struct pof_buf id;
};

/* Offers of awards lie anywhere: their memory is asked for some rows before, in two steps. */
static void fetch_row(const struct pofi_job *j, const struct handing *h, const struct pofi_quarter *x, size_t i)
{
    enum { NEAR = 6, FAR = 12 };
    const struct pof_book *b = j->book;
    if (i + FAR < x->rows) {
        uint32_t far = x->row[i + FAR].offer, near = x->row[i + NEAR].offer;
        __builtin_prefetch(&b->offer[far]);
        __builtin_prefetch(&b->terms[far]);
        __builtin_prefetch(&h->number[far], 1);
        __builtin_prefetch(&b->feeder->grid->node[b->offer[near].node].name);
        __builtin_prefetch(b->terms[near].id);
        __builtin_prefetch(b->terms[near].pod);
    }
}

static int hand_out_quarter(struct pof_auction *a, const struct pofi_job *j, size_t q,
                            struct handing *h, struct pof_err *err)
{
    const struct pof_book *b = j->book;
    const struct pofi_quarter *x = &j->quarter[q];
    char name[POF_QUARTER_NAME + 1];
    pof_quarter_name(b->session.start + (int64_t)q * POF_QUARTER_S, name);
    int rc = pof_add(&a->requested_wq, x->requested_w, err);
    rc = rc ? rc : pof_add(&a->unmet_wq, x->unmet_w, err);
    a->pass[0].cost += x->cost[0];
    a->pass[1].cost += x->cost[1];
    a->gap += x->gap;
    a->pass[0].open += x->gap > 0;
    for (size_t i = 0; rc == 0 && i < x->rows; i++) {
        fetch_row(j, h, x, i);
        struct numbering *k = &h->number[x->row[i].offer];
        struct pof_award award = pofi_award_of(b, &x->row[i], q);
        *k = (struct numbering){(uint32_t)q + 1, k->quarter == q + 1 ? k->n + 1 : 1};
        rc = award_id(&h->id, &award, name, k->n, err);
        award.id = (struct pof_text){h->id.data, h->id.len};
        rc = rc ? rc : hand_out(a, &award, err);
    }
    rc = rc ? rc : pofi_hand_out_singles(a, j, q, err);
    rc = rc || !a->on_reserve ? rc : pofi_hand_out_reserve(a, j, q, err);
    rc = rc ? rc : hand_out_prices(a, j, q, err);
    return rc || !a->on_served ? rc : pofi_hand_out_served(a, j, q, h->served, err);
}

/* --- all of it --- */

static void quarter_release(struct pofi_quarter *x)
{
    free(x->row);
    free(x->level);
    free(x->single);
    free(x->reserve);
    free(x->lack_w);
    x->single = NULL;
    x->reserve = NULL;
    x->row = NULL;
    x->lack_w = NULL;
    x->level = NULL;
}

static void job_release(struct pofi_job *j, unsigned threads)
{
    for (unsigned t = 0; j->clearing && t < threads; t++) {
        pof_clearing_free(j->clearing[t]);
    }
    for (size_t q = 0; j->quarter && q < j->book->quarters; q++) {
        quarter_release(&j->quarter[q]);
    }
    for (size_t q = 0; j->slot && q < j->book->quarters; q++) {
        pofi_slot_release(&j->slot[q]);
    }
    free(j->slot);
    free(j->decided.on);
    pof_book_units_release(&j->units);
    free(j->clearing);
    free(j->quarter);
    pofi_prices_close(j);
}

/* A few quarter-hours at a time, so that the awards of a long session are never held together;
 * decisions that tie quarter-hours together need all of them. */
static int clear_and_hand_out(struct pof_auction *a, struct pofi_job *j, unsigned threads,
                              struct pof_err *err)
{
    enum { AT_ONCE = 4 }; /* for each thread */
    struct handing h = {0};
    int rc = pof_calloc(&h.number, j->book->offers, sizeof *h.number, err);
    rc = rc || !a->on_served ? rc : pof_calloc(&h.served, j->book->requests, sizeof *h.served, err);
    size_t batch = a->units > 0 ? j->to : (size_t)threads * AT_ONCE;
    for (; rc == 0 && j->from < j->to; j->from += batch) {
        size_t n = j->to - j->from < batch ? j->to - j->from : batch;
        rc = a->units > 0 ? pofi_clear_decided(j, threads, err)
                          : pof_parallel(n, threads, clear_quarter, j, err);
        for (size_t q = j->from; q < j->from + n; q++) {
            rc = rc ? rc : hand_out_quarter(a, j, q, &h, err);
            quarter_release(&j->quarter[q]);
        }
    }
    rc = rc ? rc : pofi_round_money(a->paid, &a->paid_ueur, err);
    pof_buf_release(&h.id);
    free(h.number);
    free(h.served);
    return rc;
}

/* Quarter-hours [j->from, j->to). */
static int run(struct pof_auction *a, struct pofi_job *j, struct pof_err *err)
{
    /* GLPK serves one thread. */
    bool solver = a->method == POF_CLEAR_LP || j->book->loops.n > 0;
    unsigned threads = a->threads == 0 || solver ? 1 : a->threads;
    if (a->method == POF_CLEAR_LP && j->book->rules.tie != POF_TIE_RULE_TIME) {
        return pof_fail(err, POF_E_USAGE, "a linear program has no ties; use the tree method");
    }
    if (a->on_price && j->book->rules.sequence != POF_SEQUENCE_JOINT) {
        return pof_fail(err, POF_E_USAGE,
                        "prices belong to the joint optimum; of a sequence there "
                        "are none");
    }
    size_t quarters = j->to - j->from;
    int rc = pof_calloc(&j->clearing, threads, sizeof(struct pof_clearing *), err);
    rc = rc ? rc : pof_calloc(&j->quarter, j->book->quarters, sizeof *j->quarter, err);
    for (unsigned t = 0; rc == 0 && t < threads; t++) {
        rc = pof_clearing_new(&j->clearing[t], err);
    }
    rc = rc ? rc : pofi_prices_open(j, err);
    rc = rc ? rc : pof_book_units_build(&j->units, j->book, err);
    a->units = j->units.units;
    rc = rc ? rc : pofi_loops_check(j, err);
    rc = rc ? rc : clear_and_hand_out(a, j, threads, err);
    a->passes = j->book->rules.sequence == POF_SEQUENCE_JOINT ? 1 : 2;
    for (unsigned k = 0; k < a->passes && a->units == 0; k++) {
        a->pass[k].bound = a->pass[k].cost - a->gap; /* certified; loops: proven */
        a->pass[k].parts += (uint32_t)quarters;
    }
    job_release(j, threads);
    return rc;
}

int pof_auction_run(struct pof_auction *a, const struct pof_book *book, struct pof_err *err)
{
    struct pofi_job j = {.auction = a, .book = book, .tally = a, .to = book->quarters};
    return run(a, &j, err);
}

int pof_auction_quarter(struct pof_auction *a, const struct pof_book *book, uint32_t quarter,
                        struct pof_err *err)
{
    struct pofi_job j = {
        .auction = a, .book = book, .tally = a, .from = quarter, .to = (size_t)quarter + 1};
    if (a->on_price) {
        return pof_fail(err, POF_E_USAGE,
                        "prices have ties among the offers of the whole session; a stream has none");
    }
    return run(a, &j, err);
}

int64_t pof_auction_gap_ppm(const struct pof_auction_pass *x)
{
    pof_wide gap = x->cost - x->bound;
    return gap <= 0 ? 0 : (int64_t)((gap * 1000000 + x->cost - 1) / x->cost);
}

int pof_auction_record(const struct pof_auction *a, const struct pof_book *book, unsigned pass,
                       struct pof_cleared *record, struct pof_err *err)
{
    const struct pof_auction_pass *x = &a->pass[pass];
    const int64_t per_ueur = POF_WS_PER_MWH / POF_QUARTER_S;
    if (x->cost > (pof_wide)INT64_MAX * per_ueur - per_ueur) {
        return pof_fail(err, POF_E_OVERFLOW, "the cost is more than 64 bits of 1e-6 EUR");
    }
    *record = (struct pof_cleared){.session = book->session.id,
                                   .pass = (int64_t)pass + 1,
                                   .cost_ueur = (int64_t)((x->cost + per_ueur - 1) / per_ueur),
                                   .bound_ueur = (int64_t)(x->bound / per_ueur),
                                   .gap_ppm = pof_auction_gap_ppm(x),
                                   .decisions = (int64_t)a->units,
                                   .taken = (int64_t)a->units_taken,
                                   .nodes = (int64_t)x->nodes,
                                   .parts = x->parts,
                                   .open = x->open};
    return 0;
}
