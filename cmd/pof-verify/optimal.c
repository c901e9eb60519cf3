/* SPDX-License-Identifier: Apache-2.0 */
/* Complementary slackness in integers (A. Schrijver, Theory of Linear and Integer Programming,
 * section 7.9): quantities that keep all limits and prices that fit them prove each other optimal. */
#include "verify.h"

#include <stdlib.h>

#define FAR ((wide)1 << 125) /* beyond any cost */

static wide money(int64_t ueur)
{
    return (wide)ueur * ((wide)1 << 59);
}

static wide cost(const struct market *m, int64_t ueur, int64_t unmet, int64_t rank)
{
    return money(ueur) + (m->ties ? (wide)unmet * ((wide)1 << 33) + rank : 0);
}

static int add_awards(struct market *m, const struct quarter *q, struct pof_err *err)
{
    for (size_t i = 0; i < m->n[POF_offer]; i++) {
        m->offer[i].taken = 0;
        m->offer[i].seen = 0;
    }
    for (uint32_t at = 0; at < m->tree.n; at++) {
        m->area[0][at] = m->area[1][at] = (struct area){0};
    }
    for (size_t i = 0; i < q->awards; i++) {
        const struct pof_award *a = &q->award[i]->r.u.award;
        struct offer *o = &m->offer[pof_names_find(&m->offer_ids, a->offer)];
        if (a->p_w > o->r->p_w - o->taken) {
            return REFUSE(q->award[i], "p_w", "offer '%.*s' is taken beyond its %lld W", TEXT(a->offer),
                          (long long)o->r->p_w);
        }
        o->taken += a->p_w;
        m->area[POF_SCOPE_OWN][o->at].net += a->direction == POF_UP ? a->p_w : -a->p_w;
        m->cost += (wide)a->p_w * a->offer_price_ueur_mwh;
    }
    for (uint32_t at = m->tree.n; at-- > 0;) {
        m->area[0][at].net += m->area[1][at].net;
        if (at) {
            m->area[0][m->up[at]].net += m->area[0][at].net;
        }
    }
    return 0;
}

/* A request's ceiling acts on the cost while it is not met; what goes against it costs the dearest. */
static void add_stack(struct market *m, const struct quarter *q, size_t i, size_t end)
{
    struct area *a = &m->area[q->need[i]->own][q->need[i]->at];
    bool up = q->need[i]->r->direction == POF_UP;
    int64_t got = up ? a->net : -a->net, sum = 0;
    wide dearest = cost(m, q->need[i]->ceiling, 1, 0), less = 0, more = 0; /* worth of the watts */
    a->due = q->need[i]->from;
    for (size_t k = i; k < end; k++) {
        wide worth = cost(m, q->need[k]->ceiling, 1, 0);
        int64_t p = q->need[k]->r->p_w, rest = sum + p - got;
        less = got > sum && got <= sum + p ? worth : less;
        more = got >= sum && got < sum + p ? worth : more;
        m->unmet += rest <= 0 ? 0 : rest > p ? p : rest;
        m->cost += (rest <= 0 ? 0 : rest > p && k > i ? p : rest) * (wide)q->need[k]->ceiling;
        sum += p;
    }
    less = got <= 0 ? dearest : less;
    more = got < 0 ? dearest : more;
    a->low = a->asked_low += up ? -less : more;
    a->high = a->asked_high += up ? -more : less;
}

static int add_limits(struct market *m, const struct quarter *q, struct pof_err *err)
{
    for (size_t i = 0; i < m->n[POF_limit]; i++) {
        const struct line *l = &m->of[POF_limit][i];
        const struct pof_limit *x = &l->r.u.limit;
        uint32_t k = pof_names_find(&m->grid.branch_names, x->branch);
        if (k == POF_NONE) {
            return REFUSE(l, "branch", "'%.*s' is no branch of the grid", TEXT(x->branch));
        }
        if (m->child[k] == POF_NONE || !verify_active(x->start, x->start + x->duration_s, q->start)) {
            continue;
        }
        struct area *a = &m->area[POF_SCOPE_BELOW][m->child[k]];
        a->due = a->due ? a->due : l;
        if (a->net > x->p_up_w || a->net < -x->p_down_w) {
            return REFUSE(l, NULL, "awards move the flow by %lld W", (long long)a->net);
        }
        a->high = a->net == x->p_up_w ? FAR : a->high;
        a->low = a->net == -x->p_down_w ? -FAR : a->low;
    }
    return 0;
}

