/* SPDX-License-Identifier: Apache-2.0 */
/* What each session was offered, quarter-hour by quarter-hour: an offer begins in the session it was
 * first given in and goes on, less what was taken of it, from session to session. */
#include "market/report_impl.h"

#include <stdlib.h>
#include <string.h>

int64_t pofi_quarter_floor(int64_t instant)
{
    int64_t rest = instant % POF_QUARTER_S;
    return instant / POF_QUARTER_S - (rest < 0);
}

int64_t pofi_quarter_ceil(int64_t instant)
{
    return pofi_quarter_floor(instant) + (instant % POF_QUARTER_S != 0);
}

/* Keys are bytes of a place without padding: 4 + 4 + 8. */
_Static_assert(sizeof(struct pofi_place) ==
                   sizeof(uint32_t) + sizeof(int) + sizeof(int64_t),
               "a place has padding");

int pofi_cell(struct pofi_cells *cells, const struct pofi_place *place, struct pofi_cell **cell,
              struct pof_err *err)
{
    size_t before = cells->keys.n;
    uint32_t i = 0;
    const struct pof_text key = {(const char *)place, sizeof *place};
    int rc = pof_names_add(&cells->keys, key, &i, err);
    rc = rc ? rc : pof_grow(&cells->cell, &cells->cap, cells->keys.n, sizeof *cells->cell, err);
    if (rc == 0) {
        if (cells->keys.n > before) {
            cells->cell[i] = (struct pofi_cell){.cheapest = INT64_MAX};
        }
        *cell = &cells->cell[i];
    }
    return rc;
}

void pofi_cell_place(const struct pofi_cells *cells, size_t i, struct pofi_place *place)
{
    memcpy(place, cells->keys.text[i].ptr, sizeof *place);
}

void pofi_cells_release(struct pofi_cells *cells)
{
    pof_names_release(&cells->keys);
    free(cells->cell);
    *cells = (struct pofi_cells){0};
}

bool pofi_session_before(const struct pof_report *r, uint32_t s, uint32_t t)
{
    if (r->session[s].gate != r->session[t].gate) {
        return r->session[s].gate < r->session[t].gate;
    }
    return pof_text_cmp(r->sessions.text[s], r->sessions.text[t]) < 0;
}

/* --- the same offer --- */

/* Texts, not numbers: which of several offers with one id an award means must not depend on the
 * order of input. */
static int names_cmp(const struct pof_names *names, uint32_t a, uint32_t b)
{
    return a == b ? 0 : pof_text_cmp(names->text[a], names->text[b]);
}

static int same_offer_cmp(const struct pof_report *r, const struct pofi_offer *x,
                          const struct pofi_offer *y)
{
    int c = names_cmp(&r->sessions, x->session, y->session);
    c = c ? c : names_cmp(&r->parties, x->seller, y->seller);
    c = c ? c : names_cmp(&r->pods, x->pod, y->pod);
    c = c ? c : (x->direction > y->direction) - (x->direction < y->direction);
    return c ? c : (x->price > y->price) - (x->price < y->price);
}

static int offer_cmp(const void *a, const void *b, void *ctx)
{
    const struct pofi_offer *x = a;
    const struct pofi_offer *y = b;
    int c = same_offer_cmp(ctx, x, y);
    c = c ? c : (x->start > y->start) - (x->start < y->start);
    c = c ? c : (x->end > y->end) - (x->end < y->end);
    return c ? c : (x->p_w > y->p_w) - (x->p_w < y->p_w);
}

/* An award of an offer, by the group of offers it belongs to. */
struct taking {
    uint32_t group, session;
    int64_t quarter, awarded_w, approved_w;
};

struct walk {
    struct pof_report *r;
    struct pofi_cells *cells;
    uint32_t *group_of; /* [offer_ids] groups count from 1; 0: none */
    struct taking *taking;
    size_t takings;
    size_t at; /* in taking: what is before it has been passed */
    uint32_t group; /* that is being passed, from 1 */
    int64_t *power; /* of one group, by quarter-hour from first */
    size_t power_cap;
    int64_t first;
};

static int taking_cmp(const void *a, const void *b, void *ctx)
{
    const struct taking *x = a;
    const struct taking *y = b;
    if (x->group != y->group) {
        return x->group < y->group ? -1 : 1;
    }
    if (x->quarter != y->quarter) {
        return x->quarter < y->quarter ? -1 : 1;
    }
    if (x->session != y->session) {
        return pofi_session_before(ctx, x->session, y->session) ? -1 : 1;
    }
    return 0; /* only their sum counts */
}

/* An id that several offers have means, for an award, the first of them in the order of offers. */
static void group_offers(struct walk *w)
{
    struct pof_report *r = w->r;
    uint32_t group = 0;
    for (size_t i = 0; i < r->offers; i++) {
        group += i == 0 || same_offer_cmp(r, &r->offer[i - 1], &r->offer[i]) != 0;
        if (w->group_of[r->offer[i].id] == 0) {
            w->group_of[r->offer[i].id] = group;
        }
    }
}

static void list_takings(struct walk *w)
{
    const struct pof_report *r = w->r;
    for (size_t i = 0; i < r->award_ids.n; i++) {
        const struct pofi_award *a = &r->award[i];
        if (a->seen & (POFI_AWARDED | POFI_OUTCOME)) {
            w->taking[w->takings++] = (struct taking){.group = w->group_of[a->offer],
                                                      .session = a->session,
                                                      .quarter = pofi_quarter_floor(a->start),
                                                      .awarded_w = a->awarded_w,
                                                      .approved_w = pofi_approved_w(a)};
        }
    }
    if (w->takings > 0) {
        qsort_r(w->taking, w->takings, sizeof *w->taking, taking_cmp, w->r);
    }
}

