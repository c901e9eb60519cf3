/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations of offers, worked out once more from the prices and held against those given. */
#include "verify.h"

#include "record/writer.h"

#include <stdlib.h>

int64_t verify_millionths(wide cost)
{
    return (int64_t)((cost + ((wide)1 << 58)) >> 59);
}

/* What full branches above a place take from a direction: the step beyond what requests explain. */
static int64_t held(const struct market *m, uint32_t at, bool up, struct pof_explanation *e)
{
    int64_t sum = 0, most = 0;
    for (; at != POF_NONE; at = m->up[at]) {
        const struct area *a = &m->area[POF_SCOPE_BELOW][at];
        int64_t outer = at ? verify_millionths(m->area[POF_SCOPE_BELOW][m->up[at]].cost) : 0;
        int64_t step = outer - verify_millionths(a->cost);
        int64_t beyond = up ? step - verify_millionths(a->asked_high) : verify_millionths(a->asked_low) - step;
        sum += beyond > 0 ? beyond : 0;
        if (beyond > most) {
            most = e->congestion_ueur_mwh = beyond;
            e->branch = m->grid.branch[m->tree.parent_branch[m->tree.order[at]]].name;
        }
    }
    return sum;
}

static enum pof_why why_lost(const struct market *m, const struct quarter *q, const struct offer *o,
                             struct pof_explanation *e)
{
    bool reached = false;
    struct pof_explanation grid = {0};
    for (size_t i = 0; i < q->needs; i++) {
        reached |= q->need[i]->r->direction == o->r->direction &&
                   verify_inside(m, o->at, q->need[i]->at, q->need[i]->own);
    }
    if (e->distance_ueur_mwh < 0) {
        return POF_WHY_CHOICE;
    }
    if (!reached) {
        return POF_WHY_NOT_ASKED;
    }
    int64_t full = held(m, o->at, o->r->direction == POF_UP, &grid);
    if (full > 0 && e->distance_ueur_mwh <= full) {
        POF_SET(e, explanation, branch);
        POF_SET(e, explanation, congestion_ueur_mwh);
        e->branch = grid.branch;
        e->congestion_ueur_mwh = grid.congestion_ueur_mwh;
        return POF_WHY_GRID;
    }
    return e->distance_ueur_mwh == 0 ? POF_WHY_TIE : POF_WHY_PRICE;
}

/* W that verdicts leave of an offer; INT64_MAX: none of them cut it. */
static int64_t allowed(const struct market *m, const struct quarter *q, const struct offer *o)
{
    int64_t left = o->taken;
    bool cut = false;
    for (size_t i = 0; m->n[POF_verdict] && i < q->awards; i++) {
        const struct pof_award *a = &q->award[i]->r.u.award;
        uint32_t k = pof_text_eq(a->offer, o->r->id) ? pof_names_find(&m->judged, a->id) : POF_NONE;
        if (k != POF_NONE && m->of[POF_verdict][k].r.u.verdict.decision != POF_DECISION_ACCEPT) {
            int64_t p = m->of[POF_verdict][k].r.u.verdict.p_w;
            left -= a->p_w > p ? a->p_w - p : 0;
            cut = true;
        }
    }
    return cut ? left : INT64_MAX;
}

static struct pof_explanation reason(const struct market *m, const struct quarter *q,
                                     const struct offer *o)
{
    struct pof_explanation e = {.session = m->session->id,
                                .offer = o->r->id,
                                .start = q->start,
                                .duration_s = POF_QUARTER_S,
                                .p_w = o->r->p_w,
                                .taken_w = o->taken,
                                .price_ueur_mwh = o->r->price_ueur_mwh};
    bool whole = o->taken == o->r->p_w;
    e.standing = whole ? POF_STANDING_WON : o->taken ? POF_STANDING_PARTLY : POF_STANDING_LOST;
    e.why = POF_WHY_UNFED;
    if (o->at == POF_NONE || o->late || o->refused) {
        e.why = o->at == POF_NONE ? e.why : o->late ? POF_WHY_GATE : POF_WHY_REFUSED;
        return e;
    }
    POF_SET(&e, explanation, worth_ueur_mwh);
    POF_SET(&e, explanation, distance_ueur_mwh);
    int64_t price = verify_millionths(m->area[POF_SCOPE_OWN][o->at].cost), left = allowed(m, q, o);
    e.worth_ueur_mwh = o->r->direction == POF_UP ? price : -price;
    e.distance_ueur_mwh = e.price_ueur_mwh - e.worth_ueur_mwh;
    e.why = whole ? POF_WHY_PRICE : o->taken ? POF_WHY_MARGIN : (int)why_lost(m, q, o, &e);
    if (left != INT64_MAX) {
        e.why = POF_WHY_VALIDATION;
        POF_SET(&e, explanation, allowed_w);
        e.allowed_w = left;
    }
    if (e.why == POF_WHY_TIE) {
        POF_SET(&e, explanation, rank);
        e.rank = o->rank;
    }
    return e;
}

static int compare(const struct line *l, const struct pof_explanation *e, struct pof_err *err)
{
    struct pof_buf has = {0}, wants = {0};
    int rc = pof_record_format(&has, POF_explanation, &l->r.u.explanation, err);
    rc = rc ? rc : pof_record_format(&wants, POF_explanation, e, err);
    if (rc == 0 && !pof_text_eq((struct pof_text){has.data, has.len},
                                (struct pof_text){wants.data, wants.len})) {
        rc = REFUSE(l, NULL, "prices and awards say %.*s", (int)wants.len, wants.data);
    }
    pof_buf_release(&has);
    pof_buf_release(&wants);
    return rc;
}

/* seen counts explanations here; awards were counted before. */
int verify_reasons(struct market *m, const struct quarter *q, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < m->n[POF_offer]; i++) {
        m->offer[i].seen = 0;
    }
    for (size_t i = 0; rc == 0 && i < m->n[POF_explanation]; i++) {
        const struct line *l = &m->of[POF_explanation][i];
        if (l->r.u.explanation.start != q->start) {
            continue;
        }
        uint32_t k = pof_names_find(&m->offer_ids, l->r.u.explanation.offer);
        if (k == POF_NONE || !verify_active(m->offer[k].r->start, m->offer[k].r->end, q->start) ||
            m->offer[k].seen++) {
            return REFUSE(l, "offer", "no offer to explain in this quarter-hour, or it was before");
        }
        const struct pof_explanation e = reason(m, q, &m->offer[k]);
        rc = compare(l, &e, err);
    }
    for (size_t i = 0; rc == 0 && i < m->n[POF_offer]; i++) {
        if (verify_active(m->offer[i].r->start, m->offer[i].r->end, q->start) && !m->offer[i].seen) {
            rc = REFUSE(m->offer[i].from, NULL, "has no explanation in a quarter-hour");
        }
    }
    return rc;
}
