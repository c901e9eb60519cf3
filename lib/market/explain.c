/* SPDX-License-Identifier: Apache-2.0 */
/* Reasons from prices. */
#include "market/explain.h"

#include "market/need.h"
#include "record/words.h"

#include <stdlib.h>

struct pof_explain_taken {
    uint32_t offer, quarter;
    int64_t p_w, cut_w; /* cut_w: taken away by its verdict */
    bool judged;
};

struct pof_explain_price {
    uint32_t quarter, node;
    int scope;
    int64_t price, net_w;
};

/* A node in one quarter-hour. */
struct place {
    int64_t price, own;     /* 1e-6 EUR/MWh */
    int64_t held;           /* what a full branch takes: > 0 from up, < 0 from down */
    int64_t low, high, net; /* the steps that requests explain; W */
    bool up, down;          /* asked for here or further up */
    bool priced;            /* has a price of its own */
};

struct offer_state {
    int64_t taken_w, cut_w;
    bool judged;
};

struct job {
    const struct pof_explain *x;
    struct place *place; /* by node */
    struct offer_state *offer;
    struct pof_need *need;
    struct pof_clear_request *request;
    size_t requests;
};

int pof_explain_init(struct pof_explain *x, const struct pof_book *book, struct pof_err *err)
{
    *x = (struct pof_explain){.book = book};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < book->offers; i++) {
        uint32_t number;
        rc = pof_names_add(&x->offers, pof_book_id(&book->terms[i]), &number, err);
    }
    return rc;
}

void pof_explain_release(struct pof_explain *x)
{
    pof_names_release(&x->offers);
    pof_names_release(&x->awards);
    free(x->taken);
    free(x->price);
    *x = (struct pof_explain){0};
}

static int unknown(struct pof_err *err, const char *field, struct pof_text name)
{
    pof_fail(err, POF_E_REFERENCE, "'%.*s' is not in the book", (int)name.len, name.ptr);
    return pof_at(err, NULL, 0, field);
}

/* false: not in the session's window. */
static bool quarter_of(const struct pof_book *b, int64_t start, uint32_t *quarter)
{
    *quarter = (uint32_t)((start - b->session.start) / POF_QUARTER_S);
    return start >= b->session.start && start < b->session.end;
}

int pof_explain_award(struct pof_explain *x, const struct pof_award *a, struct pof_err *err)
{
    struct pof_explain_taken t = {.offer = pof_names_find(&x->offers, a->offer), .p_w = a->p_w};
    uint32_t number = 0;
    if (!pof_text_eq(a->session, x->book->session.id)) {
        return 0;
    }
    if (t.offer == POF_NONE || !quarter_of(x->book, a->start, &t.quarter)) {
        return unknown(err, "offer", a->offer);
    }
    int rc = pof_names_add(&x->awards, a->id, &number, err);
    if (rc == 0 && number != x->takens) {
        rc = pof_fail(err, POF_E_DUPLICATE, "'%.*s' was given before", (int)a->id.len, a->id.ptr);
    }
    rc = rc ? rc : pof_grow(&x->taken, &x->taken_cap, x->takens + 1, sizeof *x->taken, err);
    if (rc == 0) {
        x->taken[x->takens++] = t;
    }
    return rc;
}

int pof_explain_price(struct pof_explain *x, const struct pof_node_price *p, struct pof_err *err)
{
    struct pof_explain_price k = {.scope = p->scope, .price = p->price_ueur_mwh, .net_w = p->net_w};
    if (!pof_text_eq(p->session, x->book->session.id)) {
        return 0;
    }
    k.node = pof_names_find(&x->book->feeder->grid->node_names, p->node);
    if (k.node == POF_NONE || !quarter_of(x->book, p->start, &k.quarter)) {
        return unknown(err, "node", p->node);
    }
    int rc = pof_grow(&x->price, &x->price_cap, x->prices + 1, sizeof k, err);
    if (rc == 0) {
        x->price[x->prices++] = k;
    }
    return rc;
}

