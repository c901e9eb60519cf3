/* SPDX-License-Identifier: Apache-2.0 */
/* Quarter-hours cleared in parallel, awards handed out in order. */
#include "market/auction.h"

#include "base/par.h"
#include "market/attribute.h"
#include "market/book_block.h"
#include "market/certificate.h"
#include "market/lp.h"
#include "market/quarter.h"
#include "record/words.h"

#include <stdlib.h>
#include <string.h>

/* One award before it gets its texts. */
struct row {
    uint32_t request, offer; /* indices in the book */
    int64_t p_w, price_ueur;
    enum pof_award_why why;
};

/* What one quarter-hour came to. */
struct quarter {
    struct row *row; /* owned */
    size_t rows;
    int64_t requested_w, unmet_w;
    pof_wide cost[2];
    bool unasked; /* rows do not say for which request */
};

/* --- one quarter-hour --- */

/* A quarter-hour as a problem, its arrays, and a result. */
struct slot {
    struct pof_clear_problem problem;
    struct pof_clear_offer *offer;
    struct pof_clear_request *request;
    struct pof_clear_limit *limit;
    uint32_t *request_of; /* index in the book of each request */
    const uint32_t *offer_of;
    struct pof_clear_result result;
    pof_wide cost[2]; /* of the passes */
    struct pof_shares shares;
};

struct job {
    const struct pof_auction *auction;
    const struct pof_book *book;
    struct pof_clearing **clearing; /* [threads] */
    struct quarter *quarter;        /* [quarters] */
    struct slot *slot;              /* [quarters]; NULL: no decisions, one at a time */
    struct pof_book_units units;
    struct pof_decided decided;
    struct pof_auction *tally; /* the auction, for what comes of it */
    int pass;
};

static void slot_release(struct slot *s)
{
    free(s->offer);
    free(s->request);
    free(s->limit);
    free(s->request_of);
    free(s->result.taken_w);
    free(s->result.node_price_ueur);
    free(s->result.own_price_ueur);
    free(s->shares.share);
}

