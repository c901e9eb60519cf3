/* SPDX-License-Identifier: Apache-2.0 */
/* Awards and verdicts joined. */
#include "market/outcome.h"

#include "market/attribute.h"
#include "market/quarter.h"
#include "num/units.h"
#include "record/words.h"

#include <stdlib.h>
#include <string.h>

int pof_join_init(struct pof_join *j, const struct pof_feeder *feeder, struct pof_err *err)
{
    (void)err;
    *j = (struct pof_join){.feeder = feeder};
    return 0;
}

int pof_join_expect(struct pof_join *j, size_t awards, struct pof_err *err)
{
    int rc = pof_names_reserve(&j->award_ids, awards, err);
    rc = rc ? rc : pof_grow(&j->joined, &j->award_cap, awards, sizeof *j->joined, err);
    return rc ? rc : pof_grow(&j->verdict, &j->verdict_cap, awards, sizeof *j->verdict, err);
}

void pof_join_release(struct pof_join *j)
{
    pof_names_release(&j->award_ids);
    pof_names_release(&j->request_ids);
    pof_names_release(&j->offer_ids);
    pof_arena_release(&j->arena);
    free(j->joined);
    free(j->verdict);
    free(j->request);
    free(j->offer);
    *j = (struct pof_join){0};
}

/* --- taking records --- */

static int at_field(struct pof_err *err, const char *field)
{
    return pof_at(err, NULL, 0, field);
}

/* Ids are unique in their session: both together are the key. Offers have one name for good. */
static int take_id(struct pof_names *set, struct pof_text session, struct pof_text id,
                   struct pof_err *err)
{
    char key[256];
    uint32_t next = (uint32_t)set->n, number = 0;
    size_t n = session.len + 1 + id.len;
    if (n > sizeof key) {
        pof_fail(err, POF_E_TOO_LONG, "session and id have more than %zu bytes", sizeof key);
        return at_field(err, "id");
    }
    memcpy(key, session.ptr, session.len);
    key[session.len] = '\x1f'; /* in no name that reads as text */
    memcpy(key + session.len + 1, id.ptr, id.len);
    int rc = pof_names_add(set, (struct pof_text){key, n}, &number, err);
    if (rc == 0 && number != next) {
        pof_fail(err, POF_E_DUPLICATE, "'%.*s' was given before", (int)id.len, id.ptr);
        rc = at_field(err, "id");
    }
    return rc;
}

static int check_node(const struct pof_join *j, struct pof_text node, struct pof_err *err)
{
    if (j->feeder && pof_names_find(&j->feeder->grid->node_names, node) == POF_NONE) {
        pof_fail(err, POF_E_REFERENCE, "'%.*s' is no node of the grid", (int)node.len, node.ptr);
        return at_field(err, "node");
    }
    return 0;
}

static int keep(struct pof_join *j, struct pof_text *t, struct pof_err *err)
{
    t->ptr = pof_arena_text(&j->arena, t->ptr, t->len, err);
    return t->ptr ? 0 : POF_E_NOMEM;
}

/* Most texts of an award are those of the award before. */
static int keep_like(struct pof_join *j, struct pof_text *t, struct pof_text before, struct pof_err *err)
{
    if (!pof_text_eq(*t, before)) {
        return keep(j, t, err);
    }
    *t = before;
    return 0;
}

/* Where pof-clear has named an award by its session, its offer and its time, both are in its name. */
static bool in_name(struct pof_award *a)
{
    size_t session = a->session.len, offer = a->offer.len;
    const char *id = a->id.ptr;
    if (a->id.len <= session + offer + 2 || id[session] != ':' || id[session + 1 + offer] != ':' ||
        memcmp(id, a->session.ptr, session) != 0 || memcmp(id + session + 1, a->offer.ptr, offer) != 0) {
        return false;
    }
    a->session.ptr = id;
    a->offer.ptr = id + session + 1;
    return true;
}

