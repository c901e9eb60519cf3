/* SPDX-License-Identifier: Apache-2.0 */
/* What is held ready: it fits, is whose the rules say, and is the cheapest.
 *
 * Cost is a sum of convex functions of what offers give and of what nested areas net, so it is M-natural
 * convex, and quantities are the best exactly when no watt more or less of one offer, and no watt of one
 * exchanged for a watt of another, makes them cheaper (K. Murota, Discrete Convex Analysis, SIAM 2003,
 * theorem 6.26). Both are looked for from the leaves of the tree up. O(places + offers) a quarter-hour. */
#include "audit.h"

#include <stdlib.h>

/* 1e-6 EUR/MWh times 2^59, unmet watts times 2^33, ranks, as in pof-verify. */
__extension__ typedef __int128 wide;
#define FAR ((wide)1 << 120) /* beyond any cost: cannot be done */

/* What a watt more of net activation costs somewhere in an area, and a watt less; areas as in prorata.c. */
struct change {
    wide more, less;
    int64_t asked[2]; /* W of the requests gone by */
    wide worth[2][2]; /* of the area's requests, by direction: of the watt they would lose, and win */
};

static wide cost(const struct audit *m, int64_t ueur, int64_t unmet, int64_t rank)
{
    return (wide)ueur * ((wide)1 << 59) + (m->c.ties ? (wide)unmet * ((wide)1 << 33) + rank : 0);
}

static void lower(wide *to, wide cost)
{
    *to = cost < *to ? cost : *to;
}

static void add_offers(const struct audit *m, struct change *area)
{
    const uint32_t *at;
    size_t n = pof_claim_lines(&m->c, m->now, POF_offer, &at);
    for (size_t i = 0; i < n; i++) {
        const struct pof_claim_line *l = &m->c.line[at[i]];
        const struct pof_offer *o = &l->r->u.offer;
        const struct state *s = audit_state(m, l);
        if (l->rank == 0) {
            continue;
        }
        struct change *x = &area[2 * audit_place(m, l) + 1];
        bool up = o->direction == POF_UP, can = !POF_HAS(o, offer, block) && (s->taken > 0 || !l->whole);
        wide asks = cost(m, o->price_ueur_mwh, 0, m->c.rules.tie == POF_TIE_RULE_PRO_RATA ? 0 : l->rank);
        lower(up ? &x->more : &x->less, can && s->taken + s->held < o->p_w ? asks : FAR);
        lower(up ? &x->less : &x->more, s->held > 0 ? -asks : FAR);
    }
}

/* The dearest first: which watt of a stack is the next to lose and to win. */
static void add_requests(const struct audit *m, struct change *area)
{
    for (size_t i = 0; i < m->needs; i++) {
        const struct pof_claim_line *l = m->need[i];
        const struct pof_request *r = &l->r->u.request;
        const struct place *p = &m->place[audit_place(m, l)];
        struct change *x = &area[2 * audit_place(m, l) + l->area % 2];
        int64_t net = l->area % 2 ? p->own_net + p->own_held : p->net + p->held;
        int64_t got = r->direction == POF_UP ? net : -net, sum = x->asked[r->direction];
        int64_t end = sum + r->p_w + audit_margin(l);
        wide worth = cost(m, pof_claim_ceiling(&m->c, r), 1, 0), *of = x->worth[r->direction];
        of[0] = (got > sum && got <= end) || (sum == 0 && got <= 0) ? worth : of[0];
        of[1] = (got >= sum && got < end) || (sum == 0 && got < 0) ? worth : of[1];
        x->asked[r->direction] = end;
    }
}

