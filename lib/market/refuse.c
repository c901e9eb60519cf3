/* SPDX-License-Identifier: Apache-2.0 */
/* Refusing orders by name, with the figures that decide. */
#include "market/refuse.h"

#include "num/decimal.h"
#include "num/time.h"

#include <stdlib.h>

/* The id may be in memory that goes before the refusal does. */
static int refuse(struct pof_book *b, struct pof_book_refusal x, struct pof_err *err)
{
    int rc = pof_grow(&b->refusal, &b->refusal_cap, b->refusals + 1, sizeof *b->refusal, err);
    x.id.ptr = rc == 0 ? pof_arena_text(&b->arena, x.id.ptr, x.id.len, err) : NULL;
    if (rc == 0 && !x.id.ptr) {
        return POF_E_NOMEM;
    }
    if (rc == 0) {
        b->refusal[b->refusals++] = x;
    }
    return rc;
}

static struct pof_book_refusal refusal_of(const struct pof_book *b, size_t i)
{
    const struct pof_book_offer *o = &b->offer[i];
    const struct pof_book_terms *t = &b->terms[i];
    struct pof_book_refusal x = {.order = POF_ORDER_OFFER,
                                 .id = pof_book_id(t),
                                 .party = b->seller_ids.text[t->seller],
                                 .node = o->node,
                                 .direction = o->direction,
                                 .start = pof_book_instant(t->start),
                                 .end = pof_book_instant(t->end),
                                 .p_w = o->p_w,
                                 .price_ueur_mwh = o->price_ueur_mwh};
    if (POF_HAS(t, offer, block)) {
        x.block = b->block[o->block].id;
    }
    return x;
}

/* The first quarter-hour that an offer can act in after results are due, counted from 1970. */
static int64_t ready_at(const struct pof_book *b, const struct pof_book_terms *t)
{
    int64_t at = b->session.final_by + (POF_HAS(t, offer, lead_s) ? t->lead_s : 0);
    return (at + POF_QUARTER_S - 1) / POF_QUARTER_S; /* instants are after 1970 */
}

/* Least and highest prices by direction. */
struct bounds {
    int64_t low[2], high[2];
};

static struct bounds bounds_of(const struct pof_rules *rules)
{
    struct bounds p;
    pof_rules_bounds(rules, POF_UP, &p.low[POF_UP], &p.high[POF_UP]);
    pof_rules_bounds(rules, POF_DOWN, &p.low[POF_DOWN], &p.high[POF_DOWN]);
    return p;
}

/* Is an offer one that there is nothing to say about, wherever it lies? Nearly all are. */
static bool is_free(const struct pof_book *b, size_t i, const struct bounds *p)
{
    const struct pof_book_terms *t = &b->terms[i];
    int64_t price = b->offer[i].price_ueur_mwh;
    unsigned d = b->offer[i].direction;
    bool late = POF_HAS(t, offer, received) && t->received >= b->session.gate;
    return !late && !POF_HAS(t, offer, lead_s) && price >= p->low[d] && price <= p->high[d];
}

/* Why an offer is refused by itself; false: it is not. */
static bool refused(const struct pof_book *b, size_t i, const struct bounds *p, struct pof_book_refusal *x)
{
    const struct pof_book_terms *t = &b->terms[i];
    int64_t price = b->offer[i].price_ueur_mwh;
    int64_t low = p->low[b->offer[i].direction], high = p->high[b->offer[i].direction];
    if (POF_HAS(t, offer, received) && t->received >= b->session.gate) {
        *x = refusal_of(b, i);
        x->why = POF_REFUSAL_LATE;
        x->is = t->received;
        x->bound = b->session.gate;
        return true;
    }
    bool whole = POF_HAS(t, offer, block) && t->start < ready_at(b, t);
    if (POF_HAS(t, offer, lead_s) && (whole || t->end <= ready_at(b, t))) {
        *x = refusal_of(b, i);
        x->why = POF_REFUSAL_LEAD;
        x->is = pof_book_instant(t->start);
        x->bound = ready_at(b, t) * POF_QUARTER_S;
        return true;
    }
    if (price >= low && price <= high) {
        return false;
    }
    *x = refusal_of(b, i);
    x->is = price;
    x->why = price < low ? POF_REFUSAL_FLOOR : POF_REFUSAL_CEILING;
    x->bound = price < low ? low : high;
    return true;
}

int pof_book_refuse_last(struct pof_book *b, bool *out, struct pof_err *err)
{
    struct pof_book_refusal x;
    const struct bounds p = bounds_of(&b->rules);
    size_t last = b->offers - 1;
    *out = !is_free(b, last, &p) && refused(b, last, &p, &x);
    return *out ? refuse(b, x, err) : 0;
}

static void move_up(struct pof_book *b, size_t to, size_t from)
{
    if (to < from) {
        b->offer[to] = b->offer[from];
        b->terms[to] = b->terms[from];
    }
}

