/* SPDX-License-Identifier: Apache-2.0 */
/* What a report keeps of the records it is given. */
#include "market/report_impl.h"

#include "record/words.h"

#include <stdlib.h>

enum { SPAN_MAX_S = 31 * 86400 }; /* more than any session's window; bounds the work of a record */

int pof_report_new(struct pof_report **out, struct pof_err *err)
{
    return pof_calloc(out, 1, sizeof **out, err);
}

void pof_report_free(struct pof_report *r)
{
    if (!r) {
        return;
    }
    struct pof_names *names[] = {&r->pods,         &r->sessions,  &r->parties,  &r->offer_ids,
                                 &r->request_keys, &r->award_ids, &r->elements, &r->flows,
                                 &r->days,         &r->registered};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        pof_names_release(names[i]);
    }
    pof_kpis_release(&r->kpis);
    free(r->session);
    free(r->request);
    free(r->left);
    free(r->offer);
    free(r->award);
    free(r->statement);
    free(r->reference);
    free(r->sold);
    free(r->order);
    free(r);
}

static int session_of(struct pof_report *r, struct pof_text name, uint32_t *s, struct pof_err *err)
{
    size_t before = r->sessions.n;
    int rc = pof_names_add(&r->sessions, name, s, err);
    rc = rc ? rc : pof_grow(&r->session, &r->session_cap, r->sessions.n, sizeof *r->session, err);
    if (rc == 0 && r->sessions.n > before) {
        r->session[*s] = (struct pofi_session){
            .gate = INT64_MAX, .start = INT64_MIN, .end = INT64_MAX, .element = POF_NONE};
    }
    return rc;
}

/* Ids of requests are unique in their session only. */
static int request_of(struct pof_report *r, struct pof_text session, struct pof_text id, uint32_t *q,
                      struct pof_err *err)
{
    struct pof_buf key = {0};
    size_t before = r->request_keys.n;
    int rc = pof_buf_add(&key, session.ptr, session.len, err);
    rc = rc ? rc : pof_buf_add(&key, "\n", 1, err);
    rc = rc ? rc : pof_buf_add(&key, id.ptr, id.len, err);
    rc = rc ? rc : pof_names_add(&r->request_keys, (struct pof_text){key.data, key.len}, q, err);
    rc = rc ? rc : pof_grow(&r->request, &r->request_cap, r->request_keys.n, sizeof *r->request, err);
    if (rc == 0 && r->request_keys.n > before) {
        r->request[*q] = (struct pofi_request){0};
    }
    pof_buf_release(&key);
    return rc;
}

static int award_of(struct pof_report *r, struct pof_text id, unsigned what, struct pofi_award **a,
                    struct pof_err *err)
{
    size_t before = r->award_ids.n;
    uint32_t i = 0;
    int rc = pof_names_add(&r->award_ids, id, &i, err);
    rc = rc ? rc : pof_grow(&r->award, &r->award_cap, r->award_ids.n, sizeof *r->award, err);
    if (rc) {
        return rc;
    }
    *a = &r->award[i];
    if (r->award_ids.n > before) {
        **a = (struct pofi_award){.element = POF_NONE};
    }
    if ((*a)->seen & what) {
        pof_fail(err, POF_E_DUPLICATE, "award '%.*s' was given before in such a record", (int)id.len,
                 id.ptr);
        return pof_at(err, NULL, 0, what == POFI_AWARDED ? "id" : "award");
    }
    (*a)->seen |= what;
    return 0;
}

static int check_span(int64_t start, int64_t end, struct pof_err *err)
{
    if (end > start && end - start <= SPAN_MAX_S) {
        return 0;
    }
    pof_fail(err, POF_E_RANGE, "%s; a time of at most 31 days is expected",
             end > start ? "it lasts longer than 31 days" : "it does not end after its start");
    return pof_at(err, NULL, 0, "end");
}

static int take_session(struct pof_report *r, const struct pof_session *s, struct pof_err *err)
{
    uint32_t i = 0, day = 0;
    int rc = check_span(s->start, s->end, err);
    rc = rc ? rc : session_of(r, s->id, &i, err);
    if (rc == 0 && r->session[i].known &&
        (r->session[i].start != s->start || r->session[i].end != s->end ||
         r->session[i].gate != s->gate)) {
        pof_fail(err, POF_E_CONFLICT, "session '%.*s' was given before with other times",
                 (int)s->id.len, s->id.ptr);
        return pof_at(err, NULL, 0, "id");
    }
    rc = rc ? rc : pof_names_add(&r->days, s->day, &day, err);
    if (rc == 0) {
        r->session[i].known = true;
        r->session[i].gate = s->gate;
        r->session[i].start = s->start;
        r->session[i].end = s->end;
    }
    return rc;
}

