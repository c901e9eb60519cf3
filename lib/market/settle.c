/* SPDX-License-Identifier: Apache-2.0 */
/* Settlement: outcomes, baselines and meters to money. */
#include "market/settle.h"

#include "market/series.h"
#include "market/session.h"
#include "market/terms.h"

#include <stdlib.h>

struct line { /* an outcome that counts; texts by number */
    uint32_t quarter, pod, session, award;
    uint32_t buyer, seller;
    uint32_t owner; /* POF_NONE: none has a share */
    uint32_t contract;
    int direction;
    int64_t p_w;
    int64_t price_ueur_mwh;
};

struct account {
    int64_t settlements, ordered_ws, delivered_ws, fee_ueur, penalty_ueur, net_ueur, tokens;
};

struct pof_settle {
    const char *const *wanted;
    size_t wants;
    struct pof_names found; /* terms that are wanted, by what they were wanted as */
    struct pof_terms_set contracts;
    struct pof_names pods, sessions, awards, parties, owners;
    uint32_t *owner; /* of a pod, by its number: number of the owner, or POF_NONE */
    size_t owned, owner_cap;
    struct pof_names seen; /* session, NUL, award */
    struct line *line;
    size_t lines, line_cap;
    struct pof_series baselines, measurements;
    struct account *account; /* by number of the party */
    struct pof_order *order; /* of one pod and quarter-hour */
    size_t order_cap;
    struct pof_settle_counts counts;
};

int pof_settle_new(struct pof_settle **out, const char *const *wanted, size_t n,
                   struct pof_err *err)
{
    int rc = pof_calloc(out, 1, sizeof **out, err);
    if (rc == 0) {
        (*out)->wanted = wanted;
        (*out)->wants = n;
    }
    return rc;
}

void pof_settle_free(struct pof_settle *s)
{
    if (s) {
        pof_terms_set_release(&s->contracts);
        pof_names_release(&s->found);
        pof_names_release(&s->owners);
        free(s->owner);
        pof_names_release(&s->pods);
        pof_names_release(&s->sessions);
        pof_names_release(&s->awards);
        pof_names_release(&s->parties);
        pof_names_release(&s->seen);
        pof_series_release(&s->baselines);
        pof_series_release(&s->measurements);
        free(s->line);
        free(s->account);
        free(s->order);
        free(s);
    }
}

struct pof_settle_counts pof_settle_counts(const struct pof_settle *s)
{
    return s->counts;
}

/* --- taking records --- */

int pof_settle_terms(struct pof_settle *s, const struct pof_terms *terms, struct pof_text hash,
                     struct pof_err *err)
{
    uint32_t id;
    bool wanted = s->wants == 0;
    int rc = 0;
    for (size_t i = 0; i < s->wants && rc == 0; i++) {
        if (pof_text_is(terms->name, s->wanted[i]) || pof_text_is(hash, s->wanted[i])) {
            rc = pof_names_add(&s->found, pof_text(s->wanted[i]), &id, err);
            wanted = true;
        }
    }
    return rc || !wanted ? rc : pof_terms_set_add(&s->contracts, terms, hash, err);
}

/* The place where a pod's owner is kept. */
static int owner_slot(struct pof_settle *s, uint32_t pod, uint32_t **slot, struct pof_err *err)
{
    int rc = pof_grow(&s->owner, &s->owner_cap, (size_t)pod + 1, sizeof *s->owner, err);
    for (; rc == 0 && s->owned <= pod; s->owned++) {
        s->owner[s->owned] = POF_NONE;
    }
    *slot = rc ? NULL : &s->owner[pod];
    return rc;
}