/* What a buyer cannot use any more is a limit of its branch's area. */
static int add_bands(struct market *m, const struct quarter *q, struct pof_err *err)
{
    for (size_t i = 0; i < q->needs; i++) {
        const struct pof_request *r = q->need[i]->r;
        struct area *a = &m->area[q->need[i]->own][q->need[i]->at];
        int64_t net = r->direction == POF_UP ? a->net : -a->net;
        if (!POF_HAS(r, request, max_w)) {
            continue;
        }
        if (net > r->max_w) {
            return REFUSE(q->need[i]->from, "max_w", "awards are %lld W", (long long)net);
        }
        if (net == r->max_w) {
            *(r->direction == POF_UP ? &a->high : &a->low) = r->direction == POF_UP ? FAR : -FAR;
        }
    }
    return 0;
}

static int place_prices(struct market *m, const struct quarter *q, struct pof_err *err)
{
    for (size_t i = 0; i < m->n[POF_node_price]; i++) {
        const struct line *l = &m->of[POF_node_price][i];
        const struct pof_node_price *p = &l->r.u.node_price;
        if (p->start != q->start) {
            continue;
        }
        uint32_t node = pof_names_find(&m->grid.node_names, p->node);
        struct area *a = node == POF_NONE || m->place[node] == POF_NONE
                             ? NULL
                             : &m->area[p->scope][m->place[node]];
        if (!a || !a->due || a->price) {
            return REFUSE(l, "node", "no price is due here, or it was given before");
        }
        if (a->net != p->net_w) {
            return REFUSE(l, "net_w", "awards say %lld", (long long)a->net);
        }
        a->price = l;
    }
    return 0;
}

/* The price of an area, its steps against the one outside. */
static int check_step(const struct market *m, struct area *a, const struct area *outer,
                      struct pof_err *err)
{
    wide out = outer ? outer->cost : 0;
    a->cost = out;
    if (!a->due) {
        return 0;
    }
    if (!a->price) {
        return REFUSE(a->due, NULL, "a price is due for this and not given");
    }
    const struct pof_node_price *p = &a->price->r.u.node_price;
    a->cost = cost(m, p->price_ueur_mwh, p->tie_unmet, p->tie_rank);
    if (a->cost + cost(m, p->step_ueur_mwh, p->step_unmet, p->step_rank) != out) {
        return REFUSE(a->price, "step_eur_mwh", "price and step do not make the price outside");
    }
    if (out - a->cost < a->low || out - a->cost > a->high) {
        return REFUSE(a->price, "price_eur_mwh", "neither limits nor requests explain this price");
    }
    return 0;
}

static int check_offer(const struct market *m, const struct offer *o, struct pof_err *err)
{
    wide worth = m->area[POF_SCOPE_OWN][o->at].cost;
    wide asks = cost(m, o->r->price_ueur_mwh, 0, m->rules.tie == POF_TIE_RULE_PRO_RATA ? 0 : o->rank);
    int64_t least = o->taken > 0 && POF_HAS(o->r, offer, min_w) ? o->r->min_w : 0;
    bool chosen = POF_HAS(o->r, offer, block) || POF_HAS(o->r, offer, parent) ||
                  POF_HAS(o->r, offer, group) || POF_HAS(o->r, offer, min_w);
    worth = o->r->direction == POF_UP ? worth : -worth;
    if (o->taken < least) {
        return REFUSE(o->from, "min_w", "less is taken in a quarter-hour");
    }
    if ((chosen && o->taken == 0) || POF_HAS(o->r, offer, block)) {
        return 0;
    }
    if (o->taken > least && worth < asks) {
        return REFUSE(o->from, "price_eur_mwh", "taken though it is dearer than the price at its node");
    }
    if (o->taken < o->r->p_w && worth > asks) {
        return REFUSE(o->from, "price_eur_mwh", "not taken whole though it is cheaper than the price "
                                                "at its node");
    }
    return 0;
}

int verify_quarter(struct market *m, struct quarter *q, struct pof_err *err)
{
    int rc = add_awards(m, q, err);
    for (size_t i = 0, end; i < q->needs; i = end) {
        end = verify_stack(q, i);
        add_stack(m, q, i, end);
    }
    rc = rc ? rc : add_limits(m, q, err);
    rc = rc ? rc : add_bands(m, q, err);
    rc = rc ? rc : place_prices(m, q, err);
    for (uint32_t at = 0; rc == 0 && at < m->tree.n; at++) {
        struct area *outer = at ? &m->area[0][m->up[at]] : NULL;
        rc = check_step(m, &m->area[0][at], outer, err);
        rc = rc ? rc : check_step(m, &m->area[1][at], &m->area[0][at], err);
    }
    for (size_t i = 0; rc == 0 && i < m->n[POF_offer]; i++) {
        struct offer *o = &m->offer[i];
        if (o->rank && verify_active(o->r->start, o->r->end, q->start)) {
            o->used |= o->taken > 0;
            o->left |= o->taken < o->r->p_w;
            rc = check_offer(m, o, err);
        }
    }
    return rc || m->rules.tie != POF_TIE_RULE_PRO_RATA ? rc : verify_pro_rata(m, q, err);
}