/* The texts of the next award, of which the id is kept already. */
static int keep_texts(struct pof_join *j, struct pof_award *a, struct pof_err *err)
{
    const struct pof_award none = {0}, *before = j->awards ? &j->joined[j->awards - 1].award : &none;
    int rc = 0;
    if (!in_name(a)) {
        rc = keep_like(j, &a->session, before->session, err);
        rc = rc ? rc : keep(j, &a->offer, err);
    }
    rc = rc ? rc : keep_like(j, &a->request, before->request, err);
    rc = rc ? rc : keep_like(j, &a->pod, before->pod, err);
    rc = rc ? rc : keep_like(j, &a->node, before->node, err);
    rc = rc ? rc : keep_like(j, &a->buyer, before->buyer, err);
    return rc ? rc : keep_like(j, &a->seller, before->seller, err);
}

static int take_award(struct pof_join *j, const struct pof_award *a, struct pof_err *err)
{
    uint32_t next = (uint32_t)j->awards, number = 0;
    int rc = pof_quarters_check(a->start, a->start + POF_QUARTER_S, err);
    if (rc == 0 && a->duration_s != POF_QUARTER_S) {
        pof_fail(err, POF_E_TIME, "'%lld' is not a quarter-hour, 900 s", (long long)a->duration_s);
        return at_field(err, "duration_s");
    }
    rc = rc ? rc : check_node(j, a->node, err);
    rc = rc ? rc : pof_names_add(&j->award_ids, a->id, &number, err);
    if (rc == 0 && number != next) {
        pof_fail(err, POF_E_DUPLICATE, "award '%.*s' was given before", (int)a->id.len, a->id.ptr);
        return at_field(err, "id");
    }
    rc = rc ? rc : pof_grow(&j->joined, &j->award_cap, j->awards + 1, sizeof *j->joined, err);
    if (rc == 0) {
        struct pof_joined *x = &j->joined[j->awards];
        x->award = *a;
        x->award.id = j->award_ids.text[number];
        rc = keep_texts(j, &x->award, err);
        x->verdict = NULL;
        x->p_w = a->p_w;
    }
    j->awards += rc == 0;
    return rc;
}

static int take_verdict(struct pof_join *j, const struct pof_verdict *v, struct pof_err *err)
{
    struct pof_join_verdict x = {.has = v->has,
                                 .award = v->award,
                                 .element = v->element,
                                 .p_w = v->p_w,
                                 .decision = v->decision,
                                 .reason = v->reason,
                                 .number = pof_names_find(&j->award_ids, v->award)};
    int rc = pof_grow(&j->verdict, &j->verdict_cap, j->verdicts + 1, sizeof *j->verdict, err);
    if (rc == 0 && x.number != POF_NONE) {
        x.award = j->award_ids.text[x.number];
    } else if (rc == 0) {
        rc = keep(j, &x.award, err);
    }
    rc = rc || !POF_HAS(v, verdict, element) ? rc : keep(j, &x.element, err);
    if (rc == 0) {
        j->verdict[j->verdicts++] = x;
    }
    return rc;
}

static int take_request(struct pof_join *j, const struct pof_request *r, struct pof_err *err)
{
    int rc = pof_quarters_check(r->start, r->end, err);
    rc = rc || !POF_HAS(r, request, node) ? rc : check_node(j, r->node, err);
    if (rc == 0 && j->feeder && POF_HAS(r, request, branch) &&
        pof_names_find(&j->feeder->grid->branch_names, r->branch) == POF_NONE) {
        pof_fail(err, POF_E_REFERENCE, "'%.*s' is no branch of the grid", (int)r->branch.len,
                 r->branch.ptr);
        rc = at_field(err, "branch");
    }
    struct pof_area area;
    rc = rc || !j->feeder || !POF_HAS(r, request, nodes) ? rc : pof_feeder_area(j->feeder, r->nodes, &area, err);
    rc = rc ? rc : take_id(&j->request_ids, r->session, r->id, err);
    rc = rc ? rc : pof_grow(&j->request, &j->request_cap, j->requests + 1, sizeof *j->request, err);
    rc = rc ? rc : pof_record_copy(POF_request, r, &j->request[j->requests], &j->arena, err);
    j->requests += rc == 0;
    return rc;
}