static int take_request(struct pof_report *r, const struct pof_request *q, struct pof_err *err)
{
    uint32_t i = 0, s = 0;
    int rc = check_span(q->start, q->end, err);
    rc = rc ? rc : session_of(r, q->session, &s, err);
    rc = rc ? rc : request_of(r, q->session, q->id, &i, err);
    if (rc == 0 && r->request[i].p_w > 0) {
        pof_fail(err, POF_E_DUPLICATE, "request '%.*s' was given before in its session",
                 (int)q->id.len, q->id.ptr);
        return pof_at(err, NULL, 0, "id");
    }
    if (rc == 0) {
        bool limited = POF_HAS(q, request, price_limit_ueur_mwh);
        r->request[i] = (struct pofi_request){.session = s,
                                              .direction = q->direction,
                                              .role = q->role,
                                              .start = q->start,
                                              .end = q->end,
                                              .p_w = q->p_w,
                                              .limit = limited ? q->price_limit_ueur_mwh
                                                               : INT64_MAX};
    }
    return rc;
}

void pof_report_unmet_given(struct pof_report *r)
{
    r->left_given = true;
}

int pof_report_unmet(struct pof_report *r, const struct pof_request *left, struct pof_err *err)
{
    bool limited = POF_HAS(left, request, price_limit_ueur_mwh);
    struct pofi_left row = {.part = {.direction = left->direction,
                                     .role = left->role,
                                     .start = left->start,
                                     .end = left->end,
                                     .p_w = left->p_w,
                                     .limit = limited ? left->price_limit_ueur_mwh : INT64_MAX}};
    struct pof_text id = left->id;
    int rc = check_span(left->start, left->end, err);
    rc = rc ? rc : session_of(r, left->session, &row.part.session, err);
    rc = rc ? rc : request_of(r, left->session, id, &row.of, err);
    /* Not a request: a part of one, called ID/TIME. */
    while (rc == 0 && r->request[row.of].p_w == 0 && id.len > 1) {
        id.len--;
        if (id.ptr[id.len] == '/') {
            rc = request_of(r, left->session, id, &row.of, err);
        }
    }
    if (rc == 0 && r->request[row.of].p_w == 0) {
        pof_fail(err, POF_E_REFERENCE, "'%.*s' is no request of its session, and no part of one",
                 (int)left->id.len, left->id.ptr);
        return pof_at(err, NULL, 0, "id");
    }
    rc = rc ? rc : pof_grow(&r->left, &r->left_cap, r->lefts + 1, sizeof row, err);
    if (rc == 0) {
        r->left[r->lefts++] = row;
    }
    return rc;
}

static int take_offer(struct pof_report *r, const struct pof_offer *o, struct pof_err *err)
{
    struct pofi_offer row = {.direction = o->direction,
                             .price = o->price_ueur_mwh,
                             .start = o->start,
                             .end = o->end,
                             .p_w = o->p_w};
    int rc = check_span(o->start, o->end, err);
    rc = rc ? rc : session_of(r, o->session, &row.session, err);
    rc = rc ? rc : pof_names_add(&r->offer_ids, o->id, &row.id, err);
    rc = rc ? rc : pof_names_add(&r->parties, o->seller, &row.seller, err);
    rc = rc ? rc : pof_names_add(&r->pods, o->pod, &row.pod, err);
    rc = rc ? rc : pof_grow(&r->offer, &r->offer_cap, r->offers + 1, sizeof row, err);
    if (rc == 0) {
        r->offer[r->offers++] = row;
    }
    return rc;
}

/* The members that an award and its outcome share. */
struct shared {
    struct pof_text session, request, offer, seller;
    int direction;
    int64_t start, duration_s, awarded_w, price;
};

static int take_shared(struct pof_report *r, struct pofi_award *a, const struct shared *m,
                       struct pof_err *err)
{
    struct pofi_award now = *a;
    int rc = session_of(r, m->session, &now.session, err);
    rc = rc ? rc : request_of(r, m->session, m->request, &now.request, err);
    rc = rc ? rc : pof_names_add(&r->offer_ids, m->offer, &now.offer, err);
    rc = rc ? rc : pof_names_add(&r->parties, m->seller, &now.seller, err);
    now.direction = m->direction;
    now.start = m->start;
    now.duration_s = m->duration_s;
    now.awarded_w = m->awarded_w;
    now.price = m->price;
    bool both = (now.seen & POFI_AWARDED) && (now.seen & POFI_OUTCOME);
    if (rc == 0 && both &&
        (now.session != a->session || now.request != a->request || now.offer != a->offer ||
         now.seller != a->seller || now.direction != a->direction || now.start != a->start ||
         now.duration_s != a->duration_s || now.awarded_w != a->awarded_w || now.price != a->price)) {
        return pof_fail(err, POF_E_CONFLICT, "the award and its outcome say different things");
    }
    if (rc == 0) {
        *a = now;
    }
    return rc;
}