int pof_explain_verdict(struct pof_explain *x, const struct pof_verdict *v, struct pof_err *err)
{
    uint32_t k = pof_names_find(&x->awards, v->award);
    if (k == POF_NONE) {
        return unknown(err, "award", v->award);
    }
    x->taken[k].judged = v->decision != POF_DECISION_ACCEPT;
    x->taken[k].cut_w = x->taken[k].p_w > v->p_w ? x->taken[k].p_w - v->p_w : 0;
    return 0;
}

/* --- one quarter-hour --- */

static int job_init(struct job *j, const struct pof_explain *x, struct pof_err *err)
{
    *j = (struct job){.x = x};
    int rc = pof_calloc(&j->place, x->book->forest.n, sizeof *j->place, err);
    rc = rc ? rc : pof_calloc(&j->offer, x->book->offers, sizeof *j->offer, err);
    rc = rc ? rc : pof_calloc(&j->need, x->book->requests, sizeof *j->need, err);
    return rc ? rc : pof_calloc(&j->request, x->book->requests, sizeof *j->request, err);
}

static void job_release(struct job *j)
{
    free(j->place);
    free(j->offer);
    free(j->need);
    free(j->request);
}

static int taken_cmp(const void *pa, const void *pb)
{
    const struct pof_explain_taken *a = pa, *b = pb;
    return (a->quarter > b->quarter) - (a->quarter < b->quarter);
}

static int price_cmp(const void *pa, const void *pb)
{
    const struct pof_explain_price *a = pa, *b = pb;
    return (a->quarter > b->quarter) - (a->quarter < b->quarter);
}

/* What a stack explains of the step at its area, as an interval: it pays a ceiling while it is not
 * met, and no more than the dearest. */
static void explain_step(struct job *j, const struct pof_need *need, size_t n)
{
    struct place *at = &j->place[j->x->book->forest.node[need->place]];
    int64_t got = need->direction == POF_UP ? at->net : -at->net, sum = 0, less = 0, more = 0;
    for (size_t k = 0; k < n; k++) {
        int64_t end = sum + need[k].p_w;
        less = got > sum && got <= end ? need[k].ceiling_ueur : less;
        more = got >= sum && got < end ? need[k].ceiling_ueur : more;
        sum = end;
    }
    less = got <= 0 ? need->ceiling_ueur : less;
    more = got < 0 ? need->ceiling_ueur : more;
    at->low += need->direction == POF_UP ? -less : more;
    at->high += need->direction == POF_UP ? -more : less;
}

static void read_requests(struct job *j, uint32_t q)
{
    const struct pof_book *b = j->x->book;
    struct pof_clear_problem p = {.forest = &b->forest, .request = j->request};
    for (size_t k = b->by_request.first[q]; k < b->by_request.first[q + 1]; k++) {
        const struct pof_book_request *r = &b->request[b->by_request.at[k]];
        if (r->fed) {
            j->request[p.requests++] = r->clear;
        }
    }
    pof_needs_build(j->need, &p);
    j->requests = p.requests;
    for (size_t i = 0, end; i < p.requests; i = end) {
        end = pof_stack_end(j->need, i, p.requests);
        struct place *at = &j->place[b->forest.node[j->need[i].place]];
        bool *asked = j->need[i].direction == POF_UP ? &at->up : &at->down;
        if (!j->need[i].own) {
            explain_step(j, &j->need[i], end - i);
            *asked = true;
        }
    }
}