static int take_offer(struct pof_join *j, const struct pof_offer *o, struct pof_err *err)
{
    int rc = pof_quarters_check(o->start, o->end, err);
    rc = rc ? rc : take_id(&j->offer_ids, (struct pof_text){"", 0}, o->id, err);
    rc = rc ? rc : pof_grow(&j->offer, &j->offer_cap, j->offers + 1, sizeof *j->offer, err);
    rc = rc ? rc : pof_record_copy(POF_offer, o, &j->offer[j->offers], &j->arena, err);
    j->offers += rc == 0;
    return rc;
}

int pof_join_take(struct pof_join *j, const struct pof_record *record, struct pof_err *err)
{
    switch (record->type) {
    case POF_award:
        return take_award(j, &record->u.award, err);
    case POF_verdict:
        return take_verdict(j, &record->u.verdict, err);
    case POF_request:
        return take_request(j, &record->u.request, err);
    case POF_offer:
        return take_offer(j, &record->u.offer, err);
    default:
        return pof_fail(err, POF_E_SCHEMA, "an award is not joined with such a record");
    }
}

/* --- joining --- */

/* The award of a verdict; each award has one. */
static int attach(struct pof_join *j, const struct pof_join_verdict *v, struct pof_err *err)
{
    uint32_t number = v->number == POF_NONE ? pof_names_find(&j->award_ids, v->award) : v->number;
    int n = (int)v->award.len;
    if (number == POF_NONE) {
        return pof_fail(err, POF_E_REFERENCE, "there is a verdict on '%.*s', but no such award", n,
                        v->award.ptr);
    }
    struct pof_joined *x = &j->joined[number];
    if (x->verdict) {
        return pof_fail(err, POF_E_DUPLICATE, "award '%.*s' has two verdicts", n, v->award.ptr);
    }
    bool fits = v->decision == POF_DECISION_ACCEPT   ? v->p_w == x->award.p_w
                : v->decision == POF_DECISION_REJECT ? v->p_w == 0
                                                     : v->p_w < x->award.p_w;
    if (!fits) {
        return pof_fail(err, POF_E_CONFLICT,
                        "the verdict on '%.*s' allows %lld of %lld W, which is not what it says", n,
                        v->award.ptr, (long long)v->p_w, (long long)x->award.p_w);
    }
    x->verdict = v;
    x->p_w = v->p_w;
    return 0;
}

static int count(struct pof_join *j, struct pof_err *err)
{
    struct pof_join_counts *c = &j->counts;
    uint64_t *of[] = {[POF_DECISION_ACCEPT] = &c->accepted,
                      [POF_DECISION_CURTAIL] = &c->curtailed,
                      [POF_DECISION_REJECT] = &c->rejected};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < j->awards; i++) {
        const struct pof_joined *x = &j->joined[i];
        if (x->award.why == POF_AWARD_RESERVE) {
            c->held++;
            continue;
        }
        ++*of[x->verdict ? x->verdict->decision : POF_DECISION_ACCEPT];
        c->missing += x->verdict == NULL;
        rc = pof_add(&c->awarded_wq, x->award.p_w, err);
        rc = rc ? rc : pof_add(&c->allowed_wq, x->p_w, err);
    }
    return rc;
}

static const struct pof_joined *first_missing(const struct pof_join *j)
{
    const struct pof_joined *first = NULL;
    for (size_t i = 0; i < j->awards; i++) {
        const struct pof_joined *x = &j->joined[i];
        if (!x->verdict && (!first || pof_text_cmp(x->award.id, first->award.id) < 0)) {
            first = x;
        }
    }
    return first;
}

