/* SPDX-License-Identifier: Apache-2.0 */
/* Equal shares (pof-rules(5)), worked out once more from the net activation of areas and held
 * against the quantities: slowly, area by area from the outside in. */
#include "verify.h"

#include <stdlib.h>

/* What ties within an area can get and get. */
struct tied {
    int64_t least, most; /* within its own bounds */
    int64_t sum_least, sum_most;
    int64_t has;
    bool bounded, border;
};

struct ties {
    const struct market *m;
    const struct quarter *q;
    int direction;
    struct tied *of[2]; /* by enum pof_scope, by place */
};

/* A share: an offer, or a bounded area. */
struct part {
    int64_t least, room, has;
    uint32_t rank;
    wide remainder;
};

static const struct area *area_of(const struct ties *t, int scope, uint32_t at)
{
    return &t->m->area[scope][at];
}

/* Around own offers is the subtree of their node, around a subtree the one above. */
static bool goes_out(const struct ties *t, int *scope, uint32_t *at)
{
    if (*scope == POF_SCOPE_BELOW && *at == 0) {
        return false;
    }
    *at = *scope == POF_SCOPE_OWN ? *at : t->m->up[*at];
    *scope = POF_SCOPE_BELOW;
    return true;
}

static bool is_tied(const struct ties *t, const struct offer *o)
{
    wide asks = (wide)o->r->price_ueur_mwh * ((wide)1 << 59);
    return o->rank && o->r->direction == t->direction &&
           verify_active(o->r->start, o->r->end, t->q->start) && !POF_HAS(o->r, offer, block) &&
           area_of(t, POF_SCOPE_OWN, o->at)->cost == (t->direction == POF_UP ? asks : -asks);
}

/* With a least power, or a parent or group: taken or not is decided; the rest is divisible. */
static void range(const struct offer *o, int64_t *least, int64_t *most)
{
    bool gate = POF_HAS(o->r, offer, parent) || POF_HAS(o->r, offer, group);
    *least = o->taken > 0 && POF_HAS(o->r, offer, min_w) ? o->r->min_w : 0;
    *most = o->taken == 0 && (POF_HAS(o->r, offer, min_w) || gate) ? 0 : o->r->p_w;
}

/* How far the net activation of an area may fall and rise without a limit broken or less met. */
static void slack(const struct ties *t, int scope, uint32_t at, wide *fall, wide *rise)
{
    int64_t asked[2] = {0, 0}, up = INT64_MAX, down = INT64_MAX, net = area_of(t, scope, at)->net;
    for (size_t i = 0; i < t->q->needs; i++) {
        const struct request *r = t->q->need[i];
        if (r->at == at && r->own == (scope == POF_SCOPE_OWN)) {
            int64_t *end = r->r->direction == POF_UP ? &up : &down;
            asked[r->r->direction] += r->r->p_w;
            *end = POF_HAS(r->r, request, max_w) && r->r->max_w < *end ? r->r->max_w : *end;
        }
    }
    for (size_t i = 0; scope == POF_SCOPE_BELOW && i < t->m->n[POF_limit]; i++) {
        const struct pof_limit *l = &t->m->of[POF_limit][i].r.u.limit;
        uint32_t k = pof_names_find(&t->m->grid.branch_names, l->branch);
        if (t->m->child[k] == at && at != POF_NONE &&
            verify_active(l->start, l->start + l->duration_s, t->q->start)) {
            up = l->p_up_w < up ? l->p_up_w : up;
            down = l->p_down_w < down ? l->p_down_w : down;
        }
    }
    *fall = (wide)net + down;
    *rise = (wide)up - net;
    if (asked[0] && asked[1]) {
        *fall = *rise = 0;
    } else if (asked[POF_UP]) {
        *fall = (wide)net - (asked[POF_UP] < up ? asked[POF_UP] : up);
    } else if (asked[POF_DOWN]) {
        *rise = -(wide)(asked[POF_DOWN] < down ? asked[POF_DOWN] : down) - net;
    }
}

static void bound(struct ties *t, int scope, uint32_t at)
{
    struct tied *x = &t->of[scope][at];
    wide fall, rise;
    int around = scope;
    uint32_t out = at;
    x->border = !goes_out(t, &around, &out) ||
                area_of(t, scope, at)->cost != area_of(t, around, out)->cost;
    x->least = x->sum_least;
    x->most = x->sum_most;
    if (x->border) {
        return;
    }
    slack(t, scope, at, &fall, &rise);
    wide least = x->has - (t->direction == POF_UP ? fall : rise);
    wide most = x->has + (t->direction == POF_UP ? rise : fall);
    x->least = least > x->least ? (int64_t)least : x->least;
    x->most = most < x->most ? (int64_t)most : x->most;
    x->bounded = x->least > x->sum_least || x->most < x->sum_most;
    t->of[around][out].sum_least += x->least;
    t->of[around][out].sum_most += x->most;
    t->of[around][out].has += x->has;
}