int pof_settle_pod(struct pof_settle *s, const struct pof_pod *p, struct pof_err *err)
{
    uint32_t pod;
    uint32_t owner;
    uint32_t *slot;
    if (!POF_HAS(p, pod, owner)) {
        return 0;
    }
    int rc = pof_names_add(&s->pods, p->pod, &pod, err);
    rc = rc ? rc : pof_names_add(&s->owners, p->owner, &owner, err);
    rc = rc ? rc : owner_slot(s, pod, &slot, err);
    if (rc == 0 && *slot != POF_NONE && *slot != owner) {
        const struct pof_text first = s->owners.text[*slot];
        return pof_fail(err, POF_E_CONFLICT, "pod '%.*s' has two owners: '%.*s' and '%.*s'",
                        (int)p->pod.len, p->pod.ptr, (int)first.len, first.ptr, (int)p->owner.len,
                        p->owner.ptr);
    }
    if (rc == 0) {
        *slot = owner;
    }
    return rc;
}

int pof_settle_outcome(struct pof_settle *s, const struct pof_outcome *o, struct pof_err *err)
{
    struct line l = {
        .direction = o->direction, .p_w = o->p_w, .price_ueur_mwh = o->price_ueur_mwh};
    int rc = pof_quarter_of(o->pod, o->start, o->duration_s, &l.quarter, err);
    rc = rc ? rc : pof_award_once(&s->seen, o->session, o->award, err);
    if (rc == 0 && o->p_w == 0) {
        s->counts.rejected++;
        return 0;
    }
    rc = rc ? rc : pof_names_add(&s->pods, o->pod, &l.pod, err);
    rc = rc ? rc : pof_names_add(&s->sessions, o->session, &l.session, err);
    rc = rc ? rc : pof_names_add(&s->awards, o->award, &l.award, err);
    rc = rc ? rc : pof_names_add(&s->parties, o->buyer, &l.buyer, err);
    rc = rc ? rc : pof_names_add(&s->parties, o->seller, &l.seller, err);
    rc = rc ? rc : pof_grow(&s->line, &s->line_cap, s->lines + 1, sizeof l, err);
    if (rc == 0) {
        s->line[s->lines++] = l;
    }
    return rc;
}

static int add_power(struct pof_settle *s, struct pof_series *to, const struct pof_baseline *b,
                     struct pof_err *err)
{
    uint32_t pod;
    uint32_t quarter;
    int rc = pof_quarter_of(b->pod, b->start, b->duration_s, &quarter, err);
    rc = rc ? rc : pof_names_add(&s->pods, b->pod, &pod, err);
    return rc ? rc : pof_series_add(to, pod, quarter, b->p_w, err);
}

int pof_settle_baseline(struct pof_settle *s, const struct pof_baseline *b, struct pof_err *err)
{
    return add_power(s, &s->baselines, b, err);
}

int pof_settle_measurement(struct pof_settle *s, const struct pof_measurement *m,
                           struct pof_err *err)
{
    struct pof_baseline b = {
        .pod = m->pod, .start = m->start, .duration_s = m->duration_s, .p_w = m->p_w};
    return add_power(s, &s->measurements, &b, err);
}

/* --- the rule --- */

void pof_settle_split(struct pof_order *order, size_t n, int64_t realised_w)
{
    int64_t sum[2] = {0, 0};
    for (size_t i = 0; i < n; i++) {
        sum[order[i].direction] += order[i].p_w;
    }
    int64_t net = sum[POF_UP] - sum[POF_DOWN];
    int64_t off = realised_w - net; /* beyond the net order, upwards */
    bool up_short = off < 0 && net >= 0;
    bool down_short = off > 0 && net <= 0;
    int64_t missing = off < 0 ? -off : off;
    int direction = up_short ? POF_UP : POF_DOWN;
    int64_t left = up_short || down_short ? sum[direction] - missing : 0;
    struct pof_order *last = NULL;
    for (size_t i = 0; i < n; i++) {
        struct pof_order *o = &order[i];
        o->delivered_w = o->p_w;
        if ((up_short || down_short) && o->direction == direction) {
            o->delivered_w = left <= 0 ? 0 : left < o->p_w ? left : o->p_w;
            left -= o->delivered_w;
            last = o;
        }
        o->deficiency_w = o->p_w - o->delivered_w;
    }
    if (last && left < 0) {
        last->deficiency_w -= left; /* it went the wrong way */
    }
}

