/* SPDX-License-Identifier: Apache-2.0 */
/* What outcomes leave of requests and offers. */
#include "base/mem.h"
#include "market/admit.h"
#include "market/attribute.h"
#include "market/certificate.h"
#include "market/outcome.h"
#include "market/quarter.h"

#include <stdlib.h>
#include <string.h>

enum { ID_MAX = 96 }; /* of requests and offers, records.def */

/* Watts used of a request or offer (by its index) in one quarter-hour. */
struct use {
    size_t owner;
    int64_t start, p_w;
};

/* A time with one power. */
struct piece {
    int64_t start, end, p_w;
};

struct rest {
    const struct pof_join *join;
    struct use *use; /* owned */
    size_t uses, use_cap;
    struct pof_names given; /* ids handed out, each behind its scope */
    struct pof_text scope;  /* ids are unique in it: a session; "" for offers */
    struct pof_buf id;      /* the one being made */
    int (*each_request)(void *ctx, const struct pof_request *r, struct pof_err *err);
    int (*each_offer)(void *ctx, const struct pof_offer *o, struct pof_err *err);
    void *ctx;
};

static void rest_release(struct rest *r)
{
    free(r->use);
    pof_names_release(&r->given);
    pof_buf_release(&r->id);
}

static int add_use(struct rest *r, size_t owner, int64_t start, int64_t p_w, struct pof_err *err)
{
    int rc = pof_grow(&r->use, &r->use_cap, r->uses + 1, sizeof *r->use, err);
    if (rc == 0) {
        r->use[r->uses++] = (struct use){owner, start, p_w};
    }
    return rc;
}

static int use_cmp(const void *pa, const void *pb)
{
    const struct use *a = pa, *b = pb;
    if (a->owner != b->owner) {
        return a->owner < b->owner ? -1 : 1;
    }
    return (a->start > b->start) - (a->start < b->start);
}

static void sort_uses(struct rest *r)
{
    if (r->uses > 1) {
        qsort(r->use, r->uses, sizeof *r->use, use_cmp);
    }
}

/* --- spans less their uses --- */

/* A span and its uses from next on; t is as far as it got. */
struct walk {
    struct piece span;
    size_t owner, next;
    int64_t t;
};

/* The next stretch of one power, 0 W included: 1; 0 at the end; -1 when there are uses outside the
 * span or of more watts than it has. */
static int step(struct walk *w, const struct rest *r, struct piece *out)
{
    bool mine = w->next < r->uses && r->use[w->next].owner == w->owner;
    int64_t use = mine ? r->use[w->next].start : INT64_MAX;
    if (w->t >= w->span.end) {
        return mine ? -1 : 0;
    }
    if (use < w->t) {
        return -1;
    }
    *out = (struct piece){w->t, use < w->span.end ? use : w->span.end, w->span.p_w};
    if (use == w->t) {
        out->end = w->t + POF_QUARTER_S;
        for (; w->next < r->uses && r->use[w->next].owner == w->owner &&
               r->use[w->next].start == w->t;
             w->next++) {
            out->p_w -= r->use[w->next].p_w;
        }
    }
    w->t = out->end;
    return out->p_w < 0 ? -1 : 1;
}

/* The next piece with watts left: stretches of one power joined. As step. */
static int next_piece(struct walk *w, const struct rest *r, struct piece *out)
{
    struct piece x;
    struct walk ahead = *w;
    *out = (struct piece){0};
    int more = step(&ahead, r, &x);
    for (; more == 1 && (out->p_w == 0 || out->p_w == x.p_w); more = step(&ahead, r, &x)) {
        if (out->p_w == 0) {
            *out = x;
        }
        out->end = x.end;
        *w = ahead;
    }
    return more < 0 ? -1 : out->p_w > 0;
}

/* --- ids of pieces --- */

static int refuse_id(struct pof_err *err, enum pof_code code, struct pof_text id, const char *why)
{
    return pof_fail(err, code, "'%.*s' cannot name what is left of it: %s", (int)id.len, id.ptr,
                    why);
}