static int take_award(struct pof_report *r, const struct pof_award *w, struct pof_err *err)
{
    struct pofi_award *a = NULL;
    const struct shared m = {w->session,    w->request, w->offer,      w->seller, w->direction,
                             w->start,      w->duration_s, w->p_w, w->price_ueur_mwh};
    int rc = award_of(r, w->id, POFI_AWARDED, &a, err);
    rc = rc ? rc : take_shared(r, a, &m, err);
    if (rc == 0) {
        a->counter = w->why == 1; /* the second word of award_why */
    }
    return rc;
}

static int take_verdict(struct pof_report *r, const struct pof_verdict *v, struct pof_err *err)
{
    struct pofi_award *a = NULL;
    int rc = award_of(r, v->award, POFI_VERDICT, &a, err);
    if (rc == 0 && POF_HAS(v, verdict, element)) {
        rc = pof_names_add(&r->elements, v->element, &a->element, err);
    }
    if (rc == 0) {
        a->verdict_w = v->p_w;
    }
    return rc;
}

static int take_outcome(struct pof_report *r, const struct pof_outcome *o, struct pof_err *err)
{
    struct pofi_award *a = NULL;
    const struct shared m = {o->session, o->request,    o->offer,       o->seller, o->direction,
                             o->start,   o->duration_s, o->p_awarded_w, o->price_ueur_mwh};
    int rc = award_of(r, o->award, POFI_OUTCOME, &a, err);
    rc = rc ? rc : take_shared(r, a, &m, err);
    if (rc == 0 && POF_HAS(o, outcome, element)) {
        rc = pof_names_add(&r->elements, o->element, &a->element, err);
    }
    if (rc == 0) {
        a->outcome_w = o->p_w;
    }
    return rc;
}

/* sum += p_w over a time, W.s. */
static int add_energy(int64_t *sum, int64_t p_w, int64_t duration_s, struct pof_err *err)
{
    return pof_add(sum, p_w * duration_s, err); /* at most 1e12 W over a day: fits */
}

static int take_settlement(struct pof_report *r, const struct pof_settlement *s, struct pof_err *err)
{
    struct pofi_award *a = NULL;
    struct pofi_settled *t = &r->settled;
    int rc = award_of(r, s->award, POFI_SETTLED, &a, err);
    rc = rc ? rc : add_energy(&t->ordered_ws, s->ordered_w, s->duration_s, err);
    rc = rc ? rc : add_energy(&t->delivered_ws, s->delivered_w, s->duration_s, err);
    rc = rc ? rc : pof_add(&t->fee, s->fee_ueur, err);
    rc = rc ? rc : pof_add(&t->penalty, s->penalty_ueur, err);
    rc = rc ? rc : pof_add(&t->net, s->net_ueur, err);
    rc = rc ? rc : pof_add(&t->tokens, s->tokens, err);
    t->n += rc == 0;
    return rc;
}

static int take_statement(struct pof_report *r, const struct pof_statement *s, struct pof_err *err)
{
    struct pofi_statement row = {.sum = {.n = (uint64_t)s->settlements,
                                         .ordered_ws = s->ordered_ws,
                                         .delivered_ws = s->delivered_ws,
                                         .fee = s->fee_ueur,
                                         .penalty = s->penalty_ueur,
                                         .net = s->net_ueur,
                                         .tokens = s->tokens}};
    int rc = pof_names_add(&r->parties, s->party, &row.party, err);
    for (size_t i = 0; rc == 0 && i < r->statements; i++) {
        if (r->statement[i].party == row.party) {
            pof_fail(err, POF_E_DUPLICATE, "party '%.*s' has a statement already", (int)s->party.len,
                     s->party.ptr);
            return pof_at(err, NULL, 0, "party");
        }
    }
    rc = rc ? rc : pof_grow(&r->statement, &r->statement_cap, r->statements + 1, sizeof row, err);
    if (rc == 0) {
        r->statement[r->statements++] = row;
    }
    return rc;
}

int pof_report_take(struct pof_report *r, const struct pof_record *record, struct pof_err *err)
{
    uint32_t i;
    switch (record->type) {
    case POF_pod:
        return pof_names_add(&r->registered, record->u.pod.pod, &i, err);
    case POF_session:
        return take_session(r, &record->u.session, err);
    case POF_request:
        return take_request(r, &record->u.request, err);
    case POF_offer:
        return take_offer(r, &record->u.offer, err);
    case POF_award:
        return take_award(r, &record->u.award, err);
    case POF_verdict:
        return take_verdict(r, &record->u.verdict, err);
    case POF_outcome:
        return take_outcome(r, &record->u.outcome, err);
    case POF_settlement:
        return take_settlement(r, &record->u.settlement, err);
    case POF_statement:
        return take_statement(r, &record->u.statement, err);
    case POF_event:
        return pof_kpis_take(&r->kpis, &record->u.event, err);
    default:
        return pof_fail(err, POF_E_SCHEMA, "a record of type '%s' has no place in a report",
                        pof_layout(record->type)->name);
    }
}

int pof_report_reference(struct pof_report *r, struct pof_text csv, const char *name,
                         struct pof_err *err)
{
    return pofi_reference_parse(r, csv, name, err);
}