/* --- from session to session --- */

/* Sums the takings of a place and moves on behind them. */
static int taken(struct walk *w, const struct taking *place, struct taking *sum,
                 struct pof_err *err)
{
    int rc = 0;
    *sum = *place;
    for (; rc == 0 && w->at < w->takings && w->taking[w->at].group == place->group &&
           w->taking[w->at].quarter == place->quarter && w->taking[w->at].session == place->session;
         w->at++) {
        rc = pof_add(&sum->awarded_w, w->taking[w->at].awarded_w, err);
        rc = rc ? rc : pof_add(&sum->approved_w, w->taking[w->at].approved_w, err);
    }
    return rc;
}

static bool offered_in(const struct pof_report *r, const struct pofi_offer *o, uint32_t s, int64_t q)
{
    const struct pofi_session *session = &r->session[s];
    return (s == o->session || (session->known && pofi_session_before(r, o->session, s))) &&
           q >= pofi_quarter_ceil(session->start) && q < pofi_quarter_floor(session->end);
}

/* One offer in one quarter-hour, through the sessions. */
static int pass_quarter(struct walk *w, const struct pofi_offer *o, struct taking place,
                        int64_t power_w, struct pof_err *err)
{
    const struct pof_report *r = w->r;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < r->sessions.n && power_w > 0; i++) {
        struct taking sum;
        place.session = r->order[i];
        rc = taken(w, &place, &sum, err);
        if (rc || !offered_in(r, o, place.session, place.quarter)) {
            continue;
        }
        struct pofi_cell *cell;
        const struct pofi_place where = {place.session, o->direction, place.quarter};
        int64_t awarded_w = sum.awarded_w < power_w ? sum.awarded_w : power_w;
        rc = pofi_cell(w->cells, &where, &cell, err);
        rc = rc ? rc : pof_add(&cell->offered_w, power_w, err);
        rc = rc ? rc : pof_add(&cell->taken_w, awarded_w, err);
        if (rc == 0 && awarded_w < power_w && o->price < cell->cheapest) {
            cell->cheapest = o->price;
        }
        power_w -= sum.approved_w < power_w ? sum.approved_w : power_w;
    }
    return rc;
}

/* The largest power by quarter-hour of the offers [begin, end), which are one. */
static int largest(struct walk *w, size_t begin, size_t end, size_t *n, struct pof_err *err)
{
    const struct pofi_offer *o = w->r->offer;
    int64_t last = INT64_MIN;
    w->first = pofi_quarter_ceil(o[begin].start); /* they are sorted by start */
    for (size_t i = begin; i < end; i++) {
        int64_t until = pofi_quarter_floor(o[i].end);
        last = until > last ? until : last;
    }
    *n = last > w->first ? (size_t)(last - w->first) : 0;
    if (*n > 100 * 366 * 96) {
        return pof_fail(err, POF_E_RANGE, "offers of one pod span more than 100 years");
    }
    int rc = pof_grow(&w->power, &w->power_cap, *n, sizeof *w->power, err);
    if (rc || *n == 0) {
        return rc;
    }
    memset(w->power, 0, *n * sizeof *w->power);
    for (size_t i = begin; i < end; i++) {
        for (int64_t q = pofi_quarter_ceil(o[i].start); q < pofi_quarter_floor(o[i].end); q++) {
            int64_t *p = &w->power[q - w->first];
            *p = o[i].p_w > *p ? o[i].p_w : *p;
        }
    }
    return 0;
}

static int pass_group(struct walk *w, size_t begin, size_t end, struct pof_err *err)
{
    const struct pofi_offer *o = &w->r->offer[begin];
    size_t n;
    int rc = largest(w, begin, end, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct taking place = {.group = w->group, .quarter = w->first + (int64_t)i};
        while (w->at < w->takings && (w->taking[w->at].group < w->group ||
                                      (w->taking[w->at].group == w->group &&
                                       w->taking[w->at].quarter < place.quarter))) {
            w->at++;
        }
        if (w->power[i] > 0) {
            rc = pof_add(&w->r->first_offered[o->direction], w->power[i] * POF_QUARTER_S, err);
            rc = rc ? rc : pass_quarter(w, o, place, w->power[i], err);
        }
    }
    return rc;
}

static int pass_all(struct walk *w, struct pof_err *err)
{
    const struct pof_report *r = w->r;
    int rc = 0;
    for (size_t begin = 0, end; rc == 0 && begin < r->offers; begin = end) {
        for (end = begin + 1;
             end < r->offers && same_offer_cmp(r, &r->offer[begin], &r->offer[end]) == 0; end++) {
        }
        w->group++;
        rc = pass_group(w, begin, end, err);
    }
    return rc;
}

int pofi_offers_sum(struct pof_report *r, struct pofi_cells *cells, struct pof_err *err)
{
    struct walk w = {.r = r, .cells = cells};
    int rc = pof_calloc(&w.group_of, r->offer_ids.n, sizeof *w.group_of, err);
    rc = rc ? rc : pof_calloc(&w.taking, r->award_ids.n, sizeof *w.taking, err);
    if (rc == 0) {
        if (r->offers > 0) {
            qsort_r(r->offer, r->offers, sizeof *r->offer, offer_cmp, r);
        }
        group_offers(&w);
        list_takings(&w);
        rc = pass_all(&w, err);
    }
    free(w.group_of);
    free(w.taking);
    free(w.power);
    return rc;
}