/* Prices of nodes without a record are those of the node above. held is signed as the step. */
static void spread_prices(struct job *j, const struct pof_explain_price *price, size_t n)
{
    const struct pof_forest *f = &j->x->book->forest;
    for (uint32_t at = f->n; at-- > 0;) {
        struct place *p = &j->place[f->node[at]];
        struct place top = {0};
        const struct place *up = f->up[at] == POF_NONE ? &top : &j->place[f->node[f->up[at]]];
        p->price = p->priced ? p->price : up->price;
        p->up = p->up || up->up;
        p->down = p->down || up->down;
        int64_t step = up->price - p->price;
        p->held = step > p->high ? step - p->high : step < p->low ? step - p->low : 0;
        p->own = p->price;
    }
    for (size_t i = 0; i < n; i++) {
        if (price[i].scope == POF_SCOPE_OWN) {
            j->place[price[i].node].own = price[i].price;
        }
    }
}

/* Does a request of the node itself ask for this direction? */
static bool asked_here(const struct job *j, uint32_t node, enum pof_direction d)
{
    for (size_t i = 0; i < j->requests; i++) {
        if (j->request[i].own && j->request[i].node == node && j->request[i].direction == d) {
            return true;
        }
    }
    return false;
}

/* What full branches take on the way from a node to the root, and the one that takes most. */
static int64_t held_back(const struct job *j, uint32_t node, enum pof_direction d, uint32_t *where,
                         int64_t *most)
{
    const struct pof_tree *t = &j->x->book->feeder->tree;
    int64_t sum = 0;
    for (*most = 0; node != POF_NONE; node = t->parent[node]) {
        int64_t held = d == POF_UP ? j->place[node].held : -j->place[node].held;
        sum += held > 0 ? held : 0;
        if (held > *most) {
            *most = held;
            *where = node;
        }
    }
    return sum;
}

/* May it be left although it asks less than it is worth? */
static bool may_be_left(const struct pof_book_terms *o)
{
    return POF_HAS(o, offer, min_w) || POF_HAS(o, offer, block) || POF_HAS(o, offer, parent) ||
           POF_HAS(o, offer, group) || o->spell > 0;
}

/* Nothing but how long and how often it can be active keeps it from being taken. */
static bool only_rests(const struct pof_book_terms *o)
{
    return o->spell > 0 && !POF_HAS(o, offer, min_w) && !POF_HAS(o, offer, parent) && !POF_HAS(o, offer, group);
}

/* Why an offer that is not taken whole is not. */
static enum pof_why why_lost(const struct job *j, const struct pof_book_offer *o,
                             struct pof_explanation *e)
{
    enum pof_direction d = (enum pof_direction)o->direction;
    const struct place *p = &j->place[o->node];
    const struct pof_grid *grid = j->x->book->feeder->grid;
    uint32_t where = POF_NONE;
    int64_t most, held = held_back(j, o->node, d, &where, &most);
    if (e->distance_ueur_mwh < 0) {
        return only_rests(&j->x->book->terms[o - j->x->book->offer]) ? POF_WHY_ACTIVATION : POF_WHY_CHOICE;
    }
    if (!(d == POF_UP ? p->up : p->down) && !asked_here(j, o->node, d)) {
        return POF_WHY_NOT_ASKED;
    }
    if (held > 0 && e->distance_ueur_mwh <= held) {
        POF_SET(e, explanation, branch);
        POF_SET(e, explanation, congestion_ueur_mwh);
        e->branch = grid->branch[j->x->book->feeder->tree.parent_branch[where]].name;
        e->congestion_ueur_mwh = most;
        return POF_WHY_GRID;
    }
    return e->distance_ueur_mwh == 0 ? POF_WHY_TIE : POF_WHY_PRICE;
}

