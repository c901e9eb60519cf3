/* SPDX-License-Identifier: Apache-2.0 */
/* Feasibility, cost and complementary slackness of a clearing result. */
#include "market/certificate.h"

#include "base/mem.h"
#include "base/text.h"
#include "market/need.h"

#include <stdlib.h>

/* Beyond any price: the end of a half-line of allowed price steps. */
#define FAR (INT64_C(1) << 62)

/* Net activation by place: own offers, and whole subtrees. */
struct flows {
    int64_t *own;
    int64_t *all;
    struct pof_need *need;
};

static void flows_release(struct flows *f)
{
    free(f->own);
    free(f->all);
    free(f->need);
}

static int flows_build(struct flows *f, const struct pof_clear_problem *p, const int64_t *taken,
                       struct pof_err *err)
{
    const struct pof_forest *t = p->forest;
    int rc = pof_calloc(&f->own, t->n, sizeof *f->own, err);
    rc = rc ? rc : pof_calloc(&f->all, t->n, sizeof *f->all, err);
    rc = rc ? rc : pof_calloc(&f->need, p->requests, sizeof *f->need, err);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < p->offers; i++) {
        if (taken[i] != 0) { /* mostly not */
            uint32_t at = t->pos[p->offer[i].node];
            f->own[at] += p->offer[i].direction == POF_UP ? taken[i] : -taken[i];
        }
    }
    for (uint32_t at = 0; at < t->n; at++) {
        f->all[at] += f->own[at];
        if (t->up[at] != POF_NONE) {
            f->all[t->up[at]] += f->all[at];
        }
    }
    pof_needs_build(f->need, p);
    return 0;
}

/* Flow in the direction of a request. */
static int64_t served(const struct flows *f, const struct pof_need *need)
{
    int64_t flow = need->own ? f->own[need->place] : f->all[need->place];
    return need->direction == POF_UP ? flow : -flow;
}

int pof_clear_cost(const struct pof_clear_problem *p, const int64_t *taken, pof_wide *cost,
                   struct pof_err *err)
{
    struct flows f = {0};
    int rc = flows_build(&f, p, taken, err);
    pof_wide sum = 0;
    for (size_t i = 0; rc == 0 && i < p->offers; i++) {
        sum += taken[i] ? (pof_wide)p->offer[i].price_ueur * taken[i] : 0;
    }
    for (size_t i = 0, end; rc == 0 && i < p->requests; i = end) {
        end = pof_stack_end(f.need, i, p->requests);
        pof_wide got = served(&f, &f.need[i]);
        for (size_t k = i; k < end; k++) {
            pof_wide unmet = f.need[k].p_w - got;
            /* Only the dearest can lack more than it asks for. */
            sum += unmet > 0 ? unmet * f.need[k].ceiling_ueur : 0;
            got = got > f.need[k].p_w ? got - f.need[k].p_w : 0;
        }
    }
    flows_release(&f);
    if (rc == 0) {
        *cost = sum;
    }
    return rc;
}

int pof_clear_unmet(const struct pof_clear_problem *p, const int64_t *taken, int64_t *unmet_w,
                    struct pof_err *err)
{
    struct flows f = {0};
    int rc = flows_build(&f, p, taken, err);
    for (size_t i = 0, end; rc == 0 && i < p->requests; i = end) {
        end = pof_stack_end(f.need, i, p->requests);
        int64_t got = served(&f, &f.need[i]);
        got = got > 0 ? got : 0;
        for (size_t k = i; k < end; k++) {
            int64_t part = got < f.need[k].p_w ? got : f.need[k].p_w;
            unmet_w[f.need[k].request] = f.need[k].p_w - part;
            got -= part;
        }
    }
    flows_release(&f);
    return rc;
}

/* --- certificate --- */

static bool offer_fits(const struct pof_clear_offer *o, int64_t q, int64_t node_price)
{
    /* An up offer earns the node price, a down offer its negative. */
    int64_t worth = o->direction == POF_UP ? node_price : -node_price;
    return (q == o->frozen_w || worth >= o->price_ueur) && (q == o->p_w || worth <= o->price_ueur);
}

/* Steps [low, high] that the outer price may stand above the inner one. */
struct steps {
    int64_t low, high;
};

/* Adds the subdifferential of a stack's cost at got watts served. In the direction of the request
 * the cost falls by the ceiling of the first step that is not full. */