/* The id of a piece of a walk's span. */
static int name_piece(struct rest *r, const struct walk *w, const struct piece *part,
                      struct pof_text *id, struct pof_err *err)
{
    char quarter[POF_QUARTER_NAME + 1];
    struct pof_text base = pof_offer_base(*id), was = *id;
    uint32_t next = (uint32_t)r->given.n, number = 0;
    r->id.len = 0;
    int rc = pof_buf_add(&r->id, r->scope.ptr, r->scope.len, err);
    rc = rc ? rc : pof_buf_add(&r->id, "\x1f", 1, err); /* in no name that reads as text */
    if (part->start == w->span.start && part->end == w->span.end) {
        rc = rc ? rc : pof_buf_add(&r->id, id->ptr, id->len, err);
    } else {
        pof_quarter_name(part->start, quarter);
        rc = rc ? rc : pof_buf_addf(&r->id, err, "%.*s/%s", (int)base.len, base.ptr, quarter);
    }
    rc = rc ? rc : pof_names_add(&r->given, (struct pof_text){r->id.data, r->id.len}, &number, err);
    if (rc == 0 && number != next) {
        return refuse_id(err, POF_E_DUPLICATE, was, "another piece has that id");
    }
    if (rc == 0) {
        *id = (struct pof_text){r->id.data + r->scope.len + 1, r->id.len - r->scope.len - 1};
        rc = id->len > ID_MAX ? refuse_id(err, POF_E_TOO_LONG, was, "more than 96 bytes") : 0;
    }
    return rc;
}

/* --- offers --- */

static uint32_t offer_place(const struct pof_join *j, struct pof_text id)
{
    size_t low = 0, high = j->offers;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (pof_text_cmp(j->offer[mid].id, id) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < j->offers && pof_text_eq(j->offer[low].id, id) ? (uint32_t)low : POF_NONE;
}

static int use_offers(struct rest *r, struct pof_err *err)
{
    const struct pof_join *j = r->join;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < j->awards; i++) {
        const struct pof_award *a = &j->joined[i].award;
        uint32_t at = offer_place(j, a->offer);
        if (at == POF_NONE) {
            return pof_fail(err, POF_E_REFERENCE,
                            "award '%.*s' takes offer '%.*s', which is not among the %zu given",
                            (int)a->id.len, a->id.ptr, (int)a->offer.len, a->offer.ptr, j->offers);
        }
        rc = add_use(r, at, a->start, j->joined[i].p_w, err);
    }
    sort_uses(r);
    return rc;
}

static int carry_offer(struct rest *r, struct walk *w, const struct pof_offer *o,
                       struct pof_err *err)
{
    struct piece part;
    int rc = 0, more;
    while ((more = next_piece(w, r, &part)) == 1 && rc == 0) {
        struct pof_offer x = *o;
        x.start = part.start;
        x.end = part.end;
        x.p_w = part.p_w;
        rc = name_piece(r, w, &part, &x.id, err);
        rc = rc ? rc : r->each_offer(r->ctx, &x, err);
    }
    if (rc == 0 && more < 0) {
        return pof_fail(err, POF_E_CONFLICT, "more is awarded of offer '%.*s' than it has",
                        (int)o->id.len, o->id.ptr);
    }
    return rc;
}

int pof_join_carry(const struct pof_join *j,
                   int (*each)(void *ctx, const struct pof_offer *o, struct pof_err *err),
                   void *ctx, struct pof_err *err)
{
    struct rest r = {.join = j, .each_offer = each, .ctx = ctx};
    int rc = use_offers(&r, err);
    size_t next = 0;
    for (size_t i = 0; rc == 0 && i < j->offers; i++) {
        const struct pof_offer *o = &j->offer[i];
        struct walk w = {{o->start, o->end, o->p_w}, i, next, o->start};
        if (POF_HAS(o, offer, max_active_s) && next < r.uses && r.use[next].owner == i) {
            while (next < r.uses && r.use[next].owner == i) {
                next++;
            }
            continue; /* when it can be active again pieces of it could not tell */
        }
        rc = carry_offer(&r, &w, o, err);
        next = w.next;
    }
    rest_release(&r);
    return rc;
}

/* --- requests --- */

/* The tree in which net activation is known: the grid's, or without one a root with all nodes that
 * outcomes and requests name below it. */
struct ground {
    struct pof_forest forest;
    struct pof_names nodes; /* without a grid: node number + 1 is the place below the root */
    uint32_t root;
};

