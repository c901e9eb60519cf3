/* SPDX-License-Identifier: Apache-2.0 */
/* Records into an order book. */
#include "market/book.h"

#include "base/sort.h"
#include "market/book_block.h"
#include "market/quarter.h"
#include "market/rank.h"
#include "market/refuse.h"

#include <stdlib.h>
#include <string.h>

int pof_book_init(struct pof_book *book, const struct pof_feeder *feeder, struct pof_err *err)
{
    *book = (struct pof_book){.feeder = feeder};
    return pof_forest_build(&book->forest, feeder->tree.parent, feeder->grid->nodes, err);
}

int pof_book_expect(struct pof_book *book, size_t offers, struct pof_err *err)
{
    int rc = pof_names_reserve(&book->offer_ids, offers, err);
    rc = rc ? rc : pof_grow(&book->offer, &book->offer_cap, offers, sizeof *book->offer, err);
    return rc ? rc : pof_grow(&book->terms, &book->terms_cap, offers, sizeof *book->terms, err);
}

static void slices_release(struct pof_book_slices *s)
{
    free(s->first);
    free(s->at);
    *s = (struct pof_book_slices){0};
}

void pof_book_release(struct pof_book *book)
{
    pof_forest_release(&book->forest);
    pof_names_release(&book->request_ids);
    pof_names_release(&book->offer_ids);
    pof_names_release(&book->seller_ids);
    pof_names_release(&book->block_ids);
    pof_names_release(&book->group_ids);
    free(book->block);
    pof_arena_release(&book->arena);
    pof_arena_release(&book->pods);
    free(book->request);
    free(book->offer);
    free(book->terms);
    free(book->limit);
    pof_loops_release(&book->loops);
    free(book->spell);
    free(book->refusal);
    free(book->sessions);
    slices_release(&book->by_offer);
    slices_release(&book->by_request);
    free(book->limit_first);
    *book = (struct pof_book){0};
}

/* --- taking records --- */

static int unknown(struct pof_err *err, const char *field, struct pof_text name)
{
    pof_fail(err, POF_E_REFERENCE, "'%.*s' is no %s of the grid", (int)name.len, name.ptr, field);
    return pof_at(err, NULL, 0, field);
}

static int find_node(const struct pof_book *b, struct pof_text name, uint32_t *node,
                     struct pof_err *err)
{
    *node = pof_names_find(&b->feeder->grid->node_names, name);
    return *node == POF_NONE ? unknown(err, "node", name) : 0;
}

/* The node fed through a branch; POF_NONE for one that is open or not connected. */
static int find_below(const struct pof_book *b, struct pof_text name, uint32_t *node,
                      struct pof_err *err)
{
    uint32_t branch = pof_names_find(&b->feeder->grid->branch_names, name);
    if (branch == POF_NONE) {
        return unknown(err, "branch", name);
    }
    if (pof_feeder_loop(b->feeder, branch)) {
        pof_fail(err, POF_E_TOPOLOGY, "'%.*s' is part of a loop, so nothing is fed through it alone", (int)name.len,
                 name.ptr);
        return pof_at(err, NULL, 0, "branch");
    }
    *node = b->feeder->child[branch];
    return 0;
}

/* Adds an id to a set it must not be in. */
static int take_key(struct pof_names *set, const struct pof_name_key *key, struct pof_text id, struct pof_err *err)
{
    uint32_t next = (uint32_t)set->n, number = 0;
    int rc = pof_names_add_key(set, key, &number, err);
    if (rc == 0 && number != next) {
        rc = pof_fail(err, POF_E_DUPLICATE, "'%.*s' was given before", (int)id.len, id.ptr);
        pof_at(err, NULL, 0, "id");
    }
    return rc;
}

static int take_id(struct pof_names *set, struct pof_text key, struct pof_text id, struct pof_err *err)
{
    const struct pof_name_key k = pof_names_key(set, key);
    return take_key(set, &k, id, err);
}