/* Looks for a change within an area, and lets it out past the area's requests and limits. */
static bool is_best(const struct audit *m, struct change *area, uint32_t k)
{
    struct change *x = &area[k];
    const struct place *p = &m->place[k / 2];
    if (x->more < FAR && x->less < FAR && x->more + x->less < 0) {
        return false;
    }
    x->more = x->more < FAR ? x->more - x->worth[POF_UP][1] + x->worth[POF_DOWN][0] : FAR;
    x->less = x->less < FAR ? x->less + x->worth[POF_UP][0] - x->worth[POF_DOWN][1] : FAR;
    if (k % 2 == 0) {
        x->more = p->net + p->held >= p->p_w[POF_UP] ? FAR : x->more;
        x->less = -(p->net + p->held) >= p->p_w[POF_DOWN] ? FAR : x->less;
    }
    if (k == 0) {
        return x->more >= 0 && x->less >= 0;
    }
    struct change *out = &area[k % 2 ? k - 1 : 2 * m->up[k / 2]];
    lower(&out->more, x->more);
    lower(&out->less, x->less);
    return true;
}

static int check_best(const struct audit *m, struct pof_err *err)
{
    struct change *area;
    uint32_t n = m->c.tree.n;
    int64_t margins = 0;
    int rc = pof_calloc(&area, 2 * (size_t)n, sizeof *area, err);
    for (size_t i = 0; i < m->needs; i++) {
        margins += audit_margin(m->need[i]);
    }
    for (uint32_t k = 0; rc == 0 && k < 2 * n; k++) {
        area[k].more = area[k].less = FAR;
    }
    if (rc == 0 && margins > 0) {
        add_offers(m, area);
        add_requests(m, area);
    }
    for (uint32_t at = n; rc == 0 && margins > 0 && at-- > 0;) {
        if (!is_best(m, area, 2 * at + 1) || !is_best(m, area, 2 * at)) {
            rc = POF_REFUSE(m->reserve_any, NULL,
                            "what is held in its session %lld s after it begins could be cheaper below node '%.*s'",
                            (long long)m->now * POF_QUARTER_S, POF_TEXT(m->grid.node[m->c.tree.order[at]].name));
        }
    }
    free(area);
    return rc;
}

/* Each on its own: its fields, and its offer's power beside what is taken. */
static int check_reserve(struct audit *m, const struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_offer *o = &l->offer->line->r->u.offer;
    struct state *s = audit_state(m, l->offer->line);
    int rc = pof_claim_award(&m->c, m->now, l, ++s->reserves, err);
    if (rc) {
        return rc;
    }
    int64_t p = l->r->u.award.p_w, left = o->p_w - s->taken - s->held;
    if (p > left) {
        return POF_REFUSE(l, "p_w", "its offer has no more than %lld W left", (long long)left);
    }
    if (s->taken == 0 && (POF_HAS(o, offer, block) || POF_HAS(o, offer, min_w))) {
        return POF_REFUSE(l, "offer", "is indivisible and not taken");
    }
    s->held += p;
    m->place[audit_place(m, l)].own_held += o->direction == POF_UP ? p : -p;
    return 0;
}

static int check_limits(const struct audit *m, struct pof_err *err)
{
    for (uint32_t i = 0; i < m->c.tree.n; i++) {
        const struct place *p = &m->place[i];
        int64_t net = p->net + p->held;
        if (net > p->p_w[POF_UP] || -net > p->p_w[POF_DOWN]) {
            return POF_REFUSE(m->reserve[0], NULL, "with those beside it %lld W, more than a limit at node '%.*s' allows",
                              (long long)net, POF_TEXT(m->grid.node[m->c.tree.order[i]].name));
        }
    }
    return 0;
}

int audit_reserves(struct audit *m, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->reserves; i++) {
        rc = check_reserve(m, m->reserve[i], err);
    }
    for (uint32_t i = m->c.tree.n; i-- > 0;) {
        m->place[i].held += m->place[i].own_held;
        m->place[i ? m->up[i] : 0].held += i ? m->place[i].held : 0;
    }
    rc = rc || m->reserves == 0 ? rc : check_limits(m, err);
    rc = rc || m->reserves == 0 ? rc : audit_shares(m, true, err);
    return rc || !m->reserve_any ? rc : check_best(m, err);
}