static void ground_release(struct ground *g)
{
    pof_forest_release(&g->forest);
    pof_names_release(&g->nodes);
}

static int ground_build(struct ground *g, const struct pof_join *j, struct pof_err *err)
{
    if (j->feeder) {
        g->root = j->feeder->tree.order[0];
        return pof_forest_build(&g->forest, j->feeder->tree.parent, j->feeder->grid->nodes, err);
    }
    uint32_t number, *parent = NULL;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < j->awards; i++) {
        rc = pof_names_add(&g->nodes, j->joined[i].award.node, &number, err);
    }
    for (size_t i = 0; rc == 0 && i < j->requests; i++) {
        if (POF_HAS(&j->request[i], request, node)) {
            rc = pof_names_add(&g->nodes, j->request[i].node, &number, err);
        }
    }
    rc = rc ? rc : pof_calloc(&parent, g->nodes.n + 1, sizeof *parent, err);
    if (rc == 0) {
        parent[0] = POF_NONE;
        rc = pof_forest_build(&g->forest, parent, (uint32_t)g->nodes.n + 1, err);
    }
    free(parent);
    return rc;
}

static uint32_t ground_node(const struct ground *g, const struct pof_join *j, struct pof_text name)
{
    return j->feeder ? pof_names_find(&j->feeder->grid->node_names, name)
                     : pof_names_find(&g->nodes, name) + 1;
}

/* A request as an area of the ground; node POF_NONE: no such area is known. */
static int area_of(const struct ground *g, const struct pof_join *j, const struct pof_request *r,
                   struct pof_clear_request *x, struct pof_err *err)
{
    *x = (struct pof_clear_request){.node = g->root,
                                    .direction = (enum pof_direction)r->direction,
                                    .p_w = r->p_w,
                                    .ceiling_ueur = POF_HAS(r, request, price_limit_ueur_mwh)
                                                        ? r->price_limit_ueur_mwh
                                                        : INT64_MAX};
    if (POF_HAS(r, request, node)) {
        x->own = true;
        x->node = ground_node(g, j, r->node);
    } else if (POF_HAS(r, request, branch)) {
        x->node = j->feeder
                      ? j->feeder->child[pof_names_find(&j->feeder->grid->branch_names, r->branch)]
                      : POF_NONE;
    } else if (POF_HAS(r, request, nodes)) {
        struct pof_area area = {POF_NONE, false};
        int rc = j->feeder ? pof_feeder_area(j->feeder, r->nodes, &area, err) : 0;
        x->node = area.node;
        x->own = area.own;
        return rc;
    }
    return 0;
}

/* One session's quarter-hour: outcomes [first, last) of the join. */
struct moment {
    size_t first, last;
    struct pof_clear_offer *offer;
    int64_t *taken;
    struct pof_clear_request *request;
    size_t *request_of;
    int64_t *unmet;
};

static void moment_release(struct moment *m)
{
    free(m->offer);
    free(m->taken);
    free(m->request);
    free(m->request_of);
    free(m->unmet);
}

static int moment_alloc(struct moment *m, const struct pof_join *j, struct pof_err *err)
{
    int rc = pof_calloc(&m->offer, j->awards, sizeof *m->offer, err);
    rc = rc ? rc : pof_calloc(&m->taken, j->awards, sizeof *m->taken, err);
    rc = rc ? rc : pof_calloc(&m->request, j->requests, sizeof *m->request, err);
    rc = rc ? rc : pof_calloc(&m->request_of, j->requests, sizeof *m->request_of, err);
    return rc ? rc : pof_calloc(&m->unmet, j->requests, sizeof *m->unmet, err);
}

/* Watts of outcomes that name a request and serve it. */
static int64_t named_w(const struct pof_join *j, const struct moment *m,
                       const struct pof_request *r)
{
    int64_t sum = 0;
    for (size_t i = m->first; i < m->last; i++) {
        const struct pof_award *a = &j->joined[i].award;
        if (a->why == POF_AWARD_REQUEST && pof_text_eq(a->request, r->id)) {
            sum += j->joined[i].p_w;
        }
    }
    return sum < r->p_w ? sum : r->p_w;
}