static int take_session(struct pof_book *b, const struct pof_session *s, struct pof_err *err)
{
    for (size_t i = 0; i < b->n_sessions; i++) {
        if (pof_text_eq(b->sessions[i].id, s->id)) {
            pof_fail(err, POF_E_DUPLICATE, "session '%.*s' was given before", (int)s->id.len,
                     s->id.ptr);
            return pof_at(err, NULL, 0, "id");
        }
    }
    int rc = pof_quarters_check(s->start, s->end, err);
    rc = rc ? rc
            : pof_grow(&b->sessions, &b->session_cap, b->n_sessions + 1, sizeof *b->sessions, err);
    rc = rc ? rc : pof_record_copy(POF_session, s, &b->sessions[b->n_sessions], &b->arena, err);
    b->n_sessions += rc == 0;
    return rc;
}

/* Ids of requests are unique in their session: both together are the key, the byte between them is
 * in no name that reads as text. */
static int take_request_id(struct pof_book *b, const struct pof_request *r, struct pof_err *err)
{
    char key[256];
    size_t n = r->session.len + 1 + r->id.len;
    if (n > sizeof key) {
        return pof_fail(err, POF_E_TOO_LONG, "session and id have more than %zu bytes", sizeof key);
    }
    memcpy(key, r->session.ptr, r->session.len);
    key[r->session.len] = '\x1f';
    memcpy(key + r->session.len + 1, r->id.ptr, r->id.len);
    return take_id(&b->request_ids, (struct pof_text){key, n}, r->id, err);
}

/* A band is one of a feeder. */
static int check_band(const struct pof_request *r, struct pof_err *err)
{
    if (!POF_HAS(r, request, max_w)) {
        return 0;
    }
    if (!POF_HAS(r, request, branch)) {
        pof_fail(err, POF_E_CONFLICT, "the net activation of a branch's area can be bounded alone");
        return pof_at(err, NULL, 0, "max_w");
    }
    if (r->max_w < r->p_w) {
        pof_fail(err, POF_E_RANGE, "'%lld' is less than the %lld W that are asked for",
                 (long long)r->max_w, (long long)r->p_w);
        return pof_at(err, NULL, 0, "max_w");
    }
    return 0;
}

/* Where a request asks; *node POF_NONE: nothing is connected there. */
static int find_area(const struct pof_book *b, const struct pof_request *r, struct pof_area *area,
                     struct pof_err *err)
{
    bool node = POF_HAS(r, request, node), nodes = POF_HAS(r, request, nodes);
    if (POF_HAS(r, request, branch) + node + nodes > 1) {
        pof_fail(err, POF_E_CONFLICT, "a request has a branch, a node or a list of nodes, not two of them");
        return pof_at(err, NULL, 0, nodes ? "nodes" : "node");
    }
    *area = (struct pof_area){b->feeder->tree.order[0], node};
    return POF_HAS(r, request, branch) ? find_below(b, r->branch, &area->node, err)
           : node                      ? find_node(b, r->node, &area->node, err)
           : nodes                     ? pof_feeder_area(b->feeder, r->nodes, area, err)
                                       : 0;
}

static int take_request(struct pof_book *b, const struct pof_request *r, struct pof_err *err)
{
    struct pof_book_request x = {
        .clear = {.direction = (enum pof_direction)r->direction, .p_w = r->p_w}};
    struct pof_area area;
    int rc = pof_quarters_check(r->start, r->end, err);
    rc = rc ? rc : check_band(r, err);
    rc = rc ? rc : find_area(b, r, &area, err);
    rc = rc ? rc : take_request_id(b, r, err);
    rc = rc ? rc : pof_grow(&b->request, &b->request_cap, b->requests + 1, sizeof *b->request, err);
    rc = rc ? rc : pof_record_copy(POF_request, r, &x.record, &b->arena, err);
    if (rc == 0) {
        x.fed = area.node != POF_NONE && b->feeder->place[area.node] != POF_NONE;
        x.clear.node = area.node;
        x.clear.own = area.own;
        b->request[b->requests++] = x;
    }
    return rc;
}