static int joined_cmp(const void *pa, const void *pb)
{
    const struct pof_award *a = &((const struct pof_joined *)pa)->award;
    const struct pof_award *b = &((const struct pof_joined *)pb)->award;
    int c = pof_text_cmp(a->session, b->session);
    if (c == 0 && a->start != b->start) {
        c = a->start < b->start ? -1 : 1;
    }
    c = c ? c : pof_text_cmp(a->request, b->request);
    if (c == 0 && a->why != b->why) {
        c = a->why < b->why ? -1 : 1;
    }
    if (c == 0 && a->offer_price_ueur_mwh != b->offer_price_ueur_mwh) {
        c = a->offer_price_ueur_mwh < b->offer_price_ueur_mwh ? -1 : 1;
    }
    return c ? c : pof_text_cmp(a->id, b->id);
}

static int request_cmp(const void *pa, const void *pb)
{
    const struct pof_request *a = pa, *b = pb;
    int c = pof_text_cmp(a->session, b->session);
    return c ? c : pof_text_cmp(a->id, b->id);
}

static int offer_cmp(const void *pa, const void *pb)
{
    const struct pof_offer *a = pa, *b = pb;
    return pof_text_cmp(a->id, b->id);
}

/* What comes in order, as from the programs before, stays as it is. */
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

int pof_join_close(struct pof_join *j, bool accept_missing, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < j->verdicts; i++) {
        rc = attach(j, &j->verdict[i], err);
    }
    rc = rc ? rc : count(j, err);
    if (rc == 0 && j->counts.missing > 0 && !accept_missing) {
        const struct pof_award *a = &first_missing(j)->award;
        return pof_fail(err, POF_E_MISSING,
                        "award '%.*s' has no verdict, %llu in all; --accept-missing accepts them",
                        (int)a->id.len, a->id.ptr, (unsigned long long)j->counts.missing);
    }
    sort(j->joined, j->awards, sizeof *j->joined, joined_cmp);
    sort(j->request, j->requests, sizeof *j->request, request_cmp);
    sort(j->offer, j->offers, sizeof *j->offer, offer_cmp);
    return rc;
}

static struct pof_outcome outcome_of(const struct pof_joined *x)
{
    const struct pof_award *a = &x->award;
    const struct pof_join_verdict *v = x->verdict;
    struct pof_outcome o = {.award = a->id,
                            .session = a->session,
                            .request = a->request,
                            .offer = a->offer,
                            .pod = a->pod,
                            .node = a->node,
                            .buyer = a->buyer,
                            .role = a->role,
                            .seller = a->seller,
                            .direction = a->direction,
                            .start = a->start,
                            .duration_s = a->duration_s,
                            .p_awarded_w = a->p_w,
                            .p_w = x->p_w,
                            .price_ueur_mwh = a->price_ueur_mwh,
                            .decision = v ? v->decision : POF_DECISION_ACCEPT};
    if (v && POF_HAS(v, verdict, reason)) {
        o.reason = v->reason;
        POF_SET(&o, outcome, reason);
    }
    if (v && POF_HAS(v, verdict, element)) {
        o.element = v->element;
        POF_SET(&o, outcome, element);
    }
    return o;
}

int pof_join_outcomes(const struct pof_join *j,
                      int (*each)(void *ctx, const struct pof_outcome *o, struct pof_err *err),
                      void *ctx, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < j->awards; i++) {
        struct pof_outcome o = outcome_of(&j->joined[i]);
        rc = j->joined[i].award.why == POF_AWARD_RESERVE ? 0 : each(ctx, &o, err);
    }
    return rc;
}

int pof_file_part(struct pof_buf *to, struct pof_text name, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || (c == '.' && i > 0);
        rc = plain ? pof_buf_add(to, &c, 1, err) : pof_buf_addf(to, err, "%%%02X", c);
    }
    return rc;
}
