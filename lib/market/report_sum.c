/* SPDX-License-Identifier: Apache-2.0 */
/* What the records of a report add up to. */
#include "market/report_impl.h"

#include <stdlib.h>

struct sums {
    struct pof_report *r;
    struct pofi_cells offers; /* by session, direction and quarter-hour */
    struct pofi_cells served; /* by request and quarter-hour */
};

int64_t pofi_approved_w(const struct pofi_award *a)
{
    if (a->seen & POFI_OUTCOME) {
        return a->outcome_w;
    }
    return a->seen & POFI_VERDICT ? a->verdict_w : 0;
}

static int add_energy(int64_t *sum, int64_t p_w, int64_t duration_s, struct pof_err *err)
{
    int64_t energy_ws;
    int rc = pof_muldiv(p_w, duration_s, 1, &energy_ws, err);
    return rc ? rc : pof_add(sum, energy_ws, err);
}

static int session_cmp(const void *a, const void *b, void *ctx)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x == y ? 0 : pofi_session_before(ctx, x, y) ? -1 : 1;
}

static int order_sessions(struct pof_report *r, struct pof_err *err)
{
    int rc = pof_calloc(&r->order, r->sessions.n, sizeof *r->order, err);
    if (rc == 0) {
        for (uint32_t i = 0; i < r->sessions.n; i++) {
            r->order[i] = i;
        }
        if (r->sessions.n > 0) {
            qsort_r(r->order, r->sessions.n, sizeof *r->order, session_cmp, r);
        }
    }
    return rc;
}

/* --- awards --- */

/* An award serves its request unless it goes the other way to make room for one that does. */
static int sum_award(struct sums *t, const struct pofi_award *a, struct pof_err *err)
{
    struct pof_report *r = t->r;
    struct pofi_session *s = &r->session[a->session];
    const struct pofi_request *q = &r->request[a->request];
    int64_t approved_w = pofi_approved_w(a);
    int rc = add_energy(&r->sold[a->seller], approved_w, a->duration_s, err);
    r->unasked += q->p_w == 0;
    r->unjudged += !(a->seen & (POFI_VERDICT | POFI_OUTCOME));
    if (rc || a->counter || (q->p_w > 0 && q->direction != a->direction)) {
        return rc ? rc : add_energy(&s->counter, approved_w, a->duration_s, err);
    }
    const struct pofi_place where = {a->request, a->direction, pofi_quarter_floor(a->start)};
    struct pofi_cell *cell;
    rc = pofi_cell(&t->served, &where, &cell, err);
    rc = rc ? rc : pof_add(&cell->awarded_w, a->awarded_w, err);
    rc = rc ? rc : pof_add(&cell->approved_w, approved_w, err);
    rc = rc ? rc : add_energy(&s->awarded, a->awarded_w, a->duration_s, err);
    rc = rc ? rc : add_energy(&s->approved, approved_w, a->duration_s, err);
    s->cost += (__int128)approved_w * a->duration_s * a->price; /* < 2^107 each */
    return rc;
}

static int sum_awards(struct sums *t, struct pof_err *err)
{
    struct pof_report *r = t->r;
    int rc = pof_calloc(&r->sold, r->parties.n, sizeof *r->sold, err);
    for (size_t i = 0; rc == 0 && i < r->award_ids.n; i++) {
        const struct pofi_award *a = &r->award[i];
        if (a->seen & (POFI_AWARDED | POFI_OUTCOME)) {
            rc = sum_award(t, a, err);
        } else {
            r->unawarded += (a->seen & POFI_VERDICT) != 0;
        }
    }
    return rc;
}

/* --- offers --- */

static int sum_offers(struct sums *t, struct pof_err *err)
{
    struct pof_report *r = t->r;
    int rc = pofi_offers_sum(r, &t->offers, err);
    for (size_t i = 0; rc == 0 && i < t->offers.keys.n; i++) {
        struct pofi_place at;
        pofi_cell_place(&t->offers, i, &at);
        rc = add_energy(&r->session[at.of].offered[at.direction], t->offers.cell[i].offered_w,
                        POF_QUARTER_S, err);
    }
    return rc;
}

/* --- requests --- */

static enum pofi_why why_short(const struct pofi_cell *offers, int64_t limit)
{
    if (offers->taken_w >= offers->offered_w) {
        return POFI_WHY_RAN_OUT;
    }
    return offers->cheapest > limit ? POFI_WHY_TOO_DEAR : POFI_WHY_OUT_OF_REACH;
}

/* A quarter-hour of a request. */
struct moment {
    uint32_t request;
    int64_t quarter, limit;
};

static int served(struct sums *t, const struct moment *m, struct pofi_cell **cell,
                  struct pof_err *err)
{
    const struct pofi_place where = {m->request, t->r->request[m->request].direction, m->quarter};
    return pofi_cell(&t->served, &where, cell, err);
}