/* Blocks keep names of the record, so that it is copied as a whole when it has any. */
static int take_blocks(struct pof_book *b, const struct pof_offer *o, uint32_t *block,
                       struct pof_err *err)
{
    struct pof_offer copy;
    bool named = POF_HAS(o, offer, block) || POF_HAS(o, offer, parent) || POF_HAS(o, offer, group);
    int rc = named ? pof_record_copy(POF_offer, o, &copy, &b->arena, err) : 0;
    return rc ? rc : pof_book_block_take(b, named ? &copy : o, block, err);
}

/* The next offer, which has just been given its number. */
static int keep_offer(struct pof_book *b, const struct pof_offer *o, uint32_t node, struct pof_err *err)
{
    struct pof_book_terms *t = &b->terms[b->offers];
    *t = (struct pof_book_terms){
        .has = o->has,
        .id = b->offer_ids.text[b->offer_ids.n - 1],
        .pod = {pof_arena_text(&b->pods, o->pod.ptr, o->pod.len, err), o->pod.len},
        .start = o->start,
        .end = o->end,
        .min_w = o->min_w,
        .lead_s = (int32_t)o->lead_s,
        .received = o->received};
    struct pof_book_offer *x = &b->offer[b->offers];
    *x = (struct pof_book_offer){.p_w = o->p_w,
                                 .price_ueur_mwh = o->price_ueur_mwh,
                                 .node = node,
                                 .direction = (unsigned char)o->direction};
    b->any_received = b->any_received || POF_HAS(o, offer, received);
    b->any_least = b->any_least || POF_HAS(o, offer, min_w);
    int rc = t->pod.ptr ? pof_names_add(&b->seller_ids, o->seller, &t->seller, err) : POF_E_NOMEM;
    rc = rc ? rc : pof_book_spell_take(b, o, &t->spell, err);
    return rc ? rc : take_blocks(b, o, &x->block, err);
}

static int take_offer(struct pof_book *b, const struct pof_offer *o, struct pof_err *err)
{
    uint32_t node = 0;
    const struct pof_name_key at = pof_names_key(&b->feeder->grid->node_names, o->node);
    const struct pof_name_key id = pof_names_key(&b->offer_ids, o->id);
    int rc = pof_quarters_check(o->start, o->end, err);
    if (rc == 0 && (node = pof_names_find_key(&b->feeder->grid->node_names, &at)) == POF_NONE) {
        return unknown(err, "node", o->node);
    }
    __builtin_prefetch(&b->feeder->place[node]);
    rc = rc ? rc : take_key(&b->offer_ids, &id, o->id, err);
    rc = rc ? rc : pof_grow(&b->offer, &b->offer_cap, b->offers + 1, sizeof *b->offer, err);
    rc = rc ? rc : pof_grow(&b->terms, &b->terms_cap, b->offers + 1, sizeof *b->terms, err);
    rc = rc ? rc : keep_offer(b, o, node, err);
    b->offers += rc == 0;
    return rc;
}

static int take_limit(struct pof_book *b, const struct pof_limit *l, struct pof_err *err)
{
    struct pof_book_limit x = {.start = l->start,
                               .p_up_w = l->p_up_w,
                               .p_down_w = l->p_down_w,
                               .quarter = (uint32_t)(l->duration_s / POF_QUARTER_S)};
    int rc = pof_quarters_check(l->start, l->start + POF_QUARTER_S, err);
    if (rc == 0 && l->duration_s % POF_QUARTER_S != 0) {
        pof_fail(err, POF_E_TIME, "'%d' is not a multiple of 900", (int)l->duration_s);
        rc = pof_at(err, NULL, 0, "duration_s");
    }
    uint32_t branch = pof_names_find(&b->feeder->grid->branch_names, l->branch);
    if (rc == 0 && branch != POF_NONE && pof_feeder_loop(b->feeder, branch)) {
        return pof_loops_take(&b->loops, branch, l, err);
    }
    rc = rc ? rc : find_below(b, l->branch, &x.node, err);
    rc = rc ? rc : pof_grow(&b->limit, &b->limit_cap, b->limits + 1, sizeof *b->limit, err);
    if (rc == 0) {
        b->limit[b->limits++] = x;
    }
    return rc;
}