/* --- joining --- */

static int line_cmp(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;
    const uint32_t kx[] = {x->quarter, x->pod, x->session, x->award};
    const uint32_t ky[] = {y->quarter, y->pod, y->session, y->award};
    for (int i = 0; i < 4; i++) {
        if (kx[i] != ky[i]) {
            return kx[i] < ky[i] ? -1 : 1;
        }
    }
    return 0;
}

/* A set of names with its order. */
struct order_of {
    const struct pof_names *names;
    uint32_t *rank; /* by number */
    uint32_t *at;   /* number by rank */
};

static int make_order(struct order_of *o, const struct pof_names *names,
                      int (*cmp)(struct pof_text, struct pof_text), struct pof_err *err)
{
    o->names = names;
    int rc = pof_names_rank(names, cmp, &o->rank, err);
    rc = rc ? rc : pof_calloc(&o->at, names->n, sizeof *o->at, err);
    for (uint32_t i = 0; i < names->n && rc == 0; i++) {
        o->at[o->rank[i]] = i;
    }
    return rc;
}

static struct pof_text ranked_name(const struct order_of *o, uint32_t rank)
{
    return o->names->text[o->at[rank]];
}

static void drop_order(struct order_of *o)
{
    free(o->rank);
    free(o->at);
}

/* What one run carries; in lines, pods, sessions and awards are ranks. */
struct settling {
    struct pof_settle *s;
    struct order_of pods, sessions, awards, parties;
    const struct pof_settle_taker *taker;
};

/* Finds the terms of each outcome, and the owner where they give a share. Before lines are sorted. */
static int bind_terms(struct pof_settle *s, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < s->lines && rc == 0; i++) {
        struct line *l = &s->line[i];
        const struct pof_outcome o = {.award = s->awards.text[l->award],
                                      .pod = s->pods.text[l->pod],
                                      .seller = s->parties.text[l->seller],
                                      .buyer = s->parties.text[l->buyer]};
        l->owner = POF_NONE;
        rc = pof_terms_set_find(&s->contracts, &o, &l->contract, err);
        const struct pof_terms *t = rc ? NULL : &s->contracts.at[l->contract].terms;
        if (rc || !POF_HAS(t, terms, owner_permille) || t->owner_permille == 0) {
            continue;
        }
        uint32_t owner = l->pod < s->owned ? s->owner[l->pod] : POF_NONE;
        rc = owner == POF_NONE
                 ? pof_fail(err, POF_E_REFERENCE, "terms '%.*s' give the owner of pod '%.*s' a share; "
                            "no pod record in the input tells who that is", (int)t->name.len,
                            t->name.ptr, (int)o.pod.len, o.pod.ptr)
                 : pof_names_add(&s->parties, s->owners.text[owner], &l->owner, err);
    }
    return rc;
}

static int sort_lines(struct settling *j, struct pof_err *err)
{
    struct pof_settle *s = j->s;
    int rc = make_order(&j->pods, &s->pods, pof_text_cmp, err);
    rc = rc ? rc : make_order(&j->sessions, &s->sessions, pof_session_id_cmp, err);
    rc = rc ? rc : make_order(&j->awards, &s->awards, pof_text_cmp, err);
    rc = rc ? rc : make_order(&j->parties, &s->parties, pof_text_cmp, err);
    for (size_t i = 0; i < s->lines && rc == 0; i++) {
        s->line[i].pod = j->pods.rank[s->line[i].pod];
        s->line[i].session = j->sessions.rank[s->line[i].session];
        s->line[i].award = j->awards.rank[s->line[i].award];
    }
    if (rc == 0 && s->lines > 1) {
        qsort(s->line, s->lines, sizeof *s->line, line_cmp);
    }
    return rc;
}