/* So much is missing then: why? */
static int sum_missing(struct sums *t, const struct moment *m, int64_t missing_w,
                       struct pof_err *err)
{
    const struct pofi_request *q = &t->r->request[m->request];
    struct pofi_session *s = &t->r->session[q->session];
    const struct pofi_place offered = {q->session, q->direction, m->quarter};
    struct pofi_cell *cell, *offers;
    int rc = served(t, m, &cell, err);
    rc = rc ? rc : pofi_cell(&t->offers, &offered, &offers, err);
    if (rc) {
        return rc;
    }
    int64_t cut_w = cell->awarded_w - cell->approved_w;
    cut_w = cut_w < 0 ? 0 : cut_w > missing_w ? missing_w : cut_w;
    rc = add_energy(&s->unmet, missing_w, POF_QUARTER_S, err);
    rc = rc ? rc : add_energy(&s->why[POFI_WHY_GRID], cut_w, POF_QUARTER_S, err);
    return rc ? rc
              : add_energy(&s->why[why_short(offers, m->limit)], missing_w - cut_w, POF_QUARTER_S,
                           err);
}

/* The whole quarter-hours of a time that lie in a session: [*from, *until). */
static void quarters_in(const struct pofi_request *q, const struct pofi_session *s, int64_t *from,
                        int64_t *until)
{
    *from = pofi_quarter_ceil(q->start > s->start ? q->start : s->start);
    *until = pofi_quarter_floor(q->end < s->end ? q->end : s->end);
}

static int sum_request(struct sums *t, uint32_t i, struct pof_err *err)
{
    const struct pofi_request *q = &t->r->request[i];
    struct pofi_session *s = &t->r->session[q->session];
    int64_t from, until;
    quarters_in(q, s, &from, &until);
    if (q->p_w == 0 || until <= from) {
        return 0;
    }
    int64_t asked_s = (until - from) * POF_QUARTER_S;
    int rc = add_energy(&s->requested[q->role], q->p_w, asked_s, err);
    rc = rc ? rc : add_energy(&t->r->asked[q->direction], q->p_w, asked_s, err);
    for (int64_t quarter = from; rc == 0 && !t->r->left_given && quarter < until; quarter++) {
        const struct moment m = {i, quarter, q->limit};
        struct pofi_cell *cell;
        rc = served(t, &m, &cell, err);
        if (rc == 0 && cell->approved_w < q->p_w) {
            rc = sum_missing(t, &m, q->p_w - cell->approved_w, err);
        }
    }
    return rc;
}

static int sum_left(struct sums *t, const struct pofi_left *left, struct pof_err *err)
{
    int64_t from, until;
    int rc = 0;
    quarters_in(&left->part, &t->r->session[left->part.session], &from, &until);
    for (int64_t quarter = from; rc == 0 && quarter < until; quarter++) {
        const struct moment m = {left->of, quarter, left->part.limit};
        rc = sum_missing(t, &m, left->part.p_w, err);
    }
    return rc;
}

static int sum_requests(struct sums *t, struct pof_err *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < t->r->request_keys.n; i++) {
        rc = sum_request(t, i, err);
    }
    for (size_t i = 0; rc == 0 && i < t->r->lefts; i++) {
        rc = sum_left(t, &t->r->left[i], err);
    }
    return rc;
}

/* --- the element that cuts most awards --- */

struct cut {
    uint32_t session, element;
};

static int cut_cmp(const void *a, const void *b, void *ctx)
{
    const struct pof_report *r = ctx;
    const struct cut *x = a;
    const struct cut *y = b;
    if (x->session != y->session) {
        return x->session < y->session ? -1 : 1;
    }
    return x->element == y->element
               ? 0
               : pof_text_cmp(r->elements.text[x->element], r->elements.text[y->element]);
}

static int name_elements(struct pof_report *r, struct pof_err *err)
{
    struct cut *cut = NULL;
    size_t n = 0, best = 0;
    int rc = pof_calloc(&cut, r->award_ids.n, sizeof *cut, err);
    for (size_t i = 0; rc == 0 && i < r->award_ids.n; i++) {
        const struct pofi_award *a = &r->award[i];
        if ((a->seen & (POFI_AWARDED | POFI_OUTCOME)) && a->element != POF_NONE &&
            pofi_approved_w(a) < a->awarded_w) {
            cut[n++] = (struct cut){a->session, a->element};
        }
    }
    if (n > 0) {
        qsort_r(cut, n, sizeof *cut, cut_cmp, r);
    }
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && cut_cmp(&cut[first], &cut[end], r) == 0; end++) {
        }
        best = first == 0 || cut[first].session != cut[first - 1].session ? 0 : best;
        if (end - first > best) {
            best = end - first;
            r->session[cut[first].session].element = cut[first].element;
        }
    }
    free(cut);
    return rc;
}

int pofi_report_sum(struct pof_report *r, struct pof_err *err)
{
    struct sums t = {.r = r};
    int rc = order_sessions(r, err);
    rc = rc ? rc : sum_awards(&t, err);
    rc = rc ? rc : sum_offers(&t, err);
    rc = rc ? rc : sum_requests(&t, err);
    rc = rc ? rc : name_elements(r, err);
    pofi_cells_release(&t.offers);
    pofi_cells_release(&t.served);
    return rc;
}