static void add_stack(struct steps *s, const struct pof_need *need, size_t n, int64_t got)
{
    int64_t before = 0, after = 0; /* slopes on both sides of got, as amounts */
    int64_t sum = 0;
    for (size_t k = 0; k < n; k++) {
        int64_t end = sum + need[k].p_w;
        if (need[k].p_w > 0 && got > sum && got <= end) {
            before = need[k].ceiling_ueur;
        }
        if (need[k].p_w > 0 && got >= sum && got < end) {
            after = need[k].ceiling_ueur;
        }
        sum = end;
    }
    if (got <= 0) { /* the dearest goes on against the direction */
        before = need[0].ceiling_ueur;
        after = got < 0 ? before : after;
    }
    if (need->direction == POF_UP) {
        s->low -= before;
        s->high -= after;
    } else {
        s->low += after;
        s->high += before;
    }
}

static void add_limits(struct steps *at, const struct pof_clear_problem *p, const struct flows *f)
{
    for (size_t i = 0; i < p->limits; i++) {
        uint32_t place = p->forest->pos[p->limit[i].node];
        if (f->all[place] == p->limit[i].p_up_w) {
            at[place].high = FAR;
        }
        if (f->all[place] == -p->limit[i].p_down_w) {
            at[place].low = -FAR;
        }
    }
}

static void check_edges(const struct pof_clear_problem *p, const struct pof_clear_result *r,
                        const struct flows *f, struct steps *step,
                        struct pof_certificate_answer *answer)
{
    const struct pof_forest *t = p->forest;
    struct steps *own = step + t->n; /* second half: own areas */
    for (size_t i = 0, end; i < p->requests; i = end) {
        const struct pof_need *need = &f->need[i];
        end = pof_stack_end(f->need, i, p->requests);
        add_stack(need->own ? &own[need->place] : &step[need->place], need, end - i,
                  served(f, need));
    }
    add_limits(step, p, f);
    for (uint32_t at = 0; at < t->n && answer->status == POF_CERTIFIED; at++) {
        uint32_t node = t->node[at];
        int64_t outer = t->up[at] == POF_NONE ? 0 : r->node_price_ueur[t->node[t->up[at]]];
        int64_t inner = r->node_price_ueur[node], last = r->own_price_ueur[node];
        if (outer - inner < step[at].low || outer - inner > step[at].high ||
            inner - last < own[at].low || inner - last > own[at].high) {
            *answer = (struct pof_certificate_answer){POF_CERT_EDGE_PRICE, node};
        }
    }
}

static void check_quantities(const struct pof_clear_problem *p, const struct pof_clear_result *r,
                             const struct flows *f, struct pof_certificate_answer *answer)
{
    for (size_t i = 0; i < p->offers && answer->status == POF_CERTIFIED; i++) {
        const struct pof_clear_offer *o = &p->offer[i];
        int64_t q = r->taken_w[i];
        if (q < o->frozen_w || q > o->p_w) {
            *answer = (struct pof_certificate_answer){POF_CERT_QUANTITY, i};
        } else if (!offer_fits(o, q, r->own_price_ueur[o->node])) {
            *answer = (struct pof_certificate_answer){POF_CERT_OFFER_PRICE, i};
        }
    }
    for (size_t i = 0; i < p->limits && answer->status == POF_CERTIFIED; i++) {
        const struct pof_clear_limit *l = &p->limit[i];
        int64_t flow = f->all[p->forest->pos[l->node]];
        if (flow > l->p_up_w || flow < -l->p_down_w) {
            *answer = (struct pof_certificate_answer){POF_CERT_LIMIT, l->node};
        }
    }
}

int pof_clear_certify(const struct pof_clear_problem *p, const struct pof_clear_result *r,
                      struct pof_certificate_answer *answer, struct pof_err *err)
{
    struct flows f = {0};
    struct steps *step = NULL;
    int rc = flows_build(&f, p, r->taken_w, err);
    rc = rc ? rc : pof_calloc(&step, (size_t)p->forest->n * 2, sizeof *step, err);
    if (rc == 0) {
        *answer = (struct pof_certificate_answer){POF_CERTIFIED, 0};
        check_quantities(p, r, &f, answer);
        if (answer->status == POF_CERTIFIED) {
            check_edges(p, r, &f, step, answer);
        }
    }
    free(step);
    flows_release(&f);
    return rc;
}