int pof_book_take(struct pof_book *book, const struct pof_record *record, struct pof_err *err)
{
    switch (record->type) {
    case POF_session:
        return take_session(book, &record->u.session, err);
    case POF_request:
        return take_request(book, &record->u.request, err);
    case POF_offer:
        return take_offer(book, &record->u.offer, err);
    case POF_limit:
        return take_limit(book, &record->u.limit, err);
    default:
        return pof_fail(err, POF_E_SCHEMA, "a book has no such record");
    }
}

/* --- closing --- */

static int choose_session(struct pof_book *b, const char *id, struct pof_err *err)
{
    for (size_t i = 0; i < b->n_sessions; i++) {
        if (id ? pof_text_is(b->sessions[i].id, id) : b->n_sessions == 1) {
            b->session = b->sessions[i];
            b->quarters = (uint32_t)((b->session.end - b->session.start) / POF_QUARTER_S);
            return 0;
        }
    }
    if (id) {
        return pof_fail(err, POF_E_REFERENCE, "session '%s' is not among the %zu given", id,
                        b->n_sessions);
    }
    if (b->n_sessions == 0) {
        return pof_fail(err, POF_E_REFERENCE,
                        "there is no session record; a market clears for a session");
    }
    return pof_fail(err, POF_E_REFERENCE, "%zu sessions are given; --session says which",
                    b->n_sessions);
}

/* The quarter-hours of a time inside the window; false: none. */
static bool clip(const struct pof_book *b, int64_t start, int64_t end, uint32_t *first,
                 uint32_t *last)
{
    int64_t from = start > b->session.start ? start : b->session.start;
    int64_t to = end < b->session.end ? end : b->session.end;
    if (from >= to) {
        return false;
    }
    *first = (uint32_t)((from - b->session.start) / POF_QUARTER_S);
    *last = (uint32_t)((to - b->session.start) / POF_QUARTER_S);
    return true;
}

static void keep_requests(struct pof_book *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->requests; i++) {
        struct pof_book_request x = b->request[i];
        if (!pof_text_eq(x.record.session, b->session.id)) {
            b->counts.requests_elsewhere++;
            continue;
        }
        if (!clip(b, x.record.start, x.record.end, &x.first, &x.last)) {
            b->counts.requests_outside++;
            continue;
        }
        x.clear.ceiling_ueur = POF_HAS(&x.record, request, price_limit_ueur_mwh)
                                   ? x.record.price_limit_ueur_mwh
                                   : b->rules.ceiling_ueur_mwh;
        b->counts.requests_unfed += !x.fed;
        b->request[n++] = x;
    }
    b->requests = b->counts.requests = n;
}

static void keep_offers(struct pof_book *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->offers; i++) {
        struct pof_book_offer *x = &b->offer[i];
        if (!clip(b, b->terms[i].start, b->terms[i].end, &x->first, &x->last)) {
            b->counts.offers_outside++;
        } else if (b->feeder->place[x->node] == POF_NONE) {
            b->counts.offers_unfed++;
        } else if (x->block != POF_NONE && b->block[x->block].out) {
            b->counts.offers_in_blocks_out++;
        } else if (n++ < i) {
            b->offer[n - 1] = *x;
            b->terms[n - 1] = b->terms[i];
        }
    }
    b->offers = b->counts.offers = n;
}

/* The quarter-hours of the window that a limit holds in; false: none, or nothing is there. */
static bool clip_limit(struct pof_book *b, const struct pof_book_limit *l, uint32_t *first, uint32_t *last)
{
    int64_t end = l->start + (int64_t)l->quarter * POF_QUARTER_S;
    if (!clip(b, l->start, end, first, last)) {
        b->counts.limits_outside++;
        return false;
    }
    b->counts.limits_unfed += l->node == POF_NONE;
    b->counts.limits += l->node != POF_NONE;
    return l->node != POF_NONE;
}

