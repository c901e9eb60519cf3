/* SPDX-License-Identifier: Apache-2.0 */
/* Revisions, revocations and gates: which orders take part in a session. */
#include "market/admit.h"

#include "num/time.h"

#include <stdlib.h>

/* An order as it came in, and what becomes of it. */
struct pof_admit_order {
    struct pof_record record; /* texts in the arena */
    enum pof_order kind;
    struct pof_text id, party;
    uint32_t key;
    int64_t received, revision; /* INT64_MIN: it does not say */
    bool in;                    /* takes part */
    enum pof_refusal_why why;
    int64_t is, bound; /* instants, or revisions, that decide */
};

struct pof_text pof_offer_base(struct pof_text id)
{
    static const char form[] = "/00000000T0000Z";
    const size_t n = sizeof form - 1;
    if (id.len <= n) {
        return id;
    }
    const char *s = id.ptr + id.len - n;
    for (size_t i = 0; i < n; i++) {
        if (form[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != form[i]) {
            return id;
        }
    }
    return (struct pof_text){id.ptr, id.len - n};
}

void pof_admit_release(struct pof_admit *a)
{
    free(a->session);
    free(a->order);
    free(a->revocation);
    pof_names_release(&a->keys);
    pof_arena_release(&a->arena);
    *a = (struct pof_admit){0};
}

/* --- taking --- */

/* What revisions and revocations speak of; the bytes between are in no text. */
static int add_key(struct pof_admit *a, enum pof_order kind, struct pof_text session,
                   struct pof_text id, uint32_t *key, struct pof_err *err)
{
    struct pof_buf b = {0};
    struct pof_text base = kind == POF_ORDER_OFFER ? pof_offer_base(id) : id;
    int rc = kind == POF_ORDER_OFFER
                 ? pof_buf_addf(&b, err, "\x1e%.*s", (int)base.len, base.ptr)
                 : pof_buf_addf(&b, err, "%.*s\x1f%.*s", (int)session.len, session.ptr,
                                (int)base.len, base.ptr);
    rc = rc ? rc : pof_names_add(&a->keys, (struct pof_text){b.data, b.len}, key, err);
    pof_buf_release(&b);
    return rc;
}

static void describe(struct pof_admit_order *o)
{
    const struct pof_offer *offer = &o->record.u.offer;
    const struct pof_request *request = &o->record.u.request;
    bool is_offer = o->kind == POF_ORDER_OFFER;
    bool says = is_offer ? POF_HAS(offer, offer, received) : POF_HAS(request, request, received);
    bool counts = is_offer ? POF_HAS(offer, offer, revision) : POF_HAS(request, request, revision);
    o->id = is_offer ? offer->id : request->id;
    o->party = is_offer ? offer->seller : request->buyer;
    o->received = !says ? INT64_MIN : is_offer ? offer->received : request->received;
    o->revision = !counts ? 1 : is_offer ? offer->revision : request->revision;
}

static int take_order(struct pof_admit *a, const struct pof_record *r, struct pof_err *err)
{
    int rc = pof_grow(&a->order, &a->order_cap, a->orders + 1, sizeof *a->order, err);
    if (rc) {
        return rc;
    }
    struct pof_admit_order *o = &a->order[a->orders];
    *o = (struct pof_admit_order){
        .record.type = r->type,
        .kind = r->type == POF_offer ? POF_ORDER_OFFER : POF_ORDER_REQUEST};
    rc = pof_record_copy(r->type, &r->u, &o->record.u, &a->arena, err);
    describe(o);
    struct pof_text session = {0};
    if (o->kind == POF_ORDER_REQUEST) {
        session = o->record.u.request.session;
    }
    rc = rc ? rc : add_key(a, o->kind, session, o->id, &o->key, err);
    a->orders += rc == 0;
    return rc;
}

static int take_revocation(struct pof_admit *a, const struct pof_revocation *r,
                           struct pof_err *err)
{
    if (r->order == POF_ORDER_REQUEST && !POF_HAS(r, revocation, session)) {
        pof_fail(err, POF_E_MISSING, "request '%.*s' is one of a session; which?", (int)r->id.len,
                 r->id.ptr);
        return pof_at(err, NULL, 0, "session");
    }
    int rc = pof_grow(&a->revocation, &a->revocation_cap, a->revocations + 1, sizeof *a->revocation,
                      err);
    rc = rc ? rc
            : pof_record_copy(POF_revocation, r, &a->revocation[a->revocations], &a->arena, err);
    a->revocations += rc == 0;
    return rc;
}

static int take_session(struct pof_admit *a, const struct pof_session *s, struct pof_err *err)
{
    for (size_t i = 0; i < a->sessions; i++) {
        if (pof_text_eq(a->session[i].id, s->id)) {
            pof_fail(err, POF_E_DUPLICATE, "session '%.*s' was given before", (int)s->id.len,
                     s->id.ptr);
            return pof_at(err, NULL, 0, "id");
        }
    }
    int rc = pof_grow(&a->session, &a->session_cap, a->sessions + 1, sizeof *a->session, err);
    rc = rc ? rc : pof_record_copy(POF_session, s, &a->session[a->sessions], &a->arena, err);
    a->sessions += rc == 0;
    return rc;
}

int pof_admit_take(struct pof_admit *a, const struct pof_record *record, struct pof_err *err)
{
    switch (record->type) {
    case POF_session:
        return take_session(a, &record->u.session, err);
    case POF_offer:
    case POF_request:
        return take_order(a, record, err);
    case POF_revocation:
        return take_revocation(a, &record->u.revocation, err);
    default:
        return pof_fail(err, POF_E_SCHEMA, "is no order");
    }
}

/* --- closing --- */

static int choose(struct pof_admit *a, const char *id, struct pof_err *err)
{
    for (size_t i = 0; i < a->sessions; i++) {
        if (id ? pof_text_is(a->session[i].id, id) : a->sessions == 1) {
            struct pof_session first = a->session[0];
            a->session[0] = a->session[i];
            a->session[i] = first;
            return 0;
        }
    }
    return id ? pof_fail(err, POF_E_REFERENCE, "session '%s' is not among the %zu given", id,
                         a->sessions)
              : pof_fail(err, POF_E_REFERENCE, "%zu sessions are given; --session says which",
                         a->sessions);
}

/* Requests of other sessions have no part in this. */
static void leave_elsewhere(struct pof_admit *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->orders; i++) {
        const struct pof_admit_order *o = &a->order[i];
        if (o->kind == POF_ORDER_OFFER ||
            pof_text_eq(o->record.u.request.session, a->session->id)) {
            a->order[n++] = *o;
        }
    }
    a->counts.elsewhere = a->orders - n;
    a->orders = n;
}