static void say_missing(const struct settling *j, const struct line *l, const char *what)
{
    struct pof_err e = {0};
    char when[POF_INSTANT_MAX];
    int n = (int)pof_instant_format((int64_t)l->quarter * POF_QUARTER_S, when);
    struct pof_text pod = ranked_name(&j->pods, l->pod);
    pof_fail(&e, POF_E_ANSWER_NO, "pod '%.*s' has an outcome and no %s at %.*s", (int)pod.len,
             pod.ptr, what, n, when);
    j->taker->problem(j->taker->ctx, &e);
}

/* Adds a settlement, or a part of one, to an account: sign 1 receives, -1 pays. */
static int book(struct account *a, const struct pof_settlement *s, int sign, struct pof_err *err)
{
    int rc = pof_add(&a->fee_ueur, sign * s->fee_ueur, err);
    rc = rc ? rc : pof_add(&a->penalty_ueur, -sign * s->penalty_ueur, err);
    rc = rc ? rc : pof_add(&a->net_ueur, sign * (s->fee_ueur - s->penalty_ueur), err);
    return rc || sign < 0 ? rc : pof_add(&a->tokens, s->tokens, err);
}

/* What was ordered and delivered, in the account of who has to do with it. */
static int book_energy(struct account *a, const struct pof_settlement *s, struct pof_err *err)
{
    a->settlements++;
    int rc = pof_add(&a->ordered_ws, s->ordered_w * POF_QUARTER_S, err);
    return rc ? rc : pof_add(&a->delivered_ws, s->delivered_w * POF_QUARTER_S, err);
}

/* Buyer pays; seller, less the owner's part, and owner receive. */
static int book_all(struct pof_settle *s, const struct line *l, const struct pof_settlement *r,
                    struct pof_err *err)
{
    struct pof_settlement owner = {.fee_ueur = r->owner_fee_ueur,
                                   .penalty_ueur = r->owner_penalty_ueur,
                                   .tokens = r->owner_tokens};
    struct pof_settlement seller = {.fee_ueur = r->fee_ueur - owner.fee_ueur,
                                    .penalty_ueur = r->penalty_ueur - owner.penalty_ueur,
                                    .tokens = r->tokens - owner.tokens};
    int rc = book_energy(&s->account[l->buyer], r, err);
    rc = rc ? rc : book(&s->account[l->buyer], r, -1, err);
    rc = rc ? rc : book_energy(&s->account[l->seller], r, err);
    rc = rc ? rc : book(&s->account[l->seller], &seller, 1, err);
    if (rc || l->owner == POF_NONE) {
        return rc;
    }
    /* An aggregator that owns the pod itself has the line once. */
    rc = l->owner == l->seller ? 0 : book_energy(&s->account[l->owner], r, err);
    return rc ? rc : book(&s->account[l->owner], &owner, 1, err);
}

static int put_line(const struct settling *j, const struct line *l, const struct pof_order *o,
                    const int64_t power[2], struct pof_err *err)
{
    struct pof_settle *s = j->s;
    struct pof_settlement r = {.award = ranked_name(&j->awards, l->award),
                               .session = ranked_name(&j->sessions, l->session),
                               .pod = ranked_name(&j->pods, l->pod),
                               .buyer = s->parties.text[l->buyer],
                               .seller = s->parties.text[l->seller],
                               .direction = l->direction,
                               .start = (int64_t)l->quarter * POF_QUARTER_S,
                               .duration_s = POF_QUARTER_S,
                               .baseline_w = power[0],
                               .measured_w = power[1],
                               .ordered_w = o->p_w,
                               .delivered_w = o->delivered_w,
                               .deficiency_w = o->deficiency_w};
    if (l->owner != POF_NONE) {
        r.owner = s->parties.text[l->owner];
    }
    int rc = pof_contract_apply(&s->contracts.at[l->contract], l->price_ueur_mwh, &r, err);
    rc = rc ? rc : pof_record_check(POF_settlement, &r, err); /* sums and products have room then */
    rc = rc ? rc : book_all(s, l, &r, err);
    s->counts.settled += rc == 0;
    return rc ? rc : j->taker->settlement(j->taker->ctx, &r, err);
}