/* What requests got in one quarter-hour. */
static int use_moment(struct rest *r, const struct ground *g, struct moment *m, struct pof_err *err)
{
    const struct pof_join *j = r->join;
    const struct pof_award *now = &j->joined[m->first].award;
    struct pof_clear_problem p = {.forest = &g->forest, .offer = m->offer, .request = m->request};
    for (size_t i = m->first; i < m->last; i++) {
        const struct pof_award *a = &j->joined[i].award;
        if (a->why == POF_AWARD_RESERVE) {
            continue;
        }
        m->offer[p.offers] = (struct pof_clear_offer){
            .node = ground_node(g, j, a->node), .direction = (enum pof_direction)a->direction};
        m->taken[p.offers++] = j->joined[i].p_w;
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < j->requests; i++) {
        const struct pof_request *x = &j->request[i];
        if (!pof_text_eq(x->session, now->session) || now->start < x->start ||
            now->start >= x->end) {
            continue;
        }
        struct pof_clear_request area;
        rc = area_of(g, j, x, &area, err);
        if (rc == 0 && area.node == POF_NONE) {
            rc = add_use(r, i, now->start, named_w(j, m, x), err);
            continue;
        }
        if (rc) {
            break;
        }
        m->request_of[p.requests] = i;
        m->request[p.requests++] = area;
    }
    rc = rc ? rc : pof_clear_unmet(&p, m->taken, m->unmet, err);
    for (size_t k = 0; rc == 0 && k < p.requests; k++) {
        rc = add_use(r, m->request_of[k], now->start, m->request[k].p_w - m->unmet[k], err);
    }
    return rc;
}

static int use_requests(struct rest *r, struct pof_err *err)
{
    const struct pof_join *j = r->join;
    struct ground g = {0};
    struct moment m = {0};
    int rc = ground_build(&g, j, err);
    rc = rc ? rc : moment_alloc(&m, j, err);
    for (m.first = 0; rc == 0 && m.first < j->awards; m.first = m.last) {
        const struct pof_award *a = &j->joined[m.first].award;
        for (m.last = m.first + 1;
             m.last < j->awards && j->joined[m.last].award.start == a->start &&
             pof_text_eq(j->joined[m.last].award.session, a->session);
             m.last++) {
        }
        rc = use_moment(r, &g, &m, err);
    }
    moment_release(&m);
    ground_release(&g);
    sort_uses(r);
    return rc;
}

static int leave_request(struct rest *r, struct walk *w, const struct pof_request *q,
                         struct pof_err *err)
{
    struct piece part;
    int rc = 0, more;
    r->scope = q->session;
    while ((more = next_piece(w, r, &part)) == 1 && rc == 0) {
        struct pof_request x = *q;
        x.start = part.start;
        x.end = part.end;
        x.p_w = part.p_w;
        rc = name_piece(r, w, &part, &x.id, err);
        rc = rc ? rc : r->each_request(r->ctx, &x, err);
    }
    return rc == 0 && more < 0 ? pof_fail(err, POF_E_INTERNAL, "a request got more than it asked")
                               : rc;
}

/* Is a session among those that awards name? Both are sorted by session. */
static bool awarded(const struct pof_join *j, struct pof_text session)
{
    bool found = j->awards == 0;
    for (size_t i = 0; !found && i < j->awards; i++) {
        found = pof_text_eq(j->joined[i].award.session, session);
    }
    return found;
}

int pof_join_unmet(const struct pof_join *j,
                   int (*each)(void *ctx, const struct pof_request *r, struct pof_err *err),
                   void *ctx, struct pof_err *err)
{
    struct rest r = {.join = j, .each_request = each, .ctx = ctx};
    int rc = use_requests(&r, err);
    size_t next = 0;
    bool counts = false;
    for (size_t i = 0; rc == 0 && i < j->requests; i++) {
        const struct pof_request *q = &j->request[i];
        if (i == 0 || !pof_text_eq(q->session, j->request[i - 1].session)) {
            counts = awarded(j, q->session);
        }
        if (counts) {
            struct walk w = {{q->start, q->end, q->p_w}, i, next, q->start};
            rc = leave_request(&r, &w, q, err);
            next = w.next;
        }
    }
    rest_release(&r);
    return rc;
}