/* Offers refused by themselves leave the book and mark their blocks. */
static int refuse_alone(struct pof_book *b, struct pof_err *err)
{
    const struct bounds p = bounds_of(&b->rules);
    size_t n = 0;
    int rc = 0;
    for (size_t i = 0; i < b->offers; i++) {
        struct pof_book_terms *t = &b->terms[i];
        struct pof_book_refusal x;
        if (is_free(b, i, &p)) {
            move_up(b, n++, i);
            continue;
        }
        bool in_window = pof_book_instant(t->start) < b->session.end && pof_book_instant(t->end) > b->session.start;
        if (in_window && refused(b, i, &p, &x)) {
            rc = rc ? rc : refuse(b, x, err);
            if (b->offer[i].block != POF_NONE) {
                b->block[b->offer[i].block].refused = true;
            }
            continue;
        }
        if (POF_HAS(t, offer, lead_s) && t->start < ready_at(b, t) && ready_at(b, t) < t->end) {
            t->start = (uint32_t)ready_at(b, t);
        }
        move_up(b, n++, i);
    }
    b->offers = n;
    return rc;
}

/* What is left of blocks that lost an offer. */
static int refuse_with_block(struct pof_book *b, struct pof_err *err)
{
    size_t n = 0;
    int rc = 0;
    for (size_t i = 0; i < b->offers; i++) {
        uint32_t block = b->offer[i].block;
        if (block != POF_NONE && b->block[block].refused) {
            struct pof_book_refusal x = refusal_of(b, i);
            x.why = POF_REFUSAL_BLOCK;
            rc = rc ? rc : refuse(b, x, err);
        } else {
            move_up(b, n++, i);
        }
    }
    b->offers = n;
    return rc;
}

int pof_book_refuse_offers(struct pof_book *b, struct pof_err *err)
{
    size_t known = b->refusals;
    int rc = refuse_alone(b, err);
    if (rc == 0 && b->refusals > known && b->block_ids.n > 0) {
        rc = refuse_with_block(b, err);
    }
    pof_book_refusals_sort(b);
    return rc;
}

int pof_book_refuse_requests(struct pof_book *b, struct pof_err *err)
{
    size_t n = 0;
    int rc = 0;
    for (size_t i = 0; i < b->requests; i++) {
        const struct pof_request *r = &b->request[i].record;
        if (pof_text_eq(r->session, b->session.id) && POF_HAS(r, request, received) &&
            r->received >= b->session.gate) {
            const struct pof_book_refusal x = {.order = POF_ORDER_REQUEST,
                                               .why = POF_REFUSAL_LATE,
                                               .is = r->received,
                                               .bound = b->session.gate,
                                               .id = r->id,
                                               .party = r->buyer};
            rc = rc ? rc : refuse(b, x, err);
        } else {
            b->request[n++] = b->request[i];
        }
    }
    b->requests = n;
    return rc;
}

static int by_order(const void *pa, const void *pb)
{
    const struct pof_book_refusal *a = pa, *b = pb;
    return a->order != b->order ? (a->order < b->order ? -1 : 1) : pof_text_cmp(a->id, b->id);
}

void pof_book_refusals_sort(struct pof_book *b)
{
    if (b->refusals > 1) {
        qsort(b->refusal, b->refusals, sizeof *b->refusal, by_order);
    }
}

/* --- in words --- */

static int say_price(const struct pof_book_refusal *x, struct pof_buf *to, struct pof_err *err)
{
    static const char *const directions[] = {"up", "down"};
    char is[POF_DECIMAL_MAX], bound[POF_DECIMAL_MAX];
    int n = (int)pof_decimal_format(x->is, POF_MICRO, is);
    int m = (int)pof_decimal_format(x->bound, POF_MICRO, bound);
    bool low = x->why == POF_REFUSAL_FLOOR;
    return pof_buf_addf(to, err, "asks %.*s EUR/MWh, %s the %s of %.*s for %s offers", n, is,
                        low ? "below" : "above", low ? "floor" : "ceiling", m, bound,
                        directions[x->direction]);
}

static int say_times(const struct pof_book_refusal *x, const char *before, const char *between,
                     struct pof_buf *to, struct pof_err *err)
{
    char is[POF_INSTANT_MAX], bound[POF_INSTANT_MAX];
    int n = (int)pof_instant_format(x->is, is), m = (int)pof_instant_format(x->bound, bound);
    return pof_buf_addf(to, err, "%s %.*s%s %.*s", before, n, is, between, m, bound);
}

static int say(const struct pof_book_refusal *x, struct pof_buf *to, struct pof_err *err)
{
    switch (x->why) {
    case POF_REFUSAL_FLOOR:
    case POF_REFUSAL_CEILING:
        return say_price(x, to, err);
    case POF_REFUSAL_LATE:
        return say_times(x, "came in at", "; the gate closed at", to, err);
    case POF_REFUSAL_LEAD:
        return say_times(x, "begins at", "; with its lead time it can act from", to, err);
    default:
        return pof_buf_addf(to, err, "another offer of block '%.*s' is refused",
                            (int)x->block.len, x->block.ptr);
    }
}

int pof_book_refusal_record(const struct pof_book *book, const struct pof_book_refusal *x,
                            struct pof_buf *reason, struct pof_refusal *record,
                            struct pof_err *err)
{
    reason->len = 0;
    int rc = say(x, reason, err);
    *record = (struct pof_refusal){
        .session = book->session.id,
        .order = (int)x->order,
        .id = x->id,
        .party = x->party,
        .why = (int)x->why,
        .reason = {reason->data, reason->len}};
    return rc;
}