/* One limit for each quarter-hour it covers in the window. They are many, so this is done in place: all
 * go to the end of an array that has room for what each becomes, and at least for itself, so that what
 * is written never overtakes what is read. */
static int keep_limits(struct pof_book *b, struct pof_err *err)
{
    size_t n = b->limits, done = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t first, last;
        const struct pof_book_limit *l = &b->limit[i];
        bool inside = clip(b, l->start, l->start + (int64_t)l->quarter * POF_QUARTER_S, &first, &last);
        total += inside ? last - first : 1;
    }
    int rc = pof_grow(&b->limit, &b->limit_cap, total, sizeof *b->limit, err);
    if (rc) {
        return rc;
    }
    size_t from = total - n;
    if (from > 0) {
        memmove(b->limit + from, b->limit, n * sizeof *b->limit);
    }
    for (size_t i = from; i < total; i++) {
        struct pof_book_limit l = b->limit[i];
        uint32_t first, last;
        if (!clip_limit(b, &l, &first, &last)) {
            continue;
        }
        for (l.quarter = first; l.quarter < last; l.quarter++) {
            b->limit[done++] = l;
        }
    }
    b->limits = done;
    return 0;
}

static int close_loops(struct pof_book *b, struct pof_err *err)
{
    size_t n = b->loops.n;
    int rc = pof_loops_close(&b->loops, b->feeder->grid, b->session.start, b->session.end, err);
    b->counts.limits += b->loops.n;
    b->counts.limits_outside += n - b->loops.n;
    return rc;
}

/* What buyers cannot use any more is a limit of their area. */
static int add_bands(struct pof_book *b, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->requests; i++) {
        const struct pof_book_request *x = &b->request[i];
        if (!x->fed || !POF_HAS(&x->record, request, max_w)) {
            continue;
        }
        struct pof_book_limit l = {.node = x->clear.node, .p_up_w = INT64_MAX, .p_down_w = INT64_MAX};
        *(x->clear.direction == POF_UP ? &l.p_up_w : &l.p_down_w) = x->record.max_w;
        rc = pof_grow(&b->limit, &b->limit_cap, b->limits + (x->last - x->first), sizeof *b->limit,
                      err);
        for (l.quarter = x->first; rc == 0 && l.quarter < x->last; l.quarter++) {
            b->limit[b->limits++] = l;
        }
    }
    return rc;
}

static int request_cmp(const void *pa, const void *pb)
{
    const struct pof_book_request *a = pa, *b = pb;
    return pof_text_cmp(a->record.id, b->record.id);
}

static uint64_t limit_key(const struct pof_book_limit *l)
{
    return (uint64_t)l->quarter << 32 | l->node;
}

/* By quarter-hour and node; of those that are alike, only the least counts, in any order. What comes in
 * order stays as it is, and takes no memory. */
static int sort_limits(struct pof_book *b, struct pof_err *err)
{
    const size_t n = b->limits;
    struct pof_key *key;
    struct pof_book_limit *sorted;
    size_t i = 1;
    while (i < n && limit_key(&b->limit[i - 1]) <= limit_key(&b->limit[i])) {
        i++;
    }
    if (i >= n) {
        return 0;
    }
    int rc = pof_calloc(&key, 2 * n, sizeof *key, err);
    rc = rc ? rc : pof_calloc(&sorted, n, sizeof *sorted, err);
    if (rc) {
        free(key);
        return rc;
    }
    for (i = 0; i < n; i++) {
        key[i] = (struct pof_key){limit_key(&b->limit[i]), i};
    }
    pof_sort_keys(key, key + n, n);
    for (i = 0; i < n; i++) {
        sorted[i] = b->limit[key[i].value];
    }
    free(key);
    free(b->limit);
    b->limit = sorted;
    b->limit_cap = n;
    return 0;
}

