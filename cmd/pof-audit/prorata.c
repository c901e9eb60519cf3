/* SPDX-License-Identifier: Apache-2.0 */
/* Equal shares (pof-rules(5)), worked out once more from what areas net and held against the quantities.
 * An area with bounds of its own counts as one offer in the share around it, and shares its part within.
 * O(places + offers log offers) a quarter-hour. */
#include "audit.h"

#include <stdlib.h>

/* Of a place at: 2 at + 1 are its own offers, 2 at all below it; what lies around has a lower number,
 * or, of own offers, is the one before. */
struct bounds {
    int64_t sum_least, sum_most; /* what tied offers within can get, of areas within at most that */
    int64_t least, most;         /* the same within the area's own limits and requests */
    int64_t has;                 /* what they get, W */
    int64_t rank;                /* of the best of them */
    bool border;                 /* the price around is another one */
    uint32_t share;              /* the area that shares with its offers */
};

/* Who shares: an offer, or an area. */
struct part {
    uint32_t share;
    int64_t rank, least, room, has;
    __extension__ __int128 rest; /* of the division */
};

struct ties {
    const struct audit *m;
    int direction;
    struct bounds *area;
    int64_t (*asked)[2]; /* W by area */
    struct part *part;
    size_t parts;
    const struct pof_claim_line **of_rank; /* tied offers */
};

static uint32_t around(const struct ties *t, uint32_t area)
{
    return area % 2 ? area - 1 : area ? 2 * t->m->up[area / 2] : POF_NONE;
}

static int64_t net_of(const struct ties *t, uint32_t area)
{
    const struct place *p = &t->m->place[area / 2];
    return area % 2 ? p->own_net : p->net;
}

static bool is_tied(const struct ties *t, const struct pof_claim_line *l)
{
    const struct pof_offer *o = &l->r->u.offer;
    if (l->rank == 0 || o->direction != t->direction) {
        return false;
    }
    const struct place *p = &t->m->place[audit_place(t->m, l)];
    return p->own_tie == 0 && p->own_price == (t->direction == POF_UP ? o->price_ueur_mwh : -o->price_ueur_mwh);
}

/* What is decided whole leaves nothing to share but what is above its least power. */
static void range(const struct ties *t, const struct pof_claim_line *l, int64_t *least, int64_t *most)
{
    const struct pof_offer *o = &l->r->u.offer;
    int64_t taken = audit_state(t->m, l)->taken;
    bool block = POF_HAS(o, offer, block);
    *least = block ? taken : taken > 0 && POF_HAS(o, offer, min_w) ? o->min_w : 0;
    *most = block ? taken : taken == 0 && l->whole ? 0 : o->p_w;
}

/* How far an area may net, no limit of it broken and no request of it less met. */
static void net_bounds(const struct ties *t, uint32_t area, int64_t *low, int64_t *high)
{
    const struct place *p = &t->m->place[area / 2];
    int64_t up = area % 2 ? INT64_MAX : p->p_w[POF_UP], down = area % 2 ? INT64_MAX : p->p_w[POF_DOWN];
    const int64_t *asked = t->asked[area];
    *low = -down;
    *high = up;
    if (asked[POF_UP] > 0 && asked[POF_DOWN] > 0) {
        *low = *high = net_of(t, area);
    } else if (asked[POF_UP] > 0) {
        *low = asked[POF_UP] < up ? asked[POF_UP] : up;
    } else if (asked[POF_DOWN] > 0) {
        *high = -(asked[POF_DOWN] < down ? asked[POF_DOWN] : down);
    }
}

static void bound(struct ties *t, uint32_t area)
{
    struct bounds *x = &t->area[area];
    uint32_t out = around(t, area);
    const struct place *p = &t->m->place[area / 2], *q = out == POF_NONE ? NULL : &t->m->place[out / 2];
    int64_t low, high;
    x->border = !q || (area % 2 ? p->own_price != p->price || p->own_tie != p->tie
                                : p->price != q->price || p->tie != q->tie);
    x->least = x->sum_least;
    x->most = x->sum_most;
    if (x->border) {
        return;
    }
    net_bounds(t, area, &low, &high);
    __extension__ typedef __int128 wide;
    wide fall = (wide)net_of(t, area) - low, rise = (wide)high - net_of(t, area);
    wide least = x->has - (t->direction == POF_UP ? fall : rise);
    wide most = x->has + (t->direction == POF_UP ? rise : fall);
    x->least = least > x->least ? (int64_t)least : x->least;
    x->most = most < x->most ? (int64_t)most : x->most;
    struct bounds *y = &t->area[out];
    y->sum_least += x->least;
    y->sum_most += x->most;
    y->has += x->has;
    y->rank = x->rank && (!y->rank || x->rank < y->rank) ? x->rank : y->rank;
}