static int by_id(const void *pa, const void *pb)
{
    const struct pof_admit_order *a = pa, *b = pb;
    int c = a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : pof_text_cmp(a->id, b->id);
    return c ? c : (a->revision > b->revision) - (a->revision < b->revision);
}

static int refuse_twins(const struct pof_admit *a, struct pof_err *err)
{
    for (size_t i = 1; i < a->orders; i++) {
        const struct pof_admit_order *x = &a->order[i];
        if (by_id(x - 1, x) == 0) {
            pof_fail(err, POF_E_DUPLICATE, "'%.*s' is given twice with revision %lld",
                     (int)x->id.len, x->id.ptr, (long long)x->revision);
            return pof_at(err, NULL, 0, "id");
        }
    }
    return 0;
}

static void turn_away(struct pof_admit_order *o, enum pof_refusal_why why, int64_t is,
                      int64_t bound)
{
    o->in = false;
    o->why = why;
    o->is = is;
    o->bound = bound;
}

static void check_gate(const struct pof_admit *a, struct pof_admit_order *o)
{
    const struct pof_session *s = a->session;
    bool own = o->kind == POF_ORDER_REQUEST || pof_text_eq(o->record.u.offer.session, s->id);
    o->in = true;
    if (o->received != INT64_MIN && o->received >= s->gate) {
        turn_away(o, POF_REFUSAL_LATE, o->received, s->gate);
    } else if (own && o->received != INT64_MIN && o->received < s->opens) {
        turn_away(o, POF_REFUSAL_EARLY, o->received, s->opens);
    }
}

/* One order in all its revisions and pieces. */
struct family {
    struct pof_text party;
    int64_t revision; /* highest in time */
    int64_t revoked;  /* latest in time; INT64_MIN: never */
};

static int stranger(struct pof_text id, struct pof_text is, struct pof_text wants,
                    struct pof_err *err)
{
    pof_fail(err, POF_E_CONFLICT, "'%.*s' is of '%.*s', not of '%.*s'", (int)id.len, id.ptr,
             (int)wants.len, wants.ptr, (int)is.len, is.ptr);
    return pof_at(err, NULL, 0, "party");
}

static int join_families(const struct pof_admit *a, struct family *f, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < a->orders; i++) {
        const struct pof_admit_order *o = &a->order[i];
        struct family *x = &f[o->key];
        if (x->party.len > 0 && !pof_text_eq(x->party, o->party)) {
            rc = stranger(o->id, o->party, x->party, err);
        }
        x->party = o->party;
        x->revision = o->in && o->revision > x->revision ? o->revision : x->revision;
    }
    return rc;
}