/* What comes in order stays as it is. */
static void sort(void *array, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
    const char *at = array;
    for (size_t i = 1; i < n; i++, at += size) {
        if (cmp(at, at + size) > 0) {
            qsort(array, n, size, cmp);
            return;
        }
    }
}

/* What has a span of quarter-hours [first, last), read from the records of an array. */
struct spans {
    const char *base;
    size_t n, size;
    size_t first, last;    /* offsets of the members */
    const uint32_t *order; /* [n]; NULL: as they are */
};

static uint32_t span_at(const struct spans *s, size_t i, size_t offset)
{
    uint32_t x;
    memcpy(&x, s->base + i * s->size + offset, sizeof x);
    return x;
}

static int slice(struct pof_book_slices *out, const struct spans *s, uint32_t quarters,
                 struct pof_err *err)
{
    size_t total = 0;
    int rc = pof_calloc(&out->first, (size_t)quarters + 2, sizeof *out->first, err);
    if (rc) {
        return rc;
    }
    /* Counted one place further on, so that filling leaves the starts where they belong. */
    size_t *next = out->first + 1;
    for (size_t i = 0; i < s->n; i++) {
        for (uint32_t q = span_at(s, i, s->first); q < span_at(s, i, s->last); q++) {
            next[q + 1]++;
            total++;
        }
    }
    for (uint32_t q = 0; q < quarters; q++) {
        next[q + 1] += next[q];
    }
    rc = pof_calloc(&out->at, total, sizeof *out->at, err);
    for (size_t i = 0; rc == 0 && i < s->n; i++) {
        size_t k = s->order ? s->order[i] : i;
        for (uint32_t q = span_at(s, k, s->first); q < span_at(s, k, s->last); q++) {
            out->at[next[q]++] = (uint32_t)k;
        }
    }
    return rc;
}

static int slice_limits(struct pof_book *b, struct pof_err *err)
{
    int rc = pof_calloc(&b->limit_first, (size_t)b->quarters + 1, sizeof *b->limit_first, err);
    for (size_t i = 0; rc == 0 && i < b->limits; i++) {
        b->limit_first[b->limit[i].quarter + 1]++;
    }
    for (uint32_t q = 0; rc == 0 && q < b->quarters; q++) {
        b->limit_first[q + 1] += b->limit_first[q];
    }
    return rc;
}

/* Ranks, and lists by quarter-hour in the order of cost. */
static int order_offers(struct pof_book *b, struct pof_err *err)
{
    uint32_t *order = NULL;
    int rc = pof_book_rank(b, &order, err);
    const struct spans offers = {(const char *)b->offer, b->offers, sizeof *b->offer,
                                 offsetof(struct pof_book_offer, first),
                                 offsetof(struct pof_book_offer, last), order};
    rc = rc ? rc : slice(&b->by_offer, &offers, b->quarters, err);
    free(order);
    return rc;
}

int pof_book_frame(struct pof_book *b, const char *session, struct pof_rulebook *rules,
                   struct pof_err *err)
{
    int rc = choose_session(b, session, err);
    b->rulebook = rules;
    rc = rc ? rc : pof_rulebook_choose(rules, b->session.kind, &b->rules, err);
    rc = rc ? rc : pof_book_refuse_requests(b, err);
    if (rc) {
        return rc;
    }
    keep_requests(b);
    rc = keep_limits(b, err);
    rc = rc ? rc : close_loops(b, err);
    rc = rc ? rc : add_bands(b, err);
    sort(b->request, b->requests, sizeof *b->request, request_cmp);
    rc = rc ? rc : sort_limits(b, err);
    const struct spans requests = {(const char *)b->request, b->requests, sizeof *b->request,
                                   offsetof(struct pof_book_request, first),
                                   offsetof(struct pof_book_request, last), NULL};
    rc = rc ? rc : slice(&b->by_request, &requests, b->quarters, err);
    return rc ? rc : slice_limits(b, err);
}