/* Bounds from the inside out, shares from the outside in. */
static void list_areas(struct ties *t)
{
    for (uint32_t at = t->m->c.tree.n; at-- > 0;) {
        bound(t, 2 * at + 1);
        bound(t, 2 * at);
    }
    for (uint32_t k = 0; k < 2 * t->m->c.tree.n; k++) {
        struct bounds *x = &t->area[k];
        bool bounded = !x->border && (x->least > x->sum_least || x->most < x->sum_most);
        x->share = x->border || bounded ? k : t->area[around(t, k)].share;
        if (bounded) {
            t->part[t->parts++] = (struct part){.share = t->area[around(t, k)].share,
                                                .rank = x->rank,
                                                .least = x->least,
                                                .room = x->most - x->least,
                                                .has = x->has};
        }
    }
}

static void list_parts(struct ties *t, const uint32_t *at, size_t n)
{
    for (uint32_t k = 0; k < 2 * t->m->c.tree.n; k++) {
        t->area[k] = (struct bounds){0};
    }
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < n; i++) {
            const struct pof_claim_line *l = &t->m->c.line[at[i]];
            int64_t least, most, has = audit_state(t->m, l)->taken;
            if (!is_tied(t, l)) {
                continue;
            }
            struct bounds *x = &t->area[2 * audit_place(t->m, l) + 1];
            range(t, l, &least, &most);
            if (turn == 1) {
                t->part[t->parts++] = (struct part){x->share, l->rank, least, most - least, has, 0};
                continue;
            }
            t->of_rank[l->rank] = l;
            x->sum_least += least;
            x->sum_most += most;
            x->has += has;
            x->rank = x->rank && x->rank < l->rank ? x->rank : l->rank;
        }
        if (turn == 0) {
            t->parts = 0;
            list_areas(t);
        }
    }
}

static int by_share(const void *pa, const void *pb)
{
    const struct part *a = pa, *b = pb;
    return a->share != b->share ? (a->share > b->share ? 1 : -1) : (a->rank > b->rank) - (a->rank < b->rank);
}

static int by_rest(const void *pa, const void *pb)
{
    const struct part *a = pa, *b = pb;
    return a->rest != b->rest ? (a->rest < b->rest ? 1 : -1) : (a->rank > b->rank) - (a->rank < b->rank);
}

/* Those of one share: by largest remainder, to the better rank where remainders are equal. */
static int check_share(const struct ties *t, struct part *part, size_t n, struct pof_err *err)
{
    __extension__ __int128 room = 0, amount = 0, over;
    for (size_t i = 0; i < n; i++) {
        room += part[i].room;
        amount += part[i].has - part[i].least;
    }
    over = amount;
    for (size_t i = 0; i < n && room > 0; i++) {
        part[i].rest = amount * part[i].room % room;
        over -= amount * part[i].room / room;
    }
    qsort(part, n, sizeof *part, by_rest);
    for (size_t i = 0; i < n; i++) {
        int64_t share = room > 0 ? (int64_t)(amount * part[i].room / room) : 0;
        int64_t due = part[i].least + share + ((int64_t)i < over);
        if (due != part[i].has) {
            return POF_REFUSE(t->of_rank[part[i].rank], "p_w",
                              "of equal offers, this or those sharing with it get %lld W, not their share of %lld",
                              (long long)part[i].has, (long long)due);
        }
    }
    return 0;
}

static int check_ties(struct ties *t, struct pof_err *err)
{
    const uint32_t *at;
    size_t n = pof_claim_lines(&t->m->c, t->m->now, POF_offer, &at);
    int rc = 0;
    for (size_t i = 0; i < t->m->needs; i++) {
        const struct pof_claim_line *r = t->m->need[i];
        t->asked[2 * audit_place(t->m, r) + r->area % 2][r->r->u.request.direction] += r->r->u.request.p_w;
    }
    for (t->direction = POF_UP; rc == 0 && t->direction <= POF_DOWN; t->direction++) {
        list_parts(t, at, n);
        if (t->parts > 1) {
            qsort(t->part, t->parts, sizeof *t->part, by_share);
        }
        for (size_t i = 0, end; rc == 0 && i < t->parts; i = end) {
            for (end = i + 1; end < t->parts && t->part[end].share == t->part[i].share; end++) {
            }
            rc = check_share(t, t->part + i, end - i, err);
        }
    }
    return rc;
}

int audit_pro_rata(struct audit *m, struct pof_err *err)
{
    struct ties t = {.m = m};
    size_t areas = 2 * (size_t)m->c.tree.n;
    if (m->prices == 0 && m->needs > 0 && m->awards > 0) {
        return POF_REFUSE(m->award[0], NULL, "equal shares are told by prices, and none are given (pof-clear --prices)");
    }
    int rc = pof_calloc(&t.area, areas, sizeof *t.area, err);
    rc = rc ? rc : pof_calloc(&t.asked, areas, sizeof *t.asked, err);
    rc = rc ? rc : pof_calloc(&t.part, areas + m->c.kept.n, sizeof *t.part, err);
    rc = rc ? rc : pof_calloc(&t.of_rank, m->c.kept.n + 1, sizeof(struct pof_claim_line *), err);
    rc = rc ? rc : check_ties(&t, err);
    free(t.area);
    free(t.asked);
    free(t.part);
    free(t.of_rank);
    return rc;
}