static struct pof_explanation explain(const struct job *j, uint32_t q, uint32_t k)
{
    const struct pof_book *b = j->x->book;
    const struct pof_book_offer *o = &b->offer[k];
    const struct offer_state *s = &j->offer[k];
    int64_t price = j->place[o->node].own;
    struct pof_explanation e = {.session = b->session.id,
                                .offer = pof_book_id(&b->terms[k]),
                                .start = b->session.start + (int64_t)q * POF_QUARTER_S,
                                .duration_s = POF_QUARTER_S,
                                .p_w = o->p_w,
                                .taken_w = s->taken_w,
                                .price_ueur_mwh = o->price_ueur_mwh};
    POF_SET(&e, explanation, worth_ueur_mwh);
    POF_SET(&e, explanation, distance_ueur_mwh);
    e.worth_ueur_mwh = o->direction == POF_UP ? price : -price;
    e.distance_ueur_mwh = e.price_ueur_mwh - e.worth_ueur_mwh;
    e.standing = (int)(s->taken_w == o->p_w ? POF_STANDING_WON
                       : s->taken_w > 0            ? POF_STANDING_PARTLY
                                                   : POF_STANDING_LOST);
    enum pof_why why = s->taken_w == o->p_w ? POF_WHY_PRICE
                       : s->taken_w > 0            ? POF_WHY_MARGIN
                                                   : why_lost(j, o, &e);
    if (s->judged) {
        why = POF_WHY_VALIDATION;
        POF_SET(&e, explanation, allowed_w);
        e.allowed_w = s->taken_w - s->cut_w;
    }
    if (why == POF_WHY_TIE) {
        POF_SET(&e, explanation, rank);
        e.rank = o->rank;
    }
    e.why = (int)why;
    return e;
}

/* The rows of one quarter-hour in an array sorted by it. */
static size_t rows_of(const struct pof_explain_price *p, size_t n, size_t i, uint32_t q)
{
    size_t end = i;
    while (end < n && p[end].quarter == q) {
        end++;
    }
    return end - i;
}

static void read_result(struct job *j, uint32_t q, size_t *t, size_t *p)
{
    const struct pof_explain *x = j->x;
    size_t n = rows_of(x->price, x->prices, *p, q);
    for (uint32_t v = 0; v < x->book->forest.n; v++) {
        j->place[v] = (struct place){0};
    }
    for (size_t i = 0; i < x->book->offers; i++) {
        j->offer[i] = (struct offer_state){0};
    }
    for (; *t < x->takens && x->taken[*t].quarter == q; ++*t) {
        struct offer_state *o = &j->offer[x->taken[*t].offer];
        o->taken_w += x->taken[*t].p_w;
        o->cut_w += x->taken[*t].cut_w;
        o->judged = o->judged || x->taken[*t].judged;
    }
    for (size_t i = *p; i < *p + n; i++) {
        if (x->price[i].scope == POF_SCOPE_BELOW) {
            struct place *at = &j->place[x->price[i].node];
            *at = (struct place){
                .priced = true, .price = x->price[i].price, .net = x->price[i].net_w};
        }
    }
    read_requests(j, q);
    spread_prices(j, x->price + *p, n);
    *p += n;
}

int pof_explain_run(struct pof_explain *x, pof_on_explanation *on, void *ctx, struct pof_err *err)
{
    const struct pof_book *b = x->book;
    struct job j;
    size_t t = 0, p = 0;
    int rc = job_init(&j, x, err);
    if (rc == 0 && x->takens > 1) {
        qsort(x->taken, x->takens, sizeof *x->taken, taken_cmp);
    }
    if (rc == 0 && x->prices > 1) {
        qsort(x->price, x->prices, sizeof *x->price, price_cmp);
    }
    for (uint32_t q = 0; rc == 0 && q < b->quarters; q++) {
        read_result(&j, q, &t, &p);
        for (size_t k = b->by_offer.first[q]; rc == 0 && k < b->by_offer.first[q + 1]; k++) {
            struct pof_explanation e = explain(&j, q, b->by_offer.at[k]);
            if (e.distance_ueur_mwh < 0 && e.taken_w < e.p_w &&
                !may_be_left(&b->terms[b->by_offer.at[k]])) {
                rc = pof_fail(err, POF_E_ANSWER_NO,
                              "offer '%.*s' asks less than its node pays and is not taken whole: "
                              "awards and prices are not those of this book",
                              (int)e.offer.len, e.offer.ptr);
            }
            rc = rc ? rc : on(ctx, &e, err);
        }
    }
    job_release(&j);
    return rc;
}