int pof_book_close(struct pof_book *book, const char *session, struct pof_rulebook *rules,
                   struct pof_err *err)
{
    int rc = pof_book_frame(book, session, rules, err);
    rc = rc ? rc : pof_book_refuse_offers(book, err);
    rc = rc ? rc : pof_book_blocks_close(book, err);
    if (rc) {
        return rc;
    }
    keep_offers(book);
    return order_offers(book, err);
}

/* --- one quarter-hour at a time --- */

static int refuse_decisions(const struct pof_offer *o, struct pof_err *err)
{
    const char *field = POF_HAS(o, offer, block)    ? "block"
                        : POF_HAS(o, offer, parent) ? "parent"
                        : POF_HAS(o, offer, group)  ? "group"
                        : POF_HAS(o, offer, min_w)  ? "min_w"
                        : POF_HAS(o, offer, lead_s) ? "lead_s"
                        : POF_HAS(o, offer, rest_s) ? "rest_s"
                        : POF_HAS(o, offer, max_active_s)    ? "max_active_s"
                        : POF_HAS(o, offer, max_activations) ? "max_activations"
                                                             : NULL;
    if (!field) {
        return 0;
    }
    pof_fail(err, POF_E_CONFLICT,
             "an offer with '%s' is decided for the session as a whole, not as a stream; clear "
             "without --stream",
             field);
    return pof_at(err, NULL, 0, field);
}

int pof_book_next_offer(struct pof_book *b, const struct pof_offer *offer, struct pof_err *err)
{
    int rc = refuse_decisions(offer, err);
    rc = rc ? rc : take_offer(b, offer, err);
    if (rc) {
        return rc;
    }
    struct pof_book_offer *x = &b->offer[b->offers - 1];
    bool inside = clip(b, offer->start, offer->end, &x->first, &x->last), out = false;
    if (inside && (rc = pof_book_refuse_last(b, &out, err)) != 0) {
        return rc;
    }
    bool fed = b->feeder->place[x->node] != POF_NONE;
    b->counts.offers += inside && fed && !out;
    b->counts.offers_outside += !inside;
    b->counts.offers_unfed += inside && !fed && !out;
    b->offers -= !inside || !fed || out;
    return 0;
}

int pof_book_quarter(struct pof_book *b, uint32_t quarter, struct pof_err *err)
{
    size_t *first = b->by_offer.first;
    int rc = first ? 0 : pof_calloc(&first, (size_t)b->quarters + 2, sizeof *first, err);
    b->by_offer.first = first;
    for (uint32_t q = 0; rc == 0 && q < b->quarters + 2; q++) {
        first[q] = q > quarter ? b->offers : 0;
    }
    for (size_t i = 0; i < b->offers; i++) {
        b->offer[i].first = quarter;
        b->offer[i].last = quarter + 1;
    }
    free(b->by_offer.at);
    b->by_offer.at = NULL;
    return rc ? rc : pof_book_rank(b, &b->by_offer.at, err);
}

int pof_book_forget(struct pof_book *b, uint32_t quarter, struct pof_err *err)
{
    int64_t end = b->session.start + (int64_t)(quarter + 1) * POF_QUARTER_S;
    struct pof_arena ids = b->offer_ids.arena, pods = b->pods;
    size_t n = 0;
    int rc = 0;
    b->offer_ids.arena = b->pods = (struct pof_arena){0};
    pof_names_clear(&b->offer_ids);
    for (size_t i = 0; rc == 0 && i < b->offers; i++) {
        struct pof_book_terms t = b->terms[i];
        if (t.end <= end) {
            continue;
        }
        rc = take_id(&b->offer_ids, t.id, t.id, err);
        t.pod.ptr = pof_arena_text(&b->pods, t.pod.ptr, t.pod.len, err);
        rc = t.pod.ptr ? rc : POF_E_NOMEM;
        if (rc == 0) {
            t.id = b->offer_ids.text[n];
            b->terms[n] = t;
            b->offer[n++] = b->offer[i];
        }
    }
    b->offers = n;
    pof_arena_release(&ids);
    pof_arena_release(&pods);
    return rc;
}