static int slot_alloc(struct slot *s, const struct pof_book *b, size_t q, struct pof_err *err)
{
    size_t offers = b->by_offer.first[q + 1] - b->by_offer.first[q];
    size_t requests = b->by_request.first[q + 1] - b->by_request.first[q];
    size_t limits = b->limit_first[q + 1] - b->limit_first[q], nodes = b->forest.n;
    int rc = pof_calloc(&s->offer, offers, sizeof *s->offer, err);
    rc = rc ? rc : pof_calloc(&s->request, requests, sizeof *s->request, err);
    rc = rc ? rc : pof_calloc(&s->request_of, requests, sizeof *s->request_of, err);
    rc = rc ? rc : pof_calloc(&s->limit, limits, sizeof *s->limit, err);
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

static void slot_fill(struct slot *s, const struct pof_book *b, size_t q, struct quarter *out)
{
    s->offer_of = &b->by_offer.at[b->by_offer.first[q]];
    for (size_t i = 0; i < s->problem.offers; i++) {
        const struct pof_book_offer *o = &b->offer[s->offer_of[i]];
        s->offer[i] = (struct pof_clear_offer){.node = o->node,
                                               .direction = (enum pof_direction)o->record.direction,
                                               .p_w = o->record.p_w,
                                               .price_ueur = o->record.price_ueur_mwh,
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

/* Solves and has the result certified. */
static int solve(const struct job *j, unsigned worker, const struct pof_clear_problem *p,
                 struct pof_clear_result *result, struct pof_err *err)
{
    struct pof_certificate_answer answer;
    int rc = j->auction->method == POF_CLEAR_LP
                 ? pof_lp_solve(p, result, err)
                 : pof_clear_solve(j->clearing[worker], p, result, err);
    rc = rc ? rc : pof_clear_certify(p, result, &answer, err);
    if (rc == 0 && answer.status != POF_CERTIFIED) {
        return pof_fail(err, POF_E_INTERNAL, "clearing is not certified: fault %d at %zu",
                        (int)answer.status, answer.where);
    }
    return rc;
}

/* Who is cleared in a pass. */
enum pass { PASS_ALL = -1, PASS_DSO = POF_ROLE_DSO, PASS_TSO = POF_ROLE_TSO };

/* The problem with the requests of a pass only; *request is theirs, of the caller. */
static int problem_of(const struct job *j, const struct slot *s, enum pass pass,
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
        if (pass == PASS_ALL || j->book->request[s->request_of[i]].record.role == (int)pass) {
            (*request)[part->requests++] = s->request[i];
        }
    }
    return rc;
}

/* On top of what earlier passes took. */
static int solve_pass(const struct job *j, unsigned worker, struct slot *s, enum pass pass,
                      struct pof_err *err)
{
    struct pof_clear_problem part;
    struct pof_clear_request *request = NULL;
    int rc = problem_of(j, s, pass, &part, &request, err);
    rc = rc ? rc : solve(j, worker, &part, &s->result, err);
    rc = rc ? rc : pof_clear_cost(&part, s->result.taken_w, &s->cost[pass == PASS_TSO], err);
    for (size_t i = 0; rc == 0 && i < part.offers; i++) {
        s->offer[i].frozen_w = s->result.taken_w[i];
    }
    free(request);
    return rc;
}

static int solve_slot(const struct job *j, unsigned worker, struct slot *s, struct pof_err *err)
{
    if (j->auction->sequence == POF_JOINT) {
        return solve_pass(j, worker, s, PASS_ALL, err);
    }
    int rc = solve_pass(j, worker, s, PASS_DSO, err);
    return rc ? rc : solve_pass(j, worker, s, PASS_TSO, err);
}

static int add_unmet(const struct slot *s, struct quarter *out, struct pof_err *err)
{
    int64_t *unmet;
    int rc = pof_calloc(&unmet, s->problem.requests, sizeof *unmet, err);
    rc = rc ? rc : pof_clear_unmet(&s->problem, s->result.taken_w, unmet, err);
    for (size_t i = 0; rc == 0 && i < s->problem.requests; i++) {
        out->unmet_w += unmet[i];
    }
    free(unmet);
    return rc;
}

static int make_rows(const struct job *j, const struct slot *s, struct quarter *out,
                     struct pof_err *err)
{
    int rc = pof_calloc(&out->row, s->shares.n, sizeof *out->row, err);
    for (size_t i = 0; rc == 0 && i < s->shares.n; i++) {
        const struct pof_share *x = &s->shares.share[i];
        uint32_t offer = s->offer_of[x->offer];
        out->row[out->rows++] =
            (struct row){.request = out->unasked ? 0 : s->request_of[x->request],
                         .offer = offer,
                         .p_w = x->p_w,
                         .price_ueur = j->book->offer[offer].record.price_ueur_mwh,
                         .why = x->why};
    }
    return rc;
}

/* Rows of one request and why stand together, the dearest offer last. Both directions can only meet
 * among counter rows: those are priced apart. */
static void make_uniform(const struct pof_book *b, struct quarter *out)
{
    size_t end = 0;
    for (size_t i = 0; i < out->rows; i = end) {
        int64_t highest[2] = {0, 0};
        for (end = i; end < out->rows && out->row[end].request == out->row[i].request &&
                      out->row[end].why == out->row[i].why;
             end++) {
            highest[b->offer[out->row[end].offer].record.direction] = out->row[end].price_ueur;
        }
        for (size_t k = i; k < end; k++) {
            out->row[k].price_ueur = highest[b->offer[out->row[k].offer].record.direction];
        }
    }
}

/* Where nothing is asked only blocks are taken, for other quarter-hours: their request is found
 * later. */
static int make_unasked(const struct slot *s, struct pof_shares *out, struct pof_err *err)
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

/* A solved quarter-hour as rows. */
static int book_quarter(const struct job *j, struct slot *s, struct quarter *out,
                        struct pof_err *err)
{
    out->unasked = s->problem.requests == 0;
    int rc = out->unasked ? make_unasked(s, &s->shares, err)
                          : pof_attribute(&s->problem, s->result.taken_w, &s->shares, err);
    rc = rc ? rc : add_unmet(s, out, err);
    rc = rc ? rc : make_rows(j, s, out, err);
    if (rc == 0 && j->auction->price_rule == POF_UNIFORM && !out->unasked) {
        make_uniform(j->book, out);
    }
    memcpy(out->cost, s->cost, sizeof out->cost);
    return rc;
}

static int clear_quarter(void *ctx, unsigned worker, size_t q, struct pof_err *err)
{
    struct job *j = ctx;
    struct quarter *out = &j->quarter[q];
    struct slot s = {0};
    int rc = slot_alloc(&s, j->book, q, err);
    if (rc == 0) {
        slot_fill(&s, j->book, q, out);
        rc = solve_slot(j, worker, &s, err);
    }
    rc = rc ? rc : book_quarter(j, &s, out, err);
    slot_release(&s);
    return rc;
}

/* --- decisions: all quarter-hours at once --- */

static int fill_quarter(void *ctx, unsigned worker, size_t q, struct pof_err *err)
{
    struct job *j = ctx;
    (void)worker;
    int rc = slot_alloc(&j->slot[q], j->book, q, err);
    if (rc == 0) {
        slot_fill(&j->slot[q], j->book, q, &j->quarter[q]);
    }
    return rc;
}

static int rest_quarter(void *ctx, unsigned worker, size_t q, struct pof_err *err)
{
    struct job *j = ctx;
    return solve_pass(j, worker, &j->slot[q], (enum pass)j->pass, err);
}

static int book_rows(void *ctx, unsigned worker, size_t q, struct pof_err *err)
{
    struct job *j = ctx;
    (void)worker;
    return book_quarter(j, &j->slot[q], &j->quarter[q], err);
}

/* What a pass decides; then the offers can be taken as decided only, within their full power for
 * those a later pass may still decide. */
static int decide(struct job *j, struct pof_err *err)
{
    uint32_t n = j->book->quarters;
    struct pof_clear_problem *part;
    struct pof_clear_request **request = NULL;
    struct pof_clear_offer **offer = NULL;
    struct pof_effort effort = {j->auction->budget, j->auction->threads, 0};
    int rc = pof_calloc(&part, n, sizeof *part, err);
    rc = rc ? rc : pof_calloc(&request, n, sizeof(struct pof_clear_request *), err);
    rc = rc ? rc : pof_calloc(&offer, n, sizeof(struct pof_clear_offer *), err);
    for (uint32_t q = 0; rc == 0 && q < n; q++) {
        offer[q] = j->slot[q].offer;
        rc = problem_of(j, &j->slot[q], (enum pass)j->pass, &part[q], &request[q], err);
    }
    if (rc == 0) {
        struct pof_block_problem p = {
            part,           n, j->units.unit, j->units.units, j->units.entry, j->units.entries,
            j->units.groups};
        rc = pof_block_solve(&p, &effort, &j->decided, err);
        if (rc == 0) {
            pof_block_fix(&p, j->decided.on, offer);
        }
    }
    for (uint32_t q = 0; request && q < n; q++) {
        free(request[q]);
    }
    free(request);
    free(offer);
    free(part);
    return rc;
}

/* The TSO's pass decides again on what the DSO's did not take. */
static void offer_again(struct job *j)
{
    for (size_t e = 0; e < j->units.entries; e++) {
        const struct pof_unit_entry *x = &j->units.entry[e];
        struct slot *s = &j->slot[x->quarter];
        s->offer[x->offer].p_w = j->book->offer[s->offer_of[x->offer]].record.p_w;
    }
}

static int clear_pass(struct job *j, enum pass pass, unsigned threads, struct pof_err *err)
{
    struct pof_auction *a = j->tally;
    j->pass = (int)pass;
    int rc = decide(j, err);
    rc = rc ? rc : pof_parallel(j->book->quarters, threads, rest_quarter, j, err);
    if (rc == 0) {
        struct pof_auction_pass *x = &a->pass[pass == PASS_TSO];
        x->nodes = j->decided.nodes;
        x->parts = j->decided.parts;
        x->open = j->decided.open;
        x->bound = j->decided.bound > 0 ? j->decided.bound : 0; /* asks are not below 0 */
    }
    return rc;
}

/* Blocks in quarter-hours where nothing is asked: to the first request that takes something of the
 * block, else (a parent, taken for its children) the first of the book that gets anything. */
static int name_requests(struct job *j, struct pof_err *err)
{
    const struct pof_book *b = j->book;
    uint32_t *first, any = 0; /* 1 + request */
    int rc = pof_calloc(&first, b->block_ids.n, sizeof *first, err);
    for (uint32_t q = 0; rc == 0 && q < b->quarters; q++) {
        for (size_t i = 0; !j->quarter[q].unasked && i < j->quarter[q].rows; i++) {
            const struct row *x = &j->quarter[q].row[i];
            uint32_t block = b->offer[x->offer].block;
            any = any ? any : x->request + 1;
            if (block != POF_NONE && first[block] == 0) {
                first[block] = x->request + 1;
            }
        }
    }
    for (uint32_t q = 0; rc == 0 && q < b->quarters; q++) {
        for (size_t i = 0; j->quarter[q].unasked && i < j->quarter[q].rows; i++) {
            struct row *x = &j->quarter[q].row[i];
            uint32_t block = b->offer[x->offer].block;
            uint32_t to = block != POF_NONE && first[block] ? first[block] : any;
            if (to == 0) {
                rc = pof_fail(err, POF_E_INTERNAL, "offers are taken though nothing is asked for");
                break;
            }
            x->request = to - 1;
        }
    }
    free(first);
    return rc;
}

static int clear_decided(struct job *j, unsigned threads, struct pof_err *err)
{
    uint32_t n = j->book->quarters;
    int rc = pof_calloc(&j->slot, n, sizeof *j->slot, err);
    rc = rc ? rc : pof_calloc(&j->decided.on, j->units.units, sizeof *j->decided.on, err);
    rc = rc ? rc : pof_parallel(n, threads, fill_quarter, j, err);
    if (j->auction->sequence == POF_JOINT) {
        rc = rc ? rc : clear_pass(j, PASS_ALL, threads, err);
    } else {
        rc = rc ? rc : clear_pass(j, PASS_DSO, threads, err);
        if (rc == 0) {
            offer_again(j);
        }
        rc = rc ? rc : clear_pass(j, PASS_TSO, threads, err);
    }
    rc = rc ? rc : pof_parallel(n, threads, book_rows, j, err);
    rc = rc ? rc : name_requests(j, err);
    for (size_t u = 0; rc == 0 && u < j->units.units; u++) {
        j->tally->units_taken += j->decided.on[u];
    }
    return rc;
}

/* --- awards --- */

/* Awards are numbered within their offer and quarter-hour. */
struct numbering {
    size_t quarter; /* counted from 1; 0: never */
    unsigned n;
};

static int award_id(struct pof_buf *id, const struct pof_award *award, unsigned n,
                    struct pof_err *err)
{
    char quarter[POF_QUARTER_NAME + 1];
    pof_quarter_name(award->start, quarter);
    id->len = 0;
    int rc = pof_buf_addf(id, err, "%.*s:%.*s:%s", (int)award->session.len, award->session.ptr,
                          (int)award->offer.len, award->offer.ptr, quarter);
    return rc || n == 1 ? rc : pof_buf_addf(id, err, ":%u", n);
}

static int hand_out(struct pof_auction *a, const struct pof_award *award, pof_wide *paid,
                    struct pof_err *err)
{
    int64_t *sum = award->direction == POF_UP ? &a->up_wq : &a->down_wq;
    int rc = a->on_award(a->ctx, award, err);
    rc = rc ? rc : pof_add(sum, award->p_w, err);
    *paid += (pof_wide)award->p_w * award->price_ueur_mwh;
    a->awards++;
    return rc;
}

static struct pof_award award_of(const struct pof_book *b, const struct row *x, size_t quarter)
{
    const struct pof_offer *o = &b->offer[x->offer].record;
    const struct pof_request *r = &b->request[x->request].record;
    return (struct pof_award){.session = b->session.id,
                              .request = r->id,
                              .offer = o->id,
                              .pod = o->pod,
                              .node = o->node,
                              .buyer = r->buyer,
                              .role = r->role,
                              .seller = o->seller,
                              .direction = o->direction,
                              .start = b->session.start + (int64_t)quarter * POF_QUARTER_S,
                              .duration_s = POF_QUARTER_S,
                              .p_w = x->p_w,
                              .offer_price_ueur_mwh = o->price_ueur_mwh,
                              .price_ueur_mwh = x->price_ueur,
                              .why = (int)x->why};
}

/* Price times W of quarter-hours to 1e-6 EUR, half to even. */
static int round_money(pof_wide paid, int64_t *ueur, struct pof_err *err)
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

static int hand_out_all(struct pof_auction *a, const struct job *j, struct pof_err *err)
{
    const struct pof_book *b = j->book;
    struct numbering *number = NULL;
    struct pof_buf id = {0};
    pof_wide paid = 0;
    int rc = pof_calloc(&number, b->offers, sizeof *number, err);
    for (size_t q = 0; rc == 0 && q < b->quarters; q++) {
        const struct quarter *x = &j->quarter[q];
        rc = pof_add(&a->requested_wq, x->requested_w, err);
        rc = rc ? rc : pof_add(&a->unmet_wq, x->unmet_w, err);
        a->pass[0].cost += x->cost[0];
        a->pass[1].cost += x->cost[1];
        for (size_t i = 0; rc == 0 && i < x->rows; i++) {
            struct numbering *k = &number[x->row[i].offer];
            struct pof_award award = award_of(b, &x->row[i], q);
            *k = (struct numbering){q + 1, k->quarter == q + 1 ? k->n + 1 : 1};
            rc = award_id(&id, &award, k->n, err);
            award.id = (struct pof_text){id.data, id.len};
            rc = rc ? rc : hand_out(a, &award, &paid, err);
        }
    }
    rc = rc ? rc : round_money(paid, &a->paid_ueur, err);
    pof_buf_release(&id);
    free(number);
    return rc;
}

/* --- all of it --- */

static void job_release(struct job *j, unsigned threads)
{
    for (unsigned t = 0; j->clearing && t < threads; t++) {
        pof_clearing_free(j->clearing[t]);
    }
    for (size_t q = 0; j->quarter && q < j->book->quarters; q++) {
        free(j->quarter[q].row);
    }
    for (size_t q = 0; j->slot && q < j->book->quarters; q++) {
        slot_release(&j->slot[q]);
    }
    free(j->slot);
    free(j->decided.on);
    pof_book_units_release(&j->units);
    free(j->clearing);
    free(j->quarter);
}

int pof_auction_run(struct pof_auction *a, const struct pof_book *book, struct pof_err *err)
{
    /* GLPK serves one thread. */
    unsigned threads = a->threads == 0 || a->method == POF_CLEAR_LP ? 1 : a->threads;
    struct job j = {.auction = a, .book = book, .tally = a};
    int rc = pof_calloc(&j.clearing, threads, sizeof(struct pof_clearing *), err);
    rc = rc ? rc : pof_calloc(&j.quarter, book->quarters, sizeof *j.quarter, err);
    for (unsigned t = 0; rc == 0 && t < threads; t++) {
        rc = pof_clearing_new(&j.clearing[t], err);
    }
    rc = rc ? rc : pof_book_units_build(&j.units, book, err);
    a->units = j.units.units;
    if (rc == 0 && a->units > 0) {
        rc = clear_decided(&j, threads, err);
    } else {
        rc = rc ? rc : pof_parallel(book->quarters, threads, clear_quarter, &j, err);
    }
    rc = rc ? rc : hand_out_all(a, &j, err);
    a->passes = a->sequence == POF_JOINT ? 1 : 2;
    for (unsigned k = 0; k < a->passes && a->units == 0; k++) {
        a->pass[k].bound = a->pass[k].cost; /* certified */
        a->pass[k].parts = book->quarters;
    }
    job_release(&j, threads);
    return rc;
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