static void bound_all(struct ties *t)
{
    for (uint32_t at = 0; at < t->m->tree.n; at++) {
        t->of[0][at] = t->of[1][at] = (struct tied){0};
    }
    for (size_t i = 0; i < t->m->n[POF_offer]; i++) {
        const struct offer *o = &t->m->offer[i];
        if (is_tied(t, o)) {
            int64_t least, most;
            range(o, &least, &most);
            t->of[POF_SCOPE_OWN][o->at].sum_least += least;
            t->of[POF_SCOPE_OWN][o->at].sum_most += most;
            t->of[POF_SCOPE_OWN][o->at].has += o->taken;
        }
    }
    for (uint32_t at = t->m->tree.n; at-- > 0;) {
        bound(t, POF_SCOPE_OWN, at);
        bound(t, POF_SCOPE_BELOW, at);
    }
}

/* Does an area, looked at from inside, share in (scope, at)? Bounded areas share for those within. */
static bool shares_in(const struct ties *t, int s, uint32_t a, int scope, uint32_t at)
{
    while (!(s == scope && a == at)) {
        const struct tied *x = &t->of[s][a];
        if (x->border || x->bounded || !goes_out(t, &s, &a)) {
            return false;
        }
    }
    return true;
}

static uint32_t best_rank(const struct ties *t, int scope, uint32_t at)
{
    for (size_t i = 0; i < t->m->n[POF_offer]; i++) { /* by rank */
        const struct offer *o = &t->m->offer[i];
        int s = POF_SCOPE_OWN;
        uint32_t a = o->at;
        bool in = is_tied(t, o);
        while (in && !(s == scope && a == at)) {
            in = !t->of[s][a].border && goes_out(t, &s, &a);
        }
        if (in) {
            return o->rank;
        }
    }
    return UINT32_MAX;
}

static int by_remainder(const void *pa, const void *pb)
{
    const struct part *a = pa, *b = pb;
    return a->remainder != b->remainder ? (a->remainder > b->remainder ? -1 : 1)
                                        : (a->rank > b->rank) - (a->rank < b->rank);
}

static size_t list_parts(const struct ties *t, int scope, uint32_t at, struct part *part)
{
    size_t n = 0;
    for (size_t i = 0; i < t->m->n[POF_offer]; i++) {
        const struct offer *o = &t->m->offer[i];
        if (is_tied(t, o) && shares_in(t, POF_SCOPE_OWN, o->at, scope, at)) {
            int64_t least, most;
            range(o, &least, &most);
            part[n++] = (struct part){least, most - least, o->taken, o->rank, 0};
        }
    }
    for (uint32_t a = at; a < t->m->end[at]; a++) {
        for (int s = 0; s < 2; s++) {
            const struct tied *x = &t->of[s][a];
            int out_s = s;
            uint32_t out = a;
            if (x->bounded && x->sum_most > 0 && !(s == scope && a == at) &&
                goes_out(t, &out_s, &out) && shares_in(t, out_s, out, scope, at)) {
                part[n++] = (struct part){x->least, x->most - x->least, x->has, best_rank(t, s, a), 0};
            }
        }
    }
    return n;
}

static const struct offer *of_rank(const struct market *m, uint32_t rank)
{
    const struct offer *o = m->offer;
    while (o->rank != rank) {
        o++;
    }
    return o;
}

static int check_parts(const struct ties *t, int scope, uint32_t at, struct part *part,
                       struct pof_err *err)
{
    size_t n = list_parts(t, scope, at, part);
    wide room = 0, amount = t->of[scope][at].has, over;
    for (size_t i = 0; i < n; i++) {
        room += part[i].room;
        amount -= part[i].least;
    }
    over = amount;
    for (size_t i = 0; room > 0 && i < n; i++) {
        part[i].remainder = amount * part[i].room % room;
        over -= amount * part[i].room / room;
    }
    if (n > 1) {
        qsort(part, n, sizeof *part, by_remainder);
    }
    for (size_t i = 0; room > 0 && i < n; i++) {
        wide due = part[i].least + amount * part[i].room / room + ((wide)i < over);
        if (due != part[i].has && part[i].rank != UINT32_MAX) {
            return REFUSE(of_rank(t->m, part[i].rank)->from, "p_w",
                          "of equal offers, this or those sharing with it get %lld W, not their "
                          "share of %lld",
                          (long long)part[i].has, (long long)due);
        }
    }
    return 0;
}

int verify_pro_rata(const struct market *m, const struct quarter *q, struct pof_err *err)
{
    struct ties t = {.m = m, .q = q};
    struct part *part = NULL;
    int rc = pof_calloc(&t.of[0], m->tree.n, sizeof *t.of[0], err);
    rc = rc ? rc : pof_calloc(&t.of[1], m->tree.n, sizeof *t.of[1], err);
    rc = rc ? rc : pof_calloc(&part, m->n[POF_offer] + 2 * (size_t)m->tree.n, sizeof *part, err);
    for (t.direction = POF_UP; rc == 0 && t.direction <= POF_DOWN; t.direction++) {
        bound_all(&t);
        for (uint32_t at = 0; rc == 0 && at < m->tree.n; at++) {
            for (int s = 0; rc == 0 && s < 2; s++) {
                const struct tied *x = &t.of[s][at];
                bool shares = x->sum_most > x->sum_least && (x->border || x->bounded);
                rc = shares ? check_parts(&t, s, at, part, err) : 0;
            }
        }
    }
    free(t.of[0]);
    free(t.of[1]);
    free(part);
    return rc;
}