/* The lines [from, from + n) of one pod and quarter-hour. */
static int settle_group(const struct settling *j, size_t from, size_t n, struct pof_err *err)
{
    struct pof_settle *s = j->s;
    const struct line *l = &s->line[from];
    uint32_t pod = j->pods.at[l->pod];
    int64_t power[2] = {0, 0}; /* baseline, measured */
    bool has[2] = {pof_series_find(&s->baselines, pod, l->quarter, &power[0]),
                   pof_series_find(&s->measurements, pod, l->quarter, &power[1])};
    if (!has[0] || !has[1]) {
        s->counts.missing += n;
        say_missing(j, l, !has[0] && !has[1] ? "baseline nor measurement"
                          : !has[0]          ? "baseline"
                                             : "measurement");
        return 0;
    }
    int rc = pof_grow(&s->order, &s->order_cap, n, sizeof *s->order, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        s->order[i] = (struct pof_order){.direction = l[i].direction, .p_w = l[i].p_w};
    }
    if (rc == 0) {
        pof_settle_split(s->order, n, power[0] - power[1]);
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = put_line(j, &l[i], &s->order[i], power, err);
    }
    return rc;
}

static int put_statements(const struct settling *j, struct pof_err *err)
{
    const struct pof_settle *s = j->s;
    int rc = 0;
    for (uint32_t i = 0; i < s->parties.n && rc == 0; i++) {
        const struct account *a = &s->account[j->parties.at[i]];
        struct pof_statement r = {.party = ranked_name(&j->parties, i),
                                  .settlements = a->settlements,
                                  .ordered_ws = a->ordered_ws,
                                  .delivered_ws = a->delivered_ws,
                                  .fee_ueur = a->fee_ueur,
                                  .penalty_ueur = a->penalty_ueur,
                                  .net_ueur = a->net_ueur,
                                  .tokens = a->tokens};
        rc = j->taker->statement(j->taker->ctx, &r, err);
    }
    return rc;
}

static int settle_all(struct settling *j, struct pof_err *err)
{
    struct pof_settle *s = j->s;
    int rc = 0;
    for (size_t i = 0; i < s->lines && rc == 0;) {
        size_t to = i + 1;
        while (to < s->lines && s->line[to].quarter == s->line[i].quarter &&
               s->line[to].pod == s->line[i].pod) {
            to++;
        }
        rc = settle_group(j, i, to - i, err);
        i = to;
    }
    return rc;
}

/* Is there what to settle by? */
static int check_terms(const struct pof_settle *s, struct pof_err *err)
{
    for (size_t i = 0; i < s->wants; i++) {
        if (pof_names_find(&s->found, pof_text(s->wanted[i])) == POF_NONE) {
            return pof_fail(err, POF_E_MISSING, "terms '%.80s' are not in the input", s->wanted[i]);
        }
    }
    return s->contracts.n ? 0 : pof_fail(err, POF_E_MISSING, "no terms in the input");
}

int pof_settle_run(struct pof_settle *s, const struct pof_settle_taker *taker, struct pof_err *err)
{
    struct settling j = {.s = s, .taker = taker};
    int rc = check_terms(s, err);
    rc = rc ? rc : bind_terms(s, err);
    rc = rc ? rc : pof_series_seal(&s->baselines, &s->pods, "baseline", err);
    rc = rc ? rc : pof_series_seal(&s->measurements, &s->pods, "measurement", err);
    rc = rc ? rc : pof_calloc(&s->account, s->parties.n, sizeof *s->account, err);
    rc = rc ? rc : sort_lines(&j, err);
    rc = rc ? rc : settle_all(&j, err);
    if (rc == 0 && taker->statement) {
        rc = put_statements(&j, err);
    }
    drop_order(&j.pods);
    drop_order(&j.sessions);
    drop_order(&j.awards);
    drop_order(&j.parties);
    return rc;
}
