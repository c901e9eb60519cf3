/* SPDX-License-Identifier: Apache-2.0 */
/* Records into an order book. */
#include "market/book.h"

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

/* What few offers have: places in blocks, and how long and how often they can be active. Blocks keep
 * names of the record, so that it is copied as a whole when it has any. */
static int take_rare(struct pof_book *b, const struct pof_offer *o, struct pof_err *err)
{
    struct pof_book_offer *x = &b->offer[b->offers];
    struct pof_offer copy;
    bool named = POF_HAS(o, offer, block) || POF_HAS(o, offer, parent) || POF_HAS(o, offer, group);
    b->any_least = b->any_least || POF_HAS(o, offer, min_w);
    int rc = pof_book_spell_take(b, o, &b->terms[b->offers].spell, err);
    rc = rc || !named ? rc : pof_record_copy(POF_offer, o, &copy, &b->arena, err);
    return rc ? rc : pof_book_block_take(b, named ? &copy : o, &x->block, err);
}

static bool has_rare(const struct pof_offer *o)
{
    return POF_HAS(o, offer, min_w) || POF_HAS(o, offer, block) || POF_HAS(o, offer, parent) ||
           POF_HAS(o, offer, group) || POF_HAS(o, offer, max_active_s) || POF_HAS(o, offer, rest_s) ||
           POF_HAS(o, offer, max_activations);
}

/* The next offer, which has just been given its number. */
static int keep_offer(struct pof_book *b, const struct pof_offer *o, uint32_t node, struct pof_err *err)
{
    struct pof_book_terms *t = &b->terms[b->offers];
    const struct pof_text id = b->offer_ids.text[b->offer_ids.n - 1];
    *t = (struct pof_book_terms){
        .has = o->has,
        .id = id.ptr,
        .pod = pof_arena_text(&b->pods, o->pod.ptr, o->pod.len, err),
        .min_w = o->min_w,
        .received = o->received,
        .start = (uint32_t)(o->start / POF_QUARTER_S),
        .end = (uint32_t)(o->end / POF_QUARTER_S),
        .lead_s = (int32_t)o->lead_s,
        .id_len = (uint16_t)id.len,
        .pod_len = (uint16_t)o->pod.len};
    b->offer[b->offers] = (struct pof_book_offer){.p_w = o->p_w,
                                                  .price_ueur_mwh = o->price_ueur_mwh,
                                                  .node = node,
                                                  .block = POF_NONE,
                                                  .direction = (unsigned char)o->direction};
    b->any_received = b->any_received || POF_HAS(o, offer, received);
    int rc = t->pod ? pof_names_add(&b->seller_ids, o->seller, &t->seller, err) : POF_E_NOMEM;
    return rc || !has_rare(o) ? rc : take_rare(b, o, err);
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
    bool inside = pof_book_clip(b, offer->start, offer->end, &x->first, &x->last), out = false;
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
    const uint32_t end = (uint32_t)(b->session.start / POF_QUARTER_S) + quarter + 1;
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
        rc = take_id(&b->offer_ids, pof_book_id(&t), pof_book_id(&t), err);
        t.pod = pof_arena_text(&b->pods, t.pod, t.pod_len, err);
        rc = t.pod ? rc : POF_E_NOMEM;
        if (rc == 0) {
            t.id = b->offer_ids.text[n].ptr;
            b->terms[n] = t;
            b->offer[n++] = b->offer[i];
        }
    }
    b->offers = n;
    pof_arena_release(&ids);
    pof_arena_release(&pods);
    return rc;
}