/* Revocations of orders that are not here are idle: they may be of another session's. */
static int revoke(struct pof_admit *a, struct family *f, struct pof_err *err)
{
    size_t known = a->keys.n;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < a->revocations; i++) {
        const struct pof_revocation *r = &a->revocation[i];
        uint32_t key;
        rc = add_key(a, (enum pof_order)r->order, r->session, r->id, &key, err);
        if (rc == 0 && (key >= known || f[key].party.len == 0)) {
            a->counts.idle++;
        } else if (rc == 0 && !pof_text_eq(f[key].party, r->party)) {
            rc = stranger(r->id, r->party, f[key].party, err);
        } else if (rc == 0 && r->received < a->session->gate && r->received > f[key].revoked) {
            f[key].revoked = r->received;
        }
    }
    return rc;
}

static void judge(struct pof_admit *a, const struct family *f)
{
    for (size_t i = 0; i < a->orders; i++) {
        struct pof_admit_order *o = &a->order[i];
        const struct family *x = &f[o->key];
        if (o->in && o->revision < x->revision) {
            turn_away(o, POF_REFUSAL_REPLACED, o->revision, x->revision);
        } else if (o->in && x->revoked != INT64_MIN && o->received <= x->revoked) {
            turn_away(o, POF_REFUSAL_REVOKED, o->received, x->revoked);
        }
        a->counts.offers += o->in && o->kind == POF_ORDER_OFFER;
        a->counts.requests += o->in && o->kind == POF_ORDER_REQUEST;
        a->counts.refused += !o->in;
    }
}

int pof_admit_close(struct pof_admit *a, const char *id, struct pof_err *err)
{
    struct family *f = NULL;
    int rc = choose(a, id, err);
    rc = rc ? rc : pof_calloc(&f, a->keys.n, sizeof *f, err);
    if (rc == 0) {
        leave_elsewhere(a);
        if (a->orders > 1) {
            qsort(a->order, a->orders, sizeof *a->order, by_id);
        }
        rc = refuse_twins(a, err);
    }
    for (size_t i = 0; rc == 0 && i < a->keys.n; i++) {
        f[i].revoked = INT64_MIN;
    }
    for (size_t i = 0; rc == 0 && i < a->orders; i++) {
        check_gate(a, &a->order[i]);
    }
    rc = rc ? rc : join_families(a, f, err);
    rc = rc ? rc : revoke(a, f, err);
    if (rc == 0) {
        judge(a, f);
    }
    free(f);
    return rc;
}

/* --- handing out --- */

int pof_admit_each(const struct pof_admit *a,
                   int (*each)(void *ctx, const struct pof_record *order, struct pof_err *err),
                   void *ctx, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < a->orders; i++) {
        rc = a->order[i].in ? each(ctx, &a->order[i].record, err) : 0;
    }
    return rc;
}

static int say(const struct pof_admit_order *o, struct pof_buf *to, struct pof_err *err)
{
    char is[POF_INSTANT_MAX], bound[POF_INSTANT_MAX];
    to->len = 0;
    if (o->why == POF_REFUSAL_REPLACED) {
        return pof_buf_addf(to, err, "revision %lld is replaced by revision %lld",
                            (long long)o->is, (long long)o->bound);
    }
    int m = (int)pof_instant_format(o->bound, bound);
    if (o->why == POF_REFUSAL_REVOKED) {
        return pof_buf_addf(to, err, "revoked at %.*s", m, bound);
    }
    int n = (int)pof_instant_format(o->is, is);
    return pof_buf_addf(to, err, "came in at %.*s; the %s %.*s", n, is,
                        o->why == POF_REFUSAL_LATE ? "gate closed at" : "session opens at", m,
                        bound);
}

int pof_admit_refused(const struct pof_admit *a,
                      int (*each)(void *ctx, const struct pof_refusal *r, struct pof_err *err),
                      void *ctx, struct pof_err *err)
{
    struct pof_buf reason = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < a->orders; i++) {
        const struct pof_admit_order *o = &a->order[i];
        rc = o->in ? 0 : say(o, &reason, err);
        const struct pof_refusal r = {.session = a->session->id,
                                      .order = (int)o->kind,
                                      .id = o->id,
                                      .party = o->party,
                                      .why = (int)o->why,
                                      .reason = {reason.data, reason.len}};
        rc = rc || o->in ? rc : each(ctx, &r, err);
    }
    pof_buf_release(&reason);
    return rc;
}
